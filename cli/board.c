/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See board.h. Answers about a row are collected in a view with an arena of its
 * own, which takes the place of the row's last one when it is whole; so memory
 * does not grow however long somebody watches. A row that changes while it is
 * asked for is asked for again after that. Rows are not removed: a project that
 * is gone is ABSENT, and not shown when its server does not name it any more.
 */
#include "cli/board.h"

#include <string.h>

#include "cli/wait_judge.h"
#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/event/loop.h"
#include "lib/net/url.h"
#include "proto/names.h"

#define VIEW_MAX ((size_t)64 * 1024 * 1024)
#define ROWS_MAX 100000

struct view {
	struct row *row;
	struct arena arena;
	const struct node *info;
	const struct node *jobs;
	const struct node *vm;
	/* It could not be asked. */
	const char *fault;
	/* There was no reply. */
	bool lost;
	unsigned pending;
	struct status status;
	int64_t at_ms;
	int64_t took_ms;
};

struct row {
	struct spot *spot;
	char *name;
	/* What is known; NULL: nothing yet. */
	struct view *front;
	/* What is being asked; NULL: nothing. */
	struct view *back;
	bool stale;
	/* Its server has named it, or told of it since. */
	bool listed;
	char *note;
};

struct spot {
	struct board *board;
	struct target *target;
	/* Pointers to rows. */
	struct array rows;
	/* It said why it cannot be asked; it said nothing. */
	char *fault;
	char *lost;
	/* Its projects are asked for. */
	bool asking;
	bool stale;
	char *note;
};

struct board {
	struct session *session;
	struct spot *spots;
	size_t n;
	size_t pending;
	void (*changed)(struct board *b, void *ctx);
	void *ctx;
	/* What no view can say, for want of memory. */
	struct error failed;
};

static struct view *
view_free(struct view *v)
{
	if (v == NULL)
		return NULL;
	arena_fini(&v->arena);
	mem_free(v);
	return NULL;
}

static struct row *
row_at(const struct spot *p, size_t i)
{
	return *(struct row **)array_at(&p->rows, i);
}

static void
set_text(char **at, const char *text)
{
	mem_free(*at);
	*at = text != NULL ? mem_strdup(text) : NULL;
}

/* Rows */

static void ask_row(struct row *r);

static void
answered(struct view *v)
{
	struct row *r = v->row;
	struct board *b = r->spot->board;

	b->pending--;
	if (--v->pending > 0)
		return;
	r->back = NULL;
	set_text(&r->spot->lost, v->lost ? v->fault : NULL);
	if (v->lost && r->front != NULL) {
		view_free(v);
	} else {
		status_decide(v->info, v->jobs, v->vm, &v->arena, &v->status);
		if (v->fault != NULL) {
			v->status.state = STATUS_UNREACHABLE;
			v->status.progress = v->fault;
		}
		v->at_ms = clock_mono_ms();
		view_free(r->front);
		r->front = v;
	}
	if (r->stale)
		ask_row(r);
	b->changed(b, b->ctx);
}

static void
ask(struct view *v, const struct client_call *call, client_done_fn *done)
{
	struct board *b = v->row->spot->board;
	struct error e = ERROR_INIT;

	if (client_call(b->session->client, call, done, v, &e) < 0) {
		v->fault = arena_strdup(&v->arena, error_text(&e));
		return;
	}
	v->pending++;
	b->pending++;
}

static void
on_vm(const struct client_reply *rp, void *ctx)
{
	struct view *v = ctx;
	const struct node *vm = node_get(rp->body, "status");

	if (rp->class == CLIENT_OK && vm != NULL)
		v->vm = node_copy(&v->arena, vm);
	answered(v);
}

/* The jail of a VM has the name of the VM. */
static bool
may_be_vm(const struct view *v)
{
	const struct node *list = node_get(v->info, "services");
	const char *name = v->row->name, *jail;

	for (size_t i = 0;
	     list != NULL && list->type == NODE_LIST && i < list->u.list.n;
	     i++) {
		jail = node_text(node_get(list->u.list.items[i], "jail"));
		if (jail != NULL && strcmp(jail, name) == 0)
			return name_is_vm(name, strlen(name));
	}
	return false;
}

