/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The growing byte buffer: see strbuf.h. Memory doubles, up to max + 1 (the
 * NUL). While nothing is allocated (cap is 0) buf points to one shared empty
 * string that is never written to, so a reader needs no case for it.
 */
#include "lib/base/strbuf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/utf8.h"

#define FIRST_LEN 64

static char empty[1];

void
strbuf_init(struct strbuf *b, size_t max)
{
	*b = (struct strbuf){ .buf = empty, .max = max };
}

/* Makes room for len more bytes and the NUL, or latches. */
static bool
grow(struct strbuf *b, size_t len)
{
	size_t need, cap, limit;
	char *p;

	if (b->latch != OVE_NONE)
		return false;
	if (len > b->max - b->len || !num_add_size(b->len + len, 1, &need)) {
		b->latch = OVE_LIMIT;
		return false;
	}
	if (need <= b->cap)
		return true;
	if (!num_mul_size(b->cap, 2, &cap) || cap < need)
		cap = need;
	if (cap < FIRST_LEN)
		cap = FIRST_LEN;
	if (num_add_size(b->max, 1, &limit) && cap > limit)
		cap = limit;
	p = mem_realloc(b->cap > 0 ? b->buf : NULL, cap);
	if (p == NULL) {
		b->latch = OVE_NOMEM;
		return false;
	}
	b->buf = p;
	b->cap = cap;
	b->buf[b->len] = '\0';
	return true;
}

void
strbuf_add(struct strbuf *b, const void *p, size_t len)
{
	if (len == 0 || !grow(b, len))
		return;
	memcpy(b->buf + b->len, p, len);
	b->len += len;
	b->buf[b->len] = '\0';
}

void
strbuf_adds(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

void
strbuf_addc(struct strbuf *b, char c)
{
	strbuf_add(b, &c, 1);
}

void
strbuf_vaddf(struct strbuf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0) {
		/* Longer than an int can say. */
		b->latch = b->latch == OVE_NONE ? OVE_LIMIT : b->latch;
		return;
	}
	if (n == 0 || !grow(b, (size_t)n))
		return;
	(void)vsnprintf(b->buf + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
}

void
strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(b, fmt, ap);
	va_end(ap);
}

void
strbuf_add_escaped(struct strbuf *b, const char *p, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t i = 0, plain = 0, n;

	while (i < len) {
		n = utf8_print_len(p + i, len - i);
		if (n > 0) {
			i += n;
			continue;
		}
		/* All bytes of a control character, one of an invalid one. */
		n = utf8_char_len(p + i, len - i);
		strbuf_add(b, p + plain, i - plain);
		do {
			unsigned char c = (unsigned char)p[i++];
			char shown[] = { '\\', 'x', hex[c >> 4], hex[c & 15] };

			strbuf_add(b, shown, sizeof(shown));
		} while (n-- > 1);
		plain = i;
	}
	strbuf_add(b, p + plain, len - plain);
}

char *
strbuf_reserve(struct strbuf *b, size_t len)
{
	return grow(b, len) ? b->buf + b->len : NULL;
}

void
strbuf_commit(struct strbuf *b, size_t len)
{
	if (b->latch != OVE_NONE || len == 0)
		return;
	assert(b->cap > b->len && len < b->cap - b->len);
	b->len += len;
	b->buf[b->len] = '\0';
}

void
strbuf_consume(struct strbuf *b, size_t len)
{
	assert(len <= b->len);
	if (len == 0)
		return;
	b->len -= len;
	memmove(b->buf, b->buf + len, b->len + 1);
}

void
strbuf_truncate(struct strbuf *b, size_t len)
{
	assert(len <= b->len);
	b->len = len;
	if (b->cap > 0)
		b->buf[len] = '\0';
}

int
strbuf_check(const struct strbuf *b, struct error *e)
{
	if (b->latch == OVE_NONE)
		return 0;
	if (b->latch == OVE_NOMEM)
		return error_nomem(e);
	return error_set(e, b->latch, "more than %zu bytes", b->max);
}

int
strbuf_take(struct strbuf *b, char **ret, size_t *ret_len, struct error *e)
{
	/* Also when empty: the receiver frees what it gets. */
	(void)grow(b, 0);
	if (strbuf_check(b, e) < 0)
		return -1;
	*ret = b->buf;
	if (ret_len != NULL)
		*ret_len = b->len;
	strbuf_init(b, b->max);
	return 0;
}

char *
strbuf_to_arena(const struct strbuf *b, struct arena *a)
{
	if (a->latch == OVE_NONE)
		a->latch = b->latch;
	return arena_strndup(a, b->buf, b->len);
}

void
strbuf_reset(struct strbuf *b)
{
	strbuf_truncate(b, 0);
	b->latch = OVE_NONE;
}

void
strbuf_fini(struct strbuf *b)
{
	if (b->cap > 0)
		mem_free(b->buf);
	strbuf_init(b, b->max);
}
