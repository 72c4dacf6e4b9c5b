/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Version 1 of the record, little-endian, nothing optional and nothing behind
 * it:
 *
 *	u8 version, u8 state, u8 flags (1: cancel_asked), u64 id, u32 attempt,
 *	i64 created_at, i64 started_at, i64 ended_at,
 *	text kind, lane, name, by, request_id, message,
 *	u16 steps_n, each: text name, u32 attempt, i64 started_at, i64 ended_at,
 *	    i32 rc, text note
 *	bytes payload, bytes result
 *
 * bytes are a u32 length and so many bytes; text is the same with a NUL behind
 * it that the length does not count, so that a decoded job can borrow from the
 * record. There is one encoding of a job: what decodes encodes to the same
 * bytes. A new version keeps this reader, and adds vectors of its own to
 * test/vectors/store.
 */

#include "lib/store/job.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"

#define RECORD_VERSION 1
#define FLAG_CANCEL_ASKED 1u
/* Of the fixed fields up to kind. */
#define FIXED_LEN (1 + 1 + 1 + 8 + 4 + 3 * 8)
#define STEP_FIXED_LEN (4 + 8 + 8 + 4)

static const struct {
	const char *text;
	bool finished;
} states[] = {
#define STATE(name, text, finished) { text, finished },
#include "lib/store/job_state.def"
};
_Static_assert(ARRAY_LEN(states) == JOB_STATE_COUNT, "a state without text");

static const struct {
	enum job_state from;
	enum job_state to;
} moves[] = {
#define MOVE(from, to, cause) { JOB_##from, JOB_##to },
#include "lib/store/job_state.def"
};

const char *
job_state_to_string(enum job_state s)
{
	return s < JOB_STATE_COUNT ? states[s].text : "none";
}

bool
job_state_from_string(const char *word, enum job_state *ret)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(states); i++) {
		if (strcmp(word, states[i].text) == 0) {
			*ret = (enum job_state)i;
			return true;
		}
	}
	return false;
}

bool
job_state_is_finished(enum job_state s)
{
	return s < JOB_STATE_COUNT && states[s].finished;
}

bool
job_move_ok(enum job_state from, enum job_state to)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(moves); i++)
		if (moves[i].from == from && moves[i].to == to)
			return true;
	return false;
}

/* Encoding */

static const char *
text_or_empty(const char *s)
{
	return s != NULL ? s : "";
}

static void
add_len(size_t *len, bool *over, size_t n)
{
	if (n > JOB_BYTES_MAX || !num_add_size(*len, n, len) ||
	    *len > JOB_BYTES_MAX)
		*over = true;
}

static void
add_text_len(size_t *len, bool *over, const char *s)
{
	add_len(len, over, 4 + strlen(text_or_empty(s)) + 1);
}

int
job_encode_len(const struct job *j, size_t *ret, struct error *e)
{
	size_t len, i;
	bool over;

	if (j->id.v == 0 || j->id.v > JOB_ID_MAX || j->state >= JOB_STATE_COUNT)
		return error_set(
		    e, OVE_INVALID, "a job record needs an id and a state");
	if (j->steps_n > JOB_STEPS_MAX)
		return error_set(e, OVE_LIMIT, "a job has more than %d steps",
		    JOB_STEPS_MAX);
	len = FIXED_LEN;
	over = false;
	add_text_len(&len, &over, j->kind);
	add_text_len(&len, &over, j->lane);
	add_text_len(&len, &over, j->name);
	add_text_len(&len, &over, j->by);
	add_text_len(&len, &over, j->request_id);
	add_text_len(&len, &over, j->message);
	add_len(&len, &over, 2);
	for (i = 0; i < j->steps_n; i++) {
		add_len(&len, &over, STEP_FIXED_LEN);
		add_text_len(&len, &over, j->steps[i].name);
		add_text_len(&len, &over, j->steps[i].note);
	}
	add_len(&len, &over, 4 + 4);
	add_len(&len, &over, j->payload_len);
	add_len(&len, &over, j->result_len);
	if (over)
		return error_set(e, OVE_LIMIT,
		    "a job record is longer than %zu bytes", JOB_BYTES_MAX);
	*ret = len;
	return 0;
}

