/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Job records from disk. What decodes encodes to the same bytes, by copy and by
 * view alike; what does not is refused with a reason, whatever it is.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/store/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error e = ERROR_INIT;
	AUTO_ARENA struct arena a;
	AUTO_FREE char *again = NULL;
	struct job copy, view;
	size_t len = 0;

	arena_init(&a, (size_t)1 << 24);
	if (job_decode(data, size, &a, &copy, &e) != 0) {
		require(error_is_set(&e));
		require(job_decode_view(data, size, &a, &view, NULL) == -1);
		return 0;
	}
	require(job_encode(&copy, &again, &len, &e) == 0);
	require(len == size && memcmp(again, data, len) == 0);
	require(job_decode_view(data, size, &a, &view, &e) == 0);
	require(view.steps_n == copy.steps_n && view.id.v == copy.id.v);
	require(strcmp(view.message, copy.message) == 0);
	return 0;
}
