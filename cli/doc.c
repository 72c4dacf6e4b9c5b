/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See doc.h.  That a document has become too large, or that memory ran out
 * while it was built in the session's arena, is found when it is printed.
 */
#include "cli/doc.h"

#include <string.h>

#include "lib/data/json.h"
#include "lib/data/yaml_write.h"

#define TEXT_MAX ((size_t)512 * 1024 * 1024)

bool
doc_output_is(const struct session *s, const char *word)
{
	return s->args.output != NULL && strcmp(s->args.output, word) == 0;
}

bool
doc_is_wanted(const struct session *s)
{
	return doc_output_is(s, "json") || doc_output_is(s, "yaml");
}

void
doc_set_str(struct arena *a, struct node *n, const char *key, const char *text)
{
	node_set(a, n, key, text != NULL ? node_str(a, text) : node_null(a));
}

void
doc_set_place(struct arena *a, struct node *n,
    const struct client_server *server, const char *chain)
{
	doc_set_str(a, n, "datacenter", server->name);
	doc_set_str(a, n, "url", server->url);
	doc_set_str(a, n, "chain", chain);
}

struct node *
doc_new(struct arena *a, const char *schema)
{
	struct node *n = node_new(a, NODE_MAP);

	doc_set_str(a, n, "schema", schema);
	return n;
}

enum exitcode
doc_print(struct session *s, const struct node *doc)
{
	AUTO_STRBUF struct strbuf b;
	struct error e = ERROR_INIT;

	strbuf_init(&b, TEXT_MAX);
	if (arena_check(&s->arena, &e) < 0)
		return session_fail(s, &e);
	if (doc_output_is(s, "yaml")) {
		yaml_write(&b, doc, YAML_LITERAL);
	} else {
		json_write(&b, doc, JSON_INDENT2);
		strbuf_addc(&b, '\n');
	}
	if (strbuf_check(&b, &e) < 0)
		return session_fail(s, &e);
	out_add(&s->out, b.buf, b.len);
	return EXIT_CODE_OK;
}
