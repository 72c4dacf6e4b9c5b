/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Server-sent events. The stream is read whole and in pieces, of as many bytes
 * as its first one says, and must tell the same in the same order.
 */
#include <assert.h>
#include <string.h>

#include "lib/net/sse.h"

#define MAX ((size_t)256)
#define OUT_MAX ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
read_all(const char *text, size_t size, size_t step, struct strbuf *out)
{
	struct sse_event x;
	struct sse s;
	const char *p;
	size_t at, n;
	int rc = SSE_NONE;

	sse_init(&s, MAX);
	for (at = 0; at < size && rc == SSE_NONE; at += step) {
		p = text + at;
		n = size - at < step ? size - at : step;
		while ((rc = sse_next(&s, &p, &n, &x, NULL)) == 0) {
			assert(x.data[x.data_len] == '\0');
			assert(x.data_len < MAX);
			assert(strlen(x.type) <= SSE_TYPE_MAX);
			assert(strlen(x.id) <= SSE_ID_MAX);
			strbuf_addf(out, "%s|%s|", x.type, x.id);
			strbuf_add(out, x.data, x.data_len);
		}
		assert(rc < 0 || n == 0);
	}
	strbuf_adds(out, sse_last_id(&s));
	sse_fini(&s);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_STRBUF struct strbuf whole, torn;
	const char *text = (const char *)data;

	strbuf_init(&whole, OUT_MAX);
	strbuf_init(&torn, OUT_MAX);
	if (size == 0)
		return 0;
	assert(read_all(text, size, size, &whole) ==
	    read_all(text, size, data[0] % 7 + 1, &torn));
	assert(whole.len == torn.len);
	assert(memcmp(whole.buf, torn.buf, whole.len) == 0);
	return 0;
}
