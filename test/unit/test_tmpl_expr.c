/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The expression language.  Values are compared with Python's own in
 * test_tmpl_expr.py; here are errors and their places, what is refused,
 * statements, names, limits and memory.
 */
#include "test/unit/support/test.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/strbuf.h"
#include "test/unit/support/tmpl_env.h"
#include "test/unit/support/torture.h"

static char v_name[] = "name=web", v_cpu[] = "cpu=2", v_odd[] = "my-var=V";
static char *variables[] = { v_name, v_cpu, v_odd, NULL };

enum mode {
	EVAL,
	OUTPUT,
	EXEC
};

/* One rendering of one piece. */
struct fixture {
	struct arena a;
	struct tmpl_run r;
	struct tmpl_compiler *c;
	struct test_env env;
	struct strbuf out;
};

static void
start(struct fixture *x)
{
	arena_init(&x->a, TMPL_MEMORY_MAX);
	tmpl_run_init(&x->r, &x->a);
	x->c = tmpl_compiler_new(&x->a);
	test_env_init(&x->env, variables);
	strbuf_init(&x->out, TMPL_OUT_MAX);
}

static void
stop(struct fixture *x)
{
	strbuf_fini(&x->out);
	arena_fini(&x->a);
}

static int
eval(
    struct fixture *x, enum mode mode, const char *text, struct tmpl_value *ret)
{
	static const struct tmpl_pos pos = { 10, 5 };
	struct tmpl_fault *f = &x->r.fault;
	struct tmpl_block *b = NULL;
	struct tmpl_expr *e = NULL;
	size_t len = strlen(text);

	if (mode == EXEC) {
		if (tmpl_compile_block(x->c, text, len, pos, &b, f) == -1)
			return -1;
		if (b != NULL && tmpl_exec(&x->r, &x->env.env, b, ret) == -1)
			return -1;
		return x->env.env.load(
		    &x->env.env, &x->r, tmpl_name(x->c, "r", 1), ret);
	}
	if ((mode == EVAL
		    ? tmpl_compile_expr(x->c, text, len, pos, &e, f)
		    : tmpl_compile_output(x->c, text, len, pos, &e, f)) == -1)
		return -1;
	if (e == NULL)
		return tmpl_str(&x->r, "", 0, ret);
	return tmpl_eval(&x->r, &x->env.env, e, ret);
}

/* The repr() of the value, or "Class: text". */
static const char *
result(struct fixture *x, enum mode mode, const char *text)
{
	struct tmpl_value v;

	if (x->c != NULL && eval(x, mode, text, &v) == 0 &&
	    tmpl_repr(&x->r, v, &x->out) == 0)
		return x->out.buf;
	strbuf_reset(&x->out);
	strbuf_addf(&x->out, "%s: ", tmpl_class_name(x->r.fault.class));
	tmpl_fault_text(&x->r.fault, &x->out);
	return x->out.buf;
}

static void
check(enum mode mode, const char *text, const char *expected)
{
	struct fixture x;

	start(&x);
	if (strcmp(result(&x, mode, text), expected) != 0)
		fail_msg(
		    "%s\n  gives %s\n  not   %s", text, x.out.buf, expected);
	stop(&x);
}

struct row {
	const char *text;
	const char *result;
};

static void
check_rows(enum mode mode, const struct row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		check(mode, rows[i].text, rows[i].result);
}

