#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""get-info -t projects byte for byte, logs, jobs, status."""

import re
import time

import pytest

from cli_support import OVERLORD, clean_env, document, header, overlord, project, readonly, write
from fake_server import FakeServer
from terminal import Terminal

P = {"name": "p", "state": "DONE", "last_log": "2025-04-22_17h57m45s",
     "locked": False,
     "services": [{"name": "web", "status": 0, "jail": "e969b06736"},
                  {"name": "it's", "status": 66, "jail": None}],
     "up": {"operation": "COMPLETED",
            "output": {"rc": 0, "stdout": {"errlevel": 0, "message": None,
                                           "failed": []},
                       "stderr": " line one\n  line two\n"},
            "last_update": 370.02, "job_id": 17, "restarted": False,
            "labels": {"error": False, "message": None,
                       "load-balancer": {"web": {"error": False,
                                                 "message": None}},
                       "skydns": {"web": {
                           "error": False, "message":
                           "(project:p) records has been updated."}}}},
     "down": {"operation": "INCOMPLETED", "output": {}, "last_update": 0.004,
              "job_id": 18,
              "labels": {"error": True, "message": "Project 'p' has an "
                         "unexpected state 'FAILED'"}}}
Q = {"up": {"operation": "FAILED", "last_update": 100000.5, "job_id": 19,
            "exception": {"type": "InterfaceNotFound",
                          "message": "em9: Interface not found."}}}
GOLDEN_PQ = """\
  projects:
    p:
      state: DONE
      last_log: 2025-04-22_17h57m45s
      locked: False
      services:
        - {'name': 'web', 'status': 0, 'jail': 'e969b06736'}
        - {'name': "it's", 'status': 66, 'jail': None}
      up:
        operation: COMPLETED
        output:
         rc: 0
         stdout: {'errlevel': 0, 'message': None, 'failed': []}
         stderr:
            line one
             line two
        last_update: 6 minutes and 10.02 seconds
        job_id: 17
        restarted: False
         skydns:
           services:
             web:
               error: False
               message: (project:p) records has been updated.
      down:
        operation: INCOMPLETED
        last_update: 0 seconds
        job_id: 18
        labels:
         error: True
         message: Project 'p' has an unexpected state 'FAILED'
"""
GOLDEN_Q = """\
    q:
      state: None
      last_log: None
      locked: None
      services:
      up:
        operation: FAILED
        last_update: 1 day, 3 hours and 46 minutes
        job_id: 19
        exception: {'type': 'InterfaceNotFound', 'message': \
'em9: Interface not found.'}
"""


@pytest.fixture
def server():
    with FakeServer() as s:
        yield s


def with_projects(server):
    server.on("GET", "/v1/projects", 200, {"projects": ["p", "q"]})
    server.on("GET", "/v1/project/info/p", 200, {"info": P})
    server.on("GET", "/v1/project/info/q", 200, {"info": Q})
    for c in ("alpha", "alpha.bravo", "alpha.charlie", "alpha.charlie.delta"):
        server.on("GET", f"/v1/chain/{c}/projects", 200, {"projects": []})
    return server


def test_golden(tmp_path, server):
    """cli.md, appendix G."""
    with_projects(server.tree())
    r = overlord(tmp_path, "get-info", "-t", "projects", "-f",
                 readonly(tmp_path, server.url))
    assert r.rc == 0
    assert r.out == header(server.url) + GOLDEN_PQ + GOLDEN_Q
    assert r.err.count("\n") == 2 and r.err.count("chain:zulu") == 2


def test_names(tmp_path, server):
    with_projects(server.single(["all", "desktop"]))
    ro = readonly(tmp_path, server.url)
    r = overlord(tmp_path, "get-info", "-t", "projects", "-f", ro, "--filter",
                 "q", "--filter", "nope", "--filter", "q")
    assert r.out == header(server.url) + "  projects:\n" + GOLDEN_Q
    assert (r.rc, r.err) == (0, "")
    assert "GET /v1/projects" not in server.lines()
    assert server.lines("/info/q") == ["GET /v1/project/info/q"]
    r = overlord(tmp_path, "get-info", "-t", "projects", "-f", ro, "--filter",
                 "nope")
    assert (r.rc, r.out, r.err) == (0, "", "")
    name = project(tmp_path, server.url)
    r = overlord(tmp_path, "get-info", "-t", "projects", "-f", name,
                 "--filter-per-project", "--filter", "q")
    assert r.out == header(server.url) + GOLDEN_PQ
    r = overlord(tmp_path, "get-info", "-t", "projects", "-f", ro, "--filter",
                 "../x")
    assert r.rc == 0 and r.out == "" and "function:get_info" in r.err


