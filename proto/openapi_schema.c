/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * JSON Schemas from the type words of details.def and from the tables of bodies
 * (lib/data/schema.h). JSON texts with U+0000 are not read, so every text that
 * is sent has the pattern of NO_NUL.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "lib/data/node.h"
#include "lib/data/schema.h"
#include "proto/detail.h"
#include "proto/openapi_internal.h"

#define NO_NUL "^[^\\u0000]*$"
#define VALUE "Value"
#define DEPTH_MAX 8

/* Types */

struct parser {
	struct arena *arena;
	const char *p;
	unsigned depth;
	bool failed;
};

static struct node *read_type(struct parser *x);

static struct node *
named(struct arena *a, const char *type)
{
	struct node *n = node_new(a, NODE_MAP);

	node_set(a, n, "type", node_str(a, type));
	return n;
}

static struct node *
fail(struct parser *x)
{
	x->failed = true;
	return NULL;
}

static bool
take(struct parser *x, char c)
{
	if (*x->p != c)
		return false;
	x->p++;
	return true;
}

/* A text of its own: 'closed'. */
static struct node *
read_quoted(struct parser *x)
{
	struct node *n = node_new(x->arena, NODE_MAP);
	size_t len = strcspn(x->p, "'");

	node_set(x->arena, n, "const", node_strn(x->arena, x->p, len));
	x->p += len;
	return take(x, '\'') ? n : fail(x);
}

static struct node *
read_word(struct parser *x)
{
	static const struct {
		const char *word;
		const char *type;
	} words[] = {
		{ "str", "string" },
		{ "int", "integer" },
		{ "num", "number" },
		{ "bool", "boolean" },
		{ "null", "null" },
	};
	struct arena *a = x->arena;
	size_t len = 0;
	struct node *n;
	const char *word;

	while (isalnum((unsigned char)x->p[len]))
		len++;
	word = arena_strndup(a, x->p, len);
	x->p += len;
	if (word == NULL || len == 0)
		return fail(x);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return named(a, words[i].type);
	if (strcmp(word, "any") == 0)
		return node_new(a, NODE_MAP);
	if (strcmp(word, "text") == 0) {
		n = named(a, "string");
		node_set(a, n, "pattern", node_str(a, NO_NUL));
		return n;
	}
	for (const struct route_shape *s = route_shapes; s->name != NULL; s++)
		if (strcmp(s->name, word) == 0)
			return openapi_ref(a, "schemas", word);
	return fail(x);
}

static struct node *
read_one(struct parser *x)
{
	struct arena *a = x->arena;
	bool list = *x->p == '[', map = *x->p == '{';
	struct node *n;

	if (!list && !map)
		return take(x, '\'') ? read_quoted(x) : read_word(x);
	x->p++;
	if (++x->depth > DEPTH_MAX)
		return fail(x);
	n = named(a, list ? "array" : "object");
	node_set(a, n, list ? "items" : "additionalProperties", read_type(x));
	x->depth--;
	return take(x, list ? ']' : '}') ? n : fail(x);
}

static struct node *
read_type(struct parser *x)
{
	struct arena *a = x->arena;
	struct node *first = read_one(x), *any, *list;

	if (*x->p != '|')
		return first;
	list = node_new(a, NODE_LIST);
	node_add(a, list, first);
	while (take(x, '|') && !x->failed)
		node_add(a, list, read_one(x));
	any = node_new(a, NODE_MAP);
	node_set(a, any, "anyOf", list);
	return any;
}

struct node *
openapi_type(struct arena *a, const char *type, const char **bad)
{
	struct parser x = { .arena = a, .p = type != NULL ? type : "" };
	struct node *n = type != NULL ? read_type(&x) : NULL;

	if (arena_check(a, NULL) < 0)
		return NULL;
	if (*x.p != '\0' || x.failed)
		*bad = type;
	return n;
}

struct node *
openapi_ref(struct arena *a, const char *kind, const char *name)
{
	struct node *n = node_new(a, NODE_MAP);

	node_set(a, n, "$ref",
	    node_str(a, arena_printf(a, "#/components/%s/%s", kind, name)));
	return n;
}

/* Objects */

struct object {
	struct arena *arena;
	struct node *map;
	struct node *properties;
	struct node *required;
};

static struct object
object_begin(struct arena *a)
{
	return (struct object){
		.arena = a,
		.map = named(a, "object"),
		.properties = node_new(a, NODE_MAP),
		.required = node_new(a, NODE_LIST),
	};
}

/* A "?" at its end: it may be absent. */
static void
object_add(struct object *o, const char *name, struct node *schema)
{
	size_t len = name != NULL ? strlen(name) : 0;
	struct arena *a = o->arena;

	if (len > 0 && name[len - 1] == '?')
		name = arena_strndup(a, name, len - 1);
	else
		node_add(a, o->required, node_str(a, name));
	node_add_pair(a, o->properties, node_str(a, name), schema);
}

