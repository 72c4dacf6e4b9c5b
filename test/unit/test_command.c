/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* The grammar of arguments (cli.md 1.2), over a small table of commands. */

#include "test/unit/support/test.h"

#include <string.h>

#include "cli/command.h"
#include "cli/help.h"

static const char *const types[] = { "jails", "projects", NULL };

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE,
	{ "restart", NULL, CMD_FLAG, 0, false, CMD_AT(restart), NULL, NULL,
	    "Restart." },
	{ "type", "TYPE", CMD_STR, 't', false, CMD_AT(type), types, "jails",
	    "What." },
	{ "filter", "NAME", CMD_LIST, 0, false, CMD_AT(filter), NULL, NULL,
	    "Filter." },
	{ "entity", "ENTITY", CMD_STR, 'e', false, CMD_AT(date), NULL, NULL,
	    "Entity." },
	{ "expire", "N", CMD_INT, 0, false, CMD_AT(expire), NULL, NULL,
	    "Expire." },
	{ "timeout", "D", CMD_DURATION, 0, false, CMD_AT(timeout_ms), NULL,
	    NULL, "Timeout." },
	{ "force", NULL, CMD_FLAG, 'F', false, CMD_AT(force), NULL, NULL,
	    "Force." },
};

static const struct cmd do_cmd = {
	.name = "do",
	.summary = "Do it",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.words = "WHERE",
	.words_min = 1,
	.words_max = 2,
};
static const struct cmd other_cmd = { .name = "other", .summary = "Other" };
static const struct cmd hidden_cmd = {
	.name = "dos", .group = CMD_HIDDEN, .summary = "Hidden"
};

const struct cmd *const cmd_table[] = { &do_cmd, &other_cmd, &hidden_cmd };
const size_t cmd_table_n = ARRAY_LEN(cmd_table);

#define ARGS_MAX 12

struct parsed {
	struct arena arena;
	struct cmd_args args;
	const struct cmd *cmd;
	struct cmd_fault fault;
	char texts[ARGS_MAX][64];
	char *argv[ARGS_MAX + 1];
};

static int
parse(struct parsed *p, const char *const *args)
{
	int n = 1;

	arena_init(&p->arena, 1000000);
	p->argv[0] = p->texts[0];
	for (; args[n - 1] != NULL && n < ARGS_MAX; n++) {
		p->argv[n] = p->texts[n];
		memcpy(p->texts[n], args[n - 1], strlen(args[n - 1]) + 1);
	}
	p->argv[n] = NULL;
	return cmd_parse(n, p->argv, &p->arena, &p->args, &p->cmd, &p->fault);
}

static void
values_are_bound(void **state)
{
	struct parsed p = { 0 };

	(void)state;
	assert_int_equal(parse(&p,
			     (const char *const[]){ "-e", "env", "do", "-f=x",
				 "here", "--restart", "--filter", "a",
				 "--filter=b", "-vFq", "-tprojects", NULL }),
	    0);
	assert_ptr_equal(p.cmd, &do_cmd);
	assert_string_equal(p.args.env_file, "env");
	assert_string_equal(p.args.file, "=x");
	assert_string_equal(p.args.type, "projects");
	assert_true(p.args.restart && p.args.force && p.args.quiet);
	assert_int_equal(p.args.verbose, 1);
	assert_int_equal(p.args.filter.n, 2);
	assert_string_equal(p.args.filter.items[1], "b");
	assert_int_equal(p.args.words.n, 1);
	arena_fini(&p.arena);

	assert_int_equal(parse(&p,
			     (const char *const[]){ "do", "-f", "-f", "--file",
				 "last", "--expire", "-5", "--timeout", "1h30m",
				 "--", "--restart", NULL }),
	    0);
	assert_string_equal(p.args.file, "last");
	assert_int_equal(p.args.expire, -5);
	assert_int_equal(p.args.timeout_ms, 5400000);
	assert_false(p.args.restart);
	assert_string_equal(p.args.words.items[0], "--restart");
	arena_fini(&p.arena);

	assert_int_equal(parse(&p,
			     (const char *const[]){ "do", "-e", "ent",
				 "--env-file", "env", "-f", "-", "-", NULL }),
	    0);
	assert_string_equal(p.args.date, "ent");
	assert_string_equal(p.args.env_file, "env");
	assert_string_equal(p.args.file, "-");
	assert_string_equal(p.args.words.items[0], "-");
	arena_fini(&p.arena);
}

static const struct {
	const char *args[8];
	const char *text;
	const char *hint;
} faults[] = {
	{ { "dp" }, "unknown command 'dp'", "did you mean 'do'?" },
	{ { "do", "x" }, "missing option '-f' / '--file'",
	    "see 'overlord do --help'" },
	{ { "do", "-f", "x" }, "missing argument 'WHERE'", "see" },
	{ { "do", "-f", "x", "a", "b", "c" }, "unexpected extra argument 'c'",
	    "see" },
	{ { "do", "--restar" }, "unknown option '--restar'",
	    "did you mean '--restart'?" },
	{ { "do", "--restart=yes" }, "option '--restart' takes no value",
	    "see" },
	{ { "do", "--filter" }, "option '--filter' requires an argument",
	    "see" },
	{ { "do", "-f" }, "option '-f' requires an argument", "see" },
	{ { "do", "-t", "Jails" },
	    "--type 'Jails': is not one of: jails, projects",
	    "did you mean 'jails'?" },
	{ { "do", "--expire", "1x" }, "--expire '1x': not a whole number",
	    "see" },
	{ { "other", "-e", "x" }, "unknown option '-e'",
	    "'-e' stands before the command" },
	{ { "other", "--file", "x" }, "unknown option '--file'", "" },
	{ { "-x" }, "unknown option '-x'", "see 'overlord --help'" },
	{ { "--parallel", "0", "other" }, "--parallel: must be 1 to 1024",
	    "see" },
};

static void
faults_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct parsed p = { 0 };

		assert_int_equal(parse(&p, faults[i].args), -1);
		assert_string_equal(p.fault.text, faults[i].text);
		if (strncmp(p.fault.hint, faults[i].hint,
			strlen(faults[i].hint)) != 0)
			fail_msg("row %zu: %s", i, p.fault.hint);
		arena_fini(&p.arena);
	}
}

static void
help_needs_nothing_else(void **state)
{
	struct parsed p = { 0 };

	(void)state;
	assert_int_equal(
	    parse(&p, (const char *const[]){ "do", "--help", NULL }), 0);
	assert_true(p.args.help);
	arena_fini(&p.arena);
	assert_int_equal(parse(&p, (const char *const[]){ NULL }), 0);
	assert_null(p.cmd);
	arena_fini(&p.arena);
}

static void
help_comes_from_the_table(void **state)
{
	struct strbuf b AUTO_STRBUF;

	(void)state;
	strbuf_init(&b, 100000);
	help_command(&do_cmd, &b);
	assert_non_null(strstr(b.buf,
	    "usage: overlord do -f FILE [--restart] [-t TYPE] [--filter "
	    "NAME]..."));
	assert_non_null(strstr(b.buf,
	    "  -t, --type TYPE         What. One of: jails, projects. "
	    "Default: jails\n"));
	strbuf_reset(&b);
	help_program(&b);
	assert_non_null(strstr(b.buf, "\n  other "));
	assert_null(strstr(b.buf, "dos"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(values_are_bound),
	cmocka_unit_test(faults_are_told),
	cmocka_unit_test(help_needs_nothing_else),
	cmocka_unit_test(help_comes_from_the_table),
};
TEST_MAIN(tests)
