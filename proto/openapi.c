/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The OpenAPI document: a path for each route and each twin, what is common to
 * them as components. The schemas are openapi_schema.c's. An optional slash at
 * the end of a path cannot be said there; the documented path has none.
 */
#include "proto/openapi.h"

#include <ctype.h>
#include <string.h>

#include <config.h>

#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/data/schema.h"
#include "lib/net/http1.h"
#include "proto/detail.h"
#include "proto/openapi_internal.h"

#define MEMORY_MAX ((size_t)16 << 20)
#define PATH_MAX_LEN ((size_t)4096)

/* What every route that needs a token may give. */
static const char common_errors[] =
    "400 401 403 408 413 429 431 500 501 503 508";

static const char about[] =
    "Made from the tables by which the server works. Collections may be asked "
    "for with a slash at their end, too. Every path answers OPTIONS without a "
    "token. A token's scope is a role: read, deploy or admin; a token without "
    "a scope has all rights.";

struct doc {
	struct arena *arena;
	/* A row that is not understood. */
	const char *bad;
};

/* A route or a twin. */
struct operation {
	enum route_id id;
	const struct twin *twin;
};

static struct node *
map(const struct doc *d)
{
	return node_new(d->arena, NODE_MAP);
}

static struct node *
list(const struct doc *d)
{
	return node_new(d->arena, NODE_LIST);
}

static void
set_str(const struct doc *d, struct node *n, const char *key, const char *s)
{
	node_set(d->arena, n, key, node_str(d->arena, s));
}

/* {"description": text, "content": {type: {"schema": schema}}} */
static struct node *
response(const struct doc *d, const char *text)
{
	struct node *n = map(d);

	set_str(d, n, "description", text);
	return n;
}

static void
add_content(
    const struct doc *d, struct node *to, const char *type, struct node *schema)
{
	struct node *content = node_get(to, "content"), *media = map(d);

	if (content == NULL) {
		content = map(d);
		node_set(d->arena, to, "content", content);
	}
	node_set(d->arena, media, "schema", schema);
	node_set(d->arena, content, type, media);
}

/* Parameters */

static struct node *
typed(const struct doc *d, const char *type)
{
	struct node *n = map(d);

	set_str(d, n, "type", type);
	return n;
}

static struct node *
add_parameter(const struct doc *d, struct node *to, const char *name,
    const char *in, const char *text, struct node *schema)
{
	struct node *n = map(d);

	set_str(d, n, "name", name);
	set_str(d, n, "in", in);
	set_str(d, n, "description", text);
	if (strcmp(in, "path") == 0)
		node_set(d->arena, n, "required", node_bool(d->arena, true));
	node_set(d->arena, n, "schema", schema);
	node_add(d->arena, to, n);
	return n;
}

/* Two parameters of a path may not have one name: {seg}, {seg2}, ... */
static const char *
number_words(struct doc *d, const char *path)
{
	AUTO_STRBUF struct strbuf b;
	const char *p = path, *end;

	strbuf_init(&b, PATH_MAX_LEN);
	for (; *p != '\0'; p = end) {
		size_t len = strcspn(p + 1, "{}") + 1;
		unsigned n = 1;

		end = p + len;
		strbuf_add(&b, p, len);
		if (*p != '{')
			continue;
		for (const char *q = path; q < p; q++)
			n += strncmp(q, p, len + 1) == 0;
		if (n > 1)
			strbuf_addf(&b, "%u", n);
	}
	return strbuf_to_arena(&b, d->arena);
}

static struct node *
word_schema(const struct doc *d, const struct route_word *w)
{
	struct node *n = typed(d, "string");

	set_str(d, n, "pattern", w->pattern);
	node_set(d->arena, n, "maxLength", node_int(d->arena, w->max));
	return n;
}

static void
add_words(struct doc *d, struct node *to, const char *path)
{
	for (const char *p = path; (p = strchr(p, '{')) != NULL; p++) {
		const char *name =
		    arena_strndup(d->arena, p + 1, strcspn(p + 1, "}"));
		const struct route_word *w =
		    route_word(p + 1, strcspn(p + 1, "}0123456789"));

		if (w == NULL) {
			d->bad = arena_printf(
			    d->arena, "a word of %s has no WORD row", path);
			return;
		}
		(void)add_parameter(
		    d, to, name, "path", w->doc, word_schema(d, w));
	}
}

