/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* overlord print-spec: a checked deployment file (cli.md 4.4). */

#include "cli/commands.h"
#include "cli/session.h"
#include "lib/data/json.h"

#define TEXT_MAX ((size_t)256 * 1024 * 1024)

static const struct cmd_opt opts[] = { CMD_OPT_FILE };

static enum exitcode
run(struct session *s)
{
	AUTO_STRBUF struct strbuf b;
	struct error e = ERROR_INIT;
	struct node *n;
	enum exitcode rc;

	strbuf_init(&b, TEXT_MAX);
	rc = session_load_spec(s, s->args.file);
	if (rc != EXIT_CODE_OK)
		return rc;
	n = spec_to_node(s->spec, &s->arena);
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
	"overlord print-spec -f web.yml",
	NULL,
};

static const char *const exits[] = {
	"65  the file is faulty",
	"66  the file cannot be read",
	NULL,
};

const struct cmd cmd_print_spec = {
	.name = "print-spec",
	.group = CMD_TOOLS,
	.summary = "Print a deployment file as it is understood",
	.about = "Prints the checked deployment file as JSON: defaults filled "
		 "in, variables resolved. It asks no server. Access tokens are "
		 "printed in clear.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.examples = examples,
	.exits = exits,
	.run = run,
};
