/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Kinds metadata, vmJail and appConfig: every invalid example by rule, key,
 * position and words, several faults at once, included files, prefixes, what is
 * sent, what validate adds.
 */

#include <stdio.h>
#include <string.h>

#include "lib/data/json.h"
#include "proto/spec.h"
#include "support/examples.h"
#include "support/test.h"
#include "support/torture.h"

#define HEAD(kind)                                                             \
  "kind: " kind "\ndatacenters: {main: {}}\ndeployIn: {labels: [all]}\n"
#define METADATA HEAD("metadata")
#define VM HEAD("vmJail") "makejail: m\n"

struct fixture {
	struct arena a;
	struct diag d;
	struct error e;
	struct spec *s;
	int rc;
};

static const char *
env(const char *name, void *ctx)
{
	(void)ctx;
	return strcmp(name, "A") == 0 ? "b" : NULL;
}

/* A file is its own name. */
static int
read_back(const char *path, struct arena *a, const char **ret, size_t *ret_len,
    void *ctx, struct error *e)
{
	(void)ctx;
	if (path[0] == '/')
		return error_set(e, OVE_NOTFOUND, "No such file or directory");
	*ret = arena_strdup(a, path);
	*ret_len = strlen(path);
	return arena_check(a, e);
}

static const struct spec_source source = { .env = env, .read = read_back };

static void
load(struct fixture *f, const char *text)
{
	memset(f, 0, sizeof(*f));
	arena_init(&f->a, 8 << 20);
	diag_init(&f->d, &f->a, "web.yml");
	f->rc =
	    spec_load(text, strlen(text), &source, &f->a, &f->d, &f->s, &f->e);
}

static void
load_ok(struct fixture *f, const char *text)
{
	load(f, text);
	test_ok(f->rc, &f->e);
}

static int
load_example(const char *text, size_t len, struct arena *a, struct diag *d,
    struct error *e)
{
	struct spec *s;

	return spec_load(text, len, &source, a, d, &s, e);
}

