# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What a release is made of. That its archive builds is for test/dist.sh to see,
which takes a minute."""

import json
import re
import subprocess
import tarfile

import pytest

import port
from node import BUILD, CLIENT, DAEMON, REPO


def output(*args, **kwargs):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, text=True,
                          **kwargs).stdout


def project():
    return json.loads(output("meson", "introspect", "--projectinfo", BUILD))


def test_all_name_the_version_of_meson_build():
    version = project()["version"]
    source = (REPO / "meson.build").read_text()
    assert source.count(f"version: '{version}'") == 1
    assert output(CLIENT, "--version") == f"overlord, version {version}\n"
    assert output(DAEMON, "-V") == f"overlordd, version {version}\n"
    assert json.loads(output(DAEMON, "--openapi"))["info"]["version"] == version
    assert port.variable("DISTVERSION") == [version]
    news = (REPO / "docs" / "NEWS.md").read_text()
    assert re.search(r"^## (\S+)", news, re.M)[1] == version
    # The examples of the manual.
    page = (REPO / "docs" / "overlord-api.7").read_text()
    said = re.findall(r'"server":"[^"]*","version":"([^"]*)"', page)
    assert said and set(said) == {version}


def test_no_other_file_has_to_be_changed_for_a_release():
    if not (REPO / ".git").exists():
        pytest.skip("no working copy of git")
    version = project()["version"]
    # What was measured stays what it was.
    found = output("git", "grep", "-lF", version, "--", ":!test/fuzz/corpus",
                   ":!docs/performance.md", cwd=REPO).split()
    assert set(found) <= {"meson.build", "docs/NEWS.md", "docs/port/Makefile",
                          "docs/overlord-api.7"}, found


def test_the_archive_holds_what_is_committed():
    if not (REPO / ".git").exists():
        pytest.skip("no working copy of git")
    name = f"overlord-{project()['version']}"
    subprocess.run(["meson", "dist", "-C", BUILD, "--no-tests", "--formats",
                    "gztar", "--allow-dirty"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with tarfile.open(BUILD / "meson-dist" / f"{name}.tar.gz") as archive:
        packed = {m.name for m in archive if not m.isdir()}
    tracked = output("git", "ls-tree", "-r", "-z", "--name-only", "HEAD",
                     cwd=REPO).split("\0")[:-1]
    assert packed == {f"{name}/{f}" for f in tracked}
