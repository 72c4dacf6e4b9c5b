/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The process table: see proctab.h and design.md 3.5; what becomes of a run is
 * proctab_run.c's.
 *
 * There is no second path for recovery: attaching to the run of an earlier
 * daemon is opening its directory and run_look().
 *
 * Whether a helper is our child or was an earlier daemon's makes no difference
 * here: spawner.c waits for ours, and nothing is learned from that.
 */
#include "lib/event/proctab.h"

#include <sys/resource.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/event/proctab_internal.h"
#include "lib/event/spawner.h"

#define GRACE_DEFAULT_MS 60000
/* In DIR, with the boot id: it goes with the run directories. No key is that.
 */
#define MARK_FILE ".boot"

void
run_limits_get(struct run_limits *ret)
{
	struct rlimit rl;
	uint16_t i;

	ret->n = 0;
	for (i = 0; i < RLIM_NLIMITS && ret->n < RUN_LIMITS_MAX; i++) {
		if (getrlimit(i, &rl) == -1)
			continue;
		ret->item[ret->n].resource = i;
		ret->item[ret->n].soft = rl.rlim_cur == RLIM_INFINITY
		    ? UINT64_MAX
		    : (uint64_t)rl.rlim_cur;
		ret->item[ret->n].hard = rl.rlim_max == RLIM_INFINITY
		    ? UINT64_MAX
		    : (uint64_t)rl.rlim_max;
		ret->n++;
	}
}

/* The table */

static bool
has_mark(const struct proctab *pt)
{
	char *text AUTO_FREE = NULL;
	size_t len;

	return file_read(pt->dir, MARK_FILE, REAP_BOOT_ID_LEN, &text, &len,
		   NULL) == 0 &&
	    strcmp(text, pt->boot) == 0;
}

static int
put_mark(struct proctab *pt, struct error *e)
{
	pt->emptied = false;
	return file_replace(
	    pt->dir, MARK_FILE, pt->boot, strlen(pt->boot), 0600, 0, e);
}

/* Somebody has removed the directory of all runs beneath us: makes it anew. */
static int
make_again(struct proctab *pt, struct error *e)
{
	int fd;

	if (file_mkdirs(pt->path, 0700, e) == -1 ||
	    file_open_dir(pt->path, &fd, e) == -1)
		return -1;
	close(pt->dir);
	pt->dir = fd;
	return put_mark(pt, e);
}

int
proctab_new(struct proctab **ret, struct loop *l,
    const struct proctab_config *c, struct error *e)
{
	struct proctab *pt AUTO(proctab) = NULL;

	pt = mem_calloc(1, sizeof(*pt));
	if (pt == NULL)
		return error_nomem(e);
	TAILQ_INIT(&pt->runs);
	pt->dir = -1;
	pt->loop = l;
	pt->codec = c->codec;
	pt->max_runs = c->max_runs;
	pt->grace_ms = c->grace_ms > 0 ? c->grace_ms : GRACE_DEFAULT_MS;
	if (c->limits != NULL)
		pt->limits = *c->limits;
	else
		run_limits_get(&pt->limits);
	pt->path = mem_strdup(c->dir);
	if (pt->path == NULL)
		return error_nomem(e);
	if (reap_boot_id(pt->boot, e) == -1 ||
	    file_mkdirs(c->dir, 0700, e) == -1 ||
	    file_open_dir(c->dir, &pt->dir, e) == -1 ||
	    spawner_new(&pt->spawner, l, c->helper, e) == -1)
		return -1;
	pt->emptied = !has_mark(pt);
	*ret = STEAL(pt);
	return 0;
}

struct proctab *
proctab_free(struct proctab *pt)
{
	struct run *r;

	if (pt == NULL)
		return NULL;
	while ((r = TAILQ_FIRST(&pt->runs)) != NULL) {
		run_unlink(r);
		run_free(r);
	}
	cc_auto_close(&pt->dir);
	spawner_free(pt->spawner);
	mem_free(pt->path);
	mem_free(pt);
	return NULL;
}

static struct run *
run_find(const struct proctab *pt, const char *key)
{
	struct run *r;

	TAILQ_FOREACH (r, &pt->runs, link)
		if (strcmp(r->key, key) == 0)
			return r;
	return NULL;
}

unsigned
proctab_running(const struct proctab *pt)
{
	return pt->runs_n;
}