static const struct example_row invalid[] = {
	{ "appconfig-appFrom-missing", "required", "appFrom", 1, 1, "",
	    "'appFrom' is missing" },
	{ "appconfig-appName-missing", "required", "appName", 1, 1, "",
	    "'appName' is missing" },
	{ "appconfig-unknown-key", "unknown-key", "<root:appConfig>.config", 12,
	    1, "config", "unknown key" },
	{ "appconfig-value-boolean", "type", "appConfig.wired", 13, 10,
	    "appConfig.wired", "expected a string, found a boolean (true)" },
	{ "appconfig-value-number", "type", "appConfig.cpu", 13, 8,
	    "appConfig.cpu", "expected a string, found an integer (4)" },
	{ "metadata-include-missing-file", "include", NULL, 12, 5, "include[0]",
	    "'/nonexistent/extra.yml': No such file or directory" },
	{ "metadata-include-type", "type", "include", 11, 10, "include",
	    "expected a list, found a string ('extra.yml')" },
	{ "metadata-key-digit-after-dash", "key", "metadata.node-1", 11, 3,
	    "metadata.node-1",
	    "'node-1' is not a metadata key (letters and digits, a letter "
	    "first, single ., - or _ before a letter)" },
	{ "metadata-key-name", "key", "metadata.my key", 11, 3,
	    "metadata.\"my key\"",
	    "'my key' is not a metadata key (letters and digits, a letter "
	    "first, single ., - or _ before a letter)" },
	{ "metadata-key-number", "key-type", "metadata.<item#0>", 11, 3,
	    "metadata", "expected a string as key, found an integer (5)" },
	{ "metadata-list", "type", "metadata", 12, 3, "metadata",
	    "expected a mapping, found a list" },
	{ "metadata-prefix-type", "type", "metadataPrefix", 11, 17,
	    "metadataPrefix", "expected a string, found an integer (5)" },
	{ "metadata-unknown-key", "unknown-key", "<root:metadata>.prefix", 10,
	    1, "prefix", "unknown key" },
	{ "metadata-value-number", "type", "metadata.version", 11, 12,
	    "metadata.version",
	    "expected a string, found a number with a fraction (14.3)" },
	{ "namespace-entry-both", "both", "namespace.mapping.<item#1>", 15, 21,
	    "namespace.mapping[1]",
	    "only one of 'file' and 'directory' may be given" },
	{ "namespace-entry-nothing", "either", "namespace.mapping.<item#0>", 14,
	    7, "namespace.mapping[0]", "'file' or 'directory' is missing" },
	{ "namespace-file-without-colon", "mapping-file",
	    "namespace.mapping.<item#0>.file", 14, 13,
	    "namespace.mapping[0].file",
	    "must name the metadata and the file: 'KEY:PATH' or [KEY, PATH]" },
	{ "namespace-mapping-empty", "empty", "namespace.mapping", 13, 12,
	    "namespace.mapping", "must not be empty" },
	{ "namespace-mapping-missing", "required", "namespace.mapping", 11, 1,
	    "namespace", "'mapping' is missing" },
	{ "namespace-mode-string", "type", "namespace.mapping.<item#0>.mode",
	    16, 13, "namespace.mapping[0].mode",
	    "expected an integer, found a string ('0o644')" },
	{ "namespace-prefix-type", "type", "namespace.mapping.<item#0>.prefix",
	    15, 15, "namespace.mapping[0].prefix",
	    "expected a string or a boolean, found an integer" },
	{ "vm-bootcode-half", "pair", NULL, 25, 5, "diskLayout.disk.bootcode",
	    "'partcode' and 'index' must be given together" },
	{ "vm-bootcode-index-negative", "range",
	    "diskLayout.disk.bootcode.index", 25, 48,
	    "diskLayout.disk.bootcode.index", "must be 0 or more, found -1" },
	{ "vm-cloud-init-unknown-key", "unknown-key", "cloud-init.userdata", 15,
	    3, "cloud-init.userdata", "unknown key" },
	{ "vm-driver-missing", "required", "diskLayout.driver", 14, 1,
	    "diskLayout", "'driver' is missing" },
	{ "vm-driver", "choice", "diskLayout.driver", 15, 11,
	    "diskLayout.driver",
	    "'virtio' is not one of: virtio-blk, nvme, ahci-hd" },
	{ "vm-format-both", "both", NULL, 24, 46,
	    "diskLayout.disk.partitions[0].format",
	    "only one of 'flags' and 'script' may be given" },
	{ "vm-from-installed-type", "type", "diskLayout.from.installed", 17, 48,
	    "diskLayout.from.installed",
	    "expected a boolean, found a string ('true')" },
	{ "vm-from-isoFile-missing", "required", "diskLayout.from.isoFile", 17,
	    3, "diskLayout.from", "'isoFile' is missing" },
	{ "vm-from-osVersion-float", "type", "diskLayout.from.osVersion", 17,
	    36, "diskLayout.from.osVersion",
	    "expected a string, found a number with a fraction (15.0)" },
	{ "vm-from-type-missing", "required", "diskLayout.from.type", 17, 3,
	    "diskLayout.from", "'type' is missing" },
	{ "vm-from-type", "choice", "diskLayout.from.type", 17, 16,
	    "diskLayout.from.type",
	    "'qcow2' is not one of: components, appjailImage, pkgbase, iso, "
	    "img" },
	{ "vm-fstab-dump-string", "type", "diskLayout.fstab.<item#0>.dump", 23,
	    74, "diskLayout.fstab[0].dump",
	    "expected an integer, found a string ('1')" },
	{ "vm-fstab-missing-pass", "required", "diskLayout.fstab.<item#0>.pass",
	    23, 7, "diskLayout.fstab[0]", "'pass' is missing" },
	{ "vm-makejail-both", "both", NULL, 14, 1, "",
	    "only one of 'makejail' and 'makejailFromMetadata' may be given" },
	{ "vm-makejail-missing", "either", NULL, 1, 1, "",
	    "'makejail' or 'makejailFromMetadata' is missing" },
	{ "vm-metadata-key", "key", "metadata.<item#1>", 14, 25, "metadata[1]",
	    "'ssh key' is not a metadata key (letters and digits, a letter "
	    "first, single ., - or _ before a letter)" },
	{ "vm-options-entry-string", "type", "options.<item#0>", 16, 5,
	    "options[0]", "expected a mapping, found a string ('nat')" },
	{ "vm-options-mapping", "type", "options", 15, 3, "options",
	    "expected a list, found a mapping" },
	{ "vm-options-value-number", "type", "options.<item#0>.priority", 15,
	    15, "options[0].priority",
	    "expected a string, found an integer (5)" },
	{ "vm-overwrite-string", "type", "overwrite", 14, 12, "overwrite",
	    "expected a boolean, found a string ('yes')" },
	{ "vm-partition-size-number", "type",
	    "diskLayout.disk.partitions.<item#0>.size", 24, 45,
	    "diskLayout.disk.partitions[0].size",
	    "expected a string, found an integer (512)" },
	{ "vm-partition-unknown-key", "unknown-key",
	    "diskLayout.disk.partitions.<item#0>.bootcode", 27, 9,
	    "diskLayout.disk.partitions[0].bootcode", "unknown key" },
	{ "vm-partitions-empty", "empty", "diskLayout.disk.partitions", 24, 17,
	    "diskLayout.disk.partitions", "must not be empty" },
	{ "vm-scheme", "choice", "diskLayout.disk.scheme", 23, 13,
	    "diskLayout.disk.scheme", "'mbr' is not one of: gpt" },
	{ "vm-script-environment-null", "type",
	    "script-environment.<item#0>.HOSTNAME", 15, 14,
	    "script-environment[0].HOSTNAME", "expected a string, found null" },
	{ "vm-size-missing", "required", "diskLayout.size", 15, 1, "diskLayout",
	    "'size' is missing" },
	{ "vm-size-number", "type", "diskLayout.size", 17, 9, "diskLayout.size",
	    "expected a string, found an integer (10)" },
	{ "vm-template-boolean", "type", "template.wired_memory", 15, 17,
	    "template.wired_memory",
	    "expected a string, found a boolean (true)" },
	{ "vm-template-number", "type", "template.memory", 14, 11,
	    "template.memory", "expected a string, found an integer (512)" },
	{ "vm-unknown-key", "unknown-key", "<root:vmJail>.disklayout", 14, 1,
	    "disklayout", "unknown key" },
};

