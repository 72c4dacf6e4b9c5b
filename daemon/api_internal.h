/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What handlers see: one call. Private to api.c and api_*.c.
 *
 * A handler answers with one api_reply*() at once, or keeps the request's id
 * and answers later if httpd_find() still knows it.
 */
#pragma once

#include <sys/queue.h>

#include "daemon/api.h"
#include "daemon/audit.h"
#include "daemon/chain.h"
#include "daemon/idem.h"
#include "daemon/inventory.h"
#include "daemon/revoked.h"
#include "daemon/treenode.h"
#include "lib/auth/token.h"
#include "lib/event/worker.h"
#include "proto/detail.h"

struct api_call;
struct ban;
struct api_listeners;
struct api_followers;
struct api_tails;
struct api_streams;
struct held;
struct node;
struct put;
TAILQ_HEAD(put_list, put);
TAILQ_HEAD(asker_list, asker);
TAILQ_HEAD(held_list, held);

/* What may wait for the client of a stream; more is not made before it has
 * read.
 */
#define API_QUEUED_MAX ((size_t)64 << 10)

/* What a handler that streams is told (httpd.h); it finds its own in
 * api_call.state. */
struct api_stream {
	/* NULL when nothing is streamed. */
	void (*drained)(struct api_call *c);
	/* The call is over, without an answer to give. NULL: what is under way
	 * for it in api_call is all there was. */
	void (*gone)(struct api_call *c);
};

struct api {
	struct api_deps deps;
	struct api_config config;
	struct router *router;
	struct httpd *httpd;
	/* The document of /v1/openapi.json; empty until it is asked for. */
	struct strbuf openapi;
	/* Runs struct file_work: logs, metadata, namespaces. */
	struct worker *files;
	struct revoked *revoked;
	/* With an Idempotency-Key, on their way to the disk. */
	struct put_list puts;
	/* Of running jobs to end, which are on their way to the disk. */
	struct asker_list askers;
	/* Of /v1/events; of the outputs of commands; of logs. */
	struct api_listeners *listeners;
	struct api_followers *followers;
	struct api_tails *tails;
	/* All answers that come in pieces. */
	struct api_streams *streams;
	/* Who sends wrong tokens, and the answers to them that come late. */
	struct penalty *penalty;
	/* NULL: nobody is told. */
	struct ban *ban;
	struct held_list held;
	unsigned held_n;
};

/* Work on files: run on the file worker, one after the other, then work.done on
 * the loop. run sees what it was given and nothing that the loop may change. */
struct file_work {
	struct work work;
	void (*run)(struct file_work *w);
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
	struct lookup_id lookup;
	/* The words of the path. */
	const char *params[ROUTE_PARAMS_MAX];
	struct arena *arena;
	struct token_info token;
	/* The parsed body; NULL when it is empty. */
	struct node *body;
	/* Its record of the audit trail is made. */
	bool audited;
	/* NULL unless it is being streamed, or its handler must be told when
	 * the client has gone. */
	const struct api_stream *stream;
	void *state;
	/* In api.streams, while it is being streamed. */
	TAILQ_ENTRY(api_call) streaming;
};

/* Replies before there is a call, and what is below all of them. */
/* At most; replies have them all, refusals as well. */
#define API_COMMON_HEADERS 3

const struct http_reply_header *api_common_headers(
    const struct api *api, size_t *ret_n);
/* Copies them to h, which has room for more; how many there are. */
size_t api_add_common_headers(
    const struct http_req *req, struct http_reply_header *h);
bool api_is_head(const struct http_req *req);
/* {"status_code": status, "message": text}; more: one more header, or NULL. */
void api_reply_text(struct http_req *req, int status, const char *text,
    const struct http_reply_header *more);
/* detail: what the contract's fixed message does not say, or NULL. */
void api_reply_detail(struct http_req *req, int status, const char *text,
    const char *detail, const struct http_reply_header *more);

/* {"status_code": status, MEMBER: value}. value may be NULL: only the status.
 */
void api_reply(struct api *api, struct http_req *req, int status,
    const char *member, const struct node *value);
