# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Servers in HAProxy that the load-balancer labels ask for (runtime.md 3.2),
and the Data Plane API when it does not do as it should. The real HAProxy is
asked by test/interop.sh."""

import pytest

from dataplane import BASE, PASSWORD, DataPlane
from fake_server import FakeServer
from labels import closed_port, director_file, place, serverid, silent_port, \
    steps, up, Etcd

LB = {"load-balancer": "1", "load-balancer.backend": "web",
      "load-balancer.interface": "lo",
      "load-balancer.interface.address": "127.0.0.0/8",
      "load-balancer.interface.port": "8080"}
FINE = {"error": False, "message": None}
VERSION = BASE + "/configuration/version"
BACKEND = BASE + "/configuration/backends/web"
TRANSACTIONS = BASE + "/transactions"


@pytest.fixture
def api(servers):
    return servers(DataPlane("web", "a/b c"))


@pytest.fixture
def lb_node(make_node, api):
    return make_node(api.settings()).start()


def said(node, which="up"):
    """What the record says of the service `web`."""
    return node.info("web")[which]["labels"]["load-balancer"]["web"]


def without(labels, *names):
    return {k: v for k, v in labels.items() if k not in names}


def test_a_server_comes_changes_and_goes(lb_node, api):
    node, me = lb_node, serverid(lb_node)
    job = up(node, "web", web={**LB, "load-balancer.set.check": '"enabled"',
                               "load-balancer.set.weight": "10"})
    assert job["state"] == "completed"
    assert steps(job) == [("up", 0), ("labels", 0)]
    assert said(node) == {"error": False, "message":
                          f"(project:web, service:web, backend:web, "
                          f"serverid:{me}, code:202, transaction_id:t-1, "
                          "commit:1) server has been successfully added."}
    assert api.backends["web"] == {me: {
        "check": "enabled", "weight": 10, "name": me, "address": "127.0.0.1",
        "port": 8080}}
    server = f"{BACKEND}/servers"
    assert [(r.line, r.query) for r in api.requests] == [
        (f"GET {VERSION}", ""),
        (f"GET {BACKEND}", "full_section=false"),
        (f"GET {server}/{me}", ""),
        (f"POST {TRANSACTIONS}", "version=1"),
        (f"POST {server}", "force_reload=false&transaction_id=t-1"),
        (f"PUT {TRANSACTIONS}/t-1", "force_reload=false")]
    for r in api.requests[3:]:
        assert r.headers["Content-Type"] == "application/json"

    up(node, "web", web={**LB, "load-balancer.interface.port": " 9090 "})
    assert said(node)["message"].endswith(
        "code:202, transaction_id:t-2, commit:1) server has been successfully "
        "updated.")
    assert api.backends["web"][me] == {
        "name": me, "address": "127.0.0.1", "port": 9090}

    job = node.wait_job(node.down("web"))
    assert job["state"] == "completed"
    assert said(node, "down")["message"].endswith(
        "code:202, transaction_id:t-3, commit:1) server has been removed.")
    assert api.backends["web"] == {} and api.open == {}
    assert PASSWORD not in node.log_text()


def test_names_of_backends_are_escaped(lb_node, api):
    up(lb_node, "web", web={**LB, "load-balancer.backend": "a/b c"})
    assert said(lb_node)["error"] is False
    assert list(api.backends["a/b c"]) == [serverid(lb_node)]


def test_both_integrations_of_a_service(make_node, api, servers):
    etcd = servers(Etcd())
    node = make_node({**api.settings(), "etcd": {
        "127.0.0.1": place(etcd)}}).start()
    labels = {**LB, "skydns": "1", "skydns.group": "web",
              "skydns.interface": "lo"}
    # One that fails leaves the other alone.
    job = up(node, "web", web={**labels, "load-balancer.backend": "nope"})
    assert job["state"] == "incomplete"
    result = node.info("web")["up"]["labels"]
    assert result["load-balancer"]["web"] == {
        "error": True, "message":
        "(project:web, service:web, backend:nope, "
        "label:overlord.load-balancer.backend) backend is not found."}
    assert result["skydns"]["web"]["error"] is False
    assert len(etcd.keys) == 1
    # What has no backend has no server to remove.
    job = node.wait_job(node.down("web"))
    assert job["state"] == "completed"
    assert "load-balancer" not in node.info("web")["down"]["labels"]
    assert etcd.keys == {}


@pytest.mark.parametrize("labels, message", [
    (without(LB, "load-balancer.backend"),
     "label:overlord.load-balancer.backend) backend has not been specified, "
     "but is required."),
    (without(LB, "load-balancer.interface"),
     "label:overlord.load-balancer.interface) interface has not been "
     "specified, but is required."),
    (without(LB, "load-balancer.interface.port"),
     "label:overlord.load-balancer.interface.port) port has not been "
     "specified, but is required."),
    ({**LB, "load-balancer.interface.port": "http"},
     "port:http, label:overlord.load-balancer.interface.port) invalid port."),
    ({**LB, "load-balancer.interface": "nope0"},
     "interface:nope0, address:127.0.0.0/8, exception:InterfaceNotFound, "
     "label:overlord.load-balancer.interface.address) nope0: Interface not "
     "found."),
    ({**LB, "load-balancer.interface.address": "x"},
     "interface:lo, address:x, exception:ValueError, "
     "label:overlord.load-balancer.interface.address) 'x' does not appear to "
     "be an IPv4 or IPv6 network"),
    ({**LB, "load-balancer.interface.address": "192.0.2.0/24"},
     "interface:lo, address:192.0.2.0/24, "
     "label:overlord.load-balancer.interface.address) no IP address has been "
     "found."),
])
def test_faulty_labels_have_their_message(lb_node, api, labels, message):
    assert up(lb_node, "web", web=labels)["state"] == "incomplete"
    assert said(lb_node) == {
        "error": True, "message": "(project:web, service:web, " + message}
    assert api.lines("transactions") == []


def test_a_name_that_is_too_long_for_a_url_is_not_cut(lb_node, api):
    """It would be that of another backend."""
    up(lb_node, "web", web={**LB, "load-balancer.backend": "w" + 30000 * "%"})
    assert said(lb_node) == {
        "error": True, "message": "Exception ValueError: a label is too long"}
    assert [line for line in api.lines("backends") if "%" in line] == []


def test_what_is_no_json_is_withdrawn(lb_node, api):
    up(lb_node, "web", web={**LB, "load-balancer.set.check": "enabled"})
    assert said(lb_node)["message"].startswith(
        "(project:web, service:web, exception:JSONDecodeError, "
        "label:overlord.load-balancer.set.check, transaction_id:t-1) ")
    assert api.open == {} and api.backends["web"] == {}
    assert api.requests[-1].line == f"DELETE {TRANSACTIONS}/t-1"


def test_without_configuration_there_is_no_client(node):
    assert up(node, "web", web=LB)["state"] == "incomplete"
    assert said(node) == {"error": True, "message":
                          "(project:web, service:web) Data Plane API client "
                          "is not configured."}


def test_a_destroy_does_not_need_the_interface(lb_node, api):
    me = serverid(lb_node)
    up(lb_node, "web", web=LB)
    jail = lb_node.info("web")["services"][0]["jail"]
    label = (lb_node.standin / "jails" / jail /
             "conf/labels/overlord.load-balancer.interface/value")
    label.write_text("nope0\n")
    assert list(api.backends["web"]) == [me]
    assert lb_node.wait_job(lb_node.down("web"))["state"] == "completed"
    assert api.backends["web"] == {}


# Conflicts

def test_another_change_that_comes_first_is_no_fault(lb_node, api):
    """Before the transaction, within it, before the commit."""
    real = api.answer
    turns = {"begin": 1, "commit": 1, "change": 1}

    def answer(request):
        if request.path == TRANSACTIONS and turns["begin"]:
            turns["begin"] -= 1
            api.version += 1
        if "servers" in request.path and request.method == "POST" and \
                turns["change"]:
            turns["change"] -= 1
            # Somebody else puts the same server.
            api.backends["web"][request.body["name"]] = dict(request.body)
            api.version += 1
            return 409, {"code": 409}, {}
        if request.method == "PUT" and request.path.startswith(TRANSACTIONS) \
                and turns["commit"]:
            turns["commit"] -= 1
            api.version += 1
        return real(request)
    api.answer = answer
    assert up(lb_node, "web", web=LB)["state"] == "completed"
    assert turns == {"begin": 0, "commit": 0, "change": 0}
    assert said(lb_node)["message"].endswith("successfully updated.")
    assert api.open == {}


def test_conflicts_are_given_up_in_the_end(lb_node, api):
    real = api.answer

    def answer(request):
        if request.method == "PUT" and request.path.startswith(TRANSACTIONS):
            api.version += 1
        return real(request)
    api.answer = answer
    assert up(lb_node, "web", web=LB)["state"] == "incomplete"
    said_so = said(lb_node)["message"]
    assert said_so.startswith(
        f"(project:web, service:web, backend:web, "
        f"serverid:{serverid(lb_node)}, code:406, transaction_id:t-4, "
        "commit:1) error adding the server - ")
    assert "is outdated" in said_so
    assert len(api.lines("version")) == 4
    assert api.open == {} and api.backends["web"] == {}


# Faults

@pytest.mark.parametrize("method, path, status, answer, message", [
    ("GET", VERSION, 500, b"<html>",
     f"Exception HTTPStatusError: GET {VERSION}: status 500"),
    ("GET", VERSION, 200, b"<html>", "Exception ValueError: "),
    ("GET", VERSION, 200, b"", "Exception ValueError: "),
    ("GET", VERSION, 0, None, "Exception Re"),
    ("GET", BACKEND, 500, b"", "(project:web, service:web, backend:web, "
     "code:500, label:overlord.load-balancer.backend) unexpected HTTP status "
     "code from Data Plane API."),
    ("POST", TRANSACTIONS, 429, {}, "Exception HTTPStatusError: POST "
     f"{TRANSACTIONS}?version=1: status 429"),
    ("POST", TRANSACTIONS, 200, {"id": "x"},
     "(project:web, service:web) can't get transaction ID"),
    ("POST", TRANSACTIONS, 201, b"garbage",
     "(project:web, service:web) can't get transaction ID"),
    ("POST", BACKEND + "/servers", 500, b"no \xff",
     "(project:web, service:web, backend:web, serverid:ID, code:500, "
     "transaction_id:t-1, commit:0) error adding the server - no \ufffd"),
    ("POST", BACKEND + "/servers", 422, {"message": "bad"},
     "(project:web, service:web, backend:web, serverid:ID, code:422, "
     "transaction_id:t-1, commit:0) error adding the server - "
     '{"message": "bad"}'),
    ("PUT", TRANSACTIONS + "/t-1", 400, {"message": "no"},
     "(project:web, service:web, backend:web, serverid:ID, code:400, "
     "transaction_id:t-1, commit:1) error adding the server - "
     '{"message": "no"}'),
    ("PUT", TRANSACTIONS + "/t-1", 0, None, "Exception Re"),
])
def test_what_goes_wrong_is_told_and_withdrawn(lb_node, api, method, path,
                                               status, answer, message):
    api.on(method, path, status, answer)
    assert up(lb_node, "web", web=LB)["state"] == "incomplete"
    text = said(lb_node)["message"].replace(serverid(lb_node), "ID")
    assert text.startswith(message), text
    assert api.backends["web"] == {} and api.open == {}


def test_an_odd_answer_about_the_server(lb_node, api):
    me = serverid(lb_node)
    api.on("GET", f"{BACKEND}/servers/{me}", 503, b"later")
    up(lb_node, "web", web=LB)
    assert said(lb_node)["message"] == (
        f"(project:web, service:web, backend:web, serverid:{me}, code:503, "
        "transaction_id:None) error retrieving information about the server - "
        "later")
    assert api.lines("transactions") == []
    # A destroy has nothing to do then.
    assert lb_node.wait_job(lb_node.down("web"))["state"] == "completed"
    assert "load-balancer" not in lb_node.info("web")["down"]["labels"]


def test_a_fault_blocks_a_destroy_that_is_not_forced(lb_node, api):
    me = serverid(lb_node)
    up(lb_node, "web", web=LB)
    api.on("DELETE", f"{BACKEND}/servers/{me}", 500, b"no")
    assert lb_node.wait_job(lb_node.down("web"))["state"] == "incomplete"
    assert said(lb_node, "down")["message"].endswith(
        "commit:0) error removing the server - no")
    assert api.open == {} and list(api.backends["web"]) == [me]
    assert len(lb_node.deployed()) == 1
    job = lb_node.wait_job(lb_node.down("web", force=True))
    assert job["state"] == "completed"
    assert said(lb_node, "down")["error"] is True
    assert lb_node.info("web")["down"]["operation"] == "COMPLETED"


def test_an_api_that_cannot_be_reached(make_node):
    dp = {"auth": {"username": "u", "password": PASSWORD}}
    node = make_node({"dataplaneapi": {
        "entrypoint": f"http://127.0.0.1:{closed_port()}/", **dp}}).start()
    up(node, "web", web=LB)
    assert said(node)["message"] == (
        "Exception ConnectError: connection refused")
    quiet, port = silent_port()
    with quiet:
        node.configure({"dataplaneapi": {
            "entrypoint": f"http://127.0.0.1:{port}", "read_timeout": 1,
            **dp}})
        node.restart()
        job = node.wait_job(node.up("web", director_file=director_file(
            web=LB)))
    assert job["state"] == "incomplete"
    assert said(node)["message"] == ("Exception ReadTimeout: timed out after "
                                     "1s while waiting for the reply")
    assert PASSWORD not in node.log_text()


def test_a_wrong_password_is_told_without_it(make_node, api):
    settings = api.settings()
    settings["dataplaneapi"]["auth"]["password"] = "wrong one"
    node = make_node(settings).start()
    up(node, "web", web=LB)
    assert said(node)["message"].endswith("status 401")
    assert "wrong one" not in node.log_text()


def test_an_endless_reply_ends(make_node, servers):
    def endless(request):
        return 200, b"1" * (1 << 20)
    api = servers(FakeServer().on("GET", VERSION, 200, endless))
    node = make_node({"dataplaneapi": {"entrypoint": api.url, "auth": {
        "username": "u", "password": "p"}}}).start()
    up(node, "web", web=LB)
    assert said(node)["message"].startswith("Exception RemoteProtocolError: ")
