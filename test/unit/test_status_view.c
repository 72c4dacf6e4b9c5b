/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* The state of a project in one word (cli.md 6.2). */

#include "test/unit/support/test.h"

#include <string.h>

#include "cli/status_view.h"
#include "lib/data/json.h"

#define UP(op) "\"up\":{\"operation\":\"" op "\",\"job_id\":2}"
#define DOWN(op, id) "\"down\":{\"operation\":\"" op "\",\"job_id\":" id "}"
#define VM(op) "{\"operation\":\"" op "\",\"output\":\"o\",\"job_id\":2}"
#define DONE "\"state\":\"DONE\""

static const struct {
	const char *info;
	const char *jobs;
	const char *state;
} rows[] = {
	{ "{" DONE "}", NULL, "READY" },
	{ "{" DONE ",\"services\":[{\"status\":0},{\"status\":0}]}", "[]",
	    "READY" },
	{ "{" DONE ",\"services\":[{\"status\":0},{\"status\":66}]}", NULL,
	    "DEGRADED" },
	{ "{" DONE "}", "[{\"state\":\"queued\"}]", "QUEUED" },
	{ NULL, "[{\"state\":\"queued\"}]", "QUEUED" },
	{ NULL, "[]", "ABSENT" },
	{ NULL, NULL, "ABSENT" },
	{ "{" DONE "," DOWN("RUNNING", "3") "}", NULL, "DESTROYING" },
	{ "{\"state\":\"DESTROYING\"}", NULL, "DESTROYING" },
	{ "{" DONE "}", "[{\"state\":\"running\",\"type\":\"down\"}]",
	    "DESTROYING" },
	{ "{" UP("RUNNING") "}", NULL, "DEPLOYING" },
	{ NULL, "[{\"state\":\"running\",\"type\":\"up\"}]", "DEPLOYING" },
	{ "{\"state\":\"UNFINISHED\",\"locked\":true}", NULL, "DEPLOYING" },
	{ "{\"state\":\"UNFINISHED\",\"locked\":false}", NULL, "FAILED" },
	{ "{\"state\":\"FAILED\"}", NULL, "FAILED" },
	{ "{" DONE "," UP("FAILED") "}", NULL, "FAILED" },
	{ "{" DONE "," UP("INCOMPLETED") "}", NULL, "FAILED" },
	{ "{" DONE "," UP("COMPLETED") "," DOWN("FAILED", "1") "}", NULL,
	    "READY" },
	{ "{" DONE "," UP("COMPLETED") "," DOWN("FAILED", "3") "}", NULL,
	    "FAILED" },
	{ "{" DOWN("COMPLETED", "3") "}", NULL, "ABSENT" },
	{ "{" DONE
	  ",\"up\":{\"operation\":\"COMPLETED\",\"output\":{\"stdout\":"
	  "{\"errlevel\":1}}}}",
	    NULL, "FAILED" },
	{ "{" UP("COMPLETED") "}", NULL, "UNKNOWN" },
	/* The jail of a VM is there before the VM. */
	{ "{" DONE "," UP("COMPLETED") "}",
	    "[{\"state\":\"running\",\"type\":\"vm\"}]", "DEPLOYING" },
};

static const struct {
	const char *info;
	const char *vm;
	const char *state;
} vms[] = {
	{ "{" DONE "," UP("COMPLETED") "}", VM("RUNNING"), "DEPLOYING" },
	{ "{" DONE "," UP("COMPLETED") "}", VM("FAILED"), "FAILED" },
	{ "{" DONE "," UP("COMPLETED") "}", VM("COMPLETED"), "READY" },
	{ "{" DONE "," UP("NOOP") "}", VM("COMPLETED"), "READY" },
	{ "{" DONE "," DOWN("FAILED", "3") "}", VM("RUNNING"), "FAILED" },
	/* Of a job before this one. */
	{ "{" DONE ",\"up\":{\"operation\":\"COMPLETED\",\"job_id\":3}}",
	    VM("FAILED"), "READY" },
};

static struct node *
parse(struct arena *a, const char *json)
{
	struct error e = ERROR_INIT;
	struct node *n = NULL;

	if (json != NULL)
		test_ok(json_read(json, strlen(json), a, &n, &e), &e);
	return n;
}

static void
check(size_t row, const char *info, const char *jobs, const char *vm,
    const char *state)
{
	struct arena a AUTO_ARENA;
	struct status st;

	arena_init(&a, 1000000);
	status_decide(parse(&a, info), parse(&a, jobs), parse(&a, vm), &a, &st);
	if (strcmp(status_state_to_string(st.state), state) != 0)
		fail_msg("row %zu: %s, not %s", row,
		    status_state_to_string(st.state), state);
}

static void
states(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(i, rows[i].info, rows[i].jobs, NULL, rows[i].state);
}

static void
states_of_vms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vms); i++)
		check(i, vms[i].info, NULL, vms[i].vm, vms[i].state);
}

static void
details(void **state)
{
	struct arena a AUTO_ARENA;
	struct status st;

	(void)state;
	arena_init(&a, 1000000);
	status_decide(
	    parse(&a,
		"{" DONE ",\"last_log\":\"L\",\"services\":[{\"name\":\"w\","
		"\"status\":1},{\"status\":0}],\"up\":{\"operation\":"
		"\"FAILED\",\"message\":\"why\",\"job_id\":7,"
		"\"last_update\":12.9}}"),
	    NULL, NULL, &a, &st);
	assert_int_equal(st.jails, 2);
	assert_int_equal(st.jails_up, 1);
	assert_int_equal(st.age_s, 12);
	assert_int_equal(st.job, 7);
	assert_string_equal(st.progress, "why (job 7)");
	assert_string_equal(st.last_log, "L");
	assert_string_equal(st.operation, "FAILED");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(states),
	cmocka_unit_test(states_of_vms),
	cmocka_unit_test(details),
};
TEST_MAIN(tests)
