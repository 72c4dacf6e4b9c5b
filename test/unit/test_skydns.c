/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Which records labels ask for, to the letter of runtime.md 3.3; versions and
 * replies of etcd; integers as Python reads them.
 */
#include "test/unit/support/test.h"

#include <stdio.h>
#include <string.h>

#include "daemon/etcd.h"
#include "daemon/skydns.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "test/unit/support/torture.h"

#define CONFIG(zone_)                                                          \
  {                                                                            \
    .path = "/skydns", .zone = (zone_), .serverid = "srv1"                     \
  }

/* Labels as JSON, without "overlord.skydns". */
static void
make_plan(struct arena *a, const char *zone, const char *labels, bool destroy,
    struct skydns_plan *ret)
{
	const struct skydns_config c = CONFIG(zone);
	struct special s = {
		.project = "p", .service = "s", .destroy = destroy
	};
	struct node *given, *whole = node_new(a, NODE_MAP);
	struct error e = ERROR_INIT;

	test_ok(json_read(labels, strlen(labels), a, &given, &e), &e);
	for (size_t i = 0; i < given->u.map.n; i++)
		node_set(a, whole,
		    arena_printf(a, "overlord.skydns.%s",
			node_text(given->u.map.pairs[i].key)),
		    given->u.map.pairs[i].value);
	s.labels = whole;
	skydns_plan(&c, &s, a, ret);
	test_ok(arena_check(a, &e), &e);
}

static void
assert_record(const struct skydns_plan *p, enum skydns_record which,
    const char *key, const char *value)
{
	assert_non_null(p->records[which].key);
	assert_string_equal(p->records[which].key, key);
	assert_string_equal(p->records[which].value, value);
}

#define WHERE "\"interface\": \"lo\", \"interface.address\": \"127.0.0.0/8\""
#define SRV                                                                    \
  "\"srv\": \"1\", \"srv.port\": \"8080\", \"srv.proto\": \"tcp\", "           \
  "\"srv.service\": \"http\""

static void
plan_makes_the_records_of_the_contract(void **state)
{
	AUTO_ARENA struct arena a;
	struct skydns_plan p;

	(void)state;
	arena_init(&a, 1 << 20);
	make_plan(&a, "overlord.lan",
	    "{\"group\": \"Web\", \"ptr\": \"1\", " SRV ", " WHERE "}", false,
	    &p);
	assert_null(p.error);
	assert_record(&p, SKYDNS_ADDRESS, "/skydns/lan/overlord/web/srv1/",
	    "{\"host\": \"127.0.0.1\", \"ttl\": 60, \"group\": \"web\"}");
	assert_record(&p, SKYDNS_PTR, "/skydns/arpa/in-addr/127/0/0/1",
	    "{\"host\": \"web.overlord.lan\", \"group\": \"web\"}");
	assert_record(&p, SKYDNS_SRV,
	    "/skydns/lan/overlord/web/_tcp/_http/srv1/",
	    "{\"host\": \"srv1.web.overlord.lan\", \"port\": 8080, "
	    "\"priority\": 10, \"weight\": 100, \"ttl\": 60, \"group\": "
	    "\"web\"}");
}

