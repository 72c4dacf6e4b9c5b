/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One line after the other is put together and looked at; a blank one ends an
 * event. Lines end at LF, CR LF or CR, which may be torn apart.
 */
#include "lib/net/sse.h"

#include <string.h>

void
sse_init(struct sse *s, size_t max)
{
	*s = (struct sse){ 0 };
	strbuf_init(&s->line, max);
	strbuf_init(&s->type, SSE_TYPE_MAX);
	strbuf_init(&s->data, max);
	strbuf_init(&s->id, SSE_ID_MAX);
	strbuf_init(&s->last_id, SSE_ID_MAX);
}

void
sse_fini(struct sse *s)
{
	strbuf_fini(&s->line);
	strbuf_fini(&s->type);
	strbuf_fini(&s->data);
	strbuf_fini(&s->id);
	strbuf_fini(&s->last_id);
}

const char *
sse_last_id(const struct sse *s)
{
	return s->last_id.buf;
}

static bool
is(const char *name, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(name, word, len) == 0;
}

/* What is to be a word to us must be one. */
static void
set_word(struct strbuf *b, const char *value, size_t len)
{
	if (memchr(value, '\0', len) != NULL)
		return;
	strbuf_reset(b);
	strbuf_add(b, value, len);
}

static void
take_field(struct sse *s, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t name_len = colon != NULL ? (size_t)(colon - line) : len;
	const char *value = line + name_len;
	size_t value_len = len - name_len;

	if (value_len > 0) {
		value++;
		value_len--;
	}
	if (value_len > 0 && *value == ' ') {
		value++;
		value_len--;
	}
	if (is(line, name_len, "event")) {
		set_word(&s->type, value, value_len);
	} else if (is(line, name_len, "data")) {
		strbuf_add(&s->data, value, value_len);
		strbuf_addc(&s->data, '\n');
	} else if (is(line, name_len, "id")) {
		set_word(&s->id, value, value_len);
	}
}

/* A blank line: whether there is an event. */
static bool
take_blank(struct sse *s, struct sse_event *ret)
{
	strbuf_reset(&s->last_id);
	strbuf_add(&s->last_id, s->id.buf, s->id.len);
	if (s->data.len == 0) {
		strbuf_reset(&s->type);
		return false;
	}
	strbuf_truncate(&s->data, s->data.len - 1);
	*ret = (struct sse_event){
		.type = s->type.len > 0 ? s->type.buf : "message",
		.data = s->data.buf,
		.data_len = s->data.len,
		.id = s->last_id.buf,
	};
	s->given = true;
	return true;
}

/* The line that has been put together: whether it ends an event. */
static bool
take_line(struct sse *s, struct sse_event *ret)
{
	const char *line = s->line.buf;
	size_t len = s->line.len;
	bool whole = false;

	if (!s->begun && len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		len -= 3;
	}
	s->begun = true;
	if (len == 0)
		whole = take_blank(s, ret);
	else if (line[0] != ':')
		take_field(s, line, len);
	strbuf_reset(&s->line);
	return whole;
}

/* Up to the end of a line: whether it is here. */
static bool
gather(struct sse *s, const char **p, size_t *len)
{
	size_t n = 0, end;

	if (s->cr && *len > 0) {
		n = **p == '\n' ? 1 : 0;
		s->cr = false;
	}
	for (end = n; end < *len && (*p)[end] != '\n' && (*p)[end] != '\r';)
		end++;
	strbuf_add(&s->line, *p + n, end - n);
	if (end == *len) {
		*p += end;
		*len = 0;
		return false;
	}
	s->cr = (*p)[end] == '\r';
	*p += end + 1;
	*len -= end + 1;
	return true;
}

static int
check(const struct sse *s, struct error *e)
{
	const struct strbuf *const all[] = { &s->line, &s->type, &s->data,
		&s->id, &s->last_id };
	size_t i;

	for (i = 0; i < ARRAY_LEN(all); i++)
		if (strbuf_check(all[i], e) < 0)
			return -1;
	return 0;
}

int
sse_next(struct sse *s, const char **p, size_t *len, struct sse_event *ret,
    struct error *e)
{
	bool whole = false;

	if (s->given) {
		strbuf_reset(&s->type);
		strbuf_reset(&s->data);
		s->given = false;
	}
	while (!whole && *len > 0 && check(s, NULL) == 0)
		if (gather(s, p, len) && s->line.latch == OVE_NONE)
			whole = take_line(s, ret);
	if (check(s, e) < 0)
		return -1;
	return whole ? 0 : SSE_NONE;
}
