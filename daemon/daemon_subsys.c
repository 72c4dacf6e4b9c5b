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

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/api.h"
#include "daemon/audit.h"
#include "daemon/chain.h"
#include "daemon/changes.h"
#include "daemon/events.h"
#include "daemon/inventory.h"
#include "daemon/labels.h"
#include "daemon/leftover.h"
#include "daemon/meta.h"
#include "daemon/metrics.h"
#include "daemon/ports.h"
#include "daemon/program.h"
#include "daemon/retention.h"
#include "daemon/runner.h"
#include "daemon/scale.h"
#include "daemon/subtree.h"
#include "daemon/tables.h"
#include "daemon/vm_work.h"
#include "lib/auth/token.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/rights.h"
#include "lib/event/proctab.h"
#include "lib/event/reap.h"
#include "lib/net/httpd.h"
#include "lib/net/tls.h"
#include "lib/store/cache.h"
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
/* Of the cache: some kB for each jail. */
#define CACHE_BYTES ((uint64_t)64 << 20)
#define MAP_BYTES_WANTED ((uint64_t)64 << 30)

static const struct config *
cfg(const struct daemon *d)
{
	return d->loaded->config;
}

/* State directory */

/* Who may write there can put another store in the place of ours, with jobs for
 * us to run. */
static int
check_mode(int dir, struct error *e)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return error_set_errno(e, errno, "look at it");
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return error_set(e, OVE_DENIED,
		    "it belongs to user %lu, who is neither root nor us",
		    (unsigned long)st.st_uid);
	if ((st.st_mode & S_IWOTH) != 0)
		return error_set(e, OVE_DENIED,
		    "its mode is %04o: others may write to it, which "
		    "'chmod o-w' ends",
		    (unsigned)st.st_mode & 07777);
	return 0;
}

