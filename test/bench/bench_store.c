/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the queue does with a disk, without a network: puts per second with a
 * number of clients that each wait for their own to be on disk, or the time to
 * open a store with many finished jobs or to look through them.
 *
 *	bench_store DIR put SECONDS CLIENTS VALUE_BYTES	 puts per second
 *	bench_store DIR fill JOBS			 finished jobs
 *	bench_store DIR open				 milliseconds
 *	bench_store DIR list				 milliseconds
 *
 * Each prints one number.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/event/loop.h"
#include "lib/store/queue.h"

enum {
	JOBS,
	ACTIVE,
	META
};
static const char *const tables[] = { "jobs", "active", "queue" };

struct bench {
	struct loop *loop;
	struct store *store;
	struct queue *queue;
	char *payload;
	size_t payload_len;
	int64_t end_ns;
	uint64_t done;
	uint64_t begun;
	uint64_t max;
	unsigned clients;
	bool finish;
};

static CC_NORETURN void
die(const struct error *e)
{
	fprintf(stderr, "bench_store: %s\n", error_text(e));
	exit(1);
}

static uint64_t
number(const char *text)
{
	struct error e = ERROR_INIT;
	uint64_t v;

	if (num_u64(text, 1, UINT32_MAX, &v, &e) == -1)
		die(&e);
	return v;
}

static void
open_all(struct bench *b, const char *dir)
{
	struct store_config sc = { .dir = dir,
		.tables = tables,
		.tables_n = ARRAY_LEN(tables),
		.schema = 1 };
	struct queue_config qc = { .table_jobs = JOBS,
		.table_active = ACTIVE,
		.table_meta = META,
		.max_running = 4,
		.max_queued = 10000000,
		.keep = { .n = 10000000 } };
	struct error e = ERROR_INIT;

	if (loop_new(&b->loop, &e) == -1 ||
	    store_open(&b->store, b->loop, &sc, &e) == -1 ||
	    queue_open(&b->queue, b->loop, b->store, &qc, NULL, &e) == -1)
		die(&e);
}

static void put_one(struct bench *b);

static void
one_less(struct bench *b)
{
	if (--b->clients == 0)
		loop_stop(b->loop);
}

static void
next(struct bench *b)
{
	b->done++;
	if (b->begun >= b->max ||
	    (b->end_ns != 0 && clock_mono_ns() >= b->end_ns))
		one_less(b);
	else
		put_one(b);
}

static void
on_ended(struct job_id id, const struct error *failed, void *ctx)
{
	(void)id;
	if (failed != NULL)
		die(failed);
	next(ctx);
}

static void
on_put(struct job_id id, const struct error *failed, void *ctx)
{
	struct job_change c = JOB_CHANGE_INIT;
	struct error e = ERROR_INIT;
	struct bench *b = ctx;

	if (failed != NULL)
		die(failed);
	if (!b->finish) {
		next(b);
		return;
	}
	c.state = JOB_CANCELLED;
	if (queue_change(b->queue, id, &c, NULL, on_ended, b, &e) != 0)
		die(&e);
}

static void
put_one(struct bench *b)
{
	struct job fresh = { .kind = "create",
		.lane = "filebrowser",
		.name = "filebrowser",
		.payload = b->payload,
		.payload_len = b->payload_len };
	struct error e = ERROR_INIT;

	b->begun++;
	if (queue_put(b->queue, &fresh, NULL, on_put, b, &e) == -1)
		die(&e);
}

static void
run(struct bench *b, unsigned clients)
{
	struct error e = ERROR_INIT;
	unsigned i;

	b->payload = mem_calloc(1, b->payload_len);
	if (b->payload == NULL)
		exit(71);
	b->clients = clients;
	for (i = 0; i < clients; i++)
		put_one(b);
	if (loop_run(b->loop, &e) == -1)
		die(&e);
	mem_free(b->payload);
}

static void
close_all(struct bench *b)
{
	b->queue = queue_free(b->queue);
	b->store = store_free(b->store);
	b->loop = loop_free(b->loop);
}

static void
bench_put(char **argv)
{
	struct bench b = { .max = UINT64_MAX };
	int64_t began;

	open_all(&b, argv[1]);
	b.payload_len = (size_t)number(argv[5]);
	began = clock_mono_ns();
	b.end_ns = began + (int64_t)number(argv[3]) * 1000000000;
	run(&b, (unsigned)number(argv[4]));
	printf(
	    "%.1f\n", (double)b.done * 1e9 / (double)(clock_mono_ns() - began));
	close_all(&b);
}

static void
bench_fill(char **argv)
{
	struct bench b = { .payload_len = 500, .finish = true };

	open_all(&b, argv[1]);
	b.max = number(argv[3]);
	run(&b, b.max < 1000 ? 1 : 1000);
	printf("%llu\n", (unsigned long long)b.done);
	close_all(&b);
}

static void
bench_open(char **argv)
{
	struct bench b = { .max = 0 };
	int64_t began;

	began = clock_mono_ns();
	open_all(&b, argv[1]);
	printf("%.3f\n", (double)(clock_mono_ns() - began) / 1e6);
	close_all(&b);
}

/* A filter that nothing matches: every record is looked at. */
static void
bench_list(char **argv)
{
	struct queue_filter f = { .name = "nothing", .limit = 100 };
	struct error e = ERROR_INIT;
	struct bench b = { .max = 0 };
	AUTO_ARENA struct arena a;
	struct job *jobs;
	int64_t began;
	size_t n;

	arena_init(&a, 1 << 20);
	open_all(&b, argv[1]);
	began = clock_mono_ns();
	if (queue_list(b.queue, &f, &a, &jobs, &n, &e) == -1)
		die(&e);
	printf("%.3f\n", (double)(clock_mono_ns() - began) / 1e6);
	close_all(&b);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int argc;
		void (*fn)(char **argv);
	} rows[] = {
		{ "put", 6, bench_put },
		{ "fill", 4, bench_fill },
		{ "open", 3, bench_open },
		{ "list", 3, bench_list },
	};
	size_t i;

	for (i = 0; argc > 2 && i < ARRAY_LEN(rows); i++) {
		if (strcmp(argv[2], rows[i].name) != 0 || argc != rows[i].argc)
			continue;
		rows[i].fn(argv);
		return 0;
	}
	fprintf(stderr,
	    "usage: bench_store DIR put SECONDS CLIENTS VALUE_BYTES\n"
	    "       bench_store DIR fill JOBS\n"
	    "       bench_store DIR open\n"
	    "       bench_store DIR list\n");
	return 64;
}
