/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * GET /v1/jobs/<id>/output: what the command of a job prints, a slice of it or,
 * with follow=1, all that comes up to its end. A follower has the file open, so
 * that it loses nothing when the run's directory goes; one timer looks after
 * all of them. It reads no further than its client does.
 */
#include <sys/queue.h>
#include <sys/stat.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "daemon/api_internal.h"
#include "daemon/runner.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/utf8.h"
#include "lib/data/node.h"
#include "lib/event/loop.h"
#include "lib/store/queue.h"

#define LOOK_MS 200
#define SLICE_MAX ((size_t)64 << 10)

struct follower {
	TAILQ_ENTRY(follower) link;
	struct api_call *call;
	struct job_id job;
	char key[PROCTAB_KEY_MAX];
	int fd;
	uint64_t offset;
};

struct api_followers {
	TAILQ_HEAD(, follower) all;
	struct timer look;
};

/* Up to len bytes from there on; fewer at the end only. */
static size_t
read_at(int fd, uint64_t at, char *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pread(fd, buf + done, len - done, (off_t)(at + done));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

/* Following */

static void
forget(struct follower *f)
{
	TAILQ_REMOVE(&f->call->api->followers->all, f, link);
	cc_auto_close(&f->fd);
	f->fd = -1;
}

/* The follower may be gone after this. */
static void
pump(struct follower *f)
{
	struct api_call *c = f->call;
	char buf[16384];
	/* Asked first: what comes until then is in the file. */
	bool grows = runner_output_grows(c->api->deps.runner, f->job, f->key);
	size_t n;

	while (http_req_stream_queued(c->req) < API_QUEUED_MAX) {
		n = read_at(f->fd, f->offset, buf, sizeof(buf));
		if (n == 0 && grows)
			return;
		if (n == 0) {
			forget(f);
			api_stream_end(c);
			return;
		}
		f->offset += n;
		if (!http_req_stream_send(c->req, buf, n))
			return;
	}
}

static void
on_drained(struct api_call *c)
{
	pump(c->state);
}

static void
on_gone(struct api_call *c)
{
	forget(c->state);
}

static void
on_look(struct timer *t)
{
	struct api_followers *fs = container_of(t, struct api_followers, look);
	struct follower *f, *next;

	for (f = TAILQ_FIRST(&fs->all); f != NULL; f = next) {
		next = TAILQ_NEXT(f, link);
		pump(f);
	}
	if (!TAILQ_EMPTY(&fs->all))
		timer_arm(t, LOOK_MS);
}

/* takes *fd. */
static void
follow(struct api_call *c, struct job_id job, const char *key, int *fd,
    uint64_t offset)
{
	static const struct api_stream stream = { on_drained, on_gone };
	struct api_followers *fs = c->api->followers;
	struct follower *f = arena_alloc(c->arena, sizeof(*f));
	struct error e = ERROR_INIT;

	if (f == NULL) {
		(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
		return;
	}
	f->call = c;
	f->job = job;
	f->offset = offset;
	memcpy(f->key, key, sizeof(f->key));
	if (!api_stream_start(c, TYPE_TEXT, -1, &stream, f))
		return;
	f->fd = *fd;
	*fd = -1;
	TAILQ_INSERT_TAIL(&fs->all, f, link);
	if (!fs->look.armed)
		timer_arm(&fs->look, LOOK_MS);
	pump(f);
}

/* One slice */

/* "17.up.1": the word between the first and the last point. */
static const char *
step_of(struct arena *a, const char *key)
{
	const char *from = strchr(key, '.'), *to = strrchr(key, '.');

	return from != NULL && to > from
	    ? arena_strndup(a, from + 1, (size_t)(to - from - 1))
	    : NULL;
}

/* Whether that command is the one that is asked for. */
static bool
is_wanted(const char *key, const char *step, uint64_t attempt, struct arena *a)
{
	const char *at = strrchr(key, '.'), *of = step_of(a, key);
	uint64_t n = 0;

	if (step != NULL && (of == NULL || strcmp(of, step) != 0))
		return false;
	return attempt == 0 ||
	    (at != NULL && num_u64(at + 1, 1, UINT64_MAX, &n, NULL) == 0 &&
		n == attempt);
}

static void
reply_none(struct api_call *c, struct job_id job)
{
	api_reply_message(c->api, c->req, 404,
	    "No such command of job %" PRIu64
	    " runs; what those that have ended printed is in its result.",
	    job.v);
}

static void
reply_slice(struct api_call *c, int fd, const char *which, const char *key,
    uint64_t offset, bool grows)
{
	struct arena *a = c->arena;
	struct node *map = node_new(a, NODE_MAP);
	char *buf = arena_alloc(a, SLICE_MAX);
	struct error e = ERROR_INIT;
	const char *step = step_of(a, key);
	struct stat st;
	size_t n, whole;

	if (fstat(fd, &st) < 0) {
		(void)error_set_errno(&e, errno, "look at the output");
		api_reply_error(c->api, c->req, &e);
		return;
	}
	n = buf != NULL ? read_at(fd, offset, buf, SLICE_MAX) : 0;
	/* The rest of a character is in the next slice. */
	whole = utf8_whole_len(buf, n);
	if (whole > 0 && (n == SLICE_MAX || grows))
		n = whole;
	node_set(a, map, "stream", node_str(a, which));
	node_set(a, map, "step", step != NULL ? node_str(a, step) : NULL);
	node_set(a, map, "offset", node_int(a, (int64_t)offset));
	node_set(a, map, "next", node_int(a, (int64_t)(offset + n)));
	node_set(a, map, "size", node_int(a, (int64_t)st.st_size));
	node_set(a, map, "running", node_bool(a, grows));
	node_set(a, map, "content", node_strn(a, buf != NULL ? buf : "", n));
	if (arena_check(a, &e) < 0)
		api_reply_error(c->api, c->req, &e);
	else
		api_reply(c->api, c->req, 200, "output", map);
}

/* The job is one, and its project for this token; false after an answer. */
static bool
find_job(struct api_call *c, struct job_id *ret)
{
	struct error e = ERROR_INIT;
	struct job j;
	int r;

	ret->v = 0;
	(void)num_u64(c->params[0], 1, UINT64_MAX, &ret->v, NULL);
	r = queue_get(c->api->deps.queue, *ret, c->arena, &j, &e);
	if (r == QUEUE_NOTFOUND) {
		api_reply_message(c->api, c->req, 404,
		    "Job %s cannot be found.", c->params[0]);
		return false;
	}
	if (r < 0) {
		api_reply_error(c->api, c->req, &e);
		return false;
	}
	return api_may_project(c, j.name);
}

void
api_job_output(struct api_call *c)
{
	struct runner *r = c->api->deps.runner;
	uint64_t offset = 0, following = 0, attempt = 0;
	struct error e = ERROR_INIT;
	char key[PROCTAB_KEY_MAX];
	AUTO_FD int fd = -1;
	const char *which;
	struct job_id job;
	char *stream, *step;
	int rc;

	if (!api_query_number(c, "offset", &offset) ||
	    !api_query_number(c, "follow", &following) ||
	    !api_query_number(c, "attempt", &attempt) ||
	    !api_query(c, "step", &step) ||
	    !api_query_one(c, "stream", &stream) || !find_job(c, &job))
		return;
	which = stream != NULL ? stream : "stdout";
	rc = runner_output_open(r, job, which, key, &fd, &e);
	if (rc < 0) {
		api_reply_error(c->api, c->req, &e);
		return;
	}
	if (rc == RUNNER_NONE || !is_wanted(key, step, attempt, c->arena)) {
		reply_none(c, job);
		return;
	}
	if (following != 0)
		follow(c, job, key, &fd, offset);
	else
		reply_slice(c, fd, which, key, offset,
		    runner_output_grows(r, job, key));
}

int
api_followers_new(struct api *api, struct error *e)
{
	struct api_followers *fs = mem_calloc(1, sizeof(*fs));

	if (fs == NULL)
		return error_nomem(e);
	TAILQ_INIT(&fs->all);
	api->followers = fs;
	return timer_init(&fs->look, api->deps.loop, on_look, "output-look", e);
}

/* The server has gone before, so nobody follows. */
void
api_followers_free(struct api *api)
{
	if (api->followers == NULL)
		return;
	timer_fini(&api->followers->look);
	mem_free(api->followers);
	api->followers = NULL;
}
