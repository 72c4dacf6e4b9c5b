/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What is before and after the installation: looking, the documents for
 * cloud-init, the template, the disk, the mark. What the scripts read is in
 * vm_files_install.c.
 */
#include "daemon/vm_files.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/meta.h"
#include "daemon/vm_files_internal.h"
#include "daemon/vm_text.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/shellword.h"
#include "proto/spec.h"

#define DONE ".done"
#define DISK "disk0.img"
#define DISK_NEW ".disk0.img.new"
/* vm-bhyve's, while the guest runs. */
#define RUN_LOCK "run.lock"
#define CLOUD "cloud-init"
#define TEMPLATES "vm/.templates"
#define TEMPLATE "overlord.conf"

/* Faults */

int
vm_fault(struct vm_fault *f, const char *type)
{
	f->type = type;
	return -1;
}

/* J */

int
vm_open_root(const struct vm_site *s, int *ret, struct error *e)
{
	char name[512];
	AUTO_FD int jails = -1;
	int n = snprintf(name, sizeof(name), "%s/jail", s->name);

	if (n < 0 || (size_t)n >= sizeof(name))
		return error_set(e, OVE_INVALID, "the name is too long");
	if (file_open_dir(s->jails, &jails, e) < 0 ||
	    file_open_beneath(jails, name, O_RDONLY | O_DIRECTORY, 0, ret, e) <
		0)
		return error_wrap(e, "root of jail '%s'", s->name);
	return 0;
}

int
vm_open_dir(int root, const char *name, int *ret, struct error *e)
{
	return file_open_beneath(root, name, O_RDONLY | O_DIRECTORY, 0, ret, e);
}

int
vm_make_dir(int root, const char *name, int *ret, struct error *e)
{
	if (mkdirat(root, name, 0755) < 0 && errno != EEXIST)
		return error_set_errno(e, errno, "make directory '%s'", name);
	return vm_open_dir(root, name, ret, e);
}

/* Opens a regular file beneath root; -1 in *ret: there is none. What cannot be
 * seen is not taken for missing: a disk may depend on it. */
static int
open_file(int root, const char *name, int *ret, struct error *e)
{
	struct error mine = ERROR_INIT;
	AUTO_FD int fd = -1;
	struct stat st;

	*ret = -1;
	if (file_open_beneath(
		root, name, O_RDONLY | O_NONBLOCK, 0, &fd, &mine) < 0) {
		/* A link is no file of ours, either. */
		if (mine.code == OVE_NOTFOUND || mine.sys == ENOTDIR ||
		    (mine.code == OVE_DENIED && mine.sys == 0))
			return 0;
		*e = mine;
		return -1;
	}
	if (fstat(fd, &st) < 0)
		return error_set_errno(e, errno, "look at '%s'", name);
	if (S_ISREG(st.st_mode))
		*ret = steal_fd(&fd);
	return 0;
}

int
vm_read(
    int root, const char *name, char **ret, size_t *ret_len, struct error *e)
{
	AUTO_FD int fd = -1;

	*ret = NULL;
	if (open_file(root, name, &fd, e) < 0)
		return -1;
	return fd < 0 ? 0 : file_read_fd(fd, VM_TEXT_MAX, ret, ret_len, e);
}

int
vm_has_file(int root, const char *name, bool *ret, struct error *e)
{
	AUTO_FD int fd = -1;

	if (open_file(root, name, &fd, e) < 0)
		return -1;
	*ret = fd >= 0;
	return 0;
}

/* The older place comes first. */
static const char *const marks[] = { DONE, "vm/" DONE };

/* Which one there is; NULL: none. */
static int
find_mark(int root, const char **ret, struct error *e)
{
	bool there = false;
	size_t i;

	for (i = 0; i < ARRAY_LEN(marks) && !there; i++)
		if (vm_has_file(root, marks[i], &there, e) < 0)
			return -1;
	*ret = there ? marks[i - 1] : NULL;
	return 0;
}

/* Look */

/* What becomes part of a path on this node may not lead out of it. */
static int
check_part(const char *key, const char *text, struct error *e)
{
	const char *p = text;

	while (p != NULL && *p != '\0') {
		size_t n = strcspn(p, "/");

		if (n == 2 && strncmp(p, "..", 2) == 0)
			return error_set(e, OVE_INVALID,
			    "diskLayout.from.%s: '%s' may not hold '..'.", key,
			    text);
		p += n + (p[n] == '/');
	}
	return 0;
}

/* What no table can say, since only this node uses it. */
static int
check_spec(const struct msg_vm *m, struct error *e)
{
	const struct spec_from *from = &m->vm.disk_layout.from;
	const char *store = m->vm.datastore;
	const struct {
		const char *key;
		const char *text;
	} parts[] = { { "osArch", from->os_arch },
		{ "osVersion", from->os_version },
		{ "imageName", from->image_name },
		{ "imageArch", from->image_arch },
		{ "imageTag", from->image_tag } };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (check_part(parts[i].key, parts[i].text, e) < 0)
			return -1;
	for (size_t i = 0; i < from->components.n; i++)
		if (check_part("components", from->components.items[i], e) < 0)
			return -1;
	return store == NULL || store[0] == '/'
	    ? 0
	    : error_set(e, OVE_INVALID,
		  "datastore: '%s' is not an absolute path.", store);
}

