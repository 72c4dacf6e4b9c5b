/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the parts of the autoscaler share: scale.c (which projects, and when),
 * scale_ears.c (what happens), scale_round.c (one round of one of them),
 * scale_look.c and scale_act.c (its two halves).
 */
#pragma once

#include <sys/queue.h>

#include "daemon/scale.h"
#include "daemon/scale_log.h"
#include "daemon/scale_memory.h"
#include "daemon/scale_plan.h"
#include "lib/base/arena.h"
#include "lib/event/loop.h"
#include "lib/net/httpc.h"
#include "proto/client.h"

/* At the same time, in all rounds together. */
#define SCALE_CALLS_MAX 16
#define SCALE_KEY "overlord.autoscale."
#define SCALE_CLEANUP_KEY "overlord.autoscale-cleanup."

struct scale_round;

struct scale_project {
	TAILQ_ENTRY(scale_project) link;
	struct scale *owner;
	char *name;
	struct scale_memory memory;
	/* Of the next round; when that is (monotonic), and when the last one
	 * began. */
	struct timer timer;
	int64_t due_at;
	int64_t began_at;
	/* NULL: none is under way. */
	struct scale_round *round;
	/* It was there at the start, and waits for its first turn. */
	bool is_first;
	/* Something has happened meanwhile. */
	bool again;
	/* Its metadata is gone: it goes with the round. */
	bool is_gone;
	/* For the list that is being taken in. */
	bool is_listed;
	/* Jails that it had when it was last looked at, as "CHAIN/JAIL" one
	 * after the other, each with its NUL. */
	struct strbuf jails;
};
TAILQ_HEAD(scale_project_list, scale_project);

struct scale {
	struct loop *loop;
	struct store *store;
	struct subtree *subtree;
	struct metrics *metrics;
	const struct config *config;
	struct arena arena;
	/* This server, and who asks it. */
	struct client *client;
	struct client_server self;
	char *token;
	/* HAProxy. */
	struct httpc *http;
	struct scale_project_list projects;
	/* Tells of changes of the metadata; NULL: it cannot be watched. */
	struct dirwatch *watch;
	/* When the metadata is listed again, and whether that is under way. */
	struct timer listing;
	bool is_listing;
	bool list_again;
	/* The first list was taken in. */
	bool has_list;
	/* Open while there are projects. */
	struct scale_ears *ears;
};

/* A question to the API, in a round; its answer is taken once. */
struct scale_ask {
	struct scale_round *round;
	void (*take)(struct scale_ask *k, const struct client_reply *r);
	/* What it is about: */
	struct scale_node *node;
	struct scale_service *service;
	size_t index;
	size_t part;
};

struct scale_round {
	struct scale_project *p;
	struct scale *s;
	/* When it began, monotonic. */
	int64_t began_at;
	struct arena arena;
	/* Entries of this round. */
	struct scale_log log;
	/* Those of the rounds before, as the record had them. */
	const struct node *logs_before;
	/* Why it fails; NULL: it does not. */
	const char *failed;
	const char *failed_type;
	/* There was nothing to look at. */
	bool is_void;
	/* Answers that are to come, and what is done then. */
	size_t waiting;
	void (*next)(struct scale_round *r);
	/* What comes after scale_look() and scale_act(). */
	void (*seen)(struct scale_round *r);
	void (*acted)(struct scale_round *r);
	const struct spec_project *spec;
	const char *checksum;
	/* What was kept of the last round: NULL or a map; what is kept of this
	 * one. */
	struct node *kept;
	struct node *stats;
	/* What goes along with a deployment: texts by key. */
	const char **metadata;
	/* The cleanup wants that. */
	bool force;
	struct scale_case c;
	struct scale_plan plan;
	/* While acting: the next target, those that are being asked, and those
	 * that have taken it. */
	size_t target;
	size_t running;
	size_t taken;
};

/* Begins; the project's round is set until it has ended, and then
 * scale_round_ended() is called. */
int scale_round_start(struct scale_project *p, struct error *e);
void scale_round_ended(struct scale_project *p);
struct scale_round *scale_round_free(struct scale_round *r);

/* Asks; body and params are copied. A round that cannot ask has failed. */
struct scale_call {
	enum route_id route;
	/* NULL: this server. */
	const char *chain;
	/* NULL: the route has none. */
	const char *param;
	const char *query;
	const struct node *body;
};
struct scale_ask *scale_ask(struct scale_round *r, const struct scale_call *c,
    void (*take)(struct scale_ask *k, const struct client_reply *reply));
/* Makes the round fail, unless it has already. */
void scale_fail(struct scale_round *r, const char *type, const char *text);
/* The original's name for a call that was not CLIENT_OK. */
const char *scale_reply_exception(const struct client_reply *r);
void scale_fail_reply(struct scale_round *r, const struct client_reply *reply);
/* Before the questions of a step, which end with scale_one_less(): what is done
 * when they are answered. */
void scale_step(struct scale_round *r, void (*next)(struct scale_round *r));
/* An answer has come; the round may be gone after the last one. */
void scale_one_less(struct scale_round *r);
/* The project's metadata; in the arena. */
const char *scale_key(struct scale_round *r, const char *prefix);
/* Fills in the case, then `seen`. */
void scale_look(struct scale_round *r, void (*seen)(struct scale_round *r));
/* Does what the plan says, then `acted`. */
void scale_act(struct scale_round *r, void (*acted)(struct scale_round *r));

/* scale_ears.c: events of this server and of those below. */
int scale_ears_new(struct scale_ears **ret, struct scale *s, struct error *e);
struct scale_ears *scale_ears_free(struct scale_ears *x);
/* A round soon. */
void scale_kick(struct scale_project *p);
