# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The crash test behind run.sh. One thread submits jobs and keeps the ledger of
what was acknowledged; the main one kills and starts again. At the end everything
must have come true: see check()."""

import argparse
import collections
import json
import os
import pathlib
import random
import re
import select
import shutil
import signal
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "e2e"))

from node import DIRECTOR_FILE, Node, is_alive, wait_for  # noqa: E402

PROJECTS = 6
BACKLOG = 14
VICTIMS = ("overlordd", "overlord-exec", "both")
CELLS = ("queued", "running/down", "running/up", "interrupted")
# A job that no helper works on cannot be hit by killing one.
IMPOSSIBLE = {("overlord-exec", "queued"), ("overlord-exec", "interrupted")}
FINISHED = {"completed", "incomplete", "failed", "cancelled"}
# What a project's `up` may end with by its own behaviour.
BEHAVIOURS = {
    "p0": ["delay=0.05", "hold-output"],
    "p1": ["delay=0.2"],
    "p2": ["delay=0.4", "hold-output"],
    "p3": ["rc=7", "delay=0.1"],
    "p4": ["stderr-bytes=200000", "delay=0.1"],
    "p5": ["down-delay=0.3", "delay=0.1"],
}


def pause(seconds):
    select.select([], [], [], seconds)


class Load(threading.Thread):
    """Submits jobs until told to end; remembers what was acknowledged."""

    def __init__(self, node, seed):
        super().__init__(daemon=True)
        self.node = node
        self.random = random.Random(seed)
        self.enough = threading.Event()
        # job id -> (project, operation)
        self.ledger = {}
        self.refused = collections.Counter()
        self.failure = None

    def run(self):
        try:
            while not self.enough.is_set():
                self.submit()
                pause(self.random.uniform(0, 0.03))
        except Exception as e:  # pylint: disable=broad-except
            self.failure = e

    def unfinished(self):
        r = self.node.get("/v1/jobs?state=queued,running,interrupted")
        return len(r.json["jobs"])

    def submit(self):
        project = "p%d" % self.random.randrange(PROJECTS)
        dice = self.random.random()
        try:
            if self.unfinished() >= BACKLOG:
                pause(0.02)
                return
            if dice < 0.05:
                operation, body = "cancel", {}
            elif dice < 0.25:
                operation, body = "down", {"force": True}
            else:
                operation, body = "up", {"director_file": DIRECTOR_FILE,
                                         "restart": dice < 0.6}
            r = self.node.post(f"/v1/project/{operation}/{project}", body,
                               timeout=20)
        except (OSError, IndexError, ValueError) as e:
            # The daemon is down or died in the middle: not acknowledged.
            self.refused[type(e).__name__] += 1
            pause(0.01)
            return
        except Exception as e:  # http.client's, after a cut reply
            self.refused[type(e).__name__] += 1
            return
        if r.status == 200:
            self.ledger[r.json["job_id"]] = (project, operation)
        else:
            self.refused[r.status] += 1


class Chaos:
    def __init__(self, node, seed):
        self.node = node
        self.random = random.Random(seed)
        self.table = collections.Counter()
        self.kills = 0
        self.idle = 0
        # Jobs whose helper we killed: they may have been disturbed.
        self.disturbed = set()
        self.fds = 0

    def active(self):
        """[(job id, cell)] of what is queued or running now."""
        jobs = self.node.get(
            "/v1/jobs?state=queued,running,interrupted").json["jobs"]
        found = []
        for job in jobs:
            if job["type"] == "cancel":
                continue
            cell = job["state"]
            if cell == "running":
                if not job["steps"]:
                    continue
                cell += "/" + job["steps"][-1]["name"]
            found.append((job["id"], cell))
        return found

    def helper_cells(self):
        """{pid: (job id, cell)} of the helpers that live."""
        found = {}
        pids = self.node.helpers()
        for pid in pids:
            proc = pathlib.Path(f"/proc/{pid}")
            try:
                args = (proc / "cmdline").read_bytes()
                stat = (proc / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            # A helper's child looks like it until its command starts.
            if int(stat.rpartition(")")[2].split()[1]) in pids:
                continue
            m = re.search(rb"/(\d+)\.(up|down)\.\d+", args)
            if m:
                found[pid] = (int(m[1]), "running/" + m[2].decode())
        return found

    def strike(self):
        victim = self.random.choice(VICTIMS)
        pause(self.random.choice((0, 0.005, 0.02, 0.08, 0.2))
              * self.random.random())
        hit = []
        if victim != "overlord-exec":
            hit = [cell for _, cell in self.active()]
        if victim != "overlordd":
            helpers = self.helper_cells()
            if helpers:
                pid = self.random.choice(sorted(helpers))
                job, cell = helpers[pid]
                self.disturbed.add(job)
                if victim == "overlord-exec":
                    hit = [cell]
                if victim == "both":
                    self.node.process.kill()
                Node.signal(pid, signal.SIGKILL)
        if victim != "overlord-exec":
            self.node.kill()
            pause(self.random.choice((0, 0, 0.05)))
            self.node.start()
        if not hit:
            self.idle += 1
            return
        self.kills += 1
        for cell in hit:
            self.table[victim, cell] += 1

    def print_table(self):
        print("\nvictim          " + "".join(f"{c:>14}" for c in CELLS))
        empty = []
        for victim in VICTIMS:
            print(f"{victim:<16}" + "".join(
                f"{'-' if (victim, c) in IMPOSSIBLE else self.table[victim, c]:>14}"
                for c in CELLS))
            empty += [f"{victim} x {c}" for c in CELLS
                      if not self.table[victim, c]
                      and (victim, c) not in IMPOSSIBLE]
        print(f"{self.kills} kills hit, {self.idle} into an idle node")
        print("empty cells: " + (", ".join(empty) or "none"))


class Checker:
    def __init__(self):
        self.faults = []

    def need(self, true, text):
        if not true:
            self.faults.append(text)


def job_of_call(argv):
    m = re.search(r"overlord-[^-]*-(\d+)$", argv[argv.index("-f") + 1])
    return int(m[1])


def check_jobs(c, node, ledger, jobs):
    """Every acknowledged job ran to its end."""
    for job_id, (project, operation) in sorted(ledger.items()):
        job = jobs.get(job_id)
        c.need(job is not None, f"job {job_id} was acknowledged and is lost")
        if job is None:
            continue
        c.need(job["state"] in FINISHED,
               f"job {job_id} is still {job['state']}")
        c.need(job["name"] == project and job["type"] == operation,
               f"job {job_id} is not what was asked for")
        c.need(job["state"] != "failed",
               f"job {job_id} failed: {job['message']}")


def check_order(c, node, jobs):
    """One at a time in each project, in order, no run without a record."""
    by_project = collections.defaultdict(list)
    for row in node.calls("appjail-director"):
        if row[3][1] in ("up", "down"):
            by_project[row[3][row[3].index("-p") + 1]].append(row)
    runs = collections.Counter()
    for project, rows in by_project.items():
        rows.sort()
        for before, after in zip(rows, rows[1:]):
            # A `down` has no handler: TERM leaves no end line.
            if before[4] is None:
                c.need(not is_alive(before[1]),
                       f"{project}: pid {before[1]} has not ended")
            else:
                c.need(before[4] <= after[0],
                       f"{project}: {before[3]} and {after[3]} overlap")
        ups = [job_of_call(r[3]) for r in rows if r[3][1] == "up"]
        c.need(ups == sorted(ups), f"{project}: out of order: {ups}")
        for job_id in ups:
            runs[job_id, "up"] += 1
        runs[project, "down"] = len(rows) - len(ups)
    recorded = collections.Counter()
    for job in jobs.values():
        for step in job["steps"]:
            key = job["id"] if step["name"] == "up" else job["name"]
            recorded[key, step["name"]] += 1
    for key, n in runs.items():
        c.need(n <= recorded[key],
               f"{key}: {n} runs, {recorded[key]} recorded attempts")
    for job in jobs.values():
        ended_well = job["state"] in ("completed", "incomplete")
        if job["type"] == "up" and ended_well:
            c.need(runs[job["id"], "up"] >= 1,
                   f"job {job['id']} is {job['state']} and never ran")


def check_undisturbed(c, node, jobs, disturbed, cancelled):
    """The daemon's death changed nothing for Director. (An attempt that the
    daemon's death cut off before its command was released ran nothing.)"""
    ran = collections.Counter(
        job_of_call(row[3]) for row in node.calls("appjail-director")
        if row[3][1] == "up")
    for job in jobs.values():
        if job["id"] in disturbed or job["type"] == "cancel" or \
                job["name"] in cancelled:
            continue
        c.need(ran[job["id"]] <= 1,
               f"job {job['id']} ran {ran[job['id']]} times although its "
               "helper was not killed")
        for step in job["steps"]:
            allowed = (0, 7) if job["name"] == "p3" else (0, 66)
            c.need(step["rc"] in allowed or step["name"] == "down"
                   or step["note"] == "vanished",
                   f"job {job['id']}: step {step['name']} ended with "
                   f"{step['rc']}")


