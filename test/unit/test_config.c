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
	    "unable to configure logger 'overlord': 'VERBOSE' is not one of: "
	    "CRITICAL, ERROR, WARNING, INFO, DEBUG, NOTSET, or an integer" },
	{ "config-log-version", "log-version", NULL, 2, 23,
	    "log_config.version", "unsupported version: 2, 1 is supported" },
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
	    "'loud' is not one of: critical, error, warn, notice, info, "
	    "debug" },
	{ "polling: {skew: [1, x]}", "type", "polling.skew[1]", NULL },
	{ "log: {syslog: local8}", "choice", "log.syslog", NULL },
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

/* log_config, without "version: 1" where it begins with a comma */
static const struct {
	const char *text;
	/* NULL: it loads. */
	const char *rule;
	const char *path;
	const char *reason;
} log_rows[] = {
	{ "[]", "type", "log_config", "expected a mapping, found a list" },
	{ "{}", "required", "log_config",
	    "dictionary doesn't specify a version" },
	{ "{version: null}", "required", "log_config",
	    "dictionary doesn't specify a version" },
	{ "{version: '1'}", "log-version", "log_config.version",
	    "unsupported version: '1', 1 is supported" },
	{ "{version: 1.0}", "log-version", "log_config.version",
	    "unsupported version: 1.0, 1 is supported" },
	{ ", formatters: []", "type", "log_config.formatters", NULL },
	{ ", filters: []", "type", "log_config.filters", NULL },
	{ ", handlers: 1", "type", "log_config.handlers", NULL },
	{ ", loggers: 1", "type", "log_config.loggers", NULL },
	{ ", root: []", "type", "log_config.root", NULL },
	{ ", incremental: 1", "type", "log_config.incremental", NULL },
	{ ", disable_existing_loggers: maybe", "type",
	    "log_config.disable_existing_loggers", NULL },
	{ ", loggers: {a: 1}", "type", "log_config.loggers.a", NULL },
	{ ", anything: {else: 1}", NULL, NULL, NULL },
	/* Levels */
	{ ", loggers: {a.b: {level: Info}}", "log-level",
	    "log_config.loggers.\"a.b\".level",
	    "unable to configure logger 'a.b': 'Info' is not one of: CRITICAL, "
	    "ERROR, WARNING, INFO, DEBUG, NOTSET, or an integer" },
	{ ", root: {level: 1.5}", "log-level", "log_config.root.level",
	    "unable to configure root logger: 1.5 is not one of: CRITICAL, "
	    "ERROR, WARNING, INFO, DEBUG, NOTSET, or an integer" },
	{ ", handlers: {h: {class: logging.NullHandler, level: X}}",
	    "log-level", "log_config.handlers.h.level",
	    "unable to configure handler 'h': 'X' is not one of: CRITICAL, "
	    "ERROR, WARNING, INFO, DEBUG, NOTSET, or an integer" },
	/* Names that are not defined */
	{ ", root: {handlers: [h]}", "log-handler",
	    "log_config.root.handlers[0]",
	    "unable to configure root logger: 'h' is not defined in "
	    "log_config.handlers" },
	{ ", handlers: {h: {class: logging.NullHandler}}, "
	  "loggers: {log_config: {handlers: [h, i]}}",
	    "log-handler", "log_config.loggers.log_config.handlers[1]",
	    "unable to configure logger 'log_config': 'i' is not defined in "
	    "log_config.handlers" },
	{ ", loggers: {a: {handlers: [5]}}", "type",
	    "log_config.loggers.a.handlers[0]",
	    "expected a string, found an integer (5)" },
	{ ", loggers: {a: {handlers: h}}", "type",
	    "log_config.loggers.a.handlers", NULL },
	{ ", handlers: {h: {class: logging.NullHandler, formatter: f}}, "
	  "root: {}",
	    "log-formatter", "log_config.handlers.h.formatter",
	    "unable to configure handler 'h': 'f' is not defined in "
	    "log_config.formatters" },
	/* Handlers */
	{ ", handlers: {h: {}}", "required", "log_config.handlers.h",
	    "unable to configure handler 'h': 'class' is missing" },
	{ ", handlers: {h: null}", "type", "log_config.handlers.h", NULL },
	{ ", handlers: {h: {class: logging.StreamHandler, stream: stdout}}",
	    "log-stream", "log_config.handlers.h.stream",
	    "unable to configure handler 'h': 'stdout' is not ext://sys.stdout "
	    "or ext://sys.stderr" },
	{ ", handlers: {h: {class: logging.FileHandler}}", "required",
	    "log_config.handlers.h",
	    "unable to configure handler 'h': 'filename' is missing" },
	{ ", handlers: {h: {class: logging.FileHandler, filename: 1}}", "type",
	    "log_config.handlers.h.filename", NULL },
	{ ", handlers: {h: {class: logging.FileHandler, filename: f, "
	  "mode: r+}}",
	    "log-mode", "log_config.handlers.h.mode",
	    "unable to configure handler 'h': 'r+' is not one of: a, w" },
	{ ", handlers: {h: {class: logging.handlers.RotatingFileHandler, "
	  "filename: f, maxBytes: -1}}",
	    "range", "log_config.handlers.h.maxBytes", NULL },
	{ ", handlers: {h: {class: logging.handlers.RotatingFileHandler, "
	  "filename: f, backupCount: 1001}}",
	    "range", "log_config.handlers.h.backupCount",
	    "must be from 0 to 1000, found 1001" },
	{ ", handlers: {h: {class: logging.handlers.SysLogHandler, "
	  "address: [localhost]}}",
	    "log-address", "log_config.handlers.h.address",
	    "unable to configure handler 'h': a list is not the path of a "
	    "socket or [host, port]" },
	{ ", handlers: {h: {class: logging.handlers.SysLogHandler, "
	  "address: [localhost, 0]}}",
	    "log-address", "log_config.handlers.h.address", NULL },
	{ ", handlers: {h: {class: logging.handlers.SysLogHandler, "
	  "facility: local8}}",
	    "log-facility", "log_config.handlers.h.facility",
	    "unable to configure handler 'h': 'local8' is not a facility of "
	    "syslog" },
	{ ", handlers: {h: {class: logging.handlers.SysLogHandler, "
	  "facility: 24}}",
	    "log-facility", "log_config.handlers.h.facility", NULL },
	/* Formatters */
	{ ", formatters: {f: {format: '%(message)'}}", "log-format",
	    "log_config.formatters.f.format",
	    "unable to configure formatter 'f': '%(message)' is not followed "
	    "by a letter such as 's' or 'd'" },
	{ ", formatters: {f: {format: 5}}", "type",
	    "log_config.formatters.f.format", NULL },
};

