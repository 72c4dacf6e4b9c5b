/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Templates: whatever is rendered ends, in text that knows its lines or in a
 * fault with a class and words.  Two includes are there: the input itself, and
 * one that takes arguments.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/utf8.h"
#include "lib/data/tmpl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct tmpl_var vars[] = {
	{ "appName", "web" },
	{ "cpu", "2" },
	{ "ports", "80,443" },
	{ "html", "<a href=\"x\">&'\xc3\xa9\xe6\x97\xa5</a> ~\n" },
	{ "empty", "" },
};

static int
open_template(const char *name, struct arena *a, const char **ret,
    size_t *ret_len, void *ctx, struct error *e)
{
	static const char args[] =
	    "\xef\xbb\xbf<%page args=\"x, y='d'\"/>${x}${y}";
	const struct tmpl_input *in = ctx;

	if (strcmp(name, "bad.mako") == 0)
		return error_set(e, OVE_IO, "bad");
	if (strcmp(name, "self.mako") == 0) {
		*ret = arena_strndup(a, in->text, in->len);
		*ret_len = in->len;
	} else if (strcmp(name, "args.mako") == 0) {
		*ret = args;
		*ret_len = sizeof(args) - 1;
	} else {
		return TMPL_NO_FILE;
	}
	return *ret != NULL ? 0 : error_nomem(e);
}

static void
check_output(const struct tmpl_output *out)
{
	size_t lines = 0;

	if (!utf8_is_valid(out->text, out->len))
		abort();
	for (size_t i = 0; i < out->len; i++)
		lines += i == 0 || out->text[i - 1] == '\n';
	if (lines != out->lines_n || tmpl_line(out, 0) != 0 ||
	    tmpl_line(out, (unsigned)lines + 1) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena a;
	struct tmpl_input in = { .text = (const char *)data,
		.len = size,
		.vars = vars,
		.vars_n = ARRAY_LEN(vars),
		.open = open_template,
		.ctx = &in };
	struct tmpl_failure why;
	struct tmpl_output out;

	arena_init(&a, TMPL_MEMORY_MAX);
	if (tmpl_render(&in, &a, &out, &why) == 0)
		check_output(&out);
	else if (why.class == NULL || why.text == NULL || why.text[0] == '\0')
		abort();
	return 0;
}
