#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""get-info of every type but projects, byte for byte as the golden session
(cli.md, appendix G), its filters, its failures, and its JSON."""

import json

import pytest

from cli_support import document, header, overlord, project, readonly, write
from fake_server import FakeServer

CHAINS = ("alpha", "alpha.bravo", "alpha.charlie", "alpha.charlie.delta")
LABELS = {"None": ["all", "desktop"], "alpha": ["all", "services"],
          "alpha.bravo": ["all"], "alpha.charlie": ["all", "db-only"],
          "alpha.charlie.delta": ["all", "db-only"]}
TEXTS = {"tor.makejail": "OPTION start\n\nPKG tor\n", "one": "single line\n",
         "empty": "", "tor": "no newline"}
GOLDEN_METADATA = """\
  metadata:
    tor.makejail: |
      OPTION start
     \x20
      PKG tor
    one: single line
    tor: no newline
"""
NS = [{"directory": "/usr/local/overlord/namespace/ns/d", "owner": 0,
       "group": 0, "mode": 16877},
      {"file": "/usr/local/overlord/namespace/ns/d/f", "owner": 0, "group": 0,
       "mode": 33188},
      {"file": "/x", "owner": 0, "group": 0, "mode": 35309}]
GOLDEN_NAMESPACES = """\
  namespaces:
    ns:
      - {'directory': '/usr/local/overlord/namespace/ns/d', 'owner': 0, \
'group': 0, 'mode': 'drwxr-xr-x'}
      - {'file': '/usr/local/overlord/namespace/ns/d/f', 'owner': 0, 'group': \
0, 'mode': '-rw-r--r--'}
      - {'file': '/x', 'owner': 0, 'group': 0, 'mode': '-rwsr-xr-x'}
    other:
"""
LOGS = {"2025-04-22_17h57m45s": {"web": ["pull.log", "up.log"], "db": []},
        "2025-04-23_00h00m00s": {}, "2025-04-24_00h00m00s": {"w": ["up.log"]}}


@pytest.fixture
def server():
    with FakeServer() as s:
        yield s


def info(tmp_path, kind, *more, file="ro.yml", rc=0, err=""):
    """Standard output; what is said besides must be err (None: anything)."""
    r = overlord(tmp_path, "get-info", "-f", file, "-t", kind, *more)
    assert r.rc == rc, r
    assert err is None or r.err == err, r
    return r.out


def rooted(server, path, answer):
    """Only the root has something to say."""
    server.on("GET", f"/v1/{path}", 200, answer)
    for c in CHAINS:
        server.on("GET", f"/v1/chain/{c}/{path}", 200, {})
    return server


# Chains


def blocks(url, *chains):
    return "".join(header(url, c, LABELS[c]) for c in chains)


def test_chains(tmp_path, server):
    server.tree()
    readonly(tmp_path, server.url)
    r = overlord(tmp_path, "get-info", "-f", "ro.yml", "-t", "chains")
    assert r.rc == 0 and r.err.count("chain:zulu") == 2
    assert r.out == blocks(server.url, *LABELS)
    assert len(server.requests) == 13
    assert info(tmp_path, "chains", "--filter", "alpha", "-q") == blocks(
        server.url, *CHAINS)
    assert info(tmp_path, "chains", "--filter", "b", "--filter", r"\.delta\Z",
                "-q") == blocks(server.url, "alpha.bravo",
                                "alpha.charlie.delta")
    assert info(tmp_path, "chains", "--filter", "^$", "-q") == ""


def test_tree(tmp_path, server):
    server.tree()
    readonly(tmp_path, server.url)
    whole = f"""\
{server.url}
 +-- alpha
     +-- bravo
     +-- charlie
         +-- delta
"""
    assert info(tmp_path, "chains:tree", "-q") == whole
    assert info(tmp_path, "chains:tree", "-q", "--filter", "(") == whole
    assert info(tmp_path, "chains:tree", "-q", "--all-labels") == f"""\
{server.url}
 +-- alpha
 |   +-- bravo
 |   +-- charlie
 |       +-- delta
 +-- zulu
