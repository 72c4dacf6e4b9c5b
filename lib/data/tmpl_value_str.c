/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Methods of strings: searching, splitting, joining, replacing; and the table
 * of all.
 */
#include <string.h>

#include "lib/data/tmpl_char.h"
#include "lib/data/tmpl_value_internal.h"

#define METHOD(name)                                                           \
  static int name(struct tmpl_run *r, struct tmpl_value self,                  \
      const struct tmpl_args *args, struct tmpl_value *ret)

/* A part of a string, in bytes. */
struct span {
	const char *s;
	size_t len;
};

/* None counts as left out. */
static bool
given(struct tmpl_value v)
{
	return v.type != TMPL_ABSENT && v.type != TMPL_NONE;
}

int
tmpl_need_str(struct tmpl_run *r, const char *what, struct tmpl_value v)
{
	if (v.type == TMPL_STR)
		return 0;
	return tmpl_raise_of(r, v, TMPL_TYPE_ERROR, "%smust be str, not %s",
	    what, tmpl_type_name(v));
}

static int
add_part(struct tmpl_run *r, struct tmpl_value list, const char *s, size_t len)
{
	struct tmpl_value part;

	if (tmpl_charge(r, TMPL_STEP) == -1 || tmpl_str(r, s, len, &part) == -1)
		return -1;
	return tmpl_list_add(r, list.u.list, part);
}

/* Searching */

static const char *
first_in(struct span in, const struct tmpl_str *sub)
{
	if (sub->len == 0)
		return in.s;
	return memmem(in.s, in.len, sub->s, sub->len);
}

/* Looks byte by byte, which is to be paid for. */
static const char *
last_in(struct span in, const struct tmpl_str *sub)
{
	size_t i;

	if (sub->len > in.len)
		return NULL;
	for (i = in.len - sub->len;; i--) {
		if (memcmp(in.s + i, sub->s, sub->len) == 0)
			return in.s + i;
		if (i == 0)
			return NULL;
	}
}

static int
charge_search(
    struct tmpl_run *r, struct span in, const struct tmpl_str *sub, bool last)
{
	if (tmpl_charge(r, in.len) == -1)
		return -1;
	return last ? tmpl_charge(r, in.len * (sub->len / 8 + 1)) : 0;
}

/* The part that start and end arguments mean; without text when the start is
 * beyond the end, where not even "" is found. */
static int
search_span(struct tmpl_run *r, const struct tmpl_str *s,
    const struct tmpl_value *start_end, struct span *ret)
{
	int64_t start = 0, end = 0;
	size_t from, to;

	if (tmpl_slice_part(r, start_end[0], 0, &start) == -1 ||
	    tmpl_slice_part(r, start_end[1], INT64_MAX, &end) == -1 ||
	    tmpl_charge(r, s->len) == -1)
		return -1;
	from = tmpl_clip(start, s->chars);
	to = tmpl_clip(end, s->chars);
	*ret = (struct span){ NULL, 0 };
	if (from > to || (start > 0 && (uint64_t)start > s->chars))
		return 0;
	from = tmpl_str_offset(s, from);
	to = tmpl_str_offset(s, to);
	*ret = (struct span){ s->s + from, to - from };
	return 0;
}

/* The character where args->v[0] is found, or -1. */
static int
locate(struct tmpl_run *r, struct tmpl_value self, const struct tmpl_args *args,
    bool last, int64_t *ret)
{
	const struct tmpl_str *s = self.u.str, *sub;
	struct span in = { 0 };
	const char *hit;

	if (tmpl_need_str(r, "", args->v[0]) == -1 ||
	    search_span(r, s, args->v + 1, &in) == -1)
		return -1;
	*ret = -1;
	if (in.s == NULL)
		return 0;
	sub = args->v[0].u.str;
	if (charge_search(r, in, sub, last) == -1)
		return -1;
	hit = last ? last_in(in, sub) : first_in(in, sub);
	if (hit != NULL)
		*ret = (int64_t)tmpl_count_chars(s->s, (size_t)(hit - s->s));
	return 0;
}

