/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What has to be asked of one server, in which order, to apply, destroy or
 * cancel a deployment there: pure, no I/O. A plan is a small machine: it gives
 * the next request, is told the answer, and gives the one after it, because
 * what is sent depends on what was looked up (cli.md 2.2 to 2.4).
 */
#pragma once

#include "lib/data/node.h"
#include "proto/route.h"
#include "proto/spec.h"

enum plan_action {
	PLAN_APPLY,
	PLAN_DESTROY,
	PLAN_CANCEL,
};

/* Why a server is a target, or is not. */
enum plan_verdict {
	PLAN_MATCH,
	PLAN_EXCLUDED,
	PLAN_NO_LABEL,
};
/* *ret_label (may be NULL) is the label that decided; NULL for NO_LABEL. */
enum plan_verdict plan_match(const struct schema_strs *wanted,
    const struct schema_strs *excluded, const struct schema_strs *labels,
    const char **ret_label);

/* One request. Each has words for when it fails. */
enum plan_step {
	/* GET metadata: the environment, the Director file. */
	PLAN_GET_ENVIRON,
	PLAN_GET_FILE,
	/* HEAD metadata: is the project scaled by that server? */
	PLAN_CHECK_SCALE,
	/* HEAD, then PUT or POST metadata; the same of a namespace. Not HEAD
	 * where the server upserts. */
	PLAN_CHECK_KEY,
	PLAN_WRITE_KEY,
	PLAN_CHECK_SPACE,
	PLAN_WRITE_SPACE,
	PLAN_DELETE_KEY,
	PLAN_DELETE_SPACE,
	PLAN_UP,
	PLAN_MAKE_VM,
	PLAN_DOWN,
	PLAN_CANCEL_JOBS,
};

struct plan_request {
	enum plan_step step;
	/* It changes something, and counts as a deployment. */
	bool is_change;
	/* It becomes a job, whose number is the answer. */
	bool is_job;
	enum route_id route;
	/* The word of the route, and what it is: "metadata", "VM", ...; NULL:
	 * not worth a word in a message. */
	const char *word;
	const char *noun;
	/* "error creating the project": for when it fails; may be empty. */
	const char *text;
	/* NULL: no body. */
	const struct node *body;
};

struct plan_input {
	enum plan_action action;
	const struct spec *spec;
	const char *datacenter;
	/* NULL: the server itself. */
	const char *chain;
	struct schema_strs labels;
	/* apply: restart; destroy: force. */
	bool insist;
	/* A PUT makes what is not there: whether it is need not be asked. */
	bool upserts;
	/* For !ENV in an environment from metadata. */
	spec_env_fn *env;
	void *env_ctx;
};

struct plan {
	struct plan_input in;
	struct arena *arena;
	/* The request that was given last, or is due. */
	enum plan_step step;
	bool ended;
	/* From metadata; NULL: none, or not yet. */
	const struct node *environ;
	const char *file;
	/* Of kind metadata: the entry at hand; the namespace comes last. */
	size_t item;
	/* Metadata to write. */
	const char *key;
	const char *value;
	bool key_exists;
};

/* input's texts are borrowed, a holds what is made. */
void plan_init(struct plan *p, const struct plan_input *input, struct arena *a);
enum {
	PLAN_END = 1
};
/* 0 and a request, PLAN_END when all is done, -1: the server has to be skipped,
 * for the reason in e. */
int plan_next(struct plan *p, struct plan_request *ret, struct error *e);
/* Takes the answer to that request: it was a success (body) or not found, which
 * some requests allow. -1: the server has to be skipped. */
bool plan_takes_not_found(enum plan_step step);
int plan_answer(
    struct plan *p, bool found, const struct node *body, struct error *e);

/* The request, or what had to be sent, failed: true when the rest can go on
 * without it. */
bool plan_skip(struct plan *p);
/* How many changes may still come, the one at hand included. */
size_t plan_changes_left(const struct plan *p);

/* The environment of a server (deployment-files.md 5.2); extra may be NULL.
 * NULL and a latched arena on failure. */
struct node *plan_environment(
    const struct plan_input *in, const struct node *extra, struct arena *a);
