/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The keywords of `info`: a table of what each is read by, as AppJail computes
 * it (appjail-director-cli.md 3.3).
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "daemon/inventory_internal.h"
#include "daemon/jailtext.h"
#include "lib/base/file.h"
#include "lib/base/num.h"
#include "lib/data/node.h"
#include "lib/event/reap.h"

struct word_row;
typedef const char *read_word_fn(struct reading *r, const struct word_row *w);

struct word_row {
	const char *word;
	read_word_fn *read;
	/* A path, or a key; what it is without one. */
	const char *arg;
	const char *otherwise;
};

static const char *
config_value(struct reading *r, const char *key)
{
	const char *value;

	if (r->config == NULL)
		r->config =
		    item_text(r, &r->top, "conf/config.conf", &r->config_len);
	if (r->config == NULL)
		r->config = "";
	value = jailtext_value(r->a, r->config, r->config_len, key);
	return value != NULL ? value : "";
}

static const char *
word_name(struct reading *r, const struct word_row *w)
{
	(void)w;
	return r->s->jail;
}

static const char *
word_path(struct reading *r, const struct word_row *w)
{
	(void)w;
	return arena_printf(r->a, "%s/%s/jail", r->s->inv->jails, r->s->jail);
}

static const char *
word_status(struct reading *r, const struct word_row *w)
{
	(void)w;
	return r->s->running ? "UP" : "DOWN";
}

static bool
has_file(struct reading *r, const char *name)
{
	AUTO_FD int fd = -1;

	if (!sources_add_file(r->sources, r->top.fd, "", name))
		return false;
	if (beneath_open_file(r->top.fd, name, &fd, NULL) == 0)
		return true;
	sources_failed(r->sources);
	return false;
}

static const char *
word_present(struct reading *r, const struct word_row *w)
{
	return has_file(r, w->arg) ? "1" : "0";
}

static const char *
word_absent(struct reading *r, const struct word_row *w)
{
	return has_file(r, w->arg) ? "0" : "1";
}

static const char *
word_line(struct reading *r, const struct word_row *w)
{
	const char *line = item_line(r, &r->top, w->arg);

	return line != NULL && line[0] != '\0' ? line : w->otherwise;
}

static const char *
word_config(struct reading *r, const struct word_row *w)
{
	return config_value(r, w->arg);
}

static const char *
word_flag(struct reading *r, const struct word_row *w)
{
	return strcmp(config_value(r, w->arg), "1") == 0 ? "1" : "0";
}

