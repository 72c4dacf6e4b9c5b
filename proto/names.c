/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The checks behind names.def. The originals are regular expressions that take
 * exponential time for labels and keys (rest-api.md Q-03); here each is a loop
 * that looks at every byte once. Locale does not matter: only ASCII counts.
 */

#include "proto/names.h"

#include <string.h>

#define VM_LEN_MIN 2
#define VM_LEN_MAX 231

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_letter(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_letter(c) || is_digit(c);
}

static bool
is_in(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* Letters, digits and these, at least one. */
static bool
all_of(const char *s, size_t len, const char *others)
{
	size_t i;

	if (len == 0 || len > NAME_LEN_MAX)
		return false;
	for (i = 0; i < len; i++) {
		if (!is_alnum(s[i]) && !is_in(s[i], others))
			return false;
	}
	return true;
}

static bool
is_dots(const char *s, size_t len)
{
	return (len == 1 && s[0] == '.') ||
	    (len == 2 && s[0] == '.' && s[1] == '.');
}

/* A letter, then letters and digits; a separator stands alone and before a
 * letter. */
static bool
is_dotted_word(
    const char *s, size_t len, const char *separators, bool (*letter)(char))
{
	bool fresh;
	size_t i;

	if (len == 0 || len > NAME_LEN_MAX)
		return false;
	/* True where a letter must come. */
	fresh = true;
	for (i = 0; i < len; i++) {
		if (letter(s[i]))
			fresh = false;
		else if (fresh)
			return false;
		else if (is_in(s[i], separators))
			fresh = true;
		else if (!is_digit(s[i]))
			return false;
	}
	return !fresh;
}

bool
name_is_chain_part(const char *s, size_t len)
{
	return all_of(s, len, "_-") && s[0] != '-';
}

bool
name_is_jail(const char *s, size_t len)
{
	return name_is_chain_part(s, len);
}

bool
name_is_project(const char *s, size_t len)
{
	return all_of(s, len, "._-") && !is_dots(s, len);
}

bool
name_is_service(const char *s, size_t len)
{
	return name_is_project(s, len);
}

bool
name_is_vm(const char *s, size_t len)
{
	return len >= VM_LEN_MIN && len <= VM_LEN_MAX &&
	    all_of(s, len, "._-") && is_alnum(s[0]) && is_alnum(s[len - 1]);
}

bool
name_is_key(const char *s, size_t len)
{
	return is_dotted_word(s, len, ".-_", is_letter);
}

bool
name_is_label(const char *s, size_t len)
{
	return is_dotted_word(s, len, ".-", is_lower);
}

bool
name_is_chain(const char *s, size_t len)
{
	size_t i, start, parts;

	parts = 0;
	for (i = start = 0; i <= len; i++) {
		if (i < len && s[i] != '.')
			continue;
		if (!name_is_chain_part(s + start, i - start) ||
		    ++parts > NAME_CHAIN_PARTS_MAX)
			return false;
		start = i + 1;
	}
	return true;
}

bool
name_is_date(const char *s, size_t len)
{
	static const char form[] = "dddd-dd-dd_ddhddmdds";
	size_t i;

	/* The form's own letters d stand for digits: none is meant. */
	if (len != sizeof(form) - 1)
		return false;
	for (i = 0; i < len; i++) {
		if (form[i] == 'd' ? !is_digit(s[i]) : s[i] != form[i])
			return false;
	}
	return true;
}

bool
name_is_dlog(const char *s, size_t len)
{
	static const char end[] = ".log";
	size_t i, stem;

	if (len < sizeof(end) || len > NAME_LEN_MAX)
		return false;
	stem = len - (sizeof(end) - 1);
	for (i = 0; i < stem; i++) {
		if (!is_lower(s[i]) && s[i] != '-')
			return false;
	}
	return memcmp(s + stem, end, sizeof(end) - 1) == 0;
}

bool
name_is_segment(const char *s, size_t len)
{
	return len > 0 && len <= NAME_LEN_MAX && !is_dots(s, len) &&
	    memchr(s, '/', len) == NULL && memchr(s, '\0', len) == NULL;
}

bool
name_is_env(const char *s, size_t len)
{
	return len > 0 && memchr(s, '=', len) == NULL &&
	    memchr(s, '\0', len) == NULL;
}

bool
name_is(enum name_kind kind, const char *s, size_t len)
{
	static bool (*const checks[NAME_COUNT])(const char *, size_t) = {
#define X(name, function, text) [NAME_##name] = name_is_##function,
#include "proto/names.def"
#undef X
	};

	return checks[kind](s, len);
}

const char *
name_kind_text(enum name_kind kind)
{
	static const char *const texts[NAME_COUNT] = {
#define X(name, function, text) [NAME_##name] = text,
#include "proto/names.def"
#undef X
	};

	return texts[kind];
}
