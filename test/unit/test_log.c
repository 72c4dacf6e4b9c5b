/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The log: both renderers with hostile values, cutting, levels, sinks.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "test/unit/support/clock_hand.h"
#include "test/unit/support/faultio.h"

#define NOON 1795501800123
#define NOON_TEXT "2026-11-24T06:30:00.123Z"

static char log_path[512];

static void
start(const struct test_dir *d, enum log_format format)
{
	struct log_config c = { .level = LOG_LEVEL_INFO, .format = format };
	struct error e = ERROR_INIT;

	(void)snprintf(log_path, sizeof(log_path), "%s/log", d->path);
	c.path = log_path;
	clock_hand_set_wall(NOON);
	test_ok(log_configure(&c, &e), &e);
}

static void
text_by_rule(void **state)
{
	struct test_dir *d = *state;
	const char *none = NULL;

	start(d, LOG_FORMAT_TEXT);
	log_info("area", NO_FIELDS, "message %d", 1);
	log_info("job",
	    FIELDS(LF_I("job", 17), LF_I("n", -5), LF_S("state", "a b")),
	    "done");
	log_info("x",
	    FIELDS(LF_S("plain", "a.b/c"), LF_S("empty", ""),
		LF_S("null", none), LF_S("quote", "a\"b\\"), LF_S("eq", "a=b"),
		LF_S("ctl", "a\nb\x1b"), LF_S("utf8", "\xc3\xa4"),
		LF_S("bad", "\xff")),
	    "evil\nline\x7f \xfe \"q\"");
	log_close();
	assert_string_equal(test_dir_text(d, "log"),
	    NOON_TEXT
	    " info area message 1\n" NOON_TEXT
	    " info job job=17 n=-5 state=\"a b\" done\n" NOON_TEXT
	    " info x plain=a.b/c empty=\"\" null=\"\" "
	    "quote=\"a\\\"b\\\\\" eq=\"a=b\" ctl=\"a\\x0ab\\x1b\" "
	    "utf8=\xc3\xa4 bad=\"\\xff\" evil\\x0aline\\x7f \\xfe \"q\"\n");
}

static void
json_by_rule(void **state)
{
	struct test_dir *d = *state;

	start(d, LOG_FORMAT_JSON);
	log_info("area", NO_FIELDS, "message");
	log_warn("x",
	    FIELDS(LF_I("n", 3), LF_S("quote", "a\"b\\"),
		LF_S("ctl", "a\nb\x1b"), LF_S("utf8", "\xc3\xa4"),
		LF_S("bad", "\xff\xe2\x82"), LF_S("c1", "\xc2\x9b")),
	    "a\tb");
	log_close();
	assert_string_equal(test_dir_text(d, "log"),
	    "{\"time\":\"" NOON_TEXT "\",\"level\":\"info\",\"area\":\"area\","
	    "\"msg\":\"message\"}\n"
	    "{\"time\":\"" NOON_TEXT "\",\"level\":\"warn\",\"area\":\"x\","
	    "\"msg\":\"a\\u0009b\",\"n\":3,\"quote\":\"a\\\"b\\\\\","
	    "\"ctl\":\"a\\u000ab\\u001b\",\"utf8\":\"\xc3\xa4\","
	    "\"bad\":\"\\ufffd\\ufffd\\ufffd\","
	    "\"c1\":\"\\ufffd\\ufffd\"}\n");
}

static void
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	assert_true(n >= m);
	assert_string_equal(text + n - m, end);
}

static void
long_lines_are_cut(void **state)
{
	struct test_dir *d = *state;
	char big[8000];
	const char *text;
	size_t i;

	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	start(d, LOG_FORMAT_TEXT);
	log_info("x", FIELDS(LF_S("k", "v")), "%s", big);
	text = test_dir_text(d, "log");
	assert_true(strlen(text) <= 4096);
	ends_with(text, "aaa...\n");
	assert_non_null(strstr(text, "k=v a"));

	start(d, LOG_FORMAT_TEXT);
	assert_int_equal(truncate(log_path, 0), 0);
	/* A field that does not fit is left out, and all after it. */
	log_info("x", FIELDS(LF_S("k", big), LF_S("later", "v")), "msg");
	assert_string_equal(test_dir_text(d, "log"), NOON_TEXT " info x ...\n");

	start(d, LOG_FORMAT_JSON);
	assert_int_equal(truncate(log_path, 0), 0);
	log_info("x", FIELDS(LF_S("k", big), LF_I("later", 1)), "msg");
	text = test_dir_text(d, "log");
	ends_with(text, "aaa\",\"cut\":true}\n");
	assert_null(strstr(text, "later"));
	/* Never within an escape or a character, wherever the cut falls. */
	for (i = 0; i < 16; i++) {
		memset(big, 'a', sizeof(big) - 1);
		memset(big + i, '\n', sizeof(big) - 1 - i);
		assert_int_equal(truncate(log_path, 0), 0);
		log_info("x", NO_FIELDS, "%s", big);
		ends_with(test_dir_text(d, "log"), "\\u000a\",\"cut\":true}\n");
	}
	log_close();
}

