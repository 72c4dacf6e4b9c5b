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


def main(argv):
    name, args = argv[0], argv[1:]
    if name == "appjail-director":
        import director as command
    elif name == "appjail":
        import appjail as command
    else:
        import kernel as command
    common.record_deadly_signals()
    try:
        status = command.main(name, args)
    except common.Exit as e:
        status = e.status
    except BaseException:
        import traceback
        traceback.print_exc()
        status = common.EX_SOFTWARE
    common.end(status)


main(sys.argv[1:])
