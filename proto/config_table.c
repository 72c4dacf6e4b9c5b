/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The tables of the configuration: config.def becomes rows here, with the
 * tables of what occurs several times (a chain, an etcd host, a service of
 * HAProxy), the keywords of polling.keywords, and the checks of single options
 * that no row can say. What needs the whole configuration is in config.c.
 */

#include "proto/config_internal.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <config.h>

#include "lib/base/num.h"
#include "proto/names.h"

#define BEANSTALKD_PORT 11300

/* Keywords: config.md 2.4.2, and the order of the defaults */

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const char *const stats_words[] = { "cputime", "datasize", "stacksize",
	"coredumpsize", "memoryuse", "memorylocked", "maxproc", "openfiles",
	"vmemoryuse", "pseudoterminals", "swapuse", "nthr", "msgqqueued",
	"msgqsize", "nmsgq", "nsem", "nsemop", "nshm", "shmsize", "wallclock",
	"pcpu", "readbps", "writebps", "readiops", "writeiops", NULL };
static const char *const jail_words[] = { "alt_name", "appjail_version", "arch",
	"boot", "container", "container_boot", "container_image",
	"container_pid", "created", "devfs_ruleset", "dirty", "ephemeral",
	"hostname", "inet", "inet6", "ip4", "ip6", "is_container", "locked",
	"name", "network_ip4", "networks", "path", "priority", "ports",
	"release_name", "status", "type", "version", "version_extra",
	"x11_display", "xephyr_pid", NULL };
static const char *const healthcheck_words[] = { "enabled", "health_cmd",
	"health_type", "interval", "kill_after", "name", "recover_cmd",
	"recover_kill_after", "recover_timeout", "recover_timeout_signal",
	"recover_total", "recover_type", "retries", "start_period", "status",
	"timeout", "timeout_signal", NULL };
static const char *const fstab_words[] = { "enabled", "name", "device",
	"mountpoint", "type", "options", "dump", "pass", NULL };

#define KEYWORDS(NAME, member, all_, brief_)                                   \
  [CONFIG_KEYWORDS_##NAME] = {                                                 \
	  .key = #member,                                                      \
	  .all = all_,                                                         \
	  .brief = brief_,                                                     \
	  .offset = offsetof(struct config, polling.keywords.member),          \
  }

const struct config_keywords_table config_keywords[CONFIG_KEYWORDS_COUNT] = {
	KEYWORDS(STATS, stats, stats_words, stats_words),
	KEYWORDS(JAIL, jail, jail_words,
	    WORDS("name", "network_ip4", "ports", "status", "type", "version")),
	KEYWORDS(DEVFS, devfs, WORDS("enabled", "name", "rule"),
	    WORDS("enabled", "rule", "name")),
	KEYWORDS(EXPOSE, expose,
	    WORDS("enabled", "name", "network_name", "hport", "jport",
		"protocol", "ext_if", "on_if", "rule"),
	    WORDS("enabled", "name", "network_name", "hport", "jport",
		"protocol", "ext_if", "on_if")),
	KEYWORDS(HEALTHCHECK, healthcheck, healthcheck_words,
	    WORDS("enabled", "name", "status", "health_cmd", "health_type",
		"recover_cmd", "recover_type")),
	KEYWORDS(LABEL, label, WORDS("value"), WORDS("value")),
	KEYWORDS(LIMITS, limits,
	    WORDS("action", "enabled", "name", "per", "resource", "rule"),
	    WORDS("enabled", "name", "rule")),
	KEYWORDS(NAT, nat, WORDS("rule"), WORDS("rule")),
	KEYWORDS(VOLUME, volume,
	    WORDS("name", "mountpoint", "type", "uid", "gid", "perm"),
	    WORDS("mountpoint", "type", "uid", "gid", "perm")),
	KEYWORDS(FSTAB, fstab, fstab_words, fstab_words),
};

