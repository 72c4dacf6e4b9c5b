/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The log: both renderers with hostile values, cutting, levels, the tree of
 * loggers, configuring it anew.
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
#include "test/unit/support/torture.h"

#define NOON 1795501800123
#define NOON_TEXT "2026-11-24T06:30:00.123Z"

static char log_path[512];

/* One file that gets all. */
static int
use_file(const char *path, enum log_format format, enum log_level level,
    struct error *e)
{
	const struct log_sink_config sink = { .kind = LOG_SINK_FILE,
		.level = LOG_LEVEL_DEBUG,
		.format = format,
		.path = path };
	const struct log_logger root = { .name = "", .level = level };
	const struct log_config c = { .sinks = &sink,
		.sinks_n = 1,
		.loggers = &root,
		.loggers_n = 1,
		.fallback = 1 };

	return log_configure(&c, NULL, e);
}

static void
start(const struct test_dir *d, enum log_format format)
{
	struct error e = ERROR_INIT;

	(void)snprintf(log_path, sizeof(log_path), "%s/log", d->path);
	clock_hand_set_wall(NOON);
	test_ok(use_file(log_path, format, LOG_LEVEL_INFO, &e), &e);
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

	struct log_site site = { .area = "a", .file = "f", .func = "g" };

	start(d, LOG_FORMAT_TEXT);
	assert_true(log_wants(&site, LOG_LEVEL_INFO));
	log_set_level(LOG_LEVEL_WARN);
	assert_true(log_wants(&site, LOG_LEVEL_ERROR));
	assert_true(log_wants(&site, LOG_LEVEL_WARN));
	assert_false(log_wants(&site, LOG_LEVEL_NOTICE));
	log_critical("a", NO_FIELDS, "0");
	log_error("a", NO_FIELDS, "1");
	log_warn("a", NO_FIELDS, "2");
	log_notice("a", NO_FIELDS, "3");
	log_info("a", NO_FIELDS, "4");
	log_debug("a", NO_FIELDS, "5");
	log_write(&site, LOG_LEVEL_DEBUG, NO_FIELDS, "6");
	log_close();
	assert_string_equal(test_dir_text(d, "log"),
	    NOON_TEXT " critical a 0\n" NOON_TEXT " error a 1\n" NOON_TEXT
		      " warn a 2\n");
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
	test_ok(log_level_from_string("critical", &level, &e), &e);
	assert_int_equal(level, LOG_LEVEL_CRITICAL);
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
	struct log_site site = { .area = "a" };
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
	test_fails(
	    use_file("/nonexistent/log", LOG_FORMAT_JSON, LOG_LEVEL_ERROR, &e),
	    &e, OVE_NOTFOUND);
	assert_true(log_wants(&site, LOG_LEVEL_INFO));
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

static void
what_is_lost_is_counted(void **state)
{
	struct test_dir *d = *state;
	uint64_t before = log_lost();

	start(d, LOG_FORMAT_TEXT);
	faultio_fail(FAULTIO_WRITE, 0, ENOSPC);
	log_info("a", NO_FIELDS, "lost");
	assert_true(faultio_clear());
	assert_int_equal(log_lost(), before + 1);
	/* The sink goes, its figure stays. */
	log_close();
	assert_int_equal(log_lost(), before + 1);
}

/* Loggers */

#define A 1
#define B 2
#define C 4

static const struct log_logger tree[] = {
	{ "", LOG_LEVEL_WARN, false, A },
	{ "o", LOG_LEVEL_INFO, false, B },
	{ "o.web", LOG_LEVEL_DEBUG, true, C },
	{ "o.web.log", LOG_LEVEL_INHERIT, false, 0 },
	{ "o.job", LOG_LEVEL_INHERIT, false, C },
	{ "o.mute", LOG_LEVEL_CRITICAL, true, 0 },
	{ "o.jo", LOG_LEVEL_DEBUG, true, 0 },
};

static const struct {
	/* Its logger is "o." and this. */
	const char *area;
	/* The least urgent that is written, and where to. */
	enum log_level level;
	const char *sinks;
} reach[] = {
	{ "x", LOG_LEVEL_INFO, "ab" },
	{ "x.y.z", LOG_LEVEL_INFO, "ab" },
	{ "web", LOG_LEVEL_DEBUG, "c" },
	{ "web.log", LOG_LEVEL_DEBUG, "c" },
	{ "web.logs", LOG_LEVEL_DEBUG, "c" },
	{ "website", LOG_LEVEL_INFO, "ab" },
	{ "job", LOG_LEVEL_INFO, "abc" },
	{ "jobs", LOG_LEVEL_INFO, "ab" },
	/* An alias, to a name that is not below "o". */
	{ "far", LOG_LEVEL_WARN, "a" },
	/* Nobody has it: the fallback. */
	{ "mute", LOG_LEVEL_CRITICAL, "d" },
};

static void
configure_tree(const struct test_dir *d)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	char paths[4][300];
	struct log_sink_config sinks[4];
	struct log_logger loggers[ARRAY_LEN(tree)];
	char prefix[] = "o.", far[] = "elsewhere.far";
	struct log_alias alias = { .area = "far", .logger = far };
	struct log_config c = { .sinks = sinks,
		.sinks_n = 4,
		.loggers = loggers,
		.loggers_n = ARRAY_LEN(tree),
		.aliases = &alias,
		.aliases_n = 1,
		.prefix = prefix,
		.fallback = 8 };
	struct error e = ERROR_INIT;
	size_t i;

	memcpy(loggers, tree, sizeof(tree));
	for (i = 0; i < 4; i++) {
		(void)snprintf(
		    paths[i], sizeof(paths[i]), "%s/%s", d->path, names[i]);
		sinks[i] = (struct log_sink_config){ .kind = LOG_SINK_FILE,
			.level = LOG_LEVEL_DEBUG,
			.path = paths[i] };
	}
	test_ok(log_configure(&c, NULL, &e), &e);
	/* It keeps nothing of this. */
	memset(paths, 'x', sizeof(paths));
	memset(loggers, 0, sizeof(loggers));
	memset(sinks, 0, sizeof(sinks));
	memset(prefix, 'x', 2);
	memset(far, 'x', 2);
}

