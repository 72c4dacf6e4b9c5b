/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Where a fault stands in the text and in the tree, and libyaml's own words for
 * faults of syntax in ours.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/strbuf.h"
#include "lib/base/utf8.h"
#include "lib/data/yaml_internal.h"

#define PATH_MAX_LEN 4096

/* Positions and paths */

struct diag_pos
yaml_pos(const yaml_mark_t *m)
{
	return (
	    struct diag_pos){ (unsigned)m->line + 1, (unsigned)m->column + 1 };
}

static void
add_key(struct strbuf *b, const struct node *key)
{
	char buf[NODE_FLOAT_LEN];
	const char *text;

	text = node_scalar_text(key, buf);
	if (text == NULL)
		text = "?";
	if (b->len > 0)
		strbuf_addc(b, '.');
	if (text[0] == '\0' || strpbrk(text, ". ") != NULL)
		strbuf_addf(b, "\"%s\"", text);
	else
		strbuf_adds(b, text);
}

/* "datacenters.main.list[2]": where the next node will go. */
void
yaml_here(const struct yaml_reader *r, struct strbuf *b)
{
	const struct yaml_frame *f;
	unsigned i;

	strbuf_init(b, PATH_MAX_LEN);
	for (i = 0; i < r->depth; i++) {
		f = &r->frames[i];
		if (f->node->type == NODE_LIST)
			strbuf_addf(b, "[%zu]", f->node->u.list.n);
		else if (f->key != NULL)
			add_key(b, f->key);
	}
}

void
yaml_fault(struct yaml_reader *r, struct diag_pos pos, const char *rule,
    const char *hint, const char *fmt, ...)
{
	AUTO_STRBUF struct strbuf path;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	yaml_here(r, &path);
	diag_error(r->d, pos, rule, path.buf, hint, "%s", text);
}

/* Faults of syntax */

static const struct problem {
	const char *theirs;
	const char *ours;
	/* The position is that of the construct that began before. */
	bool at_context;
} problems[] = {
	{ "found a tab character that violates indentation",
	    "found a tab where indentation was expected", false },
	{ "found a tab character where an indentation space is expected",
	    "found a tab where indentation was expected", false },
	{ "mapping values are not allowed in this context",
	    "found ':' where no key can stand; a text with ': ' needs quotes",
	    false },
	{ "mapping keys are not allowed in this context",
	    "found '?' where no key can stand", false },
	{ "block sequence entries are not allowed in this context",
	    "found '-' where no list can begin", false },
	{ "could not find expected ':'", "found no ':' behind this key", true },
	{ "did not find expected key",
	    "found something that is no key of the mapping at this "
	    "indentation",
	    false },
	{ "did not find expected '-' indicator",
	    "found something that is no item of the list at this indentation",
	    false },
	{ "did not find expected ',' or ']'",
	    "expected ',' or ']' in a list in brackets", false },
	{ "did not find expected ',' or '}'",
	    "expected ',' or '}' in a mapping in braces", false },
	{ "did not find expected node content", "expected a value", false },
	{ "did not find expected <document start>",
	    "found text behind the end of the document", false },
	{ "found unexpected end of stream",
	    "the quote opened here is not closed", true },
	{ "found unexpected document indicator",
	    "the quote opened here is not closed", true },
	{ "found an indentation indicator equal to 0",
	    "the indentation of a block text must be 1 to 9", false },
	{ "did not find expected comment or line break",
	    "found text behind the '|' or '>' of a block text", false },
	{ "found undefined tag handle", "the tag has no known handle", false },
};

/* The character at an index that libyaml counted in characters: its bytes, and
 * their number, 0 when there is none that can be shown. */
static const char *
char_at(const char *text, size_t len, size_t index, size_t *ret)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (((unsigned char)text[i] & 0xc0) == 0x80)
			continue;
		if (index-- == 0)
			break;
	}
	*ret = utf8_print_len(text + i, len - i);
	return text + i;
}

/* Faults that name a character of the text; false for any other. */
static bool
character_fault(struct yaml_reader *r, struct diag_pos pos, const char *theirs,
    const char *text, size_t len)
{
	size_t index = r->parser.problem_mark.index, n;
	const char *c;

	if (strcmp(theirs, "found character that cannot start any token") ==
	    0) {
		c = char_at(text, len, index, &n);
		if (c < text + len && *c == '\t')
			diag_error(r->d, pos, "yaml-syntax", NULL, NULL,
			    "not YAML: found a tab where indentation was "
			    "expected");
		else
			diag_error(r->d, pos, "yaml-syntax", NULL,
			    "put it in quotes",
			    "not YAML: a value cannot begin with '%.*s'",
			    (int)n, c);
		return true;
	}
	if (strcmp(theirs, "found unknown escape character") == 0) {
		c = char_at(text, len, index, &n);
		if (n == 1 && *c == '\\')
			c = char_at(text, len, index + 1, &n);
		diag_error(r->d, pos, "yaml-syntax", NULL,
		    "double the backslash, or use single quotes",
		    "not YAML: '\\%.*s' is not an escape", (int)n, c);
		return true;
	}
	return false;
}

void
yaml_syntax_fault(struct yaml_reader *r, const char *text, size_t len)
{
	const yaml_parser_t *p = &r->parser;
	const char *theirs, *context;
	struct diag_pos pos;
	size_t i;

	theirs = p->problem != NULL ? p->problem : "syntax";
	pos = yaml_pos(&p->problem_mark);
	for (i = 0; i < ARRAY_LEN(problems); i++) {
		if (strcmp(problems[i].theirs, theirs) != 0)
			continue;
		if (problems[i].at_context && p->context != NULL)
			pos = yaml_pos(&p->context_mark);
		diag_error(r->d, pos, "yaml-syntax", NULL, NULL, "not YAML: %s",
		    problems[i].ours);
		return;
	}
	if (character_fault(r, pos, theirs, text, len))
		return;
	context = p->context != NULL ? p->context : "reading it";
	diag_error(r->d, pos, "yaml-syntax", NULL, NULL, "not YAML: %s: %s",
	    context, theirs);
}

/* A reader's fault has an offset in bytes only. */
void
yaml_encoding_fault(struct yaml_reader *r, const char *text, size_t len)
{
	const yaml_parser_t *p = &r->parser;
	struct diag_pos pos = { 1, 1 };
	size_t i;

	for (i = 0; i < len && i < p->problem_offset; i++) {
		if (text[i] == '\n' ||
		    (text[i] == '\r' &&
			!(i + 1 < len && text[i + 1] == '\n'))) {
			pos.line++;
			pos.col = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			pos.col++;
		}
	}
	if (p->problem != NULL &&
	    strcmp(p->problem, "control characters are not allowed") == 0)
		diag_error(r->d, pos, "yaml-encoding", NULL, NULL,
		    "not YAML: the character U+%04X is not allowed",
		    (unsigned)p->problem_value);
	else
		diag_error(r->d, pos, "yaml-encoding", NULL, NULL,
		    "not YAML: the text is not UTF-8 (byte \\x%02x)",
		    i < len ? (unsigned char)text[i] : 0);
}