/* The rows of a list need its choices as a constant. */
static const struct schema_row config_keyword_rows[CONFIG_KEYWORDS_COUNT] = {
	[CONFIG_KEYWORDS_STATS] = { .type = SCHEMA_STR,
	    .choices = stats_words },
	[CONFIG_KEYWORDS_JAIL] = { .type = SCHEMA_STR, .choices = jail_words },
	[CONFIG_KEYWORDS_DEVFS] = { .type = SCHEMA_STR,
	    .choices = WORDS("enabled", "name", "rule") },
	[CONFIG_KEYWORDS_EXPOSE] = { .type = SCHEMA_STR,
	    .choices = WORDS("enabled", "name", "network_name", "hport",
		"jport", "protocol", "ext_if", "on_if", "rule") },
	[CONFIG_KEYWORDS_HEALTHCHECK] = { .type = SCHEMA_STR,
	    .choices = healthcheck_words },
	[CONFIG_KEYWORDS_LABEL] = { .type = SCHEMA_STR,
	    .choices = WORDS("value") },
	[CONFIG_KEYWORDS_LIMITS] = { .type = SCHEMA_STR,
	    .choices =
		WORDS("action", "enabled", "name", "per", "resource", "rule") },
	[CONFIG_KEYWORDS_NAT] = { .type = SCHEMA_STR,
	    .choices = WORDS("rule") },
	[CONFIG_KEYWORDS_VOLUME] = { .type = SCHEMA_STR,
	    .choices =
		WORDS("name", "mountpoint", "type", "uid", "gid", "perm") },
	[CONFIG_KEYWORDS_FSTAB] = { .type = SCHEMA_STR,
	    .choices = fstab_words },
};

static const char *const config_log_levels[] = { "critical", "error", "warn",
	"notice", "info", "debug", NULL };
static const char *const config_log_formats[] = { "text", "json", NULL };

/* Checks of single options */

static void
config_check_tls(const struct schema_at *at, const struct node *n, void *field)
{
	const struct node *key = node_get(n, "keyfile");
	const struct node *cert = node_get(n, "certfile");
	const struct node *ca = node_get(n, "client_ca");
	bool has_key = key != NULL && key->type != NODE_NULL;
	bool has_cert = cert != NULL && cert->type != NODE_NULL;

	(void)field;
	if (has_key != has_cert)
		schema_fault(at, NULL, "pair", NULL,
		    "'keyfile' and 'certfile' must be given together, '%s' is "
		    "missing",
		    has_key ? "certfile" : "keyfile");
	else if (!has_cert && ca != NULL && ca->type != NODE_NULL)
		schema_fault(at, NULL, "pair", NULL,
		    "'client_ca' is of no use without 'keyfile' and "
		    "'certfile'");
}

static void
config_check_skew(const struct schema_at *at, const struct node *n, void *field)
{
	int64_t from, to;

	(void)field;
	if (n->u.list.n != 2) {
		schema_fault(at, n, "length", NULL,
		    "must have 2 elements, found %zu", n->u.list.n);
		return;
	}
	from = n->u.list.items[0]->u.i;
	to = n->u.list.items[1]->u.i;
	if (from > to)
		schema_fault(at, n, "order", NULL,
		    "the first element (%lld) is greater than the second "
		    "(%lld)",
		    (long long)from, (long long)to);
}

static void
check_name(const struct schema_at *at, const struct node *n,
    enum name_kind kind, const char *rule)
{
	if (!name_is(kind, n->u.str.s, n->u.str.len))
		schema_fault(at, n, rule, NULL, "%s is not %s",
		    schema_quote(at->run->arena, n), name_kind_text(kind));
}

static void
config_check_chain_name(const struct schema_at *at, const struct node *key)
{
	check_name(at, key, NAME_CHAIN_PART, "chain");
}

static void
config_check_label(
    const struct schema_at *at, const struct node *n, void *field)
{
	(void)field;
	check_name(at, n, NAME_LABEL, "label");
}

static void
config_check_not_blank(
    const struct schema_at *at, const struct node *n, void *field)
{
	(void)field;
	if (n->u.str.len == 0)
		schema_fault(at, n, "empty", NULL, "must not be empty");
}

