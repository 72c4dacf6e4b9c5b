/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What every unit test includes first: cmocka with the headers it needs, a main
 * that takes a pattern, assertions that show an error's text, and a private
 * directory per test:
 *
 *	static void
 *	replace_keeps_mode(void **state)
 *	{
 *		struct test_dir *d = *state;
 *		...
 *		test_ok(file_replace(d->fd, "x", "y", 1, 0600, 0, &e), &e);
 *	}
 *
 *	static const struct CMUnitTest tests[] = {
 *		cmocka_unit_test(plain_one),
 *		TEST_IN_DIR(replace_keeps_mode),
 *	};
 *	TEST_MAIN(tests)
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/error.h"

struct test_dir {
	/* Absolute, and open. */
	char path[256];
	int fd;
};

int test_dir_setup(void **state);
/* Removes the directory with all that is in it. */
int test_dir_teardown(void **state);
/* clang-format off */
#define TEST_IN_DIR(f)                                                         \
	cmocka_unit_test_setup_teardown((f), test_dir_setup, test_dir_teardown)
/* clang-format on */

/* A file of the directory, its text or "(none)"; good until the next call. */
const char *test_dir_text(const struct test_dir *d, const char *name);
void test_dir_put(const struct test_dir *d, const char *name, const char *text);
/* How many entries it has, hidden ones included. */
size_t test_dir_count(const struct test_dir *d);

/* Fails, showing e's text, unless rc is 0. */
#define test_ok(rc, e) test_ok_at((rc), (e), __FILE__, __LINE__)
void test_ok_at(int rc, const struct error *e, const char *file, int line);
/* clang-format off */
/* Fails unless rc is -1 and e has this code and some text. */
#define test_fails(rc, e, code)                                                \
	test_fails_at((rc), (e), (code), __FILE__, __LINE__)
/* clang-format on */
void test_fails_at(
    int rc, const struct error *e, enum ove code, const char *file, int line);

/* clang-format off */
/* Runs `tests`, or those that match argv[1], a shell pattern. */
#define TEST_MAIN(tests)                                                       \
	int main(int argc, char **argv)                                        \
	{                                                                      \
		if (argc > 1)                                                  \
			cmocka_set_test_filter(argv[1]);                       \
		return cmocka_run_group_tests_name(                            \
		    argv[0], (tests), NULL, NULL);                             \
	}
/* clang-format on */
