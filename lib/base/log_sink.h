/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A place that events go to: a descriptor that is open anyway, a file, or
 * syslogd; with a threshold and a form of its own. Writing never waits: what a
 * full pipe, disk or socket does not take at once is lost and counted.
 */
#pragma once

#include <stdint.h>

#include "lib/base/log_render.h"
#include "lib/base/log_syslog.h"

enum log_format {
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
	LOG_FORMAT_PATTERN
};

enum log_sink_kind {
	/* fd, which stays open. */
	LOG_SINK_STREAM,
	LOG_SINK_FILE,
	/* TEXT is then what log_render_area() says, as syslogd knows the rest.
	 */
	LOG_SINK_SYSLOG,
	/* Nowhere. */
	LOG_SINK_NONE
};

struct log_sink_config {
	enum log_sink_kind kind;
	/* The least urgent that is for it. */
	enum log_level level;
	enum log_format format;
	/* For LOG_FORMAT_PATTERN, as log_pattern_new() has them. */
	const char *pattern;
	const char *datefmt;
	int fd;
	/* FILE. */
	const char *path;
	/* Empty it when it is opened first. */
	bool truncate;
	/* Look before each line whether the name is another file by now. */
	bool watch;
	/* Both above 0: before a line with which the file would reach that many
	 * bytes, FILE becomes FILE.1, that FILE.2, up to this number. */
	int64_t max_bytes;
	unsigned backups;
	struct log_syslog_config syslog;
};

/* Of backups: each may be a rename(2) before a line is written. */
#define LOG_BACKUPS_MAX 1000

struct log_pattern;

/* Inside as it is for log.c, which embeds it. */
struct log_sink {
	/* Its texts must outlive it. */
	struct log_sink_config c;
	/* -1: none. */
	int fd;
	/* May make a writer wait. */
	bool slow;
	struct log_pattern *pattern;
	struct log_syslog *syslog;
	uint64_t lost;
};

/* Opens it. A sink of old (n of them) with the same file or host is one that is
 * about to be replaced: its file is not emptied, what it knows of syslogd is
 * kept. After a failure it needs no log_sink_fini(). */
int log_sink_init(struct log_sink *s, const struct log_sink_config *c,
    const struct log_sink *old, size_t n, struct error *e);
void log_sink_fini(struct log_sink *s);
void log_sink_write(struct log_sink *s, const struct log_event *ev);
/* Opens a file by its name again; on failure the old one stays. */
int log_sink_reopen(struct log_sink *s, struct error *e);
/* Whether somebody listens. */
int log_sink_check(struct log_sink *s, struct error *e);