static void
test_values(void **state)
{
	static const struct row rows[] = {
		{ "1 + 2 * 3 ** 2 - -4", "23" },
		{ "2 ** 3 ** 2, -2 ** 2",
		    "SyntaxException: invalid syntax "
		    "near ',' at line: 10 char: 16" },
		{ "(2 ** 3 ** 2, -2 ** 2, 2 ** -1)", "(512, -4, 0.5)" },
		{ "(7 // -2, -7 % 3, 7.5 // -2, -7.5 % 2)",
		    "(-4, 2, -4.0, 0.5)" },
		{ "(1 < 2 < 3 != 4, 1 < 2 > 3)", "(True, False)" },
		{ "(0x1F, 0o17, 0b101, 1_000, .5, 1e3, 00)",
		    "(31, 15, 5, 1000, 0.5, 1000.0, 0)" },
		{ "'a' \"b\" '''c''' r'\\n' u'\\x41\\101\\u00e9\\q'",
		    "'abc\\\\nAA\xc3\xa9\\\\q'" },
		{ "'it\\'s' + 'a\\\nb'", "\"it'sab\"" },
		{ "[x * y for x in range(3) if x for y in (1, 2) if y > 1]",
		    "[2, 4]" },
		{ "{k: v for k, v in zip('ab', [1, 2])}", "{'a': 1, 'b': 2}" },
		{ "','.join(x + '!' for x in 'ab')", "'a!,b!'" },
		{ "any(1 / x for x in [1, 0])", "True" },
		{ "[name for name in [name]] + [name]", "['web', 'web']" },
		{ "f'{name!r:>6}|{cpu:0>{3}}|{{}}|{[1, 2][0]}'",
		    "\" 'web'|002|{}|1\"" },
		{ "'%s %(a)s' % {'a': 1}", "\"{'a': 1} 1\"" },
		{ "'{:08_}|{:08_}'.format(float('nan'), 1234)",
		    "'00000nan|0_001_234'" },
		{ "'%5.2f|%-4d|%+x|%c|%%' % (3.14159, 5, 255, 'q')",
		    "' 3.14|5   |+ff|q|%'" },
		{ "'{:>5}|{0}'.format(1)",
		    "ValueError: cannot switch from automatic field numbering "
		    "to manual field specification at line: 10 char: 17" },
		{ "context['my-var'] + context.get('none', '-')", "'V-'" },
		{ "pageargs['cpu']", "'2'" },
		{ "undefined or 'd'", "'d'" },
		{ "(undefined is UNDEFINED, undefined == other)",
		    "(True, True)" },
		{ "STOP_RENDERING", "''" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "-9223372036854775807 - 1", "-9223372036854775808" },
		{ "1 if 0 else 2 if 0 else 3", "3" },
		{ "not 1 == 2", "True" },
		{ "[1, 2, 3][::-1][0:2]", "[3, 2]" },
		{ "'h\xc3\xa9llo'[1:3]", "'\xc3\xa9l'" },
		{ "len('h\xc3\xa9llo')", "5" },
	};

	(void)state;
	check_rows(EVAL, rows, ARRAY_LEN(rows));
}

static void
test_output(void **state)
{
	static const struct row rows[] = {
		{ "", "''" },
		{ " \n ", "''" },
		{ "\nname\n", "'web'" },
		{ "# comment\nname", "'web'" },
		{ "name # comment\n", "'web'" },
		{ "'a'\n'b'", "'ab'" },
		{ "'a' \\\n 'b'", "'ab'" },
		{ "(1 +\n 2)", "3" },
		{ "name, ", "'web'" },
		{ "1 +\n2",
		    "SyntaxException: invalid syntax at line: 10 "
		    "char: 8" },
		{ "name\n  + name",
		    "SyntaxException: unexpected indent at line: 11 char: 3" },
		{ "name name",
		    "SyntaxException: invalid syntax near 'name' "
		    "at line: 10 char: 10" },
		{ "name;",
		    "SyntaxException: invalid syntax near ';' at "
		    "line: 10 char: 9" },
		{ "'a\nb'",
		    "SyntaxException: unterminated string literal at "
		    "line: 10 char: 5" },
		{ "1)", "SyntaxException: unmatched ')' at line: 10 char: 6" },
		{ "(1",
		    "SyntaxException: '(' was never closed at line: 10 "
		    "char: 7" },
		{ "(1]",
		    "SyntaxException: closing parenthesis ']' does not "
		    "match opening parenthesis '(' at line: 10 char: 7" },
	};

	(void)state;
	check_rows(OUTPUT, rows, ARRAY_LEN(rows));
}

