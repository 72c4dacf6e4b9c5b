# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The service script as it is installed, with the installed daemon: under
FreeBSD's rc.subr where there is one, else under a stand-in. Its places are moved
below a directory of the test; options come from the environment, where rc.conf's
would end up."""

import json
import os
import pathlib
import pwd
import signal
import stat
import subprocess
import tempfile

import pytest

from node import (BUILD, DEADLINE, REPO, STANDINS, Node, is_alive,
                  wait_for)
from test_install import option

RC_SUBR = pathlib.Path("/etc/rc.subr")
if not RC_SUBR.exists():
    RC_SUBR = REPO / "test" / "standin" / "rc.subr"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


class Service:
    def __init__(self, root):
        self.root = root
        dest = root / "dest"
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild",
                        "--destdir", dest], check=True,
                       stdout=subprocess.DEVNULL)
        prefix = option("prefix")
        self.prefix = dest / prefix.lstrip("/")
        text = (self.prefix / "etc/rc.d/overlordd").read_text()
        for old, new in (("/etc/rc.subr", RC_SUBR), ("/var/", f"{root}/var/"),
                         (prefix + "/", f"{self.prefix}/")):
            assert old in text
            text = text.replace(old, str(new))
        self.script = root / "overlordd"
        self.script.write_text(text)
        self.script.chmod(0o755)
        self.config = self.prefix / "etc" / "overlord.yml"
        self.log = root / "var/log/overlord/overlordd.log"
        self.pidfile = root / "var/run/overlord/overlordd.pid"
        # As the package does; -t wants the log's directory.
        self.log.parent.mkdir(parents=True)
        self.configure()

    def configure(self, extra=""):
        elsewhere = {"appjail": ("jails", "logs", "images"),
                     "director": ("projects", "locks", "logs")}
        options = {
            "listen": ["127.0.0.1:0"],
            "statedir": str(self.root / "var/db/overlord"),
            "rundir": str(self.root / "var/run/overlord"),
            "helper": str(self.prefix / "libexec/overlord/overlord-exec"),
            "log": {"file": str(self.log)},
        }
        for what, names in elsewhere.items():
            options[what] = {n: str(self.root / what / n) for n in names}
        self.config.write_text(extra + "".join(
            f"{k}: {json.dumps(v)}\n" for k, v in options.items()))

    def __call__(self, command, **options):
        """Runs the script; options are those of rc.conf without overlordd_."""
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("OVERLORD_", "STANDIN_"))}
        # su -m keeps it; nobody has none.
        env.update(SHELL="/bin/sh", HOME="/nonexistent", USER="nobody")
        values = {"enable": "YES", "user": pwd.getpwuid(os.geteuid()).pw_name}
        values.update(options)
        env.update({f"overlordd_{k}": v for k, v in values.items()
                    if v is not None})
        return subprocess.run(["/bin/sh", self.script, command], env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, cwd="/", timeout=DEADLINE)

    def start(self, **options):
        r = self("start", **options)
        assert r.returncode == 0, r.stderr
        return self.pid()

    def pid(self, pidfile=None):
        """Of the running daemon, or None."""
        try:
            pid = int((pidfile or self.pidfile).read_text().split()[0])
        except (FileNotFoundError, IndexError):
            return None
        return pid if is_alive(pid) else None

    def dispose(self):
        for pidfile in self.root.rglob("*.pid"):
            pid = self.pid(pidfile)
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
                wait_for("the daemon to be gone", lambda: not is_alive(pid))


@pytest.fixture
def service():
    # Not below pytest's directory, which is closed to other users.
    with tempfile.TemporaryDirectory(prefix="overlord-rc.") as name:
        root = pathlib.Path(name)
        root.chmod(0o755)
        made = Service(root)
        yield made
        made.dispose()


def test_start_status_and_stop(service):
    r = service("status")
    assert (r.returncode, r.stdout) == (1, "overlordd is not running.\n")

    r = service("start")
    assert r.returncode == 0, r.stderr
    assert "Starting overlordd.\n" in r.stdout
    pid = service.pid()
    assert pid is not None
    r = service("status")
    assert (r.returncode, r.stdout) == (
        0, f"overlordd is running as pid {pid}.\n")

    r = service("start")
    assert r.returncode == 1 and f"(pid={pid})" in r.stderr
    assert service.pid() == pid

    r = service("stop")
    assert (r.returncode, r.stdout.splitlines()[0]) == (
        0, "Stopping overlordd.")
    assert not is_alive(pid)
    r = service("stop")
    assert r.returncode == 1 and "not running?" in r.stderr


def test_directories_are_made(service):
    service.start()
    for name in ("db", "run", "log"):
        made = (service.root / "var" / name / "overlord").stat()
        assert stat.S_IMODE(made.st_mode) == 0o750
        assert made.st_uid == os.geteuid()


def test_restart_is_a_new_daemon(service):
    old = service.start()
    r = service("restart")
    assert r.returncode == 0, r.stderr
    assert service.pid() not in (None, old)
    assert not is_alive(old)


def test_restart_starts_what_does_not_run(service):
    r = service("restart")
    assert r.returncode == 0, r.stderr
    assert service.pid() is not None


def test_reload_opens_the_log_anew(service):
    pid = service.start()
    # As newsyslog does.
    service.log.rename(service.log.with_suffix(".log.0"))
    r = service("reload")
    assert r.returncode == 0, r.stderr
    wait_for("a new log", service.log.exists)
    assert service.pid() == pid


@pytest.mark.parametrize("command", ["restart", "reload", "configtest"])
def test_a_faulty_configuration_leaves_the_daemon_alone(service, command):
    pid = service.start()
    service.configure("nonsense: 1\n")
    r = service(command)
    assert r.returncode != 0
    assert "overlord.yml:1:1: " in r.stderr + r.stdout
    assert service.pid() == pid


def test_start_refuses_a_faulty_configuration(service):
    service.configure("nonsense: 1\n")
    r = service("start")
    assert r.returncode == 1 and "failed precmd" in r.stderr
    assert service.pid() is None


def test_configtest_starts_nothing(service):
    r = service("configtest")
    assert r.returncode == 0, r.stderr
    assert service.pid() is None


def test_reload_needs_a_daemon(service):
    r = service("reload")
    assert r.returncode == 1 and "not running?" in r.stderr


def test_the_configuration_is_required(service):
    service.config.unlink()
    r = service("start")
    assert r.returncode == 1
    assert f"{service.config} is not readable." in r.stderr


def test_nothing_starts_unless_enabled(service):
    for enable in ("NO", None):
        r = service("start", enable=enable)
        assert r.returncode == 0 and "Set overlordd_enable to" in r.stdout
        assert service.pid() is None
    assert service("onestart", enable="NO").returncode == 0
    assert service.pid() is not None
    # What runs can be stopped all the same.
    assert service("stop", enable="NO").returncode == 0
    assert service.pid() is None


def test_rcvar(service):
    assert 'overlordd_enable="YES"' in service("rcvar").stdout.splitlines()
    assert 'overlordd_enable="NO"' in service(
        "rcvar", enable=None).stdout.splitlines()


def test_flags_reach_the_daemon(service):
    r = service("start", flags="-V")
    assert r.returncode == 0
    assert "overlordd, version " in r.stdout
    assert service.pid() is None


def test_other_files_and_an_environment(service):
    service.configure("pidfile: !ENV '${HERE}/other.pid'\n")
    other = service.root / "other.yml"
    service.config.rename(other)
    pidfile = service.root / "other.pid"
    options = {"config": str(other), "pidfile": str(pidfile),
               "env": f"HERE={service.root} PATH={os.environ['PATH']}"}
    service.start(**options)
    pid = service.pid(pidfile)
    assert pid is not None
    assert service("status", **options).returncode == 0
    assert service("reload", **options).returncode == 0
    assert service("stop", **options).returncode == 0
    assert not is_alive(pid)


@needs_root
def test_another_user(service):
    nobody = pwd.getpwnam("nobody").pw_uid
    pid = service.start(user="nobody")
    assert os.stat(service.pidfile).st_uid == nobody
    assert os.stat(service.log).st_uid == nobody
    uid = subprocess.run(["ps", "-o", "uid=", "-p", str(pid)], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    assert int(uid) == nobody
    assert service("reload", user="nobody").returncode == 0
    assert service("stop", user="nobody").returncode == 0
    assert not is_alive(pid)


@needs_root
def test_the_daemon_is_root_with_roots_home(service):
    home = pwd.getpwnam("root").pw_dir
    service.configure(f"pidfile: !ENV '{service.root}/${{HOME}}${{USER}}.pid'\n")
    pidfile = pathlib.Path(f"{service.root}/{home}root.pid")
    pidfile.parent.mkdir(parents=True, exist_ok=True)
    service.start(user=None, pidfile=str(pidfile))
    assert service.pid(pidfile) is not None


class Served(Node):
    """The node that the service runs, with stand-ins."""

    def __init__(self, service):
        self.root = service.root
        self.standin = self.root / "standin"
        (self.standin / "behaviour").mkdir(parents=True)
        self.keyfile = self.root / "var/db/overlord/keyfile"
        self.listening = self.root / "var/run/overlord/listening"

    def addresses(self):
        return self.listening.read_text().splitlines()

    def settings(self):
        return (f"HOME={self.root} STANDIN_ROOT={self.standin} "
                f"PATH={STANDINS}:{os.environ['PATH']}")


def test_restart_leaves_a_deployment_alone(service):
    node = Served(service)
    node.behave("web", "hang")
    node.behave("next")
    first = service.start(env=node.settings())
    ids = [node.up("web"), node.up("next")]
    node.wait_call("appjail", "makejail")
    r = service("restart", env=node.settings())
    assert r.returncode == 0, r.stderr
    assert service.pid() not in (None, first)
    job = node.job(ids[0])
    assert (job["state"], job["attempt"]) == ("running", 1)
    node.cancel("web")
    assert node.wait_job(ids[0])["state"] == "cancelled"
    job = node.wait_job(ids[1])
    assert (job["state"], job["attempt"]) == ("completed", 1)
    ups = [c for c in node.calls("appjail-director") if c[3][1] == "up"]
    assert len(ups) == 2