static void
ask_vm(struct view *v)
{
	const struct row *r = v->row;
	struct client_call call = { .server = r->spot->target->server,
		.chain = r->spot->target->chain,
		.route = ROUTE_VM,
		.params = (const char *const *)&r->name,
		.params_n = 1 };

	ask(v, &call, on_vm);
}

static void
on_info(const struct client_reply *rp, void *ctx)
{
	struct view *v = ctx;
	const struct node *info = node_get(rp->body, "info");

	v->took_ms = rp->took_ms;
	if (rp->class == CLIENT_OK && info != NULL)
		v->info = node_copy(&v->arena, info);
	else if (rp->class != CLIENT_NOTFOUND && rp->class != CLIENT_OK) {
		v->fault = arena_strdup(&v->arena, rp->text);
		v->lost = rp->status == 0;
	}
	if (may_be_vm(v))
		ask_vm(v);
	answered(v);
}

static void
on_jobs(const struct client_reply *rp, void *ctx)
{
	struct view *v = ctx;
	const struct node *jobs = node_get(rp->body, "jobs");

	if (rp->class == CLIENT_OK && jobs != NULL)
		v->jobs = node_copy(&v->arena, jobs);
	answered(v);
}

static const char *
jobs_query(struct arena *a, const char *name)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, 4096);
	strbuf_adds(&b, "state=queued,running,interrupted&limit=10&name=");
	url_add_segment(&b, name);
	return arena_strdup(a, b.buf);
}

static void
ask_row(struct row *r)
{
	const struct target *t = r->spot->target;
	struct view *v;

	r->stale = r->back != NULL;
	if (r->stale)
		return;
	v = mem_calloc(1, sizeof(*v));
	if (v == NULL) {
		(void)error_nomem(&r->spot->board->failed);
		return;
	}
	arena_init(&v->arena, VIEW_MAX);
	v->row = r;
	r->back = v;
	/* Held until both questions are on their way. */
	v->pending = 1;
	r->spot->board->pending++;
	struct client_call info = { .server = t->server,
		.chain = t->chain,
		.route = ROUTE_PROJECT_INFO,
		.params = (const char *const *)&r->name,
		.params_n = 1 };
	struct client_call jobs = { .server = t->server,
		.chain = t->chain,
		.route = ROUTE_JOBS,
		.query = jobs_query(&v->arena, r->name) };
	if (name_is_project(r->name, strlen(r->name))) {
		ask(v, &info, on_info);
		ask(v, &jobs, on_jobs);
	} else {
		v->fault = "not a project name";
	}
	answered(v);
}

static bool
is_wanted(const struct session *s, const char *name)
{
	for (size_t i = 0; i < s->args.project.n; i++)
		if (strcmp(s->args.project.items[i], name) == 0)
			return true;
	return s->args.project.n == 0;
}

/* The row of that name, made if need be; NULL: nobody wants it. */
static struct row *
find_row(struct spot *p, const char *name)
{
	struct board *b = p->board;
	struct row *r, **place;

	for (size_t i = 0; i < p->rows.n; i++)
		if (strcmp(row_at(p, i)->name, name) == 0)
			return row_at(p, i);
	if (!is_wanted(b->session, name))
		return NULL;
	r = mem_calloc(1, sizeof(*r));
	if (r == NULL || (r->name = mem_strdup(name)) == NULL ||
	    (place = array_add(&p->rows, &b->failed)) == NULL) {
		if (r != NULL)
			mem_free(r->name);
		mem_free(r);
		(void)error_nomem(&b->failed);
		return NULL;
	}
	r->spot = p;
	r->listed = true;
	*place = r;
	return r;
}

static void
ask_named(struct spot *p, const char *name)
{
	struct row *r = find_row(p, name);

	if (r == NULL)
		return;
	r->listed = true;
	ask_row(r);
}

/* Spots */

