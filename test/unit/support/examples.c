/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Example files: see examples.h. Where the repository is, meson tells by
 * OVERLORD_SOURCE; without it, it is the current directory.
 */

#include "test/unit/support/examples.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "test/unit/support/test.h"

#define EXPECT "# expect: "

/* THE table of both wordings: rule, and how the original says it. %s is the
 * key; what follows in the original's text is free. */
static const struct {
	const char *rule;
	const char *theirs;
} wordings[] = {
	{ "type", "%s: requires '" },
	{ "key-type", "%s: requires 'str', given '" },
	{ "required", "%s: a required parameter has not been specified." },
	{ "required", "'kind' is not defined." },
	{ "unknown-key", "%s: invalid parameter." },
	{ "choice", "%s: invalid parameter." },
	{ "choice", "%s: unknown value '" },
	{ "choice", "%s: invalid scale type: '" },
	{ "empty",
	    "%s: a length of '-1' has been specified, but should be '> 0'." },
	{ "empty",
	    "a length of '-1' has been specified, but should be '> 0'." },
	{ "length", "%s: a length of '2' has been specified, but should be" },
	{ "range", "%s: invalid value, should be '> 0" },
	{ "range", "%s: invalid value, should be '>= " },
	{ "label", "%s: invalid value, should be" },
	{ "chain", "%s: invalid value, should be" },
	{ "chain", "Invalid chain: " },
	{ "key", "%s: invalid value, should be" },
	{ "order", "%s: '%s.<item#0>' is greater than '%s.<item#1>'." },
	{ "pair", "'tls.keyfile' and 'tls.certfile' must be specified" },
	{ "both", "Only 'projectFile' or 'projectFromMetadata' should be" },
	{ "both", "Only 'flags' or 'script' should be" },
	{ "both", "Only 'makejail' or 'makejailFromMetadata' should be" },
	{ "both", "'%s' specifies both 'file' and 'directory' but" },
	{ "either", "'makejail' or 'makejailFromMetadata' are required but" },
	{ "either", "'%s.file' or '%s.directory' is required but" },
	{ "pair", "Both 'diskLayout.disk.bootcode.partcode' and" },
	{ "choice", "%s: invalid driver: '" },
	{ "choice", "%s: invalid type: '" },
	{ "choice", "%s: invalid scheme: '" },
	{ "include", "No such file or directory: '" },
	{ "mapping-file", "'%s' must specify both the metadata and the" },
	{ "either", "'projectFile' or 'projectFromMetadata' are required but" },
	{ "log-level", "Unable to configure logger '" },
	{ "log-version", "Unsupported version: " },
	{ "resource", "%s: invalid resource." },
	{ "limit", "50: invalid value type for '%s'" },
	{ "size", "512q: invalid value type for '%s': Failed to parse size!" },
	{ "yaml-tag-kind", "expected a scalar node, but found sequence" },
	{ "yaml-merge", "expected a mapping or list of mappings for merging" },
	{ "yaml-syntax", "cannot start any token" },
	{ "yaml-documents", "expected a single document in the stream" },
	{ "yaml-alias", "found undefined alias" },
	{ "yaml-key", "found unhashable key" },
	{ "yaml-tag", "could not determine a constructor for the tag '" },
};

const char *
example_path(const char *path)
{
	static char text[1024];
	const char *root = getenv("OVERLORD_SOURCE");

	(void)snprintf(
	    text, sizeof(text), "%s/%s", root != NULL ? root : ".", path);
	return text;
}

char *
example_read(const char *path, size_t *ret_len)
{
	struct error e = ERROR_INIT;
	char *text = NULL;

	test_ok(file_read(
		    AT_FDCWD, example_path(path), 1 << 20, &text, ret_len, &e),
	    &e);
	return text;
}

/* The form with each %s replaced by the key. */
static void
fill(struct strbuf *b, const char *form, const char *key)
{
	const char *p;

	strbuf_reset(b);
	for (p = form; *p != '\0'; p++) {
		if (p[0] == '%' && p[1] == 's') {
			strbuf_adds(b, key != NULL ? key : "?");
			p++;
		} else {
			strbuf_addc(b, *p);
		}
	}
}

static bool
is_worded(const struct example_row *r, const char *text)
{
	AUTO_STRBUF struct strbuf b;
	size_t i;

	strbuf_init(&b, 4096);
	if (strncmp(text, EXPECT, strlen(EXPECT)) != 0)
		return false;
	text += strlen(EXPECT);
	for (i = 0; i < ARRAY_LEN(wordings); i++) {
		if (strcmp(wordings[i].rule, r->rule) != 0)
			continue;
		fill(&b, wordings[i].theirs, r->theirs);
		if (strncmp(text, b.buf, b.len) == 0)
			return true;
	}
	return false;
}

static void
check_row(const struct example_row *r, example_load_fn *load)
{
	AUTO_FREE char *text = NULL;
	struct error e = ERROR_INIT;
	const struct diag_item *it;
	struct arena a;
	struct diag d;
	char path[256];
	size_t len, i;
	int rc;

	(void)snprintf(
	    path, sizeof(path), "test/examples/invalid/%s.yml", r->file);
	text = example_read(path, &len);
	if (!is_worded(r, text))
		fail_msg("%s: the original's words are not of rule %s", r->file,
		    r->rule);
	arena_init(&a, 8 << 20);
	diag_init(&d, &a, path);
	rc = load(text, len, &a, &d, &e);
	if (rc != -1 || e.code != OVE_INVALID)
		fail_msg("%s: %d %s", r->file, rc, error_text(&e));
	/* Warnings about variables that are not set may stand before it. */
	for (i = 0; i < d.n && d.items[i].warning; i++)
		continue;
	it = &d.items[i];
	if (d.errors != 1 || strcmp(it->rule, r->rule) != 0 ||
	    it->line != r->line || it->col != r->col ||
	    strcmp(it->path, r->path) != 0 ||
	    strcmp(it->reason, r->reason) != 0)
		fail_msg("%s: %zu errors: [%s] %u:%u: '%s': %s", r->file,
		    d.errors, it->rule, it->line, it->col, it->path,
		    it->reason);
	arena_fini(&a);
}

void
examples_invalid(
    const struct example_row *rows, size_t n, example_load_fn *load)
{
	size_t i;

	for (i = 0; i < n; i++)
		check_row(&rows[i], load);
}
