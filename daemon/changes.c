/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Each event is one small object; its members are those that /v1/jobs has for
 * the same things. Notes and messages may be as long as they like there, not
 * here.
 */
#include "daemon/changes.h"

#include <inttypes.h>
#include <string.h>

#include "daemon/events.h"
#include "daemon/jobword.h"
#include "lib/base/clock.h"
#include "lib/base/strbuf.h"
#include "lib/data/json.h"
#include "lib/data/node.h"

#define DATA_MAX ((size_t)32 << 10)
/* Of a message or note. */
#define TEXT_MAX 1024

static void
add_text(struct strbuf *b, const char *key, const char *text)
{
	strbuf_addf(b, ",\"%s\":", key);
	if (text == NULL || text[0] == '\0')
		strbuf_adds(b, "null");
	else
		json_write_str(b, text, strnlen(text, TEXT_MAX));
}

static void
begin(struct strbuf *b, const struct job *j)
{
	strbuf_init(b, DATA_MAX);
	strbuf_addf(b, "{\"job\":%" PRIu64, j->id.v);
	add_text(b, "type", jobword_type(j->kind));
	add_text(b, "project", j->name);
}

static void
publish(struct events *ev, enum event_type type, const char *project,
    struct strbuf *b)
{
	int64_t now = clock_wall_ms();

	strbuf_addf(
	    b, ",\"at\":%" PRId64 ".%03d}", now / 1000, (int)(now % 1000));
	/* NULL: what has no text is lost, and that is noticed. */
	events_publish(
	    ev, type, project, strbuf_check(b, NULL) == 0 ? b->buf : NULL);
}

void
change_job(struct events *ev, const struct job *j, enum job_state from)
{
	AUTO_STRBUF struct strbuf b;

	begin(&b, j);
	add_text(&b, "state", job_state_to_string(j->state));
	add_text(&b, "from",
	    from == JOB_STATE_COUNT ? NULL : job_state_to_string(from));
	strbuf_addf(&b, ",\"attempt\":%u", j->attempt);
	add_text(&b, "message", j->message);
	publish(ev, EVENT_JOB, j->name, &b);
}

void
change_step(struct events *ev, const struct job *j, const struct job_step *s)
{
	AUTO_STRBUF struct strbuf b;

	begin(&b, j);
	add_text(&b, "step", s->name);
	strbuf_addf(&b, ",\"attempt\":%u,\"ended\":%s", s->attempt,
	    s->ended_at != 0 ? "true" : "false");
	if (s->ended_at != 0 && s->rc >= 0)
		strbuf_addf(&b, ",\"rc\":%d", s->rc);
	else
		strbuf_adds(&b, ",\"rc\":null");
	add_text(&b, "note", s->note);
	publish(ev, EVENT_STEP, j->name, &b);
}

void
change_record(struct events *ev, const struct job *j, enum record_kind kind,
    const struct node *record)
{
	AUTO_STRBUF struct strbuf b;

	begin(&b, j);
	add_text(&b, "record", record_kind_text(kind));
	add_text(&b, "operation", node_text(node_get(record, "operation")));
	publish(ev, EVENT_PROJECT, j->name, &b);
}

static void
begin_named(struct strbuf *b, const char *name, const char *state)
{
	strbuf_init(b, DATA_MAX);
	strbuf_adds(b, "{\"name\":");
	json_write_str(b, name, strlen(name));
	add_text(b, "state", state);
}

void
change_chain(struct events *ev, const char *name, const char *state)
{
	AUTO_STRBUF struct strbuf b;

	begin_named(&b, name, state);
	publish(ev, EVENT_CHAIN, "", &b);
}

void
change_breaker(
    struct events *ev, const char *name, const char *state, int64_t failures)
{
	AUTO_STRBUF struct strbuf b;

	begin_named(&b, name, state);
	strbuf_addf(&b, ",\"failures\":%" PRId64, failures);
	publish(ev, EVENT_BREAKER, "", &b);
}

void
change_jail(struct events *ev, const char *name, const char *state)
{
	AUTO_STRBUF struct strbuf b;

	begin_named(&b, name, state);
	publish(ev, EVENT_JAIL, "", &b);
}
