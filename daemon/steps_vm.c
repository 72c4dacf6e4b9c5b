/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The kind of job that makes a VM (runtime.md 2): Director makes its jail, then
 * vm-bhyve the VM in it, then a script, or somebody before a disc, puts a
 * system on its disk, and it starts.
 *
 *   look -> poweroff, down -> up -> cloud-init, seed -> template -> create
 *     -> files -> install or start -> done
 *
 * What is decided on the way (vm_plan.h) stands in the notes of `look` and
 * `template`. It has two records: the project's `up`, until Director is done,
 * then the VM's. An attempt that was interrupted goes on at `up`, which starts
 * a jail that a reboot has stopped; all that follows may be repeated.
 *
 * What is done to files is in vm_files.h, commands in steps_vm_command.c.
 */
#include <string.h>

#include "daemon/inventory.h"
#include "daemon/logtext.h"
#include "daemon/steps_vm.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/data/node.h"

/* The job */

static int
vm_load(struct task *t, struct error *e)
{
	struct vm_job *j = arena_calloc(&t->arena, 1, sizeof(*j));

	if (j == NULL)
		return arena_check(&t->arena, e);
	t->vm = j;
	return msg_bind(&msg_vm_schema, t->payload, &t->arena, &j->message, e);
}

bool
vm_plan_of(const struct task *t, struct vm_plan *ret)
{
	const char *note = task_note(t, VM_STEP_LOOK);

	if (note != NULL)
		vm_plan_from_note(ret, &t->vm->message, note);
	return note != NULL;
}

/* What "template" has found; false before. */
static bool
noted(const struct task *t, const char *word)
{
	return vm_note_has(task_note(t, VM_STEP_TEMPLATE), word);
}

/* Director's part is over, well or not. */
static bool
is_past_up(const struct task *t)
{
	struct vm_plan p;

	return vm_plan_of(t, &p) &&
	    (!p.up || task_has_done(t, VM_STEP_UP, false));
}

/* Steps that are needed */

static bool
needs_down(struct task *t)
{
	struct vm_plan p;

	return vm_plan_of(t, &p) && p.restart;
}

static bool
needs_poweroff(struct task *t)
{
	return needs_down(t) && t->vm->message.vm.poweroff && steps_is_vm(t);
}

static bool
needs_up(struct task *t)
{
	struct vm_plan p;

	return vm_plan_of(t, &p) && !p.nothing && p.up;
}

/* Whatever is of the VM itself. */
static bool
needs_vm(struct task *t)
{
	struct vm_plan p;

	return vm_plan_of(t, &p) && !p.nothing && !p.restart;
}

static bool
needs_seed(struct task *t)
{
	return needs_vm(t) && vm_has_seed(&t->vm->message);
}

static bool
needs_create(struct task *t)
{
	return needs_vm(t) && noted(t, VM_NOTE_CREATE);
}

enum vm_final
vm_final_of(const struct task *t)
{
	struct vm_plan p = { 0 };

	(void)vm_plan_of(t, &p);
	return vm_plan_final(&p, &t->vm->message, noted(t, VM_NOTE_DONE));
}

static bool
needs_install(struct task *t)
{
	return needs_vm(t) && vm_final_of(t) != VM_START;
}

static bool
needs_start(struct task *t)
{
	return needs_vm(t) && vm_final_of(t) == VM_START;
}

/* Somebody who installs from a disc says himself when it is done. */
static bool
needs_done(struct task *t)
{
	return needs_vm(t) && vm_final_of(t) != VM_INSTALL_ISO &&
	    steps_rc(&t->result) == 0;
}

/* Work */

static void
work_done(const struct vm_outcome *o, void *ctx)
{
	struct task *t = ctx;
	struct verdict v = { .state = JOB_FAILED, .operation = "FAILED" };

	t->vm_work.v = 0;
	if (o->note == NULL) {
		v.exception_type = o->exception;
		v.exception_message = arena_strdup(&t->arena, o->e.text);
		task_work_failed(t, &v);
		return;
	}
	if (o->file != NULL) {
		t->vm->file = arena_strndup(&t->arena, o->file, o->file_len);
		t->vm->file_len = o->file_len;
	}
	task_work_ended(t, 0, arena_strdup(&t->arena, o->note));
}

static int
start_work(
    struct task *t, enum vm_op op, const struct vm_order *more, struct error *e)
{
	struct vm_order o = *more;

	o.op = op;
	o.jails = t->r->config.jails;
	o.metadata = t->r->config.metadata;
	o.name = t->job.name;
	o.message = t->payload;
	(void)vm_plan_of(t, &o.plan);
	return vm_work_start(
	    t->r->deps.vm_work, &o, work_done, t, &t->vm_work, e);
}

static int
look_work(struct task *t, struct error *e)
{
	struct vm_order more = { .has_project = false };
	struct project_state st;

	inventory_project_state(t->r->deps.inventory, t->job.name, &st);
	more.has_project = st.exists;
	return start_work(t, VM_OP_LOOK, &more, e);
}

