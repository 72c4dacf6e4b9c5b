#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""apply, destroy and cancel against a scripted server: requests per target and
their bodies, messages, exit codes."""

import socket
import threading
import time

import jwt
import pytest

from cli_support import overlord, project, write
from fake_server import FakeServer

ENVIRONMENTS = """\
projectFile: "services: {}\\n"
environment: {X: '1', Y: '2'}
labelsEnvironment: {desktop: {Y: d}}
chainsEnvironment: {alpha: {Z: ch}}
datacentersEnvironment: {main: {W: dc}}
"""
CHAINS = ["alpha", "alpha.bravo", "alpha.charlie", "alpha.charlie.delta"]


@pytest.fixture
def server():
    with FakeServer() as s:
        yield s


def ups(server, chains, answer=None, status=200):
    for i, chain in enumerate(chains):
        base = "/v1" + (f"/chain/{chain}" if chain else "")
        server.on("POST", base + "/project/up/p", status,
                  answer or {"status_code": 200, "job_id": 17 + i})


def test_golden_requests(tmp_path, server):
    """cli.md, appendix G."""
    ups(server.tree(), ["", "alpha"])
    project(tmp_path, server.url + "/", ENVIRONMENTS, "[desktop, services]")
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert (r.rc, r.out) == (0, ""), r
    assert r.err == (
        "overlord: warning: (datacenter:main, chain:zulu) error obtaining the "
        "chains: 503: zulu is down\n"
        "overlord: warning: (datacenter:main, chain:zulu) error obtaining API "
        "labels: 503: zulu is down\n")
    assert server.bodies("POST /v1/project/up/p") == [
        {"director_file": "services: {}\n",
         "environment": {"X": "1", "Y": "d", "W": "dc"},
         "restart": False, "reserve_port": {}}]
    body = server.bodies("POST /v1/chain/alpha/project/up/p")
    assert body == [
        {"director_file": "services: {}\n",
         "environment": {"X": "1", "Y": "2", "Z": "ch", "W": "dc"},
         "restart": False, "reserve_port": {}}]
    assert list(body[0]["environment"]) == ["X", "Y", "Z", "W"]
    keys = [x.headers["Idempotency-Key"] for x in server.requests
            if x.method == "POST"]
    assert len(set(keys)) == 2 and all(len(k) == 32 for k in keys)
    assert not any("Idempotency-Key" in x.headers for x in server.requests
                   if x.method != "POST")
    assert sorted(server.lines("/chains")) == sorted(
        ["GET /v1/chains"] + [f"GET /v1/chain/{c}/chains"
                              for c in CHAINS + ["zulu"]])
    assert sorted(server.lines("/labels")) == sorted(
        ["GET /v1/labels"] + [f"GET /v1/chain/{c}/labels"
                              for c in CHAINS + ["zulu"]])
    assert len(server.requests) == 15
    assert server.lines()[0] == "GET /v1/tree"
    # Per target: labels before the change; all chains before all labels.
    lines = server.lines()
    assert lines.index("GET /v1/labels") < lines.index("POST /v1/project/up/p")
    for x in server.requests:
        assert x.headers["Authentication"] == "Bearer the-token"
        assert x.headers["User-Agent"].startswith("overlord/")
        assert x.headers["Accept"] == "*/*"
        assert "gzip" in x.headers["Accept-Encoding"]
    post = [x for x in server.requests if x.method == "POST"][0]
    assert post.headers["Content-Type"] == "application/json"


def test_quiet_success(tmp_path, server):
    ups(server.single(), [""])
    project(tmp_path, server.url)
    r = overlord(tmp_path, "apply", "-f", "web.yml", "--restart")
    assert (r.rc, r.out, r.err) == (0, "", "")
    assert server.bodies("POST /v1/project/up/p")[0]["restart"] is True
    r = overlord(tmp_path, "apply", "-f", "web.yml", "-v")
    assert f"overlord: POST {server.url}/v1/project/up/p: 200 in " in r.err
    assert "(datacenter:main, chain:None, project:p, job:17)" in r.err
    assert "the-token" not in r.err


def test_everything_of_a_project(tmp_path, server):
    server.single(["all", "b", "a"])
    server.on("GET", "/v1/metadata/env.key", 200,
              {"metadata": "A: meta\nN: 5\nE: !ENV '${FROM_CLIENT}'\n"})
    server.on("GET", "/v1/metadata/file.key", 200,
              {"metadata": "services:\n  x: 1\n"})
    ups(server, [""])
    project(tmp_path, server.url, """\
