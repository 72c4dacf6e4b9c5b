/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Ids of events with which a reader goes on. The first byte says how many
 * events there were, the rest is the id, as it came in Last-Event-ID; "@" at
 * its beginning stands for the start that is in ids of ours. Whatever it is, a
 * reader stands behind an event that there was, or is told to begin anew.
 */
#include <assert.h>
#include <string.h>

#include "daemon/events.h"
#include "lib/base/mem.h"
#include "lib/base/strbuf.h"

#define KEPT 8
#define ID_MAX ((size_t)64 << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_wake(struct events_reader *r)
{
	const struct event *x;

	while (events_next(r, &x) == 0)
		assert(strncmp(x->text, "id: ", 4) == 0);
	/* Some go as soon as they have seen something. */
	if (r->types != 0)
		events_close(r);
}

static void
on_end(struct timer *t)
{
	loop_stop(t->loop);
}

static bool
sees_no_secret(struct events_reader *r, const char *project)
{
	(void)r;
	return strcmp(project, "secret") != 0;
}

static void
publish(struct events *ev, unsigned n)
{
	static const char *const projects[] = { "web", "dns", "secret" };

	for (unsigned i = 0; i < n; i++)
		events_publish(ev, (enum event_type)(i % EVENT_TYPE_COUNT),
		    projects[i % ARRAY_LEN(projects)],
		    i % 50 == 49 ? NULL : "{\"n\":1}");
}

/* Number of events that it gets, all in order. */
static uint64_t
read_all(struct events_reader *r)
{
	const struct event *x;
	uint64_t n = 0, last = 0;

	while (events_next(r, &x) == 0) {
		assert(x->seq > last);
		last = x->seq;
		n++;
	}
	assert(events_lag(r) == 0 || events_is_lost(r));
	return n;
}

struct readers {
	struct events_reader all;
	struct events_reader some;
};

static void
go_on(struct events *ev, const char *id, struct readers *r)
{
	uint64_t got;
	int rc;

	rc = events_open(ev, &r->all, id);
	assert(rc == 0 || rc == EVENTS_RESET);
	assert(events_open(ev, &r->some, id) == rc);
	got = read_all(&r->all);
	assert(got <= KEPT && (rc == 0 || got == 0));
	assert(read_all(&r->some) <= got);
	publish(ev, KEPT + 1);
	assert(events_is_lost(&r->all));
	events_close(&r->all);
	events_close(&r->all);
	(void)events_open(ev, &r->all, NULL);
	publish(ev, 2);
}

static void
try_id(struct loop *l, unsigned published, const char *text, size_t len)
{
	static const struct events_limits limits = { KEPT, 4096 };
	AUTO(events) struct events *ev = NULL;
	AUTO_STRBUF struct strbuf id;
	char newest[EVENTS_ID_LEN];
	struct timer end = { 0 };
	struct readers r = {
		.all = { .wake = on_wake },
		.some = { .wake = on_wake,
		    .project = "web",
		    .sees = sees_no_secret,
		    .types = 1u << EVENT_JOB },
	};

	strbuf_init(&id, ID_MAX);
	if (events_new(&ev, l, &limits, NULL) < 0 ||
	    timer_init(&end, l, on_end, "end", NULL) < 0)
		return;
	publish(ev, published);
	events_newest(ev, newest);
	if (len > 0 && text[0] == '@') {
		strbuf_add(&id, newest, strcspn(newest, "-"));
		text++;
		len--;
	}
	strbuf_add(&id, text, len);
	if (strbuf_check(&id, NULL) == 0)
		go_on(ev, id.buf, &r);
	timer_arm(&end, 0);
	assert(loop_run(l, NULL) == 0);
	events_close(&r.all);
	events_close(&r.some);
	timer_fini(&end);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct loop *l;
	enum event_type t;

	if (l == NULL)
		assert(loop_new(&l, NULL) == 0);
	if (size == 0)
		return 0;
	for (unsigned i = 0; i < EVENT_TYPE_COUNT; i++)
		assert(event_type_from_string(
			   event_type_to_string((enum event_type)i), &t) &&
		    t == i);
	assert(!event_type_from_string("", &t));
	try_id(l, data[0], (const char *)data + 1, size - 1);
	return 0;
}
