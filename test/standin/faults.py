# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Faults of single commands: $STANDIN_ROOT/faults, see README.md.

What a behaviour file says goes for a project; this goes for one call of any
command, found by its number or by its words."""

import _signal as signal
import os
import time

import common

_effect = ""


def load(argv):
    """Finds what the file says of this call."""
    global _effect
    text = common.read(common.root + "/faults")
    if not text:
        return
    import fnmatch
    number, words = "#%d" % own_number(), " ".join(argv)
    for line in text.split("\n"):
        effect, _, pattern = line.strip().partition(" ")
        if pattern == number or pattern[:1] not in ("", "#") \
                and fnmatch.fnmatchcase(words, pattern):
            _effect = effect
            return


def own_number():
    """The how many-th start of calls.log this one is."""
    number = found = 0
    for line in common.read(common.root + "/calls.log").split("\n"):
        fields = line.split(" ", 3)
        if fields[0] == "start":
            number += 1
            if fields[2] == str(os.getpid()):
                found = number
    return found


def hang():
    while True:
        time.sleep(3600)


def before():
    """The status to end with at once, or None."""
    if _effect.startswith("rc="):
        return int(_effect[3:])
    if _effect == "hang-hard":
        for signum in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, signal.SIG_IGN)
    if _effect in ("hang", "hang-hard"):
        hang()
    return None


def halfway():
    """Called by what writes a file, when half of it is there."""
    if _effect == "half-hang":
        hang()
    if _effect.startswith("half-rc="):
        raise common.Exit(int(_effect[8:]))


def after(status):
    """The status to end with when all is done but to say so."""
    if _effect == "done-hang":
        hang()
    if _effect.startswith("done-rc="):
        return int(_effect[8:])
    return status
