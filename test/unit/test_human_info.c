/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What get-info prints besides projects: the golden blocks of the contract
 * (cli.md appendix G), its amounts, file modes and trees (B, D, E), and values
 * of a shape that nobody promised.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/data/json.h"
#include "proto/human.h"
#include "test/unit/support/torture.h"

static struct node *
parse(struct arena *a, const char *json)
{
	struct error e = ERROR_INIT;
	struct node *n = NULL;

	test_ok(json_read(json, strlen(json), a, &n, &e), &e);
	return n;
}

static void
amounts(void **state)
{
	static const char *const rows[][2] = {
		{ "8400896", "8400896 (8.01 MiB)" },
		{ "0", "0 (0 bytes)" },
		{ "1", "1 (1 byte)" },
		{ "-1", "-1 (-1 bytes)" },
		{ "-4096", "-4096 (-4096 bytes)" },
		{ "1152921504606846975", "1152921504606846975 (1024 PiB)" },
		{ "18446744073709551615", "18446744073709551615 (16 EiB)" },
		{ "1180591620717411303423",
		    "1180591620717411303423 (1024 EiB)" },
		{ "1180591620717411303424", "1180591620717411303424 (1 ZiB)" },
		{ "1208925819614629174706176",
		    "1208925819614629174706176 (1 YiB)" },
		{ "1237940039285380274899124224",
		    "1237940039285380274899124224 (1024 YiB)" },
		{ "-12345678901234567890123",
		    "-12345678901234567890123 (-12345678901234567890123 "
		    "bytes)" },
		{ "1536.7", "1536 (1.5 KiB)" },
		{ "2.5", "2 (2.5 bytes)" },
		{ "1.0", "1 (1.0 byte)" },
		{ "-2.5", "-2 (-2.5 bytes)" },
		{ "\"5\"", "5" },
		{ "null", "None" },
		{ "[1]", "[1]" },
	};
	struct arena a AUTO_ARENA;

	(void)state;
	arena_init(&a, 1000000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf b AUTO_STRBUF;

		strbuf_init(&b, 1000);
		human_amount(&b, parse(&a, rows[i][0]));
		assert_string_equal(b.buf, rows[i][1]);
	}
}

