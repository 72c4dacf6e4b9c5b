/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Jails, projects and logs as AppJail and Director keep them: what counts, what
 * does not, odd contents, and failing allocations.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/inventory_internal.h"
#include "lib/base/strbuf.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/event/loop.h"
#include "test/unit/support/torture.h"

#define DATE "2026-01-02_03h04m05s"
#define PROJECT "projects/web"

struct rig {
	struct loop *loop;
	struct inventory *inv;
	struct arena a;
	struct strbuf shown;
	char paths[5][300];
};

static void
mkdirs(const struct test_dir *d, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(mkdirat(d->fd, names[i], 0755), 0);
}

static int
open_inventory(const struct test_dir *d, struct rig *r, struct error *e)
{
	static const char *const names[] = { "projects", "locks", "logs",
		"jails", "jail-logs" };
	struct inventory_places p;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)snprintf(r->paths[i], sizeof(r->paths[i]), "%s/%s",
		    d->path, names[i]);
	p = (struct inventory_places){
		.projects = r->paths[0],
		.locks = r->paths[1],
		.director_logs = r->paths[2],
		.jails = r->paths[3],
		.appjail_logs = r->paths[4],
	};
	if (loop_new(&r->loop, e) < 0)
		return -1;
	if (inventory_new(&r->inv, &(struct inventory_deps){ .loop = r->loop },
		&p, e) == 0)
		return 0;
	r->loop = loop_free(r->loop);
	return -1;
}

static int
director_log(struct inventory *inv, const char *date, const char *service,
    const char *log, struct arena *a, struct node **ret, struct error *e)
{
	const char *const names[3] = { date, service, log };

	return inventory_director_log(inv, names, a, ret, e);
}

static int
describe(struct inventory *inv, const char *project, struct arena *a,
    struct node **ret, struct error *e)
{
	AUTO_SOURCES struct sources sources;

	sources_init(&sources, inv->jails);
	return project_describe(inv, project, a, &sources, ret, e);
}

static void
rig_open(const struct test_dir *d, struct rig *r)
{
	struct error e = ERROR_INIT;

	arena_init(&r->a, (size_t)4 << 20);
	strbuf_init(&r->shown, (size_t)4 << 20);
	test_ok(open_inventory(d, r, &e), &e);
}

static void
rig_close(struct rig *r)
{
	r->inv = inventory_free(r->inv);
	r->loop = loop_free(r->loop);
	strbuf_fini(&r->shown);
	arena_fini(&r->a);
}

static const char *
show(struct rig *r, const struct node *n)
{
	strbuf_reset(&r->shown);
	json_write(&r->shown, n, JSON_COMPACT);
	return r->shown.buf;
}

static void
take_names(
    const struct inventory_names *names, const struct error *e, void *ctx)
{
	struct rig *r = ctx;

	(void)e;
	strbuf_reset(&r->shown);
	for (size_t i = 0; names != NULL && i < names->n; i++)
		strbuf_addf(
		    &r->shown, "%s%s", i > 0 ? "," : "", names->items[i]);
	if (names == NULL)
		strbuf_addf(&r->shown, "-%s", ove_to_string(e->code));
	loop_stop(r->loop);
}

/* "a,b" */
static const char *
names(struct rig *r, enum inventory_kind kind)
{
	struct error e = ERROR_INIT;
	struct lookup_id id;

	strbuf_reset(&r->shown);
	strbuf_adds(&r->shown, "not told");
	test_ok(inventory_names(r->inv, kind, take_names, r, &id, &e), &e);
	assert_string_equal(r->shown.buf, "not told");
	test_ok(loop_run(r->loop, &e), &e);
	return r->shown.buf;
}

