/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Values by themselves: classes of faults, texts, dicts, loops, and what a
 * rendering may use up.  What expressions make of them is in test_tmpl_expr.c.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/data/tmpl_value.h"

static void
test_classes(void **state)
{
	static const struct {
		enum tmpl_class class;
		enum tmpl_class of;
		bool is;
	} cases[] = {
		{ TMPL_VALUE_ERROR, TMPL_VALUE_ERROR, true },
		{ TMPL_VALUE_ERROR, TMPL_EXCEPTION, true },
		{ TMPL_VALUE_ERROR, TMPL_TYPE_ERROR, false },
		{ TMPL_UNBOUND_LOCAL_ERROR, TMPL_NAME_ERROR, true },
		{ TMPL_NAME_ERROR, TMPL_UNBOUND_LOCAL_ERROR, false },
		{ TMPL_ASSERTION_ERROR, TMPL_CLASS_NONE, true },
		{ TMPL_LIMIT, TMPL_EXCEPTION, false },
		{ TMPL_LIMIT, TMPL_CLASS_NONE, false },
		{ TMPL_UNSUPPORTED, TMPL_CLASS_NONE, false },
		{ TMPL_RECURSION_ERROR, TMPL_CLASS_NONE, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(
		    tmpl_class_is(cases[i].class, cases[i].of), cases[i].is);
	for (i = 1; i < TMPL_CLASS_COUNT; i++)
		assert_int_equal(
		    tmpl_class_find(tmpl_class_name((enum tmpl_class)i),
			strlen(tmpl_class_name((enum tmpl_class)i))),
		    i);
	assert_int_equal(tmpl_class_find("Nope", 4), TMPL_CLASS_NONE);
}

static void
test_raise(void **state)
{
	static const struct tmpl_undef undef = { "x", { 2, 3 } };
	struct tmpl_value v = { .type = TMPL_UNDEFINED, .u.undef = &undef };
	struct strbuf AUTO_STRBUF out;
	struct arena AUTO_ARENA a;
	struct tmpl_value caught;
	struct tmpl_run r;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&out, 1000);
	tmpl_run_init(&r, &a);
	assert_int_equal(tmpl_raise(&r, TMPL_VALUE_ERROR, "no %d", 5), -1);
	tmpl_fault_text(&r.fault, &out);
	assert_string_equal(out.buf, "no 5");
	assert_int_equal(tmpl_raise_at(&r, (struct tmpl_pos){ 7, 8 }), -1);
	assert_int_equal(tmpl_raise_at(&r, (struct tmpl_pos){ 9, 9 }), -1);
	strbuf_reset(&out);
	tmpl_fault_text(&r.fault, &out);
	assert_string_equal(out.buf, "no 5 at line: 7 char: 8");
	caught = tmpl_catch(&r);
	assert_int_equal(r.fault.class, TMPL_CLASS_NONE);
	strbuf_reset(&out);
	assert_int_equal(tmpl_repr(&r, caught, &out), 0);
	assert_string_equal(out.buf, "ValueError('no 5')");
	assert_int_equal(tmpl_raise_of(&r, v, TMPL_TYPE_ERROR, "bad"), -1);
	assert_string_equal(r.fault.name, "x");
	assert_int_equal(r.fault.pos.line, 2);
	assert_int_equal(tmpl_unsupported(&r, "%s", "this"), -1);
	assert_string_equal(r.fault.message, "this is not supported");
}

static void
test_dict(void **state)
{
	struct tmpl_value d, key, item;
	struct arena AUTO_ARENA a;
	struct tmpl_iter *it;
	struct tmpl_run r;
	int64_t i, n;
	size_t len;

	(void)state;
	arena_init(&a, TMPL_MEMORY_MAX);
	tmpl_run_init(&r, &a);
	assert_int_equal(tmpl_dict_new(&r, &d), 0);
	for (i = 0; i < 1000; i++)
		assert_int_equal(tmpl_dict_set(&r, d.u.dict, tmpl_int(i * 7919),
				     tmpl_int(i)),
		    0);
	/* Equal keys are one, whatever their type. */
	assert_int_equal(
	    tmpl_dict_set(&r, d.u.dict, tmpl_float(7919), tmpl_none()), 0);
	assert_int_equal(
	    tmpl_dict_set(&r, d.u.dict, tmpl_bool(false), tmpl_none()), 0);
	assert_int_equal(tmpl_len(&r, d, &len), 0);
	assert_int_equal(len, 1000);
	assert_int_equal(tmpl_iter(&r, d, &it), 0);
	for (n = 0; tmpl_iter_next(&r, it, &key) == 1; n++)
		assert_int_equal(key.u.i, n * 7919);
	assert_int_equal(n, 1000);
	/* A list is no key. */
	item = d;
	assert_int_equal(tmpl_dict_set(&r, d.u.dict, item, tmpl_none()), -1);
	assert_int_equal(r.fault.class, TMPL_TYPE_ERROR);
}

static void
test_work(void **state)
{
	struct arena AUTO_ARENA a;
	struct tmpl_run r;
	unsigned n;

	(void)state;
	arena_init(&a, 1 << 20);
	tmpl_run_init(&r, &a);
	for (n = 0; tmpl_tick(&r) == 0; n++)
		continue;
	assert_int_equal(n, 1000000);
	assert_int_equal(r.fault.class, TMPL_LIMIT);
	tmpl_run_init(&r, &a);
	assert_int_equal(tmpl_charge(&r, r.work), 0);
	assert_int_equal(tmpl_charge(&r, 1), -1);
	assert_int_equal(r.fault.class, TMPL_LIMIT);
}

/* Without memory a fault is still a fault. */
static void
test_full_arena(void **state)
{
	struct arena AUTO_ARENA a;
	struct tmpl_value v;
	struct tmpl_run r;

	(void)state;
	arena_init(&a, 64);
	tmpl_run_init(&r, &a);
	assert_int_equal(tmpl_str(&r,
			     "0123456789012345678901234567890123456789"
			     "012345678901234567890123456789",
			     70, &v),
	    -1);
	assert_int_equal(r.fault.class, TMPL_LIMIT);
	assert_int_equal(tmpl_raise(&r, TMPL_VALUE_ERROR, "%99d", 1), -1);
	assert_int_equal(r.fault.class, TMPL_LIMIT);
	assert_int_equal(tmpl_catch(&r).type, TMPL_NONE);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_classes),
	cmocka_unit_test(test_raise),
	cmocka_unit_test(test_dict),
	cmocka_unit_test(test_work),
	cmocka_unit_test(test_full_arena),
};

TEST_MAIN(tests)
