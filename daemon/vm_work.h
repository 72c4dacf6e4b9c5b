/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The file work of jobs that make VMs (daemon/vm_files.h), on a thread of its
 * own: a jail may lie on a disk that is busy being written to.
 */
#pragma once

#include "daemon/vm_files.h"

struct loop;
struct node;
struct vm_work;

enum vm_op {
	VM_OP_LOOK,
	VM_OP_CLOUD,
	VM_OP_TEMPLATE,
	VM_OP_INSTALL,
	VM_OP_DONE,
};

struct vm_order {
	enum vm_op op;
	const char *jails;
	const char *metadata;
	const char *name;
	/* The message of the job. */
	const struct node *message;
	/* LOOK. */
	bool has_project;
	/* TEMPLATE. */
	struct vm_plan plan;
	/* DONE: the Director file. */
	const char *file;
	size_t file_len;
};

/* What came of it; valid during the callback. */
struct vm_outcome {
	/* NULL: it has failed, as the exception and e say. */
	const char *note;
	const char *exception;
	struct error e;
	/* LOOK: the Director file. */
	const char *file;
	size_t file_len;
};
typedef void vm_work_done_fn(const struct vm_outcome *o, void *ctx);

struct vm_work_id {
	uint64_t v;
};

int vm_work_new(struct vm_work **ret, struct loop *l, struct error *e);
/* All is copied; done is called once, never in here. */
int vm_work_start(struct vm_work *w, const struct vm_order *order,
    vm_work_done_fn *done, void *ctx, struct vm_work_id *ret, struct error *e);
/* Idempotent; done will not be called. What was begun is finished. */
void vm_work_cancel(struct vm_work *w, struct vm_work_id id);
/* Waits for what the thread is at. */
struct vm_work *vm_work_free(struct vm_work *w);
AUTO_DEFINE(vm_work)
