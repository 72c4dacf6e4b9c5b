/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Events are kept in a list, oldest first, as the text that every reader gets:
 * it is written once. A reader knows the number of its next event only, so that
 * those that are thrown away need not be told to anybody.
 *
 * The list has no gap: where an event finds no memory, all that came before go.
 */
#include "daemon/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/rand.h"
#include "lib/base/strbuf.h"

#define START_LEN 16
#define EVENT_MAX ((size_t)64 << 10)

TAILQ_HEAD(event_list, event);
TAILQ_HEAD(reader_list, events_reader);

struct events {
	struct loop *loop;
	struct events_limits limits;
	char start[START_LEN + 1];
	struct event_list list;
	size_t count;
	size_t bytes;
	/* Of the newest. */
	uint64_t seq;
	struct reader_list readers;
	/* Those that this round has not woken yet. */
	struct reader_list waiting;
	struct defer wake;
};

static const char *const type_words[EVENT_TYPE_COUNT] = {
	[EVENT_JOB] = "job",
	[EVENT_STEP] = "step",
	[EVENT_PROJECT] = "project",
	[EVENT_CHAIN] = "chain",
	[EVENT_BREAKER] = "breaker",
	[EVENT_JAIL] = "jail",
};

const char *
event_type_to_string(enum event_type t)
{
	return t < EVENT_TYPE_COUNT ? type_words[t] : "none";
}

bool
event_type_from_string(const char *word, enum event_type *ret)
{
	for (unsigned i = 0; i < EVENT_TYPE_COUNT; i++)
		if (strcmp(type_words[i], word) == 0) {
			*ret = (enum event_type)i;
			return true;
		}
	return false;
}

/* A reader that is woken may close itself and others: each is moved back to
 * the others before. */
static void
on_wake(struct defer *df)
{
	struct events *ev = container_of(df, struct events, wake);
	struct events_reader *r;

	TAILQ_CONCAT(&ev->waiting, &ev->readers, link);
	while ((r = TAILQ_FIRST(&ev->waiting)) != NULL) {
		TAILQ_REMOVE(&ev->waiting, r, link);
		TAILQ_INSERT_TAIL(&ev->readers, r, link);
		r->wake(r);
	}
}

int
events_new(struct events **ret, struct loop *l,
    const struct events_limits *limits, struct error *e)
{
	struct events *ev = mem_calloc(1, sizeof(*ev));

	if (ev == NULL)
		return error_nomem(e);
	ev->loop = l;
	ev->limits = *limits;
	rand_hex(ev->start, START_LEN);
	TAILQ_INIT(&ev->list);
	TAILQ_INIT(&ev->readers);
	TAILQ_INIT(&ev->waiting);
	defer_init(&ev->wake, on_wake, "events");
	*ret = ev;
	return 0;
}

static void
drop_oldest(struct events *ev)
{
	struct event *x = TAILQ_FIRST(&ev->list);

	TAILQ_REMOVE(&ev->list, x, link);
	ev->count--;
	ev->bytes -= x->text_len;
	mem_free(x);
}

struct events *
events_free(struct events *ev)
{
	if (ev == NULL)
		return NULL;
	defer_cancel(&ev->wake);
	while (ev->count > 0)
		drop_oldest(ev);
	mem_free(ev);
	return NULL;
}

/* One allocation: the event, its text, its project. */
static struct event *
make(struct events *ev, enum event_type type, const char *project,
    const char *data)
{
	AUTO_STRBUF struct strbuf b;
	size_t project_len = strlen(project), data_at;
	struct event *x;
	char *p;

	strbuf_init(&b, EVENT_MAX);
	strbuf_addf(&b, "id: %s-%" PRIu64 "\nevent: %s\ndata: ", ev->start,
	    ev->seq, type_words[type]);
	data_at = b.len;
	strbuf_adds(&b, data);
	strbuf_adds(&b, "\n\n");
	if (strbuf_check(&b, NULL) < 0)
		return NULL;
	x = mem_alloc(sizeof(*x) + b.len + 1 + project_len + 1);
	if (x == NULL)
		return NULL;
	p = (char *)(x + 1);
	*x = (struct event){ .seq = ev->seq,
		.type = type,
		.text = p,
		.text_len = b.len,
		.data = p + data_at,
		.data_len = b.len - data_at - 2,
		.project = p + b.len + 1 };
	memcpy(p, b.buf, b.len + 1);
	memcpy(p + b.len + 1, project, project_len + 1);
	return x;
}

