/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The router: see router.h. The templates become a tree of segments. A node has
 * literal children, found through one hash table for the whole tree, and
 * parameter children, tried in the order of the table; a literal goes first,
 * and a parameter is tried when no row below the literal fits. What a request
 * costs is linear in its path: the tree is as deep as the longest template, a
 * segment is hashed once, and a rule reads it once per parameter that stands at
 * its place.
 *
 * The rows that end in a node stand in two lists: for paths without and with a
 * slash at the end ("[/]" puts a row in both). Each list has its Allow text
 * ready. A path is known when a list has a row; then the method decides.
 */
#include "lib/net/router.h"

#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/base/strbuf.h"
#include "lib/net/url.h"

#define ROUTER_MEMORY_MAX ((size_t)4 << 20)
#define SEGMENTS_MAX 16
#define ALLOW_MAX 256

struct entry {
	struct entry *next;
	const struct route_row *row;
};

struct node {
	const struct node *parent;
	/* A literal, when rule is NULL (the root has neither). */
	const char *text;
	size_t len;
	const struct route_rule *rule;
	/* Literals: the next in its bucket. Parameters: the next sibling. */
	struct node *next;
	struct node *params;
	/* Index: does the path end in a slash? */
	struct entry *rows[2];
	const char *allow[2];
};

struct router {
	struct arena arena;
	struct node root;
	struct node **buckets;
	/* A power of 2. */
	size_t buckets_n;
	const struct route_rule *rules;
	size_t rules_n;
};

static uint64_t
hash(const struct node *parent, const char *s, size_t len)
{
	uint64_t h = hash_add(HASH_INIT ^ (uint64_t)(uintptr_t)parent, s, len);

	return h ^ h >> 32;
}

static struct node **
bucket(const struct router *r, const struct node *parent, const char *s,
    size_t len)
{
	return &r->buckets[hash(parent, s, len) & (r->buckets_n - 1)];
}

static struct node *
find_literal(const struct router *r, const struct node *parent, const char *s,
    size_t len)
{
	struct node *n;

	for (n = *bucket(r, parent, s, len); n != NULL; n = n->next)
		if (n->parent == parent && n->len == len &&
		    memcmp(n->text, s, len) == 0)
			return n;
	return NULL;
}

static struct node *
add_node(struct router *r, const struct node *parent, const char *s, size_t len)
{
	struct node *n = arena_alloc(&r->arena, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->parent = parent;
	n->text = s;
	n->len = len;
	return n;
}

static struct node *
get_literal(struct router *r, struct node *parent, const char *s, size_t len)
{
	struct node **head, *n = find_literal(r, parent, s, len);

	if (n != NULL)
		return n;
	n = add_node(r, parent, s, len);
	if (n == NULL)
		return NULL;
	head = bucket(r, parent, s, len);
	n->next = *head;
	*head = n;
	return n;
}

static const struct route_rule *
find_rule(const struct router *r, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < r->rules_n; i++)
		if (strlen(r->rules[i].word) == len &&
		    memcmp(r->rules[i].word, s, len) == 0)
			return &r->rules[i];
	return NULL;
}

static struct node *
get_param(struct router *r, struct node *parent, const struct route_rule *rule)
{
	struct node **n;

	for (n = &parent->params; *n != NULL; n = &(*n)->next)
		if ((*n)->rule == rule)
			return *n;
	*n = add_node(r, parent, NULL, 0);
	if (*n != NULL)
		(*n)->rule = rule;
	return *n;
}

/* The child for one segment of a template. */
static int
get_child(struct router *r, struct node **n, const char *s, size_t len,
    struct error *e)
{
	const struct route_rule *rule;
	const char *colon;
	size_t word;

	if (len == 0)
		return error_set(e, OVE_INVALID, "empty segment");
	if (s[0] != '{') {
		if (strcspn(s, "{}[]") < len)
			return error_set(
			    e, OVE_INVALID, "brace within a segment");
		*n = get_literal(r, *n, s, len);
		return *n == NULL ? arena_check(&r->arena, e) : 0;
	}
	if (s[len - 1] != '}' || len < 3)
		return error_set(e, OVE_INVALID, "brace within a segment");
	colon = memchr(s, ':', len);
	word = colon != NULL ? (size_t)(colon - s) - 1 : len - 2;
	rule = find_rule(r, s + 1, word);
	if (rule == NULL)
		return error_set(
		    e, OVE_INVALID, "no rule '%.*s'", (int)word, s + 1);
	*n = get_param(r, *n, rule);
	return *n == NULL ? arena_check(&r->arena, e) : 0;
}

