/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The servers that may have a scaled project, and how each fares with it
 * (runtime.md 5.3). Pure: made of the answer of GET /v1/tree, completed by what
 * jails say of themselves.
 */
#pragma once

#include "proto/spec.h"

enum scale_health {
	/* It has the project, or is just making it. */
	SCALE_GOOD,
	/* It has not, or it is broken. */
	SCALE_BAD,
	/* Only a health checker complains: neither. */
	SCALE_SICK,
	/* It cannot be told: neither, and a fail. */
	SCALE_LOST
};

/* A service of the project, with what its jail said; whoever asks fills that
 * in. */
struct scale_service {
	const char *jail;
	/* The server knows no such jail. */
	bool is_unknown;
	/* No answer: nothing can be told. */
	bool is_lost;
	bool is_dirty;
	/* A list; NULL: none. */
	const struct node *checks;
	/* A map; NULL: none. */
	const struct node *stats;
	/* They were asked for and did not come. */
	bool has_no_answer;
};

struct scale_node {
	/* NULL: this server. */
	const char *chain;
	enum scale_health health;
	/* What decided that, in the words of the contract. */
	const char *context;
	/* Director has the project there. */
	bool exists;
	/* Its services have to be asked, then comes scale_node_judge(). */
	bool is_open;
	struct scale_service *services;
	size_t services_n;
	/* Of the server, if they were asked for. */
	const struct node *stats;
	/* What the last up and down came to, as the server tells. */
	struct scale_job {
		uint64_t job;
		bool is_running;
		bool is_completed;
	} up, down;

	/* By scale_memory_apply(): its deployment, or its end, is on the way;
	 * it is to be left alone for a while; how often it has failed us. */
	bool is_rising;
	bool is_going;
	bool is_resting;
	unsigned failures;
};

struct scale_nodes {
	struct scale_node *items;
	size_t n;
	/* Servers, and lists of them, of which nothing is known. */
	size_t fails;
};

/* The value of `tree` in the answer, which stays where it is. Only servers with
 * one of these labels count. */
int scale_nodes_take(const struct node *tree, const char *project,
    const struct schema_strs *labels, struct arena *a, struct scale_nodes *ret,
    struct error *e);
/* Once the services are filled in. */
void scale_node_judge(struct scale_node *n);
