/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Handlers of metadata and namespaces (rest-api.md 6). A handler copies what it
 * was sent into a struct meta_op, the file worker does it, and the answer goes
 * out on the loop. The worker does one after the other, so operations on one
 * key never overlap.
 *
 * The body is bound before, but a refusal of it counts only when the worker has
 * found the body to be needed: POST of what exists is answered without a look
 * at it, PUT of metadata that is missing is 404 (6.1).
 */
#include <string.h>

#include "daemon/api_internal.h"
#include "daemon/meta.h"
#include "lib/base/mem.h"
#include "lib/data/node.h"
#include "proto/msg.h"

/* Texts, listings and mappings. */
#define OP_MEMORY_MAX ((size_t)256 << 20)
/* A file that somebody else made may be longer than what we accept. */
#define TEXT_MAX ((size_t)64 << 20)
/* Makejails copy the modes of files along; the directory guards them here. */
#define METADATA_DIR_MODE 0750
#define NAMESPACES_DIR_MODE 0755

struct meta_op;
/* On the file worker. 0 done, META_NONE: 404, -1. */
typedef int meta_act_fn(struct meta_op *o, struct error *e);

struct meta_row {
	meta_act_fn *act;
	/* Of a success: status; the member that holds what was found, or the
	 * past tense for the message. */
	int status;
	const char *member;
	const char *done;
	/* The noun of messages. */
	const char *noun;
};

struct meta_op {
	struct file_work file;
	const struct meta_row *row;
	struct api *api;
	struct req_id req;
	/* Holds all that follows. */
	struct arena arena;
	const char *key;
	const char *metadata_dir;
	const char *namespaces_dir;
	/* What was sent, unless `bad` is set. */
	const char *value;
	size_t value_len;
	struct msg_mapping mapping;
	struct error bad;
	/* What came of it. */
	int outcome;
	struct node *found;
	struct error e;
};

/* On the file worker */

static int
refuse(const struct meta_op *o, struct error *e)
{
	if (e != NULL)
		*e = o->bad;
	return -1;
}

static int
list_metadata(struct meta_op *o, struct error *e)
{
	AUTO_FD int dir = -1;
	int r = meta_open(o->metadata_dir, &dir, e);

	if (r == 0)
		return meta_list(dir, &o->arena, &o->found, e);
	o->found = node_new(&o->arena, NODE_LIST);
	return r < 0 ? -1 : arena_check(&o->arena, e);
}

static int
get_metadata(struct meta_op *o, struct error *e)
{
	AUTO_FREE char *text = NULL;
	AUTO_FD int dir = -1;
	size_t len = 0;
	int r = meta_open(o->metadata_dir, &dir, e);

	if (r == 0)
		r = meta_get(dir, o->key, TEXT_MAX, &text, &len, e);
	if (r != 0)
		return r;
	o->found = node_strn(&o->arena, text, len);
	return arena_check(&o->arena, e);
}

static int
check_metadata(struct meta_op *o, struct error *e)
{
	AUTO_FD int dir = -1;
	int r = meta_open(o->metadata_dir, &dir, e);

	return r == 0 ? meta_exists(dir, o->key, e) : r;
}

static int
create_metadata(struct meta_op *o, struct error *e)
{
	AUTO_FD int dir = -1;
	int r = check_metadata(o, e);

	if (r <= 0)
		return r;
	if (error_is_set(&o->bad))
		return refuse(o, e);
	if (meta_make(o->metadata_dir, METADATA_DIR_MODE, &dir, e) < 0)
		return -1;
	return meta_put(dir, o->key, o->value, o->value_len, e);
}

static int
update_metadata(struct meta_op *o, struct error *e)
{
	AUTO_FD int dir = -1;
	int r = meta_open(o->metadata_dir, &dir, e);

	if (r == 0)
		r = meta_exists(dir, o->key, e);
	if (r != 0)
		return r;
	if (error_is_set(&o->bad))
		return refuse(o, e);
	return meta_put(dir, o->key, o->value, o->value_len, e);
}

