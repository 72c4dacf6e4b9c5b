/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Time spans, sizes, ages, and values in Python's notation (cli.md A to C). The
 * oddities are the contract's: a year has 364 days, rounding may give "60
 * seconds", parts beyond the third are cut. The rest of a division is taken on
 * the decimal text of the number, as the original does; fmod() would
 * make 61.005 another number.
 */
#include "proto/human.h"

#include <sys/stat.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/base/utf8.h"
#include "lib/data/regex.h"

#define PARTS_MAX 3
#define DECIMALS_MAX 20
#define NUMBER_LEN 400
/* Beyond this the integer part does not fit. */
#define SECONDS_MAX 9e18

/* Time spans */

/* "%.2f" without trailing zeros and point. */
static void
two_decimals(double v, char buf[NUMBER_LEN])
{
	int len = snprintf(buf, NUMBER_LEN, "%.2f", v);

	while (len > 0 && buf[len - 1] == '0')
		len--;
	if (len > 0 && buf[len - 1] == '.')
		len--;
	buf[len] = '\0';
}

/* Shortest decimal text that reads back as v. */
static int
shortest(double v, char buf[NUMBER_LEN])
{
	double back;

	for (int d = 0; d <= DECIMALS_MAX; d++) {
		int len = snprintf(buf, NUMBER_LEN, "%.*f", d, v);

		if (len < 0 || len >= NUMBER_LEN)
			return -1;
		if (num_double(buf, &back, NULL) == 0 && !(back < v) &&
		    !(back > v))
			return 0;
	}
	return 0;
}

struct span {
	char parts[PARTS_MAX][64];
	size_t n;
};

static void
add_part(struct span *s, const char *number, const char *unit)
{
	if (s->n >= PARTS_MAX || strcmp(number, "0") == 0)
		return;
	(void)snprintf(s->parts[s->n], sizeof(s->parts[0]), "%.32s %s%s",
	    number, unit, strcmp(number, "1") == 0 ? "" : "s");
	s->n++;
}

static void
split(double v, struct span *s)
{
	static const struct {
		uint64_t seconds;
		const char *unit;
	} units[] = { { UINT64_C(364) * 86400, "year" }, { 604800, "week" },
		{ 86400, "day" }, { 3600, "hour" }, { 60, "minute" } };
	char text[NUMBER_LEN], number[NUMBER_LEN], *dot;
	uint64_t whole;
	double rest = 0;

	if (shortest(v, text) < 0)
		return;
	dot = strchr(text, '.');
	if (dot != NULL)
		*dot = '\0';
	if (num_u64(text, 0, UINT64_MAX, &whole, NULL) < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		(void)snprintf(number, sizeof(number), "%llu",
		    (unsigned long long)(whole / units[i].seconds));
		whole %= units[i].seconds;
		add_part(s, number, units[i].unit);
	}
	(void)snprintf(number, sizeof(number), "%llu.%s",
	    (unsigned long long)whole, dot != NULL ? dot + 1 : "0");
	(void)num_double(number, &rest, NULL);
	two_decimals(rest, number);
	add_part(s, number, "second");
}

void
human_timespan(struct strbuf *out, double seconds)
{
	char text[NUMBER_LEN];
	struct span s = { .n = 0 };

	if (!(seconds >= 60)) {
		two_decimals(seconds, text);
		strbuf_addf(out, "%s second%s", text,
		    strcmp(text, "1") == 0 ? "" : "s");
		return;
	}
	if (seconds < SECONDS_MAX)
		split(seconds, &s);
	if (s.n == 0)
		strbuf_addf(out, "%.0f seconds", seconds);
	for (size_t i = 0; i < s.n; i++) {
		if (i > 0)
			strbuf_adds(out, i + 1 == s.n ? " and " : ", ");
		strbuf_adds(out, s.parts[i]);
	}
}

void
human_timespan_node(struct strbuf *out, const struct node *n)
{
	if (n != NULL && n->type == NODE_INT && !n->big)
		human_timespan(out, (double)n->u.i);
	else if (n != NULL && n->type == NODE_FLOAT)
		human_timespan(out, n->u.f);
	else
		human_text(out, n);
}

void
human_age(struct strbuf *out, int64_t seconds)
{
	static const struct {
		int64_t big;
		int64_t small;
		char big_unit;
		char small_unit;
	} rows[] = { { 604800, 86400, 'w', 'd' }, { 86400, 3600, 'd', 'h' },
		{ 3600, 60, 'h', 'm' }, { 60, 1, 'm', 's' } };

	if (seconds < 0)
		seconds = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (seconds < rows[i].big)
			continue;
		strbuf_addf(out, "%lld%c%02lld%c",
		    (long long)(seconds / rows[i].big), rows[i].big_unit,
		    (long long)(seconds % rows[i].big / rows[i].small),
		    rows[i].small_unit);
		return;
	}
	strbuf_addf(out, "%llds", (long long)seconds);
}

