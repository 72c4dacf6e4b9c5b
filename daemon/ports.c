/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See ports.h. A port is free when we can listen on it and reach ourselves
 * there; what is drawn once is not drawn again for the same job.
 */
#include "daemon/ports.h"

#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "daemon/jailfiles.h"
#include "daemon/netif.h"
#include "daemon/portset.h"
#include "lib/base/arena.h"
#include "lib/base/mem.h"
#include "lib/event/worker.h"

#define ARENA_MAX ((size_t)4 << 20)
/* The contract's three, and some more: each has a port of its own. */
#define ATTEMPTS_MAX 8
#define PATIENCE_S 2

struct search {
	TAILQ_ENTRY(search) link;
	struct work work;
	struct ports *owner;
	struct ports_id id;
	/* NULL when it was cancelled. */
	ports_done_fn *done;
	void *ctx;
	struct arena arena;
	const char *jails;
	struct ports_wish *wishes;
	size_t n;
	uint16_t *ports;
	struct ports_result result;
};
TAILQ_HEAD(search_list, search);

struct ports {
	struct worker *worker;
	struct search_list list;
	uint64_t last_id;
};

static struct search *
search_free(struct search *s)
{
	if (s == NULL)
		return NULL;
	arena_fini(&s->arena);
	mem_free(s);
	return NULL;
}
AUTO_DEFINE(search)

/* Trying */

union any_address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t
make_address(const struct netif_addr *a, const char *iface, uint16_t port,
    union any_address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (a->family == AF_INET) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons(port);
		memcpy(&ret->in.sin_addr, a->bytes, sizeof(ret->in.sin_addr));
		return sizeof(ret->in);
	}
	ret->in6.sin6_family = AF_INET6;
	ret->in6.sin6_port = htons(port);
	memcpy(&ret->in6.sin6_addr, a->bytes, sizeof(ret->in6.sin6_addr));
	if (IN6_IS_ADDR_LINKLOCAL(&ret->in6.sin6_addr))
		ret->in6.sin6_scope_id = if_nametoindex(iface);
	return sizeof(ret->in6);
}

