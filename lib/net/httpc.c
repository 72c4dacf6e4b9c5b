/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The HTTP client: see httpc.h. libcurl's multi interface does the protocol and
 * keeps the connections; this file puts it on the loop, bounds what it takes,
 * and turns its results into replies or into words for people.
 *
 * A call lives in one list from httpc_call() until its completion runs. It is
 * active (libcurl has its handle), then finished (the handle is gone, its
 * deferred call waits). It leaves the list before the user's function is
 * called, so that function may cancel anything, itself included, or free the
 * client.
 *
 * libcurl's callbacks record and re-arm, nothing else. What they tell about
 * sockets is kept in a table of our own: nothing has to be asked of libcurl,
 * and the removal of a socket that was never added (curl issue 17949) finds
 * nothing. When a socket cannot be watched for lack of memory, its call is
 * marked and ended by a deferred function.
 *
 * Waiting for a place and for bytes is timed here, connecting by libcurl.
 */
#include "lib/net/httpc.h"

#include <sys/queue.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/strbuf.h"
#include "lib/event/loop.h"

/* All header lines of a reply, interim ones included. */
#define HEADER_MAX ((size_t)64 << 10)
#define CONTENT_TYPE_MAX 128
#define SOCK_BUCKETS 64

struct sock {
	LIST_ENTRY(sock) link;
	struct httpc *h;
	/* what is 0 while libcurl waits for nothing. */
	struct watch watch;
	int fd;
};

struct httpc {
	struct loop *loop;
	CURLM *multi;
	char *user_agent;
	/* libcurl's one timer. */
	struct timer timer;
	/* Ends the calls that are broken. */
	struct defer mend;
	TAILQ_HEAD(call_list, call) calls;
	unsigned pending;
	uint64_t last_id;
	LIST_HEAD(sock_list, sock) socks[SOCK_BUCKETS];
	/* curl_global_init_mem() was called. */
	bool global;
	bool has_gzip;
	/* The system's bundle of certificates suffices. */
	bool has_bundle;
};

struct call {
	TAILQ_ENTRY(call) link;
	struct httpc *h;
	struct call_id id;
	httpc_done_fn *done;
	void *ctx;
	/* NULL when finished. */
	CURL *easy;
	struct curl_slist *headers;
	/* For total_ms and read_ms; see call_arm(). */
	struct timer timer;
	struct defer finish;
	int64_t connect_ms;
	int64_t read_ms;
	int64_t total_ms;
	int64_t started_ms;
	/* When a byte last went through. */
	int64_t moved_ms;
	curl_off_t moved;
	/* The connection stands: what was to be sent has begun to be. */
	bool sending;
	/* A socket of it could not be watched. */
	bool broken;
	size_t header_len;
	struct strbuf body;
	/* Only when finished; failed is empty if there is a reply. */
	struct error failed;
	struct httpc_reply reply;
	char content_type[CONTENT_TYPE_MAX];
	char why[CURL_ERROR_SIZE];
};

/* Sockets */

static struct sock_list *
sock_bucket(struct httpc *h, int fd)
{
	return &h->socks[(unsigned)fd % SOCK_BUCKETS];
}

static struct sock *
sock_find(struct httpc *h, int fd)
{
	struct sock *s;

	LIST_FOREACH (s, sock_bucket(h, fd), link)
		if (s->fd == fd)
			return s;
	return NULL;
}

static struct sock *
sock_add(struct httpc *h, int fd)
{
	struct sock *s = mem_calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->h = h;
	s->fd = fd;
	LIST_INSERT_HEAD(sock_bucket(h, fd), s, link);
	return s;
}

static void
sock_remove(struct sock *s)
{
	LIST_REMOVE(s, link);
	watch_fini(&s->watch);
	mem_free(s);
}

static void collect(struct httpc *h);

/* Lets libcurl work. Without memory for its own table of sockets it says so
 * here, not which transfer will hear no more of its socket: it could be any. */
static void
act(struct httpc *h, curl_socket_t fd, int mask)
{
	struct call *c;
	int running;

	if (curl_multi_socket_action(h->multi, fd, mask, &running) ==
	    CURLM_OUT_OF_MEMORY) {
		TAILQ_FOREACH (c, &h->calls, link)
			c->broken = true;
		loop_defer(h->loop, &h->mend);
	}
	collect(h);
}

