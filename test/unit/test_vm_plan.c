/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* The table of runtime.md 2.1: what is done, by what is asked for and there. */

#include "daemon/vm_plan.h"

#include <string.h>

#include "test/unit/support/test.h"
#include "test/unit/support/vm_message.h"

#define COMPONENTS                                                             \
  "{\"type\":\"components\",\"components\":[],\"osVersion\":\"1\","            \
  "\"osArch\":\"a\"}"
#define ISO "{\"type\":\"iso\",\"isoFile\":\"x\"}"
#define INSTALLED "{\"type\":\"iso\",\"isoFile\":\"x\",\"installed\":true}"
#define IMG "{\"type\":\"img\"}"

#define RESTART "\"restart\":true"
#define OVERWRITE "\"overwrite\":true"
#define BOTH RESTART "," OVERWRITE

static const struct {
	const char *from;
	const char *asked;
	/* done, project */
	bool facts[2];
	const char *note;
	/* nothing, restart, overwrite, up */
	bool plan[4];
} rows[] = {
	/* A first installation, whatever is asked for. */
	{ COMPONENTS, "", { 0, 0 }, "new", { 0, 0, 0, 1 } },
	{ COMPONENTS, RESTART, { 0, 1 }, "new", { 0, 0, 0, 1 } },
	{ COMPONENTS, OVERWRITE, { 0, 1 }, "new overwrite", { 0, 0, 1, 1 } },
	{ ISO, "", { 0, 1 }, "new", { 0, 0, 0, 1 } },
	/* One that is made stays as it is. */
	{ COMPONENTS, "", { 1, 1 }, "done", { 1, 0, 0, 1 } },
	{ IMG, "", { 1, 0 }, "done", { 1, 0, 0, 1 } },
	{ INSTALLED, "", { 1, 1 }, "done", { 1, 0, 0, 1 } },
	/* A restart wins over all. */
	{ COMPONENTS, RESTART, { 1, 1 }, "done restart", { 0, 1, 0, 1 } },
	{ COMPONENTS, BOTH, { 1, 1 }, "done restart", { 0, 1, 0, 1 } },
	{ INSTALLED, RESTART, { 1, 1 }, "done restart", { 0, 1, 0, 1 } },
	{ IMG, OVERWRITE, { 1, 1 }, "done overwrite", { 0, 0, 1, 1 } },
	/* Nothing can be restarted that Director does not know. */
	{ COMPONENTS, RESTART, { 1, 0 }, "done overwrite", { 0, 0, 1, 1 } },
	{ COMPONENTS, BOTH, { 1, 0 }, "done overwrite", { 0, 0, 1, 1 } },
	/* The jail stays when somebody has installed in it. */
	{ INSTALLED, "", { 0, 1 }, "new", { 0, 0, 0, 0 } },
	{ INSTALLED, OVERWRITE, { 0, 1 }, "new overwrite", { 0, 0, 1, 0 } },
	{ INSTALLED, RESTART, { 0, 1 }, "new", { 0, 0, 0, 1 } },
	{ INSTALLED, OVERWRITE, { 1, 1 }, "done overwrite", { 0, 0, 1, 1 } },
};

static void
check(const struct vm_plan *p, const bool want[4], size_t i)
{
	if (p->nothing != want[0] || p->restart != want[1] ||
	    p->overwrite != want[2] || p->up != want[3])
		fail_msg("row %zu: %d %d %d %d", i, p->nothing, p->restart,
		    p->overwrite, p->up);
}

static void
each_row_of_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct vm_facts facts = { .done = rows[i].facts[0],
			.project = rows[i].facts[1] };
		char note[VM_NOTE_MAX];
		struct vm_plan p, again;
		struct arena a AUTO_ARENA;
		struct msg_vm m;

		arena_init(&a, 1 << 20);
		vm_message(&a, rows[i].from, rows[i].asked, &m);
		vm_plan_make(&p, &m, &facts);
		check(&p, rows[i].plan, i);
		vm_plan_to_note(&p, note);
		assert_string_equal(note, rows[i].note);
		vm_plan_from_note(&again, &m, note);
		assert_memory_equal(&p, &again, sizeof(p));
	}
}

static void
the_last_step(void **state)
{
	static const struct {
		const char *from;
		bool overwrite;
		bool done;
		enum vm_final want;
	} cases[] = {
		{ COMPONENTS, false, false, VM_INSTALL },
		{ COMPONENTS, false, true, VM_INSTALL },
		{ COMPONENTS, true, false, VM_INSTALL },
		{ COMPONENTS, true, true, VM_START },
		{ ISO, false, false, VM_INSTALL_ISO },
		{ ISO, true, true, VM_INSTALL_ISO },
		{ INSTALLED, false, false, VM_START },
		{ INSTALLED, true, true, VM_START },
		{ IMG, false, false, VM_START },
		{ IMG, true, true, VM_START },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct vm_plan p = { .overwrite = cases[i].overwrite };
		struct arena a AUTO_ARENA;
		struct msg_vm m;

		arena_init(&a, 1 << 20);
		vm_message(&a, cases[i].from, "", &m);
		assert_int_equal(
		    vm_plan_final(&p, &m, cases[i].done), cases[i].want);
	}
}

static void
words_of_a_note(void **state)
{
	(void)state;
	assert_true(vm_note_has("done create", "done"));
	assert_true(vm_note_has("done create", "create"));
	assert_false(vm_note_has("done create", "don"));
	assert_false(vm_note_has("done create", "doner"));
	assert_false(vm_note_has("done create", "re"));
	assert_false(vm_note_has("", "done"));
	assert_false(vm_note_has(NULL, "done"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(each_row_of_the_table),
	cmocka_unit_test(the_last_step),
	cmocka_unit_test(words_of_a_note),
};
TEST_MAIN(tests)
