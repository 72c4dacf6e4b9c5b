/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* Plans: who matches, which requests come in which order, with which bodies. */

#include "test/unit/support/test.h"

#include <string.h>

#include "lib/data/json.h"
#include "proto/plan.h"
#include "test/unit/support/torture.h"

#define HEAD                                                                   \
  "kind: directorProject\n"                                                    \
  "datacenters: {main: {entrypoint: u, access_token: t}}\n"                    \
  "deployIn: {labels: [all]}\n"                                                \
  "projectName: p\n"

static struct schema_strs
strs(const char **items)
{
	struct schema_strs s = { .items = items };

	while (items[s.n] != NULL)
		s.n++;
	return s;
}

static void
labels_decide(void **state)
{
	static const struct {
		const char *wanted[3];
		const char *excluded[3];
		const char *labels[4];
		enum plan_verdict verdict;
		const char *label;
	} rows[] = {
		{ { "all" }, { NULL }, { "x", "all" }, PLAN_MATCH, "all" },
		{ { "all" }, { NULL }, { NULL }, PLAN_NO_LABEL, NULL },
		{ { "a", "b" }, { NULL }, { "c", "b" }, PLAN_MATCH, "b" },
		{ { "a" }, { "b" }, { "a", "b" }, PLAN_EXCLUDED, "b" },
		{ { "a" }, { "c" }, { "b" }, PLAN_NO_LABEL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *w[3], *x[3], *l[4], *label;
		struct schema_strs wanted, excluded, labels;

		memcpy(w, rows[i].wanted, sizeof(w));
		memcpy(x, rows[i].excluded, sizeof(x));
		memcpy(l, rows[i].labels, sizeof(l));
		wanted = strs(w);
		excluded = strs(x);
		labels = strs(l);
		assert_int_equal(
		    plan_match(&wanted, &excluded, &labels, &label),
		    rows[i].verdict);
		if (rows[i].label == NULL)
			assert_null(label);
		else
			assert_string_equal(label, rows[i].label);
	}
}

static const char *
env(const char *name, void *ctx)
{
	(void)ctx;
	return strcmp(name, "HERE") == 0 ? "client" : NULL;
}

/* One answer: NULL is "not found", else a body. */
struct script {
	enum plan_action action;
	bool insist;
	const char *file;
	const char *chain;
	const char *answers[8];
	/* Lines "step METHOD key BODY", as below. */
	const char *expect;
};

static int
load(const char *text, struct arena *a, struct spec **ret, struct error *e)
{
	struct diag d;

	diag_init(&d, a, "t.yml");
	return spec_load(text, strlen(text),
	    &(const struct spec_source){ .env = env }, a, &d, ret, e);
}

static void
show(struct strbuf *out, const struct plan_request *rq)
{
	if (rq->is_job)
		strbuf_addf(out, "%s %s", routes[rq->route].path, rq->word);
	else
		strbuf_addf(out, "%s %s", routes[rq->route].method, rq->word);
	strbuf_adds(out, rq->is_change ? " ! " : " ");
	if (rq->body != NULL)
		json_write(out, rq->body, JSON_COMPACT);
	strbuf_addc(out, '\n');
}

static int
play(const struct script *s, bool upserts, struct strbuf *out, struct error *e)
{
	static const char *labels[] = { "l1", "l2" };
	struct arena a AUTO_ARENA;
	struct plan_input in = { .action = s->action,
		.datacenter = "main",
		.chain = s->chain,
		.labels = { labels, 2 },
		.insist = s->insist,
		.upserts = upserts,
		.env = env };
	struct plan_request rq;
	struct spec *spec;
	struct plan p;
	int rc;

	arena_init(&a, (size_t)4 << 20);
	if (load(s->file, &a, &spec, e) < 0)
		return -1;
	in.spec = spec;
	plan_init(&p, &in, &a);
	for (size_t i = 0; (rc = plan_next(&p, &rq, e)) == 0; i++) {
		struct node *body = NULL;
		const char *answer = s->answers[i];

		show(out, &rq);
		if (answer != NULL &&
		    json_read(answer, strlen(answer), &a, &body, e) < 0)
			return -1;
		if (answer == NULL && !plan_takes_not_found(rq.step)) {
			if (plan_skip(&p))
				continue;
			return 0;
		}
		if (plan_answer(&p, answer != NULL, body, e) < 0)
			return -1;
	}
	return rc == PLAN_END ? 0 : -1;
}

#define META "{\"metadata\":\"A: m\\nB: !ENV '${HERE}'\\nC: 5\\n\"}"
#define SCALED HEAD "projectFile: f\nautoScale: {rules: {memoryuse: 1k}}\n"

#define KIND(kind)                                                             \
  "kind: " kind "\ndatacenters: {}\ndeployIn: {labels: [all]}\n"
#define METADATA                                                               \
  KIND("metadata")                                                             \
  "metadataPrefix: q\nmetadata: {a: x, b: y}\n"                                \
  "namespace: {name: n, mapping: [{file: 'a:f'}]}\n"
#define VM                                                                     \
  KIND("vmJail")                                                               \
  "vmName: v1\nmakejail: m\ntemplate: {}\n"                                    \
  "diskLayout: {driver: nvme, size: 1G, from: {type: img}}\n"

static const struct script scripts[] = {
	{ PLAN_APPLY, false, HEAD "projectFile: f\n", NULL, { "{}" },
	    "/v1/project/up/{project} p ! {\"director_file\":\"f\","
	    "\"environment\":{},\"restart\":false,\"reserve_port\":{}}\n" },
	{ PLAN_APPLY, true,
	    HEAD "projectFile: f\n"
		 "environment: {X: '1', Y: '2'}\n"
		 "labelsEnvironment: {l2: {Y: b}, l1: {Y: a, Z: a}}\n"
		 "chainsEnvironment: {a.b: {C: c}, <root>: {R: r}}\n"
		 "datacentersEnvironment: {main: {X: d}, other: {X: o}}\n"
		 "reserve_port: {em0: 10.0.0.0/8, lo0: null}\n",
	    "a.b", { "{}" },
	    "/v1/project/up/{project} p ! {\"director_file\":\"f\","
	    "\"environment\":{\"X\":\"d\",\"Y\":\"b\",\"Z\":\"a\",\"C\":\"c\"},"
	    "\"restart\":true,\"reserve_port\":{\"em0\":\"10.0.0.0/8\","
	    "\"lo0\":null}}\n" },
	{ PLAN_APPLY, false,
	    HEAD "projectFromMetadata: file.k\nenvironFromMetadata: env.k\n"
		 "datacentersEnvironment: {main: {A: x, Q: q}}\n",
	    NULL, { META, "{\"metadata\":\"text\"}", "{}" },
	    "GET env.k \n"
	    "GET file.k \n"
	    "/v1/project/up/{project} p ! {\"director_file\":\"text\","
	    "\"environment\":{\"A\":\"m\",\"Q\":\"q\",\"B\":\"client\","
	    "\"C\":5},\"restart\":false,\"reserve_port\":{}}\n" },
	{ PLAN_APPLY, true, SCALED, NULL, { NULL, "{}" },
	    "HEAD overlord.autoscale.p \n"
	    "POST overlord.autoscale.p ! {\"value\":\"{\\n    \\\"projectFile"
	    "\\\": \\\"f\\\",\\n    \\\"environment\\\": {},\\n    "
	    "\\\"autoScale\\\": {\\n        \\\"rules\\\": {\\n            "
	    "\\\"memoryuse\\\": 1024\\n        }\\n    },\\n    "
	    "\\\"reserve_port\\\": {}\\n}\"}\n" },
	{ PLAN_DESTROY, false, HEAD "projectFile: f\nenvironment: {A: b}\n",
	    NULL, { NULL, "{}" },
	    "HEAD overlord.autoscale.p \n"
	    "/v1/project/down/{project} p ! {\"environment\":{\"A\":\"b\"},"
	    "\"force\":false}\n" },
	{ PLAN_DESTROY, true, HEAD "projectFile: f\n", NULL,
	    { "{}", "{}", "{}" },
	    "HEAD overlord.autoscale.p \n"
	    "HEAD overlord.autoscale-cleanup.p \n"
	    "PUT overlord.autoscale-cleanup.p ! "
	    "{\"value\":\"{\\\"force\\\": true}\"}\n" },
	{ PLAN_CANCEL, false, HEAD "projectFile: f\nenvironFromMetadata: k\n",
	    NULL, { "{}" }, "/v1/project/cancel/{project} p ! \n" },
	{ PLAN_APPLY, false, METADATA, NULL,
	    { "{}", "{}", NULL, "{}", NULL, "{}" },
	    "HEAD q.a \n"
	    "PUT q.a ! {\"value\":\"x\"}\n"
	    "HEAD q.b \n"
	    "POST q.b ! {\"value\":\"y\"}\n"
	    "HEAD n \n"
	    "POST n ! {\"mapping\":[{\"file\":[\"q.a\",\"f\"]}]}\n" },
	/* A write that fails. */
	{ PLAN_APPLY, false, METADATA, NULL, { "{}", NULL, "{}", "{}", "{}" },
	    "HEAD q.a \n"
	    "PUT q.a ! {\"value\":\"x\"}\n"
	    "HEAD q.b \n"
	    "PUT q.b ! {\"value\":\"y\"}\n"
	    "HEAD n \n"
	    "PUT n ! {\"mapping\":[{\"file\":[\"q.a\",\"f\"]}]}\n" },
	{ PLAN_DESTROY, false, METADATA, NULL, { "{}", NULL, "{}" },
	    "DELETE q.a ! \n"
	    "DELETE q.b ! \n"
	    "DELETE n ! \n" },
	{ PLAN_APPLY, false, KIND("metadata"), NULL, { NULL }, "" },
	{ PLAN_APPLY, true, VM, NULL, { "{}" },
	    "/v1/vm/{vm} v1 ! {\"makejail\":\"m\",\"template\":{},"
	    "\"diskLayout\":{\"driver\":\"nvme\",\"size\":\"1G\",\"from\":{"
	    "\"type\":\"img\"}},\"options\":[],\"script-environment\":[],"
	    "\"start-environment\":[],\"start-arguments\":[],"
	    "\"build-environment\":[],\"build-arguments\":[],"
	    "\"cloud-init\":{},\"overwrite\":false,\"poweroff\":false,"
	    "\"restart\":true}\n" },
	{ PLAN_DESTROY, true, VM, NULL, { "{}" },
	    "/v1/project/down/{project} v1 ! {\"environment\":{},"
	    "\"force\":true}\n" },
	{ PLAN_CANCEL, true, VM, NULL, { "{}" },
	    "/v1/project/cancel/{project} v1 ! \n" },
};

/* Where the server looks itself what is there. */
static const struct script upserting[] = {
	{ PLAN_APPLY, false, METADATA, "a", { "{}", NULL, "{}" },
	    "PUT q.a ! {\"value\":\"x\"}\n"
	    "PUT q.b ! {\"value\":\"y\"}\n"
	    "PUT n ! {\"mapping\":[{\"file\":[\"q.a\",\"f\"]}]}\n" },
	{ PLAN_DESTROY, false, HEAD "projectFile: f\n", "a", { "{}", "{}" },
	    "HEAD overlord.autoscale.p \n"
	    "PUT overlord.autoscale-cleanup.p ! "
	    "{\"value\":\"{\\\"force\\\": false}\"}\n" },
};

static void
requests_in_order(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct strbuf out AUTO_STRBUF;

		strbuf_init(&out, 100000);
		test_ok(play(&scripts[i], false, &out, &e), &e);
		assert_string_equal(out.buf, scripts[i].expect);
	}
}

