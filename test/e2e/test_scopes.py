# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What narrowed tokens may do: overlord-api(7), every route by every scope."""

import http.client
import json
import re
import socket
import subprocess

import pytest
import yaml

from node import CLIENT, REPO, DIRECTOR_FILE, Reply

ORDER = {"NONE": 0, "READ": 1, "DEPLOY": 2, "ADMIN": 3}
WORDS = {"project": "web", "date": "2026-01-01_00h00m00s", "service": "web",
         "dlog": "start.log", "job": "999999", "token": "nobody",
         "jail": "nope", "vm": "db1",
         "chain": "alpha"}
# What a token for some projects may call beside what has {project}.
FOR_NARROWED = {"PING", "LABELS", "CHAINS", "PROJECTS", "JOBS", "JOB", "OPENAPI",
                "JOB_CANCEL", "JOB_RETRY", "JOB_OUTPUT", "EVENTS", "TREE",
                "CHAIN_PING", "CHAIN_LABELS", "CHAIN_CHAINS"}


def all_routes():
    text = (REPO / "proto" / "routes.def").read_text()
    rows = re.findall(r'^ROUTE\((\w+),\s*\w+,\s*"(\w+)",\s*"([^"]+)",'
                      r'\s*(\w+),', text, re.M)
    assert len(rows) == text.count("\nROUTE(") > 20
    scopes = {row[0]: row[3] for row in rows}
    text = (REPO / "proto" / "twins.def").read_text()
    twins = re.findall(r'^TWIN\((\w+),\s*"(\w+)",\s*"([^"]+)",', text, re.M)
    assert len(twins) == text.count("\nTWIN(") > 10
    return rows + [("CHAIN_" + ident, method, path, scopes[ident])
                   for ident, method, path in twins]


def path_of(template):
    path = template.replace("[/]", "")
    return re.sub(r"{(\w+)}", lambda m: WORDS.get(m.group(1), "x"), path)


def matrix():
    for ident, method, template, needs in all_routes():
        for scope in ("read", "deploy", "admin", None, "root", ""):
            yield pytest.param(method, template, needs, scope,
                               id=f"{ident}-{scope}")


def ask(node, method, path, body, token):
    """The whole reply; of a stream, which has no end, that it began."""
    if not path.endswith("/events") or method != "GET":
        return node.request(method, path, body, token=token, timeout=20)
    with socket.create_connection(node.address(), timeout=20) as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\n"
                  f"Authorization: Bearer {token}\r\n\r\n".encode())
        r = http.client.HTTPResponse(s)
        r.begin()
        text = r.read().decode() if r.status != 200 else ""
        return Reply(r.status, r.headers, text)


def is_forbidden(r):
    if r.status != 403:
        return False
    if r.text:
        assert set(r.json) == {"status_code", "message"}, r
        assert r.json["status_code"] == 403
    return True


@pytest.mark.parametrize("method, template, needs, scope", matrix())
def test_every_route_by_every_scope(shared, method, template, needs, scope):
    claims = {} if scope is None else {"scope": scope}
    has = 4 if scope is None else ORDER.get(scope.upper(), 0)
    allowed = needs == "NONE" or has >= ORDER[needs] and has > 0
    # A body that no route takes: what is let through changes nothing.
    body = b"[]" if method in ("POST", "PUT") else None
    r = ask(shared, method, path_of(template), body, shared.token(**claims))
    assert is_forbidden(r) == (not allowed), r


@pytest.mark.parametrize("row", all_routes(), ids=lambda r: r[0])
def test_every_route_by_other_projects(shared, row):
    ident, method, template, needs = row
    token = shared.token(projects=["other"])
    body = b"[]" if method in ("POST", "PUT") else None
    r = ask(shared, method, path_of(template), body, token)
    allowed = needs == "NONE" or ident in FOR_NARROWED
    assert is_forbidden(r) == (not allowed), r


def test_messages(shared):
    def says(method, path, **claims):
        r = shared.request(method, path, token=shared.token(**claims))
        assert r.status == 403, r
        return r.json["message"]
    assert says("POST", "/v1/project/up/web", scope="read") == \
        "The scope of this token is 'read', this needs 'deploy'."
    assert "may do nothing" in says("GET", "/v1/ping", scope="root")
    assert "may do nothing" in says("GET", "/v1/ping", projects="web")
    assert says("GET", "/v1/project/info/web", projects=["dns"]) == \
        "This token is not for project 'web'."
    assert "some projects only" in says("GET", "/v1/jails", projects=["web"])


def test_refused_before_the_body(shared):
    head = ("POST /v1/project/up/web HTTP/1.1\r\nHost: h\r\n"
            f"Authorization: Bearer {shared.token(scope='read')}\r\n"
            "Content-Length: 1000000\r\n\r\n")
    assert shared.raw(head.encode(), method="POST").status == 403


