/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A log event as one JSON object per line, for machines: time, level, area, msg
 * and then the fields under their own keys. Valid JSON whatever comes in: bytes
 * that are not UTF-8 become \ufffd, a text that does not fit is closed where it
 * was cut and the object gets "cut":true.
 */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/log_render.h"

static void
escape(struct log_line *l, unsigned char c)
{
	char buf[8];

	if (c == '"' || c == '\\')
		(void)snprintf(buf, sizeof(buf), "\\%c", c);
	else if (c < 0x80)
		(void)snprintf(buf, sizeof(buf), "\\u%04x", c);
	else
		(void)snprintf(buf, sizeof(buf), "\\ufffd");
	log_line_adds(l, buf);
}

/* Adds `,"key":"text"`; when it is cut within the text, closes that. */
static void
add_text(struct log_line *l, const char *key, const char *text)
{
	size_t mark = l->len;

	log_line_adds(l, ",\"");
	log_line_add_escaped(l, key, "\"\\", escape);
	log_line_adds(l, "\":\"");
	if (l->cut) {
		l->len = mark;
		return;
	}
	log_line_add_escaped(l, text, "\"\\", escape);
	if (l->cut)
		log_line_end(l, "\"");
	else
		log_line_adds(l, "\"");
}

static void
add_num(struct log_line *l, const char *key, int64_t num)
{
	size_t mark = l->len;

	log_line_adds(l, ",\"");
	log_line_add_escaped(l, key, "\"\\", escape);
	log_line_adds(l, "\":");
	log_line_add_num(l, num);
	if (l->cut)
		l->len = mark;
}

void
log_render_json(struct log_line *l, const struct log_event *ev)
{
	char when[CLOCK_TEXT_LEN];
	size_t i;

	log_line_adds(l, "{\"time\":\"");
	log_line_adds(l, clock_wall_text(ev->wall_ms, when));
	log_line_adds(l, "\"");
	add_text(l, "level", ev->level);
	add_text(l, "area", ev->area);
	add_text(l, "msg", ev->msg);
	for (i = 0; i < ev->n; i++) {
		if (ev->fields[i].text != NULL)
			add_text(l, ev->fields[i].key, ev->fields[i].text);
		else
			add_num(l, ev->fields[i].key, ev->fields[i].num);
	}
	log_line_end(l, l->cut || ev->cut ? ",\"cut\":true}\n" : "}\n");
}
