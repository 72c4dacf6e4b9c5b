/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Expressions and code blocks of templates.  The first byte says what the rest
 * is: 'b' for a block, 'f' for what is behind "for", 'p' for parameters, 'x'
 * for what is behind "except", 'o' for an output, else any expression.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/utf8.h"
#include "lib/data/tmpl_expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NAMES_MAX 32

/* Names that are assigned, and some variables. */
struct names {
	struct tmpl_env env;
	const struct tmpl_name *names[NAMES_MAX];
	struct tmpl_value values[NAMES_MAX];
	size_t n;
	struct tmpl_loop *loop;
	struct tmpl_def def;
};

static int
variable(struct tmpl_env *env, struct tmpl_run *r, const struct tmpl_str *name,
    struct tmpl_value *ret)
{
	(void)env;
	if (name->len == 1 && name->s[0] == 'v')
		return tmpl_str(r, "80,443", 6, ret);
	if (name->len == 1 && name->s[0] == 'u')
		return tmpl_str(r, "\xc3\xa9\xe2\x82\xac x\n", 8, ret);
	return TMPL_MISSING;
}

static int
load(struct tmpl_env *env, struct tmpl_run *r, const struct tmpl_name *name,
    struct tmpl_value *ret)
{
	struct names *n = container_of(env, struct names, env);
	const struct tmpl_str text = { name->s, name->len, name->len };
	size_t i;

	for (i = 0; i < n->n; i++) {
		if (n->names[i] == name) {
			*ret = n->values[i];
			return 0;
		}
	}
	if (strcmp(name->s, "f") == 0) {
		*ret =
		    (struct tmpl_value){ .type = TMPL_DEF, .u.def = &n->def };
		return 0;
	}
	if (strcmp(name->s, "unset") == 0)
		return tmpl_raise_unbound(r, name->s);
	return variable(env, r, &text, ret);
}

static int
store(struct tmpl_env *env, struct tmpl_run *r, const struct tmpl_name *name,
    struct tmpl_value v)
{
	struct names *n = container_of(env, struct names, env);
	size_t i;

	for (i = 0; i < n->n && n->names[i] != name; i++)
		continue;
	if (i == NAMES_MAX)
		return tmpl_raise(r, TMPL_LIMIT, "too many names");
	n->names[i] = name;
	n->values[i] = v;
	n->n += i == n->n;
	return 0;
}

static struct tmpl_loop *
loop(struct tmpl_env *env)
{
	return container_of(env, struct names, env)->loop;
}

/* A def that yields what it is given first. */
static int
call(struct tmpl_def *def, struct tmpl_run *r, const struct tmpl_args *args,
    struct tmpl_value *ret)
{
	(void)def;
	(void)r;
	*ret = args->n > 0 ? args->v[0] : tmpl_none();
	return 0;
}

static void
note(const struct tmpl_name *name, void *ctx)
{
	if (name->len == 0 || ctx == NULL)
		abort();
}

/* Runs a loop whose body asks for all that `loop` has. */
static int
run_for(struct tmpl_compiler *c, struct tmpl_run *r, struct names *n,
    const struct tmpl_for *x, struct tmpl_value *ret)
{
	static const struct tmpl_pos pos = { 1, 1 };
	static const char body[] =
	    "(loop.index, loop.first, loop.even, loop.odd, loop.parent, "
	    "loop.cycle('a', 2), loop.last, loop.reverse_index)";
	struct tmpl_expr *inner;
	struct tmpl_value v;
	int rc;

	if (tmpl_compile_expr(c, body, strlen(body), pos, &inner, &r->fault) ==
	    -1)
		return -1;
	tmpl_target_names(x->target, note, n);
	if (tmpl_eval(r, &n->env, x->expr, &v) == -1 ||
	    tmpl_loop_new(r, v, NULL, &n->loop) == -1)
		return -1;
	*ret = tmpl_none();
	while ((rc = tmpl_loop_next(r, n->loop, &v)) == 1) {
		if (tmpl_assign(r, &n->env, x->target, v) == -1 ||
		    tmpl_eval(r, &n->env, inner, ret) == -1)
			return -1;
	}
	return rc;
}

