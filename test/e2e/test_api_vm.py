# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""VMs over HTTP: bodies by rest-api.md annex A in its order and words, here and
through chains; status records of VMs and of scaled projects."""

import copy
import json
import time

import pytest

from node import Node, chain_to
from children import Child, http

REQUIRED = ("(exception:RequiredParameter) invalid specification: {}: a "
            "required parameter has not been specified.")
SPEC = "(exception:InvalidSpec) invalid specification: "
KEY = r"([a-zA-Z][a-zA-Z0-9]*(?:(?:\.|-|_)?[a-zA-Z][a-zA-Z0-9]*)*)"
MINIMAL = {
    "makejail": "gh+DtxdF/vm-makejail",
    "template": {"loader": "bhyveload", "cpu": "2"},
    "diskLayout": {"driver": "nvme", "size": "20G",
                   "from": {"type": "iso", "isoFile": "disc1.iso"}},
}
FULL = {
    **MINIMAL,
    # Relative, so that no job makes it on this machine.
    "datastore": "store", "overwrite": True, "poweroff": False,
    "restart": True, "script": "true\n", "metadata": ["a.b", "c"],
    "cloud-init": {"flags": "-o R", "meta-data": {"n": [1, {"x": None}]},
                   "network-config": None, "user-data": {}},
    "script-environment": [{"A": "1", "B": ""}, {}],
    "start-environment": [], "start-arguments": [{"a": "b"}],
    "build-environment": None, "build-arguments": [{"c": "d"}],
    "options": [{"nat": None, "label": "x:1"}],
    "diskLayout": {
        "driver": "ahci-hd", "size": "8G",
        "from": {"type": "components", "components": ["base.txz"],
                 "osVersion": "14.3-RELEASE", "osArch": "amd64",
                 "unknown": [1]},
        "disk": {"scheme": "gpt",
                 "partitions": [{"type": "freebsd-boot", "size": "512k"},
                                {"type": "freebsd-ufs",
                                 "format": {"flags": "-U"}}],
                 "bootcode": {"bootcode": "/boot/pmbr",
                              "partcode": "/boot/gptboot", "index": 1}},
        "fstab": [{"device": "/dev/nda0p2", "mountpoint": "/", "type": "ufs",
                   "options": "rw", "dump": 1, "pass": 0}]},
    "more": {"of": "this"},
}
FROM = {
    "components": {"components": [], "osVersion": "14.3", "osArch": "amd64"},
    "appjailImage": {"entrypoint": "none", "imageName": "i",
                     "imageArch": "amd64", "imageTag": "1"},
    "pkgbase": {"osVersion": "15", "osArch": "amd64", "packages": ["x"]},
    "iso": {"isoFile": "x.iso"},
    "img": {},
}
OPTIONAL = {
    "components": {"downloadURL": "http://x"}, "appjailImage": {},
    "pkgbase": {"pkgConf": "/x", "fingerprints": "none"},
    "iso": {"installed": True}, "img": {"imgFile": "x", "installed": False},
}
TOP = {"makejail": "string", "makejailFromMetadata": "string",
       "datastore": "string", "overwrite": "boolean", "poweroff": "boolean",
       "cloud-init": "object", "template": "object", "diskLayout": "object",
       "script": "string", "metadata": "array",
       "script-environment": "array", "start-environment": "array",
       "start-arguments": "array", "build-environment": "array",
       "build-arguments": "array", "options": "array", "restart": "boolean"}
DISK = "diskLayout.disk."
FSTAB = "diskLayout.fstab"
NOTHING = object()

# What to put where in FULL, and what is said of it.
BAD = [
    ("diskLayout.driver", NOTHING, REQUIRED.format("diskLayout.driver")),
    ("diskLayout.driver", "scsi",
     SPEC + "diskLayout.driver: invalid driver: 'scsi'"),
    ("diskLayout.driver", 5,
     SPEC + "diskLayout.driver: requires 'str', given 'int'."),
    ("diskLayout.size", None, REQUIRED.format("diskLayout.size")),
    ("diskLayout.size", 20,
     SPEC + "diskLayout.size: requires 'str', given 'int'."),
    ("diskLayout.from", NOTHING, REQUIRED.format("diskLayout.from")),
    ("diskLayout.from", "iso",
     SPEC + "diskLayout.from: requires 'dict', given 'str'."),
    ("diskLayout.from", {}, REQUIRED.format("diskLayout.from.type")),
    ("diskLayout.from.type", "qcow2",
     SPEC + "diskLayout.from.type: invalid type: 'qcow2'"),
    ("diskLayout.from.type", 7,
     SPEC + "diskLayout.from.type: invalid type: '7'"),
    ("diskLayout.from.type", True,
     SPEC + "diskLayout.from.type: invalid type: 'True'"),
    ("diskLayout.from.components", "base.txz",
     SPEC + "diskLayout.from.components: requires 'list', given 'str'."),
    ("diskLayout.from.components", [1],
     SPEC + "diskLayout.from.components.<item#0>: requires 'str', given "
     "'int'."),
    ("diskLayout.from.osVersion", 14.3,
     SPEC + "diskLayout.from.osVersion: requires 'str', given 'float'."),
    ("diskLayout.more", 1, SPEC + "diskLayout.more: invalid parameter."),
    ("diskLayout.disk", [], SPEC + "diskLayout.disk: requires 'dict', given "
     "'list'."),
    (DISK + "more", 1, SPEC + DISK + "more: invalid parameter."),
    (DISK + "scheme", NOTHING, REQUIRED.format(DISK + "scheme")),
    (DISK + "scheme", "mbr", SPEC + DISK + "scheme: invalid scheme: 'mbr'."),
    (DISK + "partitions", [], SPEC + DISK + "partitions: a length of '-1' has "
     "been specified, but should be '> 0'."),
    (DISK + "partitions", ["x"],
     SPEC + DISK + "partitions.<item#0>: requires 'dict', given 'str'."),
    (DISK + "partitions.1.type", NOTHING,
     REQUIRED.format(DISK + "partitions.<item#1>.type")),
    (DISK + "partitions.1.bootcode", {},
     SPEC + DISK + "partitions.<item#1>.bootcode: invalid parameter."),
    (DISK + "partitions.0.size", 512,
     SPEC + DISK + "partitions.<item#0>.size: requires 'str', given 'int'."),
    (DISK + "partitions.1.format", {"flags": "", "script": ""},
     SPEC + "Only 'flags' or 'script' should be specified, but not both."),
    (DISK + "partitions.1.format", {"flag": ""},
     SPEC + DISK + "partitions.<item#1>.format.flag: invalid parameter."),
    (DISK + "partitions.1.format", {"flags": None},
     SPEC + DISK + "partitions.<item#1>.format.flags: requires 'str', given "
     "'NoneType'."),
    (DISK + "bootcode.index", NOTHING,
     SPEC + "Both 'diskLayout.disk.bootcode.partcode' and "
     "'diskLayout.disk.bootcode.index' must be specified at the same time."),
    (DISK + "bootcode.index", -1,
     SPEC + DISK + "bootcode.index: invalid value, should be '>= 0', given "
     "'-1'."),
    (DISK + "bootcode.index", "1",
     SPEC + DISK + "bootcode.index: requires 'int', given 'str'."),
    (DISK + "bootcode.more", 1, SPEC + DISK + "bootcode.more: invalid "
     "parameter."),
    (FSTAB, [], SPEC + FSTAB + ": a length of '-1' has been specified, but "
     "should be '> 0'."),
    (FSTAB, [None], SPEC + FSTAB + ".<item#0>: requires 'dict', given "
     "'NoneType'."),
    (FSTAB + ".0.dump", -1, SPEC + FSTAB + ".<item#0>.dump: invalid value, "
     "should be '>= 0', given '-1'."),
    (FSTAB + ".0.pass", None, REQUIRED.format(FSTAB + ".<item#0>.pass")),
    (FSTAB + ".0.dev", "x", SPEC + FSTAB + ".<item#0>.dev: invalid "
     "parameter."),
    ("cloud-init.userdata", {},
     SPEC + "cloud-init.userdata: invalid parameter."),
    ("cloud-init.flags", [], SPEC + "cloud-init.flags: requires 'str', given "
     "'list'."),
    ("cloud-init.meta-data", "x",
     SPEC + "cloud-init.meta-data: requires 'dict', given 'str'."),
    ("template.cpu", 2, SPEC + "template.cpu: requires 'str', given 'int'."),
    ("template.cpu", None,
     SPEC + "template.cpu: requires 'str', given 'NoneType'."),
    ("template", NOTHING, REQUIRED.format("template")),
    ("template", None, REQUIRED.format("template")),
    ("diskLayout", NOTHING, REQUIRED.format("diskLayout")),
    ("metadata", ["a", "node-1"],
     SPEC + f"metadata.<item#1>: invalid value, should be '{KEY}', given "
     "'node-1'."),
    ("metadata", [5], SPEC + "metadata.<item#0>: requires 'str', given "
     "'int'."),
    ("options", ["x"], SPEC + "options.<item#0>: requires 'dict', given "
     "'str'."),
    ("options.0.label", 1, SPEC + "options.<item#0>.label: requires 'str', "
     "given 'int'."),
    ("makejail", NOTHING, SPEC + "'makejail' or 'makejailFromMetadata' are "
     "required but haven't been specified."),
    ("makejailFromMetadata", "a", SPEC + "Only 'makejail' or "
     "'makejailFromMetadata' should be specified, but not both."),
] + [
    (name, [{}, {"A": value}],
     SPEC + f"{name}.<item#1>.A: requires 'str', given '{given}'.")
    for name in TOP if name.endswith(("-environment", "-arguments"))
    for value, given in ((None, "NoneType"), (True, "bool"), ({}, "dict"))
]


def changed(path, value, base=None):
    body = copy.deepcopy(FULL if base is None else base)
    *way, last = path.split(".") if path not in FULL else [path]
    at = body
    for word in way:
        at = at[int(word) if word.isdigit() else word]
    if value is NOTHING:
        del at[last]
    else:
        at[last] = value
    return body


@pytest.fixture(scope="module")
def tail():
    """Answers every POST as a server that has VMs."""
    child = Child(lambda request: http(200, {"job_id": 7, "more": [1]}))
    yield child
    child.close()


@pytest.fixture(scope="module")
def hop(tmp_path_factory, tail):
    node = Node(tmp_path_factory.mktemp("hop") / "node",
                {"chains": {"a": tail.chain()}})
    try:
        yield node.start()
    finally:
        node.dispose()


def refused(node, body):
    """What is said of it, the same here and by a twin, which asks nobody."""
    said = []
    for path in ("/v1/vm/db1", "/v1/chain/a/vm/db1"):
        r = node.post(path, body)
        assert r.status == r.json["status_code"] == 400, r
        assert set(r.json) == {"status_code", "message"}
        said.append(r.json["message"])
    assert said[0] == said[1]
    return said[0]


def test_every_rule(hop, tail):
    before = len(tail.requests)
    for path, value, message in BAD:
        assert refused(hop, changed(path, value)) == message, path
    assert len(tail.requests) == before


def test_types_of_members(hop):
    values = {"string": "a", "number": 5, "boolean": True, "object": {},
              "array": []}
    for name, wanted in TOP.items():
        for given, value in values.items():
            if given == wanted:
                continue
            assert refused(hop, changed(name, value)) == (
                f"'{name}' has an unexpected value type: expected {wanted}, "
                f"given {given}."), name


def test_the_first_member_wins(hop):
    """Annex A's order: each is told while all after it are as bad."""
    order = list(TOP)
    for i, name in enumerate(order):
        body = {n: 5 for n in order[i:]}
        if i > 0 and name != "makejailFromMetadata":
            body["makejail"] = "x"
        for done in ("template", "diskLayout"):
            body.setdefault(done, MINIMAL[done])
        assert f"'{name}'" in refused(hop, body)
        if name == "poweroff":
            body["poweroff"] = False
            del body["makejail"]
            assert "are required but" in refused(hop, body)


