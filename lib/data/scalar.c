/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * YAML 1.1 scalars.  scalar_resolve() has one matcher for each of PyYAML's
 * regular expressions, tried in PyYAML's order; each looks at a text once.
 * scalar_convert() follows PyYAML's constructors, which accept more than the
 * expressions do, since a tag may stand before any text.
 *
 * Integers beyond 64 bits keep their type and their decimal text; digits of
 * other bases are converted by school arithmetic, so their number is bounded.
 * Times are checked and become ISO text as Python's isoformat() writes it.
 */

#include "lib/data/scalar.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/num.h"

/* Digits of an integer or a float; more is no number anybody means. */
#define DIGITS_MAX 256
/* Limbs of 10^9 that hold DIGITS_MAX digits of base 60. */
#define LIMBS_MAX 64
#define LIMB 1000000000U

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_one_of(const char *s, size_t len, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (strlen(*words) == len && memcmp(*words, s, len) == 0)
			return true;
	}
	return false;
}

/* A text that is read from the front; past the end there is NUL, which no
 * matcher takes for anything. */
struct cursor {
	const char *p;
	const char *end;
};

static char
peek(const struct cursor *c)
{
	return c->p < c->end ? *c->p : '\0';
}

static bool
take(struct cursor *c, const char *set)
{
	char ch = peek(c);

	if (ch == '\0' || strchr(set, ch) == NULL)
		return false;
	c->p++;
	return true;
}

/* At least min, at most max characters of the set; the number taken, or 0. */
static size_t
take_run(struct cursor *c, const char *set, size_t min, size_t max)
{
	const char *start = c->p;

	while ((size_t)(c->p - start) < max && take(c, set))
		continue;
	return (size_t)(c->p - start) >= min ? (size_t)(c->p - start) : 0;
}

static bool
at_end(const struct cursor *c)
{
	return c->p == c->end;
}

#define DIGITS "0123456789"
#define DIGITS_ "0123456789_"
#define ANY SIZE_MAX

/* (:[0-5]?[0-9])+ */
static bool
take_sixties(struct cursor *c)
{
	bool any = false;

	while (peek(c) == ':') {
		c->p++;
		if (take(c, "012345")) {
			(void)take(c, DIGITS);
		} else if (!take(c, "6789")) {
			return false;
		}
		any = true;
	}
	return any;
}

static bool
is_inf_nan(struct cursor c)
{
	static const char *const infs[] = { ".inf", ".Inf", ".INF", NULL };
	static const char *const nans[] = { ".nan", ".NaN", ".NAN", NULL };

	if (is_one_of(c.p, (size_t)(c.end - c.p), nans))
		return true;
	(void)take(&c, "+-");
	return is_one_of(c.p, (size_t)(c.end - c.p), infs);
}

/* ([eE][-+][0-9]+)? and the end. */
static bool
is_exponent_end(struct cursor c)
{
	if (take(&c, "eE") &&
	    (!take(&c, "+-") || take_run(&c, DIGITS, 1, ANY) == 0))
		return false;
	return at_end(&c);
}

static bool
is_float(struct cursor c)
{
	if (is_inf_nan(c))
		return true;
	if (peek(&c) == '.') {
		c.p++;
		return take(&c, DIGITS) &&
		    (take_run(&c, DIGITS_, 0, ANY), is_exponent_end(c));
	}
	(void)take(&c, "+-");
	if (!take(&c, DIGITS))
		return false;
	(void)take_run(&c, DIGITS_, 0, ANY);
	if (peek(&c) == ':') {
		if (!take_sixties(&c) || !take(&c, "."))
			return false;
		(void)take_run(&c, DIGITS_, 0, ANY);
		return at_end(&c);
	}
	if (!take(&c, "."))
		return false;
	(void)take_run(&c, DIGITS_, 0, ANY);
	return is_exponent_end(c);
}

