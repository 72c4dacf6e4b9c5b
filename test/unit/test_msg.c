/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* Request bodies: types, defaults, and the contract's words for what is wrong
 * (rest-api.md 1.9, 3.3). */

#include "proto/msg.h"

#include <string.h>

#include "lib/data/json.h"
#include "support/test.h"
#include "support/torture.h"

static const struct {
	const char *body;
	const char *message;
} bad[] = {
	{ "{}", "`director_file` is required but hasn't been specified." },
	{ "{\"director_file\":null}",
	    "`director_file` is required but hasn't been specified." },
	{ "{\"director_file\":5}",
	    "'director_file' has an unexpected value type: expected string, "
	    "given number." },
	{ "{\"director_file\":\"x\",\"environment\":[]}",
	    "'environment' has an unexpected value type: expected object, "
	    "given "
	    "array." },
	{ "{\"director_file\":\"x\",\"environment\":{\"PORT\":8080}}",
	    "Invalid environment name (PORT) or value (8080)." },
	{ "{\"director_file\":\"x\",\"environment\":{\"A=B\":\"1\"}}",
	    "Invalid environment name ('A=B')." },
	{ "{\"director_file\":\"x\",\"environment\":{\"\":\"1\"}}",
	    "Invalid environment name ('')." },
	{ "{\"director_file\":\"x\",\"restart\":\"no\"}",
	    "'restart' has an unexpected value type: expected boolean, given "
	    "string." },
	{ "{\"director_file\":\"x\",\"reserve_port\":{\"em0\":5}}",
	    "Invalid network address (5)." },
};

static void
faults_are_told_in_the_contracts_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct error e = ERROR_INIT;
		AUTO_ARENA struct arena a;
		struct node *n;
		struct msg_up up;

		arena_init(&a, 65536);
		test_ok(json_read(bad[i].body, strlen(bad[i].body), &a, &n, &e),
		    &e);
		test_fails(
		    msg_bind(&msg_up_schema, n, &a, &up, &e), &e, OVE_INVALID);
		assert_string_equal(e.text, bad[i].message);
	}
}

static void
defaults_and_unknown_members(void **state)
{
	static const char body[] =
	    "{\"director_file\":\"x\",\"restart\":null,\"more\":1,"
	    "\"environment\":{\"A\":\"1\",\"B\":\"\"}}";
	struct error e = ERROR_INIT;
	AUTO_ARENA struct arena a;
	struct msg_down down;
	struct node *n;
	struct msg_up up;

	(void)state;
	arena_init(&a, 65536);
	test_ok(json_read(body, strlen(body), &a, &n, &e), &e);
	test_ok(msg_bind(&msg_up_schema, n, &a, &up, &e), &e);
	assert_string_equal(up.director_file, "x");
	assert_false(up.restart);
	assert_int_equal(up.environment.n, 2);
	assert_string_equal(up.environment.keys[1], "B");
	assert_int_equal(up.reserve_port.n, 0);
	test_ok(msg_bind(&msg_down_schema, NULL, &a, &down, &e), &e);
	assert_false(down.force);
}

#define SPEC MSG_INVALID_SPEC "namespace.mapping"

