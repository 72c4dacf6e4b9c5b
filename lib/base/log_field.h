/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A field of a log event: key=value. What log.h makes and log_render.h shows.
 */
#pragma once

#include <stdint.h>

struct log_field {
	const char *key;
	/* Text when not NULL, else num. */
	const char *text;
	int64_t num;
};