static void
config_check_absolute(
    const struct schema_at *at, const struct node *n, void *field)
{
	(void)field;
	if (n->u.str.s[0] != '/')
		schema_fault(at, n, "path", NULL, "%s is not an absolute path",
		    schema_quote(at->run->arena, n));
}

/* "host", "host:port" or "unix:path"; bound as the original prints it. */
static void
config_check_beanstalkd(
    const struct schema_at *at, const struct node *n, void *field)
{
	struct arena *a = at->run->arena;
	const char *text, *colon;
	struct node *list;
	int64_t port;

	if (n->type != NODE_STR) {
		schema_fault_type(at, n, SCHEMA_STR);
		return;
	}
	text = n->u.str.s;
	if (strncmp(text, "unix:", 5) == 0) {
		*(const struct node **)field = node_str(a, text + 5);
		return;
	}
	port = BEANSTALKD_PORT;
	colon = strchr(text, ':');
	if (colon != NULL &&
	    num_i64(colon + 1, INT64_MIN, INT64_MAX, &port, NULL) == -1) {
		schema_fault(at, n, "port", NULL, "%s has no port number",
		    schema_quote(a, n));
		return;
	}
	list = node_new(a, NODE_LIST);
	node_add(a, list, node_strn(a, text, strcspn(text, ":")));
	node_add(a, list, node_int(a, port));
	*(const struct node **)field = list;
}

/* host is not NUL-terminated. */
static bool
is_ip(int family, const char *host, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char bytes[sizeof(struct in6_addr)];

	if (len == 0 || len >= sizeof(text))
		return false;
	memcpy(text, host, len);
	text[len] = '\0';
	return inet_pton(family, text, bytes) == 1;
}

bool
config_listen_address(const char *entry, int64_t port, struct strbuf *out)
{
	const char *host = entry, *rest;
	size_t len;
	bool six = false;

	if (strncmp(entry, "unix:", 5) == 0) {
		strbuf_adds(out, entry);
		return entry[5] == '/';
	}
	if (*entry == '[') {
		len = strcspn(++host, "]");
		rest = host[len] == ']' ? host + len + 1 : "?";
		six = true;
	} else if (is_ip(AF_INET6, entry, strlen(entry))) {
		len = strlen(entry);
		rest = "";
		six = true;
	} else {
		len = strcspn(entry, ":");
		rest = entry + len;
	}
	if (six ? !is_ip(AF_INET6, host, len)
		: !is_ip(AF_INET, host, len) && !(len == 1 && *host == '*'))
		return false;
	if (*rest != '\0' &&
	    (*rest != ':' || num_i64(rest + 1, 0, 65535, &port, NULL) == -1))
		return false;
	strbuf_addf(out, six ? "[%.*s]:%lld" : "%.*s:%lld", (int)len, host,
	    (long long)port);
	return true;
}

static void
config_check_listen(
    const struct schema_at *at, const struct node *n, void *field)
{
	AUTO_STRBUF struct strbuf b;

	(void)field;
	strbuf_init(&b, 4096);
	if (!config_listen_address(n->u.str.s, 1, &b))
		schema_fault(at, n, "address", NULL,
		    "%s is not an address (ADDRESS, ADDRESS:PORT, [IPV6]:PORT, "
		    "*:PORT or unix:PATH)",
		    schema_quote(at->run->arena, n));
}

static void
check_not_negative(
    const struct schema_at *at, const struct node *n, void *field)
{
	if (!(*(double *)field >= 0))
		schema_fault(at, n, "range", NULL,
		    "must be 0 or more, found %s",
		    schema_quote(at->run->arena, n));
}

static void
check_total(const struct schema_at *at, const struct node *n, void *field)
{
	check_not_negative(at, n, &((struct schema_number *)field)->value);
}

static void
check_positive(const struct schema_at *at, const struct node *n, void *field)
{
	if (!(*(double *)field > 0))
		schema_fault(at, n, "range", NULL,
		    "must be more than 0, found %s",
		    schema_quote(at->run->arena, n));
}

