/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * "text" % values: printf's notation, as Python has it.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/data/tmpl_char.h"
#include "lib/data/tmpl_value_internal.h"

struct percent {
	struct tmpl_run *r;
	const char *start;
	const char *p;
	const char *end;
	struct strbuf *out;
	/* The values, and how many have been used. */
	const struct tmpl_value *v;
	size_t n;
	size_t used;
	/* What is on the right side is one value, maybe a mapping. */
	struct tmpl_value whole;
	bool mapping;
};

/* %[(key)][flags][width][.precision]type */
struct directive {
	bool left;
	bool plus;
	bool blank;
	bool alternate;
	bool zero;
	size_t width;
	bool has_precision;
	size_t precision;
	char type;
	/* Of the mapping. */
	bool keyed;
	struct tmpl_value item;
};

static int
incomplete(struct percent *x)
{
	return tmpl_raise(x->r, TMPL_VALUE_ERROR, "incomplete format");
}

static int
next_value(struct percent *x, struct tmpl_value *ret)
{
	if (x->used == x->n)
		return tmpl_raise(x->r, TMPL_TYPE_ERROR,
		    "not enough arguments for format string");
	*ret = x->v[x->used++];
	return 0;
}

static int
read_key(struct percent *x, struct directive *d)
{
	struct tmpl_value key;
	const char *start = ++x->p;
	unsigned depth = 1;

	if (!x->mapping)
		return tmpl_raise(
		    x->r, TMPL_TYPE_ERROR, "format requires a mapping");
	for (; x->p < x->end && depth > 0; x->p++) {
		if (*x->p == '(')
			depth++;
		else if (*x->p == ')')
			depth--;
	}
	if (depth > 0)
		return tmpl_raise(
		    x->r, TMPL_VALUE_ERROR, "incomplete format key");
	d->keyed = true;
	if (tmpl_str(x->r, start, (size_t)(x->p - 1 - start), &key) == -1)
		return -1;
	return tmpl_index(x->r, x->whole, key, &d->item);
}

static void
read_flags(struct percent *x, struct directive *d)
{
	for (; x->p < x->end; x->p++) {
		if (*x->p == '-')
			d->left = true;
		else if (*x->p == '+')
			d->plus = true;
		else if (*x->p == ' ')
			d->blank = true;
		else if (*x->p == '#')
			d->alternate = true;
		else if (*x->p == '0')
			d->zero = true;
		else
			break;
	}
}

/* Digits, or '*' for the next value, which may be negative. */
static int
read_size(struct percent *x, const char *what, size_t *ret, bool *ret_negative)
{
	struct tmpl_value v;
	int64_t i = 0;

	*ret_negative = false;
	if (x->p < x->end && *x->p == '*') {
		x->p++;
		if (next_value(x, &v) == -1)
			return -1;
		if (!tmpl_is_int(v))
			return tmpl_raise_of(
			    x->r, v, TMPL_TYPE_ERROR, "* wants int");
		i = tmpl_as_int(v);
		*ret_negative = i < 0;
		if (i < 0)
			i = i == INT64_MIN ? INT64_MAX : -i;
	}
	for (; x->p < x->end && *x->p >= '0' && *x->p <= '9' && i <= INT32_MAX;
	     x->p++)
		i = i * 10 + (*x->p - '0');
	if (i > INT32_MAX)
		return tmpl_raise(x->r, TMPL_VALUE_ERROR, "%s too big", what);
	*ret = (size_t)i;
	return 0;
}

static int
read_directive(struct percent *x, struct directive *d)
{
	bool negative;

	*d = (struct directive){ 0 };
	x->p++;
	if (x->p < x->end && *x->p == '(' && read_key(x, d) == -1)
		return -1;
	read_flags(x, d);
	if (read_size(x, "width", &d->width, &negative) == -1)
		return -1;
	d->left = d->left || negative;
	if (x->p < x->end && *x->p == '.') {
		x->p++;
		d->has_precision = true;
		if (read_size(x, "precision", &d->precision, &negative) == -1)
			return -1;
		if (negative)
			d->precision = 0;
	}
	if (x->p < x->end && strchr("hlL", *x->p) != NULL)
		x->p++;
	if (x->p == x->end)
		return incomplete(x);
	d->type = *x->p++;
	return 0;
}

