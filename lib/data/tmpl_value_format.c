/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * format(v, spec): the mini-language of format specifications, which
 * str.format(), f-strings and format() share.
 */
#include <math.h>
#include <string.h>

#include "lib/data/node.h"
#include "lib/data/tmpl_char.h"
#include "lib/data/tmpl_value_internal.h"

/* [[fill]align][sign][z][#][0][width][grouping][.precision][type] */
struct spec {
	/* One character. */
	const char *fill;
	size_t fill_len;
	/* '<' '>' '^' '=', or NUL. */
	char align;
	char sign;
	bool alternate;
	size_t width;
	/* ',' '_' or NUL. */
	char grouping;
	bool has_precision;
	size_t precision;
	char type;
};

static int
invalid(struct tmpl_run *r, struct tmpl_value v)
{
	(void)v;
	return tmpl_raise(r, TMPL_VALUE_ERROR, "Invalid format specifier");
}

static bool
is_align(char c)
{
	return c == '<' || c == '>' || c == '^' || c == '=';
}

/* Digits at *p; false when there are too many. */
static bool
read_number(const char **p, const char *end, size_t *ret)
{
	size_t n = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		n = n * 10 + (size_t)(**p - '0');
		if (n > INT32_MAX)
			return false;
	}
	*ret = n;
	return true;
}

/* Fill and alignment; where the rest begins. */
static const char *
parse_align(const char *p, const char *end, struct spec *s)
{
	size_t len;

	if (p == end)
		return p;
	len = tmpl_char_len(p);
	if (p + len < end && is_align(p[len])) {
		s->fill = p;
		s->fill_len = len;
		s->align = p[len];
		return p + len + 1;
	}
	if (is_align(*p))
		s->align = *p++;
	return p;
}

static int
parse_spec(struct tmpl_run *r, struct tmpl_value v, const char *p,
    const char *end, struct spec *s)
{
	*s = (struct spec){ 0 };
	p = parse_align(p, end, s);
	if (p < end && (*p == '+' || *p == '-' || *p == ' '))
		s->sign = *p++;
	if (p < end && *p == 'z')
		return tmpl_unsupported(r, "'z' in a format");
	if (p < end && *p == '#') {
		s->alternate = true;
		p++;
	}
	/* "05d" pads behind the sign, "<05d" with zeros; "x<05d" is just a
	 * width. */
	if (p < end && *p == '0' && s->fill == NULL) {
		s->fill = "0";
		s->fill_len = 1;
		if (s->align == '\0' && v.type != TMPL_STR)
			s->align = '=';
	}
	if (s->fill == NULL) {
		s->fill = " ";
		s->fill_len = 1;
	}
	if (!read_number(&p, end, &s->width))
		return tmpl_raise(r, TMPL_VALUE_ERROR,
		    "Too many decimal digits in format string");
	if (p < end && (*p == ',' || *p == '_')) {
		s->grouping = *p++;
		if (p < end && (*p == ',' || *p == '_'))
			return tmpl_raise(r, TMPL_VALUE_ERROR,
			    *p != s->grouping ? "Cannot specify both ',' and "
						"'_'."
				: *p == ','   ? "Cannot specify ',' with ','."
					      : "Cannot specify '_' with '_'.");
	}
	if (p < end && *p == '.') {
		p++;
		s->has_precision = true;
		if (p == end || *p < '0' || *p > '9')
			return tmpl_raise(r, TMPL_VALUE_ERROR,
			    "Format specifier missing precision");
		if (!read_number(&p, end, &s->precision))
			return tmpl_raise(r, TMPL_VALUE_ERROR,
			    "Too many decimal digits in format string");
	}
	if (p < end)
		s->type = *p++;
	return p < end || (unsigned char)s->type >= 0x80 ? invalid(r, v) : 0;
}

static int
unknown_code(struct tmpl_run *r, struct tmpl_value v, char type)
{
	return tmpl_raise(r, TMPL_VALUE_ERROR,
	    "Unknown format code '%c' for object of type '%s'", type,
	    tmpl_type_name(v));
}

static int
check_grouping(struct tmpl_run *r, const struct spec *s, const char *allowed)
{
	if (s->grouping == '\0' || s->type == '\0' ||
	    strchr(allowed, s->type) != NULL)
		return 0;
	return tmpl_raise(r, TMPL_VALUE_ERROR, "Cannot specify '%c' with '%c'.",
	    s->grouping, s->type);
}