static int
find(struct tmpl_run *r, struct tmpl_value self, const struct tmpl_args *args,
    bool last, bool must, struct tmpl_value *ret)
{
	int64_t at = -1;

	if (locate(r, self, args, last, &at) == -1)
		return -1;
	if (must && at == -1)
		return tmpl_raise(r, TMPL_VALUE_ERROR, "substring not found");
	*ret = tmpl_int(at);
	return 0;
}

METHOD(str_find)
{
	return find(r, self, args, false, false, ret);
}

METHOD(str_rfind)
{
	return find(r, self, args, true, false, ret);
}

METHOD(str_index)
{
	return find(r, self, args, false, true, ret);
}

METHOD(str_rindex)
{
	return find(r, self, args, true, true, ret);
}

METHOD(str_count)
{
	struct span in = { 0 };
	const struct tmpl_str *sub;
	const char *hit;
	int64_t n = 0;

	if (tmpl_need_str(r, "", args->v[0]) == -1 ||
	    search_span(r, self.u.str, args->v + 1, &in) == -1)
		return -1;
	sub = args->v[0].u.str;
	*ret = tmpl_int(0);
	if (in.s == NULL)
		return 0;
	if (sub->len == 0) {
		*ret = tmpl_int((int64_t)tmpl_count_chars(in.s, in.len) + 1);
		return 0;
	}
	if (charge_search(r, in, sub, false) == -1)
		return -1;
	while ((hit = first_in(in, sub)) != NULL) {
		n++;
		hit += sub->len;
		in.len -= (size_t)(hit - in.s);
		in.s = hit;
	}
	*ret = tmpl_int(n);
	return 0;
}

/* startswith() and endswith(): one string or any of a tuple. */
static int
affix(struct tmpl_run *r, struct tmpl_value self, const char *name,
    const struct tmpl_args *args, bool end, struct tmpl_value *ret)
{
	struct tmpl_value v = args->v[0];
	struct span in = { 0 };
	const struct tmpl_str *sub;
	size_t i, n = 1;

	if (v.type != TMPL_STR && v.type != TMPL_TUPLE)
		return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
		    "%s first arg must be str or a tuple of str, not %s", name,
		    tmpl_type_name(v));
	if (search_span(r, self.u.str, args->v + 1, &in) == -1)
		return -1;
	*ret = tmpl_bool(false);
	if (args->v[0].type == TMPL_TUPLE)
		n = args->v[0].u.list->n;
	for (i = 0; i < n && !ret->u.b; i++) {
		if (args->v[0].type == TMPL_TUPLE)
			v = args->v[0].u.list->items[i];
		if (v.type != TMPL_STR)
			return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
			    "tuple for %s must only contain str, not %s", name,
			    tmpl_type_name(v));
		sub = v.u.str;
		if (tmpl_charge(r, sub->len) == -1)
			return -1;
		if (in.s != NULL && sub->len <= in.len)
			ret->u.b = memcmp(in.s + (end ? in.len - sub->len : 0),
				       sub->s, sub->len) == 0;
	}
	return 0;
}

METHOD(str_startswith)
{
	return affix(r, self, "startswith", args, false, ret);
}

METHOD(str_endswith)
{
	return affix(r, self, "endswith", args, true, ret);
}

/* Splitting */

static int
max_splits(struct tmpl_run *r, struct tmpl_value v, size_t *ret)
{
	int64_t n = -1;

	if (v.type != TMPL_ABSENT && tmpl_need_int(r, v, &n) == -1)
		return -1;
	*ret = n < 0 ? SIZE_MAX : (size_t)n;
	return 0;
}

static const char *
skip_space(const char *p, const char *end, bool space)
{
	while (p < end && tmpl_char_is_space(tmpl_char_at(p)) == space)
		p += tmpl_char_len(p);
	return p;
}

/* The same backwards. */
static const char *
skip_space_back(const char *start, const char *p, bool space)
{
	while (p > start &&
	    tmpl_char_is_space(tmpl_char_at(tmpl_char_back(p))) == space)
		p = tmpl_char_back(p);
	return p;
}

static int
split_space(struct tmpl_run *r, const struct tmpl_str *s, size_t max,
    struct tmpl_value list)
{
	const char *p = s->s, *end = s->s + s->len, *word;