static bool
is_int(struct cursor c)
{
	(void)take(&c, "+-");
	if (take(&c, "0")) {
		if (at_end(&c))
			return true;
		if (take(&c, "b"))
			return take_run(&c, "01_", 1, ANY) > 0 && at_end(&c);
		if (take(&c, "x"))
			return take_run(&c, "0123456789abcdefABCDEF_", 1, ANY) >
			    0 &&
			    at_end(&c);
		return take_run(&c, "01234567_", 1, ANY) > 0 && at_end(&c);
	}
	if (!take(&c, "123456789"))
		return false;
	(void)take_run(&c, DIGITS_, 0, ANY);
	return at_end(&c) || (take_sixties(&c) && at_end(&c));
}

static bool
is_null(const char *s, size_t len)
{
	static const char *const words[] = { "~", "null", "Null", "NULL",
		NULL };

	return len == 0 || is_one_of(s, len, words);
}

static bool
is_bool(const char *s, size_t len)
{
	static const char *const words[] = { "yes", "Yes", "YES", "no", "No",
		"NO", "true", "True", "TRUE", "false", "False", "FALSE", "on",
		"On", "ON", "off", "Off", "OFF", NULL };

	return is_one_of(s, len, words);
}

/* The parts of a timestamp; -1 where there is none. */
struct stamp {
	int year, month, day;
	int hour, minute, second;
	int micro;
	bool has_zone;
	int zone_sign, zone_hour, zone_minute;
	/* Both two digits: what a plain date needs. */
	bool full_date;
};

static bool
take_number(struct cursor *c, size_t min, size_t max, int *ret)
{
	const char *start = c->p;
	size_t i, n;

	n = take_run(c, DIGITS, min, max);
	if (n == 0)
		return false;
	*ret = 0;
	for (i = 0; i < n; i++)
		*ret = *ret * 10 + (start[i] - '0');
	return true;
}

/* [ \t]*(Z|[-+]hh?(:mm)?)? and the end. */
static bool
match_zone(struct cursor *c, struct stamp *t)
{
	(void)take_run(c, " \t", 0, ANY);
	if (at_end(c))
		/* Blanks at the end are only allowed before a zone. */
		return c->p[-1] != ' ' && c->p[-1] != '\t';
	t->has_zone = true;
	t->zone_sign = 1;
	if (take(c, "Z"))
		return at_end(c);
	t->zone_sign = peek(c) == '-' ? -1 : 1;
	if (!take(c, "+-") || !take_number(c, 1, 2, &t->zone_hour))
		return false;
	if (take(c, ":") && !take_number(c, 2, 2, &t->zone_minute))
		return false;
	return at_end(c);
}

static bool
match_stamp(const char *s, size_t len, struct stamp *t)
{
	struct cursor c = { s, s + len };
	const char *start;
	int scale;

	memset(t, 0, sizeof(*t));
	t->hour = -1;
	if (!take_number(&c, 4, 4, &t->year) || !take(&c, "-") ||
	    !take_number(&c, 1, 2, &t->month) || !take(&c, "-") ||
	    !take_number(&c, 1, 2, &t->day))
		return false;
	if (at_end(&c)) {
		t->full_date = len == 10;
		return true;
	}
	if (!take(&c, "Tt") && take_run(&c, " \t", 1, ANY) == 0)
		return false;
	if (!take_number(&c, 1, 2, &t->hour) || !take(&c, ":") ||
	    !take_number(&c, 2, 2, &t->minute) || !take(&c, ":") ||
	    !take_number(&c, 2, 2, &t->second))
		return false;
	if (take(&c, ".")) {
		start = c.p;
		(void)take_run(&c, DIGITS, 0, ANY);
		for (scale = 100000; start < c.p && scale > 0; scale /= 10)
			t->micro += (*start++ - '0') * scale;
	}
	return match_zone(&c, t);
}

static bool
is_time(const char *s, size_t len)
{
	struct stamp t;

	return match_stamp(s, len, &t) && (t.hour >= 0 || t.full_date);
}

