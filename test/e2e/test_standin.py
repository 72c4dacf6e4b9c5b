# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The stand-ins for AppJail and Director keep to their contract: what the other
tests conclude from them holds only if they behave as the real ones."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("OVERLORD_BUILD", REPO / "build"))
BIN = BUILD.resolve() / "test" / "standin" / "bin"
DEADLINE = 120

ONE = """\
options:
  - virtualnet: ':<random> default'
  - nat:
services:
  web:
    name: {jail}
    makejail: 'gh+AppJail-makejails/web'
    arguments:
      - tag: 14.2
    options:
      - expose: '8432:80 ext_if:em0 on_if:em0'
      - expose: '53 proto:udp'
      - label: 'overlord.skydns:1'
"""

TWO = """\
services:
  late:
    name: {jail}_late
    priority: 5
  early:
    name: {jail}_early
    priority: 1
"""

OK = {"errlevel": 0, "message": None, "failed": []}


def wait_for(what, condition):
    end = time.monotonic() + DEADLINE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            pytest.fail("waited in vain for " + what)
        time.sleep(0.01)


def is_alive(pid):
    out = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)],
                         stdout=subprocess.PIPE, text=True).stdout.strip()
    return out != "" and not out.startswith("Z")


def result(p):
    return json.loads(p.out)


class Node:
    """One STANDIN_ROOT."""

    def __init__(self, root):
        self.root = root
        self.projects = root / "director" / "projects"
        self.locks = root / "director" / "locks"
        self.jails = root / "jails"
        self.started = []
        self.env = dict(os.environ, STANDIN_ROOT=str(root),
                        PATH="%s:%s" % (BIN, os.environ["PATH"]))
        for name in ("DIRECTOR_CONFIG", "DIRECTOR_PROJECT"):
            self.env.pop(name, None)

    def start(self, *argv, env=(), **kwargs):
        p = subprocess.Popen(
            argv, env=dict(self.env, **dict(env)), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, **kwargs)
        self.started.append(p)
        return p

    def run(self, *argv, **kwargs):
        p = self.start(*argv, **kwargs)
        p.out, p.err = p.communicate(timeout=DEADLINE)
        return p

    def director(self, *args, **kwargs):
        return self.run("appjail-director", *args, **kwargs)

    def file(self, text):
        path = self.root / "director.yml"
        path.write_text(text)
        return str(path)

    def up(self, project, text, *options, **kwargs):
        return self.director("up", "-j", "-f", self.file(text), "-p", project,
                             *options, **kwargs)

    def start_up(self, project, text, **kwargs):
        """`up` of a project that is told to take long."""
        return self.start("appjail-director", "up", "-j", "-f",
                          self.file(text), "-p", project, **kwargs)

    def behave(self, project, *lines):
        path = self.root / "behaviour" / project
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(line + "\n" for line in lines))

    def describe(self, project):
        p = self.director("describe", "-p", project)
        assert p.returncode == 0, p.err
        return json.loads(p.out)

    def service_status(self, project):
        return self.describe(project)["services"][0]["status"]

    def state(self, project):
        path = self.projects / project / "state"
        return path.read_text() if path.exists() else None

    def locked(self, project):
        return (self.locks / project / "lock").exists()

    def lines(self):
        path = self.root / "calls.log"
        return path.read_text().splitlines() if path.exists() else []

    def forget_calls(self):
        self.kept = getattr(self, "kept", []) + self.lines()
        (self.root / "calls.log").unlink()

    def calls(self):
        """argv of every start, in order."""
        return [json.loads(line.split(" ", 4)[4]) for line in self.lines()
                if line.startswith("start ")]

    def appjail_calls(self):
        """What appjail was told to do, in order."""
        return [" ".join(argv[1:3] if argv[1] in ("jail", "cmd")
                         else argv[1:2])
                for argv in self.calls() if argv[0] == "appjail"]

    def ended(self, pid):
        """The rc of the line of the end, or None."""
        for line in self.lines():
            if line.startswith("end ") and int(line.split()[2]) == pid:
                return int(line.split()[3])
        return None

    def jaild(self, jail):
        return int((self.jails / jail / "jaild.pid").read_text())

    def building(self):
        """Waits until a makejail is at work; its pid."""
        def look():
            for line in self.lines():
                if line.startswith("start ") and '"makejail"' in line:
                    return int(line.split()[2])
            return None
        pid = wait_for("a makejail", look)
        # It has set up its signals when it has made the directory.
        wait_for("its jail", lambda: list(self.jails.glob("*/jail")))
        return pid

    def clean(self):
        pids = {int(p.read_text()) for p in self.jails.glob("*/jaild.pid")}
        for p in self.started:
            if p.poll() is None:
                p.kill()
            p.communicate()
        # Started by those, and by now without a parent.
        for line in getattr(self, "kept", []) + self.lines():
            pid = int(line.split()[2])
            if not line.startswith("start "):
                pids.discard(pid)
            elif pid not in [p.pid for p in self.started]:
                pids.add(pid)
        for pid in pids:
            if is_alive(pid):
                os.kill(pid, signal.SIGTERM)
        wait_for("the end of every process",
                 lambda: not any(is_alive(pid) for pid in pids))
        shutil.rmtree(self.root)


