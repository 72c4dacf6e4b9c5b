/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * DNS records of services, in etcd, as CoreDNS's etcd plugin reads them
 * (runtime.md 3.3).
 */
#pragma once

#include "daemon/special.h"

struct etcd;
struct loop;
struct skydns;

struct skydns_config {
	/* "/skydns" */
	const char *path;
	/* With or without dots at its ends; "." for the root. */
	const char *zone;
	const char *serverid;
};

int skydns_new(struct skydns **ret, struct loop *l, struct etcd *etcd,
    const struct skydns_config *c, struct error *e);
/* Makes the records of a service, or removes them. s and what it points to
 * stay until done, which is called once, never in here. */
int skydns_start(struct skydns *sd, const struct special *s,
    special_done_fn *done, void *ctx, struct special_id *ret, struct error *e);
/* Idempotent; done will not be called. */
void skydns_cancel(struct skydns *sd, struct special_id id);
struct skydns *skydns_free(struct skydns *sd);
AUTO_DEFINE(skydns)

/* What it decides by. */

enum skydns_record {
	SKYDNS_ADDRESS,
	SKYDNS_PTR,
	SKYDNS_SRV,
	SKYDNS_RECORDS
};
struct skydns_plan {
	/* key NULL: no such record. */
	struct {
		const char *key;
		const char *value;
	} records[SKYDNS_RECORDS];
	/* Why there are not more records; NULL: there is no reason. Told when
	 * those above are done. */
	const char *error;
};
/* All in the arena. */
void skydns_plan(const struct skydns_config *c, const struct special *s,
    struct arena *a, struct skydns_plan *ret);
