# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Malformed and odd requests over the network. Each malformed one is refused
with its status and the connection closed; the valid request that follows it,
in its body or behind it, is never run. Each odd but valid one is answered, its
body is read as a body, and the connection goes on."""

import json
import re

import pytest

from http_target import connect, http_target, parse, read_to_end, send

__all__ = ["http_target"]

H = "Host: h\r\n"
# Stands for a whole request that must not be run.
INNER = "@INNER@"


def get(line="GET /v1/ping HTTP/1.1", headers=H):
    return f"{line}\r\n{headers}\r\n{INNER}"


def post(headers, body=INNER):
    return f"POST /v1/ping HTTP/1.1\r\n{H}{headers}\r\n{body}"


def chunks(body):
    """A request whose body is framed wrongly; wanted, so that it is read."""
    return f"POST @BODY@ HTTP/1.1\r\n{H}@AUTH@Transfer-Encoding: chunked" \
           f"\r\n\r\n{body}{INNER}"


def coding(value):
    return post(f"Transfer-Encoding: {value}\r\n",
                f"0\r\n\r\n{INNER}")


def length(value):
    return post(f"Content-Length: {value}\r\n")


MALFORMED = [
    # Request line.
    ("empty line first", "\r\n" + get(), 400),
    ("LF first", "\n" + get(), 400),
    ("blank first", " " + get(), 400),
    ("no target", get("GET HTTP/1.1"), 400),
    ("empty target", get("GET  HTTP/1.1"), 400),
    ("no version", get("GET /v1/ping"), 400),
    ("HTTP/0.9", f"GET /v1/ping\r\n{INNER}", 400),
    ("two blanks before target", get("GET  /v1/ping HTTP/1.1"), 400),
    ("two blanks after target", get("GET /v1/ping  HTTP/1.1"), 400),
    ("tab before target", get("GET\t/v1/ping HTTP/1.1"), 400),
    ("tab after target", get("GET /v1/ping\tHTTP/1.1"), 400),
    ("blank after version", get("GET /v1/ping HTTP/1.1 "), 400),
    ("blank in target", get("GET /v1/ ping HTTP/1.1"), 400),
    ("NUL in target", get("GET /v1/\0ping HTTP/1.1"), 400),
    ("DEL in target", get("GET /v1/\x7fping HTTP/1.1"), 400),
    ("eight bits in target", get("GET /v1/\xe9 HTTP/1.1"), 400),
    ("target without slash", get("GET v1/ping HTTP/1.1"), 400),
    ("authority form", get("CONNECT h:80 HTTP/1.1"), 400),
    ("asterisk with GET", get("GET * HTTP/1.1"), 400),
    ("foreign scheme", get("GET ftp://h/v1/ping HTTP/1.1"), 400),
    ("empty authority", get("GET http:// HTTP/1.1"), 400),
    ("bracket in method", get("G(T /v1/ping HTTP/1.1"), 400),
    ("colon in method", get("GET: /v1/ping HTTP/1.1"), 400),
    ("eight bits in method", get("G\xc9T /v1/ping HTTP/1.1"), 400),
    ("long method", get("G" * 40 + " /v1/ping HTTP/1.1"), 400),
    ("lower-case http", get("GET /v1/ping http/1.1"), 400),
    ("other protocol", get("GET /v1/ping HTTPS/1.1"), 400),
    ("short version", get("GET /v1/ping HTTP/1"), 400),
    ("long version", get("GET /v1/ping HTTP/1.10"), 400),
    ("version with zero", get("GET /v1/ping HTTP/01.1"), 400),
    ("version with sign", get("GET /v1/ping HTTP/+1.1"), 400),
    ("HTTP/1.2", get("GET /v1/ping HTTP/1.2"), 505),
    ("HTTP/2.0", get("GET /v1/ping HTTP/2.0"), 505),
    ("HTTP/9.9", get("GET /v1/ping HTTP/9.9"), 505),
    ("HTTP/2 preface", f"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{INNER}", 505),
    ("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + INNER, 400),
    # Line ends.
    ("bare LF everywhere", f"GET /v1/ping HTTP/1.1\nHost: h\n\n{INNER}", 400),
    ("bare LF after a header",
     f"GET /v1/ping HTTP/1.1\r\nHost: h\n\r\n{INNER}", 400),
    ("bare LF at the end",
     f"GET /v1/ping HTTP/1.1\r\nHost: h\r\n\n{INNER}", 400),
    ("bare CR", f"GET /v1/ping HTTP/1.1\rHost: h\r\r{INNER}", 400),
    ("bare CR in a value", get(headers=H + "X: a\rY: b\r\n"), 400),
    ("CR CR LF", get(headers="Host: h\r\r\n"), 400),
    # Headers.
    ("empty name", get(headers=H + ": v\r\n"), 400),
    ("blank before colon", get(headers=H + "X : v\r\n"), 400),
    ("tab before colon", get(headers=H + "X\t: v\r\n"), 400),
    ("blank in name", get(headers=H + "X Y: v\r\n"), 400),
    ("no colon", get(headers=H + "X\r\n"), 400),
    ("at in name", get(headers=H + "X@: v\r\n"), 400),
    ("eight bits in name", get(headers=H + "X\xe9: v\r\n"), 400),
    ("NUL in name", get(headers=H + "X\0: v\r\n"), 400),
    ("NUL in value",
     get(headers=H + "Authentication: Bearer a\0b\r\n"), 400),
    ("control in value", get(headers=H + "X: a\x01b\r\n"), 400),
    ("DEL in value", get(headers=H + "X: a\x7fb\r\n"), 400),
    ("folded by a blank", get(headers=H + "X: a\r\n b\r\n"), 400),
    ("folded by a tab", get(headers=H + "X: a\r\n\tb\r\n"), 400),
    ("folded first line", get(headers=" X: a\r\n" + H), 400),
    ("too many headers", get(headers=H + "X: y\r\n" * 200), 431),
    ("too long a head", get(headers=H + "X: " + "y" * 70000 + "\r\n"), 431),
    ("too long a target", get("GET /" + "y" * 70000 + " HTTP/1.1"), 431),
    # Host.
    ("no Host", get(headers=""), 400),
    ("two Hosts", get(headers=H + "Host: i\r\n"), 400),
    ("the same Host twice", get(headers=H + H), 400),
    ("two Hosts in HTTP/1.0", get("GET /v1/ping HTTP/1.0", H + H), 400),
    ("Host list", get(headers="Host: h,i\r\n"), 400),
    ("Host with blank", get(headers="Host: h i\r\n"), 400),
    ("Host with slash", get(headers="Host: h/i\r\n"), 400),
    ("Host with user", get(headers="Host: u@h\r\n"), 400),
    ("Host with a bad port", get(headers="Host: h:8x\r\n"), 400),
    ("Host with an open bracket", get(headers="Host: [::1\r\n"), 400),
    # Content-Length.
    ("empty length", length(""), 400),
    ("signed length", length("+5"), 400),
    ("negative length", length("-1"), 400),
    ("hexadecimal length", length("0x5"), 400),
    ("length with a fraction", length("5.0"), 400),
    ("length with a blank", length("5 0"), 400),
    ("length list", length("5, 5"), 400),
    ("length with text", length("5 bytes"), 400),
    ("length of 20 digits", length("9" * 20), 400),
    ("length that wraps to 5", length("18446744073709551621"), 400),
    ("two lengths", length("0\r\nContent-Length: 50"), 400),
    ("the same length twice", length("0\r\ncontent-length: 0"), 400),
    ("length with a vertical tab", length("\x0b5"), 400),
    ("length name with a blank", post("Content-Length : 0\r\n"), 400),
    # Transfer-Encoding.
    ("identity", coding("identity"), 501),
    ("xchunked", coding("xchunked"), 501),
    ("vertical tab chunked", coding("\x0bchunked"), 400),
    ("gzip", coding("gzip"), 501),
    ("gzip, chunked", coding("gzip, chunked"), 501),
    ("identity, chunked", coding("identity, chunked"), 501),
    ("chunked, gzip", coding("chunked, gzip"), 501),
    ("chunked, chunked", coding("chunked, chunked"), 501),
    ("chunked;q=1", coding("chunked;q=1"), 501),
    ("quoted chunked", coding('"chunked"'), 501),
    ("empty coding", coding(""), 501),
    ("chunked twice", coding("chunked\r\nTransfer-Encoding: chunked"), 400),
    ("gzip and chunked", coding("gzip\r\nTransfer-Encoding: chunked"), 400),
    ("coding and length", coding("chunked\r\nContent-Length: 5"), 400),
    ("length and coding", length("0\r\nTransfer-Encoding: chunked"), 400),
    ("unknown coding and length", coding("x\r\nContent-Length: 5"), 400),
    ("coding name with a blank", post("Transfer-Encoding : chunked\r\n"), 400),
    ("folded coding", post("Transfer-Encoding:\r\n chunked\r\n"), 400),
    ("chunked in HTTP/1.0",
     get("POST /v1/ping HTTP/1.0", H + "Transfer-Encoding: chunked\r\n"), 400),
    # Chunks.
    ("chunk size 0x5", chunks("0x5\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size +5", chunks("+5\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size -5", chunks("-5\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size blank 5", chunks(" 5\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size 5 blank", chunks("5 \r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size empty", chunks("\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size text", chunks("five\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size over 64 bits", chunks("1" + "0" * 16 + "\r\n"), 400),
    ("chunk size of 17 digits", chunks("0" * 16 + "5\r\nabcde\r\n"), 400),
    ("chunk size over the limit", chunks("fffffffff\r\n"), 413),
    ("chunk size ends in LF", chunks("5\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size ends in CR", chunks("5\rabcde\r\n0\r\n\r\n"), 400),
    ("chunk data too long", chunks("5\r\nabcdef\r\n0\r\n\r\n"), 400),
    ("chunk data too short", chunks("5\r\nabcd\r\n0\r\n\r\n"), 400),
    ("chunk data ends in LF", chunks("5\r\nabcde\n0\r\n\r\n"), 400),
    ("chunk extension with LF", chunks("5;a\nb\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk extension with NUL", chunks("5;\0\r\nabcde\r\n0\r\n\r\n"), 400),
    ("long chunk extension", chunks("5;" + "x" * 1000 + "\r\n"), 400),
    ("trailer without colon", chunks("0\r\nX\r\n\r\n"), 400),
    ("trailer with a folded line", chunks("0\r\nX: y\r\n z\r\n\r\n"), 400),
    ("request as trailer", chunks(f"0\r\n{INNER}"), 400),
    ("trailer ends in LF", chunks("0\r\nX: y\n\r\n"), 400),
    ("long trailers", chunks("0\r\n" + "X: y\r\n" * 1000), 431),
    # Other.
    ("unknown expectation", post("Expect: 200-ok\r\n"), 417),
    ("body over the limit", f"POST @BODY@ HTTP/1.1\r\n{H}@AUTH@"
     f"Content-Length: 1073741825\r\n\r\n{INNER}", 413),
]

# A valid request with its body, and what the next one is answered.
ODD = [
    ("HEAD with a body", "HEAD", "Content-Length: @LEN@\r\n", INNER),
    ("GET with a body", "GET", "Content-Length: @LEN@\r\n", INNER),
    ("DELETE with a body", "DELETE", "Content-Length: @LEN@\r\n", INNER),
    ("OPTIONS with a body", "OPTIONS", "Content-Length: @LEN@\r\n", INNER),
    ("unknown method with a body", "PURGE", "Content-Length: @LEN@\r\n",
     INNER),
    ("body that nobody wants", "POST", "Content-Length: @LEN@\r\n", INNER),
]

count = iter(range(1 << 30))


def fill(target, text):
    """The bytes to send, and the path that must not be run."""
    path = f"/v1/smuggled-{next(count)}"
    inner = f"GET {path} HTTP/1.1\r\n{H}{target.auth}\r\n"
    text = text.replace("@LEN@", str(len(inner)))
    text = text.replace("@BODY@", target.body_path)
    text = text.replace("@AUTH@", target.auth).replace(INNER, inner)
    return text.encode("latin-1"), path


def flush_log(target):
    """After this, what ran before is in the log."""
    with connect(target) as s:
        path = f"/v1/marker-{next(count)}"
        send(s, f"GET {path} HTTP/1.1\r\n{H}"
             "Connection: close\r\n\r\n".encode())
        read_to_end(s)
    assert path in target.log_text()


def not_run(target, path):
    flush_log(target)
    return not re.search(re.escape(path) + r"\b", target.log_text())


def test_table_is_long_enough():
    assert len(MALFORMED) >= 80
    assert len({name for name, _, _ in MALFORMED}) == len(MALFORMED)


def check_refusal(target, data, path, status):
    replies = parse(data)
    assert [r.status for r in replies] == [status]
    assert replies[0].headers["connection"] == "close"
    assert replies[0].headers["content-type"] == "application/json"
    body = json.loads(replies[0].body)
    assert body["status_code"] == status and body["message"]
    assert not_run(target, path)


@pytest.mark.parametrize("text,status", [row[1:] for row in MALFORMED],
                         ids=[row[0] for row in MALFORMED])
def test_malformed_is_refused_and_closed(http_target, text, status):
    data, path = fill(http_target, text)
    with connect(http_target) as s:
        send(s, data)
        check_refusal(http_target, read_to_end(s), path, status)


@pytest.mark.parametrize("text,status", [row[1:] for row in MALFORMED],
                         ids=[row[0] for row in MALFORMED])
def test_malformed_behind_a_valid_one(http_target, text, status):
    """Pipelined: the first is answered, then the second is refused."""
    data, path = fill(http_target, text)
    first = f"GET /v1/ping HTTP/1.1\r\n{H}{http_target.auth}\r\n".encode()
    with connect(http_target) as s:
        send(s, first + data)
        got = read_to_end(s)
    replies = parse(got)
    assert [r.status for r in replies] == [200, status]
    assert replies[1].headers["connection"] == "close"
    assert not_run(http_target, path)


@pytest.mark.parametrize("method,headers,body", [row[1:] for row in ODD],
                         ids=[row[0] for row in ODD])
def test_body_is_no_second_request(http_target, method, headers, body):
    text = f"{method} /v1/nothing HTTP/1.1\r\n{H}{headers}\r\n{body}"
    data, path = fill(http_target, text)
    last = f"GET /v1/ping HTTP/1.1\r\n{H}{http_target.auth}" \
           "Connection: close\r\n\r\n"
    with connect(http_target) as s:
        send(s, data + last.encode())
        got = read_to_end(s)
    heads = [0] if method == "HEAD" else []
    assert [r.status for r in parse(got, heads)] == [404, 200]
    assert not_run(http_target, path)


def test_body_that_comes_late_is_no_second_request(http_target):
    """Refused at the head; the body follows when the answer is there."""
    inner, path = fill(http_target, INNER)
    head = f"POST /v1/nothing HTTP/1.1\r\n{H}" \
           f"Content-Length: {len(inner)}\r\n\r\n"
    with connect(http_target) as s:
        send(s, head.encode())
        got = b""
        while b"\r\n\r\n" not in got:
            got += s.recv(65536)
        send(s, inner)
        got += read_to_end(s)
    replies = parse(got)
    assert [r.status for r in replies] == [404]
    assert replies[0].headers["connection"] == "close"
    assert not_run(http_target, path)


@pytest.mark.parametrize("text", [
    "GET /v1/ping HTT",
    f"GET /v1/ping HTTP/1.1\r\n{H}",
    f"POST @BODY@ HTTP/1.1\r\n{H}@AUTH@Content-Length: 5\r\n\r\nabc",
    f"POST @BODY@ HTTP/1.1\r\n{H}@AUTH@Transfer-Encoding: chunked\r\n\r\n"
    "5\r\nab",
], ids=["request line", "headers", "body", "chunk"])
def test_early_end_is_refused(http_target, text):
    data, path = fill(http_target, text)
    with connect(http_target) as s:
        send(s, data)
        s.shutdown(1)
        check_refusal(http_target, read_to_end(s), path, 400)


def test_absolute_form_and_fragment_are_not_found(http_target):
    for target in ("http://h/v1/ping", "/v1/ping#x", "//v1/ping",
                   "/v1/./ping", "/v1/%70ing"):
        with connect(http_target) as s:
            send(s, f"GET {target} HTTP/1.1\r\n{H}{http_target.auth}"
                 "Connection: close\r\n\r\n".encode())
            assert [r.status for r in parse(read_to_end(s))] == [404]


def test_bytes_may_come_singly(http_target):
    data = f"GET /v1/ping HTTP/1.1\r\n{H}{http_target.auth}" \
           "Connection: close\r\n\r\n"
    with connect(http_target) as s:
        for byte in data.encode():
            s.sendall(bytes([byte]))
        assert [r.status for r in parse(read_to_end(s))] == [200]
