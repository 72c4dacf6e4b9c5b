/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What answers are made from: everything that may change is seen to have
 * changed, what is too new is not believed, records may be anything.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/sources.h"
#include "lib/base/clock.h"
#include "lib/base/rand.h"
#include "test/unit/support/clock_hand.h"

/* Of the tests' clock: everything on the disk is old. */
static int64_t later;

static int
setup(void **state)
{
	struct stat st;
	int rc = test_dir_setup(state);

	if (rc == 0) {
		const struct test_dir *d = *state;

		assert_int_equal(fstat(d->fd, &st), 0);
		later = (int64_t)st.st_mtim.tv_sec * 1000 + 60000;
		clock_hand_set_wall(later);
	}
	return rc;
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown((f), setup, test_dir_teardown)

static bool
hold(const struct sources *s, const struct test_dir *d)
{
	return sources_hold(s->records.buf, s->records.len, d->fd, d->path);
}

/* A file, a directory, what is not there, and a jail. */
static void
record(struct sources *s, const struct test_dir *d)
{
	sources_init(s, d->path);
	sources_add_file(s, d->fd, "", "file");
	sources_add_file(s, d->fd, "", "dir");
	sources_add_file(s, d->fd, "", "nothing");
	sources_add_file(s, d->fd, "", "file/beneath");
	sources_failed(s);
	sources_add_jail(s, "jail", jail_status(d->path, "jail"));
	assert_false(s->unsure);
}

static void
make(const struct test_dir *d)
{
	test_dir_put(d, "file", "1");
	assert_int_equal(mkdirat(d->fd, "dir", 0755), 0);
	assert_int_equal(mkdirat(d->fd, "jail", 0755), 0);
}

static void
change_content(const struct test_dir *d)
{
	test_dir_put(d, "file", "2");
}

static void
change_mode(const struct test_dir *d)
{
	assert_int_equal(fchmodat(d->fd, "file", 0600, 0), 0);
}

static void
change_place(const struct test_dir *d)
{
	test_dir_put(d, "other", "1");
	assert_int_equal(renameat(d->fd, "other", d->fd, "file"), 0);
}

static void
remove_file(const struct test_dir *d)
{
	assert_int_equal(unlinkat(d->fd, "file", 0), 0);
}

static void
add_entry(const struct test_dir *d)
{
	test_dir_put(d, "dir/x", "");
}

static void
make_what_was_missing(const struct test_dir *d)
{
	test_dir_put(d, "nothing", "");
}

static void
replace_by_link(const struct test_dir *d)
{
	assert_int_equal(unlinkat(d->fd, "dir", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("jail", d->fd, "dir"), 0);
}

static void
start_jail(const struct test_dir *d)
{
	test_dir_put(d, "jail/up", "");
}

static void
remove_jail(const struct test_dir *d)
{
	assert_int_equal(unlinkat(d->fd, "jail", AT_REMOVEDIR), 0);
}

static void
each_change_is_seen(void **state)
{
	static void (*const changes[])(
	    const struct test_dir *d) = { change_content, change_mode,
		change_place, remove_file, add_entry, make_what_was_missing,
		replace_by_link, start_jail, remove_jail };

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct sources s;

		assert_int_equal(setup(state), 0);
		make(*state);
		record(&s, *state);
		assert_true(hold(&s, *state));
		changes[i](*state);
		if (hold(&s, *state))
			fail_msg("change %zu is not seen", i);
		sources_fini(&s);
		assert_int_equal(test_dir_teardown(state), 0);
	}
}

static void
what_is_new_is_not_believed(void **state)
{
	const struct test_dir *d = *state;
	struct sources s;

	make(d);
	clock_hand_set_wall(later - 60000);
	sources_init(&s, d->path);
	sources_add_file(&s, d->fd, "", "nothing");
	assert_false(s.unsure);
	sources_add_file(&s, d->fd, "", "file");
	assert_true(s.unsure);
	sources_fini(&s);
	/* Nor what is from the future. */
	clock_hand_set_wall(1000);
	sources_init(&s, d->path);
	sources_add_file(&s, d->fd, "", "dir");
	assert_true(s.unsure);
	sources_fini(&s);
}

static void
what_is_there_and_cannot_be_read_is_not_believed(void **state)
{
	const struct test_dir *d = *state;
	struct sources s;

	make(d);
	sources_init(&s, d->path);
	sources_add_file(&s, d->fd, "", "dir");
	sources_failed(&s);
	assert_true(s.unsure);
	sources_fini(&s);
	/* More than a record may hold. */
	sources_init(&s, d->path);
	for (int i = 0; i < 200000 && !s.unsure; i++)
		sources_add_file(&s, d->fd, "", "file");
	assert_true(s.unsure);
	sources_fini(&s);
}

static void
paths_may_be_absolute(void **state)
{
	const struct test_dir *d = *state;
	struct sources s;

	make(d);
	sources_init(&s, d->path);
	sources_add_file(&s, -1, d->path, "file");
	sources_add_file(&s, d->fd, d->path, "dir");
	assert_false(s.unsure);
	assert_true(sources_hold(s.records.buf, s.records.len, -1, d->path));
	change_content(d);
	assert_false(sources_hold(s.records.buf, s.records.len, -1, d->path));
	sources_fini(&s);
}

static void
records_may_be_anything(void **state)
{
	const struct test_dir *d = *state;
	struct sources s;
	char junk[64];

	make(d);
	record(&s, d);
	for (size_t i = 0; i < s.records.len; i++)
		(void)sources_hold(s.records.buf, i, d->fd, d->path);
	for (int i = 0; i < 5000; i++) {
		rand_bytes(junk, sizeof(junk));
		junk[0] = i % 2 == 0 ? 'f' : 'j';
		junk[rand_below(sizeof(junk))] = '\0';
		assert_false(
		    sources_hold(junk, 1 + rand_below(63), d->fd, d->path));
	}
	assert_true(sources_hold(NULL, 0, d->fd, d->path));
	sources_fini(&s);
}

static void
jails_have_a_status(void **state)
{
	const struct test_dir *d = *state;

	make(d);
	assert_int_equal(jail_status(d->path, "jail"), 1);
	assert_int_equal(jail_status(d->path, "nope"), 66);
	assert_int_equal(jail_status(d->path, "file"), 66);
	assert_int_equal(jail_status(d->path, "../jail"), 65);
	assert_int_equal(jail_status(d->path, NULL), 65);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(each_change_is_seen),
	IN_DIR(what_is_new_is_not_believed),
	IN_DIR(what_is_there_and_cannot_be_read_is_not_believed),
	IN_DIR(paths_may_be_absolute),
	IN_DIR(records_may_be_anything),
	IN_DIR(jails_have_a_status),
};
TEST_MAIN(tests)
