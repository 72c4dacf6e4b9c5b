/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Server id and key: made once, kept, taken over from the original where ours
 * is missing (design.md 3.11), refused when they are not as they should be.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/identity.h"
#include "lib/auth/keyfile.h"
#include "lib/auth/token.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/data/node.h"
#include "proto/config.h"
#include "test/unit/support/torture.h"

#define OLD_ID "0b8f4c66-7a8e-4a53-9d44-0e3f3f0f5a11"

struct place {
	char ours[300];
	char original[300];
	struct config c;
	char key[300];
};

/* Ours is in a directory that has to be made. */
static void
place_of(const struct test_dir *d, struct place *p)
{
	memset(p, 0, sizeof(*p));
	(void)snprintf(p->ours, sizeof(p->ours), "%s/a/b/serverid", d->path);
	(void)snprintf(p->key, sizeof(p->key), "%s/a/b/keyfile", d->path);
	(void)snprintf(p->original, sizeof(p->original), "%s/old", d->path);
	p->c.secret_keyfile = p->key;
}

static void
put_original(const struct test_dir *d, const char *id, const char *key)
{
	assert_int_equal(mkdirat(d->fd, "old", 0755), 0);
	if (id != NULL)
		test_dir_put(d, "old/serverid", id);
	if (key != NULL) {
		test_dir_put(d, "old/keyfile", key);
		assert_int_equal(fchmodat(d->fd, "old/keyfile", 0400, 0), 0);
	}
}

/* A key of 64 letters. */
static const char *
key_of(char c)
{
	static char key[KEYFILE_LEN + 1];

	memset(key, c, KEYFILE_LEN);
	return key;
}

static bool
is_uuid(const char *s)
{
	return strlen(s) == 36 && strspn(s, "0123456789abcdef-") == 36 &&
	    s[8] == '-' && s[13] == '-' && s[14] == '4' && s[18] == '-' &&
	    s[23] == '-';
}

static void
an_id_is_made_and_kept(void **state)
{
	const struct test_dir *d = *state;
	char first[SERVERID_LEN], again[SERVERID_LEN];
	struct error e = ERROR_INIT;
	struct place p;

	place_of(d, &p);
	test_ok(identity_server_id(p.ours, p.original, first, &e), &e);
	assert_true(is_uuid(first));
	assert_string_equal(test_dir_text(d, "a/b/serverid"), first);
	test_ok(identity_server_id(p.ours, p.original, again, &e), &e);
	assert_string_equal(first, again);
}

static void
ids_are_read_without_blanks(void **state)
{
	static const struct {
		const char *text;
		const char *id;
	} rows[] = {
		{ "x", "x" },
		{ " \t\r\n my.id-1 \n", "my.id-1" },
		{ "a b", "a" },
		{ OLD_ID "\n", OLD_ID },
	};
	const struct test_dir *d = *state;
	char got[SERVERID_LEN];
	struct error e = ERROR_INIT;
	struct place p;

	place_of(d, &p);
	(void)snprintf(p.ours, sizeof(p.ours), "%s/id", d->path);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_dir_put(d, "id", rows[i].text);
		test_ok(identity_server_id(p.ours, p.original, got, &e), &e);
		assert_string_equal(got, rows[i].id);
		assert_string_equal(test_dir_text(d, "id"), rows[i].text);
	}
	/* Blank is missing. */
	test_dir_put(d, "id", " \n\t");
	test_ok(identity_server_id(p.ours, p.original, got, &e), &e);
	assert_true(is_uuid(got));
	assert_string_equal(test_dir_text(d, "id"), got);
}

