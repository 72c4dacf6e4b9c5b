/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Compiler helpers that everything may include and that include nothing of
 * ours: attributes, container_of, and the AUTO macros and STEAL that replaces
 * hand-written unwinding (an owner is a local with a cleanup attribute, and
 * success hands it over with STEAL).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CC_PRINTF(fmt, args) __attribute__((__format__(__printf__, fmt, args)))
#define CC_MUST_CHECK __attribute__((__warn_unused_result__))
#define CC_UNUSED __attribute__((__unused__))
#define CC_NORETURN __attribute__((__noreturn__))
#define CC_CLEANUP(f) __attribute__((__cleanup__(f)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* clang-format off */
/* The object that embeds `member` at `ptr`. */
#define container_of(ptr, type, member)                                       \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* Hands over an owning local: its value, leaving NULL behind. */
#define STEAL(p)                                                              \
	__extension__({                                                       \
		__typeof__(p) *steal_p_ = &(p);                               \
		__typeof__(p) steal_v_ = *steal_p_;                           \
		*steal_p_ = NULL;                                             \
		steal_v_;                                                     \
	})

/* clang-format on */
/* The same for descriptors: leaves -1 behind. */
static inline int
steal_fd(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

void cc_auto_free(void *pp);
void cc_auto_close(int *fd);

/* A pointer from mem_*, freed when it goes out of scope. */
#define AUTO_FREE CC_CLEANUP(cc_auto_free)
/* A descriptor, closed when it goes out of scope unless it is -1. */
#define AUTO_FD CC_CLEANUP(cc_auto_close)
/* AUTO(x): local `struct x *` whose destructor is x_free(). */
#define AUTO(x) CC_CLEANUP(x##_auto_free)
/* clang-format off */
/* Defines what AUTO(x) calls; put it below the prototype of x_free(). */
#define AUTO_DEFINE(x)                                                        \
	CC_UNUSED static inline void x##_auto_free(struct x **p)              \
	{                                                                     \
		if (*p != NULL)                                               \
			*p = x##_free(*p);                                    \
	}
/* clang-format on */
