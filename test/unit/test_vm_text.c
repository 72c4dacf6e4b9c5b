/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* What a VM is made from, as text (runtime.md 2.2, 2.3). */

#include "daemon/vm_text.h"

#include <string.h>

#include "lib/data/node.h"
#include "test/unit/support/test.h"
#include "test/unit/support/torture.h"
#include "test/unit/support/vm_message.h"

#define IMG "{\"type\":\"img\"}"
#define ALL                                                                    \
  "\"options\":[{\"virtualnet\":\":<random> default\"},{\"nat\":null}],"       \
  "\"start-environment\":[{\"TZ\":\"UTC\"}],"                                  \
  "\"start-arguments\":[{\"debug\":\"0\"}],"                                   \
  "\"build-environment\":[{\"PROXY\":\"\"}],"                                  \
  "\"build-arguments\":[{\"b\":\"1\",\"a\":\"yes\"}]"

struct rig {
	struct arena a;
	struct strbuf b;
	struct msg_vm m;
};

static void
rig_init(struct rig *r, const char *from, const char *more)
{
	arena_init(&r->a, 1 << 20);
	strbuf_init(&r->b, 1 << 20);
	vm_message(&r->a, from, more, &r->m);
}

static void
rig_fini(struct rig *r)
{
	strbuf_fini(&r->b);
	arena_fini(&r->a);
}
#define AUTO_RIG CC_CLEANUP(rig_fini)

static void
the_smallest_director_file(void **state)
{
	struct error e = ERROR_INIT;
	AUTO_RIG struct rig r;

	(void)state;
	rig_init(&r, IMG, "");
	test_ok(vm_text_director(&r.b, &r.m, "db1", "gh+x/y", &e), &e);
	assert_string_equal(r.b.buf,
	    "services:\n"
	    "  vm:\n"
	    "    ignore_mtime: true\n"
	    "    makejail: gh+x/y\n"
	    "    name: db1\n"
	    "    options:\n"
	    "    - label: overlord.vm:1\n");
}

static void
the_largest_director_file(void **state)
{
	struct error e = ERROR_INIT;
	AUTO_RIG struct rig r;

	(void)state;
	rig_init(&r, IMG, ALL);
	test_ok(vm_text_director(&r.b, &r.m, "db1", "/m/vm.makejail", &e), &e);
	assert_string_equal(r.b.buf,
	    "options:\n"
	    "- virtualnet: :<random> default\n"
	    "- nat: null\n"
	    "services:\n"
	    "  vm:\n"
	    "    arguments:\n"
	    "    - a: 'yes'\n"
	    "      b: '1'\n"
	    "    environment:\n"
	    "    - PROXY: ''\n"
	    "    ignore_mtime: true\n"
	    "    makejail: /m/vm.makejail\n"
	    "    name: db1\n"
	    "    options:\n"
	    "    - label: overlord.vm:1\n"
	    "    start:\n"
	    "    - debug: '0'\n"
	    "    start-environment:\n"
	    "    - TZ: UTC\n");
}

static void
the_template_has_the_users_order_and_our_disks(void **state)
{
	AUTO_RIG struct rig r;

	(void)state;
	rig_init(&r, IMG,
	    "\"template\":{\"loader\":\"uefi\",\"disk0_name\":\"mine\","
	    "\"note\":\"it's\",\"empty\":\"\",\"disk1_type\":\"nvme\"}");
	vm_text_template(&r.b, &r.m);
	assert_string_equal(r.b.buf,
	    "loader=uefi\n"
	    "disk0_name=disk0.img\n"
	    "note='it'\"'\"'s'\n"
	    "empty=''\n"
	    "disk1_type=nvme\n"
	    "disk0_type=nvme\n"
	    "disk0_dev=file\n"
	    "disk0_size=1M\n");
}

static void
a_seed_is_the_second_disk(void **state)
{
	AUTO_RIG struct rig r;

	(void)state;
	rig_init(&r, IMG,
	    "\"template\":{\"disk1_type\":\"nvme\",\"cpu\":\"1\"},"
	    "\"cloud-init\":{\"user-data\":{}}");
	assert_true(vm_has_seed(&r.m));
	vm_text_template(&r.b, &r.m);
	assert_string_equal(r.b.buf,
	    "disk1_type=ahci-cd\n"
	    "cpu=1\n"
	    "disk1_name=seed.iso\n"
	    "disk1_dev=file\n"
	    "disk0_type=nvme\n"
	    "disk0_name=disk0.img\n"
	    "disk0_dev=file\n"
	    "disk0_size=1M\n");
}

