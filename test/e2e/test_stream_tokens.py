# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""An answer that goes on goes on no longer than its token counts."""

import http.client
import time

import pytest

from listener import open_stream
from node import make_tree, wait_for

LOG = "log/2026-01-02_03h04m05s/web/start.log"
STREAMS = ("events", "events?subtree=1", "jobs/1/output?follow=1&stream=stderr",
           f"projects/{LOG}?follow=1")


@pytest.fixture
def tree(make_node):
    """Each has a job that goes on and a log."""
    tree = make_tree(make_node, ("main", "alpha"))
    for node in tree.values():
        node.behave("web", "stderr-bytes=5000", "hang")
        assert node.up("web") == 1
        file = node.standin.joinpath("director/logs", *LOG.split("/")[1:])
        file.parent.mkdir(parents=True)
        file.write_bytes(b"one\n")
    for node in tree.values():
        wait_for("the output", lambda n=node: n.get(
            "/v1/jobs/1/output?stream=stderr").status == 200)
    return tree


def open_all(main, token):
    made = {}
    for path in STREAMS:
        for prefix in ("/v1/", "/v1/chain/alpha/"):
            c, r = open_stream(main, prefix + path, token)
            assert r.status == 200, (prefix, path)
            made[prefix + path] = c, r
    return made


def broken(r):
    try:
        while r.read1() != b"":
            pass
    except (http.client.HTTPException, ConnectionError):
        return True
    return False


def check_all_end(main, streams):
    for path, (c, r) in streams.items():
        assert broken(r), path
        c.close()
    assert main.get("/v1/ping").status == 200


def test_they_end_when_it_expires(tree):
    main = tree["main"]
    # Long enough for a busy machine to open all of them.
    token = main.token(exp=int(time.time()) + 10)
    check_all_end(main, open_all(main, token))


def test_they_end_when_it_is_revoked(tree):
    main = tree["main"]
    streams = open_all(main, main.token(jti="one"))
    others = open_all(main, main.token(jti="other"))
    assert main.request("DELETE", "/v1/tokens/one").status == 200
    check_all_end(main, streams)
    # Nobody else is touched.
    tree["main"].cancel("web")
    tree["alpha"].cancel("web")
    for path, (c, r) in others.items():
        if "jobs" in path:
            assert not broken(r), path
        c.close()