static void
on_socket(struct watch *w, int what)
{
	struct sock *s = container_of(w, struct sock, watch);
	struct httpc *h = s->h;
	int mask;

	mask = ((what & WATCH_READ) != 0 ? CURL_CSELECT_IN : 0) |
	    ((what & WATCH_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
	/* s may be gone after this. */
	act(h, s->fd, mask);
}

static int
sock_set(struct httpc *h, int fd, int what)
{
	struct sock *s = sock_find(h, fd);

	if (s == NULL)
		s = sock_add(h, fd);
	if (s == NULL)
		return -1;
	if (s->watch.what == what)
		return 0;
	watch_fini(&s->watch);
	s->watch.what = 0;
	if (what == 0)
		return 0;
	if (watch_init(&s->watch, h->loop, fd, what, on_socket, "httpc_socket",
		NULL) < 0 ||
	    watch_start(&s->watch, NULL) < 0) {
		s->watch.what = 0;
		return -1;
	}
	return 0;
}

static int
note_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *unused)
{
	struct httpc *h = ctx;
	struct sock *s;
	struct call *c;
	int want;

	(void)unused;
	if (what == CURL_POLL_REMOVE) {
		s = sock_find(h, fd);
		if (s != NULL)
			sock_remove(s);
		return 0;
	}
	want = ((what & CURL_POLL_IN) != 0 ? WATCH_READ : 0) |
	    ((what & CURL_POLL_OUT) != 0 ? WATCH_WRITE : 0);
	if (sock_set(h, fd, want) == 0)
		return 0;
	TAILQ_FOREACH (c, &h->calls, link)
		if (c->easy == easy)
			c->broken = true;
	loop_defer(h->loop, &h->mend);
	return 0;
}

static int
note_timer(CURLM *multi, long ms, void *ctx)
{
	struct httpc *h = ctx;

	(void)multi;
	if (ms < 0)
		timer_stop(&h->timer);
	else
		timer_arm(&h->timer, ms);
	return 0;
}

static void
on_timer(struct timer *t)
{
	struct httpc *h = container_of(t, struct httpc, timer);

	act(h, CURL_SOCKET_TIMEOUT, 0);
}

/* A call's bytes and times */

static void
call_arm(struct call *c)
{
	int64_t due = INT64_MAX;

	if (c->total_ms > 0)
		due = c->started_ms + c->total_ms;
	if (c->read_ms > 0 && c->sending && c->moved_ms + c->read_ms < due)
		due = c->moved_ms + c->read_ms;
	if (due < INT64_MAX)
		timer_arm(&c->timer, due - clock_mono_ms());
}

/* The types of its texts, and of the next but one, are libcurl's. */
static int
/* NOLINTNEXTLINE(readability-non-const-parameter) */
note_request(void *ctx, char *to, char *from, int to_port, int from_port)
{
	struct call *c = ctx;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	c->sending = true;
	c->moved_ms = clock_mono_ms();
	call_arm(c);
	return CURL_PREREQFUNC_OK;
}

static int
note_progress(void *ctx, curl_off_t down_total, curl_off_t down,
    curl_off_t up_total, curl_off_t up)
{
	struct call *c = ctx;

	(void)down_total;
	(void)up_total;
	if (c->moved != down + up) {
		c->moved = down + up;
		c->moved_ms = clock_mono_ms();
	}
	return 0;
}

static size_t
/* NOLINTNEXTLINE(readability-non-const-parameter) */
note_header(char *p, size_t size, size_t n, void *ctx)
{
	struct call *c = ctx;

	(void)p;
	c->moved_ms = clock_mono_ms();
	c->header_len += size * n;
	return c->header_len <= HEADER_MAX ? size * n : 0;
}

static size_t
note_body(char *p, size_t size, size_t n, void *ctx)
{
	struct call *c = ctx;

	c->moved_ms = clock_mono_ms();
	strbuf_add(&c->body, p, size * n);
	return c->body.latch == OVE_NONE ? size * n : 0;
}

/* What went wrong, in words */

static void
timed_out(struct call *c, int64_t ms, const char *doing)
{
	if (ms % 1000 == 0)
		(void)error_set(&c->failed, OVE_TIMEOUT,
		    "timed out after %llds%s", (long long)(ms / 1000), doing);
	else
		(void)error_set(&c->failed, OVE_TIMEOUT,
		    "timed out after %lldms%s", (long long)ms, doing);
}

/* What libcurl says, without what the reader knows already. */
static const char *
why_text(const struct call *c, CURLcode code)
{
	static const char *const prefixes[] = { "SSL certificate problem: ",
		"SSL: ", "Recv failure: ", "Send failure: " };
	size_t i, len;

	if (c->why[0] == '\0')
		return curl_easy_strerror(code);
	for (i = 0; i < ARRAY_LEN(prefixes); i++) {
		len = strlen(prefixes[i]);
		if (strncmp(c->why, prefixes[i], len) == 0)
			return c->why + len;
	}
	return c->why;
}

static void
connect_timed_out(struct call *c)
{
	int64_t ms = clock_mono_ms() - c->started_ms;

	if (c->connect_ms > 0 && ms >= c->connect_ms)
		timed_out(c, c->connect_ms, " while connecting");
	else
		/* The kernel gave up before us. */
		(void)error_set(
		    &c->failed, OVE_TIMEOUT, "timed out while connecting");
}

static void
not_connected(struct call *c)
{
	long sys = 0;

	(void)curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &sys);
	if (sys == ECONNREFUSED)
		(void)error_set(
		    &c->failed, OVE_UNAVAILABLE, "connection refused");
	else if (sys == EHOSTUNREACH || sys == ENETUNREACH)
		(void)error_set(
		    &c->failed, OVE_UNAVAILABLE, "host unreachable");
	else if (sys != 0)
		(void)error_set(&c->failed, OVE_UNAVAILABLE,
		    "cannot connect: %s", strerror((int)sys));
	else
		(void)error_set(&c->failed, OVE_UNAVAILABLE,
		    "cannot connect: %s", why_text(c, CURLE_COULDNT_CONNECT));
}