static void
no_documents_no_seed(void **state)
{
	static const char *const cases[] = { "", "\"cloud-init\":{}",
		"\"cloud-init\":null", "\"cloud-init\":{\"meta-data\":null}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_RIG struct rig r;

		rig_init(&r, IMG, cases[i]);
		assert_false(vm_has_seed(&r.m));
	}
}

static void
who_a_vm_is_is_kept(void **state)
{
	static const char old[] = "loader=\"uefi\"\n"
				  "uuid=\"5b2f\"\n"
				  "network0_type=\"virtio-net\"\n"
				  "network0_mac=\"58:9c\"\n"
				  "network12_mac=x\n"
				  "network_mac=no\n"
				  "network1_macx=no\n"
				  "xuuid=no\n"
				  "\n"
				  "uuid";
	AUTO_RIG struct rig r;

	(void)state;
	rig_init(&r, IMG, "\"template\":{\"network12_mac\":\"mine\"}");
	vm_text_kept(&r.b, &r.m, old, sizeof(old) - 1);
	assert_string_equal(r.b.buf, "uuid=\"5b2f\"\nnetwork0_mac=\"58:9c\"\n");
	strbuf_reset(&r.b);
	vm_text_kept(&r.b, &r.m, "uuid=1", 6);
	assert_string_equal(r.b.buf, "uuid=1\n");
}

static void
environment_of_the_script(void **state)
{
	AUTO_RIG struct rig r;

	(void)state;
	rig_init(&r, IMG, "");
	vm_text_environment(&r.b, &r.m);
	assert_string_equal(r.b.buf, "\n");
	rig_fini(&r);
	rig_init(&r, IMG,
	    "\"script-environment\":[{\"A\":\"x y\",\"B\":\"\"},{\"C\":"
	    "\"192.168.8.2/24\"},{}]");
	vm_text_environment(&r.b, &r.m);
	assert_string_equal(
	    r.b.buf, "export 'A=x y'\nexport B=\nexport C=192.168.8.2/24\n\n");
}

static void
where_components_are(void **state)
{
	AUTO_RIG struct rig r;

	(void)state;
	rig_init(&r,
	    "{\"type\":\"components\",\"components\":[],\"osVersion\":"
	    "\"14.3-RELEASE\",\"osArch\":\"amd64\"}",
	    "");
	vm_text_url(&r.b, &r.m.vm.disk_layout.from);
	assert_string_equal(r.b.buf,
	    "https://download.freebsd.org/releases/amd64/14.3-RELEASE");
	rig_fini(&r);
	rig_init(&r,
	    "{\"type\":\"components\",\"components\":[],\"osVersion\":"
	    "\"{ARCH}\",\"osArch\":\"a\",\"downloadURL\":"
	    "\"http://x/{VERSION}{ARCH}/{OTHER}{ARCH\"}",
	    "");
	vm_text_url(&r.b, &r.m.vm.disk_layout.from);
	assert_string_equal(r.b.buf, "http://x/{ARCH}a/{OTHER}{ARCH");
}

static void
documents_of_cloud_init(void **state)
{
	struct error e = ERROR_INIT;
	AUTO_RIG struct rig r;

	(void)state;
	rig_init(&r, IMG,
	    "\"cloud-init\":{\"user-data\":{\"users\":[{\"name\":\"x\"}],"
	    "\"a\":2.0,\"on\":true}}");
	test_ok(vm_text_document(
		    &r.b, r.m.vm.cloud_init.user_data, "#cloud-config\n", &e),
	    &e);
	assert_string_equal(r.b.buf,
	    "#cloud-config\n"
	    "a: 2.0\n"
	    "'on': true\n"
	    "users:\n"
	    "- name: x\n");
}

static int
make_all(void *ctx, struct error *e)
{
	const struct rig *r = ctx;
	struct strbuf b AUTO_STRBUF;

	strbuf_init(&b, 1 << 16);
	vm_text_template(&b, &r->m);
	vm_text_environment(&b, &r->m);
	if (strbuf_check(&b, e) < 0)
		return -1;
	return vm_text_director(&b, &r->m, "a", "b", e);
}

static void
failing_memory(void **state)
{
	AUTO_RIG struct rig r;

	(void)state;
	rig_init(&r, IMG, ALL);
	torture(make_all, &r);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_smallest_director_file),
	cmocka_unit_test(the_largest_director_file),
	cmocka_unit_test(the_template_has_the_users_order_and_our_disks),
	cmocka_unit_test(a_seed_is_the_second_disk),
	cmocka_unit_test(no_documents_no_seed),
	cmocka_unit_test(who_a_vm_is_is_kept),
	cmocka_unit_test(environment_of_the_script),
	cmocka_unit_test(where_components_are),
	cmocka_unit_test(documents_of_cloud_init),
	cmocka_unit_test(failing_memory),
};
TEST_MAIN(tests)