	for (p = skip_space(p, end, true); p < end && max > 0; max--) {
		word = p;
		p = skip_space(p, end, false);
		if (add_part(r, list, word, (size_t)(p - word)) == -1)
			return -1;
		p = skip_space(p, end, true);
	}
	/* What is left goes to the end as it is. */
	return p < end ? add_part(r, list, p, (size_t)(end - p)) : 0;
}

static int
rsplit_space(struct tmpl_run *r, const struct tmpl_str *s, size_t max,
    struct tmpl_value list)
{
	const char *start = s->s, *p = s->s + s->len, *word;

	p = skip_space_back(start, p, true);
	for (; p > start && max > 0; max--) {
		word = p;
		p = skip_space_back(start, p, false);
		if (add_part(r, list, p, (size_t)(word - p)) == -1)
			return -1;
		p = skip_space_back(start, p, true);
	}
	return p > start ? add_part(r, list, start, (size_t)(p - start)) : 0;
}

static int
split_by(struct tmpl_run *r, struct span in, const struct tmpl_str *sep,
    size_t max, struct tmpl_value list)
{
	const char *hit;

	for (; max > 0 && (hit = first_in(in, sep)) != NULL; max--) {
		if (add_part(r, list, in.s, (size_t)(hit - in.s)) == -1)
			return -1;
		hit += sep->len;
		in.len -= (size_t)(hit - in.s);
		in.s = hit;
	}
	return add_part(r, list, in.s, in.len);
}

static int
rsplit_by(struct tmpl_run *r, struct span in, const struct tmpl_str *sep,
    size_t max, struct tmpl_value list)
{
	const char *hit;

	for (; max > 0 && (hit = last_in(in, sep)) != NULL; max--) {
		if (add_part(r, list, hit + sep->len,
			in.len - (size_t)(hit - in.s) - sep->len) == -1)
			return -1;
		in.len = (size_t)(hit - in.s);
	}
	return add_part(r, list, in.s, in.len);
}

static int
split(struct tmpl_run *r, struct tmpl_value self, const struct tmpl_args *args,
    bool last, struct tmpl_value *ret)
{
	const struct tmpl_str *s = self.u.str;
	struct tmpl_value sep = args->v[0];
	struct span in = { s->s, s->len };
	size_t max = 0;
	int rc;

	if (given(sep) && sep.type != TMPL_STR)
		return tmpl_raise_of(r, sep, TMPL_TYPE_ERROR,
		    "must be str or None, not %s", tmpl_type_name(sep));
	if (max_splits(r, args->v[1], &max) == -1)
		return -1;
	if (given(sep) && sep.u.str->len == 0)
		return tmpl_raise(r, TMPL_VALUE_ERROR, "empty separator");
	if (tmpl_charge(r, s->len) == -1 ||
	    tmpl_list_new(r, TMPL_LIST, 0, ret) == -1)
		return -1;
	if (!given(sep)) {
		rc = last ? rsplit_space(r, s, max, *ret)
			  : split_space(r, s, max, *ret);
	} else {
		if (charge_search(r, in, sep.u.str, last) == -1)
			return -1;
		rc = last ? rsplit_by(r, in, sep.u.str, max, *ret)
			  : split_by(r, in, sep.u.str, max, *ret);
	}
	if (last)
		tmpl_list_reverse(ret->u.list);
	return rc;
}

METHOD(str_split)
{
	return split(r, self, args, false, ret);
}

METHOD(str_rsplit)
{
	return split(r, self, args, true, ret);
}

METHOD(str_splitlines)
{
	const char *p = self.u.str->s, *end = p + self.u.str->len, *line, *eol;
	bool keep;

	keep = args->v[0].type != TMPL_ABSENT && tmpl_truth(args->v[0]);
	if (tmpl_charge(r, self.u.str->len) == -1 ||
	    tmpl_list_new(r, TMPL_LIST, 0, ret) == -1)
		return -1;
	while (p < end) {
		line = p;
		while (p < end && !tmpl_char_is_break(tmpl_char_at(p)))
			p += tmpl_char_len(p);
		eol = p;
		if (p < end) {
			p += *p == '\r' && p + 1 < end && p[1] == '\n'
			    ? 2
			    : tmpl_char_len(p);
		}
		if (add_part(
			r, *ret, line, (size_t)((keep ? p : eol) - line)) == -1)
			return -1;
	}
	return 0;
}

