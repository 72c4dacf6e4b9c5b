# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Network namespaces of Linux: a machine each, as far as the network goes."""

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys

from node import Node

CLONE_NEWNET = 0x40000000


def ip(*words):
    return subprocess.run(["ip", *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)


def why_not():
    """Why there can be none here; None: there can."""
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    if shutil.which("ip") is None:
        return "there is no ip command"
    name = f"ov{os.getpid()}probe"
    made = ip("netns", "add", name)
    linked = ip("-n", name, "link", "add", "v0", "type", "veth", "peer",
                "name", "v1")
    ip("netns", "del", name)
    failed = [r.stderr.strip() for r in (made, linked) if r.returncode]
    return f"not permitted: {failed[0]}" if failed else None


def enter(path):
    """Moves this thread there."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(fd)


class Namespace:
    """`with` moves this thread there and back; sockets and threads that are
    made inside stay there."""

    def __init__(self, name):
        # Others test here at the same time.
        self.name = f"ov{os.getpid()}{name}"
        self.path = "/run/netns/" + self.name
        self.run("netns", "add", self.name)
        self.do("link", "set", "lo", "up")

    @staticmethod
    def run(*words):
        r = ip(*words)
        assert r.returncode == 0, (words, r.stderr)

    def do(self, *words):
        """`ip` in there."""
        self.run("-n", self.name, *words)

    def link(self, other, net):
        """A cable to the other one: `net`.1 here, `net`.2 there. The names of
        the two ends."""
        ends = f"to{other.name}"[:15], f"to{self.name}"[:15]
        self.do("link", "add", ends[0], "type", "veth", "peer", "name",
                ends[1], "netns", other.name)
        for ns, end, host in ((self, ends[0], 1), (other, ends[1], 2)):
            ns.do("addr", "add", f"{net}.{host}/24", "dev", end)
            ns.do("link", "set", end, "up")
        return ends

    @contextlib.contextmanager
    def inside(self):
        with open("/proc/thread-self/ns/net") as home:
            enter(self.path)
            try:
                yield
            finally:
                enter(f"/proc/self/fd/{home.fileno()}")

    def close(self):
        ip("netns", "del", self.name)


class InNamespace(Node):
    """A node whose daemon lives in there; it is asked from there, too."""

    def __init__(self, namespace, *args):
        super().__init__(*args)
        self.namespace = namespace

    def spawn(self, *args):
        with self.namespace.inside():
            return super().spawn(*args)

    def request(self, *args, **kwargs):
        with self.namespace.inside():
            return super().request(*args, **kwargs)