static void
test_faults(void **state)
{
	static const struct row rows[] = {
		{ "name + 1",
		    "TypeError: can only concatenate str (not "
		    "\"int\") to str at line: 10 char: 5" },
		{ "1 + name",
		    "TypeError: unsupported operand type(s) for +: "
		    "'int' and 'str' at line: 10 char: 5" },
		{ "(1,\n 2 / 0)",
		    "ZeroDivisionError: division by zero at "
		    "line: 11 char: 2" },
		{ "str(undefined)",
		    "NameError: Undefined: 'undefined' at "
		    "line: 10 char: 9" },
		{ "'' + HOSTNAME",
		    "TypeError: can only concatenate str (not \"Undefined\") "
		    "to str: 'HOSTNAME' at line: 10 char: 10 (a shell "
		    "variable? write <%text>${HOSTNAME}</%text> or "
		    "$HOSTNAME)" },
		{ "x()",
		    "TypeError: 'Undefined' object is not callable: 'x' "
		    "at line: 10 char: 5" },
		{ "x.y",
		    "AttributeError: 'Undefined' object has no attribute "
		    "'y': 'x' at line: 10 char: 5" },
		{ "x[0]",
		    "TypeError: 'Undefined' object is not "
		    "subscriptable: 'x' at line: 10 char: 5" },
		{ "len(x)",
		    "TypeError: object of type 'Undefined' has no "
		    "len(): 'x' at line: 10 char: 9" },
		{ "1 in x",
		    "TypeError: argument of type 'Undefined' is not "
		    "iterable: 'x' at line: 10 char: 10" },
		{ "[y for y in x]",
		    "TypeError: 'Undefined' object is not "
		    "iterable: 'x' at line: 10 char: 17" },
		{ "name()",
		    "TypeError: 'str' object is not callable at "
		    "line: 10 char: 5" },
		{ "name.nope()",
		    "AttributeError: 'str' object has no "
		    "attribute 'nope' at line: 10 char: 10" },
		{ "{}['k']", "KeyError: 'k' at line: 10 char: 5" },
		{ "context['no']", "KeyError: 'no' at line: 10 char: 5" },
		{ "int(name)",
		    "ValueError: invalid literal for int() with "
		    "base 10: 'web' at line: 10 char: 5" },
		{ "loop.index",
		    "RuntimeException: No loop context is "
		    "established at line: 10 char: 10" },
		{ "a b",
		    "SyntaxException: invalid syntax near 'b' at line: "
		    "10 char: 7" },
		{ "(1 if 2)",
		    "SyntaxException: expected 'else' after 'if' "
		    "expression at line: 10 char: 12" },
		{ "f(a=1, 2)",
		    "SyntaxException: positional argument follows "
		    "keyword argument at line: 10 char: 12" },
		{ "f(a=1, a=2)",
		    "SyntaxException: keyword argument repeated: "
		    "a at line: 10 char: 14" },
		{ "007",
		    "SyntaxException: invalid number '007' at line: 10 "
		    "char: 5" },
		{ "1__0",
		    "SyntaxException: invalid number '1__0' at line: 10 "
		    "char: 5" },
		{ "'\\x4'",
		    "SyntaxException: truncated \\x escape at line: "
		    "10 char: 6" },
		{ "f'{'",
		    "SyntaxException: f-string: expecting '}' at line: "
		    "10 char: 8" },
		{ "f'}'",
		    "SyntaxException: f-string: single '}' is not "
		    "allowed at line: 10 char: 7" },
		{ "f'{}'",
		    "SyntaxException: f-string: empty expression not "
		    "allowed at line: 10 char: 8" },
	};

	(void)state;
	check_rows(EVAL, rows, ARRAY_LEN(rows));
}