static int
cloud_work(struct task *t, struct error *e)
{
	return start_work(t, VM_OP_CLOUD, &(struct vm_order){ 0 }, e);
}

static int
template_work(struct task *t, struct error *e)
{
	return start_work(t, VM_OP_TEMPLATE, &(struct vm_order){ 0 }, e);
}

static int
files_work(struct task *t, struct error *e)
{
	return start_work(t, VM_OP_INSTALL, &(struct vm_order){ 0 }, e);
}

static int
done_work(struct task *t, struct error *e)
{
	struct vm_order more = { 0 };

	if (vm_director_file(t, &more.file, &more.file_len, e) < 0)
		return -1;
	return start_work(t, VM_OP_DONE, &more, e);
}

/* What the project is deployed with is also where the Director file is kept
 * until the job ends: with "down" the jail may go, and its mark. */
int
vm_director_file(
    struct task *t, const char **ret, size_t *ret_len, struct error *e)
{
	const struct node *spec, *id, *file;
	struct node *found = NULL;

	if (t->vm->file == NULL) {
		if (record_get_spec(t->r->deps.store, t->job.name, &t->arena,
			&found, e) < 0)
			return -1;
		spec = found;
		id = node_get(spec, "job_id");
		file = node_get(spec, "director_file");
		if (id == NULL || id->type != NODE_INT ||
		    (uint64_t)id->u.i != t->job.id.v || node_text(file) == NULL)
			return error_set(e, OVE_CORRUPT,
			    "the Director file of this job is gone");
		t->vm->file = file->u.str.s;
		t->vm->file_len = file->u.str.len;
	}
	*ret = t->vm->file;
	*ret_len = t->vm->file_len;
	return 0;
}

static struct node *
spec_node(struct task *t)
{
	struct arena *a = &t->arena;
	struct node *n = node_new(a, NODE_MAP);

	node_set(
	    a, n, "director_file", node_strn(a, t->vm->file, t->vm->file_len));
	node_set(a, n, "environment", node_new(a, NODE_MAP));
	node_set(a, n, "job_id", node_int(a, (int64_t)t->job.id.v));
	node_set(a, n, "applied_at",
	    node_float(a, (double)clock_wall_ms() / 1000.0));
	return n;
}

/* Records */

static void
put_up(struct task *t, const struct record *rec)
{
	struct record full = *rec;

	full.job = t->job.id;
	t->write.up = record_to_node(&full, clock_wall_ms(), &t->arena);
}

/* What the command has printed; a record is JSON, which has no NUL. */
static struct node *
output_text(struct task *t)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, 4 * t->out_len + 1);
	if (t->out != NULL)
		logtext_clean(&b, t->out, t->out_len);
	if (strbuf_check(&b, NULL) < 0)
		t->arena.latch = OVE_NOMEM;
	for (size_t i = 0; i < b.len; i++)
		if (b.buf[i] == '\0')
			b.buf[i] = '?';
	return steps_text(t, b.buf, STEPS_TEXT_SHOWN);
}

/* What came of Director, in the record of the project; and a verdict, when it
 * ends the job. */
static int
judge_up(struct task *t, struct verdict *v)
{
	struct record rec = { .has_restarted = true };
	struct vm_plan p = { 0 };
	struct node *said;
	bool bad;

	(void)vm_plan_of(t, &p);
	rec.output = steps_director_output(t, &said, &bad);
	rec.restarted = p.restart;
	bad = bad || steps_has_failed(said);
	rec.operation = bad ? "INCOMPLETED" : "COMPLETED";
	if (bad)
		rec.message = steps_message(t, "appjail-director",
		    node_text(node_get(said, "message")),
		    "a service has failed");
	put_up(t, &rec);
	v->operation = bad ? NULL : "RUNNING";
	if (!bad)
		return 0;
	v->state = t->cancel_asked ? JOB_CANCELLED : JOB_INCOMPLETE;
	v->message = rec.message;
	return TASK_VERDICT;
}

/* What came of a command in the jail: nothing, when it went well. */
static int
judge_command(struct task *t, const char *step, struct verdict *v)
{
	if (steps_rc(&t->result) == 0)
		return 0;
	v->state = t->cancel_asked ? JOB_CANCELLED : JOB_FAILED;
	v->operation = "FAILED";
	v->output = output_text(t);
	v->note =
	    steps_message(t, arena_printf(&t->arena, "'%s'", step), NULL, NULL);
	return TASK_VERDICT;
}

/* What the records say until the next end. */
static void
begin_records(struct task *t, struct verdict *v)
{
	struct vm_plan p;

	v->operation = NULL;
	if (!vm_plan_of(t, &p))
		return;
	put_up(t, &(struct record){ .operation = p.up ? "RUNNING" : "NOOP" });
	if (!p.up)
		v->operation = "RUNNING";
}

