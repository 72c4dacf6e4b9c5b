/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the course of a job that makes a VM (steps_vm.c) and its commands
 * (steps_vm_command.c) share.
 */
#pragma once

#include "daemon/steps.h"
#include "daemon/vm_text.h"

/* Steps that others look back at. */
#define VM_STEP_LOOK "look"
#define VM_STEP_UP "up"
#define VM_STEP_TEMPLATE "template"
#define VM_STEP_INSTALL "install"
#define VM_STEP_START "start"

struct vm_job {
	/* What was asked for. */
	struct msg_vm message;
	/* The Director file; NULL: not known yet, see vm_director_file(). */
	const char *file;
	size_t file_len;
};

/* What was decided; false before. */
bool vm_plan_of(const struct task *t, struct vm_plan *ret);
enum vm_final vm_final_of(const struct task *t);
int vm_director_file(
    struct task *t, const char **ret, size_t *ret_len, struct error *e);

int vm_up_command(struct task *t, struct run_spec *spec, struct error *e);
int vm_seed_command(struct task *t, struct run_spec *spec, struct error *e);
int vm_create_command(struct task *t, struct run_spec *spec, struct error *e);
int vm_final_command(struct task *t, struct run_spec *spec, struct error *e);
