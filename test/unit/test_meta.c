/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Metadata and namespaces on disk: what counts, modes, what a failure at any
 * place leaves, and each state in which a crash can leave a swap.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/meta.h"
#include "lib/base/mem.h"
#include "lib/base/strbuf.h"
#include "lib/data/json.h"
#include "test/unit/support/faultio.h"
#include "test/unit/support/torture.h"

/* Metadata in "m", namespaces in "n". */
struct rig {
	const struct test_dir *d;
	int m;
	int n;
	char top[300];
	struct arena a;
	struct strbuf shown;
};

static void
rig_open(struct rig *r, void **state)
{
	r->d = *state;
	(void)snprintf(r->top, sizeof(r->top), "%s/n", r->d->path);
	assert_int_equal(mkdirat(r->d->fd, "m", 0750), 0);
	assert_int_equal(mkdirat(r->d->fd, "n", 0755), 0);
	r->m = openat(r->d->fd, "m", O_RDONLY | O_DIRECTORY);
	r->n = openat(r->d->fd, "n", O_RDONLY | O_DIRECTORY);
	assert_true(r->m >= 0 && r->n >= 0);
	arena_init(&r->a, (size_t)16 << 20);
	strbuf_init(&r->shown, (size_t)16 << 20);
}

static void
rig_close(struct rig *r)
{
	(void)close(r->m);
	(void)close(r->n);
	arena_fini(&r->a);
	strbuf_fini(&r->shown);
}

static const char *
show(struct rig *r, const struct node *n)
{
	strbuf_reset(&r->shown);
	json_write(&r->shown, n, JSON_COMPACT);
	return r->shown.buf;
}

