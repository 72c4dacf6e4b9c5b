/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Tree to YAML text that YAML 1.1 and 1.2 readers read back as the same tree
 * (spec yaml-and-templates.md 6): block style as PyYAML's safe_dump writes it,
 * ASCII only but for literal blocks, no document markers, no aliases.
 */
#pragma once

#include "lib/base/strbuf.h"
#include "lib/data/node.h"

enum yaml_flags {
	/* Text of several lines as a literal block where one can hold it,
	 * instead of in quotes. */
	YAML_LITERAL = 1 << 0,
};

/* Adds the text of n, which ends in a line break.  Keys are written in the
 * order of the tree: node_sort() before is the caller's choice.  Invalid UTF-8
 * becomes U+FFFD.  Fails only through the latch of out. */
void yaml_write(struct strbuf *out, const struct node *n, unsigned flags);
