/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What people read of a node: numbers as text, words for types.
 *
 * Floats are written as Python writes them, since print-spec and the API's
 * replies are compared with the original's: the fewest digits that read back,
 * and an exponent below 1e-4 and from 1e16 on.
 */

#include "lib/data/node.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The digits of "d.ddde+dd" counted up by one; false when all are nines. */
static bool
next_digits(char *buf)
{
	char *p = strchr(buf, 'e');

	while (p != NULL && p-- > buf) {
		if (*p < '0' || *p > '9')
			continue;
		if (*p != '9') {
			(*p)++;
			return true;
		}
		*p = '0';
	}
	return false;
}

/* The fewest significant digits that read back: 15 are always kept by a normal
 * double, so fewer are tried only for those that have less precision.  Below a
 * power of two there is less room than above, so there the next number up may
 * read back where the nearest does not. */
static void
shortest_digits(double f, char *buf, size_t size)
{
	int digits, exp2;

	digits = fabs(f) < DBL_MIN ? 1 : 15;
	for (; digits < 17; digits++) {
		(void)snprintf(buf, size, "%.*e", digits - 1, f);
		if (strtod(buf, NULL) == f)
			return;
		if (fabs(frexp(f, &exp2)) == 0.5 && next_digits(buf) &&
		    strtod(buf, NULL) == f)
			return;
	}
	(void)snprintf(buf, size, "%.16e", f);
}

/* Lays out digits d[0..n) with the point after position exp10. */
static void
layout(char *buf, bool negative, const char *d, int n, int exp10)
{
	char *p;
	int i;

	p = buf;
	if (negative)
		*p++ = '-';
	if (exp10 < -4 || exp10 >= 16) {
		*p++ = d[0];
		if (n > 1) {
			*p++ = '.';
			for (i = 1; i < n; i++)
				*p++ = d[i];
		}
		(void)snprintf(p, (size_t)(buf + NODE_FLOAT_LEN - p), "e%c%02d",
		    exp10 < 0 ? '-' : '+', abs(exp10));
		return;
	}
	if (exp10 < 0) {
		*p++ = '0';
		*p++ = '.';
		for (i = -1; i > exp10; i--)
			*p++ = '0';
		for (i = 0; i < n; i++)
			*p++ = d[i];
	} else {
		for (i = 0; i < n || i <= exp10; i++) {
			if (i == exp10 + 1)
				*p++ = '.';
			*p++ = i < n ? d[i] : '0';
		}
		if (n <= exp10 + 1) {
			*p++ = '.';
			*p++ = '0';
		}
	}
	*p = '\0';
}

/* "+05", "-310" */
static int
exponent(const char *p)
{
	bool negative = *p == '-';
	int v = 0;

	for (p++; *p >= '0' && *p <= '9'; p++)
		v = v * 10 + (*p - '0');
	return negative ? -v : v;
}

const char *
node_float_text(double f, char buf[NODE_FLOAT_LEN])
{
	char text[40], digits[24] = "0";
	const char *p;
	int n, exp10;

	if (isnan(f)) {
		(void)snprintf(buf, NODE_FLOAT_LEN, "nan");
		return buf;
	}
	if (isinf(f)) {
		(void)snprintf(buf, NODE_FLOAT_LEN, f < 0 ? "-inf" : "inf");
		return buf;
	}
	if (f == 0) {
		(void)snprintf(
		    buf, NODE_FLOAT_LEN, signbit(f) ? "-0.0" : "0.0");
		return buf;
	}
	shortest_digits(f, text, sizeof(text));
	n = 0;
	/* Digits up to the exponent; the point is whatever the locale says. */
	for (p = text; *p != '\0' && *p != 'e'; p++) {
		if (*p >= '0' && *p <= '9' && n < (int)sizeof(digits))
			digits[n++] = *p;
	}
	exp10 = *p == 'e' ? exponent(p + 1) : 0;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	layout(buf, f < 0, digits, n, exp10);
	return buf;
}

const char *
node_scalar_text(const struct node *n, char buf[NODE_FLOAT_LEN])
{
	switch (n->type) {
	case NODE_NULL:
		return "null";
	case NODE_BOOL:
		return n->u.b ? "true" : "false";
	case NODE_INT:
		if (n->raw != NULL)
			return n->raw;
		(void)snprintf(buf, NODE_FLOAT_LEN, "%" PRId64, n->u.i);
		return buf;
	case NODE_FLOAT:
		return node_float_text(n->u.f, buf);
	case NODE_STR:
	case NODE_TIME:
	case NODE_BYTES:
		return n->u.str.s;
	case NODE_LIST:
	case NODE_MAP:
	case NODE_SET:
		break;
	}
	return NULL;
}

const char *
node_type_article(const struct node *n)
{
	switch (n->type) {
	case NODE_NULL:
		return "null";
	case NODE_BOOL:
		return "a boolean";
	case NODE_INT:
		return "an integer";
	case NODE_FLOAT:
		return "a number with a fraction";
	case NODE_STR:
		return "a string";
	case NODE_TIME:
		return strchr(n->u.str.s, 'T') != NULL ? "a date and time"
						       : "a date";
	case NODE_BYTES:
		return "binary data";
	case NODE_LIST:
		return "a list";
	case NODE_MAP:
		return "a mapping";
	case NODE_SET:
		return "a set";
	}
	return "nothing";
}

const char *
node_type_python(const struct node *n)
{
	switch (n->type) {
	case NODE_NULL:
		return "NoneType";
	case NODE_BOOL:
		return "bool";
	case NODE_INT:
		return "int";
	case NODE_FLOAT:
		return "float";
	case NODE_STR:
		return "str";
	case NODE_TIME:
		return strchr(n->u.str.s, 'T') != NULL ? "datetime" : "date";
	case NODE_BYTES:
		return "bytes";
	case NODE_LIST:
		return "list";
	case NODE_MAP:
		return "dict";
	case NODE_SET:
		return "set";
	}
	return "NoneType";
}
