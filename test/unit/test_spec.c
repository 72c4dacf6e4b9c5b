/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Deployment files: the contract's examples and their print-spec byte for byte,
 * every invalid example by rule, key, position and words, what cli.md says
 * about messages, sizes, and what validate adds.
 */

#include "proto/spec.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/data/json.h"
#include "proto/spec_internal.h"
#include "support/examples.h"
#include "support/test.h"
#include "support/torture.h"

#define HEAD                                                                   \
  "kind: directorProject\ndatacenters: {main: {}}\n"                           \
  "deployIn: {labels: [all]}\nprojectName: web\n"

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
	return strcmp(name, "OVERLORD_WRKDIR") == 0 ? "/work dir" : NULL;
}

/* Of the examples, and texts by name. */
static int
read_included(const char *path, struct arena *a, const char **ret,
    size_t *ret_len, void *ctx, struct error *e)
{
	AUTO_FREE char *text = NULL;
	char name[256];

	(void)ctx;
	if (strncmp(path, "text:", 5) == 0) {
		*ret = path + 5;
		*ret_len = strlen(*ret);
		return 0;
	}
	if (strncmp(path, "/work dir/", 10) != 0)
		return error_set(e, OVE_NOTFOUND, "No such file or directory");
	(void)snprintf(name, sizeof(name), "test/examples/%s", path + 10);
	text = example_read(name, ret_len);
	*ret = arena_strndup(a, text, *ret_len);
	return arena_check(a, e);
}

static const struct spec_source source = { .env = env, .read = read_included };

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

