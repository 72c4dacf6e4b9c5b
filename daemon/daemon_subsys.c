/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Each part starts with what the parts above it made. The lock comes first: a
 * second daemon on the same state must not touch anything. Listening comes
 * last, so that nobody is answered by half a node. Commands that run are left
 * alone by stopping: they outlive us.
 */
#include "daemon/daemon_internal.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/api.h"
#include "daemon/chain.h"
#include "daemon/changes.h"
#include "daemon/events.h"
#include "daemon/inventory.h"
#include "daemon/meta.h"
#include "daemon/metrics.h"
#include "daemon/program.h"
#include "daemon/runner.h"
#include "daemon/subtree.h"
#include "daemon/tables.h"
#include "lib/auth/token.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/event/proctab.h"
#include "lib/net/httpd.h"
#include "lib/net/tls.h"
#include "lib/store/queue.h"
#include "lib/store/store.h"
#include "proto/config.h"
#include "proto/runrec.h"

/* Commands beside those of jobs: `cancel`, and orphans. */
#define EXTRA_RUNS 64
#define GRACE_MS 60000
/* Events that a reader may be behind. */
#define EVENTS_KEPT 16384
#define EVENTS_BYTES ((size_t)4 << 20)
/* In the run directory. */
#define LISTENING "listening"
#define MAP_BYTES_WANTED ((uint64_t)64 << 30)

static const struct config *
cfg(const struct daemon *d)
{
	return d->loaded->config;
}

/* State directory */

static int
state_start(struct daemon *d, struct error *e)
{
	AUTO_FD int dir = -1;
	pid_t pid;

	if (file_mkdirs(cfg(d)->statedir, 0750, e) < 0 ||
	    file_open_dir(cfg(d)->statedir, &dir, e) < 0)
		return error_wrap(e, "state directory %s", cfg(d)->statedir);
	switch (file_lock(dir, "lock", 0600, &d->lock_fd, &pid, e)) {
	case 0:
		return 0;
	case FILE_LOCKED:
		return error_set(e, OVE_UNAVAILABLE,
		    "another overlordd (pid %ld) uses %s", (long)pid,
		    cfg(d)->statedir);
	default:
		return -1;
	}
}

static void
state_stop(struct daemon *d)
{
	cc_auto_close(&d->lock_fd);
	d->lock_fd = -1;
}

/* Identity */

static int
identity_start(struct daemon *d, struct error *e)
{
	const struct config *c = cfg(d);
	struct arena *a = &d->arena;

	d->metadata = arena_strdup(a,
	    identity_take_over_dir(c->metadata.location, c->statedir,
		IDENTITY_ORIGINAL, "metadata", a));
	d->namespaces = arena_strdup(a,
	    identity_take_over_dir(c->metadata.namespaces, c->statedir,
		IDENTITY_ORIGINAL, "namespace", a));
	if (arena_check(a, e) < 0)
		return -1;
	return identity_server_id(
	    c->serverid, IDENTITY_ORIGINAL, d->serverid, e);
}

/* What a crash left half done. It must not keep the node from starting: each
 * request that needs it tries again, and says why it fails. */
static int
namespaces_start(struct daemon *d, struct error *e)
{
	struct error mine = ERROR_INIT;
	AUTO_FD int metadata = -1;
	AUTO_FD int dir = -1;

	(void)e;
	if (meta_open(d->metadata, &metadata, NULL) == 0)
		meta_tidy(metadata);
	if (meta_open(d->namespaces, &dir, &mine) == 0) {
		(void)meta_recover(dir, &mine);
		meta_clear_trash(dir);
		meta_tidy(dir);
	}
	if (error_is_set(&mine))
		log_error("namespaces", NO_FIELDS, "%s: %s", d->namespaces,
		    mine.text);
	return 0;
}

static int
key_start(struct daemon *d, struct error *e)
{
	return identity_token_key(cfg(d), IDENTITY_ORIGINAL, &d->key, e);
}

static void
key_stop(struct daemon *d)
{
	d->key = token_key_free(d->key);
}

/* Loop */

static int
loop_start(struct daemon *d, struct error *e)
{
	return loop_new(&d->loop, e);
}

