/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What load's clients say and what they take for an answer (load_protocol.c),
 * and who keeps them busy (load.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLY_MAX ((size_t)1 << 20)

struct client {
	int fd;
	bool busy;
	/* Which of the protocol's requests is under way. */
	unsigned phase;
	/* A job's id, from one phase to the next. */
	unsigned long job;
	int64_t began;
	size_t out_len;
	size_t out_sent;
	size_t in_len;
	char *out;
	char in[REPLY_MAX + 1];
};

struct load {
	const struct protocol *protocol;
	const char *host;
	const char *port;
	const char *token;
	const char *body;
	/* Of the names that are made up. */
	const char *prefix;
	const char *path;
	size_t body_len;
	size_t out_max;
	unsigned long made;
	/* Of requests that are made; 0: as many as there is time for. */
	unsigned long most;
	struct client *clients;
	struct pollfd *polls;
	size_t clients_n;
	size_t busy_n;
	int64_t end;
	int64_t pause;
	int64_t *samples;
	size_t samples_n;
};

struct protocol {
	const char *name;
	/* One letter for each argument after HOST PORT: c(lients), s(econds),
	 * m(any), b(ody), t(oken), n(ame), p(ath); o is an optional pause.
	 * Without clients it says one thing once, or one for each line. */
	const char *args;
	/* How many requests make one that counts. */
	unsigned phases;
	void (*write)(struct load *l, struct client *c);
	/* Whether a whole reply is here; only good ones return. */
	bool (*read)(struct client *c);
};

extern const struct protocol protocols[];

/* up's request for one name. */
void post_up(struct load *l, struct client *c, const char *name);
