/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See capture.h. SIGCHLD comes through the loop and says nothing of who it was:
 * each pid of ours is asked for, and no other. An ended command is looked at
 * before it is reaped (WNOWAIT), because its pid, and with it the number of its
 * group, is nobody else's until then.
 */
#include "lib/event/capture.h"

#include <sys/queue.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/mem.h"
#include "lib/base/rights.h"
#include "lib/base/strbuf.h"
#include "lib/event/loop.h"

#define ARGS_BYTES_MAX ((size_t)4 << 20)
#define ERR_MAX ((size_t)512)
#define KILL_AFTER_MS 2000
#define CHUNK ((size_t)16 << 10)
/* Chunks in one go; at the end, what the greatest pipe may hold. */
#define CHUNKS_A_TURN 8
#define CHUNKS_AT_END 80

struct stream {
	struct run *run;
	int fd;
	struct watch watch;
	struct strbuf text;
	bool cut;
};

struct run {
	TAILQ_ENTRY(run) link;
	struct capture *capture;
	struct capture_id id;
	/* NULL: nobody waits for it any more. */
	capture_fn *done;
	void *ctx;
	/* Of the request. */
	struct arena args;
	const char *path;
	char **argv;
	char **envp;
	int64_t timeout_ms;
	/* 0: it does not run. */
	pid_t pid;
	struct timer timer;
	bool timed_out;
	int status;
	/* Standard output and error. */
	struct stream streams[2];
	/* It could not be started. */
	struct error failed;
};
TAILQ_HEAD(run_list, run);

struct capture {
	struct loop *loop;
	int null;
	unsigned max_running;
	unsigned running;
	uint64_t last_id;
	/* For their turn, in order of arrival; with a pid; with an outcome. */
	struct run_list waiting;
	struct run_list started;
	struct run_list ended;
	struct defer kick;
	struct sigwatch sigchld;
};

/* Output */

static void
stream_close(struct stream *s)
{
	watch_fini(&s->watch);
	cc_auto_close(&s->fd);
	s->fd = -1;
}

/* Keeps what fits. */
static void
stream_keep(struct stream *s, const char *p, size_t len)
{
	size_t room = s->text.max - s->text.len;

	if (len > room) {
		s->cut = true;
		len = room;
	}
	strbuf_add(&s->text, p, len);
}

static void
stream_read(struct stream *s, unsigned chunks)
{
	char buf[CHUNK];
	ssize_t n;

	while (chunks-- > 0 && s->fd != -1) {
		n = read(s->fd, buf, sizeof(buf));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			return;
		if (n <= 0)
			stream_close(s);
		else
			stream_keep(s, buf, (size_t)n);
	}
}

static void
on_output(struct watch *w, int what)
{
	(void)what;
	stream_read(container_of(w, struct stream, watch), CHUNKS_A_TURN);
}

static void
stream_init(struct stream *s, struct run *r, size_t max)
{
	s->run = r;
	s->fd = -1;
	strbuf_init(&s->text, max);
}

/* The other end is in *ret_fd. */
static int
stream_open(struct stream *s, int *ret_fd, struct error *e)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1)
		return error_set_errno(e, errno, "make a pipe");
	s->fd = fds[0];
	*ret_fd = fds[1];
	if (fcntl(s->fd, F_SETFL, O_NONBLOCK) == -1)
		return error_set_errno(e, errno, "set up a pipe");
	if (rights_limit(s->fd, RIGHTS_READ, e) == -1)
		return -1;
	if (watch_init(&s->watch, s->run->capture->loop, s->fd, WATCH_READ,
		on_output, "capture", e) == -1)
		return -1;
	return watch_start(&s->watch, e);
}

/* Runs */

static struct run *
run_free(struct run *r)
{
	if (r == NULL)
		return NULL;
	timer_fini(&r->timer);
	for (size_t i = 0; i < ARRAY_LEN(r->streams); i++) {
		stream_close(&r->streams[i]);
		strbuf_fini(&r->streams[i].text);
	}
	arena_fini(&r->args);
	mem_free(r);
	return NULL;
}
AUTO_DEFINE(run)

/* The command and what it has started, but what left the group. */
static void
run_signal(const struct run *r, int signo)
{
	if (r->pid > 0)
		(void)kill(-r->pid, signo);
}

static void
on_deadline(struct timer *t)
{
	struct run *r = container_of(t, struct run, timer);

	run_signal(r, r->timed_out ? SIGKILL : SIGTERM);
	r->timed_out = true;
	timer_arm(&r->timer, KILL_AFTER_MS);
}

static char **
copy_strings(struct arena *a, const char *const *from)
{
	size_t n = 0;
	char **to;

	while (from[n] != NULL)
		n++;
	to = arena_calloc(a, n + 1, sizeof(*to));
	for (size_t i = 0; to != NULL && i < n; i++)
		to[i] = arena_strdup(a, from[i]);
	return to;
}

