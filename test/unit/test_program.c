/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Where programs are found: absolute paths, PATH, and what does not count; that
 * they stay what they were, and which are refused.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/program.h"
#include "test/unit/support/clock_hand.h"
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

/* All are called so: a name of PATH, or a path. */
static struct programs_config
config_of(const struct test_dir *d, const char *name, bool strict)
{
	return (struct programs_config){ .director = name,
		.appjail = name,
		.helper = name,
		.libexec = d->path,
		.strict = strict };
}

static const char *
find(const struct test_dir *d, const char *name)
{
	const struct programs_config c = config_of(d, name, true);
	AUTO(programs) struct programs *p = NULL;
	static char found[1000];
	const char *path;
	struct error e = ERROR_INIT;

	test_ok(programs_new(&p, &e), &e);
	programs_find(p, &c);
	if (programs_get(p, PROGRAM_DIRECTOR, &path, &e) < 0) {
		assert_int_equal(e.code, OVE_UNAVAILABLE);
		/* Long ones are cut. */
		assert_non_null(strstr(e.text, name) != NULL
			? e.text
			: strstr(e.text, "xxxxxx"));
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
	assert_string_equal(find(d, name), "(none)");
	*name = '/';
	assert_string_equal(find(d, name), "(none)");
}

static const char *
get(const struct programs *p, enum program id, struct error *e)
{
	const char *path = NULL;

	error_clear(e);
	if (programs_get(p, id, &path, e) < 0)
		assert_int_equal(e->code, OVE_UNAVAILABLE);
	return path;
}

/* What comes into PATH later, or PATH itself, changes nothing. */
static void
they_are_found_once(void **state)
{
	const struct test_dir *d = *state;
	const struct programs_config c = config_of(d, "tool", true);
	AUTO(programs) struct programs *p = NULL;
	struct error e = ERROR_INIT;
	const char *path;

	setup(d);
	test_ok(programs_new(&p, &e), &e);
	assert_null(get(p, PROGRAM_APPJAIL, &e));
	assert_null(get(NULL, PROGRAM_APPJAIL, &e));
	programs_find(p, &c);
	path = get(p, PROGRAM_APPJAIL, &e);
	assert_non_null(strstr(path, "/c/tool"));
	make(d, "b/tool", 0755);
	assert_int_equal(setenv("PATH", "/nowhere", 1), 0);
	assert_ptr_equal(get(p, PROGRAM_APPJAIL, &e), path);
	/* Gone is gone: no other takes its place. */
	assert_int_equal(unlinkat(d->fd, "c/tool", 0), 0);
	assert_null(get(p, PROGRAM_APPJAIL, &e));
	assert_non_null(strstr(e.text, "/c/tool' cannot be executed"));
	set_path(d, "");
	assert_null(get(p, PROGRAM_APPJAIL, &e));
	programs_find(p, &c);
	assert_non_null(strstr(get(p, PROGRAM_APPJAIL, &e), "/b/tool"));
	/* It was not there by then. */
	assert_null(get(p, PROGRAM_MAKEFS, &e));
	assert_string_equal(e.text, "'makefs' is not found in PATH");
}

static void
what_others_can_write_is_not_run(void **state)
{
	static const struct {
		const char *name;
		mode_t bad, good;
	} rows[] = { { "c/tool", 0777, 0755 }, { "c", 0777, 0755 } };
	const struct test_dir *d = *state;
	struct programs_config c = config_of(d, "tool", true);
	AUTO(programs) struct programs *p = NULL;
	struct error e = ERROR_INIT;

	setup(d);
	test_ok(programs_new(&p, &e), &e);
	programs_find(p, &c);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_non_null(get(p, PROGRAM_DIRECTOR, &e));
		assert_int_equal(
		    fchmodat(d->fd, rows[i].name, rows[i].bad, 0), 0);
		/* Whether it was so before it was looked for or not. */
		assert_null(get(p, PROGRAM_DIRECTOR, &e));
		assert_non_null(strstr(e.text, "can be written by anybody"));
		programs_find(p, &c);
		assert_null(get(p, PROGRAM_DIRECTOR, &e));
		assert_int_equal(
		    fchmodat(d->fd, rows[i].name, rows[i].good, 0), 0);
	}
	assert_int_equal(fchmodat(d->fd, "c/tool", 0777, 0), 0);
	c.strict = false;
	programs_find(p, &c);
	assert_non_null(get(p, PROGRAM_DIRECTOR, &e));
}

