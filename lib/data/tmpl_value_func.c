/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The functions of the language, and how arguments find their parameters.  The
 * table also has the functions of Python that are not here, so that they are
 * refused by name.
 */
#include <string.h>

#include "lib/data/tmpl_char.h"
#include "lib/data/tmpl_value_internal.h"

/* Arguments */

static const char *
plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static int
bad_count(struct tmpl_run *r, const struct tmpl_builtin *f, size_t n)
{
	if (f->min == f->max && f->min <= 1)
		return tmpl_raise(r, TMPL_TYPE_ERROR,
		    "%s() takes %s (%zu given)", f->name,
		    f->min == 0 ? "no arguments" : "exactly one argument", n);
	if (n < f->min)
		return tmpl_raise(r, TMPL_TYPE_ERROR,
		    "%s expected at least %u argument%s, got %zu", f->name,
		    f->min, plural(f->min), n);
	return tmpl_raise(r, TMPL_TYPE_ERROR,
	    "%s expected at most %u argument%s, got %zu", f->name, f->max,
	    plural(f->max), n);
}

/* Which parameter has this name: its place, or -1. */
static int
parameter(const char *names, const char *name)
{
	size_t len = strlen(name), word;
	int i;

	for (i = 0; names != NULL && *names != '\0'; i++) {
		word = strcspn(names, " ");
		if (word == len && memcmp(names, name, len) == 0)
			return i;
		names += word;
		names += strspn(names, " ");
	}
	return -1;
}

static int
bind_keywords(struct tmpl_run *r, const struct tmpl_builtin *f,
    const struct tmpl_args *args, struct tmpl_value *slots)
{
	size_t i;
	int at;

	for (i = 0; i < args->n_kw; i++) {
		at = parameter(f->names, args->kw[i].name);
		if (at < 0 && strcmp(args->kw[i].name, "key") == 0)
			return tmpl_unsupported(r, "'key' of '%s'", f->name);
		if (at < 0)
			return tmpl_raise(r, TMPL_TYPE_ERROR,
			    "'%s' is an invalid keyword argument for %s()",
			    args->kw[i].name, f->name);
		if (slots[at].type != TMPL_ABSENT)
			return tmpl_raise(r, TMPL_TYPE_ERROR,
			    "argument for %s() given by name ('%s') and "
			    "position (%d)",
			    f->name, args->kw[i].name, at + 1);
		slots[at] = args->kw[i].v;
	}
	return 0;
}

int
tmpl_builtin_call(struct tmpl_run *r, const struct tmpl_builtin *f,
    struct tmpl_value self, const struct tmpl_args *args,
    struct tmpl_value *ret)
{
	struct tmpl_value slots[TMPL_ARGS_MAX];
	struct tmpl_args bound = { .n = f->max, .v = slots };
	size_t i, n;

	if (tmpl_charge(r, TMPL_STEP) == -1)
		return -1;
	if (f->max == TMPL_VARIADIC)
		return f->fn(r, self, args, ret);
	n = args->n + args->n_kw;
	if (args->n > f->max || (args->n_kw == 0 && n < f->min))
		return bad_count(r, f, args->n);
	for (i = 0; i < TMPL_ARGS_MAX; i++) {
		slots[i].type = TMPL_ABSENT;
		if (i < args->n)
			slots[i] = args->v[i];
	}
	if (bind_keywords(r, f, args, slots) == -1)
		return -1;
	for (i = 0; i < f->min; i++) {
		if (slots[i].type == TMPL_ABSENT)
			return bad_count(r, f, args->n);
	}
	return f->fn(r, self, &bound, ret);
}

