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
 * Of kind vmJail there is one request only. Of kind metadata each entry, and
 * then the namespace, has its own: check and write, or delete; one that fails
 * is left out. Where the server upserts nothing is checked before a write.
 *
 * Values of autoscaler metadata must be the same bytes for the same input: the
 * server compares checksums to see whether it has to deploy again.
 */
#include "proto/plan.h"

#include <string.h>

#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "proto/client.h"
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
	struct arena *a = p->arena;
	struct node *map = node_new(a, NODE_MAP);
	struct node *shown = spec_to_node(p->in.spec, a);
	struct node *scale = node_get(shown, "autoScale");

	node_set(a, map, "projectFile", node_str(a, p->file));
	node_set(
	    a, map, "environment", plan_environment(&p->in, p->environ, a));
	node_set(
	    a, map, "autoScale", scale != NULL ? scale : node_new(a, NODE_MAP));
	node_set(a, map, "reserve_port", reserve_port(&p->in.spec->project, a));
	if (arena_check(a, e) < 0)
		return NULL;
	return json_text(map, JSON_INDENT4_ASCII, VALUE_MAX, a, e);
}

static const struct node *
key_body(struct plan *p)
{
	struct node *body = node_new(p->arena, NODE_MAP);

	node_set(p->arena, body, "value", node_str(p->arena, p->value));
	return body;
}

static const struct node *
space_body(struct plan *p)
{
	struct node *body = node_new(p->arena, NODE_MAP);

	node_set(p->arena, body, "mapping",
	    spec_mapping_to_node(p->in.spec, p->arena));
	return body;
}

static const char *
scale_key(struct plan *p, const char *word)
{
	return arena_printf(
	    p->arena, "overlord.%s.%s", word, p->in.spec->project.name);
}

/* Words */

/* Of each step: what is asked, what its word is, what is said when it fails. */
static const struct {
	enum route_id route;
	const char *noun;
	const char *text;
	bool is_change;
	bool is_job;
} steps[] = {
	[PLAN_GET_ENVIRON] = { ROUTE_METADATA_GET, "metadata",
	    "error obtaining the environment from the metadata", false, false },
	[PLAN_GET_FILE] = { ROUTE_METADATA_GET, "metadata",
	    "error obtaining the project file from the metadata", false,
	    false },
	[PLAN_CHECK_SCALE] = { ROUTE_METADATA_CHECK, NULL,
	    "error when checking if the project is auto-scalable", false,
	    false },
	[PLAN_CHECK_KEY] = { ROUTE_METADATA_CHECK, "metadata",
	    "error writing the metadata", false, false },
	[PLAN_WRITE_KEY] = { ROUTE_METADATA_PUT, "metadata",
	    "error writing the metadata", true, false },
	[PLAN_CHECK_SPACE] = { ROUTE_NAMESPACE_CHECK, "namespace",
	    "error writing the namespace", false, false },
	[PLAN_WRITE_SPACE] = { ROUTE_NAMESPACE_PUT, "namespace",
	    "error writing the namespace", true, false },
	[PLAN_DELETE_KEY] = { ROUTE_METADATA_DELETE, "metadata", "", true,
	    false },
	[PLAN_DELETE_SPACE] = { ROUTE_NAMESPACE_DELETE, "namespace", "", true,
	    false },
	[PLAN_UP] = { ROUTE_PROJECT_UP, "project", "error creating the project",
	    true, true },
	[PLAN_MAKE_VM] = { ROUTE_VM_CREATE, "VM", "error creating the VM", true,
	    true },
	[PLAN_DOWN] = { ROUTE_PROJECT_DOWN, "project",
	    "error destroying the project", true, true },
	[PLAN_CANCEL_JOBS] = { ROUTE_PROJECT_CANCEL, "project",
	    "error cancelling this project", true, true },
};

/* The machine */

static bool
has_namespace(const struct plan *p)
{
	return p->in.spec->metadata.namespace != NULL;
}

/* Kind metadata: to the item at hand, or to the end. */
static void
go_to_item(struct plan *p)
{
	bool apply = p->in.action == PLAN_APPLY;

	if (p->item < p->in.spec->metadata.entries.n)
		p->step = apply ? PLAN_CHECK_KEY : PLAN_DELETE_KEY;
	else if (p->item == p->in.spec->metadata.entries.n && has_namespace(p))
		p->step = apply ? PLAN_CHECK_SPACE : PLAN_DELETE_SPACE;
	else
		p->ended = true;
}

static enum plan_step
first_step(enum plan_action action, enum spec_kind kind)
{
	if (action == PLAN_CANCEL)
		return PLAN_CANCEL_JOBS;
	if (kind == SPEC_VM)
		return action == PLAN_APPLY ? PLAN_MAKE_VM : PLAN_DOWN;
	return PLAN_GET_ENVIRON;
}

void
plan_init(struct plan *p, const struct plan_input *input, struct arena *a)
{
	memset(p, 0, sizeof(*p));
	p->in = *input;
	p->arena = a;
	p->file = input->spec->project.file;
	p->step = first_step(input->action, input->spec->kind);
	if (input->spec->kind == SPEC_METADATA)
		go_to_item(p);
}

/* The step at p->step is not needed: the one that comes after it. */
static bool
skip_step(struct plan *p)
{
	const struct spec_project *sp = &p->in.spec->project;

	if (p->step == PLAN_GET_ENVIRON) {
		if (sp->environ_from_metadata != NULL && p->environ == NULL)
			return false;
		p->step = p->in.action == PLAN_DESTROY ? PLAN_CHECK_SCALE
						       : PLAN_GET_FILE;
		return true;
	}
	if (p->step == PLAN_GET_FILE && p->file != NULL) {
		p->step = sp->autoscale.on ? PLAN_CHECK_KEY : PLAN_UP;
		return true;
	}
	if (p->in.upserts &&
	    (p->step == PLAN_CHECK_KEY || p->step == PLAN_CHECK_SPACE)) {
		p->key_exists = true;
		p->step = p->step == PLAN_CHECK_KEY ? PLAN_WRITE_KEY
						    : PLAN_WRITE_SPACE;
		return true;
	}
	return false;
}

