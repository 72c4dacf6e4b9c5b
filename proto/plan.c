/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The machine behind apply, destroy and cancel. Steps are tried in one fixed
 * order and left out where the deployment does not need them:
 *
 *	apply	environment from metadata, file from metadata, then up; or, with
 *		autoScale, check and write of the autoscaler's metadata
 *	destroy	environment from metadata, "is it scaled?", then down; or check
 *		and write of the clean-up metadata
 *	cancel	cancel
 *
 * Values of autoscaler metadata must be the same bytes for the same input: the
 * server compares checksums to see whether it has to deploy again.
 */
#include "proto/plan.h"

#include <string.h>

#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "proto/names.h"

#define VALUE_MAX ((size_t)64 * 1024 * 1024)

static bool
has(const struct schema_strs *list, const char *s)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], s) == 0)
			return true;
	return false;
}

static const char *
common(const struct schema_strs *list, const struct schema_strs *labels)
{
	for (size_t i = 0; i < labels->n; i++)
		if (has(list, labels->items[i]))
			return labels->items[i];
	return NULL;
}

enum plan_verdict
plan_match(const struct schema_strs *wanted, const struct schema_strs *excluded,
    const struct schema_strs *labels, const char **ret_label)
{
	const char *bad = common(excluded, labels);
	const char *good = common(wanted, labels);

	if (ret_label != NULL)
		*ret_label = bad != NULL ? bad : good;
	if (bad != NULL)
		return PLAN_EXCLUDED;
	return good != NULL ? PLAN_MATCH : PLAN_NO_LABEL;
}

/* Environment */

static void
add_layer(struct arena *a, struct node *env, const struct schema_strmap *layer)
{
	for (size_t i = 0; i < layer->n; i++)
		node_replace(
		    a, env, layer->keys[i], node_str(a, layer->items[i]));
}

static void
add_layer_of(struct arena *a, struct node *env, const struct spec_envs *envs,
    const char *name)
{
	for (size_t i = 0; i < envs->n; i++)
		if (strcmp(envs->keys[i], name) == 0)
			add_layer(a, env, &envs->items[i]);
}

/* Values are sent as they are: the server refuses what is no string. */
static void
add_extra(struct arena *a, struct node *env, const struct node *extra)
{
	char buf[NODE_FLOAT_LEN];

	for (size_t i = 0; i < extra->u.map.n; i++) {
		const struct node_pair *p = &extra->u.map.pairs[i];
		const char *key = node_scalar_text(p->key, buf);

		if (key != NULL)
			node_replace(a, env, key, node_copy(a, p->value));
	}
}

struct node *
plan_environment(
    const struct plan_input *in, const struct node *extra, struct arena *a)
{
	const struct spec_project *p = &in->spec->project;
	struct node *env = node_new(a, NODE_MAP);

	if (env == NULL)
		return NULL;
	add_layer(a, env, &p->environment);
	for (size_t i = 0; i < in->labels.n; i++)
		add_layer_of(
		    a, env, &p->labels_environment, in->labels.items[i]);
	add_layer_of(a, env, &p->chains_environment,
	    in->chain != NULL ? in->chain : "<root>");
	add_layer_of(a, env, &p->datacenters_environment, in->datacenter);
	if (extra != NULL)
		add_extra(a, env, extra);
	return env;
}

/* Bodies */

static struct node *
reserve_port(const struct spec_project *p, struct arena *a)
{
	struct node *map = node_new(a, NODE_MAP);

	for (size_t i = 0; i < p->reserve_port.n; i++)
		node_set(a, map, p->reserve_port.keys[i],
		    p->reserve_port.items[i] != NULL
			? node_str(a, p->reserve_port.items[i])
			: node_null(a));
	return map;
}

static const struct node *
up_body(struct plan *p)
{
	struct node *body = node_new(p->arena, NODE_MAP);

	node_set(p->arena, body, "director_file", node_str(p->arena, p->file));
	node_set(p->arena, body, "environment",
	    plan_environment(&p->in, p->environ, p->arena));
	node_set(p->arena, body, "restart", node_bool(p->arena, p->in.insist));
	node_set(p->arena, body, "reserve_port",
	    reserve_port(&p->in.spec->project, p->arena));
	return body;
}

