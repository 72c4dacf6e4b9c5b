# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Chains: requests through trees of real daemons, with children that are dead,
hang, lie, or lead in a circle."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

from children import (breaker, dead_chain, drip, held, http,
                      wait_held)
from cli_support import overlord
from node import REPO, chain_to, make_tree, wait_for

QUICK = {"interval": 1, "increase": 1, "max-increase": 2}


# Trees

@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """main -> alpha -> charlie -> delta, left as they are by the tests."""
    from node import Node
    root = tmp_path_factory.mktemp("tree")
    made = []

    def make(options=None, environment=None, name="node"):
        made.append(Node(root / name, options, environment))
        return made[-1]
    try:
        yield make_tree(make)
    finally:
        for node in made:
            node.dispose()


CHAINS = ("alpha", "alpha.charlie", "alpha.charlie.delta")


@pytest.mark.parametrize("chain", CHAINS)
def test_each_level_answers(tree, chain):
    main, tail = tree["main"], tree[chain.rpartition(".")[2]]
    r = main.get(f"/v1/chain/{chain}/labels")
    assert r.status == 200
    assert r.json["labels"] == ["all", tail.root.name]
    assert main.get(f"/v1/chain/{chain}/ping/").json["status"] == "OK"
    assert (main.get(f"/v1/chain/{chain}/chains").json
            == tail.get("/v1/chains").json)


def rows():
    """The local routes of proto/routes.def and the function of their twins."""
    text = (REPO / "proto" / "routes.def").read_text()
    twins = dict((m[0], m[1]) for m in re.findall(
        r'^TWIN\((\w+), "\w+", "[^"]+", "(\w+)"',
        (REPO / "proto" / "twins.def").read_text(), re.M))
    for name, method, path in re.findall(
            r'^ROUTE\((\w+), \w+, "(\w+)", "(/v1/[^"]+)"', text, re.M):
        # One creates, which its route does not: test_api_metadata.py. One
        # has no end: test_streams.py.
        if name in twins and name not in ("METADATA_PUT", "EVENTS"):
            yield pytest.param(method, path, twins[name], id=name)


WORDS = {"project": "none", "date": "2026-01-01_00h00m00s", "service": "web",
         "dlog": "start.log", "job": "99999", "key": "none", "jail": "none",
         "vm": "none", "seg": "none", "token": "none"}


@pytest.mark.parametrize("chain", CHAINS[:2])
@pytest.mark.parametrize("method,path,function", rows())
def test_a_twin_answers_as_its_route(tree, method, path, function, chain):
    path = re.sub(r"\{(\w+)\}", lambda m: WORDS[m[1]], path)
    path = path.replace("[/]", "")
    tail = tree[chain.rpartition(".")[2]]
    local = tail.request(method, path)
    twin = tree["main"].request(method, f"/v1/chain/{chain}{path[3:]}")
    if 200 <= local.status < 300:
        assert twin.status // 100 == 2
        if twin.json:
            # A message depends on what is being done there.
            assert twin.json.keys() >= local.json.keys() - {"message"}
        return
    assert twin.status == local.status, (local, twin)
    if method == "HEAD" or twin.json is None or "function" not in twin.json:
        # The arguments were judged here.
        assert method == "HEAD" or twin.json["message"] == local.json[
            "message"]
        return
    assert twin.json["function"] == function
    assert twin.json["entrypoint"] == "alpha"
    assert twin.json["chain"] == chain[6:]
    inner = twin.json["remote"]
    while "remote" in inner:
        assert inner["function"] == function
        inner = inner["remote"]
    assert inner["message"] == local.json["message"]


def test_the_error_body_of_the_contract(tree):
    main, alpha = tree["main"], tree["alpha"]
    r = main.get("/v1/chain/alpha.charlie/project/info/nope")
    assert r.status == r.json["status_code"] == 404
    assert r.json["function"] == "get_info"
    assert r.json["entrypoint"] == "alpha"
    assert r.json["chain"] == "charlie"
    assert r.json["error"] == "HTTPStatusError"
    url = alpha.url() + "/v1/chain/charlie/project/info/nope"
    assert r.json["message"].split("\n")[0] == (
        f"Client error '404 Not Found' for url '{url}'")
    assert r.json["remote"]["entrypoint"] == "charlie"
    assert r.json["remote"]["chain"] == ""
    assert "remote" in r.json["remote"]
    # Somebody else's 404 is nobody's failure.
    assert breaker(main, "alpha")["failures"] == 0


