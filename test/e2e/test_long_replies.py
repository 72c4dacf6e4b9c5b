# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Replies of more than 256 KiB through chains: handed on as they come, at the
pace of who reads them, and broken where they broke."""

import http.client
import json
import os

import pytest

from children import breaker
from listener import open_stream
from node import DAEMON, make_tree, wait_for

NAMES = ("main", "alpha", "charlie")
CHAIN = "/v1/chain/alpha.charlie"
LOG = "/projects/log/2026-01-02_03h04m05s/web/start.log"
LINES = 90000
MIB = 1 << 20


@pytest.fixture
def tree(make_node):
    return make_tree(make_node, NAMES)


def write_log(node, lines=LINES):
    file = node.standin.joinpath("director/logs", *LOG.split("/")[3:])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"".join(
        b"%08d the quick \xc3\xa9 \"brown\" fox jumps over the lazy dog\n" % i
        for i in range(lines)))


def pss(node):
    with open(f"/proc/{node.process.pid}/smaps_rollup", encoding="ascii") as f:
        for line in f:
            # What it shares with others changes when they come and go.
            if line.startswith("Pss_Anon:"):
                return int(line.split()[1]) * 1024
    return 0


def test_they_are_what_the_server_below_says(tree):
    main, charlie = tree["main"], tree["charlie"]
    write_log(charlie)
    direct = charlie.get("/v1" + LOG)
    assert direct.status == 200 and len(direct.text) > 5 * MIB
    for node, path in ((main, CHAIN), (tree["alpha"], "/v1/chain/charlie")):
        r = node.get(path + LOG)
        assert (r.status, r.text) == (200, direct.text)
        assert r.headers["Content-Type"] == "application/json"
        assert int(r.headers["Content-Length"]) == len(direct.text.encode())
        assert r.headers["Access-Control-Allow-Origin"] == "*"
        assert "X-Request-Id" in r.headers
        # It is not known before it has gone.
        assert "Etag" not in r.headers
    # One that is read whole is known.
    write_log(charlie, 2000)
    r = main.get(CHAIN + LOG)
    assert (r.status, r.text) == (200, charlie.get("/v1" + LOG).text)
    assert r.headers["Etag"] == charlie.get("/v1" + LOG).headers["Etag"]


def test_gzip_of_what_fits_is_as_before(tree):
    main, charlie = tree["main"], tree["charlie"]
    write_log(charlie, 8000)
    direct = charlie.get("/v1" + LOG)
    assert 300000 < len(direct.text) < MIB
    r = main.get(CHAIN + LOG)
    assert r.text == direct.text and "Etag" in r.headers


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps_rollup"),
                    reason="reads memory from /proc")
def test_slow_readers_cost_their_windows(make_node):
    # However slow this machine is.
    tree = make_tree(make_node, NAMES, {"limits": {"write": 600}})
    main, charlie = tree["main"], tree["charlie"]
    write_log(charlie)
    want = charlie.get("/v1" + LOG).text.encode()
    main.get(CHAIN + LOG)
    before = {n: pss(tree[n]) for n in NAMES}
    readers = [open_stream(main, CHAIN + LOG) for _ in range(8)]
    for _, r in readers:
        assert r.status == 200
    was = [None]

    def settled():
        now = [pss(tree[n]) for n in NAMES]
        still = was[0] and all(
            abs(a - b) < MIB / 16 for a, b in zip(now, was[0]))
        was[0] = now
        return still
    wait_for("the replies to stand still", settled, step=0.5)
    if b"__asan_init" not in DAEMON.read_bytes():
        for n in ("main", "alpha"):
            assert pss(tree[n]) - before[n] < 8 * MIB, n
    # Others are served meanwhile, and these in the end.
    assert main.get(CHAIN + "/ping").status == 200
    for c, r in readers:
        assert r.read() == want
        c.close()


def head_of(length):
    return (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % length)


OURS = b'{"status_code":200,"log_content":"'


def broken(r):
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        while r.read1():
            pass
        raise http.client.IncompleteRead(b"")


def chain_of(below):
    return {"chains": {"below": below.chain()}, "autodisable": {"failures": 2}}


def test_a_break_breaks_off_and_counts(make_node, child):
    def cut(c):
        c.sendall(head_of(5 * MIB) + OURS + b"x" * MIB)
    below = child(lambda request: cut)
    main = make_node(chain_of(below)).start()
    for failures in (1, 2):
        c, r = open_stream(main, "/v1/chain/below" + LOG)
        assert r.status == 200
        broken(r)
        c.close()
        wait_for("the breaker to hear of it", lambda n=failures:
                 breaker(main, "below")["failures"] == n)
        # What has begun is not repeated.
        assert len(below.requests) == failures
    assert breaker(main, "below")["state"] == "open"
    r = main.get("/v1/chain/below" + LOG)
    assert (r.status, r.json["error"]) == (503, "UnavailableChain")


def test_a_sender_that_stops_has_no_more_time_than_others(make_node, child):
    def stop(c):
        c.sendall(head_of(5 * MIB) + OURS + b"x" * MIB)
        c.recv(1)
    main = make_node(chain_of(child(lambda request: stop))).start()
    c, r = open_stream(main, "/v1/chain/below" + LOG,
                       headers={"X-Overlord-Deadline-Ms": "1500"})
    assert r.status == 200
    broken(r)
    c.close()
    wait_for("the breaker to hear of it",
             lambda: breaker(main, "below")["failures"] == 1)


def test_what_breaks_before_it_begins_is_repeated(make_node, child):
    below = child(lambda request: head_of(5 * MIB) + OURS)
    main = make_node(chain_of(below)).start()
    r = main.get("/v1/chain/below" + LOG,
                 headers={"X-Overlord-Deadline-Ms": "1500"})
    assert (r.status, r.json["error"]) == (503, "ReadError")
    assert len(below.requests) > 1


@pytest.mark.parametrize("text", (
    # As an original writes it; without the member; not the number.
    '{"status_code": 200, "log_content": "%s"}',
    '{"status_code":200,"x":"%s"}',
    '{"status_code":201,"log_content":"%s"}'))
def test_others_are_read_whole(make_node, child, text):
    body = (text % ("x" * MIB)).encode()
    main = make_node(chain_of(child(
        lambda request: head_of(len(body)) + body))).start()
    r = main.get("/v1/chain/below" + LOG)
    want = {"log_content": None, **json.loads(body), "status_code": 200}
    assert (r.status, r.json) == (200, want)
    assert "Etag" in r.headers


def test_others_that_are_no_json_are_refused(make_node, child):
    body = b'{"status_code": 200, "log_content": "' + b"x" * MIB
    main = make_node(chain_of(child(
        lambda request: head_of(len(body)) + body))).start()
    r = main.get("/v1/chain/below" + LOG)
    assert (r.status, r.json["error"]) == (503, "JSONDecodeError")
