/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See jailask.h. Answers stand in a hash table by question and jail, and in one
 * list by use, from whose end the oldest goes when there are too many.
 */
#include "daemon/jailask.h"

#include <string.h>

#include "daemon/program.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/event/capture.h"
#include "lib/event/loop.h"

#define RUNNING_MAX 4
#define TIMEOUT_MS 5000
#define OUTPUT_MAX ((size_t)16 << 10)
#define AGAIN_MS 2000
#define COMPLAIN_MS 60000
#define BUCKETS 1024u
#define ANSWERS_MAX 8192

#define ARGS_MAX 8
/* In an argument: the jail. */
#define JAIL "%s"

TAILQ_HEAD(wait_list, jailask_wait);

struct jailask_answer {
	LIST_ENTRY(jailask_answer) in_bucket;
	TAILQ_ENTRY(jailask_answer) by_use;
	struct jailask *ja;
	enum jailask_kind kind;
	char *jail;
	/* NULL: nothing is known. */
	char *text;
	/* Monotonic. */
	int64_t good_until_ms;
	bool running;
	struct capture_id run;
	struct wait_list waiting;
};
LIST_HEAD(answer_bucket, jailask_answer);
TAILQ_HEAD(answer_list, jailask_answer);

struct jailask {
	struct capture *capture;
	struct jailask_config config;
	struct answer_bucket buckets[BUCKETS];
	/* Last used first. */
	struct answer_list answers;
	size_t n;
	uint64_t started;
	/* Monotonic; 0: never. */
	int64_t complained_ms[JAILASK_COUNT];
};

static const struct {
	enum program program;
	/* What the log calls it. */
	const char *word;
	const char *args[ARGS_MAX];
} questions[JAILASK_COUNT] = {
	[JAILASK_USAGE] = { PROGRAM_RCTL, "rctl", { "-u", "jail:" JAIL } },
	[JAILASK_CPUS] = { PROGRAM_APPJAIL, "appjail", { "cpuset", JAIL } },
	[JAILASK_INET] = { PROGRAM_APPJAIL, "appjail",
	    { "jail", "get", "-I", "--", JAIL, "inet" } },
	[JAILASK_INET6] = { PROGRAM_APPJAIL, "appjail",
	    { "jail", "get", "-I", "--", JAIL, "inet6" } },
};

static struct answer_bucket *
bucket_of(struct jailask *ja, enum jailask_kind kind, const char *jail)
{
	uint32_t h = 2166136261u ^ (uint32_t)kind;

	for (; *jail != '\0'; jail++)
		h = (h ^ (unsigned char)*jail) * 16777619u;
	return &ja->buckets[(h ^ h >> 16) % BUCKETS];
}

static void
answer_free(struct jailask_answer *an)
{
	LIST_REMOVE(an, in_bucket);
	TAILQ_REMOVE(&an->ja->answers, an, by_use);
	an->ja->n--;
	mem_free(an->jail);
	mem_free(an->text);
	mem_free(an);
}

/* Makes room for one. */
static int
evict(struct jailask *ja, struct error *e)
{
	struct jailask_answer *an;

	if (ja->n < ANSWERS_MAX)
		return 0;
	TAILQ_FOREACH_REVERSE (an, &ja->answers, answer_list, by_use) {
		if (!an->running) {
			answer_free(an);
			return 0;
		}
	}
	return error_set(e, OVE_BUSY, "too many commands wait");
}

static struct jailask_answer *
answer_of(struct jailask *ja, enum jailask_kind kind, const char *jail,
    struct error *e)
{
	struct answer_bucket *b = bucket_of(ja, kind, jail);
	struct jailask_answer *an;

	LIST_FOREACH (an, b, in_bucket) {
		if (an->kind == kind && strcmp(an->jail, jail) == 0) {
			TAILQ_REMOVE(&ja->answers, an, by_use);
			TAILQ_INSERT_HEAD(&ja->answers, an, by_use);
			return an;
		}
	}
	if (evict(ja, e) < 0)
		return NULL;
	an = mem_calloc(1, sizeof(*an));
	if (an == NULL || (an->jail = mem_strdup(jail)) == NULL) {
		mem_free(an);
		(void)error_nomem(e);
		return NULL;
	}
	an->ja = ja;
	an->kind = kind;
	TAILQ_INIT(&an->waiting);
	LIST_INSERT_HEAD(b, an, in_bucket);
	TAILQ_INSERT_HEAD(&ja->answers, an, by_use);
	ja->n++;
	return an;
}

/* A thousand jails on a machine that does not count are one warning. */
static void
complain(const struct jailask_answer *an, const struct error *e)
{
	const char *const *args = questions[an->kind].args;
	int64_t now = clock_mono_ms();
	int64_t *last = &an->ja->complained_ms[an->kind];
	bool again = *last != 0 && now - *last < COMPLAIN_MS;

	if (!again)
		*last = now;
	log_at(again ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "jail",
	    FIELDS(LF_S("jail", an->jail)), "%s %s: %s",
	    questions[an->kind].word, args[0], e->text);
}

