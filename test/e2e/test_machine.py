# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What the machine may do to a daemon, and what its administrator does: each
time a clear message, and nothing lost."""

import http.client
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest

from node import BUILD, DAEMON, DEADLINE, DIRECTOR_FILE, wait_for

SCHEMA_TOOL = BUILD / "test" / "unit" / "support" / "store_schema"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def overlordd(node, *args, env=None, **kwargs):
    """Runs it to its end with the node's configuration."""
    if not {"-f", "-V", "-h", "--help", "--version"} & set(args):
        args += ("-f", node.config)
    return subprocess.run(
        [DAEMON, *args], env={**node.env(), **(env or {})}, cwd=node.root,
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=DEADLINE, **kwargs)


def refused(node, code, *texts):
    """A start in the foreground ends with this code and says this, both on
    standard error and in the log."""
    run = overlordd(node, "-F")
    said = run.stderr
    assert run.returncode == code, said
    for text in texts:
        assert text in said, said
    assert said.count("\n") == 1 and said.startswith("overlordd: "), said
    log = node.log_text()
    assert all(t in log for t in texts), log
    assert not (node.root / "run" / "overlordd.pid").exists()
    return True


def undisturbed(node, job_id):
    """It answers, and its job has not noticed anything."""
    assert node.get("/v1/ping").status == 200
    job = node.job(job_id)
    assert job["state"] == "running" and job["attempt"] == 1
    pid = (node.root / "run" / "overlordd.pid").read_text()
    assert int(pid) == node.process.pid
    return True


# A second one

def test_a_port_in_use(make_node):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        node = make_node({"listen": [f"127.0.0.1:{port}"]})
        assert refused(node, 74, f"127.0.0.1:{port}", "in use")
    # It is free now, and nothing of the failed start is in the way.
    node.start()
    assert node.get("/v1/ping").status == 200


def test_a_second_daemon_on_the_same_state(node):
    node.behave("web", "hang")
    job_id = node.up("web")
    node.wait_call("appjail", "makejail")
    before = node.addresses()
    run = overlordd(node, "-F")
    assert run.returncode == 69
    assert f"another overlordd (pid {node.process.pid})" in run.stderr
    assert str(node.root / "state") in run.stderr
    assert node.addresses() == before
    assert undisturbed(node, job_id)
    # Nor another that would leave the terminal.
    run = overlordd(node)
    assert run.returncode == 69 and "another overlordd" in run.stderr
    assert undisturbed(node, job_id)


def test_a_second_daemon_on_the_same_run_directory(node):
    node.behave("web", "hang")
    job_id = node.up("web")
    node.wait_call("appjail", "makejail")
    other = node.root / "other.yml"
    other.write_text(json.dumps({
        **node.options, "statedir": str(node.root / "other")}))
    run = overlordd(node, "-F", "-f", other)
    assert run.returncode == 69 and f"(pid {node.process.pid})" in run.stderr
    assert undisturbed(node, job_id)
    assert len(node.helpers()) == 1


def test_a_pid_file_of_somebody_who_died(make_node):
    node = make_node()
    (node.root / "run").mkdir()
    (node.root / "run" / "overlordd.pid").write_text("1\n" * 50)
    node.start()
    text = (node.root / "run" / "overlordd.pid").read_text()
    assert text == f"{node.process.pid}\n"


# Keys

@pytest.mark.parametrize("length", (0, 1, 63, 65, 4096))
def test_a_key_of_another_length_is_refused_and_kept(make_node, length):
    node = make_node()
    node.keyfile.parent.mkdir()
    node.keyfile.write_bytes(b"k" * length)
    node.keyfile.chmod(0o400)
    assert refused(node, 65, str(node.keyfile), f"{length} bytes", "64")
    assert node.keyfile.read_bytes() == b"k" * length


@pytest.mark.parametrize("mode", (0o644, 0o440, 0o404, 0o600 | 0o040, 0o777))
def test_a_key_that_others_may_read_is_refused(make_node, mode):
    node = make_node()
    node.keyfile.parent.mkdir()
    node.keyfile.write_bytes(b"k" * 64)
    node.keyfile.chmod(mode)
    assert refused(node, 77, str(node.keyfile), f"{mode:04o}")
    assert node.keyfile.read_bytes() == b"k" * 64
    node.keyfile.chmod(0o400)
    node.start()
    assert node.get("/v1/ping").status == 200


@needs_root
def test_a_key_of_somebody_else_is_refused(make_node):
    node = make_node()
    node.keyfile.parent.mkdir()
    node.keyfile.write_bytes(b"k" * 64)
    node.keyfile.chmod(0o400)
    os.chown(node.keyfile, 12345, -1)
    assert refused(node, 77, str(node.keyfile), "12345")
    assert node.keyfile.stat().st_uid == 12345


