/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Who else could change a file, or put another one in its place. As root the
 * owner counts, too.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"

#define NOBODY 65534

/* a/b/f, and links to it. */
static void
setup(const struct test_dir *d)
{
	char target[400];

	assert_int_equal(fchmod(d->fd, 0755), 0);
	assert_int_equal(mkdirat(d->fd, "a", 0755), 0);
	assert_int_equal(mkdirat(d->fd, "a/b", 0755), 0);
	assert_int_equal(mkdirat(d->fd, "links", 0755), 0);
	test_dir_put(d, "a/b/f", "x");
	assert_int_equal(fchmodat(d->fd, "a/b/f", 0755, 0), 0);
	(void)snprintf(target, sizeof(target), "%s/a/b/f", d->path);
	assert_int_equal(symlinkat(target, d->fd, "links/absolute"), 0);
	assert_int_equal(symlinkat("../a/b/f", d->fd, "links/relative"), 0);
	assert_int_equal(symlinkat("../a/./b", d->fd, "links/dir"), 0);
	assert_int_equal(symlinkat("relative", d->fd, "links/twice"), 0);
	assert_int_equal(symlinkat("loop", d->fd, "links/loop"), 0);
}

static int
look(const struct test_dir *d, const char *name, struct error *e)
{
	char path[8000];

	error_clear(e);
	(void)snprintf(path, sizeof(path), "%s/%s", d->path, name);
	return file_is_trusted(path, e);
}

static const char *const ways[] = { "a/b/f", "a//b/./f", "a/b/../b/f",
	"links/absolute", "links/relative", "links/dir/f", "links/twice" };

static void
all_ways_lead_there(void **state)
{
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;

	setup(d);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		test_ok(look(d, ways[i], &e), &e);
	test_ok(file_is_trusted("/", &e), &e);
	test_fails(look(d, "a/b/none", &e), &e, OVE_NOTFOUND);
	test_fails(look(d, "links/loop", &e), &e, OVE_LIMIT);
	test_fails(file_is_trusted("a", &e), &e, OVE_INVALID);
	test_fails(file_is_trusted("", &e), &e, OVE_INVALID);
}

static void
others_may_not_write_on_any_of_them(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
		const char *why;
	} rows[] = {
		{ "a/b/f", 0757, "/a/b/f' can be written by anybody" },
		{ "a/b", 0757, "/a/b' can be written by anybody" },
		{ "a", 0757, "/a' can be written by anybody" },
	};
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;

	setup(d);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(
		    fchmodat(d->fd, rows[i].name, rows[i].mode, 0), 0);
		for (size_t k = 0; k < ARRAY_LEN(ways); k++) {
			test_fails(look(d, ways[k], &e), &e, OVE_DENIED);
			assert_non_null(strstr(e.text, rows[i].why));
		}
		assert_int_equal(fchmodat(d->fd, rows[i].name, 0755, 0), 0);
	}
	/* A directory with links that others may change leads anywhere. */
	assert_int_equal(fchmodat(d->fd, "links", 0757, 0), 0);
	test_ok(look(d, "a/b/f", &e), &e);
	test_fails(look(d, "links/relative", &e), &e, OVE_DENIED);
	/* In a sticky one they may not. */
	assert_int_equal(fchmodat(d->fd, "links", 01777, 0), 0);
	test_ok(look(d, "links/relative", &e), &e);
}

static void
owners_and_groups_count(void **state)
{
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;

	if (geteuid() != 0)
		skip();
	setup(d);
	assert_int_equal(fchmodat(d->fd, "a/b", 0775, 0), 0);
	assert_int_equal(fchownat(d->fd, "a/b", 0, 0, 0), 0);
	test_ok(look(d, "a/b/f", &e), &e);
	assert_int_equal(fchownat(d->fd, "a/b", 0, NOBODY, 0), 0);
	test_fails(look(d, "a/b/f", &e), &e, OVE_DENIED);
	assert_non_null(strstr(e.text, "/a/b' can be written by its group"));
	assert_int_equal(fchmodat(d->fd, "a/b", 0755, 0), 0);
	test_ok(look(d, "a/b/f", &e), &e);
	assert_int_equal(fchownat(d->fd, "a/b", NOBODY, 0, 0), 0);
	test_fails(look(d, "a/b/f", &e), &e, OVE_DENIED);
	assert_non_null(strstr(e.text, "/a/b' belongs to user 65534"));
	assert_int_equal(fchownat(d->fd, "a/b", 0, 0, 0), 0);
	assert_int_equal(
	    fchownat(d->fd, "links/twice", NOBODY, NOBODY, AT_SYMLINK_NOFOLLOW),
	    0);
	test_fails(look(d, "links/twice", &e), &e, OVE_DENIED);
	test_ok(look(d, "links/relative", &e), &e);
}

static void
long_paths_are_refused(void **state)
{
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	char name[6000], *p = name;

	while (p < name + 5000) {
		memcpy(p, "a/../", 5);
		p += 5;
	}
	(void)snprintf(p, 10, "a/b/f");
	setup(d);
	test_fails(look(d, name, &e), &e, OVE_LIMIT);
	*name = '/';
	test_fails(file_is_trusted(name, &e), &e, OVE_LIMIT);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(all_ways_lead_there),
	TEST_IN_DIR(others_may_not_write_on_any_of_them),
	TEST_IN_DIR(owners_and_groups_count),
	TEST_IN_DIR(long_paths_are_refused),
};
TEST_MAIN(tests)
