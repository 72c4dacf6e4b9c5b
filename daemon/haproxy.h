/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Servers of services in HAProxy, through its Data Plane API (runtime.md 3.2):
 * this node has one server in each backend, which is named after it. A change
 * is a transaction, which is withdrawn when it fails; one that another change
 * has overtaken is begun anew, three times at most.
 */
#pragma once

#include "daemon/special.h"

struct config_service;
struct haproxy;
struct httpc;
struct loop;

/* Copies what it needs of the configuration; without entrypoint everything
 * fails. */
int haproxy_new(struct haproxy **ret, struct loop *l, struct httpc *http,
    const struct config_service *c, const char *serverid, struct error *e);
/* Puts the server of a service into its backend, or takes it away. s and what
 * it points to stay until done, which is called once, never in here. */
int haproxy_start(struct haproxy *h, const struct special *s,
    special_done_fn *done, void *ctx, struct special_id *ret, struct error *e);
/* Idempotent; done will not be called. What a transaction has begun stays
 * there, uncommitted. */
void haproxy_cancel(struct haproxy *h, struct special_id id);
struct haproxy *haproxy_free(struct haproxy *h);
AUTO_DEFINE(haproxy)

/* What it consists of (haproxy_plan.c). */

struct haproxy_plan {
	int64_t port;
	/* family 0: there is none, and the project goes away. */
	struct netif_addr address;
};
/* What is wrong with the labels, but for the backend's; NULL: nothing. In the
 * arena. */
char *haproxy_check(
    const struct special *s, struct arena *a, struct haproxy_plan *ret);

/* The body of a server: what the labels set, then its name, address and port,
 * which win. NULL, and e says why: a label is no JSON, *ret_label names it; or
 * all of it is too long, then that is NULL. In the arena. */
char *haproxy_server(const struct special *s, const char *serverid,
    const char *address, int64_t port, struct arena *a, const char **ret_label,
    struct error *e);
/* The id in the reply to a new transaction; NULL when it has none, or one that
 * nobody would make. */
const char *haproxy_transaction(const char *text, size_t len, struct arena *a);