def check_left_over(c, chaos, node):
    """No helper, stray process, run directory or descriptor."""
    c.need(not node.helpers(), f"helpers left: {node.helpers()}")
    runs = node.runs()
    c.need(not runs, f"run directories left: {runs}")
    for row in node.calls():
        if row[4] is None:
            c.need(not is_alive(row[1]), f"pid {row[1]} left of {row[3]}")
    files = [f for f in os.listdir(node.root / "tmp")]
    c.need(not files, f"temporary files left: {files}")
    leaks = node.standin / "leaks.log"
    c.need(not leaks.exists(), "commands inherited descriptors")
    fds = count_fds(node)
    c.need(fds <= chaos.fds + 2,
           f"{fds} descriptors open, {chaos.fds} at the start")


def check_deployed(c, node):
    """What runs in jails lives."""
    c.need(not node.dead_jails(), f"jails died: {node.dead_jails()}")


def count_fds(node):
    path = f"/proc/{node.process.pid}/fd"
    return len(os.listdir(path)) if os.path.isdir(path) else 0


def all_jobs(node):
    jobs, before = {}, ""
    while True:
        page = node.get("/v1/jobs?limit=1000" + before).json["jobs"]
        if not page:
            return jobs
        jobs.update((j["id"], j) for j in page)
        before = "&before=%d" % page[-1]["id"]