@pytest.fixture
def node(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    n = Node(root)
    yield n
    n.clean()


@pytest.fixture
def jail(request):
    return "j" + re.sub(r"[^a-z0-9]", "", request.node.name)[-20:]


# The scenarios of the contract


def test_first_up_then_unchanged(node, jail):
    p = node.up("web", ONE.format(jail=jail))
    assert (p.returncode, p.err) == (0, "")
    assert p.out == json.dumps(OK, indent=2) + "\n"
    assert node.appjail_calls() == [
        "jail get", "jail get", "makejail", "status", "start"]
    assert node.state("web") == "done" and not node.locked("web")
    project = node.projects / "web"
    assert {p.name for p in project.iterdir()} == {
        "appjail-director.yml", "state", "last_log", "web"}
    stored = project / "appjail-director.yml"
    assert stored.read_text() == ONE.format(jail=jail)
    assert stored.stat().st_mode & 0o777 == 0o440
    assert (project / "web" / "name").read_text() == jail
    assert (project / "web" / "makejail_mtime").read_text() == "0.0"
    log = pathlib.Path((project / "last_log").read_text())
    assert log.parent == node.root / "director" / "logs"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\dh\d\dm\d\ds", log.name)
    assert {p.name for p in (log / "web").iterdir()} == {
        "makejail.log", "start.log"}
    assert "\x1b[" in (log / "web" / "makejail.log").read_text()

    living = node.jaild(jail)
    node.forget_calls()
    p = node.up("web", ONE.format(jail=jail))
    assert (p.returncode, result(p)) == (0, OK)
    assert node.appjail_calls() == ["jail get", "jail get", "status"]
    assert node.jaild(jail) == living and is_alive(living)
    assert node.describe("web") == {
        "name": "web", "state": "DONE", "last_log": str(log),
        "locked": False,
        "services": [{"name": "web", "status": 0, "jail": jail}]}


def test_failing_makejail(node, jail):
    node.behave("web", "rc=3")
    p = node.up("web", ONE.format(jail=jail))
    assert p.returncode == 3
    assert result(p) == {"errlevel": 3, "message": None, "failed": [
        {"type": "makejail", "service": "web"}]}
    assert node.describe("web")["state"] == "FAILED"
    assert not node.locked("web")
    assert (node.projects / "web" / "web" / "fail").exists()
    node.behave("web")
    node.forget_calls()
    assert node.up("web", ONE.format(jail=jail)).returncode == 0
    assert "jail destroy" in node.appjail_calls()
    assert "makejail" in node.appjail_calls()
    assert node.state("web") == "done"
    assert not (node.projects / "web" / "web" / "fail").exists()


@pytest.mark.parametrize("text", [
    "services: [1]\n", "services:\n  a: {b: 1}\n", "nothing: 1\n", "",
    "services:\n  a:\n   - b\n  c\n", "services:\n  a: {name: '1 2'}\n",
])
def test_bad_spec_on_new_project(node, text):
    p = node.up("web", text)
    assert p.returncode == 70
    assert result(p) == {"errlevel": 70, "message": None, "failed": []}
    said = re.fullmatch(r"Exception:\n type: \w+\n error: .*\n file: (.*)\n",
                        p.err)
    assert said[1].endswith("/exception.log")
    assert "Traceback" in pathlib.Path(said[1]).read_text()
    assert node.director("check", "-p", "web").returncode == 66
    assert not (node.projects / "web").exists()
    assert not node.locked("web")


def test_up_while_up_runs(node, jail):
    node.behave("web", "delay=60")
    first = node.start_up("web", ONE.format(jail=jail))
    node.building()
    project = node.projects / "web"
    assert (project / "pid").read_text() == str(first.pid)
    assert (project / "ppid").read_text() == str(os.getpid())
    p = node.up("web", ONE.format(jail=jail))
    assert p.returncode == 70 and "ProjectLocked" in p.err
    assert result(p) == {"errlevel": 70, "message": None, "failed": []}
    p = node.director("down", "-d", "-j", "-p", "web")
    assert p.returncode == 70 and result(p)["errlevel"] == 70
    d = node.describe("web")
    assert d["state"] == "UNFINISHED" and d["locked"]
    assert first.poll() is None
    assert node.director("cancel", "-p", "web").returncode == 0
    assert first.wait(DEADLINE) == 70


def test_cancel_during_makejail(node, jail):
    node.behave("web", "hang")
    up = node.start_up("web", ONE.format(jail=jail))
    build = node.building()
    assert node.director("cancel", "-p", "web").returncode == 0
    up.out, _ = up.communicate(timeout=DEADLINE)
    assert up.returncode == 70
    assert result(up) == {"errlevel": 70, "message": None, "failed": []}
    assert node.state("web") == "failed" and not node.locked("web")
    assert not (node.projects / "web" / "pid").exists()
    assert "cmd jaildir" in node.appjail_calls()
    assert not is_alive(build) and node.ended(build) == 70
    assert node.ended(up.pid) == 70
    assert node.director("cancel", "-p", "web").returncode == 0


def test_kill_of_director(node, jail):
    node.behave("web", "delay=60")
    up = node.start_up("web", ONE.format(jail=jail))
    build = node.building()
    up.kill()
    up.wait(DEADLINE)
    assert node.state("web") == "unfinished" and node.locked("web")
    assert (node.projects / "web" / "pid").exists()
    p = node.director("cancel", "-p", "web")
    assert p.returncode == 70 and "NoSuchProcess" in p.err
    assert node.ended(up.pid) is None
    assert is_alive(build)


def test_down_then_describe(node, jail):
    node.up("web", ONE.format(jail=jail))
    living = node.jaild(jail)
    p = node.director("down", "-j", "-p", "web")
    assert (p.returncode, result(p)) == (0, OK)
    assert not is_alive(living)
    assert node.describe("web")["state"] == "DONE"
    assert node.service_status("web") == 1
    node.forget_calls()
    assert node.up("web", ONE.format(jail=jail)).returncode == 0
    assert node.appjail_calls() == ["jail get", "jail get", "status", "start"]


@pytest.mark.parametrize("ignore", [False, True])
def test_down_with_undestroyable_jail(node, jail, ignore):
    node.up("web", ONE.format(jail=jail))
    (node.jails / jail / "nodestroy").touch()
    p = node.director("down", "-j", "-d", "-p", "web",
                      *(["--ignore-failed"] if ignore else []))
    assert p.returncode == (0 if ignore else 74)
    assert result(p) == {"errlevel": 0, "message": None, "failed": [
        {"type": "destroy", "service": "web"}]}
    assert (node.jails / jail).exists()
    assert node.state("web") == (None if ignore else "failed")
    assert (node.projects / "web").exists() != ignore
    assert not node.locked("web")


def test_describe_with_unset_env_name(node, jail):
    text = "services:\n  web:\n    name: !ENV '${STANDIN_TEST_NAME}'\n"
    p = node.up("web", text, env={"STANDIN_TEST_NAME": jail})
    assert p.returncode == 0
    p = node.director("describe", "-p", "web")
    assert (p.returncode, p.out) == (70, "")


def test_jail_removed_behind_directors_back(node, jail):
    node.up("web", ONE.format(jail=jail))
    living = node.jaild(jail)
    shutil.rmtree(node.jails / jail)
    assert node.service_status("web") == 66
    wait_for("the end of what lived in it", lambda: not is_alive(living))
    node.forget_calls()
    assert node.up("web", ONE.format(jail=jail)).returncode == 0
    assert "makejail" in node.appjail_calls()
    assert node.service_status("web") == 0


def test_much_output(node, jail):
    node.behave("web", "stderr-bytes=1048576", "stdout-bytes=1000000")
    p = node.up("web", ONE.format(jail=jail))
    assert p.returncode == 0
    assert len(p.err) == 1048576
    assert len(p.out) == 1000000 + len(json.dumps(OK, indent=2)) + 1


# More of up


def test_text_mode(node, jail):
    file = node.file(ONE.format(jail=jail))
    p = node.director("up", "-f", file, "-p", "web")
    assert p.out.splitlines() == [
        "Starting Director (project:web) ...",
        "Creating web (%s) ... Done." % jail,
        "Starting web (%s) ... Done." % jail, "Finished: web"]
    p = node.director("up", "-f", file, "-p", "web")
    assert p.out.endswith("Nothing to do.\n")


@pytest.mark.parametrize("how", ["service", "option", "overwrite", "makejail"])
def test_changed_service_is_made_again(node, jail, how):
    text = ONE.format(jail=jail).replace("gh+AppJail-makejails/web",
                                         str(node.root / "Makejail"))
    (node.root / "Makejail").write_text("OPTION start\n")
    node.up("web", text)
    first = node.jaild(jail)
    node.forget_calls()
    if how == "service":
        text += "      - other: 1\n"
    elif how == "option":
        text = text.replace("  - nat:\n", "")
    elif how == "makejail":
        os.utime(node.root / "Makejail", (4e9, 4e9))
    p = node.up("web", text, *(["--overwrite"] if how == "overwrite" else []))
    assert result(p) == OK
    assert node.appjail_calls() == [
        "jail get", "jail get", "status", "stop", "jail destroy",
        "jail get", "makejail", "status", "start"]
    assert node.jaild(jail) != first and not is_alive(first)


def test_priority(node, jail):
    assert node.up("two", TWO.format(jail=jail)).returncode == 0
    made = [argv[3] for argv in node.calls() if argv[1] == "makejail"]
    assert made == [jail + "_early", jail + "_late"]
    assert node.director("down", "-p", "two", "-j").returncode == 0
    stopped = [argv[3] for argv in node.calls() if argv[1] == "stop"]
    assert stopped == [jail + "_late", jail + "_early"]


def test_dropped_service_is_destroyed(node, jail):
    text = TWO.format(jail=jail)
    node.up("two", text)
    less = "services:\n" + text[text.index("  early"):]
    assert node.up("two", less).returncode == 0
    assert not (node.jails / (jail + "_late")).exists()
    assert not (node.projects / "two" / "late").exists()
    assert [s["name"] for s in node.describe("two")["services"]] == ["early"]


def test_failing_start_and_stop(node, jail):
    node.behave("web", "start-rc=9")
    p = node.up("web", ONE.format(jail=jail))
    assert p.returncode == 9
    assert result(p)["failed"] == [{"type": "start", "service": "web"}]
    node.behave("web")
    node.up("web", ONE.format(jail=jail))
    node.behave("web", "stop-rc=1")
    p = node.up("web", ONE.format(jail=jail), "--overwrite")
    assert p.returncode == 77
    assert [f["type"] for f in result(p)["failed"]] == ["stop", "destroy"]


def test_cancel_stops_the_running_jail(node, jail):
    node.up("web", ONE.format(jail=jail))
    living = node.jaild(jail)
    node.behave("web", "hang")
    node.forget_calls()
    up = node.start_up("web", ONE.format(jail=jail))
    wait_for("up to look at the jail", lambda: len(node.calls()) == 3)
    assert node.director("cancel", "-p", "web").returncode == 0
    assert up.wait(DEADLINE) == 70
    assert not is_alive(living)
    assert node.service_status("web") == 1


def test_cancel_compares_the_parent(node, jail):
    node.behave("web", "hang")
    up = node.start_up("web", ONE.format(jail=jail))
    node.building()
    (node.projects / "web" / "ppid").write_text("1")
    p = node.director("cancel", "-p", "web")
    assert p.returncode == 70 and "AccessDenied" in p.err
    assert up.poll() is None
    up.terminate()
    assert up.wait(DEADLINE) == 70


def test_hang_hard_ignores_term(node, jail):
    node.behave("web", "hang-hard")
    up = node.start_up("web", ONE.format(jail=jail), start_new_session=True)
    build = node.building()
    assert node.director("cancel", "-p", "web").returncode == 0
    with pytest.raises(subprocess.TimeoutExpired):
        up.wait(0.3)
    os.killpg(up.pid, signal.SIGKILL)
    assert up.wait(DEADLINE) == -signal.SIGKILL
    wait_for("the end of the build", lambda: not is_alive(build))
    assert node.locked("web")


def test_exit_by_signal(node, jail):
    node.behave("web", "exit-by-signal=9")
    p = node.up("web", ONE.format(jail=jail))
    assert p.returncode == -9 and p.out == ""
    assert node.state("web") == "unfinished" and node.locked("web")
    assert node.ended(p.pid) is None


def test_garbage(node, jail):
    node.behave("web", "garbage")
    p = node.up("web", ONE.format(jail=jail))
    assert p.returncode == 0 and p.out
    with pytest.raises(ValueError):
        json.loads(p.out)


# More of down


def test_down_destroy(node, jail):
    node.up("web", ONE.format(jail=jail))
    argv = ["down", "-j", "-d", "--ignore-failed", "-p", "web"]
    p = node.director(*argv)
    assert (p.returncode, result(p)) == (0, OK)
    assert not (node.jails / jail).exists()
    assert not (node.projects / "web").exists()
    assert (node.locks / "web").is_dir() and not node.locked("web")
    p = node.director(*argv)
    assert p.returncode == 66
    assert result(p) == {"errlevel": 66, "failed": [],
                         "message": "web: Project not found."}


def test_down_locks_and_dies_of_term(node, jail):
    node.up("web", ONE.format(jail=jail))
    node.behave("web", "down-delay=60")
    down = node.start("appjail-director", "down", "-j", "-p", "web")
    wait_for("destroying", lambda: node.state("web") == "destroying")
    assert node.locked("web")
    assert node.describe("web")["state"] == "DESTROYING"
    assert node.director("cancel", "-p", "web").returncode == 0
    assert down.poll() is None
    down.terminate()
    assert down.wait(DEADLINE) == -signal.SIGTERM
    assert node.ended(down.pid) == 128 + signal.SIGTERM


def test_down_rc(node, jail):
    node.up("web", ONE.format(jail=jail))
    node.behave("web", "down-rc=70")
    p = node.director("down", "-j", "-d", "-p", "web")
    assert p.returncode == 70 and result(p)["errlevel"] == 70
    assert node.state("web") == "failed"


# What lives in a jail


def test_started_jail_outlives_and_holds_output(node, jail):
    node.behave("web", "hold-output")
    up = node.start_up("web", ONE.format(jail=jail), start_new_session=True)
    assert up.wait(DEADLINE) == 0
    living = node.jaild(jail)
    assert os.getsid(living) not in (up.pid, os.getsid(0))
    assert os.getpgid(living) == os.getsid(living) != living
    if os.path.isdir("/proc/%d/fd" % living):
        assert set(os.listdir("/proc/%d/fd" % living)) == {"0", "1", "2"}
    # It has our pipe as stderr, so there is no end of file while it lives.
    os.set_blocking(up.stderr.fileno(), False)
    with pytest.raises(BlockingIOError):
        while os.read(up.stderr.fileno(), 65536):
            pass
        pytest.fail("end of file")
    os.kill(living, signal.SIGHUP)
    os.kill(living, signal.SIGINT)
    assert node.run("appjail", "status", "-q", "--", jail).returncode == 0
    assert is_alive(living)
    assert node.run("appjail", "stop", "--", jail).returncode == 0
    assert not is_alive(living)


def test_jail_ends_with_its_root(tmp_path, jail):
    root = tmp_path / "root"
    root.mkdir()
    node = Node(root)
    node.up("web", ONE.format(jail=jail))
    living = node.jaild(jail)
    root.rename(tmp_path / "other")
    wait_for("the end", lambda: not is_alive(living))


# The smaller commands


def test_jail_keywords(node, jail):
    node.up("web", ONE.format(jail=jail))

    def get(keyword, *options):
        p = node.run("appjail", "jail", "get", *options, "--", jail, keyword)
        assert p.returncode == 0
        return p.out

    base = node.jails / jail
    ip = (base / "conf/boot/network/reserved.ajnet").read_text().strip()
    assert re.fullmatch(r"10(\.\d+){3}", ip)
    for keyword, value in {
            "name": jail, "status": "UP", "type": "thin",
            "version": "14.3-RELEASE", "network_ip4": ip,
            "networks": "ajnet", "path": str(base / "jail"), "dirty": "0",
            "ports": "8432 -> 80/tcp,53/udp", "priority": "0", "boot": "0",
            "hostname": jail + ".appjail", "devfs_ruleset": ""}.items():
        assert get(keyword, "-I") == value + "\n", keyword
    assert get("devfs_ruleset") == "-\n"
    assert get("nonsense", "-I") == ""
    assert (base / "conf/labels/overlord.skydns/value").read_text() == "1"
    assert (base / "conf/boot/nat/ajnet/pf-nat.conf").exists()
    assert base.stat().st_mode & 0o777 == 0o700
    p = node.run("appjail", "label", "get", "-I", "-l", "overlord.skydns",
                 "--", jail, "value")
    assert (p.returncode, p.out) == (0, "1\n")
    p = node.run("appjail", "cmd", "local", jail, "realpath", ".")
    assert p.out == os.path.realpath(base / "jail") + "\n"
    assert node.run("appjail", "cpuset", jail).out == "0, 1\n"


def test_appjail_exit_codes(node, jail):
    node.up("web", ONE.format(jail=jail))
    for argv, rc in (
            (["status", "-q", "--", jail], 0),
            (["status", "-q", "nope"], 66), (["status", "-q"], 64),
            (["status", "-q", "a/b"], 65),
            (["jail", "get", "-I", "--", "nope", "name"], 66),
            (["jail", "get", "-I", "--", "no pe", "name"], 65),
            (["jail", "get"], 64), ([], 64), (["nonsense"], 66),
            (["jail", "destroy", "-f", "--", jail], 77),
            (["label", "get", "-I", "-l", "overlord.vm", "--", jail,
              "value"], 66)):
        p = node.run("appjail", *argv)
        assert (p.returncode, p.out) == (rc, ""), argv


def test_rctl_and_sysctl(node, jail):
    node.up("web", ONE.format(jail=jail))
    p = node.run("rctl", "-u", "jail:" + jail)
    lines = p.out.splitlines()
    assert p.returncode == 0 and len(lines) == 25
    assert all(re.fullmatch(r"[a-z]+=\d+", line) for line in lines)
    assert lines[0].startswith("cputime=")
    assert lines[-1].startswith("writeiops=")
    node.run("appjail", "stop", "--", jail)
    p = node.run("rctl", "-u", "jail:" + jail)
    assert (p.returncode, p.out) == (1, "")
    assert p.err == ("rctl: failed to show resource consumption for "
                     "'jail:%s': No such process\n" % jail)
    p = node.run("sysctl", "-n", "kern.racct.enable")
    assert (p.returncode, p.out) == (0, "1\n")
    assert node.run("sysctl", "-n", "no.such").returncode == 1
    (node.root / "sysctl").write_text("kern.racct.enable=0\n")
    p = node.run("rctl", "-u", "jail:" + jail)
    assert p.returncode == 1 and "disabled" in p.err


def test_director_usage(node):
    p = node.director("ls")
    assert (p.returncode, p.out) == (0, "No project has been created.\n")
    for args in (["nonsense"], ["up", "--nonsense", "-j"], []):
        p = node.director(*args)
        assert p.returncode == 2 and p.out == "" and "Usage:" in p.err
    for command in ("down", "describe", "check", "cancel", "info"):
        p = node.director(command)
        assert p.returncode == 65 and p.err.count("\n") == 2
        assert node.director(command, "-p", "none").returncode == 66
    for command in ("describe", "check", "cancel"):
        assert node.director(command, "-p", "a/b").returncode == 70
    p = node.director("up", "-j", "-f", "none.yml", "-p", "a")
    assert p.returncode == 66 and result(p) == {
        "errlevel": 66, "failed": [],
        "message": "none.yml: Director file cannot be found."}


def test_director_names_and_ls(node, jail):
    assert node.up("a b", ONE.format(jail=jail)).returncode == 70
    node.up("web", ONE.format(jail=jail))
    node.behave("bad", "rc=1")
    node.up("bad", "services: {x: {name: %s_x}}\n" % jail)
    out = node.director("ls").out.splitlines()
    assert out[0] == "Projects:" and sorted(out[1:]) == [" + web", " - bad"]
    assert node.director("ls", "-s", "failed").out == "Projects:\n - bad\n"
    assert node.director("ls", "-s", "odd").returncode == 65
    assert node.director("check", "-p", "web").returncode == 0
    out = node.director("info", "-p", "web").out
    assert " state: DONE\n" in out and "+ web" in out


def test_director_ini(node, jail):
    (node.root / "director.ini").write_text(
        "[projects]\ndirectory = %s/p\n[locks]\ndirectory = %s/l\n"
        % (node.root, node.root))
    assert node.up("web", ONE.format(jail=jail)).returncode == 0
    assert (node.root / "p" / "web" / "state").read_text() == "done"
    assert (node.root / "l" / "web").is_dir()
    assert node.director("-c", "/nonexistent", "ls").returncode == 66


@pytest.mark.parametrize("text, arguments", [
    ('services: {"a": {name: %(j)s}}', None),
    ("---\nservices:\n# c\n  'a':   # c\n    name: \"%(j)s\"\n...\n", None),
    ("services:\n  a:\n    name: >-\n      %(j)s\n", None),
    ("services:\n    a:\n        name:\n            %(j)s\n"
     "        arguments:\n        - x: |\n            one\n            two\n"
     "        - y: !ENV 'a${NO_SUCH_VARIABLE:b}c'\n        -   z: [1,\n"
     "              2]\n",
     ["--x", "one\ntwo\n", "--y", "abc", "--z", "[1, 2]"]),
])
def test_director_file_forms(node, jail, text, arguments):
    p = node.up("web", text % {"j": jail})
    assert (p.returncode, p.err) == (0, "")
    argv = [a for a in node.calls() if a[1] == "makejail"][0]
    assert argv[3] == jail
    if arguments is not None:
        assert argv[argv.index("--") + 1:] == arguments


# The front


def test_calls_log(node):
    odd = 'odd"\\\n\x01 name\u00e9'
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    p = node.run("sysctl", "-n", odd)
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    start, end = node.lines()
    kind, ns, pid, ppid, argv = start.split(" ", 4)
    assert kind == "start" and before < int(ns) < after
    assert (int(pid), int(ppid)) == (p.pid, os.getpid())
    assert json.loads(argv) == ["sysctl", "-n", odd]
    kind, end_ns, end_pid, rc = end.split()
    assert (kind, end_pid, rc) == ("end", pid, "1")
    assert int(ns) < int(end_ns) < after
    assert not (node.root / "leaks.log").exists()
    node.run("sysctl", *["x" * 1000] * 400)
    argv = json.loads(node.lines()[-2].split(" ", 4)[4])
    assert len(argv) > 100 and argv[-1] == "..."


def test_inherited_descriptors_are_told(node):
    r, w = os.pipe()
    p = node.run("sysctl", "-n", "kern.racct.enable", pass_fds=[w])
    os.close(r)
    os.close(w)
    assert (node.root / "leaks.log").read_text() == (
        "%d sysctl fd %d\n" % (p.pid, w))


def test_without_root():
    env = {k: v for k, v in os.environ.items() if k != "STANDIN_ROOT"}
    p = subprocess.run([BIN / "appjail", "status"], env=env, text=True,
                       stderr=subprocess.PIPE)
    assert p.returncode == 70 and "STANDIN_ROOT" in p.stderr
