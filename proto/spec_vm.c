/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The parts of a VM: tables that files of kind vmJail and bodies of POST
 * /v1/vm/{vm} share (deployment-files.md 7, rest-api.md annex A), with the
 * rules over several keys. What is said in a body are the original's words.
 */

#include "proto/spec.h"

#include <string.h>

#include "proto/spec_internal.h"

/* Words that the original has for a rule of its own. */
static bool
is_body(const struct schema_at *at)
{
	return at->run->mode == SCHEMA_PARTS;
}

/* From */

static const char *const from_types[] = { "components", "appjailImage",
	"pkgbase", "iso", "img", NULL };

static void
fault_from_type(const struct schema_at *at, const struct node *n)
{
	if (is_body(at))
		schema_fault(at, n, "choice", NULL, "invalid type: %s",
		    schema_quote_python(at->run->arena, n));
	else
		schema_fault_type(at, n, SCHEMA_STR);
}

/* clang-format off */
#define FROM_TYPE                                                              \
	SCHEMA_ROW(spec_from, "type", STR, type, NULL, SCHEMA_REQUIRED,        \
	    "Where the system comes from.", .choices = from_types,             \
	    .type_fault = fault_from_type)
#define FROM_TEXT(key, member, flags, doc)                                     \
	SCHEMA_ROW(spec_from, key, STR, member, NULL, flags, doc)

static const struct schema_row from_rows[] = {
	FROM_TYPE,
};
static const struct schema_row components_rows[] = {
	FROM_TYPE,
	SCHEMA_ROW_MANY(spec_from, "components", LIST, components, NULL,
	    SCHEMA_REQUIRED, "Archives to extract.", .elem = &spec_str_row),
	FROM_TEXT("osVersion", os_version, SCHEMA_REQUIRED,
	    "Its version, in quotes."),
	FROM_TEXT("osArch", os_arch, SCHEMA_REQUIRED, "Architecture."),
	SCHEMA_ROW(spec_from, "downloadURL", STR, download_url,
	    "https://download.freebsd.org/releases/{ARCH}/{VERSION}", 0,
	    "Where they are."),
};
static const struct schema_row image_rows[] = {
	FROM_TYPE,
	FROM_TEXT("entrypoint", entrypoint, SCHEMA_REQUIRED,
	    "Where to import the image from; 'none': it is there."),
	FROM_TEXT("imageName", image_name, SCHEMA_REQUIRED, "Its name."),
	FROM_TEXT("imageArch", image_arch, SCHEMA_REQUIRED,
	    "Its architecture."),
	FROM_TEXT("imageTag", image_tag, SCHEMA_REQUIRED, "Its tag."),
};
static const struct schema_row pkgbase_rows[] = {
	FROM_TYPE,
	FROM_TEXT("osVersion", os_version, SCHEMA_REQUIRED,
	    "Its major version, in quotes."),
	FROM_TEXT("osArch", os_arch, SCHEMA_REQUIRED, "Architecture."),
	SCHEMA_ROW_MANY(spec_from, "packages", LIST, packages, NULL,
	    SCHEMA_REQUIRED, "Packages to install.", .elem = &spec_str_row),
	FROM_TEXT("pkgConf", pkg_conf, 0,
	    "Directory of repositories; default the one that is shipped."),
	FROM_TEXT("fingerprints", fingerprints, 0,
	    "Directory of fingerprints; 'none': copy none."),
};
static const struct schema_row iso_rows[] = {
	FROM_TYPE,
	FROM_TEXT("isoFile", iso_file, SCHEMA_REQUIRED,
	    "The disc to install from."),
	SCHEMA_ROW(spec_from, "installed", BOOL, installed, "false", 0,
	    "It is installed: start from the disk."),
};
static const struct schema_row img_rows[] = {
	FROM_TYPE,
	FROM_TEXT("imgFile", img_file, 0,
	    "Image of the disk; default an empty disk."),
	SCHEMA_ROW(spec_from, "installed", BOOL, installed, "false", 0,
	    "No effect."),
};
/* clang-format on */

#define FROM_TABLE(name, rows)                                                 \
  {                                                                            \
    SCHEMA_TABLE(name, rows, spec_from), .flags = SCHEMA_UNKNOWN_WARN          \
  }
static const struct schema from_tables[] = {
	FROM_TABLE("components", components_rows),
	FROM_TABLE("appjailImage", image_rows),
	FROM_TABLE("pkgbase", pkgbase_rows),
	FROM_TABLE("iso", iso_rows),
	FROM_TABLE("img", img_rows),
};
static const struct schema *const from_variants[] = { &from_tables[0],
	&from_tables[1], &from_tables[2], &from_tables[3], &from_tables[4] };

