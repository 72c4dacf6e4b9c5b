/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the parts of proto/config share: lists of keywords, checks of single
 * options. Not for others.
 */
#pragma once

#include "proto/config.h"

enum config_keywords_kind {
	CONFIG_KEYWORDS_STATS,
	CONFIG_KEYWORDS_JAIL,
	CONFIG_KEYWORDS_DEVFS,
	CONFIG_KEYWORDS_EXPOSE,
	CONFIG_KEYWORDS_HEALTHCHECK,
	CONFIG_KEYWORDS_LABEL,
	CONFIG_KEYWORDS_LIMITS,
	CONFIG_KEYWORDS_NAT,
	CONFIG_KEYWORDS_VOLUME,
	CONFIG_KEYWORDS_FSTAB,
	CONFIG_KEYWORDS_COUNT
};

/* The category's key, all its keywords, and the short list that is used when
 * the file has no `polling`; both lists NULL-terminated. */
struct config_keywords_table {
	const char *key;
	const char *const *all;
	const char *const *brief;
	/* In struct config: a struct schema_strs. */
	size_t offset;
};
extern const struct config_keywords_table
    config_keywords[CONFIG_KEYWORDS_COUNT];

/* One entry of `listen` in httpd_listen()'s form; false when it is none. */
bool config_listen_address(const char *entry, int64_t port, struct strbuf *out);

/* Checks log_config and sets what it means beside it in struct config. */
schema_check_fn config_check_log;
schema_check_fn config_check_syslog_address;
