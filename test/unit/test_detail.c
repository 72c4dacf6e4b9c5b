/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* The rows of details.def: none is missing, and they say what the rules of path
 * words do. */

#include "proto/detail.h"

#include <string.h>

#include "lib/data/regex.h"
#include "support/test.h"

static void
each_route_has_a_reply(void **state)
{
	(void)state;
	for (unsigned id = 0; id < ROUTE_COUNT; id++)
		if (routes[id].scope != SCOPE_NONE &&
		    route_replies[id].status == 0)
			fail_msg("ROUTE(%s, ...): add a REPLY(%s, ...) row to "
				 "proto/details.def",
			    route_names[id], route_names[id]);
}

static void
each_word_of_a_path_has_a_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_rules_n; i++)
		if (route_word(route_rules[i].word,
			strlen(route_rules[i].word)) == NULL)
			fail_msg("{%s}: add a WORD(\"%s\", ...) row to "
				 "proto/details.def",
			    route_rules[i].word, route_rules[i].word);
	assert_null(route_word("proj", 4));
}

static void
queries_make_sense(void **state)
{
	(void)state;
	for (const struct route_query *q = route_queries; q->name != NULL;
	     q++) {
		bool words = q->kind == QUERY_ONE || q->kind == QUERY_SOME;

		if (q->kind == QUERY_WORD)
			assert_non_null(
			    route_word(q->choices, strlen(q->choices)));
		else
			assert_true(words == (q->choices != NULL));
		assert_true(q->min <= q->max && q->max <= INT64_MAX);
		assert_true((q->kind == QUERY_NUMBER) == (q->max > 0));
		assert_ptr_equal(route_query(q->route, q->name), q);
		assert_non_null(route_query(q->route, NULL));
	}
	assert_null(route_query(ROUTE_PING, NULL));
	assert_null(route_query(ROUTE_JOBS, "nothing"));
}

static void
members_belong_to_a_shape(void **state)
{
	(void)state;
	for (const struct route_member *m = route_members; m->shape != NULL;
	     m++) {
		const struct route_shape *s = route_shapes;

		while (s->name != NULL && strcmp(s->name, m->shape) != 0)
			s++;
		if (s->name == NULL)
			fail_msg("MEMBER(%s, ...) has no SHAPE", m->shape);
	}
}

/* The pattern lets pass what the rule does; of a word that is looked at again
 * later, no more than that. */
static void
compare(const struct route_rule *rule, const struct route_word *w,
    struct regex *r, const char *text)
{
	size_t len = strlen(text);
	bool exact = strcmp(w->word, "chain") != 0 && !rule->decode;
	bool pattern = len <= w->max && regex_search(r, text, len);
	bool ok = rule->ok == NULL || rule->ok(text, len);

	if (exact ? pattern != ok : pattern && !ok)
		fail_msg("{%s}: '%s': the pattern says %d, the rule %d",
		    w->word, text, pattern, ok);
}

/* Texts of up to 5 of these, and some longer ones. */
static void
patterns_are_the_rules(void **state)
{
	static const char letters[] = "aZ1._-/%";
	static const char *const others[] = { "2025-05-13_15h20m00s",
		"2025-05-13_15h20m00", "2025-05-13_15h20m0as", "start.log",
		"a.b.log", ".log", "-.log", "start.logs", "1234567890123456",
		"12345678901234567", "0", "01", "a.b-c_d", "a b", "x\xc3\xa9" };
	enum {
		N = sizeof(letters) - 1,
		LEN = 5
	};
	char text[LEN + 1];

	(void)state;
	for (size_t i = 0; i < route_rules_n; i++) {
		const struct route_word *w = route_word(
		    route_rules[i].word, strlen(route_rules[i].word));
		AUTO(regex) struct regex *r = NULL;
		struct error e = ERROR_INIT;

		test_ok(regex_new(&r, w->pattern, &e), &e);
		for (unsigned n = 1, all = N; n <= LEN; n++, all *= N)
			for (unsigned no = 0; no < all; no++) {
				for (unsigned k = 0, x = no; k < n; k++, x /= N)
					text[k] = letters[x % N];
				text[n] = '\0';
				compare(&route_rules[i], w, r, text);
			}
		for (size_t k = 0; k < ARRAY_LEN(others); k++)
			compare(&route_rules[i], w, r, others[k]);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(each_route_has_a_reply),
	cmocka_unit_test(each_word_of_a_path_has_a_row),
	cmocka_unit_test(queries_make_sense),
	cmocka_unit_test(members_belong_to_a_shape),
	cmocka_unit_test(patterns_are_the_rules),
};
TEST_MAIN(tests)
