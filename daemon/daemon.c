/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The life of a node: load, start, run, drain, stop; and reload in between.
 *
 * A reload builds a second configuration and checks it; when that fails the old
 * one stays. Options that cannot change while running are named in the log.
 *
 * TERM drains: no new connections, requests under way are finished within a
 * few seconds, then the store writes what is pending. Jobs that run go on under
 * their helpers and are adopted at the next start.
 */
#include "daemon/daemon.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <config.h>

#include "daemon/api.h"
#include "daemon/chain.h"
#include "daemon/daemon_internal.h"
#include "daemon/inventory.h"
#include "daemon/runner.h"
#include "daemon/subtree.h"
#include "daemon/tables.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/net/httpd.h"
#include "lib/net/tls.h"
#include "lib/store/queue.h"
#include "lib/store/store.h"
#include "proto/config.h"

#define CONFIG_ARENA_MAX ((size_t)64 << 20)
#define DRAIN_MS 10000
#define DRAIN_STEP_MS 20
/* Descriptors that are not connections: store, loop, log, a few runs; and what
 * a job at work takes. */
#define FDS_OWN 128
#define FDS_A_JOB 8
/* Connections to the servers below: calls and streams. */
#define FDS_CHAINS 512

static const char *
env_of_process(const char *name, void *ctx)
{
	(void)ctx;
	return getenv(name);
}

struct loaded *
loaded_free(struct loaded *l)
{
	if (l == NULL)
		return NULL;
	arena_fini(&l->arena);
	mem_free(l);
	return NULL;
}

/* Findings go to standard error before there is a log, then to the log. */
static void
tell_findings(const struct diag *d, bool running)
{
	AUTO_STRBUF struct strbuf out;
	char *line, *rest;

	strbuf_init(&out, 1 << 20);
	if (d->n == 0)
		return;
	diag_print(d, "overlordd", NULL, false, &out);
	if (!running) {
		(void)fputs(out.buf, stderr);
		return;
	}
	rest = out.buf;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			log_warn("config", NO_FIELDS, "%s", line);
}

static int
load(const char *path, bool running, struct loaded **ret, struct error *e)
{
	AUTO(loaded) struct loaded *l = mem_calloc(1, sizeof(*l));
	struct diag d;
	int r;

	if (l == NULL)
		return error_nomem(e);
	arena_init(&l->arena, CONFIG_ARENA_MAX);
	diag_init(&d, &l->arena, path);
	r = config_load(
	    path, env_of_process, NULL, &l->arena, &d, &l->config, e);
	tell_findings(&d, running);
	if (r < 0)
		/* Whoever has read them needs no summary. */
		return d.errors > 0 && !running
		    ? error_set(e, OVE_INVALID, "%s", "")
		    : -1;
	*ret = STEAL(l);
	return 0;
}

int
daemon_load(
    const struct daemon_options *o, struct loaded **ret, struct error *e)
{
	return load(o->config_path, false, ret, e);
}

int
daemon_new(struct daemon **ret, const struct daemon_options *o,
    struct loaded **l, struct error *e)
{
	struct daemon *d = mem_calloc(1, sizeof(*d));

	if (d == NULL)
		return error_nomem(e);
	d->opts = *o;
	d->loaded = STEAL(*l);
	d->lock_fd = d->pid_fd = -1;
	arena_init(&d->arena, 1 << 20);
	*ret = d;
	return 0;
}

struct daemon *
daemon_free(struct daemon *d)
{
	if (d == NULL)
		return NULL;
	sigwatch_fini(&d->on_term);
	sigwatch_fini(&d->on_int);
	sigwatch_fini(&d->on_hup);
	timer_fini(&d->drain);
	while (d->started > 0) {
		const struct subsys *s = &subsystems[--d->started];

		if (s->stop != NULL)
			s->stop(d);
	}
	arena_fini(&d->arena);
	d->loaded = loaded_free(d->loaded);
	mem_free(d);
	return NULL;
}

