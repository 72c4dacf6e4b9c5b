/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * HAProxy's statistics: what is read of a page and what is no page, and how
 * counters go on.
 */
#include "test/unit/support/test.h"

#include <stdio.h>
#include <string.h>

#include "daemon/haproxy_stats.h"
#include "lib/base/strbuf.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "test/unit/support/torture.h"

#define ELEMENT(object, pos, name, origin, nature, value)                      \
  "{\"objType\":\"" object "\",\"proxyId\":2,\"id\":0,\"field\":{\"pos\":" pos \
  ",\"name\":\"" name "\"},\"processNum\":1,\"tags\":{\"origin\":\"" origin    \
  "\",\"nature\":\"" nature                                                    \
  "\",\"scope\":\"Service\"},\"value\":{\"type\":\"x\",\"value\":" value "}}"
#define NAME(object, name)                                                     \
  ELEMENT(object, "0", "pxname", "Key", "Name", "\"" name "\"")
#define METRIC(object, name, nature, value)                                    \
  ELEMENT(object, "4", name, "Metric", nature, value)

/* A page as HAProxy writes it: a frontend and a backend of one name, a server
 * of it, and others; brackets and quotes where they could be misread. */
static const char page[] = "[ [" NAME("Frontend", "web") "," METRIC(
    "Frontend", "scur", "Gauge", "7") "," METRIC("Frontend", "stot", "Counter",
    "1000") "," ELEMENT("Frontend", "17", "status", "Status", "Output",
    "\"OPEN\"") "],\n[" NAME("Server", "web") "," METRIC("Server", "scur",
    "Gauge", "99") "],[" NAME("Backend", "web") "," METRIC("Backend", "scur",
    "Gauge", "8") "," METRIC("Backend", "mode", "Output",
    "\"h]\\\"}\"") "," METRIC("Backend", "none", "Gauge",
    "null") "," METRIC("Frontend", "qcur", "Gauge", "1") "],[" NAME("Backend",
    "[{\\\"") "],[]] ";

static int
read_page(const char *text, const char *object, const char *name,
    struct arena *a, struct node **ret, struct error *e)
{
	*ret = NULL;
	return haproxy_stats_read(text, strlen(text), object, name, a, ret, e);
}

static const char *
shown(const struct node *n, struct strbuf *b)
{
	strbuf_reset(b);
	json_write(b, n, JSON_COMPACT);
	return b->buf;
}

static void
figures_of_one_proxy(void **state)
{
	struct error e = ERROR_INIT;
	AUTO_STRBUF struct strbuf b;
	AUTO_ARENA struct arena a;
	struct node *n;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&b, 1 << 16);
	test_ok(read_page(page, "Frontend", "web", &a, &n, &e), &e);
	assert_string_equal(shown(n, &b),
	    "{\"scur\":{\"value\":7,\"type\":\"Gauge\"},"
	    "\"stot\":{\"value\":1000,\"type\":\"Counter\"}}");
	test_ok(read_page(page, "Backend", "web", &a, &n, &e), &e);
	assert_string_equal(shown(n, &b),
	    "{\"scur\":{\"value\":8,\"type\":\"Gauge\"},"
	    "\"mode\":{\"value\":\"h]\\\"}\",\"type\":\"Output\"},"
	    "\"none\":{\"value\":null,\"type\":\"Gauge\"}}");
	test_ok(read_page(page, "Backend", "[{\"", &a, &n, &e), &e);
	assert_int_equal(n->u.map.n, 0);
	assert_int_equal(read_page(page, "Frontend", "other", &a, &n, &e),
	    HAPROXY_STATS_NONE);
	assert_int_equal(
	    read_page("[]", "Frontend", "web", &a, &n, &e), HAPROXY_STATS_NONE);
}

static void
what_is_no_page(void **state)
{
	static const char *const texts[] = { "", "{}", "[", "[[", "[[]", "[[{]",
		"[1]", "[[1]]", "[{}]", "[[{}{}]]", "[[{}]]x", "[[],]",
		"[[{\"a\":\"]", "<html>[[]]", "[[{\"a\": nan}]]",
		"[[{\"a\":[}]]]", "\xff" };
	AUTO_ARENA struct arena a;
	struct node *n;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct error e = ERROR_INIT;

		if (read_page(texts[i], "Frontend", "web", &a, &n, &e) != -1)
			fail_msg("'%s' is a page", texts[i]);
		assert_int_equal(e.code, OVE_UPSTREAM);
	}
}

/* Each cut of a page, too. */
static void
what_was_cut_off(void **state)
{
	AUTO_ARENA struct arena a;
	struct node *n;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t len = 0; len < sizeof(page) - 2; len++) {
		struct error e = ERROR_INIT;

		arena_reset(&a);
		assert_int_equal(haproxy_stats_read(
				     page, len, "Frontend", "none", &a, &n, &e),
		    -1);
	}
}

