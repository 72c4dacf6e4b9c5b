/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Figures: what is counted where, histograms and their bounds, the form of the
 * text. What others count is looked at by test/e2e/test_metrics.py.
 */
#include "test/unit/support/store_kit.h"

#include <stdio.h>
#include <string.h>

#include "daemon/chain.h"
#include "daemon/inventory.h"
#include "daemon/metrics.h"
#include "lib/base/strbuf.h"
#include "lib/event/proctab.h"
#include "lib/store/key.h"
#include "lib/store/queue.h"
#include "proto/route.h"
#include "proto/runrec.h"
#include "test/unit/support/torture.h"

#define SECONDS "overlord_http_request_duration_seconds"

struct rig {
	struct kit kit;
	struct queue *queue;
	struct proctab *proctab;
	struct chain *chain;
	struct inventory *inventory;
	struct metrics *m;
	struct strbuf text;
};

static struct rig rig;

static int
set_up(void **state)
{
	static const struct queue_config qc = { .table_jobs = KIT_JOBS,
		.table_active = KIT_ACTIVE,
		.table_meta = KIT_QUEUE,
		.max_running = 1,
		.max_queued = 10,
		.keep = { .n = 10 } };
	static const struct inventory_places places = {
		.projects = "/nonexistent",
		.locks = "/nonexistent",
		.director_logs = "/nonexistent",
		.jails = "/nonexistent",
		.appjail_logs = "/nonexistent",
	};
	struct proctab_config pc = {
		.helper = "/nonexistent",
		.max_runs = 1,
		.codec = &runrec_codec,
	};
	struct error e = ERROR_INIT;
	const struct test_dir *d;
	struct store_config sc;

	assert_int_equal(test_dir_setup(state), 0);
	d = *state;
	sc = kit_config(d->path);
	pc.dir = d->path;
	rig = (struct rig){ 0 };
	strbuf_init(&rig.text, 1 << 20);
	kit_open(&rig.kit, &sc);
	test_ok(queue_open(&rig.queue, rig.kit.loop, rig.kit.store, &qc,
		    &(struct queue_hooks){ 0 }, &e),
	    &e);
	test_ok(proctab_new(&rig.proctab, rig.kit.loop, &pc, &e), &e);
	test_ok(chain_new(&rig.chain, rig.kit.loop, &e), &e);
	test_ok(
	    inventory_new(&rig.inventory,
		&(struct inventory_deps){ .loop = rig.kit.loop }, &places, &e),
	    &e);
	test_ok(metrics_new(&rig.m, &e), &e);
	return 0;
}

static int
tear_down(void **state)
{
	rig.m = metrics_free(rig.m);
	rig.inventory = inventory_free(rig.inventory);
	rig.chain = chain_free(rig.chain);
	rig.proctab = proctab_free(rig.proctab);
	rig.queue = queue_free(rig.queue);
	kit_close(&rig.kit);
	strbuf_fini(&rig.text);
	return test_dir_teardown(state);
}

static int
write_out(void *ctx, struct error *e)
{
	const struct metrics_sources from = {
		.loop = rig.kit.loop,
		.store = rig.kit.store,
		.queue = rig.queue,
		.proctab = rig.proctab,
		.chain = rig.chain,
		.inventory = rig.inventory,
	};

	(void)ctx;
	strbuf_fini(&rig.text);
	strbuf_init(&rig.text, 1 << 20);
	return metrics_write(rig.m, &from, &rig.text, e);
}

/* The value of the sample, a copy; NULL: there is none. */
static const char *
sample(const char *name)
{
	static char value[64];
	size_t len = strlen(name);
	const char *p = rig.text.buf;

	for (; p != NULL; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, name, len) != 0 || p[len] != ' ')
			continue;
		(void)snprintf(value, sizeof(value), "%.*s",
		    (int)strcspn(p + len + 1, "\n"), p + len + 1);
		return value;
	}
	return NULL;
}

static void
expect(const char *name, const char *value)
{
	const char *is = sample(name);

	if (is == NULL && value == NULL)
		return;
	if (is == NULL || value == NULL || strcmp(is, value) != 0)
		fail_msg("%s is %s, not %s", name, is != NULL ? is : "absent",
		    value != NULL ? value : "absent");
}

static void
requests(void **state)
{
	struct error e = ERROR_INIT;
	int twin = -1;

	(void)state;
	for (size_t i = 0; i < TWIN_COUNT; i++)
		if (twins[i].id == ROUTE_JOB)
			twin = (int)ROUTE_COUNT + (int)i;
	metrics_request(rig.m, ROUTE_PING, 200, false, 0);
	metrics_request(rig.m, ROUTE_PING, 200, false, 0);
	metrics_request(rig.m, ROUTE_PING, 599, false, 0);
	metrics_request(rig.m, twin, 503, false, 0);
	metrics_request(rig.m, METRICS_OTHER, 404, false, 0);
	metrics_request(rig.m, 100000, 404, false, 0);
	test_ok(write_out(NULL, &e), &e);
#define COUNT "overlord_http_requests_total"
	expect(COUNT "{method=\"GET\",route=\"/v1/ping\",status=\"200\"}", "2");
	expect(
	    COUNT "{method=\"GET\",route=\"/v1/ping\",status=\"other\"}", "1");
	expect(COUNT "{method=\"GET\",route=\"/v1/chain/{chain}/jobs/{job}\","
		     "status=\"503\"}",
	    "1");
	expect(COUNT "{method=\"\",route=\"other\",status=\"404\"}", "2");
	/* Nobody asked for it. */
	expect(
	    COUNT "{method=\"GET\",route=\"/v1/jobs\",status=\"200\"}", NULL);
	expect(SECONDS "_count{method=\"GET\",route=\"/v1/jobs\"}", NULL);
}

