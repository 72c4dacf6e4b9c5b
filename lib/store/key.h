/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Keys of the database: built by typed functions into a fixed buffer, so that
 * their order is the order of their values; a latched overflow makes the
 * operation that uses the key fail.
 */
#pragma once

#include "lib/base/cc.h"

#define DB_KEY_MAX 511

struct db_val {
	const void *p;
	size_t len;
};

struct db_key {
	size_t len;
	bool over;
	unsigned char buf[DB_KEY_MAX];
};
void key_init(struct db_key *k);
void key_u8(struct db_key *k, uint8_t v);
void key_be64(struct db_key *k, uint64_t v);
/* The text and a NUL, so that prefixes sort first; s holds no NUL. */
void key_str(struct db_key *k, const char *s);
/* Inverses: take from the front of *v; false when it does not hold one. */
bool key_get_u8(struct db_val *v, uint8_t *ret);
bool key_get_be64(struct db_val *v, uint64_t *ret);
bool key_get_str(struct db_val *v, const char **ret);