static int
partition(struct tmpl_run *r, struct tmpl_value self,
    const struct tmpl_args *args, bool last, struct tmpl_value *ret)
{
	const struct tmpl_str *s = self.u.str, *sep;
	struct span in = { s->s, s->len };
	const char *hit;
	size_t at;

	if (tmpl_need_str(r, "", args->v[0]) == -1)
		return -1;
	sep = args->v[0].u.str;
	if (sep->len == 0)
		return tmpl_raise(r, TMPL_VALUE_ERROR, "empty separator");
	if (charge_search(r, in, sep, last) == -1 ||
	    tmpl_list_new(r, TMPL_TUPLE, 3, ret) == -1)
		return -1;
	hit = last ? last_in(in, sep) : first_in(in, sep);
	if (hit == NULL) {
		/* All of it, with "" and "" on the other side. */
		for (at = 0; at < 3; at++) {
			if (add_part(r, *ret, s->s,
				at == (last ? 2 : 0) ? s->len : 0) == -1)
				return -1;
		}
		return 0;
	}
	at = (size_t)(hit - s->s);
	if (add_part(r, *ret, s->s, at) == -1 ||
	    add_part(r, *ret, sep->s, sep->len) == -1)
		return -1;
	return add_part(r, *ret, hit + sep->len, s->len - at - sep->len);
}

METHOD(str_partition)
{
	return partition(r, self, args, false, ret);
}

METHOD(str_rpartition)
{
	return partition(r, self, args, true, ret);
}

/* Joining and replacing */

METHOD(str_join)
{
	struct strbuf AUTO_STRBUF out;
	struct tmpl_value item;
	struct tmpl_iter *it;
	size_t i = 0;
	int rc;

	tmpl_buf_init(&out);
	if (args->v[0].type == TMPL_UNDEFINED ||
	    tmpl_iter(r, args->v[0], &it) == -1)
		return tmpl_raise_of(r, args->v[0], TMPL_TYPE_ERROR,
		    "can only join an iterable");
	while ((rc = tmpl_iter_next(r, it, &item)) == 1) {
		if (item.type != TMPL_STR)
			return tmpl_raise_of(r, item, TMPL_TYPE_ERROR,
			    "sequence item %zu: expected str instance, %s "
			    "found",
			    i, tmpl_type_name(item));
		if (i++ > 0 && tmpl_add_str(r, self, &out) == -1)
			return -1;
		if (tmpl_add_str(r, item, &out) == -1)
			return -1;
	}
	return rc == -1 ? -1 : tmpl_str_take(r, &out, ret);
}

/* An empty old text is found before each character and at the end. */
static int
replace_empty(struct tmpl_run *r, struct span in, const struct tmpl_str *with,
    size_t max, struct strbuf *out)
{
	size_t len;

	for (; max > 0; max--) {
		if (tmpl_charge(r, with->len + TMPL_STEP) == -1)
			return -1;
		strbuf_add(out, with->s, with->len);
		if (in.len == 0)
			break;
		len = tmpl_char_len(in.s);
		strbuf_add(out, in.s, len);
		in.s += len;
		in.len -= len;
	}
	strbuf_add(out, in.s, in.len);
	return tmpl_check(r, out);
}

METHOD(str_replace)
{
	const struct tmpl_str *s = self.u.str, *from, *with;
	struct span in = { s->s, s->len };
	struct strbuf AUTO_STRBUF out;
	const char *hit;
	size_t max = 0;

	tmpl_buf_init(&out);
	if (tmpl_need_str(r, "replace() argument 1 ", args->v[0]) == -1 ||
	    tmpl_need_str(r, "replace() argument 2 ", args->v[1]) == -1 ||
	    max_splits(r, args->v[2], &max) == -1)
		return -1;
	from = args->v[0].u.str;
	with = args->v[1].u.str;
	if (charge_search(r, in, from, false) == -1)
		return -1;
	if (from->len == 0) {
		if (replace_empty(r, in, with, max, &out) == -1)
			return -1;
		return tmpl_str_take(r, &out, ret);
	}
	for (; max > 0 && (hit = first_in(in, from)) != NULL; max--) {
		if (tmpl_charge(r, with->len + TMPL_STEP) == -1)
			return -1;
		strbuf_add(&out, in.s, (size_t)(hit - in.s));
		strbuf_add(&out, with->s, with->len);
		hit += from->len;
		in.len -= (size_t)(hit - in.s);
		in.s = hit;
	}
	strbuf_add(&out, in.s, in.len);
	return tmpl_str_take(r, &out, ret);
}

