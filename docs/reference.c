/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Prints what the manual says of the tables, so that no page repeats them by
 * hand: `reference config`, `routes`, `synopsis`, `options` and `KIND` as
 * mdoc(7) for docs/generate.py to put into the pages, `sample` as
 * docs/overlord.yml.sample. Used by the build and its tests only, never
 * installed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "lib/base/strbuf.h"
#include "proto/config.h"
#include "proto/route.h"
#include "proto/spec_internal.h"

#define LINE_MAX_LEN 78
#define PATH_LEN 256

/* What stands for the key of a free map in a path. */
static const struct {
	const char *map;
	const char *word;
} map_words[] = {
	{ "chains", "CHAIN" },
	{ "etcd", "HOST" },
	{ "datacenters", "DATACENTER" },
	{ "datacentersEnvironment", "DATACENTER" },
	{ "chainsEnvironment", "CHAIN" },
	{ "labelsEnvironment", "LABEL" },
	{ "reserve_port", "INTERFACE" },
	{ "autoScale.rules", "RESOURCE" },
	{ "autoScale.economy", "RESOURCE" },
};

static const char *
map_word(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(map_words); i++)
		if (strcmp(map_words[i].map, path) == 0)
			return map_words[i].word;
	return "NAME";
}

/* Text for mdoc: no word of it is a request or an escape. */
static void
add_escaped(struct strbuf *b, const char *s, size_t len)
{
	if (len > 0 && (s[0] == '.' || s[0] == '\''))
		strbuf_adds(b, "\\&");
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\\')
			strbuf_adds(b, "\\e");
		else if (s[i] == '\'')
			strbuf_adds(b, "\\(aq");
		else
			strbuf_addc(b, s[i]);
	}
}

/* Where a sentence ends that another follows. */
static size_t
sentence_len(const char *s)
{
	for (size_t i = 0; s[i] != '\0'; i++)
		if (s[i] == '.' && s[i + 1] == ' ' && s[i + 2] >= 'A' &&
		    s[i + 2] <= 'Z')
			return i + 1;
	return strlen(s);
}

/* Text, a line for each sentence, wrapped at blanks. */
static void
add_text(struct strbuf *b, const char *s)
{
	while (*s != '\0') {
		size_t len = sentence_len(s);

		if (len > LINE_MAX_LEN) {
			for (len = LINE_MAX_LEN; len > 0 && s[len] != ' ';
			     len--)
				continue;
			if (len == 0)
				len = strcspn(s, " ");
		}
		add_escaped(b, s, len);
		strbuf_addc(b, '\n');
		s += len + strspn(s + len, " ");
	}
}

/* ".Ql VALUE ." */
static void
add_literal(struct strbuf *b, const char *value, const char *closing)
{
	strbuf_adds(b, ".Ql \"");
	for (const char *p = value; *p != '\0'; p++) {
		if (p == value && *p == '.')
			strbuf_adds(b, "\\&");
		if (*p == '"')
			strbuf_addc(b, '"');
		if (*p == '\\')
			strbuf_adds(b, "\\e");
		else if (*p == '\'')
			strbuf_adds(b, "\\(aq");
		else
			strbuf_addc(b, *p);
	}
	strbuf_addf(b, "\" %s\n", closing);
}

static const char *
type_word(const struct schema_row *r)
{
	if (r->flags & SCHEMA_SECONDS)
		return "seconds";
	switch (r->type) {
	case SCHEMA_BOOL:
		return "boolean";
	case SCHEMA_INT:
		return "integer";
	case SCHEMA_FLOAT:
	case SCHEMA_NUMBER:
		return "number";
	case SCHEMA_STR:
		return "string";
	case SCHEMA_LIST:
		if (r->elem->type == SCHEMA_INT)
			return "list of integers";
		return r->elem->type == SCHEMA_STR ? "list of strings"
						   : "list of mappings";
	case SCHEMA_MAP:
		return r->elem->type == SCHEMA_STR ? "mapping of strings"
						   : "mapping";
	case SCHEMA_NODE:
		return "value";
	default:
		return "mapping";
	}
}

static void
add_choices(struct strbuf *b, const struct schema_row *r)
{
	const struct schema_row *one = r->elem != NULL ? r->elem : r;

	if (one->choices == NULL)
		return;
	strbuf_adds(b, "One of\n");
	for (size_t i = 0; one->choices[i] != NULL; i++)
		add_literal(b, one->choices[i],
		    one->choices[i + 1] != NULL ? "," : ".");
}

