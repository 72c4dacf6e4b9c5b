/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Answers on the inventory's thread: the text that a client gets, kept in the
 * cache with what it was made from.
 *
 *	version, inputs, length of the sources, sources, text
 *
 * inputs stand for what is in no file: the keywords that the configuration
 * names, what commands have said, whether the jail runs. A kept answer is given
 * out when its inputs are those of now and its sources still stand; else it is
 * made anew, and kept in its place. So the cache may hold anything: it cannot
 * make an answer wrong, nor its absence one impossible.
 */
#include <string.h>
#include <unistd.h>

#include "daemon/inventory_internal.h"
#include "daemon/jailfiles.h"
#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/data/json.h"
#include "lib/data/node.h"

#define ARENA_MAX ((size_t)8 << 20)
#define PROJECT_ARENA_MAX ((size_t)256 << 20)
#define VALUE_MAX ((size_t)16 << 20)
/* Longer than the longest pause of what nobody reads, by default a day: it is
 * looked at again before. */
#define KEEP_MS (INT64_C(50) * 3600 * 1000)
#define SWEEP_MAX 1000

#define VERSION 1
#define HEADER_LEN (1 + sizeof(uint64_t) + sizeof(uint32_t))
/* Keys begin with the item's number, or this. */
#define KEY_PROJECT 0x80

static uint64_t
add_text(uint64_t h, const char *text)
{
	if (text != NULL)
		h = hash_add(h, text, strlen(text));
	/* What is not there is not what is empty; neither is a byte. */
	return (h ^ (text != NULL ? 0x100 : 0x101)) * HASH_PRIME;
}

static uint64_t
inputs_of(enum jail_item item, const struct item_source *s)
{
	uint64_t h = HASH_INIT;

	h = add_text(h, item_is_of_running(item) && s->running ? "1" : "0");
	for (size_t i = 0; i < s->keywords->n; i++)
		h = add_text(h, s->keywords->items[i]);
	for (int k = 0; k < JAILASK_COUNT; k++)
		if (item_needs(item, s->keywords, (enum jailask_kind)k))
			h = add_text(h, s->told[k]);
	return h;
}

static struct db_key
key_of(uint8_t first, const char *name)
{
	struct db_key k;

	key_init(&k);
	key_u8(&k, first);
	key_str(&k, name);
	return k;
}

/* Adds the kept text to out, if it still is the answer. */
static bool
take_kept(struct inv_thread *th, const struct db_key *k, uint64_t inputs,
    int fd, struct strbuf *out)
{
	AUTO_STRBUF struct strbuf v;
	uint64_t was;
	uint32_t len;

	strbuf_init(&v, VALUE_MAX);
	if (th->cache == NULL || cache_get(th->cache, k, &v, NULL) != 0 ||
	    v.len < HEADER_LEN || v.buf[0] != VERSION)
		return false;
	memcpy(&was, v.buf + 1, sizeof(was));
	memcpy(&len, v.buf + 1 + sizeof(was), sizeof(len));
	if (was != inputs || len > v.len - HEADER_LEN ||
	    !sources_hold(v.buf + HEADER_LEN, len, fd, th->inv->jails))
		return false;
	strbuf_add(out, v.buf + HEADER_LEN + len, v.len - HEADER_LEN - len);
	th->kept++;
	return true;
}

static void
keep(struct inv_thread *th, const struct db_key *k, uint64_t inputs,
    const struct sources *s, const char *text, size_t text_len)
{
	AUTO_STRBUF struct strbuf v;
	uint32_t len = (uint32_t)s->records.len;

	strbuf_init(&v, VALUE_MAX);
	if (th->cache == NULL || s->unsure)
		return;
	strbuf_addc(&v, VERSION);
	strbuf_add(&v, &inputs, sizeof(inputs));
	strbuf_add(&v, &len, sizeof(len));
	strbuf_add(&v, s->records.buf, s->records.len);
	strbuf_add(&v, text, text_len);
	if (strbuf_check(&v, NULL) == 0)
		cache_put(th->cache, k, KEEP_MS, v.buf, v.len);
}

/* Adds the item to out; one that is too much for its share is empty, as if it
 * could not be read. */
