/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A file for each key, named by its hash. Files that are too old are swept
 * whenever one is written, so there are few.
 */
#include "cli/complete_cache.h"

#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/auth/token.h"
#include "lib/base/file.h"
#include "lib/base/strbuf.h"

#define LIFE_S 60
#define TEXT_MAX ((size_t)1024 * 1024)
#define PATH_LEN_MAX 4096
#define NAME_BYTES 16

/* Opens the directory, made if need be; -1: there is none. */
static int
open_dir(bool makes)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	AUTO_STRBUF struct strbuf path;
	struct stat st;
	int fd;

	strbuf_init(&path, PATH_LEN_MAX);
	if (cache != NULL && cache[0] == '/')
		strbuf_addf(&path, "%s/overlord", cache);
	/* Who has no home gets none. */
	else if (home != NULL && home[0] == '/' && stat(home, &st) == 0)
		strbuf_addf(&path, "%s/.cache/overlord", home);
	else
		return -1;
	if (strbuf_check(&path, NULL) < 0 ||
	    (makes && file_mkdirs(path.buf, 0700, NULL) < 0) ||
	    file_open_dir(path.buf, &fd, NULL) < 0)
		return -1;
	return fd;
}

static void
make_name(const char *key, size_t len, char ret[2 * NAME_BYTES + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char hash[TOKEN_HASH_LEN];

	token_hash(key, len, hash);
	for (size_t i = 0; i < NAME_BYTES; i++) {
		ret[2 * i] = digits[hash[i] >> 4];
		ret[2 * i + 1] = digits[hash[i] & 15];
	}
	ret[2 * NAME_BYTES] = '\0';
}

static bool
is_fresh(int dir, const char *name)
{
	time_t now = time(NULL);
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_mtime <= now &&
	    now - st.st_mtime < LIFE_S;
}

char *
complete_cache_get(const char *key, size_t len)
{
	char name[2 * NAME_BYTES + 1];
	AUTO_FD int dir = open_dir(false);
	char *text = NULL;
	size_t n;

	make_name(key, len, name);
	if (dir < 0 || !is_fresh(dir, name) ||
	    file_read(dir, name, TEXT_MAX, &text, &n, NULL) < 0)
		return NULL;
	return text;
}

static void
sweep(int dir)
{
	int copy = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *de;

	if (d == NULL) {
		cc_auto_close(&copy);
		return;
	}
	while ((de = readdir(d)) != NULL)
		if (de->d_name[0] != '.' && !is_fresh(dir, de->d_name))
			(void)file_remove(dir, de->d_name, NULL);
	(void)closedir(d);
}

void
complete_cache_put(const char *key, size_t len, const char *text)
{
	char name[2 * NAME_BYTES + 1];
	AUTO_FD int dir = open_dir(true);

	if (dir < 0)
		return;
	make_name(key, len, name);
	(void)file_replace(dir, name, text, strlen(text), 0600, 0, NULL);
	sweep(dir);
}
