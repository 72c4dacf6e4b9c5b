/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Figures of this node in Prometheus' text format 0.0.4. What others count is
 * read from them when it is asked for; requests and how long jobs waited are
 * counted here. Labels are routes, statuses, states and names of chains, never
 * what a client has sent.
 */
#pragma once

#include "lib/store/job.h"

struct chain;
struct httpd;
struct inventory;
struct loop;
struct metrics;
struct proctab;
struct queue;
struct store;
struct strbuf;

/* For what has no route. */
#define METRICS_OTHER (-1)

int metrics_new(struct metrics **ret, struct error *e);
struct metrics *metrics_free(struct metrics *m);
AUTO_DEFINE(metrics)

/* A request was answered. row: the number of its route, that of a twin after
 * ROUTE_COUNT, or METRICS_OTHER. streamed: its time says nothing. */
void metrics_request(
    struct metrics *m, int row, int status, bool streamed, int64_t took_ms);
/* A job has entered its state; from is JOB_STATE_COUNT for a new one. */
void metrics_job(struct metrics *m, const struct job *j, enum job_state from);
/* A round of autoscaling has ended; a server was asked for one more (up), or
 * one less. */
void metrics_round(struct metrics *m, bool failed);
void metrics_scaled(struct metrics *m, bool up);

/* What is asked; httpd may be NULL. */
struct metrics_sources {
	const struct loop *loop;
	const struct store *store;
	const struct queue *queue;
	const struct proctab *proctab;
	const struct chain *chain;
	const struct inventory *inventory;
	const struct httpd *httpd;
};
int metrics_write(const struct metrics *m, const struct metrics_sources *s,
    struct strbuf *out, struct error *e);
