/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * str.format(): text with replacement fields {name[index]!r:spec}, where the
 * specification may hold fields itself.
 */
#include <string.h>

#include "lib/data/tmpl_value_internal.h"

struct formatter {
	struct tmpl_run *r;
	const struct tmpl_args *args;
	/* How fields without a number or name are counted; -1 once one has a
	 * number. */
	int64_t next;
	bool numbered;
};

/* Python allows fields in a field's specification, not in theirs. */
#define NEST_MAX 2

static int expand(struct formatter *f, const char *p, const char *end,
    unsigned nest, struct strbuf *out);

static int
fault(struct formatter *f, const char *text)
{
	return tmpl_raise(f->r, TMPL_VALUE_ERROR, "%s", text);
}

/* The end of a field that begins at p, at its '}'; NULL without one. */
static const char *
field_end(const char *p, const char *end)
{
	unsigned depth = 1;
	bool bracket = false;

	for (; p < end; p++) {
		if (*p == '[')
			bracket = true;
		else if (*p == ']')
			bracket = false;
		else if (*p == '{' && !bracket)
			depth++;
		else if (*p == '}' && !bracket && --depth == 0)
			return p;
	}
	return NULL;
}

static bool
is_number(const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len && p[i] >= '0' && p[i] <= '9'; i++)
		continue;
	return len > 0 && i == len;
}

static int
to_number(struct formatter *f, const char *p, size_t len, int64_t *ret)
{
	int64_t n = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		n = n * 10 + (p[i] - '0');
		if (n > INT32_MAX)
			return fault(
			    f, "Too many decimal digits in format string");
	}
	*ret = n;
	return 0;
}

static int
positional(struct formatter *f, int64_t i, struct tmpl_value *ret)
{
	if ((uint64_t)i >= f->args->n)
		return tmpl_raise(f->r, TMPL_INDEX_ERROR,
		    "Replacement index %lld out of range for positional args "
		    "tuple",
		    (long long)i);
	*ret = f->args->v[i];
	return 0;
}

static int
keyword(struct formatter *f, const char *p, size_t len, struct tmpl_value *ret)
{
	struct tmpl_value name;
	size_t i;

	for (i = 0; i < f->args->n_kw; i++) {
		if (strlen(f->args->kw[i].name) == len &&
		    memcmp(f->args->kw[i].name, p, len) == 0) {
			*ret = f->args->kw[i].v;
			return 0;
		}
	}
	if (tmpl_str(f->r, p, len, &name) == -1)
		return -1;
	return tmpl_key_error(f->r, name);
}

/* The argument that the first word of a field names. */
static int
argument(struct formatter *f, const char *p, size_t len, struct tmpl_value *ret)
{
	int64_t i = 0;

	if (len == 0) {
		if (f->numbered)
			return fault(f,
			    "cannot switch from manual field specification to "
			    "automatic field numbering");
		return positional(f, f->next++, ret);
	}
	if (!is_number(p, len))
		return keyword(f, p, len, ret);
	if (f->next > 0)
		return fault(f,
		    "cannot switch from automatic field numbering to manual "
		    "field specification");
	f->numbered = true;
	if (to_number(f, p, len, &i) == -1)
		return -1;
	return positional(f, i, ret);
}

/* "[0][key]" behind the first word. */
static int
subscripts(
    struct formatter *f, const char *p, const char *end, struct tmpl_value *v)
{
	const char *close;
	struct tmpl_value key;
	int64_t i = 0;

	for (; p < end; p = close + 1) {
		if (*p == '.')
			return tmpl_unsupported(
			    f->r, "an attribute in a format");
		if (*p != '[')
			return fault(f,
			    "Only '.' or '[' may follow ']' in format field "
			    "specifier");
		close = memchr(p, ']', (size_t)(end - p));
		if (close == NULL)
			return fault(f, "Missing ']' in format string");
		p++;
		if (close == p)
			return fault(f, "Empty attribute in format string");
		if (is_number(p, (size_t)(close - p))) {
			if (to_number(f, p, (size_t)(close - p), &i) == -1)
				return -1;
			key = tmpl_int(i);
		} else if (tmpl_str(f->r, p, (size_t)(close - p), &key) == -1) {
			return -1;
		}
		if (tmpl_index(f->r, *v, key, v) == -1)
			return -1;
	}
	return 0;
}