def test_failures_are_warnings(tmp_path, server):
    server.tree()
    server.on("GET", "/v1/projects", 503, {"message": "Not now."})
    server.on("GET", "/v1/chain/alpha/projects", 200, {"projects": ["q", "r"]})
    server.on("GET", "/v1/chain/alpha/project/info/q", 500)
    server.on("GET", "/v1/chain/alpha/project/info/r", 200, {"info": Q})
    r = overlord(tmp_path, "get-info", "-t", "projects", "-f",
                 readonly(tmp_path, server.url, "{labels: [desktop, services]}"))
    assert r.rc == 0
    assert ("overlord: warning: (datacenter:main, chain:None, "
            "function:get_projects) error executing the remote call: 503: Not "
            "now\n") in r.err
    assert ("(datacenter:main, chain:alpha, function:get_info) error executing"
            " the remote call: 500: Internal Server Error\n") in r.err
    assert r.out == (header(server.url, "alpha", ["all", "services"]) +
                     "  projects:\n" + GOLDEN_Q.replace("    q:", "    r:"))


def test_all_labels(tmp_path, server):
    server.on("GET", "/v1/chains", 200, {"chains": []})
    with_projects(server)
    r = overlord(tmp_path, "get-info", "-t", "projects", "--all-labels", "-f",
                 readonly(tmp_path, server.url), "--filter", "q")
    assert r.out == header(server.url, labels=None) + "  projects:\n" + GOLDEN_Q
    assert not server.lines("/labels")


def test_autoscale_labels(tmp_path, server):
    server.tree()
    for c in ("alpha.charlie", "alpha.charlie.delta"):
        server.on("GET", f"/v1/chain/{c}/projects", 200, {"projects": ["q"]})
        server.on("GET", f"/v1/chain/{c}/project/info/q", 200, {"info": Q})
    name = project(tmp_path, server.url,
                   "projectFile: x\nautoScale: {labels: [db-only]}",
                   "[desktop]")
    r = overlord(tmp_path, "get-info", "-t", "projects", "-q", "-f", name,
                 "--use-autoscale-labels")
    assert [x for x in r.out.splitlines() if "chain:" in x] == [
        "  chain: alpha.charlie", "  chain: alpha.charlie.delta"]


def test_entry_points_are_not_merged(tmp_path, server):
    with_projects(server.single(["all", "desktop"]))
    r = overlord(tmp_path, "get-info", "-t", "projects", "--filter", "q", "-f",
                 readonly(tmp_path, server.url, "{entrypoints: [main, main]}"))
    assert r.out == (header(server.url) + "  projects:\n" + GOLDEN_Q) * 2


def test_nobody_there(tmp_path):
    r = overlord(tmp_path, "get-info", "-t", "projects", "-f",
                 readonly(tmp_path, "http://127.0.0.1:1"))
    assert r.rc == 69 and r.out == ""


# Logs


def log_args(*more, entrypoint="main"):
    return ["get-project-log", "-f", "ro.yml", "-d", "2025-04-22_17h57m45s",
            "-s", "web", "-l", "up.log", entrypoint, *more]


@pytest.mark.parametrize("entrypoint,base", [
    ("main", "/v1"), ("main.alpha.charlie", "/v1/chain/alpha.charlie")])
def test_project_log(tmp_path, server, entrypoint, base):
    readonly(tmp_path, server.url)
    server.on("GET", base + "/projects/log/2025-04-22_17h57m45s/web/up.log",
              200, {"log_content": "one\ntwo é"})
    r = overlord(tmp_path, *log_args(entrypoint=entrypoint))
    assert (r.rc, r.out, r.err) == (0, "one\ntwo é\n", "")
    assert len(server.requests) == 1


