/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The tests of a replica (runtime.md 5.5): whether it needs help. Pure: figures
 * in, verdict out.
 */
#pragma once

#include "proto/spec.h"

enum scale_result {
	/* No need to scale. */
	SCALE_PASS,
	SCALE_FAIL,
	/* A figure is missing or makes no sense, as e says: neither more nor
	 * less of them. */
	SCALE_UNSURE
};

/* stats: of the jail of each service, {resource: number}; NULL, or empty, means
 * the jail is not there or tells nothing, which is a fail. */
enum scale_result scale_test_rctl(const struct spec_autoscale *as,
    const struct node *const *stats, size_t n, struct error *e);
/* stats: of the server. */
enum scale_result scale_test_economy(
    const struct spec_autoscale *as, const struct node *stats, struct error *e);
/* metrics: {name: {"value": ..}} of that frontend or backend. */
enum scale_result scale_test_balancer(
    const struct spec_balancer *b, const struct node *metrics, struct error *e);