"""
    readonly(tmp_path, server.url, "{labels: [db-only]}")
    assert info(tmp_path, "chains:tree", "-q") == whole.replace(
        "     +-- bravo\n", "")
    readonly(tmp_path, server.url, "{labels: [desktop]}")
    assert info(tmp_path, "chains:tree", "-q") == ""


def test_tree_of_several(tmp_path, server):
    """Every data center is drawn; one URL is one tree."""
    server.tree()
    with FakeServer() as other:
        other.single().on("GET", "/v1/chain/b/labels", 200,
                          {"labels": ["all"]})
        other.rows[("GET", "/v1/chains")] = [(200, {"chains": ["b"]}, {})]
        other.on("GET", "/v1/chain/b/chains", 200, {"chains": []})
        write(tmp_path / "ro.yml", f"""\
kind: readOnly
datacenters:
  one: {{entrypoint: '{server.url}', access_token: t}}
  two: {{entrypoint: '{other.url}', access_token: t}}
  three: {{entrypoint: '{server.url}', access_token: t}}
deployIn:
  entrypoints: [one.alpha.charlie, two, three.alpha.bravo]
""")
        assert info(tmp_path, "chains:tree") == f"""\
{server.url}
 +-- alpha
     +-- charlie
     |   +-- delta
     +-- bravo
{other.url}
 +-- b
