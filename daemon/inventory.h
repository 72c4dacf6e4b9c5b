/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What is on this node: jails and Director's projects. For now read when asked,
 * from AppJail's and Director's own directories (appjail-director-cli.md 1.8,
 * 3.4); the little that only a command knows is asked for by jailask.h.
 * Watching and caching come behind this same header.
 *
 * Lists, projects and logs are read in the call, on the loop or on the file
 * worker; items of jails are looked up, and come later.
 */
#pragma once

#include "lib/base/arena.h"

struct config_keywords;
struct inventory;
struct loop;
struct node;

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

/* Borrowed until the next inventory_configure(). */
struct inventory_config {
	/* What items show; NULL: nothing. */
	const struct config_keywords *keywords;
	/* How long what a command has said is kept. */
	int64_t stats_ms;
	int64_t info_ms;
	int64_t extras_ms;
	/* Program of AppJail, a path or a name. */
	const char *appjail;
	/* Of the commands. */
	const char *const *environment;
};

int inventory_new(struct inventory **ret, struct loop *l,
    const struct inventory_places *p, struct error *e);
void inventory_configure(
    struct inventory *inv, const struct inventory_config *c);
/* Lookups under way end without their callback. */
struct inventory *inventory_free(struct inventory *inv);
AUTO_DEFINE(inventory)

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

struct lookup_id {
	uint64_t v;
};
/* Valid during the callback. NULL: there is no such jail. What cannot be read
 * is the item's empty value, and in the log. */
typedef void inventory_done_fn(const struct node *found, void *ctx);
/* Looks up an item of one jail; with jail NULL, of all: a map from names to
 * items. done is called once, on the loop, never in here, and within some 6 s
 * whatever commands do. */
int inventory_lookup(struct inventory *inv, enum jail_item item,
    const char *jail, inventory_done_fn *done, void *ctx, struct lookup_id *ret,
    struct error *e);
/* Idempotent; done will not be called. */
void inventory_cancel(struct inventory *inv, struct lookup_id id);
/* The sum of each resource over what was looked up as JAIL_STATS of all. */
struct node *inventory_sum(const struct node *stats, struct arena *a);
bool inventory_has_jail(struct inventory *inv, const char *jail);

/* Lists of names, sorted; an absent directory is an empty list. */
int inventory_jails(
    struct inventory *inv, struct arena *a, struct node **ret, struct error *e);
int inventory_projects(
    struct inventory *inv, struct arena *a, struct node **ret, struct error *e);

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
	/* Who runs `up`, by Director's own record; 0 = not known. */
	int64_t pid;
};
void inventory_project_state(
    struct inventory *inv, const char *project, struct project_state *ret);
const char *project_phase_to_string(enum project_phase p);
/* Removes Director's lock of a project; see design.md 3.5 for when. */
int inventory_unlock(
    struct inventory *inv, const char *project, struct error *e);

/* Director's description as project/info shows it (last_log without its
 * directory). INVENTORY_NONE: there is no such project. -1: its Director file
 * cannot be read (OVE_CORRUPT) or changes just now (OVE_BUSY). */
enum {
	INVENTORY_NONE = 1
};
int inventory_describe(struct inventory *inv, const char *project,
    struct arena *a, struct node **ret, struct error *e);

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
