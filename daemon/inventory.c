/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Reads jails and projects from the directories in which AppJail and Director
 * keep them. Nothing is kept between calls, so the answer is as fresh as the
 * disk; everything opened is beneath one of four configured directories, by
 * names that were checked, without following links. All state is set when it is
 * made: the functions may be called on the loop and on the file worker.
 *
 * Rules of reading (appjail-director-cli.md 1.8): a project is a directory; its
 * state file says done, failed, unfinished or destroying, and a missing one
 * counts as unfinished; it is locked while LOCKS/PROJECT/lock exists; services
 * are the keys of `services` in the stored Director file, a service's jail is
 * in SERVICE/name, else what the file says.
 */
#include "daemon/inventory.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/inventory_internal.h"
#include "daemon/jail.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/strbuf.h"
#include "lib/data/node.h"
#include "lib/data/yaml.h"
#include "proto/names.h"

#define DIRECTOR_FILE_MAX ((size_t)8 << 20)
#define SMALL_FILE_MAX ((size_t)4096)

int
inventory_new(struct inventory **ret, struct loop *l,
    const struct inventory_places *p, struct error *e)
{
	AUTO(inventory) struct inventory *inv = mem_calloc(1, sizeof(*inv));

	if (inv == NULL)
		return error_nomem(e);
	inv->projects = mem_strdup(p->projects);
	inv->locks = mem_strdup(p->locks);
	inv->logs = mem_strdup(p->director_logs);
	inv->jails = mem_strdup(p->jails);
	inv->jail_logs = mem_strdup(p->appjail_logs);
	if (inv->projects == NULL || inv->locks == NULL || inv->logs == NULL ||
	    inv->jails == NULL || inv->jail_logs == NULL)
		return error_nomem(e);
	if (lookups_new(&inv->lookups, inv, l, e) < 0)
		return -1;
	*ret = STEAL(inv);
	return 0;
}

struct inventory *
inventory_free(struct inventory *inv)
{
	if (inv == NULL)
		return NULL;
	inv->lookups = lookups_free(inv->lookups);
	mem_free(inv->projects);
	mem_free(inv->locks);
	mem_free(inv->logs);
	mem_free(inv->jails);
	mem_free(inv->jail_logs);
	mem_free(inv);
	return NULL;
}

static int
cmp_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static bool
is_type(DIR *d, const struct dirent *de, mode_t type)
{
	struct stat st;

	return fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (st.st_mode & S_IFMT) == type;
}

int
inventory_list(int fd, mode_t type, inventory_name_fn *ok, struct arena *a,
    struct array *names, struct error *e)
{
	DIR *d = fdopendir(fd);
	struct dirent *de;
	int r = 0;

	if (d == NULL) {
		r = error_set_errno(e, errno, "list a directory");
		(void)close(fd);
		return r;
	}
	while (r == 0 && (errno = 0, de = readdir(d)) != NULL) {
		char **slot;

		if (!ok(de->d_name, strlen(de->d_name)) ||
		    (type != INVENTORY_ANY && !is_type(d, de, type)))
			continue;
		if ((slot = array_add(names, e)) == NULL)
			r = -1;
		else if ((*slot = arena_strdup(a, de->d_name)) == NULL)
			r = arena_check(a, e);
	}
	(void)closedir(d);
	if (r == 0)
		array_sort(names, cmp_text);
	return r;
}

int
inventory_open(const char *path, int *ret, struct error *e)
{
	struct error mine = ERROR_INIT;

	if (file_open_dir(path, ret, &mine) == 0)
		return 0;
	if (mine.code == OVE_NOTFOUND)
		return 1;
	if (e != NULL)
		*e = mine;
	return -1;
}

/* Names in a directory as a list node. */
static int
names_of(const char *path, inventory_name_fn *ok, struct arena *a,
    struct node **ret, struct error *e)
{
	AUTO_ARRAY struct array names;
	int fd, r;

	array_init(&names, sizeof(char *), ENTRIES_MAX);
	*ret = node_new(a, NODE_LIST);
	if ((r = inventory_open(path, &fd, e)) != 0)
		return r < 0 ? -1 : arena_check(a, e);
	if (inventory_list(fd, S_IFDIR, ok, a, &names, e) < 0)
		return error_wrap(e, "%s", path);
	for (size_t i = 0; i < names.n; i++)
		node_add(a, *ret, node_str(a, *(char **)array_at(&names, i)));
	return arena_check(a, e);
}

