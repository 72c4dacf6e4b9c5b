/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Numbers and ids made of random bytes. Apart from rand.c, so that a test
 * program may bring its own rand_bytes() alone.
 */
#include "lib/base/rand.h"

#include <assert.h>

static const char hex_digits[] = "0123456789abcdef";

uint64_t
rand_u64(void)
{
	uint64_t v;

	rand_bytes(&v, sizeof(v));
	return v;
}

uint64_t
rand_below(uint64_t n)
{
	uint64_t v, floor;

	assert(n > 0);
	/* 2^64 mod n values at the bottom would make some results likelier. */
	floor = (0 - n) % n;
	do {
		v = rand_u64();
	} while (v < floor);
	return v % n;
}

void
rand_hex(char *buf, size_t len)
{
	unsigned char bytes[32];
	size_t i;

	for (i = 0; i < len; i++) {
		if (i % sizeof(bytes) == 0)
			rand_bytes(bytes, sizeof(bytes));
		buf[i] = hex_digits[bytes[i % sizeof(bytes)] & 15];
	}
	buf[len] = '\0';
}

void
rand_uuid(char buf[RAND_UUID_LEN])
{
	unsigned char b[16];
	size_t i, at = 0;

	rand_bytes(b, sizeof(b));
	/* RFC 9562: version 4, variant 10. */
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	for (i = 0; i < sizeof(b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			buf[at++] = '-';
		buf[at++] = hex_digits[b[i] >> 4];
		buf[at++] = hex_digits[b[i] & 15];
	}
	buf[at] = '\0';
}
