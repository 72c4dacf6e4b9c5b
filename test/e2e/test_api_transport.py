# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Paths, methods, headers and fixed bodies: rest-api.md 1."""

import json
import pathlib
import re

import pytest

from node import REPO, wait_for

ROUTES = [
    m.groups() for m in re.finditer(
        r'^ROUTE\(\w+, \w+, "(\w+)", "([^"]+)", (\w+),',
        pathlib.Path(REPO / "proto" / "routes.def").read_text(), re.M)]
WORDS = {
    "{project}": "nope",
    "{date}": "2026-01-02_03h04m05s",
    "{service}": "web",
    "{dlog}": "start.log",
    "{job}": "999",
    "{token}": "nobody",
    "{key}": "nope",
    "{jail}": "nope",
    "{seg}": "nope",
    "{vm}": "nope",
}
ROOTS = ("/", "/v1", "/v1/")
METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT")
MISSING = "API resource must be specified but is missing."
NO_TOKEN = "'Authentication' header is required but hasn't been specified."


def concrete(template):
    """The paths of a row: with and without its optional slash."""
    for word, value in WORDS.items():
        template = template.replace(word, value)
    if template.endswith("[/]"):
        return [template[:-3], template[:-3] + "/"]
    return [template]


PATHS = sorted({p for _, t, _ in ROUTES for p in concrete(t)})
LOCKED = [p for p in PATHS if p not in ROOTS]
BARE = {"Authorization": None}


def methods_of(path):
    return {m for m, t, _ in ROUTES if path in concrete(t)}


def test_the_table_was_read():
    assert len(ROUTES) >= 23 and "/v1/ping/" in PATHS
    assert not [p for p in PATHS if "{" in p or "[" in p]


def is_error(r, status, message):
    assert r.status == status, r
    assert r.json == {"status_code": status, "message": message}
    assert r.headers["Content-Type"] == "application/json"
    return True


# Roots

@pytest.mark.parametrize("path", ROOTS)
@pytest.mark.parametrize("method", ("GET", "POST", "PUT", "DELETE", "OPTIONS"))
def test_roots_say_that_a_resource_is_missing(shared, method, path):
    for body in (None, b"no json", b"[]"):
        r = shared.request(method, path, body=body, headers=BARE)
        assert is_error(r, 400, MISSING)


@pytest.mark.parametrize("path", ROOTS)
def test_roots_refuse_other_methods_without_a_token(shared, path):
    assert is_error(shared.request("PATCH", path, headers=BARE), 405,
                    "Method Not Allowed")
    assert shared.request("HEAD", path, headers=BARE).status == 405
    assert shared.request("BREW", path, headers=BARE).status == 405


# Order: path, method's name, token, method of the path, body

@pytest.mark.parametrize("method", METHODS + ("OPTIONS", "BREW", "get"))
def test_an_unknown_path_is_404_for_anybody(shared, method):
    for headers in (BARE, {"Authorization": "Bearer x"}, {}):
        r = shared.request(method, "/v1/nope", headers=headers)
        assert r.status == 404
        if method != "HEAD":
            assert is_error(r, 404, "Not Found")


@pytest.mark.parametrize("path", PATHS)
def test_an_unknown_method_is_405_for_anybody(shared, path):
    for method in ("BREW", "get", "CONNECTED"):
        r = shared.request(method, path, headers=BARE)
        assert is_error(r, 405, "Method Not Allowed")
        assert methods_of(path) <= set(r.headers["Allow"].split(", "))


@pytest.mark.parametrize("path", LOCKED)
def test_every_method_but_options_needs_a_token(shared, path):
    for method in METHODS:
        r = shared.request(method, path, headers=BARE)
        assert r.status == 401
        assert r.headers["WWW-Authenticate"] == "Bearer"
        if method != "HEAD":
            assert is_error(r, 401, NO_TOKEN)


