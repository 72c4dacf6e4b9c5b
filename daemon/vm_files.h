/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What a job that makes a VM does to files: below the root of its jail, called
 * J here (runtime.md 2.1, 2.3), which its makejail has filled and whose
 * processes may change it meanwhile. So everything is opened beneath J without
 * following links. All functions block, and may be repeated.
 */
#pragma once

#include "daemon/vm_plan.h"
#include "lib/base/strbuf.h"

struct vm_site {
	/* AppJail's directory of jails, and that of metadata. */
	const char *jails;
	const char *metadata;
	/* Of the VM, its jail and its project. */
	const char *name;
	const struct msg_vm *m;
};

/* A failure, in the original's words. */
struct vm_fault {
	/* NULL: as e's code says. */
	const char *type;
	struct error e;
};

/* All return 0, or -1 and the fault. */

/* Makes the datastore; finds out what there is, and the Director file: that of
 * the mark when the VM is only restarted. facts->project is an input. */
int vm_files_look(const struct vm_site *s, struct vm_facts *facts,
    struct vm_plan *ret, struct strbuf *file, struct vm_fault *f);
/* Writes the documents for cloud-init. */
int vm_files_cloud(const struct vm_site *s, struct vm_fault *f);
/* Writes the template; decides whether vm-bhyve is to create the VM, and makes
 * room for it, or a new disk, where an installation has failed before. */
int vm_files_template(const struct vm_site *s, const struct vm_plan *p,
    char ret_note[VM_NOTE_MAX], struct vm_fault *f);
/* Writes the VM's configuration, puts the seed in its place, and writes what
 * our scripts read. */
int vm_files_install(const struct vm_site *s, struct vm_fault *f);
/* Leaves the mark that the VM is made, with its Director file. */
int vm_files_done(
    const struct vm_site *s, const char *file, size_t len, struct vm_fault *f);
