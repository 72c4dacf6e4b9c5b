#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Completion, through the shells themselves where they are installed."""

import os
import pathlib
import shutil
import subprocess

import pytest

from cli_support import OVERLORD, clean_env, overlord, project
from fake_server import FakeServer

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "cli" / "completion"


def words(tmp_path, *args, **kw):
    r = overlord(tmp_path, "__complete", *args, **kw)
    assert (r.rc, r.err) == (0, "")
    return [line.partition("\t")[0] for line in r.out.splitlines()]


def env(tmp_path):
    (tmp_path / "bin").mkdir(exist_ok=True)
    link = tmp_path / "bin" / "overlord"
    if not link.exists():
        link.symlink_to(OVERLORD)
    e = clean_env()
    e["PATH"] = f"{tmp_path}/bin:{os.environ['PATH']}"
    e["HOME"] = str(tmp_path)
    return e


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script(tmp_path, shell):
    r = overlord(tmp_path, "completion", shell)
    assert (r.rc, r.err) == (0, "")
    assert r.out == (SCRIPTS / f"overlord.{shell}").read_text()
    if shutil.which(shell):
        flag = "--no-execute" if shell == "fish" else "-n"
        subprocess.run([shell, flag, SCRIPTS / f"overlord.{shell}"],
                       check=True, env=env(tmp_path))


def test_usage(tmp_path):
    r = overlord(tmp_path, "completion", "fsh")
    assert r.rc == 64 and "did you mean 'fish'" in r.err
    assert overlord(tmp_path, "completion").rc == 64


def test_candidates(tmp_path):
    commands = words(tmp_path, "")
    assert {"apply", "status", "tree", "completion"} <= set(commands)
    assert "serve" not in commands and "__complete" not in commands
    assert words(tmp_path, "ap") == ["apply"]
    assert words(tmp_path, "help", "ap") == ["apply"]
    assert words(tmp_path, "-q", "jobs", "sh") == ["show"]
    assert words(tmp_path, "jobs", "--state", "f") == ["failed"]
    assert words(tmp_path, "jobs", "--state=f") == ["--state=failed"]
    assert words(tmp_path, "apply", "--wa") == ["--wait", "--wait-for"]
    assert "--restart" not in words(tmp_path, "destroy", "--")
    assert "--version" in words(tmp_path, "--")
    assert words(tmp_path, "apply", "-f", "") == [":files yml yaml"]
    assert words(tmp_path, "apply", "-qf", "") == [":files yml yaml"]
    assert words(tmp_path, "apply", "--file=x") == [":files yml yaml"]
    assert words(tmp_path, "-e", "x") == [":files"]
    assert words(tmp_path, "completion", "b") == ["bash"]
    # Nothing to offer, and nothing to complain about.
    for args in (["nonsense", ""], ["apply", "x"], ["jobs", "--limit", ""],
                 ["apply", "--no-such="], ["apply", "-f", "none", "--chain",
                                           ""]):
        assert words(tmp_path, *args) == [], args
    assert words(tmp_path) == words(tmp_path, "")


def test_names_from_the_servers(tmp_path):
    with FakeServer() as server:
        server.tree()
        server.on("GET", "/v1/projects", 200, {"projects": ["p", "web"]})
        name = project(tmp_path, server.url)
        assert words(tmp_path, "jobs", "-f", name, "--chain", "alpha.c") == [
            "alpha.charlie", "alpha.charlie.delta"]
        assert words(tmp_path, "jobs", "-f", name, "--chain=<") == [
            "--chain=<root>"]
        assert words(tmp_path, "jobs", "show", "-f", name, "main.z") == [
            "main.zulu"]
        assert words(tmp_path, "jobs", "show", "main", "-f", name, "") == []
        assert words(tmp_path, "status", "-f", name, "--project", "w") == [
            "web"]
        assert words(tmp_path, "status", "-f", name, "--datacenter", "") == [
            "main"]
        assert all(line.split()[0] in ("GET", "HEAD")
                   for line in server.lines())
    assert words(tmp_path, "jobs", "-f", name, "--chain", "") in (
        ["<root>"], [])


def test_a_server_that_hangs_does_not_hang_the_shell(tmp_path):
    import socket
    import time
    with socket.create_server(("127.0.0.1", 0)) as s:
        name = project(tmp_path, "http://127.0.0.1:%d" % s.getsockname()[1])
        start = time.monotonic()
        assert words(tmp_path, "jobs", "-f", name, "--chain", "") == []
        assert time.monotonic() - start < 30


BASH = """\
source "$1"
COMP_LINE=$2 COMP_POINT=${#2}
_overlord overlord
printf '%s\\n' "${COMPREPLY[@]}"
"""


def bash(tmp_path, line):
    out = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", SCRIPTS / "overlord.bash",
         line], cwd=tmp_path, env=env(tmp_path), check=True, text=True,
        capture_output=True)
    assert out.stderr == ""
    return out.stdout.split()


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_bash(tmp_path):
    for f in ("web.yml", "web.txt", "x.yaml"):
        (tmp_path / f).touch()
    (tmp_path / "dir").mkdir()
    assert bash(tmp_path, "overlord ap") == ["apply"]
    assert sorted(bash(tmp_path, "overlord apply -f ")) == [
        "bin", "dir", "web.yml", "x.yaml"]
    assert bash(tmp_path, "overlord apply --file=w") == ["web.yml"]
    # What bash has before a '=' or ':' stays; it gets the rest.
    assert bash(tmp_path, "overlord --color=al") == ["always"]
    assert bash(tmp_path, "overlord get-info -t chains:t") == ["tree"]
    assert set(bash(tmp_path, "overlord get-info -t chains:")) == {
        "tree", "stats"}
    with FakeServer() as server:
        server.tree()
        project(tmp_path, server.url)
        assert bash(tmp_path, "overlord jobs -f web.yml --chain ") == [
            "\\<root\\>", "alpha", "alpha.bravo", "alpha.charlie",
            "alpha.charlie.delta", "zulu"]


@pytest.mark.skipif(not shutil.which("fish"), reason="needs fish")
def test_fish(tmp_path):
    (tmp_path / "web.yml").touch()

    def fish(line):
        out = subprocess.run(
            ["fish", "--no-config", "-c", 'source $argv[1]; '
             'complete -C "$argv[2]"', SCRIPTS / "overlord.fish", line],
            cwd=tmp_path, env=env(tmp_path), check=True, text=True,
            capture_output=True)
        return [x.partition("\t")[0] for x in out.stdout.splitlines()]
    assert fish("overlord ap") == ["apply"]
    assert fish("overlord jobs --state fa") == ["failed"]
    assert fish("overlord apply -f we") == ["web.yml"]
