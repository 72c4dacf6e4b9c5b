#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""overlord logs, against real nodes."""

import re
import signal
import subprocess
import threading

import pytest

from cli_support import OVERLORD, clean_env, overlord, project
from fake_server import FakeServer, Stream, event
from node import make_tree, wait_for

SERVICES = """\
projectFile: |
  services:
    web:
      makejail: 'gh+AppJail-makejails/web'
    db:
      makejail: 'gh+AppJail-makejails/db'
"""


def use(tmp_path, node):
    name = project(tmp_path, node.url(), SERVICES)
    path = tmp_path / name
    path.write_text(path.read_text().replace("the-token", node.token()))
    return name


def follow(tmp_path, *args):
    return subprocess.Popen(
        [OVERLORD, "logs", "-f", "--file", "web.yml", *args], cwd=tmp_path,
        env=clean_env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True)


def test_of_the_newest_run(tmp_path, make_node):
    nodes = make_tree(make_node, ("main", "alpha"))
    name = use(tmp_path, nodes["main"])
    r = overlord(tmp_path, "logs", "--file", name)
    assert (r.rc, r.out) == (0, "") and "there are no logs" in r.err
    assert overlord(tmp_path, "apply", "-f", name, "--wait").rc == 0
    r = overlord(tmp_path, "logs", "--file", name)
    assert (r.rc, r.err) == (0, ""), r
    prefixes = [line.partition(" | ")[0] for line in r.out.splitlines()]
    assert set(prefixes) == {f"{c}/p/{s}" for c in ("main", "alpha")
                             for s in ("web", "db")}
    # In the order of the servers.
    assert prefixes.index("alpha/p/web") > prefixes.index("main/p/db")
    one = overlord(tmp_path, "logs", "--file", name, "--chain", "alpha",
                   "--service", "web", "--tail", "1")
    assert one.rc == 0 and " | " not in one.out and one.out, one
    more = overlord(tmp_path, "logs", "--file", name, "--chain", "alpha",
                    "--service", "web", "--tail", "0", "p")
    assert len(more.out) >= len(one.out)
    assert overlord(tmp_path, "logs", "--file", name, "q").err.endswith(
        "there are no logs\n")


def test_follow_until_done(tmp_path, node):
    node.behave("p", "delay=2", "stderr-bytes=200000")
    use(tmp_path, node)
    job = node.up("p")
    node.wait_call("appjail-director", "up")
    p = follow(tmp_path, "--until-done", "--tail", "0")
    out, err = p.communicate(timeout=120)
    assert p.returncode == 0, err
    assert len(out) > 100000 and err == ""
    with_json = node.job(job)["result"]["output"]["stderr"]
    assert out.splitlines()[-1] in with_json
    # Nothing runs any more.
    p = follow(tmp_path, "--until-done")
    assert p.communicate(timeout=60) == ("", "") and p.returncode == 0


def test_follow_what_begins_later(tmp_path, make_node):
    nodes = make_tree(make_node, ("main", "alpha"))
    name = use(tmp_path, nodes["main"])
    for node in nodes.values():
        node.behave("p", "delay=1", "stderr-bytes=1000")
    p = follow(tmp_path)
    # Its feeds are there when the servers say so; whoever is late hears the
    # rest.
    # Two streams, and the request that asks.
    wait_for("it to listen", lambda: "overlord_http_requests_in_flight 3\n" in
             nodes["main"].get("/v1/metrics").text)
    assert overlord(tmp_path, "apply", "-f", name, "--chain", "<root>").rc == 0
    line = p.stdout.readline()
    assert line.startswith("main/p | "), line
    p.send_signal(signal.SIGINT)
    assert p.wait(60) == -signal.SIGINT
    p.stdout.close()
    p.stderr.close()


def test_a_job_that_fails(tmp_path, node):
    node.behave("p", "delay=1", "rc=1", "stderr-bytes=1000")
    use(tmp_path, node)
    node.up("p")
    node.wait_call("appjail-director", "up")
    p = follow(tmp_path, "--until-done")
    out, err = p.communicate(timeout=120)
    assert p.returncode == 1, (out, err)
    assert "project:p, job:1) " in err and len(out.splitlines()) >= 10


