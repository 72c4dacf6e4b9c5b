/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Listeners: addresses become sockets, sockets accept, and each connection is
 * counted for the address that it comes from. See httpd.h.
 *
 * "*:PORT" is two sockets, one per family, so that addresses of one family
 * never show up in the dress of the other; a system without IPv6 gets one. When
 * descriptors or memory run out, all listeners rest for a moment: the clients
 * wait in the kernel's queue, and the loop does not spin over an accept that
 * fails. Names are not looked up; an address is a number.
 */
#include "lib/net/httpd_internal.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/rand.h"
#include "lib/base/rights.h"

/* The kernel takes less where it is set to (kern.ipc.soacceptqueue, somaxconn).
 */
#define BACKLOG 4096
#define ACCEPTS_PER_TURN 64
#define REST_MS 100
/* Ports that the kernel chose for IPv4 and that IPv6 has in use. */
#define SAME_PORT_TRIES 16

union any_address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_storage room;
};

static void
to_address(const union any_address *from, struct address *ret)
{
	*ret = (struct address){ .family = from->sa.sa_family };
	if (ret->family == AF_INET)
		memcpy(ret->bytes, &from->in.sin_addr, 4);
	else if (ret->family == AF_INET6)
		memcpy(ret->bytes, &from->in6.sin6_addr, 16);
	else
		ret->family = AF_UNIX;
}

static struct peer_list *
peer_bucket(struct httpd *d, const struct address *key)
{
	uint64_t h = hash_add(d->peer_seed, key->bytes, sizeof(key->bytes));

	return &d->peers[(h ^ h >> 32) % PEER_BUCKETS];
}

struct peer *
peer_get(struct httpd *d, const struct address *from)
{
	struct address key = *from;
	struct peer_list *list;
	struct peer *p;

	if (key.family == AF_INET6)
		memset(key.bytes + 8, 0, 8);
	list = peer_bucket(d, &key);
	LIST_FOREACH (p, list, link)
		if (p->key.family == key.family &&
		    memcmp(p->key.bytes, key.bytes, sizeof(key.bytes)) == 0)
			break;
	if (p == NULL) {
		p = mem_calloc(1, sizeof(*p));
		if (p == NULL)
			return NULL;
		p->key = key;
		LIST_INSERT_HEAD(list, p, link);
	}
	if (p->conns_n >= d->limits.connections_per_address)
		return NULL;
	p->conns_n++;
	return p;
}

void
peer_put(struct peer *p)
{
	if (p == NULL || --p->conns_n > 0)
		return;
	LIST_REMOVE(p, link);
	mem_free(p);
}

static void
rest(struct httpd *d)
{
	struct listener *l;

	log_debug("httpd", NO_FIELDS, "cannot accept, resting for %d ms: %s",
	    REST_MS, strerror(errno));
	LIST_FOREACH (l, &d->listeners, link)
		watch_stop(&l->watch);
	timer_arm(&d->resume, REST_MS);
}

static void
on_resume(struct timer *t)
{
	struct httpd *d = container_of(t, struct httpd, resume);
	struct listener *l;

	LIST_FOREACH (l, &d->listeners, link)
		if (watch_start(&l->watch, NULL) == -1)
			timer_arm(t, REST_MS);
}

static void
on_connection(struct watch *w, int what)
{
	struct listener *l = container_of(w, struct listener, watch);
	union any_address from;
	struct address address;
	socklen_t len;
	int fd, n;

	(void)what;
	for (n = 0; n < ACCEPTS_PER_TURN; n++) {
		len = sizeof(from);
		from.sa.sa_family = AF_UNIX;
		fd = accept4(
		    l->fd, &from.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd == -1 && (errno == EAGAIN))
			return;
		if (fd == -1) {
			rest(l->d);
			return;
		}
		to_address(&from, &address);
		conn_open(l->d, fd, &address, l->tls);
	}
}

