/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Methods of strings that change the case of characters or ask what they are.
 */
#include <string.h>

#include "lib/data/tmpl_char.h"
#include "lib/data/tmpl_value_internal.h"

#define METHOD(name)                                                           \
  int name(struct tmpl_run *r, struct tmpl_value self,                         \
      const struct tmpl_args *args, struct tmpl_value *ret)

#define SIGMA 0x3a3

static bool
is_cased(uint32_t c)
{
	return tmpl_char_is(
	    c, TMPL_CHAR_UPPER | TMPL_CHAR_LOWER | TMPL_CHAR_TITLE);
}

/* At the end of a word its lower case is another. */
static bool
is_final_sigma(const struct tmpl_str *s, size_t i)
{
	size_t after = i + 2;

	if (tmpl_char_at(s->s + i) != SIGMA || i == 0)
		return false;
	return is_cased(tmpl_char_at(tmpl_char_back(s->s + i))) &&
	    (after >= s->len || !is_cased(tmpl_char_at(s->s + after)));
}

/* Gives each character the case that choose() says, by what was before. */
typedef enum tmpl_case choose_fn(uint32_t c, bool first, bool in_word);

static int
change(struct tmpl_run *r, const struct tmpl_str *s, choose_fn *choose,
    struct tmpl_value *ret)
{
	struct strbuf AUTO_STRBUF out;
	char text[TMPL_CASE_LEN];
	bool in_word = false;
	enum tmpl_case to;
	uint32_t c;
	size_t i;

	tmpl_buf_init(&out);
	/* Looking a character up takes some steps. */
	if (tmpl_charge(r, s->len * 4) == -1)
		return -1;
	for (i = 0; i < s->len; i += tmpl_char_len(s->s + i)) {
		c = tmpl_char_at(s->s + i);
		to = choose(c, i == 0, in_word);
		if (to == TMPL_LOWER && is_final_sigma(s, i))
			strbuf_adds(&out, "\xcf\x82");
		else
			strbuf_add(&out, text, tmpl_char_case(c, to, text));
		in_word = is_cased(c);
	}
	return tmpl_str_take(r, &out, ret);
}

static enum tmpl_case
to_upper(uint32_t c, bool first, bool in_word)
{
	(void)c;
	(void)first;
	(void)in_word;
	return TMPL_UPPER;
}

static enum tmpl_case
to_lower(uint32_t c, bool first, bool in_word)
{
	(void)c;
	(void)first;
	(void)in_word;
	return TMPL_LOWER;
}

static enum tmpl_case
to_fold(uint32_t c, bool first, bool in_word)
{
	(void)c;
	(void)first;
	(void)in_word;
	return TMPL_FOLD;
}

static enum tmpl_case
to_title(uint32_t c, bool first, bool in_word)
{
	(void)c;
	(void)first;
	return in_word ? TMPL_LOWER : TMPL_TITLE;
}

static enum tmpl_case
to_capital(uint32_t c, bool first, bool in_word)
{
	(void)c;
	(void)in_word;
	return first ? TMPL_TITLE : TMPL_LOWER;
}

static enum tmpl_case
to_other(uint32_t c, bool first, bool in_word)
{
	(void)first;
	(void)in_word;
	return tmpl_char_is(c, TMPL_CHAR_UPPER) ? TMPL_LOWER : TMPL_UPPER;
}

METHOD(tmpl_str_upper)
{
	(void)args;
	return change(r, self.u.str, to_upper, ret);
}

METHOD(tmpl_str_lower)
{
	(void)args;
	return change(r, self.u.str, to_lower, ret);
}

METHOD(tmpl_str_casefold)
{
	(void)args;
	return change(r, self.u.str, to_fold, ret);
}

METHOD(tmpl_str_title)
{
	(void)args;
	return change(r, self.u.str, to_title, ret);
}

METHOD(tmpl_str_capitalize)
{
	(void)args;
	return change(r, self.u.str, to_capital, ret);
}

METHOD(tmpl_str_swapcase)
{
	(void)args;
	return change(r, self.u.str, to_other, ret);
}

/* Whether all characters are of the classes, and there is one (or not). */
static int
all_are(struct tmpl_run *r, const struct tmpl_str *s, unsigned classes,
    bool empty, struct tmpl_value *ret)
{
	size_t i;

	if (tmpl_charge(r, s->len * 4) == -1)
		return -1;
	*ret = tmpl_bool(s->len > 0 || empty);
	for (i = 0; i < s->len && ret->u.b; i += tmpl_char_len(s->s + i))
		ret->u.b = tmpl_char_is(tmpl_char_at(s->s + i), classes);
	return 0;
}

METHOD(tmpl_str_isalnum)
{
	(void)args;
	return all_are(r, self.u.str,
	    TMPL_CHAR_ALPHA | TMPL_CHAR_DECIMAL | TMPL_CHAR_DIGIT |
		TMPL_CHAR_NUMERIC,
	    false, ret);
}

METHOD(tmpl_str_isalpha)
{
	(void)args;
	return all_are(r, self.u.str, TMPL_CHAR_ALPHA, false, ret);
}

METHOD(tmpl_str_isdecimal)
{
	(void)args;
	return all_are(r, self.u.str, TMPL_CHAR_DECIMAL, false, ret);
}

METHOD(tmpl_str_isdigit)
{
	(void)args;
	return all_are(r, self.u.str, TMPL_CHAR_DIGIT, false, ret);
}

METHOD(tmpl_str_isnumeric)
{
	(void)args;
	return all_are(r, self.u.str, TMPL_CHAR_NUMERIC, false, ret);
}

METHOD(tmpl_str_isprintable)
{
	(void)args;
	return all_are(r, self.u.str, TMPL_CHAR_PRINT, true, ret);
}

METHOD(tmpl_str_isascii)
{
	(void)args;
	*ret = tmpl_bool(self.u.str->len == self.u.str->chars);
	return tmpl_charge(r, TMPL_STEP);
}

METHOD(tmpl_str_isspace)
{
	const struct tmpl_str *s = self.u.str;
	size_t i;

	(void)args;
	*ret = tmpl_bool(s->len > 0);
	for (i = 0; i < s->len && ret->u.b; i += tmpl_char_len(s->s + i))
		ret->u.b = tmpl_char_is_space(tmpl_char_at(s->s + i));
	return tmpl_charge(r, s->len);
}

/* Whether there is a cased character, and none of the other cases. */
static int
is_case(struct tmpl_run *r, const struct tmpl_str *s, unsigned wanted,
    unsigned others, struct tmpl_value *ret)
{
	bool any = false, other = false;
	uint32_t c;
	size_t i;

	if (tmpl_charge(r, s->len * 4) == -1)
		return -1;
	for (i = 0; i < s->len && !other; i += tmpl_char_len(s->s + i)) {
		c = tmpl_char_at(s->s + i);
		any = any || tmpl_char_is(c, wanted);
		other = tmpl_char_is(c, others);
	}
	*ret = tmpl_bool(any && !other);
	return 0;
}

METHOD(tmpl_str_isupper)
{
	(void)args;
	return is_case(r, self.u.str, TMPL_CHAR_UPPER,
	    TMPL_CHAR_LOWER | TMPL_CHAR_TITLE, ret);
}

METHOD(tmpl_str_islower)
{
	(void)args;
	return is_case(r, self.u.str, TMPL_CHAR_LOWER,
	    TMPL_CHAR_UPPER | TMPL_CHAR_TITLE, ret);
}
