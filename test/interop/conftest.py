# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Nodes as in the end-to-end tests, and the real programs, where they are."""

import importlib.util
import os
import pathlib
import shutil
import sys

import pytest

E2E = pathlib.Path(__file__).resolve().parents[1] / "e2e"
sys.path.insert(0, str(E2E))

spec = importlib.util.spec_from_file_location("e2e_conftest",
                                              E2E / "conftest.py")
e2e = importlib.util.module_from_spec(spec)
spec.loader.exec_module(e2e)
make_node, servers = e2e.make_node, e2e.servers


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here")


def words(variable):
    return os.environ.get(variable, "").split()


@pytest.fixture(scope="session")
def addresses():
    """One for each of three nodes."""
    found = words("INTEROP_IPV4")
    if len(found) < 3:
        pytest.skip("there is one address only: " + os.environ.get(
            "INTEROP_WHY", "not run by interop.sh"))
    return found


@pytest.fixture(scope="session")
def addresses6(addresses):
    found = words("INTEROP_IPV6")
    if len(found) < 3:
        pytest.skip("no IPv6 here")
    return found


@pytest.fixture
def running(tmp_path):
    """Keeps programs that end with the test."""
    made = []

    def keep(program):
        made.append(program)
        return program
    yield keep
    for program in reversed(made):
        program.stop()


@pytest.fixture
def cluster(tmp_path, running):
    from components import Cluster
    need("etcd", "etcdctl")
    return running(Cluster(tmp_path)).start()


@pytest.fixture
def dns(tmp_path, running, cluster):
    from components import CoreDns
    need("dig")
    program = os.environ.get("INTEROP_COREDNS")
    if not program:
        pytest.skip("no CoreDNS: " + os.environ.get(
            "INTEROP_WHY_COREDNS", "not run by interop.sh"))
    return running(CoreDns(tmp_path / "coredns", program, cluster)).start()


@pytest.fixture
def haproxy(tmp_path, running):
    from components import HAProxy
    need("haproxy", "curl")
    return running(HAProxy(tmp_path / "haproxy", "web")).start()
