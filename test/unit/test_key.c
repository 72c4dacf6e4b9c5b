/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Keys: what was put in comes back, bytes sort as values do, and neither a key
 * that is full nor one that is cut short is taken for a good one.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/rand.h"
#include "lib/store/key.h"

static const char *const words[] = { "", "a", "a.b", "aa", "ab", "b", "\x7f",
	"\xc3\xa4", "\xff" };

static int
sign(int v)
{
	return (v > 0) - (v < 0);
}

static int
compare_keys(const struct db_key *a, const struct db_key *b)
{
	size_t min = a->len < b->len ? a->len : b->len;
	int cmp = memcmp(a->buf, b->buf, min);

	if (cmp != 0)
		return sign(cmp);
	return (a->len > b->len) - (a->len < b->len);
}

static void
make(struct db_key *k, uint8_t kind, const char *word, uint64_t n)
{
	key_init(k);
	key_u8(k, kind);
	key_str(k, word);
	key_be64(k, n);
	assert_false(k->over);
}

static uint64_t
some_number(void)
{
	return rand_u64() >> rand_below(64);
}

static void
order_is_of_values(void **state)
{
	struct db_key a, b;
	uint64_t n, m;
	uint8_t x, y;
	size_t i, w, v;
	int want;

	(void)state;
	for (i = 0; i < 20000; i++) {
		x = (uint8_t)rand_below(3);
		y = (uint8_t)rand_below(3);
		w = (size_t)rand_below(ARRAY_LEN(words));
		v = (size_t)rand_below(ARRAY_LEN(words));
		n = some_number();
		m = i % 3 == 0 ? n : some_number();
		make(&a, x, words[w], n);
		make(&b, y, words[v], m);
		want = (x > y) - (x < y);
		if (want == 0)
			want = sign(strcmp(words[w], words[v]));
		if (want == 0)
			want = (n > m) - (n < m);
		assert_int_equal(compare_keys(&a, &b), want);
	}
}

static void
parts_come_back(void **state)
{
	struct db_key k;
	struct db_val v;
	const char *word;
	uint64_t n, m;
	uint8_t kind;
	size_t i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		n = some_number();
		make(&k, (uint8_t)i, words[i % ARRAY_LEN(words)], n);
		v = (struct db_val){ k.buf, k.len };
		assert_true(key_get_u8(&v, &kind));
		assert_int_equal(kind, (uint8_t)i);
		assert_true(key_get_str(&v, &word));
		assert_string_equal(word, words[i % ARRAY_LEN(words)]);
		assert_true(key_get_be64(&v, &m));
		assert_true(m == n);
		assert_int_equal(v.len, 0);
		assert_false(key_get_u8(&v, &kind));
		assert_false(key_get_str(&v, &word));
		assert_false(key_get_be64(&v, &m));
	}
}

static void
cut_keys_are_refused(void **state)
{
	struct db_val v = { "abcdefg", 7 };
	const char *word;
	uint64_t n;

	(void)state;
	assert_false(key_get_be64(&v, &n));
	assert_false(key_get_str(&v, &word));
	assert_int_equal(v.len, 7);
}

static void
overflow_is_latched(void **state)
{
	struct db_key k;
	char text[DB_KEY_MAX + 1];

	(void)state;
	(void)memset(text, 'x', sizeof(text));
	text[DB_KEY_MAX - 1] = '\0';
	key_init(&k);
	key_str(&k, text);
	assert_false(k.over);
	assert_int_equal(k.len, DB_KEY_MAX);
	key_u8(&k, 1);
	assert_true(k.over);
	key_init(&k);
	key_u8(&k, 1);
	key_str(&k, text);
	assert_true(k.over);
	/* It stays so, although this would fit. */
	key_u8(&k, 1);
	assert_true(k.over);
	assert_int_equal(k.len, 1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(order_is_of_values),
	cmocka_unit_test(parts_come_back),
	cmocka_unit_test(cut_keys_are_refused),
	cmocka_unit_test(overflow_is_latched),
};
TEST_MAIN(tests)
