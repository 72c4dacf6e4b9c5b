/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What is on this node: jails and Director's projects, read from AppJail's and
 * Director's own directories (appjail-director-cli.md 1.8, 3.4); the little
 * that only a command knows is asked for by jailask.h.
 *
 * Which jails and projects there are is kept in memory, as directories are
 * watched. What is known of each is kept in a cache as the text of an answer,
 * with what it was made from; a reader gets that text when nothing of it has
 * changed, and else it is read anew. So no answer is older than its question.
 * What is read is looked at in the meantime, at the pace of the configuration,
 * so that answers are there before they are asked for.
 *
 * What comes later is told once, on the loop, never in the call that asked. All
 * of these count as reads of polling.h.
 */
#pragma once

#include "daemon/polling.h"
#include "lib/base/arena.h"

struct cache;
struct config_keywords;
struct events;
struct inventory;
struct loop;
struct node;
struct programs;

/* All absolute; copied. */
struct inventory_places {
	/* Director's projects, locks, logs. */
	const char *projects;
	const char *locks;
	const char *director_logs;
	/* AppJail's. */
	const char *jails;
	const char *appjail_logs;
};

/* What takes its turn, each at its own pace. */
enum inventory_turn {
	/* Lists, and which jails run. */
	TURN_JAILS,
	TURN_PROJECTS,
	/* Of each: */
	TURN_PROJECT_INFO,
	TURN_JAIL_INFO,
	TURN_JAIL_STATS,
	/* All other items. */
	TURN_JAIL_EXTRAS,
	TURN_COUNT
};

/* Borrowed until the next inventory_configure(). */
struct inventory_config {
	/* What items show; NULL: nothing. */
	const struct config_keywords *keywords;
	/* Between two turns; for so long what a command has said is kept. */
	int64_t pause_ms[TURN_COUNT];
	/* What is added to that by chance: from, to. */
	int64_t skew_ms[2];
	struct polling_rules adaptive;
	const struct programs *programs;
	/* Of the commands. */
	const char *const *environment;
	/* That run at once; 0 = 4. */
	unsigned commands;
};

struct inventory_deps {
	struct loop *loop;
	/* Where answers are kept, and jails that come and go are told; NULL:
	 * nowhere. */
	struct cache *cache;
	struct events *events;
	/* Ours, which Director files may name. */
	const char *const *environment;
};

int inventory_new(struct inventory **ret, const struct inventory_deps *deps,
    const struct inventory_places *p, struct error *e);
/* The first one starts the turns, and watching. */
void inventory_configure(
    struct inventory *inv, const struct inventory_config *c);
/* Something happens on this node: all of it counts as read. */
void inventory_touch(struct inventory *inv);
/* Lookups under way end without their callback. */
struct inventory *inventory_free(struct inventory *inv);
AUTO_DEFINE(inventory)

struct lookup_id {
	uint64_t v;
};
/* Idempotent; what was asked for is not told any more. */
void inventory_cancel(struct inventory *inv, struct lookup_id id);

/* Lists of names */

enum inventory_kind {
	INVENTORY_JAILS,
	INVENTORY_PROJECTS,
	INVENTORY_KINDS
};
/* Sorted; valid during the callback. NULL: the directory cannot be read, as e
 * says; one that is not there is an empty list. */
struct inventory_names {
	const char *const *items;
	size_t n;
};
typedef void inventory_names_fn(
    const struct inventory_names *names, const struct error *e, void *ctx);
int inventory_names(struct inventory *inv, enum inventory_kind kind,
    inventory_names_fn *done, void *ctx, struct lookup_id *ret,
    struct error *e);
bool inventory_has(
    struct inventory *inv, enum inventory_kind kind, const char *name);

/* What the last list says, whoever asks: this is no read. */
enum inventory_listed {
	INVENTORY_UNLISTED,
	INVENTORY_LISTED,
	/* There is none, or the directory cannot be read. */
	INVENTORY_UNSURE
};
enum inventory_listed inventory_lists(
    const struct inventory *inv, enum inventory_kind kind, const char *name);
/* Names that were in the last list, and are in the next one no more. */
typedef void inventory_gone_fn(
    enum inventory_kind kind, const char *const *names, size_t n, void *ctx);
/* One listener; NULL for none. */
void inventory_on_gone(struct inventory *inv, inventory_gone_fn *fn, void *ctx);

/* Items of jails */

enum jail_item {
	JAIL_STATS,
	JAIL_INFO,
	JAIL_CPUSET,
	JAIL_DEVFS,
	JAIL_EXPOSE,
	JAIL_HEALTHCHECK,
	JAIL_LIMITS,
	JAIL_FSTAB,
	JAIL_LABELS,
	JAIL_NAT,
	JAIL_VOLUMES,
	JAIL_ITEM_COUNT
};
/* "stats", "info", ...: what the API calls it. */
const char *inventory_item_member(enum jail_item item);

