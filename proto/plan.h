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
	/* HEAD, then PUT or POST metadata. */
	PLAN_CHECK_KEY,
	PLAN_WRITE_KEY,
	PLAN_UP,
	PLAN_DOWN,
	PLAN_CANCEL_JOBS,
};

struct plan_request {
	enum plan_step step;
	/* It changes something, and counts as a deployment. */
	bool is_change;
	enum route_id route;
	/* The word of the route: the key of metadata, or else the project. */
	const char *key;
	const char *project;
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

/* "error creating the project", for the step that failed. */
const char *plan_step_text(enum plan_step step);

/* The environment of a server (deployment-files.md 5.2); extra may be NULL.
 * NULL and a latched arena on failure. */
struct node *plan_environment(
    const struct plan_input *in, const struct node *extra, struct arena *a);
