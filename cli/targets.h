/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Runs a command on every server that a file means: discovery, filters, labels,
 * then the command's own requests, each server on its own and all of them in
 * parallel. What they say is kept in lanes and shown in the order of discovery
 * (cli.md 1.6, 2.1).
 */
#pragma once

#include "cli/servers.h"

struct targets;

/* Why a server could not be asked for something. */
struct target_fault {
	/* NULL: it could. */
	const char *text;
	/* What was asked: "get_chains", "get_api_labels"; or the command's. */
	const char *call;
	enum client_class class;
	/* Of the reply; 0: there was none. */
	int status;
};

struct target {
	struct targets *all;
	size_t index;
	const struct client_server *server;
	/* NULL: the server itself. */
	const char *chain;
	/* An entry point. */
	bool is_start;
	/* NULL: it did not say. */
	const char *version;
	/* "(datacenter:D, chain:C": for messages. */
	const char *context;
	/* Not asked for when the rule wants every server. */
	struct schema_strs labels;
	/* Those that came with discovery; items is NULL when none did. */
	struct client_strs told;
	struct out lane;
	/* The command has it, or had it. */
	bool matched;
	bool done;
	/* target_failed() */
	bool failed;
	/* Of its chains or labels; those of the command that gives none. */
	struct target_fault fault;
	/* Of the command. */
	void *ctx;
};

enum targets_flags {
	/* Every server; labels are not asked for. */
	TARGETS_ALL = 1,
	/* --filter-chain and --filter-root-chain count. */
	TARGETS_FILTER_CHAIN = 2,
	/* Servers that cannot be asked are given to the command too, with
	 * their fault and without a warning, and so are those that the server
	 * above them leaves alone, which else nobody sees. */
	TARGETS_GIVE_FAULTS = 4,
};

struct targets_rule {
	int flags;
	/* Not with TARGETS_ALL. */
	struct schema_strs labels;
	struct schema_strs exclude;
	/* Starts the command's work on a matching server; target_done() ends
	 * it, at once or later. */
	void (*start)(struct target *t);
	/* Called before a server's lane is shown; false: this one and what
	 * comes after it is not shown any more, and the run ends. May be
	 * NULL. */
	bool (*show)(struct target *t);
	/* Called whenever a server is done, one that did not match too: what
	 * waits for those before it can go on. May be NULL. */
	void (*settled)(struct targets *all);
	void *ctx;
};

struct targets {
	struct session *session;
	struct targets_rule rule;
	struct target *items;
	size_t n;
	size_t matched;
	/* Index of the first that has not been shown. */
	size_t shown;
	/* The first of 77, 76, 69 among failed targets; how many failed. */
	enum exitcode failure;
	size_t failed;
	/* No entry point could be reached: its exit code. */
	enum exitcode unreachable;
	bool stopped;
};

/* Runs the loop until all is done. ret stays valid as long as the session.
 * EXIT_CODE_OK when there was work to do, whatever became of it. */
enum exitcode targets_run(struct session *s, const struct tree_entry *entries,
    size_t n, const struct targets_rule *rule, struct targets *ret);
/* Also for a target that is done: shows what can be shown. */
void target_done(struct target *t);
/* Keeps why, as its fault. call is a constant. */
void target_set_fault(struct target *t, const char *call,
    enum client_class class, int status, const char *text);
/* A server of ours stands above it, which upserts what is put through a chain:
 * it looks itself whether there is something to replace. An original does so,
 * too, but gets the requests that its own client would send. */
bool target_upserts(const struct target *t);
/* Whether there is sense in asking it: its labels are known, or nobody has
 * found that it cannot be reached or does not take the token. */
bool target_can_be_asked(const struct target *t);
/* Notes that it could not be changed, or asked; more than once, for more than
 * one change. */
void target_failed(struct target *t, enum client_class class);
/* Ends the run: what is under way is dropped. */
void targets_stop(struct targets *t);

/* 77, 76 or 69. */
enum exitcode targets_exit(enum client_class class);
/* What to do when no server matched. */
#define TARGETS_NONE_HINT "-vv tells why each server was left out"
/* Warns when no server matched; EXIT_CODE_NOMATCH with --strict. */
enum exitcode targets_none(const struct targets *t);
/* What to do about such a failure; NULL: nobody knows. */
const char *targets_hint(struct session *s, const struct client_server *server,
    enum client_class class);

/* For commands that only look: who is asked follows from -f and --all (without
 * a file this machine), rule gives start, flags and ctx. Also makes the
 * client. */
enum exitcode targets_look(
    struct session *s, const struct targets_rule *rule, struct targets *ret);