/* JSON, valid during the callback. NULL: there is no such jail. What cannot be
 * read is the item's empty value, and in the log. */
typedef void inventory_item_fn(const char *text, size_t len, void *ctx);
/* Looks up an item of a jail; within some 6 s whatever commands do. */
int inventory_item(struct inventory *inv, enum jail_item item, const char *jail,
    inventory_item_fn *done, void *ctx, struct lookup_id *ret, struct error *e);
/* The sum of each resource over all jails. */
typedef void inventory_node_fn(const struct node *found, void *ctx);
int inventory_usage(struct inventory *inv, inventory_node_fn *done, void *ctx,
    struct lookup_id *ret, struct error *e);

/* Projects */

enum project_phase {
	PROJECT_DONE,
	PROJECT_FAILED,
	PROJECT_UNFINISHED,
	PROJECT_DESTROYING,
	/* A state file with another word. */
	PROJECT_UNKNOWN,
};
struct project_state {
	/* Director has a directory for it. */
	bool exists;
	enum project_phase phase;
	bool locked;
	/* Of the lock, wall ms. */
	int64_t locked_at;
	/* Who runs `up`, by Director's own record, and when that was written,
	 * wall ms; 0 = not known. */
	int64_t pid;
	int64_t pid_at;
};
void inventory_project_state(const struct inventory *inv, const char *project,
    struct project_state *ret);
const char *project_phase_to_string(enum project_phase p);
/* Removes Director's lock of a project; see design.md 3.5 for when. */
int inventory_unlock(
    struct inventory *inv, const char *project, struct error *e);

/* What Director would say of a project, or of all, as project/info shows it
 * (last_log without its directory): a map by project, of which one is {} when
 * there is no such project or its files say nothing now. More than `max`: an
 * empty map, and too_many. */
typedef void inventory_infos_fn(
    const struct node *infos, bool too_many, void *ctx);
int inventory_infos(struct inventory *inv, const char *project, size_t max,
    inventory_infos_fn *done, void *ctx, struct lookup_id *ret,
    struct error *e);

/* A project as a job wants to know it. */
struct project_look {
	struct project_state state;
	/* As inventory_infos() shows it; besides, of each service whose jail is
	 * there, `labels`: those of the jail that have the prefix, as
	 * jailfiles_labels(), and `unread` when those are not all. NULL:
	 * nothing can be said of the project. */
	const struct node *info;
};
/* Valid during the callback; with e set it is not whole. */
typedef void inventory_look_fn(
    const struct project_look *look, const struct error *e, void *ctx);
int inventory_look(struct inventory *inv, const char *project,
    const char *prefix, inventory_look_fn *done, void *ctx,
    struct lookup_id *ret, struct error *e);

struct inventory_stats {
	uint64_t names[INVENTORY_KINDS];
	/* Answers that were still right, and that were read. */
	uint64_t kept;
	uint64_t read;
	/* Commands that were started. */
	uint64_t commands;
	/* How often the directories were listed, and things took their turn. */
	uint64_t listed;
	uint64_t turns;
	/* Of the cache; 0 without one. */
	uint64_t cache_entries;
	uint64_t cache_bytes;
	uint64_t cache_evicted;
	/* The directories are watched. */
	bool watched;
};
void inventory_get_stats(
    const struct inventory *inv, struct inventory_stats *ret);

/* Logs: read in the call, on the file worker. */

/* date -> service -> [files]; sorted. */
int inventory_director_logs(
    struct inventory *inv, struct arena *a, struct node **ret, struct error *e);
/* Text of one log (date, service, log), escape sequences removed, lines joined
 * by \n, bytes that are not UTF-8 replaced (rest-api.md 3.4). OVE_NOTFOUND,
 * OVE_LIMIT. */
int inventory_director_log(struct inventory *inv, const char *const names[3],
    struct arena *a, struct node **ret, struct error *e);
/* The same of AppJail: type -> entity -> subtype -> [files]; a file above the
 * bottom is there, and empty. */
int inventory_jail_logs(
    struct inventory *inv, struct arena *a, struct node **ret, struct error *e);
int inventory_jail_log(struct inventory *inv, const char *const names[4],
    struct arena *a, struct node **ret, struct error *e);

/* Of what is read as a whole, bytes. */
#define INVENTORY_LOG_MAX ((size_t)16 << 20)
/* The same files as they are, for who reads them in pieces. */
int inventory_director_log_open(struct inventory *inv,
    const char *const names[3], int *ret, struct error *e);
int inventory_jail_log_open(struct inventory *inv, const char *const names[4],
    int *ret, struct error *e);