static void
what_is_not_there_is_empty(void **state)
{
	struct project_state st;
	struct error e = ERROR_INIT;
	struct node *n;
	struct rig r;

	rig_open(*state, &r);
	assert_string_equal(names(&r, INVENTORY_JAILS), "");
	assert_string_equal(names(&r, INVENTORY_PROJECTS), "");
	test_ok(inventory_director_logs(r.inv, &r.a, &n, &e), &e);
	assert_string_equal(show(&r, n), "{}");
	test_fails(director_log(r.inv, DATE, "web", "x.log", &r.a, &n, &e), &e,
	    OVE_NOTFOUND);
	error_clear(&e);
	assert_int_equal(describe(r.inv, "web", &r.a, &n, &e), INVENTORY_NONE);
	inventory_project_state(r.inv, "web", &st);
	assert_false(st.exists);
	assert_false(st.locked);
	test_ok(inventory_unlock(r.inv, "web", &e), &e);
	rig_close(&r);
}

static void
lists_are_sorted_directories_with_good_names(void **state)
{
	static const char *const dirs[] = { "jails", "jails/b", "jails/a",
		"jails/a.b", "jails/-x", "projects", "projects/b",
		"projects/a.b", "projects/a b", "projects/..." };
	const struct test_dir *d = *state;
	struct rig r;

	mkdirs(d, dirs, ARRAY_LEN(dirs));
	test_dir_put(d, "jails/file", "");
	test_dir_put(d, "projects/file", "");
	assert_int_equal(symlinkat("a", d->fd, "jails/link"), 0);
	assert_int_equal(symlinkat("b", d->fd, "projects/link"), 0);
	rig_open(d, &r);
	assert_string_equal(names(&r, INVENTORY_JAILS), "a,b");
	assert_string_equal(names(&r, INVENTORY_PROJECTS), "...,a.b,b");
	rig_close(&r);
}

static const char *const project_dirs[] = { "projects", PROJECT, "locks",
	"locks/web", "jails", "jails/j1", "jails/j2", PROJECT "/s1" };

static void
a_project_is_described(void **state)
{
	const struct test_dir *d = *state;
	struct project_state st;
	struct error e = ERROR_INIT;
	struct node *n;
	struct rig r;

	mkdirs(d, project_dirs, ARRAY_LEN(project_dirs));
	test_dir_put(d, PROJECT "/state", "done\n");
	test_dir_put(d, PROJECT "/last_log", "/x/y/" DATE "\n");
	test_dir_put(d, PROJECT "/pid", "4242");
	test_dir_put(d, "locks/web/lock", "");
	/* s1's name is in its file, s2's in the spec, s3 has none. */
	test_dir_put(d, PROJECT "/s1/name", "j1\n");
	test_dir_put(d, PROJECT "/appjail-director.yml",
	    "services:\n  s1: {name: other}\n  s2: {name: j2}\n  s3: {}\n"
	    "  s4: {name: nope}\n  s5: {name: ../../etc}\n  ../s1: {}\n");
	rig_open(d, &r);
	test_ok(describe(r.inv, "web", &r.a, &n, &e), &e);
	assert_string_equal(show(&r, n),
	    "{\"name\":\"web\",\"state\":\"DONE\",\"last_log\":\"" DATE
	    "\",\"locked\":true,\"services\":["
	    "{\"name\":\"s1\",\"status\":1,\"jail\":\"j1\"},"
	    "{\"name\":\"s2\",\"status\":1,\"jail\":\"j2\"},"
	    "{\"name\":\"s3\",\"status\":65,\"jail\":null},"
	    "{\"name\":\"s4\",\"status\":66,\"jail\":\"nope\"},"
	    "{\"name\":\"s5\",\"status\":65,\"jail\":\"../../etc\"},"
	    "{\"name\":\"../s1\",\"status\":65,\"jail\":null}]}");
	inventory_project_state(r.inv, "web", &st);
	assert_true(st.exists && st.locked);
	assert_int_equal(st.phase, PROJECT_DONE);
	assert_int_equal(st.pid, 4242);
	assert_true(st.locked_at > 0);
	test_ok(inventory_unlock(r.inv, "web", &e), &e);
	inventory_project_state(r.inv, "web", &st);
	assert_false(st.locked);
	rig_close(&r);
}

