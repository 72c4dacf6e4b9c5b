/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Director's places: defaults, its INI files, our configuration, and which of
 * them wins (appjail-director-cli.md 1.1).
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/places.h"
#include "proto/config.h"
#include "test/unit/support/torture.h"

static char text[1000];

/* PATH below the test's directory. */
static const char *
below(const struct test_dir *d, const char *path)
{
	(void)snprintf(text, sizeof(text), "%s%s", d->path, path);
	return text;
}

static void
setup(const struct test_dir *d)
{
	assert_int_equal(setenv("HOME", d->path, 1), 0);
	assert_int_equal(unsetenv("DIRECTOR_CONFIG"), 0);
	assert_int_equal(mkdirat(d->fd, ".config", 0755), 0);
	assert_int_equal(mkdirat(d->fd, ".config/director", 0755), 0);
}

static struct places
find(struct arena *a, const struct config *c)
{
	struct error e = ERROR_INIT;
	struct places p;

	test_ok(places_find(c, a, &p, &e), &e);
	return p;
}

static void
without_any_file_the_defaults_count(void **state)
{
	const struct test_dir *d = *state;
	AUTO_ARENA struct arena a;
	struct config c = { 0 };
	struct places p;

	arena_init(&a, 65536);
	setup(d);
	p = find(&a, &c);
	assert_string_equal(p.projects, below(d, "/.director/projects"));
	assert_string_equal(p.logs, below(d, "/.director/logs"));
	assert_string_equal(p.locks,
	    geteuid() == 0 ? "/tmp/director/locks"
			   : below(d, "/.director/locks"));
}

static void
a_home_that_is_none_is_roots(void **state)
{
	AUTO_ARENA struct arena a;
	struct config c = { 0 };

	setup(*state);
	arena_init(&a, 65536);
	assert_int_equal(setenv("HOME", "relative", 1), 0);
	assert_string_equal(find(&a, &c).logs, "/root/.director/logs");
	assert_int_equal(unsetenv("HOME"), 0);
	assert_string_equal(find(&a, &c).logs, "/root/.director/logs");
}

static void
ini_files_are_read_in_their_order(void **state)
{
	const struct test_dir *d = *state;
	AUTO_ARENA struct arena a;
	struct config c = { 0 };
	struct places p;

	arena_init(&a, 65536);
	setup(d);
	test_dir_put(d, ".config/director/director.ini",
	    "# comment\n; comment\ndirectory = /none\n"
	    "[commands]\ndirectory=/none\ntimeout = 5\n"
	    "[projects]\n  directory  =  /p q/r \r\n"
	    "[ locks ]\ndirectory: /l\n"
	    "[logs]\ndirectories = /none\nDIRECTORY = /none\n"
	    "directory = ~/logs\n[empty]\n\n[locks\n");
	p = find(&a, &c);
	assert_string_equal(p.projects, "/p q/r");
	assert_string_equal(p.locks, "/l");
	assert_string_equal(p.logs, below(d, "/logs"));
	/* The last one wins, key by key. */
	test_dir_put(d, "mine.ini", "[logs]\ndirectory=/mine\ndirectory=\n");
	assert_int_equal(
	    setenv("DIRECTOR_CONFIG", below(d, "/mine.ini"), 1), 0);
	p = find(&a, &c);
	assert_string_equal(p.logs, "/mine");
	assert_string_equal(p.locks, "/l");
}

static void
our_configuration_wins(void **state)
{
	const struct test_dir *d = *state;
	AUTO_ARENA struct arena a;
	struct config c = { 0 };
	struct places p;

	arena_init(&a, 65536);
	setup(d);
	test_dir_put(d, ".config/director/director.ini",
	    "[projects]\ndirectory=/p\n[locks]\ndirectory=/l\n"
	    "[logs]\ndirectory=/g\n");
	c.director.projects = "~/mine";
	c.director.logs = "/logs";
	p = find(&a, &c);
	assert_string_equal(p.projects, below(d, "/mine"));
	assert_string_equal(p.logs, "/logs");
	assert_string_equal(p.locks, "/l");
}

static void
files_that_make_no_sense_count_for_nothing(void **state)
{
	static const char *const texts[] = { "", "\n\n", "[", "[]", "]", "=",
		"[projects]\n=x\n", "[projects]\ndirectory\n",
		"[projects]\ndirectory=\n", "[projects] directory = /x",
		"directory=/x", "[projects]\n#directory=/x\n", "\xff\xfe[" };
	const struct test_dir *d = *state;
	AUTO_ARENA struct arena a;
	struct config c = { 0 };

	arena_init(&a, 65536);
	setup(d);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		test_dir_put(d, ".config/director/director.ini", texts[i]);
		assert_string_equal(
		    find(&a, &c).projects, below(d, "/.director/projects"));
	}
	/* A directory in the place of a file. */
	assert_int_equal(setenv("DIRECTOR_CONFIG", d->path, 1), 0);
	assert_string_equal(
	    find(&a, &c).projects, below(d, "/.director/projects"));
}

static int
find_body(void *ctx, struct error *e)
{
	AUTO_ARENA struct arena a;
	struct config c = { 0 };
	struct places p;

	(void)ctx;
	arena_init(&a, 65536);
	return places_find(&c, &a, &p, e);
}

static void
allocations_may_fail(void **state)
{
	const struct test_dir *d = *state;

	setup(d);
	test_dir_put(d, ".config/director/director.ini",
	    "[projects]\ndirectory=/p\n[logs]\ndirectory=~/l\n");
	torture(find_body, NULL);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(without_any_file_the_defaults_count),
	TEST_IN_DIR(a_home_that_is_none_is_roots),
	TEST_IN_DIR(ini_files_are_read_in_their_order),
	TEST_IN_DIR(our_configuration_wins),
	TEST_IN_DIR(files_that_make_no_sense_count_for_nothing),
	TEST_IN_DIR(allocations_may_fail),
};

TEST_MAIN(tests)