static void
invalid_examples(void **state)
{
	(void)state;
	examples_invalid(invalid, ARRAY_LEN(invalid), load_example);
}

static const char *
printed(struct fixture *f, struct strbuf *b)
{
	strbuf_reset(b);
	diag_print(&f->d, "overlord", NULL, false, b);
	return b->buf;
}

/* Findings of a file as printed; lint: after loading it. */
static const struct {
	bool lint;
	const char *text;
	const char *printed;
} messages[] = {
	{ false,
	    HEAD("vmJail") "vmname: x\nappFrom: y\ntemplate: {cpu: 2}\n"
			   "diskLayout:\n  driver: nvm\n  osVersion: '1'\n"
			   "  from:\n    type: iso\n    installed: 5\n"
			   "    osArch: x\n  fstab: [{dump: -1}, x]\n",
	    "overlord: web.yml:1:1: 'makejail' or 'makejailFromMetadata' is "
	    "missing\n"
	    "overlord: web.yml:4:1: vmname: unknown key\n"
	    "  hint: did you mean 'vmName'?\n"
	    "overlord: web.yml:5:1: appFrom: unknown key\n"
	    "  hint: 'appFrom' belongs to kind appConfig, this file is "
	    "vmJail\n"
	    "overlord: web.yml:6:17: template.cpu: expected a string, found "
	    "an integer (2)\n"
	    "  hint: quote it: '2'\n"
	    "overlord: web.yml:7:1: diskLayout: 'size' is missing\n"
	    "overlord: web.yml:8:11: diskLayout.driver: 'nvm' is not one of: "
	    "virtio-blk, nvme, ahci-hd\n"
	    "  hint: did you mean 'nvme'?\n"
	    "overlord: web.yml:9:3: diskLayout.osVersion: unknown key\n"
	    "  hint: 'osVersion' belongs to 'diskLayout.from'\n"
	    "overlord: web.yml:10:3: diskLayout.from: 'isoFile' is missing\n"
	    "overlord: web.yml:12:16: diskLayout.from.installed: expected a "
	    "boolean, found an integer (5)\n"
	    "overlord: web.yml:13:5: diskLayout.from.osArch: warning: unknown "
	    "key\n"
	    "  hint: 'osArch' belongs to 'diskLayout.from'\n"
	    "overlord: web.yml:14:11: diskLayout.fstab[0]: 'device' is "
	    "missing\n"
	    "overlord: web.yml:14:11: diskLayout.fstab[0]: 'mountpoint' is "
	    "missing\n"
	    "overlord: web.yml:14:11: diskLayout.fstab[0]: 'type' is missing\n"
	    "overlord: web.yml:14:11: diskLayout.fstab[0]: 'options' is "
	    "missing\n"
	    "overlord: web.yml:14:11: diskLayout.fstab[0]: 'pass' is missing\n"
	    "overlord: web.yml:14:18: diskLayout.fstab[0].dump: must be 0 or "
	    "more, found -1\n"
	    "overlord: web.yml:14:23: diskLayout.fstab[1]: expected a "
	    "mapping, found a string ('x')\n" },
	/* What travels as JSON. */
	{ false,
	    VM "cloud-init:\n  meta-data: {a: [!!binary aGk=]}\n"
	       "  network-config: [1]\n  user-data: {5: !!set {x}, 1.5: "
	       "2001-01-01}\n",
	    "overlord: web.yml:6:19: cloud-init.meta-data.a[0]: binary data "
	    "cannot be sent to a server\n"
	    "overlord: web.yml:7:19: cloud-init.network-config: expected a "
	    "mapping, found a list\n"
	    "overlord: web.yml:8:18: cloud-init.user-data.\"\": a set cannot "
	    "be sent to a server\n" },
	{ false,
	    VM "diskLayout:\n  driver: nvme\n  size: 8G\n"
	       "  from: {type: [iso]}\n  disk: {scheme: gpt, partitions: "
	       "[{type: a, format: {flags: }}]}\n",
	    "overlord: web.yml:8:16: diskLayout.from.type: expected a "
	    "string, found a list\n"
	    "overlord: web.yml:9:62: diskLayout.disk.partitions[0].format."
	    "flags: expected a string, found null\n" },
	/* Namespaces. */
	{ false,
	    METADATA "namespace:\n  name: n\n  mapping:\n"
		     "  - {file: [a, 1]}\n  - {file: [a]}\n"
		     "  - {file: 5, owner: [], group: 1.5, umask: x}\n"
		     "  - {file: null, directory: d, mode: 0o7}\n",
	    "overlord: web.yml:7:16: namespace.mapping[0].file[1]: expected "
	    "a string, found an integer (1)\n"
	    "  hint: quote it: '1'\n"
	    "overlord: web.yml:8:12: namespace.mapping[1].file: must name "
	    "the metadata and the file: 'KEY:PATH' or [KEY, PATH]\n"
	    "overlord: web.yml:9:12: namespace.mapping[2].file: expected a "
	    "string or a list of two strings, found an integer\n"
	    "overlord: web.yml:9:22: namespace.mapping[2].owner: expected a "
	    "name or a number, found a list\n"
	    "overlord: web.yml:9:33: namespace.mapping[2].group: expected a "
	    "name or a number, found a number with a fraction\n"
	    "overlord: web.yml:9:45: namespace.mapping[2].umask: expected an "
	    "integer, found a string ('x')\n"
	    "overlord: web.yml:10:38: namespace.mapping[3].mode: expected an "
	    "integer, found a string ('0o7')\n" },
	/* Included files. */
	{ false,
	    METADATA "include: ['a: 1', '[]', '', 'a: [', /x, '{a b: c}', "
		     "'a: !ENV \"${NO}\"', 5]\n",
	    "overlord: web.yml:4:11: include[0]: a: 1:1:4: metadata.a: "
	    "expected a string, found an integer (1)\n"
	    "  hint: quote it: '1'\n"
	    "overlord: web.yml:4:19: include[1]: '[]': expected a mapping, "
	    "found a list\n"
	    "overlord: web.yml:4:25: include[2]: '': expected a mapping, "
	    "found nothing\n"
	    "overlord: web.yml:4:29: include[3]: a: [:2:1: not YAML: expected "
	    "a value\n"
	    "overlord: web.yml:4:37: include[4]: '/x': No such file or "
	    "directory\n"
	    "overlord: web.yml:4:41: include[5]: {a b: c}:1:2: metadata.\"a "
	    "b\": 'a b' is not a metadata key (letters and digits, a letter "
	    "first, single ., - or _ before a letter)\n"
	    "overlord: web.yml:4:53: include[6]: warning: a: !ENV "
	    "\"${NO}\":1:4: a: NO is not set, '' is used\n"
	    "  hint: set it in .env or pass --env-file\n"
	    "overlord: web.yml:4:72: include[7]: expected a string, found an "
	    "integer (5)\n"
	    "  hint: quote it: '5'\n" },
	/* What validate adds. */
	{ true,
	    METADATA "metadataPrefix: a-\nnamespace:\n  name: n-1\n"
		     "  mapping: [{directory: d}]\n",
	    "overlord: web.yml:4:17: metadataPrefix: warning: 'a-' is not a "
	    "metadata key (letters and digits, a letter first, single ., - "
	    "or _ before a letter)\n"
	    "overlord: web.yml:6:9: namespace.name: warning: 'n-1' is not a "
	    "metadata key (letters and digits, a letter first, single ., - "
	    "or _ before a letter)\n" },
	{ true, METADATA,
	    "overlord: web.yml:1:1: warning: there is no metadata and no "
	    "namespace in it\n" },
	{ true,
	    VM "vmName: a\ntemplate: {}\ndiskLayout:\n  driver: nvme\n"
	       "  size: 1G\n  from: {type: pkgbase, osVersion: '15', osArch: "
	       "a, packages: []}\n",
	    "overlord: web.yml:5:9: vmName: 'a' is not a VM name (2 to 231 "
	    "letters, digits, ., _ and -, a letter or digit first and "
	    "last)\n"
	    "overlord: web.yml:7:1: diskLayout: warning: 'disk' with "
	    "'partitions' is missing: type 'pkgbase' needs it\n"
	    "overlord: web.yml:7:1: diskLayout: warning: 'fstab' is missing: "
	    "type 'pkgbase' needs it\n" },
	{ true, VM,
	    "overlord: web.yml:1:1: warning: 'vmName' is missing: 'overlord "
	    "apply' needs it\n"
	    "overlord: web.yml:1:1: warning: 'template' is missing: "
	    "'overlord apply' needs it\n"
	    "overlord: web.yml:1:1: warning: 'diskLayout' is missing: "
	    "'overlord apply' needs it\n" },
	{ true, HEAD("appConfig") "appName: a\nappFrom: b c\n",
	    "overlord: web.yml:5:10: appFrom: 'b c' is not a metadata key "
	    "(letters and digits, a letter first, single ., - or _ before a "
	    "letter)\n" },
};

