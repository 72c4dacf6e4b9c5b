/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The configuration: the contract's examples and their print-config, every
 * invalid example by rule and key, defaults, log_config, addresses, reload, and
 * the sample file against the table.
 */

#include "proto/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/data/json.h"
#include "proto/config_internal.h"
#include "support/examples.h"
#include "support/test.h"
#include "support/torture.h"

struct fixture {
	struct arena a;
	struct diag d;
	struct error e;
	struct config *c;
	int rc;
};

static const char *
env(const char *name, void *ctx)
{
	(void)ctx;
	return strcmp(name, "HOME") == 0 ? "/root" : NULL;
}

static void
parse(struct fixture *f, const char *text)
{
	memset(f, 0, sizeof(*f));
	arena_init(&f->a, 8 << 20);
	diag_init(&f->d, &f->a, "overlord.yml");
	f->rc = config_parse(
	    text, strlen(text), env, NULL, &f->a, &f->d, &f->c, &f->e);
}

static void
parse_ok(struct fixture *f, const char *text)
{
	parse(f, text);
	test_ok(f->rc, &f->e);
}

static void
table_is_sound(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(schema_verify(&config_schema, &e), &e);
}

/* Every option of the table has its sentence. */
static void
every_row_has_a_doc_line(void **state)
{
	size_t i, len;

	(void)state;
	for (i = 0; i < config_schema.n; i++) {
		len = config_schema.rows[i].doc != NULL
		    ? strlen(config_schema.rows[i].doc)
		    : 0;
		if (len == 0 || config_schema.rows[i].doc[len - 1] == ',')
			fail_msg("%s", config_schema.rows[i].key);
	}
}

static void
defaults(void **state)
{
	struct fixture f;

	(void)state;
	parse_ok(&f, "");
	assert_int_equal(f.c->port, 8888);
	assert_string_equal(f.c->serverid, "/var/db/overlord/serverid");
	assert_string_equal(f.c->pidfile, "/var/run/overlord/overlordd.pid");
	assert_string_equal(f.c->director.logs, "/root/.director/logs");
	assert_int_equal(f.c->execution_time_ms, 10800000);
	assert_true(f.c->polling.heartbeat_ms < 0);
	assert_int_equal(f.c->polling.skew_ms.items[1], 10000);
	assert_int_equal(f.c->polling.keywords.jail.n, 6);
	assert_int_equal(f.c->memcache.pool_idle_timeout, 0);
	assert_int_equal(f.c->etcd.n, 1);
	assert_int_equal(f.c->etcd.items[0].port, 2379);
	assert_true(f.c->max_watch_commands > 0);
	assert_string_equal(f.c->labels.items[0], "all");
	assert_string_equal(f.c->log.level, "info");
	assert_int_equal(f.c->addresses.n, 1);
	assert_string_equal(f.c->addresses.items[0], "*:8888");
	assert_int_equal(f.c->tls_addresses.n, 0);
	assert_null(f.c->dataplaneapi.entrypoint);
	assert_int_equal(f.c->dataplaneapi.t.read_ms, 30000);
	assert_int_equal(f.c->limits.body_bytes, 8388608);
	assert_int_equal(f.d.n, 0);
	arena_fini(&f.a);
}

/* Paths follow statedir; keywords follow the presence of `polling`. */
static void
defaults_that_depend(void **state)
{
	struct fixture f;

	(void)state;
	parse_ok(&f,
	    "statedir: /tmp/s\nrundir: /tmp/r\npolling: {}\nmemcache: {}\n"
	    "execution_time: null\netcd: {}\nserverid: /x\n");
	assert_string_equal(f.c->serverid, "/x");
	assert_string_equal(f.c->secret_keyfile, "/tmp/s/keyfile");
	assert_string_equal(f.c->metadata.namespaces, "/tmp/s/namespace");
	assert_string_equal(f.c->pidfile, "/tmp/r/overlordd.pid");
	assert_int_equal(f.c->polling.keywords.jail.n, 32);
	assert_int_equal(f.c->polling.keywords.expose.n, 9);
	assert_int_equal(f.c->memcache.pool_idle_timeout, 2);
	assert_int_equal(f.c->etcd.n, 0);
	assert_true(f.c->execution_time_ms <= 0);
	assert_int_equal(f.d.warnings, 1);
	arena_fini(&f.a);
}

