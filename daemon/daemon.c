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

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <config.h>

#include "daemon/api.h"
#include "daemon/audit.h"
#include "daemon/chain.h"
#include "daemon/daemon_internal.h"
#include "daemon/inventory.h"
#include "daemon/leftover.h"
#include "daemon/logging.h"
#include "daemon/retention.h"
#include "daemon/runner.h"
#include "daemon/scale.h"
#include "daemon/subtree.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/net/httpd.h"
#include "lib/net/tls.h"
#include "lib/store/queue.h"
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
	daemon_stop_some(d, 0);
	arena_fini(&d->arena);
	d->loaded = loaded_free(d->loaded);
	mem_free(d);
	return NULL;
}

int
daemon_start_some(struct daemon *d, size_t n, struct error *e)
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

void
daemon_stop_some(struct daemon *d, size_t left)
{
	while (d->started > left) {
		const struct subsys *s = &subsystems[--d->started];

		if (s->stop != NULL)
			s->stop(d);
	}
}

int
daemon_start(struct daemon *d, struct error *e)
{
	return daemon_start_some(d, subsystems_n, e);
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

static struct keep
keep_of(int64_t n, int64_t ms, int64_t bytes)
{
	/* No number: no bound. */
	return (struct keep){
		.n = (uint64_t)n,
		.ms = ms > 0 ? ms : 0,
		.bytes = bytes > 0 ? (uint64_t)bytes : 0,
	};
}

struct keep
daemon_keep_jobs(const struct config *c)
{
	return keep_of(c->jobs.keep, c->jobs.keep_time_ms, c->jobs.keep_size);
}

struct keep
daemon_keep_trail(const struct config *c)
{
	return keep_of(
	    c->audit.keep, c->audit.keep_time_ms, c->audit.keep_size);
}

/* After what they are about has its bounds. */
static void
apply_retention(struct daemon *d, const struct config *c)
{
	const int64_t times[] = { c->jobs.keep_time_ms, c->audit.keep_time_ms,
		c->director_logs.keep_time_ms };
	struct retention_config rc = {
		.logs = keep_of(c->director_logs.keep,
		    c->director_logs.keep_time_ms, c->director_logs.keep_size),
	};

	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		if (times[i] > 0 &&
		    (rc.shortest_ms == 0 || times[i] < rc.shortest_ms))
			rc.shortest_ms = times[i];
	retention_configure(d->retention, &rc);
}

void
daemon_apply(struct daemon *d)
{
	const struct config *c = d->loaded->config;
	const struct runner_config rc = {
		.programs = d->programs,
		.director = c->director.command,
		.jails = c->appjail.jails,
		.metadata = d->metadata,
		.namespaces = d->namespaces,
		.components = c->components,
		.images = c->appjail.images,
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
		.programs = d->programs,
		.serverid = d->serverid,
		.penalty = {
			.free = (unsigned)c->limits.wrong_tokens,
			.wait_ms = c->limits.wrong_token_wait_ms,
			.forget_ms = c->limits.wrong_token_memory_ms,
		},
		.ban = c->limits.blocklistd,
		.compress = c->compress_response,
	};
	const struct inventory_config ic = {
		.keywords = &c->polling.keywords,
		.pause_ms = {
			[TURN_JAILS] = c->polling.jails_ms,
			[TURN_PROJECTS] = c->polling.projects_ms,
			[TURN_PROJECT_INFO] = c->polling.project_info_ms,
			[TURN_JAIL_INFO] = c->polling.jail_info_ms,
			[TURN_JAIL_STATS] = c->polling.jail_stats_ms,
			[TURN_JAIL_EXTRAS] = c->polling.jail_extras_ms,
		},
		.skew_ms = { c->polling.skew_ms.items[0],
		    c->polling.skew_ms.items[1] },
		.adaptive = {
			.window_ms = c->polling.adaptive.poll_window_ms,
			.idle_ms = c->polling.adaptive.max_idle_ms,
			.penalty_ms = c->polling.adaptive.idle_penalty_ms,
			.limit_ms = c->polling.adaptive.max_idle_penalty_ms,
		},
		.programs = d->programs,
		.environment = d->opts.environment,
		.commands = (unsigned)c->limits.commands,
	};
	const struct keep jobs = daemon_keep_jobs(c);
	const struct keep trail = daemon_keep_trail(c);
	struct error e = ERROR_INIT;

	if (d->inventory != NULL)
		inventory_configure(d->inventory, &ic);
	queue_set_limits(d->queue, (unsigned)c->max_watch_commands,
	    (size_t)c->limits.queued_jobs, &jobs);
	audit_set_keep(d->audit, &trail);
	if (d->retention != NULL)
		apply_retention(d, c);
	if (d->leftover != NULL)
		leftover_configure(d->leftover, c->jobs.keep_gone_ms);
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
	if (d->scale != NULL)
		scale_configure(d->scale, c);
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

static int
logging_flags(const struct daemon_options *o)
{
	return o->foreground ? LOGGING_FOREGROUND : 0;
}

int
daemon_log(
    const struct daemon_options *o, const struct loaded *l, struct error *e)
{
	return logging_configure(
	    l->config, o->config_path, logging_flags(o), e);
}

int
daemon_test_log(
    const struct daemon_options *o, const struct loaded *l, struct error *e)
{
	return logging_test(l->config, o->config_path, e);
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
	    daemon_tls(fresh->config, &tls, &e) < 0 ||
	    logging_configure(fresh->config, d->opts.config_path,
		logging_flags(&d->opts) | LOGGING_RUNNING, &e) < 0) {
		tls_free(tls);
		log_error("config", NO_FIELDS,
		    "not reloaded, the old configuration stays: %s", e.text);
		return;
	}
	if (config_diff(
		d->loaded->config, fresh->config, tell_change, NULL, &e) < 0)
		log_warn("config", NO_FIELDS, "%s", e.text);
	/* The pid file's name is needed to remove it. */
	fresh->config->pidfile =
	    arena_strdup(&fresh->arena, d->loaded->config->pidfile);
	swap_tls(d, tls);
	old = d->loaded;
	d->loaded = STEAL(fresh);
	daemon_programs(d->loaded->config, d->programs);
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
	/* It would go on asking. */
	d->scale = scale_free(d->scale);
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
daemon_watch_signals(struct daemon *d, struct error *e)
{
	if (timer_init(&d->drain, d->loop, drain_step, "drain", e) < 0 ||
	    sigwatch_init(&d->on_term, d->loop, SIGTERM, on_term, "term", e) <
		0 ||
	    sigwatch_init(&d->on_int, d->loop, SIGINT, on_int, "int", e) < 0 ||
	    sigwatch_init(&d->on_hup, d->loop, SIGHUP, on_hup, "hup", e) < 0)
		return -1;
	return 0;
}

int
daemon_run(struct daemon *d, struct error *e)
{
	log_notice("daemon",
	    FIELDS(LF_S("version", OVERLORD_VERSION),
		LF_S("serverid", d->serverid)),
	    "ready");
	return loop_run(d->loop, e);
}
