# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Files of kind appConfig: print-template, and what apply, destroy and cancel
make of a template, against scripted servers and real ones."""

import json
import pathlib
import re

import pytest
import yaml

from cli_support import overlord, write
from fake_server import FakeServer
from node import make_tree, wait_for

TEST = pathlib.Path(__file__).resolve().parents[1]
VECTORS = TEST / "vectors"
EXAMPLES = TEST / "examples"
KEY = "base.vm.small.appconfig"
TEMPLATE = (VECTORS / "appconfig-full.template.txt").read_text()
PROJECT = """\
## a project
kind: directorProject
projectName: ${appName}
projectFile: |
  services:
% for s in services.split(','):
    ${s}:
      makejail: ${makejail}
% endfor
environment:
  WHERE: !ENV '${'${WHERE:here}'}'
"""
ROOT = "(datacenter:main, chain:None"
CONFIG = "{services: 'a,b', makejail: gh+x/y}"
FILE = "services:\n  a:\n    makejail: gh+x/y\n  b:\n    makejail: gh+x/y\n"


@pytest.fixture
def server():
    with FakeServer() as s:
        yield s


def app(tmp_path, url, config=CONFIG, more="", labels="[all]", key="t.app",
        token="the-token"):
    return write(tmp_path / "app.yml", f"""\
kind: appConfig
datacenters:
  main: {{entrypoint: '{url}', access_token: '{token}'}}
deployIn: {{labels: {labels}}}
appName: p
appFrom: {key}
appConfig: {config}
{more}""")


def serve(server, text, chain="", key="t.app"):
    base = "/v1" + (f"/chain/{chain}" if chain else "")
    server.on("GET", f"{base}/metadata/{key}", 200,
              {"status_code": 200, "metadata": text})
    return server


def ups(server, *chains):
    for chain in chains or ("",):
        base = "/v1" + (f"/chain/{chain}" if chain else "")
        server.on("POST", base + "/project/up/p", 200, {"job_id": 5})
        server.on("DELETE", base + "/project/down/p", 200, {"job_id": 6})
        server.on("POST", base + "/project/down/p", 200, {"job_id": 6})
        server.on("POST", base + "/project/cancel/p", 200, {"job_id": 7})
    return server


def test_print_template_golden(tmp_path, server):
    """cli.md 2.7: the original's document; text of several lines is a
    block."""
    serve(server.single(["vm-only"]), TEMPLATE, key=KEY)
    server.on("GET", "/v1/chain/rack1/chains", 200, {"chains": []})
    server.on("GET", "/v1/chain/rack1/labels", 200, {"labels": []})
    r = overlord(tmp_path, "print-template", "-f",
                 str(EXAMPLES / "appconfig-full.yml"),
                 env={"ENTRYPOINT": server.url, "TOKEN": "t0ken"})
    assert (r.rc, r.err) == (0, ""), r
    want = (VECTORS / "appconfig-full.print-template.txt").read_text()
    want = want.replace("http://127.0.0.1:8888", server.url)
    assert yaml.safe_load(r.out) == yaml.safe_load(want)
    script = yaml.safe_load(want)["script"]
    block = "script: |\n" + re.sub("^", "  ", script.rstrip("\n"), flags=re.M)
    theirs = want[want.index("script: '"):want.index("script-environment")]
    assert r.out == want.replace(theirs, block + "\n")
    assert server.lines("/metadata") == [f"GET /v1/metadata/{KEY}"]


def test_apply_a_vm(tmp_path, server):
    serve(server.single(["vm-only"]), TEMPLATE, key=KEY)
    server.on("POST", "/v1/vm/db1", 200, {"job_id": 5})
    env = {"ENTRYPOINT": server.url, "TOKEN": "t0ken", "DISK": "7G"}
    text = (EXAMPLES / "appconfig-full.yml").read_text()
    write(tmp_path / "a.yml", text.replace("    - main.rack1\n", ""))
    r = overlord(tmp_path, "apply", "-f", "a.yml", env=env)
    assert r.rc == 0 and r.out == "", r
    body = server.bodies("POST /v1/vm/db1")[0]
    assert body["template"]["memory"] == "8G"
    assert body["diskLayout"]["size"] == "7G"
    assert body["diskLayout"]["from"]["components"] == \
        ["base.txz", "kernel.txz"]
    assert body["script"].endswith('hostname="${HOSTNAME}"\n')


def test_apply_a_project(tmp_path, server):
    """!ENV of what is rendered; variables of the file; a limit that the
    template's own word does not change."""
    text = PROJECT + "maximumDeployments: 7\ndatacenters: {x: {}}\n"
    ups(serve(server.tree(), text), "", "alpha", "alpha.bravo")
    app(tmp_path, server.url, more="maximumDeployments: 2\n")
    r = overlord(tmp_path, "apply", "-q", "-f", "app.yml",
                 env={"WHERE": "there"})
    assert r.rc == 0, r
    posts = {x.path: x.body for x in server.requests if x.method == "POST"}
    assert sorted(posts) == ["/v1/chain/alpha/project/up/p",
                             "/v1/project/up/p"]
    for body in posts.values():
        assert body["director_file"] == FILE
        assert body["environment"] == {"WHERE": "there"}
    # The template came from the first server that matched, once.
    assert server.lines("/metadata") == ["GET /v1/metadata/t.app"]