/* The upstream keys of ours, in the golden's order and with its values. */
static struct node *
filter(const struct node *ours, const struct node *golden, struct arena *a)
{
	const struct node *g;
	struct node *n;
	size_t i;

	if (ours->type != NODE_MAP || golden->type != NODE_MAP)
		return node_copy(a, ours);
	n = node_new(a, NODE_MAP);
	for (i = 0; i < ours->u.map.n; i++) {
		g = node_get(golden, node_text(ours->u.map.pairs[i].key));
		if (g != NULL)
			node_set(a, n, node_text(ours->u.map.pairs[i].key),
			    filter(ours->u.map.pairs[i].value, g, a));
	}
	return n;
}

static void
print_config_is_the_original_s(void **state)
{
	AUTO_FREE char *text = NULL, *golden = NULL;
	AUTO_STRBUF struct strbuf b;
	struct fixture f;
	struct node *tree;
	size_t i, n, len;

	(void)state;
	strbuf_init(&b, 1 << 20);
	text = example_read("test/examples/config-full.yml", &len);
	golden = example_read("test/vectors/print-spec/config-full.json", &len);
	parse_ok(&f, text);
	test_ok(json_read(golden, len, &f.a, &tree, &f.e), &f.e);
	json_write(&b, filter(config_to_node(f.c, 0, &f.a), tree, &f.a),
	    JSON_INDENT4_ASCII);
	strbuf_addc(&b, '\n');
	assert_string_equal(b.buf, golden);
	/* Those that are gone, once each. */
	for (i = n = 0; i < f.d.n; i++)
		n += strcmp(f.d.items[i].rule, "deprecated") == 0;
	assert_int_equal(n, 3);
	arena_fini(&f.a);
}

static void
own_keys_follow(void **state)
{
	const struct node *n;
	struct fixture f;
	size_t i;

	(void)state;
	parse_ok(&f, "{}");
	n = config_to_node(f.c, 0, &f.a);
	for (i = 0; i < n->u.map.n; i++) {
		if (strcmp(node_text(n->u.map.pairs[i].key),
			"autoscale_logs_expire_time") == 0)
			break;
	}
	assert_string_equal(node_text(n->u.map.pairs[i + 1].key), "listen");
	assert_string_equal(
	    node_text(n->u.map.pairs[n->u.map.n - 1].key), "store");
	arena_fini(&f.a);
}

static void
secrets_are_stars(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct fixture f;

	(void)state;
	strbuf_init(&b, 1 << 20);
	parse_ok(&f,
	    "secret_key: s3cret\n"
	    "chains: {a: {entrypoint: x, access_token: s3cret}}\n"
	    "haproxy_stats: {entrypoint: x, auth: {username: u, password: "
	    "s3cret}}\n");
	json_write(&b, config_to_node(f.c, SCHEMA_REDACT, &f.a), JSON_COMPACT);
	assert_null(strstr(b.buf, "s3cret"));
	assert_non_null(strstr(b.buf, "********"));
	strbuf_reset(&b);
	json_write(&b, config_to_node(f.c, 0, &f.a), JSON_COMPACT);
	assert_non_null(strstr(b.buf, "s3cret"));
	arena_fini(&f.a);
}

static int
load_example(const char *text, size_t len, struct arena *a, struct diag *d,
    struct error *e)
{
	struct config *c;

	return config_parse(text, len, env, NULL, a, d, &c, e);
}

