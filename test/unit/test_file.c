/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Files: names beneath a directory, reading with a cap, atomic replacement with
 * every system call of it failing, locks between processes, trees.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "test/unit/support/faultio.h"
#include "test/unit/support/torture.h"

static void
join(const struct test_dir *d, const char *name, char path[512])
{
	(void)snprintf(path, 512, "%s/%s", d->path, name);
}

static mode_t
mode_of(const struct test_dir *d, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void
mkdirs_makes_parents(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	char path[512];

	join(d, "a//b/c/", path);
	test_ok(file_mkdirs(path, 0700, &e), &e);
	test_ok(file_mkdirs(path, 0700, &e), &e);
	assert_int_equal(mode_of(d, "a/b"), 0700);
	assert_int_equal(mode_of(d, "a/b/c"), 0700);
	test_ok(file_mkdirs("/", 0700, &e), &e);
	test_ok(file_mkdirs(".", 0700, &e), &e);
	test_fails(file_mkdirs("", 0700, &e), &e, OVE_INVALID);
	test_dir_put(d, "file", "x");
	join(d, "file", path);
	test_fails(file_mkdirs(path, 0700, &e), &e, OVE_EXISTS);
	join(d, "file/x", path);
	test_fails(file_mkdirs(path, 0700, &e), &e, OVE_EXISTS);
}

static void
open_dir_takes_directories(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	char path[512];
	int fd = -1;

	test_ok(file_open_dir(d->path, &fd, &e), &e);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	(void)close(fd);
	test_dir_put(d, "file", "x");
	join(d, "file", path);
	test_fails(file_open_dir(path, &fd, &e), &e, OVE_IO);
	join(d, "none", path);
	test_fails(file_open_dir(path, &fd, &e), &e, OVE_NOTFOUND);
}

static void
beneath_by_table(void **state)
{
	static const struct {
		const char *name;
		/* OVE_NONE: opens. */
		enum ove code;
	} rows[] = {
		{ "file", OVE_NONE },
		{ "dir/file", OVE_NONE },
		{ "dir/sub/file", OVE_NONE },
		{ "...", OVE_NONE },
		{ "none", OVE_NOTFOUND },
		{ "none/file", OVE_NOTFOUND },
		{ "file/x", OVE_IO },
		{ "", OVE_INVALID },
		{ ".", OVE_INVALID },
		{ "..", OVE_INVALID },
		{ "/etc/passwd", OVE_INVALID },
		{ "dir/", OVE_INVALID },
		{ "dir//file", OVE_INVALID },
		{ "dir/./file", OVE_INVALID },
		{ "dir/../file", OVE_INVALID },
		{ "../x", OVE_INVALID },
		{ "link", OVE_DENIED },
		{ "dangling", OVE_DENIED },
		{ "dirlink/file", OVE_DENIED },
		{ "dir/up/file", OVE_DENIED },
	};
	struct test_dir *d = *state;
	struct error e;
	size_t i;
	int fd, rc;

	assert_int_equal(mkdirat(d->fd, "dir", 0700), 0);
	assert_int_equal(mkdirat(d->fd, "dir/sub", 0700), 0);
	test_dir_put(d, "file", "x");
	test_dir_put(d, "...", "x");
	test_dir_put(d, "dir/file", "x");
	test_dir_put(d, "dir/sub/file", "x");
	assert_int_equal(symlinkat("file", d->fd, "link"), 0);
	assert_int_equal(symlinkat("no", d->fd, "dangling"), 0);
	assert_int_equal(symlinkat("dir", d->fd, "dirlink"), 0);
	assert_int_equal(symlinkat("..", d->fd, "dir/up"), 0);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		fd = -2;
		error_clear(&e);
		rc = file_open_beneath(
		    d->fd, rows[i].name, O_RDONLY, 0, &fd, &e);
		if (e.code != rows[i].code)
			fail_msg("'%s': %s", rows[i].name, error_text(&e));
		assert_int_equal(rc, e.code == OVE_NONE ? 0 : -1);
		if (rc < 0) {
			assert_int_equal(fd, -2);
			continue;
		}
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		(void)close(fd);
	}
}