static void
test_unsupported(void **state)
{
	static const struct row rows[] = {
		{ "lambda x: x", "'lambda'" },
		{ "(x := 1)", "':='" },
		{ "f(*x)", "'*' before an argument" },
		{ "[*x]", "'*' before an argument" },
		{ "{**x}", "'*' before an argument" },
		{ "{1, 2}", "a set" },
		{ "{x for x in y}", "a set" },
		{ "{x async for x in y}", "a set" },
		{ "[x async for x in y]", "'async'" },
		{ "(x async for x in y)", "'async'" },
		{ "{x: 1 async for x in y}", "'async'" },
		{ "list(x async for x in y)", "'async'" },
		{ "[x for z in y async for x in z]", "'async'" },
		{ "await x", "'await'" },
		{ "b'x'", "a bytes literal" },
		{ "1j", "a complex number" },
		{ "...", "'...'" },
		{ "a @ b", "'@'" },
		{ "name.__class__", "attribute '__class__'" },
		{ "name._x()", "attribute '_x'" },
		{ "__import__('os')", "name '__import__'" },
		{ "name.upper", "attribute 'upper'" },
		{ "name.encode()", "method 'encode'" },
		{ "open('/etc/passwd')", "function 'open'" },
		{ "eval('1')", "function 'eval'" },
		{ "type(1)", "function 'type'" },
		{ "ValueError('x')", "function 'ValueError'" },
		{ "sorted('ba', key=str)", "" },
		{ "self", "name 'self'" },
		{ "context", "name 'context'" },
		{ "context.write('x')", "method 'write' of 'context'" },
		{ "str(zip('a'))", "the text of 'zip'" },
		{ "repr(x for x in name)", "the text of 'generator'" },
		{ "'\\N{DASH}'", "a named character" },
		{ "f'{name=}'", "'=' in an f-string" },
		{ "'{0.x}'.format(1)", "an attribute in a format" },
		{ "{1: 2} | {3: 4}", "'|' of dicts" },
		{ "\xc3\xa9", "the character '\xc3\xa9' in code" },
		{ "chr(0xd800)", "a surrogate character" },
		{ "(-8) ** 0.5", "a complex number" },
		{ "'a' + 'b' is 'ab'", "'is' for equal values of type 'str'" },
	};
	char expected[200];
	struct fixture x;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		(void)snprintf(expected, sizeof(expected),
		    "UnsupportedTemplate: %s is not supported at line: 10 ",
		    rows[i].result);
		start(&x);
		(void)result(&x, EVAL, rows[i].text);
		if (rows[i].result[0] == '\0')
			assert_int_equal(x.r.fault.class, TMPL_UNSUPPORTED);
		else if (strncmp(x.out.buf, expected, strlen(expected)) != 0)
			fail_msg("%s: %s", rows[i].text, x.out.buf);
		stop(&x);
	}
	check(EVAL, "id",
	    "UnsupportedTemplate: `id` is not defined and not a "
	    "value at line: 10 char: 5");
	check(EVAL, "9223372036854775807 + 1",
	    "UnsupportedTemplate: integer overflow at line: 10 char: 5");
	check(EVAL, "9223372036854775808",
	    "UnsupportedTemplate: integer overflow at line: 10 char: 5");
}

static void
test_blocks(void **state)
{
	static const struct row rows[] = {
		{ " r = 1", "1" },
		{ "\n  r = [1]\n  r += [2]; r.append(3)\n  r[0] *= 5\n",
		    "[5, 2, 3]" },
		{ "a = b = 2\n(c, [d, e]) = 1, (2, 3)\nr = (a, b, c, d, e)",
		    "(2, 2, 1, 2, 3)" },
		{ "r = 0\nfor i in range(9):\n  if i == 1: continue\n"
		  "  elif i == 4:\n    break\n  r += i\nelse:\n  r = -1",
		    "5" },
		{ "r = 0\nwhile r < 3:\n\tr += 1\nelse:\n\tr = 'end'",
		    "'end'" },
		{ "r = 1\nreturn\nr = 2", "1" },
		{ "if 0:\n  r = 1\nelif 0:\n  r = 2\nelif 1:\n  r = 3\n"
		  "else:\n  pass",
		    "3" },
		{ "d = {}\nd['k'] = [0]\nd['k'][0] += 7\nr = d", "{'k': [7]}" },
		{ "r = '''a\n  b'''", "'a\\n  b'" },
		{ "r = (1 +\n2)  # comment\n# another\n", "3" },
		{ "r = 'a\tb'", "'a  b'" },
		{ "a = [1, 2]\nb = a\nb *= 2\nr = a", "[1, 2, 1, 2]" },
		{ "r = 3\r\nr += 1\r\n", "4" },
		{ "\n   r = 1\n     \n\n   r += 1\n", "2" },
		{ "r = [i for i in 'ab']", "['a', 'b']" },
		{ "a = 1\n  r = 2",
		    "SyntaxException: unexpected indent at "
		    "line: 11 char: 3" },
		{ "if 1:\nr = 2",
		    "SyntaxException: expected an indented "
		    "block at line: 11 char: 1" },
		{ "if 1:\n    r = 1\n  r = 2",
		    "SyntaxException: unindent does not match any outer "
		    "indentation level at line: 12 char: 3" },
		{ "\n\n   r = x.y",
		    "AttributeError: 'Undefined' object has no attribute "
		    "'y': 'x' at line: 12 char: 8" },
		{ "r = ",
		    "SyntaxException: invalid syntax at line: 10 char: "
		    "9" },
		{ "a, b = 1, 2, 3",
		    "ValueError: too many values to unpack "
		    "(expected 2) at line: 10 char: 5" },
		{ "a, b = 1,",
		    "ValueError: not enough values to unpack "
		    "(expected 2, got 1) at line: 10 char: 5" },
		{ "a, b = 1",
		    "TypeError: cannot unpack non-iterable int "
		    "object at line: 10 char: 5" },
		{ "raise ValueError('no ' + name)",
		    "ValueError: no web at line: 10 char: 5" },
		{ "raise KeyError('k')", "KeyError: 'k' at line: 10 char: 5" },
		{ "raise ValueError((nope,))",
		    "ValueError: (Undefined,) at line: 10 char: 5" },
		{ "raise KeyError([nope])",
		    "KeyError: [Undefined] at line: 10 char: 5" },
		{ "r = [1].index([nope])",
		    "ValueError: [Undefined] is not in list at line: 10 "
		    "char: 13" },
		{ "assert 0, 'need x'",
		    "AssertionError: need x at line: 10 char: 5" },
		{ "loop = 1",
		    "NameConflictError: Reserved words declared in "
		    "template: loop at line: 10 char: 5" },
		{ "1 = 2",
		    "SyntaxException: cannot assign to expression at "
		    "line: 10 char: 5" },
		{ "r += 1",
		    "UnboundLocalError: cannot access local variable "
		    "'r' where it is not associated with a value at "
		    "line: 10 char: 5" },
		{ "import os",
		    "UnsupportedTemplate: 'import' statement is "
		    "not supported at line: 10 char: 5" },
		{ "def f(): pass",
		    "UnsupportedTemplate: 'def' statement is "
		    "not supported at line: 10 char: 5" },
		{ "try:\n  pass",
		    "UnsupportedTemplate: 'try' statement is "
		    "not supported at line: 10 char: 5" },
		{ "x: int = 1",
		    "UnsupportedTemplate: an annotation is not "
		    "supported at line: 10 char: 6" },
		{ "raise SystemExit",
		    "UnsupportedTemplate: 'raise' of "
		    "'SystemExit' is not supported at line: "
		    "10 char: 11" },
		{ "r[0:1] = 2",
		    "UnsupportedTemplate: assignment to a slice "
		    "is not supported at line: 10 char: 5" },
	};

	(void)state;
	check_rows(EXEC, rows, ARRAY_LEN(rows));
}

