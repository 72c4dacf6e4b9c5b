/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What Director and AppJail have written. A target is asked for its projects
 * and for the list of its logs, both at once; that list does not say whose a
 * log is, so the services, or the jails, of the projects choose. Every target
 * collects its texts; they are shown in order when all are there, since only
 * then is known whether there is more than one source to tell apart.
 *
 * Lines have no times, but each run of Director has a date, which is the name
 * of its logs, and most of AppJail's logs have one. They are of the server's
 * clock and zone; only their text is compared.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/logs.h"

/* "2025-04-22": as much of a date as AppJail's logs have. */
#define DAY_LEN 10

/* One log. */
struct text {
	struct text *next;
	const char *prefix;
	/* When it was begun, as far as its name tells. */
	const char *stamp;
	const char *text;
	size_t len;
};

/* One project on one target. */
struct reading {
	struct pile *pile;
	const char *name;
	/* Copies; NULL: it is not known here. */
	const char *newest;
	const struct node *services;
};

/* What a target has: ctx of it. */
struct pile {
	struct logs *logs;
	struct target *target;
	/* One for each name. */
	struct reading *readings;
	/* A copy. */
	const struct node *list;
	struct text *texts;
	struct text **end;
	size_t pending;
	/* The list and the projects are known. */
	bool chosen;
};

/* One request for one log. */
struct fetch {
	struct pile *pile;
	struct text *text;
};

static struct arena *
arena_of(const struct pile *p)
{
	return &p->logs->session->arena;
}

static const struct cmd_args *
args_of(const struct pile *p)
{
	return &p->logs->session->args;
}

static void
fail(struct pile *p, const char *what, const char *why)
{
	out_warn(&p->target->lane, "%s) error obtaining %s: %s",
	    p->target->context, what, why);
}

static void
ask(struct pile *p, const struct client_call *what, client_done_fn *fn,
    void *ctx)
{
	struct client_call call = *what;
	struct error e = ERROR_INIT;

	call.server = p->target->server;
	call.chain = p->target->chain;
	if (client_call(p->logs->session->client, &call, fn, ctx, &e) < 0)
		fail(p, "the logs", error_text(&e));
	else
		p->pending++;
}

/* Fetching */

static void choose(struct pile *p);

static void
done(struct pile *p)
{
	if (--p->pending > 0)
		return;
	if (!p->chosen) {
		p->chosen = true;
		/* Held until all that is wanted is asked for. */
		p->pending = 1;
		choose(p);
		done(p);
		return;
	}
	target_done(p->target);
}

static void
on_log(const struct client_reply *rp, void *ctx)
{
	struct fetch *f = ctx;
	const struct node *n = node_get(rp->body, "log_content");

	if (rp->class == CLIENT_OK && n != NULL && n->type == NODE_STR) {
		f->text->text =
		    arena_strndup(arena_of(f->pile), n->u.str.s, n->u.str.len);
		f->text->len = f->text->text != NULL ? n->u.str.len : 0;
	} else {
		fail(f->pile, "a log",
		    rp->class == CLIENT_OK ? "the reply is not understood"
					   : rp->text);
	}
	done(f->pile);
}

static void
fetch(struct pile *p, enum route_id route, const char *const *params, size_t n,
    const char *prefix, const char *stamp)
{
	struct arena *a = arena_of(p);
	struct text *t = arena_alloc(a, sizeof(*t));
	struct fetch *f = arena_alloc(a, sizeof(*f));
	struct client_call call = {
		.route = route, .params = params, .params_n = n
	};

	if (t == NULL || f == NULL || prefix == NULL)
		return;
	t->prefix = prefix;
	t->stamp = stamp;
	*p->end = t;
	p->end = &t->next;
	f->pile = p;
	f->text = t;
	ask(p, &call, on_log, f);
}

/* Choosing */

static int
by_key(const void *a, const void *b)
{
	const struct node_pair *const *x = a, *const *y = b;

	return strcmp(node_text((*x)->key), node_text((*y)->key));
}

/* Pairs of a map that have a text as key, by that. */
static const struct node_pair **
sort_map(struct arena *a, const struct node *map, size_t *ret_n)
{
	size_t n = map != NULL && map->type == NODE_MAP ? map->u.map.n : 0;
	const struct node_pair **ret = arena_calloc(a, n + 1, sizeof(*ret));

	*ret_n = 0;
	for (size_t i = 0; ret != NULL && i < n; i++)
		if (node_text(map->u.map.pairs[i].key) != NULL)
			ret[(*ret_n)++] = &map->u.map.pairs[i];
	if (*ret_n > 0)
		qsort(ret, *ret_n, sizeof(*ret), by_key);
	return ret;
}

