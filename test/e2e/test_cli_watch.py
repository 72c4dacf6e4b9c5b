#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""status --watch on a terminal, and elsewhere."""

import json
import os
import re
import signal
import subprocess
import termios
import threading

import pytest

from cli_support import OVERLORD, clean_env, overlord, project
from fake_server import FakeServer, Stream, event
from node import make_tree, wait_for
from terminal import Terminal

SERVICES = """\
projectFile: |
  services:
    web:
      makejail: 'gh+AppJail-makejails/web'
"""


def use(tmp_path, node):
    name = project(tmp_path, node.url(), SERVICES)
    path = tmp_path / name
    path.write_text(path.read_text().replace("the-token", node.token()))
    return name


def watch(tmp_path, *args, **size):
    env = clean_env({"TERM": "xterm", "LANG": "C.UTF-8"})
    return Terminal([OVERLORD, "status", "-f", "web.yml", "--watch", *args],
                    tmp_path, env, **size)


def rows(text):
    return [re.sub(r"  +", "  ", line) for line in text.split("\n")[1:-1]]


def test_a_tree_on_a_terminal(tmp_path, make_node):
    nodes = make_tree(make_node, ("main", "alpha"))
    name = use(tmp_path, nodes["main"])
    with watch(tmp_path, "--all") as t:
        before = t.wait_for("live · 2 targets · q quits")
        assert before.startswith("DATACENTER  CHAIN")
        assert overlord(tmp_path, "apply", "-f", name).rc == 0
        t.wait_for("live · 2 targets · 2 ready · q quits")
        assert [re.sub(r" \d+s ", " 0s ", r) for r in rows(
            t.screen.text())] == ["main  <root>  p  READY  1/1  0s  -",
                                  "main  alpha  p  READY  1/1  0s  -"]
        assert b"\x1b[32mREADY" in t.raw
        # Time passes: the heading is not written again.
        t.raw = b""
        t.wait_for("a tick", lambda: t.raw.count(b"READY") >= 4)
        assert b"DATACENTER" not in t.raw and b"\x1b[J" not in t.raw
        nodes["alpha"].behave("p", "rc=1")
        overlord(tmp_path, "destroy", "-f", name, "--chain", "alpha", "--wait")
        overlord(tmp_path, "apply", "-f", name, "--chain", "alpha", "--wait")
        t.wait_for("1 ready, 1 failed")
        t.keys("q")
        assert t.end() == 0
        # The last view remains, and the cursor is below it.
        assert "1 ready, 1 failed" in t.screen.text()
        assert t.screen.lines[t.screen.y] == "" and t.screen.x == 0


def test_connection_lost_and_back(tmp_path, node):
    port = node.address()[1]
    node.configure({"listen": [f"127.0.0.1:{port}"]})
    name = use(tmp_path, node)
    assert overlord(tmp_path, "apply", "-f", name, "--wait").rc == 0
    with watch(tmp_path) as t:
        t.wait_for("1 ready")
        node.kill()
        text = t.wait_for("reconnecting (main: connection refused)")
        assert "READY" in text, text
        node.start()
        t.wait_for("live · 1 target · 1 ready")
        overlord(tmp_path, "destroy", "-f", name, "--wait")
        t.wait_for("1 absent")
        t.keys("\x04")
        assert t.end() == 0


def test_the_terminal_is_left_as_it_was(tmp_path, node):
    use(tmp_path, node)
    for end, status in (("q", 0), ("\x03", signal.SIGINT),
                        (signal.SIGTERM, signal.SIGTERM),
                        (signal.SIGSEGV, signal.SIGSEGV)):
        with watch(tmp_path) as t:
            before = t.modes()
            t.wait_for("live")
            t.wait_for("raw", lambda: not t.modes()[3] & termios.ECHO)
            if isinstance(end, str):
                t.keys(end)
            else:
                os.kill(t.pid, end)
            after = None
            while t.read(0.05) and after != before:
                after = t.modes()
            assert after is None or after == before
            assert os.WTERMSIG(t.end()) == status or status == 0


def test_stopped_and_continued(tmp_path, node):
    use(tmp_path, node)
    with watch(tmp_path) as t:
        before = t.modes()
        t.wait_for("live")
        os.kill(t.pid, signal.SIGTSTP)
        assert os.WIFSTOPPED(os.waitpid(t.pid, os.WUNTRACED)[1])
        assert t.modes() == before
        while t.read(0.2) and t.raw:
            t.raw = b""
        os.kill(t.pid, signal.SIGCONT)
        t.wait_for("a new view", lambda: b"DATACENTER" in t.raw)
        # It begins below whatever the shell has written.
        assert b"A" not in re.findall(rb"\x1b\[\d*([A-Z])",
                                      t.raw.split(b"DATACENTER")[0])
        assert not t.modes()[3] & termios.ECHO
        t.keys("q")
        assert t.end() == 0