/* A page of many servers, which is more than the JSON reader takes. */
static void
a_large_page(void **state)
{
	AUTO_STRBUF struct strbuf text;
	struct error e = ERROR_INIT;
	AUTO_ARENA struct arena a;
	struct node *n;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&text, 16 << 20);
	strbuf_addc(&text, '[');
	for (int s = 0; s < 200; s++) {
		strbuf_adds(&text, "[" NAME("Server", "web"));
		for (int i = 0; i < 100; i++)
			strbuf_adds(
			    &text, "," METRIC("Server", "x", "Gauge", "1"));
		strbuf_adds(&text, "],");
	}
	strbuf_adds(&text,
	    "[" NAME("Backend", "web") "," METRIC(
		"Backend", "scur", "Gauge", "3") "]]");
	test_ok(strbuf_check(&text, &e), &e);
	assert_int_equal(json_read(text.buf, text.len, &a, &n, NULL), -1);
	arena_reset(&a);
	test_ok(haproxy_stats_read(
		    text.buf, text.len, "Backend", "web", &a, &n, &e),
	    &e);
	assert_int_equal(n->u.map.n, 1);
}

/* Counters */

static int64_t
value_of(const struct node *figures)
{
	return node_get(node_get(figures, "x"), "value")->u.i;
}

static void
go_through(const char *nature, const int64_t *samples, const int64_t *want,
    size_t n, const char *old)
{
	struct node *kept = NULL, *now, *figure;
	struct error e = ERROR_INIT;
	AUTO_ARENA struct arena a;

	arena_init(&a, 1 << 20);
	if (old != NULL)
		test_ok(json_read(old, strlen(old), &a, &kept, &e), &e);
	for (size_t i = 0; i < n; i++) {
		now = node_new(&a, NODE_MAP);
		figure = node_new(&a, NODE_MAP);
		node_set(&a, figure, "value", node_int(&a, samples[i]));
		node_set(&a, figure, "type", node_str(&a, nature));
		node_set(&a, now, "x", figure);
		kept = haproxy_stats_go_on(kept, now, &a);
		assert_int_equal(value_of(kept), want[i]);
	}
}

static void
counters_go_on_after_a_reload(void **state)
{
	static const int64_t samples[] = { 1000, 1010, 5, 15, 25, 25 };
	static const int64_t counter[] = { 1000, 1010, 1015, 1025, 1035, 1035 };
	static const int64_t twice[] = { 7, 3, 1, 1, 9, 0 };
	static const int64_t counted[] = { 7, 10, 11, 11, 19, 19 };
	static const int64_t most[] = { 1000, 1010, 1010, 1010, 1010, 1010 };

	(void)state;
	go_through("Counter", samples, counter, 6, NULL);
	go_through("Counter", twice, counted, 6, NULL);
	go_through("Max", samples, most, 6, NULL);
	go_through("Gauge", samples, samples, 6, NULL);
}

static void
what_the_original_keeps_goes_on(void **state)
{
	static const int64_t samples[] = { 5, 6 };
	static const int64_t want[] = { 105, 106 };
	static const int64_t most[] = { 100, 100 };
	static const char old[] =
	    "{\"x\":{\"value\":100,\"type\":\"Counter\"}}";
	static const char odd[] = "{\"x\":{\"value\":\"no\",\"base\":-1}}";

	(void)state;
	go_through("Counter", samples, want, 2, old);
	go_through("Max", samples, most, 2, old);
	go_through("Counter", samples, samples, 2, odd);
	go_through("Counter", samples, samples, 2, "[]");
}

static int
read_and_go_on(void *ctx, struct error *e)
{
	AUTO_ARENA struct arena a;
	struct node *old, *now;

	(void)ctx;
	arena_init(&a, 1 << 20);
	if (read_page(page, "Frontend", "web", &a, &old, e) < 0 ||
	    read_page(page, "Frontend", "web", &a, &now, e) < 0)
		return -1;
	(void)haproxy_stats_go_on(haproxy_stats_go_on(NULL, old, &a), now, &a);
	return arena_check(&a, e);
}

static void
allocations_may_fail(void **state)
{
	(void)state;
	torture(read_and_go_on, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(figures_of_one_proxy),
	cmocka_unit_test(what_is_no_page),
	cmocka_unit_test(what_was_cut_off),
	cmocka_unit_test(a_large_page),
	cmocka_unit_test(counters_go_on_after_a_reload),
	cmocka_unit_test(what_the_original_keeps_goes_on),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
