/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * As much of FreeBSD's jail(2) as jailwatch_kqueue.c uses; test_jailwatch.c is
 * the kernel.
 */
#pragma once

struct iovec;

int jail_get(struct iovec *iov, unsigned niov, int flags);