@pytest.mark.parametrize("make", (
    lambda p: p.mkdir(), os.mkfifo, lambda p: p.symlink_to("/nowhere/x")))
def test_what_is_no_key_file(make_node, make):
    node = make_node()
    node.keyfile.parent.mkdir()
    make(node.keyfile)
    run = overlordd(node, "-F")
    assert run.returncode not in (0, 70) and str(node.keyfile) in run.stderr


def test_key_and_id_are_made_once(make_node):
    node = make_node().start()
    key, ident = node.keyfile, node.root / "state" / "serverid"
    first = key.read_bytes(), ident.read_text()
    assert len(first[0]) == 64 and key.stat().st_mode & 0o7777 == 0o400
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first[1])
    token = node.token()
    node.restart()
    assert (key.read_bytes(), ident.read_text()) == first
    assert node.get("/v1/ping", token=token).status == 200
    assert (node.root / "state").stat().st_mode & 0o7777 == 0o750


def test_an_odd_server_id(make_node):
    node = make_node()
    ident = node.root / "state" / "serverid"
    ident.parent.mkdir()
    ident.write_text("x" * 200)
    assert refused(node, 65, str(ident), "not a server id")
    ident.write_text(" \n")
    node.start()
    assert len(ident.read_text()) == 36
    node.stop()
    ident.write_text("  my-id \n")
    node.start()
    assert ident.read_text() == "  my-id \n"
    wait_for("the log", lambda: "my-id" in node.log_text())


# Places

def test_a_file_in_the_place_of_a_directory(make_node):
    for name in ("state", "run"):
        node = make_node(name=name + "-node")
        (node.root / name).write_text("x")
        run = overlordd(node, "-F")
        assert run.returncode not in (0, 70), run.stderr
        assert str(node.root / name) in run.stderr


def test_a_helper_that_is_not_there(make_node):
    node = make_node({"helper": "/nowhere/overlord-exec"})
    assert refused(node, 69, "/nowhere/overlord-exec")


def test_a_log_that_cannot_be_opened(make_node):
    node = make_node({"log": {"file": "/nowhere/overlordd.log"}})
    run = overlordd(node, "-F")
    assert run.returncode == 73 and "/nowhere/overlordd.log" in run.stderr


# Configurations

BROKEN = """\
prot: 8888
labels: []
port: 70000
max_watch_commands: many
statedir: relative
limits:
  body_bytes: 5
  idel: 1
chains:
  a.b: {entrypoint: http://x, access_token: y}
"""


def test_a_broken_configuration_tells_every_fault(make_node):
    node = make_node()
    node.config.write_text(BROKEN)
    for args in (("-F",), ("-t",), (), ("--check",), ("--backup", "x")):
        run = overlordd(node, *args)
        assert run.returncode == 78, run.stderr
        for line, word in ((1, "prot"), (2, "labels"), (3, "port"),
                           (4, "max_watch_commands"), (5, "statedir"),
                           (7, "limits.body_bytes"), (8, "limits.idel"),
                           (10, "a.b")):
            assert re.search(
                rf"^(overlordd: )?{node.config}:{line}:\d+: .*{word}",
                run.stderr, re.M), (word, run.stderr)
        assert "did you mean 'port'?" in run.stderr
        assert run.stderr.count("prot: unknown key") == 1
    assert not (node.root / "x").exists()


@pytest.mark.parametrize("text", (
    "[]", "x", "a: b: c", "{", "port: &a [*a]", "\t", "port: !ENV '${"))
def test_texts_that_are_no_configuration(make_node, text):
    node = make_node()
    node.config.write_text(text)
    run = overlordd(node, "-t")
    assert run.returncode == 78
    assert re.match(rf"overlordd: {node.config}:\d+:\d+: ", run.stderr)


def test_a_configuration_that_cannot_be_read(make_node):
    node = make_node()
    run = overlordd(node, "-t", "-f", "/nowhere/overlord.yml")
    assert run.returncode == 66 and "/nowhere/overlord.yml" in run.stderr
    run = overlordd(node, "-t", "-f", node.root)
    assert run.returncode not in (0, 70) and str(node.root) in run.stderr
    if os.geteuid() != 0:
        node.config.chmod(0)
        run = overlordd(node, "-t")
        assert run.returncode == 77 and str(node.config) in run.stderr


