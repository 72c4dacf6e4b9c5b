# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Which programs are run: those that were found at the start, and only if
nobody else could write them."""

import os
import shutil
import subprocess

import pytest

from node import (DAEMON, HELPER, STANDINS, DIRECTOR_FILE, is_trusted,
                  wait_for)


def program(directory, name, text, mode=0o755):
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text(text)
    path.chmod(mode)
    return path


def director(directory, note, mode=0o755):
    """Notes that it was called, and does what the stand-in does."""
    return program(directory, "appjail-director",
                   f"#!/bin/sh\necho x >>{note}\n"
                   f"exec {STANDINS}/appjail-director \"$@\"\n", mode)


def up(node, name):
    return node.post("/v1/project/up/" + name,
                     {"director_file": DIRECTOR_FILE})


@pytest.fixture
def first(tmp_path):
    """A directory of our own, the first of PATH."""
    if not is_trusted(tmp_path):
        pytest.skip("the directory of tests is others' to write")
    (tmp_path / "first").mkdir()
    return tmp_path / "first"


@pytest.fixture
def noted(tmp_path):
    return tmp_path / "noted"


def start(make_node, first, **options):
    return make_node({"trusted_programs": True, **options},
                     {"PATH": f"{first}:{STANDINS}:{os.environ['PATH']}"}
                     ).start()


@pytest.mark.skipif(not is_trusted(STANDINS), reason="stand-ins are others'")
def test_what_comes_into_path_later_is_not_run(make_node, first, noted):
    node = start(make_node, first)
    assert node.wait_job(node.up("before"))["state"] == "completed"
    director(first, noted)
    assert node.wait_job(node.up("after"))["state"] == "completed"
    assert node.wait_job(node.down("after"))["state"] == "completed"
    assert not noted.exists()
    node.hup()
    assert node.wait_job(node.up("reloaded"))["state"] == "completed"
    assert noted.exists()


def test_a_program_that_is_missing_is_found_by_a_reload(make_node, first,
                                                        noted):
    node = make_node({"trusted_programs": True},
                     {"PATH": f"{first}:/usr/bin:/bin"}).start()
    r = up(node, "a")
    assert r.status == 503, r
    assert "'appjail-director' is not found in PATH" in r.json["message"]
    director(first, noted)
    assert up(node, "a").status == 503
    node.hup()
    assert not noted.exists()
    node.wait_job(node.up("a"))
    assert noted.exists()


@pytest.mark.parametrize("what", ("the program", "its directory",
                                  "one above", "the way of a link"))
def test_what_others_can_write_is_not_run(make_node, first, noted, what):
    where = first / "deep"
    where.mkdir()
    real = director(where, noted)
    bad = {"the program": real, "its directory": where, "one above": first,
           "the way of a link": first / "links"}[what]
    path = where
    if what == "the way of a link":
        path = first / "links"
        path.mkdir()
        (path / "appjail-director").symlink_to(real)
    bad.chmod(0o757)
    node = make_node({"trusted_programs": True},
                     {"PATH": f"{path}:/usr/bin:/bin"}).start()
    r = up(node, "a")
    assert r.status == 503, r
    assert f"'{bad}' can be written by anybody" in r.json["message"]
    assert "can be written by anybody" in node.log_text()
    t = subprocess.run([DAEMON, "-t", "-f", node.config], env=node.env(),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True)
    assert t.returncode == 0
    assert f"'{bad}' can be written by anybody" in t.stderr
    assert not noted.exists()
    # Mended, it counts at once.
    bad.chmod(0o755)
    node.wait_job(node.up("a"))
    assert noted.exists()
    # And the other way round, for requests within a second.
    bad.chmod(0o757)
    wait_for("it to be refused", lambda: up(node, "b").status == 503)


def test_that_can_be_switched_off(make_node, first, noted):
    director(first, noted, 0o777)
    node = start(make_node, first, trusted_programs=False)
    assert node.wait_job(node.up("a"))["state"] == "completed"
    assert noted.exists()


def test_no_daemon_without_a_helper_of_its_own(make_node, first):
    helper = first / "overlord-exec"
    shutil.copy(HELPER, helper)
    helper.chmod(0o777)
    node = make_node({"trusted_programs": True, "helper": str(helper)})
    node.spawn()
    assert node.process.wait() != 0
    assert f"'{helper}' can be written by anybody" in \
        node.stderr() + node.log_text()
    helper.chmod(0o755)
    node.start()


@pytest.mark.skipif(not is_trusted(STANDINS), reason="stand-ins are others'")
def test_a_job_that_waits_is_not_run_by_a_stranger(make_node, first, noted):
    """Between the request and the run the program has become anybody's."""
    real = director(first, noted)
    node = start(make_node, first, max_watch_commands=1)
    node.behave("first", "hang")
    a = node.up("first")
    node.wait_call("up", "first")
    b = node.up("second")
    calls = len(noted.read_text().splitlines())
    real.chmod(0o777)
    assert node.request("DELETE", f"/v1/jobs/{a}").status == 200
    job = node.wait_job(b)
    assert job["state"] == "failed", job
    assert "can be written by anybody" in job["message"], job
    # The cancel needs it, too, and does without.
    assert len(noted.read_text().splitlines()) == calls
