/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Status records of projects: what the last up and the last down came to
 * (runtime.md 1.2, rest-api.md annex B). Each write replaces the whole record;
 * it joins the batch that changes the job, so that the two never disagree.
 */
#pragma once

#include "lib/store/job.h"
#include "lib/store/store.h"

struct node;

enum record_kind {
	RECORD_UP,
	RECORD_DOWN,
	/* The last job that made a VM; the last round of autoscaling. */
	RECORD_VM,
	RECORD_AUTOSCALE
};

/* "up", "down", "vm", "autoscale". */
const char *record_kind_text(enum record_kind kind);

struct record {
	/* RUNNING, COMPLETED, INCOMPLETED, FAILED. */
	const char *operation;
	struct job_id job;
	/* Members that are NULL are left out. */
	struct node *output;
	struct node *labels;
	const char *exception_type;
	const char *exception_message;
	const char *message;
	/* Only shown when has_restarted. */
	bool has_restarted;
	bool restarted;
};

/* As a tree, with last_update as wall seconds. */
struct node *record_to_node(
    const struct record *r, int64_t now_ms, struct arena *a);
/* Adds the put to b. */
int record_put(struct store_batch *b, enum record_kind kind,
    const char *project, const struct node *record, struct error *e);
/* 0, RECORD_NONE, -1. As stored. */
enum {
	RECORD_NONE = 1
};
int record_get(struct store *s, enum record_kind kind, const char *project,
    struct arena *a, struct node **ret, struct error *e);
/* Adds what the last up and down came to, with the age of it, as members of
 * `info`. */
int record_add_all(struct store *s, const char *project, struct node *info,
    struct arena *a, struct error *e);
/* Turns last_update into an age in seconds, never below zero. */
void record_age(struct node *record, int64_t now_ms, struct arena *a);

/* What a project was last deployed with, for RECORD_NONE see above. */
int record_put_spec(struct store_batch *b, const char *project,
    const struct node *spec, struct error *e);
int record_get_spec(struct store *s, const char *project, struct arena *a,
    struct node **ret, struct error *e);

/* What the autoscaler keeps of a project from round to round; nobody else sees
 * it. */
int record_put_scale(struct store_batch *b, const char *project,
    const struct node *kept, struct error *e);
int record_get_scale(struct store *s, const char *project, struct arena *a,
    struct node **ret, struct error *e);
void record_del_scale(struct store_batch *b, const char *project);

/* What has gone from this node, and what is kept of it: of a project all but
 * what its VM came to, of a jail that. */
enum record_gone {
	RECORD_GONE_PROJECT,
	RECORD_GONE_JAIL
};
/* Notes that it was seen to go; or that it is there again. */
void record_note_gone(struct store_batch *b, enum record_gone what,
    const char *name, int64_t now_ms);
void record_note_back(
    struct store_batch *b, enum record_gone what, const char *name);
/* Deletes the note and all that is kept. */
void record_forget(
    struct store_batch *b, enum record_gone what, const char *name);
/* Whether there is anything to forget, as far as can be told. */
bool record_is_kept(struct store *s, enum record_gone what, const char *name);
/* Calls fn for each note until it returns false. */
typedef bool record_gone_fn(
    enum record_gone what, const char *name, int64_t gone_at, void *ctx);
int record_each_gone(
    struct store *s, record_gone_fn *fn, void *ctx, struct error *e);

/* Our last command on a project, wall ms: what Director's lock is compared with
 * (design.md 3.5). */
struct record_run {
	/* 0: there was none. */
	int64_t began_at;
	/* 0: it has not ended, as far as is known. */
	int64_t ended_at;
};
void record_put_run(
    struct store_batch *b, const char *project, const struct record_run *run);
int record_get_run(struct store *s, const char *project, struct record_run *ret,
    struct error *e);
