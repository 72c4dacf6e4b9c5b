/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * log_config: the mapping that the original hands to Python's logging
 * (config.md 2.8). It is checked as far as the contract says, unknown keys are
 * left alone, and of its meaning two things are taken over: the level and the
 * file of the logger "overlord", or of root. What else it can say has no effect
 * on a daemon that writes one log in a format of its own; a handler of another
 * class gets a warning.
 */

#include "proto/config_internal.h"

#include <string.h>

static const struct {
	const char *name;
	int64_t value;
	const char *ours;
} levels[] = {
	{ "CRITICAL", 50, "error" },
	{ "FATAL", 50, "error" },
	{ "ERROR", 40, "error" },
	{ "WARNING", 30, "warn" },
	{ "WARN", 30, "warn" },
	{ "INFO", 20, "info" },
	{ "DEBUG", 10, "debug" },
	{ "NOTSET", 0, NULL },
};

static const struct {
	const char *name;
	/* Writes to its `filename`. */
	bool file;
	bool quiet;
} classes[] = {
	{ "logging.StreamHandler", false, true },
	{ "logging.NullHandler", false, true },
	{ "logging.FileHandler", true, true },
	{ "logging.handlers.WatchedFileHandler", true, true },
	{ "logging.handlers.RotatingFileHandler", true, true },
};

static const struct node *
get(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	return n != NULL && n->type != NODE_NULL ? n : NULL;
}

/* false: not a level. *ret is NULL for NOTSET. */
static bool
level_of(const struct node *n, const char **ret)
{
	const char *text = node_text(n);
	int64_t v = n->type == NODE_BOOL ? n->u.b : n->u.i;
	size_t i;

	*ret = NULL;
	if (n->type == NODE_INT || n->type == NODE_BOOL) {
		/* The nearest level at or below it. */
		if (n->big || v > 50)
			*ret = "error";
		else if (v > 0 && v < 10)
			*ret = "debug";
		for (i = 0; !n->big && *ret == NULL && i < ARRAY_LEN(levels);
		     i++) {
			if (v >= levels[i].value)
				*ret = levels[i].ours;
		}
		return true;
	}
	for (i = 0; text != NULL && i < ARRAY_LEN(levels); i++) {
		if (strcmp(levels[i].name, text) == 0) {
			*ret = levels[i].ours;
			return true;
		}
	}
	return false;
}

static void
check_level(const struct schema_at *at, const struct node *map)
{
	const struct node *n = get(map, "level");
	struct schema_at here = {
		.run = at->run, .up = at, .key = "level", .where = n
	};
	const char *level;

	if (n != NULL && !level_of(n, &level))
		schema_fault(&here, n, "log-level", NULL,
		    "%s is not one of: CRITICAL, ERROR, WARNING, INFO, DEBUG, "
		    "NOTSET, or an integer",
		    schema_quote(at->run->arena, n));
}

/* Every handler that is named must be defined. */
static void
check_names(const struct schema_at *at, const struct node *map,
    const struct node *handlers)
{
	const struct node *list = get(map, "handlers"), *n;
	struct schema_at here = {
		.run = at->run, .up = at, .key = "handlers", .where = list
	};
	struct schema_at item;
	size_t i;

	if (list == NULL)
		return;
	if (list->type != NODE_LIST) {
		schema_fault_type(&here, list, SCHEMA_LIST);
		return;
	}
	for (i = 0; i < list->u.list.n; i++) {
		n = list->u.list.items[i];
		item = schema_at_item(&here, n, i);
		if (node_text(n) == NULL)
			schema_fault_type(&item, n, SCHEMA_STR);
		else if (node_get(handlers, node_text(n)) == NULL)
			schema_fault(&item, n, "log-handler", NULL,
			    "%s is not defined in log_config.handlers",
			    schema_quote(at->run->arena, n));
	}
}

static void
check_class(const struct schema_at *at, const struct node *map)
{
	const struct node *n = get(map, "class");
	const char *text = node_text(n);
	size_t i;

	for (i = 0; text != NULL && i < ARRAY_LEN(classes); i++) {
		if (strcmp(classes[i].name, text) == 0)
			return;
	}
	if (n != NULL)
		schema_warn(at, n, "log-class", NULL,
		    "class %s is not supported, using standard error",
		    schema_quote(at->run->arena, n));
}

enum part {
	PART_HANDLERS,
	PART_LOGGERS
};

