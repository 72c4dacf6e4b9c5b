/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Strings, and the text of values: str() and repr().  Strings are UTF-8 that
 * is counted in characters; where all are ASCII, positions are bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/data/node.h"
#include "lib/data/tmpl_char.h"
#include "lib/data/tmpl_value_internal.h"

size_t
tmpl_count_chars(const char *s, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

struct tmpl_str *
tmpl_str_new(struct tmpl_run *r, size_t len, char **ret_s)
{
	struct tmpl_str *s;
	char *text;

	if (len > TMPL_OUT_MAX) {
		(void)tmpl_raise(r, TMPL_LIMIT, "a string of more than 16 MiB");
		return NULL;
	}
	if (tmpl_charge(r, len) == -1)
		return NULL;
	s = arena_alloc(r->a, sizeof(*s) + len + 1);
	if (s == NULL) {
		(void)tmpl_raise_nomem(r);
		return NULL;
	}
	text = (char *)(s + 1);
	text[len] = '\0';
	*s = (struct tmpl_str){ .s = text, .len = len };
	*ret_s = text;
	return s;
}

void
tmpl_str_done(struct tmpl_str *s, struct tmpl_value *ret)
{
	s->chars = tmpl_count_chars(s->s, s->len);
	*ret = tmpl_str_value(s);
}

struct tmpl_value
tmpl_str_value(const struct tmpl_str *s)
{
	return (struct tmpl_value){ .type = TMPL_STR, .u.str = s };
}

int
tmpl_str(struct tmpl_run *r, const char *s, size_t len, struct tmpl_value *ret)
{
	struct tmpl_str *str;
	char *text;

	str = tmpl_str_new(r, len, &text);
	if (str == NULL)
		return -1;
	if (len > 0)
		memcpy(text, s, len);
	tmpl_str_done(str, ret);
	return 0;
}

int
tmpl_str_keep(
    struct tmpl_run *r, const char *s, size_t len, struct tmpl_value *ret)
{
	struct tmpl_str *str;

	str = arena_alloc(r->a, sizeof(*str));
	if (str == NULL)
		return tmpl_raise_nomem(r);
	*str = (struct tmpl_str){ .s = s, .len = len };
	tmpl_str_done(str, ret);
	return 0;
}

void
tmpl_buf_init(struct strbuf *b)
{
	strbuf_init(b, TMPL_OUT_MAX);
}

int
tmpl_check(struct tmpl_run *r, const struct strbuf *b)
{
	if (b->latch == OVE_NONE)
		return 0;
	if (b->latch == OVE_LIMIT)
		return tmpl_raise(
		    r, TMPL_LIMIT, "a string of more than 16 MiB");
	return tmpl_raise(r, TMPL_MEMORY_ERROR, "out of memory");
}

int
tmpl_str_take(
    struct tmpl_run *r, const struct strbuf *out, struct tmpl_value *ret)
{
	if (tmpl_check(r, out) == -1)
		return -1;
	return tmpl_str(r, out->buf, out->len, ret);
}

size_t
tmpl_str_offset(const struct tmpl_str *s, size_t i)
{
	size_t at;

	if (s->chars == s->len || i == 0)
		return i;
	if (i >= s->chars)
		return s->len;
	for (at = 0; i > 0; i--)
		at += tmpl_char_len(s->s + at);
	return at;
}

/*
 * repr().  Containers show their items, so it goes into itself; a list that is
 * within itself is shown as Python does.
 */

struct repr {
	struct tmpl_run *r;
	struct strbuf *out;
	/* What is being shown around. */
	const void *open[TMPL_VALUE_NEST_MAX];
	unsigned n;
	/* What is undefined is shown as something, too. */
	bool for_fault;
};

static int repr(struct repr *p, struct tmpl_value v);

static void
repr_char(struct strbuf *out, uint32_t c, const char *s, size_t len, char quote)
{
	static const char plain[] = "\\\n\r\t";
	static const char letter[] = "\\nrt";
	const char *hit;

	hit = c > 0 && c < 0x80 ? strchr(plain, (int)c) : NULL;
	if (hit != NULL && *hit != '\0')
		strbuf_addf(out, "\\%c", letter[hit - plain]);
	else if (c == (unsigned char)quote)
		strbuf_addf(out, "\\%c", quote);
	else if (tmpl_char_is(c, TMPL_CHAR_PRINT))
		strbuf_add(out, s, len);
	else if (c < 0x100)
		strbuf_addf(out, "\\x%02x", (unsigned)c);
	else if (c < 0x10000)
		strbuf_addf(out, "\\u%04x", (unsigned)c);
	else
		strbuf_addf(out, "\\U%08x", (unsigned)c);
}

static void
repr_str(struct strbuf *out, const struct tmpl_str *s)
{
	char quote = '\'';
	size_t i, len;

	if (memchr(s->s, '\'', s->len) != NULL &&
	    memchr(s->s, '"', s->len) == NULL)
		quote = '"';
	strbuf_addc(out, quote);
	for (i = 0; i < s->len && out->latch == OVE_NONE; i += len) {
		len = tmpl_char_len(s->s + i);
		repr_char(out, tmpl_char_at(s->s + i), s->s + i, len, quote);
	}
	strbuf_addc(out, quote);
}

static int
repr_items(struct repr *p, const struct tmpl_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (i > 0)
			strbuf_adds(p->out, ", ");
		if (repr(p, l->items[i]) == -1)
			return -1;
	}
	return 0;
}

