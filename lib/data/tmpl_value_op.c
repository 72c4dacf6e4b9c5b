/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Arithmetic.  Which function does an operator is decided by the kinds of its
 * two sides: ints (bools among them), a float on either side, or sequences.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "lib/data/tmpl_value_internal.h"

__extension__ typedef unsigned __int128 u128;

typedef int binary_fn(struct tmpl_run *r, struct tmpl_value v,
    struct tmpl_value w, struct tmpl_value *ret);

int
tmpl_overflow(struct tmpl_run *r)
{
	return tmpl_raise(r, TMPL_UNSUPPORTED, "integer overflow");
}

static int
zero_division(struct tmpl_run *r, const char *text)
{
	return tmpl_raise(r, TMPL_ZERO_DIVISION_ERROR, "%s", text);
}

/* Ints */

static int
int_add(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	int64_t i;

	if (__builtin_add_overflow(tmpl_as_int(v), tmpl_as_int(w), &i))
		return tmpl_overflow(r);
	*ret = tmpl_int(i);
	return 0;
}

static int
int_sub(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	int64_t i;

	if (__builtin_sub_overflow(tmpl_as_int(v), tmpl_as_int(w), &i))
		return tmpl_overflow(r);
	*ret = tmpl_int(i);
	return 0;
}

static int
int_mul(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	int64_t i;

	if (__builtin_mul_overflow(tmpl_as_int(v), tmpl_as_int(w), &i))
		return tmpl_overflow(r);
	*ret = tmpl_int(i);
	return 0;
}

static uint64_t
magnitude(int64_t i)
{
	return i < 0 ? -(uint64_t)i : (uint64_t)i;
}

/* a / b to the nearest double: both sides exactly, rounded once. */
static double
true_quotient(uint64_t a, uint64_t b)
{
	u128 wide, quotient;
	int shift = 0;

	if (a < UINT64_C(1) << 53 && b < UINT64_C(1) << 53)
		return (double)a / (double)b;
	if (a == 0)
		return 0;
	wide = a;
	/* At least 56 bits of quotient, then one that says "and some". */
	while (wide >> 127 == 0) {
		wide <<= 1;
		shift++;
	}
	quotient = wide / b;
	while (quotient >> 62 != 0) {
		quotient = quotient >> 1 | (quotient & 1);
		shift--;
	}
	if (wide % b != 0)
		quotient |= 1;
	return ldexp((double)(uint64_t)quotient, -shift);
}

static int
int_div(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	int64_t a = tmpl_as_int(v), b = tmpl_as_int(w);
	double f;

	if (b == 0)
		return zero_division(r, "division by zero");
	f = true_quotient(magnitude(a), magnitude(b));
	*ret = tmpl_float((a < 0) != (b < 0) ? -f : f);
	return 0;
}

static int
int_floordiv(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	int64_t a = tmpl_as_int(v), b = tmpl_as_int(w), q;

	if (b == 0)
		return zero_division(r, "integer division or modulo by zero");
	if (a == INT64_MIN && b == -1)
		return tmpl_overflow(r);
	q = a / b;
	if (a % b != 0 && (a < 0) != (b < 0))
		q--;
	*ret = tmpl_int(q);
	return 0;
}

static int
int_mod(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	int64_t a = tmpl_as_int(v), b = tmpl_as_int(w), m;

	if (b == 0)
		return zero_division(r, "integer modulo by zero");
	m = b == -1 ? 0 : a % b;
	if (m != 0 && (m < 0) != (b < 0))
		m += b;
	*ret = tmpl_int(m);
	return 0;
}

static int float_pow(struct tmpl_run *r, struct tmpl_value v,
    struct tmpl_value w, struct tmpl_value *ret);

static int
int_pow(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	int64_t base = tmpl_as_int(v), n = tmpl_as_int(w), i = 1;

	if (n < 0)
		return float_pow(r, v, w, ret);
	/* These stay small however often they are multiplied. */
	if (base == -1)
		base = n % 2 != 0 ? -1 : 1;
	if (base >= -1 && base <= 1)
		n = n > 0 ? 1 : 0;
	for (; n > 0; n--) {
		if (__builtin_mul_overflow(i, base, &i))
			return tmpl_overflow(r);
	}
	*ret = tmpl_int(i);
	return 0;
}

