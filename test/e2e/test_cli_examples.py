#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The contract's example files through the program: print-spec and print-config
byte for byte, and what is refused, with its place and exit code."""

import json
import pathlib
import re

import pytest

from cli_support import overlord

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


def test_kinds_to_come(tmp_path):
    for command in ("apply", "destroy"):
        r = overlord(tmp_path, command, "-q", "-f",
                     str(EXAMPLES / "appconfig-full.yml"))
        assert r.rc == 78, r
        assert "(kind:appConfig) this kind is not supported yet" in r.err
