/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What a job does to make a VM, decided from what it was asked for and what is
 * there (the table of runtime.md 2.1). Pure; what was decided travels as words
 * in the notes of steps, so that it is decided once.
 */
#pragma once

#include "proto/msg.h"

/* When the job begins. */
struct vm_facts {
	/* Its system was installed by an earlier job, which left its mark. */
	bool done;
	/* Director has a project of that name. */
	bool project;
};

struct vm_plan {
	bool done;
	/* Stop it, start it as it was deployed, and no more. */
	bool restart;
	/* Make the jail anew. */
	bool overwrite;
	/* Nothing is to be done. */
	bool nothing;
	/* Director is called at all. */
	bool up;
};

void vm_plan_make(
    struct vm_plan *ret, const struct msg_vm *m, const struct vm_facts *facts);
/* The plan as a note, and back from it with the same message. */
#define VM_NOTE_MAX 64
void vm_plan_to_note(const struct vm_plan *p, char buf[VM_NOTE_MAX]);
void vm_plan_from_note(
    struct vm_plan *ret, const struct msg_vm *m, const char *note);

/* Whether a note holds this word. */
bool vm_note_has(const char *note, const char *word);
/* Words of the note of the step "template": the system is there, in what the
 * jail has mounted; and vm-bhyve is to create the VM. */
#define VM_NOTE_DONE "done"
#define VM_NOTE_CREATE "create"

/* The last step. */
enum vm_final {
	VM_INSTALL,
	/* From a disc, which somebody sits before. */
	VM_INSTALL_ISO,
	VM_START,
};
/* done: as in the note of "template". */
enum vm_final vm_plan_final(
    const struct vm_plan *p, const struct msg_vm *m, bool done);
/* The system comes from one of our scripts: disk and fstab are described. */
bool vm_is_scripted(const struct msg_vm *m);
/* vm-bhyve is never asked to create it. */
bool vm_is_installed(const struct msg_vm *m);
