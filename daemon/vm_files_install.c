/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The configuration of a VM and its seed, and what the scripts in libexec read:
 * metadata, environment, partitions, fstab, and the user's script. A file holds
 * one value, without a line break behind it.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/meta.h"
#include "daemon/vm_files_internal.h"
#include "daemon/vm_text.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#define LAYOUT "overlord.diskLayout."
#define DISK LAYOUT "disk."
#define PARTITIONS DISK "partitions."
#define BOOTCODE DISK "bootcode."
#define FSTAB DISK "fstab."
#define SEED_NEW ".seed.iso.new"
#define NAME_LEN 512
#define NUMBER_LEN 24

/* Configuration and seed */

static int
put_config(const struct vm_site *s, int guest, struct error *e)
{
	AUTO_FREE char *old = NULL;
	AUTO_STRBUF struct strbuf text;
	char name[NAME_LEN];
	size_t len;

	(void)snprintf(name, sizeof(name), "%s.conf", s->name);
	strbuf_init(&text, VM_TEXT_MAX);
	vm_text_template(&text, s->m);
	if (vm_read(guest, name, &old, &len, e) < 0)
		return -1;
	if (old != NULL)
		vm_text_kept(&text, s->m, old, len);
	return vm_put(guest, name, &text, 0644, e);
}

/* To another file system: the datastore is mounted into the jail. */
static int
copy_seed(int root, int guest, struct error *e)
{
	AUTO_FD int from = -1;
	AUTO_FD int to = -1;

	if (file_open_beneath(root, VM_SEED, O_RDONLY, 0, &from, e) < 0 ||
	    file_remove(guest, SEED_NEW, e) < 0 ||
	    file_open_beneath(
		guest, SEED_NEW, O_WRONLY | O_CREAT | O_EXCL, 0644, &to, e) < 0)
		return -1;
	if (file_copy(from, to, e) < 0) {
		(void)file_remove(guest, SEED_NEW, NULL);
		return -1;
	}
	if (fsync(to) < 0 || renameat(guest, SEED_NEW, guest, VM_SEED) < 0)
		return error_set_errno(e, errno, "copy");
	return file_remove(root, VM_SEED, e);
}

static int
move_seed(int root, int guest, struct error *e)
{
	bool there;

	if (vm_has_file(root, VM_SEED, &there, e) < 0)
		return -1;
	if (!there)
		return 0;
	if (renameat(root, VM_SEED, guest, VM_SEED) == 0)
		return 0;
	if (errno != EXDEV)
		return error_set_errno(e, errno, "move '%s'", VM_SEED);
	if (copy_seed(root, guest, e) < 0)
		return error_wrap(e, "move '%s'", VM_SEED);
	return 0;
}

/* What the scripts read */

static int
put_value(int dir, const char *name, const char *value, struct error *e)
{
	return value == NULL
	    ? 0
	    : file_replace(dir, name, value, strlen(value), 0644, FILE_SYNC, e);
}

/* A member of the layout: "<prefix><index>.<key>". */
static int
put_member(int dir, const char *prefix, size_t index, const char *key,
    const char *value, struct error *e)
{
	char name[NAME_LEN];

	(void)snprintf(name, sizeof(name), "%s%zu.%s", prefix, index, key);
	return put_value(dir, name, value, e);
}

static const char *
number(int64_t v, char buf[NUMBER_LEN])
{
	(void)snprintf(buf, NUMBER_LEN, "%" PRId64, v);
	return buf;
}