static void
what_upserts_is_not_asked(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(upserting); i++) {
		struct strbuf out AUTO_STRBUF;

		strbuf_init(&out, 100000);
		test_ok(play(&upserting[i], true, &out, &e), &e);
		assert_string_equal(out.buf, upserting[i].expect);
	}
}

static const struct {
	struct script script;
	const char *text;
} faults[] = {
	{ { PLAN_APPLY, false, HEAD "projectFile: f\nenvironFromMetadata: k\n",
	      NULL, { "{\"metadata\":\"- a\\n\"}" }, NULL },
	    "environment is not a dictionary" },
	{ { PLAN_APPLY, false, HEAD "projectFile: f\nenvironFromMetadata: k\n",
	      NULL, { "{\"metadata\":\"\"}" }, NULL },
	    "environment is not a dictionary" },
	{ { PLAN_APPLY, false, HEAD "projectFile: f\nenvironFromMetadata: k\n",
	      NULL, { "{\"metadata\":\"a: [\"}" }, NULL },
	    "error parsing the environment: " },
	{ { PLAN_APPLY, false, HEAD "projectFromMetadata: k\n", NULL,
	      { "{\"metadata\":null}" }, NULL },
	    "error obtaining the project file from the metadata: the reply is "
	    "not understood" },
	{ { PLAN_APPLY, false,
	      "kind: directorProject\ndatacenters: {}\n"
	      "deployIn: {labels: [all]}\nprojectName: 1app\n"
	      "projectFile: f\nautoScale: {type: average}\n",
	      NULL, { NULL }, NULL },
	    "invalid metadata name" },
	{ { PLAN_APPLY, false,
	      KIND("metadata") "namespace: {name: n-1, mapping: [{directory: "
			       "d}]}\n",
	      NULL, { NULL }, NULL },
	    "invalid namespace name" },
};

