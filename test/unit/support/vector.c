/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What test_vectors.py and test_yaml.py drive: reads one text from standard
 * input as YAML (with !ENV from the process environment) or as .env file, and
 * prints what it read as JSON with the type of each value, in the vectors' own
 * form; or writes the YAML again, keys sorted, with or without literal blocks.
 *
 *	vector yaml|dotenv|rewrite|literal [FILE]
 *
 * Ends 0 and prints the value, or ends 65 and prints the faults to standard
 * error, with FILE (default "-") as their file.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/exitcode.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/strbuf.h"
#include "lib/data/diag.h"
#include "lib/data/dotenv.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "lib/data/yaml_write.h"

#define TEXT_MAX ((size_t)128 << 20)

static const char *
env(const char *name, void *ctx)
{
	(void)ctx;
	return getenv(name);
}

static void add(struct strbuf *out, const struct node *n);

static void
add_scalar(struct strbuf *out, const struct node *n)
{
	char buf[NODE_FLOAT_LEN];
	const char *text;
	size_t i;

	if (n->type == NODE_NULL)
		return;
	strbuf_adds(out, ", ");
	if (n->type == NODE_STR) {
		json_write_str(out, n->u.str.s, n->u.str.len);
	} else if (n->type == NODE_BYTES) {
		strbuf_addc(out, '"');
		for (i = 0; i < n->u.str.len; i++)
			strbuf_addf(out, "%02x", (unsigned char)n->u.str.s[i]);
		strbuf_addc(out, '"');
	} else {
		text = node_scalar_text(n, buf);
		json_write_str(out, text, strlen(text));
	}
}

static void
add_map(struct strbuf *out, const struct node *n)
{
	size_t i;

	strbuf_adds(out, ", [");
	for (i = 0; i < n->u.map.n; i++) {
		strbuf_adds(out, i > 0 ? ", [" : "[");
		add(out, n->u.map.pairs[i].key);
		strbuf_adds(out, ", ");
		add(out, n->u.map.pairs[i].value);
		strbuf_addc(out, ']');
	}
	strbuf_addc(out, ']');
}

static void
add(struct strbuf *out, const struct node *n)
{
	const char *type;
	size_t i;

	type = n->type == NODE_NULL ? "null" : node_type_python(n);
	strbuf_addf(out, "[\"%s\"", type);
	switch (n->type) {
	case NODE_LIST:
		strbuf_adds(out, ", [");
		for (i = 0; i < n->u.list.n; i++) {
			if (i > 0)
				strbuf_adds(out, ", ");
			add(out, n->u.list.items[i]);
		}
		strbuf_addc(out, ']');
		break;
	case NODE_MAP:
	case NODE_SET:
		add_map(out, n);
		break;
	case NODE_NULL:
	case NODE_BOOL:
	case NODE_INT:
	case NODE_FLOAT:
	case NODE_STR:
	case NODE_TIME:
	case NODE_BYTES:
		add_scalar(out, n);
		break;
	}
	strbuf_addc(out, ']');
}

static int
read_node(const char *text, size_t len, struct arena *a, struct diag *d,
    struct node **ret, struct error *e)
{
	static const struct yaml_options o = { .env = env,
		.env_hint = "set it" };
	static struct node null = { .type = NODE_NULL };

	if (yaml_read(text, len, &o, a, ret, d, e) == -1)
		return -1;
	if (*ret == NULL)
		*ret = &null;
	return 0;
}

static int
read_yaml(const char *text, size_t len, struct arena *a, struct diag *d,
    struct strbuf *out, struct error *e)
{
	struct node *n;

	if (read_node(text, len, a, d, &n, e) == -1)
		return -1;
	add(out, n);
	strbuf_addc(out, '\n');
	return 0;
}

static int
rewrite(const char *text, size_t len, struct arena *a, struct diag *d,
    struct strbuf *out, struct error *e)
{
	struct node *n;

	if (read_node(text, len, a, d, &n, e) == -1 || node_sort(n, e) == -1)
		return -1;
	yaml_write(out, n, 0);
	return 0;
}

static int
rewrite_literal(const char *text, size_t len, struct arena *a, struct diag *d,
    struct strbuf *out, struct error *e)
{
	struct node *n;

	if (read_node(text, len, a, d, &n, e) == -1 || node_sort(n, e) == -1)
		return -1;
	yaml_write(out, n, YAML_LITERAL);
	return 0;
}

static int
read_dotenv(const char *text, size_t len, struct arena *a, struct diag *d,
    struct strbuf *out, struct error *e)
{
	struct dotenv_var *vars;
	size_t i, n;

	if (dotenv_read(text, len, env, NULL, a, &vars, &n, d, e) == -1)
		return -1;
	strbuf_addc(out, '{');
	for (i = 0; i < n; i++) {
		if (i > 0)
			strbuf_adds(out, ", ");
		json_write_str(out, vars[i].name, strlen(vars[i].name));
		strbuf_adds(out, ": ");
		json_write_str(out, vars[i].value, strlen(vars[i].value));
	}
	strbuf_adds(out, "}\n");
	return 0;
}

static const struct {
	const char *name;
	int (*run)(const char *text, size_t len, struct arena *a,
	    struct diag *d, struct strbuf *out, struct error *e);
} kinds[] = {
	{ "yaml", read_yaml },
	{ "dotenv", read_dotenv },
	{ "rewrite", rewrite },
	{ "literal", rewrite_literal },
};

int
main(int argc, char **argv)
{
	AUTO_FREE char *text = NULL;
	struct error e = ERROR_INIT;
	struct strbuf AUTO_STRBUF out;
	struct arena AUTO_ARENA a;
	struct diag d;
	size_t i, len;
	int rc;

	strbuf_init(&out, TEXT_MAX);
	arena_init(&a, 4 * TEXT_MAX);
	diag_init(&d, &a, argc > 2 ? argv[2] : "-");
	for (i = 0; i < ARRAY_LEN(kinds); i++) {
		if (argc > 1 && strcmp(kinds[i].name, argv[1]) == 0)
			break;
	}
	if (i == ARRAY_LEN(kinds))
		return EXIT_CODE_USAGE;
	if (file_read_fd(0, TEXT_MAX, &text, &len, &e) == -1) {
		fprintf(stderr, "%s\n", e.text);
		return EXIT_CODE_IOERR;
	}
	rc = kinds[i].run(text, len, &a, &d, &out, &e);
	if (rc == 0)
		rc = strbuf_check(&out, &e);
	if (rc == 0)
		fputs(out.buf, stdout);
	strbuf_reset(&out);
	diag_print(&d, "vector", text, true, &out);
	fputs(out.buf, stderr);
	if (rc == 0)
		return 0;
	if (d.errors == 0)
		fprintf(stderr, "%s\n", e.text);
	return EXIT_CODE_DATAERR;
}
