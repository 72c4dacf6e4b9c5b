/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * log_config: the mapping that the original hands to Python's logging
 * (config.md 2.8), checked as far as the contract says and turned into loggers
 * and sinks of lib/base/log.h. Unknown keys are left alone; what Python can do
 * with code of its own (filters, factories, other classes) gets a warning.
 *
 * Tables say what there may be; config_handler.c checks what a handler, a
 * formatter and a level are, and here is what refers to them. Findings begin as
 * Python's do.
 */

#include "proto/config_log_internal.h"

#include <string.h>

#include "lib/base/num.h"

/* The daemon adds its own sinks. */
#define HANDLERS_MAX (LOG_SINKS_MAX - 2)

struct logger {
	const struct node *level;
	/* As Python has it: anything but 0. */
	int64_t propagate;
	struct schema_strs handlers;
	const struct node *filters;
};

struct log_map {
	const struct node *version;
	SCHEMA_MAP_OF(struct config_log_formatter) formatters;
	const struct node *filters;
	SCHEMA_MAP_OF(struct config_log_handler) handlers;
	SCHEMA_MAP_OF(struct logger) loggers;
	struct logger root;
	bool incremental;
	bool disable;
};

static const struct node *
given(const struct node *n)
{
	return n != NULL && n->type != NODE_NULL ? n : NULL;
}

static void
check_filters(const struct schema_at *at, const struct node *n, void *field)
{
	if (n->type != NODE_MAP)
		schema_fault_type(at, n, SCHEMA_GROUP);
	else
		config_warn_unused(at, n, field);
}

/* Tables */

/* clang-format off */
static const struct schema_row str_row = { .type = SCHEMA_STR };
static const struct schema_row logger_rows[] = {
	SCHEMA_ROW(logger, "level", NODE, level, NULL, 0,
	    "Its threshold.", .check = config_check_level),
	SCHEMA_ROW(logger, "propagate", INT, propagate, "1", 0,
	    "Whether the handlers of its parents get its records too."),
	SCHEMA_ROW_MANY(logger, "handlers", LIST, handlers, NULL, 0,
	    "Names of handlers.", .elem = &str_row),
	SCHEMA_ROW(logger, "filters", NODE, filters, NULL, 0,
	    "No effect.", .check = config_warn_unused),
};
/* clang-format on */

static const struct schema logger_schema = {
	SCHEMA_TABLE("logger", logger_rows, logger),
	.flags = SCHEMA_UNKNOWN_IGNORE,
};
static const struct schema_row logger_row = { .type = SCHEMA_STRUCT,
	.sub = &logger_schema };

/* clang-format off */
static const struct schema_row log_rows[] = {
	SCHEMA_ROW(log_map, "version", NODE, version, NULL, 0, "1."),
	SCHEMA_ROW_MANY(log_map, "formatters", MAP, formatters, NULL, 0,
	    "Forms of lines.", .elem = &config_formatter_row),
	SCHEMA_ROW(log_map, "filters", NODE, filters, NULL, 0,
	    "No effect.", .check = check_filters),
	SCHEMA_ROW_MANY(log_map, "handlers", MAP, handlers, NULL, 0,
	    "Where records go.", .elem = &config_handler_row),
	SCHEMA_ROW_MANY(log_map, "loggers", MAP, loggers, NULL, 0,
	    "What records there are.", .elem = &logger_row),
	SCHEMA_ROW_MANY(log_map, "root", STRUCT, root, NULL, 0,
	    "The parent of all loggers.", .sub = &logger_schema),
	SCHEMA_ROW(log_map, "incremental", BOOL, incremental, "false", 0,
	    "No effect."),
	SCHEMA_ROW(log_map, "disable_existing_loggers", BOOL, disable, "false",
	    0, "No effect."),
};
/* clang-format on */
static const struct schema log_schema = {
	SCHEMA_TABLE("log_config", log_rows, log_map),
	.flags = SCHEMA_UNKNOWN_IGNORE,
};

