#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""apply, destroy and cancel of files of kind metadata and vmJail: requests,
their order, messages and exit codes against a scripted server; metadata end to
end against real servers."""

import pathlib

import pytest

from cli_support import overlord, write
from fake_server import FakeServer
from node import chain_to

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "examples"
HEAD = """\
kind: {kind}
datacenters:
  main:
    entrypoint: '{url}'
    access_token: '{token}'
deployIn:
  labels: [all]
"""
# cli.md, appendix G.
METADATA = """\
metadata: {one: '1', two: "a\\nb\\n"}
namespace:
  name: ns
  mapping:
    - {directory: d, mode: 0755}
    - {file: 'one:d/f', owner: 0}
"""
VM = """\
vmName: db1
makejail: gh+x/vm
template: {cpu: '2'}
diskLayout:
  driver: nvme
  size: 20G
  from: {type: iso, isoFile: disc1.iso}
"""


@pytest.fixture
def server():
    with FakeServer() as s:
        yield s


def spec(tmp_path, url, kind, more, token="the-token"):
    return write(tmp_path / "web.yml",
                 HEAD.format(kind=kind, url=url, token=token) + more)


def keys(server, **statuses):
    """HEAD answers, and every write is good."""
    for name, status in statuses.items():
        group = "namespace" if name == "ns" else "metadata"
        path = f"/v1/{group}/{name}"
        server.on("HEAD", path, status)
        server.on("PUT", path, 200, {"message": "updated"})
        server.on("POST", path, 201, {"message": "created"})
        server.on("DELETE", path, 204)


def test_golden_metadata(tmp_path, server):
    """cli.md, appendix G."""
    keys(server.single(), one=200, two=404, ns=200)
    spec(tmp_path, server.url, "metadata", METADATA)
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert (r.rc, r.out, r.err) == (0, "", "")
    assert server.lines("/metadata/", "/namespace/") == [
        "HEAD /v1/metadata/one", "PUT /v1/metadata/one",
        "HEAD /v1/metadata/two", "POST /v1/metadata/two",
        "HEAD /v1/namespace/ns", "PUT /v1/namespace/ns"]
    assert server.bodies("PUT /v1/metadata/one") == [{"value": "1"}]
    assert server.bodies("POST /v1/metadata/two") == [{"value": "a\nb\n"}]
    assert server.bodies("PUT /v1/namespace/ns") == [{"mapping": [
        {"directory": "d", "mode": 493},
        {"file": ["one", "d/f"], "owner": 0}]}]
    assert not any("Idempotency-Key" in x.headers for x in server.requests)
    server.requests.clear()
    r = overlord(tmp_path, "destroy", "-f", "web.yml", "-v")
    assert (r.rc, r.out) == (0, "")
    assert server.lines("/metadata/", "/namespace/") == [
        "DELETE /v1/metadata/one", "DELETE /v1/metadata/two",
        "DELETE /v1/namespace/ns"]


def test_what_is_told_of_metadata(tmp_path, server):
    keys(server.single(), one=404, two=200, ns=404)
    spec(tmp_path, server.url, "metadata", METADATA)
    r = overlord(tmp_path, "apply", "-f", "web.yml", "-v")
    at = "overlord: (datacenter:main, chain:None, "
    told = [x for x in r.err.splitlines() if "Writing" in x]
    assert told == [at + "metadata:one) Writing metadata ...",
                    at + "metadata:two) Writing metadata ...",
                    at + "namespace:ns) Writing namespace ..."]


def test_one_that_fails_is_left_out(tmp_path, server):
    server.single()
    server.on("HEAD", "/v1/metadata/one", 503)
    server.on("PUT", "/v1/metadata/one", 200, {"message": "no"})
    keys(server, two=200, ns=404)
    server.rows["PUT", "/v1/metadata/two"] = [
        (400, {"status_code": 400,
               "message": "two: metadata too long - 4 > 2"}, {})]
    spec(tmp_path, server.url, "metadata", METADATA)
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    at = "overlord: warning: (datacenter:main, chain:None, "
    assert r.rc == 76, r
    assert r.err.splitlines() == [
        at + "metadata:one) error writing the metadata: "
        + r.err.splitlines()[0].rpartition("metadata: ")[2],
        at + "metadata:two) error writing the metadata: "
        "400: two: metadata too long - 4 > 2"]
    assert server.lines("/namespace/") == [
        "HEAD /v1/namespace/ns", "POST /v1/namespace/ns"]
    assert "PUT /v1/metadata/one" not in server.lines()


def test_names_that_a_prefix_spoils(tmp_path, server):
    keys(server.single(), ns=404)
    spec(tmp_path, server.url, "metadata",
         "metadataPrefix: a-\n" + METADATA.replace("name: ns", "name: n-1"))
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    at = "overlord: warning: (datacenter:main, chain:None, "
    assert r.rc == 76
    assert r.err == (at + "metadata:a-.one) invalid metadata name\n"
                     + at + "metadata:a-.two) invalid metadata name\n"
                     + at + "namespace:n-1) invalid namespace name\n"
                     "overlord: warning: No deployment has had any effect\n")
    assert server.lines("/metadata/", "/namespace/") == []


def test_prefix_once_for_each_target(tmp_path, server):
    """The original put it once more before each further server's."""
    server.tree({"alpha.bravo": ["other"], "alpha.charlie": ["other"],
                 "alpha.charlie.delta": ["other"]})
    for base in ("/v1", "/v1/chain/alpha"):
        for path in ("/metadata/p.one", "/metadata/p.two", "/namespace/ns"):
            server.on("HEAD", base + path, 404)
            server.on("POST", base + path, 200, {"message": "created"})
    spec(tmp_path, server.url, "metadata", "metadataPrefix: p\n" + METADATA)
    r = overlord(tmp_path, "apply", "-q", "-f", "web.yml")
    assert r.rc == 0, r
    for base in ("/v1", "/v1/chain/alpha"):
        assert server.bodies(f"POST {base}/metadata/p.one") == [{"value": "1"}]
        assert server.bodies(f"POST {base}/namespace/ns")[0]["mapping"][1] == {
            "file": ["p.one", "d/f"], "owner": 0}