static void
take_look(const struct project_look *look, const struct error *e, void *ctx)
{
	struct rig *r = ctx;

	assert_false(error_is_set(e));
	strbuf_reset(&r->shown);
	if (look->info != NULL)
		json_write(
		    &r->shown, node_get(look->info, "services"), JSON_COMPACT);
	strbuf_addf(&r->shown, " %d %s", look->state.exists,
	    project_phase_to_string(look->state.phase));
	loop_stop(r->loop);
}

/* "[services] exists PHASE"; never in the call. */
static const char *
look(struct rig *r, const char *project)
{
	struct error e = ERROR_INIT;
	struct lookup_id id;

	strbuf_reset(&r->shown);
	strbuf_adds(&r->shown, "not told");
	test_ok(
	    inventory_look(r->inv, project, "x.", take_look, r, &id, &e), &e);
	assert_string_equal(r->shown.buf, "not told");
	test_ok(loop_run(r->loop, &e), &e);
	return r->shown.buf;
}

static void
a_look_shows_labels_of_jails_that_are_there(void **state)
{
	static const char *const dirs[] = { "jails/j1/conf",
		"jails/j1/conf/labels", "jails/j1/conf/labels/x.a",
		"jails/j1/conf/labels/x.b", "jails/j1/conf/labels/y",
		"jails/j2/conf", "jails/j2/conf/labels",
		"jails/j2/conf/labels/x.long", "jails/j2/conf/labels/x.ok" };
	const struct test_dir *d = *state;
	AUTO_STRBUF struct strbuf big;
	struct rig r;

	mkdirs(d, project_dirs, ARRAY_LEN(project_dirs));
	mkdirs(d, dirs, ARRAY_LEN(dirs));
	test_dir_put(d, PROJECT "/state", "done");
	test_dir_put(d, "jails/j1/up", "");
	test_dir_put(d, "jails/j1/conf/labels/x.a/value", "1\n");
	test_dir_put(d, "jails/j1/conf/labels/y/value", "2");
	strbuf_init(&big, 200000);
	for (int i = 0; i < 100000; i++)
		strbuf_addc(&big, '1');
	test_dir_put(d, "jails/j2/conf/labels/x.long/value", big.buf);
	test_dir_put(d, "jails/j2/conf/labels/x.ok/value", "3");
	test_dir_put(d, PROJECT "/appjail-director.yml",
	    "services: {s1: {name: j1}, s2: {name: j2}, s3: {name: gone}}\n");
	rig_open(d, &r);
	assert_string_equal(look(&r, "web"),
	    "[{\"name\":\"s1\",\"status\":0,\"jail\":\"j1\","
	    "\"labels\":{\"x.a\":\"1\",\"x.b\":null}},"
	    "{\"name\":\"s2\",\"status\":1,\"jail\":\"j2\","
	    "\"unread\":true,\"labels\":{\"x.long\":null,\"x.ok\":\"3\"}},"
	    "{\"name\":\"s3\",\"status\":66,\"jail\":\"gone\"}] 1 DONE");
	rig_close(&r);
}

static void
a_look_says_what_it_does_not_see(void **state)
{
	const struct test_dir *d = *state;
	struct rig r;

	mkdirs(d, project_dirs, 2);
	test_dir_put(d, PROJECT "/state", "failed");
	test_dir_put(d, PROJECT "/appjail-director.yml", "a: [");
	rig_open(d, &r);
	assert_string_equal(look(&r, "web"), " 1 FAILED");
	assert_string_equal(look(&r, "nope"), " 0 UNFINISHED");
	assert_string_equal(look(&r, "../web"), " 0 UNFINISHED");
	rig_close(&r);
}

static void
states_have_five_words(void **state)
{
	static const struct {
		const char *text;
		enum project_phase phase;
		const char *shown;
	} rows[] = {
		{ "done", PROJECT_DONE, "DONE" },
		{ "failed", PROJECT_FAILED, "FAILED" },
		{ "unfinished\n", PROJECT_UNFINISHED, "UNFINISHED" },
		{ "destroying\r\n", PROJECT_DESTROYING, "DESTROYING" },
		{ "", PROJECT_UNKNOWN, "UNKNOWN" },
		{ "DONE", PROJECT_UNKNOWN, "UNKNOWN" },
		{ " done", PROJECT_UNKNOWN, "UNKNOWN" },
	};
	const struct test_dir *d = *state;
	struct project_state st;
	struct rig r;

	mkdirs(d, project_dirs, 2);
	rig_open(d, &r);
	inventory_project_state(r.inv, "web", &st);
	assert_true(st.exists);
	assert_int_equal(st.phase, PROJECT_UNFINISHED);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_dir_put(d, PROJECT "/state", rows[i].text);
		inventory_project_state(r.inv, "web", &st);
		assert_int_equal(st.phase, rows[i].phase);
		assert_string_equal(
		    project_phase_to_string(st.phase), rows[i].shown);
	}
	rig_close(&r);
}

