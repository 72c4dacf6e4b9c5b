/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the files of the HTTP server share, and nobody else includes: httpd.c
 * (connections on bufferevents), httpd_reply.c (replies), httpd_server.c (the
 * whole, deadlines), httpd_listen.c (sockets that accept, peers and their
 * counts), httpd_req.c (requests).
 */
#pragma once

#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <netinet/in.h>

#include "lib/base/arena.h"
#include "lib/event/loop.h"
#include "lib/net/httpd.h"

struct bufferevent;

/* Requests that are kept for reuse, and what one may keep for its next use. */
#define REQ_POOL_MAX 32
#define REQ_KEEP_MAX ((size_t)64 << 10)
/* Everything that is parsed for one request. */
#define REQ_ARENA_MAX ((size_t)64 << 20)
/* Buckets, powers of 2. */
#define REQ_BUCKETS 1024
#define PEER_BUCKETS 1024
#define REQUEST_ID_MAX 64

/* What a connection does, and with CONN_READING below how the next byte is
 * taken. */
enum conn_state {
	/* No byte of a request is here. */
	CONN_IDLE,
	CONN_HEAD,
	CONN_BODY,
	/* The handler has the request; req is set. */
	CONN_WORK,
	/* The handler sends the reply in pieces; req is set. */
	CONN_STREAM,
	/* A reply waits for the client to take it. */
	CONN_WRITE,
	/* Our side is shut; what still comes is thrown away. */
	CONN_LINGER,
	/* Retired. */
	CONN_DEAD,
};

/* Which deadline runs. Each has a list; as all of a list wait equally long, its
 * order is the order of the deadlines. */
enum conn_wait {
	WAIT_IDLE,
	WAIT_HEAD,
	WAIT_BODY,
	WAIT_WRITE,
	WAIT_LINGER,
	/* None: the handler's business. */
	WAIT_WORK,
	WAIT_COUNT,
};

struct address {
	/* AF_INET, AF_INET6, or AF_UNIX without bytes. */
	int family;
	unsigned char bytes[16];
};

/* How many connections an address has: an IPv4 address or an IPv6 /64, which is
 * what one customer gets. */
struct peer {
	LIST_ENTRY(peer) link;
	struct address key;
	unsigned conns_n;
};

struct conn {
	struct httpd *d;
	struct bufferevent *bev;
	/* What goes out must go through bev. */
	bool tls;
	/* In d->waits[wait]. */
	TAILQ_ENTRY(conn) link;
	enum conn_state state;
	enum conn_wait wait;
	/* Monotonic; of no meaning in WAIT_WORK. */
	int64_t deadline_ms;
	/* Of the head that is being read. */
	size_t seen;
	/* NULL unless a head has been read and not been answered. */
	struct http_req *req;
	/* NULL for a unix socket. */
	struct peer *peer;
	/* The address as text, or "unix". */
	char from[INET6_ADDRSTRLEN];
	struct defer again;
	struct retire retire;
	/* Bytes that lingering may still throw away. */
	size_t linger_left;
	/* process() is on the stack. */
	bool busy;
	/* The client has sent its last byte. */
	bool eof;
	/* Not reading, as too much input waits. */
	bool paused;
	bool close_after;
	bool linger_after;
};

/* How the client learns where the body ends. */
enum req_framing {
	FRAMING_LENGTH,
	FRAMING_CHUNKS,
	FRAMING_CLOSE,
};

struct http_req {
	/* In d->requests by id, or in d->pool. */
	LIST_ENTRY(http_req) link;
	/* NULL in the pool. */
	struct conn *conn;
	struct req_id id;
	struct http1_head head;
	/* Owns what the spans of head point to. */
	struct arena arena;
	struct strbuf body;
	struct http1_chunked chunked;
	size_t body_max;
	/* The body, if any, has been read. */
	bool whole;
	/* The handler has seen it. */
	bool shown;
	/* It answers without the body, later. */
	bool held;
	/* It is being answered in pieces. */
	bool streamed;
	/* Of a stream: its status, how its end is told, the bytes of the body
	 * so far, and how many it will be. */
	int status;
	enum req_framing framing;
	size_t sent;
	size_t length;
	const char *method;
	const char *path;
	int64_t start_ms;
	void *ctx;
	char request_id[REQUEST_ID_MAX + 1];
};

