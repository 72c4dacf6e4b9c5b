/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See penalty.h. The table is a hash of small sets: an address has its place in
 * one set, whose oldest entry goes when another needs room. Which addresses
 * share a set depends on a secret, so nobody can choose whom to push out. Of
 * tokens only a keyed hash is kept.
 */
#include "daemon/penalty.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"

/* Powers of 2. */
#define SETS 256
#define WAYS 8
/* Wrong tokens of an address that are known again. */
#define SEEN 8
/* The first wait; each is twice the one before. */
#define FIRST_MS INT64_C(125)

struct address {
	/* 0: the entry is free. */
	unsigned char family;
	unsigned char bytes[8];
};

struct entry {
	struct address key;
	unsigned n;
	int64_t last_ms;
	int64_t until_ms;
	/* A ring; 0 is no token. */
	uint64_t seen[SEEN];
};

struct penalty {
	struct penalty_limits limits;
	uint64_t seed;
	/* Nobody has sent a wrong token: there is nothing to look up. */
	bool empty;
	struct entry table[SETS][WAYS];
};

int
penalty_new(
    struct penalty **ret, const struct penalty_limits *limits, struct error *e)
{
	struct penalty *p = mem_calloc(1, sizeof(*p));

	if (p == NULL)
		return error_nomem(e);
	p->limits = *limits;
	p->seed = rand_u64();
	p->empty = true;
	*ret = p;
	return 0;
}

void
penalty_configure(struct penalty *p, const struct penalty_limits *limits)
{
	p->limits = *limits;
}

struct penalty *
penalty_free(struct penalty *p)
{
	mem_free(p);
	return NULL;
}

/* false: it is no address, as that of a unix socket. */
static bool
to_address(const char *peer, struct address *ret)
{
	struct in6_addr in6;

	*ret = (struct address){ .family = AF_INET };
	if (inet_pton(AF_INET, peer, ret->bytes) == 1)
		return true;
	ret->family = AF_INET6;
	if (inet_pton(AF_INET6, peer, &in6) != 1)
		return false;
	memcpy(ret->bytes, &in6, sizeof(ret->bytes));
	return true;
}

static bool
is_of(const struct entry *en, const struct address *key)
{
	return en->key.family == key->family &&
	    memcmp(en->key.bytes, key->bytes, sizeof(key->bytes)) == 0;
}

static size_t
set_of(const struct penalty *p, const struct address *key)
{
	uint64_t h = hash_add(p->seed, &key->family, sizeof(key->family));

	h = hash_add(h, key->bytes, sizeof(key->bytes));
	return (h ^ h >> 32) % SETS;
}

static bool
is_forgotten(const struct penalty *p, const struct entry *en, int64_t now_ms)
{
	return now_ms - en->last_ms >= p->limits.forget_ms &&
	    now_ms >= en->until_ms;
}

static const struct entry *
find(const struct penalty *p, const struct address *key, int64_t now_ms)
{
	const struct entry *set = p->table[set_of(p, key)];

	for (size_t i = 0; i < WAYS; i++)
		if (is_of(&set[i], key))
			return is_forgotten(p, &set[i], now_ms) ? NULL
								: &set[i];
	return NULL;
}

/* Its entry, or the one that it takes. */
static struct entry *
take(struct penalty *p, const struct address *key, int64_t now_ms)
{
	struct entry *set = p->table[set_of(p, key)], *oldest = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (is_of(&set[i], key)) {
			oldest = &set[i];
			if (!is_forgotten(p, oldest, now_ms))
				return oldest;
			break;
		}
		if (set[i].key.family == 0 || set[i].last_ms < oldest->last_ms)
			oldest = &set[i];
		if (oldest->key.family == 0)
			break;
	}
	*oldest = (struct entry){ .key = *key };
	return oldest;
}

static uint64_t
hash_of(const struct penalty *p, const void *token, size_t len)
{
	uint64_t h = hash_add(p->seed, token, len);

	return h != 0 ? h : 1;
}

static bool
has_seen(const struct entry *en, uint64_t hash)
{
	for (size_t i = 0; i < SEEN; i++)
		if (en->seen[i] == hash)
			return true;
	return false;
}

int64_t
penalty_left(const struct penalty *p, const char *peer, const void *token,
    size_t len, int64_t now_ms)
{
	const struct entry *en;
	struct address key;

	if (p->empty || !to_address(peer, &key))
		return 0;
	en = find(p, &key, now_ms);
	if (en == NULL || now_ms >= en->until_ms ||
	    has_seen(en, hash_of(p, token, len)))
		return 0;
	return en->until_ms - now_ms;
}

/* The wait after the n-th wrong token. */
static int64_t
wait_after(const struct penalty_limits *l, unsigned n)
{
	int64_t ms = FIRST_MS;

	if (n <= l->free)
		return 0;
	for (unsigned i = l->free + 1; i < n && ms < l->wait_ms; i++)
		ms *= 2;
	return ms < l->wait_ms ? ms : l->wait_ms;
}

struct penalty_verdict
penalty_wrong(struct penalty *p, const char *peer, const void *token,
    size_t len, int64_t now_ms)
{
	struct penalty_verdict v = { .counted = true };
	uint64_t hash = hash_of(p, token, len);
	struct address key;
	struct entry *en;

	if (!to_address(peer, &key))
		return v;
	p->empty = false;
	en = take(p, &key, now_ms);
	v.counted = !has_seen(en, hash);
	if (v.counted) {
		en->seen[en->n++ % SEEN] = hash;
		en->last_ms = now_ms;
		v.wait_ms = wait_after(&p->limits, en->n);
		if (now_ms + v.wait_ms > en->until_ms)
			en->until_ms = now_ms + v.wait_ms;
	}
	v.n = en->n;
	return v;
}
