/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The records of a run: both ways, and one change at a time that makes them
 * unreadable.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/strbuf.h"
#include "proto/runrec.h"
#include "test/unit/support/torture.h"

static const char *const words[] = { "sh", "-c", "", "a\"b\\c\n\t\x01",
	"\xc3\xa9", "\xff\xfe", "caf\xe9", NULL };
static const char *const env[] = { "A=1", "EMPTY=", NULL };
static const struct run_limits limits = {
	.n = 2,
	.item = { { 7, 1024, UINT64_MAX }, { 3, 0, 5 } },
};

static void
check_words(const char *const *got, const char *const *want)
{
	size_t i;

	for (i = 0; want[i] != NULL; i++) {
		assert_non_null(got[i]);
		assert_string_equal(got[i], want[i]);
	}
	assert_null(got[i]);
}

static void
spec_goes_both_ways(void **state)
{
	struct error e = ERROR_INIT;
	const struct run_spec s = {
		.argv = words,
		.envp = env,
		.deadline_ms = 3600000,
		.output_max = 1048576,
		.grace_ms = 60000,
		.limits = &limits,
		.merge = true,
	};
	struct arena a AUTO_ARENA = { .head = NULL };
	char *text AUTO_FREE = NULL;
	struct run_spec got;
	size_t len;

	(void)state;
	arena_init(&a, 1 << 20);
	test_ok(runrec_spec_write(&s, &text, &len, &e), &e);
	test_ok(runrec_spec_read(text, len, &a, &got, &e), &e);
	check_words(got.argv, words);
	check_words(got.envp, env);
	assert_int_equal(got.deadline_ms, s.deadline_ms);
	assert_int_equal(got.output_max, s.output_max);
	assert_int_equal(got.grace_ms, s.grace_ms);
	assert_true(got.merge);
	assert_non_null(got.limits);
	assert_int_equal(got.limits->n, 2);
	assert_memory_equal(
	    got.limits->item, limits.item, 2 * sizeof(limits.item[0]));
}

static void
a_command_can_be_too_long(void **state)
{
	struct error e = ERROR_INIT;
	char *big AUTO_FREE = mem_alloc(RUNREC_MAX + 1);
	const char *argv[] = { "echo", big, NULL };
	const struct run_spec s = { .argv = argv, .envp = env };
	char *text;
	size_t len;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', RUNREC_MAX);
	big[RUNREC_MAX] = '\0';
	test_fails(runrec_spec_write(&s, &text, &len, &e), &e, OVE_LIMIT);
}

static const struct run_child a_child = {
	.pid = 4711,
	.start = UINT64_MAX,
	.helper = 4710,
	.helper_start = 12345,
	.boot_id = "7cdb5ce5-0b7e-4d8c-a5f1-3a7dfc7c8b9e",
	.started_at = 1767225600000,
	.deadline_ms = 99,
};

static void
child_goes_both_ways(void **state)
{
	struct error e = ERROR_INIT;
	char *text AUTO_FREE = NULL;
	struct run_child got;
	size_t len;

	(void)state;
	test_ok(runrec_child_write(&a_child, &text, &len, &e), &e);
	test_ok(runrec_child_read(text, len, &got, &e), &e);
	assert_int_equal(got.pid, a_child.pid);
	assert_true(got.start == a_child.start);
	assert_int_equal(got.helper, a_child.helper);
	assert_int_equal(got.helper_start, a_child.helper_start);
	assert_string_equal(got.boot_id, a_child.boot_id);
	assert_int_equal(got.started_at, a_child.started_at);
	assert_int_equal(got.deadline_ms, a_child.deadline_ms);
}

static void
result_goes_both_ways(void **state)
{
	struct error e = ERROR_INIT;
	struct run_result r = {
		.code = 70,
		.signo = 9,
		.sys = 2,
		.timed_out = true,
		.cancelled = true,
		.started_at = 1,
		.ended_at = 2,
		.utime_ms = 3,
		.stime_ms = 4,
		.maxrss_kb = 5,
		.stdout_dropped = 6,
		.stderr_dropped = 7,
		.stdout_len = 8,
		.stderr_len = 9,
	};
	struct run_result got;
	size_t len;
	char *text;
	int how;

	(void)state;
	for (how = RUN_EXITED; how < RUN_VANISHED; how++) {
		r.how = (enum run_how)how;
		test_ok(runrec_result_write(&r, &text, &len, &e), &e);
		memset(&got, 0, sizeof(got));
		test_ok(runrec_result_read(text, len, &got, &e), &e);
		mem_free(text);
		assert_int_equal(got.how, how);
		assert_int_equal(got.code, 70);
		assert_int_equal(got.signo, 9);
		assert_int_equal(got.sys, 2);
		assert_true(got.timed_out && got.cancelled);
		assert_int_equal(got.started_at, 1);
		assert_int_equal(got.ended_at, 2);
		assert_int_equal(got.utime_ms, 3);
		assert_int_equal(got.stime_ms, 4);
		assert_int_equal(got.maxrss_kb, 5);
		assert_int_equal(got.stdout_dropped, 6);
		assert_int_equal(got.stderr_dropped, 7);
		assert_int_equal(got.stdout_len, 8);
		assert_int_equal(got.stderr_len, 9);
	}
	/* What left no result cannot have written one. */
	r.how = RUN_VANISHED;
	test_fails(runrec_result_write(&r, &text, &len, &e), &e, OVE_INVALID);
}

