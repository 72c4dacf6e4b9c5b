/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Forms of Python's logging: what Python prints for them, and what is refused.
 */
#include "test/unit/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log_pattern.h"
#include "test/unit/support/torture.h"

#define NOON 1795501800123

static const struct log_field fields[] = {
	{ .key = "job", .num = 17 },
	{ .key = "state", .text = "a b" },
};

static struct log_event
event(void)
{
	return (struct log_event){
		.wall_ms = NOON,
		.born_ms = NOON - 2500,
		.severity = LOG_LEVEL_WARN,
		.level = "warn",
		.area = "job",
		.prefix = "overlord.",
		.name = "job",
		.file = "../daemon/runner_task.c",
		.func = "task_end",
		.line = 42,
		.msg = "d\xc3\xb6ne",
		.fields = fields,
		.n = ARRAY_LEN(fields),
	};
}

#define MESSAGE "job=17 state=\"a b\" d\xc3\xb6ne"

static const struct {
	const char *format;
	const char *datefmt;
	const char *want;
} rows[] = {
	{ NULL, NULL, MESSAGE },
	{ "", NULL, "" },
	{ "%(message)s", NULL, MESSAGE },
	{ "plain", NULL, "plain" },
	{ "100%% %(name)s%%", NULL, "100% overlord.job%" },
	{ "%(levelname)s (%(name)s): [%(asctime)s] - %(message)s", NULL,
	    "WARNING (overlord.job): [2026-11-24 06:30:00,123] - " MESSAGE },
	{ "%(asctime)s|", "%d.%m.%y %H%%", "24.11.26 06%|" },
	{ "%(asctime)s|", "", "|" },
	{ "[%(levelname)-8s][%(levelname)8s][%(levelname).4s]", NULL,
	    "[WARNING ][ WARNING][WARN]" },
	{ "%(levelno)s %(levelno)d %(levelno)05d %(levelno)-5d|", NULL,
	    "30 30 00030 30   |" },
	{ "%(levelno)+d % (levelno)d", NULL, NULL },
	{ "%(levelno)+d|%(levelno) d|%(levelno)+5d|%(levelno)+05d", NULL,
	    "+30| 30|  +30|+0030" },
	{ "%(levelno)x %(levelno)X %(levelno)o %(levelno)#x %(levelno)#o", NULL,
	    "1e 1E 36 0x1e 0o36" },
	{ "%(levelno)#08x|%(levelno).4d|%(levelno)6.4d", NULL,
	    "0x00001e|0030|  0030" },
	{ "%(levelno)f %(levelno).1f %(levelno)e %(levelno)g", NULL,
	    "30.000000 30.0 3.000000e+01 30" },
	{ "%(levelno)E %(levelno)G %(created)F", NULL,
	    "3.000000E+01 30 1795501800.123000" },
	{ "%(created)f %(created).3f %(created)s", NULL,
	    "1795501800.123000 1795501800.123 1795501800.123" },
	{ "%(created)d %(created)i %(created)u %(created)ld", NULL,
	    "1795501800 1795501800 1795501800 1795501800" },
	{ "%(msecs)03d %(msecs)s %(msecs)5.1f %(relativeCreated)d", NULL,
	    "123 123.0 123.0 2500" },
	{ "%(pathname)s %(filename)s %(module)s %(funcName)s:%(lineno)d", NULL,
	    "../daemon/runner_task.c runner_task.c runner_task "
	    "task_end:42" },
	{ "%(lineno)r %(lineno)4s|%(lineno)-4s|", NULL, "42   42|42  |" },
	{ "%(processName)s %(threadName)s", NULL, "MainProcess MainThread" },
	{ "%(taskName)s %()s %(nothing)-3s| %(LEVELNAME)5d", NULL,
	    "? ? ?  |     ?" },
	{ "%(message)d", NULL, MESSAGE },
	{ "%(funcName)r %(funcName)a %(funcName)12r", NULL,
	    "'task_end' 'task_end'   'task_end'" },
	/* Characters, not bytes. */
	{ "%(message)26s|", NULL, "   " MESSAGE "|" },
	{ "%(message)-26s|", NULL, MESSAGE "   |" },
	{ "%(message).21s|", NULL, "job=17 state=\"a b\" d\xc3\xb6|" },
	{ "%(message).0s|", NULL, "|" },
	{ "%(message)r", NULL, "'" MESSAGE "'" },
	{ "%(message).24r|", NULL, "'" MESSAGE "|" },
	{ "%(message)a", NULL, "'job=17 state=\"a b\" d\\xf6ne'" },
	{ "%(levelno)#.0f %(levelno)#e %(levelno)#g %(levelno)#.1G", NULL,
	    "30. 3.000000e+01 30.0000 3.E+01" },
	{ "two\nlines %(lineno)s", NULL, "two\nlines 42" },
};

static void
as_python_does(void **state)
{
	struct log_event ev = event();
	struct log_pattern *p;
	struct log_line l;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct error e = ERROR_INIT;
		int r =
		    log_pattern_new(&p, rows[i].format, rows[i].datefmt, &e);

		if (rows[i].want == NULL) {
			test_fails(r, &e, OVE_INVALID);
			continue;
		}
		test_ok(r, &e);
		l.len = 0;
		l.cut = false;
		log_pattern_render(p, &ev, &l);
		log_pattern_free(p);
		assert_int_equal(l.buf[l.len - 1], '\n');
		l.buf[l.len - 1] = '\0';
		if (strcmp(l.buf, rows[i].want) != 0)
			fail_msg("%s: '%s'",
			    rows[i].format != NULL ? rows[i].format : "none",
			    l.buf);
	}
}

