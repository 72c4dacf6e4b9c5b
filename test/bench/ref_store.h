/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Bare LMDB that commits what queue_put() commits: records, entries of the
 * active index and the next id in three tables, one transaction, full sync.
 */
#pragma once

#include <stddef.h>

/* DIR must exist. */
void ref_store_open(const char *dir);
/* So many records with ids from this one on. */
void ref_store_commit(
    unsigned long id, const char *value, size_t len, unsigned records);
void ref_store_close(void);
/* Bytes of the newest record of a node's store. */
size_t ref_store_newest(const char *dir);
