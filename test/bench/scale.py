# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Curves: what it costs when there is more of something, from one to the
most."""

import shutil
import socket
import statistics

from figures import Submitter, body_file
from inventory import cpu_ms, metric, put_jail
from rig import (BUILD, DAEMON, HOST, Unmeasured, pause, raise_descriptors,
                 tool, wait_for)
from table import Curve
from trees import LEAF_MS, ask, build, leaves

# Levels below the top, the last of which are played.
TREES = {1: (), 10: (9,), 100: (9, 10), 1000: (9, 10, 10)}
TREE_SAMPLES = 5
JAILS = (1, 10, 100, 1000, 10000)
JOBS = (1, 10, 100, 1000, 10000, 100000, 1000000)
CONNECTIONS = (1, 10, 100, 1000, 10000)
# What --quick leaves.
QUICK = {"servers": 3, "jails": 4, "jobs": 5, "connections": 4}
SECONDS = 0.3
IDLE_SECONDS = 10
SUBMITTERS = 256
# Of a store, for each job; it is some 400.
JOB_BYTES = 1024
PAUSE_US = 1000

SERVERS_CURVE = "scale: servers in a tree"
JAILS_CURVE = "scale: jails of a node"
JOBS_CURVE = "scale: jobs that wait"
CONNECTIONS_CURVE = "scale: connections that are idle"


def rss_mb(node, field="VmRSS"):
    with open(f"/proc/{node.process.pid}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
    raise Unmeasured(f"this system does not tell {field}")


def asked(rig, node, path, rounds, pause_us=0):
    """Median and 99th percentile in ms of one client that asks for it."""
    token = rig.token_file(node)
    times = [tool("load", "get", *node.address(), 1, SECONDS, token, path,
                  pause_us) for _ in range(rounds)]
    return (statistics.median(t[1] for t in times) / 1000,
            statistics.median(t[2] for t in times) / 1000)


# Servers

def spread(samples):
    samples = sorted(samples)
    return statistics.median(samples), samples[int(len(samples) * 0.99)]


def servers(steps):
    def measure(rig, rounds):
        leaf, lines = leaves(rig, LEAF_MS), []
        for n in steps:
            top = (build(rig, leaf, TREES[n]) if TREES[n]
                   else rig.node().start())
            flat = rig.node({"chains": {f"c{i}": leaf
                                        for i in range(n - 1)}}).start()
            for node in (top, flat):
                ask(node, "", n)
            deep, wide = [], []
            for _ in range(rounds * TREE_SAMPLES):
                deep.append(ask(top, "", n))
                wide.append(ask(flat, "", n))
            lines.append([n, *spread(deep), rss_mb(top), *spread(wide),
                          rss_mb(flat)])
            for node in list(rig.nodes):
                rig.end_node(node)
        return [Curve(
            SERVERS_CURVE,
            ("servers", "as a tree, ms", "p99, ms", "top's RSS, MB",
             "all below one, ms", "p99, ms", "its RSS, MB"), lines,
            f"GET /v1/tree?include=labels. The last level is played, {LEAF_MS}"
            " ms for each answer; the other levels of the tree are ten wide.")]
    return measure


# Jails

def jails(steps):
    def measure(rig, rounds):
        node, lines, made = rig.node(
            {"polling": {"adaptive": {"poll_window": 1}}}), [], 0
        node.start()
        for n in steps:
            for made in range(made, n):
                put_jail(node, f"j{made}")
            made = n
            wait_for("the jails", lambda: len(
                node.get("/v1/jails").json["jails"]) == n)
            listed = asked(rig, node, "/v1/jails", rounds)
            info = asked(rig, node, "/v1/jail/info/j0", rounds)
            # What has just been asked for is still looked at.
            pause(2)
            cpu = cpu_ms(node)
            pause(IDLE_SECONDS)
            lines.append([n, *listed, *info,
                          (cpu_ms(node) - cpu) / IDLE_SECONDS / 10,
                          rss_mb(node)])
        return [Curve(
            JAILS_CURVE,
            ("jails", "list, ms", "p99, ms", "info of one, ms", "p99, ms",
             "CPU without readers, %", "RSS, MB"), lines,
            "GET /v1/jails and /v1/jail/info/NAME by one client. None runs; "
            f"CPU is of one core, over {IDLE_SECONDS} s with a poll_window of "
            "1 s.")]
    return measure


# Jobs

def store_mb(node):
    return sum(f.stat().st_size
               for f in (node.root / "state" / "state").iterdir()) / 1048576


class Waiting:
    """A node with jobs that wait: its only place is taken. It listens where it
    did before when it is started again."""

    def __init__(self, rig):
        self.body = body_file(rig)
        self.submitter = Submitter(rig, SUBMITTERS, self.body)
        self.node, self.jobs = self.submitter.node, 1
        self.port = self.node.address()[1]
        self.node.configure({"listen": [f"{HOST}:{self.port}"]})

    def fill(self, n):
        """Submissions a second until there are so many, and their p99 in ms."""
        more, self.jobs = n - self.jobs, n
        if not more:
            return None, None
        clients = min(SUBMITTERS, more)
        out = tool("load", "fill", HOST, self.port, clients, more, self.body,
                   self.submitter.token, f"to-{n}")
        return out[0], out[2] / 1000

    def restart(self):
        """Milliseconds from exec to the first answer, after SIGKILL."""
        self.node.kill()
        ms = tool("timed", "ping", self.port, self.submitter.token, DAEMON,
                  "-F", "-f", self.node.config, env=self.node.env())[0]
        self.node.start()
        return ms


def jobs(steps):
    def measure(rig, rounds):
        free = shutil.disk_usage(BUILD).free
        possible = [n for n in steps if n * JOB_BYTES < free / 2]
        waiting, lines = Waiting(rig), []
        for n in possible:
            submitted = waiting.fill(n)
            listed = asked(rig, waiting.node, "/v1/jobs?limit=100", rounds)
            before = [rss_mb(waiting.node, f) for f in ("VmRSS", "RssAnon")]
            ms = statistics.median(waiting.restart() for _ in range(rounds))
            count = metric(waiting.node, 'overlord_jobs{state="queued"}')
            if count != n - 1:
                raise Unmeasured(f"{count} of {n - 1} jobs wait")
            lines.append([n, *submitted, *listed, ms, store_mb(waiting.node),
                          *before])
        waiting.submitter.end()
        note = ("One job runs and does not end, the others wait for its place; "
                f"{SUBMITTERS} clients submit; the list has the 100 newest; "
                "limits.queued_jobs is raised. "
                "RSS has the store's pages in it, which are the kernel's to "
                "take back; its own memory is the rest.")
        if possible != list(steps):
            note += (f" More than {possible[-1]} were not tried: only "
                     f"{free >> 30} GiB are free.")
        return [Curve(
            JOBS_CURVE,
            ("jobs", "submissions/s", "p99, ms", "list, ms", "p99, ms",
             "exec to ping, ms", "store, MB", "RSS, MB", "its own, MB"),
            lines, note)]
    return measure


# Connections

class Idle:
    """Connections that have asked once and stay open."""

    def __init__(self, node):
        self.node, self.sockets = node, []
        self.request = (f"GET /v1/ping HTTP/1.1\r\nHost: {HOST}\r\n"
                        f"Authentication: Bearer {node.token()}\r\n\r\n").encode()

    def open(self, n):
        while len(self.sockets) < n:
            s = socket.create_connection(self.node.address(), timeout=10)
            self.sockets.append(s)
            s.sendall(self.request)
            if not s.recv(4096).startswith(b"HTTP/1.1 200 "):
                raise Unmeasured("a connection was refused")

    def close(self):
        for s in self.sockets:
            s.close()


def connections(steps):
    def measure(rig, rounds):
        most = steps[-1] + 100
        raise_descriptors(most + 200)
        node = rig.node({"limits": {
            "connections": most, "connections_per_address": most,
            "idle": 3600}}).start()
        asked(rig, node, "/v1/ping", 1)
        base, lines, idle = rss_mb(node, "RssAnon"), [], Idle(node)
        rig.stack.callback(idle.close)
        for n in steps:
            idle.open(n)
            times = asked(rig, node, "/v1/ping", rounds, PAUSE_US)
            kb = 1024 * (rss_mb(node, "RssAnon") - base)
            lines.append([n, *(1000 * t for t in times), kb / n,
                          rss_mb(node)])
        return [Curve(
            CONNECTIONS_CURVE,
            ("connections", "ping of another, us", "p99, us",
             "memory of each, kB", "RSS, MB"), lines,
            "Each has asked once. Memory of the kernel is not in it.")]
    return measure


def curves(quick):
    def steps(name, all_of_them):
        return tuple(all_of_them)[:QUICK[name] if quick else None]
    return [([SERVERS_CURVE], servers(steps("servers", TREES))),
            ([JAILS_CURVE], jails(steps("jails", JAILS))),
            ([JOBS_CURVE], jobs(steps("jobs", JOBS))),
            ([CONNECTIONS_CURVE], connections(steps("connections",
                                                    CONNECTIONS)))]
