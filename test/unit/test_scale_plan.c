/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The table of decisions (runtime.md 5.4), row by row: servers as letters, what
 * is to be done with which of them, and what the log says of it.
 */
#include "test/unit/support/test.h"

#include <stdio.h>
#include <string.h>

#include "daemon/scale_plan.h"
#include "daemon/scale_spec.h"
#include "lib/base/strbuf.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "test/unit/support/torture.h"

#define INTERVAL_MS 10000
#define NOW INT64_C(1000000)

/*
 *	g  has it        G  has it, and its jail is busy
 *	u  makes it      n  has it, and its jail tells no figures
 *	.  has it not    t  has it, and its jail does not answer
 *	b  has it, but it is broken
 *	s  a health checker complains
 *	l  cannot be told
 *	r  was asked to have it    x  was asked to have it no more
 *	f  has it not, and has just failed to; F  has failed before
 */
static void
make_node(struct scale_node *n, char letter, struct arena *a)
{
	static const char busy[] = "{\"nthr\": 10}", idle[] = "{\"nthr\": 1}";
	const char *stats = letter == 'G' ? busy : idle;
	struct error e = ERROR_INIT;
	struct node *figures;

	test_ok(json_read(stats, strlen(stats), a, &figures, &e), &e);
	n->stats = figures;
	n->exists = strchr("gGuntbslx", letter) != NULL;
	n->health = letter == 's'              ? SCALE_SICK
	    : letter == 'l'                    ? SCALE_LOST
	    : strchr("gGuntx", letter) != NULL ? SCALE_GOOD
					       : SCALE_BAD;
	n->is_rising = letter == 'r';
	n->is_going = letter == 'x';
	n->is_resting = letter == 'f';
	n->failures = letter == 'f' || letter == 'F';
	if (strchr("gGnt", letter) == NULL)
		return;
	n->services = arena_calloc(a, 1, sizeof(*n->services));
	n->services_n = 1;
	n->services[0].stats = letter == 'n' || letter == 't' ? NULL : figures;
	n->services[0].has_no_answer = letter == 't';
}

struct row {
	/* This server first, then a, b, c, ... */
	const char *nodes;
	/* Members of autoScale. */
	const char *scale;
	enum scale_action action;
	/* The first letters of the servers, "0" being this one. */
	const char *targets;
	size_t want;
	/* One word for each entry, and of a test where and what. */
	const char *log;
	bool changed;
	bool cleanup;
	size_t fails;
	/* Ago; 0: never. */
	int64_t grown_ms;
	int64_t helped_ms;
	int64_t shrunk_ms;
};

#define MIN2 "\"replicas\": {\"min\": 2}"
#define MIN2_MAX3 "\"replicas\": {\"min\": 2, \"max\": 3}"
#define MAX1 "\"replicas\": {\"max\": 1}"
#define RULES "\"rules\": {\"nthr\": 10}"
#define ECONOMY "\"economy\": {\"nthr\": 10}"
#define GONE "gone "
#define KEPT "kept "

/* The log comes first of what is left. */
#define ROW(nodes_, scale_, action_, targets_, want_, ...)                     \
  {                                                                            \
    .nodes = nodes_, .scale = scale_, .action = action_, .targets = targets_,  \
    .want = want_, .log = __VA_ARGS__                                          \
  }