static void
parse_log(struct fixture *f, const char *text)
{
	char whole[1024];

	(void)snprintf(whole, sizeof(whole),
	    *text == ',' ? "log_config: {version: 1%s}" : "log_config: %s",
	    text);
	parse(f, whole);
}

static void
faults_of_log_config(void **state)
{
	const struct diag_item *i;
	struct fixture f;
	size_t n;

	(void)state;
	for (n = 0; n < ARRAY_LEN(log_rows); n++) {
		parse_log(&f, log_rows[n].text);
		i = &f.d.items[0];
		if ((f.rc == 0) != (log_rows[n].rule == NULL))
			fail_msg("%s: %d %s", log_rows[n].text, f.rc,
			    error_text(&f.e));
		if (log_rows[n].rule != NULL &&
		    (f.d.errors != 1 ||
			strcmp(i->rule, log_rows[n].rule) != 0 ||
			strcmp(i->path, log_rows[n].path) != 0 ||
			(log_rows[n].reason != NULL &&
			    strcmp(i->reason, log_rows[n].reason) != 0)))
			fail_msg("%s: %s: %s: %s", log_rows[n].text, i->rule,
			    i->path, i->reason);
		arena_fini(&f.a);
	}
}

static const struct {
	const char *text;
	const char *path;
	const char *reason;
} log_warnings[] = {
	{ ", handlers: {h: {class: x.Y, stream: 'ext://sys.stdout'}}",
	    "log_config.handlers.h.class",
	    "class 'x.Y' is not supported, using standard error" },
	{ ", handlers: {h: {(): x.make}}", "log_config.handlers.h.()",
	    "factories are not supported and have no effect" },
	{ ", handlers: {h: {class: logging.NullHandler, filters: [f]}}",
	    "log_config.handlers.h.filters",
	    "filters are not supported and have no effect" },
	{ ", filters: {f: {name: a}}", "log_config.filters",
	    "filters are not supported and have no effect" },
	{ ", loggers: {a: {filters: [f]}}", "log_config.loggers.a.filters",
	    "filters are not supported and have no effect" },
	{ ", formatters: {f: {format: '{message}', style: '{'}}",
	    "log_config.formatters.f.style",
	    "style '{' is not supported, the message alone is written" },
	{ ", formatters: {f: {class: x.Y}}", "log_config.formatters.f.class",
	    "factories are not supported and have no effect" },
	{ ", filters: {}, handlers: {h: {class: logging.NullHandler, "
	  "filters: []}}",
	    NULL, NULL },
};

