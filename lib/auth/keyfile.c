/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Key files: see keyfile.h. A key is judged by what was opened, not by what a
 * second look at the path would find, and goes from the descriptor straight to
 * the caller's buffer: no copy of it is left on the heap. A new one is made
 * under another name and linked into place, so that it is whole when it is
 * there at all, and of two who make one at the same time both use the same.
 *
 * An existing file is never changed: replacing a key locks out every token that
 * was made with it (the original does that, rest-api.md 2.3).
 */
#include "lib/auth/keyfile.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"

#define KEYFILE_MODE 0400
#define KEYFILE_DIR_MODE 0750

static int
check_status(int fd, struct error *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return error_set_errno(e, errno, "look at it");
	if (!S_ISREG(st.st_mode))
		return error_set(e, OVE_INVALID, "not a regular file");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return error_set(e, OVE_DENIED,
		    "it belongs to user %lu, who is neither root nor us",
		    (unsigned long)st.st_uid);
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return error_set(e, OVE_DENIED,
		    "its mode is %04o: only its owner may have access, as with "
		    "'chmod 0400'",
		    (unsigned)(st.st_mode & 07777));
	if (st.st_size != KEYFILE_LEN)
		return error_set(e, OVE_INVALID,
		    "it has %lld bytes, not %d: not replaced, because that "
		    "would void every token made with it",
		    (long long)st.st_size, KEYFILE_LEN);
	return 0;
}

static int
read_key(int fd, unsigned char key[KEYFILE_LEN], struct error *e)
{
	size_t len = 0;
	ssize_t n;

	while (len < KEYFILE_LEN) {
		n = read(fd, key + len, KEYFILE_LEN - len);
		if (n == 0)
			return error_set(e, OVE_INVALID, "it became shorter");
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_errno(e, errno, "read");
		len += (size_t)n;
	}
	return 0;
}

/* key is written in full or wiped. */
static int
load(const char *path, unsigned char key[KEYFILE_LEN], struct error *e)
{
	int fd AUTO_FD = -1;

	/* A pipe in its place must not make us wait for a writer. */
	do {
		fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0) {
		(void)error_set_errno(e, errno, "open");
		return error_wrap(e, "key file '%s'", path);
	}
	if (check_status(fd, e) < 0 || read_key(fd, key, e) < 0) {
		mem_wipe(key, KEYFILE_LEN);
		return error_wrap(e, "key file '%s'", path);
	}
	return 0;
}

static int
make_parents(const char *path, struct error *e)
{
	char *dir AUTO_FREE = NULL;
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path)
		return 0;
	dir = mem_strndup(path, (size_t)(slash - path));
	if (dir == NULL)
		return error_nomem(e);
	return file_mkdirs(dir, KEYFILE_DIR_MODE, e);
}

static int
put(const char *path, const unsigned char key[KEYFILE_LEN], struct error *e)
{
	if (make_parents(path, e) < 0 ||
	    file_replace(AT_FDCWD, path, key, KEYFILE_LEN, KEYFILE_MODE,
		FILE_SYNC | FILE_EXCL, e) < 0)
		return error_wrap(e, "make key file");
	return 0;
}

static int
make(const char *path, unsigned char key[KEYFILE_LEN], bool *ret_made,
    struct error *e)
{
	struct error why = ERROR_INIT;

	rand_bytes(key, KEYFILE_LEN);
	if (put(path, key, &why) == 0) {
		*ret_made = true;
		return 0;
	}
	mem_wipe(key, KEYFILE_LEN);
	/* Somebody else was quicker: theirs counts. */
	if (why.code == OVE_EXISTS)
		return load(path, key, e);
	if (e != NULL)
		*e = why;
	return -1;
}

int
keyfile_load(const char *path, int flags, unsigned char key[KEYFILE_LEN],
    bool *ret_made, struct error *e)
{
	struct error why = ERROR_INIT;
	bool made = false;

	if (load(path, key, &why) < 0) {
		if (why.code != OVE_NOTFOUND || (flags & KEYFILE_CREATE) == 0) {
			if (e != NULL)
				*e = why;
			return -1;
		}
		if (make(path, key, &made, e) < 0)
			return -1;
	}
	if (ret_made != NULL)
		*ret_made = made;
	return 0;
}

int
keyfile_copy(const char *from, const char *path, struct error *e)
{
	unsigned char key[KEYFILE_LEN];
	int rc;

	if (load(from, key, e) < 0)
		return -1;
	rc = put(path, key, e);
	mem_wipe(key, sizeof(key));
	return rc;
}
