# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""A daemon in which every place that allocates fails once (torture_site.c):
what is asked of it is tried again until nothing new fails. No crash, no lie, and
then everything works as if nothing had been."""

import http.client
import json
import mmap
import os
import struct
import threading

import pytest

from dataplane import DataPlane
from labels import Etcd, director_file, place
from node import BUILD, DIRECTOR_FILE, chain_to, document, wait_for
from test_labels import DNS, SRV
from test_labels_haproxy import LB
from test_vm_whole import Host

TORTURED = BUILD / "test" / "unit" / "support" / "overlordd_torture"
# How long a test goes on, if places are left, and how many of them fail: one in
# so many, others each time. By hand it may be all of them, which is slow: what
# is tried again waits for a second.
SECONDS = float(os.environ.get("OVERLORD_TORTURE_SECONDS", "20"))
ONE_IN = int(os.environ.get("OVERLORD_TORTURE_ONE_IN", "4"))


class Memory:
    """The switch of a tortured daemon, and its count."""

    def __init__(self, path):
        path.write_bytes(bytes(8))
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 8)

    def arm(self, one_in):
        self.map[:4] = struct.pack("=I", one_in)

    @property
    def failed(self):
        return struct.unpack("=I", self.map[4:])[0]


@pytest.fixture
def tortured(make_node):
    def make(options=None):
        node = make_node(options)
        path = node.root / "torture"
        node.memory = Memory(path)
        node.program = TORTURED
        node.environment["OVERLORD_TORTURE"] = str(path)
        return node
    return make


def attempt(work):
    """Whether it was done. Who has no memory says so, or hangs up; never to
    answer is no way."""
    try:
        return work()
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException):
        return False


def exhaust(node, *works):
    """Each of them, again and again, until none meets a place that fails."""
    off = threading.Timer(SECONDS, node.memory.arm, [0])
    off.start()
    node.memory.arm(ONE_IN)
    before = -1
    while node.memory.failed != before:
        before = node.memory.failed
        for work in works:
            attempt(work)
            assert node.process.poll() is None, \
                node.stderr() + node.log_text()
    off.cancel()
    node.memory.arm(0)
    print(f"{before} allocations failed")
    assert before > 0


def ask(node, method, path, *good, body=None):
    """Whether the answer was good; else it says why it cannot be had now, or
    nothing at all, if a request could not even be read."""
    return request(node, method, path, *good, body=body).status in good


def request(node, method, path, *good, body=None):
    try:
        r = node.request(method, path, body, described=False)
    except OSError:
        assert node.process.poll() is None, \
            f"{node.process.returncode}: {node.stderr()[-3000:]}"
        raise
    assert r.status in good or r.status in (500, 503, 507), r
    if r.text or r.status != 503:
        document().check(method, path, r)
    return r


def plain_reads():
    """What can be read without more words, and ends."""
    for path, operations in document().document["paths"].items():
        said = json.dumps(operations.get("get", {}))
        if said != "{}" and "{" not in path and "event-stream" not in said:
            yield path


def test_reads(tortured):
    node = tortured().start()
    node.wait_job(node.up("web"))
    paths = [p for p in plain_reads() if node.get(p).status == 200]
    assert len(paths) > 10
    exhaust(node, *[lambda p=p: ask(node, "GET", p, 200) for p in paths])
    for path in paths:
        assert node.get(path).status == 200
    assert node.stop() == 0


ENDS = ("completed", "incomplete", "failed", "cancelled")


def end_of(node, job_id):
    """The state in which a job has ended, asked with patience."""
    def ended():
        r = request(node, "GET", f"/v1/jobs/{job_id}", 200)
        state = r.json["job"]["state"] if r.status == 200 else ""
        return state if state in ENDS else None
    return wait_for(f"job {job_id} to end", lambda: attempt(ended))


def do_job(node, path, body, want="completed"):
    """Whether it was taken, and came to a good end."""
    r = request(node, "POST", path, 200, body=body)
    return r.status == 200 and end_of(node, r.json["job_id"]) == want


def all_ended(node):
    jobs = node.get("/v1/jobs?limit=1000").json["jobs"]
    assert jobs
    return all(j["state"] in ENDS for j in jobs)


def test_projects(tortured):
    """Whatever fails, a job has one end, and the next one is done."""
    node = tortured().start()
    body = {"director_file": DIRECTOR_FILE, "environment": {"A": "b"}}
    exhaust(
        node,
        lambda: do_job(node, "/v1/project/up/web", body),
        lambda: do_job(node, "/v1/project/up/web", {**body, "restart": True}),
        lambda: ask(node, "GET", "/v1/project/info/web", 200, 404),
        lambda: ask(node, "GET", "/v1/project/spec/web", 200, 404),
        lambda: do_job(node, "/v1/project/down/web", {}),
        lambda: do_job(node, "/v1/project/cancel/web", {}))
    wait_for("all jobs to end", lambda: all_ended(node))
    assert node.wait_job(node.up("web"))["state"] == "completed"
    assert node.wait_job(node.down("web"))["state"] == "completed"
    assert node.stop() == 0


def test_labels(tortured, servers):
    """With etcd and HAProxy, which get it right when memory is back."""
    etcd, api = servers(Etcd()), servers(DataPlane("web"))
    node = tortured({"etcd": {"127.0.0.1": place(etcd)},
                     "skydns": {"zone": "overlord.lan"}, **api.settings()}).start()
    there = {"director_file": director_file(web={**DNS, **SRV, **LB})}
    exhaust(
        node,
        lambda: do_job(node, "/v1/project/up/web", there),
        lambda: do_job(node, "/v1/project/down/web", {}))
    assert node.wait_job(node.up("web", **there))["state"] == "completed"
    assert len(etcd.keys) == 2 and len(api.backends["web"]) == 1
    assert node.wait_job(node.down("web"))["state"] == "completed"
    assert etcd.keys == {} and api.backends["web"] == {}
    assert node.stop() == 0


def test_vm(tortured):
    node = tortured()
    host = Host(node)
    body = host.body("components")
    exhaust(
        node,
        lambda: do_job(node, "/v1/vm/db1", body),
        lambda: ask(node, "GET", "/v1/vm/db1", 200, 404),
        lambda: do_job(node, "/v1/project/down/db1", {}))
    assert node.wait_job(host.post("components"))["state"] == "completed"
    assert node.stop() == 0


def test_chains(tortured, make_node):
    """The tree, and what is asked of a child, with all of its retries."""
    child = make_node(name="child").start()
    node = tortured({"chains": {"alpha": chain_to(child)}}).start()
    body = {"director_file": DIRECTOR_FILE}
    up = "/v1/chain/alpha/project/up/web"
    exhaust(
        node,
        lambda: ask(node, "GET", "/v1/tree", 200),
        lambda: ask(node, "GET", "/v1/chain/alpha/projects", 200, 408, 502),
        lambda: ask(node, "POST", up, 200, 408, 502, body=body))
    child.wait_job(child.up("web"))
    wait_for("the child to count again", lambda: attempt(lambda: ask(
        node, "GET", "/v1/chain/alpha/project/info/web", 200, 408, 502)))
    assert node.stop() == 0


def test_metadata(tortured):
    node = tortured().start()
    text = "${A}" * 4000
    path = "/v1/metadata/a"
    exhaust(
        node,
        lambda: ask(node, "POST", path, 201, 409, body={"value": text}),
        lambda: ask(node, "PUT", path, 200, 404, body={"value": text}),
        lambda: ask(node, "GET", path, 200, 404),
        lambda: ask(node, "DELETE", path, 200, 204, 404))
    assert node.post(path, {"value": text}).status == 201
    assert node.get(path).json["metadata"] == text
    assert node.stop() == 0
