/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Building the tree of a namespace from a mapping, in two passes. The plan
 * looks at everything that may be wrong: paths that leave the namespace,
 * metadata that is missing, users that nobody knows. Only then something is
 * made. What is left to go wrong are entries that contradict each other, and
 * the disk.
 *
 * Paths are resolved as text and have no ".." when they are walked; the tree is
 * new, so it has no links, and each component is opened without following one.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "daemon/meta_internal.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "proto/names.h"

/* Of what an entry creates, less its umask. */
#define FILE_MODE 0666
#define DIR_MODE 0777
#define UMASK_DEFAULT 022
#define ID_BUF ((size_t)65536)

/* Paths */

/* Adds the components of path to `to`, which has room and begins with '/' or
 * is empty. */
static void
add_path(char *to, const char *path)
{
	size_t len = strlen(to), n;
	char *slash;

	for (; *path != '\0'; path += n) {
		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 0 || (n == 1 && path[0] == '.'))
			continue;
		if (n == 2 && path[0] == '.' && path[1] == '.') {
			slash = strrchr(to, '/');
			len = slash != NULL ? (size_t)(slash - to) : 0;
			to[len] = '\0';
			continue;
		}
		to[len++] = '/';
		memcpy(to + len, path, n);
		len += n;
		to[len] = '\0';
	}
}

int
meta_path(const char *top, const char *name, const char *path, struct arena *a,
    const char **ret)
{
	size_t own = strlen(top) + strlen(name) + 3, len;
	char *base = arena_alloc(a, own);
	char *full = arena_alloc(a, own + strlen(path) + 1);

	*ret = NULL;
	if (base == NULL || full == NULL)
		return 0;
	add_path(base, top);
	add_path(base, name);
	len = strlen(base);
	memcpy(full, base, len);
	add_path(full, path + strspn(path, "/"));
	if (strncmp(full, base, len) != 0 ||
	    (full[len] != '\0' && full[len] != '/'))
		return META_NONE;
	*ret = full + len + (full[len] == '/' ? 1 : 0);
	return 0;
}

/* Building */

/* An entry whose names have become numbers. */
struct meta_plan {
	/* Below the namespace; "" is itself. */
	const char *path;
	uid_t uid;
	gid_t gid;
	mode_t mask;
};

struct build {
	const struct meta_build *in;
	struct arena *arena;
	struct meta_plan *plan;
	/* The new tree. */
	int root;
};

static int
spec_error(struct error *e, size_t i, const char *member, const char *what,
    const char *why)
{
	return error_set(e, OVE_INVALID,
	    MSG_INVALID_SPEC "namespace.mapping.<item#%zu>.%s: %s%s", i, member,
	    what, why);
}

static const char *
member_of(const struct msg_map_entry *m)
{
	return m->key != NULL ? "file" : "directory";
}

static int
plan_path(struct build *b, size_t i, struct error *e)
{
	const struct msg_map_entry *m = &b->in->mapping->items[i];
	const char *p;
	unsigned depth = 0;
	size_t n;

	if (meta_path(b->in->top, b->in->name, m->path, b->arena,
		&b->plan[i].path) == META_NONE)
		return error_set(e, OVE_INVALID,
		    "'%s' is not a path of '%s/%s'",
		    m->path + strspn(m->path, "/"), b->in->top, b->in->name);
	if (arena_check(b->arena, e) < 0)
		return -1;
	p = b->plan[i].path;
	if (p == NULL)
		return error_nomem(e);
	if (p[0] == '\0' && m->key != NULL)
		return spec_error(
		    e, i, "file", "", "the path of a file is empty.");
	for (; *p != '\0'; p += n + (p[n] == '/')) {
		n = strcspn(p, "/");
		if (n > NAME_MAX)
			return spec_error(e, i, member_of(m), "",
			    "a name in the path is too long.");
		if (++depth >= META_DEPTH_MAX)
			return spec_error(e, i, member_of(m), "",
			    "the path has too many directories.");
	}
	return 0;
}

static int
find_user(const char *name, char *buf, uid_t *ret)
{
	struct passwd pw, *found = NULL;

	if (getpwnam_r(name, &pw, buf, ID_BUF, &found) != 0 || found == NULL)
		return META_NONE;
	*ret = pw.pw_uid;
	return 0;
}