static unsigned
mode_of(const struct rig *r, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(r->d->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static bool
there(const struct rig *r, const char *path)
{
	return faccessat(r->d->fd, path, F_OK, 0) == 0;
}

static void
put(struct rig *r, const char *key, const char *text)
{
	struct error e = ERROR_INIT;

	test_ok(meta_put(r->m, key, text, strlen(text), &e), &e);
}

static int
put_namespace(struct rig *r, const char *name, const char *body,
    struct arena *a, struct error *e)
{
	struct msg_mapping mapping;
	const struct meta_build b = {
		.dir = r->n,
		.top = r->top,
		.metadata = r->m,
		.name = name,
		.mapping = &mapping,
	};
	struct node *n;

	if (json_read(body, strlen(body), a, &n, e) < 0 ||
	    msg_mapping_bind(n, a, &mapping, e) < 0)
		return -1;
	return meta_namespace_put(&b, a, e);
}

/* Metadata */

static void
a_text_comes_back_as_it_was(void **state)
{
	struct error e = ERROR_INIT;
	AUTO_FREE char *text = NULL;
	struct stat before, after;
	struct rig r;
	size_t len;

	rig_open(&r, state);
	assert_int_equal(meta_exists(r.m, "k", &e), META_NONE);
	assert_int_equal(meta_get(r.m, "k", 100, &text, &len, &e), META_NONE);
	assert_int_equal(meta_remove(r.m, "k", &e), META_NONE);
	(void)umask(077);
	put(&r, "k", "a\r\nb\r\xc3\xa4\n");
	(void)umask(022);
	assert_int_equal(mode_of(&r, "m/k"), 0644);
	test_ok(meta_exists(r.m, "k", &e), &e);
	test_ok(meta_get(r.m, "k", 100, &text, &len, &e), &e);
	assert_int_equal(len, 8);
	assert_string_equal(text, "a\r\nb\r\xc3\xa4\n");
	mem_free(STEAL(text));
	test_fails(meta_get(r.m, "k", 7, &text, &len, &e), &e, OVE_LIMIT);
	error_clear(&e);
	/* The same text is not written again. */
	assert_int_equal(fstatat(r.m, "k", &before, 0), 0);
	put(&r, "k", "a\r\nb\r\xc3\xa4\n");
	assert_int_equal(fstatat(r.m, "k", &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	put(&r, "k", "");
	assert_string_equal(test_dir_text(r.d, "m/k"), "");
	test_ok(meta_remove(r.m, "k", &e), &e);
	assert_false(there(&r, "m/k"));
	rig_close(&r);
}

static void
only_files_with_good_names_count(void **state)
{
	struct error e = ERROR_INIT;
	AUTO_FREE char *text = NULL;
	struct node *n;
	struct rig r;
	size_t len;

	rig_open(&r, state);
	test_ok(meta_list(r.m, &r.a, &n, &e), &e);
	assert_string_equal(show(&r, n), "[]");
	test_dir_put(r.d, "m/b", "");
	test_dir_put(r.d, "m/a.c", "");
	test_dir_put(r.d, "m/B", "");
	test_dir_put(r.d, "m/1x", "");
	test_dir_put(r.d, "m/.k.1234abcd", "");
	test_dir_put(r.d, "secret", "secret");
	assert_int_equal(mkdirat(r.m, "dir", 0755), 0);
	assert_int_equal(mkfifoat(r.m, "fifo", 0644), 0);
	assert_int_equal(symlinkat("../secret", r.m, "link"), 0);
	test_ok(meta_list(r.m, &r.a, &n, &e), &e);
	assert_string_equal(show(&r, n), "[\"B\",\"a.c\",\"b\"]");
	for (size_t i = 0; i < 3; i++) {
		static const char *const odd[] = { "dir", "fifo", "link" };

		assert_int_equal(meta_exists(r.m, odd[i], &e), META_NONE);
		assert_int_equal(
		    meta_get(r.m, odd[i], 9, &text, &len, &e), META_NONE);
		assert_int_equal(meta_remove(r.m, odd[i], &e), META_NONE);
		test_fails(meta_put(r.m, odd[i], "x", 1, &e), &e, OVE_CONFLICT);
		error_clear(&e);
	}
	assert_string_equal(test_dir_text(r.d, "secret"), "secret");
	rig_close(&r);
}

static void
a_failed_write_leaves_the_old_text(void **state)
{
	static const enum faultio_call calls[] = { FAULTIO_WRITE, FAULTIO_FSYNC,
		FAULTIO_RENAMEAT };
	struct error e = ERROR_INIT;
	struct rig r;

	rig_open(&r, state);
	put(&r, "k", "old");
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		faultio_fail(calls[i], 0, ENOSPC);
		test_fails(meta_put(r.m, "k", "new", 3, &e), &e, OVE_NOSPACE);
		assert_true(faultio_clear());
		assert_string_equal(test_dir_text(r.d, "m/k"), "old");
		error_clear(&e);
	}
	rig_close(&r);
}

static void
directories_are_made_when_needed(void **state)
{
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	AUTO_FD int fd = -1;
	char path[320];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/x/y", d->path);
	assert_int_equal(meta_open(path, &fd, &e), META_NONE);
	test_ok(meta_make(path, 0750, &fd, &e), &e);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	cc_auto_close(&fd);
	/* One that is there stays as it is. */
	assert_int_equal(chmod(path, 0700), 0);
	test_ok(meta_make(path, 0750, &fd, &e), &e);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	test_dir_put(d, "file", "");
	cc_auto_close(&fd);
	(void)snprintf(path, sizeof(path), "%s/file", d->path);
	test_fails(meta_open(path, &fd, &e), &e, OVE_IO);
}

/* Namespaces */

static void
paths(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} rows[] = {
		{ "", "" },
		{ "/", "" },
		{ ".", "" },
		{ "a/..", "" },
		{ "../web", "" },
		{ "x", "x" },
		{ "//etc//x/", "etc/x" },
		{ "./a/./b/../c", "a/c" },
		{ "../web/x", "x" },
		{ "../../n/web/x", "x" },
		{ "...", "..." },
		{ "..", NULL },
		{ "../evil", NULL },
		{ "../webber", NULL },
		{ "../web.d/x", NULL },
		{ "a/../../b", NULL },
		{ "../../../../../../../etc/passwd", NULL },
		{ "/../x", NULL },
	};
	AUTO_ARENA struct arena a;

	(void)state;
	arena_init(&a, 65536);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *got = NULL;
		int r = meta_path("/v/n", "web", rows[i].in, &a, &got);

		if (r != (rows[i].out == NULL ? META_NONE : 0) ||
		    (r == 0 && strcmp(got, rows[i].out) != 0))
			fail_msg("'%s': %d '%s'", rows[i].in, r,
			    got != NULL ? got : "");
	}
}

#define TREE                                                                   \
  "{\"mapping\":[{\"directory\":\"\",\"mode\":448},"                           \
  "{\"file\":\"k:/etc/x:y\",\"mode\":384,\"prefix\":null},"                    \
  "{\"file\":[\"k\",\"etc/z\"]},"                                              \
  "{\"directory\":\"d/e\",\"umask\":63}]}"

static void
a_tree_is_built(void **state)
{
	struct error e = ERROR_INIT;
	struct node *n;
	struct rig r;

	rig_open(&r, state);
	put(&r, "k", "text");
	(void)umask(077);
	test_ok(put_namespace(&r, "web", TREE, &r.a, &e), &e);
	(void)umask(022);
	assert_string_equal(test_dir_text(r.d, "n/web/etc/x:y"), "text");
	assert_string_equal(test_dir_text(r.d, "n/web/etc/z"), "text");
	assert_int_equal(mode_of(&r, "n/web"), 0700);
	assert_int_equal(mode_of(&r, "n/web/etc"), 0755);
	assert_int_equal(mode_of(&r, "n/web/etc/x:y"), 0600);
	assert_int_equal(mode_of(&r, "n/web/etc/z"), 0644);
	assert_int_equal(mode_of(&r, "n/web/d"), 0700);
	assert_int_equal(mode_of(&r, "n/web/d/e"), 0700);
	/* Replaced as a whole. */
	test_ok(put_namespace(&r, "web",
		    "{\"mapping\":[{\"directory\":\"only\"}]}", &r.a, &e),
	    &e);
	assert_false(there(&r, "n/web/etc"));
	assert_true(there(&r, "n/web/only"));
	assert_int_equal(mode_of(&r, "n/web"), 0755);
	test_ok(meta_namespaces(r.n, &r.a, &n, &e), &e);
	assert_string_equal(show(&r, n), "[\"web\"]");
	test_ok(meta_namespace_remove(r.n, "web", &e), &e);
	assert_int_equal(meta_namespace_remove(r.n, "web", &e), META_NONE);
	assert_int_equal(meta_namespace_exists(r.n, "web", &e), META_NONE);
	test_ok(meta_namespaces(r.n, &r.a, &n, &e), &e);
	assert_string_equal(show(&r, n), "[]");
	assert_false(there(&r, "n/.new"));
	assert_false(there(&r, "n/.old"));
	assert_false(there(&r, "n/.journal"));
	rig_close(&r);
}

static void
later_entries_win(void **state)
{
	struct error e = ERROR_INIT;
	struct rig r;

	rig_open(&r, state);
	put(&r, "a", "a long one");
	put(&r, "b", "b");
	test_ok(put_namespace(&r, "w",
		    "{\"mapping\":[{\"file\":\"a:x\",\"mode\":384},"
		    "{\"file\":\"b:x\"},{\"directory\":\"d\",\"mode\":448},"
		    "{\"file\":\"b:d/y\"}]}",
		    &r.a, &e),
	    &e);
	assert_string_equal(test_dir_text(r.d, "n/w/x"), "b");
	assert_int_equal(mode_of(&r, "n/w/x"), 0600);
	assert_int_equal(mode_of(&r, "n/w/d"), 0700);
	rig_close(&r);
}

#define SPEC MSG_INVALID_SPEC "namespace.mapping.<item#0>."

static void
a_mapping_that_cannot_be_changes_nothing(void **state)
{
	static const struct {
		const char *entry;
		const char *message;
	} rows[] = {
		{ "{\"file\":\"nope:x\"}",
		    SPEC "file: nope: metadata not found." },
		{ "{\"file\":\"../k:x\"}",
		    SPEC "file: ../k: metadata not found." },
		{ "{\"file\":\"k:\"}",
		    SPEC "file: the path of a file is empty." },
		{ "{\"file\":\"k:a/..\"}",
		    SPEC "file: the path of a file is empty." },
		{ "{\"directory\":\"x\",\"owner\":\"no such user\"}",
		    SPEC "owner: no such user: user not found." },
		{ "{\"directory\":\"x\",\"group\":\"-1\"}",
		    SPEC "group: -1: group not found." },
		{ "{\"directory\":\"x\"},{\"file\":\"k:x\"}",
		    MSG_INVALID_SPEC "namespace.mapping.<item#1>.file: a file "
				     "and a directory have the same path." },
		{ "{\"file\":\"k:x\"},{\"directory\":\"x/y\"}",
		    MSG_INVALID_SPEC "namespace.mapping.<item#1>.directory: a "
				     "file and a directory have the same "
				     "path." },
	};
	struct error e = ERROR_INIT;
	struct rig r;

	rig_open(&r, state);
	put(&r, "k", "old");
	test_ok(put_namespace(
		    &r, "w", "{\"mapping\":[{\"file\":\"k:f\"}]}", &r.a, &e),
	    &e);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char body[300];

		(void)snprintf(
		    body, sizeof(body), "{\"mapping\":[%s]}", rows[i].entry);
		test_fails(
		    put_namespace(&r, "w", body, &r.a, &e), &e, OVE_INVALID);
		assert_string_equal(e.text, rows[i].message);
		error_clear(&e);
		assert_string_equal(test_dir_text(r.d, "n/w/f"), "old");
		assert_false(there(&r, "n/.new"));
	}
	test_fails(
	    put_namespace(&r, "w",
		"{\"mapping\":[{\"directory\":\"/../../evil\"}]}", &r.a, &e),
	    &e, OVE_INVALID);
	assert_non_null(strstr(e.text, "'../../evil' is not a path of '/"));
	error_clear(&e);
	/* What is in the way is left alone. */
	test_dir_put(r.d, "n/plain", "x");
	assert_int_equal(symlinkat("w", r.n, "link"), 0);
	test_fails(
	    put_namespace(&r, "plain", TREE, &r.a, &e), &e, OVE_CONFLICT);
	error_clear(&e);
	test_fails(put_namespace(&r, "link", TREE, &r.a, &e), &e, OVE_CONFLICT);
	assert_string_equal(test_dir_text(r.d, "n/w/f"), "old");
	rig_close(&r);
}