static void
tables_are_sound(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
#define KIND(name, text, word)                                                 \
  test_ok(schema_verify(&spec_##word##_schema, &e), &e);
#include "proto/kinds.def"
#undef KIND
}

static void
print_spec(const char *name)
{
	AUTO_FREE char *text = NULL, *golden = NULL;
	AUTO_STRBUF struct strbuf b;
	struct fixture f;
	char path[256];
	size_t len;

	strbuf_init(&b, 1 << 20);
	(void)snprintf(path, sizeof(path), "test/examples/%s.yml", name);
	text = example_read(path, &len);
	(void)snprintf(
	    path, sizeof(path), "test/vectors/print-spec/%s.json", name);
	golden = example_read(path, &len);
	load_ok(&f, text);
	json_write(&b, spec_to_node(f.s, &f.a), JSON_INDENT4_ASCII);
	strbuf_addc(&b, '\n');
	assert_string_equal(b.buf, golden);
	arena_fini(&f.a);
}

static void
print_spec_is_the_original_s(void **state)
{
	(void)state;
	print_spec("director-project-minimal");
	print_spec("director-project-full");
	print_spec("director-project-autoscale");
	print_spec("metadata-minimal");
	print_spec("metadata-full");
	print_spec("vmjail-minimal");
	print_spec("vmjail-components-full");
	print_spec("vmjail-appjail-image");
	print_spec("vmjail-pkgbase");
	print_spec("vmjail-iso");
	print_spec("vmjail-img-cloud-init");
	print_spec("readonly-minimal");
	print_spec("readonly-full");
	print_spec("appconfig-minimal");
	print_spec("appconfig-full");
}

static void
full_example_is_bound(void **state)
{
	AUTO_FREE char *text = NULL;
	const struct spec_datacenter *dc;
	struct fixture f;
	size_t len;

	(void)state;
	text = example_read("test/examples/director-project-full.yml", &len);
	load_ok(&f, text);
	assert_int_equal(f.s->kind, SPEC_PROJECT);
	assert_int_equal(f.s->datacenters.n, 2);
	dc = spec_find_datacenter(f.s, "backup");
	assert_string_equal(dc->entrypoint, "http://10.9.0.2:8888");
	assert_int_equal(dc->connect_timeout_ms, 10000);
	assert_int_equal(dc->pool_timeout_ms, 60000);
	assert_null(spec_find_datacenter(f.s, "nope"));
	assert_int_equal(f.s->entrypoints.n, 2);
	assert_string_equal(f.s->entrypoints.items[1], "backup.rack2");
	assert_string_equal(f.s->exclude.items[0], "staging");
	assert_int_equal(f.s->maximum_deployments, 4);
	assert_string_equal(f.s->project.name, "postgres-cluster");
	assert_int_equal(f.s->project.environment.n, 3);
	assert_string_equal(
	    f.s->project.labels_environment.keys[1], "big.memory");
	assert_string_equal(
	    f.s->project.labels_environment.items[1].items[0], "8GB");
	assert_string_equal(
	    f.s->project.environ_from_metadata, "postgres.environment");
	assert_string_equal(f.s->project.reserve_port.keys[1], "lo0");
	assert_null(f.s->project.reserve_port.items[1]);
	assert_false(f.s->project.autoscale.on);
	arena_fini(&f.a);
}

static void
autoscale_is_bound(void **state)
{
	AUTO_FREE char *text = NULL;
	const struct spec_autoscale *as;
	struct fixture f;
	size_t len;

	(void)state;
	text =
	    example_read("test/examples/director-project-autoscale.yml", &len);
	load_ok(&f, text);
	as = &f.s->project.autoscale;
	assert_true(as->on);
	assert_int_equal(as->replicas_max, 9);
	assert_string_equal(as->type, "percent-project");
	assert_int_equal(as->value->u.i, 80);
	assert_int_equal(as->rules.items[0]->u.i, 536870912);
	assert_int_equal(as->economy.items[0]->u.i, 1610612736);
	assert_int_equal(as->frontend.any.n, 2);
	assert_int_equal(as->backend.all.items[1].each, 10000);
	assert_int_equal(f.s->entrypoints.n, 1);
	arena_fini(&f.a);
}

/* D-3: <root> and dotted chains. */
static void
root_chain_example(void **state)
{
	AUTO_FREE char *text = NULL;
	struct fixture f;
	size_t len;

	(void)state;
	text =
	    example_read("test/examples/director-project-root-chain.yml", &len);
	load_ok(&f, text);
	assert_string_equal(f.s->project.chains_environment.keys[0], "<root>");
	assert_string_equal(
	    f.s->project.chains_environment.keys[1], "rack1.node2");
	assert_null(f.s->project.file);
	assert_string_equal(f.s->project.from_metadata, "etcd.project");
	arena_fini(&f.a);
}

static int
load_example(const char *text, size_t len, struct arena *a, struct diag *d,
    struct error *e)
{
	struct spec *s;

	return spec_load(text, len, &source, a, d, &s, e);
}

static const struct example_row invalid[] = {
	{ "yaml-env-on-sequence", "yaml-tag-kind", NULL, 8, 11,
	    "deployIn.labels", "the tag '!ENV' needs a scalar, found a list" },
	{ "yaml-merge-scalar", "yaml-merge", NULL, 5, 9, "datacenters.main",
	    "'<<' needs a mapping or a list of mappings, found a string" },
	{ "yaml-tab-indent", "yaml-syntax", NULL, 9, 1, "",
	    "not YAML: found a tab where indentation was expected" },
	{ "yaml-two-documents", "yaml-documents", NULL, 10, 1, "",
	    "a second document begins here, only one is allowed" },
	{ "yaml-undefined-alias", "yaml-alias", NULL, 4, 9, "datacenters.main",
	    "unknown alias 'nope'" },
	{ "yaml-unhashable-key", "yaml-key", NULL, 3, 3, "",
	    "a list cannot be a key" },
	{ "yaml-unknown-tag", "yaml-tag", NULL, 5, 17,
	    "datacenters.main.entrypoint", "unknown tag '!Env'" },
	{ "root-empty", "required", NULL, 1, 1, "", "'kind' is missing" },
	{ "root-not-a-mapping", "type", "<root>", 2, 1, "",
	    "expected a mapping, found a list" },
	{ "root-scalar", "type", "<root>", 2, 1, "",
	    "expected a mapping, found a string ('just text')" },
	{ "kind-missing", "required", "kind", 1, 1, "", "'kind' is missing" },
	{ "kind-unknown", "choice", "kind", 2, 7, "kind",
	    "'directorproject' is not one of: directorProject, metadata, "
	    "vmJail, readOnly, appConfig" },
	{ "datacenter-entrypoint-type", "type", "datacenters.main.entrypoint",
	    5, 17, "datacenters.main.entrypoint",
	    "expected a string, found an integer (8888)" },
	{ "datacenter-key-not-a-string", "key-type", "datacenters.<item#1>", 5,
	    3, "datacenters",
	    "expected a string as key, found an integer (10)" },
	{ "datacenter-timeout-type", "type", "datacenters.main.read_timeout", 5,
	    19, "datacenters.main.read_timeout",
	    "expected an integer, found a number with a fraction (1.5)" },
	{ "datacenter-unknown-key", "unknown-key", "datacenters.main.deployIn",
	    8, 5, "datacenters.main.deployIn", "unknown key" },
	{ "datacenters-list", "type", "datacenters", 4, 3, "datacenters",
	    "expected a mapping, found a list" },
	{ "datacenters-missing", "required", "datacenters", 1, 1, "",
	    "'datacenters' is missing" },
	{ "datacentersEnvironment-float", "type",
	    "datacentersEnvironment.main.RATIO", 15, 12,
	    "datacentersEnvironment.main.RATIO",
	    "expected a string, found a number with a fraction (0.5)" },
	{ "deployIn-empty", "empty", "deployIn", 7, 11, "deployIn",
	    "must not be empty" },
	{ "deployIn-entrypoint-bad-chain", "chain", NULL, 8, 17,
	    "deployIn.entrypoints[0]",
	    "'main..alpha' is not a chain (letters, digits, _ and -, joined by "
	    "dots)" },
	{ "deployIn-entrypoint-type", "type", "deployIn.entrypoints.<item#0>",
	    8, 17, "deployIn.entrypoints[0]",
	    "expected a string, found a number with a fraction (1.5)" },
	{ "deployIn-exclude-empty", "empty", "deployIn.exclude", 8, 12,
	    "deployIn.exclude", "must not be empty" },
	{ "deployIn-label-boolean", "type", "deployIn.labels.<item#0>", 8, 12,
	    "deployIn.labels[0]", "expected a string, found a boolean (true)" },
	{ "deployIn-label-digit-after-dash", "label",
	    "deployIn.labels.<item#0>", 8, 12, "deployIn.labels[0]",
	    "'rack-1' is not a label (lower-case letters and digits, a letter "
	    "first, single . or - before a letter)" },
	{ "deployIn-label-uppercase", "label", "deployIn.labels.<item#1>", 8,
	    17, "deployIn.labels[1]",
	    "'DB' is not a label (lower-case letters and digits, a letter "
	    "first, single . or - before a letter)" },
	{ "deployIn-labels-empty", "empty", "deployIn.labels", 8, 11,
	    "deployIn.labels", "must not be empty" },
	{ "deployIn-labels-string", "type", "deployIn.labels", 8, 11,
	    "deployIn.labels", "expected a list, found a string ('all')" },
	{ "deployIn-missing", "required", "deployIn", 1, 1, "",
	    "'deployIn' is missing" },
	{ "deployIn-unknown-key", "unknown-key", "deployIn.label", 8, 3,
	    "deployIn.label", "unknown key" },
	{ "maximumDeployments-negative", "range", "maximumDeployments", 10, 21,
	    "maximumDeployments", "must be 0 or more, found -1" },
	{ "maximumDeployments-string", "type", "maximumDeployments", 10, 21,
	    "maximumDeployments", "expected an integer, found a string ('3')" },
	{ "project-file-and-metadata", "both", NULL, 13, 1, "",
	    "only one of 'projectFile' and 'projectFromMetadata' may be "
	    "given" },
	{ "project-file-mapping", "type", "projectFile", 12, 3, "projectFile",
	    "expected a string, found a mapping" },
	{ "project-file-missing", "either", NULL, 1, 1, "",
	    "'projectFile' or 'projectFromMetadata' is missing" },
	{ "project-name-missing", "required", "projectName", 1, 1, "",
	    "'projectName' is missing" },
	{ "project-name-number", "type", "projectName", 10, 14, "projectName",
	    "expected a string, found an integer (42)" },
	{ "project-root-key-not-a-string", "key-type",
	    "<root:directorProject>.<item#5>", 13, 1, "",
	    "expected a string as key, found a boolean (true)" },
	{ "project-unknown-key", "unknown-key",
	    "<root:directorProject>.projectfile", 13, 1, "projectfile",
	    "unknown key" },
	{ "environment-list", "type", "environment", 14, 3, "environment",
	    "expected a mapping, found a list" },
	{ "environment-null", "type", "environment.PORT", 14, 8,
	    "environment.PORT", "expected a string, found null" },
	{ "environment-number", "type", "environment.PORT", 14, 9,
	    "environment.PORT", "expected a string, found an integer (8080)" },
	{ "chainsEnvironment-bad-name", "chain", "chainsEnvironment.-alpha", 14,
	    3, "chainsEnvironment.-alpha",
	    "'-alpha' is not a chain (letters, digits, _ and -, joined by "
	    "dots)" },
	{ "chainsEnvironment-null", "required", "chainsEnvironment.alpha", 14,
	    3, "chainsEnvironment.alpha", "expected a mapping, found null" },
	{ "labelsEnvironment-bad-label", "label", "labelsEnvironment.<item#0>",
	    14, 3, "labelsEnvironment.r2_a",
	    "'r2_a' is not a label (lower-case letters and digits, a letter "
	    "first, single . or - before a letter)" },
	{ "labelsEnvironment-boolean", "type", "labelsEnvironment.r2.DEBUG", 15,
	    12, "labelsEnvironment.r2.DEBUG",
	    "expected a string, found a boolean (true)" },
	{ "reserve_port-number", "type", "reserve_port.em0", 14, 8,
	    "reserve_port.em0", "expected a string, found an integer (80)" },
	{ "autoScale-economy-string", "limit", "autoScale.economy.pcpu", 15, 11,
	    "autoScale.economy.pcpu",
	    "expected an integer, found a string ('50')" },
	{ "autoScale-labels-empty", "empty", NULL, 15, 11, "autoScale.labels",
	    "must not be empty" },
	{ "autoScale-lb-name-missing", "required",
	    "autoScale.load-balancer.frontend.name", 15, 5,
	    "autoScale.load-balancer.frontend", "'name' is missing" },
	{ "autoScale-lb-not-a-mapping", "type",
	    "autoScale.load-balancer.frontend", 16, 15,
	    "autoScale.load-balancer.frontend",
	    "expected a mapping, found a string ('web')" },
	{ "autoScale-lb-range", "order",
	    "autoScale.load-balancer.backend.rules.and.rate.value", 17, 35,
	    "autoScale.load-balancer.backend.rules.and.rate.value",
	    "the first element (9) is greater than the second (1)" },
	{ "autoScale-lb-type", "unknown-key", "autoScale.load-balancer.listen",
	    15, 5, "autoScale.load-balancer.listen", "unknown key" },
	{ "autoScale-lb-value-type", "type",
	    "autoScale.load-balancer.backend.rules.or.rate.value", 17, 34,
	    "autoScale.load-balancer.backend.rules.or.rate.value",
	    "expected an integer, a string or a list of two integers, found a "
	    "number with a fraction" },
	{ "autoScale-metadata-key", "key", "autoScale.metadata.<item#0>", 14,
	    14, "autoScale.metadata[0]",
	    "'conf-1' is not a metadata key (letters and digits, a letter "
	    "first, single ., - or _ before a letter)" },
	{ "autoScale-percent-without-value", "required", "autoScale.value", 13,
	    1, "autoScale", "'value' is missing" },
	{ "autoScale-replicas-zero", "range", "autoScale.replicas.min", 15, 10,
	    "autoScale.replicas.min", "must be 1 or more, found 0" },
	{ "autoScale-rule-resource", "resource", "autoScale.rules.msgqsize", 15,
	    5, "autoScale.rules.msgqsize",
	    "'msgqsize' is not a resource that can be limited" },
	{ "autoScale-rule-size", "size", "autoScale.rules.vmemoryuse", 15, 17,
	    "autoScale.rules.vmemoryuse",
	    "'512q' is not a size (512, 512m, 1.5G)" },
	{ "autoScale-type", "choice", "autoScale.type", 14, 9, "autoScale.type",
	    "'any' is not one of: any-jail, any-project, average, "
	    "percent-jail, percent-project" },
	{ "autoScale-unknown-key", "unknown-key", "autoScale.replica", 14, 3,
	    "autoScale.replica", "unknown key" },
};

static void
invalid_examples(void **state)
{
	(void)state;
	examples_invalid(invalid, ARRAY_LEN(invalid), load_example);
}

/* Findings as printed; the first ones are those of cli.md 7.2. */
static const struct {
	const char *text;
	const char *printed;
} messages[] = {
	{ HEAD "projectFile: x\ndeployIn.label: 1\n",
	    "overlord: web.yml:6:1: \"deployIn.label\": unknown key\n" },
	{ "kind: readOnly\ndatacenters:\n  main:\n    deployIn: {}\n"
	  "deployIn:\n  label: [all]\n",
	    "overlord: web.yml:4:5: datacenters.main.deployIn: unknown key\n"
	    "  hint: 'deployIn' is a top-level key; move it to column 1\n"
	    "overlord: web.yml:6:3: deployIn.label: unknown key\n"
	    "  hint: did you mean 'labels'?\n" },
	{ "kind: directorProject\ndatacenters: {}\ndeployIn: {labels: [a]}\n"
	  "projectName: 5\nvmName: x\nservices: {}\nvolumes: {}\n",
	    "overlord: web.yml:1:1: 'projectFile' or 'projectFromMetadata' is "
	    "missing\n"
	    "overlord: web.yml:4:14: projectName: expected a string, found an "
	    "integer (5)\n"
	    "  hint: quote it: '5'\n"
	    "overlord: web.yml:5:1: vmName: unknown key\n"
	    "  hint: 'vmName' belongs to kind vmJail, this file is "
	    "directorProject\n"
	    "overlord: web.yml:6:1: services: unknown key\n"
	    "  hint: 'services' belongs inside 'projectFile: |', indented\n"
	    "overlord: web.yml:7:1: volumes: unknown key\n"
	    "  hint: 'volumes' belongs inside 'projectFile: |', indented\n" },
	/* Nothing of a kind is checked when the kind is wrong. */
	{ "kind: foo\nxyz: 1\ndatacenters: []\ndeployIn: {labels: [a]}\n",
	    "overlord: web.yml:1:7: kind: 'foo' is not one of: "
	    "directorProject, metadata, vmJail, readOnly, appConfig\n"
	    "overlord: web.yml:3:14: datacenters: expected a mapping, found a "
	    "list\n" },
	{ "kind: vmJail\nvmName: 5\ndatacenters: {}\n"
	  "deployIn: {labels: [a]}\n",
	    "overlord: web.yml:1:1: 'makejail' or 'makejailFromMetadata' is "
	    "missing\n"
	    "overlord: web.yml:2:9: vmName: expected a string, found an "
	    "integer (5)\n"
	    "  hint: quote it: '5'\n" },
	{ HEAD "projectFile: x\nautoScale:\n  load-balancer:\n    backend:\n"
	       "      name: w\n      rules: {}\n",
	    "overlord: web.yml:10:14: autoScale.load-balancer.backend.rules: "
	    "must not be empty\n" },
	{ HEAD "projectFile: x\nautoScale:\n  load-balancer:\n    backend:\n"
	       "      name: w\n      rules: {or: {rate: }}\n",
	    "overlord: web.yml:10:20: autoScale.load-balancer.backend.rules.or."
	    "rate: 'value' is missing\n" },
	{ HEAD "projectFile: x\nautoScale: {rules: {pcpu: -1, mem: 1}}\n",
	    "overlord: web.yml:6:27: autoScale.rules.pcpu: must be 0 or more "
	    "and fit 63 bits, found -1\n"
	    "overlord: web.yml:6:31: autoScale.rules.mem: 'mem' is not a "
	    "resource that can be limited\n" },
	{ HEAD "projectFile: x\nenvironFromMetadata: 3\n",
	    "overlord: web.yml:6:22: environFromMetadata: expected a string, "
	    "found an integer (3)\n  hint: quote it: '3'\n" },
	{ "kind: readOnly\ndatacenters: {main: {}}\n"
	  "deployIn: {entrypoints: [a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r]}\n",
	    "overlord: web.yml:3:26: deployIn.entrypoints[0]: "
	    "'a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r' is longer than 16 names\n" },
};

static void
messages_as_printed(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct fixture f;
	size_t i;

	(void)state;
	strbuf_init(&b, 1 << 16);
	for (i = 0; i < ARRAY_LEN(messages); i++) {
		strbuf_reset(&b);
		load(&f, messages[i].text);
		diag_print(&f.d, "overlord", NULL, false, &b);
		if (f.rc != -1 || strcmp(b.buf, messages[i].printed) != 0)
			fail_msg("%s\n--- wanted\n%s--- found\n%s",
			    messages[i].text, messages[i].printed, b.buf);
		arena_fini(&f.a);
	}
}

/* What is legal though it looks odd. */
static void
odd_but_good(void **state)
{
	static const char *const texts[] = {
		"kind: readOnly\ndatacenters: {}\ndeployIn: {labels: [a]}\n",
		"kind: readOnly\ndatacenters: {a: null}\n"
		"deployIn: {labels: null, exclude: null, entrypoints: [' a . "
		"b ']}\nprojectName: 5\n",
		HEAD "projectFile: x\nautoScale: {}\nenvironment: null\n",
		HEAD "projectFile: x\nmaximumDeployments: true\n",
		HEAD "projectFile: x\nautoScale: {value: x, type: average}\n",
		HEAD "projectFromMetadata: m\nprojectFile: null\n",
		HEAD "projectFile: x\nautoScale: {rules: {pcpu: 0, shmsize: "
		     "'1 kx'}}\n",
	};
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(texts); i++) {
		load(&f, texts[i]);
		if (f.rc != 0)
			fail_msg("%s: %s", texts[i], error_text(&f.e));
		assert_non_null(spec_to_node(f.s, &f.a));
		arena_fini(&f.a);
	}
}

static void
at_most_twenty_then_counted(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct fixture f;
	int i;

	(void)state;
	strbuf_init(&b, 1 << 16);
	strbuf_adds(&b, HEAD "projectFile: x\nenvironment:\n");
	for (i = 0; i < 32; i++)
		strbuf_addf(&b, "  V%d: %d\n", i, i);
	load(&f, b.buf);
	assert_int_equal(f.rc, -1);
	assert_int_equal(f.d.n, DIAG_MAX);
	assert_int_equal(f.d.errors, 32);
	assert_int_equal(f.d.items[0].line, 7);
	arena_fini(&f.a);
}

static void
datacenter_that_is_contacted(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct fixture f;

	(void)state;
	strbuf_init(&b, 1 << 16);
	load_ok(&f,
	    "kind: readOnly\ndatacenters:\n  a: {entrypoint: http://x}\n"
	    "  b: {entrypoint: '', access_token: ''}\n  c:\n"
	    "  d: {entrypoint: 'x:1/y', access_token: ''}\n"
	    "  e: {entrypoint: 'HTTPS://[::1]:1/y', access_token: ''}\n"
	    "  f: {entrypoint: ftp://x, access_token: ''}\n"
	    "deployIn: {labels: [a]}\n");
	spec_require_datacenter(f.s, "a", &f.a, &f.d);
	spec_require_datacenter(f.s, "b", &f.a, &f.d);
	spec_require_datacenter(f.s, "c", &f.a, &f.d);
	spec_require_datacenter(f.s, "d", &f.a, &f.d);
	spec_require_datacenter(f.s, "e", &f.a, &f.d);
	spec_require_datacenter(f.s, "f", &f.a, &f.d);
	diag_print(&f.d, "overlord", NULL, false, &b);
	assert_string_equal(b.buf,
	    "overlord: web.yml:3:3: datacenters.a: 'access_token' is missing\n"
	    "overlord: web.yml:4:19: datacenters.b.entrypoint: '' is not a "
	    "URL\n"
	    "overlord: web.yml:5:3: datacenters.c: 'entrypoint' is missing\n"
	    "overlord: web.yml:5:3: datacenters.c: 'access_token' is "
	    "missing\n"
	    "overlord: web.yml:6:19: datacenters.d.entrypoint: 'x:1/y' is not "
	    "a URL\n  hint: write 'http://x:1/y'\n"
	    "overlord: web.yml:8:19: datacenters.f.entrypoint: 'ftp://x' is "
	    "neither http nor https\n");
	arena_fini(&f.a);
}

static void
urls(void **state)
{
	static const char *const good[] = { "http://h", "https://h:1/p?q#f",
		"http://[::1]:8888", "http://[::1]", "HTTP://u:p@h:65535/",
		"http://h:/x", "http://\xc3\xa9.example" };
	static const char *const bad[] = { "", "h", "http:/h", "http://",
		"http://:1", "http:///x", "http://h:65536", "http://h:x",
		"http://[::1", "http://[]", "http://[::1]x", "http://h h",
		"http://h:99999999999999999999", "http://u@", "ftp://h", "://h",
		"http://h\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (spec_url_fault(good[i]) != NULL)
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (spec_url_fault(bad[i]) == NULL)
			fail_msg("%s", bad[i]);
}

static const struct {
	const char *text;
	const char *printed;
} lints[] = {
	{ HEAD "projectFile: |\n  options: []\n  services: {}\n", "" },
	{ "kind: readOnly\ndatacenters:\n  a:\n  b:\n"
	  "deployIn: {entrypoints: [a.x]}\n",
	    "overlord: web.yml:4:3: datacenters.b: warning: no entry point of "
	    "deployIn.entrypoints uses it\n" },
	{ "kind: readOnly\ndatacenters:\n  a: {entrypoint: x}\n"
	  "  b: {entrypoint: ''}\n  c: {entrypoint: http://c}\n"
	  "deployIn: {labels: [a]}\n",
	    "overlord: web.yml:3:19: datacenters.a.entrypoint: warning: 'x' is "
	    "not a URL\n  hint: write 'http://x'\n" },
	{ "kind: readOnly\ndatacenters:\n  a: {entrypoint: !ENV '${NO}'}\n"
	  "deployIn: {labels: [a]}\n",
	    "overlord: web.yml:3:19: datacenters.a.entrypoint: warning: NO is "
	    "not set, '' is used\n  hint: set it in .env or pass "
	    "--env-file\n" },
	{ HEAD "projectFile: |\n  services: {}\ndatacentersEnvironment:\n"
	       "  mian: {A: b}\n",
	    "overlord: web.yml:8:3: datacentersEnvironment.mian: warning: the "
	    "file defines no such datacenter\n"
	    "  hint: did you mean 'main'?\n" },
	{ HEAD "projectFile: |\n  servces: {}\n  services: !ENV '${A}'\n",
	    "overlord: web.yml:5:14: projectFile: warning: line 1 of the text: "
	    "Director does not know the key 'servces'\n"
	    "  hint: did you mean 'services'?\n" },
	{ HEAD "projectFile: \"a: [b\\nc: d\"\n",
	    "overlord: web.yml:5:14: projectFile: not YAML: line 2" },
	{ HEAD "projectFile: x\n",
	    "overlord: web.yml:5:14: projectFile: the text must be a "
	    "mapping\n" },
	{ HEAD "projectFromMetadata: x\nautoScale: {replicas: {min: 3, max: "
	       "2}}\n",
	    "overlord: web.yml:6:23: autoScale: warning: replicas: max (2) is "
	    "less than min (3)\n" },
	{ "kind: directorProject\ndatacenters: {main: {}}\n"
	  "deployIn: {labels: [all]}\nprojectName: 1app\n"
	  "projectFromMetadata: m\nautoScale: {replicas: {min: 3}}\n",
	    "overlord: web.yml:4:14: autoScale: warning: '1app' cannot be "
	    "scaled: a metadata key cannot be made of the name\n" },
	{ "kind: directorProject\ndatacenters: {main: {}}\n"
	  "deployIn: {labels: [all]}\nprojectName: a/b\n"
	  "projectFromMetadata: m\n",
	    "overlord: web.yml:4:14: projectName: 'a/b' is not a project name "
	    "(letters, digits, ., _ and -)\n" },
};

static void
validate_adds(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct fixture f;
	size_t i;

	(void)state;
	strbuf_init(&b, 1 << 16);
	for (i = 0; i < ARRAY_LEN(lints); i++) {
		strbuf_reset(&b);
		load_ok(&f, lints[i].text);
		spec_lint(f.s, &f.a, &f.d);
		diag_print(&f.d, "overlord", NULL, false, &b);
		/* What the YAML reader says is its business. */
		if (strstr(lints[i].printed, "not YAML") != NULL)
			strbuf_truncate(&b, strlen(lints[i].printed));
		if (strcmp(b.buf, lints[i].printed) != 0)
			fail_msg("%s\n--- wanted\n%s--- found\n%s",
			    lints[i].text, lints[i].printed, b.buf);
		arena_fini(&f.a);
	}
}

static const struct {
	const char *text;
	/* -1: not a size. */
	int64_t bytes;
} sizes[] = {
	{ "0", 0 },
	{ "512", 512 },
	{ " 512 ", 512 },
	{ "1k", 1024 },
	{ "1 KiB", 1024 },
	{ "1kilobytes", 1024 },
	{ "1kx", 1024 },
	{ "5 bytes", 5 },
	{ "1.9k", 1945 },
	{ "1.5G", 1610612736 },
	{ "5.7", 5 },
	{ "1e", 1152921504606846976 },
	{ "8191p", 9222246136947933184 },
	{ "9223372036854775807", INT64_MAX },
	{ "9223372036854775808", -1 },
	{ "8e", -1 },
	{ "9.5e", -1 },
	{ "1z", -1 },
	{ "0z", 0 },
	{ "", -1 },
	{ "m", -1 },
	{ "-5", -1 },
	{ "+5", -1 },
	{ ".5", -1 },
	{ "5.", -1 },
	{ "1e3", -1 },
	{ "1 2", -1 },
	{ "1.5.5", -1 },
	{ "512q", -1 },
	{ "5 s", -1 },
};

static void
sizes_of_limits(void **state)
{
	int64_t v;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		v = -1;
		rc = spec_parse_size(sizes[i].text, strlen(sizes[i].text), &v);
		if (v != sizes[i].bytes || (rc == -1) != (v == -1))
			fail_msg("'%s': %lld", sizes[i].text, (long long)v);
	}
}

static void
kinds_have_names(void **state)
{
	(void)state;
	assert_string_equal(
	    spec_kind_to_string(SPEC_PROJECT), "directorProject");
	assert_string_equal(spec_kind_to_string(SPEC_APPCONFIG), "appConfig");
}

static int
torture_body(void *ctx, struct error *e)
{
	AUTO_ARENA struct arena a;
	struct spec *s;
	struct diag d;

	arena_init(&a, 8 << 20);
	diag_init(&d, &a, NULL);
	if (spec_load(ctx, strlen(ctx), &source, &a, &d, &s, e) == -1)
		return -1;
	spec_lint(s, &a, &d);
	(void)spec_to_node(s, &a);
	return arena_check(&a, e);
}

static void
allocations_fail(void **state)
{
	static char text[] =
	    HEAD "projectFile: |\n  services: {}\nenvironment: {A: b}\n"
		 "autoScale: {rules: {shmsize: 1m}}\n";

	(void)state;
	torture(torture_body, text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(tables_are_sound),
	cmocka_unit_test(print_spec_is_the_original_s),
	cmocka_unit_test(full_example_is_bound),
	cmocka_unit_test(autoscale_is_bound),
	cmocka_unit_test(root_chain_example),
	cmocka_unit_test(invalid_examples),
	cmocka_unit_test(messages_as_printed),
	cmocka_unit_test(odd_but_good),
	cmocka_unit_test(at_most_twenty_then_counted),
	cmocka_unit_test(datacenter_that_is_contacted),
	cmocka_unit_test(urls),
	cmocka_unit_test(validate_adds),
	cmocka_unit_test(sizes_of_limits),
	cmocka_unit_test(kinds_have_names),
	cmocka_unit_test(allocations_fail),
};
TEST_MAIN(tests)