static int
repr_list(struct repr *p, struct tmpl_value v)
{
	bool tuple = v.type == TMPL_TUPLE;

	strbuf_addc(p->out, tuple ? '(' : '[');
	if (repr_items(p, v.u.list) == -1)
		return -1;
	if (tuple && v.u.list->n == 1)
		strbuf_addc(p->out, ',');
	strbuf_addc(p->out, tuple ? ')' : ']');
	return 0;
}

/* A dict's items as {k: v}, or as one of its views. */
static int
repr_entries(struct repr *p, struct tmpl_dict *d, const char *key_end,
    bool keys, bool values)
{
	struct tmpl_entry *entry;
	size_t i = 0, n = 0;
	bool pairs = keys && values && key_end[0] == ',';

	while ((entry = tmpl_dict_next(d, &i)) != NULL) {
		strbuf_adds(p->out, n++ > 0 ? ", " : "");
		strbuf_adds(p->out, pairs ? "(" : "");
		if (keys && repr(p, entry->key) == -1)
			return -1;
		strbuf_adds(p->out, keys && values ? key_end : "");
		if (values && repr(p, entry->v) == -1)
			return -1;
		strbuf_adds(p->out, pairs ? ")" : "");
	}
	return 0;
}

static int
repr_dict(struct repr *p, struct tmpl_value v)
{
	strbuf_addc(p->out, '{');
	if (repr_entries(p, v.u.dict, ": ", true, true) == -1)
		return -1;
	strbuf_addc(p->out, '}');
	return 0;
}

static int
repr_view(struct repr *p, struct tmpl_value v)
{
	const struct tmpl_view *view = v.u.view;

	strbuf_addf(p->out, "%s([", tmpl_type_name(v));
	if (repr_entries(p, view->dict, ", ", view->kind != TMPL_VALUES,
		view->kind != TMPL_KEYS) == -1)
		return -1;
	strbuf_adds(p->out, "])");
	return 0;
}

/* Shows what has items, unless it is being shown already. */
static int
repr_nested(struct repr *p, struct tmpl_value v)
{
	const void *self;
	unsigned i;
	int rc;

	self = v.type == TMPL_VIEW ? v.u.view->dict : (void *)v.u.list;
	for (i = 0; i < p->n; i++) {
		if (p->open[i] == self && v.type != TMPL_VIEW) {
			strbuf_adds(p->out,
			    v.type == TMPL_DICT       ? "{...}"
				: v.type == TMPL_LIST ? "[...]"
						      : "(...)");
			return 0;
		}
	}
	if (p->n == ARRAY_LEN(p->open))
		return tmpl_raise(p->r, TMPL_RECURSION_ERROR,
		    "maximum recursion depth exceeded");
	p->open[p->n++] = self;
	if (v.type == TMPL_DICT)
		rc = repr_dict(p, v);
	else if (v.type == TMPL_VIEW)
		rc = repr_view(p, v);
	else
		rc = repr_list(p, v);
	p->n--;
	return rc;
}

