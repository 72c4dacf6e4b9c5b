/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the files of the YAML reader share; the only one that includes libyaml.
 */
#pragma once

#include <yaml.h>

#include "lib/base/strbuf.h"
#include "lib/data/scalar.h"
#include "lib/data/yaml.h"

enum yaml_tag {
	TAG_NONE,
	TAG_SCALAR,
	TAG_ENV,
	TAG_SEQ,
	TAG_MAP,
	TAG_SET,
	TAG_OMAP,
	TAG_PAIRS,
	TAG_UNKNOWN,
};

struct yaml_anchor {
	char *name;
	struct node *node;
	/* Set when the node is complete. */
	bool closed;
	unsigned height;
	size_t count;
};

struct yaml_frame {
	struct node *node;
	/* A map's key that waits for its value. */
	struct node *key;
	enum yaml_tag tag;
	size_t anchor;
	/* Levels below this one. */
	unsigned height;
	/* reader.total when this collection was opened. */
	size_t before;
	bool has_merge;
};

struct yaml_reader {
	yaml_parser_t parser;
	const struct yaml_options *o;
	struct arena *a;
	struct diag *d;
	/* Nodes so far, aliases followed. */
	size_t total;
	struct node *root;
	unsigned documents;
	unsigned depth;
	struct yaml_frame frames[YAML_DEPTH_MAX];
	struct yaml_anchor *anchors;
	size_t anchors_n;
	size_t anchors_cap;
	/* Hash table of index + 1 into anchors; NULL until there is one. */
	uint16_t *slots;
	uint64_t seed;
	/* Where the text being expanded stands, for the warning. */
	struct diag_pos env_pos;
	/* Out of memory, or a bug. */
	struct error *e;
};

/* Faults (yaml_fault.c) */

struct diag_pos yaml_pos(const yaml_mark_t *m);
/* "datacenters.main.list[2]": where the next node will go. */
void yaml_here(const struct yaml_reader *r, struct strbuf *b);
/* Adds a fault of the next node. */
void yaml_fault(struct yaml_reader *r, struct diag_pos pos, const char *rule,
    const char *hint, const char *fmt, ...) CC_PRINTF(5, 6);
/* What libyaml has found in the text. */
void yaml_syntax_fault(struct yaml_reader *r, const char *text, size_t len);
void yaml_encoding_fault(struct yaml_reader *r, const char *text, size_t len);

/* Anchors (yaml_anchor.c) */

#define YAML_NO_ANCHOR SIZE_MAX
struct yaml_anchor *yaml_find_anchor(struct yaml_reader *r, const char *name);
/* *ret: its index; YAML_NO_ANCHOR when the node has none. */
int yaml_define_anchor(struct yaml_reader *r, const yaml_char_t *anchor,
    struct node *n, struct diag_pos pos, size_t *ret);

/* Tags (yaml_tag.c) */

/* *ret: of TAG_SCALAR. */
enum yaml_tag yaml_look_up_tag(
    const struct yaml_reader *r, const char *tag, enum scalar_kind *ret);
void yaml_unknown_tag(
    struct yaml_reader *r, const char *tag, struct diag_pos pos);
/* The tag is on the wrong kind of node. */
void yaml_wrong_tag(struct yaml_reader *r, const char *tag, const char *wants,
    const char *found, struct diag_pos pos);

/* Merges (yaml_merge.c) */

/* Marks the key of a merge: its node's `raw` is this very pointer. */
extern const char yaml_merge_mark[];
/* Merged pairs come first, then the mapping's own. */
void yaml_merge(struct yaml_reader *r, struct node *map);
/* !!omap and !!pairs: a list of [key, value]. */
void yaml_pair_list(struct yaml_reader *r, struct node *list);
