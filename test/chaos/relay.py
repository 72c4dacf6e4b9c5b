# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The link between a server and one below it: a relay of TCP that can be cut,
stalled, and reset."""

import contextlib
import select
import socket
import struct
import threading

PIECE = 65536
# A side that takes nothing for so long has lost its connection.
TAKE = 5


class Relay(threading.Thread):
    """Listens; passes what comes on to where target() says."""

    def __init__(self, target):
        super().__init__(daemon=True)
        self.target = target
        self.mode = "open"
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        # Told to the loop by a byte, since it owns the connections.
        self.wake, self.woken = socket.socketpair()
        self.peers = {}
        self.start()

    def url(self):
        return "http://127.0.0.1:%d" % self.listener.getsockname()[1]

    def tell(self, mode):
        """open; stalled: nothing is taken or passed on; cut: no connection
        lives; reset: all are reset once, then it is open."""
        self.mode = mode
        self.wake.send(b"!")

    def run(self):
        while True:
            wanted = [self.woken]
            if self.mode != "stalled":
                wanted += [self.listener, *self.peers]
            for s in select.select(wanted, [], [])[0]:
                if s is self.woken:
                    s.recv(PIECE)
                    self.obey()
                elif s is self.listener:
                    self.accept()
                elif s in self.peers:
                    self.pass_on(s)

    def obey(self):
        if self.mode in ("cut", "reset"):
            for s in list(self.peers):
                self.drop(s, hard=self.mode == "reset")
        if self.mode == "reset":
            self.mode = "open"

    def accept(self):
        above, _ = self.listener.accept()
        if self.mode == "cut":
            above.close()
            return
        try:
            below = socket.create_connection(self.target(), timeout=TAKE)
        except (OSError, IndexError):
            above.close()
            return
        above.settimeout(TAKE)
        self.peers[above], self.peers[below] = below, above

    def pass_on(self, s):
        try:
            piece = s.recv(PIECE)
            if piece:
                self.peers[s].sendall(piece)
                return
        except OSError:
            pass
        self.drop(s)

    def drop(self, s, hard=False):
        peer = self.peers.pop(s, None)
        self.peers.pop(peer, None)
        for end in (s, peer):
            if end is None:
                continue
            with contextlib.suppress(OSError):
                if hard:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
                end.close()
