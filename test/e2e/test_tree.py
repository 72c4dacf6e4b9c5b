# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""GET /v1/tree: one request for a whole subtree of real daemons, with children
that fail in every way, and originals at each place."""

import json
import threading
import time

import pytest

from children import breaker, dead_chain, drip, http
from cli_support import overlord
from node import Node, chain_to, make_tree, wait_for
from original import Original

NAMES = ("main", "alpha", "charlie", "delta")


def tree(node, query="", **kwargs):
    r = node.get("/v1/tree" + query, **kwargs)
    assert r.status == 200, r
    return r.json["tree"]


def flat(top, path=()):
    """{dotted path: server}"""
    found = {".".join(path): top}
    for child in top.get("chains", []):
        found.update(flat(child, (*path, child["chain"])))
    return found


def facts(top):
    """What there is, without who says it and how it was found."""
    if isinstance(top, dict):
        return {k: facts(v) for k, v in top.items()
                if k not in ("server", "version", "walked", "last_update")}
    return [facts(v) for v in top] if isinstance(top, list) else top


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    """main -> alpha -> charlie -> delta with a project, left as they are."""
    made = []
    root = tmp_path_factory.mktemp("tree")

    def make(options=None, environment=None, name="node"):
        made.append(Node(root / name, options, environment))
        return made[-1]
    try:
        nodes = make_tree(make, NAMES)
        for name in ("charlie", "delta"):
            nodes[name].wait_job(nodes[name].up("web"))
        yield nodes
    finally:
        for node in made:
            node.dispose()


# What it says

def test_one_answer_is_that_of_many(four):
    main = four["main"]
    top = tree(main, "?include=labels,projects,jails,info,stats,breakers")
    found = flat(top)
    assert list(found) == ["", "alpha", "alpha.charlie", "alpha.charlie.delta"]
    for path, server in found.items():
        base = f"/v1/chain/{path}" if path else "/v1"
        for word in ("labels", "projects", "jails", "stats"):
            assert server[word] == main.get(f"{base}/{word}").json[word]
        assert [c["chain"] for c in server["chains"]] == \
            main.get(base + "/chains").json["chains"]
        assert list(server["info"]) == server["projects"]
        for name, info in server["info"].items():
            real = main.get(f"{base}/project/info/{name}").json["info"]
            assert facts(info) == facts(real)
        assert list(server["breakers"]) == \
            [c["chain"] for c in server["chains"]]
        assert "error" not in server and "truncated" not in server
    assert found["alpha.charlie.delta"]["projects"] == ["web"]
    assert len({s["server"] for s in found.values()}) == 4
    assert {s["version"] for s in found.values()} == {top["version"]}
    # Nothing that was not asked for.
    assert set(tree(main)) == {"server", "version", "chains"}


def test_depth(four):
    main = four["main"]
    for depth in range(4):
        found = flat(tree(main, f"?depth={depth}&include=labels"))
        assert len(found) == depth + 1
        last = list(found.values())[-1]
        if depth == 3:
            assert last["chains"] == [] and "truncated" not in last
        else:
            assert last["truncated"] == ["chains"] and "chains" not in last
        assert all(s["labels"][0] == "all" for s in found.values())


def test_a_project(four):
    main = four["main"]
    found = flat(tree(main, "?include=projects,info&project=web"))
    assert [list(s["info"]) for s in found.values()] == \
        [[], [], ["web"], ["web"]]
    assert found["alpha.charlie"]["info"]["web"]["state"] == "DONE"
    found = flat(tree(main, "?include=projects,info&project=none"))
    assert all(s["info"] == {} and s["projects"] == []
               for s in found.values())


def test_the_twin_is_a_part(four):
    query = "?include=labels,projects,info"
    whole = tree(four["main"], query)
    for path, server in flat(whole).items():
        if path:
            r = four["main"].get(f"/v1/chain/{path}/tree{query}")
            assert r.status == 200, r
            assert facts({"chain": server["chain"], **r.json["tree"]}) == \
                facts(server)
    r = four["main"].get("/v1/chain/alpha/tree?depth=0")
    assert r.json["tree"]["truncated"] == ["chains"]
    r = four["main"].get("/v1/chain/alpha.nobody/tree")
    assert r.status == 404 and r.json["function"] == "get_tree"


@pytest.mark.parametrize("query,word", [
    ("include=", "labels, projects"), ("include=labels,nope", "nope"),
    ("include=LABELS", "LABELS"), ("depth=17", "depth"), ("depth=-1", "depth"),
    ("depth=x", "depth"), ("timeout_ms=0", "timeout_ms"), ("labels=1", "labels"),
    ("timeout_ms=600001", "timeout_ms"), ("project=a%2Fb", "project"),
    ("project=%ff", "project"), ("include=%zz", "include")])
def test_queries_that_make_no_sense(four, query, word):
    for path in ("/v1/tree?", "/v1/chain/alpha/tree?"):
        r = four["main"].get(path + query)
        assert r.status == 400 and word in r.json["message"], r


def test_a_token_for_some_projects(four):
    charlie = four["charlie"]
    charlie.wait_job(charlie.up("dns"))
    main = four["main"]
    token = main.token(projects=["dns"])
    query = "?include=labels,projects,info"
    found = flat(tree(main, query, token=token))
    assert [s["projects"] for s in found.values()] == [[], [], ["dns"], []]
    assert [list(s["info"]) for s in found.values()] == [[], [], ["dns"], []]
    assert found["alpha"]["labels"] == ["all", "alpha"]
    assert flat(tree(main, query))["alpha.charlie"]["projects"] == \
        ["dns", "web"]
    for bad in ("?include=jails", "?include=labels,breakers",
                "?include=stats", "?project=web"):
        r = main.get("/v1/tree" + bad, token=token)
        assert r.status == 403, r
    r = main.get("/v1/chain/alpha/tree", token=token)
    assert r.status == 403 and "function" not in r.json
    charlie.wait_job(charlie.down("dns"))


# Originals

WORDS = "labels,projects,jails,info,stats"
PROJECTS = {"web": {"name": "web", "state": "DONE", "services": []}}


def mixed(make_node, tmp_path, made, originals):
    """The four with their labels; these are originals."""
    below = None
    nodes = {}
    for name in reversed(NAMES):
        chains = {} if below is None else {
            below.root.name: chain_to(below)}
        if name in originals:
            below = Original(tmp_path / name, labels=["all", name],
                             chains=chains, jails=["j-" + name],
                             stats={"pcpu": 1},
                             projects=PROJECTS)
            made.append(below)
        else:
            below = make_node({"labels": ["all", name], "chains": chains},
                              name=name)
        nodes[name] = below.start()
    return nodes


@pytest.fixture
def made():
    nodes = []
    yield nodes
    for n in nodes:
        n.dispose()


@pytest.mark.parametrize("originals", [
    ("alpha",), ("charlie",), ("delta",), ("alpha", "charlie"),
    ("charlie", "delta"), ("alpha", "delta"), ("alpha", "charlie", "delta")],
    ids="-".join)
def test_originals_at_each_place(make_node, tmp_path, made, originals):
    nodes = mixed(make_node, tmp_path, made, originals)
    main = nodes["main"]
    for _ in range(2):
        found = flat(tree(main, "?include=" + WORDS))
        assert list(found) == ["", "alpha", "alpha.charlie",
                               "alpha.charlie.delta"]
        walked = False
        for name, server in zip(NAMES, found.values()):
            walked = walked or name in originals
            assert server.get("walked", False) == walked
            assert server["labels"] == ["all", name]
            mine = name in originals
            assert server["projects"] == (["web"] if mine else [])
            assert server["info"] == (PROJECTS if mine else {})
            assert server["jails"] == (["j-" + name] if mine else [])
            assert server["stats"] == ({"pcpu": 1} if mine else {})
            assert "error" not in server and "truncated" not in server
    assert breaker(main, "alpha")["failures"] == 0
    found = flat(tree(main, "?include=info,projects&project=web"))
    assert [list(s["info"]) for s in found.values()] == \
        [["web"] if n in originals else [] for n in NAMES]
    # The subtree of each, by the twin.
    for path in list(found)[1:]:
        r = main.get(f"/v1/chain/{path}/tree?include=" + WORDS)
        assert r.status == 200, r
        assert facts({"chain": path.rpartition(".")[2], **r.json["tree"]}) == \
            facts(flat(tree(main, "?include=" + WORDS))[path])
    found = flat(tree(main, "?depth=1"))
    assert found["alpha"]["truncated"] == ["chains"]


def test_what_a_child_is_is_remembered(make_node, child):
    knows = {"tree": False}

    def answer(request):
        path = request.split(" ")[1]
        if path.startswith("/v1/chains"):
            return http(200, {"status_code": 200, "chains": []})
        if path.startswith("/v1/tree") and knows["tree"]:
            return http(200, {"tree": {"server": "new", "chains": []}})
        if path.startswith("/v1/labels"):
            return http(503, {}) if knows["tree"] else http(
                200, {"labels": ["old"]})
        return http(404, {"status_code": 404, "message": "Not Found"})
    below = child(answer)
    main = make_node({"chains": {"below": below.chain()}}).start()

    def asked():
        paths = [r.split(" ")[1].partition("?")[0] for r in below.requests]
        below.requests.clear()
        return paths
    for want in (["/v1/tree", "/v1/chains", "/v1/labels"],
                 ["/v1/chains", "/v1/labels"]):
        found, = tree(main, "?include=labels")["chains"]
        assert found["labels"] == ["old"] and found["walked"]
        assert asked() == want
    # It fails, and comes back as something else.
    knows["tree"] = True
    found, = tree(main, "?include=labels")["chains"]
    assert found["error"]["status_code"] == 503 and found["chains"] == []
    found, = tree(main)["chains"]
    assert found["server"] == "new"
    assert asked() == ["/v1/chains", "/v1/labels", "/v1/tree"]


def test_an_original_with_a_dead_child(make_node, tmp_path, made):
    old = Original(tmp_path / "old", labels=["x"], chains={
        "dead": dead_chain()}).start()
    made.append(old)
    main = make_node({"chains": {"old": chain_to(old)}}).start()
    for _ in range(3):
        found = flat(tree(main, "?include=labels"))
        assert found["old"]["labels"] == ["x"]
        dead = found["old.dead"]
        assert dead["error"]["status_code"] == 503 and "chains" not in dead
    assert breaker(main, "old")["failures"] == 0


# Circles

def test_servers_that_list_each_other(make_node):
    alpha = make_node(name="alpha").start()
    host, port = alpha.address()
    alpha.configure({"listen": [f"{host}:{port}"]})
    main = make_node({"chains": {"alpha": chain_to(alpha)}},
                     name="main").start()
    alpha.configure({"chains": {"main": chain_to(main),
                                "self": chain_to(alpha)}})
    alpha.restart()
    found = flat(tree(main, "?include=labels"))
    assert list(found) == ["", "alpha", "alpha.main", "alpha.self"]
    for path in ("alpha.main", "alpha.self"):
        assert found[path]["error"]["status_code"] == 508
        assert found[path]["error"]["message"].startswith("The chain leads")
    assert "error" not in found["alpha"]
    assert breaker(alpha, "main")["failures"] == 0


def test_a_circle_through_an_original(make_node, tmp_path, made):
    """Nobody can see it, but the path has an end."""
    main = make_node().start()
    host, port = main.address()
    main.configure({"listen": [f"{host}:{port}"]})
    old = Original(tmp_path / "old", chains={"main": chain_to(main)}).start()
    made.append(old)
    main.configure({"chains": {"old": chain_to(old)}})
    main.restart()
    found = flat(tree(main, "?timeout_ms=60000"))
    assert len(found) <= 17
    last = list(found.values())[-1]
    assert last.get("truncated") == ["chains"] or "error" in last


# Children that fail

def garbage():
    return {
        "text": b"I am no server\r\n\r\n",
        "html": http(200, b"<html>"),
        "bare": http(200, {"status_code": 200}),
        "list": http(200, {"tree": []}),
        "reset": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"tr",
        "deep": http(200, b'{"tree":{"info":' + b'{"a":' * 61 + b"1"
                     + b"}" * 63),
        "away": http(302, {}),
        "wild": http(200, {"tree": {
            "server": 5, "labels": ["x", 1, None], "projects": {"a": 1},
            "info": [], "error": "no", "truncated": ["what", 3],
            "chains": [1, {"chain": "a/b"}, {"chain": "ok", "chains": 3},
                       {"chain": 5}]}}),
    }


def huge():
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n{\"tree\":\""
    for _ in range(64):
        yield b"x" * (1 << 20)


def test_children_that_fail(make_node, child):
    answers = garbage()
    chains = {name: child(lambda request, a=a: a).chain()
              for name, a in answers.items()}
    chains.update(
        hung=child(lambda request: None).chain(),
        slow=child(lambda request: drip()).chain(),
        huge=child(lambda request: huge()).chain(),
        dead=dead_chain(), good=chain_to(make_node(name="good").start()))
    main = make_node({"chains": chains, "log": {"level": "warn"},
                      "autodisable": {"failures": 10000}}, name="main").start()
    before = None
    for n in range(11):
        start = time.monotonic()
        top = tree(main, "?include=labels,info&timeout_ms=1000")
        # Room for a machine that is busy; without a deadline it would be 8.
        assert time.monotonic() - start < 6
        found = {c["chain"]: c for c in top["chains"]}
        assert list(found) == list(chains)
        assert found["good"]["labels"] == ["all", "desktop"]
        assert found["good"]["chains"] == []
        errors = {k: v["error"]["error"] for k, v in found.items()
                  if "error" in v}
        assert errors == {
            "text": "RemoteProtocolError", "html": "JSONDecodeError",
            "bare": "JSONDecodeError", "list": "JSONDecodeError",
            "reset": "ReadError", "away": "HTTPStatusError",
            "hung": "ReadTimeout", "slow": "ReadTimeout",
            "huge": errors["huge"], "dead": "ConnectError"}
        assert errors["huge"] in ("RemoteProtocolError", "ReadTimeout")
        assert found["deep"]["truncated"] == ["labels", "info", "chains"]
        wild = found["wild"]
        assert wild["labels"] == ["x"] and wild["chains"] == [
            {"chain": "ok"}] and set(wild) == {"chain", "labels", "chains"}
        if n == 0:
            before = main.descriptors_at_rest()
    if before:
        wait_for("the descriptors to be as before",
                 lambda: main.descriptors() <= before)


def test_a_grandchild_that_hangs_costs_its_parent_nothing(make_node, child):
    hung = child(lambda request: None)
    alpha = make_node({"chains": {"hung": hung.chain()}}, name="alpha").start()
    main = make_node({"chains": {"alpha": chain_to(alpha)}},
                     name="main").start()
    # What is kept for the way back is a share of it: a busy machine needs it.
    for how in ({"query": "?timeout_ms=4000"},
                {"headers": {"X-Overlord-Deadline-Ms": "4000"}}):
        start = time.monotonic()
        found = flat(tree(main, **how))
        assert 2 < time.monotonic() - start < 7
        assert "error" not in found["alpha"]
        assert found["alpha.hung"]["error"]["error"] == "ReadTimeout"
    assert breaker(main, "alpha")["failures"] == 0
    assert breaker(alpha, "hung")["state"] == "open"
    start = time.monotonic()
    hidden = flat(tree(main))["alpha.hung"]
    # Asked without a deadline, who waited would wait for 8 s.
    assert time.monotonic() - start < 3
    assert hidden["skipped"] and "chains" not in hidden
    assert hidden["error"]["error"] == "UnavailableChain"


def test_who_has_no_time_is_told_nothing_and_breaks_nothing(make_node, child):
    hung = child(lambda request: None)
    main = make_node({"chains": {"hung": hung.chain()}}).start()
    for ms in (1, 1, 20, 50):
        found = flat(tree(main, f"?timeout_ms={ms}&include=projects"))
        assert found["hung"]["error"]["error"] == "ReadTimeout"
    assert breaker(main, "hung")["failures"] == 0


def test_a_client_that_goes_away(make_node, child, tmp_path, made):
    hung = child(lambda request: None)
    old = child(lambda request: http(404, {"message": "Not Found"})
                if "/v1/tree" in request else None)
    main = make_node({"chains": {"hung": hung.chain(), "old": old.chain()}
                      }).start()
    for _ in range(5):
        n = len(hung.requests), len(old.requests)
        c = threading.Thread(target=lambda: pytest.raises(
            TimeoutError, main.get, "/v1/tree?include=" + WORDS, timeout=0.5))
        c.start()
        wait_for("the requests below", lambda: len(hung.requests) > n[0]
                 and len(old.requests) > n[1])
        c.join()
    # A ping of the heartbeat may wait as well.
    wait_for("the connections to go",
             lambda: hung.waiting() <= 1 and old.waiting() <= 1)
    assert breaker(main, "hung")["failures"] == 0


def test_what_has_no_room_is_named(make_node, child):
    """Two children that are too much together: one is there, one is named."""
    big = {"tree": {"server": "s", "labels": ["x"], "chains": [
        {"chain": f"c{i}", "info": {"p": {str(k): k for k in range(30)}},
         "chains": []} for i in range(1000)]}}
    chains = {name: child(lambda request: http(200, big)).chain()
              for name in ("one", "two")}
    long = {"tree": {"server": "s", "labels": ["x" * (5 << 20)],
                     "chains": []}}
    chains["long"] = child(lambda request: http(200, long)).chain()
    main = make_node({"chains": chains}).start()
    top = tree(main, "?include=labels,info&timeout_ms=30000")
    assert len(json.dumps(top)) < 4 << 20
    found = {c["chain"]: c for c in top["chains"]}
    cut = sorted(k for k, v in found.items() if "truncated" in v)
    assert cut in (["long", "one"], ["long", "two"])
    for name in cut:
        assert found[name] == {"chain": name, "server": "s",
                               "truncated": ["labels", "info", "chains"]}
    whole = "two" if "one" in cut else "one"
    assert len(found[whole]["chains"]) == 1000


# The client

@pytest.mark.parametrize("originals", [
    (), ("main",), ("charlie",), ("main", "alpha", "charlie", "delta")],
    ids="-".join)
def test_the_client_finds_the_tree_by_it(make_node, tmp_path, made, originals):
    nodes = mixed(make_node, tmp_path, made, originals)
    main = nodes["main"]
    (tmp_path / "ro.yml").write_text(f"""\
kind: readOnly
datacenters:
  main:
    entrypoint: '{main.url()}'
    access_token: '{main.token()}'
deployIn:
  labels: [all]
""")
    r = overlord(tmp_path, "get-info", "-f", "ro.yml", "-t", "chains")
    assert r.rc == 0, r
    found = [line.split(":")[-1].strip() for line in r.out.splitlines()
             if "chain:" in line]
    assert found == ["None", "alpha", "alpha.charlie",
                     "alpha.charlie.delta"], r
    if "main" not in originals:
        # One request, and none to find out more. It is logged once it has
        # been answered.
        wait_for("the log", lambda: "/v1/tree status=" in main.log_text())
        asked = [path for path in ("/v1/tree", "/chains")
                 if f"{path} status=" in main.log_text()]
        assert asked == ["/v1/tree"]