pid_t
proctab_child_pid(struct proctab *pt, const char *key)
{
	struct run *r = run_find(pt, key);

	if (r == NULL || r->state == STATE_ENDED ||
	    run_know_child(r, NULL) == -1)
		return 0;
	return r->child.pid;
}

bool
proctab_cancel(struct proctab *pt, const char *key)
{
	struct run *r = run_find(pt, key);

	if (r == NULL)
		return false;
	run_cancel(r);
	return true;
}

bool
proctab_was_emptied(const struct proctab *pt)
{
	return pt->emptied;
}

static void
run_link(struct run *r)
{
	TAILQ_INSERT_TAIL(&r->pt->runs, r, link);
	r->pt->runs_n++;
}

static int
check_key(const struct proctab *pt, const char *key, struct error *e)
{
	if (!rundir_key_ok(key))
		return error_set(
		    e, OVE_INVALID, "'%s' is no key of a run", key);
	if (run_find(pt, key) != NULL)
		return error_set(
		    e, OVE_EXISTS, "run '%s' is attached already", key);
	return 0;
}

static int
make_dir(struct run *r, const char *spec, size_t len, int *ret_writer,
    int *ret_lock, struct error *e)
{
	struct error mine = ERROR_INIT;
	struct proctab *pt = r->pt;

	if (rundir_make(pt->dir, r->key, spec, len, &r->dir, ret_writer,
		ret_lock, &mine) == 0)
		return 0;
	if (mine.sys == ENOENT && make_again(pt, NULL) == 0)
		return rundir_make(pt->dir, r->key, spec, len, &r->dir,
		    ret_writer, ret_lock, e);
	if (e != NULL)
		*e = mine;
	return -1;
}

/* With its directory made: all that may fail stands before the spawn. */
static int
start_made(struct run *r, int writer, int lock, struct error *e)
{
	if (run_watch(r, e) == -1)
		return -1;
	return spawner_start(
	    r->pt->spawner, r->pt->path, r->key, writer, lock, e);
}

int
proctab_start(struct proctab *pt, const char *key, const struct run_spec *spec,
    run_done_fn *done, void *ctx, struct error *e)
{
	struct run *r AUTO(run) = NULL;
	char *text AUTO_FREE = NULL;
	struct run_spec full = *spec;
	int writer AUTO_FD = -1;
	int lock AUTO_FD = -1;
	size_t len;

	if (check_key(pt, key, e) == -1)
		return -1;
	if (pt->runs_n >= pt->max_runs)
		return PROCTAB_FULL;
	full.grace_ms = pt->grace_ms;
	full.limits = &pt->limits;
	if (pt->codec->spec_write(&full, &text, &len, e) == -1 ||
	    run_new(&r, pt, key, done, ctx, e) == -1 ||
	    make_dir(r, text, len, &writer, &lock, e) == -1)
		return -1;
	if (start_made(r, writer, lock, e) == -1) {
		(void)file_remove_tree(pt->dir, key, NULL);
		return -1;
	}
	run_link(r);
	r = NULL;
	return 0;
}

int
proctab_attach(struct proctab *pt, const char *key, run_done_fn *done,
    void *ctx, struct error *e)
{
	struct run *r AUTO(run) = NULL;
	int rc;

	if (check_key(pt, key, e) == -1 ||
	    run_new(&r, pt, key, done, ctx, e) == -1)
		return -1;
	rc = rundir_open(pt->dir, key, &r->dir, e);
	if (rc == -1)
		return -1;
	if (rc == RUNDIR_NONE)
		return PROCTAB_NONE;
	if (r->dir.fifo != -1 && run_watch(r, e) == -1)
		return -1;
	r->cancelled = rundir_has(&r->dir, RUN_FILE_CANCEL);
	run_link(r);
	run_look(r);
	/* The daemon that was asked may have died before it told. */
	if (r->cancelled)
		run_cancel(r);
	r = NULL;
	return 0;
}

/* Files */

static int
open_run(struct proctab *pt, const char *key, const char *which,
    struct rundir *ret, struct error *e)
{
	int rc;

	if (!rundir_key_ok(key) ||
	    (strcmp(which, RUN_FILE_STDOUT) != 0 &&
		strcmp(which, RUN_FILE_STDERR) != 0))
		return error_set(
		    e, OVE_INVALID, "no output '%s' of run '%s'", which, key);
	rc = rundir_open(pt->dir, key, ret, e);
	if (rc == RUNDIR_NONE)
		return error_set(e, OVE_NOTFOUND, "no run '%s'", key);
	return rc;
}

