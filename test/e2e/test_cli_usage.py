#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The client without a server: arguments, files, environment, help."""

import json
import os
import re
import stat

import jwt
import pytest

from cli_support import document, overlord, project, write

USAGE = 64


def test_bare(tmp_path):
    r = overlord(tmp_path)
    assert (r.rc, r.out) == (USAGE, "")
    assert "overlord --help" in r.err


def test_version(tmp_path):
    r = overlord(tmp_path, "--version")
    assert r.rc == 0 and r.err == ""
    assert r.out.startswith("overlord, version ") and r.out.count("\n") == 1


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["help"],
                                  ["apply", "--help"], ["apply", "-h"],
                                  ["help", "apply"], ["-h", "jobs"],
                                  ["serve", "--help"]])
def test_help(tmp_path, args):
    r = overlord(tmp_path, *args)
    assert r.rc == 0 and r.err == ""
    assert "usage: overlord" in r.out
    assert all(len(line) < 80 for line in r.out.splitlines())
    codes = [int(x) for x in re.findall(r"^  (\d+)  +\S", r.out, re.M)]
    assert codes == sorted(codes)


def test_manual_has_every_option(tmp_path):
    page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                        "docs", "overlord.1")
    with open(page) as f:
        manual = f.read()
    commands = re.findall(r"^  ([a-z-]+)  +[A-Z]",
                          overlord(tmp_path, "help").out, re.M)
    assert len(commands) >= 12
    for command in commands:
        assert f".Cm {command}" in manual
        options = re.findall(r"^  (?:-\w,|   ) --([a-z-]+)",
                             overlord(tmp_path, command, "--help").out, re.M)
        assert "help" in options
        missing = [o for o in options
                   if not re.search(rf"Fl (?:\w , )?-{o}(?![\w-])", manual)]
        assert not missing, command


def test_help_lists_no_legacy(tmp_path):
    out = overlord(tmp_path, "help").out
    assert "poll-jails" not in out and "  serve" not in out
    assert "apply" in out


@pytest.mark.parametrize("args,words,hint", [
    (["aply"], "unknown command 'aply'", "did you mean 'apply'?"),
    (["get_info"], "unknown command 'get_info'", "did you mean 'get-info'?"),
    (["apply", "--restar"], "unknown option '--restar'",
     "did you mean '--restart'?"),
    (["apply", "-x"], "unknown option '-x'", "overlord apply --help"),
    (["apply"], "missing option '-f' / '--file'", "overlord apply --help"),
    (["get-project-log", "-f", "x", "-d", "a", "-s", "b", "-l", "c"],
     "missing argument 'ENTRYPOINT'", "--help"),
    (["print-spec", "-f", "x", "extra"],
     "unexpected extra argument 'extra'", "--help"),
    (["get-info", "-f", "x", "-t", "bogus"],
     "--type 'bogus': is not one of: jails, projects, chains, chains:tree, "
     "chains:stats, projects:logs, jails:logs, metadata, namespaces, "
     "autoscale, vm", ""),
    (["get-info", "-f", "x", "-t", "Jails"], "--type 'Jails'",
     "did you mean 'jails'?"),
    (["gen-token", "--expire", "abc"], "--expire 'abc': not a whole number",
     ""),
    (["gen-token", "--metadata"], "option '--metadata' requires an argument",
     ""),
    (["apply", "-f"], "option '-f' requires an argument", ""),
    (["apply", "-f", "x", "--restart=1"], "option '--restart' takes no value",
     ""),
    (["apply", "-f", "x", "--timeout", "soon"], "--timeout 'soon'", ""),
    (["apply", "-e", "x", "-f", "y"], "unknown option '-e'",
     "'-e' stands before the command; --env-file may stand anywhere"),
    (["--parallel", "0", "help"], "--parallel: must be 1 to 1024", ""),
    (["get-info", "-f", "x", "-t", "autoscale"],
     "Autoscale requires you define at least one filter", ""),
    (["get-jail-log", "-f", "x", "-t", "a", "-s", "b", "-l", "c", "main"],
     "missing option '-e' / '--entity'", "overlord get-jail-log --help"),
])
def test_usage(tmp_path, args, words, hint):
    r = overlord(tmp_path, *args)
    assert (r.rc, r.out) == (USAGE, ""), r
    assert words in r.err and hint in r.err, r
    assert r.err.startswith("overlord: ")


@pytest.mark.parametrize("name", [
    "poll-autoscale", "poll-heartbeat", "poll-jail-extras", "poll-jail-info",
    "poll-jail-stats", "poll-jails", "poll-project-info", "poll-projects",
    "watch-commands", "watch-projects", "watch-vm"])
