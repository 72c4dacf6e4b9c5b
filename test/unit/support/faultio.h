/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Failing system calls. A test program whose row in meson.build says 'faultio'
 * is linked with --wrap for the calls below; all go through until one is told
 * to fail. Only calls from our own code are reached, not those that a library
 * makes, and in the test program too, so arm late.
 *
 *	faultio_fail(FAULTIO_FSYNC, 0, EIO);
 *	test_fails(file_replace(...), &e, OVE_IO);
 *	assert_true(faultio_clear());
 */
#pragma once

#include "lib/base/cc.h"

enum faultio_call {
	FAULTIO_OPENAT,
	FAULTIO_WRITE,
	FAULTIO_FSYNC,
	FAULTIO_FDATASYNC,
	FAULTIO_RENAME,
	FAULTIO_RENAMEAT,
	FAULTIO_LINKAT,
	FAULTIO_COUNT
};

/* The n-th such call from now, counting from 0, fails with this errno; once.
 * errno 0 with FAULTIO_WRITE: it writes half. */
void faultio_fail(enum faultio_call call, unsigned n, int sys);
/* All go through again; true when one has failed. */
bool faultio_clear(void);
