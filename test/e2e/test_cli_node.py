#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The client against a real node: what people do, from token to destruction."""

import json
import re
import signal
import subprocess

from cli_support import OVERLORD, clean_env, overlord, project
from node import wait_for

SERVICES = """\
projectFile: |
  services:
    web:
      makejail: 'gh+AppJail-makejails/web'
environment: {A: b}
"""


def use(tmp_path, node, more=SERVICES):
    """A deployment file with a token that the client makes itself."""
    token = overlord(tmp_path, "gen-token", env={
        "OVERLORD_CONFIG": str(node.config)}).out.strip()
    assert token.count(".") == 2
    name = project(tmp_path, node.url(), more)
    path = tmp_path / name
    path.write_text(path.read_text().replace("the-token", token))
    return name


def test_from_apply_to_destroy(tmp_path, node):
    name = use(tmp_path, node)
    r = overlord(tmp_path, "status", "-f", name)
    assert "ABSENT" in r.out
    r = overlord(tmp_path, "apply", "-f", name, "--wait")
    assert r.rc == 0 and r.out == "", r
    assert re.search(r"^main  <root>  p  ok      \d", r.err, re.M), r
    r = overlord(tmp_path, "get-info", "-f", name, "-t", "projects")
    assert (r.rc, r.err) == (0, "")
    lines = r.out.splitlines()
    assert lines[:7] == [f"datacenter: {node.url()}", "  entrypoint: main",
                         "  chain: None", "  labels:", "    - all",
                         "    - desktop", "  projects:"]
    assert lines[7:9] == ["    p:", "      state: DONE"]
    assert "        operation: COMPLETED" in lines
    assert re.search(r"^         stdout: \{'errlevel': 0, ", r.out, re.M)
    assert re.search(r"^        last_update: [\d.]+ seconds?$", r.out, re.M)
    r = overlord(tmp_path, "status", "-f", name, "--exit-code")
    assert r.rc == 0 and re.search(r"main +<root> +p +READY +1/1", r.out), r
    r = overlord(tmp_path, "jobs", "-f", name)
    assert re.search(r"^1 +main +<root> +up +p +completed +1 ", r.out, re.M)
    r = overlord(tmp_path, "jobs", "show", "main", "1", "-f", name, "-o",
                 "json")
    assert json.loads(r.out)["job"]["state"] == "completed"
    assert "state       completed" in overlord(
        tmp_path, "jobs", "show", "main", "1", "-f", name).out
    r = overlord(tmp_path, "destroy", "-f", name, "--wait")
    assert r.rc == 0 and " ok " in r.err, r
    assert "ABSENT" in overlord(tmp_path, "status", "-f", name).out


def test_logs(tmp_path, node):
    name = use(tmp_path, node)
    assert overlord(tmp_path, "apply", "-f", name, "--wait").rc == 0
    logs = node.get("/v1/projects/logs").json["logs"]
    date = list(logs)[0]
    service = list(logs[date])[0]
    log = logs[date][service][0]
    r = overlord(tmp_path, "get-project-log", "-f", name, "-d", date, "-s",
                 service, "-l", log, "main")
    assert r.rc == 0 and r.out.endswith("\n") and r.err == ""
    r = overlord(tmp_path, "get-project-log", "-f", name, "-d", date, "-s",
                 service, "-l", "none.log", "main")
    assert r.rc == 66


def test_failing_deployment(tmp_path, node):
    node.behave("p", "rc=1")
    name = use(tmp_path, node)
    r = overlord(tmp_path, "apply", "-f", name, "--wait")
    assert r.rc == 1 and "FAILED" in r.err, r
    assert "1 of 1 targets failed" in r.err
    r = overlord(tmp_path, "status", "-f", name, "--exit-code")
    assert r.rc == 1 and "FAILED" in r.out


def test_cancel_while_waiting(tmp_path, node):
    node.behave("p", "hang")
    name = use(tmp_path, node)
    p = subprocess.Popen([OVERLORD, "apply", "-f", name, "--wait"],
                         cwd=tmp_path, env=clean_env(),
                         stderr=subprocess.PIPE, text=True)
    wait_for("the job to run", lambda: "DEPLOYING" in overlord(
        tmp_path, "status", "-f", name).out, step=0.1)
    assert overlord(tmp_path, "cancel", "-f", name).rc == 0
    err = p.communicate(timeout=60)[1]
    assert p.returncode == 1 and "cancelled" in err, err


def test_restart_while_waiting(tmp_path, node):
    """The daemon goes away and comes back: so does the answer."""
    node.behave("p", "delay=3")
    port = node.address()[1]
    node.configure({"listen": [f"127.0.0.1:{port}"]})
    name = use(tmp_path, node)
    p = subprocess.Popen([OVERLORD, "apply", "-f", name, "--wait"],
                         cwd=tmp_path, env=clean_env(),
                         stderr=subprocess.PIPE, text=True)
    wait_for("the job to run", lambda: "DEPLOYING" in overlord(
        tmp_path, "status", "-f", name).out, step=0.1)
    node.process.send_signal(signal.SIGKILL)
    node.process.wait(60)
    node.start()
    err = p.communicate(timeout=60)[1]
    assert p.returncode == 0, err
    assert re.search(r"^main  <root>  p  ok ", err, re.M), err


def test_wrong_token(tmp_path, node):
    name = project(tmp_path, node.url(), SERVICES)
    r = overlord(tmp_path, "apply", "-f", name)
    assert r.rc == 77 and "error obtaining the chains: 4" in r.err, r
    assert "hint: the token is not from this server" in r.err


def test_this_machine(tmp_path, node):
    """Without a file: the token is made from the local key."""
    env = {"OVERLORD_CONFIG": str(node.config),
           "OVERLORD_ENTRYPOINT": node.url()}
    node.wait_job(node.up("q"))
    r = overlord(tmp_path, "jobs", env=env)
    assert r.rc == 0 and re.search(r"local +<root> +up +q +completed", r.out)
    r = overlord(tmp_path, "status", env=env)
    assert r.rc == 0 and re.search(r"local +<root> +q +READY", r.out), r
