/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The process table: see proctab.h and design.md 3.5.  A run is in one of these
 * states, and look() is what moves it, after a start, at an adoption, when the
 * FIFO stirs and when its timer fires:
 *
 *	ALIVE     the FIFO has a writer: it is watched
 *	CLOSING   the FIFO is at its end but the lock is held: its holder is on
 *	          its way out; looked at again after a moment
 *	ORPHAN    nobody holds it, there is no result, but the command lives:
 *	          orphan.c watches it
 *	ENDED     the result is known and `done` is deferred
 *
 * There is no second path for recovery: attaching to the run of an earlier
 * daemon is opening its directory and look().  Look comes before watch, since
 * poll(2) says nothing about a FIFO whose writer left before we opened it.
 *
 * A cancel is a file first and then a signal, so that the helper can tell it
 * from a shutdown and the next daemon knows of it.  It may be asked for before
 * the helper has written who it is: then the timer tries again.
 *
 * Whether a helper is our child or was an earlier daemon's makes no difference
 * here: spawner.c waits for ours, and nothing is learned from that.
 */

#include "lib/event/proctab.h"

#include <sys/queue.h>
#include <sys/resource.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/event/loop.h"
#include "lib/event/orphan.h"
#include "lib/event/reap.h"
#include "lib/event/rundir.h"
#include "lib/event/spawner.h"

/* Until a closing run is looked at again, and a cancel tried again. */
#define RETRY_MS 5
#define RETRY_MAX_MS 200
#define GRACE_DEFAULT_MS 60000
/* child and result.json. */
#define SMALL_FILE_MAX ((size_t)64 << 10)
/* In DIR, with the boot id: it goes with the run directories. No key is that.
 */
#define MARK_FILE ".boot"

enum state {
	STATE_ALIVE,
	STATE_CLOSING,
	STATE_ORPHAN,
	STATE_ENDED
};

struct run {
	TAILQ_ENTRY(run) link;
	struct proctab *pt;
	char key[PROCTAB_KEY_MAX + 1];
	enum state state;
	struct rundir dir;
	struct watch fifo_watch;
	/* Started when ORPHAN. */
	struct orphan orphan;
	struct timer timer;
	int64_t retry_ms;

	/* Valid once child_known. */
	struct run_child child;
	bool child_known;

	bool cancelled;
	/* The cancel file is there, the helper has its TERM. */
	bool cancel_told;

	struct run_result result;
	run_done_fn *done;
	void *ctx;
	struct defer defer;
	struct retire retire;
};

struct proctab {
	struct loop *loop;
	const struct run_codec *codec;
	struct spawner *spawner;
	char *path;
	char boot[REAP_BOOT_ID_LEN];
	int dir;
	unsigned max_runs;
	int64_t grace_ms;
	struct run_limits limits;
	bool emptied;
	TAILQ_HEAD(run_list, run) runs;
	unsigned runs_n;
};

static void look(struct run *r);

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

static struct run *
run_free(struct run *r)
{
	if (r == NULL)
		return NULL;
	watch_fini(&r->fifo_watch);
	orphan_fini(&r->orphan);
	timer_fini(&r->timer);
	defer_cancel(&r->defer);
	rundir_close(&r->dir);
	mem_free(r);
	return NULL;
}
AUTO_DEFINE(run)