static int
delete_metadata(struct meta_op *o, struct error *e)
{
	AUTO_FD int dir = -1;
	int r = meta_open(o->metadata_dir, &dir, e);

	return r == 0 ? meta_remove(dir, o->key, e) : r;
}

static int
list_namespaces(struct meta_op *o, struct error *e)
{
	AUTO_FD int dir = -1;
	int r = meta_open(o->namespaces_dir, &dir, e);

	if (r == 0)
		return meta_namespaces(dir, &o->arena, &o->found, e);
	o->found = node_new(&o->arena, NODE_LIST);
	return r < 0 ? -1 : arena_check(&o->arena, e);
}

static int
get_namespace(struct meta_op *o, struct error *e)
{
	AUTO_FD int dir = -1;
	int r = meta_open(o->namespaces_dir, &dir, e);

	return r == 0 ? meta_namespace_list(dir, o->namespaces_dir, o->key,
			    &o->arena, &o->found, e)
		      : r;
}

static int
check_namespace(struct meta_op *o, struct error *e)
{
	AUTO_FD int dir = -1;
	int r = meta_open(o->namespaces_dir, &dir, e);

	return r == 0 ? meta_namespace_exists(dir, o->key, e) : r;
}

static int
update_namespace(struct meta_op *o, struct error *e)
{
	AUTO_FD int metadata = -1;
	AUTO_FD int dir = -1;
	struct meta_build b = {
		.top = o->namespaces_dir,
		.name = o->key,
		.mapping = &o->mapping,
	};

	if (error_is_set(&o->bad))
		return refuse(o, e);
	if (meta_open(o->metadata_dir, &metadata, e) < 0 ||
	    meta_make(o->namespaces_dir, NAMESPACES_DIR_MODE, &dir, e) < 0)
		return -1;
	b.metadata = metadata;
	b.dir = dir;
	return meta_namespace_put(&b, &o->arena, e);
}

static int
create_namespace(struct meta_op *o, struct error *e)
{
	int r = check_namespace(o, e);

	return r <= 0 ? r : update_namespace(o, e);
}

static int
delete_namespace(struct meta_op *o, struct error *e)
{
	AUTO_FD int dir = -1;
	int r = meta_open(o->namespaces_dir, &dir, e);

	return r == 0 ? meta_namespace_remove(dir, o->key, e) : r;
}

static void
run(struct file_work *w)
{
	struct meta_op *o = container_of(w, struct meta_op, file);

	o->outcome = o->row->act(o, &o->e);
}

/* On the loop */

#define METADATA "Metadata"
#define NAMESPACE "Namespace"

/* By route. */
static const struct meta_row rows[ROUTE_COUNT] = {
	[ROUTE_METADATA_LIST] = { list_metadata, 200, "metadata", NULL,
	    METADATA },
	[ROUTE_METADATA_GET] = { get_metadata, 200, "metadata", NULL,
	    METADATA },
	[ROUTE_METADATA_CHECK] = { check_metadata, 200, NULL, NULL, METADATA },
	[ROUTE_METADATA_POST] = { create_metadata, 201, NULL, "created",
	    METADATA },
	[ROUTE_METADATA_PUT] = { update_metadata, 200, NULL, "updated",
	    METADATA },
	[ROUTE_METADATA_DELETE] = { delete_metadata, 204, NULL, NULL,
	    METADATA },
	[ROUTE_NAMESPACES] = { list_namespaces, 200, "namespaces", NULL,
	    NAMESPACE },
	[ROUTE_NAMESPACE_GET] = { get_namespace, 200, "namespace", NULL,
	    NAMESPACE },
	[ROUTE_NAMESPACE_CHECK] = { check_namespace, 200, NULL, NULL,
	    NAMESPACE },
	[ROUTE_NAMESPACE_POST] = { create_namespace, 201, NULL, "created",
	    NAMESPACE },
	[ROUTE_NAMESPACE_PUT] = { update_namespace, 200, NULL, "updated",
	    NAMESPACE },
	[ROUTE_NAMESPACE_DELETE] = { delete_namespace, 204, NULL, NULL,
	    NAMESPACE },
};

