/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Which records the labels of a service ask for (runtime.md 3.3): a function of
 * labels, addresses and configuration. What has a default is looked at in the
 * order of the contract's table, since the first fault is the one that is told.
 */
#include <sys/socket.h>

#include <ctype.h>
#include <string.h>

#include "daemon/skydns.h"
#include "lib/base/strbuf.h"
#include "lib/data/json.h"
#include "lib/data/node.h"

#define TEXT_MAX ((size_t)64 << 10)
#define TTL 60
#define TTL_MAX 2147483647
#define PRIORITY 10
#define WEIGHT 100
#define U16_MAX 65535

/* What is known while a plan is made. */
struct plan {
	const struct skydns_config *c;
	const struct special *s;
	struct arena *a;
	/* As it was written, and in lower case. */
	const char *written;
	char *group;
	/* "/lan/overlord", and "overlord.lan". */
	char *zone_path;
	char *zone;
	/* family 0: there is none. */
	struct netif_addr address;
	int64_t ttl;
	struct skydns_plan *ret;
};

#define FAIL(p, ...)                                                           \
  ((p)->ret->error = special_message((p)->a, (p)->s, ", " __VA_ARGS__), false)

/* ^[a-zA-Z_-][a-zA-Z0-9_-]+$ */
static bool
is_group(const char *s)
{
	for (size_t i = 0; s[i] != '\0'; i++)
		if (!isalpha((unsigned char)s[i]) && s[i] != '_' &&
		    s[i] != '-' && (i == 0 || !isdigit((unsigned char)s[i])))
			return false;
	return s[0] != '\0' && s[1] != '\0';
}

/* Labels, first or last first, each after `before`. */
static char *
join_labels(struct arena *a, const char *zone, const char *before, bool reverse)
{
	char *out = arena_strdup(a, "");

	for (const char *p = zone; *p != '\0' && out != NULL;) {
		size_t len = strcspn(p, ".");

		if (len > 0 && reverse)
			out = arena_printf(
			    a, "%s%.*s%s", before, (int)len, p, out);
		else if (len > 0)
			out = arena_printf(a, "%s%s%.*s", out,
			    out[0] != '\0' ? before : "", (int)len, p);
		p += len + (p[len] == '.');
	}
	return out;
}

/* "web.overlord.lan", or "web" in the root. */
static char *
in_zone(const struct plan *p, const char *name)
{
	return arena_printf(
	    p->a, "%s%s%s", name, p->zone[0] != '\0' ? "." : "", p->zone);
}

/* Adds a record; false: what it says is too long. */
static bool
add_record(struct plan *p, enum skydns_record which, const char *key,
    const struct node *n)
{
	struct error e = ERROR_INIT;
	char *value = json_text(n, JSON_PYTHON, TEXT_MAX, p->a, &e);

	if (value == NULL) {
		p->ret->error = special_exception(p->a,
		    e.code == OVE_NOMEM ? "MemoryError" : "ValueError",
		    arena_printf(p->a, "a record: %s", e.text));
		return false;
	}
	p->ret->records[which].key = key;
	p->ret->records[which].value = value;
	return true;
}

