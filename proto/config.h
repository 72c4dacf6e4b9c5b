/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The configuration (overlord.yml): one plain struct, filled by the table of
 * config.def, immutable after load, replaced as a whole by a reload. There are
 * no getters: code reads cfg->polling.jail_info_ms. Durations are milliseconds
 * whatever the file has. Everything in it lives in the arena it was loaded
 * into.
 *
 * Which file is loaded is the caller's rule (config.md 1).
 */
#pragma once

#include "lib/base/log.h"
#include "lib/data/schema.h"

/* Of read, write, connect, pool: <= 0 is no limit. timeout has no effect. */
struct config_timeouts {
	int64_t timeout_ms;
	int64_t read_ms;
	int64_t write_ms;
	int64_t connect_ms;
	int64_t pool_ms;
	int64_t max_keepalive_connections;
	int64_t max_connections;
	int64_t keepalive_expiry_ms;
};

struct config_retry {
	/* Retries after the first attempt. */
	struct schema_number total;
	/* Seconds. */
	double max_backoff_wait;
	double backoff_factor;
	double backoff_jitter;
	bool respect_retry_after_header;
};

struct config_chain {
	const char *entrypoint;
	const char *access_token;
	struct config_timeouts t;
	bool disable;
	const char *cacert;
	struct config_retry retry;
};

/* entrypoint: NULL when the service is not configured. */
struct config_service {
	const char *entrypoint;
	const char *username;
	const char *password;
	struct config_timeouts t;
	const char *cacert;
};

struct config_etcd {
	int64_t port;
	const char *protocol;
	const char *ca_cert;
	const char *cert_key;
	/* SCHEMA_NONE: none. */
	int64_t timeout_ms;
	const char *api_path;
};

struct config_keywords {
	struct schema_strs stats, jail, devfs, expose, healthcheck, label,
	    limits, nat, volume, fstab;
};

/* What log_config means, in the words of lib/base/log.h. */
struct config_log {
	/* One for each handler, with its name and where it stands. */
	struct log_sink_config *sinks;
	struct config_handler {
		const char *name;
		struct diag_pos pos;
	} * handlers;
	size_t sinks_n;
	/* The root first. */
	struct log_logger *loggers;
	size_t loggers_n;
};

struct config {
	const char *serverid;
	int64_t port;
	struct {
		/* Both or none. */
		const char *keyfile;
		const char *certfile;
		int64_t port;
		/* NULL: clients need no certificate. */
		const char *client_ca;
	} tls;
	bool debug;
	bool compress_response;
	struct {
		struct {
			int64_t poll_window_ms;
			int64_t max_idle_ms;
			int64_t idle_penalty_ms;
			int64_t max_idle_penalty_ms;
		} adaptive;
		int64_t jail_stats_ms;
		int64_t jail_info_ms;
		int64_t projects_ms;
		int64_t jails_ms;
		int64_t jail_extras_ms;
		int64_t project_info_ms;
		int64_t autoscale_ms;
		/* < 0: never. */
		int64_t heartbeat_ms;
		/* Two: from, to. */
		SCHEMA_LIST_OF(int64_t) skew_ms;
		struct config_keywords keywords;
	} polling;
	struct {
		struct schema_strs connections;
		int64_t max_pool_size;
		int64_t pool_idle_timeout;
		int64_t retry_attempts;
		int64_t retry_timeout;
		int64_t dead_timeout;
		int64_t connect_timeout;
		int64_t timeout;
		bool no_delay;
	} memcache;
	const char *secret_key;
	const char *secret_keyfile;
	const struct node *log_config;
	/* NULL when log_config is not there or has no loggers. */
	const struct config_log *logging;
	SCHEMA_MAP_OF(struct config_chain) chains;
	struct schema_strs labels;
	struct {
		const char *logs;
		/* NULL: what director.ini and Director's defaults say. */
		const char *projects;
		const char *locks;
		const char *command;
	} director;
	struct {
		const char *jails;
		const char *logs;
		const char *images;
		const char *command;
	} appjail;
	const struct node *beanstalkd_addr;
	const char *beanstalkd_secret;
	/* <= 0: no limit. */
	int64_t execution_time_ms;
	struct config_service dataplaneapi;
	struct config_service haproxy_stats;
	struct {
		const char *path;
		const char *zone;
	} skydns;
	SCHEMA_MAP_OF(struct config_etcd) etcd;
	int64_t max_watch_commands;
	struct {
		const char *location;
		int64_t size;
		const char *namespaces;
	} metadata;
	const char *components;
	struct {
		bool enabled;
		int64_t failures;
		int64_t interval_ms;
		int64_t increase_ms;
		int64_t max_increase_ms;
		bool strict;
	} autodisable;
	int64_t max_autoscale_logs;
	int64_t autoscale_logs_expire_ms;

