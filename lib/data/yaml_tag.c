/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What tags stand for, and faults of tags.
 */
#include <string.h>

#include "lib/data/yaml_internal.h"

static const char yaml_prefix[] = "tag:yaml.org,2002:";

static const struct tag_row {
	const char *name;
	enum yaml_tag tag;
	enum scalar_kind kind;
} tag_rows[] = {
	{ "str", TAG_SCALAR, SCALAR_STR },
	{ "int", TAG_SCALAR, SCALAR_INT },
	{ "float", TAG_SCALAR, SCALAR_FLOAT },
	{ "bool", TAG_SCALAR, SCALAR_BOOL },
	{ "null", TAG_SCALAR, SCALAR_NULL },
	{ "timestamp", TAG_SCALAR, SCALAR_TIME },
	{ "binary", TAG_SCALAR, SCALAR_BINARY },
	{ "seq", TAG_SEQ, SCALAR_STR },
	{ "map", TAG_MAP, SCALAR_STR },
	{ "set", TAG_SET, SCALAR_STR },
	{ "omap", TAG_OMAP, SCALAR_STR },
	{ "pairs", TAG_PAIRS, SCALAR_STR },
};

enum yaml_tag
yaml_look_up_tag(
    const struct yaml_reader *r, const char *tag, enum scalar_kind *ret)
{
	size_t i, n = sizeof(yaml_prefix) - 1;

	if (tag == NULL || strcmp(tag, "!") == 0)
		return TAG_NONE;
	if (strcmp(tag, "!ENV") == 0 && r->o->env != NULL)
		return TAG_ENV;
	if (strncmp(tag, yaml_prefix, n) != 0)
		return TAG_UNKNOWN;
	for (i = 0; i < ARRAY_LEN(tag_rows); i++) {
		if (strcmp(tag_rows[i].name, tag + n) == 0) {
			*ret = tag_rows[i].kind;
			return tag_rows[i].tag;
		}
	}
	return TAG_UNKNOWN;
}

/* "!!int" for the long form. */
static const char *
short_tag(struct yaml_reader *r, const char *tag)
{
	size_t n = sizeof(yaml_prefix) - 1;
	const char *s;

	if (strncmp(tag, yaml_prefix, n) != 0)
		return tag;
	s = arena_printf(r->a, "!!%.100s", tag + n);
	return s != NULL ? s : tag;
}

void
yaml_unknown_tag(struct yaml_reader *r, const char *tag, struct diag_pos pos)
{
	static const char *const candidates[] = { "!ENV" };
	const char *hint = NULL;

	if (r->o->env != NULL)
		hint = diag_suggest(r->a, tag, candidates, 1);
	yaml_fault(r, pos, "yaml-tag", hint, "unknown tag '%.100s'",
	    short_tag(r, tag));
}

void
yaml_wrong_tag(struct yaml_reader *r, const char *tag, const char *wants,
    const char *found, struct diag_pos pos)
{
	yaml_fault(r, pos, "yaml-tag-kind",
	    strcmp(tag, "!ENV") == 0 ? "put the tag before each text in it"
				     : NULL,
	    "the tag '%.100s' needs %s, found %s", short_tag(r, tag), wants,
	    found);
}
