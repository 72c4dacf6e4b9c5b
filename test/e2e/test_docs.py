# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The manual and README.md against the programs: every route is described,
every example does what it says."""

import argparse
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time

import pytest

from node import (BUILD, CLIENT, DAEMON, DIRECTOR_FILE, HELPER, REPO, free_port,
                  is_alive, wait_for)
from template_kit import ours

DOCS = REPO / "docs"
DATE = re.compile(r"\d{4}-\d\d-\d\d_\d\dh\d\dm\d\ds")
ESCAPES = [(r"\e", "\\"), (r"\(aq", "'"), (r"\&", "")]


def blocks(page):
    """The literal displays of a page, as a reader sees them."""
    text = (DOCS / page).read_text()
    for found in re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", text,
                            re.M | re.S):
        for escape, shown in ESCAPES:
            found = found.replace(escape, shown)
        yield found


def numbered(found):
    return [pytest.param(b, id=str(i)) for i, b in enumerate(found)]


def run(*argv, **kwargs):
    return subprocess.run([str(a) for a in argv], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **kwargs)


# Configurations

def with_certificates(text, directory):
    """The text with files that are there for those of tls."""
    if "/etc/ssl/" not in text:
        return text
    if shutil.which("openssl") is None:
        pytest.skip("no openssl(1) here")
    files = {"key": directory / "tls.key", "crt": directory / "tls.crt"}
    r = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
            "-keyout", files["key"], "-out", files["crt"])
    assert r.returncode == 0, r.stdout
    return re.sub(r"/[/\w.-]+/etc/ssl/[\w-]+\.(key|crt)\b",
                  lambda m: str(files[m.group(1)]), text)


def is_config(block):
    return re.match(r"[a-z_]+:", block) is not None


@pytest.mark.parametrize("text", numbered(
    filter(is_config, blocks("overlord.yml.5"))))
def test_config_examples_are_valid(text, tmp_path):
    f = tmp_path / "overlord.yml"
    f.write_text(with_certificates(text, tmp_path))
    r = run(DAEMON, "-t", "-f", f)
    assert r.returncode == 0, r.stdout
    # Nothing but missing programs to be warned of.
    for line in r.stdout.splitlines():
        assert "not found in PATH" in line or "valid" in line, line


def test_the_sample_is_valid_with_and_without_its_comments(tmp_path):
    sample = (DOCS / "overlord.yml.sample").read_text()
    head, _, options = sample.partition("\n\n")
    assert all(line.startswith("#") for line in head.splitlines())
    f = tmp_path / "overlord.yml"
    for text in (sample, re.sub(r"^#", "", options, flags=re.M)):
        f.write_text(with_certificates(text, tmp_path))
        r = run(DAEMON, "-t", "-f", f)
        assert r.returncode == 0, r.stdout


# Deployments

def deployments():
    for block in blocks("overlord-spec.5"):
        if block.startswith("kind:"):
            yield block
    for block in re.findall(r"^```yaml\n(.*?)^```$",
                            (REPO / "README.md").read_text(), re.M | re.S):
        if block.startswith("kind:"):
            yield block
    for f in sorted((DOCS / "examples").glob("*.yml")):
        yield f.read_text()


@pytest.mark.parametrize("text", numbered(deployments()))
def test_deployment_examples_are_valid(text, tmp_path):
    f = tmp_path / "deployment.yml"
    f.write_text(text)
    r = run(CLIENT, "validate", "-f", f, cwd=tmp_path,
            env={**os.environ, "ENTRYPOINT": "http://127.0.0.1:8888",
                 "TOKEN": "x"})
    assert r.returncode == 0, r.stdout
    assert "warning" not in r.stdout, r.stdout


def templates():
    """(variables, template, what comes of it): "# a: 1, b: 2", and "=>"."""
    for block in blocks("overlord-spec.5"):
        if "\n=>\n" in block:
            head, _, rest = block.partition("\n")
            text, _, output = rest.partition("=>\n")
            yield (dict(v.split(": ") for v in head[2:].split(", ")), text,
                   output)


@pytest.mark.parametrize("data,text,output", templates())
def test_template_examples_do_what_they_show(data, text, output):
    assert ours([(text, data)])[0].get("output") == output


def test_there_are_template_examples():
    assert len(list(templates())) >= 3


def test_the_commands_of_readme_do_what_it_says(tmp_path):
    script = "".join(re.findall(r"^```sh\n(.*?)^```$",
                                (REPO / "README.md").read_text(),
                                re.M | re.S))
    assert script.count("\noverlord ") >= 5
    # A port of its own, and no curl where there is none.
    script = script.replace("8888", str(free_port()))
    if shutil.which("curl") is None:
        script = re.sub("^curl .*$", "", script, flags=re.M)
    (tmp_path / "build").mkdir()
    for part in ("cli", "daemon", "test"):
        (tmp_path / "build" / part).symlink_to(BUILD / part)
    (tmp_path / "docs").symlink_to(DOCS)
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("OVERLORD_", "STANDIN_"))}
    env["HOME"] = str(tmp_path)
    r = run("sh", "-eu", "-c", script, cwd=tmp_path, env=env, timeout=120)
    try:
        assert r.returncode == 0, r.stdout
        assert "state: DONE" in r.stdout, r.stdout
    finally:
        pidfile = tmp_path / "build" / "try" / "run" / "overlordd.pid"
        if pidfile.exists():
            pid = int(pidfile.read_text())
            if r.returncode != 0:
                os.kill(pid, signal.SIGTERM)
            wait_for("the node to end", lambda: not is_alive(pid))


# The client

def test_the_examples_of_overlord_1_work(node, tmp_path):
    """Line by line, against a node that has its name in the file."""
    env = {**node.env(), "PATH": f"{CLIENT.parent}:{node.env()['PATH']}"}
    (tmp_path / "web.yml").write_text(json.dumps({
        "kind": "directorProject", "projectName": "web",
        "projectFile": DIRECTOR_FILE, "deployIn": {"labels": ["desktop"]},
        "datacenters": {"main": {"entrypoint": node.url(),
                                 "access_token": node.token()}}}))
    done = 0
    for block in blocks("overlord.1"):
        for line in re.findall(r"^\$ (.*)$", block, re.M):
            r = run("bash", "-c", line, cwd=tmp_path, env=env, timeout=120)
            assert r.returncode == 0, (line, r.stdout)
            done += 1
    assert done >= 8


# The API

def routes():
    text = (REPO / "proto" / "routes.def").read_text()
    return re.findall(r'^ROUTE\(\w+, \w+, "(\w+)", "([^"]+)"', text, re.M)


def test_every_route_is_described_and_has_an_example():
    assert len(routes()) > 20
    page = (DOCS / "overlord-api.7").read_text()
    curls = [c for c in blocks("overlord-api.7") if c.startswith("curl")]
    for method, path in routes():
        assert re.search(rf"^\.It (.*, )?Sy {method} {re.escape(path)}( ,|$)",
                         page, re.M), f"{method} {path} is not described"
        if path in ("/", "/v1[/]"):
            continue
        word = re.sub(r"\\\{\w+\\\}", r"[\\w.-]+",
                      re.escape(path.replace("[/]", "")))
        assert any(re.search(rf"\$URL{word}(\?\S*)?\"?\n", c) and
                   curl(c).method == method for c in curls), \
            f"{method} {path} has no example"


def curl(block):
    """The options of the block's command, and the rest as its reply."""
    end = re.search(r"(?<!\\)\n(?=\{|\Z)", block).end()
    p = argparse.ArgumentParser()
    p.add_argument("-X", dest="method")
    p.add_argument("-H", dest="header", required=True)
    p.add_argument("-I", dest="head", action="store_true")
    p.add_argument("-N", dest="stream", action="store_true")
    p.add_argument("-d", dest="data")
    p.add_argument("url")
    a = p.parse_args(shlex.split(block[:end].replace("\\\n", ""))[1:])
    a.method = a.method or ("HEAD" if a.head else "GET")
    a.reply = json.loads(block[end:]) if block[end:] else None
    return a


