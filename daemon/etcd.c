/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See etcd.h. An operation is one call at a time: for each host in turn
 * GET /version, unless its path is configured, then the POST. It ends by the
 * first host that answers 200 with a JSON object, or when all have failed.
 */
#include "daemon/etcd.h"

#include <sys/queue.h>

#include <inttypes.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/base64.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/strbuf.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/event/loop.h"
#include "lib/net/httpc.h"
#include "proto/config.h"

#define TIMEOUT_MS 10000
#define REPLY_MAX ((size_t)64 << 10)
#define BODY_MAX ((size_t)64 << 10)
#define ARENA_MAX ((size_t)1 << 20)
#define SKIP_MS_PER_HOST 2000

struct host {
	const char *name;
	const char *base;
	/* NULL: by its version. */
	const char *path;
	const char *ca_cert;
	const char *cert_key;
	int64_t timeout_ms;
	/* Monotonic; 0: never. */
	int64_t failed_ms;
};

struct op {
	TAILQ_ENTRY(op) link;
	struct etcd *owner;
	struct etcd_id id;
	struct call_id call;
	/* "kv/put" or "kv/deleterange", and its body. */
	const char *what;
	struct strbuf body;
	etcd_done_fn *done;
	void *ctx;
	/* Hosts in the order in which they are asked; next: of the one that is
	 * asked after the current one. */
	size_t *order;
	size_t next;
	struct host *host;
	/* Runs what could not be told in the call that began it. */
	struct defer later;
};
TAILQ_HEAD(op_list, op);

struct etcd {
	struct loop *loop;
	struct httpc *http;
	struct arena arena;
	struct host *hosts;
	size_t hosts_n;
	struct op_list ops;
	uint64_t last_id;
};

static struct op *
op_free(struct op *o)
{
	if (o == NULL)
		return NULL;
	if (o->call.v != 0)
		httpc_cancel(o->owner->http, o->call);
	defer_cancel(&o->later);
	strbuf_fini(&o->body);
	mem_free(o->order);
	mem_free(o);
	return NULL;
}
AUTO_DEFINE(op)

/* Replies */

const char *
etcd_path_of_version(const char *version)
{
	uint64_t part[3] = { 0 };
	size_t n = 0;

	for (const char *p = version; n < ARRAY_LEN(part); n++) {
		size_t len = strcspn(p, ".");

		if (num_u64_len(p, len, 0, UINT32_MAX, &part[n], NULL) < 0)
			return NULL;
		if (p[len] == '\0')
			break;
		p += len + 1;
	}
	if (n == ARRAY_LEN(part))
		return NULL;
	if (part[0] > 3 || (part[0] == 3 && part[1] >= 4))
		return "/v3/";
	return part[0] == 3 && part[1] == 3 ? "/v3beta/" : "/v3alpha/";
}

static struct node *
read_object(const char *text, size_t len, struct arena *a, struct error *e)
{
	struct node *n;

	arena_init(a, ARENA_MAX);
	if (json_read(text, len, a, &n, e) < 0) {
		(void)error_set(e, OVE_UPSTREAM, "the reply is not JSON");
		return NULL;
	}
	if (n->type != NODE_MAP) {
		(void)error_set(e, OVE_UPSTREAM, "the reply is %s, not a map",
		    node_type_article(n));
		return NULL;
	}
	return n;
}

int
etcd_read_reply(
    const char *text, size_t len, bool *ret_deleted, struct error *e)
{
	AUTO_ARENA struct arena a;
	struct node *n = read_object(text, len, &a, e);

	if (n == NULL)
		return -1;
	/* A count, as text; absent when it is none. */
	*ret_deleted = node_get(n, "deleted") != NULL;
	return 0;
}

const char *
etcd_read_version(const char *text, size_t len, struct error *e)
{
	AUTO_ARENA struct arena a;
	struct node *n = read_object(text, len, &a, e);
	const char *version = node_text(node_get(n, "etcdserver"));
	const char *path = NULL;

	if (n == NULL)
		return NULL;
	if (version != NULL)
		path = etcd_path_of_version(version);
	if (path == NULL)
		(void)error_set(
		    e, OVE_UPSTREAM, "the reply has no version of etcd");
	return path;
}

/* Operations */

static void try_next(struct op *o);