static void
plan_knows_dots_around_the_zone(void **state)
{
	static const struct {
		const char *zone;
		const char *key;
		const char *host;
	} rows[] = {
		{ ".", "/skydns/web/srv1/", "srv1.web" },
		{ "", "/skydns/web/srv1/", "srv1.web" },
		{ "lan.", "/skydns/lan/web/srv1/", "srv1.web.lan" },
		{ ".a.b.c.", "/skydns/c/b/a/web/srv1/", "srv1.web.a.b.c" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA struct arena a;
		struct skydns_plan p;
		char host[100];

		arena_init(&a, 1 << 20);
		make_plan(&a, rows[i].zone,
		    "{\"group\": \"web\", " SRV ", " WHERE "}", false, &p);
		assert_string_equal(p.records[SKYDNS_ADDRESS].key, rows[i].key);
		(void)snprintf(
		    host, sizeof(host), "{\"host\": \"%s\", ", rows[i].host);
		assert_memory_equal(
		    p.records[SKYDNS_SRV].value, host, strlen(host));
		assert_null(p.records[SKYDNS_PTR].key);
	}
}

static void
plan_spells_addresses_of_ipv6(void **state)
{
	AUTO_ARENA struct arena a;
	struct skydns_plan p;

	(void)state;
	arena_init(&a, 1 << 20);
	make_plan(&a, "lan",
	    "{\"group\": \"web\", \"ptr\": \"1\", \"interface\": \"lo\", "
	    "\"interface.address\": \"::1\"}",
	    false, &p);
	if (p.error != NULL)
		skip();
	assert_record(&p, SKYDNS_PTR,
	    "/skydns/arpa/ip6/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0"
	    "/0/0/0/0/0/0/0/1",
	    "{\"host\": \"web.lan\", \"group\": \"web\"}");
}

static void
plan_says_what_is_wrong(void **state)
{
	static const struct {
		const char *labels;
		/* After "(project:p, service:s, ", or the whole. */
		const char *error;
		/* Records there are all the same. */
		unsigned records;
		bool destroy;
	} rows[] = {
		{ "{" WHERE "}",
		    "label:overlord.skydns.group) group has not been "
		    "specified, but is required.",
		    0, false },
		{ "{\"group\": \"web\"}",
		    "label:overlord.skydns.interface) interface has not been "
		    "specified, but is required.",
		    0, false },
		{ "{\"group\": \"web\", \"interface\": \"nope0\"}",
		    "label:overlord.skydns.interface.address "
		    "exception:InterfaceNotFound) nope0: Interface not found.",
		    0, false },
		{ "{\"group\": \"web\", \"interface\": \"lo\", "
		  "\"interface.address\": \"x\"}",
		    "label:overlord.skydns.interface.address "
		    "exception:ValueError) 'x' does not appear to be an IPv4 "
		    "or IPv6 network",
		    0, true },
		{ "{\"group\": \"web\", \"interface\": \"lo\", "
		  "\"interface.address\": \"192.0.2.0/24\"}",
		    "interface:lo, address:192.0.2.0/24, "
		    "label:overlord.skydns.interface.address) no IP address "
		    "has been found.",
		    0, false },
		{ "{\"group\": \"web\", \"ttl\": \"soon\", " WHERE "}",
		    "label:overlord.skydns.ttl) invalid TTL.", 0, false },
		{ "{\"group\": \"web\", \"ttl\": \"-1\", " WHERE "}",
		    "label:overlord.skydns.ttl) invalid TTL.", 0, false },
		{ "{\"group\": \"w\", " WHERE "}",
		    "Exception InvalidSpec: w: invalid group name.", 0, false },
		{ "{\"group\": \"1web\", " WHERE "}",
		    "Exception InvalidSpec: 1web: invalid group name.", 0,
		    false },
		{ "{\"group\": \"a.b\", " WHERE "}",
		    "Exception InvalidSpec: a.b: invalid group name.", 0,
		    true },
		{ "{\"group\": \"web\", \"srv\": \"1\", " WHERE "}",
		    "label:overlord.skydns.srv.port) port has not been "
		    "specified, but is required.",
		    1, false },
		{ "{\"group\": \"web\", \"ptr\": \"\\u00e9\", \"srv\": \"1\", "
		  "\"srv.port\": \"http\", " WHERE "}",
		    "port:http, label:overlord.skydns.srv.port) invalid port.",
		    2, false },
		{ "{\"group\": \"web\", \"srv\": \"1\", "
		  "\"srv.port\": \"80\", " WHERE "}",
		    "label:overlord.skydns.srv.proto) protocol has not been "
		    "specified, but is required.",
		    1, true },
		{ "{\"group\": \"web\", \"srv\": \"1\", \"srv.port\": \"80\", "
		  "\"srv.proto\": \"tcp\", " WHERE "}",
		    "label:overlord.skydns.srv.service) service has not been "
		    "specified, but is required.",
		    1, false },
		{ "{\"group\": \"web\", \"srv.priority\": \"x\", " SRV
		  ", " WHERE "}",
		    "priority:x, label:overlord.skydns.srv.priority) invalid "
		    "priority.",
		    1, false },
		{ "{\"group\": \"web\", \"srv.weight\": \"99999\", " SRV
		  ", " WHERE "}",
		    "weight:99999, label:overlord.skydns.srv.weight) invalid "
		    "weight.",
		    1, false },
		{ "{\"group\": \"web\", \"srv.ttl\": \"1.5\", " SRV ", " WHERE
		  "}",
		    "ttl:1.5, label:overlord.skydns.srv.ttl) invalid TTL.", 1,
		    false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA struct arena a;
		struct skydns_plan p;
		const char *head = "(project:p, service:s, ";
		const char *said;
		unsigned n = 0;

		arena_init(&a, 1 << 20);
		make_plan(&a, ".", rows[i].labels, rows[i].destroy, &p);
		if (p.error == NULL)
			fail_msg("%s: no error", rows[i].labels);
		said = p.error;
		if (strncmp(rows[i].error, "Exception", 9) != 0) {
			assert_memory_equal(said, head, strlen(head));
			said += strlen(head);
		}
		assert_string_equal(said, rows[i].error);
		for (int k = 0; k < SKYDNS_RECORDS; k++)
			n += p.records[k].key != NULL;
		assert_int_equal(n, rows[i].records);
	}
}

static void
plan_has_whole_records_or_none(void **state)
{
	AUTO_ARENA struct arena a;
	struct skydns_plan p;
	char group[65001];

	(void)state;
	arena_init(&a, 4 << 20);
	memset(group, 'g', sizeof(group) - 1);
	group[sizeof(group) - 1] = '\0';
	make_plan(&a, "lan",
	    arena_printf(
		&a, "{\"group\": \"%s\", \"ptr\": \"1\", " WHERE "}", group),
	    false, &p);
	/* The name is in the record once, and twice in that of the address. */
	assert_non_null(p.records[SKYDNS_ADDRESS].key);
	assert_int_equal(
	    strlen(p.records[SKYDNS_ADDRESS].value), sizeof(group) - 1 + 45);
	assert_null(p.records[SKYDNS_PTR].key);
	assert_string_equal(
	    p.error, "Exception ValueError: a record: more than 65536 bytes");
}

static void
plan_of_what_goes_away_needs_no_address(void **state)
{
	AUTO_ARENA struct arena a;
	struct skydns_plan p;

	(void)state;
	arena_init(&a, 1 << 20);
	make_plan(&a, "lan",
	    "{\"group\": \"Web\", \"ptr\": \"1\", \"interface\": "
	    "\"nope0\", " SRV "}",
	    true, &p);
	assert_null(p.error);
	assert_string_equal(
	    p.records[SKYDNS_ADDRESS].key, "/skydns/lan/web/srv1/");
	assert_null(p.records[SKYDNS_PTR].key);
	assert_string_equal(
	    p.records[SKYDNS_SRV].key, "/skydns/lan/web/_tcp/_http/srv1/");
}

static void
integers_are_pythons(void **state)
{
	static const char *const good[] = { "7", " 7", "7 ", "+7", "\t+7\n",
		"007" };
	static const char *const bad[] = { "", " ", "+", "+-7", "7 7", "7.0",
		"0x7", "--7", "7\xc2\xa0", "99999999999999999999999999" };
	int64_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		n = 0;
		if (!special_int(good[i], -9, 9, &n) || n != 7)
			fail_msg("'%s'", good[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (special_int(bad[i], -9, 9, &n))
			fail_msg("'%s'", bad[i]);
	assert_true(special_int("-7", -9, 9, &n) && n == -7);
	assert_false(special_int("10", -9, 9, &n));
}

static void
etcd_paths_are_of_versions(void **state)
{
	static const struct {
		const char *version;
		const char *path;
	} rows[] = {
		{ "3.4.23", "/v3/" },
		{ "3.5", "/v3/" },
		{ "3.10.0", "/v3/" },
		{ "4", "/v3/" },
		{ "4.0.0", "/v3/" },
		{ "3.3.1", "/v3beta/" },
		{ "3.2.9", "/v3alpha/" },
		{ "3", "/v3alpha/" },
		{ "2.3.8", "/v3alpha/" },
		{ "", NULL },
		{ "3.", NULL },
		{ "3.4.", NULL },
		{ "3.4.1.2", NULL },
		{ "3.4.0-rc.1", NULL },
		{ "v3.4", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *path = etcd_path_of_version(rows[i].version);

		if ((path == NULL) != (rows[i].path == NULL) ||
		    (path != NULL && strcmp(path, rows[i].path) != 0))
			fail_msg("'%s': %s", rows[i].version,
			    path != NULL ? path : "(none)");
	}
}

static void
etcd_replies_are_objects(void **state)
{
	static const char *const bad[] = { "", "[]", "1", "null", "{", "<html>",
		"{\"deleted\": \"1\"} x" };
	struct error e = ERROR_INIT;
	bool deleted;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		error_clear(&e);
		test_fails(
		    etcd_read_reply(bad[i], strlen(bad[i]), &deleted, &e), &e,
		    OVE_UPSTREAM);
		assert_null(etcd_read_version(bad[i], strlen(bad[i]), &e));
	}
	test_ok(etcd_read_reply("{\"header\": {}}", 14, &deleted, &e), &e);
	assert_false(deleted);
	test_ok(etcd_read_reply("{\"deleted\": \"1\"}", 16, &deleted, &e), &e);
	assert_true(deleted);
	assert_string_equal(
	    etcd_read_version("{\"etcdserver\": \"3.4.1\"}", 23, &e), "/v3/");
	assert_null(etcd_read_version("{\"etcdserver\": 3.4}", 19, &e));
	assert_null(etcd_read_version("{}", 2, &e));
}

struct planned {
	struct skydns_config config;
	struct special special;
};

static int
plan_and_reply(void *ctx, struct error *e)
{
	static const char reply[] = "{\"deleted\": \"1\"}";
	static const char version[] = "{\"etcdserver\": \"3.4.23\"}";
	const struct planned *in = ctx;
	AUTO_ARENA struct arena a;
	struct skydns_plan p;
	bool deleted;

	arena_init(&a, 1 << 20);
	skydns_plan(&in->config, &in->special, &a, &p);
	if (arena_check(&a, e) < 0 ||
	    etcd_read_reply(reply, strlen(reply), &deleted, e) < 0)
		return -1;
	for (int i = 0; i < SKYDNS_RECORDS; i++)
		if (p.records[i].key == NULL)
			return error_set(e, OVE_NOMEM, "%s", p.error);
	return etcd_read_version(version, strlen(version), e) == NULL ? -1 : 0;
}

static void
allocations_may_fail(void **state)
{
	static const char labels[] =
	    "{\"overlord.skydns.group\": \"Web\", "
	    "\"overlord.skydns.ptr\": \"1\", \"overlord.skydns.srv\": \"1\", "
	    "\"overlord.skydns.srv.port\": \"8080\", "
	    "\"overlord.skydns.srv.proto\": \"tcp\", "
	    "\"overlord.skydns.srv.service\": \"http\", "
	    "\"overlord.skydns.interface\": \"lo\", "
	    "\"overlord.skydns.interface.address\": \"127.0.0.0/8\"}";
	struct planned in = { .config = CONFIG("overlord.lan"),
		.special = { .project = "p", .service = "s" } };
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	struct node *n;

	(void)state;
	arena_init(&a, 1 << 20);
	test_ok(json_read(labels, strlen(labels), &a, &n, &e), &e);
	in.special.labels = n;
	torture(plan_and_reply, &in);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(plan_makes_the_records_of_the_contract),
	cmocka_unit_test(plan_knows_dots_around_the_zone),
	cmocka_unit_test(plan_spells_addresses_of_ipv6),
	cmocka_unit_test(plan_says_what_is_wrong),
	cmocka_unit_test(plan_has_whole_records_or_none),
	cmocka_unit_test(plan_of_what_goes_away_needs_no_address),
	cmocka_unit_test(integers_are_pythons),
	cmocka_unit_test(etcd_paths_are_of_versions),
	cmocka_unit_test(etcd_replies_are_objects),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
