#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""apply --wait: what is shown, how it ends, against our jobs and against an
original server."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time

import pytest

from cli_support import OVERLORD, clean_env, overlord, project
from fake_server import FakeServer
from terminal import Terminal

GOOD = {"operation": "COMPLETED", "job_id": 17, "output": {
    "rc": 0, "stdout": {"errlevel": 0, "message": None, "failed": []},
    "stderr": ""}}
INFO = {"info": {"state": "DONE", "services": [{"name": "w", "status": 0}]}}


def job(state, **more):
    out = {"id": 17, "type": "up", "name": "p", "state": state, "attempt": 1,
           "message": None, "steps": []}
    out.update(more)
    return {"status_code": 200, "job": out}


def running(step, attempt=1):
    return job("running", attempt=attempt, steps=[
        {"name": "lock", "attempt": attempt, "started_at": 1, "ended_at": 2},
        {"name": step, "attempt": attempt, "started_at": 2,
         "ended_at": None}])


@pytest.fixture
def server():
    with FakeServer() as s:
        s.single()
        s.on("POST", "/v1/project/up/p", 200, {"job_id": 17})
        s.on("GET", "/v1/project/info/p", 200, INFO)
        yield s


def jobs(server, *answers):
    for a in answers:
        if isinstance(a, tuple):
            server.on("GET", "/v1/jobs/17", *a)
        else:
            server.on("GET", "/v1/jobs/17", 200, a)
    return server


def wait(tmp_path, server, *args, **kw):
    project(tmp_path, server.url)
    return overlord(tmp_path, "apply", "-f", "web.yml", "--wait", *args, **kw)


def test_success(tmp_path, server):
    jobs(server, job("queued", position=2), running("up"), running("up"),
         job("running"), running("describe"), job("completed", result=GOOD))
    r = wait(tmp_path, server)
    assert (r.rc, r.out) == (0, "")
    lines = r.err.splitlines()
    assert lines[:3] == ["main  <root>  p  queued (position 2)",
                         "main  <root>  p  running: up",
                         "main  <root>  p  running: describe"]
    assert re.fullmatch(r"main  <root>  p  ok      \d+\.\ds", lines[3])
    assert len(lines) == 4
    assert wait(tmp_path, server, "-q").err == ""


@pytest.mark.parametrize("last,reason", [
    (job("failed", message="no such jail", result=None), "no such jail"),
    (job("failed", result={"operation": "FAILED", "exception": {
        "type": "InterfaceNotFound", "message": "em9"}}),
     "InterfaceNotFound: em9"),
    (job("completed", result={"operation": "COMPLETED", "output": {
        "stdout": {"errlevel": 1, "failed": ["web", "db"]}}}),
     "failed: web, db; errlevel 1"),
    (job("completed", result={"operation": "INCOMPLETED"}), "INCOMPLETED"),
    (job("incomplete", result={"operation": "INCOMPLETED", "labels": {
        "error": True, "message": "no etcd"}}), "no etcd"),
    (job("cancelled"), "cancelled"),
    (job("failed", result={"operation": "FAILED", "output": {"rc": 3}}),
     "exit 3"),
])
def test_failure(tmp_path, server, last, reason):
    jobs(server, last)
    r = wait(tmp_path, server)
    assert r.rc == 1 and r.out == ""
    assert re.search(r"main  <root>  p  FAILED  \S+  " + re.escape(reason) +
                     "\n", r.err), r
    assert r.err.endswith(
        "overlord: 1 of 1 targets failed\n"
        "  hint: overlord logs --file web.yml --chain '<root>' p\n")


def test_last_lines_of_stderr(tmp_path, server):
    text = "".join(f"line {i}\x1b[0m\n" for i in range(50))
    jobs(server, job("failed", result={"operation": "FAILED", "output": {
        "rc": 1, "stderr": text}}))
    r = wait(tmp_path, server)
    shown = [x for x in r.err.splitlines() if x.startswith("  | ")]
    assert shown[0] == "  | line 30\\x1b[0m" and len(shown) == 20


