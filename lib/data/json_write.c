/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Tree to JSON text.  Writing appends to a strbuf and cannot fail but through
 * its latch; whoever wrote checks that.  Runs of characters that need no escape
 * are added at once.
 *
 * JSON has no NaN and no infinity: they are written as null, and whoever may
 * meet them checks before.  Integers are written with all their digits, floats
 * as Python writes them.
 *
 * Recursion is bounded by the depth of the tree, which its reader bounds.
 */

#include "lib/data/json.h"

#include <math.h>
#include <string.h>

#include "lib/base/utf8.h"

struct writer {
	struct strbuf *out;
	/* Spaces a level; 0: all on one line. */
	unsigned indent;
	/* After ':' and, on one line, after ','. */
	const char *colon;
	const char *comma;
	bool ascii;
};

static void
write_escape(struct strbuf *out, unsigned c)
{
	switch (c) {
	case '"':
		strbuf_add(out, "\\\"", 2);
		break;
	case '\\':
		strbuf_add(out, "\\\\", 2);
		break;
	case '\b':
		strbuf_add(out, "\\b", 2);
		break;
	case '\f':
		strbuf_add(out, "\\f", 2);
		break;
	case '\n':
		strbuf_add(out, "\\n", 2);
		break;
	case '\r':
		strbuf_add(out, "\\r", 2);
		break;
	case '\t':
		strbuf_add(out, "\\t", 2);
		break;
	default:
		if (c > 0xffff) {
			c -= 0x10000;
			strbuf_addf(out, "\\u%04x\\u%04x", 0xd800 + (c >> 10),
			    0xdc00 + (c & 0x3ff));
		} else {
			strbuf_addf(out, "\\u%04x", c);
		}
	}
}

static void
write_text(struct strbuf *out, const char *s, size_t len, bool ascii)
{
	size_t i, plain, n;
	unsigned char c;

	strbuf_addc(out, '"');
	i = plain = 0;
	while (i < len) {
		c = (unsigned char)s[i];
		if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
			i++;
			continue;
		}
		n = c < 0x80 ? 1 : utf8_char_len(s + i, len - i);
		if (n > 1 && !ascii) {
			i += n;
			continue;
		}
		strbuf_add(out, s + plain, i - plain);
		if (n == 1)
			write_escape(out, c);
		else if (n > 1)
			write_escape(out, utf8_decode(s + i, n));
		else if (ascii)
			strbuf_adds(out, "\\ufffd");
		else
			strbuf_adds(out, "\xef\xbf\xbd");
		i += n > 0 ? n : 1;
		plain = i;
	}
	strbuf_add(out, s + plain, len - plain);
	strbuf_addc(out, '"');
}

void
json_write_str(struct strbuf *out, const char *s, size_t len)
{
	write_text(out, s, len, false);
}

static void
write_break(const struct writer *w, unsigned depth)
{
	unsigned i;

	if (w->indent == 0)
		return;
	strbuf_addc(w->out, '\n');
	for (i = 0; i < depth * w->indent; i++)
		strbuf_addc(w->out, ' ');
}

static void
write_key(const struct writer *w, const struct node *key)
{
	char buf[NODE_FLOAT_LEN];
	const char *text;

	if (key->type == NODE_STR) {
		write_text(w->out, key->u.str.s, key->u.str.len, w->ascii);
		return;
	}
	text = node_scalar_text(key, buf);
	if (text == NULL)
		text = "";
	write_text(w->out, text, strlen(text), w->ascii);
}

static void write_node(
    const struct writer *w, const struct node *n, unsigned depth);

static void
write_list(const struct writer *w, const struct node *n, unsigned depth)
{
	size_t i;

	strbuf_addc(w->out, '[');
	for (i = 0; i < n->u.list.n; i++) {
		if (i > 0)
			strbuf_adds(w->out, w->comma);
		write_break(w, depth + 1);
		write_node(w, n->u.list.items[i], depth + 1);
	}
	if (n->u.list.n > 0)
		write_break(w, depth);
	strbuf_addc(w->out, ']');
}

static void
write_map(const struct writer *w, const struct node *n, unsigned depth)
{
	size_t i;

	strbuf_addc(w->out, '{');
	for (i = 0; i < n->u.map.n; i++) {
		if (i > 0)
			strbuf_adds(w->out, w->comma);
		write_break(w, depth + 1);
		write_key(w, n->u.map.pairs[i].key);
		strbuf_adds(w->out, w->colon);
		write_node(w, n->u.map.pairs[i].value, depth + 1);
	}
	if (n->u.map.n > 0)
		write_break(w, depth);
	strbuf_addc(w->out, '}');
}

static void
write_node(const struct writer *w, const struct node *n, unsigned depth)
{
	char buf[NODE_FLOAT_LEN];

	switch (n->type) {
	case NODE_FLOAT:
		if (!isfinite(n->u.f)) {
			strbuf_adds(w->out, "null");
			break;
		}
		strbuf_adds(w->out, node_float_text(n->u.f, buf));
		break;
	case NODE_NULL:
	case NODE_BOOL:
	case NODE_INT:
		strbuf_adds(w->out, node_scalar_text(n, buf));
		break;
	case NODE_STR:
	case NODE_TIME:
	case NODE_BYTES:
		write_text(w->out, n->u.str.s, n->u.str.len, w->ascii);
		break;
	case NODE_LIST:
		write_list(w, n, depth);
		break;
	case NODE_MAP:
	case NODE_SET:
		write_map(w, n, depth);
		break;
	}
}

void
json_write(struct strbuf *out, const struct node *n, enum json_style style)
{
	struct writer w = { .out = out, .colon = ":", .comma = "," };

	switch (style) {
	case JSON_COMPACT:
		break;
	case JSON_INDENT2:
		w.indent = 2;
		w.colon = ": ";
		break;
	case JSON_INDENT4_ASCII:
		w.indent = 4;
		w.colon = ": ";
		w.ascii = true;
		break;
	case JSON_PYTHON:
		w.colon = ": ";
		w.comma = ", ";
		w.ascii = true;
		break;
	}
	write_node(&w, n, 0);
}

char *
json_text(const struct node *n, enum json_style style, size_t max,
    struct arena *a, struct error *e)
{
	AUTO_STRBUF struct strbuf b;
	char *text;

	strbuf_init(&b, max);
	json_write(&b, n, style);
	if (strbuf_check(&b, e) < 0)
		return NULL;
	text = strbuf_to_arena(&b, a);
	return arena_check(a, e) == 0 ? text : NULL;
}