static unsigned char *
put_le(unsigned char *p, uint64_t v, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		p[i] = (unsigned char)(v >> (8 * i));
	return p + bytes;
}

static unsigned char *
put_bytes(unsigned char *p, const void *v, size_t len)
{
	p = put_le(p, len, 4);
	if (len > 0)
		memcpy(p, v, len);
	return p + len;
}

static unsigned char *
put_text(unsigned char *p, const char *s)
{
	s = text_or_empty(s);
	p = put_bytes(p, s, strlen(s));
	*p = '\0';
	return p + 1;
}

static unsigned char *
put_step(unsigned char *p, const struct job_step *s)
{
	p = put_text(p, s->name);
	p = put_le(p, s->attempt, 4);
	p = put_le(p, (uint64_t)s->started_at, 8);
	p = put_le(p, (uint64_t)s->ended_at, 8);
	p = put_le(p, (uint64_t)s->rc, 4);
	return put_text(p, s->note);
}

void
job_encode_to(const struct job *j, unsigned char *p)
{
	size_t i;

	p = put_le(p, RECORD_VERSION, 1);
	p = put_le(p, j->state, 1);
	p = put_le(p, j->cancel_asked ? FLAG_CANCEL_ASKED : 0, 1);
	p = put_le(p, j->id.v, 8);
	p = put_le(p, j->attempt, 4);
	p = put_le(p, (uint64_t)j->created_at, 8);
	p = put_le(p, (uint64_t)j->started_at, 8);
	p = put_le(p, (uint64_t)j->ended_at, 8);
	p = put_text(p, j->kind);
	p = put_text(p, j->lane);
	p = put_text(p, j->name);
	p = put_text(p, j->by);
	p = put_text(p, j->request_id);
	p = put_text(p, j->message);
	p = put_le(p, j->steps_n, 2);
	for (i = 0; i < j->steps_n; i++)
		p = put_step(p, &j->steps[i]);
	p = put_bytes(p, j->payload, j->payload_len);
	(void)put_bytes(p, j->result, j->result_len);
}

int
job_encode(const struct job *j, char **ret, size_t *ret_len, struct error *e)
{
	size_t len;
	char *p;

	if (job_encode_len(j, &len, e) == -1)
		return -1;
	p = mem_alloc(len);
	if (p == NULL)
		return error_nomem(e);
	job_encode_to(j, (unsigned char *)p);
	*ret = p;
	*ret_len = len;
	return 0;
}

/* Decoding: what is missing is 0 or "", and latches `bad`. */

struct input {
	const unsigned char *p;
	size_t left;
	bool bad;
};

static const unsigned char *
get_raw(struct input *in, size_t len)
{
	const unsigned char *p;

	if (in->bad || len > in->left) {
		in->bad = true;
		return NULL;
	}
	p = in->p;
	in->p += len;
	in->left -= len;
	return p;
}