def test_legacy(tmp_path, name):
    args = ["--item", "label"] if name == "poll-jail-extras" else []
    # A broken configuration and environment must not matter.
    write(tmp_path / ".overlord.yml", "port: x\n")
    r = overlord(tmp_path, "-e", "nofile", name, *args)
    assert (r.rc, r.out) == (0, "")
    assert r.err == (f"overlord: '{name}' has nothing to do: overlordd does "
                     "this itself, see overlordd(8)\n")


def test_serve_becomes_the_daemon(tmp_path):
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    fake = bin_dir / "overlordd"
    fake.write_text("#!/bin/sh\necho \"$0 $*\"\n")
    fake.chmod(0o755)
    client = bin_dir / "overlord"
    with open(overlord.__globals__["OVERLORD"], "rb") as f:
        client.write_bytes(f.read())
    client.chmod(0o755)
    write(tmp_path / ".overlord.yml", "port: 1\n")
    import subprocess
    p = subprocess.run([client, "serve"], cwd=tmp_path, capture_output=True,
                       text=True, timeout=60)
    assert p.returncode == 0
    assert p.stdout.rstrip().endswith("overlordd -F -f .overlord.yml")


# Files


def test_no_such_file(tmp_path):
    r = overlord(tmp_path, "print-spec", "-f", "no-such.yml")
    assert r.rc == 66
    assert r.err == "overlord: no-such.yml: No such file or directory\n"


def test_directory_as_file(tmp_path):
    r = overlord(tmp_path, "print-spec", "-f", ".")
    assert r.rc == 66 and r.err == "overlord: .: Is a directory\n"


def test_bad_yaml(tmp_path):
    write(tmp_path / "web.yml", "kind: [\n")
    r = overlord(tmp_path, "apply", "-f", "web.yml")
    assert r.rc == 65 and r.err.startswith("overlord: web.yml:")


def test_stdin(tmp_path):
    text = (tmp_path / project(tmp_path, "x")).read_text()
    text = text.replace("'services: {}'",
                        "!ENV '${OVERLORD_FILE} ${OVERLORD_WRKDIR}'")
    r = overlord(tmp_path, "print-spec", "-f", "-", stdin=text)
    assert r.rc == 0
    assert json.loads(r.out)["projectFile"] == (
        f"/dev/stdin {os.path.realpath(tmp_path)}")
    r = overlord(tmp_path, "print-spec", "-f", "-", stdin="kind: foo\n")
    assert r.rc == 65 and "<stdin>:1:7: kind: 'foo' is not one of" in r.err


def test_file_variables(tmp_path):
    real = tmp_path / "real"
    real.mkdir()
    write(real / "web.yml", "kind: readOnly\ndatacenters: {m: {entrypoint: "
          "!ENV '${OVERLORD_FILE} ${OVERLORD_WRKDIR}'}}\n"
          "deployIn: {labels: [all]}\n")
    (tmp_path / "link.yml").symlink_to("real/web.yml")
    r = overlord(tmp_path, "print-spec", "-f", "link.yml")
    path = os.path.realpath(real)
    assert json.loads(r.out)["datacenters"]["m"]["entrypoint"] == (
        f"{path}/web.yml {path}")


def test_env_file(tmp_path):
    project(tmp_path, "!", more="projectFile: !ENV '${A} ${B}'")
    write(tmp_path / ".env", "A=1\nnot a line\nB=2\n")
    r = overlord(tmp_path, "print-spec", "-f", "web.yml", env={"B": "kept"})
    assert json.loads(r.out)["projectFile"] == "1 kept"
    assert "overlord: .env:2: not NAME=value, ignored\n" in r.err
    write(tmp_path / "other.env", "A=3\n")
    for args in (["-e", "other.env", "print-spec"],
                 ["--env-file=other.env", "print-spec"],
                 ["print-spec", "--env-file", "other.env"]):
        r = overlord(tmp_path, *args, "-f", "web.yml", env={"B": "4"})
        assert json.loads(r.out)["projectFile"] == "3 4"
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").mkdir()
    r = overlord(tmp_path, "print-spec", "-f", "web.yml", "-q")
    assert (r.rc, r.err) == (0, "")
    r = overlord(tmp_path, "-e", "none.env", "print-spec", "-f", "web.yml")
    assert r.rc == 66
    assert r.err == "overlord: none.env: No such file or directory\n"


def test_options_mix(tmp_path):
    project(tmp_path, "x")
    for args in (["-fweb.yml"], ["--file=web.yml"],
                 ["-f", "none", "-f", "web.yml"], ["-qf", "web.yml"],
                 ["-q", "--file", "web.yml", "--"]):
        assert overlord(tmp_path, "print-spec", *args).rc == 0, args