void
events_publish(struct events *ev, enum event_type type, const char *project,
    const char *data)
{
	struct event *x;

	if (ev == NULL)
		return;
	ev->seq++;
	if (!TAILQ_EMPTY(&ev->readers))
		loop_defer(ev->loop, &ev->wake);
	x = data != NULL ? make(ev, type, project, data) : NULL;
	while (ev->count > 0 &&
	    (x == NULL || ev->count >= ev->limits.count ||
		ev->bytes + x->text_len > ev->limits.bytes))
		drop_oldest(ev);
	if (x == NULL)
		return;
	TAILQ_INSERT_TAIL(&ev->list, x, link);
	ev->count++;
	ev->bytes += x->text_len;
}

bool
events_are_read(const struct events *ev)
{
	return !TAILQ_EMPTY(&ev->readers) || !TAILQ_EMPTY(&ev->waiting);
}

void
events_restart(struct events *ev)
{
	rand_hex(ev->start, START_LEN);
	events_publish(ev, EVENT_CHAIN, "", NULL);
}

void
events_newest(const struct events *ev, char ret[EVENTS_ID_LEN])
{
	(void)snprintf(ret, EVENTS_ID_LEN, "%s-%" PRIu64, ev->start, ev->seq);
}

/* The number of the oldest that is kept, or of the next one. */
static uint64_t
oldest(const struct events *ev)
{
	const struct event *x = TAILQ_FIRST(&ev->list);

	return x != NULL ? x->seq : ev->seq + 1;
}

/* The number in an id of ours; false for any other text. */
static bool
parse_id(const struct events *ev, const char *id, uint64_t *ret)
{
	return strncmp(id, ev->start, START_LEN) == 0 && id[START_LEN] == '-' &&
	    num_u64(id + START_LEN + 1, 0, ev->seq, ret, NULL) == 0;
}

int
events_open(struct events *ev, struct events_reader *r, const char *last_id)
{
	uint64_t last = ev->seq;
	int rc = 0;

	if (last_id != NULL &&
	    (!parse_id(ev, last_id, &last) || last + 1 < oldest(ev))) {
		last = ev->seq;
		rc = EVENTS_RESET;
	}
	r->ev = ev;
	r->next = last + 1;
	TAILQ_INSERT_TAIL(&ev->readers, r, link);
	return rc;
}

static bool
is_waiting(const struct events *ev, const struct events_reader *r)
{
	const struct events_reader *x;

	TAILQ_FOREACH (x, &ev->waiting, link)
		if (x == r)
			return true;
	return false;
}

void
events_close(struct events_reader *r)
{
	struct events *ev = r->ev;

	if (ev == NULL)
		return;
	if (is_waiting(ev, r))
		TAILQ_REMOVE(&ev->waiting, r, link);
	else
		TAILQ_REMOVE(&ev->readers, r, link);
	r->ev = NULL;
}

/* Whoever is behind by little, as most are, finds it from the end. */
static const struct event *
find(const struct events *ev, uint64_t seq)
{
	const struct event *x = TAILQ_LAST(&ev->list, event_list);

	if (seq - oldest(ev) < ev->seq - seq) {
		x = TAILQ_FIRST(&ev->list);
		while (x != NULL && x->seq < seq)
			x = TAILQ_NEXT(x, link);
		return x;
	}
	while (x != NULL && x->seq > seq)
		x = TAILQ_PREV(x, event_list, link);
	return x;
}

static bool
passes(struct events_reader *r, const struct event *x)
{
	/* A child may leave out whose it is: then it is nobody's, not
	 * everybody's. */
	bool own = x->type != EVENT_CHAIN && x->type != EVENT_BREAKER;

	return (r->types == 0 || (r->types & 1u << x->type) != 0) &&
	    (r->project == NULL || !own ||
		strcmp(r->project, x->project) == 0) &&
	    (r->sees == NULL || !own || r->sees(r, x->project));
}

bool
events_is_lost(const struct events_reader *r)
{
	return r->next < oldest(r->ev);
}

int
events_next(struct events_reader *r, const struct event **ret)
{
	const struct events *ev = r->ev;
	const struct event *x;

	if (r->next > ev->seq)
		return EVENTS_NONE;
	if (events_is_lost(r))
		return EVENTS_LOST;
	for (x = find(ev, r->next); x != NULL; x = TAILQ_NEXT(x, link)) {
		r->next = x->seq + 1;
		if (passes(r, x)) {
			*ret = x;
			return 0;
		}
	}
	return EVENTS_NONE;
}

uint64_t
events_lag(const struct events_reader *r)
{
	return r->ev->seq + 1 - r->next;
}