static const char *
text_at(const struct node *n, const char *key)
{
	return node_text(node_get(n, key));
}

/* The service of the project that has this as name or jail, if it is wanted. */
static bool
has_service(const struct reading *r, const char *key, const char *value)
{
	const char *only = args_of(r->pile)->service;

	for (size_t i = 0; r->services != NULL && i < r->services->u.list.n;
	     i++) {
		const struct node *n = r->services->u.list.items[i];
		const char *s = text_at(n, key), *name = text_at(n, "name");

		if (s != NULL && strcmp(s, value) == 0)
			return only == NULL ||
			    (name != NULL && strcmp(only, name) == 0);
	}
	return false;
}

/* stamp: a date, or a name that may begin with a day. newest: of what may be
 * shown. */
static bool
is_date_wanted(const struct logs *l, const char *stamp, const char *newest)
{
	const char *since = l->since;
	bool has_day = stamp[0] >= '0' && stamp[0] <= '9';

	if (since != NULL && has_day) {
		/* A day has no more than that to compare. */
		size_t n = strlen(stamp) > DAY_LEN && stamp[DAY_LEN] == '_'
		    ? strlen(since)
		    : DAY_LEN;

		if (strncmp(stamp, since, n) < 0)
			return false;
	}
	switch (l->dates) {
	case LOGS_ALL:
		return true;
	case LOGS_LAST:
		return newest != NULL && strcmp(stamp, newest) == 0;
	case LOGS_ONE:
		return strncmp(stamp, l->date, strlen(l->date)) == 0;
	}
	return false;
}

static bool
is_log_wanted(const struct pile *p, const char *name)
{
	const char *only = args_of(p)->log;

	return name != NULL && (only == NULL || strcmp(only, name) == 0);
}

static void
choose_of_run(struct reading *r, const char *date, const struct node *run)
{
	struct pile *p = r->pile;
	struct arena *a = arena_of(p);
	size_t n;
	const struct node_pair **pairs = sort_map(a, run, &n);

	for (size_t i = 0; i < n; i++) {
		const char *service = node_text(pairs[i]->key);
		const struct node *files = pairs[i]->value;
		const char *prefix;

		if (files->type != NODE_LIST ||
		    !has_service(r, "name", service))
			continue;
		prefix = arena_printf(a, "%s/%s",
		    logs_place(p->logs, p->target, r->name), service);
		for (size_t k = 0; k < files->u.list.n; k++) {
			const char *log = node_text(files->u.list.items[k]);
			const char *params[] = { date, service, log };

			if (is_log_wanted(p, log))
				fetch(p, ROUTE_PROJECTS_LOG, params,
				    ARRAY_LEN(params), prefix, date);
		}
	}
}

static void
choose_runs(struct pile *p)
{
	size_t n;
	const struct node_pair **runs = sort_map(arena_of(p), p->list, &n);

	for (size_t i = 0; i < p->logs->names.n; i++) {
		struct reading *r = &p->readings[i];

		for (size_t k = 0; r->services != NULL && k < n; k++) {
			const char *date = node_text(runs[k]->key);

			if (is_date_wanted(p->logs, date, r->newest))
				choose_of_run(r, date, runs[k]->value);
		}
	}
}

/* Its name is given, or it is of a project that is. */
static bool
is_jail_wanted(const struct pile *p, const char *jail)
{
	for (size_t i = 0; i < p->logs->names.n; i++) {
		const struct reading *r = &p->readings[i];

		if (has_service(r, "jail", jail) ||
		    (args_of(p)->service == NULL && strcmp(r->name, jail) == 0))
			return true;
	}
	return false;
}

static void
choose_of_jail(struct pile *p, const char *jail, const char *subtype,
    const struct node *files)
{
	struct arena *a = arena_of(p);
	const char *newest = NULL;
	const char *prefix = arena_printf(
	    a, "%s/%s", logs_place(p->logs, p->target, jail), subtype);

	for (size_t i = 0; i < files->u.list.n; i++) {
		const char *log = node_text(files->u.list.items[i]);

		if (is_log_wanted(p, log) &&
		    (newest == NULL || strcmp(log, newest) > 0))
			newest = log;
	}
	for (size_t i = 0; i < files->u.list.n; i++) {
		const char *log = node_text(files->u.list.items[i]);
		const char *params[] = { "jails", jail, subtype, log };

		if (is_log_wanted(p, log) &&
		    is_date_wanted(p->logs, log, newest))
			fetch(p, ROUTE_JAIL_LOG, params, ARRAY_LEN(params),
			    prefix, log);
	}
}