static int
run_params(struct tmpl_run *r, struct names *n, const struct tmpl_params *p)
{
	struct tmpl_value first = tmpl_int(1);
	const struct tmpl_args args = { .n = 1, .v = &first };
	struct tmpl_value *values;

	values = arena_calloc(r->a, p->n + 1, sizeof(*values));
	if (values == NULL)
		return tmpl_raise_nomem(r);
	return tmpl_bind(r, &n->env, p, "f", &args, values);
}

static int
run_block(struct tmpl_run *r, struct names *n, const struct tmpl_block *b,
    struct tmpl_value *ret)
{
	if (b == NULL)
		return 0;
	tmpl_block_names(b, note, n);
	tmpl_block_reads(b, note, n);
	(void)tmpl_block_breaks(b);
	(void)tmpl_block_is_constant(b);
	return tmpl_exec(r, &n->env, b, ret) == -1 ? -1 : 0;
}

static int
run(struct tmpl_compiler *c, struct tmpl_run *r, struct names *n, char mode,
    const char *s, size_t len, struct tmpl_value *ret)
{
	static const struct tmpl_pos pos = { 1, 1 };
	struct tmpl_fault *f = &r->fault;
	struct tmpl_except except;
	struct tmpl_params params;
	struct tmpl_block *block;
	struct tmpl_for loops;
	struct tmpl_expr *x;

	*ret = tmpl_none();
	switch (mode) {
	case 'b':
		return tmpl_compile_block(c, s, len, pos, &block, f) == -1
		    ? -1
		    : run_block(r, n, block, ret);
	case 'f':
		return tmpl_compile_for(c, s, len, pos, &loops, f) == -1
		    ? -1
		    : run_for(c, r, n, &loops, ret);
	case 'p':
		return tmpl_compile_params(c, s, len, pos, true, &params, f) ==
			-1
		    ? -1
		    : run_params(r, n, &params);
	case 'x':
		return tmpl_compile_except(c, s, len, pos, &except, f);
	case 'o':
		if (tmpl_compile_output(c, s, len, pos, &x, f) == -1)
			return -1;
		break;
	default:
		if (tmpl_compile_expr(c, s, len, pos, &x, f) == -1)
			return -1;
		break;
	}
	if (x == NULL)
		return 0;
	tmpl_expr_reads(x, note, n);
	return tmpl_eval(r, &n->env, x, ret);
}

/* A fault has all that belongs to it. */
static void
check_fault(const struct tmpl_run *r, struct strbuf *out)
{
	if (r->fault.class == TMPL_CLASS_NONE || r->fault.message == NULL ||
	    tmpl_class_name(r->fault.class)[0] == '\0')
		abort();
	strbuf_reset(out);
	tmpl_fault_text(&r->fault, out);
	if (!utf8_is_valid(out->buf, out->len))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct names n = { .env = { load, store, variable, loop },
		.def = { "f", call } };
	const char *s = (const char *)data;
	struct strbuf AUTO_STRBUF out;
	struct arena AUTO_ARENA a;
	struct tmpl_compiler *c;
	struct tmpl_value v;
	struct tmpl_run r;

	arena_init(&a, (size_t)8 << 20);
	strbuf_init(&out, TMPL_OUT_MAX);
	if (size == 0 || !utf8_is_valid(s + 1, size - 1))
		return 0;
	(void)tmpl_scan_end(s, size, "|}");
	(void)tmpl_scan_block_end(s, size);
	tmpl_run_init(&r, &a);
	/* Enough to get everywhere, and soon. */
	r.loops = 1000;
	r.work = 1000000;
	c = tmpl_compiler_new(&a);
	if (c == NULL)
		abort();
	if (run(c, &r, &n, s[0], s + 1, size - 1, &v) == -1 ||
	    tmpl_repr(&r, v, &out) == -1)
		check_fault(&r, &out);
	else if (!utf8_is_valid(out.buf, out.len))
		abort();
	return 0;
}
