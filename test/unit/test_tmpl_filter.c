/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* Filters: what each makes of a text, of what is none, and after another. */

#include "test/unit/support/test.h"

#include <string.h>

#include "lib/data/tmpl_filter.h"

static int
load(struct tmpl_env *env, struct tmpl_run *r, const struct tmpl_name *name,
    struct tmpl_value *ret)
{
	(void)env;
	(void)r;
	(void)name;
	(void)ret;
	return TMPL_MISSING;
}

struct fixture {
	struct arena a;
	struct tmpl_compiler *c;
	struct tmpl_run r;
	struct tmpl_env env;
	struct tmpl_filters fs;
};

static void
set_up(struct fixture *x)
{
	memset(x, 0, sizeof(*x));
	arena_init(&x->a, TMPL_MEMORY_MAX);
	x->c = tmpl_compiler_new(&x->a);
	assert_non_null(x->c);
	tmpl_run_init(&x->r, &x->a);
	x->env.load = load;
}

static int
compile(struct fixture *x, const char *text)
{
	const struct tmpl_piece p = {
		.s = text, .len = strlen(text), .pos = { .line = 1, .col = 1 }
	};

	return tmpl_filters_compile(x->c, &x->a, &p, &x->fs, &x->r.fault);
}

static const struct {
	const char *filters;
	const char *in;
	const char *out;
} rows[] = {
	{ "", " a ", " a " },
	{ "h", "<&>\"'\xc3\xa9", "&lt;&amp;&gt;&#34;&#39;\xc3\xa9" },
	{ "x", "<&>\"'", "&lt;&amp;&gt;&#34;&#39;" },
	{ "u", "a b/\xc3\xa9~-_.", "a+b%2F%C3%A9~-_." },
	{ "trim", " \t\xc2\xa0\xe2\x80\x83 a b\xe3\x80\x80\n", "a b" },
	{ "trim", " \n ", "" },
	{ "entity", "\xc3\xa9\xe2\x82\xac<'\xe6\x97\xa5\xc6\x92",
	    "&eacute;&euro;&lt;'\xe6\x97\xa5&fnof;" },
	{ "str,unicode,decode.utf8", "a", "a" },
	{ " trim , h ", " <", "&lt;" },
	{ "h,h", "<", "&lt;" },
	{ "h,trim,decode.x,h", "<", "&lt;" },
	{ "h,str,h", "<", "&amp;lt;" },
	{ "h,x", "<", "&amp;lt;" },
	{ "n,h", "<", "&lt;" },
};

static void
texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture x;
		struct tmpl_value v;
		bool is_safe = false;

		set_up(&x);
		assert_int_equal(compile(&x, rows[i].filters), 0);
		assert_int_equal(
		    tmpl_str(&x.r, rows[i].in, strlen(rows[i].in), &v), 0);
		assert_int_equal(
		    tmpl_filters_apply(&x.r, &x.env, &x.fs, &is_safe, &v), 0);
		assert_string_equal(v.u.str->s, rows[i].out);
		arena_fini(&x.a);
	}
}

static void
other_values(void **state)
{
	static const struct {
		const char *filters;
		enum tmpl_class class;
		const char *message;
	} faults[] = {
		{ "u", TMPL_ATTRIBUTE_ERROR,
		    "'int' object has no attribute 'encode'" },
		{ "trim", TMPL_ATTRIBUTE_ERROR,
		    "'int' object has no attribute 'strip'" },
		{ "x", TMPL_TYPE_ERROR,
		    "expected string or bytes-like object, got 'int'" },
		{ "nosuch", TMPL_TYPE_ERROR,
		    "'Undefined' object is not callable" },
		{ "2", TMPL_TYPE_ERROR, "'int' object is not callable" },
		{ "h | u", TMPL_NAME_ERROR, "name 'h' is not defined" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct tmpl_value v = tmpl_int(5);
		struct fixture x;
		bool is_safe = false;

		set_up(&x);
		assert_int_equal(compile(&x, faults[i].filters), 0);
		assert_int_equal(
		    tmpl_filters_apply(&x.r, &x.env, &x.fs, &is_safe, &v), -1);
		assert_int_equal(x.r.fault.class, faults[i].class);
		assert_string_equal(x.r.fault.message, faults[i].message);
		assert_int_equal(x.r.fault.pos.line, 1);
		arena_fini(&x.a);
	}
}

static void
lists(void **state)
{
	static const char *const bad[] = { ",", "h,", "h,,u", "h u", "h)" };
	struct fixture x;

	(void)state;
	set_up(&x);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(compile(&x, bad[i]), -1);
		assert_int_equal(x.r.fault.class, TMPL_SYNTAX_EXCEPTION);
	}
	assert_int_equal(compile(&x, "h, n"), 0);
	assert_true(x.fs.is_raw);
	assert_int_equal(x.fs.n, 1);
	arena_fini(&x.a);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(texts),
	cmocka_unit_test(other_values),
	cmocka_unit_test(lists),
};
TEST_MAIN(tests)