"""


# Metadata and namespaces


def with_metadata(server):
    rooted(server.tree(), "metadata", {"metadata": list(TEXTS)})
    for key, text in TEXTS.items():
        server.on("GET", f"/v1/metadata/{key}", 200, {"metadata": text})
    return server


def test_metadata(tmp_path, server):
    with_metadata(server)
    readonly(tmp_path, server.url)
    head = header(server.url)
    assert info(tmp_path, "metadata", "-q") == head + GOLDEN_METADATA
    assert info(tmp_path, "metadata", "-q", "--filter", "^o", "--filter",
                "pty$") == head + "  metadata:\n    one: single line\n"
    assert info(tmp_path, "metadata", "-q", "--filter", "empty") == (
        head + "  metadata:\n")
    assert info(tmp_path, "metadata", "-q", "--filter", "nope") == ""


def test_namespaces(tmp_path, server):
    rooted(server.tree(), "namespace", {"namespaces": ["ns", "other"]})
    server.on("GET", "/v1/namespace/ns", 200, {"namespace": NS})
    server.on("GET", "/v1/namespace/other", 200, {"namespace": []})
    readonly(tmp_path, server.url)
    assert info(tmp_path, "namespaces", "-q") == (
        header(server.url) + GOLDEN_NAMESPACES)
    assert info(tmp_path, "namespaces", "-q", "--filter", "th") == (
        header(server.url) + "  namespaces:\n    other:\n")


# Logs


def test_projects_logs(tmp_path, server):
    rooted(server.tree(), "projects/logs", {"logs": LOGS})
    readonly(tmp_path, server.url)
    one = ("  logs:\n    - 2025-04-22_17h57m45s/web/pull.log\n"
           "    - 2025-04-22_17h57m45s/web/up.log\n")
    assert info(tmp_path, "projects:logs", "-q", "--filter", "web/") == (
        header(server.url) + one)
    assert info(tmp_path, "projects:logs", "-q") == (
        header(server.url) + one + "    - 2025-04-24_00h00m00s/w/up.log\n")
    assert info(tmp_path, "projects:logs", "-q", "--filter", "nope") == ""
    assert len(server.lines("/projects/logs")) == 15


def test_logs_without_labels(tmp_path, server):
    server.on("GET", "/v1/chains", 200, {"chains": []})
    server.on("GET", "/v1/projects/logs", 200, {"logs": LOGS})
    readonly(tmp_path, server.url)
    assert info(tmp_path, "projects:logs", "--all-labels", "--filter", "pull"
                ) == header(server.url, labels=None) + (
        "  logs:\n    - 2025-04-22_17h57m45s/web/pull.log\n")


@pytest.mark.parametrize("logs", [
    [], {"d": []}, {"d": {"s": {}}}, {"d": {"s": [1]}}, "text"])
def test_logs_of_another_shape(tmp_path, server, logs):
    server.single().on("GET", "/v1/projects/logs", 200, {"logs": logs})
    readonly(tmp_path, server.url)
    assert info(tmp_path, "projects:logs", err=(
        "overlord: warning: (datacenter:main, chain:None, "
        "function:get_projects_logs) error executing the remote call: the "
        "reply is not understood: 'logs'\n")) == ""


# Jails

ITEMS = ("stats", "info", "cpuset", "devfs", "expose", "healthcheck", "limits",
         "fstab", "labels", "nat", "volumes")
JAIL = {"stats": {"cputime": 91, "datasize": 8400896, "memoryuse": 75104256,
                  "vmemoryuse": 1367982080, "readbps": 0, "pcpu": 0},
        "info": {"name": "2a67806954", "network_ip4": "10.0.0.3",
                 "ports": "53/tcp,53/udp", "status": "UP", "type": "thin",
                 "version": "14.2-RELEASE"},
        "cpuset": "0, 1",
        "expose": [{"enabled": "1", "name": None, "network_name": "ajnet",
                    "hport": "53", "jport": "53", "protocol": "udp",
                    "ext_if": "tailscale0", "on_if": "tailscale0",
                    "nro": "3"}],
        "labels": [{"value": "1", "name": "overlord.skydns"}],
        "nat": [{"rule": "nat on \"jext\" from 10.0.0.3 to any -> "
                         "(\"jext:0\")", "network": "ajnet"}]}
GOLDEN_JAIL = """\
    2a67806954:
      stats:
        cputime: 91
        datasize: 8400896 (8.01 MiB)
        memoryuse: 75104256 (71.62 MiB)
        vmemoryuse: 1367982080 (1.27 GiB)
        readbps: 0 (0 bytes)
        pcpu: 0
      info:
        name: 2a67806954
        network_ip4: 10.0.0.3
        ports: 53/tcp,53/udp
        status: UP
        type: thin
        version: 14.2-RELEASE
      cpuset: 0, 1
      expose:
        - {'enabled': '1', 'name': None, 'network_name': 'ajnet', 'hport': \
'53', 'jport': '53', 'protocol': 'udp', 'ext_if': 'tailscale0', 'on_if': \
'tailscale0', 'nro': '3'}
      labels:
        - {'value': '1', 'name': 'overlord.skydns'}
      nat:
        - {'rule': 'nat on "jext" from 10.0.0.3 to any -> ("jext:0")', \
'network': 'ajnet'}
"""
GOLDEN_VM_JAIL = """\
    vmtest:
      stats:
        cputime: 1
        memoryuse: 512 (512 bytes)
