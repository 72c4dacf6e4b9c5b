/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Server-sent events: each stream is read whole and byte by byte, and must tell
 * the same.
 */
#include "test/unit/support/test.h"

#include <stdio.h>
#include <string.h>

#include "lib/net/sse.h"
#include "test/unit/support/torture.h"

#define MAX 64

/* "type|id|data;" for each event, then the last id. */
static int
read_all(struct sse *s, const char *text, size_t len, size_t step,
    struct strbuf *out, struct error *e)
{
	struct sse_event x;
	const char *p;
	size_t at, n;
	int rc;

	for (at = 0; at < len; at += step) {
		p = text + at;
		n = len - at < step ? len - at : step;
		while ((rc = sse_next(s, &p, &n, &x, e)) == 0) {
			strbuf_addf(out, "%s|%s|", x.type, x.id);
			strbuf_add(out, x.data, x.data_len);
			assert_int_equal(x.data[x.data_len], '\0');
			strbuf_addc(out, ';');
		}
		if (rc < 0)
			return -1;
		assert_int_equal(rc, SSE_NONE);
		assert_int_equal(n, 0);
	}
	strbuf_adds(out, sse_last_id(s));
	return 0;
}

static void
told_len(const char *text, size_t len, const char *want)
{
	static const size_t steps[] = { 1, 2, 3, 4096 };
	struct error e = ERROR_INIT;
	size_t i;

	for (i = 0; i < ARRAY_LEN(steps); i++) {
		AUTO_STRBUF struct strbuf out;
		struct sse s;

		strbuf_init(&out, 4096);
		sse_init(&s, MAX);
		test_ok(read_all(&s, text, len, steps[i], &out, &e), &e);
		assert_string_equal(out.buf, want);
		sse_fini(&s);
	}
}

static void
told(const char *text, const char *want)
{
	told_len(text, strlen(text), want);
}

static void
streams(void **state)
{
	(void)state;
	told("", "");
	told("data: a\n\n", "message||a;");
	told("data:a\n\n", "message||a;");
	told("data:  a\n\n", "message|| a;");
	told("event: job\nid: x-1\ndata: {}\n\n", "job|x-1|{};x-1");
	told("event: job\r\nid: x-1\r\ndata: {}\r\n\r\n", "job|x-1|{};x-1");
	told("event: job\rid: x-1\rdata: {}\r\r", "job|x-1|{};x-1");
	told("data: a\ndata: b\ndata\n\n", "message||a\nb\n;");
	told("data\n\n", "message||;");
	/* Only what is whole, and only with data. */
	told("data: a\n", "");
	told("data: a", "");
	told("event: a\n\ndata: b\n\n", "message||b;");
	told("id: 7\n\n", "7");
	told("id: 7\n", "");
	told("id: 7\ndata: a\n\ndata: b\n\n", "message|7|a;message|7|b;7");
	told("id: 7\n\nid\n\n", "");
	told("id: 7\n\nid: 8\ndata: a\n", "7");
	/* Comments, unknown fields, empty ones. */
	told(":\n\n", "");
	told(": data: x\n:data\ndata: a\n\n", "message||a;");
	told("Data: a\ndatum: b\n: c\n\n", "");
	told("event:\ndata: a\n\n", "message||a;");
	told("event: a\nevent: b\ndata: c\n\n", "b||c;");
	/* A byte order mark, at the beginning only. */
	told("\xef\xbb\xbf"
	     "data: a\n\n",
	    "message||a;");
	told("\n\xef\xbb\xbf"
	     "data: a\n\n",
	    "");
	told_len("id: a\0b\ndata: x\n\n", 17, "message||x;");
	told_len("event: a\0b\ndata: x\n\n", 20, "message||x;");
}

static void
bounded(void **state)
{
	static const struct {
		const char *field;
		size_t len;
		bool fits;
	} cases[] = {
		{ "data:", MAX - 5, true },
		{ "data:", MAX - 4, false },
		{ ":", MAX - 1, true },
		{ ":", MAX, false },
		{ "id:", MAX, false },
	};
	size_t i, step;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		for (step = 1; step < 400; step += 398) {
			AUTO_STRBUF struct strbuf out, in;
			struct error e = ERROR_INIT;
			struct sse s;
			int rc;

			strbuf_init(&out, 4096);
			strbuf_init(&in, 4096);
			strbuf_adds(&in, cases[i].field);
			while (in.len < strlen(cases[i].field) + cases[i].len)
				strbuf_addc(&in, 'x');
			strbuf_adds(&in, "\n\n");
			sse_init(&s, MAX);
			rc = read_all(&s, in.buf, in.len, step, &out, &e);
			assert_int_equal(rc, cases[i].fits ? 0 : -1);
			if (!cases[i].fits) {
				assert_int_equal(e.code, OVE_LIMIT);
				/* And for good. */
				error_clear(&e);
				test_fails(read_all(&s, "\n", 1, 1, &out, &e),
				    &e, OVE_LIMIT);
			}
			sse_fini(&s);
		}
	}
}

/* Many lines make an event too long, and words have bounds of their own. */
static void
bounded_events(void **state)
{
	static const struct {
		const char *line;
		unsigned times;
		size_t max;
	} cases[] = {
		{ "data: 0123456789\n", 5, 50 },
		{ "event: 0123456789012345678901234567890123456789"
		  "0123456789012345678901234567890123456789\n",
		    1, 4096 },
	};
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_STRBUF struct strbuf out, in;
		struct error e = ERROR_INIT;
		struct sse s;

		strbuf_init(&out, 4096);
		strbuf_init(&in, 4096);
		for (n = 0; n < cases[i].times; n++)
			strbuf_adds(&in, cases[i].line);
		sse_init(&s, cases[i].max);
		test_fails(
		    read_all(&s, in.buf, in.len, 7, &out, &e), &e, OVE_LIMIT);
		sse_fini(&s);
	}
}

static int
a_stream(void *ctx, struct error *e)
{
	static const char text[] =
	    "id: 1\nevent: job\ndata: abcdef\n\nid: 2\ndata: b\n\n";
	AUTO_STRBUF struct strbuf out;
	struct sse s;
	int rc;

	(void)ctx;
	strbuf_init(&out, 4096);
	sse_init(&s, MAX);
	rc = read_all(&s, text, sizeof(text) - 1, 5, &out, e);
	if (rc == 0)
		rc = strbuf_check(&out, e);
	sse_fini(&s);
	return rc;
}

static void
no_memory(void **state)
{
	(void)state;
	torture(a_stream, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(streams),
	cmocka_unit_test(bounded),
	cmocka_unit_test(bounded_events),
	cmocka_unit_test(no_memory),
};

TEST_MAIN(tests)