def test_no_color(tmp_path, node):
    use(tmp_path, node)
    env = clean_env({"TERM": "xterm", "NO_COLOR": "1"})
    with Terminal([OVERLORD, "status", "-f", "web.yml", "-w"], tmp_path,
                  env) as t:
        t.wait_for("live - 1 target - 1 absent - q quits")
        t.keys("q")
        assert t.end() == 0
        assert not re.search(rb"\x1b\[\d*m", t.raw)


@pytest.fixture
def many():
    """A server with 500 projects and events on demand."""
    names = [f"p{i:03}" for i in range(500)]
    done = {"info": {"state": "DONE", "services": [
        {"name": "w", "status": 0}], "up": {"operation": "COMPLETED",
                                            "last_update": 60,
                                            "job_id": 1}}}
    with FakeServer() as s:
        s.single()
        s.on("GET", "/v1/projects", 200, {"projects": names})
        s.on("GET", "/v1/jobs", 200, {"jobs": []})
        for n in names:
            s.on("GET", f"/v1/project/info/{n}", 200, done)
        s.more, s.over = threading.Event(), threading.Event()

        def stream(request, write):
            write("id: s-1\n\n")
            s.more.wait(60)
            failed = json.loads(json.dumps(done))
            failed["info"]["up"] = {"operation": "FAILED", "message": "it "
                                    "broke", "last_update": 1, "job_id": 2}
            s.rows[("GET", "/v1/project/info/p001")] = [(200, failed, {})]
            write(event(2, "job", job=2, type="up", project="p001",
                        state="failed", attempt=1, message=None,
                        **{"from": "running"}))
            s.over.wait(60)
        s.on("GET", "/v1/events", 200, Stream(stream))
        yield s
        s.more.set()
        s.over.set()


def test_500_rows(tmp_path, many):
    project(tmp_path, many.url)
    with watch(tmp_path, "--all", rows=12, cols=80) as t:
        t.wait_for("500 ready")
        lines = t.screen.text().split("\n")
        assert len(lines) == 11, lines
        assert lines[1].split()[2] == "p000" and lines[8].split()[2] == "p007"
        assert lines[9] == "… 492 more (↑↓ to scroll)"
        before = len(many.requests)
        many.more.set()
        t.wait_for("FAILED")
        assert "it broke (job 2)" in t.screen.text()
        # One event: one project is asked for.
        assert {q.path for q in many.requests[before:]} <= {
            "/v1/project/info/p001", "/v1/jobs"}
        t.keys("\x1b[B")
        t.wait_for("scrolling", lambda: "p008" in t.screen.text()
                   and "p000" not in t.screen.text())
        t.keys("G")
        t.wait_for("p499")
        t.keys("g")
        t.wait_for("p000")
        t.resize(6, 30)
        text = t.wait_for("a smaller view", lambda: "more" in t.screen.text()
                          and "live" in t.screen.text())
        assert all(len(x) <= 30 for x in text.split("\n")), text
        assert len(text.split("\n")) <= 5
        t.resize(2, 80)
        t.wait_for("one row", lambda: "p000" in t.screen.text()
                   and "live" not in t.screen.text())
        t.keys("\x03")
        assert os.WTERMSIG(t.end()) == signal.SIGINT


@pytest.mark.parametrize("keys", ["\x1b", "\x1b\x1b", "\x1b[3~",
                                  "\x1b[1;2q", "\x1b[1;2;3;4;5;6;7q", "\x1bx",
                                  "\x1bOq"])
def test_a_key_after_one_that_is_not_known(tmp_path, keys):
    """Neither swallows the other, and the letters of one are no keys."""
    with FakeServer() as server:
        server.single()
        server.on("GET", "/v1/projects", 200, {"projects": [
            f"p{i}" for i in range(50)]})
        project(tmp_path, server.url)
        with watch(tmp_path, "--all", rows=12) as t:
            t.wait_for("50 absent")
            t.keys(keys)
            t.keys("G")
            t.wait_for("p49")
            t.keys("q")
            assert t.end() == 0