def test_services(tmp_path, server):
    server.rows[("GET", "/v1/project/info/p")] = [(200, {"info": {
        "services": [{"name": "w", "status": 66}]}}, {})]
    jobs(server, job("completed", result=GOOD))
    r = wait(tmp_path, server)
    assert r.rc == 0
    assert ("warning: (datacenter:main, chain:None, project:p) stopped: w "
            "(status 66)") in r.err
    r = wait(tmp_path, server, "--wait-for", "running")
    assert r.rc == 1 and "FAILED" in r.err and "w (status 66)" in r.err
    assert wait(tmp_path, server, "--wait-for", "happy").rc == 64
    r = overlord(tmp_path, "apply", "-f", "web.yml", "--wait-for", "running")
    assert (r.rc, r.err) == (0, "overlord: warning: --wait-for has no effect "
                             "without --wait\n")


def with_services(*status, state="DONE", **more):
    return {"info": {"state": state, "services": [
        {"name": f"s{i}", "status": x, "jail": f"j{i}"}
        for i, x in enumerate(status)], **more}}


def checkers(server, jail, *statuses, chain=""):
    for s in statuses:
        server.on("GET", f"/v1{chain}/jail/healthcheck/{jail}", 200, {
            "healthcheck": [{"enabled": "1", "status": s},
                            {"enabled": "0", "status": "failing"}]})


def test_healthy(tmp_path, server):
    jobs(server, job("completed", result=GOOD))
    server.rows[("GET", "/v1/project/info/p")] = [
        (200, with_services(0, 0), {})]
    checkers(server, "j0", None, "starting", "healthy")
    checkers(server, "j1", "starting", "failing", "healthy")
    r = wait(tmp_path, server, "--wait-for", "healthy")
    assert r.rc == 0, r
    lines = [x.partition("p  ")[2] for x in r.err.splitlines()]
    assert lines[:2] == ["waiting for health: j0 (not checked yet)",
                         "waiting for health: j0 (starting)"], r
    assert lines[-1].startswith("ok")
    # No checkers: it runs, and that is enough.
    server.rows[("GET", "/v1/jail/healthcheck/j0")] = [
        (200, {"healthcheck": []}, {})]
    assert wait(tmp_path, server, "--wait-for", "healthy").rc == 0


def test_what_it_still_waits_for(tmp_path, server):
    jobs(server, job("completed", result=GOOD))
    server.rows[("GET", "/v1/project/info/p")] = [(200, with_services(0), {})]
    checkers(server, "j0", "unhealthy")
    r = wait(tmp_path, server, "--wait-for", "healthy", "--timeout", "1")
    assert r.rc == 75 and ("job:17) time ran out while: waiting for health: "
                           "j0 (unhealthy)") in r.err, r
    # It stops meanwhile; is replaced; is destroyed.
    for info, words in ((with_services(66), "stopped: s0 (status 66)"),
                        (with_services(0, up={"job_id": 18}),
                         "superseded by job 18")):
        server.rows[("GET", "/v1/project/info/p")] = [
            (200, with_services(0), {}), (200, info, {})]
        r = wait(tmp_path, server, "--wait-for", "healthy")
        assert r.rc == 1 and words in r.err, r
    server.rows[("GET", "/v1/project/info/p")] = [(404, None, {})]
    r = wait(tmp_path, server, "--wait-for", "running")
    assert r.rc == 1 and "the project is gone" in r.err, r


def test_an_original_is_healthy_later(tmp_path):
    """What it tells of services may be older than the job's end."""
    with FakeServer() as server:
        server.tree()
        base = "/v1/chain/alpha"
        server.on("POST", base + "/project/up/p", 200, {"job_id": 17})
        for info in (with_services(up={"operation": "RUNNING", "job_id": 17}),
                     with_services(66, up=GOOD), with_services(66, up=GOOD),
                     with_services(0, up=GOOD)):
            server.on("GET", base + "/project/info/p", 200, info)
        checkers(server, "j0", "healthy", chain="/chain/alpha")
        project(tmp_path, server.url)
        r = overlord(tmp_path, "apply", "-f", "web.yml", "--wait",
                     "--wait-for", "healthy", "--chain", "alpha")
    assert r.rc == 0 and "waiting for services: s0 (status 66)" in r.err, r
    assert server.lines("healthcheck") == [
        "GET /v1/chain/alpha/jail/healthcheck/j0"]


