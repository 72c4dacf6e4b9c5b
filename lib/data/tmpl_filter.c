/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A filter is one of a table, or an expression whose value is called: a def of
 * the template.  As with Mako, "h" leaves alone what has been through "h", and
 * only "str", "trim" and "decode" keep that in mind.
 */
#include "lib/data/tmpl_filter.h"

#include <string.h>

#include "lib/data/tmpl_char.h"
#include "lib/data/tmpl_value_internal.h"

typedef int filter_fn(struct tmpl_run *r, bool *is_safe, struct tmpl_value *v);

struct tmpl_filter {
	/* NULL: value is called. */
	filter_fn *fn;
	struct tmpl_expr *callee;
	struct tmpl_pos pos;
};

struct entity {
	uint32_t code;
	const char *name;
};

/* By code. */
static const struct entity entities[] = {
#define X(code, name) { code, #name },
#include "lib/data/tmpl_filter_entity.def"
#undef X
};

static const char *
find_entity(uint32_t code)
{
	size_t lo = 0, hi = ARRAY_LEN(entities);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (entities[mid].code == code)
			return entities[mid].name;
		if (entities[mid].code < code)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* Adds what a character becomes; false: it stays as it is. */
typedef bool replace_fn(struct strbuf *out, const char *p, size_t len);

static bool
replace_html(struct strbuf *out, const char *p, size_t len)
{
	static const struct {
		char c;
		const char *to;
	} rows[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" },
		{ '"', "&#34;" }, { '\'', "&#39;" } };

	for (size_t i = 0; len == 1 && i < ARRAY_LEN(rows); i++) {
		if (rows[i].c != *p)
			continue;
		strbuf_adds(out, rows[i].to);
		return true;
	}
	return false;
}

static bool
replace_entity(struct strbuf *out, const char *p, size_t len)
{
	const char *name = find_entity(tmpl_char_at(p));

	(void)len;
	if (name != NULL)
		strbuf_addf(out, "&%s;", name);
	return name != NULL;
}

static bool
replace_url(struct strbuf *out, const char *p, size_t len)
{
	if (*p == ' ') {
		strbuf_addc(out, '+');
		return true;
	}
	if (len == 1 && *p != '\0' &&
	    (tmpl_is_word(*p) || strchr(".-~", *p) != NULL))
		return false;
	for (size_t i = 0; i < len; i++)
		strbuf_addf(out, "%%%02X", (unsigned)(unsigned char)p[i]);
	return true;
}

static int
replace(struct tmpl_run *r, replace_fn *fn, struct tmpl_value *v)
{
	const struct tmpl_str *s = v->u.str;
	AUTO_STRBUF struct strbuf b;
	size_t n;

	tmpl_buf_init(&b);
	if (tmpl_charge(r, s->len) < 0)
		return -1;
	for (size_t i = 0; i < s->len; i += n) {
		n = tmpl_char_len(s->s + i);
		if (!fn(&b, s->s + i, n))
			strbuf_add(&b, s->s + i, n);
	}
	return tmpl_str_take(r, &b, v);
}

static int
to_str(struct tmpl_run *r, bool *is_safe, struct tmpl_value *v)
{
	*is_safe &= v->type == TMPL_STR;
	if (v->type == TMPL_STR)
		return 0;
	if (tmpl_to_str(r, *v, &v->u.str) < 0)
		return -1;
	v->type = TMPL_STR;
	return 0;
}

static int
filter_str(struct tmpl_run *r, bool *is_safe, struct tmpl_value *v)
{
	*is_safe = false;
	return to_str(r, is_safe, v);
}

static int
filter_decode(struct tmpl_run *r, bool *is_safe, struct tmpl_value *v)
{
	return to_str(r, is_safe, v);
}

static int
filter_html(struct tmpl_run *r, bool *is_safe, struct tmpl_value *v)
{
	if (*is_safe)
		return 0;
	if (to_str(r, is_safe, v) < 0 || replace(r, replace_html, v) < 0)
		return -1;
	*is_safe = true;
	return 0;
}

static int
filter_xml(struct tmpl_run *r, bool *is_safe, struct tmpl_value *v)
{
	*is_safe = false;
	if (v->type != TMPL_STR)
		return tmpl_raise_of(r, *v, TMPL_TYPE_ERROR,
		    "expected string or bytes-like object, got '%s'",
		    tmpl_type_name(*v));
	return replace(r, replace_html, v);
}

static int
filter_entity(struct tmpl_run *r, bool *is_safe, struct tmpl_value *v)
{
	*is_safe = false;
	if (to_str(r, is_safe, v) < 0)
		return -1;
	return replace(r, replace_entity, v);
}

static int
no_attribute(struct tmpl_run *r, struct tmpl_value v, const char *name)
{
	return tmpl_raise_of(r, v, TMPL_ATTRIBUTE_ERROR,
	    "'%s' object has no attribute '%s'", tmpl_type_name(v), name);
}

static int
filter_url(struct tmpl_run *r, bool *is_safe, struct tmpl_value *v)
{
	*is_safe = false;
	if (v->type != TMPL_STR)
		return no_attribute(r, *v, "encode");
	return replace(r, replace_url, v);
}

static int
filter_trim(struct tmpl_run *r, bool *is_safe, struct tmpl_value *v)
{
	const struct tmpl_value blanks = { .type = TMPL_NONE };
	const struct tmpl_args args = { .n = 1, .v = &blanks };

	*is_safe &= v->type == TMPL_STR;
	if (v->type != TMPL_STR)
		return no_attribute(r, *v, "strip");
	return tmpl_str_strip(r, *v, &args, v);
}

static const struct {
	const char *name;
	filter_fn *fn;
} table[] = {
	{ "h", filter_html },
	{ "x", filter_xml },
	{ "u", filter_url },
	{ "trim", filter_trim },
	{ "entity", filter_entity },
	{ "str", filter_str },
	{ "unicode", filter_str },
};

static filter_fn *
find_filter(const struct tmpl_piece *p)
{
	static const char decode[] = "decode.";
	size_t n = strlen(decode);

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strlen(table[i].name) == p->len &&
		    memcmp(table[i].name, p->s, p->len) == 0)
			return table[i].fn;
	if (p->len <= n || memcmp(p->s, decode, n) != 0)
		return NULL;
	for (size_t i = n; i < p->len; i++)
		if (!tmpl_is_word(p->s[i]))
			return NULL;
	return filter_decode;
}

