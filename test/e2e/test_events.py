# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""GET /v1/events: what is told, in which order, going on after a lost
connection, filters, readers that are slow; the output of commands; what was
last applied to a project."""

import http.client
import os
import socket
import threading
import time

import pytest

from listener import ended, number, open_stream, rss_kb
from node import DEADLINE, DAEMON, DIRECTOR_FILE, wait_for


def test_a_job_is_told_step_by_step(node, listen):
    s = listen(node).greeted()
    assert s.r.status == 200
    assert s.r.headers["Content-Type"] == "text/event-stream"
    assert s.r.headers["Transfer-Encoding"] == "chunked"
    job = node.up("web")
    seen = s.until(ended(job))
    assert [number(i) for i, _, _ in seen] == list(
        range(1, len(seen) + 1))
    # Jails come and go beside it.
    seen = [x for x in seen if x[1] != "jail"]
    told = [(kind, d.get("state"), d.get("step"), d.get("ended"), d.get("rc"),
             d.get("operation")) for _, kind, d in seen]
    assert told[0] == ("job", "queued", None, None, None, None)
    assert told[-1] == ("job", "completed", None, None, None, None)
    assert ("step", None, "up", False, None, None) in told
    assert ("project", None, None, None, None, "RUNNING") in told
    for _, _, d in seen:
        assert (d["job"], d["type"], d["project"]) == (job, "up", "web")
        assert abs(d["at"] - time.time()) < 600
    # Of one change the job is told first.
    rest = s.until(lambda kind, d: kind == "project")
    assert [k for _, k, _ in rest] == ["step", "project"]
    assert (rest[0][2]["step"], rest[0][2]["ended"], rest[0][2]["rc"]) == (
        "up", True, 0)
    assert rest[-1][2]["operation"] == "COMPLETED"
    assert rest[-1][2]["record"] == "up"
    # Told is what is on disk.
    assert node.job(job)["state"] == "completed"


def test_filters(node, listen):
    web = listen(node, "?project=web").greeted()
    steps = listen(node, "?type=step").greeted()
    both = listen(node, "?type=project,step&project=db").greeted()
    a, b = node.up("web"), node.up("db")
    node.wait_job(a)
    node.wait_job(b)
    last = node.wait_job(node.down("db"))["id"]
    node.wait_job(node.down("web"))
    assert {d["project"] for _, _, d in web.until(
        lambda k, d: k == "project" and d["record"] == "down")} == {"web"}
    seen = steps.until(lambda k, d: d["project"] == "web" and
                       d["step"] == "down" and d["ended"])
    assert {k for _, k, _ in seen} == {"step"}
    assert {d["project"] for _, _, d in seen} == {"web", "db"}
    seen = both.until(lambda k, d: k == "project" and d["job"] == last and
                      d["operation"] == "COMPLETED")
    assert {k for _, k, _ in seen} == {"step", "project"}
    assert {d["project"] for _, _, d in seen} == {"db"}
    for query in ("?type=steps", "?type=", "?projects=web", "?type=job,",
                  "?project=%zz"):
        assert node.get("/v1/events" + query).status == 400, query
    assert node.request("GET", "/v1/events", token="x").status == 401
    assert node.post("/v1/events").status == 405


def test_narrowed_tokens_hear_of_their_projects_only(node, listen):
    token = node.token(scope="read", projects=["db"])
    assert node.get("/v1/events?project=web", token=token).status == 403
    s = listen(node, token=token).greeted()
    node.wait_job(node.up("web"))
    job = node.up("db")
    seen = s.until(ended(job))
    assert {d["project"] for _, _, d in seen} == {"db"}
    assert node.get("/v1/jobs/1/output", token=token).status == 403
    assert node.get("/v1/project/spec/db", token=token).status == 403


def test_unknown_ids_get_a_reset(node, listen):
    first = listen(node).greeted()
    job = node.up("web")
    first.until(ended(job))
    for last in ("x", "", "0-1", first.last + "1", first.last + "x",
                 first.last.partition("-")[0] + "-99999999", "a" * 1000):
        s = listen(node, last=last)
        got, kind, data = s.read()
        assert (kind, data) == ("reset", {}), last
        assert number(got) >= number(first.last)
    # Another daemon is another start.
    last = first.last
    node.restart()
    s = listen(node, last=last)
    assert s.read()[1] == "reset"
    job = node.up("web")
    assert number(s.until(ended(job))[0][0]) == 1


def test_quiet_lines_have_comments(node, listen):
    s = listen(node).greeted()
    start = time.monotonic()
    assert s.r.readline() == b":\n"
    assert 2 < time.monotonic() - start < 15


def test_no_gap_over_100_reconnects_under_load(make_node, listen):
    node = make_node({"max_watch_commands": 4}).start()
    s = listen(node).greeted()
    stop = threading.Event()
    done = []

    def load():
        # Cancels need no command: many changes, little work.
        n = 0
        while not stop.is_set():
            node.cancel(f"p{n % 7}")
            n += 1
        done.append(n)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for t in threads:
        t.start()
    try:
        expected, last = 1, s.last
        for _ in range(100):
            for _ in range(5):
                got, kind, _ = s.read()
                assert kind != "reset"
                assert number(got) == expected
                expected += 1
                last = got
            s.close()
            s = listen(node, last=last)
    finally:
        stop.set()
        for t in threads:
            t.join()
    jobs = sum(done)
    # All of them, to the last.
    seen = set()
    while len(seen) < 1 or max(seen) < jobs:
        got, kind, data = s.read()
        assert number(got) == expected
        expected += 1
        if kind == "job" and data["state"] == "completed":
            seen.add(data["job"])


@pytest.mark.skipif(not os.path.exists("/proc/self/status"),
                    reason="reads memory from /proc")
def test_slow_readers_are_dropped_and_memory_stays_bounded(node):
    request = ("GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
               + node.token() + "\r\n\r\n").encode()
    slow = []
    for _ in range(20):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(DEADLINE)
        s.connect(node.address())
        s.sendall(request)
        slow.append(s)
    host, port = node.address()
    head = {"Authorization": "Bearer " + node.token()}

    def dropped():
        return node.log_text().count("does not keep up")

    def load():
        c = http.client.HTTPConnection(host, port, timeout=DEADLINE)
        for _ in range(8):
            if dropped() == len(slow):
                break
            for _ in range(500):
                c.request("POST", "/v1/project/cancel/web", headers=head)
                c.getresponse().read()
        c.close()

    before = rss_kb(node.process.pid)
    # Many at a time share a write to the disk.
    threads = [threading.Thread(target=load) for _ in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert dropped() == len(slow)
    # What is kept (4 MiB), what waits for each, and some room; a sanitizer
    # holds on to what was freed.
    if b"__asan_init" not in DAEMON.read_bytes():
        assert rss_kb(node.process.pid) - before < 48 * 1024
    for s in slow:
        s.close()
    assert node.get("/v1/ping").status == 200


def test_stopping_ends_streams_at_once(node, listen):
    s = listen(node).greeted()
    start = time.monotonic()
    assert node.stop() == 0
    assert time.monotonic() - start < 5
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        if s.read() is None:
            raise http.client.IncompleteRead(b"")


# Output

def output(node, job, query=""):
    r = node.get(f"/v1/jobs/{job}/output{query}")
    assert r.status == 200, r
    return r.json["output"]


def test_output_in_slices(node):
    node.behave("web", "stderr-bytes=200000", "hang")
    job = node.up("web")

    def whole():
        r = node.get(f"/v1/jobs/{job}/output?stream=stderr")
        return r.status == 200 and r.json["output"]["size"] >= 200000
    wait_for("200000 bytes of output", whole)
    text, offset = "", 0
    while True:
        o = output(node, job, f"?stream=stderr&offset={offset}")
        assert (o["stream"], o["step"], o["running"]) == ("stderr", "up", True)
        assert o["offset"] == offset and len(o["content"]) <= 65536
        assert o["next"] == offset + len(o["content"].encode())
        if o["next"] == offset:
            break
        text += o["content"]
        offset = o["next"]
    assert len(text) == o["size"] >= 200000
    o = output(node, job, "?offset=9007199254740992")
    assert o["content"] == "" and o["next"] == 9007199254740992
    assert output(node, job)["stream"] == "stdout"
    assert output(node, job, "?step=up&attempt=1")["step"] == "up"
    for query in ("?step=down", "?attempt=2", "?step=up&attempt=2"):
        assert node.get(f"/v1/jobs/{job}/output{query}").status == 404, query
    for query in ("?offset=-1", "?offset=x", "?follow=2", "?stream=x",
                  "?stream=", "?offsets=1"):
        assert node.get(f"/v1/jobs/{job}/output{query}").status == 400, query
    node.cancel("web")
    node.wait_job(job)
    r = node.get(f"/v1/jobs/{job}/output")
    assert r.status == 404 and "No such command" in r.json["message"]
    assert node.get("/v1/jobs/999/output").status == 404


def follow(node, job, query=""):
    return open_stream(node, f"/v1/jobs/{job}/output?follow=1{query}")


def test_following_ends_when_the_command_ends(node):
    node.behave("web", "stderr-bytes=300000", "delay=2")
    job = node.up("web")
    node.wait_call("appjail-director", "up")
    c, r = follow(node, job, "&stream=stderr")
    assert r.status == 200
    assert r.headers["Content-Type"] == "text/plain; charset=utf-8"
    text = r.read()
    c.close()
    assert len(text) >= 300000
    # It has ended, and what it has said last is there.
    done = node.wait_job(job)
    assert text.decode().endswith(done["result"]["output"]["stderr"][-1000:])
    assert done["ended_at"] >= done["steps"][-1]["ended_at"]


def test_following_from_an_offset(node):
    node.behave("web", "stderr-bytes=5000", "hang")
    job = node.up("web")
    wait_for("the output", lambda: node.get(
        f"/v1/jobs/{job}/output?stream=stderr").status == 200 and
        output(node, job, "?stream=stderr")["size"] >= 5000)
    whole = output(node, job, "?stream=stderr")["content"]
    c, r = follow(node, job, "&stream=stderr&offset=4000")
    got = b""
    while len(got) < len(whole) - 4000:
        got += r.read1()
    assert got.decode() == whole[4000:]
    # Whoever leaves leaves nothing behind.
    c.close()
    node.cancel("web")
    node.wait_job(job)


def test_following_does_not_hold_up_the_end(node):
    node.behave("web", "stderr-bytes=8000000", "delay=1")
    job = node.up("web")
    node.wait_call("appjail-director", "up")
    c, r = follow(node, job, "&stream=stderr")
    # Not a byte is read while the job ends.
    assert node.wait_job(job)["state"] == "completed"
    wait_for("the directory of the run to go",
             lambda: not list((node.root / "run" / "jobs").glob("[0-9]*")))
    assert len(r.read()) >= 500000
    c.close()


# What was applied

def test_spec_is_what_ran_last(node):
    assert node.get("/v1/project/spec/web").status == 404
    node.wait_job(node.up("web", environment={"A": "1"}))
    spec = node.get("/v1/project/spec/web").json["spec"]
    assert spec["director_file"] == DIRECTOR_FILE
    assert spec["environment"]["A"] == "1"
    assert spec["job_id"] == 1 and abs(spec["applied_at"] - time.time()) < 600
    node.behave("web", "hang")
    job = node.up("web", environment={"A": "2"})
    waiting = node.up("web", environment={"A": "3"})
    node.wait_job(job, "running")
    # Director reads its arguments before it can be asked to end.
    # While Director writes there may be no description.
    wait_for("it to lock the project",
             lambda: node.info("web").get("locked"))
    spec = node.get("/v1/project/spec/web").json["spec"]
    assert (spec["environment"]["A"], spec["job_id"]) == ("2", job)
    node.cancel("web")
    node.wait_job(job)
    # One that never ran was not applied; a destruction changes nothing.
    assert node.wait_job(waiting)["state"] == "cancelled"
    node.behave("web")
    node.wait_job(node.down("web", force=True))
    node.restart()
    spec = node.get("/v1/project/spec/web").json["spec"]
    assert (spec["environment"]["A"], spec["job_id"]) == ("2", job)
    read = node.token(scope="read")
    assert node.get("/v1/project/spec/web", token=read).status == 403
