/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Processes on FreeBSD: procctl(2), kern.proc and EVFILT_PROC.
 *
 * A process is told from a later one with the same pid by its start time.  The
 * kernel stores it relative to boot and hands it out with the boot time added,
 * which moves when the clock is stepped; so the boot time is taken off again.
 *
 * A zombie counts as gone, as on Linux.
 */

#include "lib/event/reap.h"

#include <sys/event.h>
#include <sys/procctl.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/mem.h"

int
reap_acquire(struct error *e)
{
	/* EBUSY: it is the reaper already. */
	if (procctl(P_PID, getpid(), PROC_REAP_ACQUIRE, NULL) == -1 &&
	    errno != EBUSY)
		return error_set_errno(e, errno, "become a reaper");
	return 0;
}

int
reap_pdeathsig(void)
{
	int signo = SIGTERM;

	if (procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &signo) == -1)
		return errno;
	return 0;
}

static int
boot_time(struct timeval *ret, struct error *e)
{
	int mib[2] = { CTL_KERN, KERN_BOOTTIME };
	size_t len = sizeof(*ret);

	if (sysctl(mib, 2, ret, &len, NULL, 0) == -1 || len != sizeof(*ret))
		return error_set_errno(e, errno, "read kern.boottime");
	return 0;
}

int
reap_start_time(pid_t pid, uint64_t *ret, struct error *e)
{
	int mib[4] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)pid };
	struct kinfo_proc kp;
	struct timeval boot;
	size_t len = sizeof(kp);
	int64_t us;

	if (pid <= 0)
		return REAP_GONE;
	if (sysctl(mib, 4, &kp, &len, NULL, 0) == -1) {
		if (errno == ESRCH)
			return REAP_GONE;
		return error_set_errno(
		    e, errno, "look at process %ld", (long)pid);
	}
	if (len != sizeof(kp) || kp.ki_pid != pid || kp.ki_stat == SZOMB)
		return REAP_GONE;
	if (boot_time(&boot, e) == -1)
		return -1;
	us = ((int64_t)kp.ki_start.tv_sec - (int64_t)boot.tv_sec) * 1000000 +
	    ((int64_t)kp.ki_start.tv_usec - (int64_t)boot.tv_usec);
	*ret = (uint64_t)us;
	return 0;
}

int
reap_signal(pid_t pid, uint64_t start, int signo, struct error *e)
{
	uint64_t now;
	int rc;

	rc = reap_start_time(pid, &now, e);
	if (rc != 0)
		return rc;
	if (now != start)
		return REAP_GONE;
	if (kill(pid, signo) == -1) {
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
	int mib[4] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)pid };
	struct kinfo_proc kp;
	size_t len = sizeof(kp);

	if (sysctl(mib, 4, &kp, &len, NULL, 0) == -1) {
		if (errno == ESRCH)
			return REAP_GONE;
		return error_set_errno(
		    e, errno, "look at process %ld", (long)pid);
	}
	if (len != sizeof(kp) || kp.ki_pid != pid || kp.ki_stat == SZOMB)
		return REAP_GONE;
	(void)snprintf(buf, REAP_NAME_LEN, "%s", kp.ki_comm);
	return 0;
}

int
reap_boot_id(char buf[REAP_BOOT_ID_LEN], struct error *e)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char id[(REAP_BOOT_ID_LEN - 1) / 2];
	size_t i, len = sizeof(id);
	struct timeval boot;

	/* Random bytes, no text: 16 of them. */
	if (sysctlbyname("kern.boot_id", id, &len, NULL, 0) == 0 && len > 0) {
		for (i = 0; i < len; i++) {
			buf[2 * i] = hex[id[i] >> 4];
			buf[2 * i + 1] = hex[id[i] & 15];
		}
		buf[2 * len] = '\0';
		return 0;
	}
	/* Before FreeBSD 13.  A step of the clock makes it another boot: the
	 * run is then repeated, and its project's lock still guards it. */
	if (boot_time(&boot, e) == -1)
		return -1;
	(void)snprintf(
	    buf, REAP_BOOT_ID_LEN, "boottime-%lld", (long long)boot.tv_sec);
	return 0;
}

int
reap_kill_session(
    pid_t sid, pid_t except, int signo, unsigned *ret_n, struct error *e)
{
	int mib[4] = { CTL_KERN, KERN_PROC, KERN_PROC_SESSION, (int)sid };
	struct kinfo_proc *kp AUTO_FREE = NULL;
	struct kinfo_proc *bigger;
	size_t len, i;
	unsigned n;

	*ret_n = 0;
	for (;;) {
		if (sysctl(mib, 4, NULL, &len, NULL, 0) == -1) {
			if (errno == ESRCH)
				return 0;
			return error_set_errno(
			    e, errno, "list session %ld", (long)sid);
		}
		len += 16 * sizeof(*kp);
		bigger = mem_realloc(kp, len);
		if (bigger == NULL)
			return error_nomem(e);
		kp = bigger;
		if (sysctl(mib, 4, kp, &len, NULL, 0) == 0)
			break;
		if (errno == ESRCH)
			return 0;
		/* It grew meanwhile. */
		if (errno != ENOMEM)
			return error_set_errno(
			    e, errno, "list session %ld", (long)sid);
	}
	n = 0;
	for (i = 0; i < len / sizeof(*kp); i++)
		if (kp[i].ki_sid == sid && kp[i].ki_pid != except &&
		    kp[i].ki_stat != SZOMB && kill(kp[i].ki_pid, signo) == 0)
			n++;
	*ret_n = n;
	return 0;
}

int
reap_watch(pid_t pid, uint64_t start, int *ret_fd, struct error *e)
{
	int fd AUTO_FD = -1;
	struct kevent ev;
	uint64_t now;
	int rc;

	fd = kqueue();
	if (fd == -1)
		return error_set_errno(e, errno, "make a kqueue");
	/* fork(2) does not hand a kqueue on; this says so for exec as well. */
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	EV_SET(&ev, (uintptr_t)pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
	if (kevent(fd, &ev, 1, NULL, 0, NULL) == -1) {
		if (errno == ESRCH)
			return REAP_GONE;
		return error_set_errno(
		    e, errno, "watch process %ld", (long)pid);
	}
	/* After the filter is there, so that no end is missed. */
	rc = reap_start_time(pid, &now, e);
	if (rc != 0)
		return rc;
	if (now != start)
		return REAP_GONE;
	*ret_fd = steal_fd(&fd);
	return 0;
}
