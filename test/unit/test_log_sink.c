/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Sinks: files that are emptied, followed and turned over, pipes that are full,
 * what each form writes.
 */
#include "test/unit/support/test.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log_sink.h"
#include "test/unit/support/torture.h"

static char path[300];

static struct log_event
event(const char *msg)
{
	return (struct log_event){
		.severity = LOG_LEVEL_INFO,
		.level = "info",
		.area = "a",
		.prefix = "",
		.name = "a",
		.file = "f.c",
		.func = "f",
		.msg = msg,
	};
}

static void
say(struct log_sink *s, const char *msg)
{
	struct log_event ev = event(msg);

	log_sink_write(s, &ev);
}

/* A file that holds messages alone. */
static struct log_sink_config
config_of(const struct test_dir *d)
{
	(void)snprintf(path, sizeof(path), "%s/log", d->path);
	return (struct log_sink_config){ .kind = LOG_SINK_FILE,
		.level = LOG_LEVEL_DEBUG,
		.format = LOG_FORMAT_PATTERN,
		.path = path };
}

static void
open_sink(struct log_sink *s, const struct log_sink_config *c)
{
	struct error e = ERROR_INIT;

	test_ok(log_sink_init(s, c, NULL, 0, &e), &e);
}

static void
forms(void **state)
{
	static const struct {
		enum log_format format;
		const char *pattern;
		const char *want;
	} rows[] = {
		{ LOG_FORMAT_TEXT, NULL,
		    "1970-01-01T00:00:00.000Z info a hello\n" },
		{ LOG_FORMAT_JSON, NULL,
		    "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\","
		    "\"area\":\"a\",\"msg\":\"hello\"}\n" },
		{ LOG_FORMAT_PATTERN, NULL, "hello\n" },
		{ LOG_FORMAT_PATTERN, "%(levelname)s %(message)s",
		    "INFO hello\n" },
	};
	struct test_dir *d = *state;
	struct log_sink_config c = config_of(d);
	struct log_sink s;
	size_t i;

	c.truncate = true;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		c.format = rows[i].format;
		c.pattern = rows[i].pattern;
		open_sink(&s, &c);
		say(&s, "hello");
		log_sink_fini(&s);
		assert_string_equal(test_dir_text(d, "log"), rows[i].want);
	}
}