projectFromMetadata: file.key
environFromMetadata: env.key
environment: {A: '0', B: '0', C: '0', D: '0'}
labelsEnvironment: {a: {A: a, B: a}, b: {A: b, B: b}, x: {A: x}}
chainsEnvironment: {<root>: {C: root}, alpha: {C: 'no'}}
datacentersEnvironment: {main: {D: main}, other: {D: 'no'}}
reserve_port: {em0: 10.0.0.0/8, lo0: null}
""")
    r = overlord(tmp_path, "apply", "-f", "web.yml", env={"FROM_CLIENT": "c"})
    assert (r.rc, r.err) == (0, ""), r
    body = server.bodies("POST /v1/project/up/p")[0]
    assert body == {
        "director_file": "services:\n  x: 1\n",
        "environment": {"A": "meta", "B": "a", "C": "root", "D": "main",
                        "N": 5, "E": "c"},
        "restart": False, "reserve_port": {"em0": "10.0.0.0/8", "lo0": None}}
    assert server.lines()[-3:] == ["GET /v1/metadata/env.key",
                                   "GET /v1/metadata/file.key",
                                   "POST /v1/project/up/p"]


@pytest.mark.parametrize("answer,words", [
    ((404, {"message": "Metadata cannot be found."}),
     "(datacenter:main, chain:None, metadata:k) error obtaining the "
     "environment from the metadata: 404: Metadata cannot be found"),
    ((200, {"metadata": "- a\n"}),
     "(datacenter:main, chain:None, metadata:k) environment is not a "
     "dictionary"),
    ((200, {"metadata": "a: [\n"}),
     "(datacenter:main, chain:None, metadata:k) error parsing the "
     "environment: "),
    ((200, {"metadata": 5}), "the reply is not understood"),
])
def test_bad_environment(tmp_path, server, answer, words):
    server.single().on("GET", "/v1/metadata/k", *answer)
    project(tmp_path, server.url,
            "projectFile: x\nenvironFromMetadata: k\n")
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert r.rc == 76 and words in r.err, r
    assert "No deployment has had any effect" in r.err
    assert not server.lines("/project/")


@pytest.mark.parametrize("status,answer,rc,words", [
    (503, {"message": "Full."}, 69, "503: Full"),
    (500, None, 69, "500: Internal Server Error"),
    (401, {"message": "Bad token"}, 77, "401: Bad token"),
    (403, {"message": "No"}, 77, "403: No"),
    (400, {"message": "`director_file` is required"}, 76, "400: `director"),
    (404, {"message": "Not Found"}, 76, "404: Not Found"),
    (302, None, 76, "302: "),
    (200, b"<html>", 76, "the reply is not understood"),
    (200, [], 76, "the reply is not understood: not a JSON object"),
    (200, {}, 76, "the reply is not understood: it has no job"),
    (200, {"job_id": "x"}, 76, "the reply is not understood: it has no job"),
    (0, None, 69, ""),
])
def test_failing_target(tmp_path, server, status, answer, rc, words):
    server.single().on("POST", "/v1/project/up/p", status, answer)
    project(tmp_path, server.url)
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert r.rc == rc and r.out == "", r
    assert ("warning: (datacenter:main, chain:None, project:p) error creating "
            "the project: " + words) in r.err, r
    r = overlord(tmp_path, "apply", "-f", "web.yml", "--best-effort")
    assert r.rc == 0


def test_several_failures(tmp_path, server):
    server.tree()
    ups(server, ["", "alpha.bravo"], {"message": "x"}, 503)
    ups(server, ["alpha"], {"message": "x"}, 401)
    ups(server, ["alpha.charlie"], {"message": "x"}, 400)
    ups(server, ["alpha.charlie.delta"])
    project(tmp_path, server.url)
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert r.rc == 77
    assert r.err.endswith("overlord: 4 of 5 targets failed\n")
    # In order of discovery, whatever the order of arrival.
    chains = [line.split("chain:")[1].split(",")[0].split(")")[0]
              for line in r.err.splitlines() if "error creating" in line]
    assert chains == ["None", "alpha", "alpha.bravo", "alpha.charlie"]


def closed_port():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    return port


def test_nobody_there(tmp_path):
    project(tmp_path, f"http://127.0.0.1:{closed_port()}")
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert r.rc == 69
    assert ("(datacenter:main, chain:None) error obtaining the chains: "
            "connection refused") in r.err
    assert overlord(tmp_path, "apply", "-f", "web.yml",
                    "--best-effort").rc == 69


def test_one_data_center_is_enough(tmp_path, server):
    ups(server.single(), [""])
    write(tmp_path / "web.yml", f"""\