@pytest.mark.parametrize("path,status,message", [
    ("/v1/chain/nobody/ping", 404, "Next entrypoint 'nobody' cannot be found."),
    ("/v1/chain/a..b/ping", 400, "Invalid chain: a..b"),
    ("/v1/chain/alpha./ping", 400, "Invalid chain: alpha."),
    ("/v1/chain/alpha.-b/ping", 400, "Invalid chain: alpha.-b"),
    ("/v1/chain/" + ".".join(["a"] * 17) + "/ping", 400,
     "Invalid chain: " + ".".join(["a"] * 17)),
    ("/v1/chain/alpha", 404, "Not Found"),
    ("/v1/chain/", 404, "Not Found"),
    ("/v1/chain/alpha/chain/charlie/ping", 404, "Not Found"),
])
def test_bad_chains(tree, path, status, message):
    r = tree["main"].get(path)
    assert (r.status, r.json["message"]) == (status, message)


def test_methods_and_bodies_are_judged_first(tree):
    main = tree["main"]
    r = main.request("PUT", "/v1/chain/alpha/ping")
    assert r.status == 405 and r.headers["Allow"] == "GET, OPTIONS"
    r = main.request("OPTIONS", "/v1/chain/alpha/ping",
                     headers={"Authorization": None})
    assert r.status == 200
    r = main.get("/v1/chain/alpha/ping", headers={"Authorization": None})
    assert r.status == 401
    r = main.post("/v1/chain/nobody/project/up/x", {})
    assert r.status == 400 and "director_file" in r.json["message"]
    r = main.post("/v1/chain/nobody/project/down/x", {"force": 1})
    assert r.status == 400 and "force" in r.json["message"]


def test_head_through_chains(tree):
    for chain in CHAINS:
        path = f"/v1/chain/{chain}/project/info/nope"
        r = tree["main"].request("HEAD", path)
        assert r.status == 404 and r.text == ""


def test_the_query_and_the_request_id_go_down(tree):
    main, delta = tree["main"], tree["delta"]
    r = main.get("/v1/chain/alpha.charlie.delta/jobs?limit=x")
    assert r.status == 400 and "limit" in json.dumps(r.json)
    main.get("/v1/chain/alpha.charlie.delta/ping",
             headers={"X-Request-Id": "through-and-through"})
    wait_for("the id in the log of the last",
             lambda: "through-and-through" in delta.log_text())


def test_deploys_at_the_end_of_a_chain(make_node):
    nodes = make_tree(make_node)
    main, delta = nodes["main"], nodes["delta"]
    chain = "/v1/chain/alpha.charlie.delta"
    r = main.post(chain + "/project/up/web", {
        "director_file": "services:\n  web:\n    makejail: x\n",
        "environment": {"A": "é\n\"b\""}})
    assert r.status == 200
    job = delta.wait_job(r.json["job_id"])
    assert job["state"] == "completed"
    assert main.get(chain + "/projects").json["projects"] == ["web"]
    assert main.request("HEAD", chain + "/project/info/web").status == 200
    info = main.get(chain + "/project/info/web").json["info"]
    assert info["state"] == "DONE"
    assert main.get("/v1/projects").json["projects"] == []
    seen = main.get(f"{chain}/jobs/{r.json['job_id']}").json["job"]
    assert seen["state"] == "completed"
    r = main.request("DELETE", f"{chain}/jobs/{r.json['job_id']}")
    assert r.status == 409 and r.json["function"] == "cancel_job"
    r = main.post(chain + "/project/down/web", {"force": True})
    assert delta.wait_job(r.json["job_id"])["state"] == "completed"


# Children that fail

