/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Key files: made once with their mode, read back, and never replaced, whatever
 * is found in their place.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/auth/keyfile.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "test/unit/support/faultio.h"
#include "test/unit/support/torture.h"

static const char *
join(const struct test_dir *d, const char *name)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", d->path, name);
	return path;
}

static mode_t
mode_of(const struct test_dir *d, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void
put_bytes(const struct test_dir *d, const char *name, size_t len, mode_t mode)
{
	unsigned char bytes[256];
	struct error e = ERROR_INIT;
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	test_ok(file_replace(d->fd, name, bytes, len, mode, 0, &e), &e);
}

static void
made_once(void **state)
{
	struct test_dir *d = *state;
	unsigned char key[KEYFILE_LEN], again[KEYFILE_LEN], none[KEYFILE_LEN];
	const char *path = join(d, "a/b/keyfile");
	struct error e = ERROR_INIT;
	bool made = false;
	mode_t mask;

	mask = umask(0);
	test_ok(keyfile_load(path, KEYFILE_CREATE, key, &made, &e), &e);
	umask(mask);
	assert_true(made);
	assert_int_equal(mode_of(d, "a"), 0750);
	assert_int_equal(mode_of(d, "a/b"), 0750);
	assert_int_equal(mode_of(d, "a/b/keyfile"), 0400);
	memset(none, 0, sizeof(none));
	assert_memory_not_equal(key, none, KEYFILE_LEN);

	test_ok(keyfile_load(path, KEYFILE_CREATE, again, &made, &e), &e);
	assert_false(made);
	assert_memory_equal(key, again, KEYFILE_LEN);
	test_ok(keyfile_load(path, KEYFILE_READ, again, NULL, &e), &e);
	assert_memory_equal(key, again, KEYFILE_LEN);
}

static void
missing_is_missing(void **state)
{
	struct test_dir *d = *state;
	unsigned char key[KEYFILE_LEN];
	struct error e = ERROR_INIT;
	bool made = true;

	test_fails(keyfile_load(join(d, "k"), KEYFILE_READ, key, &made, &e), &e,
	    OVE_NOTFOUND);
	assert_true(made);
	assert_int_equal(test_dir_count(d), 0);
}

static void
refused_and_kept(void **state)
{
	static const struct {
		size_t len;
		mode_t mode;
		enum ove code;
		const char *text;
	} cases[] = {
		{ 0, 0400, OVE_INVALID, "it has 0 bytes, not 64" },
		{ 63, 0400, OVE_INVALID, "it has 63 bytes, not 64" },
		{ 65, 0400, OVE_INVALID, "it has 65 bytes, not 64" },
		{ 128, 0600, OVE_INVALID, "it has 128 bytes, not 64" },
		{ 64, 0440, OVE_DENIED, "its mode is 0440" },
		{ 64, 0404, OVE_DENIED, "its mode is 0404" },
		{ 64, 0420, OVE_DENIED, "its mode is 0420" },
		{ 64, 0602, OVE_DENIED, "its mode is 0602" },
		{ 64, 0644, OVE_DENIED, "its mode is 0644" },
		{ 64, 0600, OVE_NONE, NULL },
		{ 64, 0400, OVE_NONE, NULL },
	};
	struct test_dir *d = *state;
	unsigned char key[KEYFILE_LEN];
	struct error e;
	struct stat st;
	size_t i;
	int rc;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		put_bytes(d, "k", cases[i].len, cases[i].mode);
		error_clear(&e);
		rc = keyfile_load(join(d, "k"), KEYFILE_CREATE, key, NULL, &e);
		if (cases[i].text == NULL) {
			test_ok(rc, &e);
			assert_int_equal(key[63], 63);
			continue;
		}
		test_fails(rc, &e, cases[i].code);
		assert_non_null(strstr(e.text, cases[i].text));
		assert_non_null(strstr(e.text, "key file '"));
		assert_int_equal(fstatat(d->fd, "k", &st, 0), 0);
		assert_int_equal(st.st_size, cases[i].len);
	}
}

