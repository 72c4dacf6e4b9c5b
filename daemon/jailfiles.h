/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What a job needs of AppJail's directory, read at once and whatever the
 * inventory shows (runtime.md 3.1, Q30): labels of a jail, ports that are
 * taken. `jails` is the directory of jails. What is not there is nothing.
 */
#pragma once

#include "lib/base/arena.h"

struct node;
struct portset;

/* Labels whose names have the prefix: a map of names and texts, null for no
 * value, in the order of names. -1: not all of them can be read, *ret is what
 * can be said. */
int jailfiles_labels(const char *jails, const char *jail, const char *prefix,
    struct arena *a, struct node **ret, struct error *e);
/* Adds the ports that jails expose on an interface. */
int jailfiles_ports(
    const char *jails, const char *iface, struct portset *set, struct error *e);