def test_what_looks_itself_is_not_asked(tmp_path, server):
    """Below a server of ours: its twins look before they write."""
    server.on("GET", "/v1/tree", 200, {"tree": {
        "labels": ["all"], "version": "1", "chains": [
            {"chain": "a", "labels": ["all"], "chains": []}]}})
    keys(server, one=200, two=404, ns=404)
    for path in ("metadata/one", "metadata/two", "namespace/ns"):
        server.on("PUT", "/v1/chain/a/" + path, 200, {"message": "created"})
    spec(tmp_path, server.url, "metadata", METADATA)
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert (r.rc, r.err) == (0, ""), r
    assert server.lines("/chain/") == [
        "PUT /v1/chain/a/metadata/one", "PUT /v1/chain/a/metadata/two",
        "PUT /v1/chain/a/namespace/ns"]
    assert server.lines("/v1/metadata", "/v1/namespace") == [
        "HEAD /v1/metadata/one", "PUT /v1/metadata/one",
        "HEAD /v1/metadata/two", "POST /v1/metadata/two",
        "HEAD /v1/namespace/ns", "POST /v1/namespace/ns"]


@pytest.mark.parametrize("limit,servers", [(1, 1), (3, 1), (4, 2), (6, 2),
                                           (7, 3), (100, 5)])
def test_the_limit_counts_entries_between_servers(
        tmp_path, server, limit, servers):
    server.tree()
    bases = ["/v1"] + ["/v1/chain/" + c for c in (
        "alpha", "alpha.bravo", "alpha.charlie", "alpha.charlie.delta")]
    for base in bases:
        for path in ("/metadata/one", "/metadata/two", "/namespace/ns"):
            server.on("HEAD", base + path, 404)
            server.on("POST", base + path, 200, {"message": "created"})
    spec(tmp_path, server.url, "metadata",
         f"maximumDeployments: {limit}\n" + METADATA)
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert r.rc == 0, r
    writes = [x for x in server.lines() if x.startswith("POST")]
    assert len(writes) == 3 * servers
    assert {x.partition("/metadata")[0].partition("/namespace")[0][5:]
            for x in writes} == set(bases[:servers])
    reached = f"Maximum deployments has been reached! ({3 * servers}/{limit})"
    assert (reached in r.err) == (limit <= 3 * servers)


def test_destroy_of_what_is_gone(tmp_path, server):
    server.single()
    server.on("DELETE", "/v1/metadata/two", 204)
    server.on("DELETE", "/v1/namespace/ns", 503,
              {"status_code": 503, "message": "busy"})
    spec(tmp_path, server.url, "metadata", METADATA)
    r = overlord(tmp_path, "destroy", "-f", "web.yml")
    at = "overlord: warning: (datacenter:main, chain:None, "
    assert r.rc == 69, r
    assert r.err == (at + "metadata:one) 404: Not Found\n"
                     + at + "namespace:ns) 503: busy\n")
    server.rows["DELETE", "/v1/namespace/ns"] = [(204, None, {})]
    assert overlord(tmp_path, "destroy", "-f", "web.yml").rc == 0


