/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What test_template.py drives: reads templates from standard input, one JSON
 * object a line, {"template": TEXT, "data": {NAME: VALUE}}, renders each and
 * prints what came of it the same way: {"output": TEXT, "lines": [...]} or
 * {"class": ..., "message": ..., "line": ..., "char": ..., "file": ...}.
 *
 *	template [DIRECTORY...]
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/exitcode.h"
#include "lib/data/json.h"
#include "lib/data/tmpl_dirs.h"

#define MEMORY_MAX ((size_t)256 << 20)

static int
fail(const struct error *e)
{
	(void)fprintf(stderr, "template: %s\n", error_text(e));
	return -1;
}

static struct tmpl_var *
variables(const struct node *data, struct arena *a, size_t *ret_n)
{
	struct tmpl_var *vars;

	*ret_n = data != NULL ? data->u.map.n : 0;
	vars = arena_calloc(a, *ret_n + 1, sizeof(*vars));
	for (size_t i = 0; vars != NULL && i < *ret_n; i++) {
		vars[i].name = node_text(data->u.map.pairs[i].key);
		vars[i].value = node_text(data->u.map.pairs[i].value);
	}
	return vars;
}

static void
set_str(struct arena *a, struct node *n, const char *key, const char *s)
{
	node_set(a, n, key, s != NULL ? node_str(a, s) : node_null(a));
}

static struct node *
answer(struct arena *a, int rc, const struct tmpl_output *out,
    const struct tmpl_failure *why)
{
	struct node *n = node_new(a, NODE_MAP);
	struct node *lines = node_new(a, NODE_LIST);

	if (rc < 0) {
		set_str(a, n, "class", why->class);
		set_str(a, n, "message", why->text);
		node_set(a, n, "line", node_int(a, why->pos.line));
		node_set(a, n, "char", node_int(a, why->pos.col));
		set_str(a, n, "file", why->file);
		return n;
	}
	for (size_t i = 0; i < out->lines_n; i++)
		node_add(a, lines, node_int(a, out->lines[i]));
	node_set(a, n, "output", node_strn(a, out->text, out->len));
	node_set(a, n, "lines", lines);
	return n;
}

static int
render(const char *line, size_t len, struct tmpl_dirs *dirs)
{
	AUTO_ARENA struct arena a;
	AUTO_STRBUF struct strbuf b;
	struct tmpl_input in = { .open = tmpl_dirs_open, .ctx = dirs };
	struct error e = ERROR_INIT;
	struct tmpl_failure why;
	struct tmpl_output out;
	struct node *n = NULL;
	const struct node *text;
	int rc;

	arena_init(&a, MEMORY_MAX);
	strbuf_init(&b, MEMORY_MAX);
	if (json_read(line, len, &a, &n, &e) < 0)
		return fail(&e);
	text = node_get(n, "template");
	in.vars = variables(node_get(n, "data"), &a, &in.vars_n);
	if (text == NULL || in.vars == NULL)
		return -1;
	in.text = text->u.str.s;
	in.len = text->u.str.len;
	rc = tmpl_render(&in, &a, &out, &why);
	json_write(&b, answer(&a, rc, &out, &why), JSON_COMPACT);
	if (strbuf_check(&b, &e) < 0)
		return fail(&e);
	(void)printf("%s\n", b.buf);
	return 0;
}

int
main(int argc, char **argv)
{
	AUTO_TMPL_DIRS struct tmpl_dirs dirs;
	struct error e = ERROR_INIT;
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	int rc = 0;

	tmpl_dirs_init(&dirs);
	for (int i = 1; i < argc; i++)
		if (tmpl_dirs_add(&dirs, argv[i], &e) < 0)
			return EXIT_CODE_USAGE;
	while (rc == 0 && (len = getline(&line, &cap, stdin)) > 0)
		rc = render(line, (size_t)len, &dirs);
	/* getline() has its own. */
	(free)(line);
	return rc == 0 ? EXIT_CODE_OK : EXIT_CODE_DATAERR;
}
