/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Processes on Linux: prctl(2), /proc and pidfds.
 *
 * A process is told from a later one with the same pid by its start time in
 * clock ticks since boot (field 22 of /proc/PID/stat).  Where a signal or a
 * watch follows, a pidfd is opened first and the start time compared after: the
 * descriptor keeps the process from being mistaken, so there is no gap.
 *
 * A zombie counts as gone.  It does nothing any more, and an orphan's new
 * parent may take its time to collect it (a container's first process may
 * never do so).
 */

#include "lib/event/reap.h"

#include <sys/pidfd.h>
#include <sys/prctl.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/num.h"

/* Fields of /proc/PID/stat after the name, which is in parentheses. */
enum {
	STAT_STATE = 0,
	STAT_SESSION = 3,
	STAT_START = 19,
	STAT_N
};

struct stat_line {
	char state;
	pid_t session;
	uint64_t start;
};

int
reap_acquire(struct error *e)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL) == -1)
		return error_set_errno(e, errno, "become a reaper");
	return 0;
}

int
reap_pdeathsig(void)
{
	if (prctl(PR_SET_PDEATHSIG, (unsigned long)SIGTERM, 0UL, 0UL, 0UL) ==
	    -1)
		return errno;
	return 0;
}

/* A small file of /proc or /sys: its length, or -1 with errno. */
static ssize_t
read_small(const char *path, char *buf, size_t cap)
{
	int fd AUTO_FD = -1;
	ssize_t n;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	n = read(fd, buf, cap - 1);
	if (n >= 0)
		buf[n] = '\0';
	return n;
}

/* 0, REAP_GONE or -1. */
static int
parse_stat(char *line, struct stat_line *ret, struct error *e)
{
	char *field[STAT_N], *p, *word;
	uint64_t session;
	size_t i;

	/* The name may hold blanks and parentheses itself. */
	p = strrchr(line, ')');
	if (p == NULL)
		return error_set(
		    e, OVE_CORRUPT, "process status without a name");
	p++;
	for (i = 0; i < STAT_N; i++) {
		word = p + strspn(p, " ");
		p = word + strcspn(word, " \n");
		if (p == word)
			return error_set(
			    e, OVE_CORRUPT, "process status cut short");
		if (*p != '\0')
			*p++ = '\0';
		field[i] = word;
	}
	ret->state = field[STAT_STATE][0];
	/* First, since of one that is being reaped the kernel knows no more:
	 * its session is -1. */
	if (ret->state == 'Z' || ret->state == 'X' || ret->state == 'x')
		return REAP_GONE;
	if (num_u64(field[STAT_SESSION], 0, INT32_MAX, &session, e) == -1 ||
	    num_u64(field[STAT_START], 0, UINT64_MAX, &ret->start, e) == -1)
		return -1;
	ret->session = (pid_t)session;
	return 0;
}

/* 0, REAP_GONE or -1. */
static int
read_stat(pid_t pid, struct stat_line *ret, struct error *e)
{
	char path[64], line[1024];
	ssize_t n;
	int rc;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	n = read_small(path, line, sizeof(line));
	if (n == -1) {
		if (errno == ENOENT || errno == ESRCH)
			return REAP_GONE;
		return error_set_errno(e, errno, "read %s", path);
	}
	rc = parse_stat(line, ret, e);
	return rc == -1 ? error_wrap(e, "read %s", path) : rc;
}

int
reap_start_time(pid_t pid, uint64_t *ret, struct error *e)
{
	struct stat_line st;
	int rc;

	rc = read_stat(pid, &st, e);
	if (rc == 0)
		*ret = st.start;
	return rc;
}

/* A pidfd of pid if it started at start: 0, REAP_GONE or -1. */
static int
open_pid(pid_t pid, uint64_t start, int *ret_fd, struct error *e)
{
	int fd AUTO_FD = -1;
	struct stat_line st;
	int rc;

	if (pid <= 0)
		return REAP_GONE;
	fd = pidfd_open(pid, 0);
	if (fd == -1) {
		if (errno == ESRCH)
			return REAP_GONE;
		return error_set_errno(e, errno, "open process %ld", (long)pid);
	}
	rc = read_stat(pid, &st, e);
	if (rc != 0)
		return rc;
	if (st.start != start)
		return REAP_GONE;
	*ret_fd = steal_fd(&fd);
	return 0;
}

int
reap_signal(pid_t pid, uint64_t start, int signo, struct error *e)
{
	int fd AUTO_FD = -1;
	int rc;

	rc = open_pid(pid, start, &fd, e);
	if (rc != 0)
		return rc;
	if (pidfd_send_signal(fd, signo, NULL, 0) == -1) {
		if (errno == ESRCH)
			return REAP_GONE;
		return error_set_errno(
		    e, errno, "signal process %ld", (long)pid);
	}
	return 0;
}

int
reap_name(pid_t pid, char buf[REAP_NAME_LEN], struct error *e)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	if (read_small(path, buf, REAP_NAME_LEN) == -1) {
		if (errno == ENOENT || errno == ESRCH)
			return REAP_GONE;
		return error_set_errno(e, errno, "read %s", path);
	}
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

int
reap_boot_id(char buf[REAP_BOOT_ID_LEN], struct error *e)
{
	const char *path = "/proc/sys/kernel/random/boot_id";
	ssize_t n;

	n = read_small(path, buf, REAP_BOOT_ID_LEN);
	if (n == -1)
		return error_set_errno(e, errno, "read %s", path);
	buf[strcspn(buf, "\n")] = '\0';
	if (buf[0] == '\0')
		return error_set(e, OVE_CORRUPT, "%s is empty", path);
	return 0;
}

int
reap_kill_session(
    pid_t sid, pid_t except, int signo, unsigned *ret_n, struct error *e)
{
	struct stat_line st;
	struct dirent *de;
	uint64_t pid;
	unsigned n;
	DIR *dir;

	dir = opendir("/proc");
	if (dir == NULL)
		return error_set_errno(e, errno, "open /proc");
	n = 0;
	while ((de = readdir(dir)) != NULL) {
		if (num_u64(de->d_name, 1, INT32_MAX, &pid, NULL) == -1 ||
		    (pid_t)pid == except)
			continue;
		/* What cannot be read is not of our session. */
		if (read_stat((pid_t)pid, &st, NULL) != 0 || st.session != sid)
			continue;
		if (kill((pid_t)pid, signo) == 0)
			n++;
	}
	closedir(dir);
	*ret_n = n;
	return 0;
}

int
reap_watch(pid_t pid, uint64_t start, int *ret_fd, struct error *e)
{
	return open_pid(pid, start, ret_fd, e);
}
