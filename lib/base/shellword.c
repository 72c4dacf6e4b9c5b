/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The rules are those of Python's shlex in POSIX mode, which files were written
 * for: a backslash in double quotes escapes only a double quote and itself, and
 * a line break behind a backslash stays.
 */
#include "lib/base/shellword.h"

#include <string.h>

#define BLANKS " \t\r\n"
#define PLAIN                                                                  \
  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+="        \
  ":,./-"

void
shellword_quote(struct strbuf *out, const char *s)
{
	if (*s != '\0' && s[strspn(s, PLAIN)] == '\0') {
		strbuf_adds(out, s);
		return;
	}
	strbuf_addc(out, '\'');
	for (; *s != '\0'; s++)
		if (*s == '\'')
			strbuf_adds(out, "'\"'\"'");
		else
			strbuf_addc(out, *s);
	strbuf_addc(out, '\'');
}

/* Takes the quotes and what is between them; the place behind, or NULL. */
static const char *
take_quoted(const char *p, char **out)
{
	char quote = *p++;

	for (; *p != quote; p++) {
		if (*p == '\0')
			return NULL;
		if (quote == '"' && *p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		*(*out)++ = *p;
	}
	return p + 1;
}

/* Takes the word at p, which is no blank; the place behind, or NULL. */
static const char *
take_word(const char *p, char **out, struct error *e)
{
	while (*p != '\0' && strchr(BLANKS, *p) == NULL) {
		if (*p == '\'' || *p == '"') {
			p = take_quoted(p, out);
			if (p == NULL) {
				(void)error_set(
				    e, OVE_INVALID, "No closing quotation");
				return NULL;
			}
			continue;
		}
		if (*p == '\\' && *++p == '\0') {
			(void)error_set(e, OVE_INVALID, "No escaped character");
			return NULL;
		}
		*(*out)++ = *p++;
	}
	*(*out)++ = '\0';
	return p;
}

int
shellword_split(const char *text, struct arena *a, const char *const **ret,
    size_t *ret_n, struct error *e)
{
	size_t len = strlen(text), n = 0;
	/* A word is no longer than what it is taken from, its end takes the
	 * place of a blank. */
	char *out = arena_alloc(a, len + 1);
	const char **words = arena_calloc(a, len / 2 + 2, sizeof(*words));
	const char *p = text + strspn(text, BLANKS);

	if (out == NULL || words == NULL)
		return arena_check(a, e);
	while (*p != '\0') {
		words[n++] = out;
		p = take_word(p, &out, e);
		if (p == NULL)
			return -1;
		p += strspn(p, BLANKS);
	}
	*ret = words;
	*ret_n = n;
	return 0;
}
