# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Clients that send a byte a second, that send nothing, and that do not read:
they are dropped by deadline, cost little memory, and hinder nobody."""

import collections
import resource
import select
import socket
import time

import pytest

from http_target import (TARGETS, WAIT, connect, parse, read_to_end, send)

MANY = 10000
HEAD_S = 6
MEMORY_KB = 64 << 10
HEAD = b"GET /v1/ping HTTP/1.1\r\nHost: h\r\nX-Slow: "


@pytest.fixture(params=TARGETS)
def make_target(request, tmp_path):
    made = []

    def make(**limits):
        made.append(TARGETS[request.param](tmp_path / "t", **limits))
        return made[-1]
    (tmp_path / "t").mkdir()
    yield make
    for target in made:
        target.close()


@pytest.fixture
def descriptors():
    """Enough for MANY connections here and in the server, which inherits the
    limit; or as many as there may be. Gives the number of connections."""
    old = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = MANY + 500
    most = want if old[1] == resource.RLIM_INFINITY else min(want, old[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(old[0], most), old[1]))
    yield most - 500
    resource.setrlimit(resource.RLIMIT_NOFILE, old)


def memory_kb(target):
    """Its proportional set size, or on systems without /proc its RSS."""
    try:
        with open(f"/proc/{target.process.pid}/smaps_rollup") as f:
            return next(int(line.split()[1]) for line in f
                        if line.startswith("Pss:"))
    except FileNotFoundError:
        import subprocess
        out = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(target.process.pid)],
            stdout=subprocess.PIPE, check=True, text=True).stdout
        return int(out)


def is_sanitized(target):
    with open(target.process.args[0], "rb") as f:
        return b"__asan_init" in f.read()


def ping(target):
    with connect(target) as s:
        send(s, f"GET /v1/ping HTTP/1.1\r\nHost: h\r\n{target.auth}"
             "Connection: close\r\n\r\n".encode())
        assert [r.status for r in parse(read_to_end(s))] == [200]


class Crowd:
    """Many connections, each with its own pace; epoll or what there is."""

    def __init__(self, target, n, first=b""):
        self.socks = {}
        self.got = collections.defaultdict(bytes)
        self.poll = select.poll()
        self.ended = 0
        for i in range(n):
            s = socket.create_connection(target.address, WAIT)
            s.sendall(first)
            s.setblocking(False)
            self.socks[s.fileno()] = s
            self.poll.register(s, select.POLLIN)
            if i % 500 == 499:
                self.step()

    def step(self):
        for fd, _ in self.poll.poll(0):
            try:
                piece = self.socks[fd].recv(4096)
            except ConnectionResetError:
                piece = b""
            self.got[fd] += piece
            if not piece:
                self.poll.unregister(fd)
                self.socks.pop(fd).close()
                self.ended += 1

    def send(self, byte):
        for s in list(self.socks.values()):
            try:
                s.send(byte)
            except OSError:
                # It was dropped; step() hears of it.
                pass

    def close(self):
        for s in self.socks.values():
            s.close()


def test_a_byte_a_second(make_target, descriptors):
    target = make_target(head_s=HEAD_S, connections=descriptors + 100)
    start = time.monotonic()
    crowd = Crowd(target, descriptors, HEAD[:1])
    try:
        opened = time.monotonic() - start
        sent, most = 1, 0
        while crowd.ended < descriptors:
            now = time.monotonic() - start
            assert now < opened + HEAD_S + WAIT, \
                f"{crowd.ended} of {descriptors} ended"
            if sent <= now:
                crowd.send(HEAD[sent % len(HEAD):][:1])
                sent += 1
                most = max(most, memory_kb(target))
            crowd.poll.poll(20)
            crowd.step()
            ping(target)
        # They have been slow, not refused. (The byte that crosses the answer
        # resets a connection, which may cost the answer.)
        answered = sum(b" 408 " in got for got in crowd.got.values())
        assert answered > descriptors * 0.9
        print(f"{descriptors} connections: {most} KiB")
        if not is_sanitized(target):
            assert most < MEMORY_KB
        ping(target)
    finally:
        crowd.close()


@pytest.mark.parametrize("what", ["nothing", "after a reply", "body"])
def test_deadlines(make_target, what):
    target = make_target(head_s=1, idle_s=1, body_s=1)
    with connect(target) as s:
        if what == "after a reply":
            send(s, f"GET /v1/ping HTTP/1.1\r\nHost: h\r\n{target.auth}\r\n"
                 .encode())
        elif what == "body":
            send(s, f"POST {target.body_path} HTTP/1.1\r\nHost: h\r\n"
                 f"{target.auth}Content-Length: 9\r\n\r\nabc".encode())
        got = parse(read_to_end(s))
    want = {"nothing": [], "after a reply": [200], "body": [408]}
    assert [r.status for r in got] == want[what]


def test_a_place_is_free_again(make_target):
    """With the address's places taken by silence, the next is refused; when
    they have been dropped, it is served."""
    target = make_target(head_s=2, connections=4)
    crowd = Crowd(target, 4)
    try:
        with connect(target) as s:
            try:
                assert read_to_end(s) == b""
            except ConnectionResetError:
                pass
        end = time.monotonic() + WAIT
        while crowd.ended < 4:
            assert time.monotonic() < end
            crowd.poll.poll(100)
            crowd.step()
        ping(target)
    finally:
        crowd.close()
