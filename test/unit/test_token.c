/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Tokens against the contract: the vector of gen-token, what is accepted, what
 * is refused and for which reason, and that the cache changes neither. Most
 * rows are signed here with the right key, so that it is the named fault alone
 * that refuses them.
 *
 * Called as `test_token judge KEY` it reads lines of "TIME TOKEN" (seconds) and
 * prints "ok" or "no" and the reason for each: test/e2e/test_token_diff.py
 * compares that with PyJWT.
 */
#include "test/unit/support/test.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "lib/auth/token.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/strbuf.h"
#include "lib/data/json.h"
#include "test/unit/support/torture.h"

#define H "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
/* The time of all rows, in seconds. */
#define NOW 1000000
#define MS(s) ((int64_t)(s)*1000)

static const char vector[] =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    "eyJtZXRhZGF0YSI6eyJhIjoiYiIsImMiOiIiLCJkIjoiZT1mIiwib3ZlcmxvcmQudmVyc2lv"
    "biI6IjAuMjUuMCJ9LCJyYW5kb21fY2h1bmsiOiJmYWI3MWZjYWQ3OTQwYmIyIiwiZXhwIjox"
    "Nzk1NDg1MTgzfQ.XSsDfOi0pjJ11xyAd8gICDMSPsB0ppByCqWrC8TvYaM";
static const char vector_claims[] =
    "{\"metadata\":{\"a\":\"b\",\"c\":\"\",\"d\":\"e=f\","
    "\"overlord.version\":\"0.25.0\"},\"random_chunk\":\"fab71fcad7940bb2\","
    "\"exp\":1795485183}";

static struct token_key *
key_of(const char *text)
{
	struct token_key *k = NULL;
	struct error e = ERROR_INIT;

	test_ok(token_key_new(&k, text, strlen(text), &e), &e);
	return k;
}

static void
add_part(struct strbuf *b, const void *p, size_t len, bool padded)
{
	int variant = padded ? sodium_base64_VARIANT_URLSAFE
			     : sodium_base64_VARIANT_URLSAFE_NO_PADDING;
	char text[3 * TOKEN_MAX];

	(void)sodium_bin2base64(text, sizeof(text), p, len, variant);
	strbuf_adds(b, text);
}

/* Signs what b holds. */
static void
add_mac(struct strbuf *b, const char *key, bool padded)
{
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(
	    &st, (const unsigned char *)key, strlen(key));
	crypto_auth_hmacsha256_update(
	    &st, (const unsigned char *)b->buf, b->len);
	crypto_auth_hmacsha256_final(&st, mac);
	strbuf_addc(b, '.');
	add_part(b, mac, sizeof(mac), padded);
}

/* A token of these texts, by the key "abc". */
static void
make(struct strbuf *b, const char *header, const char *claims, bool padded)
{
	strbuf_reset(b);
	add_part(b, header, strlen(header), padded);
	strbuf_addc(b, '.');
	add_part(b, claims, strlen(claims), padded);
	add_mac(b, "abc", padded);
}

static void
refused(struct token_key *k, const struct strbuf *b, const char *reason)
{
	struct token_info info;
	struct error e = ERROR_INIT;
	int rc;

	rc = token_verify(k, b->buf, b->len, MS(NOW), &info, &e);
	if (rc != -1 || e.code != OVE_DENIED || strstr(e.text, reason) == NULL)
		fail_msg(
		    "'%.60s': %d '%s', not '%s'", b->buf, rc, e.text, reason);
}

static void
vector_both_ways(void **state)
{
	AUTO(token_key) struct token_key *k = key_of("abc");
	struct arena a AUTO_ARENA;
	char *text AUTO_FREE = NULL;
	struct token_info info;
	struct node *claims;
	struct error e = ERROR_INIT;

	(void)state;
	arena_init(&a, 1 << 20);
	test_ok(
	    json_read(vector_claims, strlen(vector_claims), &a, &claims, &e),
	    &e);
	test_ok(token_sign(k, claims, &text, &e), &e);
	assert_string_equal(text, vector);
	test_ok(token_verify(
		    k, vector, strlen(vector), MS(1795485182) + 999, &info, &e),
	    &e);
	assert_int_equal(info.exp, 1795485183);
	assert_int_equal(strlen(info.id), 12);
	test_fails(
	    token_verify(k, vector, strlen(vector), MS(1795485183), &info, &e),
	    &e, OVE_DENIED);
}

