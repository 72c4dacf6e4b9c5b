/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Exit codes of all our programs: sysexits(3) values under names, plus the few
 * that the contract adds (cli.md 1.7).
 */
#pragma once

enum exitcode {
	EXIT_CODE_OK = 0,
	/* A deployment that was waited for failed. */
	EXIT_CODE_FAILED = 1,
	EXIT_CODE_USAGE = 64,
	EXIT_CODE_DATAERR = 65,
	EXIT_CODE_NOINPUT = 66,
	EXIT_CODE_NOMATCH = 68,
	EXIT_CODE_UNAVAILABLE = 69,
	EXIT_CODE_SOFTWARE = 70,
	EXIT_CODE_OSERR = 71,
	EXIT_CODE_CANTCREAT = 73,
	EXIT_CODE_IOERR = 74,
	EXIT_CODE_TEMPFAIL = 75,
	EXIT_CODE_PROTOCOL = 76,
	EXIT_CODE_NOPERM = 77,
	EXIT_CODE_CONFIG = 78,
};