static int
add_entry(struct router *r, struct node *n, const struct route_row *row,
    int slash, struct error *e)
{
	struct entry **p;

	for (p = &n->rows[slash]; *p != NULL; p = &(*p)->next)
		if (strcmp((*p)->row->method, row->method) == 0)
			return error_set(e, OVE_INVALID, "stands there twice");
	*p = arena_alloc(&r->arena, sizeof(**p));
	if (*p == NULL)
		return arena_check(&r->arena, e);
	(*p)->row = row;
	return 0;
}

static int
add_row(struct router *r, const struct route_row *row, struct error *e)
{
	struct node *n = &r->root;
	const char *p = row->path;
	size_t len, params = 0, segments = 0;

	if (*p != '/')
		return error_set(e, OVE_INVALID, "no slash at the start");
	for (p++; *p != '\0';) {
		len = strcspn(p, "/[");
		if (++segments > SEGMENTS_MAX ||
		    (*p == '{' && ++params > ROUTE_PARAMS_MAX))
			return error_set(e, OVE_INVALID, "too many segments");
		if (get_child(r, &n, p, len, e) == -1)
			return -1;
		p += len;
		if (*p != '/')
			break;
		p++;
		if (*p == '\0')
			return add_entry(r, n, row, 1, e);
	}
	if (n == &r->root)
		return add_entry(r, n, row, 1, e);
	if (strcmp(p, "[/]") == 0 && add_entry(r, n, row, 1, e) == -1)
		return -1;
	if (*p != '\0' && strcmp(p, "[/]") != 0)
		return error_set(e, OVE_INVALID, "bracket within a segment");
	return add_entry(r, n, row, 0, e);
}

static int
make_allow(struct router *r, struct node *n, int slash, struct error *e)
{
	struct strbuf b AUTO_STRBUF;
	const struct entry *p;
	bool options = false;

	strbuf_init(&b, ALLOW_MAX);
	for (p = n->rows[slash]; p != NULL; p = p->next) {
		strbuf_addf(&b, "%s%s", b.len > 0 ? ", " : "", p->row->method);
		options = options || strcmp(p->row->method, "OPTIONS") == 0;
	}
	if (!options)
		strbuf_adds(&b, ", OPTIONS");
	if (strbuf_check(&b, e) == -1)
		return -1;
	n->allow[slash] = arena_strndup(&r->arena, b.buf, b.len);
	return n->allow[slash] == NULL ? arena_check(&r->arena, e) : 0;
}

/* Walks a template again to the node where it ends; it is there. */
static struct node *
find_end(struct router *r, const char *path)
{
	struct node *n = &r->root;
	const char *p = path + 1;
	size_t len;

	while (*p != '\0' && *p != '[') {
		len = strcspn(p, "/[");
		if (get_child(r, &n, p, len, NULL) == -1)
			return &r->root;
		p += len;
		p += *p == '/';
	}
	return n;
}

static int
build(struct router *r, const struct route_row *rows, size_t rows_n,
    struct error *e)
{
	struct node *n;
	size_t i;
	int slash;

	r->buckets_n = 16;
	while (r->buckets_n < rows_n * 4)
		r->buckets_n *= 2;
	r->buckets =
	    arena_calloc(&r->arena, r->buckets_n, sizeof(struct node *));
	if (r->buckets == NULL)
		return arena_check(&r->arena, e);
	for (i = 0; i < rows_n; i++)
		if (add_row(r, &rows[i], e) == -1)
			return error_wrap(
			    e, "route %s %s", rows[i].method, rows[i].path);
	for (i = 0; i < rows_n; i++) {
		n = find_end(r, rows[i].path);
		for (slash = 0; slash < 2; slash++)
			if (n->rows[slash] != NULL && n->allow[slash] == NULL &&
			    make_allow(r, n, slash, e) == -1)
				return error_wrap(e, "route %s", rows[i].path);
	}
	return 0;
}

int
router_new(struct router **ret, const struct route_row *rows, size_t rows_n,
    const struct route_rule *rules, size_t rules_n, struct error *e)
{
	AUTO(router) struct router *r = mem_calloc(1, sizeof(*r));

	if (r == NULL)
		return error_nomem(e);
	arena_init(&r->arena, ROUTER_MEMORY_MAX);
	r->rules = rules;
	r->rules_n = rules_n;
	if (build(r, rows, rows_n, e) == -1)
		return -1;
	*ret = STEAL(r);
	return 0;
}

struct router *
router_free(struct router *r)
{
	if (r == NULL)
		return NULL;
	arena_fini(&r->arena);
	mem_free(r);
	return NULL;
}