static void
beneath_creates(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	char name[300];
	int fd = -1;

	assert_int_equal(mkdirat(d->fd, "dir", 0700), 0);
	test_ok(file_open_beneath(d->fd, "dir/new", O_WRONLY | O_CREAT | O_EXCL,
		    0640, &fd, &e),
	    &e);
	test_ok(file_write_all(fd, "text", 4, &e), &e);
	(void)close(fd);
	assert_string_equal(test_dir_text(d, "dir/new"), "text");
	test_fails(file_open_beneath(d->fd, "dir/new",
		       O_WRONLY | O_CREAT | O_EXCL, 0640, &fd, &e),
	    &e, OVE_EXISTS);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	test_fails(file_open_beneath(d->fd, name, O_RDONLY, 0, &fd, &e), &e,
	    OVE_INVALID);
	faultio_fail(FAULTIO_OPENAT, 1, EINTR);
	test_ok(file_open_beneath(d->fd, "dir/new", O_RDONLY, 0, &fd, &e), &e);
	assert_true(faultio_clear());
	(void)close(fd);
}

static void
read_has_a_cap(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	char *text = NULL;
	size_t len = 0;

	test_dir_put(d, "file", "12345");
	test_ok(file_read(d->fd, "file", 5, &text, &len, &e), &e);
	assert_int_equal(len, 5);
	assert_string_equal(text, "12345");
	mem_free(text);
	test_ok(file_read(d->fd, "file", 100000, &text, NULL, &e), &e);
	assert_string_equal(text, "12345");
	mem_free(text);
	test_fails(file_read(d->fd, "file", 4, &text, &len, &e), &e, OVE_LIMIT);
	assert_string_equal(error_text(&e), "'file': more than 4 bytes");
	test_dir_put(d, "empty", "");
	test_ok(file_read(d->fd, "empty", 0, &text, &len, &e), &e);
	assert_int_equal(len, 0);
	assert_string_equal(text, "");
	mem_free(text);
}

static void
read_takes_regular_files(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	char *text = NULL;
	size_t len;

	test_fails(
	    file_read(d->fd, "none", 9, &text, &len, &e), &e, OVE_NOTFOUND);
	assert_int_equal(mkfifoat(d->fd, "fifo", 0600), 0);
	test_fails(
	    file_read(d->fd, "fifo", 9, &text, &len, &e), &e, OVE_INVALID);
	test_fails(file_read(d->fd, ".", 9, &text, &len, &e), &e, OVE_INVALID);
	test_fails(file_read(AT_FDCWD, "/dev/null", 9, &text, &len, &e), &e,
	    OVE_INVALID);
	assert_null(text);
}

static void
read_fd_reads_pipes(void **state)
{
	struct error e = ERROR_INIT;
	char *text = NULL;
	size_t len = 0;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	test_ok(file_write_all(fds[1], "a\0b", 3, &e), &e);
	(void)close(fds[1]);
	test_ok(file_read_fd(fds[0], 100, &text, &len, &e), &e);
	(void)close(fds[0]);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "a\0b", 4);
	mem_free(text);
	test_fails(file_read_fd(fds[0], 100, &text, &len, &e), &e, OVE_IO);
}

static void
write_all_goes_on(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	int fd = openat(d->fd, "out", O_WRONLY | O_CREAT, 0600);

	faultio_fail(FAULTIO_WRITE, 0, 0);
	test_ok(file_write_all(fd, "0123456789", 10, &e), &e);
	assert_true(faultio_clear());
	faultio_fail(FAULTIO_WRITE, 0, EINTR);
	test_ok(file_write_all(fd, "abc", 3, &e), &e);
	assert_true(faultio_clear());
	assert_string_equal(test_dir_text(d, "out"), "0123456789abc");
	faultio_fail(FAULTIO_WRITE, 0, ENOSPC);
	test_fails(file_write_all(fd, "abc", 3, &e), &e, OVE_NOSPACE);
	assert_true(faultio_clear());
	(void)close(fd);
}

static void
copy_goes_from_where_it_stands(void **state)
{
	static char big[3 << 20];
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	struct stat st;
	int from, to;

	memset(big, 'x', sizeof(big));
	memcpy(big, "head", 4);
	from = openat(d->fd, "big", O_RDWR | O_CREAT, 0600);
	test_ok(file_write_all(from, big, sizeof(big), &e), &e);
	to = openat(d->fd, "copy", O_RDWR | O_CREAT, 0600);
	assert_int_equal(lseek(from, 3, SEEK_SET), 3);
	test_ok(file_copy(from, to, &e), &e);
	assert_int_equal(fstat(to, &st), 0);
	assert_int_equal(st.st_size, sizeof(big) - 3);
	assert_int_equal(pread(to, big, 2, 0), 2);
	assert_memory_equal(big, "dx", 2);
	faultio_fail(FAULTIO_WRITE, 0, ENOSPC);
	assert_int_equal(lseek(from, 0, SEEK_SET), 0);
	test_fails(file_copy(from, to, &e), &e, OVE_NOSPACE);
	assert_true(faultio_clear());
	test_fails(file_copy(d->fd, to, &e), &e, OVE_IO);
	(void)close(from);
	(void)close(to);
}

