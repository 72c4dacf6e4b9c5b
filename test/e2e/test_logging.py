# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""log_config and syslogd: loggers, handlers and formatters of the original's
configurations, what a reload makes of them, and logging without them."""

import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess

import pytest

from node import CLIENT, DAEMON, chain_to, is_alive, wait_for

HANDLER = "logging.handlers."


class Syslogd:
    """Receives datagrams at a path, or over UDP."""

    def __init__(self, path=None):
        self.path = path
        family = socket.AF_INET if path is None else socket.AF_UNIX
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0) if path is None else str(path))
        self.lines = []

    def port(self):
        return self.socket.getsockname()[1]

    def read(self):
        while select.select([self.socket], [], [], 0)[0]:
            self.lines.append(self.socket.recv(65536).decode())
        return self.lines

    def wait(self, pattern):
        """The first line that matches."""
        return wait_for(pattern, lambda: next(
            (s for s in self.read() if re.search(pattern, s)), None))

    def close(self):
        self.socket.close()
        if self.path is not None:
            self.path.unlink()


@pytest.fixture
def syslogd(tmp_path):
    made = []

    def make(path=None):
        made.append(Syslogd(path))
        return made[-1]
    yield make
    for s in made:
        s.socket.close()


def options(log_config):
    """Of a node that logs by log_config alone."""
    return {"log": None, "log_config": {"version": 1, **log_config}}


def text_of(node, name):
    try:
        return (node.root / name).read_text()
    except FileNotFoundError:
        return ""


def wait_text(node, name, pattern):
    return wait_for(f"{pattern} in {name}", lambda: re.search(
        pattern, text_of(node, name)))


def ping(node, word):
    assert node.get("/v1/ping", headers={"X-Request-Id": word}).status == 200


# Loggers

def test_the_original_s_example(make_node):
    node = make_node(options({
        "disable_existing_loggers": False,
        "formatters": {"standard": {
            "format": "%(levelname)s (%(name)s): [%(asctime)s] - "
                      "%(message)s"}},
        "handlers": {"default": {
            "class": "logging.StreamHandler", "level": "DEBUG",
            "formatter": "standard", "stream": "ext://sys.stdout"}},
        "root": {"level": "WARNING", "handlers": ["default"]},
        "loggers": {
            "overlord": {"level": "INFO", "handlers": ["default"],
                         "propagate": False},
            "overlord.client": {"level": "DEBUG"}},
    })).start()
    ping(node, "r1")
    time = r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\]"
    wait_text(node, "stderr", r"(?m)^INFO \(overlord\.tornado\): "
              + time + r" - req=r1 .*path=/v1/ping.* answered$")
    wait_text(node, "stderr", r"(?m)^NOTICE \(overlord\.daemon\): .* ready$")
    assert node.wait_job(node.up("web"))["state"] == "completed"
    wait_text(node, "stderr", r"(?m)^INFO \(overlord\.queue\): .*->completed$")
    wait_text(node, "stderr", r"INFO \(overlord\.libexec\.create\): ")
    assert "DEBUG" not in text_of(node, "stderr")
    assert not node.log.exists()


def test_each_area_by_its_name(make_node):
    def file(name, **more):
        return {"class": "logging.FileHandler", "formatter": "f",
                "filename": str(make.root / name), **more}
    make = make_node()
    make.configure(options({
        "formatters": {"f": {"format": "%(name)s %(levelname)s %(message)s"}},
        "handlers": {"all": file("all"), "access": file("access"),
                     "jobs": file("jobs"),
                     "bad": file("bad", level="WARNING"),
                     "null": {"class": "logging.NullHandler"}},
        "root": {"handlers": ["bad"]},
        "loggers": {
            "overlord": {"level": "INFO", "handlers": ["all"]},
            "overlord.tornado": {"handlers": ["access"], "propagate": False},
            "overlord.queue": {"handlers": ["jobs"]},
            "overlord.libexec": {"level": "ERROR"},
            "overlord.daemon": {"handlers": ["null"], "propagate": False}},
    }))
    node = make.start()
    ping(node, "seen")
    assert node.wait_job(node.up("web"))["state"] == "completed"
    wait_text(node, "access", "overlord.tornado INFO req=seen")
    wait_text(node, "jobs", "overlord.queue INFO job=.*->completed")
    wait_text(node, "all", "overlord.queue INFO job=.*->completed")
    assert "tornado" not in text_of(node, "all")
    assert "libexec" not in text_of(node, "all")
    assert "overlord.daemon" not in text_of(node, "all")
    assert set(re.findall(r"(?m)^\S+", text_of(node, "jobs"))) == {
        "overlord.queue"}
    node.behave("bad", "exit 1")
    node.process.send_signal(signal.SIGHUP)
    wait_text(node, "all", "overlord.config NOTICE reloaded")
    # The root's handler takes what is urgent only.
    node.config.write_text("nonsense: 1\n")
    node.process.send_signal(signal.SIGHUP)
    wait_text(node, "bad", "overlord.config ERROR not reloaded")
    assert "INFO" not in text_of(node, "bad")


def test_what_reaches_no_handler_is_logged_as_ever(make_node):
    make = make_node()
    make.configure(options({
        "handlers": {"h": {"class": "logging.FileHandler",
                           "filename": str(make.root / "access")}},
        "root": {"level": "INFO"},
        "loggers": {"overlord.tornado": {"handlers": ["h"]}},
    }))
    node = make.start()
    ping(node, "r1")
    wait_text(node, "access", r"(?m)^req=r1 .* answered$")
    wait_text(node, "stderr", r"Z notice daemon .*ready")
    assert "answered" not in node.stderr()


def test_levels_alone_change_our_own_log(make_node):
    node = make_node({"log_config": {
        "version": 1, "root": {"level": "ERROR"},
        "loggers": {"overlord.queue": {"level": "INFO"}}}})
    node.configure({"log": {"level": None}})
    node.start()
    ping(node, "r1")
    assert node.wait_job(node.up("web"))["state"] == "completed"
    wait_for("the job", lambda: "->completed" in node.log_text())
    areas = {line.split()[2] for line in node.log_text().splitlines()}
    assert areas == {"job"}


def test_log_level_and_file_win(make_node):
    make = make_node()
    make.configure({"log_config": {
        "version": 1, "handlers": {"h": {
            "class": "logging.FileHandler",
            "filename": str(make.root / "theirs")}},
        "root": {"level": "CRITICAL", "handlers": ["h"]}}})
    node = make.start()
    ping(node, "r1")
    wait_for("the line", lambda: "req=r1" in node.log_text())
    assert not (node.root / "theirs").exists()


def test_where_in_the_code(make_node):
    make = make_node()
    make.configure(options({
        "formatters": {"f": {
            "format": "%(filename)s %(module)s %(funcName)s %(lineno)d "
                      "%(process)d %(nothing)s %(message)s",
            "datefmt": "%H"}},
        "handlers": {"h": {"class": "logging.StreamHandler",
                           "formatter": "f"}},
        "root": {"level": "INFO", "handlers": ["h"]}}))
    node = make.start()
    wait_text(node, "stderr", r"(?m)^daemon\.c daemon daemon_run \d+ "
              + str(node.process.pid) + r" \? .*ready$")


def test_streams_of_a_daemon_without_terminal_are_the_file(make_node):
    """With a /var/log of its own."""
    # Not the stand-in that the node's PATH has.
    mount = shutil.which("mount") or "mount"
    private = ["unshare", "-m", "sh", "-c",
               f"{mount} -t tmpfs none /var/log && exec \"$@\"", "-"]
    try:
        subprocess.run([*private, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("unshare and mount are not permitted")
    node = make_node(options({
        "formatters": {"f": {"format": "%(levelname)s %(message)s"}},
        "handlers": {n: {"class": "logging.StreamHandler", "formatter": "f",
                         "stream": "ext://sys.std" + n}
                     for n in ("out", "err")},
        "root": {"level": "INFO", "handlers": ["out"]},
        "loggers": {"overlord.tornado": {"handlers": ["err"]}}}))
    r = subprocess.run([*private, DAEMON, "-f", node.config], env=node.env(),
                       capture_output=True, text=True)
    assert (r.returncode, r.stdout, r.stderr) == (0, "", "")
    pid = int((node.root / "run" / "overlordd.pid").read_text())
    try:
        ping(node, "r1")
        log = f"/proc/{pid}/root/var/log/overlord/overlordd.log"
        wait_text(node, log, r"(?m)^NOTICE .* ready$")
        # By both.
        wait_for("the request", lambda: len(re.findall(
            r"(?m)^INFO req=r1 ", text_of(node, log))) == 2)
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_for("it to end", lambda: not is_alive(pid))


# Files

def logs_to(node, handler, **more):
    node.configure(options({
        "handlers": {"h": {"filename": str(node.root / "log"), **handler}},
        "root": {"level": "INFO", "handlers": ["h"]}, **more}))


def test_a_watched_file_is_followed(make_node):
    node = make_node()
    logs_to(node, {"class": HANDLER + "WatchedFileHandler"})
    node.start()
    ping(node, "one")
    wait_text(node, "log", "req=one")
    (node.root / "log").rename(node.root / "log.0")
    ping(node, "two")
    wait_text(node, "log", "req=two")
    assert "req=two" not in text_of(node, "log.0")


def test_a_rotating_file_is_turned_over(make_node):
    node = make_node()
    logs_to(node, {"class": HANDLER + "RotatingFileHandler",
                   "maxBytes": 2000, "backupCount": 2})
    node.start()
    for i in range(100):
        ping(node, f"request-{i}")
    wait_text(node, "log", "request-99")
    sizes = {f.name: f.stat().st_size for f in node.root.glob("log*")}
    assert sorted(sizes) == ["log", "log.1", "log.2"]
    assert all(0 < size < 2000 for size in sizes.values())
    # The order is kept and nothing is missing.
    text = "".join(text_of(node, n) for n in ("log.2", "log.1", "log"))
    seen = [int(n) for n in re.findall(r"req=request-(\d+)", text)]
    assert seen == list(range(seen[0], 100)) and len(seen) > 5


def test_mode_w_empties_the_file_at_a_start_only(make_node):
    node = make_node()
    (node.root / "log").write_text("old\n")
    logs_to(node, {"class": "logging.FileHandler", "mode": "w"})
    node.start()
    ping(node, "one")
    wait_text(node, "log", "req=one")
    assert "reloaded" in node.hup(lambda: text_of(node, "log"))
    assert "req=one" in text_of(node, "log")
    assert "old\n" not in text_of(node, "log")


def test_hup_opens_every_file_anew(make_node):
    node = make_node()
    file = {"class": "logging.FileHandler"}
    node.configure(options({
        "handlers": {n: {**file, "filename": str(node.root / n)}
                     for n in ("a", "b")},
        "root": {"level": "INFO", "handlers": ["a"]},
        "loggers": {"overlord.tornado": {"handlers": ["b"]}}}))
    node.start()
    for name in ("a", "b"):
        (node.root / name).rename(node.root / (name + ".0"))
    assert "reloaded" in node.hup(lambda: text_of(node, "a"))
    ping(node, "new")
    for name in ("a", "b"):
        wait_text(node, name, "req=new")
        assert "req=new" not in text_of(node, name + ".0")


def inherited(node):
    """What a child of the daemon would get."""
    proc, kept = f"/proc/{node.process.pid}", set()
    for fd in os.listdir(proc + "/fd"):
        with open(f"{proc}/fdinfo/{fd}", encoding="ascii") as f:
            flags = int(re.search(r"flags:\s+(\d+)", f.read())[1], 8)
        if int(fd) > 2 and not flags & os.O_CLOEXEC:
            kept.add(os.readlink(f"{proc}/fd/{fd}"))
    return kept


def test_nothing_is_inherited(make_node, syslogd):
    if not os.path.isdir("/proc/self/fdinfo"):
        pytest.skip("nothing tells the flags of another process's files")
    below = make_node(name="below").start()
    node = make_node({"chains": {"below": chain_to(below)}}).start()
    # What curl wakes itself with.
    before = inherited(node)
    assert node.get("/v1/chain/below/ping").status == 200
    there = syslogd(node.root / "dev-log")
    node.configure(options({
        "handlers": {
            "a": {"class": HANDLER + "WatchedFileHandler",
                  "filename": str(node.root / "log")},
            "b": {"class": HANDLER + "SysLogHandler",
                  "address": str(there.path)}},
        "root": {"level": "INFO", "handlers": ["a", "b"]}}))
    node.process.send_signal(signal.SIGHUP)
    there.wait("reloaded")
    wait_text(node, "log", "reloaded")
    assert inherited(node) == before


# Reloads

def test_hup_takes_a_new_log_config(make_node):
    node = make_node()
    logs_to(node, {"class": "logging.FileHandler"})
    node.start()
    ping(node, "one")
    wait_text(node, "log", "req=one")
    node.configure(options({
        "formatters": {"f": {"format": "new %(message)s"}},
        "handlers": {"h": {"class": "logging.FileHandler", "formatter": "f",
                           "filename": str(node.root / "other")}},
        "root": {"level": "INFO", "handlers": ["h"]}}))
    node.process.send_signal(signal.SIGHUP)
    wait_text(node, "other", "(?m)^new reloaded$")
    wait_text(node, "other", "(?m)^new option=log_config changed$")
    ping(node, "two")
    wait_text(node, "other", "new req=two")
    assert "req=two" not in text_of(node, "log")
    # And none.
    node.configure({"log_config": None})
    node.process.send_signal(signal.SIGHUP)
    wait_text(node, "stderr", "Z notice config reloaded")


BROKEN = {
    "version": ({"version": 2}, "unsupported version: 2"),
    "level": ({"loggers": {"overlord": {"level": "VERBOSE"}}},
              "unable to configure logger 'overlord': 'VERBOSE'"),
    "name": ({"root": {"handlers": ["x"]}},
             "unable to configure root logger: 'x' is not defined"),
    "stream": ({"handlers": {"x": {"class": "logging.StreamHandler",
                                   "stream": "stdout"}}},
               "unable to configure handler 'x': 'stdout'"),
    "format": ({"formatters": {"f": {"format": "%(x"}}},
               r"unable to configure formatter 'f': '%\(x' has no '\)'"),
    "file": ({"handlers": {"x": {"class": "logging.FileHandler",
                                 "filename": "/nowhere/x"}}, "root": {}},
             r"log_config\.handlers\.x: unable to configure handler 'x': open "
             "log '/nowhere/x': No such file or directory"),
    "host": ({"handlers": {"x": {"class": HANDLER + "SysLogHandler",
                                 "address": ["host.invalid", 514]}},
              "root": {}},
             r"log_config\.handlers\.x: unable to configure handler 'x': "
             "'host.invalid'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_one_is_refused_and_the_old_one_stays(make_node, name):
    log_config, text = BROKEN[name]
    node = make_node()
    logs_to(node, {"class": "logging.FileHandler"})
    node.start()
    before = dict(node.options)
    node.configure({**options(log_config), "labels": ["other"]})
    assert "the old configuration stays" in node.hup(lambda: text_of(node, "log"))
    where = re.escape(str(node.config)) + r":1:\d+: "
    assert re.search(where + ".*" + text, text_of(node, "log"))
    assert node.get("/v1/labels").json["labels"] == ["all", "desktop"]
    ping(node, "still-here")
    wait_text(node, "log", "req=still-here")
    node.configure(before)
    assert "reloaded" in node.hup(lambda: text_of(node, "log"))


@pytest.mark.parametrize("name", [n for n in BROKEN if n != "host"])
def test_t_shows_it_and_a_start_fails(make_node, name):
    log_config, text = BROKEN[name]
    node = make_node(options(log_config))
    where = re.escape(str(node.config)) + r":1:\d+: "
    for args, status in ((("-t",), {78}), (("-F",), {78, 73})):
        r = subprocess.run([DAEMON, *args, "-f", node.config], env=node.env(),
                           cwd=node.root, capture_output=True, text=True)
        assert r.returncode in status, r
        assert re.search(where + ".*" + text, r.stderr), r.stderr
        assert r.stdout == ""


def test_t_makes_no_file(make_node):
    node = make_node()
    logs_to(node, {"class": "logging.FileHandler"})
    r = subprocess.run([DAEMON, "-t", "-f", node.config], env=node.env(),
                       capture_output=True, text=True)
    assert r.returncode == 0, r.stderr
    assert not (node.root / "log").exists()


def test_what_is_not_supported_is_a_warning(make_node):
    node = make_node(options({
        "filters": {"f": {"name": "x"}},
        "formatters": {"f": {"format": "{message}", "style": "{"}},
        "handlers": {"mail": {"class": HANDLER + "SMTPHandler",
                              "formatter": "f"}},
        "root": {"level": "INFO", "handlers": ["mail"]}})).start()
    for text in ("log_config.handlers.mail.class: warning: class '"
                 + HANDLER + "SMTPHandler' is not supported, using standard "
                 "error", "log_config.filters: warning: ",
                 "log_config.formatters.f.style: warning: style '{' is not"):
        assert text in node.stderr()
    ping(node, "r1")
    wait_text(node, "stderr", r"(?m)^req=r1 .* answered$")


def test_print_config_prints_it_as_written(make_node):
    log_config = {"version": 1, "root": {"level": 25}, "more": ["x"]}
    node = make_node({"log_config": log_config})
    r = subprocess.run([CLIENT, "print-config"], env=node.env(),
                       capture_output=True, text=True)
    assert r.returncode == 0, r.stderr
    assert json.loads(r.stdout)["log_config"] == log_config


# Syslog

HEAD = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d "


def test_a_handler_for_syslogd(make_node, syslogd):
    node = make_node()
    near, far = syslogd(node.root / "dev-log"), syslogd()
    node.configure(options({
        "formatters": {"f": {"format": "%(name)s: %(message)s"}},
        "handlers": {
            "near": {"class": HANDLER + "SysLogHandler", "formatter": "f",
                     "address": str(near.path), "facility": "local1"},
            "far": {"class": HANDLER + "SysLogHandler", "formatter": "f",
                    "address": ["127.0.0.1", far.port()],
                    "level": "WARNING"}},
        "root": {"level": "INFO", "handlers": ["near", "far"]}}))
    node.start()
    pid = node.process.pid
    ping(node, "r1")
    # local1 is 17, info 6; user is 1, error 3.
    near.wait(rf"^<142>{HEAD}overlordd\[{pid}\]: overlord\.tornado: req=r1 ")
    node.config.write_text("nonsense: 1\n")
    node.process.send_signal(signal.SIGHUP)
    host = re.escape(socket.gethostname().partition(".")[0])
    far.wait(rf"^<11>{HEAD}{host} overlordd\[{pid}\]: overlord\.config: not ")
    assert not any("tornado" in line for line in far.lines)


def test_syslogd_may_come_and_go(make_node, syslogd):
    node = make_node()
    path = node.root / "dev-log"
    node.configure({"log": {"syslog": "daemon",
                            "syslog_address": str(path)}})
    node.start()
    wait_for("the warning", lambda: re.search(
        f"warn daemon syslogd at {path}: No such file or directory; what is "
        "logged there is lost", node.log_text()))
    there = syslogd(path)
    ping(node, "r1")
    assert int(re.search(r": (\d+) messages were lost", there.wait("lost"))[
        1]) > 1
    there.wait("req=r1 ")
    there.close()
    ping(node, "r2")
    wait_for("the log", lambda: "req=r2" in node.log_text())
    there = syslogd(path)
    ping(node, "r3")
    there.wait(r": [1-9]\d* messages were lost")
    there.wait("req=r3 ")
    assert "req=r2" not in "".join(there.lines)
    metrics = node.get("/v1/metrics").text
    assert int(re.search(r"(?m)^overlord_log_lost_total (\d+)", metrics)[
        1]) > 2


def test_a_syslogd_that_does_not_read_holds_nobody(make_node, syslogd):
    node = make_node()
    there = syslogd(node.root / "dev-log")
    node.configure({"log": {"file": None, "syslog": "daemon",
                            "syslog_address": str(there.path)}})
    node.start()
    for i in range(300):
        ping(node, f"r{i}")
    there.read()
    ping(node, "last")
    there.wait("messages were lost")
    there.wait("req=last ")


def test_syslog_instead_of_a_file(make_node, syslogd):
    node = make_node()
    there = syslogd(node.root / "dev-log")
    node.configure({"log": {"file": None, "level": "info", "syslog": "daemon",
                            "syslog_address": str(there.path)}})
    node.start()
    ping(node, "r1")
    # daemon is 3, info 6; neither time nor level, which syslogd knows.
    there.wait(rf"^<30>{HEAD}overlordd\[{node.process.pid}\]: http req=r1 ")
    assert not node.log.exists() and node.stderr() == ""
    node.configure({"log": {"format": "json", "syslog": "local7"}})
    node.process.send_signal(signal.SIGHUP)
    line = there.wait(r"^<189>.*\"reloaded\"")
    assert json.loads(line[line.index("{"):])["area"] == "config"


def test_syslog_over_udp(make_node, syslogd):
    node = make_node()
    there = syslogd()
    node.configure({"log": {
        "syslog": "daemon", "syslog_address": f"127.0.0.1:{there.port()}"}})
    node.start()
    ping(node, "r1")
    host = re.escape(socket.gethostname().partition(".")[0])
    there.wait(rf"^<30>{HEAD}{host} overlordd\[\d+\]: http req=r1 ")
    # Both of them.
    wait_for("the log", lambda: "req=r1" in node.log_text())