kind: directorProject
datacenters:
  dead: {{entrypoint: 'http://127.0.0.1:{closed_port()}', access_token: t}}
  main: {{entrypoint: '{server.url}', access_token: t}}
deployIn: {{labels: [all]}}
projectName: p
projectFile: x
""")
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert r.rc == 0 and r.err.count("connection refused") == 2
    r = overlord(tmp_path, "apply", "-f", "web.yml", "--datacenter", "main")
    assert (r.rc, r.err) == (0, "")
    r = overlord(tmp_path, "apply", "-f", "web.yml", "--datacenter", "nope")
    assert r.rc == 66
    assert r.err == (
        "overlord: (datacenter:nope) data center cannot be found\n"
        "  hint: web.yml defines: dead, main\n")


def test_path_prefix_and_entry_points(tmp_path, server):
    for path, key, value in [
            ("/base/v1/chain/a.b/chains", "chains", []),
            ("/base/v1/chain/a.b/labels", "labels", ["all"])]:
        server.on("GET", path, 200, {key: value})
    server.on("POST", "/base/v1/chain/a.b/project/up/p", 200, {"job_id": 1})
    write(tmp_path / "web.yml", f"""\
kind: directorProject
datacenters:
  main: {{entrypoint: '{server.url}/base', access_token: t}}
  other:
deployIn: {{entrypoints: ['main.a.b', ' main . a . b ']}}
projectName: p
projectFile: x
""")
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert (r.rc, r.err) == (0, ""), r
    assert len(server.requests) == 4


def test_incomplete_data_center(tmp_path):
    write(tmp_path / "web.yml", """\
kind: directorProject
datacenters:
  main: {entrypoint: x}
  other:
deployIn: {entrypoints: [main, other]}
projectName: p
projectFile: x
""")
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert r.rc == 65
    assert "web.yml:3:3: datacenters.main" in r.err and "access_token" in r.err
    assert "web.yml:4:3: datacenters.other" in r.err


def test_unknown_data_center(tmp_path, server):
    write(tmp_path / "web.yml", f"""\
kind: directorProject
datacenters:
  main: {{entrypoint: '{server.url}', access_token: t}}
deployIn: {{entrypoints: [main, nope.alpha]}}
projectName: p
projectFile: x
""")
    for command in (["apply"], ["get-info", "-t", "projects"]):
        r = overlord(tmp_path, *command, "-f", "web.yml")
        assert r.rc == 66
        assert "(datacenter:nope) data center cannot be found" in r.err
    assert server.requests == []


def test_apply_that_matches_nothing(tmp_path, server):
    server.single(["other"])
    project(tmp_path, server.url)
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert (r.rc, r.err) == (
        0, "overlord: warning: No deployment has had any effect\n"
        "  hint: -vv tells why each server was left out\n")
    assert overlord(tmp_path, "apply", "-f", "web.yml", "-q").err == ""
    assert overlord(tmp_path, "apply", "-f", "web.yml", "--strict").rc == 68
    assert overlord(tmp_path, "apply", "-f", "web.yml", "--wait").rc == 68


def test_exclude_wins_and_no_labels_never_match(tmp_path, server):
    server.tree({"": ["all", "staging"], "alpha": []})
    ups(server, CHAINS[1:])
    write(tmp_path / "web.yml", f"""\
