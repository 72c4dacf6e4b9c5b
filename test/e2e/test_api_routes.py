# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What each route answers when all is well, and its own errors: rest-api.md
3.3; the routes of jobs: overlord-api(7)."""

import json
import os
import re
import time

import pytest

from node import DIRECTOR_FILE, wait_for

SLASHES = ("", "/")


def body_of(r, *members):
    assert r.status == 200, r
    assert set(r.json) == {"status_code", *members} and \
        r.json["status_code"] == 200, r
    return r.json


# The server

@pytest.mark.parametrize("slash", SLASHES)
def test_ping(shared, slash):
    r = shared.get("/v1/ping" + slash)
    assert body_of(r, "status")["status"] == "OK"


@pytest.mark.parametrize("slash", SLASHES)
def test_chains(shared, slash):
    r = shared.get("/v1/chains" + slash)
    assert body_of(r, "chains")["chains"] == []


@pytest.mark.parametrize("slash", SLASHES)
def test_labels_in_their_order(make_node, slash):
    node = make_node({"labels": ["z", "all", "db-only", "a.b"]}).start()
    r = node.get("/v1/labels" + slash)
    assert body_of(r, "labels")["labels"] == ["z", "all", "db-only", "a.b"]


def test_labels_by_default(make_node):
    node = make_node()
    del node.options["labels"]
    node.configure({})
    node.start()
    assert node.get("/v1/labels").json["labels"] == ["all"]


@pytest.mark.parametrize("slash", SLASHES)
def test_jails(node, slash):
    assert body_of(node.get("/v1/jails" + slash), "jails")["jails"] == []
    jails = node.standin / "jails"
    jails.mkdir(exist_ok=True)
    for name in ("b", "a", "_x", "a-B_9"):
        (jails / name).mkdir()
    # What is no jail.
    (jails / "file").touch()
    (jails / "with.dot").mkdir()
    (jails / "-x").mkdir()
    (jails / ".hidden").mkdir()
    (jails / "link").symlink_to("a")
    assert node.get("/v1/jails").json["jails"] == ["_x", "a", "a-B_9", "b"]
    (jails / "a").rmdir()
    assert node.get("/v1/jails").json["jails"] == ["_x", "a-B_9", "b"]


# Projects

@pytest.mark.parametrize("slash", SLASHES)
def test_projects(node, slash):
    r = node.get("/v1/projects" + slash)
    assert body_of(r, "projects")["projects"] == []
    projects = node.standin / "director" / "projects"
    projects.mkdir(parents=True)
    for name in ("web", "dns", "a.b_C-9"):
        (projects / name).mkdir()
    (projects / "file").touch()
    (projects / "no name").mkdir()
    (projects / "link").symlink_to("web")
    assert node.get("/v1/projects").json["projects"] == [
        "a.b_C-9", "dns", "web"]


def test_info_of_a_deployed_project(node):
    job_id = node.up("web")
    node.wait_job(job_id)
    info = body_of(node.get("/v1/project/info/web"), "info")["info"]
    assert set(info) == {"name", "state", "last_log", "locked", "services",
                         "up"}
    assert info["name"] == "web" and info["state"] == "DONE"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\dh\d\dm\d\ds", info["last_log"])
    assert info["locked"] is False
    service, = info["services"]
    assert set(service) == {"name", "status", "jail"}
    assert service["name"] == "web" and service["status"] == 0
    up = info["up"]
    assert set(up) == {"operation", "output", "last_update", "job_id",
                       "restarted", "labels"}
    assert up["operation"] == "COMPLETED" and up["job_id"] == job_id
    assert set(up["output"]) == {"rc", "stdout", "stderr"}
    assert up["output"]["rc"] == 0
    assert isinstance(up["output"]["stderr"], str)
    assert isinstance(up["last_update"], float)
    assert up["labels"] == {"error": False, "message": None}
    assert node.request("HEAD", "/v1/project/info/web").status == 200
    node.wait_job(node.down("web"))
    info = node.info("web")
    assert set(info["down"]) == {"operation", "output", "last_update",
                                 "job_id", "labels"}


def test_info_is_an_age_that_grows(node):
    node.wait_job(node.up("web"))
    first = node.info("web")["up"]["last_update"]
    assert 0 <= first < 30
    wait_for("the age to grow",
             lambda: node.info("web")["up"]["last_update"] > first)


def test_info_of_what_is_being_made_and_head_of_it(node):
    """GET shows progress, HEAD goes by the list of projects: Q-18."""
    node.behave("web", "hang")
    job_id = node.up("web")
    node.wait_call("appjail", "makejail")
    info = node.info("web")
    assert info["up"]["operation"] == "RUNNING"
    assert set(info["up"]) == {"operation", "last_update", "job_id"}
    assert info["up"]["job_id"] == job_id
    assert info["state"] == "UNFINISHED" and info["locked"] is True
    # One that waits has no record yet, and no project.
    other = node.up("web")
    assert node.info("web")["up"]["job_id"] == job_id
    assert node.job(other)["state"] == "queued"
    node.cancel("web")
    node.wait_job(job_id)


def test_info_of_unknown_projects(shared):
    for name in ("nope", "...", "-", "a.b", "UPPER", "0", "a" * 255):
        r = shared.get("/v1/project/info/" + name)
        assert r.status == 404
        assert r.json == {"status_code": 404,
                          "message": f"Project '{name}' cannot be found."}
        assert shared.request("HEAD", "/v1/project/info/" + name).status == 404


def project(node, name="web", **files):
    d = node.standin / "director" / "projects" / name
    d.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        path = d / {"spec": "appjail-director.yml"}.get(file, file)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text)
    return d


def test_info_of_odd_states(node):
    for text, shown in (("done", "DONE"), ("failed\n", "FAILED"),
                        ("unfinished", "UNFINISHED"),
                        ("destroying", "DESTROYING"), ("DONE", "UNKNOWN"),
                        ("", "UNKNOWN"), ("x" * 5000, None)):
        project(node, state=text, spec=DIRECTOR_FILE)
        r = node.get("/v1/project/info/web")
        assert r.status == 200, r
        if shown:
            assert r.json["info"]["state"] == shown
    d = project(node, "none", spec=DIRECTOR_FILE)
    assert node.info("none")["state"] == "UNFINISHED"
    # Pipes in the place of files make nobody wait.
    for name in ("state", "last_log", "pid"):
        os.mkfifo(d / name)
    (d / "web").mkdir()
    os.mkfifo(d / "web" / "name")
    assert node.info("none")["state"] == "UNFINISHED"
    d = project(node, "pipe", state="done")
    os.mkfifo(d / "appjail-director.yml")
    assert node.get("/v1/project/info/pipe").status in (200, 404)
    assert node.get("/v1/ping").status == 200


@pytest.mark.parametrize("spec", (
    "", "[]", "x", "services:", "services: []", "services: {a: null}",
    "services: {a: {name: [x]}}", "services: {../../x: {name: b}}",
    "services: {a: {name: ../../etc}}", "services: {[1, 2]: x}",
    "services:\n  web:\n    name: !ENV '${NOPE}'\n", "{" * 100, "a: &a [*a]",
    "\t", "services: {a: {name: " + "x" * 300 + "}}", b"\xff\xfe", b"\x00"),
    ids=range(17))
def test_info_of_odd_director_files(node, spec):
    """Described as far as it goes; never a 500, never a crash."""
    project(node, state="done", last_log="/x/2026-01-02_03h04m05s", spec=spec)
    r = node.get("/v1/project/info/web")
    assert r.status in (200, 404), r
    if r.status == 200:
        for s in r.json["info"]["services"]:
            assert s["status"] in (0, 1, 65, 66)
    assert node.request("HEAD", "/v1/project/info/web").status == 200


def test_up_down_cancel_answer_with_growing_ids(node):
    ids = []
    for path, body in (("up/web", {"director_file": DIRECTOR_FILE}),
                       ("down/web", None), ("down/web", {"force": True}),
                       ("cancel/web", None), ("cancel/nope", {}),
                       ("down/nope", {})):
        r = node.post("/v1/project/" + path, body)
        assert r.status == 200 and r.json["job_id"] > 0, r
        assert set(r.json) - {"message"} == {"status_code", "job_id"}
        ids.append(r.json["job_id"])
    assert ids == sorted(set(ids))
    last = ids[-1]
    node.restart()
    # Never given again, not even by the next daemon.
    assert node.cancel("web") > last


def test_reserve_port_says_that_it_is_not_there_yet(shared):
    r = shared.post("/v1/project/up/web", {
        "director_file": "x", "reserve_port": {"em0": None}})
    assert r.status in (200, 501), r
    assert "reserve_port" in r.text or r.status == 200


def test_missing_programs_are_503_naming_them(make_node):
    node = make_node({"director": {"command": "/nowhere/director"}}).start()
    for path, body in (("up/web", {"director_file": "x"}), ("down/web", None)):
        r = node.post("/v1/project/" + path, body)
        assert r.status == 503 and "/nowhere/director" in r.json["message"], r
    # What is wrong with the request comes first.
    assert node.post("/v1/project/up/web", {}).status == 400
    assert node.post("/v1/project/up/..", {}).status == 404
    assert node.get("/v1/project/info/web").status == 404


def test_an_environment_too_large_for_any_program_fails_the_job(node):
    job = node.wait_job(node.up("web", environment={"A": "x" * 300000}))
    assert job["state"] in ("failed", "incomplete"), job
    up = node.info("web")["up"]
    assert up["operation"] in ("FAILED", "INCOMPLETED")
    said = json.dumps(up) + json.dumps(job)
    assert "too long" in said, said
    # It harms nobody else.
    assert node.wait_job(node.up("web"))["state"] == "completed"


# Jobs

JOB = {"id", "type", "name", "state", "attempt", "by", "request_id",
       "created_at", "started_at", "ended_at", "message", "steps"}


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """A node with jobs in several states, which stay."""
    from node import Node
    node = Node(tmp_path_factory.mktemp("busy") / "node",
                {"max_watch_commands": 2})
    node.start()
    node.behave("hang", "hang")
    node.behave("fail", "rc=3")
    ids = {
        "done": node.up("web"),
        "fail": node.up("fail"),
        "down": node.down("web"),
    }
    for i in ids.values():
        node.wait_job(i)
    ids["running"] = node.up("hang")
    node.wait_job(ids["running"], "running")
    ids["queued"] = node.up("hang")
    ids["cancelled"] = node.up("hang")
    assert node.request(
        "DELETE", f"/v1/jobs/{ids['cancelled']}").status == 200
    ids["last"] = node.up("hang")
    try:
        yield node, ids
    finally:
        node.dispose()


def listed(node, query=""):
    r = node.get("/v1/jobs" + query)
    jobs = body_of(r, "jobs")["jobs"]
    for j in jobs:
        assert set(j) - {"position"} == JOB, j
        assert ("position" in j) == (j["state"] == "queued")
    return [j["id"] for j in jobs]


def test_the_list_is_newest_first(busy):
    node, ids = busy
    everything = sorted(ids.values(), reverse=True)
    assert listed(node) == everything
    assert listed(node, "/") == everything
    assert listed(node, "?") == everything
    r = node.get("/v1/jobs?nmae=web")
    assert r.status == 400 and "'nmae'" in r.json["message"]


def test_filters(busy):
    node, ids = busy
    for query, names in (
            ("?name=web", ("down", "done")),
            ("?name=hang", ("last", "cancelled", "queued", "running")),
            ("?name=nope", ()),
            ("?name=we%62", ("down", "done")),
            ("?type=down", ("down",)),
            ("?type=up&name=web", ("done",)),
            ("?type=cancel", ()),
            ("?type=nonsense", ()),
            ("?state=running", ("running",)),
            ("?state=queued", ("last", "queued")),
            ("?state=queued,running", ("last", "queued", "running")),
            ("?state=completed", ("down", "done")),
            ("?state=incomplete", ("fail",)),
            ("?state=cancelled", ("cancelled",)),
            ("?state=failed", ()),
            ("?state=queued&name=web", ()),
            ("?limit=1", ("last",)),
            ("?limit=2&name=hang", ("last", "cancelled")),
            (f"?before={ids['queued']}&name=hang", ("running",)),
            (f"?before={ids['done']}", ()),
            ("?limit=1000&before=9007199254740991&type=down", ("down",))):
        assert listed(node, query) == [ids[n] for n in names], query


def test_pages(busy):
    node, ids = busy
    found, before = [], ""
    while page := listed(node, "?limit=2" + before):
        assert len(page) <= 2
        found += page
        before = f"&before={page[-1]}"
    assert found == sorted(ids.values(), reverse=True)


@pytest.mark.parametrize("query,field", (
    ("limit=0", "limit"), ("limit=-1", "limit"), ("limit=x", "limit"),
    ("limit=", "limit"), ("limit=1001", "limit"), ("limit=1.5", "limit"),
    ("limit=99999999999999999999", "limit"), ("limit=+1", "limit"),
    ("limit=%201", "limit"), ("before=0", "before"), ("before=x", "before"),
    ("before=99999999999999999999", "before"), ("state=nonsense", "state"),
    ("state=", "state"), ("state=queued,", "state"), ("state=,", "state"),
    ("state=QUEUED", "state"), ("state=queued%2Cnope", "state"),
    ("name=%zz", "name"), ("name=%FF", "name"), ("type=%2", "type"),
    ("name=%00", "name"),
))
def test_filters_that_make_no_sense(busy, query, field):
    r = busy[0].get("/v1/jobs?" + query)
    assert r.status == 400, r
    assert field in r.json["message"]


def test_one_job(busy):
    node, ids = busy
    r = node.get(f"/v1/jobs/{ids['done']}",
                 headers={"X-Request-Id": "mine"})
    job = body_of(r, "job")["job"]
    assert JOB <= set(job)
    assert job["type"] == "up" and job["name"] == "web"
    assert job["state"] == "completed" and job["attempt"] == 1
    assert job["by"] and job["request_id"]
    now = time.time()
    assert (now - 60 < job["created_at"] <= job["started_at"]
            <= job["ended_at"] <= now + 1)
    step, = job["steps"]
    assert set(step) == {"name", "attempt", "started_at", "ended_at", "rc",
                         "note"}
    assert step["name"] == "up" and step["rc"] == 0
    # And one that runs: what its command says now.
    job = node.job(ids["running"])
    assert job["state"] == "running" and job["ended_at"] is None
    assert set(job["output"]) == {"stdout", "stderr"}
    first, second = node.job(ids["queued"]), node.job(ids["last"])
    assert first["state"] == "queued" and first["started_at"] is None
    assert first["steps"] == []
    assert second["position"] > first["position"] > 0


def test_the_request_id_is_kept(node):
    r = node.post("/v1/project/down/web", headers={"X-Request-Id": "abc-1"})
    assert node.job(r.json["job_id"])["request_id"] == "abc-1"


@pytest.mark.parametrize("method", ("GET", "DELETE"))
@pytest.mark.parametrize("job", ("999999", "9007199254740991",
                                 "9007199254740992", "9999999999999999"))
def test_unknown_jobs(shared, method, job):
    r = shared.request(method, "/v1/jobs/" + job)
    assert r.status == 404
    assert r.json == {"status_code": 404,
                      "message": f"Job {job} cannot be found."}


def test_what_cannot_be_cancelled_is_409(busy):
    node, ids = busy
    for name, state in (("done", "completed"), ("fail", "incomplete"),
                        ("cancelled", "cancelled")):
        r = node.request("DELETE", f"/v1/jobs/{ids[name]}")
        assert r.status == 409 and state in r.json["message"], r


def test_delete_of_a_running_job_ends_it(node):
    node.behave("web", "hang")
    job_id = node.up("web")
    node.wait_call("appjail", "makejail")
    r = node.request("DELETE", f"/v1/jobs/{job_id}")
    assert r.status == 200 and str(job_id) in r.json["message"], r
    assert node.wait_job(job_id)["state"] == "cancelled"
    # Its lane is free.
    node.behave("web")
    assert node.wait_job(node.up("web"))["state"] == "completed"


def test_the_queue_has_an_end(make_node):
    node = make_node({"limits": {"queued_jobs": 2}}).start()
    node.behave("web", "hang")
    node.up("web")
    node.wait_call("appjail", "makejail")
    replies = [node.post("/v1/project/down/web") for _ in range(4)]
    assert [r.status for r in replies] == [200, 200, 429, 429]
    assert replies[-1].headers["Retry-After"].isdigit()
    assert replies[-1].json["message"]
    # Cancelling needs no place.
    job = node.wait_job(node.cancel("web"))
    assert job["state"] == "completed"
    assert node.post("/v1/project/down/web").status == 200


def test_finished_jobs_beyond_the_limit_go(make_node):
    node = make_node({"jobs": {"keep": 3}}).start()
    ids = [node.wait_job(node.down("web"))["id"] for _ in range(6)]
    wait_for("old jobs to go", lambda: len(listed(node)) <= 3)
    assert listed(node) == ids[::-1][:3]
    assert node.get(f"/v1/jobs/{ids[0]}").status == 404
