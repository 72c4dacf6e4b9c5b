/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Director's projects, by the rules of reading of appjail-director-cli.md 1.8:
 * a project is a directory; its state file says done, failed, unfinished or
 * destroying, and a missing one counts as unfinished; it is locked while
 * LOCKS/PROJECT/lock exists; services are the keys of `services` in the stored
 * Director file, a service's jail is in SERVICE/name, else what the file says.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/inventory_internal.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/num.h"
#include "lib/data/node.h"
#include "lib/data/yaml.h"
#include "proto/names.h"

#define DIRECTOR_FILE "appjail-director.yml"
#define DIRECTOR_FILE_MAX ((size_t)8 << 20)
#define SMALL_FILE_MAX ((size_t)4096)

/* First line of a small file of a project, in a; NULL when it cannot be read.
 */
static char *
read_line(int fd, const char *name, struct arena *a, struct sources *sources)
{
	AUTO_FREE char *text = NULL;
	AUTO_FD int f = -1;
	size_t len;

	if (!sources_add_file(sources, fd, "", name))
		return NULL;
	if (beneath_open_file(fd, name, &f, NULL) < 0 ||
	    file_read_fd(f, SMALL_FILE_MAX, &text, &len, NULL) < 0) {
		sources_failed(sources);
		return NULL;
	}
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
read_lock(const struct inventory *inv, const char *project,
    struct sources *sources, struct project_state *ret)
{
	AUTO_FD int fd = -1;
	AUTO_STRBUF struct strbuf path;
	struct stat st;

	strbuf_init(&path, SMALL_FILE_MAX);
	strbuf_addf(&path, "%s/%s", inv->locks, project);
	if (!sources_add_file(sources, -1, path.buf, "lock"))
		return;
	if (beneath_open_in(inv->locks, project, &fd, NULL) != 0 ||
	    fstatat(fd, "lock", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	ret->locked = true;
	ret->locked_at = clock_ms_of(&st.st_mtim);
}

static void
read_pid(
    int fd, struct arena *a, struct sources *sources, struct project_state *ret)
{
	const char *pid = read_line(fd, "pid", a, sources);
	struct stat st;

	if (pid == NULL || num_i64(pid, 1, INT32_MAX, &ret->pid, NULL) < 0 ||
	    fstatat(fd, "pid", &st, AT_SYMLINK_NOFOLLOW) < 0)
		ret->pid = 0;
	else
		ret->pid_at = clock_ms_of(&st.st_mtim);
}

static void
read_state(const struct inventory *inv, const char *project,
    struct sources *sources, struct project_state *ret)
{
	AUTO_ARENA struct arena a;
	AUTO_FD int fd = -1;

	arena_init(&a, 2 * SMALL_FILE_MAX);
	*ret = (struct project_state){ .phase = PROJECT_UNFINISHED };
	read_lock(inv, project, sources, ret);
	if (beneath_open_in(inv->projects, project, &fd, NULL) != 0)
		return;
	ret->exists = true;
	ret->phase = phase_of(read_line(fd, "state", &a, sources));
	read_pid(fd, &a, sources, ret);
}

void
inventory_project_state(
    const struct inventory *inv, const char *project, struct project_state *ret)
{
	AUTO_SOURCES struct sources sources;

	sources_init(&sources, inv->jails);
	read_state(inv, project, &sources, ret);
}

int
inventory_unlock(struct inventory *inv, const char *project, struct error *e)
{
	AUTO_FD int fd = -1;
	int r = beneath_open_in(inv->locks, project, &fd, e);

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
read_director_file(int fd, struct arena *a, struct sources *sources,
    struct node **ret, struct error *e)
{
	const struct yaml_options o = { .env = env_of_process };
	AUTO_FREE char *text = NULL;
	AUTO_FD int f = -1;
	struct diag d;
	size_t len;

	diag_init(&d, a, DIRECTOR_FILE);
	(void)sources_add_file(sources, fd, "", DIRECTOR_FILE);
	if (beneath_open_file(fd, DIRECTOR_FILE, &f, e) < 0) {
		sources_failed(sources);
		return -1;
	}
	if (file_read_fd(f, DIRECTOR_FILE_MAX, &text, &len, e) < 0)
		return -1;
	if (yaml_read(text, len, &o, a, ret, &d, e) < 0) {
		if (e != NULL && e->code == OVE_INVALID)
			e->code = OVE_CORRUPT;
		return -1;
	}
	return 0;
}

static struct node *
describe_service(int fd, const char *service, const struct node *spec,
    struct arena *a, struct sources *sources)
{
	struct node *out = node_new(a, NODE_MAP);
	const char *jail = NULL;
	char *path = arena_printf(a, "%s/name", service);
	int status;

	if (path != NULL && name_is_service(service, strlen(service)))
		jail = read_line(fd, path, a, sources);
	if (jail == NULL || jail[0] == '\0')
		jail = node_text(node_get(spec, "name"));
	status = jail_status(sources->jails, jail);
	if (jail != NULL)
		sources_add_jail(sources, jail, status);
	node_set(a, out, "name", node_str(a, service));
	node_set(a, out, "status", node_int(a, status));
	node_set(
	    a, out, "jail", jail != NULL ? node_str(a, jail) : node_null(a));
	return out;
}

static struct node *
describe_services(
    int fd, const struct node *file, struct arena *a, struct sources *sources)
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
			    describe_service(fd, name, p->value, a, sources));
	}
	return out;
}

int
project_describe(const struct inventory *inv, const char *project,
    struct arena *a, struct sources *sources, struct node **ret,
    struct error *e)
{
	AUTO_FD int fd = -1;
	struct error why = ERROR_INIT;
	struct project_state st;
	struct node *file = NULL, *out;
	const char *log;
	int r;

	if ((r = beneath_open_in(inv->projects, project, &fd, e)) != 0)
		return r < 0 ? -1 : INVENTORY_NONE;
	read_state(inv, project, sources, &st);
	/* `up` removes the stored copy before it puts the new one. */
	if (read_director_file(fd, a, sources, &file, &why) < 0 &&
	    (why.code != OVE_NOTFOUND || st.phase != PROJECT_UNFINISHED)) {
		if (e != NULL)
			*e = why;
		return error_wrap(e, "project '%s'", project);
	}
	log = read_line(fd, "last_log", a, sources);
	if (log != NULL && strrchr(log, '/') != NULL)
		log = strrchr(log, '/') + 1;
	out = node_new(a, NODE_MAP);
	node_set(a, out, "name", node_str(a, project));
	node_set(
	    a, out, "state", node_str(a, project_phase_to_string(st.phase)));
	node_set(
	    a, out, "last_log", log != NULL ? node_str(a, log) : node_null(a));
	node_set(a, out, "locked", node_bool(a, st.locked));
	node_set(a, out, "services", describe_services(fd, file, a, sources));
	*ret = out;
	return arena_check(a, e);
}