static void
messages_as_printed(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct fixture f;

	(void)state;
	strbuf_init(&b, 1 << 16);
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		load(&f, messages[i].text);
		if (messages[i].lint) {
			test_ok(f.rc, &f.e);
			spec_lint(f.s, &f.a, &f.d);
		}
		assert_string_equal(printed(&f, &b), messages[i].printed);
		arena_fini(&f.a);
	}
}

static const char *
json_of(const struct node *n, struct strbuf *b)
{
	strbuf_reset(b);
	json_write(b, n, JSON_COMPACT);
	return b->buf;
}

/* The last of a name wins and stays where the first was; variables of included
 * files are expanded; the prefix comes once. */
static void
included_files_are_merged(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct fixture f;

	(void)state;
	strbuf_init(&b, 65536);
	load_ok(&f,
	    METADATA "include: ['{a: x, c: !ENV \"${A}\"}', '{d: e, a: y}']\n"
		     "metadataPrefix: p\nmetadata: {b: '', a: z}\n");
	assert_int_equal(f.s->metadata.entries.n, 4);
	assert_string_equal(f.s->metadata.entries.keys[1], "p.a");
	assert_string_equal(
	    json_of(node_get(spec_to_node(f.s, &f.a), "metadata"), &b),
	    "{\"p.b\":\"\",\"p.a\":\"y\",\"p.c\":\"b\",\"p.d\":\"e\"}");
	arena_fini(&f.a);
	/* Without metadata of its own. */
	load_ok(&f, METADATA "include: ['{a: x}']\n");
	assert_string_equal(
	    json_of(node_get(spec_to_node(f.s, &f.a), "metadata"), &b),
	    "{\"a\":\"x\"}");
	arena_fini(&f.a);
}

