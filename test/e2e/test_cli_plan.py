#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""plan, and apply --dry-run: what would be done and where, against real nodes, an
original and scripted servers.  Nothing is ever changed."""

import json

import pytest

from cli_support import document, overlord, project, write
from fake_server import FakeServer
from node import chain_to, make_tree
from original import Original

SERVICES = """\
projectFile: |
  services:
    web:
      makejail: 'gh+AppJail-makejails/web'
"""


@pytest.fixture
def server():
    with FakeServer() as s:
        yield s


def use(tmp_path, node, more=SERVICES, labels="[all]", **claims):
    name = project(tmp_path, node.url(), more, labels)
    path = tmp_path / name
    path.write_text(path.read_text().replace("the-token",
                                             node.token(**claims)))
    return name


def plan(tmp_path, *args, rc=0, err=""):
    r = overlord(tmp_path, "plan", "-f", "web.yml", *args)
    assert (r.rc, r.err) == (rc, err), r
    return [" ".join(line.split()) for line in r.out.splitlines()]


def apply(tmp_path, *args, command="apply"):
    r = overlord(tmp_path, command, "-f", "web.yml", "--wait", "-q", *args)
    assert (r.rc, r.err) == (0, ""), r


def records(node):
    return node.get("/v1/jobs").json["jobs"]


def test_a_project_on_a_tree(tmp_path, make_node):
    nodes = make_tree(make_node)
    env = "environment: {PORT: '80', API_TOKEN: one}\n"
    use(tmp_path, nodes["main"], SERVICES + env)
    created = [f"main {chain} + p not deployed here" for chain in (
        "<root>", "alpha", "alpha.charlie", "alpha.charlie.delta")]
    assert plan(tmp_path, rc=2) == [*created, "", "Plan: 4 to create."]
    assert plan(tmp_path, "--destroy") == [
        *(line.replace("+", "=") for line in created), "",
        "Plan: 4 unchanged."]
    assert all(records(n) == [] for n in nodes.values())

    apply(tmp_path, "--chain", "<root>", "--chain", "alpha")
    assert plan(tmp_path, rc=2) == [
        "main <root> = p", "main alpha = p", *created[2:], "",
        "Plan: 2 to create, 2 unchanged."]
    assert plan(tmp_path, "--chain", "alpha") == [
        "main alpha = p", "", "Plan: 1 unchanged."]
    assert plan(tmp_path, "--chain", "alpha", "--restart", rc=2)[0] == \
        "main alpha ~ p restart"
    assert plan(tmp_path, "--chain", "alpha", "--destroy", rc=2) == [
        "main alpha - p", "", "Plan: 1 to destroy."]

    # Another file: variables, one a secret, one gone, one for a chain; lines.
    use(tmp_path, nodes["main"], SERVICES + """\
    db:
      makejail: 'gh+AppJail-makejails/db'
environment: {API_TOKEN: two}
chainsEnvironment: {alpha: {HOSTIP: 10.0.0.2}}
""")
    masked = "environment API_TOKEN: *** (before) -> *** (after); "
    gone = "environment PORT: 80 -> (none)"
    lines = "projectFile: 2 lines added, 0 removed; "
    assert plan(tmp_path, "--exit-zero") == [
        f"main <root> ~ p {lines}{masked}{gone}",
        f"main alpha ~ p {lines}{masked}environment HOSTIP: (none) -> "
        f"10.0.0.2; {gone}", *created[2:], "",
        "Plan: 2 to create, 2 to change."]
    r = overlord(tmp_path, "plan", "-f", "web.yml", "--chain", "<root>",
                 "--diff", "--show-secrets")
    assert r.rc == 2 and "API_TOKEN: one -> two" in r.out
    assert r.out.partition("\n\n")[2] == """\
--- main <root> p projectFile (deployed)
+++ main <root> p projectFile (file)
@@ -1,3 +1,5 @@
 services:
   web:
     makejail: 'gh+AppJail-makejails/web'