static void
written_as_python_does(void **state)
{
	static const char json[] =
	    "{\"z\":"
	    "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\\\"\\\\\\n\\u0001"
	    "/\",\"a\":[1,2.5,true,null,{}],\"\xc3\x9f\":-1}";
	static const char ascii[] =
	    "{\"z\":\"\\u00e9\\u20ac\\ud83d\\ude00\x7f\\\"\\\\\\n\\u0001/\","
	    "\"a\":[1,2.5,true,null,{}],\"\\u00df\":-1}";
	AUTO(token_key) struct token_key *k = key_of("abc");
	struct strbuf b AUTO_STRBUF;
	struct arena a AUTO_ARENA;
	char *text AUTO_FREE = NULL;
	struct node *claims;
	struct error e = ERROR_INIT;

	(void)state;
	strbuf_init(&b, 1 << 16);
	arena_init(&a, 1 << 20);
	test_ok(json_read(json, strlen(json), &a, &claims, &e), &e);
	test_ok(token_sign(k, claims, &text, &e), &e);
	make(&b, H, ascii, false);
	assert_string_equal(text, b.buf);
}

static void
sign_refuses(void **state)
{
	AUTO(token_key) struct token_key *k = key_of("abc");
	struct arena a AUTO_ARENA;
	char big[TOKEN_MAX];
	char *text = NULL;
	struct node *claims;
	struct error e = ERROR_INIT;

	(void)state;
	arena_init(&a, 1 << 20);
	test_fails(
	    token_sign(k, node_str(&a, "x"), &text, &e), &e, OVE_INVALID);
	error_clear(&e);
	test_fails(token_sign(k, NULL, &text, &e), &e, OVE_INVALID);
	memset(big, 'x', sizeof(big));
	claims = node_new(&a, NODE_MAP);
	node_set(&a, claims, "m", node_strn(&a, big, 3100));
	error_clear(&e);
	test_fails(token_sign(k, claims, &text, &e), &e, OVE_LIMIT);
	error_clear(&e);
	node_replace(&a, claims, "m", node_strn(&a, big, sizeof(big)));
	test_fails(token_sign(k, claims, &text, &e), &e, OVE_LIMIT);
	assert_null(text);
}

static void
keys_of_any_length(void **state)
{
	static const size_t lens[] = { 1, 3, 32, 63, 64, 65, 200 };
	char bytes[200];
	struct token_info info;
	struct arena a AUTO_ARENA;
	struct error e = ERROR_INIT;
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	memset(bytes, 0xa7, sizeof(bytes));
	bytes[1] = '\0';
	for (i = 0; i < ARRAY_LEN(lens); i++) {
		AUTO(token_key) struct token_key *k = NULL;
		AUTO(token_key) struct token_key *other = NULL;
		char *text AUTO_FREE = NULL;

		test_ok(token_key_new(&k, bytes, lens[i], &e), &e);
		test_ok(token_sign(k, node_new(&a, NODE_MAP), &text, &e), &e);
		test_ok(token_verify(k, text, strlen(text), 1, &info, &e), &e);
		bytes[lens[i] - 1] ^= 1;
		test_ok(token_key_new(&other, bytes, lens[i], &e), &e);
		test_fails(
		    token_verify(other, text, strlen(text), 1, &info, &e), &e,
		    OVE_DENIED);
		bytes[lens[i] - 1] ^= 1;
		error_clear(&e);
	}
	{
		struct token_key *k = NULL;

		test_fails(token_key_new(&k, "", 0, &e), &e, OVE_INVALID);
		assert_null(k);
	}
}

