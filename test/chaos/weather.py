# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What goes wrong around the nodes, beside the kills: links, disks, clocks,
calls of the kernel. Each fault comes over one node for a moment, is counted,
and goes."""

import collections
import errno
import random
import threading
import time

from faults import OPS
from tree import pause

# Seconds between two jumps of a clock: a command meets one at most, since of
# two, there and back, nobody can tell what was when.
STEADY = 20
# Seconds by which it is off. A key of a request holds for a day.
OFFSETS = (-21600, -3600, -60, -1, 0, 1, 60, 3600, 21600)


class Weather(threading.Thread):
    def __init__(self, tree, seed):
        super().__init__(daemon=True)
        self.tree = tree
        self.random = random.Random(f"{seed}.weather")
        self.enough = threading.Event()
        self.counts = collections.Counter()
        self.failure = None
        # Until when a clock may not jump again.
        self.steady = {}
        self.kinds = {"link cut": self.link, "link stalled": self.link,
                      "link reset": self.link, "disk full": self.disk}
        for op in OPS:
            for how in ("slow", "fails"):
                self.kinds[f"{op} {how}"] = self.call
        if any(m.clock.library for m in tree):
            self.kinds["clock jumps"] = self.clock

    def run(self):
        try:
            while not self.enough.is_set():
                # First each once, for a short run to have had it all.
                kind = self.random.choice(self.missing() or list(self.kinds))
                self.kinds[kind](kind)
                pause(0.2 * self.random.random())
        except BaseException as e:  # pylint: disable=broad-except
            self.failure = e

    def stop(self):
        self.enough.set()
        self.join(60)

    def happened(self):
        """{kind: how often it did happen}; of calls that fail or are late each
        counts."""
        counts = collections.Counter(self.counts)
        for m in self.tree:
            for calls in m.calls_of.values():
                for op, (failed, slowed) in calls.counts().items():
                    counts[f"{op} fails"] += failed
                    counts[f"{op} slow"] += slowed
        return counts

    def missing(self):
        counts = self.happened()
        return [kind for kind in self.kinds if not counts[kind]]

    def last(self):
        pause(self.random.choice((0.1, 0.5, 1, 2)))

    def victim(self):
        return self.random.choice(list(self.tree))

    def link(self, kind):
        m = self.random.choice([m for m in self.tree if m.links])
        relay = m.links[self.random.choice(list(m.links))]
        relay.tell(kind.split()[1])
        self.counts[kind] += 1
        if kind != "link reset":
            self.last()
            relay.tell("open")

    def disk(self, kind):
        m = self.victim()
        if not m.disk.mounted:
            for calls in m.calls_of.values():
                calls.set("write", fail=1000, error=errno.ENOSPC)
        elif not m.disk.fill():
            return
        self.counts[kind] += 1
        self.last()
        m.calm()

    def call(self, kind):
        op, how = kind.split()
        m = self.victim()
        for calls in m.calls_of.values():
            if how == "slow":
                calls.set(op, slow=self.random.choice((50, 500)),
                          slow_s=self.random.choice((0.002, 0.02, 0.2)))
            else:
                calls.set(op, fail=self.random.choice((10, 100, 1000)))
        self.last()
        m.calm()
        if op == "sync" and how == "fails":
            self.reopen(m)

    def reopen(self, m):
        """A store whose disk has failed stays read-only until a restart."""
        if m.is_read_only():
            with m.lock:
                m.crash()
                m.revive()
            self.counts["restart of a read-only store"] += 1

    def clock(self, kind):
        m = self.victim()
        offset = self.random.choice(OFFSETS)
        now = time.monotonic()
        if offset == m.clock.offset or now < self.steady.get(m.name, 0):
            return
        self.steady[m.name] = now + STEADY
        if all(calls.jump(offset) for calls in m.calls_of.values()):
            m.clock.set(offset)
            self.counts[kind] += 1

    def print(self, strikers):
        counts = self.happened()
        for m in self.tree:
            for rc, n in m.unstarted.items():
                counts[f"start refused with {rc}"] += n
        counts["cache damaged"] = sum(s.caches for s in strikers)
        print("\nfault" + " " * 27 + "times")
        for name, n in sorted(counts.items()):
            print(f"{name:<29}{n:>8}")