def test_both_commands_of_a_restart(tmp_path, node):
    """Down, then up: what each prints, once."""
    use(tmp_path, node)
    node.wait_job(node.up("p"))
    node.behave("p", "delay=1", "down-delay=1", "stderr-bytes=50000")
    node.up("p", restart=True)
    node.wait_call("appjail-director", "down")
    p = follow(tmp_path, "--until-done", "--tail", "0")
    out, err = p.communicate(timeout=120)
    assert p.returncode == 0 and err == "", (out, err)
    assert 50000 <= len(out) < 100000, out[:2000]


def job(state, *steps, number=1):
    return {"id": number, "type": "up", "name": "p", "state": state,
            "attempt": 1, "message": None, "steps": [
                {"name": n, "attempt": 1, "started_at": 1, "ended_at": None}
                for n in steps]}


def test_next_command_begins_before_the_last_words(tmp_path):
    """The stream of a command ends some time after it."""
    reads, asked, over = (threading.Event() for _ in range(3))

    def events(request, write):
        write("id: s-1\n\n")
        assert reads.wait(60)
        write(event(2, "step", job=1, type="up", project="p", step="up",
                    attempt=1, ended=False, rc=None, note=None))
        # It asks again, so it has heard that.
        write("id: s-3\nevent: reset\ndata: {}\n\n")
        assert asked.wait(60)
        over.wait(5)
        write(event(4, "job", job=1, type="up", project="p",
                    state="completed", attempt=1, message=None,
                    **{"from": "running"}))
        finished.wait(60)

    def jobs(request):
        if reads.is_set():
            asked.set()
        return 200, {"jobs": [job("running", "down")]}

    def output(request, write):
        if "step=up" in request.query:
            write("going up\n")
            over.set()
            return
        write("going ")
        reads.set()
        assert asked.wait(60)
        write("down\n")
    finished = threading.Event()
    with FakeServer() as server:
        server.single()
        server.on("GET", "/v1/jobs", 200, jobs)
        server.on("GET", "/v1/events", 200, Stream(events))
        server.on("GET", "/v1/jobs/1/output", 200, Stream(
            output, "text/plain; charset=utf-8"))
        project(tmp_path, server.url)
        p = follow(tmp_path, "--until-done")
        out, err = p.communicate(timeout=60)
        finished.set()
    assert (p.returncode, out) == (0, "going down\ngoing up\n"), err


def test_a_command_that_was_too_fast(tmp_path):
    """It is over before its output is asked for: the result has it."""
    over, asked = threading.Event(), threading.Event()

    def events(request, write):
        write("id: s-1\n\n")
        assert asked.wait(60)
        write(event(2, "step", job=1, type="up", project="p", step="up",
                    attempt=1, ended=False, rc=None, note=None))
        write(event(3, "job", job=1, type="up", project="p", state="failed",
                    attempt=1, message=None, **{"from": "running"}))
        over.wait(60)

    def jobs(request):
        asked.set()
        return 200, {"jobs": [job("queued")]}
    with FakeServer() as server:
        server.single()
        server.on("GET", "/v1/jobs", 200, jobs)
        server.on("GET", "/v1/events", 200, Stream(events))
        server.on("GET", "/v1/jobs/1/output", 404, {"message": "No such"})
        server.on("GET", "/v1/jobs/1", 200, {"job": {
            **job("failed"), "result": {"output": {
                "rc": 1, "stderr": "no such file\nat all"}}}})
        project(tmp_path, server.url)
        p = follow(tmp_path, "--until-done")
        out, err = p.communicate(timeout=60)
        over.set()
    assert (p.returncode, out) == (1, "no such file\nat all\n"), err


