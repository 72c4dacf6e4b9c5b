/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* overlord print-config: all settings, defaults filled in (cli.md 4.3). */

#include "cli/commands.h"
#include "cli/session.h"
#include "lib/data/json.h"

#define TEXT_MAX ((size_t)64 * 1024 * 1024)

static const struct cmd_opt opts[] = {
	{ "redact", NULL, CMD_FLAG, 0, false, CMD_AT(redact), NULL, NULL,
	    "Print stars instead of secrets." },
};

static enum exitcode
run(struct session *s)
{
	AUTO_STRBUF struct strbuf b;
	struct error e = ERROR_INIT;
	struct config *config = NULL;
	struct node *n;
	enum exitcode rc;

	strbuf_init(&b, TEXT_MAX);
	rc = session_load_config(s, &config);
	if (rc != EXIT_CODE_OK)
		return rc;
	n = config_to_node(
	    config, s->args.redact ? SCHEMA_REDACT : 0, &s->arena);
	if (arena_check(&s->arena, &e) < 0)
		return session_fail(s, &e);
	json_write(&b, n, JSON_INDENT4_ASCII);
	strbuf_addc(&b, '\n');
	if (strbuf_check(&b, &e) < 0)
		return session_fail(s, &e);
	out_add(&s->out, b.buf, b.len);
	return EXIT_CODE_OK;
}

static const char *const examples[] = {
	"overlord print-config",
	"OVERLORD_CONFIG=./overlord.yml overlord print-config --redact",
	NULL,
};

static const char *const exits[] = {
	"78  the configuration is faulty",
	NULL,
};

const struct cmd cmd_print_config = {
	.name = "print-config",
	.group = CMD_TOOLS,
	.summary = "Print the server's configuration with its defaults",
	.about = "Prints all settings as JSON, defaults filled in. The file is "
		 "$OVERLORD_CONFIG, else .overlord.yml, else the system's "
		 "overlord.yml. Secrets are printed in clear.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.examples = examples,
	.exits = exits,
	.run = run,
};
