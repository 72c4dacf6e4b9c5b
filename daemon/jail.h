/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the kernel knows of jails (jail_freebsd.c). Linux has none: there a jail
 * runs when its directory holds the file `up` (jail_linux.c), which is what
 * appjail's stand-ins for development leave, and commands must be asked for the
 * rest.
 */
#pragma once

#include "lib/base/strbuf.h"

/* jails is AppJail's directory of jails: a jail of that name counts only when
 * its root is JAILS/NAME/jail (appjail-director-cli.md 2.1). */
bool jail_is_running(const char *jails, const char *name);

/* Whether the two below can be had; they are of a jail that runs, their text is
 * that of rctl(8), with commas, and of `appjail cpuset`. OVE_NOTFOUND: it runs
 * no more. */
bool jail_kernel_tells(void);
int jail_usage(const char *name, struct strbuf *out, struct error *e);
int jail_cpus(const char *name, struct strbuf *out, struct error *e);
