/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Records of what an answer was made from: the input is some as they stand in a
 * cache that may be damaged, of which none is read beyond its end and one that
 * was cut off does not hold; and a name, of which a record is made that does.
 */

#include <stdint.h>
#include <stdlib.h>

#include "daemon/sources.h"
#include "lib/base/arena.h"

#define NOWHERE "/nonexistent"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_records(const uint8_t *data, size_t size)
{
	if (sources_hold(data, size, -1, NOWHERE) && size > 0 &&
	    sources_hold(data, size - 1, -1, NOWHERE))
		abort();
}

static void
try_name(const char *name)
{
	AUTO_SOURCES struct sources s;

	sources_init(&s, NOWHERE);
	if (sources_add_file(&s, -1, NOWHERE, name))
		sources_failed(&s);
	sources_add_jail(&s, name, jail_status(NOWHERE, name));
	if (!s.unsure &&
	    !sources_hold(s.records.buf, s.records.len, -1, NOWHERE))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena a;
	const char *name;

	arena_init(&a, (size_t)1 << 20);
	try_records(data, size);
	name =
	    size < 65536 ? arena_strndup(&a, (const char *)data, size) : NULL;
	if (name != NULL)
		try_name(name);
	return 0;
}
