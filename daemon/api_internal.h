/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What handlers see: one call. Private to api.c and api_*.c.
 *
 * A handler answers with one api_reply*() at once, or keeps the request's id
 * and answers later if httpd_find() still knows it.
 */
#pragma once

#include "daemon/api.h"
#include "daemon/chain.h"
#include "lib/auth/token.h"
#include "lib/event/worker.h"
#include "proto/route.h"

struct node;

struct api {
	struct api_deps deps;
	struct api_config config;
	struct router *router;
	struct httpd *httpd;
	/* Reads logs, which may be long. */
	struct worker *files;
};

struct api_call {
	struct api *api;
	struct http_req *req;
	enum route_id route;
	/* For a twin: its row, and the chain path as it was sent. */
	const struct twin *twin;
	const char *chain;
	/* What is under way for it. */
	struct forward_id forward;
	/* The words of the path. */
	const char *params[ROUTE_PARAMS_MAX];
	struct arena *arena;
	struct token_info token;
	/* The parsed body; NULL when it is empty. */
	struct node *body;
};

/* {"status_code": status, MEMBER: value}. value may be NULL: only the status.
 */
void api_reply(struct api *api, struct http_req *req, int status,
    const char *member, const struct node *value);
/* All members of `map` after status_code. */
void api_reply_map(
    struct api *api, struct http_req *req, int status, const struct node *map);
/* {"status_code": status, "message": text}. */
void api_reply_message(struct api *api, struct http_req *req, int status,
    const char *fmt, ...) CC_PRINTF(4, 5);
/* An error through the table of proto/status.h; 5xx are logged. */
void api_reply_error(
    struct api *api, struct http_req *req, const struct error *e);
/* 200 or 404 without a body, for HEAD. */
void api_reply_head(struct http_req *req, int status);
/* "TOKEN@ADDRESS": who asks. */
const char *api_by(const struct api_call *c);

/* Whether the token may call this route, about this project; false after an
 * answer. */
bool api_may(struct api_call *c);
/* Whether what is of this project is for the token; and that with an answer
 * when it is not. */
bool api_sees(const struct api_call *c, const char *project);
bool api_may_project(struct api_call *c, const char *project);

/* On the file worker: reads what a struct log_read asks for. */
void api_read_log(struct work *w);

/* Does what the twin of a route does: forwards. */
void api_twin(struct api_call *c);

/* One for each handler word of proto/routes.def. */
void api_root(struct api_call *c);
void api_ping(struct api_call *c);
void api_labels(struct api_call *c);
void api_chains(struct api_call *c);
void api_breakers(struct api_call *c);
void api_jails(struct api_call *c);
void api_projects(struct api_call *c);
void api_projects_logs(struct api_call *c);
void api_projects_log(struct api_call *c);
void api_project_info(struct api_call *c);
void api_project_check(struct api_call *c);
void api_project_up(struct api_call *c);
void api_project_down(struct api_call *c);
void api_project_cancel(struct api_call *c);
void api_jobs(struct api_call *c);
void api_job(struct api_call *c);
void api_job_cancel(struct api_call *c);