def test_which_configuration(make_node):
    node = make_node()
    # -f before the environment before the default.
    other = node.root / "other.yml"
    other.write_text("nope: 1\n")
    run = overlordd(node, "-t", env={"OVERLORD_CONFIG": str(other)})
    assert run.returncode == 0 and str(node.config) in run.stdout
    run = overlordd(node, "-t", "-f", other)
    assert run.returncode == 78
    run = subprocess.run(
        [DAEMON, "-t"], env={**node.env(), "OVERLORD_CONFIG": str(other)},
        capture_output=True, text=True)
    assert run.returncode == 78 and "other.yml:1:1" in run.stderr
    # Neither the working directory nor .env count.
    (node.root / ".overlord.yml").write_text("nope: 1\n")
    (node.root / ".env").write_text("OVERLORD_CONFIG=other.yml\n")
    run = subprocess.run([DAEMON, "-t"], env=node.env(), cwd=node.root,
                         capture_output=True, text=True)
    assert run.returncode == 0 and str(node.config) in run.stdout
    missing = str(node.root / "missing.yml")
    run = subprocess.run(
        [DAEMON, "-t"], env={**node.env(), "OVERLORD_CONFIG": missing},
        capture_output=True, text=True)
    assert run.returncode == 0 and "warning" in run.stderr
    assert missing in run.stderr


def test_an_environment_in_the_configuration(make_node):
    node = make_node()
    node.config.write_text(node.config.read_text()[:-1] +
                           ', "secret_key": !ENV "k-${SECRET}"}')
    node.environment = {"SECRET": "zzz"}
    node.start()
    import jwt
    token = jwt.encode({}, b"k-zzz", algorithm="HS256")
    assert node.get("/v1/ping", token=token).status == 200


def test_t_says_what_is_missing(make_node):
    node = make_node()
    run = overlordd(node, "-t")
    assert run.returncode == 0 and run.stderr == ""
    assert run.stdout == f"{node.config}: configuration is valid\n"
    node.configure({"director": {"command": "no-director"},
                    "appjail": {"command": "/nowhere/appjail"}})
    run = overlordd(node, "-t")
    assert run.returncode == 0
    assert run.stdout == f"{node.config}: configuration is valid\n"
    first, second = run.stderr.splitlines()
    assert first.startswith("overlordd: warning: ")
    assert "no-director" in first and "/nowhere/appjail" in second
    # It has touched nothing.
    assert not (node.root / "state").exists()
    assert not (node.root / "run").exists()
    node.start()
    for word in ("no-director", "/nowhere/appjail"):
        assert re.search(rf"warn.*{word}", node.log_text())


def test_version_and_help(make_node):
    node = make_node()
    for args in (("-V",), ("--version",)):
        run = overlordd(node, *args)
        assert run.returncode == 0 and run.stderr == ""
        assert re.fullmatch(r"overlordd, version \S+\n", run.stdout)
    for args in (("-h",), ("--help",)):
        run = overlordd(node, *args)
        assert run.returncode == 0 and run.stdout.startswith("usage: ")
    for args in (("-x",), ("x",), ("--nope",), ("-f",), ("--backup",)):
        run = subprocess.run([DAEMON, *args], capture_output=True, text=True)
        assert run.returncode == 64 and "usage: " in run.stderr
    assert not (node.root / "state").exists()


# The store

def test_a_store_of_a_newer_program_is_refused_and_kept(make_node):
    node = make_node().start()
    done = node.wait_job(node.up("web"))
    assert node.stop() == 0
    data = node.root / "state" / "state" / "data.mdb"
    subprocess.run([SCHEMA_TOOL, node.root / "state", "99"], check=True)
    before = data.read_bytes()
    assert refused(node, 70, "schema 99 is newer than this program's 1",
                   str(data.parent))
    run = overlordd(node, "--check")
    assert run.returncode != 0 and "99" in run.stderr
    assert data.read_bytes() == before
    assert done["state"] == "completed"


def test_check(node):
    node.wait_job(node.up("web"))
    run = overlordd(node, "--check")
    assert run.returncode == 69
    assert f"another overlordd (pid {node.process.pid})" in run.stderr
    node.stop()
    run = overlordd(node, "--check")
    assert run.returncode == 0 and "sound" in run.stdout, run.stderr
    data = node.root / "state" / "state" / "data.mdb"
    good = data.read_bytes()
    data.write_bytes(b"x" * len(good))
    run = overlordd(node, "--check")
    assert run.returncode not in (0, 70) and run.stderr, run.stderr
    assert str(node.root / "state") in run.stderr
    data.write_bytes(good)
    node.start()
    assert len(node.get("/v1/jobs").json["jobs"]) == 1


def test_check_of_nothing_makes_nothing(make_node):
    node = make_node()
    run = overlordd(node, "--check")
    assert run.returncode != 0 and str(node.root / "state") in run.stderr
    assert not (node.root / "state").exists()


