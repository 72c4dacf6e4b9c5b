/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The job record: bytes of version 1 in both directions (test/vectors/store),
 * every single byte of a record cut or changed, limits, names of states, the
 * table of moves, failing allocations.
 */
#include "test/unit/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/store/job.h"
#include "test/unit/support/torture.h"

static struct job_step full_steps[] = {
	{ "stop", 2, 1767225601000, 1767225602000, 0, "" },
	{ "up", 3, 1767225602000, 1767225662000, -1,
	    "killed after the grace time" },
	{ "describe", 3, 1767225662001, 0, 0, "" },
};
static struct job_step running_steps[] = {
	{ "down", 1, 1767225600100, 0, 0, "" },
};
static char running_payload[300];

static const struct {
	const char *file;
	struct job job;
} vectors[] = {
	{ "job-1-minimal.bin", { .id = { 1 } } },
	{ "job-1-full.bin",
	    { .id = { JOB_ID_MAX },
		.state = JOB_INCOMPLETE,
		.kind = "create",
		.lane = "filebrowser",
		.name = "filebrowser",
		.by = "token-1 192.0.2.7",
		.request_id = "req-7f",
		.attempt = 3,
		.cancel_asked = true,
		.created_at = 1767225600000,
		.started_at = 1767225601000,
		.ended_at = 1767225662345,
		.message = "stopped at \xc3\xbcnder 60 s",
		.payload = "{\"director_file\":\"\0\xff\"}",
		.payload_len = 22,
		.result = "{\"output\":\"\",\"rc\":-1}",
		.result_len = 21,
		.steps = full_steps,
		.steps_n = 3 } },
	{ "job-1-running.bin",
	    { .id = { 17 },
		.state = JOB_RUNNING,
		.kind = "destroy",
		.lane = "web",
		.name = "web",
		.attempt = 1,
		.created_at = 1767225600000,
		.started_at = 1767225600100,
		.payload = running_payload,
		.payload_len = sizeof(running_payload),
		.steps = running_steps,
		.steps_n = 1 } },
};

static char *
read_vector(const char *name, size_t *ret_len)
{
	const char *top = getenv("OVERLORD_SOURCE");
	struct error e = ERROR_INIT;
	char path[1024];
	char *text = NULL;

	(void)snprintf(path, sizeof(path), "%s/test/vectors/store/%s",
	    top != NULL ? top : ".", name);
	test_ok(file_read(AT_FDCWD, path, 1 << 20, &text, ret_len, &e), &e);
	return text;
}

static void
same_text(const char *a, const char *b)
{
	assert_string_equal(a != NULL ? a : "", b != NULL ? b : "");
}

static void
same_job(const struct job *a, const struct job *b)
{
	size_t i;

	assert_true(a->id.v == b->id.v);
	assert_int_equal(a->state, b->state);
	same_text(a->kind, b->kind);
	same_text(a->lane, b->lane);
	same_text(a->name, b->name);
	same_text(a->by, b->by);
	same_text(a->request_id, b->request_id);
	same_text(a->message, b->message);
	assert_int_equal(a->attempt, b->attempt);
	assert_int_equal(a->cancel_asked, b->cancel_asked);
	assert_true(a->created_at == b->created_at);
	assert_true(a->started_at == b->started_at);
	assert_true(a->ended_at == b->ended_at);
	assert_int_equal(a->payload_len, b->payload_len);
	assert_int_equal(a->result_len, b->result_len);
	if (a->payload_len > 0)
		assert_memory_equal(a->payload, b->payload, a->payload_len);
	if (a->result_len > 0)
		assert_memory_equal(a->result, b->result, a->result_len);
	assert_int_equal(a->steps_n, b->steps_n);
	for (i = 0; i < a->steps_n; i++) {
		same_text(a->steps[i].name, b->steps[i].name);
		same_text(a->steps[i].note, b->steps[i].note);
		assert_int_equal(a->steps[i].attempt, b->steps[i].attempt);
		assert_true(a->steps[i].started_at == b->steps[i].started_at);
		assert_true(a->steps[i].ended_at == b->steps[i].ended_at);
		assert_int_equal(a->steps[i].rc, b->steps[i].rc);
	}
}

static void
vectors_agree(void **state)
{
	struct error e = ERROR_INIT;
	AUTO_ARENA struct arena a;
	struct job j;
	char *bytes, *ours;
	size_t len, ours_len, i;

	(void)state;
	arena_init(&a, 1 << 20);
	(void)memset(running_payload, 'x', sizeof(running_payload));
	for (i = 0; i < ARRAY_LEN(vectors); i++) {
		bytes = read_vector(vectors[i].file, &len);
		test_ok(job_encode(&vectors[i].job, &ours, &ours_len, &e), &e);
		assert_int_equal(ours_len, len);
		assert_memory_equal(ours, bytes, len);
		test_ok(job_decode_view(bytes, len, &a, &j, &e), &e);
		same_job(&j, &vectors[i].job);
		test_ok(job_decode(bytes, len, &a, &j, &e), &e);
		/* A copy does not need the record any more. */
		(void)memset(bytes, 0xff, len);
		same_job(&j, &vectors[i].job);
		mem_free(bytes);
		mem_free(ours);
	}
}

