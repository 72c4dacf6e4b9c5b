/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Anchors by name: an array in the order of the text, and a hash table with a
 * seed over it.
 */
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "lib/data/yaml_internal.h"

/* A power of two, at least twice the anchors there may be. */
#define ANCHOR_SLOTS 32768

_Static_assert(YAML_ANCHORS_MAX * 2 < ANCHOR_SLOTS && ANCHOR_SLOTS <= 65536,
    "slots for all anchors, indexes in 16 bits");

static size_t
slot_of(const struct yaml_reader *r, const char *name)
{
	uint64_t h = hash_add(r->seed ^ HASH_INIT, name, strlen(name));

	return (size_t)(h ^ h >> 32) & (ANCHOR_SLOTS - 1);
}

/* The slot that holds the name, or the empty one where it belongs. */
static size_t
find_slot(const struct yaml_reader *r, const char *name)
{
	size_t i;

	i = slot_of(r, name);
	while (r->slots[i] != 0 &&
	    strcmp(r->anchors[r->slots[i] - 1].name, name) != 0)
		i = (i + 1) & (ANCHOR_SLOTS - 1);
	return i;
}

struct yaml_anchor *
yaml_find_anchor(struct yaml_reader *r, const char *name)
{
	size_t i;

	if (r->slots == NULL)
		return NULL;
	i = find_slot(r, name);
	return r->slots[i] != 0 ? &r->anchors[r->slots[i] - 1] : NULL;
}

static int
grow_anchors(struct yaml_reader *r)
{
	struct yaml_anchor *p;
	size_t cap;

	if (r->slots == NULL) {
		r->slots = mem_calloc(ANCHOR_SLOTS, sizeof(*r->slots));
		if (r->slots == NULL)
			return error_nomem(r->e);
		r->seed = rand_u64();
	}
	if (r->anchors_n < r->anchors_cap)
		return 0;
	cap = r->anchors_cap == 0 ? 16 : r->anchors_cap * 2;
	p = mem_realloc(r->anchors, cap * sizeof(*p));
	if (p == NULL)
		return error_nomem(r->e);
	r->anchors = p;
	r->anchors_cap = cap;
	return 0;
}

int
yaml_define_anchor(struct yaml_reader *r, const yaml_char_t *anchor,
    struct node *n, struct diag_pos pos, size_t *ret)
{
	const char *name = (const char *)anchor;
	struct yaml_anchor *old;
	size_t slot;

	*ret = YAML_NO_ANCHOR;
	if (name == NULL)
		return 0;
	old = yaml_find_anchor(r, name);
	if (old != NULL) {
		yaml_fault(r, pos, "yaml-anchor", NULL,
		    "the anchor '%.60s' is there twice", name);
		return 0;
	}
	if (r->anchors_n == YAML_ANCHORS_MAX) {
		yaml_fault(r, pos, "yaml-limit", NULL, "more than %d anchors",
		    YAML_ANCHORS_MAX);
		return -1;
	}
	if (grow_anchors(r) == -1)
		return -1;
	slot = find_slot(r, name);
	*ret = r->anchors_n++;
	r->anchors[*ret] = (struct yaml_anchor){ .node = n };
	r->anchors[*ret].name = arena_strdup(r->a, name);
	if (r->anchors[*ret].name == NULL) {
		r->anchors_n--;
		return arena_check(r->a, r->e);
	}
	r->slots[slot] = (uint16_t)r->anchors_n;
	return 0;
}
