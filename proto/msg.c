/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The tables of request bodies. Environment names go to a program, so what
 * cannot be one (empty, with '=' or NUL) is refused here.
 */
#include "proto/msg.h"

#include <string.h>

#include "proto/names.h"
#include "proto/spec_internal.h"

/* As name_is_env() has it. */
#define ENV_NAME "^[^=\\u0000]+$"

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

/* It becomes part of a variable's name, and of a line that lists those. */
static void
iface_name_check(const struct schema_at *at, const struct node *key)
{
	if (key->type == NODE_STR &&
	    name_is_env(key->u.str.s, key->u.str.len) &&
	    strpbrk(key->u.str.s, " \t\r\n") == NULL)
		return;
	schema_fault_text(at, key, "type", "Invalid interface name (%s).",
	    schema_quote(at->run->arena, key));
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
	    .pattern = ENV_NAME,
	    .doc = "Environment of Director." },
	{ .key = "restart",
	    .type = SCHEMA_BOOL,
	    .offset = SCHEMA_OFFSET(BOOL, msg_up, restart),
	    .doc = "Stop the project first if it exists." },
	{ .key = "reserve_port",
	    .type = SCHEMA_MAP,
	    .offset = offsetof(struct msg_up, reserve_port),
	    .elem = &port_elem,
	    .key_check = iface_name_check,
	    .pattern = "^[^= \\t\\r\\n\\u0000]+$",
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
	    .pattern = ENV_NAME,
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

/* clang-format off */
static const struct schema_row vm_rows[] = {
	SPEC_VM_ROWS(msg_vm, SCHEMA_REQUIRED),
	SCHEMA_ROW(msg_vm, "restart", BOOL, restart, "false", 0,
	    "Stop the VM first if it exists, and start it again."),
};
/* clang-format on */

const struct schema msg_vm_schema = {
	SCHEMA_TABLE("vm", vm_rows, msg_vm),
	.flags = SCHEMA_UNKNOWN_IGNORE | SCHEMA_OF_PARTS,
};

/* Binding */

/* The first finding, in the contract's words. */
static int
refuse(enum schema_mode mode, const struct diag *d, struct error *e)
{
	const struct diag_item *it = d->items;
	const char *kind;

	while (it->warning)
		it++;
	if (mode == SCHEMA_BODY || strcmp(it->rule, "argument") == 0)
		return error_set(e, OVE_INVALID, "%s", it->reason);
	kind = strcmp(it->rule, "required") == 0 ? "RequiredParameter"
						 : "InvalidSpec";
	return error_set(
	    e, OVE_INVALID, MSG_INVALID("%s") "%s", kind, it->reason);
}

int
msg_bind(const struct schema *s, const struct node *body, struct arena *a,
    void *ret, struct error *e)
{
	struct diag d;
	struct schema_run run = {
		.mode = s->flags & SCHEMA_OF_PARTS ? SCHEMA_PARTS : SCHEMA_BODY,
		.arena = a,
		.diag = &d,
	};
	struct error mine = ERROR_INIT;

	diag_init(&d, a, NULL);
	if (schema_bind(&run, s, body, ret, &mine) == 0)
		return 0;
	if (mine.code == OVE_INVALID && schema_body_message(&d) != NULL)
		return refuse(run.mode, &d, e);
	if (e != NULL)
		*e = mine;
	return -1;
}

/* Metadata and namespaces */

static const struct schema_row metadata_rows[] = {
	{ .key = "value",
	    .type = SCHEMA_STR,
	    .flags = SCHEMA_REQUIRED,
	    .offset = SCHEMA_OFFSET(STR, msg_metadata, value),
	    .doc = "The text." },
};

const struct schema msg_metadata_schema = {
	.name = "metadata",
	.rows = metadata_rows,
	.n = ARRAY_LEN(metadata_rows),
	.size = sizeof(struct msg_metadata),
	.flags = SCHEMA_UNKNOWN_IGNORE,
};

/* The entries are judged below: their refusals are the original's own. */
static const struct schema_row entry_elem = {
	.type = SCHEMA_NODE,
	.flags = SCHEMA_NULLABLE,
	.shape = "MapEntry",
};

static const struct schema_row mapping_rows[] = {
	{ .key = "mapping",
	    .type = SCHEMA_LIST,
	    .flags = SCHEMA_REQUIRED,
	    .offset = offsetof(struct msg_namespace, mapping),
	    .elem = &entry_elem,
	    .min = 1,
	    .doc = "Entries." },
};

const struct schema msg_namespace_schema = {
	.name = "namespace",
	.rows = mapping_rows,
	.n = ARRAY_LEN(mapping_rows),
	.size = sizeof(struct msg_namespace),
	.flags = SCHEMA_UNKNOWN_IGNORE,
};

/* One entry being read: its number is in every message. */
struct entry {
	size_t index;
	const struct node *n;
	struct arena *arena;
	struct msg_map_entry *out;
	struct error *e;
};

static int
entry_type(const struct entry *x, const char *member, const char *wanted,
    const struct node *n)
{
	return error_set(x->e, OVE_INVALID,
	    MSG_INVALID_SPEC
	    "namespace.mapping.<item#%zu>%s%s: requires '%s', given '%s'.",
	    x->index, member[0] != '\0' ? "." : "", member, wanted,
	    node_type_python(n));
}

static int
entry_range(const struct entry *x, const char *member, const char *max,
    const struct node *n)
{
	return error_set(x->e, OVE_INVALID,
	    MSG_INVALID_SPEC "namespace.mapping.<item#%zu>.%s: a value of '%s' "
			     "has been specified, but should be between '0' "
			     "and '%s'.",
	    x->index, member, schema_quote(x->arena, n), max);
}

static int
entry_bits(const struct entry *x, const char *member, int64_t max, int64_t *ret)
{
	const struct node *n = node_get(x->n, member);

	*ret = MSG_UNSET;
	if (n == NULL)
		return 0;
	if (n->type != NODE_INT)
		return entry_type(x, member, "int", n);
	if (n->big || n->u.i < 0 || n->u.i > max)
		return entry_range(x, member, max == 0777 ? "511" : "4095", n);
	*ret = n->u.i;
	return 0;
}

static int
entry_id(const struct entry *x, const char *member, const char **ret_name,
    int64_t *ret_id)
{
	const struct node *n = node_get(x->n, member);

	*ret_name = NULL;
	*ret_id = MSG_UNSET;
	if (n == NULL)
		return 0;
	if (n->type == NODE_STR)
		*ret_name = n->u.str.s;
	else if (n->type != NODE_INT)
		return entry_type(x, member, "int or str", n);
	/* The last one is chown(2)'s "leave it". */
	else if (n->big || n->u.i < 0 || n->u.i >= (int64_t)UINT32_MAX)
		return entry_range(x, member, "4294967294", n);
	else
		*ret_id = n->u.i;
	return 0;
}

static int
entry_file(const struct entry *x, const struct node *n)
{
	const char *colon;

	if (n->type == NODE_LIST && n->u.list.n == 2) {
		for (size_t i = 0; i < 2; i++)
			if (n->u.list.items[i]->type != NODE_STR)
				return entry_type(
				    x, "file", "str", n->u.list.items[i]);
		x->out->key = n->u.list.items[0]->u.str.s;
		x->out->path = n->u.list.items[1]->u.str.s;
		return 0;
	}
	if (n->type != NODE_STR && n->type != NODE_LIST)
		return entry_type(x, "file", "str, tuple or list", n);
	colon = n->type == NODE_STR ? strchr(n->u.str.s, ':') : NULL;
	if (colon == NULL)
		return error_set(x->e, OVE_INVALID,
		    MSG_INVALID_SPEC
		    "'namespace.mapping.<item#%zu>.file' must specify both the "
		    "metadata and the mapping file.",
		    x->index);
	x->out->key =
	    arena_strndup(x->arena, n->u.str.s, (size_t)(colon - n->u.str.s));
	x->out->path = colon + 1;
	return arena_check(x->arena, x->e);
}

static int
entry_what(const struct entry *x)
{
	const struct node *file = node_get(x->n, "file");
	const struct node *dir = node_get(x->n, "directory");

	if (file != NULL && dir != NULL)
		return error_set(x->e, OVE_INVALID,
		    MSG_INVALID_SPEC
		    "'namespace.mapping.<item#%zu>' specifies both 'file' and "
		    "'directory' but only one should be specified.",
		    x->index);
	if (file != NULL)
		return entry_file(x, file);
	if (dir == NULL)
		return error_set(x->e, OVE_INVALID,
		    MSG_INVALID_SPEC
		    "'namespace.mapping.<item#%zu>.file' or "
		    "'namespace.mapping.<item#%zu>.directory' is required but "
		    "hasn't been specified.",
		    x->index, x->index);
	if (dir->type != NODE_STR)
		return entry_type(x, "directory", "str", dir);
	x->out->path = dir->u.str.s;
	return 0;
}

static int
entry_members(const struct entry *x)
{
	static const char *const known[] = { "file", "directory", "mode",
		"owner", "group", "umask", "prefix" };

	for (size_t i = 0; i < x->n->u.map.n; i++) {
		const char *key = node_text(x->n->u.map.pairs[i].key);
		size_t k = 0;

		while (k < ARRAY_LEN(known) && key != NULL &&
		    strcmp(known[k], key) != 0)
			k++;
		if (key == NULL || k == ARRAY_LEN(known))
			return error_set(x->e, OVE_INVALID,
			    MSG_INVALID_SPEC "namespace.mapping.<item#%zu>.%s: "
					     "invalid parameter.",
			    x->index, key != NULL ? key : "");
	}
	return 0;
}

static int
entry_bind(const struct entry *x)
{
	const struct node *prefix;

	if (x->n == NULL || x->n->type != NODE_MAP)
		return entry_type(x, "", "dict", x->n);
	if (entry_members(x) < 0 || entry_what(x) < 0 ||
	    entry_bits(x, "mode", 07777, &x->out->mode) < 0 ||
	    entry_bits(x, "umask", 0777, &x->out->umask) < 0 ||
	    entry_id(x, "owner", &x->out->owner, &x->out->uid) < 0 ||
	    entry_id(x, "group", &x->out->group, &x->out->gid) < 0)
		return -1;
	prefix = node_get(x->n, "prefix");
	if (prefix != NULL && prefix->type != NODE_STR &&
	    prefix->type != NODE_BOOL && prefix->type != NODE_NULL)
		return entry_type(x, "prefix", "str or bool", prefix);
	return 0;
}

int
msg_mapping_bind(const struct node *body, struct arena *a,
    struct msg_mapping *ret, struct error *e)
{
	struct msg_namespace bound;

	if (msg_bind(&msg_namespace_schema, body, a, &bound, e) < 0)
		return -1;
	*ret = (struct msg_mapping){ .n = bound.mapping.n };
	if (ret->n == 0)
		return error_set(e, OVE_INVALID,
		    MSG_INVALID_SPEC "namespace.mapping: a length of '-1' has "
				     "been specified, but should be '> 0'.");
	ret->items = arena_calloc(a, ret->n, sizeof(*ret->items));
	if (ret->items == NULL)
		return arena_check(a, e);
	for (size_t i = 0; i < ret->n; i++) {
		const struct entry x = {
			.index = i,
			.n = bound.mapping.items[i],
			.arena = a,
			.out = &ret->items[i],
			.e = e,
		};

		if (entry_bind(&x) < 0)
			return -1;
	}
	return 0;
}

struct node *
msg_members(const struct schema *s, const void *bound, const struct node *body,
    struct arena *a)
{
	const struct node *full = schema_dump(s, bound, SCHEMA_NO_NULLS, a);
	struct node *map = node_new(a, NODE_MAP);

	for (size_t i = 0; full != NULL && i < full->u.map.n; i++) {
		const struct node_pair *p = &full->u.map.pairs[i];
		struct node *n = node_get(body, p->key->u.str.s);

		if (n == NULL || n->type == NODE_NULL)
			n = p->value;
		node_add_pair(a, map, p->key, n);
	}
	return full != NULL ? map : NULL;
}
