# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Figures of the inventory of a node with many jails."""

import os
import re
import time

from rig import pause, wait_for
from table import below, compare

JAILS = 1000
# Items of a jail that are made of files.
ITEMS = 9
# Files are believed when they are so old.
SETTLED = 2.5
IDLE_SECONDS = 60
# Of them; two commands each, where the kernel does not tell.
RUNNING = 100
SAMPLES = 20
HZ = os.sysconf("SC_CLK_TCK")

NEW = f"inventory: a new jail among {JAILS} is in GET /v1/jails, ms"
INFO = f"inventory: info of a new jail among {JAILS}, ms"
IDLE = f"inventory: commands in {IDLE_SECONDS} s, {JAILS} jails, no reader"
IDLE_CPU = f"inventory: CPU with {JAILS} jails and no reader, %"
READ = f"inventory: all items of {JAILS} jails are read, ms of CPU"
KEPT = f"inventory: all items of {JAILS} jails are looked at, ms of CPU"

QUICK = {"jails": 0, "projects": 0, "jail_info": 0, "jail_stats": 0,
         "jail_extras": 0, "project_info": 0, "skew": [0, 0]}
FILES = {
    "conf/config.conf": "osversion: 14.3-RELEASE\nosarch: amd64\n"
                        "jail_type: thin\nbirth: 1700000000\n",
    "conf/template.conf": "exec.clean\nhost.hostname: web\n",
    "conf/boot/network/reserved.ajnet": "10.0.0.9\n",
    "conf/boot/expose/0/hport": "8080", "conf/boot/expose/0/jport": "80",
    "conf/boot/expose/0/protocol": "tcp", "conf/boot/expose/0/enabled": "1",
    "conf/boot/limits/0/rule": "memoryuse:deny=512m/jail",
    "conf/boot/limits/0/enabled": "1",
    "conf/boot/devfs/0/rule": "add path bpf unhide",
    "conf/boot/health/0/status": "healthy",
    "conf/boot/health/0/health_cmd": "true",
    "conf/boot/fstab/0/fs_spec": "/var/www",
    "conf/boot/fstab/0/fs_file": "/usr/local/www",
    "conf/boot/nat/ajnet/pf-nat.conf": "nat on em0",
    "conf/labels/overlord.skydns/value": "1",
    "conf/labels/overlord.skydns.group/value": "web",
    "conf/volumes/www/mountpoint": "/usr/local/www",
    ".done": "",
}


def put_jail(node, name, up=False):
    top = node.standin / "jails" / name
    for path, text in FILES.items():
        f = top / path
        f.parent.mkdir(parents=True, exist_ok=True)
        f.write_text(text)
    if up:
        (top / "up").touch()


def crowd(rig, polling, up=0):
    """A node that is not started, with its jails, some of which run."""
    node = rig.node({"polling": polling})
    for n in range(JAILS):
        put_jail(node, f"j{n}", n < up)
    return node


def cpu_ms(node):
    with open(f"/proc/{node.process.pid}/stat", encoding="ascii") as f:
        words = f.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) * 1000 / HZ


def metric(node, name):
    text = node.get("/v1/metrics").text
    return int(re.search(rf"^{re.escape(name)} (\d+)$", text, re.M).group(1))


def listed(node, name):
    return name in node.get("/v1/jails").json["jails"]


def fresh(rig, rounds):
    """From before its directory is made to the whole answer."""
    node = crowd(rig, {}, 0).start()
    assert len(node.get("/v1/jails").json["jails"]) == JAILS
    new, info = [], []
    for n in range(rounds * SAMPLES // 5):
        name = f"new{n}"
        begun = time.monotonic()
        (node.standin / "jails" / name).mkdir()
        wait_for(name, lambda: listed(node, name), step=0)
        new.append((time.monotonic() - begun) * 1000)
        put_jail(node, name)
        written = time.monotonic()
        wait_for("its info", lambda: node.get(
            f"/v1/jail/info/{name}").json["info"]["version"]
            == "14.3-RELEASE", step=0)
        info.append((time.monotonic() - written) * 1000)
    return [compare(NEW, [max(new)], aims=[below(100, "ms")]),
            compare(INFO, [max(info)], aims=[below(500, "ms")])]


def ended(node):
    """Commands that are over; one that was started may log it later."""
    return len([call for call in node.calls() if call[5] is not None])


def idle(rig, _):
    """Once, as it takes its time. A node that has just started looks at all
    of it."""
    node = crowd(rig, {"adaptive": {"poll_window": 1}}, RUNNING).start()
    wait_for("the first questions", lambda: ended(node) >= 2 * RUNNING, step=1)
    turns = metric(node, "overlord_inventory_turns_total")
    wait_for("each to have had its turn", lambda: metric(
        node, "overlord_inventory_turns_total") >= turns + 6, step=1)
    calls, cpu = len(node.calls()), cpu_ms(node)
    pause(IDLE_SECONDS)
    used = cpu_ms(node) - cpu
    return [compare(IDLE, [len(node.calls()) - calls], aims=[below(1)]),
            compare(IDLE_CPU, [used / IDLE_SECONDS / 10], aims=[below(0.5, "%")])]


def refresh(rig, rounds):
    """In turns that follow each other at once; so part of the next turn is in
    it as well."""
    read, looked = [], []
    node = crowd(rig, QUICK)
    pause(SETTLED)
    for _ in range(rounds):
        node.start()
        wait_for("all of it to be kept", lambda: metric(
            node, "overlord_cache_entries") >= JAILS * ITEMS, step=0.05)
        read.append(cpu_ms(node))
        name = 'overlord_inventory_answers_total{from="cache"}'
        begun, cpu = metric(node, name), cpu_ms(node)
        wait_for("all of it to be looked at", lambda: metric(
            node, name) >= begun + JAILS * ITEMS, step=0.05)
        looked.append(cpu_ms(node) - cpu)
        node.stop()
        for f in (node.root / "state" / "cache").iterdir():
            f.unlink()
    return [compare(READ, read, aims=[below(1000, "ms")]),
            compare(KEPT, looked, aims=[below(1000, "ms")])]


ALL = [
    ([NEW, INFO], fresh),
    ([IDLE, IDLE_CPU], idle),
    ([READ, KEPT], refresh),
]
