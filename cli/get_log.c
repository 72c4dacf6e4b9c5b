/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A log by its path: one request, no discovery, no labels. A log that is not
 * there is a missing input, one without a text an empty log.
 */
#include "cli/get_log.h"

#include <string.h>

#include "cli/once.h"
#include "proto/names.h"

static enum exitcode
check_words(struct session *s, const struct get_log_word *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!name_is_segment(words[i].value, strlen(words[i].value)))
			return session_usage(s, NULL,
			    "%s '%s': must be a name without '/'",
			    words[i].option, words[i].value);
	return EXIT_CODE_OK;
}

static void
print(struct session *s, const struct once *o)
{
	const struct node *n = node_get(o->body, "log_content");

	if (n != NULL && n->type == NODE_STR)
		out_add(&s->out, n->u.str.s, n->u.str.len);
	out_add(&s->out, "\n", 1);
}

enum exitcode
get_log(struct session *s, enum route_id route,
    const struct get_log_word *words, size_t n)
{
	const char *values[GET_LOG_WORDS_MAX];
	struct client_call call = {
		.route = route, .params = values, .params_n = n
	};
	struct tree_entry entry;
	struct once o = { .text = "" };
	enum exitcode rc = check_words(s, words, n);

	for (size_t i = 0; i < n; i++)
		values[i] = words[i].value;
	if (rc == EXIT_CODE_OK)
		rc = session_load_spec(s, s->args.file);
	if (rc == EXIT_CODE_OK)
		rc = servers_entrypoint(s, s->args.words.items[0], &entry);
	if (rc == EXIT_CODE_OK)
		rc = once_run(s, &entry, &call, &o);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (o.class != CLIENT_OK)
		return once_fail(s, &entry, &o, "error obtaining the log");
	print(s, &o);
	return EXIT_CODE_OK;
}