+  db:
+    makejail: 'gh+AppJail-makejails/db'

Plan: 1 to change.
"""
    doc, r = document(tmp_path, "plan", "-f", "web.yml", "--chain", "alpha")
    row = doc["plan"][0]
    assert (r.rc, doc["schema"], row["action"], row["object"], row["chain"],
            row["reason"]) == (2, "overlord.plan/1", "change", "p", "alpha",
                               None)
    assert {c["path"]: (c["before"], c["after"])
            for c in row["changes"][1:]} == {
        "environment.API_TOKEN": ("*** (before)", "*** (after)"),
        "environment.HOSTIP": (None, "10.0.0.2"),
        "environment.PORT": ("80", None)}
    # A limit: those that come first are chosen, changed or not.
    path = tmp_path / "web.yml"
    path.write_text(path.read_text() + "maximumDeployments: 1\n")
    assert plan(tmp_path, rc=2)[1:] == ["", "Plan: 1 to change."]

    apply(tmp_path, "--chain", "<root>", command="destroy")
    assert plan(tmp_path, rc=2)[0] == created[0]


def test_who_may_not_see_and_who_failed(tmp_path, node):
    use(tmp_path, node)
    apply(tmp_path)
    use(tmp_path, node, scope="read")
    assert plan(tmp_path, rc=2) == [
        "main <root> ? p the token may not see what is deployed; it needs the "
        "scope deploy", "", "Plan: 1 unknown."]
    use(tmp_path, node)
    node.behave("p", "start-rc=1")
    apply(tmp_path, command="destroy")
    r = overlord(tmp_path, "apply", "-f", "web.yml", "--wait", "-q")
    assert r.rc == 1, r
    assert plan(tmp_path, rc=2)[0] == \
        "main <root> ~ p the same, but it failed; it is tried again"


def test_an_original_does_not_tell(tmp_path, make_node):
    old = Original(tmp_path / "old", labels=["all"],
                   projects={"p": {"state": "DONE"}}, chains={}).start()
    try:
        top = make_node({"labels": ["all"], "chains": {
            "old": chain_to(old)}}, name="top").start()
        use(tmp_path, top)
        assert plan(tmp_path, rc=2) == [
            "main <root> + p not deployed here",
            "main old ? p this server does not tell what it has deployed", "",
            "Plan: 1 to create, 1 unknown."]
        assert old.jobs() == []
    finally:
        old.dispose()


def test_metadata(tmp_path, node):
    name = write(tmp_path / "web.yml", f"""\
kind: metadata
datacenters: {{main: {{entrypoint: '{node.url()}', access_token: \
{node.token()}}}}}
deployIn: {{labels: [all]}}
metadata: {{one: '1', two: "a\\nb\\n", db-password: x}}
namespace:
  name: ns
  mapping: [{{file: 'one:etc/one', mode: 0600}}]
