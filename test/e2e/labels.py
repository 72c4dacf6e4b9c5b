# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What tests of special labels share."""

import base64
import socket

from fake_server import FakeServer


def director_file(**services):
    """A Director file whose services have these special labels."""
    lines = ["services:"]
    for name, labels in services.items():
        lines += [f"  {name}:", "    makejail: 'gh+AppJail-makejails/web'"]
        if labels:
            lines.append("    options:")
        lines += [f"      - label: 'overlord.{k}:{v}'"
                  for k, v in labels.items()]
    return "\n".join(lines) + "\n"


class Etcd(FakeServer):
    """The JSON gateway of etcd, over a dictionary."""

    def __init__(self, version="3.4.23", base="/v3/"):
        super().__init__()
        self.keys = {}
        self.on("GET", "/version", 200, {"etcdserver": version})
        self.on("POST", base + "kv/put", 200, self.put)
        self.on("POST", base + "kv/deleterange", 200, self.delete)

    def put(self, request):
        self.keys[text(request.body["key"])] = text(request.body["value"])
        return 200, {"header": {"revision": "7"}}

    def delete(self, request):
        assert list(request.body) == ["key"]
        gone = self.keys.pop(text(request.body["key"]), None)
        return 200, {"header": {}, **({"deleted": "1"} if gone else {})}


def place(server, **settings):
    """What a configuration says of a host of etcd."""
    return {"port": int(server.url.rpartition(":")[2]), **settings}


def text(coded):
    return base64.b64decode(coded, validate=True).decode()


def serverid(node):
    return (node.root / "state" / "serverid").read_text()


def steps(job):
    return [(s["name"], s["rc"]) for s in job["steps"]]


def up(node, project, **services):
    return node.wait_job(node.up(
        project, director_file=director_file(**services)))


def silent_port():
    """A port that takes connections and never says a word."""
    s = socket.create_server(("127.0.0.1", 0))
    return s, s.getsockname()[1]


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]