/* One replacement in a good record. */
struct damage {
	const char *from;
	const char *to;
	enum ove code;
};

static char *
damaged(const char *text, const struct damage *d)
{
	struct error e = ERROR_INIT;
	struct strbuf b AUTO_STRBUF;
	const char *at = strstr(text, d->from);
	size_t len;
	char *s;

	strbuf_init(&b, 65536);
	if (at == NULL)
		fail_msg("no '%s' in %s", d->from, text);
	strbuf_add(&b, text, (size_t)(at - text));
	strbuf_adds(&b, d->to);
	strbuf_adds(&b, at + strlen(d->from));
	test_ok(strbuf_take(&b, &s, &len, &e), &e);
	return s;
}

static void
damaged_spec_is_refused(void **state)
{
	static const struct damage cases[] = {
		{ "\"version\":1", "\"version\":2", OVE_UNSUPPORTED },
		{ "\"version\":1", "\"version\":0", OVE_CORRUPT },
		{ "\"version\":1", "\"version\":\"1\"", OVE_CORRUPT },
		{ "\"version\":1,", "", OVE_CORRUPT },
		{ "{\"version\"", "[\"version\"", OVE_CORRUPT },
		{ "\"deadline_ms\":3", "\"deadline_ms\":-3", OVE_CORRUPT },
		{ "\"deadline_ms\":3", "\"deadline\":3", OVE_CORRUPT },
		{ "\"grace_ms\":4", "\"grace_ms\":4.5", OVE_CORRUPT },
		{ "\"output_max\":5", "\"output_max\":true", OVE_CORRUPT },
		{ "\"output_max\":5", "\"output_max\":18446744073709551615",
		    OVE_CORRUPT },
		{ "\"output_max\":5", "\"output_max\":5,\"merge\":1",
		    OVE_CORRUPT },
		{ "\"argv\":[\"sh\"", "\"argv\":[\"\"", OVE_CORRUPT },
		{ "\"argv\":[\"sh\"", "\"argv\":[1", OVE_CORRUPT },
		{ "\"argv\":[", "\"argw\":[", OVE_CORRUPT },
		{ "{\"hex\":\"fffe\"}", "{\"hex\":\"fff\"}", OVE_CORRUPT },
		{ "{\"hex\":\"fffe\"}", "{\"hex\":\"ff00\"}", OVE_CORRUPT },
		{ "{\"hex\":\"fffe\"}", "{\"hex\":\"FFFE\"}", OVE_CORRUPT },
		{ "{\"hex\":\"fffe\"}", "{}", OVE_CORRUPT },
		{ "\"envp\":[\"A=1\",\"EMPTY=\"]", "\"envp\":null",
		    OVE_CORRUPT },
		{ "[7,1024,", "[7,", OVE_CORRUPT },
		{ "[7,1024,", "[-7,1024,", OVE_CORRUPT },
		{ "\"limits\":[", "\"limits\":[[", OVE_CORRUPT },
		{ "\"limits\":[",
		    "\"limits\":[[1,1,1],[1,1,1],[1,1,1],"
		    "[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],"
		    "[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],"
		    "[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],"
		    "[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],",
		    OVE_CORRUPT },
	};
	struct error e = ERROR_INIT;
	const struct run_spec s = {
		.argv = words,
		.envp = env,
		.deadline_ms = 3,
		.output_max = 5,
		.grace_ms = 4,
		.limits = &limits,
	};
	char *text AUTO_FREE = NULL;
	struct arena a AUTO_ARENA = { .head = NULL };
	struct run_spec got;
	size_t i, len;
	char *bad;

	(void)state;
	arena_init(&a, 1 << 20);
	test_ok(runrec_spec_write(&s, &text, &len, &e), &e);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		bad = damaged(text, &cases[i]);
		arena_reset(&a);
		print_message("%s -> %s\n", cases[i].from, cases[i].to);
		test_fails(runrec_spec_read(bad, strlen(bad), &a, &got, &e), &e,
		    cases[i].code);
		mem_free(bad);
	}
	/* Every cut, too. */
	for (i = 0; i + 2 < len; i++) {
		arena_reset(&a);
		assert_int_equal(runrec_spec_read(text, i, &a, &got, &e), -1);
	}
}

