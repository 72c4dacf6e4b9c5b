/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The items of jails: two tables, of items and of the keywords of `info`, and
 * what their rows are read by (runtime.md 4.2, appjail-director-cli.md 3.3).
 * Everything is read beneath the jail's own directory without following links;
 * what is missing is nothing, and what is there but cannot be read is nothing
 * with a warning.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/inventory_internal.h"
#include "daemon/jail.h"
#include "daemon/jailtext.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/utf8.h"
#include "lib/data/node.h"
#include "lib/event/reap.h"
#include "proto/config.h"

#define FILE_MAX ((size_t)64 << 10)
#define ROWS_MAX 10000
#define KERNEL_TEXT_MAX ((size_t)1 << 20)

/* One item of one jail on its way. */
struct reading {
	const struct item_source *s;
	struct arena *a;
	/* The jail's directory. */
	int fd;
	struct error *warning;
	/* Of `info`; read when first asked for. */
	const char *config;
	size_t config_len;
	const char *template;
	size_t template_len;
};

typedef struct node *read_item_fn(struct reading *r, enum jail_item item);

struct item_row {
	const char *member;
	read_item_fn *read;
	/* Of the list of its keywords in struct config_keywords; -1: none. */
	int keywords;
	enum node_type empty;
	/* A directory of directories, and the member that has their name. */
	const char *dir;
	const char *index;
};

static read_item_fn read_usage, read_info, read_cpus, read_rows;

#define KEYWORDS(member) ((int)offsetof(struct config_keywords, member))
#define NRO(word, member, dir)                                                 \
  {                                                                            \
    word, read_rows, KEYWORDS(member), NODE_LIST, "conf/boot/" dir, "nro"      \
  }

static const struct item_row items[JAIL_ITEM_COUNT] = {
	[JAIL_STATS] = { "stats", read_usage, KEYWORDS(stats), NODE_MAP, NULL,
	    NULL },
	[JAIL_INFO] = { "info", read_info, KEYWORDS(jail), NODE_MAP, NULL,
	    NULL },
	[JAIL_CPUSET] = { "cpuset", read_cpus, -1, NODE_NULL, NULL, NULL },
	[JAIL_DEVFS] = NRO("devfs", devfs, "devfs"),
	[JAIL_EXPOSE] = NRO("expose", expose, "expose"),
	[JAIL_HEALTHCHECK] = NRO("healthcheck", healthcheck, "health"),
	[JAIL_LIMITS] = NRO("limits", limits, "limits"),
	[JAIL_FSTAB] = NRO("fstab", fstab, "fstab"),
	[JAIL_LABELS] = { "labels", read_rows, KEYWORDS(label), NODE_LIST,
	    "conf/labels", "name" },
	[JAIL_NAT] = { "nat", read_rows, KEYWORDS(nat), NODE_LIST,
	    "conf/boot/nat", "network" },
	[JAIL_VOLUMES] = { "volumes", read_rows, KEYWORDS(volume), NODE_LIST,
	    "conf/volumes", "name" },
};

/* Keywords whose file has another name. */
static const struct {
	enum jail_item item;
	const char *keyword;
	const char *file;
} files[] = {
	{ JAIL_EXPOSE, "rule", "pf-rule" },
	{ JAIL_FSTAB, "device", "fs_spec" },
	{ JAIL_FSTAB, "mountpoint", "fs_file" },
	{ JAIL_FSTAB, "type", "fs_vfstype" },
	{ JAIL_FSTAB, "options", "fs_mntops" },
	{ JAIL_FSTAB, "dump", "fs_freq" },
	{ JAIL_FSTAB, "pass", "fs_passno" },
	{ JAIL_NAT, "rule", "pf-nat.conf" },
};

const char *
inventory_item_member(enum jail_item item)
{
	return items[item].member;
}

const struct schema_strs *
item_keywords(enum jail_item item, const struct config_keywords *k)
{
	static const struct schema_strs none = { NULL, 0 };

	if (items[item].keywords < 0)
		return &none;
	return (const struct schema_strs *)(const void *)((const char *)k +
	    items[item].keywords);
}

const struct node *
item_empty(enum jail_item item)
{
	static const struct node nodes[] = {
		[NODE_NULL] = { .type = NODE_NULL },
		[NODE_LIST] = { .type = NODE_LIST },
		[NODE_MAP] = { .type = NODE_MAP },
	};

	return &nodes[items[item].empty];
}

