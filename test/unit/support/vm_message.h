/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The message of a job that makes a VM, for tests.
 */
#pragma once

#include "proto/msg.h"

/* Binds {"makejail": "mj", "template": {}, "diskLayout": {"driver": "nvme",
 * "size": "1M", "from": FROM}}, of which `more` replaces or adds members. */
void vm_message(
    struct arena *a, const char *from, const char *more, struct msg_vm *ret);