/* The same with the JSON text of a value. */
void api_reply_json(struct api *api, struct http_req *req, int status,
    const char *member, const char *text, size_t len);
/* All members of `map` after status_code. */
void api_reply_map(
    struct api *api, struct http_req *req, int status, const struct node *map);
/* 200 with a body of another kind. */
void api_reply_body(
    struct api_call *c, const char *content_type, const char *body, size_t len);
/* {"status_code": status, "message": text}. */
void api_reply_message(struct api *api, struct http_req *req, int status,
    const char *fmt, ...) CC_PRINTF(4, 5);
/* An error through the table of proto/status.h; 5xx are logged. */
void api_reply_error(
    struct api *api, struct http_req *req, const struct error *e);
/* 204. */
void api_reply_empty(struct http_req *req);
/* 200 or 404 without a body, for HEAD. */
void api_reply_head(struct http_req *req, int status);
/* Begins an answer with 200 that comes in pieces (http_req_stream_send()), of
 * length bytes in all, or -1: nobody knows;
 * false when there is nothing to stream: then nobody is told. state is for
 * `stream`. It is cut off when the token does not count any more. */
bool api_stream_start(struct api_call *c, const char *content_type,
    int64_t length, const struct api_stream *stream, void *state);
/* Ends it; nobody is told. */
void api_stream_end(struct api_call *c);
/* The client has gone: c->stream, which is set, is told. */
void api_stream_gone(struct api_call *c);
/* "TOKEN@ADDRESS": who asks. */
const char *api_by(const struct api_call *c);

/* The token of the request; false after an answer, or when there will be one.
 */
bool api_authenticate(struct api_call *c);
/* Whether this token is looked at just now; false after an answer. */
bool api_may_try(struct api_call *c, const char *token, size_t len);
/* It was, and is wrong: answers, now or later. */
void api_wrong(
    struct api_call *c, const char *token, size_t len, const struct error *why);
void api_wrong_configure(struct api *api);
void api_wrong_free(struct api *api);
/* Whether the token has ceased to count since then: it expired, or was revoked.
 * What it may do does not change. */
bool api_is_over(const struct api_call *c);
/* Whether the token may call this route, about this project; false after an
 * answer. */
bool api_may(struct api_call *c);
/* Whether what is of this project is for the token; and that with an answer
 * when it is not. */
bool api_sees(const struct api_call *c, const char *project);
bool api_may_project(struct api_call *c, const char *project);

/* Parameters of the query, which have rows in proto/details.def; false after an
 * answer. Absent: *ret is NULL, or stays as it is. */
bool api_query(struct api_call *c, const char *name, char **ret);
/* The row has the range. */
bool api_query_number(struct api_call *c, const char *name, uint64_t *ret);
/* One of the choices of the row. */
bool api_query_one(struct api_call *c, const char *name, char **ret);
/* Before the handler: a parameter that is not known is one that is misspelt. */
bool api_query_check(struct api_call *c);

/* Puts a job of this kind, lane, name and payload, and answers when it is on
 * disk: with the id of an earlier one when the Idempotency-Key says so. message
 * may be NULL. */
void api_put_job(struct api_call *c, const struct job *j, const char *message);
/* The same for a job about what the path names, of which the payload is this
 * tree (NULL: the arena is full). */
void api_put_payload(struct api_call *c, const char *kind, const char *lane,
    const struct node *payload, const char *message);
/* False after an answer: nothing can be deployed here. */
bool api_has_director(struct api_call *c);
/* Adds the record of this change, which is about to succeed, to its batch. */
void api_audit(struct api_call *c, struct store_batch *b);
/* After the answer: the record of a change that has none. */
void api_audit_done(const struct http_req *req, int status);
void api_askers_init(struct api *api);
void api_askers_free(struct api *api);
int api_streams_new(struct api *api, struct error *e);
void api_streams_free(struct api *api);
int api_listeners_new(struct api *api, struct error *e);
void api_listeners_free(struct api *api);
int api_followers_new(struct api *api, struct error *e);
void api_followers_free(struct api *api);
int api_tails_new(struct api *api, struct error *e);
void api_tails_free(struct api *api);

