# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Figures of the client: whole commands over many children, and how fast it
reads a deployment file."""

import sys

from rig import CLIENT, run, tool
from table import at_most, below, compare
from trees import LEAF_MS, leaves

CHILDREN = 64
PARALLEL = 64
SAMPLES = 5
FILE_BYTES = 1 << 20

OF_CHILDREN = f"{CHILDREN} children of {LEAF_MS} ms, ms"
APPLY = f"overlord apply of a metadata key, {OF_CHILDREN}"
CHAINS = f"overlord get-info -t chains, {OF_CHILDREN}"
VALIDATE = "overlord validate of 1 MiB, ms"

FILE = """\
kind: {kind}
datacenters: {{main: {{entrypoint: '{url}', access_token: '{token}'}}}}
deployIn: {{labels: [leaf]}}
{more}"""


def milliseconds(path, *words):
    """Of the client, from before it is started to its end; what it says is
    thrown away."""
    return tool("timed", "exit", CLIENT, *words, "-f", path)[0]


def commands(rig, rounds):
    leaf = leaves(rig, LEAF_MS)
    node = rig.node({"chains": {f"c{i}": leaf for i in range(CHILDREN)}})
    node.start()
    files = {}
    for kind, more in (("metadata", "metadata: {key: 'a value'}\n"),
                       ("readOnly", "")):
        files[kind] = rig.directory() / "file.yml"
        files[kind].write_text(FILE.format(
            kind=kind, url=node.url(), token=node.token(), more=more))
    info = "get-info", "-t", "chains"
    out = run(CLIENT, *info, "-f", files["readOnly"])
    assert out.count("\n  chain: c") == CHILDREN, out
    out = run(CLIENT, "apply", "--parallel", PARALLEL, "-f", files["metadata"])
    applied, asked = [], []
    for _ in range(rounds * SAMPLES):
        applied.append(milliseconds(files["metadata"], "apply", "--parallel",
                                    PARALLEL))
        asked.append(milliseconds(files["readOnly"], *info))
    return [compare(APPLY, applied, aims=[below(120, "ms")]),
            compare(CHAINS, asked, aims=[below(60, "ms")])]


def services():
    """A file of a kind that people write, with all of it but its length."""
    lines, i = ["kind: directorProject", "projectName: large",
                "datacenters: {main: {entrypoint: 'http://a', "
                "access_token: b}}", "deployIn: {labels: [all]}",
                "projectFile: |", "  services: {}", "environment:"], 0
    size = sum(map(len, lines)) + len(lines)
    while size < FILE_BYTES:
        line = (f"  NAME_{i}: value of {i}", f"  NAME_{i}: 'quoted: {i}'",
                f'  NAME_{i}: "with an \\x65scape {i}"')[i % 3]
        lines.append(line)
        size += len(line) + 1
        i += 1
    return "\n".join(lines) + "\n"


LOAD = """\
import sys, time, yaml
text = open(sys.argv[1]).read()
began = time.perf_counter()
yaml.load(text, Loader=yaml.{loader})
print((time.perf_counter() - began) * 1000)
"""


def load(path, loader):
    """Without what it takes to start Python."""
    return float(run(sys.executable, "-c", LOAD.format(loader=loader), path))


def reading(rig, rounds):
    path = rig.directory() / "large.yml"
    path.write_text(services())
    ours, slowly, quickly = [], [], []
    run(CLIENT, "validate", "-f", path)
    for _ in range(rounds):
        ours += [milliseconds(path, "validate") for _ in range(SAMPLES)]
        slowly.append(load(path, "SafeLoader"))
        quickly += [load(path, "CSafeLoader") for _ in range(SAMPLES)]
    return [compare(VALIDATE, ours, (name, theirs), None,
                    [at_most("peer", 1 / faster)])
            for name, theirs, faster in (
                ("PyYAML, without its C loader", slowly, 20),
                ("PyYAML, its C loader", quickly, 2))]


ALL = [([APPLY, CHAINS], commands), ([VALIDATE], reading)]
