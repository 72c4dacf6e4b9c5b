/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * HS256 tokens: see token.h. The algorithm is not negotiated: whatever a header
 * says, the signature is taken as HMAC-SHA256 and compared in constant time
 * before anything inside the token is decoded, so that only what a holder of
 * the key has written reaches the JSON reader. Base64url is taken with or
 * without its padding but in one spelling only: what ends in bits that mean
 * nothing is refused.
 *
 * The key is kept as the state of an HMAC that has absorbed it, which spares
 * two of the hash's rounds at each use, and is wiped as the key would be.
 *
 * The cache has one place for each value of a keyed hash over the end of the
 * token (the signature), which nobody can aim at who does not know its key. A
 * place holds a whole token that was verified, and a hit is one that compares
 * equal in full. Times are checked anew at each hit.
 */
#include "lib/auth/token.h"

#include <string.h>

#include <sodium.h>

#include "lib/base/base64.h"
#include "lib/base/mem.h"
#include "lib/base/strbuf.h"
#include "lib/data/json.h"

#define CACHE_N 256
/* Of the token's end: half the signature and more. */
#define CACHE_HASHED 24
#define ARENA_MAX ((size_t)4 << 20)
#define ID_HASH_BYTES 6

static const char header_json[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";

/* What is known of a token whose signature and claims are good. */
struct verdict {
	struct token_info info;
	/* What info.projects points to. */
	char *projects;
	/* Good from here (nbf or iat, the later) to before there; seconds. */
	int64_t from;
	int64_t until;
};

struct place {
	/* NULL: free. */
	char *token;
	size_t len;
	struct verdict verdict;
};

struct token_key {
	crypto_auth_hmacsha256_state keyed;
	unsigned char cache_key[crypto_shorthash_KEYBYTES];
	struct place cache[CACHE_N];
};

/* A token in its three parts, in place. */
struct parts {
	const char *header;
	size_t header_len;
	const char *claims;
	size_t claims_len;
	const char *sig;
	size_t sig_len;
	/* header '.' claims */
	size_t signed_len;
};

int
token_key_new(
    struct token_key **ret, const void *key, size_t len, struct error *e)
{
	struct token_key *k;

	if (len == 0)
		return error_set(e, OVE_INVALID, "the key is empty");
	if (sodium_init() < 0)
		return error_set(e, OVE_INTERNAL, "libsodium does not start");
	k = mem_calloc(1, sizeof(*k));
	if (k == NULL)
		return error_nomem(e);
	crypto_auth_hmacsha256_init(&k->keyed, key, len);
	crypto_shorthash_keygen(k->cache_key);
	*ret = k;
	return 0;
}

static void
place_clear(struct place *p)
{
	if (p->token != NULL)
		mem_wipe(p->token, p->len);
	mem_free(p->token);
	mem_free(p->verdict.projects);
	*p = (struct place){ 0 };
}

struct token_key *
token_key_free(struct token_key *k)
{
	size_t i;

	if (k == NULL)
		return NULL;
	for (i = 0; i < CACHE_N; i++)
		place_clear(&k->cache[i]);
	mem_wipe(k, sizeof(*k));
	mem_free(k);
	return NULL;
}

static void
sign(const struct token_key *k, const char *text, size_t len,
    unsigned char mac[crypto_auth_hmacsha256_BYTES])
{
	crypto_auth_hmacsha256_state st = k->keyed;

	crypto_auth_hmacsha256_update(&st, (const unsigned char *)text, len);
	crypto_auth_hmacsha256_final(&st, mac);
	mem_wipe(&st, sizeof(st));
}

/* Making */

/* The character at s, which is valid UTF-8 and not ASCII. */
static unsigned
utf8_point(const unsigned char *s, size_t *ret_len)
{
	size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	unsigned c = s[0] & (0xffU >> (n + 1));
	size_t i;

	for (i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3fU);
	*ret_len = n;
	return c;
}

/* JSON with every character above ASCII as \uXXXX: there are none outside of
 * strings. */
static void
add_ascii(struct strbuf *b, const char *json)
{
	const unsigned char *s = (const unsigned char *)json;
	unsigned c;
	size_t n;

	for (; *s != '\0'; s += n) {
		n = 1;
		if (*s < 0x80) {
			strbuf_addc(b, (char)*s);
			continue;
		}
		c = utf8_point(s, &n);
		if (c >= 0x10000)
			strbuf_addf(b, "\\u%04x\\u%04x",
			    0xd800 + ((c - 0x10000) >> 10),
			    0xdc00 + (c & 0x3ff));
		else
			strbuf_addf(b, "\\u%04x", c);
	}
}

int
token_sign(const struct token_key *k, const struct node *claims, char **ret,
    struct error *e)
{
	struct strbuf json AUTO_STRBUF;
	struct strbuf ascii AUTO_STRBUF;
	struct strbuf out AUTO_STRBUF;
	unsigned char mac[crypto_auth_hmacsha256_BYTES];

	strbuf_init(&json, TOKEN_MAX);
	strbuf_init(&ascii, TOKEN_MAX);
	strbuf_init(&out, TOKEN_MAX);
	if (claims == NULL || claims->type != NODE_MAP)
		return error_set(e, OVE_INVALID, "the claims are not a map");
	json_write(&json, claims, JSON_COMPACT);
	if (strbuf_check(&json, e) < 0)
		return error_wrap(e, "make a token");
	add_ascii(&ascii, json.buf);
	if (strbuf_check(&ascii, e) < 0)
		return error_wrap(e, "make a token");
	base64_add(&out, header_json, sizeof(header_json) - 1, BASE64_URL);
	strbuf_addc(&out, '.');
	base64_add(&out, ascii.buf, ascii.len, BASE64_URL);
	sign(k, out.buf, out.len, mac);
	strbuf_addc(&out, '.');
	base64_add(&out, mac, sizeof(mac), BASE64_URL);
	if (strbuf_take(&out, ret, NULL, e) < 0)
		return error_wrap(e, "make a token");
	return 0;
}

/* Taking apart */

static int
split(const char *token, size_t len, struct parts *ret, struct error *e)
{
	const char *end = token + len;
	const char *first, *second;

	if (len > TOKEN_MAX)
		return error_set(e, OVE_INVALID,
		    "it has %zu bytes, more than %d", len, TOKEN_MAX);
	first = memchr(token, '.', len);
	second = first == NULL
	    ? NULL
	    : memchr(first + 1, '.', (size_t)(end - (first + 1)));
	if (second == NULL ||
	    memchr(second + 1, '.', (size_t)(end - (second + 1))) != NULL)
		return error_set(
		    e, OVE_INVALID, "it is not three parts with dots between");
	ret->header = token;
	ret->header_len = (size_t)(first - token);
	ret->claims = first + 1;
	ret->claims_len = (size_t)(second - ret->claims);
	ret->sig = second + 1;
	ret->sig_len = (size_t)(end - ret->sig);
	ret->signed_len = (size_t)(second - token);
	return 0;
}

/* bin has room for 3/4 of len. */
static int
from_base64(const char *what, const char *text, size_t len, unsigned char *bin,
    size_t bin_max, size_t *ret_len, struct error *e)
{
	int variant = len > 0 && text[len - 1] == '='
	    ? sodium_base64_VARIANT_URLSAFE
	    : sodium_base64_VARIANT_URLSAFE_NO_PADDING;

	if (sodium_base642bin(
		bin, bin_max, text, len, NULL, ret_len, NULL, variant) != 0)
		return error_set(
		    e, OVE_INVALID, "its %s is not base64url", what);
	return 0;
}

static int
read_part(const char *what, const char *text, size_t len, struct arena *a,
    struct node **ret, struct error *e)
{
	unsigned char json[TOKEN_MAX];
	size_t json_len;

	if (from_base64(what, text, len, json, sizeof(json), &json_len, e) < 0)
		return -1;
	if (json_read((const char *)json, json_len, a, ret, e) < 0)
		return error_wrap(e, "its %s", what);
	if ((*ret)->type != NODE_MAP)
		return error_set(e, OVE_INVALID, "its %s is %s, not an object",
		    what, node_type_article(*ret));
	return 0;
}

int
token_decode(const char *token, size_t len, struct arena *a,
    struct node **ret_header, struct node **ret_claims, struct error *e)
{
	struct node *header, *claims;
	struct parts p = { .header = NULL };

	if (split(token, len, &p, e) < 0 ||
	    read_part("header", p.header, p.header_len, a, &header, e) < 0 ||
	    read_part("payload", p.claims, p.claims_len, a, &claims, e) < 0)
		return error_wrap(e, "token");
	*ret_header = header;
	*ret_claims = claims;
	return 0;
}

/* Verifying */

static int
check_signature(const struct token_key *k, const char *token,
    const struct parts *p, struct error *e)
{
	/* One more than fits, to tell a longer one. */
	unsigned char sig[TOKEN_MAX];
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	size_t len;
	int rc;

	if (p->sig_len == 0)
		return error_set(e, OVE_DENIED, "it is not signed");
	if (from_base64(
		"signature", p->sig, p->sig_len, sig, sizeof(sig), &len, e) < 0)
		return -1;
	if (len != sizeof(mac))
		return error_set(e, OVE_DENIED,
		    "its signature has %zu bytes, HS256 has %zu", len,
		    sizeof(mac));
	sign(k, token, p->signed_len, mac);
	rc = sodium_memcmp(sig, mac, sizeof(mac));
	mem_wipe(mac, sizeof(mac));
	if (rc != 0)
		return error_set(
		    e, OVE_DENIED, "its signature is not by our key");
	return 0;
}

static int
check_header(const struct node *header, struct error *e)
{
	const char *alg = node_text(node_get(header, "alg"));

	if (alg == NULL || strcmp(alg, "HS256") != 0)
		return error_set(e, OVE_DENIED, "its algorithm is not HS256");
	if (node_get(header, "crit") != NULL)
		return error_set(e, OVE_DENIED, "its header has 'crit'");
	return 0;
}

/* Fractions are cut, and what does not fit is the furthest that does. */
static int
claim_seconds(
    const struct node *n, const char *name, int64_t *ret, struct error *e)
{
	if (n->type == NODE_INT && !n->big) {
		*ret = n->u.i;
	} else if (n->type == NODE_INT) {
		*ret = n->raw[0] == '-' ? INT64_MIN : INT64_MAX;
	} else if (n->type == NODE_FLOAT) {
		/* 2^63 is a double, INT64_MAX is not. */
		if (n->u.f >= 0x1p63)
			*ret = INT64_MAX;
		else if (n->u.f <= -0x1p63)
			*ret = INT64_MIN;
		else
			*ret = (int64_t)n->u.f;
	} else {
		return error_set(
		    e, OVE_DENIED, "its '%s' is not a number", name);
	}
	return 0;
}

static int
read_times(const struct node *claims, struct verdict *v, struct error *e)
{
	static const char *const starts[] = { "nbf", "iat" };
	const struct node *n;
	int64_t at = 0;
	size_t i;

	v->from = INT64_MIN;
	v->until = INT64_MAX;
	v->info.exp = 0;
	n = node_get(claims, "exp");
	if (n != NULL) {
		if (claim_seconds(n, "exp", &v->until, e) < 0)
			return -1;
		v->info.exp = v->until;
	}
	for (i = 0; i < ARRAY_LEN(starts); i++) {
		n = node_get(claims, starts[i]);
		if (n == NULL)
			continue;
		if (claim_seconds(n, starts[i], &at, e) < 0)
			return -1;
		if (at > v->from)
			v->from = at;
	}
	return 0;
}

static int
check_times(const struct verdict *v, int64_t now_ms, struct error *e)
{
	int64_t now = now_ms / 1000;

	if (v->until <= now)
		return error_set(e, OVE_DENIED, "it expired");
	if (v->from > now)
		return error_set(e, OVE_DENIED, "it is not valid yet");
	return 0;
}

static bool
fits_id(const char *s)
{
	size_t len = s == NULL ? 0 : strlen(s);
	size_t i;

	if (len == 0 || len >= sizeof(((struct token_info *)NULL)->id))
		return false;
	for (i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return true;
}

static void
name_token(const char *token, const struct parts *p, const struct node *claims,
    struct token_info *info)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	const char *jti = node_text(node_get(claims, "jti"));

	memset(info->id, 0, sizeof(info->id));
	if (fits_id(jti)) {
		memcpy(info->id, jti, strlen(jti));
		return;
	}
	/* Without the signature, whose padding anybody may add or drop. */
	crypto_hash_sha256(hash, (const unsigned char *)token, p->signed_len);
	(void)sodium_bin2hex(info->id, sizeof(info->id), hash, ID_HASH_BYTES);
}

static const char *const scopes[] = {
	[TOKEN_SCOPE_READ] = "read",
	[TOKEN_SCOPE_DEPLOY] = "deploy",
	[TOKEN_SCOPE_ADMIN] = "admin",
};

const char *
token_scope_to_string(enum token_scope s)
{
	return (size_t)s < ARRAY_LEN(scopes) ? scopes[s] : NULL;
}

bool
token_scope_from_string(const char *s, enum token_scope *ret)
{
	for (size_t i = TOKEN_SCOPE_READ; i < ARRAY_LEN(scopes); i++)
		if (strcmp(scopes[i], s) == 0) {
			*ret = (enum token_scope)i;
			return true;
		}
	return false;
}

/* -1: not a list of texts that can be names. */
static int
pack_projects(const struct node *list, struct strbuf *out)
{
	if (list->type != NODE_LIST)
		return -1;
	for (size_t i = 0; i < list->u.list.n; i++) {
		const struct node *n = list->u.list.items[i];
		const char *name = node_text(n);

		if (name == NULL || strlen(name) != n->u.str.len)
			return -1;
		strbuf_add(out, name, n->u.str.len + 1);
	}
	return 0;
}

/* A claim that narrows, but in words that are not ours, leaves nothing: what it
 * took away cannot be known. */
static int
read_rights(const struct node *claims, struct verdict *v, struct error *e)
{
	const struct node *scope = node_get(claims, "scope");
	const struct node *projects = node_get(claims, "projects");
	AUTO_STRBUF struct strbuf names;

	strbuf_init(&names, TOKEN_MAX);
	v->info.scope = TOKEN_SCOPE_ALL;
	if (scope != NULL &&
	    (node_text(scope) == NULL ||
		!token_scope_from_string(node_text(scope), &v->info.scope)))
		v->info.scope = TOKEN_SCOPE_NONE;
	if (projects == NULL)
		return 0;
	if (pack_projects(projects, &names) < 0)
		v->info.scope = TOKEN_SCOPE_NONE;
	/* So that an empty list is not taken for none. */
	strbuf_addc(&names, '\0');
	return strbuf_take(&names, &v->projects, &v->info.projects_len, e);
}

int
token_inspect(const char *token, size_t len, struct arena *a,
    struct token_info *ret, struct node **ret_claims, struct error *e)
{
	struct verdict v = { .projects = NULL };
	struct node *header, *claims;
	struct parts p;
	char *copy;

	if (split(token, len, &p, e) < 0 ||
	    token_decode(token, len, a, &header, &claims, e) < 0 ||
	    read_times(claims, &v, e) < 0 || read_rights(claims, &v, e) < 0)
		return -1;
	name_token(token, &p, claims, &v.info);
	v.info.projects = NULL;
	if (v.projects != NULL) {
		copy = arena_alloc(a, v.info.projects_len);
		if (copy != NULL)
			memcpy(copy, v.projects, v.info.projects_len);
		v.info.projects = copy;
		mem_free(v.projects);
	}
	if (arena_check(a, e) < 0)
		return -1;
	*ret = v.info;
	*ret_claims = claims;
	return 0;
}

bool
token_has_project(const struct token_info *t, const char *name)
{
	size_t len = strlen(name) + 1, n;

	if (t->projects == NULL)
		return true;
	/* An empty name is nobody's, and ends the list. */
	for (size_t i = 0; len > 1 && i < t->projects_len; i += n) {
		n = strlen(t->projects + i) + 1;
		if (n == len && memcmp(t->projects + i, name, len) == 0)
			return true;
	}
	return false;
}

void
token_hash(const void *p, size_t len, unsigned char ret[TOKEN_HASH_LEN])
{
	_Static_assert(TOKEN_HASH_LEN == crypto_hash_sha256_BYTES, "length");
	crypto_hash_sha256(ret, p, len);
}

/* What the cache does not know. */
static int
examine(const struct token_key *k, const char *token, size_t len,
    struct verdict *ret, struct error *e)
{
	struct arena a AUTO_ARENA;
	struct node *header, *claims;
	struct parts p = { .header = NULL };

	arena_init(&a, ARENA_MAX);
	if (split(token, len, &p, e) < 0 ||
	    check_signature(k, token, &p, e) < 0 ||
	    read_part("header", p.header, p.header_len, &a, &header, e) < 0 ||
	    check_header(header, e) < 0 ||
	    read_part("payload", p.claims, p.claims_len, &a, &claims, e) < 0)
		return -1;
	if (node_get(claims, "aud") != NULL)
		return error_set(e, OVE_DENIED, "it is for an audience");
	if (read_times(claims, ret, e) < 0)
		return -1;
	name_token(token, &p, claims, &ret->info);
	return read_rights(claims, ret, e);
}

/* In constant time; in blocks of 64, which libsodium compares some ten times as
 * fast as single bytes. */
static bool
same(const char *a, const char *b, size_t len)
{
	const unsigned char *p = (const unsigned char *)a;
	const unsigned char *q = (const unsigned char *)b;
	int rc = 0;
	size_t i;

	if (len < crypto_verify_64_BYTES)
		return sodium_memcmp(p, q, len) == 0;
	for (i = 0; i + crypto_verify_64_BYTES <= len;
	     i += crypto_verify_64_BYTES)
		rc |= crypto_verify_64(p + i, q + i);
	/* The rest, with some of what was looked at. */
	i = len - crypto_verify_64_BYTES;
	rc |= crypto_verify_64(p + i, q + i);
	return rc == 0;
}

static size_t
find_place(const struct token_key *k, const char *token, size_t len)
{
	unsigned char hash[crypto_shorthash_BYTES];
	size_t n = len < CACHE_HASHED ? len : CACHE_HASHED;

	(void)crypto_shorthash(
	    hash, (const unsigned char *)token + len - n, n, k->cache_key);
	return hash[0] % CACHE_N;
}

static bool
holds(const struct place *p, const char *token, size_t len)
{
	return p->token != NULL && p->len == len && same(p->token, token, len);
}

bool
token_is_known(const struct token_key *k, const char *token, size_t len)
{
	return holds(&k->cache[find_place(k, token, len)], token, len);
}

/* Without memory it is simply not kept; false: and neither are its projects. */
static bool
keep(struct place *p, const char *token, size_t len, const struct verdict *v)
{
	char *copy = mem_dup(token, len);

	if (copy == NULL && v->projects != NULL) {
		mem_free(v->projects);
		return false;
	}
	if (copy == NULL)
		return true;
	place_clear(p);
	*p = (struct place){ .token = copy, .len = len, .verdict = *v };
	return true;
}

int
token_verify(struct token_key *k, const char *token, size_t len, int64_t now_ms,
    struct token_info *ret, struct error *e)
{
	struct error why = ERROR_INIT;
	struct place *p = &k->cache[find_place(k, token, len)];
	struct verdict v = { .projects = NULL };

	if (holds(p, token, len)) {
		if (check_times(&p->verdict, now_ms, e) < 0)
			return error_wrap(e, "token '%s'", p->verdict.info.id);
		*ret = p->verdict.info;
		return 0;
	}
	if (examine(k, token, len, &v, &why) < 0) {
		if (why.code == OVE_NOMEM)
			return error_nomem(e);
		return error_set(e, OVE_DENIED, "token: %s", why.text);
	}
	v.info.projects = v.projects;
	if (check_times(&v, now_ms, e) < 0) {
		mem_free(v.projects);
		return error_wrap(e, "token '%s'", v.info.id);
	}
	if (!keep(p, token, len, &v))
		return error_nomem(e);
	*ret = v.info;
	return 0;
}