static int
open_socket(int family, int *ret, struct error *e)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	const int one = 1;

	*ret = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*ret < 0)
		return error_set_errno(e, errno, "socket");
	(void)setsockopt(*ret, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	(void)setsockopt(
	    *ret, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(
	    *ret, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return 0;
}

static int
accept_one(int server)
{
	int fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);

	return fd < 0 ? -1 : close(fd);
}

/* 0, PORTS_NONE when somebody has it, -1. */
static int
try_port(const struct netif_addr *a, const char *iface, uint16_t port,
    struct error *e)
{
	union any_address at;
	socklen_t len = make_address(a, iface, port, &at);
	AUTO_FD int server = -1;
	AUTO_FD int client = -1;

	if (open_socket(a->family, &server, e) < 0 ||
	    open_socket(a->family, &client, e) < 0)
		return -1;
	if (bind(server, &at.sa, len) < 0 || listen(server, 1) < 0)
		return errno == EADDRINUSE
		    ? PORTS_NONE
		    : error_set_errno(
			  e, errno, "%s port %u", a->text, (unsigned)port);
	if (connect(client, &at.sa, len) < 0 || accept_one(server) < 0)
		return error_set_errno(
		    e, errno, "%s port %u", a->text, (unsigned)port);
	return 0;
}

/* Searching, on the thread */

static void
end_search(struct search *s, enum ports_end end, const char *exception,
    const struct error *e)
{
	s->result.end = end;
	s->result.exception = exception;
	if (e != NULL)
		s->result.e = *e;
}

/* Grants one wish; false when it has ended the search. */
static bool
grant(struct search *s, size_t i, struct portset *used)
{
	const struct ports_wish *w = &s->wishes[i];
	struct error e = ERROR_INIT;
	uint16_t first, end, port;
	struct netif_addr a;
	int r;

	if (ports_range(&first, &end, &e) < 0 ||
	    jailfiles_ports(s->jails, w->iface, used, &e) < 0) {
		end_search(s, PORTS_FAILED, "OSError", &e);
		return false;
	}
	port = portset_draw(used, first, end);
	if (port == 0) {
		(void)error_set(
		    &e, OVE_UNAVAILABLE, "Impossible to find a free port.");
		end_search(s, PORTS_FAILED, "OSError", &e);
		return false;
	}
	r = netif_find(w->iface, w->network, &a, &e);
	if (r < 0)
		end_search(s, PORTS_FAILED, netif_exception(&e), &e);
	if (r == NETIF_NONE)
		end_search(s, PORTS_NONE, NULL, NULL);
	if (r != 0)
		return false;
	for (int n = 0; n < ATTEMPTS_MAX && port != 0; n++) {
		portset_add(used, port);
		r = try_port(&a, w->iface, port, &e);
		if (r < 0)
			end_search(s, PORTS_FAILED, "OSError", &e);
		if (r == 0)
			s->ports[i] = port;
		if (r != PORTS_NONE)
			return r == 0;
		port = portset_draw(used, first, end);
	}
	end_search(s, PORTS_NONE, NULL, NULL);
	return false;
}

static void
run_search(struct search *s)
{
	struct portset used = { { 0 } };

	for (size_t i = 0; i < s->n; i++) {
		s->result.which = i;
		if (!grant(s, i, &used))
			return;
		/* Jails of one interface are nothing to the next one. */
		memset(&used, 0, sizeof(used));
		for (size_t k = 0; k <= i; k++)
			portset_add(&used, s->ports[k]);
	}
	s->result.end = PORTS_FOUND;
}

static void
run_all(struct work_list *all, void *ctx)
{
	struct work *w;

	(void)ctx;
	TAILQ_FOREACH (w, all, link)
		run_search(container_of(w, struct search, work));
}

/* On the loop */

static void
was_done(struct work *w)
{
	struct search *s = container_of(w, struct search, work);

	TAILQ_REMOVE(&s->owner->list, s, link);
	if (s->done != NULL)
		s->done(&s->result, s->ctx);
	(void)search_free(s);
}

int
ports_find(struct ports *p, const char *jails, const struct ports_wish *wishes,
    size_t n, ports_done_fn *done, void *ctx, struct ports_id *ret,
    struct error *e)
{
	AUTO(search) struct search *s = mem_calloc(1, sizeof(*s));
	struct arena *a;

	if (s == NULL)
		return error_nomem(e);
	a = &s->arena;
	arena_init(a, ARENA_MAX);
	s->owner = p;
	s->done = done;
	s->ctx = ctx;
	s->n = n;
	s->jails = arena_strdup(a, jails);
	s->ports = arena_calloc(a, n, sizeof(*s->ports));
	s->wishes = arena_calloc(a, n, sizeof(*s->wishes));
	for (size_t i = 0; s->wishes != NULL && i < n; i++) {
		s->wishes[i].iface = arena_strdup(a, wishes[i].iface);
		if (wishes[i].network != NULL)
			s->wishes[i].network =
			    arena_strdup(a, wishes[i].network);
	}
	if (arena_check(a, e) < 0)
		return -1;
	s->result.ports = s->ports;
	s->work.done = was_done;
	s->id.v = ++p->last_id;
	*ret = s->id;
	TAILQ_INSERT_TAIL(&p->list, s, link);
	worker_submit(p->worker, &s->work);
	(void)STEAL(s);
	return 0;
}

void
ports_cancel(struct ports *p, struct ports_id id)
{
	struct search *s;

	TAILQ_FOREACH (s, &p->list, link)
		if (s->id.v == id.v)
			s->done = NULL;
}

int
ports_new(struct ports **ret, struct loop *l, struct error *e)
{
	struct ports *p = mem_calloc(1, sizeof(*p));

	if (p == NULL)
		return error_nomem(e);
	TAILQ_INIT(&p->list);
	if (worker_new(&p->worker, l, "ports", run_all, NULL, e) < 0) {
		mem_free(p);
		return -1;
	}
	*ret = p;
	return 0;
}

struct ports *
ports_free(struct ports *p)
{
	struct search *s;

	if (p == NULL)
		return NULL;
	TAILQ_FOREACH (s, &p->list, link)
		s->done = NULL;
	p->worker = worker_free(p->worker);
	mem_free(p);
	return NULL;
}
