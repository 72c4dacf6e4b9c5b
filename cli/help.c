/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Help texts from the command table: the program's, a command's, and the short
 * one for a bare "overlord". 80 columns; every text is made from the rows, so
 * it cannot disagree with the parser.
 */
#include "cli/help.h"

#include <string.h>

/* The column where texts begin; the right margin. */
#define TEXT_COL 26
#define WIDTH 79

static const struct {
	enum cmd_group group;
	const char *title;
} groups[] = {
	{ CMD_DEPLOY, "Deploy" },
	{ CMD_LOOK, "Look" },
	{ CMD_JOBS, "Logs and jobs" },
	{ CMD_TOOLS, "Tools" },
};

/* Adds text broken at blanks, each line but the first indented. */
static void
add_wrapped(struct strbuf *out, const char *text, size_t col, size_t indent)
{
	bool first = true;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (!first && col + 1 + len > WIDTH) {
			strbuf_addf(out, "\n%*s", (int)indent, "");
			col = indent;
		} else if (!first) {
			strbuf_addc(out, ' ');
			col++;
		}
		strbuf_add(out, text, len);
		col += len;
		text += len;
		text += strspn(text, " ");
		first = false;
	}
	strbuf_addc(out, '\n');
}

static void
add_pair(struct strbuf *out, const char *left, const char *text)
{
	size_t len = strlen(left) + 2;

	strbuf_addf(out, "  %s", left);
	if (len + 2 > TEXT_COL) {
		strbuf_addc(out, '\n');
		len = 0;
	}
	strbuf_addf(out, "%*s", (int)(TEXT_COL - len), "");
	add_wrapped(out, text, TEXT_COL, TEXT_COL);
}

static void
add_option(struct strbuf *out, const struct cmd_opt *o)
{
	AUTO_STRBUF struct strbuf left, text;

	strbuf_init(&left, 256);
	strbuf_init(&text, 2048);
	if (o->letter != 0)
		strbuf_addf(&left, "-%c, --%s", o->letter, o->name);
	else
		strbuf_addf(&left, "    --%s", o->name);
	if (o->metavar != NULL)
		strbuf_addf(&left, " %s", o->metavar);
	strbuf_adds(&text, o->doc);
	if (o->choices != NULL && strchr(o->doc, ':') == NULL) {
		strbuf_adds(&text, " One of: ");
		for (size_t i = 0; o->choices[i] != NULL; i++)
			strbuf_addf(
			    &text, "%s%s", i == 0 ? "" : ", ", o->choices[i]);
		strbuf_addc(&text, '.');
	}
	if (o->def != NULL)
		strbuf_addf(&text, " Default: %s", o->def);
	add_pair(out, left.buf, text.buf);
}

static void
add_globals(struct strbuf *out)
{
	strbuf_adds(out, "\nGlobal options:\n");
	for (size_t i = 0; i < cmd_globals_n; i++)
		add_option(out, &cmd_globals[i]);
}

static void
add_commands(struct strbuf *out)
{
	for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
		strbuf_addf(out, "\n%s:\n", groups[g].title);
		for (size_t i = 0; i < cmd_table_n; i++)
			if (cmd_table[i]->group == groups[g].group)
				add_pair(out, cmd_table[i]->name,
				    cmd_table[i]->summary);
	}
}

void
help_program(struct strbuf *out)
{
	strbuf_adds(out,
	    "overlord deploys jails on a tree of machines.\n"
	    "\n"
	    "usage: overlord [-e FILE] [OPTIONS] COMMAND [ARGUMENTS]\n");
	add_commands(out);
	add_globals(out);
	strbuf_adds(out,
	    "\nExamples:\n"
	    "  overlord apply -f web.yml --wait\n"
	    "  overlord get-info -f web.yml -t projects\n"
	    "\n'overlord COMMAND --help' tells more about a command; manual: "
	    "overlord(1)\n");
}

void
help_short(struct strbuf *out)
{
	strbuf_adds(out,
	    "usage: overlord [-e FILE] [OPTIONS] COMMAND [ARGUMENTS]\n"
	    "  hint: 'overlord --help' lists the commands\n");
}

static void
add_usage(const struct cmd *c, struct strbuf *out)
{
	AUTO_STRBUF struct strbuf u;
	size_t indent = strlen("usage: overlord ") + strlen(c->name) + 1;

	/* No blank within an option, so that lines break between them: 0x1f
	 * stands for one. */
	strbuf_init(&u, 4096);
	for (size_t i = 0; i < c->opts_n; i++) {
		const struct cmd_opt *o = &c->opts[i];

		strbuf_addf(
		    &u, "%s%s", i == 0 ? "" : " ", o->required ? "" : "[");
		if (o->letter != 0)
			strbuf_addf(&u, "-%c", o->letter);
		else
			strbuf_addf(&u, "--%s", o->name);
		if (o->metavar != NULL)
			strbuf_addf(&u, "\x1f%s", o->metavar);
		strbuf_adds(&u, o->required ? "" : "]");
		strbuf_adds(&u, o->type == CMD_LIST ? "..." : "");
	}
	if (c->words != NULL && c->opts_n > 0)
		strbuf_addc(&u, ' ');
	for (const char *w = c->words; w != NULL && *w != '\0'; w++)
		strbuf_addc(&u, *w == ' ' ? '\x1f' : *w);
	strbuf_addf(out, "usage: overlord %s ", c->name);
	add_wrapped(out, u.buf, indent, indent);
	for (size_t i = 0; i < out->len; i++)
		if (out->buf[i] == '\x1f')
			out->buf[i] = ' ';
}

/* In the order of their numbers. */
static void
add_exits(const struct cmd *c, struct strbuf *out)
{
	bool told = false;

	strbuf_adds(out, "\nExit codes:\n  0   done\n");
	for (size_t i = 0; c->exits != NULL && c->exits[i] != NULL; i++) {
		if (!told && strncmp(c->exits[i], "64", 2) > 0 &&
		    c->exits[i][1] != ' ') {
			strbuf_adds(out, "  64  bad usage\n");
			told = true;
		}
		strbuf_addf(out, "  %s\n", c->exits[i]);
	}
	if (!told)
		strbuf_adds(out, "  64  bad usage\n");
}

void
help_command(const struct cmd *c, struct strbuf *out)
{
	add_usage(c, out);
	strbuf_addc(out, '\n');
	add_wrapped(out, c->about != NULL ? c->about : c->summary, 0, 0);
	if (c->opts_n > 0)
		strbuf_adds(out, "\nOptions:\n");
	for (size_t i = 0; i < c->opts_n; i++)
		add_option(out, &c->opts[i]);
	add_globals(out);
	if (c->examples != NULL)
		strbuf_adds(out, "\nExamples:\n");
	for (size_t i = 0; c->examples != NULL && c->examples[i] != NULL; i++)
		strbuf_addf(out, "  %s\n", c->examples[i]);
	add_exits(c, out);
	strbuf_adds(out, "\nManual: overlord(1)\n");
}