static void
pids_are_numbers_or_unknown(void **state)
{
	static const char *const texts[] = { "", "x", "-1", "0", "1x",
		"99999999999999999999", "1 2" };
	const struct test_dir *d = *state;
	struct project_state st;
	struct rig r;

	mkdirs(d, project_dirs, 2);
	rig_open(d, &r);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		test_dir_put(d, PROJECT "/pid", texts[i]);
		inventory_project_state(r.inv, "web", &st);
		assert_int_equal(st.pid, 0);
	}
	rig_close(&r);
}

static void
names_do_not_lead_out(void **state)
{
	static const char *const names[] = { "..", ".", "", "../web", "web/",
		"web/s1", "/etc" };
	const struct test_dir *d = *state;
	struct project_state st;
	struct node *n;
	struct rig r;

	mkdirs(d, project_dirs, ARRAY_LEN(project_dirs));
	assert_int_equal(symlinkat("web", d->fd, "projects/link"), 0);
	rig_open(d, &r);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		inventory_project_state(r.inv, names[i], &st);
		if (strcmp(names[i], "web/s1") != 0)
			assert_false(st.exists);
		(void)describe(r.inv, names[i], &r.a, &n, NULL);
	}
	inventory_project_state(r.inv, "link", &st);
	assert_false(st.exists);
	rig_close(&r);
}

static void
without_its_file_a_project_counts_while_it_is_made(void **state)
{
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	struct node *n;
	struct rig r;

	mkdirs(d, project_dirs, 2);
	rig_open(d, &r);
	/* Also for who does not ask why. */
	assert_int_equal(describe(r.inv, "web", &r.a, &n, NULL), 0);
	test_ok(describe(r.inv, "web", &r.a, &n, &e), &e);
	assert_string_equal(show(&r, n),
	    "{\"name\":\"web\",\"state\":\"UNFINISHED\",\"last_log\":null,"
	    "\"locked\":false,\"services\":[]}");
	test_dir_put(d, PROJECT "/state", "done");
	assert_int_equal(describe(r.inv, "web", &r.a, &n, &e), -1);
	assert_non_null(strstr(e.text, "'web'"));
	error_clear(&e);
	test_dir_put(d, PROJECT "/appjail-director.yml", "a: [");
	test_fails(describe(r.inv, "web", &r.a, &n, &e), &e, OVE_CORRUPT);
	error_clear(&e);
	/* A pipe in its place is as good as nothing, and nobody waits. */
	assert_int_equal(
	    unlinkat(d->fd, PROJECT "/appjail-director.yml", 0), 0);
	assert_int_equal(
	    mkfifoat(d->fd, PROJECT "/appjail-director.yml", 0600), 0);
	test_fails(describe(r.inv, "web", &r.a, &n, &e), &e, OVE_NOTFOUND);
	rig_close(&r);
}

static const char *const log_dirs[] = { "logs", "logs/" DATE,
	"logs/" DATE "/web", "logs/" DATE "/a.b", "logs/" DATE "/no name",
	"logs/nodate", "logs/" DATE "/web/dir.log", "outside" };