def test_project_log_faults(tmp_path, server):
    readonly(tmp_path, server.url)
    path = "/v1/projects/log/2025-04-22_17h57m45s/web/up.log"
    server.on("GET", path, 404, {"message": "Log cannot be found."})
    r = overlord(tmp_path, *log_args())
    assert (r.rc, r.out) == (66, "")
    assert r.err == ("overlord: (datacenter:main, chain:None) error obtaining "
                     "the log: 404: Log cannot be found\n")
    server.rows[("GET", path)] = [(200, {}, {})]
    assert overlord(tmp_path, *log_args()).out == "\n"
    server.rows[("GET", path)] = [(401, {}, {})]
    assert overlord(tmp_path, *log_args()).rc == 77
    assert overlord(tmp_path, *log_args(entrypoint="nope")).rc == 66
    assert overlord(tmp_path, *log_args(entrypoint="main.a b")).rc == 64
    for bad in ("a/b", "..", ".", "", "/x"):
        r = overlord(tmp_path, "get-project-log", "-f", "ro.yml", "-d", "d",
                     "-s", bad, "-l", "l", "main")
        assert r.rc == 64 and "--service" in r.err


JAIL_LOG = ["get-jail-log", "-f", "ro.yml", "-t", "jails", "-e", "web", "-s",
            "start up", "-l"]


def test_jail_log(tmp_path, server):
    readonly(tmp_path, server.url)
    path = "jail/log/jails/web/start%20up/2025.log"
    server.on("GET", f"/v1/{path}", 200, {"log_content": "one\ntwo"})
    server.on("GET", f"/v1/chain/alpha/{path}", 200, {"log_content": "below"})
    r = overlord(tmp_path, *JAIL_LOG, "2025.log", "main")
    assert (r.rc, r.out, r.err) == (0, "one\ntwo\n", "")
    r = overlord(tmp_path, "-e", "/dev/null", *JAIL_LOG, "2025.log",
                 "main.alpha")
    assert (r.rc, r.out, r.err) == (0, "below\n", "")
    assert len(server.requests) == 2
    r = overlord(tmp_path, *JAIL_LOG, "2026.log", "main")
    assert (r.rc, r.out) == (66, "") and "error obtaining the log: 404" in r.err
    r = overlord(tmp_path, *JAIL_LOG, "../passwd", "main")
    assert r.rc == 64 and "--log '../passwd': must be a name" in r.err
    assert len(server.requests) == 3
    r = overlord(tmp_path, *JAIL_LOG, "x")
    assert r.rc == 64 and "missing argument 'ENTRYPOINT'" in r.err


# Jobs and status


def job(number, state, **more):
    now = time.time()
    out = {"id": number, "type": "up", "name": "p", "state": state,
           "attempt": 1, "by": "ci", "request_id": "r1",
           "created_at": now - 100, "started_at": now - 95,
           "ended_at": now - 5, "message": None, "steps": []}
    out.update(more)
    return out


def test_jobs(tmp_path, server):
    server.single()
    server.on("GET", "/v1/jobs", 200, {"jobs": [
        job(18, "running", type="down", name="tor\x1b[31m", ended_at=None),
        job(17, "failed", attempt=2, by="ci@10.0.0.5")]})
    project(tmp_path, server.url)
    r = overlord(tmp_path, "jobs", "-f", "web.yml")
    assert (r.rc, r.err) == (0, "")
    lines = [x.split() for x in r.out.splitlines()]
    assert lines[0] == ["JOB", "DATACENTER", "CHAIN", "TYPE", "NAME", "STATE",
                        "TRY", "WAITED", "TOOK", "BY"]
    assert lines[1][:9] == ["18", "main", "<root>", "down", "tor\\x1b[31m",
                            "running", "1", "5s", "1m35s"]
    assert lines[2][2:] == ["<root>", "up", "p", "failed", "2", "5s", "1m30s",
                            "ci@10.0.0.5"]
    assert server.requests[-1].query == "limit=50&name=p"
    assert not any(x.endswith(" ") for x in r.out.splitlines())
    doc, _ = document(tmp_path, "jobs", "-f", "web.yml", "--all", "--state",
                      "queued", "--state", "failed", "--limit", "5")
    assert doc["schema"] == "overlord.jobs/1"
    assert [j["id"] for j in doc["nodes"][0]["jobs"]] == [18, 17]
    assert server.requests[-1].query == "limit=5&state=queued,failed"
    r = overlord(tmp_path, "jobs", "-f", "web.yml", "--no-headers")
    assert len(r.out.splitlines()) == 2


