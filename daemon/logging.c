/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Puts the log's configuration together (see logging.h): the handlers of
 * log_config, unless log.file or log.syslog say where everything goes, and
 * behind them our own places, which are opened when something reaches no
 * handler.
 */
#include "daemon/logging.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <config.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "proto/config.h"

#define LOGGING_ARENA_MAX ((size_t)1 << 20)
#define PREFIX "overlord."
#define DEFAULT_FILE OVERLORD_LOGDIR "/overlordd.log"
#define IDENT "overlordd"

/* Areas that the original calls otherwise; the others are "overlord.AREA". */
static const struct log_alias aliases[] = {
	{ "api", "overlord.commands.serve" },
	{ "chain", "overlord.client" },
	{ "haproxy", "overlord.dataplaneapi" },
	{ "http", "overlord.tornado" },
	{ "httpd", "overlord.tornado" },
	{ "inventory", "overlord.commands.poll" },
	{ "job", "overlord.queue" },
	{ "labels", "overlord.libexec.create" },
	{ "runner", "overlord.libexec.create" },
	{ "scale", "overlord.commands.poll" },
	{ "store", "overlord.cache" },
};

struct plan {
	const struct config *c;
	int flags;
	struct arena arena;
	struct log_sink_config sinks[LOG_SINKS_MAX];
	struct log_config log;
};

/* Streams of a daemon without terminal would go nowhere. */
static void
use_default_file(struct log_sink_config *s)
{
	s->kind = LOG_SINK_FILE;
	s->path = DEFAULT_FILE;
}

static void
add_handlers(struct plan *p)
{
	const struct config_log *l = p->c->logging;
	size_t i;

	for (i = 0; i < l->sinks_n; i++) {
		p->sinks[i] = l->sinks[i];
		p->sinks[i].syslog.ident = IDENT;
		p->sinks[i].syslog.may_wait = !(p->flags & LOGGING_RUNNING);
		if (p->sinks[i].kind == LOG_SINK_STREAM &&
		    !(p->flags & LOGGING_FOREGROUND))
			use_default_file(&p->sinks[i]);
	}
	p->log.sinks_n = l->sinks_n;
}

static struct log_sink_config *
add_own(struct plan *p, enum log_sink_kind kind)
{
	struct log_sink_config *s = &p->sinks[p->log.sinks_n];

	p->log.fallback |= (uint64_t)1 << p->log.sinks_n++;
	s->kind = kind;
	s->level = LOG_LEVEL_DEBUG;
	s->format = strcmp(p->c->log.format, "json") == 0 ? LOG_FORMAT_JSON
							  : LOG_FORMAT_TEXT;
	return s;
}

static void
add_own_sinks(struct plan *p)
{
	const struct config *c = p->c;
	struct log_sink_config *s;

	if (c->log.file != NULL || c->log.syslog == NULL) {
		s = add_own(p, LOG_SINK_FILE);
		s->path = c->log.file;
		if (s->path == NULL && (p->flags & LOGGING_FOREGROUND)) {
			s->kind = LOG_SINK_STREAM;
			s->fd = STDERR_FILENO;
		} else if (s->path == NULL) {
			use_default_file(s);
		}
	}
	if (c->log.syslog != NULL) {
		s = add_own(p, LOG_SINK_SYSLOG);
		s->syslog = (struct log_syslog_config){
			.facility = log_facility_from_string(c->log.syslog),
			.ident = IDENT,
			.may_wait = !(p->flags & LOGGING_RUNNING),
		};
		/* Checked when it was bound. */
		if (c->log.syslog_address != NULL)
			(void)config_syslog_address(
			    c->log.syslog_address, &p->arena, &s->syslog);
	}
}

/* log.level is for all; log.file and log.syslog for all as well. */
static int
add_loggers(struct plan *p, bool handlers, struct error *e)
{
	static const struct log_logger root = { .name = "" };
	const struct config_log *cl = p->c->logging;
	const struct log_logger *from = cl != NULL ? cl->loggers : &root;
	size_t n = cl != NULL ? cl->loggers_n : 1;
	struct log_logger *copy = arena_calloc(&p->arena, n, sizeof(*copy));
	size_t i;

	for (i = 0; copy != NULL && i < n; i++) {
		copy[i] = from[i];
		if (!handlers)
			copy[i].sinks = 0;
		if (p->c->log.level != NULL)
			copy[i].level = LOG_LEVEL_INHERIT;
	}
	if (arena_check(&p->arena, e) < 0)
		return -1;
	p->log.loggers = copy;
	p->log.loggers_n = n;
	return p->c->log.level != NULL
	    ? log_level_from_string(p->c->log.level, &copy[0].level, e)
	    : 0;
}

