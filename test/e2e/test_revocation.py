# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Revoked tokens: GET and DELETE /v1/tokens, overlord-api(7)."""

import time

import pytest

TOKEN = "Error while decoding the JWT."


def revoke(node, ident, **kwargs):
    return node.request("DELETE", "/v1/tokens/" + ident, **kwargs)


def is_refused(r):
    return r.status == 401 and r.json["message"] == TOKEN


def test_in_force_at_once_and_for_good(node):
    token = node.token(jti="ci-1")
    other = node.token(jti="ci-2")
    # The cache of verified tokens knows it.
    for _ in range(2):
        assert node.get("/v1/ping", token=token).status == 200
    before = time.time()
    r = revoke(node, "ci-1")
    assert r.status == 200, r
    assert r.json["message"] == "Token 'ci-1' has been revoked."
    assert is_refused(node.get("/v1/ping", token=token))
    assert is_refused(node.get("/v1/ping",
                               token=node.token(jti="ci-1", x=1)))
    assert node.get("/v1/ping", token=other).status == 200
    # Again is no fault, and changes nothing.
    listed = node.get("/v1/tokens").json["tokens"]
    assert revoke(node, "ci-1").status == 200
    assert node.get("/v1/tokens/").json["tokens"] == listed
    row, = listed
    assert set(row) == {"id", "revoked_at", "by"} and row["id"] == "ci-1"
    assert before - 1 < row["revoked_at"] < time.time() + 1
    assert row["by"].endswith("@127.0.0.1")
    node.restart()
    assert is_refused(node.get("/v1/ping", token=token))
    assert node.get("/v1/ping", token=other).status == 200
    assert node.get("/v1/tokens").json["tokens"] == listed


def test_after_a_crash(node):
    assert revoke(node, "lost").status == 200
    node.kill()
    node.start()
    assert is_refused(node.get("/v1/ping", token=node.token(jti="lost")))


def test_of_a_token_without_jti(node):
    token = node.token(note="old")
    job = node.post("/v1/project/cancel/web", token=token).json["job_id"]
    ident, _, address = node.job(job)["by"].partition("@")
    assert len(ident) == 12 and address == "127.0.0.1"
    assert revoke(node, ident).status == 200
    assert is_refused(node.get("/v1/ping", token=token))
    assert node.get("/v1/ping").status == 200


@pytest.mark.parametrize("sent, ident", (
    ("a%2Fb%3Fc%23d", "a/b?c#d"), ("x" * 64, "x" * 64), ("~%25", "~%")))
def test_odd_ids(node, sent, ident):
    assert revoke(node, sent).status == 200
    assert [t["id"] for t in node.get("/v1/tokens").json["tokens"]] == [ident]
    assert is_refused(node.get("/v1/ping", token=node.token(jti=ident)))


@pytest.mark.parametrize("sent", ("x" * 65, "x" * 4000, "a%20b", "%C3%A9", "a%0Ab"))
def test_bad_ids(shared, sent):
    r = revoke(shared, sent)
    assert r.status == 400 and "1 to 64" in r.json["message"], r
    assert revoke(shared, "%zz").status == 400


def test_one_may_revoke_oneself(node):
    token = node.token(jti="me", scope="admin")
    assert revoke(node, "me", token=token).status == 200
    assert is_refused(revoke(node, "me", token=token))


def test_many_in_order(node):
    for i in (3, 1, 2):
        assert revoke(node, f"t{i}").status == 200
    assert [t["id"] for t in node.get("/v1/tokens").json["tokens"]] == \
        ["t1", "t2", "t3"]