static void
damage_is_found(void **state)
{
	struct error e = ERROR_INIT;
	AUTO_ARENA struct arena a;
	struct job j;
	char *bytes, *again;
	size_t len, again_len, i;
	unsigned bit;

	(void)state;
	arena_init(&a, 1 << 20);
	bytes = read_vector("job-1-full.bin", &len);
	for (i = 0; i < len; i++) {
		error_clear(&e);
		test_fails(job_decode(bytes, i, &a, &j, &e), &e, OVE_CORRUPT);
		arena_reset(&a);
	}
	/* A changed bit is refused, or is another record, whole. */
	for (i = 0; i < len * 8; i++) {
		bit = 1u << i % 8;
		bytes[i / 8] = (char)((unsigned char)bytes[i / 8] ^ bit);
		if (job_decode(bytes, len, &a, &j, &e) == 0) {
			test_ok(job_encode(&j, &again, &again_len, &e), &e);
			assert_int_equal(again_len, len);
			assert_memory_equal(again, bytes, len);
			mem_free(again);
		}
		bytes[i / 8] = (char)((unsigned char)bytes[i / 8] ^ bit);
		arena_reset(&a);
	}
	bytes[0] = 2;
	test_fails(job_decode(bytes, len, &a, &j, &e), &e, OVE_CORRUPT);
	assert_string_equal(
	    error_text(&e), "a job record has version 2, this program reads 1");
	mem_free(bytes);
}

static void
limits_are_kept(void **state)
{
	static struct job_step steps[JOB_STEPS_MAX + 1];
	struct job j = { .id = { 1 }, .steps = steps };
	struct error e = ERROR_INIT;
	char *p;
	size_t len;

	(void)state;
	j.steps_n = JOB_STEPS_MAX;
	test_ok(job_encode(&j, &p, &len, &e), &e);
	mem_free(p);
	j.steps_n++;
	test_fails(job_encode(&j, &p, &len, &e), &e, OVE_LIMIT);
	j.steps_n = 0;
	j.payload_len = JOB_BYTES_MAX;
	test_fails(job_encode_len(&j, &len, &e), &e, OVE_LIMIT);
	j.payload_len = SIZE_MAX - 10;
	test_fails(job_encode_len(&j, &len, &e), &e, OVE_LIMIT);
	j.payload_len = 0;
	j.id.v = 0;
	test_fails(job_encode_len(&j, &len, &e), &e, OVE_INVALID);
	j.id.v = JOB_ID_MAX + 1;
	test_fails(job_encode_len(&j, &len, &e), &e, OVE_INVALID);
	j.id.v = 1;
	j.state = JOB_STATE_COUNT;
	test_fails(job_encode_len(&j, &len, &e), &e, OVE_INVALID);
}

static void
states_have_names(void **state)
{
	enum job_state s;
	unsigned i;

	(void)state;
	for (i = 0; i < JOB_STATE_COUNT; i++) {
		assert_true(job_state_from_string(
		    job_state_to_string((enum job_state)i), &s));
		assert_int_equal(s, i);
	}
	assert_false(job_state_from_string("none", &s));
	assert_false(job_state_from_string("Queued", &s));
	assert_string_equal(job_state_to_string(JOB_STATE_COUNT), "none");
	assert_string_equal(job_state_to_string(JOB_QUEUED), "queued");
}

/* The diagram of the design, written once more. */
static void
moves_are_these(void **state)
{
	static const char *const rows[JOB_STATE_COUNT] = {
		/*		  QRIcifX */
		[JOB_QUEUED] = ".y....y",
		[JOB_RUNNING] = "..yyyyy",
		[JOB_INTERRUPTED] = "y....yy",
		[JOB_COMPLETED] = ".......",
		[JOB_INCOMPLETE] = ".......",
		[JOB_FAILED] = ".......",
		[JOB_CANCELLED] = ".......",
	};
	unsigned from, to;

	(void)state;
	for (from = 0; from < JOB_STATE_COUNT; from++) {
		for (to = 0; to < JOB_STATE_COUNT; to++)
			assert_int_equal(job_move_ok((enum job_state)from,
					     (enum job_state)to),
			    rows[from][to] == 'y');
		assert_int_equal(job_state_is_finished((enum job_state)from),
		    strchr(rows[from], 'y') == NULL);
		assert_false(
		    job_move_ok((enum job_state)from, JOB_STATE_COUNT));
	}
	assert_false(job_state_is_finished(JOB_STATE_COUNT));
}

static int
round_trip(void *ctx, struct error *e)
{
	AUTO_FREE char *p = NULL;
	AUTO_ARENA struct arena a;
	struct job j;
	size_t len;

	arena_init(&a, 1 << 20);
	if (job_encode(ctx, &p, &len, e) == -1)
		return -1;
	return job_decode(p, len, &a, &j, e);
}

static void
allocations_may_fail(void **state)
{
	struct job j = vectors[1].job;

	(void)state;
	torture(round_trip, &j);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(vectors_agree),
	cmocka_unit_test(damage_is_found),
	cmocka_unit_test(limits_are_kept),
	cmocka_unit_test(states_have_names),
	cmocka_unit_test(moves_are_these),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
