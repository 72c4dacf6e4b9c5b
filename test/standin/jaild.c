/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * standin-jaild JAIL ROOT [PORT]: what lives in a started stand-in jail.
 *
 * `appjail start` runs it.  As a daemon in a real jail does, it goes to its own
 * session and forks twice, so that it is nobody's child any more, and keeps
 * standard input, output and error as they were; it holds no other descriptor.
 * The command returns 0 once ROOT/jails/JAIL/jaild.pid names the process that
 * stays, and non-zero with a message if that could not be done.
 *
 * It ends on TERM (`appjail stop`), taking its pid file with it.  So that no
 * test leaves strays, it also ends by itself, within a second, when ROOT is no
 * longer the directory it started in or when its pid file has gone.
 *
 * With PORT it serves what may be a small web site: whatever is asked there,
 * the answer is "JAIL ROOT".
 */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EX_USAGE 64
#define EX_OSERR 71
#define POLL_S 1
#define BACKLOG 64

static volatile sig_atomic_t ended;

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "standin-jaild: %s: %s\n", what, strerror(errno));
	_exit(EX_OSERR);
}

/* Written beside and renamed, so that a reader never sees half a number. */
static void
write_pid(const char *path)
{
	char temp[PATH_MAX], text[32];
	ssize_t n;
	int fd;

	n = snprintf(temp, sizeof(temp), "%s.%ld", path, (long)getpid());
	if (n < 0 || (size_t)n >= sizeof(temp)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd == -1)
		die(temp);
	n = snprintf(text, sizeof(text), "%ld", (long)getpid());
	if (write(fd, text, (size_t)n) != n || close(fd) == -1 ||
	    rename(temp, path) == -1)
		die(temp);
}

static bool
gone(const char *root, const struct stat *was, const char *pidfile)
{
	struct stat now;

	if (stat(root, &now) == -1)
		return (true);
	if (now.st_dev != was->st_dev || now.st_ino != was->st_ino)
		return (true);
	return (stat(pidfile, &now) == -1);
}

static void
on_term(int sig)
{
	(void)sig;
	ended = 1;
}

/* At all addresses. */
static int
listen_at(const char *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	const int on = 1;
	unsigned number = 0;
	int fd;

	for (; *port >= '0' && *port <= '9' && number < 65536; port++)
		number = number * 10 + (unsigned)(*port - '0');
	sin.sin_port = htons((in_port_t)number);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, BACKLOG) == -1 || fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		die("serve");
	return (fd);
}

/* One request, which is not looked at, with a second to come and to go. */
static void
serve(int listener, const char *text)
{
	const struct timeval second = { .tv_sec = 1 };
	char in[4096], out[PATH_MAX + 256];
	const int fd = accept(listener, NULL, NULL);
	int n;

	if (fd == -1)
		return;
	(void)fcntl(fd, F_SETFL, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
	if (recv(fd, in, sizeof(in), 0) > 0) {
		n = snprintf(out, sizeof(out),
		    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
		    "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		    strlen(text), text);
		if (n > 0 && (size_t)n < sizeof(out))
			(void)send(fd, out, (size_t)n, MSG_NOSIGNAL);
	}
	close(fd);
}

static _Noreturn void
live(const char *jail, const char *root, const struct stat *was,
    const char *pidfile, int listener)
{
	const struct timespec tick = { .tv_sec = POLL_S };
	struct pollfd p = { .fd = listener, .events = POLLIN };
	const struct sigaction act = { .sa_handler = on_term };
	char text[PATH_MAX + NAME_MAX + 2];
	sigset_t but_term;

	snprintf(text, sizeof(text), "%s %s\n", jail, root);
	sigaction(SIGTERM, &act, NULL);
	sigfillset(&but_term);
	sigdelset(&but_term, SIGTERM);
	while (!ended) {
		if (ppoll(&p, 1, &tick, &but_term) > 0)
			serve(listener, text);
		if (gone(root, was, pidfile))
			_exit(0);
	}
	unlink(pidfile);
	_exit(0);
}

/* Reads one byte: the last process says so when its pid is on disk. */
static int
await_ready(int fd, pid_t child)
{
	char byte;
	ssize_t n;
	int status;

	do {
		n = read(fd, &byte, 1);
	} while (n == -1 && errno == EINTR);
	while (waitpid(child, &status, 0) == -1 && errno == EINTR)
		continue;
	return (n == 1 ? 0 : EX_OSERR);
}

static pid_t
fork_or_die(void)
{
	const pid_t pid = fork();

	if (pid == -1)
		die("fork");
	return (pid);
}

int
main(int argc, char **argv)
{
	char pidfile[PATH_MAX];
	struct stat root_stat;
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t all;
	pid_t pid;
	int n, ready[2], listener;

	if (argc != 3 && argc != 4) {
		fprintf(stderr, "usage: standin-jaild JAIL ROOT [PORT]\n");
		return (EX_USAGE);
	}
	n = snprintf(pidfile, sizeof(pidfile), "%s/jails/%s/jaild.pid", argv[2],
	    argv[1]);
	if (n < 0 || (size_t)n >= sizeof(pidfile)) {
		errno = ENAMETOOLONG;
		die(argv[2]);
	}
	closefrom(3);
	if (stat(argv[2], &root_stat) == -1)
		die(argv[2]);
	listener = argc == 4 ? listen_at(argv[3]) : -1;
	if (pipe(ready) == -1)
		die("pipe");
	/* TERM and KILL end it, nothing else; an ignored TERM would be lost. */
	sigaction(SIGTERM, &dfl, NULL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);

	pid = fork_or_die();
	if (pid > 0) {
		close(ready[1]);
		return (await_ready(ready[0], pid));
	}
	if (setsid() == -1)
		die("setsid");
	if (fork_or_die() > 0)
		_exit(0);
	if (chdir("/") == -1)
		die("chdir");
	write_pid(pidfile);
	if (write(ready[1], "", 1) != 1)
		die("pipe");
	close(ready[0]);
	close(ready[1]);
	live(argv[1], argv[2], &root_stat, pidfile, listener);
}
