/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The argument parser: two option tables (the command's, then the global one)
 * are looked up by letter or by whole name, and values are put where their row
 * says in struct cmd_args. Owns nothing: texts stay in argv, lists grow in the
 * caller's arena. A fault is a text and a hint, never a guess acted upon.
 */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/data/diag.h"

/* Values of one repeatable option, and positional arguments. */
#define LIST_MAX 1024

static const char *const color_choices[] = { "auto", "always", "never", NULL };

const struct cmd_opt cmd_globals[] = {
	{ "help", NULL, CMD_FLAG, 'h', false, CMD_AT(help), NULL, NULL,
	    "Show this help." },
	{ "version", NULL, CMD_FLAG, 0, false, CMD_AT(version), NULL, NULL,
	    "Show the version." },
	{ "env-file", "FILE", CMD_STR, 'e', false, CMD_AT(env_file), NULL,
	    ".env", "File with environment variables." },
	{ "quiet", NULL, CMD_FLAG, 'q', false, CMD_AT(quiet), NULL, NULL,
	    "Show no warnings and no progress." },
	{ "verbose", NULL, CMD_COUNT, 'v', false, CMD_AT(verbose), NULL, NULL,
	    "Show requests; twice: every decision and body." },
	{ "color", "WHEN", CMD_STR, 0, false, CMD_AT(color), color_choices,
	    "auto", "Colour: auto, always, never." },
	{ "parallel", "N", CMD_INT, 0, false, CMD_AT(parallel), NULL, "16",
	    "Requests at the same time." },
	{ "strict", NULL, CMD_FLAG, 0, false, CMD_AT(strict), NULL, NULL,
	    "Nothing matched, or a warning, is a failure." },
	{ "best-effort", NULL, CMD_FLAG, 0, false, CMD_AT(best_effort), NULL,
	    NULL, "Failing targets do not change the exit code." },
};
const size_t cmd_globals_n = ARRAY_LEN(cmd_globals);

struct parser {
	char **argv;
	size_t argc;
	/* Index of the argument that is looked at. */
	size_t at;
	struct arena *arena;
	struct cmd_args *args;
	const struct cmd *cmd;
	struct cmd_fault *fault;
	/* The options given, to find missing ones: bit of the row. */
	uint64_t given;
};

static int fault(struct parser *p, const char *hint, const char *fmt, ...)
    CC_PRINTF(3, 4);

static int
fault(struct parser *p, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(p->fault->text, sizeof(p->fault->text), fmt, ap);
	va_end(ap);
	if (hint != NULL)
		(void)snprintf(
		    p->fault->hint, sizeof(p->fault->hint), "%s", hint);
	else if (p->cmd != NULL)
		(void)snprintf(p->fault->hint, sizeof(p->fault->hint),
		    "see 'overlord %s --help'", p->cmd->name);
	else
		(void)snprintf(p->fault->hint, sizeof(p->fault->hint),
		    "see 'overlord --help'");
	return -1;
}

const struct cmd *
cmd_find(const char *name)
{
	for (size_t i = 0; i < cmd_table_n; i++)
		if (strcmp(cmd_table[i]->name, name) == 0)
			return cmd_table[i];
	return NULL;
}

const char *
cmd_suggest(struct arena *a, const char *name)
{
	const char *names[64];
	size_t n = 0;

	for (size_t i = 0; i < cmd_table_n && n < ARRAY_LEN(names); i++)
		if (cmd_table[i]->group != CMD_HIDDEN)
			names[n++] = cmd_table[i]->name;
	return diag_suggest(a, name, names, n);
}

/* "'-f' / '--file'" */
static const char *
opt_text(struct parser *p, const struct cmd_opt *o)
{
	const char *s = o->letter == 0
	    ? arena_printf(p->arena, "'--%s'", o->name)
	    : arena_printf(p->arena, "'-%c' / '--%s'", o->letter, o->name);

	return s != NULL ? s : o->name;
}

static const struct cmd_opt *
find_long(const struct parser *p, const char *name, size_t len)
{
	const struct cmd_opt *o = NULL;
	size_t i;

	for (i = 0; p->cmd != NULL && i < p->cmd->opts_n; i++) {
		o = &p->cmd->opts[i];
		if (strlen(o->name) == len && strncmp(o->name, name, len) == 0)
			return o;
	}
	for (i = 0; i < cmd_globals_n; i++) {
		o = &cmd_globals[i];
		if (strlen(o->name) == len && strncmp(o->name, name, len) == 0)
			return o;
	}
	return NULL;
}

static const struct cmd_opt *
find_letter(const struct parser *p, char letter)
{
	size_t i;

	for (i = 0; p->cmd != NULL && i < p->cmd->opts_n; i++)
		if (p->cmd->opts[i].letter == letter)
			return &p->cmd->opts[i];
	/* After the command "-e" is the command's or nobody's. */
	if (p->cmd != NULL && letter == 'e')
		return NULL;
	for (i = 0; i < cmd_globals_n; i++)
		if (cmd_globals[i].letter == letter)
			return &cmd_globals[i];
	return NULL;
}

static bool
takes_value(const struct cmd_opt *o)
{
	return o->type != CMD_FLAG && o->type != CMD_COUNT;
}

const struct cmd_opt *
cmd_find_opt(const struct cmd *c, const char *arg, const char **ret_value,
    bool *ret_next)
{
	struct parser p = { .cmd = c };
	const struct cmd_opt *o = NULL;
	const char *eq = strchr(arg, '=');

	*ret_value = NULL;
	*ret_next = false;
	if (strncmp(arg, "--", 2) == 0) {
		o = find_long(&p, arg + 2,
		    eq != NULL ? (size_t)(eq - arg - 2) : strlen(arg + 2));
		*ret_value = eq != NULL ? eq + 1 : NULL;
		*ret_next = o != NULL && takes_value(o) && eq == NULL;
		return o;
	}
	for (const char *s = arg + 1; arg[0] == '-' && *s != '\0'; s++) {
		o = find_letter(&p, *s);
		if (o == NULL)
			return NULL;
		if (!takes_value(o))
			continue;
		*ret_value = s[1] != '\0' ? s + 1 : NULL;
		*ret_next = s[1] == '\0';
		return o;
	}
	return o;
}

static int
list_add(struct parser *p, struct cmd_strs *l, const char *s)
{
	const char **items;

	if (l->n >= LIST_MAX)
		return fault(p, NULL, "more than %d values", LIST_MAX);
	items = arena_calloc(p->arena, l->n + 1, sizeof(*items));
	if (items == NULL)
		return fault(p, NULL, "the arguments are too long");
	if (l->n > 0)
		memcpy(items, l->items, l->n * sizeof(*items));
	items[l->n] = s;
	l->items = items;
	l->n++;
	return 0;
}

static int
check_choice(struct parser *p, const struct cmd_opt *o, const char *value)
{
	AUTO_STRBUF struct strbuf b;
	const char *hint;
	size_t n;

	strbuf_init(&b, 1024);
	for (n = 0; o->choices != NULL && o->choices[n] != NULL; n++)
		if (strcmp(o->choices[n], value) == 0)
			return 0;
	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		strbuf_adds(&b, i == 0 ? "" : ", ");
		strbuf_adds(&b, o->choices[i]);
	}
	hint = diag_suggest(p->arena, value, o->choices, n);
	return fault(p, hint, "--%s %s: is not one of: %s", o->name,
	    diag_quote(p->arena, value, strlen(value)), b.buf);
}