static const struct node *
down_body(struct plan *p)
{
	struct node *body = node_new(p->arena, NODE_MAP);

	node_set(p->arena, body, "environment",
	    plan_environment(&p->in, p->environ, p->arena));
	node_set(p->arena, body, "force", node_bool(p->arena, p->in.insist));
	return body;
}

/* The autoscaler's metadata: what print-spec shows of autoScale, since sizes
 * have to be numbers there. */
static const char *
scale_value(struct plan *p, struct error *e)
{
	struct strbuf b AUTO_STRBUF;
	struct arena *a = p->arena;
	struct node *map = node_new(a, NODE_MAP);
	struct node *shown = spec_to_node(p->in.spec, a);
	struct node *scale = node_get(shown, "autoScale");

	strbuf_init(&b, VALUE_MAX);
	node_set(a, map, "projectFile", node_str(a, p->file));
	node_set(
	    a, map, "environment", plan_environment(&p->in, p->environ, a));
	node_set(
	    a, map, "autoScale", scale != NULL ? scale : node_new(a, NODE_MAP));
	node_set(a, map, "reserve_port", reserve_port(&p->in.spec->project, a));
	if (arena_check(a, e) < 0)
		return NULL;
	json_write(&b, map, JSON_INDENT4_ASCII);
	if (strbuf_check(&b, e) < 0)
		return NULL;
	return arena_strndup(a, b.buf, b.len);
}

static const struct node *
key_body(struct plan *p)
{
	struct node *body = node_new(p->arena, NODE_MAP);

	node_set(p->arena, body, "value", node_str(p->arena, p->value));
	return body;
}

static const char *
scale_key(struct plan *p, const char *word)
{
	return arena_printf(
	    p->arena, "overlord.%s.%s", word, p->in.spec->project.name);
}

/* The machine */

void
plan_init(struct plan *p, const struct plan_input *input, struct arena *a)
{
	memset(p, 0, sizeof(*p));
	p->in = *input;
	p->arena = a;
	p->file = input->spec->project.file;
	p->step =
	    input->action == PLAN_CANCEL ? PLAN_CANCEL_JOBS : PLAN_GET_ENVIRON;
}

/* The step at p->step is not needed: the one that comes after it. */
static bool
skip_step(struct plan *p)
{
	const struct spec_project *sp = &p->in.spec->project;

	switch (p->step) {
	case PLAN_GET_ENVIRON:
		if (sp->environ_from_metadata != NULL && p->environ == NULL)
			return false;
		p->step = p->in.action == PLAN_DESTROY ? PLAN_CHECK_SCALE
						       : PLAN_GET_FILE;
		return true;
	case PLAN_GET_FILE:
		if (p->file == NULL)
			return false;
		p->step = sp->autoscale.on ? PLAN_CHECK_KEY : PLAN_UP;
		return true;
	case PLAN_CHECK_SCALE:
	case PLAN_CHECK_KEY:
	case PLAN_WRITE_KEY:
	case PLAN_UP:
	case PLAN_DOWN:
	case PLAN_CANCEL_JOBS:
		break;
	}
	return false;
}

/* Which key, with which value. */
static int
prepare_key(struct plan *p, struct error *e)
{
	if (p->in.action == PLAN_APPLY) {
		p->key = scale_key(p, "autoscale");
		p->value = scale_value(p, e);
		if (p->value == NULL)
			return -1;
	} else {
		p->key = scale_key(p, "autoscale-cleanup");
		p->value =
		    p->in.insist ? "{\"force\": true}" : "{\"force\": false}";
	}
	if (arena_check(p->arena, e) < 0)
		return -1;
	if (!name_is_key(p->key, strlen(p->key)))
		return error_set(e, OVE_INVALID, "invalid metadata name");
	return 0;
}