static const struct {
	const char *prefix;
	const char *entry;
	const char *sent;
} prefixes[] = {
	{ "", "file: 'm:x:y'", "{\"file\":[\"m\",\"x:y\"]}" },
	{ "", "{file: [m, x], prefix: q}",
	    "{\"file\":[\"m\",\"x\"],\"prefix\":\"q\"}" },
	{ "p", "file: 'm:x'", "{\"file\":[\"p.m\",\"x\"]}" },
	{ "p", "{file: 'm:x', prefix: true}", "{\"file\":[\"p.m\",\"x\"]}" },
	{ "p", "{file: 'm:x', prefix: q}", "{\"file\":[\"q.m\",\"x\"]}" },
	{ "p", "{prefix: false, file: 'm:x'}", "{\"file\":[\"m\",\"x\"]}" },
	{ "p", "{file: 'm:x', prefix: null}", "{\"file\":[\"m\",\"x\"]}" },
	{ "p", "{file: 'm:x', prefix: ''}", "{\"file\":[\"m\",\"x\"]}" },
	{ "p", "{directory: d, prefix: q, mode: 0755, owner: null}",
	    "{\"directory\":\"d\",\"mode\":493}" },
};

static void
prefixes_of_a_mapping(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct fixture f;
	char text[512];

	(void)state;
	strbuf_init(&b, 65536);
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		(void)snprintf(text, sizeof(text),
		    METADATA "%s%s\nnamespace:\n  name: n\n  mapping:\n"
			     "  - %s\n",
		    prefixes[i].prefix[0] != '\0' ? "metadataPrefix: " : "",
		    prefixes[i].prefix, prefixes[i].entry);
		load_ok(&f, text);
		(void)json_of(spec_mapping_to_node(f.s, &f.a), &b);
		(void)snprintf(text, sizeof(text), "[%s]", prefixes[i].sent);
		assert_string_equal(b.buf, text);
		arena_fini(&f.a);
	}
}

