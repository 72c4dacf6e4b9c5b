/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* Directories of templates: which file is found, and what is out of reach. */

#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/data/tmpl_dirs.h"

static const char *
path(const struct test_dir *d, const char *name)
{
	static char buf[512];

	(void)snprintf(buf, sizeof(buf), "%s/%s", d->path, name);
	return buf;
}

static void
fill(const struct test_dir *d)
{
	assert_int_equal(mkdirat(d->fd, "one", 0755), 0);
	assert_int_equal(mkdirat(d->fd, "one/sub", 0755), 0);
	assert_int_equal(mkdirat(d->fd, "two", 0755), 0);
	test_dir_put(d, "secret", "secret");
	test_dir_put(d, "one/a", "one");
	test_dir_put(d, "one/sub/b", "sub");
	test_dir_put(d, "two/a", "two");
	test_dir_put(d, "two/c", "c");
	assert_int_equal(symlinkat("../secret", d->fd, "one/out"), 0);
	assert_int_equal(symlinkat("/etc/passwd", d->fd, "one/root"), 0);
	assert_int_equal(symlinkat("sub/../sub/./b", d->fd, "one/in"), 0);
	assert_int_equal(symlinkat("..", d->fd, "one/sub/up"), 0);
	assert_int_equal(symlinkat("again", d->fd, "one/again"), 0);
	assert_int_equal(symlinkat("nowhere", d->fd, "one/c"), 0);
}

static void
what_is_found(void **state)
{
	static const struct {
		const char *name;
		/* NULL: there is no such file; "": it is out of reach. */
		const char *text;
	} rows[] = {
		{ "a", "one" },
		{ "c", "c" },
		{ "sub/b", "sub" },
		{ "in", "sub" },
		{ "sub/up/a", "one" },
		{ "sub/up/sub/up/in", "sub" },
		{ "sub", NULL },
		{ "nope", NULL },
		{ "a/b", NULL },
		{ "out", "" },
		{ "root", "" },
		{ "sub/up/out", "" },
		{ "again", "" },
	};
	struct test_dir *d = *state;
	AUTO_TMPL_DIRS struct tmpl_dirs dirs;
	struct error e = ERROR_INIT;

	fill(d);
	tmpl_dirs_init(&dirs);
	test_ok(tmpl_dirs_add(&dirs, path(d, "none"), &e), &e);
	test_ok(tmpl_dirs_add(&dirs, path(d, "one"), &e), &e);
	test_ok(tmpl_dirs_add(&dirs, path(d, "two"), &e), &e);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA struct arena a;
		const char *text = NULL;
		size_t len = 0;
		int rc;

		arena_init(&a, 1 << 20);
		error_clear(&e);
		rc = tmpl_dirs_open(rows[i].name, &a, &text, &len, &dirs, &e);
		if (rows[i].text == NULL) {
			assert_int_equal(rc, TMPL_NO_FILE);
		} else if (rows[i].text[0] == '\0') {
			assert_int_equal(rc, -1);
			assert_non_null(strstr(e.text, "symbolic link"));
		} else {
			test_ok(rc, &e);
			assert_string_equal(text, rows[i].text);
			assert_int_equal(len, strlen(text));
		}
	}
}

static void
too_many(void **state)
{
	AUTO_TMPL_DIRS struct tmpl_dirs dirs;
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;

	tmpl_dirs_init(&dirs);
	for (int i = 0; i < TMPL_DIRS_MAX; i++)
		test_ok(tmpl_dirs_add(&dirs, d->path, &e), &e);
	test_fails(tmpl_dirs_add(&dirs, d->path, &e), &e, OVE_LIMIT);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(what_is_found),
	TEST_IN_DIR(too_many),
};
TEST_MAIN(tests)
