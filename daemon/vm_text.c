/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See vm_text.h. YAML is block style with sorted keys, as the original's.
 */
#include "daemon/vm_text.h"

#include <string.h>

#include "lib/base/shellword.h"
#include "lib/data/node.h"
#include "lib/data/yaml_write.h"

#define TREE_MAX ((size_t)128 << 20)

/* Director file */

/* A list of mappings; a text that is NULL is null. */
static struct node *
pairs_node(const struct spec_pairs *pairs, struct arena *a)
{
	struct node *list = node_new(a, NODE_LIST);

	for (size_t i = 0; i < pairs->n; i++) {
		const struct schema_strmap *in = &pairs->items[i];
		struct node *map = node_new(a, NODE_MAP);

		for (size_t k = 0; k < in->n; k++)
			node_set(a, map, in->keys[k],
			    in->items[k] != NULL ? node_str(a, in->items[k])
						 : node_null(a));
		node_add(a, list, map);
	}
	return list;
}

static void
set_pairs(struct arena *a, struct node *map, const char *key,
    const struct spec_pairs *pairs)
{
	if (pairs->n > 0)
		node_set(a, map, key, pairs_node(pairs, a));
}

static struct node *
service_node(const struct msg_vm *m, const char *name, const char *makejail,
    struct arena *a)
{
	struct node *service = node_new(a, NODE_MAP);
	struct node *options = node_new(a, NODE_LIST);
	struct node *label = node_new(a, NODE_MAP);

	node_set(a, label, "label", node_str(a, "overlord.vm:1"));
	node_add(a, options, label);
	set_pairs(a, service, "arguments", &m->vm.build_arguments);
	set_pairs(a, service, "environment", &m->vm.build_environment);
	node_set(a, service, "ignore_mtime", node_bool(a, true));
	node_set(a, service, "makejail", node_str(a, makejail));
	node_set(a, service, "name", node_str(a, name));
	node_set(a, service, "options", options);
	set_pairs(a, service, "start", &m->vm.start_arguments);
	set_pairs(a, service, "start-environment", &m->vm.start_environment);
	return service;
}

/* Sorts n, and adds it. */
static int
add_yaml(struct strbuf *out, struct node *n, struct arena *a, struct error *e)
{
	if (arena_check(a, e) < 0 || node_sort(n, e) < 0)
		return -1;
	yaml_write(out, n, 0);
	return strbuf_check(out, e);
}

int
vm_text_director(struct strbuf *out, const struct msg_vm *m, const char *name,
    const char *makejail, struct error *e)
{
	AUTO_ARENA struct arena a;
	struct node *root, *services;

	arena_init(&a, TREE_MAX);
	root = node_new(&a, NODE_MAP);
	services = node_new(&a, NODE_MAP);
	set_pairs(&a, root, "options", &m->vm.options);
	node_set(&a, services, "vm", service_node(m, name, makejail, &a));
	node_set(&a, root, "services", services);
	return add_yaml(out, root, &a, e);
}

/* cloud-init */

bool
vm_has_seed(const struct msg_vm *m)
{
	const struct spec_cloud_init *c = &m->vm.cloud_init;

	return c->flags != NULL || c->meta_data != NULL ||
	    c->network_config != NULL || c->user_data != NULL;
}

int
vm_text_document(struct strbuf *out, const struct node *n,
    const char *first_line, struct error *e)
{
	AUTO_ARENA struct arena a;

	arena_init(&a, TREE_MAX);
	strbuf_adds(out, first_line);
	return add_yaml(out, node_copy(&a, n), &a, e);
}

/* Template */

struct variable {
	const char *name;
	const char *value;
};

#define VARIABLES_MAX 7

/* Those that are ours. */
static size_t
our_variables(const struct msg_vm *m, struct variable v[VARIABLES_MAX])
{
	size_t n = 0;

	if (vm_has_seed(m)) {
		v[n++] = (struct variable){ "disk1_type", "ahci-cd" };
		v[n++] = (struct variable){ "disk1_name", "seed.iso" };
		v[n++] = (struct variable){ "disk1_dev", "file" };
	}
	v[n++] = (struct variable){ "disk0_type", m->vm.disk_layout.driver };
	v[n++] = (struct variable){ "disk0_name", "disk0.img" };
	v[n++] = (struct variable){ "disk0_dev", "file" };
	v[n++] = (struct variable){ "disk0_size", m->vm.disk_layout.size };
	return n;
}

