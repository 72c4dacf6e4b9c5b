/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Texts of AppJail: small files, config.conf and template.conf, and what
 * commands about jails print (appjail-director-cli.md 2.2, 3.2, 4). Pure; any
 * bytes may come. What is returned is valid UTF-8 without NUL (what is not
 * becomes U+FFFD), in the arena; NULL means what is said here, or an arena that
 * has latched.
 */
#pragma once

#include "lib/base/arena.h"

struct node;
struct schema_strs;

/* The first line, blanks around it removed and those within made one; "" for
 * none. */
char *jailtext_line(struct arena *a, const char *text, size_t len);
/* All of it less one newline at the end; NULL when nothing is left. */
char *jailtext_whole(struct arena *a, const char *text, size_t len);
/* The value of the first line with this key, as jailtext_line() makes it; NULL
 * when no line has it. */
char *jailtext_value(
    struct arena *a, const char *text, size_t len, const char *key);
/* The columns of all lines with this key, joined by commas; "" for none. */
char *jailtext_columns(
    struct arena *a, const char *text, size_t len, const char *key);
/* NAME=VALUE, one a line or between commas: a map of those in keywords, in
 * their order, each a number. */
struct node *jailtext_usage(struct arena *a, const char *text, size_t len,
    const struct schema_strs *keywords);
/* "0, 1, 2"; NULL when it is anything else. */
char *jailtext_cpus(struct arena *a, const char *text, size_t len);
/* The number of "#define __FreeBSD_version N"; NULL when there is none. */
char *jailtext_osreldate(struct arena *a, const char *text, size_t len);
