# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The figures: each measures ours and its references in turn, as often as it
is told, and compares the medians with an aim."""

import json
import statistics

from rig import (CLIENT, DAEMON, DIRECTOR_FILE, HOST, TOOLS, Unmeasured,
                 free_port, pause, pss_kb, raise_descriptors, run,
                 tool, wait_for)
from table import at_least, at_most, below, compare, over

SLICE_SECONDS = 0.1
SLICES = 10
START_SAMPLES = 8
FINISHED_JOBS = 100000
SLOW_CLIENTS = 10000
SLOW_DEADLINE = 6
SLOW_PING_SECONDS = 0.5
SLOW_PING_PIECES = 4
SLOW_PING_PAUSE_US = 1000


# Submissions

SUBMIT = {n: f"submissions/s, {n} client" + ("s" if n > 1 else "")
          for n in (1, 64, 256)}


def body_file(rig):
    """What is submitted, to us and to beanstalkd."""
    path = rig.directory() / "body"
    path.write_text(json.dumps({"director_file": DIRECTOR_FILE,
                                "environment": {"BENCH": "1"}}))
    return path


class Submitter:
    """A new node whose only place is taken by a job that hangs, so that what
    is submitted is not run."""

    def __init__(self, rig, clients, body):
        self.node = rig.node({"max_watch_commands": 1,
                              "limits": {"queued_jobs": 100000000,
                                         "connections_per_address": 1000}})
        self.node.behave("hang", "hang")
        self.node.start()
        self.node.up("hang")
        self.node.wait_call("up", "hang")
        self.rig, self.clients, self.body = rig, clients, body
        self.token = rig.token_file(self.node)
        self.slices = 0

    def once(self):
        self.slices += 1
        return tool("load", "up", *self.node.address(), self.clients,
                    SLICE_SECONDS, self.body, self.token,
                    f"bench-{self.slices}")[0]

    def end(self):
        for call in self.node.calls("appjail-director"):
            if call[3][-1] != "hang":
                raise Unmeasured(f"a submitted job was run: {call[3]}")
        self.rig.end_node(self.node)
        return self.node.root / "state" / "state"


def submit_round(rig, clients, body, record):
    """Rates of ours, beanstalkd and LMDB. The disk's moods change within a
    second, so they take turns often."""
    ours, place = Submitter(rig, clients, body), rig.directory()
    port, server = rig.beanstalkd()
    rates = []
    for _ in range(SLICES):
        rates.append([
            ours.once(),
            tool("load", "put", HOST, port, clients, SLICE_SECONDS, body)[0],
            tool("ref_lmdb", place, SLICE_SECONDS, record, clients)[0]])
    rig.end(server)
    ours.end()
    return [statistics.median(r) for r in zip(*rates)]


def record_bytes(rig, body):
    """What a submission is on disk, so that bare LMDB puts the same."""
    s = Submitter(rig, 1, body)
    s.once()
    return int(tool("ref_lmdb", s.end())[0])


def submit(clients):
    def measure(rig, rounds):
        body = body_file(rig)
        record = record_bytes(rig, body)
        ours, beanstalkd, lmdb = zip(*(
            submit_round(rig, clients, body, record) for _ in range(rounds)))
        aims = [at_least("peer", 0.3 if clients == 1 else 4)]
        if clients == 1:
            aims.append(at_least("limit", 0.5))
        return [compare(SUBMIT[clients], ours,
                        ("beanstalkd -b -f0, put", beanstalkd),
                        (f"bare LMDB, {clients} in each commit", lmdb), aims)]
    return measure


# From the reply to Director

REACH = "reply to Director's first instruction, ms"
BEFORE = "commands before Director's up"


def reach_once(node, submit_one, project):
    """Milliseconds, and how many commands came before `up`."""
    known = len(node.calls())
    replied = submit_one(project)
    # Nothing of ours may disturb what is measured.
    pause(0.1)
    wait_for(f"{project} to end", lambda: node.info(project).get(
        "up", {}).get("operation") in ("COMPLETED", "INCOMPLETED", "FAILED"))
    calls = node.calls()[known:]
    for before, call in enumerate(calls):
        if call[3][:2] == ["appjail-director", "up"]:
            return (call[0] - replied) / 1e6, before
    raise Unmeasured(f"Director was not started for {project}")


def reach(rig, rounds):
    node = rig.node().start()
    body = body_file(rig)
    submit_one = rig.coprocess("load", "each", *node.address(), body,
                               rig.token_file(node))
    floor_once = rig.coprocess("ref_spawn", rig.directory(),
                               TOOLS / "ref_relay", body.stat().st_size)
    ours, floor, before = [], [], []
    reach_once(node, submit_one, "warm")
    floor_once("")
    for r in range(rounds):
        a, b = [], []
        for i in range(START_SAMPLES):
            ms, n = reach_once(node, submit_one, f"p-{r}-{i}")
            a.append(ms)
            before.append(n)
            b.append(floor_once("") / 1000)
        ours.append(statistics.median(a))
        floor.append(statistics.median(b))
    return [compare(REACH, ours, None, ("LMDB commit + 2 posix_spawn", floor),
                    [at_most("limit", 1.5)]),
            compare(BEFORE, [max(before)], aims=[below(1)])]


# Memory and start

MEMORY = "idle memory, kB PSS"


def memory_ours(rig):
    node = rig.node().start()
    assert node.get("/v1/ping").status == 200
    kb = pss_kb(node.process.pid)
    node.stop()
    return kb


def memory_reference(rig, program):
    p = rig.process([program, rig.directory()],
                    stdout=rig.stack.enter_context(
                        open(rig.root / "ready", "wb")))
    wait_for("ref_init", lambda: (rig.root / "ready").stat().st_size > 0)
    kb = pss_kb(p.pid)
    rig.end(p)
    return kb


def memory(rig, rounds):
    program = rig.ref_init(DAEMON)
    ours, floor = [], []
    for _ in range(rounds):
        ours.append(memory_ours(rig))
        floor.append(memory_reference(rig, program))
    return [compare(MEMORY, ours, None,
                    ("same libraries, initialised", floor),
                    [at_most("limit", 1.3)])]


START = "exec to first ping, ms"
START_FULL = "exec to first ping with 100,000 finished jobs, ms"


class Starter:
    """Starts one node again and again."""

    def __init__(self, rig):
        self.port = free_port()
        self.node = rig.node({"listen": [f"{HOST}:{self.port}"],
                              "jobs": {"keep": 2 * FINISHED_JOBS}})
        self.node.start()
        self.token = rig.token_file(self.node)
        self.node.stop()

    def once(self):
        return tool("timed", "ping", self.port, self.token, DAEMON, "-F", "-f",
                    self.node.config, env=self.node.env())[0]


def start(rig, rounds):
    program, place = rig.ref_init(DAEMON), rig.directory()
    empty, full = Starter(rig), Starter(rig)
    tool("bench_store", full.node.root / "state", "fill", FINISHED_JOBS)
    ours, floor, many = [], [], []
    for _ in range(rounds):
        for _ in range(START_SAMPLES // 2):
            ours.append(empty.once())
            floor += tool("timed", "line", program, place)
            many.append(full.once())
    full.node.start()
    jobs = full.node.get("/v1/jobs?limit=1").json["jobs"]
    assert jobs[0]["id"] == FINISHED_JOBS, jobs
    return [compare(START, ours, None, ("same libraries, initialised", floor),
                    [over("limit", 15, "ms")]),
            compare(START_FULL, many, aims=[below(100, "ms")])]


VERSION = "overlord --version, ms"


def version(rig, rounds):
    if not CLIENT.exists():
        raise Unmeasured(f"there is no {CLIENT}")
    program = rig.ref_init(CLIENT)
    run(CLIENT, "--version")
    ours, floor = [], []
    for _ in range(2 * rounds * START_SAMPLES):
        ours += tool("timed", "exit", CLIENT, "--version")
        floor += tool("timed", "exit", program)
    return [compare(VERSION, ours, None, ("same libraries, linked", floor),
                    [over("limit", 2, "ms")])]


# Slow clients

SLOW_PING = "ping p99 beside 10,000 slow clients, us"
SLOW_MEMORY = "memory for 10,000 slow clients, kB PSS"
SLOW_CLOSED = "slow clients closed at their deadline"


def p99(rig, node):
    """Of a client that asks now and then: one that never pauses competes with
    the slow clients' generator for the CPU. In pieces, as a machine that does
    other things too disturbs some."""
    token = rig.token_file(node)
    return statistics.median(
        tool("load", "get", *node.address(), 1, SLOW_PING_SECONDS, token,
             "/v1/ping", SLOW_PING_PAUSE_US)[2] for _ in range(SLOW_PING_PIECES))


def beside_slow(rig, node):
    """p99, kB in use meanwhile, clients closed."""
    slow = rig.process([TOOLS / "slow", *node.address(), SLOW_CLIENTS,
                        3 * SLOW_DEADLINE], stdout=-1, text=True)
    if not slow.stdout.readline().startswith("open "):
        raise Unmeasured("slow clients cannot connect: "
                         + (rig.root / "stderr").read_text()[-500:])
    us = p99(rig, node)
    kb = pss_kb(node.process.pid)
    words = slow.stdout.readline().split()
    rig.end(slow)
    closed = int(words[1]) if words else 0
    if words and float(words[2]) < SLOW_PING_SECONDS * SLOW_PING_PIECES:
        raise Unmeasured("slow clients were dropped while measuring")
    return us, kb, closed


def slow(rig, rounds):
    raise_descriptors(SLOW_CLIENTS + 200)
    node = rig.node({"limits": {"connections": SLOW_CLIENTS + 100,
                                "connections_per_address": SLOW_CLIENTS + 100,
                                "header": SLOW_DEADLINE}}).start()
    # Once: what is freed later does not all go back to the system.
    before = pss_kb(node.process.pid)
    without, beside, more, closed = [], [], [], []
    for _ in range(rounds):
        without.append(p99(rig, node))
        us, kb, n = beside_slow(rig, node)
        beside.append(us)
        more.append(kb - before)
        closed.append(n)
    return [compare(SLOW_PING, beside, None, ("without them", without),
                    [at_most("limit", 3)]),
            compare(SLOW_MEMORY, more, aims=[below(64 * 1024, "kB")]),
            compare(SLOW_CLOSED, closed, None, ("opened", [SLOW_CLIENTS]),
                    [at_least("limit", 1)])]


ALL = [
    ([SUBMIT[1]], submit(1)),
    ([SUBMIT[64]], submit(64)),
    ([SUBMIT[256]], submit(256)),
    ([REACH, BEFORE], reach),
    ([MEMORY], memory),
    ([START, START_FULL], start),
    ([VERSION], version),
    ([SLOW_PING, SLOW_MEMORY, SLOW_CLOSED], slow),
]