def test_a_dead_child(make_node):
    main = make_node({"chains": {"dead": dead_chain(
        retry={"total": 2, "backoff_factor": 0})},
        "autodisable": {"interval": 60}}).start()
    assert main.get("/v1/chains").json["chains"] == ["dead"]
    r = main.get("/v1/chain/dead/ping")
    assert r.status == r.json["status_code"] == 503
    assert r.json["error"] == "ConnectError"
    assert (r.json["function"], r.json["entrypoint"], r.json["chain"]) == (
        "ping", "dead", "")
    # The retries of one call are one failure.
    state = breaker(main, "dead")
    assert (state["state"], state["failures"]) == ("closed", 1)
    r = main.post("/v1/chain/dead/project/cancel/x")
    assert r.json["error"] == "ConnectError"
    state = breaker(main, "dead")
    assert (state["state"], state["failures"]) == ("open", 2)
    assert 100 < state["next_probe"] <= 120
    assert main.get("/v1/chains").json["chains"] == []
    r = main.get("/v1/chain/dead/ping")
    assert r.status == 503
    assert r.json["error"] == "UnavailableChain"
    assert r.json["message"] == "Chain disabled by smart timeouts"
    # Somebody behind it is asked all the same.
    r = main.get("/v1/chain/dead.below/ping")
    assert r.json["error"] == "ConnectError"
    assert r.json["chain"] == "below"
    state = breaker(main, "dead")
    assert (state["failures"], state["refused"]) == (2, 1)
    # Not to be found is not to be down.
    assert main.get("/v1/chain/nobody/ping").status == 404


def test_head_and_delete_to_a_dead_child(make_node):
    main = make_node({"chains": {"dead": dead_chain(retry={"total": 0})},
                      "autodisable": {"failures": 100}}).start()
    r = main.request("HEAD", "/v1/chain/dead/project/info/x")
    assert r.status == 503 and r.text == ""
    r = main.request("DELETE", "/v1/chain/dead/jobs/1")
    assert r.status == 503 and r.json["error"] == "ConnectError"


def test_a_child_that_hangs(make_node, child):
    hung = child(lambda request: None)
    alive = make_node(name="alive").start()
    main = make_node({"chains": {"hung": hung.chain(),
                                 "alive": chain_to(alive)}}).start()
    start = time.monotonic()
    replies = []
    t = threading.Thread(target=lambda: replies.append(main.get(
        "/v1/chain/hung/ping", headers={"X-Overlord-Deadline-Ms": "4000"})))
    t.start()
    wait_for("the request below", lambda: hung.requests)
    # Nobody else waits for it.
    assert main.get("/v1/chain/alive/ping").status == 200
    assert main.get("/v1/ping").status == 200
    assert t.is_alive()
    t.join()
    assert 3.8 < time.monotonic() - start < 20
    assert replies[0].status == 503
    assert replies[0].json["error"] == "ReadTimeout"
    below = re.search(r"X-Overlord-Deadline-Ms: (\d+)", hung.requests[0])
    assert 1000 < int(below[1]) < 4000


def test_a_client_that_goes_away(make_node, child):
    hung = child(lambda request: None)
    main = make_node({"chains": {"hung": hung.chain()}}).start()
    for _ in range(5):
        with socket.create_connection(main.address()) as s:
            n = len(hung.requests)
            s.sendall(b"GET /v1/chain/hung/ping HTTP/1.1\r\nHost: x\r\n"
                      b"Authorization: Bearer " + main.token().encode()
                      + b"\r\n\r\n")
            wait_for("the request below", lambda: len(hung.requests) > n)
    # A ping of the heartbeat may wait as well.
    wait_for("the connections to go", lambda: hung.waiting() <= 1)
    assert breaker(main, "hung")["failures"] == 0


@pytest.mark.parametrize("reply,error", [
    (b"I am no server\r\n\r\n", "RemoteProtocolError"),
    (b"HTTP/204 OK\r\nContent-Length: 0\r\n\r\n", "RemoteProtocolError"),
    (b"", "RemoteProtocolError"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"stat",
     "ReadError"),
    (http(200, b"<html>"), "JSONDecodeError"),
    (http(200, b"[1]"), "JSONDecodeError"),
    (http(200, b""), "JSONDecodeError"),
    (http(200, b'{"status": "\xff"}'), "JSONDecodeError"),
])
def test_a_child_that_lies(make_node, child, reply, error):
    liar = child(lambda request: reply)
    main = make_node({"chains": {"liar": liar.chain(
        retry={"total": 1, "backoff_factor": 0})}}).start()
    r = main.get("/v1/chain/liar/ping")
    assert r.status == 503
    assert r.json["error"] == error
    assert breaker(main, "liar")["failures"] == 1


def test_a_child_that_drips(make_node, child):
    slow = child(lambda request: drip())
    main = make_node({"chains": {"slow": slow.chain()}}).start()
    start = time.monotonic()
    r = main.get("/v1/chain/slow/ping",
                 headers={"X-Overlord-Deadline-Ms": "1000"})
    assert time.monotonic() - start < 5
    assert r.status == 503 and r.json["error"] == "ReadTimeout"


