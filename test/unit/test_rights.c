/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A descriptor still does what it is for, and on FreeBSD nothing else.
 */
#include "test/unit/support/test.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/rights.h"

static void
limit(int fd, enum rights what)
{
	struct error e = ERROR_INIT;

	test_ok(rights_limit(fd, what, &e), &e);
}

/* What must not be possible any more, where the system can see to that. */
static void
denied(int rc)
{
	struct utsname u;

	if (uname(&u) != 0 || strcmp(u.sysname, "FreeBSD") != 0)
		return;
	assert_int_equal(rc, -1);
#ifdef ENOTCAPABLE
	assert_int_equal(errno, ENOTCAPABLE);
#endif
}

static bool
is_ready(int fd, short what)
{
	struct pollfd p = { .fd = fd, .events = what };

	return poll(&p, 1, 10000) == 1 && (p.revents & what) != 0;
}

static void
pipes_read_and_write(void **state)
{
	int fds[2];
	char c = 'x';

	(void)state;
	assert_int_equal(pipe(fds), 0);
	limit(fds[0], RIGHTS_READ);
	limit(fds[1], RIGHTS_WRITE);
	assert_true(is_ready(fds[1], POLLOUT));
	assert_int_equal(write(fds[1], &c, 1), 1);
	assert_true(is_ready(fds[0], POLLIN));
	assert_int_equal(read(fds[0], &c, 1), 1);
	denied(fchmod(fds[0], 0600));
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
sockets_accept_and_talk(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int l = socket(AF_INET, SOCK_STREAM, 0), c, s, on = 1, n = 0;
	socklen_t len = sizeof(at);
	char text[8];

	(void)state;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(l, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(l, 5), 0);
	limit(l, RIGHTS_LISTEN);
	assert_int_equal(getsockname(l, (struct sockaddr *)&at, &len), 0);
	c = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(c, (struct sockaddr *)&at, len), 0);
	assert_true(is_ready(l, POLLIN));
	s = accept(l, NULL, NULL);
	assert_true(s >= 0);
	/* All that a connection is used for. */
	assert_int_equal(write(c, "abc", 3), 3);
	assert_true(is_ready(s, POLLIN));
	assert_int_equal(ioctl(s, FIONREAD, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(read(s, text, sizeof(text)), 3);
	assert_int_equal(send(s, "d", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(
	    setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)), 0);
	assert_true(fcntl(s, F_SETFL, O_NONBLOCK) == 0);
	assert_int_equal(shutdown(s, SHUT_WR), 0);
	denied(listen(l, 5));
	(void)close(s);
	(void)close(c);
	(void)close(l);
}

static void
logs_grow(void **state)
{
	const struct test_dir *d = *state;
	int fd = openat(d->fd, "log", O_RDWR | O_CREAT | O_APPEND, 0600);
	struct stat st;
	char c;

	limit(fd, RIGHTS_APPEND);
	assert_int_equal(write(fd, "one\n", 4), 4);
	assert_int_equal(write(fd, "two\n", 4), 4);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 8);
	denied((int)read(fd, &c, 1));
	denied(ftruncate(fd, 0));
	(void)close(fd);
	assert_true(faccessat(d->fd, "log", F_OK, 0) == 0);
}

static void
what_is_held_is_held(void **state)
{
	const struct test_dir *d = *state;
	struct stat st;
	int fd = openat(d->fd, "lock", O_RDWR | O_CREAT, 0600);
	int dir = openat(d->fd, ".", O_RDONLY | O_DIRECTORY);

	limit(fd, RIGHTS_HOLD);
	limit(dir, RIGHTS_WATCH);
	assert_int_equal(fstat(dir, &st), 0);
	denied((int)write(fd, "x", 1));
	denied(openat(dir, "lock", O_RDONLY));
	(void)close(fd);
	(void)close(dir);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(pipes_read_and_write),
	cmocka_unit_test(sockets_accept_and_talk),
	TEST_IN_DIR(logs_grow),
	TEST_IN_DIR(what_is_held_is_held),
};
TEST_MAIN(tests)