static void
depth_and_length_have_an_end(void **state)
{
	struct error e = ERROR_INIT;
	AUTO_STRBUF struct strbuf body;
	struct rig r;

	rig_open(&r, state);
	strbuf_init(&body, 65536);
	strbuf_adds(&body, "{\"mapping\":[{\"directory\":\"");
	for (size_t i = 0; i < 256; i++)
		strbuf_addc(&body, 'x');
	strbuf_adds(&body, "\"}]}");
	test_fails(put_namespace(&r, "w", body.buf, &r.a, &e), &e, OVE_INVALID);
	assert_non_null(strstr(e.text, "too long"));
	error_clear(&e);
	strbuf_reset(&body);
	strbuf_adds(&body, "{\"mapping\":[{\"directory\":\"");
	for (size_t i = 0; i < 64; i++)
		strbuf_adds(&body, "x/");
	strbuf_adds(&body, "\"}]}");
	test_fails(put_namespace(&r, "w", body.buf, &r.a, &e), &e, OVE_INVALID);
	assert_non_null(strstr(e.text, "too many directories"));
	rig_close(&r);
}

static void
a_listing(void **state)
{
	struct error e = ERROR_INIT;
	char expect[2000];
	struct node *n;
	struct rig r;
	unsigned u = (unsigned)getuid(), g = (unsigned)getgid();

	rig_open(&r, state);
	put(&r, "k", "x");
	assert_int_equal(
	    meta_namespace_list(r.n, r.top, "w", &r.a, &n, &e), META_NONE);
	test_ok(put_namespace(&r, "w",
		    "{\"mapping\":[{\"file\":\"k:b/.h\",\"mode\":384},"
		    "{\"directory\":\"b.c\"}]}",
		    &r.a, &e),
	    &e);
	assert_int_equal(symlinkat("nowhere", r.n, "w/broken"), 0);
	assert_int_equal(symlinkat("b", r.n, "w/c"), 0);
	assert_int_equal(mkfifoat(r.n, "w/fifo", 0600), 0);
	test_ok(meta_namespace_list(r.n, "/t", "w", &r.a, &n, &e), &e);
	(void)snprintf(expect, sizeof(expect),
	    "[{\"directory\":\"/t/w/b\",\"owner\":%u,\"group\":%u,"
	    "\"mode\":16877},"
	    "{\"directory\":\"/t/w/b.c\",\"owner\":%u,\"group\":%u,"
	    "\"mode\":16877},"
	    "{\"file\":\"/t/w/b/.h\",\"owner\":%u,\"group\":%u,"
	    "\"mode\":33152},"
	    "{\"directory\":\"/t/w/c\",\"owner\":%u,\"group\":%u,"
	    "\"mode\":16877}]",
	    u, g, u, g, u, g, u, g);
	assert_string_equal(show(&r, n), expect);
	rig_close(&r);
}

