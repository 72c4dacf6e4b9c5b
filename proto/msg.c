/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The tables of request bodies. Environment names go to a program, so what
 * cannot be one (empty, with '=' or NUL) is refused here.
 */
#include "proto/msg.h"

#include <string.h>

#include "proto/names.h"

static void
env_value_fault(const struct schema_at *at, const struct node *n)
{
	schema_fault_text(at, n, "type",
	    "Invalid environment name (%s) or value (%s).",
	    at->key != NULL ? at->key : "", schema_quote(at->run->arena, n));
}

static void
env_value_check(const struct schema_at *at, const struct node *n, void *field)
{
	(void)field;
	if (strlen(n->u.str.s) != n->u.str.len)
		env_value_fault(at, n);
}

static void
env_name_check(const struct schema_at *at, const struct node *key)
{
	if (key->type == NODE_STR && name_is_env(key->u.str.s, key->u.str.len))
		return;
	schema_fault_text(at, key, "env-name", "Invalid environment name (%s).",
	    schema_quote(at->run->arena, key));
}

static const struct schema_row env_elem = {
	.type = SCHEMA_STR,
	.check = env_value_check,
	.type_fault = env_value_fault,
};

static void
network_fault(const struct schema_at *at, const struct node *n)
{
	schema_fault_text(at, n, "type", "Invalid network address (%s).",
	    schema_quote(at->run->arena, n));
}

static const struct schema_row port_elem = {
	.type = SCHEMA_STR,
	.flags = SCHEMA_NULLABLE,
	.type_fault = network_fault,
};

static const struct schema_row up_rows[] = {
	{ .key = "director_file",
	    .type = SCHEMA_STR,
	    .flags = SCHEMA_REQUIRED,
	    .offset = SCHEMA_OFFSET(STR, msg_up, director_file),
	    .doc = "The Director file itself." },
	{ .key = "environment",
	    .type = SCHEMA_MAP,
	    .offset = offsetof(struct msg_up, environment),
	    .elem = &env_elem,
	    .key_check = env_name_check,
	    .doc = "Environment of Director." },
	{ .key = "restart",
	    .type = SCHEMA_BOOL,
	    .offset = SCHEMA_OFFSET(BOOL, msg_up, restart),
	    .doc = "Stop the project first if it exists." },
	{ .key = "reserve_port",
	    .type = SCHEMA_MAP,
	    .offset = offsetof(struct msg_up, reserve_port),
	    .elem = &port_elem,
	    .doc = "Interfaces to reserve a port on." },
};

const struct schema msg_up_schema = {
	.name = "up",
	.rows = up_rows,
	.n = ARRAY_LEN(up_rows),
	.size = sizeof(struct msg_up),
	.flags = SCHEMA_UNKNOWN_IGNORE,
};

static const struct schema_row down_rows[] = {
	{ .key = "environment",
	    .type = SCHEMA_MAP,
	    .offset = offsetof(struct msg_down, environment),
	    .elem = &env_elem,
	    .key_check = env_name_check,
	    .doc = "Environment of Director." },
	{ .key = "force",
	    .type = SCHEMA_BOOL,
	    .offset = SCHEMA_OFFSET(BOOL, msg_down, force),
	    .doc = "Destroy whatever its state." },
};

const struct schema msg_down_schema = {
	.name = "down",
	.rows = down_rows,
	.n = ARRAY_LEN(down_rows),
	.size = sizeof(struct msg_down),
	.flags = SCHEMA_UNKNOWN_IGNORE,
};

int
msg_bind(const struct schema *s, const struct node *body, struct arena *a,
    void *ret, struct error *e)
{
	struct diag d;
	struct schema_run run = {
		.mode = SCHEMA_BODY,
		.arena = a,
		.diag = &d,
	};
	struct error mine = ERROR_INIT;
	const char *said;

	diag_init(&d, a, NULL);
	if (schema_bind(&run, s, body, ret, &mine) == 0)
		return 0;
	said = schema_body_message(&d);
	if (mine.code == OVE_INVALID && said != NULL)
		return error_set(e, OVE_INVALID, "%s", said);
	if (e != NULL)
		*e = mine;
	return -1;
}
