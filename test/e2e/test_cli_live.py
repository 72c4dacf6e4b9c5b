#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Waiting by events: what is asked for, and what becomes of a stream that is
refused, cut, or began anew."""

import re
import signal
import subprocess
import threading

import pytest

from cli_support import OVERLORD, clean_env, overlord, project
from fake_server import FakeServer, Stream, event
from node import make_tree, wait_for

GOOD = {"operation": "COMPLETED", "job_id": 17, "output": {
    "rc": 0, "stdout": {"errlevel": 0, "message": None, "failed": []},
    "stderr": ""}}
INFO = {"info": {"state": "DONE", "services": [{"name": "w", "status": 0}]}}
SERVICES = """\
projectFile: |
  services:
    web:
      makejail: 'gh+AppJail-makejails/web'
"""


def job(state, **more):
    out = {"id": 17, "type": "up", "name": "p", "state": state, "attempt": 1,
           "message": None, "steps": []}
    out.update(more)
    return {"status_code": 200, "job": out}


def job_event(number, state, came="queued"):
    return event(number, "job", job=17, type="up", project="p", state=state,
                 attempt=1, message=None, **{"from": came})


def step(number, name, ended=False):
    return event(number, "step", job=17, type="up", project="p", step=name,
                 attempt=1, ended=ended, rc=None, note=None)


@pytest.fixture
def server():
    with FakeServer() as s:
        s.single()
        s.on("POST", "/v1/project/up/p", 200, {"job_id": 17})
        s.on("GET", "/v1/project/info/p", 200, INFO)
        s.over = threading.Event()
        yield s
        s.over.set()


def wait(tmp_path, server, *args):
    project(tmp_path, server.url)
    r = overlord(tmp_path, "apply", "-f", "web.yml", "--wait", *args)
    server.over.set()
    return r


def test_told_not_asked(tmp_path, server):
    """Asked once it listens, and when the job has ended."""
    asked = threading.Event()

    def answer(request):
        asked.set()
        return 200, job("queued", position=2)

    def stream(request, write):
        write("retry: 1000\nid: s-1\n\n")
        assert asked.wait(60)
        write(job_event(2, "running") + step(3, "up"))
        # Of others, and of nothing that is known.
        write(event(4, "job", job=99, state="failed", project="q"))
        write(event(5, "weather", job=17, state="rain") + "data: {\n\n:\n\n")
        write(step(6, "up", True) + step(7, "describe"))
        write(job_event(8, "completed", "running"))
        server.over.wait(60)
    server.on("GET", "/v1/jobs/17", 200, answer)
    server.on("GET", "/v1/jobs/17", 200, job("completed", result=GOOD))
    server.on("GET", "/v1/events", 200, Stream(stream))
    r = wait(tmp_path, server)
    assert r.rc == 0
    lines = [re.sub(r"  ok .*", "  ok", x) for x in r.err.splitlines()]
    # Events may be faster than the answer, which is then older than they are.
    if lines[0].endswith("queued (position 2)"):
        lines.pop(0)
    assert lines == [
        "main  <root>  p  running", "main  <root>  p  running: up",
        "main  <root>  p  running: describe", "main  <root>  p  ok"]
    assert server.lines("/v1/jobs/17") == ["GET /v1/jobs/17"] * 2


def test_resumed_where_it_was(tmp_path, server):
    """Cut in the middle: the next request names the last event, and what comes
    then is believed without asking."""
    def first(request, write):
        write("id: s-1\n\n" + job_event(2, "running") + step(3, "up"))

    def second(request, write):
        write(step(4, "describe") + job_event(5, "completed", "running"))
        server.over.wait(60)
    server.on("GET", "/v1/events", 200, Stream(first))
    server.on("GET", "/v1/events", 503, {"message": "not now"})
    server.on("GET", "/v1/events", 200, Stream(second))
    running = job("running", steps=[{"name": "up", "attempt": 1,
                                     "started_at": 1, "ended_at": None}])
    server.on("GET", "/v1/jobs/17", 200, lambda request: (
        200, job("completed", result=GOOD) if len(
            server.lines("/v1/events")) == 3 else running))
    r = wait(tmp_path, server)
    assert r.rc == 0 and "running: up" in r.err, r
    ids = [q.headers["Last-Event-ID"] for q in server.requests
           if q.path == "/v1/events"]
    assert ids[0] is None and ids[-1] == "s-3" and len(ids) == 3


def test_reset_asks_again(tmp_path, server):
    server.on("GET", "/v1/events", 200, Stream(
        lambda request, write: write("id: s-7\n\n")))
    server.on("GET", "/v1/events", 200, Stream(
        lambda request, write: (
            write("id: t-1\nevent: reset\ndata: {}\n\n"),
            server.over.wait(60))))
    server.on("GET", "/v1/jobs/17", 200, lambda request: (
        200, job("completed", result=GOOD) if len(
            server.lines("/v1/events")) == 2 else job("running")))
    r = wait(tmp_path, server)
    assert r.rc == 0, r
    assert server.requests[-1].path != "/v1/events"


def test_a_stream_that_is_none(tmp_path, server):
    """Endless lines, and answers that are no stream, are survived: the job is
    asked for."""
    def flood(request, write):
        try:
            while not server.over.is_set():
                write("data: " + "x" * 100000)
        except OSError:
            pass
    server.on("GET", "/v1/events", 200, Stream(flood))
    server.on("GET", "/v1/events", 200, {"no": "stream"})
    server.on("GET", "/v1/events", 401, {"message": "no"})
    server.on("GET", "/v1/jobs/17", 200, lambda request: (
        200, job("completed", result=GOOD) if len(
            server.lines("/v1/events")) == 3 else job("running")))
    r = wait(tmp_path, server)
    assert r.rc == 0, r


def tree(server, chains):
    """Servers below main, each with its events."""
    for c in [""] + chains:
        base = "/v1" + (f"/chain/{c}" if c else "")
        server.rows[("GET", base + "/chains")] = [
            (200, {"chains": [] if c else chains}, {})]
        server.rows[("GET", base + "/labels")] = [(200, {"labels": ["all"]},
                                                   {})]
        server.on("POST", base + "/project/up/p", 200, {"job_id": 17})
        server.on("GET", base + "/project/info/p", 200, INFO)
        server.on("GET", base + "/jobs/17", 200, job("completed", result=GOOD))

        def stream(request, write):
            write("id: s-1\n\n")
            write(job_event(2, "completed", "running"))
            server.over.wait(60)
        server.on("GET", base + "/events", 200, Stream(stream))


def test_each_server_is_heard(tmp_path, server):
    tree(server, ["alpha", "bravo"])
    r = wait(tmp_path, server)
    assert r.rc == 0, r
    assert sorted(q.path for q in server.requests if "events" in q.path) == [
        "/v1/chain/alpha/events", "/v1/chain/bravo/events", "/v1/events"]


def test_real_node_is_not_polled(tmp_path, node):
    node.behave("p", "delay=2")
    name = project(tmp_path, node.url(), SERVICES)
    path = tmp_path / name
    path.write_text(path.read_text().replace("the-token", node.token()))
    r = overlord(tmp_path, "apply", "-f", name, "--wait", "-v")
    assert r.rc == 0 and "running: up" in r.err, r
    assert 1 <= len(re.findall(r"GET \S+/v1/jobs/1: ", r.err)) <= 3, r


def test_real_tree(tmp_path, make_node):
    """Whatever the servers below offer, all jobs are followed to their end."""
    nodes = make_tree(make_node, ("main", "alpha", "bravo"))
    name = project(tmp_path, nodes["main"].url(), SERVICES)
    path = tmp_path / name
    path.write_text(path.read_text().replace("the-token",
                                             nodes["main"].token()))
    nodes["bravo"].behave("p", "delay=1")
    r = overlord(tmp_path, "apply", "-f", name, "--wait")
    assert r.rc == 0 and len(re.findall(r"  ok  ", r.err)) == 3, r


def test_interrupted_while_it_listens(tmp_path, node):
    node.behave("p", "hang")
    name = project(tmp_path, node.url(), SERVICES)
    path = tmp_path / name
    path.write_text(path.read_text().replace("the-token", node.token()))
    p = subprocess.Popen([OVERLORD, "apply", "-f", name, "--wait"],
                         cwd=tmp_path, env=clean_env(),
                         stderr=subprocess.PIPE, text=True)
    for line in p.stderr:
        if "running: up" in line:
            break
    p.send_signal(signal.SIGINT)
    assert "still running on 1 target" in p.communicate(timeout=60)[1]
    assert p.returncode == -signal.SIGINT
    wait_for("the job to be there", lambda: node.job(1)["state"] == "running")
    node.cancel("p")