def test_backup_of_a_live_store(node, make_node):
    ids = [node.wait_job(node.up("web"))["id"] for _ in range(3)]
    node.behave("slow", "hang")
    running = node.up("slow")
    node.wait_call("appjail-director", "slow")
    waiting = node.up("slow")
    copy = node.root / "copy" / "state"
    run = overlordd(node, "--backup", str(copy))
    assert run.returncode == 0, run.stderr
    assert (copy / "data.mdb").stat().st_mode & 0o077 == 0
    # Not over another one.
    run = overlordd(node, "--backup", str(copy))
    assert run.returncode != 0 and str(copy) in run.stderr
    later = node.up("other")
    assert undisturbed(node, running)
    # A node on the copy: it has them all, and takes up what ran.
    shutil.copytree(node.root / "copy", node.root / "second-state")
    second = make_node({"statedir": str(node.root / "second-state")},
                       name="second").start()
    second.keyfile = node.root / "second-state" / "keyfile"
    for i in ids:
        assert second.job(i)["state"] == "completed"
    assert second.wait_job(running)["state"] == "completed"
    assert second.wait_job(waiting)["state"] == "completed"
    assert second.get(f"/v1/jobs/{later}").status == 404
    assert second.info("web")["up"]["job_id"] == ids[-1]


def test_backup_of_nothing_makes_nothing(make_node):
    node = make_node()
    run = overlordd(node, "--backup", str(node.root / "copy"))
    assert run.returncode != 0 and str(node.root / "state") in run.stderr
    assert not (node.root / "state").exists()


# Room

def fill(node, project="web", size=60000, most=300):
    """Posts until there is no room; the ids of what was acknowledged."""
    ids = []
    text = DIRECTOR_FILE + "#" + "x" * size + "\n"
    for _ in range(most):
        r = node.post("/v1/project/up/" + project, {"director_file": text})
        if r.status != 200:
            assert r.status == 507, r
            assert r.json["status_code"] == 507 and r.json["message"], r
            return ids
        ids.append(r.json["job_id"])
    raise AssertionError("there was always room")


def goes_on(node, ids):
    """What was acknowledged comes to its end, and new jobs are taken."""
    wait_for("the queue to empty", lambda: not node.get(
        "/v1/jobs?state=queued,running,interrupted").json["jobs"])
    ran = [re.search(r"-(\d+)$", c[3][c[3].index("-f") + 1])[1]
           for c in node.calls("appjail-director") if c[3][1] == "up"]
    for i in ids:
        r = node.get(f"/v1/jobs/{i}")
        # What had ended may be forgotten for want of room.
        if r.status == 404:
            assert ran.count(str(i)) == 1, ran
            continue
        job = r.json["job"]
        assert job["state"] == "completed" and job["attempt"] == 1, job
    wait_for("room for a new job", lambda: node.post(
        "/v1/project/up/new", {"director_file": DIRECTOR_FILE}).status == 200)


def test_a_full_store_refuses_and_goes_on_by_itself(make_node):
    node = make_node({"store": {"size": 1 << 20}}).start()
    node.behave("web", "delay=0.5")
    first = node.up("web")
    node.wait_call("appjail", "makejail")
    node.behave("web")
    ids = [first] + fill(node)
    assert len(ids) > 3
    # Reading works, and so does ending what is there.
    assert node.get("/v1/ping").status == 200
    assert node.job(ids[-1])["state"] == "queued"
    last = ids.pop()
    assert node.request("DELETE", f"/v1/jobs/{last}").status == 200
    assert node.cancel("nope") > 0
    # All that was acknowledged runs, once; what has ended may be forgotten.
    wait_for("the queue to empty", lambda: not node.get(
        "/v1/jobs?state=queued,running").json["jobs"])
    ups = [c for c in node.calls("appjail-director") if c[3][1] == "up"]
    assert len(ups) == len(ids) and all(c[5] == 0 for c in ups)
    assert node.info("web")["up"]["job_id"] == ids[-1]
    for j in node.get("/v1/jobs?name=web").json["jobs"]:
        assert j["state"] == (
            "cancelled" if j["id"] == last else "completed")
    goes_on(node, [])