/* False after an answer: the words of the path name no log, and might lead
 * elsewhere. */
bool api_log_words_ok(struct api_call *c);
/* On the file worker: the log that these words of the route name. */
int api_log_open(struct api *api, enum route_id route, const char *const *words,
    int *ret, struct error *e);
void api_log_failed(
    struct api *api, struct http_req *req, const struct error *e);
/* Answers with the log from an offset of what is shown, and what comes. */
void api_log_follow(struct api_call *c, uint64_t offset);

void api_submit(struct api *api, struct file_work *w);
/* A request that an answer is ready for; NULL when nobody waits any more. */
struct http_req *api_find(const struct api *api, struct req_id id);

/* How long the caller waits, as X-Overlord-Deadline-Ms says. */
int64_t api_time_left(const struct api_call *c);

/* What a request for /v1/tree or its twin asks for; false after an answer. */
struct api_tree_query {
	struct tree_wish wish;
	/* Levels below the server that is asked. */
	unsigned depth;
	int64_t left_ms;
};
bool api_tree_query(struct api_call *c, struct api_tree_query *ret);
/* The path that asks this of the server at the end of a chain path; NULL when
 * the arena is full. */
const char *api_tree_path(struct arena *a, const char *chain,
    const struct tree_wish *wish, unsigned depth);
struct tree_rules api_tree_rules(
    const struct api_call *c, const struct tree_wish *wish);

/* Those of this server, a list. */
struct node *api_labels_node(struct api_call *c);

/* What there is on this server, for its place in a tree: asked of the
 * inventory, then completed from the store. */
struct treefacts {
	/* By word; NULL: not asked for, not known to the inventory, or failed.
	 * Valid during the callback. */
	struct node *found[TREE_WORD_COUNT];
	/* Projects, to tell something of each. */
	bool too_many;
	/* The first that failed. */
	struct error e;
};
typedef void treefacts_done_fn(struct api_call *c, const struct treefacts *f);

/* Words that the inventory knows. */
extern const unsigned treefacts_words;

/* done comes later, unless it is cancelled. -1: no memory. What it returns
 * lives in the call's arena. */
struct treefacts_id;
int treefacts_read(struct api_call *c, const struct tree_wish *wish,
    treefacts_done_fn *done, struct treefacts_id **ret);
/* Idempotent, and fine for NULL. */
void treefacts_cancel(struct treefacts_id *t);

/* Does what the twin of a route does: forwards. */
void api_twin(struct api_call *c);

/* One for each handler word of proto/routes.def. */
void api_root(struct api_call *c);
void api_ping(struct api_call *c);
void api_openapi(struct api_call *c);
void api_metrics(struct api_call *c);
void api_labels(struct api_call *c);
void api_chains(struct api_call *c);
void api_breakers(struct api_call *c);
void api_tree(struct api_call *c);
void api_jails(struct api_call *c);
void api_stats(struct api_call *c);
void api_jail_item(struct api_call *c);
void api_jail_check(struct api_call *c);
void api_jail_log(struct api_call *c);
void api_projects(struct api_call *c);
void api_logs(struct api_call *c);
void api_project_info(struct api_call *c);
void api_project_check(struct api_call *c);
void api_project_up(struct api_call *c);
void api_project_down(struct api_call *c);
void api_project_cancel(struct api_call *c);
void api_jobs(struct api_call *c);
void api_job(struct api_call *c);
void api_job_cancel(struct api_call *c);
void api_job_retry(struct api_call *c);
void api_tokens(struct api_call *c);
void api_token_revoke(struct api_call *c);
void api_audit_trail(struct api_call *c);
void api_job_output(struct api_call *c);
void api_project_autoscale(struct api_call *c);
void api_vm(struct api_call *c);
void api_vm_create(struct api_call *c);
void api_project_spec(struct api_call *c);
void api_events(struct api_call *c);
void api_metadata(struct api_call *c);