static void
levels_filter(void **state)
{
	struct test_dir *d = *state;

	start(d, LOG_FORMAT_TEXT);
	log_set_level(LOG_LEVEL_WARN);
	assert_true(log_enabled(LOG_LEVEL_ERROR));
	assert_true(log_enabled(LOG_LEVEL_WARN));
	assert_false(log_enabled(LOG_LEVEL_NOTICE));
	log_error("a", NO_FIELDS, "1");
	log_warn("a", NO_FIELDS, "2");
	log_notice("a", NO_FIELDS, "3");
	log_info("a", NO_FIELDS, "4");
	log_debug("a", NO_FIELDS, "5");
	log_write(LOG_LEVEL_DEBUG, "a", NO_FIELDS, "6");
	log_close();
	assert_string_equal(test_dir_text(d, "log"),
	    NOON_TEXT " error a 1\n" NOON_TEXT " warn a 2\n");
}

static void
level_names(void **state)
{
	struct error e = ERROR_INIT;
	enum log_level level;

	(void)state;
	test_ok(log_level_from_string("debug", &level, &e), &e);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	test_ok(log_level_from_string("error", &level, &e), &e);
	assert_int_equal(level, LOG_LEVEL_ERROR);
	test_fails(log_level_from_string("Error", &level, &e), &e, OVE_INVALID);
	test_fails(log_level_from_string("", &level, &e), &e, OVE_INVALID);
}

static void
works_before_configuration(void **state)
{
	struct test_dir *d = *state;
	int saved, fd;

	log_close();
	clock_hand_set_wall(NOON);
	saved = dup(STDERR_FILENO);
	fd = openat(d->fd, "err", O_WRONLY | O_CREAT | O_APPEND, 0600);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	log_notice("main", NO_FIELDS, "hello");
	log_info("main", NO_FIELDS, "not shown");
	log_close();
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(fd);
	(void)close(saved);
	assert_string_equal(
	    test_dir_text(d, "err"), NOON_TEXT " notice main hello\n");
}

static void
reopen_follows_the_name(void **state)
{
	struct test_dir *d = *state;
	struct log_config bad = { .path = "/nonexistent/log" };
	struct error e = ERROR_INIT;

	start(d, LOG_FORMAT_TEXT);
	log_info("a", NO_FIELDS, "1");
	assert_int_equal(renameat(d->fd, "log", d->fd, "log.0"), 0);
	log_info("a", NO_FIELDS, "2");
	test_ok(log_reopen(&e), &e);
	log_info("a", NO_FIELDS, "3");
	assert_string_equal(test_dir_text(d, "log.0"),
	    NOON_TEXT " info a 1\n" NOON_TEXT " info a 2\n");
	assert_string_equal(test_dir_text(d, "log"), NOON_TEXT " info a 3\n");
	/* What cannot be opened leaves the old sink and settings. */
	test_fails(log_configure(&bad, &e), &e, OVE_NOTFOUND);
	assert_true(log_enabled(LOG_LEVEL_INFO));
	assert_int_equal(renameat(d->fd, "log", d->fd, "log.1"), 0);
	assert_int_equal(mkdirat(d->fd, "log", 0700), 0);
	assert_int_equal(log_reopen(&e), -1);
	log_info("a", NO_FIELDS, "4");
	assert_string_equal(test_dir_text(d, "log.1"),
	    NOON_TEXT " info a 3\n" NOON_TEXT " info a 4\n");
	log_close();
	test_ok(log_reopen(&e), &e);
}

static void
failing_sink_is_silent(void **state)
{
	struct test_dir *d = *state;

	start(d, LOG_FORMAT_TEXT);
	faultio_fail(FAULTIO_WRITE, 0, ENOSPC);
	errno = EDOM;
	log_info("a", NO_FIELDS, "lost");
	assert_int_equal(errno, EDOM);
	assert_true(faultio_clear());
	faultio_fail(FAULTIO_WRITE, 0, EINTR);
	log_info("a", NO_FIELDS, "kept");
	assert_true(faultio_clear());
	log_close();
	assert_string_equal(
	    test_dir_text(d, "log"), NOON_TEXT " info a kept\n");
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(text_by_rule),
	TEST_IN_DIR(json_by_rule),
	TEST_IN_DIR(long_lines_are_cut),
	TEST_IN_DIR(levels_filter),
	cmocka_unit_test(level_names),
	TEST_IN_DIR(works_before_configuration),
	TEST_IN_DIR(reopen_follows_the_name),
	TEST_IN_DIR(failing_sink_is_silent),
};
TEST_MAIN(tests)
