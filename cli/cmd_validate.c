/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord validate: checks files without asking anybody (cli.md 6.9). All
 * faults are told, in file order, with warnings for what is legal but surely
 * wrong; --strict makes those count. Several files are all checked; the exit
 * code is that of the first bad one.
 */
#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/doc.h"
#include "cli/session.h"

#define TEXT_MAX ((size_t)64 * 1024 * 1024)

static const char *const outputs[] = { "text", "json", "yaml", NULL };

static const struct cmd_opt opts[] = {
	{ "file", "FILE", CMD_LIST, 'f', false, CMD_AT(files), NULL, NULL,
	    "File to check, '-' is standard input; repeatable." },
	{ "config", NULL, CMD_FLAG, 0, false, CMD_AT(config), NULL, NULL,
	    "The files are configurations (overlord.yml); without a file, the "
	    "one that holds." },
	{ "output", "FORMAT", CMD_STR, 'o', false, CMD_AT(output), outputs,
	    "text", "How to print." },
};

struct check {
	struct session *s;
	/* NULL: print text. */
	struct node *files;
	enum exitcode first_bad;
};

/* The text at a node's place begins with an !ENV tag. */
static bool
is_from_env(const char *text, const struct node *n)
{
	unsigned line = 1;

	while (line < n->line && (text = strchr(text, '\n')) != NULL) {
		text++;
		line++;
	}
	if (text == NULL)
		return true;
	for (unsigned col = 1; col < n->col && *text != '\0'; text++)
		col += ((unsigned char)*text & 0xc0) != 0x80;
	while (*text == ' ')
		text++;
	return strncmp(text, "!ENV", 4) == 0;
}

static void
lint_tokens(struct session *s, const char *file, struct diag *d)
{
	const struct node *map = node_get(s->spec->root, "datacenters");
	struct stat st;

	if (strcmp(file, "-") == 0 || stat(file, &st) < 0 ||
	    (st.st_mode & S_IROTH) == 0)
		return;
	for (size_t i = 0; map != NULL && i < map->u.map.n; i++) {
		const struct node_pair *p = &map->u.map.pairs[i];
		const struct node *n = node_get(p->value, "access_token");
		const char *token = node_text(n), *key = node_text(p->key);

		if (token == NULL || token[0] == '\0' || key == NULL ||
		    is_from_env(s->spec_text, n))
			continue;
		diag_warn(d, (struct diag_pos){ n->line, n->col }, "token",
		    arena_printf(&s->arena, "datacenters.%s.access_token", key),
		    arena_printf(&s->arena, "chmod o-r %s", file),
		    "a token in clear in a file that others may read");
	}
}

static struct node *
finding(struct arena *a, const struct diag_item *i)
{
	struct node *n = node_new(a, NODE_MAP);

	node_set(
	    a, n, "severity", node_str(a, i->warning ? "warning" : "error"));
	node_set(a, n, "line", node_int(a, i->line));
	node_set(a, n, "column", node_int(a, i->col));
	node_set(a, n, "path", node_str(a, i->path));
	node_set(a, n, "rule", node_str(a, i->rule));
	node_set(a, n, "reason", node_str(a, i->reason));
	doc_set_str(a, n, "hint", i->hint);
	return n;
}

static void
add_file(struct check *c, const char *name, bool valid, const char *kind,
    const struct diag *d)
{
	struct arena *a = &c->s->arena;
	struct node *n = node_new(a, NODE_MAP), *list = node_new(a, NODE_LIST);

	for (size_t i = 0; i < d->n; i++)
		node_add(a, list, finding(a, &d->items[i]));
	node_set(a, n, "file", node_str(a, name));
	node_set(a, n, "valid", node_bool(a, valid));
	doc_set_str(a, n, "kind", kind);
	node_set(a, n, "errors", node_int(a, (int64_t)d->errors));
	node_set(a, n, "warnings", node_int(a, (int64_t)d->warnings));
	node_set(a, n, "findings", list);
	node_add(a, c->files, n);
}

static void
say_valid(struct session *s, const char *name, const struct spec *spec)
{
	const char *what;

	if (s->args.quiet)
		return;
	if (spec == NULL) {
		out_addf(&s->out, "%s: valid (configuration)\n", name);
		return;
	}
	what = spec_project_name(spec);
	out_addf(&s->out, "%s: valid (%s%s%s, %zu datacenter%s)\n", name,
	    spec->kind_text, what != NULL ? " " : "", what != NULL ? what : "",
	    spec->datacenters.n, spec->datacenters.n == 1 ? "" : "s");
}