/* What is not set is left out where the original leaves it out. */
static void
body_of_a_vm(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct fixture f;

	(void)state;
	strbuf_init(&b, 65536);
	load_ok(&f,
	    HEAD("vmJail") "vmName: db\nmakejailFromMetadata: k\n"
			   "template: {a: b}\nmetadata: []\n"
			   "diskLayout: {driver: nvme, size: 1G, from: {type: "
			   "img}}\ncloud-init: {meta-data: {5: 2001-01-01}}\n");
	assert_string_equal(json_of(spec_vm_body(f.s, true, &f.a), &b),
	    "{\"template\":{\"a\":\"b\"},\"diskLayout\":{\"driver\":\"nvme\","
	    "\"size\":\"1G\",\"from\":{\"type\":\"img\"}},\"options\":[],"
	    "\"script-environment\":[],\"start-environment\":[],"
	    "\"start-arguments\":[],\"build-environment\":[],"
	    "\"build-arguments\":[],\"cloud-init\":{\"meta-data\":{\"5\":"
	    "\"2001-01-01\"}},\"overwrite\":false,\"poweroff\":false,"
	    "\"makejailFromMetadata\":\"k\",\"restart\":true}");
	arena_fini(&f.a);
	load_ok(&f,
	    VM "vmName: db\ntemplate: {}\nmetadataPrefix: p\nmetadata: [a]\n"
	       "diskLayout: {driver: nvme, size: 1G, from: {type: img}}\n"
	       "datastore: /x\nscript: s\noverwrite: yes\n");
	(void)json_of(spec_vm_body(f.s, false, &f.a), &b);
	assert_non_null(strstr(b.buf, "\"makejail\":\"m\""));
	assert_non_null(strstr(b.buf,
	    "\"script\":\"s\",\"metadata\":["
	    "\"p.a\"]"));
	assert_non_null(
	    strstr(b.buf, "\"overwrite\":true,\"datastore\":\"/x\""));
	arena_fini(&f.a);
}