def big(mib):
    yield (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n{\"status\":\""
           % ((mib << 20) + 13))
    for _ in range(mib):
        yield b"x" * (1 << 20)
    yield b'"}'


def test_a_child_with_much_to_say(make_node, child):
    some, much = child(lambda request: big(8)), child(lambda request: big(64))
    main = make_node({"chains": {
        "some": some.chain(), "much": much.chain(retry={"total": 0})}}).start()
    r = main.get("/v1/chain/some/ping", described=False)
    assert r.status == 200 and len(r.json["status"]) == 8 << 20
    r = main.get("/v1/chain/much/ping")
    assert r.status == 503 and r.json["error"] == "RemoteProtocolError"
    assert main.get("/v1/ping").status == 200


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_a_child_behind_tls(make_node, child, tmp_path):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                    "-keyout", key, "-out", cert, "-subj", "/CN=child",
                    "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    below = child(lambda request: http(200, {"status": "OK"}), tls)
    chain = below.chain(retry={"total": 0})
    main = make_node({"chains": {
        "known": {**chain, "cacert": str(cert)}, "strange": chain}}).start()
    assert main.get("/v1/chain/known/ping").status == 200
    r = main.get("/v1/chain/strange/ping")
    assert r.status == 503 and r.json["error"] == "ConnectError"
    assert r.json["message"].startswith("certificate not trusted")


def test_what_a_child_leaves_out_has_a_default(make_node, child):
    bare = child(lambda request: http(200, {"status_code": 200, "new": 1}))
    main = make_node({"chains": {"bare": bare.chain()}}).start()
    base = "/v1/chain/bare"
    assert main.get(base + "/ping").json == {
        "status_code": 200, "new": 1, "status": "OK"}
    assert main.get(base + "/labels").json["labels"] == []
    assert main.get(base + "/projects/logs").json["logs"] == {}
    assert main.get(base + "/project/info/x").json["info"] == {}
    path = "/projects/log/2026-01-01_00h00m00s/web/start.log"
    assert main.get(base + path).json["log_content"] is None


def test_what_goes_down(make_node, child):
    below = child(lambda request: http(200, {"job_id": 5}))
    chain = below.chain()
    chain["entrypoint"] += "/prefix/"
    main = make_node({"chains": {"below": chain}}).start()
    r = main.post("/v1/chain/below/project/up/x",
                  {"director_file": "é", "other": 1, "environment": None})
    assert r.json == {"status_code": 200, "job_id": 5}
    head, _, body = below.requests[0].partition("\r\n\r\n")
    assert head.startswith("POST /prefix/v1/project/up/x HTTP/1.1\r\n")
    assert "Authentication: Bearer x\r\n" in head
    assert "Content-Type: application/json\r\n" in head
    assert re.search(r"X-Overlord-Via: \S+", head)
    assert int(re.search(r"X-Overlord-Deadline-Ms: (\d+)", head)[1]) < 8000
    assert json.loads(body) == {"director_file": "é", "environment": {},
                                "restart": False, "reserve_port": {}}
    main.post("/v1/chain/below.a.b/project/cancel/x")
    head, _, body = below.requests[1].partition("\r\n\r\n")
    assert head.startswith("POST /prefix/v1/chain/a.b/project/cancel/x ")
    assert body == ""


@pytest.mark.parametrize("status,counted", [
    (400, 0), (401, 0), (404, 0), (429, 0), (500, 0), (501, 0), (507, 0),
    (302, 0), (502, 1), (503, 1), (504, 1)])
def test_which_statuses_count(make_node, child, status, counted):
    below = child(lambda request: http(status, {"message": "no"}))
    main = make_node({"chains": {"below": below.chain(
        retry={"total": 0})}}).start()
    r = main.get("/v1/chain/below/ping")
    assert r.status == (503 if status == 302 else status)
    assert r.json["error"] == "HTTPStatusError"
    assert r.json["remote"] == {"message": "no"}
    assert breaker(main, "below")["failures"] == counted


def test_retries(make_node, child):
    tries = []

    def answer(request):
        tries.append(request)
        return (http(503, {"message": "later"}) if len(tries) < 3
                else http(200, {"status": "OK"}))
    below = child(answer)
    main = make_node({"chains": {"below": below.chain(
        retry={"total": 5, "backoff_factor": 0.01})}}).start()
    assert main.get("/v1/chain/below/ping").status == 200
    assert len(tries) == 3
    assert breaker(main, "below")["failures"] == 0
    tries.clear()
    # Never a POST.
    assert main.post("/v1/chain/below/project/cancel/x").status == 503
    assert len(tries) == 1


def test_what_others_have_repeated_is_not_repeated(make_node, child):
    below = child(lambda request: http(503, {
        "status_code": 503, "function": "ping", "entrypoint": "x",
        "chain": "", "error": "ConnectError", "message": "y"}))
    main = make_node({"chains": {"below": below.chain()}}).start()
    r = main.get("/v1/chain/below.x/ping")
    assert r.status == 503
    assert r.json["remote"]["error"] == "ConnectError"
    assert len(below.requests) == 1
    assert breaker(main, "below")["failures"] == 0


def test_retries_end_with_the_deadline(make_node, child):
    below = child(lambda request: http(503, {}, "Retry-After: 60"))
    main = make_node({"chains": {"below": below.chain()}}).start()
    start = time.monotonic()
    r = main.get("/v1/chain/below/ping",
                 headers={"X-Overlord-Deadline-Ms": "9000"})
    # It would wait for 10 s, in vain.
    assert time.monotonic() - start < 8
    assert r.status == 503 and len(below.requests) == 1


def test_a_dead_grandchild_costs_its_parent_nothing(make_node):
    alpha = make_node({"chains": {"dead": dead_chain(
        retry={"total": 1, "backoff_factor": 0})}}, name="alpha").start()
    main = make_node({"chains": {"alpha": chain_to(alpha)}},
                     name="main").start()
    r = main.get("/v1/chain/alpha.dead/ping")
    assert r.status == 503
    assert r.json["error"] == "HTTPStatusError"
    assert r.json["remote"]["error"] == "ConnectError"
    assert breaker(main, "alpha")["failures"] == 0
    assert breaker(alpha, "dead")["failures"] == 1
    assert main.get("/v1/chains").json["chains"] == ["alpha"]


def test_a_wrong_token(make_node):
    alpha = make_node(name="alpha").start()
    main = make_node({"chains": {"alpha": {
        "entrypoint": alpha.url(), "access_token": "wrong"}}},
        name="main").start()
    r = main.get("/v1/chain/alpha/ping")
    assert r.status == 401
    assert r.json["error"] == "HTTPStatusError"
    assert r.json["remote"]["message"] == "Error while decoding the JWT."
    r = main.request("HEAD", "/v1/chain/alpha/project/info/x")
    assert r.status == 503
    assert breaker(main, "alpha")["failures"] == 0


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps_rollup"),
                    reason="needs /proc")