/* The path, cut at its slashes. */
struct pieces {
	const char *p[SEGMENTS_MAX];
	size_t len[SEGMENTS_MAX];
	size_t n;
	int slash;
};

static bool
cut(const char *path, size_t len, struct pieces *s)
{
	const char *p = path, *end = path + len, *next;

	s->n = 0;
	s->slash = 0;
	if (len == 0 || *p != '/')
		return false;
	for (p++; p < end; p = next + 1) {
		next = memchr(p, '/', (size_t)(end - p));
		if (next == NULL)
			next = end;
		if (next == p || s->n == SEGMENTS_MAX)
			return false;
		s->p[s->n] = p;
		s->len[s->n++] = (size_t)(next - p);
		if (next == end)
			return true;
	}
	s->slash = 1;
	return true;
}

/* What find() has found: the rules stand in the nodes on the way. */
struct found {
	const struct node *end;
	const struct node *at[SEGMENTS_MAX];
};

static bool
param_fits(const struct node *n, const struct pieces *s, size_t i)
{
	return n->rule->ok == NULL || n->rule->ok(s->p[i], s->len[i]);
}

/* The node that comes after `last` (NULL: the first) among those that fit
 * piece i below n. */
static const struct node *
next_fit(const struct router *r, const struct node *n, const struct node *last,
    const struct pieces *s, size_t i)
{
	const struct node *p;

	if (last == NULL) {
		p = find_literal(r, n, s->p[i], s->len[i]);
		if (p != NULL)
			return p;
	}
	p = last == NULL || last->rule == NULL ? n->params : last->next;
	while (p != NULL && !param_fits(p, s, i))
		p = p->next;
	return p;
}

/* Depth first, going back at most once per branch of the table. */
static bool
find(const struct router *r, const struct pieces *s, struct found *f)
{
	const struct node *n = &r->root, *last = NULL;
	size_t depth = 0;

	for (;;) {
		if (depth == s->n && n->rows[s->slash] != NULL) {
			f->end = n;
			return true;
		}
		n = depth < s->n ? next_fit(r, n, last, s, depth) : NULL;
		if (n != NULL) {
			f->at[depth++] = n;
			last = NULL;
			continue;
		}
		if (depth == 0)
			return false;
		last = f->at[--depth];
		n = last->parent;
	}
}

static bool
has_nul(const char *s, size_t len)
{
	for (size_t i = 0; i + 3 <= len; i++)
		if (memcmp(s + i, "%00", 3) == 0)
			return true;
	return false;
}

static int
add_params(const struct pieces *s, const struct found *f, struct arena *a,
    struct route_match *ret, struct error *e)
{
	struct error bad = ERROR_INIT;
	char *text;
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (f->at[i]->rule == NULL)
			continue;
		if (f->at[i]->rule->decode == ROUTE_RAW) {
			text = arena_strndup(a, s->p[i], s->len[i]);
			if (text == NULL)
				return arena_check(a, e);
		} else if (f->at[i]->rule->decode == ROUTE_DECODED_NUL &&
		    has_nul(s->p[i], s->len[i])) {
			text = arena_strdup(a, "");
			if (text == NULL)
				return arena_check(a, e);
		} else if (url_decode(s->p[i], s->len[i], a, &text, &bad) ==
		    -1) {
			if (bad.code == OVE_INVALID)
				return ROUTER_BAD_ENCODING;
			return error_set(e, bad.code, "%s", bad.text);
		}
		ret->params[ret->params_n++] = text;
	}
	return 0;
}

static bool
is_known_method(const char *method)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "DELETE",
		"PATCH", "PUT", "OPTIONS" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(method, known[i]) == 0)
			return true;
	return false;
}

int
router_match(const struct router *r, const char *method, const char *path,
    size_t path_len, struct arena *a, struct route_match *ret, struct error *e)
{
	const struct entry *p;
	struct pieces s;
	struct found f;
	int rc;

	*ret = (struct route_match){ 0 };
	if (!cut(path, path_len, &s) || !find(r, &s, &f))
		return ROUTER_NO_PATH;
	for (p = f.end->rows[s.slash]; p != NULL; p = p->next)
		if (strcmp(p->row->method, method) == 0)
			break;
	if (p == NULL)
		ret->allow = f.end->allow[s.slash];
	if (p == NULL && !is_known_method(method))
		return ROUTER_NO_METHOD;
	rc = add_params(&s, &f, a, ret, e);
	if (rc != 0)
		return rc;
	if (p == NULL)
		return ROUTER_NO_METHOD;
	ret->row = p->row;
	return 0;
}