static int
put_partition(
    int dir, const struct spec_partition *p, size_t index, struct error *e)
{
	const struct {
		const char *key;
		const char *value;
	} rows[] = { { "type", p->type }, { "alignment", p->alignment },
		{ "start", p->start }, { "size", p->size },
		{ "label", p->label }, { "format.flags", p->format_flags },
		{ "format.script", p->format_script } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (put_member(dir, PARTITIONS, index, rows[i].key,
			rows[i].value, e) < 0)
			return -1;
	return 0;
}

static int
put_mount(int dir, const struct spec_mount *m, size_t index, struct error *e)
{
	char dump[NUMBER_LEN], pass[NUMBER_LEN];
	const struct {
		const char *key;
		const char *value;
	} rows[] = { { "device", m->device }, { "mountpoint", m->mountpoint },
		{ "type", m->type }, { "options", m->options },
		{ "dump", number(m->dump, dump) },
		{ "pass", number(m->pass, pass) } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (put_member(
			dir, FSTAB, index, rows[i].key, rows[i].value, e) < 0)
			return -1;
	return 0;
}

static int
put_layout(int dir, const struct spec_disk_layout *l, struct error *e)
{
	char buf[NUMBER_LEN];
	const char *index =
	    l->index != SCHEMA_NONE ? number(l->index, buf) : NULL;

	if (put_value(dir, DISK "scheme", l->scheme, e) < 0 ||
	    put_value(dir, BOOTCODE "bootcode", l->bootcode, e) < 0 ||
	    put_value(dir, BOOTCODE "partcode", l->partcode, e) < 0 ||
	    put_value(dir, BOOTCODE "index", index, e) < 0)
		return -1;
	for (size_t i = 0; i < l->partitions.n; i++)
		if (put_partition(dir, &l->partitions.items[i], i + 1, e) < 0)
			return -1;
	for (size_t i = 0; i < l->fstab.n; i++)
		if (put_mount(dir, &l->fstab.items[i], i, e) < 0)
			return -1;
	return 0;
}

static void
close_dir(DIR **d)
{
	if (*d != NULL)
		(void)closedir(*d);
}

/* Partitions and mounts of an earlier spec must not come back. */
static int
remove_layout(int dir, struct error *e)
{
	AUTO_FD int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CC_CLEANUP(close_dir) DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *de;

	if (d == NULL)
		return error_set_errno(e, errno, "list metadata of the jail");
	(void)steal_fd(&fd);
	while (errno = 0, (de = readdir(d)) != NULL)
		if (strncmp(de->d_name, LAYOUT, strlen(LAYOUT)) == 0 &&
		    file_remove(dir, de->d_name, e) < 0)
			return -1;
	return errno == 0
	    ? 0
	    : error_set_errno(e, errno, "list metadata of the jail");
}

/* What is not there is passed over. */
static int
copy_metadata(const struct vm_site *s, int to, struct error *e)
{
	const struct schema_strs *keys = &s->m->vm.metadata;
	AUTO_FD int from = -1;
	int r = meta_open(s->metadata, &from, e);

	for (size_t i = 0; r == 0 && i < keys->n; i++) {
		AUTO_FREE char *text = NULL;
		size_t len;

		r = meta_get(from, keys->items[i], VM_TEXT_MAX, &text, &len, e);
		if (r == 0)
			r = file_replace(
			    to, keys->items[i], text, len, 0644, FILE_SYNC, e);
		else if (r == META_NONE)
			r = 0;
	}
	return r < 0 ? -1 : 0;
}

static int
put_scripted(const struct vm_site *s, int root, struct error *e)
{
	const char *script = s->m->vm.script;
	AUTO_STRBUF struct strbuf text;
	AUTO_FD int dir = -1;

	strbuf_init(&text, VM_TEXT_MAX);
	vm_text_environment(&text, s->m);
	if (vm_make_dir(root, "metadata", &dir, e) < 0 ||
	    remove_layout(dir, e) < 0 || copy_metadata(s, dir, e) < 0 ||
	    vm_put(dir, "environment", &text, 0644, e) < 0 ||
	    put_layout(dir, &s->m->vm.disk_layout, e) < 0)
		return -1;
	return script == NULL ? 0
			      : file_replace(root, "run.sh", script,
				    strlen(script), 0555, FILE_SYNC, e);
}

static int
check_layout(const struct spec_disk_layout *l, struct vm_fault *f)
{
	const struct {
		const char *key;
		bool there;
	} required[] = { { "disk", l->scheme != NULL },
		{ "fstab", l->fstab.n > 0 },
		{ "disk.partitions", l->partitions.n > 0 } };

	for (size_t i = 0; i < ARRAY_LEN(required); i++) {
		if (required[i].there)
			continue;
		(void)error_set(&f->e, OVE_INVALID,
		    "'diskLayout.%s' is required but hasn't been specified.",
		    required[i].key);
		return vm_fault(f, "InvalidSpec");
	}
	return 0;
}

int
vm_files_install(const struct vm_site *s, struct vm_fault *f)
{
	AUTO_FD int root = -1;
	AUTO_FD int store = -1;
	AUTO_FD int guest = -1;

	if (vm_open_root(s, &root, &f->e) < 0 ||
	    vm_open_dir(root, "vm", &store, &f->e) < 0 ||
	    vm_open_dir(store, s->name, &guest, &f->e) < 0 ||
	    put_config(s, guest, &f->e) < 0 ||
	    move_seed(root, guest, &f->e) < 0)
		return -1;
	if (!vm_is_scripted(s->m))
		return 0;
	if (check_layout(&s->m->vm.disk_layout, f) < 0)
		return -1;
	return put_scripted(s, root, &f->e);
}
