/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The range of ephemeral ports, as sysctl(8) shows it.
 */
#include "daemon/ports.h"

#include <sys/sysctl.h>
#include <sys/types.h>

#include <errno.h>

static int
read_port(const char *name, uint16_t *ret, struct error *e)
{
	int value = 0;
	size_t len = sizeof(value);

	if (sysctlbyname(name, &value, &len, NULL, 0) < 0)
		return error_set_errno(e, errno, "%s", name);
	if (value < 1 || value > UINT16_MAX)
		return error_set(
		    e, OVE_CORRUPT, "%s: %d is no port", name, value);
	*ret = (uint16_t)value;
	return 0;
}

int
ports_range(uint16_t *ret_first, uint16_t *ret_end, struct error *e)
{
	if (read_port("net.inet.ip.portrange.first", ret_first, e) < 0)
		return -1;
	return read_port("net.inet.ip.portrange.last", ret_end, e);
}