enum scalar_kind
scalar_resolve(const char *s, size_t len)
{
	struct cursor c = { s, s + len };

	if (is_bool(s, len))
		return SCALAR_BOOL;
	if (is_float(c))
		return SCALAR_FLOAT;
	if (is_int(c))
		return SCALAR_INT;
	if (len == 2 && memcmp(s, "<<", 2) == 0)
		return SCALAR_MERGE;
	if (is_null(s, len))
		return SCALAR_NULL;
	if (is_time(s, len))
		return SCALAR_TIME;
	if (len == 1 && s[0] == '=')
		return SCALAR_VALUE;
	return SCALAR_STR;
}

/* Conversion */

static int
not_a(struct error *e, const char *s, size_t len, const char *what)
{
	if (len > 60)
		return error_set(
		    e, OVE_INVALID, "'%.60s\xe2\x80\xa6' is not %s", s, what);
	return error_set(e, OVE_INVALID, "'%s' is not %s", s, what);
}

static struct node *
text_node(struct arena *a, enum node_type type, const char *s, size_t len)
{
	struct node *n;

	n = node_strn(a, s, len);
	if (n != NULL)
		n->type = type;
	return n;
}

/* Copies the digits of a number without underscores and blanks around. */
static bool
clean(const char *s, size_t len, char buf[DIGITS_MAX + 1])
{
	size_t n;

	while (len > 0 && is_blank(s[0])) {
		s++;
		len--;
	}
	while (len > 0 && is_blank(s[len - 1]))
		len--;
	for (n = 0; len > 0; s++, len--) {
		if (*s == '_')
			continue;
		if (*s == '\0' || n == DIGITS_MAX)
			return false;
		buf[n++] = *s;
	}
	buf[n] = '\0';
	return n > 0;
}

