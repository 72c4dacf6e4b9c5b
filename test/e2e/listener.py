# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Listening to events, and looking at what that costs a daemon."""

import http.client
import json
import time

from node import DEADLINE


def open_stream(node, path, token=None, headers=None):
    """A connection, and the answer to a GET on it, of which only the head has
    been read."""
    c = http.client.HTTPConnection(*node.address(), timeout=DEADLINE)
    c.request("GET", path, headers={
        "Authorization": "Bearer " + (token or node.token()), **(headers or {})})
    return c, c.getresponse()


class Stream:
    """One connection to a stream of events; read() gives (id, type, data)."""

    def __init__(self, node, query="", last=None, token=None,
                 path="/v1/events"):
        self.c, self.r = open_stream(
            node, path + query, token,
            None if last is None else {"Last-Event-ID": last})
        self.last = last
        self.comments = 0

    def read(self):
        """The next event; None at the end of the stream."""
        kind, data = None, None
        end = time.monotonic() + DEADLINE
        while True:
            # The comments that keep the line alive keep readline() alive, too.
            assert time.monotonic() < end, "no event came"
            line = self.r.readline()
            if line == b"":
                return None
            line = line.decode().rstrip("\n")
            if line.startswith(":"):
                self.comments += 1
            elif line.startswith("id: "):
                self.last = line[4:]
            elif line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif line == "" and data is not None:
                return self.last, kind, data

    def greeted(self):
        """Waits until the daemon has told where the stream stands."""
        while self.last is None:
            line = self.r.readline().decode()
            assert line, "the stream ended without an id"
            if line.startswith("id: "):
                self.last = line[4:].rstrip("\n")
        assert self.r.readline() == b"\n"
        return self

    def until(self, condition):
        """The events up to the first for which condition(type, data)."""
        seen = []
        while True:
            x = self.read()
            assert x is not None, seen
            seen.append(x)
            if condition(x[1], x[2]):
                return seen

    def close(self):
        self.c.close()


def ended(job):
    return lambda kind, data: (kind == "job" and data["job"] == job and
                               data["state"] in ("completed", "cancelled"))


def number(event_id):
    return int(event_id.rpartition("-")[2])


def rss_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0