def same_shape(shown, real, path="reply"):
    """Every member that is shown is there, and of the type that is shown;
    short texts and small numbers are what they are."""
    if isinstance(shown, dict):
        assert isinstance(real, dict), f"{path}: {real}"
        for k, v in shown.items():
            if DATE.fullmatch(k):
                assert len(real) >= 1 and all(map(DATE.fullmatch, real)), real
                same_shape(v, next(iter(real.values())), f"{path}.{k}")
                continue
            assert k in real, f"{path}.{k} is not in {real}"
            same_shape(v, real[k], f"{path}.{k}")
    elif isinstance(shown, list):
        assert isinstance(real, list) and len(real) == len(shown), \
            f"{path}: {real}"
        for i, v in enumerate(shown):
            same_shape(v, real[i], f"{path}[{i}]")
    elif path == "reply.audit[0].id":
        assert isinstance(real, int)
    elif isinstance(shown, float):
        assert isinstance(real, (int, float)), f"{path}: {real}"
    elif path.rpartition(".")[2] in ("jail", "by", "request_id", "last_log",
                                     "log_content", "token", "directory",
                                     "file", "server", "version"):
        assert isinstance(real, str) and real, f"{path}: {real}"
    elif path.rpartition(".")[2] in ("owner", "group"):
        assert isinstance(real, int), f"{path}: {real}"
    else:
        assert real == shown, f"{path}: {real}"