struct listener {
	LIST_ENTRY(listener) link;
	struct httpd *d;
	struct watch watch;
	int fd;
	bool tls;
	/* NULL, or the socket to remove at the end. */
	char *unix_path;
};

TAILQ_HEAD(conn_list, conn);
LIST_HEAD(req_list, http_req);
LIST_HEAD(peer_list, peer);
LIST_HEAD(listener_list, listener);

struct httpd {
	struct loop *loop;
	struct httpd_limits limits;
	struct httpd_handler handler;
	/* For connections to come; NULL: those to a TLS port are closed. */
	const struct tls *tls;
	struct conn_list waits[WAIT_COUNT];
	unsigned conns_n;
	unsigned in_flight;
	struct timer sweep;
	/* Of the callback that runs. */
	int64_t now_ms;
	bool draining;
	/* Scratch for a reply's head and for a refusal's body. */
	struct strbuf out;
	struct strbuf refusal;

	struct req_list requests[REQ_BUCKETS];
	struct req_list pool;
	unsigned pool_n;
	uint64_t last_id;
	char id_prefix[9];

	struct listener_list listeners;
	struct timer resume;
	struct peer_list peers[PEER_BUCKETS];
	uint64_t peer_seed;
};

/* httpd.c */

/* Takes fd: serves it, or closes it when there are too many. tls: it came to a
 * TLS port. */
void conn_open(struct httpd *d, int fd, const struct address *from, bool tls);

void conn_close(struct conn *c);
/* Its deadline has passed. */
void conn_expire(struct conn *c);
/* It has sent nothing that would be answered. */
bool conn_is_quiet(const struct conn *c);
/* Bytes that wait to be read, and to be sent. */
size_t conn_input_len(const struct conn *c);
size_t conn_output_len(const struct conn *c);
/* Throws so many bytes of the input away. */
void conn_drain(struct conn *c, size_t n);
/* Sends, or queues what the kernel does not take. -1: the connection is of no
 * more use. */
int conn_send(struct conn *c, struct iovec *iov, int iov_n);
/* The reply has left the output. */
void conn_flushed(struct conn *c);

/* httpd_reply.c */

/* Answers what is no request, and closes the connection. */
void conn_refuse(struct conn *c, int status, const char *why);

/* httpd_server.c */

/* Moves it to another list, with a new deadline. */
void conn_wait_for(struct conn *c, enum conn_wait wait);
/* There is a connection: deadlines are to be looked after. */
void sweep_start(struct httpd *d);

/* httpd_listen.c */

int listeners_init(struct httpd *d, struct error *e);
void listeners_close(struct httpd *d);
/* Also after listeners_init() has failed. */
void listeners_fini(struct httpd *d);
/* Counts a connection: NULL when there are too many of the address, or no
 * memory. */
struct peer *peer_get(struct httpd *d, const struct address *from);
void peer_put(struct peer *p);

/* httpd_req.c */

/* From the pool or new: not begun. NULL without memory. */
struct http_req *req_get(struct httpd *d);
/* Gives it an id and, with text not NULL, a copy of the head that was read from
 * there into r->head; without, r stays empty. false without memory. */
bool req_begin(struct http_req *r, struct conn *c, const char *text);
/* Back into the pool. */
void req_end(struct httpd *d, struct http_req *r);
void req_put_back(struct httpd *d, struct http_req *r);
void req_pool_free(struct httpd *d);
/* The head of a reply into d->out. */
void req_write_head(struct httpd *d, const struct http_reply *reply,
    enum req_framing framing, bool close);