/* The whole */

static void
check_version(
    const struct schema_at *at, const struct node *map, const struct node *n)
{
	struct schema_at here = config_log_at(at, map, "version");

	if (n == NULL)
		schema_fault(at, at->where, "required", "add 'version: 1'",
		    "dictionary doesn't specify a version");
	else if (n->type != NODE_INT || n->big || n->u.i != 1)
		schema_fault(&here, n, "log-version", NULL,
		    "unsupported version: %s, 1 is supported",
		    config_log_quote(at, n));
}

/* What the file has of an element that was bound. */
static const struct node_pair *
pair_of(const struct node *map, const char *key)
{
	const struct node_pair *p = map->u.map.pairs;

	while (p->key->type != NODE_STR || strcmp(p->key->u.str.s, key) != 0)
		p++;
	return p;
}

/* n when it is none of them. */
static size_t
index_of(const char *const *keys, size_t n, const char *key)
{
	size_t i;

	for (i = 0; i < n && strcmp(keys[i], key) != 0; i++)
		continue;
	return i;
}

static void
build_handler(const struct schema_at *at, const struct node *map,
    const struct log_map *m, size_t i, struct config_log *ret)
{
	const struct node_pair *pair = pair_of(map, m->handlers.keys[i]);
	const struct config_log_handler *h = &m->handlers.items[i];
	struct schema_at here = schema_at_pair(at, pair), deeper;
	const struct node *n = given(node_get(pair->value, "filename"));
	struct log_sink_config *s = &ret->sinks[i];
	size_t k;

	*s = h->sink;
	n = n != NULL ? n : pair->key;
	ret->handlers[i].name = m->handlers.keys[i];
	ret->handlers[i].pos = (struct diag_pos){ n->line, n->col };
	if (h->formatter == NULL)
		return;
	k = index_of(m->formatters.keys, m->formatters.n, h->formatter);
	if (k < m->formatters.n) {
		s->pattern = m->formatters.items[k].format;
		s->datefmt = m->formatters.items[k].datefmt;
		return;
	}
	deeper = config_log_at(&here, pair->value, "formatter");
	config_log_unable(&deeper, deeper.where, "log-formatter",
	    "%s is not defined in log_config.formatters",
	    config_log_quote(at, deeper.where));
}

/* at is the logger, map what the file has of it. */
static void
build_logger(const struct schema_at *at, const struct node *map,
    const struct log_map *m, const struct logger *from, struct log_logger *ret)
{
	struct schema_at here = config_log_at(at, map, "handlers"), item;
	size_t i, k;

	(void)config_level_of(from->level, &ret->level);
	ret->stop = from->propagate == 0;
	for (i = 0; i < from->handlers.n; i++) {
		if (from->handlers.items[i] == NULL)
			continue;
		k = index_of(
		    m->handlers.keys, m->handlers.n, from->handlers.items[i]);
		if (k < m->handlers.n) {
			ret->sinks |= (uint64_t)1 << k;
			continue;
		}
		item = schema_at_item(&here, here.where->u.list.items[i], i);
		config_log_unable(&item, item.where, "log-handler",
		    "%s is not defined in log_config.handlers",
		    config_log_quote(at, item.where));
	}
}

/* A root that is told no level has Python's, and one that has NOTSET takes
 * all. */
static void
build_root(const struct schema_at *at, const struct node *map,
    const struct log_map *m, const struct logger *from, struct log_logger *ret)
{
	build_logger(at, map, m, from, ret);
	ret->name = "";
	if (from->level == NULL)
		ret->level = LOG_LEVEL_WARN;
	else if (ret->level == LOG_LEVEL_INHERIT)
		ret->level = LOG_LEVEL_DEBUG;
}

