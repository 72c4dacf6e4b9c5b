/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What test_tmpl_expr.py drives: reads expressions or code blocks from standard
 * input, each with a NUL behind it, and prints what becomes of each with a NUL
 * behind it: "=" and the repr() of its value (of `result` after a block), or
 * the class of its error, ": " and the text.
 *
 *	expr eval|output|exec [NAME=VALUE]...
 */

#include <stdio.h>
#include <string.h>

#include "lib/base/exitcode.h"
#include "lib/base/file.h"
#include "test/unit/support/tmpl_env.h"

#define TEXT_MAX ((size_t)64 << 20)

static int
eval(struct tmpl_compiler *c, struct tmpl_run *r, struct test_env *env,
    const char *text, bool output, struct tmpl_value *ret)
{
	static const struct tmpl_pos pos = { 1, 1 };
	struct tmpl_expr *x;
	int rc;

	rc = output
	    ? tmpl_compile_output(c, text, strlen(text), pos, &x, &r->fault)
	    : tmpl_compile_expr(c, text, strlen(text), pos, &x, &r->fault);
	if (rc == -1)
		return -1;
	if (x == NULL)
		return tmpl_str(r, "", 0, ret);
	return tmpl_eval(r, &env->env, x, ret);
}

static int
exec(struct tmpl_compiler *c, struct tmpl_run *r, struct test_env *env,
    const char *text, struct tmpl_value *ret)
{
	static const struct tmpl_pos pos = { 1, 1 };
	const struct tmpl_name *name;
	struct tmpl_block *b;
	int rc;

	if (tmpl_compile_block(c, text, strlen(text), pos, &b, &r->fault) == -1)
		return -1;
	*ret = tmpl_none();
	if (b != NULL && tmpl_exec(r, &env->env, b, ret) == -1)
		return -1;
	name = tmpl_name(c, "result", 6);
	if (name == NULL)
		return tmpl_raise_nomem(r);
	rc = env->env.load(&env->env, r, name, ret);
	return rc == -1 ? -1 : 0;
}

static void
answer(const char *mode, const char *text, char *const *variables)
{
	struct strbuf AUTO_STRBUF out;
	struct arena AUTO_ARENA a;
	struct tmpl_compiler *c;
	struct test_env env;
	struct tmpl_value v;
	struct tmpl_run r;
	int rc;

	arena_init(&a, TMPL_MEMORY_MAX);
	strbuf_init(&out, TMPL_OUT_MAX);
	test_env_init(&env, variables);
	tmpl_run_init(&r, &a);
	c = tmpl_compiler_new(&a);
	if (c == NULL)
		return;
	if (strcmp(mode, "exec") == 0)
		rc = exec(c, &r, &env, text, &v);
	else
		rc = eval(c, &r, &env, text, strcmp(mode, "output") == 0, &v);
	strbuf_addc(&out, '=');
	if (rc == 0)
		rc = tmpl_repr(&r, v, &out);
	if (rc == -1) {
		strbuf_reset(&out);
		strbuf_addf(&out, "%s: ", tmpl_class_name(r.fault.class));
		tmpl_fault_text(&r.fault, &out);
	}
	(void)fwrite(out.buf, 1, out.len, stdout);
	(void)putchar('\0');
}

int
main(int argc, char **argv)
{
	AUTO_FREE char *text = NULL;
	struct error e = ERROR_INIT;
	size_t len, i;

	if (argc < 2)
		return EXIT_CODE_USAGE;
	if (file_read_fd(0, TEXT_MAX, &text, &len, &e) == -1) {
		fprintf(stderr, "%s\n", e.text);
		return EXIT_CODE_IOERR;
	}
	for (i = 0; i < len; i += strlen(text + i) + 1)
		answer(argv[1], text + i, argv + 2);
	return 0;
}
