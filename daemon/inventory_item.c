/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The items of jails: a table, and what its rows are read by (runtime.md 4.2);
 * `info` has a table of its own (inventory_info.c).
 * Everything is read beneath the jail's own directory without following links;
 * what is missing is nothing, and what is there but cannot be read is nothing
 * with a warning.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "daemon/inventory_internal.h"
#include "daemon/jail.h"
#include "daemon/jailtext.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/data/node.h"
#include "proto/config.h"

#define FILE_MAX ((size_t)64 << 10)
#define KERNEL_TEXT_MAX ((size_t)1 << 20)

typedef struct node *read_item_fn(struct reading *r);

struct item_row {
	const char *member;
	read_item_fn *read;
	/* Of the list of its keywords in struct config_keywords; -1: none. */
	int keywords;
	enum node_type empty;
	/* What it says depends on whether the jail runs. */
	bool of_running;
	/* It is made of files, so an answer may be kept (sources.h). */
	bool of_files;
	/* A directory of directories, and the member that has their name. */
	const char *dir;
	const char *index;
};

static read_item_fn read_usage, read_cpus, read_rows;

#define KEYWORDS(member) ((int)offsetof(struct config_keywords, member))
#define NRO(word, member, dir)                                                 \
  {                                                                            \
    word, read_rows, KEYWORDS(member), NODE_LIST, false, true,                 \
	"conf/boot/" dir, "nro"                                                \
  }

