/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Messages for syslogd, in the form of RFC 3164, through a datagram socket of
 * our own: syslog(3) may wait for a syslogd that is slow, and this must not. A
 * message that cannot be sent at once is lost and counted; the next one that
 * can be sent is preceded by one that tells how many were. A syslogd that was
 * started again is found again, and one that is not there yet later.
 */
#pragma once

#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/log_level.h"

/* Of the names below: "daemon", "local0", ... */
#define LOG_FACILITY_DAEMON 3
#define LOG_FACILITY_COUNT 24
/* By number; NULL-terminated. */
extern const char *const log_facilities[LOG_FACILITY_COUNT + 1];
/* -1 when it is none. */
int log_facility_from_string(const char *name);

struct log_syslog_config {
	/* A socket in the file system; NULL and no host: that of the local
	 * syslogd. */
	const char *path;
	/* UDP: an address, "localhost" or, when may_wait, a name. */
	const char *host;
	uint16_t port;
	/* 0 to LOG_FACILITY_COUNT - 1. */
	int facility;
	const char *ident;
	/* Looking up a name may take its time. */
	bool may_wait;
};

struct log_syslog;

/* known, which may be NULL, is one for the same path, or the same host and
 * port, that is about to be replaced: what it has looked up and lost is taken
 * over. That nobody listens is no failure; log_syslog_check() tells. */
int log_syslog_new(struct log_syslog **ret, const struct log_syslog_config *c,
    const struct log_syslog *known, struct error *e);
struct log_syslog *log_syslog_free(struct log_syslog *s);
AUTO_DEFINE(log_syslog)

/* Whether messages can be sent just now, as far as is known. */
int log_syslog_check(struct log_syslog *s, struct error *e);
/* One message, without end of line; one that is too long is cut. False: lost.
 */
bool log_syslog_send(struct log_syslog *s, enum log_level level,
    int64_t wall_ms, const char *text, size_t len);