/* The engine's ends. Those of the project's part are in its record, but a fault
 * is the VM's as well; those of the VM's part are all called FAILED. */
static void
vm_settle(struct task *t, struct verdict *v)
{
	const struct job_step *end = t->write.change.step_end;
	bool after_up =
	    end != NULL && end->rc >= 0 && strcmp(end->name, VM_STEP_UP) == 0;
	struct vm_plan p;

	if (v->operation == NULL)
		return;
	/* A cancel has come before anybody has looked at Director's answer. */
	if (after_up && t->write.up == NULL) {
		(void)judge_up(t, v);
		v->operation = NULL;
		v->state = JOB_CANCELLED;
		return;
	}
	if (is_past_up(t)) {
		if (v->exception_type == NULL &&
		    strcmp(v->operation, "INCOMPLETED") == 0) {
			v->operation = "FAILED";
			v->output = node_str(&t->arena, "");
			v->note = v->message;
			v->message = NULL;
		}
		return;
	}
	/* A job that has only looked has no record to end. */
	if (vm_plan_of(t, &p) || v->exception_type == NULL)
		put_up(t,
		    &(struct record){ .operation = v->operation,
			.output = v->output,
			.exception_type = v->exception_type,
			.exception_message = v->exception_message,
			.message = v->message });
	if (v->exception_type == NULL)
		v->operation = NULL;
}

/* The course of it */

static int
vm_open(struct task *t, struct verdict *v)
{
	if (steps_check_lock(t, v) != 0)
		return TASK_VERDICT;
	begin_records(t, v);
	return 0;
}

static int
vm_between(struct task *t, struct verdict *v)
{
	const char *step = t->write.change.step_end->name;
	const struct step_row *row = task_find_step(t->kind, step);

	v->operation = NULL;
	if (strcmp(step, VM_STEP_UP) == 0)
		return judge_up(t, v);
	if (strcmp(step, VM_STEP_LOOK) == 0) {
		begin_records(t, v);
		t->write.spec = spec_node(t);
	}
	if (is_past_up(t))
		return row->command != NULL ? judge_command(t, step, v) : 0;
	return steps_check_lock(t, v);
}

static void
vm_close(struct task *t, struct verdict *v)
{
	struct vm_plan p = { 0 };

	(void)vm_plan_of(t, &p);
	v->operation = NULL;
	if (p.nothing) {
		v->note = "it is made already: nothing to do";
		return;
	}
	if (t->lock_removed)
		v->note = "removed the lock that a dead Director had left";
	if (p.restart) {
		if (judge_up(t, v) == 0)
			v->operation = NULL;
		return;
	}
	if (judge_command(t,
		vm_final_of(t) == VM_START ? VM_STEP_START : VM_STEP_INSTALL,
		v) != 0)
		return;
	v->operation = "COMPLETED";
	v->output = output_text(t);
}

static const struct step_row vm_steps[] = {
	{ VM_STEP_LOOK, STEP_APART, steps_always, NULL, NULL, look_work },
	{ "poweroff", STEP_APART | STEP_TRIES | STEP_LOOKS, needs_poweroff,
	    steps_poweroff, NULL, NULL },
	{ "down", 0, needs_down, steps_down, NULL, NULL },
	{ VM_STEP_UP, STEP_CANCELS | STEP_ANEW, needs_up, vm_up_command,
	    steps_up_tidy, NULL },
	{ "cloud-init", STEP_APART | STEP_ANEW, needs_seed, NULL, NULL,
	    cloud_work },
	{ "seed", STEP_APART | STEP_ANEW | STEP_CANCELS, needs_seed,
	    vm_seed_command, NULL, NULL },
	{ VM_STEP_TEMPLATE, STEP_APART | STEP_ANEW, needs_vm, NULL, NULL,
	    template_work },
	{ "create", STEP_APART | STEP_ANEW | STEP_CANCELS, needs_create,
	    vm_create_command, NULL, NULL },
	{ "files", STEP_APART | STEP_ANEW, needs_vm, NULL, NULL, files_work },
	{ VM_STEP_INSTALL, STEP_APART | STEP_ANEW | STEP_CANCELS, needs_install,
	    vm_final_command, NULL, NULL },
	{ VM_STEP_START, STEP_APART | STEP_ANEW | STEP_CANCELS, needs_start,
	    vm_final_command, NULL, NULL },
	{ "done", STEP_APART | STEP_ANEW | STEP_COMPLETES, needs_done, NULL,
	    NULL, done_work },
};

const struct job_kind steps_vm = {
	.name = "vm",
	.has_record = true,
	.record = RECORD_VM,
	.steps = vm_steps,
	.steps_n = ARRAY_LEN(vm_steps),
	.load = vm_load,
	.open = vm_open,
	.between = vm_between,
	.close = vm_close,
	.settle = vm_settle,
};
