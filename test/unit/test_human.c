/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Values as people read them: the tables of the contract (cli.md, appendices A
 * to C) and its golden get-info block (appendix G), byte for byte.
 */
#include "test/unit/support/test.h"

#include <math.h>
#include <string.h>

#include "lib/data/json.h"
#include "proto/human.h"
#include "test/unit/support/torture.h"

static const struct {
	double seconds;
	const char *text;
} spans[] = {
	{ 0.0, "0 seconds" },
	{ 0.004, "0 seconds" },
	{ 0.005, "0.01 seconds" },
	{ 0.5, "0.5 seconds" },
	{ 0.995, "0.99 seconds" },
	{ 0.996, "1 second" },
	{ 1.0, "1 second" },
	{ 1.0, "1 second" },
	{ 1.004, "1 second" },
	{ 7.65, "7.65 seconds" },
	{ 38.01, "38.01 seconds" },
	{ 59.994, "59.99 seconds" },
	{ 59.999, "60 seconds" },
	{ 60.0, "1 minute" },
	{ 60.004, "1 minute" },
	{ 60.005, "1 minute and 0.01 seconds" },
	{ 61.0, "1 minute and 1 second" },
	{ 61.005, "1 minute and 1 second" },
	{ 82.1, "1 minute and 22.1 seconds" },
	{ 119.999, "1 minute and 60 seconds" },
	{ 120.0, "2 minutes" },
	{ 312.6, "5 minutes and 12.6 seconds" },
	{ 370.02, "6 minutes and 10.02 seconds" },
	{ 462.41, "7 minutes and 42.41 seconds" },
	{ 3599.999, "59 minutes and 60 seconds" },
	{ 3600.0, "1 hour" },
	{ 3600.5, "1 hour and 0.5 seconds" },
	{ 3660.0, "1 hour and 1 minute" },
	{ 3661.25, "1 hour, 1 minute and 1.25 seconds" },
	{ 7322.5, "2 hours, 2 minutes and 2.5 seconds" },
	{ 86399.996, "23 hours, 59 minutes and 60 seconds" },
	{ 86400.0, "1 day" },
	{ 90061.5, "1 day, 1 hour and 1 minute" },
	{ 100000.5, "1 day, 3 hours and 46 minutes" },
	{ 604799.0, "6 days, 23 hours and 59 minutes" },
	{ 604800.0, "1 week" },
	{ 604801.5, "1 week and 1.5 seconds" },
	{ 694861.7, "1 week, 1 day and 1 hour" },
	{ 2419200.0, "4 weeks" },
	{ 31449599.0, "51 weeks, 6 days and 23 hours" },
	{ 31449600.0, "1 year" },
	{ 31536000.0, "1 year and 1 day" },
	{ 31633200.0, "1 year, 2 days and 3 hours" },
	{ 32144461.5, "1 year, 1 week and 1 day" },
	{ 63072000.5, "2 years, 2 days and 0.5 seconds" },
	{ 10000000000.0, "317 years, 50 weeks and 2 days" },
	{ -0.001, "-0 seconds" },
	{ -100.0, "-100 seconds" },
};

static void
time_spans(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		struct strbuf b AUTO_STRBUF;

		strbuf_init(&b, 1000);
		human_timespan(&b, spans[i].seconds);
		assert_string_equal(b.buf, spans[i].text);
	}
}

static void
odd_time_spans(void **state)
{
	static const double odd[] = { 1e300, -1e300, 9e18, 1e19, NAN, INFINITY,
		-INFINITY, 5e-324 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct strbuf b AUTO_STRBUF;

		strbuf_init(&b, 1000);
		human_timespan(&b, odd[i]);
		assert_true(b.len > 0);
	}
}

