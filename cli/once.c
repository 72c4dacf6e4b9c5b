/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One request: the loop runs until its answer is there. A log that does not
 * exist is a missing input (66), as a missing file is.
 */
#include "cli/once.h"

#include "cli/targets.h"
#include "lib/event/loop.h"

struct waiter {
	struct session *session;
	struct once *ret;
};

static void
on_answer(const struct client_reply *r, void *ctx)
{
	struct waiter *w = ctx;
	struct arena *a = &w->session->arena;

	w->ret->class = r->class;
	w->ret->status = r->status;
	w->ret->body = r->body != NULL ? node_copy(a, r->body) : NULL;
	w->ret->text = arena_strdup(a, r->text);
	loop_stop(w->session->loop);
}

enum exitcode
once_run(struct session *s, const struct tree_entry *entry,
    struct client_call *call, struct once *ret)
{
	struct waiter w = { .session = s, .ret = ret };
	struct error e = ERROR_INIT;
	enum exitcode rc = session_start(s);

	if (rc != EXIT_CODE_OK)
		return rc;
	call->server = entry->server;
	call->chain = entry->chain;
	if (client_call(s->client, call, on_answer, &w, &e) < 0 ||
	    loop_run(s->loop, &e) < 0 || arena_check(&s->arena, &e) < 0)
		return session_fail(s, &e);
	return EXIT_CODE_OK;
}

enum exitcode
once_fail(struct session *s, const struct tree_entry *entry,
    const struct once *o, const char *what)
{
	out_fail(&s->out, targets_hint(s, entry->server, o->class),
	    "%s) %s: %s",
	    servers_context(&s->arena, entry->server, entry->chain), what,
	    o->text);
	if (o->class == CLIENT_NOTFOUND)
		return EXIT_CODE_NOINPUT;
	return targets_exit(o->class);
}