static void
warnings_of_log_config(void **state)
{
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(log_warnings); i++) {
		parse_log(&f, log_warnings[i].text);
		test_ok(f.rc, &f.e);
		assert_int_equal(f.d.n, log_warnings[i].path != NULL);
		if (f.d.n > 0) {
			assert_true(f.d.items[0].warning);
			assert_string_equal(
			    f.d.items[0].path, log_warnings[i].path);
			assert_string_equal(
			    f.d.items[0].reason, log_warnings[i].reason);
		}
		arena_fini(&f.a);
	}
}

static void
all_faults_at_once(void **state)
{
	struct fixture f;

	(void)state;
	parse_log(&f,
	    "{handlers: {5: {}, h: {class: logging.FileHandler, level: X}}, "
	    "root: {handlers: [g, h]}}");
	assert_int_equal(f.rc, -1);
	/* version, the key 5, filename, level, g. */
	assert_int_equal(f.d.errors, 5);
	arena_fini(&f.a);
}

static const struct {
	const char *text;
	/* NULL: by the loggers. */
	const char *level;
	/* Of the loggers, the root first: NAME=LEVEL:SINKS, "!" when it stops.
	 * NULL: there are none. */
	const char *loggers;
} logs[] = {
	{ "log_config: {version: 1}", "info", NULL },
	{ "log_config: {version: 1, handlers: {h: {class: "
	  "logging.NullHandler}}}",
	    "info", NULL },
	{ "log_config: {version: 1, loggers: {}}", "info", NULL },
	{ "log_config: {version: 1, root: {}}", NULL, "=2:0" },
	{ "log_config: {version: 1, root: {level: CRITICAL}}", NULL, "=0:0" },
	{ "log_config: {version: 1, root: {level: FATAL}}", NULL, "=0:0" },
	{ "log_config: {version: 1, root: {level: WARN}}", NULL, "=2:0" },
	{ "log_config: {version: 1, root: {level: NOTSET}}", NULL, "=5:0" },
	{ "log_config: {version: 1, root: {level: 25}}", NULL, "=4:0" },
	{ "log_config: {version: 1, root: {level: 35}}", NULL, "=2:0" },
	{ "log_config: {version: 1, root: {level: 40}}", NULL, "=1:0" },
	{ "log_config: {version: 1, root: {level: 5}}", NULL, "=5:0" },
	{ "log_config: {version: 1, root: {level: -1}}", NULL, "=5:0" },
	{ "log_config: {version: 1, root: {level: 99}}", NULL, "=0:0" },
	{ "log_config: {version: 1, root: {level: 99999999999999999999}}", NULL,
	    "=0:0" },
	{ "log_config: {version: 1, root: {level: -99999999999999999999}}",
	    NULL, "=5:0" },
	{ "log_config: {version: 1, loggers: {overlord: {level: INFO}}}", NULL,
	    "=2:0 overlord=4:0" },
	{ "log_config: {version: 1, root: {level: ERROR}, loggers: {a: {}, "
	  "a.b: {level: NOTSET, propagate: no}, c: {propagate: 0}}}",
	    NULL, "=1:0 a=6:0 a.b=6:0! c=6:0!" },
	/* The root's other names. */
	{ "log_config: {version: 1, loggers: {'': {level: ERROR}, "
	  "a: {level: DEBUG}}}",
	    NULL, "=1:0 a=5:0" },
	{ "log_config: {version: 1, loggers: {root: {level: ERROR}}}", NULL,
	    "=1:0" },
	{ "log_config: {version: 1, root: {level: DEBUG}, "
	  "loggers: {root: {level: ERROR}}}",
	    NULL, "=5:0" },
	{ "log_config: {version: 1, handlers: {g: {class: "
	  "logging.NullHandler}, h: {class: logging.NullHandler}}, "
	  "loggers: {a: {handlers: [h, g, h]}}, root: {handlers: [h]}}",
	    NULL, "=2:2 a=6:3" },
	{ "debug: yes\nlog: {level: error}", "debug", NULL },
	{ "debug: yes\nlog_config: {version: 1, root: {}}", "debug", "=2:0" },
	{ "log: {level: error}\nlog_config: {version: 1, root: {}}", "error",
	    "=2:0" },
};

