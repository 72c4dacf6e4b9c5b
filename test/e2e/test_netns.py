# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Trees of machines that may fail, each in a network namespace of its own:
children that refuse, hang, lie, drip, break off, have a wrong certificate,
never stop talking; a cable that is cut; a loop."""

import concurrent.futures
import os
import pathlib
import re
import shutil
import socket
import ssl
import struct
import subprocess
import time

import pytest

from children import Child, breaker, drip, held, http, wait_held
from netns import InNamespace, Namespace, why_not
from node import DAEMON, chain_to, wait_for

WHY_NOT = why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))

DEADLINE_MS = 700
# What a loaded machine may need beyond a deadline.
SLACK = 4
OK = http(200, {"status_code": 200, "status": "OK"})
QUICK = {"interval": 1, "increase": 1, "max-increase": 1}
# What the C library keeps of large blocks for later is nobody's leak.
FRUGAL = {"MALLOC_MMAP_THRESHOLD_": "131072",
          "MALLOC_TRIM_THRESHOLD_": "131072"}
ONCE = {"retry": {"total": 1, "backoff_factor": 0}}


class Machines:
    """main with a cable to each of the others; nodes start in theirs."""

    def __init__(self, root):
        self.root, self.nodes, self.closers = root, [], []
        self.all = {}
        for i, name in enumerate(("main", "good", "bad")):
            self.all[name] = Namespace(name)
            self.closers.append(self.all[name].close)
            if i > 0:
                self.all["main"].link(self.all[name], f"10.9.{i}")

    def node(self, where, options, name=None, start=True):
        node = Member(self.all[where], self.root / (name or where),
                      options, FRUGAL)
        self.nodes.append(node)
        return node.start() if start else node

    def child(self, answer, tls=None):
        with self.all["bad"].inside():
            child = Child(answer, tls, ("10.9.2.2", 0))
        self.closers.insert(0, child.close)
        return child

    def close(self):
        for node in self.nodes:
            node.dispose()
        for close in self.closers:
            close()


class Member(InNamespace):
    def through(self, chain, ms=DEADLINE_MS):
        """A reply through this chain, and how long it took."""
        start = time.monotonic()
        r = self.get(f"/v1/chain/{chain}/ping", headers={
            "X-Overlord-Deadline-Ms": str(ms)})
        return r, time.monotonic() - start


@pytest.fixture
def machines(tmp_path):
    made = Machines(tmp_path)
    try:
        yield made
    finally:
        made.close()


# How children fail

def reset(c):
    """Half a reply, and the connection is torn down."""
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"stat")
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                 struct.pack("ii", 1, 0))


def endless():
    """1 GB."""
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n{\"status\":\""
    for _ in range(1000):
        yield b"x" * 1000000


# What it does, and what its parent may say of it.
FAULTS = {
    "hangs": (lambda request: None, {"ReadTimeout"}),
    "garbage": (lambda request: b"I am no server\r\n\r\n",
                {"RemoteProtocolError"}),
    "drips": (lambda request: drip(), {"ReadTimeout"}),
    "resets": (lambda request: reset, {"ReadError"}),
    "endless": (lambda request: endless(),
                {"RemoteProtocolError", "ReadTimeout"}),
    "busy": (lambda request: http(503, {}), {"HTTPStatusError"}),
    "refuses": (None, {"ConnectError"}),
    "stranger": (lambda request: OK, {"ConnectError"}),
}


def certificate(tmp_path, name):
    key, cert = tmp_path / f"{name}.key", tmp_path / f"{name}.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                    "-keyout", key, "-out", cert, "-subj", "/CN=child",
                    "-addext", "subjectAltName=IP:10.9.2.2"],
                   check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    return tls, cert


class Faulty:
    """A child with a fault, which can be mended."""

    def __init__(self, machines, fault):
        self.machines, self.fault = machines, fault
        self.answer = FAULTS[fault][0]
        self.right, self.cacert = None, None
        tls = None
        if fault == "stranger":
            tls, _ = certificate(machines.root, "wrong")
            self.right, self.cacert = certificate(machines.root, "right")
        self.child = machines.child(lambda request: self.answer(request), tls)
        self.at = self.child.socket.getsockname()
        self.chain = self.child.chain(**ONCE)
        if self.cacert is not None:
            self.chain["cacert"] = str(self.cacert)
        if fault == "refuses":
            self.child.close()

    def mend(self):
        self.answer = lambda request: OK
        if self.right is not None:
            self.child.tls = self.right
        if self.fault == "refuses":
            with self.machines.all["bad"].inside():
                self.child = Child(lambda request: OK, None, self.at)
            self.machines.closers.insert(0, self.child.close)


def faults():
    return [f for f in FAULTS
            if f != "stranger" or shutil.which("openssl")]


def main_with(machines, autodisable):
    """main above a good child and one with each fault."""
    good = machines.node("good", {"listen": ["10.9.1.2:0"]})
    bad = {f: Faulty(machines, f) for f in faults()}
    main = machines.node("main", {
        "chains": {"good": chain_to(good),
                   **{f: child.chain for f, child in bad.items()}},
        "log": {"level": "warn"}, "autodisable": autodisable})
    return main, bad


def together(work, items):
    """work(item) of all at the same time."""
    with concurrent.futures.ThreadPoolExecutor(len(items)) as pool:
        return list(pool.map(work, items))


def test_the_breaker_of_each_opens_probes_and_closes(machines):
    main, bad = main_with(machines, {"failures": 2, **QUICK})
    assert main.through("good")[0].status == 200

    def fails(fault, failures):
        r, took = main.through(fault)
        assert took < DEADLINE_MS / 1000 + SLACK, (fault, took)
        # Who is too slow to see how it fails, sees that it is late.
        late = {"ReadTimeout"} if took * 1000 >= DEADLINE_MS else set()
        assert r.status == 503 and r.json["error"] in (
            FAULTS[fault][1] | late), (fault, r)
        assert breaker(main, fault)["failures"] == failures, fault

    def is_half_open(fault):
        return breaker(main, fault)["state"] == "half-open"

    def life(fault):
        fails(fault, 1)
        assert breaker(main, fault)["state"] == "closed", fault
        fails(fault, 2)
        # Left alone: at once, and nothing goes out.
        asked = len(bad[fault].child.requests)
        r, took = main.through(fault)
        if r.json["error"] == "UnavailableChain":
            assert took < SLACK and breaker(main, fault)["failures"] == 2
            assert len(bad[fault].child.requests) == asked, fault
        # Else its time has passed meanwhile, and that was the probe.
        wait_for(f"{fault} to be half-open", lambda: is_half_open(fault))
        probed = breaker(main, fault)["failures"]
        fails(fault, probed + 1)
        bad[fault].mend()
        wait_for(f"{fault} to be half-open", lambda: is_half_open(fault))
        assert fault in main.get("/v1/chains").json["chains"]
        r, _ = main.through(fault)
        assert r.status == 200, (fault, r)
        now = breaker(main, fault)
        assert (now["state"], now["failures"]) == ("closed", 0), fault

    def bystander(_):
        """Nobody else waits while all of that happens."""
        slowest = 0
        while not done.done():
            r, took = main.through("good")
            assert r.status == 200, r
            slowest = max(slowest, took)
            time.sleep(0.01)
        return slowest

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = pool.submit(together, life, list(bad))
        good = pool.submit(bystander, None)
        done.result()
        assert good.result() < DEADLINE_MS / 1000
    assert main.process.poll() is None


def peak(node):
    """KiB of memory at most."""
    status = (pathlib.Path("/proc") / str(node.process.pid) / "status")
    return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1])


def test_nothing_leaks(machines):
    main, bad = main_with(machines, {"failures": 1000000})

    def round_trip():
        together(lambda fault: main.through(fault, 300), list(bad) * 2)

    for _ in range(2):
        round_trip()
    before = held(main)
    for _ in range(10):
        round_trip()
    wait_held(main, before)
    # What never ends was not kept: it was 24 GB in all.
    if b"__asan_init" not in DAEMON.read_bytes():
        assert peak(main) < 262144
    assert main.through("good")[0].status == 200


def test_the_tree_is_told_with_those_that_fail(machines):
    main, bad = main_with(machines, {"failures": 1000000})
    start = time.monotonic()
    r = main.get(f"/v1/tree?include=labels&timeout_ms={DEADLINE_MS}")
    assert time.monotonic() - start < DEADLINE_MS / 1000 + SLACK
    assert r.status == 200, r
    below = {c["chain"]: c for c in r.json["tree"]["chains"]}
    assert set(below) == {"good", *bad}
    assert "error" not in below["good"]
    assert below["good"]["labels"] == ["all", "desktop"]
    for fault in bad:
        assert below[fault]["error"], below[fault]


def test_a_cable_is_cut_and_mended(machines):
    far = machines.node("bad", {"listen": ["10.9.2.2:0"]}, "far")
    good = machines.node("good", {"listen": ["10.9.1.2:0"]})
    main = machines.node("main", {
        "chains": {"far": chain_to(far, **ONCE), "good": chain_to(good)},
        "autodisable": {"failures": 2, **QUICK}})
    end = f"to{machines.all['main'].name}"[:15]
    # Several connections, which stay open.
    assert all(r.status == 200 for r, _ in together(main.through,
                                                    ["far"] * 4))
    machines.all["bad"].do("link", "set", end, "down")
    for _ in range(2):
        r, took = main.through("far")
        assert r.status == 503 and took < DEADLINE_MS / 1000 + SLACK, r
        assert r.json["error"] in ("ReadTimeout", "ConnectTimeout",
                                   "ConnectError", "ReadError"), r
        assert main.through("good")[0].status == 200
    assert breaker(main, "far")["failures"] >= 2
    machines.all["bad"].do("link", "set", end, "up")
    wait_for("the cable to carry", lambda: main.through("far")[0].status
             == 200)
    now = breaker(main, "far")
    assert (now["state"], now["failures"]) == ("closed", 0)
    assert all(r.status == 200 for r, _ in together(main.through,
                                                    ["far"] * 4))


def test_two_that_list_each_other(machines):
    good = machines.node("good", {"listen": ["10.9.1.2:8888"]}, start=False)
    main = machines.node("main", {"listen": ["10.9.1.1:8888"]}, start=False)
    keys = {}
    for node in (good, main):
        node.keyfile.parent.mkdir(exist_ok=True)
        node.keyfile.write_bytes(os.urandom(64))
        node.keyfile.chmod(0o400)
        keys[node] = node.token()
    good.configure({"chains": {"main": {
        "entrypoint": "http://10.9.1.1:8888", "access_token": keys[main]}}})
    main.configure({"chains": {"good": {
        "entrypoint": "http://10.9.1.2:8888", "access_token": keys[good]}}})
    good.start()
    main.start()
    assert main.through("good")[0].status == 200
    for path in ("good.main", "good.main.good", ".".join(["good",
                                                          "main"] * 8)):
        r, took = main.through(path)
        assert r.status == 508 and took < DEADLINE_MS / 1000 + SLACK, r
    for node, name in ((main, "good"), (good, "main")):
        assert breaker(node, name)["failures"] == 0