/* Local time, as CREATED_FORMAT is by default. */
static const char *
word_created(struct reading *r, const struct word_row *w)
{
	const char *birth = config_value(r, w->arg);
	char text[64];
	struct tm tm;
	int64_t at;
	time_t t;

	if (num_i64(birth, 0, INT64_C(1) << 40, &at, NULL) < 0)
		return birth;
	t = (time_t)at;
	if (localtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		return birth;
	return arena_strdup(r->a, text);
}

static const char *
word_template(struct reading *r, const struct word_row *w)
{
	if (r->template == NULL)
		r->template = item_text(
		    r, &r->top, "conf/template.conf", &r->template_len);
	if (r->template == NULL)
		r->template = "";
	return jailtext_columns(r->a, r->template, r->template_len, w->arg);
}

/* Processes end without a trace in their file. */
static const char *
process_file(struct reading *r, const struct word_row *w)
{
	const char *text = item_line(r, &r->top, w->arg);

	if (text != NULL)
		r->sources->unsure = true;
	return text;
}

/* The pid in that file, if there is such a process. */
static const char *
word_pid(struct reading *r, const struct word_row *w)
{
	const char *text = process_file(r, w);
	int64_t pid;

	if (text == NULL || num_i64(text, 1, INT32_MAX, &pid, NULL) < 0 ||
	    (kill((pid_t)pid, 0) < 0 && errno == ESRCH))
		return "";
	return text;
}

static const char *
word_xephyr(struct reading *r, const struct word_row *w)
{
	const char *text = item_line(r, &r->top, w->arg);
	char name[REAP_NAME_LEN];
	int64_t pid;

	if (text == NULL || num_i64(text, 1, INT32_MAX, &pid, NULL) < 0 ||
	    reap_name((pid_t)pid, name, NULL) != 0 ||
	    strcmp(name, "Xephyr") != 0)
		return "";
	return text;
}

/* Joins what fn makes of each entry of a directory by commas. */
typedef const char *entry_fn(
    struct reading *r, const struct item_dir *dir, const char *name);

static const char *
join(struct reading *r, const char *dir, mode_t type, beneath_name_fn *ok,
    entry_fn *fn)
{
	AUTO_ARRAY struct array names;
	AUTO_STRBUF struct strbuf b;
	AUTO_ITEM_DIR struct item_dir at = { .fd = -1 };

	array_init(&names, sizeof(char *), BENEATH_ROWS_MAX);
	strbuf_init(&b, r->a->max);
	if (!item_open_list(r, dir, type, ok, &at, &names))
		return "";
	if (ok == beneath_is_number)
		array_sort(&names, beneath_cmp_number);
	for (size_t i = 0; i < names.n; i++) {
		const char *text = fn(r, &at, *(char **)array_at(&names, i));

		strbuf_adds(&b, i > 0 ? "," : "");
		strbuf_adds(&b, text != NULL ? text : "");
	}
	return strbuf_to_arena(&b, r->a);
}

static const char *
network_address(struct reading *r, const struct item_dir *dir, const char *name)
{
	return item_line(r, dir, name);
}

/* reserved.NETWORK */
static const char *
network_name(struct reading *r, const struct item_dir *dir, const char *name)
{
	const char *dot = strchr(name, '.');

	(void)r;
	(void)dir;
	return dot != NULL ? dot + 1 : name;
}

static const char *
exposed_port(struct reading *r, const struct item_dir *dir, const char *name)
{
	static const char *const parts[] = { "hport", "jport", "protocol" };
	const char *v[ARRAY_LEN(parts)];

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const char *path = arena_printf(r->a, "%s/%s", name, parts[i]);

		v[i] = path != NULL ? item_line(r, dir, path) : NULL;
		if (v[i] == NULL)
			v[i] = "";
	}
	return strcmp(v[0], v[1]) == 0
	    ? arena_printf(r->a, "%s/%s", v[0], v[2])
	    : arena_printf(r->a, "%s -> %s/%s", v[0], v[1], v[2]);
}

static const char *
word_addresses(struct reading *r, const struct word_row *w)
{
	return join(r, w->arg, S_IFREG, beneath_is_entry, network_address);
}

static const char *
word_networks(struct reading *r, const struct word_row *w)
{
	return join(r, w->arg, S_IFREG, beneath_is_entry, network_name);
}

static const char *
word_ports(struct reading *r, const struct word_row *w)
{
	return join(r, w->arg, S_IFDIR, beneath_is_number, exposed_port);
}

/* Of a jail whose release was built from source: the version in there. */
/* Opens the directory of the jail's release, if that was built from source. */
static bool
open_release(struct reading *r, struct item_dir *ret)
{
	const char *jails = r->s->inv->jails;
	const char *slash = strrchr(jails, '/');
	const char *top, *path;
	AUTO_FD int dir = -1, mark = -1;

	if (slash == NULL)
		return false;
	path = arena_printf(r->a, "%s/%s/%s", config_value(r, "osarch"),
	    config_value(r, "osversion"), config_value(r, "release_name"));
	top = arena_printf(r->a, "%.*s/releases", (int)(slash - jails), jails);
	if (path == NULL || top == NULL ||
	    (ret->path = arena_printf(r->a, "%s/%s", top, path)) == NULL)
		return false;
	if (!sources_add_file(r->sources, -1, ret->path, ".from_src"))
		return false;
	if (beneath_open(top, &dir, NULL) == 0 &&
	    file_open_beneath(
		dir, path, O_RDONLY | O_DIRECTORY, 0, &ret->fd, NULL) == 0 &&
	    beneath_open_file(ret->fd, ".from_src", &mark, NULL) == 0)
		return true;
	sources_failed(r->sources);
	return false;
}

