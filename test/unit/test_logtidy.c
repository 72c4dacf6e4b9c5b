/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Which of Director's logs go, by number, age and size; and that nothing else
 * does.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/logtidy.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#define DAY ((int64_t)24 * 3600 * 1000)

static void
what_goes(void **state)
{
	static const struct {
		struct keep keep;
		size_t gone;
	} rows[] = {
		/* Ages: 10, 8, 3, 2 days, one hour; 100 bytes each. */
		{ { 5, 0, 0 }, 0 },
		{ { 3, 0, 0 }, 2 },
		{ { 100, 9 * DAY, 0 }, 1 },
		{ { 100, 8 * DAY, 0 }, 1 },
		{ { 100, 0, 500 }, 0 },
		{ { 100, 0, 499 }, 1 },
		{ { 100, 0, 250 }, 3 },
		{ { 4, 7 * DAY, 450 }, 2 },
		/* Never what may be in use. */
		{ { 0, 0, 0 }, 4 },
		{ { 0, 1, 1 }, 4 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct logtidy_dir dirs[] = {
			{ "now", 100 * DAY - DAY / 24, 100 },
			{ "ten", 90 * DAY, 100 },
			{ "two", 98 * DAY, 100 },
			{ "eight", 92 * DAY, 100 },
			{ "three", 97 * DAY, 100 },
		};

		assert_int_equal(logtidy_choose(dirs, ARRAY_LEN(dirs),
				     &rows[i].keep, 100 * DAY),
		    rows[i].gone);
		assert_string_equal(dirs[0].name, "ten");
		assert_string_equal(dirs[4].name, "now");
	}
}

static void
touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	(void)close(fd);
}

static void
make(const char *top, const char *name, const char *file, int days)
{
	struct timespec at = { .tv_sec = (time_t)(clock_wall_ms() / 1000) -
		    days * 86400 };
	const struct timespec times[] = { at, at };
	char path[400];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s/web", top, name);
	test_ok(file_mkdirs(path, 0755, NULL), NULL);
	(void)snprintf(path, sizeof(path), "%s/%s/web/%s", top, name, file);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "text", 4), 4);
	assert_int_equal(futimens(fd, times), 0);
	(void)close(fd);
	(void)snprintf(path, sizeof(path), "%s/%s/web", top, name);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool
is_there(const char *top, const char *name)
{
	char path[400];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	return lstat(path, &st) == 0;
}

static void
only_what_is_directors(void **state)
{
	static const char old[] = "2025-01-02_03h04m05s";
	static const char next[] = "2025-01-02_03h04m06s";
	static const char busy[] = "2025-01-02_03h04m07s";
	const struct keep keep = { .n = 0 };
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	char top[300], path[400], other[300];
	size_t n;

	(void)snprintf(top, sizeof(top), "%s/logs", d->path);
	(void)snprintf(other, sizeof(other), "%s/other", d->path);
	make(top, old, "makejail.log", 30);
	make(top, next, "exception.log", 20);
	/* Old, but somebody has just written. */
	make(top, busy, "makejail.log", 10);
	(void)snprintf(path, sizeof(path), "%s/%s/web/more.log", top, busy);
	touch(path);
	make(top, "2025-01-02", "x.log", 30);
	make(top, "notes", "x.log", 30);
	/* A link is followed nowhere, neither is one of ours removed. */
	make(other, "kept", "x.log", 30);
	(void)snprintf(path, sizeof(path), "%s/2024-01-02_03h04m05s", top);
	assert_int_equal(symlink(other, path), 0);

	test_ok(logtidy_run(top, &keep, clock_wall_ms(), &n, &e), &e);
	assert_int_equal(n, 2);
	assert_false(is_there(top, old) || is_there(top, next));
	assert_true(is_there(top, busy));
	assert_true(is_there(top, "2025-01-02") && is_there(top, "notes"));
	assert_true(is_there(top, "2024-01-02_03h04m05s"));
	assert_true(is_there(other, "kept/web/x.log"));
}

static void
size_is_that_of_the_disk(void **state)
{
	struct keep keep = { .n = 100, .bytes = 1 << 20 };
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	char top[300];
	size_t n;

	(void)snprintf(top, sizeof(top), "%s/logs", d->path);
	make(top, "2025-01-02_03h04m05s", "makejail.log", 30);
	make(top, "2025-01-02_03h04m06s", "makejail.log", 20);
	test_ok(logtidy_run(top, &keep, clock_wall_ms(), &n, &e), &e);
	assert_int_equal(n, 0);
	keep.bytes = 1;
	test_ok(logtidy_run(top, &keep, clock_wall_ms(), &n, &e), &e);
	assert_int_equal(n, 2);
}

static void
no_logs_are_none_to_remove(void **state)
{
	const struct keep keep = { .n = 0 };
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	char top[300];
	size_t n = 7;

	(void)snprintf(top, sizeof(top), "%s/none", d->path);
	test_ok(logtidy_run(top, &keep, clock_wall_ms(), &n, &e), &e);
	assert_int_equal(n, 0);
	assert_int_equal(mkdir(top, 0700), 0);
	test_ok(logtidy_run(top, &keep, clock_wall_ms(), &n, &e), &e);
	assert_int_equal(n, 0);
	/* A file in its place. */
	(void)snprintf(top, sizeof(top), "%s/file", d->path);
	touch(top);
	assert_int_equal(logtidy_run(top, &keep, 0, &n, &e), -1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_goes),
	TEST_IN_DIR(only_what_is_directors),
	TEST_IN_DIR(size_is_that_of_the_disk),
	TEST_IN_DIR(no_logs_are_none_to_remove),
};

TEST_MAIN(tests)