static struct tmpl_piece
strip(struct tmpl_piece p)
{
	size_t n = 0;

	while (n < p.len && tmpl_is_blank(p.s[n]))
		n++;
	p.pos = tmpl_pos_behind(p.pos, p.s, n);
	p.s += n;
	p.len -= n;
	while (p.len > 0 && tmpl_is_blank(p.s[p.len - 1]))
		p.len--;
	return p;
}

static int
add(struct tmpl_compiler *c, struct arena *a, const struct tmpl_piece *p,
    struct tmpl_filters *fs, struct tmpl_fault *f)
{
	struct tmpl_filter *items;

	if (p->len == 1 && p->s[0] == 'n') {
		fs->is_raw = true;
		return 0;
	}
	items = arena_calloc(a, fs->n + 1, sizeof(*items));
	if (items == NULL) {
		*f = (struct tmpl_fault){ .class = TMPL_MEMORY_ERROR,
			.pos = p->pos,
			.message = "out of memory" };
		return -1;
	}
	if (fs->n > 0)
		memcpy(items, fs->items, fs->n * sizeof(*items));
	fs->items = items;
	items[fs->n].pos = p->pos;
	items[fs->n].fn = find_filter(p);
	/* What is empty is a syntax error, too. */
	if (items[fs->n].fn == NULL &&
	    tmpl_compile_expr(
		c, p->s, p->len, p->pos, &items[fs->n].callee, f) < 0)
		return -1;
	fs->n++;
	return 0;
}

