/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Randomness from the kernel through getentropy(), which Linux and FreeBSD both
 * have and which needs no descriptor. It fails only where the kernel has no
 * generator at all; going on with guessable ids and keys would be worse than
 * ending, so that aborts.
 */
#include "lib/base/rand.h"

#include <stdlib.h>
#include <unistd.h>

/* What getentropy() gives at most in one call. */
#define CHUNK_LEN 256

void
rand_bytes(void *buf, size_t len)
{
	unsigned char *p = buf;
	size_t n;

	while (len > 0) {
		n = len < CHUNK_LEN ? len : CHUNK_LEN;
		if (getentropy(p, n) != 0)
			abort();
		p += n;
		len -= n;
	}
}
