# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""/v1/openapi.json: it is valid, it has every route, and the daemon does what it
says. That answers are as described is looked at in each test (described.py)."""

import http.client
import re
import socket
import subprocess

import pytest

from api_fuzz import TOOLS, fuzz
from described import Described
from node import DIRECTOR_FILE, Reply, document
from test_api_vm import MINIMAL
from test_scopes import all_routes, path_of

GOOD_BODIES = {
    "BodyUp": {"director_file": DIRECTOR_FILE, "environment": {"A": "b"},
               "restart": True},
    "BodyDown": {"environment": {"A": "b"}, "force": True},
    "BodyMetadata": {"value": "x"},
    "BodyNamespace": {"mapping": [{"directory": "/d"}]},
    "BodyVm": MINIMAL,
}
# What may be null, but not in the good body: another member would be needed.
NEEDED = {("BodyVm", "makejail"), ("BodyVm", "makejailFromMetadata")}


def tree():
    return document().document


def operations():
    """(path, method, operation) of all that need a token."""
    for path, methods in tree()["paths"].items():
        for method, operation in methods.items():
            if operation["security"]:
                yield path, method.upper(), operation


def local():
    return [o for o in operations() if "{chain}" not in o[0]]


def by_id(rows):
    return [pytest.param(*row, id=row[2]["operationId"]) for row in rows]


def test_it_is_what_the_daemon_prints(shared):
    r = shared.get("/v1/openapi.json")
    assert r.status == 200 and r.headers["Content-Type"] == "application/json"
    assert r.json == tree()
    assert r.json["openapi"] == "3.1.0"
    again = shared.get("/v1/openapi.json",
                       headers={"If-None-Match": r.headers["Etag"]})
    assert again.status == 304


needs_tools = pytest.mark.skipif(
    not (TOOLS / "schemathesis").exists(),
    reason="need_openapi of test/lib.sh has not been called")


@needs_tools
def test_it_is_valid(shared, tmp_path):
    f = tmp_path / "openapi.json"
    f.write_text(shared.get("/v1/openapi.json").text)
    r = subprocess.run([TOOLS / "openapi-spec-validator", f], text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert r.returncode == 0 and "OK" in r.stdout, r.stdout


@needs_tools
def test_requests_by_chance(make_node, tmp_path):
    """500 of them, always the same; api_fuzz.py makes more."""
    statuses = fuzz(make_node(), make_node(name="below"), tmp_path, 500, 1)
    assert statuses.total() >= 500
    # Not all of them were refused.
    assert statuses["200"] > 50, statuses


def test_it_has_every_route_and_twin():
    rows = {(path.replace("[/]", "") or "/", method)
            for _, method, path, _ in all_routes()}
    # A word that comes again has a number there.
    assert rows == {(re.sub(r"\d}", "}", path), method.upper())
                    for path, methods in tree()["paths"].items()
                    for method in methods}


def test_no_two_parameters_have_one_name():
    for path, methods in tree()["paths"].items():
        words = re.findall(r"{(\w+)}", path)
        assert len(set(words)) == len(words), path
        for operation in methods.values():
            names = [p["name"] for p in operation["parameters"]
                     if p["in"] == "path"]
            assert names == words


def test_every_scope_is_a_role():
    scopes = {(path.replace("[/]", ""), method): needs.lower()
              for _, method, path, needs in all_routes()}
    for path, method, operation in operations():
        needs = scopes[re.sub(r"\d}", "}", path), method]
        assert operation["security"] == [{"authorization": [needs]},
                                         {"authentication": [needs]}]


@pytest.mark.parametrize("path, method, operation", by_id(operations()))
def test_without_a_token_and_with_another_method(
        shared, path, method, operation):
    path = path_of(path)
    assert shared.request(method, path, token="x").status == 401
    others = {"GET", "HEAD", "POST", "PUT", "DELETE"} - {
        m.upper() for m in tree()["paths"][
            document().find(method, path)[0]]}
    for other in sorted(others):
        r = shared.request(other, path)
        assert r.status == 405, (other, r)
        allowed = set(r.headers["Allow"].split(", ")) - {"OPTIONS"}
        assert not allowed & others and method in allowed, r.headers


# Queries

def queries():
    for path, method, operation in local():
        for p in operation["parameters"]:
            if p["in"] == "query":
                yield pytest.param(path, p, id=operation["operationId"] +
                                   "-" + p["name"])


def is_refused(shared, path, name, value):
    """Whether the parameter is refused with 400; anything else may come of a
    good one."""
    r = ask(shared, f"{path_of(path)}?{name}={value}")
    if r.status == 400:
        assert f"'{name}'" in r.json["message"], r
    return r.status == 400


def ask(shared, path):
    """Of a stream only the head."""
    with socket.create_connection(shared.address(), timeout=60) as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\n"
                  f"Authorization: Bearer {shared.token()}\r\n\r\n".encode())
        r = http.client.HTTPResponse(s)
        r.begin()
        stream = r.headers["Content-Type"] == "text/event-stream"
        return Reply(r.status, r.headers, "" if stream else r.read().decode())


@pytest.mark.parametrize("path, parameter", queries())
def test_a_parameter_has_the_values_that_are_documented(
        shared, path, parameter):
    name, schema = parameter["name"], parameter["schema"]
    if schema["type"] == "integer":
        for good in (schema["minimum"], schema["maximum"]):
            assert not is_refused(shared, path, name, good)
        for bad in (schema["minimum"] - 1, schema["maximum"] + 1, "x", ""):
            assert is_refused(shared, path, name, bad)
        return
    words = schema.get("enum") or schema.get("items", {}).get("enum")
    if words is None:
        assert not is_refused(shared, path, name, "web")
        return
    for word in words:
        assert not is_refused(shared, path, name, word)
    assert is_refused(shared, path, name, words[0] + "x")
    several = ",".join(words)
    assert is_refused(shared, path, name, several) == \
        (schema["type"] != "array")


@pytest.mark.parametrize("path, method, operation", by_id(
    o for o in local() if any(p["in"] == "query" for p in o[2]["parameters"])))
def test_a_parameter_that_is_not_documented_is_refused(
        shared, path, method, operation):
    r = shared.request(method, path_of(path) + "?nothing=1")
    assert r.status == 400 and "'nothing' is not one of" in r.json["message"]


# Bodies

def bodies():
    for path, method, operation in local():
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]
            name = schema["schema"]["$ref"].rpartition("/")[2]
            yield pytest.param(path, method, name,
                               id=operation["operationId"])


@pytest.mark.parametrize("path, method, name", bodies())
def test_a_body_is_what_is_documented(node, path, method, name):
    schema = tree()["components"]["schemas"][name]
    good = GOOD_BODIES[name]
    path = path_of(path).replace("/x", "/key")
    accepted = (200, 201)
    if method == "PUT" and "metadata" in path:
        assert node.post(path, good).status == 201
    assert not list(document().faults(schema, good, "body"))
    assert set(good) <= set(schema["properties"])
    for member in schema.get("required", []):
        r = node.request(method, path.replace("key", "other"),
                         {k: v for k, v in good.items() if k != member})
        assert r.status in (400, 404), r
    for member, rule in schema["properties"].items():
        for bad in (5, "x", True, [1], {"a": []}):
            if list(document().faults(rule, bad, "body")):
                r = node.request(method, path, {**good, member: bad})
                assert r.status == 400, (member, bad, r)
        if member not in schema.get("required", []):
            assert not list(document().faults(rule, None, "body"))
            r = node.request(method, path, {**good, member: None})
            assert r.status in accepted or (name, member) in NEEDED, r
    assert node.request(method, path, good).status in accepted


# The checker itself

def test_the_checker_finds_what_is_wrong():
    c = Described({"paths": {"/a/{b}": {"get": {"responses": {"200": {
        "content": {"application/json": {"schema": {
            "type": "object", "required": ["n"],
            "properties": {"n": {"anyOf": [{"type": "integer"},
                                           {"const": "no"}]},
                           "l": {"type": "array",
                                 "items": {"type": "string"}}}}}}}}}}}})

    class Reply:
        headers = {"Content-Type": "application/json"}

        def __init__(self, status, text):
            self.status, self.text = status, text
    c.check("GET", "/a/b?c=d", Reply(200, '{"n": 1, "l": [], "more": 0}'))
    c.check("GET", "/a/b", Reply(200, '{"n": "no"}'))
    c.check("POST", "/a/b", Reply(500, ""))
    for bad in ('{}', '{"n": true}', '{"n": "x"}', '{"n": 1, "l": [1]}', '[]'):
        with pytest.raises(AssertionError):
            c.check("GET", "/a/b", Reply(200, bad))
    with pytest.raises(AssertionError):
        c.check("GET", "/a/b", Reply(404, '{"n": 1}'))