VM = """\
kind: vmJail
datacenters: {main: {entrypoint: '%s', access_token: t}}
deployIn: {labels: [all]}
vmName: db1
makejail: gh+x/vm
template: {cpu: '2'}
diskLayout: {driver: nvme, size: 20G, from: {type: iso, isoFile: x.iso}}
"""


def test_a_vm_of_an_original(tmp_path):
    with FakeServer() as server:
        server.single()
        (tmp_path / "vm.yml").write_text(VM % server.url)
        server.on("POST", "/v1/vm/db1", 200, {"job_id": 17})
        server.on("GET", "/v1/project/info/db1", 200, {"info": {"up": GOOD}})
        server.on("GET", "/v1/vm/db1", 404, None)
        server.on("GET", "/v1/vm/db1", 200, {"status": {
            "operation": "RUNNING", "job_id": 17}})
        server.on("GET", "/v1/vm/db1", 200, {"status": {
            "operation": "FAILED", "job_id": 17, "output": "one\ntwo\n",
            "exception": {"type": "Full", "message": "no room"}}})
        r = overlord(tmp_path, "apply", "-f", "vm.yml", "--wait")
    assert r.rc == 1 and "Full: no room" in r.err, r
    assert "db1  making the VM\n" in r.err and "  | two\n" in r.err


def test_timeout(tmp_path, server):
    jobs(server, running("up"))
    start = time.monotonic()
    r = wait(tmp_path, server, "--timeout", "1")
    assert r.rc == 75 and time.monotonic() - start < 30
    assert ("(datacenter:main, chain:None, project:p, job:17) time ran out "
            "while: running: up") in r.err
    assert "the deployment goes on" in r.err


def test_contact_comes_back(tmp_path, server):
    jobs(server, (503, {"message": "x"}), (0, None), running("up"),
         job("completed", result=GOOD))
    r = wait(tmp_path, server)
    assert r.rc == 0 and "no answer, asking again" in r.err


def test_contact_lost(tmp_path, server):
    jobs(server, (401, {"message": "expired"}))
    r = wait(tmp_path, server)
    assert r.rc == 69 and "401: expired" in r.err
    server.rows[("GET", "/v1/jobs/17")] = [
        (404, {"message": "Job '17' cannot be found."}, {})]
    r = wait(tmp_path, server)
    assert r.rc == 69 and "does not know the job any more" in r.err


def original(operation, number=17, **more):
    return {"info": {"up": dict(operation=operation, job_id=number, **more)}}


def test_original_server(tmp_path, server):
    key = ("GET", "/v1/project/info/p")
    server.rows[key] = [(200, original("COMPLETED", 3), {}),
                        (200, original("RUNNING"), {}),
                        (200, {"info": {"up": GOOD}}, {})]
    r = wait(tmp_path, server)
    assert r.rc == 0, r
    assert "running" in r.err and "ok" in r.err
    server.rows[key] = [(200, original("RUNNING", 18), {})]
    r = wait(tmp_path, server)
    assert r.rc == 1 and "superseded by job 18" in r.err


def test_destroy_and_cancel(tmp_path, server):
    server.on("HEAD", "/v1/metadata/overlord.autoscale.p", 404)
    server.on("POST", "/v1/project/down/p", 200, {"job_id": 17})
    server.on("POST", "/v1/project/cancel/p", 200, {"job_id": 17})
    project(tmp_path, server.url)
    jobs(server, job("completed", type="down",
                     result={"operation": "COMPLETED", "output": {}}))
    r = overlord(tmp_path, "destroy", "-f", "web.yml", "--wait")
    assert r.rc == 0 and "ok" in r.err
    r = overlord(tmp_path, "cancel", "-f", "web.yml", "--wait")
    assert r.rc == 0 and "ok" in r.err
    # Gone already: Director says 66, the server says done.
    jobs(server, job("completed", type="down", result={
        "operation": "COMPLETED", "output": {
            "rc": 66, "stdout": {"errlevel": 66, "message": "x",
                                 "failed": []}}}))
    r = overlord(tmp_path, "destroy", "-f", "web.yml", "--wait")
    assert r.rc == 0 and "ok" in r.err, r
    del server.rows[("GET", "/v1/jobs/17")]
    del server.rows[("GET", "/v1/project/info/p")]
    r = overlord(tmp_path, "destroy", "-f", "web.yml", "--wait")
    assert r.rc == 0, r


