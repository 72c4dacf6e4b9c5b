/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Keys are built from typed parts whose bytes sort as their values do: numbers
 * big-endian, texts with their NUL, so that a text sorts before every longer
 * one that starts with it, and no text can run into the part behind it. A key
 * that does not fit is latched, and the database refuses it. The inverses take
 * parts from the front and say whether one was there; they never read past the
 * end.
 */

#include "lib/store/key.h"

#include <string.h>

static unsigned char *
key_room(struct db_key *k, size_t len)
{
	unsigned char *p;

	if (k->over || len > sizeof(k->buf) - k->len) {
		k->over = true;
		return NULL;
	}
	p = k->buf + k->len;
	k->len += len;
	return p;
}

void
key_init(struct db_key *k)
{
	k->len = 0;
	k->over = false;
}

void
key_u8(struct db_key *k, uint8_t v)
{
	unsigned char *p;

	p = key_room(k, 1);
	if (p != NULL)
		*p = v;
}

void
key_be64(struct db_key *k, uint64_t v)
{
	unsigned char *p;
	size_t i;

	p = key_room(k, 8);
	if (p == NULL)
		return;
	for (i = 0; i < 8; i++)
		p[i] = (unsigned char)(v >> (56 - 8 * i));
}

void
key_str(struct db_key *k, const char *s)
{
	unsigned char *p;
	size_t len;

	len = strlen(s) + 1;
	p = key_room(k, len);
	if (p != NULL)
		memcpy(p, s, len);
}

static void
val_skip(struct db_val *v, size_t len)
{
	v->p = (const unsigned char *)v->p + len;
	v->len -= len;
}

bool
key_get_u8(struct db_val *v, uint8_t *ret)
{
	if (v->len < 1)
		return false;
	*ret = *(const unsigned char *)v->p;
	val_skip(v, 1);
	return true;
}

bool
key_get_be64(struct db_val *v, uint64_t *ret)
{
	const unsigned char *p = v->p;
	uint64_t n;
	size_t i;

	if (v->len < 8)
		return false;
	n = 0;
	for (i = 0; i < 8; i++)
		n = n << 8 | p[i];
	*ret = n;
	val_skip(v, 8);
	return true;
}

bool
key_get_str(struct db_val *v, const char **ret)
{
	const char *p = v->p;
	const char *end;

	if (v->len == 0)
		return false;
	end = memchr(p, '\0', v->len);
	if (end == NULL)
		return false;
	*ret = p;
	val_skip(v, (size_t)(end - p) + 1);
	return true;
}