static struct node *
choices_of(const struct doc *d, const char *choices)
{
	struct node *n = typed(d, "string"), *words = list(d);

	for (const char *p = choices; *p != '\0';) {
		size_t len = strcspn(p, ",");

		node_add(d->arena, words, node_strn(d->arena, p, len));
		p += len;
		p += strspn(p, ",");
	}
	node_set(d->arena, n, "enum", words);
	return n;
}

static struct node *
query_schema(const struct doc *d, const struct route_query *q)
{
	struct node *n;

	switch (q->kind) {
	case QUERY_NUMBER:
		n = typed(d, "integer");
		node_set(d->arena, n, "minimum",
		    node_int(d->arena, (int64_t)q->min));
		node_set(d->arena, n, "maximum",
		    node_int(d->arena, (int64_t)q->max));
		return n;
	case QUERY_ONE:
		return choices_of(d, q->choices);
	case QUERY_SOME:
		n = typed(d, "array");
		node_set(d->arena, n, "items", choices_of(d, q->choices));
		node_set(d->arena, n, "minItems", node_int(d->arena, 1));
		return n;
	case QUERY_WORD:
		return word_schema(
		    d, route_word(q->choices, strlen(q->choices)));
	case QUERY_TEXT:
		break;
	}
	n = typed(d, "string");
	set_str(d, n, "pattern", "^[^\\u0000]*$");
	return n;
}

static void
add_queries(const struct doc *d, struct node *to, enum route_id id)
{
	for (const struct route_query *q = route_queries; q->name != NULL;
	     q++) {
		struct node *n;

		if (q->route != id)
			continue;
		n = add_parameter(
		    d, to, q->name, "query", q->doc, query_schema(d, q));
		/* Joined by commas. */
		if (q->kind == QUERY_SOME)
			node_set(
			    d->arena, n, "explode", node_bool(d->arena, false));
	}
}

static bool
has_status(const char *statuses, const char *status)
{
	return statuses != NULL && strstr(statuses, status) != NULL;
}

static void
add_headers(const struct doc *d, struct node *to, const struct operation *o)
{
	struct node *schema;

	if (o->id == ROUTE_EVENTS)
		(void)add_parameter(d, to, "Last-Event-ID", "header",
		    "The last event that was seen.", typed(d, "string"));
	if (!has_status(route_replies[o->id].errors, "422"))
		return;
	schema = typed(d, "string");
	set_str(d, schema, "pattern", "^[!-~](?:[ -~]{0,253}[!-~])?$");
	(void)add_parameter(d, to, "Idempotency-Key", "header",
	    "The same request with it again makes no second job.", schema);
}

/* Answers */

static void
add_success(struct doc *d, struct node *to, const struct operation *o)
{
	const struct route_reply *r = &route_replies[o->id];
	bool gone = o->twin != NULL && o->twin->kind == TWIN_KIND_GONE;
	int status = o->twin != NULL && !gone ? 200 : r->status;
	struct arena *a = d->arena;
	struct node *n = response(d, http1_reason(status));
	const char *members = r->members;

	if (o->twin != NULL && o->twin->missing == MISSING_NULL)
		members = arena_printf(a, "%s|null", members);
	if (r->media == MEDIA_JSON || r->media == MEDIA_TEXT_TOO)
		add_content(d, n, TYPE_JSON,
		    openapi_members(a, members, status, &d->bad));
	if (r->media == MEDIA_DOCUMENT)
		add_content(d, n, TYPE_JSON, typed(d, "object"));
	if (r->media == MEDIA_TEXT || r->media == MEDIA_TEXT_TOO)
		add_content(d, n, TYPE_TEXT, typed(d, "string"));
	if (r->media == MEDIA_METRICS)
		add_content(d, n, TYPE_METRICS, typed(d, "string"));
	if (r->media == MEDIA_EVENTS)
		add_content(d, n, TYPE_EVENTS, typed(d, "string"));
	node_set(a, to, arena_printf(a, "%d", status), n);
	if (status == 200 && r->media != MEDIA_BARE &&
	    r->media != MEDIA_EVENTS &&
	    strcmp(routes[o->id].method, "GET") == 0)
		node_set(a, to, "304", openapi_ref(a, "responses", "304"));
	/* A server below that is not ours may say either. */
	if (gone)
		node_set(a, to, "200", response(d, http1_reason(200)));
}