/* Sizes */

/* Where each unit begins. Numbers may be beyond 64 bits, and as doubles those
 * just below a unit would be in it, so they are compared as digits. */
static const struct {
	const char *digits;
	const char *symbol;
} size_units[] = { { "1024", "KiB" }, { "1048576", "MiB" },
	{ "1073741824", "GiB" }, { "1099511627776", "TiB" },
	{ "1125899906842624", "PiB" }, { "1152921504606846976", "EiB" },
	{ "1180591620717411303424", "ZiB" },
	{ "1208925819614629174706176", "YiB" } };

static bool
is_below(const char *digits, const char *limit)
{
	size_t a = strlen(digits), b = strlen(limit);

	return a != b ? a < b : strcmp(digits, limit) < 0;
}

/* digits: a decimal integer, '-' first when it is negative. */
static void
size_of_digits(struct strbuf *out, const char *digits)
{
	size_t i = digits[0] == '-' ? 0 : ARRAY_LEN(size_units);
	char text[NUMBER_LEN];
	double v = 0;

	while (i > 0 && is_below(digits, size_units[i - 1].digits))
		i--;
	if (i == 0 || num_double(digits, &v, NULL) < 0) {
		strbuf_addf(out, "%s byte%s", digits,
		    strcmp(digits, "1") == 0 ? "" : "s");
		return;
	}
	two_decimals(v / exp2(10.0 * (double)i), text);
	strbuf_addf(out, "%s %s", text, size_units[i - 1].symbol);
}

void
human_size(struct strbuf *out, int64_t bytes)
{
	char digits[NUMBER_LEN];

	(void)snprintf(digits, sizeof(digits), "%lld", (long long)bytes);
	size_of_digits(out, digits);
}

static void
amount_of_float(struct strbuf *out, double v)
{
	char digits[NUMBER_LEN], buf[NODE_FLOAT_LEN];

	(void)snprintf(digits, sizeof(digits), "%.0f", trunc(v));
	strbuf_addf(out, "%s (", digits);
	if (v >= 1024)
		size_of_digits(out, digits);
	else
		strbuf_addf(out, "%s byte%s", node_float_text(v, buf),
		    v < 1 || v > 1 ? "s" : "");
	strbuf_addc(out, ')');
}

void
human_amount(struct strbuf *out, const struct node *n)
{
	char digits[NUMBER_LEN];
	const char *text = digits;

	if (n != NULL && n->type == NODE_FLOAT) {
		amount_of_float(out, n->u.f);
		return;
	}
	if (n == NULL || n->type != NODE_INT) {
		human_text(out, n);
		return;
	}
	(void)snprintf(digits, sizeof(digits), "%lld", (long long)n->u.i);
	if (n->big && n->raw != NULL)
		text = n->raw;
	strbuf_addf(out, "%s (", text);
	size_of_digits(out, text);
	strbuf_addc(out, ')');
}

/* File modes */

static char
mode_type(unsigned mode)
{
	static const struct {
		unsigned bits;
		char letter;
	} types[] = { { S_IFDIR, 'd' }, { S_IFREG, '-' }, { S_IFLNK, 'l' },
		{ S_IFIFO, 'p' }, { S_IFBLK, 'b' }, { S_IFCHR, 'c' },
		{ S_IFSOCK, 's' } };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if ((mode & S_IFMT) == types[i].bits)
			return types[i].letter;
	return '?';
}

/* special: the letter that stands for it with and without execution. */
static void
mode_group(char *out, unsigned bits, bool has_special, const char *special)
{
	bool runs = (bits & 1) != 0;

	out[0] = (bits & 4) != 0 ? 'r' : '-';
	out[1] = (bits & 2) != 0 ? 'w' : '-';
	if (has_special)
		out[2] = special[runs ? 0 : 1];
	else
		out[2] = runs ? 'x' : '-';
}

void
human_mode(char buf[HUMAN_MODE_LEN + 1], unsigned mode)
{
	buf[0] = mode_type(mode);
	mode_group(buf + 1, mode >> 6, (mode & S_ISUID) != 0, "sS");
	mode_group(buf + 4, mode >> 3, (mode & S_ISGID) != 0, "sS");
	mode_group(buf + 7, mode, (mode & S_ISVTX) != 0, "tT");
	buf[HUMAN_MODE_LEN] = '\0';
}

/* Values */

/* Not what Python calls printable; ASCII is decided without Unicode's tables.
 */
static bool
is_printable(struct regex *odd, const char *s, size_t len)
{
	if (len == 1)
		return s[0] >= ' ' && s[0] < 0x7f;
	return odd == NULL || !regex_search(odd, s, len);
}

