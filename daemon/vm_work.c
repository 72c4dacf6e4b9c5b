/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See vm_work.h. An order is a copy of all that the thread looks at, and has
 * room for what comes of it.
 */
#include "daemon/vm_work.h"

#include <sys/queue.h>

#include <stdio.h>

#include "daemon/exception.h"
#include "lib/base/mem.h"
#include "lib/data/node.h"
#include "lib/event/worker.h"

#define ARENA_MAX ((size_t)128 << 20)
#define FILE_MAX ((size_t)64 << 20)

struct order {
	TAILQ_ENTRY(order) link;
	struct work work;
	struct vm_work *owner;
	struct vm_work_id id;
	/* NULL when it was cancelled. */
	vm_work_done_fn *done;
	void *ctx;
	struct arena arena;
	struct vm_order in;
	struct msg_vm message;
	struct vm_outcome outcome;
	struct strbuf file;
	char note[VM_NOTE_MAX];
};
TAILQ_HEAD(order_list, order);

struct vm_work {
	struct worker *worker;
	struct order_list list;
	uint64_t last_id;
};

static struct order *
order_free(struct order *o)
{
	if (o == NULL)
		return NULL;
	strbuf_fini(&o->file);
	arena_fini(&o->arena);
	mem_free(o);
	return NULL;
}
AUTO_DEFINE(order)

/* On the thread */

static int
look(struct order *o, const struct vm_site *s, struct vm_fault *f)
{
	struct vm_facts facts = { .project = o->in.has_project };
	struct vm_plan plan;

	if (vm_files_look(s, &facts, &plan, &o->file, f) < 0)
		return -1;
	vm_plan_to_note(&plan, o->note);
	o->outcome.file = o->file.buf;
	o->outcome.file_len = o->file.len;
	return 0;
}

static int
run(struct order *o, struct vm_fault *f)
{
	const struct vm_site s = { .jails = o->in.jails,
		.metadata = o->in.metadata,
		.name = o->in.name,
		.m = &o->message };

	switch (o->in.op) {
	case VM_OP_LOOK:
		return look(o, &s, f);
	case VM_OP_CLOUD:
		return vm_files_cloud(&s, f);
	case VM_OP_TEMPLATE:
		return vm_files_template(&s, &o->in.plan, o->note, f);
	case VM_OP_INSTALL:
		return vm_files_install(&s, f);
	case VM_OP_DONE:
		return vm_files_done(&s, o->in.file, o->in.file_len, f);
	}
	return 0;
}

static void
run_all(struct work_list *all, void *ctx)
{
	struct work *w;

	(void)ctx;
	TAILQ_FOREACH (w, all, link) {
		struct order *o = container_of(w, struct order, work);
		struct vm_fault f = { .e = ERROR_INIT };

		if (run(o, &f) == 0) {
			o->outcome.note = o->note;
			continue;
		}
		o->outcome.e = f.e;
		o->outcome.exception =
		    f.type != NULL ? f.type : exception_of_error(&f.e);
	}
}

/* On the loop */

static void
was_done(struct work *w)
{
	struct order *o = container_of(w, struct order, work);

	TAILQ_REMOVE(&o->owner->list, o, link);
	if (o->done != NULL)
		o->done(&o->outcome, o->ctx);
	(void)order_free(o);
}

static int
fill(struct order *o, const struct vm_order *in, struct error *e)
{
	struct arena *a = &o->arena;
	const struct node *message = node_copy(a, in->message);

	o->in = *in;
	o->in.jails = arena_strdup(a, in->jails);
	o->in.metadata = arena_strdup(a, in->metadata);
	o->in.name = arena_strdup(a, in->name);
	o->in.message = message;
	if (in->file != NULL)
		o->in.file = arena_strndup(a, in->file, in->file_len);
	if (arena_check(a, e) < 0)
		return -1;
	return msg_bind(&msg_vm_schema, message, a, &o->message, e);
}

int
vm_work_start(struct vm_work *w, const struct vm_order *order,
    vm_work_done_fn *done, void *ctx, struct vm_work_id *ret, struct error *e)
{
	AUTO(order) struct order *o = mem_calloc(1, sizeof(*o));

	if (o == NULL)
		return error_nomem(e);
	arena_init(&o->arena, ARENA_MAX);
	strbuf_init(&o->file, FILE_MAX);
	if (fill(o, order, e) < 0)
		return -1;
	o->owner = w;
	o->done = done;
	o->ctx = ctx;
	o->work.done = was_done;
	o->id.v = ++w->last_id;
	*ret = o->id;
	TAILQ_INSERT_TAIL(&w->list, o, link);
	worker_submit(w->worker, &o->work);
	(void)STEAL(o);
	return 0;
}

void
vm_work_cancel(struct vm_work *w, struct vm_work_id id)
{
	struct order *o;

	TAILQ_FOREACH (o, &w->list, link)
		if (o->id.v == id.v)
			o->done = NULL;
}

int
vm_work_new(struct vm_work **ret, struct loop *l, struct error *e)
{
	struct vm_work *w = mem_calloc(1, sizeof(*w));

	if (w == NULL)
		return error_nomem(e);
	TAILQ_INIT(&w->list);
	if (worker_new(&w->worker, l, "vm", run_all, NULL, e) < 0) {
		mem_free(w);
		return -1;
	}
	*ret = w;
	return 0;
}

struct vm_work *
vm_work_free(struct vm_work *w)
{
	struct order *o;

	if (w == NULL)
		return NULL;
	TAILQ_FOREACH (o, &w->list, link)
		o->done = NULL;
	w->worker = worker_free(w->worker);
	mem_free(w);
	return NULL;
}