kind: directorProject
datacenters: {{main: {{entrypoint: '{server.url}', access_token: t}}}}
deployIn: {{labels: [all], exclude: [staging]}}
projectName: p
projectFile: x
""")
    r = overlord(tmp_path, "apply", "-f", "web.yml", "-vv")
    assert r.rc == 0
    assert len(server.lines("/project/up/")) == 3
    assert "(datacenter:main, chain:None, label:staging) excluding ..." \
        in r.err
    assert "(datacenter:main, chain:alpha.bravo, label:all) match!" in r.err
    assert ("(datacenter:main, chain:alpha.bravo, project:p, job:17) request "
            "for creating has been made") in r.err


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_maximum_deployments(tmp_path, server, limit):
    server.tree()
    ups(server, [""] + CHAINS)
    project(tmp_path, server.url,
            f"projectFile: x\nmaximumDeployments: {limit}")
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert r.rc == 0
    assert r.err.endswith("overlord: warning: Maximum deployments has been "
                          f"reached! ({limit}/{limit})\n")
    posts = set(server.lines("/project/up/"))
    assert posts == set(
        (["POST /v1/project/up/p"] + [f"POST /v1/chain/{c}/project/up/p"
                                      for c in CHAINS])[:limit])


def test_the_limit_waits_for_labels_that_do_not_match(tmp_path, server):
    """The first server is not meant, but says so when the second is ready and
    waits for its turn: nobody may wait for it any more."""
    third = threading.Event()

    def late(request):
        assert third.wait(30)
        return 200, {"labels": ["other"]}

    def asked(request):
        third.set()
        return 200, {"labels": ["other"]}
    server.on("GET", "/v1/chains", 200, {"chains": ["alpha", "bravo"]})
    server.on("GET", "/v1/labels", 200, late)
    server.on("GET", "/v1/chain/alpha/labels", 200, {"labels": ["all"]})
    server.on("GET", "/v1/chain/bravo/labels", 200, asked)
    for chain in ("alpha", "bravo"):
        server.on("GET", f"/v1/chain/{chain}/chains", 200, {"chains": []})
    ups(server, ["alpha"])
    project(tmp_path, server.url, "projectFile: x\nmaximumDeployments: 1\n")
    # With two at a time the third is asked when the second has answered.
    r = overlord(tmp_path, "--parallel", "2", "apply", "-f", "web.yml")
    assert r.rc == 0, r
    assert len(server.bodies("POST /v1/chain/alpha/project/up/p")) == 1


def test_maximum_deployments_skips_failures(tmp_path, server):
    server.tree()
    ups(server, [""], {"message": "no"}, 503)
    ups(server, CHAINS)
    project(tmp_path, server.url, "projectFile: x\nmaximumDeployments: 2")
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert r.rc == 69 and "(2/2)" in r.err
    assert set(server.lines("/project/up/")) == {
        "POST /v1/project/up/p", "POST /v1/chain/alpha/project/up/p",
        "POST /v1/chain/alpha.bravo/project/up/p"}


@pytest.mark.parametrize("args,chains", [
    (["--chain", "<root>"], [""]),
    (["--chain", "alpha.*"], CHAINS[1:]),
    (["--chain", "alpha", "--chain", "<root>"], ["", "alpha"]),
    (["--project", "p"], [""] + CHAINS),
    (["--project", "q"], []),
])
def test_narrow(tmp_path, server, args, chains):
    ups(server.tree(), [""] + CHAINS)
    project(tmp_path, server.url)
    r = overlord(tmp_path, "apply", "-f", "web.yml", *args)
    assert r.rc == 0
    assert len(server.lines("/project/up/")) == len(chains)
    for chain in chains:
        base = f"/v1/chain/{chain}" if chain else "/v1"
        assert f"POST {base}/project/up/p" in server.lines()


@pytest.mark.parametrize("command,kind,rc,words", [
    ("apply", "readOnly", 78, "(kind:readOnly) can't deploy a read-only "
     "deployment\n"),
    ("destroy", "readOnly", 78, "(kind:readOnly) can't destroy a read-only "
     "deployment\n"),
    ("cancel", "readOnly", 78, "(kind:readOnly) can't cancel this type of "
     "deployment\n"),
])
def test_kinds(tmp_path, command, kind, rc, words):
    write(tmp_path / "web.yml", f"""\
