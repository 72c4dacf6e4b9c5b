/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Characters and what they are: see tmpl_char.h.
 */
#include "lib/data/tmpl_char.h"

#include <string.h>

#include "lib/base/utf8.h"
#include "lib/data/tmpl_char_table.h"

size_t
tmpl_char_len(const char *p)
{
	unsigned char c = (unsigned char)*p;

	if (c < 0x80)
		return 1;
	if (c < 0xe0)
		return 2;
	return c < 0xf0 ? 3 : 4;
}

uint32_t
tmpl_char_at(const char *p)
{
	return utf8_decode(p, tmpl_char_len(p));
}

const char *
tmpl_char_back(const char *p)
{
	do
		p--;
	while ((*p & 0xc0) == 0x80);
	return p;
}

size_t
tmpl_char_put(uint32_t c, char *p)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t len, i;

	if (c < 0x80) {
		*p = (char)c;
		return 1;
	}
	len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (i = len - 1; i > 0; i--) {
		p[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	p[0] = (char)(lead[len] | c);
	return len;
}

/* The last row that begins at c or before; the first begins at 0. */
static size_t
run_of(uint32_t c)
{
	size_t lo = 0, hi = ARRAY_LEN(char_runs), mid;

	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (char_runs[mid].first <= c)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

bool
tmpl_char_is(uint32_t c, unsigned classes)
{
	const struct char_run *run = &char_runs[run_of(c)];
	unsigned has = run->classes;

	if ((has & CHAR_ALTERNATE) != 0 && (c - run->first) % 2 == 1)
		has ^= TMPL_CHAR_UPPER | TMPL_CHAR_LOWER;
	return (has & classes) != 0;
}

bool
tmpl_char_is_space(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) ||
	    c == 0x85 || c == 0xa0 || c == 0x1680 ||
	    (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	    c == 0x202f || c == 0x205f || c == 0x3000;
}

bool
tmpl_char_is_break(uint32_t c)
{
	return (c >= 0x0a && c <= 0x0d) || (c >= 0x1c && c <= 0x1e) ||
	    c == 0x85 || c == 0x2028 || c == 0x2029;
}

/* The row that has c, or NULL. */
static const struct char_map *
map_of(const struct char_map *maps, size_t n, uint32_t c)
{
	size_t i;

	for (i = 0; i < n && maps[i].first <= c; i++) {
		if (c <= maps[i].last &&
		    (c - maps[i].first) % maps[i].step == 0)
			return &maps[i];
	}
	return NULL;
}

static const struct {
	const struct char_map *maps;
	size_t n;
	const struct char_text *texts;
	size_t n_texts;
	/* Where to look for what is in neither; itself for nowhere. */
	enum tmpl_case other;
} cases[] = {
#define CASE(name, other)                                                      \
  {                                                                            \
    char_##name, ARRAY_LEN(char_##name), char_##name##_text,                   \
	ARRAY_LEN(char_##name##_text), other                                   \
  }
	[TMPL_UPPER] = CASE(upper, TMPL_UPPER),
	[TMPL_LOWER] = CASE(lower, TMPL_LOWER),
	[TMPL_TITLE] = CASE(title, TMPL_UPPER),
	[TMPL_FOLD] = CASE(fold, TMPL_LOWER),
#undef CASE
};

size_t
tmpl_char_case(uint32_t c, enum tmpl_case to, char *p)
{
	const struct char_map *m;
	size_t i, len;

	for (i = 0; i < cases[to].n_texts; i++) {
		if (cases[to].texts[i].c == c) {
			len = strlen(cases[to].texts[i].text);
			memcpy(p, cases[to].texts[i].text, len);
			return len;
		}
	}
	m = map_of(cases[to].maps, cases[to].n, c);
	if (m == NULL && cases[to].other != to)
		return tmpl_char_case(c, cases[to].other, p);
	if (m != NULL)
		c = (uint32_t)((int32_t)c + m->delta);
	return tmpl_char_put(c, p);
}