static void
broke_off(struct call *c, CURLcode code)
{
	long sys = 0;

	(void)curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &sys);
	if (sys == ECONNRESET || sys == EPIPE ||
	    strstr(c->why, "reset by peer") != NULL)
		(void)error_set(&c->failed, OVE_UPSTREAM, "connection reset");
	else
		(void)error_set(&c->failed, OVE_UPSTREAM,
		    "connection broke: %s", why_text(c, code));
}

/* Our own functions stopped it. */
static void
not_taken(struct call *c)
{
	if (c->body.latch == OVE_NOMEM)
		(void)error_nomem(&c->failed);
	else if (c->body.latch == OVE_LIMIT)
		(void)error_set(&c->failed, OVE_LIMIT,
		    "the reply is longer than %zu bytes", c->body.max);
	else
		(void)error_set(&c->failed, OVE_LIMIT,
		    "the reply's header is longer than %zu bytes", HEADER_MAX);
}

static void
explain(struct call *c, CURLcode code)
{
	static const struct {
		CURLcode code;
		enum ove ove;
		const char *text;
		/* libcurl's words follow. */
		bool why;
	} words[] = {
		{ CURLE_COULDNT_RESOLVE_HOST, OVE_UNAVAILABLE, "name not known",
		    false },
		{ CURLE_COULDNT_RESOLVE_PROXY, OVE_UNAVAILABLE,
		    "name of the proxy not known", false },
		{ CURLE_PROXY, OVE_UNAVAILABLE, "proxy failed", true },
		{ CURLE_PEER_FAILED_VERIFICATION, OVE_UNAVAILABLE,
		    "certificate not trusted", true },
		{ CURLE_SSL_ISSUER_ERROR, OVE_UNAVAILABLE,
		    "certificate not trusted", true },
		{ CURLE_SSL_INVALIDCERTSTATUS, OVE_UNAVAILABLE,
		    "certificate not trusted", true },
		{ CURLE_SSL_CACERT_BADFILE, OVE_UNAVAILABLE,
		    "cannot read the trusted certificates", true },
		{ CURLE_SSL_CONNECT_ERROR, OVE_UNAVAILABLE, "TLS failed",
		    true },
		{ CURLE_SSL_CIPHER, OVE_UNAVAILABLE, "TLS failed", true },
		{ CURLE_GOT_NOTHING, OVE_UPSTREAM,
		    "connection closed without a reply", false },
		{ CURLE_PARTIAL_FILE, OVE_UPSTREAM, "the reply broke off",
		    false },
		{ CURLE_UNSUPPORTED_PROTOCOL, OVE_UPSTREAM,
		    "the reply is not HTTP", false },
		{ CURLE_WEIRD_SERVER_REPLY, OVE_UPSTREAM,
		    "the reply is not HTTP", true },
		{ CURLE_BAD_CONTENT_ENCODING, OVE_UPSTREAM,
		    "the reply's encoding is broken", true },
		{ CURLE_OUT_OF_MEMORY, OVE_NOMEM, "out of memory", false },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++) {
		if (words[i].code != code)
			continue;
		(void)error_set(&c->failed, words[i].ove, "%s%s%s",
		    words[i].text, words[i].why ? ": " : "",
		    words[i].why ? why_text(c, code) : "");
		return;
	}
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		connect_timed_out(c);
		return;
	case CURLE_COULDNT_CONNECT:
		not_connected(c);
		return;
	case CURLE_WRITE_ERROR:
		not_taken(c);
		return;
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		broke_off(c, code);
		return;
	default:
		(void)error_set(&c->failed, OVE_UPSTREAM, "transfer failed: %s",
		    why_text(c, code));
		return;
	}
}