def test_jobs_on_a_narrow_terminal(tmp_path, server):
    server.single()
    server.on("GET", "/v1/jobs", 200, {"jobs": [job(17, "failed")]})
    project(tmp_path, server.url)
    for more, cut in (((), True), (("-o", "wide"), False)):
        with Terminal([OVERLORD, "jobs", "-f", "web.yml", *more], tmp_path,
                      clean_env({"TERM": "xterm", "LANG": "C.UTF-8"}),
                      cols=66) as t:
            assert t.end() == 0
        lines = t.raw.decode().split("\r\n")
        assert (len(lines[1]) <= 66) == cut and lines[1].endswith("ci") != cut


def test_jobs_of_an_original_server(tmp_path, server):
    server.single()
    project(tmp_path, server.url)
    r = overlord(tmp_path, "jobs", "-f", "web.yml")
    assert r.rc == 0 and "n/a" in r.err and len(r.out.splitlines()) == 1


def test_one_job(tmp_path, server):
    readonly(tmp_path, server.url)
    server.on("GET", "/v1/chain/alpha/jobs/17", 200, {"job": job(
        17, "failed", message="exit 1",
        steps=[{"name": "up", "attempt": 1, "started_at": 1.0, "ended_at": 3.0,
                "rc": 1, "note": "x"}],
        result={"operation": "FAILED", "output": {
            "rc": 1, "stdout": {"errlevel": 1}, "stderr": "a\nb\x07\n"}})})
    server.on("DELETE", "/v1/chain/alpha/jobs/17", 200, {"job_id": 17})
    r = overlord(tmp_path, "jobs", "show", "main.alpha", "17", "-f", "ro.yml")
    assert r.rc == 0, r
    assert "state       failed\n" in r.out
    assert "  try 1  up  2s  rc 1  x\n" in r.out
    assert "stderr\n  | a\n  | b\\x07\n" in r.out
    r = overlord(tmp_path, "jobs", "cancel", "main.alpha", "17", "-f",
                 "ro.yml")
    assert (r.rc, r.out, r.err) == (0, "", "")
    assert server.lines()[-1] == "DELETE /v1/chain/alpha/jobs/17"
    r = overlord(tmp_path, "jobs", "show", "main", "9", "-f", "ro.yml")
    assert r.rc == 66
    for args in (["shw", "main", "1"], ["show", "main"], ["show", "main", "x"],
                 ["show", "main", "01"]):
        assert overlord(tmp_path, "jobs", "-f", "ro.yml", *args).rc == 64


def test_jobs_without_file(tmp_path, server):
    server.single().on("GET", "/v1/jobs", 200, {"jobs": [job(1, "queued")]})
    r = overlord(tmp_path, "jobs", env={
        "OVERLORD_ENTRYPOINT": server.url, "OVERLORD_TOKEN": "tok"})
    assert r.rc == 0 and "local" in r.out
    assert server.requests[-1].headers["Authentication"] == "Bearer tok"
    write(tmp_path / ".overlord.yml", "secret_key: abc\n")
    import jwt
    overlord(tmp_path, "jobs", env={"OVERLORD_ENTRYPOINT": server.url})
    token = server.requests[-1].headers["Authentication"].split()[1]
    claims = jwt.decode(token, "abc", algorithms=["HS256"])
    assert claims["scope"] == "read"
    assert 0 < claims["exp"] - time.time() <= 61
    write(tmp_path / ".overlord.yml", "secret_keyfile: /nonexistent/k\n")
    r = overlord(tmp_path, "jobs", env={"OVERLORD_ENTRYPOINT": server.url})
    assert r.rc == 64 and "OVERLORD_TOKEN" in r.err


def done(**more):
    info = {"name": "p", "state": "DONE", "last_log": "L", "locked": False,
            "services": [{"name": "w", "status": 0, "jail": "j"}],
            "up": {"operation": "COMPLETED", "last_update": 187.4,
                   "job_id": 3}}
    info.update(more)
    return {"info": info}


