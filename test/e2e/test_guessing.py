# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Who guesses tokens is slowed down, and named in the log in words that
fail2ban takes from it."""

import concurrent.futures
import re
import shutil
import socket
import subprocess
import sys
import time

import jwt
import pytest

from node import REPO, chain_to, wait_for

FILTER = REPO / "docs" / "examples" / "fail2ban" / "overlordd.conf"
LATE = "Too many wrong tokens came from this address."
FREE = 3


def wrong(i):
    return jwt.encode({"i": i}, b"x" * 64, algorithm="HS256")


def ask(node, token, path="/v1/ping", method="GET", body=None):
    return node.request(method, path, body, token=token)


def told(node):
    """How many wrong tokens the log knows of."""
    return len(re.findall(r' warn auth req=.* wrong token$', node.log_text(),
                          re.M))


def guesses(node, n, start=0):
    return [ask(node, wrong(i)) for i in range(start, start + n)]


@pytest.fixture
def strict(make_node):
    return make_node({"limits": {"wrong_tokens": FREE,
                                 "wrong_token_wait": 1}}).start()


def test_answers_come_later_and_later(strict):
    took = []
    for i in range(FREE + 5):
        begin = time.monotonic()
        r = ask(strict, wrong(i))
        took.append(time.monotonic() - begin)
        # One after another they are all told the truth.
        assert r.status == 401, r
        assert r.json["message"] == "Error while decoding the JWT."
        assert r.headers["WWW-Authenticate"] == "Bearer"
    for seconds, least in zip(took[FREE:], (.125, .25, .5, 1, 1)):
        assert seconds >= least, took


def test_no_more_than_one_guess_is_looked_at(strict):
    assert all(r.status == 401 for r in guesses(strict, FREE + 3))
    mark = told(strict)
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        replies = list(pool.map(lambda i: ask(strict, wrong(i)),
                                range(100, 164)))
    late = [r for r in replies if r.status == 429]
    assert len(late) >= 32, replies
    for r in late:
        assert r.json["message"] == LATE
        assert r.headers["Retry-After"] in ("1", "2")
    assert {r.status for r in replies} == {401, 429}
    assert told(strict) - mark == 64 - len(late)


def test_who_is_let_in_already_notices_nothing(strict):
    used = strict.token(jti="used")
    assert ask(strict, used).status == 200
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        bad = [pool.submit(ask, strict, wrong(i)) for i in range(40)]
        good = [ask(strict, used).status for _ in range(20)]
    assert good == [200] * 20
    assert any(f.result().status == 429 for f in bad)
    # A right one that was never seen waits for the bound at most.
    assert wait_for("a new token", lambda: ask(
        strict, strict.token(jti="new")).status == 200, deadline=30)


def test_the_same_wrong_token_is_one_guess(strict):
    old = strict.token(exp=int(time.time()) - 60)
    replies = [ask(strict, old) for _ in range(50)]
    assert [r.status for r in replies] == [401] * 50
    assert told(strict) == 1
    assert ask(strict, strict.token(jti="new")).status == 200


def test_a_parent_with_an_old_token_is_not_shut_out(make_node):
    """All that a parent asks comes from its one address: neither its wrong
    token nor what its clients send may close it to the others."""
    limits = {"wrong_tokens": FREE}
    below = make_node({"limits": limits}, name="below").start()
    top = make_node({"limits": limits, "chains": {
        "good": chain_to(below),
        "old": chain_to(below, access_token=wrong(0))}}, name="top").start()
    for _ in range(20):
        assert top.get("/v1/chain/good/ping").status == 200
        assert top.get("/v1/chain/old/ping").status == 401
    # Guesses at the parent never reach the child.
    assert all(r.status == 401 for r in [
        ask(top, wrong(i), "/v1/chain/good/ping") for i in range(1, 6)])
    assert told(below) == 1
    assert top.get("/v1/chain/good/ping").status == 200


def test_a_body_is_not_read_and_a_client_may_go(strict):
    assert all(r.status == 401 for r in guesses(strict, FREE + 3))
    head = (f"POST /v1/project/up/x HTTP/1.1\r\nHost: h\r\n"
            f"Authorization: Bearer {wrong(200)}\r\n"
            "Content-Length: 100000\r\n\r\n").encode()
    begin = time.monotonic()
    r = strict.raw(head)
    assert r.status == 401 and time.monotonic() - begin >= 1
    # The next is held when its client goes.
    with socket.create_connection(strict.address()) as s:
        s.sendall(head.replace(wrong(200).encode(), wrong(201).encode()))
        wait_for("it to be held", lambda: told(strict) == FREE + 5)
    wait_for("the wait to end", lambda: ask(
        strict, strict.token(jti="new")).status == 200)
    assert strict.stop() == 0
    assert "AddressSanitizer" not in strict.stderr()


def test_a_unix_socket_never_waits(make_node, tmp_path):
    path = tmp_path / "s"
    node = make_node({"listen": ["127.0.0.1:0", f"unix:{path}"],
                      "limits": {"wrong_tokens": 1}}).start()
    for i in range(20):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(path))
            s.sendall(("GET /v1/ping HTTP/1.1\r\nHost: h\r\nConnection: close"
                       f"\r\nAuthorization: Bearer {wrong(i)}\r\n\r\n").encode())
            assert s.recv(100).startswith(b"HTTP/1.1 401 ")
    assert " peer=unix n=0 why=" in node.log_text()


def test_a_reload_changes_the_limits(make_node):
    node = make_node({"limits": {"wrong_tokens": 100}}).start()
    assert all(r.status == 401 for r in guesses(node, 6))
    node.configure({"limits": {"wrong_tokens": 1, "wrong_token_wait": 60}})
    node.hup()
    # One of them is over the limit by six and waits for 4 s, others do not.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda i: ask(node, wrong(i)), range(6, 10)))
    assert {r.status for r in replies} == {401, 429}


@pytest.mark.skipif(not sys.platform.startswith("linux"),
                    reason="there is a blocklistd")
def test_without_blocklistd_it_is_a_warning(make_node):
    node = make_node({"limits": {"blocklistd": True}}).start()
    assert "limits.blocklistd: this system has no blocklistd" in node.log_text()
    assert ask(node, wrong(0)).status == 401
    assert told(node) == 1


# The log

def patterns():
    """The filter's, with fail2ban's word for an address spelt out."""
    text = re.search(r"^failregex = (.*?)\n\n", FILTER.read_text(), re.S | re.M)
    return [re.compile(line.strip("\n").lstrip().replace(
        "<ADDR>", r"(?P<ip>[\da-fA-F:.]+)")) for line in text[1].split("\n")]


@pytest.mark.parametrize("form", ("text", "json"))
def test_fail2ban_finds_the_address(make_node, form):
    node = make_node({"listen": ["127.0.0.1:0", "[::1]:0"],
                      "log": {"format": form}}).start()
    for i in range(4):
        assert ask(node, wrong(i)).status == 401
    host, port = node.addresses()[1].rsplit(":", 1)
    with socket.create_connection((host.strip("[]"), int(port))) as s:
        s.sendall(("GET /v1/ping HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                   f"X-Request-Id: peer-192.0.2.9\r\nAuthorization: Bearer "
                   f"{wrong(9)}\r\n\r\n").encode())
        assert s.recv(100).startswith(b"HTTP/1.1 401 ")
    # None of these is about a token.
    for path in ("/v1/ping?peer=192.0.2.1%20n=1%20why=x%20wrong%20token",
                 "/auth req=x peer=192.0.2.1 n=1 why=\"x\" wrong token".replace(
                    " ", "%20")):
        node.request("GET", path, described=False)
    found = []
    for line in node.log_text().splitlines():
        # fail2ban cuts the time out before it looks.
        line = re.sub(r'^\S+Z |"time":"[^"]*",?', "", line)
        for p in patterns():
            m = p.search(line)
            if m:
                found.append(m["ip"])
    assert found == ["127.0.0.1"] * 4 + ["::1"]


@pytest.mark.skipif(shutil.which("fail2ban-regex") is None,
                    reason="fail2ban is not installed")
@pytest.mark.parametrize("form", ("text", "json"))
def test_fail2ban_itself_finds_it(make_node, tmp_path, form):
    node = make_node({"log": {"format": form}}).start()
    for i in range(4):
        assert ask(node, wrong(i)).status == 401
    assert node.get("/v1/ping").status == 200
    # The daemon goes on logging.
    log = tmp_path / "log"
    log.write_text(node.log_text())
    r = subprocess.run(["fail2ban-regex", "--print-all-matched", log, FILTER],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, cwd=tmp_path)
    lines = len(log.read_text().splitlines())
    assert re.search(rf"Lines: {lines} lines, 0 ignored, 4 matched", r.stdout), \
        r.stdout
