/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One server in the answer of GET /v1/tree, with those below it: a map as
 * overlord-api(7) shows it. What a server below has sent is not passed on but
 * taken apart and made anew: known members of the right types, as deep as was
 * asked for, what the token may see, and as much as there is room for. What is
 * left out for want of room, or of depth, is named in `truncated`.
 */
#pragma once

#include "lib/base/arena.h"
#include "proto/chainpath.h"

struct chain_reply;
struct node;

/* Levels below the server that is asked: a chain path has so many names. */
#define TREE_DEPTH_LIMIT CHAINPATH_MAX

enum tree_word {
	TREE_LABELS,
	TREE_PROJECTS,
	TREE_JAILS,
	TREE_INFO,
	TREE_STATS,
	TREE_BREAKERS,
	TREE_WORD_COUNT
};
/* The word in `include`, which is the member of a node, too. */
extern const char *const tree_words[TREE_WORD_COUNT];

/* What is wanted of each server. */
struct tree_wish {
	/* Bits 1u << word. */
	unsigned words;
	/* Only this one in projects and info; NULL: all. */
	const char *project;
};

/* What an answer may still hold. A reader takes 65536 values (json.h). */
struct tree_room {
	size_t bytes;
	size_t values;
	size_t servers;
};
#define TREE_ROOM                                                              \
  ((struct tree_room){                                                         \
      .bytes = (size_t)4 << 20, .values = 50000, .servers = 10000 })

struct tree_rules {
	struct tree_wish wish;
	/* Whether the token is for this project; NULL: for all. */
	bool (*sees)(const void *ctx, const char *project);
	const void *ctx;
};

/* Whether the value has a place in the room, at `level` levels of nesting; then
 * the place is taken. */
bool tree_fits(struct tree_room *room, const struct node *value, size_t level);

/* A map with the name that its parent has for it, unless that is NULL. All of
 * these give NULL when the arena is full. */
struct node *treenode_new(struct arena *a, const char *name);
/* Adds what is known of a word, copied, if it is wanted and of its type; in
 * truncated if it does not fit. */
void treenode_set_word(struct node *map, const struct tree_rules *r,
    enum tree_word word, const struct node *value, struct tree_room *room,
    struct arena *a);
/* Says that this member is not all there; once is enough. */
void treenode_truncate(struct node *map, const char *member, struct arena *a);
/* status: of the reply; 0: none. */
void treenode_fail(struct node *map, const char *error, const char *message,
    int status, struct arena *a);
/* Why there was no reply that can be used. */
void treenode_fail_reply(
    struct node *map, const struct chain_reply *r, struct arena *a);

/* The map of what a server has said of itself and of `depth` levels below. */
struct node *treenode_take(const char *name, const struct node *said,
    const struct tree_rules *r, unsigned depth, struct tree_room *room,
    struct arena *a);