static void
what_is_no_id_is_refused_and_kept(void **state)
{
	const struct test_dir *d = *state;
	char got[SERVERID_LEN], longer[SERVERID_LEN + 1];
	struct error e = ERROR_INIT;
	struct place p;

	place_of(d, &p);
	(void)snprintf(p.ours, sizeof(p.ours), "%s/id", d->path);
	test_dir_put(d, "id", "a/b");
	test_fails(
	    identity_server_id(p.ours, p.original, got, &e), &e, OVE_INVALID);
	assert_string_equal(test_dir_text(d, "id"), "a/b");
	memset(longer, 'x', SERVERID_LEN);
	longer[SERVERID_LEN] = '\0';
	test_dir_put(d, "id", longer);
	error_clear(&e);
	test_fails(
	    identity_server_id(p.ours, p.original, got, &e), &e, OVE_INVALID);
	/* A directory in its place. */
	assert_int_equal(unlinkat(d->fd, "id", 0), 0);
	assert_int_equal(mkdirat(d->fd, "id", 0700), 0);
	error_clear(&e);
	assert_int_equal(identity_server_id(p.ours, p.original, got, &e), -1);
}

static void
the_originals_id_is_taken_over_once(void **state)
{
	const struct test_dir *d = *state;
	char got[SERVERID_LEN];
	struct error e = ERROR_INIT;
	struct place p;

	place_of(d, &p);
	put_original(d, OLD_ID, NULL);
	test_ok(identity_server_id(p.ours, p.original, got, &e), &e);
	assert_string_equal(got, OLD_ID);
	assert_string_equal(test_dir_text(d, "a/b/serverid"), OLD_ID);
	assert_string_equal(test_dir_text(d, "old/serverid"), OLD_ID);
	/* From then on ours counts. */
	test_dir_put(d, "old/serverid", "another");
	test_ok(identity_server_id(p.ours, p.original, got, &e), &e);
	assert_string_equal(got, OLD_ID);
}

static void
an_unusable_id_of_the_original_is_none(void **state)
{
	const struct test_dir *d = *state;
	char got[SERVERID_LEN];
	struct error e = ERROR_INIT;
	struct place p;

	place_of(d, &p);
	put_original(d, "a/b", NULL);
	test_ok(identity_server_id(p.ours, p.original, got, &e), &e);
	assert_true(is_uuid(got));
}

/* A token made with one key is good with the other: they are the same. */
static bool
same_key(struct token_key *k, const char *text)
{
	AUTO(token_key) struct token_key *other = NULL;
	AUTO_ARENA struct arena a;
	AUTO_FREE char *token = NULL;
	struct token_info info;
	struct error e = ERROR_INIT;

	arena_init(&a, 4096);
	test_ok(token_key_new(&other, text, strlen(text), &e), &e);
	test_ok(token_sign(other, node_new(&a, NODE_MAP), &token, &e), &e);
	return token_verify(k, token, strlen(token), 1, &info, NULL) == 0;
}

