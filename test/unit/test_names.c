/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* Names: good and bad ones of every kind, and that time does not explode. */

#include "proto/names.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "support/test.h"

static const struct {
	enum name_kind kind;
	bool good;
	const char *text;
} rows[] = {
	{ NAME_JAIL, true, "a" },
	{ NAME_JAIL, true, "_x" },
	{ NAME_JAIL, true, "9-b" },
	{ NAME_JAIL, false, "" },
	{ NAME_JAIL, false, "-a" },
	{ NAME_JAIL, false, "a b" },
	{ NAME_JAIL, false, "a.b" },
	{ NAME_JAIL, false, "a\n" },
	{ NAME_PROJECT, true, "hello-http" },
	{ NAME_PROJECT, true, "..." },
	{ NAME_PROJECT, true, "-" },
	{ NAME_PROJECT, false, "" },
	{ NAME_PROJECT, false, "." },
	{ NAME_PROJECT, false, ".." },
	{ NAME_PROJECT, false, "a/b" },
	{ NAME_PROJECT, false, "a\n" },
	{ NAME_VM, true, "vm" },
	{ NAME_VM, true, "a.b-c9" },
	{ NAME_VM, false, "p" },
	{ NAME_VM, false, "-x" },
	{ NAME_VM, false, "x-" },
	{ NAME_KEY, true, "Corefile" },
	{ NAME_KEY, true, "tor.makejail" },
	{ NAME_KEY, true, "a_b-c.d" },
	{ NAME_KEY, true, "a1.b" },
	{ NAME_KEY, true, "web-app_x9" },
	{ NAME_KEY, false, "a..b" },
	{ NAME_KEY, false, "a." },
	{ NAME_KEY, false, "1a" },
	{ NAME_KEY, false, "a-1" },
	{ NAME_KEY, false, "key_2" },
	{ NAME_KEY, false, "bad key" },
	{ NAME_KEY, false, "" },
	{ NAME_KEY, false, "\xc3\xa9" },
	{ NAME_LABEL, true, "all" },
	{ NAME_LABEL, true, "vm-only" },
	{ NAME_LABEL, true, "a1.b2" },
	{ NAME_LABEL, true, "a.b-c2" },
	{ NAME_LABEL, false, "A" },
	{ NAME_LABEL, false, "1a" },
	{ NAME_LABEL, false, "a-" },
	{ NAME_LABEL, false, "a--b" },
	{ NAME_LABEL, false, "a-1" },
	{ NAME_LABEL, false, "r2_a" },
	{ NAME_LABEL, false, "all\n" },
	{ NAME_CHAIN, true, "alpha" },
	{ NAME_CHAIN, true, "alpha.charlie._x-9" },
	{ NAME_CHAIN, true, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p" },
	{ NAME_CHAIN, false, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q" },
	{ NAME_CHAIN, false, "" },
	{ NAME_CHAIN, false, "a." },
	{ NAME_CHAIN, false, ".a" },
	{ NAME_CHAIN, false, "a..b" },
	{ NAME_CHAIN, false, "a.-b" },
	{ NAME_DATE, true, "2025-05-13_15h20m00s" },
	{ NAME_DATE, true, "9999-99-99_99h99m99s" },
	{ NAME_DATE, false, "2025-05-13_15h20m00" },
	{ NAME_DATE, false, "2025-05-13_15h20m00sx" },
	{ NAME_DATE, false, "dddd-dd-dd_ddhddmdds" },
	{ NAME_SERVICE, true, "db.1" },
	{ NAME_SERVICE, false, ".." },
	{ NAME_DLOG, true, "makejail.log" },
	{ NAME_DLOG, true, "-.log" },
	{ NAME_DLOG, false, ".log" },
	{ NAME_DLOG, false, "Make.log" },
	{ NAME_DLOG, false, "makejail.txt" },
	{ NAME_DLOG, false, "a.b.log" },
	{ NAME_SEGMENT, true, "nginx log" },
	{ NAME_SEGMENT, true, "..." },
	{ NAME_SEGMENT, false, "" },
	{ NAME_SEGMENT, false, ".." },
	{ NAME_SEGMENT, false, "a/b" },
	{ NAME_ENV, true, "1 A" },
	{ NAME_ENV, false, "" },
	{ NAME_ENV, false, "A=B" },
};

static void
test_rows(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		if (name_is(rows[i].kind, rows[i].text, strlen(rows[i].text)) !=
		    rows[i].good)
			fail_msg("'%s' and %s", rows[i].text,
			    name_kind_text(rows[i].kind));
	}
}

/* A NUL inside is never part of a name, and nothing is read past the end. */
static void
test_bytes(void **state)
{
	int kind;
	char *exact;

	(void)state;
	for (kind = 0; kind < NAME_COUNT; kind++) {
		assert_false(name_is((enum name_kind)kind, "ab\0c", 4));
		exact = mem_strndup("abcdef", 3);
		assert_non_null(exact);
		(void)name_is((enum name_kind)kind, exact, 3);
		mem_free(exact);
	}
	assert_true(name_is_label("abc!", 3));
}

static void
test_long(void **state)
{
	static char text[1 << 20];
	int kind;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '!';
	for (kind = 0; kind < NAME_COUNT; kind++) {
		if (kind != NAME_ENV)
			assert_false(
			    name_is((enum name_kind)kind, text, sizeof(text)));
	}
	assert_true(name_is_project(text, NAME_LEN_MAX));
	assert_false(name_is_project(text, NAME_LEN_MAX + 1));
	assert_true(name_is_vm(text, 231));
	assert_false(name_is_vm(text, 232));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_rows),
	cmocka_unit_test(test_bytes),
	cmocka_unit_test(test_long),
};
TEST_MAIN(tests)
