/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One child: its stream, and what is told of it. An event is a map in which
 * `chain` says where below the child it has happened and `via` which servers
 * have passed it on; our name for the child goes before the one and our id
 * behind the other. One that has been here is dropped: that ends circles.
 *
 * A child may say what it likes, so an event is read as strictly as a request,
 * and one that is none ends the stream: the child is called again, later.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/subtree_internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/net/backoff.h"
#include "proto/chainpath.h"
#include "proto/detail.h"

#define PATH "/v1/events?subtree=1"
/* Of one event as it comes; what we add must have room beside it. */
#define EVENT_MAX ((size_t)48 << 10)
#define DATA_MAX ((size_t)60 << 10)
#define ARENA_MAX ((size_t)4 << 20)
#define PROJECT_MAX 255
/* A comment comes every 5 s. */
#define IDLE_MS 20000
/* A stream that has lived as long has not failed. */
#define SHORT_MS 1000
#define AGAIN_MAX_MS 30000
/* It refuses us, or is ourselves: worth another look some time. */
#define UNABLE_MS 60000

void
branch_tell(struct branch *b, const char *state)
{
	b->lost = strcmp(state, "lost") == 0;
	subtree_tell(b->subtree, b->name, state);
}

/* Events */

/* The path of what has happened there, below us; NULL: it is none. */
static const char *
chain_of(const struct branch *b, const struct node *data, struct arena *a)
{
	const char *below = node_text(node_get(data, "chain"));
	struct chainpath path;

	if (below == NULL)
		return NULL;
	if (below[0] == '\0')
		return b->name;
	if (chainpath_parse(below, a, &path, NULL) < 0 ||
	    path.n >= CHAINPATH_MAX)
		return NULL;
	return arena_printf(a, "%s.%s", b->name, below);
}

/* Who has passed it on, and we. NULL: that is no list, too long a one, or has
 * us (*ret_loop) already. */
static struct node *
via_of(const struct branch *b, const struct node *data, struct arena *a,
    bool *ret_loop)
{
	const struct node *from = node_get(data, "via");
	struct node *to = node_new(a, NODE_LIST);

	if (from == NULL || from->type != NODE_LIST ||
	    from->u.list.n >= CHAINPATH_MAX)
		return NULL;
	for (size_t i = 0; i < from->u.list.n; i++) {
		const char *id = node_text(from->u.list.items[i]);

		if (id == NULL)
			return NULL;
		if (strcmp(id, b->subtree->serverid) == 0) {
			*ret_loop = true;
			return NULL;
		}
		node_add(a, to, node_str(a, id));
	}
	node_add(a, to, node_str(a, b->subtree->serverid));
	return to;
}

static int
publish(
    struct branch *b, enum event_type type, struct node *map, struct arena *a)
{
	AUTO_STRBUF struct strbuf text;
	const char *project = node_text(node_get(map, "project"));

	strbuf_init(&text, DATA_MAX);
	if (project != NULL && strlen(project) > PROJECT_MAX)
		return -1;
	json_write(&text, map, JSON_COMPACT);
	if (arena_check(a, NULL) < 0 || strbuf_check(&text, NULL) < 0)
		return -1;
	events_publish(
	    b->subtree->all, type, project != NULL ? project : "", text.buf);
	return 0;
}

int
branch_publish(struct branch *b, enum event_type type, const struct node *data,
    struct arena *a)
{
	struct node *map = node_new(a, NODE_MAP), *via;
	const char *chain;
	bool loop = false;

	if (data->type != NODE_MAP)
		return -1;
	chain = chain_of(b, data, a);
	via = via_of(b, data, a, &loop);
	if (loop)
		return 0;
	if (chain == NULL || via == NULL)
		return -1;
	node_set(a, map, "chain", node_str(a, chain));
	node_set(a, map, "via", via);
	for (size_t i = 0; i < data->u.map.n; i++) {
		const struct node_pair *p = &data->u.map.pairs[i];

		if (strcmp(p->key->u.str.s, "chain") != 0 &&
		    strcmp(p->key->u.str.s, "via") != 0)
			node_add_pair(a, map, p->key, p->value);
	}
	return publish(b, type, map, a);
}

static int
take_event(struct branch *b, const struct sse_event *x)
{
	struct arena a AUTO_ARENA;
	enum event_type type;
	struct node *data;

	arena_init(&a, ARENA_MAX);
	if (strcmp(x->type, "reset") == 0) {
		branch_tell(b, "reset");
		return 0;
	}
	/* A newer server may have others. */
	if (!event_type_from_string(x->type, &type))
		return 0;
	if (json_read(x->data, x->data_len, &a, &data, NULL) < 0)
		return -1;
	return branch_publish(b, type, data, &a);
}

/* The stream */

static void
call_again(struct branch *b, int64_t ms)
{
	if (subtree_life_ms(b->subtree) > 0)
		timer_arm(&b->again, ms);
}

