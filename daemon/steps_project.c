/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the kinds of project jobs do (runtime.md 1.4, 1.5): create and destroy.
 *
 * Special labels come after `up` and before `down -d`. A create ends as that
 * `up` has, and they; a destroy goes no further when one of them has a fault,
 * unless it is forced.
 */
#include <ctype.h>
#include <string.h>

#include "daemon/inventory.h"
#include "daemon/steps.h"
#include "lib/base/strbuf.h"
#include "lib/data/node.h"

#define FREEPORT "OVERLORD_FREEPORT_"
#define NOTE_MAX ((size_t)1 << 20)

/* Labels */

static bool
is_destroy(const struct task *t)
{
	return t->kind->record == RECORD_DOWN;
}

static void
find_labels(struct task *t)
{
	int flags = (is_destroy(t) ? LABELS_DESTROY : 0) |
	    (steps_flag(t, "force") ? LABELS_FORCE : 0);

	labels_find(&t->look, t->job.name, flags, &t->arena, &t->labels_plan);
}

static bool
labels_are_needed(struct task *t)
{
	find_labels(t);
	return t->labels_plan.n > 0;
}

static void
labels_done(const struct node *result, void *ctx)
{
	struct task *t = ctx;

	t->labels_work.v = 0;
	t->labels = result != NULL ? node_copy(&t->arena, result)
				   : labels_result(&t->arena, "out of memory");
	task_work_ended(t, labels_have_failed(t->labels) ? 1 : 0, "");
}

static int
labels_work(struct task *t, struct error *e)
{
	/* It was begun by an earlier daemon. */
	if (t->labels_plan.n == 0)
		find_labels(t);
	return labels_start(t->r->deps.labels, &t->labels_plan, labels_done, t,
	    &t->labels_work, e);
}

/* What came of them, or why there was nothing to do. */
static struct node *
labels_of(struct task *t)
{
	if (t->labels == NULL)
		t->labels = labels_result(&t->arena, t->labels_plan.error);
	return t->labels;
}

/* One line about what is wrong with them, or NULL. */
static const char *
labels_fault(struct task *t)
{
	const char *text;

	if (t->labels == NULL || !labels_have_failed(t->labels))
		return NULL;
	text = node_text(node_get(t->labels, "message"));
	return text != NULL ? text : "special labels have failed";
}

static void
close_with(struct task *t, struct verdict *v, bool destroy, bool bad,
    const struct node *said, const char *fault)
{
	v->operation = bad ? "INCOMPLETED" : "COMPLETED";
	v->state = bad ? JOB_INCOMPLETE : JOB_COMPLETED;
	if (bad && t->cancel_asked && !destroy)
		v->state = JOB_CANCELLED;
	if (bad)
		v->message = steps_message(t, "appjail-director",
		    node_text(node_get(said, "message")), fault);
	if (!bad && t->lock_removed)
		v->note = "removed the lock that a dead Director had left";
}

/* Ports */

static const struct node *
wanted_ports(const struct task *t)
{
	static const struct node none = { .type = NODE_MAP };
	const struct node *n = node_get(t->payload, "reserve_port");

	return n != NULL && n->type == NODE_MAP ? n : &none;
}

static bool
ports_are_needed(struct task *t)
{
	return wanted_ports(t)->u.map.n > 0;
}

/* "OVERLORD_FREEPORT_EM0=49160 ..." */
static char *
ports_note(struct task *t, const uint16_t *ports)
{
	const struct node *wanted = wanted_ports(t);
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, NOTE_MAX);
	for (size_t i = 0; i < wanted->u.map.n; i++) {
		const char *c = node_text(wanted->u.map.pairs[i].key);

		strbuf_adds(&b, i > 0 ? " " FREEPORT : FREEPORT);
		for (; *c != '\0'; c++)
			strbuf_addc(&b, (char)toupper((unsigned char)*c));
		strbuf_addf(&b, "=%u", (unsigned)ports[i]);
	}
	return arena_strndup(&t->arena, b.buf, b.len);
}

static void
ports_failed(struct task *t, const struct ports_result *r)
{
	const struct node_pair *p = &wanted_ports(t)->u.map.pairs[r->which];
	struct verdict v = { .state = JOB_FAILED, .operation = "FAILED" };

	if (r->end == PORTS_NONE) {
		v.message = arena_printf(&t->arena,
		    "no free port has been found for %s (%s)",
		    node_text(p->key), special_text(node_text(p->value)));
	} else {
		v.exception_type = r->exception;
		v.exception_message = arena_strdup(&t->arena, r->e.text);
	}
	task_work_failed(t, &v);
}

static void
ports_done(const struct ports_result *r, void *ctx)
{
	struct task *t = ctx;

	t->ports_work.v = 0;
	if (r->end == PORTS_FOUND)
		task_work_ended(t, 0, ports_note(t, r->ports));
	else
		ports_failed(t, r);
}

static int
ports_work(struct task *t, struct error *e)
{
	const struct node *wanted = wanted_ports(t);
	struct ports_wish *wishes;
	int r;

	arena_fini(&t->scratch);
	wishes = arena_calloc(&t->scratch, wanted->u.map.n, sizeof(*wishes));
	if (wishes == NULL)
		return arena_check(&t->scratch, e);
	for (size_t i = 0; i < wanted->u.map.n; i++) {
		wishes[i].iface = node_text(wanted->u.map.pairs[i].key);
		wishes[i].network = node_text(wanted->u.map.pairs[i].value);
	}
	r = ports_find(t->r->deps.ports, t->r->config.jails, wishes,
	    wanted->u.map.n, ports_done, t, &t->ports_work, e);
	arena_fini(&t->scratch);
	return r;
}

