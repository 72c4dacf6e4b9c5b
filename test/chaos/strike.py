# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Kills, and the table of what they hit: victim x state of a job x step."""

import collections
import contextlib
import random
import threading
import time

from node import DIRECTOR_FILE

from load import LOST
from tree import pause

# What is killed at once. "all" is what a machine without power is to a node.
VICTIMS = ("overlordd", "overlord-exec", "both", "director", "appjail", "all")
# "sent": a request that makes a job is under way.
CELLS = ("sent", "queued", "up: down", "up: up", "down: down", "interrupted")
# A job that no process works on cannot be hit by killing one.
OF_RUNS = ("up: down", "up: up", "down: down")
WITH_DAEMON = ("overlordd", "both", "all")
OTHERS = tuple(v for v in VICTIMS if v not in WITH_DAEMON)
PAUSES = (0, 0, 0.01, 0.05, 0.2, 0.5)
# What ends with the next write: a slow disk makes it last.
SHORT = ("sent", "interrupted")
# A project to be aimed at; seconds for one aim, and until another job is asked
# for; looks at one go.
AIMED_AT = "aim"
AIM = 20
PROVOKE = 3
LOOKS = 20


def is_possible(victim, cell):
    return victim in WITH_DAEMON or cell in OF_RUNS


class Table:
    def __init__(self):
        self.lock = threading.Lock()
        self.hits = collections.Counter()
        self.kills = collections.Counter()
        self.idle = 0

    def total(self):
        return sum(self.kills.values())

    def add(self, victim, cells, processes):
        """So many processes were killed, and these cells hit."""
        with self.lock:
            if not cells:
                self.idle += processes
                return
            self.kills[victim] += processes
            for cell in cells:
                self.hits[victim, cell] += 1

    def empty(self):
        return [(v, c) for v in VICTIMS for c in CELLS
                if is_possible(v, c) and not self.hits[v, c]]

    def print(self):
        print("\nvictim         " + "".join(f"{c:>12}" for c in CELLS)
              + f"{'processes':>12}")
        for v in VICTIMS:
            row = [self.hits[v, c] if is_possible(v, c) else "-"
                   for c in CELLS]
            print(f"{v:<15}" + "".join(f"{n:>12}" for n in row)
                  + f"{self.kills[v]:>12}")
        print(f"{self.total()} kills hit a job, {self.idle} none")
        print("empty cells: " + (", ".join(
            f"{v} x {c}" for v, c in self.empty()) or "none"))


class Striker:
    """Kills at one node, between start() and stop()."""

    def __init__(self, member, table, seed):
        self.member = member
        self.table = table
        self.random = random.Random(f"{seed}.{member.name}")
        self.enough = threading.Event()
        self.thread = None
        self.victims = VICTIMS
        self.failure = None
        self.caches = 0
        # Jobs that were disturbed: their helper or their command was killed.
        self.disturbed = set()
        # pid -> when: of a process that was killed nobody else knows the end.
        self.killed = {}

    def start(self, victims=VICTIMS):
        self.victims = victims
        self.enough.clear()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.enough.is_set():
                pause(self.random.choice(PAUSES) * self.random.random())
                self.round(self.random.choice(self.victims))
        except BaseException as e:  # pylint: disable=broad-except
            self.failure = e

    def stop(self):
        self.enough.set()
        self.thread.join(120)

    def cells_now(self):
        """Cells of the jobs that are queued or run."""
        cells = ["sent"] if self.member.sending else []
        for _, kind, state, step in self.member.active():
            if kind == "cancel":
                continue
            if state != "running":
                cells.append(state)
            elif f"{kind}: {step}" in CELLS:
                cells.append(f"{kind}: {step}")
        return cells

    def cell_of(self, run):
        return f"{self.member.types.get(run.job, 'up')}: {run.step}"

    def round(self, victim):
        cells = []
        if victim in WITH_DAEMON:
            with contextlib.suppress(*LOST):
                cells = self.cells_now()
        self.kill(victim, cells)

    def kill(self, victim, cells):
        m = self.member
        runs = m.active_runs() if victim != "overlordd" else []
        self.random.shuffle(runs)
        if victim in ("overlord-exec", "both"):
            runs = runs[:self.random.choice((1, 1, 2, 4))]
        with m.lock:
            killed = 0
            if victim in WITH_DAEMON:
                # In one blow, as far as that goes.
                m.blow()
                killed += 1
            for run in runs:
                n = self.kill_of_run(victim, run)
                killed += n
                if n and victim not in WITH_DAEMON:
                    cells.append(self.cell_of(run))
            if victim in WITH_DAEMON:
                self.bring_back()
        if killed:
            self.table.add(victim, cells, killed)

    def kill_of_run(self, victim, run):
        pids = []
        if victim in ("overlord-exec", "both", "all"):
            pids.append(run.helper)
        if victim in ("director", "all") and run.director:
            pids.append(run.director)
        if victim in ("appjail", "all"):
            pids += run.appjail
        if pids:
            self.disturbed.add(run.job)
        n = 0
        for pid in pids:
            at = self.member.strike(pid)
            if at is not None:
                self.killed[pid] = at
                n += 1
        return n

    def bring_back(self):
        m = self.member
        m.bury()
        if self.random.random() < 0.15:
            self.caches += m.truncate_cache(self.random)
        pause(self.random.choice((0, 0, 0, 0.05, 0.3)))
        m.revive()

    # Aiming

    def aim(self, victim, cell):
        """Makes what is to be hit, waits for it, and strikes; whether that
        did."""
        m = self.member
        m.behave(AIMED_AT, "delay=1", "down-delay=1")
        before = self.table.hits[victim, cell]
        end = time.monotonic() + AIM
        due = 0
        while self.table.hits[victim, cell] == before:
            now = time.monotonic()
            if now > end:
                return False
            with contextlib.suppress(*LOST):
                if now >= due:
                    due = now + PROVOKE
                    self.provoke(cell)
                if cell in SHORT:
                    m.calls_of["daemon"].set("sync", slow=1000, slow_s=0.15)
                if cell == "interrupted":
                    for run in m.active_runs()[:1]:
                        self.kill_of_run("overlord-exec", run)
                self.strike_when(victim, cell)
            m.calls_of["daemon"].clear()
            pause(0.01)
        return True

    def strike_when(self, victim, cell):
        for _ in range(LOOKS):
            cells = self.cells_now()
            if cell in cells:
                self.kill(victim, cells if victim in WITH_DAEMON else [])
                return

    def provoke(self, cell):
        """Asks for a job that will be in this cell, or two."""
        kind = "down" if cell.startswith("down") else "up"
        body = {"force": True} if kind == "down" else {
            "director_file": DIRECTOR_FILE, "restart": cell == "up: down"}
        for _ in range(2 if cell == "queued" else 1):
            self.member.post(f"/v1/project/{kind}/{AIMED_AT}", body, timeout=5)