static const struct row rows[] = {
	/* The text has changed. */
	ROW("g.gb", "", SCALE_REDEPLOY, "0b", 2, "", .changed = true),
	ROW("g.", "", SCALE_REDEPLOY, "0", 1, "", .changed = true,
	    .cleanup = true),
	ROW("ru", MIN2, SCALE_REDEPLOY, "0a", 2, "", .changed = true),
	ROW("..", "", SCALE_GROW, "0a", 1, "", .changed = true),
	ROW("s.", "", SCALE_GROW, "a", 1, "", .changed = true),

	/* It is to go: everywhere, whatever its state. */
	ROW("g.bsu", "", SCALE_DESTROY, "0bcd", 5, "", .cleanup = true),
	ROW("gx", "", SCALE_DESTROY, "0", 2, "", .cleanup = true),
	ROW(".r", "", SCALE_DESTROY, "a", 2, "", .cleanup = true),
	ROW(".x", "", SCALE_DESTROY, "", 2, "", .cleanup = true),
	ROW(".l", "", SCALE_DESTROY, "a", 2, "", .cleanup = true, .fails = 1),
	ROW("..", "", SCALE_NOTHING, "", 0, KEPT, .cleanup = true, .fails = 1),
	ROW("..", "", SCALE_FINISH, "", 0, GONE, .cleanup = true),
	ROW("", "", SCALE_FINISH, "", 0, GONE, .cleanup = true),

	/* Too few. */
	ROW("...", "", SCALE_GROW, "0ab", 1, ""),
	ROW("g.b", MIN2, SCALE_GROW, "ab", 1, ""),
	ROW("sl.", MIN2, SCALE_GROW, "b", 2, ""),
	ROW("r.", MIN2, SCALE_GROW, "a", 1, ""),
	ROW("u.", MIN2, SCALE_GROW, "a", 1, ""),
	ROW("x.", "", SCALE_GROW, "a", 1, ""),
	ROW("f.F.", MIN2, SCALE_GROW, "acb", 2, ""),
	ROW("f", "", SCALE_GROW, "", 1, ""),
	ROW("", "", SCALE_GROW, "", 1, ""),

	/* Enough, and none too many. */
	ROW("g..", "", SCALE_NOTHING, "", 0, ""),
	ROW("gr.", MIN2, SCALE_NOTHING, "", 0, ""),

	/* Tests. */
	ROW("g.", RULES, SCALE_NOTHING, "", 0, "0:rctl+ "),
	ROW("G.", RULES, SCALE_HELP, "a", 1, "0:rctl- "),
	ROW("gG.g", RULES, SCALE_HELP, "b", 1, "0:rctl+ a:rctl- "),
	ROW("n.", RULES, SCALE_HELP, "a", 1, "0:rctl- "),
	ROW("u.", RULES, SCALE_NOTHING, "", 0, "0:rctl+ "),
	ROW("ru", RULES, SCALE_SHRINK, "a", 1, "a:rctl+ "),
	ROW("G", RULES, SCALE_NOTHING, "", 0, "0:rctl- "),
	ROW("GG..", RULES ", " MIN2_MAX3, SCALE_HELP, "bc", 1, "0:rctl- "),
	ROW("GrG.", RULES ", " MIN2_MAX3, SCALE_NOTHING, "", 0,
	    "0:rctl- b:rctl- "),
	ROW("G.", ECONOMY, SCALE_HELP, "a", 1, "0:economy- "),
	ROW("g.", RULES ", " ECONOMY, SCALE_NOTHING, "", 0,
	    "0:rctl+ 0:economy+ "),
	ROW("G.", RULES ", " ECONOMY, SCALE_HELP, "a", 1, "0:rctl- "),
	/* Not sooner than an interval after the last. */
	ROW("G.", RULES, SCALE_NOTHING, "", 0, "", .helped_ms = 9999),
	ROW("G.", RULES, SCALE_HELP, "a", 1, "0:rctl- ", .helped_ms = 10000),

	/* Too many: the first that has it, if all is well. */
	ROW("gg", "", SCALE_SHRINK, "0a", 1, ""),
	ROW("ggg", MIN2, SCALE_SHRINK, "0ab", 1, ""),
	ROW("rgg", "", SCALE_SHRINK, "ab", 1, ""),
	ROW("xgg", "", SCALE_NOTHING, "", 0, ""),
	ROW("xg", "", SCALE_NOTHING, "", 0, ""),
	ROW("gg", RULES, SCALE_SHRINK, "0a", 1, "0:rctl+ a:rctl+ "),
	ROW("gG", RULES, SCALE_NOTHING, "", 0, "0:rctl+ a:rctl- "),
	ROW("gt", RULES, SCALE_NOTHING, "", 0, "0:rctl+ a:ReadTimeout "),
	ROW("gt.", RULES, SCALE_NOTHING, "", 0, "0:rctl+ a:ReadTimeout "),
	/* Not more than the user wants at most, whatever is busy. */
	ROW("Gg.", RULES ", " MAX1, SCALE_SHRINK, "0a", 1, "0:rctl- a:rctl+ "),
	/* Not sooner than an interval after the last, and three after growing.
	 */
	ROW("gg", "", SCALE_NOTHING, "", 0, "", .shrunk_ms = 9999),
	ROW("gg", "", SCALE_SHRINK, "0a", 1, "", .shrunk_ms = 10000),
	ROW("gg", "", SCALE_NOTHING, "", 0, "", .grown_ms = 29999),
	ROW("gg", "", SCALE_SHRINK, "0a", 1, "", .grown_ms = 30000),
};