static const struct schema from_schema = {
	SCHEMA_TABLE("from", from_rows, spec_from),
	.flags = SCHEMA_UNKNOWN_IGNORE,
	.variants = from_variants,
	.n_variants = ARRAY_LEN(from_variants),
};

/* Disk */

/* flags or script; a key without a value would be neither. */
static void
check_format(const struct schema_at *at, const struct node *n, void *field)
{
	static const char *const keys[] = { "flags", "script" };
	const struct node *both[ARRAY_LEN(keys)];
	struct schema_at here;
	size_t i, k;

	(void)field;
	for (k = 0; k < ARRAY_LEN(keys); k++) {
		both[k] = node_get(n, keys[k]);
		for (i = 0; i < n->u.map.n; i++) {
			if (n->u.map.pairs[i].value != both[k] ||
			    both[k]->type != NODE_NULL)
				continue;
			here = schema_at_pair(at, &n->u.map.pairs[i]);
			schema_fault_type(&here, both[k], SCHEMA_STR);
		}
	}
	if (both[0] == NULL || both[1] == NULL)
		return;
	if (is_body(at))
		schema_fault_text(at, n, "both",
		    "Only 'flags' or 'script' should be specified, but not "
		    "both.");
	else
		schema_fault(at, n, "both", NULL,
		    "only one of 'flags' and 'script' may be given");
}

static void
check_bootcode(const struct schema_at *at, const struct node *n, void *field)
{
	(void)field;
	if ((spec_given(n, "partcode") == NULL) ==
	    (spec_given(n, "index") == NULL))
		return;
	if (is_body(at))
		schema_fault_text(at, n, "pair",
		    "Both 'diskLayout.disk.bootcode.partcode' and "
		    "'diskLayout.disk.bootcode.index' must be specified at the "
		    "same time.");
	else
		schema_fault(at, NULL, "pair", NULL,
		    "'partcode' and 'index' must be given together");
}

/* clang-format off */
static const struct schema_row partition_rows[] = {
	SCHEMA_ROW(spec_partition, "type", STR, type, NULL, SCHEMA_REQUIRED,
	    "Type, as gpart(8) calls it."),
	SCHEMA_ROW(spec_partition, "alignment", STR, alignment, NULL, 0,
	    "Alignment (-a)."),
	SCHEMA_ROW(spec_partition, "start", STR, start, NULL, 0,
	    "First block (-b)."),
	SCHEMA_ROW(spec_partition, "size", STR, size, NULL, 0, "Size (-s)."),
	SCHEMA_ROW(spec_partition, "label", STR, label, NULL, 0,
	    "Label (-l)."),
	SCHEMA_ROW_GROUP("format", 0,
	    "Make a file system; the first such partition is the root.",
	    .check = check_format),
	SCHEMA_ROW(spec_partition, "format.flags", STR, format_flags, NULL, 0,
	    "Flags of newfs(8)."),
	SCHEMA_ROW(spec_partition, "format.script", STR, format_script, NULL,
	    0, "A script that makes and mounts it."),
};
static const struct schema partition_schema = {
	SCHEMA_TABLE("partition", partition_rows, spec_partition),
};
static const struct schema_row partition_row = { .type = SCHEMA_STRUCT,
	.sub = &partition_schema };

static const struct schema_row mount_rows[] = {
	SCHEMA_ROW(spec_mount, "device", STR, device, NULL, SCHEMA_REQUIRED,
	    "Device."),
	SCHEMA_ROW(spec_mount, "mountpoint", STR, mountpoint, NULL,
	    SCHEMA_REQUIRED, "Directory."),
	SCHEMA_ROW(spec_mount, "type", STR, type, NULL, SCHEMA_REQUIRED,
	    "Type of the file system."),
	SCHEMA_ROW(spec_mount, "options", STR, options, NULL, SCHEMA_REQUIRED,
	    "Options."),
	SCHEMA_ROW(spec_mount, "dump", INT, dump, NULL, SCHEMA_REQUIRED,
	    "For dump(8).", .max = SCHEMA_NO_MAX),
	SCHEMA_ROW(spec_mount, "pass", INT, pass, NULL, SCHEMA_REQUIRED,
	    "For fsck(8).", .max = SCHEMA_NO_MAX),
};
static const struct schema mount_schema = {
	SCHEMA_TABLE("fstab", mount_rows, spec_mount),
};
static const struct schema_row mount_row = { .type = SCHEMA_STRUCT,
	.sub = &mount_schema };

static const char *const drivers[] = { "virtio-blk", "nvme", "ahci-hd", NULL };
static const char *const schemes[] = { "gpt", NULL };