static void
loop_end(struct daemon *d)
{
	d->loop = loop_free(d->loop);
}

/* Events */

static int
events_start(struct daemon *d, struct error *e)
{
	const struct events_limits l = { EVENTS_KEPT, EVENTS_BYTES };

	return events_new(&d->events, d->loop, &l, e);
}

static void
events_stop(struct daemon *d)
{
	d->events = events_free(d->events);
}

/* Store and queue */

/* Told once: an I/O error has made the store read-only. */
static void
store_broke(const struct error *why, void *ctx)
{
	(void)ctx;
	log_error("store", NO_FIELDS,
	    "read-only until a restart, every change is refused: %s",
	    why->text);
}

static void
warn_of_small_map(struct store *s)
{
	struct store_stats st;

	store_get_stats(s, &st);
	if (st.map_bytes < MAP_BYTES_WANTED)
		log_warn("store", FIELDS(LF_I("bytes", st.map_bytes)),
		    "the limit on address space leaves the store less than "
		    "64 GiB to map");
}

static int
store_start(struct daemon *d, struct error *e)
{
	static const char *const names[TABLE_COUNT] = TABLE_NAMES;
	const struct store_config c = {
		.dir = cfg(d)->statedir,
		.size_max = (uint64_t)cfg(d)->store.size,
		.tables = names,
		.tables_n = TABLE_COUNT,
		.schema = STORE_SCHEMA,
		.broken = store_broke,
	};

	if (store_open(&d->store, d->loop, &c, e) < 0)
		return -1;
	warn_of_small_map(d->store);
	return 0;
}

static void
store_stop(struct daemon *d)
{
	d->store = store_free(d->store);
}

static int
metrics_start(struct daemon *d, struct error *e)
{
	return metrics_new(&d->metrics, e);
}

static void
metrics_stop(struct daemon *d)
{
	d->metrics = metrics_free(d->metrics);
}

static void
job_moved(const struct job *j, enum job_state from, void *ctx)
{
	struct daemon *d = ctx;

	change_job(d->events, j, from);
	metrics_job(d->metrics, j, from);
	log_info("job",
	    FIELDS(LF_I("job", j->id.v), LF_S("req", j->request_id),
		LF_S("kind", j->kind), LF_S("name", j->name),
		LF_I("attempt", j->attempt)),
	    "%s->%s", job_state_to_string(from), job_state_to_string(j->state));
}

static int
queue_start(struct daemon *d, struct error *e)
{
	const struct queue_config c = {
		.table_jobs = TABLE_JOBS,
		.table_active = TABLE_ACTIVE,
		.table_meta = TABLE_QUEUE_META,
		.max_running = (unsigned)cfg(d)->max_watch_commands,
		.max_queued = (size_t)cfg(d)->limits.queued_jobs,
		.keep = (uint64_t)cfg(d)->jobs.keep,
	};
	const struct queue_hooks h = {
		.ready = daemon_ready_hook,
		.moved = job_moved,
		.ctx = d,
	};

	return queue_open(&d->queue, d->loop, d->store, &c, &h, e);
}

static void
queue_stop(struct daemon *d)
{
	d->queue = queue_free(d->queue);
}

/* Commands */

static int
proctab_begin(struct daemon *d, struct error *e)
{
	const struct proctab_config c = {
		.dir = arena_printf(&d->arena, "%s/jobs", cfg(d)->rundir),
		.helper = cfg(d)->helper,
		.max_runs = (unsigned)cfg(d)->max_watch_commands + EXTRA_RUNS,
		.grace_ms = GRACE_MS,
		.codec = &runrec_codec,
	};

	if (arena_check(&d->arena, e) < 0)
		return -1;
	if (access(cfg(d)->helper, X_OK) < 0)
		return error_set(e, OVE_UNAVAILABLE,
		    "helper '%s' cannot be executed", cfg(d)->helper);
	return proctab_new(&d->proctab, d->loop, &c, e);
}

static void
proctab_end(struct daemon *d)
{
	d->proctab = proctab_free(d->proctab);
}

/* As many descriptors as we may have. The process table, made above, gives
 * commands the limits with which we were started. */
static int
descriptors_start(struct daemon *d, struct error *e)
{
	struct rlimit rl;

	(void)d;
	(void)e;
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	return 0;
}

