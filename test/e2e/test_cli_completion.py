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
from node import wait_for

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "cli" / "completion"


def words(tmp_path, *args, **kw):
    r = overlord(tmp_path, "__complete", *args, **kw)
    assert (r.rc, r.err) == (0, "")
    return [line.partition("\t")[0] for line in r.out.splitlines()]


def finds(tmp_path, found, *args, **kw):
    """Servers have a quarter of a second, which may be too little at first."""
    return wait_for(f"{found} for {args}",
                    lambda: words(tmp_path, *args, **kw) == found)


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
        finds(tmp_path, ["alpha.charlie", "alpha.charlie.delta"], "jobs", "-f",
              name, "--chain", "alpha.c")
        finds(tmp_path, ["--chain=<root>"], "jobs", "-f", name, "--chain=<")
        finds(tmp_path, ["main.zulu"], "jobs", "show", "-f", name, "main.z")
        assert words(tmp_path, "jobs", "show", "main", "-f", name, "") == []
        finds(tmp_path, ["web"], "status", "-f", name, "--project", "w")
        assert words(tmp_path, "status", "-f", name, "--datacenter", "") == [
            "main"]
        assert all(line.split()[0] in ("GET", "HEAD")
                   for line in server.lines())
    assert words(tmp_path, "jobs", "-f", name, "--chain", "") in (
        ["<root>"], [])


def test_names_of_logs(tmp_path):
    with FakeServer() as server:
        server.single()
        server.on("GET", "/v1/projects", 200, {"projects": ["p", "web"]})
        server.on("GET", "/v1/projects/logs", 200, {"logs": {
            "2025-04-22_17h57m45s": {"web": ["up.log"], "db": ["up.log"]},
            "2026-04-22_17h57m45s": {"web": ["pull.log"]}}})
        server.on("GET", "/v1/jails/logs", 200, {"logs": {
            "jails": {"j1": {"start up": ["2026-01-02.log"]}}}})
        name = project(tmp_path, server.url)
        for args, found in (
                (["logs", "--file", name, "--date", "2026"],
                 ["2026-04-22_17h57m45s"]),
                (["logs", "--file", name, "--service", ""], ["web", "db"]),
                (["logs", "--file", name, "w"], ["web"]),
                (["get-project-log", "-f", name, "--log="],
                 ["--log=up.log", "--log=pull.log"]),
                (["get-jail-log", "-f", name, "-t", ""], ["jails"]),
                (["get-jail-log", "-f", name, "-e", ""], ["j1"]),
                (["get-jail-log", "-f", name, "-s", "s"], ["start up"]),
                (["get-jail-log", "-f", name, "-l", ""],
                 ["2026-01-02.log"])):
            finds(tmp_path, found, *args)


def test_asked_once_a_minute(tmp_path):
    """By the same user, with the same token, for the same thing."""
    home = {"HOME": str(tmp_path / "home")}
    at = tmp_path / "home" / ".cache" / "overlord"
    (tmp_path / "home").mkdir()
    with FakeServer() as server:
        server.tree()
        name = project(tmp_path, server.url)
        args = ["jobs", "-f", name, "--chain", "alpha.c"]
        found = ["alpha.charlie", "alpha.charlie.delta"]
        # Until an answer is whole nothing is kept.
        finds(tmp_path, found, *args, env=home)
        wait_for("the cache", lambda: words(tmp_path, *args, env=home) and
                 list(at.glob("*")))
        n = len(server.requests)
        assert words(tmp_path, *args, env=home) == found
        assert words(tmp_path, *args[:-1], "z", env=home) == ["zulu"]
        assert len(server.requests) == n
        kept = list(at.iterdir())
        assert len(kept) == 1 and kept[0].stat().st_mode & 0o777 == 0o600
        assert at.stat().st_mode & 0o77 == 0
        assert "the-token" not in kept[0].name + kept[0].read_text()
        # Another token, another answer; and none lasts.
        path = tmp_path / name
        path.write_text(path.read_text().replace("the-token", "other"))
        finds(tmp_path, found, *args, env=home)
        assert len(server.requests) > n
        wait_for("the cache", lambda: words(tmp_path, *args, env=home) and
                 len(list(at.glob("*"))) == 2)
        for f in at.iterdir():
            os.utime(f, (1, 1))
        n = len(server.requests)
        finds(tmp_path, found, *args, env=home)
        assert len(server.requests) > n
        # What is old goes when there is something new.
        wait_for("the cache", lambda: words(tmp_path, *args, env=home) and
                 len(list(at.glob("*"))) == 1)
        # Where nothing can be kept it works as well.
        finds(tmp_path, found, *args, env={"HOME": "/dev/null"})
        finds(tmp_path, found, *args, env={"HOME": str(tmp_path / "none")})
        assert not (tmp_path / "none").exists()
        finds(tmp_path, found, *args, env={
            "XDG_CACHE_HOME": str(tmp_path / "x")})
        assert (tmp_path / "x" / "overlord").is_dir()
    # Nobody answers, and still it is known.
    assert words(tmp_path, *args, env=home) == found


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
