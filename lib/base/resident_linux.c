/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Linux: the second number of /proc/self/statm, in pages.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cc.h"
#include "lib/base/num.h"
#include "lib/base/resident.h"

uint64_t
resident_bytes(void)
{
	AUTO_FD int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	long page = sysconf(_SC_PAGESIZE);
	char buf[128], *second;
	uint64_t pages;
	ssize_t n;

	if (fd < 0 || page <= 0 || (n = read(fd, buf, sizeof(buf) - 1)) <= 0)
		return 0;
	buf[n] = '\0';
	second = buf + strcspn(buf, " ");
	second += *second == ' ';
	second[strcspn(second, " ")] = '\0';
	if (num_u64(second, 0, UINT64_MAX >> 16, &pages, NULL) < 0)
		return 0;
	return pages * (uint64_t)page;
}
