/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What changes on this node, told once (design.md 3.9). The newest events are
 * kept, so many and so many bytes at most; each reader has a place in them and
 * takes one after the other. A reader that is so slow that its next event is
 * not kept any more is told so and must begin anew: nothing is buffered for it.
 *
 * An event's id is "<start>-<number>": start is made by chance when the daemon
 * starts, numbers count from 1 without a gap. Readers that filter see gaps.
 */
#pragma once

#include <sys/queue.h>

#include "lib/event/loop.h"

struct events;
struct node;

enum event_type {
	/* A job has entered a state. */
	EVENT_JOB,
	/* A step of a job has begun or ended. */
	EVENT_STEP,
	/* The status record of a project is another one. */
	EVENT_PROJECT,
	/* A child is in the configuration, can be heard, or not. */
	EVENT_CHAIN,
	/* The breaker of a child has changed its state. */
	EVENT_BREAKER,
	/* A jail has come or gone, runs or does not. */
	EVENT_JAIL,
	EVENT_TYPE_COUNT
};
const char *event_type_to_string(enum event_type t);
/* False when the word is no type. */
bool event_type_from_string(const char *word, enum event_type *ret);

struct events_limits {
	size_t count;
	size_t bytes;
};

int events_new(struct events **ret, struct loop *l,
    const struct events_limits *limits, struct error *e);
/* There are no readers any more. */
struct events *events_free(struct events *ev);
AUTO_DEFINE(events)

/* project is "" for chains, breakers and jails, which are of none; data is a
 * JSON object in one line, with a member at least (NULL: there was no memory).
 * Readers are woken later in this turn. What finds no memory is lost to all
 * readers alike: they begin anew. ev may be NULL: nothing happens. */
void events_publish(struct events *ev, enum event_type type,
    const char *project, const char *data);

/* Somebody reads them. */
bool events_are_read(const struct events *ev);

/* Forgets all of them and gives ids anew: whoever reads has lost something. */
void events_restart(struct events *ev);

#define EVENTS_ID_LEN 40
/* The id of the newest event. */
void events_newest(const struct events *ev, char ret[EVENTS_ID_LEN]);

struct event {
	TAILQ_ENTRY(event) link;
	uint64_t seq;
	enum event_type type;
	const char *project;
	/* "id: ...\nevent: ...\ndata: ...\n\n". */
	const char *text;
	size_t text_len;
	/* Within it. */
	const char *data;
	size_t data_len;
};

struct events_reader;
/* There may be something to read. It may close any reader. */
typedef void events_wake_fn(struct events_reader *r);

struct events_reader {
	TAILQ_ENTRY(events_reader) link;
	struct events *ev;
	events_wake_fn *wake;
	/* NULL: all; chains and breakers pass always, jails never. Borrowed. */
	const char *project;
	/* Whether it may know of this project; NULL: of all. Not asked about
	 * chains and breakers. */
	bool (*sees)(struct events_reader *r, const char *project);
	/* A bit mask, 1u << enum event_type; 0 = all. */
	unsigned types;
	/* Of the next event to look at. */
	uint64_t next;
};
/* Opens a reader (wake, project, sees and types are set) behind the event with
 * this id, or with NULL behind the newest. EVENTS_RESET: the id is none of ours
 * or too old; it stands behind the newest. */
enum {
	EVENTS_NONE = 1,
	EVENTS_LOST = 2,
	EVENTS_RESET = 3
};
int events_open(
    struct events *ev, struct events_reader *r, const char *last_id);
/* Idempotent; harmless on a zeroed one. */
void events_close(struct events_reader *r);
/* 0: *ret is the next that passes the filter, valid until the next event is
 * published. EVENTS_NONE: there is none yet. EVENTS_LOST: it is gone. */
int events_next(struct events_reader *r, const struct event **ret);
/* Its next event is gone. */
bool events_is_lost(const struct events_reader *r);
/* How many events it is behind. */
uint64_t events_lag(const struct events_reader *r);