/* Ends it. */
static void
finish(struct op *o, bool deleted, const struct error *failed)
{
	etcd_done_fn *done = o->done;
	void *ctx = o->ctx;

	TAILQ_REMOVE(&o->owner->ops, o, link);
	(void)op_free(o);
	done(deleted, failed, ctx);
}

static void
host_failed(struct op *o, const char *why)
{
	o->host->failed_ms = clock_mono_ms();
	log_warn("etcd", FIELDS(LF_S("host", o->host->name)),
	    "has failed, the next one is asked: %s", why);
	try_next(o);
}

/* The text of a reply that will do; else NULL, and the next host is asked. */
static bool
is_good(struct op *o, const struct httpc_reply *r,
    const struct httpc_failure *failed)
{
	struct error e = ERROR_INIT;

	o->call.v = 0;
	if (failed == NULL && r->status == 200)
		return true;
	if (failed == NULL)
		(void)error_set(&e, OVE_UPSTREAM, "status %d", r->status);
	host_failed(o, failed != NULL ? failed->error.text : e.text);
	return false;
}

static int
call(struct op *o, const char *method, const char *path, httpc_done_fn *done,
    struct error *e)
{
	static const char *const typed[] = { "Content-Type: application/json",
		NULL };
	AUTO_STRBUF struct strbuf url;
	bool posts = strcmp(method, "POST") == 0;
	const struct host *h = o->host;
	struct httpc_request rq = {
		.method = method,
		.connect_ms = h->timeout_ms,
		.total_ms = h->timeout_ms,
		.cacert = h->ca_cert,
		.certkey = h->cert_key,
		.headers = posts ? typed : NULL,
		.body = posts ? o->body.buf : NULL,
		.body_len = posts ? o->body.len : 0,
		.reply_max = REPLY_MAX,
	};

	strbuf_init(&url, BODY_MAX);
	strbuf_adds(&url, h->base);
	strbuf_adds(&url, path);
	if (posts)
		strbuf_adds(&url, o->what);
	if (strbuf_check(&url, e) < 0)
		return -1;
	rq.url = url.buf;
	return httpc_call(o->owner->http, &rq, done, o, &o->call, e);
}

static void
was_posted(struct call_id id, const struct httpc_reply *r,
    const struct httpc_failure *failed, void *ctx)
{
	struct error e = ERROR_INIT;
	struct op *o = ctx;
	bool deleted;

	(void)id;
	if (!is_good(o, r, failed))
		return;
	if (etcd_read_reply(r->body, r->body_len, &deleted, &e) < 0) {
		host_failed(o, e.text);
		return;
	}
	o->host->failed_ms = 0;
	finish(o, deleted, NULL);
}

static void
post(struct op *o, const char *path)
{
	struct error e = ERROR_INIT;

	if (call(o, "POST", path, was_posted, &e) < 0)
		host_failed(o, e.text);
}

static void
told_version(struct call_id id, const struct httpc_reply *r,
    const struct httpc_failure *failed, void *ctx)
{
	struct error e = ERROR_INIT;
	struct op *o = ctx;
	const char *path;

	(void)id;
	if (!is_good(o, r, failed))
		return;
	path = etcd_read_version(r->body, r->body_len, &e);
	if (path == NULL)
		host_failed(o, e.text);
	else
		post(o, path);
}

/* Each failure moves o->next on, so this nests no deeper than there are hosts.
 */
static void
try_next(struct op *o)
{
	struct error e = ERROR_INIT;

	if (o->next == o->owner->hosts_n) {
		(void)error_set(&e, OVE_UNAVAILABLE,
		    "All etcd instances do not seem to work correctly.");
		finish(o, false, &e);
		return;
	}
	o->host = &o->owner->hosts[o->order[o->next++]];
	if (o->host->path != NULL)
		post(o, o->host->path);
	else if (call(o, "GET", "/version", told_version, &e) < 0)
		host_failed(o, e.text);
}

static void
on_begin(struct defer *d)
{
	try_next(container_of(d, struct op, later));
}

/* Those that have not failed of late, then the others. */
static void
make_order(const struct etcd *c, size_t *order)
{
	int64_t now = clock_mono_ms();
	int64_t skip_ms = (int64_t)c->hosts_n * SKIP_MS_PER_HOST;
	size_t n = 0;

	for (int late = 0; late < 2; late++)
		for (size_t i = 0; i < c->hosts_n; i++) {
			int64_t at = c->hosts[i].failed_ms;
			bool skipped = at != 0 && now - at < skip_ms;

			if (skipped == (late == 1))
				order[n++] = i;
		}
}