static void
accepted(void **state)
{
	static const struct {
		const char *header;
		const char *claims;
		int64_t exp;
		const char *id;
	} cases[] = {
		/* The original's autoscaler sends this. */
		{ H, "{}", 0, NULL },
		{ "{\"typ\":\"JWT\",\"alg\":\"HS256\"}", "{}", 0, NULL },
		{ "{\"alg\":\"HS256\"}", "{}", 0, NULL },
		{ "{\"alg\":\"HS256\",\"typ\":\"other\",\"kid\":\"1\"}", "{}",
		    0, NULL },
		{ " { \"alg\" : \"\\u0048S256\" } ", " { } ", 0, NULL },
		{ H, "{\"exp\":1000001}", 1000001, NULL },
		{ H, "{\"exp\":1000001.9}", 1000001, NULL },
		{ H, "{\"exp\":1e300}", INT64_MAX, NULL },
		{ H, "{\"exp\":100000000000000000000000}", INT64_MAX, NULL },
		{ H, "{\"exp\":9223372036854775807}", INT64_MAX, NULL },
		{ H, "{\"nbf\":1000000,\"iat\":1000000}", 0, NULL },
		{ H, "{\"nbf\":1000000.9,\"iat\":1000000.9}", 0, NULL },
		{ H, "{\"nbf\":-1,\"iat\":-1e300}", 0, NULL },
		{ H, "{\"iat\":-100000000000000000000000}", 0, NULL },
		{ H, "{\"iss\":1,\"sub\":2,\"foo\":[]}", 0, NULL },
		{ H, "{\"jti\":\"deploy-1\"}", 0, "deploy-1" },
		{ H, "{\"jti\":\"\"}", 0, NULL },
		{ H, "{\"jti\":\"a b\"}", 0, NULL },
		{ H, "{\"jti\":\"a\\nb\"}", 0, NULL },
		{ H, "{\"jti\":7}", 0, NULL },
		{ H,
		    "{\"jti\":\"123456789012345678901234567890123456789012345"
		    "6789012345678901234\"}",
		    0,
		    "1234567890123456789012345678901234567890123456789012345"
		    "678901234" },
		{ H,
		    "{\"jti\":\"123456789012345678901234567890123456789012345"
		    "67890123456789012345\"}",
		    0, NULL },
	};
	AUTO(token_key) struct token_key *k = key_of("abc");
	struct strbuf b AUTO_STRBUF;
	struct token_info info, again;
	struct error e = ERROR_INIT;
	int padded;
	size_t i;

	(void)state;
	strbuf_init(&b, 1 << 16);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		for (padded = 0; padded < 2; padded++) {
			make(&b, cases[i].header, cases[i].claims, padded != 0);
			memset(&info, 'x', sizeof(info));
			test_ok(
			    token_verify(k, b.buf, b.len, MS(NOW), &info, &e),
			    &e);
			assert_int_equal(info.exp, cases[i].exp);
			if (cases[i].id != NULL)
				assert_string_equal(info.id, cases[i].id);
			else
				assert_int_equal(strlen(info.id), 12);
			test_ok(
			    token_verify(k, b.buf, b.len, MS(NOW), &again, &e),
			    &e);
			assert_int_equal(again.exp, info.exp);
			assert_string_equal(again.id, info.id);
		}
	}
}

