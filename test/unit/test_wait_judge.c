/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* What an answer about a job means: busy, done, failed and why. */

#include "test/unit/support/test.h"

#include <string.h>

#include "cli/wait_judge.h"
#include "lib/data/json.h"

static struct node *
parse(struct arena *a, const char *json)
{
	struct error e = ERROR_INIT;
	struct node *n = NULL;

	if (json != NULL)
		test_ok(json_read(json, strlen(json), a, &n, &e), &e);
	return n;
}

#define GOOD                                                                   \
  "{\"operation\":\"COMPLETED\",\"output\":{\"rc\":0,\"stdout\":"              \
  "{\"errlevel\":0,\"message\":null,\"failed\":[]},\"stderr\":\"\"}}"

#define GONE                                                                   \
  "{\"operation\":\"COMPLETED\",\"output\":{\"rc\":66,\"stdout\":"             \
  "{\"errlevel\":66,\"message\":\"no such project\",\"failed\":[]}}}"

static const struct {
	const char *job;
	const char *type;
	enum verdict_state state;
	/* What it is doing, or why it failed. */
	const char *text;
} jobs[] = {
	{ "{\"state\":\"queued\"}", "up", VERDICT_BUSY, "queued" },
	{ "{\"state\":\"queued\",\"position\":3}", "up", VERDICT_BUSY,
	    "queued (position 3)" },
	{ "{\"state\":\"running\",\"steps\":[]}", "up", VERDICT_BUSY,
	    "running" },
	{ "{\"state\":\"running\",\"attempt\":2,\"steps\":[{\"name\":\"a\","
	  "\"ended_at\":1},{\"name\":\"b\",\"ended_at\":null}]}",
	    "up", VERDICT_BUSY, "running: b (attempt 2)" },
	{ "{\"state\":\"interrupted\"}", "up", VERDICT_BUSY, "interrupted" },
	{ "{\"state\":\"completed\",\"result\":" GOOD "}", "up", VERDICT_DONE,
	    NULL },
	{ "{\"state\":\"completed\",\"result\":null}", "cancel", VERDICT_DONE,
	    NULL },
	{ "{\"state\":\"completed\",\"result\":" GONE "}", "down", VERDICT_DONE,
	    NULL },
	{ "{\"state\":\"completed\",\"result\":" GONE "}", "up", VERDICT_FAILED,
	    "errlevel 66: no such project" },
	{ "{\"state\":\"failed\",\"result\":" GONE "}", "down", VERDICT_FAILED,
	    "errlevel 66: no such project" },
	{ "{\"state\":\"completed\",\"result\":{\"operation\":\"NOOP\"}}", "up",
	    VERDICT_DONE, NULL },
	{ "{\"state\":\"completed\",\"result\":{\"output\":{\"stdout\":"
	  "{\"errlevel\":0,\"failed\":[\"w\"]}}}}",
	    "up", VERDICT_FAILED, "failed: w" },
	{ "{\"state\":\"failed\",\"message\":\"why\"}", "up", VERDICT_FAILED,
	    "why" },
	{ "{\"state\":\"cancelled\"}", "up", VERDICT_FAILED, "cancelled" },
	{ "{}", "up", VERDICT_FAILED, "the reply is not understood" },
	{ NULL, "up", VERDICT_FAILED, "the reply is not understood" },
};

static void
our_jobs(void **state)
{
	struct arena a AUTO_ARENA;
	struct verdict v;

	(void)state;
	arena_init(&a, 1000000);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		wait_judge_job(parse(&a, jobs[i].job), jobs[i].type, &a, &v);
		if (v.state != jobs[i].state)
			fail_msg("row %zu: %d", i, (int)v.state);
		if (jobs[i].text != NULL)
			assert_string_equal(
			    v.state == VERDICT_BUSY ? v.doing : v.reason,
			    jobs[i].text);
	}
}

static const struct {
	const char *info;
	const char *type;
	enum verdict_state state;
	const char *text;
} projects[] = {
	{ "{\"up\":{\"operation\":\"RUNNING\",\"job_id\":17}}", "up",
	    VERDICT_BUSY, "running" },
	{ "{\"up\":{\"operation\":\"COMPLETED\",\"job_id\":16}}", "up",
	    VERDICT_BUSY, "queued" },
	{ "{\"up\":{\"operation\":\"COMPLETED\",\"job_id\":18}}", "up",
	    VERDICT_FAILED, "superseded by job 18" },
	{ "{\"up\":{\"operation\":\"COMPLETED\",\"job_id\":17}}", "up",
	    VERDICT_DONE, NULL },
	{ "{\"up\":{\"operation\":\"FAILED\",\"job_id\":17,\"message\":\"m\"}}",
	    "up", VERDICT_FAILED, "m" },
	{ "{\"down\":{\"operation\":\"COMPLETED\",\"job_id\":17}}", "down",
	    VERDICT_DONE, NULL },
	{ NULL, "up", VERDICT_BUSY, "queued" },
	{ NULL, "down", VERDICT_DONE, NULL },
	{ NULL, "cancel", VERDICT_DONE, NULL },
};

