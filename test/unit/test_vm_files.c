/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Files below the root of a VM's jail (runtime.md 2.1, 2.3): what is written,
 * what of earlier jobs goes or stays, links that lead elsewhere.
 */
#include "daemon/vm_files.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test/unit/support/faultio.h"
#include "test/unit/support/test.h"
#include "test/unit/support/torture.h"
#include "test/unit/support/vm_message.h"

#define IMG "{\"type\":\"img\"}"
#define ISO "{\"type\":\"iso\",\"isoFile\":\"x\"}"
#define INSTALLED "{\"type\":\"iso\",\"isoFile\":\"x\",\"installed\":true}"
#define FROM_IMAGE "{\"type\":\"img\",\"imgFile\":\"a.raw\"}"
#define PKGBASE                                                                \
  "{\"type\":\"pkgbase\",\"osVersion\":\"15\",\"osArch\":\"amd64\","           \
  "\"packages\":[]}"
#define LAYOUT                                                                 \
  "\"diskLayout\":{\"driver\":\"nvme\",\"size\":\"1M\",\"from\":" PKGBASE      \
  ",\"disk\":{\"scheme\":\"gpt\",\"partitions\":["                             \
  "{\"type\":\"freebsd-boot\",\"size\":\"512k\",\"label\":\"b\"},"             \
  "{\"type\":\"freebsd-ufs\",\"alignment\":\"1m\",\"start\":\"9\","            \
  "\"format\":{\"flags\":\"-Uj\"}},"                                           \
  "{\"type\":\"x\",\"format\":{\"script\":\"#!/bin/sh\\n\"}}],"                \
  "\"bootcode\":{\"bootcode\":\"/boot/pmbr\",\"partcode\":\"/p\","             \
  "\"index\":1}},\"fstab\":[{\"device\":\"/dev/x\","                           \
  "\"mountpoint\":\"/\",\"type\":\"ufs\",\"options\":\"rw\","                  \
  "\"dump\":1,\"pass\":2}]}"
#define SMALL_LAYOUT                                                           \
  "\"diskLayout\":{\"driver\":\"nvme\",\"size\":\"1M\",\"from\":" PKGBASE      \
  ",\"disk\":{\"scheme\":\"gpt\",\"partitions\":["                             \
  "{\"type\":\"x\"}]},\"fstab\":[{\"device\":\"x\","                           \
  "\"mountpoint\":\"/\",\"type\":\"ufs\",\"options\":\"rw\","                  \
  "\"dump\":1,\"pass\":2}]}"
#define J "jails/db1/jail/"

/* Jails in "jails", metadata in "meta". */
struct rig {
	const struct test_dir *d;
	char jails[300];
	char meta[300];
	struct arena a;
	struct msg_vm m;
	struct vm_site s;
	struct vm_fault f;
	struct strbuf file;
	struct vm_plan p;
};

static void
make_dir(const struct rig *r, const char *path)
{
	assert_true(mkdirat(r->d->fd, path, 0755) == 0 || errno == EEXIST);
}

static void
rig_init(struct rig *r, void **state, const char *from, const char *more)
{
	*r = (struct rig){ .d = *state };
	arena_init(&r->a, 1 << 20);
	strbuf_init(&r->file, 1 << 20);
	(void)snprintf(r->jails, sizeof(r->jails), "%s/jails", r->d->path);
	(void)snprintf(r->meta, sizeof(r->meta), "%s/meta", r->d->path);
	make_dir(r, "jails");
	vm_message(&r->a, from, more, &r->m);
	r->s = (struct vm_site){ r->jails, r->meta, "db1", &r->m };
}

static void
rig_fini(struct rig *r)
{
	strbuf_fini(&r->file);
	arena_fini(&r->a);
}
#define AUTO_RIG CC_CLEANUP(rig_fini)

/* As its makejail leaves it. */
static void
make_jail(const struct rig *r)
{
	make_dir(r, "jails/db1");
	make_dir(r, "jails/db1/jail");
	make_dir(r, J "vm");
	make_dir(r, J "vm/.templates");
}

