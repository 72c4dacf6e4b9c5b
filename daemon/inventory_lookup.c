/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Looking up an item of one jail, what all of them use, or projects:
 *
 *	thread: which jails, and which run -> loop: ask commands about those
 *	that run -> thread: read -> loop: done
 *
 * What no command knows more about is read in the first visit of the thread. A
 * lookup does not wait for commands longer than its time: then it is made of
 * what is known by then.
 */
#include <sys/stat.h>

#include <string.h>

#include "daemon/inventory_internal.h"
#include "daemon/jail.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/strbuf.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/event/loop.h"
#include "proto/config.h"
#include "proto/names.h"

#define ARENA_MAX ((size_t)128 << 20)
#define TEXT_MAX ((size_t)16 << 20)
/* Less than who asks through chains waits. */
#define WAIT_MS 6000

struct question {
	struct jailask_wait wait;
	struct lookup *lookup;
	struct seen_jail *jail;
	enum jailask_kind kind;
};

/* What is looked up; whom the answer goes to depends on it. */
enum lookup_kind {
	LOOKUP_ITEM,
	LOOKUP_USAGE,
	LOOKUP_INFOS,
	LOOKUP_LOOK
};

struct lookup {
	TAILQ_ENTRY(lookup) link;
	struct inv_work work;
	struct lookups *owner;
	struct lookup_id id;
	enum lookup_kind kind;
	/* Of LOOKUP_ITEM; LOOKUP_USAGE is about JAIL_STATS. */
	enum jail_item item;
	union {
		inventory_item_fn *item;
		inventory_node_fn *usage;
		inventory_infos_fn *infos;
		inventory_look_fn *look;
	} done;
	void *ctx;
	/* Nobody waits any more. */
	bool dropped;
	/* The thread has it. */
	bool away;
	struct arena arena;
	/* A jail or a project; NULL: all. */
	const char *name;
	/* Projects that are told of at most. */
	size_t max;
	/* Of LOOKUP_LOOK: of labels. */
	const char *prefix;
	struct schema_strs keywords;
	bool asks[JAILASK_COUNT];
	bool asks_any;
	/* struct seen_jail *, in the arena. */
	struct array jails;
	struct question *questions;
	size_t questions_n;
	size_t pending;
	struct timer timer;
	/* The answer: of LOOKUP_ITEM, */
	struct strbuf text;
	/* of the others. */
	struct node *found;
	struct project_look look;
	bool too_many;
	struct error e;
	struct error warning;
};
TAILQ_HEAD(lookup_list, lookup);

struct lookups {
	struct inventory *inv;
	struct lookup_list list;
};

static struct lookup *
lookup_free(struct lookup *lu)
{
	if (lu == NULL)
		return NULL;
	for (size_t i = 0; i < lu->questions_n; i++)
		jailask_cancel(lu->owner->inv->ask, &lu->questions[i].wait);
	timer_fini(&lu->timer);
	array_fini(&lu->jails);
	strbuf_fini(&lu->text);
	arena_fini(&lu->arena);
	mem_free(lu);
	return NULL;
}
AUTO_DEFINE(lookup)

/* On the thread */

static int
add_jail(struct lookup *lu, const char *top, const char *name, struct error *e)
{
	struct seen_jail **slot = array_add(&lu->jails, e);
	struct seen_jail *j = arena_alloc(&lu->arena, sizeof(*j));

	if (slot == NULL || j == NULL)
		return slot == NULL ? -1 : arena_check(&lu->arena, e);
	j->name = name;
	j->running = item_is_of_running(lu->item) && jail_is_running(top, name);
	*slot = j;
	return 0;
}

