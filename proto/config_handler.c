/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The leaves of log_config: levels, formatters and handlers, each checked where
 * it stands and a handler turned into a sink. What refers to them is in
 * config_log.c.
 */

#include "proto/config_log_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log_pattern.h"

static const struct {
	const char *name;
	enum log_level level;
	int64_t value;
} levels[] = {
	{ "CRITICAL", LOG_LEVEL_CRITICAL, 50 },
	{ "FATAL", LOG_LEVEL_CRITICAL, 50 },
	{ "ERROR", LOG_LEVEL_ERROR, 40 },
	{ "WARNING", LOG_LEVEL_WARN, 30 },
	{ "WARN", LOG_LEVEL_WARN, 30 },
	{ "INFO", LOG_LEVEL_INFO, 20 },
	{ "DEBUG", LOG_LEVEL_DEBUG, 10 },
	{ "NOTSET", LOG_LEVEL_INHERIT, 0 },
};

/* Findings */

/* "handler 'x'", as Python calls what a place belongs to. */
static const char *
owner_of(const struct schema_at *at)
{
	static const struct {
		const char *map;
		const char *text;
	} kinds[] = {
		{ "handlers", "handler" },
		{ "loggers", "logger" },
		{ "formatters", "formatter" },
	};
	const struct schema_at *owner = at;
	const char *text;
	size_t i;

	/* The outermost: a logger may be called log_config. */
	for (; at->up != NULL && at->up->up != NULL; at = at->up)
		if (at->up->up->key != NULL &&
		    strcmp(at->up->up->key, "log_config") == 0)
			owner = at;
	for (i = 0; i < ARRAY_LEN(kinds); i++) {
		if (owner->up == NULL || owner->up->key == NULL ||
		    owner->key == NULL ||
		    strcmp(owner->up->key, kinds[i].map) != 0)
			continue;
		text = arena_printf(
		    at->run->arena, "%s '%s'", kinds[i].text, owner->key);
		return text != NULL ? text : kinds[i].text;
	}
	return "root logger";
}

void
config_log_unable(const struct schema_at *at, const struct node *n,
    const char *rule, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	schema_fault(at, n, rule, NULL, "unable to configure %s: %s",
	    owner_of(at), text);
}

const char *
config_log_quote(const struct schema_at *at, const struct node *n)
{
	return schema_quote(at->run->arena, n);
}

struct schema_at
config_log_at(
    const struct schema_at *at, const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	return (struct schema_at){ .run = at->run,
		.up = at,
		.key = key,
		.where = n != NULL ? n : at->where };
}

/* Levels */

/* The nearest level at or below it. */
static enum log_level
level_of_number(const struct node *n)
{
	int64_t v = n->type == NODE_BOOL ? n->u.b : n->u.i;
	size_t i;

	if (n->type == NODE_INT && n->big)
		return n->raw[0] == '-' ? LOG_LEVEL_DEBUG : LOG_LEVEL_CRITICAL;
	if (v != 0 && v < 10)
		return LOG_LEVEL_DEBUG;
	for (i = 0; v < levels[i].value; i++)
		continue;
	return levels[i].level;
}

bool
config_level_of(const struct node *n, enum log_level *ret)
{
	const char *text = node_text(n);
	size_t i;

	*ret = LOG_LEVEL_INHERIT;
	if (n == NULL)
		return true;
	if (n->type == NODE_INT || n->type == NODE_BOOL) {
		*ret = level_of_number(n);
		return true;
	}
	for (i = 0; text != NULL && i < ARRAY_LEN(levels); i++) {
		if (strcmp(levels[i].name, text) == 0) {
			*ret = levels[i].level;
			return true;
		}
	}
	return false;
}

void
config_check_level(
    const struct schema_at *at, const struct node *n, void *field)
{
	enum log_level level;

	(void)field;
	if (!config_level_of(n, &level))
		config_log_unable(at, n, "log-level",
		    "%s is not one of: CRITICAL, ERROR, WARNING, INFO, DEBUG, "
		    "NOTSET, or an integer",
		    config_log_quote(at, n));
}

/* For whom not to be told a level means all. */
static enum log_level
threshold_of(const struct node *n)
{
	enum log_level level;

	(void)config_level_of(n, &level);
	return level == LOG_LEVEL_INHERIT ? LOG_LEVEL_DEBUG : level;
}

void
config_warn_unused(
    const struct schema_at *at, const struct node *n, void *field)
{
	(void)field;
	if ((n->type == NODE_LIST && n->u.list.n == 0) ||
	    (n->type == NODE_MAP && n->u.map.n == 0))
		return;
	schema_warn(at, n, "log-unused", NULL,
	    "%s are not supported and have no effect",
	    strcmp(at->key, "filters") == 0 ? "filters" : "factories");
}

