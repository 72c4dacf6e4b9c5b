/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See jailtext.h. Each is one pass over the bytes; a line of config.conf is
 *
 *	[*] key [+] : value		key: [A-Za-z0-9_.-], $name or ${name}
 *
 * with blanks between, and a column of it is a word, in which quotes group and
 * are removed, and a backslash takes the meaning from a quote or from itself.
 */
#include "daemon/jailtext.h"

#include <string.h>

#include "lib/base/num.h"
#include "lib/base/strbuf.h"
#include "lib/base/utf8.h"
#include "lib/data/node.h"
#include "lib/data/schema.h"

#define TEXT_MAX ((size_t)1 << 20)
#define REPLACED "\xef\xbf\xbd"
/* A word and its commas: more CPUs than any machine has. */
#define CPU_MAX 65535

struct piece {
	const char *p;
	size_t len;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Adds text with what is no text replaced. */
static void
add_clean(struct strbuf *b, const char *p, size_t len)
{
	size_t i = 0, n;

	while (i < len) {
		n = p[i] != '\0' ? utf8_char_len(p + i, len - i) : 0;
		if (n > 0)
			strbuf_add(b, p + i, n);
		else
			strbuf_adds(b, REPLACED);
		i += n > 0 ? n : 1;
	}
}

/* What was built, in the arena. */
static char *
take(struct strbuf *b, struct arena *a)
{
	char *ret = NULL;

	if (strbuf_check(b, NULL) == 0)
		ret = arena_strndup(a, b->buf, b->len);
	else
		/* Latches it. */
		(void)arena_alloc(a, SIZE_MAX);
	strbuf_fini(b);
	return ret;
}

/* The next line of *rest, without its end; false when there is none. */
static bool
next_line(struct piece *rest, struct piece *ret)
{
	const char *nl;

	if (rest->len == 0)
		return false;
	nl = memchr(rest->p, '\n', rest->len);
	ret->p = rest->p;
	ret->len = nl != NULL ? (size_t)(nl - rest->p) : rest->len;
	rest->p += ret->len + (nl != NULL);
	rest->len -= ret->len + (nl != NULL);
	if (ret->len > 0 && ret->p[ret->len - 1] == '\r')
		ret->len--;
	return true;
}

static void
skip_blanks(struct piece *s)
{
	while (s->len > 0 && is_blank(s->p[0])) {
		s->p++;
		s->len--;
	}
}

/* Skips one character, if it is this one. */
static bool
skip(struct piece *s, char c)
{
	if (s->len == 0 || s->p[0] != c)
		return false;
	s->p++;
	s->len--;
	return true;
}

static char *
collapse(struct arena *a, struct piece s)
{
	struct strbuf b;
	size_t n;

	strbuf_init(&b, 3 * TEXT_MAX);
	skip_blanks(&s);
	while (s.len > 0) {
		for (n = 0; n < s.len && !is_blank(s.p[n]); n++)
			;
		if (b.len > 0)
			strbuf_addc(&b, ' ');
		add_clean(&b, s.p, n);
		s.p += n;
		s.len -= n;
		skip_blanks(&s);
	}
	return take(&b, a);
}

char *
jailtext_line(struct arena *a, const char *text, size_t len)
{
	struct piece rest = { text, len }, line = { text, 0 };

	(void)next_line(&rest, &line);
	return collapse(a, line);
}

char *
jailtext_whole(struct arena *a, const char *text, size_t len)
{
	struct strbuf b;

	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len == 0)
		return NULL;
	strbuf_init(&b, 3 * TEXT_MAX);
	add_clean(&b, text, len);
	return take(&b, a);
}

/* Lines with a key */

static bool
is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

/* Whether the line has this key; then *line is its value. */
static bool
has_key(struct piece *line, const char *key)
{
	size_t n = 0, key_len = strlen(key);
	struct piece s = *line;

	skip_blanks(&s);
	if (s.len == 0 || s.p[0] == '#')
		return false;
	if (skip(&s, '*'))
		skip_blanks(&s);
	while (n < s.len && is_key_char(s.p[n]))
		n++;
	if (n != key_len || memcmp(s.p, key, n) != 0)
		return false;
	s.p += n;
	s.len -= n;
	skip_blanks(&s);
	if (skip(&s, '+'))
		skip_blanks(&s);
	if (!skip(&s, ':'))
		return false;
	skip_blanks(&s);
	*line = s;
	return true;
}

char *
jailtext_value(struct arena *a, const char *text, size_t len, const char *key)
{
	struct piece rest = { text, len }, line;

	while (next_line(&rest, &line))
		if (has_key(&line, key))
			return collapse(a, line);
	return NULL;
}