static int
state_start(struct daemon *d, struct error *e)
{
	AUTO_FD int dir = -1;
	pid_t pid;

	if (file_mkdirs(cfg(d)->statedir, 0750, e) < 0 ||
	    file_open_dir(cfg(d)->statedir, &dir, e) < 0 ||
	    check_mode(dir, e) < 0)
		return error_wrap(e, "state directory %s", cfg(d)->statedir);
	switch (file_lock(dir, "lock", 0600, &d->lock_fd, &pid, e)) {
	case 0:
		return rights_limit(d->lock_fd, RIGHTS_HOLD, e);
	case FILE_LOCKED:
		return error_set(e, OVE_UNAVAILABLE,
		    "another overlordd (pid %ld) uses %s", (long)pid,
		    cfg(d)->statedir);
	default:
		return error_wrap(e, "state directory %s", cfg(d)->statedir);
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
	log_critical("store", NO_FIELDS,
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
	if (d->inventory != NULL && j->state != JOB_QUEUED)
		inventory_touch(d->inventory);
	if (d->leftover != NULL && job_state_is_finished(j->state))
		leftover_expect(d->leftover);
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
		.keep = daemon_keep_jobs(cfg(d)),
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

/* The audit trail */

static int
audit_start(struct daemon *d, struct error *e)
{
	const struct keep keep = daemon_keep_trail(cfg(d));

	return audit_new(&d->audit, d->store, &keep, e);
}

static void
audit_stop(struct daemon *d)
{
	d->audit = audit_free(d->audit);
}

/* Commands */

void
daemon_programs(const struct config *c, struct programs *p)
{
	const struct programs_config pc = {
		.director = c->director.command,
		.appjail = c->appjail.command,
		.helper = c->helper,
		.libexec = c->libexec,
		.strict = c->trusted_programs,
	};

	programs_find(p, &pc);
}

static int
programs_start(struct daemon *d, struct error *e)
{
	if (programs_new(&d->programs, e) < 0)
		return -1;
	daemon_programs(cfg(d), d->programs);
	return 0;
}

static void
programs_stop(struct daemon *d)
{
	d->programs = programs_free(d->programs);
}

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
	const char *helper;

	if (arena_check(&d->arena, e) < 0)
		return -1;
	if (programs_get(d->programs, PROGRAM_HELPER, &helper, e) < 0)
		return error_wrap(e, "helper");
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

/* What it holds can be found again: it must not keep the node from starting. */
static int
cache_start(struct daemon *d, struct error *e)
{
	char boot[REAP_BOOT_ID_LEN];
	struct cache_config c = { .bytes_max = CACHE_BYTES, .boot_id = boot };
	struct error why = ERROR_INIT, mine = ERROR_INIT;
	int rc;

	c.dir = arena_printf(&d->arena, "%s/cache", cfg(d)->statedir);
	if (arena_check(&d->arena, e) < 0)
		return -1;
	rc = reap_boot_id(boot, &mine);
	if (rc == 0)
		rc = cache_open(&d->cache, &c, &why, &mine);
	if (rc == CACHE_ANEW)
		log_notice(
		    "cache", NO_FIELDS, "%s begins empty: %s", c.dir, why.text);
	else if (rc < 0)
		log_warn("cache", NO_FIELDS, "what is read is not kept: %s",
		    mine.text);
	return 0;
}

static void
cache_stop(struct daemon *d)
{
	d->cache = cache_free(d->cache);
}

static int
inventory_start(struct daemon *d, struct error *e)
{
	const struct inventory_deps deps = {
		.loop = d->loop,
		.cache = d->cache,
		.events = d->events,
		.environment = d->opts.environment,
	};
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
	return inventory_new(&d->inventory, &deps, &p, e);
}

static void
inventory_stop(struct daemon *d)
{
	d->inventory = inventory_free(d->inventory);
}

static int
leftover_start(struct daemon *d, struct error *e)
{
	const struct leftover_deps deps = {
		.loop = d->loop,
		.store = d->store,
		.queue = d->queue,
		.inventory = d->inventory,
	};

	return leftover_new(&d->leftover, &deps, e);
}

static void
leftover_stop(struct daemon *d)
{
	d->leftover = leftover_free(d->leftover);
}

static int
retention_start(struct daemon *d, struct error *e)
{
	const struct retention_deps deps = {
		.loop = d->loop,
		.queue = d->queue,
		.audit = d->audit,
		.logs = d->places.logs,
	};

	return retention_new(&d->retention, &deps, e);
}

static void
retention_stop(struct daemon *d)
{
	d->retention = retention_free(d->retention);
}

/* What the configuration says of them changes at a restart only. */
static int
labels_begin(struct daemon *d, struct error *e)
{
	return labels_new(&d->labels, d->loop, cfg(d), d->serverid, e);
}

static void
labels_end(struct daemon *d)
{
	d->labels = labels_free(d->labels);
}

static int
ports_start(struct daemon *d, struct error *e)
{
	return ports_new(&d->ports, d->loop, e);
}

static void
ports_stop(struct daemon *d)
{
	d->ports = ports_free(d->ports);
}

static int
vm_work_begin(struct daemon *d, struct error *e)
{
	return vm_work_new(&d->vm_work, d->loop, e);
}

static void
vm_work_end(struct daemon *d)
{
	d->vm_work = vm_work_free(d->vm_work);
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
		.labels = d->labels,
		.ports = d->ports,
		.vm_work = d->vm_work,
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
		.audit = d->audit,
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
	d->address = arena_strndup(&d->arena, all.buf, strcspn(all.buf, "\n"));
	if (arena_check(&d->arena, e) < 0)
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

/* Autoscaling */

static int
scale_start(struct daemon *d, struct error *e)
{
	const struct scale_deps deps = {
		.loop = d->loop,
		.store = d->store,
		.subtree = d->subtree,
		.metrics = d->metrics,
		.key = d->key,
		.address = d->address,
		.metadata = d->metadata,
	};

	return scale_new(&d->scale, &deps, cfg(d), e);
}

static void
scale_stop(struct daemon *d)
{
	d->scale = scale_free(d->scale);
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
	if (file_write_all(d->pid_fd, text, (size_t)n, e) < 0)
		return -1;
	return rights_limit(d->pid_fd, RIGHTS_HOLD, e);
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
	const char *path;
	struct error mine = ERROR_INIT;

	(void)e;
	if (programs_get(d->programs, PROGRAM_DIRECTOR, &path, &mine) < 0)
		log_warn("daemon", NO_FIELDS,
		    "nothing can be deployed on this node: %s", mine.text);
	if (programs_get(d->programs, PROGRAM_APPJAIL, &path, &mine) < 0)
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
	/* Who finds our pid, or an address, may tell us something. */
	{ "signals", daemon_watch_signals, NULL },
	{ "audit", audit_start, audit_stop },
	{ "identity", identity_start, NULL },
	{ "key", key_start, key_stop },
	{ "namespaces", namespaces_start, NULL },
	{ "programs", programs_start, programs_stop },
	{ "commands", proctab_begin, proctab_end },
	{ "descriptors", descriptors_start, NULL },
	{ "cache", cache_start, cache_stop },
	{ "inventory", inventory_start, inventory_stop },
	{ "leftover", leftover_start, leftover_stop },
	{ "retention", retention_start, retention_stop },
	{ "pid file", pid_start, pid_stop },
	{ "missing programs", warn_start, NULL },
	{ "labels", labels_begin, labels_end },
	{ "ports", ports_start, ports_stop },
	{ "VM files", vm_work_begin, vm_work_end },
	{ "runner", runner_start, runner_stop },
	{ "chains", chain_start, chain_stop },
	{ "subtree", subtree_start, subtree_stop },
	{ "api", api_start, api_stop },
	{ "tls", tls_start, tls_stop },
	{ "http", httpd_start, httpd_stop },
	{ "autoscaling", scale_start, scale_stop },
};
const size_t subsystems_n = ARRAY_LEN(subsystems);
const size_t subsystems_store_n = 6;