static void
file_modes(void **state)
{
	static const struct {
		unsigned mode;
		const char *text;
	} rows[] = { { 16877, "drwxr-xr-x" }, { 41471, "lrwxrwxrwx" },
		{ 33188, "-rw-r--r--" }, { 4516, "prw-r--r--" },
		{ 33261, "-rwxr-xr-x" }, { 24992, "brw-r-----" },
		{ 35309, "-rwsr-xr-x" }, { 8592, "crw--w----" },
		{ 34285, "-rwxr-sr-x" }, { 49663, "srwxrwxrwx" },
		{ 17407, "drwxrwxrwt" }, { 35236, "-rwSr--r--" },
		{ 32768, "----------" }, { 34212, "-rw-r-Sr--" },
		{ 420, "?rw-r--r--" }, { 33700, "-rw-r--r-T" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[HUMAN_MODE_LEN + 1];

		human_mode(text, rows[i].mode);
		assert_string_equal(text, rows[i].text);
	}
}

/* JSON and the lines it becomes. */
struct row {
	const char *json;
	const char *text;
};

static const struct row vms[] = {
	{ "{\"operation\":\"COMPLETED\",\"output\":\"md0 created\\n md0p1 "
	  "added\\n\\n done\",\"last_update\":312.6,\"job_id\":17}",
	    "      virtual-machines:\n"
	    "          operation: COMPLETED\n"
	    "          output: |\n"
	    "            md0 created\n"
	    "             md0p1 added\n"
	    "            \n"
	    "             done\n"
	    "          last_update: 5 minutes and 12.6 seconds\n"
	    "          job_id: 17\n" },
	{ "{\"output\":\"one line\\n\",\"list\":[1,\"a\"],\"last_update\":"
	  "null,\"exception\":{\"type\":\"X\",\"message\":null}}",
	    "      virtual-machines:\n"
	    "          output: one line\n"
	    "        list:\n"
	    "        - 1\n"
	    "        - a\n"
	    "          last_update: None\n"
	    "          exception: {'type': 'X', 'message': None}\n" },
	{ "{\"output\":\"\"}", "      virtual-machines:\n" },
	{ "{\"output\":{\"a\":1}}",
	    "      virtual-machines:\n          output: {'a': 1}\n" },
	{ "{}", "" },
	{ "null", "" },
	{ "[1]", "" },
};

static const struct row rounds[] = {
	{ "{\"last_update\":7.65,\"operation\":\"COMPLETED\",\"logs\":[{"
	  "\"project\":\"p\",\"chain\":null,\"context\":\"up\",\"response\":{"
	  "\"job_id\":3}},{\"project\":\"p\",\"chain\":\"alpha\",\"context\":"
	  "\"metadata\",\"length\":0,\"response\":[]},\"text\"]}",
	    "      autoScale:\n"
	    "        last_update: 7.65 seconds\n"
	    "        operation: COMPLETED\n"
	    "        logs:\n"
	    "          - {'project': 'p', 'chain': None, 'context': 'up', "
	    "'response': {'job_id': 3}}\n"
	    "          - {'project': 'p', 'chain': 'alpha', 'context': "
	    "'metadata', 'length': 0, 'response': []}\n"
	    "          - text\n" },
	{ "{\"last_update\":1,\"operation\":\"COMPLETED\",\"output\":{"
	  "\"message\":null,\"nodes\":{\"alpha\":{\"job_id\":1},\"b\":\"x\"}"
	  "}}",
	    "      autoScale:\n"
	    "        last_update: 1 second\n"
	    "        operation: COMPLETED\n"
	    "        output:\n"
	    "         message: None\n"
	    "          alpha: {'job_id': 1}\n"
	    "          b: x\n" },
	{ "{\"output\":{},\"x\":{\"y\":[]}}",
	    "      autoScale:\n        x: {'y': []}\n" },
	{ "{\"output\":\"text\"}", "      autoScale:\n        output: text\n" },
	{ "{\"output\":{\"nodes\":[1]}}",
	    "      autoScale:\n        output:\n         nodes: [1]\n" },
	{ "{}", "" },
	{ "null", "" },
};

static const struct row entries[] = {
	{ "[{\"directory\":\"/usr/local/overlord/namespace/ns/d\",\"owner\":0,"
	  "\"group\":0,\"mode\":16877},{\"file\":\"/usr/local/overlord/"
	  "namespace/ns/d/f\",\"owner\":0,\"group\":0,\"mode\":33188},{"
	  "\"file\":\"/x\",\"owner\":0,\"group\":0,\"mode\":35309}]",
	    "      - {'directory': '/usr/local/overlord/namespace/ns/d', "
	    "'owner': 0, 'group': 0, 'mode': 'drwxr-xr-x'}\n"
	    "      - {'file': '/usr/local/overlord/namespace/ns/d/f', 'owner': "
	    "0, 'group': 0, 'mode': '-rw-r--r--'}\n"
	    "      - {'file': '/x', 'owner': 0, 'group': 0, 'mode': "
	    "'-rwsr-xr-x'}\n" },
	{ "[]", "" },
	{ "{}", "" },
	{ "[\"x\",{\"mode\":\"rw\"},{\"mode\":-1},{}]",
	    "      - x\n"
	    "      - {'mode': 'rw'}\n"
	    "      - {'mode': -1}\n"
	    "      - {}\n" },
};

static const struct row stats[] = {
	{ "{\"cputime\":91,\"datasize\":8400896,\"memoryuse\":75104256,"
	  "\"vmemoryuse\":1367982080,\"readbps\":0,\"pcpu\":0}",
	    "    cputime: 91\n"
	    "    datasize: 8400896 (8.01 MiB)\n"
	    "    memoryuse: 75104256 (71.62 MiB)\n"
	    "    vmemoryuse: 1367982080 (1.27 GiB)\n"
	    "    readbps: 0 (0 bytes)\n"
	    "    pcpu: 0\n" },
	{ "{}", "" },
	{ "[]", "" },
};

static void
check(const struct row *rows, size_t n,
    void (*print)(struct strbuf *out, const struct node *n))
{
	struct arena a AUTO_ARENA;

	arena_init(&a, 1000000);
	for (size_t i = 0; i < n; i++) {
		struct strbuf b AUTO_STRBUF;

		strbuf_init(&b, 10000);
		print(&b, parse(&a, rows[i].json));
		assert_string_equal(b.buf, rows[i].text);
	}
}

static void
states_of_things(void **state)
{
	(void)state;
	check(vms, ARRAY_LEN(vms), human_vm);
	check(rounds, ARRAY_LEN(rounds), human_autoscale);
	check(entries, ARRAY_LEN(entries), human_namespace);
	check(stats, ARRAY_LEN(stats), human_stats);
}

static void
metadata(void **state)
{
	static const char *const rows[][2] = {
		{ "\"OPTION start\\n\\nPKG tor\\n\"",
		    "    k: |\n      OPTION start\n      \n      PKG tor\n" },
		{ "\"single line\\n\"", "    k: single line\n" },
		{ "\"no newline\"", "    k: no newline\n" },
		{ "\"\"", "" },
		{ "\"\\n\"", "    k: \n" },
		{ "\"\\n\\n\"", "    k: |\n      \n      \n" },
		{ "\"a\\r\\n\"", "    k: a\r\n" },
		{ "\"a\\rb\"", "    k: |\n      a\n      b\n" },
		{ "null", "    k: None\n" },
		{ "[1]", "    k: [1]\n" },
	};
	struct arena a AUTO_ARENA;

	(void)state;
	arena_init(&a, 1000000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf b AUTO_STRBUF;

		strbuf_init(&b, 1000);
		human_metadata(&b, "k", parse(&a, rows[i][0]));
		assert_string_equal(b.buf, rows[i][1]);
	}
}

static void
jail_items(void **state)
{
	static const char *const rows[][3] = {
		{ "cpuset", "\"0, 1\"", "      cpuset: 0, 1\n" },
		{ "cpuset", "null", "" },
		{ "cpuset", "7", "" },
		{ "devfs", "[]", "" },
		{ "devfs", "{}", "" },
		{ "labels", "[{\"value\":\"1\",\"name\":\"overlord.skydns\"}]",
		    "      labels:\n        - {'value': '1', 'name': "
		    "'overlord.skydns'}\n" },
		{ "nat",
		    "[{\"rule\":\"nat on \\\"jext\\\" from 10.0.0.3 to any -> "
		    "(\\\"jext:0\\\")\",\"network\":\"ajnet\"}]",
		    "      nat:\n        - {'rule': 'nat on \"jext\" from "
		    "10.0.0.3 to any -> (\"jext:0\")', 'network': 'ajnet'}\n" },
		{ "info",
		    "{\"name\":\"j\",\"network_ip4\":null,\"memoryuse\":5}",
		    "      info:\n        name: j\n        network_ip4: None\n"
		    "        memoryuse: 5\n" },
		{ "stats", "{\"cputime\":1,\"memoryuse\":512}",
		    "      stats:\n        cputime: 1\n        memoryuse: 512 "
		    "(512 bytes)\n" },
	};
	struct arena a AUTO_ARENA;
	struct strbuf none AUTO_STRBUF;

	(void)state;
	arena_init(&a, 1000000);
	strbuf_init(&none, 1000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf b AUTO_STRBUF;

		strbuf_init(&b, 1000);
		human_jail_item(&b, rows[i][0], parse(&a, rows[i][1]));
		assert_string_equal(b.buf, rows[i][2]);
	}
	human_jail_item(&none, "nat", NULL);
	human_stats(&none, NULL);
	human_namespace(&none, NULL);
	assert_string_equal(none.buf, "");
}

/* Appendix D. */
static void
trees(void **state)
{
	static const struct {
		const char *chains[9];
		const char *text;
	} rows[] = {
		{ { "a" }, " +-- a\n" },
		{ { "a", "b" }, " +-- a\n +-- b\n" },
		{ { "a", "a.b" }, " +-- a\n     +-- b\n" },
		{ { "alpha", "alpha.bravo", "alpha.charlie",
		      "alpha.charlie.delta" },
		    " +-- alpha\n"
		    "     +-- bravo\n"
		    "     +-- charlie\n"
		    "         +-- delta\n" },
		{ { "a", "a.b", "a.b.c", "d" },
		    " +-- a\n"
		    " |   +-- b\n"
		    " |       +-- c\n"
		    " +-- d\n" },
		{ { "a", "a.x", "a.x.y", "a.x.z", "b", "b.c", "b.c.d", "b.e",
		      "f" },
		    " +-- a\n"
		    " |   +-- x\n"
		    " |       +-- y\n"
		    " |       +-- z\n"
		    " +-- b\n"
		    " |   +-- c\n"
		    " |   |   +-- d\n"
		    " |   +-- e\n"
		    " +-- f\n" },
		{ { "alpha.charlie.delta" },
		    " +-- alpha\n"
		    "     +-- charlie\n"
		    "         +-- delta\n" },
		{ { "alpha.charlie.delta", "alpha.bravo" },
		    " +-- alpha\n"
		    "     +-- charlie\n"
		    "     |   +-- delta\n"
		    "     +-- bravo\n" },
		{ { "b", "a", "b.a" },
		    " +-- b\n"
		    " |   +-- a\n"
		    " +-- a\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf b AUTO_STRBUF;
		struct error e = ERROR_INIT;
		size_t n = 0;

		strbuf_init(&b, 1000);
		while (
		    n < ARRAY_LEN(rows[i].chains) && rows[i].chains[n] != NULL)
			n++;
		test_ok(human_tree(&b, "http://r", rows[i].chains, n, &e), &e);
		assert_memory_equal(b.buf, "http://r\n", 9);
		assert_string_equal(b.buf + 9, rows[i].text);
	}
}

static int
body(void *ctx, struct error *e)
{
	static const char *const chains[] = { "a.b", "c", "a.d" };
	struct arena a AUTO_ARENA;
	struct strbuf b AUTO_STRBUF;
	struct node *n = NULL;

	(void)ctx;
	arena_init(&a, 1000000);
	strbuf_init(&b, 10000);
	if (json_read(vms[0].json, strlen(vms[0].json), &a, &n, e) < 0)
		return -1;
	human_vm(&b, n);
	human_autoscale(&b, n);
	human_jail_item(&b, "info", n);
	if (human_tree(&b, "r", chains, ARRAY_LEN(chains), e) < 0)
		return -1;
	return strbuf_check(&b, e);
}

static void
memory_may_fail(void **state)
{
	(void)state;
	torture(body, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(amounts),
	cmocka_unit_test(file_modes),
	cmocka_unit_test(states_of_things),
	cmocka_unit_test(metadata),
	cmocka_unit_test(jail_items),
	cmocka_unit_test(trees),
	cmocka_unit_test(memory_may_fail),
};
TEST_MAIN(tests)
