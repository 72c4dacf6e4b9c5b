/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* appConfig: from template to deployment file, and where its faults are. */

#include "test/unit/support/test.h"

#include <string.h>

#include "lib/data/json.h"
#include "proto/app.h"
#include "test/unit/support/torture.h"

static const char file[] =
    "kind: appConfig\n"
    "datacenters: {main: {entrypoint: 'http://h', access_token: t}}\n"
    "deployIn: {labels: [a]}\n"
    "appName: p\n"
    "appFrom: x.y\n"
    "appConfig: {appName: other, n: '2', loop-var: x}\n";

static const char *
env(const char *name, void *ctx)
{
	(void)ctx;
	return strcmp(name, "WHERE") == 0 ? "there" : NULL;
}

static struct spec *
load(struct arena *a)
{
	static const struct spec_source src = { .env = env };
	struct error e = ERROR_INIT;
	struct spec *s;
	struct diag d;

	diag_init(&d, a, "f");
	test_ok(spec_load(file, strlen(file), &src, a, &d, &s, &e), &e);
	return s;
}

static int
render(const char *text, struct arena *a, struct diag *d, struct node **ret,
    const char **ret_why)
{
	const struct app_template t = { .text = text, .env = env };

	diag_init(d, a, "x.y");
	return app_render(load(a), &t, a, d, ret, ret_why);
}

static void
documents(void **state)
{
	static const char text[] = "## c\n"
				   "a: ${appName}${n}\n"
				   "% for i in range(2):\n"
				   "b${i}: [!ENV '${'${WHERE}'}']\n"
				   "% endfor\n"
				   "deployIn: {labels: [z]}\n"
				   "maximumDeployments: 9\n"
				   "c: d\n";
	AUTO_ARENA struct arena a;
	AUTO_STRBUF struct strbuf b;
	const char *why;
	struct node *doc;
	struct diag d;

	(void)state;
	arena_init(&a, 1 << 24);
	strbuf_init(&b, 1 << 20);
	assert_int_equal(render(text, &a, &d, &doc, &why), 0);
	json_write(&b, doc, JSON_COMPACT);
	assert_string_equal(b.buf,
	    "{\"a\":\"p2\",\"b0\":[\"there\"],\"b1\":[\"there\"],"
	    "\"deployIn\":{\"labels\":[\"a\"]},\"maximumDeployments\":0,"
	    "\"c\":\"d\",\"datacenters\":{\"main\":{\"entrypoint\":\"http://h\""
	    ",\"access_token\":\"t\"}}}");
	assert_int_equal(node_get(doc, "a")->line, 2);
	assert_int_equal(node_get(doc, "b1")->line, 4);
	assert_int_equal(node_get(doc, "c")->line, 8);
	assert_int_equal(node_get(doc, "c")->col, 0);
	assert_int_equal(d.errors + d.warnings, 0);
}

static void
reasons(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} rows[] = {
		{ "${nope}", "Undefined: 'nope' at line: 1 char: 3" },
		{ "", "what it renders to is not a mapping" },
		{ "- x", "what it renders to is not a mapping" },
		{ "## c\n\na: b: c\n",
		    "not YAML: found ':' where no key can stand; a text with "
		    "': ' needs quotes at line: 3" },
		{ "a: !nope x", "at line: 1" },
		{ "a: 1\n---\nb: 2\n", "at line: " },
		{ "a: \x01", "at line: 1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA struct arena a;
		const char *why = NULL;
		struct node *doc;
		struct diag d;

		arena_init(&a, 1 << 24);
		assert_int_equal(render(rows[i].text, &a, &d, &doc, &why), -1);
		if (strstr(why, rows[i].why) == NULL)
			fail_msg("'%s' is not in '%s'", rows[i].why, why);
		assert_int_equal(d.errors, 0);
	}
}

static void
warnings(void **state)
{
	AUTO_ARENA struct arena a;
	const char *why;
	struct node *doc;
	struct diag d;

	(void)state;
	arena_init(&a, 1 << 24);
	assert_int_equal(
	    render("## c\na: b\nx: !ENV '${'${UNSET}'}'\n", &a, &d, &doc, &why),
	    0);
	assert_int_equal(d.warnings, 1);
	assert_int_equal(d.items[0].line, 3);
	assert_string_equal(d.items[0].rule, "env-unset");
}

static void
kinds(void **state)
{
	static const struct {
		const char *text;
		enum app_kind kind;
		const char *name;
	} rows[] = {
		{ "a: b", APP_KIND_MISSING, NULL },
		{ "kind: ~", APP_KIND_MISSING, NULL },
		{ "kind: vmJail", APP_KIND_OK, "vmJail" },
		{ "kind: directorProject", APP_KIND_OK, "directorProject" },
		{ "kind: readOnly", APP_KIND_OTHER, "readOnly" },
		{ "kind: 1", APP_KIND_OTHER, "1" },
		{ "kind: {}", APP_KIND_OTHER, "a mapping" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA struct arena a;
		const char *why, *name = NULL;
		struct node *doc;
		struct diag d;

		arena_init(&a, 1 << 24);
		assert_int_equal(render(rows[i].text, &a, &d, &doc, &why), 0);
		assert_int_equal(app_kind(doc, &a, &name), rows[i].kind);
		if (rows[i].name != NULL)
			assert_string_equal(name, rows[i].name);
	}
}

static void
deployment_files(void **state)
{
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	const char *why;
	struct node *doc;
	struct spec *s;
	struct diag d;

	(void)state;
	arena_init(&a, 1 << 24);
	assert_int_equal(
	    render("kind: directorProject\nprojectName: ${appName}\n"
		   "projectFile: x\n",
		&a, &d, &doc, &why),
	    0);
	test_ok(app_spec(doc, &a, &d, &s, &e), &e);
	assert_string_equal(s->project.name, "p");
	assert_string_equal(s->labels.items[0], "a");
	assert_int_equal(render("\n\nkind: directorProject\n##\nnope: x\n", &a,
			     &d, &doc, &why),
	    0);
	test_fails(app_spec(doc, &a, &d, &s, &e), &e, OVE_INVALID);
	assert_int_equal(d.items[d.n - 1].line, 5);
	assert_int_equal(d.items[d.n - 1].col, 0);
}

static int
all_of_it(void *ctx, struct error *e)
{
	AUTO_ARENA struct arena a;
	const char *why = NULL;
	struct node *doc;
	struct spec *s;
	struct diag d;

	arena_init(&a, 1 << 24);
	diag_init(&d, &a, "x.y");
	if (app_render(ctx,
		&(struct app_template){
		    .text = "kind: vmJail\nmakejail: ${appName}\n",
		    .env = env },
		&a, &d, &doc, &why) < 0)
		return error_set(e, OVE_NOMEM, "%s", why);
	return app_spec(doc, &a, &d, &s, e);
}

static void
failing_allocations(void **state)
{
	AUTO_ARENA struct arena a;

	(void)state;
	arena_init(&a, 1 << 24);
	torture(all_of_it, load(&a));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(documents),
	cmocka_unit_test(reasons),
	cmocka_unit_test(warnings),
	cmocka_unit_test(kinds),
	cmocka_unit_test(deployment_files),
	cmocka_unit_test(failing_allocations),
};
TEST_MAIN(tests)