def test_one_project_that_cannot_be_asked(tmp_path):
    """It alone is asked again; nobody else is."""
    over, again = threading.Event(), threading.Event()

    def refused(request):
        if len(server.lines("/v1/project/info/bad")) > 1:
            again.set()
        return 403, {"message": "not yours"}

    def stream(request, write):
        write("id: s-1\n\n")
        over.wait(120)
    with FakeServer() as server:
        server.single()
        server.on("GET", "/v1/projects", 200, {"projects": ["bad", "good"]})
        server.on("GET", "/v1/jobs", 200, {"jobs": []})
        server.on("GET", "/v1/project/info/bad", 200, refused)
        server.on("GET", "/v1/project/info/good", 200, {"info": {
            "state": "DONE", "services": []}})
        server.on("GET", "/v1/events", 200, Stream(stream))
        project(tmp_path, server.url)
        with watch(tmp_path, "--all") as t:
            t.wait_for("1 ready, 1 unreachable")
            assert "403: not yours" in t.screen.text()
            t.wait_for("another question", again.is_set)
            t.keys("q")
            assert t.end() == 0
        over.set()
        assert len(server.lines("/v1/project/info/good")) == 1
        assert len(server.lines("/v1/projects")) == 1


def lines_of(p, n):
    return [p.stdout.readline() for _ in range(n)]


def test_lines_where_there_is_no_terminal(tmp_path, node):
    name = use(tmp_path, node)
    p = subprocess.Popen([OVERLORD, "status", "-f", name, "-w"], cwd=tmp_path,
                         env=clean_env(), stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ main <root> p ABSENT "
                        r"- -\n", p.stdout.readline())
    node.behave("p", "delay=1")
    assert overlord(tmp_path, "apply", "-f", name, "--wait").rc == 0
    seen = []
    while not seen or " READY " not in seen[-1]:
        seen.append(p.stdout.readline())
        assert seen[-1] != "", p.stderr.read()
    assert any("DEPLOYING" in x and "running: up" in x for x in seen), seen
    assert len(set(x[20:] for x in seen)) == len(seen), seen
    node.kill()
    assert "no answer, asking again: " in p.stderr.readline()
    p.send_signal(signal.SIGINT)
    assert p.wait(60) == -signal.SIGINT
    p.stdout.close()
    p.stderr.close()


def test_json_lines(tmp_path, node):
    name = use(tmp_path, node)
    p = subprocess.Popen([OVERLORD, "status", "-f", name, "-w", "-o", "json"],
                         cwd=tmp_path, env=clean_env(),
                         stdout=subprocess.PIPE, text=True)
    one = json.loads(p.stdout.readline())
    assert one["state"] == "ABSENT" and one["at"].endswith("Z")
    assert overlord(tmp_path, "apply", "-f", name).rc == 0
    while one["state"] != "READY":
        one = json.loads(p.stdout.readline())
    assert one["jails"] == {"up": 1, "total": 1} and one["project"] == "p"
    # The reader goes: it ends, as a filter does, with the next change.
    p.stdout.close()
    assert overlord(tmp_path, "destroy", "-f", name).rc == 0
    assert p.wait(60) == -signal.SIGPIPE


def test_jobs_on_a_terminal(tmp_path, make_node):
    nodes = make_tree(make_node, ("main", "alpha"))
    name = use(tmp_path, nodes["main"])
    env = clean_env({"TERM": "xterm", "LANG": "C.UTF-8"})
    argv = [OVERLORD, "jobs", "-f", name, "--all", "--watch"]
    with Terminal(argv, tmp_path, env) as t:
        t.wait_for("live · 2 targets · 0 jobs · q quits")
        assert overlord(tmp_path, "apply", "-f", name, "--wait").rc == 0
        t.wait_for("2 jobs", lambda: t.screen.text().count("completed") == 2)
        assert "2 targets · 2 jobs" in t.screen.text()
        nodes["alpha"].up("q")
        t.wait_for("3 jobs", lambda: t.screen.text().count("completed") == 3)
        assert re.search(r"^2 +main +alpha +up +q ", t.screen.text(), re.M)
        t.keys("q")
        assert t.end() == 0


