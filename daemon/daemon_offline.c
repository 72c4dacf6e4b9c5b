/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What is done with a store while no daemon uses it: --check and --restore, and
 * beside one that does: --backup.
 *
 * A backup is looked at before it takes the store's place, by a child: who maps
 * a file that is shorter than it says is ended by a signal.
 */
#include "daemon/daemon_internal.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/restore.h"
#include "daemon/tables.h"
#include "lib/base/mem.h"
#include "lib/store/queue.h"
#include "lib/store/store.h"
#include "proto/config.h"

/* Jobs that were made after the backup have had numbers, too. None of these may
 * come again: somebody may ask for them, and their commands may still run. */
#define IDS_SKIPPED 1000000

/* Neither looking at a store nor copying one makes one. */
static int
has_store(const struct config *c, struct error *e)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/state/data.mdb", c->statedir);
	if (access(path, F_OK) < 0)
		return error_set_errno(e, errno, "store %s/state", c->statedir);
	return 0;
}

static int
check(struct daemon *d, struct error *e)
{
	if (daemon_start_some(d, subsystems_store_n, e) < 0 ||
	    store_check(d->store, e) < 0)
		return -1;
	return queue_check(d->queue, e);
}

int
daemon_check(struct daemon *d, struct error *e)
{
	return has_store(d->loaded->config, e) < 0 ? -1 : check(d, e);
}

int
daemon_backup(const struct config *c, const char *dir, struct error *e)
{
	static const char *const names[TABLE_COUNT + 1] = TABLE_NAMES;
	AUTO_ARENA struct arena a;
	AUTO(db) struct db *db = NULL;
	struct db_config dc = { .tables = names, .tables_n = TABLE_COUNT };

	arena_init(&a, 65536);
	/* Environments of jobs hold secrets. */
	(void)umask(077);
	dc.dir = arena_printf(&a, "%s/state", c->statedir);
	if (arena_check(&a, e) < 0 || has_store(c, e) < 0 ||
	    db_open(&db, &dc, e) < 0)
		return -1;
	return db_backup(db, dir, e);
}

/* Restoring */

static void
was_skipped(const struct error *failed, void *ctx)
{
	if (failed != NULL)
		*(struct error *)ctx = *failed;
}

/* Whether a queue is in it: opening for a daemon makes what is missing. */
static int
holds_a_queue(struct daemon *d, const struct restore *r, struct error *e)
{
	static const char *const names[] = { "jobs", "active", "queue" };
	const struct db_config c = {
		.dir = arena_printf(&d->arena, "%s/state", r->fresh),
		.tables = names,
		.tables_n = ARRAY_LEN(names),
		.flags = DB_READ_ONLY,
	};
	AUTO(db) struct db *db = NULL;

	return arena_check(&d->arena, e) < 0 ? -1 : db_open(&db, &c, e);
}

/* In the child: checks the copy, and makes it ready for a daemon. */
static int
examine(struct daemon *d, const struct restore *r, struct error *e)
{
	struct error failed = ERROR_INIT;

	d->loaded->config->statedir = r->fresh;
	if (holds_a_queue(d, r, e) < 0 || check(d, e) < 0 ||
	    queue_skip_ids(d->queue, IDS_SKIPPED, was_skipped, &failed, e) < 0)
		return -1;
	/* What was submitted is on disk, or has failed, when it is closed. */
	daemon_stop_some(d, DAEMON_LOCKED);
	if (!error_is_set(&failed))
		return 0;
	*e = failed;
	return -1;
}

/* What the child had to say, or how it ended instead. */
static int
wait_examined(const struct restore *r, pid_t child, int fd, struct error *e)
{
	struct error said = ERROR_INIT;
	ssize_t n;
	int status;

	do
		n = read(fd, &said, sizeof(said));
	while (n < 0 && errno == EINTR);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return error_set_errno(e, errno, "wait");
	if (n != (ssize_t)sizeof(said))
		return error_set(e, OVE_CORRUPT,
		    "%s is damaged: reading it ended with signal %d", r->from,
		    WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	if (!error_is_set(&said))
		return 0;
	if (e != NULL)
		*e = said;
	return error_wrap(e, "backup %s", r->from);
}

static int
examine_apart(struct daemon *d, const struct restore *r, struct error *e)
{
	const struct sigaction plain = { .sa_handler = SIG_DFL };
	struct error said = ERROR_INIT;
	AUTO_FD int reader = -1;
	AUTO_FD int writer = -1;
	int fds[2];
	pid_t pid;

	if (pipe(fds) < 0)
		return error_set_errno(e, errno, "pipe");
	reader = fds[0];
	writer = fds[1];
	if ((pid = fork()) < 0)
		return error_set_errno(e, errno, "fork");
	if (pid == 0) {
		/* A damaged file is no crash to be reported. */
		(void)sigaction(SIGBUS, &plain, NULL);
		(void)sigaction(SIGSEGV, &plain, NULL);
		(void)examine(d, r, &said);
		/* Less than a pipe takes at once. */
		_exit(write(writer, &said, sizeof(said)) < 0);
	}
	cc_auto_close(&writer);
	writer = -1;
	return wait_examined(r, pid, reader, e);
}

int
daemon_restore(
    struct daemon *d, const char *dir, const char **ret_aside, struct error *e)
{
	struct restore r;

	(void)umask(077);
	if (restore_init(&r, d->loaded->config->statedir, dir, &d->arena, e) <
		0 ||
	    daemon_start_some(d, DAEMON_LOCKED, e) < 0)
		return -1;
	if (restore_copy(&r, e) == 0 && examine_apart(d, &r, e) == 0 &&
	    restore_swap(&r, ret_aside, e) == 0)
		return 0;
	restore_drop(&r);
	return -1;
}