static struct node *
object_end(struct object *o)
{
	struct arena *a = o->arena;

	node_set(a, o->map, "properties", o->properties);
	if (o->required != NULL && o->required->u.list.n > 0)
		node_set(a, o->map, "required", o->required);
	return o->map;
}

struct node *
openapi_members(
    struct arena *a, const char *members, int status, const char **bad)
{
	struct object o = object_begin(a);
	struct node *code = named(a, "integer");

	node_set(a, code, "const", node_int(a, status));
	object_add(&o, "status_code", code);
	for (const char *p = members; p != NULL && *p != '\0';) {
		size_t name = strcspn(p, ":"), type;
		const char *text;

		if (p[name] != ':') {
			*bad = members;
			break;
		}
		text = p + name + 1;
		text += strspn(text, " ");
		type = strcspn(text, ",");
		object_add(&o, arena_strndup(a, p, name),
		    openapi_type(
			a, arena_printf(a, "%.*s", (int)type, text), bad));
		p = text + type;
		p += strspn(p, ", ");
	}
	return object_end(&o);
}

static struct node *
shape_node(struct arena *a, const struct route_shape *s, const char **bad)
{
	struct object o = object_begin(a);

	node_set(a, o.map, "description", node_str(a, s->doc));
	for (const struct route_member *m = route_members; m->shape != NULL;
	     m++) {
		struct node *n;

		if (strcmp(m->shape, s->name) != 0)
			continue;
		n = openapi_type(a, m->type, bad);
		node_set(a, n, "description", node_str(a, m->doc));
		object_add(&o, m->name, n);
	}
	return object_end(&o);
}

/* Bodies */

static struct node *row_node(struct arena *a, const struct schema_row *r);
static struct node *rows_node(struct arena *a, const struct schema_row *rows,
    size_t n, size_t prefix, unsigned flags);

static void
add_range(struct arena *a, struct node *n, const struct schema_row *r)
{
	if (r->min == 0 && r->max == 0)
		return;
	node_set(a, n, "minimum", node_int(a, r->min));
	if (r->max != SCHEMA_NO_MAX)
		node_set(a, n, "maximum", node_int(a, r->max));
}

static struct node *
no_nul(struct arena *a)
{
	struct node *n = named(a, "string");

	node_set(a, n, "pattern", node_str(a, NO_NUL));
	return n;
}

static struct node *
str_node(struct arena *a, const struct schema_row *r)
{
	struct node *n = named(a, "string"), *list;

	if (r->choices == NULL) {
		node_set(a, n, "pattern",
		    node_str(a, r->pattern != NULL ? r->pattern : NO_NUL));
		return n;
	}
	list = node_new(a, NODE_LIST);
	for (size_t i = 0; r->choices[i] != NULL; i++)
		node_add(a, list, node_str(a, r->choices[i]));
	node_set(a, n, "enum", list);
	return n;
}

static struct node *
map_node(struct arena *a, const struct schema_row *r)
{
	struct node *n = named(a, "object"), *keys = named(a, "string");

	node_set(a, keys, "pattern",
	    node_str(a, r->pattern != NULL ? r->pattern : NO_NUL));
	node_set(a, n, "propertyNames", keys);
	node_set(a, n, "additionalProperties", row_node(a, r->elem));
	if (r->flags & SCHEMA_NONEMPTY)
		node_set(a, n, "minProperties", node_int(a, 1));
	return n;
}

static struct node *
value_node(struct arena *a, const struct schema_row *r)
{
	struct node *n;

	switch (r->type) {
	case SCHEMA_BOOL:
		return named(a, "boolean");
	case SCHEMA_INT:
		n = named(a, "integer");
		add_range(a, n, r);
		return n;
	case SCHEMA_FLOAT:
	case SCHEMA_NUMBER:
		return named(a, "number");
	case SCHEMA_STR:
		return str_node(a, r);
	case SCHEMA_LIST:
		n = named(a, "array");
		node_set(a, n, "items", row_node(a, r->elem));
		if ((r->flags & SCHEMA_NONEMPTY) || r->min > 0)
			node_set(a, n, "minItems", node_int(a, 1));
		return n;
	case SCHEMA_MAP:
		return map_node(a, r);
	case SCHEMA_STRUCT:
		return openapi_body(a, r->sub);
	case SCHEMA_NODE:
		return r->shape != NULL ? openapi_ref(a, "schemas", r->shape)
					: node_new(a, NODE_MAP);
	case SCHEMA_GROUP:
		break;
	}
	return node_new(a, NODE_MAP);
}

