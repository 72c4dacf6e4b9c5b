/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See base64.h. Not for keys: it looks them up in a table.
 */
#include "lib/base/base64.h"

#include <string.h>

void
base64_add(struct strbuf *out, const void *p, size_t len, enum base64_kind kind)
{
	static const char *const alphabets[] = {
		[BASE64_PLAIN] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs"
				 "tuvwxyz0123456789+/",
		[BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstu"
			       "vwxyz0123456789-_",
	};
	const char *alphabet = alphabets[kind];
	const unsigned char *in = p;

	for (; len > 0; in += 3) {
		size_t n = len < 3 ? len : 3;
		unsigned char b[3] = { 0 };
		char quad[4] = "===";

		memcpy(b, in, n);
		quad[0] = alphabet[b[0] >> 2];
		quad[1] = alphabet[(b[0] & 3) << 4 | b[1] >> 4];
		quad[3] = '=';
		if (n > 1)
			quad[2] = alphabet[(b[1] & 15) << 2 | b[2] >> 6];
		if (n > 2)
			quad[3] = alphabet[b[2] & 63];
		strbuf_add(out, quad, kind == BASE64_URL ? n + 1 : 4);
		len -= n;
	}
}