/* Everything ends, and says why. */
static void
test_limits(void **state)
{
	static const struct row rows[] = {
		{ "while 1: pass",
		    "LimitError: more than 1000000 iterations "
		    "at line: 10 char: 5" },
		{ "r = sum(1 for i in range(9999999))",
		    "LimitError: more than 1000000 iterations at line: 10 "
		    "char: 9" },
		{ "r = sum(range(10 ** 15))",
		    "LimitError: the template takes too long at line: 10 "
		    "char: 9" },
		{ "r = list(range(10 ** 15))",
		    "LimitError: the template uses too much memory at line: "
		    "10 char: 9" },
		{ "r = 'x' * 99999999",
		    "LimitError: a repetition of more than 16 MiB at line: 10 "
		    "char: 9" },
		{ "r = [0] * 99999999",
		    "LimitError: a repetition of more than 16 MiB at line: 10 "
		    "char: 9" },
		{ "s = ' ' * 9999999\nfor i in range(999): s.strip()",
		    "LimitError: the template takes too long at line: 11 "
		    "char: 24" },
		{ "r = 'x'.ljust(99999999)",
		    "LimitError: padding of more than 16 MiB at line: 10 "
		    "char: 13" },
		{ "r = '%99999999d' % 1",
		    "LimitError: a string of more than 16 MiB at line: 10 "
		    "char: 9" },
		{ "r = '{:99999999}'.format(1)",
		    "LimitError: a string of more than 16 MiB at line: 10 "
		    "char: 23" },
		{ "r = '%.99999999f' % 1",
		    "LimitError: a precision above 16 MiB at line: 10 char: "
		    "9" },
		{ "r = 'x' * 16777216 + 'x'",
		    "LimitError: a string of more than 16 MiB at line: 10 "
		    "char: 9" },
		{ "r = [0]\nfor i in r: r.append(i)",
		    "LimitError: more than 1000000 iterations at line: 11 "
		    "char: 1" },
		{ "r = []\nfor i in range(200): r = [r]\nr = repr(r)",
		    "RecursionError: maximum recursion depth exceeded at "
		    "line: 12 char: 5" },
		{ "r = 0\nfor i in range(5000): r = (r,)\nr = {r: 1}",
		    "RecursionError: maximum recursion depth exceeded at "
		    "line: 12 char: 5" },
		{ "r = s = 0\nfor i in range(5000):\n  r = [r]; s = [s]\n"
		  "r = r == s",
		    "RecursionError: maximum recursion depth exceeded at "
		    "line: 13 char: 5" },
		{ "r = 'a'\nfor i in range(5000): r = enumerate(r)\n"
		  "r = list(r)",
		    "RecursionError: maximum recursion depth exceeded at "
		    "line: 12 char: 5" },
		{ "r = 'a'\nfor i in range(40): r = [r, r]\nr = repr(r)",
		    "LimitError: a string of more than 16 MiB at line: 12 "
		    "char: 5" },
		{ "r = []\nr.append(r)\nr = (r, {'d': r})",
		    "([[...]], {'d': [[...]]})" },
	};

	(void)state;
	check_rows(EXEC, rows, ARRAY_LEN(rows));
}

