/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * PCRE2 with UTF and Unicode properties, its memory ours. What Python writes
 * differently (\Z, \uXXXX) is the business of whoever takes patterns from
 * people; today only our own patterns come here.
 */
#include "lib/data/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "lib/base/mem.h"

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

static int
compile(struct regex *r, const char *pattern, struct error *e)
{
	pcre2_compile_context *cc = pcre2_compile_context_create(r->general);
	PCRE2_UCHAR text[256];
	PCRE2_SIZE at = 0;
	int code = 0;

	if (cc == NULL)
		return error_nomem(e);
	r->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
	    PCRE2_UTF | PCRE2_UCP, &code, &at, cc);
	pcre2_compile_context_free(cc);
	if (r->code != NULL)
		return 0;
	if (code == PCRE2_ERROR_NOMEMORY || code == 121)
		return error_nomem(e);
	(void)pcre2_get_error_message(code, text, sizeof(text));
	return error_set(
	    e, OVE_INVALID, "%s at offset %zu", (const char *)text, at);
}

int
regex_new(struct regex **ret, const char *pattern, struct error *e)
{
	struct regex *r AUTO(regex) = mem_calloc(1, sizeof(*r));

	if (r == NULL)
		return error_nomem(e);
	r->general = pcre2_general_context_create(take_mem, give_mem, NULL);
	if (r->general == NULL)
		return error_nomem(e);
	if (compile(r, pattern, e) < 0)
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

bool
regex_search(struct regex *r, const char *text, size_t len)
{
	return pcre2_match(r->code, (PCRE2_SPTR)text, len, 0, 0, r->data,
		   r->limits) >= 0;
}