static void
not_a_file(void **state)
{
	struct test_dir *d = *state;
	unsigned char key[KEYFILE_LEN];
	struct error e = ERROR_INIT;

	assert_int_equal(mkfifoat(d->fd, "pipe", 0400), 0);
	test_fails(keyfile_load(join(d, "pipe"), KEYFILE_CREATE, key, NULL, &e),
	    &e, OVE_INVALID);
	error_clear(&e);
	assert_int_equal(mkdirat(d->fd, "dir", 0700), 0);
	test_fails(keyfile_load(join(d, "dir"), KEYFILE_CREATE, key, NULL, &e),
	    &e, OVE_INVALID);
	error_clear(&e);
	test_dir_put(d, "file", "x");
	test_fails(
	    keyfile_load(join(d, "file/k"), KEYFILE_CREATE, key, NULL, &e), &e,
	    OVE_IO);
	/* A link that leads nowhere is not followed to make one. */
	assert_int_equal(symlinkat("nowhere", d->fd, "link"), 0);
	error_clear(&e);
	test_fails(keyfile_load(join(d, "link"), KEYFILE_CREATE, key, NULL, &e),
	    &e, OVE_NOTFOUND);
}

static void
foreign_owner(void **state)
{
	struct test_dir *d = *state;
	unsigned char key[KEYFILE_LEN];
	struct error e = ERROR_INIT;

	if (geteuid() != 0)
		skip();
	put_bytes(d, "k", KEYFILE_LEN, 0400);
	assert_int_equal(fchownat(d->fd, "k", 65534, 65534, 0), 0);
	test_fails(keyfile_load(join(d, "k"), KEYFILE_READ, key, NULL, &e), &e,
	    OVE_DENIED);
	assert_non_null(strstr(e.text, "belongs to user 65534"));
}

static void
copied_once(void **state)
{
	struct test_dir *d = *state;
	char from[512];
	unsigned char key[KEYFILE_LEN];
	struct error e = ERROR_INIT;

	(void)snprintf(from, sizeof(from), "%s", join(d, "from"));
	test_fails(keyfile_copy(from, join(d, "to/k"), &e), &e, OVE_NOTFOUND);
	error_clear(&e);
	put_bytes(d, "from", 63, 0400);
	test_fails(keyfile_copy(from, join(d, "to/k"), &e), &e, OVE_INVALID);
	error_clear(&e);
	put_bytes(d, "from", KEYFILE_LEN, 0400);
	test_ok(keyfile_copy(from, join(d, "to/k"), &e), &e);
	assert_int_equal(mode_of(d, "to/k"), 0400);
	test_ok(keyfile_load(join(d, "to/k"), KEYFILE_READ, key, NULL, &e), &e);
	assert_int_equal(key[10], 10);
	test_fails(keyfile_copy(from, join(d, "to/k"), &e), &e, OVE_EXISTS);
}

/* Without the sync, or on a full disk, there is no key and no rest of one. */
static void
disk_faults(void **state)
{
	static const struct {
		enum faultio_call call;
		int sys;
		enum ove code;
	} cases[] = {
		{ FAULTIO_OPENAT, EACCES, OVE_DENIED },
		{ FAULTIO_WRITE, ENOSPC, OVE_NOSPACE },
		{ FAULTIO_FSYNC, EIO, OVE_IO },
		{ FAULTIO_LINKAT, EROFS, OVE_IO },
	};
	struct test_dir *d = *state;
	unsigned char key[KEYFILE_LEN];
	struct error e;
	size_t i;
	int rc;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		error_clear(&e);
		faultio_fail(cases[i].call, 0, cases[i].sys);
		rc = keyfile_load(join(d, "k"), KEYFILE_CREATE, key, NULL, &e);
		assert_true(faultio_clear());
		test_fails(rc, &e, cases[i].code);
		assert_int_equal(test_dir_count(d), 0);
	}
	/* When somebody else was quicker, theirs is read (here: gone again). */
	error_clear(&e);
	faultio_fail(FAULTIO_LINKAT, 0, EEXIST);
	rc = keyfile_load(join(d, "k"), KEYFILE_CREATE, key, NULL, &e);
	assert_true(faultio_clear());
	test_fails(rc, &e, OVE_NOTFOUND);
}

static int
make_and_read(void *ctx, struct error *e)
{
	const struct test_dir *d = ctx;
	unsigned char key[KEYFILE_LEN];

	if (keyfile_load(join(d, "t/k"), KEYFILE_CREATE, key, NULL, e) < 0)
		return -1;
	return unlinkat(d->fd, "t/k", 0);
}

static void
no_memory(void **state)
{
	torture(make_and_read, *state);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(made_once),
	TEST_IN_DIR(missing_is_missing),
	TEST_IN_DIR(refused_and_kept),
	TEST_IN_DIR(not_a_file),
	TEST_IN_DIR(foreign_owner),
	TEST_IN_DIR(copied_once),
	TEST_IN_DIR(disk_faults),
	TEST_IN_DIR(no_memory),
};

TEST_MAIN(tests)
