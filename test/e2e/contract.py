# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The REST contract as data: the rows of test/routes.tsv, what stands beside
them in rest-api.md, and a client that checks what every reply must have."""

import http.client
import json
import re

from node import REPO, Reply

TSV = REPO / "test" / "routes.tsv"
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH")
PREFIX = "/v1/chain/{chain}"

# Names in error bodies of twins (rest-api.md 3.5.2), by local path.
FUNCTIONS = {
    "ping": "ping", "labels": "get_api_labels", "chains": "get_chains",
    "jails": "get_jails", "jails/logs": "get_jails_logs",
    "stats": "get_server_stats", "jail/log": "get_jail_log",
    "jail/stats": "get_stats", "jail/info": "get_info",
    "HEAD jail/info": "check", "jail/cpuset": "get_cpuset",
    "jail/devfs": "get_devfs", "jail/expose": "get_expose",
    "jail/healthcheck": "get_healthcheck", "jail/limits": "get_limits",
    "jail/fstab": "get_fstab", "jail/labels": "get_labels",
    "jail/nat": "get_nat", "jail/volumes": "get_volumes",
    "projects": "get_projects", "projects/logs": "get_projects_logs",
    "projects/log": "get_project_log", "project/info": "get_info",
    "HEAD project/info": "check", "project/up": "up", "project/down": "down",
    "project/cancel": "cancel", "project/autoscale": "get_status_autoscale",
    "GET vm": "get_status_vm", "POST vm": "create_vm",
    "GET metadata": "metadata_get", "HEAD metadata": "metadata_check",
    "POST metadata": "metadata_set", "PUT metadata": "metadata_set",
    "DELETE metadata": "metadata_delete", "metadata": "metadata_list",
    "GET namespace": "namespace_get", "HEAD namespace": "namespace_check",
    "POST namespace": "namespace_set", "PUT namespace": "namespace_set",
    "DELETE namespace": "namespace_delete", "namespace": "namespaces_list",
}

# What each member is: a type, [type], {str: type}, or several.
TYPES = {
    "status_code": int, "message": str, "job_id": int, "labels": [str],
    "chains": [str], "jails": [str], "projects": [str], "namespaces": [str],
    "log_content": str, "info": dict, "cpuset": (str, None),
    "devfs": [dict], "expose": [dict], "healthcheck": [dict],
    "limits": [dict], "fstab": [dict], "nat": [dict], "volumes": [dict],
    "stats": {str: int}, "logs": dict, "status": dict, "namespace": [dict],
    "metadata": str,
}
# The same word for something else.
SPECIAL = {("ping[/]", "status"): str, ("jail/labels", "labels"): [dict],
           ("metadata[/]", "metadata"): [str]}

LOG = "Log cannot be found."
UNKNOWN = {
    "jail/log": LOG, "projects/log": LOG,
    "jail": "Jail '{jail}' cannot be found.",
    "project": "Project '{project}' cannot be found.",
    "vm": "VM '{vm}' cannot be found.",
    "metadata": "Metadata cannot be found.",
    "namespace": "Namespace cannot be found.",
}

VALUES = {"string": "text", "number": 5, "boolean": True, "object": {},
          "array": []}


class Field:
    """An argument: name, JSON type, type of what is in it, whether it must be
    there."""

    def __init__(self, text):
        self.name, _, rest = text.partition(":")
        self.required = rest.endswith("!")
        kind = re.split(r"[!=]", rest)[0].removesuffix("|null")
        self.type, _, self.inner = kind.partition("<")


class Row:
    def __init__(self, line):
        (self.method, self.path, fields, status,
         members) = line.rstrip("\n").split("\t")
        self.fields = [Field(f) for f in fields.split(";") if f != "-"]
        self.status = int(status)
        self.members = [] if members == "-" else members.split(",")
        self.is_twin = self.path.startswith(PREFIX)
        self.local = self.path.removeprefix(PREFIX).removeprefix("/v1")
        self.local = self.local.removeprefix("/")
        self.is_root = self.local in ("", "[/]")
        # The words before the first name.
        self.stem = self.local.partition("/{")[0]
        self.name = f"{self.method} {self.local}"
        self.has_name = "{" in self.local

    @property
    def function(self):
        if not self.has_name:
            return FUNCTIONS[self.stem.removesuffix("[/]")]
        own = FUNCTIONS.get(f"{self.method} {self.stem}")
        return own or FUNCTIONS[self.stem]

    def fill(self, words, chain=None):
        """The path with these names in it, without the optional slash."""
        words = {**words, "chain": chain}
        segments = iter(words.get("segs", ()))
        path = re.sub(r"{(\w+)}", lambda m: next(segments)
                      if m[1] == "seg" else words[m[1]], self.path)
        return path.removesuffix("[/]")

    def unknown(self, words):
        """What is said when there is no such thing, or None."""
        if not self.has_name or self.method == "POST" \
                or self.name == "PUT namespace/{key}":
            return None
        for stem in (self.stem, self.stem.partition("/")[0]):
            if stem in UNKNOWN:
                return UNKNOWN[stem].format(**words)
        raise AssertionError(self.name)


def rows():
    text = TSV.read_text().splitlines()[1:]
    found = [Row(line) for line in text]
    assert len(found) > 90
    return found


def type_of(row, member):
    return SPECIAL.get((row.stem, member)) or TYPES[member]


def is_a(value, kind):
    if isinstance(kind, tuple):
        return any(is_a(value, k) for k in kind)
    if isinstance(kind, list):
        return isinstance(value, list) and all(is_a(v, kind[0])
                                               for v in value)
    if isinstance(kind, dict):
        (inner,) = kind.values()
        return isinstance(value, dict) and all(is_a(v, inner)
                                               for v in value.values())
    if kind is None:
        return value is None
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


class Caller:
    """Asks one server over one connection, and checks of each reply what all
    replies have (rest-api.md 1.3, 1.4)."""

    def __init__(self, address, token):
        self.address, self.token, self.connection = address, token, None

    def ask(self, method, path, body=None, token=True, **headers):
        """token: True the right one, None none, or a header's value."""
        if token is not None:
            headers["Authentication"] = ("Bearer " + self.token
                                         if token is True else token)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        for again in (True, False):
            try:
                return self.once(method, path, body, headers)
            except (ConnectionError, http.client.HTTPException):
                # The server may close what was idle, or refused.
                self.close()
                if not again:
                    raise

    def once(self, method, path, body, headers):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(*self.address,
                                                         timeout=60)
        self.connection.request(method, path, body, headers)
        r = self.connection.getresponse()
        text = r.read().decode()
        if r.will_close:
            self.close()
        reply = Reply(r.status, r.headers, text)
        self.check(method, reply)
        return reply

    def check(self, method, reply):
        check_reply(method, reply)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def check_reply(method, r):
    head = r.headers
    assert head["Access-Control-Allow-Origin"] == "*", r
    assert head["Access-Control-Allow-Headers"] == "*, Authorization", r
    assert head["Vary"] == "Accept-Encoding", r
    if r.status in (204, 304):
        assert not r.text and head["Content-Type"] is None, r
        return
    assert head["Content-Type"] == "application/json", r
    if method == "HEAD":
        assert not r.text and head["Content-Length"] is not None, r
    elif r.text:
        assert int(head["Content-Length"]) == len(r.text.encode()), r
        assert r.json["status_code"] == r.status, r
        if r.status >= 400:
            assert isinstance(r.json["message"], str), r
            assert head["Etag"] is None, r
    if r.status == 401:
        assert head["WWW-Authenticate"] == "Bearer", r
