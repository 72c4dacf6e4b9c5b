/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The text is [[{..}, {..}], [..]]: a list of sections, each a list of elements
 * with one figure. A scanner that knows no more of JSON than its brackets and
 * strings finds the elements, and the strict reader judges those that matter.
 */
#include "daemon/haproxy_stats.h"

#include <string.h>

#include "daemon/service.h"
#include "lib/base/mem.h"
#include "lib/data/json.h"

#define REPLY_MAX ((size_t)32 << 20)
#define ASKING_MAX ((size_t)1 << 20)
/* An element, and what is made of it. */
#define ELEMENT_MAX ((size_t)64 << 10)
#define SCRATCH_MAX ((size_t)1 << 20)
/* Figures of a proxy: HAProxy has some hundred. */
#define FIGURES_MAX 1000

/* The question */

int
haproxy_stats_ask(struct httpc *h, const struct config_service *c,
    httpc_done_fn *done, void *ctx, struct call_id *ret, struct error *e)
{
	const char *headers[] = { NULL, NULL };
	struct httpc_request rq = { .method = "GET",
		.headers = headers,
		.keep_ms = c->t.keepalive_expiry_ms,
		.cacert = c->cacert,
		.reply_max = REPLY_MAX };
	AUTO_ARENA struct arena a;
	char *who;
	int r;

	arena_init(&a, ASKING_MAX);
	if (!service_is_set(c))
		return error_set(e, OVE_UNSUPPORTED,
		    "HAProxy Stats client is not configured.");
	headers[0] = who = service_authorization(&a, c);
	rq.url = arena_printf(&a, "%s/;json", service_entrypoint(&a, c));
	rq.connect_ms = c->t.connect_ms > 0 ? c->t.connect_ms : 0;
	rq.read_ms = c->t.read_ms > 0 ? c->t.read_ms : 0;
	rq.total_ms = service_total_ms(&c->t);
	if (arena_check(&a, e) < 0)
		return -1;
	r = httpc_call(h, &rq, done, ctx, ret, e);
	mem_wipe(who, strlen(who));
	return r;
}

/* The text */

struct scan {
	const char *at;
	const char *end;
};

static void
skip_blanks(struct scan *s)
{
	while (s->at < s->end &&
	    (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' ||
		*s->at == '\n'))
		s->at++;
}

