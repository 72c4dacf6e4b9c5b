/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What only commands know of jails: one command for all who wait, an answer
 * that is kept, failures that are not asked for again at once, and cancelling.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/jailask.h"
#include "daemon/program.h"
#include "lib/base/clock.h"
#include "lib/event/loop.h"
#include "test/unit/support/torture.h"

#define PATIENCE_MS 30000

static struct loop *loop;
static struct jailask *ask;
static struct timer tick;
static int64_t until_ms;
static unsigned wanted;

struct asker {
	struct jailask_wait wait;
	unsigned n;
	/* "(none)" for NULL. */
	char text[100];
};
static struct asker askers[8];
static unsigned answers;

static void
answered(struct jailask_wait *w, const char *text)
{
	struct asker *k = container_of(w, struct asker, wait);

	k->n++;
	(void)snprintf(
	    k->text, sizeof(k->text), "%s", text != NULL ? text : "(none)");
	answers++;
}

static void
on_tick(struct timer *t)
{
	if (answers >= wanted || clock_mono_ms() > until_ms)
		loop_stop(t->loop);
	else
		timer_arm(t, 2);
}

/* Until so many answers are here. */
static void
wait_for(unsigned n)
{
	struct error e = ERROR_INIT;

	wanted = n;
	until_ms = clock_mono_ms() + PATIENCE_MS;
	timer_arm(&tick, 0);
	test_ok(loop_run(loop, &e), &e);
	assert_int_equal(answers, n);
}

/* A command of AppJail that says how often it was called, and what with. */
static const char counting[] =
    "#!/bin/sh\n"
    "cd \"${0%/*}\" && echo x >>count && n=$(grep -c x count)\n"
    "echo \"$n $*\"\n";

static void
put_script(const struct test_dir *d, const char *text)
{
	test_dir_put(d, "appjail", text);
	assert_int_equal(fchmodat(d->fd, "appjail", 0700, 0), 0);
}

static const char *const env[] = { "PATH=/usr/bin:/bin", NULL };

static struct programs *programs;

static struct jailask_config
config_of(const struct test_dir *d, int64_t keep_ms)
{
	char path[300];
	struct jailask_config c = { .environment = env };
	const struct programs_config pc = {
		.director = path,
		.appjail = path,
		.helper = path,
		.libexec = d->path,
	};

	(void)snprintf(path, sizeof(path), "%s/appjail", d->path);
	programs_find(programs, &pc);
	c.programs = programs;
	for (size_t i = 0; i < JAILASK_COUNT; i++)
		c.keep_ms[i] = keep_ms;
	return c;
}

static void
open_rig(const struct test_dir *d, int64_t keep_ms)
{
	struct jailask_config c;
	struct error e = ERROR_INIT;

	test_ok(programs_new(&programs, &e), &e);
	c = config_of(d, keep_ms);
	memset(askers, 0, sizeof(askers));
	answers = 0;
	test_ok(loop_new(&loop, &e), &e);
	test_ok(timer_init(&tick, loop, on_tick, "tick", &e), &e);
	test_ok(jailask_new(&ask, loop, &e), &e);
	jailask_configure(ask, &c);
}

static void
close_rig(void)
{
	ask = jailask_free(ask);
	timer_fini(&tick);
	loop = loop_free(loop);
	programs = programs_free(programs);
}

static int
get(size_t who, enum jailask_kind kind, const char *jail, const char **text)
{
	struct error e = ERROR_INIT;
	int rc;

	askers[who].wait.fn = answered;
	rc = jailask_get(ask, kind, jail, &askers[who].wait, text, &e);
	assert_true(rc >= 0);
	return rc;
}

static void
one_command_for_all_who_wait(void **state)
{
	const char *text;

	put_script(*state, counting);
	open_rig(*state, PATIENCE_MS * 2);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(get(i, JAILASK_CPUS, "a", &text), 0);
	assert_int_equal(get(3, JAILASK_INET, "a", &text), 0);
	wait_for(4);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(askers[i].text + 2, "cpuset a\n");
	assert_string_equal(askers[0].text, askers[1].text);
	assert_string_equal(askers[3].text + 2, "jail get -I -- a inet\n");
	/* It is known now. */
	assert_int_equal(get(0, JAILASK_CPUS, "a", &text), JAILASK_KNOWN);
	assert_string_equal(text, askers[1].text);
	assert_int_equal(get(0, JAILASK_CPUS, "b", &text), 0);
	wait_for(5);
	assert_string_equal(askers[0].text, "3 cpuset b\n");
	close_rig();
}

static void
an_answer_of_yesterday_is_asked_for_again(void **state)
{
	const char *text;

	put_script(*state, counting);
	open_rig(*state, 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(get(i, JAILASK_INET6, "a", &text), 0);
		wait_for(i + 1);
		assert_int_equal(askers[i].text[0], '1' + (char)i);
	}
	close_rig();
}