static void
add_range(struct strbuf *b, const struct schema_row *r)
{
	if (r->type != SCHEMA_INT || (r->min == 0 && r->max == 0))
		return;
	if (r->max == SCHEMA_NO_MAX)
		strbuf_addf(b, "At least %" PRId64 ".\n", r->min);
	else
		strbuf_addf(
		    b, "From %" PRId64 " to %" PRId64 ".\n", r->min, r->max);
}

/* variant: the value of the tag with which the row counts, or NULL. */
static void
add_row(struct strbuf *b, const struct schema_row *r, const char *path,
    const char *variant)
{
	strbuf_addf(b, ".It Ic %s Pq %s%s%s%s\n", path, type_word(r),
	    r->flags & SCHEMA_REQUIRED ? ", required" : "",
	    variant != NULL ? ", for " : "", variant != NULL ? variant : "");
	add_text(b, r->doc);
	/* Words that say it all already. */
	if (strstr(r->doc, "One of ") == NULL)
		add_choices(b, r);
	add_range(b, r);
	if (r->def != NULL) {
		strbuf_adds(b, "Default:\n");
		add_literal(b, r->def, ".");
	}
	if (r->flags & SCHEMA_LIVE)
		strbuf_adds(b, "Reloadable.\n");
}

static void add_rows(struct strbuf *b, const struct schema *s, size_t first,
    const char *prefix, const char *variant);

static void
add_table(struct strbuf *b, const struct schema *s, const char *prefix)
{
	add_rows(b, s, 0, prefix, NULL);
	/* The tag was the first row. */
	for (size_t i = 0; i < s->n_variants; i++)
		add_rows(b, s->variants[i], 1, prefix, s->variants[i]->name);
}

static void
add_rows(struct strbuf *b, const struct schema *s, size_t first,
    const char *prefix, const char *variant)
{
	const char *gone = NULL;

	for (size_t i = first; i < s->n; i++) {
		const struct schema_row *r = &s->rows[i];
		const struct schema *sub = r->sub;
		char path[PATH_LEN], below[PATH_LEN];

		/* Of what has no effect the name is enough. */
		if (gone != NULL && strncmp(r->key, gone, strlen(gone)) == 0 &&
		    r->key[strlen(gone)] == '.')
			continue;
		if (r->flags & SCHEMA_DEPRECATED)
			gone = r->key;
		(void)snprintf(path, sizeof(path), "%s%s", prefix, r->key);
		(void)snprintf(below, sizeof(below), "%.200s.", path);
		add_row(b, r, path, variant);
		if (sub == NULL && r->type == SCHEMA_MAP &&
		    r->elem->sub != NULL) {
			sub = r->elem->sub;
			(void)snprintf(below, sizeof(below), "%.200s.%s.", path,
			    map_word(r->key));
		}
		if (sub == NULL && r->type == SCHEMA_LIST &&
		    r->elem->sub != NULL) {
			sub = r->elem->sub;
			(void)snprintf(below, sizeof(below), "%.200s[].", path);
		}
		if (sub != NULL)
			add_table(b, sub, below);
	}
}

static void
add_schema(struct strbuf *b, const struct schema *s)
{
	strbuf_adds(b, ".Bl -tag -width Ds\n");
	add_table(b, s, "");
	strbuf_adds(b, ".El\n");
}

/* A kind without the keys of every kind, which are its first. */
static void
add_kind(struct strbuf *b, const struct schema *s)
{
	strbuf_adds(b, ".Bl -tag -width Ds\n");
	add_rows(b, s, spec_readonly_schema.n, "", NULL);
	strbuf_adds(b, ".El\n");
}

static void
add_routes(struct strbuf *b)
{
	strbuf_adds(b,
	    ".Bl -column DELETE "
	    "\"/v1/projects/log/{date}/{service}/{dlog}\"\n"
	    ".It Sy Method Ta Sy Path\n");
	for (size_t i = 0; i < ROUTE_COUNT; i++)
		strbuf_addf(
		    b, ".It %s Ta %s\n", routes[i].method, routes[i].path);
	strbuf_adds(b, ".El\n");
}

/* Commands */

static void
add_lower(struct strbuf *b, const char *s)
{
	for (; *s != '\0'; s++)
		strbuf_addc(
		    b, *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s);
}