/* Formatters */

static void
check_formatter(const struct schema_at *at, const struct node *map, void *field)
{
	struct config_log_formatter *f = field;
	struct schema_at here = config_log_at(at, map, "style");
	struct log_pattern *p = NULL;
	struct error e = ERROR_INIT;

	if (f->style != NULL && strcmp(f->style, "%") != 0) {
		schema_warn(&here, here.where, "log-style", NULL,
		    "style %s is not supported, the message alone is written",
		    config_log_quote(at, here.where));
		f->format = NULL;
		return;
	}
	here = config_log_at(at, map, "format");
	if (log_pattern_new(&p, f->format, f->datefmt, &e) == 0)
		log_pattern_free(p);
	/* What has no memory here has none in the arena soon. */
	else if (e.code == OVE_INVALID || e.code == OVE_LIMIT)
		config_log_unable(
		    &here, here.where, "log-format", "%s", e.text);
}

/* Handlers */

static const struct {
	const char *name;
	enum log_sink_kind kind;
	bool watch;
	bool rotate;
} classes[] = {
	{ "logging.StreamHandler", LOG_SINK_STREAM, false, false },
	{ "logging.FileHandler", LOG_SINK_FILE, false, false },
	{ "logging.handlers.WatchedFileHandler", LOG_SINK_FILE, true, false },
	{ "logging.handlers.RotatingFileHandler", LOG_SINK_FILE, false, true },
	{ "logging.handlers.SysLogHandler", LOG_SINK_SYSLOG, false, false },
	{ "logging.NullHandler", LOG_SINK_NONE, false, false },
};

static void
read_stream(const struct schema_at *at, const struct node *map,
    struct config_log_handler *h)
{
	struct schema_at here = config_log_at(at, map, "stream");

	h->sink.fd = STDERR_FILENO;
	if (h->stream == NULL || strcmp(h->stream, "ext://sys.stderr") == 0)
		return;
	h->sink.fd = STDOUT_FILENO;
	if (strcmp(h->stream, "ext://sys.stdout") != 0)
		config_log_unable(&here, here.where, "log-stream",
		    "%s is not ext://sys.stdout or ext://sys.stderr",
		    config_log_quote(at, here.where));
}

static void
read_file(const struct schema_at *at, const struct node *map,
    struct config_log_handler *h, bool rotate)
{
	struct schema_at here = config_log_at(at, map, "mode");

	if (node_get(map, "filename") == NULL)
		config_log_unable(
		    at, at->where, "required", "'filename' is missing");
	if (h->mode != NULL && strcmp(h->mode, "a") != 0 &&
	    strcmp(h->mode, "w") != 0)
		config_log_unable(&here, here.where, "log-mode",
		    "%s is not one of: a, w", config_log_quote(at, here.where));
	h->sink.path = h->filename;
	h->sink.truncate =
	    h->mode != NULL && *h->mode == 'w' && !(rotate && h->max_bytes > 0);
	if (rotate) {
		h->sink.max_bytes = h->max_bytes;
		h->sink.backups = (unsigned)h->backups;
	}
}

static bool
read_host(const struct node *list, struct log_syslog_config *c)
{
	const struct node *port;

	if (list->type != NODE_LIST || list->u.list.n != 2)
		return false;
	port = list->u.list.items[1];
	c->host = node_text(list->u.list.items[0]);
	if (c->host == NULL || *c->host == '\0' || port->type != NODE_INT ||
	    port->big || port->u.i < 1 || port->u.i > 65535)
		return false;
	c->port = (uint16_t)port->u.i;
	return true;
}

static bool
read_facility(const struct node *n, struct log_syslog_config *c)
{
	c->facility = -1;
	if (node_text(n) != NULL)
		c->facility = log_facility_from_string(node_text(n));
	else if (n->type == NODE_INT && !n->big && n->u.i >= 0 &&
	    n->u.i < LOG_FACILITY_COUNT)
		c->facility = (int)n->u.i;
	return c->facility >= 0;
}

static void
read_syslog(const struct schema_at *at, const struct node *map,
    struct config_log_handler *h)
{
	struct log_syslog_config *c = &h->sink.syslog;
	struct schema_at here = config_log_at(at, map, "address");

	/* Python's. */
	c->host = "localhost";
	c->port = CONFIG_SYSLOG_PORT;
	c->facility = log_facility_from_string("user");
	if (node_text(h->address) != NULL) {
		c->path = node_text(h->address);
		c->host = NULL;
	} else if (h->address != NULL && !read_host(h->address, c)) {
		config_log_unable(&here, h->address, "log-address",
		    "%s is not the path of a socket or [host, port]",
		    config_log_quote(at, h->address));
	}
	here = config_log_at(at, map, "facility");
	if (h->facility != NULL && !read_facility(h->facility, c))
		config_log_unable(&here, h->facility, "log-facility",
		    "%s is not a facility of syslog",
		    config_log_quote(at, h->facility));
}