def first_line(node, path):
    """Of an answer that does not end."""
    c = http.client.HTTPConnection(*node.address(), timeout=60)
    c.request("GET", path, headers={"Authorization": "Bearer " + node.token()})
    r = c.getresponse()
    assert r.status == 200 and r.readline() != b"", path
    c.close()


# What the examples show of a jail: the files that AppJail would keep.
JAIL = {
    "conf/config.conf": "jail_type: thin\nosversion: 14.3-RELEASE\n",
    "conf/boot/network/reserved.ajnet": "10.0.0.2",
    "conf/boot/devfs/0/enabled": "1", "conf/boot/devfs/0/rule":
    "add path bpf unhide",
    **{"conf/boot/expose/0/" + k: v for k, v in {
        "enabled": "1", "name": "http", "network_name": "ajnet",
        "hport": "8080", "jport": "80", "protocol": "tcp", "ext_if": "em0",
        "on_if": "em0"}.items()},
    **{"conf/boot/health/0/" + k: v for k, v in {
        "enabled": "1", "status": "healthy", "health_type": "host",
        "health_cmd": "fetch -qo /dev/null http://10.0.0.2",
        "recover_type": "host", "recover_cmd": "appjail restart web"}.items()},
    **{"conf/boot/limits/0/" + k: v for k, v in {
        "enabled": "1", "name": "mem",
        "rule": "memoryuse:deny=512m/jail"}.items()},
    **{"conf/boot/fstab/0/" + k: v for k, v in {
        "enabled": "1", "fs_spec": "/var/www", "fs_file": "/usr/local/www",
        "fs_vfstype": "nullfs", "fs_mntops": "rw", "fs_freq": "0",
        "fs_passno": "0"}.items()},
    "conf/labels/overlord.skydns/value": "1",
    "conf/boot/nat/ajnet/pf-nat.conf": "nat on em0 from 10.0.0.2 to any",
    **{"conf/volumes/www/" + k: v for k, v in {
        "mountpoint": "/usr/local/www", "type": "nullfs", "uid": "80",
        "gid": "80", "perm": "755"}.items()},
    "up": "", "cpuset": "0, 1, 2, 3",
    "rctl": "cputime=12\nmemoryuse=52428800\nmaxproc=3\n",
}


