/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The tests of a replica, each type and each kind of figure at its limit, and
 * the metadata that asks for them.
 */
#include "test/unit/support/test.h"

#include <stdio.h>
#include <string.h>

#include "daemon/scale_spec.h"
#include "daemon/scale_test.h"
#include "lib/data/json.h"
#include "lib/data/node.h"

static struct node *
json(struct arena *a, const char *text)
{
	struct error e = ERROR_INIT;
	struct node *n = NULL;

	test_ok(json_read(text, strlen(text), a, &n, &e), &e);
	return n;
}

/* The metadata with this autoScale. */
static const struct spec_project *
spec(struct arena *a, const char *scale)
{
	const struct spec_project *p = NULL;
	struct error e = ERROR_INIT;
	const char *text = arena_printf(
	    a, "{\"projectFile\": \"x\", \"autoScale\": %s}", scale);

	test_ok(scale_spec_read("web", text, strlen(text), a, &p, &e), &e);
	return p;
}

/* Jails */

static void
rules_by_type(void **state)
{
	/* Two jails that use 3 and 5 of a limit of 10, or as said. */
	static const struct {
		const char *type;
		int value;
		int limit;
		enum scale_result want;
	} rows[] = {
		{ "any-jail", 0, 6, SCALE_PASS },
		{ "any-jail", 0, 5, SCALE_FAIL },
		{ "any-project", 0, 9, SCALE_PASS },
		{ "any-project", 0, 8, SCALE_FAIL },
		{ "average", 0, 5, SCALE_PASS },
		{ "average", 0, 4, SCALE_FAIL },
		{ "percent-jail", 50, 11, SCALE_PASS },
		{ "percent-jail", 50, 10, SCALE_FAIL },
		/* Not rounded: 4.95. */
		{ "percent-jail", 45, 11, SCALE_FAIL },
		{ "percent-project", 50, 17, SCALE_PASS },
		{ "percent-project", 50, 16, SCALE_FAIL },
	};
	AUTO_ARENA struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct node *stats[] = { json(&a, "{\"nthr\": 3}"),
			json(&a, "{\"nthr\": 5}") };
		const struct spec_project *p = spec(&a,
		    arena_printf(&a,
			"{\"type\": \"%s\", \"value\": %d, \"rules\": "
			"{\"nthr\": %d}}",
			rows[i].type, rows[i].value, rows[i].limit));
		struct error e = ERROR_INIT;

		assert_int_equal(
		    scale_test_rctl(&p->autoscale, stats, 2, &e), rows[i].want);
	}
}

static void
one_rule_that_fails_is_enough(void **state)
{
	AUTO_ARENA struct arena a;
	const struct spec_project *p;
	struct error e = ERROR_INIT;
	const struct node *stats[1];

	(void)state;
	arena_init(&a, 1 << 20);
	p = spec(&a, "{\"rules\": {\"nthr\": 9, \"pcpu\": 50}}");
	stats[0] = json(&a, "{\"nthr\": 8, \"pcpu\": 49}");
	assert_int_equal(
	    scale_test_rctl(&p->autoscale, stats, 1, &e), SCALE_PASS);
	stats[0] = json(&a, "{\"nthr\": 8, \"pcpu\": 50}");
	assert_int_equal(
	    scale_test_rctl(&p->autoscale, stats, 1, &e), SCALE_FAIL);
	/* Also beside one that cannot be judged. */
	stats[0] = json(&a, "{\"pcpu\": 50}");
	assert_int_equal(
	    scale_test_rctl(&p->autoscale, stats, 1, &e), SCALE_FAIL);
	stats[0] = json(&a, "{\"pcpu\": 49}");
	assert_int_equal(
	    scale_test_rctl(&p->autoscale, stats, 1, &e), SCALE_UNSURE);
	assert_string_equal(
	    e.text, "a jail has no figure for the resource 'nthr'");
}

static void
no_figures_are_a_fail(void **state)
{
	AUTO_ARENA struct arena a;
	const struct spec_project *p;
	const struct node *stats[1] = { NULL };
	struct error e = ERROR_INIT;

	(void)state;
	arena_init(&a, 1 << 20);
	p = spec(&a, "{\"rules\": {\"nthr\": 9}, \"economy\": {\"nthr\": 9}}");
	assert_int_equal(
	    scale_test_rctl(&p->autoscale, stats, 1, &e), SCALE_FAIL);
	stats[0] = json(&a, "{}");
	assert_int_equal(
	    scale_test_rctl(&p->autoscale, stats, 1, &e), SCALE_FAIL);
	assert_int_equal(
	    scale_test_economy(&p->autoscale, NULL, &e), SCALE_FAIL);
	assert_int_equal(
	    scale_test_economy(&p->autoscale, stats[0], &e), SCALE_FAIL);
}