	/* Ours. */
	struct schema_strs listen;
	const char *statedir;
	const char *rundir;
	const char *pidfile;
	const char *helper;
	const char *libexec;
	bool trusted_programs;
	struct {
		/* NULL: as the loggers of log_config say. */
		const char *level;
		const char *format;
		/* Both NULL: standard error or the default file, for what
		 * reaches no handler of log_config. */
		const char *file;
		const char *syslog;
		/* NULL: the socket of this machine. */
		const char *syslog_address;
	} log;
	struct {
		int64_t header_bytes;
		int64_t body_bytes;
		int64_t connections;
		int64_t connections_per_address;
		int64_t idle_ms;
		int64_t header_ms;
		int64_t body_ms;
		int64_t write_ms;
		int64_t queued_jobs;
		int64_t commands;
		int64_t wrong_tokens;
		int64_t wrong_token_wait_ms;
		int64_t wrong_token_memory_ms;
		bool blocklistd;
	} limits;
	struct {
		int64_t max_attempts;
		/* <= 0, here and below: no bound. */
		int64_t keep;
		int64_t keep_time_ms;
		int64_t keep_size;
		int64_t keep_gone_ms;
		int64_t output;
	} jobs;
	struct {
		int64_t keep;
		int64_t keep_time_ms;
		int64_t keep_size;
	} audit;
	struct {
		int64_t keep;
		int64_t keep_time_ms;
		int64_t keep_size;
	} director_logs;
	struct {
		int64_t size;
	} store;

	/* Not in the table: `listen` as httpd_listen() wants it, never empty;
	 * the same for the TLS port, empty without certificate. */
	struct schema_strs addresses;
	struct schema_strs tls_addresses;
};

extern const struct schema config_schema;

/* Value of an environment variable, or NULL: for !ENV, and HOME. */
typedef const char *config_env_fn(const char *name, void *ctx);

/* Reads a file (NULL: nothing, so that all is default). Faults and warnings go
 * to d; -1 with OVE_INVALID when there are faults, or what reading the file
 * says. */
int config_load(const char *path, config_env_fn *env, void *env_ctx,
    struct arena *a, struct diag *d, struct config **ret, struct error *e);
/* The same for a text. */
int config_parse(const char *text, size_t len, config_env_fn *env,
    void *env_ctx, struct arena *a, struct diag *d, struct config **ret,
    struct error *e);
/* Reads log.syslog_address, which was checked when it was bound, or an address
 * of the same form. False when it is none, or memory is out. */
bool config_syslog_address(
    const char *text, struct arena *a, struct log_syslog_config *ret);
/* For print-config; flags as schema_dump(). */
struct node *config_to_node(const struct config *c, int flags, struct arena *a);
/* Calls fn for each option that differs; SCHEMA_LIVE in row->flags says whether
 * a reload can take it. */
int config_diff(const struct config *old, const struct config *new,
    schema_diff_fn *fn, void *ctx, struct error *e);
/* The text of overlord.yml.sample. */
void config_sample(struct strbuf *out);