def test_interrupt(tmp_path, server):
    jobs(server, running("up"))
    project(tmp_path, server.url)
    p = subprocess.Popen([OVERLORD, "apply", "-f", "web.yml", "--wait"],
                         cwd=tmp_path, env=clean_env(),
                         stderr=subprocess.PIPE, text=True)
    assert "running: up" in p.stderr.readline()
    p.send_signal(signal.SIGINT)
    err = p.stderr.read()
    assert p.wait(30) == -signal.SIGINT
    assert err == ("overlord: still running on 1 target; 'overlord status -f "
                   "web.yml --watch' shows them\n")


def test_terminal(tmp_path, server):
    jobs(server, running("up"), running("up"), running("describe"),
         job("completed", result=GOOD))
    project(tmp_path, server.url)
    main, child = pty.openpty()
    p = subprocess.Popen([OVERLORD, "apply", "-f", "web.yml", "--wait"],
                         cwd=tmp_path, stderr=child,
                         env=clean_env({"TERM": "xterm",
                                        "LANG": "C.UTF-8"}))
    os.close(child)
    text = b""
    while True:
        try:
            data = os.read(main, 65536)
        except OSError:
            break
        if not data:
            break
        text += data
    os.close(main)
    assert p.wait(30) == 0
    text = text.decode()
    assert "running: up" in text and "\x1b[1A\x1b[J" in text
    assert "✓" in text or "ok" in text
    last = text.split("\x1b[J")[-1]
    assert re.match(r"main  <root>  p  \x1b\[32mok    \x1b\[0m  \d", last)


@pytest.mark.parametrize("term", [{}, {"TERM": "dumb"}])
def test_dumb_terminal(tmp_path, server, term):
    jobs(server, running("up"), job("completed", result=GOOD))
    project(tmp_path, server.url)
    main, child = pty.openpty()
    p = subprocess.Popen([OVERLORD, "apply", "-f", "web.yml", "--wait"],
                         cwd=tmp_path, stderr=child, env=clean_env(term))
    os.close(child)
    assert p.wait(30) == 0
    text = os.read(main, 65536)
    os.close(main)
    assert b"\x1b" not in text
    assert text.startswith(b"main  <root>  p  running: up\r\n")


def test_resized_and_stopped_terminal(tmp_path, server):
    """Lines that a narrower window has broken are taken away whole; after ^Z
    the view begins anew below what the shell has written."""
    jobs(server, running("up"))
    project(tmp_path, server.url)
    main, child = pty.openpty()
    fcntl.ioctl(main, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    p = subprocess.Popen([OVERLORD, "apply", "-f", "web.yml", "--wait"],
                         cwd=tmp_path, stderr=child,
                         env=clean_env({"TERM": "xterm", "LANG": "C.UTF-8"}))
    os.close(child)

    def read_until(*words):
        text = b""
        while not any(w in text for w in words):
            text += os.read(main, 65536)
        return text
    read_until(b"running: up")
    fcntl.ioctl(main, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 20, 0, 0))
    assert b"\r\x1b[2A\x1b[J" in read_until(b"\x1b[2A")
    read_until(b"\x1b[1A")
    p.send_signal(signal.SIGSTOP)
    os.waitpid(p.pid, os.WUNTRACED)
    os.set_blocking(main, False)
    try:
        while os.read(main, 65536):
            pass
    except BlockingIOError:
        os.set_blocking(main, True)
    p.send_signal(signal.SIGCONT)
    text = read_until(b"main")
    before = text.split(b"main")[0]
    for colour in (b"\x1b[33m", b"\x1b[0m"):
        before = before.replace(colour, b"")
    assert b"\x1b[" not in before
    p.send_signal(signal.SIGINT)
    assert p.wait(30) == -signal.SIGINT
    os.close(main)