static int
int_shift(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    bool left, struct tmpl_value *ret)
{
	int64_t i = tmpl_as_int(v), n = tmpl_as_int(w);

	if (n < 0)
		return tmpl_raise(r, TMPL_VALUE_ERROR, "negative shift count");
	if (left && i != 0) {
		if (n > 62 || __builtin_mul_overflow(i, (int64_t)1 << n, &i))
			return tmpl_overflow(r);
	} else if (!left) {
		i = n > 63 ? (i < 0 ? -1 : 0) : i >> n;
	}
	*ret = tmpl_int(i);
	return 0;
}

static int
int_lshift(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	return int_shift(r, v, w, true, ret);
}

static int
int_rshift(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	return int_shift(r, v, w, false, ret);
}

/* Two bools stay one. */
static int
bits(
    struct tmpl_value v, struct tmpl_value w, int64_t i, struct tmpl_value *ret)
{
	*ret = v.type == TMPL_BOOL && w.type == TMPL_BOOL ? tmpl_bool(i != 0)
							  : tmpl_int(i);
	return 0;
}

static int
int_or(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	(void)r;
	return bits(v, w, tmpl_as_int(v) | tmpl_as_int(w), ret);
}

static int
int_xor(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	(void)r;
	return bits(v, w, tmpl_as_int(v) ^ tmpl_as_int(w), ret);
}

static int
int_and(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	(void)r;
	return bits(v, w, tmpl_as_int(v) & tmpl_as_int(w), ret);
}

/* Floats */

static int
float_add(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	(void)r;
	*ret = tmpl_float(tmpl_as_float(v) + tmpl_as_float(w));
	return 0;
}

static int
float_sub(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	(void)r;
	*ret = tmpl_float(tmpl_as_float(v) - tmpl_as_float(w));
	return 0;
}

static int
float_mul(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	(void)r;
	*ret = tmpl_float(tmpl_as_float(v) * tmpl_as_float(w));
	return 0;
}

static int
float_div(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	if (tmpl_as_float(w) == 0)
		return zero_division(r, "float division by zero");
	*ret = tmpl_float(tmpl_as_float(v) / tmpl_as_float(w));
	return 0;
}

/* Quotient rounded down, and the rest with the sign of b. */
static void
float_divmod(double a, double b, double *ret_div, double *ret_mod)
{
	double div, mod;

	mod = fmod(a, b);
	div = (a - mod) / b;
	if (mod != 0) {
		if ((b < 0) != (mod < 0)) {
			mod += b;
			div -= 1;
		}
	} else {
		mod = copysign(0, b);
	}
	if (div != 0) {
		*ret_div = floor(div);
		if (div - *ret_div > 0.5)
			*ret_div += 1;
	} else {
		*ret_div = copysign(0, a / b);
	}
	*ret_mod = mod;
}

static int
float_floordiv(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	double div, mod;

	if (tmpl_as_float(w) == 0)
		return zero_division(r, "float floor division by zero");
	float_divmod(tmpl_as_float(v), tmpl_as_float(w), &div, &mod);
	*ret = tmpl_float(div);
	return 0;
}

static int
float_mod(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	double div, mod;

	if (tmpl_as_float(w) == 0)
		return zero_division(r, "float modulo");
	float_divmod(tmpl_as_float(v), tmpl_as_float(w), &div, &mod);
	*ret = tmpl_float(mod);
	return 0;
}

static int
float_pow(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	double a = tmpl_as_float(v), b = tmpl_as_float(w), f;

	if (a == 0 && b < 0)
		return zero_division(
		    r, "0.0 cannot be raised to a negative power");
	if (a < 0 && isfinite(a) && isfinite(b) && b != floor(b))
		return tmpl_unsupported(r, "a complex number");
	f = pow(a, b);
	if (isinf(f) && isfinite(a) && isfinite(b))
		return tmpl_raise(r, TMPL_OVERFLOW_ERROR,
		    "(%d, 'Numerical result out of range')", ERANGE);
	*ret = tmpl_float(f);
	return 0;
}

/* Sequences */

static int
str_add(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	const struct tmpl_str *s = v.u.str, *t = w.u.str;
	struct tmpl_str *str;
	char *text;

	str = tmpl_str_new(r, s->len + t->len, &text);
	if (str == NULL)
		return -1;
	memcpy(text, s->s, s->len);
	memcpy(text + s->len, t->s, t->len);
	str->chars = s->chars + t->chars;
	*ret = tmpl_str_value(str);
	return 0;
}