static const struct item_row items[JAIL_ITEM_COUNT] = {
	[JAIL_STATS] = { "stats", read_usage, KEYWORDS(stats), NODE_MAP, true,
	    false, NULL, NULL },
	[JAIL_INFO] = { "info", item_read_info, KEYWORDS(jail), NODE_MAP, true,
	    true, NULL, NULL },
	[JAIL_CPUSET] = { "cpuset", read_cpus, -1, NODE_NULL, true, false, NULL,
	    NULL },
	[JAIL_DEVFS] = NRO("devfs", devfs, "devfs"),
	[JAIL_EXPOSE] = NRO("expose", expose, "expose"),
	[JAIL_HEALTHCHECK] = NRO("healthcheck", healthcheck, "health"),
	[JAIL_LIMITS] = NRO("limits", limits, "limits"),
	[JAIL_FSTAB] = NRO("fstab", fstab, "fstab"),
	[JAIL_LABELS] = { "labels", read_rows, KEYWORDS(label), NODE_LIST,
	    false, true, "conf/labels", "name" },
	[JAIL_NAT] = { "nat", read_rows, KEYWORDS(nat), NODE_LIST, false, true,
	    "conf/boot/nat", "network" },
	[JAIL_VOLUMES] = { "volumes", read_rows, KEYWORDS(volume), NODE_LIST,
	    false, true, "conf/volumes", "name" },
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

static const struct schema_strs *
keywords_of(enum jail_item item, const struct config_keywords *k)
{
	static const struct schema_strs none = { NULL, 0 };

	if (items[item].keywords < 0)
		return &none;
	return (const struct schema_strs *)(const void *)((const char *)k +
	    items[item].keywords);
}

struct schema_strs
item_copy_keywords(
    enum jail_item item, const struct config_keywords *k, struct arena *a)
{
	const struct schema_strs *from = keywords_of(item, k);
	const char **to = arena_calloc(a, from->n, sizeof(*to));

	for (size_t i = 0; to != NULL && i < from->n; i++)
		to[i] = arena_strdup(a, from->items[i]);
	return (struct schema_strs){ to, to != NULL ? from->n : 0 };
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

void
item_warn(struct reading *r, const struct error *e)
{
	if (e->code != OVE_NOTFOUND && !error_is_set(r->warning))
		*r->warning = *e;
}

const char *
item_text(struct reading *r, const struct item_dir *at, const char *name,
    size_t *ret_len)
{
	AUTO_FREE char *text = NULL;
	AUTO_FD int f = -1;
	struct error e = ERROR_INIT;
	const char *ret;
	size_t len;

	*ret_len = 0;
	if (!sources_add_file(r->sources, at->fd, at->path, name))
		return NULL;
	if (beneath_open_file(at->fd, name, &f, &e) < 0 ||
	    file_read_fd(f, FILE_MAX, &text, &len, &e) < 0) {
		sources_failed(r->sources);
		(void)error_wrap(&e, "%s", name);
		item_warn(r, &e);
		return NULL;
	}
	ret = arena_strndup(r->a, text, len);
	if (ret != NULL)
		*ret_len = len;
	return ret;
}

char *
item_line(struct reading *r, const struct item_dir *at, const char *name)
{
	size_t len;
	const char *text = item_text(r, at, name, &len);

	return text != NULL ? jailtext_line(r->a, text, len) : NULL;
}

bool
item_open_list(struct reading *r, const char *dir, mode_t type,
    beneath_name_fn *ok, struct item_dir *ret, struct array *names)
{
	struct error e = ERROR_INIT;
	int fd;

	ret->path = dir;
	if (!sources_add_file(r->sources, r->top.fd, "", dir))
		return false;
	if (file_open_beneath(
		r->top.fd, dir, O_RDONLY | O_DIRECTORY, 0, &ret->fd, &e) == 0) {
		fd = fcntl(ret->fd, F_DUPFD_CLOEXEC, 0);
		if (fd == -1)
			(void)error_set_errno(&e, errno, "list");
		else if (beneath_list(fd, type, ok, r->a, names, &e) == 0)
			return true;
	}
	sources_failed(r->sources);
	/* A file in its place, or a link, is as good as nothing. */
	if (e.sys != ENOTDIR && !(e.code == OVE_DENIED && e.sys == 0)) {
		(void)error_wrap(&e, "%s", dir);
		item_warn(r, &e);
	}
	return false;
}

void
item_dir_close(struct item_dir *at)
{
	cc_auto_close(&at->fd);
	at->fd = -1;
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
read_row(struct reading *r, const struct item_dir *dir, const char *name)
{
	const struct schema_strs *k = r->s->keywords;
	struct node *row = node_new(r->a, NODE_MAP);
	AUTO_ITEM_DIR struct item_dir at = { .fd = -1,
		.path = arena_printf(r->a, "%s/%s", dir->path, name) };
	struct error e = ERROR_INIT;

	if (at.path == NULL ||
	    file_open_beneath(
		dir->fd, name, O_RDONLY | O_DIRECTORY, 0, &at.fd, &e) < 0) {
		r->sources->unsure = true;
		item_warn(r, &e);
		return e.code == OVE_NOTFOUND ? NULL : row;
	}
	for (size_t i = 0; i < k->n; i++) {
		size_t len;
		const char *text =
		    item_text(r, &at, file_of(r->item, k->items[i]), &len);
		char *value =
		    text != NULL ? jailtext_whole(r->a, text, len) : NULL;

		node_replace(r->a, row, k->items[i],
		    value != NULL ? node_str(r->a, value) : node_null(r->a));
	}
	/* Who wants to see no keyword wants no index either. */
	if (k->n > 0)
		node_replace(
		    r->a, row, items[r->item].index, node_str(r->a, name));
	return row;
}

static struct node *
read_rows(struct reading *r)
{
	const struct item_row *row = &items[r->item];
	bool numbered = strcmp(row->index, "nro") == 0;
	struct node *list = node_new(r->a, NODE_LIST);
	AUTO_ITEM_DIR struct item_dir dir = { .fd = -1 };
	AUTO_ARRAY struct array names;

	array_init(&names, sizeof(char *), BENEATH_ROWS_MAX);
	if (!item_open_list(r, row->dir, S_IFDIR,
		numbered ? beneath_is_number : beneath_is_entry, &dir, &names))
		return list;
	if (numbered)
		array_sort(&names, beneath_cmp_number);
	for (size_t i = 0; i < names.n; i++)
		node_add(r->a, list,
		    read_row(r, &dir, *(char **)array_at(&names, i)));
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
		item_warn(r, &e);
		return NULL;
	}
	return arena_strndup(r->a, b.buf, b.len);
}

static struct node *
read_usage(struct reading *r)
{
	const char *text = told(r, JAILASK_USAGE, jail_usage);

	return text == NULL
	    ? node_new(r->a, NODE_MAP)
	    : jailtext_usage(r->a, text, strlen(text), r->s->keywords);
}

static struct node *
read_cpus(struct reading *r)
{
	const char *text = told(r, JAILASK_CPUS, jail_cpus);
	char *cpus = NULL;
	struct error e = ERROR_INIT;

	if (text != NULL) {
		cpus = jailtext_cpus(r->a, text, strlen(text));
		/* A jail that has stopped meanwhile has none. */
		if (cpus == NULL && text[0] != '\0') {
			(void)error_set(&e, OVE_CORRUPT,
			    "'%.100s' is no list of CPUs", text);
			item_warn(r, &e);
		}
	}
	return cpus != NULL ? node_str(r->a, cpus) : node_null(r->a);
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

bool
item_is_of_running(enum jail_item item)
{
	return items[item].of_running;
}

bool
item_is_of_files(enum jail_item item)
{
	return items[item].of_files;
}

struct node *
item_read(enum jail_item item, const struct item_source *s, int fd,
    struct arena *a, struct sources *sources, struct error *ret_warning)
{
	struct reading r = {
		.s = s,
		.item = item,
		.a = a,
		.sources = sources,
		.top = { .fd = fd, .path = "" },
		.warning = ret_warning,
	};
	struct error before = *ret_warning;
	struct node *n;

	error_clear(ret_warning);
	n = items[item].read(&r);
	/* It may be better next time. */
	if (error_is_set(ret_warning))
		sources->unsure = true;
	if (error_is_set(&before))
		*ret_warning = before;
	return arena_check(a, NULL) == 0 ? n : NULL;
}
