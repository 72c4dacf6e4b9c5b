/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord.yml.sample, from the table: every option with its doc line and its
 * default, all of it commented out. Taking the first '#' off each line gives a
 * file that loads, and the test does so. Options whose default depends on the
 * machine show their example, or stay without a value.
 */

#include "proto/config.h"

#include <string.h>

static const char head[] =
    "# overlord.yml: what overlordd and 'overlord gen-token' read. See\n"
    "# overlord.yml(5). Everything is optional; what is shown is the default,\n"
    "# or an example where there is none. Values may use the environment:\n"
    "# !ENV '${NAME:default}'.\n"
    "#\n"
    "# STATEDIR is the value of statedir, RUNDIR that of rundir.\n";

static void
add_line(struct strbuf *b, int depth, const char *text)
{
	strbuf_addf(b, "#%*s%s\n", depth * 2, "", text);
}

/* Doc lines: wrapped, as comments of the file that is inside the comment. */
static void
add_doc(struct strbuf *b, int depth, const char *doc)
{
	size_t room = 74 - (size_t)depth * 2, len;

	while (doc != NULL && *doc != '\0') {
		len = strlen(doc);
		if (len > room) {
			for (len = room; len > 0 && doc[len] != ' '; len--)
				continue;
			if (len == 0)
				len = strcspn(doc, " ");
		}
		strbuf_addf(b, "#%*s# %.*s\n", depth * 2, "", (int)len, doc);
		doc += len;
		while (*doc == ' ')
			doc++;
	}
}

/* A text that YAML would take for something else goes into quotes. */
static bool
needs_quotes(const char *s)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on",
		"off", "null" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], s) == 0)
			return true;
	}
	return *s == '\0' || strspn(s, "0123456789.:-+_") == strlen(s) ||
	    strchr("!&*?|>@`%{}[],#'\"~ ", *s) != NULL ||
	    strstr(s, ": ") != NULL;
}

static void
add_default(struct strbuf *b, const struct schema_row *r)
{
	const char *p, *end;

	if (r->type != SCHEMA_LIST) {
		strbuf_addf(b,
		    r->type == SCHEMA_STR && needs_quotes(r->def) ? "'%s'"
								  : "%s",
		    r->def);
		return;
	}
	strbuf_addc(b, '[');
	for (p = r->def;; p = end + 1) {
		end = p + strcspn(p, ",");
		strbuf_addf(b,
		    r->elem->type == SCHEMA_STR && needs_quotes(p) ? "'%.*s'"
								   : "%.*s",
		    (int)(end - p), p);
		if (*end == '\0')
			break;
		strbuf_adds(b, ", ");
	}
	strbuf_addc(b, ']');
}

static void add_table(struct strbuf *b, const struct schema *s, int depth);

static void
add_row(struct strbuf *b, const struct schema_row *r, int depth)
{
	const char *dot = strrchr(r->key, '.'), *p;
	const char *name = dot != NULL ? dot + 1 : r->key;

	for (p = r->key; (p = strchr(p, '.')) != NULL; p++)
		depth++;
	if (depth == 0)
		strbuf_addc(b, '\n');
	add_doc(b, depth, r->doc);
	strbuf_addf(b, "#%*s%s:", depth * 2, "", name);
	if (r->type == SCHEMA_GROUP || r->type == SCHEMA_STRUCT) {
		strbuf_addc(b, '\n');
	} else if (r->type == SCHEMA_MAP && r->elem->sub != NULL) {
		strbuf_addc(b, '\n');
		add_line(b, depth + 1,
		    strcmp(name, "etcd") == 0 ? "localhost:" : "alpha:");
		add_table(b, r->elem->sub, depth + 2);
	} else if (r->def != NULL || r->example != NULL) {
		strbuf_addc(b, ' ');
		if (r->def != NULL)
			add_default(b, r);
		else
			strbuf_adds(b, r->example);
		strbuf_addc(b, '\n');
	} else {
		strbuf_addc(b, '\n');
	}
	if (r->type == SCHEMA_STRUCT)
		add_table(b, r->sub, depth + 1);
}

static void
add_table(struct strbuf *b, const struct schema *s, int depth)
{
	const char *gone = "";
	size_t i, len = 0;

	for (i = 0; i < s->n; i++) {
		if (s->rows[i].flags & SCHEMA_DEPRECATED) {
			gone = s->rows[i].key;
			len = strlen(gone);
		}
		if (len == 0 || strncmp(s->rows[i].key, gone, len) != 0)
			add_row(b, &s->rows[i], depth);
	}
}

void
config_sample(struct strbuf *out)
{
	strbuf_adds(out, head);
	add_table(out, &config_schema, 0);
}
