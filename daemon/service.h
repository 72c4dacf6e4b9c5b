/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A service of the configuration that is called by HTTP with a name and a
 * password (dataplaneapi, haproxy_stats): how it is called.
 */
#pragma once

#include "lib/base/arena.h"
#include "proto/config.h"

/* It has all that it needs. */
bool service_is_set(const struct config_service *c);
/* Without slash at its end; NULL when the arena is full. */
char *service_entrypoint(struct arena *a, const struct config_service *c);
/* A header line; a secret. NULL when the arena is full. */
char *service_authorization(struct arena *a, const struct config_service *c);
/* All limits of a call together; 0 when one of them is none. */
int64_t service_total_ms(const struct config_timeouts *t);
