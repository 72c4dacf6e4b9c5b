/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One server is asked at a time, in the order of discovery: the next one only
 * when those before it have no template that renders.  Labels are asked for in
 * parallel, as always.
 */
#include "cli/app.h"

#include <string.h>

#include "lib/data/tmpl_dirs.h"
#include "proto/app.h"

struct search {
	struct session *session;
	struct targets targets;
	struct tmpl_dirs dirs;
	/* Is being asked. */
	struct target *asked;
	/* A template was there, and did not render. */
	bool is_faulty;
	struct app_found *found;
};

static const char *
template_name(struct session *s)
{
	return s->spec->app.from;
}

static void
fail(struct target *t, enum client_class class, const char *what,
    const char *text)
{
	struct search *x = t->all->rule.ctx;

	out_warn_hint(&t->lane, targets_hint(x->session, t->server, class),
	    "%s, metadata:%s) %s: %s", t->context, template_name(x->session),
	    what, text);
	x->asked = NULL;
	target_failed(t, class);
	target_done(t);
}

static void
render(struct target *t, const char *text)
{
	struct search *x = t->all->rule.ctx;
	struct session *s = x->session;
	struct app_template in = { .text = text,
		.open = tmpl_dirs_open,
		.open_ctx = &x->dirs,
		.env = session_getenv };
	const char *why;
	struct diag d;

	diag_init(&d, &s->arena, template_name(s));
	if (app_render(s->spec, &in, &s->arena, &d, &x->found->doc, &why) < 0) {
		x->found->doc = NULL;
		x->is_faulty = true;
		fail(t, CLIENT_GARBLED, "error parsing the template", why);
		return;
	}
	if (d.warnings > 0)
		out_diag(&t->lane, &d, NULL);
	x->found->context = arena_printf(
	    &s->arena, "%s, appFrom:%s", t->context, template_name(s));
	target_done(t);
}

static void
on_template(const struct client_reply *r, void *ctx)
{
	static const char what[] =
	    "error obtaining the template from the metadata";
	struct target *t = ctx;
	const char *text;

	if (t->all->stopped)
		return;
	if (r->class != CLIENT_OK) {
		fail(t, r->class, what, r->text);
		return;
	}
	text = client_get_entry(r->body);
	if (text == NULL)
		fail(t, CLIENT_GARBLED, what,
		    "the reply is not understood: it has no text");
	else
		render(t, text);
}

static void
ask(struct target *t)
{
	struct search *x = t->all->rule.ctx;
	const char *name = template_name(x->session);
	struct client_call call = { .server = t->server,
		.chain = t->chain,
		.route = ROUTE_METADATA_GET,
		.params = &name,
		.params_n = 1 };
	struct error e = ERROR_INIT;

	x->asked = t;
	if (client_call(x->session->client, &call, on_template, t, &e) < 0)
		fail(t, CLIENT_UNAVAILABLE,
		    "error obtaining the template from the metadata",
		    error_text(&e));
}

/* Asks the first that is not done, when it is known to match. */
static void
go_on(struct targets *all)
{
	struct search *x = all->rule.ctx;

	if (x->found->doc != NULL || x->asked != NULL || all->stopped)
		return;
	for (size_t i = 0; i < all->n; i++) {
		if (all->items[i].done)
			continue;
		if (all->items[i].matched)
			ask(&all->items[i]);
		return;
	}
}

static void
start(struct target *t)
{
	go_on(t->all);
}

/* Those before the one with the template have been shown. */
static bool
show(struct target *t)
{
	struct search *x = t->all->rule.ctx;

	return x->found->doc == NULL;
}

/* Nobody had it. */
static void
judge(struct search *x)
{
	const struct targets *t = &x->targets;

	if (t->unreachable != EXIT_CODE_OK)
		x->found->failure = t->unreachable;
	else if (x->is_faulty)
		x->found->failure = EXIT_CODE_DATAERR;
	else
		x->found->failure = t->failure;
}

