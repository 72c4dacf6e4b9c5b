# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""What all stand-ins share: where the state is, the line that records the end,
signals, children, small files, JSON out."""

import _signal as signal
import os
import sys
import time

EX_OK = 0
EX_USAGE = 64
EX_DATAERR = 65
EX_NOINPUT = 66
EX_UNAVAILABLE = 69
EX_SOFTWARE = 70
EX_IOERR = 74
EX_NOPERM = 77
EX_CONFIG = 78

LETTERS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")

root = os.environ.get("STANDIN_ROOT", "")
if not root.startswith("/"):
    sys.stderr.write("standin: STANDIN_ROOT is not set\n")
    os._exit(EX_SOFTWARE)
jails = root + "/jails"


class Exit(Exception):
    def __init__(self, status):
        self.status = status


# The end


def record_end(rc):
    line = "end %d %d %d\n" % (time.monotonic_ns(), os.getpid(), rc)
    try:
        fd = os.open(root + "/calls.log", os.O_WRONLY | os.O_APPEND)
    except OSError:
        return
    try:
        os.write(fd, line.encode())
    finally:
        os.close(fd)


def end(status):
    for f in (sys.stdout, sys.stderr):
        try:
            f.flush()
        except (OSError, ValueError):
            pass
    record_end(status & 0xff)
    os._exit(status & 0xff)


def die_by(signum, *_):
    """Ends as the default action would, but not without the line of the end;
    of KILL nobody could write one."""
    if signum != signal.SIGKILL:
        record_end(128 + signum)
        signal.signal(signum, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signum,))
    os.kill(os.getpid(), signum)
    os._exit(128 + signum)


def record_deadly_signals():
    for signum in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT,
                   signal.SIGTERM):
        if signal.getsignal(signum) != signal.SIG_IGN:
            signal.signal(signum, die_by)


# Names and small files


def is_jail_name(name):
    return (name != "" and name[0] in LETTERS | {"_"}
            and all(c in LETTERS or c in "_-" for c in name))


def is_project_name(name):
    return name != "" and all(c in LETTERS or c in "._-" for c in name)


def read(path):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            return f.read()
    # The last: a process that ends while its status is read.
    except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
        return None


def first_line(path):
    """The value of a small file as AppJail prints it: one line, no blanks
    around it, one blank within."""
    text = read(path)
    return "" if not text else " ".join(text.split("\n", 1)[0].split())


def write(path, text):
    directory = path.rpartition("/")[0]
    os.makedirs(directory, exist_ok=True)
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as f:
        f.write(text)


def remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def remove_tree(path):
    for entry in list(os.scandir(path)):
        if entry.is_dir(follow_symlinks=False):
            remove_tree(entry.path)
        else:
            remove(entry.path)
    os.rmdir(path)


def behaviour(project):
    """The rules of $STANDIN_ROOT/behaviour/<project>: {key: value}."""
    rules = {}
    if not project:
        return rules
    for line in (read("%s/behaviour/%s" % (root, project)) or "").split("\n"):
        line = line.strip()
        if line and not line.startswith("#"):
            key, _, value = line.partition("=")
            rules[key.strip()] = value.strip()
    return rules


def rule_number(rules, key):
    try:
        return float(rules.get(key) or 0)
    except ValueError:
        return 0.0


# Processes


def which(name):
    for directory in os.environ.get("PATH", os.defpath).split(":"):
        path = (directory or ".") + "/" + name
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    return None


def spawn(argv, output=None, env=None):
    """Starts argv with stdin from /dev/null and stdout and stderr to the
    descriptor output; None leaves both as they are."""
    actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
    if output is not None:
        actions += [(os.POSIX_SPAWN_DUP2, output, 1),
                    (os.POSIX_SPAWN_DUP2, output, 2)]
    return os.posix_spawn(
        argv[0], argv, os.environ if env is None else env,
        file_actions=actions, setsigmask=(),
        setsigdef=(signal.SIGPIPE, signal.SIGXFSZ))


def wait(pid):
    """The status as Python's subprocess has it: -N for signal N."""
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def process_ppid(pid):
    """The parent of a process; None when there is no such process (a zombie
    is none)."""
    stat = read("/proc/%d/stat" % pid)
    if stat:
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else int(fields[1])
    if os.path.exists("/proc/self/stat"):
        return None
    import subprocess
    out = subprocess.run(["ps", "-o", "state=,ppid=", "-p", str(pid)],
                         stdout=subprocess.PIPE, text=True).stdout.split()
    return None if len(out) < 2 or out[0][0] == "Z" else int(out[1])


# JSON


def json_text(value, indent=0):
    """As json.dumps(value, indent=2)."""
    pad, inner = "\n" + " " * indent, "\n" + " " * (indent + 2)
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return json_string(value)
    if isinstance(value, dict):
        items = [json_string(k) + ": " + json_text(v, indent + 2)
                 for k, v in value.items()]
        opening, closing = "{", "}"
    else:
        items = [json_text(v, indent + 2) for v in value]
        opening, closing = "[", "]"
    if not items:
        return opening + closing
    return opening + inner + ("," + inner).join(items) + pad + closing


def json_string(text):
    out = ['"']
    for c in text:
        n = ord(c)
        if c in '"\\':
            out.append("\\" + c)
        elif c == "\n":
            out.append("\\n")
        elif 0x20 <= n < 0x7f:
            out.append(c)
        elif n < 0x10000:
            out.append("\\u%04x" % n)
        else:
            n -= 0x10000
            out.append("\\u%04x\\u%04x" % (0xd800 | n >> 10,
                                           0xdc00 | n & 0x3ff))
    out.append('"')
    return "".join(out)