/* Crashes */

static void
tree_put(const struct rig *r, const char *dir, const char *text)
{
	char path[300];

	assert_int_equal(mkdirat(r->n, dir, 0755), 0);
	(void)snprintf(path, sizeof(path), "n/%s/f", dir);
	test_dir_put(r->d, path, text);
}

static void
each_state_of_a_swap_is_finished(void **state)
{
	static const struct {
		bool journal;
		const char *in_place;
		const char *fresh;
		const char *old;
		const char *expect;
	} rows[] = {
		/* Before the journal: undone. */
		{ false, "old", "new", NULL, "old" },
		{ false, NULL, "new", NULL, "(none)" },
		{ true, "old", "new", NULL, "new" },
		{ true, "old", "new", "older", "new" },
		{ true, NULL, "new", "old", "new" },
		{ true, NULL, NULL, "old", "old" },
		{ true, "new", NULL, "old", "new" },
		{ true, "new", NULL, NULL, "new" },
		{ true, NULL, NULL, NULL, "(none)" },
		/* After it: the old tree only. */
		{ false, "new", NULL, "old", "new" },
	};
	struct error e = ERROR_INIT;
	struct rig r;

	rig_open(&r, state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].journal)
			test_dir_put(r.d, "n/.journal", "web");
		if (rows[i].in_place != NULL)
			tree_put(&r, "web", rows[i].in_place);
		if (rows[i].fresh != NULL)
			tree_put(&r, ".new", rows[i].fresh);
		if (rows[i].old != NULL)
			tree_put(&r, ".old", rows[i].old);
		test_ok(meta_recover(r.n, &e), &e);
		assert_string_equal(
		    test_dir_text(r.d, "n/web/f"), rows[i].expect);
		(void)meta_namespace_remove(r.n, "web", &e);
		assert_false(there(&r, "n/.new"));
		assert_false(there(&r, "n/.old"));
		assert_false(there(&r, "n/.journal"));
	}
	test_dir_put(r.d, "n/.journal", "../x");
	test_fails(meta_recover(r.n, &e), &e, OVE_CORRUPT);
	rig_close(&r);
}

