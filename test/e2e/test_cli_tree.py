#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The client over a tree of real nodes: tree, tokens, the audit trail, jobs
retry."""

import json
import re

import pytest

from cli_support import document, overlord, project
from children import breaker, dead_chain
from fake_server import FakeServer
from node import make_tree, wait_for


SERVICES = """\
projectFile: |
  services:
    web:
      makejail: 'gh+AppJail-makejails/web'
"""


def use(tmp_path, node, more="", **claims):
    name = project(tmp_path, node.url(), more)
    path = tmp_path / name
    path.write_text(path.read_text().replace("the-token",
                                             node.token(**claims)))
    return name


def test_tree(tmp_path, make_node):
    nodes = make_tree(make_node)
    name = use(tmp_path, nodes["main"])
    r = overlord(tmp_path, "tree", "-f", name, env={"LANG": "C.UTF-8"})
    assert (r.rc, r.err) == (0, "")
    assert re.sub(r"\d+ms", "1ms", r.out) == f"""\
main  {nodes["main"].url()}  [all main]  1ms
└── alpha  [all alpha]  1ms
    └── charlie  [all charlie]  1ms
        └── delta  [all delta]  1ms
"""
    r = overlord(tmp_path, "tree", "-f", name, "--labels", "delta", "--chain",
                 "alpha", "--chain", "*.delta")
    assert re.sub(r"\d+ms", "1ms", r.out) == """\
main.alpha  [all alpha]  1ms
+-- charlie.delta  [all delta]  1ms  *
"""
    doc, _ = document(tmp_path, "tree", "-f", name)
    assert doc["schema"] == "overlord.tree/1"
    n, chains = doc["servers"][0], []
    while n["children"]:
        assert n["error"] is None and n["took_ms"] >= 0
        n = n["children"][0]
        chains.append(n["chain"])
    assert chains == ["alpha", "alpha.charlie", "alpha.charlie.delta"]
    assert n["labels"] == ["all", "delta"]


def test_tree_with_branches_and_the_dead(tmp_path):
    with FakeServer() as server:
        server.tree()
        name = project(tmp_path, server.url)
        r = overlord(tmp_path, "tree", "-f", name, "--ascii",
                     env={"LANG": "C.UTF-8"})
        assert r.rc == 0 and r.err == "", r
        assert re.sub(r"\d+ms", "1ms", r.out) == f"""\
