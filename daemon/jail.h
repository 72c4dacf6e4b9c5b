/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Whether a jail runs, from the kernel (jail_freebsd.c). Linux has no jails:
 * there a jail runs when its directory holds the file `up` (jail_linux.c),
 * which is what appjail's stand-ins for development leave.
 */
#pragma once

#include "lib/base/cc.h"

/* jails is AppJail's directory of jails: a jail of that name counts only when
 * its root is JAILS/NAME/jail (appjail-director-cli.md 2.1). */
bool jail_is_running(const char *jails, const char *name);
