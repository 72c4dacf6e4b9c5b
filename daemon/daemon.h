/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * struct daemon: everything a node has, the only global state of the process.
 * Seen by daemon.c, daemon_subsys.c and main.c; the parts get what they need
 * as parameters.
 */
#pragma once

#include "daemon/identity.h"
#include "daemon/places.h"
#include "lib/base/arena.h"
#include "lib/event/loop.h"

struct api;
struct audit;
struct cache;
struct chain;
struct config;
struct events;
struct httpd;
struct inventory;
struct labels;
struct leftover;
struct ports;
struct vm_work;
struct proctab;
struct programs;
struct queue;
struct retention;
struct runner;
struct scale;
struct store;
struct subtree;
struct tls;

struct daemon_options {
	/* Absolute; NULL: all defaults. */
	const char *config_path;
	bool foreground;
	/* Ours, as main() got it. */
	const char *const *environment;
};

/* A configuration with the arena it lives in. */
struct loaded {
	struct arena arena;
	struct config *config;
};

struct daemon {
	struct daemon_options opts;
	struct loaded *loaded;
	/* Of what is fixed at start: places, labels of configurations past. */
	struct arena arena;
	struct places places;
	char serverid[SERVERID_LEN];
	/* What commands get as OVERLORD_METADATA and OVERLORD_NAMESPACES. */
	const char *metadata;
	const char *namespaces;
	int lock_fd;
	int pid_fd;
	struct token_key *key;
	struct loop *loop;
	struct events *events;
	struct subtree *subtree;
	struct metrics *metrics;
	struct store *store;
	struct queue *queue;
	struct audit *audit;
	struct programs *programs;
	struct proctab *proctab;
	/* NULL when it cannot be opened. */
	struct cache *cache;
	struct inventory *inventory;
	struct leftover *leftover;
	struct retention *retention;
	struct labels *labels;
	struct ports *ports;
	struct vm_work *vm_work;
	struct runner *runner;
	struct chain *chain;
	struct api *api;
	/* NULL without certificate. */
	struct tls *tls;
	struct httpd *httpd;
	/* The first of the addresses where it listens, with the port it got. */
	const char *address;
	struct scale *scale;
	struct sigwatch on_term;
	struct sigwatch on_int;
	struct sigwatch on_hup;
	struct timer drain;
	int64_t drain_until_ms;
	/* Subsystems that have started, in order. */
	size_t started;
};

/* Reads the configuration; faults are printed to standard error, and then the
 * error has a code and no text. */
int daemon_load(
    const struct daemon_options *o, struct loaded **ret, struct error *e);
struct loaded *loaded_free(struct loaded *l);
AUTO_DEFINE(loaded)

/* The TLS context that the configuration asks for; NULL when it asks for none.
 */
int daemon_tls(const struct config *c, struct tls **ret, struct error *e);

/* Looks for programs where the configuration and PATH say. */
void daemon_programs(const struct config *c, struct programs *p);

/* Opens the log that the configuration asks for; or looks whether that can be
 * done. */
int daemon_log(
    const struct daemon_options *o, const struct loaded *l, struct error *e);
int daemon_test_log(
    const struct daemon_options *o, const struct loaded *l, struct error *e);

/* takes *l. */
int daemon_new(struct daemon **ret, const struct daemon_options *o,
    struct loaded **l, struct error *e);
/* Starts all subsystems. */
int daemon_start(struct daemon *d, struct error *e);
/* Runs until TERM or INT. */
int daemon_run(struct daemon *d, struct error *e);
struct daemon *daemon_free(struct daemon *d);
AUTO_DEFINE(daemon)

/* What --check does: opens the store and checks everything in it. */
int daemon_check(struct daemon *d, struct error *e);
/* What --backup does: copies the live store of another daemon. */
int daemon_backup(const struct config *c, const char *dir, struct error *e);
/* What --restore does: puts such a copy in the place of the store. *ret_aside
 * is where that is now; NULL: there was none. */
int daemon_restore(
    struct daemon *d, const char *dir, const char **ret_aside, struct error *e);
