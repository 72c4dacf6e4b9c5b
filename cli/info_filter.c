/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Which names get-info means (cli.md 3.1, 3.2): names as they are, patterns as
 * Python reads them, or what the file itself is about. Patterns are compiled
 * before anything is asked, so that a faulty one costs nothing.
 */
#include <string.h>

#include "cli/info.h"
#include "lib/data/regex.h"

enum exitcode
info_needs_filter(struct session *s)
{
	return session_usage(s, "name a project with --filter",
	    "Autoscale requires you define at least one filter");
}

/* The one name of the file for this type; *ret_said: it has none, and a
 * warning says so. NULL also when the kind has no say. */
static const char *
own_name(struct session *s, const struct info_type *type, bool *ret_said)
{
	const struct spec *spec = s->spec;
	bool scaled = (type->flags & INFO_NEEDS_FILTER) != 0;

	if ((type->flags & INFO_LITERAL) == 0)
		return NULL;
	if (spec->kind == SPEC_APPCONFIG)
		return spec->app.name;
	if (spec->kind == SPEC_PROJECT)
		return type->kind == NAME_PROJECT ? spec->project.name : NULL;
	if (spec->kind != SPEC_VM || scaled)
		return NULL;
	if (spec->vm_name == NULL) {
		out_warn(&s->out,
		    "VM name is not specified in the deployment file!");
		*ret_said = true;
	}
	return spec->vm_name;
}

/* Without a filter a file of metadata means what it has itself. */
static enum exitcode
choose_own(
    struct info_filter *f, struct session *s, const struct info_type *type)
{
	const struct spec_metadata *m = &s->spec->metadata;

	if (f->patterns_n > 0 || s->spec->kind != SPEC_METADATA)
		return EXIT_CODE_OK;
	if (strcmp(type->name, "metadata") == 0) {
		f->names.items = m->entries.keys;
		f->names.n = m->entries.n;
	} else if (strcmp(type->name, "namespaces") == 0 &&
	    m->namespace != NULL) {
		f->names.items =
		    arena_calloc(&s->arena, 1, sizeof(*f->names.items));
		if (f->names.items == NULL)
			return EXIT_CODE_OSERR;
		f->names.items[0] = m->namespace;
		f->names.n = 1;
	}
	return EXIT_CODE_OK;
}

static enum exitcode
choose_names(struct info_filter *f, struct session *s,
    const struct info_type *type, bool *ret_stop)
{
	const char *name = NULL;

	if (s->args.filter_per_project)
		name = own_name(s, type, ret_stop);
	f->names = s->args.filter;
	if (name != NULL) {
		f->names.items =
		    arena_calloc(&s->arena, 1, sizeof(*f->names.items));
		if (f->names.items == NULL)
			return EXIT_CODE_OSERR;
		f->names.items[0] = name;
		f->names.n = 1;
	}
	if (f->names.n == 0 && !*ret_stop &&
	    (type->flags & INFO_NEEDS_FILTER) != 0)
		return info_needs_filter(s);
	return EXIT_CODE_OK;
}

static enum exitcode
compile(struct info_filter *f, struct session *s)
{
	const struct cmd_strs *texts = &s->args.filter;
	struct error e = ERROR_INIT;

	f->patterns =
	    arena_calloc(&s->arena, texts->n + 1, sizeof(struct regex *));
	if (f->patterns == NULL)
		return EXIT_CODE_OSERR;
	for (; f->patterns_n < texts->n; f->patterns_n++) {
		const char *text = texts->items[f->patterns_n];

		if (regex_new_python(&f->patterns[f->patterns_n], text, &e) ==
		    0)
			continue;
		if (e.code != OVE_INVALID)
			return session_fail(s, &e);
		return session_usage(s, NULL,
		    "--filter '%s': not a regular expression: %s", text,
		    error_text(&e));
	}
	return EXIT_CODE_OK;
}

enum exitcode
info_filter_init(struct info_filter *f, struct session *s,
    const struct info_type *type, bool *ret_stop)
{
	enum exitcode rc;

	memset(f, 0, sizeof(*f));
	*ret_stop = false;
	if ((type->flags & INFO_TREE) != 0)
		return EXIT_CODE_OK;
	if ((type->flags & INFO_LITERAL) != 0)
		return choose_names(f, s, type, ret_stop);
	rc = compile(f, s);
	return rc == EXIT_CODE_OK ? choose_own(f, s, type) : rc;
}

void
info_filter_fini(struct info_filter *f)
{
	for (size_t i = 0; i < f->patterns_n; i++)
		f->patterns[i] = regex_free(f->patterns[i]);
	f->patterns_n = 0;
}

bool
info_filter_passes(const struct info_filter *f, const char *name)
{
	if (f->patterns_n == 0 && f->names.n == 0)
		return true;
	if (name == NULL)
		return false;
	for (size_t i = 0; i < f->names.n; i++)
		if (strcmp(f->names.items[i], name) == 0)
			return true;
	for (size_t i = 0; i < f->patterns_n; i++)
		if (regex_search(f->patterns[i], name, strlen(name)))
			return true;
	return false;
}
