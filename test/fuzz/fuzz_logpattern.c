/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Forms of log lines: the first line of the input is a datefmt, the rest a
 * format. Whatever is accepted makes a line that fits and has an end.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log_pattern.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
render(const struct log_pattern *p)
{
	static const struct log_field fields[] = {
		{ .key = "job", .num = INT64_MIN },
		{ .key = "state", .text = "a \xff b" },
	};
	const struct log_event ev = { .wall_ms = 1795501800123,
		.severity = LOG_LEVEL_NOTICE,
		.level = "notice",
		.area = "job",
		.prefix = "overlord.",
		.name = "job",
		.file = "daemon/runner.c",
		.func = "f",
		.line = 7,
		.msg = "d\xc3\xb6ne\n",
		.fields = fields,
		.n = ARRAY_LEN(fields) };
	struct log_line l = { .len = 0 };

	log_pattern_render(p, &ev, &l);
	if (l.len == 0 || l.len > sizeof(l.buf) || l.buf[l.len - 1] != '\n')
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = mem_strndup((const char *)data, size);
	AUTO(log_pattern) struct log_pattern *p = NULL;
	struct error e = ERROR_INIT;
	char *nl;

	if (text == NULL || (nl = strchr(text, '\n')) == NULL)
		return 0;
	*nl = '\0';
	if (log_pattern_new(&p, nl + 1, *text != '\0' ? text : NULL, &e) == 0)
		render(p);
	else if (e.text[0] == '\0')
		abort();
	return 0;
}
