# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What the tests of the HTTP reader speak to: lib/net's own small server, and
the daemon. Import the fixture `http_target` into the test file.

A target has an address, takes limits, and tells which requests it has run, by
its log: each has a path of its own, which appears there or not."""

import pathlib
import socket
import subprocess
import time

import pytest

from node import BUILD, Node

ECHO = BUILD / "test" / "unit" / "support" / "httpd_echo"
WAIT = 20


class Echo:
    name = "echo"

    def __init__(self, root, **limits):
        """limits: head_s, body_s, idle_s, connections."""
        names = {"head_s": "head_ms", "body_s": "body_ms", "idle_s": "idle_ms"}
        args = [f"{names[k]}={int(v * 1000)}" for k, v in limits.items()
                if k in names]
        if "connections" in limits:
            n = limits["connections"]
            args += [f"connections={n}", f"per_address={n}"]
        self.log = pathlib.Path(root) / "echo.log"
        with open(self.log, "wb") as err:
            self.process = subprocess.Popen(
                [ECHO, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=err)
        self.address = "127.0.0.1", int(self.process.stdout.readline())
        self.body_path = "/echo"
        self.auth = ""

    def log_text(self):
        return self.log.read_text(errors="replace")

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(WAIT) == 0
        self.process.stdout.close()


class Overlordd:
    name = "overlordd"

    def __init__(self, root, **limits):
        names = {"head_s": "header", "body_s": "body", "idle_s": "idle",
                 "connections": "connections"}
        options = {names[k]: v for k, v in limits.items()}
        if "connections" in limits:
            options["connections_per_address"] = limits["connections"]
        self.node = Node(root, {"limits": options}).start()
        self.process = self.node.process
        self.address = self.node.address()
        self.body_path = "/v1/project/up/web"
        self.auth = f"Authorization: Bearer {self.node.token()}\r\n"

    def log_text(self):
        return self.node.log_text()

    def close(self):
        try:
            assert self.node.stop() == 0
        finally:
            self.node.dispose()


TARGETS = {"echo": Echo, "overlordd": Overlordd}


@pytest.fixture(scope="module", params=TARGETS)
def http_target(request, tmp_path_factory):
    target = TARGETS[request.param](tmp_path_factory.mktemp("http"))
    yield target
    target.close()


def connect(target):
    s = socket.create_connection(target.address, WAIT)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def send(s, data):
    """Sends what the server takes; it may have refused and closed already."""
    try:
        s.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass


def read_to_end(s):
    """Everything until the server closes, which it must do."""
    data = b""
    end = time.monotonic() + WAIT
    while True:
        s.settimeout(max(end - time.monotonic(), 0.001))
        try:
            piece = s.recv(65536)
        except TimeoutError:
            raise AssertionError(f"not closed after {data!r}") from None
        if not piece:
            return data
        data += piece


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body


def parse(data, heads=()):
    """The replies in what a server has sent; heads: indexes of those that
    answer HEAD and so have no body."""
    found = []
    while data:
        head, blank, data = data.partition(b"\r\n\r\n")
        assert blank, f"half a reply: {head!r}"
        lines = head.decode("ascii").split("\r\n")
        version, status = lines[0].split(" ")[:2]
        assert version == "HTTP/1.1"
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            assert colon and name.lower() not in headers
            headers[name.lower()] = value.strip()
        length = 0
        if status not in ("100", "204", "304"):
            length = int(headers["content-length"])
        if len(found) in heads:
            length = 0
        assert len(data) >= length
        found.append(Reply(int(status), headers, data[:length]))
        data = data[length:]
    return found
