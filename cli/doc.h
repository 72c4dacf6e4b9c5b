/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What commands print for programs (cli.md 6.0): one document with a "schema"
 * member, as JSON with --output json, as YAML with --output yaml. Members keep
 * the order in which they were set.
 */
#pragma once

#include "cli/session.h"

/* --output asks for a document: "json" or "yaml". */
bool doc_is_wanted(const struct session *s);
/* --output is this word. */
bool doc_output_is(const struct session *s, const char *word);

/* A mapping, to be filled. */
struct node *doc_new(struct arena *a, const char *schema);
/* A string, or null for NULL. */
void doc_set_str(
    struct arena *a, struct node *n, const char *key, const char *text);
/* "datacenter", "url" and "chain": null for the root chain. */
void doc_set_place(struct arena *a, struct node *n,
    const struct client_server *server, const char *chain);
/* Prints it in the form that is wanted, or says why not. */
enum exitcode doc_print(struct session *s, const struct node *doc);