static void
changes_are_counted(void **state)
{
	struct arena a AUTO_ARENA;
	struct error e = ERROR_INIT;
	struct plan_input in = { .action = PLAN_APPLY, .datacenter = "main" };
	struct plan_request rq;
	struct spec *spec;
	struct plan p;

	(void)state;
	arena_init(&a, (size_t)4 << 20);
	test_ok(load(METADATA, &a, &spec, &e), &e);
	in.spec = spec;
	plan_init(&p, &in, &a);
	assert_int_equal(plan_changes_left(&p), 3);
	test_ok(plan_next(&p, &rq, &e), &e);
	assert_true(plan_skip(&p));
	assert_int_equal(plan_changes_left(&p), 2);
	assert_true(plan_skip(&p));
	assert_true(plan_skip(&p));
	assert_int_equal(plan_changes_left(&p), 0);
	assert_int_equal(plan_next(&p, &rq, &e), PLAN_END);
	assert_false(plan_skip(&p));
	test_ok(load(VM, &a, &spec, &e), &e);
	in.spec = spec;
	plan_init(&p, &in, &a);
	assert_int_equal(plan_changes_left(&p), 1);
	assert_false(plan_skip(&p));
}

static void
faults_end_a_plan(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(faults); i++) {
		const struct script *s = &faults[i / 2].script;
		struct strbuf out AUTO_STRBUF;
		struct error e = ERROR_INIT;

		strbuf_init(&out, 100000);
		assert_int_equal(play(s, i % 2 != 0, &out, &e), -1);
		if (strncmp(error_text(&e), faults[i / 2].text,
			strlen(faults[i / 2].text)) != 0)
			fail_msg(
			    "%s, not %s", error_text(&e), faults[i / 2].text);
	}
}

static int
body(void *ctx, struct error *e)
{
	struct strbuf out AUTO_STRBUF;

	strbuf_init(&out, 100000);
	if (play(ctx, false, &out, e) < 0)
		return -1;
	return strbuf_check(&out, e);
}

static void
memory_may_fail(void **state)
{
	struct script s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		s = scripts[i];
		torture(body, &s);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(labels_decide),
	cmocka_unit_test(requests_in_order),
	cmocka_unit_test(what_upserts_is_not_asked),
	cmocka_unit_test(faults_end_a_plan),
	cmocka_unit_test(changes_are_counted),
	cmocka_unit_test(memory_may_fail),
};
TEST_MAIN(tests)