static void
add_fill(struct strbuf *out, const struct spec *s, size_t n)
{
	for (; n > 0 && out->latch == OVE_NONE; n--)
		strbuf_add(out, s->fill, s->fill_len);
}

/* Adds text of some characters between the fill that its alignment asks for. */
static int
add_padded(struct tmpl_run *r, const struct spec *s, char align,
    const char *text, size_t len, struct strbuf *out)
{
	size_t chars = tmpl_count_chars(text, len), pad = 0, left = 0;

	if (s->width > chars)
		pad = s->width - chars;
	if (tmpl_charge(r, pad) == -1)
		return -1;
	if (align == '>')
		left = pad;
	else if (align == '^')
		left = pad / 2;
	add_fill(out, s, left);
	strbuf_add(out, text, len);
	add_fill(out, s, pad - left);
	return tmpl_check(r, out);
}

/* Numbers: a sign, a prefix, digits that may be grouped, and the rest. */
struct parts {
	char sign;
	const char *prefix;
	const char *digits;
	size_t n_digits;
	const char *rest;
	size_t n_rest;
	/* Digits in a group. */
	size_t group;
};

/* "nan" has no digits, so the zeros before it are in no groups. */
static bool
is_grouped(const struct spec *s, const struct parts *p)
{
	return s->grouping != '\0' && p->n_digits > 0;
}

static size_t
grouped_len(const struct spec *s, const struct parts *p, size_t digits)
{
	if (!is_grouped(s, p))
		return digits;
	return digits + (digits - 1) / p->group;
}

static void
add_digits(struct strbuf *out, const struct spec *s, const struct parts *p,
    size_t total)
{
	size_t i, left;

	for (i = 0; i < total && out->latch == OVE_NONE; i++) {
		left = total - i;
		if (i > 0 && is_grouped(s, p) && left % p->group == 0)
			strbuf_addc(out, s->grouping);
		strbuf_addc(out,
		    left > p->n_digits ? '0' : p->digits[p->n_digits - left]);
	}
}

static int
add_number(struct tmpl_run *r, const struct spec *s, const struct parts *p,
    struct strbuf *out)
{
	size_t around, total = p->n_digits, shown;
	struct strbuf AUTO_STRBUF text;
	bool inner = s->align == '=';

	tmpl_buf_init(&text);
	around = (p->sign != '\0') + strlen(p->prefix) + p->n_rest;
	if (p->sign != '\0')
		strbuf_addc(&text, p->sign);
	strbuf_adds(&text, p->prefix);
	/* Padding with zeros groups them as well. */
	if (inner && s->fill_len == 1 && *s->fill == '0') {
		while (around + grouped_len(s, p, total) < s->width &&
		    total <= TMPL_OUT_MAX)
			total++;
		if (tmpl_charge(r, total) == -1)
			return -1;
	}
	shown = around + grouped_len(s, p, total);
	if (inner && s->width > shown) {
		if (tmpl_charge(r, s->width - shown) == -1)
			return -1;
		add_fill(&text, s, s->width - shown);
	}
	add_digits(&text, s, p, total);
	strbuf_add(&text, p->rest, p->n_rest);
	if (tmpl_check(r, &text) == -1)
		return -1;
	return add_padded(
	    r, s, s->align == '\0' ? '>' : s->align, text.buf, text.len, out);
}

static char
sign_of(const struct spec *s, bool negative)
{
	if (negative)
		return '-';
	return s->sign == '-' ? '\0' : s->sign;
}

static int format_float(struct tmpl_run *r, struct tmpl_value v, struct spec *s,
    struct strbuf *out);

static int
format_char(struct tmpl_run *r, struct spec *s, int64_t i, struct strbuf *out)
{
	char text[4];

	if (s->sign != '\0')
		return tmpl_raise(r, TMPL_VALUE_ERROR,
		    "Sign not allowed with integer format specifier 'c'");
	if (s->alternate)
		return tmpl_raise(r, TMPL_VALUE_ERROR,
		    "Alternate form (#) not allowed with integer format "
		    "specifier 'c'");
	if (i < 0 || i > TMPL_CHAR_MAX)
		return tmpl_raise(
		    r, TMPL_OVERFLOW_ERROR, "%%c arg not in range(0x110000)");
	if (i >= 0xd800 && i <= 0xdfff)
		return tmpl_unsupported(r, "a surrogate character");
	return add_padded(r, s, s->align == '\0' ? '>' : s->align, text,
	    tmpl_char_put((uint32_t)i, text), out);
}

