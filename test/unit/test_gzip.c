/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Who takes gzip, and that what is packed is what comes out again, at every
 * length around the sizes of the window.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include <zlib.h>

#include "lib/base/mem.h"
#include "lib/net/gzip.h"
#include "test/unit/support/torture.h"

static void
values_name_gzip_or_not(void **state)
{
	static const struct {
		const char *value;
		bool ok;
	} rows[] = {
		{ "", false },
		{ "gzip", true },
		{ "GZip", true },
		{ "gzip, deflate, br", true },
		{ "deflate,gzip", true },
		{ " ,, deflate ,\tgzip ", true },
		{ "gzip;q=1", true },
		{ "gzip; q=0.5", true },
		{ "gzip ; Q=0.001", true },
		{ "gzip;q=1.000", true },
		{ "gzip;q=0", false },
		{ "gzip;q=0.", false },
		{ "gzip;q=0.0", false },
		{ "gzip; q=0.000, deflate", false },
		{ "gzip;q=", false },
		{ "gzip;q=x", false },
		{ "gzip;x=1", false },
		{ "gzip;", false },
		{ "gzip x", false },
		{ "deflate;q=1, gzip;q=0", false },
		{ "gzip;q=0, deflate;q=1", false },
		{ "gzipped", false },
		{ "x-gzip", false },
		{ "*", false },
		{ "identity", false },
		{ ",", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++)
		if (gzip_is_accepted(rows[i].value) != rows[i].ok)
			fail_msg("'%s'", rows[i].value);
}

/* Text that can be compressed and is not the same all over. */
static void
fill(char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = "{\"name\": \"web\", "[(i + i / 700) % 15];
}

static void
unpack(const struct strbuf *in, const char *want, size_t len)
{
	z_stream z = { 0 };
	char *out = mem_alloc(len + 1);

	assert_non_null(out);
	/* 16: gzip and nothing else. */
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_in = (Bytef *)in->buf;
	z.avail_in = (uInt)in->len;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)len + 1;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, len);
	assert_int_equal(z.avail_in, 0);
	assert_memory_equal(out, want, len);
	(void)inflateEnd(&z);
	mem_free(out);
}

static void
what_is_packed_comes_out(void **state)
{
	static const size_t lens[] = { 0, 1, 1023, 1024, 1025, 4096, 32767,
		32768, 32769, 100000, 1 << 20 };
	struct error e = ERROR_INIT;
	struct strbuf out;
	char *text = mem_alloc(1 << 20);
	size_t i;

	(void)state;
	assert_non_null(text);
	fill(text, 1 << 20);
	for (i = 0; i < ARRAY_LEN(lens); i++) {
		strbuf_init(&out, 2 << 20);
		test_ok(gzip_pack(text, lens[i], &out, &e), &e);
		unpack(&out, text, lens[i]);
		if (lens[i] >= 1024)
			assert_true(out.len < lens[i] / 2);
		strbuf_fini(&out);
	}
	mem_free(text);
}

static void
the_room_is_kept(void **state)
{
	static const char text[2000] = "x";
	struct error e = ERROR_INIT;
	struct strbuf out;

	(void)state;
	strbuf_init(&out, 100);
	test_fails(gzip_pack(text, sizeof(text), &out, &e), &e, OVE_LIMIT);
	strbuf_fini(&out);
}

static int
pack(void *ctx, struct error *e)
{
	static const char text[5000] = "text";
	AUTO_STRBUF struct strbuf out;

	(void)ctx;
	strbuf_init(&out, 10000);
	return gzip_pack(text, sizeof(text), &out, e);
}

static void
allocations_may_fail(void **state)
{
	(void)state;
	torture(pack, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(values_name_gzip_or_not),
	cmocka_unit_test(what_is_packed_comes_out),
	cmocka_unit_test(the_room_is_kept),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