/* NULL with e set. */
static struct run *
run_new(struct capture *c, const struct capture_request *rq, struct error *e)
{
	struct run *r AUTO(run) = mem_calloc(1, sizeof(*r));

	if (r == NULL) {
		(void)error_nomem(e);
		return NULL;
	}
	r->capture = c;
	arena_init(&r->args, ARGS_BYTES_MAX);
	stream_init(&r->streams[0], r, rq->out_max);
	stream_init(&r->streams[1], r, ERR_MAX);
	r->path = arena_strdup(&r->args, rq->path);
	r->argv = copy_strings(&r->args, rq->argv);
	r->envp = copy_strings(&r->args, rq->envp);
	r->timeout_ms = rq->timeout_ms;
	if (arena_check(&r->args, e) == -1 ||
	    timer_init(&r->timer, c->loop, on_deadline, "capture", e) == -1)
		return NULL;
	return STEAL(r);
}

/* Starts */

/* An errno, or 0. */
static int
set_signals(posix_spawnattr_t *attr)
{
	sigset_t all, none;
	int rc;

	sigfillset(&all);
	sigemptyset(&none);
	rc = posix_spawnattr_setsigdefault(attr, &all);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(attr, &none);
	if (rc == 0)
		rc = posix_spawnattr_setpgroup(attr, 0);
	if (rc == 0)
		rc = posix_spawnattr_setflags(attr,
		    POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
			POSIX_SPAWN_SETPGROUP);
	return rc;
}

static int
set_fds(
    posix_spawn_file_actions_t *fa, const struct capture *c, const int fds[2])
{
	int rc = posix_spawn_file_actions_adddup2(fa, c->null, 0);

	for (int i = 0; rc == 0 && i < 2; i++)
		rc = posix_spawn_file_actions_adddup2(fa, fds[i], i + 1);
	/* Ours are close-on-exec; libraries may forget theirs. */
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(fa, 3);
	return rc;
}

static int
spawn(struct run *r, const int fds[2])
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	pid_t pid;
	int rc;

	rc = posix_spawn_file_actions_init(&fa);
	if (rc != 0)
		return rc;
	rc = posix_spawnattr_init(&attr);
	if (rc == 0) {
		rc = set_signals(&attr);
		if (rc == 0)
			rc = set_fds(&fa, r->capture, fds);
		if (rc == 0)
			rc = posix_spawn(
			    &pid, r->path, &fa, &attr, r->argv, r->envp);
		if (rc == 0)
			r->pid = pid;
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&fa);
	return rc;
}

static int
run_start(struct run *r, struct error *e)
{
	int fds[2] = { -1, -1 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(fds); i++)
		rc = stream_open(&r->streams[i], &fds[i], e);
	if (rc == 0) {
		rc = spawn(r, fds);
		if (rc != 0)
			rc = error_set_errno(e, rc, "start '%s'", r->path);
	}
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		cc_auto_close(&fds[i]);
	if (rc == 0) {
		r->capture->running++;
		timer_arm(&r->timer, r->timeout_ms);
	}
	return rc;
}

/* Ends */

static struct capture_result
result_of(const struct run *r)
{
	struct capture_result res = {
		.out = r->streams[0].text.buf,
		.out_len = r->streams[0].text.len,
		.cut = r->streams[0].cut,
		.err = r->streams[1].text.buf,
	};

	if (error_is_set(&r->failed) || r->streams[0].text.latch != OVE_NONE) {
		res.end = CAPTURE_FAILED;
		res.err =
		    error_is_set(&r->failed) ? r->failed.text : "out of memory";
	} else if (r->timed_out) {
		res.end = CAPTURE_TIMEOUT;
	} else if (WIFSIGNALED(r->status)) {
		res.end = CAPTURE_SIGNALLED;
		res.code = WTERMSIG(r->status);
	} else {
		res.end = CAPTURE_EXITED;
		res.code = WEXITSTATUS(r->status);
	}
	return res;
}

static void
tell_ended(struct capture *c)
{
	struct capture_result res;
	struct run *r;

	while ((r = TAILQ_FIRST(&c->ended)) != NULL) {
		TAILQ_REMOVE(&c->ended, r, link);
		res = result_of(r);
		if (r->done != NULL)
			r->done(&res, r->ctx);
		(void)run_free(r);
	}
	loop_defer(c->loop, &c->kick);
}

static void
move(struct run *r, struct run_list *from, struct run_list *to)
{
	TAILQ_REMOVE(from, r, link);
	TAILQ_INSERT_TAIL(to, r, link);
}

/* Whether it has ended; then it is reaped. */
static bool
reap(struct run *r)
{
	siginfo_t si;
	pid_t pid;
	int rc;

	/* Left alone when there is nothing to tell. */
	si.si_pid = 0;
	do
		rc = waitid(
		    P_PID, (id_t)r->pid, &si, WEXITED | WNOHANG | WNOWAIT);
	while (rc == -1 && errno == EINTR);
	if (rc == 0 && si.si_pid == 0)
		return false;
	if (rc == 0)
		run_signal(r, SIGKILL);
	do
		pid = waitpid(r->pid, &r->status, 0);
	while (pid == -1 && errno == EINTR);
	if (pid == -1)
		(void)error_set_errno(&r->failed, errno, "wait for a command");
	r->pid = 0;
	return true;
}