static int
inventory_start(struct daemon *d, struct error *e)
{
	struct inventory_places p;

	if (places_find(cfg(d), &d->arena, &d->places, e) < 0)
		return -1;
	p = (struct inventory_places){
		.projects = d->places.projects,
		.locks = d->places.locks,
		.director_logs = d->places.logs,
		.jails = cfg(d)->appjail.jails,
		.appjail_logs = cfg(d)->appjail.logs,
	};
	return inventory_new(&d->inventory, d->loop, &p, e);
}

static void
inventory_stop(struct daemon *d)
{
	d->inventory = inventory_free(d->inventory);
}

static int
runner_start(struct daemon *d, struct error *e)
{
	const struct runner_deps deps = {
		.loop = d->loop,
		.store = d->store,
		.queue = d->queue,
		.proctab = d->proctab,
		.inventory = d->inventory,
		.events = d->events,
	};
	const struct runner_config none = { 0 };

	if (runner_new(&d->runner, &deps, &none, e) < 0)
		return -1;
	daemon_apply(d);
	return runner_recover(d->runner, e);
}

static void
runner_stop(struct daemon *d)
{
	d->runner = runner_free(d->runner);
}

/* API */

static int
chain_start(struct daemon *d, struct error *e)
{
	if (chain_new(&d->chain, d->loop, e) < 0)
		return -1;
	if (chain_configure(d->chain, cfg(d), d->serverid, e) < 0)
		return -1;
	chain_set_events(d->chain, d->events);
	return 0;
}

static void
chain_stop(struct daemon *d)
{
	d->chain = chain_free(d->chain);
}

static int
subtree_start(struct daemon *d, struct error *e)
{
	if (subtree_new(&d->subtree, d->loop, d->events, d->chain, e) < 0)
		return -1;
	subtree_configure(d->subtree, cfg(d), d->serverid);
	return 0;
}

static void
subtree_stop(struct daemon *d)
{
	d->subtree = subtree_free(d->subtree);
}

static int
api_start(struct daemon *d, struct error *e)
{
	const struct api_deps deps = {
		.loop = d->loop,
		.store = d->store,
		.queue = d->queue,
		.runner = d->runner,
		.inventory = d->inventory,
		.chain = d->chain,
		.events = d->events,
		.subtree = d->subtree,
		.metrics = d->metrics,
		.proctab = d->proctab,
		.metadata = d->metadata,
		.namespaces = d->namespaces,
	};
	const struct api_config none = { 0 };

	if (api_new(&d->api, &deps, &none, e) < 0)
		return -1;
	daemon_apply(d);
	return 0;
}

static void
api_stop(struct daemon *d)
{
	d->api = api_free(d->api);
}

/* Where it listens, for people and tests that chose port 0. */
static void
note_address(const char *address, uint16_t port, bool tls, struct strbuf *all)
{
	size_t len = strlen(address), from = all->len;
	const char *colon = strrchr(address, ':');

	if (strncmp(address, "unix:", 5) != 0 && colon != NULL)
		len = (size_t)(colon - address);
	strbuf_add(all, address, len);
	if (len < strlen(address))
		strbuf_addf(all, ":%u", (unsigned)port);
	log_notice("daemon", FIELDS(LF_S("address", all->buf + from)),
	    "listening%s", tls ? " (TLS)" : "");
	strbuf_addc(all, '\n');
}

static int
write_addresses(struct daemon *d, const struct strbuf *all, struct error *e)
{
	AUTO_FD int dir = -1;

	if (file_open_dir(cfg(d)->rundir, &dir, e) < 0)
		return -1;
	return file_replace(dir, LISTENING, all->buf, all->len, 0644, 0, e);
}

static int
listen_all(struct daemon *d, const struct schema_strs *addresses, bool tls,
    struct strbuf *all, struct error *e)
{
	for (size_t i = 0; i < addresses->n; i++) {
		const char *at = addresses->items[i];
		uint16_t port = 0;
		int r = tls ? httpd_listen_tls(d->httpd, at, &port, e)
			    : httpd_listen(d->httpd, at, &port, e);

		if (r < 0)
			return -1;
		note_address(at, port, tls, all);
	}
	return 0;
}

