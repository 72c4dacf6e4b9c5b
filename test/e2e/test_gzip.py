# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Compressed replies: who gets them, and what they are (rest-api.md 1.4)."""

import gzip
import http.client
import json
import shutil
import signal
import subprocess

import pytest

from node import DEADLINE, Node, wait_for

DATE = "2026-01-02_03h04m05s"
LABELS = [f"label{i}" for i in range(2000)]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("gzip") / "node", {"labels": LABELS})
    try:
        yield node.start()
    finally:
        node.dispose()


def fetch(node, path="/v1/labels", method="GET", accept="gzip", headers=None,
          body=None):
    """(status, headers, bytes as they came)."""
    head = {"Authorization": "Bearer " + node.token(), **(headers or {})}
    c = http.client.HTTPConnection(*node.address(), timeout=DEADLINE)
    try:
        c.putrequest(method, path, skip_accept_encoding=True)
        for value in [accept] if isinstance(accept, str) else accept or []:
            c.putheader("Accept-Encoding", value)
        for name, value in head.items():
            if value is not None:
                c.putheader(name, value)
        if body is not None:
            c.putheader("Content-Length", str(len(body)))
        c.endheaders(body)
        r = c.getresponse()
        return r.status, r.headers, r.read()
    finally:
        c.close()


@pytest.mark.parametrize("accept", (
    "gzip", "deflate, gzip;q=0.5, br", "GZIP", ["deflate", "gzip"]))
def test_who_takes_gzip_gets_it(node, accept):
    status, headers, plain = fetch(node, accept=None)
    assert status == 200 and "Content-Encoding" not in headers
    assert json.loads(plain)["labels"] == LABELS
    assert headers["Vary"] == "Accept-Encoding"
    status, packed_headers, packed = fetch(node, accept=accept)
    assert status == 200
    assert packed_headers["Content-Encoding"] == "gzip"
    assert packed_headers["Vary"] == "Accept-Encoding"
    assert packed_headers["Content-Type"] == "application/json"
    assert int(packed_headers["Content-Length"]) == len(packed)
    assert len(packed) < len(plain) / 2
    assert gzip.decompress(packed) == plain
    # The tag is that of the body.
    assert packed_headers["Etag"] == headers["Etag"]


@pytest.mark.parametrize("accept", (
    None, "", "identity", "deflate", "gzip;q=0", "gzip; q=0.000", "*",
    "x-gzip", "gzip;q=bad"))
def test_who_does_not_gets_it_plain(node, accept):
    status, headers, plain = fetch(node, accept=accept)
    assert status == 200 and "Content-Encoding" not in headers
    assert headers["Vary"] == "Accept-Encoding"
    assert json.loads(plain)["labels"] == LABELS


def test_every_reply_varies(node):
    for method, path, body, status in (
            ("GET", "/v1/ping", None, 200), ("GET", "/v1/nope", None, 404),
            ("GET", "/", None, 400), ("OPTIONS", "/v1/ping", None, 200),
            ("PATCH", "/v1/ping", None, 405),
            ("HEAD", "/v1/project/info/nope", None, 404),
            ("POST", "/v1/project/up/a", b"[", 400)):
        got = fetch(node, path, method, body=body)
        assert got[0] == status, (method, path, got)
        assert got[1].get_all("Vary") == ["Accept-Encoding"], (method, path)
        assert "Content-Encoding" not in got[1]
    for text in (b"no HTTP\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"):
        r = node.raw(text)
        assert r.status == 400
        assert r.headers.get_all("Vary") == ["Accept-Encoding"]


def test_a_known_tag_is_304_without_a_body(node):
    tag = fetch(node, accept=None)[1]["Etag"]
    for accept in (None, "gzip"):
        status, headers, body = fetch(node, accept=accept,
                                      headers={"If-None-Match": tag})
        assert (status, body) == (304, b"")
        assert headers["Etag"] == tag
        assert headers["Vary"] == "Accept-Encoding"
        assert "Content-Encoding" not in headers
        assert "Content-Length" not in headers


