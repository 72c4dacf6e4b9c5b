/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What is on this node: jails and Director's projects. For now read when asked,
 * from AppJail's and Director's own directories (appjail-director-cli.md 1.8,
 * 3.4): no process is started for it. Watching and caching come behind this
 * same header.
 */
#pragma once

#include "lib/base/arena.h"

struct inventory;
struct node;

/* All absolute; copied. */
struct inventory_places {
	/* Director's projects, locks, logs. */
	const char *projects;
	const char *locks;
	const char *director_logs;
	const char *jails;
};

int inventory_new(
    struct inventory **ret, const struct inventory_places *p, struct error *e);
struct inventory *inventory_free(struct inventory *inv);
AUTO_DEFINE(inventory)

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
/* Text of one log, escape sequences removed, lines joined by \n, bytes that are
 * not UTF-8 replaced (rest-api.md 3.4). OVE_NOTFOUND, OVE_LIMIT. */
int inventory_director_log(struct inventory *inv, const char *date,
    const char *service, const char *log, struct arena *a, struct node **ret,
    struct error *e);