int
proctab_read_output(struct proctab *pt, const char *key, const char *which,
    size_t max, char **ret, size_t *ret_len, struct error *e)
{
	struct rundir d AUTO_RUNDIR = RUNDIR_INIT;

	if (open_run(pt, key, which, &d, e) == -1)
		return -1;
	if (rundir_read_tail(&d, which, max, ret, ret_len, e) == -1)
		return error_wrap(e, "run '%s'", key);
	return 0;
}

int
proctab_open_output(struct proctab *pt, const char *key, const char *which,
    int *ret, struct error *e)
{
	struct rundir d AUTO_RUNDIR = RUNDIR_INIT;

	if (open_run(pt, key, which, &d, e) == -1)
		return -1;
	if (file_open_beneath(d.fd, which, O_RDONLY | O_NONBLOCK, 0, ret, e) ==
	    -1)
		return error_wrap(e, "run '%s'", key);
	return 0;
}

/* Whether somebody holds the run or its command lives. */
static bool
is_alive(struct proctab *pt, const struct rundir *d)
{
	struct error sub = ERROR_INIT;
	struct run probe = { .pt = pt, .dir = *d };
	uint64_t start;
	int rc;

	if (rundir_look(d) != RUNDIR_FREE)
		return true;
	if (rundir_has(d, RUN_FILE_RESULT))
		return false;
	if (run_know_child(&probe, &sub) == -1)
		return run_may_pass(&sub);
	rc = reap_start_time(probe.child.pid, &start, NULL);
	return rc == -1 || (rc == 0 && start == probe.child.start);
}

int
proctab_remove(struct proctab *pt, const char *key, struct error *e)
{
	struct rundir d AUTO_RUNDIR = RUNDIR_INIT;
	int rc;

	if (!rundir_key_ok(key))
		return error_set(
		    e, OVE_INVALID, "'%s' is no key of a run", key);
	rc = rundir_open(pt->dir, key, &d, e);
	if (rc == -1)
		return -1;
	if (rc == RUNDIR_NONE)
		return 0;
	if (run_find(pt, key) != NULL || is_alive(pt, &d))
		return error_set(e, OVE_BUSY, "run '%s' has not ended", key);
	return file_remove_tree(pt->dir, key, e);
}

static void
remove_ended(const char *key, const struct run_result *r, void *ctx)
{
	(void)r;
	(void)proctab_remove(ctx, key, NULL);
}

/* 1: removed. */
static int
sweep_one(struct proctab *pt, const char *key, proctab_keep_fn *keep, void *ctx,
    struct error *e)
{
	struct rundir d AUTO_RUNDIR = RUNDIR_INIT;
	int rc;

	if (!rundir_key_ok(key) || run_find(pt, key) != NULL)
		return 0;
	rc = rundir_open(pt->dir, key, &d, e);
	if (rc == -1)
		return -1;
	if (rc == RUNDIR_NONE ||
	    (rundir_has(&d, RUN_FILE_SPEC) && keep(key, ctx)))
		return 0;
	if (is_alive(pt, &d)) {
		(void)proctab_attach(pt, key, remove_ended, pt, NULL);
		return 0;
	}
	return file_remove_tree(pt->dir, key, e) == -1 ? -1 : 1;
}

int
proctab_sweep(struct proctab *pt, proctab_keep_fn *keep, void *ctx,
    unsigned *ret_n, struct error *e)
{
	struct dirent *de;
	unsigned n = 0;
	DIR *dir;
	int fd, rc;

	/* Not a duplicate of pt->dir, whose position would be shared. */
	if (file_open_dir(pt->path, &fd, e) == -1)
		return -1;
	dir = fdopendir(fd);
	if (dir == NULL) {
		error_set_errno(e, errno, "read directory '%s'", pt->path);
		close(fd);
		return -1;
	}
	rc = 0;
	while (rc != -1 && (de = readdir(dir)) != NULL) {
		rc = sweep_one(pt, de->d_name, keep, ctx, e);
		if (rc > 0)
			n++;
	}
	closedir(dir);
	if (rc == -1)
		return -1;
	*ret_n = n;
	return put_mark(pt, e);
}