static const struct schema_row layout_rows[] = {
	SCHEMA_ROW(spec_disk_layout, "driver", STR, driver, NULL,
	    SCHEMA_REQUIRED, "How the VM sees its disk.", .choices = drivers),
	SCHEMA_ROW(spec_disk_layout, "size", STR, size, NULL, SCHEMA_REQUIRED,
	    "Size of the disk, such as 20G."),
	SCHEMA_ROW_MANY(spec_disk_layout, "from", STRUCT, from, NULL,
	    SCHEMA_REQUIRED, "What is put on it.", .sub = &from_schema),
	SCHEMA_ROW_GROUP("disk", 0,
	    "How it is partitioned; for components, appjailImage and pkgbase."),
	SCHEMA_ROW(spec_disk_layout, "disk.scheme", STR, scheme, NULL,
	    SCHEMA_REQUIRED | SCHEMA_CHOICE_STOP, "Partitioning scheme.",
	    .choices = schemes),
	SCHEMA_ROW_MANY(spec_disk_layout, "disk.partitions", LIST, partitions,
	    NULL, SCHEMA_NONEMPTY, "Partitions, numbered from 1.",
	    .elem = &partition_row),
	SCHEMA_ROW_GROUP("disk.bootcode", 0, "Boot code.",
	    .check = check_bootcode),
	SCHEMA_ROW(spec_disk_layout, "disk.bootcode.bootcode", STR, bootcode,
	    NULL, 0, "File for the disk."),
	SCHEMA_ROW(spec_disk_layout, "disk.bootcode.partcode", STR, partcode,
	    NULL, 0, "File for a partition."),
	SCHEMA_ROW(spec_disk_layout, "disk.bootcode.index", INT, index, NULL,
	    0, "Number of that partition.", .max = SCHEMA_NO_MAX),
	SCHEMA_ROW_MANY(spec_disk_layout, "fstab", LIST, fstab, NULL,
	    SCHEMA_NONEMPTY, "Lines of the fstab(5) of the VM.",
	    .elem = &mount_row),
};
/* clang-format on */

const struct schema spec_layout_schema = {
	SCHEMA_TABLE("diskLayout", layout_rows, spec_disk_layout),
};

/* cloud-init */

/* Content is free, but it travels as JSON. */
static void
check_content(const struct schema_at *at, const struct node *n)
{
	struct schema_at here;
	size_t i;

	if (n->type == NODE_BYTES || n->type == NODE_SET)
		schema_fault(at, n, "content", NULL,
		    "%s cannot be sent to a server", node_type_article(n));
	for (i = 0; n->type == NODE_LIST && i < n->u.list.n; i++) {
		here = schema_at_item(at, n->u.list.items[i], i);
		check_content(&here, n->u.list.items[i]);
	}
	for (i = 0; n->type == NODE_MAP && i < n->u.map.n; i++) {
		here = schema_at_pair(at, &n->u.map.pairs[i]);
		check_content(&here, n->u.map.pairs[i].key);
		check_content(&here, n->u.map.pairs[i].value);
	}
}

static void
check_document(const struct schema_at *at, const struct node *n, void *field)
{
	(void)field;
	if (n->type != NODE_MAP)
		schema_fault_type(at, n, SCHEMA_MAP);
	else
		check_content(at, n);
}

/* clang-format off */
static const struct schema_row cloud_rows[] = {
	SCHEMA_ROW(spec_cloud_init, "flags", STR, flags, NULL, 0,
	    "Flags of makefs(8); default '-o R,L=cidata'."),
	SCHEMA_ROW(spec_cloud_init, "meta-data", NODE, meta_data, NULL, 0,
	    "The file meta-data, as a mapping.", .check = check_document),
	SCHEMA_ROW(spec_cloud_init, "network-config", NODE, network_config,
	    NULL, 0, "The file network-config, as a mapping.",
	    .check = check_document),
	SCHEMA_ROW(spec_cloud_init, "user-data", NODE, user_data, NULL, 0,
	    "The file user-data, as a mapping.", .check = check_document),
};
/* clang-format on */

const struct schema spec_cloud_schema = {
	SCHEMA_TABLE("cloud-init", cloud_rows, spec_cloud_init),
};

/* Elements and rules of the rows themselves */

static const struct schema_row option_row = { .type = SCHEMA_STR,
	.flags = SCHEMA_NULLABLE };
const struct schema_row spec_pair_row = { .type = SCHEMA_MAP,
	.elem = &spec_str_row };
const struct schema_row spec_option_row = { .type = SCHEMA_MAP,
	.elem = &option_row };

void
spec_check_makejail(
    const struct schema_at *at, const struct node *n, void *field)
{
	(void)field;
	spec_check_one_of(at, n, "makejail", "makejailFromMetadata");
}
