/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A growing byte buffer with a mandatory maximum and a latched error: after the
 * first failure (over the maximum, no memory) additions do nothing, and
 * strbuf_take() or strbuf_check() reports it, so a run of additions needs one
 * check. buf is always NUL-terminated after len (also when empty).
 */
#pragma once

#include <stdarg.h>

#include "lib/base/error.h"

struct strbuf {
	/* Never NULL; not to be freed by the user. */
	char *buf;
	size_t len;
	size_t cap;
	/* len <= max, always. */
	size_t max;
	/* OVE_NONE, OVE_LIMIT or OVE_NOMEM. */
	enum ove latch;
};

void strbuf_init(struct strbuf *b, size_t max);
void strbuf_add(struct strbuf *b, const void *p, size_t len);
void strbuf_adds(struct strbuf *b, const char *s);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) CC_PRINTF(2, 3);
void strbuf_vaddf(struct strbuf *b, const char *fmt, va_list ap)
    CC_PRINTF(2, 0);
/* Adds text from outside with control characters, DEL and invalid UTF-8 shown
 * as \xNN. */
void strbuf_add_escaped(struct strbuf *b, const char *p, size_t len);
/* Makes room for len more bytes and returns where to write them; NULL when
 * latched. Follow with strbuf_commit(). */
char *strbuf_reserve(struct strbuf *b, size_t len);
void strbuf_commit(struct strbuf *b, size_t len);
/* Removes len bytes from the front (len <= b->len). */
void strbuf_consume(struct strbuf *b, size_t len);
/* Cuts to len (len <= b->len). */
void strbuf_truncate(struct strbuf *b, size_t len);
/* 0, or -1 with the latched error. */
int strbuf_check(const struct strbuf *b, struct error *e) CC_MUST_CHECK;
/* Hands over the text (mem_free() it) and resets b, or fails with the latch. */
int strbuf_take(struct strbuf *b, char **ret, size_t *ret_len,
    struct error *e) CC_MUST_CHECK;
struct arena;
/* A copy of the text in the arena. NULL when the arena has no room or b has
 * latched, which then latches the arena: no text is cut. */
char *strbuf_to_arena(const struct strbuf *b, struct arena *a);
/* Empties and clears the latch; keeps memory. */
void strbuf_reset(struct strbuf *b);
void strbuf_fini(struct strbuf *b);
#define AUTO_STRBUF CC_CLEANUP(strbuf_fini)