/* The root has three names; `root` itself wins. */
static void
build_loggers(const struct schema_at *at, const struct node *map,
    const struct log_map *m, struct config_log *ret)
{
	struct schema_at all = config_log_at(at, map, "loggers"), here;
	const struct node_pair *pair;
	const char *name;
	bool done = given(node_get(map, "root")) != NULL;
	size_t i, n = 1;

	here = config_log_at(at, map, "root");
	build_root(&here, here.where, m, &m->root, &ret->loggers[0]);
	for (i = 0; i < m->loggers.n; i++) {
		name = m->loggers.keys[i];
		pair = pair_of(all.where, name);
		here = schema_at_pair(&all, pair);
		if (*name != '\0' && strcmp(name, "root") != 0) {
			ret->loggers[n].name = name;
			build_logger(&here, pair->value, m,
			    &m->loggers.items[i], &ret->loggers[n++]);
		} else if (!done) {
			done = true;
			build_root(&here, pair->value, m, &m->loggers.items[i],
			    &ret->loggers[0]);
		}
	}
	ret->loggers_n = n;
}

static struct config_log *
build(
    const struct schema_at *at, const struct node *map, const struct log_map *m)
{
	struct arena *a = at->run->arena;
	struct schema_at handlers = config_log_at(at, map, "handlers");
	struct config_log *ret = arena_calloc(a, 1, sizeof(*ret));
	size_t i, n = m->handlers.n;

	if (ret == NULL ||
	    (ret->sinks = arena_calloc(a, n + 1, sizeof(*ret->sinks))) ==
		NULL ||
	    (ret->handlers = arena_calloc(a, n + 1, sizeof(*ret->handlers))) ==
		NULL ||
	    (ret->loggers = arena_calloc(
		 a, m->loggers.n + 1, sizeof(*ret->loggers))) == NULL)
		return NULL;
	ret->sinks_n = n;
	for (i = 0; i < n; i++)
		build_handler(&handlers, handlers.where, m, i, ret);
	build_loggers(at, map, m, ret);
	return ret;
}

void
config_check_log(const struct schema_at *at, const struct node *n, void *field)
{
	struct config *c = container_of(
	    (const struct node **)field, struct config, log_config);
	struct schema_at handlers;
	struct log_map m;

	if (n->type != NODE_MAP) {
		schema_fault_type(at, n, SCHEMA_GROUP);
		return;
	}
	schema_bind_in(at, &log_schema, n, &m);
	check_version(at, n, m.version);
	if (m.handlers.n > HANDLERS_MAX) {
		handlers = config_log_at(at, n, "handlers");
		schema_fault(&handlers, handlers.where, "length", NULL,
		    "more than %d handlers", HANDLERS_MAX);
	} else if (m.loggers.n > 0 || given(node_get(n, "root")) != NULL) {
		c->logging = build(at, n, &m);
	}
}

/* log.syslog_address */

bool
config_syslog_address(
    const char *text, struct arena *a, struct log_syslog_config *ret)
{
	const char *host = text, *rest;
	uint64_t port = CONFIG_SYSLOG_PORT;
	size_t len;

	if (*text == '/') {
		ret->path = text;
		return true;
	}
	if (*text == '[') {
		len = strcspn(++host, "]");
		rest = host[len] == ']' ? host + len + 1 : "?";
	} else {
		len = strcspn(text, ":");
		rest = text + len;
	}
	if (len == 0 ||
	    (*rest != '\0' &&
		(*rest != ':' || num_u64(rest + 1, 1, 65535, &port, NULL) < 0)))
		return false;
	ret->host = arena_strndup(a, host, len);
	ret->port = (uint16_t)port;
	return ret->host != NULL;
}

void
config_check_syslog_address(
    const struct schema_at *at, const struct node *n, void *field)
{
	struct log_syslog_config c = { .path = NULL };

	(void)field;
	if (!config_syslog_address(n->u.str.s, at->run->arena, &c))
		schema_fault(at, n, "address", NULL,
		    "%s is not an address (PATH, ADDRESS, ADDRESS:PORT or "
		    "[IPV6]:PORT)",
		    config_log_quote(at, n));
}