def test_included_files_are_sent(tmp_path, server):
    keys(server.single(), one=404, more=200)
    write(tmp_path / "more.yml", "{more: !ENV '${WHAT}', one: other}\n")
    spec(tmp_path, server.url, "metadata",
         "include: [more.yml]\nmetadata: {one: '1'}\n")
    r = overlord(tmp_path, "apply", "-f", "web.yml", env={"WHAT": "that"})
    assert (r.rc, r.err) == (0, "")
    assert server.bodies("POST /v1/metadata/one") == [{"value": "other"}]
    assert server.bodies("PUT /v1/metadata/more") == [{"value": "that"}]
    (tmp_path / "more.yml").unlink()
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert r.rc == 65 and r.err == (
        "overlord: web.yml:8:11: include[0]: 'more.yml': No such file or "
        "directory\n")
    write(tmp_path / "more.yml", "a: 1\n")
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert r.rc == 65 and ("web.yml:8:11: include[0]: more.yml:1:4: "
                           "metadata.a: expected a string") in r.err


# get-info

def test_info_of_the_names_in_the_file(tmp_path, server):
    server.single()
    server.on("GET", "/v1/metadata", 200, {"metadata": ["x", "two", "one"]})
    server.on("GET", "/v1/metadata/one", 200, {"metadata": "1"})
    server.on("GET", "/v1/metadata/two", 200, {"metadata": "2"})
    server.on("GET", "/v1/namespace", 200, {"namespaces": ["x", "ns"]})
    server.on("GET", "/v1/namespace/ns", 200, {"namespace": []})
    spec(tmp_path, server.url, "metadata", METADATA)
    r = overlord(tmp_path, "get-info", "-t", "metadata", "-f", "web.yml")
    assert r.rc == 0 and r.out.endswith("    two: 2\n    one: 1\n"), r
    assert "GET /v1/metadata/x" not in server.lines()
    r = overlord(tmp_path, "get-info", "-t", "namespaces", "-f", "web.yml")
    assert r.rc == 0 and r.out.endswith("  namespaces:\n    ns:\n"), r
    assert "GET /v1/namespace/x" not in server.lines()
    r = overlord(tmp_path, "get-info", "-t", "metadata", "-f", "web.yml",
                 "--filter", "^o")
    assert "one: 1" in r.out and "two" not in r.out


@pytest.mark.parametrize("kind,more,name", [
    ("vmJail", VM, "db1"), ("appConfig", "appName: db1\nappFrom: b\n", "db1"),
    ("vmJail", "makejail: x\n", None)])
def test_info_per_project(tmp_path, server, kind, more, name):
    server.single().on("GET", "/v1/vm/db1", 200, {"status": {
        "operation": "COMPLETED", "last_update": 1, "job_id": 2}})
    spec(tmp_path, server.url, kind, more)
    r = overlord(tmp_path, "get-info", "-t", "vm", "--filter-per-project",
                 "--filter", "other", "-f", "web.yml")
    assert r.rc == 0, r
    if name is None:
        assert "VM name is not specified in the deployment file!" in r.err
        assert server.requests == []
    else:
        assert server.lines("/vm/") == ["GET /v1/vm/db1"]
        assert "db1" in r.out


def test_metadata_end_to_end(make_node, tmp_path):
    below = make_node(name="below").start()
    node = make_node({"chains": {"below": chain_to(below)}}).start()
    spec(tmp_path, node.url(), "metadata", METADATA, node.token())
    for _ in range(2):
        r = overlord(tmp_path, "apply", "-f", "web.yml")
        assert (r.rc, r.err) == (0, ""), r
        for n in (node, below):
            assert n.get("/v1/metadata/two").json["metadata"] == "a\nb\n"
            files = n.get("/v1/namespace/ns").json["namespace"]
            assert [f.get("file", f.get("directory")).rpartition("/ns/")[2]
                    for f in files] == ["d", "d/f"]
    r = overlord(tmp_path, "destroy", "-f", "web.yml")
    assert (r.rc, r.err) == (0, ""), r
    for n in (node, below):
        assert n.get("/v1/metadata").json["metadata"] == []
        assert n.get("/v1/namespace").json["namespaces"] == []
    r = overlord(tmp_path, "destroy", "-f", "web.yml")
    assert r.rc == 0 and "404" in r.err


# VMs