static void
what_a_vm_needs(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct fixture f;

	(void)state;
	strbuf_init(&b, 65536);
	load_ok(&f, VM);
	spec_require_vm(f.s, false, &f.a, &f.d);
	assert_string_equal(
	    printed(&f, &b), "overlord: web.yml:1:1: 'vmName' is missing\n");
	spec_require_vm(f.s, true, &f.a, &f.d);
	assert_int_equal(f.d.errors, 4);
	arena_fini(&f.a);
	load_ok(&f, VM "vmName: -x\n");
	spec_require_vm(f.s, false, &f.a, &f.d);
	assert_int_equal(f.d.errors, 1);
	assert_string_equal(f.d.items[0].path, "vmName");
	arena_fini(&f.a);
}

static int
torture_body(void *ctx, struct error *e)
{
	struct arena a AUTO_ARENA;
	struct spec *s;
	struct diag d;

	arena_init(&a, 1 << 20);
	diag_init(&d, &a, NULL);
	if (spec_load(ctx, strlen(ctx), &source, &a, &d, &s, e) == -1)
		return -1;
	spec_lint(s, &a, &d);
	(void)spec_to_node(s, &a);
	return arena_check(&a, e);
}

static void
survives_a_lack_of_memory(void **state)
{
	char metadata[] = METADATA
	    "include: ['{a: x}']\nmetadataPrefix: p\nmetadata: {b: c}\n"
	    "namespace: {name: n, mapping: [{file: 'a:b', mode: 0644}]}\n";
	char vm[] = VM
	    "vmName: db\ntemplate: {a: b}\nmetadata: [a]\ndiskLayout:\n"
	    "  driver: nvme\n  size: 1G\n  from: {type: img}\n"
	    "  fstab: [{device: d, mountpoint: /, type: u, options: r, dump: "
	    "0, pass: 1}]\n";

	(void)state;
	torture(torture_body, metadata);
	torture(torture_body, vm);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(invalid_examples),
	cmocka_unit_test(messages_as_printed),
	cmocka_unit_test(included_files_are_merged),
	cmocka_unit_test(prefixes_of_a_mapping),
	cmocka_unit_test(body_of_a_vm),
	cmocka_unit_test(what_a_vm_needs),
	cmocka_unit_test(survives_a_lack_of_memory),
};
TEST_MAIN(tests)
