# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""A program on a terminal of its own: keys in, and what the screen shows."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

TOKEN = re.compile(rb"\x1b\[([\d;?]*)([A-Za-z])|[\x00-\x1f]|[^\x00-\x1f\x1b]+")


class Screen:
    """What our client may use of a terminal: nothing else is understood."""

    def __init__(self, rows, cols):
        self.rows, self.cols = rows, cols
        self.lines = [""] * rows
        self.y = self.x = 0
        self.written = 0

    def feed(self, data):
        for m in TOKEN.finditer(data):
            if m.group(2):
                self.control(m.group(1), m.group(2))
            elif m.group() == b"\r":
                self.x = 0
            elif m.group() == b"\n":
                self.line_feed()
            else:
                self.put(m.group().decode())

    def line_feed(self):
        self.y += 1
        if self.y == self.rows:
            self.lines = self.lines[1:] + [""]
            self.y -= 1

    def put(self, text):
        for c in text:
            if self.x == self.cols:
                self.x = 0
                self.line_feed()
            line = self.lines[self.y].ljust(self.x)
            self.lines[self.y] = line[:self.x] + c + line[self.x + 1:]
            self.x += 1
            self.written += 1

    def control(self, args, name):
        if name == b"A":
            self.y = max(0, self.y - int(args or 1))
        elif name == b"K":
            self.lines[self.y] = self.lines[self.y][:self.x]
        elif name == b"J":
            self.lines[self.y] = self.lines[self.y][:self.x]
            self.lines[self.y + 1:] = [""] * (self.rows - self.y - 1)
        else:
            assert name == b"m", (args, name)

    def text(self):
        return "\n".join(line.rstrip() for line in self.lines).rstrip("\n")


class Terminal:
    def __init__(self, argv, cwd, env, rows=24, cols=100):
        self.screen = Screen(rows, cols)
        self.raw = b""
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # The size is there before the program is.
            fcntl.ioctl(1, termios.TIOCSWINSZ,
                        struct.pack("HHHH", rows, cols, 0, 0))
            os.chdir(cwd)
            os.execve(argv[0], argv, env)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def read(self, seconds):
        """False at the end."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.raw += data
        self.screen.feed(data)
        return data != b""

    def wait_for(self, what, condition=None, deadline=60):
        """Until the screen has this text, or the condition is true."""
        end = time.monotonic() + deadline
        while not (condition() if condition else what in self.screen.text()):
            assert self.read(0.05), f"it ended:\n{self.screen.text()}"
            assert time.monotonic() < end, \
                f"waited in vain for {what}:\n{self.screen.text()}"
        return self.screen.text()

    def keys(self, text):
        os.write(self.fd, text.encode())

    def resize(self, rows, cols):
        """Lines are cut or kept as they are; how terminals break them differs,
        and the program draws all anew."""
        self.screen.rows, self.screen.cols = rows, cols
        self.screen.lines = [""] * rows
        self.screen.y = self.screen.x = 0
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, cols, 0, 0))

    def modes(self):
        return termios.tcgetattr(self.fd)

    def end(self):
        """The exit status, as of os.waitpid()."""
        while self.read(60):
            pass
        self.status = os.waitpid(self.pid, 0)[1]
        return self.status