def test_golden_vm(tmp_path, server):
    server.single().on("POST", "/v1/vm/db1", 200, {"job_id": 5})
    server.on("POST", "/v1/project/down/db1", 200, {"job_id": 6})
    server.on("POST", "/v1/project/cancel/db1", 200, {"job_id": 7})
    spec(tmp_path, server.url, "vmJail", VM)
    r = overlord(tmp_path, "apply", "-f", "web.yml", "--restart", "-v")
    assert r.rc == 0 and (
        "(datacenter:main, chain:None, VM:db1, job:5) request for creating "
        "has been made") in r.err
    assert server.bodies("POST /v1/vm/db1") == [{
        "makejail": "gh+x/vm", "template": {"cpu": "2"},
        "diskLayout": {"driver": "nvme", "size": "20G",
                       "from": {"type": "iso", "isoFile": "disc1.iso"}},
        "options": [], "script-environment": [], "start-environment": [],
        "start-arguments": [], "build-environment": [],
        "build-arguments": [], "cloud-init": {}, "overwrite": False,
        "poweroff": False, "restart": True}]
    assert overlord(tmp_path, "destroy", "-F", "-f", "web.yml").rc == 0
    assert server.bodies("POST /v1/project/down/db1") == [
        {"environment": {}, "force": True}]
    assert overlord(tmp_path, "cancel", "-f", "web.yml").rc == 0
    assert server.bodies("POST /v1/project/cancel/db1") == [None]
    changes = [x for x in server.requests if x.method == "POST"]
    assert all(len(x.headers["Idempotency-Key"]) == 32 for x in changes)
    assert not server.lines("/metadata/")


def test_the_full_vm(tmp_path, server):
    server.single(["vm-only"]).on("POST", "/v1/vm/vmtest", 200, {"job_id": 5})
    path = EXAMPLES / "vmjail-components-full.yml"
    r = overlord(tmp_path, "apply", "-q", "-f", str(path), env={
        "ENTRYPOINT": server.url, "TOKEN": "t"})
    assert (r.rc, r.err) == (0, ""), r
    body = server.bodies("POST /v1/vm/vmtest")[0]
    assert body["makejailFromMetadata"] == "vm.makejail"
    assert "makejail" not in body
    assert body["metadata"] == ["base.resolv.conf", "base.ssh_key",
                                "base.sysctl.conf"]
    assert body["options"][1] == {"nat": None}
    assert body["datastore"] == "/var/overlord/vm-store"
    assert body["script"].startswith("set -xe\n")
    assert body["diskLayout"]["fstab"][0]["dump"] == 1


def test_a_vm_that_is_not_whole(tmp_path, server):
    server.single()
    spec(tmp_path, server.url, "vmJail", "makejail: x\n")
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert r.rc == 65 and r.err == "".join(
        f"overlord: web.yml:1:1: '{k}' is missing\n"
        for k in ("vmName", "template", "diskLayout"))
    r = overlord(tmp_path, "destroy", "-f", "web.yml")
    assert r.rc == 65 and r.err == (
        "overlord: web.yml:1:1: 'vmName' is missing\n")
    spec(tmp_path, server.url, "vmJail", VM.replace("db1", "-x"))
    r = overlord(tmp_path, "cancel", "-f", "web.yml")
    assert r.rc == 65 and "vmName: '-x' is not a VM name" in r.err
    assert server.requests == []


def test_examples_of_vms_are_queued(make_node, tmp_path):
    """What the client sends is good; here no jail of them can be built."""
    node = make_node().start()
    for path in sorted(EXAMPLES.glob("vmjail-*.yml")):
        text = path.read_text().replace("vm-only", "all")
        # No directory of this machine.
        text = text.replace("/var/overlord/vm-store", str(tmp_path / "store"))
        write(tmp_path / "vm.yml", text.replace("- desktop", "- all"))
        r = overlord(tmp_path, "apply", "-f", "vm.yml", env={
            "ENTRYPOINT": node.url(), "TOKEN": node.token(),
            "DST": "all"})
        assert r.rc == 0, (path.name, r)
        job = node.wait_job(node.get("/v1/jobs").json["jobs"][0]["id"])
        assert job["type"] == "vm", path.name


@pytest.mark.parametrize("command", ["apply", "destroy"])
def test_failures_of_a_vm(tmp_path, server, command):
    server.single()
    where = "vm" if command == "apply" else "project/down"
    server.on("POST", f"/v1/{where}/db1", 503, {"message": "no"})
    spec(tmp_path, server.url, "vmJail", VM)
    r = overlord(tmp_path, command, "-f", "web.yml")
    word = "creating" if command == "apply" else "destroying"
    assert r.rc == 69 and r.err.startswith(
        "overlord: warning: (datacenter:main, chain:None, VM:db1) error "
        f"{word} the VM: 503: no\n")


def test_metadata_cannot_be_cancelled(tmp_path):
    spec(tmp_path, "http://127.0.0.1:1", "metadata", METADATA)
    r = overlord(tmp_path, "cancel", "-f", "web.yml")
    assert r.rc == 78 and r.err == (
        "overlord: (kind:metadata) can't cancel this type of deployment\n")


def test_narrowed_to_a_project(tmp_path, server):
    keys(server.single(), one=404, two=404, ns=404)
    spec(tmp_path, server.url, "metadata", METADATA)
    r = overlord(tmp_path, "apply", "-f", "web.yml", "--project", "x")
    assert r.rc == 0 and "the file has no project" in r.err
    assert server.requests == []
