/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Base64, added to a buffer.
 */
#pragma once

#include "lib/base/strbuf.h"

enum base64_kind {
	/* RFC 4648, 4: with + / and padding. */
	BASE64_PLAIN,
	/* 5: with - _ and without padding. */
	BASE64_URL,
};
void base64_add(
    struct strbuf *out, const void *p, size_t len, enum base64_kind kind);