static void
economy_is_of_the_server(void **state)
{
	AUTO_ARENA struct arena a;
	const struct spec_project *p;
	struct error e = ERROR_INIT;

	(void)state;
	arena_init(&a, 1 << 20);
	p = spec(&a, "{\"economy\": {\"memoryuse\": \"1k\"}}");
	assert_int_equal(scale_test_economy(&p->autoscale,
			     json(&a, "{\"memoryuse\": 1023}"), &e),
	    SCALE_PASS);
	assert_int_equal(scale_test_economy(&p->autoscale,
			     json(&a, "{\"memoryuse\": 1024}"), &e),
	    SCALE_FAIL);
	assert_int_equal(
	    scale_test_economy(&p->autoscale, json(&a, "{\"nthr\": 1}"), &e),
	    SCALE_UNSURE);
}

/* HAProxy */

static void
metrics_row_by_row(void **state)
{
	static const struct {
		const char *rule;
		const char *value;
		enum scale_result want;
	} rows[] = {
		{ "{\"value\": 10}", "9", SCALE_PASS },
		{ "{\"value\": 10}", "10", SCALE_FAIL },
		{ "{\"value\": 10}", "null", SCALE_PASS },
		{ "{\"value\": 10, \"each\": 100}", "209", SCALE_PASS },
		{ "{\"value\": 10, \"each\": 100}", "210", SCALE_FAIL },
		{ "{\"value\": [5, 10]}", "4", SCALE_PASS },
		{ "{\"value\": [5, 10]}", "5", SCALE_FAIL },
		{ "{\"value\": [5, 10]}", "10", SCALE_FAIL },
		{ "{\"value\": [5, 10]}", "11", SCALE_PASS },
		{ "{\"value\": [5, 10], \"each\": 10}", "27", SCALE_FAIL },
		{ "{\"value\": \"OPEN\"}", "\"OPEN\"", SCALE_PASS },
		{ "{\"value\": \"OPEN\"}", "\"FULL\"", SCALE_FAIL },
		{ "{\"value\": 1}", "\"OPEN\"", SCALE_UNSURE },
		{ "{\"value\": \"10\"}", "9", SCALE_PASS },
		{ "{\"value\": \"ten\"}", "9", SCALE_UNSURE },
	};
	AUTO_ARENA struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct spec_project *p;
		struct error e = ERROR_INIT;
		struct node *metrics;

		p = spec(&a,
		    arena_printf(&a,
			"{\"load-balancer\": {\"backend\": {\"name\": \"b\", "
			"\"rules\": {\"and\": {\"scur\": %s}}}}}",
			rows[i].rule));
		metrics = json(&a,
		    arena_printf(
			&a, "{\"scur\": {\"value\": %s}}", rows[i].value));
		assert_int_equal(
		    scale_test_balancer(&p->autoscale.backend, metrics, &e),
		    rows[i].want);
		assert_int_equal(
		    error_is_set(&e), rows[i].want == SCALE_UNSURE);
	}
}

static void
metrics_with_and_and_or(void **state)
{
#define LOW "{\"value\": 10}"
	static const struct {
		const char *rules;
		enum scale_result want;
	} rows[] = {
		/* a is 9, b is 11. */
		{ "{\"and\": {\"a\": " LOW "}}", SCALE_PASS },
		{ "{\"and\": {\"a\": " LOW ", \"b\": " LOW "}}", SCALE_FAIL },
		{ "{\"and\": {\"unknown\": " LOW "}}", SCALE_PASS },
		{ "{\"or\": {\"a\": " LOW ", \"b\": " LOW "}}", SCALE_PASS },
		{ "{\"or\": {\"b\": " LOW "}}", SCALE_FAIL },
		{ "{\"or\": {\"unknown\": " LOW "}}", SCALE_FAIL },
		{ "{\"and\": {\"a\": " LOW "}, \"or\": {}}", SCALE_PASS },
		{ "{\"and\": {\"a\": " LOW "}, \"or\": {\"b\": " LOW "}}",
		    SCALE_FAIL },
		{ "{\"and\": {\"b\": " LOW "}, \"or\": {\"a\": " LOW "}}",
		    SCALE_FAIL },
	};
	AUTO_ARENA struct arena a;
	struct node *metrics;

	(void)state;
	arena_init(&a, 1 << 20);
	metrics = json(&a, "{\"a\": {\"value\": 9}, \"b\": {\"value\": 11.5}}");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error e = ERROR_INIT;
		const struct spec_project *p = spec(&a,
		    arena_printf(&a,
			"{\"load-balancer\": {\"frontend\": {\"name\": \"f\", "
			"\"rules\": %s}}}",
			rows[i].rules));

		assert_int_equal(
		    scale_test_balancer(&p->autoscale.frontend, metrics, &e),
		    rows[i].want);
	}
}