/* The autoscaler's metadata: which key, with which value. */
static int
prepare_scale(struct plan *p, struct error *e)
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
	return arena_check(p->arena, e);
}

/* Which metadata or namespace, with which value; p->key is set also of what
 * cannot be written. */
static int
prepare_item(struct plan *p, struct error *e)
{
	const struct spec *s = p->in.spec;

	if (p->step == PLAN_CHECK_SPACE || p->step == PLAN_WRITE_SPACE ||
	    p->step == PLAN_DELETE_SPACE) {
		p->key = s->metadata.namespace;
	} else if (s->kind == SPEC_METADATA) {
		p->key = s->metadata.entries.keys[p->item];
		p->value = s->metadata.entries.items[p->item];
	} else if (prepare_scale(p, e) < 0) {
		return -1;
	}
	if (name_is_key(p->key, strlen(p->key)))
		return 0;
	return error_set(
	    e, OVE_INVALID, "invalid %s name", steps[p->step].noun);
}

/* The word of the route. */
static int
find_word(struct plan *p, const char **ret, struct error *e)
{
	const struct spec *s = p->in.spec;
	int rc = 0;

	switch (p->step) {
	case PLAN_GET_ENVIRON:
		*ret = s->project.environ_from_metadata;
		return 0;
	case PLAN_GET_FILE:
		*ret = s->project.from_metadata;
		return 0;
	case PLAN_CHECK_SCALE:
		*ret = scale_key(p, "autoscale");
		return 0;
	case PLAN_WRITE_KEY:
	case PLAN_WRITE_SPACE:
		/* Else the step before has done it. */
		if (p->in.upserts)
			rc = prepare_item(p, e);
		break;
	case PLAN_CHECK_KEY:
	case PLAN_DELETE_KEY:
	case PLAN_CHECK_SPACE:
	case PLAN_DELETE_SPACE:
		rc = prepare_item(p, e);
		break;
	case PLAN_UP:
	case PLAN_MAKE_VM:
	case PLAN_DOWN:
	case PLAN_CANCEL_JOBS:
		*ret = s->kind == SPEC_VM ? s->vm_name : s->project.name;
		return 0;
	}
	*ret = p->key;
	return rc;
}

static int
fill(struct plan *p, struct plan_request *rq, struct error *e)
{
	rq->route = steps[p->step].route;
	rq->noun = steps[p->step].noun;
	rq->text = steps[p->step].text;
	rq->is_change = steps[p->step].is_change;
	rq->is_job = steps[p->step].is_job;
	if (find_word(p, &rq->word, e) < 0)
		return -1;
	if (p->step == PLAN_WRITE_KEY) {
		rq->body = key_body(p);
		if (!p->key_exists)
			rq->route = ROUTE_METADATA_POST;
	} else if (p->step == PLAN_WRITE_SPACE) {
		rq->body = space_body(p);
		if (!p->key_exists)
			rq->route = ROUTE_NAMESPACE_POST;
	} else if (p->step == PLAN_UP) {
		rq->body = up_body(p);
	} else if (p->step == PLAN_MAKE_VM) {
		rq->body = spec_vm_body(p->in.spec, p->in.insist, p->arena);
	} else if (p->step == PLAN_DOWN) {
		rq->body = down_body(p);
		if (p->in.spec->kind == SPEC_VM) {
			rq->noun = "VM";
			rq->text = "error destroying the VM";
		}
	}
	return 0;
}

int
plan_next(struct plan *p, struct plan_request *ret, struct error *e)
{
	memset(ret, 0, sizeof(*ret));
	if (p->ended)
		return PLAN_END;
	while (skip_step(p))
		continue;
	ret->step = p->step;
	if (fill(p, ret, e) < 0)
		return -1;
	return arena_check(p->arena, e);
}

bool
plan_skip(struct plan *p)
{
	if (p->in.spec->kind != SPEC_METADATA || p->ended)
		return false;
	p->item++;
	go_to_item(p);
	return true;
}

size_t
plan_changes_left(const struct plan *p)
{
	if (p->ended)
		return 0;
	if (p->in.spec->kind != SPEC_METADATA)
		return 1;
	return p->in.spec->metadata.entries.n + has_namespace(p) - p->item;
}

bool
plan_takes_not_found(enum plan_step step)
{
	return step == PLAN_CHECK_SCALE || step == PLAN_CHECK_KEY ||
	    step == PLAN_CHECK_SPACE;
}

/* Text of a metadata entry. */
static const char *
entry_text(struct plan *p, const struct node *body, struct error *e)
{
	const char *text = client_get_entry(body);

	if (text == NULL) {
		(void)error_set(e, OVE_UPSTREAM,
		    "%s: the reply is not understood: it has no text",
		    steps[p->step].text);
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
	case PLAN_CHECK_SPACE:
		p->key_exists = found;
		p->step = PLAN_WRITE_SPACE;
		return 0;
	case PLAN_WRITE_KEY:
	case PLAN_WRITE_SPACE:
	case PLAN_DELETE_KEY:
	case PLAN_DELETE_SPACE:
		if (!plan_skip(p))
			p->ended = true;
		return 0;
	case PLAN_UP:
	case PLAN_MAKE_VM:
	case PLAN_DOWN:
	case PLAN_CANCEL_JOBS:
		p->ended = true;
		return 0;
	}
	return 0;
}
