/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Mako tries its constructs in a fixed order at each place and takes what is
 * none of them as text.  matchers[] is that order; each matcher gives a token,
 * skips something, or leaves the place alone.  What looks like a construct
 * where text stops and is none loses its first character, as in Mako ("</%>"
 * writes "/%>").
 */
#include "lib/data/tmpl_lex.h"

#include <string.h>

/* Of a closing tag; what is longer is text. */
#define NAME_MAX 256

void
tmpl_lexer_init(struct tmpl_lexer *lx, const char *s, size_t len)
{
	memset(lx, 0, sizeof(*lx));
	lx->s = s;
	lx->len = len;
	lx->mark_pos = (struct tmpl_pos){ .line = 1, .col = 1 };
}

/* Positions are asked for from the first to the last. */
static struct tmpl_pos
pos_of(struct tmpl_lexer *lx, size_t at)
{
	lx->mark_pos = tmpl_pos_behind(
	    lx->mark_pos, lx->s + lx->mark, at > lx->mark ? at - lx->mark : 0);
	lx->mark = at > lx->mark ? at : lx->mark;
	return lx->mark_pos;
}

static struct tmpl_piece
piece(struct tmpl_lexer *lx, size_t at, size_t end)
{
	return (struct tmpl_piece){
		.s = lx->s + at, .len = end - at, .pos = pos_of(lx, at)
	};
}

bool
tmpl_is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || ((unsigned char)c & 0x80);
}

bool
tmpl_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

static bool
is_at(const struct tmpl_lexer *lx, size_t at, const char *word)
{
	size_t n = strlen(word);

	return lx->len - at >= n && memcmp(lx->s + at, word, n) == 0;
}

static size_t
skip_tabs(const struct tmpl_lexer *lx, size_t at)
{
	while (at < lx->len && (lx->s[at] == ' ' || lx->s[at] == '\t'))
		at++;
	return at;
}

static size_t
skip_blanks(const struct tmpl_lexer *lx, size_t at)
{
	while (at < lx->len && tmpl_is_blank(lx->s[at]))
		at++;
	return at;
}

/* Bytes of the line end at `at`: 0, 1 or 2. */
static size_t
line_end(const struct tmpl_lexer *lx, size_t at)
{
	return is_at(lx, at, "\n") ? 1 : is_at(lx, at, "\r\n") ? 2 : 0;
}

/* Bytes of a backslash and the line end behind it. */
static size_t
escaped_end(const struct tmpl_lexer *lx, size_t at)
{
	size_t n = is_at(lx, at, "\\") ? line_end(lx, at + 1) : 0;

	return n > 0 ? n + 1 : 0;
}

static bool
is_line_start(const struct tmpl_lexer *lx, size_t at)
{
	return at == 0 || lx->s[at - 1] == '\n';
}

/* Where word is, from `at` on; SIZE_MAX: nowhere. */
static size_t
find(const struct tmpl_lexer *lx, size_t at, const char *word)
{
	size_t n = strlen(word);

	for (; at + n <= lx->len; at++) {
		const char *p = memchr(lx->s + at, word[0], lx->len - at);

		if (p == NULL)
			break;
		at = (size_t)(p - lx->s);
		if (is_at(lx, at, word))
			return at;
	}
	return SIZE_MAX;
}

enum match {
	MATCH_FAULT = -1,
	/* It is not this. */
	MATCH_NONE,
	MATCH_SKIPPED,
	MATCH_TOKEN,
};

typedef enum match match_fn(
    struct tmpl_lexer *lx, struct tmpl_token *t, struct tmpl_fault *f);

static enum match
unterminated(
    const struct tmpl_token *t, const char *message, struct tmpl_fault *f)
{
	*f = (struct tmpl_fault){ .class = TMPL_SYNTAX_EXCEPTION,
		.pos = t->pos,
		.message = message };
	return MATCH_FAULT;
}

static enum match
match_output(struct tmpl_lexer *lx, struct tmpl_token *t, struct tmpl_fault *f)
{
	static const char message[] =
	    "Expected: \\|,}; unterminated tag or expression beginning";
	size_t at = lx->at + 2, n;

	if (!is_at(lx, lx->at, "${"))
		return MATCH_NONE;
	t->type = TMPL_TOKEN_OUTPUT;
	n = tmpl_scan_end(lx->s + at, lx->len - at, "|}");
	if (n == TMPL_NO_END)
		return unterminated(t, message, f);
	t->s = piece(lx, at, at + n);
	at += n + 1;
	if (lx->s[at - 1] == '|') {
		n = tmpl_scan_end(lx->s + at, lx->len - at, "}");
		if (n == TMPL_NO_END)
			return unterminated(t,
			    "Expected: }; unterminated tag or expression "
			    "beginning",
			    f);
		t->rest = piece(lx, at, at + n);
		at += n + 1;
	}
	lx->at = at;
	return MATCH_TOKEN;
}

