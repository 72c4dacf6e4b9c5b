/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the schema engine says: paths, quoted values, the words of its findings
 * in both modes, and what is wrong with a key (no string, unknown) with a hint
 * where it may belong. schema.c decides what is a fault; the wording is here
 * (cli.md 7 for files, rest-api.md 1.9 for bodies).
 */

#include "lib/data/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/data/schema_internal.h"

/* A number in a message, in characters (cli.md 7.1). */
#define QUOTE_MAX 60
/* Tables in tables; deeper would be a table that holds itself. */
#define TABLES_MAX 8

static struct diag_pos
pos_of(const struct schema_at *at, const struct node *n)
{
	static const struct diag_pos nowhere, start = { 1, 1 };

	if (at->run->mode != SCHEMA_FILE)
		return nowhere;
	if (n == NULL || n->line == 0)
		n = at->where;
	if (n == NULL || n->line == 0)
		return start;
	return (struct diag_pos){ n->line, n->col };
}

/* Paths and values */

static bool
key_is_plain(const char *key)
{
	size_t i;

	for (i = 0; key[i] != '\0'; i++) {
		if ((unsigned char)key[i] <= ' ' || key[i] == '.' ||
		    key[i] == '"' || key[i] == '[' || key[i] == '\x7f')
			return false;
	}
	return i > 0;
}

static void
path_add(struct strbuf *b, const struct schema_at *at)
{
	if (at == NULL || (at->key == NULL && at->where == NULL))
		return;
	path_add(b, at->up);
	if (at->key == NULL && at->run->mode == SCHEMA_PARTS) {
		strbuf_addf(b, ".<item#%zu>", at->index);
		return;
	}
	if (at->key == NULL) {
		strbuf_addf(b, "[%zu]", at->index);
		return;
	}
	if (b->len > 0)
		strbuf_addc(b, '.');
	if (key_is_plain(at->key) || at->run->mode == SCHEMA_PARTS) {
		strbuf_add_escaped(b, at->key, strlen(at->key));
		return;
	}
	strbuf_addc(b, '"');
	strbuf_add_escaped(b, at->key, strlen(at->key));
	strbuf_addc(b, '"');
}

const char *
schema_path(const struct schema_at *at)
{
	AUTO_STRBUF struct strbuf b;
	const char *s;

	strbuf_init(&b, 4096);
	path_add(&b, at);
	s = arena_strdup(at->run->arena, b.buf);
	return s != NULL ? s : "";
}

const char *
schema_quote(struct arena *a, const struct node *n)
{
	char buf[NODE_FLOAT_LEN];
	const char *s;

	switch (n->type) {
	case NODE_STR:
	case NODE_TIME:
		return diag_quote(a, n->u.str.s, n->u.str.len);
	case NODE_NULL:
	case NODE_BOOL:
	case NODE_INT:
	case NODE_FLOAT:
		s = node_scalar_text(n, buf);
		s = arena_strndup(a, s, strnlen(s, QUOTE_MAX));
		return s != NULL ? s : "";
	case NODE_BYTES:
	case NODE_LIST:
	case NODE_MAP:
	case NODE_SET:
		break;
	}
	return node_type_article(n);
}

const char *
schema_quote_python(struct arena *a, const struct node *n)
{
	const char *s;

	switch (n->type) {
	case NODE_STR:
		return schema_quote(a, n);
	case NODE_NULL:
		return "'None'";
	case NODE_BOOL:
		return n->u.b ? "'True'" : "'False'";
	default:
		s = arena_printf(a, "'%s'", schema_quote(a, n));
		return s != NULL ? s : "";
	}
}

/* Findings */

static void CC_PRINTF(6, 0)
    add_finding(const struct schema_at *at, const struct node *n, bool warning,
	const char *rule, const char *hint, const char *fmt, va_list ap)
{
	char reason[REASON_MAX];
	struct diag *d = at->run->diag;
	const char *path;

	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	path = schema_path(at);
	if (warning)
		diag_warn(d, pos_of(at, n), rule, path, hint, "%s", reason);
	else if (at->run->mode == SCHEMA_BODY && *path != '\0')
		diag_error(d, pos_of(at, n), rule, path, NULL, "%s: %s.", path,
		    reason);
	else if (at->run->mode == SCHEMA_PARTS && *path != '\0')
		diag_error(
		    d, pos_of(at, n), rule, path, NULL, "%s: %s", path, reason);
	else
		diag_error(d, pos_of(at, n), rule, path, hint, "%s", reason);
}