static int
start_some(struct daemon *d, size_t n, struct error *e)
{
	while (d->started < n) {
		const struct subsys *s = &subsystems[d->started];

		/* What was half started is stopped too. */
		d->started++;
		if (s->start(d, e) < 0)
			return -1;
	}
	return 0;
}

int
daemon_start(struct daemon *d, struct error *e)
{
	return start_some(d, subsystems_n, e);
}

void
daemon_ready_hook(void *ctx)
{
	struct daemon *d = ctx;

	if (d->runner != NULL)
		runner_ready(d->runner);
}

/* Configuration */

/* Connections cost nothing to those who open them: they must leave descriptors
 * for the jobs, whatever the limit on open files is. */
static unsigned
connections_max(const struct config *c)
{
	uint64_t own = FDS_OWN + FDS_A_JOB * (uint64_t)c->max_watch_commands +
	    (c->chains.n > 0 ? FDS_CHAINS : 0);
	uint64_t want = (uint64_t)c->limits.connections, left, files;
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0 || rl.rlim_cur == RLIM_INFINITY)
		return (unsigned)want;
	/* rlim_t is signed on FreeBSD. */
	files = (uint64_t)rl.rlim_cur;
	if (files >= want + own)
		return (unsigned)want;
	left = files / 4;
	if (files > own && files - own > left)
		left = files - own;
	if (left == 0)
		left = 1;
	if (left >= want)
		return (unsigned)want;
	log_notice("daemon",
	    FIELDS(LF_I("files", files), LF_I("connections", left)),
	    "fewer connections than limits.connections: the limit on "
	    "open files is low");
	return (unsigned)left;
}

static void
apply_limits(struct daemon *d, const struct config *c)
{
	const struct httpd_limits limits = {
		.head_bytes = (size_t)c->limits.header_bytes,
		.connections = connections_max(c),
		.connections_per_address =
		    (unsigned)c->limits.connections_per_address,
		.idle_ms = c->limits.idle_ms,
		.head_ms = c->limits.header_ms,
		.body_ms = c->limits.body_ms,
		.write_ms = c->limits.write_ms,
	};

	httpd_set_limits(d->httpd, &limits);
}

void
daemon_apply(struct daemon *d)
{
	const struct config *c = d->loaded->config;
	const struct runner_config rc = {
		.director = c->director.command,
		.metadata = d->metadata,
		.namespaces = d->namespaces,
		.serverid = d->serverid,
		.environment = d->opts.environment,
		.execution_ms =
		    c->execution_time_ms > 0 ? c->execution_time_ms : 0,
		.max_attempts = (unsigned)c->jobs.max_attempts,
		.output_max = (size_t)c->jobs.output,
	};
	const struct api_config ac = {
		.key = d->key,
		.labels = c->labels.items,
		.labels_n = c->labels.n,
		.body_bytes = (size_t)c->limits.body_bytes,
		.metadata_size = (size_t)c->metadata.size,
		.autoscale_expire_ms = c->autoscale_logs_expire_ms,
		.director = c->director.command,
		.serverid = d->serverid,
		.audit_keep = (uint64_t)c->audit.keep,
		.compress = c->compress_response,
	};
	const struct inventory_config ic = {
		.keywords = &c->polling.keywords,
		.stats_ms = c->polling.jail_stats_ms,
		.info_ms = c->polling.jail_info_ms,
		.extras_ms = c->polling.jail_extras_ms,
		.appjail = c->appjail.command,
		.environment = d->opts.environment,
	};
	struct error e = ERROR_INIT;

	if (d->inventory != NULL)
		inventory_configure(d->inventory, &ic);
	queue_set_limits(d->queue, (unsigned)c->max_watch_commands,
	    (size_t)c->limits.queued_jobs, (uint64_t)c->jobs.keep);
	if (d->runner != NULL)
		runner_configure(d->runner, &rc);
	if (d->chain != NULL &&
	    chain_configure(d->chain, c, d->serverid, &e) < 0)
		log_error("config", NO_FIELDS, "chains: %s", e.text);
	if (d->subtree != NULL)
		subtree_configure(d->subtree, c, d->serverid);
	if (d->api != NULL)
		api_configure(d->api, &ac);
	if (d->httpd != NULL) {
		apply_limits(d, c);
		httpd_set_tls(d->httpd, d->tls);
	}
}

