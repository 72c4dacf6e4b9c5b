/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * An error is a value on the caller's stack: a code that says what to do, an
 * errno if there was one, and a text that grows context as it travels up
 * ("open store /var/db/overlord/state: schema 4 is newer than 3"). Setting one
 * allocates nothing, so failing cannot fail. Every function that may fail takes
 * `struct error *e` last (NULL is allowed) and returns 0, a positive outcome
 * that its header names, or -1 with e filled.
 *
 * Wording: lower case, no full stop, no word "error", values in single quotes.
 * One line: control characters in what is set or wrapped become \xNN, so text
 * from outside may be passed as it is (but not its NULs: give it a length).
 */
#pragma once

#include "lib/base/cc.h"

enum ove {
#define X(name, text) OVE_##name,
#include "lib/base/error.def"
#undef X
	OVE_COUNT
};

struct error {
	enum ove code;
	/* errno, or 0. */
	int sys;
	/* The text did not fit and was cut. */
	bool cut;
	char text[512];
};

/* clang-format off */
#define ERROR_INIT { .code = OVE_NONE }
/* clang-format on */

/* All three return -1, so that a failing line is one statement. */
int error_set(struct error *e, enum ove code, const char *fmt, ...)
    CC_PRINTF(3, 4);
/* Appends ": strerror(sys)" and chooses the code from sys (ENOENT -> NOTFOUND,
 * ENOSPC/EDQUOT -> NOSPACE, ENOMEM -> NOMEM, EACCES/EPERM -> DENIED, EEXIST ->
 * EXISTS, EAGAIN/EBUSY -> BUSY, ETIMEDOUT -> TIMEOUT, else IO). */
int error_set_errno(struct error *e, int sys, const char *fmt, ...)
    CC_PRINTF(3, 4);
int error_nomem(struct error *e);
/* Puts "context: " before the text of an error that is set. */
int error_wrap(struct error *e, const char *fmt, ...) CC_PRINTF(2, 3);
void error_clear(struct error *e);
bool error_is_set(const struct error *e);
/* Never NULL; "none" when nothing is set. */
const char *error_text(const struct error *e);
const char *ove_to_string(enum ove code);