@pytest.mark.parametrize("kind", FROM)
def test_every_type_of_from(hop, kind):
    base = copy.deepcopy(FULL)
    base["diskLayout"]["from"] = {"type": kind, **FROM[kind],
                                  **OPTIONAL[kind]}
    assert hop.post("/v1/vm/db1", base).status == 200
    for name in FROM[kind]:
        path = "diskLayout.from." + name
        assert refused(hop, changed(path, NOTHING, base)) == \
            REQUIRED.format(path)
        assert refused(hop, changed(path, 5, base)).startswith(
            f"{SPEC}{path}: requires '")
    for name, value in OPTIONAL[kind].items():
        path = "diskLayout.from." + name
        assert hop.post("/v1/vm/db1",
                        changed(path, None, base)).status == 200
        kinds = "bool" if isinstance(value, bool) else "str"
        assert refused(hop, changed(path, [], base)) == (
            f"{SPEC}{path}: requires '{kinds}', given 'list'.")


def test_what_is_good_is_queued(node):
    for n, body in enumerate((MINIMAL, FULL), 1):
        r = node.post("/v1/vm/db1", body)
        assert r.json == {"status_code": 200, "job_id": n}
        job = node.job(n)
        assert (job["type"], job["name"]) == ("vm", "db1")
    assert [j["id"] for j in node.get("/v1/jobs?type=vm").json["jobs"]] == [
        2, 1]
    for name in ("a", "-ab", "ab-", "a" * 232, "a b", ".."):
        assert node.post("/v1/vm/" + name.replace(" ", "%20"),
                         MINIMAL).status == 404


