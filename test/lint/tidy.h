/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Read by clang-tidy ahead of every file.  The analyzer looks at one file at a
 * time and cannot know that error_set and its kin return -1; without it each
 * output that is only set on success looks like garbage on the success path.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/data/tmpl_value.h"

static inline int
tidy_failed(void)
{
	return -1;
}

#define error_set(...) ((void)error_set(__VA_ARGS__), tidy_failed())
#define error_set_errno(...) ((void)error_set_errno(__VA_ARGS__), tidy_failed())
#define error_nomem(...) ((void)error_nomem(__VA_ARGS__), tidy_failed())
#define error_wrap(...) ((void)error_wrap(__VA_ARGS__), tidy_failed())
#define tmpl_raise(...) ((void)tmpl_raise(__VA_ARGS__), tidy_failed())
#define tmpl_raise_of(...) ((void)tmpl_raise_of(__VA_ARGS__), tidy_failed())
#define tmpl_raise_at(...) ((void)tmpl_raise_at(__VA_ARGS__), tidy_failed())
#define tmpl_unsupported(...)                                                  \
  ((void)tmpl_unsupported(__VA_ARGS__), tidy_failed())
#define tmpl_raise_nomem(...)                                                  \
  ((void)tmpl_raise_nomem(__VA_ARGS__), tidy_failed())