static enum exitcode
open_dirs(struct session *s, struct tmpl_dirs *dirs)
{
	static const char *const here[] = { "." };
	const struct cmd_strs *given = &s->args.mako_directories;
	const char *const *paths = given->n > 0 ? given->items : here;
	size_t n = given->n > 0 ? given->n : ARRAY_LEN(here);
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < n; i++)
		if (tmpl_dirs_add(dirs, paths[i], &e) < 0)
			return session_usage(
			    s, NULL, "--mako-directories: %s", error_text(&e));
	return EXIT_CODE_OK;
}

enum exitcode
app_find(struct session *s, const struct tree_entry *entries, size_t n,
    int flags, struct app_found *ret)
{
	struct search x = { .session = s, .found = ret };
	struct targets_rule rule = { .flags = flags,
		.labels = s->spec->labels,
		.exclude = s->spec->exclude,
		.start = start,
		.settled = go_on,
		.show = show,
		.ctx = &x };
	enum exitcode rc;

	memset(ret, 0, sizeof(*ret));
	tmpl_dirs_init(&x.dirs);
	rc = open_dirs(s, &x.dirs);
	if (rc == EXIT_CODE_OK)
		rc = targets_run(s, entries, n, &rule, &x.targets);
	tmpl_dirs_fini(&x.dirs);
	ret->matched = x.targets.matched;
	if (rc == EXIT_CODE_OK && ret->doc == NULL)
		judge(&x);
	return rc;
}

static enum exitcode
check_kind(struct session *s, const struct app_found *found)
{
	const char *kind = "";

	switch (app_kind(found->doc, &s->arena, &kind)) {
	case APP_KIND_OK:
		return EXIT_CODE_OK;
	case APP_KIND_MISSING:
		out_fail(&s->out, NULL,
		    "%s) 'kind' is required but hasn't been specified",
		    found->context);
		break;
	case APP_KIND_OTHER:
		out_fail(&s->out, NULL,
		    "%s, kind:%s): appConfig deployment only accepts the "
		    "following deployments: directorProject and vmJail",
		    found->context, kind);
		break;
	}
	return EXIT_CODE_DATAERR;
}

static enum exitcode
take(struct session *s, const struct app_found *found)
{
	struct error e = ERROR_INIT;
	const char *name = template_name(s);
	struct spec *spec = NULL;
	struct diag d;
	int rc;

	diag_init(&d, &s->arena, name);
	rc = app_spec(found->doc, &s->arena, &d, &spec, &e);
	if (d.errors > 0 || d.warnings > 0)
		out_diag(&s->out, &d, NULL);
	if (rc < 0 && d.errors == 0)
		return session_fail(s, &e);
	if (rc < 0)
		return EXIT_CODE_DATAERR;
	s->spec = spec;
	s->spec_name = name;
	s->spec_text = NULL;
	return EXIT_CODE_OK;
}

static enum exitcode
none(struct session *s, const struct app_found *found)
{
	if (found->failure != EXIT_CODE_OK && found->matched > 0 &&
	    s->args.best_effort)
		return EXIT_CODE_OK;
	if (found->failure != EXIT_CODE_OK)
		return found->failure;
	out_warn_hint(&s->out, TARGETS_NONE_HINT, "nothing matched");
	return s->args.strict || s->args.wait ? EXIT_CODE_NOMATCH
					      : EXIT_CODE_OK;
}

enum exitcode
app_resolve(struct session *s, enum plan_action action,
    const struct tree_entry *entries, size_t n, bool *ret_over)
{
	int flags = action != PLAN_APPLY ? TARGETS_FILTER_CHAIN : 0;
	struct app_found found;
	enum exitcode rc = app_find(s, entries, n, flags, &found);

	if (rc != EXIT_CODE_OK)
		return rc;
	*ret_over = found.doc == NULL;
	if (*ret_over)
		return none(s, &found);
	/* cancel has its own words for what it cannot do. */
	if (action != PLAN_CANCEL)
		rc = check_kind(s, &found);
	return rc == EXIT_CODE_OK ? take(s, &found) : rc;
}