static void
replace_replaces(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	char path[512];

	test_ok(file_replace(d->fd, "f", "one", 3, 0666, 0, &e), &e);
	assert_string_equal(test_dir_text(d, "f"), "one");
	/* Whatever the umask. */
	assert_int_equal(mode_of(d, "f"), 0666);
	test_ok(file_replace(d->fd, "f", "two", 3, 0600, FILE_SYNC, &e), &e);
	assert_string_equal(test_dir_text(d, "f"), "two");
	assert_int_equal(mode_of(d, "f"), 0600);
	test_ok(file_replace(d->fd, "f", NULL, 0, 0600, 0, &e), &e);
	assert_string_equal(test_dir_text(d, "f"), "");
	assert_int_equal(mkdirat(d->fd, "dir", 0700), 0);
	test_ok(file_replace(d->fd, "dir/g", "x", 1, 0600, FILE_SYNC, &e), &e);
	assert_string_equal(test_dir_text(d, "dir/g"), "x");
	join(d, "dir/h", path);
	test_ok(file_replace(AT_FDCWD, path, "y", 1, 0600, FILE_SYNC, &e), &e);
	assert_string_equal(test_dir_text(d, "dir/h"), "y");
	assert_int_equal(test_dir_count(d), 2);
	/* A link is replaced, not followed. */
	assert_int_equal(symlinkat("f", d->fd, "link"), 0);
	test_ok(file_replace(d->fd, "link", "z", 1, 0600, 0, &e), &e);
	assert_string_equal(test_dir_text(d, "f"), "");
	assert_string_equal(test_dir_text(d, "link"), "z");
}

static void
replace_in_working_directory(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	int back AUTO_FD = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fchdir(d->fd), 0);
	test_ok(file_replace(AT_FDCWD, "f", "x", 1, 0600, FILE_SYNC, &e), &e);
	assert_int_equal(fchdir(back), 0);
	assert_string_equal(test_dir_text(d, "f"), "x");
}

static void
replace_excl_does_not(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;

	test_ok(
	    file_replace(d->fd, "f", "one", 3, 0600, FILE_EXCL | FILE_SYNC, &e),
	    &e);
	assert_string_equal(test_dir_text(d, "f"), "one");
	assert_int_equal(test_dir_count(d), 1);
	test_fails(file_replace(d->fd, "f", "two", 3, 0600, FILE_EXCL, &e), &e,
	    OVE_EXISTS);
	assert_string_equal(test_dir_text(d, "f"), "one");
	assert_int_equal(test_dir_count(d), 1);
}

static void
replace_refuses_names(void **state)
{
	static const char *const names[] = { "", ".", "..", "dir/", "/",
		"x/." };
	struct test_dir *d = *state;
	char name[NAME_MAX + 1];
	struct error e = ERROR_INIT;
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++)
		test_fails(file_replace(d->fd, names[i], "x", 1, 0600, 0, &e),
		    &e, OVE_INVALID);
	test_fails(file_replace(d->fd, "none/f", "x", 1, 0600, 0, &e), &e,
	    OVE_NOTFOUND);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(test_dir_count(d), 0);
	/* The longest name that a file may have. */
	test_ok(file_replace(d->fd, name, "x", 1, 0600, 0, &e), &e);
	assert_string_equal(test_dir_text(d, name), "x");
}

