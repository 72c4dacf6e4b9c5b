# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Items of jails and what all of them use: rest-api.md 3.3, runtime.md 4.2,
appjail-director-cli.md 3 and 4."""

import concurrent.futures
import json
import os
import subprocess
import time

import pytest

from node import STANDINS, make_tree, wait_for

EMPTY = {"stats": {}, "info": {}, "cpuset": None, "devfs": [], "expose": [],
         "healthcheck": [], "limits": [], "fstab": [], "labels": [],
         "nat": [], "volumes": []}
LISTS = [i for i, empty in EMPTY.items() if empty == []]
RESOURCES = (
    "cputime datasize stacksize coredumpsize memoryuse memorylocked maxproc "
    "openfiles vmemoryuse pseudoterminals swapuse nthr msgqqueued msgqsize "
    "nmsgq nsem nsemop nshm shmsize wallclock pcpu readbps writebps readiops "
    "writeiops").split()
KEYWORDS = (
    "alt_name appjail_version arch boot container container_boot "
    "container_image container_pid created devfs_ruleset dirty ephemeral "
    "hostname inet inet6 ip4 ip6 is_container locked name network_ip4 "
    "networks path priority ports release_name status type version "
    "version_extra x11_display xephyr_pid").split()
DIRECTOR = """\
options:
  - virtualnet: 'ajnet:web address:10.0.0.9 default'
  - nat:
  - expose: '8080:80 ext_if:em0 on_if:em0 descr:http'
  - expose: '53 udp'
  - label: 'web.group:1'
  - label: 'appjail.dns.alt-name:www'
  - limits: 'memoryuse:deny=512m/jail name:mem'
  - healthcheck: 'health_type:host "health_cmd:fetch -qo /dev/null x"'
  - device: 'add path bpf unhide'
  - volume: 'www mountpoint:/usr/local/www type:nullfs uid:80 gid:80 perm:755'
  - fstab: '/var/www /usr/local/www nullfs rw 0 2'
services:
  web:
    name: web
    makejail: 'gh+x/y'