static void
check_fraction(const struct schema_at *at, const struct node *n, void *field)
{
	double d = *(double *)field;

	if (!(d >= 0 && d <= 1))
		schema_fault(at, n, "range", NULL,
		    "must be from 0 to 1, found %s",
		    schema_quote(at->run->arena, n));
}

/* Rows */

/* The timeouts of struct S, with the defaults of what it is. */
/* clang-format off */
#define TIMEOUT_ROWS(S, read_, write_, connect_)                               \
	SCHEMA_ROW(S, "timeout", INT, t.timeout_ms, "0",                       \
	    SCHEMA_SECONDS | SCHEMA_NEG_NULL, "No effect."),                   \
	SCHEMA_ROW(S, "read_timeout", INT, t.read_ms, read_,                   \
	    SCHEMA_SECONDS | SCHEMA_NEG_NULL,                                  \
	    "Seconds to wait for data; 0 or less: no limit."),                 \
	SCHEMA_ROW(S, "write_timeout", INT, t.write_ms, write_,                \
	    SCHEMA_SECONDS | SCHEMA_NEG_NULL,                                  \
	    "Seconds to wait for data to be taken; 0 or less: no limit."),     \
	SCHEMA_ROW(S, "connect_timeout", INT, t.connect_ms, connect_,          \
	    SCHEMA_SECONDS | SCHEMA_NEG_NULL,                                  \
	    "Seconds for a connection; 0 or less: no limit."),                 \
	SCHEMA_ROW(S, "pool_timeout", INT, t.pool_ms, "60",                    \
	    SCHEMA_SECONDS | SCHEMA_NEG_NULL,                                  \
	    "Seconds to wait for a free connection; 0 or less: no limit."),    \
	SCHEMA_ROW(S, "max_keepalive_connections", INT,                        \
	    t.max_keepalive_connections, "1000", 0,                            \
	    "Idle connections kept."),                                         \
	SCHEMA_ROW(S, "max_connections", INT, t.max_connections, "1024", 0,    \
	    "Connections at the same time."),                                  \
	SCHEMA_ROW(S, "keepalive_expiry", INT, t.keepalive_expiry_ms, "60",    \
	    SCHEMA_SECONDS, "Seconds for which an idle connection is kept.")

static const struct schema_row chain_rows[] = {
	SCHEMA_ROW(config_chain, "entrypoint", STR, entrypoint, NULL,
	    SCHEMA_REQUIRED, "URL of its API.",
	    .example = "http://10.0.0.2:8888"),
	SCHEMA_ROW(config_chain, "access_token", STR, access_token, NULL,
	    SCHEMA_REQUIRED | SCHEMA_SECRET, "A token made on that server.",
	    .example = "TOKEN"),
	TIMEOUT_ROWS(config_chain, "10", "10", "5"),
	SCHEMA_ROW(config_chain, "disable", BOOL, disable, "false", 0,
	    "Leave this chain out completely."),
	SCHEMA_ROW(config_chain, "cacert", STR, cacert, NULL, 0,
	    "PEM file with the certificate authorities to trust."),
	SCHEMA_ROW_GROUP("retry", 0,
	    "Retries of requests that may be repeated."),
	SCHEMA_ROW(config_chain, "retry.total", NUMBER, retry.total, "6", 0,
	    "Retries after the first attempt.", .check = check_total),
	SCHEMA_ROW(config_chain, "retry.max_backoff_wait", FLOAT,
	    retry.max_backoff_wait, "10.0", 0, "Most seconds of one wait.",
	    .check = check_positive),
	SCHEMA_ROW(config_chain, "retry.backoff_factor", FLOAT,
	    retry.backoff_factor, "0.2", 0,
	    "Seconds of the first wait; each further one is twice as long.",
	    .check = check_not_negative),
	SCHEMA_ROW(config_chain, "retry.respect_retry_after_header", BOOL,
	    retry.respect_retry_after_header, "true", 0,
	    "Wait as long as the header Retry-After says."),
	SCHEMA_ROW(config_chain, "retry.backoff_jitter", FLOAT,
	    retry.backoff_jitter, "1.0", 0,
	    "How much of a wait is random, from 0 to 1.",
	    .check = check_fraction),
};

