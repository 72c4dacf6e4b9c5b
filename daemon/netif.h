/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Addresses of this node's interfaces (runtime.md 1.10).
 */
#pragma once

#include <netinet/in.h>

#include "lib/base/error.h"

struct netif_addr {
	/* AF_INET or AF_INET6. */
	int family;
	/* The first 4 or all 16 count. */
	unsigned char bytes[16];
	/* Without scope. */
	char text[INET6_ADDRSTRLEN];
};

/* The first IPv4 or IPv6 address of an interface, in the system's order, and
 * with a network (address, address/bits, address/mask; host bits may be set)
 * the first one within it. NETIF_NONE: none is. -1: OVE_NOTFOUND, there is no
 * such interface, or it has no address at all; OVE_INVALID, that is no network;
 * OVE_IO. */
enum {
	NETIF_NONE = 1
};
int netif_find(const char *iface, const char *network, struct netif_addr *ret,
    struct error *e);
/* Whether a text is a network; OVE_INVALID. */
int netif_check_network(const char *network, struct error *e);
/* What the original calls a failure of these. */
const char *netif_exception(const struct error *e);