static void
on_sigchld(struct sigwatch *w)
{
	struct capture *c = container_of(w, struct capture, sigchld);
	struct run *r, *next;

	for (r = TAILQ_FIRST(&c->started); r != NULL; r = next) {
		next = TAILQ_NEXT(r, link);
		if (!reap(r))
			continue;
		c->running--;
		for (size_t i = 0; i < ARRAY_LEN(r->streams); i++)
			stream_read(&r->streams[i], CHUNKS_AT_END);
		move(r, &c->started, &c->ended);
	}
	tell_ended(c);
}

/* Begins what waits. */
static void
on_kick(struct defer *d)
{
	struct capture *c = container_of(d, struct capture, kick);
	struct run *r;

	while (c->running < c->max_running &&
	    (r = TAILQ_FIRST(&c->waiting)) != NULL)
		move(r, &c->waiting,
		    run_start(r, &r->failed) == 0 ? &c->started : &c->ended);
	if (!TAILQ_EMPTY(&c->ended))
		tell_ended(c);
}

/* From outside */

int
capture_new(
    struct capture **ret, struct loop *l, unsigned max_running, struct error *e)
{
	struct capture *c AUTO(capture) = mem_calloc(1, sizeof(*c));

	if (c == NULL)
		return error_nomem(e);
	c->loop = l;
	c->max_running = max_running;
	TAILQ_INIT(&c->waiting);
	TAILQ_INIT(&c->started);
	TAILQ_INIT(&c->ended);
	defer_init(&c->kick, on_kick, "capture");
	c->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (c->null == -1)
		return error_set_errno(e, errno, "open /dev/null");
	if (sigwatch_init(&c->sigchld, l, SIGCHLD, on_sigchld, "capture", e) ==
	    -1)
		return -1;
	*ret = STEAL(c);
	return 0;
}

void
capture_set_max(struct capture *c, unsigned max_running)
{
	c->max_running = max_running;
	loop_defer(c->loop, &c->kick);
}

int
capture_start(struct capture *c, const struct capture_request *rq,
    capture_fn *done, void *ctx, struct capture_id *ret, struct error *e)
{
	struct run *r = run_new(c, rq, e);

	if (r == NULL)
		return -1;
	r->id.v = ++c->last_id;
	r->done = done;
	r->ctx = ctx;
	*ret = r->id;
	TAILQ_INSERT_TAIL(&c->waiting, r, link);
	loop_defer(c->loop, &c->kick);
	return 0;
}

static struct run *
find(const struct run_list *list, struct capture_id id)
{
	struct run *r;

	TAILQ_FOREACH (r, list, link)
		if (r->id.v == id.v)
			return r;
	return NULL;
}

void
capture_cancel(struct capture *c, struct capture_id id)
{
	struct run *r = find(&c->waiting, id);

	if (r != NULL) {
		TAILQ_REMOVE(&c->waiting, r, link);
		(void)run_free(r);
		return;
	}
	r = find(&c->started, id);
	if (r == NULL)
		r = find(&c->ended, id);
	if (r == NULL)
		return;
	r->done = NULL;
	run_signal(r, SIGKILL);
}

/* The first line of what it said. */
static int
first_line(const char *text)
{
	return (int)strcspn(text, "\r\n");
}

int
capture_check(const struct capture_result *r, struct error *e)
{
	const char *sep = r->err[0] != '\0' ? ": " : "";
	int len = first_line(r->err);

	switch (r->end) {
	case CAPTURE_TIMEOUT:
		return error_set(e, OVE_TIMEOUT, "it took too long");
	case CAPTURE_SIGNALLED:
		return error_set(e, OVE_UNAVAILABLE,
		    "it was ended by signal %d%s%.*s", r->code, sep, len,
		    r->err);
	case CAPTURE_FAILED:
		return error_set(e, OVE_UNAVAILABLE, "%s", r->err);
	case CAPTURE_EXITED:
		break;
	}
	if (r->code != 0)
		return error_set(e, OVE_UNAVAILABLE, "it ended with %d%s%.*s",
		    r->code, sep, len, r->err);
	if (r->cut)
		return error_set(
		    e, OVE_LIMIT, "its output is over %zu bytes", r->out_len);
	return 0;
}

static void
free_all(struct run_list *list)
{
	struct run *r;

	while ((r = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, r, link);
		run_signal(r, SIGKILL);
		(void)run_free(r);
	}
}

struct capture *
capture_free(struct capture *c)
{
	if (c == NULL)
		return NULL;
	sigwatch_fini(&c->sigchld);
	defer_cancel(&c->kick);
	free_all(&c->waiting);
	free_all(&c->started);
	free_all(&c->ended);
	cc_auto_close(&c->null);
	mem_free(c);
	return NULL;
}
