/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Why a call failed: what libcurl and the system say, in words for people and
 * as a kind for programs.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/net/httpc_internal.h"

static const enum ove codes[HTTPC_KINDS] = {
	[HTTPC_UNREACHED] = OVE_UNAVAILABLE,
	[HTTPC_CONNECT_TIMEOUT] = OVE_TIMEOUT,
	[HTTPC_TIMEOUT] = OVE_TIMEOUT,
	[HTTPC_WRITE_TIMEOUT] = OVE_TIMEOUT,
	[HTTPC_BROKE] = OVE_UPSTREAM,
	[HTTPC_GARBLED] = OVE_UPSTREAM,
	[HTTPC_TOO_LONG] = OVE_LIMIT,
	[HTTPC_NOMEM] = OVE_NOMEM,
};

void
httpc_fail(struct httpc_call *c, enum httpc_kind kind, const char *fmt, ...)
{
	char text[sizeof(c->failed.error.text)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->failed.kind = kind;
	(void)error_set(&c->failed.error, codes[kind], "%s", text);
}

void
httpc_timed_out(
    struct httpc_call *c, enum httpc_kind kind, int64_t ms, const char *doing)
{
	if (ms % 1000 == 0)
		httpc_fail(c, kind, "timed out after %llds%s",
		    (long long)(ms / 1000), doing);
	else
		httpc_fail(
		    c, kind, "timed out after %lldms%s", (long long)ms, doing);
}

/* What libcurl says, without what the reader knows already. */
static const char *
why_text(const struct httpc_call *c, CURLcode code)
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
connect_timed_out(struct httpc_call *c)
{
	int64_t ms = clock_mono_ms() - c->started_ms;

	if (c->connect_ms > 0 && ms >= c->connect_ms)
		httpc_timed_out(c, HTTPC_CONNECT_TIMEOUT, c->connect_ms,
		    " while connecting");
	else
		/* The kernel gave up before us. */
		httpc_fail(
		    c, HTTPC_CONNECT_TIMEOUT, "timed out while connecting");
}

static void
not_connected(struct httpc_call *c)
{
	long sys = 0;

	(void)curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &sys);
	if (sys == ECONNREFUSED)
		httpc_fail(c, HTTPC_UNREACHED, "connection refused");
	else if (sys == EHOSTUNREACH || sys == ENETUNREACH)
		httpc_fail(c, HTTPC_UNREACHED, "host unreachable");
	else
		httpc_fail(c, HTTPC_UNREACHED, "cannot connect: %s",
		    sys != 0 ? strerror((int)sys)
			     : why_text(c, CURLE_COULDNT_CONNECT));
}

static void
broke_off(struct httpc_call *c, CURLcode code)
{
	long sys = 0;

	(void)curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &sys);
	if (sys == ECONNRESET || sys == EPIPE ||
	    strstr(c->why, "reset by peer") != NULL)
		httpc_fail(c, HTTPC_BROKE, "connection reset");
	else
		httpc_fail(
		    c, HTTPC_BROKE, "connection broke: %s", why_text(c, code));
}

/* Our own functions stopped it. */
static void
not_taken(struct httpc_call *c)
{
	if (c->body.latch == OVE_NOMEM)
		httpc_fail(c, HTTPC_NOMEM, "out of memory");
	else if (c->body.latch == OVE_LIMIT)
		httpc_fail(c, HTTPC_TOO_LONG,
		    "the reply is longer than %zu bytes", c->body.max);
	else
		httpc_fail(c, HTTPC_TOO_LONG,
		    "the reply's header is longer than %zu bytes",
		    HTTPC_HEADER_MAX);
}

void
httpc_explain(struct httpc_call *c, CURLcode code)
{
	static const struct {
		CURLcode code;
		enum httpc_kind kind;
		const char *text;
		/* libcurl's words follow. */
		bool why;
	} words[] = {
		{ CURLE_COULDNT_RESOLVE_HOST, HTTPC_UNREACHED, "name not known",
		    false },
		{ CURLE_COULDNT_RESOLVE_PROXY, HTTPC_UNREACHED,
		    "name of the proxy not known", false },
		{ CURLE_PROXY, HTTPC_UNREACHED, "proxy failed", true },
		{ CURLE_PEER_FAILED_VERIFICATION, HTTPC_UNREACHED,
		    "certificate not trusted", true },
		{ CURLE_SSL_ISSUER_ERROR, HTTPC_UNREACHED,
		    "certificate not trusted", true },
		{ CURLE_SSL_INVALIDCERTSTATUS, HTTPC_UNREACHED,
		    "certificate not trusted", true },
		{ CURLE_SSL_CACERT_BADFILE, HTTPC_UNREACHED,
		    "cannot read the trusted certificates", true },
		{ CURLE_SSL_CONNECT_ERROR, HTTPC_UNREACHED, "TLS failed",
		    true },
		{ CURLE_SSL_CIPHER, HTTPC_UNREACHED, "TLS failed", true },
		{ CURLE_GOT_NOTHING, HTTPC_GARBLED,
		    "connection closed without a reply", false },
		{ CURLE_PARTIAL_FILE, HTTPC_BROKE, "the reply broke off",
		    false },
		{ CURLE_UNSUPPORTED_PROTOCOL, HTTPC_GARBLED,
		    "the reply is not HTTP", false },
		{ CURLE_WEIRD_SERVER_REPLY, HTTPC_GARBLED,
		    "the reply is not HTTP", true },
		{ CURLE_BAD_CONTENT_ENCODING, HTTPC_BROKE,
		    "the reply's encoding is broken", true },
		{ CURLE_OUT_OF_MEMORY, HTTPC_NOMEM, "out of memory", false },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++) {
		if (words[i].code != code)
			continue;
		httpc_fail(c, words[i].kind, "%s%s%s", words[i].text,
		    words[i].why ? ": " : "",
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
		httpc_fail(
		    c, HTTPC_BROKE, "transfer failed: %s", why_text(c, code));
		return;
	}
}
