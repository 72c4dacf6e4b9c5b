/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Reads a form once into a list of pieces: see log_pattern.h. Strict, since a
 * form that the original can only complain about with each event is better
 * refused at once.
 */
#include "lib/base/log_pattern_internal.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"

#define PIECES_MAX 256

static const struct {
	const char *name;
	enum log_pattern_field field;
} fields[] = {
	{ "asctime", FIELD_ASCTIME },
	{ "name", FIELD_NAME },
	{ "levelname", FIELD_LEVELNAME },
	{ "levelno", FIELD_LEVELNO },
	{ "message", FIELD_MESSAGE },
	{ "process", FIELD_PROCESS },
	{ "processName", FIELD_PROCESSNAME },
	/* There is one that logs. */
	{ "thread", FIELD_PROCESS },
	{ "threadName", FIELD_THREADNAME },
	{ "pathname", FIELD_PATHNAME },
	{ "filename", FIELD_FILENAME },
	{ "module", FIELD_MODULE },
	{ "funcName", FIELD_FUNCNAME },
	{ "lineno", FIELD_LINENO },
	{ "created", FIELD_CREATED },
	{ "msecs", FIELD_MSECS },
	{ "relativeCreated", FIELD_RELATIVE },
};

static enum log_pattern_field
field_of(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(fields); i++)
		if (strlen(fields[i].name) == len &&
		    memcmp(fields[i].name, name, len) == 0)
			return fields[i].field;
	return FIELD_UNKNOWN;
}

static const char *
read_flags(const char *p, struct log_pattern_piece *it)
{
	for (;; p++)
		switch (*p) {
		case '-':
			it->left = true;
			break;
		case '0':
			it->zero = true;
			break;
		case '#':
			it->alt = true;
			break;
		case '+':
			it->sign = '+';
			break;
		case ' ':
			if (it->sign == '\0')
				it->sign = ' ';
			break;
		default:
			return p;
		}
}

/* No digits are 0. */
static int
read_digits(const char **p, size_t *ret, struct error *e)
{
	size_t len = strspn(*p, "0123456789");
	uint64_t v = 0;

	if (len > 0 &&
	    num_u64_len(*p, len, 0, LOG_PATTERN_WIDTH_MAX, &v, NULL) < 0)
		return error_set(e, OVE_INVALID,
		    "a width of %.*s is more than %d",
		    (int)(len < 20 ? len : 20), *p, LOG_PATTERN_WIDTH_MAX);
	*ret = (size_t)v;
	*p += len;
	return 0;
}

/* *p is behind the "%". */
static int
read_conversion(const char **pp, struct log_pattern_piece *it, struct error *e)
{
	const char *p = *pp, *end;
	size_t precision = 0;

	it->precision = LOG_PATTERN_NO_PRECISION;
	end = *p == '(' ? strchr(p, ')') : NULL;
	if (*p != '(')
		return error_set(e, OVE_INVALID,
		    "a '%%' is not followed by '(name)' or another '%%'");
	if (end == NULL)
		return error_set(e, OVE_INVALID, "'%%%.20s' has no ')'", p);
	it->field = field_of(p + 1, (size_t)(end - p - 1));
	p = read_flags(end + 1, it);
	if (read_digits(&p, &it->width, e) < 0)
		return -1;
	if (*p == '.') {
		p++;
		if (read_digits(&p, &precision, e) < 0)
			return -1;
		it->precision = (int)precision;
	}
	/* Lengths of C, which mean nothing. */
	if (*p != '\0' && strchr("hlL", *p) != NULL)
		p++;
	if (*p == '\0' || strchr("diouxXeEfFgGcrsa", *p) == NULL)
		return error_set(e, OVE_INVALID,
		    "'%%%.*s' is not followed by a letter such as 's' or 'd'",
		    (int)(end + 1 - *pp), *pp);
	it->conv = *p;
	*pp = p + 1;
	return 0;
}

static int
read_format(struct log_pattern *lp, struct error *e)
{
	const char *p = lp->format;
	struct log_pattern_piece *it;
	size_t len;

	while (*p != '\0') {
		if ((it = array_add(&lp->pieces, e)) == NULL)
			return -1;
		len = strcspn(p, "%");
		if (len == 0 && p[1] != '%') {
			p++;
			if (read_conversion(&p, it, e) < 0)
				return -1;
			continue;
		}
		if (len == 0) {
			p++;
			len = 1;
		}
		it->text = p;
		it->len = len;
		p += len;
	}
	return 0;
}

int
log_pattern_new(struct log_pattern **ret, const char *format,
    const char *datefmt, struct error *e)
{
	AUTO(log_pattern) struct log_pattern *p = NULL;

	if (format == NULL)
		format = "%(message)s";
	if (strlen(format) > LOG_PATTERN_MAX ||
	    (datefmt != NULL && strlen(datefmt) > LOG_PATTERN_MAX))
		return error_set(e, OVE_INVALID,
		    "a format is longer than %d bytes", LOG_PATTERN_MAX);
	if ((p = mem_calloc(1, sizeof(*p))) == NULL)
		return error_nomem(e);
	array_init(&p->pieces, sizeof(struct log_pattern_piece), PIECES_MAX);
	if ((p->format = mem_strdup(format)) == NULL ||
	    (datefmt != NULL && (p->datefmt = mem_strdup(datefmt)) == NULL))
		return error_nomem(e);
	if (read_format(p, e) < 0)
		return -1;
	*ret = STEAL(p);
	return 0;
}

struct log_pattern *
log_pattern_free(struct log_pattern *p)
{
	if (p == NULL)
		return NULL;
	array_fini(&p->pieces);
	mem_free(p->format);
	mem_free(p->datefmt);
	mem_free(p);
	return NULL;
}