/* A control line, or a comment. */
static enum match
match_control(struct tmpl_lexer *lx, struct tmpl_token *t, struct tmpl_fault *f)
{
	size_t at = skip_tabs(lx, lx->at), start, n;
	bool is_comment = is_at(lx, at, "##");

	(void)f;
	if (!is_line_start(lx, lx->at) ||
	    !(is_comment || (is_at(lx, at, "%") && !is_at(lx, at, "%%"))))
		return MATCH_NONE;
	start = at = skip_tabs(lx, at + (is_comment ? 2 : 1));
	while (at < lx->len && line_end(lx, at) == 0) {
		n = escaped_end(lx, at);
		if (lx->s[at] == '\r')
			return MATCH_NONE;
		at += n > 0 ? n : 1;
	}
	lx->at = at + line_end(lx, at);
	if (is_comment)
		return MATCH_SKIPPED;
	t->type = TMPL_TOKEN_CONTROL;
	t->s = piece(lx, start, at);
	return MATCH_TOKEN;
}

static enum match
match_doc(struct tmpl_lexer *lx, struct tmpl_token *t, struct tmpl_fault *f)
{
	size_t end;

	(void)t;
	(void)f;
	if (!is_at(lx, lx->at, "<%doc>"))
		return MATCH_NONE;
	end = find(lx, lx->at + strlen("<%doc>"), "</%doc>");
	if (end == SIZE_MAX)
		return MATCH_NONE;
	lx->at = end + strlen("</%doc>");
	return MATCH_SKIPPED;
}

/* Behind a tag's attributes: words that have blanks before them, quoted
 * values, equal signs, commas. */
static size_t
skip_attributes(const struct tmpl_lexer *lx, size_t at)
{
	bool was_sign = false;

	for (;;) {
		size_t next = skip_blanks(lx, at);
		char c = next < lx->len ? lx->s[next] : '\0';
		const char *p;

		if (c == '=' || c == ',') {
			was_sign = true;
			at = next + 1;
			continue;
		}
		if ((c == '"' || c == '\'') && (next == at || was_sign)) {
			p = memchr(lx->s + next + 1, c, lx->len - next - 1);
			if (p == NULL)
				return at;
			at = (size_t)(p - lx->s) + 1;
		} else if (tmpl_is_word(c) && next > at) {
			for (at = next; at < lx->len && tmpl_is_word(lx->s[at]);
			     at++)
				continue;
		} else {
			return at;
		}
		was_sign = false;
	}
}

static enum match
match_tag(struct tmpl_lexer *lx, struct tmpl_token *t, struct tmpl_fault *f)
{
	size_t name = lx->at + 2, behind = name, end, at;

	(void)f;
	if (!is_at(lx, lx->at, "<%"))
		return MATCH_NONE;
	while (behind < lx->len &&
	    (tmpl_is_word(lx->s[behind]) || lx->s[behind] == '.' ||
		lx->s[behind] == ':'))
		behind++;
	if (behind == name)
		return MATCH_NONE;
	end = skip_attributes(lx, behind);
	at = skip_blanks(lx, end);
	t->is_closed = is_at(lx, at, "/");
	at += t->is_closed;
	if (!is_at(lx, at, ">"))
		return MATCH_NONE;
	t->type = TMPL_TOKEN_TAG;
	t->s = piece(lx, name, behind);
	t->rest = piece(lx, behind, end);
	lx->at = at + 1;
	return MATCH_TOKEN;
}

static enum match
match_tag_end(struct tmpl_lexer *lx, struct tmpl_token *t, struct tmpl_fault *f)
{
	size_t start, at, end;

	(void)f;
	if (!is_at(lx, lx->at, "</%"))
		return MATCH_NONE;
	start = skip_tabs(lx, lx->at + 3);
	for (at = start + 1; at < lx->len && at - start < NAME_MAX; at++) {
		end = skip_tabs(lx, at);
		if (is_at(lx, end, ">")) {
			t->type = TMPL_TOKEN_TAG_END;
			t->s = piece(lx, start, at);
			lx->at = end + 1;
			return MATCH_TOKEN;
		}
		if (end > at)
			break;
	}
	return MATCH_NONE;
}

