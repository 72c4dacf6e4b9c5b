/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One thread beside the loop; the only file that includes <pthread.h>.
 *
 * Two lists stand under one lock: what waits for the thread, and what it has
 * done.  The thread takes all that waits at once and appends it to what is done
 * when it has run.  It writes one byte into the pipe only when that list was
 * empty, and the loop empties the pipe before it takes the list: so a batch is
 * one wake-up at most, and none is ever missed.  (What is added before the list
 * is taken goes with it; what is added after finds it empty and writes.)
 *
 * The lock is never held across a callback or the thread's function.  Order is
 * kept by construction: both lists are only ever appended to and taken whole.
 * The thread runs with all signals blocked: they are the loop's.
 */

#include "lib/event/worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/rights.h"
#include "lib/event/loop.h"

struct worker {
	struct loop *loop;
	worker_run_fn *run;
	void *ctx;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* The next three under the lock. */
	struct work_list todo;
	struct work_list done;
	bool stop;

	/* Loop's side: submitted, done not yet called. */
	size_t pending;
	struct watch watch;
	int pipe[2];
};

static void
tell_loop(struct worker *k)
{
	ssize_t n;

	/* A full pipe (EAGAIN) would do as well, but cannot be. */
	do
		n = write(k->pipe[1], "", 1);
	while (n == -1 && errno == EINTR);
}

static void *
thread_main(void *arg)
{
	struct work_list batch;
	struct worker *k = arg;
	bool first;

	TAILQ_INIT(&batch);
	pthread_mutex_lock(&k->lock);
	for (;;) {
		while (TAILQ_EMPTY(&k->todo) && !k->stop)
			pthread_cond_wait(&k->wake, &k->lock);
		if (TAILQ_EMPTY(&k->todo))
			break;
		TAILQ_CONCAT(&batch, &k->todo, link);
		pthread_mutex_unlock(&k->lock);
		k->run(&batch, k->ctx);
		pthread_mutex_lock(&k->lock);
		first = TAILQ_EMPTY(&k->done);
		TAILQ_CONCAT(&k->done, &batch, link);
		if (first) {
			pthread_mutex_unlock(&k->lock);
			tell_loop(k);
			pthread_mutex_lock(&k->lock);
		}
	}
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

/* Calls done for all that has come back. */
static void
collect(struct worker *k)
{
	struct work_list all;
	struct work *w;

	TAILQ_INIT(&all);
	pthread_mutex_lock(&k->lock);
	TAILQ_CONCAT(&all, &k->done, link);
	pthread_mutex_unlock(&k->lock);
	while ((w = TAILQ_FIRST(&all)) != NULL) {
		TAILQ_REMOVE(&all, w, link);
		k->pending--;
		w->done(w);
	}
}

static void
on_done(struct watch *watch, int what)
{
	struct worker *k = container_of(watch, struct worker, watch);
	char buf[64];
	ssize_t n;

	(void)what;
	do
		n = read(k->pipe[0], buf, sizeof(buf));
	while (n > 0 || (n == -1 && errno == EINTR));
	collect(k);
}

static int
start_thread(struct worker *k, struct error *e)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&k->thread, NULL, thread_main, k);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return error_set_errno(e, rc, "start a thread");
	k->started = true;
	return 0;
}

/* Both or none; an errno otherwise. */
static int
init_lock(struct worker *k)
{
	int rc;

	rc = pthread_mutex_init(&k->lock, NULL);
	if (rc != 0)
		return rc;
	rc = pthread_cond_init(&k->wake, NULL);
	if (rc != 0)
		pthread_mutex_destroy(&k->lock);
	return rc;
}

int
worker_new(struct worker **ret, struct loop *l, const char *name,
    worker_run_fn *run, void *ctx, struct error *e)
{
	struct worker *k AUTO(worker) = NULL;
	int rc;

	k = mem_calloc(1, sizeof(*k));
	if (k == NULL)
		return error_nomem(e);
	k->loop = l;
	k->run = run;
	k->ctx = ctx;
	k->pipe[0] = k->pipe[1] = -1;
	rc = init_lock(k);
	if (rc != 0) {
		mem_free(STEAL(k));
		return error_set_errno(e, rc, "make a lock");
	}
	TAILQ_INIT(&k->todo);
	TAILQ_INIT(&k->done);
	if (pipe2(k->pipe, O_CLOEXEC | O_NONBLOCK) == -1)
		return error_set_errno(e, errno, "make a pipe");
	if (rights_limit(k->pipe[0], RIGHTS_READ, e) == -1 ||
	    rights_limit(k->pipe[1], RIGHTS_WRITE, e) == -1)
		return -1;
	if (watch_init(
		&k->watch, l, k->pipe[0], WATCH_READ, on_done, name, e) == -1 ||
	    watch_start(&k->watch, e) == -1 || start_thread(k, e) == -1)
		return -1;
	*ret = STEAL(k);
	return 0;
}

void
worker_submit(struct worker *k, struct work *w)
{
	bool first;

	k->pending++;
	pthread_mutex_lock(&k->lock);
	first = TAILQ_EMPTY(&k->todo);
	TAILQ_INSERT_TAIL(&k->todo, w, link);
	pthread_mutex_unlock(&k->lock);
	/* It sleeps on an empty list only; otherwise it looks again. */
	if (first)
		pthread_cond_signal(&k->wake);
}

size_t
worker_pending(const struct worker *k)
{
	return k->pending;
}

struct worker *
worker_free(struct worker *k)
{
	if (k == NULL)
		return NULL;
	watch_fini(&k->watch);
	if (k->started) {
		pthread_mutex_lock(&k->lock);
		k->stop = true;
		pthread_mutex_unlock(&k->lock);
		pthread_cond_signal(&k->wake);
		(void)pthread_join(k->thread, NULL);
		collect(k);
	}
	/* A done callback must not submit to a worker that ends. */
	assert(k->pending == 0);
	pthread_mutex_destroy(&k->lock);
	pthread_cond_destroy(&k->wake);
	if (k->pipe[0] != -1)
		close(k->pipe[0]);
	if (k->pipe[1] != -1)
		close(k->pipe[1]);
	mem_free(k);
	return NULL;
}