@pytest.fixture
def small_disk(tmp_path):
    """A directory that is a disk of 3 MiB."""
    path = tmp_path / "disk"
    path.mkdir()
    run = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", path],
        capture_output=True, text=True)
    if run.returncode != 0:
        pytest.skip("mount is not permitted: " + run.stderr.strip())
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def test_a_full_disk_refuses_and_goes_on_by_itself(small_disk, make_node):
    node = make_node({"statedir": str(small_disk / "state")})
    node.keyfile = small_disk / "state" / "keyfile"
    node.start()
    node.behave("web", "delay=0.5")
    ids = [node.up("web")]
    node.wait_call("appjail", "makejail")
    node.behave("web")
    with open(small_disk / "filler", "wb", buffering=0) as f:
        try:
            while f.write(b"x" * 65536):
                pass
        except OSError:
            pass
    ids += fill(node, size=1000)
    assert node.get("/v1/ping").status == 200
    # The command of the first ends meanwhile; its end must wait for room.
    call = [c for c in node.calls("appjail-director") if c[3][1] == "up"][0]
    wait_for("the first command to end", lambda: [
        c for c in node.calls() if c[1] == call[1] and c[4]])
    assert node.process.poll() is None
    (small_disk / "filler").unlink()
    goes_on(node, ids)
    for i in ids:
        assert len([s for s in node.job(i)["steps"]]) == 1
    ups = [c for c in node.calls("appjail-director") if c[3][1] == "up"]
    assert len(ups) >= len(ids)


def test_a_full_disk_survives_kill_9(small_disk, make_node):
    node = make_node({"statedir": str(small_disk / "state")})
    node.keyfile = small_disk / "state" / "keyfile"
    node.start()
    node.behave("web", "delay=0.3")
    ids = [node.up("web")]
    with open(small_disk / "filler", "wb", buffering=0) as f:
        try:
            while f.write(b"x" * 65536):
                pass
        except OSError:
            pass
    ids += fill(node, size=1000)
    node.kill()
    node.start()
    assert node.get("/v1/ping").status == 200
    (small_disk / "filler").unlink()
    for i in ids:
        assert node.wait_job(i)["state"] == "completed"


def test_a_limit_on_file_sizes_is_a_full_disk(make_node):
    node = make_node()
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    node.spawn(preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (400000, hard)))
    node.wait_ready()
    ids = fill(node, size=20000)
    assert node.process.poll() is None
    assert node.get("/v1/ping").status == 200
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    goes_on(node, ids)


def test_clients_leave_descriptors_for_jobs(make_node):
    node = make_node({"max_watch_commands": 2})
    # The soft limit is raised to the hard one.
    node.spawn(preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_NOFILE, (100, 256)))
    node.wait_ready()
    assert re.search("files=256 .*limits.connections", node.log_text())
    node.behave("web", "delay=0.3")
    ids = [node.up("web") for _ in range(3)]
    crowd = [socket.create_connection(node.address(), timeout=DEADLINE)
             for _ in range(250)]
    # Counted by the stand-in: there is no place to ask.
    wait_for("all to run", lambda: len([
        c for c in node.calls("appjail-director")
        if c[3][1] == "up" and c[4]]) == len(ids))
    for s in crowd:
        s.close()
    for i in ids:
        assert node.wait_job(i)["state"] == "completed"


# HUP

def test_hup_is_heard_from_the_pid_file_on(make_node):
    node = make_node()
    pid = node.root / "run" / "overlordd.pid"
    node.spawn()
    wait_for("the pid", lambda: pid.exists() and pid.read_text())
    node.process.send_signal(signal.SIGHUP)
    wait_for("the reload", lambda: node.process.poll() is not None
             or "reloaded" in node.log_text())
    assert node.process.poll() is None
    node.wait_ready()
    assert node.get("/v1/ping").status == 200


def test_hup_takes_what_can_be_taken(node):
    node.configure({"labels": ["new", "ones"], "limits": {"body_bytes": 2000},
                    "port": 1234})
    assert "reloaded" in node.hup()
    assert node.get("/v1/labels").json["labels"] == ["new", "ones"]
    r = node.post("/v1/project/up/web", b" " * 2001)
    assert r.status == 413 and "2000 bytes" in r.json["message"]
    log = node.log_text()
    assert re.search(r"option=labels.*|labels.*changed", log)
    assert re.search(r"warn.*port.*restart|warn.*restart.*port", log)
    assert node.stop() == 0
    assert not (node.root / "run" / "overlordd.pid").exists()


def test_hup_disturbs_nothing_that_runs(node):
    node.behave("web", "hang")
    job_id = node.up("web")
    node.wait_call("appjail", "makejail")
    with socket.create_connection(node.address(), timeout=DEADLINE) as s:
        head = (f"POST /v1/project/cancel/web HTTP/1.1\r\nHost: h\r\n"
                f"Authorization: Bearer {node.token()}\r\n"
                "Content-Length: 2\r\n\r\n{").encode()
        s.sendall(head)
        assert "reloaded" in node.hup()
        assert undisturbed(node, job_id)
        s.sendall(b"}")
        assert s.recv(100).startswith(b"HTTP/1.1 200 ")
    assert node.wait_job(job_id)["state"] == "cancelled"