/* The life of a call */

/* Takes it from libcurl; what it was told to keep is kept. */
static void
call_detach(struct call *c)
{
	timer_stop(&c->timer);
	if (c->easy != NULL) {
		/* Harmless when it was never added. */
		(void)curl_multi_remove_handle(c->h->multi, c->easy);
		curl_easy_cleanup(c->easy);
		c->easy = NULL;
	}
	curl_slist_free_all(c->headers);
	c->headers = NULL;
}

static struct call *
call_free(struct call *c)
{
	if (c == NULL)
		return NULL;
	call_detach(c);
	defer_cancel(&c->finish);
	timer_fini(&c->timer);
	strbuf_fini(&c->body);
	mem_free(c);
	return NULL;
}

AUTO_DEFINE(call)

static void
call_unlink(struct call *c)
{
	TAILQ_REMOVE(&c->h->calls, c, link);
	c->h->pending--;
}

/* Takes it from libcurl and lets its completion run later. */
static void
call_end(struct call *c)
{
	call_detach(c);
	c->reply.took_ms = clock_mono_ms() - c->started_ms;
	loop_defer(c->h->loop, &c->finish);
}

static void
on_finish(struct defer *d)
{
	struct call *c = container_of(d, struct call, finish);

	call_unlink(c);
	/* The client may be freed in there: c needs it no more. */
	c->done(c->id, error_is_set(&c->failed) ? NULL : &c->reply,
	    error_is_set(&c->failed) ? &c->failed : NULL, c->ctx);
	(void)call_free(c);
}

static void
take_reply(struct call *c)
{
	curl_off_t retry_after = 0;
	const char *type = NULL;
	long status = 0;
	size_t len;

	(void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(c->easy, CURLINFO_CONTENT_TYPE, &type);
	(void)curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &retry_after);
	c->reply.status = (int)status;
	c->reply.body = c->body.buf;
	c->reply.body_len = c->body.len;
	c->reply.retry_after = retry_after > 0 ? retry_after : -1;
	c->reply.content_type = c->content_type;
	if (type == NULL)
		return;
	len = strlen(type);
	if (len >= sizeof(c->content_type))
		len = sizeof(c->content_type) - 1;
	memcpy(c->content_type, type, len);
}

/* The one place where transfers end by libcurl's doing. */
static void
collect(struct httpc *h)
{
	struct CURLMsg *m;
	struct call *c;
	CURLcode code;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		/* m is gone with its handle. */
		code = m->data.result;
		(void)curl_easy_getinfo(
		    m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
		if (code == CURLE_OK)
			take_reply(c);
		else
			explain(c, code);
		call_end(c);
	}
}