/* Fails each call of a kind in turn: the old tree or the new one, whole, and
 * the next request works. */
static void
a_swap_fails_whole(void **state)
{
	static const enum faultio_call calls[] = { FAULTIO_OPENAT,
		FAULTIO_WRITE, FAULTIO_FSYNC, FAULTIO_RENAMEAT };
	static const char body[] =
	    "{\"mapping\":[{\"file\":\"k:f\"},{\"file\":\"k:d/g\"}]}";
	struct error e = ERROR_INIT;
	struct rig r;

	rig_open(&r, state);
	for (size_t c = 0; c < ARRAY_LEN(calls); c++) {
		bool failed = true;

		for (unsigned n = 0; failed; n++) {
			char f[16], g[16];
			int rc;

			assert_true(n < 200);
			put(&r, "k", "old");
			test_ok(put_namespace(&r, "web", body, &r.a, &e), &e);
			put(&r, "k", "new");
			faultio_fail(calls[c], n, EIO);
			rc = put_namespace(&r, "web", body, &r.a, &e);
			failed = faultio_clear();
			error_clear(&e);
			test_ok(meta_recover(r.n, &e), &e);
			(void)snprintf(
			    f, sizeof(f), "%s", test_dir_text(r.d, "n/web/f"));
			(void)snprintf(g, sizeof(g), "%s",
			    test_dir_text(r.d, "n/web/d/g"));
			assert_string_equal(f, g);
			if (rc == 0)
				assert_string_equal(f, "new");
			else
				assert_true(strcmp(f, "old") == 0 ||
				    strcmp(f, "new") == 0);
			arena_reset(&r.a);
		}
	}
	rig_close(&r);
}

