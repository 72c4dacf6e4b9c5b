#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""A scripted HTTP server for tests of the client: it answers from a table and
writes down what it was asked.

    with FakeServer() as s:
        s.on("GET", "/v1/labels", 200, {"labels": ["all"]})
        s.on("POST", "/v1/project/up/p", 200, {"job_id": 17})
        ...
        assert s.requests[0].line == "GET /v1/chains"

A row may have several answers; they are given one after another, the last one
for ever. What has no row is 404 "Not Found", as the original says."""

import json
import threading
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Request = namedtuple("Request", "method path query headers body line")


class Stream:
    """An answer in pieces: fn(request, write) writes them, and ends it."""

    def __init__(self, fn, content_type="text/event-stream"):
        self.fn = fn
        self.content_type = content_type


def event(number, kind, **data):
    """Text of a server-sent event."""
    return (f"id: s-{number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "fake/1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def reply(self):
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        path, _, query = self.path.partition("?")
        body = json.loads(raw) if raw else None
        request = Request(self.command, path, query, self.headers, body,
                          f"{self.command} {path}")
        status, answer, extra = self.server.fake.answer(request)
        if callable(answer):
            status, answer = answer(request)
        if isinstance(answer, Stream):
            self.stream(answer, request)
            return
        if isinstance(answer, bytes):
            data = answer
        elif answer is None:
            data = b""
        else:
            data = json.dumps(answer).encode()
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
        for name, value in extra.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(data)

    def stream(self, answer, request):
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", answer.content_type)
        self.end_headers()
        self.wfile.flush()

        def write(text):
            self.wfile.write(text.encode())
            self.wfile.flush()
        answer.fn(request, write)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = reply


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that hangs up is part of some tests."""


class FakeServer:
    host = "127.0.0.1"

    def __init__(self):
        self.rows = {}
        self.requests = []
        self.lock = threading.Lock()
        self.in_flight = 0
        self.worst_in_flight = 0
        self.httpd = Server((self.host, 0), Handler)
        self.httpd.fake = self
        self.url = "http://%s:%d" % self.httpd.server_address
        self.thread = threading.Thread(
            target=self.httpd.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.httpd.shutdown()
        self.thread.join()
        self.httpd.server_close()

    def on(self, method, path, status=200, answer=None, **extra):
        """Adds an answer: a JSON value, bytes, None, or a function of the
        request that gives (status, answer), or a Stream. Status 0 hangs
        up."""
        headers = {k.replace("_", "-"): v for k, v in extra.items()}
        self.rows.setdefault((method, path), []).append(
            (status, answer, headers))
        return self

    def answer(self, request):
        with self.lock:
            self.requests.append(request)
            row = self.rows.get((request.method, request.path))
            if not row:
                return 404, {"status_code": 404, "message": "Not Found"}, {}
            return row.pop(0) if len(row) > 1 else row[0]

    def lines(self, *words):
        """Requests in order; with words, those whose path has one of them."""
        return [r.line for r in self.requests
                if not words or any(w in r.path for w in words)]

    def bodies(self, line):
        return [r.body for r in self.requests if r.line == line]

    def tree(self, labels=None):
        """The tree of cli.md 2.1, labels of appendix G; zulu is dead."""
        dead = {"status_code": 503, "message": "zulu is down"}
        names = {"": ["alpha", "zulu"], "alpha": ["bravo", "charlie"],
                 "alpha.bravo": [], "alpha.charlie": ["delta"],
                 "alpha.charlie.delta": []}
        marks = {"": ["all", "desktop"], "alpha": ["all", "services"],
                 "alpha.bravo": ["all"], "alpha.charlie": ["all", "db-only"],
                 "alpha.charlie.delta": ["all", "db-only"]}
        marks.update(labels or {})
        for chain, below in names.items():
            base = "/v1" + (f"/chain/{chain}" if chain else "")
            self.on("GET", base + "/chains", 200, {"chains": below})
            self.on("GET", base + "/labels", 200, {"labels": marks[chain]})
        self.on("GET", "/v1/chain/zulu/chains", 503, dead)
        self.on("GET", "/v1/chain/zulu/labels", 503, dead)
        return self

    def single(self, labels=("all",)):
        self.on("GET", "/v1/chains", 200, {"chains": []})
        self.on("GET", "/v1/labels", 200, {"labels": list(labels)})
        return self
