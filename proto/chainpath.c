/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Chain paths: text to names and back. What a name is, proto/names says; this
 * file knows the dots, the blanks and the limit, which keeps a request from
 * being handed round in a ring of servers that list each other.
 */

#include "proto/chainpath.h"

#include <string.h>

#include "proto/names.h"

_Static_assert(CHAINPATH_MAX == NAME_CHAIN_PARTS_MAX, "one limit");

/* Space, and TAB to CR: what the original strips. */
static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int
parse_parts(const char *text, struct arena *a, const char **parts, size_t max,
    size_t *ret_n, struct error *e)
{
	const char *p, *end;
	size_t len, n;

	n = 0;
	for (p = text;; p += len + 1) {
		len = strcspn(p, ".");
		end = p + len;
		while (end > p && is_blank(end[-1]))
			end--;
		while (p < end && is_blank(*p)) {
			p++;
			len--;
		}
		if (!name_is_chain_part(p, (size_t)(end - p)))
			return error_set(e, OVE_INVALID, "'%.60s' is not %s",
			    text, name_kind_text(NAME_CHAIN));
		if (n == max)
			return error_set(e, OVE_LIMIT,
			    "'%.60s' is longer than %d names", text,
			    CHAINPATH_MAX);
		parts[n] = arena_strndup(a, p, (size_t)(end - p));
		if (parts[n++] == NULL)
			return arena_check(a, e) == -1 ? -1 : error_nomem(e);
		if (p[len] == '\0')
			break;
	}
	*ret_n = n;
	return 0;
}

int
chainpath_parse(
    const char *text, struct arena *a, struct chainpath *ret, struct error *e)
{
	memset(ret, 0, sizeof(*ret));
	return parse_parts(text, a, ret->parts, CHAINPATH_MAX, &ret->n, e);
}

int
chainpath_parse_entrypoint(const char *text, struct arena *a,
    const char **ret_datacenter, struct chainpath *ret, struct error *e)
{
	const char *parts[CHAINPATH_MAX + 1] = { NULL };
	size_t n = 0;

	if (parse_parts(text, a, parts, ARRAY_LEN(parts), &n, e) == -1)
		return -1;
	memset(ret, 0, sizeof(*ret));
	*ret_datacenter = parts[0];
	ret->n = n > 0 ? n - 1 : 0;
	memcpy(ret->parts, parts + 1, ret->n * sizeof(parts[0]));
	return 0;
}

const char *
chainpath_join(const struct chainpath *p, struct arena *a)
{
	size_t i, len, used;
	char *s;

	if (p->n == 0)
		return NULL;
	len = 0;
	for (i = 0; i < p->n; i++)
		len += strlen(p->parts[i]) + 1;
	s = arena_alloc(a, len);
	if (s == NULL)
		return NULL;
	used = 0;
	for (i = 0; i < p->n; i++) {
		len = strlen(p->parts[i]);
		memcpy(s + used, p->parts[i], len);
		used += len;
		s[used++] = i + 1 < p->n ? '.' : '\0';
	}
	return s;
}

const char *
chainpath_split(const char *path, size_t *ret_len)
{
	*ret_len = strcspn(path, ".");
	return path[*ret_len] == '.' ? path + *ret_len + 1 : NULL;
}
