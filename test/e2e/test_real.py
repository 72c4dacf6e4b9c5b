# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What a node does for its users, with nothing in it that only a stand-in can
do: `check.sh --real` runs these tests with the AppJail and the Director of the
machine. What they deploy is theirs by its name, and goes with them."""

import json
import os
import secrets
import subprocess

import pytest

from listener import Stream
from node import REAL, REPO


@pytest.fixture
def project(node):
    """(node, name, Director file); its jail has the name, too, and is as little
    as AppJail makes a jail of."""
    name = "overlord-test-" + secrets.token_hex(4)
    makejail = node.root / "Makejail"
    makejail.write_text("OPTION start\n")
    yield node, name, json.dumps({"services": {"web": {
        "name": name, "makejail": str(makejail)}}})
    if REAL:
        subprocess.run(["appjail-director", "down", "-d", "-p", name],
                       stdin=subprocess.DEVNULL, check=False)
        subprocess.run(["appjail", "jail", "destroy", "-Rf", name],
                       stdin=subprocess.DEVNULL, check=False)


def deploy(node, name, file):
    job = node.wait_job(node.up(name, director_file=file))
    assert job["state"] == "completed", job


def jails(node):
    return node.get("/v1/jails").json["jails"]


def running(node, name):
    """The jails of the project that run."""
    return [s["jail"] for s in node.info(name)["services"]
            if s["status"] == 0]


def test_a_project_comes_and_goes(project):
    node, name, file = project
    before = jails(node)
    deploy(node, name, file)
    info = node.info(name)
    assert info["state"] == "DONE" and not info["locked"]
    assert info["up"]["operation"] == "COMPLETED"
    assert running(node, name) == [name]
    assert sorted(jails(node)) == sorted(before + [name])
    assert node.get(f"/v1/jail/info/{name}").json["info"]["name"] == name
    # The second time there is nothing to do.
    deploy(node, name, file)
    assert running(node, name) == [name]
    job = node.wait_job(node.down(name))
    assert job["state"] == "completed", job
    assert name not in node.get("/v1/projects").json["projects"]
    assert jails(node) == before


def test_a_jail_that_comes_and_stops_is_an_event(project):
    node, name, file = project
    stream = Stream(node)
    stream.greeted()

    def until(*words):
        missing = set(words)
        while missing:
            _, kind, data = stream.read()
            if kind == "jail" and data["name"] == name:
                missing.discard(data["state"])
    deploy(node, name, file)
    until("added", "up")
    subprocess.run(["appjail", "stop", name], env=node.env(), check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    until("down")
    assert running(node, name) == []


def test_a_deployment_does_not_mind_a_restart(project):
    node, name, file = project
    job_id = node.up(name, director_file=file)
    node.wait_job(job_id, "running", "completed")
    node.restart()
    job = node.wait_job(job_id)
    assert job["state"] == "completed" and job["attempt"] == 1
    assert running(node, name) == [name]


def test_a_project_that_cannot_be_made_says_so(project):
    node, name, file = project
    if not REAL:
        node.behave(name, "rc=66")
    file = file.replace("/Makejail", "/there-is-none")
    job = node.wait_job(node.up(name, director_file=file))
    assert job["state"] in ("failed", "incomplete"), job
    assert node.info(name)["state"] == "FAILED"
    assert running(node, name) == []


@pytest.mark.skipif(REAL, reason="they are there")
@pytest.mark.parametrize("script", ["check.sh", "demo.sh"])
def test_who_has_no_appjail_is_told(script, tmp_path):
    def refused():
        r = subprocess.run(
            ["sh", REPO / "test" / script, "--real"], capture_output=True,
            text=True, env={**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"},
            timeout=60)
        assert r.returncode == 69 and r.stdout == "", r
        return r.stderr

    def program(name, text):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)

    said = f"{script}: --real needs AppJail and Director: "
    program("uname", "echo Plan9")
    assert refused() == said + "they exist on FreeBSD only, and this is Plan9\n"
    program("uname", "echo FreeBSD")
    assert refused() == said + "not installed: appjail appjail-director\n"
    program("appjail", "exit 0")
    assert refused() == said + "not installed: appjail-director\n"
    program("appjail-director", "exit 0")
    program("id", "echo 1001")
    assert refused() == said + "they need root\n"