void
schema_fault(const struct schema_at *at, const struct node *n, const char *rule,
    const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_finding(at, n, false, rule, hint, fmt, ap);
	va_end(ap);
}

void
schema_warn(const struct schema_at *at, const struct node *n, const char *rule,
    const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_finding(at, n, true, rule, hint, fmt, ap);
	va_end(ap);
}

void
schema_fault_text(const struct schema_at *at, const struct node *n,
    const char *rule, const char *fmt, ...)
{
	char reason[REASON_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	diag_error(at->run->diag, pos_of(at, n), rule, schema_path(at), NULL,
	    "%s", reason);
}

const char *
schema_body_message(const struct diag *d)
{
	size_t i;

	for (i = 0; i < d->n; i++) {
		if (!d->items[i].warning)
			return d->items[i].reason;
	}
	return NULL;
}

const char *
row_type_name(enum schema_type t, enum schema_mode mode)
{
	bool file = mode == SCHEMA_FILE;

	switch (t) {
	case SCHEMA_BOOL:
		return file ? "a boolean" : "boolean";
	case SCHEMA_INT:
		return file ? "an integer" : "number";
	case SCHEMA_FLOAT:
	case SCHEMA_NUMBER:
		return file ? "a number" : "number";
	case SCHEMA_STR:
		return file ? "a string" : "string";
	case SCHEMA_LIST:
		return file ? "a list" : "array";
	case SCHEMA_GROUP:
	case SCHEMA_MAP:
	case SCHEMA_STRUCT:
		return file ? "a mapping" : "object";
	case SCHEMA_NODE:
		break;
	}
	return file ? "something else" : "another type";
}

static const char *
json_type(const struct node *n)
{
	switch (n->type) {
	case NODE_NULL:
		return "null";
	case NODE_BOOL:
		return "boolean";
	case NODE_INT:
	case NODE_FLOAT:
		return "number";
	case NODE_STR:
	case NODE_TIME:
		return "string";
	case NODE_LIST:
		return "array";
	case NODE_BYTES:
	case NODE_MAP:
	case NODE_SET:
		return "object";
	}
	return "null";
}

/* The original's name of what a file should have. */
static const char *
python_name(enum schema_type t)
{
	switch (t) {
	case SCHEMA_BOOL:
		return "bool";
	case SCHEMA_INT:
		return "int";
	case SCHEMA_FLOAT:
	case SCHEMA_NUMBER:
		return "float";
	case SCHEMA_STR:
		return "str";
	case SCHEMA_LIST:
		return "list";
	case SCHEMA_GROUP:
	case SCHEMA_MAP:
	case SCHEMA_STRUCT:
	case SCHEMA_NODE:
		break;
	}
	return "dict";
}

/* A member of the body itself. */
static bool
is_member(const struct schema_at *at)
{
	return at->up == NULL || at->up->up == NULL;
}

void
schema_fault_type(
    const struct schema_at *at, const struct node *n, enum schema_type expected)
{
	struct arena *a = at->run->arena;
	const char *want, *found, *hint;

	want = row_type_name(expected, at->run->mode);
	if (at->run->mode == SCHEMA_PARTS && !is_member(at)) {
		schema_fault(at, n, "type", NULL, "requires '%s', given '%s'.",
		    python_name(expected), node_type_python(n));
		return;
	}
	if (at->run->mode != SCHEMA_FILE) {
		schema_fault_text(at, n,
		    at->run->mode == SCHEMA_BODY ? "type" : "argument",
		    "'%s' has an unexpected value type: expected %s, "
		    "given %s.",
		    schema_path(at), want, json_type(n));
		return;
	}
	found = schema_quote(a, n);
	if (n->type == NODE_NULL || strcmp(found, node_type_article(n)) == 0) {
		schema_fault(at, n, "type", NULL, "expected %s, found %s", want,
		    node_type_article(n));
		return;
	}
	hint = NULL;
	if (expected == SCHEMA_STR &&
	    (n->type == NODE_INT || n->type == NODE_FLOAT))
		hint = arena_printf(a, "quote it: '%s'", found);
	else if (expected == SCHEMA_STR && n->type == NODE_BOOL)
		hint = "put it in quotes";
	schema_fault(at, n, "type", hint, "expected %s, found %s (%s)", want,
	    node_type_article(n), found);
}

void
row_fault_missing(
    const struct schema_at *at, const struct node *where, const char *key)
{
	const char *path = schema_path(at);

	if (at->run->mode == SCHEMA_BODY) {
		schema_fault_text(at, NULL, "required",
		    "`%s%s%s` is required but hasn't been specified.", path,
		    *path != '\0' ? "." : "", key);
		return;
	}
	if (at->run->mode == SCHEMA_PARTS) {
		schema_fault_text(at, NULL, "required",
		    "%s%s%s: a required parameter has not been specified.",
		    path, *path != '\0' ? "." : "", key);
		return;
	}
	schema_fault(at, where, "required", NULL, "'%s' is missing", key);
}

void
schema_fault_missing(const struct schema_at *at, const char *key)
{
	row_fault_missing(at, NULL, key);
}

void
row_fault_empty(const struct schema_at *at, const struct node *n)
{
	if (at->run->mode == SCHEMA_PARTS)
		schema_fault(at, n, "empty", NULL,
		    "a length of '-1' has been specified, but should be '> "
		    "0'.");
	else
		schema_fault(at, n, "empty", NULL, "must not be empty");
}

void
row_fault_range(const struct schema_at *at, const struct node *n,
    const struct schema_row *r, int64_t min, int64_t max)
{
	const char *found = schema_quote(at->run->arena, n);

	if (at->run->mode == SCHEMA_PARTS)
		schema_fault(at, n, "range", NULL,
		    "invalid value, should be '>= %lld', given '%s'.",
		    (long long)min, found);
	else if (n->big || (r->min == 0 && r->max == 0))
		schema_fault(
		    at, n, "range", NULL, "integer out of range (%s)", found);
	else if (r->max == SCHEMA_NO_MAX)
		schema_fault(at, n, "range", NULL,
		    "must be %lld or more, found %s", (long long)min, found);
	else
		schema_fault(at, n, "range", NULL,
		    "must be from %lld to %lld, found %s", (long long)min,
		    (long long)max, found);
}

void
row_fault_choice(const struct schema_at *at, const struct node *n,
    const struct schema_row *r)
{
	struct arena *a = at->run->arena;
	struct strbuf b;
	size_t i;

	if (at->run->mode == SCHEMA_PARTS) {
		schema_fault(at, n, "choice", NULL, "invalid %s: %s%s", at->key,
		    schema_quote_python(a, n),
		    r->flags & SCHEMA_CHOICE_STOP ? "." : "");
		return;
	}
	strbuf_init(&b, REASON_MAX);
	for (i = 0; r->choices[i] != NULL; i++)
		strbuf_addf(&b, "%s%s", i > 0 ? ", " : "", r->choices[i]);
	schema_fault(at, n, "choice",
	    diag_suggest(a, n->u.str.s, r->choices, i), "%s is not one of: %s",
	    schema_quote(a, n), b.buf);
	strbuf_fini(&b);
}

/* Keys */

struct schema_at
schema_at_pair(const struct schema_at *at, const struct node_pair *pair)
{
	const char *key = node_text(pair->key);

	return (struct schema_at){
		.run = at->run,
		.up = at,
		.key = key != NULL ? key : "",
		.where = pair->key,
	};
}

struct schema_at
schema_at_item(
    const struct schema_at *at, const struct node *item, size_t index)
{
	return (struct schema_at){
		.run = at->run,
		.up = at,
		.index = index,
		.where = item,
	};
}

bool
row_text_has_nul(const struct node *n)
{
	return n->type == NODE_STR &&
	    memchr(n->u.str.s, '\0', n->u.str.len) != NULL;
}

bool
row_key_is_text(const struct schema_at *at, const struct node *key)
{
	struct arena *a = at->run->arena;
	const char *hint;

	if (key->type == NODE_STR && !row_text_has_nul(key))
		return true;
	if (key->type == NODE_STR) {
		schema_fault(at, key, "key-type", NULL,
		    "the key %s holds a NUL character", schema_quote(a, key));
		return false;
	}
	hint = NULL;
	if (key->type == NODE_INT || key->type == NODE_FLOAT)
		hint = arena_printf(a, "quote it: '%s'", schema_quote(a, key));
	else if (key->type == NODE_BOOL)
		hint = "put it in quotes";
	schema_fault(at, key, "key-type", hint,
	    "expected a string as key, found %s (%s)", node_type_article(key),
	    schema_quote(a, key));
	return false;
}

/* The table below which a row named `key` stands: "tls", "chains.<name>". */
static const char *
find_elsewhere(struct arena *a, const struct schema *s, const char *path,
    const char *key, int depth)
{
	const struct schema_row *r, *e;
	const char *dot, *sub, *found;
	size_t i;

	if (depth > TABLES_MAX)
		return NULL;
	for (i = 0; i < s->n; i++) {
		r = &s->rows[i];
		dot = strrchr(r->key, '.');
		if (strcmp(dot != NULL ? dot + 1 : r->key, key) == 0) {
			if (dot == NULL)
				return path;
			return arena_printf(a, "%s%s%.*s", path,
			    *path != '\0' ? "." : "", (int)(dot - r->key),
			    r->key);
		}
	}
	for (i = 0; i < s->n; i++) {
		r = e = &s->rows[i];
		sub = "";
		while ((e->type == SCHEMA_LIST || e->type == SCHEMA_MAP) &&
		    e->elem != NULL) {
			sub = e->type == SCHEMA_LIST ? "[]" : ".<name>";
			e = e->elem;
		}
		if (e->sub == NULL)
			continue;
		found = arena_printf(
		    a, "%s%s%s%s", path, *path != '\0' ? "." : "", r->key, sub);
		if (found != NULL)
			found =
			    find_elsewhere(a, e->sub, found, key, depth + 1);
		if (found != NULL)
			return found;
	}
	for (i = 0; i < s->n_variants; i++) {
		found = find_elsewhere(a, s->variants[i], path, key, depth + 1);
		if (found != NULL)
			return found;
	}
	return NULL;
}

static const char *
unknown_hint(const struct schema_at *at, const char *key,
    const char *const *known, size_t n)
{
	const struct schema *root = at->run->root;
	struct arena *a = at->run->arena;
	const char *hint, *place;

	hint = diag_suggest(a, key, known, n);
	if (hint != NULL || root == NULL)
		return hint;
	place = find_elsewhere(a, root, "", key, 0);
	if (place != NULL && *place != '\0')
		return arena_printf(a, "'%s' belongs to '%s'", key, place);
	if (place != NULL && at->up != NULL)
		return arena_printf(
		    a, "'%s' is a top-level key; move it to column 1", key);
	if (root->unknown_hint != NULL)
		return root->unknown_hint(at, key);
	return NULL;
}

void
row_check_keys(const struct schema_at *at, const struct node *map,
    const char *const *known, size_t n, unsigned flags)
{
	struct schema_at here;
	const struct node *key;
	const char *hint, *word;
	size_t i, k;

	bool parts = at->run->mode == SCHEMA_PARTS;

	if (at->run->mode == SCHEMA_BODY || (flags & SCHEMA_UNKNOWN_IGNORE) ||
	    (parts && (flags & SCHEMA_UNKNOWN_WARN)))
		return;
	for (i = 0; i < map->u.map.n; i++) {
		key = map->u.map.pairs[i].key;
		if (!row_key_is_text(at, key))
			continue;
		word = key->u.str.s;
		for (k = 0; k < n && strcmp(known[k], word) != 0; k++)
			continue;
		if (k < n)
			continue;
		here = schema_at_pair(at, &map->u.map.pairs[i]);
		hint = parts ? NULL : unknown_hint(at, word, known, n);
		if (flags & SCHEMA_UNKNOWN_WARN)
			schema_warn(
			    &here, key, "unknown-key", hint, "unknown key");
		else
			schema_fault(&here, key, "unknown-key", hint,
			    parts ? "invalid parameter." : "unknown key");
	}
}

void
schema_check_keys(const struct schema_at *at, const struct node *map,
    const char *const *known, size_t n)
{
	row_check_keys(at, map, known, n, 0);
}