static void
loggers_are_a_tree(void **state)
{
	struct test_dir *d = *state;
	char seen[8];
	size_t i, k;

	configure_tree(d);
	for (i = 0; i < ARRAY_LEN(reach); i++) {
		struct log_site site = { .area = reach[i].area };
		size_t n = 0;

		for (k = 0; k < 4; k++) {
			const char name[] = { "abcd"[k], '\0' };

			(void)unlinkat(d->fd, name, 0);
		}
		(void)log_reopen(NULL);
		log_write(&site, reach[i].level, NO_FIELDS, "here");
		log_write(&site, reach[i].level + 1, NO_FIELDS, "not");
		for (k = 0; k < 4; k++) {
			const char name[] = { "abcd"[k], '\0' };
			const char *text = test_dir_text(d, name);

			assert_null(strstr(text, "not"));
			if (strstr(text, "here") != NULL)
				seen[n++] = name[0];
		}
		seen[n] = '\0';
		if (strcmp(seen, reach[i].sinks) != 0)
			fail_msg("%s: '%s'", reach[i].area, seen);
	}
	log_close();
}

static void
sinks_of_a_name(void **state)
{
	const struct log_config c = { .loggers = tree,
		.loggers_n = ARRAY_LEN(tree) };

	(void)state;
	assert_int_equal(log_config_sinks(&c, ""), A);
	assert_int_equal(log_config_sinks(&c, "p.q"), A);
	assert_int_equal(log_config_sinks(&c, "o"), A | B);
	assert_int_equal(log_config_sinks(&c, "o.web.log"), C);
	assert_int_equal(log_config_sinks(&c, "o.job.x"), A | B | C);
	assert_int_equal(log_config_sinks(&c, "o.mute"), 0);
}

