/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the two halves of log_config share: handlers and formatters as they are
 * bound, and how findings are said. Not for others.
 */
#pragma once

#include "proto/config_internal.h"

/* Where syslogd listens for UDP. */
#define CONFIG_SYSLOG_PORT 514

struct config_log_formatter {
	const char *format;
	const char *datefmt;
	const char *style;
	const struct node *factory;
};

struct config_log_handler {
	const char *class;
	const struct node *level;
	const char *formatter;
	const char *stream;
	const char *filename;
	const char *mode;
	int64_t max_bytes;
	int64_t backups;
	const struct node *address;
	const struct node *facility;
	const struct node *filters;
	const struct node *factory;
	/* What of these the class makes, but for its form. */
	struct log_sink_config sink;
};

extern const struct schema_row config_formatter_row;
extern const struct schema_row config_handler_row;

/* A finding that begins as Python's do: "unable to configure handler 'x': ".
 */
void config_log_unable(const struct schema_at *at, const struct node *n,
    const char *rule, const char *fmt, ...) CC_PRINTF(4, 5);
const char *config_log_quote(const struct schema_at *at, const struct node *n);
/* Where a key of a map is, or the map when it is not there. */
struct schema_at config_log_at(
    const struct schema_at *at, const struct node *map, const char *key);
/* LOG_LEVEL_INHERIT for NULL and NOTSET; false when it is no level. */
bool config_level_of(const struct node *n, enum log_level *ret);
schema_check_fn config_check_level;
/* For filters and factories, unless they are empty. */
schema_check_fn config_warn_unused;