static int
digit_of(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* A magnitude that may outgrow 64 bits, least limb first. */
struct big {
	uint32_t limb[LIMBS_MAX];
	size_t n;
};

static void
big_muladd(struct big *b, uint32_t mul, uint32_t add)
{
	uint64_t carry = add;
	size_t i;

	for (i = 0; i < b->n; i++) {
		carry += (uint64_t)b->limb[i] * mul;
		b->limb[i] = (uint32_t)(carry % LIMB);
		carry /= LIMB;
	}
	if (carry > 0 && b->n < LIMBS_MAX)
		b->limb[b->n++] = (uint32_t)carry;
}

/* Digits of a base, or decimal groups joined by colons in base 60. */
static bool
read_magnitude(const char *s, int base, struct big *b)
{
	struct big head = { .n = 0 };
	int d, group, group_n;

	b->n = 0;
	if (base != 60) {
		if (*s == '\0')
			return false;
		for (; *s != '\0'; s++) {
			d = digit_of(*s);
			if (d >= base)
				return false;
			big_muladd(b, (uint32_t)base, (uint32_t)d);
		}
		return true;
	}
	for (; is_digit(*s); s++)
		big_muladd(&head, 10, (uint32_t)digit_of(*s));
	*b = head;
	while (*s == ':') {
		s++;
		group = 0;
		for (group_n = 0; is_digit(*s) && group_n < 6; group_n++)
			group = group * 10 + digit_of(*s++);
		if (group_n == 0)
			return false;
		big_muladd(b, 60, (uint32_t)group);
	}
	return *s == '\0';
}

static struct node *
int_node(struct arena *a, bool negative, const struct big *b)
{
	char text[LIMBS_MAX * 9 + 2];
	struct node *n;
	size_t i, len;

	len = (size_t)snprintf(text, sizeof(text), "%s%u", negative ? "-" : "",
	    b->n > 0 ? b->limb[b->n - 1] : 0);
	for (i = b->n > 0 ? b->n - 1 : 0; i > 0; i--)
		len += (size_t)snprintf(
		    text + len, sizeof(text) - len, "%09u", b->limb[i - 1]);
	n = node_new(a, NODE_INT);
	if (n == NULL)
		return NULL;
	if (strcmp(text, "-0") == 0 ||
	    num_i64(text, INT64_MIN, INT64_MAX, &n->u.i, NULL) == 0)
		return n;
	n->big = true;
	n->raw = arena_strndup(a, text, len);
	return n->raw != NULL ? n : NULL;
}

static int
convert_int(const char *s, size_t len, struct arena *a, struct node **ret,
    struct error *e)
{
	char buf[DIGITS_MAX + 1];
	struct big b;
	bool negative;
	int base = 10;
	const char *p;

	if (!clean(s, len, buf))
		return len > DIGITS_MAX
		    ? not_a(e, s, len, "an integer that can be kept")
		    : not_a(e, s, len, "an integer");
	p = buf;
	negative = *p == '-';
	if (*p == '-' || *p == '+')
		p++;
	if (p[0] == '0' && p[1] == 'b') {
		base = 2;
		p += 2;
	} else if (p[0] == '0' && p[1] == 'x') {
		base = 16;
		p += 2;
	} else if (p[0] == '0') {
		base = 8;
	} else if (strchr(p, ':') != NULL) {
		base = 60;
	}
	if (!read_magnitude(p, base, &b))
		return not_a(e, s, len, "an integer");
	*ret = int_node(a, negative, &b);
	/* Written in decimal it is longer, and has to be read again. */
	if (*ret != NULL && (*ret)->big && strlen((*ret)->raw) > DIGITS_MAX)
		return not_a(e, s, len, "an integer that can be kept");
	return 0;
}

/* Groups joined by colons, base 60, the last with a fraction. */
static bool
read_sixties(char *s, double *ret)
{
	double sum, base, v;
	char *colon, *end;

	sum = 0;
	base = 1;
	for (;;) {
		colon = strrchr(s, ':');
		end = colon != NULL ? colon + 1 : s;
		if (*end == '\0' || strspn(end, DIGITS ".") != strlen(end))
			return false;
		v = strtod(end, &end);
		if (*end != '\0')
			return false;
		sum += v * base;
		base *= 60;
		if (colon == NULL)
			break;
		*colon = '\0';
	}
	*ret = sum;
	return true;
}

static bool
read_float(char *s, double *ret)
{
	char *end;

	if (strcmp(s, ".inf") == 0 || strcmp(s, ".Inf") == 0 ||
	    strcmp(s, ".INF") == 0) {
		*ret = (double)INFINITY;
		return true;
	}
	if (strcmp(s, ".nan") == 0 || strcmp(s, ".NaN") == 0 ||
	    strcmp(s, ".NAN") == 0) {
		*ret = (double)NAN;
		return true;
	}
	if (strchr(s, ':') != NULL)
		return read_sixties(s, ret);
	/* A second sign, hexadecimal and words are strtod's, not ours. */
	if (!is_digit(s[0]) && s[0] != '.')
		return false;
	if (strspn(s, DIGITS ".eE+-") != strlen(s))
		return false;
	*ret = strtod(s, &end);
	return end != s && *end == '\0';
}

static int
convert_float(const char *s, size_t len, struct arena *a, struct node **ret,
    struct error *e)
{
	char buf[DIGITS_MAX + 1];
	double f;
	char *p;

	if (!clean(s, len, buf))
		return not_a(e, s, len, "a number");
	p = buf;
	if (*p == '-' || *p == '+')
		p++;
	if (!read_float(p, &f))
		return not_a(e, s, len, "a number");
	*ret = node_float(a, buf[0] == '-' ? -f : f);
	return 0;
}

static int
convert_bool(const char *s, size_t len, struct arena *a, struct node **ret,
    struct error *e)
{
	static const char *const yes[] = { "yes", "true", "on", NULL };
	static const char *const no[] = { "no", "false", "off", NULL };
	char buf[6];
	size_t i;

	for (i = 0; i < len && i < sizeof(buf); i++) {
		buf[i] = s[i];
		if (s[i] >= 'A' && s[i] <= 'Z')
			buf[i] = (char)(s[i] - 'A' + 'a');
	}
	if (is_one_of(buf, len < sizeof(buf) ? len : sizeof(buf), yes))
		*ret = node_bool(a, true);
	else if (is_one_of(buf, len < sizeof(buf) ? len : sizeof(buf), no))
		*ret = node_bool(a, false);
	else
		return not_a(e, s, len, "a boolean");
	return 0;
}

static int
days_of(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* NULL, or what cannot be, in Python's words. */
static const char *
impossible(const struct stamp *t)
{
	if (t->year < 1)
		return "year 0 is out of range";
	if (t->month < 1 || t->month > 12)
		return "month must be in 1..12";
	if (t->day < 1 || t->day > days_of(t->year, t->month))
		return "day is out of range for month";
	if (t->hour > 23)
		return "hour must be in 0..23";
	if (t->minute > 59)
		return "minute must be in 0..59";
	if (t->second > 59)
		return "second must be in 0..59";
	if (t->zone_hour * 60 + t->zone_minute >= 24 * 60)
		return "the zone must be less than 24 hours";
	return NULL;
}

static int
convert_time(const char *s, size_t len, struct arena *a, struct node **ret,
    struct error *e)
{
	struct stamp t;
	const char *why;
	char buf[64];
	size_t n;
	int zone;

	if (!match_stamp(s, len, &t))
		return not_a(e, s, len, "a date");
	why = impossible(&t);
	if (why != NULL)
		return error_set(
		    e, OVE_INVALID, "'%.60s' is not a date: %s", s, why);
	n = (size_t)snprintf(
	    buf, sizeof(buf), "%04d-%02d-%02d", t.year, t.month, t.day);
	if (t.hour >= 0)
		n += (size_t)snprintf(buf + n, sizeof(buf) - n,
		    "T%02d:%02d:%02d", t.hour, t.minute, t.second);
	if (t.hour >= 0 && t.micro > 0)
		n += (size_t)snprintf(
		    buf + n, sizeof(buf) - n, ".%06d", t.micro);
	zone = t.zone_sign * (t.zone_hour * 60 + t.zone_minute);
	if (t.hour >= 0 && t.has_zone)
		n += (size_t)snprintf(buf + n, sizeof(buf) - n, "%c%02d:%02d",
		    zone < 0 ? '-' : '+', t.zone_hour, t.zone_minute);
	*ret = text_node(a, NODE_TIME, buf, n);
	return 0;
}

static int
base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* As Python's binascii: what is no digit is passed over. */
static int
convert_binary(const char *s, size_t len, struct arena *a, struct node **ret,
    struct error *e)
{
	size_t i, n, digits;
	unsigned bits, bits_n, pads;
	char *buf;
	int d;

	buf = arena_alloc(a, len / 4 * 3 + 3);
	if (buf == NULL) {
		*ret = NULL;
		return 0;
	}
	n = digits = 0;
	bits = bits_n = pads = 0;
	for (i = 0; i < len; i++) {
		if ((unsigned char)s[i] > 0x7f)
			return not_a(e, s, len, "base64");
		/* What completes a group ends all. */
		if (s[i] == '=' && digits % 4 >= 2 && digits % 4 + ++pads >= 4)
			break;
		d = base64_digit(s[i]);
		if (d < 0)
			continue;
		pads = 0;
		digits++;
		bits = bits << 6 | (unsigned)d;
		bits_n += 6;
		if (bits_n >= 8) {
			bits_n -= 8;
			buf[n++] = (char)(bits >> bits_n & 0xff);
		}
	}
	if (i == len && digits % 4 != 0)
		return not_a(e, s, len, "base64");
	*ret = text_node(a, NODE_BYTES, buf, n);
	return 0;
}

int
scalar_convert(enum scalar_kind kind, const char *s, size_t len,
    struct arena *a, struct node **ret, struct error *e)
{
	switch (kind) {
	case SCALAR_STR:
	case SCALAR_MERGE:
	case SCALAR_VALUE:
		*ret = node_strn(a, s, len);
		return 0;
	case SCALAR_NULL:
		*ret = node_null(a);
		return 0;
	case SCALAR_BOOL:
		return convert_bool(s, len, a, ret, e);
	case SCALAR_INT:
		return convert_int(s, len, a, ret, e);
	case SCALAR_FLOAT:
		return convert_float(s, len, a, ret, e);
	case SCALAR_TIME:
		return convert_time(s, len, a, ret, e);
	case SCALAR_BINARY:
		return convert_binary(s, len, a, ret, e);
	}
	return error_set(e, OVE_INTERNAL, "unknown kind of scalar");
}