/* More than anybody needs, and few enough to copy the list for each. */
#define FILTERS_MAX 64

int
tmpl_filters_compile(struct tmpl_compiler *c, struct arena *a,
    const struct tmpl_piece *text, struct tmpl_filters *ret,
    struct tmpl_fault *f)
{
	struct tmpl_piece left = *text, one;
	size_t n;

	memset(ret, 0, sizeof(*ret));
	if (left.len > 0)
		left = strip(left);
	if (left.len == 0)
		return 0;
	for (bool more = true; more;) {
		if (ret->n == FILTERS_MAX) {
			*f = (struct tmpl_fault){ .class = TMPL_LIMIT,
				.pos = left.pos,
				.message = "too many filters" };
			return -1;
		}
		n = tmpl_scan_end(left.s, left.len, ",");
		more = n != TMPL_NO_END;
		one = left;
		one.len = more ? n : left.len;
		one = strip(one);
		if (add(c, a, &one, ret, f) < 0)
			return -1;
		if (!more)
			break;
		left.pos = tmpl_pos_behind(left.pos, left.s, n + 1);
		left.s += n + 1;
		left.len -= n + 1;
	}
	return 0;
}

void
tmpl_filters_reads(const struct tmpl_filters *fs, tmpl_name_fn *fn, void *ctx)
{
	for (size_t i = 0; i < fs->n; i++)
		if (fs->items[i].callee != NULL)
			tmpl_expr_reads(fs->items[i].callee, fn, ctx);
}

static bool
is_name(const struct tmpl_name *name, const char *s, size_t len)
{
	return name->len == len && memcmp(name->s, s, len) == 0;
}

/* ctx: set to the name of the first filter of the table that is read; not of
 * "str", which is a function, too. */
static void
note_filter_name(const struct tmpl_name *name, void *ctx)
{
	const char **found = ctx;

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (*found == NULL && table[i].fn != filter_str &&
		    is_name(name, table[i].name, strlen(table[i].name)))
			*found = table[i].name;
}

/* ${x | f}: f(x).  In "h | u" the names are none of the template's. */
static int
call(struct tmpl_run *r, struct tmpl_env *env, const struct tmpl_filter *fi,
    struct tmpl_value *v)
{
	const struct tmpl_value arg = *v;
	const struct tmpl_args args = { .n = 1, .v = &arg };
	const char *table_name = NULL;
	struct tmpl_value callee;

	tmpl_expr_reads(fi->callee, note_filter_name, &table_name);
	if (table_name != NULL) {
		(void)tmpl_raise(
		    r, TMPL_NAME_ERROR, "name '%s' is not defined", table_name);
		return tmpl_raise_at(r, fi->pos);
	}
	if (tmpl_eval(r, env, fi->callee, &callee) < 0)
		return -1;
	if (callee.type != TMPL_DEF) {
		(void)tmpl_raise_of(r, callee, TMPL_TYPE_ERROR,
		    "'%s' object is not callable", tmpl_type_name(callee));
		return tmpl_raise_at(r, fi->pos);
	}
	return tmpl_def_call(callee.u.def, r, &args, v);
}

int
tmpl_filters_apply(struct tmpl_run *r, struct tmpl_env *env,
    const struct tmpl_filters *fs, bool *is_safe, struct tmpl_value *v)
{
	for (size_t i = 0; i < fs->n; i++) {
		const struct tmpl_filter *fi = &fs->items[i];

		if (fi->fn != NULL) {
			if (fi->fn(r, is_safe, v) < 0)
				return tmpl_raise_at(r, fi->pos);
			continue;
		}
		*is_safe = false;
		if (call(r, env, fi, v) < 0)
			return -1;
	}
	return 0;
}
