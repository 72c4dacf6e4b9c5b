#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Requests made by chance from /v1/openapi.json, by schemathesis, to a node with
another one below it.  No answer may be a 500 or other than the document says, and
no request that the document allows may be refused as invalid.

usage: api_fuzz.py [REQUESTS [SEED]]	(default 20000; a seed by chance)

need_openapi of test/lib.sh installs what it takes."""

import collections
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

from node import REPO, Node, chain_to, document

TOOLS = pathlib.Path(os.environ.get(
    "OVERLORD_OPENAPI", REPO / "build-openapi")) / "bin"
# What to look at; a wrong token is test_tokens.py's. Streams have no end; the
# roots refuse everything.
CONFIG = """\
[checks]
ignored_auth.enabled = false
use_after_free.enabled = false
ensure_resource_availability.enabled = false
object_level_authorization.enabled = false

[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "501", "503"]

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "422", "429",
                     "501", "503"]

# What is there already is left as it is, and the body is not looked at.
[[operations]]
include-method = "POST"
include-path-regex = "/metadata/"
checks.negative_data_rejection.enabled = false

# And paths that leave the namespace, metadata that is not there.
[[operations]]
include-path-regex = "/namespace/"
checks.negative_data_rejection.enabled = false
checks.positive_data_acceptance.enabled = false

# Rules over several members, which its tables leave to functions.
[[operations]]
include-path-regex = "/vm/"
checks.positive_data_acceptance.enabled = false

[[operations]]
include-path-regex = "^/(v1)?$|/events$"
enabled = false

# It would find its own token.
[[operations]]
include-path-regex = "/tokens/"
enabled = false
"""


def run_schemathesis(node, cwd, examples, seed):
    """(exit code, what it prints)"""
    (cwd / "schemathesis.toml").write_text(CONFIG)
    token = "Bearer " + node.token()
    r = subprocess.run(
        [TOOLS / "schemathesis", "--no-color", "run",
         node.url() + "/v1/openapi.json", "--url", node.url(),
         "-H", "Authorization: " + token, "-H", "Authentication: " + token,
         "--phases", "fuzzing", "--max-examples", str(examples),
         "--seed", str(seed), "--no-shrink",
         "--continue-on-failure", "--request-timeout", "60",
         "--suppress-health-check", "all", "--warnings", "off",
         "--generation-database", "none"],
        cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    return r.returncode, r.stdout


def fuzz(node, below, cwd, requests, seed):
    """At least so many requests; {status: how many}."""
    node.configure({"chains": {"below": chain_to(below.start())}})
    node.start()
    operations = sum(map(len, document().document["paths"].values()))
    statuses = collections.Counter()
    while statuses.total() < requests:
        # Operations without parameters get one each.
        left = 3 * (requests - statuses.total()) // (2 * operations)
        code, said = run_schemathesis(
            node, cwd, max(1, min(100, left)), seed)
        assert code == 0, f"seed {seed}:\n{said}"
        assert node.process.poll() is None
        statuses = collections.Counter(re.findall(
            r" http .* status=(\d+) ", node.log_text()))
        seed += 1
    return statuses


def main():
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)
    with tempfile.TemporaryDirectory(prefix="api_fuzz.") as d:
        node, below = Node(d + "/node"), Node(d + "/below")
        try:
            statuses = fuzz(node, below, pathlib.Path(d), requests, seed)
        finally:
            node.dispose()
            below.dispose()
    print(f"seed {seed}: {statuses.total()} requests, none of them a fault")
    print(" ".join(f"{k}:{v}" for k, v in sorted(statuses.items())))


if __name__ == "__main__":
    main()
