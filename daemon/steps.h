/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the kinds of jobs share: Director's lock, the commands of Director and
 * AppJail, and what Director's answer means. For the tables of steps.
 */
#pragma once

#include "daemon/program.h"
#include "daemon/runner_internal.h"

/* The kinds of steps_project.c and steps_vm.c. */
extern const struct job_kind steps_create;
extern const struct job_kind steps_destroy;
extern const struct job_kind steps_vm;

/* A boolean of the payload. */
bool steps_flag(const struct task *t, const char *name);
/* For a step that is always needed. */
bool steps_always(struct task *t);

/* 0: the project is not locked, or was by a dead Director of ours. Else
 * TASK_VERDICT, and v says who has it. */
int steps_check_lock(struct task *t, struct verdict *v);

/* All of these fill spec in the task's scratch. argv: a program, by its name or
 * its absolute path, and words. */
int steps_argv(struct task *t, enum program program, const char *const *words,
    struct run_spec *spec, struct error *e);
/* words: after the name of Director, in the environment of the job. */
int steps_director(struct task *t, const char *const *words,
    struct run_spec *spec, struct error *e);
/* Hands a Director file over, which steps_up_tidy() takes away. */
int steps_up(struct task *t, const char *file, size_t len, bool overwrite,
    struct run_spec *spec, struct error *e);
void steps_up_tidy(struct task *t);
int steps_down(struct task *t, struct run_spec *spec, struct error *e);
/* Removes the Director files of jobs that have ended. */
void steps_sweep_files(struct runner *r);

/* Whether a project is one VM, which can be powered off (runtime.md 1.9); for a
 * step that looks. */
bool steps_is_vm(struct task *t);
int steps_poweroff(struct task *t, struct run_spec *spec, struct error *e);

/* The exit status of the last command, as a shell has it. */
int steps_rc(const struct run_result *res);
/* `output` of a record of the last command, which was Director's, and what it
 * said; *ret_bad: it did not do what it was asked. */
struct node *steps_director_output(
    struct task *t, struct node **ret_said, bool *ret_bad);
/* It names services that have failed. */
bool steps_has_failed(const struct node *said);
/* One line about how the last command went: why it was ended, what was said,
 * its exit status, `fault`; or NULL. */
const char *steps_message(
    struct task *t, const char *program, const char *said, const char *fault);
/* The tail of a child's text; JSON's writer mends what is not UTF-8. */
struct node *steps_text(struct task *t, const char *text, size_t max);
/* Of what a child has printed, what a record keeps. */
#define STEPS_TEXT_SHOWN ((size_t)64 << 10)
