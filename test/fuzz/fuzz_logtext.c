/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Text of logs: valid UTF-8, and the same however the file was cut. The first
 * two bytes say how.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/logtext.h"
#include "lib/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf AUTO_STRBUF whole;
	struct strbuf AUTO_STRBUF pieces;
	const char *text = (const char *)data + 2;
	struct logtext t;

	strbuf_init(&whole, (size_t)1 << 20);
	strbuf_init(&pieces, (size_t)1 << 20);
	if (size < 2 || size > 65536)
		return 0;
	size -= 2;
	logtext_clean(&whole, text, size);
	logtext_init(&t);
	for (size_t at = 0, i = 0, n; at < size; at += n, i++) {
		n = (size_t)data[i % 2] + 1;
		n = n < size - at ? n : size - at;
		logtext_feed(&t, &pieces, text + at, n);
	}
	logtext_end(&t, &pieces);
	logtext_fini(&t);
	if (!utf8_is_valid(whole.buf, whole.len) || whole.len != pieces.len ||
	    memcmp(whole.buf, pieces.buf, whole.len) != 0)
		abort();
	return 0;
}
