/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the AUTO_FREE and AUTO_FD macros of cc.h call when a local goes out of
 * scope. They keep errno, because a scope often ends between the call that set
 * it and the caller that reads it. Apart from mem.c so that a test program may
 * replace that one alone.
 */
#include "lib/base/cc.h"

#include <errno.h>
#include <unistd.h>

#include "lib/base/mem.h"

/* pp points to a pointer of any object type; all have one representation on
 * the platforms we know. */
void
cc_auto_free(void *pp)
{
	int saved = errno;
	void **p = pp;

	mem_free(*p);
	*p = NULL;
	errno = saved;
}

void
cc_auto_close(int *fd)
{
	int saved = errno;

	/* Not repeated after EINTR: the descriptor is gone by then. */
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}
