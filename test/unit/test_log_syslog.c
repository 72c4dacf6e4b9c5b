/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Messages to syslogd: over a socket of the file system and over UDP, when it
 * is not there, slow, or started again.
 */
#include "test/unit/support/test.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log_syslog.h"
#include "lib/base/utf8.h"
#include "test/unit/support/torture.h"

/* 2026-11-04 06:30:00.123 UTC */
#define WHEN 1793773800123
#define DEADLINE_MS 60000

static char path[300];
static char got[4096];

/* syslogd at DIR/log. */
static int
listen_unix(const struct test_dir *d)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(path, sizeof(path), "%s/log", d->path);
	(void)unlink(path);
	assert_true(strlen(path) < sizeof(un.sun_path));
	memcpy(un.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

static int
listen_udp(uint16_t *ret_port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*ret_port = ntohs(in.sin_port);
	return fd;
}

/* The next message; the process id is written as PID. */
static const char *
message(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char raw[4096], pid[32];
	const char *at;
	ssize_t n;

	assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
	n = recv(fd, raw, sizeof(raw) - 1, 0);
	assert_true(n > 0);
	raw[n] = '\0';
	(void)snprintf(pid, sizeof(pid), "[%d]: ", (int)getpid());
	at = strstr(raw, pid);
	assert_non_null(at);
	(void)snprintf(got, sizeof(got), "%.*s[PID]: %s", (int)(at - raw), raw,
	    at + strlen(pid));
	return got;
}

static bool
is_empty(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

static bool
say(struct log_syslog *s, enum log_level level, const char *text)
{
	return log_syslog_send(s, level, WHEN, text, strlen(text));
}

static struct log_syslog *
open_unix(void)
{
	const struct log_syslog_config c = { .path = path,
		.facility = LOG_FACILITY_DAEMON,
		.ident = "overlordd" };
	struct log_syslog *s = NULL;
	struct error e = ERROR_INIT;

	test_ok(log_syslog_new(&s, &c, NULL, &e), &e);
	return s;
}

static void
over_a_local_socket(void **state)
{
	/* 24 is daemon. */
	static const struct {
		enum log_level level;
		const char *want;
	} rows[] = {
		{ LOG_LEVEL_CRITICAL, "<26>" },
		{ LOG_LEVEL_ERROR, "<27>" },
		{ LOG_LEVEL_WARN, "<28>" },
		{ LOG_LEVEL_NOTICE, "<29>" },
		{ LOG_LEVEL_INFO, "<30>" },
		{ LOG_LEVEL_DEBUG, "<31>" },
	};
	AUTO_FD int fd = listen_unix(*state);
	AUTO(log_syslog) struct log_syslog *s = open_unix();
	struct error e = ERROR_INIT;
	size_t i;

	test_ok(log_syslog_check(s, &e), &e);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(say(s, rows[i].level, "hello"));
		(void)message(fd);
		assert_memory_equal(got, rows[i].want, 4);
		assert_string_equal(
		    got + 4, "Nov  4 06:30:00 overlordd[PID]: hello");
	}
}

static void
over_udp(void **state)
{
	struct log_syslog_config c = { .host = "localhost",
		.facility = log_facility_from_string("local0"),
		.ident = "overlordd" };
	AUTO_FD int fd = listen_udp(&c.port);
	AUTO(log_syslog) struct log_syslog *s = NULL;
	struct error e = ERROR_INIT;
	char host[256], want[400];

	(void)state;
	test_ok(log_syslog_new(&s, &c, NULL, &e), &e);
	assert_true(say(s, LOG_LEVEL_INFO, "hello"));
	assert_int_equal(gethostname(host, sizeof(host)), 0);
	host[strcspn(host, ".")] = '\0';
	(void)snprintf(want, sizeof(want),
	    "<134>Nov  4 06:30:00 %s overlordd[PID]: hello", host);
	assert_string_equal(message(fd), want);
}

static void
addresses(void **state)
{
	static const char *const bad[] = { "host.invalid", "127.0.0.1.5", "" };
	struct log_syslog_config c = { .port = 514, .ident = "t" };
	AUTO(log_syslog) struct log_syslog *first = NULL;
	struct log_syslog *s = NULL;
	char longer[200];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		struct error e = ERROR_INIT;

		c.host = bad[i];
		test_fails(log_syslog_new(&s, &c, NULL, &e), &e, OVE_INVALID);
		assert_non_null(strstr(e.text, bad[i]));
	}
	struct error e = ERROR_INIT;

	c.host = "::1";
	test_ok(log_syslog_new(&first, &c, NULL, &e), &e);
	/* A name that was looked up before is not looked up again. */
	c.host = "host.invalid";
	test_ok(log_syslog_new(&s, &c, first, &e), &e);
	s = log_syslog_free(s);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	c = (struct log_syslog_config){ .path = longer, .ident = "t" };
	test_fails(log_syslog_new(&s, &c, NULL, &e), &e, OVE_INVALID);
}