static const struct example_row invalid[] = {
	{ "config-autodisable-failures", "range", "autodisable.failures", 4, 13,
	    "autodisable.failures", "must be 1 or more, found 0" },
	{ "config-autodisable-max-increase", "range",
	    "autodisable.max-increase", 5, 17, "autodisable.max-increase",
	    "must be 1 or more, found 0" },
	{ "config-chain-name", "chain", "chains.<item#0>", 4, 3,
	    "chains.\"a.b\"",
	    "'a.b' is not a chain name (letters, digits, _ and -, not - "
	    "first)" },
	{ "config-chain-retry-type", "type", "chains.alpha.retry.total", 4, 58,
	    "chains.alpha.retry.total",
	    "expected a number, found a string ('many')" },
	{ "config-chain-token-missing", "required", "chains.alpha.access_token",
	    4, 3, "chains.alpha", "'access_token' is missing" },
	{ "config-dataplaneapi-auth", "required", "dataplaneapi.auth", 3, 1,
	    "dataplaneapi", "'auth' is missing" },
	{ "config-debug-int", "type", "debug", 3, 8, "debug",
	    "expected a boolean, found an integer (1)" },
	{ "config-etcd-host-number", "key-type", "etcd.<item#0>", 4, 3, "etcd",
	    "expected a string as key, found a number with a fraction (10.5)" },
	{ "config-haproxy-entrypoint", "required", "haproxy_stats.entrypoint",
	    3, 1, "haproxy_stats", "'entrypoint' is missing" },
	{ "config-labels-empty", "empty", "labels", 3, 9, "labels",
	    "must not be empty" },
	{ "config-log-level", "log-level", NULL, 5, 23,
	    "log_config.loggers.overlord.level",
	    "'VERBOSE' is not one of: CRITICAL, ERROR, WARNING, INFO, DEBUG, "
	    "NOTSET, or an integer" },
	{ "config-log-version", "log-version", NULL, 2, 23,
	    "log_config.version", "2 is not a version, 1 is" },
	{ "config-memcache-retry", "range", "memcache.retry_attempts", 4, 19,
	    "memcache.retry_attempts", "must be 1 or more, found 0" },
	{ "config-metadata-size", "range", "metadata.size", 4, 9,
	    "metadata.size", "must be 1024 or more, found 1000" },
	{ "config-polling-keyword", "choice", "polling.keywords.jail.uptime", 5,
	    18, "polling.keywords.jail[1]",
	    "'uptime' is not one of: alt_name, appjail_version, arch, boot, "
	    "container, container_boot, container_image, container_pid, "
	    "created, devfs_ruleset, dirty, ephemeral, hostname, inet, inet6, "
	    "ip4, ip6, is_container, locked, name, network_ip4, networks, "
	    "path, priority, ports, release_name, status, type, version, "
	    "version_extra, x11_display, xephyr_pid" },
	{ "config-polling-negative", "range", "polling.jails", 4, 10,
	    "polling.jails", "must be 0 or more, found -1" },
	{ "config-polling-skew-length", "length", "polling.skew", 4, 9,
	    "polling.skew", "must have 2 elements, found 1" },
	{ "config-polling-skew-order", "order", "polling.skew", 4, 9,
	    "polling.skew",
	    "the first element (9) is greater than the second (1)" },
	{ "config-port-range", "range", "port", 3, 7, "port",
	    "must be from 1 to 65535, found 70000" },
	{ "config-port-type", "type", "port", 4, 7, "port",
	    "expected an integer, found a string ('8888')" },
	{ "config-tls-half", "pair", NULL, 3, 1, "tls",
	    "'keyfile' and 'certfile' must be given together, 'certfile' is "
	    "missing" },
	{ "config-unknown-key", "unknown-key", "<root>.prot", 3, 1, "prot",
	    "unknown key" },
};

static void
invalid_examples(void **state)
{
	(void)state;
	examples_invalid(invalid, ARRAY_LEN(invalid), load_example);
}

static void
minimal_example(void **state)
{
	AUTO_FREE char *text = NULL;
	struct fixture f;
	size_t len;

	(void)state;
	text = example_read("test/examples/config-minimal.yml", &len);
	parse_ok(&f, text);
	assert_int_equal(f.d.n, 0);
	arena_fini(&f.a);
}