/* Signed with the key, and still refused. */
static void
refused_though_signed(void **state)
{
	static const struct {
		const char *header;
		const char *claims;
		const char *reason;
	} cases[] = {
		{ "{\"alg\":\"none\"}", "{}", "algorithm" },
		{ "{\"alg\":\"None\"}", "{}", "algorithm" },
		{ "{\"alg\":\"HS384\"}", "{}", "algorithm" },
		{ "{\"alg\":\"HS512\"}", "{}", "algorithm" },
		{ "{\"alg\":\"RS256\"}", "{}", "algorithm" },
		{ "{\"alg\":\"hs256\"}", "{}", "algorithm" },
		{ "{\"alg\":\"HS256 \"}", "{}", "algorithm" },
		{ "{\"alg\":\"\"}", "{}", "algorithm" },
		{ "{\"alg\":null}", "{}", "algorithm" },
		{ "{\"alg\":256}", "{}", "algorithm" },
		{ "{\"alg\":[\"HS256\"]}", "{}", "algorithm" },
		{ "{\"Alg\":\"HS256\"}", "{}", "algorithm" },
		{ "{\"typ\":\"JWT\"}", "{}", "algorithm" },
		{ "{}", "{}", "algorithm" },
		{ "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", "{}", "twice" },
		{ "{\"alg\":\"none\",\"alg\":\"HS256\"}", "{}", "twice" },
		{ "{\"alg\":\"HS256\",\"crit\":[\"b64\"]}", "{}", "crit" },
		{ "{\"alg\":\"HS256\",\"crit\":null}", "{}", "crit" },
		{ "[\"HS256\"]", "{}", "its header is a list" },
		{ "\"HS256\"", "{}", "its header is a string" },
		{ "", "{}", "its header" },
		{ "{\"alg\":\"HS256\"", "{}", "its header" },
		{ "{\"alg\":\"HS256\"}x", "{}", "its header" },
		{ "{\"alg\":\"HS256\\u0000\"}", "{}", "its header" },
		{ H, "", "its payload" },
		{ H, "null", "its payload" },
		{ H, "[]", "its payload is a list" },
		{ H, "1", "its payload" },
		{ H, "\"{}\"", "its payload is a string" },
		{ H, "{} {}", "its payload" },
		{ H, "{\"a\":1,}", "its payload" },
		{ H, "{'a':1}", "its payload" },
		{ H, "{\"a\":\"\xff\"}", "its payload" },
		{ H, "{\"exp\":1000000}", "expired" },
		{ H, "{\"exp\":1000000.9}", "expired" },
		{ H, "{\"exp\":999999}", "expired" },
		{ H, "{\"exp\":0}", "expired" },
		{ H, "{\"exp\":-1}", "expired" },
		{ H, "{\"exp\":-1e300}", "expired" },
		{ H, "{\"exp\":-100000000000000000000000}", "expired" },
		{ H, "{\"exp\":\"2000000\"}", "'exp' is not a number" },
		{ H, "{\"exp\":null}", "'exp' is not a number" },
		{ H, "{\"exp\":true}", "'exp' is not a number" },
		{ H, "{\"exp\":[2000000]}", "'exp' is not a number" },
		{ H, "{\"exp\":NaN}", "its payload" },
		{ H, "{\"exp\":2000000,\"exp\":2000000}", "twice" },
		{ H, "{\"exp\":2000000,\"\\u0065xp\":3000000}", "twice" },
		{ H, "{\"nbf\":1000001}", "not valid yet" },
		{ H, "{\"nbf\":1e300}", "not valid yet" },
		{ H, "{\"nbf\":\"0\"}", "'nbf' is not a number" },
		{ H, "{\"nbf\":false}", "'nbf' is not a number" },
		{ H, "{\"iat\":1000001}", "not valid yet" },
		{ H, "{\"iat\":1000001.5}", "not valid yet" },
		{ H, "{\"iat\":{}}", "'iat' is not a number" },
		{ H, "{\"nbf\":1,\"iat\":1000001}", "not valid yet" },
		{ H, "{\"nbf\":1000001,\"iat\":1}", "not valid yet" },
		{ H, "{\"aud\":\"me\"}", "audience" },
		{ H, "{\"aud\":null}", "audience" },
		{ H, "{\"aud\":[]}", "audience" },
	};
	AUTO(token_key) struct token_key *k = key_of("abc");
	struct strbuf b AUTO_STRBUF;
	size_t i;

	(void)state;
	strbuf_init(&b, 1 << 16);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		make(&b, cases[i].header, cases[i].claims, false);
		refused(k, &b, cases[i].reason);
		refused(k, &b, cases[i].reason);
	}
}

/* Texts that are no token, or not one of ours. */
static void
refused_unsigned(void **state)
{
#define HP "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30"
#define SIG "7IvPMsXdGd55dX_jR-pH24gNr1qvIe9X7Xyv2CCy2QY"
	static const struct {
		const char *text;
		const char *reason;
	} cases[] = {
		{ "", "three parts" },
		{ ".", "three parts" },
		{ "a", "three parts" },
		{ "a.b", "three parts" },
		{ HP, "three parts" },
		{ HP "." SIG ".", "three parts" },
		{ "." HP "." SIG, "three parts" },
		{ HP "." SIG "." SIG, "three parts" },
		{ "..", "not signed" },
		{ HP ".", "not signed" },
		{ "eyJhbGciOiJub25lIn0.e30.", "not signed" },
		{ HP ".=", "not base64url" },
		{ HP ".A", "not base64url" },
		{ HP "." SIG "==", "not base64url" },
		{ HP ".====", "not base64url" },
		{ HP "." SIG "\n", "not base64url" },
		{ HP ". " SIG, "not base64url" },
		{ HP ".7IvPMsXdGd55dX/jR-pH24gNr1qvIe9X7Xyv2CCy2QY",
		    "not base64url" },
		{ HP ".7IvPMsXdGd55dX+jR-pH24gNr1qvIe9X7Xyv2CCy2QY",
		    "not base64url" },
		{ HP ".7IvPMsXdGd55dX%5fjR-pH24gNr1qvIe9X7Xyv2CCy2QY",
		    "not base64url" },
		{ HP "." SIG "AA", "not base64url" },
		{ HP "." SIG "A", "33 bytes" },
		{ HP ".AAAA", "3 bytes" },
		{ HP "." SIG, "not by our key" },
		{ HP ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		    "not by our key" },
	};
	AUTO(token_key) struct token_key *k = key_of("abc");
	struct strbuf b AUTO_STRBUF;
	size_t i;

	(void)state;
	strbuf_init(&b, 1 << 16);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		strbuf_reset(&b);
		strbuf_adds(&b, cases[i].text);
		refused(k, &b, cases[i].reason);
	}