/* Files */

/* The first thing that went wrong is told; what is not there is no fault. */
static void
warn(struct reading *r, const struct error *e)
{
	if (e->code != OVE_NOTFOUND && !error_is_set(r->warning))
		*r->warning = *e;
}

/* The text of a file beneath fd, in the arena; NULL: nothing. */
static const char *
read_text(struct reading *r, int fd, const char *name, size_t *ret_len)
{
	AUTO_FREE char *text = NULL;
	AUTO_FD int f = -1;
	struct error e = ERROR_INIT;

	if (inventory_open_file(fd, name, &f, &e) < 0 ||
	    file_read_fd(f, FILE_MAX, &text, ret_len, &e) < 0) {
		(void)error_wrap(&e, "%s", name);
		warn(r, &e);
		return NULL;
	}
	return arena_strndup(r->a, text, *ret_len);
}

/* The first line of a file of the jail; NULL when there is none. */
static char *
line_of(struct reading *r, int fd, const char *name)
{
	size_t len;
	const char *text = read_text(r, fd, name, &len);

	return text != NULL ? jailtext_line(r->a, text, len) : NULL;
}

static bool
is_entry(const char *s, size_t len)
{
	return len > 0 && s[0] != '.' && utf8_is_valid(s, len);
}

static bool
is_number(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return len > 0 && len <= 9;
}

static int
cmp_number(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	uint64_t m = 0, n = 0;

	(void)num_u64(*x, 0, UINT32_MAX, &m, NULL);
	(void)num_u64(*y, 0, UINT32_MAX, &n, NULL);
	if (m != n)
		return m < n ? -1 : 1;
	return strcmp(*x, *y);
}

/* Opens a directory of the jail and lists it (char * in names); false when it
 * is not there, or not to be read. */
static bool
open_list(struct reading *r, const char *dir, mode_t type,
    inventory_name_fn *ok, int *ret_fd, struct array *names)
{
	struct error e = ERROR_INIT;
	int fd = -1;

	if (file_open_beneath(
		r->fd, dir, O_RDONLY | O_DIRECTORY, 0, ret_fd, &e) == 0 &&
	    file_open_beneath(r->fd, dir, O_RDONLY | O_DIRECTORY, 0, &fd, &e) ==
		0 &&
	    inventory_list(fd, type, ok, r->a, names, &e) == 0)
		return true;
	/* A file in its place, or a link, is as good as nothing. */
	if (e.sys != ENOTDIR && !(e.code == OVE_DENIED && e.sys == 0)) {
		(void)error_wrap(&e, "%s", dir);
		warn(r, &e);
	}
	return false;
}

/* Lists of directories */

static const char *
file_of(enum jail_item item, const char *keyword)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (files[i].item == item &&
		    strcmp(files[i].keyword, keyword) == 0)
			return files[i].file;
	return keyword;
}

static struct node *
read_row(struct reading *r, enum jail_item item, int dir, const char *name)
{
	const struct schema_strs *k = r->s->keywords;
	struct node *row = node_new(r->a, NODE_MAP);
	struct error e = ERROR_INIT;
	AUTO_FD int fd = -1;

	if (file_open_beneath(dir, name, O_RDONLY | O_DIRECTORY, 0, &fd, &e) <
	    0) {
		warn(r, &e);
		return e.code == OVE_NOTFOUND ? NULL : row;
	}
	for (size_t i = 0; i < k->n; i++) {
		size_t len;
		const char *text =
		    read_text(r, fd, file_of(item, k->items[i]), &len);
		char *value =
		    text != NULL ? jailtext_whole(r->a, text, len) : NULL;

		node_replace(r->a, row, k->items[i],
		    value != NULL ? node_str(r->a, value) : node_null(r->a));
	}
	/* Who wants to see no keyword wants no index either. */
	if (k->n > 0)
		node_replace(
		    r->a, row, items[item].index, node_str(r->a, name));
	return row;
}