static void
scripts_share_what_they_read(void **state)
{
	const struct test_dir *d = *state;
	const struct programs_config c = config_of(d, "tool", true);
	AUTO(programs) struct programs *p = NULL;
	struct error e = ERROR_INIT;

	setup(d);
	make(d, "vm-start.sh", 0755);
	make(d, "vm-install.subr", 0644);
	test_ok(programs_new(&p, &e), &e);
	programs_find(p, &c);
	assert_non_null(strstr(get(p, PROGRAM_VM_START, &e), "/vm-start.sh"));
	assert_null(get(p, PROGRAM_VM_IMAGE, &e));
	/* A directory of somebody's own scripts may have none. */
	assert_int_equal(renameat(d->fd, "vm-install.subr", d->fd, "other"), 0);
	assert_non_null(get(p, PROGRAM_VM_START, &e));
	assert_int_equal(renameat(d->fd, "other", d->fd, "vm-install.subr"), 0);
	assert_int_equal(fchmodat(d->fd, "vm-install.subr", 0646, 0), 0);
	assert_null(get(p, PROGRAM_VM_START, &e));
	assert_non_null(strstr(e.text, "vm-install.subr' can be written"));
}

static void
that_there_is_one_may_be_a_second_old(void **state)
{
	const struct test_dir *d = *state;
	const struct programs_config c = config_of(d, "tool", true);
	AUTO(programs) struct programs *p = NULL;
	struct error e = ERROR_INIT;

	setup(d);
	test_fails(
	    programs_have(NULL, PROGRAM_DIRECTOR, &e), &e, OVE_UNAVAILABLE);
	test_ok(programs_new(&p, &e), &e);
	programs_find(p, &c);
	test_ok(programs_have(p, PROGRAM_DIRECTOR, &e), &e);
	make(d, "c/tool", 0646);
	clock_hand_advance(999);
	test_ok(programs_have(p, PROGRAM_DIRECTOR, &e), &e);
	assert_null(get(p, PROGRAM_DIRECTOR, &e));
	clock_hand_advance(1);
	test_fails(programs_have(p, PROGRAM_DIRECTOR, &e), &e, OVE_UNAVAILABLE);
	/* That there is none is never old, and a reload forgets. */
	make(d, "c/tool", 0755);
	test_ok(programs_have(p, PROGRAM_DIRECTOR, &e), &e);
	assert_int_equal(unlinkat(d->fd, "c/tool", 0), 0);
	programs_find(p, &c);
	test_fails(programs_have(p, PROGRAM_DIRECTOR, &e), &e, OVE_UNAVAILABLE);
}

static int
body(void *ctx, struct error *e)
{
	const struct programs_config *c = ctx;
	AUTO(programs) struct programs *p = NULL;
	const char *path;

	if (programs_new(&p, e) < 0)
		return -1;
	programs_find(p, c);
	return programs_get(p, PROGRAM_DIRECTOR, &path, e);
}

static void
allocations_may_fail(void **state)
{
	struct programs_config c = config_of(*state, "tool", true);

	setup(*state);
	torture(body, &c);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(the_first_in_path_counts),
	TEST_IN_DIR(a_directory_is_no_program),
	TEST_IN_DIR(only_absolute_directories_count),
	TEST_IN_DIR(an_absolute_path_is_taken_as_it_is),
	TEST_IN_DIR(what_is_too_long_is_passed_over),
	TEST_IN_DIR(they_are_found_once),
	TEST_IN_DIR(what_others_can_write_is_not_run),
	TEST_IN_DIR(scripts_share_what_they_read),
	TEST_IN_DIR(that_there_is_one_may_be_a_second_old),
	TEST_IN_DIR(allocations_may_fail),
};

TEST_MAIN(tests)
