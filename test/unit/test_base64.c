/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Base64: the vectors of RFC 4648, both alphabets, a buffer that is full.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/base64.h"
#include "test/unit/support/torture.h"

static void
add_encodes(void **state)
{
	static const struct {
		const char *bytes;
		const char *plain;
		const char *url;
	} rows[] = {
		{ "", "", "" },
		{ "f", "Zg==", "Zg" },
		{ "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "+//+", "-__-" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_STRBUF struct strbuf b;
		size_t len = strlen(rows[i].bytes);

		strbuf_init(&b, 100);
		strbuf_adds(&b, ">");
		base64_add(&b, rows[i].bytes, len, BASE64_PLAIN);
		assert_string_equal(b.buf + 1, rows[i].plain);
		strbuf_truncate(&b, 1);
		base64_add(&b, rows[i].bytes, len, BASE64_URL);
		assert_string_equal(b.buf + 1, rows[i].url);
	}
}

static void
add_latches_a_full_buffer(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct error e = ERROR_INIT;

	(void)state;
	strbuf_init(&b, 4);
	base64_add(&b, "four", 4, BASE64_PLAIN);
	test_fails(strbuf_check(&b, &e), &e, OVE_LIMIT);
}

static int
body(void *ctx, struct error *e)
{
	AUTO_STRBUF struct strbuf b;

	(void)ctx;
	strbuf_init(&b, 100);
	base64_add(&b, "foo", 3, BASE64_PLAIN);
	return strbuf_check(&b, e);
}

static void
add_survives_failing_allocations(void **state)
{
	(void)state;
	torture(body, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(add_encodes),
	cmocka_unit_test(add_latches_a_full_buffer),
	cmocka_unit_test(add_survives_failing_allocations),
};
TEST_MAIN(tests)