/* A sink has a threshold of its own, and a site that nobody hears is cheap. */
static void
sinks_have_levels(void **state)
{
	struct test_dir *d = *state;
	char path[300];
	struct log_sink_config sinks[] = {
		{ .kind = LOG_SINK_FILE,
		    .level = LOG_LEVEL_ERROR,
		    .path = path },
		{ .kind = LOG_SINK_NONE, .level = LOG_LEVEL_DEBUG },
	};
	const struct log_logger loggers[] = {
		{ "", LOG_LEVEL_DEBUG, false, A },
		{ "quiet", LOG_LEVEL_DEBUG, true, B },
	};
	const struct log_config c = {
		.sinks = sinks, .sinks_n = 2, .loggers = loggers, .loggers_n = 2
	};
	struct log_site loud = { .area = "x" }, quiet = { .area = "quiet" };
	struct error e = ERROR_INIT;

	(void)snprintf(path, sizeof(path), "%s/log", d->path);
	clock_hand_set_wall(NOON);
	test_ok(log_configure(&c, NULL, &e), &e);
	assert_true(log_wants(&loud, LOG_LEVEL_ERROR));
	assert_false(log_wants(&loud, LOG_LEVEL_WARN));
	assert_false(log_wants(&quiet, LOG_LEVEL_CRITICAL));
	log_error("x", NO_FIELDS, "1");
	log_warn("x", NO_FIELDS, "2");
	log_critical("quiet", NO_FIELDS, "3");
	assert_string_equal(test_dir_text(d, "log"), NOON_TEXT " error x 1\n");
	/* The same statement after another configuration. */
	log_close();
	assert_true(log_wants(&quiet, LOG_LEVEL_NOTICE));
	assert_false(log_wants(&quiet, LOG_LEVEL_INFO));
}

static void
bad_sinks_are_named(void **state)
{
	struct test_dir *d = *state;
	char path[300];
	struct log_sink_config sinks[] = {
		{ .kind = LOG_SINK_FILE, .path = path },
		{ .kind = LOG_SINK_FILE, .path = "/nonexistent/log" },
	};
	struct log_config c = { .sinks = sinks, .sinks_n = 2 };
	struct error e = ERROR_INIT;
	size_t bad = 7;

	(void)snprintf(path, sizeof(path), "%s/log", d->path);
	test_fails(log_configure(&c, &bad, &e), &e, OVE_NOTFOUND);
	assert_int_equal(bad, 1);
	c.sinks_n = LOG_SINKS_MAX + 1;
	test_fails(log_configure(&c, &bad, &e), &e, OVE_LIMIT);
	test_ok(log_check(&e), &e);
}

static int
torture_body(void *ctx, struct error *e)
{
	struct test_dir *d = ctx;
	const struct log_sink_config sinks[] = {
		{ .kind = LOG_SINK_NONE,
		    .format = LOG_FORMAT_PATTERN,
		    .pattern = "%(name)s",
		    .datefmt = "%H" },
		{ .kind = LOG_SINK_SYSLOG,
		    .syslog = { .path = d->path, .ident = "t" } },
	};
	const struct log_config c = { .sinks = sinks,
		.sinks_n = 2,
		.loggers = tree,
		.loggers_n = ARRAY_LEN(tree) };
	int r = log_configure(&c, NULL, e);

	log_close();
	return r;
}

static void
allocations_fail(void **state)
{
	torture(torture_body, *state);
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
	TEST_IN_DIR(what_is_lost_is_counted),
	TEST_IN_DIR(loggers_are_a_tree),
	cmocka_unit_test(sinks_of_a_name),
	TEST_IN_DIR(sinks_have_levels),
	TEST_IN_DIR(bad_sinks_are_named),
	TEST_IN_DIR(allocations_fail),
};
TEST_MAIN(tests)
