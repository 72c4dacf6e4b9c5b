/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Tells the system's own keeper of bad addresses, FreeBSD's blocklistd(8), who
 * guesses tokens. Its library is not linked but loaded when it is wanted: it is
 * a package of the base system that may be missing, and was called blacklist
 * up to FreeBSD 14. Telling never waits.
 */
#pragma once

#include "lib/base/error.h"

struct ban;

/* OVE_UNSUPPORTED where there is no such thing. */
int ban_new(struct ban **ret, struct error *e);
struct ban *ban_free(struct ban *b);
AUTO_DEFINE(ban)
/* Who is at the other end of this socket has failed to authenticate. -1: nobody
 * listens, or it was too much. */
int ban_tell(struct ban *b, int socket, struct error *e);