@pytest.mark.parametrize("form", ["text", "json"])
def test_jobs_where_there_is_no_terminal(tmp_path, node, form):
    name = use(tmp_path, node)
    node.wait_job(node.up("p"))
    p = subprocess.Popen(
        [OVERLORD, "jobs", "-f", name, "-w", "-o",
         "json" if form == "json" else "table"], cwd=tmp_path,
        env=clean_env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True)

    def next_job():
        line = p.stdout.readline()
        assert line != "", p.stderr.read()
        if form == "json":
            one = json.loads(line)
            assert one["datacenter"] == "main" and one["chain"] is None
            return one["job"]["id"], one["job"]["state"]
        m = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ main <root> (\d+) "
                         r"(?:up|down) p (\w+) \d\n", line)
        return int(m[1]), m[2]
    assert next_job() == (1, "completed")
    node.behave("p", "down-delay=1")
    node.up("q")
    node.down("p")
    seen = []
    while not seen or seen[-1] != (3, "completed"):
        seen.append(next_job())
    assert {x[0] for x in seen} == {3} and len(set(seen)) == len(seen) >= 2
    node.kill()
    assert "error obtaining the jobs: " in p.stderr.readline()
    p.send_signal(signal.SIGINT)
    assert p.wait(60) == -signal.SIGINT
    p.stdout.close()
    p.stderr.close()


def test_jobs_without_end(tmp_path):
    """An old one that stays does not keep what came after it."""
    def jobs(*ids):
        return {"jobs": [{"id": i, "type": "up", "name": "p", "attempt": 1,
                          "state": "running"} for i in ids]}
    last = 6000
    with FakeServer() as server:
        server.single()
        server.on("GET", "/v1/jobs", 200, jobs(*range(last, 0, -1)))
        server.on("GET", "/v1/jobs", 200, jobs(last + 1, 1))
        project(tmp_path, server.url)
        with open(tmp_path / "out", "wb") as out:
            p = subprocess.Popen(
                [OVERLORD, "jobs", "-f", "web.yml", "-w", "--interval", "1"],
                cwd=tmp_path, env=clean_env(), stdout=out)
        wait_for("the newest job",
                 lambda: f" {last + 1} up p ".encode()
                 in (tmp_path / "out").read_bytes())
        p.send_signal(signal.SIGINT)
        assert p.wait(60) == -signal.SIGINT
    told = [int(x.split()[3]) for x in
            (tmp_path / "out").read_text().splitlines()]
    assert told == list(range(1, last + 2))


def test_an_original_is_asked(tmp_path):
    info = {"info": {"state": "DONE", "services": [], "up": {
        "operation": "COMPLETED", "last_update": 5, "job_id": 1}}}
    with FakeServer() as server:
        server.single()
        server.on("GET", "/v1/project/info/p", 404, {"message": "gone"})
        server.on("GET", "/v1/project/info/p", 404, {"message": "gone"})
        server.on("GET", "/v1/project/info/p", 200, info)
        project(tmp_path, server.url)
        with watch(tmp_path, "--interval", "1") as t:
            t.wait_for("1 absent")
            t.wait_for("1 ready")
            t.keys("q")
            assert t.end() == 0


def test_chains_that_cannot_be_reached(tmp_path, make_node):
    nodes = make_tree(make_node, ("main", "alpha"))
    use(tmp_path, nodes["main"])
    with watch(tmp_path) as t:
        t.wait_for("2 absent")
        nodes["alpha"].stop()
        assert "1 absent, 1 unreachable" in t.wait_for("UNREACHABLE")
        t.keys("q")
        assert t.end() == 0


@pytest.mark.parametrize("args,words", [
    (["--watch", "--exit-code"], "--watch does not end"),
    (["--watch", "--interval", "0"], "--interval: must be"),
    (["--wach"], "did you mean '--watch'?"),
])
def test_usage(tmp_path, args, words):
    r = overlord(tmp_path, "status", *args)
    assert (r.rc, r.out) == (64, "") and words in r.err


def test_jobs_of_an_original(tmp_path):
    with FakeServer() as server:
        server.single()
        project(tmp_path, server.url)
        r = overlord(tmp_path, "jobs", "-f", "web.yml", "-w")
        assert (r.rc, r.out) == (0, "")
        assert "n/a: this server keeps no list of jobs" in r.err
        assert len(server.lines("/v1/jobs")) == 1
        for verb in ("show", "cancel", "retry"):
            r = overlord(tmp_path, "jobs", "-f", "web.yml", verb, "main", "1")
            assert r.rc == 66 and r.err == (
                "overlord: (datacenter:main, chain:None) n/a: this server "
                "keeps no list of jobs\n")
    r = overlord(tmp_path, "jobs", "-f", "web.yml", "-w", "-o", "yaml")
    assert r.rc == 64 and "use -o json" in r.err
    assert overlord(tmp_path, "jobs", "-w", "show", "main", "1").rc == 64


def test_nobody_to_watch(tmp_path):
    project(tmp_path, "http://127.0.0.1:1")
    r = overlord(tmp_path, "status", "-f", "web.yml", "--watch")
    assert r.rc == 69 and "UNREACHABLE" in r.out, r
