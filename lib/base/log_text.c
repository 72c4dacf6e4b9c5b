/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A log event as a line for people and grep: time, level, area, the fields as
 * key=value, then the message. A value is quoted when it is empty or holds a
 * blank, a quote, "=" or a byte that is escaped; bytes that cannot be shown are
 * \xNN, in the message too, so nothing logged can start a line of its own.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log_render.h"
#include "lib/base/utf8.h"

static void
escape(struct log_line *l, unsigned char c)
{
	char buf[8];

	if (c == '"' || c == '\\')
		(void)snprintf(buf, sizeof(buf), "\\%c", c);
	else
		(void)snprintf(buf, sizeof(buf), "\\x%02x", c);
	log_line_adds(l, buf);
}

static bool
needs_quotes(const char *s)
{
	size_t len = strlen(s), n;

	if (len == 0)
		return true;
	while (len > 0) {
		n = utf8_print_len(s, len);
		if (n == 0 || (n == 1 && strchr(" \"\\=", *s) != NULL))
			return true;
		s += n;
		len -= n;
	}
	return false;
}

static void
add_field(struct log_line *l, const struct log_field *f)
{
	size_t mark = l->len;

	log_line_adds(l, f->key);
	log_line_adds(l, "=");
	if (f->text == NULL) {
		log_line_add_num(l, f->num);
	} else if (!needs_quotes(f->text)) {
		log_line_adds(l, f->text);
	} else {
		log_line_adds(l, "\"");
		log_line_add_escaped(l, f->text, "\"\\", escape);
		log_line_adds(l, "\"");
	}
	log_line_adds(l, " ");
	if (l->cut)
		l->len = mark;
}

void
log_render_message(struct log_line *l, const struct log_event *ev)
{
	size_t i;

	for (i = 0; i < ev->n; i++)
		add_field(l, &ev->fields[i]);
	log_line_add_escaped(l, ev->msg, "", escape);
}

void
log_render_area(struct log_line *l, const struct log_event *ev)
{
	log_line_adds(l, ev->area);
	log_line_adds(l, " ");
	log_render_message(l, ev);
	log_line_end(l, l->cut || ev->cut ? "...\n" : "\n");
}

void
log_render_text(struct log_line *l, const struct log_event *ev)
{
	char when[CLOCK_TEXT_LEN];

	log_line_adds(l, clock_wall_text(ev->wall_ms, when));
	log_line_adds(l, " ");
	log_line_adds(l, ev->level);
	log_line_adds(l, " ");
	log_render_area(l, ev);
}
