/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See treenode.h. What was sent is weighed as a whole first: it is copied, or
 * all that stays of it is the server's name. Recursion ends with the depth of
 * JSON and with that of the wish.
 */
#include "daemon/treenode.h"

#include <string.h>

#include "daemon/chain.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/net/http1.h"
#include "proto/names.h"

/* Quotes, a comma, a colon: what a value costs beside its text. */
#define VALUE_BYTES 6

static const char chains_member[] = "chains";
static const char truncated_member[] = "truncated";

const char *const tree_words[TREE_WORD_COUNT] = {
	[TREE_LABELS] = "labels",
	[TREE_PROJECTS] = "projects",
	[TREE_JAILS] = "jails",
	[TREE_INFO] = "info",
	[TREE_STATS] = "stats",
	[TREE_BREAKERS] = "breakers",
};

static const struct {
	enum node_type type;
	/* Its items, or keys, are projects. */
	bool of_projects;
} shapes[TREE_WORD_COUNT] = {
	[TREE_LABELS] = { NODE_LIST, false },
	[TREE_PROJECTS] = { NODE_LIST, true },
	[TREE_JAILS] = { NODE_LIST, false },
	[TREE_INFO] = { NODE_MAP, true },
	[TREE_STATS] = { NODE_MAP, false },
	[TREE_BREAKERS] = { NODE_MAP, false },
};

/* Room */

static bool
weigh_text(struct tree_room *room, size_t len)
{
	if (room->bytes < len + VALUE_BYTES)
		return false;
	room->bytes -= len + VALUE_BYTES;
	return true;
}

/* Takes the value off the room as far as that goes; false: not far enough. */
static bool
weigh(struct tree_room *room, const struct node *n, size_t level)
{
	bool holds = n->type == NODE_LIST || n->type == NODE_MAP;

	if (room->values == 0 || (holds && level >= JSON_DEPTH_MAX) ||
	    !weigh_text(
		room, n->type == NODE_STR ? n->u.str.len : NODE_FLOAT_LEN))
		return false;
	room->values--;
	for (size_t i = 0; n->type == NODE_LIST && i < n->u.list.n; i++)
		if (!weigh(room, n->u.list.items[i], level + 1))
			return false;
	for (size_t i = 0; n->type == NODE_MAP && i < n->u.map.n; i++) {
		const struct node_pair *p = &n->u.map.pairs[i];

		if (!weigh_text(room, p->key->u.str.len) ||
		    !weigh(room, p->value, level + 1))
			return false;
	}
	return true;
}

bool
tree_fits(struct tree_room *room, const struct node *value, size_t level)
{
	struct tree_room left = *room;

	if (!weigh(&left, value, level))
		return false;
	*room = left;
	return true;
}

/* Members */

struct node *
treenode_new(struct arena *a, const char *name)
{
	struct node *map = node_new(a, NODE_MAP);

	if (name != NULL)
		node_set(a, map, "chain", node_str(a, name));
	return map;
}

void
treenode_truncate(struct node *map, const char *member, struct arena *a)
{
	struct node *list = node_get(map, truncated_member);

	if (list == NULL) {
		list = node_new(a, NODE_LIST);
		node_set(a, map, truncated_member, list);
	}
	for (size_t i = 0; list != NULL && i < list->u.list.n; i++)
		if (strcmp(node_text(list->u.list.items[i]), member) == 0)
			return;
	node_add(a, list, node_str(a, member));
}

void
treenode_fail(struct node *map, const char *error, const char *message,
    int status, struct arena *a)
{
	struct node *why = node_new(a, NODE_MAP);

	if (status != 0)
		node_set(a, why, "status_code", node_int(a, status));
	node_set(a, why, "error", node_str(a, error));
	node_set(a, why, "message", node_str(a, message));
	node_replace(a, map, "error", why);
}

void
treenode_fail_reply(
    struct node *map, const struct chain_reply *r, struct arena *a)
{
	const char *said = node_text(node_get(r->body, "message"));

	if (r->error != NULL)
		treenode_fail(map, r->error, r->message, 0, a);
	else
		treenode_fail(map, "HTTPStatusError",
		    said != NULL ? said : http1_reason(r->status), r->status,
		    a);
}

/* Words */

static bool
is_wanted(const struct tree_rules *r, enum tree_word w, const struct node *name)
{
	const char *project = node_text(name);

	if (!shapes[w].of_projects)
		return project != NULL || shapes[w].type == NODE_MAP;
	if (project == NULL ||
	    (r->wish.project != NULL && strcmp(project, r->wish.project) != 0))
		return false;
	return r->sees == NULL || r->sees(r->ctx, project);
}

static struct node *
take_word(const struct tree_rules *r, enum tree_word w, const struct node *from,
    struct arena *a)
{
	struct node *to = node_new(a, shapes[w].type);