static int
make_datastore(const char *path, struct error *e)
{
	static const char *const subdirs[] = { ".img", ".iso" };
	AUTO_STRBUF struct strbuf b;
	struct stat st;

	strbuf_init(&b, VM_TEXT_MAX);
	if (path == NULL || (stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(subdirs); i++) {
		strbuf_reset(&b);
		strbuf_addf(&b, "%s/%s", path, subdirs[i]);
		if (strbuf_check(&b, e) < 0 || file_mkdirs(b.buf, 0755, e) < 0)
			return -1;
	}
	return 0;
}

/* The makejail, in b when it is metadata. */
static int
find_makejail(const struct vm_site *s, struct strbuf *b, const char **ret,
    struct vm_fault *f)
{
	const char *key = s->m->vm.makejail_from_metadata;
	AUTO_FD int dir = -1;
	int r;

	*ret = s->m->vm.makejail;
	if (key == NULL)
		return 0;
	r = meta_open(s->metadata, &dir, &f->e);
	if (r == 0)
		r = meta_exists(dir, key, &f->e);
	if (r == META_NONE) {
		(void)error_set(
		    &f->e, OVE_NOTFOUND, "%s: metadata not found.", key);
		return vm_fault(f, "MetadataNotFound");
	}
	strbuf_addf(b, "%s/%s", s->metadata, key);
	*ret = b->buf;
	return r < 0 ? -1 : strbuf_check(b, &f->e);
}

static int
read_mark(int root, const char *mark, struct strbuf *file, struct error *e)
{
	AUTO_FREE char *text = NULL;
	size_t len = 0;

	if (vm_read(root, mark, &text, &len, e) < 0)
		return error_wrap(e, "'%s'", mark);
	if (text != NULL)
		strbuf_add(file, text, len);
	return strbuf_check(file, e);
}

int
vm_files_look(const struct vm_site *s, struct vm_facts *facts,
    struct vm_plan *ret, struct strbuf *file, struct vm_fault *f)
{
	AUTO_STRBUF struct strbuf path, jail;
	const char *makejail, *mark = NULL;
	AUTO_FD int root = -1;
	struct stat st;

	strbuf_init(&path, VM_TEXT_MAX);
	strbuf_init(&jail, VM_TEXT_MAX);
	if (check_spec(s->m, &f->e) < 0)
		return vm_fault(f, "InvalidSpec");
	if (find_makejail(s, &path, &makejail, f) < 0 ||
	    make_datastore(s->m->vm.datastore, &f->e) < 0)
		return -1;
	strbuf_addf(&jail, "%s/%s", s->jails, s->name);
	if (strbuf_check(&jail, &f->e) < 0)
		return -1;
	if (stat(jail.buf, &st) == 0 &&
	    (vm_open_root(s, &root, &f->e) < 0 ||
		find_mark(root, &mark, &f->e) < 0))
		return -1;
	facts->done = mark != NULL;
	vm_plan_make(ret, s->m, facts);
	if (ret->restart && read_mark(root, mark, file, &f->e) < 0)
		return -1;
	/* An old mark may be empty. */
	return file->len > 0
	    ? 0
	    : vm_text_director(file, s->m, s->name, makejail, &f->e);
}

/* cloud-init */

int
vm_put(int dir, const char *name, const struct strbuf *text, mode_t mode,
    struct error *e)
{
	if (strbuf_check(text, e) < 0)
		return -1;
	return file_replace(
	    dir, name, text->buf, text->len, mode, FILE_SYNC, e);
}

static int
check_flags(const char *flags, struct vm_fault *f)
{
	AUTO_ARENA struct arena a;
	const char *const *words;
	size_t n;

	arena_init(&a, VM_TEXT_MAX);
	if (flags == NULL || shellword_split(flags, &a, &words, &n, &f->e) == 0)
		return 0;
	return f->e.code == OVE_INVALID ? vm_fault(f, "ValueError") : -1;
}

int
vm_files_cloud(const struct vm_site *s, struct vm_fault *f)
{
	const struct spec_cloud_init *c = &s->m->vm.cloud_init;
	const struct {
		const char *name;
		const struct node *n;
		const char *first;
	} documents[] = { { "meta-data", c->meta_data, "" },
		{ "network-config", c->network_config, "" },
		{ "user-data", c->user_data, "#cloud-config\n" } };
	AUTO_FD int root = -1;
	AUTO_FD int dir = -1;
	AUTO_STRBUF struct strbuf text;

	strbuf_init(&text, VM_TEXT_MAX);
	if (check_flags(c->flags, f) < 0 || vm_open_root(s, &root, &f->e) < 0 ||
	    vm_make_dir(root, CLOUD, &dir, &f->e) < 0 ||
	    file_remove(root, VM_SEED, &f->e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		/* Of an earlier one nothing stays. */
		if (file_remove(dir, documents[i].name, &f->e) < 0)
			return -1;
		if (documents[i].n == NULL)
			continue;
		strbuf_reset(&text);
		if (vm_text_document(
			&text, documents[i].n, documents[i].first, &f->e) < 0 ||
		    vm_put(dir, documents[i].name, &text, 0644, &f->e) < 0)
			return -1;
	}
	return 0;
}

/* Template and disk */

static int
make_disk(int dir, const char *text, struct error *e)
{
	AUTO_FD int fd = -1;
	struct stat st;
	int64_t size;

	if (fstatat(dir, DISK, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set_errno(e, errno, "look at the disk");
	/* What vm-bhyve understands and we do not keeps its size. */
	if (spec_parse_size(text, strlen(text), &size) < 0)
		size = (int64_t)st.st_size;
	if (file_remove(dir, DISK_NEW, e) < 0 ||
	    file_open_beneath(
		dir, DISK_NEW, O_WRONLY | O_CREAT | O_EXCL, 0600, &fd, e) < 0)
		return -1;
	if (fchmod(fd, st.st_mode & 0777) < 0 ||
	    ftruncate(fd, (off_t)size) < 0 ||
	    renameat(dir, DISK_NEW, dir, DISK) < 0) {
		(void)error_set_errno(e, errno, "make a new disk");
		(void)file_remove(dir, DISK_NEW, NULL);
		return -1;
	}
	return 0;
}

/* An installation has failed before, in the directory of the VM: makes a new
 * disk, or has all of it made anew; *ret: the latter. */
static int
begin_again(
    const struct vm_site *s, int store, int dir, bool *ret, struct error *e)
{
	const struct spec_disk_layout *l = &s->m->vm.disk_layout;
	bool has_disk, runs;

	*ret = false;
	if (vm_has_file(dir, DISK, &has_disk, e) < 0 ||
	    vm_has_file(dir, RUN_LOCK, &runs, e) < 0)
		return -1;
	/* Somebody may be at it: it is not ours to wipe. */
	if (has_disk && strcmp(l->from.type, "iso") == 0)
		return 0;
	if (runs)
		return error_set(e, OVE_CONFLICT,
		    "the guest seems to run: 'vm/%s/%s' is there", s->name,
		    RUN_LOCK);
	if (has_disk && l->from.img_file == NULL)
		return make_disk(dir, l->size, e);
	*ret = true;
	return file_remove_tree(store, s->name, e);
}

static int
needs_create(const struct vm_site *s, int root, const struct vm_plan *p,
    bool done, bool *ret, struct error *e)
{
	struct error mine = ERROR_INIT;
	AUTO_FD int store = -1;
	AUTO_FD int dir = -1;

	*ret = !vm_is_installed(s->m) && !(p->overwrite && done);
	/* With a mark, whoever has left it is asked first. */
	if (!*ret || done)
		return 0;
	if (vm_open_dir(root, "vm", &store, e) < 0)
		return -1;
	if (vm_open_dir(store, s->name, &dir, &mine) == 0)
		return begin_again(s, store, dir, ret, e);
	if (mine.code == OVE_NOTFOUND)
		return 0;
	*e = mine;
	return -1;
}

int
vm_files_template(const struct vm_site *s, const struct vm_plan *p,
    char ret_note[VM_NOTE_MAX], struct vm_fault *f)
{
	AUTO_FD int root = -1;
	AUTO_FD int dir = -1;
	AUTO_STRBUF struct strbuf text;
	const char *mark;
	bool create;

	strbuf_init(&text, VM_TEXT_MAX);
	vm_text_template(&text, s->m);
	if (vm_open_root(s, &root, &f->e) < 0 ||
	    vm_open_dir(root, TEMPLATES, &dir, &f->e) < 0 ||
	    vm_put(dir, TEMPLATE, &text, 0644, &f->e) < 0)
		return -1;
	/* One that a spec of earlier has left is no part of this VM. */
	if (!vm_has_seed(s->m) && file_remove(root, VM_SEED, &f->e) < 0)
		return -1;
	if (find_mark(root, &mark, &f->e) < 0 ||
	    needs_create(s, root, p, mark != NULL, &create, &f->e) < 0)
		return -1;
	(void)snprintf(ret_note, VM_NOTE_MAX, "%s%s%s",
	    mark != NULL ? VM_NOTE_DONE : "", mark != NULL && create ? " " : "",
	    create ? VM_NOTE_CREATE : "");
	return 0;
}

/* The mark */

int
vm_files_done(
    const struct vm_site *s, const char *file, size_t len, struct vm_fault *f)
{
	AUTO_FD int root = -1;
	AUTO_FD int dir = -1;

	if (vm_open_root(s, &root, &f->e) < 0 ||
	    vm_open_dir(root, "vm", &dir, &f->e) < 0)
		return -1;
	return file_replace(dir, DONE, file, len, 0644, FILE_SYNC, &f->e);
}