static void
choose_jails(struct pile *p)
{
	struct arena *a = arena_of(p);
	size_t n, subtypes_n;
	const struct node_pair **jails =
	    sort_map(a, node_get(p->list, "jails"), &n);

	for (size_t i = 0; i < n; i++) {
		const char *jail = node_text(jails[i]->key);
		const struct node_pair **subtypes;

		if (!is_jail_wanted(p, jail))
			continue;
		subtypes = sort_map(a, jails[i]->value, &subtypes_n);
		for (size_t k = 0; k < subtypes_n; k++)
			if (subtypes[k]->value->type == NODE_LIST)
				choose_of_jail(p, jail,
				    node_text(subtypes[k]->key),
				    subtypes[k]->value);
	}
}

static void
choose(struct pile *p)
{
	if (args_of(p)->jails)
		choose_jails(p);
	else
		choose_runs(p);
}

/* Asking */

static void
on_list(const struct client_reply *rp, void *ctx)
{
	struct pile *p = ctx;
	const struct node *list = node_get(rp->body, "logs");

	if (rp->class != CLIENT_OK)
		fail(p, "the list of logs", rp->text);
	else if (list != NULL)
		p->list = node_copy(arena_of(p), list);
	done(p);
}

static void
on_info(const struct client_reply *rp, void *ctx)
{
	struct reading *r = ctx;
	struct arena *a = arena_of(r->pile);
	const struct node *info = node_get(rp->body, "info");
	const struct node *services = node_get(info, "services");

	if (rp->class == CLIENT_NOTFOUND)
		out_info(&r->pile->target->lane,
		    "%s, project:%s) it is not here", r->pile->target->context,
		    r->name);
	else if (rp->class != CLIENT_OK)
		fail(r->pile, "the project", rp->text);
	if (rp->class == CLIENT_OK && services != NULL &&
	    services->type == NODE_LIST) {
		r->services = node_copy(a, services);
		r->newest = text_at(info, "last_log");
		if (r->newest != NULL)
			r->newest = arena_strdup(a, r->newest);
	}
	done(r->pile);
}

void
logs_read_start(struct target *t)
{
	struct logs *l = t->all->rule.ctx;
	struct arena *a = &l->session->arena;
	struct pile *p = arena_alloc(a, sizeof(*p));
	struct client_call list = { .route = l->session->args.jails
		    ? ROUTE_JAILS_LOGS
		    : ROUTE_PROJECTS_LOGS };

	if (p != NULL)
		p->readings = arena_calloc(a, l->names.n, sizeof(*p->readings));
	if (p == NULL || p->readings == NULL) {
		target_done(t);
		return;
	}
	t->ctx = p;
	p->logs = l;
	p->target = t;
	p->end = &p->texts;
	p->pending = 1;
	ask(p, &list, on_list, p);
	for (size_t i = 0; i < l->names.n; i++) {
		struct reading *r = &p->readings[i];
		struct client_call info = { .route = ROUTE_PROJECT_INFO,
			.params = &l->names.items[i],
			.params_n = 1 };

		r->pile = p;
		r->name = l->names.items[i];
		ask(p, &info, on_info, r);
	}
	done(p);
}

/* Showing */

typedef void text_fn(struct logs *l, const struct text *t, void *ctx);

static void
each_text(struct logs *l, text_fn *fn, void *ctx)
{
	for (size_t i = 0; i < l->targets.n; i++) {
		const struct pile *p = l->targets.items[i].ctx;

		for (const struct text *t = p != NULL ? p->texts : NULL;
		     t != NULL; t = t->next)
			if (t->text != NULL)
				fn(l, t, ctx);
	}
}

struct sources {
	const char *first;
	bool several;
};

static void
look_at_source(struct logs *l, const struct text *t, void *ctx)
{
	struct sources *x = ctx;

	(void)l;
	if (x->first == NULL)
		x->first = t->prefix;
	else if (strcmp(x->first, t->prefix) != 0)
		x->several = true;
}

static void
print_text(struct logs *l, const struct text *t, void *ctx)
{
	const struct sources *x = ctx;
	const struct cmd_args *args = &l->session->args;
	size_t at = logs_tail(t->text, t->len, l->tail);

	logs_print(l, x->several && !args->no_prefix ? t->prefix : NULL,
	    args->timestamps ? t->stamp : NULL, t->text + at, t->len - at);
}

enum exitcode
logs_read_print(struct logs *l)
{
	struct sources x = { 0 };

	each_text(l, look_at_source, &x);
	each_text(l, print_text, &x);
	if (x.first == NULL)
		out_warn(&l->session->out, "there are no logs");
	return EXIT_CODE_OK;
}