static uint64_t
get_le(struct input *in, size_t bytes)
{
	const unsigned char *p;
	uint64_t v;
	size_t i;

	p = get_raw(in, bytes);
	if (p == NULL)
		return 0;
	v = 0;
	for (i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static const void *
get_bytes(struct input *in, size_t *ret_len)
{
	const unsigned char *p;
	size_t len;

	len = (size_t)get_le(in, 4);
	p = get_raw(in, len);
	*ret_len = p != NULL ? len : 0;
	return p;
}

static const char *
get_text(struct input *in)
{
	const unsigned char *nul;
	const char *s;
	size_t len;

	s = get_bytes(in, &len);
	nul = get_raw(in, 1);
	if (s == NULL || nul == NULL || *nul != '\0' ||
	    memchr(s, '\0', len) != NULL) {
		in->bad = true;
		return "";
	}
	return s;
}

static void
get_step(struct input *in, struct job_step *s)
{
	s->name = get_text(in);
	s->attempt = (unsigned)get_le(in, 4);
	s->started_at = (int64_t)get_le(in, 8);
	s->ended_at = (int64_t)get_le(in, 8);
	s->rc = (int)(int32_t)(uint32_t)get_le(in, 4);
	s->note = get_text(in);
}

static int
get_steps(struct input *in, struct arena *a, struct job *j, struct error *e)
{
	size_t i, n;

	n = (size_t)get_le(in, 2);
	if (in->bad || n > JOB_STEPS_MAX) {
		in->bad = true;
		return 0;
	}
	if (n == 0)
		return 0;
	j->steps = arena_calloc(a, n, sizeof(*j->steps));
	if (j->steps == NULL)
		return arena_check(a, e);
	j->steps_n = n;
	for (i = 0; i < n; i++)
		get_step(in, &j->steps[i]);
	return 0;
}

static void
get_fixed(struct input *in, struct job *j)
{
	uint64_t state, flags;

	state = get_le(in, 1);
	flags = get_le(in, 1);
	j->id.v = get_le(in, 8);
	if (state >= JOB_STATE_COUNT || (flags & ~FLAG_CANCEL_ASKED) != 0 ||
	    j->id.v == 0 || j->id.v > JOB_ID_MAX) {
		in->bad = true;
		return;
	}
	j->state = (enum job_state)state;
	j->cancel_asked = (flags & FLAG_CANCEL_ASKED) != 0;
	j->attempt = (unsigned)get_le(in, 4);
	j->created_at = (int64_t)get_le(in, 8);
	j->started_at = (int64_t)get_le(in, 8);
	j->ended_at = (int64_t)get_le(in, 8);
}

int
job_decode_view(const void *p, size_t len, struct arena *a, struct job *ret,
    struct error *e)
{
	struct input in = { p, len, false };
	struct job j;
	uint64_t version;

	memset(&j, 0, sizeof(j));
	version = get_le(&in, 1);
	if (!in.bad && version != RECORD_VERSION)
		return error_set(e, OVE_CORRUPT,
		    "a job record has version %llu, this program reads 1",
		    (unsigned long long)version);
	get_fixed(&in, &j);
	j.kind = get_text(&in);
	j.lane = get_text(&in);
	j.name = get_text(&in);
	j.by = get_text(&in);
	j.request_id = get_text(&in);
	j.message = get_text(&in);
	if (get_steps(&in, a, &j, e) == -1)
		return -1;
	j.payload = get_bytes(&in, &j.payload_len);
	j.result = get_bytes(&in, &j.result_len);
	if (in.bad || in.left > 0 || len > JOB_BYTES_MAX)
		return error_set(
		    e, OVE_CORRUPT, "a job record is cut short or damaged");
	*ret = j;
	return 0;
}

int64_t
job_peek_ended_at(const void *p, size_t len)
{
	struct input in = { p, len, false };
	struct job j = { .ended_at = 0 };

	if (get_le(&in, 1) != RECORD_VERSION)
		return INT64_MAX;
	get_fixed(&in, &j);
	return in.bad ? INT64_MAX : j.ended_at;
}

int
job_decode(const void *p, size_t len, struct arena *a, struct job *ret,
    struct error *e)
{
	void *copy;

	if (len == 0 || len > JOB_BYTES_MAX)
		return error_set(
		    e, OVE_CORRUPT, "a job record is cut short or damaged");
	copy = arena_alloc(a, len);
	if (copy == NULL)
		return arena_check(a, e);
	memcpy(copy, p, len);
	return job_decode_view(copy, len, a, ret, e);
}