static struct node *
read_rows(struct reading *r, enum jail_item item)
{
	const struct item_row *row = &items[item];
	bool numbered = strcmp(row->index, "nro") == 0;
	struct node *list = node_new(r->a, NODE_LIST);
	AUTO_ARRAY struct array names;
	AUTO_FD int fd = -1;

	array_init(&names, sizeof(char *), ROWS_MAX);
	if (!open_list(r, row->dir, S_IFDIR, numbered ? is_number : is_entry,
		&fd, &names))
		return list;
	if (numbered)
		array_sort(&names, cmp_number);
	for (size_t i = 0; i < names.n; i++)
		node_add(r->a, list,
		    read_row(r, item, fd, *(char **)array_at(&names, i)));
	return list;
}

/* What the kernel knows */

typedef int kernel_fn(const char *name, struct strbuf *out, struct error *e);

/* Of the kernel, where it tells, else of the command; NULL: nothing. */
static const char *
told(struct reading *r, enum jailask_kind kind, kernel_fn *ask)
{
	AUTO_STRBUF struct strbuf b;
	struct error e = ERROR_INIT;

	strbuf_init(&b, KERNEL_TEXT_MAX);
	if (!r->s->running)
		return NULL;
	if (!jail_kernel_tells())
		return r->s->told[kind];
	if (ask(r->s->jail, &b, &e) < 0 || strbuf_check(&b, &e) < 0) {
		warn(r, &e);
		return NULL;
	}
	return arena_strndup(r->a, b.buf, b.len);
}

static struct node *
read_usage(struct reading *r, enum jail_item item)
{
	const char *text = told(r, JAILASK_USAGE, jail_usage);

	(void)item;
	return text == NULL
	    ? node_new(r->a, NODE_MAP)
	    : jailtext_usage(r->a, text, strlen(text), r->s->keywords);
}

static struct node *
read_cpus(struct reading *r, enum jail_item item)
{
	const char *text = told(r, JAILASK_CPUS, jail_cpus);
	char *cpus = NULL;
	struct error e = ERROR_INIT;

	(void)item;
	if (text != NULL) {
		cpus = jailtext_cpus(r->a, text, strlen(text));
		/* A jail that has stopped meanwhile has none. */
		if (cpus == NULL && text[0] != '\0') {
			(void)error_set(&e, OVE_CORRUPT,
			    "'%.100s' is no list of CPUs", text);
			warn(r, &e);
		}
	}
	return cpus != NULL ? node_str(r->a, cpus) : node_null(r->a);
}

/* Keywords of `info` */

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
		    read_text(r, r->fd, "conf/config.conf", &r->config_len);
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

	return inventory_open_file(r->fd, name, &fd, NULL) == 0;
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
	const char *line = line_of(r, r->fd, w->arg);

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
		r->template =
		    read_text(r, r->fd, "conf/template.conf", &r->template_len);
	if (r->template == NULL)
		r->template = "";
	return jailtext_columns(r->a, r->template, r->template_len, w->arg);
}

/* The pid in that file, if there is such a process. */
static const char *
word_pid(struct reading *r, const struct word_row *w)
{
	const char *text = line_of(r, r->fd, w->arg);
	int64_t pid;

	if (text == NULL || num_i64(text, 1, INT32_MAX, &pid, NULL) < 0 ||
	    (kill((pid_t)pid, 0) < 0 && errno == ESRCH))
		return "";
	return text;
}

static const char *
word_xephyr(struct reading *r, const struct word_row *w)
{
	const char *text = line_of(r, r->fd, w->arg);
	char name[REAP_NAME_LEN];
	int64_t pid;

	if (text == NULL || num_i64(text, 1, INT32_MAX, &pid, NULL) < 0 ||
	    reap_name((pid_t)pid, name, NULL) != 0 ||
	    strcmp(name, "Xephyr") != 0)
		return "";
	return text;
}

/* Joins what fn makes of each entry of a directory by commas. */
typedef const char *entry_fn(struct reading *r, int dir, const char *name);

static const char *
join(struct reading *r, const char *dir, mode_t type, inventory_name_fn *ok,
    entry_fn *fn)
{
	AUTO_ARRAY struct array names;
	AUTO_STRBUF struct strbuf b;
	AUTO_FD int fd = -1;

	array_init(&names, sizeof(char *), ROWS_MAX);
	strbuf_init(&b, r->a->max);
	if (!open_list(r, dir, type, ok, &fd, &names))
		return "";
	if (ok == is_number)
		array_sort(&names, cmp_number);
	for (size_t i = 0; i < names.n; i++) {
		const char *text = fn(r, fd, *(char **)array_at(&names, i));

		strbuf_adds(&b, i > 0 ? "," : "");
		strbuf_adds(&b, text != NULL ? text : "");
	}
	return arena_strndup(r->a, b.buf, b.len);
}

