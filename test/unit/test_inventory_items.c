/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Looking up items of jails: each item, one jail and all, what is in the way,
 * commands, cancelling, an end in the middle, and failing allocations.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/inventory.h"
#include "daemon/program.h"
#include "lib/base/log.h"
#include "lib/base/strbuf.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/event/loop.h"
#include "proto/config.h"
#include "test/unit/support/torture.h"

#define WORDS(...)                                                             \
  {                                                                            \
    (const char *[]){ __VA_ARGS__ },                                           \
	sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *)         \
  }

static const char *const env[] = { "PATH=/usr/bin:/bin", NULL };

static const struct config_keywords keywords = {
	.stats = WORDS("pcpu", "memoryuse"),
	.jail = WORDS("name", "status", "ports", "dirty", "type", "hostname"),
	.expose = WORDS("rule", "hport"),
	.label = WORDS("value"),
	.volume = WORDS("name", "uid"),
};

struct rig {
	struct loop *loop;
	struct cache *cache;
	struct inventory *inv;
	char jails[300];
	struct programs *programs;
	struct lookup_id id;
	unsigned n;
	char got[20000];
};

static struct rig rig;

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

static int
open_inventory(const struct test_dir *d, struct rig *r, struct error *e)
{
	struct inventory_places p = { .projects = "/nowhere",
		.locks = "/nowhere",
		.director_logs = "/nowhere",
		.appjail_logs = "/nowhere",
		.jails = r->jails };
	struct inventory_config c = { .environment = env,
		.keywords = &keywords,
		.skew_ms = { 3600000, 3600000 } };
	struct inventory_deps deps = { .cache = r->cache };
	char path[300];
	const struct programs_config pc = {
		.director = path,
		.appjail = path,
		.helper = path,
		.libexec = d->path,
	};

	(void)snprintf(r->jails, sizeof(r->jails), "%s/jails", d->path);
	(void)snprintf(path, sizeof(path), "%s/appjail", d->path);
	if (programs_new(&r->programs, e) < 0)
		return -1;
	programs_find(r->programs, &pc);
	c.programs = r->programs;
	if (loop_new(&r->loop, e) < 0) {
		r->programs = programs_free(r->programs);
		return -1;
	}
	deps.loop = r->loop;
	if (inventory_new(&r->inv, &deps, &p, e) < 0) {
		r->loop = loop_free(r->loop);
		r->programs = programs_free(r->programs);
		return -1;
	}
	inventory_configure(r->inv, &c);
	return 0;
}

static void
close_inventory(struct rig *r)
{
	r->inv = inventory_free(r->inv);
	r->loop = loop_free(r->loop);
	r->programs = programs_free(r->programs);
}

static void
open_rig(const struct test_dir *d)
{
	struct error e = ERROR_INIT;

	memset(&rig, 0, sizeof(rig));
	log_set_level(LOG_LEVEL_ERROR);
	test_ok(open_inventory(d, &rig, &e), &e);
}

static void
found(const char *text, size_t len, void *ctx)
{
	struct rig *r = ctx;

	r->n++;
	r->got[0] = '\0';
	if (text != NULL) {
		assert_int_equal(strlen(text), len);
		(void)snprintf(r->got, sizeof(r->got), "%s", text);
	}
	loop_stop(r->loop);
}

static void
found_usage(const struct node *n, void *ctx)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, sizeof(rig.got) - 1);
	json_write(&b, n, JSON_COMPACT);
	found(b.buf, b.len, ctx);
}

/* The item as JSON; "" when there is no such jail. */
static const char *
look_up(enum jail_item item, const char *jail)
{
	struct error e = ERROR_INIT;

	rig.n = 0;
	test_ok(
	    inventory_item(rig.inv, item, jail, found, &rig, &rig.id, &e), &e);
	assert_int_equal(rig.n, 0);
	test_ok(loop_run(rig.loop, &e), &e);
	assert_int_equal(rig.n, 1);
	return rig.got;
}

static const char *
usage(void)
{
	struct error e = ERROR_INIT;

	rig.n = 0;
	test_ok(inventory_usage(rig.inv, found_usage, &rig, &rig.id, &e), &e);
	test_ok(loop_run(rig.loop, &e), &e);
	assert_int_equal(rig.n, 1);
	return rig.got;
}

static const char *const empty[JAIL_ITEM_COUNT] = {
	[JAIL_STATS] = "{}",
	[JAIL_INFO] = ("{\"name\":\"a\",\"status\":\"DOWN\",\"ports\":\"\","
		       "\"dirty\":\"1\",\"type\":\"\",\"hostname\":\"\"}"),
	[JAIL_CPUSET] = "null",
	[JAIL_DEVFS] = "[]",
	[JAIL_EXPOSE] = "[]",
	[JAIL_HEALTHCHECK] = "[]",
	[JAIL_LIMITS] = "[]",
	[JAIL_FSTAB] = "[]",
	[JAIL_LABELS] = "[]",
	[JAIL_NAT] = "[]",
	[JAIL_VOLUMES] = "[]",
};