static int
list_add(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret)
{
	const struct tmpl_list *l = v.u.list, *m = w.u.list;

	if (tmpl_charge(r, l->n + m->n) == -1 ||
	    tmpl_list_new(r, v.type, l->n + m->n, ret) == -1)
		return -1;
	if (l->n > 0)
		memcpy(ret->u.list->items, l->items, l->n * sizeof(*l->items));
	if (m->n > 0)
		memcpy(ret->u.list->items + l->n, m->items,
		    m->n * sizeof(*m->items));
	ret->u.list->n = l->n + m->n;
	return 0;
}

static int
too_long(struct tmpl_run *r)
{
	return tmpl_raise(r, TMPL_LIMIT, "a repetition of more than 16 MiB");
}

static int
str_repeat(struct tmpl_run *r, const struct tmpl_str *s, size_t n,
    struct tmpl_value *ret)
{
	struct tmpl_str *str;
	size_t i, len;
	char *text;

	if (__builtin_mul_overflow(s->len, n, &len) || len > TMPL_OUT_MAX)
		return too_long(r);
	str = tmpl_str_new(r, len, &text);
	if (str == NULL)
		return -1;
	for (i = 0; i < len; i += s->len)
		memcpy(text + i, s->s, s->len);
	str->chars = s->chars * (len > 0 ? n : 0);
	*ret = tmpl_str_value(str);
	return 0;
}

static int
list_repeat(struct tmpl_run *r, struct tmpl_value v, size_t n, bool inplace,
    struct tmpl_value *ret)
{
	const struct tmpl_list *l = v.u.list;
	size_t i, len, bytes;
	struct tmpl_value made;

	if (__builtin_mul_overflow(l->n, n, &len) ||
	    __builtin_mul_overflow(len, sizeof(*l->items), &bytes) ||
	    bytes > TMPL_OUT_MAX)
		return too_long(r);
	if (tmpl_charge(r, len) == -1 ||
	    tmpl_list_new(r, v.type, len, &made) == -1)
		return -1;
	for (i = 0; i < len; i += l->n)
		memcpy(
		    made.u.list->items + i, l->items, l->n * sizeof(*l->items));
	made.u.list->n = len;
	if (inplace && v.type == TMPL_LIST) {
		*v.u.list = *made.u.list;
		made = v;
	}
	*ret = made;
	return 0;
}

static bool
can_repeat(struct tmpl_value v)
{
	return v.type == TMPL_STR || v.type == TMPL_LIST ||
	    v.type == TMPL_TUPLE;
}

static int
repeat(struct tmpl_run *r, bool inplace, struct tmpl_value v,
    struct tmpl_value w, struct tmpl_value *ret)
{
	struct tmpl_value times = w;
	int64_t n;

	if (!can_repeat(v)) {
		times = v;
		v = w;
		inplace = false;
	}
	if (!tmpl_is_int(times))
		return tmpl_raise_of(r, times, TMPL_TYPE_ERROR,
		    "can't multiply sequence by non-int of type '%s'",
		    tmpl_type_name(times));
	n = tmpl_as_int(times);
	if (n < 0)
		n = 0;
	if (v.type == TMPL_STR)
		return str_repeat(r, v.u.str, (size_t)n, ret);
	return list_repeat(r, v, (size_t)n, inplace, ret);
}

static const struct {
	const char *text;
	binary_fn *of_ints;
	binary_fn *of_floats;
} operators[] = {
	[TMPL_OP_OR] = { "|", int_or, NULL },
	[TMPL_OP_XOR] = { "^", int_xor, NULL },
	[TMPL_OP_AND] = { "&", int_and, NULL },
	[TMPL_OP_LSHIFT] = { "<<", int_lshift, NULL },
	[TMPL_OP_RSHIFT] = { ">>", int_rshift, NULL },
	[TMPL_OP_ADD] = { "+", int_add, float_add },
	[TMPL_OP_SUB] = { "-", int_sub, float_sub },
	[TMPL_OP_MUL] = { "*", int_mul, float_mul },
	[TMPL_OP_DIV] = { "/", int_div, float_div },
	[TMPL_OP_FLOORDIV] = { "//", int_floordiv, float_floordiv },
	[TMPL_OP_MOD] = { "%", int_mod, float_mod },
	[TMPL_OP_POW] = { "** or pow()", int_pow, float_pow },
};