/* Sorted by name. */
const struct tmpl_builtin tmpl_str_methods[] = {
	{ "capitalize", tmpl_str_capitalize, 0, 0, NULL },
	{ "casefold", tmpl_str_casefold, 0, 0, NULL },
	{ "center", tmpl_str_center, 1, 2, "- -" },
	{ "count", str_count, 1, 3, "- - -" },
	{ "encode", NULL, 0, 0, NULL },
	{ "endswith", str_endswith, 1, 3, "- - -" },
	{ "expandtabs", tmpl_str_expandtabs, 0, 1, "tabsize" },
	{ "find", str_find, 1, 3, "- - -" },
	{ "format", tmpl_str_format, 0, TMPL_VARIADIC, NULL },
	{ "format_map", NULL, 0, 0, NULL },
	{ "index", str_index, 1, 3, "- - -" },
	{ "isalnum", tmpl_str_isalnum, 0, 0, NULL },
	{ "isalpha", tmpl_str_isalpha, 0, 0, NULL },
	{ "isascii", tmpl_str_isascii, 0, 0, NULL },
	{ "isdecimal", tmpl_str_isdecimal, 0, 0, NULL },
	{ "isdigit", tmpl_str_isdigit, 0, 0, NULL },
	{ "isidentifier", NULL, 0, 0, NULL },
	{ "islower", tmpl_str_islower, 0, 0, NULL },
	{ "isnumeric", tmpl_str_isnumeric, 0, 0, NULL },
	{ "isprintable", tmpl_str_isprintable, 0, 0, NULL },
	{ "isspace", tmpl_str_isspace, 0, 0, NULL },
	{ "istitle", NULL, 0, 0, NULL },
	{ "isupper", tmpl_str_isupper, 0, 0, NULL },
	{ "join", str_join, 1, 1, "-" },
	{ "ljust", tmpl_str_ljust, 1, 2, "- -" },
	{ "lower", tmpl_str_lower, 0, 0, NULL },
	{ "lstrip", tmpl_str_lstrip, 0, 1, "-" },
	{ "maketrans", NULL, 0, 0, NULL },
	{ "partition", str_partition, 1, 1, "-" },
	{ "removeprefix", tmpl_str_removeprefix, 1, 1, "-" },
	{ "removesuffix", tmpl_str_removesuffix, 1, 1, "-" },
	{ "replace", str_replace, 2, 3, "- - -" },
	{ "rfind", str_rfind, 1, 3, "- - -" },
	{ "rindex", str_rindex, 1, 3, "- - -" },
	{ "rjust", tmpl_str_rjust, 1, 2, "- -" },
	{ "rpartition", str_rpartition, 1, 1, "-" },
	{ "rsplit", str_rsplit, 0, 2, "sep maxsplit" },
	{ "rstrip", tmpl_str_rstrip, 0, 1, "-" },
	{ "split", str_split, 0, 2, "sep maxsplit" },
	{ "splitlines", str_splitlines, 0, 1, "keepends" },
	{ "startswith", str_startswith, 1, 3, "- - -" },
	{ "strip", tmpl_str_strip, 0, 1, "-" },
	{ "swapcase", tmpl_str_swapcase, 0, 0, NULL },
	{ "title", tmpl_str_title, 0, 0, NULL },
	{ "translate", NULL, 0, 0, NULL },
	{ "upper", tmpl_str_upper, 0, 0, NULL },
	{ "zfill", tmpl_str_zfill, 1, 1, "-" },
};
const size_t tmpl_str_methods_n = ARRAY_LEN(tmpl_str_methods);