static const char *
name_of(const struct scale_node *n)
{
	return n->chain != NULL ? n->chain : "0";
}

/* One word for an entry. */
static void
add_word(struct strbuf *b, const struct node *x)
{
	const struct node *response = node_get(x, "response");
	const char *text = node_text(response);
	const char *chain = node_text(node_get(x, "chain"));

	assert_string_equal(node_text(node_get(x, "project")), "web");
	if (text != NULL) {
		assert_string_equal(
		    node_text(node_get(x, "context")), "destroy");
		strbuf_adds(b, strncmp(text, "There", 5) == 0 ? GONE : KEPT);
		return;
	}
	strbuf_addf(b, "%s:", chain != NULL ? chain : "0");
	if (response == NULL)
		strbuf_addf(b, "%s ",
		    node_text(node_get(node_get(x, "exception"), "type")));
	else
		strbuf_addf(b, "%s%c ", node_text(node_get(x, "context")),
		    response->u.b ? '+' : '-');
}

static void
check_row(const struct row *r, size_t line, struct arena *a)
{
	static const char *const chains[] = { NULL, "a", "b", "c", "d" };
	AUTO_STRBUF struct strbuf targets, log, text;
	struct node *logs = node_new(a, NODE_LIST);
	struct scale_memory m;
	struct scale_case c = { .is_changed = r->changed,
		.has_cleanup = r->cleanup,
		.memory = &m,
		.now = NOW };
	struct error e = ERROR_INIT;
	struct scale_plan p;

	strbuf_init(&targets, 1000);
	strbuf_init(&log, 1000);
	strbuf_init(&text, 1000);
	scale_memory_init(&m);
	m.interval_ms = INTERVAL_MS;
	m.grown_at = r->grown_ms > 0 ? NOW - r->grown_ms : 0;
	m.helped_at = r->helped_ms > 0 ? NOW - r->helped_ms : 0;
	m.shrunk_at = r->shrunk_ms > 0 ? NOW - r->shrunk_ms : 0;
	strbuf_addf(
	    &text, "{\"projectFile\": \"x\", \"autoScale\": {%s}}", r->scale);
	test_ok(
	    scale_spec_read("web", text.buf, text.len, a, &c.project, &e), &e);
	c.nodes.n = strlen(r->nodes);
	c.nodes.fails = r->fails;
	c.nodes.items = arena_calloc(a, c.nodes.n, sizeof(*c.nodes.items));
	for (size_t i = 0; i < c.nodes.n; i++) {
		c.nodes.items[i].chain = chains[i];
		make_node(&c.nodes.items[i], r->nodes[i], a);
	}
	scale_decide(&c, a, logs, &p);
	test_ok(arena_check(a, &e), &e);
	for (size_t i = 0; i < p.targets_n; i++)
		strbuf_adds(&targets, name_of(p.targets[i]));
	for (size_t i = 0; i < logs->u.list.n; i++)
		add_word(&log, logs->u.list.items[i]);
	if (p.action != r->action || p.want != r->want ||
	    strcmp(targets.buf, r->targets) != 0 ||
	    strcmp(log.buf, r->log) != 0)
		fail_msg("row %zu (%s, %s): action %d of '%s', %zu, log '%s'",
		    line, r->nodes, r->scale, p.action, targets.buf, p.want,
		    log.buf);
	scale_memory_fini(&m);
}

static void
the_table(void **state)
{
	AUTO_ARENA struct arena a;

	(void)state;
	arena_init(&a, 4 << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		arena_reset(&a);
		check_row(&rows[i], i, &a);
	}
}