static void
add_variable(struct strbuf *out, const char *name, const char *value)
{
	strbuf_addf(out, "%s=", name);
	shellword_quote(out, value);
	strbuf_addc(out, '\n');
}

void
vm_text_template(struct strbuf *out, const struct msg_vm *m)
{
	struct variable ours[VARIABLES_MAX];
	size_t n = our_variables(m, ours);
	bool said[VARIABLES_MAX] = { false };

	/* One of the user's that is ours as well keeps its place. */
	for (size_t i = 0; i < m->vm.template.n; i++) {
		const char *name = m->vm.template.keys[i];
		const char *value = m->vm.template.items[i];

		for (size_t k = 0; k < n; k++)
			if (strcmp(ours[k].name, name) == 0) {
				value = ours[k].value;
				said[k] = true;
			}
		add_variable(out, name, value);
	}
	for (size_t k = 0; k < n; k++)
		if (!said[k])
			add_variable(out, ours[k].name, ours[k].value);
}

/* "uuid", "network0_mac". */
static bool
is_identity(const char *name, size_t len)
{
	size_t digits;

	if (len == 4 && strncmp(name, "uuid", len) == 0)
		return true;
	if (len < 7 || strncmp(name, "network", 7) != 0)
		return false;
	digits = strspn(name + 7, "0123456789");
	return digits > 0 && 7 + digits + 4 == len &&
	    strncmp(name + 7 + digits, "_mac", 4) == 0;
}

static bool
template_has(const struct msg_vm *m, const char *name, size_t len)
{
	for (size_t i = 0; i < m->vm.template.n; i++)
		if (strncmp(m->vm.template.keys[i], name, len) == 0 &&
		    m->vm.template.keys[i][len] == '\0')
			return true;
	return false;
}

void
vm_text_kept(
    struct strbuf *out, const struct msg_vm *m, const char *old, size_t len)
{
	const char *end = old + len;

	while (old < end) {
		size_t left = (size_t)(end - old);
		const char *nl = memchr(old, '\n', left);
		size_t line = nl != NULL ? (size_t)(nl - old) : left;
		const char *eq = memchr(old, '=', line);
		size_t name = eq != NULL ? (size_t)(eq - old) : 0;

		if (is_identity(old, name) && !template_has(m, old, name)) {
			strbuf_add(out, old, line);
			strbuf_addc(out, '\n');
		}
		old += line + (nl != NULL);
	}
}

/* Others */

void
vm_text_environment(struct strbuf *out, const struct msg_vm *m)
{
	const struct spec_pairs *pairs = &m->vm.script_environment;
	AUTO_STRBUF struct strbuf word;

	strbuf_init(&word, out->max);
	for (size_t i = 0; i < pairs->n; i++)
		for (size_t k = 0; k < pairs->items[i].n; k++) {
			strbuf_reset(&word);
			strbuf_addf(&word, "%s=%s", pairs->items[i].keys[k],
			    pairs->items[i].items[k]);
			if (word.latch != OVE_NONE && out->latch == OVE_NONE)
				out->latch = word.latch;
			strbuf_adds(out, "export ");
			shellword_quote(out, word.buf);
			strbuf_addc(out, '\n');
		}
	strbuf_addc(out, '\n');
}

void
vm_text_url(struct strbuf *out, const struct spec_from *from)
{
	const struct {
		const char *word;
		const char *value;
	} words[] = { { "{ARCH}", from->os_arch },
		{ "{VERSION}", from->os_version } };
	const char *p = from->download_url;

	while (*p != '\0') {
		size_t i = 0;

		while (i < ARRAY_LEN(words) &&
		    strncmp(p, words[i].word, strlen(words[i].word)) != 0)
			i++;
		if (i == ARRAY_LEN(words)) {
			strbuf_addc(out, *p++);
			continue;
		}
		strbuf_adds(out, words[i].value);
		p += strlen(words[i].word);
	}
}
