/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Loading the configuration: text to tree to struct by the table, then what no
 * row can say, in finish(): defaults that depend on other options or on the
 * machine, keywords, addresses to listen on, and notices about options of
 * services that are no more. After that the struct does not change.
 */

#include "proto/config.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <config.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/data/yaml.h"
#include "proto/config_internal.h"

/* A configuration is small; 64 MiB is what a YAML text may have. */
#define CONFIG_TEXT_MAX (1u << 20)
#define DIFF_ARENA_MAX (16u << 20)

struct finish {
	struct config *c;
	/* NULL: no file, or an empty one. */
	const struct node *root;
	config_env_fn *env;
	void *env_ctx;
	struct arena *a;
	struct diag *d;
};

static const struct node *
given(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	return n != NULL && n->type != NODE_NULL ? n : NULL;
}

static void
default_path(const struct finish *f, const char **field, const char *dir,
    const char *name)
{
	if (*field == NULL)
		*field = arena_printf(f->a, "%s/%s", dir, name);
}

static void
finish_paths(const struct finish *f)
{
	struct config *c = f->c;
	const char *home;

	default_path(f, &c->serverid, c->statedir, "serverid");
	default_path(f, &c->secret_keyfile, c->statedir, "keyfile");
	default_path(
	    f, &c->beanstalkd_secret, c->statedir, "beanstalkd_secret");
	default_path(f, &c->metadata.location, c->statedir, "metadata");
	default_path(f, &c->metadata.namespaces, c->statedir, "namespace");
	default_path(f, &c->components, c->statedir, "components");
	default_path(f, &c->pidfile, c->rundir, "overlordd.pid");
	default_path(f, &c->helper, OVERLORD_LIBEXECDIR, "overlord-exec");
	if (c->libexec == NULL)
		c->libexec = OVERLORD_LIBEXECDIR;
	home = f->env != NULL ? f->env("HOME", f->env_ctx) : NULL;
	default_path(f, &c->director.logs,
	    home != NULL && *home != '\0' ? home : "/root", ".director/logs");
}

static void
set_words(
    const struct finish *f, struct schema_strs *field, const char *const *words)
{
	size_t i, n;

	for (n = 0; words[n] != NULL; n++)
		continue;
	field->items = arena_calloc(f->a, n, sizeof(*field->items));
	if (field->items == NULL)
		return;
	for (i = 0; i < n; i++)
		field->items[i] = words[i];
	field->n = n;
}

/* config.md 2.4.2: short lists without `polling`, all of them with it. */
static void
finish_keywords(const struct finish *f)
{
	const struct node *polling = given(f->root, "polling");
	const struct node *keywords = given(polling, "keywords");
	const struct config_keywords_table *t;
	size_t i;

	for (i = 0; i < CONFIG_KEYWORDS_COUNT; i++) {
		t = &config_keywords[i];
		if (given(keywords, t->key) == NULL)
			set_words(f,
			    (struct schema_strs *)(void *)((char *)f->c +
				t->offset),
			    polling != NULL ? t->all : t->brief);
	}
}

static void
finish_etcd(const struct finish *f)
{
	const struct schema_row *row;
	struct schema_run run = { .arena = f->a, .diag = f->d };

	if (given(f->root, "etcd") != NULL)
		return;
	row = schema_find(&config_schema, "etcd");
	f->c->etcd.keys = arena_calloc(f->a, 1, sizeof(*f->c->etcd.keys));
	f->c->etcd.items = arena_calloc(f->a, 1, sizeof(*f->c->etcd.items));
	if (row == NULL || f->c->etcd.keys == NULL || f->c->etcd.items == NULL)
		return;
	f->c->etcd.keys[0] = "localhost";
	f->c->etcd.n = 1;
	/* It has no key that must be there. */
	(void)schema_bind(&run, row->elem->sub, NULL, f->c->etcd.items, NULL);
}

static void
finish_machine(const struct finish *f)
{
	struct node *addr;
	long n;

	if (f->c->max_watch_commands == SCHEMA_NONE) {
		n = sysconf(_SC_NPROCESSORS_ONLN);
		f->c->max_watch_commands = n > 0 ? n : 1;
	}
	if (given(f->root, "memcache") != NULL &&
	    given(given(f->root, "memcache"), "pool_idle_timeout") == NULL)
		f->c->memcache.pool_idle_timeout = 2;
	if (f->c->beanstalkd_addr == NULL) {
		addr = node_new(f->a, NODE_LIST);
		node_add(f->a, addr, node_str(f->a, "127.0.0.1"));
		node_add(f->a, addr, node_int(f->a, 11300));
		f->c->beanstalkd_addr = addr;
	}
}

static void
finish_log(const struct finish *f)
{
	if (f->c->log.level == NULL && f->c->logging == NULL)
		f->c->log.level = "info";
	if (f->c->debug)
		f->c->log.level = "debug";
}

