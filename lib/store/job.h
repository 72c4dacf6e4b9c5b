/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The job record and its codec: what is on disk apart from what is in memory,
 * field by field, little-endian, a version byte first. Payload and result are
 * opaque here. States and legal moves: job_state.def.
 */
#pragma once

#include "lib/base/arena.h"

struct job_id {
	uint64_t v;
};

enum job_state {
#define STATE(name, text, finished) JOB_##name,
#include "lib/store/job_state.def"
	JOB_STATE_COUNT
};

/* "none" for JOB_STATE_COUNT. */
const char *job_state_to_string(enum job_state s);
/* False when the word is no state. */
bool job_state_from_string(const char *word, enum job_state *ret);
bool job_state_is_finished(enum job_state s);
bool job_move_ok(enum job_state from, enum job_state to);

/* One execution of a step in one attempt. */
struct job_step {
	const char *name;
	unsigned attempt;
	/* Wall ms; ended_at is 0 while it runs. */
	int64_t started_at;
	int64_t ended_at;
	/* Exit status as the contract counts it; -1 when there is none. */
	int rc;
	/* One line about what happened; "" for nothing. */
	const char *note;
};
#define JOB_STEPS_MAX 256
/* Ids are 1 to this one: JSON numbers hold it. */
#define JOB_ID_MAX (((uint64_t)1 << 53) - 1)
/* A record, whole. */
#define JOB_BYTES_MAX ((size_t)64 << 20)

struct job {
	struct job_id id;
	enum job_state state;
	/* "create", "destroy", "cancel", ... : a word of the user's. */
	const char *kind;
	/* Jobs of one lane run one at a time, in order; "" = no lane and no
	 * slot needed. */
	const char *lane;
	const char *name;
	/* Who asked: token id or "", address. */
	const char *by;
	const char *request_id;
	/* Attempts begun; 0 while it was never taken. */
	unsigned attempt;
	bool cancel_asked;
	int64_t created_at;
	/* Of the last attempt; 0 = none. */
	int64_t started_at;
	int64_t ended_at;
	/* One line for people: why it failed, what was noticed. */
	const char *message;
	const void *payload;
	size_t payload_len;
	const void *result;
	size_t result_len;
	struct job_step *steps;
	size_t steps_n;
};

/* The text to mem_free(). NULL strings count as "". */
int job_encode(
    const struct job *j, char **ret, size_t *ret_len, struct error *e);
/* In two steps, for who has the place: the length, which also checks the job,
 * then exactly so many bytes to p. */
int job_encode_len(const struct job *j, size_t *ret, struct error *e);
void job_encode_to(const struct job *j, unsigned char *p);
/* Everything is copied into a. OVE_CORRUPT for anything but a record. */
int job_decode(const void *p, size_t len, struct arena *a, struct job *ret,
    struct error *e);
/* The same, but texts, payload and result borrow p; only steps are in a. */
int job_decode_view(const void *p, size_t len, struct arena *a, struct job *ret,
    struct error *e);
/* When the job of a record ended, without reading the rest of it; INT64_MAX
 * when the record is damaged. */
int64_t job_peek_ended_at(const void *p, size_t len);
