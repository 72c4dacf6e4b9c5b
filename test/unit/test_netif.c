/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Addresses of interfaces: those of the loop-back interface, which every
 * machine has, chosen by networks of all notations.
 */
#include "test/unit/support/test.h"

#include <sys/socket.h>

#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

#include "daemon/netif.h"

static char lo[IF_NAMESIZE];

static int
find_loopback(void **state)
{
	struct ifaddrs *all, *i;

	(void)state;
	if (getifaddrs(&all) < 0)
		return -1;
	for (i = all; i != NULL; i = i->ifa_next)
		if ((i->ifa_flags & IFF_LOOPBACK) != 0 && i->ifa_addr != NULL &&
		    i->ifa_addr->sa_family == AF_INET)
			(void)strncpy(lo, i->ifa_name, sizeof(lo) - 1);
	freeifaddrs(all);
	return lo[0] != '\0' ? 0 : -1;
}

static void
find_chooses_by_network(void **state)
{
	static const struct {
		const char *network;
		/* NULL: none. */
		const char *text;
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1" },
		{ "127.0.0.0/8", "127.0.0.1" },
		/* Host bits may be set, and masks be either way round. */
		{ "127.9.9.9/8", "127.0.0.1" },
		{ "127.0.0.0/255.0.0.0", "127.0.0.1" },
		{ "127.0.0.0/0.255.255.255", "127.0.0.1" },
		{ "127.0.0.0/255.255.255.254", "127.0.0.1" },
		{ "0.0.0.0/0", "127.0.0.1" },
		{ "0.0.0.0/0.0.0.0", "127.0.0.1" },
		{ "127.0.0.1/32", "127.0.0.1" },
		{ "127.0.0.0/32", NULL },
		{ "127.0.0.2/31", NULL },
		{ "126.0.0.0/8", NULL },
		{ "192.0.2.0/24", NULL },
		{ "2001:db8::/32", NULL },
	};
	struct error e = ERROR_INIT;
	struct netif_addr a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r = netif_find(lo, rows[i].network, &a, &e);

		if (r != (rows[i].text != NULL ? 0 : NETIF_NONE) ||
		    (r == 0 && strcmp(a.text, rows[i].text) != 0))
			fail_msg("%s: %d %s", rows[i].network, r,
			    r == 0 ? a.text : e.text);
	}
	assert_int_equal(netif_find(lo, "127.0.0.0/8", &a, &e), 0);
	assert_int_equal(a.family, AF_INET);
	assert_memory_equal(a.bytes, "\177\0\0\1", 4);
	/* Without a network the first one will do. */
	assert_int_equal(netif_find(lo, NULL, &a, &e), 0);
	assert_true(strcmp(a.text, "127.0.0.1") == 0 ||
	    strcmp(a.text, "::1") == 0 || strncmp(a.text, "fe80:", 5) == 0);
}

static void
find_has_both_families(void **state)
{
	struct error e = ERROR_INIT;
	struct netif_addr a;

	(void)state;
	/* Not every machine has IPv6. */
	if (netif_find(lo, "::/0", &a, &e) == NETIF_NONE)
		skip();
	test_ok(netif_find(lo, "::1/128", &a, &e), &e);
	assert_string_equal(a.text, "::1");
	assert_int_equal(a.family, AF_INET6);
	assert_int_equal(netif_find(lo, "::2/127", &a, &e), NETIF_NONE);
	assert_int_equal(netif_find(lo, "::/127", &a, &e), 0);
}

static void
find_names_what_is_wrong(void **state)
{
	static const char *const bad[] = { "", "x", "127.0.0", "127.0.0.1/",
		"127.0.0.1/33", "127.0.0.1/-1", "127.0.0.1/255.0.255.0",
		"127.0.0.1/8/8", "::1/129", "::1/ffff::", " 127.0.0.1",
		"127.0.0.01", "localhost", "1.2.3.4.5/8" };
	struct error e = ERROR_INIT;
	struct netif_addr a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		error_clear(&e);
		test_fails(netif_find(lo, bad[i], &a, &e), &e, OVE_INVALID);
		assert_string_equal(netif_exception(&e), "ValueError");
		test_fails(netif_check_network(bad[i], &e), &e, OVE_INVALID);
	}
	assert_string_equal(e.text,
	    "'1.2.3.4.5/8' does not appear to be an IPv4 or IPv6 network");
	test_fails(netif_find("nope0", NULL, &a, &e), &e, OVE_NOTFOUND);
	assert_string_equal(e.text, "nope0: Interface not found.");
	assert_string_equal(netif_exception(&e), "InterfaceNotFound");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(find_chooses_by_network),
	cmocka_unit_test(find_has_both_families),
	cmocka_unit_test(find_names_what_is_wrong),
};

int
main(void)
{
	return cmocka_run_group_tests_name("netif", tests, find_loopback, NULL);
}