static const struct {
	const char *body;
	const char *message;
} bad_mappings[] = {
	{ "{}", "`mapping` is required but hasn't been specified." },
	{ "{\"mapping\":null}",
	    "`mapping` is required but hasn't been specified." },
	{ "{\"mapping\":{}}",
	    "'mapping' has an unexpected value type: expected array, given "
	    "object." },
	{ "{\"mapping\":[]}",
	    SPEC ": a length of '-1' has been specified, but should be '> "
		 "0'." },
	{ "{\"mapping\":[\"x\"]}",
	    SPEC ".<item#0>: requires 'dict', given 'str'." },
	{ "{\"mapping\":[{\"directory\":\"x\"},null]}",
	    SPEC ".<item#1>: requires 'dict', given 'NoneType'." },
	{ "{\"mapping\":[{\"directory\":\"x\",\"bad\":1}]}",
	    SPEC ".<item#0>.bad: invalid parameter." },
	{ "{\"mapping\":[{}]}",
	    MSG_INVALID_SPEC
	    "'namespace.mapping.<item#0>.file' or "
	    "'namespace.mapping.<item#0>.directory' is required but hasn't "
	    "been specified." },
	{ "{\"mapping\":[{\"directory\":\"x\",\"file\":\"a:b\"}]}",
	    MSG_INVALID_SPEC
	    "'namespace.mapping.<item#0>' specifies both 'file' and "
	    "'directory' but only one should be specified." },
	{ "{\"mapping\":[{\"file\":\"x\"}]}",
	    MSG_INVALID_SPEC
	    "'namespace.mapping.<item#0>.file' must specify both the metadata "
	    "and the mapping file." },
	{ "{\"mapping\":[{\"file\":[\"x\",\"y\",\"z\"]}]}",
	    MSG_INVALID_SPEC
	    "'namespace.mapping.<item#0>.file' must specify both the metadata "
	    "and the mapping file." },
	{ "{\"mapping\":[{\"file\":[\"x\",1]}]}",
	    SPEC ".<item#0>.file: requires 'str', given 'int'." },
	{ "{\"mapping\":[{\"file\":1.5}]}",
	    SPEC ".<item#0>.file: requires 'str, tuple or list', given "
		 "'float'." },
	{ "{\"mapping\":[{\"directory\":[]}]}",
	    SPEC ".<item#0>.directory: requires 'str', given 'list'." },
	{ "{\"mapping\":[{\"directory\":\"x\",\"owner\":[]}]}",
	    SPEC ".<item#0>.owner: requires 'int or str', given 'list'." },
	{ "{\"mapping\":[{\"directory\":\"x\",\"group\":true}]}",
	    SPEC ".<item#0>.group: requires 'int or str', given 'bool'." },
	{ "{\"mapping\":[{\"directory\":\"x\",\"mode\":\"0600\"}]}",
	    SPEC ".<item#0>.mode: requires 'int', given 'str'." },
	{ "{\"mapping\":[{\"directory\":\"x\",\"mode\":true}]}",
	    SPEC ".<item#0>.mode: requires 'int', given 'bool'." },
	{ "{\"mapping\":[{\"directory\":\"x\",\"mode\":4096}]}",
	    SPEC ".<item#0>.mode: a value of '4096' has been specified, but "
		 "should be between '0' and '4095'." },
	{ "{\"mapping\":[{\"directory\":\"x\",\"umask\":-1}]}",
	    SPEC ".<item#0>.umask: a value of '-1' has been specified, but "
		 "should be between '0' and '511'." },
	{ "{\"mapping\":[{\"directory\":\"x\",\"owner\":4294967295}]}",
	    SPEC ".<item#0>.owner: a value of '4294967295' has been "
		 "specified, but should be between '0' and '4294967294'." },
	{ "{\"mapping\":[{\"directory\":\"x\",\"prefix\":1}]}",
	    SPEC ".<item#0>.prefix: requires 'str or bool', given 'int'." },
};

static int
bind_mapping(
    const char *body, struct msg_mapping *ret, struct arena *a, struct error *e)
{
	struct node *n;

	if (json_read(body, strlen(body), a, &n, e) < 0)
		return -1;
	return msg_mapping_bind(n, a, ret, e);
}

static void
mappings_are_refused_as_the_original_would(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_mappings); i++) {
		struct error e = ERROR_INIT;
		AUTO_ARENA struct arena a;
		struct msg_mapping m;

		arena_init(&a, 65536);
		test_fails(bind_mapping(bad_mappings[i].body, &m, &a, &e), &e,
		    OVE_INVALID);
		assert_string_equal(e.text, bad_mappings[i].message);
	}
}