static enum exitcode
check_config(struct session *s, const char *file, struct diag *d)
{
	struct error e = ERROR_INIT;
	struct config *config;
	const char *text;
	enum exitcode rc;
	size_t len;

	rc = session_read_file(s, file, &s->spec_name, &text, &len);
	if (rc != EXIT_CODE_OK)
		return rc;
	s->spec_text = text;
	diag_init(d, &s->arena, s->spec_name);
	if (config_parse(text, len, session_getenv, NULL, &s->arena, d, &config,
		&e) == 0)
		return EXIT_CODE_OK;
	if (d->errors == 0)
		out_fail(&s->out, NULL, "%s: %s", s->spec_name, error_text(&e));
	return EXIT_CODE_DATAERR;
}

/* A faulty file without a kind that would do as a configuration, or has the
 * usual name of one. */
static void
hint_config(struct session *s, const char *file, struct diag *d)
{
	const char *base = strrchr(file, '/');
	struct config *config;
	struct diag scratch;
	bool is_config;

	if (s->spec_text == NULL || s->spec_text[0] == '\0')
		return;
	base = base != NULL ? base + 1 : file;
	diag_init(&scratch, &s->arena, file);
	is_config = strcmp(base, "overlord.yml") == 0 ||
	    strcmp(base, ".overlord.yml") == 0 ||
	    config_parse(s->spec_text, strlen(s->spec_text), session_getenv,
		NULL, &s->arena, &scratch, &config, NULL) == 0;
	for (size_t i = 0; is_config && i < d->n; i++)
		if (strcmp(d->items[i].reason, "'kind' is missing") == 0)
			d->items[i].hint = "a configuration? use --config";
}

static void
check_file(struct check *c, const char *file)
{
	struct session *s = c->s;
	struct diag d;
	enum exitcode rc;

	diag_init(&d, &s->arena, file);
	s->spec = NULL;
	rc = s->args.config ? check_config(s, file, &d)
			    : session_check_spec(s, file, &d);
	if (rc == EXIT_CODE_OK && s->spec != NULL) {
		spec_lint(s->spec, &s->arena, &d);
		lint_tokens(s, file, &d);
		if (d.errors > 0)
			rc = EXIT_CODE_DATAERR;
	}
	if (!s->args.config && rc == EXIT_CODE_DATAERR)
		hint_config(s, file, &d);
	if (rc == EXIT_CODE_OK && s->args.strict && d.warnings > 0)
		rc = EXIT_CODE_DATAERR;
	if (c->files != NULL)
		add_file(c, s->spec_name != NULL ? s->spec_name : file,
		    rc == EXIT_CODE_OK,
		    s->spec != NULL ? s->spec->kind_text : NULL, &d);
	else if (d.errors > 0 || d.warnings > 0)
		out_diag(&s->out, &d, s->spec_text);
	if (rc == EXIT_CODE_OK && c->files == NULL)
		say_valid(s, s->spec_name, s->spec);
	if (c->first_bad == EXIT_CODE_OK)
		c->first_bad = rc;
}

static enum exitcode
print_doc(struct check *c)
{
	struct node *n = doc_new(&c->s->arena, "overlord.validate/1");
	enum exitcode rc;

	node_set(&c->s->arena, n, "files", c->files);
	rc = doc_print(c->s, n);
	return rc != EXIT_CODE_OK ? rc : c->first_bad;
}

static enum exitcode
run(struct session *s)
{
	struct check c = { .s = s };
	const char *path;

	if (doc_is_wanted(s))
		c.files = node_new(&s->arena, NODE_LIST);
	for (size_t i = 0; i < s->args.files.n; i++)
		check_file(&c, s->args.files.items[i]);
	for (size_t i = 0; i < s->args.words.n; i++)
		check_file(&c, s->args.words.items[i]);
	if (s->args.files.n + s->args.words.n == 0) {
		if (!s->args.config)
			return session_usage(
			    s, NULL, "missing option '-f' / '--file'");
		path = session_config_path(s);
		if (path == NULL) {
			if (getenv("OVERLORD_CONFIG") != NULL)
				out_fail(&s->out, NULL,
				    "OVERLORD_CONFIG: '%s' is not a file",
				    getenv("OVERLORD_CONFIG"));
			else
				out_fail(&s->out, NULL,
				    "there is no configuration file");
			return EXIT_CODE_NOINPUT;
		}
		check_file(&c, path);
	}
	return c.files != NULL ? print_doc(&c) : c.first_bad;
}

static const char *const examples[] = {
	"overlord validate -f web.yml",
	"overlord validate --strict *.yml",
	"overlord validate --config -f /usr/local/etc/overlord.yml",
	NULL,
};

static const char *const exits[] = {
	"65  a file is faulty",
	"66  a file cannot be read",
	NULL,
};

const struct cmd cmd_validate = {
	.name = "validate",
	.group = CMD_TOOLS,
	.summary = "Check deployment files or the configuration",
	.about = "Checks files without asking any server and tells all faults "
		 "with line and column, and warns of what is legal but surely "
		 "wrong. With --strict, warnings count as faults.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.words = "[FILE...]",
	.words_max = 1000,
	.examples = examples,
	.exits = exits,
	.run = run,
};