@pytest.mark.parametrize("text", (
    BROKEN, "[]", "{", "labels: []\n", None))
def test_hup_with_a_broken_configuration_keeps_the_old_one(node, text):
    good = node.config.read_text()
    if text is None:
        node.config.unlink()
    else:
        node.config.write_text(text)
    said = node.hup()
    assert "error" in said and "stays" in said
    if text == BROKEN:
        for line in (1, 4, 8):
            assert f"overlord.yml:{line}:" in node.log_text()
    assert node.get("/v1/labels").json["labels"] == ["all", "desktop"]
    node.config.write_text(good)
    assert "reloaded" in node.hup()
    assert node.wait_job(node.up("web"))["state"] == "completed"


def test_hup_reopens_the_log(node):
    old = node.root / "old.log"
    node.log.rename(old)
    node.get("/v1/ping", headers={"X-Request-Id": "into-the-old"})
    node.process.send_signal(signal.SIGHUP)
    wait_for("a new log", lambda: "reloaded" in node.log_text())
    node.get("/v1/ping", headers={"X-Request-Id": "into-the-new"})
    wait_for("the line", lambda: "into-the-new" in node.log_text())
    assert "into-the-old" in old.read_text()
    assert "into-the-new" not in old.read_text()


def test_hup_moves_the_log_and_its_form(node):
    other = node.root / "other.log"
    node.configure({"log": {"file": str(other), "format": "json"}})
    node.process.send_signal(signal.SIGHUP)
    wait_for("the other log", lambda: other.exists() and
             "reloaded" in other.read_text())
    for line in other.read_text().splitlines():
        assert json.loads(line)
    # A place that does not exist: it stays where it is, and that is told.
    node.configure({"log": {"file": "/nowhere/x.log"}})
    for n in (1, 2, 3):
        node.process.send_signal(signal.SIGHUP)
        wait_for("the complaint", lambda: other.read_text().count(
            "reloaded") > n)
    assert "/nowhere/x.log" in other.read_text()
    assert node.get("/v1/ping").status == 200
    # And it can still be rotated there.
    other.rename(node.root / "rotated.log")
    node.process.send_signal(signal.SIGHUP)
    wait_for("a new log", lambda: other.exists() and
             "reloaded" in other.read_text())


def test_hup_many_times(node):
    for i in range(30):
        node.configure({"labels": [f"l{i}"]})
        node.process.send_signal(signal.SIGHUP)
    wait_for("the last one", lambda: node.get(
        "/v1/labels").json["labels"] == ["l29"])
    assert node.stop() == 0


# TERM

@pytest.mark.parametrize("signo", (signal.SIGTERM, signal.SIGINT))
def test_term_stops_cleanly(node, signo):
    pidfile = node.root / "run" / "overlordd.pid"
    assert int(pidfile.read_text()) == node.process.pid
    node.process.send_signal(signo)
    assert node.process.wait(DEADLINE) == 0
    assert not pidfile.exists()
    assert "stopped" in node.log_text()


def test_term_answers_what_is_under_way(node):
    idle = socket.create_connection(node.address(), timeout=DEADLINE)
    busy = socket.create_connection(node.address(), timeout=DEADLINE)
    address = node.address()
    body = json.dumps({"director_file": DIRECTOR_FILE}).encode()
    busy.sendall((f"POST /v1/project/up/web HTTP/1.1\r\nHost: h\r\n"
                  f"Authorization: Bearer {node.token()}\r\n"
                  f"Expect: 100-continue\r\n"
                  f"Content-Length: {len(body)}\r\n\r\n").encode())
    assert busy.recv(100).startswith(b"HTTP/1.1 100 ")
    node.process.send_signal(signal.SIGTERM)
    assert idle.recv(1) == b""
    with pytest.raises(OSError):
        socket.create_connection(address, timeout=DEADLINE)
    busy.sendall(body)
    got = b""
    while chunk := busy.recv(65536):
        got += chunk
    head, _, text = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in head.lower()
    job_id = json.loads(text)["job_id"]
    assert node.process.wait(DEADLINE) == 0
    idle.close()
    busy.close()
    node.start()
    assert node.wait_job(job_id)["state"] == "completed"


def test_term_leaves_what_runs_to_its_helper(node):
    node.behave("web", "delay=0.5")
    job_id = node.up("web")
    row = node.wait_call("appjail-director", "up")
    assert node.stop() == 0
    wait_for("the command to end", lambda: [
        c for c in node.calls() if c[1] == row[1] and c[4]])
    assert [c[5] for c in node.calls() if c[1] == row[1]] == [0]
    node.start()
    assert node.wait_job(job_id)["state"] == "completed"