static const char *
loggers_text(const struct config_log *l, struct strbuf *b)
{
	size_t i;

	strbuf_reset(b);
	for (i = 0; i < l->loggers_n; i++)
		strbuf_addf(b, "%s%s=%d:%d%s", i > 0 ? " " : "",
		    l->loggers[i].name, (int)l->loggers[i].level,
		    (int)l->loggers[i].sinks, l->loggers[i].stop ? "!" : "");
	return b->buf;
}

static void
log_config_means(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct fixture f;
	size_t i;

	(void)state;
	strbuf_init(&b, 4096);
	for (i = 0; i < ARRAY_LEN(logs); i++) {
		const struct config *c;

		parse_ok(&f, logs[i].text);
		c = f.c;
		if ((c->log.level == NULL) != (logs[i].level == NULL) ||
		    (c->log.level != NULL &&
			strcmp(c->log.level, logs[i].level) != 0))
			fail_msg("%s: %s", logs[i].text, c->log.level);
		if ((c->logging == NULL) != (logs[i].loggers == NULL) ||
		    (c->logging != NULL &&
			strcmp(loggers_text(c->logging, &b), logs[i].loggers) !=
			    0))
			fail_msg("%s: %s", logs[i].text, b.buf);
		arena_fini(&f.a);
	}
}

static void
handlers_become_sinks(void **state)
{
	static const char text[] =
	    "log_config:\n"
	    "  version: 1\n"
	    "  formatters: {f: {format: '%(name)s', datefmt: '%H'}}\n"
	    "  handlers:\n"
	    "    out: {class: logging.StreamHandler, level: ERROR,\n"
	    "          stream: 'ext://sys.stdout', formatter: f}\n"
	    "    err: {class: logging.StreamHandler}\n"
	    "    file: {class: logging.FileHandler, filename: /l, mode: w}\n"
	    "    watched: {class: logging.handlers.WatchedFileHandler,\n"
	    "      filename: /w, mode: a}\n"
	    "    rotating: {class: logging.handlers.RotatingFileHandler,\n"
	    "      filename: /r, mode: w, maxBytes: 10, backupCount: 3}\n"
	    "    sys: {class: logging.handlers.SysLogHandler}\n"
	    "    log: {class: logging.handlers.SysLogHandler, address: /d,\n"
	    "      facility: local0}\n"
	    "    udp: {class: logging.handlers.SysLogHandler,\n"
	    "      address: [10.0.0.1, 99], facility: 4}\n"
	    "    'null': {class: logging.NullHandler}\n"
	    "    other: {class: x.Y}\n"
	    "  root: {}\n";
	const struct log_sink_config *s;
	struct fixture f;

	(void)state;
	parse_ok(&f, text);
	assert_int_equal(f.c->logging->sinks_n, 10);
	s = f.c->logging->sinks;
	assert_int_equal(s[0].kind, LOG_SINK_STREAM);
	assert_int_equal(s[0].fd, 1);
	assert_int_equal(s[0].level, LOG_LEVEL_ERROR);
	assert_int_equal(s[0].format, LOG_FORMAT_PATTERN);
	assert_string_equal(s[0].pattern, "%(name)s");
	assert_string_equal(s[0].datefmt, "%H");
	assert_int_equal(s[1].fd, 2);
	assert_int_equal(s[1].level, LOG_LEVEL_DEBUG);
	assert_null(s[1].pattern);
	assert_int_equal(s[2].kind, LOG_SINK_FILE);
	assert_string_equal(s[2].path, "/l");
	assert_true(s[2].truncate);
	assert_true(s[3].watch);
	assert_false(s[3].truncate);
	assert_false(s[4].truncate);
	assert_int_equal(s[4].max_bytes, 10);
	assert_int_equal(s[4].backups, 3);
	assert_int_equal(s[5].kind, LOG_SINK_SYSLOG);
	assert_string_equal(s[5].syslog.host, "localhost");
	assert_int_equal(s[5].syslog.port, 514);
	assert_int_equal(s[5].syslog.facility, 1);
	assert_null(s[6].syslog.host);
	assert_string_equal(s[6].syslog.path, "/d");
	assert_int_equal(s[6].syslog.facility, 16);
	assert_string_equal(s[7].syslog.host, "10.0.0.1");
	assert_int_equal(s[7].syslog.port, 99);
	assert_int_equal(s[7].syslog.facility, 4);
	assert_int_equal(s[8].kind, LOG_SINK_NONE);
	assert_int_equal(s[9].kind, LOG_SINK_STREAM);
	assert_int_equal(s[9].fd, 2);
	/* Where to point when it cannot be opened. */
	assert_string_equal(f.c->logging->handlers[2].name, "file");
	assert_int_equal(f.c->logging->handlers[2].pos.line, 8);
	assert_int_equal(f.c->logging->handlers[2].pos.col, 50);
	assert_int_equal(f.c->logging->handlers[5].pos.line, 13);
	assert_int_equal(f.c->logging->handlers[5].pos.col, 5);
	arena_fini(&f.a);
}

