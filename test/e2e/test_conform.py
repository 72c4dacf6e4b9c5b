# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Every row of test/routes.tsv, local and through one and two chains: what it
answers when all is well, and each error of the contract (rest-api.md 1.5 to
1.9, 2, 3.3, 3.5 and annex D)."""

import re
import socket
import time

import pytest

from contract import METHODS, VALUES, Caller, is_a, rows, type_of
from node import DIRECTOR_FILE, Node, chain_to

# Rows that no server of ours has yet. None may be listed that is there.
MISSING = set()
DATE = "2026-01-02_03h04m05s"
# What is there on each server, and what is not.
THERE = {"jail": "web", "project": "web", "vm": "there", "key": "there",
         "date": DATE, "service": "web", "dlog": "start.log",
         "segs": ("jails", "web", "startup-start", "x.log")}
NOT_THERE = {"jail": "nope", "project": "nope", "vm": "nope", "key": "nope",
             "date": DATE, "service": "nope", "dlog": "nope.log",
             "segs": ("jails", "web", "startup-start", "nope.log")}
# Names that the rules refuse: no route.
NO_NAMES = {
    "jail": ("a.b", "-a", "a%2Db", "%FF", "a" * 4000 + "!"),
    "project": ("..", ".", "a%2Db", "a!", "x" * 4000 + "!"),
    "vm": ("x", "a" * 232, "-a", "a-", "a%2Db"),
    "key": ("1a", "a-", "a..b", "a.1", "a%2Db", "a" * 4000 + "!"),
    "date": ("2026-01-02", "2026-01-02_03h04m05", "x"),
    "service": ("..", "a!", "a%2Fb"),
    "dlog": ("x", "X.log", "1.log", "../x.log"),
}
# Names that are long, and right.
LONG = {word: "a" * 227 + ".log" if word == "dlog" else "a" * 231
        for word in ("jail", "project", "vm", "key", "service", "dlog")}

NO_ROUTE = "Not Found"
NO_METHOD = "Method Not Allowed"
ROOT = "API resource must be specified but is missing."
NO_JSON = "Request has been received with an invalid format."
NO_DICT = "A dictionary was expected but another value type was given."
NO_HEADER = "'Authentication' header is required but hasn't been specified."
NO_SPACE = "'Authentication' header is invalid for this entrypoint."
SCHEME = "Authentication scheme is invalid for this entrypoint."
TOKEN = "Error while decoding the JWT."

VM = {"makejail": "gh+DtxdF/vm-makejail",
      "template": {"loader": "bhyveload", "cpu": "2", "memory": "2G"},
      "diskLayout": {"driver": "nvme", "size": "20G",
                     "from": {"type": "iso", "isoFile": "x.iso"}}}
BODIES = {"project/up": {"director_file": DIRECTOR_FILE}, "vm": VM,
          "metadata": {"value": "text"},
          "namespace": {"mapping": [{"directory": "d"}]}}


class Tree:
    """main -> alpha -> charlie, and two chains of main that are dead."""

    def __init__(self, root):
        self.nodes, below = {}, None
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            dead = {"entrypoint": "http://127.0.0.1:%d" % s.getsockname()[1],
                    "access_token": "x", "retry": {"total": 0}}
        for name in ("charlie", "alpha", "main"):
            chains = {} if below is None else {below.root.name:
                                               chain_to(below)}
            node = Node(root / name, {
                "chains": {**chains, "dead": dead},
                "autodisable": {"failures": 100000},
                "limits": {"queued_jobs": 100000},
                "appjail": {"logs": str(root / name / "logs")}})
            seed(node)
            # The records of what nobody of this version does.
            node.start()
            node.stop()
            for kind, of in (("vm", "there"), ("autoscale", "web")):
                node.put_record(kind, of, {
                    "operation": "COMPLETED", "output": "", "logs": [],
                    "job_id": 1, "last_update": time.time()})
            self.nodes[name] = below = node.start()
        self.callers = {n: Caller(node.address(), node.token())
                        for n, node in self.nodes.items()}
        for caller in self.callers.values():
            for path, body in (("metadata", {"value": "text"}),
                               ("namespace", {"mapping": [
                                   {"file": ["there", "d/f"]}]})):
                caller.ask("POST", f"/v1/{path}/there", body)

    def tail(self, chain):
        """The server at the end of a chain path."""
        return self.callers[(chain or "main").rpartition(".")[2]]

    def dispose(self):
        for caller in self.callers.values():
            caller.close()
        for node in self.nodes.values():
            node.dispose()


def seed(node):
    """A jail, a project and logs, as AppJail and Director keep them."""
    files = {
        "standin/jails/web/conf/boot/created": "1700000000",
        "standin/director/projects/web/state": "done",
        "standin/director/projects/web/appjail-director.yml": DIRECTOR_FILE,
        f"standin/director/logs/{DATE}/web/start.log": "line\n",
        "logs/jails/web/startup-start/x.log": "line\n",
    }
    for name, text in files.items():
        path = node.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    made = Tree(tmp_path_factory.mktemp("conform"))
    try:
        yield made
    finally:
        made.dispose()


def places(wanted=lambda row: True):
    """Each row with the chain path it is asked through."""
    for row in rows():
        if row.name in MISSING or not wanted(row):
            continue
        for chain in (("alpha", "alpha.charlie") if row.is_twin else (None,)):
            yield pytest.param(row, chain, id=f"{row.name} {chain or 'here'}")


def each(wanted=lambda row: True):
    return pytest.mark.parametrize("row,chain", places(
        lambda row: not row.is_root and wanted(row)))


def body_of(row):
    return dict(BODIES.get(row.stem, {})) if row.fields else None


def says(r, status, message, method="GET"):
    """An error of this server itself, not one passed on."""
    assert r.status == status, r
    if method != "HEAD":
        assert r.json["message"] == message, r
        assert set(r.json) <= {"status_code", "message", "detail"}, r


def innermost(r):
    body = r.json
    while "remote" in body:
        body = body["remote"]
    return body


def judged_path(row, chain):
    """Where a body is looked at: a POST of what is there writes nothing."""
    key = "new" if row.method == "POST" else "there"
    return row.fill({**THERE, "key": key}, chain)


def prepare(tree, row, chain):
    """Names for one success, of what is made first where it must be there."""
    if row.stem not in ("metadata", "namespace") or row.method in ("GET",
                                                                   "HEAD"):
        return THERE if row.method in ("GET", "HEAD") else {
            **THERE, "project": "made", "vm": "made"}
    path = f"/v1/{row.stem}/changing"
    tree.tail(chain).ask("DELETE", path)
    if row.method != "POST":
        assert tree.tail(chain).ask("POST", path, body_of(
            next(r for r in rows() if r.name == f"POST {row.local}"))
        ).status == 201
    return {**THERE, "key": "changing"}


# All is well

def test_what_is_missing(tree):
    main = tree.callers["main"]
    found = set()
    for row in rows():
        path = row.fill(NOT_THERE, "alpha")
        if main.ask("OPTIONS", path).status == 404 or main.ask(
                row.method, path, b"[]").status == 405:
            found.add(row.name)
    assert found == MISSING


@each()
def test_success(tree, row, chain):
    words = prepare(tree, row, chain)
    r = tree.callers["main"].ask(row.method, row.fill(words, chain),
                                 body_of(row))
    assert r.status == row.status, r
    if not row.members:
        assert not r.text
        return
    assert set(row.members) <= set(r.json), r
    for member in row.members:
        assert is_a(r.json[member], type_of(row, member)), (member, r)
    if "job_id" in row.members:
        assert r.json["job_id"] > 0
    if row.method == "GET" and not row.is_twin:
        assert r.headers["Etag"].startswith('"'), r


@each(lambda row: row.method == "GET")
def test_a_twin_says_what_its_route_says(tree, row, chain):
    if not row.is_twin or row.name == "GET stats[/]":
        return
    path = row.fill(THERE, chain)
    there = tree.tail(chain).ask("GET", path.replace(f"/chain/{chain}", ""))
    assert strip_ages(tree.callers["main"].ask("GET", path).json) == \
        strip_ages(there.json)


def strip_ages(body):
    text = re.sub(r"'last_update': [0-9.e-]+", "", repr(body))
    return re.sub(r"'(operation|output)': .*", "", text)


@pytest.mark.parametrize("row,chain", places())
def test_slashes(tree, row, chain):
    """An optional one ends a collection, never a name; never two."""
    main, path = tree.callers["main"], row.fill(THERE, chain)
    optional = row.path.endswith("[/]")
    if row.path == "/":
        return
    head = main.ask("OPTIONS", path, token=None)
    assert head.status == (400 if row.is_root else 200)
    assert main.ask("OPTIONS", path + "/", token=None).status == (
        head.status if optional else 404)
    for wrong in (path + "//", "/" + path, path.replace("/v1", "/v1/", 1),
                  path.upper(), path + "/x/y/z/a/b/c/d/e"):
        if wrong != path + "/" or not optional:
            assert main.ask("GET", wrong).status == 404, wrong


# Roots

@pytest.mark.parametrize("row,chain", places(lambda row: row.is_root))
def test_a_resource_must_be_named(tree, row, chain):
    main = tree.callers["main"]
    for token in (True, None, "nonsense"):
        for body in (None, b"{", {}):
            says(main.ask(row.method, row.fill({}), body, token), 400, ROOT)
    for method in ("HEAD", "PATCH"):
        says(main.ask(method, row.fill({})), 405, NO_METHOD, method)


# Who asks, and how

@each()
def test_tokens(tree, row, chain):
    main, path = tree.callers["main"], row.fill(THERE, chain)
    for token, status, message in (
            (None, 401, NO_HEADER), ("", 400, NO_SPACE),
            ("Bearer", 400, NO_SPACE), ("Bearer ", 400, NO_SPACE),
            ("Basic x", 400, SCHEME), ("Bearer x", 401, TOKEN),
            ("Bearer " + main.token + "x", 401, TOKEN)):
        # Before the body is looked at.
        r = main.ask(row.method, path, b"{", token)
        says(r, status, message, row.method)


@each()
def test_methods(tree, row, chain):
    main, path = tree.callers["main"], row.fill(THERE, chain)
    has = {r.method for r in rows() if r.path == row.path
           and r.name not in MISSING}
    for method in (*METHODS, "FOO", "get"):
        if method not in has:
            r = main.ask(method, path)
            says(r, 405, NO_METHOD, method)
            if method in METHODS:
                assert set(r.headers["Allow"].split(", ")) >= has | {"OPTIONS"}
    r = main.ask("OPTIONS", path, token=None)
    assert (r.status, r.text, r.headers["Content-Length"]) == (200, "", "0")
    assert r.headers["Access-Control-Allow-Methods"] == (
        "POST, GET, PUT, DELETE, OPTIONS, HEAD")


@each()
def test_bodies_that_are_no_object(tree, row, chain):
    main = tree.callers["main"]
    path = judged_path(row, chain)
    for body, message in (
            (b"{", NO_JSON), (b" ", NO_JSON), (b"{}x", NO_JSON),
            (b'{"value": NaN}', NO_JSON), (b'{"a": "\xff"}', NO_JSON),
            (b"[" * 5000 + b"]" * 5000, NO_JSON),
            (b"null", NO_DICT), (b"[]", NO_DICT), (b'"x"', NO_DICT),
            (b"5", NO_DICT), (b"true", NO_DICT)):
        says(main.ask(row.method, path, body), 400, message, row.method)


# Arguments

def with_fields(row):
    return bool(row.fields)


@each(with_fields)
def test_types(tree, row, chain):
    main = tree.callers["main"]
    path = judged_path(row, chain)
    for field in row.fields:
        for given, value in VALUES.items():
            if given != field.type:
                r = main.ask(row.method, path,
                             {**body_of(row), field.name: value})
                says(r, 400, f"'{field.name}' has an unexpected value type: "
                             f"expected {field.type}, given {given}.")


@each(with_fields)
def test_what_is_required(tree, row, chain):
    main = tree.callers["main"]
    path = judged_path(row, chain)
    for field in row.fields:
        if field.required:
            body = {**body_of(row), field.name: None}
            says_required(main.ask(row.method, path, body), row, field)
            del body[field.name]
            says_required(main.ask(row.method, path, body), row, field)


def says_required(r, row, field):
    text = f"`{field.name}` is required but hasn't been specified."
    if row.stem == "vm" and r.json["message"] != text:
        text = ("(exception:RequiredParameter) invalid specification: "
                f"{field.name}: a required parameter has not been specified.")
    says(r, 400, text)


@each(lambda row: any(not f.required for f in row.fields))
def test_null_is_absent(tree, row, chain):
    """Of what is not required; and what nobody knows is ignored."""
    main = tree.callers["main"]
    body = {f.name: None for f in row.fields if not f.required}
    body.update(body_of(row), unknown=[1])
    r = main.ask(row.method, row.fill({**THERE, "project": "null",
                                       "vm": "null"}, chain), body)
    assert r.status == row.status and r.json["job_id"] > 0, r


NESTED = (
    ("project/up", "environment", {"A": 5},
     "Invalid environment name (A) or value (5)."),
    ("project/down", "environment", {"A": 5},
     "Invalid environment name (A) or value (5)."),
    ("project/up", "reserve_port", {"em0": 5},
     "Invalid network address (5)."),
    ("namespace", "mapping", [],
     "namespace.mapping: a length of '-1' has been specified, but should be "
     "'> 0'."),
    ("namespace", "mapping", ["x"],
     "namespace.mapping.<item#0>: requires 'dict', given 'str'."),
    ("namespace", "mapping", [{"file": "x"}],
     "'namespace.mapping.<item#0>.file' must specify both the metadata and "
     "the mapping file."),
    ("vm", "template", {"cpu": 2},
     "template.cpu: requires 'str', given 'int'."),
    ("vm", "cloud-init", {"flags": 1},
     "cloud-init.flags: requires 'str', given 'int'."),
    ("vm", "metadata", [5], "metadata.<item#0>: requires 'str', given 'int'."),
    ("vm", "options", ["x"],
     "options.<item#0>: requires 'dict', given 'str'."),
    ("vm", "diskLayout", {**VM["diskLayout"], "driver": "scsi"},
     "diskLayout.driver: invalid driver: 'scsi'"),
    *(("vm", name, [{"A": None}],
       f"{name}.<item#0>.A: requires 'str', given 'NoneType'.")
      for name in ("script-environment", "start-environment",
                   "start-arguments", "build-environment",
                   "build-arguments")),
)


@each(with_fields)
def test_what_is_inside(tree, row, chain):
    main = tree.callers["main"]
    path = judged_path(row, chain)
    for stem, field, value, message in NESTED:
        if stem == row.stem:
            r = main.ask(row.method, path, {**body_of(row), field: value})
            if stem in ("vm", "namespace"):
                message = ("(exception:InvalidSpec) invalid specification: "
                           + message)
            if row.is_twin and stem == "namespace":
                # Judged where the metadata is.
                assert r.status == 400, r
                assert innermost(r)["message"] == message, r
            else:
                says(r, 400, message)


# What is not there

@each(lambda row: row.unknown(NOT_THERE) is not None)
def test_unknown(tree, row, chain):
    path = row.fill(NOT_THERE, chain)
    r = tree.callers["main"].ask(row.method, path, body_of(row))
    if row.is_twin and row.method == "PUT":
        # An upsert.
        assert r.status == 200, r
        tree.tail(chain).ask("DELETE", f"/v1/{row.stem}/nope")
    elif row.is_twin:
        passed_on(r, row, chain, 404, row.unknown(NOT_THERE))
    else:
        says(r, 404, row.unknown(NOT_THERE), row.method)


@each(lambda row: row.has_name)
def test_long_names(tree, row, chain):
    """Of things that could be there, and of those that nothing can have."""
    for words in (LONG, {w: 17 * LONG[w][:231] for w in LONG}):
        r = tree.callers["main"].ask(
            row.method, row.fill({**NOT_THERE, **words}, chain), body_of(row))
        assert r.status == 404 or (
            words is LONG and r.status == row.status), r


def passed_on(r, row, chain, status, message):
    assert r.status == status, r
    if row.method == "HEAD":
        return
    entrypoint, _, rest = chain.partition(".")
    assert r.json["function"] == row.function, r
    assert r.json["entrypoint"] == entrypoint, r
    assert r.json["chain"] == rest, r
    assert r.json["error"] == "HTTPStatusError", r
    assert r.json["message"].startswith(
        f"Client error '{status} Not Found' for url 'http://127.0.0.1:"), r
    assert innermost(r)["message"] == message, r


@each(lambda row: row.has_name)
def test_names_against_the_rules(tree, row, chain):
    main = tree.callers["main"]
    for word, names in NO_NAMES.items():
        if "{%s}" % word in row.path:
            for name in names:
                path = row.fill({**THERE, word: name}, chain)
                says(main.ask(row.method, path), 404, NO_ROUTE, row.method)


@each(lambda row: "{seg}" in row.path)
def test_segments_that_lead_elsewhere(tree, row, chain):
    main = tree.callers["main"]
    for name in ("..", ".", "%2e%2e", "%2Fetc%2Fpasswd", "x%00", "..%2F..",
                 "a%2Fb", "x" * 4000, "%252e%252e", "a%3Fb", "a%23b", "%20"):
        for at in range(4):
            segs = list(THERE["segs"])
            segs[at] = name
            r = main.ask("GET", row.fill({"segs": segs}, chain))
            assert r.status == 404, (segs, r)
            assert innermost(r)["message"] == "Log cannot be found.", r
    r = main.ask("GET", row.fill({"segs": ("a", "b", "c", "%FF")}, chain))
    assert r.status == 400 and innermost(r)["message"] == "Bad Request", r


# Chains

@each(lambda row: row.is_twin)
def test_chains_that_are_none(tree, row, chain):
    if chain != "alpha":
        return
    main = tree.callers["main"]
    words = {**THERE, "key": "new"}
    body = body_of(row)

    def ask(path):
        return main.ask(row.method, row.fill(words, path), body)
    for path, status, message in (
            ("nobody", 404, "Next entrypoint 'nobody' cannot be found."),
            ("nobody.alpha", 404,
             "Next entrypoint 'nobody' cannot be found."),
            ("a..b", 400, "Invalid chain: a..b"),
            ("a.", 400, "Invalid chain: a."),
            ("a.-b", 400, "Invalid chain: a.-b")):
        says(ask(path), status, message, row.method)
    for path in (".a", "-a", "a%2Db", "a!"):
        says(ask(path), 404, NO_ROUTE, row.method)
    r = ask("alpha.nobody")
    assert r.status == 404, r
    if row.method != "HEAD":
        assert r.json["function"] == row.function, r
        assert (r.json["entrypoint"], r.json["chain"]) == ("alpha", "nobody")
        assert innermost(r)["message"] == (
            "Next entrypoint 'nobody' cannot be found.")


@each(lambda row: row.is_twin)
def test_children_that_are_dead(tree, row, chain):
    above = "alpha." if chain != "alpha" else ""
    r = tree.callers["main"].ask(
        row.method, row.fill({**THERE, "key": "new"}, above + "dead"),
        body_of(row))
    assert r.status == 503, r
    if row.method == "HEAD":
        return
    assert r.json["function"] == row.function, r
    body = innermost(r)
    assert (body["function"], body["entrypoint"], body["chain"],
            body["error"]) == (row.function, "dead", "", "ConnectError"), r
    if above:
        assert (r.json["entrypoint"], r.json["chain"]) == ("alpha", "dead")
        assert r.json["error"] == (
            "APIError" if row.method == "DELETE" else "HTTPStatusError")
