/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * v[key], v[a:b:c] and v[key] = item; and len(v).
 */
#include <string.h>

#include "lib/data/tmpl_value_internal.h"

static bool
is_sequence(struct tmpl_value v)
{
	return v.type == TMPL_STR || v.type == TMPL_LIST ||
	    v.type == TMPL_TUPLE || v.type == TMPL_RANGE;
}

int
tmpl_len(struct tmpl_run *r, struct tmpl_value v, size_t *ret)
{
	switch (v.type) {
	case TMPL_STR:
		*ret = v.u.str->chars;
		return 0;
	case TMPL_LIST:
	case TMPL_TUPLE:
		*ret = v.u.list->n;
		return 0;
	case TMPL_DICT:
		*ret = v.u.dict->n;
		return 0;
	case TMPL_VIEW:
		*ret = v.u.view->dict->n;
		return 0;
	case TMPL_RANGE:
		if (v.u.range->n > INT64_MAX)
			return tmpl_raise(r, TMPL_OVERFLOW_ERROR,
			    "Python int too large to convert to C ssize_t");
		*ret = (size_t)v.u.range->n;
		return 0;
	case TMPL_NONE:
	case TMPL_BOOL:
	case TMPL_INT:
	case TMPL_FLOAT:
	case TMPL_ITER:
	case TMPL_LOOP:
	case TMPL_DEF:
	case TMPL_EXC:
	case TMPL_UNDEFINED:
		break;
	}
	return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
	    "object of type '%s' has no len()", tmpl_type_name(v));
}

int
tmpl_need_int(struct tmpl_run *r, struct tmpl_value v, int64_t *ret)
{
	if (!tmpl_is_int(v))
		return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
		    "'%s' object cannot be interpreted as an integer",
		    tmpl_type_name(v));
	*ret = tmpl_as_int(v);
	return 0;
}

static int
bad_index(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value key)
{
	const char *name = tmpl_type_name(v);

	if (v.type == TMPL_STR)
		return tmpl_raise_of(r, key, TMPL_TYPE_ERROR,
		    "string indices must be integers, not '%s'",
		    tmpl_type_name(key));
	return tmpl_raise_of(r, key, TMPL_TYPE_ERROR,
	    "%s indices must be integers or slices, not %s", name,
	    tmpl_type_name(key));
}

/* The place that an index means, counting from the end when it is negative. */
static int
place(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value key,
    const char *what, size_t *ret)
{
	int64_t i;
	size_t n;

	if (!tmpl_is_int(key))
		return bad_index(r, v, key);
	if (tmpl_len(r, v, &n) == -1)
		return -1;
	i = tmpl_as_int(key);
	if (i < 0)
		i += (int64_t)n;
	if (i < 0 || (uint64_t)i >= n)
		return tmpl_raise(
		    r, TMPL_INDEX_ERROR, "%s index out of range", what);
	*ret = (size_t)i;
	return 0;
}

static int
str_at(struct tmpl_run *r, const struct tmpl_str *s, size_t i,
    struct tmpl_value *ret)
{
	size_t at, end;

	if (s->chars != s->len && tmpl_charge(r, s->len) == -1)
		return -1;
	at = tmpl_str_offset(s, i);
	for (end = at + 1; end < s->len && (s->s[end] & 0xc0) == 0x80; end++)
		continue;
	return tmpl_str(r, s->s + at, end - at, ret);
}

int
tmpl_key_error(struct tmpl_run *r, struct tmpl_value key)
{
	struct strbuf AUTO_STRBUF text;

	tmpl_buf_init(&text);
	if (tmpl_repr_for_fault(r, key, &text) == -1)
		return -1;
	return tmpl_raise(r, TMPL_KEY_ERROR, "%s", text.buf);
}

static int
dict_index(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value key,
    struct tmpl_value *ret)
{
	struct tmpl_entry *entry;

	if (tmpl_dict_find(r, v.u.dict, key, &entry) == -1)
		return -1;
	if (entry == NULL)
		return tmpl_key_error(r, key);
	*ret = entry->v;
	return 0;
}

int
tmpl_index(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value key,
    struct tmpl_value *ret)
{
	const char *what;
	size_t i;

	if (v.type == TMPL_DICT)
		return dict_index(r, v, key, ret);
	if (!is_sequence(v))
		return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
		    "'%s' object is not subscriptable", tmpl_type_name(v));
	what = v.type == TMPL_STR  ? "string"
	    : v.type == TMPL_RANGE ? "range object"
				   : tmpl_type_name(v);
	if (place(r, v, key, what, &i) == -1)
		return -1;
	if (v.type == TMPL_STR)
		return str_at(r, v.u.str, i, ret);
	*ret = v.type == TMPL_RANGE ? tmpl_int(tmpl_range_at(v.u.range, i))
				    : v.u.list->items[i];
	return 0;
}

int
tmpl_set_index(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value key,
    struct tmpl_value item)
{
	size_t i;

	if (v.type == TMPL_DICT)
		return tmpl_dict_set(r, v.u.dict, key, item);
	if (v.type != TMPL_LIST)
		return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
		    "'%s' object does not support item assignment",
		    tmpl_type_name(v));
	if (place(r, v, key, "list assignment", &i) == -1)
		return -1;
	v.u.list->items[i] = item;
	return 0;
}

size_t
tmpl_clip(int64_t i, size_t len)
{
	if (i < 0)
		i += (int64_t)len;
	if (i < 0)
		return 0;
	return (uint64_t)i > len ? len : (size_t)i;
}

int
tmpl_slice_part(
    struct tmpl_run *r, struct tmpl_value v, int64_t unset, int64_t *ret)
{
	if (v.type == TMPL_NONE || v.type == TMPL_ABSENT) {
		*ret = unset;
		return 0;
	}
	if (!tmpl_is_int(v))
		return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
		    "slice indices must be integers or None or have an "
		    "__index__ method");
	*ret = tmpl_as_int(v);
	return 0;
}

