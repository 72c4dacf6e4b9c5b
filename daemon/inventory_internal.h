/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the parts of the inventory share: places, reading beneath them, and the
 * thread that does it. Everything but what says "on the thread" is on the loop.
 */
#pragma once

#include "daemon/beneath.h"
#include "daemon/inventory.h"
#include "daemon/jailask.h"
#include "daemon/sources.h"
#include "lib/data/schema.h"
#include "lib/event/worker.h"
#include "lib/store/cache.h"

struct inv_thread;
struct inv_work;
struct lookups;
struct names;
struct turns;

struct inventory {
	/* Set when it is made; the thread reads them, too. */
	char *projects;
	char *locks;
	char *logs;
	char *jails;
	char *jail_logs;
	/* Of our environment, which Director files may name. */
	uint64_t env_sum;
	/* The thread's; may be NULL. */
	struct cache *cache;

	struct loop *loop;
	struct events *events;
	struct worker *worker;
	struct jailask *ask;
	struct names *names[INVENTORY_KINDS];
	struct lookups *lookups;
	struct turns *turns;
	/* Borrowed; NULL before it is configured. */
	const struct config_keywords *keywords;
	inventory_gone_fn *gone;
	void *gone_ctx;
	/* Of lookups of all kinds. */
	uint64_t last_id;
	struct inventory_stats stats;
	/* Monotonic; 0: never. */
	int64_t complained_ms;
};

/* The thread */

typedef void inv_run_fn(struct inv_work *w, struct inv_thread *th);
typedef void inv_done_fn(struct inv_work *w);
struct inv_work {
	struct work work;
	struct inventory *inv;
	/* On the thread; sees what it was given. */
	inv_run_fn *run;
	/* On the loop. */
	inv_done_fn *done;
	/* What has happened in the batch, in one work of it. */
	struct {
		uint64_t kept;
		uint64_t read;
		struct cache_stats cache;
		bool told;
		struct error cache_failed;
	} report;
};
/* All works that wait are done one after the other, as one change of the cache.
 */
struct inv_thread {
	const struct inventory *inv;
	/* NULL: there is none. */
	struct cache_txn *cache;
	uint64_t kept;
	uint64_t read;
};
void inventory_submit(struct inventory *inv, struct inv_work *w,
    inv_run_fn *run, inv_done_fn *done);

/* Items of jails. */

/* Whether this item, with these keywords, needs what this command says. */
bool item_needs(enum jail_item item, const struct schema_strs *keywords,
    enum jailask_kind kind);
/* Whether it depends on whether the jail runs; else nobody need find out. */
bool item_is_of_running(enum jail_item item);
/* The list of the item in the configuration, no words when it has none: a copy
 * in the arena, which may latch, since a reload takes the configuration away.
 */
struct schema_strs item_copy_keywords(
    enum jail_item item, const struct config_keywords *k, struct arena *a);
/* A jail on its way between the thread, the loop and commands. */
struct seen_jail {
	const char *name;
	bool running;
	/* What commands have said; NULL: nothing. */
	const char *told[JAILASK_COUNT];
};
struct item_source {
	const struct inventory *inv;
	const char *jail;
	/* Of no meaning to an item that does not depend on it. */
	bool running;
	const struct schema_strs *keywords;
	/* What commands have said; NULL: nothing. */
	const char *told[JAILASK_COUNT];
};
/* Reads one from the jail's directory fd, on the inventory's thread. What
 * cannot be read is empty, and *ret_warning says why, when it is not set yet.
 * NULL: a has latched. */
struct node *item_read(enum jail_item item, const struct item_source *s, int fd,
    struct arena *a, struct sources *sources, struct error *ret_warning);
/* Whether an answer may be kept. */
bool item_is_of_files(enum jail_item item);
const struct node *item_empty(enum jail_item item);

/* A directory of a jail, by its path beneath the jail's own. */
struct item_dir {
	int fd;
	const char *path;
};
void item_dir_close(struct item_dir *at);
#define AUTO_ITEM_DIR CC_CLEANUP(item_dir_close)

