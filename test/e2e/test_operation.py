# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Restarts, upgrades, rotated logs and reloads while there is much to do: nothing
is lost, nothing is done twice, nobody is cut off. And what the daemon says of
directories and disks that are not as they should be."""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import pytest

from children import http as reply_of
from node import (BUILD, DAEMON, DEADLINE, DIRECTOR_FILE, HELPER, REPO, Node,
                  wait_for)

sys.path.append(str(REPO / "test" / "chaos"))

from faults import Calls  # noqa: E402

FAULTS = BUILD / "test" / "chaos" / "chaos_faults.so"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


# Upgrades

def version_of(program):
    out = subprocess.run([program, "-V"], stdout=subprocess.PIPE, check=True)
    return out.stdout.split()[-1]


def install(node, version):
    """Puts the programs, as if of this version, in the place of those that run:
    as a package does, which makes new files and renames them."""
    ours = version_of(DAEMON)
    assert len(version) == len(ours)
    where = node.root / "installed"
    where.mkdir(exist_ok=True)
    for program in (DAEMON, HELPER):
        fresh = where / (program.name + ".new")
        fresh.write_bytes(program.read_bytes().replace(ours, version))
        fresh.chmod(0o755)
        fresh.rename(where / program.name)
    node.program = where / DAEMON.name
    node.configure({"helper": str(where / HELPER.name)})
    assert version_of(node.program) == version


def ups(node):
    """Calls of Director that deploy."""
    return [c for c in node.calls("appjail-director") if c[3][1] == "up"]


def wait_ended(node, least):
    wait_for(f"{least} deployments to end",
             lambda: len([c for c in ups(node) if c[4]]) >= least)


def test_fifty_deployments_do_not_notice_an_upgrade(make_node):
    old = version_of(DAEMON)
    new = old[:-1] + (b"8" if old.endswith(b"9") else b"9")
    node = make_node({"max_watch_commands": 10})
    install(node, old)
    node.start()
    names = [f"p{i}" for i in range(50)]
    for name in names:
        node.behave(name, "delay=0.2")
    # These see every change: one hangs until all else is done.
    node.behave("p0", "hang")
    ids = {name: node.up(name) for name in names}
    wait_ended(node, 5)
    assert node.stop() == 0
    # Nobody looks when some of them end.
    wait_ended(node, 10)
    node.start()
    wait_ended(node, 20)
    install(node, new)
    assert node.stop() == 0
    node.start()
    assert new.decode() in node.get("/v1/tree").json["tree"]["version"]
    for name in names[1:]:
        job = node.wait_job(ids[name])
        assert (job["state"], job["attempt"]) == ("completed", 1), job
    job = node.job(ids["p0"])
    assert (job["state"], job["attempt"]) == ("running", 1), job
    node.cancel("p0")
    assert node.wait_job(ids["p0"])["state"] == "cancelled"
    # Each once, none at the same time as another of its project.
    ran = sorted(c[3][c[3].index("-p") + 1] for c in ups(node))
    assert ran == sorted(names)
    assert all(c[4] for c in ups(node))
    wait_for("the helpers to end", lambda: not node.helpers())


# Logs

def test_no_line_is_lost_when_logs_are_rotated(node):
    """As newsyslog does it: rename, make a new one, HUP. The old one may still
    get lines until the signal is there, so each must be in one of them."""
    sent, enough = [], threading.Event()
    token = node.token()

    def ask(who):
        c = http.client.HTTPConnection(*node.address(), timeout=DEADLINE)
        n = 0
        while not enough.is_set():
            n += 1
            sent.append(f"req-{who}-{n}")
            c.request("GET", "/v1/ping", headers={
                "Authorization": "Bearer " + token, "X-Request-Id": sent[-1]})
            assert c.getresponse().read()
        c.close()

    clients = [threading.Thread(target=ask, args=(i,)) for i in range(3)]
    for t in clients:
        t.start()
    logs = []
    for i in range(10):
        mark = len(sent)
        wait_for("some requests", lambda: len(sent) > mark + 20)
        logs.append(node.root / f"overlordd.log.{i}")
        node.log.rename(logs[-1])
        node.log.touch()
        node.process.send_signal(signal.SIGHUP)
        wait_for("the new log", lambda: "reloaded" in node.log_text())
    enough.set()
    for t in clients:
        t.join(DEADLINE)

    def lines():
        return [line for f in (*logs, node.log)
                for line in f.read_text().splitlines()]

    def told():
        return [word[4:] for line in lines() for word in line.split()
                if word.startswith("req=req-") and "/v1/ping" in line]

    # All are answered, but a line may come after its answer, in either file.
    wait_for("every line", lambda: len(told()) >= len(sent))
    assert all(line[:2] == "20" for line in lines()), "a line was torn"
    assert sorted(told()) == sorted(sent)
    # Nothing is held open: the disk gets its room back.
    fds = pathlib.Path(f"/proc/{node.process.pid}/fd")
    if fds.exists():
        held = [os.readlink(fds / fd) for fd in os.listdir(fds)
                if os.path.lexists(fds / fd)]
        assert not [x for x in held if "overlordd.log." in x]


# Reloads

def test_a_reload_keeps_who_is_there(make_node, child, listen):
    """A connection between two requests, a stream of events, and an answer that
    is being gathered from the servers below."""
    hold = threading.Event()

    def answer(request):
        hold.wait(DEADLINE)
        return reply_of(200, {"status_code": 200, "tree": {
            "server": "00000000-0000-4000-8000-000000000001",
            "version": "1", "labels": ["below"], "chains": []}})

    slow = child(answer)
    node = make_node({"chains": {"slow": slow.chain()}}).start()
    head = {"Authorization": "Bearer " + node.token()}
    kept = http.client.HTTPConnection(*node.address(), timeout=DEADLINE)
    kept.request("GET", "/v1/labels", headers=head)
    assert b"desktop" in kept.getresponse().read()
    ours = kept.sock
    events = listen(node).greeted()
    gathered = []
    asking = threading.Thread(target=lambda: gathered.append(
        node.get("/v1/tree?include=labels")))
    asking.start()
    try:
        wait_for("the fan-out", lambda: slow.requests)
        for i in range(3):
            node.configure({
                "labels": [f"new{i}"],
                "chains": {f"more{i}": {"entrypoint": "http://127.0.0.1:1",
                                        "access_token": "x"}}})
            assert "reloaded" in node.hup()
    finally:
        hold.set()
    asking.join(DEADLINE)
    below = {c["chain"]: c for c in gathered[0].json["tree"]["chains"]}
    assert below["slow"]["labels"] == ["below"], below
    kept.request("GET", "/v1/labels", headers=head)
    assert json.loads(kept.getresponse().read())["labels"] == ["new2"]
    assert kept.sock is ours
    kept.close()
    # The stream has no gap, and goes on.
    job_id = node.up("web")
    events.until(lambda kind, data: kind == "job" and data["job"] == job_id
                 and data["state"] == "completed")


# Permissions

@pytest.fixture
def as_nobody():
    """A node that somebody who is not root may start."""
    with tempfile.TemporaryDirectory(prefix="overlord-nobody.") as name:
        root = pathlib.Path(name)
        root.chmod(0o755)
        node = Node(root / "node")
        yield node
        node.dispose()


@needs_root
@pytest.mark.parametrize("place", ("state", "run", "overlord.yml"))
def test_who_may_not_is_told_where(as_nobody, place):
    node = as_nobody
    shutil.chown(node.root, "nobody")
    path = node.root / place
    if path.suffix:
        path.chmod(0o600)
    else:
        path.mkdir(mode=0o755)
        for other in {"state", "run"} - {place}:
            (node.root / other).mkdir()
            shutil.chown(node.root / other, "nobody")
    node.configure({"log": {"file": None}})
    r = subprocess.run(
        [DAEMON, "-F", "-f", node.config], env=node.env(), user="nobody",
        capture_output=True, text=True, timeout=DEADLINE)
    assert r.returncode == 77, r
    assert str(path) in r.stderr, r.stderr
    assert "Permission denied" in r.stderr or "permission" in r.stderr
    assert "\n" == r.stderr[-1] and r.stderr.count("\n") <= 2, r.stderr


def refused_state(node):
    r = subprocess.run(
        [DAEMON, "-F", "-f", node.config], env=node.env(),
        capture_output=True, text=True, timeout=DEADLINE)
    assert r.returncode == 77, r
    assert f"state directory {node.root / 'state'}: " in r.stderr
    assert not (node.root / "state" / "lock").exists()
    return r.stderr


def test_a_state_directory_for_everybody_is_refused(make_node):
    node = make_node()
    (node.root / "state").mkdir()
    (node.root / "state").chmod(0o777)
    assert "mode is 0777" in refused_state(node)
    (node.root / "state").chmod(0o755)
    node.start()
    assert node.get("/v1/ping").status == 200


@needs_root
def test_a_state_directory_of_somebody_else_is_refused(make_node):
    node = make_node()
    (node.root / "state").mkdir()
    os.chown(node.root / "state", 12345, -1)
    assert "user 12345" in refused_state(node)


# A disk that fails

def failing(node):
    """Makes calls of a node that is not started yet fail."""
    calls = Calls(node.root / "calls")
    node.environment.update(calls.env(), LD_PRELOAD=str(FAULTS),
                            ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "")
                            + ":verify_asan_link_order=0")
    return calls


@pytest.mark.skipif(not FAULTS.exists(), reason="needs LD_PRELOAD")
def test_a_command_that_cannot_start_leaves_no_file(make_node):
    node = make_node()
    calls = failing(node)
    node.start()
    calls.set("fork", fail=1000)
    job_id = node.up("web")
    wait_for("the job to wait", lambda: "not started yet" in node.log_text())
    assert node.request("DELETE", f"/v1/jobs/{job_id}").status == 200
    assert node.wait_job(job_id)["state"] == "cancelled"
    assert list((node.root / "tmp").iterdir()) == []
    assert node.calls("appjail-director") == []
    calls.clear()
    assert node.wait_job(node.up("web"))["state"] == "completed"


@pytest.mark.skipif(not FAULTS.exists(), reason="needs LD_PRELOAD")
def test_a_disk_that_fails_makes_the_store_read_only(make_node):
    node = make_node()
    calls = failing(node)
    node.start()
    done = node.wait_job(node.up("web"))
    calls.set("sync", fail=1000)
    body = {"director_file": DIRECTOR_FILE}
    r = node.post("/v1/project/up/web", body)
    assert r.status == 503 and r.json["message"], r
    assert re.search("critical store .*read-only until a restart.*refused",
                     node.log_text())
    # Nobody knows what is on the disk, so it stays so.
    calls.clear()
    for method, path in (("POST", "/v1/project/up/web"),
                         ("POST", "/v1/project/down/web"),
                         ("DELETE", "/v1/tokens/x")):
        r = node.request(method, path, body if "up" in path else None)
        assert r.status == 503, (path, r)
    assert node.job(done["id"])["state"] == "completed"
    assert node.get("/v1/ping").status == 200
    node.restart()
    assert node.job(done["id"]) == done
    assert node.wait_job(node.up("web"))["state"] == "completed"
