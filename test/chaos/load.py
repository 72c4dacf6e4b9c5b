# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What is asked of the tree while it is tormented, and the ledger of what was
acknowledged: jobs, directly and through chains; metadata; trees; events and
output that are followed."""

import collections
import contextlib
import http.client
import itertools
import json
import random
import threading

from listener import Stream, open_stream
from node import DIRECTOR_FILE

from tree import pause

PROJECTS = 6
BACKLOG = 8
TIMEOUT = 20
# What may become of a request to a node that is tormented: it is down, it dies
# in the middle of the answer, or it says why not.
LOST = (OSError, http.client.HTTPException, IndexError, ValueError)
# What a project's `up` may end with by its own behaviour.
BEHAVIOURS = {
    "p0": ["delay=0.3", "hold-output"],
    "p1": ["delay=0.6"],
    "p2": ["delay=1", "hold-output"],
    "p3": ["rc=7", "delay=0.3"],
    "p4": ["stderr-bytes=200000", "delay=0.3"],
    "p5": ["down-delay=0.5", "delay=0.2"],
}


class Request:
    """A job that is asked for, until it is acknowledged."""

    def __init__(self, number, target, asked, prefix, operation, project, body,
                 keyed):
        self.id = f"chaos-{number}"
        self.target = target
        self.asked = asked
        self.path = f"{prefix}/project/{operation}/{project}"
        self.operation = operation
        self.project = project
        self.body = body
        self.keyed = keyed
        self.chained = "/chain/" in prefix
        self.tries = 0
        self.job = None

    def headers(self):
        head = {"X-Request-Id": self.id}
        if self.keyed:
            head["Idempotency-Key"] = self.id
        return head


class Load:
    """Threads that ask until told to end; the first fault ends the test."""

    def __init__(self, tree, seed):
        self.tree = tree
        self.seed = seed
        self.enough = threading.Event()
        self.failure = None
        self.acknowledged = []
        # Keyed requests without an answer: asked again, the same way.
        self.open = collections.deque()
        self.numbers = itertools.count(1)
        self.refused = collections.Counter()
        self.done = collections.Counter()
        # (member, key) -> what was acknowledged and what was tried last.
        self.metadata = {}
        self.keys = {}
        self.threads = []
        for m in tree:
            for project, lines in BEHAVIOURS.items():
                m.behave(project, *lines)

    def start(self, submitters=3):
        work = [self.submit] * submitters + [
            self.write_metadata, self.read_tree, self.follow_output]
        streams = [("main", "?subtree=1"), ("charlie", "")]
        for n, do in enumerate(work):
            self.thread(self.repeat, do, random.Random(f"{self.seed}.{n}"))
        for name, query in streams:
            self.thread(self.repeat, self.follow_events, self.tree[name], query)

    def thread(self, *args):
        t = threading.Thread(target=args[0], args=args[1:], daemon=True)
        self.threads.append(t)
        t.start()

    def repeat(self, do, *args):
        try:
            while not self.enough.is_set():
                try:
                    do(*args)
                except LOST as e:
                    self.refused[type(e).__name__] += 1
                    pause(0.02)
        except BaseException as e:  # pylint: disable=broad-except
            self.failure = self.failure or e

    def stop(self):
        self.enough.set()
        for t in self.threads:
            t.join(60)
        self.threads.clear()
        self.enough.clear()

    # Jobs

    def invent(self, dice):
        target = dice.choice(list(self.tree.members))
        ways = self.tree.ways(target)
        asked, prefix = dice.choice(ways)
        project = f"p{dice.randrange(PROJECTS)}"
        r = dice.random()
        if r < 0.04:
            operation, body = "cancel", None
        elif r < 0.25:
            operation, body = "down", {"force": True}
        else:
            operation, body = "up", {"director_file": DIRECTOR_FILE,
                                     "restart": r < 0.55}
        return Request(next(self.numbers), target, asked, prefix, operation,
                       project, body, dice.random() < 0.8)

    def submit(self, dice):
        with contextlib.suppress(IndexError):
            self.send(self.open.popleft())
            return
        request = self.invent(dice)
        target = self.tree[request.target]
        if len(target.active()) >= BACKLOG:
            pause(0.1 * dice.random())
            return
        self.send(request)
        pause(0.05 * dice.random())

    def send(self, request):
        """Asks for a job. One with a key is asked for until there is an answer
        that counts."""
        target = self.tree[request.target]
        request.tries += 1
        target.sending += 1
        try:
            r = request.asked.post(request.path, request.body,
                                   headers=request.headers(), timeout=TIMEOUT)
        except LOST:
            if request.keyed:
                self.open.append(request)
            raise
        finally:
            target.sending -= 1
        if r.status == 200:
            request.job = r.json["job_id"]
            self.acknowledged.append(request)
            self.done["through chains" if request.chained else "direct"] += 1
            if request.tries > 1:
                self.done["after several tries"] += 1
            return
        self.refused[r.status] += 1
        if request.keyed:
            self.open.append(request)
            pause(0.05)

    def settle(self):
        """When all is calm: what is open still is asked for until it counts."""
        while self.open:
            request = self.open.popleft()
            try:
                self.send(request)
            except LOST:
                pause(0.1)

    # Metadata

    def write_metadata(self, dice):
        """One writer, who counts. After a write that may or may not have been
        done, perhaps later, the key is left as it is."""
        target = dice.choice(list(self.tree.members))
        asked, prefix = dice.choice(self.tree.ways(target))
        key = self.keys.get(target)
        if key is None:
            key = self.keys[target] = f"k{next(self.numbers)}"
            method, state = "POST", self.metadata.setdefault(
                (target, key), {"kept": 0, "tried": 0})
        else:
            method, state = "PUT", self.metadata[target, key]
        state["tried"] += 1
        text = f"{state['tried']} " + "x" * dice.choice((10, 1000, 50000))
        status = None
        try:
            status = asked.request(method, f"{prefix}/metadata/{key}",
                                   {"value": text}, timeout=TIMEOUT).status
        finally:
            if status in (200, 201):
                state["kept"] = state["tried"]
                self.done["metadata"] += 1
            else:
                del self.keys[target]
        if status not in (200, 201):
            self.refused[status] += 1
        pause(0.1 * dice.random())

    # Reading

    def read_tree(self, dice):
        m = self.tree[dice.choice(("main", "main", "alpha", "charlie"))]
        r = m.get("/v1/tree?include=projects,jails,info,breakers"
                  "&timeout_ms=3000", timeout=TIMEOUT)
        if r.status == 200:
            self.done["trees"] += 1
        else:
            self.refused[r.status] += 1
        pause(0.3 * dice.random())

    def follow_output(self, dice):
        target = self.tree[dice.choice(list(self.tree.members))]
        asked, prefix = dice.choice(self.tree.ways(target.name))
        running = [job for job, _, state, _ in target.active()
                   if state == "running"]
        if not running:
            pause(0.1)
            return
        c, r = open_stream(asked, f"{prefix}/jobs/{dice.choice(running)}"
                           "/output?follow=1&stream=stderr")
        try:
            c.sock.settimeout(TIMEOUT)
            r.read()
            self.done["outputs followed" if r.status == 200
                      else "outputs too late"] += 1
        finally:
            c.close()

    def follow_events(self, member, query):
        """Ids go up by one; a line that is no event is a fault."""
        s = Stream(member, query)
        try:
            s.c.sock.settimeout(TIMEOUT)
            while not self.enough.is_set():
                event = s.read()
                if event is None:
                    return
                _, _, data = event
                if not isinstance(data, dict) or "at" not in data:
                    raise AssertionError(f"no event of ours: {event}")
                self.done["events"] += 1
        except json.JSONDecodeError:
            # Cut off within a line.
            pass
        finally:
            s.close()