/* The metadata */

static void
metadata_is_judged(void **state)
{
	static const struct {
		const char *text;
		enum ove code;
		const char *says;
	} rows[] = {
		{ "{", OVE_CORRUPT, "" },
		{ "[]", OVE_INVALID, "'projectFile' is required" },
		{ "{\"autoScale\": {}}", OVE_INVALID,
		    "'projectFile' is required but hasn't been specified." },
		{ "{\"projectFile\": \"x\", \"autoScale\": null}", OVE_INVALID,
		    "'autoScale' is required but hasn't been specified." },
		{ "{\"projectFile\": \"x\", \"autoScale\": {\"replicas\": "
		  "{\"min\": 3, \"max\": 2}}}",
		    OVE_INVALID,
		    "The maximum number of replicates is less than the "
		    "minimum: 2 < 3" },
		{ "{\"projectFile\": \"x\", \"autoScale\": {\"replicas\": "
		  "{\"min\": 0}}}",
		    OVE_INVALID, "autoScale.replicas.min" },
		{ "{\"projectFile\": \"x\", \"autoScale\": {\"rules\": "
		  "{\"msgqsize\": 1}}}",
		    OVE_INVALID, "msgqsize" },
		{ "{\"projectFile\": \"x\", \"autoScale\": {}, "
		  "\"environment\": {\"A\": 1}}",
		    OVE_INVALID, "environment.A" },
		{ "{\"projectFile\": \"x\", \"autoScale\": {\"load-balancer\": "
		  "{\"backend\": {\"name\": \"b\", \"rules\": {\"and\": "
		  "{\"scur\": {\"value\": 1, \"each\": 0}}}}}}}",
		    OVE_INVALID, "each" },
	};
	AUTO_ARENA struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct spec_project *p;
		struct error e = ERROR_INIT;

		test_fails(scale_spec_read("web", rows[i].text,
			       strlen(rows[i].text), &a, &p, &e),
		    &e, rows[i].code);
		if (strstr(e.text, rows[i].says) == NULL)
			fail_msg("'%s' says '%s'", rows[i].text, e.text);
	}
}

static void
metadata_has_defaults(void **state)
{
	AUTO_ARENA struct arena a;
	const struct spec_project *p;

	(void)state;
	arena_init(&a, 1 << 20);
	p = spec(&a, "{}");
	assert_string_equal(p->name, "web");
	assert_string_equal(p->file, "x");
	assert_int_equal(p->autoscale.replicas_min, 1);
	assert_int_equal(p->autoscale.replicas_max, SCHEMA_NONE);
	assert_string_equal(p->autoscale.type, "any-jail");
	assert_int_equal(p->autoscale.labels.n, 1);
	assert_string_equal(p->autoscale.labels.items[0], "all");
	assert_int_equal(p->environment.n, 0);
	assert_false(scale_spec_has_tests(p));
	assert_true(
	    scale_spec_has_tests(spec(&a, "{\"rules\": {\"nthr\": 1}}")));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(rules_by_type),
	cmocka_unit_test(one_rule_that_fails_is_enough),
	cmocka_unit_test(no_figures_are_a_fail),
	cmocka_unit_test(economy_is_of_the_server),
	cmocka_unit_test(metrics_row_by_row),
	cmocka_unit_test(metrics_with_and_and_or),
	cmocka_unit_test(metadata_is_judged),
	cmocka_unit_test(metadata_has_defaults),
};
TEST_MAIN(tests)
