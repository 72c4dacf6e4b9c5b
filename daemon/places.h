/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Director's own places: what the configuration says, else what Director's
 * director.ini says, else its built-in defaults (appjail-director-cli.md 1.1).
 */
#pragma once

#include "lib/base/arena.h"

struct config;

struct places {
	const char *projects;
	const char *locks;
	const char *logs;
};

/* Paths live in a. */
int places_find(const struct config *c, struct arena *a, struct places *ret,
    struct error *e);
