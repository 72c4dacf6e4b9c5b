/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Where programs are found: absolute paths, PATH, and what does not count.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/program.h"
#include "lib/base/mem.h"
#include "test/unit/support/torture.h"

static void
make(const struct test_dir *d, const char *name, mode_t mode)
{
	test_dir_put(d, name, "#!/bin/sh\n");
	assert_int_equal(fchmodat(d->fd, name, mode, 0), 0);
}

static void
set_path(const struct test_dir *d, const char *fmt)
{
	char text[2000];

	(void)snprintf(
	    text, sizeof(text), "%s%s/b:%s/c", fmt, d->path, d->path);
	assert_int_equal(setenv("PATH", text, 1), 0);
}

static void
setup(const struct test_dir *d)
{
	assert_int_equal(mkdirat(d->fd, "b", 0755), 0);
	assert_int_equal(mkdirat(d->fd, "c", 0755), 0);
	make(d, "c/tool", 0755);
	set_path(d, "");
}

static const char *
find(const struct test_dir *d, const char *name)
{
	static char found[1000];
	AUTO_FREE char *path = NULL;
	struct error e = ERROR_INIT;

	if (program_find(name, &path, &e) < 0) {
		assert_int_equal(e.code, OVE_UNAVAILABLE);
		assert_non_null(strstr(e.text, name));
		return "(none)";
	}
	(void)snprintf(found, sizeof(found), "%s",
	    strncmp(path, d->path, strlen(d->path)) == 0
		? path + strlen(d->path)
		: path);
	return found;
}

static void
the_first_in_path_counts(void **state)
{
	const struct test_dir *d = *state;

	setup(d);
	assert_string_equal(find(d, "tool"), "/c/tool");
	make(d, "b/tool", 0755);
	assert_string_equal(find(d, "tool"), "/b/tool");
	/* What cannot be executed is passed over. */
	assert_int_equal(fchmodat(d->fd, "b/tool", 0644, 0), 0);
	assert_string_equal(find(d, "tool"), "/c/tool");
	assert_string_equal(find(d, "other"), "(none)");
}

static void
a_directory_is_no_program(void **state)
{
	const struct test_dir *d = *state;

	setup(d);
	assert_int_equal(mkdirat(d->fd, "b/tool", 0755), 0);
	assert_string_equal(find(d, "tool"), "/c/tool");
}

static void
only_absolute_directories_count(void **state)
{
	const struct test_dir *d = *state;

	setup(d);
	set_path(d, ":.:b::relative/x:");
	assert_string_equal(find(d, "tool"), "/c/tool");
	assert_int_equal(setenv("PATH", ".:", 1), 0);
	assert_string_equal(find(d, "sh"), "(none)");
	assert_int_equal(setenv("PATH", "", 1), 0);
	assert_string_equal(find(d, "sh"), "(none)");
	assert_int_equal(unsetenv("PATH"), 0);
	assert_string_equal(find(d, "sh"), "(none)");
}

static void
an_absolute_path_is_taken_as_it_is(void **state)
{
	const struct test_dir *d = *state;
	char path[400];

	setup(d);
	(void)snprintf(path, sizeof(path), "%s/c/tool", d->path);
	assert_string_equal(find(d, path), "/c/tool");
	assert_int_equal(unsetenv("PATH"), 0);
	assert_string_equal(find(d, path), "/c/tool");
	(void)snprintf(path, sizeof(path), "%s/c", d->path);
	assert_string_equal(find(d, path), "(none)");
	assert_string_equal(find(d, "/nowhere/tool"), "(none)");
}

static void
what_is_too_long_is_passed_over(void **state)
{
	const struct test_dir *d = *state;
	char name[5000];

	setup(d);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	AUTO_FREE char *path = NULL;
	struct error e = ERROR_INIT;

	test_fails(program_find(name, &path, &e), &e, OVE_UNAVAILABLE);
}

static int
find_body(void *ctx, struct error *e)
{
	AUTO_FREE char *path = NULL;

	return program_find(ctx, &path, e);
}

static void
allocations_may_fail(void **state)
{
	static char name[] = "tool";

	setup(*state);
	torture(find_body, name);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(the_first_in_path_counts),
	TEST_IN_DIR(a_directory_is_no_program),
	TEST_IN_DIR(only_absolute_directories_count),
	TEST_IN_DIR(an_absolute_path_is_taken_as_it_is),
	TEST_IN_DIR(what_is_too_long_is_passed_over),
	TEST_IN_DIR(allocations_may_fail),
};

TEST_MAIN(tests)