def run(args):
    root = pathlib.Path(tempfile.mkdtemp(prefix="overlord-chaos."))
    node = Node(root, {
        "max_watch_commands": 4,
        "jobs": {"max_attempts": 1000, "keep": 1000000},
        "limits": {"connections_per_address": 4096},
    })
    for project, lines in BEHAVIOURS.items():
        node.behave(project, *lines)
    c = Checker()
    try:
        node.start()
        chaos = Chaos(node, args.seed)
        chaos.fds = count_fds(node)
        load = Load(node, args.seed + 1)
        load.start()
        while chaos.kills < args.kills and load.failure is None:
            chaos.strike()
        load.enough.set()
        load.join(60)
        if load.failure is not None:
            raise load.failure
        wait_for("all jobs to end", lambda: not chaos.active(), 120, 0.05)
        wait_for("commands to be tidied up", lambda: not node.runs(), 30)
        jobs = all_jobs(node)
        cancelled = {p for p, op in load.ledger.values() if op == "cancel"}
        # A cancel whose answer was cut is in no ledger.
        cancelled |= {j["name"] for j in jobs.values()
                      if j["type"] == "cancel"}
        check_jobs(c, node, load.ledger, jobs)
        check_order(c, node, jobs)
        check_undisturbed(c, node, jobs, chaos.disturbed, cancelled)
        check_left_over(c, chaos, node)
        check_deployed(c, node)
        c.need(node.stop() == 0, "the daemon did not stop with 0")
        rc = os.spawnve(os.P_WAIT, str(args.daemon),
                        [str(args.daemon), "-f", str(node.config), "--check"],
                        node.env())
        c.need(rc == 0, "overlordd --check finds a fault in the store")
        chaos.print_table()
        states = collections.Counter(j["state"] for j in jobs.values())
        print(f"{len(load.ledger)} jobs acknowledged, {len(jobs)} in the "
              f"store: " + ", ".join(f"{n} {s}" for s, n in
                                     sorted(states.items())))
        print("not acknowledged: " + (json.dumps(
            {str(k): v for k, v in load.refused.items()}) or "none"))
    finally:
        node.dispose()
        if c.faults or sys.exc_info()[0]:
            print(f"kept for inspection: {root}")
        else:
            shutil.rmtree(root)
    return c.faults


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--kills", type=int, default=200)
    p.add_argument("--seed", type=int,
                   default=int.from_bytes(os.urandom(4), "big"))
    args = p.parse_args()
    build = pathlib.Path(os.environ.get("OVERLORD_BUILD", ROOT / "build"))
    args.daemon = build.resolve() / "daemon" / "overlordd"
    print(f"seed {args.seed}, {args.kills} kills", flush=True)
    faults = run(args)
    for text in faults[:40]:
        print("FAULT " + text)
    if faults:
        print(f"{len(faults)} faults; replay with --seed {args.seed}")
        return 1
    print("nothing lost, nothing twice, nothing left over")
    return 0


if __name__ == "__main__":
    sys.exit(main())