static void
on_mend(struct defer *d)
{
	struct httpc *h = container_of(d, struct httpc, mend);
	struct call *c;

	TAILQ_FOREACH (c, &h->calls, link) {
		if (!c->broken || c->easy == NULL)
			continue;
		(void)error_nomem(&c->failed);
		call_end(c);
	}
}

static void
on_deadline(struct timer *t)
{
	struct call *c = container_of(t, struct call, timer);
	int64_t now = clock_mono_ms();

	if (c->total_ms > 0 && now - c->started_ms >= c->total_ms) {
		timed_out(c, c->total_ms, "");
		call_end(c);
	} else if (c->read_ms > 0 && c->sending &&
	    now - c->moved_ms >= c->read_ms) {
		timed_out(c, c->read_ms, " while waiting for the reply");
		call_end(c);
	} else {
		call_arm(c);
	}
}

/* Making a call */

static int
check_url(const char *url, struct error *e)
{
	CURLU *u = curl_url();
	char *scheme = NULL;
	CURLUcode rc;

	if (u == NULL)
		return error_nomem(e);
	rc = curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
	if (rc == CURLUE_OK)
		rc = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0);
	curl_url_cleanup(u);
	if (rc == CURLUE_OUT_OF_MEMORY)
		return error_nomem(e);
	if (rc != CURLUE_OK)
		return error_set(e, OVE_INVALID, "'%.200s' is not a URL", url);
	if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		rc = CURLUE_UNSUPPORTED_SCHEME;
	curl_free(scheme);
	if (rc != CURLUE_OK)
		return error_set(
		    e, OVE_INVALID, "'%.200s' is neither http nor https", url);
	return 0;
}

