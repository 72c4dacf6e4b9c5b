/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* Resident memory grows with what is touched. */

#include "lib/base/resident.h"

#include <string.h>

#include "lib/base/mem.h"
#include "support/test.h"

#define MORE ((size_t)32 << 20)

static void
memory_in_use_is_counted(void **state)
{
	uint64_t before = resident_bytes();
	char *p = mem_alloc(MORE);

	(void)state;
	assert_non_null(p);
	memset(p, 1, MORE);
	assert_in_range(before, 1 << 16, UINT64_MAX / 2);
	assert_true(resident_bytes() >= before + MORE / 2);
	assert_int_equal(p[MORE / 2], 1);
	mem_free(p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(memory_in_use_is_counted),
};
TEST_MAIN(tests)
