/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Free ports: sets, drawing, the system's range, and searching with jails that
 * expose some.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/jailfiles.h"
#include "daemon/ports.h"
#include "daemon/portset.h"
#include "lib/event/loop.h"
#include "test/unit/support/torture.h"

static void
add_takes_ports_and_ranges(void **state)
{
	static const char *const bad[] = { "", "x", "80:", ":80", "80:79",
		"65536", "-1", "80 ", "80:90:100", "80-90" };
	struct portset set = { { 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (portset_add_text(&set, bad[i]))
			fail_msg("'%s'", bad[i]);
	for (unsigned p = 0; p < PORTSET_ALL; p++)
		assert_false(portset_has(&set, p));
	assert_true(portset_add_text(&set, "80"));
	assert_true(portset_add_text(&set, "0"));
	assert_true(portset_add_text(&set, "65530:65535"));
	assert_true(portset_add_text(&set, "90:90"));
	for (unsigned p = 0; p < PORTSET_ALL; p++)
		assert_int_equal(portset_has(&set, p),
		    p == 0 || p == 80 || p == 90 || p >= 65530);
}

static void
draw_gives_what_is_not_in_the_set(void **state)
{
	struct portset used = { { 0 } };
	unsigned seen = 0;

	(void)state;
	assert_true(portset_add_text(&used, "101:103"));
	for (int i = 0; i < 1000; i++) {
		uint16_t p = portset_draw(&used, 100, 106);

		assert_in_range(p, 100, 105);
		assert_false(portset_has(&used, p));
		seen |= 1u << (p - 100);
	}
	/* Each of the three was drawn. */
	assert_int_equal(seen, 0x31);
	assert_true(portset_add_text(&used, "100:105"));
	assert_int_equal(portset_draw(&used, 100, 106), 0);
	assert_int_equal(portset_draw(&used, 100, 100), 0);
	/* The end is not one of them. */
	assert_int_equal(portset_draw(&used, 99, 106), 99);
}

static void
range_is_the_systems(void **state)
{
	struct error e = ERROR_INIT;
	uint16_t first = 0, end = 0;

	(void)state;
	test_ok(ports_range(&first, &end, &e), &e);
	assert_true(first > 0 && first < end);
}

static void
put(const struct test_dir *d, const char *path, const char *text)
{
	char part[300];

	for (const char *p = path; (p = strchr(p, '/')) != NULL; p++) {
		(void)snprintf(
		    part, sizeof(part), "%.*s", (int)(p - path), path);
		assert_true(mkdirat(d->fd, part, 0755) == 0 || errno == EEXIST);
	}
	test_dir_put(d, path, text);
}

#define EXPOSE "/conf/boot/expose/"

static void
exposed_ports_are_those_of_the_interface(void **state)
{
	const struct test_dir *d = *state;
	struct portset set = { { 0 } };
	struct error e = ERROR_INIT;

	put(d, "a" EXPOSE "0/on_if", "em0\n");
	put(d, "a" EXPOSE "0/hport", "8080\n");
	put(d, "a" EXPOSE "1/on_if", "em1\n");
	put(d, "a" EXPOSE "1/hport", "8081\n");
	put(d, "b" EXPOSE "7/on_if", "em0");
	put(d, "b" EXPOSE "7/hport", "9000:9002");
	/* Half of one, one that makes no sense, and what is none. */
	put(d, "b" EXPOSE "8/on_if", "em0");
	put(d, "b" EXPOSE "9/on_if", "em0");
	put(d, "b" EXPOSE "9/hport", "http");
	put(d, "b" EXPOSE "x/on_if", "em0");
	put(d, "b" EXPOSE "x/hport", "8082");
	put(d, "plain", "");
	test_ok(jailfiles_ports(d->path, "em0", &set, &e), &e);
	for (unsigned p = 0; p < PORTSET_ALL; p++)
		assert_int_equal(portset_has(&set, p),
		    p == 8080 || (p >= 9000 && p <= 9002));
	/* A node without jails has none that are taken. */
	test_ok(jailfiles_ports("/nowhere", "em0", &set, &e), &e);
}

struct rig {
	struct loop *loop;
	unsigned n;
	enum ports_end end;
	uint16_t ports[3];
	size_t which;
	char text[600];
};

static void
told(const struct ports_result *r, void *ctx)
{
	struct rig *rig = ctx;

	rig->n++;
	rig->end = r->end;
	rig->which = r->which;
	if (r->end == PORTS_FOUND)
		memcpy(rig->ports, r->ports, sizeof(rig->ports));
	if (r->end == PORTS_FAILED)
		(void)snprintf(rig->text, sizeof(rig->text), "%s: %s",
		    r->exception, r->e.text);
	loop_stop(rig->loop);
}

static void
search(struct rig *rig, const struct ports_wish *wishes, size_t n)
{
	struct error e = ERROR_INIT;
	struct ports *p;
	struct ports_id id;

	memset(rig, 0, sizeof(*rig));
	test_ok(loop_new(&rig->loop, &e), &e);
	test_ok(ports_new(&p, rig->loop, &e), &e);
	test_ok(ports_find(p, "/nowhere", wishes, n, told, rig, &id, &e), &e);
	assert_int_equal(rig->n, 0);
	test_ok(loop_run(rig->loop, &e), &e);
	assert_int_equal(rig->n, 1);
	p = ports_free(p);
	rig->loop = loop_free(rig->loop);
}

static void
find_grants_wishes(void **state)
{
	const struct ports_wish wishes[] = { { "lo", "127.0.0.0/8" },
		{ "lo", "127.0.0.1" }, { "lo", NULL } };
	uint16_t first, end;
	struct rig rig;

	(void)state;
	search(&rig, wishes, 3);
	assert_int_equal(rig.end, PORTS_FOUND);
	test_ok(ports_range(&first, &end, NULL), NULL);
	for (size_t i = 0; i < 3; i++)
		assert_in_range(rig.ports[i], first, end - 1);
	assert_int_not_equal(rig.ports[0], rig.ports[1]);
	assert_int_not_equal(rig.ports[0], rig.ports[2]);
	assert_int_not_equal(rig.ports[1], rig.ports[2]);
}

static void
find_says_which_wish_was_too_much(void **state)
{
	const struct ports_wish none[] = { { "lo", NULL },
		{ "lo", "192.0.2.0/24" } };
	const struct ports_wish gone[] = { { "nope0", NULL } };
	const struct ports_wish bad[] = { { "lo", "x" } };
	struct rig rig;

	(void)state;
	search(&rig, none, 2);
	assert_int_equal(rig.end, PORTS_NONE);
	assert_int_equal(rig.which, 1);
	search(&rig, gone, 1);
	assert_string_equal(
	    rig.text, "InterfaceNotFound: nope0: Interface not found.");
	search(&rig, bad, 1);
	assert_string_equal(rig.text,
	    "ValueError: 'x' does not appear to be an IPv4 or IPv6 network");
}

static void
cancelled_searches_are_not_told(void **state)
{
	const struct ports_wish wish = { "lo", NULL };
	struct error e = ERROR_INIT;
	struct rig rig = { 0 };
	struct ports *p;
	struct ports_id id;

	(void)state;
	test_ok(loop_new(&rig.loop, &e), &e);
	test_ok(ports_new(&p, rig.loop, &e), &e);
	test_ok(ports_find(p, "/nowhere", &wish, 1, told, &rig, &id, &e), &e);
	ports_cancel(p, id);
	ports_cancel(p, id);
	test_ok(ports_find(p, "/nowhere", &wish, 1, told, &rig, &id, &e), &e);
	p = ports_free(p);
	assert_int_equal(rig.n, 0);
	rig.loop = loop_free(rig.loop);
}

/* What the thread lacks is told as well. */
static int
search_once(void *ctx, struct error *e)
{
	static const struct ports_wish wishes[] = { { "lo", "127.0.0.0/8" },
		{ "lo", NULL } };
	struct rig *rig = ctx;
	struct ports_id id;
	struct ports *p;
	int rc;

	rig->n = 0;
	if (ports_new(&p, rig->loop, e) < 0)
		return -1;
	rc = ports_find(p, "/nowhere", wishes, 2, told, rig, &id, e);
	if (rc == 0) {
		rc = loop_run(rig->loop, e);
		assert_int_equal(rig->n, 1);
		if (rig->end != PORTS_FOUND)
			rc = error_set(e, OVE_NOMEM, "%s", rig->text);
	}
	p = ports_free(p);
	return rc;
}

static void
allocations_may_fail(void **state)
{
	struct error e = ERROR_INIT;
	struct rig rig = { 0 };

	(void)state;
	test_ok(loop_new(&rig.loop, &e), &e);
	/* The loop keeps what it makes for a descriptor. */
	test_ok(search_once(&rig, &e), &e);
	torture(search_once, &rig);
	rig.loop = loop_free(rig.loop);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(add_takes_ports_and_ranges),
	cmocka_unit_test(draw_gives_what_is_not_in_the_set),
	cmocka_unit_test(range_is_the_systems),
	TEST_IN_DIR(exposed_ports_are_those_of_the_interface),
	cmocka_unit_test(find_grants_wishes),
	cmocka_unit_test(find_says_which_wish_was_too_much),
	cmocka_unit_test(cancelled_searches_are_not_told),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