static void
names_of_facilities(void **state)
{
	(void)state;
	assert_int_equal(
	    log_facility_from_string("daemon"), LOG_FACILITY_DAEMON);
	assert_int_equal(log_facility_from_string("kern"), 0);
	assert_int_equal(log_facility_from_string("authpriv"), 10);
	assert_int_equal(log_facility_from_string("local7"), 23);
	assert_int_equal(log_facility_from_string("DAEMON"), -1);
	assert_int_equal(log_facility_from_string(""), -1);
}

static void
syslogd_comes_and_goes(void **state)
{
	struct test_dir *d = *state;
	AUTO(log_syslog) struct log_syslog *s = NULL;
	struct error e = ERROR_INIT;
	int fd;

	/* It starts after us, */
	(void)snprintf(path, sizeof(path), "%s/log", d->path);
	s = open_unix();
	test_fails(log_syslog_check(s, &e), &e, OVE_NOTFOUND);
	assert_non_null(strstr(e.text, path));
	assert_false(say(s, LOG_LEVEL_INFO, "1"));
	assert_false(say(s, LOG_LEVEL_INFO, "2"));
	fd = listen_unix(d);
	assert_true(say(s, LOG_LEVEL_INFO, "3"));
	assert_string_equal(message(fd),
	    "<28>Nov  4 06:30:00 overlordd[PID]: 2 messages were lost");
	assert_string_equal(
	    message(fd), "<30>Nov  4 06:30:00 overlordd[PID]: 3");
	/* is started again between two messages, */
	(void)close(fd);
	fd = listen_unix(d);
	assert_true(say(s, LOG_LEVEL_INFO, "4"));
	assert_string_equal(
	    message(fd), "<30>Nov  4 06:30:00 overlordd[PID]: 4");
	/* and is gone for a while. */
	(void)close(fd);
	assert_false(say(s, LOG_LEVEL_INFO, "5"));
	fd = listen_unix(d);
	assert_true(say(s, LOG_LEVEL_INFO, "6"));
	assert_non_null(strstr(message(fd), ": 1 messages were lost"));
	assert_non_null(strstr(message(fd), ": 6"));
	assert_true(is_empty(fd));
	(void)close(fd);
}

/* Nobody reads: messages are lost, and nothing waits. */
static void
a_slow_one_does_not_hold_us(void **state)
{
	AUTO_FD int fd = listen_unix(*state);
	AUTO(log_syslog) struct log_syslog *s = open_unix();
	char big[1500], want[64];
	size_t sent = 0, lost = 0, i;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (i = 0; i < 100000 && lost < 10; i++) {
		if (say(s, LOG_LEVEL_INFO, big))
			sent++;
		else
			lost++;
	}
	assert_int_equal(lost, 10);
	for (i = 0; i < sent; i++)
		(void)message(fd);
	assert_true(is_empty(fd));
	assert_true(say(s, LOG_LEVEL_INFO, "again"));
	(void)snprintf(want, sizeof(want), ": 10 messages were lost");
	assert_non_null(strstr(message(fd), want));
	assert_non_null(strstr(message(fd), ": again"));
}

static void
long_messages_are_cut(void **state)
{
	AUTO_FD int fd = listen_unix(*state);
	AUTO(log_syslog) struct log_syslog *s = open_unix();
	char big[4001];
	size_t i, len;

	for (i = 0; i + 2 < sizeof(big); i += 2)
		memcpy(big + i, "\xc3\xb6", 3);
	for (i = 0; i < 2; i++) {
		assert_true(say(s, LOG_LEVEL_INFO, big + (i == 0 ? 0 : 2)));
		big[2] = 'x';
		big[3] = 'y';
		len = strlen(message(fd));
		assert_true(len > 1900 && len < 2010);
		assert_string_equal(got + len - 3, "...");
		assert_true(utf8_is_valid(got, len));
	}
}

static int
torture_body(void *ctx, struct error *e)
{
	AUTO(log_syslog) struct log_syslog *s = NULL;

	return log_syslog_new(&s, ctx, NULL, e);
}

static void
allocations_fail(void **state)
{
	struct log_syslog_config c = { .path = "/nonexistent/log",
		.ident = "t" };

	(void)state;
	torture(torture_body, &c);
}

static int
set_up(void **state)
{
	(void)setenv("TZ", "UTC", 1);
	tzset();
	return test_dir_setup(state);
}

#define WITH_ZONE(f)                                                           \
  cmocka_unit_test_setup_teardown(f, set_up, test_dir_teardown)

static const struct CMUnitTest tests[] = {
	WITH_ZONE(over_a_local_socket),
	WITH_ZONE(over_udp),
	cmocka_unit_test(addresses),
	cmocka_unit_test(names_of_facilities),
	WITH_ZONE(syslogd_comes_and_goes),
	WITH_ZONE(a_slow_one_does_not_hold_us),
	WITH_ZONE(long_messages_are_cut),
	cmocka_unit_test(allocations_fail),
};
TEST_MAIN(tests)
