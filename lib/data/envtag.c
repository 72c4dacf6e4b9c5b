/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Expansion of !ENV texts, as pyaml_env does it.  The references are found
 * once, in the text as it was written; then they are replaced one after the
 * other, each wherever its exact characters stand by then.  So the value of an
 * earlier variable that holds a later reference is expanded as well, and one
 * that holds an earlier reference is not.  That quirk is the contract.
 *
 * Since replacing goes over the whole text for each reference, both their
 * number and the size of the result are bounded.
 */

#include "lib/data/envtag.h"

#include <string.h>

#include "lib/base/strbuf.h"

#define REFS_MAX 1000
#define RESULT_MAX ((size_t)16 << 20)

static const char type_prefix[] = "tag:yaml.org,2002:";

/* A reference as it stands in the text. */
struct ref {
	const char *start;
	const char *end;
	const char *name_end;
	/* After the colon; NULL when there is no default. */
	const char *def;
};

/* The next reference in [p, end); false when there is none. */
static bool
find_ref(const char *p, const char *end, struct ref *r)
{
	const char *q, *close;

	/* Nothing is a reference without a closing brace, and each search for
	 * one starts behind the last: linear. */
	for (; p + 3 < end; p++) {
		if (p[0] != '$' || p[1] != '{')
			continue;
		for (q = p + 2; q < end; q++) {
			if (*q == '}' || *q == '{' || *q == ':')
				break;
		}
		if (q == end)
			return false;
		if (q == p + 2 || *q == '{')
			continue;
		r->start = p;
		r->name_end = q;
		r->def = NULL;
		if (*q == '}') {
			r->end = q + 1;
			return true;
		}
		close = memchr(q, '}', (size_t)(end - q));
		if (close == NULL)
			return false;
		if (close == q + 1)
			continue;
		r->def = q + 1;
		r->end = close + 1;
		return true;
	}
	return false;
}

static void
add_replaced(struct strbuf *out, const struct strbuf *in, const struct ref *r,
    const char *value, size_t value_len)
{
	size_t ref_len = (size_t)(r->end - r->start);
	const char *p, *hit, *end;

	p = in->buf;
	end = in->buf + in->len;
	while (
	    (hit = memmem(p, (size_t)(end - p), r->start, ref_len)) != NULL) {
		strbuf_add(out, p, (size_t)(hit - p));
		strbuf_add(out, value, value_len);
		p = hit + ref_len;
	}
	strbuf_add(out, p, (size_t)(end - p));
}

static int
replace_one(struct strbuf *text, const struct ref *r,
    const struct envtag_options *o, struct arena *a, struct error *e)
{
	AUTO_STRBUF struct strbuf out;
	struct strbuf swap;
	const char *name, *value;
	size_t len;

	strbuf_init(&out, RESULT_MAX);
	name = arena_strndup(
	    a, r->start + 2, (size_t)(r->name_end - r->start) - 2);
	if (name == NULL)
		return arena_check(a, e);
	/* An equal reference before this one took it along. */
	if (memmem(text->buf, text->len, r->start,
		(size_t)(r->end - r->start)) == NULL)
		return 0;
	value = o->env(name, o->env_ctx);
	if (value != NULL) {
		len = strlen(value);
	} else if (r->def != NULL) {
		value = r->def;
		len = (size_t)(r->end - r->def) - 1;
	} else {
		value = "";
		len = 0;
		if (o->unset != NULL)
			o->unset(name, o->unset_ctx);
	}
	add_replaced(&out, text, r, value, len);
	if (strbuf_check(&out, e) == -1)
		return -1;
	swap = *text;
	*text = out;
	out = swap;
	return 0;
}

/* Characters of "tag:yaml.org,2002:TYPE" and the blank behind it, or 0. */
static size_t
type_len(const char *p, const char *end)
{
	size_t n = sizeof(type_prefix) - 1;
	size_t word = n;
	char c;

	if ((size_t)(end - p) <= n || memcmp(p, type_prefix, n) != 0)
		return 0;
	for (; p + n < end; n++) {
		c = p[n];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '_'))
			break;
	}
	if (n == word || p + n == end || p[n] == '\0' ||
	    strchr(" \t\n\r\f\v", p[n]) == NULL)
		return 0;
	return n + 1;
}

/* Takes the type out of the text.  *ret_at is where its word stood in s, NULL
 * when there is none. */
static int
take_type(const char *s, size_t len, struct strbuf *text, const char **ret_at,
    size_t *ret_len, struct error *e)
{
	const char *p, *end = s + len;
	size_t n;

	*ret_at = NULL;
	*ret_len = 0;
	p = s;
	while (p < end) {
		const char *hit = memmem(
		    p, (size_t)(end - p), type_prefix, sizeof(type_prefix) - 1);

		n = hit != NULL ? type_len(hit, end) : 0;
		if (hit == NULL)
			break;
		if (n == 0) {
			strbuf_add(text, p, (size_t)(hit + 1 - p));
			p = hit + 1;
			continue;
		}
		if (*ret_at != NULL)
			return error_set(
			    e, OVE_INVALID, "a text can only ask for one type");
		*ret_at = hit + sizeof(type_prefix) - 1;
		*ret_len = n - sizeof(type_prefix);
		strbuf_add(text, p, (size_t)(hit - p));
		p = hit + n;
	}
	strbuf_add(text, p, (size_t)(end - p));
	return strbuf_check(text, e);
}

static int
kind_of(const char *type, size_t len, enum scalar_kind *ret, struct error *e)
{
	static const struct {
		const char *name;
		enum scalar_kind kind;
	} kinds[] = {
		{ "int", SCALAR_INT },
		{ "float", SCALAR_FLOAT },
		{ "bool", SCALAR_BOOL },
		{ "null", SCALAR_NULL },
		{ "str", SCALAR_STR },
	};
	size_t i;

	if (type == NULL) {
		*ret = SCALAR_STR;
		return 0;
	}
	for (i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strlen(kinds[i].name) == len &&
		    memcmp(kinds[i].name, type, len) == 0) {
			*ret = kinds[i].kind;
			return 0;
		}
	}
	return error_set(e, OVE_INVALID,
	    "'%.*s' is not one of: int, float, bool, null, str",
	    len < 60 ? (int)len : 60, type);
}

int
envtag_expand(const char *s, size_t len, const struct envtag_options *o,
    struct arena *a, struct node **ret, struct error *e)
{
	AUTO_STRBUF struct strbuf text;
	enum scalar_kind kind = SCALAR_STR;
	const char *type, *p;
	size_t type_n, refs_n;
	struct ref r;

	strbuf_init(&text, RESULT_MAX);
	if (take_type(s, len, &text, &type, &type_n, e) == -1)
		return -1;
	refs_n = 0;
	for (p = s; find_ref(p, s + len, &r); p = r.end) {
		if (++refs_n > REFS_MAX)
			return error_set(e, OVE_LIMIT,
			    "more than 1000 variables in one text");
		if (replace_one(&text, &r, o, a, e) == -1)
			return -1;
	}
	/* A type counts only beside a variable. */
	if (refs_n > 0 && kind_of(type, type_n, &kind, e) == -1)
		return -1;
	return scalar_convert(kind, text.buf, text.len, a, ret, e);
}