kind: {kind}
datacenters: {{main: {{entrypoint: x, access_token: t}}}}
deployIn: {{labels: [all]}}
""")
    r = overlord(tmp_path, command, "-f", "web.yml")
    assert (r.rc, r.err) == (rc, "overlord: " + words)


SCALED = """\
projectFile: "services: {}\\n"
environment: {A: '1'}
autoScale: {replicas: {min: 3}}
"""


def test_autoscale(tmp_path, server):
    server.single()
    key = "/v1/metadata/overlord.autoscale.p"
    server.on("HEAD", key, 404).on("HEAD", key, 200)
    server.on("POST", key, 201, {"message": "m"})
    server.on("PUT", key, 200, {"message": "m"})
    project(tmp_path, server.url, SCALED)
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert (r.rc, r.err) == (0, "")
    body = server.bodies("POST " + key)[0]
    assert body == {"value": (
        '{\n    "projectFile": "services: {}\\n",\n    "environment": {\n'
        '        "A": "1"\n    },\n    "autoScale": {\n        "replicas": {\n'
        '            "min": 3\n        }\n    },\n    "reserve_port": {}\n}')}
    overlord(tmp_path, "apply", "-f", "web.yml")
    assert server.bodies("PUT " + key) == [body]
    assert not server.lines("/project/")
    r = overlord(tmp_path, "cancel", "-f", "web.yml")
    assert (r.rc, r.err) == (78, "overlord: (kind:directorProject) can't "
                             "cancel a deployment with scale options set\n")


def test_autoscale_bad_name(tmp_path, server):
    server.single()
    name = project(tmp_path, server.url, SCALED)
    text = (tmp_path / name).read_text().replace("projectName: p",
                                                 "projectName: 1app")
    (tmp_path / name).write_text(text)
    r = overlord(tmp_path, "apply", "-f", name)
    assert r.rc != 0
    assert ("(datacenter:main, chain:None, metadata:overlord.autoscale.1app) "
            "invalid metadata name") in r.err


def test_destroy(tmp_path, server):
    server.single()
    server.on("HEAD", "/v1/metadata/overlord.autoscale.p", 404)
    server.on("POST", "/v1/project/down/p", 200, {"job_id": 1})
    project(tmp_path, server.url, "projectFile: x\nenvironment: {A: b}")
    r = overlord(tmp_path, "destroy", "-f", "web.yml")
    assert (r.rc, r.out, r.err) == (0, "", "")
    assert overlord(tmp_path, "destroy", "-F", "-f", "web.yml").rc == 0
    assert server.bodies("POST /v1/project/down/p") == [
        {"environment": {"A": "b"}, "force": False},
        {"environment": {"A": "b"}, "force": True}]


def test_destroy_scaled(tmp_path, server):
    """cli.md, appendix G; what the server has decides."""
    server.single()
    server.on("HEAD", "/v1/metadata/overlord.autoscale.p", 200)
    key = "/v1/metadata/overlord.autoscale-cleanup.p"
    server.on("HEAD", key, 404).on("POST", key, 201, {})
    project(tmp_path, server.url)
    r = overlord(tmp_path, "destroy", "-f", "web.yml")
    assert (r.rc, r.err) == (0, "")
    assert server.lines("/metadata/") == [
        "HEAD /v1/metadata/overlord.autoscale.p", "HEAD " + key, "POST " + key]
    assert server.bodies("POST " + key) == [{"value": '{"force": false}'}]
    assert not server.lines("/project/")


def test_destroy_check_fails(tmp_path, server):
    server.single()
    server.on("HEAD", "/v1/metadata/overlord.autoscale.p", 500)
    project(tmp_path, server.url)
    r = overlord(tmp_path, "destroy", "-f", "web.yml")
    assert r.rc == 69
    assert ("(datacenter:main, chain:None) error when checking if the project "
            "is auto-scalable: 500: ") in r.err
    assert not server.lines("/project/")


@pytest.mark.parametrize("args,chains", [
    ([], [""] + CHAINS),
    (["--filter-root-chain"], [""] + CHAINS),
    (["--filter-chain", "alpha"], ["alpha"]),
    (["--filter-chain", "alpha", "--filter-root-chain"], ["", "alpha"]),
    (["--filter-chain", "alp*"], []),
])
def test_cancel_and_chain_filter(tmp_path, server, args, chains):
    server.tree()
    for c in [""] + CHAINS:
        base = f"/v1/chain/{c}" if c else "/v1"
        server.on("POST", base + "/project/cancel/p", 200, {"job_id": 5})
    project(tmp_path, server.url)
    r = overlord(tmp_path, "cancel", "-q", "-f", "web.yml", *args)
    assert (r.rc, r.out, r.err) == (0, "", "")
    assert len(server.lines("/project/cancel/")) == len(chains)
    posts = [x for x in server.requests if x.method == "POST"]
    assert all(x.body is None for x in posts)
    # Filtered chains are not asked for labels.
    if args and "--filter-chain" in args:
        assert len(server.lines("/labels")) == len(chains)


def test_circle_of_chains(tmp_path, server):
    server.on("GET", "/v1/labels", 200, {"labels": ["other"]})
    server.on("GET", "/v1/chains", 200, {"chains": ["a"]})
    chain = "a"
    for _ in range(70):
        server.on("GET", f"/v1/chain/{chain}/chains", 200, {"chains": ["a"]})
        server.on("GET", f"/v1/chain/{chain}/labels", 200, {"labels": ["x"]})
        chain += ".a"
    project(tmp_path, server.url)
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert r.rc == 0
    assert "more than 64 levels: the chains lead in a circle" in r.err
    assert len(server.lines("/chains")) <= 66


def test_parallel_is_bounded(tmp_path, server):
    import threading
    import time
    state = {"now": 0, "worst": 0}
    lock = threading.Lock()

    def slow(request):
        with lock:
            state["now"] += 1
            state["worst"] = max(state["worst"], state["now"])
        time.sleep(0.05)
        with lock:
            state["now"] -= 1
        return 200, {"labels": ["other"], "chains": []}
    names = [f"c{i}" for i in range(40)]
    server.on("GET", "/v1/chains", 200, {"chains": names})
    server.on("GET", "/v1/labels", 200, {"labels": []})
    for n in names:
        server.on("GET", f"/v1/chain/{n}/chains", 200, slow)
        server.on("GET", f"/v1/chain/{n}/labels", 200, slow)
    project(tmp_path, server.url)
    r = overlord(tmp_path, "apply", "-f", "web.yml", "--parallel", "4")
    assert r.rc == 0 and 2 <= state["worst"] <= 4
    state["worst"] = 0
    overlord(tmp_path, "apply", "-f", "web.yml")
    assert 8 <= state["worst"] <= 16


@pytest.mark.parametrize("url,fault", [
    ("", "'' is not a URL\n"),
    ("127.0.0.1:8888", "'127.0.0.1:8888' is not a URL\n"
     "  hint: write 'http://127.0.0.1:8888'\n"),
    ("not a url", "'not a url' is not a URL\n"),
    ("http://h:99999", "'http://h:99999' is not a URL\n"),
    ("ftp://h", "'ftp://h' is neither http nor https\n"),
])
def test_entrypoint_is_no_url(tmp_path, url, fault):
    project(tmp_path, url)
    for args in (["apply"], ["status"], ["get-info", "-t", "projects"]):
        r = overlord(tmp_path, *args, "-f", "web.yml")
        assert (r.rc, r.out, r.err) == (
            65, "",
            "overlord: web.yml:4:17: datacenters.main.entrypoint: " + fault)


def test_entrypoint_from_nowhere(tmp_path):
    project(tmp_path, "x")
    text = (tmp_path / "web.yml").read_text()
    (tmp_path / "web.yml").write_text(
        text.replace("'x'", "!ENV '${ENTRYPOINT}'"))
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert (r.rc, r.err) == (
        65, "overlord: web.yml:4:17: datacenters.main.entrypoint: warning: "
        "ENTRYPOINT is not set, '' is used\n"
        "  hint: set it in .env or pass --env-file\n"
        "overlord: web.yml:4:17: datacenters.main.entrypoint: '' is not a "
        "URL\n")
    r = overlord(tmp_path, "jobs", env={"OVERLORD_ENTRYPOINT": "localhost",
                                        "OVERLORD_TOKEN": "x"})
    assert r.rc == 64
    assert "OVERLORD_ENTRYPOINT: 'localhost' is not a URL\n" in r.err


@pytest.mark.parametrize("command", ["destroy", "cancel", "status", "jobs"])
def test_nothing_matched(tmp_path, server, command):
    server.single(["other"])
    project(tmp_path, server.url)
    r = overlord(tmp_path, command, "-f", "web.yml")
    assert (r.rc, r.err) == (0, "overlord: warning: nothing matched\n"
                             "  hint: -vv tells why each server was left out"
                             "\n"), r
    assert overlord(tmp_path, command, "-f", "web.yml", "--strict").rc == 68
    assert overlord(tmp_path, command, "-qf", "web.yml").err == ""
    if command == "destroy":
        r = overlord(tmp_path, command, "-f", "web.yml", "--project", "q")
        assert r.rc == 0 and "  hint: the file's project is 'p'\n" in r.err


def test_bodies_with_vv(tmp_path, server):
    ups(server.single(), [""])
    project(tmp_path, server.url, """\
