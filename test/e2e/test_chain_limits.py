# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What the configuration says of connections to a child: how many, how long they
are kept, how long one waits for one, or for the child to take what it gets."""

import socket
import threading
import time

import pytest

from children import breaker, http
from fake_server import FakeServer
from listener import open_stream
from node import wait_for


def counting(server):
    """The connections that a fake server gets."""
    seen = []
    process = server.httpd.process_request
    server.httpd.process_request = lambda request, address: (
        seen.append(address), process(request, address))
    return seen


@pytest.mark.parametrize("options,connections", [
    ({}, 1), ({"max_keepalive_connections": 0}, 3),
    ({"keepalive_expiry": 0}, 3), ({"keepalive_expiry": 1}, 2)])
def test_connections_are_kept(make_node, options, connections):
    with FakeServer() as server:
        server.on("GET", "/v1/ping", 200, {"status": "OK"})
        seen = counting(server)
        main = make_node({"chains": {"below": {
            "entrypoint": server.url, "access_token": "x", **options}}}
            ).start()
        for n in range(3):
            assert main.get("/v1/chain/below/ping").status == 200
            if n == 1 and "keepalive_expiry" in options:
                # What is too old is so in whole seconds.
                end = time.monotonic() + 2.1
                wait_for("it to be old", lambda: time.monotonic() > end)
        # On a machine that is busy one may get old in between.
        assert len(seen) >= connections
        assert len(seen) == connections or connections == 2


def test_at_most_so_many_connections(make_node):
    with FakeServer() as server:
        def answer(request):
            with server.lock:
                server.in_flight += 1
                server.worst_in_flight = max(server.worst_in_flight,
                                             server.in_flight)
            time.sleep(0.05)
            with server.lock:
                server.in_flight -= 1
            return 200, {"status": "OK"}
        server.on("GET", "/v1/ping", 200, answer)
        main = make_node({"chains": {"below": {
            "entrypoint": server.url, "access_token": "x",
            "max_connections": 2}}}).start()
        replies = []
        threads = [threading.Thread(target=lambda: replies.append(
            main.get("/v1/chain/below/ping").status)) for _ in range(12)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert replies == [200] * 12
        assert server.worst_in_flight == 2


def test_who_waits_too_long_for_a_connection(make_node, child):
    hung = child(lambda request: None)
    main = make_node({"chains": {"hung": hung.chain(
        max_connections=1, pool_timeout=1)}}).start()
    first = threading.Thread(target=lambda: main.get(
        "/v1/chain/hung/ping", headers={"X-Overlord-Deadline-Ms": "5000"}))
    first.start()
    wait_for("the first", lambda: hung.requests)
    start = time.monotonic()
    r = main.get("/v1/chain/hung/ping")
    assert 0.9 < time.monotonic() - start < 4
    assert r.status == 503 and r.json["error"] == "PoolTimeout"
    assert len(hung.requests) == 1
    assert breaker(main, "hung")["failures"] == 0
    # It goes as soon as the place is free, and no call was lost by that.
    first.join()
    second = threading.Thread(target=lambda: main.get(
        "/v1/chain/hung/ping", headers={"X-Overlord-Deadline-Ms": "500"}))
    second.start()
    wait_for("the second", lambda: len(hung.requests) == 2)
    second.join()


def test_a_child_that_does_not_read(make_node):
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        main = make_node({"chains": {"deaf": {
            "entrypoint": "http://127.0.0.1:%d" % deaf.getsockname()[1],
            "access_token": "x", "write_timeout": 1, "read_timeout": 20}}}
            ).start()
        r = main.post("/v1/chain/deaf/project/up/x",
                      {"director_file": "x" * (7 << 20)},
                      headers={"X-Overlord-Deadline-Ms": "30000"})
        assert r.status == 503 and r.json["error"] == "WriteTimeout"
        assert breaker(main, "deaf")["failures"] == 1


def test_a_wait_is_taken_from_our_time(make_node, child):
    """Who got a connection at the last moment cannot blame the child."""
    hold = threading.Event()

    def answer(request):
        if "/labels" in request:
            hold.wait(30)
            return http(200, {"status_code": 200, "labels": []})
        return None
    slow = child(answer)
    main = make_node({"chains": {"slow": slow.chain(
        max_connections=1, retry={"total": 0})}}).start()
    first = threading.Thread(target=lambda: main.get(
        "/v1/chain/slow/labels", headers={"X-Overlord-Deadline-Ms": "30000"}))
    first.start()
    wait_for("the first", lambda: slow.requests)
    end = threading.Timer(0.95, hold.set)
    end.start()
    r = main.get("/v1/chain/slow/ping",
                 headers={"X-Overlord-Deadline-Ms": "1000"})
    assert r.status == 503, r
    first.join()
    assert breaker(main, "slow")["failures"] == 0


def test_too_many_streams_are_our_own(make_node, child):
    def stream(c):
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                  b"\r\n: \n\n")
        # Until it is hung up on.
        c.recv(1)
    main = make_node({
        "limits": {"connections_per_address": 1000},
        "chains": {"below": child(lambda request: stream).chain()}}).start()
    streams = []
    try:
        while True:
            c, r = open_stream(main, "/v1/chain/below/events")
            streams.append(c)
            if r.status != 200:
                break
        assert r.status == 503 and b"PoolTimeout" in r.read()
        assert len(streams) == 257
        assert breaker(main, "below")["failures"] == 0
    finally:
        for c in streams:
            c.close()