static void
check_handler(const struct schema_at *at, const struct node *map, void *field)
{
	struct config_log_handler *h = field;
	struct schema_at here = config_log_at(at, map, "class");
	size_t i;

	h->sink.level = threshold_of(h->level);
	h->sink.format = LOG_FORMAT_PATTERN;
	for (i = 0; i < ARRAY_LEN(classes); i++)
		if (h->class != NULL && strcmp(classes[i].name, h->class) == 0)
			break;
	if (i < ARRAY_LEN(classes)) {
		h->sink.kind = classes[i].kind;
		h->sink.watch = classes[i].watch;
	} else if (h->class != NULL) {
		schema_warn(&here, here.where, "log-class", NULL,
		    "class %s is not supported, using standard error",
		    config_log_quote(at, here.where));
		h->stream = NULL;
	} else if (h->factory == NULL && node_get(map, "class") == NULL) {
		config_log_unable(
		    at, at->where, "required", "'class' is missing");
	}
	if (h->sink.kind == LOG_SINK_STREAM)
		read_stream(at, map, h);
	else if (h->sink.kind == LOG_SINK_FILE)
		read_file(at, map, h, classes[i].rotate);
	else if (h->sink.kind == LOG_SINK_SYSLOG)
		read_syslog(at, map, h);
}

/* Tables */

/* clang-format off */
static const struct schema_row formatter_rows[] = {
	SCHEMA_ROW(config_log_formatter, "format", STR, format, NULL, 0,
	    "Form of a line."),
	SCHEMA_ROW(config_log_formatter, "datefmt", STR, datefmt, NULL, 0,
	    "Form of asctime, as strftime(3) has it."),
	SCHEMA_ROW(config_log_formatter, "style", STR, style, NULL, 0,
	    "Of the format; % only."),
	SCHEMA_ROW(config_log_formatter, "class", NODE, factory, NULL, 0,
	    "No effect.", .check = config_warn_unused),
	SCHEMA_ROW(config_log_formatter, "()", NODE, factory, NULL, 0,
	    "No effect.", .check = config_warn_unused),
};
static const struct schema_row handler_rows[] = {
	SCHEMA_ROW(config_log_handler, "class", STR, class, NULL, 0, "What it is."),
	SCHEMA_ROW(config_log_handler, "level", NODE, level, NULL, 0,
	    "Its threshold.", .check = config_check_level),
	SCHEMA_ROW(config_log_handler, "formatter", STR, formatter, NULL, 0,
	    "Name of a formatter."),
	SCHEMA_ROW(config_log_handler, "stream", STR, stream, NULL, 0,
	    "Standard output or error."),
	SCHEMA_ROW(config_log_handler, "filename", STR, filename, NULL, 0, "The file."),
	SCHEMA_ROW(config_log_handler, "mode", STR, mode, NULL, 0, "a or w."),
	SCHEMA_ROW(config_log_handler, "maxBytes", INT, max_bytes, "0", 0,
	    "Size at which the file is turned over.", .max = SCHEMA_NO_MAX),
	SCHEMA_ROW(config_log_handler, "backupCount", INT, backups, "0", 0,
	    "Old files to keep.", .max = LOG_BACKUPS_MAX),
	SCHEMA_ROW(config_log_handler, "address", NODE, address, NULL, 0,
	    "Where syslogd listens."),
	SCHEMA_ROW(config_log_handler, "facility", NODE, facility, NULL, 0,
	    "Of syslog: a name or a number."),
	SCHEMA_ROW(config_log_handler, "filters", NODE, filters, NULL, 0,
	    "No effect.", .check = config_warn_unused),
	SCHEMA_ROW(config_log_handler, "()", NODE, factory, NULL, 0,
	    "No effect.", .check = config_warn_unused),
};
/* clang-format on */

static const struct schema formatter_schema = {
	SCHEMA_TABLE("formatter", formatter_rows, config_log_formatter),
	.flags = SCHEMA_UNKNOWN_IGNORE,
	.check = check_formatter,
};
static const struct schema handler_schema = {
	SCHEMA_TABLE("handler", handler_rows, config_log_handler),
	.flags = SCHEMA_UNKNOWN_IGNORE,
	.check = check_handler,
};
const struct schema_row config_formatter_row = { .type = SCHEMA_STRUCT,
	.sub = &formatter_schema };
const struct schema_row config_handler_row = { .type = SCHEMA_STRUCT,
	.sub = &handler_schema };