static void
damaged_child_is_refused(void **state)
{
	static const struct damage cases[] = {
		{ "\"version\":1", "\"version\":9", OVE_UNSUPPORTED },
		{ "\"pid\":4711", "\"pid\":1", OVE_CORRUPT },
		{ "\"pid\":4711", "\"pid\":0", OVE_CORRUPT },
		{ "\"pid\":4711", "\"pid\":-1", OVE_CORRUPT },
		{ "\"pid\":4711", "\"pid\":4294967296", OVE_CORRUPT },
		{ "\"helper\":4710", "\"helper\":1", OVE_CORRUPT },
		{ "\"start\":", "\"start\":1", OVE_CORRUPT },
		{ "\"start\":", "\"begin\":", OVE_CORRUPT },
		{ "\"boot_id\":\"",
		    "\"boot_id\":\"0123456789012345678901234567", OVE_CORRUPT },
		{ "\"boot_id\":\"7", "\"boot_id\":7,\"x\":\"", OVE_CORRUPT },
	};
	struct error e = ERROR_INIT;
	char *text AUTO_FREE = NULL;
	struct run_child got;
	size_t i, len;
	char *bad;

	(void)state;
	test_ok(runrec_child_write(&a_child, &text, &len, &e), &e);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		bad = damaged(text, &cases[i]);
		test_fails(runrec_child_read(bad, strlen(bad), &got, &e), &e,
		    cases[i].code);
		mem_free(bad);
	}
}

static void
damaged_result_is_refused(void **state)
{
	static const struct damage cases[] = {
		{ "\"version\":1", "\"version\":9", OVE_UNSUPPORTED },
		{ "\"how\":\"exited\"", "\"how\":\"vanished\"", OVE_CORRUPT },
		{ "\"how\":\"exited\"", "\"how\":0", OVE_CORRUPT },
		{ "\"how\":\"exited\",", "", OVE_CORRUPT },
		{ "\"code\":0", "\"code\":\"0\"", OVE_CORRUPT },
		{ "\"timed_out\":false", "\"timed_out\":0", OVE_CORRUPT },
		{ "\"cancelled\":false,", "", OVE_CORRUPT },
		{ "\"ended_at\":0", "\"ended_at\":9223372036854775808",
		    OVE_CORRUPT },
	};
	struct error e = ERROR_INIT;
	const struct run_result r = { .how = RUN_EXITED };
	char *text AUTO_FREE = NULL;
	struct run_result got;
	size_t i, len;
	char *bad;

	(void)state;
	test_ok(runrec_result_write(&r, &text, &len, &e), &e);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		bad = damaged(text, &cases[i]);
		test_fails(runrec_result_read(bad, strlen(bad), &got, &e), &e,
		    cases[i].code);
		mem_free(bad);
	}
	/* A field of a later program is no fault. */
	bad = damaged(text,
	    &(const struct damage){ "\"code\"", "\"new\":[1],\"code\"", 0 });
	test_ok(runrec_result_read(bad, strlen(bad), &got, &e), &e);
	mem_free(bad);
}

static int
body(void *ctx, struct error *e)
{
	const struct run_spec s = {
		.argv = words,
		.envp = env,
		.limits = &limits,
	};
	const struct run_result r = { .how = RUN_SIGNALLED };
	struct arena a AUTO_ARENA = { .head = NULL };
	char *spec AUTO_FREE = NULL;
	char *child AUTO_FREE = NULL;
	char *result AUTO_FREE = NULL;
	struct run_spec s2;
	struct run_child c2;
	struct run_result r2;
	size_t spec_len, child_len, result_len;

	(void)ctx;
	arena_init(&a, 1 << 20);
	if (runrec_spec_write(&s, &spec, &spec_len, e) == -1 ||
	    runrec_spec_read(spec, spec_len, &a, &s2, e) == -1 ||
	    runrec_child_write(&a_child, &child, &child_len, e) == -1 ||
	    runrec_child_read(child, child_len, &c2, e) == -1 ||
	    runrec_result_write(&r, &result, &result_len, e) == -1 ||
	    runrec_result_read(result, result_len, &r2, e) == -1)
		return -1;
	return 0;
}

static void
without_memory(void **state)
{
	(void)state;
	torture(body, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(spec_goes_both_ways),
	cmocka_unit_test(a_command_can_be_too_long),
	cmocka_unit_test(child_goes_both_ways),
	cmocka_unit_test(result_goes_both_ways),
	cmocka_unit_test(damaged_spec_is_refused),
	cmocka_unit_test(damaged_child_is_refused),
	cmocka_unit_test(damaged_result_is_refused),
	cmocka_unit_test(without_memory),
};
TEST_MAIN(tests)