def test_head_has_the_length_that_get_would_have(node):
    """HEAD of an error is the envelope's; those are short and stay plain."""
    for accept in (None, "gzip"):
        status, headers, body = fetch(node, "/v1/labels", "HEAD", accept)
        assert (status, body) == (405, b"")
        assert "Content-Encoding" not in headers
        get = fetch(node, "/v1/nope", "GET", accept)
        status, headers, body = fetch(node, "/v1/nope", "HEAD", accept)
        assert (status, body) == (404, b"")
        assert int(headers["Content-Length"]) == len(get[2])


def test_the_length_decides(make_node):
    """From 1024 bytes to a mebibyte."""
    node = make_node().start()
    log = node.standin / "director" / "logs" / DATE / "web" / "start.log"
    log.parent.mkdir(parents=True)
    path = f"/v1/projects/log/{DATE}/web/start.log"
    log.write_text("")
    empty = len(fetch(node, path)[2])
    for length, packed in ((1023, False), (1024, True), (1 << 20, True),
                           ((1 << 20) + 1, False)):
        text = ("some text, " * (length // 11 + 1))[:length - empty]
        log.write_text(text)
        status, headers, body = fetch(node, path)
        assert status == 200
        assert (headers.get("Content-Encoding") == "gzip") == packed, length
        if packed:
            body = gzip.decompress(body)
        assert len(body) == length
        assert json.loads(body)["log_content"] == text
    # What does not get shorter goes as it is.
    with open("/dev/urandom", "rb") as f:
        noise = f.read(60000).hex()
    log.write_text(noise)
    status, headers, body = fetch(node, path)
    assert headers.get("Content-Encoding") == "gzip"
    assert json.loads(gzip.decompress(body))["log_content"] == noise


def test_curl_reads_it(node):
    if shutil.which("curl") is None:
        pytest.skip("no curl here")
    r = subprocess.run(
        ["curl", "-sS", "--compressed", "-H",
         "Authorization: Bearer " + node.token(), node.url() + "/v1/labels"],
        stdout=subprocess.PIPE, timeout=DEADLINE)
    assert r.returncode == 0 and json.loads(r.stdout)["labels"] == LABELS


def test_it_can_be_switched_off(make_node):
    node = make_node({"labels": LABELS, "compress_response": False}).start()

    def replies():
        yield fetch(node)[1]
        yield fetch(node, "/v1/nope")[1]
        yield node.raw(b"no HTTP\r\n\r\n").headers
    for headers in replies():
        assert "Content-Encoding" not in headers and "Vary" not in headers
    node.configure({"compress_response": True})
    before = len(node.log_text())
    node.process.send_signal(signal.SIGHUP)
    wait_for("the reload", lambda: "reloaded" in node.log_text()[before:])
    for headers in replies():
        assert headers["Vary"] == "Accept-Encoding"
    assert fetch(node)[1]["Content-Encoding"] == "gzip"


def test_compressed_requests_are_refused(node):
    text = json.dumps({"director_file": "services: {}"}).encode()
    for encoding, body in (("gzip", gzip.compress(text)), ("deflate", text),
                           ("br", text), ("identity, gzip", text)):
        status, _, reply = fetch(node, "/v1/project/up/a", "POST", body=body,
                                 headers={"Content-Encoding": encoding})
        assert status == 400, encoding
        reply = json.loads(reply)
        assert reply["status_code"] == 400
        assert "Content-Encoding" in reply["detail"]
    # Who has no token does not learn of it; identity is no coding.
    status, _, _ = fetch(node, "/v1/project/up/a", "POST", body=text,
                         headers={"Content-Encoding": "gzip",
                                  "Authorization": None})
    assert status == 401
    status, _, reply = fetch(node, "/v1/project/down/a", "POST", body=b"{}",
                             headers={"Content-Encoding": "Identity"})
    assert status != 400, reply
    assert fetch(node, headers={"Content-Encoding": "gzip"})[0] == 200