/* Where the name of a field ends: at '!' or ':' outside of brackets. */
static const char *
name_end(const char *p, const char *end)
{
	bool bracket = false;

	for (; p < end; p++) {
		if (*p == '[')
			bracket = true;
		else if (*p == ']')
			bracket = false;
		else if (!bracket && (*p == '!' || *p == ':'))
			break;
	}
	return p;
}

static int
conversion(struct formatter *f, const char **p, const char *end, char *ret)
{
	*ret = '\0';
	if (*p == end || **p != '!')
		return 0;
	if (end - *p < 2)
		return fault(f, "unmatched '{' in format spec");
	*ret = (*p)[1];
	*p += 2;
	if (*p < end && **p != ':')
		return fault(f, "expected ':' after conversion specifier");
	if (*ret == 'a')
		return tmpl_unsupported(f->r, "'!a'");
	if (*ret == 'r' || *ret == 's')
		return 0;
	if ((unsigned char)*ret < 0x20 || (unsigned char)*ret > 0x7e)
		return fault(f, "Unknown conversion specifier");
	return tmpl_raise(
	    f->r, TMPL_VALUE_ERROR, "Unknown conversion specifier %c", *ret);
}

static int
field(struct formatter *f, const char *p, const char *end, unsigned nest,
    struct strbuf *out)
{
	struct strbuf AUTO_STRBUF spec;
	const char *name = p, *word;
	struct tmpl_value v = tmpl_none();
	char letter;

	tmpl_buf_init(&spec);
	p = name_end(p, end);
	for (word = name; word < p && *word != '[' && *word != '.'; word++) {
		if (*word == '{')
			return fault(f, "unexpected '{' in field name");
	}
	if (argument(f, name, (size_t)(word - name), &v) == -1 ||
	    subscripts(f, word, p, &v) == -1 ||
	    conversion(f, &p, end, &letter) == -1 ||
	    tmpl_convert(f->r, v, letter, &v) == -1)
		return -1;
	if (p < end && expand(f, p + 1, end, nest + 1, &spec) == -1)
		return -1;
	return tmpl_format(f->r, v, spec.buf, spec.len, out);
}

static int
expand(struct formatter *f, const char *p, const char *end, unsigned nest,
    struct strbuf *out)
{
	const char *close;

	if (nest > NEST_MAX)
		return fault(f, "Max string recursion exceeded");
	for (; p < end; p++) {
		if (*p != '{' && *p != '}') {
			strbuf_addc(out, *p);
			continue;
		}
		if (p + 1 < end && p[1] == *p && nest == 1) {
			strbuf_addc(out, *p++);
			continue;
		}
		if (*p == '}')
			return fault(
			    f, "Single '}' encountered in format string");
		if (p + 1 == end)
			return fault(
			    f, "Single '{' encountered in format string");
		close = field_end(p + 1, end);
		if (close == NULL)
			return fault(f, "expected '}' before end of string");
		if (tmpl_charge(f->r, TMPL_STEP) == -1 ||
		    field(f, p + 1, close, nest, out) == -1)
			return -1;
		p = close;
	}
	return tmpl_check(f->r, out);
}

int
tmpl_str_format(struct tmpl_run *r, struct tmpl_value self,
    const struct tmpl_args *args, struct tmpl_value *ret)
{
	struct formatter f = { .r = r, .args = args };
	const struct tmpl_str *s = self.u.str;
	struct strbuf AUTO_STRBUF out;

	tmpl_buf_init(&out);
	if (tmpl_charge(r, s->len) == -1 ||
	    expand(&f, s->s, s->s + s->len, 1, &out) == -1)
		return -1;
	return tmpl_str_take(r, &out, ret);
}