static void
nothing_is_empty(void **state)
{
	const struct test_dir *d = *state;

	open_rig(d);
	for (int i = 0; i < JAIL_ITEM_COUNT; i++)
		assert_string_equal(look_up((enum jail_item)i, "a"), "");
	assert_string_equal(usage(), "{}");
	assert_false(inventory_has(rig.inv, INVENTORY_JAILS, "a"));
	put(d, "jails/a/x", "");
	for (int i = 0; i < JAIL_ITEM_COUNT; i++)
		assert_string_equal(look_up((enum jail_item)i, "a"), empty[i]);
	assert_true(inventory_has(rig.inv, INVENTORY_JAILS, "a"));
	close_inventory(&rig);
}

static void
names_do_not_lead_out(void **state)
{
	static const char *const names[] = { "..", ".", "", "a/conf", "link",
		"file", "/etc" };
	const struct test_dir *d = *state;

	put(d, "jails/a/conf/labels/l/value", "v");
	put(d, "jails/file", "");
	put(d, "outside/conf/labels/l/value", "secret");
	assert_int_equal(symlinkat("../outside", d->fd, "jails/link"), 0);
	open_rig(d);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], "a/conf") != 0)
			assert_false(
			    inventory_has(rig.inv, INVENTORY_JAILS, names[i]));
		assert_null(strstr(look_up(JAIL_LABELS, names[i]), "secret"));
	}
	close_inventory(&rig);
}

static void
rows_have_keywords_and_an_index(void **state)
{
	const struct test_dir *d = *state;

	put(d, "jails/a/conf/boot/expose/10/pf-rule", "r\n");
	put(d, "jails/a/conf/boot/expose/9/hport", "80");
	put(d, "jails/a/conf/boot/expose/9/rule", "not this one");
	put(d, "jails/a/conf/boot/expose/x/hport", "1");
	put(d, "jails/a/conf/volumes/v/uid", "0\n");
	put(d, "jails/a/conf/labels/l/value", "");
	put(d, "jails/a/conf/boot/limits/0/rule", "r");
	put(d, "jails/b/x", "");
	open_rig(d);
	assert_string_equal(look_up(JAIL_EXPOSE, "a"),
	    "[{\"rule\":null,\"hport\":\"80\",\"nro\":\"9\"},"
	    "{\"rule\":\"r\",\"hport\":null,\"nro\":\"10\"}]");
	assert_string_equal(
	    look_up(JAIL_VOLUMES, "a"), "[{\"name\":\"v\",\"uid\":\"0\"}]");
	assert_string_equal(
	    look_up(JAIL_LABELS, "a"), "[{\"value\":null,\"name\":\"l\"}]");
	/* No keyword, no index. */
	assert_string_equal(look_up(JAIL_LIMITS, "a"), "[{}]");
	assert_string_equal(look_up(JAIL_LABELS, "b"), "[]");
	close_inventory(&rig);
}

static void
a_command_is_asked_when_the_jail_runs(void **state)
{
	const struct test_dir *d = *state;

	put(d, "jails/a/x", "");
	put(d, "jails/b/up", "");
	put(d, "jails/c/up", "");
	test_dir_put(d, "appjail", "#!/bin/sh\necho \"0, ${#2}\"\n");
	assert_int_equal(fchmodat(d->fd, "appjail", 0700, 0), 0);
	open_rig(d);
	assert_string_equal(look_up(JAIL_CPUSET, "b"), "\"0, 1\"");
	assert_string_equal(look_up(JAIL_CPUSET, "a"), "null");
	assert_string_equal(look_up(JAIL_CPUSET, "c"), "\"0, 1\"");
	test_dir_put(d, "appjail", "#!/bin/sh\necho x\n");
	assert_string_equal(look_up(JAIL_CPUSET, "b"), "null");
	close_inventory(&rig);
}