const struct tmpl_builtin *
tmpl_builtin_find(const struct tmpl_builtin *table, size_t n, const char *name)
{
	size_t lo = 0, hi = n, mid;
	int order;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		order = strcmp(name, table[mid].name);
		if (order == 0)
			return &table[mid];
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/* Conversions */

static bool
given(struct tmpl_value v)
{
	return v.type != TMPL_ABSENT;
}

#define FUNC(name)                                                             \
  static int name(struct tmpl_run *r, struct tmpl_value self,                  \
      const struct tmpl_args *args, struct tmpl_value *ret)

FUNC(fn_bool)
{
	(void)r;
	(void)self;
	*ret = tmpl_bool(given(args->v[0]) && tmpl_truth(args->v[0]));
	return 0;
}

FUNC(fn_int)
{
	(void)self;
	if (!given(args->v[0]) && !given(args->v[1])) {
		*ret = tmpl_int(0);
		return 0;
	}
	if (!given(args->v[0]))
		return tmpl_raise(
		    r, TMPL_TYPE_ERROR, "int() missing string argument");
	return tmpl_int_of(r, args->v[0], args->v[1], ret);
}

FUNC(fn_float)
{
	(void)self;
	if (!given(args->v[0])) {
		*ret = tmpl_float(0);
		return 0;
	}
	return tmpl_float_of(r, args->v[0], ret);
}

FUNC(fn_str)
{
	static const char *const names[] = { "object", "encoding", "errors" };
	const struct tmpl_str *s;
	size_t i;

	(void)self;
	for (i = 1; i < 3; i++) {
		if (given(args->v[i]) && args->v[i].type != TMPL_STR)
			return tmpl_raise_of(r, args->v[i], TMPL_TYPE_ERROR,
			    "str() argument '%s' must be str, not %s", names[i],
			    tmpl_type_name(args->v[i]));
	}
	if (given(args->v[1]) || given(args->v[2]))
		return tmpl_raise(
		    r, TMPL_TYPE_ERROR, "decoding str is not supported");
	if (!given(args->v[0]))
		return tmpl_str(r, "", 0, ret);
	if (tmpl_to_str(r, args->v[0], &s) == -1)
		return -1;
	*ret = tmpl_str_value(s);
	return 0;
}

FUNC(fn_repr)
{
	struct strbuf AUTO_STRBUF out;

	tmpl_buf_init(&out);
	(void)self;
	if (tmpl_repr(r, args->v[0], &out) == -1)
		return -1;
	return tmpl_str_take(r, &out, ret);
}

static int
list_or_tuple(struct tmpl_run *r, enum tmpl_type type, struct tmpl_value v,
    struct tmpl_value *ret)
{
	if (!given(v))
		return tmpl_list_new(r, type, 0, ret);
	return tmpl_list_of(r, type, v, ret);
}

FUNC(fn_list)
{
	(void)self;
	return list_or_tuple(r, TMPL_LIST, args->v[0], ret);
}

FUNC(fn_tuple)
{
	(void)self;
	return list_or_tuple(r, TMPL_TUPLE, args->v[0], ret);
}

FUNC(fn_dict)
{
	struct tmpl_value key;
	size_t i;

	(void)self;
	if (args->n > 1)
		return tmpl_raise(r, TMPL_TYPE_ERROR,
		    "dict expected at most 1 argument, got %zu", args->n);
	if (tmpl_dict_new(r, ret) == -1 ||
	    (args->n == 1 &&
		tmpl_dict_update(r, ret->u.dict, args->v[0]) == -1))
		return -1;
	for (i = 0; i < args->n_kw; i++) {
		if (tmpl_str(r, args->kw[i].name, strlen(args->kw[i].name),
			&key) == -1 ||
		    tmpl_dict_set(r, ret->u.dict, key, args->kw[i].v) == -1)
			return -1;
	}
	return 0;
}

/* Numbers and characters */

FUNC(fn_abs)
{
	struct tmpl_value v = args->v[0];

	(void)self;
	if (!tmpl_is_number(v))
		return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
		    "bad operand type for abs(): '%s'", tmpl_type_name(v));
	if (v.type == TMPL_FLOAT) {
		*ret = tmpl_float(__builtin_fabs(v.u.f));
		return 0;
	}
	*ret = tmpl_int(tmpl_as_int(v));
	return tmpl_as_int(v) < 0 ? tmpl_unary(r, TMPL_OP_NEG, v, ret) : 0;
}

