/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * On disk, in one table: (0, id) -> version, time, job, digest of the body, and
 * (1, time, id) -> version, in order of time, from which the old ones are
 * found.
 */
#include "daemon/idem.h"

#include <string.h>

#include "daemon/tables.h"
#include "lib/auth/token.h"

#define VALUE_VERSION 1
#define KEY_LEN_MAX 255
#define SWEEP_MAX 16

enum {
	BY_ID = 0,
	BY_TIME = 1
};

bool
idem_key_ok(const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < len; i++)
		if (key[i] < ' ' || key[i] > '~')
			return false;
	return len > 0 && len <= KEY_LEN_MAX;
}

static void
digest(const void *p, size_t len, char ret[IDEM_DIGEST_LEN])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char h[TOKEN_HASH_LEN];

	token_hash(p, len, h);
	for (size_t i = 0; i < sizeof(h); i++) {
		ret[2 * i] = hex[h[i] >> 4];
		ret[2 * i + 1] = hex[h[i] & 15];
	}
	ret[2 * sizeof(h)] = '\0';
}

void
idem_key_make(struct idem_key *ret, const char *const *parts, size_t parts_n,
    const void *body, size_t body_len)
{
	struct {
		char part[8][IDEM_DIGEST_LEN];
	} all;

	/* Digests of digests: parts of any length that cannot run into each
	 * other, and nothing that could fail. */
	memset(&all, 0, sizeof(all));
	for (size_t i = 0; i < parts_n && i < ARRAY_LEN(all.part); i++)
		digest(parts[i], strlen(parts[i]), all.part[i]);
	digest(&all, sizeof(all), ret->id);
	digest(body, body_len, ret->body);
}

static void
id_key(struct db_key *k, const char *id)
{
	key_init(k);
	key_u8(k, BY_ID);
	key_str(k, id);
}

static void
time_key(struct db_key *k, int64_t at, const char *id)
{
	key_init(k);
	key_u8(k, BY_TIME);
	key_be64(k, (uint64_t)at);
	key_str(k, id);
}

struct note {
	uint64_t at;
	uint64_t job;
	const char *body;
};

/* 0, DB_NOTFOUND, -1. The body's digest lives as long as t. */
static int
read_note(struct db_txn *t, const char *id, struct note *ret, struct error *e)
{
	struct db_key k;
	struct db_val v;
	uint8_t version;
	int r;

	id_key(&k, id);
	if ((r = db_get(t, TABLE_IDEM, &k, &v, e)) != 0)
		return r;
	if (!key_get_u8(&v, &version) || version != VALUE_VERSION ||
	    !key_get_be64(&v, &ret->at) || !key_get_be64(&v, &ret->job) ||
	    !key_get_str(&v, &ret->body))
		return error_set(
		    e, OVE_CORRUPT, "the note of an Idempotency-Key");
	return 0;
}

int
idem_find(struct store *s, const struct idem_key *k, int64_t now_ms,
    struct job_id *ret, struct error *e)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	struct note n = { .body = "" };
	int r;

	if (db_begin_read(store_db(s), &t, e) < 0 ||
	    (r = read_note(&t, k->id, &n, e)) < 0)
		return -1;
	if (r == DB_NOTFOUND || (int64_t)n.at + IDEM_KEEP_MS <= now_ms)
		return IDEM_NEW;
	if (strcmp(n.body, k->body) != 0)
		return IDEM_OTHER;
	ret->v = n.job;
	return 0;
}

/* Forgetting */

struct sweep {
	struct db_txn *t;
	struct store_batch *b;
	uint64_t before;
	size_t n;
};

static bool
sweep_entry(struct db_val k, struct db_val v, void *ctx)
{
	struct sweep *w = ctx;
	struct db_key key;
	const char *id;
	struct note n;
	uint64_t at;
	uint8_t by;

	(void)v;
	if (!key_get_u8(&k, &by) || by != BY_TIME || !key_get_be64(&k, &at) ||
	    at > w->before || !key_get_str(&k, &id))
		return false;
	time_key(&key, (int64_t)at, id);
	store_batch_del(w->b, TABLE_IDEM, &key);
	/* It may have been used again since. */
	if (read_note(w->t, id, &n, NULL) == 0 && n.at == at) {
		id_key(&key, id);
		store_batch_del(w->b, TABLE_IDEM, &key);
	}
	return ++w->n < SWEEP_MAX;
}

static int
sweep(struct store *s, struct store_batch *b, int64_t now_ms, struct error *e)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	struct sweep w = { .t = &t, .b = b };
	struct db_key prefix;

	if (now_ms < IDEM_KEEP_MS)
		return 0;
	w.before = (uint64_t)(now_ms - IDEM_KEEP_MS);
	key_init(&prefix);
	key_u8(&prefix, BY_TIME);
	if (db_begin_read(store_db(s), &t, e) < 0)
		return -1;
	return db_walk(
	    &t, TABLE_IDEM, &prefix, NULL, DB_FORWARDS, sweep_entry, &w, e);
}

int
idem_put(struct store *s, struct store_batch *b, const struct idem_key *k,
    int64_t now_ms, struct job_id job, struct error *e)
{
	static const unsigned char version = VALUE_VERSION;
	struct db_key key, v;

	/* First: what is noted now is not to be swept. */
	if (sweep(s, b, now_ms, e) < 0)
		return -1;
	id_key(&key, k->id);
	key_init(&v);
	key_u8(&v, VALUE_VERSION);
	key_be64(&v, (uint64_t)now_ms);
	key_be64(&v, job.v);
	key_str(&v, k->body);
	store_batch_put(b, TABLE_IDEM, &key, v.buf, v.len);
	time_key(&key, now_ms, k->id);
	store_batch_put(b, TABLE_IDEM, &key, &version, 1);
	return 0;
}