/* Text that nests as deep as it is long. */
static void
test_deep_text(void **state)
{
	static const struct {
		const char *open;
		const char *core;
		const char *close;
	} cases[] = {
		{ "(", "1", ")" },
		{ "[", "", "]" },
		{ "-", "1", "" },
		{ "not ", "1", "" },
		{ "1 ** ", "1", "" },
		{ "1 if 1 else ", "1", "" },
		{ "", "name", ".upper()" },
		{ "", "name", "[0]" },
		{ "f(", "1", ")" },
		{ "{1:", "1", "}" },
	};
	struct strbuf AUTO_STRBUF text;
	struct fixture x;
	size_t i, k;

	(void)state;
	strbuf_init(&text, 1 << 22);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		strbuf_reset(&text);
		for (k = 0; k < 50000; k++)
			strbuf_adds(&text, cases[i].open);
		strbuf_adds(&text, cases[i].core);
		for (k = 0; k < 50000; k++)
			strbuf_adds(&text, cases[i].close);
		start(&x);
		(void)result(&x, EVAL, text.buf);
		assert_int_equal(x.r.fault.class, TMPL_LIMIT);
		stop(&x);
	}
	/* Long is not deep. */
	strbuf_reset(&text);
	strbuf_adds(&text, "0");
	for (k = 0; k < 50000; k++)
		strbuf_adds(&text, k % 2 == 0 ? "+1" : " + 1");
	check(EVAL, text.buf, "50000");
	strbuf_reset(&text);
	strbuf_adds(&text, "if 0: r = 0\n");
	for (k = 0; k < 20000; k++)
		strbuf_adds(&text, "elif 0: r = 0\n");
	strbuf_adds(&text, "else: r = 1\n");
	check(EXEC, text.buf, "1");
}

/* What is in the clauses of a comprehension is below it. */
static void
test_deep_clauses(void **state)
{
	static const char *const opens[] = { "[x for x in ",
		"[x for x in name if ", "{x: x for x in ", "list(x for x in " };
	static const char *const closes[] = { "]", "]", "}", ")" };
	struct strbuf AUTO_STRBUF text;
	struct fixture x;

	(void)state;
	strbuf_init(&text, 1 << 22);
	for (size_t i = 0; i < ARRAY_LEN(opens); i++) {
		strbuf_reset(&text);
		for (size_t k = 0; k < 5; k++)
			strbuf_adds(&text, opens[i]);
		strbuf_adds(&text, "name");
		for (size_t k = 0; k < 5; k++) {
			for (size_t n = 0; n < 50; n++)
				strbuf_adds(&text, "[0]");
			strbuf_adds(&text, closes[i]);
		}
		start(&x);
		(void)result(&x, EVAL, text.buf);
		assert_int_equal(x.r.fault.class, TMPL_LIMIT);
		stop(&x);
	}
	check(EVAL,
	    "[[y for y in [z for z in [[x for x in name if x] for w in name] "
	    "if z] if y][0][0] for v in '12']",
	    "['w', 'w']");
}

