# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The crash test behind run.sh: a tree of five nodes under load, whose
processes are killed while links, disks, clocks and the kernel fail.

The parts: tree.py has the nodes, load.py asks and keeps the ledger, strike.py
kills, weather.py makes the rest fail, checker.py compares at the end."""

import argparse
import json
import math
import pathlib
import random
import signal
import sys
import time

from tree import Tree, pause
from checker import Checker
from load import Load
from strike import OTHERS, VICTIMS, Striker, Table
from weather import Weather

# At the end the daemons live on while all else goes on, so that what leaks in
# them has the time to: seconds, and of the time before.
LAST_MIN = 4
LAST_MAX = 60
LAST_PART = 0.1
# How often each cell that chance has left empty is aimed at.
AIMS = 10
# A line for so many kills.
TELL = 1000


class Torment:
    """The test while it runs: who is tormented, and by whom."""

    def __init__(self, args, tree):
        self.args = args
        self.tree = tree
        self.table = Table()
        self.load = Load(tree, args.seed)
        self.weather = Weather(tree, args.seed)
        self.strikers = [Striker(m, self.table, args.seed) for m in tree]

    def check(self):
        """What has failed in a thread fails the test."""
        for t in (self.load, self.weather, *self.strikers):
            if t.failure is not None:
                raise t.failure

    def run(self):
        started = time.monotonic()
        self.load.start()
        self.weather.start()
        self.rage(started + self.args.seconds)
        spent = time.monotonic() - started
        print(f"{self.table.total()} kills in {spent:.0f} s: "
              f"{self.table.total() / spent * 60:.0f} a minute", flush=True)
        self.aim()
        self.let_live(min(max(spent * LAST_PART, LAST_MIN), LAST_MAX))
        self.weather.stop()
        self.check()

    def rage(self, end):
        """Until enough was killed, or the time is over."""
        self.strike(VICTIMS)
        said = 0
        while self.table.total() < self.args.kills and time.monotonic() < end:
            pause(0.1)
            self.check()
            if self.table.total() >= said + TELL:
                said = self.table.total() // TELL * TELL
                print(f"{said} kills", flush=True)
        self.rest()

    def strike(self, victims):
        for s in self.strikers:
            s.start(victims)

    def rest(self):
        for s in self.strikers:
            s.enough.set()
        for s in self.strikers:
            s.stop()
        self.check()

    def aim(self):
        """At each cell that chance has left empty, at one node after the
        other."""
        for n in range(AIMS):
            for victim, cell in self.table.empty():
                s = self.strikers[n % len(self.strikers)]
                print(f"aiming at {victim} x {cell} on {s.member.name}",
                      flush=True)
                s.aim(victim, cell)
                self.check()

    def let_live(self, seconds):
        self.strike(OTHERS)
        end = time.monotonic() + seconds
        while time.monotonic() < end or (
                self.weather.missing() and time.monotonic() < end + LAST_MAX):
            pause(0.1)
            self.check()
        self.rest()

    def calm_down(self):
        for m in self.tree:
            m.calm()
            for relay in m.links.values():
                relay.tell("open")
            if m.is_read_only():
                m.crash()
                m.revive()
        self.load.stop()
        self.load.settle()
        self.check()


def report(torment, checker):
    load = torment.load
    torment.table.print()
    torment.weather.print(torment.strikers)
    print("\ndone: " + ", ".join(
        f"{n} {what}" for what, n in sorted(load.done.items())))
    print(f"{len(load.acknowledged)} jobs acknowledged; in the stores: "
          + ", ".join(f"{n} {s}" for s, n in sorted(checker.states.items())))
    print("not acknowledged: " + json.dumps(
        {str(k): v for k, v in sorted(load.refused.items(), key=str)}))


def run(args):
    tree = None
    try:
        tree = Tree(args.dir, args.seed)
        torment = Torment(args, tree)
        torment.run()
        torment.calm_down()
        checker = Checker(torment)
        checker.check()
        report(torment, checker)
        if checker.faults:
            tree.keep(args.dir)
        return checker.faults
    finally:
        if tree is not None:
            tree.dispose()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--dir", type=pathlib.Path, required=True)
    p.add_argument("--kills", type=int)
    p.add_argument("--minutes", type=float, default=0)
    p.add_argument("--hours", type=float, default=0)
    p.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    args = p.parse_args()
    args.seconds = args.minutes * 60 + args.hours * 3600
    if args.kills is None:
        args.kills = math.inf if args.seconds else 200
    args.seconds = args.seconds or math.inf
    for signo in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signo, lambda *_: sys.exit(1))
    print(f"seed {args.seed}", flush=True)
    faults = run(args)
    if faults:
        print("\n".join(["", *faults]))
        return 1
    print("nothing lost, nothing twice, nothing left over")
    return 0


if __name__ == "__main__":
    sys.exit(main())
