/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A request as libcurl wants it: checked, and turned into options.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

int
httpc_check_request(const struct httpc_request *rq, struct error *e)
{
	if (check_words(rq, e) < 0)
		return -1;
	return check_url(rq->url, e);
}

static int
add_header(struct httpc_call *c, const char *line)
{
	struct curl_slist *list = curl_slist_append(c->headers, line);

	if (list == NULL)
		return -1;
	c->headers = list;
	return 0;
}

static int
add_headers(
    struct httpc_call *c, const struct httpc_request *rq, struct error *e)
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

int
httpc_set_up(
    struct httpc_call *c, const struct httpc_request *rq, struct error *e)
{
	struct opts o = { .rc = CURLE_OK };

	if (add_headers(c, rq, e) < 0)
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
	if (c->h->user_agent != NULL)
		OPT(&o, USERAGENT, c->h->user_agent);
	/* What is unpacked from one read could be more than a window. */
	if (c->h->has_gzip && !c->is_stream)
		OPT(&o, ACCEPT_ENCODING, "gzip");
	if (c->is_stream || rq->close)
		OPT(&o, FORBID_REUSE, 1L);
	else if (rq->keep_ms > 0)
		OPT(&o, MAXAGE_CONN, (long)(rq->keep_ms / 1000));
	OPT(&o, HTTPHEADER, c->headers);
	set_method(&o, rq);
	set_trust(&o, c->h, rq->cacert);
	set_proxy(&o, rq->url);
	return opts_check(&o, e);
}