@pytest.mark.parametrize("path", LOCKED)
def test_a_method_that_a_path_lacks_is_405_after_the_token(shared, path):
    has = methods_of(path)
    assert has
    for method in set(METHODS) - has:
        # Whatever the body: the method is judged first.
        r = shared.request(method, path, body=b"{no json")
        assert r.status == 405, (method, path, r)
        assert set(r.headers["Allow"].split(", ")) == has | {"OPTIONS"}
        if method != "HEAD":
            assert is_error(r, 405, "Method Not Allowed")


@pytest.mark.parametrize("path", LOCKED)
def test_options_needs_no_token(shared, path):
    r = shared.request("OPTIONS", path, headers=BARE)
    assert r.status == 200 and r.text == ""
    assert r.headers["Content-Length"] == "0"
    assert (r.headers["Access-Control-Allow-Methods"] ==
            "POST, GET, PUT, DELETE, OPTIONS, HEAD")
    assert r.headers["Access-Control-Allow-Origin"] == "*"


def test_the_token_comes_before_the_body(shared):
    r = shared.post("/v1/project/up/web", b"{no json", headers=BARE)
    assert is_error(r, 401, NO_TOKEN)


# HEAD

@pytest.mark.parametrize("path", [p for p in PATHS
                                  if "HEAD" not in methods_of(p)])
def test_head_where_there_is_none_has_the_length_of_the_envelope(shared, path):
    r = shared.request("HEAD", path)
    body = b'{"status_code":405,"message":"Method Not Allowed"}'
    assert r.status == 405 and r.text == ""
    assert int(r.headers["Content-Length"]) == len(body)


def test_head_errors_have_the_length_that_get_would_send(shared):
    cases = (("/v1/nope", {}, 404),
             ("/v1/project/info/web", BARE, 401),
             ("/v1/project/info/web", {"Authorization": "Basic x"}, 400),
             ("/v1/project/info/web", {"Authorization": "Bearer x"}, 401))
    for path, headers, status in cases:
        get = shared.request("GET", path, headers=headers)
        head = shared.request("HEAD", path, headers=headers)
        assert get.status == head.status == status
        assert head.text == ""
        assert head.headers["Content-Length"] == str(len(get.text))


def test_head_of_an_unknown_project_is_empty(shared):
    r = shared.request("HEAD", "/v1/project/info/nope")
    assert r.status == 404 and r.text == ""
    assert r.headers["Content-Length"] == "0"


# Headers

def test_headers_that_every_reply_has(shared):
    token = shared.token()
    replies = [
        shared.get("/v1/ping"),
        shared.get("/v1/nope"),
        shared.get("/v1/ping", headers=BARE),
        shared.request("PUT", "/v1/ping"),
        shared.request("OPTIONS", "/v1/ping", headers=BARE),
        shared.request("HEAD", "/v1/project/info/nope"),
        shared.post("/v1/project/up/web", {}),
        shared.get("/"),
        # Refused by the reader and not by a handler.
        shared.raw(b"nonsense\r\n\r\n"),
        shared.raw(b"GET /v1/ping HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 70000 +
                   b"\r\n\r\n"),
        shared.raw((f"POST /v1/project/up/web HTTP/1.1\r\nHost: h\r\n"
                    f"Authorization: Bearer {token}\r\n"
                    "Content-Length: 999999999\r\n\r\n").encode()),
    ]
    assert [r.status for r in replies] == [
        200, 404, 401, 405, 200, 404, 400, 400, 400, 431, 413]
    for r in replies:
        assert r.headers["Content-Type"] == "application/json", r
        assert r.headers["Access-Control-Allow-Origin"] == "*", r
        assert (r.headers["Access-Control-Allow-Headers"] ==
                "*, Authorization"), r
        assert r.headers["Content-Length"].isdigit()
        if r.json:
            assert r.json["status_code"] == r.status