static void
add_repeated(struct strbuf *out, char c, size_t n)
{
	for (; n > 0 && out->latch == OVE_NONE; n--)
		strbuf_addc(out, c);
}

/* Adds a sign or prefix, and text, in the width. */
static int
add_field(struct percent *x, const struct directive *d, const char *head,
    const char *text, size_t len)
{
	size_t chars, pad = 0;

	chars = strlen(head) + tmpl_count_chars(text, len);
	if (d->width > chars)
		pad = d->width - chars;
	if (tmpl_charge(x->r, pad) == -1)
		return -1;
	if (!d->left && !d->zero)
		add_repeated(x->out, ' ', pad);
	strbuf_adds(x->out, head);
	if (!d->left && d->zero)
		add_repeated(x->out, '0', pad);
	strbuf_add(x->out, text, len);
	if (d->left)
		add_repeated(x->out, ' ', pad);
	return tmpl_check(x->r, x->out);
}

static int
add_text(struct percent *x, struct directive *d, struct tmpl_value v)
{
	const struct tmpl_str *s;
	struct tmpl_value text = v;
	size_t len;

	if (d->type == 'r' && tmpl_convert(x->r, v, 'r', &text) == -1)
		return -1;
	if (tmpl_to_str(x->r, text, &s) == -1)
		return -1;
	len = s->len;
	if (d->has_precision && d->precision < s->chars)
		len = tmpl_str_offset(s, d->precision);
	d->zero = false;
	return add_field(x, d, "", s->s, len);
}

static int
add_char(struct percent *x, struct directive *d, struct tmpl_value v)
{
	char text[4];
	int64_t i;

	d->zero = false;
	if (v.type == TMPL_STR && v.u.str->chars == 1)
		return add_field(x, d, "", v.u.str->s, v.u.str->len);
	if (!tmpl_is_int(v))
		return tmpl_raise_of(
		    x->r, v, TMPL_TYPE_ERROR, "%%c requires int or char");
	i = tmpl_as_int(v);
	if (i < 0 || i > TMPL_CHAR_MAX)
		return tmpl_raise(x->r, TMPL_OVERFLOW_ERROR,
		    "%%c arg not in range(0x110000)");
	if (i >= 0xd800 && i <= 0xdfff)
		return tmpl_unsupported(x->r, "a surrogate character");
	return add_field(x, d, "", text, tmpl_char_put((uint32_t)i, text));
}

static const char *
sign(const struct directive *d, bool negative)
{
	if (negative)
		return "-";
	return d->plus ? "+" : d->blank ? " " : "";
}

/* The integer that a directive shows: a float is cut for %d, not for %x. */
static int
integer(struct percent *x, const struct directive *d, struct tmpl_value v,
    int64_t *ret)
{
	bool decimal = d->type == 'd' || d->type == 'i' || d->type == 'u';

	if (tmpl_is_int(v)) {
		*ret = tmpl_as_int(v);
		return 0;
	}
	if (v.type == TMPL_FLOAT && decimal)
		return tmpl_float_to_int(x->r, v.u.f, ret);
	return tmpl_raise_of(x->r, v, TMPL_TYPE_ERROR,
	    "%%%c format: %s is required, not %s", d->type,
	    decimal ? "a real number" : "an integer", tmpl_type_name(v));
}

static int
add_int(struct percent *x, const struct directive *d, struct tmpl_value v)
{
	struct strbuf AUTO_STRBUF digits, padded;
	const char *prefix = "";
	unsigned base = 10;
	char head[8];
	int64_t i;

	tmpl_buf_init(&digits);
	tmpl_buf_init(&padded);
	if (integer(x, d, v, &i) == -1)
		return -1;
	if (d->type == 'x' || d->type == 'X') {
		base = 16;
		prefix = d->type == 'x' ? "0x" : "0X";
	} else if (d->type == 'o') {
		base = 8;
		prefix = "0o";
	}
	tmpl_int_digits(i, base, d->type == 'X', &digits);
	if (d->has_precision && d->precision > digits.len) {
		if (tmpl_charge(x->r, d->precision) == -1)
			return -1;
		add_repeated(&padded, '0', d->precision - digits.len);
	}
	strbuf_add(&padded, digits.buf, digits.len);
	if (tmpl_check(x->r, &padded) == -1)
		return -1;
	(void)snprintf(head, sizeof(head), "%s%s", sign(d, i < 0),
	    d->alternate ? prefix : "");
	return add_field(x, d, head, padded.buf, padded.len);
}

