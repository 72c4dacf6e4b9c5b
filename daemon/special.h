/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Special labels of one service (runtime.md 3), and what the integrations share
 * in reading them. Texts in messages are the contract's, letter by letter.
 */
#pragma once

#include "daemon/netif.h"
#include "lib/base/arena.h"

struct node;

/* Of the names of all special labels. */
#define SPECIAL_PREFIX "overlord."

struct special {
	const char *project;
	const char *service;
	/* From names to texts; null for no value. */
	const struct node *labels;
	/* The project goes away. */
	bool destroy;
};

/* An integration at work. */
struct special_id {
	uint64_t v;
};

/* How one integration has ended for one service; the message is NULL when there
 * is nothing to say, and valid during the callback. */
typedef void special_done_fn(bool failed, const char *message, void *ctx);

/* The value of the label "overlord.<name>"; NULL when there is none. */
const char *special_label(const struct special *s, const char *name);
/* The same, and what Python prints for none. */
const char *special_text(const char *value);
/* As Python's int(): blanks around it, a sign. False: no integer, or not within
 * the bounds. */
bool special_int(const char *text, int64_t min, int64_t max, int64_t *ret);
/* "(project:P, service:S" and the rest, in the arena. */
char *special_message(struct arena *a, const struct special *s, const char *fmt,
    ...) CC_PRINTF(3, 4);
/* "Exception TYPE: TEXT". */
char *special_exception(struct arena *a, const char *type, const char *text);

/* The address that the labels PREFIX.interface and PREFIX.interface.address
 * ask for. NETIF_NONE: there is none. -1 as netif_find(). Of what goes away the
 * interface may be gone, too: NETIF_NONE. */
int special_address(const struct special *s, const char *iface,
    const char *network, struct netif_addr *ret, struct error *e);
