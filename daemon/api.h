/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The REST API: routes a request, checks its token, reads and checks its body,
 * calls the handler of the route, and answers. Generic, once; the handlers are
 * in api_*.c by noun. They see struct api_call and struct api, never the
 * daemon.
 */
#pragma once

#include "daemon/penalty.h"
#include "lib/base/arena.h"
#include "lib/net/httpd.h"
#include "lib/store/job.h"

struct api;
struct chain;
struct events;
struct inventory;
struct loop;
struct metrics;
struct proctab;
struct programs;
struct queue;
struct runner;
struct store;
struct subtree;
struct token_key;

struct api_deps {
	struct loop *loop;
	struct store *store;
	struct queue *queue;
	struct audit *audit;
	struct runner *runner;
	struct inventory *inventory;
	struct chain *chain;
	struct events *events;
	struct subtree *subtree;
	struct metrics *metrics;
	const struct proctab *proctab;
	/* Directories, absolute; borrowed for life. */
	const char *metadata;
	const char *namespaces;
};

/* Borrowed until the next api_configure(). */
struct api_config {
	struct token_key *key;
	const char *const *labels;
	size_t labels_n;
	size_t body_bytes;
	/* Characters. */
	size_t metadata_size;
	/* For how long the status of a scaled project is told. */
	int64_t autoscale_expire_ms;
	struct programs *programs;
	/* Who we are, to find it in X-Overlord-Via. */
	const char *serverid;
	struct penalty_limits penalty;
	/* blocklistd is told. */
	bool ban;
	/* Replies may be compressed. */
	bool compress;
	bool draining;
};

int api_new(struct api **ret, const struct api_deps *deps,
    const struct api_config *c, struct error *e);
void api_configure(struct api *api, const struct api_config *c);
/* For httpd_new(); then tell the server it is served on. */
struct httpd_handler api_handler(struct api *api);
/* NULL: no longer. */
void api_set_server(struct api *api, struct httpd *d);
/* Waits for the file worker. */
struct api *api_free(struct api *api);
AUTO_DEFINE(api)
