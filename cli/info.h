/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What get-info can show (cli.md 2.5): a table of types with the requests and
 * the form of each, the filter that chooses among names, and what a target
 * answered, as text or as a JSON node.
 */
#pragma once

#include "cli/targets.h"
#include "proto/names.h"

/* A request. */
struct info_ask {
	enum route_id route;
	/* As warnings call it. */
	const char *function;
	/* The member of the reply that is wanted. */
	const char *member;
};

/* One request for each name. */
struct info_item {
	/* NULL: there is only one, and the name is enough. */
	const char *name;
	struct info_ask ask;
};

enum info_shape {
	/* No request: names come from --filter, or there are none. */
	INFO_NOTHING,
	/* A list of names. */
	INFO_NAMES,
	/* Mappings within each other, lists of names in the innermost: names
	 * are paths. */
	INFO_PATHS,
	/* What is shown, without names. */
	INFO_VALUE,
};

enum info_flags {
	/* --filter gives names as they are, not patterns. */
	INFO_LITERAL = 1,
	/* Without any name it is refused. */
	INFO_NEEDS_FILTER = 2,
	/* Patterns are for chains. */
	INFO_BY_CHAIN = 4,
	/* A name that is not there says nothing. */
	INFO_SKIP_MISSING = 8,
	/* A name is shown also when there is nothing below it. */
	INFO_BARE_NAMES = 16,
	/* print() writes the name, too. */
	INFO_OWN_NAMES = 32,
	/* A drawing of all chains, at the end. */
	INFO_TREE = 64,
};

struct info_type {
	const char *name;
	/* Below the header; NULL: there is no more than the header. */
	const char *heading;
	/* The member in JSON. */
	const char *doc;
	unsigned flags;
	/* INFO_PATHS: mappings above the lists. */
	unsigned depth;
	enum info_shape shape;
	struct info_ask list;
	/* What each name must be, and its word in "Invalid VM name". */
	enum name_kind kind;
	const char *noun;
	const struct info_item *items;
	size_t items_n;
	/* label: the item's name, or the thing's. */
	void (*print)(
	    struct strbuf *out, const char *label, const struct node *value);
};

/* NULL-terminated, for the option. */
extern const char *const info_type_names[];
extern const char *const info_jail_items[];
/* NULL: there is none. */
const struct info_type *info_find_type(const char *name);

/* Which names are meant. */
struct info_filter {
	/* Names as they are: INFO_LITERAL's, or those of the file. */
	struct cmd_strs names;
	struct regex **patterns;
	size_t patterns_n;
};

/* EXIT_CODE_OK, or what was said to be wrong; *ret_stop: there is nothing to
 * do. */
enum exitcode info_filter_init(struct info_filter *f, struct session *s,
    const struct info_type *type, bool *ret_stop);
/* Says that INFO_NEEDS_FILTER is not heeded. */
enum exitcode info_needs_filter(struct session *s);
void info_filter_fini(struct info_filter *f);
/* Also true when there is no filter at all. NULL (the root chain) passes only
 * then. */
bool info_filter_passes(const struct info_filter *f, const char *name);

/* One item of one name of one target. */
struct info_piece {
	struct info *info;
	/* NULL: the list. */
	const char *name;
	const struct info_item *item;
	const char *function;
	bool answered;
	/* Also NULL when the reply had no such member. */
	const struct node *value;
	/* NULL: none. status 0: there was no reply. */
	const char *failure;
	int status;
};

/* What one target said. */
struct info {
	struct target *target;
	const struct info_type *type;
	const struct info_filter *filter;
	void (*done)(struct info *in);
	/* Of whoever keeps several. */
	struct info *next;
	/* What follows lies here; the caller's to end. */
	struct arena arena;
	struct info_piece list;
	const char **names;
	size_t names_n;
	/* Items of names[0], of names[1], ... */
	struct info_piece *pieces;
	size_t items_n;
	size_t pending;
};

/* Asks; done() is called when all is there, at once or later. Of *in target,
 * type, filter and done are set, the rest is 0. */
void info_start(struct info *in);
/* Warnings and the block of a target, into its lane. */
void info_print(const struct info *in);
/* The node of a target for JSON, in a. */
struct node *info_to_node(const struct info *in, struct arena *a);