/* HAProxy */

static void
check_balancer(const char *frontend, const char *backend, const char *missing,
    enum scale_action action, const char *words)
{
	static const char text[] =
	    "{\"projectFile\": \"x\", \"autoScale\": {\"load-balancer\": "
	    "{\"frontend\": {\"name\": \"f\", \"rules\": {\"and\": {\"a\": "
	    "{\"value\": 5}}}}, \"backend\": {\"name\": \"b\", \"rules\": "
	    "{\"and\": {\"a\": {\"value\": 5}}}}}}}";
	AUTO_ARENA struct arena a;
	AUTO_STRBUF struct strbuf log;
	struct scale_node nodes[2] = { 0 };
	struct error e = ERROR_INIT;
	struct node *logs, *said;
	struct scale_memory m;
	struct scale_case c = { .memory = &m,
		.now = NOW,
		.no_metrics = missing,
		.no_metrics_type = "ConnectError" };
	struct scale_plan p;

	arena_init(&a, 4 << 20);
	strbuf_init(&log, 1000);
	scale_memory_init(&m);
	logs = node_new(&a, NODE_LIST);
	test_ok(
	    scale_spec_read("web", text, sizeof(text) - 1, &a, &c.project, &e),
	    &e);
	make_node(&nodes[0], 'g', &a);
	make_node(&nodes[1], '.', &a);
	nodes[1].chain = "a";
	c.nodes = (struct scale_nodes){ .items = nodes, .n = 2 };
	test_ok(json_read(frontend, strlen(frontend), &a, &said, &e), &e);
	c.frontend = said;
	test_ok(json_read(backend, strlen(backend), &a, &said, &e), &e);
	c.backend = said;
	scale_decide(&c, &a, logs, &p);
	assert_int_equal(p.action, action);
	for (size_t i = 0; i < logs->u.list.n; i++)
		add_word(&log, logs->u.list.items[i]);
	assert_string_equal(log.buf, words);
	scale_memory_fini(&m);
}

static void
the_load_balancer(void **state)
{
	static const char low[] = "{\"a\": {\"value\": 1}}";
	static const char high[] = "{\"a\": {\"value\": 9}}";
	static const char odd[] = "{\"a\": {\"value\": \"text\"}}";

	(void)state;
	check_balancer(low, low, NULL, SCALE_NOTHING, "0:load-balancer+ ");
	check_balancer(high, low, NULL, SCALE_HELP, "0:load-balancer- ");
	check_balancer(low, high, NULL, SCALE_HELP, "0:load-balancer- ");
	check_balancer(high, odd, NULL, SCALE_HELP, "0:load-balancer- ");
	check_balancer(odd, high, NULL, SCALE_NOTHING, "0:ValueError ");
	check_balancer("{}", "{}", "no", SCALE_NOTHING, "0:ConnectError ");
}

/* Some have to help, and the log says why. */
static int
decide(void *ctx, struct error *e)
{
	static const char *const chains[] = { NULL, "a", "b", "c" };
	struct scale_memory m;
	struct scale_case c = { .memory = &m, .now = NOW };
	struct scale_node nodes[4] = { 0 };
	AUTO_ARENA struct arena a;
	struct scale_plan p;
	struct node *logs;
	int rc;

	arena_init(&a, 4 << 20);
	scale_memory_init(&m);
	m.interval_ms = INTERVAL_MS;
	rc = scale_spec_read("web", ctx, strlen(ctx), &a, &c.project, e);
	if (rc == 0) {
		for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
			nodes[i].chain = chains[i];
		c.nodes = (struct scale_nodes){ nodes, ARRAY_LEN(nodes), 0 };
		logs = node_new(&a, NODE_LIST);
		scale_decide(&c, &a, logs, &p);
		rc = arena_check(&a, e);
	}
	scale_memory_fini(&m);
	return rc;
}

static void
allocations_may_fail(void **state)
{
	char text[] = "{\"projectFile\": \"x\", \"autoScale\": {" MIN2_MAX3
		      ", " RULES "}}";

	(void)state;
	torture(decide, text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_table),
	cmocka_unit_test(the_load_balancer),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
