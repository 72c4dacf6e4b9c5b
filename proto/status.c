/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Error code to HTTP status (rest-api.md 1.7) and exit code (cli.md 1.7). The
 * static assert keeps the table complete: a new code in error.def does not
 * compile until it has a row here.
 */
#include "proto/status.h"

static const struct {
	int http;
	enum exitcode exit;
} status_table[] = {
	[OVE_NONE] = { 200, EXIT_CODE_OK },
	[OVE_INVALID] = { 400, EXIT_CODE_DATAERR },
	[OVE_NOTFOUND] = { 404, EXIT_CODE_NOINPUT },
	[OVE_EXISTS] = { 409, EXIT_CODE_CANTCREAT },
	[OVE_CONFLICT] = { 409, EXIT_CODE_UNAVAILABLE },
	[OVE_DENIED] = { 401, EXIT_CODE_NOPERM },
	[OVE_LIMIT] = { 429, EXIT_CODE_TEMPFAIL },
	[OVE_BUSY] = { 429, EXIT_CODE_TEMPFAIL },
	[OVE_TIMEOUT] = { 503, EXIT_CODE_UNAVAILABLE },
	[OVE_UNAVAILABLE] = { 503, EXIT_CODE_UNAVAILABLE },
	[OVE_UPSTREAM] = { 503, EXIT_CODE_PROTOCOL },
	[OVE_IO] = { 500, EXIT_CODE_IOERR },
	[OVE_NOSPACE] = { 507, EXIT_CODE_IOERR },
	[OVE_NOMEM] = { 503, EXIT_CODE_OSERR },
	[OVE_CORRUPT] = { 500, EXIT_CODE_DATAERR },
	[OVE_UNSUPPORTED] = { 501, EXIT_CODE_SOFTWARE },
	[OVE_CANCELLED] = { 503, EXIT_CODE_TEMPFAIL },
	[OVE_INTERNAL] = { 500, EXIT_CODE_SOFTWARE },
};
_Static_assert(ARRAY_LEN(status_table) == OVE_COUNT, "a code lacks a row");

int
status_http(enum ove code)
{
	return (unsigned)code < OVE_COUNT ? status_table[code].http : 500;
}

enum exitcode
status_exit(enum ove code)
{
	return (unsigned)code < OVE_COUNT ? status_table[code].exit
					  : EXIT_CODE_SOFTWARE;
}
