# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Request bodies that are no JSON, not an object, or too large; and how they
may come: rest-api.md 1.7, 1.8."""

import json
import re
import socket
import time

import pytest

UP = "/v1/project/up/web"
INVALID = "Request has been received with an invalid format."
NOT_A_MAP = "A dictionary was expected but another value type was given."
REQUIRED = "`director_file` is required but hasn't been specified."
LIMIT = 8388608
TOO_LARGE = "Request body is too large: the limit is 8388608 bytes."


def nested(depth, inner=b"1", opening=b'{"a":', closing=b"}"):
    return opening * depth + inner + closing * depth


NOT_JSON = {
    "a letter": b"x",
    "a blank": b" ",
    "blanks": b" \t\r\n",
    "a BOM alone": b"\xef\xbb\xbf",
    "a BOM later": b'{"a":\xef\xbb\xbf1}',
    "two BOMs": b"\xef\xbb\xbf\xef\xbb\xbf{}",
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-32": '{"a":1}'.encode("utf-32-be"),
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    "a form": b"director_file=x&restart=1",
    "multipart": b"--x\r\nContent-Disposition: form-data\r\n\r\n{}\r\n--x--",
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}',
    "-Infinity": b'{"a":-Infinity}',
    "single quotes": b"{'a':1}",
    "a bare key": b"{a:1}",
    "a number as key": b"{1:1}",
    "a comma at the end": b'{"a":1,}',
    "a comma at the start": b'{,"a":1}',
    "two commas": b'{"a":1,,"b":2}',
    "no comma": b'{"a":1 "b":2}',
    "no colon": b'{"a" 1}',
    "no value": b'{"a":}',
    "no key": b'{:1}',
    "not closed": b'{"a":1',
    "closed wrongly": b'{"a":1]',
    "closed twice": b'{"a":1}}',
    "two documents": b"{}{}",
    "text after it": b"{} x",
    "NUL after it": b"{}\x00",
    "NUL within": b'{"a":"\x00"}',
    "escaped NUL": b'{"a":"\\u0000"}',
    "escaped NUL in a key": b'{"a\\u0000b":1}',
    "a control character": b'{"a":"\x01"}',
    "a line feed in a string": b'{"a":"x\ny"}',
    "a tab in a string": b'{"a":"x\ty"}',
    "an open string": b'{"a":"x',
    "an unknown escape": b'{"a":"\\x41"}',
    "half an escape": b'{"a":"\\u12"}',
    "a lone surrogate": b'{"a":"\\ud800"}',
    "a low surrogate first": b'{"a":"\\udc00\\ud800"}',
    "a plus": b'{"a":+1}',
    "a leading zero": b'{"a":01}',
    "no digit before the point": b'{"a":.5}',
    "no digit after the point": b'{"a":1.}',
    "an exponent without digits": b'{"a":1e}',
    "hexadecimal": b'{"a":0x1}',
    "a capital": b'{"a":True}',
    "a word cut short": b'{"a":nul}',
    "a comment": b"{} // x",
    "a comment within": b'{/* x */"a":1}',
    "a duplicate": b'{"a":1,"a":2}',
    "a duplicate by escapes": b'{"a":1,"\\u0061":2}',
    "a duplicate below": b'{"x":{"a":1,"b":2,"a":1}}',
    "65 maps": nested(65),
    "65 lists": b'{"a":' + nested(65, b"", b"[", b"]") + b"}",
    "a million lists": b"[" * 1000000,
    "a million maps": b'{"a":' * 1000000,
    "too many values": b'{"a":[' + b"0," * 65536 + b"0]}",
    "a lone continuation": b'{"a":"\x80"}',
    "an overlong NUL": b'{"a":"\xc0\x80"}',
    "an overlong slash": b'{"a":"\xe0\x80\xaf"}',
    "a surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
    "beyond U+10FFFF": b'{"a":"\xf4\x90\x80\x80"}',
    "a character cut short": b'{"a":"\xe2\x82"}',
    "Latin-1": b'{"a":"\xe9"}',
    "invalid UTF-8 in a key": b'{"\xff":1}',
    "UTF-8 outside of strings": b'{"a":\xc3\xa9}',
    "a no-break space": b'\xc2\xa0{}',
    "a form feed": b"\x0c{}",
}


def tagged(table):
    return pytest.mark.parametrize(
        "body", list(table.values()), ids=list(table))


@tagged(NOT_JSON)
def test_what_is_no_json_is_refused(shared, body):
    r = shared.post(UP, body)
    assert r.status == 400, r
    assert r.json["message"] == INVALID
    assert set(r.json) == {"status_code", "message", "detail"}
    assert r.json["detail"]


def test_the_detail_says_where(shared):
    r = shared.post(UP, b'{\n "a": 1,\n "b": x\n}')
    assert re.search(r"\b3\b.*\b7\b", r.json["detail"]), r


NOT_AN_OBJECT = {
    "null": b"null", "true": b"true", "a number": b"5", "a string": b'"x"',
    "an empty list": b"[]", "a list": b'[{"director_file":"x"}]',
    "null after blanks": b" \n null \n ", "after a BOM": b"\xef\xbb\xbf[]",
}


@tagged(NOT_AN_OBJECT)
def test_json_that_is_no_object_is_refused(shared, body):
    r = shared.post(UP, body)
    assert r.status == 400
    assert r.json == {"status_code": 400, "message": NOT_A_MAP}


ACCEPTED = {
    "nothing": b"",
    "an empty object": b"{}",
    "blanks around it": b" \r\n\t{ } \n",
    "a BOM": b"\xef\xbb\xbf{}",
    "unknown members": b'{"x":null,"y":[1,{"z":true}],"":0}',
    "64 levels": b'{"x":' + nested(63) + b"}",
    "a big number": b'{"x":123456789012345678901234567890}',
    "a big exponent": b'{"x":1e300}',
    "escapes": b'{"x":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00"}',
    "UTF-8": '{"é":"\N{GRINNING FACE}\u2028"}'.encode(),
    "many values": b'{"x":[' + b"0," * 60000 + b"0]}",
}


@tagged(ACCEPTED)
def test_what_is_an_object_comes_to_the_arguments(shared, body):
    r = shared.post(UP, body)
    assert r.status == 400
    assert r.json == {"status_code": 400, "message": REQUIRED}


def test_the_content_type_does_not_matter(shared):
    for kind in ("text/plain", "application/x-www-form-urlencoded",
                 "multipart/form-data; boundary=x", "nonsense", ""):
        r = shared.post(UP, b"{}", headers={"Content-Type": kind})
        assert r.json["message"] == REQUIRED


@pytest.mark.parametrize("method,path,good", (
    ("GET", "/v1/ping", 200),
    ("GET", "/v1/projects", 200),
    ("GET", "/v1/project/info/nope", 404),
    ("HEAD", "/v1/project/info/nope", 404),
    ("POST", "/v1/project/cancel/nope", 200),
    ("DELETE", "/v1/jobs/999999", 404),
))
def test_a_body_that_is_not_used_must_be_valid_too(shared, method, path, good):
    assert shared.request(method, path, body=b'{"x":1}').status == good
    assert shared.request(method, path, body=b"").status == good
    r = shared.request(method, path, body=b"{no json")
    assert r.status == 400
    if method != "HEAD":
        assert r.json["message"] == INVALID
    else:
        length = shared.request("GET", path, body=b"{no json").headers
        assert r.headers["Content-Length"] == length["Content-Length"]
    r = shared.request(method, path, body=b"[]")
    assert r.status == 400
    assert method == "HEAD" or r.json["message"] == NOT_A_MAP


# Chunks

def chunked(node, chunks, path=UP, end=b"0\r\n\r\n", more=""):
    head = (f"POST {path} HTTP/1.1\r\nHost: h\r\n"
            f"Authentication: Bearer {node.token()}\r\n{more}"
            "Transfer-Encoding: chunked\r\n\r\n").encode()
    return node.raw(head + b"".join(
        b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + end)


def test_chunked_bodies(node):
    body = json.dumps({"director_file": "services: {}\n"}).encode()
    for chunks in ([body], [body[i:i + 1] for i in range(len(body))],
                   [body[:7], body[7:]]):
        r = chunked(node, chunks)
        assert r.status == 200 and r.json["job_id"] > 0
    assert chunked(node, []).json["message"] == REQUIRED
    assert chunked(node, [b" "]).json["message"] == INVALID
    assert chunked(node, [b"{}"], end=b"0\r\nX-Trailer: x\r\n\r\n").json[
        "message"] == REQUIRED


# Sizes

def head_of(node, more, token=True, path=UP):
    auth = f"Authentication: Bearer {node.token()}\r\n" if token else ""
    return (f"POST {path} HTTP/1.1\r\nHost: h\r\n{auth}{more}"
            "\r\n").encode()


def test_a_length_over_the_limit_is_refused_before_it_is_sent(shared):
    for length in (LIMIT + 1, 10 ** 12, 2 ** 63 - 1):
        r = shared.raw(head_of(shared, f"Content-Length: {length}\r\n"))
        assert r.status == 413
        assert r.json == {"status_code": 413, "message": TOO_LARGE}
        assert r.headers["Connection"] == "close"


def test_chunks_over_the_limit_are_refused(shared):
    r = shared.raw(head_of(shared, "Transfer-Encoding: chunked\r\n") +
                   b"%x\r\n" % (LIMIT + 1))
    assert r.status == 413 and r.json["message"] == TOO_LARGE
    mib = b"x" * (1 << 20)
    with socket.create_connection(shared.address(), timeout=10) as s:
        s.sendall(head_of(shared, "Transfer-Encoding: chunked\r\n"))
        got = b""
        try:
            for _ in range(64):
                s.sendall(b"100000\r\n" + mib + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            while chunk := s.recv(65536):
                got += chunk
        except ConnectionResetError:
            pass
    # Who goes on sending may lose the answer; never is it anything else.
    assert got == b"" or got.startswith(b"HTTP/1.1 413 ")


def test_a_body_of_just_the_limit_is_taken(shared):
    body = b'{"director_file":5,"x":"' + b"x" * (LIMIT - 26) + b'"}'
    assert len(body) == LIMIT
    r = shared.post(UP, body)
    assert r.status == 400 and "director_file" in r.json["message"]


def test_the_limit_is_configured(make_node):
    node = make_node({"limits": {"body_bytes": 1024}}).start()
    r = node.post(UP, b'{"x":"' + b"x" * 1016 + b'"}')
    assert r.status == 400 and r.json["message"] == REQUIRED
    r = node.raw(head_of(node, "Content-Length: 1025\r\n"))
    assert r.status == 413
    assert r.json["message"] == (
        "Request body is too large: the limit is 1024 bytes.")


@pytest.mark.parametrize("more", (
    "Content-Length: 100\r\n", "Content-Length: 999999999999\r\n",
    "Transfer-Encoding: chunked\r\n"))
def test_the_body_of_a_stranger_is_never_read(shared, more):
    """No byte of it is sent, and the answer is there."""
    r = shared.raw(head_of(shared, more, token=False))
    assert r.status == 401 and r.headers["Connection"] == "close"
    # Nor of a request that is refused for its path or its method.
    r = shared.raw(head_of(shared, more, path="/v1/nope"))
    assert r.status == 404 and r.headers["Connection"] == "close"
    r = shared.raw(head_of(shared, more, path="/v1/ping"))
    assert r.status == 405 and r.headers["Connection"] == "close"


def test_what_a_stranger_sends_is_no_second_request(shared):
    marker = f"/v1/marker-{time.monotonic_ns()}"
    inner = f"GET {marker} HTTP/1.1\r\nHost: h\r\n\r\n".encode()
    with socket.create_connection(shared.address(), timeout=10) as s:
        s.sendall(head_of(shared, f"Content-Length: {len(inner)}\r\n",
                          token=False))
        got = b""
        try:
            s.sendall(inner)
            s.shutdown(socket.SHUT_WR)
            while chunk := s.recv(65536):
                got += chunk
        except OSError:
            pass
    assert got.count(b"HTTP/1.1 ") <= 1
    shared.get("/v1/ping")
    assert marker not in shared.log_text()