static struct listener *
listener_free(struct listener *l)
{
	if (l == NULL)
		return NULL;
	watch_fini(&l->watch);
	if (l->fd != -1)
		(void)close(l->fd);
	if (l->unix_path != NULL)
		(void)unlink(l->unix_path);
	mem_free(l->unix_path);
	mem_free(l);
	return NULL;
}
AUTO_DEFINE(listener)

static struct listener *
listener_unlink(struct listener *l)
{
	LIST_REMOVE(l, link);
	return listener_free(l);
}

/* What a listener is made of: the address in both forms. */
struct listen_at {
	const char *text;
	union any_address at;
	socklen_t len;
	bool tls;
};

static int
bind_listener(struct listener *l, const struct listen_at *p, struct error *e)
{
	int on = 1, family = p->at.sa.sa_family;

	l->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd == -1)
		return error_set_errno(e, errno, "listen on %s", p->text);
	if (family != AF_UNIX) {
		(void)setsockopt(
		    l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		/* Handed down to what is accepted. */
		(void)setsockopt(
		    l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	}
	if (family == AF_INET6)
		(void)setsockopt(
		    l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(l->fd, &p->at.sa, p->len) == -1)
		return error_set_errno(e, errno, "listen on %s", p->text);
	if (family == AF_UNIX) {
		l->unix_path = mem_strdup(p->at.un.sun_path);
		if (l->unix_path == NULL)
			return error_nomem(e);
		(void)chmod(l->unix_path, 0660);
	}
	if (listen(l->fd, BACKLOG) == -1)
		return error_set_errno(e, errno, "listen on %s", p->text);
	if (rights_limit(l->fd, RIGHTS_LISTEN, e) < 0)
		return error_wrap(e, "listen on %s", p->text);
	return 0;
}

static int
add_listener(struct httpd *d, const struct listen_at *p, uint16_t *ret_port,
    struct error *e)
{
	AUTO(listener) struct listener *l = mem_calloc(1, sizeof(*l));
	union any_address got = { 0 };
	socklen_t len = sizeof(got);

	if (l == NULL)
		return error_nomem(e);
	l->d = d;
	l->fd = -1;
	l->tls = p->tls;
	if (bind_listener(l, p, e) == -1)
		return -1;
	if (getsockname(l->fd, &got.sa, &len) == -1)
		return error_set_errno(e, errno, "listen on %s", p->text);
	if (watch_init(&l->watch, d->loop, l->fd, WATCH_READ, on_connection,
		"accept", e) == -1 ||
	    watch_start(&l->watch, e) == -1)
		return -1;
	if (got.sa.sa_family == AF_INET)
		*ret_port = ntohs(got.in.sin_port);
	else if (got.sa.sa_family == AF_INET6)
		*ret_port = ntohs(got.in6.sin6_port);
	else
		*ret_port = 0;
	LIST_INSERT_HEAD(&d->listeners, l, link);
	l = NULL;
	return 0;
}

/* A socket that a dead server has left behind; a living one is in use. */
static void
remove_stale(const struct listen_at *p)
{
	struct stat st;
	int fd, rc;

	if (lstat(p->at.un.sun_path, &st) == -1 || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	rc = connect(fd, &p->at.sa, p->len);
	if (rc == -1 && errno == ECONNREFUSED)
		(void)unlink(p->at.un.sun_path);
	(void)close(fd);
}

static int
listen_unix(
    struct httpd *d, const char *text, const char *path, struct error *e)
{
	struct listen_at p = { .text = text, .len = sizeof(p.at.un) };
	size_t len = strlen(path);
	uint16_t port;

	if (len == 0 || len >= sizeof(p.at.un.sun_path))
		return error_set(e, OVE_INVALID,
		    "listen on %s: a path of 1 to %zu bytes is needed", text,
		    sizeof(p.at.un.sun_path) - 1);
	p.at.un.sun_family = AF_UNIX;
	memcpy(p.at.un.sun_path, path, len + 1);
	remove_stale(&p);
	return add_listener(d, &p, &port, e);
}

static void
set_port(struct listen_at *p, uint16_t port)
{
	if (p->at.sa.sa_family == AF_INET)
		p->at.in.sin_port = htons(port);
	else
		p->at.in6.sin6_port = htons(port);
}

static void
set_any(struct listen_at *p, int family)
{
	memset(&p->at, 0, sizeof(p->at));
	p->at.sa.sa_family = (sa_family_t)family;
	if (family == AF_INET6)
		p->at.in6.sin6_addr = in6addr_any;
	p->len = family == AF_INET ? sizeof(p->at.in) : sizeof(p->at.in6);
}

/* Both families on one port; *ret_port as asked for or as chosen. */
static int
listen_any(struct httpd *d, struct listen_at *p, uint16_t port,
    uint16_t *ret_port, struct error *e)
{
	struct error e6 = ERROR_INIT;
	uint16_t port6;
	int tries, rc;

	for (tries = 0; tries < SAME_PORT_TRIES; tries++) {
		set_any(p, AF_INET);
		set_port(p, port);
		if (add_listener(d, p, ret_port, e) == -1)
			return -1;
		set_any(p, AF_INET6);
		set_port(p, *ret_port);
		rc = add_listener(d, p, &port6, &e6);
		if (rc == 0 || e6.sys == EAFNOSUPPORT ||
		    e6.sys == EADDRNOTAVAIL)
			return 0;
		(void)listener_unlink(LIST_FIRST(&d->listeners));
		if (port != 0 || e6.sys != EADDRINUSE)
			break;
	}
	if (e != NULL)
		*e = e6;
	return -1;
}

/* Splits "HOST:PORT" into p; "*" leaves the family AF_UNSPEC. */
static bool
parse(const char *text, struct listen_at *p, uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN];
	size_t len;
	uint64_t port;

	if (colon == NULL || num_u64(colon + 1, 0, 65535, &port, NULL) == -1)
		return false;
	len = (size_t)(colon - text);
	*ret_port = (uint16_t)port;
	if (len == 1 && text[0] == '*') {
		set_any(p, AF_UNSPEC);
		return true;
	}
	set_any(p, AF_INET);
	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		set_any(p, AF_INET6);
		text++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (p->at.sa.sa_family == AF_INET)
		return inet_pton(AF_INET, host, &p->at.in.sin_addr) == 1;
	return inet_pton(AF_INET6, host, &p->at.in6.sin6_addr) == 1;
}

static int
listen_on(struct httpd *d, const char *address, bool tls, uint16_t *ret_port,
    struct error *e)
{
	struct listen_at p = { .text = address, .tls = tls };
	uint16_t port = 0, got = 0;
	int rc;

	if (strncmp(address, "unix:", 5) == 0) {
		rc = listen_unix(d, address, address + 5, e);
	} else if (!parse(address, &p, &port)) {
		return error_set(e, OVE_INVALID,
		    "listen on %s: not '127.0.0.1:PORT', '[::1]:PORT', "
		    "'*:PORT' or 'unix:/PATH'",
		    address);
	} else if (p.at.sa.sa_family == AF_UNSPEC) {
		rc = listen_any(d, &p, port, &got, e);
	} else {
		set_port(&p, port);
		rc = add_listener(d, &p, &got, e);
	}
	if (rc == 0 && ret_port != NULL)
		*ret_port = got;
	return rc;
}

int
httpd_listen(
    struct httpd *d, const char *address, uint16_t *ret_port, struct error *e)
{
	return listen_on(d, address, false, ret_port, e);
}

int
httpd_listen_tls(
    struct httpd *d, const char *address, uint16_t *ret_port, struct error *e)
{
	return listen_on(d, address, true, ret_port, e);
}

int
listeners_init(struct httpd *d, struct error *e)
{
	LIST_INIT(&d->listeners);
	d->peer_seed = rand_u64();
	return timer_init(&d->resume, d->loop, on_resume, "httpd-resume", e);
}

void
listeners_close(struct httpd *d)
{
	timer_stop(&d->resume);
	while (!LIST_EMPTY(&d->listeners))
		(void)listener_unlink(LIST_FIRST(&d->listeners));
}

void
listeners_fini(struct httpd *d)
{
	listeners_close(d);
	timer_fini(&d->resume);
}