static int
format_int(
    struct tmpl_run *r, struct tmpl_value v, struct spec *s, struct strbuf *out)
{
	static const struct {
		char type;
		unsigned base;
		const char *prefix;
	} bases[] = { { 'd', 10, "" }, { 'b', 2, "0b" }, { 'o', 8, "0o" },
		{ 'x', 16, "0x" }, { 'X', 16, "0X" } };
	struct strbuf AUTO_STRBUF digits;
	struct parts p = { .rest = "" };
	int64_t i = tmpl_as_int(v);
	size_t b = 0;

	tmpl_buf_init(&digits);
	if (strchr("eEfFgG%", s->type) != NULL && s->type != '\0')
		return format_float(r, tmpl_float(tmpl_as_float(v)), s, out);
	if (s->has_precision)
		return tmpl_raise(r, TMPL_VALUE_ERROR,
		    "Precision not allowed in integer format specifier");
	if (s->type == 'c' && s->grouping == '\0')
		return format_char(r, s, i, out);
	while (
	    s->type != '\0' && b < ARRAY_LEN(bases) && bases[b].type != s->type)
		b++;
	if (s->type == 'n')
		return tmpl_unsupported(r, "'n' in a format");
	if (b == ARRAY_LEN(bases) && s->type != 'c')
		return unknown_code(r, v, s->type);
	if (check_grouping(r, s, s->grouping == '_' ? "dboxX" : "d") == -1)
		return -1;
	tmpl_int_digits(i, bases[b].base, s->type == 'X', &digits);
	if (tmpl_check(r, &digits) == -1)
		return -1;
	p.sign = sign_of(s, i < 0);
	p.prefix = s->alternate ? bases[b].prefix : "";
	p.digits = digits.buf;
	p.n_digits = digits.len;
	p.group = bases[b].base == 10 ? 3 : 4;
	return add_number(r, s, &p, out);
}

/* The exponent of a number in notation 'e'. */
static long
exponent_of(const char *text)
{
	const char *p = strchr(text, 'e');
	long exp10 = 0;
	bool negative;

	if (p == NULL)
		return 0;
	negative = p[1] == '-';
	for (p += 2; *p != '\0'; p++)
		exp10 = exp10 * 10 + (*p - '0');
	return negative ? -exp10 : exp10;
}

/* Takes the zeros that end the digits of notation 'e', and the point. */
static void
strip_zeros(struct strbuf *out)
{
	char tail[16];
	size_t e = (size_t)(strchr(out->buf, 'e') - out->buf), n = e;

	memcpy(tail, out->buf + e, out->len - e + 1);
	while (n > 0 && out->buf[n - 1] == '0')
		n--;
	if (n > 0 && out->buf[n - 1] == '.')
		n--;
	/* "0e+00" has no point. */
	if (memchr(out->buf, '.', e) == NULL)
		n = e;
	strbuf_truncate(out, n);
	strbuf_adds(out, tail);
}

/* As 'g', but always with a point or an exponent: what no type means when
 * there is a precision. */
static int
general(struct tmpl_run *r, const struct spec *s, double f, struct strbuf *out)
{
	size_t digits = s->precision == 0 ? 1 : s->precision;
	long exp10;

	if (tmpl_float_digits(r, f, 'e', digits - 1, s->alternate, out) == -1)
		return -1;
	if (!isfinite(f))
		return 0;
	/* As it is after rounding. */
	exp10 = exponent_of(out->buf);
	if (exp10 < -4 || exp10 + 1 >= (long)digits) {
		if (!s->alternate)
			strip_zeros(out);
		return tmpl_check(r, out);
	}
	strbuf_reset(out);
	if (tmpl_float_digits(r, f, 'g', digits, s->alternate, out) == -1)
		return -1;
	if (strchr(out->buf, '.') == NULL)
		strbuf_adds(out, ".0");
	return tmpl_check(r, out);
}

static int
float_text(
    struct tmpl_run *r, const struct spec *s, double f, struct strbuf *out)
{
	char buf[NODE_FLOAT_LEN];
	size_t digits = s->has_precision ? s->precision : 6, mantissa;
	const char *shown;