/* rctl of this test prints what is in the jail's file. */
static void
sums_do_not_turn_around(void **state)
{
	const struct test_dir *d = *state;
	char path[400];

	put(d, "jails/a/up", "");
	put(d, "jails/a/usage", "pcpu=1\nmemoryuse=9223372036854775807\n");
	put(d, "jails/b/up", "");
	put(d, "jails/b/usage", "");
	put(d, "jails/c/up", "");
	put(d, "jails/c/usage", "memoryuse=5\npcpu=2\n");
	put(d, "jails/d/usage", "pcpu=100\n");
	(void)snprintf(path, sizeof(path),
	    "#!/bin/sh\ncat %s/jails/${2#jail:}/usage\n", d->path);
	put(d, "bin/rctl", path);
	assert_int_equal(fchmodat(d->fd, "bin/rctl", 0700, 0), 0);
	(void)snprintf(
	    path, sizeof(path), "%s/bin:%s", d->path, getenv("PATH"));
	assert_int_equal(setenv("PATH", path, 1), 0);
	open_rig(d);
	assert_string_equal(
	    usage(), "{\"pcpu\":3,\"memoryuse\":9223372036854775807}");
	close_inventory(&rig);
}

static void
a_cancelled_lookup_is_not_told(void **state)
{
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	struct lookup_id id[3];

	put(d, "jails/a/up", "");
	test_dir_put(d, "appjail", "#!/bin/sh\nsleep 1000\n");
	assert_int_equal(fchmodat(d->fd, "appjail", 0700, 0), 0);
	open_rig(d);
	for (size_t i = 0; i < 3; i++)
		test_ok(
		    inventory_item(rig.inv, i == 2 ? JAIL_CPUSET : JAIL_LABELS,
			"a", found, &rig, &id[i], &e),
		    &e);
	inventory_cancel(rig.inv, id[0]);
	inventory_cancel(rig.inv, id[0]);
	test_ok(loop_run(rig.loop, &e), &e);
	assert_int_equal(rig.n, 1);
	/* Another one sees that the command has begun to be waited for. */
	assert_string_equal(look_up(JAIL_LABELS, "a"), "[]");
	inventory_cancel(rig.inv, id[2]);
	inventory_cancel(rig.inv, id[1]);
	assert_string_equal(look_up(JAIL_LABELS, "a"), "[]");
	close_inventory(&rig);
}

static void
the_end_may_come_at_any_time(void **state)
{
	static const enum jail_item items[] = { JAIL_LABELS, JAIL_CPUSET,
		JAIL_INFO };
	const struct test_dir *d = *state;

	put(d, "jails/a/up", "");
	test_dir_put(d, "appjail", "#!/bin/sh\nsleep 1000\n");
	assert_int_equal(fchmodat(d->fd, "appjail", 0700, 0), 0);
	for (unsigned rounds = 0; rounds < 3; rounds++) {
		struct lookup_id id;
		struct error e = ERROR_INIT;

		open_rig(d);
		for (size_t i = 0; i < ARRAY_LEN(items); i++)
			test_ok(inventory_item(rig.inv, items[i], "a", found,
				    &rig, &id, &e),
			    &e);
		if (rounds == 2)
			test_ok(loop_run(rig.loop, &e), &e);
		rig.n = 0;
		close_inventory(&rig);
		assert_int_equal(rig.n, 0);
	}
}

static int
body(void *ctx, struct error *e)
{
	static struct rig r;
	struct lookup_id id;
	int rc = 0;

	memset(&r, 0, sizeof(r));
	if (open_inventory(ctx, &r, e) < 0)
		return -1;
	for (int i = 0; rc == 0 && i < JAIL_ITEM_COUNT; i++) {
		r.n = 0;
		rc = inventory_item(
		    r.inv, (enum jail_item)i, "a", found, &r, &id, e);
		if (rc == 0)
			rc = loop_run(r.loop, e);
		/* What could not be had is empty, never missing. */
		if (rc == 0)
			assert_true(r.n == 1);
	}
	close_inventory(&r);
	return rc;
}

static void
allocations_may_fail(void **state)
{
	const struct test_dir *d = *state;
	char text[20000];

	put(d, "jails/a/conf/boot/expose/0/hport", "80");
	put(d, "jails/a/conf/labels/l/value", "v");
	put(d, "jails/a/conf/volumes/v/uid", "0");
	/* Too long for what an arena has at hand. */
	memset(text, '#', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	put(d, "jails/a/conf/config.conf", text);
	put(d, "jails/a/conf/template.conf", text);
	log_set_level(LOG_LEVEL_ERROR);
	torture(body, *state);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(nothing_is_empty),
	TEST_IN_DIR(names_do_not_lead_out),
	TEST_IN_DIR(rows_have_keywords_and_an_index),
	TEST_IN_DIR(a_command_is_asked_when_the_jail_runs),
	TEST_IN_DIR(sums_do_not_turn_around),
	TEST_IN_DIR(a_cancelled_lookup_is_not_told),
	TEST_IN_DIR(the_end_may_come_at_any_time),
	TEST_IN_DIR(allocations_may_fail),
};
TEST_MAIN(tests)
