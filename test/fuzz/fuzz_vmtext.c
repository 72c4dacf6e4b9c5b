/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Texts that a VM is made from: the input is what a request says of it, and the
 * configuration that is there: {"vm": ..., "old": ...}. Whatever they say, the
 * Director file holds the service that is ours, and what shells read is one
 * word a line, so that nothing can be slipped in.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/vm_text.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/data/yaml.h"

#define NAME "db1"
#define MAKEJAIL "gh+x/y"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* After a word as a shell reads it, which is quoted wherever that matters. */
static const char *
after_word(const char *p)
{
	while (*p != '\0' && *p != '\n') {
		if (*p == '\'') {
			p = strchr(p + 1, '\'');
			if (p == NULL)
				abort();
		} else if (*p == '"') {
			/* Of a quote that stands in quotes. */
			if (strncmp(p, "\"'\"", 3) != 0)
				abort();
			p += 2;
		} else if (strchr("\\$`;&|<>()*?[]#~ \t!{}", *p) != NULL) {
			abort();
		}
		p++;
	}
	return p;
}

/* Lines of `before` and a word; how many. An empty one may come last. */
static size_t
words(const char *p, const char *before)
{
	size_t n = 0;

	for (; *p != '\0' && strcmp(p, "\n") != 0; n++) {
		if (strncmp(p, before, strlen(before)) != 0)
			abort();
		p = after_word(p + strlen(before));
		if (*p++ != '\n')
			abort();
	}
	return n;
}

/* What the author of a template calls his variables is his business. */
static bool
has_plain_names(const struct schema_strmap *map)
{
	for (size_t i = 0; i < map->n; i++)
		if (map->keys[i][strspn(map->keys[i],
			"abcdefghijklmnopqrstuvwxyz_0123456789")] != '\0')
			return false;
	return true;
}

static void
try_director(const struct msg_vm *m, struct strbuf *b, struct arena *a)
{
	const struct yaml_options o = { 0 };
	const char *name, *makejail;
	struct error e = ERROR_INIT;
	struct node *root, *vm;
	struct diag d;

	strbuf_reset(b);
	if (vm_text_director(b, m, NAME, MAKEJAIL, &e) < 0) {
		if (!error_is_set(&e))
			abort();
		return;
	}
	diag_init(&d, a, NULL);
	if (yaml_read(b->buf, b->len, &o, a, &root, &d, NULL) < 0) {
		if (arena_check(a, NULL) == 0)
			abort();
		return;
	}
	vm = node_get(node_get(root, "services"), "vm");
	name = node_text(node_get(vm, "name"));
	makejail = node_text(node_get(vm, "makejail"));
	if (name == NULL || strcmp(name, NAME) != 0 || makejail == NULL ||
	    strcmp(makejail, MAKEJAIL) != 0)
		abort();
}

static void
try_shell(const struct msg_vm *m, struct strbuf *b)
{
	size_t n = 0;

	strbuf_reset(b);
	vm_text_environment(b, m);
	for (size_t i = 0; i < m->vm.script_environment.n; i++)
		n += m->vm.script_environment.items[i].n;
	if (strbuf_check(b, NULL) == 0 && words(b->buf, "export ") != n)
		abort();
	if (!has_plain_names(&m->vm.template))
		return;
	strbuf_reset(b);
	vm_text_template(b, m);
	if (strbuf_check(b, NULL) == 0 && words(b->buf, "") < m->vm.template.n)
		abort();
}

/* What is kept stood there, line by line, and is an identity. */
static void
try_kept(const struct msg_vm *m, struct strbuf *b, const char *old)
{
	strbuf_reset(b);
	vm_text_kept(b, m, old, strlen(old));
	if (strbuf_check(b, NULL) < 0 || b->len == 0)
		return;
	for (const char *p = b->buf; *p != '\0'; p = strchr(p, '\n') + 1)
		if (strncmp(p, "uuid=", 5) != 0 &&
		    strncmp(p, "network", 7) != 0)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena a;
	AUTO_STRBUF struct strbuf b;
	const char *old;
	struct node *in;
	struct msg_vm m;

	arena_init(&a, (size_t)32 << 20);
	strbuf_init(&b, (size_t)8 << 20);
	if (size > 65536 ||
	    json_read((const char *)data, size, &a, &in, NULL) < 0)
		return 0;
	old = node_text(node_get(in, "old"));
	if (msg_bind(&msg_vm_schema, node_get(in, "vm"), &a, &m, NULL) < 0)
		return 0;
	try_director(&m, &b, &a);
	try_shell(&m, &b);
	if (old != NULL)
		try_kept(&m, &b, old);
	strbuf_reset(&b);
	if (m.vm.cloud_init.user_data != NULL)
		(void)vm_text_document(
		    &b, m.vm.cloud_init.user_data, "#cloud-config\n", NULL);
	if (m.vm.disk_layout.from.download_url != NULL &&
	    m.vm.disk_layout.from.os_arch != NULL &&
	    m.vm.disk_layout.from.os_version != NULL)
		vm_text_url(&b, &m.vm.disk_layout.from);
	return 0;
}