static void
an_originals_projects(void **state)
{
	struct arena a AUTO_ARENA;
	struct verdict v;

	(void)state;
	arena_init(&a, 1000000);
	for (size_t i = 0; i < ARRAY_LEN(projects); i++) {
		wait_judge_project(
		    parse(&a, projects[i].info), projects[i].type, 17, &a, &v);
		if (v.state != projects[i].state)
			fail_msg("row %zu: %d", i, (int)v.state);
		if (projects[i].text != NULL)
			assert_string_equal(
			    v.state == VERDICT_BUSY ? v.doing : v.reason,
			    projects[i].text);
	}
}

#define LOOKED "\"last_update\":2,\"took\":1.5,"
#define ENDED "\"operation\":\"COMPLETED\","
#define WAITING "waiting for the autoscaler"
static const struct {
	const char *status;
	const char *type;
	double since;
	enum verdict_state state;
	const char *text;
} scaled[] = {
	{ NULL, "up", 10, VERDICT_BUSY, WAITING },
	{ "{\"operation\":\"RUNNING\",\"last_update\":1}", "up", 10,
	    VERDICT_BUSY, WAITING },
	{ "{" LOOKED ENDED "\"replicas\":{\"ready\":1,\"coming\":2,\"min\":3}}",
	    "up", 4, VERDICT_BUSY, "1 of 3 replicas, 2 on the way" },
	{ "{" LOOKED ENDED "\"replicas\":{\"ready\":3,\"coming\":0,\"min\":3}}",
	    "up", 4, VERDICT_DONE, NULL },
	/* It began before the change. */
	{ "{" LOOKED ENDED "\"replicas\":{\"ready\":3,\"coming\":0,\"min\":3}}",
	    "up", 3, VERDICT_BUSY, WAITING },
	{ "{" LOOKED "\"operation\":\"FAILED\",\"logs\":[{\"exception\":{"
	  "\"type\":\"InvalidSpec\",\"message\":\"no\"}}]}",
	    "up", 4, VERDICT_FAILED, "no" },
	{ "{" LOOKED "\"operation\":\"FAILED\"}", "up", 4, VERDICT_FAILED,
	    "the autoscaler has failed" },
	/* An original's. */
	{ "{\"last_update\":2," ENDED "\"logs\":[]}", "up", 4, VERDICT_DONE,
	    "it does not say how many replicas there are" },
	{ "{" LOOKED ENDED "\"logs\":[{\"context\":\"down\"}]}", "down", 4,
	    VERDICT_BUSY, "being destroyed" },
	{ "{" LOOKED ENDED "\"logs\":[{\"context\":\"destroy\",\"fails\":1}]}",
	    "down", 4, VERDICT_BUSY, "a server cannot be asked" },
	{ "{" LOOKED ENDED "\"logs\":[{\"context\":\"destroy\"}]}", "down", 4,
	    VERDICT_DONE, NULL },
	{ "{" LOOKED ENDED "\"logs\":[{},\"There are no more\"]}", "down", 4,
	    VERDICT_DONE, NULL },
};

static void
what_an_autoscaler_has_made(void **state)
{
	struct arena a AUTO_ARENA;
	struct verdict v;

	(void)state;
	arena_init(&a, 1000000);
	for (size_t i = 0; i < ARRAY_LEN(scaled); i++) {
		wait_judge_scale(parse(&a, scaled[i].status), scaled[i].type,
		    scaled[i].since, &a, &v);
		if (v.state != scaled[i].state)
			fail_msg("row %zu: %d", i, (int)v.state);
		if (scaled[i].text != NULL)
			assert_string_equal(
			    v.state == VERDICT_BUSY ? v.doing : v.reason,
			    scaled[i].text);
	}
}

static const struct {
	const char *status;
	enum verdict_state state;
	const char *text;
} vms[] = {
	{ NULL, VERDICT_BUSY, "making the VM" },
	{ "{\"operation\":\"COMPLETED\",\"job_id\":16}", VERDICT_BUSY,
	    "making the VM" },
	{ "{\"operation\":\"RUNNING\",\"job_id\":17}", VERDICT_BUSY,
	    "making the VM" },
	{ "{\"operation\":\"COMPLETED\",\"job_id\":17,\"output\":\"x\"}",
	    VERDICT_DONE, NULL },
	{ "{\"operation\":\"FAILED\",\"job_id\":17,\"exception\":"
	  "{\"type\":\"T\",\"message\":\"m\"},\"output\":\"o\"}",
	    VERDICT_FAILED, "T: m" },
	{ "{\"operation\":\"RUNNING\",\"job_id\":18}", VERDICT_FAILED,
	    "superseded by job 18" },
};