def test_sees_only_its_projects(node):
    for name in ("web", "dns"):
        node.wait_job(node.up(name))
    web = node.token(projects=["web"])
    both = node.token(projects=["web", "dns"])

    def get(path, token):
        r = node.get(path, token=token)
        assert r.status == 200, r
        return r.json
    assert get("/v1/projects", web)["projects"] == ["web"]
    assert get("/v1/projects", both)["projects"] == ["dns", "web"]
    jobs = get("/v1/jobs", web)["jobs"]
    assert [j["name"] for j in jobs] == ["web"]
    assert len(get("/v1/jobs", both)["jobs"]) == 2
    assert get("/v1/jobs?name=dns", web)["jobs"] == []
    mine, = (j["id"] for j in jobs)
    other, = (j["id"] for j in get("/v1/jobs?name=dns", both)["jobs"])
    assert get(f"/v1/jobs/{mine}", web)["job"]["name"] == "web"
    for method in ("GET", "DELETE"):
        assert is_forbidden(node.request(method, f"/v1/jobs/{other}",
                                         token=web))
    for what in ("up", "down", "cancel"):
        body = {"director_file": DIRECTOR_FILE} if what == "up" else {}
        r = node.post(f"/v1/project/{what}/dns", body, token=web)
        assert is_forbidden(r), r
    assert get("/v1/jobs", both)["jobs"][0]["name"] == "dns"
    r = node.post("/v1/project/down/web", {}, token=web)
    assert r.status == 200, r
    assert node.wait_job(r.json["job_id"])["state"] == "completed"


def gen_token(node, *args):
    p = subprocess.run([CLIENT, "gen-token", *args], env=node.env(),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True)
    return p.returncode, p.stdout.strip(), p.stderr


def test_gen_token(shared):
    rc, token, _ = gen_token(shared, "--scope", "read", "--project", "web",
                             "--project", "dns")
    assert rc == 0
    assert shared.get("/v1/ping", token=token).status == 200
    assert is_forbidden(shared.post("/v1/project/down/web", {}, token=token))
    assert is_forbidden(shared.get("/v1/project/info/x", token=token))
    rc, token, _ = gen_token(shared)
    assert shared.get("/v1/jails", token=token).status == 200
    for bad in (("--scope", "root"), ("--project", "a/b"),
                ("--project", "")):
        rc, out, err = gen_token(shared, *bad)
        assert (rc, out) == (64, "") and bad[0] in err


def inspect(node, *args, stdin="", **env):
    p = subprocess.run([CLIENT, "token", "inspect", *args], input=stdin,
                       env={**node.env(), **env}, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True)
    for token in (stdin.strip(), *args):
        assert len(token) < 20 or token not in p.stdout + p.stderr
    return p.returncode, p.stdout, p.stderr


def test_token_inspect(shared):
    rc, token, _ = gen_token(shared, "--scope", "read", "--project", "web",
                             "--project", "dns", "--expire", "2",
                             "--expire-type", "days")
    for args, stdin, env in (
            ((token,), "", {}), (("-",), token + "\n", {}),
            ((), token, {}), ((), "", {"OVERLORD_TOKEN": token})):
        rc, out, err = inspect(shared, *args, stdin=stdin, **env)
        assert (rc, err) == (0, "")
        lines = dict(line.split(": ", 1) for line in out.splitlines())
        assert lines["scope"] == "read" and len(lines["id"]) == 24
        assert lines["projects"] == "web, dns"
        assert re.search(r"\(expires in (2d00h|1d23h)\)$", lines["expires"])
        assert '"random_chunk"' in lines["claims"]
    rc, out, _ = inspect(shared, token, "--verify")
    assert rc == 0 and "signature: by this machine's key\n" in out
    rc, out, err = inspect(shared, token[:-4] + "AAAA", "--verify")
    assert rc == 1 and "signature" in err
    for args, expected, signed in (((), 0, None), (("--verify",), 0, True)):
        rc, out, _ = inspect(shared, token, *args, "-o", "yaml")
        doc = yaml.safe_load(out)
        assert rc == expected and doc["schema"] == "overlord.token/1"
        assert (doc["scope"], doc["projects"], doc["signed"]) == (
            "read", ["web", "dns"], signed)
        assert doc["expires"] == doc["claims"]["exp"]
        assert json.loads(inspect(shared, token, *args, "-o", "json")[1]) \
            == doc
    rc, out, _ = inspect(shared, shared.token(exp=1000, scope=3, projects=[]),
                         "-o", "json")
    doc = json.loads(out)
    assert rc == 1 and doc["scope"] is None and doc["projects"] == []
    rc, out, _ = inspect(shared, shared.token(exp=1000, scope=3, projects=[]))
    assert rc == 1 and "ago)" in out
    assert "scope: nothing, it is not understood\nprojects: none\n" in out
    rc, out, _ = inspect(shared, shared.token(exp=2**70))
    assert rc == 0 and "expires: 9999-12-31" in out
    rc, out, _ = inspect(shared, shared.token())
    assert rc == 0 and "scope: everything\nprojects: all\nexpires: never" \
        in out
    for bad in ("x", "a.b.c", "a.b"):
        rc, out, err = inspect(shared, bad)
        assert (rc, out) == (65, "") and "overlord: not a token: " in err
    rc, _, err = inspect(shared)
    assert rc == 65 and "there is nothing\n  hint: give it" in err
    p = subprocess.run([CLIENT, "token", "make"], env=shared.env(),
                       stderr=subprocess.PIPE)
    assert p.returncode == 64