def test_fast_commands_of_a_node(tmp_path, node):
    node.behave("p", "stderr-bytes=1000")
    use(tmp_path, node)
    p = follow(tmp_path, "--no-prefix")
    wait_for("it to listen", lambda: "overlord_http_requests_in_flight 2\n" in
             node.get("/v1/metrics").text)
    for _ in range(3):
        node.wait_job(node.up("p", restart=True))
    lines = [p.stdout.readline() for _ in range(16)]
    p.send_signal(signal.SIGINT)
    assert p.communicate(timeout=60)[1] == "" and len(set(lines)) == 1, lines


@pytest.mark.parametrize("status,answer,rc,words", [
    (200, {"job": job("failed")}, 1, "job:1) failed"),
    (200, {"job": job("completed")}, 0, ""),
    (404, {"message": "Job 1 cannot be found."}, 1, "404: Job 1 cannot"),
])
def test_an_end_that_was_missed(tmp_path, status, answer, rc, words):
    """The feed broke; by now the job is neither waiting nor running."""
    over = threading.Event()
    with FakeServer() as server:
        server.single()
        server.on("GET", "/v1/jobs", 200, lambda request: (200, {
            "jobs": [job("running")] if len(server.lines("/v1/events")) < 2
            else []}))
        server.on("GET", "/v1/jobs/1", status, answer)
        server.on("GET", "/v1/events", 200, Stream(
            lambda request, write: write("id: s-1\n\n")))
        server.on("GET", "/v1/events", 200, Stream(
            lambda request, write: (
                write("id: t-1\nevent: reset\ndata: {}\n\n"),
                over.wait(60))))
        project(tmp_path, server.url)
        p = follow(tmp_path, "--until-done")
        err = p.communicate(timeout=60)[1]
        over.set()
    assert p.returncode == rc and words in err, err


@pytest.mark.parametrize("size", [1000, 300000])
def test_last_lines_of_what_has_begun(tmp_path, node, size):
    """Ten lines of what was there, then all that comes."""
    node.behave("p", f"stderr-bytes={size}", "hang")
    use(tmp_path, node)
    number = node.up("p")

    def slice_at(offset):
        r = node.get(f"/v1/jobs/{number}/output?stream=stderr&offset={offset}")
        return r.json["output"] if r.status == 200 else {"size": 0}
    wait_for("its output", lambda: slice_at(0)["size"] >= size)
    text = slice_at(max(0, slice_at(0)["size"] - 4096))["content"]
    p = follow(tmp_path, "--tail", "3", "--timestamps")
    # The third line has no end yet.
    lines = [p.stdout.readline() for _ in range(2)]
    node.cancel("p")
    node.wait_job(number)
    p.send_signal(signal.SIGINT)
    assert p.wait(60) == -signal.SIGINT
    p.stdout.close()
    p.stderr.close()
    assert [x.split(" ", 1)[1] for x in lines] == [
        x + "\n" for x in text.splitlines()[-3:-1]]
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", x)
               for x in lines)


RUNS = ["2025-04-22_17h57m45s", "2026-01-01_00h00m00s", "2026-01-02_12h00m00s"]


@pytest.fixture
def runs():
    with FakeServer() as server:
        server.single()
        server.on("GET", "/v1/project/info/p", 200, {"info": {
            "last_log": RUNS[-1], "services": [
                {"name": "web", "status": 0, "jail": "j1"},
                {"name": "db", "status": 0, "jail": "j2"}]}})
        server.on("GET", "/v1/projects/logs", 200, {"logs": {
            date: {"db": ["up.log"], "other": ["up.log"],
                   "web": ["pull.log", "up.log"]}
            for date in reversed(RUNS)}})
        days = ["2025-04-22.log", "2026-01-02.log"]
        server.on("GET", "/v1/jails/logs", 200, {"logs": {
            "networks": {"j1": {"add": ["x.log"]}},
            "jails": {"j1": {"start": days, "stop": days[:1]},
                      "j2": {"start": ["odd.log"]}, "alone": {"start": days},
                      "p": {}}}})
        for date in RUNS:
            for path in ("db/up", "web/pull", "web/up"):
                server.on("GET", f"/v1/projects/log/{date}/{path}.log", 200,
                          {"log_content": f"{date[:10]} {path}\n"})
        for path in [f"{j}/{d}" for j in ("j1/start", "alone/start")
                     for d in days] + [f"j1/stop/{days[0]}",
                                       "j2/start/odd.log"]:
            server.on("GET", f"/v1/jail/log/jails/{path}", 200,
                      {"log_content": path + "\n"})
        yield server


