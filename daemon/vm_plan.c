/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See vm_plan.h.
 */
#include "daemon/vm_plan.h"

#include <stdio.h>
#include <string.h>

static bool
is_from(const struct msg_vm *m, const char *type)
{
	return strcmp(m->vm.disk_layout.from.type, type) == 0;
}

bool
vm_is_scripted(const struct msg_vm *m)
{
	return !is_from(m, "iso") && !is_from(m, "img");
}

bool
vm_is_installed(const struct msg_vm *m)
{
	return is_from(m, "iso") && m->vm.disk_layout.from.installed;
}

/* What follows from the rest. */
static void
complete(struct vm_plan *p, const struct msg_vm *m)
{
	p->nothing = p->done && !p->restart && !p->overwrite;
	p->up = !vm_is_installed(m) || p->done || m->restart;
}

void
vm_plan_make(
    struct vm_plan *ret, const struct msg_vm *m, const struct vm_facts *facts)
{
	bool again = facts->done && m->restart;

	*ret = (struct vm_plan){ .done = facts->done,
		.restart = again && facts->project };
	/* One that has lost its project is deployed anew. */
	ret->overwrite =
	    !ret->restart && (m->vm.overwrite || (again && !facts->project));
	complete(ret, m);
}

void
vm_plan_to_note(const struct vm_plan *p, char buf[VM_NOTE_MAX])
{
	(void)snprintf(buf, VM_NOTE_MAX, "%s%s", p->done ? "done" : "new",
	    p->restart         ? " restart"
		: p->overwrite ? " overwrite"
			       : "");
}

bool
vm_note_has(const char *note, const char *word)
{
	size_t len = strlen(word);

	for (; note != NULL && *note != '\0'; note += *note == ' ') {
		size_t n = strcspn(note, " ");

		if (n == len && strncmp(note, word, n) == 0)
			return true;
		note += n;
	}
	return false;
}

void
vm_plan_from_note(struct vm_plan *ret, const struct msg_vm *m, const char *note)
{
	*ret = (struct vm_plan){ .done = vm_note_has(note, "done"),
		.restart = vm_note_has(note, "restart"),
		.overwrite = vm_note_has(note, "overwrite") };
	complete(ret, m);
}

enum vm_final
vm_plan_final(const struct vm_plan *p, const struct msg_vm *m, bool done)
{
	if (is_from(m, "iso") && !vm_is_installed(m))
		return VM_INSTALL_ISO;
	return vm_is_scripted(m) && !(p->overwrite && done) ? VM_INSTALL
							    : VM_START;
}