/* Adds the first column of *s, which begins with no blank, and skips it. */
static void
add_column(struct strbuf *b, struct piece *s)
{
	char quote = '\0', c;

	while (s->len > 0) {
		c = s->p[0];
		if (quote == '\0' && is_blank(c))
			return;
		if (c == '\\' && s->len > 1 &&
		    (s->p[1] == '\\' || s->p[1] == '"' || s->p[1] == '\'')) {
			strbuf_addc(b, s->p[1]);
			s->p++;
			s->len--;
		} else if (quote == '\0' && (c == '"' || c == '\'')) {
			quote = c;
		} else if (c == quote && quote != '\0') {
			quote = '\0';
		} else {
			strbuf_addc(b, c);
		}
		s->p++;
		s->len--;
	}
}

char *
jailtext_columns(struct arena *a, const char *text, size_t len, const char *key)
{
	struct piece rest = { text, len }, line;
	struct strbuf raw AUTO_STRBUF, b;
	bool first = true;

	strbuf_init(&raw, TEXT_MAX);
	while (next_line(&rest, &line)) {
		if (!has_key(&line, key))
			continue;
		while (line.len > 0) {
			if (!first)
				strbuf_addc(&raw, ',');
			first = false;
			add_column(&raw, &line);
			skip_blanks(&line);
		}
	}
	strbuf_init(&b, 3 * TEXT_MAX);
	if (strbuf_check(&raw, NULL) == 0)
		add_clean(&b, raw.buf, raw.len);
	else
		b.latch = raw.latch;
	return take(&b, a);
}

/* Outputs of commands */

/* Up to a newline or one of these; skipped in *rest. */
static bool
next_field(struct piece *rest, char sep, struct piece *ret)
{
	size_t n = 0;

	if (rest->len == 0)
		return false;
	while (n < rest->len && rest->p[n] != '\n' && rest->p[n] != sep)
		n++;
	ret->p = rest->p;
	ret->len = n;
	rest->p += n + (n < rest->len);
	rest->len -= n + (n < rest->len);
	skip_blanks(ret);
	while (ret->len > 0 &&
	    (is_blank(ret->p[ret->len - 1]) || ret->p[ret->len - 1] == '\r'))
		ret->len--;
	return true;
}

/* The number that this resource has in the text; false when it has none. */
static bool
find_usage(const char *text, size_t len, const char *name, int64_t *ret)
{
	struct piece rest = { text, len }, f;
	size_t n = strlen(name);
	uint64_t v;

	while (next_field(&rest, ',', &f)) {
		if (f.len <= n || memcmp(f.p, name, n) != 0 || f.p[n] != '=')
			continue;
		if (num_u64_len(f.p + n + 1, f.len - n - 1, 0, UINT64_MAX, &v,
			NULL) < 0)
			return false;
		*ret = v > INT64_MAX ? INT64_MAX : (int64_t)v;
		return true;
	}
	return false;
}

struct node *
jailtext_usage(struct arena *a, const char *text, size_t len,
    const struct schema_strs *keywords)
{
	struct node *map = node_new(a, NODE_MAP);
	int64_t v;

	for (size_t i = 0; i < keywords->n; i++)
		if (find_usage(text, len, keywords->items[i], &v))
			node_replace(
			    a, map, keywords->items[i], node_int(a, v));
	return map;
}

char *
jailtext_cpus(struct arena *a, const char *text, size_t len)
{
	struct piece rest = { text, len }, line = { text, 0 }, f;
	struct strbuf b;
	uint64_t v;

	(void)next_line(&rest, &line);
	strbuf_init(&b, TEXT_MAX);
	while (next_field(&line, ',', &f)) {
		if (num_u64_len(f.p, f.len, 0, CPU_MAX, &v, NULL) < 0) {
			strbuf_fini(&b);
			return NULL;
		}
		strbuf_addf(&b, "%s%u", b.len > 0 ? ", " : "", (unsigned)v);
	}
	if (b.len == 0) {
		strbuf_fini(&b);
		return NULL;
	}
	return take(&b, a);
}

/* Skips this word and the blanks after it. */
static bool
skip_word(struct piece *s, const char *word)
{
	size_t n = strlen(word);

	if (s->len <= n || memcmp(s->p, word, n) != 0 || !is_blank(s->p[n]))
		return false;
	s->p += n;
	s->len -= n;
	skip_blanks(s);
	return true;
}

char *
jailtext_osreldate(struct arena *a, const char *text, size_t len)
{
	struct piece rest = { text, len }, line;
	size_t n;

	while (next_line(&rest, &line)) {
		if (!skip_word(&line, "#define") ||
		    !skip_word(&line, "__FreeBSD_version"))
			continue;
		for (n = 0;
		     n < line.len && line.p[n] >= '0' && line.p[n] <= '9'; n++)
			;
		if (n > 0)
			return arena_strndup(a, line.p, n);
	}
	return NULL;
}
