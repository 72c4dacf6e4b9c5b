/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The drawing of get-info -t chains:tree (cli.md appendix D). Branches are kept
 * in the order in which they were first named; a path whose ancestors were not
 * named brings them along.
 */
#include "proto/human.h"

#include <string.h>

#include "lib/base/arena.h"

#define ARENA_MAX ((size_t)64 * 1024 * 1024)
#define PREFIX_MAX ((size_t)64 * 1024)

struct branch {
	const char *name;
	size_t len;
	struct branch *first;
	struct branch *last;
	struct branch *next;
};

static bool
is_called(const struct branch *b, const char *name, size_t len)
{
	return b != NULL && b->len == len && memcmp(b->name, name, len) == 0;
}

/* The last one is tried first: paths come depth first. NULL: no memory. */
static struct branch *
grow(struct branch *b, const char *name, size_t len, struct arena *a)
{
	struct branch *c = b->first;

	if (is_called(b->last, name, len))
		return b->last;
	while (c != NULL && !is_called(c, name, len))
		c = c->next;
	if (c != NULL)
		return c;
	c = arena_alloc(a, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->name = name;
	c->len = len;
	if (b->last != NULL)
		b->last->next = c;
	else
		b->first = c;
	b->last = c;
	return c;
}

static void
plant(struct branch *root, const char *path, struct arena *a)
{
	struct branch *b = root;

	while (b != NULL) {
		size_t len = strcspn(path, ".");

		b = grow(b, path, len, a);
		if (path[len] == '\0')
			return;
		path += len + 1;
	}
}

/* Recursion is as deep as the longest path has parts. */
static void
draw(struct strbuf *out, struct strbuf *prefix, const struct branch *b)
{
	for (const struct branch *c = b->first; c != NULL; c = c->next) {
		size_t len = prefix->len;

		strbuf_addf(
		    out, "%s +-- %.*s\n", prefix->buf, (int)c->len, c->name);
		strbuf_adds(prefix, c->next != NULL ? " |  " : "    ");
		draw(out, prefix, c);
		strbuf_truncate(prefix, len);
	}
}

int
human_tree(struct strbuf *out, const char *root, const char *const *chains,
    size_t n, struct error *e)
{
	struct branch trunk = { .name = root };
	AUTO_ARENA struct arena a;
	AUTO_STRBUF struct strbuf prefix;

	arena_init(&a, ARENA_MAX);
	strbuf_init(&prefix, PREFIX_MAX);
	for (size_t i = 0; i < n; i++)
		plant(&trunk, chains[i], &a);
	if (arena_check(&a, e) < 0)
		return -1;
	strbuf_addf(out, "%s\n", root);
	draw(out, &prefix, &trunk);
	return strbuf_check(&prefix, e);
}