static void
levels_have_python_s_names(void **state)
{
	static const char *const want[] = { "CRITICAL 50\n", "ERROR 40\n",
		"WARNING 30\n", "NOTICE 25\n", "INFO 20\n", "DEBUG 10\n" };
	AUTO(log_pattern) struct log_pattern *p = NULL;
	struct log_event ev = event();
	struct error e = ERROR_INIT;
	size_t i;

	(void)state;
	test_ok(log_pattern_new(&p, "%(levelname)s %(levelno)s", NULL, &e), &e);
	for (i = 0; i < LOG_LEVEL_COUNT; i++) {
		struct log_line l = { .len = 0 };

		ev.severity = (enum log_level)i;
		log_pattern_render(p, &ev, &l);
		assert_int_equal(l.len, strlen(want[i]));
		assert_memory_equal(l.buf, want[i], l.len);
	}
}

static void
our_process(void **state)
{
	AUTO(log_pattern) struct log_pattern *p = NULL;
	struct log_event ev = event();
	struct log_line l = { .len = 0 };
	struct error e = ERROR_INIT;
	char want[64];

	(void)state;
	test_ok(log_pattern_new(&p, "%(process)d %(thread)d", NULL, &e), &e);
	log_pattern_render(p, &ev, &l);
	(void)snprintf(
	    want, sizeof(want), "%d %d\n", (int)getpid(), (int)getpid());
	assert_memory_equal(l.buf, want, strlen(want));
}

static const struct {
	const char *format;
	const char *says;
} faults[] = {
	{ "%", "a '%' is not followed by '(name)' or another '%'" },
	{ "50% of %(name)s",
	    "a '%' is not followed by '(name)' or another "
	    "'%'" },
	{ "%s", "a '%' is not followed by '(name)' or another '%'" },
	{ "%(name", "'%(name' has no ')'" },
	{ "%(name)",
	    "'%(name)' is not followed by a letter such as 's' or "
	    "'d'" },
	{ "%(name)z",
	    "'%(name)' is not followed by a letter such as 's' or "
	    "'d'" },
	{ "%(name)*d",
	    "'%(name)' is not followed by a letter such as 's' or "
	    "'d'" },
	{ "%(name)1000s", "a width of 1000 is more than 999" },
	{ "%(name).99999999999999999999s",
	    "a width of 99999999999999999999 is more than 999" },
};

static void
what_is_no_form(void **state)
{
	struct log_pattern *p = NULL;
	char big[LOG_PATTERN_MAX + 2];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(faults); i++) {
		struct error e = ERROR_INIT;

		test_fails(log_pattern_new(&p, faults[i].format, NULL, &e), &e,
		    OVE_INVALID);
		assert_string_equal(e.text, faults[i].says);
		assert_null(p);
	}
	for (i = 0; i + 2 < sizeof(big); i += 2)
		memcpy(big + i, "%%", 3);
	struct error e = ERROR_INIT;

	test_fails(log_pattern_new(&p, big, NULL, &e), &e, OVE_LIMIT);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	test_fails(log_pattern_new(&p, big, NULL, &e), &e, OVE_INVALID);
	test_fails(log_pattern_new(&p, NULL, big, &e), &e, OVE_INVALID);
}

/* Whatever is too long, the line ends well. */
static void
long_lines_are_cut(void **state)
{
	static const char *const formats[] = { "%(message)s", "%(message)999s",
		"%(message)s%(message)s",
		"%(name)999s%(name)999s%(name)999s"
		"%(name)999s%(name)999s",
		"%(lineno)0999d%(lineno)-999d%(lineno)0999d%(created).900f"
		"%(lineno)0999d" };
	struct log_event ev = event();
	char big[3000];
	size_t i, k;

	(void)state;
	for (i = 0; i + 2 < sizeof(big); i += 2)
		memcpy(big + i, "\xc3\xb6", 3);
	ev.msg = big;
	for (i = 0; i < ARRAY_LEN(formats); i++) {
		struct log_pattern *p;
		struct log_line l = { .len = 0 };
		struct error e = ERROR_INIT;

		test_ok(log_pattern_new(&p, formats[i], NULL, &e), &e);
		log_pattern_render(p, &ev, &l);
		assert_true(l.len <= sizeof(l.buf));
		if (i >= 2)
			assert_memory_equal(l.buf + l.len - 4, "...\n", 4);
		for (k = 0; k + 1 < l.len; k++)
			assert_int_not_equal(l.buf[k], '\n');
		log_pattern_free(p);
	}
	/* A message that was cut before says so too. */
	ev = event();
	ev.cut = true;
	struct log_line l = { .len = 0 };
	struct log_pattern *p;
	struct error e = ERROR_INIT;

	test_ok(log_pattern_new(&p, NULL, NULL, &e), &e);
	log_pattern_render(p, &ev, &l);
	assert_memory_equal(l.buf + l.len - 4, "...\n", 4);
	log_pattern_free(p);
}

static int
torture_body(void *ctx, struct error *e)
{
	AUTO(log_pattern) struct log_pattern *p = NULL;

	return log_pattern_new(&p, ctx, "%H", e);
}

static void
allocations_fail(void **state)
{
	static char format[] = "%(name)s %(message)s %(lineno)s %(a)s %(b)s";

	(void)state;
	torture(torture_body, format);
}

static int
set_zone(void **state)
{
	(void)state;
	(void)setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(as_python_does, set_zone),
	cmocka_unit_test(levels_have_python_s_names),
	cmocka_unit_test(our_process),
	cmocka_unit_test(what_is_no_form),
	cmocka_unit_test(long_lines_are_cut),
	cmocka_unit_test(allocations_fail),
};
TEST_MAIN(tests)
