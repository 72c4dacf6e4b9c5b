/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The life of a run (design.md 3.5). It is in one of these states, and
 * run_look() is what moves it, after a start, at an adoption, when the FIFO
 * stirs and when its timer fires:
 *
 *	ALIVE     the FIFO has a writer: it is watched
 *	CLOSING   the FIFO is at its end but the lock is held: its holder is on
 *	          its way out; looked at again after a moment
 *	ORPHAN    nobody holds it, there is no result, but the command lives:
 *	          orphan.c watches it
 *	ENDED     the result is known and `done` is deferred
 *
 * Look comes before watch, since poll(2) says nothing about a FIFO whose writer
 * left before we opened it.
 *
 * A cancel is a file first and then a signal, so that the helper can tell it
 * from a shutdown and the next daemon knows of it.  It may be asked for before
 * the helper has written who it is: then the timer tries again.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/event/proctab_internal.h"

/* Until a closing run is looked at again, and a cancel tried again. */
#define RETRY_MS 5
#define RETRY_MAX_MS 200
/* child and result.json. */
#define SMALL_FILE_MAX ((size_t)64 << 10)

struct run *
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
void
run_unlink(struct run *r)
{
	TAILQ_REMOVE(&r->pt->runs, r, link);
	r->pt->runs_n--;
}

/* Who runs it */

/* A small file of the run; -1 when it is missing or no use. */
static int
read_small(const struct run *r, const char *name, char **ret, size_t *ret_len,
    struct error *e)
{
	return file_read(r->dir.fd, name, SMALL_FILE_MAX, ret, ret_len, e);
}

int
run_know_child(struct run *r, struct error *e)
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

bool
run_may_pass(const struct error *e)
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

	if (run_know_child(r, &sub) == -1) {
		if (run_may_pass(&sub))
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
		if (run_may_pass(&sub))
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

void
run_look(struct run *r)
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
	run_look(r);
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
	if (!put_cancel_file(r) || run_know_child(r, NULL) == -1 ||
	    reap_signal(
		r->child.helper, r->child.helper_start, SIGTERM, NULL) == -1) {
		retry_later(r);
		return;
	}
	/* A helper that is gone shows at the FIFO. */
	r->cancel_told = true;
}

void
run_cancel(struct run *r)
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
		run_look(r);
		return;
	case STATE_ORPHAN:
	case STATE_ENDED:
		return;
	}
}

/* Start and attach */

int
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

int
run_watch(struct run *r, struct error *e)
{
	if (watch_init(&r->fifo_watch, r->pt->loop, r->dir.fifo, WATCH_READ,
		on_fifo, "proctab fifo", e) == -1)
		return -1;
	return watch_start(&r->fifo_watch, e);
}