int
inventory_jails(
    struct inventory *inv, struct arena *a, struct node **ret, struct error *e)
{
	return names_of(inv->jails, name_is_jail, a, ret, e);
}

bool
inventory_has_jail(struct inventory *inv, const char *jail)
{
	AUTO_FD int fd = -1;

	return name_is_jail(jail, strlen(jail)) &&
	    inventory_open_in(inv->jails, jail, &fd, NULL) == 0;
}

int
inventory_projects(
    struct inventory *inv, struct arena *a, struct node **ret, struct error *e)
{
	return names_of(inv->projects, name_is_project, a, ret, e);
}

int
inventory_open_in(const char *dir, const char *name, int *ret, struct error *e)
{
	AUTO_FD int top = -1;
	struct error mine = ERROR_INIT;
	int r;

	if ((r = inventory_open(dir, &top, e)) != 0)
		return r;
	if (file_open_beneath(
		top, name, O_RDONLY | O_DIRECTORY, 0, ret, &mine) == 0)
		return 0;
	/* A link, or what is no directory, is nothing either. */
	if (mine.code == OVE_NOTFOUND || mine.sys == ENOTDIR ||
	    (mine.code == OVE_DENIED && mine.sys == 0))
		return 1;
	if (e != NULL)
		*e = mine;
	return -1;
}

int
inventory_open_file(int fd, const char *name, int *ret, struct error *e)
{
	struct error mine = ERROR_INIT;
	struct stat st;
	bool other;

	/* A pipe must not make us wait for its writer. */
	if (file_open_beneath(fd, name, O_RDONLY | O_NONBLOCK, 0, ret, &mine) ==
	    0) {
		if (fstat(*ret, &st) == 0 && S_ISREG(st.st_mode))
			return 0;
		cc_auto_close(ret);
		*ret = -1;
		return error_set(
		    e, OVE_NOTFOUND, "'%s' is no regular file", name);
	}
	/* A link within the path is refused without an errno. */
	other = mine.sys == ENOTDIR || mine.sys == ENXIO ||
	    mine.sys == EOPNOTSUPP ||
	    (mine.code == OVE_DENIED && mine.sys == 0);
	return error_set(e, other ? OVE_NOTFOUND : mine.code, "%s", mine.text);
}

/* First line of a small file beneath fd, in a; NULL when it cannot be read. */
static char *
read_line(int fd, const char *name, struct arena *a)
{
	AUTO_FREE char *text = NULL;
	AUTO_FD int f = -1;
	size_t len;

	if (inventory_open_file(fd, name, &f, NULL) < 0 ||
	    file_read_fd(f, SMALL_FILE_MAX, &text, &len, NULL) < 0)
		return NULL;
	return arena_strndup(a, text, strcspn(text, "\r\n"));
}

static const struct {
	const char *file;
	const char *shown;
} phases[] = {
	[PROJECT_DONE] = { "done", "DONE" },
	[PROJECT_FAILED] = { "failed", "FAILED" },
	[PROJECT_UNFINISHED] = { "unfinished", "UNFINISHED" },
	[PROJECT_DESTROYING] = { "destroying", "DESTROYING" },
	[PROJECT_UNKNOWN] = { "", "UNKNOWN" },
};

const char *
project_phase_to_string(enum project_phase p)
{
	return phases[p].shown;
}

static enum project_phase
phase_of(const char *text)
{
	if (text == NULL)
		return PROJECT_UNFINISHED;
	for (size_t i = 0; i < PROJECT_UNKNOWN; i++)
		if (strcmp(phases[i].file, text) == 0)
			return (enum project_phase)i;
	return PROJECT_UNKNOWN;
}

