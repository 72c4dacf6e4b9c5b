# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What has ended is kept by number, age and size, and goes by itself."""

import json
import os
import subprocess
import time

from node import CLIENT, DIRECTOR_FILE, wait_for

DAY = 24 * 3600


def jobs(node):
    return [j["id"] for j in node.get("/v1/jobs").json["jobs"]]


def trail(node):
    return [r["id"] for r in node.get("/v1/audit?limit=1000").json["audit"]]


def deploy(node, n, size=0):
    text = DIRECTOR_FILE + "#" + "x" * size + "\n"
    ids = [node.up("web", director_file=text) for _ in range(n)]
    for i in ids:
        wait_for(f"the end of job {i}", lambda: node.get(
            f"/v1/jobs/{i}").status == 404 or node.job(i)["ended_at"])
    return ids


def test_bounds_are_on_by_default(make_node):
    node = make_node()
    out = subprocess.run(
        [CLIENT, "print-config"], env=node.env(), cwd=node.root,
        stdout=subprocess.PIPE, text=True, check=True).stdout
    config = json.loads(out)
    for what in ("jobs", "audit", "director_logs"):
        for row in ("keep", "keep_time", "keep_size"):
            assert config[what][row] > 0, (what, row)


def test_jobs_by_number(make_node):
    node = make_node({"jobs": {"keep": 3}}).start()
    ids = deploy(node, 6)
    wait_for("the oldest to go", lambda: jobs(node) == ids[:2:-1])
    # A lower number holds for what is there, without another job.
    node.configure({"jobs": {"keep": 1}})
    node.hup()
    wait_for("more to go", lambda: jobs(node) == ids[-1:])


def test_jobs_by_age(make_node):
    node = make_node().start()
    node.behave("slow", "hang")
    running = node.up("slow")
    ids = deploy(node, 3)
    node.hup()
    assert jobs(node) == ids[::-1] + [running]
    node.configure({"jobs": {"keep_time": 1}})
    node.hup()
    wait_for("those that ended to go", lambda: jobs(node) == [running])
    assert node.get(f"/v1/jobs/{ids[0]}").status == 404
    # What came of the project is another matter.
    assert node.info("web")["up"]["job_id"] == ids[-1]
    # And by itself, without a reload.
    node.cancel("slow")
    wait_for("the last to go", lambda: jobs(node) == [])


def test_jobs_by_size(make_node):
    node = make_node({"jobs": {"keep_size": 1 << 20}}).start()
    ids = deploy(node, 6, size=150000)
    assert jobs(node) == ids[::-1]
    more = deploy(node, 4, size=150000)
    wait_for("the oldest to go", lambda: len(jobs(node)) < 8)
    assert jobs(node)[:3] == more[:0:-1]
    node.configure({"jobs": {"keep_size": 1 << 16}})
    node.hup()
    wait_for("all to go", lambda: jobs(node) == [])


def test_the_trail_by_number_and_age(make_node):
    node = make_node({"audit": {"keep": 5}}).start()
    for i in range(8):
        node.request("DELETE", f"/v1/tokens/t{i}")
    assert trail(node) == [8, 7, 6, 5, 4]
    node.configure({"audit": {"keep": 2}})
    node.hup()
    wait_for("the oldest to go", lambda: trail(node) == [8, 7])
    node.configure({"audit": {"keep": 2, "keep_time": 1}})
    node.hup()
    wait_for("the rest to go", lambda: trail(node) == [])
    node.request("DELETE", "/v1/tokens/t9")
    wait_for("the new one to go", lambda: trail(node) == [])
    node.restart()
    node.configure({"audit": {"keep_time": None}})
    node.hup()
    node.request("DELETE", "/v1/tokens/t10")
    assert len(trail(node)) == 1


def log_of_director(node, date, days, size=10):
    top = node.standin / "director" / "logs" / date
    (top / "web").mkdir(parents=True)
    (top / "web" / "makejail.log").write_text("x" * size)
    at = time.time() - days * DAY
    for f in (top / "web" / "makejail.log", top / "web", top):
        os.utime(f, (at, at))
    return date


def logs(node):
    return sorted(os.listdir(node.standin / "director" / "logs"))


def test_logs_of_director(make_node):
    node = make_node()
    old = log_of_director(node, "2024-01-01_00h00m00s", 100)
    some = [log_of_director(node, f"2024-01-02_00h00m0{i}s", 9 - i, 200000)
            for i in range(5)]
    mine = log_of_director(node, "my-notes", 1000)
    node.start()
    # The default age.
    wait_for("the oldest to go", lambda: old not in logs(node))
    assert logs(node) == [*some, mine]
    node.configure({"director_logs": {"keep_time": 8 * DAY - 60}})
    node.hup()
    wait_for("the next to go", lambda: logs(node) == [*some[2:], mine])
    node.configure({"director_logs": {"keep_size": 450000}})
    node.hup()
    wait_for("the next to go", lambda: logs(node) == [*some[3:], mine])
    # What a command may be writing stays, though it is too much.
    node.behave("web", "hang")
    node.up("web")
    node.wait_call("appjail", "makejail")
    node.configure({"director_logs": {"keep": 0}})
    node.hup()
    wait_for("the others to go", lambda: not set(some) & set(logs(node)))
    assert len(logs(node)) == 2 and mine in logs(node)
    assert "old logs of Director were removed" in node.log_text()
