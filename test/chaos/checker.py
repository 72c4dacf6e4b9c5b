# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What must have come true at the end: nothing acknowledged was lost, nothing
ran twice or at once, nothing is left over, and the tree is whole."""

import collections
import errno
import os
import re
import subprocess

from node import DAEMON, Waited, is_alive, wait_for

from tree import processes

FINISHED = {"completed", "incomplete", "failed", "cancelled"}
QUIET = 120
# Connections between nodes that happen to be open, each way.
SLACK = 4


class Checker:
    def __init__(self, torment):
        self.tree = torment.tree
        self.load = torment.load
        self.table = torment.table
        self.weather = torment.weather
        self.strikers = {s.member.name: s for s in torment.strikers}
        self.faults = []
        self.states = collections.Counter()

    def need(self, true, text):
        if not true:
            self.faults.append(text)

    def wait(self, what, condition):
        """As wait_for(), but what does not come is a fault like others."""
        try:
            wait_for(what, condition, QUIET, 0.05)
        except Waited as e:
            self.faults.append(str(e))

    # While all is quiet, and the daemons still run

    def check(self):
        for m in self.tree:
            self.wait(f"the jobs of {m.name} to end",
                      lambda m=m: not m.active())
            self.wait(f"the commands of {m.name} to be tidied up",
                      lambda m=m: not m.runs())
        self.check_tree()
        for m in self.tree:
            self.check_member(m)
        self.check_metadata()
        self.check_descriptors()
        empty = self.table.empty()
        self.need(not empty, f"cells were not hit: {empty}")
        missing = self.weather.missing()
        self.need(not missing, f"faults that did not happen: {missing}")
        for m in self.tree:
            self.check_end(m)

    def check_tree(self):
        """All answer, all breakers are closed, and an event comes up from the
        lowest."""
        for m in self.tree:
            for asked, prefix in self.tree.ways(m.name):
                self.wait(f"{prefix} at {asked.name} to answer", lambda a=asked,
                          p=prefix: a.get(p + "/ping").status == 200)
        self.wait("the tree to be whole", self.tree.is_whole)
        self.wait("the breakers to close", lambda: all(
            state == "closed" for _, _, state in self.tree.breakers()))

    def check_member(self, m):
        self.faults += [f"{m.name}: {text}" for text in m.faults]
        before = len(self.faults)
        jobs = m.all_jobs()
        self.states.update(j["state"] for j in jobs.values())
        disturbed = self.disturbed(m)
        self.check_jobs(m, jobs)
        self.check_order(m, jobs, disturbed)
        self.check_undisturbed(jobs, disturbed, m)
        self.check_left_over(m)
        self.faults[before:] = [f"{m.name}: {text}"
                                for text in self.faults[before:]]

    def disturbed(self, m):
        """Jobs whose commands or helpers were killed, or met a failing call."""
        found = set(self.strikers[m.name].disturbed)
        for calls in m.calls_of.values():
            for _, _, argument in calls.failed():
                run = re.search(r"/(\d+)\.[a-z-]+\.\d+$", argument)
                if run:
                    found.add(int(run[1]))
        return found

    def check_jobs(self, m, jobs):
        """Every acknowledged job ran to its end, and each request made one."""
        by_request = collections.Counter(
            j["request_id"] for j in jobs.values())
        for r in self.load.acknowledged:
            if r.target != m.name:
                continue
            job = jobs.get(r.job)
            self.need(job is not None,
                      f"job {r.job} was acknowledged and is lost")
            if job is None:
                continue
            self.need(job["state"] in FINISHED,
                      f"job {r.job} is still {job['state']}")
            self.need((job["name"], job["type"]) == (r.project, r.operation),
                      f"job {r.job} is not what was asked for")
            if r.keyed:
                self.need(by_request[r.id] == 1,
                          f"{r.id} made {by_request[r.id]} jobs")
        for job in jobs.values():
            self.need(job["state"] != "failed" or self.may_fail(m, job),
                      f"job {job['id']} failed: {job['message']}")

    def may_fail(self, m, job):
        """A disk that fails may cost the job whose files it was to hold; it
        says so. All else that was short was waited for."""
        why = os.strerror(errno.EIO)
        return (job["message"] or "").endswith(why) and any(
            error == errno.EIO for calls in m.calls_of.values()
            for _, error, _ in calls.failed())

    def check_order(self, m, jobs, disturbed):
        """One at a time in each project, in order, no run without a record."""
        killed = self.strikers[m.name].killed
        by_project = collections.defaultdict(list)
        for row in m.calls("appjail-director"):
            if row[3][1] in ("up", "down"):
                by_project[row[3][row[3].index("-p") + 1]].append(row)
        runs = collections.Counter()
        for project, rows in by_project.items():
            rows.sort()
            for before, after in zip(rows, rows[1:]):
                end = before[4] or killed.get(before[1])
                # A `down` has no handler: TERM leaves no line of the end.
                if end is None:
                    self.need(not is_alive(before[1]),
                              f"{project}: pid {before[1]} has not ended")
                else:
                    self.need(end <= after[0], f"{project}: {before[3]} and "
                              f"{after[3]} overlap")
            ups = [job_of_call(r[3]) for r in rows if r[3][1] == "up"]
            self.need(ups == sorted(ups), f"{project}: out of order: {ups}")
            for job_id in ups:
                runs[job_id, "up"] += 1
            runs[project, "down"] = len(rows) - len(ups)
        recorded = collections.Counter()
        for job in jobs.values():
            for step in job["steps"]:
                key = job["id"] if step["name"] == "up" else job["name"]
                recorded[key, step["name"]] += 1
        for key, n in runs.items():
            self.need(n <= recorded[key],
                      f"{key}: {n} runs, {recorded[key]} recorded attempts")
        for job in jobs.values():
            # One that was killed at once has not said that it was there.
            if job["type"] == "up" and job["id"] not in disturbed and \
                    job["state"] in ("completed", "incomplete"):
                self.need(runs[job["id"], "up"] >= 1,
                          f"job {job['id']} is {job['state']} and never ran")

    def check_undisturbed(self, jobs, disturbed, m):
        """The daemon's death changed nothing for Director. (An attempt that the
        daemon's death cut off before its command was released ran nothing.)"""
        ran = collections.Counter(
            job_of_call(row[3]) for row in m.calls("appjail-director")
            if row[3][1] == "up")
        # A cancel whose answer was cut is in no ledger.
        cancelled = {j["name"] for j in jobs.values()
                     if j["type"] == "cancel"}
        # A Director that is killed may leave a file of its project half
        # written, and the next one ends with 70.
        torn = {}
        for job_id in sorted(disturbed & jobs.keys(), reverse=True):
            torn[jobs[job_id]["name"]] = job_id
        for job in jobs.values():
            if job["id"] in disturbed or job["type"] == "cancel" or \
                    job["name"] in cancelled:
                continue
            self.need(ran[job["id"]] <= 1, f"job {job['id']} ran "
                      f"{ran[job['id']]} times although nobody disturbed it")
            # check_jobs() has judged it.
            if job["state"] == "failed":
                continue
            for step in job["steps"]:
                allowed = (0, 7) if job["name"] == "p3" else (0, 66)
                if torn.get(job["name"], job["id"]) < job["id"]:
                    allowed += (70,)
                self.need(step["rc"] in allowed or step["name"] == "down"
                          or step["note"] == "vanished",
                          f"job {job['id']}: step {step['name']} ended with "
                          f"{step['rc']}")

    def check_left_over(self, m):
        """No helper, stray process, run directory or temporary file."""
        self.need(not m.helpers(), f"helpers left: {m.helpers()}")
        self.wait("what Director called to end", lambda: not m.unended())
        files = os.listdir(m.root / "tmp")
        self.need(not files, f"temporary files left: {files}")
        self.need(not (m.standin / "leaks.log").exists(),
                  "commands inherited descriptors")
        self.need(not m.dead_jails(), f"jails died: {m.dead_jails()}")
        mine, known = str(m.root), {m.process.pid, *m.deployed()}
        stray = [p for p in processes().values()
                 if any(mine in a for a in p.args) and p.pid not in known]
        self.need(not stray, f"stray processes: {stray}")

    def check_metadata(self):
        """What was acknowledged last, or what was tried after it."""
        for (name, key), state in self.load.metadata.items():
            r = self.tree[name].get(f"/v1/metadata/{key}")
            if r.status == 404 and state["kept"] == 0:
                continue
            self.need(r.status == 200, f"{name}: metadata {key}: {r}")
            if r.status != 200:
                continue
            number, _, text = r.json["metadata"].partition(" ")
            self.need(
                state["kept"] <= int(number) <= state["tried"]
                and len(text) in (10, 1000, 50000),
                f"{name}: metadata {key} is {number}, {len(text)} bytes; "
                f"acknowledged {state['kept']}, tried {state['tried']}")

    def check_descriptors(self):
        """Of each kind as many as at the start."""
        for m in self.tree:
            before = len(self.faults)
            self.wait(f"the descriptors of {m.name} to be those of the start",
                      lambda m=m: not self.leaked(m))
            if len(self.faults) > before:
                self.faults.append(f"{m.name} has open {self.leaked(m)} more "
                                   f"than {m.files_first}")

    @staticmethod
    def leaked(m):
        more = m.open_files() - m.files_first
        if more["socket"] <= SLACK * (1 + len(m.links)):
            del more["socket"]
        return more

    def check_end(self, m):
        self.need(m.stop() == 0, f"{m.name} did not stop with 0")
        rc = subprocess.run([DAEMON, "-f", m.config, "--check"], env=m.env(),
                            stdout=subprocess.DEVNULL).returncode
        self.need(rc == 0, f"{m.name}: --check finds a fault in the store")


def job_of_call(argv):
    m = re.search(r"overlord-[^-]*-(\d+)$", argv[argv.index("-f") + 1])
    return int(m[1])