def test_status(tmp_path, server):
    server.tree()
    base = "/v1/chain/"
    server.on("GET", "/v1/project/info/p", 200, done())
    server.on("GET", "/v1/jobs", 200, {"jobs": []})
    server.on("GET", base + "alpha/project/info/p", 200, done(
        state="UNFINISHED", up={"operation": "RUNNING", "last_update": 12,
                                "job_id": 4}))
    server.on("GET", base + "alpha/jobs", 200, {"jobs": [job(
        4, "running", ended_at=None,
        steps=[{"name": "up", "attempt": 1, "started_at": 1,
                "ended_at": None}])]})
    server.on("GET", base + "alpha.bravo/project/info/p", 200, done())
    server.on("GET", base + "alpha.bravo/jobs", 200, {"jobs": [
        job(9, "queued", position=2, started_at=None, ended_at=None)]})
    server.on("GET", base + "alpha.charlie/project/info/p", 200, done(up={
        "operation": "FAILED", "last_update": 90.1, "job_id": 17,
        "message": "it broke"}))
    project(tmp_path, server.url)
    r = overlord(tmp_path, "status", "-f", "web.yml")
    assert (r.rc, r.err) == (0, ""), r
    assert r.out == """\
DATACENTER  CHAIN                PROJECT  STATE        JAILS    AGE  PROGRESS
main        <root>               p        READY          1/1  3m07s  -
main        alpha                p        DEPLOYING      1/1    12s  running: up
main        alpha.bravo          p        QUEUED         1/1  3m07s  queued \
(position 2)
main        alpha.charlie        p        FAILED         1/1  1m30s  it broke \
(job 17)
main        alpha.charlie.delta  p        ABSENT           -      -  -
main        zulu                 -        UNREACHABLE      -      -  503: zulu \
is down
"""
    assert overlord(tmp_path, "status", "-f", "web.yml", "--exit-code").rc == 1
    assert overlord(tmp_path, "status", "-f", "web.yml", "--exit-code",
                    "--chain", "alpha").rc == 3
    assert overlord(tmp_path, "status", "-f", "web.yml", "--exit-code",
                    "--chain", "zulu").rc == 4
    assert overlord(tmp_path, "status", "-f", "web.yml", "--exit-code",
                    "--chain", "<root>").rc == 0
    doc, _ = document(tmp_path, "status", "-f", "web.yml")
    assert doc["schema"] == "overlord.status/1"
    assert [x["state"] for x in doc["projects"]] == [
        "READY", "DEPLOYING", "QUEUED", "FAILED", "ABSENT", "UNREACHABLE"]
    assert doc["projects"][0]["chain"] is None
    r = overlord(tmp_path, "status", "-f", "web.yml", "-w", "-o", "yaml")
    assert (r.rc, r.out) == (64, "") and "use -o json" in r.err
    r = overlord(tmp_path, "status", "-f", "web.yml", "-o", "wide")
    rows = [x.split() for x in r.out.splitlines()]
    assert rows[0][6:] == ["LABELS", "KIND", "OPERATION", "JOB", "LAST-LOG",
                           "LATENCY", "VERSION", "PROGRESS"]
    assert rows[1][6:11] == ["all,desktop", "directorProject", "COMPLETED",
                             "3", "L"]
    assert re.fullmatch(r"\d+ms", rows[1][11]) and rows[1][12] == "-"


def test_status_of_the_vm_of_a_file(tmp_path, server):
    server.single()
    server.on("GET", "/v1/projects", 200, {"projects": ["db1", "other"]})
    server.on("GET", "/v1/project/info/db1", 200, done())
    write(tmp_path / "vm.yml", f"""\
        kind: vmJail
        datacenters: {{main: {{entrypoint: '{server.url}', access_token: t}}}}
        deployIn: {{labels: [all]}}
        vmName: db1
        makejail: gh+x/vm
        template: {{cpu: '2'}}
        diskLayout: {{driver: nvme, size: 20G, from: {{type: iso, isoFile: x}}}}
        """)
    r = overlord(tmp_path, "status", "-f", "vm.yml", "--no-headers")
    assert r.rc == 0 and r.out.split()[2:4] == ["db1", "READY"], r
    assert "other" not in r.out
    doc, _ = document(tmp_path, "status", "-f", "vm.yml")
    assert doc["projects"][0]["kind"] == "vmJail"


def test_status_of_all(tmp_path, server):
    server.on("GET", "/v1/chains", 200, {"chains": []})
    server.on("GET", "/v1/projects", 200, {"projects": ["p", "q"]})
    server.on("GET", "/v1/project/info/p", 200, done(
        services=[{"name": "w", "status": 66}, {"name": "v", "status": 0}]))
    project(tmp_path, server.url, labels="[none]")
    r = overlord(tmp_path, "status", "-f", "web.yml", "--all", "--no-headers")
    assert r.rc == 0
    assert [x.split()[2:5] for x in r.out.splitlines()] == [
        ["p", "DEGRADED", "1/2"], ["q", "ABSENT", "-"]]
    assert "stopped: w (status 66)" in r.out