static void
a_failure_leaves_what_was_known(void **state)
{
	const char *text;

	put_script(*state, counting);
	open_rig(*state, 0);
	assert_int_equal(get(0, JAILASK_CPUS, "a", &text), 0);
	wait_for(1);
	put_script(*state, "#!/bin/sh\necho no; exit 70\n");
	assert_int_equal(get(1, JAILASK_CPUS, "a", &text), 0);
	assert_int_equal(get(2, JAILASK_CPUS, "b", &text), 0);
	wait_for(3);
	assert_string_equal(askers[1].text, "1 cpuset a\n");
	assert_string_equal(askers[2].text, "(none)");
	close_rig();
}

static void
a_failure_is_not_repeated_at_once(void **state)
{
	const struct test_dir *d = *state;
	const char *text = "";

	put_script(d, "#!/bin/sh\ncd \"${0%/*}\" && echo x >>count\nexit 70\n");
	open_rig(d, 0);
	assert_int_equal(get(0, JAILASK_CPUS, "a", &text), 0);
	wait_for(1);
	assert_int_equal(get(1, JAILASK_CPUS, "a", &text), JAILASK_KNOWN);
	assert_null(text);
	assert_string_equal(test_dir_text(d, "count"), "x\n");
	close_rig();
}

static void
no_program_is_an_answer(void **state)
{
	const char *text = "";

	open_rig(*state, 0);
	assert_int_equal(get(0, JAILASK_CPUS, "a", &text), JAILASK_KNOWN);
	assert_null(text);
	close_rig();
}

static void
the_last_one_takes_the_command_along(void **state)
{
	const struct test_dir *d = *state;
	const char *text;

	put_script(d, "#!/bin/sh\nsleep 1000\n");
	open_rig(d, 0);
	assert_int_equal(get(0, JAILASK_CPUS, "a", &text), 0);
	assert_int_equal(get(1, JAILASK_CPUS, "a", &text), 0);
	jailask_cancel(ask, &askers[0].wait);
	jailask_cancel(ask, &askers[0].wait);
	put_script(d, counting);
	/* The first still runs for the second. */
	jailask_cancel(ask, &askers[1].wait);
	assert_int_equal(get(2, JAILASK_CPUS, "a", &text), 0);
	wait_for(1);
	assert_int_equal(askers[0].n + askers[1].n, 0);
	assert_string_equal(askers[2].text, "1 cpuset a\n");
	close_rig();
}

/* More than are kept: the oldest make room. */
static void
answers_do_not_pile_up(void **state)
{
	const char *text;
	char jail[32];

	open_rig(*state, 0);
	for (unsigned i = 0; i < 20000; i++) {
		(void)snprintf(jail, sizeof(jail), "j%u", i);
		assert_int_equal(
		    get(0, JAILASK_CPUS, jail, &text), JAILASK_KNOWN);
	}
	assert_true(torture_mem_live() < 3 * 8192 + 100);
	close_rig();
}

struct torturer {
	struct jailask_wait wait;
	struct loop *loop;
	bool done;
};

static void
told_torturer(struct jailask_wait *w, const char *text)
{
	struct torturer *t = container_of(w, struct torturer, wait);

	(void)text;
	t->done = true;
	loop_stop(t->loop);
}

static int
body(void *ctx, struct error *e)
{
	AUTO(loop) struct loop *l = NULL;
	AUTO(jailask) struct jailask *ja = NULL;
	struct torturer t = { .wait = { .fn = told_torturer } };
	struct jailask_config c;
	AUTO(programs) struct programs *mine = NULL;
	const char *text;
	int rc;

	if (programs_new(&mine, e) < 0 || loop_new(&l, e) < 0 ||
	    jailask_new(&ja, l, e) < 0)
		return -1;
	programs = mine;
	c = config_of(ctx, 0);
	t.loop = l;
	jailask_configure(ja, &c);
	rc = jailask_get(ja, JAILASK_CPUS, "a", &t.wait, &text, e);
	/* That it could not be asked is an answer, too. */
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (loop_run(l, e) < 0) {
		jailask_cancel(ja, &t.wait);
		return -1;
	}
	assert_true(t.done);
	return 0;
}

static void
allocations_may_fail(void **state)
{
	put_script(*state, "#!/bin/sh\necho 0\n");
	torture(body, *state);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(one_command_for_all_who_wait),
	TEST_IN_DIR(an_answer_of_yesterday_is_asked_for_again),
	TEST_IN_DIR(a_failure_leaves_what_was_known),
	TEST_IN_DIR(a_failure_is_not_repeated_at_once),
	TEST_IN_DIR(no_program_is_an_answer),
	TEST_IN_DIR(the_last_one_takes_the_command_along),
	TEST_IN_DIR(answers_do_not_pile_up),
	TEST_IN_DIR(allocations_may_fail),
};
TEST_MAIN(tests)
