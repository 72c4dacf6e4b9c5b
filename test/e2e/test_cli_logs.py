#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""overlord logs, against real nodes."""

import signal
import subprocess

import pytest

from cli_support import OVERLORD, clean_env, overlord, project
from fake_server import FakeServer
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
    p = follow(tmp_path, "--until-done")
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
    assert "project:p, job:1) " in err and len(out) >= 1000


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
        p = follow(tmp_path, "--until-done")
        out, err = p.communicate(timeout=60)
        assert p.returncode == 0 and out == "" and "n/a" in err, err


@pytest.mark.parametrize("args,words", [
    (["-f", "web.yml"], "'-f' means --follow here; did you mean --file "
     "web.yml?"),
    ([], "name a project"),
    (["a b"], "'a b' is not"),
    (["--until-done", "p"], "--until-done is for --follow"),
    (["--tail", "-1", "p"], "--tail: must be 0 or more"),
])
def test_usage(tmp_path, args, words):
    r = overlord(tmp_path, "logs", *args)
    assert (r.rc, r.out) == (64, "") and words in r.err, r
