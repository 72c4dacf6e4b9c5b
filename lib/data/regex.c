/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * PCRE2 with UTF and Unicode properties, its memory ours. What Python writes
 * differently is rewritten step by step; the same steps lead from an offset in
 * what PCRE2 read back to what the person wrote.
 */
#include "lib/data/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/strbuf.h"

#define PATTERN_MAX ((size_t)64 * 1024)
#define MATCH_LIMIT 1000000
#define DEPTH_LIMIT 10000

struct regex {
	pcre2_general_context *general;
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
};

static void *
take_mem(size_t len, void *ctx)
{
	(void)ctx;
	return mem_alloc(len);
}

static void
give_mem(void *p, void *ctx)
{
	(void)ctx;
	mem_free(p);
}

struct regex *
regex_free(struct regex *r)
{
	if (r == NULL)
		return NULL;
	pcre2_match_context_free(r->limits);
	pcre2_match_data_free(r->data);
	pcre2_code_free(r->code);
	pcre2_general_context_free(r->general);
	mem_free(r);
	return NULL;
}

static bool
has_hex(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isxdigit((unsigned char)s[i]))
			return false;
	return true;
}

/* Rewrites what stands at s, which is not its end: the length read, and in
 * *ret_len that of the text in out. */
static size_t
step(const char *s, char out[16], size_t *ret_len)
{
	size_t digits = s[0] != '\\' ? 0
	    : s[1] == 'u'            ? 4
	    : s[1] == 'U'            ? 8
				     : 0;
	size_t n = s[0] == '\\' && s[1] != '\0' ? 2 : 1;

	if (digits > 0 && has_hex(s + 2, digits)) {
		*ret_len =
		    (size_t)snprintf(out, 16, "\\x{%.*s}", (int)digits, s + 2);
		return 2 + digits;
	}
	memcpy(out, s, n);
	if (n == 2 && s[1] == 'Z')
		out[1] = 'z';
	*ret_len = n;
	return n;
}

/* Where in the person's pattern that is. */
static size_t
offset_of(const char *pattern, size_t at)
{
	size_t i = 0, done = 0, len;
	char out[16];

	while (pattern[i] != '\0' && done < at) {
		i += step(pattern + i, out, &len);
		done += len;
	}
	return i;
}

static int
compile(struct regex *r, const char *pattern, size_t *ret_at, struct error *e)
{
	pcre2_compile_context *cc = pcre2_compile_context_create(r->general);
	PCRE2_UCHAR text[256];
	PCRE2_SIZE at = 0;
	int code = 0;

	if (cc == NULL)
		return error_nomem(e);
	r->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
	    PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &at, cc);
	pcre2_compile_context_free(cc);
	if (r->code != NULL)
		return 0;
	if (code == PCRE2_ERROR_NOMEMORY || code == 121)
		return error_nomem(e);
	(void)pcre2_get_error_message(code, text, sizeof(text));
	*ret_at = at;
	return error_set(e, OVE_INVALID, "%s", (const char *)text);
}

static int
make(struct regex **ret, const char *pattern, size_t *ret_at, struct error *e)
{
	struct regex *r AUTO(regex) = mem_calloc(1, sizeof(*r));

	if (r == NULL)
		return error_nomem(e);
	r->general = pcre2_general_context_create(take_mem, give_mem, NULL);
	if (r->general == NULL)
		return error_nomem(e);
	if (compile(r, pattern, ret_at, e) < 0)
		return -1;
	r->data = pcre2_match_data_create_from_pattern(r->code, r->general);
	r->limits = pcre2_match_context_create(r->general);
	if (r->data == NULL || r->limits == NULL)
		return error_nomem(e);
	(void)pcre2_set_match_limit(r->limits, MATCH_LIMIT);
	(void)pcre2_set_depth_limit(r->limits, DEPTH_LIMIT);
	*ret = STEAL(r);
	return 0;
}

int
regex_new(struct regex **ret, const char *pattern, struct error *e)
{
	struct error cause = ERROR_INIT;
	size_t at = 0;

	if (make(ret, pattern, &at, &cause) == 0)
		return 0;
	if (cause.code == OVE_NOMEM)
		return error_nomem(e);
	return error_set(
	    e, OVE_INVALID, "%s at offset %zu", error_text(&cause), at);
}

int
regex_new_python(struct regex **ret, const char *pattern, struct error *e)
{
	struct error cause = ERROR_INIT;
	AUTO_STRBUF struct strbuf b;
	size_t at = 0, len;
	char out[16];

	strbuf_init(&b, PATTERN_MAX);
	for (const char *s = pattern; *s != '\0';) {
		s += step(s, out, &len);
		strbuf_add(&b, out, len);
	}
	if (strbuf_check(&b, e) < 0)
		return -1;
	if (make(ret, b.buf, &at, &cause) == 0)
		return 0;
	if (cause.code == OVE_NOMEM)
		return error_nomem(e);
	return error_set(e, OVE_INVALID, "%s at offset %zu", error_text(&cause),
	    offset_of(pattern, at));
}

bool
regex_search(struct regex *r, const char *text, size_t len)
{
	return pcre2_match(r->code, (PCRE2_SPTR)text, len, 0, 0, r->data,
		   r->limits) >= 0;
}