static int
add_float(struct percent *x, const struct directive *d, struct tmpl_value v)
{
	struct strbuf AUTO_STRBUF text;
	size_t digits = d->has_precision ? d->precision : 6;
	double f;

	tmpl_buf_init(&text);
	if (!tmpl_is_number(v))
		return tmpl_raise_of(x->r, v, TMPL_TYPE_ERROR,
		    "must be real number, not %s", tmpl_type_name(v));
	f = tmpl_as_float(v);
	if (tmpl_float_digits(x->r, f, d->type, digits, d->alternate, &text) ==
	    -1)
		return -1;
	return add_field(
	    x, d, sign(d, signbit(f) && !isnan(f)), text.buf, text.len);
}

static int
add_directive(struct percent *x, struct directive *d)
{
	struct tmpl_value v;
	size_t at = (size_t)(x->p - 1 - x->start);

	if (d->keyed)
		v = d->item;
	else if (next_value(x, &v) == -1)
		return -1;
	switch (d->type) {
	case 's':
	case 'r':
		return add_text(x, d, v);
	case 'c':
		return add_char(x, d, v);
	case 'd':
	case 'i':
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		return add_int(x, d, v);
	case 'e':
	case 'E':
	case 'f':
	case 'F':
	case 'g':
	case 'G':
		return add_float(x, d, v);
	case 'a':
		return tmpl_unsupported(x->r, "'%%a'");
	default:
		break;
	}
	if ((unsigned char)d->type < 0x20 || (unsigned char)d->type > 0x7e)
		d->type = '?';
	return tmpl_raise(x->r, TMPL_VALUE_ERROR,
	    "unsupported format character '%c' (0x%x) at index %zu", d->type,
	    (unsigned char)x->p[-1], tmpl_count_chars(x->start, at));
}

static int
percent(struct percent *x)
{
	struct directive d;
	const char *next;

	while (x->p < x->end) {
		next = memchr(x->p, '%', (size_t)(x->end - x->p));
		if (next == NULL)
			next = x->end;
		strbuf_add(x->out, x->p, (size_t)(next - x->p));
		x->p = next;
		if (tmpl_check(x->r, x->out) == -1)
			return -1;
		if (x->p == x->end)
			break;
		/* Only like this it is no directive. */
		if (x->p + 1 < x->end && x->p[1] == '%') {
			strbuf_addc(x->out, '%');
			x->p += 2;
			continue;
		}
		if (tmpl_charge(x->r, TMPL_STEP) == -1 ||
		    read_directive(x, &d) == -1 || add_directive(x, &d) == -1)
			return -1;
	}
	if (x->used < x->n && !x->mapping)
		return tmpl_raise(x->r, TMPL_TYPE_ERROR,
		    "not all arguments converted during string formatting");
	return 0;
}

int
tmpl_percent(struct tmpl_run *r, const struct tmpl_str *s, struct tmpl_value w,
    struct tmpl_value *ret)
{
	struct strbuf AUTO_STRBUF out;
	struct percent x = { .r = r,
		.start = s->s,
		.p = s->s,
		.end = s->s + s->len,
		.v = &w,
		.n = 1,
		.whole = w };

	tmpl_buf_init(&out);
	x.out = &out;
	if (tmpl_charge(r, s->len) == -1)
		return -1;
	if (w.type == TMPL_TUPLE) {
		x.v = w.u.list->items;
		x.n = w.u.list->n;
	}
	/* What can be subscripted is one. */
	x.mapping =
	    w.type == TMPL_DICT || w.type == TMPL_LIST || w.type == TMPL_RANGE;
	if (percent(&x) == -1)
		return -1;
	return tmpl_str_take(r, &out, ret);
}