static const char *
word_version_extra(struct reading *r, const struct word_row *w)
{
	AUTO_ITEM_DIR struct item_dir release = { .fd = -1 };
	AUTO_ITEM_DIR struct item_dir tree = { .fd = -1 };
	const char *text = NULL, *version = NULL;
	size_t len;

	(void)w;
	if (!open_release(r, &release) ||
	    (tree.path = item_line(r, &release, ".srcdir")) == NULL ||
	    tree.path[0] != '/')
		return "";
	if (file_open_dir(tree.path, &tree.fd, NULL) == 0)
		text = item_text(r, &tree, "sys/sys/param.h", &len);
	else
		r->sources->unsure = true;
	if (text != NULL)
		version = jailtext_osreldate(r->a, text, len);
	return version != NULL ? version : "";
}

static const char *
word_told(struct reading *r, enum jailask_kind kind)
{
	const char *text = r->s->running ? r->s->told[kind] : NULL;

	return text != NULL ? jailtext_line(r->a, text, strlen(text)) : "";
}

static const char *
word_inet(struct reading *r, const struct word_row *w)
{
	(void)w;
	return word_told(r, JAILASK_INET);
}

static const char *
word_inet6(struct reading *r, const struct word_row *w)
{
	(void)w;
	return word_told(r, JAILASK_INET6);
}

#define BOOT "conf/boot/"

static const struct word_row words[] = {
	{ "alt_name", word_line, "conf/labels/appjail.dns.alt-name/value", "" },
	{ "appjail_version", word_config, "appjail_version", "" },
	{ "arch", word_config, "osarch", "" },
	{ "boot", word_present, BOOT "startup/boot", NULL },
	{ "container", word_line, BOOT "oci/container_name", "" },
	{ "container_boot", word_present, BOOT "oci/boot", NULL },
	{ "container_image", word_config, "container_image", "" },
	{ "container_pid", word_pid, BOOT "oci/pid", NULL },
	{ "created", word_created, "birth", NULL },
	{ "devfs_ruleset", word_line, BOOT "devfs_ruleset", "" },
	{ "dirty", word_absent, ".done", NULL },
	{ "ephemeral", word_present, BOOT "lifetime/ephemeral", NULL },
	{ "hostname", word_template, "host.hostname", NULL },
	{ "inet", word_inet, NULL, NULL },
	{ "inet6", word_inet6, NULL, NULL },
	{ "ip4", word_template, "ip4.addr", NULL },
	{ "ip6", word_template, "ip6.addr", NULL },
	{ "is_container", word_flag, "container", NULL },
	{ "locked", word_present, BOOT "lock/locked", NULL },
	{ "name", word_name, NULL, NULL },
	{ "network_ip4", word_addresses, BOOT "network", NULL },
	{ "networks", word_networks, BOOT "network", NULL },
	{ "path", word_path, NULL, NULL },
	{ "ports", word_ports, BOOT "expose", NULL },
	{ "priority", word_line, BOOT "startup/priority", "0" },
	{ "release_name", word_config, "release_name", "" },
	{ "status", word_status, NULL, NULL },
	{ "type", word_config, "jail_type", "" },
	{ "version", word_config, "osversion", "" },
	{ "version_extra", word_version_extra, NULL, NULL },
	{ "x11_display", word_line, BOOT "x11/display", "" },
	{ "xephyr_pid", word_xephyr, BOOT "x11/Xephyr.pid", NULL },
};

static const struct word_row *
find_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return &words[i];
	return NULL;
}

struct node *
item_read_info(struct reading *r)
{
	const struct schema_strs *k = r->s->keywords;
	struct node *map = node_new(r->a, NODE_MAP);

	for (size_t i = 0; i < k->n; i++) {
		const struct word_row *w = find_word(k->items[i]);

		if (w != NULL)
			node_replace(
			    r->a, map, w->word, node_str(r->a, w->read(r, w)));
	}
	return map;
}
