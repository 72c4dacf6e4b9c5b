/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Rights of descriptors by Capsicum, see rights(4) and rights.h. The process
 * does not enter capability mode, where it could run no command: this only
 * narrows what it keeps. A kernel without Capsicum narrows nothing.
 */
#include "lib/base/rights.h"

#include <sys/capsicum.h>
#include <sys/filio.h>

#include <errno.h>

/* What an accepted socket is used for: libevent asks how much there is to
 * read. */
static int
limit_details(int fd)
{
	static const unsigned long ioctls[] = { FIONREAD };

	if (cap_ioctls_limit(fd, ioctls, ARRAY_LEN(ioctls)) < 0)
		return -1;
	return cap_fcntls_limit(fd, CAP_FCNTL_GETFL | CAP_FCNTL_SETFL);
}

static void
rights_of(enum rights what, cap_rights_t *ret)
{
	switch (what) {
	case RIGHTS_LISTEN:
		(void)cap_rights_init(ret, CAP_ACCEPT, CAP_EVENT, CAP_FCNTL,
		    CAP_FSTAT, CAP_GETPEERNAME, CAP_GETSOCKNAME, CAP_GETSOCKOPT,
		    CAP_IOCTL, CAP_READ, CAP_SETSOCKOPT, CAP_SHUTDOWN,
		    CAP_WRITE);
		break;
	case RIGHTS_APPEND:
		(void)cap_rights_init(
		    ret, CAP_EVENT, CAP_FSTAT, CAP_SEEK, CAP_WRITE);
		break;
	case RIGHTS_READ:
		(void)cap_rights_init(ret, CAP_EVENT, CAP_FSTAT, CAP_READ);
		break;
	case RIGHTS_WRITE:
		(void)cap_rights_init(ret, CAP_EVENT, CAP_FSTAT, CAP_WRITE);
		break;
	case RIGHTS_WATCH:
		(void)cap_rights_init(ret, CAP_EVENT, CAP_FSTAT);
		break;
	case RIGHTS_HOLD:
		(void)cap_rights_init(ret, CAP_FSTAT);
		break;
	}
}

int
rights_limit(int fd, enum rights what, struct error *e)
{
	cap_rights_t rights;

	rights_of(what, &rights);
	if ((cap_rights_limit(fd, &rights) < 0 ||
		(what == RIGHTS_LISTEN && limit_details(fd) < 0)) &&
	    errno != ENOSYS)
		return error_set_errno(
		    e, errno, "limit the rights of a descriptor");
	return 0;
}
