/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The reply writer: see http1.h. The status lines stand ready made; a status
 * that is not in the table is written with the phrase "Unknown". A header value
 * never ends its line early: control characters become blanks, so that text
 * from outside cannot start a header or a reply of its own.
 */
#include "lib/net/http1.h"

#include <string.h>

/* clang-format off */
#define STATUSES(X)                                                           \
	X(100, "Continue")                                                    \
	X(200, "OK")                                                          \
	X(201, "Created")                                                     \
	X(202, "Accepted")                                                    \
	X(204, "No Content")                                                  \
	X(304, "Not Modified")                                                \
	X(400, "Bad Request")                                                 \
	X(401, "Unauthorized")                                                \
	X(403, "Forbidden")                                                   \
	X(404, "Not Found")                                                   \
	X(405, "Method Not Allowed")                                          \
	X(408, "Request Timeout")                                             \
	X(409, "Conflict")                                                    \
	X(411, "Length Required")                                             \
	X(413, "Request Entity Too Large")                                    \
	X(414, "Request-URI Too Long")                                        \
	X(415, "Unsupported Media Type")                                      \
	X(416, "Requested Range Not Satisfiable")                             \
	X(417, "Expectation Failed")                                          \
	X(422, "Unprocessable Entity")                                        \
	X(429, "Too Many Requests")                                           \
	X(431, "Request Header Fields Too Large")                             \
	X(499, "Client Closed Request")                                       \
	X(500, "Internal Server Error")                                       \
	X(501, "Not Implemented")                                             \
	X(502, "Bad Gateway")                                                 \
	X(503, "Service Unavailable")                                         \
	X(504, "Gateway Timeout")                                             \
	X(505, "HTTP Version Not Supported")                                  \
	X(507, "Insufficient Storage")                                        \
	X(508, "Loop Detected")
/* clang-format on */

#define LINE(code, text) "HTTP/1.1 " #code " " text "\r\n"

const char *
http1_reason(int status)
{
	switch (status) {
#define X(code, text)                                                          \
  case code:                                                                   \
    return text;
		STATUSES(X)
#undef X
	default:
		return "Unknown";
	}
}

void
http1_write_status(struct strbuf *out, int status)
{
	switch (status) {
#define X(code, text)                                                          \
  case code:                                                                   \
    strbuf_add(out, LINE(code, text), sizeof(LINE(code, text)) - 1);           \
    return;
		STATUSES(X)
#undef X
	default:
		strbuf_addf(out, "HTTP/1.1 %03d Unknown\r\n", status);
		return;
	}
}

void
http1_write_header(struct strbuf *out, const char *name, const char *value)
{
	const char *p;

	strbuf_adds(out, name);
	strbuf_add(out, ": ", 2);
	p = value;
	while (*p != '\0' && (unsigned char)*p >= ' ' && *p != 0x7f)
		p++;
	strbuf_add(out, value, (size_t)(p - value));
	for (; *p != '\0'; p++)
		strbuf_addc(
		    out, (unsigned char)*p >= ' ' && *p != 0x7f ? *p : ' ');
	strbuf_add(out, "\r\n", 2);
}