#undef HP
#undef SIG
}

/* Every single changed character refuses it, also when the good one is
 * cached; so does every spelling of the same bytes that is not the shortest or
 * the padded one. */
static void
damaged(void **state)
{
	AUTO(token_key) struct token_key *k = key_of("abc");
	struct strbuf b AUTO_STRBUF;
	struct token_info info;
	struct error e = ERROR_INIT;
	size_t i, len;
	char was;

	(void)state;
	strbuf_init(&b, 1 << 16);
	make(&b, H, "{\"exp\":2000000}", false);
	test_ok(token_verify(k, b.buf, b.len, MS(NOW), &info, &e), &e);
	for (i = 0; i < b.len; i++) {
		was = b.buf[i];
		b.buf[i] = was == 'A' ? 'B' : 'A';
		refused(k, &b, "token");
		b.buf[i] = (char)(was + 1);
		refused(k, &b, "token");
		b.buf[i] = '\0';
		refused(k, &b, "token");
		b.buf[i] = was;
	}
	len = b.len;
	for (i = 0; i < len; i++) {
		test_fails(token_verify(k, b.buf, i, MS(NOW), &info, &e), &e,
		    OVE_DENIED);
		error_clear(&e);
	}
	test_ok(token_verify(k, b.buf, b.len, MS(NOW), &info, &e), &e);
	strbuf_addc(&b, '=');
	test_ok(token_verify(k, b.buf, b.len, MS(NOW), &info, &e), &e);
	strbuf_addc(&b, '=');
	refused(k, &b, "not base64url");
}

static void
signed_base64_oddities(void **state)
{
	static const struct {
		const char *text;
		const char *reason;
	} cases[] = {
		/* "{}" is e30; e31 to e3_ have the same bytes. */
		{ "eyJhbGciOiJIUzI1NiJ9.e31", "payload is not base64url" },
		{ "eyJhbGciOiJIUzI1NiJ9.e3", "its payload" },
		{ "eyJhbGciOiJIUzI1NiJ9.e", "payload is not base64url" },
		{ "eyJhbGciOiJIUzI1NiJ9.e30==", "payload is not base64url" },
		{ "eyJhbGciOiJIUzI1NiJ9.e3=0", "payload is not base64url" },
		{ "eyJhbGciOiJIUzI1NiJ9.e30 ", "payload is not base64url" },
		{ "eyJhbGciOiJIUzI1NiJ9.", "its payload" },
		{ ".e30", "its header" },
		{ "eyJhbGciOiJIUzI1NiJ9=.e30", "header is not base64url" },
		{ "eyJhbGciOiJIUzI1NiJ9\n.e30", "header is not base64url" },
		{ "*yJhbGciOiJIUzI1NiJ9.e30", "header is not base64url" },
	};
	AUTO(token_key) struct token_key *k = key_of("abc");
	struct strbuf b AUTO_STRBUF;
	size_t i;

	(void)state;
	strbuf_init(&b, 1 << 16);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		strbuf_reset(&b);
		strbuf_adds(&b, cases[i].text);
		add_mac(&b, "abc", false);
		refused(k, &b, cases[i].reason);
	}
}

static void
huge(void **state)
{
	AUTO(token_key) struct token_key *k = key_of("abc");
	struct strbuf claims AUTO_STRBUF;
	struct strbuf b AUTO_STRBUF;
	struct token_info info;
	struct error e = ERROR_INIT;
	size_t i;

	(void)state;
	strbuf_init(&claims, 1 << 20);
	strbuf_init(&b, 1 << 20);
	/* The most that fits, the densest text and the deepest. */
	strbuf_adds(&claims, "{\"a\":[0");
	while (claims.len < 2960)
		strbuf_adds(&claims, ",0");
	strbuf_adds(&claims, "]}");
	make(&b, H, claims.buf, false);
	assert_in_range(b.len, 4000, TOKEN_MAX);
	test_ok(token_verify(k, b.buf, b.len, MS(NOW), &info, &e), &e);

	strbuf_reset(&claims);
	strbuf_adds(&claims, "{\"a\":");
	for (i = 0; i < 2900; i++)
		strbuf_addc(&claims, '[');
	make(&b, H, claims.buf, false);
	refused(k, &b, "nested deeper");

	while (b.len <= TOKEN_MAX)
		strbuf_addc(&b, 'A');
	refused(k, &b, "more than 4096");
	strbuf_reset(&b);
	while (b.len < (1 << 20))
		strbuf_addc(&b, '.');
	refused(k, &b, "more than 4096");
}