static int
find_group(const char *name, char *buf, gid_t *ret)
{
	struct group gr, *found = NULL;

	if (getgrnam_r(name, &gr, buf, ID_BUF, &found) != 0 || found == NULL)
		return META_NONE;
	*ret = gr.gr_gid;
	return 0;
}

static int
find_number(const char *name, uint32_t *ret)
{
	uint64_t v;

	if (num_u64(name, 0, UINT32_MAX - 1, &v, NULL) < 0)
		return META_NONE;
	*ret = (uint32_t)v;
	return 0;
}

static int
plan_owner(struct build *b, size_t i, char *buf, struct error *e)
{
	const struct msg_map_entry *m = &b->in->mapping->items[i];
	struct meta_plan *p = &b->plan[i];
	uint32_t id;

	p->uid = (uid_t)m->uid;
	p->gid = (gid_t)m->gid;
	if (m->owner != NULL && find_user(m->owner, buf, &p->uid) != 0) {
		if (find_number(m->owner, &id) != 0)
			return spec_error(
			    e, i, "owner", m->owner, ": user not found.");
		p->uid = (uid_t)id;
	}
	if (m->group != NULL && find_group(m->group, buf, &p->gid) != 0) {
		if (find_number(m->group, &id) != 0)
			return spec_error(
			    e, i, "group", m->group, ": group not found.");
		p->gid = (gid_t)id;
	}
	p->mask = m->umask == MSG_UNSET ? UMASK_DEFAULT : (mode_t)m->umask;
	return 0;
}

static int
plan_metadata(struct build *b, size_t i, struct error *e)
{
	const char *key = b->in->mapping->items[i].key;
	int r;

	if (key == NULL)
		return 0;
	r = b->in->metadata < 0 || !name_is_key(key, strlen(key))
	    ? META_NONE
	    : meta_exists(b->in->metadata, key, e);
	return r <= 0 ? r
		      : spec_error(e, i, "file", key, ": metadata not found.");
}

int
meta_plan(const struct meta_build *in, struct arena *a, struct meta_plan **ret,
    struct error *e)
{
	AUTO_FREE char *buf = mem_alloc(ID_BUF);
	size_t n = in->mapping->n;
	struct build b = {
		.in = in,
		.arena = a,
		.plan = arena_calloc(a, n, sizeof(*b.plan)),
		.root = -1,
	};

	if (b.plan == NULL)
		return arena_check(a, e);
	if (buf == NULL)
		return error_nomem(e);
	for (size_t i = 0; i < n; i++)
		if (plan_path(&b, i, e) < 0)
			return -1;
	for (size_t i = 0; i < n; i++)
		if (plan_metadata(&b, i, e) < 0 ||
		    plan_owner(&b, i, buf, e) < 0)
			return -1;
	*ret = b.plan;
	return 0;
}

/* Makes the directory if it is missing, and opens it. */
static int
make_dir(int dir, const char *name, mode_t mask, int *ret_fd, struct error *e)
{
	bool made = mkdirat(dir, name, 0700) == 0;

	if (!made && errno != EEXIST)
		return error_set_errno(e, errno, "make directory '%s'", name);
	if (meta_open_subdir(dir, name, ret_fd, e) < 0)
		return -1;
	if (made && fchmod(*ret_fd, (mode_t)(DIR_MODE & ~mask)) < 0)
		return error_set_errno(e, errno, "set mode of '%s'", name);
	return 0;
}

/* Opens the directory of the last component, making what is missing; *ret_name
 * is that component. */