FUNC(fn_round)
{
	(void)self;
	return tmpl_round(r, args->v[0], args->v[1], ret);
}

static int
in_base(struct tmpl_run *r, struct tmpl_value v, unsigned base,
    const char *prefix, struct tmpl_value *ret)
{
	struct strbuf AUTO_STRBUF out;
	int64_t i;

	tmpl_buf_init(&out);
	if (tmpl_need_int(r, v, &i) == -1)
		return -1;
	strbuf_addf(&out, "%s%s", i < 0 ? "-" : "", prefix);
	tmpl_int_digits(i, base, false, &out);
	return tmpl_str_take(r, &out, ret);
}

FUNC(fn_hex)
{
	(void)self;
	return in_base(r, args->v[0], 16, "0x", ret);
}

FUNC(fn_oct)
{
	(void)self;
	return in_base(r, args->v[0], 8, "0o", ret);
}

FUNC(fn_bin)
{
	(void)self;
	return in_base(r, args->v[0], 2, "0b", ret);
}

FUNC(fn_ord)
{
	struct tmpl_value v = args->v[0];

	(void)self;
	if (v.type != TMPL_STR)
		return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
		    "ord() expected string of length 1, but %s found",
		    tmpl_type_name(v));
	if (v.u.str->chars != 1)
		return tmpl_raise(r, TMPL_TYPE_ERROR,
		    "ord() expected a character, but string of length %zu "
		    "found",
		    v.u.str->chars);
	*ret = tmpl_int((int64_t)tmpl_char_at(v.u.str->s));
	return 0;
}

FUNC(fn_chr)
{
	char text[4];
	int64_t i;

	(void)self;
	if (tmpl_need_int(r, args->v[0], &i) == -1)
		return -1;
	if (i < 0 || i > TMPL_CHAR_MAX)
		return tmpl_raise(
		    r, TMPL_VALUE_ERROR, "chr() arg not in range(0x110000)");
	if (i >= 0xd800 && i <= 0xdfff)
		return tmpl_unsupported(r, "a surrogate character");
	return tmpl_str(r, text, tmpl_char_put((uint32_t)i, text), ret);
}

FUNC(fn_format)
{
	struct strbuf AUTO_STRBUF out;
	struct tmpl_value spec = args->v[1];

	tmpl_buf_init(&out);
	(void)self;
	if (given(spec) && spec.type != TMPL_STR)
		return tmpl_raise_of(r, spec, TMPL_TYPE_ERROR,
		    "format() argument 2 must be str, not %s",
		    tmpl_type_name(spec));
	if (tmpl_format(r, args->v[0], given(spec) ? spec.u.str->s : "",
		given(spec) ? spec.u.str->len : 0, &out) == -1)
		return -1;
	return tmpl_str_take(r, &out, ret);
}

