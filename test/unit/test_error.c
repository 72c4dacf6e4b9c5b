/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Errors: codes from errno, context, cutting, escaping, NULL.
 */
#include "test/unit/support/test.h"

#include <errno.h>
#include <string.h>

static void
set_fills_and_returns_failure(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	assert_false(error_is_set(&e));
	assert_string_equal(error_text(&e), "none");
	assert_int_equal(error_set(&e, OVE_LIMIT, "more than %d", 3), -1);
	assert_true(error_is_set(&e));
	assert_int_equal(e.code, OVE_LIMIT);
	assert_int_equal(e.sys, 0);
	assert_false(e.cut);
	assert_string_equal(error_text(&e), "more than 3");
	error_clear(&e);
	assert_false(error_is_set(&e));
	assert_string_equal(error_text(&e), "none");
}

static void
errno_chooses_code(void **state)
{
	static const struct {
		int sys;
		enum ove code;
	} rows[] = {
		{ ENOENT, OVE_NOTFOUND },
		{ ENOSPC, OVE_NOSPACE },
		{ EDQUOT, OVE_NOSPACE },
		{ ENOMEM, OVE_NOMEM },
		{ EACCES, OVE_DENIED },
		{ EPERM, OVE_DENIED },
		{ EEXIST, OVE_EXISTS },
		{ EAGAIN, OVE_BUSY },
		{ EBUSY, OVE_BUSY },
		{ ETIMEDOUT, OVE_TIMEOUT },
		{ EIO, OVE_IO },
		{ 9999, OVE_IO },
	};
	struct error e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		error_clear(&e);
		test_fails(error_set_errno(&e, rows[i].sys, "open '%s'", "x"),
		    &e, rows[i].code);
		assert_int_equal(e.sys, rows[i].sys);
		assert_memory_equal(e.text, "open 'x': ", 10);
		assert_true(strlen(e.text) > 10);
	}
	test_fails(error_set_errno(&e, ENOENT, "open"), &e, OVE_NOTFOUND);
	assert_string_equal(error_text(&e), "open: No such file or directory");
	test_fails(error_nomem(&e), &e, OVE_NOMEM);
	assert_int_equal(e.sys, ENOMEM);
}

static void
wrap_adds_context(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	assert_int_equal(error_wrap(&e, "nothing"), -1);
	assert_false(error_is_set(&e));
	(void)error_set(&e, OVE_CORRUPT, "schema 4");
	assert_int_equal(error_wrap(&e, "open store %s", "/x"), -1);
	(void)error_wrap(&e, "start");
	assert_string_equal(error_text(&e), "start: open store /x: schema 4");
	assert_int_equal(e.code, OVE_CORRUPT);
}

static void
null_is_harmless(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, OVE_IO, "x"), -1);
	assert_int_equal(error_set_errno(NULL, EIO, "x"), -1);
	assert_int_equal(error_nomem(NULL), -1);
	assert_int_equal(error_wrap(NULL, "x"), -1);
	error_clear(NULL);
	assert_false(error_is_set(NULL));
	assert_string_equal(error_text(NULL), "none");
}

static void
long_text_is_cut(void **state)
{
	struct error e = ERROR_INIT;
	char text[1024];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(e.text) - 1] = '\0';
	(void)error_set(&e, OVE_IO, "%s", text);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	assert_false(e.cut);
	(void)error_wrap(&e, "context");
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	assert_memory_equal(e.text, "context: aaa", 12);
	assert_true(e.cut);

	/* Not within a character. */
	memset(text, 'a', sizeof(text));
	memcpy(text + sizeof(e.text) - 3,
	    "\xe2\x82\xac"
	    "b",
	    5);
	(void)error_set(&e, OVE_IO, "%s", text);
	assert_true(e.cut);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 3);
	(void)error_set_errno(&e, EIO, "%s", text);
	assert_true(e.cut);
	assert_int_equal(e.code, OVE_IO);
}

static void
control_characters_are_shown(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	(void)error_set(&e, OVE_INVALID, "'%s'", "a\n\x1b[0m\x7f\xc3\xa4");
	assert_string_equal(error_text(&e), "'a\\x0a\\x1b[0m\\x7f\xc3\xa4'");
}

static void
own_text_may_be_used(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	(void)error_set(&e, OVE_IO, "inner");
	(void)error_set(&e, OVE_INTERNAL, "outer (%s)", error_text(&e));
	assert_string_equal(error_text(&e), "outer (inner)");
}

static void
codes_have_names(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < OVE_COUNT; i++)
		assert_string_not_equal(ove_to_string((enum ove)i), "unknown");
	assert_string_equal(ove_to_string(OVE_COUNT), "unknown");
	assert_string_equal(ove_to_string(OVE_NOSPACE), "no space");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(set_fills_and_returns_failure),
	cmocka_unit_test(errno_chooses_code),
	cmocka_unit_test(wrap_adds_context),
	cmocka_unit_test(null_is_harmless),
	cmocka_unit_test(long_text_is_cut),
	cmocka_unit_test(control_characters_are_shown),
	cmocka_unit_test(own_text_may_be_used),
	cmocka_unit_test(codes_have_names),
};
TEST_MAIN(tests)