static int
make_parents(struct build *b, const struct meta_plan *p, int *ret_fd,
    const char **ret_name, struct error *e)
{
	const char *at = p->path;
	AUTO_FD int fd = fcntl(b->root, F_DUPFD_CLOEXEC, 0);
	char part[NAME_MAX + 1];
	size_t n;

	if (fd < 0)
		return error_set_errno(e, errno, "open directory");
	while (n = strcspn(at, "/"), at[n] != '\0') {
		AUTO_FD int next = -1;

		memcpy(part, at, n);
		part[n] = '\0';
		if (make_dir(fd, part, p->mask, &next, e) < 0)
			return -1;
		cc_auto_close(&fd);
		fd = steal_fd(&next);
		at += n + 1;
	}
	*ret_name = at;
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* A file that is there already keeps its mode, as upstream's does. */
static int
make_file(int dir, const char *name, mode_t mask, int *ret_fd, struct error *e)
{
	int fd;

	if (file_open_beneath(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600,
		ret_fd, NULL) == 0) {
		if (fchmod(*ret_fd, (mode_t)(FILE_MODE & ~mask)) == 0)
			return 0;
		return error_set_errno(e, errno, "set mode of '%s'", name);
	}
	if (file_open_beneath(dir, name, O_WRONLY | O_TRUNC, 0, &fd, e) < 0)
		return -1;
	*ret_fd = fd;
	return 0;
}

/* Changing the owner takes away bits of the mode, so that comes last. */
static int
set_rights(const struct build *b, size_t i, int fd, struct error *e)
{
	const struct msg_map_entry *m = &b->in->mapping->items[i];
	const struct meta_plan *p = &b->plan[i];

	if ((p->uid != (uid_t)-1 || p->gid != (gid_t)-1) &&
	    fchown(fd, p->uid, p->gid) < 0)
		return error_set_errno(e, errno, "set owner of '%s'", p->path);
	if (m->mode != MSG_UNSET && fchmod(fd, (mode_t)m->mode) < 0)
		return error_set_errno(e, errno, "set mode of '%s'", p->path);
	return 0;
}

static int
build_entry(struct build *b, size_t i, struct error *e)
{
	const struct msg_map_entry *m = &b->in->mapping->items[i];
	const struct meta_plan *p = &b->plan[i];
	AUTO_FD int parent = -1;
	AUTO_FD int from = -1;
	AUTO_FD int fd = -1;
	const char *name = "";

	if (make_parents(b, p, &parent, &name, e) < 0)
		return -1;
	if (m->key == NULL && name[0] == '\0')
		return set_rights(b, i, parent, e);
	if (m->key == NULL)
		return make_dir(parent, name, p->mask, &fd, e) < 0
		    ? -1
		    : set_rights(b, i, fd, e);
	if (meta_open_file(b->in->metadata, m->key, &from, e) != 0)
		return error_set(e, OVE_CONFLICT,
		    "metadata '%s' went away meanwhile", m->key);
	if (make_file(parent, name, p->mask, &fd, e) < 0 ||
	    file_copy(from, fd, e) < 0 || set_rights(b, i, fd, e) < 0)
		return -1;
	return meta_sync(fd, e);
}

/* Of entries that contradict each other the later one is told. */
static int
build_failed(size_t i, const struct msg_map_entry *m, struct error *e)
{
	if (e != NULL && (e->sys == ENOTDIR || e->sys == EISDIR))
		return spec_error(e, i, member_of(m), "",
		    "a file and a directory have the same path.");
	return error_wrap(e, "entry %zu", i);
}

static int
sync_tree(int dir, unsigned depth, struct error *e)
{
	CC_CLEANUP(meta_close_dir) DIR *d = meta_opendir(dir, e);
	struct dirent *de;
	struct stat st;

	if (d == NULL)
		return -1;
	while (errno = 0, (de = readdir(d)) != NULL) {
		AUTO_FD int fd = -1;

		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0 ||
		    fstatat(dir, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(st.st_mode))
			continue;
		if (depth == META_DEPTH_MAX ||
		    meta_open_subdir(dir, de->d_name, &fd, e) < 0 ||
		    sync_tree(fd, depth + 1, e) < 0)
			return -1;
	}
	if (errno != 0)
		return error_set_errno(e, errno, "read directory");
	return meta_sync(dir, e);
}

int
meta_build_tree(
    const struct meta_build *in, struct meta_plan *plan, struct error *e)
{
	struct build b = { .in = in, .plan = plan, .root = -1 };
	struct error mine = ERROR_INIT;
	AUTO_FD int root = -1;

	if (make_dir(in->dir, META_TREE_NEW, UMASK_DEFAULT, &root, e) < 0)
		return -1;
	b.root = root;
	for (size_t i = 0; i < in->mapping->n; i++) {
		if (build_entry(&b, i, &mine) == 0)
			continue;
		(void)build_failed(i, &in->mapping->items[i], &mine);
		if (e != NULL)
			*e = mine;
		return -1;
	}
	return sync_tree(root, 1, e);
}