def test_full_stdout(tmp_path):
    import subprocess
    from cli_support import OVERLORD, clean_env
    with open("/dev/full", "wb") as full:
        p = subprocess.run([OVERLORD, "--version"], stdout=full,
                           stderr=subprocess.PIPE, env=clean_env(),
                           cwd=tmp_path, timeout=60)
    assert p.returncode == 74
    assert b"standard output: No space left on device" in p.stderr


def test_closed_pipe(tmp_path):
    import signal
    import subprocess
    from cli_support import OVERLORD, clean_env
    r, w = os.pipe()
    os.close(r)
    p = subprocess.run([OVERLORD, "--help"], stdout=w, stderr=subprocess.PIPE,
                       env=clean_env(), cwd=tmp_path, timeout=60)
    os.close(w)
    assert p.returncode == -signal.SIGPIPE and p.stderr == b""


def test_closed_descriptors(tmp_path):
    import subprocess
    from cli_support import OVERLORD, clean_env
    name = project(tmp_path, "http://127.0.0.1:9")
    for command, fds, rc, err in [
            (f"status -f {name}", ">&-", 74,
             "overlord: standard output: Bad file descriptor\n"),
            ("validate -f -", "<&-", 66,
             "overlord: <stdin>: Bad file descriptor\n"),
            (f"apply -f {name}", "<&- >&- 2>&-", 69, "")]:
        p = subprocess.run(["sh", "-c", f"{OVERLORD} {command} {fds}"],
                           capture_output=True, text=True, timeout=60,
                           env=clean_env(), cwd=tmp_path)
        assert (p.returncode, p.stderr) == (rc, err)


# validate


def test_validate(tmp_path):
    project(tmp_path, "http://x")
    r = overlord(tmp_path, "validate", "-f", "web.yml")
    assert (r.rc, r.out) == (
        0, "web.yml: valid (directorProject p, 1 datacenter)\n")
    os.chmod(tmp_path / "web.yml", 0o600)
    r = overlord(tmp_path, "validate", "-f", "web.yml", "-q")
    assert (r.rc, r.out, r.err) == (0, "", "")


def test_validate_tells_a_configuration(tmp_path):
    write(tmp_path / "a.yml", "port: 8888\nlabels: [all]\n")
    r = overlord(tmp_path, "validate", "-f", "a.yml")
    assert r.rc == 65
    assert ("overlord: a.yml:1:1: 'kind' is missing\n"
            "  hint: a configuration? use --config\n") in r.err, r
    write(tmp_path / "overlord.yml", "prot: 8888\n")
    r = overlord(tmp_path, "validate", "-f", "overlord.yml")
    assert "  hint: a configuration? use --config\n" in r.err, r
    write(tmp_path / "b.yml", "datacenters: {}\n")
    assert "--config" not in overlord(tmp_path, "validate", "b.yml").err


def test_validate_token_in_clear(tmp_path):
    project(tmp_path, "http://x")
    os.chmod(tmp_path / "web.yml", 0o644)
    r = overlord(tmp_path, "validate", "-f", "web.yml")
    assert r.rc == 0
    assert ("web.yml:5:19: datacenters.main.access_token: warning: a token in "
            "clear in a file that others may read") in r.err
    assert overlord(tmp_path, "validate", "--strict", "web.yml").rc == 65
    text = (tmp_path / "web.yml").read_text()
    (tmp_path / "web.yml").write_text(text.replace("'the-token'",
                                                   "!ENV '${T}'"))
    r = overlord(tmp_path, "validate", "web.yml", env={"T": "t"})
    assert "in clear" not in r.err


def test_validate_all_faults_at_once(tmp_path):
    write(tmp_path / "a.yml", """\
kind: directorProject
datacenters:
  main: {entrypoint: x, access_token: y}
deployIn:
  label: [all]
projectName: 5
""")
    r = overlord(tmp_path, "validate", "-f", "a.yml", "-f", "none.yml")
    assert r.rc == 65
    assert "a.yml:5:3: deployIn.label: unknown key\n  hint: did you mean " \
           "'labels'?" in r.err
    assert "a.yml:6:14: projectName: expected a string, found an integer (5)" \
        in r.err
    assert "none.yml: No such file or directory" in r.err
    doc, r = document(tmp_path, "validate", "-f", "a.yml")
    assert r.rc == 65 and doc["schema"] == "overlord.validate/1"
    found = doc["files"][0]
    assert found["valid"] is False
    assert [f["path"] for f in found["findings"]][:2] == [
        "deployIn.label", "projectName"] or len(found["findings"]) >= 2


