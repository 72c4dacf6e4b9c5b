/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One table, looked at from both sides.
 */
#include "daemon/jobword.h"

#include <string.h>

#include "lib/base/cc.h"

static const struct {
	const char *kind;
	const char *type;
} types[] = {
	{ "create", "up" },
	{ "destroy", "down" },
	{ "cancel", "cancel" },
};

const char *
jobword_type(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].kind, kind) == 0)
			return types[i].type;
	return kind;
}

const char *
jobword_kind(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].type, type) == 0)
			return types[i].kind;
	return type;
}