/* Sorted by name. */
static const struct tmpl_builtin functions[] = {
	{ "__import__", NULL, 0, 0, NULL },
	{ "abs", fn_abs, 1, 1, "-" },
	{ "aiter", NULL, 0, 0, NULL },
	{ "all", tmpl_fn_all, 1, 1, "-" },
	{ "anext", NULL, 0, 0, NULL },
	{ "any", tmpl_fn_any, 1, 1, "-" },
	{ "ascii", NULL, 0, 0, NULL },
	{ "bin", fn_bin, 1, 1, "-" },
	{ "bool", fn_bool, 0, 1, "-" },
	{ "breakpoint", NULL, 0, 0, NULL },
	{ "bytearray", NULL, 0, 0, NULL },
	{ "bytes", NULL, 0, 0, NULL },
	{ "callable", NULL, 0, 0, NULL },
	{ "chr", fn_chr, 1, 1, "-" },
	{ "classmethod", NULL, 0, 0, NULL },
	{ "compile", NULL, 0, 0, NULL },
	{ "complex", NULL, 0, 0, NULL },
	{ "copyright", NULL, 0, 0, NULL },
	{ "credits", NULL, 0, 0, NULL },
	{ "delattr", NULL, 0, 0, NULL },
	{ "dict", fn_dict, 0, TMPL_VARIADIC, NULL },
	{ "dir", NULL, 0, 0, NULL },
	{ "divmod", NULL, 0, 0, NULL },
	{ "enumerate", tmpl_fn_enumerate, 1, 2, "iterable start" },
	{ "eval", NULL, 0, 0, NULL },
	{ "exec", NULL, 0, 0, NULL },
	{ "exit", NULL, 0, 0, NULL },
	{ "filter", NULL, 0, 0, NULL },
	{ "float", fn_float, 0, 1, "-" },
	{ "format", fn_format, 1, 2, "- -" },
	{ "frozenset", NULL, 0, 0, NULL },
	{ "getattr", NULL, 0, 0, NULL },
	{ "globals", NULL, 0, 0, NULL },
	{ "hasattr", NULL, 0, 0, NULL },
	{ "hash", NULL, 0, 0, NULL },
	{ "help", NULL, 0, 0, NULL },
	{ "hex", fn_hex, 1, 1, "-" },
	{ "id", NULL, 0, 0, NULL },
	{ "input", NULL, 0, 0, NULL },
	{ "int", fn_int, 0, 2, "- base" },
	{ "isinstance", NULL, 0, 0, NULL },
	{ "issubclass", NULL, 0, 0, NULL },
	{ "iter", NULL, 0, 0, NULL },
	{ "len", tmpl_fn_len, 1, 1, "-" },
	{ "license", NULL, 0, 0, NULL },
	{ "list", fn_list, 0, 1, "-" },
	{ "locals", NULL, 0, 0, NULL },
	{ "map", NULL, 0, 0, NULL },
	{ "max", tmpl_fn_max, 0, TMPL_VARIADIC, NULL },
	{ "memoryview", NULL, 0, 0, NULL },
	{ "min", tmpl_fn_min, 0, TMPL_VARIADIC, NULL },
	{ "next", NULL, 0, 0, NULL },
	{ "object", NULL, 0, 0, NULL },
	{ "oct", fn_oct, 1, 1, "-" },
	{ "open", NULL, 0, 0, NULL },
	{ "ord", fn_ord, 1, 1, "-" },
	{ "pow", NULL, 0, 0, NULL },
	{ "print", NULL, 0, 0, NULL },
	{ "property", NULL, 0, 0, NULL },
	{ "quit", NULL, 0, 0, NULL },
	{ "range", tmpl_fn_range, 1, 3, "- - -" },
	{ "repr", fn_repr, 1, 1, "-" },
	{ "reversed", tmpl_fn_reversed, 1, 1, "-" },
	{ "round", fn_round, 1, 2, "number ndigits" },
	{ "set", NULL, 0, 0, NULL },
	{ "setattr", NULL, 0, 0, NULL },
	{ "slice", NULL, 0, 0, NULL },
	{ "sorted", tmpl_fn_sorted, 1, 3, "- key reverse" },
	{ "staticmethod", NULL, 0, 0, NULL },
	{ "str", fn_str, 0, 3, "object encoding errors" },
	{ "sum", tmpl_fn_sum, 1, 2, "- start" },
	{ "super", NULL, 0, 0, NULL },
	{ "tuple", fn_tuple, 0, 1, "-" },
	{ "type", NULL, 0, 0, NULL },
	{ "vars", NULL, 0, 0, NULL },
	{ "zip", tmpl_fn_zip, 0, TMPL_VARIADIC, NULL },
};

const struct tmpl_builtin *
tmpl_function(const char *name)
{
	return tmpl_builtin_find(functions, ARRAY_LEN(functions), name);
}