"""


def item(node, name, jail, chain=None):
    prefix = f"/v1/chain/{chain}" if chain else "/v1"
    r = node.get(f"{prefix}/jail/{name}/{jail}")
    assert r.status == 200, r
    assert set(r.json) == {"status_code", name}, r
    return r.json[name]


def deploy(node):
    job = node.wait_job(node.up("web", director_file=DIRECTOR))
    assert job["state"] == "completed", job


def rctl_calls(node):
    return [c for c in node.calls("rctl")]


# Whole

WANTED = {
    "devfs": [{"enabled": "1", "rule": "add path bpf unhide", "name": None,
               "nro": "0"}],
    "expose": [
        {"enabled": "1", "name": "http", "network_name": "ajnet",
         "hport": "8080", "jport": "80", "protocol": "tcp", "ext_if": "em0",
         "on_if": "em0", "nro": "0"},
        {"enabled": "1", "name": None, "network_name": "ajnet", "hport": "53",
         "jport": "53", "protocol": "udp", "ext_if": None, "on_if": None,
         "nro": "1"}],
    "healthcheck": [
        {"enabled": "1", "name": None, "status": None,
         "health_cmd": "fetch -qo /dev/null x", "health_type": "host",
         "recover_cmd": "appjail restart web", "recover_type": "host",
         "nro": "0"}],
    "limits": [{"enabled": "1", "name": "mem",
                "rule": "memoryuse:deny=512m/jail", "nro": "0"}],
    "fstab": [{"enabled": "1", "name": None, "device": "/var/www",
               "mountpoint": "/usr/local/www", "type": "nullfs",
               "options": "rw", "dump": "0", "pass": "2", "nro": "0"}],
    "labels": [{"value": "www", "name": "appjail.dns.alt-name"},
               {"value": "1", "name": "web.group"}],
    "nat": [{"rule": 'nat on "em0" from 10.0.0.9 to any -> ("em0:0")',
             "network": "ajnet"}],
    "volumes": [{"mountpoint": "/usr/local/www", "type": "nullfs", "uid": "80",
                 "gid": "80", "perm": "755", "name": "www"}],
    "info": {"name": "web", "network_ip4": "10.0.0.9",
             "ports": "8080 -> 80/tcp,53/udp", "status": "UP",
             "type": "thin", "version": "14.3-RELEASE"},
    "cpuset": "0, 1",
}


def test_every_item_here_and_through_chains(make_node):
    nodes = make_tree(make_node, ("main", "alpha", "charlie"))
    main, charlie = nodes["main"], nodes["charlie"]
    deploy(charlie)
    for name in EMPTY:
        local = item(charlie, name, "web")
        if name in WANTED:
            assert local == WANTED[name]
        else:
            assert list(local) == RESOURCES and local["maxproc"] == 1
        assert item(main, name, "web", "alpha.charlie") == local
        assert item(nodes["alpha"], name, "web", "charlie") == local
    for path, node in (("/v1", charlie), ("/v1/chain/charlie", nodes["alpha"]),
                       ("/v1/chain/alpha.charlie", main)):
        r = node.request("HEAD", path + "/jail/info/web")
        assert (r.status, r.text) == (200, "")
        r = node.request("HEAD", path + "/jail/info/nope")
        assert (r.status, r.text) == (404, "")
        for slash in ("", "/"):
            r = node.get(path + "/stats" + slash)
            assert r.status == 200 and r.json["stats"]["maxproc"] == 1
            assert set(r.json) == {"status_code", "stats"}
    r = main.get("/v1/chain/alpha.charlie/jail/limits/nope")
    assert r.status == 404 and r.json["function"] == "get_limits"
    assert r.json["remote"]["remote"] == {
        "status_code": 404, "message": "Jail 'nope' cannot be found."}


def test_the_order_of_members_is_that_of_the_keywords(node):
    deploy(node)
    text = node.get("/v1/jail/expose/web").text
    first = json.loads(text)["expose"][0]
    assert list(first) == ["enabled", "name", "network_name", "hport", "jport",
                           "protocol", "ext_if", "on_if", "nro"]


def test_info_is_what_appjail_says(make_node):
    """Every keyword, compared with what the command prints."""
    node = make_node({"polling": {}}).start()
    deploy(node)
    for path, text in (
            ("conf/template.conf",
             'exec.clean\n  # host.hostname: no\n*host.hostname: "a b"  c\n'
             "host.hostname+: 'd'\nip4.addr: 10.0.0.3/24\n"
             "ip6.addr: ::1 ::2\n"),
            ("conf/boot/startup/boot", ""),
            ("conf/boot/startup/priority", "  7 \nmore"),
            ("conf/boot/devfs_ruleset", "10\n"),
            ("conf/boot/oci/container_name", "box\n"),
            ("conf/boot/oci/boot", ""),
            ("conf/boot/oci/pid", f"{os.getpid()}\n"),
            ("conf/boot/lock/locked", ""),
            ("conf/boot/x11/display", ":1\n"),
            ("conf/boot/network/reserved.other", "10.1.0.2\n")):
        node.put("web", path, text)
    info = item(node, "info", "web")
    assert list(info) == KEYWORDS
    env = {**node.env(), "LC_ALL": "C"}
    for word in KEYWORDS:
        said = subprocess.run(
            [STANDINS / "appjail", "jail", "get", "-I", "--", "web", word],
            env=env, stdout=subprocess.PIPE, text=True, check=True).stdout
        if word == "hostname":
            # The stand-in does not know what quotes are for.
            assert info[word] == "a b,c,d"
        else:
            assert info[word] == said.rstrip("\n"), word
    assert info["inet"] == "10.0.0.9/10,10.1.0.2/10"
    assert info["dirty"] == "0" and info["priority"] == "7"
    assert len([c for c in node.calls("appjail")
                if c[3][1:4] == ["jail", "get", "-I"]
                and c[3][-1] == "inet6"]) == 2


def test_a_version_of_a_release_from_source(make_node, tmp_path):
    node = make_node({"polling": {"keywords": {"jail": ["version_extra"]}}})
    node.start()
    node.put("a", "conf/config.conf",
             "osarch: amd64\nosversion: 15.0\nrelease_name: default\n")
    release = node.standin / "releases/amd64/15.0/default"
    release.mkdir(parents=True)
    src = tmp_path / "src"
    (src / "sys/sys").mkdir(parents=True)
    (src / "sys/sys/param.h").write_text(
        "#undef __FreeBSD_version\n"
        "#define __FreeBSD_version 1500042 /* x */\n")
    (release / ".srcdir").write_text(f"{src}\n")
    assert item(node, "info", "a") == {"version_extra": ""}
    (release / ".from_src").touch()
    assert item(node, "info", "a") == {"version_extra": "1500042"}
    node.put("a", "conf/config.conf",
             "osarch: ..\nosversion: ..\nrelease_name: ../x\n")
    assert item(node, "info", "a") == {"version_extra": ""}


# Nothing, and not yet

def test_unknown_jails(node):
    for name in EMPTY:
        for jail in ("nope", "_", "a" * 255):
            r = node.get(f"/v1/jail/{name}/{jail}")
            assert r.status == 404 and r.json == {
                "status_code": 404,
                "message": f"Jail '{jail}' cannot be found."}
        for bad in ("-a", "a.b", "a%20b", "a/", "", "..", "a" * 256,
                    "a" * 4000):
            r = node.get(f"/v1/jail/{name}/{bad}")
            assert r.status == 404 and r.json["message"] == "Not Found", r
    assert node.get("/v1/jail/nope/web").status == 404
    assert node.get("/v1/stats").json == {"status_code": 200, "stats": {}}


def test_a_bare_directory_is_a_jail_with_nothing(node):
    (node.standin / "jails" / "a").mkdir(parents=True)
    (node.standin / "jails" / "link").symlink_to("a")
    for name, empty in EMPTY.items():
        value = item(node, name, "a")
        if name == "info":
            assert value == {"name": "a", "network_ip4": "", "ports": "",
                             "status": "DOWN", "type": "", "version": ""}
        else:
            assert value == empty
        assert node.get(f"/v1/jail/{name}/link").status == 404
    assert node.get("/v1/stats").json["stats"] == {}
    assert rctl_calls(node) == []


def test_every_change_shows_at_once(node):
    node.put("a", "conf/labels/x/value", "1")
    assert item(node, "labels", "a") == [{"value": "1", "name": "x"}]
    node.put("a", "conf/labels/x/value", "2\n")
    node.put("a", "conf/labels/b/value", "")
    assert item(node, "labels", "a") == [{"value": None, "name": "b"},
                                         {"value": "2", "name": "x"}]
    assert item(node, "info", "a")["status"] == "DOWN"
    node.put("a", "up")
    assert item(node, "info", "a")["status"] == "UP"


def test_keywords_of_the_configuration(make_node):
    node = make_node({"polling": {"keywords": {
        "jail": ["status", "dirty"], "stats": ["pcpu", "memoryuse"],
        "limits": ["per", "action"], "label": [], "expose": ["rule"],
        "volume": ["name", "type"]}}}).start()
    deploy(node)
    assert item(node, "info", "web") == {"status": "UP", "dirty": "0"}
    assert list(item(node, "stats", "web")) == ["pcpu", "memoryuse"]
    assert item(node, "limits", "web") == [
        {"per": "jail", "action": "deny=512m", "nro": "0"}]
    # As the original: who wants no keyword gets no index.
    assert item(node, "labels", "web") == [{}, {}]
    rules = item(node, "expose", "web")
    assert rules[0]["rule"].startswith("rdr pass") and len(rules) == 2
    assert item(node, "volumes", "web") == [{"name": "www", "type": "nullfs"}]
    # A category that is missing beside others shows all it has.
    assert len(item(node, "healthcheck", "web")[0]) == 18
    node.configure({"polling": {"keywords": {"limits": ["rule"]}}})
    node.process.send_signal(1)
    wait_for("the reload", lambda: item(node, "limits", "web") == [
        {"rule": "memoryuse:deny=512m/jail", "nro": "0"}])


# Commands

def test_readers_share_one_command(make_node):
    node = make_node({"polling": {"jail_stats": 3600}}).start()
    node.put("a", "up")
    node.put("a", "rctl", "memoryuse=7\n")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: item(node, "stats", "a"), range(64)))
    assert all(f == found[0] for f in found) and found[0]["memoryuse"] == 7
    node.put("a", "rctl", "memoryuse=8\n")
    assert node.get("/v1/stats").json["stats"]["memoryuse"] == 7
    assert len(rctl_calls(node)) == 1
    assert rctl_calls(node)[0][3] == ["rctl", "-u", "jail:a"]


def test_without_a_pause_every_reader_asks(make_node):
    node = make_node({"polling": {"jail_stats": 0, "jail_extras": 0}}).start()
    node.put("a", "up")
    for n in (7, 8):
        node.put("a", "rctl", f"memoryuse={n}\n")
        assert item(node, "stats", "a")["memoryuse"] == n
        node.put("a", "cpuset", f"{n}, 9\n")
        assert item(node, "cpuset", "a") == f"{n}, 9"


def test_the_sum_of_all(make_node):
    node = make_node({"polling": {"jail_stats": 0}}).start()
    for n in range(6):
        node.put(f"j{n}", "up" if n < 5 else "off")
        node.put(f"j{n}", "rctl", f"memoryuse={n + 1}\npcpu=50\n"
                 f"nthr={2 ** 62}\nwallclock={2 ** 64 - 1}\n")
    stats = node.get("/v1/stats").json["stats"]
    assert stats["memoryuse"] == 15 and stats["pcpu"] == 250
    assert stats["maxproc"] == 5
    # No number turns around.
    assert stats["nthr"] == stats["wallclock"] == 2 ** 63 - 1
    assert len(rctl_calls(node)) == 5


def at_once(calls):
    """How many of them ran at the same time, at most."""
    marks = sorted([(c[0], 1) for c in calls] + [(c[4], -1) for c in calls])
    worst = now = 0
    for _, step in marks:
        now += step
        worst = max(worst, now)
    return worst


def test_no_more_than_four_at_once(node):
    for n in range(20):
        node.put(f"j{n}", "up")
    assert node.get("/v1/stats").json["stats"]["maxproc"] == 20
    calls = wait_for("the ends", lambda: [
        c for c in rctl_calls(node) if c[4] is not None] if all(
            c[4] is not None for c in rctl_calls(node)) else None)
    assert len(calls) == 20 and at_once(calls) <= 4


def test_a_machine_that_does_not_count(node):
    (node.standin / "sysctl").write_text("kern.racct.enable=0\n")
    node.put("a", "up")
    assert item(node, "stats", "a") == {}
    assert node.get("/v1/stats").json["stats"] == {}
    assert "kern.racct.enable=1 tunable" in node.log_text()
    assert len(rctl_calls(node)) == 1


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("text,said", (
    ("exit 3", "it ended with 3"),
    ("kill -9 $$", "signal 9"),
    ("echo 'memoryuse=1'; echo trouble >&2; exit 1", "trouble"),
    ("head -c 100000 /dev/zero", "its output is over"),
))
def test_commands_that_fail(make_node, text, said):
    node = make_node()
    commands = script(node.root / "bin" / "rctl", text).parent
    node.environment["PATH"] = f"{commands}:{node.env()['PATH']}"
    node.start()
    node.put("a", "up")
    assert item(node, "stats", "a") == {}
    assert said in node.log_text()
    assert node.get("/v1/ping").status == 200


@pytest.mark.parametrize("text", (
    "", "garbage", "memoryuse", "memoryuse=", "memoryuse=-1", "memoryuse=1.5",
    "memoryuse=99999999999999999999999", "=1", "memoryuse=0x10", "\0\1\2\377",
))
def test_a_resource_that_is_no_number(node, text):
    node.put("a", "up")
    (node.standin / "jails/a/rctl").write_bytes(text.encode("latin-1"))
    stats = item(node, "stats", "a")
    assert all(type(v) is int for v in stats.values())
    assert set(stats) <= set(RESOURCES)


def test_no_appjail_here(make_node):
    node = make_node({"appjail": {"command": "/nowhere/appjail"},
                      "polling": {}}).start()
    node.put("a", "up")
    assert item(node, "cpuset", "a") is None
    assert item(node, "info", "a")["inet"] == ""
    assert "'/nowhere/appjail' cannot be executed" in node.log_text()


@pytest.mark.parametrize("text", ("none", "0-3", "0, x", "99999999999", ","))
def test_what_is_no_list_of_cpus(node, text):
    node.put("a", "up")
    node.put("a", "cpuset", text + "\n")
    assert item(node, "cpuset", "a") is None
    assert "is no list of CPUs" in node.log_text()


def test_a_command_that_hangs_holds_nobody(make_node):
    """Who asked is answered with what is known, others at once; whoever gives
    up takes the command along."""
    node = make_node({"log": {"level": "warn"}})
    commands = script(node.root / "bin" / "rctl",
                      f"echo $$ >>{node.root}/pids; sleep 1000").parent
    node.environment["PATH"] = f"{commands}:{node.env()['PATH']}"
    node.start()
    node.put("a", "up")

    def pids():
        try:
            return (node.root / "pids").read_text().split()
        except FileNotFoundError:
            return []

    def alive(pid):
        try:
            with open(f"/proc/{pid}/stat") as f:
                return f.read().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False
    with pytest.raises(TimeoutError):
        node.get("/v1/jail/stats/a", timeout=1)
    wait_for("the command to have begun", pids)
    wait_for("the command to be gone", lambda: not alive(pids()[0]))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        began = time.monotonic()
        slow = pool.submit(item, node, "stats", "a")
        assert item(node, "info", "a")["status"] == "UP"
        assert node.get("/v1/ping").status == 200
        assert slow.result() == {}
        assert time.monotonic() - began < 50
    assert "it took too long" in node.log_text()
    wait_for("all of them to be gone",
             lambda: not any(alive(p) for p in pids()))


def test_stopping_while_a_command_runs(make_node):
    node = make_node()
    commands = script(node.root / "bin" / "rctl",
                      f"echo $$ >{node.root}/pid; sleep 1000").parent
    node.environment["PATH"] = f"{commands}:{node.env()['PATH']}"
    node.start()
    node.put("a", "up")
    with pytest.raises(TimeoutError):
        node.get("/v1/stats", timeout=1)
    assert node.stop() == 0


# Hostile files

def test_files_that_are_no_small_text(node, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    top = node.standin / "jails" / "a" / "conf"
    node.put("a", "conf/boot/limits/0/rule", b"a\xff\x00b\n\nc\n\n")
    node.put("a", "conf/boot/limits/0/name", b"x" * 70000)
    (top / "boot/limits/0/enabled").symlink_to(secret)
    node.put("a", "conf/boot/limits/1/rule", b"\n")
    (top / "boot/limits/1/enabled").mkdir()
    os.mkfifo(top / "boot/limits/1/name")
    found = item(node, "limits", "a")
    assert found == [
        {"enabled": None, "name": None, "rule": "a\ufffd\ufffdb\n\nc\n",
         "nro": "0"},
        {"enabled": None, "name": None, "rule": None, "nro": "1"}]
    assert "limits cannot be read wholly: name: " in node.log_text()
    assert "secret" not in node.get("/v1/jail/limits/a").text
    # One line is what counts in info, whatever follows.
    node.put("a", "conf/config.conf",
             b"jail_type:  th\x00in \t x\r\nosversion:\xff\njail_type: no\n")
    info = item(node, "info", "a")
    assert (info["type"], info["version"]) == ("th\ufffdin x", "\ufffd")


def test_names_that_are_no_entry(node, tmp_path):
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "rule").write_text("secret")
    for name in LISTS:
        sub = {"healthcheck": "boot/health", "labels": "labels",
               "volumes": "volumes"}.get(name, "boot/" + name)
        top = node.standin / "jails" / "a" / "conf" / sub
        top.mkdir(parents=True)
        for entry in ("10", "9", "007", "x", "-1", "1.0", ".hidden",
                      "9999999999999", "a b", "\udcff", "line\nbreak"):
            (top / entry).mkdir()
        (top / "5").touch()
        (top / "6").symlink_to(tmp_path / "0")
        index = {"labels": "name", "volumes": "name",
                 "nat": "network"}.get(name, "nro")
        found = [row[index] for row in item(node, name, "a")]
        if index == "nro":
            assert found == ["007", "9", "10"]
        else:
            assert found == sorted(["10", "9", "007", "x", "-1", "1.0",
                                    "9999999999999", "a b", "line\nbreak"])
        assert "secret" not in node.get(f"/v1/jail/{name}/a").text


def test_directories_that_are_none(node, tmp_path):
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "rule").write_text("secret")
    for n, make in enumerate((lambda p: p.touch(), os.mkfifo,
                              lambda p: p.symlink_to(tmp_path))):
        jail = f"j{n}"
        top = node.standin / "jails" / jail / "conf" / "boot"
        top.mkdir(parents=True)
        for sub in ("limits", "devfs", "health", "expose", "fstab", "nat",
                    "network"):
            make(top / sub)
        for name in LISTS:
            assert item(node, name, jail) == []
        assert item(node, "info", jail)["network_ip4"] == ""
    for n, make in enumerate((lambda p: p.touch(),
                              lambda p: p.symlink_to(tmp_path))):
        (node.standin / "jails" / f"k{n}").mkdir()
        make(node.standin / "jails" / f"k{n}" / "conf")
        for name in LISTS:
            assert item(node, name, f"k{n}") == []


def test_more_than_there_may_be(node):
    """Too much is nothing with a word in the log, not an end."""
    top = node.standin / "jails" / "a" / "conf" / "boot" / "limits"
    for n in range(10001):
        (top / str(n)).mkdir(parents=n == 0)
    assert item(node, "limits", "a") == []
    assert "limits cannot be read wholly" in node.log_text()
    big = node.standin / "jails" / "b" / "conf" / "labels"
    for n in range(200):
        (big / f"l{n}").mkdir(parents=n == 0)
        (big / f"l{n}" / "value").write_bytes(b"\xff" * 65536)
    assert item(node, "labels", "b") == []
    assert item(node, "info", "b")["name"] == "b"


def test_what_vanishes_meanwhile(node):
    """Readers and somebody who makes and removes the same jail."""
    import shutil
    import threading
    over = threading.Event()

    def churn():
        while not over.is_set():
            for n in range(20):
                node.put("a", f"conf/boot/limits/{n}/rule", "r")
                node.put("a", f"conf/labels/l{n}/value", "v")
            node.put("a", "up")
            shutil.rmtree(node.standin / "jails" / "a")
    t = threading.Thread(target=churn)
    t.start()
    try:
        for _ in range(30):
            for name in EMPTY:
                r = node.get(f"/v1/jail/{name}/a")
                assert r.status in (200, 404), r
            assert node.get("/v1/stats").status == 200
    finally:
        over.set()
        t.join()


def test_reading_starts_nothing(node):
    """Without usage and CPUs all comes from files."""
    deploy(node)
    before = len(node.calls())
    for name in EMPTY:
        if name not in ("stats", "cpuset"):
            for _ in range(5):
                item(node, name, "web")
    assert len(node.calls()) == before
