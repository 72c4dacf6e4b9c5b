/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Methods of strings that take from their ends, or add there.
 */
#include <string.h>

#include "lib/data/tmpl_char.h"
#include "lib/data/tmpl_value_internal.h"

#define METHOD(name)                                                           \
  int name(struct tmpl_run *r, struct tmpl_value self,                         \
      const struct tmpl_args *args, struct tmpl_value *ret)

/* Trimming */

enum side {
	LEFT = 1,
	RIGHT = 2
};

static bool
is_trimmed(const char *p, const struct tmpl_str *chars)
{
	size_t len = tmpl_char_len(p), i;

	if (chars == NULL)
		return tmpl_char_is_space(tmpl_char_at(p));
	for (i = 0; i < chars->len; i += tmpl_char_len(chars->s + i)) {
		if (tmpl_char_len(chars->s + i) == len &&
		    memcmp(chars->s + i, p, len) == 0)
			return true;
	}
	return false;
}

static int
trim(struct tmpl_run *r, struct tmpl_value self, const char *name,
    struct tmpl_value v, unsigned sides, struct tmpl_value *ret)
{
	const char *p = self.u.str->s, *end = p + self.u.str->len;
	const struct tmpl_str *chars = NULL;
	size_t len;

	if (v.type != TMPL_ABSENT && v.type != TMPL_NONE) {
		if (v.type != TMPL_STR)
			return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
			    "%s arg must be None or str, not %s", name,
			    tmpl_type_name(v));
		chars = v.u.str;
	}
	for (; (sides & LEFT) != 0 && p < end && is_trimmed(p, chars);
	     p += tmpl_char_len(p)) {
		if (chars != NULL && tmpl_charge(r, chars->len) == -1)
			return -1;
	}
	for (; (sides & RIGHT) != 0 && p < end &&
	     is_trimmed(tmpl_char_back(end), chars);
	     end = tmpl_char_back(end)) {
		if (chars != NULL && tmpl_charge(r, chars->len) == -1)
			return -1;
	}
	len = (size_t)(end - p);
	if (tmpl_charge(r, (self.u.str->len - len) * TMPL_STEP) == -1)
		return -1;
	return tmpl_str(r, p, len, ret);
}

METHOD(tmpl_str_strip)
{
	return trim(r, self, "strip", args->v[0], LEFT | RIGHT, ret);
}

METHOD(tmpl_str_lstrip)
{
	return trim(r, self, "lstrip", args->v[0], LEFT, ret);
}

METHOD(tmpl_str_rstrip)
{
	return trim(r, self, "rstrip", args->v[0], RIGHT, ret);
}

METHOD(tmpl_str_removeprefix)
{
	const struct tmpl_str *s = self.u.str, *t;

	if (tmpl_need_str(r, "removeprefix() argument ", args->v[0]) == -1)
		return -1;
	t = args->v[0].u.str;
	if (t->len > s->len || memcmp(s->s, t->s, t->len) != 0) {
		*ret = self;
		return 0;
	}
	return tmpl_str(r, s->s + t->len, s->len - t->len, ret);
}

METHOD(tmpl_str_removesuffix)
{
	const struct tmpl_str *s = self.u.str, *t;

	if (tmpl_need_str(r, "removesuffix() argument ", args->v[0]) == -1)
		return -1;
	t = args->v[0].u.str;
	if (t->len > s->len ||
	    memcmp(s->s + s->len - t->len, t->s, t->len) != 0) {
		*ret = self;
		return 0;
	}
	return tmpl_str(r, s->s, s->len - t->len, ret);
}

/* Padding */

/* One character. */
struct fill {
	const char *s;
	size_t len;
};

static int
pad(struct tmpl_run *r, struct tmpl_value self, const struct fill *fill,
    size_t left, size_t right, struct tmpl_value *ret)
{
	struct strbuf AUTO_STRBUF out;

	tmpl_buf_init(&out);
	if (left + right > TMPL_OUT_MAX)
		return tmpl_raise(r, TMPL_LIMIT, "padding of more than 16 MiB");
	if (tmpl_charge(r, left + right) == -1)
		return -1;
	for (; left > 0; left--)
		strbuf_add(&out, fill->s, fill->len);
	strbuf_add(&out, self.u.str->s, self.u.str->len);
	for (; right > 0; right--)
		strbuf_add(&out, fill->s, fill->len);
	return tmpl_str_take(r, &out, ret);
}

