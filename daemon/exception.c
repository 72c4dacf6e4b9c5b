/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See exception.h.
 */
#include "daemon/exception.h"

const char *
exception_of_call(enum httpc_kind kind)
{
	static const char *const names[HTTPC_KINDS] = {
		[HTTPC_UNREACHED] = "ConnectError",
		[HTTPC_CONNECT_TIMEOUT] = "ConnectTimeout",
		[HTTPC_TIMEOUT] = "ReadTimeout",
		[HTTPC_WRITE_TIMEOUT] = "WriteTimeout",
		[HTTPC_BROKE] = "ReadError",
		[HTTPC_GARBLED] = "RemoteProtocolError",
		[HTTPC_TOO_LONG] = "RemoteProtocolError",
		[HTTPC_NOMEM] = "MemoryError",
	};

	return names[kind];
}

const char *
exception_of_error(const struct error *e)
{
	static const struct {
		enum ove code;
		const char *name;
	} names[] = {
		{ OVE_NOTFOUND, "FileNotFoundError" },
		{ OVE_EXISTS, "FileExistsError" },
		{ OVE_DENIED, "PermissionError" },
		{ OVE_NOMEM, "MemoryError" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].code == e->code)
			return names[i].name;
	return "OSError";
}