""")
    assert plan(tmp_path, rc=2) == [
        *(f"main <root> + {k} not there" for k in (
            "one", "two", "db-password", "ns")), "", "Plan: 4 to create."]
    assert plan(tmp_path, "--destroy")[-1] == "Plan: 4 unchanged."
    r = overlord(tmp_path, "apply", "-f", name)
    assert (r.rc, r.err) == (0, "")
    namespace = "main <root> ~ ns a namespace is always written anew"
    assert plan(tmp_path, rc=2) == [
        "main <root> = one", "main <root> = two", "main <root> = db-password",
        namespace, "", "Plan: 1 to change, 3 unchanged."]
    path = tmp_path / name
    path.write_text(path.read_text().replace("'1'", "'2'").replace(
        "a\\nb", "b").replace("x}", "y}"))
    assert plan(tmp_path, rc=2)[:4] == [
        "main <root> ~ one value: 1 -> 2",
        "main <root> ~ two value: 0 lines added, 1 removed",
        "main <root> ~ db-password value: *** (before) -> *** (after)",
        namespace]
    assert plan(tmp_path, "--destroy", rc=2)[:4] == [
        f"main <root> - {k}" for k in ("one", "two", "db-password", "ns")]
    assert node.get("/v1/metadata/one").json["metadata"] == "1"


SCALE = "autoScale: {replicas: {min: 2, max: 3}}\n"


def test_autoscaled(tmp_path, node):
    use(tmp_path, node, SERVICES + SCALE)
    assert plan(tmp_path, rc=2)[0] == "main <root> + p not there"
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert (r.rc, r.err) == (0, "")
    assert plan(tmp_path)[0] == "main <root> = p"
    use(tmp_path, node, SERVICES + SCALE.replace("3", "5"))
    assert plan(tmp_path, rc=2)[0] == \
        "main <root> ~ p autoScale.replicas.max: 3 -> 5"
    # All of the environment is new, and what is secret in it stays so.
    [key] = [k for k in node.get("/v1/metadata").json["metadata"]]
    old = json.loads(node.get("/v1/metadata/" + key).json["metadata"])
    del old["environment"]
    r = node.request("PUT", "/v1/metadata/" + key, {"value": json.dumps(old)})
    assert r.status in (200, 201), r
    use(tmp_path, node, SERVICES + SCALE + "environment: {API_TOKEN: hunter2}\n")
    shown = plan(tmp_path, rc=2)[0]
    assert "API_TOKEN" in shown and "hunter2" not in shown
    doc, r = document(tmp_path, "plan", "-f", "web.yml")
    assert "API_TOKEN" in r.out and "hunter2" not in r.out
    shown = plan(tmp_path, "--show-secrets", rc=2)[0]
    assert '"API_TOKEN":"hunter2"' in shown
    # What the server has decides, not the file.
    use(tmp_path, node)
    assert plan(tmp_path, "--destroy", rc=2)[0] == \
        "main <root> - p through its autoscaler"


VM = """\
makejail: gh+x/vm
template: {cpu: '2'}
diskLayout: {driver: nvme, size: 20G, from: {type: iso, isoFile: disc1.iso}}
"""


def vm(tmp_path, server, more=""):
    write(tmp_path / "web.yml", f"""\
