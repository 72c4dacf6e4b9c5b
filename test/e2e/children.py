# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Servers below a node that are none: dead, hung, lying. And what the node says
of them, and holds."""

import contextlib
import json
import re
import socket
import threading
import time

from node import DAEMON, wait_for


class Child:
    """Answers each connection with what `answer(request text)` gives: bytes,
    pieces of them, a function that takes the connection; None hangs until the
    end."""

    def __init__(self, answer, tls=None, address=("127.0.0.1", 0)):
        self.answer = answer
        self.tls = tls
        self.requests = []
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(address)
        self.socket.listen(64)
        self.held = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(c,), daemon=True).start()

    def one(self, c):
        try:
            if self.tls is not None:
                c = self.tls.wrap_socket(c, server_side=True)
            request = self.read(c)
            if request is None:
                c.close()
                return
            self.requests.append(request)
            reply = self.answer(request)
            if reply is None:
                self.held.append(c)
                return
            if callable(reply):
                reply(c)
            elif isinstance(reply, bytes):
                c.sendall(reply)
            else:
                for part in reply:
                    c.sendall(part)
        except OSError:
            pass
        c.close()

    def waiting(self):
        """How many of those that were left hanging still wait."""
        n = 0
        for c in self.held:
            try:
                n += c.recv(65536, socket.MSG_DONTWAIT) != b""
            except BlockingIOError:
                n += 1
            except OSError:
                pass
        return n

    @staticmethod
    def read(c):
        data = b""
        while b"\r\n\r\n" not in data:
            got = c.recv(65536)
            if not got:
                return None
            data += got
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        while length and len(body) < int(length.group(1)):
            body += c.recv(65536)
        return (head + b"\r\n\r\n" + body).decode()

    def chain(self, **more):
        return {"entrypoint": "%s://%s:%d" % (
                    "https" if self.tls else "http",
                    *self.socket.getsockname()),
                "access_token": "x", **more}

    def close(self):
        # Whoever accepts keeps it open otherwise.
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for c in self.held:
            c.close()


def http(status, body, *headers):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ("HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"
            "Connection: close\r\nContent-Length: %d\r\n%s\r\n"
            % (status, len(text), "".join(h + "\r\n" for h in headers))
            ).encode() + text


def dead_chain(**more):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    return {"entrypoint": f"http://127.0.0.1:{port}", "access_token": "x",
            **more}


def breaker(node, name):
    r = node.get("/v1/breakers")
    assert r.status == 200
    return r.json["breakers"][name]


def drip():
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"
    for _ in range(200):
        time.sleep(0.05)
        yield b" "


def held(node):
    """Descriptors, and KiB of memory of its own: what it shares with others of
    its kind counts for more when one of those ends."""
    proc = f"/proc/{node.process.pid}"
    with open(proc + "/smaps_rollup") as f:
        pss = int(re.search(r"^Pss_Anon:\s+(\d+)", f.read(), re.M)[1])
    return node.descriptors(), pss


def wait_held(node, before):
    """Until it holds no more than it held() before, and 1 MiB."""
    wait_for("the descriptors to be as before",
             lambda: held(node)[0] <= before[0])
    # A sanitizer holds on to what was freed.
    if b"__asan_init" not in DAEMON.read_bytes():
        wait_for("the memory to be as before",
                 lambda: held(node)[1] <= before[1] + 1024)