static struct node *
or_null(struct arena *a, struct node *n)
{
	struct node *any = node_new(a, NODE_MAP), *list;

	list = node_new(a, NODE_LIST);
	node_add(a, list, n);
	node_add(a, list, named(a, "null"));
	node_set(a, any, "anyOf", list);
	return any;
}

/* null is the same as absence, so what need not be there may be null. */
static struct node *
row_node(struct arena *a, const struct schema_row *r)
{
	/* An element with a shape is judged by that. */
	bool nullable = r->key != NULL
	    ? !(r->flags & SCHEMA_REQUIRED)
	    : (r->flags & SCHEMA_NULLABLE) != 0 && r->shape == NULL;
	struct node *n = value_node(a, r);

	if (nullable)
		n = or_null(a, n);
	if (r->doc != NULL)
		node_set(a, n, "description", node_str(a, r->doc));
	return n;
}

static struct node *
rows_node(struct arena *a, const struct schema_row *rows, size_t n,
    size_t prefix, unsigned flags)
{
	struct object o = object_begin(a);
	bool strict = !(flags & (SCHEMA_UNKNOWN_IGNORE | SCHEMA_UNKNOWN_WARN));

	/* What is ignored must be readable all the same. */
	if (!strict)
		node_set(a, o.map, "propertyNames", no_nul(a));
	node_set(a, o.map, "additionalProperties",
	    strict ? node_bool(a, false) : openapi_ref(a, "schemas", VALUE));
	for (size_t i = 0; i < n; i++) {
		const struct schema_row *r = &rows[i];
		const char *key = r->key + prefix;
		size_t len = strlen(r->key), more = 0;
		struct node *value;

		if (r->type == SCHEMA_GROUP) {
			more = schema_group_len(r, n - i);
			value = rows_node(a, r + 1, more, len + 1, r->flags);
			if (!(r->flags & SCHEMA_REQUIRED))
				value = or_null(a, value);
			node_set(a, value, "description", node_str(a, r->doc));
		} else {
			value = row_node(a, r);
		}
		object_add(&o,
		    r->flags & SCHEMA_REQUIRED ? key
					       : arena_printf(a, "%s?", key),
		    value);
		i += more;
	}
	return object_end(&o);
}

/* Any of the variants, each with its own name as the tag. */
static struct node *
variants_node(struct arena *a, const struct schema *s)
{
	struct node *any = node_new(a, NODE_MAP), *list, *n, *tag;

	list = node_new(a, NODE_LIST);
	for (size_t i = 0; i < s->n_variants; i++) {
		const struct schema *v = s->variants[i];

		n = rows_node(a, v->rows, v->n, 0, v->flags);
		tag = node_new(a, NODE_MAP);
		node_set(a, tag, "const", node_str(a, v->name));
		node_replace(a, node_get(n, "properties"), v->rows[0].key, tag);
		node_add(a, list, n);
	}
	node_set(a, any, "anyOf", list);
	return any;
}

/* Any JSON that is read: without U+0000. */
static struct node *
any_value(struct arena *a)
{
	static const char *const plain[] = { "null", "boolean", "number" };
	struct node *any = node_new(a, NODE_MAP),
		    *list = node_new(a, NODE_LIST);
	struct node *array = named(a, "array"), *object = named(a, "object");

	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		node_add(a, list, named(a, plain[i]));
	node_set(a, array, "items", openapi_ref(a, "schemas", VALUE));
	node_set(a, object, "propertyNames", no_nul(a));
	node_set(a, object, "additionalProperties",
	    openapi_ref(a, "schemas", VALUE));
	node_add(a, list, no_nul(a));
	node_add(a, list, array);
	node_add(a, list, object);
	node_set(a, any, "anyOf", list);
	return any;
}

struct node *
openapi_body(struct arena *a, const struct schema *s)
{
	if (s->n_variants > 0)
		return variants_node(a, s);
	return rows_node(a, s->rows, s->n, 0, s->flags);
}

const char *
openapi_body_name(struct arena *a, const struct schema *s)
{
	return arena_printf(
	    a, "Body%c%s", toupper((unsigned char)s->name[0]), s->name + 1);
}

struct node *
openapi_schemas(struct arena *a, const char **bad)
{
	struct node *map = node_new(a, NODE_MAP);

	for (const struct route_shape *s = route_shapes; s->name != NULL; s++)
		node_set(a, map, s->name, shape_node(a, s, bad));
	node_set(a, map, VALUE, any_value(a));
	/* Several twins have the same one. */
	for (size_t i = 0; i < TWIN_COUNT; i++) {
		const struct schema *s = twins[i].body;
		const char *name = s != NULL ? openapi_body_name(a, s) : NULL;

		if (name != NULL && node_get(map, name) == NULL)
			node_set(a, map, name, openapi_body(a, s));
	}
	return map;
}
