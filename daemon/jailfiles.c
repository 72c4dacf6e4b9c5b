/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See jailfiles.h. All is read beneath the jail's own directory without
 * following links.
 */
#include "daemon/jailfiles.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "daemon/beneath.h"
#include "daemon/jailtext.h"
#include "daemon/portset.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/data/node.h"
#include "proto/names.h"

#define FILE_MAX ((size_t)64 << 10)
#define LABELS "conf/labels"
#define EXPOSE "conf/boot/expose"
#define JAIL_MAX ((size_t)16 << 20)
#define NAMES_MAX ((size_t)64 << 20)

/* What is not there, or is a link or another thing in its place, is no fault;
 * of all faults the first one counts. */
static void
note_fault(struct error *e, const struct error *fault)
{
	bool is_nothing = fault->code == OVE_NOTFOUND ||
	    fault->sys == ENOTDIR ||
	    (fault->code == OVE_DENIED && fault->sys == 0);

	if (!is_nothing && !error_is_set(e))
		*e = *fault;
}

/* A directory of the jail; false when there is none. */
static bool
open_dir(const char *jails, const char *jail, const char *dir, int *ret,
    struct error *e)
{
	struct error mine = ERROR_INIT;
	AUTO_FD int fd = -1;
	int r = beneath_open_in(jails, jail, &fd, &mine);

	if (r == 0 &&
	    file_open_beneath(fd, dir, O_RDONLY | O_DIRECTORY, 0, ret, &mine) ==
		0)
		return true;
	note_fault(e, &mine);
	return false;
}

/* The text of a small file, less one newline at its end; NULL for nothing. */
static char *
read_value(int dir, const char *name, struct arena *a, struct error *e)
{
	struct error mine = ERROR_INIT;
	AUTO_FREE char *text = NULL;
	AUTO_FD int fd = -1;
	size_t len;

	if (name != NULL && beneath_open_file(dir, name, &fd, &mine) == 0 &&
	    file_read_fd(fd, FILE_MAX, &text, &len, &mine) == 0)
		return jailtext_whole(a, text, len);
	note_fault(e, &mine);
	return NULL;
}

/* Names of the directories in fd, which stays open, into names (char * in a).
 */
static void
list_in(int fd, beneath_name_fn *ok, struct arena *a, struct array *names,
    struct error *e)
{
	struct error mine = ERROR_INIT;
	int listed = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (listed < 0)
		(void)error_set_errno(&mine, errno, "list a directory");
	else
		(void)beneath_list(listed, S_IFDIR, ok, a, names, &mine);
	note_fault(e, &mine);
}

int
jailfiles_labels(const char *jails, const char *jail, const char *prefix,
    struct arena *a, struct node **ret, struct error *e)
{
	struct node *map = node_new(a, NODE_MAP);
	struct error mine = ERROR_INIT;
	AUTO_ARRAY struct array names;
	AUTO_FD int fd = -1;

	array_init(&names, sizeof(char *), BENEATH_ROWS_MAX);
	if (open_dir(jails, jail, LABELS, &fd, &mine))
		list_in(fd, beneath_is_entry, a, &names, &mine);
	for (size_t i = 0; i < names.n; i++) {
		const char *name = *(char **)array_at(&names, i);
		char *value;

		if (strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		value =
		    read_value(fd, arena_printf(a, "%s/value", name), a, &mine);
		node_set(a, map, name,
		    value != NULL ? node_str(a, value) : node_null(a));
	}
	*ret = map;
	if (error_is_set(&mine))
		return error_set(
		    e, mine.code, "labels of jail '%s': %s", jail, mine.text);
	return arena_check(a, e);
}

/* What makes no sense as a port is none. */
static void
add_exposed(const char *jails, const char *jail, const char *iface,
    struct arena *a, struct portset *set, struct error *e)
{
	AUTO_ARRAY struct array names;
	AUTO_FD int fd = -1;

	array_init(&names, sizeof(char *), BENEATH_ROWS_MAX);
	if (open_dir(jails, jail, EXPOSE, &fd, e))
		list_in(fd, beneath_is_number, a, &names, e);
	for (size_t i = 0; i < names.n; i++) {
		const char *nro = *(char **)array_at(&names, i);
		const char *on =
		    read_value(fd, arena_printf(a, "%s/on_if", nro), a, e);
		const char *port;

		if (on == NULL || strcmp(on, iface) != 0)
			continue;
		port = read_value(fd, arena_printf(a, "%s/hport", nro), a, e);
		if (port != NULL)
			(void)portset_add_text(set, port);
	}
}

int
jailfiles_ports(
    const char *jails, const char *iface, struct portset *set, struct error *e)
{
	AUTO_ARENA struct arena all, one;
	AUTO_ARRAY struct array names;
	int fd, r;

	arena_init(&all, NAMES_MAX);
	arena_init(&one, JAIL_MAX);
	array_init(&names, sizeof(char *), BENEATH_NAMES_MAX);
	if ((r = beneath_open(jails, &fd, e)) != 0)
		return r < 0 ? -1 : 0;
	if (beneath_list(fd, S_IFDIR, name_is_jail, &all, &names, e) < 0)
		return error_wrap(e, "%s", jails);
	for (size_t i = 0; i < names.n; i++) {
		const char *jail = *(char **)array_at(&names, i);
		struct error mine = ERROR_INIT;

		add_exposed(jails, jail, iface, &one, set, &mine);
		if (error_is_set(&mine))
			return error_set(e, mine.code,
			    "exposed ports of jail '%s': %s", jail, mine.text);
		if (arena_check(&one, e) < 0)
			return -1;
		arena_reset(&one);
	}
	return 0;
}