static void
add_addresses(const struct finish *f, struct schema_strs *field, int64_t port)
{
	static const char *const every[] = { "*" };
	const struct schema_strs *listen = &f->c->listen;
	const char *const *from = listen->n > 0 ? listen->items : every;
	size_t i, n = listen->n > 0 ? listen->n : 1;
	struct strbuf b;

	field->items = arena_calloc(f->a, n, sizeof(*field->items));
	if (field->items == NULL)
		return;
	strbuf_init(&b, 4096);
	for (i = 0; i < n; i++) {
		strbuf_reset(&b);
		/* Checked when it was bound. */
		(void)config_listen_address(from[i], port, &b);
		field->items[field->n++] = arena_strdup(f->a, b.buf);
	}
	strbuf_fini(&b);
}

/* The addresses of `listen` without their ports, and without sockets. */
static void
add_tls_addresses(const struct finish *f)
{
	struct schema_strs *t = &f->c->tls_addresses;
	const char *s, *colon;
	size_t i, k;

	if (f->c->tls.certfile == NULL)
		return;
	t->items = arena_calloc(f->a, f->c->addresses.n, sizeof(*t->items));
	for (i = 0; t->items != NULL && i < f->c->addresses.n; i++) {
		s = f->c->addresses.items[i];
		colon = s != NULL ? strrchr(s, ':') : NULL;
		if (colon == NULL || strncmp(s, "unix:", 5) == 0)
			continue;
		s = arena_printf(f->a, "%.*s:%lld", (int)(colon - s), s,
		    (long long)f->c->tls.port);
		if (s == NULL)
			return;
		/* Two ports of one address have one TLS port. */
		for (k = 0; k < t->n && strcmp(t->items[k], s) != 0; k++)
			continue;
		if (k == t->n)
			t->items[t->n++] = s;
	}
}

static void
warn_deprecated(const struct finish *f)
{
	const struct schema_row *row;
	const struct node *key;
	size_t i;

	for (i = 0; f->root != NULL && i < f->root->u.map.n; i++) {
		key = f->root->u.map.pairs[i].key;
		row = schema_find(&config_schema, node_text(key));
		if (row == NULL || !(row->flags & SCHEMA_DEPRECATED))
			continue;
		diag_warn(f->d, (struct diag_pos){ key->line, key->col },
		    "deprecated", row->key, NULL,
		    "deprecated, has no effect: the built-in store replaces "
		    "%s",
		    strcmp(row->key, "memcache") == 0 ? "memcached"
						      : "beanstalkd");
	}
}

static int
bind(struct finish *f, struct error *e)
{
	struct schema_run run = {
		.mode = SCHEMA_FILE, .arena = f->a, .diag = f->d
	};

	if (schema_bind(&run, &config_schema, f->root, f->c, e) == -1)
		return -1;
	warn_deprecated(f);
	finish_paths(f);
	finish_keywords(f);
	finish_etcd(f);
	finish_machine(f);
	finish_log(f);
	add_addresses(f, &f->c->addresses, f->c->port);
	add_tls_addresses(f);
	return arena_check(f->a, e);
}

int
config_parse(const char *text, size_t len, config_env_fn *env, void *env_ctx,
    struct arena *a, struct diag *d, struct config **ret, struct error *e)
{
	struct yaml_options options = { .env = env, .env_ctx = env_ctx };
	struct finish f = { .env = env, .env_ctx = env_ctx, .a = a, .d = d };
	struct node *root;

	root = NULL;
	if (yaml_read(text, len, &options, a, &root, d, e) == -1)
		return -1;
	f.c = arena_alloc(a, sizeof(*f.c));
	if (f.c == NULL)
		return arena_check(a, e);
	f.root = root != NULL && root->type != NODE_NULL ? root : NULL;
	if (bind(&f, e) == -1)
		return -1;
	*ret = f.c;
	return 0;
}

int
config_load(const char *path, config_env_fn *env, void *env_ctx,
    struct arena *a, struct diag *d, struct config **ret, struct error *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (path == NULL)
		return config_parse("", 0, env, env_ctx, a, d, ret, e);
	if (file_read(AT_FDCWD, path, CONFIG_TEXT_MAX, &text, &len, e) == -1)
		return -1;
	return config_parse(text, len, env, env_ctx, a, d, ret, e);
}

struct node *
config_to_node(const struct config *c, int flags, struct arena *a)
{
	return schema_dump(&config_schema, c, flags, a);
}

int
config_diff(const struct config *old, const struct config *new,
    schema_diff_fn *fn, void *ctx, struct error *e)
{
	AUTO_ARENA struct arena a;

	arena_init(&a, DIFF_ARENA_MAX);
	return schema_diff(&config_schema, old, new, &a, fn, ctx, e);
}
