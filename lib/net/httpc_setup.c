/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A request as libcurl wants it: checked, and turned into options.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/mem.h"
#include "lib/net/httpc_internal.h"

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

/* Whether libcurl has parsed another URL with this one's beginning, up to the
 * path, and the rest has no byte that it refuses there. Calls go to the same
 * few servers, and each is parsed again when it starts. */
static bool
is_like_last(const struct httpc *h, const char *url)
{
	size_t len = strlen(h->origin);
	const char *p;

	if (len == 0 || strncmp(url, h->origin, len) != 0 || url[len] != '/')
		return false;
	for (p = url + len; *p > ' ' && *p < 0x7f; p++)
		;
	return *p == '\0';
}

static void
note_origin(struct httpc *h, const char *url)
{
	size_t len = strcspn(url, ":");

	len += strspn(url + len, ":/");
	len += strcspn(url + len, "/?#");
	if (len >= sizeof(h->origin))
		return;
	memcpy(h->origin, url, len);
	h->origin[len] = '\0';
}

int
httpc_check_request(
    struct httpc *h, const struct httpc_request *rq, struct error *e)
{
	if (check_words(rq, e) < 0)
		return -1;
	if (is_like_last(h, rq->url))
		return 0;
	if (check_url(rq->url, e) < 0)
		return -1;
	note_origin(h, rq->url);
	return 0;
}

static bool
sends_body(const struct httpc_request *rq)
{
	return rq->body_len > 0 || strcmp(rq->method, "POST") == 0 ||
	    strcmp(rq->method, "PUT") == 0;
}

/* What is unpacked from one read could be more than a window. */
static bool
wants_gzip(const struct httpc_call *c)
{
	return c->h->has_gzip && !httpc_is_stream(c);
}

static bool
has_type(const struct httpc_request *rq)
{
	const char *const *line;

	for (line = rq->headers; line != NULL && *line != NULL; line++)
		if (strncasecmp(*line, "Content-Type:", 13) == 0)
			return true;
	return false;
}

/* All header lines in one piece of memory: libcurl only reads its lists. */
struct header_list {
	struct curl_slist *lines;
	char *text;
	size_t n;
};

static void
header_add(struct header_list *l, const char *line)
{
	size_t len = strlen(line) + 1;

	memcpy(l->text, line, len);
	l->lines[l->n].data = l->text;
	if (l->n > 0)
		l->lines[l->n - 1].next = &l->lines[l->n];
	l->n++;
	l->text += len;
}

/* Of our own: not what libcurl would add by itself to a body, and what it would
 * print twice. */
static size_t
own_headers(const struct httpc_call *c, const struct httpc_request *rq,
    const char *ret[4])
{
	size_t n = 0;

	if (sends_body(rq))
		ret[n++] = "Expect:";
	if (sends_body(rq) && !has_type(rq))
		ret[n++] = "Content-Type:";
	if (wants_gzip(c))
		ret[n++] = "Accept-Encoding: gzip";
	if (c->h->user_agent != NULL)
		ret[n++] = c->h->user_agent;
	return n;
}

static int
set_headers(
    struct httpc_call *c, const struct httpc_request *rq, struct error *e)
{
	const char *own[4];
	size_t own_n = own_headers(c, rq, own), n = own_n, size = 0;
	const char *const *line;
	struct header_list l = { 0 };

	for (size_t i = 0; i < own_n; i++)
		size += strlen(own[i]) + 1;
	for (line = rq->headers; line != NULL && *line != NULL; line++, n++)
		size += strlen(*line) + 1;
	if (n == 0)
		return 0;
	c->headers = l.lines = mem_calloc(1, n * sizeof(*l.lines) + size);
	if (l.lines == NULL)
		return error_nomem(e);
	l.text = (char *)(l.lines + n);
	for (size_t i = 0; i < own_n; i++)
		header_add(&l, own[i]);
	for (line = rq->headers; line != NULL && *line != NULL; line++)
		header_add(&l, *line);
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
	if (strcmp(rq->method, "HEAD") == 0) {
		OPT(o, NOBODY, 1L);
		return;
	}
	if (sends_body(rq)) {
		OPT(o, POSTFIELDSIZE_LARGE, (curl_off_t)rq->body_len);
		OPT(o, COPYPOSTFIELDS, rq->body_len > 0 ? rq->body : "");
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

static void
set_identity(struct opts *o, const char *certkey)
{
	if (certkey == NULL)
		return;
	OPT(o, SSLCERT, certkey);
	OPT(o, SSLKEY, certkey);
}

/* libcurl takes http_proxy in small letters only; the contract (cli.md 1.6)
 * and Python take both, but not where a CGI's client may have set it. */
static void
set_proxy(struct opts *o, const struct httpc_request *rq)
{
	const char *proxy = getenv("HTTP_PROXY");

	if (rq->direct || rq->socket != NULL) {
		OPT(o, PROXY, "");
		return;
	}
	if (proxy != NULL && strncasecmp(rq->url, "http:", 5) == 0 &&
	    getenv("http_proxy") == NULL && getenv("REQUEST_METHOD") == NULL)
		OPT(o, PROXY, proxy);
}

int
httpc_set_up(
    struct httpc_call *c, const struct httpc_request *rq, struct error *e)
{
	struct opts o = { .rc = CURLE_OK };

	if (set_headers(c, rq, e) < 0)
		return -1;
	c->easy = curl_easy_init();
	if (c->easy == NULL)
		return error_nomem(e);
	o.easy = c->easy;
	OPT(&o, NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Else the end of a call waits for its name look-up. */
	OPT(&o, QUICK_EXIT, 1L);
#endif
	OPT(&o, URL, rq->url);
	OPT(&o, PROTOCOLS_STR, "http,https");
	OPT(&o, HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	OPT(&o, FOLLOWLOCATION, 0L);
	/* A proxy's answer to CONNECT is not the reply's head. */
	OPT(&o, SUPPRESS_CONNECT_HEADERS, 1L);
	OPT(&o, TCP_KEEPALIVE, 1L);
	/* 0 would be libcurl's 300 s. */
	OPT(&o, CONNECTTIMEOUT_MS,
	    c->connect_ms > 0 ? (long)c->connect_ms : (long)INT_MAX);
	if (wants_gzip(c))
		OPT(&o, ACCEPT_ENCODING, "gzip");
	if (httpc_is_stream(c) || rq->close)
		OPT(&o, FORBID_REUSE, 1L);
	else if (rq->keep_ms > 0)
		OPT(&o, MAXAGE_CONN, (long)(rq->keep_ms / 1000));
	OPT(&o, HTTPHEADER, c->headers);
	set_method(&o, rq);
	set_trust(&o, c->h, rq->cacert);
	set_identity(&o, rq->certkey);
	set_proxy(&o, rq);
	if (rq->socket != NULL)
		OPT(&o, UNIX_SOCKET_PATH, rq->socket);
	return opts_check(&o, e);
}