static void
a_key_is_made_and_kept(void **state)
{
	const struct test_dir *d = *state;
	AUTO(token_key) struct token_key *first = NULL;
	AUTO(token_key) struct token_key *again = NULL;
	struct error e = ERROR_INIT;
	struct place p;
	struct stat st;
	char raw[KEYFILE_LEN];
	AUTO_FD int fd = -1;

	place_of(d, &p);
	test_ok(identity_token_key(&p.c, p.original, &first, &e), &e);
	assert_int_equal(stat(p.key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(st.st_size, KEYFILE_LEN);
	fd = open(p.key, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, raw, sizeof(raw)), KEYFILE_LEN);
	test_ok(identity_token_key(&p.c, p.original, &again, &e), &e);
	assert_int_equal(stat(p.key, &st), 0);
	assert_int_equal(st.st_size, KEYFILE_LEN);
}

static void
the_originals_key_is_taken_over_once(void **state)
{
	const struct test_dir *d = *state;
	struct token_key *k = NULL;
	struct error e = ERROR_INIT;
	struct place p;
	struct stat st;

	place_of(d, &p);
	put_original(d, NULL, key_of('o'));
	test_ok(identity_token_key(&p.c, p.original, &k, &e), &e);
	assert_true(same_key(k, key_of('o')));
	k = token_key_free(k);
	assert_int_equal(stat(p.key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_string_equal(test_dir_text(d, "old/keyfile"), key_of('o'));
	/* From then on ours counts. */
	assert_int_equal(unlinkat(d->fd, "old/keyfile", 0), 0);
	test_dir_put(d, "old/keyfile", key_of('n'));
	test_ok(identity_token_key(&p.c, p.original, &k, &e), &e);
	assert_true(same_key(k, key_of('o')));
	token_key_free(k);
}

static void
an_unusable_key_of_the_original_stops_the_start(void **state)
{
	const struct test_dir *d = *state;
	struct token_key *k = NULL;
	struct error e = ERROR_INIT;
	struct place p;
	struct stat st;

	place_of(d, &p);
	put_original(d, NULL, "short");
	/* A fresh key instead would lock out every token they have. */
	test_fails(
	    identity_token_key(&p.c, p.original, &k, &e), &e, OVE_INVALID);
	assert_non_null(strstr(e.text, p.original));
	assert_int_equal(stat(p.key, &st), -1);
	assert_null(k);
}

static void
the_originals_own_place_is_no_source(void **state)
{
	const struct test_dir *d = *state;
	struct token_key *k = NULL;
	struct error e = ERROR_INIT;
	struct place p;

	/* The configuration names the original's file: it is used there. */
	place_of(d, &p);
	put_original(d, NULL, key_of('o'));
	(void)snprintf(p.key, sizeof(p.key), "%s/old/keyfile", d->path);
	test_ok(identity_token_key(&p.c, p.original, &k, &e), &e);
	assert_true(same_key(k, key_of('o')));
	token_key_free(k);
}

static void
a_configured_secret_needs_no_file(void **state)
{
	const struct test_dir *d = *state;
	struct token_key *k = NULL;
	struct error e = ERROR_INIT;
	struct place p;

	place_of(d, &p);
	put_original(d, NULL, key_of('o'));
	p.c.secret_key = "secret";
	test_ok(identity_token_key(&p.c, p.original, &k, &e), &e);
	assert_true(same_key(k, "secret"));
	token_key_free(k);
	assert_string_equal(test_dir_text(d, "a/b/keyfile"), "(none)");
}

static bool with_original;

static int
both_body(void *ctx, struct error *e)
{
	AUTO(token_key) struct token_key *k = NULL;
	const struct test_dir *d = ctx;
	char id[SERVERID_LEN];
	struct place p;

	place_of(d, &p);
	(void)file_remove_tree(d->fd, "a", NULL);
	if (identity_server_id(p.ours, p.original, id, e) < 0)
		return -1;
	if (with_original)
		assert_string_equal(id, OLD_ID);
	if (identity_token_key(&p.c, p.original, &k, e) < 0)
		return -1;
	if (with_original)
		assert_string_equal(
		    test_dir_text(d, "a/b/keyfile"), key_of('o'));
	return 0;
}

static void
allocations_may_fail(void **state)
{
	const struct test_dir *d = *state;

	torture(both_body, *state);
	put_original(d, OLD_ID, key_of('o'));
	with_original = true;
	torture(both_body, *state);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(an_id_is_made_and_kept),
	TEST_IN_DIR(ids_are_read_without_blanks),
	TEST_IN_DIR(what_is_no_id_is_refused_and_kept),
	TEST_IN_DIR(the_originals_id_is_taken_over_once),
	TEST_IN_DIR(an_unusable_id_of_the_original_is_none),
	TEST_IN_DIR(a_key_is_made_and_kept),
	TEST_IN_DIR(the_originals_key_is_taken_over_once),
	TEST_IN_DIR(an_unusable_key_of_the_original_stops_the_start),
	TEST_IN_DIR(the_originals_own_place_is_no_source),
	TEST_IN_DIR(a_configured_secret_needs_no_file),
	TEST_IN_DIR(allocations_may_fail),
};

TEST_MAIN(tests)