static bool
skip_char(struct scan *s, char c)
{
	skip_blanks(s);
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

/* Past a string, the first quote of which was passed; false at the end. */
static bool
skip_string(struct scan *s)
{
	for (; s->at < s->end; s->at++) {
		if (*s->at == '\\')
			s->at++;
		else if (*s->at == '"')
			break;
	}
	if (s->at >= s->end)
		return false;
	s->at++;
	return true;
}

/* Past a list or an object; false when it does not end. */
static bool
skip_brackets(struct scan *s)
{
	size_t depth = 0;

	while (s->at < s->end) {
		char c = *s->at++;

		if (c == '[' || c == '{')
			depth++;
		else if (c == ']' || c == '}')
			depth--;
		else if (c == '"' && !skip_string(s))
			return false;
		if (depth == 0)
			return true;
	}
	return false;
}

/* The next item of a list that was entered, if it begins with `open`: 1, with
 * the item in *ret; 0: the list is at its end; -1: it is something else. */
static int
next_item(struct scan *s, bool *first, char open, struct scan *ret)
{
	if (skip_char(s, ']'))
		return 0;
	if (!*first && !skip_char(s, ','))
		return -1;
	*first = false;
	skip_blanks(s);
	ret->at = s->at;
	if (s->at == s->end || *s->at != open || !skip_brackets(s))
		return -1;
	ret->end = s->at;
	return 1;
}

/* Elements */

/* A member of a member, as text; NULL: it has none. */
static const char *
text_at(const struct node *n, const char *outer, const char *inner)
{
	return node_text(node_get(node_get(n, outer), inner));
}

static bool
is_text(const char *text, const char *wanted)
{
	return text != NULL && strcmp(text, wanted) == 0;
}

/* It says whose section it is in. */
static bool
is_name(const struct node *n)
{
	const struct node *pos = node_get(node_get(n, "field"), "pos");

	return pos != NULL && pos->type == NODE_INT && pos->u.i == 0 &&
	    is_text(text_at(n, "field", "name"), "pxname") &&
	    is_text(text_at(n, "tags", "origin"), "Key") &&
	    is_text(text_at(n, "tags", "nature"), "Name") &&
	    is_text(text_at(n, "tags", "scope"), "Service");
}

static bool
is_of(const struct node *n, const char *object)
{
	return is_text(node_text(node_get(n, "objType")), object);
}

static int
not_stats(struct error *e)
{
	return error_set(
	    e, OVE_UPSTREAM, "what the server said is no statistics");
}

static int
read_element(const struct scan *s, struct arena *scratch, struct node **ret,
    struct error *e)
{
	size_t len = (size_t)(s->end - s->at);

	arena_reset(scratch);
	if (len > ELEMENT_MAX)
		return not_stats(e);
	return json_read(s->at, len, scratch, ret, NULL) < 0 ? not_stats(e) : 0;
}

/* 1: the section is of that proxy; 0: it is not. */
static int
is_section_of(struct scan section, const char *object, const char *name,
    struct arena *scratch, struct error *e)
{
	bool first = true;
	struct scan item;
	struct node *n;
	int r;

	section.at++;
	while ((r = next_item(&section, &first, '{', &item)) > 0) {
		if (read_element(&item, scratch, &n, e) < 0)
			return -1;
		if (is_name(n))
			return is_of(n, object) &&
			    is_text(text_at(n, "value", "value"), name);
	}
	return r < 0 ? not_stats(e) : 0;
}

static int
take_section(struct scan section, const char *object, struct arena *scratch,
    struct node *to, struct arena *a, struct error *e)
{
	const char *name, *nature;
	bool first = true;
	struct scan item;
	struct node *n, *figure;
	int r;

	section.at++;
	while ((r = next_item(&section, &first, '{', &item)) > 0) {
		if (read_element(&item, scratch, &n, e) < 0)
			return -1;
		name = text_at(n, "field", "name");
		nature = text_at(n, "tags", "nature");
		if (!is_of(n, object) || name == NULL ||
		    !is_text(text_at(n, "tags", "origin"), "Metric"))
			continue;
		if (to == NULL || to->u.map.n >= FIGURES_MAX)
			break;
		figure = node_new(a, NODE_MAP);
		node_set(a, figure, "value",
		    node_copy(a, node_get(node_get(n, "value"), "value")));
		node_set(a, figure, "type",
		    node_str(a, nature != NULL ? nature : ""));
		node_replace(a, to, name, figure);
	}
	return r < 0 ? not_stats(e) : 0;
}

int
haproxy_stats_read(const char *text, size_t len, const char *object,
    const char *name, struct arena *a, struct node **ret, struct error *e)
{
	struct scan all = { text, text + len }, section;
	struct node *found = node_new(a, NODE_MAP);
	AUTO_ARENA struct arena scratch;
	bool first = true, any = false;
	int r, is;

	arena_init(&scratch, SCRATCH_MAX);
	if (!skip_char(&all, '['))
		return not_stats(e);
	while ((r = next_item(&all, &first, '[', &section)) > 0) {
		is = is_section_of(section, object, name, &scratch, e);
		if (is < 0 ||
		    (is > 0 &&
			take_section(section, object, &scratch, found, a, e) <
			    0))
			return -1;
		any = any || is > 0;
	}
	skip_blanks(&all);
	if (r < 0 || all.at != all.end)
		return not_stats(e);
	if (arena_check(a, e) < 0)
		return -1;
	*ret = found;
	return any ? 0 : HAPROXY_STATS_NONE;
}

/* How it goes on */

static bool
integer_of(const struct node *map, const char *key, int64_t *ret)
{
	const struct node *n = node_get(map, key);

	if (n == NULL || n->type != NODE_INT || n->big || n->u.i < 0)
		return false;
	*ret = n->u.i;
	return true;
}

static int64_t
sum_of(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static void
go_on_counting(
    const struct node *old, int64_t now, struct node *to, struct arena *a)
{
	int64_t base = 0, last = 0;

	/* The original keeps the value alone. */
	if (!integer_of(old, "base", &base) || !integer_of(old, "last", &last))
		(void)integer_of(old, "value", &last);
	if (now < last)
		base = sum_of(base, last);
	node_set(a, to, "value", node_int(a, sum_of(base, now)));
	node_set(a, to, "base", node_int(a, base));
	node_set(a, to, "last", node_int(a, now));
}

static struct node *
go_on_one(const struct node *old, const struct node *now, struct arena *a)
{
	const char *nature = node_text(node_get(now, "type"));
	struct node *to = node_new(a, NODE_MAP);
	int64_t value, before = 0;

	if (is_text(nature, "Counter") && integer_of(now, "value", &value)) {
		go_on_counting(old, value, to, a);
	} else if (is_text(nature, "Max") && integer_of(now, "value", &value)) {
		(void)integer_of(old, "value", &before);
		node_set(a, to, "value",
		    node_int(a, value > before ? value : before));
	} else {
		node_set(a, to, "value", node_copy(a, node_get(now, "value")));
	}
	node_set(a, to, "type", node_copy(a, node_get(now, "type")));
	return to;
}

struct node *
haproxy_stats_go_on(
    const struct node *old, const struct node *now, struct arena *a)
{
	struct node *to = node_new(a, NODE_MAP);

	for (size_t i = 0; i < now->u.map.n; i++) {
		const char *name = node_text(now->u.map.pairs[i].key);

		node_set(a, to, name,
		    go_on_one(
			node_get(old, name), now->u.map.pairs[i].value, a));
	}
	return to;
}
