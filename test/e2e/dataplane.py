# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""A stand-in of HAProxy's Data Plane API, version 3, written from its OpenAPI
document: what Overlord uses of it (the version of the configuration, backends,
servers, transactions), with its status codes. Rows of on() come first, so that
a test can have it fail."""

import base64
import itertools
import json
import re
import urllib.parse

from fake_server import FakeServer

BASE = "/v3/services/haproxy"
USER, PASSWORD = "admin", "s3cret of the API"
IN_BACKEND = re.compile(BASE + r"/configuration/backends/([^/]+)"
                        r"(?:/servers(?:/([^/]+))?)?$")


class DataPlane(FakeServer):
    def __init__(self, *backends):
        super().__init__()
        # {backend: {server: its members}}, as committed.
        self.backends = {name: {} for name in backends}
        self.version = 1
        # {id: [version, what it would make of the backends]}
        self.open = {}
        self.ids = itertools.count(1)

    def settings(self, **more):
        """What a node's configuration says of it."""
        return {"dataplaneapi": {"entrypoint": self.url, "auth": {
            "username": USER, "password": PASSWORD}, **more}}

    def answer(self, request):
        if (request.method, request.path) in self.rows:
            return super().answer(request)
        with self.lock:
            self.requests.append(request)
            status, answer = self.route(request)
            return status, answer, {}

    def route(self, request):
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers["Authorization"] != f"Basic {login}":
            return error(401, "unauthorized")
        query = dict(urllib.parse.parse_qsl(request.query))
        if request.path == BASE + "/configuration/version":
            return 200, self.version
        if request.path.startswith(BASE + "/transactions"):
            return self.transaction(request, query)
        m = IN_BACKEND.match(request.path)
        if m is None:
            return error(404, "no such path")
        names = [urllib.parse.unquote(n) if n else n for n in m.groups()]
        return self.backend(request, query, *names)

    def transaction(self, request, query):
        ident = request.path[len(BASE + "/transactions"):].lstrip("/")
        if request.method == "POST":
            if int(query["version"]) != self.version:
                return error(409, "version mismatch")
            ident = f"t-{next(self.ids)}"
            self.open[ident] = [self.version,
                                json.loads(json.dumps(self.backends))]
            return 201, {"_version": self.version, "id": ident,
                         "status": "in_progress"}
        if ident not in self.open:
            return error(404, "no such transaction")
        version, backends = self.open.pop(ident)
        if request.method == "DELETE":
            return 204, None
        if version != self.version:
            return error(406, f"transaction {ident} is outdated")
        self.backends = backends
        self.version += 1
        self.committed()
        return 202, {"id": ident, "status": "success"}

    def committed(self):
        """A change has taken effect."""

    def backend(self, request, query, name, server):
        of = self.backends
        if "transaction_id" in query:
            if query["transaction_id"] not in self.open:
                return error(400, "no such transaction")
            of = self.open[query["transaction_id"]][1]
        if name not in of:
            return error(404, f"missing object: {name}")
        if not request.path.partition("/servers")[1]:
            return 200, {"name": name}
        if request.method == "GET":
            there = of[name].get(server)
            return (200, there) if there else error(404, "missing object")
        if of is self.backends:
            return error(400, "version or transaction not specified")
        return self.change(request, of[name], server)

    @staticmethod
    def change(request, servers, server):
        if request.method == "POST":
            if request.body["name"] in servers:
                return error(409, "already exists")
            servers[request.body["name"]] = request.body
        elif server not in servers:
            return error(404, "missing object")
        elif request.method == "PUT":
            servers[server] = request.body
        else:
            del servers[server]
        return 202, request.body


def error(code, message):
    return code, {"code": code, "message": message}