@pytest.mark.parametrize("command,method", [("destroy", "DELETE"),
                                            ("cancel", "POST")])
def test_destroy_and_cancel(tmp_path, server, command, method):
    ups(serve(server.tree(), PROJECT, "alpha"), "alpha")
    server.on("HEAD", "/v1/chain/alpha/metadata/overlord.autoscale.p", 404)
    app(tmp_path, server.url)
    r = overlord(tmp_path, command, "-q", "-f", "app.yml", "--filter-chain",
                 "alpha")
    assert r.rc == 0, r
    # The template is looked for where the command goes.
    assert server.lines("/metadata/t.app") == [
        "GET /v1/chain/alpha/metadata/t.app"]
    assert len(server.lines("/project/")) == 1, server.lines()


def test_the_first_that_renders(tmp_path, server):
    """A server without the template, one whose template fails, one that has
    it: two warnings, and all three get the project."""
    ups(server.tree(), "", "alpha", "alpha.bravo")
    serve(server, "a: ${nosuch}", "alpha")
    serve(server, PROJECT, "alpha.bravo")
    app(tmp_path, server.url, labels="[desktop, services, all]",
        more="maximumDeployments: 3\n")
    r = overlord(tmp_path, "apply", "-f", "app.yml")
    warnings = [x for x in r.err.splitlines() if "metadata:" in x]
    assert warnings == [
        f"overlord: warning: {ROOT}, metadata:t.app) error obtaining the "
        "template from the metadata: 404: Not Found",
        "overlord: warning: (datacenter:main, chain:alpha, metadata:t.app) "
        "error parsing the template: Undefined: 'nosuch' at line: 1 char: 6"]
    assert r.rc == 0, r
    assert len([x for x in server.requests if x.method == "POST"]) == 3


def check_fails(tmp_path, server, text, message, rc=65, command="apply"):
    ups(serve(server.single(), text))
    app(tmp_path, server.url)
    r = overlord(tmp_path, command, "-f", "app.yml")
    assert (r.rc, r.out) == (rc, ""), r
    assert message in r.err, r
    assert not server.lines("/project/")


@pytest.mark.parametrize("text,message", [
    ("kind: vmJail\nx: ${makejail + 1}\n",
     ROOT + ", metadata:t.app) error parsing the template: can only "
     "concatenate str (not \"int\") to str at line: 2 char: "),
    ("\n% if x:\n", "error parsing the template: Unterminated control "
     "keyword: 'if' at line: 2 char: 1"),
    ("<%inherit file='x'/>", "error parsing the template: tag <%inherit> is "
     "not supported at line: 1 char: 1"),
    ("## one\nkind: vmJail\n% for i in 'ab':\n a: b: ${i}\n% endfor\n",
     "error parsing the template: not YAML: found ':' where no key can stand; "
     "a text with ': ' needs quotes at line: 4"),
    ("- a\n", "error parsing the template: what it renders to is not a "
     "mapping"),
    ("", "error parsing the template: what it renders to is not a mapping"),
    ("<%include file='no.mako'/>", "error parsing the template: Can't locate "
     "template for uri 'no.mako' at line: 1 char: 1"),
])
@pytest.mark.parametrize("command", ["apply", "destroy", "cancel",
                                     "print-template"])
def test_what_does_not_render(tmp_path, server, text, message, command):
    check_fails(tmp_path, server, text, message, command=command)