def test_etag_and_if_none_match(shared):
    r = shared.get("/v1/ping")
    tag = r.headers["Etag"]
    assert re.fullmatch(r'"[^"]+"', tag)
    assert shared.get("/v1/ping").headers["Etag"] == tag
    assert shared.get("/v1/labels").headers["Etag"] != tag
    for match in (tag, '"other", ' + tag, "W/" + tag, "*"):
        again = shared.get("/v1/ping", headers={"If-None-Match": match})
        assert again.status == 304 and again.text == ""
        assert again.headers["Content-Type"] is None
        assert again.headers["Content-Length"] is None
    for match in ('"other"', tag[1:-1], ""):
        again = shared.get("/v1/ping", headers={"If-None-Match": match})
        assert again.status == 200 and again.json == r.json


def test_only_good_answers_to_get_and_head_have_a_tag(shared):
    assert shared.get("/v1/nope").headers["Etag"] is None
    assert shared.get("/").headers["Etag"] is None
    assert shared.post("/v1/project/cancel/web").headers["Etag"] is None
    r = shared.request("OPTIONS", "/v1/ping")
    assert r.headers["Etag"] is None


def test_a_request_id_is_taken_or_made(shared):
    shared.get("/v1/ping?mine", headers={"X-Request-Id": "mine-1"})
    wait_for("the log", lambda: "mine-1" in shared.log_text())


def test_a_compressed_body_is_refused(shared):
    import gzip
    r = shared.post("/v1/project/up/web", gzip.compress(b"{}"),
                    headers={"Content-Encoding": "gzip"})
    assert r.status == 400


# Paths

@pytest.mark.parametrize("path", (
    "//", "/v1//", "//v1/ping", "/v1//ping", "/v1/ping//", "/v1/./ping",
    "/v1/../v1/ping", "/v1/x/../ping", "/V1/ping", "/v1/Ping", "/v1/%70ing",
    "/v1%2Fping", "/v1/ping%2F", "/v1/ping/x", "/v2/ping", "/v1/pin",
    "/v1/pings", "/ping", "/v1/ping;x", "/v1/ping%00", "/v1/ping%", "/*",
    "/v1/chain", "/v1/chain/", "/v1/chain/alpha",
    "/v1/project/info/web/", "/v1/project/up/web/", "/v1/jobs/1/",
    "/v1/project/info/", "/v1/project/info", "/v1/project/", "/v1/project",
    "/v1/project/info/a/b", "/v1/project/info/.", "/v1/project/info/..",
    "/v1/project/info/%2e%2e", "/v1/project/info/a%2Db",
    "/v1/project/info/a%20b", "/v1/project/info/a%00b",
    "/v1/project/info/%FF", "/v1/project/info/a:b", "/v1/project/info/a+b",
    "/v1/project/info/a~b", "/v1/project/info/a@b", "/v1/project/info/a,b",
    "/v1/jobs/0", "/v1/jobs/01", "/v1/jobs/-1", "/v1/jobs/+1", "/v1/jobs/x",
    "/v1/jobs/1x", "/v1/jobs/0x1", "/v1/jobs/1.0", "/v1/jobs/%31",
    "/v1/jobs/18446744073709551616", "/v1/jobs/99999999999999999999999",
    "/v1/projects/log", "/v1/projects/log/", "/v1/projects/logs/x",
))
def test_paths_that_match_nothing(shared, path):
    assert is_error(shared.get(path), 404, "Not Found")


@pytest.mark.parametrize("path", LOCKED)
def test_slashes_at_the_end(shared, path):
    """Optional where the row says so; nowhere two."""
    assert shared.get(path.rstrip("/") + "//").status == 404
    if not path.endswith("/") and path + "/" not in PATHS:
        assert is_error(shared.get(path + "/"), 404, "Not Found")


def test_the_query_is_ignored(shared):
    for query in ("?", "?x=1", "?/v1/nope", "?%zz", "?a?b", "?" + "x" * 4000):
        assert shared.get("/v1/ping" + query).status == 200


# Of what a path takes. A file's name has no rule but that of the disk, and how
# long the id of a token may be is said with 400.
LONGEST = {"{seg}": 1 << 20, "{token}": 1 << 20, "{job}": 20, "{date}": 20,
           "{vm}": 231}


