/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the parts of the inventory share: places, and reading beneath them.
 */
#pragma once

#include <sys/types.h>

#include "daemon/inventory.h"
#include "daemon/jailask.h"
#include "lib/base/array.h"
#include "lib/data/schema.h"

#define ENTRIES_MAX 100000

struct lookups;

struct inventory {
	char *projects;
	char *locks;
	char *logs;
	char *jails;
	char *jail_logs;
	struct lookups *lookups;
};

typedef bool inventory_name_fn(const char *s, size_t len);
#define INVENTORY_ANY ((mode_t)0)

/* Opens a directory, or the one of this name in it; 1 when there is none. */
int inventory_open(const char *path, int *ret, struct error *e);
int inventory_open_in(
    const char *dir, const char *name, int *ret, struct error *e);
/* Opens a regular file beneath fd; whatever else stands there (a link, a pipe,
 * a directory) is as good as nothing: OVE_NOTFOUND. */
int inventory_open_file(int fd, const char *name, int *ret, struct error *e);
/* Names of the entries of this type (S_IFDIR, ...), sorted, into `names`
 * (char * in a). takes fd. */
int inventory_list(int fd, mode_t type, inventory_name_fn *ok, struct arena *a,
    struct array *names, struct error *e);

/* Items of jails. */

/* Whether this item, with these keywords, needs what this command says. */
bool item_needs(enum jail_item item, const struct schema_strs *keywords,
    enum jailask_kind kind);
/* The list of the item in the configuration; no words when it has none. */
const struct schema_strs *item_keywords(
    enum jail_item item, const struct config_keywords *k);
struct item_source {
	const struct inventory *inv;
	const char *jail;
	bool running;
	const struct schema_strs *keywords;
	/* What commands have said; NULL: nothing. */
	const char *told[JAILASK_COUNT];
};
/* Reads one, on the file worker. What cannot be read is empty, and *ret_warning
 * says why, when it is not set yet. NULL: there is no such jail, or a has
 * latched. */
struct node *item_read(enum jail_item item, const struct item_source *s,
    struct arena *a, struct error *ret_warning);
const struct node *item_empty(enum jail_item item);

/* One item of one jail on its way. */
struct reading {
	const struct item_source *s;
	struct arena *a;
	/* The jail's directory. */
	int fd;
	struct error *warning;
	/* Of `info`; read when first asked for. */
	const char *config;
	size_t config_len;
	const char *template;
	size_t template_len;
};

/* Entries of a directory that are read. */
#define ITEM_ROWS_MAX 10000

/* The first thing that went wrong is told; what is not there is no fault. */
void item_warn(struct reading *r, const struct error *e);
/* The text of a file beneath fd, in the arena; NULL: nothing. */
const char *item_text(
    struct reading *r, int fd, const char *name, size_t *ret_len);
/* Its first line. */
char *item_line(struct reading *r, int fd, const char *name);
/* Opens a directory of the jail and lists it (char * in names); false when it
 * is not there, or not to be read. */
bool item_open_list(struct reading *r, const char *dir, mode_t type,
    inventory_name_fn *ok, int *ret_fd, struct array *names);
/* Names of entries, and the order of those that are numbers. */
bool item_is_entry(const char *s, size_t len);
bool item_is_number(const char *s, size_t len);
int item_cmp_number(const void *a, const void *b);
struct node *item_read_info(struct reading *r, enum jail_item item);

/* Lookups (inventory_lookup.c). */
int lookups_new(struct lookups **ret, struct inventory *inv, struct loop *l,
    struct error *e);
struct lookups *lookups_free(struct lookups *ls);