/* The project or VM that the file is about; NULL: all there are. */
static const char *
only_project(const struct session *s)
{
	return s->spec != NULL && !s->args.all ? spec_project_name(s->spec)
					       : NULL;
}

static void
on_names(const struct client_reply *rp, void *ctx)
{
	struct spot *p = ctx;
	struct board *b = p->board;
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	struct client_strs names = { 0 };
	size_t known = p->rows.n;

	arena_init(&a, VIEW_MAX);
	b->pending--;
	p->asking = false;
	set_text(&p->lost, rp->status == 0 ? rp->text : NULL);
	if (rp->status == 0 && known > 0)
		/* What is known stays. */;
	else if (rp->class != CLIENT_OK)
		set_text(&p->fault, rp->text);
	else if (client_get_strs(rp->body, "projects", &a, &names, &e) < 0)
		set_text(&p->fault, error_text(&e));
	else
		set_text(&p->fault, NULL);
	for (size_t i = 0; rp->class == CLIENT_OK && i < known; i++)
		row_at(p, i)->listed = false;
	for (size_t i = 0; i < names.n; i++)
		ask_named(p, names.items[i]);
	/* Those that are not there any more. */
	for (size_t i = 0; i < known; i++)
		if (!row_at(p, i)->listed)
			ask_row(row_at(p, i));
	if (p->stale)
		board_refresh(b, (size_t)(p - b->spots));
	b->changed(b, b->ctx);
}

void
board_refresh(struct board *b, size_t spot)
{
	struct spot *p = &b->spots[spot];
	const char *only = only_project(b->session);
	struct client_call call = { .server = p->target->server,
		.chain = p->target->chain,
		.route = ROUTE_PROJECTS };
	struct error e = ERROR_INIT;

	p->stale = p->asking;
	if (p->asking)
		return;
	if (only != NULL) {
		set_text(&p->fault, NULL);
		ask_named(p, only);
		return;
	}
	if (client_call(b->session->client, &call, on_names, p, &e) < 0) {
		set_text(&p->fault, error_text(&e));
		return;
	}
	p->asking = true;
	b->pending++;
}

/* A step has begun: no question is needed for that. */
static bool
take_step(struct row *r, const struct node *data)
{
	AUTO_ARENA struct arena a;
	const struct node *job = node_get(data, "job");
	struct verdict verdict;
	struct view *v = r->front;

	arena_init(&a, VIEW_MAX);
	if (v == NULL || r->back != NULL || job == NULL ||
	    job->type != NODE_INT || job->big || v->status.job != job->u.i ||
	    (v->status.state != STATUS_DEPLOYING &&
		v->status.state != STATUS_DESTROYING) ||
	    !wait_judge_event("step", data, job->u.i, &a, &verdict))
		return false;
	v->status.progress = arena_strdup(&v->arena, verdict.doing);
	return true;
}

void
board_event(
    struct board *b, size_t spot, const char *type, const struct node *data)
{
	struct spot *p = &b->spots[spot];
	const char *name = node_text(node_get(data, "project"));
	const char *only = only_project(b->session);
	const char *from = node_text(node_get(data, "from"));
	struct row *r;

	/* Who waits moves up when another one begins. */
	for (size_t i = 0;
	     from != NULL && strcmp(from, "queued") == 0 && i < p->rows.n; i++)
		if (row_at(p, i)->front != NULL &&
		    row_at(p, i)->front->status.state == STATUS_QUEUED &&
		    (name == NULL || strcmp(row_at(p, i)->name, name) != 0))
			ask_row(row_at(p, i));
	if (name == NULL || (only != NULL && strcmp(only, name) != 0))
		return;
	r = find_row(p, name);
	if (r == NULL)
		return;
	r->listed = true;
	if (strcmp(type, "step") != 0)
		ask_row(r);
	else if (take_step(r, data))
		b->changed(b, b->ctx);
}

static bool
is_faulty(const struct row *r)
{
	return r->front != NULL && r->front->fault != NULL;
}