def test_more_targets_than_rows(tmp_path):
    names = [f"c{i}" for i in range(9)]
    with FakeServer() as server:
        server.single()
        server.rows[("GET", "/v1/chains")] = [(200, {"chains": names}, {})]
        for path in [""] + [f"/chain/{c}" for c in names]:
            base = "/v1" + path
            if path:
                server.on("GET", base + "/chains", 200, {"chains": []})
                server.on("GET", base + "/labels", 200, {"labels": ["all"]})
            server.on("POST", base + "/project/up/p", 200, {"job_id": 17})
            server.on("GET", base + "/project/info/p", 200, INFO)
            server.on("GET", base + "/jobs/17", 200, running("up"))
            server.on("GET", base + "/jobs/17", 200,
                      job("completed", result=GOOD))
        project(tmp_path, server.url)
        main, child = pty.openpty()
        fcntl.ioctl(main, termios.TIOCSWINSZ, struct.pack("HHHH", 6, 80, 0, 0))
        p = subprocess.Popen([OVERLORD, "apply", "-f", "web.yml", "--wait"],
                             cwd=tmp_path, stderr=child,
                             env=clean_env({"TERM": "xterm"}))
        os.close(child)
        text = b""
        try:
            while data := os.read(main, 65536):
                text += data
        except OSError:
            pass
        os.close(main)
        assert p.wait(30) == 0
    ups = [int(x) for x in re.findall(rb"\x1b\[(\d+)A", text)]
    assert ups and max(ups) <= 5
    assert b"0 of 10 done" in text
    assert len(re.findall(rb"(?m)^main .*  ok    ", text.replace(
        b"\x1b[32m", b"").split(b"\x1b[J")[-1])) == 10


def test_500_targets_on_a_terminal(tmp_path):
    """Resized, without contact for a while, interrupted."""
    names = [f"c{i:03}" for i in range(499)]
    with FakeServer() as server:
        server.single()
        server.rows[("GET", "/v1/chains")] = [(200, {"chains": names}, {})]
        for path in ["", *(f"/chain/{c}" for c in names)]:
            base = "/v1" + path
            if path:
                server.on("GET", base + "/chains", 200, {"chains": []})
                server.on("GET", base + "/labels", 200, {"labels": ["all"]})
            server.on("POST", base + "/project/up/p", 200, {"job_id": 17})
            server.on("GET", base + "/project/info/p", 200, INFO)
            server.on("GET", base + "/jobs/17", 200, running("up"))
        project(tmp_path, server.url)
        with Terminal([OVERLORD, "apply", "-f", "web.yml", "--wait"], tmp_path,
                      clean_env({"TERM": "xterm", "LANG": "C.UTF-8"}),
                      rows=12, cols=80) as t:
            text = t.wait_for("running: up")
            assert "0 of 500 done" in text and "main  <root>  p" in text
            assert len(text.split("\n")) <= 11
            t.resize(6, 30)
            text = t.wait_for("a smaller view",
                              lambda: "0 of 500" in t.screen.text())
            assert len(text.split("\n")) <= 5, text
            assert all(len(line) <= 30 for line in text.split("\n")), text
            t.resize(12, 80)
            jobs(server, (0, None))
            t.wait_for("no answer, asking again")
            jobs(server, running("describe"))
            t.wait_for("running: describe")
            t.keys("\x03")
            assert os.WTERMSIG(t.end()) == signal.SIGINT
            assert "still running on 500 targets; 'overlord status -f " \
                "web.yml --watch'" in t.screen.text()


def test_several_targets(tmp_path):
    with FakeServer() as server:
        server.tree()
        for i, c in enumerate(["alpha", "alpha.bravo"]):
            base = f"/v1/chain/{c}"
            server.on("POST", base + "/project/up/p", 200, {"job_id": 17 + i})
            server.on("GET", base + "/project/info/p", 200, INFO)
        server.on("GET", "/v1/chain/alpha/jobs/17", 200,
                  job("failed", message="boom"))
        server.on("GET", "/v1/chain/alpha.bravo/jobs/18", 200,
                  job("completed", result=GOOD))
        project(tmp_path, server.url)
        r = overlord(tmp_path, "apply", "-f", "web.yml", "--wait", "--chain",
                     "alpha", "--chain", "alpha.bravo")
        assert r.rc == 1
        assert re.search(r"main  alpha        p  FAILED  \S+  boom\n"
                         r"main  alpha.bravo  p  ok      \S+\n", r.err), r
        assert "logs --file web.yml --chain alpha p" in r.err
