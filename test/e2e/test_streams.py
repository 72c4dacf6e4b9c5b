# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What comes as it is made, through chains: events and the output of commands,
hop by hop, as fast as it is taken, and broken where it broke."""

import http.client
import os

import pytest

from listener import ended, open_stream, rss_kb
from node import DAEMON, make_tree, wait_for

PATH = "/v1/chain/alpha.charlie"
NAMES = ("main", "alpha", "charlie")


@pytest.fixture
def tree(make_node):
    return make_tree(make_node, NAMES)


def broken(read):
    """Reads to the end, which must not look like one."""
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        while read():
            pass
        raise http.client.IncompleteRead(b"")


def test_events_of_a_server_below(tree, listen):
    main, charlie = tree["main"], tree["charlie"]
    s = listen(main, "?project=web", path=PATH + "/events").greeted()
    assert s.r.headers["Content-Type"] == "text/event-stream"
    charlie.wait_job(charlie.up("db"))
    job = charlie.up("web")
    seen = s.until(ended(job))
    assert {d["project"] for _, _, d in seen} == {"web"}
    # Its ids are those of the server below, and go on with it.
    at = seen[2][0]
    again = listen(main, "?project=web", last=at, path=PATH + "/events")
    assert again.until(ended(job)) == seen[3:]
    assert listen(main, last="x", path=PATH + "/events").read()[1] == "reset"
    direct = listen(charlie, "?project=web", last=at)
    assert direct.until(ended(job)) == seen[3:]


def test_errors_before_a_stream_begins(tree):
    main = tree["main"]
    r = main.get("/v1/chain/nobody/events")
    assert r.status == 404 and "nobody" in r.json["message"]
    r = main.get("/v1/chain/alpha.nobody/events")
    assert (r.status, r.json["function"], r.json["error"]) == (
        404, "get_events", "HTTPStatusError")
    assert r.json["remote"]["status_code"] == 404
    r = main.get(PATH + "/events?type=x")
    assert r.status == 400 and "type" in str(r.json["remote"])
    r = main.get(PATH + "/jobs/99/output?follow=1")
    assert (r.status, r.json["function"]) == (404, "get_job_output")
    assert main.get(PATH + "/events", token="x").status == 401
    narrow = main.token(scope="read", projects=["web"])
    assert main.get(PATH + "/events", token=narrow).status == 403
    tree["charlie"].kill()
    r = main.get(PATH + "/events",
                 headers={"X-Overlord-Deadline-Ms": "1500"})
    assert r.status == 503
    r = tree["alpha"].get("/v1/chain/charlie/events",
                          headers={"X-Overlord-Deadline-Ms": "1500"})
    assert (r.status, r.json["error"]) == (503, "ConnectError")


def test_output_of_a_command_below(tree):
    main, charlie = tree["main"], tree["charlie"]
    charlie.behave("web", "stderr-bytes=300000", "delay=2")
    job = charlie.up("web")
    charlie.wait_call("appjail-director", "up")
    c, r = open_stream(main, f"{PATH}/jobs/{job}/output?follow=1&stream=stderr")
    assert r.status == 200
    assert r.headers["Content-Type"] == "text/plain; charset=utf-8"
    text = r.read()
    c.close()
    assert len(text) >= 300000
    done = charlie.wait_job(job)
    assert text.decode().endswith(done["result"]["output"]["stderr"][-1000:])


def test_output_in_slices_below(tree):
    main, charlie = tree["main"], tree["charlie"]
    charlie.behave("web", "stderr-bytes=5000", "hang")
    job = charlie.up("web")
    path = f"{PATH}/jobs/{job}/output?stream=stderr"

    def whole():
        r = main.get(path)
        return r.status == 200 and r.json["output"]["size"] >= 5000
    wait_for("the output", whole)
    assert main.get(path + "&offset=4990").json["output"]["offset"] == 4990
    charlie.cancel("web")
    charlie.wait_job(job)


@pytest.mark.parametrize("victim", ["charlie", "alpha"])
def test_a_break_below_breaks_the_stream(tree, listen, victim):
    main, charlie = tree["main"], tree["charlie"]
    charlie.behave("web", "stderr-bytes=5000", "hang")
    job = charlie.up("web")
    s = listen(main, path=PATH + "/events").greeted()
    wait_for("the output", lambda: charlie.get(
        f"/v1/jobs/{job}/output?stream=stderr").status == 200)
    c, r = open_stream(main, f"{PATH}/jobs/{job}/output?follow=1&stream=stderr")
    assert r.status == 200
    tree[victim].kill()
    broken(s.r.read1)
    broken(r.read1)
    c.close()
    assert main.get("/v1/ping").status == 200


@pytest.mark.skipif(not os.path.exists("/proc/self/status"),
                    reason="reads memory from /proc")
def test_slow_readers_hold_up_the_sender_not_the_memory(make_node):
    tree = make_tree(make_node, NAMES, {"jobs": {"output": 64000000}})
    main, charlie = tree["main"], tree["charlie"]
    charlie.behave("web", "stderr-bytes=48000000", "hang")
    job = charlie.up("web")
    path = f"/jobs/{job}/output?stream=stderr"

    def size():
        r = charlie.get("/v1" + path)
        return r.json["output"]["size"] if r.status == 200 else 0
    wait_for("the output", lambda: size() >= 48000000)
    before = {n: rss_kb(tree[n].process.pid) for n in NAMES}
    readers = [open_stream(main, PATH + path + "&follow=1") for _ in range(8)]
    for _, r in readers:
        assert r.status == 200
    # All that can move has moved when nothing does any more.
    was = [0]

    def settled():
        now = [rss_kb(tree[n].process.pid) for n in NAMES]
        still, was[0] = now == was[0], now
        return still
    wait_for("the streams to stand still", settled, step=0.5)
    if b"__asan_init" not in DAEMON.read_bytes():
        for n in NAMES:
            assert rss_kb(tree[n].process.pid) - before[n] < 16 * 1024, n
    # And then it goes on, to the last byte.
    got = 0
    while got < 48000000:
        got += len(readers[0][1].read1())
    for c, _ in readers:
        c.close()
    charlie.cancel("web")
    charlie.wait_job(job)


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"),
                    reason="counts descriptors in /proc")
def test_ten_rounds_leave_nothing_behind(tree, listen):
    main, charlie = tree["main"], tree["charlie"]
    charlie.behave("web", "stderr-bytes=5000", "hang")
    job = charlie.up("web")
    wait_for("the output", lambda: charlie.get(
        f"/v1/jobs/{job}/output?stream=stderr").status == 200)

    def one_round():
        for _ in range(4):
            listen(main, path=PATH + "/events").greeted().close()
            c, r = open_stream(
                main, f"{PATH}/jobs/{job}/output?follow=1&stream=stderr")
            assert r.status == 200
            c.close()
    one_round()
    before = {n: tree[n].descriptors_at_rest() for n in NAMES}
    for _ in range(10):
        one_round()
    wait_for("all descriptors to be closed again",
             lambda: all(tree[n].descriptors() <= before[n] for n in NAMES))
    charlie.cancel("web")
    charlie.wait_job(job)
