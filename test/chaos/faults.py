# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What can be made go wrong beneath one node: its calls of the kernel
(faults.c), its clock (libfaketime), its disk."""

import errno
import glob
import mmap
import os
import pathlib
import struct
import subprocess
import time

OPS = ("sync", "write", "rename", "fork")
RULE = struct.Struct("=6I")
JUMPS_MAX = 4096
JUMPS_N = struct.Struct("=2I")
JUMP = struct.Struct("=2q")
JUMPS_AT = RULE.size * len(OPS)
SIZE = JUMPS_AT + JUMPS_N.size + JUMP.size * JUMPS_MAX
ERRORS = {"sync": errno.EIO, "write": errno.EIO, "rename": errno.EIO,
          "fork": errno.EAGAIN}
DISK_BYTES = 1 << 30
PAGE = 4096


def find_faketime():
    """libfaketime, or None: then no clock jumps."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1") + glob.glob(
        "/usr/local/lib/faketime/libfaketimeMT.so.1")
    return found[0] if found else None


def can_mount():
    """Whether this is a mount namespace of our own: run.sh says so."""
    return os.environ.get("CHAOS_NAMESPACE") == "yes"


class Calls:
    """The control of faults.c for one program of a node."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.log = self.path.with_suffix(".log")
        self.path.write_bytes(bytes(SIZE))
        self.log.touch()
        with open(self.path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), SIZE)

    def env(self):
        return {"CHAOS_CONTROL": str(self.path), "CHAOS_LOG": str(self.log)}

    def set(self, op, fail=0, slow=0, slow_s=0.0, error=None):
        """So many of a thousand calls fail, so many are late by slow_s."""
        rule = struct.pack("=4I", fail, error or ERRORS[op], slow,
                           int(slow_s * 1e6))
        at = OPS.index(op) * RULE.size
        self.map[at:at + len(rule)] = rule

    def clear(self):
        for op in OPS:
            self.set(op)

    def counts(self):
        """{operation: (failed, slowed)}"""
        return {op: RULE.unpack_from(self.map, n * RULE.size)[4:]
                for n, op in enumerate(OPS)}

    def jump(self, offset_s):
        """The times of files from now on."""
        n = JUMPS_N.unpack_from(self.map, JUMPS_AT)[0]
        if n == JUMPS_MAX:
            return False
        JUMP.pack_into(self.map, JUMPS_AT + JUMPS_N.size + n * JUMP.size,
                       time.time_ns(), int(offset_s * 1e9))
        JUMPS_N.pack_into(self.map, JUMPS_AT, n + 1, 0)
        return True

    def failed(self):
        """[(operation, errno, last argument of the program)]"""
        rows = [line.split(" ", 2) for line in
                self.log.read_text(errors="replace").splitlines()]
        return [(op, int(error), arg) for op, error, arg in rows]


class Clock:
    """The wall clock of a node, as far off as a file says."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.library = find_faketime()
        self.offset = 0
        self.set(0)

    def env(self):
        if self.library is None:
            return {}
        # Waiting is by the monotonic clock, which nobody may set.
        return {"FAKETIME_TIMESTAMP_FILE": str(self.path),
                "FAKETIME_NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}

    def set(self, offset_s):
        new = self.path.with_suffix(".new")
        new.write_text("%+d\n" % offset_s)
        new.rename(self.path)
        self.offset = offset_s


class Disk:
    """Where a node keeps what is its own: a file system of its own where that
    may be mounted."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.mkdir(parents=True)
        self.mounted = can_mount()
        if self.mounted and not self.mount("size=%d,mode=755" % DISK_BYTES):
            raise OSError(f"no tmpfs can be mounted at {self.path}")

    def mount(self, options):
        """False when more is used than there would be."""
        return subprocess.run(
            ["/bin/mount", "-t", "tmpfs", "-o", options, "chaos",
             str(self.path)], stderr=subprocess.DEVNULL).returncode == 0

    def fill(self):
        """Hardly a byte more fits than there are now."""
        for more in (0, 4, 16, 64, 256):
            st = os.statvfs(self.path)
            used = (st.f_blocks - st.f_bfree) * st.f_frsize + more * PAGE
            if self.mount("remount,size=%d" % max(used, PAGE)):
                return True
        return False

    def free(self):
        if not self.mount("remount,size=%d" % DISK_BYTES):
            raise OSError(f"{self.path} cannot be made larger")