static void
call_later(struct branch *b)
{
	const struct backoff o = {
		.max_ms = AGAIN_MAX_MS,
		.factor_ms = 250,
		.jitter = 0.5,
	};

	b->failed++;
	call_again(b,
	    backoff_ms(&o, b->failed, (double)rand_below(1000001) / 1000000));
}

static bool
has_lasted(const struct branch *b)
{
	return b->begun && clock_mono_ms() - b->begun_ms >= SHORT_MS;
}

static void
end_stream(struct branch *b)
{
	if (has_lasted(b))
		b->failed = 0;
	if (b->stream.v != 0)
		chain_cancel(b->subtree->chain, b->stream);
	b->stream.v = 0;
	if (b->begun)
		sse_fini(&b->sse);
	b->begun = false;
}

static void
on_begun(int64_t length, void *ctx)
{
	struct branch *b = ctx;

	(void)length;
	b->begun = true;
	b->begun_ms = clock_mono_ms();
	sse_init(&b->sse, EVENT_MAX);
	/* What it does not know any more it says itself. */
	if (b->last_id[0] == '\0')
		branch_tell(b, "reset");
	else if (b->lost)
		branch_tell(b, "back");
}

static void
on_piece(const char *p, size_t len, void *ctx)
{
	struct branch *b = ctx;
	struct sse_event x;
	int rc;

	while ((rc = sse_next(&b->sse, &p, &len, &x, NULL)) == 0 &&
	    take_event(b, &x) == 0)
		continue;
	if (rc == SSE_NONE) {
		(void)snprintf(
		    b->last_id, sizeof(b->last_id), "%s", sse_last_id(&b->sse));
		return;
	}
	log_warn("events", FIELDS(LF_S("chain", b->name)),
	    "its events cannot be read");
	end_stream(b);
	b->last_id[0] = '\0';
	branch_tell(b, "lost");
	call_later(b);
}

/* Without a stream: whether it has none, or only not now. */
static void
take_refusal(struct branch *b, const struct chain_reply *r)
{
	if (r->error == NULL && (r->status == 404 || r->status == 400)) {
		b->poll = poll_new(b);
		call_again(b, SUBTREE_LEASE_MS);
		return;
	}
	if (!b->lost)
		branch_tell(b, "lost");
	if (r->error == NULL && r->status != 429 &&
	    (r->status < 500 || r->status == 508))
		call_again(b, UNABLE_MS);
	else
		call_later(b);
}

static void
on_done(const struct chain_reply *r, void *ctx)
{
	struct branch *b = ctx;
	bool begun = b->begun, lasted = has_lasted(b);

	b->stream.v = 0;
	end_stream(b);
	if (!begun) {
		take_refusal(b, r);
		return;
	}
	/* Its time was over: it goes on where it was. */
	if (r->error == NULL && lasted) {
		call_again(b, 0);
		return;
	}
	branch_tell(b, "lost");
	call_later(b);
}

void
branch_open(struct branch *b)
{
	struct subtree *st = b->subtree;
	int64_t lease = subtree_life_ms(st);
	const struct chain_request rq = {
		.entrypoint = b->name,
		.tail = true,
		.method = "GET",
		.path = PATH,
		.last_event_id = b->last_id[0] != '\0' ? b->last_id : NULL,
		.lease_ms = lease,
		.left_ms = CHAIN_DEADLINE_MS,
	};
	const struct chain_stream s = {
		.type = TYPE_EVENTS,
		.idle_ms = IDLE_MS,
		.begun = on_begun,
		.piece = on_piece,
	};
	struct error e = ERROR_INIT;

	if (lease <= 0 || b->stream.v != 0 || b->again.armed)
		return;
	/* It may have become one of ours. */
	b->poll = poll_free(b->poll);
	if (chain_stream(st->chain, &rq, &s, on_done, b, &b->stream, &e) == 0)
		return;
	log_warn("events", FIELDS(LF_S("chain", b->name)), "%s", e.text);
	call_later(b);
}

static void
on_again(struct timer *t)
{
	struct branch *b = container_of(t, struct branch, again);

	branch_open(b);
}

void
branch_close(struct branch *b)
{
	end_stream(b);
	timer_stop(&b->again);
	b->poll = poll_free(b->poll);
	b->last_id[0] = '\0';
	b->failed = 0;
	b->lost = false;
}

int
branch_new(
    struct branch **ret, struct subtree *st, const char *name, struct error *e)
{
	AUTO(branch) struct branch *b = mem_calloc(1, sizeof(*b));

	if (b == NULL)
		return error_nomem(e);
	b->subtree = st;
	b->name = mem_strdup(name);
	if (b->name == NULL)
		return error_nomem(e);
	if (timer_init(&b->again, st->loop, on_again, "branch-again", e) < 0)
		return -1;
	*ret = STEAL(b);
	return 0;
}

struct branch *
branch_free(struct branch *b)
{
	if (b == NULL)
		return NULL;
	branch_close(b);
	timer_fini(&b->again);
	mem_free(b->name);
	mem_free(b);
	return NULL;
}