main  {server.url}  [all desktop]  1ms
+-- alpha  [all services]  1ms
|   +-- bravo  [all]  1ms
|   +-- charlie  [all db-only]  1ms
|       +-- delta  [all db-only]  1ms
+-- zulu  unreachable: 503: zulu is down
"""
    r = overlord(tmp_path, "tree", "-f", name)
    assert r.rc == 69 and "unreachable: connection refused" in r.out, r


def test_revoked_on_every_server(tmp_path, make_node):
    """Also when the token is the one that is used to get there."""
    nodes = make_tree(make_node)
    name = use(tmp_path, nodes["main"], jti="mine")
    r = overlord(tmp_path, "token", "list", "-f", name)
    assert r.rc == 0 and len(r.out.splitlines()) == 1
    r = overlord(tmp_path, "token", "revoke", "-f", name, "ci-2026")
    assert (r.rc, r.out, r.err) == (
        0, "ci-2026: revoked on 4 of 4 servers\n", "")
    r = overlord(tmp_path, "token", "list", "-f", name)
    rows = [line.split() for line in r.out.splitlines()[1:]]
    assert [row[:3] for row in rows] == [
        ["ci-2026", "main", c] for c in (
            "<root>", "alpha", "alpha.charlie", "alpha.charlie.delta")], r
    r = overlord(tmp_path, "token", "revoke", "-f", name,
                 nodes["main"].token(jti="mine"))
    assert (r.rc, r.out) == (0, "mine: revoked on 4 of 4 servers\n"), r
    for node in nodes.values():
        assert node.get("/v1/ping", token=node.token(jti="mine")).status == 401
    r = overlord(tmp_path, "token", "list", "-f", name)
    assert r.rc == 77


def test_not_revoked_is_a_failure(tmp_path, make_node):
    nodes = make_tree(make_node, ("main", "alpha"))
    name = use(tmp_path, nodes["main"])
    nodes["alpha"].stop()
    r = overlord(tmp_path, "token", "revoke", "-f", name, "ci")
    assert r.rc == 69 and r.out == "ci: revoked on 1 of 2 servers\n", r
    assert "(datacenter:main, chain:alpha) error revoking the token: " in r.err
    use(tmp_path, nodes["main"], scope="deploy")
    assert overlord(tmp_path, "token", "revoke", "-f", name, "ci").rc == 77


def test_servers_that_are_left_alone(tmp_path, make_node):
    """The breaker of the server above: nobody asks, but they are there."""
    node = make_node({"chains": {"zulu": dead_chain()}}).start()
    name = use(tmp_path, node)
    wait_for("the breaker", lambda: node.get("/v1/chain/zulu/ping") and
             breaker(node, "zulu")["state"] == "open")
    why = "breaker open: the server above does not ask it for now"
    r = overlord(tmp_path, "tree", "-f", name)
    assert r.rc == 0 and r.out.splitlines()[1].endswith(
        f"zulu  unreachable: {why}"), r
    r = overlord(tmp_path, "status", "-f", name, "--exit-code", "--all")
    assert r.rc == 4 and re.search(
        r"^main +zulu +- +UNREACHABLE +- +- +breaker open", r.out, re.M), r
    r = overlord(tmp_path, "token", "revoke", "-f", name, "ci")
    assert r.rc == 69 and "zulu) error revoking the token: breaker" in r.err
    # Who changes things does not mean it.
    r = overlord(tmp_path, "apply", "-f", name)
    assert (r.rc, r.err) == (0, ""), r


def test_token_new(tmp_path, node):
    env = {"OVERLORD_CONFIG": str(node.config)}
    r = overlord(tmp_path, "token", "new", "--scope", "read", "--metadata",
                 "who=ci", env=env)
    assert r.rc == 0 and r.out.count(".") == 2, r
    assert node.get("/v1/labels", token=r.out.strip()).status == 200
    assert node.post("/v1/project/up/p", {"director_file": "services: {}"},
                     token=r.out.strip()).status == 403
    r = overlord(tmp_path, "token", "new", "x", env=env)
    assert r.rc == 64 and "usage: overlord token new" in r.err


def test_revoking_with_a_refused_token(tmp_path, node):
    name = project(tmp_path, node.url())
    r = overlord(tmp_path, "token", "revoke", "-f", name, "ci")
    assert r.rc == 77 and r.err.count("error revoking the token: 401") == 1, r
    assert "hint: the token is not from this server" in r.err


def test_a_list_that_cannot_be_asked_for(tmp_path):
    with FakeServer() as server:
        server.single()
        server.on("GET", "/v1/jobs", 200, {"jobs": []})
        server.rows[("GET", "/v1/chains")] = [
            (200, {"chains": ["a" * 70000]}, {})]
        project(tmp_path, server.url)
        r = overlord(tmp_path, "jobs", "-f", "web.yml", "--all", "-o", "json")
    nodes = json.loads(r.out)["nodes"]
    assert r.rc == 0 and nodes[0]["error"] is None
    assert nodes[1]["error"] == "more than 65536 bytes"
    # Nor is what is said of it lost, though not all of the name is shown.
    assert re.search(r"^overlord: warning: .*aaa \.\.\.$", r.err, re.M)


@pytest.mark.parametrize("args,words", [
    (["revoke"], "usage: overlord token revoke ID|TOKEN"),
    (["list", "x"], "usage: overlord token list"),
    (["list", "--scope", "read"], "--scope is for 'token new'"),
    (["revok", "x"], "did you mean 'revoke'?"),
    (["revoke", "a b"], "neither the id of a token nor a token"),
    (["revoke", "x" * 65], "neither the id of a token nor a token"),
    (["revoke", ""], "neither the id of a token nor a token"),
])
def test_token_usage(tmp_path, args, words):
    r = overlord(tmp_path, "token", *args)
    assert (r.rc, r.out) == (64, "") and words in r.err, r


def test_audit(tmp_path, make_node):
    nodes = make_tree(make_node, ("main", "alpha"))
    name = use(tmp_path, nodes["main"], jti="ann")
    overlord(tmp_path, "token", "revoke", "-f", name, "ci")
    r = overlord(tmp_path, "audit", "-f", name, "--all")
    assert (r.rc, r.err) == (0, "")
    rows = [line.split() for line in r.out.splitlines()]
    assert rows[0] == ["ID", "DATACENTER", "CHAIN", "AGE", "STATUS", "TOKEN",
                       "ADDRESS", "METHOD", "PATH"]
    paths = {(row[2], row[5], row[7], row[8]) for row in rows[1:]}
    assert ("<root>", "ann", "DELETE", "/v1/tokens/ci") in paths, r
    assert any(row[2] == "alpha" and row[8] == "/v1/tokens/ci"
               for row in rows[1:])
    doc, _ = document(tmp_path, "audit", "-f", name, "--limit", "1")
    assert doc["schema"] == "overlord.audit/1"
    assert len(doc["nodes"][0]["audit"]) == 1
    assert overlord(tmp_path, "audit", "--limit", "0").rc == 64
    assert overlord(tmp_path, "audit", "--limit", "1001").rc == 64


def test_retry(tmp_path, node):
    name = use(tmp_path, node, SERVICES)
    node.behave("p", "rc=1")
    assert overlord(tmp_path, "apply", "-f", name, "--wait").rc == 1
    node.behave("p")
    r = overlord(tmp_path, "jobs", "retry", "main", "1", "-f", name)
    assert (r.rc, r.out, r.err) == (0, "2\n", "")
    assert node.wait_job(2)["state"] == "completed"
    r = overlord(tmp_path, "jobs", "retry", "main", "2", "-f", name)
    assert r.rc == 76 and "409: Job 2 has completed" in r.err, r