/* create */

static bool
create_needs_down(struct task *t)
{
	struct project_state st;

	if (!steps_flag(t, "restart"))
		return false;
	inventory_project_state(t->r->deps.inventory, t->job.name, &st);
	return st.exists;
}

static bool
create_needs_poweroff(struct task *t)
{
	return create_needs_down(t) && steps_is_vm(t);
}

static int
up_command(struct task *t, struct run_spec *spec, struct error *e)
{
	const struct node *file = node_get(t->payload, "director_file");

	return steps_up(t, file->u.str.s, file->u.str.len, false, spec, e);
}

static int
create_open(struct task *t, struct verdict *v)
{
	const struct node *file = node_get(t->payload, "director_file");

	if (file == NULL || file->type != NODE_STR) {
		v->state = JOB_FAILED;
		v->operation = "FAILED";
		v->message = "the job's record cannot be read";
		return TASK_VERDICT;
	}
	return steps_check_lock(t, v);
}

/* Once it is up, whoever locks it may have it. */
static int
create_between(struct task *t, struct verdict *v)
{
	return strcmp(t->write.change.step_end->name, "up") == 0
	    ? 0
	    : steps_check_lock(t, v);
}

static void
create_close(struct task *t, struct verdict *v)
{
	struct node *said;
	bool bad;

	v->output = steps_director_output(t, &said, &bad);
	v->labels = labels_of(t);
	bad = bad || labels_have_failed(v->labels);
	close_with(t, v, false, bad, said, labels_fault(t));
}

/* destroy */

static int
destroy_command(struct task *t, struct run_spec *spec, struct error *e)
{
	const char *const words[] = { "down", "-j", "-d", "--ignore-failed",
		"-p", t->job.name, NULL };

	return steps_director(t, words, spec, e);
}

/* The labels that the RUNNING record of this job carries: the project may be
 * gone by now. */
static struct node *
labels_recorded(struct task *t)
{
	struct node *rec, *labels = NULL;

	if (t->labels != NULL)
		return t->labels;
	if (record_get(t->r->deps.store, RECORD_DOWN, t->job.name, &t->arena,
		&rec, NULL) == 0)
		labels = node_get(rec, "labels");
	return labels != NULL ? labels : labels_result(&t->arena, NULL);
}

/* Nothing is destroyed when a label has a fault, unless it is forced. */
static int
judge_labels(struct task *t, struct verdict *v)
{
	v->labels = labels_of(t);
	v->operation = "RUNNING";
	if (!labels_have_failed(v->labels) || steps_flag(t, "force"))
		return 0;
	v->state = JOB_INCOMPLETE;
	v->operation = "INCOMPLETED";
	v->output = node_new(&t->arena, NODE_MAP);
	v->message = labels_fault(t);
	return TASK_VERDICT;
}

static int
destroy_open(struct task *t, struct verdict *v)
{
	if (steps_check_lock(t, v) != 0)
		return TASK_VERDICT;
	/* A destroy that was interrupted goes on: what it has done so far is
	 * what makes the state unexpected. */
	if (t->job.steps_n > 0) {
		v->labels = labels_recorded(t);
		return 0;
	}
	if (!task_has_look(t, task_open))
		return TASK_WAITS;
	/* The record says RUNNING once they are done. */
	v->operation = NULL;
	if (labels_are_needed(t))
		return 0;
	return judge_labels(t, v);
}

static int
destroy_between(struct task *t, struct verdict *v)
{
	return t->labels != NULL ? judge_labels(t, v) : 0;
}

static void
destroy_close(struct task *t, struct verdict *v)
{
	struct node *said;
	bool bad;

	v->output = steps_director_output(t, &said, &bad);
	v->labels = labels_recorded(t);
	/* A project that Director does not know is gone already. */
	if (bad && steps_rc(&t->result) == 66 &&
	    node_int_at(said, "errlevel", 0) == 66)
		bad = false;
	bad = bad || steps_has_failed(said);
	close_with(t, v, true, bad, said, NULL);
}

static const struct step_row create_steps[] = {
	{ STEP_RESERVE, STEP_APART, ports_are_needed, NULL, NULL, ports_work },
	{ "poweroff", STEP_APART | STEP_TRIES | STEP_LOOKS,
	    create_needs_poweroff, steps_poweroff, NULL, NULL },
	{ "down", 0, create_needs_down, steps_down, NULL, NULL },
	{ "up", STEP_CANCELS, steps_always, up_command, steps_up_tidy, NULL },
	{ "labels", STEP_APART | STEP_COMPLETES | STEP_LOOKS, labels_are_needed,
	    NULL, NULL, labels_work },
};

static const struct step_row destroy_steps[] = {
	{ "labels", STEP_APART | STEP_LOOKS, labels_are_needed, NULL, NULL,
	    labels_work },
	{ "poweroff", STEP_APART | STEP_TRIES | STEP_LOOKS, steps_is_vm,
	    steps_poweroff, NULL, NULL },
	{ "down", 0, steps_always, destroy_command, NULL, NULL },
};

const struct job_kind steps_create = {
	.name = "create",
	.has_record = true,
	.record = RECORD_UP,
	.steps = create_steps,
	.steps_n = ARRAY_LEN(create_steps),
	.open = create_open,
	.between = create_between,
	.close = create_close,
};

const struct job_kind steps_destroy = {
	.name = "destroy",
	.has_record = true,
	.record = RECORD_DOWN,
	.steps = destroy_steps,
	.steps_n = ARRAY_LEN(destroy_steps),
	.open = destroy_open,
	.between = destroy_between,
	.close = destroy_close,
};