static void
an_originals_vms(void **state)
{
	struct arena a AUTO_ARENA;
	struct verdict v;

	(void)state;
	arena_init(&a, 1000000);
	for (size_t i = 0; i < ARRAY_LEN(vms); i++) {
		wait_judge_vm(parse(&a, vms[i].status), 17, &a, &v);
		if (v.state != vms[i].state)
			fail_msg("row %zu: %d", i, (int)v.state);
		if (vms[i].text != NULL)
			assert_string_equal(
			    v.state == VERDICT_BUSY ? v.doing : v.reason,
			    vms[i].text);
	}
	wait_judge_vm(parse(&a, vms[4].status), 17, &a, &v);
	assert_string_equal(v.stderr_tail, "o");
}

#define SERVICES "\"services\":[{\"name\":\"w\",\"status\":"

static const struct {
	const char *info;
	bool patient;
	enum verdict_state state;
	const char *text;
} services[] = {
	{ "{\"state\":\"DONE\"," SERVICES "0}]}", false, VERDICT_DONE, NULL },
	{ "{\"state\":\"DONE\"," SERVICES "1}]}", false, VERDICT_FAILED,
	    "stopped: w (status 1)" },
	{ "{\"state\":\"DONE\"," SERVICES "1}]}", true, VERDICT_BUSY,
	    "waiting for services: w (status 1)" },
	{ "{\"state\":\"UNFINISHED\"," SERVICES "0}]}", false, VERDICT_BUSY,
	    "waiting for services" },
	{ NULL, false, VERDICT_FAILED, "the project is gone" },
	{ NULL, true, VERDICT_BUSY, "waiting for services" },
	{ "{\"state\":\"DONE\",\"up\":{\"job_id\":18}}", false, VERDICT_FAILED,
	    "superseded by job 18" },
};

static void
services_that_shall_run(void **state)
{
	struct arena a AUTO_ARENA;
	struct verdict v;

	(void)state;
	arena_init(&a, 1000000);
	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		wait_judge_services(parse(&a, services[i].info), 17,
		    services[i].patient, &a, &v);
		if (v.state != services[i].state)
			fail_msg("row %zu: %d", i, (int)v.state);
		if (services[i].text != NULL)
			assert_string_equal(
			    v.state == VERDICT_BUSY ? v.doing : v.reason,
			    services[i].text);
	}
}

static void
jails_and_their_health(void **state)
{
	static const struct {
		const char *list;
		const char *text;
		bool patient;
	} rows[] = {
		{ NULL, "j (not known yet)", false },
		{ "{}", "j (not known yet)", true },
		{ "{}", NULL, false },
		{ "{\"a\":1}", "j (not known yet)", false },
		{ "[]", NULL, true },
		{ "[{\"enabled\":\"1\",\"status\":\"healthy\"}]", NULL, true },
		{ "[{\"enabled\":\"0\",\"status\":\"failing\"}]", NULL, true },
		{ "[{\"enabled\":null},{\"enabled\":\"1\",\"status\":null}]",
		    "j (not checked yet)", true },
		{ "[{\"enabled\":\"1\",\"status\":\"healthy\"},"
		  "{\"enabled\":\"1\",\"status\":\"failing\"}]",
		    "j (failing)", true },
	};
	struct arena a AUTO_ARENA;
	struct wait_jails jails;

	(void)state;
	arena_init(&a, 1000000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text = wait_find_unhealthy(
		    "j", parse(&a, rows[i].list), rows[i].patient, &a);

		if ((text == NULL) != (rows[i].text == NULL))
			fail_msg("row %zu", i);
		if (text != NULL)
			assert_string_equal(text, rows[i].text);
	}
	wait_get_jails(parse(&a,
			   "{\"services\":[{\"jail\":\"a\"},{\"jail\":null},7,"
			   "{\"jail\":\"b\"}]}"),
	    &a, &jails);
	assert_int_equal(jails.n, 2);
	assert_string_equal(jails.items[1], "b");
	wait_get_jails(NULL, &a, &jails);
	assert_int_equal(jails.n, 0);
}

static void
the_tail_of_stderr(void **state)
{
	struct arena a AUTO_ARENA;
	struct strbuf b AUTO_STRBUF;
	struct verdict v;

	(void)state;
	arena_init(&a, 1000000);
	strbuf_init(&b, 10000);
	strbuf_adds(&b, "{\"state\":\"failed\",\"output\":{\"stderr\":\"");
	for (int i = 0; i < 30; i++)
		strbuf_addf(&b, "l%d\\n", i);
	strbuf_adds(&b, "\\n\"}}");
	wait_judge_job(parse(&a, b.buf), "up", &a, &v);
	assert_int_equal(strncmp(v.stderr_tail, "l10\n", 4), 0);
	assert_string_equal(v.stderr_tail + strlen(v.stderr_tail) - 3, "l29");
}