/* TLS */

int
daemon_tls(const struct config *c, struct tls **ret, struct error *e)
{
	const struct tls_files f = {
		.certfile = c->tls.certfile,
		.keyfile = c->tls.keyfile,
		.client_ca = c->tls.client_ca,
	};

	*ret = NULL;
	if (f.certfile == NULL)
		return 0;
	return tls_new(ret, &f, e) < 0 ? error_wrap(e, "TLS") : 0;
}

void
daemon_warn_tls(const struct tls *t)
{
	const char *text = t != NULL ? tls_warning(t) : NULL;

	if (text != NULL)
		log_warn("daemon", NO_FIELDS, "TLS: %s", text);
}

/* Connections keep what they have; new ones get the new files, which may have
 * changed under the old names. Listening does not begin or end. */
static void
swap_tls(struct daemon *d, struct tls *fresh)
{
	if ((fresh != NULL) != (d->tls != NULL)) {
		log_warn("config", NO_FIELDS,
		    "TLS is switched %s at the next restart only",
		    fresh != NULL ? "on" : "off");
		tls_free(fresh);
		return;
	}
	daemon_warn_tls(fresh);
	httpd_set_tls(d->httpd, fresh);
	tls_free(d->tls);
	d->tls = fresh;
}

/* Log */

/* The log borrows its path, and may have to stay where it is when a
 * configuration has come and gone: two of our own, the one in use and one to
 * try. */
static int
reload_log(const struct config *c, bool foreground, struct error *e)
{
	static char paths[2][PATH_MAX];
	static unsigned used;
	struct log_config lc = {
		.format = strcmp(c->log.format, "json") == 0 ? LOG_FORMAT_JSON
							     : LOG_FORMAT_TEXT,
		.path = c->log.file,
	};

	if (log_level_from_string(c->log.level, &lc.level, e) < 0)
		return -1;
	if (lc.path == NULL && !foreground) {
		lc.path = OVERLORD_LOGDIR "/overlordd.log";
		if (file_mkdirs(OVERLORD_LOGDIR, 0755, e) < 0)
			return error_wrap(e, "log directory");
	}
	if (lc.path != NULL) {
		(void)snprintf(paths[!used], PATH_MAX, "%s", lc.path);
		lc.path = paths[!used];
	}
	if (log_configure(&lc, e) < 0)
		return -1;
	used = !used;
	return 0;
}

int
daemon_log(const struct loaded *l, bool foreground, struct error *e)
{
	return reload_log(l->config, foreground, e);
}

static void
tell_change(const struct schema_row *row, void *ctx)
{
	(void)ctx;
	if (row->flags & SCHEMA_LIVE)
		log_notice(
		    "config", FIELDS(LF_S("option", row->key)), "changed");
	else
		log_warn("config", FIELDS(LF_S("option", row->key)),
		    "changed, but takes effect at the next restart only");
}

static void
reload(struct daemon *d)
{
	struct error e = ERROR_INIT;
	AUTO(loaded) struct loaded *fresh = NULL;
	struct loaded *old;
	struct tls *tls = NULL;

	if (load(d->opts.config_path, true, &fresh, &e) < 0 ||
	    daemon_tls(fresh->config, &tls, &e) < 0) {
		log_error("config", NO_FIELDS,
		    "not reloaded, the old configuration stays: %s", e.text);
		return;
	}
	if (config_diff(
		d->loaded->config, fresh->config, tell_change, NULL, &e) < 0)
		log_warn("config", NO_FIELDS, "%s", e.text);
	if (reload_log(fresh->config, d->opts.foreground, &e) < 0)
		log_error(
		    "config", NO_FIELDS, "the log stays as it is: %s", e.text);
	/* The pid file's name is needed to remove it. */
	fresh->config->pidfile =
	    arena_strdup(&fresh->arena, d->loaded->config->pidfile);
	swap_tls(d, tls);
	old = d->loaded;
	d->loaded = STEAL(fresh);
	daemon_apply(d);
	loaded_free(old);
	log_notice("config", NO_FIELDS, "reloaded");
}

