/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Values as people read them: the original's time spans, sizes and Python-style
 * values (cli.md appendices A to C), the blocks of get-info (2.5), and our own
 * short ages. What is shown comes from a server and is added as it is.
 */
#pragma once

#include "lib/base/strbuf.h"
#include "lib/data/node.h"

/* "1 hour, 1 minute and 1.25 seconds" */
void human_timespan(struct strbuf *out, double seconds);
/* The same for a number node; anything else as text. */
void human_timespan_node(struct strbuf *out, const struct node *n);
/* "1.27 GiB" */
void human_size(struct strbuf *out, int64_t bytes);
/* "1367982080 (1.27 GiB)" for a number; anything else as text. */
void human_amount(struct strbuf *out, const struct node *n);
/* "drwxr-xr-x" */
#define HUMAN_MODE_LEN 10
void human_mode(char buf[HUMAN_MODE_LEN + 1], unsigned mode);
/* "42s", "3m07s", "2h05m", "4d03h", "6w02d"; negative: "0s". */
void human_age(struct strbuf *out, int64_t seconds);

/* Strings as they are, everything else as repr; NULL is None. */
void human_text(struct strbuf *out, const struct node *n);
/* Python's repr. */
void human_repr(struct strbuf *out, const struct node *n);

/* The next line of a text as Python's splitlines() gives it: its length, and in
 * *ret_next where the one after it begins. */
size_t human_line(const char *text, size_t len, size_t *ret_next);

/* Header of a get-info block (2.5.1). chain NULL: None; labels NULL: no labels
 * line. */
void human_header(struct strbuf *out, const char *url, const char *datacenter,
    const char *chain, const char *const *labels, size_t labels_n);
/* One project of 2.5.2: NAME and what is below it. info is the reply's. */
void human_project(
    struct strbuf *out, const char *name, const struct node *info);
/* What is below NAME: a VM (2.5.3), an autoscaled project (2.5.4); nothing when
 * the status says nothing. */
void human_vm(struct strbuf *out, const struct node *status);
void human_autoscale(struct strbuf *out, const struct node *status);
/* A key and its text (2.5.5); nothing when the text is empty. */
void human_metadata(
    struct strbuf *out, const char *key, const struct node *text);
/* The entries of a namespace (2.5.6). */
void human_namespace(struct strbuf *out, const struct node *entries);
/* An item of a jail (2.5.7), "stats" and "info" among them; nothing when it is
 * empty or null. */
void human_jail_item(
    struct strbuf *out, const char *item, const struct node *value);
/* Totals of a server (2.5.9). */
void human_stats(struct strbuf *out, const struct node *stats);

/* A drawing of chains below root (appendix D): dotted paths, whose ancestors
 * appear too, in order of first appearance. -1: no memory. */
int human_tree(struct strbuf *out, const char *root, const char *const *chains,
    size_t n, struct error *e);