/* As vm-bhyve leaves it. */
static void
make_guest(const struct rig *r)
{
	make_jail(r);
	make_dir(r, J "vm/db1");
	test_dir_put(r->d, J "vm/db1/db1.conf", "uuid=\"1\"\nold=1\n");
	test_dir_put(r->d, J "vm/db1/disk0.img", "written");
}

static bool
there(const struct rig *r, const char *path)
{
	return faccessat(r->d->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
holds(const struct rig *r, const char *path, const char *text)
{
	assert_string_equal(test_dir_text(r->d, path), text);
}

static unsigned
mode_of(const struct rig *r, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(r->d->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static int
look(struct rig *r, bool project)
{
	struct vm_facts facts = { .project = project };

	strbuf_reset(&r->file);
	return vm_files_look(&r->s, &facts, &r->p, &r->file, &r->f);
}

static const char *
template_note(struct rig *r)
{
	static char note[VM_NOTE_MAX];

	test_ok(vm_files_template(&r->s, &r->p, note, &r->f), &r->f.e);
	return note;
}

/* Look */

static void
a_jail_that_is_not_there_is_new(void **state)
{
	AUTO_RIG struct rig r;

	rig_init(&r, state, IMG, "");
	test_ok(look(&r, false), &r.f.e);
	assert_false(r.p.done);
	assert_non_null(strstr(r.file.buf, "makejail: mj\n"));
	make_jail(&r);
	test_ok(look(&r, true), &r.f.e);
	assert_false(r.p.done || r.p.nothing);
}

static void
either_mark_says_that_it_is_made(void **state)
{
	static const char *const marks[] = { J ".done", J "vm/.done" };

	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		AUTO_RIG struct rig r;

		rig_init(&r, state, IMG, "");
		make_jail(&r);
		test_dir_put(r.d, marks[i], "services: {}\n");
		test_ok(look(&r, true), &r.f.e);
		assert_true(r.p.done && r.p.nothing);
		assert_int_equal(unlinkat(r.d->fd, marks[i], 0), 0);
	}
}

static void
a_restart_deploys_what_was_deployed(void **state)
{
	AUTO_RIG struct rig r;

	rig_init(&r, state, IMG, "\"restart\":true");
	make_jail(&r);
	test_dir_put(r.d, J "vm/.done", "new: 1\n");
	test_ok(look(&r, true), &r.f.e);
	assert_true(r.p.restart);
	assert_string_equal(r.file.buf, "new: 1\n");
	/* The older place comes first. */
	test_dir_put(r.d, J ".done", "old: 1\n");
	test_ok(look(&r, true), &r.f.e);
	assert_string_equal(r.file.buf, "old: 1\n");
	/* One that is empty is of no use. */
	test_dir_put(r.d, J ".done", "");
	test_ok(look(&r, true), &r.f.e);
	assert_true(r.p.restart);
	assert_non_null(strstr(r.file.buf, "makejail: mj\n"));
	/* Director does not know it. */
	test_ok(look(&r, false), &r.f.e);
	assert_true(r.p.overwrite && !r.p.restart);
}

static void
the_makejail_may_be_metadata(void **state)
{
	AUTO_RIG struct rig r;
	char line[400];

	rig_init(&r, state, IMG,
	    "\"makejail\":null,\"makejailFromMetadata\":\"vm.makejail\"");
	test_fails(look(&r, false), &r.f.e, OVE_NOTFOUND);
	assert_string_equal(r.f.type, "MetadataNotFound");
	assert_string_equal(r.f.e.text, "vm.makejail: metadata not found.");
	make_dir(&r, "meta");
	test_fails(look(&r, false), &r.f.e, OVE_NOTFOUND);
	test_dir_put(r.d, "meta/vm.makejail", "OPTION x\n");
	test_ok(look(&r, false), &r.f.e);
	(void)snprintf(
	    line, sizeof(line), "makejail: %s/vm.makejail\n", r.meta);
	assert_non_null(strstr(r.file.buf, line));
}

static void
the_datastore_is_made(void **state)
{
	AUTO_RIG struct rig r;
	char more[400];

	(void)snprintf(more, sizeof(more), "\"datastore\":\"%s/a/b\"",
	    ((const struct test_dir *)*state)->path);
	rig_init(&r, state, IMG, more);
	test_ok(look(&r, false), &r.f.e);
	assert_true(there(&r, "a/b/.img") && there(&r, "a/b/.iso"));
	/* One that is there is left alone. */
	assert_int_equal(unlinkat(r.d->fd, "a/b/.img", AT_REMOVEDIR), 0);
	test_ok(look(&r, false), &r.f.e);
	assert_false(there(&r, "a/b/.img"));
}

static void
what_leads_elsewhere_is_refused(void **state)
{
	static const struct {
		const char *from;
		const char *more;
		const char *message;
	} cases[] = {
		{ IMG, "\"datastore\":\"vm\"",
		    "datastore: 'vm' is not an absolute path." },
		{ "{\"type\":\"components\",\"components\":[\"a/../b\"],"
		  "\"osVersion\":\"1\",\"osArch\":\"arm64/aarch64\"}",
		    "",
		    "diskLayout.from.components: 'a/../b' may not hold '..'." },
		{ "{\"type\":\"components\",\"components\":[],"
		  "\"osVersion\":\"../1\",\"osArch\":\"amd64\"}",
		    "",
		    "diskLayout.from.osVersion: '../1' may not hold '..'." },
		{ "{\"type\":\"appjailImage\",\"entrypoint\":\"none\","
		  "\"imageName\":\"..\",\"imageArch\":\"a..b\","
		  "\"imageTag\":\"1\"}",
		    "", "diskLayout.from.imageName: '..' may not hold '..'." },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_RIG struct rig r;

		rig_init(&r, state, cases[i].from, cases[i].more);
		test_fails(look(&r, false), &r.f.e, OVE_INVALID);
		assert_string_equal(r.f.type, "InvalidSpec");
		assert_string_equal(r.f.e.text, cases[i].message);
	}
}

static void
a_jail_without_root_is_a_fault(void **state)
{
	AUTO_RIG struct rig r;

	rig_init(&r, state, IMG, "");
	make_dir(&r, "jails/db1");
	test_fails(look(&r, false), &r.f.e, OVE_NOTFOUND);
	assert_non_null(strstr(r.f.e.text, "root of jail 'db1'"));
	/* Nor is one that is a link. */
	make_dir(&r, "elsewhere");
	assert_int_equal(
	    symlinkat("../../elsewhere", r.d->fd, "jails/db1/jail"), 0);
	test_fails(look(&r, false), &r.f.e, OVE_DENIED);
}

/* cloud-init */

static void
documents_are_those_of_this_spec(void **state)
{
	AUTO_RIG struct rig r;

	rig_init(&r, state, IMG,
	    "\"cloud-init\":{\"user-data\":{\"a\":1},\"meta-data\":{}}");
	make_jail(&r);
	make_dir(&r, J "cloud-init");
	test_dir_put(r.d, J "cloud-init/network-config", "old: 1\n");
	test_dir_put(r.d, J "cloud-init/vendor-data", "mine\n");
	test_dir_put(r.d, J "seed.iso", "old");
	test_ok(vm_files_cloud(&r.s, &r.f), &r.f.e);
	holds(&r, J "cloud-init/user-data", "#cloud-config\na: 1\n");
	holds(&r, J "cloud-init/meta-data", "{}\n");
	assert_false(there(&r, J "cloud-init/network-config"));
	assert_true(there(&r, J "cloud-init/vendor-data"));
	assert_false(there(&r, J "seed.iso"));
}

static void
flags_that_are_not_whole(void **state)
{
	AUTO_RIG struct rig r;

	rig_init(&r, state, IMG, "\"cloud-init\":{\"flags\":\"-o 'R\"}");
	make_jail(&r);
	test_fails(vm_files_cloud(&r.s, &r.f), &r.f.e, OVE_INVALID);
	assert_string_equal(r.f.type, "ValueError");
	assert_string_equal(r.f.e.text, "No closing quotation");
}

/* Template and disk */

static void
a_first_vm_is_created(void **state)
{
	AUTO_RIG struct rig r;

	rig_init(&r, state, PKGBASE, "\"template\":{\"cpu\":\"2\"}");
	make_jail(&r);
	test_dir_put(r.d, J "seed.iso", "old");
	assert_string_equal(template_note(&r), "create");
	holds(&r, J "vm/.templates/overlord.conf",
	    "cpu=2\ndisk0_type=nvme\ndisk0_name=disk0.img\ndisk0_dev=file\n"
	    "disk0_size=1M\n");
	assert_int_equal(mode_of(&r, J "vm/.templates/overlord.conf"), 0644);
	assert_false(there(&r, J "seed.iso"));
}

static void
without_templates_there_is_no_vm(void **state)
{
	AUTO_RIG struct rig r;
	char note[VM_NOTE_MAX];

	rig_init(&r, state, IMG, "");
	make_dir(&r, "jails/db1");
	make_dir(&r, "jails/db1/jail");
	test_fails(
	    vm_files_template(&r.s, &r.p, note, &r.f), &r.f.e, OVE_NOTFOUND);
	/* A link is not followed. */
	make_dir(&r, J "vm");
	make_dir(&r, "elsewhere");
	assert_int_equal(
	    symlinkat("../../../../elsewhere", r.d->fd, J "vm/.templates"), 0);
	test_fails(
	    vm_files_template(&r.s, &r.p, note, &r.f), &r.f.e, OVE_DENIED);
}

static void
what_is_done_is_created_or_not(void **state)
{
	static const struct {
		const char *from;
		bool overwrite;
		bool done;
		const char *note;
	} cases[] = {
		{ PKGBASE, true, true, "done" },
		{ PKGBASE, true, false, "create" },
		/* vm-bhyve refuses it, and nothing is lost. */
		{ PKGBASE, false, true, "done create" },
		{ INSTALLED, false, false, "" },
		{ INSTALLED, true, true, "done" },
		{ ISO, true, true, "done" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_RIG struct rig r;

		rig_init(&r, state, cases[i].from, "");
		make_jail(&r);
		if (cases[i].done)
			test_dir_put(r.d, J "vm/.done", "x");
		r.p.overwrite = cases[i].overwrite;
		assert_string_equal(template_note(&r), cases[i].note);
		(void)unlinkat(r.d->fd, J "vm/.done", 0);
	}
}

static void
an_installation_that_failed_gets_a_new_disk(void **state)
{
	AUTO_RIG struct rig r;
	struct stat st;

	rig_init(&r, state, PKGBASE, "");
	make_guest(&r);
	test_dir_put(r.d, J "vm/db1/.disk0.img.new", "of a crash");
	assert_string_equal(template_note(&r), "");
	assert_int_equal(fstatat(r.d->fd, J "vm/db1/disk0.img", &st, 0), 0);
	assert_int_equal(st.st_size, 1 << 20);
	holds(&r, J "vm/db1/db1.conf", "uuid=\"1\"\nold=1\n");
	assert_false(there(&r, J "vm/db1/.disk0.img.new"));
}

static void
a_size_that_only_vm_bhyve_understands(void **state)
{
	AUTO_RIG struct rig r;
	struct stat st;

	rig_init(&r, state, IMG,
	    "\"diskLayout\":{\"driver\":\"nvme\",\"size\":\"huge\","
	    "\"from\":" IMG "}");
	make_guest(&r);
	assert_string_equal(template_note(&r), "");
	assert_int_equal(fstatat(r.d->fd, J "vm/db1/disk0.img", &st, 0), 0);
	assert_int_equal(st.st_size, strlen("written"));
	assert_string_not_equal(
	    test_dir_text(r.d, J "vm/db1/disk0.img"), "written");
}

static void
one_of_an_image_is_made_of_it_again(void **state)
{
	AUTO_RIG struct rig r;

	rig_init(&r, state, FROM_IMAGE, "");
	make_guest(&r);
	assert_string_equal(template_note(&r), "create");
	assert_false(there(&r, J "vm/db1"));
}

static void
half_a_vm_is_made_again(void **state)
{
	AUTO_RIG struct rig r;

	rig_init(&r, state, PKGBASE, "");
	make_guest(&r);
	assert_int_equal(unlinkat(r.d->fd, J "vm/db1/disk0.img", 0), 0);
	assert_string_equal(template_note(&r), "create");
	assert_false(there(&r, J "vm/db1"));
}

static void
a_disk_that_somebody_installs_on_is_left_alone(void **state)
{
	AUTO_RIG struct rig r;

	rig_init(&r, state, ISO, "");
	make_guest(&r);
	test_dir_put(r.d, J "vm/db1/run.lock", "");
	assert_string_equal(template_note(&r), "");
	holds(&r, J "vm/db1/disk0.img", "written");
}

static void
the_disk_of_a_guest_that_runs_is_left_alone(void **state)
{
	static const char *const from[] = { PKGBASE, FROM_IMAGE, IMG };
	char note[VM_NOTE_MAX];

	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		AUTO_RIG struct rig r;

		rig_init(&r, state, from[i], "");
		make_guest(&r);
		test_dir_put(r.d, J "vm/db1/run.lock", "");
		test_fails(vm_files_template(&r.s, &r.p, note, &r.f), &r.f.e,
		    OVE_CONFLICT);
		holds(&r, J "vm/db1/disk0.img", "written");
	}
}

/* What the scripts read */

static void
all_that_the_scripts_read(void **state)
{
	static const char *const files[][2] = {
		{ "scheme", "gpt" },
		{ "partitions.1.type", "freebsd-boot" },
		{ "partitions.1.size", "512k" },
		{ "partitions.1.label", "b" },
		{ "partitions.2.type", "freebsd-ufs" },
		{ "partitions.2.alignment", "1m" },
		{ "partitions.2.start", "9" },
		{ "partitions.2.format.flags", "-Uj" },
		{ "partitions.3.type", "x" },
		{ "partitions.3.format.script", "#!/bin/sh\n" },
		{ "bootcode.bootcode", "/boot/pmbr" },
		{ "bootcode.partcode", "/p" },
		{ "bootcode.index", "1" },
		{ "fstab.0.device", "/dev/x" },
		{ "fstab.0.mountpoint", "/" },
		{ "fstab.0.type", "ufs" },
		{ "fstab.0.options", "rw" },
		{ "fstab.0.dump", "1" },
		{ "fstab.0.pass", "2" },
	};
	struct test_dir sub;
	AUTO_RIG struct rig r;
	char name[200];

	rig_init(&r, state, PKGBASE,
	    LAYOUT ",\"script\":\"true\\n\",\"metadata\":[\"a.b\",\"gone\"],"
		   "\"script-environment\":[{\"A\":\"1\"}]");
	make_guest(&r);
	make_dir(&r, "meta");
	make_dir(&r, J "metadata");
	test_dir_put(r.d, "meta/a.b", "text\n");
	test_dir_put(r.d, J "metadata/mine", "mine");
	test_dir_put(
	    r.d, J "metadata/overlord.diskLayout.disk.partitions.4.type", "x");
	test_ok(vm_files_install(&r.s, &r.f), &r.f.e);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		(void)snprintf(name, sizeof(name),
		    J "metadata/overlord.diskLayout.disk.%s", files[i][0]);
		holds(&r, name, files[i][1]);
	}
	holds(&r, J "metadata/environment", "export A=1\n\n");
	holds(&r, J "metadata/a.b", "text\n");
	holds(&r, J "metadata/mine", "mine");
	holds(&r, J "run.sh", "true\n");
	assert_int_equal(mode_of(&r, J "run.sh"), 0555);
	assert_int_equal(mode_of(&r, J "metadata/environment"), 0644);
	/* These, the three others, and nothing of an earlier spec. */
	(void)snprintf(
	    sub.path, sizeof(sub.path), "%.200s/" J "metadata", r.d->path);
	assert_int_equal(test_dir_count(&sub), ARRAY_LEN(files) + 3);
}

static void
who_the_vm_is_stays_in_its_configuration(void **state)
{
	AUTO_RIG struct rig r;

	rig_init(&r, state, IMG, "\"template\":{\"cpu\":\"2\"}");
	make_guest(&r);
	for (int i = 0; i < 2; i++) {
		test_ok(vm_files_install(&r.s, &r.f), &r.f.e);
		holds(&r, J "vm/db1/db1.conf",
		    "cpu=2\ndisk0_type=nvme\ndisk0_name=disk0.img\n"
		    "disk0_dev=file\ndisk0_size=1M\nuuid=\"1\"\n");
	}
	/* Nothing is written for who runs no script. */
	assert_false(there(&r, J "metadata") || there(&r, J "run.sh"));
}

static void
the_seed_takes_its_place(void **state)
{
	AUTO_RIG struct rig r;

	rig_init(&r, state, IMG, "");
	make_guest(&r);
	test_dir_put(r.d, J "seed.iso", "seed");
	test_dir_put(r.d, J "vm/db1/seed.iso", "sparse");
	test_ok(vm_files_install(&r.s, &r.f), &r.f.e);
	holds(&r, J "vm/db1/seed.iso", "seed");
	assert_false(there(&r, J "seed.iso"));
}

static void
the_seed_goes_to_another_file_system(void **state)
{
	AUTO_RIG struct rig r;

	rig_init(&r, state, IMG, "");
	make_guest(&r);
	test_dir_put(r.d, J "seed.iso", "seed");
	test_dir_put(r.d, J "vm/db1/.seed.iso.new", "of a crash");
	/* After that of the configuration. */
	faultio_fail(FAULTIO_RENAMEAT, 1, EXDEV);
	test_ok(vm_files_install(&r.s, &r.f), &r.f.e);
	holds(&r, J "vm/db1/seed.iso", "seed");
	assert_false(there(&r, J "seed.iso"));
	assert_false(there(&r, J "vm/db1/.seed.iso.new"));
}

static void
a_layout_is_needed_by_scripts_only(void **state)
{
	static const struct {
		const char *more;
		const char *message;
	} cases[] = {
		{ "",
		    "'diskLayout.disk' is required but hasn't been "
		    "specified." },
		{ "\"diskLayout\":{\"driver\":\"nvme\",\"size\":\"1M\","
		  "\"from\":" PKGBASE ",\"disk\":{\"scheme\":\"gpt\","
		  "\"partitions\":[{\"type\":\"x\"}]}}",
		    "'diskLayout.fstab' is required but hasn't been "
		    "specified." },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_RIG struct rig r;

		rig_init(&r, state, PKGBASE, cases[i].more);
		make_guest(&r);
		test_fails(vm_files_install(&r.s, &r.f), &r.f.e, OVE_INVALID);
		assert_string_equal(r.f.type, "InvalidSpec");
		assert_string_equal(r.f.e.text, cases[i].message);
	}
}

static void
links_are_replaced_and_not_followed(void **state)
{
	AUTO_RIG struct rig r;

	rig_init(&r, state, PKGBASE, LAYOUT ",\"script\":\"true\\n\"");
	make_guest(&r);
	make_dir(&r, J "metadata");
	test_dir_put(r.d, "victim", "untouched");
	assert_int_equal(symlinkat("../../../victim", r.d->fd, J "run.sh"), 0);
	assert_int_equal(
	    symlinkat("../../../../victim", r.d->fd, J "metadata/environment"),
	    0);
	assert_int_equal(
	    symlinkat("../../../victim", r.d->fd, J "seed.iso"), 0);
	test_ok(vm_files_install(&r.s, &r.f), &r.f.e);
	holds(&r, J "run.sh", "true\n");
	holds(&r, J "metadata/environment", "\n");
	holds(&r, "victim", "untouched");
}

static void
the_guest_has_to_be_there(void **state)
{
	AUTO_RIG struct rig r;

	rig_init(&r, state, IMG, "");
	make_jail(&r);
	test_fails(vm_files_install(&r.s, &r.f), &r.f.e, OVE_NOTFOUND);
}

static void
the_mark_is_the_director_file(void **state)
{
	AUTO_RIG struct rig r;

	rig_init(&r, state, IMG, "");
	make_jail(&r);
	test_ok(vm_files_done(&r.s, "services: {}\n", 13, &r.f), &r.f.e);
	holds(&r, J "vm/.done", "services: {}\n");
	test_ok(look(&r, true), &r.f.e);
	assert_true(r.p.done);
}

static void
each_call_fails_once(void **state)
{
	static const enum faultio_call calls[] = { FAULTIO_OPENAT,
		FAULTIO_WRITE, FAULTIO_FSYNC, FAULTIO_RENAMEAT };

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		for (unsigned n = 0;; n++) {
			char note[VM_NOTE_MAX];
			AUTO_RIG struct rig r;
			bool good;

			rig_init(&r, state, PKGBASE,
			    SMALL_LAYOUT ",\"cloud-init\":{\"user-data\":{}}");
			make_guest(&r);
			test_dir_put(r.d, J "seed.iso", "seed");
			faultio_fail(calls[i], n, EIO);
			good = look(&r, true) == 0 &&
			    vm_files_cloud(&r.s, &r.f) == 0 &&
			    vm_files_template(&r.s, &r.p, note, &r.f) == 0 &&
			    vm_files_install(&r.s, &r.f) == 0 &&
			    vm_files_done(&r.s, "x", 1, &r.f) == 0;
			if (!faultio_clear()) {
				assert_true(good);
				break;
			}
			assert_true(good || r.f.e.text[0] != '\0');
			(void)unlinkat(r.d->fd, J "vm/.done", 0);
		}
}

/* All that a job does to files, from the first look to the mark. */
static int
make_vm(void *ctx, struct error *e)
{
	struct rig *r = ctx;
	struct vm_facts facts = { .project = false };
	AUTO_STRBUF struct strbuf file;
	char note[VM_NOTE_MAX];
	int rc;

	strbuf_init(&file, 1 << 20);
	error_clear(&r->f.e);
	rc = vm_files_look(&r->s, &facts, &r->p, &file, &r->f);
	if (rc == 0)
		rc = vm_files_cloud(&r->s, &r->f);
	if (rc == 0)
		rc = vm_files_template(&r->s, &r->p, note, &r->f);
	if (rc == 0)
		rc = vm_files_install(&r->s, &r->f);
	if (rc < 0)
		*e = r->f.e;
	return rc;
}

static void
allocations_may_fail(void **state)
{
	AUTO_RIG struct rig r;

	rig_init(&r, state, PKGBASE,
	    LAYOUT ",\"cloud-init\":{\"user-data\":{\"a\":1}}");
	make_guest(&r);
	torture(make_vm, &r);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(a_jail_that_is_not_there_is_new),
	TEST_IN_DIR(either_mark_says_that_it_is_made),
	TEST_IN_DIR(a_restart_deploys_what_was_deployed),
	TEST_IN_DIR(the_makejail_may_be_metadata),
	TEST_IN_DIR(the_datastore_is_made),
	TEST_IN_DIR(what_leads_elsewhere_is_refused),
	TEST_IN_DIR(a_jail_without_root_is_a_fault),
	TEST_IN_DIR(documents_are_those_of_this_spec),
	TEST_IN_DIR(flags_that_are_not_whole),
	TEST_IN_DIR(a_first_vm_is_created),
	TEST_IN_DIR(without_templates_there_is_no_vm),
	TEST_IN_DIR(what_is_done_is_created_or_not),
	TEST_IN_DIR(an_installation_that_failed_gets_a_new_disk),
	TEST_IN_DIR(a_size_that_only_vm_bhyve_understands),
	TEST_IN_DIR(one_of_an_image_is_made_of_it_again),
	TEST_IN_DIR(half_a_vm_is_made_again),
	TEST_IN_DIR(a_disk_that_somebody_installs_on_is_left_alone),
	TEST_IN_DIR(the_disk_of_a_guest_that_runs_is_left_alone),
	TEST_IN_DIR(all_that_the_scripts_read),
	TEST_IN_DIR(who_the_vm_is_stays_in_its_configuration),
	TEST_IN_DIR(the_seed_takes_its_place),
	TEST_IN_DIR(the_seed_goes_to_another_file_system),
	TEST_IN_DIR(a_layout_is_needed_by_scripts_only),
	TEST_IN_DIR(links_are_replaced_and_not_followed),
	TEST_IN_DIR(the_guest_has_to_be_there),
	TEST_IN_DIR(the_mark_is_the_director_file),
	TEST_IN_DIR(each_call_fails_once),
	TEST_IN_DIR(allocations_may_fail),
};
TEST_MAIN(tests)
