# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Figures of trees: a request through a chain, /v1/tree over many daemons, and
with a child that hangs."""

import statistics
import time

from rig import HOST, TOOLS, chain_to, free_port, wait_for, wrk
from table import at_least, at_most, below, compare

LEAF_MS = 20
LEVELS = (10, 10, 9)
SERVERS = 1 + 10 + 100 + 900
CHILDREN = 64
HANG_MS = 1000
PING_SECONDS = 1
PING_TURNS = 3
PING_CLIENTS = 32
PROXY = """location / {
      proxy_pass http://below;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }"""
BELOW = "upstream below {{ server {}; keepalive 64; }}"

TREE = f"GET /v1/tree, {SERVERS} servers in 4 levels, ms"
FORWARDED = f"GET /v1/chain/X/ping a second, {PING_CLIENTS} connections"
FORWARDED_P99 = "GET /v1/chain/X/ping p99, 1 connection, ms"
OPENING = f"GET /v1/tree, one of {CHILDREN} children hangs, ms"
OPENED = f"GET /v1/tree, one of {CHILDREN} children is left alone, ms"


def forwarded(rig, rounds):
    child = rig.node().start()
    node = rig.node({"chains": {"below": chain_to(child)}}).start()
    token = node.token()
    far, near = (node.url() + path
                 for path in ("/v1/chain/below/ping", "/v1/ping"))
    proxy = rig.nginx(PROXY, BELOW.format(child.addresses()[0])) + "/v1/ping"
    ours, nginx, local, slowest, nginx_p99 = [], [], [], [], []
    for _ in range(rounds):
        a, b, c = [], [], []
        for _ in range(PING_TURNS):
            a.append(wrk(far, PING_SECONDS, PING_CLIENTS, token)[0])
            b.append(wrk(near, PING_SECONDS, PING_CLIENTS, token)[0])
            c.append(wrk(proxy, PING_SECONDS, PING_CLIENTS, child.token())[0])
        ours.append(statistics.median(a))
        local.append(statistics.median(b))
        nginx.append(statistics.median(c))
        slowest.append(wrk(far, PING_SECONDS, 1, token)[1])
        nginx_p99.append(wrk(proxy, PING_SECONDS, 1, child.token())[1])
    return [compare(FORWARDED, ours, ("nginx before the same child", nginx),
                    ("the parent's own /v1/ping", local),
                    [at_least("limit", 0.2)]),
            compare(FORWARDED_P99, slowest,
                    ("nginx before the same child", nginx_p99), None,
                    [below(5, "ms")])]


def leaves(rig, ms):
    """What a chain says of a leaf."""
    port = free_port()
    rig.process([TOOLS / "leaves", port, ms], port, stdin=-1)
    return {"entrypoint": f"http://{HOST}:{port}", "access_token": "x"}


def ask(node, query, servers):
    """Milliseconds of one request."""
    start = time.monotonic()
    r = node.get("/v1/tree?include=labels" + query)
    ms = (time.monotonic() - start) * 1000
    assert r.status == 200 and r.text.count('"labels"') == servers, r
    return ms


def build(rig, leaf, levels):
    """A node with the rest of the tree below it; all of them start before any
    is waited for."""
    if not levels:
        return leaf
    below = [build(rig, leaf, levels[1:]) for _ in range(levels[0])]
    node = rig.node({"chains": {
        f"c{i}": b if b is leaf else chain_to(b)
        for i, b in enumerate(below)}})
    return node.start()


def tree(rig, rounds):
    leaf = leaves(rig, LEAF_MS)
    top = build(rig, leaf, LEVELS)
    one = rig.node({"chains": {"leaf": leaf}}).start()
    ours, floor = [], []
    ask(top, "", SERVERS)
    ask(one, "", 2)
    for _ in range(rounds):
        ours.append(statistics.median(ask(top, "", SERVERS)
                                      for _ in range(5)))
        floor.append(statistics.median(ask(one, "&depth=1", 2)
                                       for _ in range(5)) * len(LEVELS))
    return [compare(TREE, ours, None, ("3 x the way to a leaf", floor),
                    [at_most("limit", 2)])]


def hung(rig, rounds):
    leaf, nobody = leaves(rig, 0), leaves(rig, 1e9)
    opening, opened = [], []
    for _ in range(rounds):
        node = rig.node({"chains": {
            "hung": nobody, **{f"c{i}": leaf for i in range(1, CHILDREN)}}})
        node.start()
        for _ in range(2):
            opening.append(ask(node, f"&timeout_ms={HANG_MS}", CHILDREN))
        wait_for("the breaker", lambda: node.get("/v1/breakers").json[
            "breakers"]["hung"]["state"] == "open")
        opened += [ask(node, "", CHILDREN) for _ in range(10)]
        rig.end_node(node)
    return [compare(OPENING, [max(opening)], aims=[below(HANG_MS, "ms")]),
            compare(OPENED, opened, aims=[below(10, "ms")])]


ALL = [([FORWARDED, FORWARDED_P99], forwarded), ([TREE], tree),
       ([OPENING, OPENED], hung)]