static const char *
network_address(struct reading *r, int dir, const char *name)
{
	return line_of(r, dir, name);
}

/* reserved.NETWORK */
static const char *
network_name(struct reading *r, int dir, const char *name)
{
	const char *dot = strchr(name, '.');

	(void)r;
	(void)dir;
	return dot != NULL ? dot + 1 : name;
}

static const char *
exposed_port(struct reading *r, int dir, const char *name)
{
	static const char *const parts[] = { "hport", "jport", "protocol" };
	const char *v[ARRAY_LEN(parts)];

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const char *path = arena_printf(r->a, "%s/%s", name, parts[i]);

		v[i] = path != NULL ? line_of(r, dir, path) : NULL;
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
	return join(r, w->arg, S_IFREG, is_entry, network_address);
}

static const char *
word_networks(struct reading *r, const struct word_row *w)
{
	return join(r, w->arg, S_IFREG, is_entry, network_name);
}

static const char *
word_ports(struct reading *r, const struct word_row *w)
{
	return join(r, w->arg, S_IFDIR, is_number, exposed_port);
}

/* Of a jail whose release was built from source: the version in there. */
static const char *
word_version_extra(struct reading *r, const struct word_row *w)
{
	const char *top = r->s->inv->jails;
	const char *slash = strrchr(top, '/');
	const char *path, *src, *text, *version = NULL;
	AUTO_FD int release = -1, tree = -1, mark = -1;
	AUTO_FD int dir = -1;
	size_t len;

	(void)w;
	if (slash == NULL)
		return "";
	path = arena_printf(r->a, "%s/%s/%s", config_value(r, "osarch"),
	    config_value(r, "osversion"), config_value(r, "release_name"));
	top = arena_printf(r->a, "%.*s/releases", (int)(slash - top), top);
	if (path == NULL || top == NULL ||
	    inventory_open(top, &dir, NULL) != 0 ||
	    file_open_beneath(
		dir, path, O_RDONLY | O_DIRECTORY, 0, &release, NULL) < 0 ||
	    inventory_open_file(release, ".from_src", &mark, NULL) < 0 ||
	    (src = line_of(r, release, ".srcdir")) == NULL || src[0] != '/' ||
	    file_open_dir(src, &tree, NULL) < 0)
		return "";
	text = read_text(r, tree, "sys/sys/param.h", &len);
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

static struct node *
read_info(struct reading *r, enum jail_item item)
{
	const struct schema_strs *k = r->s->keywords;
	struct node *map = node_new(r->a, NODE_MAP);

	(void)item;
	for (size_t i = 0; i < k->n; i++) {
		const struct word_row *w = find_word(k->items[i]);

		if (w != NULL)
			node_replace(
			    r->a, map, w->word, node_str(r->a, w->read(r, w)));
	}
	return map;
}

/* From outside */

static bool
has_keyword(const struct schema_strs *k, const char *word)
{
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->items[i], word) == 0)
			return true;
	return false;
}

bool
item_needs(enum jail_item item, const struct schema_strs *keywords,
    enum jailask_kind kind)
{
	switch (kind) {
	case JAILASK_USAGE:
		return item == JAIL_STATS && !jail_kernel_tells();
	case JAILASK_CPUS:
		return item == JAIL_CPUSET && !jail_kernel_tells();
	case JAILASK_INET:
		return item == JAIL_INFO && has_keyword(keywords, "inet");
	case JAILASK_INET6:
		return item == JAIL_INFO && has_keyword(keywords, "inet6");
	case JAILASK_COUNT:
		break;
	}
	return false;
}

struct node *
item_read(enum jail_item item, const struct item_source *s, struct arena *a,
    struct error *ret_warning)
{
	struct reading r = { .s = s, .a = a, .fd = -1, .warning = ret_warning };
	struct error e = ERROR_INIT;
	struct node *n;
	int rc = inventory_open_in(s->inv->jails, s->jail, &r.fd, &e);

	if (rc < 0)
		warn(&r, &e);
	if (rc != 0)
		return rc < 0 ? node_copy(a, item_empty(item)) : NULL;
	n = items[item].read(&r, item);
	(void)close(r.fd);
	return arena_check(a, NULL) == 0 ? n : NULL;
}