/* Where a slice begins, how it goes on, and how many it takes. */
struct extent {
	int64_t start;
	int64_t step;
	size_t n;
};

/* Clips an end of a slice: to 0..n, or to -1..n-1 when it goes backwards. */
static int64_t
clip_end(int64_t i, int64_t n, bool back)
{
	if (i < 0) {
		i += n;
		if (i < 0)
			return back ? -1 : 0;
	} else if (i >= n) {
		return back ? n - 1 : n;
	}
	return i;
}

static int
extent_of(struct tmpl_run *r, const struct tmpl_value part[3], size_t len,
    struct extent *ret)
{
	int64_t n = (int64_t)len, start = 0, stop = 0, step = 1;
	uint64_t distance, stride;
	bool back;

	if (tmpl_slice_part(r, part[2], 1, &step) == -1)
		return -1;
	if (step == 0)
		return tmpl_raise(
		    r, TMPL_VALUE_ERROR, "slice step cannot be zero");
	back = step < 0;
	/* Out of range whatever n is. */
	if (tmpl_slice_part(r, part[0], back ? INT64_MAX : 0, &start) == -1 ||
	    tmpl_slice_part(r, part[1], back ? INT64_MIN : INT64_MAX, &stop) ==
		-1)
		return -1;
	start = clip_end(start, n, back);
	stop = stop == INT64_MIN ? -1 : clip_end(stop, n, back);
	if (!back && stop < 0)
		stop = 0;
	ret->start = start;
	ret->step = step;
	ret->n = 0;
	if (back ? start <= stop : start >= stop)
		return 0;
	distance = (uint64_t)(back ? start - stop : stop - start);
	stride = back ? -(uint64_t)step : (uint64_t)step;
	ret->n = (size_t)((distance - 1) / stride + 1);
	return 0;
}

/* Place i of an extent; a step is only made when there is one to make. */
static size_t
extent_at(const struct extent *x, size_t i)
{
	return i == 0 ? (size_t)x->start
		      : (size_t)(x->start + (int64_t)i * x->step);
}

static int
slice_list(struct tmpl_run *r, struct tmpl_value v, const struct extent *x,
    struct tmpl_value *ret)
{
	size_t i;

	if (tmpl_charge(r, x->n) == -1 ||
	    tmpl_list_new(r, v.type, x->n, ret) == -1)
		return -1;
	for (i = 0; i < x->n; i++)
		ret->u.list->items[i] = v.u.list->items[extent_at(x, i)];
	ret->u.list->n = x->n;
	return 0;
}

/* Where each character begins, for slices that jump. */
static int
slice_chars(struct tmpl_run *r, const struct tmpl_str *s,
    const struct extent *x, struct tmpl_value *ret)
{
	struct strbuf AUTO_STRBUF out;
	uint32_t *starts;
	size_t i, n = 0, at;

	tmpl_buf_init(&out);
	starts = arena_calloc(r->a, s->chars + 1, sizeof(*starts));
	if (starts == NULL)
		return tmpl_raise_nomem(r);
	for (i = 0; i < s->len; i++) {
		if ((s->s[i] & 0xc0) != 0x80)
			starts[n++] = (uint32_t)i;
	}
	starts[n] = (uint32_t)s->len;
	for (i = 0; i < x->n; i++) {
		at = extent_at(x, i);
		strbuf_add(
		    &out, s->s + starts[at], starts[at + 1] - starts[at]);
	}
	return tmpl_str_take(r, &out, ret);
}

static int
slice_str(struct tmpl_run *r, const struct tmpl_str *s, const struct extent *x,
    struct tmpl_value *ret)
{
	size_t from, to;

	if (tmpl_charge(r, s->len) == -1)
		return -1;
	if (x->step != 1 && x->n > 0)
		return slice_chars(r, s, x, ret);
	from = tmpl_str_offset(s, x->n > 0 ? (size_t)x->start : 0);
	to = x->n > 0 ? tmpl_str_offset(s, (size_t)x->start + x->n) : from;
	return tmpl_str(r, s->s + from, to - from, ret);
}

static int
slice_range(struct tmpl_run *r, const struct tmpl_range *g,
    const struct extent *x, struct tmpl_value *ret)
{
	int64_t start, stop, step, reach;

	if (__builtin_mul_overflow(g->step, x->step, &step))
		return tmpl_overflow(r);
	start = x->n > 0 || x->start < (int64_t)g->n
	    ? tmpl_range_at(g, x->start < 0 ? 0 : (uint64_t)x->start)
	    : g->stop;
	if (__builtin_mul_overflow((int64_t)x->n, step, &reach) ||
	    __builtin_add_overflow(start, reach, &stop))
		return tmpl_overflow(r);
	return tmpl_range(r, start, stop, step, ret);
}

int
tmpl_slice(struct tmpl_run *r, struct tmpl_value v,
    const struct tmpl_value part[3], struct tmpl_value *ret)
{
	struct extent x = { 0 };
	size_t n;

	if (v.type == TMPL_DICT)
		return tmpl_raise(
		    r, TMPL_TYPE_ERROR, "unhashable type: 'slice'");
	if (!is_sequence(v))
		return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
		    "'%s' object is not subscriptable", tmpl_type_name(v));
	if (tmpl_len(r, v, &n) == -1 || extent_of(r, part, n, &x) == -1)
		return -1;
	if (v.type == TMPL_STR)
		return slice_str(r, v.u.str, &x, ret);
	if (v.type == TMPL_RANGE)
		return slice_range(r, v.u.range, &x, ret);
	return slice_list(r, v, &x, ret);
}