static int
everything(void *ctx, struct error *e)
{
	struct rig *r = ctx;
	AUTO_FREE char *text = NULL;
	AUTO_ARENA struct arena a;
	struct node *n;
	size_t len;

	arena_init(&a, (size_t)1 << 20);
	if (meta_put(r->m, "k", "1", 1, e) < 0 ||
	    meta_put(r->m, "k", "22", 2, e) < 0 ||
	    meta_get(r->m, "k", 100, &text, &len, e) < 0 ||
	    meta_list(r->m, &a, &n, e) < 0 ||
	    put_namespace(r, "web", TREE, &a, e) < 0 ||
	    put_namespace(r, "web", TREE, &a, e) < 0 ||
	    meta_namespace_list(r->n, r->top, "web", &a, &n, e) < 0 ||
	    meta_namespaces(r->n, &a, &n, e) < 0 ||
	    meta_namespace_remove(r->n, "web", e) < 0)
		return -1;
	return 0;
}

static void
survives_a_lack_of_memory(void **state)
{
	struct rig r;

	rig_open(&r, state);
	torture(everything, &r);
	rig_close(&r);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(a_text_comes_back_as_it_was),
	TEST_IN_DIR(only_files_with_good_names_count),
	TEST_IN_DIR(a_failed_write_leaves_the_old_text),
	TEST_IN_DIR(directories_are_made_when_needed),
	cmocka_unit_test(paths),
	TEST_IN_DIR(a_tree_is_built),
	TEST_IN_DIR(later_entries_win),
	TEST_IN_DIR(a_mapping_that_cannot_be_changes_nothing),
	TEST_IN_DIR(depth_and_length_have_an_end),
	TEST_IN_DIR(a_listing),
	TEST_IN_DIR(each_state_of_a_swap_is_finished),
	TEST_IN_DIR(a_swap_fails_whole),
	TEST_IN_DIR(survives_a_lack_of_memory),
};
TEST_MAIN(tests)