static const struct {
	const char *text;
	/* NULL: it loads. */
	const char *rule;
	const char *path;
	const char *reason;
} rows[] = {
	{ "chains: {a: null}", "required", "chains.a",
	    "'entrypoint' is missing" },
	{ "chains: {a: {entrypoint: x, access_token: y, retry: {total: -1}}}",
	    "range", "chains.a.retry.total", "must be 0 or more, found -1" },
	{ "chains: {a: {entrypoint: x, access_token: y, "
	  "retry: {max_backoff_wait: 0}}}",
	    "range", "chains.a.retry.max_backoff_wait",
	    "must be more than 0, found 0" },
	{ "chains: {a: {entrypoint: x, access_token: y, "
	  "retry: {backoff_jitter: 1.5}}}",
	    "range", "chains.a.retry.backoff_jitter",
	    "must be from 0 to 1, found 1.5" },
	{ "chains: {a: {entrypoint: x, access_token: y, retry: {total: 2.5}}}",
	    NULL, NULL, NULL },
	{ "director: {log: x}", "unknown-key", "director.log", "unknown key" },
	{ "max_autoscale_logs: 0", "range", "max_autoscale_logs",
	    "must be 1 or more, found 0" },
	{ "port: true", NULL, NULL, NULL },
	{ "etcd: {h: null}", NULL, NULL, NULL },
	{ "etcd: {h: {port: 0}}", "range", "etcd.h.port",
	    "must be from 1 to 65535, found 0" },
	{ "beanstalkd_addr: 'h:x'", "port", "beanstalkd_addr",
	    "'h:x' has no port number" },
	{ "beanstalkd_addr: 5", "type", "beanstalkd_addr",
	    "expected a string, found an integer (5)" },
	{ "beanstalkd_addr: unix:/tmp/b", NULL, NULL, NULL },
	{ "listen: [localhost]", "address", "listen[0]", NULL },
	{ "listen: ['127.0.0.1:99999']", "address", "listen[0]", NULL },
	{ "listen: ['unix:x']", "address", "listen[0]", NULL },
	{ "statedir: here", "path", "statedir",
	    "'here' is not an absolute path" },
	{ "limits: {idle: 0}", "range", "limits.idle",
	    "must be from 1 to 86400, found 0" },
	{ "log: {level: loud}", "choice", "log.level",
	    "'loud' is not one of: error, warn, notice, info, debug" },
	{ "polling: {skew: [1, x]}", "type", "polling.skew[1]", NULL },
	{ "log_config: []", "type", "log_config",
	    "expected a mapping, found a list" },
	{ "log_config: {}", "required", "log_config", "'version' is missing" },
	{ "log_config: {version: 1, handlers: {h: {class: x.Y}}}", NULL, NULL,
	    NULL },
	{ "log_config: {version: 1, root: {handlers: [h]}}", "log-handler",
	    "log_config.root.handlers[0]", NULL },
	{ "log_config: {version: 1, handlers: {h: {level: 15}}, "
	  "loggers: {a.b: {level: Info}}}",
	    "log-level", "log_config.loggers.\"a.b\".level", NULL },
	{ "log_config: {version: 1, loggers: {a: 1}}", "type",
	    "log_config.loggers.a", NULL },
	{ "log_config: {version: 1, loggers: 1}", "type", "log_config.loggers",
	    NULL },
	{ "- x", "type", "", "expected a mapping, found a list" },
};

static void
table_of_faults(void **state)
{
	const struct diag_item *i;
	struct fixture f;
	size_t n;

	(void)state;
	for (n = 0; n < ARRAY_LEN(rows); n++) {
		parse(&f, rows[n].text);
		if ((f.rc == 0) != (rows[n].rule == NULL))
			fail_msg(
			    "%s: %d %s", rows[n].text, f.rc, error_text(&f.e));
		i = &f.d.items[0];
		if (rows[n].rule != NULL &&
		    (strcmp(i->rule, rows[n].rule) != 0 ||
			strcmp(i->path, rows[n].path) != 0 ||
			(rows[n].reason != NULL &&
			    strcmp(i->reason, rows[n].reason) != 0)))
			fail_msg("%s: %s: %s: %s", rows[n].text, i->rule,
			    i->path, i->reason);
		arena_fini(&f.a);
	}
}