@pytest.mark.parametrize("template", sorted(
    {t for _, t, _ in ROUTES if "{" in t}))
@pytest.mark.parametrize("length", (231, 255, 256, 4000, 60000))
def test_long_names_in_every_position(shared, template, length):
    """Found nothing, or never heard of it; never a hang, never a 500."""
    for word in re.findall(r"\{\w+\}", template):
        # The letter that fits the position, if only the length did.
        long = {"{dlog}": "a" * (length - 4) + ".log",
                "{job}": "1" * length}.get(word, "a" * length)
        path = template.replace(word, long, 1)
        for method in METHODS + ("OPTIONS",):
            makes = ("POST", "PUT") if "namespace" in template else ("POST",)
            if method in makes and length <= 255:
                continue
            r = shared.request(method, concrete(path)[0])
            if length > LONGEST.get(word, 255):
                assert r.status == 404, (method, r)
                assert method == "HEAD" or is_error(r, 404, "Not Found")
            elif word == "{token}" and method == "DELETE":
                assert r.status == 400 and "1 to 64" in r.text
            elif method in methods_of(concrete(template)[0]):
                assert r.status == 404, (method, r)
                assert method == "HEAD" or "cannot be found" in r.text
            else:
                assert r.status == (200 if method == "OPTIONS" else 405)


def test_the_longest_name_of_a_project_can_be_deployed(node):
    for length in (231, 255):
        name = "p" * length
        job = node.wait_job(node.up(name))
        assert job["state"] == "completed", job
        assert job["name"] == name
        assert node.info(name)["state"] == "DONE"
        assert node.wait_job(node.down(name))["state"] == "completed"


# Keep-alive

def test_many_requests_on_one_connection(shared):
    import http.client
    host, port = shared.address()
    head = {"Authentication": "Bearer " + shared.token()}
    c = http.client.HTTPConnection(host, port, timeout=10)
    for method, path, body, status in (
            ("GET", "/v1/ping", None, 200),
            ("POST", "/v1/project/up/web", b"{", 400),
            ("HEAD", "/v1/project/info/nope", None, 404),
            ("PUT", "/v1/ping", None, 405),
            ("GET", "/v1/ping", b'{"x":1}', 200),
            ("GET", "/v1/nope", None, 404),
            ("GET", "/v1/ping", None, 200)):
        c.request(method, path, body=body, headers=head)
        sock = c.sock
        r = c.getresponse()
        text = r.read()
        assert r.status == status
        if method != "HEAD":
            assert json.loads(text)["status_code"] == status
        # It was not closed and opened anew.
        assert c.sock is sock
    c.close()


def test_http_1_0_is_answered_and_closed(shared):
    r = shared.raw(b"GET /v1/ping HTTP/1.0\r\nAuthentication: Bearer " +
                   shared.token().encode() + b"\r\n\r\n")
    assert r.status == 200 and r.json["status"] == "OK"
    assert r.headers["Connection"] == "close"


def test_expect_100_continue(shared):
    import socket
    body = b'{"director_file": 5}'
    with socket.create_connection(shared.address(), timeout=10) as s:
        s.sendall(b"POST /v1/project/up/web HTTP/1.1\r\nHost: h\r\n"
                  b"Expect: 100-continue\r\nAuthentication: Bearer " +
                  shared.token().encode() +
                  b"\r\nContent-Length: %d\r\n\r\n" % len(body))
        f = s.makefile("rb")
        assert f.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert f.readline() == b"\r\n"
        s.sendall(body)
        assert f.readline() == b"HTTP/1.1 400 Bad Request\r\n"


def test_expect_without_a_token_gets_the_answer_and_no_100(shared):
    r = shared.raw(b"POST /v1/project/up/web HTTP/1.1\r\nHost: h\r\n"
                   b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n")
    assert is_error(r, 401, NO_TOKEN)