static struct meta_op *
meta_op_free(struct meta_op *o)
{
	if (o == NULL)
		return NULL;
	arena_fini(&o->arena);
	mem_free(o);
	return NULL;
}
AUTO_DEFINE(meta_op)

static void
answer(struct meta_op *o, struct http_req *req)
{
	const struct meta_row *row = o->row;

	if (o->outcome < 0 && o->e.code == OVE_LIMIT)
		/* Nothing that waiting would help. */
		api_reply_message(o->api, req, 501, "%s", o->e.text);
	else if (o->outcome < 0)
		api_reply_error(o->api, req, &o->e);
	else if (strcmp(http_req_method(req), "HEAD") == 0)
		api_reply_head(req, o->outcome == 0 ? row->status : 404);
	else if (o->outcome == META_NONE)
		api_reply_message(
		    o->api, req, 404, "%s cannot be found.", row->noun);
	else if (row->status == 204)
		api_reply_empty(req);
	else if (row->member != NULL)
		api_reply(o->api, req, row->status, row->member, o->found);
	else
		api_reply_message(o->api, req, row->status,
		    "%s '%s' has been successfully %s.", row->noun, o->key,
		    row->done);
}

static void
was_done(struct work *w)
{
	struct meta_op *o = container_of(w, struct meta_op, file.work);
	struct http_req *req = api_find(o->api, o->req);

	if (req != NULL)
		answer(o, req);
	(void)meta_op_free(o);
}

static size_t
characters(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

static int
bind_value(struct meta_op *o, const struct node *body, struct error *e)
{
	size_t max = o->api->config.metadata_size, n;
	struct msg_metadata msg;

	if (msg_bind(&msg_metadata_schema, body, &o->arena, &msg, e) < 0)
		return -1;
	o->value = msg.value;
	o->value_len = strlen(msg.value);
	n = characters(o->value, o->value_len);
	if (n > max)
		return error_set(e, OVE_INVALID,
		    "%s: metadata too long - %zu > %zu", o->key, n, max);
	return 0;
}

/* Whatever is bound must outlive the request. */
static void
bind(struct meta_op *o, const struct api_call *c)
{
	const struct node *body;

	if (o->row->done == NULL)
		return;
	body = c->body != NULL ? node_copy(&o->arena, c->body) : NULL;
	if (arena_check(&o->arena, &o->bad) < 0)
		return;
	if (c->route == ROUTE_METADATA_POST || c->route == ROUTE_METADATA_PUT)
		(void)bind_value(o, body, &o->bad);
	else
		(void)msg_mapping_bind(body, &o->arena, &o->mapping, &o->bad);
}

void
api_metadata(struct api_call *c)
{
	AUTO(meta_op) struct meta_op *o = mem_calloc(1, sizeof(*o));
	struct error e = ERROR_INIT;

	if (o == NULL) {
		(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
		return;
	}
	arena_init(&o->arena, OP_MEMORY_MAX);
	o->file.run = run;
	o->file.work.done = was_done;
	o->row = &rows[c->route];
	o->api = c->api;
	o->req = http_req_id(c->req);
	o->metadata_dir = c->api->deps.metadata;
	o->namespaces_dir = c->api->deps.namespaces;
	o->key =
	    arena_strdup(&o->arena, c->params[0] != NULL ? c->params[0] : "");
	if (arena_check(&o->arena, &e) < 0) {
		api_reply_error(c->api, c->req, &e);
		return;
	}
	bind(o, c);
	api_submit(c->api, &STEAL(o)->file);
}