static const struct {
	const char *text;
	const char *level;
	const char *file;
} logs[] = {
	{ "log_config: {version: 1}", "info", NULL },
	{ "log_config: {version: 1, root: {level: WARNING}}", "warn", NULL },
	{ "log_config: {version: 1, root: {level: 25}}", "info", NULL },
	{ "log_config: {version: 1, root: {level: 5}}", "debug", NULL },
	{ "log_config: {version: 1, root: {level: 99}}", "error", NULL },
	{ "log_config: {version: 1, root: {level: ERROR}, "
	  "loggers: {overlord: {level: DEBUG}}}",
	    "debug", NULL },
	{ "log_config: {version: 1, root: {level: ERROR}, "
	  "loggers: {overlord: {level: NOTSET}}}",
	    "error", NULL },
	{ "log_config: {version: 1, handlers: {c: {class: "
	  "logging.StreamHandler}, f: {class: logging.FileHandler, filename: "
	  "/l}}, root: {handlers: [c, f]}}",
	    "info", "/l" },
	{ "debug: yes\nlog: {level: error}", "debug", NULL },
	{ "log: {level: error, file: /mine}\nlog_config: {version: 1, "
	  "handlers: {f: {class: logging.FileHandler, filename: /l}}, "
	  "root: {level: DEBUG, handlers: [f]}}",
	    "error", "/mine" },
};

static void
log_config_means(void **state)
{
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(logs); i++) {
		parse_ok(&f, logs[i].text);
		if (strcmp(f.c->log.level, logs[i].level) != 0 ||
		    (f.c->log.file == NULL) != (logs[i].file == NULL) ||
		    (logs[i].file != NULL &&
			strcmp(f.c->log.file, logs[i].file) != 0))
			fail_msg("%s: %s %s", logs[i].text, f.c->log.level,
			    f.c->log.file != NULL ? f.c->log.file : "none");
		arena_fini(&f.a);
	}
}

static void
addresses(void **state)
{
	static const char *const want[] = { "127.0.0.1:9000", "10.0.0.1:80",
		"[::1]:9000", "[fe80::1]:81", "*:9000", "unix:/tmp/s" };
	static const char *const tls[] = { "127.0.0.1:9331", "10.0.0.1:9331",
		"[::1]:9331", "[fe80::1]:9331", "*:9331" };
	struct fixture f;
	size_t i;

	(void)state;
	parse_ok(&f,
	    "port: 9000\ntls: {keyfile: k, certfile: c}\n"
	    "listen: [127.0.0.1, '10.0.0.1:80', '::1', '[fe80::1]:81', '*', "
	    "'unix:/tmp/s', '127.0.0.1:1']\n");
	assert_int_equal(f.c->addresses.n, 7);
	for (i = 0; i < ARRAY_LEN(want); i++)
		assert_string_equal(f.c->addresses.items[i], want[i]);
	assert_int_equal(f.c->tls_addresses.n, ARRAY_LEN(tls));
	for (i = 0; i < ARRAY_LEN(tls); i++)
		assert_string_equal(f.c->tls_addresses.items[i], tls[i]);
	arena_fini(&f.a);
}

static void
collect(const struct schema_row *row, void *ctx)
{
	strbuf_addf(
	    ctx, "%s%s ", row->key, row->flags & SCHEMA_LIVE ? "+" : "");
}

static void
reload_differences(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct fixture f, g;

	(void)state;
	strbuf_init(&b, 1024);
	parse_ok(&f, "port: 1\nlabels: [all]\n");
	parse_ok(&g, "port: 2\nlabels: [all, db]\nlimits: {idle: 5}\n");
	test_ok(config_diff(f.c, g.c, collect, &b, &f.e), &f.e);
	assert_string_equal(b.buf, "port labels+ limits.idle+ ");
	arena_fini(&f.a);
	arena_fini(&g.a);
}

