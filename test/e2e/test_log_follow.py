# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Logs from an offset on and logs that are followed, Director's and AppJail's,
here and through a chain."""

import http.client
import os

import pytest

from listener import open_stream, rss_kb
from node import DAEMON, make_tree, wait_for

DATE = "2026-01-02_03h04m05s"
DIRECTOR = f"/projects/log/{DATE}/web/start.log"
JAIL = "/jail/log/jails/web/console/x.log"
MISSING = {"status_code": 404, "message": "Log cannot be found."}


def file_of(node, path):
    top = node.standin / ("director/logs" if path == DIRECTOR else "logs")
    file = top.joinpath(*path.split("/")[3:])
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def append(file, data):
    with open(file, "ab") as f:
        f.write(data)


class Follower:
    def __init__(self, node, path, query="", token=None, prefix="/v1"):
        self.c, self.r = open_stream(
            node, f"{prefix}{path}?follow=1{query}", token)
        assert self.r.status == 200, self.r.read()
        assert self.r.headers["Content-Type"] == "text/plain; charset=utf-8"
        self.got = bytearray()

    def read(self, length):
        """What there is when so much is."""
        while len(self.got) < length:
            piece = self.r.read1()
            assert piece, self.got[-100:]
            self.got += piece
        return self.got

    def rest(self):
        return self.got + self.r.read()

    def close(self):
        self.c.close()


@pytest.fixture
def follow():
    made = []

    def make(*args, **kwargs):
        made.append(Follower(*args, **kwargs))
        return made[-1]
    yield make
    for f in made:
        f.close()


# Slices

@pytest.mark.parametrize("path", (DIRECTOR, JAIL))
def test_from_an_offset(node, path):
    file = file_of(node, path)
    file.write_bytes(b"\x1b[1mone\x1b[0m\r\ntwo\n")
    whole = {"status_code": 200, "log_content": "one\ntwo"}
    assert node.get("/v1" + path).json == whole
    assert node.get("/v1" + path + "?follow=0").json == whole
    for offset, content in ((0, "one\ntwo"), (4, "two"), (7, "")):
        assert node.get(f"/v1{path}?offset={offset}").json == {
            "status_code": 200, "log_content": content, "offset": offset,
            "next": 7, "size": 7}
    # Beyond the end there is nothing yet.
    assert node.get(f"/v1{path}?offset=9007199254740992").json == {
        "status_code": 200, "log_content": "", "offset": 1 << 53,
        "next": 1 << 53, "size": 7}
    # One goes on where the last one ended, whatever was cut there.
    at, text = 0, ""
    for piece in (b"thr\x1b[", b"0mee \xe2\x82", b"\xac\r", b"\nfour\n\n"):
        append(file, piece)
        r = node.get(f"/v1{path}?offset={at}").json
        at, text = r["next"], text + r["log_content"]
        assert at == len(text.encode())
    assert text == "one\ntwo\nthree \u20ac\nfour\n"
    assert text == node.get("/v1" + path).json["log_content"]


def test_what_is_no_offset(node):
    file_of(node, DIRECTOR).touch()
    for query in ("?offset=-1", "?offset=x", "?follow=2", "?follow=",
                  "?offset=1&follow=x", "?offsets=1"):
        assert node.get("/v1" + DIRECTOR + query).status == 400, query


@pytest.mark.parametrize("query", ("?offset=0", "?follow=1", "?offset=1&follow=1"))
def test_what_cannot_be_read(node, tmp_path, query):
    secret = tmp_path / "secret.log"
    secret.write_text("secret")
    file = file_of(node, JAIL)
    file.symlink_to(secret)
    os.mkfifo(file.with_name("fifo.log"))
    (file.parent / "dir").mkdir()
    (file.parent.parent / "link").symlink_to(tmp_path)
    start = file_of(node, DIRECTOR)
    start.symlink_to(secret)
    top = "/v1/jail/log/"
    for path in ("/v1" + JAIL, "/v1" + DIRECTOR,
                 top + "jails/web/console/fifo.log",
                 top + "jails/web/console/dir",
                 top + "jails/web/console/none",
                 top + "jails/web/link/secret.log",
                 top + "jails/web/console/..", top + "../../../x",
                 top + "jails/web/%2e%2e/x", top + "jails/web/..%2Fx/x",
                 top + "%2Fetc/web/x/passwd"):
        r = node.get(path + query)
        assert r.status == 404 and r.json == MISSING, (path, r)


def test_a_slice_of_what_is_too_long(node):
    with open(file_of(node, DIRECTOR), "wb") as f:
        f.truncate(1 << 40)
    assert node.get("/v1" + DIRECTOR + "?offset=5").status == 501


# Following

@pytest.mark.parametrize("path", (DIRECTOR, JAIL))
def test_what_is_added_is_sent(node, follow, path):
    file = file_of(node, path)
    file.write_bytes(b"one\n")
    f = follow(node, path)
    assert f.read(3) == b"one"
    append(file, b"two\n")
    assert f.read(7) == b"one\ntwo"
    # A sequence, a character, a line end, each in two writes; the reader has
    # seen what comes before, so the daemon has seen the cut.
    append(file, b"\x1b[3mx\x1b[1;3")
    assert f.read(9) == b"one\ntwo\nx"
    append(file, b"1mred\x1b[0m \xe2\x82")
    assert f.read(13) == b"one\ntwo\nxred "
    append(file, b"\xac!\r")
    assert f.read(17) == "one\ntwo\nxred \u20ac!".encode()
    append(file, b"\nend\x1b[")
    assert f.read(21) == "one\ntwo\nxred \u20ac!\nend".encode()
    # What was cut for good is text, and the end is one.
    file.unlink()
    assert f.rest() == "one\ntwo\nxred \u20ac!\nend\x1b[".encode()


def test_from_an_offset_and_from_beyond_the_end(node, follow):
    file = file_of(node, DIRECTOR)
    file.write_bytes(b"\x1b[1mabc\n")
    at, beyond = (follow(node, DIRECTOR, f"&offset={n}") for n in (2, 6))
    assert at.read(1) == b"c"
    append(file, b"de")
    assert at.read(4) == b"c\nde"
    append(file, b"fg")
    assert at.read(6) == b"c\ndefg"
    assert beyond.read(2) == b"fg"


def test_a_file_that_gets_shorter_is_another(node, follow):
    file = file_of(node, DIRECTOR)
    file.write_bytes(b"one\ntwo\n")
    f = follow(node, DIRECTOR)
    assert f.read(7) == b"one\ntwo"
    file.write_bytes(b"x")
    assert f.rest() == b"one\ntwo"


def test_a_log_of_any_length(node, follow):
    file = file_of(node, DIRECTOR)
    text = b"\x1b[1m0123456789\x1b[0m" * 10 + b"\r\n"
    shown = b"0123456789" * 10 + b"\n"
    file.write_bytes(text * 120000)
    assert node.get("/v1" + DIRECTOR).status == 501
    f = follow(node, DIRECTOR, f"&offset={len(shown) * 110000 + 5}")
    file.unlink()
    assert f.rest() == (shown * 10000)[5:-1]


def test_so_many_and_no_more(node, follow):
    file_of(node, DIRECTOR).write_bytes(b"one\n")
    made = [follow(node, DIRECTOR) for _ in range(64)]
    r = node.get("/v1" + DIRECTOR + "?follow=1")
    assert r.status == 429 and "64" in r.json["message"]
    assert node.get("/v1" + DIRECTOR).status == 200
    made[0].close()

    def again():
        try:
            return follow(node, DIRECTOR).read(3) == b"one"
        except AssertionError:
            return False
    wait_for("a place", again)


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"),
                    reason="counts descriptors in /proc")
def test_who_leaves_leaves_nothing_behind(node, follow):
    file_of(node, DIRECTOR).write_bytes(b"one\n" * 100000)
    node.get("/v1/ping")
    before = node.descriptors_at_rest()
    for _ in range(5):
        made = [follow(node, DIRECTOR, f"&offset={n * 100000}")
                for n in range(8)]
        made[0].read(1)
        for f in made:
            f.close()
    wait_for("all descriptors to be closed again",
             lambda: node.descriptors() <= before)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"),
                    reason="reads memory from /proc")
def test_who_does_not_read_is_not_read_for(node, follow):
    file = file_of(node, DIRECTOR)
    with open(file, "wb") as f:
        for _ in range(64):
            f.write((b"x" * 1023 + b"\n") * 1024)
    before = rss_kb(node.process.pid)
    slow = [follow(node, DIRECTOR) for _ in range(4)]
    seen = []

    def stands():
        with open(f"/proc/{node.process.pid}/io", encoding="ascii") as f:
            seen.append(f.readline())
        return len(seen) > 1 and seen[-1] == seen[-2]
    wait_for("the daemon to stop reading", stands, step=1)
    if b"__asan_init" not in DAEMON.read_bytes():
        assert rss_kb(node.process.pid) - before < 16 * 1024
    # And then it goes on, to the last byte.
    slow[0].read((64 << 20) - 1)


# Chains

def test_through_a_chain(make_node, follow):
    tree = make_tree(make_node, ("main", "alpha", "charlie"))
    main = tree["main"]
    for path in (DIRECTOR, JAIL):
        for prefix, node in (("/v1/chain/alpha", tree["alpha"]),
                             ("/v1/chain/alpha.charlie", tree["charlie"])):
            file = file_of(node, path)
            file.write_bytes(b"\x1b[1mone\n")
            r = main.get(f"{prefix}{path}?offset=1")
            assert r.json == {"status_code": 200, "log_content": "ne",
                              "offset": 1, "next": 3, "size": 3}
            f = follow(main, path, "&offset=1", prefix=prefix)
            assert f.read(2) == b"ne"
            append(file, b"two\x1b[")
            assert f.read(6) == b"ne\ntwo"
            append(file, b"0m!")
            assert f.read(7) == b"ne\ntwo!"
            file.unlink()
            assert f.rest() == b"ne\ntwo!"
            r = main.get(f"{prefix}{path}?follow=1")
            assert (r.status, r.json["error"]) == (404, "HTTPStatusError")
            remote = r.json
            while "remote" in remote:
                remote = remote["remote"]
            assert remote == MISSING
    f = file_of(tree["charlie"], JAIL)
    f.write_bytes(b"one\n")
    f = follow(main, JAIL, prefix="/v1/chain/alpha.charlie")
    assert f.read(3) == b"one"
    tree["charlie"].kill()
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        f.rest()