static void
read_lock(
    const struct inventory *inv, const char *project, struct project_state *ret)
{
	AUTO_FD int fd = -1;
	struct stat st;

	if (inventory_open_in(inv->locks, project, &fd, NULL) != 0 ||
	    fstatat(fd, "lock", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	ret->locked = true;
	ret->locked_at =
	    (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

void
inventory_project_state(
    struct inventory *inv, const char *project, struct project_state *ret)
{
	AUTO_ARENA struct arena a;
	AUTO_FD int fd = -1;
	const char *pid;

	arena_init(&a, 2 * SMALL_FILE_MAX);
	*ret = (struct project_state){ .phase = PROJECT_UNFINISHED };
	read_lock(inv, project, ret);
	if (inventory_open_in(inv->projects, project, &fd, NULL) != 0)
		return;
	ret->exists = true;
	ret->phase = phase_of(read_line(fd, "state", &a));
	pid = read_line(fd, "pid", &a);
	if (pid == NULL || num_i64(pid, 1, INT32_MAX, &ret->pid, NULL) < 0)
		ret->pid = 0;
}

int
inventory_unlock(struct inventory *inv, const char *project, struct error *e)
{
	AUTO_FD int fd = -1;
	int r = inventory_open_in(inv->locks, project, &fd, e);

	if (r != 0)
		return r < 0 ? -1 : 0;
	return file_remove(fd, "lock", e);
}

static const char *
env_of_process(const char *name, void *ctx)
{
	(void)ctx;
	return getenv(name);
}

/* The stored Director file as a tree. */
static int
read_director_file(int fd, struct arena *a, struct node **ret, struct error *e)
{
	const struct yaml_options o = { .env = env_of_process };
	AUTO_FREE char *text = NULL;
	AUTO_FD int f = -1;
	struct diag d;
	size_t len;

	diag_init(&d, a, "appjail-director.yml");
	if (inventory_open_file(fd, "appjail-director.yml", &f, e) < 0)
		return -1;
	if (file_read_fd(f, DIRECTOR_FILE_MAX, &text, &len, e) < 0)
		return -1;
	if (yaml_read(text, len, &o, a, ret, &d, e) < 0) {
		if (e != NULL && e->code == OVE_INVALID)
			e->code = OVE_CORRUPT;
		return -1;
	}
	return 0;
}

/* What appjail says of a jail: 0 running, 1 stopped, 66 no such jail. */
static int
jail_status(const struct inventory *inv, const char *jail)
{
	AUTO_FD int fd = -1;

	if (jail == NULL || !name_is_jail(jail, strlen(jail)))
		return 65;
	if (inventory_open_in(inv->jails, jail, &fd, NULL) != 0)
		return 66;
	return jail_is_running(inv->jails, jail) ? 0 : 1;
}

static struct node *
describe_service(const struct inventory *inv, int fd, const char *service,
    const struct node *spec, struct arena *a)
{
	struct node *out = node_new(a, NODE_MAP);
	const char *jail = NULL;
	char *path = arena_printf(a, "%s/name", service);

	if (path != NULL && name_is_service(service, strlen(service)))
		jail = read_line(fd, path, a);
	if (jail == NULL || jail[0] == '\0')
		jail = node_text(node_get(spec, "name"));
	node_set(a, out, "name", node_str(a, service));
	node_set(a, out, "status", node_int(a, jail_status(inv, jail)));
	node_set(
	    a, out, "jail", jail != NULL ? node_str(a, jail) : node_null(a));
	return out;
}

static struct node *
describe_services(const struct inventory *inv, int fd, const struct node *file,
    struct arena *a)
{
	const struct node *services = node_get(file, "services");
	struct node *out = node_new(a, NODE_LIST);

	if (services == NULL || services->type != NODE_MAP)
		return out;
	for (size_t i = 0; i < services->u.map.n; i++) {
		const struct node_pair *p = &services->u.map.pairs[i];
		const char *name = node_text(p->key);

		if (name != NULL)
			node_add(a, out,
			    describe_service(inv, fd, name, p->value, a));
	}
	return out;
}

int
inventory_describe(struct inventory *inv, const char *project, struct arena *a,
    struct node **ret, struct error *e)
{
	AUTO_FD int fd = -1;
	struct project_state st;
	struct node *file = NULL, *out;
	const char *log;
	int r;

	if ((r = inventory_open_in(inv->projects, project, &fd, e)) != 0)
		return r < 0 ? -1 : INVENTORY_NONE;
	inventory_project_state(inv, project, &st);
	if (read_director_file(fd, a, &file, e) < 0) {
		/* `up` removes the stored copy before it puts the new one. */
		if (e == NULL || e->code != OVE_NOTFOUND ||
		    st.phase != PROJECT_UNFINISHED)
			return error_wrap(e, "project '%s'", project);
		error_clear(e);
	}
	log = read_line(fd, "last_log", a);
	if (log != NULL && strrchr(log, '/') != NULL)
		log = strrchr(log, '/') + 1;
	out = node_new(a, NODE_MAP);
	node_set(a, out, "name", node_str(a, project));
	node_set(
	    a, out, "state", node_str(a, project_phase_to_string(st.phase)));
	node_set(
	    a, out, "last_log", log != NULL ? node_str(a, log) : node_null(a));
	node_set(a, out, "locked", node_bool(a, st.locked));
	node_set(a, out, "services", describe_services(inv, fd, file, a));
	*ret = out;
	return arena_check(a, e);
}