#define MAPPING                                                                \
  "{\"mapping\":[{\"file\":\"k:/a:b\",\"mode\":384,\"owner\":\"www\"},"        \
  "{\"file\":[\"k:x\",\"y\"],\"group\":5,\"prefix\":true},"                    \
  "{\"directory\":\"\",\"umask\":18,\"prefix\":null}]}"

static void
a_mapping_is_bound(void **state)
{
	struct error e = ERROR_INIT;
	AUTO_ARENA struct arena a;
	struct msg_mapping m;

	(void)state;
	arena_init(&a, 65536);
	test_ok(bind_mapping(MAPPING, &m, &a, &e), &e);
	assert_int_equal(m.n, 3);
	assert_string_equal(m.items[0].key, "k");
	assert_string_equal(m.items[0].path, "/a:b");
	assert_int_equal(m.items[0].mode, 384);
	assert_int_equal(m.items[0].umask, MSG_UNSET);
	assert_string_equal(m.items[0].owner, "www");
	assert_int_equal(m.items[0].uid, MSG_UNSET);
	assert_string_equal(m.items[1].key, "k:x");
	assert_string_equal(m.items[1].path, "y");
	assert_null(m.items[1].group);
	assert_int_equal(m.items[1].gid, 5);
	assert_null(m.items[2].key);
	assert_string_equal(m.items[2].path, "");
	assert_int_equal(m.items[2].umask, 18);
}

/* A VM: e2e has every rule; here are what is bound, and hostile shapes. */

#define VM                                                                     \
  "{\"makejail\":\"m\",\"template\":{\"cpu\":\"1\"},\"diskLayout\":{"          \
  "\"driver\":\"nvme\",\"size\":\"8G\",\"from\":{\"type\":\"components\","     \
  "\"components\":[\"base.txz\"],\"osVersion\":\"14.3\",\"osArch\":\"amd64\"}" \
  ","                                                                          \
  "\"disk\":{\"scheme\":\"gpt\",\"partitions\":[{\"type\":\"freebsd-ufs\","    \
  "\"format\":{\"flags\":\"-U\"}}],\"bootcode\":{\"partcode\":\"p\","          \
  "\"index\":1}}"                                                              \
  ",\"fstab\":[{\"device\":\"d\",\"mountpoint\":\"/\",\"type\":\"ufs\","       \
  "\"options\":\"rw\",\"dump\":true,\"pass\":0}]},\"options\":[{\"nat\":null}" \
  "],"                                                                         \
  "\"cloud-init\":{\"meta-data\":{\"a\":[null]}}}"

static int
bind_vm(const char *body, struct msg_vm *ret, struct arena *a, struct error *e)
{
	struct node *n;

	if (json_read(body, strlen(body), a, &n, e) < 0)
		return -1;
	return msg_bind(&msg_vm_schema, n, a, ret, e);
}

static void
a_vm_is_bound(void **state)
{
	const struct spec_disk_layout *d;
	struct error e = ERROR_INIT;
	AUTO_ARENA struct arena a;
	struct msg_vm m;

	(void)state;
	arena_init(&a, 1 << 18);
	test_ok(bind_vm(VM, &m, &a, &e), &e);
	d = &m.vm.disk_layout;
	assert_string_equal(d->from.components.items[0], "base.txz");
	assert_string_equal(d->from.download_url,
	    "https://download.freebsd.org/releases/{ARCH}/{VERSION}");
	assert_string_equal(d->scheme, "gpt");
	assert_string_equal(d->partitions.items[0].format_flags, "-U");
	assert_null(d->partitions.items[0].format_script);
	assert_string_equal(d->partcode, "p");
	assert_int_equal(d->index, 1);
	assert_int_equal(d->fstab.items[0].dump, 1);
	assert_string_equal(m.vm.options.items[0].keys[0], "nat");
	assert_null(m.vm.options.items[0].items[0]);
	assert_string_equal(m.vm.template.items[0], "1");
	assert_non_null(m.vm.cloud_init.meta_data);
	assert_null(m.vm.cloud_init.user_data);
	assert_null(m.vm.datastore);
	assert_false(m.restart);
}