@pytest.mark.parametrize("text,message", [
    ("projectName: p\n", "(datacenter:main, chain:None, appFrom:t.app) 'kind' "
     "is required but hasn't been specified"),
    ("kind: metadata\n", ROOT + ", appFrom:t.app, kind:metadata): appConfig "
     "deployment only accepts the following deployments: directorProject and "
     "vmJail"),
    ("kind: appConfig\n", "kind:appConfig): appConfig deployment only "
     "accepts"),
    ("kind: [1]\n", "kind:a list): appConfig deployment only accepts"),
    # The place is the template's, not that of what came of it.
    ("## one\n% for i in 'ab':\n% endfor\nkind: directorProject\n"
     "projectName: p\nprojectFiles: x\n",
     "overlord: t.app:6: projectFiles: unknown key\n  hint: did you mean"),
    ("kind: vmJail\nmakejail: x\ntemplate: {}\n",
     "overlord: t.app:1:1: 'vmName' is missing"),
    ("kind: vmJail\n", "overlord: t.app:1: 'makejail' or "),
])
def test_what_is_no_deployment(tmp_path, server, text, message):
    check_fails(tmp_path, server, text, message)


def test_cancel_has_its_own_words(tmp_path, server):
    check_fails(tmp_path, server, "kind: appConfig\nappName: a\nappFrom: b\n",
                "(kind:appConfig) loop detected in an appConfig deployment",
                78, "cancel")


def test_plan(tmp_path, server):
    """plan and apply --dry-run look at what comes of the template."""
    server.on("GET", "/v1/project/info/p", 404, {"message": "Not Found"})
    ups(serve(server.single(), PROJECT))
    app(tmp_path, server.url)
    for args in (["plan"], ["apply", "--dry-run"]):
        r = overlord(tmp_path, *args, "-f", "app.yml")
        assert r.rc == (2 if args == ["plan"] else 0), r
        assert "+ p " in r.out, r
    serve(server, "")
    server.rows[("GET", "/v1/metadata/t.app")] = [(200, {"metadata": ""}, {})]
    r = overlord(tmp_path, "plan", "-f", "app.yml")
    assert (r.rc, r.out) == (65, "") and "is not a mapping" in r.err, r
    app(tmp_path, server.url, labels="[nobody]")
    r = overlord(tmp_path, "plan", "-f", "app.yml")
    assert (r.rc, r.out) == (0, "") and "nothing matched" in r.err, r
    assert not [x for x in server.requests if x.method == "POST"]


def test_reserved_variables(tmp_path, server):
    ups(serve(server.single(), "a: b\n"))
    app(tmp_path, server.url, "{loop: x}")
    r = overlord(tmp_path, "apply", "-f", "app.yml")
    assert r.rc == 65 and \
        "Reserved words passed to render(): loop" in r.err, r


def test_variables(tmp_path, server):
    """appName is the file's; a key that is no identifier is in the context; no
    value is read again."""
    serve(server.single(),
          "a: ${appName}${context.get('my-var')}\nb: '${tricky}'\n")
    app(tmp_path, server.url,
        "{appName: other, my-var: x, tricky: '${appName} % if'}")
    r = overlord(tmp_path, "print-template", "-f", "app.yml")
    doc = yaml.safe_load(r.out)
    assert (doc["a"], doc["b"]) == ("px", "${appName} % if"), r
    assert doc["maximumDeployments"] == 0


def test_mako_directories(tmp_path, server):
    serve(server.single(),
          "kind: x\n<%include file='inc.mako' args='n=2'/>\n")
    app(tmp_path, server.url)
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    (two / "inc.mako").write_text("<%page args='n'/>two: ${n}${appName}\n")
    (tmp_path / "inc.mako").write_text("here: 1\n")
    secret = tmp_path / "secret"
    secret.write_text("secret: 1\n")

    def doc(*args):
        r = overlord(tmp_path, "print-template", "-f", "app.yml", *args)
        return yaml.safe_load(r.out) if r.rc == 0 else r.err
    assert doc()["here"] == 1
    assert doc("--mako-directories", "one", "--mako-directories",
               "two")["two"] == "2p"
    (one / "inc.mako").symlink_to(secret)
    assert "a symbolic link leads out of the directory" in doc(
        "--mako-directories", "one", "--mako-directories", "two")