static void
wrong_key(void **state)
{
	AUTO(token_key) struct token_key *k = key_of("abc");
	AUTO(token_key) struct token_key *other = key_of("abd");
	struct strbuf b AUTO_STRBUF;
	struct token_info info;
	struct error e = ERROR_INIT;

	(void)state;
	strbuf_init(&b, 1 << 16);
	make(&b, H, "{}", false);
	test_ok(token_verify(k, b.buf, b.len, MS(NOW), &info, &e), &e);
	refused(other, &b, "not by our key");
}

static void
cached_times(void **state)
{
	AUTO(token_key) struct token_key *k = key_of("abc");
	struct strbuf b AUTO_STRBUF;
	struct token_info info;
	struct error e = ERROR_INIT;

	(void)state;
	strbuf_init(&b, 1 << 16);
	make(&b, H, "{\"nbf\":999990,\"exp\":1000010,\"jti\":\"me\"}", false);
	test_ok(token_verify(k, b.buf, b.len, MS(NOW), &info, &e), &e);
	test_ok(token_verify(k, b.buf, b.len, MS(1000010) - 1, &info, &e), &e);
	test_fails(token_verify(k, b.buf, b.len, MS(1000010), &info, &e), &e,
	    OVE_DENIED);
	assert_string_equal(e.text, "token 'me': it expired");
	error_clear(&e);
	/* The clock was set back. */
	test_fails(token_verify(k, b.buf, b.len, MS(999990) - 1, &info, &e), &e,
	    OVE_DENIED);
	assert_string_equal(e.text, "token 'me': it is not valid yet");
	error_clear(&e);
	test_ok(token_verify(k, b.buf, b.len, MS(999990), &info, &e), &e);
	assert_int_equal(info.exp, 1000010);
}

/* What was never right is not known, however often it was looked at. */
static void
known_are_those_that_were_right(void **state)
{
	AUTO(token_key) struct token_key *k = key_of("abc");
	struct strbuf b AUTO_STRBUF;
	struct token_info info;
	struct error e = ERROR_INIT;

	(void)state;
	strbuf_init(&b, 1 << 16);
	make(&b, H, "{\"exp\":1000001}", false);
	assert_false(token_is_known(k, b.buf, b.len));
	test_fails(token_verify(k, b.buf, b.len - 1, MS(NOW), &info, &e), &e,
	    OVE_DENIED);
	assert_false(token_is_known(k, b.buf, b.len - 1));
	error_clear(&e);
	test_ok(token_verify(k, b.buf, b.len, MS(NOW), &info, &e), &e);
	assert_true(token_is_known(k, b.buf, b.len));
	assert_false(token_is_known(k, b.buf, b.len - 1));
	/* It was right, though it is not any more. */
	test_fails(token_verify(k, b.buf, b.len, MS(NOW + 9), &info, &e), &e,
	    OVE_DENIED);
	assert_true(token_is_known(k, b.buf, b.len));
}

/* More tokens than the cache has places. */
static void
cache_overflows(void **state)
{
	AUTO(token_key) struct token_key *k = key_of("abc");
	struct strbuf b AUTO_STRBUF;
	struct token_info info;
	struct error e = ERROR_INIT;
	char claims[64], id[32];
	unsigned i, round;

	(void)state;
	strbuf_init(&b, 1 << 16);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 2000; i++) {
			(void)snprintf(id, sizeof(id), "t%u", i);
			(void)snprintf(claims, sizeof(claims),
			    "{\"jti\":\"%s\",\"exp\":%u}", id, 1000001 + i);
			make(&b, H, claims, false);
			test_ok(
			    token_verify(k, b.buf, b.len, MS(NOW), &info, &e),
			    &e);
			assert_string_equal(info.id, id);
			assert_int_equal(info.exp, 1000001 + i);
		}
	}
}

