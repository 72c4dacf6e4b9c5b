/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the metadata overlord.autoscale.PROJECT asks for (runtime.md 5.2): four
 * members of a deployment file, judged by that file's own table.
 */
#pragma once

#include "proto/spec.h"

/* The text, read and judged; everything lies in the arena. -1: OVE_CORRUPT for
 * what is no JSON, OVE_INVALID for what cannot be meant, NOMEM, LIMIT. */
int scale_spec_read(const char *project, const char *text, size_t len,
    struct arena *a, const struct spec_project **ret, struct error *e);
/* What it would be called in the original's log. */
const char *scale_exception(const struct error *e);
/* Some of rules, economy and load-balancer is given. */
bool scale_spec_has_tests(const struct spec_project *p);