static int
put_number(
    struct parser *p, const struct cmd_opt *o, const char *v, void *field)
{
	struct error e = ERROR_INIT;
	int64_t n;
	int rc;

	rc = o->type == CMD_DURATION ? num_duration_ms(v, &n, &e)
				     : num_i64(v, INT64_MIN, INT64_MAX, &n, &e);
	if (rc < 0)
		return fault(p, NULL, "--%s %s: not a %s", o->name,
		    diag_quote(p->arena, v, strlen(v)),
		    o->type == CMD_DURATION ? "duration such as 90s, 5m, 1h30m"
					    : "whole number");
	memcpy(field, &n, sizeof(n));
	return 0;
}

/* value is "" for flags. */
static int
put(struct parser *p, const struct cmd_opt *o, const char *value)
{
	char *field = (char *)p->args + o->offset;

	for (size_t i = 0; p->cmd != NULL && i < p->cmd->opts_n; i++)
		if (o == &p->cmd->opts[i])
			p->given |= UINT64_C(1) << i;
	if (check_choice(p, o, value) < 0)
		return -1;
	switch (o->type) {
	case CMD_FLAG:
		*(bool *)(void *)field = true;
		return 0;
	case CMD_COUNT:
		(*(int64_t *)(void *)field)++;
		return 0;
	case CMD_STR:
		memcpy(field, &value, sizeof(value));
		return 0;
	case CMD_LIST:
		return list_add(p, (struct cmd_strs *)(void *)field, value);
	case CMD_INT:
	case CMD_DURATION:
		return put_number(p, o, value, field);
	}
	return 0;
}

