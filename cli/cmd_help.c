/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* overlord help [COMMAND] */

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/session.h"

static enum exitcode
run(struct session *s)
{
	AUTO_STRBUF struct strbuf b;
	const struct cmd *c = NULL;

	strbuf_init(&b, (size_t)1024 * 1024);
	if (s->args.words.n > 0) {
		const char *name = s->args.words.items[0];

		c = cmd_find(name);
		if (c == NULL)
			return session_usage(s, cmd_suggest(&s->arena, name),
			    "unknown command '%s'", name);
		help_command(c, &b);
	} else {
		help_program(&b);
	}
	out_add(&s->out, b.buf, b.len);
	return EXIT_CODE_OK;
}

const struct cmd cmd_help = {
	.name = "help",
	.group = CMD_TOOLS,
	.flags = CMD_BARE,
	.summary = "Show the commands, or the help of one",
	.words = "[COMMAND]",
	.words_max = 1,
	.run = run,
};