static enum match
match_code(struct tmpl_lexer *lx, struct tmpl_token *t, struct tmpl_fault *f)
{
	size_t at = lx->at + 2, n;

	if (!is_at(lx, lx->at, "<%"))
		return MATCH_NONE;
	t->type = TMPL_TOKEN_CODE;
	t->is_module = is_at(lx, at, "!");
	at += t->is_module;
	n = tmpl_scan_block_end(lx->s + at, lx->len - at);
	if (n == TMPL_NO_END)
		return unterminated(t,
		    "Expected: %>; unterminated tag or expression beginning",
		    f);
	t->s = piece(lx, at, at + n);
	lx->at = at + n + strlen("%>");
	return MATCH_TOKEN;
}

/* %% at the begin of a line: the first one goes. */
static enum match
match_percent(struct tmpl_lexer *lx, struct tmpl_token *t, struct tmpl_fault *f)
{
	size_t start = lx->at, at = skip_blanks(lx, start);

	(void)f;
	if (!is_line_start(lx, start) || !is_at(lx, at, "%%"))
		return MATCH_NONE;
	lx->at = at + 1;
	if (at == start)
		return MATCH_SKIPPED;
	t->type = TMPL_TOKEN_TEXT;
	t->s = piece(lx, start, at);
	return MATCH_TOKEN;
}

static bool
is_text_end(const struct tmpl_lexer *lx, size_t at)
{
	size_t next;

	if (is_at(lx, at, "${") || is_at(lx, at, "<%") || is_at(lx, at, "</%"))
		return true;
	if (at == 0 || lx->s[at - 1] != '\n')
		return false;
	next = skip_tabs(lx, at);
	return is_at(lx, next, "%") || is_at(lx, next, "##");
}

static enum match
match_text(struct tmpl_lexer *lx, struct tmpl_token *t, struct tmpl_fault *f)
{
	size_t start = lx->at, at = start, n = 0;

	(void)f;
	while (at < lx->len && !is_text_end(lx, at) &&
	    (n = escaped_end(lx, at)) == 0)
		at++;
	if (at == start) {
		lx->at = at + (n > 0 ? n : 1);
		return MATCH_SKIPPED;
	}
	t->type = TMPL_TOKEN_TEXT;
	t->s = piece(lx, start, at);
	lx->at = at + n;
	return MATCH_TOKEN;
}

/* In Mako's order. */
static match_fn *const matchers[] = { match_output, match_control, match_doc,
	match_tag, match_tag_end, match_code, match_percent, match_text };

/* Behind the first line, if that tells an encoding. */
static size_t
skip_coding(const struct tmpl_lexer *lx)
{
	size_t eol = find(lx, 0, "\n"), at = 0, word;

	if (!is_at(lx, 0, "#") || eol == SIZE_MAX)
		return 0;
	while ((at = find(lx, at, "coding")) < eol) {
		at += strlen("coding");
		if (!is_at(lx, at, ":") && !is_at(lx, at, "="))
			continue;
		word = skip_blanks(lx, at + 1);
		if (word < lx->len &&
		    (tmpl_is_word(lx->s[word]) || lx->s[word] == '-' ||
			lx->s[word] == '.')) {
			eol = find(lx, word, "\n");
			return eol == SIZE_MAX ? 0 : eol + 1;
		}
	}
	return 0;
}

int
tmpl_lexer_next(
    struct tmpl_lexer *lx, struct tmpl_token *ret, struct tmpl_fault *f)
{
	enum match m = MATCH_SKIPPED;

	if (lx->at == 0)
		lx->at = skip_coding(lx);
	while (lx->at < lx->len) {
		for (size_t i = 0; i < ARRAY_LEN(matchers); i++) {
			memset(ret, 0, sizeof(*ret));
			ret->pos = pos_of(lx, lx->at);
			m = matchers[i](lx, ret, f);
			if (m != MATCH_NONE)
				break;
		}
		if (m == MATCH_FAULT)
			return -1;
		if (m == MATCH_TOKEN)
			return 0;
	}
	memset(ret, 0, sizeof(*ret));
	ret->pos = pos_of(lx, lx->len);
	return 0;
}

bool
tmpl_lexer_raw(struct tmpl_lexer *lx, struct tmpl_piece *ret)
{
	size_t end = find(lx, lx->at, "</%text>");

	if (end == SIZE_MAX)
		return false;
	*ret = piece(lx, lx->at, end);
	lx->at = end;
	return true;
}