static int
httpd_start(struct daemon *d, struct error *e)
{
	const struct httpd_handler h = api_handler(d->api);
	const struct httpd_limits some = { 1, 1, 1, 1, 1, 1, 1 };
	AUTO_STRBUF struct strbuf all;

	strbuf_init(&all, 65536);
	if (httpd_new(&d->httpd, d->loop, &some, &h, e) < 0)
		return -1;
	daemon_apply(d);
	api_set_server(d->api, d->httpd);
	if (listen_all(d, &cfg(d)->addresses, false, &all, e) < 0 ||
	    listen_all(d, &cfg(d)->tls_addresses, true, &all, e) < 0)
		return -1;
	return write_addresses(d, &all, e);
}

static void
httpd_stop(struct daemon *d)
{
	AUTO_FD int dir = -1;

	if (d->httpd != NULL && file_open_dir(cfg(d)->rundir, &dir, NULL) == 0)
		(void)file_remove(dir, LISTENING, NULL);
	d->httpd = httpd_free(d->httpd);
	/* The file worker may still have answers. */
	api_set_server(d->api, NULL);
}

/* TLS */

static int
tls_start(struct daemon *d, struct error *e)
{
	if (daemon_tls(cfg(d), &d->tls, e) < 0)
		return -1;
	daemon_warn_tls(d->tls);
	return 0;
}

static void
tls_stop(struct daemon *d)
{
	d->tls = tls_free(d->tls);
}

/* Pid file */

static int
pid_start(struct daemon *d, struct error *e)
{
	char text[32];
	pid_t pid;
	int n, r;

	r = file_lock(AT_FDCWD, cfg(d)->pidfile, 0644, &d->pid_fd, &pid, e);
	if (r == FILE_LOCKED)
		return error_set(e, OVE_UNAVAILABLE,
		    "%s is held by another overlordd (pid %ld)",
		    cfg(d)->pidfile, (long)pid);
	if (r < 0)
		return -1;
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(d->pid_fd, 0) < 0)
		return error_set(
		    e, OVE_IO, "%s: cannot be emptied", cfg(d)->pidfile);
	return file_write_all(d->pid_fd, text, (size_t)n, e);
}

static void
pid_stop(struct daemon *d)
{
	if (d->pid_fd >= 0)
		(void)unlink(cfg(d)->pidfile);
	cc_auto_close(&d->pid_fd);
	d->pid_fd = -1;
}

static int
warn_start(struct daemon *d, struct error *e)
{
	AUTO_FREE char *path = NULL;
	struct error mine = ERROR_INIT;

	(void)e;
	if (program_find(cfg(d)->director.command, &path, &mine) < 0)
		log_warn("daemon", NO_FIELDS,
		    "nothing can be deployed on this node: %s", mine.text);
	mem_free(STEAL(path));
	if (program_find(cfg(d)->appjail.command, &path, &mine) < 0)
		log_warn("daemon", NO_FIELDS, "no AppJail on this node: %s",
		    mine.text);
	return 0;
}

const struct subsys subsystems[] = {
	{ "state", state_start, state_stop },
	{ "loop", loop_start, loop_end },
	{ "events", events_start, events_stop },
	{ "metrics", metrics_start, metrics_stop },
	{ "store", store_start, store_stop },
	{ "queue", queue_start, queue_stop },
	/* --check needs the above only. */
	{ "identity", identity_start, NULL },
	{ "key", key_start, key_stop },
	{ "namespaces", namespaces_start, NULL },
	{ "commands", proctab_begin, proctab_end },
	{ "descriptors", descriptors_start, NULL },
	{ "inventory", inventory_start, inventory_stop },
	{ "pid file", pid_start, pid_stop },
	{ "programs", warn_start, NULL },
	{ "runner", runner_start, runner_stop },
	{ "chains", chain_start, chain_stop },
	{ "subtree", subtree_start, subtree_stop },
	{ "api", api_start, api_stop },
	{ "tls", tls_start, tls_stop },
	{ "http", httpd_start, httpd_stop },
};
const size_t subsystems_n = ARRAY_LEN(subsystems);
const size_t subsystems_store_n = 6;