/* Whichever call fails before the rename: the old text, and nothing else. */
static void
replace_fails_whole(void **state)
{
	static const struct {
		enum faultio_call call;
		unsigned n;
		int sys;
		int flags;
		enum ove code;
	} rows[] = {
		{ FAULTIO_OPENAT, 0, EMFILE, 0, OVE_IO },
		{ FAULTIO_OPENAT, 0, ENOSPC, 0, OVE_NOSPACE },
		{ FAULTIO_WRITE, 0, ENOSPC, 0, OVE_NOSPACE },
		{ FAULTIO_WRITE, 0, EDQUOT, 0, OVE_NOSPACE },
		{ FAULTIO_WRITE, 0, EIO, FILE_SYNC, OVE_IO },
		{ FAULTIO_FSYNC, 0, EIO, FILE_SYNC, OVE_IO },
		{ FAULTIO_RENAMEAT, 0, EACCES, FILE_SYNC, OVE_DENIED },
		{ FAULTIO_LINKAT, 0, EPERM, FILE_EXCL, OVE_DENIED },
	};
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	size_t i;

	test_dir_put(d, "f", "old");
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		faultio_fail(rows[i].call, rows[i].n, rows[i].sys);
		test_fails(
		    file_replace(d->fd, "f", "new", 3, 0600, rows[i].flags, &e),
		    &e, rows[i].code);
		assert_true(faultio_clear());
		assert_memory_equal(error_text(&e), "write 'f': ", 11);
		assert_string_equal(test_dir_text(d, "f"), "old");
		assert_int_equal(test_dir_count(d), 1);
	}
	/* After the rename it is in place, but reported. */
	faultio_fail(FAULTIO_FSYNC, 1, EIO);
	test_fails(file_replace(d->fd, "f", "new", 3, 0600, FILE_SYNC, &e), &e,
	    OVE_IO);
	assert_true(faultio_clear());
	assert_string_equal(test_dir_text(d, "f"), "new");
	faultio_fail(FAULTIO_FSYNC, 0, EINTR);
	test_ok(file_replace(d->fd, "f", "3rd", 3, 0600, FILE_SYNC, &e), &e);
	assert_true(faultio_clear());
	/* A temporary of that name is there: another is taken. */
	faultio_fail(FAULTIO_OPENAT, 0, EEXIST);
	test_ok(file_replace(d->fd, "f", "4th", 3, 0600, FILE_SYNC, &e), &e);
	assert_true(faultio_clear());
	assert_int_equal(test_dir_count(d), 1);
}

/* A child that locks, says so through the pipe, waits for our end to close. */
static pid_t
start_owner(const struct test_dir *d, int *ret_fd)
{
	int up[2], down[2], fd;
	pid_t pid, other;
	char c;

	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(down), 0);
	pid = fork();
	if (pid == 0) {
		(void)close(down[1]);
		if (file_lock(d->fd, "lock", 0600, &fd, &other, NULL) != 0 ||
		    write(up[1], "x", 1) != 1 || read(down[0], &c, 1) != 0)
			_exit(1);
		_exit(0);
	}
	(void)close(up[1]);
	(void)close(down[0]);
	assert_int_equal(read(up[0], &c, 1), 1);
	(void)close(up[0]);
	*ret_fd = down[1];
	return pid;
}

static void
lock_is_between_processes(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	int fd = -1, probe AUTO_FD = -1, end, status;
	pid_t pid, owner = 0;

	pid = start_owner(d, &end);
	assert_int_equal(
	    file_lock(d->fd, "lock", 0600, &fd, &owner, &e), FILE_LOCKED);
	assert_int_equal(fd, -1);
	assert_int_equal(owner, pid);
	probe = openat(d->fd, "lock", O_RDONLY | O_CLOEXEC);
	owner = 0;
	assert_int_equal(file_lock_test(probe, &owner, &e), FILE_LOCKED);
	assert_int_equal(owner, pid);
	(void)close(end);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	test_ok(file_lock_test(probe, &owner, &e), &e);
	test_ok(file_lock(d->fd, "lock", 0600, &fd, &owner, &e), &e);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	(void)close(fd);
}

static void
lock_failures(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	pid_t owner;
	int fd = -1;

	test_fails(file_lock(d->fd, "none/lock", 0600, &fd, &owner, &e), &e,
	    OVE_NOTFOUND);
	assert_int_equal(symlinkat("x", d->fd, "link"), 0);
	assert_int_equal(file_lock(d->fd, "link", 0600, &fd, &owner, &e), -1);
	assert_int_equal(fd, -1);
	test_fails(file_lock_test(-1, &owner, &e), &e, OVE_IO);
	assert_int_equal(test_dir_count(d), 1);
}

static void
remove_removes(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;

	test_dir_put(d, "f", "x");
	assert_int_equal(mkdirat(d->fd, "dir", 0700), 0);
	test_ok(file_remove(d->fd, "f", &e), &e);
	test_ok(file_remove(d->fd, "f", &e), &e);
	test_dir_put(d, "dir/f", "x");
	assert_int_equal(file_remove(d->fd, "dir", &e), -1);
	assert_int_equal(e.sys, ENOTEMPTY);
	test_ok(file_remove(d->fd, "dir/f", &e), &e);
	test_ok(file_remove(d->fd, "dir", &e), &e);
	assert_int_equal(test_dir_count(d), 0);
	test_dir_put(d, "f", "x");
	test_fails(file_remove(d->fd, "f/x", &e), &e, OVE_IO);
}