def test_a_second_term_does_not_wait(node):
    with socket.create_connection(node.address(), timeout=DEADLINE) as s:
        s.sendall(f"POST /v1/project/up/web HTTP/1.1\r\nHost: h\r\n"
                  f"Authorization: Bearer {node.token()}\r\n"
                  f"Expect: 100-continue\r\n"
                  f"Content-Length: 100\r\n\r\n".encode())
        assert s.recv(100).startswith(b"HTTP/1.1 100 ")
        node.process.send_signal(signal.SIGTERM)
        wait_for("it to drain", lambda: "finishing requests" in
                 node.log_text())
        node.process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        assert node.process.wait(DEADLINE) == 0
        assert time.monotonic() - started < 5


def test_a_reply_that_is_being_sent_is_sent_to_its_end(node):
    """To a client that reads slowly, while the daemon stops."""
    service = (node.standin / "director" / "logs" / "2025-01-02_03h04m05s"
               / "web")
    service.mkdir(parents=True)
    (service / "build.log").write_text("x" * 9000000)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(node.address())
        s.settimeout(30)
        s.sendall((
            "GET /v1/projects/log/2025-01-02_03h04m05s/web/build.log HTTP/1.1"
            f"\r\nHost: x\r\nAuthorization: Bearer {node.token()}\r\n\r\n"
        ).encode())
        got = len(s.recv(1))
        node.process.send_signal(signal.SIGTERM)
        while piece := s.recv(65536):
            got += len(piece)
    assert got > 9000000
    assert node.process.wait(30) == 0


@pytest.mark.parametrize("signo", (signal.SIGTERM, signal.SIGKILL))
def test_what_was_acknowledged_before_the_end_is_there_after_it(node, signo):
    acknowledged, errors = [], []
    token, enough = node.token(), threading.Event()

    def post(name):
        while True:
            try:
                r = node.post("/v1/project/down/" + name, token=token)
            except (OSError, IndexError, http.client.HTTPException) as e:
                errors.append(e)
                return
            if r.status != 200:
                errors.append(r)
                return
            acknowledged.append(r.json["job_id"])
            if len(acknowledged) > 40:
                enough.set()

    clients = [threading.Thread(target=post, args=(f"p{i}",))
               for i in range(4)]
    for t in clients:
        t.start()
    assert enough.wait(DEADLINE)
    node.process.send_signal(signo)
    code = node.process.wait(DEADLINE)
    for t in clients:
        t.join(DEADLINE)
    assert code == (0 if signo == signal.SIGTERM else -signo)
    assert not [e for e in errors if not isinstance(e, Exception)], errors
    assert len(set(acknowledged)) == len(acknowledged)
    node.start()
    # Not all need to end for this test, but all must be known.
    for i in acknowledged:
        assert node.get(f"/v1/jobs/{i}").status == 200


# Detached

@pytest.fixture
def detached(make_node):
    node = make_node()
    node.run = overlordd(node)
    yield node
    pid = pid_of(node)
    if pid:
        os.kill(pid, signal.SIGTERM)
        wait_for("it to end", lambda: not pid_of(node))


def pid_of(node):
    try:
        return int((node.root / "run" / "overlordd.pid").read_text() or 0)
    except FileNotFoundError:
        return 0


def test_detached_it_is_ready_when_its_parent_ends(detached):
    run = detached.run
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    # Without any waiting.
    assert detached.get("/v1/ping").status == 200
    pid = pid_of(detached)
    stat = pathlib.Path(f"/proc/{pid}/stat")
    if stat.exists():
        fields = stat.read_text().rpartition(")")[2].split()
        # Its own session, no terminal.
        assert int(fields[3]) == pid and int(fields[4]) == 0
        for fd in (0, 1, 2):
            assert os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null"
    assert detached.wait_job(detached.up("web"))["state"] == "completed"


def test_detached_a_failed_start_is_told(make_node):
    node = make_node({"helper": "/nowhere/overlord-exec"})
    run = overlordd(node)
    assert run.returncode == 69
    assert "/nowhere/overlord-exec" in run.stderr
    assert not pid_of(node)
    node.keyfile.unlink(missing_ok=True)
    node.keyfile.write_bytes(b"x")
    node.keyfile.chmod(0o400)
    run = overlordd(node)
    assert run.returncode == 65 and "1 bytes" in run.stderr
    node.config.write_text("nope: 1\n")
    run = overlordd(node)
    assert run.returncode == 78 and "overlord.yml:1:1:" in run.stderr


# Memory

def rss_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1])


@pytest.mark.skipif(not os.path.exists("/proc/self/status"),
                    reason="needs /proc")