/* "f Ar file": letter or long name, and its value. */
static void
add_usage(struct strbuf *b, const struct cmd_opt *o)
{
	if (o->letter != '\0')
		strbuf_addf(b, "Fl %c", o->letter);
	else
		strbuf_addf(b, "Fl -%s", o->name);
	if (o->metavar != NULL) {
		strbuf_adds(b, " Ar ");
		add_lower(b, o->metavar);
	}
	if (o->type == CMD_LIST)
		strbuf_adds(b, " ...");
	strbuf_addc(b, '\n');
}

/* "[NAME...]" and the like. */
static void
add_words(struct strbuf *b, const char *words)
{
	size_t len = strlen(words);

	if (words[0] == '[' && words[len - 1] == ']') {
		strbuf_adds(b, ".Op Ar ");
		add_lower(b, words + 1);
		strbuf_truncate(b, b->len - 1);
	} else {
		strbuf_adds(b, ".Ar ");
		add_lower(b, words);
	}
	strbuf_addc(b, '\n');
}

static void
add_synopsis(struct strbuf *b)
{
	for (size_t i = 0; i < cmd_table_n; i++) {
		const struct cmd *c = cmd_table[i];

		if (c->group == CMD_HIDDEN)
			continue;
		strbuf_addf(b, ".Nm\n.Cm %s\n", c->name);
		for (size_t k = 0; k < c->opts_n; k++) {
			strbuf_adds(b, c->opts[k].required ? "." : ".Op ");
			add_usage(b, &c->opts[k]);
		}
		if (c->words != NULL)
			add_words(b, c->words);
	}
}

static void
add_option(struct strbuf *b, const struct cmd_opt *o)
{
	strbuf_adds(b, ".It ");
	if (o->letter != '\0')
		strbuf_addf(b, "Fl %c , ", o->letter);
	strbuf_addf(b, "Fl -%s", o->name);
	if (o->metavar != NULL) {
		strbuf_adds(b, " Ar ");
		add_lower(b, o->metavar);
	}
	strbuf_addc(b, '\n');
	add_text(b, o->doc);
	if (o->choices != NULL) {
		strbuf_adds(b, "One of\n");
		for (size_t i = 0; o->choices[i] != NULL; i++)
			add_literal(b, o->choices[i],
			    o->choices[i + 1] != NULL ? "," : ".");
	}
	if (o->def != NULL) {
		strbuf_adds(b, "Default:\n");
		add_literal(b, o->def, ".");
	}
}

static void
add_options(struct strbuf *b)
{
	for (size_t i = 0; i < cmd_table_n; i++) {
		const struct cmd *c = cmd_table[i];

		if (c->group == CMD_HIDDEN || c->opts_n == 0)
			continue;
		strbuf_addf(b, "%s.Cm %s :\n.Bl -tag -width Ds -compact\n",
		    b->len > 0 ? ".Pp\n" : "", c->name);
		for (size_t k = 0; k < c->opts_n; k++)
			add_option(b, &c->opts[k]);
		strbuf_adds(b, ".El\n");
	}
}

int
main(int argc, char **argv)
{
	AUTO_STRBUF struct strbuf b;
	const char *what = argc == 2 ? argv[1] : "";

	strbuf_init(&b, 1 << 20);
	if (strcmp(what, "config") == 0)
		add_schema(&b, &config_schema);
	else if (strcmp(what, "sample") == 0)
		config_sample(&b);
	else if (strcmp(what, "routes") == 0)
		add_routes(&b);
	else if (strcmp(what, "synopsis") == 0)
		add_synopsis(&b);
	else if (strcmp(what, "options") == 0)
		add_options(&b);
	else if (strcmp(what, "directorProject") == 0)
		add_schema(&b, &spec_project_schema);
	else if (strcmp(what, "metadata") == 0)
		add_kind(&b, &spec_metadata_schema);
	else if (strcmp(what, "vmJail") == 0)
		add_kind(&b, &spec_vm_schema);
	else if (strcmp(what, "appConfig") == 0)
		add_kind(&b, &spec_app_schema);
	else {
		(void)fputs(
		    "usage: reference config|sample|routes|synopsis|options|"
		    "KIND\n",
		    stderr);
		return 64;
	}
	if (strbuf_check(&b, NULL) < 0 ||
	    fwrite(b.buf, 1, b.len, stdout) != b.len || fflush(stdout) != 0)
		return 74;
	return 0;
}
