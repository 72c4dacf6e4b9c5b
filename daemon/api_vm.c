/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Handlers about VMs, and the status of scaled projects: the last record of
 * each, and the request that becomes a job to make a VM.
 */
#include "daemon/api_internal.h"
#include "daemon/record.h"
#include "lib/base/clock.h"
#include "lib/data/node.h"
#include "proto/msg.h"

/* The record as `status`, unless it is older than max_age_ms (0: no limit). */
static void
reply_record(struct api_call *c, enum record_kind kind, const char *noun,
    int64_t max_age_ms)
{
	struct error e = ERROR_INIT;
	const struct node *age;
	struct node *rec = NULL;
	int r = record_get(
	    c->api->deps.store, kind, c->params[0], c->arena, &rec, &e);

	if (r < 0) {
		api_reply_error(c->api, c->req, &e);
		return;
	}
	if (r == 0) {
		record_age(rec, clock_wall_ms(), c->arena);
		age = node_get(rec, "last_update");
		if (max_age_ms > 0 && age != NULL && age->type == NODE_FLOAT &&
		    age->u.f * 1000 > (double)max_age_ms)
			r = RECORD_NONE;
	}
	if (r == RECORD_NONE)
		api_reply_message(c->api, c->req, 404,
		    "%s '%s' cannot be found.", noun, c->params[0]);
	else
		api_reply(c->api, c->req, 200, "status", rec);
}

void
api_vm(struct api_call *c)
{
	reply_record(c, RECORD_VM, "VM", 0);
}

void
api_project_autoscale(struct api_call *c)
{
	reply_record(
	    c, RECORD_AUTOSCALE, "Project", c->api->config.autoscale_expire_ms);
}

void
api_vm_create(struct api_call *c)
{
	struct error e = ERROR_INIT;
	struct node *m;
	struct msg_vm vm;

	if (msg_bind(&msg_vm_schema, c->body, c->arena, &vm, &e) < 0) {
		api_reply_error(c->api, c->req, &e);
		return;
	}
	if (!api_has_director(c))
		return;
	m = msg_members(&msg_vm_schema, &vm, c->body, c->arena);
	if (m != NULL)
		node_set(c->arena, m, "name", node_str(c->arena, c->params[0]));
	api_put_payload(c, "vm", c->params[0], m, NULL);
}
