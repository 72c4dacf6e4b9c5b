/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The bounded line that all renderers fill: see log_render.h. Once something
 * did not fit, nothing more is added but the end, so a cut line never holds a
 * later field without an earlier one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log_render.h"
#include "lib/base/utf8.h"

void
log_line_add(struct log_line *l, const char *p, size_t len)
{
	if (l->cut || len > sizeof(l->buf) - LOG_TAIL_LEN - l->len) {
		l->cut = true;
		return;
	}
	if (len > 0)
		memcpy(l->buf + l->len, p, len);
	l->len += len;
}

void
log_line_adds(struct log_line *l, const char *s)
{
	log_line_add(l, s, strlen(s));
}

void
log_line_add_num(struct log_line *l, int64_t num)
{
	char buf[24];

	(void)snprintf(buf, sizeof(buf), "%" PRId64, num);
	log_line_adds(l, buf);
}

void
log_line_add_blanks(struct log_line *l, size_t n)
{
	while (n-- > 0)
		log_line_add(l, " ", 1);
}

void
log_line_add_escaped(struct log_line *l, const char *s, const char *special,
    log_escape_fn *escape)
{
	size_t len = strlen(s), n;

	while (len > 0 && !l->cut) {
		n = utf8_print_len(s, len);
		if (n > 1 || (n == 1 && strchr(special, *s) == NULL)) {
			log_line_add(l, s, n);
		} else {
			n = 1;
			escape(l, (unsigned char)*s);
		}
		s += n;
		len -= n;
	}
}

void
log_line_end(struct log_line *l, const char *s)
{
	size_t len = strlen(s);

	if (len <= sizeof(l->buf) - l->len) {
		memcpy(l->buf + l->len, s, len);
		l->len += len;
	}
}