static void
make_logs(const struct test_dir *d)
{
	mkdirs(d, log_dirs, ARRAY_LEN(log_dirs));
	test_dir_put(d, "logs/" DATE "/web/start.log", "a\r\n\x1b[1mb\xff\n");
	test_dir_put(d, "logs/" DATE "/web/make.log", "");
	test_dir_put(d, "logs/" DATE "/web/x.txt", "");
	test_dir_put(d, "logs/" DATE "/exception.log", "");
	test_dir_put(d, "outside/start.log", "secret");
	assert_int_equal(
	    mkfifoat(d->fd, "logs/" DATE "/web/fifo.log", 0600), 0);
	assert_int_equal(
	    symlinkat("start.log", d->fd, "logs/" DATE "/web/link.log"), 0);
	assert_int_equal(
	    symlinkat("../../outside", d->fd, "logs/" DATE "/out"), 0);
}

static void
logs_are_a_tree(void **state)
{
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	struct node *n;
	struct rig r;

	make_logs(d);
	rig_open(d, &r);
	test_ok(inventory_director_logs(r.inv, &r.a, &n, &e), &e);
	assert_string_equal(show(&r, n),
	    "{\"" DATE "\":{\"a.b\":[],"
	    "\"web\":[\"make.log\",\"start.log\"]}}");
	rig_close(&r);
}

static void
a_log_is_a_regular_file_below_the_logs(void **state)
{
	static const struct {
		const char *service;
		const char *log;
	} none[] = {
		{ "web", "nope.log" },
		{ "nope", "start.log" },
		{ "web", "dir.log" },
		{ "web", "fifo.log" },
		{ "web", "link.log" },
		{ "out", "start.log" },
		{ "exception.log", "start.log" },
	};
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	struct node *n;
	struct rig r;

	make_logs(d);
	rig_open(d, &r);
	test_ok(
	    director_log(r.inv, DATE, "web", "start.log", &r.a, &n, &e), &e);
	assert_string_equal(node_text(n), "a\nb\xef\xbf\xbd");
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		error_clear(&e);
		test_fails(director_log(r.inv, DATE, none[i].service,
			       none[i].log, &r.a, &n, &e),
		    &e, OVE_NOTFOUND);
	}
	/* Nor does "..", whoever let it through. */
	assert_int_equal(
	    director_log(r.inv, DATE, "..", "start.log", &r.a, &n, NULL), -1);
	rig_close(&r);
}

static int
read_body(void *ctx, struct error *e)
{
	AUTO_ARENA struct arena a;
	AUTO(loop) struct loop *l = NULL;
	AUTO(inventory) struct inventory *inv = NULL;
	struct project_state st;
	struct rig r;
	struct node *n;

	arena_init(&a, (size_t)4 << 20);
	if (open_inventory(ctx, &r, e) < 0)
		return -1;
	l = r.loop;
	inv = r.inv;
	inventory_project_state(inv, "web", &st);
	if (describe(inv, "web", &a, &n, e) < 0 ||
	    inventory_director_logs(inv, &a, &n, e) < 0)
		return -1;
	return director_log(inv, DATE, "web", "start.log", &a, &n, e);
}

static void
allocations_may_fail(void **state)
{
	const struct test_dir *d = *state;

	mkdirs(d, project_dirs, ARRAY_LEN(project_dirs));
	test_dir_put(d, PROJECT "/state", "done");
	test_dir_put(d, PROJECT "/s1/name", "j1");
	test_dir_put(d, PROJECT "/appjail-director.yml",
	    "services: {s1: {}, s2: {name: j2}}\n");
	make_logs(d);
	torture(read_body, *state);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(what_is_not_there_is_empty),
	TEST_IN_DIR(lists_are_sorted_directories_with_good_names),
	TEST_IN_DIR(a_project_is_described),
	TEST_IN_DIR(a_look_shows_labels_of_jails_that_are_there),
	TEST_IN_DIR(a_look_says_what_it_does_not_see),
	TEST_IN_DIR(states_have_five_words),
	TEST_IN_DIR(pids_are_numbers_or_unknown),
	TEST_IN_DIR(names_do_not_lead_out),
	TEST_IN_DIR(without_its_file_a_project_counts_while_it_is_made),
	TEST_IN_DIR(logs_are_a_tree),
	TEST_IN_DIR(a_log_is_a_regular_file_below_the_logs),
	TEST_IN_DIR(allocations_may_fail),
};

TEST_MAIN(tests)
