/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The range of ephemeral ports: /proc has its first and its last.
 */
#include "daemon/ports.h"

#include <fcntl.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"

#define RANGE "/proc/sys/net/ipv4/ip_local_port_range"

int
ports_range(uint16_t *ret_first, uint16_t *ret_end, struct error *e)
{
	AUTO_FREE char *text = NULL;
	AUTO_FD int fd = -1;
	uint64_t first, last;
	const char *second;
	size_t len;

	fd = open(RANGE, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || file_read_fd(fd, 128, &text, &len, e) < 0)
		return error_set(e, OVE_IO, "%s cannot be read", RANGE);
	len = strcspn(text, " \t");
	second = text + len + strspn(text + len, " \t");
	if (num_u64_len(text, len, 1, UINT16_MAX, &first, e) < 0 ||
	    num_u64_len(
		second, strcspn(second, "\n"), 1, UINT16_MAX, &last, e) < 0)
		return error_wrap(e, "%s", RANGE);
	*ret_first = (uint16_t)first;
	*ret_end = (uint16_t)last;
	return 0;
}