static void
add_member(struct strbuf *b, const char *name, const char *value)
{
	strbuf_addf(b, "\"%s\": \"", name);
	base64_add(b, value, strlen(value), BASE64_PLAIN);
	strbuf_addc(b, '"');
}

static void
make_body(struct strbuf *b, const char *key, const char *value)
{
	strbuf_addc(b, '{');
	add_member(b, "key", key);
	if (value != NULL) {
		strbuf_adds(b, ", ");
		add_member(b, "value", value);
	}
	strbuf_addc(b, '}');
}

int
etcd_write(struct etcd *c, const char *key, const char *value,
    etcd_done_fn *done, void *ctx, struct etcd_id *ret, struct error *e)
{
	AUTO(op) struct op *o = mem_calloc(1, sizeof(*o));

	if (o == NULL)
		return error_nomem(e);
	o->owner = c;
	o->what = value != NULL ? "kv/put" : "kv/deleterange";
	o->done = done;
	o->ctx = ctx;
	strbuf_init(&o->body, BODY_MAX);
	defer_init(&o->later, on_begin, "etcd");
	make_body(&o->body, key, value);
	if (strbuf_check(&o->body, e) < 0)
		return -1;
	o->order = mem_calloc(c->hosts_n + 1, sizeof(*o->order));
	if (o->order == NULL)
		return error_nomem(e);
	make_order(c, o->order);
	o->id.v = ++c->last_id;
	*ret = o->id;
	TAILQ_INSERT_TAIL(&c->ops, o, link);
	loop_defer(c->loop, &o->later);
	(void)STEAL(o);
	return 0;
}

void
etcd_cancel(struct etcd *c, struct etcd_id id)
{
	struct op *o;

	TAILQ_FOREACH (o, &c->ops, link) {
		if (o->id.v == id.v) {
			TAILQ_REMOVE(&c->ops, o, link);
			(void)op_free(o);
			return;
		}
	}
}

/* The client */

static const char *
copy(struct arena *a, const char *s)
{
	return s != NULL ? arena_strdup(a, s) : NULL;
}

static void
take_host(struct arena *a, const char *name, const struct config_etcd *c,
    struct host *ret)
{
	bool is_ipv6 = strchr(name, ':') != NULL && name[0] != '[';

	*ret = (struct host){
		.name = copy(a, name),
		.base = arena_printf(a,
		    is_ipv6 ? "%s://[%s]:%" PRId64 : "%s://%s:%" PRId64,
		    c->protocol, name, c->port),
		.path = copy(a, c->api_path),
		.ca_cert = copy(a, c->ca_cert),
		.cert_key = copy(a, c->cert_key),
		.timeout_ms = c->timeout_ms > 0 ? c->timeout_ms : TIMEOUT_MS,
	};
}

int
etcd_new(struct etcd **ret, struct loop *l, struct httpc *http,
    const char *const *names, const struct config_etcd *hosts, size_t n,
    struct error *e)
{
	AUTO(etcd) struct etcd *c = mem_calloc(1, sizeof(*c));

	if (c == NULL)
		return error_nomem(e);
	c->loop = l;
	c->http = http;
	TAILQ_INIT(&c->ops);
	arena_init(&c->arena, ARENA_MAX);
	c->hosts = arena_calloc(&c->arena, n + 1, sizeof(*c->hosts));
	for (size_t i = 0; c->hosts != NULL && i < n; i++)
		take_host(&c->arena, names[i], &hosts[i], &c->hosts[i]);
	c->hosts_n = n;
	if (arena_check(&c->arena, e) < 0)
		return -1;
	*ret = STEAL(c);
	return 0;
}

struct etcd *
etcd_free(struct etcd *c)
{
	struct op *o;

	if (c == NULL)
		return NULL;
	while ((o = TAILQ_FIRST(&c->ops)) != NULL) {
		TAILQ_REMOVE(&c->ops, o, link);
		(void)op_free(o);
	}
	arena_fini(&c->arena);
	mem_free(c);
	return NULL;
}
