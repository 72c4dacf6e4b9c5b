#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The client against a real node: from a token to destruction."""

import json
import re
import signal
import subprocess

from cli_support import OVERLORD, clean_env, overlord, project
from node import make_tree, wait_for

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


DIRECTOR = """\
projectFile: |
  options:
    - virtualnet: 'ajnet:web address:10.0.0.9 default'
    - nat:
    - expose: '8080:80 ext_if:em0 on_if:em0'
    - label: 'team:web'
  services:
    web:
      name: web
      makejail: 'gh+x/y'
"""


def as_python(jail, items):
    """A jail as the original prints it: by Python itself."""
    out = [f"    {jail}:"]
    for name, value in items.items():
        if isinstance(value, str):
            out.append(f"      {name}: {value}")
        elif value:
            out.append(f"      {name}:")
            out += [f"        {k}: {v}" for k, v in value.items()
                    ] if isinstance(value, dict) else [
                    f"        - {v}" for v in value]
    return out


def test_jails_of_a_tree(tmp_path, make_node):
    """Jails and AppJail's logs of a server below, through the chain."""
    tree = make_tree(make_node, ("main", "alpha"))
    main, alpha = tree["main"], tree["alpha"]
    name = use(tmp_path, main, DIRECTOR)
    r = overlord(tmp_path, "apply", "-f", name, "--wait", "--chain", "alpha")
    assert r.rc == 0, r

    def there(item):
        return alpha.get(f"/v1/jail/{item}/web").json.get(item)
    names = ("info", "cpuset", "expose", "labels", "nat")
    wait_for("all items", lambda: all(there(i) for i in names if
                                      i != "cpuset"), step=0.1)
    wait_for("statistics", lambda: there("stats"), step=0.1)
    chosen = [x for i in names for x in ("--jail-item", i)]
    r = overlord(tmp_path, "get-info", "-f", name, "-t", "jails", *chosen)
    assert (r.rc, r.err) == (0, ""), r
    lines = r.out.splitlines()
    assert lines[1:7] == ["  entrypoint: main", "  chain: alpha",
                          "  labels:", "    - all", "    - alpha", "  jails:"]
    assert lines[7:] == as_python("web", {i: there(i) for i in names})
    r = overlord(tmp_path, "get-info", "-f", name, "-t", "chains:stats")
    assert re.search(r"^    memoryuse: \d+ \([\d.]+ \w+\)$", r.out, re.M), r
    log = alpha.standin / "logs" / "jails" / "web" / "start up" / "x.log"
    log.parent.mkdir(parents=True)
    log.write_text("one\n\x1b[31mtwo\n")
    r = overlord(tmp_path, "get-info", "-f", name, "-t", "jails:logs")
    assert "    - jails/web/start up/x.log" in r.out.splitlines(), r
    r = overlord(tmp_path, "get-jail-log", "-f", name, "-t", "jails", "-e",
                 "web", "-s", "start up", "-l", "x.log", "main.alpha")
    assert (r.rc, r.out, r.err) == (0, "one\ntwo\n", ""), r
    r = overlord(tmp_path, "get-jail-log", "-f", name, "-t", "jails", "-e",
                 "web", "-s", "start up", "-l", "y.log", "main.alpha")
    assert r.rc == 66 and "404: " in r.err, r


def test_until_healthy(tmp_path, make_node):
    """The checkers of a jail on a server below, as AppJail keeps them."""
    tree = make_tree(make_node, ("main", "alpha"))
    name = use(tmp_path, tree["main"], DIRECTOR + "      options:\n"
               "        - healthcheck: 'health_cmd:true'\n")
    p = subprocess.Popen([OVERLORD, "apply", "-f", name, "--wait",
                          "--wait-for", "healthy", "--chain", "alpha"],
                         cwd=tmp_path, env=clean_env(),
                         stderr=subprocess.PIPE, text=True)
    said = []

    def until(words):
        while not said or words not in said[-1]:
            said.append(p.stderr.readline())
            assert said[-1] != "", said
    until("waiting for health: web (not checked yet)")
    at = tree["alpha"].standin / "jails/web/conf/boot/health/0/status"
    for status in ("starting", "failing", "healthy"):
        at.write_text(status + "\n")
        until("ok" if status == "healthy" else f"web ({status})")
    assert p.wait(60) == 0
    p.stderr.close()
    overlord(tmp_path, "destroy", "-f", name, "--wait")
    r = overlord(tmp_path, "apply", "-f", name, "--wait", "--wait-for",
                 "running")
    assert r.rc == 0, r


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