static const struct {
	const char *body;
	const char *message;
} bad_vms[] = {
	{ "{}",
	    MSG_INVALID_SPEC "'makejail' or 'makejailFromMetadata' are "
			     "required but haven't been specified." },
	/* A fault of a known key is not drowned by what is only noted. */
	{ "{\"makejail\":\"m\",\"template\":{},\"diskLayout\":{\"driver\":"
	  "\"nvme\",\"size\":\"1\",\"from\":{\"type\":\"iso\",\"a\":1,\"b\":1,"
	  "\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,"
	  "\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1,\"r\":1,"
	  "\"s\":1,\"t\":1,\"u\":1}}}",
	    MSG_INVALID("RequiredParameter") "diskLayout.from.isoFile: a "
					     "required parameter has not been "
					     "specified." },
	{ "{\"makejail\":\"m\",\"template\":{\"a b.c\\u001b\":1}}",
	    MSG_INVALID_SPEC
	    "template.a b.c\\x1b: requires 'str', given 'int'." },
	{ "{\"makejail\":\"m\",\"template\":{},\"diskLayout\":{\"driver\":"
	  "\"nvme\",\"size\":\"1\",\"from\":{\"type\":\"img\"},\"fstab\":[{"
	  "\"device\":\"d\",\"mountpoint\":\"/\",\"type\":\"u\",\"options\":"
	  "\"r\",\"dump\":99999999999999999999,\"pass\":0}]}}",
	    MSG_INVALID_SPEC
	    "diskLayout.fstab.<item#0>.dump: invalid value, should be '>= "
	    "0', given '99999999999999999999'." },
};

static void
vms_are_refused_as_the_original_would(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_vms); i++) {
		struct error e = ERROR_INIT;
		AUTO_ARENA struct arena a;
		struct msg_vm m;

		arena_init(&a, 1 << 18);
		test_fails(
		    bind_vm(bad_vms[i].body, &m, &a, &e), &e, OVE_INVALID);
		assert_string_equal(e.text, bad_vms[i].message);
	}
}

static int
bind_vm_once(void *ctx, struct error *e)
{
	AUTO_ARENA struct arena a;
	struct msg_vm m;

	arena_init(&a, 1 << 18);
	return bind_vm(ctx, &m, &a, e);
}

static int
bind_once(void *ctx, struct error *e)
{
	AUTO_ARENA struct arena a;
	struct msg_mapping m;

	arena_init(&a, 65536);
	return bind_mapping(ctx, &m, &a, e);
}

static void
survives_a_lack_of_memory(void **state)
{
	char body[] = MAPPING, vm[] = VM;

	(void)state;
	torture(bind_once, body);
	torture(bind_vm_once, vm);
}

static void
tables_hold_together(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(schema_verify(&msg_up_schema, &e), &e);
	test_ok(schema_verify(&msg_down_schema, &e), &e);
	test_ok(schema_verify(&msg_vm_schema, &e), &e);
	test_ok(schema_verify(&msg_metadata_schema, &e), &e);
	test_ok(schema_verify(&msg_namespace_schema, &e), &e);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(faults_are_told_in_the_contracts_words),
	cmocka_unit_test(defaults_and_unknown_members),
	cmocka_unit_test(mappings_are_refused_as_the_original_would),
	cmocka_unit_test(a_mapping_is_bound),
	cmocka_unit_test(a_vm_is_bound),
	cmocka_unit_test(vms_are_refused_as_the_original_would),
	cmocka_unit_test(survives_a_lack_of_memory),
	cmocka_unit_test(tables_hold_together),
};
TEST_MAIN(tests)
