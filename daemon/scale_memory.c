/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A note is about one server. It is open until the server's own records say
 * what came of the job, then it is watched for an interval, so that a project
 * that breaks as soon as it is there is no success either. A server that has
 * failed is left alone for an interval, then for twice that, up to eight.
 */
#include "daemon/scale_memory.h"

#include <string.h>

#include "lib/base/mem.h"

#define NOTES_MAX 10001
#define REST_MAX 8

enum phase {
	/* The job is under way, until `until`. */
	NOTE_OPEN,
	/* It has ended well: is that so at `until`? */
	NOTE_WATCHED,
	/* It has failed, and is left alone until `until`. */
	NOTE_RESTS
};

struct note {
	/* "" for this server. */
	char *chain;
	enum phase phase;
	int64_t until;
	bool up;
	uint64_t job;
	/* In a row. */
	unsigned failures;
};

void
scale_memory_init(struct scale_memory *m)
{
	*m = (struct scale_memory){ .settle = SCALE_SETTLE_MIN };
	array_init(&m->notes, sizeof(struct note), NOTES_MAX);
}

void
scale_memory_fini(struct scale_memory *m)
{
	for (size_t i = 0; i < m->notes.n; i++)
		mem_free(((struct note *)array_at(&m->notes, i))->chain);
	array_fini(&m->notes);
}

static struct note *
find(const struct scale_memory *m, const char *chain)
{
	for (size_t i = 0; i < m->notes.n; i++) {
		struct note *x = array_at(&m->notes, i);

		if (strcmp(x->chain, chain) == 0)
			return x;
	}
	return NULL;
}

int
scale_memory_note(struct scale_memory *m, const char *chain, bool up,
    uint64_t job, int64_t now, struct error *e)
{
	const char *name = chain != NULL ? chain : "";
	struct note *x = find(m, name);
	char *copy;

	if (x == NULL) {
		if ((copy = mem_strdup(name)) == NULL)
			return error_nomem(e);
		if ((x = array_add(&m->notes, e)) == NULL) {
			mem_free(copy);
			return -1;
		}
		x->chain = copy;
	}
	if (x->up != up)
		x->failures = 0;
	x->up = up;
	x->phase = NOTE_OPEN;
	x->until = now + SCALE_JOB_MS;
	x->job = job;
	return 0;
}

/* What the server's records say of the job of a note. */

static bool
has_ended(const struct note *x, const struct scale_job *j)
{
	return j->job > x->job || (j->job == x->job && !j->is_running);
}

static void
has_failed(struct scale_memory *m, struct note *x, int64_t now)
{
	int64_t rest = x->failures < 3 ? INT64_C(1) << x->failures : REST_MAX;

	x->failures++;
	x->phase = NOTE_RESTS;
	x->until = now + rest * m->interval_ms;
}

static bool
has_come_true(const struct note *x, const struct scale_node *n)
{
	if (x->up)
		return n->health == SCALE_GOOD;
	return !n->exists && n->health != SCALE_LOST;
}

static void
look(struct scale_memory *m, struct note *x, const struct scale_node *n,
    int64_t now)
{
	const struct scale_job *j = x->up ? &n->up : &n->down;

	if (x->phase == NOTE_OPEN) {
		if (has_ended(x, j) && j->job == x->job && !j->is_completed) {
			has_failed(m, x, now);
		} else if (has_ended(x, j) || now >= x->until ||
		    (!x->up && has_come_true(x, n))) {
			x->phase = NOTE_WATCHED;
			x->until = now + m->interval_ms;
		}
	}
	if (x->phase == NOTE_WATCHED && now < x->until &&
	    (x->up ? n->health == SCALE_BAD : n->exists))
		has_failed(m, x, now);
}

/* Nothing of it matters any more. n may be NULL. */
static bool
is_past(const struct note *x, const struct scale_node *n, int64_t now)
{
	if (n == NULL)
		return now >= x->until;
	if (x->phase == NOTE_WATCHED && now >= x->until)
		return true;
	return x->phase != NOTE_OPEN && has_come_true(x, n) &&
	    (x->phase == NOTE_RESTS || !x->up);
}

static void
tell(const struct note *x, struct scale_node *n, int64_t now)
{
	n->is_rising =
	    x->phase == NOTE_OPEN && x->up && n->health != SCALE_LOST;
	n->is_going = x->phase == NOTE_OPEN && !x->up;
	n->is_resting = x->phase == NOTE_RESTS && now < x->until;
	n->failures = x->failures;
}

static struct scale_node *
node_of(const struct note *x, const struct scale_nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++) {
		const char *chain = nodes->items[i].chain;

		if (strcmp(chain != NULL ? chain : "", x->chain) == 0)
			return &nodes->items[i];
	}
	return NULL;
}

void
scale_memory_apply(
    struct scale_memory *m, const struct scale_nodes *nodes, int64_t now)
{
	for (size_t i = m->notes.n; i-- > 0;) {
		struct note *x = array_at(&m->notes, i);
		struct scale_node *n = node_of(x, nodes);

		if (n != NULL)
			look(m, x, n, now);
		if (is_past(x, n, now)) {
			mem_free(x->chain);
			array_remove(&m->notes, i);
		} else if (n != NULL) {
			tell(x, n, now);
		}
	}
}

/* How large */

static bool
has_passed(int64_t since, int64_t ms, int64_t now)
{
	return since == 0 || now - since >= ms;
}

static int64_t
settle_ms(const struct scale_memory *m)
{
	return m->settle * m->interval_ms;
}

void
scale_memory_grew(struct scale_memory *m, bool helps, int64_t now)
{
	m->grown_at = now;
	if (!helps)
		return;
	m->helped_at = now;
	if (m->shrunk_at == 0)
		return;
	/* It was taken away too early, if that was not long ago. */
	if (now - m->shrunk_at >= settle_ms(m))
		m->settle = SCALE_SETTLE_MIN;
	else if (m->settle < SCALE_SETTLE_MAX)
		m->settle *= 2;
}

void
scale_memory_shrank(struct scale_memory *m, int64_t now)
{
	m->shrunk_at = now;
}

bool
scale_memory_may_help(const struct scale_memory *m, int64_t now)
{
	return has_passed(m->helped_at, m->interval_ms, now);
}

bool
scale_memory_may_shrink(const struct scale_memory *m, int64_t now)
{
	return has_passed(m->shrunk_at, m->interval_ms, now) &&
	    has_passed(m->grown_at, settle_ms(m), now);
}