static const struct {
	int64_t bytes;
	const char *text;
} sizes[] = {
	{ INT64_C(0), "0 bytes" },
	{ INT64_C(1048575), "1024 KiB" },
	{ INT64_C(1), "1 byte" },
	{ INT64_C(1048576), "1 MiB" },
	{ INT64_C(2), "2 bytes" },
	{ INT64_C(8400896), "8.01 MiB" },
	{ INT64_C(512), "512 bytes" },
	{ INT64_C(75104256), "71.62 MiB" },
	{ INT64_C(1000), "1000 bytes" },
	{ INT64_C(1073741823), "1024 MiB" },
	{ INT64_C(1023), "1023 bytes" },
	{ INT64_C(1073741824), "1 GiB" },
	{ INT64_C(1024), "1 KiB" },
	{ INT64_C(1367982080), "1.27 GiB" },
	{ INT64_C(1025), "1 KiB" },
	{ INT64_C(1099511627775), "1024 GiB" },
	{ INT64_C(1034), "1.01 KiB" },
	{ INT64_C(1099511627776), "1 TiB" },
	{ INT64_C(1536), "1.5 KiB" },
	{ INT64_C(1125899906842624), "1 PiB" },
	{ INT64_C(2047), "2 KiB" },
	{ INT64_C(1152921504606846975), "1024 PiB" },
	{ INT64_C(10240), "10 KiB" },
	{ INT64_C(1152921504606846976), "1 EiB" },
	{ INT64_C(102400), "100 KiB" },
	{ INT64_C(1047527), "1022.98 KiB" },
	{ INT64_C(1048570), "1023.99 KiB" },
	{ INT64_C(-1), "-1 bytes" },
};

static void
sizes_in_binary_units(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct strbuf b AUTO_STRBUF;

		strbuf_init(&b, 1000);
		human_size(&b, sizes[i].bytes);
		assert_string_equal(b.buf, sizes[i].text);
	}
}