/* Whatever padding is sent, the id is the same, and another token's is not. */
static void
id_is_stable(void **state)
{
	AUTO(token_key) struct token_key *k = key_of("abc");
	struct strbuf b AUTO_STRBUF;
	struct token_info one, two;
	struct error e = ERROR_INIT;

	(void)state;
	strbuf_init(&b, 1 << 16);
	make(&b, H, "{\"random_chunk\":\"0123456789abcdef\"}", false);
	test_ok(token_verify(k, b.buf, b.len, MS(NOW), &one, &e), &e);
	strbuf_addc(&b, '=');
	test_ok(token_verify(k, b.buf, b.len, MS(NOW), &two, &e), &e);
	assert_string_equal(one.id, two.id);
	make(&b, H, "{\"random_chunk\":\"0123456789abcdee\"}", false);
	test_ok(token_verify(k, b.buf, b.len, MS(NOW), &two, &e), &e);
	assert_string_not_equal(one.id, two.id);
}

/* What the claims leave of the rights; "web" is asked for. */
static const struct rights {
	const char *claims;
	enum token_scope scope;
	bool narrowed;
	bool web;
} rights[] = {
	{ "{}", TOKEN_SCOPE_ALL, false, true },
	{ "{\"scope\":\"read\"}", TOKEN_SCOPE_READ, false, true },
	{ "{\"scope\":\"deploy\"}", TOKEN_SCOPE_DEPLOY, false, true },
	{ "{\"scope\":\"admin\"}", TOKEN_SCOPE_ADMIN, false, true },
	{ "{\"scope\":\"\"}", TOKEN_SCOPE_NONE, false, true },
	{ "{\"scope\":\"Admin\"}", TOKEN_SCOPE_NONE, false, true },
	{ "{\"scope\":\"read deploy\"}", TOKEN_SCOPE_NONE, false, true },
	{ "{\"scope\":null}", TOKEN_SCOPE_NONE, false, true },
	{ "{\"scope\":3}", TOKEN_SCOPE_NONE, false, true },
	{ "{\"scope\":[\"admin\"]}", TOKEN_SCOPE_NONE, false, true },
	{ "{\"projects\":[\"web\"]}", TOKEN_SCOPE_ALL, true, true },
	{ "{\"projects\":[\"dns\",\"web\"]}", TOKEN_SCOPE_ALL, true, true },
	{ "{\"projects\":[\"webs\",\"we\"]}", TOKEN_SCOPE_ALL, true, false },
	{ "{\"projects\":[\"\",\"web\"]}", TOKEN_SCOPE_ALL, true, true },
	{ "{\"projects\":[]}", TOKEN_SCOPE_ALL, true, false },
	{ "{\"projects\":[\"\"]}", TOKEN_SCOPE_ALL, true, false },
	{ "{\"projects\":\"web\"}", TOKEN_SCOPE_NONE, true, false },
	{ "{\"projects\":null}", TOKEN_SCOPE_NONE, true, false },
	{ "{\"projects\":[3]}", TOKEN_SCOPE_NONE, true, false },
	{ "{\"scope\":\"read\",\"projects\":[\"web\"]}", TOKEN_SCOPE_READ, true,
	    true },
};

static void
narrowed_by_claims(void **state)
{
	AUTO(token_key) struct token_key *k = key_of("abc");
	struct strbuf b AUTO_STRBUF;
	struct token_info info;
	struct error e = ERROR_INIT;

	(void)state;
	strbuf_init(&b, 1 << 16);
	/* The second time from the cache. */
	for (size_t i = 0; i < 2 * ARRAY_LEN(rights); i++) {
		const struct rights *r = &rights[i / 2];

		make(&b, H, r->claims, false);
		test_ok(token_verify(k, b.buf, b.len, MS(NOW), &info, &e), &e);
		if (info.scope != r->scope ||
		    (info.projects != NULL) != r->narrowed ||
		    token_has_project(&info, "web") != r->web)
			fail_msg("%s: scope %d", r->claims, (int)info.scope);
		assert_int_equal(token_has_project(&info, ""), !r->narrowed);
	}
}

static void
scopes_have_words(void **state)
{
	enum token_scope s = TOKEN_SCOPE_NONE;

	(void)state;
	for (int i = TOKEN_SCOPE_READ; i <= TOKEN_SCOPE_ADMIN; i++) {
		assert_true(token_scope_from_string(
		    token_scope_to_string((enum token_scope)i), &s));
		assert_int_equal(s, i);
	}
	assert_null(token_scope_to_string(TOKEN_SCOPE_ALL));
	assert_null(token_scope_to_string(TOKEN_SCOPE_NONE));
	assert_false(token_scope_from_string("all", &s));
}