#define SERVICE_ROWS(entrypoint_flags_)                                        \
	SCHEMA_ROW(config_service, "entrypoint", STR, entrypoint, NULL,        \
	    entrypoint_flags_, "URL of the service.",                          \
	    .example = "http://127.0.0.1:5555"),                               \
	SCHEMA_ROW_GROUP("auth", SCHEMA_REQUIRED, "How to log in."),           \
	SCHEMA_ROW(config_service, "auth.username", STR, username, NULL,       \
	    SCHEMA_REQUIRED, "User.", .example = "admin"),                     \
	SCHEMA_ROW(config_service, "auth.password", STR, password, NULL,       \
	    SCHEMA_REQUIRED | SCHEMA_SECRET, "Password.",                      \
	    .example = "PASSWORD"),                                            \
	TIMEOUT_ROWS(config_service, "30", "30", "10"),                        \
	SCHEMA_ROW(config_service, "cacert", STR, cacert, NULL, 0,             \
	    "PEM file with the certificate authorities to trust.")

static const struct schema_row dataplaneapi_rows[] = { SERVICE_ROWS(0) };
static const struct schema_row haproxy_stats_rows[] = {
	SERVICE_ROWS(SCHEMA_REQUIRED)
};

static const struct schema_row etcd_rows[] = {
	SCHEMA_ROW(config_etcd, "port", INT, port, "2379", 0, "Port.",
	    .min = 1, .max = 65535),
	SCHEMA_ROW(config_etcd, "protocol", STR, protocol, "http", 0,
	    "http or https."),
	SCHEMA_ROW(config_etcd, "ca_cert", STR, ca_cert, NULL, 0,
	    "PEM file with the certificate authorities to trust."),
	SCHEMA_ROW(config_etcd, "cert_key", STR, cert_key, NULL, 0,
	    "PEM file with the client's certificate and its key."),
	SCHEMA_ROW(config_etcd, "timeout", INT, timeout_ms, NULL,
	    SCHEMA_SECONDS, "Seconds for a request."),
	SCHEMA_ROW(config_etcd, "api_path", STR, api_path, NULL, 0,
	    "Path of the API."),
};
/* clang-format on */

static const struct schema config_dataplaneapi_schema = { SCHEMA_TABLE(
    "dataplaneapi", dataplaneapi_rows, config_service) };
static const struct schema config_haproxy_stats_schema = { SCHEMA_TABLE(
    "haproxy_stats", haproxy_stats_rows, config_service) };
static const struct schema chain_schema = { SCHEMA_TABLE(
    "chain", chain_rows, config_chain) };
static const struct schema etcd_schema = { SCHEMA_TABLE(
    "etcd host", etcd_rows, config_etcd) };

/* A chain of null lacks what a chain must have; a host of null lacks nothing.
 */
static const struct schema_row config_chain_row = { .type = SCHEMA_STRUCT,
	.flags = SCHEMA_NULLABLE | SCHEMA_REQUIRED,
	.sub = &chain_schema };
static const struct schema_row config_etcd_row = {
	.type = SCHEMA_STRUCT, .flags = SCHEMA_NULLABLE, .sub = &etcd_schema
};
static const struct schema_row config_str_row = { .type = SCHEMA_STR };
static const struct schema_row config_label_row = { .type = SCHEMA_STR,
	.check = config_check_label };
static const struct schema_row config_listen_row = { .type = SCHEMA_STR,
	.check = config_check_listen };
static const struct schema_row config_skew_row = {
	.type = SCHEMA_INT, .flags = SCHEMA_SECONDS, .max = SCHEMA_NO_MAX
};

#define GROUP(...) SCHEMA_ROW_GROUP(__VA_ARGS__),
#define ROW(...) SCHEMA_ROW(config, __VA_ARGS__),
#define MANY(...) SCHEMA_ROW_MANY(config, __VA_ARGS__),
static const struct schema_row rows[] = {
#include "proto/config.def"
};
#undef GROUP
#undef ROW
#undef MANY

const struct schema config_schema = { SCHEMA_TABLE(
    "overlord.yml", rows, config) };