static bool
plan_group(struct plan *p)
{
	p->written = special_label(p->s, "skydns.group");
	if (p->written == NULL)
		return FAIL(p,
		    "label:overlord.skydns.group) group has not been "
		    "specified, but is required.");
	p->group = arena_strdup(p->a, p->written);
	for (char *c = p->group; c != NULL && *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return true;
}

static bool
plan_address(struct plan *p)
{
	const char *iface = special_label(p->s, "skydns.interface");
	const char *net = special_label(p->s, "skydns.interface.address");
	struct error e = ERROR_INIT;
	int r;

	if (iface == NULL)
		return FAIL(p,
		    "label:overlord.skydns.interface) interface has not been "
		    "specified, but is required.");
	r = special_address(p->s, iface, net, &p->address, &e);
	if (r < 0)
		return FAIL(p,
		    "label:overlord.skydns.interface.address exception:%s) %s",
		    netif_exception(&e), e.text);
	if (r == NETIF_NONE && !p->s->destroy)
		return FAIL(p,
		    "interface:%s, address:%s, "
		    "label:overlord.skydns.interface.address) no IP address "
		    "has been found.",
		    iface, special_text(net));
	return true;
}

static bool
plan_ttl(struct plan *p)
{
	const char *ttl = special_label(p->s, "skydns.ttl");

	p->ttl = TTL;
	if (ttl != NULL && !special_int(ttl, 0, TTL_MAX, &p->ttl))
		return FAIL(p, "label:overlord.skydns.ttl) invalid TTL.");
	if (is_group(p->written))
		return true;
	p->ret->error = special_exception(p->a, "InvalidSpec",
	    arena_printf(p->a, "%s: invalid group name.", p->written));
	return false;
}

static struct node *
host_node(struct plan *p, const char *host)
{
	struct node *n = node_new(p->a, NODE_MAP);

	node_set(p->a, n, "host", node_str(p->a, host));
	return n;
}

static bool
plan_address_record(struct plan *p)
{
	struct node *n = host_node(p, p->address.text);

	node_set(p->a, n, "ttl", node_int(p->a, p->ttl));
	node_set(p->a, n, "group", node_str(p->a, p->group));
	return add_record(p, SKYDNS_ADDRESS,
	    arena_printf(p->a, "%s%s/%s/%s/", p->c->path, p->zone_path,
		p->group, p->c->serverid),
	    n);
}

static bool
is_mapped(const struct netif_addr *at)
{
	static const unsigned char prefix[12] = { [10] = 0xff, [11] = 0xff };

	return at->family == AF_INET6 &&
	    memcmp(at->bytes, prefix, sizeof(prefix)) == 0;
}

static char *
ptr_key(struct plan *p)
{
	const struct netif_addr *at = &p->address;
	const unsigned char *b = at->bytes + (is_mapped(at) ? 12 : 0);
	AUTO_STRBUF struct strbuf key;

	strbuf_init(&key, TEXT_MAX);
	strbuf_adds(&key, p->c->path);
	if (at->family == AF_INET || is_mapped(at)) {
		strbuf_addf(
		    &key, "/arpa/in-addr/%u/%u/%u/%u", b[0], b[1], b[2], b[3]);
	} else {
		strbuf_adds(&key, "/arpa/ip6");
		for (size_t i = 0; i < sizeof(at->bytes); i++)
			strbuf_addf(&key, "/%x/%x", b[i] >> 4, b[i] & 0xfu);
	}
	return strbuf_to_arena(&key, p->a);
}

static bool
plan_ptr_record(struct plan *p)
{
	struct node *n;

	/* What has no address any more has no name to look up by it. */
	if (special_label(p->s, "skydns.ptr") == NULL || p->address.family == 0)
		return true;
	n = host_node(p, in_zone(p, p->group));
	node_set(p->a, n, "group", node_str(p->a, p->group));
	return add_record(p, SKYDNS_PTR, ptr_key(p), n);
}

/* Numbers of an SRV record that have defaults: in the order in which they are
 * looked at. */
static const struct {
	const char *label;
	const char *word;
	const char *what;
	int64_t value;
	int64_t max;
} srv_numbers[] = {
	{ "skydns.srv.priority", "priority", "priority", PRIORITY, U16_MAX },
	{ "skydns.srv.weight", "weight", "weight", WEIGHT, U16_MAX },
	{ "skydns.srv.ttl", "ttl", "TTL", TTL, TTL_MAX },
};

static bool
plan_srv_port(struct plan *p, int64_t *ret)
{
	const char *port = special_label(p->s, "skydns.srv.port");

	if (port == NULL)
		return FAIL(p,
		    "label:overlord.skydns.srv.port) port has not been "
		    "specified, but is required.");
	if (!special_int(port, 0, U16_MAX, ret))
		return FAIL(p,
		    "port:%s, label:overlord.skydns.srv.port) invalid port.",
		    port);
	return true;
}

static bool
plan_srv_numbers(struct plan *p, int64_t numbers[ARRAY_LEN(srv_numbers)])
{
	for (size_t i = 0; i < ARRAY_LEN(srv_numbers); i++) {
		const char *text = special_label(p->s, srv_numbers[i].label);

		numbers[i] = srv_numbers[i].value;
		if (text != NULL &&
		    !special_int(text, 0, srv_numbers[i].max, &numbers[i]))
			return FAIL(p, "%s:%s, label:overlord.%s) invalid %s.",
			    srv_numbers[i].word, text, srv_numbers[i].label,
			    srv_numbers[i].what);
	}
	return true;
}

static bool
plan_srv_record(struct plan *p)
{
	const char *proto = special_label(p->s, "skydns.srv.proto");
	const char *service = special_label(p->s, "skydns.srv.service");
	int64_t port, numbers[ARRAY_LEN(srv_numbers)];
	struct node *n;

	if (special_label(p->s, "skydns.srv") == NULL)
		return true;
	if (!plan_srv_port(p, &port))
		return false;
	if (proto == NULL)
		return FAIL(p,
		    "label:overlord.skydns.srv.proto) protocol has not been "
		    "specified, but is required.");
	if (service == NULL)
		return FAIL(p,
		    "label:overlord.skydns.srv.service) service has not been "
		    "specified, but is required.");
	if (!plan_srv_numbers(p, numbers))
		return false;
	n = host_node(p,
	    in_zone(p, arena_printf(p->a, "%s.%s", p->c->serverid, p->group)));
	node_set(p->a, n, "port", node_int(p->a, port));
	for (size_t i = 0; i < ARRAY_LEN(srv_numbers); i++)
		node_set(
		    p->a, n, srv_numbers[i].word, node_int(p->a, numbers[i]));
	node_set(p->a, n, "group", node_str(p->a, p->group));
	return add_record(p, SKYDNS_SRV,
	    arena_printf(p->a, "%s%s/%s/_%s/_%s/%s/", p->c->path, p->zone_path,
		p->group, proto, service, p->c->serverid),
	    n);
}

void
skydns_plan(const struct skydns_config *c, const struct special *s,
    struct arena *a, struct skydns_plan *ret)
{
	static bool (*const steps[])(struct plan * p) = {
		plan_group,
		plan_address,
		plan_ttl,
		plan_address_record,
		plan_ptr_record,
		plan_srv_record,
	};
	struct plan p = {
		.c = c,
		.s = s,
		.a = a,
		.zone_path = join_labels(a, c->zone, "/", true),
		.zone = join_labels(a, c->zone, ".", false),
		.ret = ret,
	};

	*ret = (struct skydns_plan){ 0 };
	for (size_t i = 0; arena_check(a, NULL) == 0 && i < ARRAY_LEN(steps);
	     i++)
		if (!steps[i](&p))
			break;
}