static void
inspected_without_key(void **state)
{
	struct arena a AUTO_ARENA;
	struct strbuf b AUTO_STRBUF;
	struct token_info info;
	struct node *claims;
	struct error e = ERROR_INIT;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&b, 1 << 16);
	make(&b, H,
	    "{\"jti\":\"x\",\"exp\":1,\"scope\":\"deploy\","
	    "\"projects\":[\"a\",\"b\"]}",
	    false);
	/* Neither the end of the signature nor the time matters. */
	test_ok(token_inspect(b.buf, b.len - 1, &a, &info, &claims, &e), &e);
	assert_string_equal(info.id, "x");
	assert_int_equal(info.exp, 1);
	assert_int_equal(info.scope, TOKEN_SCOPE_DEPLOY);
	assert_true(token_has_project(&info, "b"));
	assert_false(token_has_project(&info, "c"));
	assert_non_null(node_get(claims, "jti"));
	test_fails(
	    token_inspect("x", 1, &a, &info, &claims, &e), &e, OVE_INVALID);
}

static void
decoded_without_key(void **state)
{
	struct arena a AUTO_ARENA;
	struct node *header, *claims;
	struct error e = ERROR_INIT;

	(void)state;
	arena_init(&a, 1 << 20);
	test_ok(
	    token_decode(vector, strlen(vector), &a, &header, &claims, &e), &e);
	assert_string_equal(node_text(node_get(header, "typ")), "JWT");
	assert_string_equal(
	    node_text(node_get(claims, "random_chunk")), "fab71fcad7940bb2");
	test_fails(token_decode("a.b.c", 5, &a, &header, &claims, &e), &e,
	    OVE_INVALID);
	error_clear(&e);
	test_fails(
	    token_decode("", 0, &a, &header, &claims, &e), &e, OVE_INVALID);
}

static int
sign_and_verify(void *ctx, struct error *e)
{
	AUTO(token_key) struct token_key *k = NULL;
	char *text AUTO_FREE = NULL;
	const struct node *claims = ctx;
	struct token_info info;
	int rc;

	if (token_key_new(&k, "abc", 3, e) < 0 ||
	    token_sign(k, claims, &text, e) < 0)
		return -1;
	rc = token_verify(k, text, strlen(text), MS(NOW), &info, e);
	if (rc < 0 && e->code != OVE_NOMEM)
		fail_msg("no memory made it '%s'", e->text);
	return rc;
}

static void
no_memory(void **state)
{
	struct arena a AUTO_ARENA;
	struct node *claims;
	struct error e = ERROR_INIT;

	(void)state;
	arena_init(&a, 1 << 20);
	test_ok(
	    json_read(vector_claims, strlen(vector_claims), &a, &claims, &e),
	    &e);
	torture(sign_and_verify, claims);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(vector_both_ways),
	cmocka_unit_test(written_as_python_does),
	cmocka_unit_test(sign_refuses),
	cmocka_unit_test(keys_of_any_length),
	cmocka_unit_test(accepted),
	cmocka_unit_test(refused_though_signed),
	cmocka_unit_test(refused_unsigned),
	cmocka_unit_test(damaged),
	cmocka_unit_test(signed_base64_oddities),
	cmocka_unit_test(huge),
	cmocka_unit_test(wrong_key),
	cmocka_unit_test(cached_times),
	cmocka_unit_test(known_are_those_that_were_right),
	cmocka_unit_test(cache_overflows),
	cmocka_unit_test(id_is_stable),
	cmocka_unit_test(narrowed_by_claims),
	cmocka_unit_test(scopes_have_words),
	cmocka_unit_test(inspected_without_key),
	cmocka_unit_test(decoded_without_key),
	cmocka_unit_test(no_memory),
};

static int
judge(const char *key)
{
	AUTO(token_key) struct token_key *k = NULL;
	char line[8192];
	struct token_info info;
	struct error e = ERROR_INIT;
	int64_t now;
	char *token;

	if (token_key_new(&k, key, strlen(key), &e) < 0)
		return 1;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		token = strchr(line, ' ');
		if (token == NULL)
			return 1;
		*token++ = '\0';
		if (num_i64(line, 0, INT64_MAX / 1000, &now, &e) < 0)
			return 1;
		error_clear(&e);
		if (token_verify(k, token, strlen(token), MS(now), &info, &e) ==
		    0)
			printf("ok\n");
		else
			printf("no %s\n", e.text);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "judge") == 0)
		return judge(argv[2]);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name(argv[0], tests, NULL, NULL);
}
