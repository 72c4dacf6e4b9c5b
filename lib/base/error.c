/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Errors as values: see error.h. Everything is formatted into a local buffer
 * first, so that an error may be built from its own text, then copied with
 * control characters shown as \xNN: what a peer sent must not reach a terminal
 * through an error. A text that does not fit is cut between characters and
 * marked; nothing here allocates or fails.
 */
#include "lib/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/utf8.h"

static const char *const ove_names[] = {
#define X(name, text) text,
#include "lib/base/error.def"
#undef X
};
_Static_assert(ARRAY_LEN(ove_names) == OVE_COUNT, "one name per code");

/* strerror_r() comes in two kinds; which one this is, its type tells. */
CC_UNUSED static const char *
strerror_gnu(const char *r, const char *buf)
{
	(void)buf;
	return r;
}

CC_UNUSED static const char *
strerror_posix(int r, const char *buf)
{
	return r == 0 || r == ERANGE ? buf : "unknown errno";
}

/* clang-format off */
#define STRERROR(sys, buf, len)                                               \
	_Generic(strerror_r((sys), (buf), (len)),                             \
	    int: strerror_posix,                                              \
	    default: strerror_gnu)(strerror_r((sys), (buf), (len)), (buf))
/* clang-format on */

static enum ove
code_from_errno(int sys)
{
	switch (sys) {
	case ENOENT:
		return OVE_NOTFOUND;
	case ENOSPC:
	case EDQUOT:
		return OVE_NOSPACE;
	case ENOMEM:
		return OVE_NOMEM;
	case EACCES:
	case EPERM:
		return OVE_DENIED;
	case EEXIST:
		return OVE_EXISTS;
	case EAGAIN:
	case EBUSY:
		return OVE_BUSY;
	case ETIMEDOUT:
		return OVE_TIMEOUT;
	default:
		return OVE_IO;
	}
}

/* Replaces e->text by the escaped form of `text`. */
static void
put_text(struct error *e, const char *text, bool cut)
{
	static const char hex[] = "0123456789abcdef";
	size_t len = 0;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = c >= 0x20 && c != 0x7f;

		if (len + (plain ? 1 : 4) >= sizeof(e->text)) {
			cut = true;
			break;
		}
		if (plain) {
			e->text[len++] = *text;
			continue;
		}
		e->text[len++] = '\\';
		e->text[len++] = 'x';
		e->text[len++] = hex[c >> 4];
		e->text[len++] = hex[c & 15];
	}
	if (cut)
		len = utf8_whole_len(e->text, len);
	e->text[len] = '\0';
	e->cut = cut;
}

/* Formats, says whether it did not fit. */
static bool CC_PRINTF(3, 0)
    format(char *buf, size_t cap, const char *fmt, va_list ap)
{
	int n;

	n = vsnprintf(buf, cap, fmt, ap);
	if (n < 0)
		buf[0] = '\0';
	return n < 0 || (size_t)n >= cap;
}

int
error_set(struct error *e, enum ove code, const char *fmt, ...)
{
	char text[sizeof(e->text)];
	va_list ap;
	bool cut;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	cut = format(text, sizeof(text), fmt, ap);
	va_end(ap);
	e->code = code;
	e->sys = 0;
	put_text(e, text, cut);
	return -1;
}

int
error_set_errno(struct error *e, int sys, const char *fmt, ...)
{
	char text[sizeof(e->text)], whole[sizeof(e->text) + 160], buf[128];
	va_list ap;
	bool cut;
	int n;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	cut = format(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = snprintf(whole, sizeof(whole), "%s: %s", text,
	    STRERROR(sys, buf, sizeof(buf)));
	e->code = code_from_errno(sys);
	e->sys = sys;
	put_text(e, whole, cut || n < 0 || (size_t)n >= sizeof(whole));
	return -1;
}

int
error_nomem(struct error *e)
{
	(void)error_set(e, OVE_NOMEM, "out of memory");
	if (e != NULL)
		e->sys = ENOMEM;
	return -1;
}

int
error_wrap(struct error *e, const char *fmt, ...)
{
	char context[sizeof(e->text)], whole[2 * sizeof(e->text) + 2];
	va_list ap;
	bool cut;
	int n;

	if (!error_is_set(e))
		return -1;
	va_start(ap, fmt);
	cut = format(context, sizeof(context), fmt, ap);
	va_end(ap);
	n = snprintf(whole, sizeof(whole), "%s: %s", context, e->text);
	put_text(
	    e, whole, cut || e->cut || n < 0 || (size_t)n >= sizeof(whole));
	return -1;
}

void
error_clear(struct error *e)
{
	if (e == NULL)
		return;
	e->code = OVE_NONE;
	e->sys = 0;
	e->cut = false;
	e->text[0] = '\0';
}

bool
error_is_set(const struct error *e)
{
	return e != NULL && e->code != OVE_NONE;
}

const char *
error_text(const struct error *e)
{
	return error_is_set(e) ? e->text : "none";
}

const char *
ove_to_string(enum ove code)
{
	size_t i = (size_t)code;

	return i < ARRAY_LEN(ove_names) ? ove_names[i] : "unknown";
}