static int
repr_undefined(struct tmpl_run *r, struct tmpl_value v)
{
	return tmpl_raise_of(r, v, TMPL_NAME_ERROR, "Undefined");
}

static int
repr_exc(struct repr *p, const struct tmpl_fault *f)
{
	struct tmpl_value text;

	strbuf_addf(p->out, "%s(", tmpl_class_name(f->class));
	/* A KeyError's message is a repr() already. */
	if (f->class == TMPL_KEY_ERROR) {
		strbuf_adds(p->out, f->message);
	} else if (f->message[0] != '\0') {
		if (tmpl_str(p->r, f->message, strlen(f->message), &text) == -1)
			return -1;
		repr_str(p->out, text.u.str);
	}
	strbuf_addc(p->out, ')');
	return 0;
}

static void
repr_range(struct strbuf *out, const struct tmpl_range *g)
{
	strbuf_addf(out, "range(%" PRId64 ", %" PRId64, g->start, g->stop);
	if (g->step != 1)
		strbuf_addf(out, ", %" PRId64, g->step);
	strbuf_addc(out, ')');
}

static int
repr(struct repr *p, struct tmpl_value v)
{
	char buf[NODE_FLOAT_LEN];

	if (tmpl_charge(p->r, TMPL_STEP) == -1)
		return -1;
	switch (v.type) {
	case TMPL_NONE:
		strbuf_adds(p->out, "None");
		break;
	case TMPL_BOOL:
		strbuf_adds(p->out, v.u.b ? "True" : "False");
		break;
	case TMPL_INT:
		strbuf_addf(p->out, "%" PRId64, v.u.i);
		break;
	case TMPL_FLOAT:
		strbuf_adds(p->out, node_float_text(v.u.f, buf));
		break;
	case TMPL_STR:
		if (tmpl_charge(p->r, v.u.str->len) == -1)
			return -1;
		repr_str(p->out, v.u.str);
		break;
	case TMPL_LIST:
	case TMPL_TUPLE:
	case TMPL_DICT:
	case TMPL_VIEW:
		if (repr_nested(p, v) == -1)
			return -1;
		break;
	case TMPL_RANGE:
		repr_range(p->out, v.u.range);
		break;
	case TMPL_EXC:
		return repr_exc(p, v.u.exc);
	case TMPL_UNDEFINED:
		if (!p->for_fault)
			return repr_undefined(p->r, v);
		strbuf_adds(p->out, "Undefined");
		break;
	case TMPL_ITER:
	case TMPL_LOOP:
	case TMPL_DEF:
		return tmpl_unsupported(
		    p->r, "the text of '%s'", tmpl_type_name(v));
	}
	return tmpl_check(p->r, p->out);
}

static int
repr_from_top(
    struct tmpl_run *r, struct tmpl_value v, struct strbuf *out, bool for_fault)
{
	struct repr p;

	p.r = r;
	p.out = out;
	p.n = 0;
	p.for_fault = for_fault;
	return repr(&p, v);
}

int
tmpl_repr(struct tmpl_run *r, struct tmpl_value v, struct strbuf *out)
{
	return repr_from_top(r, v, out, false);
}

int
tmpl_repr_for_fault(struct tmpl_run *r, struct tmpl_value v, struct strbuf *out)
{
	return repr_from_top(r, v, out, true);
}

int
tmpl_add_str(struct tmpl_run *r, struct tmpl_value v, struct strbuf *out)
{
	if (v.type == TMPL_STR) {
		if (tmpl_charge(r, v.u.str->len) == -1)
			return -1;
		strbuf_add(out, v.u.str->s, v.u.str->len);
	} else if (v.type == TMPL_EXC) {
		strbuf_adds(out, v.u.exc->message);
	} else {
		return tmpl_repr(r, v, out);
	}
	return tmpl_check(r, out);
}

int
tmpl_to_str(
    struct tmpl_run *r, struct tmpl_value v, const struct tmpl_str **ret)
{
	struct strbuf AUTO_STRBUF out;
	struct tmpl_value text;

	tmpl_buf_init(&out);
	if (v.type == TMPL_STR) {
		*ret = v.u.str;
		return 0;
	}
	if (tmpl_add_str(r, v, &out) == -1 ||
	    tmpl_str_take(r, &out, &text) == -1)
		return -1;
	*ret = text.u.str;
	return 0;
}
