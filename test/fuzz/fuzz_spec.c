/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Deployment files and configurations: the text through the YAML reader and the
 * tables, and what loads on to validate, print-spec and print-config. A refusal
 * must say something.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/data/json.h"
#include "proto/config.h"
#include "proto/spec.h"

#define ARENA_MAX (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *
env(const char *name, void *ctx)
{
	(void)ctx;
	return strcmp(name, "A") == 0 ? "b: ${B}" : NULL;
}

/* What is included is its own name. */
static int
read_back(const char *path, struct arena *a, const char **ret, size_t *ret_len,
    void *ctx, struct error *e)
{
	(void)a;
	(void)ctx;
	if (path[0] == '/')
		return error_set(e, OVE_NOTFOUND, "no such file");
	*ret = path;
	*ret_len = strlen(path);
	return 0;
}

static const struct spec_source source = { .env = env, .read = read_back };

static void
try_kind(const struct spec *s, struct arena *a, struct diag *d)
{
	const struct node *n = node_null(a);

	if (s->kind == SPEC_VM) {
		spec_require_vm(s, true, a, d);
		n = spec_vm_body(s, true, a);
	} else if (s->kind == SPEC_METADATA) {
		n = spec_mapping_to_node(s, a);
	}
	if (n == NULL && arena_check(a, NULL) == 0)
		abort();
}

static void
write_json(const struct node *n)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, ARENA_MAX);
	json_write(&b, n, JSON_INDENT4_ASCII);
	if (strbuf_check(&b, NULL) == 0 && b.len == 0)
		abort();
}

static void
try_spec(const char *text, size_t len)
{
	AUTO_ARENA struct arena a;
	AUTO_STRBUF struct strbuf b;
	struct error e = ERROR_INIT;
	struct node *n;
	struct spec *s;
	struct diag d;
	size_t i;

	arena_init(&a, ARENA_MAX);
	strbuf_init(&b, 1 << 20);
	diag_init(&d, &a, "fuzz.yml");
	if (spec_load(text, len, &source, &a, &d, &s, &e) == 0) {
		for (i = 0; i < s->datacenters.n; i++)
			spec_require_datacenter(
			    s, s->datacenters.keys[i], &a, &d);
		spec_lint(s, &a, &d);
		try_kind(s, &a, &d);
		n = spec_to_node(s, &a);
		if (n != NULL)
			write_json(n);
	} else if (!error_is_set(&e)) {
		abort();
	}
	diag_print(&d, "fuzz", text, true, &b);
}

static void
tell_nothing(const struct schema_row *row, void *ctx)
{
	(void)row;
	(void)ctx;
	/* A configuration does not differ from itself. */
	abort();
}

static void
try_config(const char *text, size_t len)
{
	AUTO_ARENA struct arena a;
	AUTO_STRBUF struct strbuf b;
	struct error e = ERROR_INIT;
	struct config *c;
	struct node *n;
	struct diag d;

	arena_init(&a, ARENA_MAX);
	strbuf_init(&b, 1 << 20);
	diag_init(&d, &a, "fuzz.yml");
	if (config_parse(text, len, env, NULL, &a, &d, &c, &e) == 0) {
		n = config_to_node(c, SCHEMA_REDACT, &a);
		if (arena_check(&a, &e) == 0)
			write_json(n);
		(void)config_diff(c, c, tell_nothing, NULL, &e);
	} else if (!error_is_set(&e)) {
		abort();
	}
	diag_print(&d, "fuzz", NULL, false, &b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* diag_print() wants a NUL at its end. */
	AUTO_FREE char *text = mem_alloc(size + 1);

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	try_spec(text, size);
	try_config(text, size);
	return 0;
}
