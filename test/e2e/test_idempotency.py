# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Idempotency-Key and retry: overlord-api(7)."""

import concurrent.futures

import pytest

from node import DIRECTOR_FILE

UP = "/v1/project/up/web"
BODY = {"director_file": DIRECTOR_FILE}
USED = "This Idempotency-Key has been used for another request."


def ask(node, key="k", path=UP, body=BODY, **kwargs):
    return node.post(path, body, headers={"Idempotency-Key": key}, **kwargs)


def jobs(node):
    return node.get("/v1/jobs").json["jobs"]


def test_the_same_request_gets_the_same_job(node):
    job = ask(node).json["job_id"]
    r = ask(node)
    assert r.status == 200 and r.json == {"status_code": 200, "job_id": job}
    node.wait_job(job)
    assert ask(node).json["job_id"] == job
    node.restart()
    assert ask(node).json["job_id"] == job
    assert len(jobs(node)) == 1
    # Without a key each is a new one.
    assert node.up("web") != job


def test_what_makes_another_request(node):
    job = ask(node).json["job_id"]
    r = ask(node, body={**BODY, "restart": True})
    assert r.status == 422 and r.json["message"] == USED
    others = [ask(node, key="K"), ask(node, token=node.token(jti="x")),
              ask(node, path="/v1/project/up/dns"),
              ask(node, path="/v1/project/down/web", body={}),
              ask(node, path="/v1/project/cancel/web", body=None)]
    assert all(r.status == 200 for r in others), others
    ids = [job] + [r.json["job_id"] for r in others]
    assert len(set(ids)) == len(ids) == len(jobs(node))


@pytest.mark.parametrize("key", ("", "x" * 256, "\xe9"))
def test_bad_keys(shared, key):
    r = ask(shared, key=key.encode("latin-1"))
    assert r.status == 400 and "Idempotency-Key" in r.json["message"], r


def test_a_key_that_failed_is_free(node):
    assert ask(node, body={}).status == 400
    assert ask(node).status == 200


def test_all_at_once(node):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda _: ask(node, body=BODY), range(64)))
    assert {r.status for r in replies} == {200}
    assert len({r.json["job_id"] for r in replies}) == 1
    assert len(jobs(node)) == 1


# Retry

def test_retry(node):
    node.behave("web", "rc=3")
    job = node.up("web", environment={"A": "b"})
    assert node.wait_job(job)["state"] != "completed"
    node.behave("web")
    r = ask(node, path=f"/v1/jobs/{job}/retry", body=None,
            token=node.token(jti="again"))
    assert r.status == 200, r
    again = r.json["job_id"]
    assert again != job
    done = node.wait_job(again)
    assert (done["type"], done["name"], done["state"]) == \
        ("up", "web", "completed")
    assert done["by"] == "again@127.0.0.1"
    assert ask(node, path=f"/v1/jobs/{job}/retry", body=None,
               token=node.token(jti="again")).json["job_id"] == again
    r = node.post(f"/v1/jobs/{again}/retry")
    assert r.status == 409
    assert r.json["message"] == f"Job {again} has completed."
    assert node.post("/v1/jobs/77/retry").status == 404
    assert node.post("/v1/jobs/x/retry").status == 404


def test_retry_of_one_that_runs_and_of_one_that_was_cancelled(node):
    node.behave("web", "hang")
    job = node.up("web")
    node.wait_job(job, "running")
    r = node.post(f"/v1/jobs/{job}/retry")
    assert r.status == 409 and "has not ended: running" in r.json["message"]
    second = node.up("web")
    assert node.request("DELETE", f"/v1/jobs/{second}").status == 200
    r = node.post(f"/v1/jobs/{second}/retry")
    assert r.status == 200
    assert node.job(r.json["job_id"])["state"] == "queued"


def test_retry_is_for_the_tokens_projects(node):
    node.behave("web", "rc=3")
    job = node.up("web")
    node.wait_job(job)
    path = f"/v1/jobs/{job}/retry"
    for claims in ({"projects": ["dns"]}, {"scope": "read"}):
        assert node.post(path, token=node.token(**claims)).status == 403
    assert node.post(path, token=node.token(projects=["web"])).status == 200