"""


def with_jails(server):
    rooted(server.tree(), "jails", {"jails": [
        "2a67806954", "idle", "vmtest"]})
    for item in ITEMS:
        empty = None if item == "cpuset" else {} if item < "l" else []
        for jail in ("2a67806954", "idle", "vmtest"):
            value = JAIL.get(item, empty) if jail[0] == "2" else empty
            if (jail, item) == ("vmtest", "stats"):
                value = {"cputime": 1, "memoryuse": 512}
            server.on("GET", f"/v1/jail/{item}/{jail}", 200, {item: value})
    return server


def test_jails(tmp_path, server):
    with_jails(server)
    readonly(tmp_path, server.url)
    assert info(tmp_path, "jails", "-q") == (
        header(server.url) + "  jails:\n" + GOLDEN_JAIL + GOLDEN_VM_JAIL)
    assert len(server.lines("/jail/")) == 3 * len(ITEMS)
    assert info(tmp_path, "jails", "-q", "--filter", "^v") == (
        header(server.url) + "  jails:\n" + GOLDEN_VM_JAIL)
    assert info(tmp_path, "jails", "-q", "--filter", "idle") == ""


def test_jail_items(tmp_path, server):
    """Asked for as often as named, printed in the usual order."""
    with_jails(server)
    readonly(tmp_path, server.url)
    out = info(tmp_path, "jails", "-q", "--filter", "2a", "--jail-item", "nat",
               "--jail-item", "cpuset", "--jail-item", "nat")
    assert [x for x in out.splitlines() if x.startswith("      ")] == [
        "      cpuset: 0, 1", "      nat:",
        "        - {'rule': 'nat on \"jext\" from 10.0.0.3 to any -> "
        "(\"jext:0\")', 'network': 'ajnet'}"]
    assert sorted(server.lines("/jail/")) == [
        "GET /v1/jail/cpuset/2a67806954", "GET /v1/jail/nat/2a67806954",
        "GET /v1/jail/nat/2a67806954"]


def test_stats(tmp_path, server):
    rooted(server.tree(), "stats", {"stats": JAIL["stats"]})
    server.rows[("GET", "/v1/chain/alpha/stats")] = [
        (200, {"stats": {"memoryuse": 2**64 - 1}}, {})]
    readonly(tmp_path, server.url)
    assert info(tmp_path, "chains:stats", "-q") == header(server.url) + """\
  stats:
    cputime: 91
    datasize: 8400896 (8.01 MiB)
    memoryuse: 75104256 (71.62 MiB)
    vmemoryuse: 1367982080 (1.27 GiB)
    readbps: 0 (0 bytes)
    pcpu: 0
""" + header(server.url, "alpha", LABELS["alpha"]) + """\
  stats:
    memoryuse: 18446744073709551615 (16 EiB)
"""
    assert info(tmp_path, "chains:stats", "-q", "--filter", "delta") == ""
    assert len(server.lines("/stats")) == 6


def test_jails_logs(tmp_path, server):
    rooted(server.tree(), "jails/logs", {"logs": {
        "jails": {"web": {"startup": ["2025.log", "2026.log"], "file": []},
                  "plain": {}}, "other": {}}})
    readonly(tmp_path, server.url)
    assert info(tmp_path, "jails:logs", "-q") == header(server.url) + (
        "  logs:\n    - jails/web/startup/2025.log\n"
        "    - jails/web/startup/2026.log\n")
    assert info(tmp_path, "jails:logs", "-q", "--filter", "2026") == (
        header(server.url) + "  logs:\n    - jails/web/startup/2026.log\n")


# VMs and autoscaling

VM = {"operation": "COMPLETED", "output": "md0 created\n md0p1 added\n\n done",
      "last_update": 312.6, "job_id": 17}
GOLDEN_VM = """\
      virtual-machines:
          operation: COMPLETED
          output: |
            md0 created
             md0p1 added
           \x20
             done
          last_update: 5 minutes and 12.6 seconds
          job_id: 17
