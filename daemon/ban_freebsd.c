/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * libblocklist(3) by its interface: a datagram to blocklistd(8) with the socket
 * of the client, sent without waiting. See ban.h.
 */
#include "daemon/ban.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "lib/base/mem.h"

/* BLOCKLIST_AUTH_FAIL */
#define AUTH_FAIL 1

typedef void *open_fn(void);
typedef void close_fn(void *cookie);
typedef int tell_fn(void *cookie, int action, int fd, const char *msg);

static const struct {
	const char *library;
	const char *open;
	const char *close;
	const char *tell;
} names[] = {
	{ "libblocklist.so.0", "blocklist_open", "blocklist_close",
	    "blocklist_r" },
	{ "libblacklist.so.0", "blacklist_open", "blacklist_close",
	    "blacklist_r" },
};

struct ban {
	void *library;
	/* NULL until it is open. */
	void *cookie;
	open_fn *open;
	close_fn *close;
	tell_fn *tell;
};

/* A pointer to a function from one to data, which C cannot cast. */
static bool
find(void *library, const char *name, void *ret, size_t size)
{
	void *p = dlsym(library, name);

	memcpy(ret, &p, size);
	return p != NULL;
}

static bool
load(struct ban *b, size_t i)
{
	b->library = dlopen(names[i].library, RTLD_NOW | RTLD_LOCAL);
	if (b->library == NULL)
		return false;
	if (find(b->library, names[i].open, &b->open, sizeof(b->open)) &&
	    find(b->library, names[i].close, &b->close, sizeof(b->close)) &&
	    find(b->library, names[i].tell, &b->tell, sizeof(b->tell)))
		return true;
	(void)dlclose(b->library);
	b->library = NULL;
	return false;
}

int
ban_new(struct ban **ret, struct error *e)
{
	AUTO(ban) struct ban *b = mem_calloc(1, sizeof(*b));

	if (b == NULL)
		return error_nomem(e);
	for (size_t i = 0; i < ARRAY_LEN(names) && b->library == NULL; i++)
		(void)load(b, i);
	if (b->library == NULL)
		return error_set(
		    e, OVE_UNSUPPORTED, "libblocklist is not installed");
	b->cookie = b->open();
	if (b->cookie == NULL)
		return error_set_errno(e, errno, "blocklist_open");
	*ret = STEAL(b);
	return 0;
}

struct ban *
ban_free(struct ban *b)
{
	if (b == NULL)
		return NULL;
	if (b->cookie != NULL)
		b->close(b->cookie);
	if (b->library != NULL)
		(void)dlclose(b->library);
	mem_free(b);
	return NULL;
}

int
ban_tell(struct ban *b, int socket, struct error *e)
{
	if (b->tell(b->cookie, AUTH_FAIL, socket, "overlordd") == 0)
		return 0;
	return error_set_errno(e, errno, "tell blocklistd");
}
