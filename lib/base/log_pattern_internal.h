/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A form as it was read. Shared by log_pattern.c, which reads, and
 * log_pattern_render.c; not for others.
 */
#pragma once

#include "lib/base/array.h"
#include "lib/base/log_pattern.h"

#define LOG_PATTERN_NO_PRECISION (-1)

enum log_pattern_field {
	FIELD_LITERAL,
	FIELD_UNKNOWN,
	FIELD_ASCTIME,
	FIELD_NAME,
	FIELD_LEVELNAME,
	FIELD_LEVELNO,
	FIELD_MESSAGE,
	FIELD_PROCESS,
	FIELD_PROCESSNAME,
	FIELD_THREADNAME,
	FIELD_PATHNAME,
	FIELD_FILENAME,
	FIELD_MODULE,
	FIELD_FUNCNAME,
	FIELD_LINENO,
	FIELD_CREATED,
	FIELD_MSECS,
	FIELD_RELATIVE
};

struct log_pattern_piece {
	enum log_pattern_field field;
	/* LITERAL. */
	const char *text;
	size_t len;
	/* Of a conversion: its letter, flags, width and precision. */
	char conv;
	bool left;
	bool zero;
	bool alt;
	char sign;
	size_t width;
	int precision;
};

struct log_pattern {
	char *format;
	char *datefmt;
	struct array pieces;
};