def make_jail(node):
    files = {node.standin / "jails" / "web" / k: v for k, v in JAIL.items()}
    files[node.standin / "logs" / "jails" / "web" / "startup-start" /
          "2026-11-24.log"] = "Starting ...\n"
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_the_examples_of_the_api_do_what_they_show(node):
    # What takes more than this to come about.
    node.stop()
    node.put_record("vm", "db1", {
        "operation": "COMPLETED", "output": "...", "last_update": 1,
        "job_id": 11})
    node.put_record("autoscale", "web", {
        "last_update": time.time(), "operation": "COMPLETED", "logs": [
            {"project": "web", "chain": "alpha", "context": "up",
             "response": {"status_code": 200, "job_id": 7}}],
        "took": 0.018, "replicas": {"ready": 1, "coming": 1, "min": 2}})
    node.start()
    done = 0
    make_jail(node)
    # No example shows what comes of the VM.
    (node.standin / "faults").write_text(
        "rc=70 appjail-director up *-p db1\n")
    for block in blocks("overlord-api.7"):
        if not block.startswith("curl"):
            continue
        a = curl(block)
        assert a.url.startswith("$URL/v1/"), block
        assert a.header == "Authorization: Bearer $TOKEN", block
        path = a.url[len("$URL"):]
        if DATE.search(path):
            logs = node.get("/v1/projects/logs").json["logs"]
            path = DATE.sub(min(logs), path)
        if a.stream:
            first_line(node, path)
            continue
        r = node.request(a.method, path, a.data.encode() if a.data else None)
        if a.reply is not None:
            assert r.status == a.reply["status_code"], (block, r)
            same_shape(a.reply, r.json)
        else:
            assert r.status == (204 if a.method == "DELETE" else 200), \
                (block, r)
        if r.json and "job_id" in r.json:
            node.wait_job(r.json["job_id"])
        done += 1
    assert done >= 15


# Pages and programs

def test_overlordd_8_has_every_option_of_the_usage():
    usage = run(DAEMON, "-h").stdout
    page = (DOCS / "overlordd.8").read_text()
    options = re.findall(r"^  (--?\w+)", usage, re.M)
    assert len(options) >= 6
    for option in options:
        assert re.search(rf"^\.It Fl {re.escape(option[1:])}\b", page, re.M), \
            f"{option} is not in overlordd.8"


def test_overlordd_8_names_the_files_that_are_there(node):
    page = (DOCS / "overlordd.8").read_text()
    assert node.post("/v1/metadata/k", {"value": "x"}).status == 201
    assert node.post("/v1/namespace/n", {
        "mapping": [{"file": "k:x"}]}).status == 201
    listed = re.findall(r"^\.It Pa /var/(?:db|run)/overlord/(\S+)$", page,
                        re.M)
    for name in listed:
        assert (node.root / "state" / name).exists() or \
            (node.root / "run" / name).exists(), name
    for d in ("state", "run"):
        for f in (node.root / d).iterdir():
            assert f.name in (n.rstrip("/") for n in listed), \
                f"{d}/{f.name} is not in overlordd.8"


def test_the_tests_that_security_md_names():
    page = (DOCS / "security.md").read_text()
    tests = DOCS.parent / "test"
    named = re.findall(r"`(test_\w+\.(?:py|c))(?:::(\w+))?`", page)
    assert len(named) > 40
    for name, test in named:
        where = tests / ("unit" if name.endswith(".c") else "e2e") / name
        assert where.exists(), name
        assert not test or f"\ndef {test}(" in where.read_text(), (name, test)
    for name in re.findall(r"`(fuzz_\w+)`", page):
        assert (tests / "fuzz" / (name + ".c")).exists(), name


def test_exit_codes_of_overlordd_8(make_node, tmp_path):
    page = (DOCS / "overlordd.8").read_text()
    codes = page.partition(".Sh EXIT STATUS")[2].partition(".Sh")[0]
    codes = {int(c) for line in re.findall(r"^\.It (.*)$", codes, re.M)
             for c in re.findall(r"\d+", line)}
    node = make_node().start()
    faulty = tmp_path / "faulty.yml"
    faulty.write_text("prot: 1\n")
    busy = make_node({"listen": [node.addresses()[0]]}, name="busy")
    open_key = make_node(name="open")
    (open_key.root / "state").mkdir()
    open_key.keyfile.write_bytes(bytes(64))
    open_key.keyfile.chmod(0o644)
    for code, argv in [
            (64, ["-x"]),
            (64, ["operand"]),
            (66, ["-t", "-f", tmp_path / "none.yml"]),
            (78, ["-t", "-f", faulty]),
            (69, ["-F", "-f", node.config]),
            (74, ["-F", "-f", busy.config]),
            (77, ["-F", "-f", open_key.config])]:
        r = run(DAEMON, *argv, env=node.env(), timeout=60)
        assert r.returncode == code, (argv, r)
        assert code in codes
    assert HELPER.exists()