	for (size_t i = 0;
	     to != NULL && from->type == NODE_LIST && i < from->u.list.n; i++)
		if (is_wanted(r, w, from->u.list.items[i]))
			node_add(a, to, node_copy(a, from->u.list.items[i]));
	for (size_t i = 0;
	     to != NULL && from->type == NODE_MAP && i < from->u.map.n; i++) {
		const struct node_pair *p = &from->u.map.pairs[i];

		if (is_wanted(r, w, p->key))
			node_add_pair(a, to, node_copy(a, p->key),
			    node_copy(a, p->value));
	}
	return to;
}

void
treenode_set_word(struct node *map, const struct tree_rules *r,
    enum tree_word word, const struct node *value, struct tree_room *room,
    struct arena *a)
{
	if ((r->wish.words & 1u << word) == 0 || value == NULL ||
	    value->type != shapes[word].type)
		return;
	/* Within the envelope, the tree, the node. */
	if (room != NULL && !tree_fits(room, value, 3))
		treenode_truncate(map, tree_words[word], a);
	else
		node_set(
		    a, map, tree_words[word], take_word(r, word, value, a));
}

/* What was sent */

static void
take_scalars(struct node *map, const struct node *said, struct arena *a)
{
	static const struct {
		const char *name;
		enum node_type type;
	} members[] = {
		{ "server", NODE_STR },
		{ "version", NODE_STR },
		{ "walked", NODE_BOOL },
		{ "skipped", NODE_BOOL },
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct node *n = node_get(said, members[i].name);

		if (n == NULL || n->type != members[i].type ||
		    (n->type == NODE_STR && n->u.str.len > NAME_LEN_MAX))
			continue;
		node_set(a, map, members[i].name, node_copy(a, n));
	}
}

static void
take_error(struct node *map, const struct node *said, struct arena *a)
{
	const struct node *why = node_get(said, "error");
	const char *error = node_text(node_get(why, "error"));
	const char *message = node_text(node_get(why, "message"));

	if (error != NULL)
		treenode_fail(map, error, message != NULL ? message : "",
		    (int)node_int_at(why, "status_code", 0), a);
}

static void
take_truncated(struct node *map, const struct node *said, struct arena *a)
{
	const struct node *list = node_get(said, truncated_member);
	const char *word;

	if (list == NULL || list->type != NODE_LIST)
		return;
	for (size_t i = 0; i < list->u.list.n; i++) {
		if ((word = node_text(list->u.list.items[i])) == NULL)
			continue;
		if (strcmp(word, chains_member) == 0)
			treenode_truncate(map, chains_member, a);
		for (size_t w = 0; w < TREE_WORD_COUNT; w++)
			if (strcmp(word, tree_words[w]) == 0)
				treenode_truncate(map, tree_words[w], a);
	}
}

static struct node *take_whole(const char *name, const struct node *said,
    const struct tree_rules *r, unsigned depth, struct tree_room *room,
    struct arena *a);

static void
take_chains(struct node *map, const struct node *said,
    const struct tree_rules *r, unsigned depth, struct tree_room *room,
    struct arena *a)
{
	const struct node *from = node_get(said, chains_member);
	struct node *to;

	if (from == NULL || from->type != NODE_LIST)
		return;
	if ((depth == 0 && from->u.list.n > 0) ||
	    room->servers < from->u.list.n) {
		treenode_truncate(map, chains_member, a);
		return;
	}
	room->servers -= from->u.list.n;
	to = node_new(a, NODE_LIST);
	for (size_t i = 0; i < from->u.list.n; i++) {
		const struct node *child = from->u.list.items[i];
		const char *name = node_text(node_get(child, "chain"));

		if (name != NULL && name_is_chain_part(name, strlen(name)))
			node_add(a, to,
			    take_whole(name, child, r, depth - 1, room, a));
	}
	node_set(a, map, chains_member, to);
}

static struct node *
take_whole(const char *name, const struct node *said,
    const struct tree_rules *r, unsigned depth, struct tree_room *room,
    struct arena *a)
{
	struct node *map = treenode_new(a, name);

	if (map == NULL)
		return NULL;
	take_scalars(map, said, a);
	for (size_t w = 0; w < TREE_WORD_COUNT; w++)
		treenode_set_word(map, r, (enum tree_word)w,
		    node_get(said, tree_words[w]), NULL, a);
	take_error(map, said, a);
	take_truncated(map, said, a);
	take_chains(map, said, r, depth, room, a);
	return map;
}

struct node *
treenode_take(const char *name, const struct node *said,
    const struct tree_rules *r, unsigned depth, struct tree_room *room,
    struct arena *a)
{
	struct node *map;

	/* Within the envelope, the tree, its chains. */
	if (room->servers > 0 && tree_fits(room, said, 3)) {
		room->servers--;
		return take_whole(name, said, r, depth, room, a);
	}
	if ((map = treenode_new(a, name)) == NULL)
		return NULL;
	take_scalars(map, said, a);
	for (size_t w = 0; w < TREE_WORD_COUNT; w++)
		if ((r->wish.words & 1u << w) != 0)
			treenode_truncate(map, tree_words[w], a);
	treenode_truncate(map, chains_member, a);
	return map;
}
