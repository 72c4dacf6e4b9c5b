# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Drives test/standin/original.py as node.py drives a node, as far as a member
of a tree is concerned."""

import json
import pathlib
import subprocess
import sys

from node import DEADLINE, REPO


class Original:
    """config: labels, jails, projects, chains, timeout."""

    def __init__(self, root, **config):
        self.root = pathlib.Path(root)
        self.root.mkdir(parents=True, exist_ok=True)
        self.config = {"token": "original",
                       "jobs": str(self.root / "jobs"), **config}
        self.process = None
        self.port = 0

    def start(self):
        path = self.root / "original.json"
        path.write_text(json.dumps(self.config))
        self.process = subprocess.Popen(
            [sys.executable, "-B", REPO / "test" / "standin" / "original.py",
             path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        return self

    def jobs(self):
        """[what, project, fields] of each that was accepted."""
        try:
            text = (self.root / "jobs").read_text()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.splitlines()]

    def address(self):
        return "127.0.0.1", self.port

    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def token(self):
        return self.config["token"]

    def dispose(self):
        if self.process is None:
            return
        self.process.stdin.close()
        self.process.wait(DEADLINE)
        self.process.stdout.close()
