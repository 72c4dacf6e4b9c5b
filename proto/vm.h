/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A VM as it is described: by a file of kind vmJail (deployment-files.md 7) and
 * by the body of POST /v1/vm/{vm} (rest-api.md annex A). The rows of both are
 * in proto/spec_vm.c. Texts that are absent are NULL, numbers SCHEMA_NONE.
 */
#pragma once

#include "lib/data/schema.h"

/* Where the system of the VM comes from; type says which of the rest count. */
struct spec_from {
	const char *type;
	/* components, pkgbase */
	const char *os_version;
	const char *os_arch;
	/* components */
	struct schema_strs components;
	const char *download_url;
	/* appjailImage */
	const char *entrypoint;
	const char *image_name;
	const char *image_arch;
	const char *image_tag;
	/* pkgbase */
	struct schema_strs packages;
	const char *pkg_conf;
	const char *fingerprints;
	/* iso */
	const char *iso_file;
	bool installed;
	/* img */
	const char *img_file;
};

struct spec_partition {
	const char *type;
	const char *alignment;
	const char *start;
	const char *size;
	const char *label;
	/* One of the two at most: newfs flags, or a script. */
	const char *format_flags;
	const char *format_script;
};

struct spec_mount {
	const char *device;
	const char *mountpoint;
	const char *type;
	const char *options;
	int64_t dump;
	int64_t pass;
};

struct spec_disk_layout {
	const char *driver;
	const char *size;
	struct spec_from from;
	/* NULL: there is no `disk`. */
	const char *scheme;
	SCHEMA_LIST_OF(struct spec_partition) partitions;
	const char *bootcode;
	/* Both or none. */
	const char *partcode;
	int64_t index;
	SCHEMA_LIST_OF(struct spec_mount) fstab;
};

/* Trees of free content, or NULL. */
struct spec_cloud_init {
	const char *flags;
	const struct node *meta_data;
	const struct node *network_config;
	const struct node *user_data;
};

/* Lists of "NAME: value", as a list of mappings. */
struct spec_pairs {
	struct schema_strmap *items;
	size_t n;
};

struct spec_vm {
	/* One of the two, the other is NULL. */
	const char *makejail;
	const char *makejail_from_metadata;
	const char *datastore;
	bool overwrite;
	bool poweroff;
	struct spec_cloud_init cloud_init;
	struct schema_strmap template;
	struct spec_disk_layout disk_layout;
	const char *script;
	struct schema_strs metadata;
	struct spec_pairs script_environment;
	struct spec_pairs start_environment;
	struct spec_pairs start_arguments;
	struct spec_pairs build_environment;
	struct spec_pairs build_arguments;
	/* Value NULL: an option without argument. */
	struct spec_pairs options;
};
