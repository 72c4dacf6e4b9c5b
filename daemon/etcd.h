/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A client of etcd's JSON gateway (runtime.md 3.4): puts and deletes single
 * keys. Each operation asks one host after another until one has done it. A
 * host that has failed is asked last for twice as many seconds as there are
 * hosts.
 */
#pragma once

#include "lib/base/error.h"

struct config_etcd;
struct etcd;
struct httpc;
struct loop;

struct etcd_id {
	uint64_t v;
};

/* deleted: a key was there. failed: no host did it, NULL when one did; its
 * text is the contract's, what was wrong with each host is in the log. */
typedef void etcd_done_fn(bool deleted, const struct error *failed, void *ctx);

/* Copies names and settings. */
int etcd_new(struct etcd **ret, struct loop *l, struct httpc *http,
    const char *const *names, const struct config_etcd *hosts, size_t n,
    struct error *e);
/* value NULL: deletes the key. done is called once, never in here. */
int etcd_write(struct etcd *c, const char *key, const char *value,
    etcd_done_fn *done, void *ctx, struct etcd_id *ret, struct error *e);
/* Idempotent; done will not be called. */
void etcd_cancel(struct etcd *c, struct etcd_id id);
struct etcd *etcd_free(struct etcd *c);
AUTO_DEFINE(etcd)

/* What it consists of. */

/* The base path of a server of this version ("3.4.23"); NULL when that is no
 * version. */
const char *etcd_path_of_version(const char *version);
/* Reads a reply to a delete: whether something was deleted; -1, OVE_UPSTREAM,
 * for what is no reply of etcd. */
int etcd_read_reply(
    const char *text, size_t len, bool *ret_deleted, struct error *e);
/* Reads a reply to /version: the path; NULL and e. */
const char *etcd_read_version(const char *text, size_t len, struct error *e);
