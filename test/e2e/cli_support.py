#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What the tests of the client share: run the program, write a deployment
file."""

import json
import os
import subprocess
import textwrap

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("OVERLORD_BUILD",
                       os.path.join(HERE, "..", "..", "build"))
OVERLORD = os.path.abspath(os.path.join(BUILD, "cli", "overlord"))


class Result:
    def __init__(self, p):
        self.rc = p.returncode
        self.out = p.stdout
        self.err = p.stderr

    def __repr__(self):
        return f"rc={self.rc}\n--- out\n{self.out}--- err\n{self.err}"


def clean_env(extra=None):
    env = {k: v for k, v in os.environ.items()
           if k in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS")}
    env["HOME"] = "/nonexistent"
    env.update(extra or {})
    return env


def overlord(cwd, *args, env=None, stdin=None, timeout=60):
    p = subprocess.run([OVERLORD, *args], cwd=cwd, env=clean_env(env),
                       input=stdin, capture_output=True, text=True,
                       timeout=timeout)
    assert p.returncode >= 0, f"{args}: killed by a signal: {Result(p)}"
    return Result(p)


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items()
                if k not in ("age", "took_ms")}
    if isinstance(value, list):
        return [without_times(v) for v in value]
    return value


def document(cwd, *args, **kwargs):
    """What a command prints for programs: -o yaml says what -o json says."""
    r = overlord(cwd, *args, "-o", "yaml", **kwargs)
    same = yaml.safe_load(r.out)
    r = overlord(cwd, *args, "-o", "json", **kwargs)
    doc = json.loads(r.out)
    assert without_times(same) == without_times(doc)
    assert list(doc)[0] == "schema" and list(same) == list(doc)
    return doc, r


def write(path, text):
    path.write_text(textwrap.dedent(text))
    return path.name


def project(tmp_path, url, more="", labels="[all]", name="web.yml"):
    """A directorProject "p" on one data center "main"."""
    return write(tmp_path / name, f"""\
kind: directorProject
datacenters:
  main:
    entrypoint: '{url}'
    access_token: 'the-token'
deployIn:
  labels: {labels}
projectName: p
{more or "projectFile: 'services: {}'"}
""")


def readonly(tmp_path, url, deploy="{labels: [all]}"):
    """A file that is only good for looking, "ro.yml"."""
    return write(tmp_path / "ro.yml", f"""\
kind: readOnly
datacenters: {{main: {{entrypoint: '{url}', access_token: t}}}}
deployIn: {deploy}
""")


def header(url, chain="None", labels=("all", "desktop")):
    """The header of get-info (cli.md 2.5.1)."""
    lines = [f"datacenter: {url}", "  entrypoint: main", f"  chain: {chain}"]
    if labels is not None:
        lines += ["  labels:"] + [f"    - {x}" for x in labels]
    return "\n".join(lines) + "\n"