static void
remove_tree_stays_inside(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	char path[512], name[64];
	int i;

	join(d, "keep", path);
	test_ok(file_mkdirs(path, 0700, &e), &e);
	test_dir_put(d, "keep/file", "kept");
	join(d, "top/tree/a/b/c", path);
	test_ok(file_mkdirs(path, 0700, &e), &e);
	assert_int_equal(symlinkat("../../keep", d->fd, "top/tree/link"), 0);
	assert_int_equal(symlinkat("top", d->fd, "toplink"), 0);
	assert_int_equal(mkfifoat(d->fd, "top/tree/a/fifo", 0600), 0);
	for (i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "top/tree/a/b/f%d", i);
		test_dir_put(d, name, "x");
	}
	test_fails(file_remove_tree(d->fd, "toplink/tree", &e), &e, OVE_DENIED);
	test_ok(file_remove_tree(d->fd, "top/tree", &e), &e);
	test_ok(file_remove_tree(d->fd, "top/tree", &e), &e);
	test_ok(file_remove_tree(d->fd, "none/tree", &e), &e);
	test_ok(file_remove_tree(d->fd, "toplink", &e), &e);
	assert_string_equal(test_dir_text(d, "keep/file"), "kept");
	test_ok(file_remove_tree(d->fd, "top", &e), &e);
	assert_int_equal(test_dir_count(d), 1);
	test_fails(file_remove_tree(d->fd, "..", &e), &e, OVE_INVALID);
	test_fails(file_remove_tree(d->fd, "keep/..", &e), &e, OVE_INVALID);
	test_fails(file_remove_tree(d->fd, "", &e), &e, OVE_INVALID);
	test_fails(file_remove_tree(d->fd, "/tmp", &e), &e, OVE_INVALID);
	test_fails(file_remove_tree(d->fd, "../x", &e), &e, OVE_INVALID);
}

static void
remove_tree_has_a_depth(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	int at, next, i, up AUTO_FD = -1;

	at = dup(d->fd);
	for (i = 0; i < 140; i++) {
		assert_int_equal(mkdirat(at, "d", 0700), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY);
		assert_true(next >= 0);
		(void)close(at);
		at = next;
		if (i == 19)
			up = dup(at);
	}
	(void)close(at);
	test_fails(file_remove_tree(d->fd, "d", &e), &e, OVE_LIMIT);
	assert_true(e.cut);
	/* From further down it is not too deep. */
	test_ok(file_remove_tree(up, "d", &e), &e);
	test_ok(file_remove_tree(d->fd, "d", &e), &e);
}

static void
self_dir_is_where_we_are(void **state)
{
	struct error e = ERROR_INIT;
	char *dir = NULL, path[512];

	(void)state;
	test_ok(file_self_dir(&dir, &e), &e);
	assert_int_equal(dir[0], '/');
	(void)snprintf(path, sizeof(path), "%s/test_file", dir);
	assert_int_equal(access(path, X_OK), 0);
	mem_free(dir);
}

static int
all_paths(void *ctx, struct error *e)
{
	struct test_dir *d = ctx;
	char *text AUTO_FREE = NULL, *dir AUTO_FREE = NULL;
	char path[512];

	join(d, "t/u", path);
	if (file_mkdirs(path, 0700, e) < 0)
		return -1;
	join(d, "t/u/f", path);
	if (file_replace(AT_FDCWD, path, "text", 4, 0600, 0, e) < 0 ||
	    file_read(AT_FDCWD, path, 100, &text, NULL, e) < 0 ||
	    file_self_dir(&dir, e) < 0)
		return -1;
	return file_remove_tree(d->fd, "t/u", e);
}

static void
allocations_may_fail(void **state)
{
	torture(all_paths, *state);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(mkdirs_makes_parents),
	TEST_IN_DIR(open_dir_takes_directories),
	TEST_IN_DIR(beneath_by_table),
	TEST_IN_DIR(beneath_creates),
	TEST_IN_DIR(read_has_a_cap),
	TEST_IN_DIR(read_takes_regular_files),
	cmocka_unit_test(read_fd_reads_pipes),
	TEST_IN_DIR(write_all_goes_on),
	TEST_IN_DIR(copy_goes_from_where_it_stands),
	TEST_IN_DIR(replace_replaces),
	TEST_IN_DIR(replace_in_working_directory),
	TEST_IN_DIR(replace_excl_does_not),
	TEST_IN_DIR(replace_refuses_names),
	TEST_IN_DIR(replace_fails_whole),
	TEST_IN_DIR(lock_is_between_processes),
	TEST_IN_DIR(lock_failures),
	TEST_IN_DIR(remove_removes),
	TEST_IN_DIR(remove_tree_stays_inside),
	TEST_IN_DIR(remove_tree_has_a_depth),
	cmocka_unit_test(self_dir_is_where_we_are),
	TEST_IN_DIR(allocations_may_fail),
};
TEST_MAIN(tests)