static void
run_unlink(struct run *r)
{
	TAILQ_REMOVE(&r->pt->runs, r, link);
	r->pt->runs_n--;
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

bool
proctab_was_emptied(const struct proctab *pt)
{
	return pt->emptied;
}

/* Who runs it */

/* A small file of the run; -1 when it is missing or no use. */
static int
read_small(const struct run *r, const char *name, char **ret, size_t *ret_len,
    struct error *e)
{
	return file_read(r->dir.fd, name, SMALL_FILE_MAX, ret, ret_len, e);
}

/* 0: r->child is known, now or from before. -1: it is missing, nonsense or of
 * another boot, whose pids say nothing; e tells what may pass. */
static int
know_child(struct run *r, struct error *e)
{
	char *text AUTO_FREE = NULL;
	struct run_child c;
	size_t len;

	if (r->child_known)
		return 0;
	if (read_small(r, RUN_FILE_CHILD, &text, &len, e) == -1 ||
	    r->pt->codec->child_read(text, len, &c, e) == -1)
		return -1;
	if (strcmp(r->pt->boot, c.boot_id) != 0)
		return error_set(e, OVE_NOTFOUND, "a run of another boot");
	r->child = c;
	r->child_known = true;
	return 0;
}

pid_t
proctab_child_pid(struct proctab *pt, const char *key)
{
	struct run *r = run_find(pt, key);

	if (r == NULL || r->state == STATE_ENDED || know_child(r, NULL) == -1)
		return 0;
	return r->child.pid;
}

/* The end */

static void
retired(struct retire *x)
{
	struct run *r = container_of(x, struct run, retire);

	run_free(r);
}

static void
tell_done(struct defer *d)
{
	struct run *r = container_of(d, struct run, defer);

	/* First the table, so that `done` may start the next run. */
	run_unlink(r);
	loop_retire(r->pt->loop, &r->retire, retired);
	r->done(r->key, &r->result, r->ctx);
}

static void
end(struct run *r, const struct run_result *result)
{
	r->result = *result;
	r->state = STATE_ENDED;
	watch_stop(&r->fifo_watch);
	orphan_fini(&r->orphan);
	timer_stop(&r->timer);
	loop_defer(r->pt->loop, &r->defer);
}

static void
vanished(struct run *r, enum run_how how)
{
	struct run_result res = {
		.how = how,
		.timed_out = r->orphan.timed_out,
		.cancelled = r->cancelled,
	};

	if (r->child_known)
		res.started_at = r->child.started_at;
	end(r, &res);
}

/* Looking again */

static void
retry_later(struct run *r)
{
	timer_arm(&r->timer, r->retry_ms);
	r->retry_ms *= 2;
	if (r->retry_ms > RETRY_MAX_MS)
		r->retry_ms = RETRY_MAX_MS;
}

static void
look_later(struct run *r)
{
	if (r->state != STATE_CLOSING)
		r->retry_ms = RETRY_MS;
	r->state = STATE_CLOSING;
	retry_later(r);
}

/* A file that could not be read for want of memory or descriptors is not a
 * file that is not there: to take a living run for vanished would be to run it
 * twice. */
static bool
may_pass(const struct error *e)
{
	return e->code == OVE_NOMEM || e->sys == EMFILE || e->sys == ENFILE;
}

/* Orphans */

static void
on_gone(struct orphan *o)
{
	struct run *r = container_of(o, struct run, orphan);

	vanished(r, RUN_VANISHED);
}

/* Nobody holds the run and it left no result. */
static void
orphaned_or_vanished(struct run *r)
{
	struct error sub = ERROR_INIT;
	struct orphan_who who;

	if (know_child(r, &sub) == -1) {
		if (may_pass(&sub))
			look_later(r);
		else
			/* `child` is written before the gate opens. */
			vanished(r,
			    sub.code == OVE_NOTFOUND && sub.sys == ENOENT
				? RUN_UNBEGUN
				: RUN_VANISHED);
		return;
	}
	who = (struct orphan_who){
		.pid = r->child.pid,
		.start = r->child.start,
		.session = r->child.helper,
		.deadline_ms = r->child.deadline_ms,
		.grace_ms = r->pt->grace_ms,
	};
	if (orphan_start(&r->orphan, &who) == ORPHAN_GONE) {
		vanished(r, RUN_VANISHED);
		return;
	}
	r->state = STATE_ORPHAN;
	if (r->cancelled)
		orphan_cancel(&r->orphan);
}

/* The look */

/* Reads the result, if there is one that makes sense. */
static int
read_result(const struct run *r, struct run_result *ret, struct error *e)
{
	char *text AUTO_FREE = NULL;
	size_t len;

	if (read_small(r, RUN_FILE_RESULT, &text, &len, e) == -1)
		return -1;
	return r->pt->codec->result_read(text, len, ret, e);
}

static void
collect(struct run *r)
{
	struct error sub = ERROR_INIT;
	struct run_result res;

	if (read_result(r, &res, &sub) == -1) {
		if (may_pass(&sub))
			look_later(r);
		else
			orphaned_or_vanished(r);
		return;
	}
	/* The helper took our TERM for a shutdown: no cancel file. */
	if (res.how == RUN_INTERRUPTED && r->cancelled)
		res.cancelled = true;
	end(r, &res);
}

static void
look(struct run *r)
{
	switch (rundir_look(&r->dir)) {
	case RUNDIR_HELD:
		return;
	case RUNDIR_CLOSING:
		/* At its end the FIFO would stir for ever. */
		watch_stop(&r->fifo_watch);
		look_later(r);
		return;
	case RUNDIR_FREE:
		watch_stop(&r->fifo_watch);
		timer_stop(&r->timer);
		collect(r);
		return;
	}
}

static void
on_fifo(struct watch *w, int what)
{
	struct run *r = container_of(w, struct run, fifo_watch);

	(void)what;
	look(r);
}

/* Cancel */

static bool
put_cancel_file(struct run *r)
{
	int fd AUTO_FD = -1;

	return file_open_beneath(r->dir.fd, RUN_FILE_CANCEL,
		   O_WRONLY | O_CREAT | O_NONBLOCK, 0600, &fd, NULL) == 0;
}

/* Tells the helper, or tries again later. */
static void
cancel_alive(struct run *r)
{
	if (!put_cancel_file(r) || know_child(r, NULL) == -1 ||
	    reap_signal(
		r->child.helper, r->child.helper_start, SIGTERM, NULL) == -1) {
		retry_later(r);
		return;
	}
	/* A helper that is gone shows at the FIFO. */
	r->cancel_told = true;
}

static void
cancel(struct run *r)
{
	r->cancelled = true;
	switch (r->state) {
	case STATE_ALIVE:
		if (!r->cancel_told) {
			r->retry_ms = RETRY_MS;
			cancel_alive(r);
		}
		return;
	case STATE_ORPHAN:
		(void)put_cancel_file(r);
		orphan_cancel(&r->orphan);
		return;
	case STATE_CLOSING:
		(void)put_cancel_file(r);
		return;
	case STATE_ENDED:
		return;
	}
}

bool
proctab_cancel(struct proctab *pt, const char *key)
{
	struct run *r = run_find(pt, key);

	if (r == NULL)
		return false;
	cancel(r);
	return true;
}

static void
on_timer(struct timer *t)
{
	struct run *r = container_of(t, struct run, timer);

	switch (r->state) {
	case STATE_ALIVE:
		if (r->cancelled && !r->cancel_told)
			cancel_alive(r);
		return;
	case STATE_CLOSING:
		look(r);
		return;
	case STATE_ORPHAN:
	case STATE_ENDED:
		return;
	}
}

/* Start and attach */

static int
run_new(struct run **ret, struct proctab *pt, const char *key,
    run_done_fn *done, void *ctx, struct error *e)
{
	struct run *r AUTO(run) = NULL;

	r = mem_calloc(1, sizeof(*r));
	if (r == NULL)
		return error_nomem(e);
	r->pt = pt;
	memcpy(r->key, key, strlen(key) + 1);
	r->state = STATE_ALIVE;
	r->dir = (struct rundir)RUNDIR_INIT;
	r->retry_ms = RETRY_MS;
	r->done = done;
	r->ctx = ctx;
	defer_init(&r->defer, tell_done, "proctab done");
	if (timer_init(&r->timer, pt->loop, on_timer, "proctab timer", e) ==
		-1 ||
	    orphan_init(&r->orphan, pt->loop, on_gone, e) == -1)
		return -1;
	*ret = STEAL(r);
	return 0;
}

static int
watch_fifo(struct run *r, struct error *e)
{
	if (watch_init(&r->fifo_watch, r->pt->loop, r->dir.fifo, WATCH_READ,
		on_fifo, "proctab fifo", e) == -1)
		return -1;
	return watch_start(&r->fifo_watch, e);
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
	if (watch_fifo(r, e) == -1)
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
	if (r->dir.fifo != -1 && watch_fifo(r, e) == -1)
		return -1;
	r->cancelled = rundir_has(&r->dir, RUN_FILE_CANCEL);
	run_link(r);
	look(r);
	/* The daemon that was asked may have died before it told. */
	if (r->cancelled)
		cancel(r);
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
	if (know_child(&probe, &sub) == -1)
		return may_pass(&sub);
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
