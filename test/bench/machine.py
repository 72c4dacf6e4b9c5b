# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Where it was measured: the machine and the versions, and what the machine
can at best."""

import contextlib
import os
import platform
import re
import subprocess
import time

from rig import BUILD, DAEMON, TOOLS, tool
from table import machine_row

SECONDS = 0.3
RECORD_BYTES = 512

SYNC = f"append {RECORD_BYTES} bytes and flush, times a second"
SPAWN = "start a program and wait for it, times a second"
TRIP = "send a byte over loopback and back, times a second"


def said(*argv):
    """What a program says, on whichever stream; empty if there is none."""
    with contextlib.suppress(OSError):
        return subprocess.run(
            [str(a) for a in argv], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    return ""


def version(*argv):
    m = re.search(r"\d+(\.\d+)+\S*", said(*argv))
    return m.group(0).rstrip(",)") if m else "not here"


def content(path):
    with contextlib.suppress(OSError), open(path, encoding="utf-8") as f:
        return f.read()
    return ""


def processor():
    m = (re.search(r"^model name\s*: (.*)", content("/proc/cpuinfo"), re.M)
         or re.search(r"(.+)", said("sysctl", "-n", "hw.model")))
    return m.group(1) if m else platform.processor()


def memory():
    m = re.search(r"MemTotal:\s+(\d+)", content("/proc/meminfo"))
    kb = int(m.group(1)) if m else int(said("sysctl", "-n", "hw.physmem")) >> 10
    return f"{kb / 1048576:.0f} GiB"


def disk():
    fields = said("df", "-P", BUILD).splitlines()[-1].split()
    kind = said("stat", "-f", "-c", "%T", BUILD).strip() \
        if platform.system() == "Linux" else ""
    name = re.sub(r"p?\d+$", "", os.path.basename(fields[0]))
    turns = content(f"/sys/block/{name}/queue/rotational").strip()
    words = [kind, "on", fields[0], {"1": "(says that it rotates)",
                                     "0": "(solid state)"}.get(turns, "")]
    return " ".join(w for w in words if w) + \
        f", {int(fields[3]) >> 20} GiB free"


def describe():
    peers = {"nginx": ("nginx", "-v"), "beanstalkd": ("beanstalkd", "-v"),
             "memcached": ("memcached", "-V"), "wrk": ("wrk", "-v")}
    modules = ("libevent", "lmdb", "libcurl", "libsodium")
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "processor": f"{os.cpu_count()} x {processor()}",
        "memory": memory(),
        "disk": disk(),
        "system": f"{platform.system()} {platform.release()}",
        "load when it began": " ".join(f"{x:.1f}" for x in os.getloadavg()),
        "overlordd": version(DAEMON, "-V"),
        "libraries": ", ".join(
            f"{m} {version('pkg-config', '--modversion', m)}"
            for m in modules),
        "peers": ", ".join(f"{name} {version(*argv)}"
                           for name, argv in peers.items()),
    }


def limits(rig, rounds):
    place = rig.directory()
    values = [[tool("ref_machine", "sync", place, SECONDS, RECORD_BYTES)[0],
               tool("ref_machine", "spawn", TOOLS / "ref_machine", SECONDS)[0],
               tool("ref_machine", "trip", SECONDS)[0]]
              for _ in range(rounds)]
    sync, spawn, trip = zip(*values)
    return [machine_row(SYNC, "fdatasync(2)", sync),
            machine_row(SPAWN, "posix_spawn(3)", spawn),
            machine_row(TRIP, "two TCP sockets, one thread", trip)]


ALL = [([SYNC, SPAWN, TRIP], limits)]