def test_the_profile_that_a_twin_sends(hop, tail):
    def sent(body):
        r = hop.post("/v1/chain/a/vm/db1", body)
        assert r.json == {"status_code": 200, "job_id": 7, "more": [1]}
        head, _, text = tail.requests[-1].partition("\r\n\r\n")
        assert head.startswith("POST /v1/vm/db1 HTTP/1.1\r\n")
        return json.loads(text)
    assert sent(MINIMAL) == {
        **MINIMAL, "overwrite": False, "poweroff": False, "restart": False,
        "cloud-init": {}, "metadata": [], "script-environment": [],
        "start-environment": [], "start-arguments": [],
        "build-environment": [], "build-arguments": [], "options": []}
    want = {**FULL, "build-environment": []}
    del want["more"]
    assert sent(FULL) == want
    got = sent({**changed("makejail", NOTHING, MINIMAL),
                "makejailFromMetadata": "vm.makejail", "datastore": None,
                "script": None})
    assert got["makejailFromMetadata"] == "vm.makejail"
    assert not {"makejail", "datastore", "script"} & set(got)
    # What was sent once passes a second hop as it is.
    assert sent(got) == got


def test_a_twin_queues_at_the_tail(make_node):
    tail = make_node(name="tail").start()
    main = make_node({"chains": {"a": chain_to(tail)}}).start()
    r = main.post("/v1/chain/a/vm/db1", FULL)
    assert r.json == {"status_code": 200, "job_id": 1}
    job = tail.wait_job(1)
    assert (job["type"], job["name"]) == ("vm", "db1")
    status = main.get("/v1/chain/a/vm/db1").json["status"]
    assert status["operation"] == "FAILED" and status["job_id"] == 1
    assert "datastore" in status["exception"]["message"]
    assert main.get("/v1/jobs").json["jobs"] == []