/* libcurl sends these two as they are, line breaks and all. */
static int
check_words(const struct httpc_request *rq, struct error *e)
{
	const char *const *line;

	if (rq->method[0] == '\0' ||
	    strspn(rq->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") !=
		strlen(rq->method))
		return error_set(
		    e, OVE_INVALID, "'%.20s' is not a method", rq->method);
	for (line = rq->headers; line != NULL && *line != NULL; line++)
		if (strpbrk(*line, "\r\n") != NULL)
			return error_set(
			    e, OVE_INVALID, "a header has a line break");
	return 0;
}

static int
add_header(struct call *c, const char *line)
{
	struct curl_slist *list = curl_slist_append(c->headers, line);

	if (list == NULL)
		return -1;
	c->headers = list;
	return 0;
}

static int
add_headers(struct call *c, const struct httpc_request *rq, struct error *e)
{
	const char *const *line;
	bool typed = false;

	for (line = rq->headers; line != NULL && *line != NULL; line++) {
		if (strncasecmp(*line, "Content-Type:", 13) == 0)
			typed = true;
		if (add_header(c, *line) < 0)
			return error_nomem(e);
	}
	/* Not what libcurl would add by itself. */
	if (add_header(c, "Expect:") < 0 ||
	    (!typed && add_header(c, "Content-Type:") < 0))
		return error_nomem(e);
	return 0;
}

/* Remembers the first failure of a row of options. */
struct opts {
	CURL *easy;
	CURLcode rc;
};

/* clang-format off */
#define OPT(o, name, value)                                                    \
	do {                                                                   \
		if ((o)->rc == CURLE_OK)                                       \
			(o)->rc = curl_easy_setopt(                            \
			    (o)->easy, CURLOPT_##name, (value));               \
	} while (0)
/* clang-format on */

static int
opts_check(const struct opts *o, struct error *e)
{
	if (o->rc == CURLE_OK)
		return 0;
	if (o->rc == CURLE_OUT_OF_MEMORY)
		return error_nomem(e);
	return error_set(e, OVE_INTERNAL, "set up a transfer: %s",
	    curl_easy_strerror(o->rc));
}

/* A HEAD whose method is merely named waits for a body that never comes. */
static void
set_method(struct opts *o, const struct httpc_request *rq)
{
	bool body = rq->body_len > 0;

	if (strcmp(rq->method, "HEAD") == 0) {
		OPT(o, NOBODY, 1L);
		return;
	}
	if (body || strcmp(rq->method, "POST") == 0 ||
	    strcmp(rq->method, "PUT") == 0) {
		OPT(o, POSTFIELDSIZE_LARGE, (curl_off_t)rq->body_len);
		OPT(o, COPYPOSTFIELDS, body ? rq->body : "");
	} else {
		OPT(o, HTTPGET, 1L);
	}
	OPT(o, CUSTOMREQUEST, rq->method);
}

static void
set_trust(struct opts *o, const struct httpc *h, const char *cacert)
{
	if (cacert != NULL)
		OPT(o, CAINFO, cacert);
	/* The directory adds to the file, and keeps libcurl from remembering
	 * what it has read, some 100 certificates for each connection. */
	if (cacert != NULL || h->has_bundle)
		OPT(o, CAPATH, NULL);
}

/* libcurl takes http_proxy in small letters only; the contract (cli.md 1.6)
 * and Python take both, but not where a CGI's client may have set it. */
static void
set_proxy(struct opts *o, const char *url)
{
	const char *proxy = getenv("HTTP_PROXY");

	if (proxy != NULL && strncasecmp(url, "http:", 5) == 0 &&
	    getenv("http_proxy") == NULL && getenv("REQUEST_METHOD") == NULL)
		OPT(o, PROXY, proxy);
}

static void
set_callbacks(struct opts *o, struct call *c)
{
	OPT(o, PRIVATE, c);
	OPT(o, ERRORBUFFER, c->why);
	OPT(o, WRITEFUNCTION, note_body);
	OPT(o, WRITEDATA, c);
	OPT(o, HEADERFUNCTION, note_header);
	OPT(o, HEADERDATA, c);
	OPT(o, PREREQFUNCTION, note_request);
	OPT(o, PREREQDATA, c);
	OPT(o, XFERINFOFUNCTION, note_progress);
	OPT(o, XFERINFODATA, c);
	OPT(o, NOPROGRESS, 0L);
}

/* What libcurl can count (24 days) or more is no limit. */
static int64_t
limit_ms(int64_t ms)
{
	return ms > 0 && ms < INT_MAX ? ms : 0;
}

static int
set_up(struct call *c, const struct httpc_request *rq, struct error *e)
{
	struct opts o = { .easy = c->easy, .rc = CURLE_OK };

	set_callbacks(&o, c);
	OPT(&o, NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Else the end of a call waits for its name look-up. */
	OPT(&o, QUICK_EXIT, 1L);
#endif
	OPT(&o, URL, rq->url);
	OPT(&o, PROTOCOLS_STR, "http,https");
	OPT(&o, HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	OPT(&o, FOLLOWLOCATION, 0L);
	OPT(&o, TCP_KEEPALIVE, 1L);
	/* 0 would be libcurl's 300 s. */
	OPT(&o, CONNECTTIMEOUT_MS,
	    c->connect_ms > 0 ? (long)c->connect_ms : (long)INT_MAX);
	if (c->h->user_agent != NULL)
		OPT(&o, USERAGENT, c->h->user_agent);
	if (c->h->has_gzip)
		OPT(&o, ACCEPT_ENCODING, "gzip");
	OPT(&o, HTTPHEADER, c->headers);
	set_method(&o, rq);
	set_trust(&o, c->h, rq->cacert);
	set_proxy(&o, rq->url);
	return opts_check(&o, e);
}

static struct call *
call_new(struct httpc *h, const struct httpc_request *rq, struct error *e)
{
	AUTO(call) struct call *c = mem_calloc(1, sizeof(*c));

	if (c == NULL) {
		(void)error_nomem(e);
		return NULL;
	}
	c->h = h;
	strbuf_init(&c->body, rq->reply_max);
	defer_init(&c->finish, on_finish, "httpc_finish");
	c->connect_ms = limit_ms(rq->connect_ms);
	c->read_ms = limit_ms(rq->read_ms);
	c->total_ms = limit_ms(rq->total_ms);
	c->started_ms = clock_mono_ms();
	if (timer_init(&c->timer, h->loop, on_deadline, "httpc_deadline", e) <
		0 ||
	    add_headers(c, rq, e) < 0)
		return NULL;
	c->easy = curl_easy_init();
	if (c->easy == NULL) {
		(void)error_nomem(e);
		return NULL;
	}
	if (set_up(c, rq, e) < 0)
		return NULL;
	return STEAL(c);
}

int
httpc_call(struct httpc *h, const struct httpc_request *rq, httpc_done_fn *done,
    void *ctx, struct call_id *ret, struct error *e)
{
	AUTO(call) struct call *c = NULL;

	if (check_words(rq, e) < 0 || check_url(rq->url, e) < 0)
		return -1;
	c = call_new(h, rq, e);
	if (c == NULL)
		return -1;
	/* This only sets a timer. */
	if (curl_multi_add_handle(h->multi, c->easy) != CURLM_OK)
		return error_nomem(e);
	c->id.v = ++h->last_id;
	c->done = done;
	c->ctx = ctx;
	call_arm(c);
	TAILQ_INSERT_TAIL(&h->calls, c, link);
	h->pending++;
	if (ret != NULL)
		*ret = c->id;
	(void)STEAL(c);
	return 0;
}

void
httpc_cancel(struct httpc *h, struct call_id id)
{
	struct call *c;

	TAILQ_FOREACH (c, &h->calls, link)
		if (c->id.v == id.v)
			break;
	if (c == NULL)
		return;
	call_unlink(c);
	(void)call_free(c);
}

unsigned
httpc_pending(const struct httpc *h)
{
	return h->pending;
}

/* The client */

static int
start_curl(struct httpc *h, struct error *e)
{
	const curl_version_info_data *info;

	/* Counts how often; the functions are the same each time. */
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_alloc, mem_free,
		mem_realloc, mem_strdup, mem_calloc) != CURLE_OK)
		return error_set(e, OVE_INTERNAL, "libcurl does not start");
	h->global = true;
	info = curl_version_info(CURLVERSION_NOW);
	if ((info->features & CURL_VERSION_ASYNCHDNS) == 0)
		return error_set(e, OVE_UNSUPPORTED,
		    "libcurl %s has no asynchronous resolver", info->version);
	h->has_gzip = (info->features & CURL_VERSION_LIBZ) != 0;
	h->has_bundle =
	    info->age >= CURLVERSION_SEVENTH && info->cainfo != NULL;
	return 0;
}

static int
start_multi(struct httpc *h, const struct httpc_config *c, struct error *e)
{
	h->multi = curl_multi_init();
	if (h->multi == NULL)
		return error_nomem(e);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, note_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, note_timer);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	curl_multi_setopt(
	    h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	curl_multi_setopt(
	    h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)c->max_calls);
	curl_multi_setopt(
	    h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)c->max_per_host);
	/* All of them are worth keeping. */
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)c->max_calls);
	return 0;
}