static void
read_item(enum jail_item item, const struct item_source *s, int fd,
    struct sources *sources, struct strbuf *out, struct error *warning)
{
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	const struct node *n;

	arena_init(&a, ARENA_MAX);
	n = item_read(item, s, fd, &a, sources, warning);
	if (arena_check(&a, &e) < 0 || n == NULL) {
		sources->unsure = true;
		if (!error_is_set(warning))
			*warning = e;
		n = item_empty(item);
	}
	json_write(out, n, JSON_COMPACT);
}

void
answer_item(struct inv_thread *th, enum jail_item item,
    const struct item_source *s, int fd, struct strbuf *out,
    struct error *warning)
{
	AUTO_SOURCES struct sources sources;
	struct db_key k = key_of((uint8_t)item, s->jail);
	bool kept = item_is_of_files(item);
	uint64_t inputs = kept ? inputs_of(item, s) : 0;
	size_t before = out->len;

	sources_init(&sources, th->inv->jails);
	if (kept && take_kept(th, &k, inputs, fd, out))
		return;
	th->read++;
	read_item(item, s, fd, &sources, out, warning);
	if (kept)
		keep(th, &k, inputs, &sources, out->buf + before,
		    out->len - before);
}

int
answer_project(struct inv_thread *th, const char *project, struct strbuf *out)
{
	AUTO_SOURCES struct sources sources;
	AUTO_ARENA struct arena a;
	AUTO_FD int fd = -1;
	struct db_key k = key_of(KEY_PROJECT, project);
	size_t before = out->len;
	struct node *n;

	sources_init(&sources, th->inv->jails);
	arena_init(&a, PROJECT_ARENA_MAX);
	if (beneath_open_in(th->inv->projects, project, &fd, NULL) != 0)
		return ANSWER_NONE;
	if (take_kept(th, &k, th->inv->env_sum, fd, out))
		return 0;
	th->read++;
	if (project_describe(th->inv, project, &a, &sources, &n, NULL) != 0)
		return ANSWER_NONE;
	json_write(out, n, JSON_COMPACT);
	keep(th, &k, th->inv->env_sum, &sources, out->buf + before,
	    out->len - before);
	return 0;
}

/* The jail's labels, when it is there. */
static void
add_labels(const char *jails, struct node *service, const char *prefix,
    struct arena *a, struct error *warning)
{
	const char *jail = node_text(node_get(service, "jail"));
	const struct node *status = node_get(service, "status");
	struct error e = ERROR_INIT;
	struct node *labels;

	if (jail == NULL || status == NULL || status->u.i > 1)
		return;
	if (jailfiles_labels(jails, jail, prefix, a, &labels, &e) < 0) {
		node_set(a, service, "unread", node_bool(a, true));
		if (!error_is_set(warning))
			*warning = e;
	}
	node_set(a, service, "labels", labels);
}

void
answer_look(struct inv_thread *th, const char *project, const char *prefix,
    struct arena *a, struct project_look *ret, struct error *warning)
{
	AUTO_STRBUF struct strbuf text;
	struct node *info, *services;

	*ret = (struct project_look){ 0 };
	strbuf_init(&text, VALUE_MAX);
	inventory_project_state(th->inv, project, &ret->state);
	if (answer_project(th, project, &text) != 0 ||
	    json_read(text.buf, text.len, a, &info, NULL) < 0)
		return;
	services = node_get(info, "services");
	for (size_t i = 0; services != NULL && i < services->u.list.n; i++)
		add_labels(th->inv->jails, services->u.list.items[i], prefix, a,
		    warning);
	ret->info = info;
}

void
answers_forget(
    struct inv_thread *th, enum inventory_kind kind, const char *name)
{
	struct db_key k = key_of(KEY_PROJECT, name);

	if (th->cache == NULL)
		return;
	if (kind == INVENTORY_PROJECTS)
		cache_del(th->cache, &k);
	for (int i = 0; kind == INVENTORY_JAILS && i < JAIL_ITEM_COUNT; i++) {
		k = key_of((uint8_t)i, name);
		cache_del(th->cache, &k);
	}
}

void
answers_sweep(struct inv_thread *th)
{
	if (th->cache != NULL)
		(void)cache_sweep(th->cache, SWEEP_MAX);
}