@pytest.mark.parametrize("args,shown", [
    ([], ["2026-01-02 db/up", "2026-01-02 web/pull", "2026-01-02 web/up"]),
    (["--date", "last", "--log", "pull.log"], ["2026-01-02 web/pull"]),
    (["--date", "all", "--service", "db"],
     ["2025-04-22 db/up", "2026-01-01 db/up", "2026-01-02 db/up"]),
    (["--date", "2026-01-01", "--log", "up.log"],
     ["2026-01-01 db/up", "2026-01-01 web/up"]),
    (["--date", RUNS[0], "--service", "db"], ["2025-04-22 db/up"]),
    (["--since", "2026-01-01", "--service", "db"],
     ["2026-01-01 db/up", "2026-01-02 db/up"]),
    (["--since", "2026-01-01T00:00:01", "--service", "db"],
     ["2026-01-02 db/up"]),
    (["--since", "2026-01-01T22:00:00Z", "--service", "db"],
     ["2026-01-02 db/up"]),
    (["--since", "52w", "--service", "none"], None),
    (["--jails"], ["j1/start/2026-01-02.log", "j1/stop/2025-04-22.log",
                   "j2/start/odd.log"]),
    (["--jails", "--service", "web", "--date", "all"],
     ["j1/start/2025-04-22.log", "j1/start/2026-01-02.log",
      "j1/stop/2025-04-22.log"]),
    # What has no date is shown.
    (["--jails", "--since", "2026-01-02T15:00"],
     ["j1/start/2026-01-02.log", "j2/start/odd.log"]),
    (["--jails", "alone"], ["alone/start/2026-01-02.log"]),
    (["--jails", "--log", "2025-04-22.log", "--date", "all", "alone", "p"],
     ["alone/start/2025-04-22.log", "j1/start/2025-04-22.log",
      "j1/stop/2025-04-22.log"]),
])
def test_which_logs(tmp_path, runs, args, shown):
    project(tmp_path, runs.url)
    if "alone" in args:
        runs.on("GET", "/v1/project/info/alone", 404, {"message": "no"})
    r = overlord(tmp_path, "logs", "--file", "web.yml", "--no-prefix", *args,
                 env={"TZ": "UTC"})
    if shown is None:
        assert (r.rc, r.out) == (64, "") and "--since '52w'" in r.err, r
        return
    assert (r.rc, r.out.splitlines(), r.err) == (0, shown, ""), r


def test_prefixes_colours_and_dates(tmp_path, runs):
    project(tmp_path, runs.url)
    r = overlord(tmp_path, "logs", "--file", "web.yml", "--timestamps",
                 "--color", "always")
    lines = [re.fullmatch(r"\x1b\[(\d+)m(\S+)\x1b\[0m \| (\S+) \S+ (\S+)",
                          x).groups() for x in r.out.splitlines()]
    assert [x[1:] for x in lines] == [
        ("main/p/db", RUNS[-1], "db/up"), ("main/p/web", RUNS[-1], "web/pull"),
        ("main/p/web", RUNS[-1], "web/up")]
    assert lines[0][0] != lines[1][0] == lines[2][0]
    r = overlord(tmp_path, "logs", "--file", "web.yml", "--jails")
    assert r.out.splitlines()[0] == ("main/j1/start | "
                                     "j1/start/2026-01-02.log")
    # One list for all projects of a server.
    runs.on("GET", "/v1/project/info/q", 404, {"message": "no"})
    before = len(runs.lines("/v1/projects/logs"))
    overlord(tmp_path, "logs", "--file", "web.yml", "p", "q")
    assert len(runs.lines("/v1/projects/logs")) == before + 1