static void
check_each(const struct schema_at *at, const struct node *map, enum part part,
    const struct node *handlers)
{
	const struct node_pair *p;
	struct schema_at here;
	size_t i;

	for (i = 0; i < map->u.map.n; i++) {
		p = &map->u.map.pairs[i];
		here = schema_at_pair(at, p);
		if (p->value->type != NODE_MAP) {
			schema_fault_type(&here, p->value, SCHEMA_GROUP);
			continue;
		}
		check_level(&here, p->value);
		if (part == PART_HANDLERS)
			check_class(&here, p->value);
		else
			check_names(&here, p->value, handlers);
	}
}

static void
check_version(const struct schema_at *at, const struct node *map)
{
	const struct node *n = get(map, "version");
	struct schema_at here = {
		.run = at->run, .up = at, .key = "version", .where = n
	};

	if (n == NULL)
		schema_fault_missing(at, "version");
	else if (n->type != NODE_INT || n->big || n->u.i != 1)
		schema_fault(&here, n, "log-version", NULL,
		    "%s is not a version, 1 is",
		    schema_quote(at->run->arena, n));
}

/* NULL when it is absent or of a wrong type, which is reported. */
static const struct node *
container(const struct schema_at *at, const struct node *map, const char *key,
    enum schema_type type)
{
	const struct node *n = get(map, key);
	struct schema_at here = {
		.run = at->run, .up = at, .key = key, .where = n
	};

	if (n == NULL ||
	    n->type == (type == SCHEMA_BOOL ? NODE_BOOL : NODE_MAP))
		return n;
	schema_fault_type(&here, n, type);
	return NULL;
}

void
config_check_log(const struct schema_at *at, const struct node *n, void *field)
{
	const struct node *handlers, *loggers, *root;
	struct schema_at here = { .run = at->run, .up = at };

	(void)field;
	if (n->type != NODE_MAP) {
		schema_fault_type(at, n, SCHEMA_GROUP);
		return;
	}
	check_version(at, n);
	(void)container(at, n, "formatters", SCHEMA_GROUP);
	(void)container(at, n, "filters", SCHEMA_GROUP);
	(void)container(at, n, "incremental", SCHEMA_BOOL);
	(void)container(at, n, "disable_existing_loggers", SCHEMA_BOOL);
	handlers = container(at, n, "handlers", SCHEMA_GROUP);
	loggers = container(at, n, "loggers", SCHEMA_GROUP);
	root = container(at, n, "root", SCHEMA_GROUP);
	if (handlers != NULL) {
		here.key = "handlers";
		here.where = handlers;
		check_each(&here, handlers, PART_HANDLERS, handlers);
	}
	if (loggers != NULL) {
		here.key = "loggers";
		here.where = loggers;
		check_each(&here, loggers, PART_LOGGERS, handlers);
	}
	if (root != NULL) {
		here.key = "root";
		here.where = root;
		check_level(&here, root);
		check_names(&here, root, handlers);
	}
}

/* The file of the first handler that a logger names and that writes to one. */
static const char *
file_of(const struct node *log_config, const struct node *logger)
{
	const struct node *list = get(logger, "handlers"), *h;
	const char *name, *class;
	size_t i, k;

	for (i = 0; list != NULL && i < list->u.list.n; i++) {
		name = node_text(list->u.list.items[i]);
		h = name != NULL ? get(get(log_config, "handlers"), name)
				 : NULL;
		class = node_text(get(h, "class"));
		for (k = 0; class != NULL && k < ARRAY_LEN(classes); k++) {
			if (classes[k].file &&
			    strcmp(classes[k].name, class) == 0)
				return node_text(get(h, "filename"));
		}
	}
	return NULL;
}

void
config_log_effect(const struct node *log_config, const char **ret_level,
    const char **ret_file)
{
	const struct node *who[2], *level;
	const char *file;
	size_t i;

	*ret_level = *ret_file = NULL;
	if (log_config == NULL)
		return;
	who[0] = get(get(log_config, "loggers"), "overlord");
	who[1] = get(log_config, "root");
	for (i = 0; i < ARRAY_LEN(who); i++) {
		level = get(who[i], "level");
		if (*ret_level == NULL && level != NULL)
			(void)level_of(level, ret_level);
		file = file_of(log_config, who[i]);
		if (*ret_file == NULL)
			*ret_file = file;
	}
}
