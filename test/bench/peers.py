# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Figures beside servers that do less: nginx and bare evhttp, memcached,
beanstalkd."""

import os
import statistics

from figures import SLICES, Submitter, body_file
from inventory import put_jail
from rig import HOST, TOOLS, free_port, tool, wait_for, wrk
from table import at_least, compare

CLIENTS = 32
PING_SECONDS = 1
PING_TURNS = 3
JAILS = 100
SLICE_SECONDS = 0.1
CYCLE_CLIENTS = (1, 64)

PING = f"GET /v1/ping a second, {CLIENTS} connections"
READ = f"GET /v1/jails of {JAILS} a second, {CLIENTS} connections"
CYCLES = {n: f"submit and cancel a job, times a second, {n} client"
          + ("s" if n > 1 else "") for n in CYCLE_CLIENTS}


def replier(rig, name, body):
    """One of the programs of this folder that always say the same."""
    path, port = rig.directory() / "body", free_port()
    path.write_text(body)
    rig.process([TOOLS / name, port, path], port)
    return port


def files(rig, body):
    """An nginx that has it as a file."""
    top = rig.directory() / "v1"
    top.mkdir()
    (top / "ping").write_text(body)
    if os.geteuid() == 0:
        # Its worker is somebody else.
        for d in (top, top.parent, rig.root):
            d.chmod(0o755)
    return rig.nginx(f"location / {{ root {top.parent}; }}")


def ping(rig, rounds):
    node = rig.node().start()
    body, token = node.get("/v1/ping").text, node.token()
    ours = node.url()
    others = {
        "nginx, return 200": rig.nginx(f"location / {{ return 200 '{body}'; }}"),
        "nginx, a file": files(rig, body),
        "bare evhttp": f"http://{HOST}:{replier(rig, 'ref_evhttp', body)}",
        "one loop around poll(2)":
            f"http://{HOST}:{replier(rig, 'ref_echo', body)}",
    }
    rates = {url: [] for url in (ours, *others.values())}
    for _ in range(rounds):
        turns = [[wrk(url + "/v1/ping", PING_SECONDS, CLIENTS,
                      token if url == ours else None)[0] for url in rates]
                 for _ in range(PING_TURNS)]
        for url, values in zip(rates, zip(*turns)):
            rates[url].append(statistics.median(values))
    *peers, limit = ((name, rates[url]) for name, url in others.items())
    aims = {"nginx, return 200": [at_least("peer", 0.8)]}
    return [compare(PING, rates[ours], peer, limit, aims.get(peer[0], ()))
            for peer in peers]


def read(rig, rounds):
    """What the inventory keeps, and a cache that does nothing else. The same
    program asks all three, and reads the same bytes from each."""
    node = rig.node()
    for n in range(JAILS):
        put_jail(node, f"j{n}")
    node.start()
    wait_for("the jails", lambda: len(
        node.get("/v1/jails").json["jails"]) == JAILS)
    text = node.get("/v1/jails").text
    value = rig.directory() / "value"
    value.write_text(text)
    memcached, _ = rig.memcached()
    echo = replier(rig, "ref_echo", text)
    token = rig.token_file(node)
    tool("load", "set", HOST, memcached, value)
    asked = (("get", *node.address(), CLIENTS, 3 * SLICE_SECONDS, token,
              "/v1/jails"),
             ("cache", HOST, memcached, CLIENTS, 3 * SLICE_SECONDS),
             ("get", HOST, echo, CLIENTS, 3 * SLICE_SECONDS, token,
              "/v1/jails"))
    ours, theirs, limit = zip(*(
        [statistics.median(tool("load", *argv)[0] for _ in range(SLICES // 3))
         for argv in asked] for _ in range(rounds)))
    return [compare(READ, ours, ("memcached, get of as many bytes", theirs),
                    ("one loop around poll(2)", limit))]


def cycle(clients):
    """A job's whole life in the store, without what it is for: both commit
    twice."""
    def measure(rig, rounds):
        body = body_file(rig)
        ours, theirs = [], []
        for _ in range(rounds):
            s = Submitter(rig, clients, body)
            port, server = rig.beanstalkd()
            a, b = [], []
            for n in range(SLICES):
                a.append(tool("load", "cycle", *s.node.address(), clients,
                              SLICE_SECONDS, body, s.token, f"c{n}")[0])
                b.append(tool("load", "take", HOST, port, clients,
                              SLICE_SECONDS, body)[0])
            rig.end(server)
            s.end()
            ours.append(statistics.median(a))
            theirs.append(statistics.median(b))
        return [compare(CYCLES[clients], ours,
                        ("beanstalkd -b -f0, put, reserve, delete", theirs))]
    return measure


ALL = [([PING], ping), ([READ], read),
       *(([CYCLES[n]], cycle(n)) for n in CYCLE_CLIENTS)]