	f = fabs(f);
	if (s->type == '%')
		return tmpl_float_digits(
		    r, f * 100, 'f', digits, s->alternate, out);
	if (s->type != '\0') {
		if ((s->type == 'g' || s->type == 'G') && digits == 0)
			digits = 1;
		return tmpl_float_digits(
		    r, f, s->type, digits, s->alternate, out);
	}
	if (s->has_precision)
		return general(r, s, f, out);
	shown = node_float_text(f, buf);
	mantissa = strcspn(shown, "e");
	strbuf_add(out, shown, mantissa);
	/* '#' is for a point: "1.e-07". */
	if (s->alternate && isfinite(f) && memchr(shown, '.', mantissa) == NULL)
		strbuf_addc(out, '.');
	strbuf_adds(out, shown + mantissa);
	return tmpl_check(r, out);
}

static int
format_float(
    struct tmpl_run *r, struct tmpl_value v, struct spec *s, struct strbuf *out)
{
	struct strbuf AUTO_STRBUF text;
	struct parts p = { .prefix = "", .group = 3 };
	double f = v.u.f;

	tmpl_buf_init(&text);
	if (s->type == 'n')
		return tmpl_unsupported(r, "'n' in a format");
	if (s->type != '\0' && strchr("eEfFgG%", s->type) == NULL)
		return unknown_code(r, v, s->type);
	if (s->has_precision && s->precision > TMPL_OUT_MAX)
		return tmpl_raise(r, TMPL_VALUE_ERROR, "precision too big");
	if (float_text(r, s, f, &text) == -1)
		return -1;
	if (s->type == '%')
		strbuf_addc(&text, '%');
	if (tmpl_check(r, &text) == -1)
		return -1;
	p.sign = sign_of(s, signbit(f) && !isnan(f));
	p.digits = text.buf;
	p.n_digits = strspn(text.buf, "0123456789");
	p.rest = text.buf + p.n_digits;
	p.n_rest = text.len - p.n_digits;
	return add_number(r, s, &p, out);
}

static int
format_str(
    struct tmpl_run *r, struct tmpl_value v, struct spec *s, struct strbuf *out)
{
	const struct tmpl_str *str = v.u.str;
	size_t len = str->len;
	char align = s->align;

	if (s->type != '\0' && s->type != 's')
		return unknown_code(r, v, s->type);
	if (s->sign != '\0')
		return tmpl_raise(r, TMPL_VALUE_ERROR,
		    "%s not allowed in string format specifier",
		    s->sign == ' ' ? "Space" : "Sign");
	if (s->alternate)
		return tmpl_raise(r, TMPL_VALUE_ERROR,
		    "Alternate form (#) not allowed in string format "
		    "specifier");
	if (s->grouping != '\0')
		return tmpl_raise(r, TMPL_VALUE_ERROR,
		    "Cannot specify '%c' with 's'.", s->grouping);
	if (align == '=')
		return tmpl_raise(r, TMPL_VALUE_ERROR,
		    "'=' alignment not allowed in string format specifier");
	if (s->has_precision && s->precision < str->chars)
		len = tmpl_str_offset(str, s->precision);
	if (tmpl_charge(r, str->len) == -1)
		return -1;
	return add_padded(r, s, align == '\0' ? '<' : align, str->s, len, out);
}

int
tmpl_format(struct tmpl_run *r, struct tmpl_value v, const char *spec,
    size_t len, struct strbuf *out)
{
	struct spec s;

	if (len == 0)
		return tmpl_add_str(r, v, out);
	if (v.type == TMPL_UNDEFINED)
		return tmpl_add_str(r, v, out);
	if (v.type != TMPL_STR && !tmpl_is_number(v))
		return tmpl_raise(r, TMPL_TYPE_ERROR,
		    "unsupported format string passed to %s.__format__",
		    tmpl_type_name(v));
	if (parse_spec(r, v, spec, spec + len, &s) == -1)
		return -1;
	if (v.type == TMPL_STR)
		return format_str(r, v, &s, out);
	if (v.type == TMPL_FLOAT)
		return format_float(r, v, &s, out);
	return format_int(r, v, &s, out);
}

int
tmpl_convert(struct tmpl_run *r, struct tmpl_value v, char conversion,
    struct tmpl_value *ret)
{
	struct strbuf AUTO_STRBUF out;

	tmpl_buf_init(&out);
	*ret = v;
	if (conversion == '\0')
		return 0;
	if ((conversion == 'r' ? tmpl_repr(r, v, &out)
			       : tmpl_add_str(r, v, &out)) == -1)
		return -1;
	return tmpl_str_take(r, &out, ret);
}
