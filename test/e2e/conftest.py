# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Fixtures of the end-to-end tests."""

import pytest

from children import Child
from listener import Stream
from node import Node


@pytest.fixture
def make_node(tmp_path):
    """Makes nodes below the test's directory; they are gone after it."""
    made = []

    def make(options=None, environment=None, name="node"):
        node = Node(tmp_path / name, options, environment)
        made.append(node)
        return node
    yield make
    for node in made:
        dead = node.dead_jails()
        node.dispose()
        assert not dead, f"what was deployed died: {dead}"
        leaks = node.standin / "leaks.log"
        assert not leaks.exists(), leaks.read_text()


@pytest.fixture
def node(make_node):
    """A running node."""
    return make_node().start()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A running node for all tests of a module that leave it as it is."""
    node = Node(tmp_path_factory.mktemp("shared") / "node")
    try:
        yield node.start()
    finally:
        node.dispose()


@pytest.fixture
def child():
    """Makes children that answer as they are told."""
    made = []

    def make(answer, tls=None):
        made.append(Child(answer, tls))
        return made[-1]
    yield make
    for c in made:
        c.close()


@pytest.fixture
def listen():
    """Opens streams of events; arguments are those of Stream."""
    made = []

    def make(*args, **kwargs):
        s = Stream(*args, **kwargs)
        made.append(s)
        return s
    yield make
    for s in made:
        s.close()


@pytest.fixture
def servers():
    """Starts fake servers, which end with the test."""
    made = []

    def start(server):
        made.append(server.__enter__())
        return server
    yield start
    for s in made:
        s.__exit__()