def test_exit_codes(tmp_path, server):
    app(tmp_path, server.url, labels="[nobody]")
    server.single()
    r = overlord(tmp_path, "print-template", "-f", "app.yml")
    assert (r.rc, r.out) == (68, "") and "nothing matched" in r.err, r
    r = overlord(tmp_path, "apply", "-f", "app.yml")
    assert r.rc == 0 and "No deployment has had any effect" in r.err, r
    assert overlord(tmp_path, "apply", "--strict", "-f", "app.yml").rc == 68
    r = overlord(tmp_path, "destroy", "-f", "app.yml")
    assert r.rc == 0 and "nothing matched" in r.err, r
    app(tmp_path, server.url)
    for command in ("print-template", "apply", "destroy"):
        r = overlord(tmp_path, command, "-f", "app.yml")
        assert r.rc == 76 and "404: Not Found" in r.err, r
    server.on("GET", "/v1/metadata/t.app", 503, {"message": "busy"})
    assert overlord(tmp_path, "print-template", "-f", "app.yml").rc == 69
    server.rows[("GET", "/v1/metadata/t.app")] = [(403, {}, {})]
    assert overlord(tmp_path, "print-template", "-f", "app.yml").rc == 77
    server.rows[("GET", "/v1/metadata/t.app")] = [(200, {"value": 1}, {})]
    r = overlord(tmp_path, "print-template", "-f", "app.yml")
    assert r.rc == 76 and "the reply is not understood" in r.err, r
    app(tmp_path, "http://127.0.0.1:1")
    assert overlord(tmp_path, "print-template", "-f", "app.yml").rc == 69
    write(tmp_path / "ro.yml", f"""\
kind: readOnly
datacenters: {{main: {{entrypoint: '{server.url}', access_token: t}}}}
deployIn: {{labels: [all]}}
""")
    r = overlord(tmp_path, "print-template", "-f", "ro.yml")
    assert r.rc == 78 and "(kind:readOnly) Only appConfig deployments are " \
        "accepted" in r.err, r


def check_what_is_shown(tmp_path):
    """Of the deployed project, which is called after the file's appName."""
    r = overlord(tmp_path, "plan", "-q", "-f", "app.yml")
    assert r.rc == 0 and r.out.split("\n")[-2] == "Plan: 2 unchanged.", r
    for command in ("status", "jobs"):
        r = overlord(tmp_path, command, "-f", "app.yml", "--no-headers")
        assert r.rc == 0 and r.out.count(" p ") == 2, r
        assert len(r.out.splitlines()) == 2, r
    r = overlord(tmp_path, "logs", "--file", "app.yml", "--no-prefix")
    assert r.rc == 0 and "gh+x/y" in r.out, r


def test_real_servers(tmp_path, make_node):
    """The template is stored at the end of a chain; the project goes there and
    to the root, and away again."""
    tree = make_tree(make_node, ("main", "alpha", "charlie"))
    main, charlie = tree["main"], tree["charlie"]
    main.wait_job(main.up("q"))
    write(tmp_path / "meta.yml", f"""\
kind: metadata
datacenters:
  main: {{entrypoint: '{main.url()}', access_token: '{main.token()}'}}
deployIn: {{labels: [charlie]}}
metadata:
  t.app: {json.dumps(PROJECT)}
  broken.app: {json.dumps("kind: x" + chr(10) + "${nope}" + chr(10))}
""")
    r = overlord(tmp_path, "apply", "-f", "meta.yml")
    assert r.rc == 0, r
    app(tmp_path, main.url(), labels="[main, charlie]", token=main.token())
    r = overlord(tmp_path, "apply", "-f", "app.yml", "--wait")
    assert r.rc == 0, r
    assert ROOT + ", metadata:t.app) error obtaining the template from the " \
        "metadata: 404" in r.err, r
    for node in (main, charlie):
        wait_for("the project", lambda n=node: n.info("p"))
    check_what_is_shown(tmp_path)
    app(tmp_path, main.url(), "{services: 'a', makejail: gh+x/y}",
        labels="[main, charlie]", token=main.token())
    r = overlord(tmp_path, "plan", "-f", "app.yml", "--chain",
                 "alpha.charlie")
    assert r.rc == 2 and " ~ p  projectFile: 0 lines added, 2 removed" \
        in r.out, r
    assert tree["alpha"].get("/v1/project/info/p").status == 404
    r = overlord(tmp_path, "destroy", "-q", "-f", "app.yml", "--wait")
    assert r.rc == 0, r
    app(tmp_path, main.url(), labels="[charlie]", token=main.token(),
        key="broken.app")
    r = overlord(tmp_path, "apply", "-f", "app.yml")
    assert r.rc == 65, r
    assert "overlord: warning: (datacenter:main, chain:alpha.charlie, " \
        "metadata:broken.app) error parsing the template: Undefined: 'nope' " \
        "at line: 2 char: 3\n" in r.err, r