int
httpc_new(struct httpc **ret, struct loop *l, const struct httpc_config *c,
    struct error *e)
{
	AUTO(httpc) struct httpc *h = mem_calloc(1, sizeof(*h));
	size_t i;

	if (h == NULL)
		return error_nomem(e);
	h->loop = l;
	TAILQ_INIT(&h->calls);
	for (i = 0; i < SOCK_BUCKETS; i++)
		LIST_INIT(&h->socks[i]);
	defer_init(&h->mend, on_mend, "httpc_mend");
	if (c->user_agent != NULL) {
		h->user_agent = mem_strdup(c->user_agent);
		if (h->user_agent == NULL)
			return error_nomem(e);
	}
	if (timer_init(&h->timer, l, on_timer, "httpc_timer", e) < 0 ||
	    start_curl(h, e) < 0 || start_multi(h, c, e) < 0)
		return -1;
	*ret = STEAL(h);
	return 0;
}

struct httpc *
httpc_free(struct httpc *h)
{
	struct call *c;
	struct sock *s;
	size_t i;

	if (h == NULL)
		return NULL;
	while ((c = TAILQ_FIRST(&h->calls)) != NULL) {
		call_unlink(c);
		(void)call_free(c);
	}
	/* Closes the connections, and says so through note_socket(). */
	if (h->multi != NULL)
		(void)curl_multi_cleanup(h->multi);
	for (i = 0; i < SOCK_BUCKETS; i++)
		while ((s = LIST_FIRST(&h->socks[i])) != NULL)
			sock_remove(s);
	timer_fini(&h->timer);
	defer_cancel(&h->mend);
	if (h->global)
		curl_global_cleanup();
	mem_free(h->user_agent);
	mem_free(h);
	return NULL;
}