static void
stopped_services(void **state)
{
	struct arena a AUTO_ARENA;

	(void)state;
	arena_init(&a, 1000000);
	assert_null(wait_stopped_services(NULL, &a));
	assert_null(wait_stopped_services(
	    parse(&a, "{\"services\":[{\"name\":\"a\",\"status\":0}]}"), &a));
	assert_string_equal(
	    wait_stopped_services(
		parse(&a,
		    "{\"services\":[{\"name\":\"a\",\"status\":66},"
		    "{\"name\":\"b\",\"status\":0},{\"status\":1}]}"),
		&a),
	    "a (status 66), None (status 1)");
}

static const struct {
	const char *type;
	const char *data;
	/* What the job with id 17 is doing; NULL: it has to be asked for, or is
	 * not meant. */
	const char *doing;
	/* It has to be asked for: while it runs, while it is queued. */
	bool about;
	bool about_queued;
} events[] = {
	{ "job", "{\"job\":17,\"state\":\"running\",\"from\":\"queued\"}",
	    "running", true, true },
	{ "job", "{\"job\":17,\"state\":\"queued\",\"from\":null}", NULL, true,
	    true },
	{ "job", "{\"job\":17,\"state\":\"completed\"}", NULL, true, true },
	{ "job", "{\"job\":18,\"state\":\"running\",\"from\":\"queued\"}", NULL,
	    false, true },
	{ "job", "{\"job\":18,\"state\":\"failed\",\"from\":\"running\"}", NULL,
	    false, false },
	{ "step", "{\"job\":17,\"step\":\"up\",\"ended\":false}", "running: up",
	    false, false },
	{ "step", "{\"job\":17,\"step\":\"up\",\"ended\":false,\"attempt\":2}",
	    "running: up (attempt 2)", false, false },
	{ "step", "{\"job\":17,\"step\":\"up\",\"ended\":true}", NULL, false,
	    false },
	{ "step", "{\"job\":17,\"step\":7,\"ended\":false}", NULL, false,
	    false },
	{ "step", "{\"job\":17,\"step\":\"up\"}", NULL, false, false },
	{ "step", "{\"job\":18,\"step\":\"up\",\"ended\":false}", NULL, false,
	    false },
	{ "project", "{\"job\":17,\"operation\":\"COMPLETED\"}", NULL, false,
	    false },
	{ "weather", "{}", NULL, false, false },
};

static void
events_about_jobs(void **state)
{
	struct arena a AUTO_ARENA;
	struct verdict v;

	(void)state;
	arena_init(&a, 1000000);
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		struct node *data = parse(&a, events[i].data);
		bool told = wait_judge_event(events[i].type, data, 17, &a, &v);

		if (told != (events[i].doing != NULL) ||
		    wait_is_about(events[i].type, data, 17, "running") !=
			events[i].about ||
		    wait_is_about(events[i].type, data, 17,
			"queued (position 2)") != events[i].about_queued)
			fail_msg("row %zu", i);
		if (told)
			assert_string_equal(v.doing, events[i].doing);
	}
}

static void
servers_without_the_route(void **state)
{
	static const struct {
		const char *body;
		bool none;
	} rows[] = {
		{ "{\"message\":\"Not Found\"}", true },
		{ "{}", true },
		{ "{\"message\":\"Job 4 cannot be found.\"}", false },
		{ "{\"message\":\"Client error\",\"remote\":{\"message\":"
		  "\"x\",\"remote\":{\"message\":\"Not Found\"}}}",
		    true },
		{ "{\"message\":\"Not Found\",\"remote\":{\"message\":"
		  "\"Job 4 cannot be found.\"}}",
		    false },
	};
	struct arena a AUTO_ARENA;

	(void)state;
	arena_init(&a, 1000000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (verdict_is_no_route(parse(&a, rows[i].body)) !=
		    rows[i].none)
			fail_msg("row %zu", i);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(servers_without_the_route),
	cmocka_unit_test(our_jobs),
	cmocka_unit_test(an_originals_projects),
	cmocka_unit_test(what_an_autoscaler_has_made),
	cmocka_unit_test(an_originals_vms),
	cmocka_unit_test(services_that_shall_run),
	cmocka_unit_test(jails_and_their_health),
	cmocka_unit_test(events_about_jobs),
	cmocka_unit_test(the_tail_of_stderr),
	cmocka_unit_test(stopped_services),
};
TEST_MAIN(tests)