/* Names beneath a directory, in the arena. */
static int
list_names(struct lookup *lu, const char *top, beneath_name_fn *ok,
    struct array *names, struct error *e)
{
	int fd, rc = beneath_open(top, &fd, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	return beneath_list(fd, S_IFDIR, ok, &lu->arena, names, e);
}

static int
find_jails(struct lookup *lu, const char *top, struct error *e)
{
	AUTO_ARRAY struct array names;
	AUTO_FD int one = -1;
	int r = 0;

	array_init(&names, sizeof(char *), BENEATH_NAMES_MAX);
	if (lu->name != NULL) {
		r = beneath_open_in(top, lu->name, &one, e);
		return r == 0 ? add_jail(lu, top, lu->name, e) : r;
	}
	r = list_names(lu, top, name_is_jail, &names, e);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = add_jail(lu, top, *(char **)array_at(&names, i), e);
	return r;
}

/* What did not fit makes no answer. */
static void
note_full(struct lookup *lu)
{
	if (arena_check(&lu->arena, &lu->e) < 0 ||
	    strbuf_check(&lu->text, &lu->e) < 0)
		lu->found = NULL;
}

static int64_t
add_capped(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static void
add_usage(struct node *sum, const struct node *of, struct arena *a)
{
	for (size_t k = 0; k < of->u.map.n; k++) {
		const struct node_pair *p = &of->u.map.pairs[k];
		struct node *have = node_get(sum, node_text(p->key));

		if (have == NULL)
			node_set(a, sum, node_text(p->key),
			    node_int(a, p->value->u.i));
		else
			have->u.i = add_capped(have->u.i, p->value->u.i);
	}
}

static void
sum_usage(struct lookup *lu, const char *text, size_t len)
{
	AUTO_ARENA struct arena a;
	struct node *n;

	arena_init(&a, TEXT_MAX);
	if (json_read(text, len, &a, &n, NULL) == 0)
		add_usage(lu->found, n, &lu->arena);
}

/* Nothing, when it has gone meanwhile. */
static void
read_jail(struct lookup *lu, struct inv_thread *th, const struct seen_jail *j)
{
	struct item_source s = {
		.inv = th->inv,
		.jail = j->name,
		.running = j->running,
		.keywords = &lu->keywords,
	};
	AUTO_FD int fd = -1;
	struct error e = ERROR_INIT;
	int rc = beneath_open_in(th->inv->jails, j->name, &fd, &e);

	memcpy(s.told, j->told, sizeof(s.told));
	if (rc == 0) {
		answer_item(th, lu->item, &s, fd, &lu->text, &lu->warning);
	} else if (rc < 0) {
		if (!error_is_set(&lu->warning))
			lu->warning = e;
		json_write(&lu->text, item_empty(lu->item), JSON_COMPACT);
	}
}

static void
run_read(struct inv_work *w, struct inv_thread *th)
{
	struct lookup *lu = container_of(w, struct lookup, work);

	if (lu->kind == LOOKUP_USAGE)
		lu->found = node_new(&lu->arena, NODE_MAP);
	for (size_t i = 0; i < lu->jails.n; i++) {
		read_jail(
		    lu, th, *(struct seen_jail **)array_at(&lu->jails, i));
		if (lu->kind != LOOKUP_USAGE)
			continue;
		sum_usage(lu, lu->text.buf, lu->text.len);
		strbuf_reset(&lu->text);
	}
	note_full(lu);
}

static void
run_find(struct inv_work *w, struct inv_thread *th)
{
	struct lookup *lu = container_of(w, struct lookup, work);

	if (find_jails(lu, th->inv->jails, &lu->e) == 0 && !lu->asks_any)
		run_read(w, th);
}

/* What cannot be described is {}. */
static void
add_info(struct lookup *lu, struct inv_thread *th, const char *project)
{
	AUTO_STRBUF struct strbuf b;
	struct node *n = NULL;

	strbuf_init(&b, TEXT_MAX);
	if (answer_project(th, project, &b) != 0 ||
	    json_read(b.buf, b.len, &lu->arena, &n, NULL) < 0)
		n = node_new(&lu->arena, NODE_MAP);
	node_set(&lu->arena, lu->found, project, n);
}

static void
run_infos(struct inv_work *w, struct inv_thread *th)
{
	struct lookup *lu = container_of(w, struct lookup, work);
	AUTO_ARRAY struct array names;

	array_init(&names, sizeof(char *), BENEATH_NAMES_MAX);
	lu->found = node_new(&lu->arena, NODE_MAP);
	if (lu->name != NULL)
		add_info(lu, th, lu->name);
	else if (list_names(lu, th->inv->projects, name_is_project, &names,
		     &lu->e) < 0)
		return;
	lu->too_many = names.n > lu->max;
	for (size_t i = 0; !lu->too_many && i < names.n; i++)
		add_info(lu, th, *(char **)array_at(&names, i));
	note_full(lu);
}

static void
run_look(struct inv_work *w, struct inv_thread *th)
{
	struct lookup *lu = container_of(w, struct lookup, work);

	answer_look(
	    th, lu->name, lu->prefix, &lu->arena, &lu->look, &lu->warning);
	note_full(lu);
}

/* On the loop */

static bool
is_of_projects(const struct lookup *lu)
{
	return lu->kind == LOOKUP_INFOS || lu->kind == LOOKUP_LOOK;
}

static void
submit(struct lookup *lu, inv_run_fn *run, inv_done_fn *done)
{
	lu->away = true;
	inventory_submit(lu->owner->inv, &lu->work, run, done);
}

static void
complain(const struct lookup *lu)
{
	const char *what =
	    is_of_projects(lu) ? "projects" : inventory_item_member(lu->item);
	const char *name = lu->name != NULL ? lu->name : "";
	const char *which = is_of_projects(lu) ? "project" : "jail";

	if (error_is_set(&lu->e))
		log_warn("inventory", FIELDS(LF_S(which, name)),
		    "%s cannot be read: %s", what, lu->e.text);
	else if (error_is_set(&lu->warning))
		log_warn("inventory", FIELDS(LF_S(which, name)),
		    "%s cannot be read wholly: %s", what, lu->warning.text);
}

static void
tell_item(struct lookup *lu)
{
	struct turns *ts = lu->owner->inv->turns;

	turns_read_names(ts, INVENTORY_JAILS);
	if (error_is_set(&lu->e)) {
		strbuf_reset(&lu->text);
		json_write(&lu->text, item_empty(lu->item), JSON_COMPACT);
	}
	if (lu->text.len == 0) {
		lu->done.item(NULL, 0, lu->ctx);
		return;
	}
	turns_read_item(ts, lu->item);
	lu->done.item(lu->text.buf, lu->text.len, lu->ctx);
}

static void
tell(struct lookup *lu)
{
	static const struct node none = { .type = NODE_MAP };
	const struct node *found = error_is_set(&lu->e) ? &none : lu->found;

	switch (lu->kind) {
	case LOOKUP_ITEM:
		tell_item(lu);
		break;
	case LOOKUP_USAGE:
		turns_read_item(lu->owner->inv->turns, lu->item);
		lu->done.usage(found, lu->ctx);
		break;
	case LOOKUP_INFOS:
		turns_read_infos(lu->owner->inv->turns);
		lu->done.infos(found, lu->too_many, lu->ctx);
		break;
	case LOOKUP_LOOK:
		turns_read_infos(lu->owner->inv->turns);
		lu->done.look(&lu->look, &lu->e, lu->ctx);
		break;
	}
}

/* Ends it. */
static void
finish(struct lookup *lu)
{
	TAILQ_REMOVE(&lu->owner->list, lu, link);
	complain(lu);
	tell(lu);
	(void)lookup_free(lu);
}

/* Back from the thread: whether it still counts. */
static bool
is_back(struct lookup *lu)
{
	lu->away = false;
	if (!lu->dropped)
		return true;
	TAILQ_REMOVE(&lu->owner->list, lu, link);
	(void)lookup_free(lu);
	return false;
}

static void
was_read(struct inv_work *w)
{
	struct lookup *lu = container_of(w, struct lookup, work);

	if (is_back(lu))
		finish(lu);
}

static void
answered(struct jailask_wait *w, const char *text)
{
	struct question *q = container_of(w, struct question, wait);
	struct lookup *lu = q->lookup;

	if (text != NULL)
		q->jail->told[q->kind] = arena_strdup(&lu->arena, text);
	if (--lu->pending > 0 || lu->away)
		return;
	timer_stop(&lu->timer);
	submit(lu, run_read, was_read);
}

static void
on_late(struct timer *t)
{
	struct lookup *lu = container_of(t, struct lookup, timer);

	for (size_t i = 0; i < lu->questions_n; i++)
		jailask_cancel(lu->owner->inv->ask, &lu->questions[i].wait);
	(void)error_set(&lu->warning, OVE_TIMEOUT,
	    "%zu commands have not answered in time", lu->pending);
	submit(lu, run_read, was_read);
}

static void
ask_one(struct lookup *lu, struct seen_jail *j, enum jailask_kind kind)
{
	struct question *q = &lu->questions[lu->questions_n++];
	struct error e = ERROR_INIT;
	const char *text = NULL;

	*q = (struct question){
		.wait = { .fn = answered },
		.lookup = lu,
		.jail = j,
		.kind = kind,
	};
	switch (jailask_get(
	    lu->owner->inv->ask, kind, j->name, &q->wait, &text, &e)) {
	case 0:
		lu->pending++;
		break;
	case JAILASK_KNOWN:
		if (text != NULL)
			j->told[kind] = arena_strdup(&lu->arena, text);
		break;
	default:
		if (!error_is_set(&lu->warning))
			lu->warning = e;
	}
}

static void
ask_all(struct lookup *lu)
{
	lu->questions = arena_calloc(&lu->arena,
	    lu->jails.n * (size_t)JAILASK_COUNT, sizeof(*lu->questions));
	if (arena_check(&lu->arena, &lu->e) < 0)
		return;
	for (size_t i = 0; i < lu->jails.n; i++) {
		struct seen_jail *j =
		    *(struct seen_jail **)array_at(&lu->jails, i);

		for (int k = 0; j->running && k < JAILASK_COUNT; k++)
			if (lu->asks[k])
				ask_one(lu, j, (enum jailask_kind)k);
	}
}

static void
was_found(struct inv_work *w)
{
	struct lookup *lu = container_of(w, struct lookup, work);
	bool gone;

	if (!is_back(lu))
		return;
	gone = lu->name != NULL && lu->jails.n == 0;
	if (!error_is_set(&lu->e) && lu->asks_any && !gone)
		ask_all(lu);
	if (error_is_set(&lu->e) || !lu->asks_any || gone)
		finish(lu);
	else if (lu->pending == 0)
		submit(lu, run_read, was_read);
	else
		timer_arm(&lu->timer, WAIT_MS);
}

static int
lookup_new(struct lookup **ret, struct inventory *inv, enum lookup_kind kind,
    const char *name, void *ctx, struct error *e)
{
	AUTO(lookup) struct lookup *lu = mem_calloc(1, sizeof(*lu));

	if (lu == NULL)
		return error_nomem(e);
	lu->owner = inv->lookups;
	lu->kind = kind;
	lu->ctx = ctx;
	arena_init(&lu->arena, ARENA_MAX);
	array_init(&lu->jails, sizeof(struct seen_jail *), BENEATH_NAMES_MAX);
	strbuf_init(&lu->text, TEXT_MAX);
	if (name != NULL)
		lu->name = arena_strdup(&lu->arena, name);
	if (arena_check(&lu->arena, e) < 0 ||
	    timer_init(&lu->timer, inv->loop, on_late, "lookup", e) < 0)
		return -1;
	*ret = STEAL(lu);
	return 0;
}

/* What it asks commands for. */
static int
prepare(struct lookup *lu, enum jail_item item, struct error *e)
{
	const struct config_keywords *k = lu->owner->inv->keywords;

	lu->item = item;
	if (k != NULL)
		lu->keywords = item_copy_keywords(item, k, &lu->arena);
	for (int i = 0; i < JAILASK_COUNT; i++) {
		lu->asks[i] =
		    item_needs(item, &lu->keywords, (enum jailask_kind)i);
		lu->asks_any = lu->asks_any || lu->asks[i];
	}
	return arena_check(&lu->arena, e);
}

static void
start(struct lookup *lu, inv_run_fn *run, inv_done_fn *done,
    struct lookup_id *ret)
{
	lu->id.v = ++lu->owner->inv->last_id;
	*ret = lu->id;
	TAILQ_INSERT_TAIL(&lu->owner->list, lu, link);
	submit(lu, run, done);
}

int
inventory_item(struct inventory *inv, enum jail_item item, const char *jail,
    inventory_item_fn *done, void *ctx, struct lookup_id *ret, struct error *e)
{
	AUTO(lookup) struct lookup *lu = NULL;

	if (lookup_new(&lu, inv, LOOKUP_ITEM, jail, ctx, e) < 0 ||
	    prepare(lu, item, e) < 0)
		return -1;
	lu->done.item = done;
	start(STEAL(lu), run_find, was_found, ret);
	return 0;
}

int
inventory_usage(struct inventory *inv, inventory_node_fn *done, void *ctx,
    struct lookup_id *ret, struct error *e)
{
	AUTO(lookup) struct lookup *lu = NULL;

	if (lookup_new(&lu, inv, LOOKUP_USAGE, NULL, ctx, e) < 0 ||
	    prepare(lu, JAIL_STATS, e) < 0)
		return -1;
	lu->done.usage = done;
	start(STEAL(lu), run_find, was_found, ret);
	return 0;
}

int
inventory_infos(struct inventory *inv, const char *project, size_t max,
    inventory_infos_fn *done, void *ctx, struct lookup_id *ret, struct error *e)
{
	AUTO(lookup) struct lookup *lu = NULL;

	if (lookup_new(&lu, inv, LOOKUP_INFOS, project, ctx, e) < 0)
		return -1;
	lu->done.infos = done;
	lu->max = max;
	start(STEAL(lu), run_infos, was_read, ret);
	return 0;
}

int
inventory_look(struct inventory *inv, const char *project, const char *prefix,
    inventory_look_fn *done, void *ctx, struct lookup_id *ret, struct error *e)
{
	AUTO(lookup) struct lookup *lu = NULL;

	if (lookup_new(&lu, inv, LOOKUP_LOOK, project, ctx, e) < 0)
		return -1;
	lu->prefix = arena_strdup(&lu->arena, prefix);
	if (arena_check(&lu->arena, e) < 0)
		return -1;
	lu->done.look = done;
	start(STEAL(lu), run_look, was_read, ret);
	return 0;
}

static void
drop(struct lookup *lu)
{
	lu->dropped = true;
	if (lu->away)
		return;
	TAILQ_REMOVE(&lu->owner->list, lu, link);
	(void)lookup_free(lu);
}

void
lookups_cancel(struct lookups *ls, struct lookup_id id)
{
	struct lookup *lu;

	TAILQ_FOREACH (lu, &ls->list, link) {
		if (lu->id.v == id.v) {
			drop(lu);
			return;
		}
	}
}

int
lookups_new(struct lookups **ret, struct inventory *inv, struct error *e)
{
	struct lookups *ls = mem_calloc(1, sizeof(*ls));

	if (ls == NULL)
		return error_nomem(e);
	ls->inv = inv;
	TAILQ_INIT(&ls->list);
	*ret = ls;
	return 0;
}

void
lookups_stop(struct lookups *ls)
{
	struct lookup *lu, *next;

	for (lu = TAILQ_FIRST(&ls->list); lu != NULL; lu = next) {
		next = TAILQ_NEXT(lu, link);
		drop(lu);
	}
}

struct lookups *
lookups_free(struct lookups *ls)
{
	mem_free(ls);
	return NULL;
}