static void
many_handlers(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct fixture f;
	int i;

	(void)state;
	strbuf_init(&b, 1 << 16);
	strbuf_adds(&b, "log_config: {version: 1, root: {}, handlers: {");
	for (i = 0; i < 63; i++)
		strbuf_addf(&b, "%sh%d: {class: logging.NullHandler}",
		    i > 0 ? ", " : "", i);
	strbuf_adds(&b, "}}");
	parse(&f, b.buf);
	assert_int_equal(f.rc, -1);
	assert_string_equal(f.d.items[0].path, "log_config.handlers");
	assert_string_equal(f.d.items[0].reason, "more than 62 handlers");
	arena_fini(&f.a);
}

static const struct {
	const char *text;
	/* NULL: it is none. */
	const char *path;
	const char *host;
	int port;
} syslogs[] = {
	{ "/var/run/log", "/var/run/log", NULL, 0 },
	{ "10.0.0.1", NULL, "10.0.0.1", 514 },
	{ "10.0.0.1:99", NULL, "10.0.0.1", 99 },
	{ "log.example.org:99", NULL, "log.example.org", 99 },
	{ "[::1]", NULL, "::1", 514 },
	{ "[::1]:99", NULL, "::1", 99 },
	{ "", NULL, NULL, 0 },
	{ ":99", NULL, NULL, 0 },
	{ "h:0", NULL, NULL, 0 },
	{ "h:65536", NULL, NULL, 0 },
	{ "[::1", NULL, NULL, 0 },
	{ "[::1]x", NULL, NULL, 0 },
};

static void
syslog_addresses(void **state)
{
	struct log_syslog_config s;
	struct fixture f;
	char text[200];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(syslogs); i++) {
		(void)snprintf(text, sizeof(text),
		    "log: {syslog: daemon, syslog_address: '%s'}",
		    syslogs[i].text);
		parse(&f, text);
		if (syslogs[i].path == NULL && syslogs[i].host == NULL) {
			assert_int_equal(f.rc, -1);
			assert_string_equal(f.d.items[0].rule, "address");
			arena_fini(&f.a);
			continue;
		}
		test_ok(f.rc, &f.e);
		memset(&s, 0, sizeof(s));
		assert_true(
		    config_syslog_address(f.c->log.syslog_address, &f.a, &s));
		if (syslogs[i].path != NULL)
			assert_string_equal(s.path, syslogs[i].path);
		else
			assert_string_equal(s.host, syslogs[i].host);
		assert_int_equal(s.port, syslogs[i].port);
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
	    "log_config: {version: 1, root: {level: INFO, handlers: [h]},\n"
	    "  formatters: {f: {format: '%(name)s'}}, loggers: {a: {}},\n"
	    "  handlers: {h: {class: logging.StreamHandler, formatter: f}}}\n"
	    "log: {syslog_address: h}\nlisten: ['::1']\n";

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
	cmocka_unit_test(faults_of_log_config),
	cmocka_unit_test(warnings_of_log_config),
	cmocka_unit_test(all_faults_at_once),
	cmocka_unit_test(log_config_means),
	cmocka_unit_test(handlers_become_sinks),
	cmocka_unit_test(many_handlers),
	cmocka_unit_test(syslog_addresses),
	cmocka_unit_test(addresses),
	cmocka_unit_test(reload_differences),
	TEST_IN_DIR(file_and_no_file),
	cmocka_unit_test(sample_is_up_to_date),
	cmocka_unit_test(sample_loads),
	cmocka_unit_test(allocations_fail),
};
TEST_MAIN(tests)
