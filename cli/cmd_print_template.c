/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* overlord print-template: what an appConfig's template gives (cli.md 2.7). */

#include "cli/app.h"
#include "cli/commands.h"
#include "lib/data/yaml_write.h"

#define TEXT_MAX ((size_t)256 * 1024 * 1024)

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE,
	CMD_OPT_MAKO_DIRECTORIES,
	CMD_OPT_DATACENTER,
	CMD_OPT_CHAIN,
};

static enum exitcode
print(struct session *s, struct node *doc)
{
	AUTO_STRBUF struct strbuf b;
	struct error e = ERROR_INIT;

	strbuf_init(&b, TEXT_MAX);
	if (node_sort(doc, &e) < 0)
		return session_fail(s, &e);
	yaml_write(&b, doc, YAML_LITERAL);
	strbuf_addc(&b, '\n');
	if (strbuf_check(&b, &e) < 0)
		return session_fail(s, &e);
	out_add(&s->out, b.buf, b.len);
	return EXIT_CODE_OK;
}

static enum exitcode
find(struct session *s, struct app_found *ret)
{
	struct tree_entry *entries = NULL;
	enum exitcode rc;
	size_t n = 0;

	if (s->spec->kind != SPEC_APPCONFIG) {
		out_fail(&s->out, NULL,
		    "(kind:%s) Only appConfig deployments are accepted",
		    spec_kind_to_string(s->spec->kind));
		return EXIT_CODE_CONFIG;
	}
	rc = servers_of_spec(s, SERVERS_MERGE, &entries, &n);
	if (rc == EXIT_CODE_OK)
		rc = session_start(s);
	return rc == EXIT_CODE_OK ? app_find(s, entries, n, 0, ret) : rc;
}

static enum exitcode
run(struct session *s)
{
	struct app_found found;
	enum exitcode rc = session_load_spec(s, s->args.file);

	if (rc == EXIT_CODE_OK)
		rc = find(s, &found);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (found.doc != NULL)
		return print(s, found.doc);
	if (found.failure != EXIT_CODE_OK)
		return found.failure;
	out_warn_hint(&s->out, TARGETS_NONE_HINT, "nothing matched");
	return EXIT_CODE_NOMATCH;
}

static const char *const examples[] = {
	"overlord print-template -f app.yml",
	"overlord print-template -f app.yml --mako-directories templates",
	NULL,
};

static const char *const exits[] = {
	"65  the file is faulty, or the template did not render",
	"66  the file or a data center cannot be found",
	"68  no server matched",
	"69  the template could not be fetched: no server could be reached",
	"76  the template could not be fetched: a server refused",
	"77  a server does not accept the token",
	"78  the file is not of kind appConfig",
	NULL,
};

const struct cmd cmd_print_template = {
	.name = "print-template",
	.group = CMD_TOOLS,
	.summary = "Print what a template renders to",
	.about =
	    "Asks the servers of a file of kind appConfig for its template, "
	    "as apply does, renders the first that can be rendered, and "
	    "prints the deployment file that comes of it. Access tokens are "
	    "printed in clear.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.examples = examples,
	.exits = exits,
	.run = run,
};