"""
ROUND = {"last_update": 7.65, "operation": "COMPLETED", "logs": [
    {"project": "p", "chain": None, "context": "up",
     "response": {"job_id": 3}},
    {"project": "p", "chain": "alpha", "context": "metadata", "length": 0,
     "response": []}]}
GOLDEN_ROUND = """\
      autoScale:
        last_update: 7.65 seconds
        operation: COMPLETED
        logs:
          - {'project': 'p', 'chain': None, 'context': 'up', 'response': \
{'job_id': 3}}
          - {'project': 'p', 'chain': 'alpha', 'context': 'metadata', \
'length': 0, 'response': []}
"""


def test_vm(tmp_path, server):
    server.tree().on("GET", "/v1/vm/vmtest", 200, {"status": VM})
    server.on("GET", "/v1/vm/other", 200, {"status": VM})
    server.on("GET", "/v1/vm/empty", 200, {"status": {}})
    readonly(tmp_path, server.url)
    one = header(server.url) + "  projects:\n    vmtest:\n" + GOLDEN_VM
    assert info(tmp_path, "vm", "-q", "--filter", "vmtest") == one
    assert info(tmp_path, "vm", "-q", "--filter", "empty", "--filter",
                "vmtest", "--filter", "nope", "--filter", "other") == (
        one + "    other:\n" + GOLDEN_VM)
    asked = len(server.lines("/vm/"))
    assert info(tmp_path, "vm", "-q") == ""
    r = overlord(tmp_path, "get-info", "-f", "ro.yml", "-t", "vm", "--filter",
                 "v", "--chain", "<root>")
    assert (r.rc, r.out) == (0, "") and (
        "(datacenter:main, chain:None, function:get_status_vm) error executing"
        " the remote call: v: Invalid VM name\n") in r.err
    assert len(server.lines("/vm/")) == asked
    doc = json.loads(info(tmp_path, "vm", "--filter", "vmtest", "-o", "json"))
    assert doc["nodes"][0]["vms"] == {"vmtest": VM}
    assert doc["nodes"][1]["vms"] == {}


def test_autoscale(tmp_path, server):
    server.tree().on("GET", "/v1/project/autoscale/p", 200, {"status": ROUND})
    server.on("GET", "/v1/project/autoscale/q", 200, {"status": ROUND})
    readonly(tmp_path, server.url)
    project(tmp_path, server.url)
    one = header(server.url) + "  projects:\n    p:\n" + GOLDEN_ROUND
    assert info(tmp_path, "autoscale", "-q", "--filter", "p") == one
    assert info(tmp_path, "autoscale", "-q", "--filter", "p", "--filter",
                "q") == one + "    q:\n" + GOLDEN_ROUND
    assert info(tmp_path, "autoscale", "-q", "--filter-per-project", "-f",
                "web.yml") == one
    n = len(server.requests)
    r = overlord(tmp_path, "get-info", "-f", "ro.yml", "-t", "autoscale",
                 "--filter-per-project")
    assert r.rc == 64 and r.err == (
        "overlord: Autoscale requires you define at least one filter\n"
        "  hint: name a project with --filter\n")
    assert len(server.requests) == n


# Failures


def test_failures_in_order(tmp_path, server):
    """Warnings stand before the block, in the order of the names."""
    server.single(["all", "desktop"])
    server.on("GET", "/v1/metadata", 200, {"metadata": [
        "b", "a", "bad key", "c", "a", "d"]})
    server.on("GET", "/v1/metadata/a", 200, {"metadata": "text"})
    server.on("GET", "/v1/metadata/b", 500, {"message": "Broken."})
    server.on("GET", "/v1/metadata/d", 200, b"[]")
    readonly(tmp_path, server.url)
    r = overlord(tmp_path, "get-info", "-f", "ro.yml", "-t", "metadata")
    assert r.rc == 0
    assert r.out == header(server.url) + "  metadata:\n    a: text\n"
    call = ("overlord: warning: (datacenter:main, chain:None, "
            "function:metadata_get) error executing the remote call: ")
    assert r.err == (
        call + "500: Broken\n" + call + "bad key: Invalid key name\n" +
        call + "404: Not Found\n" +
        call + "the reply is not understood: not a JSON object\n")
    assert server.lines("metadata/a") == ["GET /v1/metadata/a"]


def test_list_fails(tmp_path, server):
    server.single().on("GET", "/v1/namespace", 503, {"message": "No"})
    readonly(tmp_path, server.url)
    assert info(tmp_path, "namespaces", err=(
        "overlord: warning: (datacenter:main, chain:None, "
        "function:namespaces_list) error executing the remote call: 503: No\n"
    )) == ""
    server.rows[("GET", "/v1/namespace")] = [(200, {"namespaces": [1]}, {})]
    assert "holds an integer" in overlord(
        tmp_path, "get-info", "-f", "ro.yml", "-t", "namespaces").err


@pytest.mark.parametrize("kind", ["metadata", "chains", "projects:logs"])
def test_pattern_is_checked_first(tmp_path, server, kind):
    readonly(tmp_path, server.url)
    assert info(tmp_path, kind, "--filter", "ok", "--filter", "(", rc=64, err=(
        "overlord: --filter '(': not a regular expression: missing closing "
        "parenthesis at offset 1\n  hint: see 'overlord get-info --help'\n")
    ) == ""
    assert server.requests == []


def test_per_project_means_nothing_here(tmp_path, server):
    with_metadata(server)
    project(tmp_path, server.url)
    assert info(tmp_path, "metadata", "-q", "--filter-per-project",
                file="web.yml") == header(server.url) + GOLDEN_METADATA


# JSON


def test_json(tmp_path, server):
    with_metadata(server)
    server.rows[("GET", "/v1/metadata/one")] = [(500, {"message": "x"}, {})]
    server.on("GET", "/v1/chain/alpha/metadata", 502)
    server.rows[("GET", "/v1/chain/alpha/metadata")].pop(0)
    readonly(tmp_path, server.url)
    doc, _ = document(tmp_path, "get-info", "-f", "ro.yml", "-t", "metadata")
    assert (doc["schema"], doc["type"]) == ("overlord.info/1", "metadata")
    nodes = doc["nodes"]
    assert [n["chain"] for n in nodes] == [None, *CHAINS, "zulu"]
    texts = dict(TEXTS)
    del texts["one"]
    assert nodes[0] == {
        "datacenter": "main", "url": server.url, "chain": None,
        "labels": ["all", "desktop"], "metadata": texts,
        "errors": [{"call": "metadata_get", "status": 500,
                    "message": "500: x"}]}
    assert nodes[1]["errors"] == [{"call": "metadata_list", "status": 502,
                                   "message": "502: Bad Gateway"}]
    assert nodes[1]["metadata"] == {} and nodes[2]["errors"] == []
    assert nodes[5]["errors"][0]["message"] == "503: zulu is down"
    assert nodes[5]["labels"] == []


def test_json_tells_which_call_failed(tmp_path, server):
    """Whoever gives no chains may still be asked for the rest."""
    server.tree({"alpha": []})
    server.rows[("GET", "/v1/chain/alpha/chains")] = [
        (500, {"message": "x"}, {})]
    server.rows[("GET", "/v1/labels")] = [(403, {"message": "no"}, {})]
    server.on("GET", "/v1/projects/logs", 200, {"logs": LOGS})
    server.on("GET", "/v1/chain/alpha/namespace", 200, {"namespaces": []})
    readonly(tmp_path, server.url, "{labels: [all]}")
    r = overlord(tmp_path, "get-info", "-f", "ro.yml", "-t", "namespaces",
                 "-o", "json", "--all-labels")
    alpha = json.loads(r.out)["nodes"][1]
    assert alpha["namespaces"] == {} and alpha["errors"][0] == {
        "call": "get_chains", "status": 500, "message": "500: x"}
    r = overlord(tmp_path, "get-info", "-f", "ro.yml", "-t", "namespaces",
                 "-o", "json")
    root = json.loads(r.out)["nodes"][0]
    assert root["errors"] == [{"call": "get_api_labels", "status": 403,
                               "message": "403: no"}]


def test_json_of_the_rest(tmp_path, server):
    server.tree()
    rooted(server, "projects/logs", {"logs": LOGS})
    rooted(server, "namespace", {"namespaces": ["ns"]})
    server.on("GET", "/v1/namespace/ns", 200, {"namespace": NS})
    readonly(tmp_path, server.url)

    def nodes(kind, *more):
        return json.loads(info(tmp_path, kind, "-o", "json", *more))["nodes"]
    assert nodes("namespaces")[0]["namespaces"] == {"ns": NS}
    assert nodes("projects:logs", "--filter", "up")[0]["logs"] == [
        "2025-04-22_17h57m45s/web/up.log", "2025-04-24_00h00m00s/w/up.log"]
    assert [n["chain"] for n in nodes("chains", "--filter", "lt")] == [
        "alpha.charlie.delta"]
    assert [n["chain"] for n in nodes("chains:tree")] == [
        None, *CHAINS, "zulu"]
