/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Server-sent events (WHATWG HTML 9.2.6), read from the pieces of a stream as
 * they come. Comments, `retry` and unknown fields are skipped. What the sender
 * may make us keep is bounded.
 */
#pragma once

#include "lib/base/strbuf.h"

#define SSE_ID_MAX 256
#define SSE_TYPE_MAX 64

struct sse {
	struct strbuf line;
	struct strbuf type;
	struct strbuf data;
	/* As of the lines so far; last_id is that of the last blank line. */
	struct strbuf id;
	struct strbuf last_id;
	/* The last line ended with CR: an LF belongs to it. */
	bool cr;
	/* A line has been read: no byte order mark any more. */
	bool begun;
	/* type and data were given away. */
	bool given;
};

/* Valid until the next call of sse_next(). */
struct sse_event {
	/* "message" when it has none. */
	const char *type;
	/* NUL-terminated, lines joined by \n; not checked to be UTF-8. */
	const char *data;
	size_t data_len;
	/* "" before the first one. */
	const char *id;
};

enum {
	SSE_NONE = 1
};

/* max: bytes of a line, and of the data of an event. */
void sse_init(struct sse *s, size_t max);
/* Takes bytes from *p until an event is whole: 0, and *ret is it. SSE_NONE: all
 * of it is taken, and more is needed. -1: OVE_LIMIT, something is longer than
 * it may be, or OVE_NOMEM; the stream cannot be read any further. */
int sse_next(struct sse *s, const char **p, size_t *len, struct sse_event *ret,
    struct error *e);
/* Of the last blank line, with data before it or without; "" before. */
const char *sse_last_id(const struct sse *s);
void sse_fini(struct sse *s);
