/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * THE programs that the daemon runs, and no others. Each is looked for once, at
 * the start and by a reload, as the configuration, PATH and the directory of
 * scripts say by then; what is run is that absolute path. One that somebody
 * beside root and ourselves could write, or replace, is refused.
 */
#pragma once

#include "lib/base/error.h"

struct programs;

enum program {
	PROGRAM_DIRECTOR,
	PROGRAM_APPJAIL,
	PROGRAM_RCTL,
	PROGRAM_MAKEFS,
	PROGRAM_HELPER,
	PROGRAM_VM_START,
	PROGRAM_VM_COMPONENTS,
	PROGRAM_VM_IMAGE,
	PROGRAM_VM_PKGBASE,
	PROGRAM_COUNT
};

struct programs_config {
	/* Names that PATH leads to, or absolute paths. */
	const char *director;
	const char *appjail;
	/* Absolute. */
	const char *helper;
	const char *libexec;
	/* Refuse what others could write. */
	bool strict;
};

int programs_new(struct programs **ret, struct error *e);
struct programs *programs_free(struct programs *p);
AUTO_DEFINE(programs)
/* Forgets what was found. Each that is not found has its own reason. */
void programs_find(struct programs *p, const struct programs_config *c);
/* p may be NULL: there are none. The absolute path, good until the next
 * programs_find(). It is looked at again, since it may have changed.
 * OVE_UNAVAILABLE, naming it. */
int programs_get(const struct programs *p, enum program id, const char **ret,
    struct error *e);
/* Whether programs_get() would succeed, for those who ask often and run
 * nothing: that it would may be a second old. The loop's thread only. */
int programs_have(struct programs *p, enum program id, struct error *e);