def test_nothing_leaks(make_node, child):
    once = {"retry": {"total": 1, "backoff_factor": 0}}
    chains = {
        "dead": dead_chain(**once),
        "hung": child(lambda request: None).chain(**once),
        "slow": child(lambda request: drip()).chain(**once),
        "liar": child(lambda request: b"no\r\n\r\n").chain(**once),
        "busy": child(lambda request: http(503, {})).chain(**once)}
    main = make_node({"chains": chains, "log": {"level": "warn"},
                      "autodisable": {"failures": 10000}}).start()

    def round_trip():
        threads = [threading.Thread(target=main.get, args=(
            f"/v1/chain/{name}/ping",), kwargs={
                "headers": {"X-Overlord-Deadline-Ms": "300"}})
            for name in chains for _ in range(2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    for _ in range(2):
        round_trip()
    before = held(main)
    for _ in range(10):
        round_trip()
    wait_held(main, before)


# The breaker

def test_a_probe_opens_and_closes(make_node, child):
    state = {"reply": http(503, {})}
    below = child(lambda request: state["reply"])
    main = make_node({"chains": {"below": below.chain(retry={"total": 0})},
                      "autodisable": {"failures": 1, **QUICK}}).start()
    assert main.get("/v1/chain/below/ping").status == 503
    assert breaker(main, "below")["state"] == "open"
    assert main.get("/v1/chain/below/ping").json["error"] == (
        "UnavailableChain")
    assert len(below.requests) == 1
    wait_for("half-open",
             lambda: breaker(main, "below")["state"] == "half-open")
    assert main.get("/v1/chains").json["chains"] == ["below"]
    # One probe at a time.
    state["reply"] = None
    t = threading.Thread(target=lambda: main.get(
        "/v1/chain/below/ping", headers={"X-Overlord-Deadline-Ms": "1000"}))
    t.start()
    wait_for("the probe", lambda: len(below.requests) == 2)
    assert breaker(main, "below")["probing"]
    assert main.get("/v1/chain/below/ping").json["error"] == (
        "UnavailableChain")
    t.join()
    now = breaker(main, "below")
    assert (now["state"], now["failures"]) == ("open", 2)
    assert now["next_probe"] > 1
    state["reply"] = http(200, {"status": "OK"})
    wait_for("half-open again",
             lambda: breaker(main, "below")["state"] == "half-open")
    assert main.get("/v1/chain/below/ping").status == 200
    now = breaker(main, "below")
    assert (now["state"], now["failures"]) == ("closed", 0)
    assert now["next_probe"] is None


def test_without_strict_and_without_breaker(make_node):
    chains = {"dead": dead_chain(retry={"total": 0})}
    for options, listed in (({"strict": False}, []),
                            ({"enabled": False}, ["dead"])):
        main = make_node({"chains": chains, "autodisable": {
            "failures": 1, **options}}, name=f"n{len(listed)}").start()
        for _ in range(3):
            r = main.get("/v1/chain/dead/ping")
            assert r.json["error"] == "ConnectError"
        assert main.get("/v1/chains").json["chains"] == listed


def test_a_child_is_restarted(make_node):
    alpha = make_node(name="alpha").start()
    host, port = alpha.address()
    alpha.configure({"listen": [f"{host}:{port}"]})
    main = make_node({"chains": {"alpha": chain_to(
        alpha, retry={"total": 0})}, "autodisable": QUICK},
        name="main").start()
    assert main.get("/v1/chain/alpha/ping").status == 200
    assert alpha.stop() == 0
    for _ in range(2):
        assert main.get("/v1/chain/alpha/ping").status == 503
    assert main.get("/v1/chains").json["chains"] == []
    alpha.start()
    wait_for("it to be listed",
             lambda: main.get("/v1/chains").json["chains"] == ["alpha"])
    assert main.get("/v1/chain/alpha/ping").status == 200
    assert breaker(main, "alpha")["failures"] == 0


def test_the_heartbeat(make_node):
    alpha = make_node(name="alpha").start()
    host, port = alpha.address()
    alpha.configure({"listen": [f"{host}:{port}"]})
    main = make_node({
        "chains": {"alpha": chain_to(alpha, retry={"total": 0})},
        "polling": {"heartbeat": 0, "skew": [0, 0]}}, name="main").start()
    wait_for("a result", lambda: breaker(main, "alpha")["healthy"])
    assert alpha.stop() == 0
    wait_for("it to be hidden",
             lambda: main.get("/v1/chains").json["chains"] == [])
    now = breaker(main, "alpha")
    assert (now["state"], now["failures"], now["healthy"]) == (
        "open", 0, False)
    assert main.get("/v1/chain/alpha/ping").json["error"] == (
        "UnavailableChain")
    alpha.start()
    wait_for("it to be shown",
             lambda: main.get("/v1/chains").json["chains"] == ["alpha"])
    assert main.get("/v1/chain/alpha/ping").status == 200


def test_a_reload(make_node):
    alpha = make_node(name="alpha").start()
    main = make_node({"chains": {"alpha": dead_chain(retry={"total": 0}),
                                 "off": dead_chain(disable=True)},
                      "autodisable": {"failures": 1}}, name="main").start()
    assert main.get("/v1/chains").json["chains"] == ["alpha"]
    assert main.get("/v1/chain/off/ping").status == 404
    assert main.get("/v1/chain/alpha/ping").status == 503
    main.options["chains"] = {"beta": chain_to(alpha),
                              "alpha": chain_to(alpha)}
    main.configure({})
    main.signal(main.process.pid, 1)
    wait_for("the new chain",
             lambda: main.get("/v1/chains").json["chains"] == ["beta"])
    # What is known of a chain stays known.
    assert breaker(main, "alpha")["state"] == "open"
    assert main.get("/v1/chain/beta/ping").status == 200
    main.options["chains"] = {}
    main.configure({})
    main.signal(main.process.pid, 1)
    wait_for("no chain",
             lambda: main.get("/v1/breakers").json["breakers"] == {})


def test_a_token_for_some_projects_sees_no_others_below(tree):
    main = tree["main"]
    token = main.token(projects=["mine"])
    chain = "/v1/chain/alpha.charlie"
    for path, status in (("/ping", 200), ("/labels", 200), ("/chains", 200),
                         ("/project/info/mine", 404),
                         ("/project/info/other", 403), ("/projects", 403),
                         ("/jobs", 403), ("/jobs/1", 403),
                         ("/projects/logs", 403), ("/breakers", 403)):
        r = main.get(chain + path, token=token)
        assert r.status == status, (path, r)
        assert status != 403 or "function" not in r.json
    r = main.post(chain + "/project/cancel/mine",
                  token=main.token(scope="read"))
    assert r.status == 403 and "function" not in r.json


# Circles

def test_servers_that_list_each_other(make_node):
    alpha = make_node(name="alpha").start()
    host, port = alpha.address()
    alpha.configure({"listen": [f"{host}:{port}"]})
    main = make_node({"chains": {"alpha": chain_to(alpha)}},
                     name="main").start()
    alpha.configure({"chains": {"main": chain_to(main)}})
    alpha.restart()
    assert main.get("/v1/chain/alpha/chains").json["chains"] == ["main"]
    for path in ("alpha.main", "alpha.main.alpha",
                 ".".join(["alpha", "main"] * 8)):
        r = main.get(f"/v1/chain/{path}/ping")
        assert r.status == 508, r
        inner = r.json
        while "remote" in inner:
            inner = inner["remote"]
        assert inner["message"].startswith("The chain leads back")
    assert main.get("/v1/chain/alpha/ping").status == 200
    assert breaker(main, "alpha")["failures"] == 0
    assert breaker(alpha, "main")["failures"] == 0


# The client

def deployment(path, entrypoint, token, label):
    path.write_text(f"""\
kind: directorProject
datacenters:
  main:
    entrypoint: '{entrypoint}'
    access_token: '{token}'
deployIn:
  labels: [{label}]
projectName: web
projectFile: |
  services:
    web:
      makejail: x
""")
    return str(path)


def five(make_node):
    """main -> alpha, bravo; alpha -> charlie -> delta."""
    nodes = make_tree(make_node, ("charlie", "delta"),
                      {"labels": ["all", "db-only"]})
    nodes["bravo"] = make_node(name="bravo").start()
    nodes["alpha"] = make_node({"chains": {
        "charlie": chain_to(nodes["charlie"])}}, name="alpha").start()
    nodes["main"] = make_node({"chains": {
        "alpha": chain_to(nodes["alpha"]),
        "bravo": chain_to(nodes["bravo"])}}, name="main").start()
    return nodes


def test_the_client_deploys_by_label_in_a_tree(make_node, tmp_path):
    nodes = five(make_node)
    main = nodes["main"]
    f = deployment(tmp_path / "web.yml", main.url(), main.token(), "db-only")
    r = overlord(tmp_path, "apply", "-f", f, "--wait")
    assert r.rc == 0, r
    for name, node in nodes.items():
        want = ["web"] if name in ("charlie", "delta") else []
        assert node.get("/v1/projects").json["projects"] == want, name
    r = overlord(tmp_path, "get-info", "-f", f, "-t", "projects")
    assert r.rc == 0 and "delta" in r.out, r
    r = overlord(tmp_path, "destroy", "-f", f)
    assert r.rc == 0, r


def test_the_client_in_a_circle(make_node, tmp_path):
    alpha = make_node(name="alpha").start()
    host, port = alpha.address()
    alpha.configure({"listen": [f"{host}:{port}"]})
    main = make_node({"chains": {"alpha": chain_to(alpha)}},
                     name="main").start()
    alpha.configure({"chains": {"main": chain_to(main)}})
    alpha.restart()
    f = deployment(tmp_path / "web.yml", main.url(), main.token(), "all")
    r = overlord(tmp_path, "apply", "-f", f, "--wait")
    for node in (main, alpha):
        ups = [j for j in node.get("/v1/jobs").json["jobs"]
               if j["type"] == "up"]
        assert len(ups) == 1
    # It is told that a branch of the tree could not be seen.
    assert "alpha.main" in r.err