def test_the_vm_of_a_file(tmp_path, runs):
    runs.rows[("GET", "/v1/project/info/p1")] = runs.rows.pop(
        ("GET", "/v1/project/info/p"))
    (tmp_path / "vm.yml").write_text(f"""\
kind: vmJail
datacenters: {{main: {{entrypoint: '{runs.url}', access_token: t}}}}
deployIn: {{labels: [all]}}
vmName: p1
makejail: gh+x/vm
template: {{cpu: '2'}}
diskLayout: {{driver: nvme, size: 20G, from: {{type: iso, isoFile: x.iso}}}}
""")
    r = overlord(tmp_path, "logs", "--file", "vm.yml", "--service", "db")
    assert (r.rc, r.out) == (0, "2026-01-02 db/up\n"), r


def test_jails_of_a_real_tree(tmp_path, make_node):
    nodes = make_tree(make_node, ("main", "alpha"))
    name = use(tmp_path, nodes["main"])
    assert overlord(tmp_path, "apply", "-f", name, "--wait", "--chain",
                    "alpha").rc == 0
    jails = nodes["alpha"].info("p")["services"]
    log = (nodes["alpha"].standin / "logs" / "jails" / jails[0]["jail"] /
           "startup start" / "2026-01-02.log")
    log.parent.mkdir(parents=True)
    log.write_text("one\n\x1b[31mtwo\n")
    r = overlord(tmp_path, "logs", "--file", name, "--jails", "--tail", "1")
    assert (r.rc, r.out, r.err) == (0, "two\n", ""), r


def test_escape_sequences_are_taken_out(tmp_path):
    with FakeServer() as server:
        server.single()
        server.on("GET", "/v1/project/info/p", 200, {"info": {
            "last_log": "D", "services": [{"name": "w", "status": 0}]}})
        server.on("GET", "/v1/projects/logs", 200, {"logs": {
            "D": {"w": ["up.log"], "other": ["x.log"]}}})
        server.on("GET", "/v1/projects/log/D/w/up.log", 200, {
            "log_content": "a\x1b[31mb\x1b[0m\x07c\r\nd"})
        project(tmp_path, server.url)
        r = overlord(tmp_path, "logs", "--file", "web.yml")
        assert (r.rc, r.out) == (0, "ab\\x07c\nd\n"), r
        server.rows[("GET", "/v1/projects/log/D/w/up.log")] = [
            (503, {"message": "no"}, {})]
        r = overlord(tmp_path, "logs", "--file", "web.yml")
        assert r.rc == 0 and "error obtaining a log: 503: no" in r.err


def test_an_original_cannot_be_followed(tmp_path):
    with FakeServer() as server:
        server.single()
        project(tmp_path, server.url)
        for args in ([], ["--until-done"]):
            p = follow(tmp_path, *args)
            out, err = p.communicate(timeout=60)
            assert p.returncode == 69 and out == "", err
            assert err == (
                "overlord: warning: (datacenter:main, chain:None, project:p) "
                "n/a: this server cannot be followed\n")


@pytest.mark.parametrize("args,words", [
    (["-f", "web.yml"], "'-f' means --follow here; did you mean --file "
     "web.yml?"),
    ([], "name a project"),
    (["a b"], "'a b' is not"),
    (["--until-done", "p"], "--until-done is for --follow"),
    (["--tail", "-1", "p"], "--tail: must be 0 or more"),
    (["--since", "soon", "p"], "--since 'soon': neither a duration"),
    (["-f", "--since", "1h", "p"], "--since is for logs that are written"),
    (["-f", "--jails", "p"], "--jails is for logs that are written"),
])
def test_usage(tmp_path, args, words):
    r = overlord(tmp_path, "logs", *args)
    assert (r.rc, r.out) == (64, "") and words in r.err, r