/* One item of one jail on its way. */
struct reading {
	const struct item_source *s;
	enum jail_item item;
	struct arena *a;
	struct sources *sources;
	/* The jail's directory. */
	struct item_dir top;
	struct error *warning;
	/* Of `info`; read when first asked for. */
	const char *config;
	size_t config_len;
	const char *template;
	size_t template_len;
};

/* The first thing that went wrong is told; what is not there is no fault. */
void item_warn(struct reading *r, const struct error *e);
/* The text of a file of a directory, in the arena; NULL and 0: nothing. */
const char *item_text(struct reading *r, const struct item_dir *at,
    const char *name, size_t *ret_len);
/* Its first line. */
char *item_line(struct reading *r, const struct item_dir *at, const char *name);
/* Opens a directory of the jail and lists it (char * in names); false when it
 * is not there, or not to be read. */
bool item_open_list(struct reading *r, const char *dir, mode_t type,
    beneath_name_fn *ok, struct item_dir *ret, struct array *names);
struct node *item_read_info(struct reading *r);

/* Projects (inventory_project.c), on any thread: what Director would say of
 * one, and what that is made from. INVENTORY_NONE: there is no such project.
 * -1: its Director file cannot be read (OVE_CORRUPT) or changes just now
 * (OVE_NOTFOUND). */
enum {
	INVENTORY_NONE = 1
};
int project_describe(const struct inventory *inv, const char *project,
    struct arena *a, struct sources *sources, struct node **ret,
    struct error *e);

/* Answers as text, on the thread: kept ones that are still right, or read anew
 * (inventory_answer.c). */
enum {
	ANSWER_NONE = 1
};
/* Of the jail whose directory fd is. What is not whole is in *warning, when
 * that is not set yet. */
void answer_item(struct inv_thread *th, enum jail_item item,
    const struct item_source *s, int fd, struct strbuf *out,
    struct error *warning);
/* 0, or ANSWER_NONE: there is no such project, or nothing can be said of it. */
int answer_project(
    struct inv_thread *th, const char *project, struct strbuf *out);
/* All of project_look, in the arena, which may latch. What is not whole is in
 * *warning, when that is not set yet. */
void answer_look(struct inv_thread *th, const char *project, const char *prefix,
    struct arena *a, struct project_look *ret, struct error *warning);
/* Forgets all answers about this name; those that are over, some of them. */
void answers_forget(
    struct inv_thread *th, enum inventory_kind kind, const char *name);
void answers_sweep(struct inv_thread *th);

/* Lists (inventory_names.c) */

struct named {
	const char *name;
	/* Of jails. */
	bool running;
};
struct name_list {
	struct arena arena;
	/* struct named, sorted by name; and the names alone, char *. */
	struct array items;
	struct array names;
};
int names_new(struct names **ret, struct inventory *inv,
    enum inventory_kind kind, struct error *e);
/* Begins to watch, and lists for the first time; once. */
void names_start(struct names *n);
/* Lists soon, whatever the watch says. */
void names_look(struct names *n);
/* The last list; NULL: none yet. Valid until the loop goes on. */
const struct name_list *names_last(const struct names *n);
bool names_are_watched(const struct names *n);
void names_cancel(struct names *n, struct lookup_id id);
/* Nothing is submitted and nobody told from now on; what is on the thread may
 * come back until the worker has ended. So it is with the parts below. */
void names_stop(struct names *n);
struct names *names_free(struct names *n);

/* Lookups (inventory_lookup.c) */

int lookups_new(struct lookups **ret, struct inventory *inv, struct error *e);
void lookups_cancel(struct lookups *ls, struct lookup_id id);
void lookups_stop(struct lookups *ls);
struct lookups *lookups_free(struct lookups *ls);

/* Turns (inventory_turn.c) */

int turns_new(struct turns **ret, struct inventory *inv, struct error *e);
void turns_configure(struct turns *ts, const struct inventory_config *c);
void turns_read_item(struct turns *ts, enum jail_item item);
void turns_read_names(struct turns *ts, enum inventory_kind kind);
void turns_read_infos(struct turns *ts);
void turns_touch(struct turns *ts);
void turns_stop(struct turns *ts);
struct turns *turns_free(struct turns *ts);
AUTO_DEFINE(turns)
