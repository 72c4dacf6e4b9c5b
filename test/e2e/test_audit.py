# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The audit trail: GET /v1/audit, overlord-api(7)."""

import time

import pytest

from node import DIRECTOR_FILE, wait_for


def trail(node, query=""):
    r = node.get("/v1/audit" + query)
    assert r.status == 200, r
    return r.json["audit"]


def seen(row):
    return row["method"], row["path"]


def test_every_change_is_recorded(node):
    token = node.token(jti="ci")
    before = time.time()
    r = node.post("/v1/project/up/web", {"director_file": DIRECTOR_FILE},
                  token=token, headers={"X-Request-Id": "mine-1"})
    up = r.json["job_id"]
    row, = trail(node)
    assert set(row) == {"id", "at", "token", "address", "request_id",
                        "method", "path", "status"}
    assert before - 1 < row["at"] < time.time() + 1
    assert row["token"] == "ci" and row["address"] == "127.0.0.1"
    assert row["request_id"] == "mine-1" and row["status"] == 200
    assert row["request_id"] == node.job(up)["request_id"]
    assert seen(row) == ("POST", "/v1/project/up/web")
    node.wait_job(up)
    node.wait_job(node.down("web"))
    node.wait_job(node.cancel("web"))
    node.request("DELETE", "/v1/tokens/x")
    node.request("DELETE", "/v1/tokens/x")
    expected = [
        ("POST", "/v1/project/up/web"), ("POST", "/v1/project/down/web"),
        ("POST", "/v1/project/cancel/web"), ("DELETE", "/v1/tokens/x"),
        ("DELETE", "/v1/tokens/x")]
    # What has no batch of its own is written after the answer.
    wait_for("the trail", lambda: expected == [
        seen(r) for r in trail(node)][::-1])


def test_cancelled_jobs(make_node):
    node = make_node({"max_watch_commands": 1}).start()
    node.behave("web", "hang")
    first = node.up("web")
    node.wait_job(first, "running")
    second = node.up("web")
    assert node.request("DELETE", f"/v1/jobs/{second}").status == 200
    node.wait_call("up")
    wait_for("the job to be cancelled", lambda: node.request(
        "DELETE", f"/v1/jobs/{first}").status == 200)
    for job in (first, second):
        wait_for("its record", lambda: ("DELETE", f"/v1/jobs/{job}") in
                 [seen(r) for r in trail(node)])


def test_what_was_refused_is_not(node):
    node.post("/v1/project/up/web", {})
    node.post("/v1/project/up/web", b"{")
    node.post("/v1/project/up/web", {"director_file": "x"},
              token=node.token(scope="read"))
    node.request("DELETE", "/v1/jobs/99")
    node.get("/v1/ping")
    assert trail(node) == []


def test_pages(node):
    for i in range(5):
        node.request("DELETE", f"/v1/tokens/t{i}")
    rows = trail(node)
    assert [r["id"] for r in rows] == [5, 4, 3, 2, 1]
    assert trail(node, "?limit=2") == rows[:2]
    assert trail(node, "?limit=2&before=4") == rows[2:4]
    assert trail(node, "?before=1") == []
    node.restart()
    assert trail(node) == rows
    node.request("DELETE", "/v1/tokens/t9")
    assert trail(node)[0]["id"] == 6


@pytest.mark.parametrize("query", ("limit=0", "limit=1001", "limit=x",
                                   "before=0", "before=-1", "after=3"))
def test_bad_queries(shared, query):
    r = shared.get("/v1/audit?" + query)
    assert r.status == 400, r


def test_bounded(make_node):
    node = make_node({"audit": {"keep": 3}}).start()
    for i in range(6):
        node.request("DELETE", f"/v1/tokens/t{i}")
    assert [r["path"][-2:] for r in trail(node)] == ["t5", "t4", "t3"]
    node.configure({"audit": {"keep": 2}})
    node.restart()
    node.request("DELETE", "/v1/tokens/t6")
    assert [r["path"][-2:] for r in trail(node)] == ["t6", "t5"]