def test_long_outputs_do_not_make_the_daemon_grow(make_node):
    node = make_node({"jobs": {"output": 65536}}).start()
    node.wait_job(node.up("warm"))
    before = rss_kib(node.process.pid)
    for name in ("a", "b", "c"):
        node.behave(name, "stderr-bytes=10000000", "stdout-bytes=10000000")
    for i in [node.up(name) for name in ("a", "b", "c")]:
        node.wait_job(i)
    after = rss_kib(node.process.pid)
    if "san" not in os.environ.get("OVERLORD_BUILD", ""):
        assert after - before < 4096, (before, after)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"),
                    reason="needs /proc")
def test_no_descriptor_is_left_over(node):
    def once():
        node.wait_job(node.up("web"))
        node.wait_job(node.down("web"))
        node.cancel("web")
        for path in ("ping", "jails", "projects", "projects/logs", "jobs",
                     "project/info/web", "nope",
                     "projects/log/2026-01-02_03h04m05s/web/x.log"):
            node.get("/v1/" + path)
        node.hup()

    once()
    wait_for("helpers to end", lambda: not node.helpers())
    before = node.descriptors_at_rest()
    for _ in range(4):
        once()
    wait_for("descriptors to be closed", lambda: node.descriptors() <= before)


# Addresses

def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


def ask_over(where, node):
    family = socket.AF_UNIX if isinstance(where, str) else (
        socket.AF_INET6 if ":" in where[0] else socket.AF_INET)
    with socket.socket(family) as s:
        s.settimeout(DEADLINE)
        s.connect(where)
        s.sendall(f"GET /v1/ping HTTP/1.0\r\nAuthorization: Bearer "
                  f"{node.token()}\r\n\r\n".encode())
        return s.makefile("rb").read()


def test_several_addresses(make_node):
    node = make_node()
    sock = str(node.root / "api.sock")
    listen = ["127.0.0.1:0", "unix:" + sock] + (
        ["[::1]:0"] if has_ipv6() else [])
    node.configure({"listen": listen})
    node.start()
    places = [sock]
    for address in node.addresses():
        if not address.startswith("unix:"):
            host, _, port = address.rpartition(":")
            places.append((host.strip("[]"), int(port)))
    assert len(places) == len(listen)
    for where in places:
        assert b"200 OK" in ask_over(where, node), where
    mode = os.stat(sock).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660
    # What a killed daemon leaves is in nobody's way; a living one is.
    node.kill()
    assert os.path.exists(sock)
    node.start()
    assert b"200 OK" in ask_over(sock, node)
    other = make_node({"listen": ["unix:" + sock]}, name="other")
    assert refused(other, 74, sock)
    assert b"200 OK" in ask_over(sock, node)


def test_hup_opens_more_places_for_jobs(make_node):
    node = make_node({"max_watch_commands": 1}).start()
    for name in ("a", "b"):
        node.behave(name, "hang")
    first, second = node.up("a"), node.up("b")
    node.wait_job(first, "running")
    assert node.job(second)["state"] == "queued"
    node.configure({"max_watch_commands": 2})
    assert "reloaded" in node.hup()
    node.wait_job(second, "running")
    assert node.job(first)["state"] == "running"


# Secrets

def test_secrets_stay_where_they_belong(node):
    secret = "hunter2-" + os.urandom(8).hex()
    node.behave("web", "hang")
    node.up("web", environment={"SECRET": secret},
            director_file=DIRECTOR_FILE + f"# {secret}-file\n")
    node.wait_call("appjail", "makejail")
    held = [p for p in (node.root / "run").rglob("*") if p.is_file()
            and secret.encode() in p.read_bytes()]
    assert held
    for p in held:
        assert p.stat().st_mode & 0o077 == 0, p
    for p in (node.root / "tmp").iterdir():
        if p.is_file():
            assert p.stat().st_mode & 0o777 == 0o600, p
    assert (node.root / "run" / "jobs").stat().st_mode & 0o077 == 0
    data = node.root / "state" / "state" / "data.mdb"
    assert data.stat().st_mode & 0o077 == 0
    assert secret not in node.log_text() + node.stderr()
    args = subprocess.run(["ps", "-A", "-ww", "-o", "args="],
                          stdout=subprocess.PIPE, text=True).stdout
    assert secret not in args
    assert secret not in node.get("/v1/jobs").text
    node.wait_job(node.cancel("web"))
    assert secret not in node.log_text() + node.stderr()


def test_a_term_as_soon_as_it_listens(make_node):
    for n in range(10):
        node = make_node(name=f"node{n}").spawn()
        wait_for("overlordd to listen", node.addresses, step=0)
        assert node.stop() == 0, node.stderr() + node.log_text()
