/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

/* A head, and the body behind it. */
static void __attribute__((__format__(__printf__, 4, 5)))
say(struct load *l, struct client *c, bool body, const char *fmt, ...)
{
	va_list ap;
	size_t n;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(c->out, l->out_max, fmt, ap);
	va_end(ap);
	n = body ? l->body_len : 0;
	if (len < 0 || (size_t)len + n + 2 >= l->out_max)
		die("the request is too long");
	memcpy(c->out + len, l->body, n);
	c->out_len = (size_t)len + n;
	c->out_sent = 0;
}

static void
end_line(struct client *c)
{
	memcpy(c->out + c->out_len, "\r\n", 2);
	c->out_len += 2;
}

static bool
begins_with(const struct client *c, const char *word)
{
	return strncmp(c->in, word, strlen(word)) == 0;
}

static bool
ends_with(const struct client *c, const char *word)
{
	size_t n = strlen(word);

	return c->in_len >= n && memcmp(c->in + c->in_len - n, word, n) == 0;
}

/* HTTP */

void
post_up(struct load *l, struct client *c, const char *name)
{
	say(l, c, true,
	    "POST /v1/project/up/%s HTTP/1.1\r\n"
	    "Host: %s:%s\r\n"
	    "Authentication: Bearer %s\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    name, l->host, l->port, l->token, l->body_len);
}

static void
bodiless(struct load *l, struct client *c, const char *method, const char *path)
{
	say(l, c, false,
	    "%s %s HTTP/1.1\r\n"
	    "Host: %s:%s\r\n"
	    "Authentication: Bearer %s\r\n\r\n",
	    method, path, l->host, l->port, l->token);
}

static void
get_write(struct load *l, struct client *c)
{
	bodiless(l, c, "GET", l->path);
}

static void
up_write(struct load *l, struct client *c)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s-%lu", l->prefix, ++l->made);
	post_up(l, c, name);
}

static void
cycle_write(struct load *l, struct client *c)
{
	char path[64];

	if (c->phase == 0) {
		up_write(l, c);
		return;
	}
	(void)snprintf(path, sizeof(path), "/v1/jobs/%lu", c->job);
	bodiless(l, c, "DELETE", path);
}

static bool
http_read(struct client *c)
{
	const char *end, *length;

	end = strstr(c->in, "\r\n\r\n");
	if (end == NULL)
		return false;
	if (!begins_with(c, "HTTP/1.1 200 "))
		die("not acknowledged: %s", c->in);
	length = strcasestr(c->in, "\r\nContent-Length:");
	if (length == NULL || length > end)
		die("a reply without Content-Length: %s", c->in);
	return c->in_len >=
	    (size_t)(end + 4 - c->in) + (size_t)strtod(length + 17, NULL);
}

static bool
cycle_read(struct client *c)
{
	static const char key[] = "\"job_id\":";
	const char *id;

	if (!http_read(c))
		return false;
	if (c->phase == 0) {
		id = strstr(c->in, key);
		if (id == NULL)
			die("a reply without a job: %s", c->in);
		c->job = (unsigned long)strtod(id + sizeof(key) - 1, NULL);
	}
	return true;
}

/* beanstalkd */

static void
put_write(struct load *l, struct client *c)
{
	say(l, c, true, "put 0 0 60 %zu\r\n", l->body_len);
	end_line(c);
}

static bool
line_read(const struct client *c, const char *good)
{
	if (!ends_with(c, "\n"))
		return false;
	if (!begins_with(c, good))
		die("not acknowledged: %s", c->in);
	return true;
}

static bool
put_read(struct client *c)
{
	return line_read(c, "INSERTED ");
}

static void
take_write(struct load *l, struct client *c)
{
	if (c->phase == 0)
		put_write(l, c);
	else if (c->phase == 1)
		say(l, c, false, "reserve\r\n");
	else
		say(l, c, false, "delete %lu\r\n", c->job);
}

/* Of a reserved job the length is in the first line, its body follows. */
static bool
reserved_read(struct client *c)
{
	static const char good[] = "RESERVED ";
	const char *line;
	char *rest;

	line = strstr(c->in, "\r\n");
	if (line == NULL)
		return false;
	if (!begins_with(c, good))
		die("not reserved: %s", c->in);
	c->job = (unsigned long)strtod(c->in + sizeof(good) - 1, &rest);
	return c->in_len >=
	    (size_t)(line + 4 - c->in) + (size_t)strtod(rest, NULL);
}

static bool
take_read(struct client *c)
{
	if (c->phase == 0)
		return put_read(c);
	return c->phase == 1 ? reserved_read(c) : line_read(c, "DELETED");
}

/* memcached */

static void
set_write(struct load *l, struct client *c)
{
	say(l, c, true, "set bench 0 0 %zu\r\n", l->body_len);
	end_line(c);
}

static bool
set_read(struct client *c)
{
	return line_read(c, "STORED");
}

static void
cache_write(struct load *l, struct client *c)
{
	say(l, c, false, "get bench\r\n");
}

static bool
cache_read(struct client *c)
{
	if (!ends_with(c, "END\r\n"))
		return false;
	if (!begins_with(c, "VALUE bench "))
		die("not kept: %s", c->in);
	return true;
}

const struct protocol protocols[] = {
	{ "up", "csbtn", 1, up_write, http_read },
	{ "fill", "cmbtn", 1, up_write, http_read },
	{ "cycle", "csbtn", 2, cycle_write, cycle_read },
	{ "get", "cstpo", 1, get_write, http_read },
	{ "put", "csb", 1, put_write, put_read },
	{ "take", "csb", 3, take_write, take_read },
	{ "cache", "cs", 1, cache_write, cache_read },
	{ "set", "b", 1, set_write, set_read },
	{ "each", "bt", 1, NULL, http_read },
	{ .name = NULL },
};
