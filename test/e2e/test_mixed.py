# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Trees of our servers and originals, each at each place: what is asked through
one chain and through two (rest-api.md 3.5, annex D 1 and 4 to 6)."""

import itertools

import pytest

import contract
from children import breaker
from cli_support import overlord
from node import DIRECTOR_FILE, Node, chain_to
from original import Original

NAMES = ("main", "alpha", "charlie")
CHAINS = ("alpha", "alpha.charlie")
KINDS = [kinds for kinds in itertools.product(("ours", "original"), repeat=3)
         if "original" in kinds]
UP = {"director_file": DIRECTOR_FILE, "environment": {"A": "é"}}


class Tree:
    def __init__(self, root, kinds):
        self.kinds = dict(zip(NAMES, kinds))
        self.nodes, below = {}, None
        for name in reversed(NAMES):
            chains = {} if below is None else {below.root.name:
                                               chain_to(below)}
            if self.kinds[name] == "ours":
                below = Node(root / name, {
                    "labels": ["all", name], "chains": chains,
                    "autodisable": {"failures": 3}})
            else:
                below = Original(root / name, labels=["all", name],
                                 chains=chains)
            self.nodes[name] = below.start()
        main = self.nodes["main"]
        self.caller = Caller(main.address(), main.token())

    def above(self, chain):
        """The kinds of the servers that hand a request on."""
        return [self.kinds[n] for n in NAMES[:chain.count(".") + 1]]

    def tail(self, chain):
        return self.nodes[chain.rpartition(".")[2]]

    def dispose(self):
        self.caller.close()
        for node in self.nodes.values():
            node.dispose()


class Caller(contract.Caller):
    def check(self, method, reply):
        """An original does not send all that ours does."""
        assert reply.json is None or reply.json["status_code"] == \
            reply.status, reply


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def tree(request, tmp_path_factory):
    made = Tree(tmp_path_factory.mktemp("mixed"), request.param)
    try:
        yield made
    finally:
        made.dispose()


@pytest.mark.parametrize("chain", CHAINS)
def test_reading(tree, chain):
    base = f"/v1/chain/{chain}/"
    name = chain.rpartition(".")[2]
    for path, member, value in (
            ("ping", "status", "OK"), ("labels/", "labels", ["all", name]),
            ("chains", "chains", ["charlie"] if name == "alpha" else []),
            ("jails", "jails", []), ("projects", "projects", None)):
        r = tree.caller.ask("GET", base + path)
        assert r.status == 200, r
        assert member in r.json and value in (r.json[member], None), r
    r = tree.caller.ask("GET", base + "project/info/nope")
    assert r.status == 404, r
    entrypoint, _, rest = chain.partition(".")
    assert (r.json["function"], r.json["entrypoint"], r.json["chain"],
            r.json["error"]) == ("get_info", entrypoint, rest,
                                 "HTTPStatusError")
    r = tree.caller.ask("HEAD", base + "project/info/nope")
    assert (r.status, r.text) == (404, "")
    r = tree.caller.ask("GET", base.replace(chain, chain + ".nobody") + "ping")
    assert r.status == 404, r


@pytest.mark.parametrize("chain", CHAINS)
def test_metadata(tree, chain):
    path = f"/v1/chain/{chain}/metadata/key"
    for method, value in (("PUT", "one"), ("POST", "two"), ("PUT", "three")):
        # Either makes it or changes it, whatever there was.
        r = tree.caller.ask(method, path, {"value": value})
        assert r.status == 200 and "successfully" in r.json["message"], r
        assert tree.caller.ask("HEAD", path).status == 200
        r = tree.caller.ask("GET", path)
        assert r.json["metadata"] == value, r
    assert tree.caller.ask("GET", path[:-4]).json["metadata"] == ["key"]
    assert tree.caller.ask("DELETE", path).status == 204
    assert tree.caller.ask("HEAD", path).status == 404
    # What an original hands on, it calls a failure of the chain.
    want = 503 if "original" in tree.above(chain) else 404
    for _ in range(10):
        assert tree.caller.ask("DELETE", path).status == want
    if tree.kinds["main"] == "ours":
        assert breaker(tree.nodes["main"], "alpha")["failures"] == 0
        r = tree.caller.ask("GET", "/v1/chains")
        assert r.json["chains"] == ["alpha"]


@pytest.mark.parametrize("chain", CHAINS)
def test_jobs(tree, chain):
    base, tail = f"/v1/chain/{chain}/project/", tree.tail(chain)
    r = tree.caller.ask("POST", base + "up/web", UP)
    assert r.status == 200 and r.json["job_id"] > 0, r
    if isinstance(tail, Node):
        assert tail.wait_job(r.json["job_id"])["state"] == "completed"
        r = tree.caller.ask("GET", base + "info/web")
        assert r.json["info"]["up"]["operation"] == "COMPLETED", r
    else:
        assert tail.jobs()[-1] == ["up", "web", {
            **UP, "restart": False, "reserve_port": {}}]
    for what in ("down", "cancel"):
        r = tree.caller.ask("POST", f"{base}{what}/web")
        assert r.status == 200 and r.json["job_id"] > 0, r
    if not isinstance(tail, Node):
        assert tail.jobs()[-2:] == [
            ["down", "web", {"environment": {}, "force": False}],
            ["cancel", "web", {}]]
    else:
        tail.wait_job(r.json["job_id"])


def test_the_client(tree, tmp_path):
    """It deploys by label, whoever is asked."""
    main, charlie = tree.nodes["main"], tree.nodes["charlie"]
    (tmp_path / "web.yml").write_text(f"""\
kind: directorProject
datacenters:
  main:
    entrypoint: '{main.url()}'
    access_token: '{main.token()}'
deployIn:
  labels: [charlie]
projectName: mixed
projectFile: |
  services:
    web:
      makejail: x
""")
    # An original that nobody works for never tells of an end.
    wait = ["--wait"] if isinstance(charlie, Node) else []
    r = overlord(tmp_path, "apply", "-f", "web.yml", *wait)
    assert r.rc == 0, r
    if isinstance(charlie, Node):
        assert "mixed" in charlie.get("/v1/projects").json["projects"]
    else:
        assert charlie.jobs()[-1][:2] == ["up", "mixed"]
    for name in ("main", "alpha"):
        node = tree.nodes[name]
        if isinstance(node, Node):
            assert "mixed" not in node.get("/v1/projects").json["projects"]
        else:
            assert not [j for j in node.jobs() if j[1] == "mixed"]
