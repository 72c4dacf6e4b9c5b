/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* The state of a project in one word (cli.md 6.2). */

#include "test/unit/support/test.h"

#include <string.h>

#include "cli/status_view.h"
#include "lib/data/json.h"

#define UP(op) "\"up\":{\"operation\":\"" op "\",\"job_id\":2}"
#define DOWN(op, id) "\"down\":{\"operation\":\"" op "\",\"job_id\":" id "}"
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
states(void **state)
{
	struct arena a AUTO_ARENA;
	struct status st;

	(void)state;
	arena_init(&a, 1000000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		status_decide(
		    parse(&a, rows[i].info), parse(&a, rows[i].jobs), &a, &st);
		if (strcmp(status_state_to_string(st.state), rows[i].state) !=
		    0)
			fail_msg("row %zu: %s, not %s", i,
			    status_state_to_string(st.state), rows[i].state);
	}
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
	    NULL, &a, &st);
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
	cmocka_unit_test(details),
};
TEST_MAIN(tests)