kind: vmJail
datacenters: {{main: {{entrypoint: '{server.url}', access_token: t}}}}
deployIn: {{labels: [all]}}
vmName: db1
{VM}{more}""")


def test_vm(tmp_path, server):
    server.single().on("GET", "/v1/vm/db1", 404, {"message": "no such VM"})
    for word in ("COMPLETED", "COMPLETED", "COMPLETED", "FAILED"):
        server.on("GET", "/v1/vm/db1", 200, {"status": {"operation": word}})
    server.on("GET", "/v1/project/info/db1", 200, {"info": {"state": "DONE"}})
    vm(tmp_path, server)
    assert plan(tmp_path, rc=2)[0] == "main <root> + db1 not made here"
    assert plan(tmp_path)[0] == "main <root> = db1"
    assert plan(tmp_path, "--restart", rc=2)[0] == "main <root> ~ db1 restart"
    vm(tmp_path, server, "overwrite: true\n")
    assert plan(tmp_path, rc=2)[0] == "main <root> ~ db1 overwrite"
    assert plan(tmp_path, rc=2)[0] == \
        "main <root> ~ db1 the last attempt: FAILED"
    assert plan(tmp_path, "--destroy", rc=2)[0] == "main <root> - db1"
    assert not any(r.method == "POST" for r in server.requests)


def test_skipped_and_unreachable(tmp_path, server):
    server.tree()
    project(tmp_path, server.url, labels="[desktop, services]")
    path = tmp_path / "web.yml"
    path.write_text(path.read_text().replace(
        "labels: [", "exclude: [services]\n  labels: ["))
    rows = ["main <root> + p not deployed here",
            "main zulu ! unreachable 503: zulu is down"]
    end = ["", "Plan: 1 to create, 1 unknown."]
    assert plan(tmp_path, rc=2) == [*rows, *end]
    r = overlord(tmp_path, "plan", "-f", "web.yml", "-v")
    assert [" ".join(x.split()) for x in r.out.splitlines()] == [
        rows[0], "main alpha skipped excluded by its label services",
        "main alpha.bravo skipped labels: all; wants: desktop, services",
        *(f"main {chain} skipped labels: all, db-only; wants: desktop, "
          "services" for chain in ("alpha.charlie", "alpha.charlie.delta")),
        rows[1], *end]
    doc, _ = document(tmp_path, "plan", "-f", "web.yml")
    assert [row["action"] for row in doc["plan"]] == [
        "create", *["skipped"] * 4, "error"]
    # It decides nothing, unless it has to.
    server.on("GET", "/v1/project/info/p", 200, {"info": {"state": "DONE"}})
    server.on("GET", "/v1/project/spec/p", 200, {"spec": {
        "director_file": "services: {}", "environment": {}}})
    assert plan(tmp_path)[0] == "main <root> = p"
    assert plan(tmp_path, "--strict", rc=69)[0] == "main <root> = p"


def test_who_refuses(tmp_path, server):
    server.single().on("GET", "/v1/project/info/p", 500, {"message": "broken"})
    project(tmp_path, server.url)
    assert plan(tmp_path, rc=69) == [
        "main <root> ! p 500: broken", "", "Plan: 1 unknown."]
    assert plan(tmp_path, "--best-effort")[0] == "main <root> ! p 500: broken"
    project(tmp_path, server.url, "environFromMetadata: env\n" + SERVICES)
    assert plan(tmp_path, rc=76)[0] == \
        "main <root> ! p error obtaining the environment from the metadata: " \
        "404: Not Found"


def test_dry_run(tmp_path, server):
    server.single()
    project(tmp_path, server.url)
    r = overlord(tmp_path, "apply", "-f", "web.yml", "--dry-run")
    assert (r.rc, r.err) == (0, "")
    assert r.out == "main  <root>  + p  not deployed here\n\n" \
        "Plan: 1 to create.\n"
    r = overlord(tmp_path, "apply", "-f", "web.yml", "--diff")
    assert r.rc == 64 and "need --dry-run" in r.err


def test_another_project(tmp_path, server):
    project(tmp_path, server.single().url)
    r = overlord(tmp_path, "plan", "-f", "web.yml", "--project", "other")
    assert (r.rc, r.out, r.err) == (
        0, "Plan: nothing to do.\n", "overlord: warning: nothing matched\n"
        "  hint: the file's project is 'p'\n"), r
    assert server.requests == []


def test_usage(tmp_path, server):
    project(tmp_path, server.url, labels="[none]")
    assert plan(tmp_path, rc=69) == [
        "main <root> ! unreachable 404: Not Found", "", "Plan: 1 unknown."]
    server.single()
    r = overlord(tmp_path, "plan", "-f", "web.yml")
    assert (r.rc, r.out) == (0, "Plan: nothing to do.\n"), r
    assert "nothing matched" in r.err
    assert overlord(tmp_path, "plan", "-f", "web.yml", "--strict").rc == 68
    for args, words in ((["--destroy", "--restart"], "--restart is for apply"),
                        (["--filter-chain", "a"], "use --chain"),
                        (["-o", "wide"], "is not one of")):
        r = overlord(tmp_path, "plan", "-f", "web.yml", *args)
        assert r.rc == 64 and words in r.err, r
    write(tmp_path / "ro.yml", f"""\
kind: readOnly
datacenters: {{main: {{entrypoint: '{server.url}', access_token: t}}}}
deployIn: {{labels: [all]}}
""")
    r = overlord(tmp_path, "plan", "-f", "ro.yml")
    assert r.rc == 78 and "read-only" in r.err
