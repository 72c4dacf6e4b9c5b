# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The body of every stand-in command: body.py COMMAND ARGUMENTS...

The front (front.c) has recorded the start and became this program; what is
left is to do what the command does, and to record the end.  Start-up is paid
hundreds of times in a test run, so nothing is imported that can be done
without: no re, json, subprocess, signal.
"""

import sys

sys.path.insert(0, __file__.rpartition("/")[0])

import common  # noqa: E402
import faults  # noqa: E402

MODULES = {
    "appjail": "appjail",
    "appjail-director": "director",
    "rctl": "kernel",
    "sysctl": "kernel",
    "vm": "guest",
}
MODULES.update(dict.fromkeys(
    ("mdconfig", "gpart", "newfs", "mount", "umount", "makefs"), "disk"))
MODULES.update(dict.fromkeys(
    ("fetch", "sha256", "lockf", "pkg", "tar"), "payload"))


def main(argv):
    name, args = argv[0], argv[1:]
    common.record_deadly_signals()
    try:
        faults.load(argv)
        status = faults.before()
        if status is None:
            command = __import__(MODULES[name])
            status = faults.after(command.main(name, args))
    except common.Exit as e:
        status = e.status
    except BaseException:
        import traceback
        traceback.print_exc()
        status = common.EX_SOFTWARE
    common.end(status)


main(sys.argv[1:])