enum board_fault
board_fault(const struct board *b, size_t spot)
{
	const struct spot *p = &b->spots[spot];
	size_t n = 0;

	if (p->fault != NULL)
		return BOARD_ALL;
	for (size_t i = 0; i < p->rows.n; i++)
		n += is_faulty(row_at(p, i));
	return n == 0 ? BOARD_FINE : n == p->rows.n ? BOARD_ALL : BOARD_SOME;
}

void
board_retry(struct board *b, size_t spot)
{
	struct spot *p = &b->spots[spot];

	if (p->fault != NULL) {
		board_refresh(b, spot);
		return;
	}
	for (size_t i = 0; i < p->rows.n; i++)
		if (is_faulty(row_at(p, i)))
			ask_row(row_at(p, i));
}

const char *
board_lost(const struct board *b, size_t spot)
{
	return b->spots[spot].lost;
}

int
board_check(const struct board *b, struct error *e)
{
	if (b->failed.code == OVE_NONE)
		return 0;
	return error_nomem(e);
}

bool
board_is_idle(const struct board *b)
{
	return b->pending == 0;
}

size_t
board_spots(const struct board *b)
{
	return b->n;
}

const struct target *
board_target(const struct board *b, size_t spot)
{
	return b->spots[spot].target;
}

static void
each_of(struct spot *p, size_t index, board_fn *fn, void *ctx)
{
	int64_t now = clock_mono_ms();
	struct board_line l = {
		.spot = index, .target = p->target, .took_ms = -1
	};

	if (p->fault != NULL) {
		l.status.state = STATUS_UNREACHABLE;
		l.status.age_s = -1;
		l.status.progress = p->fault;
		l.note = &p->note;
		fn(&l, ctx);
		return;
	}
	for (size_t i = 0; i < p->rows.n; i++) {
		struct row *r = row_at(p, i);

		if (r->front == NULL ||
		    (r->front->status.state == STATUS_ABSENT && !r->listed))
			continue;
		l.name = r->name;
		l.status = r->front->status;
		l.note = &r->note;
		l.took_ms = r->front->took_ms;
		if (l.status.age_s >= 0)
			l.status.age_s += (now - r->front->at_ms) / 1000;
		fn(&l, ctx);
	}
}

void
board_each(struct board *b, board_fn *fn, void *ctx)
{
	for (size_t i = 0; i < b->n; i++)
		each_of(&b->spots[i], i, fn, ctx);
}

int
board_new(struct board **ret, struct session *s, struct targets *t,
    void (*changed)(struct board *b, void *ctx), void *ctx, struct error *e)
{
	struct board *b AUTO(board) = mem_calloc(1, sizeof(*b));

	if (b == NULL)
		return error_nomem(e);
	b->session = s;
	b->changed = changed;
	b->ctx = ctx;
	b->spots = mem_calloc(t->n + 1, sizeof(*b->spots));
	if (b->spots == NULL)
		return error_nomem(e);
	for (size_t i = 0; i < t->n; i++) {
		struct spot *p = &b->spots[b->n];

		if (!t->items[i].matched)
			continue;
		p->board = b;
		p->target = &t->items[i];
		array_init(&p->rows, sizeof(struct row *), ROWS_MAX);
		if (!target_can_be_asked(p->target))
			set_text(&p->fault, p->target->fault.text);
		b->n++;
	}
	*ret = STEAL(b);
	return 0;
}

static void
spot_fini(struct spot *p)
{
	for (size_t i = 0; i < p->rows.n; i++) {
		struct row *r = row_at(p, i);

		view_free(r->front);
		view_free(r->back);
		mem_free(r->name);
		mem_free(r->note);
		mem_free(r);
	}
	array_fini(&p->rows);
	mem_free(p->fault);
	mem_free(p->lost);
	mem_free(p->note);
}

struct board *
board_free(struct board *b)
{
	if (b == NULL)
		return NULL;
	client_cancel_all(b->session->client);
	for (size_t i = 0; i < b->n; i++)
		spot_fini(&b->spots[i]);
	mem_free(b->spots);
	mem_free(b);
	return NULL;
}
