/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * container_of, STEAL, steal_fd, and AUTO with a destructor of a type.
 */
#include "test/unit/support/test.h"

#include "lib/base/mem.h"

struct outer {
	int before;
	int member;
};

struct thing {
	int *freed;
};

static struct thing *
thing_free(struct thing *t)
{
	if (t != NULL)
		(*t->freed)++;
	return NULL;
}
AUTO_DEFINE(thing)

static void
container_of_finds_outer(void **state)
{
	struct outer o = { 0 };

	(void)state;
	assert_ptr_equal(container_of(&o.member, struct outer, member), &o);
}

static void
steal_leaves_null(void **state)
{
	char *p = mem_strdup("x"), *q;
	int fd = 7;

	(void)state;
	q = STEAL(p);
	assert_null(p);
	assert_string_equal(q, "x");
	mem_free(q);
	assert_int_equal(steal_fd(&fd), 7);
	assert_int_equal(fd, -1);
}

static void
auto_calls_destructor_unless_stolen(void **state)
{
	int freed = 0;
	struct thing a = { &freed }, b = { &freed };

	(void)state;
	{
		struct thing *kept AUTO(thing) = &a;
		struct thing *given AUTO(thing) = &b;
		struct thing *mine = STEAL(given);

		assert_non_null(kept);
		assert_ptr_equal(mine, &b);
	}
	assert_int_equal(freed, 1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(container_of_finds_outer),
	cmocka_unit_test(steal_leaves_null),
	cmocka_unit_test(auto_calls_destructor_unless_stolen),
};
TEST_MAIN(tests)
