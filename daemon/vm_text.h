/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Texts that a VM is made from (runtime.md 2.2, 2.3). Pure; errors are latched
 * in the buffer.
 */
#pragma once

#include "lib/base/strbuf.h"
#include "proto/msg.h"

/* The Director file. makejail: a path or a repository. -1: no memory. */
int vm_text_director(struct strbuf *out, const struct msg_vm *m,
    const char *name, const char *makejail, struct error *e);
/* The template of vm-bhyve: the user's variables, and disks. */
void vm_text_template(struct strbuf *out, const struct msg_vm *m);
/* Of the VM's configuration as it was, what the template does not say: its
 * UUID, and addresses of its interfaces. */
void vm_text_kept(
    struct strbuf *out, const struct msg_vm *m, const char *old, size_t len);
/* What the script sources. */
void vm_text_environment(struct strbuf *out, const struct msg_vm *m);
/* The URL of components. */
void vm_text_url(struct strbuf *out, const struct spec_from *from);
/* A document for cloud-init; -1: no memory. */
int vm_text_document(struct strbuf *out, const struct node *n,
    const char *first_line, struct error *e);
/* There is something for cloud-init. */
bool vm_has_seed(const struct msg_vm *m);