def test_a_token_for_deploying(node):
    for claims, status in (({"scope": "read"}, 403),
                           ({"scope": "deploy", "projects": ["db2"]}, 403),
                           ({"scope": "deploy", "projects": ["db1"]}, 200)):
        r = node.post("/v1/vm/db1", MINIMAL, token=node.token(**claims))
        assert r.status == status, claims


def test_the_same_key_is_the_same_job(node):
    head = {"Idempotency-Key": "k"}
    ids = [node.post("/v1/vm/db1", MINIMAL, headers=head).json["job_id"]
           for _ in range(2)]
    assert ids[0] == ids[1]
    assert node.post("/v1/vm/db1", FULL, headers=head).status == 422


# Status records

def test_records(make_node):
    tail = make_node({"autoscale_logs_expire_time": 7200},
                     name="tail").start()
    missing = (("/vm/db2", "VM 'db2' cannot be found."),
               ("/project/autoscale/dns", "Project 'dns' cannot be found."))
    for path, message in missing:
        r = tail.get("/v1" + path)
        assert r.status == 404 and r.json == {
            "status_code": 404, "message": message}
    tail.stop()
    now = time.time()
    vm = {"operation": "COMPLETED", "output": "done\n", "job_id": 11}
    scaled = {"operation": "FAILED", "logs": [
        {"project": "web", "chain": None, "context": "up",
         "response": {"job_id": 3}}]}
    tail.put_record("vm", "db1", {**vm, "last_update": now - 100.5})
    tail.put_record("autoscale", "web", {**scaled, "last_update": now - 60})
    tail.put_record("autoscale", "old", {**scaled, "last_update": now - 7201})
    tail.start()
    main = make_node({"chains": {"a": chain_to(tail)}}).start()
    for node, prefix in ((tail, "/v1"), (main, "/v1/chain/a")):
        for path, want, age in (("/vm/db1", vm, 100.5),
                                ("/project/autoscale/web", scaled, 60)):
            r = node.get(prefix + path)
            assert r.status == 200, r
            assert list(r.json) == ["status_code", "status"]
            last = r.json["status"].pop("last_update")
            assert r.json["status"] == want
            assert age <= last < age + (time.time() - now) + 1
        assert node.get(prefix + "/project/autoscale/old").status == 404
    for path, message in missing:
        r = main.get("/v1/chain/a" + path)
        assert r.status == 404
        assert r.json["function"] in ("get_status_vm", "get_status_autoscale")
        assert r.json["remote"]["message"] == message
    token = tail.token(projects=["db1"])
    assert tail.get("/v1/vm/db1", token=token).status == 200
    assert tail.get("/v1/vm/db2", token=token).status == 403