static void
add_char(struct strbuf *out, struct regex *odd, char quote, const char *s,
    size_t len)
{
	uint32_t c = utf8_decode(s, len);

	if (c == (unsigned char)quote || c == '\\')
		strbuf_addf(out, "\\%c", (char)c);
	else if (c == '\n')
		strbuf_adds(out, "\\n");
	else if (c == '\r')
		strbuf_adds(out, "\\r");
	else if (c == '\t')
		strbuf_adds(out, "\\t");
	else if (is_printable(odd, s, len))
		strbuf_add(out, s, len);
	else if (c < 0x100)
		strbuf_addf(out, "\\x%02x", c);
	else if (c < 0x10000)
		strbuf_addf(out, "\\u%04x", c);
	else
		strbuf_addf(out, "\\U%08x", c);
}

static bool
is_ascii(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)s[i] & 0x80) != 0)
			return false;
	return true;
}

static void
repr_str(struct strbuf *out, const char *s, size_t len)
{
	struct regex *odd AUTO(regex) = NULL;
	char quote = '\'';

	if (memchr(s, '\'', len) != NULL && memchr(s, '"', len) == NULL)
		quote = '"';
	/* Without memory for it, more is shown as it is. */
	if (!is_ascii(s, len))
		(void)regex_new(
		    &odd, "[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Cn}\\p{Z}]", NULL);
	strbuf_addc(out, quote);
	for (size_t at = 0; at < len;) {
		size_t n = utf8_char_len(s + at, len - at);

		if (n == 0) {
			strbuf_addf(out, "\\x%02x", (unsigned char)s[at++]);
			continue;
		}
		add_char(out, odd, quote, s + at, n);
		at += n;
	}
	strbuf_addc(out, quote);
}

static void
repr_scalar(struct strbuf *out, const struct node *n)
{
	char buf[NODE_FLOAT_LEN];

	if (n == NULL || n->type == NODE_NULL)
		strbuf_adds(out, "None");
	else if (n->type == NODE_BOOL)
		strbuf_adds(out, n->u.b ? "True" : "False");
	else if (n->type == NODE_INT && n->big && n->raw != NULL)
		strbuf_adds(out, n->raw);
	else if (n->type == NODE_INT)
		strbuf_addf(out, "%lld", (long long)n->u.i);
	else if (n->type == NODE_FLOAT)
		strbuf_adds(out, node_float_text(n->u.f, buf));
	else
		repr_str(out, n->u.str.s, n->u.str.len);
}

static void
repr_list(struct strbuf *out, const struct node *n)
{
	strbuf_addc(out, '[');
	for (size_t i = 0; i < n->u.list.n; i++) {
		strbuf_adds(out, i == 0 ? "" : ", ");
		human_repr(out, n->u.list.items[i]);
	}
	strbuf_addc(out, ']');
}

/* Recursion is bounded by the reader's depth limit. */
void
human_repr(struct strbuf *out, const struct node *n)
{
	if (n == NULL ||
	    (n->type != NODE_LIST && n->type != NODE_MAP &&
		n->type != NODE_SET)) {
		repr_scalar(out, n);
		return;
	}
	if (n->type == NODE_LIST) {
		repr_list(out, n);
		return;
	}
	strbuf_addc(out, '{');
	for (size_t i = 0; i < n->u.map.n; i++) {
		strbuf_adds(out, i == 0 ? "" : ", ");
		human_repr(out, n->u.map.pairs[i].key);
		strbuf_adds(out, ": ");
		human_repr(out, n->u.map.pairs[i].value);
	}
	strbuf_addc(out, '}');
}

void
human_text(struct strbuf *out, const struct node *n)
{
	if (n != NULL && n->type == NODE_STR)
		strbuf_add(out, n->u.str.s, n->u.str.len);
	else
		human_repr(out, n);
}

/* Lines */

/* Length of the line separator at s, 0: none. */
static size_t
separator_len(const char *s, size_t len)
{
	unsigned char c = (unsigned char)s[0];

	if (c == '\r' && len > 1 && s[1] == '\n')
		return 2;
	if ((c >= 0x0a && c <= 0x0d) || (c >= 0x1c && c <= 0x1e))
		return 1;
	if (len >= 2 && memcmp(s, "\xc2\x85", 2) == 0)
		return 2;
	if (len >= 3 &&
	    (memcmp(s, "\xe2\x80\xa8", 3) == 0 ||
		memcmp(s, "\xe2\x80\xa9", 3) == 0))
		return 3;
	return 0;
}

size_t
human_line(const char *text, size_t len, size_t *ret_next)
{
	for (size_t i = 0; i < len; i++) {
		size_t n = separator_len(text + i, len - i);

		if (n > 0) {
			*ret_next = i + n;
			return i;
		}
	}
	*ret_next = len;
	return len;
}
