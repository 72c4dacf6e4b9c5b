# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The YAML, !ENV and .env vectors of the contract: what the original's own
libraries read from a text is what ours read.  There is no exception."""

import json
import os
import pathlib
import subprocess

import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("OVERLORD_BUILD", REPO / "build"))
VECTOR = BUILD.resolve() / "test" / "unit" / "vector"
VECTORS = REPO / "test" / "vectors"


def load(name):
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


YAML = load("yaml.json")["vectors"]
ENV_TAG = load("env-tag.json")
DOTENV = load("dotenv.json")


def environment(variables):
    keep = {k: v for k, v in os.environ.items()
            if k.startswith(("ASAN_", "UBSAN_", "TSAN_", "LD_"))}
    return {**keep, **variables}


def run(kind, text, variables):
    return subprocess.run([VECTOR, kind], input=text.encode("utf-8"),
                          env=environment(variables), capture_output=True,
                          timeout=60, check=False)


def plain(value):
    """Both sides' typed values in one form: a tuple of the original is a list
    of ours, the members of a set are without types in the vectors."""
    kind = value[0]
    if kind == "dict":
        return [kind, [[plain(k), plain(v)] for k, v in value[1]]]
    if kind in ("list", "tuple"):
        return ["list", [plain(v) for v in value[1]]]
    if kind == "set":
        return [kind, [v if isinstance(v, str) else v[0][1]
                       for v in value[1]]]
    return value


def check_yaml(vector, variables):
    done = run("yaml", vector["yaml"], variables)
    said = done.stderr.decode("utf-8")
    assert done.returncode in (0, 65), said
    if done.returncode == 0:
        value = plain(json.loads(done.stdout))
    else:
        value = None
        assert said.startswith("vector: -:"), said
    theirs = plain(vector["value"]) if "value" in vector else None
    if vector["ours"] == "either":
        other = vector["libyaml"]
        assert value in (theirs, None if isinstance(other, dict)
                         else plain(other)), said
    else:
        assert value == theirs, said


@pytest.mark.parametrize("i", range(len(YAML)))
def test_yaml(i):
    check_yaml(YAML[i], {})


@pytest.mark.parametrize("i", range(len(ENV_TAG["vectors"])))
def test_env_tag(i):
    check_yaml(ENV_TAG["vectors"][i], ENV_TAG["environment"])


@pytest.mark.parametrize("i", range(len(DOTENV["vectors"])))
def test_dotenv(i):
    vector = DOTENV["vectors"][i]
    done = run("dotenv", vector["file"], DOTENV["environment"])
    assert done.returncode == 0, done.stderr.decode("utf-8")
    # What exists is never changed; that is up to who sets the variables.
    ours = {k: v for k, v in json.loads(done.stdout).items()
            if k not in DOTENV["environment"]}
    assert ours == vector["set"]


def test_there_are_vectors():
    assert len(YAML) == 307
    assert len(ENV_TAG["vectors"]) == 75
    assert len(DOTENV["vectors"]) == 116
