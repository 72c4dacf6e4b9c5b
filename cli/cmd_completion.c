/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* overlord completion: the script that makes a shell complete overlord. */
#include <string.h>

#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/session.h"

static const char *const shells[] = { "bash", "zsh", "fish", NULL };
static const char *const scripts[] = { completion_bash, completion_zsh,
	completion_fish };

static enum exitcode
run(struct session *s)
{
	const char *shell = s->args.words.items[0];

	for (size_t i = 0; shells[i] != NULL; i++) {
		if (strcmp(shells[i], shell) != 0)
			continue;
		out_add(&s->out, scripts[i], strlen(scripts[i]));
		return EXIT_CODE_OK;
	}
	return session_usage_verb(s, shell);
}

static const char *const examples[] = {
	"overlord completion bash > ~/.local/share/bash-completion/completions"
	"/overlord",
	"overlord completion fish | source",
	NULL,
};

const struct cmd cmd_completion = {
	.name = "completion",
	.group = CMD_TOOLS,
	.flags = CMD_BARE,
	.summary = "Print a shell's completion script",
	.about = "Prints a script for bash, zsh or fish that completes "
		 "commands, options and values. It asks this program what "
		 "there is; for chains and projects the servers of the file "
		 "that was given are asked, for a moment.",
	.words = "bash|zsh|fish",
	.verbs = shells,
	.words_min = 1,
	.words_max = 1,
	.examples = examples,
	.run = run,
};
