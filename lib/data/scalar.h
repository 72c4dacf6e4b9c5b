/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * YAML 1.1 scalars as PyYAML's SafeLoader reads them: what a plain text is
 * (spec yaml-and-templates.md 2.3) and the value of a text of a known kind
 * (2.4).  Knows no parser.
 */
#pragma once

#include "lib/data/node.h"

enum scalar_kind {
	SCALAR_STR,
	SCALAR_NULL,
	SCALAR_BOOL,
	SCALAR_INT,
	SCALAR_FLOAT,
	SCALAR_TIME,
	SCALAR_BINARY,
	/* A plain "<<" and a plain "=". */
	SCALAR_MERGE,
	SCALAR_VALUE,
};

/* The kind of an untagged plain scalar. */
enum scalar_kind scalar_resolve(const char *s, size_t len);
/* The node of a text of that kind (MERGE and VALUE: a string).  -1 with
 * OVE_INVALID when the text is not of that kind; NULL in *ret when the arena is
 * full. */
int scalar_convert(enum scalar_kind kind, const char *s, size_t len,
    struct arena *a, struct node **ret, struct error *e);