static int
unknown_option(struct parser *p, const char *arg)
{
	const char *names[96];
	size_t n = 0, i, len = strcspn(arg, "=");
	const char *name = arena_strndup(p->arena, arg, len);

	for (i = 0; p->cmd != NULL && i < p->cmd->opts_n; i++)
		names[n++] =
		    arena_printf(p->arena, "--%s", p->cmd->opts[i].name);
	for (i = 0; i < cmd_globals_n; i++)
		names[n++] =
		    arena_printf(p->arena, "--%s", cmd_globals[i].name);
	if (p->cmd != NULL && strcmp(arg, "-e") == 0)
		return fault(p,
		    "'-e' stands before the command; --env-file may stand "
		    "anywhere",
		    "unknown option '-e'");
	if (p->arena->latch != OVE_NONE)
		return fault(p, NULL, "the arguments are too long");
	return fault(p,
	    arg[1] == '-' ? diag_suggest(p->arena, name, names, n) : NULL,
	    "unknown option %s", diag_quote(p->arena, name, len));
}

static int
parse_long(struct parser *p, const char *arg)
{
	const char *name = arg + 2, *value = strchr(name, '=');
	size_t len = value != NULL ? (size_t)(value - name) : strlen(name);
	const struct cmd_opt *o = find_long(p, name, len);

	if (o == NULL)
		return unknown_option(p, arg);
	if (!takes_value(o)) {
		if (value != NULL)
			return fault(
			    p, NULL, "option '--%s' takes no value", o->name);
		return put(p, o, "");
	}
	if (value != NULL)
		return put(p, o, value + 1);
	if (p->at + 1 >= p->argc)
		return fault(
		    p, NULL, "option '--%s' requires an argument", o->name);
	return put(p, o, p->argv[++p->at]);
}

static int
parse_short(struct parser *p, const char *arg)
{
	const struct cmd_opt *o;
	char one[3] = { '-', 0, 0 };

	for (const char *s = arg + 1; *s != '\0'; s++) {
		o = find_letter(p, *s);
		one[1] = *s;
		if (o == NULL)
			return unknown_option(p, one);
		if (!takes_value(o)) {
			if (put(p, o, "") < 0)
				return -1;
			continue;
		}
		if (s[1] != '\0')
			return put(p, o, s + 1);
		if (p->at + 1 >= p->argc)
			return fault(
			    p, NULL, "option '%s' requires an argument", one);
		return put(p, o, p->argv[++p->at]);
	}
	return 0;
}

static int
parse_word(struct parser *p, const char *arg, const struct cmd **ret_cmd)
{
	if (p->cmd != NULL) {
		if (p->args->words.n >= p->cmd->words_max)
			return fault(p, NULL, "unexpected extra argument %s",
			    diag_quote(p->arena, arg, strlen(arg)));
		return list_add(p, &p->args->words, arg);
	}
	p->cmd = cmd_find(arg);
	*ret_cmd = p->cmd;
	if (p->cmd != NULL)
		return 0;
	return fault(p, cmd_suggest(p->arena, arg), "unknown command %s",
	    diag_quote(p->arena, arg, strlen(arg)));
}

static void
set_defaults(struct cmd_args *a)
{
	memset(a, 0, sizeof(*a));
	a->parallel = 16;
	a->timeout_ms = INT64_C(30) * 60 * 1000;
	a->limit = 50;
	a->interval_ms = 2000;
}

static int
check_complete(struct parser *p)
{
	const struct cmd *c = p->cmd;

	if (p->args->parallel < 1 || p->args->parallel > 1024)
		return fault(p, NULL, "--parallel: must be 1 to 1024");
	if (c == NULL || p->args->help || p->args->version)
		return 0;
	for (size_t i = 0; i < c->opts_n; i++)
		if (c->opts[i].required && (p->given & (UINT64_C(1) << i)) == 0)
			return fault(p, NULL, "missing option %s",
			    opt_text(p, &c->opts[i]));
	if (p->args->words.n < c->words_min)
		return fault(p, NULL, "missing argument '%s'", c->words);
	return 0;
}

int
cmd_parse(int argc, char **argv, struct arena *a, struct cmd_args *ret,
    const struct cmd **ret_cmd, struct cmd_fault *f)
{
	struct parser p = { .argv = argv,
		.argc = (size_t)argc,
		.arena = a,
		.args = ret,
		.fault = f };
	bool options = true;
	int rc = 0;

	set_defaults(ret);
	memset(f, 0, sizeof(*f));
	*ret_cmd = NULL;
	for (p.at = 1; p.at < p.argc && rc == 0; p.at++) {
		const char *arg = argv[p.at];

		if (options && strcmp(arg, "--") == 0)
			options = false;
		else if (options && strncmp(arg, "--", 2) == 0)
			rc = parse_long(&p, arg);
		else if (options && arg[0] == '-' && arg[1] != '\0')
			rc = parse_short(&p, arg);
		else
			rc = parse_word(&p, arg, ret_cmd);
		if (p.cmd != NULL && (p.cmd->flags & CMD_RAW) != 0)
			options = false;
	}
	return rc == 0 ? check_complete(&p) : rc;
}