/* How much a width asks for, and with what. */
static int
padding(struct tmpl_run *r, struct tmpl_value self,
    const struct tmpl_args *args, size_t *ret_n, struct fill *ret_fill)
{
	struct tmpl_value fill = args->v[1];
	int64_t width = 0;

	*ret_fill = (struct fill){ " ", 1 };
	if (tmpl_need_int(r, args->v[0], &width) == -1)
		return -1;
	if (fill.type != TMPL_ABSENT) {
		if (fill.type != TMPL_STR)
			return tmpl_raise_of(r, fill, TMPL_TYPE_ERROR,
			    "The fill character must be a unicode character, "
			    "not %s",
			    tmpl_type_name(fill));
		if (fill.u.str->chars != 1)
			return tmpl_raise(r, TMPL_TYPE_ERROR,
			    "The fill character must be exactly one "
			    "character long");
		*ret_fill = (struct fill){ fill.u.str->s, fill.u.str->len };
	}
	*ret_n = 0;
	if (width > (int64_t)self.u.str->chars)
		*ret_n = (size_t)width - self.u.str->chars;
	return 0;
}

METHOD(tmpl_str_ljust)
{
	struct fill fill;
	size_t n = 0;

	if (padding(r, self, args, &n, &fill) == -1)
		return -1;
	return pad(r, self, &fill, 0, n, ret);
}

METHOD(tmpl_str_rjust)
{
	struct fill fill;
	size_t n = 0;

	if (padding(r, self, args, &n, &fill) == -1)
		return -1;
	return pad(r, self, &fill, n, 0, ret);
}

METHOD(tmpl_str_center)
{
	size_t n = 0, left, width;
	struct fill fill;

	if (padding(r, self, args, &n, &fill) == -1)
		return -1;
	/* An odd blank goes to the left when the width is odd. */
	width = self.u.str->chars + n;
	left = n / 2 + (n & width & 1);
	return pad(r, self, &fill, left, n - left, ret);
}

METHOD(tmpl_str_zfill)
{
	static const struct fill zero = { "0", 1 };
	const struct tmpl_str *s = self.u.str;
	struct tmpl_value sign, rest;
	int64_t width = 0;
	size_t n = 0;

	if (tmpl_need_int(r, args->v[0], &width) == -1)
		return -1;
	if (width > (int64_t)s->chars)
		n = (size_t)width - s->chars;
	if (n == 0 || s->len == 0 || (*s->s != '+' && *s->s != '-'))
		return pad(r, self, &zero, n, 0, ret);
	if (tmpl_str(r, s->s, 1, &sign) == -1 ||
	    tmpl_str(r, s->s + 1, s->len - 1, &rest) == -1 ||
	    pad(r, rest, &zero, n, 0, &rest) == -1)
		return -1;
	return tmpl_binary(r, TMPL_OP_ADD, false, sign, rest, ret);
}

METHOD(tmpl_str_expandtabs)
{
	const char *p = self.u.str->s, *end = p + self.u.str->len;
	struct strbuf AUTO_STRBUF out;
	int64_t size = 8;
	size_t col = 0, n;

	tmpl_buf_init(&out);
	if (args->v[0].type != TMPL_ABSENT &&
	    tmpl_need_int(r, args->v[0], &size) == -1)
		return -1;
	if (size > (int64_t)TMPL_OUT_MAX)
		return tmpl_raise(r, TMPL_LIMIT, "padding of more than 16 MiB");
	for (; p < end; p += tmpl_char_len(p)) {
		if (*p == '\t') {
			n = size > 0 ? (size_t)size - col % (size_t)size : 0;
			if (tmpl_charge(r, n) == -1)
				return -1;
			col += n;
			for (; n > 0 && out.latch == OVE_NONE; n--)
				strbuf_addc(&out, ' ');
			continue;
		}
		strbuf_add(&out, p, tmpl_char_len(p));
		col = *p == '\n' || *p == '\r' ? 0 : col + 1;
	}
	return tmpl_str_take(r, &out, ret);
}
