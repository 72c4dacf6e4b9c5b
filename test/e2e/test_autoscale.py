# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The autoscaler (runtime.md 5) of real servers: replicas that come, die and
are replaced; rules; redeployment, cleanup; what it writes down."""

import base64
import json
import subprocess
import time

import pytest

from cli_support import overlord, write
from fake_server import FakeServer
from node import DEADLINE, DIRECTOR_FILE, STANDINS, chain_to, wait_for
from original import Original

# A look every second; what is on the servers is looked at as often.
EAGER = {"autoscale": 0, "skew": [0, 0], "jails": 1, "projects": 1}
# Only what happens makes it look again.
LAZY = {**EAGER, "autoscale": 3600}
KEY = "/v1/metadata/overlord.autoscale.web"
CLEANUP = "/v1/metadata/overlord.autoscale-cleanup.web"


@pytest.fixture
def star(make_node):
    """main with children alpha and bravo: {name: node}."""
    def make(polling=EAGER, **options):
        nodes, chains = {}, {}
        for name in ("alpha", "bravo"):
            nodes[name] = make_node({"labels": ["all", name],
                                     "polling": polling}, name=name).start()
            chains[name] = chain_to(nodes[name])
        nodes["main"] = make_node({
            "labels": ["all", "main"], "polling": polling, "chains": chains,
            **options}, name="main").start()
        return nodes
    return make


def scale(node, file=DIRECTOR_FILE, environment=None, **auto):
    """Asks a server to scale the project."""
    text = json.dumps({"projectFile": file, "environment": environment or {},
                       "autoScale": auto, "reserve_port": {}})
    method = "PUT" if node.request("HEAD", KEY).status == 200 else "POST"
    r = node.request(method, KEY, {"value": text})
    assert r.status in (200, 201), r


def status(node):
    r = node.get("/v1/project/autoscale/web")
    return r.json["status"] if r.status == 200 else None


def logs(node):
    return (status(node) or {"logs": []})["logs"]


def entries(node, **members):
    """Entries of the log with these members."""
    return [x for x in logs(node)
            if all(x.get(k, "") == v for k, v in members.items())]


def services(node):
    r = node.get("/v1/project/info/web")
    return r.json["info"].get("services", []) if r.status == 200 else []


def is_well(node):
    """It has the project, and its jail runs."""
    found = services(node)
    return found != [] and all(s["status"] == 0 for s in found)


def has(nodes, *names):
    """Exactly these have the project, and it is well there."""
    return all(is_well(n) if name in names else not services(n)
               for name, n in nodes.items())


def jail(node):
    return services(node)[0]["jail"]


def appjail(node, *args):
    subprocess.run([STANDINS / "appjail", *args], env=node.env(), check=True,
                   stdout=subprocess.DEVNULL)


def uses(node, **figures):
    """What the jail of the replica uses from now on."""
    path = node.standin / "jails" / jail(node) / "rctl"
    path.write_text("".join(f"{k}={v}\n" for k, v in figures.items()))


def jobs(node, kind=None):
    """Oldest first."""
    r = node.get("/v1/jobs?name=web")
    return [j for j in reversed(r.json["jobs"])
            if kind is None or j["type"] == kind]


# Replicas


def test_as_many_as_are_wanted_here_first(star):
    nodes = star()
    main = nodes["main"]
    assert main.get("/v1/project/autoscale/web").status == 404
    scale(main, replicas={"min": 2}, environment={"A": "1"})
    wait_for("two replicas", lambda: has(nodes, "main", "alpha"))
    wait_for("a round that has nothing to do",
             lambda: status(main)["operation"] == "COMPLETED")
    assert list(status(main))[:3] == ["last_update", "operation", "logs"]
    assert entries(main, context="metadata") == [
        {"project": "web", "chain": c, "context": "metadata", "length": 0,
         "response": None} for c in (None, "alpha")]
    for name, chain in (("main", None), ("alpha", "alpha")):
        job, = jobs(nodes[name])
        assert {"project": "web", "chain": chain, "context": "up",
                "response": {"status_code": 200, "job_id": job["id"]}} \
            in logs(main)
        spec = nodes[name].get("/v1/project/spec/web").json["spec"]
        assert spec["environment"] == {"A": "1"}
    assert jobs(main)[0]["by"] == "autoscaler@127.0.0.1"
    # It does no more, round after round.
    before = len(logs(main))
    rounds = completed(main)
    wait_for("more rounds", lambda: completed(main) > rounds + 3)
    assert len(logs(main)) == before
    assert [len(jobs(n)) for n in nodes.values()] == [1, 0, 1]


def completed(node, kind='rounds_total{outcome="completed"}'):
    text = node.get("/v1/metrics").text
    line, = [x for x in text.splitlines()
             if x.startswith("overlord_autoscale_" + kind)]
    return int(line.split(" ")[1])


def test_only_servers_with_the_labels(star):
    nodes = star()
    main = nodes["main"]
    scale(main, replicas={"min": 2}, labels=["bravo", "unknown"])
    wait_for("a shortage", lambda: entries(
        main, response="Insufficient nodes to replicate the project (1/2)",
        nodes=1, min=2))
    wait_for("the one replica", lambda: has(nodes, "bravo"))


def test_a_replica_whose_jail_dies_is_replaced(star):
    """Not at the next look, which is an hour away."""
    nodes = star(LAZY)
    main, alpha = nodes["main"], nodes["alpha"]
    scale(main, labels=["alpha"])
    wait_for("the replica", lambda: has(nodes, "alpha"))
    # What is just there and breaks would be left alone for an interval.
    wait_for("the end of its job", lambda: entries(main, context="up"))
    scale(main, labels=["alpha", "bravo"], replicas={"max": 1})
    wait_for("the redeployment", lambda: len(jobs(alpha, "up")) == 2
             and jobs(alpha)[-1]["state"] == "completed")
    began = time.monotonic()
    appjail(alpha, "stop", jail(alpha))
    wait_for("another replica", lambda: is_well(nodes["bravo"])
             or is_well(alpha))
    assert time.monotonic() - began < 60


def test_a_replica_that_is_destroyed_by_hand_is_replaced(star):
    nodes = star(LAZY)
    main, alpha = nodes["main"], nodes["alpha"]
    scale(main, labels=["alpha", "bravo"])
    wait_for("the replica", lambda: has(nodes, "alpha"))
    assert alpha.wait_job(alpha.down("web"))["state"] == "completed"
    wait_for("another replica", lambda: is_well(nodes["bravo"])
             or is_well(alpha))


def test_a_server_that_dies_is_replaced_and_may_come_back(star):
    nodes = star()
    main, alpha = nodes["main"], nodes["alpha"]
    scale(main, labels=["alpha", "bravo"])
    wait_for("the replica", lambda: has(nodes, "alpha"))
    address = alpha.addresses()[0]
    alpha.kill()
    wait_for("a replica elsewhere", lambda: is_well(nodes["bravo"]))
    alpha.configure({"listen": [address]})
    alpha.start()
    wait_for("the surplus to go", lambda: entries(main, context="down"))
    wait_for("one replica", lambda: has(nodes, "alpha")
             or has(nodes, "bravo"))


def test_one_that_fails_is_left_alone_for_another(star):
    nodes = star()
    main = nodes["main"]
    main.behave("web", "rc=1")
    scale(main)
    wait_for("a replica elsewhere", lambda: is_well(nodes["alpha"]))
    assert len(jobs(main)) == 1


def test_what_breaks_at_once_is_not_hammered(star):
    """Rests of 1, 2, 4 and 8 intervals; the record says that it is short."""
    nodes = star()
    main = nodes["main"]
    main.behave("web", "rc=1")
    scale(main, labels=["main"])
    rounds = completed(main)
    wait_for("rounds", lambda: completed(main) > rounds + 10)
    assert 2 <= len(jobs(main)) <= 6
    assert entries(main, min=1, nodes=0)


def test_a_server_that_restarts_waits_first(star):
    nodes = star()
    main = nodes["main"]
    scale(main)
    wait_for("the replica", lambda: has(nodes, "main"))
    main.configure({"polling": {**EAGER, "autoscale": 3600}})
    main.restart()
    assert main.wait_job(main.down("web"))["state"] == "completed"
    assert main.get("/v1/jobs?name=web").json["jobs"][0]["type"] == "down"
    assert completed(main) == 0


# Rules


def test_rules_make_more_and_less(star):
    nodes = star()
    main, alpha = nodes["main"], nodes["alpha"]
    scale(main, rules={"nthr": 10}, replicas={"max": 2})
    wait_for("the replica", lambda: is_well(main))
    uses(main, nthr=20)
    wait_for("help", lambda: is_well(alpha))
    uses(alpha, nthr=1)
    # Told once, although the record is written before and after acting.
    told = [(x["context"], x["response"]) for x in logs(main)]
    told = told[:told.index(("metadata", None), 1) + 1]
    assert told[-2] == ("rctl", False) and told[-3] != told[-2], told
    uses(main, nthr=5)
    wait_for("the surplus to go", lambda: has(nodes, "alpha"))
    assert entries(main, chain="alpha", context="rctl", response=True)
    assert len(jobs(nodes["bravo"])) == 0
    # Nothing is taken away before it has settled for three intervals.
    up = jobs(alpha, "up")[-1]["created_at"]
    down = jobs(main, "down")[-1]["created_at"]
    assert down - up >= 3
    assert completed(main, 'jobs_total{kind="up"}') == 2
    assert completed(main, 'jobs_total{kind="down"}') == 1


def test_economy_is_of_the_server(star):
    nodes = star()
    main = nodes["main"]
    scale(main, economy={"nthr": 10}, replicas={"max": 2})
    wait_for("the replica", lambda: is_well(main))
    uses(main, nthr=20)
    wait_for("help", lambda: is_well(nodes["alpha"]))
    assert entries(main, chain=None, context="economy", response=False)


def page(metric, nature, value):
    def element(pos, name, origin, nature, value):
        return {"objType": "Backend", "proxyId": 3, "id": 0,
                "field": {"pos": pos, "name": name}, "processNum": 1,
                "tags": {"origin": origin, "nature": nature,
                         "scope": "Service"},
                "value": {"type": "u64", "value": value}}
    return [[element(0, "pxname", "Key", "Name", "web"),
             element(4, metric, "Metric", nature, value)]]


def test_figures_of_haproxy(star, servers):
    proxy = servers(FakeServer())
    said = {"value": 10}
    proxy.on("GET", "/stats/;json", 200,
             lambda _: (200, page("stot", "Counter", said["value"])))
    nodes = star(haproxy_stats={
        "entrypoint": proxy.url + "/stats/",
        "auth": {"username": "admin", "password": "secret"}})
    main = nodes["main"]
    scale(main, replicas={"max": 2}, **{"load-balancer": {"backend": {
        "name": "web", "rules": {"and": {"stot": {"value": 25}}}}}})
    wait_for("a good test", lambda: entries(
        main, context="load-balancer", response=True))
    request = proxy.requests[0]
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(
        b"admin:secret").decode()
    # HAProxy begins anew, the figure goes on: 10 + 20.
    said["value"] = 5
    seen = len(proxy.requests)
    wait_for("another look", lambda: len(proxy.requests) > seen + 1)
    main.restart()
    said["value"] = 20
    wait_for("help", lambda: is_well(nodes["alpha"]))
    assert entries(main, chain=None, context="load-balancer", response=False)


def test_haproxy_that_says_nothing_changes_nothing(star, servers):
    proxy = servers(FakeServer())
    proxy.on("GET", "/;json", 500, {"error": "no"})
    nodes = star(haproxy_stats={
        "entrypoint": proxy.url,
        "auth": {"username": "admin", "password": "secret"}})
    main = nodes["main"]
    scale(main, replicas={"min": 2}, **{"load-balancer": {"backend": {
        "name": "web", "rules": {"and": {"stot": {"value": 25}}}}}})
    wait_for("two replicas", lambda: has(nodes, "main", "alpha"))
    # One would be too many, were the figures known.
    scale(main, replicas={"min": 1}, **{"load-balancer": {"backend": {
        "name": "web", "rules": {"and": {"stot": {"value": 25}}}}}})
    wait_for("an exception", lambda: entries(main, chain="alpha", exception={
        "type": "HTTPStatusError", "message": "status 500"}))
    rounds = completed(main)
    wait_for("more rounds", lambda: completed(main) > rounds + 6)
    assert has(nodes, "main", "alpha")


def test_haproxy_that_is_not_configured(star):
    main = star()["main"]
    scale(main, **{"load-balancer": {"frontend": {
        "name": "web", "rules": {"or": {"scur": {"value": 25}}}}}})
    wait_for("an exception", lambda: entries(main, exception={
        "type": "ConfigError",
        "message": "HAProxy Stats client is not configured."}))


# Metadata


def test_a_new_text_is_deployed_where_it_runs(star):
    nodes = star()
    main, alpha = nodes["main"], nodes["alpha"]
    scale(main, replicas={"min": 2}, environment={"A": "1"})
    wait_for("two replicas", lambda: has(nodes, "main", "alpha"))
    scale(main, replicas={"min": 2}, environment={"A": "2"})

    def is_new(node):
        spec = node.get("/v1/project/spec/web").json["spec"]
        return spec["environment"] == {"A": "2"}
    wait_for("the new text", lambda: is_new(main) and is_new(alpha))
    assert len(jobs(nodes["bravo"])) == 0


def test_a_text_that_was_changed_while_it_was_down(star):
    nodes = star()
    main = nodes["main"]
    scale(main, environment={"A": "1"})
    wait_for("the replica", lambda: has(nodes, "main"))
    wait_for("the end of the round",
             lambda: status(main)["operation"] == "COMPLETED")
    assert main.stop() == 0
    file, = main.root.rglob("overlord.autoscale.web")
    file.write_text(file.read_text() + "\n")
    main.start()
    wait_for("a redeployment", lambda: len(jobs(main, "up")) == 2)


def test_what_goes_along(star):
    nodes = star()
    main, alpha = nodes["main"], nodes["alpha"]
    assert main.post("/v1/metadata/conf",
                     {"value": "text"}).status == 201
    scale(main, replicas={"min": 2}, metadata=["conf"])
    wait_for("two replicas", lambda: has(nodes, "main", "alpha"))
    assert alpha.get("/v1/metadata/conf").json["metadata"] == "text"
    assert entries(main, chain="alpha", context="metadata", length=1)
    assert nodes["bravo"].request("HEAD", "/v1/metadata/conf").status == 404


def test_rounds_that_fail_and_then_do_not(star):
    nodes = star()
    main = nodes["main"]
    scale(main, metadata=["conf"])
    wait_for("a failure", lambda: entries(main, exception={
        "type": "MetadataNotFound", "message": "conf: metadata not found."}))
    assert status(main)["operation"] == "FAILED"
    scale(main, replicas={"min": 3, "max": 2})
    wait_for("another one", lambda: entries(main, exception={
        "type": "InvalidSpec", "message":
        "The maximum number of replicates is less than the minimum: 2 < 3"}))
    assert main.request("PUT", KEY, {"value": "{"}).status == 200
    wait_for("one more", lambda: [
        x for x in logs(main)
        if x.get("exception", {}).get("type") == "JSONDecodeError"])
    assert completed(main, 'rounds_total{outcome="failed"}') >= 3
    assert not any(jobs(n) for n in nodes.values())
    scale(main)
    wait_for("the replica", lambda: has(nodes, "main"))


def test_the_end_of_a_project(star):
    nodes = star()
    main = nodes["main"]
    scale(main, replicas={"min": 2})
    wait_for("two replicas", lambda: has(nodes, "main", "alpha"))
    assert main.post(CLEANUP, {"value": json.dumps({"force": True})}
                     ).status == 201
    wait_for("the metadata to go",
             lambda: main.get("/v1/metadata").json["metadata"] == [])
    assert has(nodes)
    for chain in (None, "alpha"):
        assert entries(main, chain=chain, context="down", force=True)
    wait_for("the last word", lambda: entries(
        main, project="web", context="destroy",
        response="There are no more nodes to destroy the project."))
    # A project of that name begins anew.
    wait_for("it to be forgotten",
             lambda: "no longer scaled" in main.log_text())
    scale(main, labels=["bravo"])
    wait_for("the replica", lambda: has(nodes, "bravo"))
    assert not entries(main, context="down")


def test_the_end_waits_for_servers_that_cannot_be_asked(star):
    nodes = star()
    main, bravo = nodes["main"], nodes["bravo"]
    scale(main)
    wait_for("the replica", lambda: has(nodes, "main"))
    address = bravo.addresses()[0]
    bravo.kill()
    assert main.post(CLEANUP, {"value": "{}"}).status == 201
    wait_for("a word about it", lambda: entries(
        main, context="destroy", fails=1))
    assert not services(main)
    assert main.request("HEAD", KEY).status == 200
    bravo.configure({"listen": [address]})
    bravo.start()
    wait_for("the metadata to go",
             lambda: main.get("/v1/metadata").json["metadata"] == [])


def test_logs_have_a_limit(star):
    main = star(max_autoscale_logs=4)["main"]
    scale(main, rules={"nthr": 10}, labels=["main"])
    wait_for("the replica", lambda: is_well(main))
    rounds = completed(main)
    wait_for("rounds", lambda: completed(main) > rounds + 5)
    assert [x["context"] for x in logs(main)] == ["rctl"] * 4


# The client


def file_for(node, tmp_path, auto, name="web"):
    """A deployment file for the autoscaler of this server."""
    write(tmp_path / "scaled.yml", json.dumps({
        "kind": "directorProject",
        "datacenters": {"main": {"entrypoint": node.url(),
                                 "access_token": node.token()}},
        "deployIn": {"labels": ["main"]}, "projectName": name,
        "projectFile": DIRECTOR_FILE, "autoScale": auto}))


def client(tmp_path, command, *args):
    return overlord(tmp_path, command, "-f", "scaled.yml", *args,
                    timeout=DEADLINE)


def test_apply_and_destroy_wait_for_the_autoscaler(star, tmp_path):
    nodes = star()
    main = nodes["main"]
    file_for(main, tmp_path, {"replicas": {"min": 2}})
    r = client(tmp_path, "apply", "--wait")
    assert r.rc == 0 and "main  <root>  web  ok" in r.err, r
    assert has(nodes, "main", "alpha")
    assert status(main)["replicas"] == {"ready": 2, "coming": 0, "min": 2}
    # It is so already.
    r = client(tmp_path, "apply", "--wait")
    assert r.rc == 0, r
    r = client(tmp_path, "get-info", "-t", "autoscale", "--filter", "web")
    assert r.rc == 0 and "operation: COMPLETED" in r.out, r
    r = client(tmp_path, "destroy", "--wait")
    assert r.rc == 0 and "main  <root>  web  ok" in r.err, r
    assert has(nodes)


def test_waiting_for_what_cannot_be(star, tmp_path):
    main = star()["main"]
    file_for(main, tmp_path, {"replicas": {"min": 4}, "labels": ["main"]})
    r = client(tmp_path, "apply", "--wait", "--timeout", "5s")
    assert r.rc == 75 and "of 4 replicas" in r.err, r
    file_for(main, tmp_path, {"metadata": ["none"]})
    r = client(tmp_path, "apply", "--wait")
    assert r.rc == 1 and "none: metadata not found." in r.err, r
    assert "get-info -f scaled.yml -t autoscale --filter web" in r.err


# Other servers, other addresses


def test_an_original_gets_its_jobs(make_node, tmp_path):
    below = Original(tmp_path / "original", labels=["all", "old"]).start()
    try:
        main = make_node({
            "labels": ["main"], "polling": EAGER,
            "chains": {"old": chain_to(below)}}).start()
        assert main.post("/v1/metadata/conf", {"value": "x"}).status == 201
        scale(main, metadata=["conf"])
        wait_for("its job", below.jobs)
        assert below.jobs()[0] == ["up", "web", {
            "director_file": DIRECTOR_FILE, "environment": {},
            "restart": False, "reserve_port": {}}]
        r = main.get("/v1/chain/old/metadata/conf")
        assert r.json["metadata"] == "x"
        # Nobody tells what became of it, and it is not asked again.
        rounds = completed(main)
        wait_for("rounds", lambda: completed(main) > rounds + 3)
        assert len(below.jobs()) == 1
    finally:
        below.dispose()


@pytest.mark.parametrize("address", ["unix", "*:0", "[::1]:0"])
def test_it_finds_its_own_server(make_node, tmp_path, address):
    """Wherever it listens, and through no proxy."""
    if address == "unix":
        address = f"unix:{tmp_path}/s"
    node = make_node({"listen": [address, "127.0.0.1:0"], "polling": EAGER},
                     environment={"http_proxy": "http://127.0.0.1:9",
                                  "HTTP_PROXY": "http://127.0.0.1:9"})
    node.start()
    node.addresses = lambda all=node.addresses: all()[1:]
    scale(node)
    wait_for("the replica", lambda: is_well(node))
