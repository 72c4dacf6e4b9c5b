/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * AppJail's files and what commands print of jails: text that is shown, without
 * blanks where there are none to be, and numbers.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/jailtext.h"
#include "lib/base/utf8.h"
#include "lib/data/node.h"
#include "lib/data/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
is_text(const char *s)
{
	if (!utf8_is_valid(s, strlen(s)))
		abort();
}

static void
is_line(const char *s)
{
	is_text(s);
	if (strchr(s, '\n') != NULL || strstr(s, "  ") != NULL || s[0] == ' ' ||
	    (s[0] != '\0' && s[strlen(s) - 1] == ' '))
		abort();
}

static void
is_usage(const struct node *map)
{
	for (size_t i = 0; i < map->u.map.n; i++)
		if (map->u.map.pairs[i].value->u.i < 0)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *words[] = { "pcpu", "memoryuse", "n" };
	static const struct schema_strs some = { words, 3 };
	const char *text = (const char *)data, *s;
	struct arena AUTO_ARENA a;

	arena_init(&a, (size_t)16 << 20);
	if (size > 65536)
		return 0;
	is_line(jailtext_line(&a, text, size));
	if ((s = jailtext_whole(&a, text, size)) != NULL)
		is_text(s);
	if ((s = jailtext_value(&a, text, size, "host.hostname")) != NULL)
		is_line(s);
	is_text(jailtext_columns(&a, text, size, "k"));
	is_usage(jailtext_usage(&a, text, size, &some));
	s = jailtext_cpus(&a, text, size);
	if (s != NULL && strspn(s, "0123456789, ") != strlen(s))
		abort();
	s = jailtext_osreldate(&a, text, size);
	if (s != NULL && (s[0] == '\0' || strspn(s, "0123456789") != strlen(s)))
		abort();
	return 0;
}