static int
fill(struct plan *p, struct plan_request *rq, struct error *e)
{
	const struct spec_project *sp = &p->in.spec->project;

	rq->project = sp->name;
	switch (p->step) {
	case PLAN_GET_ENVIRON:
		rq->route = ROUTE_METADATA_GET;
		rq->key = sp->environ_from_metadata;
		return 0;
	case PLAN_GET_FILE:
		rq->route = ROUTE_METADATA_GET;
		rq->key = sp->from_metadata;
		return 0;
	case PLAN_CHECK_SCALE:
		rq->route = ROUTE_METADATA_CHECK;
		rq->key = scale_key(p, "autoscale");
		return 0;
	case PLAN_CHECK_KEY:
		if (prepare_key(p, e) < 0)
			return -1;
		rq->route = ROUTE_METADATA_CHECK;
		rq->key = p->key;
		return 0;
	case PLAN_WRITE_KEY:
		rq->route =
		    p->key_exists ? ROUTE_METADATA_PUT : ROUTE_METADATA_POST;
		rq->key = p->key;
		rq->body = key_body(p);
		rq->is_change = true;
		return 0;
	case PLAN_UP:
		rq->route = ROUTE_PROJECT_UP;
		rq->body = up_body(p);
		rq->is_change = true;
		return 0;
	case PLAN_DOWN:
		rq->route = ROUTE_PROJECT_DOWN;
		rq->body = down_body(p);
		rq->is_change = true;
		return 0;
	case PLAN_CANCEL_JOBS:
		rq->route = ROUTE_PROJECT_CANCEL;
		rq->is_change = true;
		return 0;
	}
	return 0;
}

int
plan_next(struct plan *p, struct plan_request *ret, struct error *e)
{
	if (p->ended)
		return PLAN_END;
	while (skip_step(p))
		continue;
	memset(ret, 0, sizeof(*ret));
	ret->step = p->step;
	if (fill(p, ret, e) < 0)
		return -1;
	return arena_check(p->arena, e);
}

bool
plan_takes_not_found(enum plan_step step)
{
	return step == PLAN_CHECK_SCALE || step == PLAN_CHECK_KEY;
}

/* Text of a metadata entry. */
static const char *
entry_text(struct plan *p, const struct node *body, struct error *e)
{
	const char *text = node_text(node_get(body, "metadata"));

	if (text == NULL)
		text = node_text(node_get(body, "value"));
	if (text == NULL) {
		(void)error_set(e, OVE_UPSTREAM,
		    "%s: the reply is not understood: it has no text",
		    plan_step_text(p->step));
		return NULL;
	}
	text = arena_strdup(p->arena, text);
	if (text == NULL)
		(void)error_nomem(e);
	return text;
}

static int
take_environ(struct plan *p, const struct node *body, struct error *e)
{
	struct yaml_options o = { .env = p->in.env, .env_ctx = p->in.env_ctx };
	const char *text = entry_text(p, body, e);
	struct node *n = NULL;
	struct diag d;

	if (text == NULL)
		return -1;
	diag_init(&d, p->arena, NULL);
	if (yaml_read(text, strlen(text), &o, p->arena, &n, &d, e) < 0)
		return error_wrap(e, "error parsing the environment");
	if (n == NULL || n->type != NODE_MAP)
		return error_set(
		    e, OVE_INVALID, "environment is not a dictionary");
	p->environ = n;
	return 0;
}

int
plan_answer(
    struct plan *p, bool found, const struct node *body, struct error *e)
{
	switch (p->step) {
	case PLAN_GET_ENVIRON:
		return take_environ(p, body, e);
	case PLAN_GET_FILE:
		p->file = entry_text(p, body, e);
		return p->file != NULL ? 0 : -1;
	case PLAN_CHECK_SCALE:
		p->step = found ? PLAN_CHECK_KEY : PLAN_DOWN;
		return 0;
	case PLAN_CHECK_KEY:
		p->key_exists = found;
		p->step = PLAN_WRITE_KEY;
		return 0;
	case PLAN_WRITE_KEY:
	case PLAN_UP:
	case PLAN_DOWN:
	case PLAN_CANCEL_JOBS:
		p->ended = true;
		return 0;
	}
	return 0;
}

const char *
plan_step_text(enum plan_step step)
{
	switch (step) {
	case PLAN_GET_ENVIRON:
		return "error obtaining the environment from the metadata";
	case PLAN_GET_FILE:
		return "error obtaining the project file from the metadata";
	case PLAN_CHECK_SCALE:
		return "error when checking if the project is auto-scalable";
	case PLAN_CHECK_KEY:
	case PLAN_WRITE_KEY:
		return "error writing the metadata";
	case PLAN_UP:
		return "error creating the project";
	case PLAN_DOWN:
		return "error destroying the project";
	case PLAN_CANCEL_JOBS:
		return "error cancelling this project";
	}
	return "";
}
