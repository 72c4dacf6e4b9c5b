/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See netif.h. Networks are what Python's ipaddress takes: prefix lengths for
 * both families, masks and their complements for IPv4.
 */
#include "daemon/netif.h"

#include <sys/socket.h>
#include <sys/types.h>

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/num.h"

struct network {
	int family;
	unsigned bits;
	unsigned char bytes[16];
};

static unsigned
family_bits(int family)
{
	return family == AF_INET ? 32 : 128;
}

/* The leading ones of a mask, or of the complement of one; false for what is
 * neither. */
static bool
bits_of_mask(const char *text, unsigned *ret)
{
	struct in_addr in;
	uint32_t m;

	if (inet_pton(AF_INET, text, &in) != 1)
		return false;
	m = ntohl(in.s_addr);
	if (m != 0 && (m & 0x80000000u) == 0)
		m = ~m;
	/* The complement of a mask is one less than a power of two. */
	if ((~m & (~m + 1)) != 0)
		return false;
	for (*ret = 0; *ret < 32 && (m & (0x80000000u >> *ret)) != 0;)
		++*ret;
	return true;
}

static bool
parse_bits(const char *text, int family, unsigned *ret)
{
	uint64_t n;

	if (num_u64(text, 0, family_bits(family), &n, NULL) == 0) {
		*ret = (unsigned)n;
		return true;
	}
	return family == AF_INET && bits_of_mask(text, ret);
}

static int
parse_network(const char *text, struct network *ret, struct error *e)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);

	if (len >= sizeof(address))
		len = 0;
	(void)snprintf(address, sizeof(address), "%.*s", (int)len, text);
	memset(ret, 0, sizeof(*ret));
	ret->family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET;
	ret->bits = family_bits(ret->family);
	if (inet_pton(ret->family, address, ret->bytes) == 1 &&
	    (slash == NULL || parse_bits(slash + 1, ret->family, &ret->bits)))
		return 0;
	return error_set(e, OVE_INVALID,
	    "'%s' does not appear to be an IPv4 or IPv6 network", text);
}

static bool
is_within(const struct netif_addr *a, const struct network *n)
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;

	if (a->family != n->family || memcmp(a->bytes, n->bytes, whole) != 0)
		return false;
	return rest == 0 ||
	    (a->bytes[whole] ^ n->bytes[whole]) >> (8 - rest) == 0;
}

static bool
take_address(const struct sockaddr *sa, struct netif_addr *ret)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	memset(ret, 0, sizeof(*ret));
	if (sa == NULL)
		return false;
	ret->family = sa->sa_family;
	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		memcpy(ret->bytes, &in.sin_addr, sizeof(in.sin_addr));
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		memcpy(ret->bytes, &in6.sin6_addr, sizeof(in6.sin6_addr));
		/* BSD kernels keep the scope of a link-local address there. */
		if (IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr))
			ret->bytes[2] = ret->bytes[3] = 0;
	} else {
		return false;
	}
	return inet_ntop(ret->family, ret->bytes, ret->text,
		   sizeof(ret->text)) != NULL;
}

int
netif_find(const char *iface, const char *network, struct netif_addr *ret,
    struct error *e)
{
	struct ifaddrs *all = NULL, *i;
	struct network n = { 0 };
	struct netif_addr a;
	bool has_any = false, found = false;

	if (network != NULL && parse_network(network, &n, e) < 0)
		return -1;
	if (getifaddrs(&all) < 0)
		return error_set_errno(e, errno, "addresses of %s", iface);
	for (i = all; i != NULL && !found; i = i->ifa_next) {
		if (strcmp(i->ifa_name, iface) != 0 ||
		    !take_address(i->ifa_addr, &a))
			continue;
		has_any = true;
		found = network == NULL || is_within(&a, &n);
	}
	freeifaddrs(all);
	if (!has_any)
		return error_set(
		    e, OVE_NOTFOUND, "%s: Interface not found.", iface);
	if (!found)
		return NETIF_NONE;
	*ret = a;
	return 0;
}

int
netif_check_network(const char *network, struct error *e)
{
	struct network n;

	return parse_network(network, &n, e);
}

const char *
netif_exception(const struct error *e)
{
	switch (e->code) {
	case OVE_NOTFOUND:
		return "InterfaceNotFound";
	case OVE_INVALID:
		return "ValueError";
	default:
		return "OSError";
	}
}