static int
bad_operands(struct tmpl_run *r, enum tmpl_op op, bool inplace,
    struct tmpl_value v, struct tmpl_value w)
{
	const char *text = operators[op].text;

	if (op == TMPL_OP_ADD && can_repeat(v) && !inplace)
		return tmpl_raise_of(r, w, TMPL_TYPE_ERROR,
		    "can only concatenate %s (not \"%s\") to %s",
		    tmpl_type_name(v), tmpl_type_name(w), tmpl_type_name(v));
	if (inplace && op == TMPL_OP_POW)
		text = "**";
	return tmpl_raise_of(r, v.type == TMPL_UNDEFINED ? v : w,
	    TMPL_TYPE_ERROR,
	    "unsupported operand type(s) for %s%s: '%s' and '%s'", text,
	    inplace ? "=" : "", tmpl_type_name(v), tmpl_type_name(w));
}

static bool
both(struct tmpl_value v, struct tmpl_value w, enum tmpl_type type)
{
	return v.type == type && w.type == type;
}

static int
add_sequences(struct tmpl_run *r, bool inplace, struct tmpl_value v,
    struct tmpl_value w, struct tmpl_value *ret)
{
	if (inplace && v.type == TMPL_LIST) {
		*ret = v;
		return tmpl_list_extend(r, v.u.list, w);
	}
	if (both(v, w, TMPL_STR))
		return str_add(r, v, w, ret);
	if (both(v, w, TMPL_LIST) || both(v, w, TMPL_TUPLE))
		return list_add(r, v, w, ret);
	return bad_operands(r, TMPL_OP_ADD, inplace && !can_repeat(v), v, w);
}

int
tmpl_binary(struct tmpl_run *r, enum tmpl_op op, bool inplace,
    struct tmpl_value v, struct tmpl_value w, struct tmpl_value *ret)
{
	if (tmpl_charge(r, TMPL_STEP) == -1)
		return -1;
	if (tmpl_is_int(v) && tmpl_is_int(w))
		return operators[op].of_ints(r, v, w, ret);
	if (tmpl_is_number(v) && tmpl_is_number(w) &&
	    operators[op].of_floats != NULL)
		return operators[op].of_floats(r, v, w, ret);
	if (op == TMPL_OP_MOD && v.type == TMPL_STR)
		return tmpl_percent(r, v.u.str, w, ret);
	if (op == TMPL_OP_ADD)
		return add_sequences(r, inplace, v, w, ret);
	if (op == TMPL_OP_MUL && (can_repeat(v) || can_repeat(w)))
		return repeat(r, inplace, v, w, ret);
	if (op == TMPL_OP_OR && both(v, w, TMPL_DICT))
		return tmpl_unsupported(r, "'|' of dicts");
	if (v.type == TMPL_VIEW &&
	    (op == TMPL_OP_OR || op == TMPL_OP_AND || op == TMPL_OP_XOR ||
		op == TMPL_OP_SUB))
		return tmpl_unsupported(
		    r, "'%s' of '%s'", operators[op].text, tmpl_type_name(v));
	return bad_operands(r, op, inplace, v, w);
}

int
tmpl_unary(struct tmpl_run *r, enum tmpl_op op, struct tmpl_value v,
    struct tmpl_value *ret)
{
	static const char signs[] = "+-~";
	int64_t i;

	if (v.type == TMPL_FLOAT && op != TMPL_OP_INVERT) {
		*ret = tmpl_float(op == TMPL_OP_NEG ? -v.u.f : v.u.f);
		return 0;
	}
	if (!tmpl_is_int(v))
		return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
		    "bad operand type for unary %c: '%s'",
		    signs[op - TMPL_OP_POS], tmpl_type_name(v));
	i = tmpl_as_int(v);
	if (op == TMPL_OP_NEG) {
		if (i == INT64_MIN)
			return tmpl_overflow(r);
		i = -i;
	} else if (op == TMPL_OP_INVERT) {
		i = ~i;
	}
	*ret = tmpl_int(i);
	return 0;
}
