#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The contract's example files through the program: print-spec and
print-config byte for byte, and what is refused, with its place and exit
code; and what nobody should read to its end."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from cli_support import OVERLORD, clean_env, overlord

TEST = pathlib.Path(__file__).resolve().parents[1]
EXAMPLES = TEST / "examples"
VECTORS = TEST / "vectors" / "print-spec"
ROW = re.compile(r"^overlord: (\S+\.yml):(\d+):(\d+): .+", re.M)


def kind_of(path):
    m = re.search(r"^kind:\s*(\S+)", path.read_text(), re.M)
    return m.group(1) if m else None


VALID = [p for p in sorted(EXAMPLES.glob("*.yml"))
         if kind_of(p) and (VECTORS / (p.stem + ".json")).exists()]
INVALID = sorted((EXAMPLES / "invalid").glob("*.yml"))


@pytest.mark.parametrize("path", VALID, ids=lambda p: p.stem)
def test_print_spec(tmp_path, path):
    r = overlord(tmp_path, "print-spec", "-q", "-f", str(path))
    assert (r.rc, r.err) == (0, "")
    assert r.out == (VECTORS / (path.stem + ".json")).read_text()


def test_print_config(tmp_path):
    r = overlord(tmp_path, "print-config", "-q", env={
        "OVERLORD_CONFIG": str(EXAMPLES / "config-full.yml")})
    assert r.rc == 0, r
    want = json.loads((VECTORS / "config-full.json").read_text())
    got = json.loads(r.out)
    assert list(got)[:len(want)] == list(want)
    for key in want:
        if isinstance(want[key], dict):
            assert set(want[key]) <= set(got[key]), key
        else:
            assert got[key] == want[key], key


@pytest.mark.parametrize("path", INVALID, ids=lambda p: p.stem)
def test_invalid(tmp_path, path):
    config = path.name.startswith("config-")
    args = ["--config"] if config else []
    r = overlord(tmp_path, "validate", *args, "-f", str(path))
    assert (r.rc, r.out) == (65, ""), r
    places = ROW.findall(r.err)
    assert places and all(p[0] == str(path) for p in places), r
    text = path.read_text().splitlines()
    for _, line, column in places:
        assert 1 <= int(line) <= len(text) + 1 and int(column) >= 1
    if config:
        r = overlord(tmp_path, "print-config",
                     env={"OVERLORD_CONFIG": str(path)})
        assert (r.rc, r.out) == (78, "")
    else:
        for command in (["print-spec"], ["apply"], ["get-info", "-t",
                                                    "projects"]):
            r = overlord(tmp_path, *command, "-f", str(path))
            assert (r.rc, r.out) == (65, ""), r


@pytest.mark.parametrize("path", VALID, ids=lambda p: p.stem)
def test_validate(tmp_path, path):
    r = overlord(tmp_path, "validate", "-q", "-f", str(path))
    assert (r.rc, r.out) == (0, ""), r
    assert "warning" in r.err or r.err == ""


HUGE = 100 << 20
LARGE = (16 << 20) - 100


@pytest.mark.parametrize("piece,size,words", [
    ("a: x" * 1024, HUGE, "more than 16777216 bytes"),
    ("[" * 4096, LARGE, ":1:101: nested deeper than 100 levels"),
    ("- " * 2048, LARGE, ":1:201: nested deeper than 100 levels"),
    ("- \n" * 1024, LARGE, "more than 1000000 values"),
    ("a: &a [x,x]\n" + "".join(
        f"{chr(c)}: &{chr(c)} [*{chr(c - 1)},*{chr(c - 1)}]\n"
        for c in range(98, 123)), 0, "more than 1000000 values"),
], ids=["huge", "lists", "items", "nothings", "aliases"])
def test_what_is_too_much_ends_in_bounded_memory(tmp_path, piece, size, words):
    path = tmp_path / "web.yml"
    with open(path, "w", encoding="ascii") as f:
        for _ in range(max(1, size // len(piece))):
            f.write(piece)
    for kind in ([], ["--config"]):
        p = subprocess.Popen([OVERLORD, "validate", *kind, "-f", path],
                             stdout=subprocess.DEVNULL, env=clean_env(),
                             stderr=subprocess.PIPE, text=True)
        err = p.stderr.read()
        p.stderr.close()
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        assert p.returncode in (65, 78) and words in err, err
        # Kilobytes; sanitizers take some of their own.
        assert usage.ru_maxrss < 600 << 10
