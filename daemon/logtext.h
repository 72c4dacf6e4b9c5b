/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Text of a log file as the API serves it (rest-api.md 3.4): escape sequences
 * removed, lines joined by \n without a last one, what is not UTF-8 replaced.
 */
#pragma once

#include "lib/base/strbuf.h"

void logtext_clean(struct strbuf *out, const char *p, size_t len);

/* The same of a text that comes in pieces, whatever these are. */
struct logtext {
	/* What the bytes to come decide; a few KiB at most. */
	struct strbuf held;
};
void logtext_init(struct logtext *t);
/* Adds what is known by now; errors are latched in out. */
void logtext_feed(
    struct logtext *t, struct strbuf *out, const char *p, size_t len);
/* Adds the rest: nothing comes any more. */
void logtext_end(struct logtext *t, struct strbuf *out);
void logtext_fini(struct logtext *t);