/* Whether some area of ours would reach no handler. */
static bool
has_gaps(const struct log_config *c)
{
	const char *name;
	size_t i;

	if (log_config_sinks(c, "overlord") == 0)
		return true;
	for (i = 0; i < c->loggers_n; i++) {
		name = c->loggers[i].name;
		if (strncmp(name, PREFIX, strlen(PREFIX)) == 0 &&
		    log_config_sinks(c, name) == 0)
			return true;
	}
	return false;
}

static int
make_plan(struct plan *p, const struct config *c, int flags, struct error *e)
{
	bool handlers =
	    c->logging != NULL && c->log.file == NULL && c->log.syslog == NULL;

	memset(p, 0, sizeof(*p));
	arena_init(&p->arena, LOGGING_ARENA_MAX);
	p->c = c;
	p->flags = flags;
	p->log.sinks = p->sinks;
	p->log.aliases = aliases;
	p->log.aliases_n = ARRAY_LEN(aliases);
	p->log.prefix = PREFIX;
	if (add_loggers(p, handlers, e) < 0)
		return -1;
	if (handlers)
		add_handlers(p);
	if (!handlers || has_gaps(&p->log))
		add_own_sinks(p);
	return arena_check(&p->arena, e);
}

/* Says whose sink it is, as faults of the file are said. */
static int
blame(const struct plan *p, size_t sink, const char *path, struct error *e)
{
	const struct config_handler *h;

	if (sink >= p->log.sinks_n || (p->log.fallback >> sink & 1) != 0)
		return -1;
	h = &p->c->logging->handlers[sink];
	(void)error_wrap(e, "unable to configure handler '%s'", h->name);
	return path == NULL ? -1
			    : error_wrap(e, "%s:%u:%u: log_config.handlers.%s",
				  path, h->pos.line, h->pos.col, h->name);
}

/* The directory of our own logs is made when it is missing. */
static bool
is_in_logdir(const struct log_sink_config *s)
{
	return s->kind == LOG_SINK_FILE &&
	    strncmp(
		s->path, OVERLORD_LOGDIR "/", strlen(OVERLORD_LOGDIR "/")) == 0;
}

static int
make_directory(const struct plan *p, struct error *e)
{
	size_t i;

	for (i = 0; i < p->log.sinks_n; i++)
		if (is_in_logdir(&p->sinks[i]))
			return file_mkdirs(OVERLORD_LOGDIR, 0755, e) < 0
			    ? error_wrap(e, "log directory")
			    : 0;
	return 0;
}

static int
configure(const struct plan *p, const char *path, struct error *e)
{
	size_t bad;

	if (make_directory(p, e) < 0)
		return -1;
	if (log_configure(&p->log, &bad, e) < 0)
		return blame(p, bad, path, e);
	return 0;
}

int
logging_configure(
    const struct config *c, const char *path, int flags, struct error *e)
{
	struct error quiet = ERROR_INIT;
	struct plan p;
	int r = make_plan(&p, c, flags, e);

	if (r == 0)
		r = configure(&p, path, e);
	arena_fini(&p.arena);
	if (r == 0 && log_check(&quiet) < 0)
		log_warn("daemon", NO_FIELDS,
		    "%s; what is logged there is lost until it is there",
		    quiet.text);
	return r;
}

static int
test_file(const char *path, struct error *e)
{
	const char *slash = strrchr(path, '/');
	char dir[1024];

	if (access(path, W_OK) == 0)
		return 0;
	if (errno != ENOENT)
		return error_set_errno(e, errno, "open log '%s'", path);
	if (slash == path)
		slash++;
	(void)snprintf(dir, sizeof(dir), "%.*s",
	    slash != NULL ? (int)(slash - path) : 1,
	    slash != NULL ? path : ".");
	return access(dir, W_OK | X_OK) == 0
	    ? 0
	    : error_set_errno(e, errno, "open log '%s'", path);
}

static int
test_sink(const struct log_sink_config *s, struct error *e)
{
	AUTO(log_syslog) struct log_syslog *ls = NULL;

	if (s->kind == LOG_SINK_SYSLOG)
		return log_syslog_new(&ls, &s->syslog, NULL, e);
	if (s->kind != LOG_SINK_FILE ||
	    (is_in_logdir(s) && access(OVERLORD_LOGDIR, F_OK) < 0))
		return 0;
	return test_file(s->path, e);
}

int
logging_test(const struct config *c, const char *path, struct error *e)
{
	struct plan p;
	int r = make_plan(&p, c, 0, e);
	size_t i;

	for (i = 0; r == 0 && i < p.log.sinks_n; i++)
		if ((r = test_sink(&p.sinks[i], e)) < 0)
			(void)blame(&p, i, path, e);
	arena_fini(&p.arena);
	return r;
}
