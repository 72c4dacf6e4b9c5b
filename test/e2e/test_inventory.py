# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What there is on a node is found by watching, kept, and looked at in turns:
design.md 3.3 and 3.6, runtime.md 4."""

import os
import re
import shutil

import pytest

from listener import Stream
from node import wait_for

QUICK = {"jails": 0, "projects": 0, "jail_info": 0, "jail_stats": 0,
         "jail_extras": 0, "project_info": 0, "skew": [0, 0]}


def metric(node, name):
    text = node.get("/v1/metrics").text
    return int(re.search(rf"^{re.escape(name)} (\d+)$", text, re.M).group(1))


def kept(node):
    return metric(node, 'overlord_inventory_answers_total{from="cache"}')


def labels(node, jail):
    r = node.get(f"/v1/jail/labels/{jail}")
    return r.json["labels"] if r.status == 200 else r.status


def is_kept(node, jail="a"):
    """Reads an answer until it is a kept one: files must be a while old."""
    def once():
        before = kept(node)
        labels(node, jail)
        return kept(node) > before
    return once


@pytest.fixture
def listen():
    streams = []

    def make(node, query=""):
        streams.append(Stream(node, query).greeted())
        return streams[-1]
    yield make
    for s in streams:
        s.close()


def jail_is(name, state):
    return lambda kind, data: (kind == "jail" and data["name"] == name and
                               data["state"] == state)


def test_jails_come_and_go(node, listen):
    assert node.get("/v1/jails").json["jails"] == []
    assert metric(node, "overlord_inventory_watched") == 1
    s = listen(node, "?type=jail")
    node.put("b", "x")
    seen = s.until(jail_is("b", "added"))
    assert set(seen[-1][2]) == {"name", "state", "at"}
    node.put("a", "x")
    s.until(jail_is("a", "added"))
    assert node.get("/v1/jails").json["jails"] == ["a", "b"]
    os.rename(node.standin / "jails/a", node.standin / "jails/c")
    seen = s.until(jail_is("c", "added"))
    assert ("a", "removed") in [(d["name"], d["state"]) for _, _, d in seen]
    assert node.get("/v1/jails").json["jails"] == ["b", "c"]
    assert metric(node, "overlord_jails") == 2
    shutil.rmtree(node.standin / "jails")
    s.until(jail_is("c", "removed"))
    assert node.get("/v1/jails").json["jails"] == []
    assert labels(node, "b") == 404
    node.put("d", "x")
    s.until(jail_is("d", "added"))


def test_a_list_is_never_older_than_the_question(node):
    for n in range(100):
        node.put(f"j{n:02}", "x")
        assert node.get("/v1/jails").json["jails"] == [
            f"j{i:02}" for i in range(n + 1)]
        assert node.request("HEAD", f"/v1/jail/info/j{n:02}").status == 200
    projects = node.standin / "director" / "projects"
    for n in range(20):
        (projects / f"p{n:02}").mkdir(parents=True)
        assert len(node.get("/v1/projects").json["projects"]) == n + 1
    shutil.rmtree(projects)
    assert node.get("/v1/projects").json["projects"] == []


def test_without_a_change_nothing_is_listed(node):
    node.put("a", "x")
    assert node.get("/v1/jails").json["jails"] == ["a"]
    wait_for("the last change to be seen", lambda: metric(
        node, "overlord_jails") == 1)
    before = metric(node, "overlord_inventory_lists_total")
    for _ in range(20):
        assert node.get("/v1/jails").json["jails"] == ["a"]
        assert node.request("HEAD", "/v1/jail/info/a").status == 200
        tree = node.get("/v1/tree?include=jails").json["tree"]
        assert tree["jails"] == ["a"]
    assert metric(node, "overlord_inventory_lists_total") <= before + 1


def test_who_runs_is_told(make_node, listen):
    node = make_node({"polling": QUICK}).start()
    node.put("a", "x")
    s = listen(node)
    # How it is when it is first looked at is no news.
    assert node.get("/v1/jails").json["jails"] == ["a"]
    node.put("a", "up")
    s.until(jail_is("a", "up"))
    (node.standin / "jails/a/up").unlink()
    s.until(jail_is("a", "down"))


def test_a_narrowed_token_hears_of_no_jail(node):
    s = Stream(node, token=node.token(projects=["web"])).greeted()
    node.put("a", "x")
    wait_for("the jail", lambda: metric(node, "overlord_jails") == 1)
    job = node.up("web")
    seen = s.until(lambda kind, data: kind == "job" and data["job"] == job)
    assert {kind for _, kind, _ in seen} == {"job"}
    s.close()


# What is kept

def test_kept_answers_are_right(node):
    node.put("a", "conf/labels/x/value", "1")
    wait_for("a kept answer", is_kept(node), step=0.1)
    assert labels(node, "a") == [{"value": "1", "name": "x"}]
    # The same length, at once.
    node.put("a", "conf/labels/x/value", "2")
    assert labels(node, "a") == [{"value": "2", "name": "x"}]
    node.put("a", "conf/labels/y/value", "3")
    assert len(labels(node, "a")) == 2
    wait_for("a kept answer", is_kept(node), step=0.1)
    shutil.rmtree(node.standin / "jails/a/conf/labels/x")
    assert labels(node, "a") == [{"value": "3", "name": "y"}]
    # Another jail of the same name.
    shutil.rmtree(node.standin / "jails/a")
    node.put("a", "x")
    assert labels(node, "a") == []
    assert node.get("/v1/jail/info/a").json["info"]["status"] == "DOWN"
    node.put("a", "up")
    assert node.get("/v1/jail/info/a").json["info"]["status"] == "UP"


def test_a_project_is_kept_until_anything_of_it_changes(node):
    job = node.wait_job(node.up("web"))
    assert job["state"] == "completed", job

    def services():
        return node.get("/v1/project/info/web").json["info"]["services"]

    def from_cache():
        before = kept(node)
        services()
        return kept(node) > before
    wait_for("a kept answer", from_cache, step=0.1)
    jail = services()[0]["jail"]
    assert services()[0]["status"] == 0
    (node.standin / "jails" / jail / "up").unlink()
    assert services()[0]["status"] == 1
    (node.standin / "director/projects/web/state").write_text("failed")
    assert node.get("/v1/project/info/web").json["info"]["state"] == "FAILED"
    shutil.rmtree(node.standin / "director/projects/web")
    assert "state" not in node.get("/v1/project/info/web").json["info"]


def cache_file(node):
    return node.root / "state" / "cache" / "data.mdb"


def test_a_crash_costs_nothing(node):
    node.put("a", "conf/labels/x/value", "1")
    wait_for("a kept answer", is_kept(node), step=0.1)
    node.kill()
    node.start()
    assert labels(node, "a") == [{"value": "1", "name": "x"}]
    assert kept(node) == 1
    node.put("a", "conf/labels/x/value", "2")
    assert labels(node, "a") == [{"value": "2", "name": "x"}]


@pytest.mark.parametrize("clean", (True, False))
@pytest.mark.parametrize("damage", ("cut", "junk", "half"))
def test_a_damaged_cache_is_thrown_away(node, damage, clean):
    node.put("a", "conf/labels/x/value", "1")
    wait_for("a kept answer", is_kept(node), step=0.1)
    if clean:
        assert node.stop() == 0
    else:
        node.kill()
    data = cache_file(node).read_bytes()
    cache_file(node).write_bytes({
        "cut": data[:len(data) // 3], "junk": b"junk" * 5000,
        "half": data[:8192] + b"\xa5" * (len(data) - 8192)}[damage])
    node.start()
    assert "begins empty: its file is damaged" in node.log_text()
    assert labels(node, "a") == [{"value": "1", "name": "x"}]
    wait_for("a kept answer", is_kept(node), step=0.1)


def test_without_a_cache_all_is_read(make_node):
    node = make_node()
    place = cache_file(node).parent
    place.parent.mkdir(parents=True)
    place.write_text("no directory")
    node.start()
    node.put("a", "conf/labels/x/value", "1")
    for _ in range(3):
        assert labels(node, "a") == [{"value": "1", "name": "x"}]
    assert kept(node) == 0
    assert "what is read is not kept" in node.log_text()


def test_what_has_gone_is_forgotten(node):
    for name in ("a", "b"):
        node.put(name, "conf/labels/x/value", "1")
    wait_for("a kept answer", is_kept(node), step=0.1)
    labels(node, "b")
    wait_for("two kept answers",
             lambda: metric(node, "overlord_cache_entries") == 2)
    shutil.rmtree(node.standin / "jails/b")
    wait_for("one kept answer",
             lambda: metric(node, "overlord_cache_entries") == 1)


# Turns

def turns(node):
    return metric(node, "overlord_inventory_turns_total")


def commands(node):
    return metric(node, "overlord_inventory_commands_total")


def test_what_is_read_is_looked_at_what_is_not_is_left_alone(make_node):
    node = make_node({"polling": {**QUICK, "adaptive": {
        "poll_window": 3600, "max_idle": 7200}}}).start()
    node.put("a", "up")
    node.get("/v1/jail/stats/a")
    before = commands(node)
    wait_for("commands without a reader", lambda: commands(node) > before + 3)
    node.configure({"polling": {**QUICK, "adaptive": {
        "poll_window": 0, "max_idle": 7200}}})
    node.process.send_signal(1)

    def quiet():
        before, since = commands(node), turns(node)
        wait_for("some turns", lambda: turns(node) > since + 12)
        return commands(node) == before
    wait_for("nothing to be asked", quiet)


def test_turns_make_answers_before_they_are_asked_for(make_node):
    node = make_node({"polling": QUICK}).start()
    node.put("a", "conf/labels/x/value", "1")
    labels(node, "a")
    wait_for("an answer to be kept",
             lambda: metric(node, "overlord_cache_entries") > 3)
    before = kept(node)
    wait_for("it to be looked at", lambda: kept(node) > before + 10)


def test_commands_at_once_are_configured(make_node):
    node = make_node({"limits": {"commands": 1}}).start()
    for n in range(8):
        node.put(f"j{n}", "up")
    assert node.get("/v1/stats").json["stats"]["maxproc"] == 8
    calls = sorted(wait_for("the ends", lambda: [
        c for c in node.calls("rctl") if c[4] is not None]
        if all(c[4] for c in node.calls("rctl")) else None))
    assert len(calls) == 8
    assert all(a[4] <= b[0] for a, b in zip(calls, calls[1:]))