static void
test_scan(void **state)
{
	static const struct {
		const char *text;
		const char *stops;
		size_t end;
	} cases[] = {
		{ "a}", "|}", 1 },
		{ "a | h}", "|}", 2 },
		{ "(a | b) | c}", "|}", 8 },
		{ "{'a': 1}}", "|}", 8 },
		{ "\"}\"}", "|}", 3 },
		{ "'''}\n'}'''}", "|}", 10 },
		{ "'\\'}'}", "|}", 5 },
		{ "# }\n}", "|}", 4 },
		{ "\"open}", "|}", 5 },
		{ "(1}", "|}", TMPL_NO_END },
		{ "1)}", "|}", 2 },
		{ "a", "|}", TMPL_NO_END },
		{ "", "|}", TMPL_NO_END },
		{ "if x[1:2]: # c", ":", 9 },
		{ "\"\"\"a}", "|}", 4 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		if (tmpl_scan_end(cases[i].text, strlen(cases[i].text),
			cases[i].stops) != cases[i].end)
			fail_msg("%s", cases[i].text);
	}
	assert_int_equal(tmpl_scan_block_end("x = '%>' %>", 11), 9);
	assert_int_equal(tmpl_scan_block_end("# %>\n(%>", 8), 6);
	assert_int_equal(tmpl_scan_block_end("x", 1), TMPL_NO_END);
}

static void
note(const struct tmpl_name *name, void *ctx)
{
	strbuf_addf(ctx, "%s;", name->s);
}

static void
test_names(void **state)
{
	static const char text[] = "a, (b, c) = x\nfor d in e:\n  f += g\n"
				   "else:\n  h[i] = [j for j in j if k]\n"
				   "if l: m = n\nelif o: p = q\n";
	static const struct tmpl_pos pos = { 1, 1 };
	struct tmpl_block *b;
	struct fixture x;

	(void)state;
	start(&x);
	assert_int_equal(
	    tmpl_compile_block(x.c, text, strlen(text), pos, &b, &x.r.fault),
	    0);
	tmpl_block_names(b, note, &x.out);
	assert_string_equal(x.out.buf, "a;b;c;d;f;m;p;");
	strbuf_reset(&x.out);
	tmpl_block_reads(b, note, &x.out);
	assert_string_equal(x.out.buf, "x;e;g;h;i;j;k;l;n;o;q;");
	assert_false(tmpl_block_breaks(b));
	assert_false(tmpl_block_is_constant(b));
	stop(&x);
}

static void
test_block_kinds(void **state)
{
	static const struct {
		const char *text;
		bool breaks;
		bool constant;
	} cases[] = {
		{ "break", true, false },
		{ "for i in 'a': break", false, false },
		{ "for i in 'a': pass\nelse: continue", true, false },
		{ "x = 1; y = [2, 'z']", false, true },
		{ "x = y", false, false },
		{ "x[0] = 1", false, false },
		{ "x = len('a')", false, false },
	};
	static const struct tmpl_pos pos = { 1, 1 };
	struct tmpl_block *b;
	struct fixture x;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		start(&x);
		assert_int_equal(
		    tmpl_compile_block(x.c, cases[i].text,
			strlen(cases[i].text), pos, &b, &x.r.fault),
		    0);
		assert_int_equal(tmpl_block_breaks(b), cases[i].breaks);
		assert_int_equal(tmpl_block_is_constant(b), cases[i].constant);
		stop(&x);
	}
}

/* Binds the arguments of a call f(...) to parameters: "name=value;" or the
 * fault. */
static void
check_bind(const char *params, const char *call, const char *expected)
{
	static const struct tmpl_pos pos = { 1, 1 };
	struct tmpl_value values[8];
	struct tmpl_kwarg kw[8];
	struct tmpl_args args = { .kw = kw };
	struct tmpl_params p;
	struct tmpl_call named;
	struct fixture x;
	size_t i;

	start(&x);
	assert_int_equal(tmpl_compile_params(x.c, params, strlen(params), pos,
			     true, &p, &x.r.fault),
	    0);
	assert_int_equal(
	    tmpl_compile_call(x.c, call, strlen(call), pos, &named, &x.r.fault),
	    0);
	for (i = 0; i < named.n; i++) {
		kw[i].name = named.names[i]->s;
		assert_int_equal(
		    tmpl_eval(&x.r, &x.env.env, named.exprs[i], &kw[i].v), 0);
	}
	args.n_kw = named.n;
	if (tmpl_bind(&x.r, &x.env.env, &p, p.name->s, &args, values) == -1) {
		tmpl_fault_text(&x.r.fault, &x.out);
	} else {
		for (i = 0; i < p.n; i++) {
			strbuf_addf(&x.out, "%s=", p.names[i]->s);
			assert_int_equal(tmpl_repr(&x.r, values[i], &x.out), 0);
			strbuf_adds(&x.out, ";");
		}
	}
	assert_string_equal(x.out.buf, expected);
	stop(&x);
}

