# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Figures of trees: /v1/tree over many daemons, and with a child that hangs."""

import statistics
import time

from figures import by_limit, by_ratio
from rig import HOST, TOOLS, chain_to, free_port, wait_for

LEAF_MS = 20
LEVELS = (10, 10, 9)
SERVERS = 1 + 10 + 100 + 900
CHILDREN = 64
HANG_MS = 1000

TREE = f"GET /v1/tree, {SERVERS} servers in 4 levels, ms"
OPENING = f"GET /v1/tree, one of {CHILDREN} children hangs, ms"
OPENED = f"GET /v1/tree, one of {CHILDREN} children is left alone, ms"


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
    return [by_ratio(TREE, ours, floor, "3 x the way to a leaf", at_most=2)]


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
    return [by_limit(OPENING, [max(opening)], HANG_MS, "ms"),
            by_limit(OPENED, opened, 10, "ms")]


ALL = [([TREE], tree), ([OPENING, OPENED], hung)]