/* Those of "400 401 ..." that are not there yet, as references. */
static void
add_errors(const struct doc *d, struct node *to, const char *statuses)
{
	for (const char *p = statuses; *p != '\0';) {
		size_t len = strcspn(p, " ");
		const char *status = arena_strndup(d->arena, p, len);

		if (status != NULL && node_get(to, status) == NULL)
			node_set(d->arena, to, status,
			    openapi_ref(d->arena, "responses", status));
		p += len;
		p += strspn(p, " ");
	}
}

static struct node *
responses_of(struct doc *d, const struct operation *o)
{
	struct node *n = map(d);

	if (routes[o->id].scope == SCOPE_NONE) {
		add_errors(d, n, "400 408 413 431 501");
		return n;
	}
	if (route_replies[o->id].status == 0) {
		d->bad = arena_printf(
		    d->arena, "%s has no REPLY row", route_names[o->id]);
		return n;
	}
	add_success(d, n, o);
	add_errors(d, n, route_replies[o->id].errors);
	add_errors(d, n, common_errors);
	/* What has not the pattern of its word is no path. */
	if (o->twin != NULL || strchr(routes[o->id].path, '{') != NULL)
		add_errors(d, n, "404");
	if (o->twin != NULL) {
		/* What a server below says goes through. */
		node_set(d->arena, n, "4XX",
		    openapi_ref(d->arena, "responses", "Chain"));
		node_set(d->arena, n, "5XX",
		    openapi_ref(d->arena, "responses", "Chain"));
	}
	return n;
}

/* Operations */

static const struct schema *
body_of(enum route_id id)
{
	for (size_t i = 0; i < TWIN_COUNT; i++)
		if (twins[i].id == id)
			return twins[i].body;
	return NULL;
}

static void
add_body(const struct doc *d, struct node *to, const struct schema *s)
{
	struct node *n = map(d);
	bool required = false;

	for (size_t i = 0; i < s->n; i++)
		required = required || (s->rows[i].flags & SCHEMA_REQUIRED);
	node_set(d->arena, n, "required", node_bool(d->arena, required));
	add_content(d, n, TYPE_JSON,
	    openapi_ref(d->arena, "schemas", openapi_body_name(d->arena, s)));
	node_set(d->arena, to, "requestBody", n);
}

/* Either header; the role is the scope. */
static void
add_security(const struct doc *d, struct node *to, enum route_scope scope)
{
	static const char *const roles[] = { "", "read", "deploy", "admin" };
	static const char *const schemes[] = { "authorization",
		"authentication" };
	struct node *all = list(d);

	for (size_t i = 0; scope != SCOPE_NONE && i < ARRAY_LEN(schemes); i++) {
		struct node *n = map(d), *role = list(d);

		node_add(d->arena, role, node_str(d->arena, roles[scope]));
		node_set(d->arena, n, schemes[i], role);
		node_add(d->arena, all, n);
	}
	node_set(d->arena, to, "security", all);
}

