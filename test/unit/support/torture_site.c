/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What torture_mem.c asks in a whole daemon: each place that allocates fails
 * once, the first time that it is reached. A place is a stack of calls, so that
 * what all use fails once for each that uses it. Who runs the daemon maps the
 * file that OVERLORD_TORTURE names, a struct control. Without it nothing fails.
 */
#include <sys/mman.h>

#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "test/unit/support/torture.h"

/* Of a stack: as many as tell places apart, our own ones too. */
#define FRAMES_MAX 12
#define PLACES_MAX ((size_t)1 << 16)

struct control {
	/* 0: none fails; n: of n places one does, all with 1. */
	atomic_uint one_in;
	/* How many have failed. */
	atomic_uint failed;
};

static struct control *control;
/* Hashes; 0: free. */
static _Atomic uint64_t places[PLACES_MAX];

__attribute__((constructor)) static void
map_control(void)
{
	const char *path = getenv("OVERLORD_TORTURE");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *p;

	if (fd == -1)
		return;
	p = mmap(
	    NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (p != MAP_FAILED)
		control = p;
}

static uint64_t
hash_of(void *const frames[], int n)
{
	uint64_t hash = 14695981039346656037U;

	for (int i = 0; i < n; i++)
		hash = (hash ^ (uintptr_t)frames[i]) * 1099511628211U;
	return hash != 0 ? hash : 1;
}

/* Whether this hash was not there; a full table holds all. */
static bool
is_new(uint64_t hash)
{
	for (size_t i = 0; i < PLACES_MAX; i++) {
		_Atomic uint64_t *slot = &places[(hash + i) % PLACES_MAX];
		uint64_t there = 0;

		if (atomic_compare_exchange_strong(slot, &there, hash))
			return true;
		if (there == hash)
			return false;
	}
	return false;
}

bool
torture_mem_fails(void)
{
	unsigned one_in = control != NULL ? control->one_in : 0;
	void *frames[FRAMES_MAX];
	uint64_t hash;
	int n;

	if (one_in == 0)
		return false;
	n = backtrace(frames, FRAMES_MAX);
	hash = hash_of(frames, n);
	/* Its low bits are those of the addresses. */
	if ((hash >> 32) % one_in != 0 || !is_new(hash))
		return false;
	control->failed++;
	/* For addr2line(1), if this was one too many. */
	(void)dprintf(STDERR_FILENO, "allocation %u fails:\n", control->failed);
	backtrace_symbols_fd(frames, n, STDERR_FILENO);
	return true;
}