def test_validate_config(tmp_path):
    write(tmp_path / ".overlord.yml", "port: 99999\n")
    r = overlord(tmp_path, "validate", "--config")
    assert r.rc == 65 and ".overlord.yml:1:7: port: " in r.err
    write(tmp_path / "good.yml", "port: 9999\n")
    r = overlord(tmp_path, "validate", "--config", "-f", "good.yml")
    assert (r.rc, r.out) == (0, "good.yml: valid (configuration)\n")
    r = overlord(tmp_path, "validate", "--config",
                 env={"OVERLORD_CONFIG": "none.yml"})
    assert r.rc == 66
    assert r.err == "overlord: OVERLORD_CONFIG: 'none.yml' is not a file\n"


# Tokens and configuration


def test_gen_token(tmp_path):
    write(tmp_path / ".overlord.yml", "secret_key: abc\n")
    r = overlord(tmp_path, "gen-token", "--metadata", "a=b", "--metadata", "c",
                 "--metadata", " =x", "--metadata", "d=e=f", "--metadata",
                 "a=é", "--expire", "2", "--expire-type", "days")
    assert r.rc == 0 and r.err == ""
    token = r.out.rstrip("\n")
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    claims = jwt.decode(token, "abc", algorithms=["HS256"])
    assert list(claims) == ["metadata", "random_chunk", "exp", "jti"]
    assert len(claims["jti"]) == 24
    metadata = claims["metadata"]
    assert list(metadata) == ["a", "c", "d", "overlord.version"]
    assert metadata["a"] == "é" and metadata["c"] == ""
    assert metadata["d"] == "e=f"
    import time
    assert abs(claims["exp"] - time.time() - 2 * 86400) < 60
    assert len(claims["random_chunk"]) == 16
    r = overlord(tmp_path, "gen-token", "--expire", "-5")
    assert "exp" not in jwt.decode(r.out.rstrip("\n"), "abc",
                                   algorithms=["HS256"])
    r = overlord(tmp_path, "gen-token", "--scope", "deploy", "--project",
                 "web", "--project", "dns")
    claims = jwt.decode(r.out.rstrip("\n"), "abc", algorithms=["HS256"])
    assert list(claims)[2:] == ["jti", "scope", "projects"]
    assert claims["scope"] == "deploy"
    assert claims["projects"] == ["web", "dns"]


def test_gen_token_key_file(tmp_path):
    key = tmp_path / "deep" / "keyfile"
    write(tmp_path / "o.yml", f"secret_keyfile: {key}\n")
    env = {"OVERLORD_CONFIG": "o.yml"}
    r = overlord(tmp_path, "gen-token", env=env)
    assert r.rc == 0, r
    assert r.err == (
        f"overlord: warning: there was no key, a new one is in {key}\n"
        "  hint: the token is good where overlordd uses this file; make it "
        "there, or check OVERLORD_CONFIG\n")
    assert overlord(tmp_path, "gen-token", env=env).err == ""
    assert key.stat().st_size == 64
    assert stat.S_IMODE(key.stat().st_mode) == 0o400
    jwt.decode(r.out.rstrip("\n"), key.read_bytes(), algorithms=["HS256"])
    key.chmod(0o600)
    key.write_bytes(b"short")
    key.chmod(0o400)
    r = overlord(tmp_path, "gen-token", env=env)
    assert r.rc == 65 and r.out == "" and str(key) in r.err
    assert key.read_bytes() == b"short"


def test_print_config(tmp_path):
    r = overlord(tmp_path, "print-config",
                 env={"OVERLORD_CONFIG": "/nonexistent/x.yml"})
    assert r.rc == 0
    assert r.err == (
        "overlord: warning: OVERLORD_CONFIG: '/nonexistent/x.yml' is not a "
        "file, the defaults are used\n"
        "  hint: correct OVERLORD_CONFIG, or unset it to use the usual one\n")
    doc = json.loads(r.out)
    assert list(doc)[:3] == ["serverid", "port", "tls"] and doc["port"] == 8888
    assert r.out.startswith('{\n    "serverid"') and r.out.endswith("}\n")
    write(tmp_path / ".overlord.yml", "secret_key: hush\n")
    assert '"hush"' in overlord(tmp_path, "print-config").out
    assert "hush" not in overlord(tmp_path, "print-config", "--redact").out


def test_bad_config_fails_only_who_needs_it(tmp_path):
    project(tmp_path, "x")
    write(tmp_path / ".overlord.yml", "prot: 1\n")
    r = overlord(tmp_path, "print-config")
    assert r.rc == 78 and ".overlord.yml:1:1: prot: unknown key" in r.err
    assert overlord(tmp_path, "print-spec", "-f", "web.yml").rc == 0