static void
durations(void **state)
{
#define LABELS "method=\"GET\",route=\"/v1/ping\""
	static const int64_t took[] = { 0, 1, 2, 5, 6, 10000, 10001 };
	struct error e = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(took); i++)
		metrics_request(rig.m, ROUTE_PING, 200, false, took[i]);
	/* As long as its reader likes. */
	metrics_request(rig.m, ROUTE_PING, 200, true, 1000000);
	test_ok(write_out(NULL, &e), &e);
	expect(SECONDS "_bucket{" LABELS ",le=\"0.001\"}", "2");
	expect(SECONDS "_bucket{" LABELS ",le=\"0.005\"}", "4");
	expect(SECONDS "_bucket{" LABELS ",le=\"0.010\"}", "5");
	expect(SECONDS "_bucket{" LABELS ",le=\"5.000\"}", "5");
	expect(SECONDS "_bucket{" LABELS ",le=\"10.000\"}", "6");
	expect(SECONDS "_bucket{" LABELS ",le=\"+Inf\"}", "7");
	expect(SECONDS "_sum{" LABELS "}", "20.015");
	expect(SECONDS "_count{" LABELS "}", "7");
}

/* From the acceptance to the first start, and to no other. */
static void
waits(void **state)
{
#define WAIT "overlord_job_queue_wait_seconds"
	struct job j = {
		.state = JOB_RUNNING,
		.created_at = 1000000,
		.started_at = 1000100,
		.attempt = 1,
	};
	struct error e = ERROR_INIT;

	(void)state;
	metrics_job(rig.m, &j, JOB_QUEUED);
	/* The clock was put back. */
	j.started_at = 999000;
	metrics_job(rig.m, &j, JOB_QUEUED);
	j.attempt = 2;
	metrics_job(rig.m, &j, JOB_QUEUED);
	j.attempt = 1;
	metrics_job(rig.m, &j, JOB_INTERRUPTED);
	j.state = JOB_QUEUED;
	metrics_job(rig.m, &j, JOB_STATE_COUNT);
	test_ok(write_out(NULL, &e), &e);
	expect(WAIT "_bucket{le=\"0.010\"}", "1");
	expect(WAIT "_bucket{le=\"0.100\"}", "2");
	expect(WAIT "_sum", "0.100");
	expect(WAIT "_count", "2");
}

/* What the store writes together, in numbers and not in seconds. */
static void
commits(void **state)
{
#define GROUP "overlord_store_commit_batches"
	struct kit_wait w = { .loop = rig.kit.loop };
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(write_out(NULL, &e), &e);
	expect(GROUP "_count", "0");
	for (unsigned i = 0; i < 100; i++) {
		AUTO_BATCH struct store_batch b;
		struct db_key key;

		key_init(&key);
		key_be64(&key, i);
		store_batch_init(&b);
		store_batch_put(&b, KIT_OTHER, &key, "x", 1);
		test_ok(store_submit(rig.kit.store, &b, kit_done, &w, &e), &e);
	}
	while (w.n < 100)
		test_ok(loop_run(rig.kit.loop, &e), &e);
	test_ok(write_out(NULL, &e), &e);
	expect(GROUP "_sum", "100");
	expect("overlord_store_batches_total", "100");
	expect("overlord_store_commits_total", sample(GROUP "_count"));
	expect(GROUP "_bucket{le=\"1024\"}", sample(GROUP "_count"));
}

/* Every sample belongs to the HELP and TYPE that stand before it. */
static void
the_form(void **state)
{
	struct error e = ERROR_INIT;
	char name[128] = "";
	size_t rows = 0;
	char *line, *rest;

	(void)state;
	metrics_request(rig.m, ROUTE_PING, 200, false, 3);
	test_ok(write_out(NULL, &e), &e);
	rest = rig.text.buf;
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		if (sscanf(line, "# HELP %127s", name) == 1) {
			rows++;
			assert_true(line[strlen(line) - 1] == '.');
			line = strsep(&rest, "\n");
			assert_memory_equal(line, "# TYPE ", 7);
			assert_memory_equal(line + 7, name, strlen(name));
			continue;
		}
		assert_memory_equal(line, name, strlen(name));
		assert_non_null(strchr(line, ' '));
	}
	assert_true(rows > 20);
}

static int
write_and_forget(void *ctx, struct error *e)
{
	int rc = write_out(ctx, e);

	strbuf_fini(&rig.text);
	return rc;
}

static void
survives_a_lack_of_memory(void **state)
{
	(void)state;
	torture(write_and_forget, NULL);
}

#define IN_RIG(f) cmocka_unit_test_setup_teardown((f), set_up, tear_down)

static const struct CMUnitTest tests[] = {
	IN_RIG(requests),
	IN_RIG(durations),
	IN_RIG(waits),
	IN_RIG(commits),
	IN_RIG(the_form),
	IN_RIG(survives_a_lack_of_memory),
};
TEST_MAIN(tests)