projectFile: 'services: {}'
environment: {A: shown, DB_PASSWORD: hidden, MyToken: hidden}
""")
    r = overlord(tmp_path, "apply", "-f", "web.yml", "-v")
    assert "shown" not in r.err
    r = overlord(tmp_path, "apply", "-f", "web.yml", "-vv")
    assert ('overlord:   sent: {"director_file":"services: {}","environment":'
            '{"A":"shown","DB_PASSWORD":"********","MyToken":"********"}'
            ) in r.err, r
    assert 'overlord:   got: {"status_code":200,"job_id":17}\n' in r.err
    assert "hidden" not in r.err and "the-token" not in r.err
    assert server.bodies("POST /v1/project/up/p")[1]["environment"][
        "MyToken"] == "hidden"


def test_expired_token(tmp_path, server):
    server.on("GET", "/v1/chains", 401, {"message": "no"})
    server.on("GET", "/v1/labels", 401, {"message": "no"})
    server.on("GET", "/v1/jobs/1", 401, {"message": "no"})
    project(tmp_path, server.url)
    path = tmp_path / "web.yml"
    stranger = ("  hint: the token is not from this server; make one there "
                "with 'overlord gen-token'\n")
    commands = (["apply"], ["status"], ["jobs", "show", "main", "1"])
    for args in commands:
        r = overlord(tmp_path, *args, "-f", "web.yml")
        assert r.rc == 77 and r.err.count(stranger) == 1, r
    token = jwt.encode({"exp": int(time.time()) - 7500}, "x" * 32)
    path.write_text(path.read_text().replace("the-token", token))
    for args in commands:
        r = overlord(tmp_path, *args, "-f", "web.yml")
        assert r.rc == 77 and r.err.count(
            "  hint: the token expired 2h05m ago; make one on that server "
            "with 'overlord gen-token'\n") == 1, r
