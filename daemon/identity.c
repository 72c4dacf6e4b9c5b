/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Files of identity. A missing one is copied from the original's default place
 * when it is there, else made; what exists and is not as it should be is
 * refused and never replaced, since a new key would lock out every token.
 */
#include "daemon/identity.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/auth/keyfile.h"
#include "lib/auth/token.h"
#include "lib/base/arena.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "proto/config.h"

/* PATH's directory, with what is missing of it. */
static int
make_parent(const char *path, struct error *e)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path)
		return 0;
	if ((size_t)(slash - path) >= sizeof(dir))
		return error_set(e, OVE_INVALID, "%s: path too long", path);
	(void)snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	return file_mkdirs(dir, 0750, e);
}

/* First line of the file without blanks around it; "" when it has none. */
static int
read_id(const char *path, char ret[SERVERID_LEN], struct error *e)
{
	AUTO_FREE char *text = NULL;
	size_t len, from = 0;

	ret[0] = '\0';
	if (file_read(AT_FDCWD, path, 4096, &text, &len, e) < 0)
		return -1;
	from = strspn(text, " \t\r\n");
	len = strcspn(text + from, " \t\r\n");
	if (len >= SERVERID_LEN || memchr(text + from, '/', len) != NULL)
		return error_set(e, OVE_INVALID, "%s: not a server id", path);
	memcpy(ret, text + from, len);
	ret[len] = '\0';
	return 0;
}

/* ret is "" when there is none to take over. */
static int
take_over_id(const char *original, char ret[SERVERID_LEN], struct error *e)
{
	struct error mine = ERROR_INIT;
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/serverid", original);
	if (read_id(path, ret, &mine) == 0) {
		if (ret[0] != '\0')
			log_notice("identity", NO_FIELDS,
			    "took over the server id of %s", path);
		return 0;
	}
	if (mine.code == OVE_NOTFOUND)
		return 0;
	if (mine.code == OVE_INVALID) {
		log_warn(
		    "identity", NO_FIELDS, "not taken over: %s", mine.text);
		return 0;
	}
	/* One that is there must not be lost for want of memory. */
	if (e != NULL)
		*e = mine;
	return error_wrap(e, "take over %s", path);
}

int
identity_server_id(const char *path, const char *original,
    char ret[SERVERID_LEN], struct error *e)
{
	struct error mine = ERROR_INIT;

	if (read_id(path, ret, &mine) < 0 && mine.code != OVE_NOTFOUND) {
		if (e != NULL)
			*e = mine;
		return -1;
	}
	if (ret[0] != '\0')
		return 0;
	if (take_over_id(original, ret, e) < 0)
		return -1;
	if (ret[0] == '\0')
		rand_uuid(ret);
	if (make_parent(path, e) < 0 ||
	    file_replace(AT_FDCWD, path, ret, strlen(ret), 0644, FILE_SYNC, e) <
		0)
		return error_wrap(e, "server id");
	return 0;
}

static int
take_over_key(const char *path, const char *original, struct error *e)
{
	char theirs[PATH_MAX];
	struct stat st;

	(void)snprintf(theirs, sizeof(theirs), "%s/keyfile", original);
	if (lstat(path, &st) == 0 || errno != ENOENT ||
	    lstat(theirs, &st) < 0 || strcmp(theirs, path) == 0)
		return 0;
	if (make_parent(path, e) < 0 || keyfile_copy(theirs, path, e) < 0)
		return error_wrap(e, "take over %s", theirs);
	log_notice("identity", NO_FIELDS, "took over the key of %s", theirs);
	return 0;
}

int
identity_token_key(const struct config *c, const char *original,
    struct token_key **ret, struct error *e)
{
	unsigned char key[KEYFILE_LEN];
	bool made;
	int r;

	if (c->secret_key != NULL)
		return token_key_new(
		    ret, c->secret_key, strlen(c->secret_key), e);
	if (take_over_key(c->secret_keyfile, original, e) < 0 ||
	    keyfile_load(c->secret_keyfile, KEYFILE_CREATE, key, &made, e) < 0)
		return -1;
	if (made)
		log_notice("identity", NO_FIELDS, "made the key file %s",
		    c->secret_keyfile);
	r = token_key_new(ret, key, sizeof(key), e);
	mem_wipe(key, sizeof(key));
	return r;
}

const char *
identity_take_over_dir(const char *configured, const char *statedir,
    const char *original, const char *name, struct arena *a)
{
	const char *ours = arena_printf(a, "%s/%s", statedir, name);
	const char *theirs = arena_printf(a, "%s/%s", original, name);
	struct stat st;

	if (ours == NULL || theirs == NULL || strcmp(configured, ours) != 0 ||
	    stat(ours, &st) == 0 || stat(theirs, &st) < 0 ||
	    !S_ISDIR(st.st_mode))
		return configured;
	log_notice("identity", NO_FIELDS,
	    "using %s of the original until the configuration names another",
	    theirs);
	return theirs;
}