static void
tell(struct jailask_answer *an)
{
	struct jailask_wait *w;

	while ((w = TAILQ_FIRST(&an->waiting)) != NULL) {
		TAILQ_REMOVE(&an->waiting, w, link);
		w->answer = NULL;
		w->fn(w, an->text);
	}
}

static void
on_done(const struct capture_result *r, void *ctx)
{
	struct jailask_answer *an = ctx;
	struct error e = ERROR_INIT;
	int64_t keep = an->ja->config.keep_ms[an->kind];
	char *text = NULL;

	an->running = false;
	if (capture_check(r, &e) == 0) {
		text = mem_strdup(r->out);
		if (text == NULL)
			(void)error_nomem(&e);
	}
	if (text != NULL) {
		mem_free(an->text);
		an->text = text;
	} else {
		complain(an, &e);
		keep = AGAIN_MS;
	}
	an->good_until_ms = clock_mono_ms() + keep;
	tell(an);
}

static int
ask(struct jailask_answer *an, struct error *e)
{
	const char *const *args = questions[an->kind].args;
	const char *argv[ARGS_MAX + 2];
	struct capture_request rq = {
		.argv = argv,
		.envp = an->ja->config.environment,
		.out_max = OUTPUT_MAX,
		.timeout_ms = TIMEOUT_MS,
	};
	AUTO_ARENA struct arena a;
	size_t n = 0;

	arena_init(&a, 4096);
	if (programs_get(an->ja->config.programs, questions[an->kind].program,
		&rq.path, e) < 0)
		return -1;
	argv[n++] = rq.path;
	for (size_t i = 0; i < ARRAY_LEN(questions[0].args) && args[i] != NULL;
	     i++) {
		const char *at = strstr(args[i], JAIL);

		argv[n++] = at == NULL
		    ? args[i]
		    : arena_printf(
			  &a, "%.*s%s", (int)(at - args[i]), args[i], an->jail);
	}
	argv[n] = NULL;
	if (arena_check(&a, e) < 0 ||
	    capture_start(an->ja->capture, &rq, on_done, an, &an->run, e) < 0)
		return -1;
	an->running = true;
	an->ja->started++;
	return 0;
}

int
jailask_get(struct jailask *ja, enum jailask_kind kind, const char *jail,
    struct jailask_wait *w, const char **ret_text, struct error *e)
{
	struct jailask_answer *an = answer_of(ja, kind, jail, e);
	struct error mine = ERROR_INIT;

	if (an == NULL)
		return -1;
	*ret_text = an->text;
	if (!an->running && clock_mono_ms() < an->good_until_ms)
		return JAILASK_KNOWN;
	if (!an->running && ask(an, &mine) < 0) {
		complain(an, &mine);
		an->good_until_ms = clock_mono_ms() + AGAIN_MS;
		return JAILASK_KNOWN;
	}
	w->answer = an;
	TAILQ_INSERT_TAIL(&an->waiting, w, link);
	return 0;
}

void
jailask_cancel(struct jailask *ja, struct jailask_wait *w)
{
	struct jailask_answer *an = w->answer;

	if (an == NULL)
		return;
	TAILQ_REMOVE(&an->waiting, w, link);
	w->answer = NULL;
	if (TAILQ_EMPTY(&an->waiting) && an->running) {
		capture_cancel(ja->capture, an->run);
		an->running = false;
	}
}

int
jailask_new(struct jailask **ret, struct loop *l, struct error *e)
{
	static const char *const nothing[] = { NULL };
	AUTO(jailask) struct jailask *ja = mem_calloc(1, sizeof(*ja));

	if (ja == NULL)
		return error_nomem(e);
	TAILQ_INIT(&ja->answers);
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_INIT(&ja->buckets[i]);
	ja->config = (struct jailask_config){ .environment = nothing };
	if (capture_new(&ja->capture, l, RUNNING_MAX, e) < 0)
		return -1;
	*ret = STEAL(ja);
	return 0;
}

void
jailask_configure(struct jailask *ja, const struct jailask_config *c)
{
	ja->config = *c;
	capture_set_max(
	    ja->capture, c->commands != 0 ? c->commands : RUNNING_MAX);
}

uint64_t
jailask_started(const struct jailask *ja)
{
	return ja->started;
}

struct jailask *
jailask_free(struct jailask *ja)
{
	struct jailask_answer *an;

	if (ja == NULL)
		return NULL;
	ja->capture = capture_free(ja->capture);
	while ((an = TAILQ_FIRST(&ja->answers)) != NULL)
		answer_free(an);
	mem_free(ja);
	return NULL;
}