static void
opening(void **state)
{
	struct test_dir *d = *state;
	struct log_sink_config c = config_of(d);
	struct log_sink s, second;
	struct error e = ERROR_INIT;
	struct stat st;

	test_dir_put(d, "log", "old\n");
	open_sink(&s, &c);
	say(&s, "1");
	assert_int_equal(fcntl(s.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_string_equal(test_dir_text(d, "log"), "old\n1\n");
	/* Emptied once, not by a configuration that follows, */
	c.truncate = true;
	test_ok(log_sink_init(&second, &c, &s, 1, &e), &e);
	assert_string_equal(test_dir_text(d, "log"), "old\n1\n");
	log_sink_fini(&s);
	/* nor when it is opened again. */
	test_ok(log_sink_reopen(&second, &e), &e);
	assert_string_equal(test_dir_text(d, "log"), "old\n1\n");
	log_sink_fini(&second);
	open_sink(&s, &c);
	assert_string_equal(test_dir_text(d, "log"), "");
	log_sink_fini(&s);
	/* Not for all eyes. */
	assert_int_equal(unlink(path), 0);
	open_sink(&s, &c);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0137, 0);
	log_sink_fini(&s);
	c.path = d->path;
	test_fails(log_sink_init(&s, &c, NULL, 0, &e), &e, OVE_IO);
	c.path = path;
	c.pattern = "%";
	test_fails(log_sink_init(&s, &c, NULL, 0, &e), &e, OVE_INVALID);
}

static void
watched_file(void **state)
{
	struct test_dir *d = *state;
	struct log_sink_config c = config_of(d);
	struct log_sink s;

	c.watch = true;
	open_sink(&s, &c);
	say(&s, "1");
	assert_int_equal(renameat(d->fd, "log", d->fd, "log.0"), 0);
	say(&s, "2");
	assert_string_equal(test_dir_text(d, "log.0"), "1\n");
	assert_string_equal(test_dir_text(d, "log"), "2\n");
	/* Replaced by another one. */
	assert_int_equal(renameat(d->fd, "log.0", d->fd, "log"), 0);
	say(&s, "3");
	assert_string_equal(test_dir_text(d, "log"), "1\n3\n");
	assert_int_equal(unlinkat(d->fd, "log", 0), 0);
	say(&s, "4");
	assert_string_equal(test_dir_text(d, "log"), "4\n");
	/* What cannot be opened leaves the one that is. */
	assert_int_equal(renameat(d->fd, "log", d->fd, "log.0"), 0);
	assert_int_equal(mkdirat(d->fd, "log", 0700), 0);
	say(&s, "5");
	assert_string_equal(test_dir_text(d, "log.0"), "4\n5\n");
	assert_int_equal(s.lost, 0);
	log_sink_fini(&s);
}

static void
rotating_file(void **state)
{
	struct test_dir *d = *state;
	struct log_sink_config c = config_of(d);
	struct log_sink s;

	/* Two lines are less, three are as many. */
	c.max_bytes = 12;
	c.backups = 2;
	open_sink(&s, &c);
	say(&s, "aaa");
	say(&s, "bbb");
	assert_string_equal(test_dir_text(d, "log"), "aaa\nbbb\n");
	say(&s, "ccc");
	assert_string_equal(test_dir_text(d, "log"), "ccc\n");
	assert_string_equal(test_dir_text(d, "log.1"), "aaa\nbbb\n");
	/* One that is too long stands alone. */
	say(&s, "ddddddddddddddd");
	assert_string_equal(test_dir_text(d, "log"), "ddddddddddddddd\n");
	say(&s, "eee");
	assert_string_equal(test_dir_text(d, "log"), "eee\n");
	assert_string_equal(test_dir_text(d, "log.1"), "ddddddddddddddd\n");
	assert_string_equal(test_dir_text(d, "log.2"), "ccc\n");
	/* A gap is no obstacle, and there are never more. */
	assert_int_equal(unlinkat(d->fd, "log.1", 0), 0);
	say(&s, "fffffffffff");
	assert_string_equal(test_dir_text(d, "log.1"), "eee\n");
	assert_string_equal(test_dir_text(d, "log.2"), "ccc\n");
	assert_int_equal(test_dir_count(d), 3);
	log_sink_fini(&s);
	/* What was there counts. */
	open_sink(&s, &c);
	say(&s, "ggg");
	assert_string_equal(test_dir_text(d, "log"), "ggg\n");
	assert_string_equal(test_dir_text(d, "log.1"), "fffffffffff\n");
	log_sink_fini(&s);
}

static void
no_rotation_without_both(void **state)
{
	struct test_dir *d = *state;
	struct log_sink_config c = config_of(d);
	struct log_sink s;
	size_t i;

	for (i = 0; i < 2; i++) {
		c.max_bytes = i == 0 ? 5 : 0;
		c.backups = i == 0 ? 0 : 3;
		open_sink(&s, &c);
		say(&s, "aaa");
		say(&s, "bbb");
		log_sink_fini(&s);
	}
	assert_string_equal(test_dir_text(d, "log"), "aaa\nbbb\naaa\nbbb\n");
	assert_int_equal(test_dir_count(d), 1);
}

/* What nobody reads is lost, and nothing waits. */
static void
full_pipe(void **state)
{
	struct log_sink_config c = { .kind = LOG_SINK_STREAM,
		.level = LOG_LEVEL_DEBUG,
		.format = LOG_FORMAT_PATTERN };
	char big[2000], buf[8192];
	struct log_sink s;
	size_t i;
	int fds[2];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(pipe(fds), 0);
	c.fd = fds[1];
	open_sink(&s, &c);
	for (i = 0; i < 100000 && s.lost < 3; i++)
		say(&s, big);
	assert_int_equal(s.lost, 3);
	/* Its mode is as it was, for whoever shares it. */
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	while (read(fds[0], buf, sizeof(buf)) > 0)
		continue;
	say(&s, "again");
	assert_int_equal(read(fds[0], buf, sizeof(buf)), 6);
	assert_memory_equal(buf, "again\n", 6);
	assert_int_equal(s.lost, 3);
	log_sink_fini(&s);
	/* It is not ours to close. */
	assert_int_equal(fcntl(fds[1], F_GETFD) >= 0, 1);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
named_pipe(void **state)
{
	struct test_dir *d = *state;
	struct log_sink_config c = config_of(d);
	struct log_sink s;
	struct error e = ERROR_INIT;
	char buf[16];
	int fd;

	assert_int_equal(mkfifoat(d->fd, "log", 0600), 0);
	/* Opening does not wait for a reader. */
	assert_int_equal(log_sink_init(&s, &c, NULL, 0, &e), -1);
	assert_int_equal(e.sys, ENXIO);
	fd = openat(d->fd, "log", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	open_sink(&s, &c);
	c.max_bytes = 1;
	c.backups = 1;
	s.c = c;
	say(&s, "1");
	assert_int_equal(read(fd, buf, sizeof(buf)), 2);
	/* Only files are turned over. */
	assert_int_equal(test_dir_count(d), 1);
	(void)close(fd);
	log_sink_fini(&s);
}

static void
nowhere(void **state)
{
	const struct log_sink_config c = { .kind = LOG_SINK_NONE };
	struct error e = ERROR_INIT;
	struct log_sink s;

	(void)state;
	open_sink(&s, &c);
	say(&s, "1");
	test_ok(log_sink_reopen(&s, &e), &e);
	test_ok(log_sink_check(&s, &e), &e);
	assert_int_equal(s.lost, 0);
	log_sink_fini(&s);
}

static void
syslogd_is_missing(void **state)
{
	struct test_dir *d = *state;
	struct log_sink_config c = { .kind = LOG_SINK_SYSLOG,
		.syslog = { .path = path, .ident = "t" } };
	struct error e = ERROR_INIT;
	struct log_sink s;

	(void)snprintf(path, sizeof(path), "%s/log", d->path);
	open_sink(&s, &c);
	test_fails(log_sink_check(&s, &e), &e, OVE_NOTFOUND);
	say(&s, "1");
	assert_int_equal(s.lost, 1);
	log_sink_fini(&s);
}

/* A reload does not hide what was lost before it. */
static void
losses_outlive_a_sink(void **state)
{
	struct test_dir *d = *state;
	struct log_sink_config c = { .kind = LOG_SINK_SYSLOG,
		.level = LOG_LEVEL_DEBUG,
		.syslog = { .path = path, .ident = "t" } };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct log_sink s[2];
	struct error e = ERROR_INIT;
	char buf[512];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/log", d->path);
	open_sink(&s[0], &c);
	say(&s[0], "1");
	test_ok(log_sink_init(&s[1], &c, s, 1, &e), &e);
	log_sink_fini(&s[0]);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	memcpy(un.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	say(&s[1], "2");
	n = recv(fd, buf, sizeof(buf) - 1, 0);
	assert_true(n > 0);
	buf[n] = '\0';
	assert_non_null(strstr(buf, ": 1 messages were lost"));
	(void)close(fd);
	log_sink_fini(&s[1]);
}

static int
torture_body(void *ctx, struct error *e)
{
	struct log_sink_config c = config_of(ctx);
	struct log_sink s;

	if (log_sink_init(&s, &c, NULL, 0, e) < 0)
		return -1;
	log_sink_fini(&s);
	return 0;
}

static void
allocations_fail(void **state)
{
	torture(torture_body, *state);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(forms),
	TEST_IN_DIR(opening),
	TEST_IN_DIR(watched_file),
	TEST_IN_DIR(rotating_file),
	TEST_IN_DIR(no_rotation_without_both),
	cmocka_unit_test(full_pipe),
	TEST_IN_DIR(named_pipe),
	cmocka_unit_test(nowhere),
	TEST_IN_DIR(syslogd_is_missing),
	TEST_IN_DIR(losses_outlive_a_sink),
	TEST_IN_DIR(allocations_fail),
};
TEST_MAIN(tests)