/* Signals */

static void
drain_step(struct timer *t)
{
	struct daemon *d = container_of(t, struct daemon, drain);

	if (httpd_is_idle(d->httpd) || clock_mono_ms() >= d->drain_until_ms) {
		loop_stop(d->loop);
		return;
	}
	timer_arm(&d->drain, DRAIN_STEP_MS);
}

static void
drain(struct daemon *d, const char *why)
{
	if (d->drain_until_ms != 0) {
		loop_stop(d->loop);
		return;
	}
	log_notice("daemon", FIELDS(LF_I("running", runner_tasks(d->runner))),
	    "%s: finishing requests; jobs that run go on", why);
	d->drain_until_ms = clock_mono_ms() + DRAIN_MS;
	httpd_drain(d->httpd);
	timer_arm(&d->drain, 0);
}

static void
on_term(struct sigwatch *s)
{
	drain(container_of(s, struct daemon, on_term), "TERM");
}

static void
on_int(struct sigwatch *s)
{
	drain(container_of(s, struct daemon, on_int), "INT");
}

static void
on_hup(struct sigwatch *s)
{
	struct error e = ERROR_INIT;

	if (log_reopen(&e) < 0)
		log_error(
		    "daemon", NO_FIELDS, "cannot reopen the log: %s", e.text);
	reload(container_of(s, struct daemon, on_hup));
}

int
daemon_run(struct daemon *d, struct error *e)
{
	if (timer_init(&d->drain, d->loop, drain_step, "drain", e) < 0 ||
	    sigwatch_init(&d->on_term, d->loop, SIGTERM, on_term, "term", e) <
		0 ||
	    sigwatch_init(&d->on_int, d->loop, SIGINT, on_int, "int", e) < 0 ||
	    sigwatch_init(&d->on_hup, d->loop, SIGHUP, on_hup, "hup", e) < 0)
		return -1;
	log_notice("daemon",
	    FIELDS(LF_S("version", OVERLORD_VERSION),
		LF_S("serverid", d->serverid)),
	    "ready");
	return loop_run(d->loop, e);
}

/* The store beside a daemon */

/* Neither looking at a store nor copying one makes one. */
static int
has_store(const struct config *c, struct error *e)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/state/data.mdb", c->statedir);
	if (access(path, F_OK) < 0)
		return error_set_errno(e, errno, "store %s/state", c->statedir);
	return 0;
}

int
daemon_check(struct daemon *d, struct error *e)
{
	if (has_store(d->loaded->config, e) < 0 ||
	    start_some(d, subsystems_store_n, e) < 0 ||
	    store_check(d->store, e) < 0)
		return -1;
	return queue_check(d->queue, e);
}

int
daemon_backup(const struct config *c, const char *dir, struct error *e)
{
	static const char *const names[TABLE_COUNT + 1] = TABLE_NAMES;
	AUTO_ARENA struct arena a;
	AUTO(db) struct db *db = NULL;
	struct db_config dc = { .tables = names, .tables_n = TABLE_COUNT };

	arena_init(&a, 65536);
	/* Environments of jobs hold secrets. */
	(void)umask(077);
	dc.dir = arena_printf(&a, "%s/state", c->statedir);
	if (arena_check(&a, e) < 0 || has_store(c, e) < 0 ||
	    db_open(&db, &dc, e) < 0)
		return -1;
	return db_backup(db, dir, e);
}