static void
ages_have_two_units(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = { { 0, "0s" }, { -5, "0s" }, { 42, "42s" }, { 187, "3m07s" },
		{ 7500, "2h05m" }, { 4 * 86400 + 3 * 3600 + 59, "4d03h" },
		{ 6 * 604800 + 2 * 86400, "6w02d" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf b AUTO_STRBUF;

		strbuf_init(&b, 1000);
		human_age(&b, rows[i].seconds);
		assert_string_equal(b.buf, rows[i].text);
	}
}

/* JSON and its repr. */
static const char *const reprs[][2] = {
	{ "null", "None" },
	{ "true", "True" },
	{ "false", "False" },
	{ "-7", "-7" },
	{ "12345678901234567890", "12345678901234567890" },
	{ "1.0", "1.0" },
	{ "0.1", "0.1" },
	{ "1e15", "1000000000000000.0" },
	{ "1e16", "1e+16" },
	{ "1e-4", "0.0001" },
	{ "1e-5", "1e-05" },
	{ "123456789012345680.0", "1.2345678901234568e+17" },
	{ "-0.0", "-0.0" },
	{ "\"\"", "''" },
	{ "\"a\"", "'a'" },
	{ "\"it's\"", "\"it's\"" },
	{ "\"say \\\"hi\\\"\"", "'say \"hi\"'" },
	{ "\"both ' and \\\"\"", "'both \\' and \"'" },
	{ "\"a\\tb\\nc\\r\"", "'a\\tb\\nc\\r'" },
	{ "\"back\\\\slash\"", "'back\\\\slash'" },
	{ "\"\\u001b\\u007f\"", "'\\x1b\\x7f'" },
	{ "\"\xc3\xa9 \xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x98\x80\"",
	    "'\xc3\xa9 \xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x98\x80'" },
	{ "\"\\u00a0x\"", "'\\xa0x'" },
	{ "\"\\u200b\"", "'\\u200b'" },
	{ "\"\\u2028\"", "'\\u2028'" },
	{ "\"\\udb40\\udc01\"", "'\\U000e0001'" },
	{ "[1,\"a\",null,true,[],{}]", "[1, 'a', None, True, [], {}]" },
	{ "{\"name\":\"x\",\"status\":0,\"jail\":null}",
	    "{'name': 'x', 'status': 0, 'jail': None}" },
	{ "{\"a\":{\"b\":[1.5,{\"c\":\"d\"}]},\"k\":\"v's\"}",
	    "{'a': {'b': [1.5, {'c': 'd'}]}, 'k': \"v's\"}" },
};

static struct node *
parse(struct arena *a, const char *json)
{
	struct error e = ERROR_INIT;
	struct node *n = NULL;

	test_ok(json_read(json, strlen(json), a, &n, &e), &e);
	return n;
}

static void
values_as_python_writes_them(void **state)
{
	struct arena a AUTO_ARENA;

	(void)state;
	arena_init(&a, 1000000);
	for (size_t i = 0; i < ARRAY_LEN(reprs); i++) {
		struct strbuf b AUTO_STRBUF;

		strbuf_init(&b, 1000);
		human_repr(&b, parse(&a, reprs[i][0]));
		assert_string_equal(b.buf, reprs[i][1]);
	}
}

static void
text_is_raw_at_the_top_only(void **state)
{
	struct arena a AUTO_ARENA;
	struct strbuf b AUTO_STRBUF;

	(void)state;
	arena_init(&a, 1000000);
	strbuf_init(&b, 1000);
	human_text(&b, parse(&a, "\"it's\""));
	human_text(&b, NULL);
	human_text(&b, parse(&a, "[\"x\"]"));
	assert_string_equal(b.buf, "it'sNone['x']");
}

static void
lines_end_as_in_python(void **state)
{
	static const char text[] = "a\nb\r\nc\rd\x0b"
				   "e\x0c"
				   "f\x1cg\xc2\x85h\xe2\x80\xa8i\n";
	struct strbuf b AUTO_STRBUF;
	size_t at = 0, next, len;

	(void)state;
	strbuf_init(&b, 1000);
	while (at < sizeof(text) - 1) {
		len = human_line(text + at, sizeof(text) - 1 - at, &next);
		strbuf_add(&b, text + at, len);
		strbuf_addc(&b, '|');
		at += next;
	}
	assert_string_equal(b.buf, "a|b|c|d|e|f|g|h|i|");
}

/* Appendix G. */
static const char p_json[] =
    "{\"name\":\"p\",\"state\":\"DONE\",\"last_log\":"
    "\"2025-04-22_17h57m45s\",\"locked\":false,\"services\":[{\"name\":"
    "\"web\",\"status\":0,\"jail\":\"e969b06736\"},{\"name\":\"it's\","
    "\"status\":66,\"jail\":null}],\"up\":{\"operation\":\"COMPLETED\","
    "\"output\":{\"rc\":0,\"stdout\":{\"errlevel\":0,\"message\":null,"
    "\"failed\":[]},\"stderr\":\" line one\\n  line two\\n\"},"
    "\"last_update\":370.02,\"job_id\":17,\"restarted\":false,\"labels\":"
    "{\"error\":false,\"message\":null,\"load-balancer\":{\"web\":{\"error\":"
    "false,\"message\":null}},\"skydns\":{\"web\":{\"error\":false,"
    "\"message\":\"(project:p) records has been updated.\"}}}},\"down\":"
    "{\"operation\":\"INCOMPLETED\",\"output\":{},\"last_update\":0.004,"
    "\"job_id\":18,\"labels\":{\"error\":true,\"message\":\"Project 'p' "
    "has an unexpected state 'FAILED'\"}}}";
static const char q_json[] =
    "{\"up\":{\"operation\":\"FAILED\",\"last_update\":100000.5,"
    "\"job_id\":19,\"exception\":{\"type\":\"InterfaceNotFound\","
    "\"message\":\"em9: Interface not found.\"}}}";
static const char golden[] =
    "datacenter: http://h\n"
    "  entrypoint: main\n"
    "  chain: None\n"
    "  labels:\n"
    "    - all\n"
    "    - desktop\n"
    "  projects:\n"
    "    p:\n"
    "      state: DONE\n"
    "      last_log: 2025-04-22_17h57m45s\n"
    "      locked: False\n"
    "      services:\n"
    "        - {'name': 'web', 'status': 0, 'jail': 'e969b06736'}\n"
    "        - {'name': \"it's\", 'status': 66, 'jail': None}\n"
    "      up:\n"
    "        operation: COMPLETED\n"
    "        output:\n"
    "         rc: 0\n"
    "         stdout: {'errlevel': 0, 'message': None, 'failed': []}\n"
    "         stderr:\n"
    "            line one\n"
    "             line two\n"
    "        last_update: 6 minutes and 10.02 seconds\n"
    "        job_id: 17\n"
    "        restarted: False\n"
    "         skydns:\n"
    "           services:\n"
    "             web:\n"
    "               error: False\n"
    "               message: (project:p) records has been updated.\n"
    "      down:\n"
    "        operation: INCOMPLETED\n"
    "        last_update: 0 seconds\n"
    "        job_id: 18\n"
    "        labels:\n"
    "         error: True\n"
    "         message: Project 'p' has an unexpected state 'FAILED'\n"
    "    q:\n"
    "      state: None\n"
    "      last_log: None\n"
    "      locked: None\n"
    "      services:\n"
    "      up:\n"
    "        operation: FAILED\n"
    "        last_update: 1 day, 3 hours and 46 minutes\n"
    "        job_id: 19\n"
    "        exception: {'type': 'InterfaceNotFound', 'message': 'em9: "
    "Interface not found.'}\n";

static void
golden_projects(void **state)
{
	static const char *const labels[] = { "all", "desktop" };
	struct arena a AUTO_ARENA;
	struct strbuf b AUTO_STRBUF;

	(void)state;
	arena_init(&a, 1000000);
	strbuf_init(&b, 10000);
	human_header(&b, "http://h", "main", NULL, labels, 2);
	strbuf_adds(&b, "  projects:\n");
	human_project(&b, "p", parse(&a, p_json));
	human_project(&b, "q", parse(&a, q_json));
	assert_string_equal(b.buf, golden);
}

/* Everything 2.5.2 says that the golden block does not have. */
static void
odd_projects(void **state)
{
	struct arena a AUTO_ARENA;
	struct strbuf b AUTO_STRBUF;

	(void)state;
	arena_init(&a, 1000000);
	strbuf_init(&b, 10000);
	human_header(&b, "u", "d", "a.b", NULL, 0);
	human_project(&b, "x",
	    parse(&a,
		"{\"services\":\"none\",\"down\":{},\"up\":{\"list\":[1,"
		"\"a\"],\"last_update\":\"soon\",\"output\":\"text\","
		"\"labels\":7,\"m\":\"two\\nlines\"}}"));
	human_project(&b, "y",
	    parse(&a,
		"{\"up\":{\"output\":{\"stderr\":\"\",\"rc\":1},\"labels\":"
		"{\"load-balancer\":{\"a\":{\"error\":true,\"message\":null},"
		"\"b\":{\"error\":true,\"message\":\"m\"}}}}}"));
	human_project(&b, "z", NULL);
	assert_string_equal(b.buf,
	    "datacenter: u\n"
	    "  entrypoint: d\n"
	    "  chain: a.b\n"
	    "    x:\n"
	    "      state: None\n"
	    "      last_log: None\n"
	    "      locked: None\n"
	    "      services:\n"
	    "      up:\n"
	    "        list:\n"
	    "        - 1\n"
	    "        - a\n"
	    "        last_update: soon\n"
	    "        output: text\n"
	    "        labels: 7\n"
	    "        m: two\nlines\n"
	    "    y:\n"
	    "      state: None\n"
	    "      last_log: None\n"
	    "      locked: None\n"
	    "      services:\n"
	    "      up:\n"
	    "        output:\n"
	    "         rc: 1\n"
	    "         load-balancer:\n"
	    "           services:\n"
	    "             a:\n"
	    "               error: True\n"
	    "               message: None\n"
	    "             b:\n"
	    "               error: True\n"
	    "               message: m\n"
	    "    z:\n"
	    "      state: None\n"
	    "      last_log: None\n"
	    "      locked: None\n"
	    "      services:\n");
}

static int
body(void *ctx, struct error *e)
{
	struct arena a AUTO_ARENA;
	struct strbuf b AUTO_STRBUF;
	struct node *n = NULL;

	(void)ctx;
	arena_init(&a, 1000000);
	strbuf_init(&b, 10000);
	if (json_read(p_json, strlen(p_json), &a, &n, e) < 0)
		return -1;
	human_project(&b, "p", n);
	human_timespan(&b, 3661.25);
	return strbuf_check(&b, e);
}

static void
memory_may_fail(void **state)
{
	(void)state;
	torture(body, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(time_spans),
	cmocka_unit_test(odd_time_spans),
	cmocka_unit_test(sizes_in_binary_units),
	cmocka_unit_test(ages_have_two_units),
	cmocka_unit_test(values_as_python_writes_them),
	cmocka_unit_test(text_is_raw_at_the_top_only),
	cmocka_unit_test(lines_end_as_in_python),
	cmocka_unit_test(golden_projects),
	cmocka_unit_test(odd_projects),
	cmocka_unit_test(memory_may_fail),
};
TEST_MAIN(tests)
