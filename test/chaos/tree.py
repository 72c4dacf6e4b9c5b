# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The tree of five nodes that is tormented: each with faults beneath it, and a
relay on each link."""

import collections
import contextlib
import glob
import http.client
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "e2e"))

from node import BUILD, HELPER, Node, Waited, wait_for  # noqa: E402

from faults import Calls, Clock, Disk  # noqa: E402
from relay import Relay  # noqa: E402

# Who is below whom; leaves first.
SHAPE = {"delta": (), "charlie": ("delta",), "bravo": (), "alpha": ("charlie",),
         "main": ("alpha", "bravo")}
# What is kept open between nodes is to be gone soon, if it is to be gone.
CHAIN = {"max_keepalive_connections": 2, "keepalive_expiry": 2}
LIBRARY = BUILD / "test" / "chaos" / "chaos_faults.so"
OPTIONS = {
    "max_watch_commands": 4,
    # The shortest that there are: a breaker is to open and close often.
    "autodisable": {"failures": 2, "interval": 1, "increase": 1,
                    "max-increase": 1},
    "jobs": {"max_attempts": 1000, "keep": 1000000, "keep_gone": 3600},
    "limits": {"connections_per_address": 4096, "idle": 5},
}
STARTS = 8
TIME_TO_DIE = 60
RUN = re.compile(r"/(\d+)\.([a-z-]+)\.(\d+)$")

Process = collections.namedtuple("Process", "pid ppid args")


def pause(seconds):
    time.sleep(seconds)


def processes_of_ps():
    out = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,ppid=,state=,args="],
                         stdout=subprocess.PIPE, text=True).stdout
    rows = [line.split() for line in out.splitlines()]
    return {int(r[0]): Process(int(r[0]), int(r[1]), r[3:])
            for r in rows if r[2][0] != "Z"}


def processes():
    """{pid: Process} of all that lives."""
    if not os.path.exists("/proc/self/stat"):
        return processes_of_ps()
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError):
            with open(f"/proc/{name}/stat", "rb") as f:
                stat = f.read().rpartition(b")")[2].split()
            with open(f"/proc/{name}/cmdline", "rb") as f:
                args = f.read().decode(errors="replace").split("\0")[:-1]
            if stat[0] != b"Z":
                found[int(name)] = Process(int(name), int(stat[1]), args)
    return found


class Run:
    """A command that runs: its helper, Director, and what that has called."""

    def __init__(self, helper, job, step):
        self.helper = helper
        self.job = job
        self.step = step
        self.director = None
        self.appjail = []


class Member(Node):
    def __init__(self, base, name):
        self.name = name
        self.disk = Disk(base / "nodes" / name)
        root = self.disk.path
        # What the stand-ins saw is the test's, and safe from its faults.
        for kind in ("standin", "control", "log"):
            (base / kind / name).mkdir(parents=True)
        os.symlink(base / "standin" / name, root / "standin")
        self.calls_of = {
            "daemon": Calls(base / "control" / name / "daemon"),
            "helper": Calls(base / "control" / name / "helper")}
        self.clock = Clock(base / "control" / name / "clock")
        log = base / "log" / name / "overlordd.log"
        super().__init__(root, {
            **OPTIONS, "labels": ["all", name], "log": {
                "level": "info", "file": str(log)}})
        self.log = log
        self.configure({"helper": str(self.write_helper(base))})
        self.environment = self.preload("daemon")
        self.links = {}
        # Held by who starts or ends the daemon.
        self.lock = threading.RLock()
        self.sending = 0
        self.faults = []
        self.unstarted = collections.Counter()
        self.files_first = collections.Counter()
        # job id -> type, of jobs that were seen.
        self.types = {}

    def preload(self, which):
        libraries = [str(LIBRARY)]
        if self.clock.library is not None:
            libraries.append(self.clock.library)
        return {"LD_PRELOAD": ":".join(libraries),
                **self.calls_of[which].env(), **self.clock.env()}

    def write_helper(self, base):
        """The daemon gives its helper no environment."""
        path = base / "control" / self.name / "overlord-exec"
        words = " ".join(f"{k}='{v}'" for k, v in
                         self.preload("helper").items())
        path.write_text(f"#!/bin/sh\nexport {words}\nexec {HELPER} \"$@\"\n")
        path.chmod(0o755)
        return path

    # Life

    def calm(self):
        """Nothing goes wrong beneath it from now on."""
        for calls in self.calls_of.values():
            calls.clear()
        if self.disk.mounted:
            self.disk.free()

    def revive(self):
        """Starts it, whatever goes wrong beneath it; that is undone if it does
        not help to try again."""
        with self.lock:
            for n in range(STARTS):
                try:
                    self.start()
                    return
                except Waited:
                    raise
                except AssertionError:
                    self.unstarted[self.process.returncode] += 1
                    if n > 0:
                        self.calm()
            self.start()

    def blow(self):
        """KILL, without waiting."""
        rc = self.process.poll()
        if rc is not None:
            self.faults.append(f"overlordd ended by itself with {rc}: "
                               + self.stderr()[-500:])
        self.process.kill()

    def crash(self):
        """KILL, and it is gone."""
        with self.lock:
            self.blow()
            self.bury()

    def bury(self):
        self.process.wait(TIME_TO_DIE)
        self.sweep(self.process.pid)

    def sweep(self, pid):
        """What libfaketime leaves of a process that was killed."""
        for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
            with contextlib.suppress(OSError):
                os.unlink("/dev/shm/" + name)

    def strike(self, pid):
        """KILL; the moment just before, or None if it was gone."""
        at = time.monotonic_ns()
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return None
        self.sweep(pid)
        return at

    def truncate_cache(self, dice):
        """Makes its cache shorter, or junk; the daemon is down."""
        path = self.root / "state" / "cache" / "data.mdb"
        # It is not there yet, or the disk is full.
        with contextlib.suppress(OSError):
            size = path.stat().st_size
            if dice.random() < 0.7:
                os.truncate(path, dice.randrange(size + 1))
            else:
                with open(path, "r+b") as f:
                    f.seek(dice.randrange(size + 1))
                    f.write(dice.randbytes(8192))
            return True
        return False

    # What goes on

    def active(self):
        """What is queued or runs now: [(job, type, state, step)]."""
        r = self.get("/v1/jobs?state=queued,running,interrupted",
                     timeout=10, described=False)
        if r.status != 200:
            # A store that is opened again cannot be read for a moment.
            raise ConnectionError(str(r))
        found = []
        for job in r.json["jobs"]:
            self.types[job["id"]] = job["type"]
            step = job["steps"][-1]["name"] if job["steps"] else ""
            found.append((job["id"], job["type"], job["state"], step))
        return found

    def active_runs(self):
        """[Run] of the commands that live, found among all processes."""
        everything = processes()
        mine = str(self.root / "run" / "jobs")
        runs = {}
        for p in everything.values():
            m = p.args and p.args[-1].startswith(mine) and RUN.search(p.args[-1])
            # A helper's child looks like it until its command starts.
            if m and not (p.ppid in everything
                          and everything[p.ppid].args == p.args):
                runs[p.pid] = Run(p.pid, int(m[1]), m[2])
        for p in everything.values():
            run = runs.get(p.ppid)
            # A helper reaps what its command has left: a jail, too, is its
            # child until it ends, and nobody's to kill.
            if run is not None and p.args[-1:] != everything[p.ppid].args[-1:] \
                    and not "".join(p.args[:1]).endswith("standin-jaild"):
                run.director = p.pid
        for p in everything.values():
            for run in runs.values():
                if p.ppid == run.director:
                    run.appjail.append(p.pid)
        return list(runs.values())

    def open_files(self):
        """What the daemon has open, {name or kind: how often}."""
        found = collections.Counter()
        fds = f"/proc/{self.process.pid}/fd"
        with contextlib.suppress(FileNotFoundError):
            for fd in os.listdir(fds):
                with contextlib.suppress(FileNotFoundError):
                    name = os.readlink(f"{fds}/{fd}").partition(":")[0]
                    # libfaketime's has the pid at its end.
                    found[name.rstrip("0123456789")] += 1
        return found

    def is_read_only(self):
        """Whether its store waits for a restart; a daemon that cannot be asked
        is restarted anyway."""
        try:
            text = self.get("/v1/metrics", timeout=10, described=False).text
        except (OSError, http.client.HTTPException, IndexError):
            return False
        return "\noverlord_store_read_only 1" in text

    def all_jobs(self):
        jobs, before = {}, ""
        while True:
            page = self.get("/v1/jobs?limit=1000" + before).json["jobs"]
            if not page:
                return jobs
            jobs.update((j["id"], j) for j in page)
            before = "&before=%d" % page[-1]["id"]


class Tree:
    def __init__(self, base, seed):
        self.members = {}
        self.parents = {below: name for name, children in SHAPE.items()
                        for below in children}
        self.random = random.Random(seed)
        for name, children in SHAPE.items():
            m = self.members[name] = Member(base, name)
            chains = {}
            for child in children:
                below = self.members[child]
                m.links[child] = Relay(below.address)
                chains[child] = {"entrypoint": m.links[child].url(),
                                 "access_token": below.token(), **CHAIN}
            m.configure({"chains": chains})
            m.start()
        wait_for("the tree", self.is_whole)
        self.note_descriptors()

    def __iter__(self):
        return iter(self.members.values())

    def __getitem__(self, name):
        return self.members[name]

    def path(self, above, below):
        """The chain that leads from one down to the other; "" for itself, None
        when there is none."""
        words = []
        while below != above:
            words.insert(0, below)
            below = self.parents.get(below)
            if below is None:
                return None
        return ".".join(words)

    def ways(self, target):
        """[(member to ask, prefix of the path)] to reach a member."""
        found = []
        for m in self:
            path = self.path(m.name, target)
            if path is not None:
                found.append((m, f"/v1/chain/{path}" if path else "/v1"))
        return found

    def is_whole(self):
        """Whether one can see all from the top."""
        r = self["main"].get("/v1/tree?include=breakers", timeout=20)
        return r.status == 200 and self.count(r.json["tree"]) == len(SHAPE)

    def count(self, place):
        if place.get("error"):
            return 0
        return 1 + sum(self.count(c) for c in place["chains"])

    def breakers(self):
        """[(member, name, state)] of all."""
        return [(m.name, name, b["state"]) for m in self for name, b in
                m.get("/v1/breakers", timeout=20).json["breakers"].items()]

    def note_descriptors(self):
        for m in self:
            m.files_first = m.open_files()

    def dispose(self):
        for m in self:
            with contextlib.suppress(Exception):
                m.calm()
        for m in self:
            m.dispose()
        for f in glob.glob("/dev/shm/*faketime_s*_*"):
            pid = f.rpartition("_")[2]
            if not os.path.exists("/proc/" + pid):
                self.members["main"].sweep(pid)

    def keep(self, base):
        """Copies what is on file systems of the test, for inspection."""
        for m in self:
            if m.disk.mounted:
                subprocess.run(["cp", "-a", m.disk.path, base / f"kept-{m.name}"])
