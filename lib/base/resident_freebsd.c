/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * FreeBSD: the kernel's entry of this process.
 */
#include <sys/param.h>
#include <sys/sysctl.h>
#include <sys/types.h>
#include <sys/user.h>

#include <unistd.h>

#include "lib/base/cc.h"
#include "lib/base/resident.h"

uint64_t
resident_bytes(void)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)getpid() };
	struct kinfo_proc kp;
	size_t len = sizeof(kp);

	if (sysctl(mib, (unsigned)ARRAY_LEN(mib), &kp, &len, NULL, 0) != 0)
		return 0;
	return (uint64_t)kp.ki_rssize * (uint64_t)getpagesize();
}