/* "chain_project_up" */
static const char *
operation_id(const struct doc *d, const struct operation *o)
{
	char *s = arena_printf(d->arena, "%s%s",
	    o->twin != NULL ? "chain_" : "", route_names[o->id]);

	for (char *p = s; p != NULL && *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return s;
}

static struct node *
operation_node(struct doc *d, const struct operation *o, const char *path)
{
	const struct route *r = &routes[o->id];
	struct node *n = map(d), *parameters = list(d), *tags = list(d);
	const struct schema *body = body_of(o->id);
	const char *word = strlen(r->path) > 4 ? r->path + 4 : "root";

	node_add(
	    d->arena, tags, node_strn(d->arena, word, strcspn(word, "/[")));
	set_str(d, n, "operationId", operation_id(d, o));
	set_str(d, n, "summary", r->doc);
	node_set(d->arena, n, "tags", tags);
	add_words(d, parameters, path);
	add_queries(d, parameters, o->id);
	add_headers(d, parameters, o);
	node_set(d->arena, n, "parameters", parameters);
	if (body != NULL)
		add_body(d, n, body);
	node_set(d->arena, n, "responses", responses_of(d, o));
	add_security(d, n, r->scope);
	return n;
}

static void
add_operation(struct doc *d, struct node *paths, const struct operation *o)
{
	const char *own = routes[o->id].path, *path;
	size_t len = strcspn(own, "[");
	struct node *at;
	char *method;

	path = o->twin != NULL ? arena_printf(d->arena, "/v1/chain/{chain}%.*s",
				     (int)(len - 3), own + 3)
			       : arena_strndup(d->arena, own, len);
	if (path != NULL)
		path = number_words(d, path);
	method = arena_strdup(d->arena, routes[o->id].method);
	if (path == NULL || method == NULL)
		return;
	for (char *p = method; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	at = node_get(paths, path);
	if (at == NULL) {
		at = map(d);
		node_set(d->arena, paths, path, at);
	}
	node_set(d->arena, at, method, operation_node(d, o, path));
}

static struct node *
paths_node(struct doc *d)
{
	struct node *paths = map(d);

	for (size_t i = 0; i < ROUTE_COUNT; i++)
		add_operation(d, paths,
		    &(const struct operation){ .id = (enum route_id)i });
	for (size_t i = 0; i < TWIN_COUNT; i++)
		add_operation(d, paths,
		    &(const struct operation){ twins[i].id, &twins[i] });
	return paths;
}

/* Components */

static struct node *
error_responses(struct doc *d)
{
	static const int statuses[] = { 400, 401, 403, 404, 408, 409, 413, 422,
		429, 431, 500, 501, 503, 507, 508 };
	struct arena *a = d->arena;
	struct node *all = map(d), *n;

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		n = response(d, http1_reason(statuses[i]));
		add_content(
		    d, n, TYPE_JSON, openapi_ref(a, "schemas", "Error"));
		node_set(a, all, arena_printf(a, "%d", statuses[i]), n);
	}
	node_set(a, all, "304", response(d, http1_reason(304)));
	n = response(d, "The way to the server below, or that one, failed");
	add_content(
	    d, n, TYPE_JSON, openapi_type(a, "ChainError|Error", &d->bad));
	node_set(a, all, "Chain", n);
	return all;
}

static struct node *
schemes_node(const struct doc *d)
{
	struct node *all = map(d), *bearer = typed(d, "http");
	struct node *key = typed(d, "apiKey");

	set_str(d, bearer, "scheme", "bearer");
	set_str(d, bearer, "bearerFormat", "JWT");
	node_set(d->arena, all, "authorization", bearer);
	set_str(d, key, "in", "header");
	set_str(d, key, "name", "Authentication");
	set_str(d, key, "description",
	    "\"Bearer TOKEN\", as the original has it; it wins over "
	    "Authorization.");
	node_set(d->arena, all, "authentication", key);
	return all;
}

static struct node *
info_node(const struct doc *d)
{
	struct node *n = map(d), *license = map(d);

	set_str(d, n, "title", "Overlord");
	set_str(d, n, "version", OVERLORD_VERSION);
	set_str(d, n, "description", about);
	set_str(d, license, "name", "BSD-2-Clause");
	set_str(d, license, "identifier", "BSD-2-Clause");
	node_set(d->arena, n, "license", license);
	return n;
}

int
openapi_write(struct strbuf *out, struct error *e)
{
	AUTO_ARENA struct arena a;
	struct doc d = { .arena = &a };
	struct node *n, *components;

	arena_init(&a, MEMORY_MAX);
	n = map(&d);
	components = map(&d);
	set_str(&d, n, "openapi", "3.1.0");
	node_set(&a, n, "info", info_node(&d));
	node_set(&a, n, "paths", paths_node(&d));
	node_set(&a, components, "schemas", openapi_schemas(&a, &d.bad));
	node_set(&a, components, "responses", error_responses(&d));
	node_set(&a, components, "securitySchemes", schemes_node(&d));
	node_set(&a, n, "components", components);
	if (arena_check(&a, e) < 0)
		return -1;
	if (d.bad != NULL)
		return error_set(
		    e, OVE_INTERNAL, "proto/details.def: %s", d.bad);
	json_write(out, n, JSON_COMPACT);
	return strbuf_check(out, e);
}
