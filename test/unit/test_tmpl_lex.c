/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* Templates cut into pieces: which, from where to where. */

#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/strbuf.h"
#include "lib/data/tmpl_lex.h"

static void
show(struct strbuf *b, const struct tmpl_token *t)
{
	static const char letters[] = "$T=%<>C";

	strbuf_addf(b, "%c%u:%u(%.*s", letters[t->type], t->pos.line,
	    t->pos.col, (int)t->s.len, t->s.s != NULL ? t->s.s : "");
	if (t->rest.s != NULL)
		strbuf_addf(b, "|%.*s", (int)t->rest.len, t->rest.s);
	strbuf_addf(
	    b, "%s%s)", t->is_closed ? "/" : "", t->is_module ? "!" : "");
}

/* All tokens but the last as one line, or the fault. */
static void
lex(const char *text, struct strbuf *b)
{
	struct tmpl_fault f = { .class = TMPL_CLASS_NONE };
	struct tmpl_lexer lx;
	struct tmpl_token t;

	tmpl_lexer_init(&lx, text, strlen(text));
	for (;;) {
		if (tmpl_lexer_next(&lx, &t, &f) < 0) {
			strbuf_addf(
			    b, "!%u:%u %s", f.pos.line, f.pos.col, f.message);
			return;
		}
		if (t.type == TMPL_TOKEN_END)
			return;
		show(b, &t);
	}
}

static const struct {
	const char *text;
	const char *tokens;
} rows[] = {
	{ "", "" },
	{ "a\nb", "T1:1(a\nb)" },
	{ "a${b}c", "T1:1(a)=1:2(b)T1:6(c)" },
	{ "\xc3\xa9${b|h, u}", "T1:1(\xc3\xa9)=1:2(b|h, u)" },
	{ "${'}|'}${{}|n}", "=1:1('}|')=1:8({}|n)" },
	{ "% if x:\n a\n\t% endif", "%1:1(if x:)T2:1( a\n)%3:1(endif)" },
	{ "a % if\n", "T1:1(a % if\n)" },
	{ "% a\\\n b\nc", "%1:1(a\\\n b)T3:1(c)" },
	{ "% a\r\nb\r\n", "%1:1(a)T2:1(b\r\n)" },
	{ "% a\rb\n", "T1:1(% a\rb\n)" },
	{ "x\n% a\rb", "T1:1(x\n)T2:2( a\rb)" },
	{ "## no\n##\\\nmore\na", "T4:1(a)" },
	{ "a\\\nb\\\r\nc\\d\\", "T1:1(a)T2:1(b)T3:1(c\\d\\)" },
	{ "%%a\n  %%% b", "T1:2(%a\n)T2:1(  )T2:4(%% b)" },
	{ "%", "%1:1()" },
	{ "<%doc>x\n${</%doc>y", "T2:10(y)" },
	{ "<%a b='c' d = \"e\"/>", "<1:1(a| b='c' d = \"e\"/)" },
	{ "<%a.b:c\n>", "<1:1(a.b:c|)" },
	{ "<%a b ' x' >",
	    "!1:1 Expected: %>; unterminated tag or expression "
	    "beginning" },
	{ "</%a></%\tb >", ">1:1(a)>1:6(b)" },
	{ "</%></% c d>", "T1:2(/%>)T1:6(/% c d>)" },
	{ "<% a = '%>' %>b", "C1:1( a = '%>' )T1:15(b)" },
	{ "<%! x %><%%>", "C1:1( x !)C1:9()" },
	{ "\n<%",
	    "T1:1(\n)!2:1 Expected: %>; unterminated tag or expression "
	    "beginning" },
	{ "${a",
	    "!1:1 Expected: \\|,}; unterminated tag or expression "
	    "beginning" },
	{ "${a|b",
	    "!1:1 Expected: }; unterminated tag or expression "
	    "beginning" },
	{ "# coding: x\na", "T2:1(a)" },
	{ "# -*- coding=utf-8 -*-\r\n% a", "%2:1(a)" },
	{ "# coding:\n x y\na", "T3:1(a)" },
	{ "# coding: x", "T1:1(# coding: x)" },
	{ "# coding:!\na", "T1:1(# coding:!\na)" },
	{ "<&x $ { </ %", "T1:1(<&x $ { </ %)" },
};

static void
pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_STRBUF struct strbuf b;

		strbuf_init(&b, 4096);
		lex(rows[i].text, &b);
		assert_string_equal(b.buf, rows[i].tokens);
	}
}

static void
raw_text(void **state)
{
	static const char text[] = "<%text>\n${a}%\n</%text>b";
	struct tmpl_fault f;
	struct tmpl_lexer lx;
	struct tmpl_token t;
	struct tmpl_piece p;

	(void)state;
	tmpl_lexer_init(&lx, text, strlen(text));
	assert_int_equal(tmpl_lexer_next(&lx, &t, &f), 0);
	assert_int_equal(t.type, TMPL_TOKEN_TAG);
	assert_true(tmpl_lexer_raw(&lx, &p));
	assert_int_equal(p.len, strlen("\n${a}%\n"));
	assert_int_equal(p.pos.col, 8);
	assert_int_equal(tmpl_lexer_next(&lx, &t, &f), 0);
	assert_int_equal(t.type, TMPL_TOKEN_TAG_END);
	assert_int_equal(t.pos.line, 3);
	assert_false(tmpl_lexer_raw(&lx, &p));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(pieces),
	cmocka_unit_test(raw_text),
};
TEST_MAIN(tests)