static void
test_bind(void **state)
{
	(void)state;
	check_bind("f(a, b='z')", "a=1", "a=1;b='z';");
	check_bind("f(a, b='z')", "b=cpu, a=1", "a=1;b='2';");
	check_bind("f()", "", "");
	check_bind(
	    "f(a)", "", "f() missing 1 required positional argument: 'a'");
	check_bind("f(a, b, c)", "b=1",
	    "f() missing 2 required positional arguments: 'a' and 'c'");
	check_bind("f(a, b, c)", "",
	    "f() missing 3 required positional arguments: 'a', 'b', and 'c'");
	check_bind(
	    "f(a)", "a=1, z=2", "f() got an unexpected keyword argument 'z'");
}

static void
test_control(void **state)
{
	static const struct tmpl_pos pos = { 3, 4 };
	struct tmpl_except except;
	struct tmpl_loop *loop;
	struct tmpl_value v;
	struct tmpl_for loops;
	struct fixture x;

	(void)state;
	start(&x);
	assert_int_equal(
	    tmpl_compile_except(x.c, "", 0, pos, &except, &x.r.fault), 0);
	assert_int_equal(except.class, TMPL_CLASS_NONE);
	assert_int_equal(tmpl_compile_except(x.c, "ValueError as e", 15, pos,
			     &except, &x.r.fault),
	    0);
	assert_int_equal(except.class, TMPL_VALUE_ERROR);
	assert_string_equal(except.name->s, "e");
	assert_int_equal(
	    tmpl_compile_except(x.c, "Nope", 4, pos, &except, &x.r.fault), -1);
	assert_int_equal(tmpl_compile_for(x.c, "a, b in ['xy', 'zw']", 20, pos,
			     &loops, &x.r.fault),
	    0);
	tmpl_target_names(loops.target, note, &x.out);
	assert_string_equal(x.out.buf, "a;b;");
	assert_int_equal(tmpl_eval(&x.r, &x.env.env, loops.expr, &v), 0);
	assert_int_equal(tmpl_loop_new(&x.r, v, NULL, &loop), 0);
	x.env.loop = loop;
	while (tmpl_loop_next(&x.r, loop, &v) == 1) {
		assert_int_equal(
		    tmpl_assign(&x.r, &x.env.env, loops.target, v), 0);
		strbuf_reset(&x.out);
		(void)result(&x, EVAL,
		    "(a, b, loop.index, loop.reverse_index, loop.first, "
		    "loop.last, loop.even, loop.odd, loop.parent, "
		    "loop.cycle('p', 'q'))");
	}
	assert_string_equal(
	    x.out.buf, "('z', 'w', 1, 0, False, True, False, True, None, 'q')");
	stop(&x);
}

static int
torture_body(void *ctx, struct error *e)
{
	struct fixture x;
	int rc = 0;

	start(&x);
	if (x.c != NULL)
		(void)result(&x, EXEC, ctx);
	if (x.c == NULL || x.r.fault.class == TMPL_MEMORY_ERROR ||
	    x.r.fault.class == TMPL_LIMIT || x.out.latch != OVE_NONE)
		rc = error_nomem(e);
	else if (strncmp(x.out.buf, "('", 2) != 0)
		fail_msg("%s", x.out.buf);
	stop(&x);
	return rc;
}

static void
test_memory(void **state)
{
	static char text[] =
	    "d = {k: [v] * 300 for k, v in zip('abcdefghijk', range(99))}\n"
	    "s = f'{name:>9}' '%s|%r' % (d, 'x' * 5000)\n"
	    "r = (s.upper().replace('W', '-{}').format(1) if 0 else "
	    "s.title().split(), sorted(d.items(), reverse=True), "
	    "'{:>9,.2f}'.format(1234.5), int('42') + round(2.5))\n"
	    "r = ('x', len(repr(r)))\n";

	(void)state;
	torture(torture_body, text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_values),
	cmocka_unit_test(test_output),
	cmocka_unit_test(test_faults),
	cmocka_unit_test(test_unsupported),
	cmocka_unit_test(test_blocks),
	cmocka_unit_test(test_limits),
	cmocka_unit_test(test_deep_text),
	cmocka_unit_test(test_deep_clauses),
	cmocka_unit_test(test_scan),
	cmocka_unit_test(test_names),
	cmocka_unit_test(test_block_kinds),
	cmocka_unit_test(test_bind),
	cmocka_unit_test(test_control),
	cmocka_unit_test(test_memory),
};

TEST_MAIN(tests)