static void
file_and_no_file(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	struct config *c;
	struct arena a;
	struct diag diag;
	char path[512];

	arena_init(&a, 8 << 20);
	diag_init(&diag, &a, NULL);
	test_ok(config_load(NULL, env, NULL, &a, &diag, &c, &e), &e);
	(void)snprintf(path, sizeof(path), "%s/o.yml", d->path);
	test_fails(
	    config_load(path, env, NULL, &a, &diag, &c, &e), &e, OVE_NOTFOUND);
	test_dir_put(d, "o.yml", "port: 77\n");
	test_ok(config_load(path, env, NULL, &a, &diag, &c, &e), &e);
	assert_int_equal(c->port, 77);
	arena_fini(&a);
}

/* docs/overlord.yml.sample is what the table says. UPDATE=1 writes it. */
static void
sample_is_up_to_date(void **state)
{
	AUTO_FREE char *text = NULL;
	AUTO_STRBUF struct strbuf b;
	struct error e = ERROR_INIT;
	size_t len;

	(void)state;
	strbuf_init(&b, 1 << 20);
	config_sample(&b);
	if (getenv("UPDATE") != NULL)
		test_ok(file_replace(AT_FDCWD,
			    example_path("docs/overlord.yml.sample"), b.buf,
			    b.len, 0644, 0, &e),
		    &e);
	text = example_read("docs/overlord.yml.sample", &len);
	assert_string_equal(text, b.buf);
}

/* Without its first '#' on each line the sample loads without a finding, and
 * says the defaults. */
static void
sample_loads(void **state)
{
	AUTO_STRBUF struct strbuf b, open;
	const char *line, *end;
	struct fixture f;

	(void)state;
	strbuf_init(&b, 1 << 20);
	strbuf_init(&open, 1 << 20);
	config_sample(&b);
	for (line = b.buf; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		if (strncmp(line, "# ", 2) == 0 && line[2] != ' ')
			continue;
		if (*line == '#')
			line++;
		strbuf_add(&open, line, (size_t)(end - line) + 1);
	}
	parse(&f, open.buf);
	if (f.rc == -1)
		fail_msg("%s\n%s", error_text(&f.e), open.buf);
	assert_int_equal(f.d.n, 0);
	assert_int_equal(f.c->port, 8888);
	assert_int_equal(f.c->jobs.output, 1048576);
	assert_int_equal(f.c->chains.n, 1);
	arena_fini(&f.a);
}

static int
torture_body(void *ctx, struct error *e)
{
	AUTO_ARENA struct arena a;
	struct config *c;
	struct diag d;

	arena_init(&a, 8 << 20);
	diag_init(&d, &a, NULL);
	if (config_parse(ctx, strlen(ctx), env, NULL, &a, &d, &c, e) == -1)
		return -1;
	(void)config_to_node(c, 0, &a);
	return arena_check(&a, e);
}

static void
allocations_fail(void **state)
{
	static char text[] =
	    "chains: {a: {entrypoint: x, access_token: y}}\n"
	    "log_config: {version: 1, root: {level: INFO}}\nlisten: ['::1']\n";

	(void)state;
	torture(torture_body, text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(table_is_sound),
	cmocka_unit_test(every_row_has_a_doc_line),
	cmocka_unit_test(defaults),
	cmocka_unit_test(defaults_that_depend),
	cmocka_unit_test(print_config_is_the_original_s),
	cmocka_unit_test(own_keys_follow),
	cmocka_unit_test(secrets_are_stars),
	cmocka_unit_test(invalid_examples),
	cmocka_unit_test(minimal_example),
	cmocka_unit_test(table_of_faults),
	cmocka_unit_test(log_config_means),
	cmocka_unit_test(addresses),
	cmocka_unit_test(reload_differences),
	TEST_IN_DIR(file_and_no_file),
	cmocka_unit_test(sample_is_up_to_date),
	cmocka_unit_test(sample_loads),
	cmocka_unit_test(allocations_fail),
};
TEST_MAIN(tests)
