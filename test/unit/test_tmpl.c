/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Templates as a whole, where the vectors and Mako (test_template.py) do not
 * look: limits, faults of includes, failing allocations.
 */

#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/data/tmpl.h"
#include "test/unit/support/torture.h"

static const struct tmpl_var vars[] = {
	{ "name", "web" },
	{ "ports", "80,443" },
};

static int
open_template(const char *name, struct arena *a, const char **ret,
    size_t *ret_len, void *ctx, struct error *e)
{
	(void)ctx;
	if (strcmp(name, "sub/inc") == 0)
		*ret = arena_strdup(a, "<%page args='x'/>[${x}${name}]");
	else if (strcmp(name, "sub/by") == 0)
		*ret = arena_strdup(a, "<%include file='inc' args='x=1'/>");
	else if (strcmp(name, "loop") == 0)
		*ret = arena_strdup(a, "<%include file='loop'/>");
	else if (strcmp(name, "denied") == 0)
		return error_set(e, OVE_DENIED, "not for you");
	else
		return TMPL_NO_FILE;
	*ret_len = *ret != NULL ? strlen(*ret) : 0;
	return *ret != NULL ? 0 : error_nomem(e);
}

static struct tmpl_input
input(const char *text)
{
	return (struct tmpl_input){ .text = text,
		.len = strlen(text),
		.vars = vars,
		.vars_n = ARRAY_LEN(vars),
		.open = open_template };
}

static void
check_fault(const char *text, const char *class, const char *words)
{
	AUTO_ARENA struct arena a;
	struct tmpl_input in = input(text);
	struct tmpl_output out;
	struct tmpl_failure why;

	arena_init(&a, TMPL_MEMORY_MAX);
	assert_int_equal(tmpl_render(&in, &a, &out, &why), -1);
	assert_string_equal(why.class, class);
	if (strstr(why.text, words) == NULL)
		fail_msg("'%s' is not in '%s'", words, why.text);
}

static void
limits(void **state)
{
	(void)state;
	check_fault("% for i in range(1001):\n% for j in range(1000):\n"
		    "% endfor\n% endfor",
	    "LimitError", "at line: ");
	check_fault("% while True:\n% endwhile", "LimitError", "at line: 1");
	check_fault("<%def name='f()'>${f()}</%def>${f()}", "RecursionError",
	    "maximum recursion depth exceeded");
	check_fault("<%include file='loop'/>", "RecursionError",
	    "loop: more than 32 templates include each other");
	check_fault("% for i in range(17):\n${'x' * (1 << 20)}\n% endfor",
	    "LimitError", "the output is longer than 16 MiB at line: 2");
	check_fault("<%def name='f(n)' filter='h'>${'x' * (1 << 23)}"
		    "${f(n) if n else ''}</%def>${f(1)}",
	    "LimitError", "16 MiB");
}

static void
nesting(void **state)
{
	char text[4096] = "";

	(void)state;
	for (int i = 0; i < 101; i++)
		memcpy(text + strlen(text), "% if 1:\n", 9);
	check_fault(text, "LimitError",
	    "more than 100 tags and control lines within each other at line: "
	    "101");
}

static void
many_names(void **state)
{
	AUTO_STRBUF struct strbuf b;

	(void)state;
	strbuf_init(&b, 1 << 20);
	for (int i = 0; i < 1001; i++)
		strbuf_addf(&b, "<%% v%d = 1 %%>", i);
	check_fault(b.buf, "LimitError", "more than 1000 names");
	strbuf_reset(&b);
	for (int i = 0; i < 1001; i++)
		strbuf_addf(&b, "<%%def name='f%d()'></%%def>", i);
	check_fault(b.buf, "LimitError", "more than 1000 defs");
}

static void
includes(void **state)
{
	(void)state;
	check_fault("<%include file='nope'/>", "TemplateLookupException",
	    "Can't locate template for uri 'nope' at line: 1 char: 1");
	check_fault("<%include file='../x'/>", "TemplateLookupException",
	    "Template uri \"../x\" is invalid - it cannot be relative outside "
	    "of the root path.");
	check_fault("<%include file='denied'/>", "TemplateLookupException",
	    "template 'denied' cannot be read: not for you");
	check_fault("<%include file='sub/inc'/>", "TypeError",
	    "sub/inc: render_body() missing 1 required positional argument: "
	    "'x'");
	check_fault("<%include file='${\"a\\x00b\"}'/>", "ValueError", "NUL");
}

static void
bad_text(void **state)
{
	(void)state;
	check_fault("a\xff", "CompileException", "utf-8");
}

static void
reserved(void **state)
{
	static const char *const names[] = { "context", "loop", "UNDEFINED",
		"STOP_RENDERING", "capture", "caller", "local", "self",
		"buffer", "callable_" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AUTO_ARENA struct arena a;
		const struct tmpl_var var = { names[i], "" };
		struct tmpl_input in = {
			.text = "a", .len = 1, .vars = &var, .vars_n = 1
		};
		struct tmpl_output out;
		struct tmpl_failure why;

		arena_init(&a, TMPL_MEMORY_MAX);
		assert_int_equal(tmpl_render(&in, &a, &out, &why), -1);
		assert_non_null(strstr(why.text,
		    "Reserved words passed to "
		    "render(): "));
		assert_non_null(strstr(why.text, names[i]));
	}
}

static const char all_of_it[] =
    "<%! k = [1] %><%page expression_filter='trim'/>\n"
    "<%def name='f(a, b=2)' filter='h'>${a}${b}${q}</%def>\\\n"
    "<% q = {'x': 1} %>\\\n"
    "% for p in ports.split(','):\n"
    "${f(p, b=loop.index) | u}<%block>${p}<% z = 3 %></%block>\n"
    "% endfor\n"
    "% try:\n<%block name='n'>${1 / 0}</%block>\n% except Exception as e:\n"
    "${e}\n% endtry\n"
    "<%include file='sub/by'/><%text filter='u'>&</%text>\n";

static int
render_all(void *ctx, struct error *e)
{
	AUTO_ARENA struct arena a;
	struct tmpl_input in = input(all_of_it);
	struct tmpl_output out;
	struct tmpl_failure why;

	(void)ctx;
	arena_init(&a, TMPL_MEMORY_MAX);
	if (tmpl_render(&in, &a, &out, &why) < 0) {
		assert_string_equal(why.class, "MemoryError");
		return error_set(e, OVE_NOMEM, "%s", why.text);
	}
	assert_string_equal(out.text,
	    "\n800{&#39;x&#39;: 1}80\n4431{&#39;x&#39;: 1}443\n"
	    "division by zero\n[1web]%26\n");
	return 0;
}

static void
failing_allocations(void **state)
{
	(void)state;
	torture(render_all, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(limits),
	cmocka_unit_test(nesting),
	cmocka_unit_test(many_names),
	cmocka_unit_test(includes),
	cmocka_unit_test(bad_text),
	cmocka_unit_test(reserved),
	cmocka_unit_test(failing_allocations),
};
TEST_MAIN(tests)
