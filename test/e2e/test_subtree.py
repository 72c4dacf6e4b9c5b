# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""GET /v1/events?subtree=1: the events of a whole tree, with children that
break off, come back, lead in a circle, or are originals."""

import os
import signal
import socket
import threading
import time

import pytest

from children import dead_chain, http
from listener import ended, number, open_stream
from node import DEADLINE, chain_to, make_tree, wait_for

NAMES = ("main", "alpha", "charlie")


def is_chain(chain, name, state):
    return lambda kind, d: (kind == "chain" and d["chain"] == chain and
                            (d["name"], d["state"]) == (name, state))


def is_chain_of_ours(name, state):
    """Where nobody asked for the subtree."""
    return lambda kind, d: (kind == "chain" and
                            (d["name"], d["state"]) == (name, state))


def path_of(request):
    return request.split(" ")[1]


def ready(s, *wanted):
    """Waits until these children have been heard, (chain, name) each."""
    missing = set(wanted)
    while missing:
        _, kind, d = s.read()
        if kind == "chain" and d["state"] == "reset":
            missing.discard((d["chain"], d["name"]))
    return s


def jobs_of(seen):
    return [(d["chain"], d["project"]) for _, kind, d in seen
            if kind == "job" and d["state"] == "completed"]


def test_a_tree_is_one_stream(make_node, listen):
    tree = make_tree(make_node, NAMES)
    main = tree["main"]
    s = ready(listen(main, "?subtree=1"), ("", "alpha"), ("alpha", "charlie"))
    ids = {}
    for name in NAMES:
        tree[name].wait_job(tree[name].up("web-" + name))
    seen = []
    while len(jobs_of(seen)) < 3:
        seen.append(s.read())
    assert sorted(jobs_of(seen)) == [
        ("", "web-main"), ("alpha", "web-alpha"),
        ("alpha.charlie", "web-charlie")]
    for i, kind, d in seen:
        assert len(d["via"]) == (d["chain"].count(".") + 2 if d["chain"]
                                 else 1)
        ids.setdefault(d["chain"], d["via"][0])
    assert len(set(ids.values())) == 3
    # The ids are main's, without a gap, and main goes on from each.
    assert [number(i) for i, _, _ in seen] == list(
        range(number(seen[0][0]), number(seen[0][0]) + len(seen)))
    again = listen(main, "?subtree=1", last=seen[3][0])
    assert [again.read() for _ in seen[4:]] == seen[4:]
    # They are no ids of the stream of main alone.
    assert listen(main, last=seen[3][0]).read()[1] == "reset"


def test_filters_hold_below(make_node, listen):
    tree = make_tree(make_node, NAMES)
    main, charlie = tree["main"], tree["charlie"]
    ready(listen(main, "?subtree=1"), ("", "alpha"), ("alpha", "charlie"))
    web = listen(main, "?subtree=1&project=web&type=job,project").greeted()
    narrow = listen(main, "?subtree=1", token=main.token(
        scope="read", projects=["web"])).greeted()
    charlie.wait_job(charlie.up("db"))
    job = charlie.up("web")
    seen = web.until(ended(job))
    assert {(k, d["project"]) for k, d in [x[1:] for x in seen]} == {
        ("job", "web"), ("project", "web")}
    assert {d["project"] for _, k, d in narrow.until(ended(job))
            if k != "chain"} == {"web"}
    for query in ("?subtree=2", "?subtree=x", "?subtree=1&depth=1"):
        assert main.get("/v1/events" + query).status == 400, query


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"),
                    reason="counts descriptors in /proc")
def test_readers_share_one_subscription(make_node, listen):
    tree = make_tree(make_node, NAMES)
    main, alpha = tree["main"], tree["alpha"]
    ready(listen(main, "?subtree=1"), ("", "alpha"), ("alpha", "charlie"))
    before = {n: tree[n].descriptors_at_rest() for n in NAMES}
    for _ in range(10):
        readers = [listen(main, "?subtree=1").greeted() for _ in range(5)]
        job = tree["charlie"].up("web")
        for r in readers:
            r.until(ended(job))
            r.close()
    wait_for("all descriptors to be closed again",
             lambda: all(tree[n].descriptors() <= before[n] for n in NAMES))
    assert alpha.get("/v1/ping").status == 200


class Proxy:
    """Passes bytes on to a node; cut() breaks all connections, and while
    `closed` new ones are not taken."""

    def __init__(self, node):
        self.target = node.address()
        self.closed = False
        self.pairs = []
        self.heads = []
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(64)
        threading.Thread(target=self.serve, daemon=True).start()

    def url(self):
        return "http://127.0.0.1:%d" % self.socket.getsockname()[1]

    def serve(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            try:
                s = not self.closed and socket.create_connection(self.target)
            except OSError:
                s = None
            if not s:
                c.close()
                continue
            self.pairs.append((c, s))
            for a, b, up in ((c, s, True), (s, c, False)):
                threading.Thread(target=self.copy, args=(a, b, up),
                                 daemon=True).start()

    def copy(self, a, b, up):
        try:
            while data := a.recv(65536):
                if up:
                    self.heads.append(data.decode("latin-1"))
                b.sendall(data)
        except OSError:
            pass
        for x in (a, b):
            try:
                x.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        for pair in self.pairs:
            for x in pair:
                try:
                    x.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs = []

    def close(self):
        self.cut()
        self.socket.close()


@pytest.fixture
def proxied(make_node):
    """main and alpha, with a proxy between them."""
    alpha = make_node(name="alpha").start()
    proxy = Proxy(alpha)
    main = make_node({"chains": {"alpha": {
        **chain_to(alpha), "entrypoint": proxy.url()}},
        "autodisable": {"failures": 1000}}, name="main").start()
    yield main, alpha, proxy
    proxy.close()


def test_a_cut_link_loses_nothing(proxied, listen):
    main, alpha, proxy = proxied
    s = ready(listen(main, "?subtree=1"), ("", "alpha"))
    first = alpha.up("web")
    s.until(ended(first))
    proxy.closed = True
    proxy.cut()
    s.until(is_chain("", "alpha", "lost"))
    job = alpha.up("web")
    alpha.wait_job(job)
    proxy.closed = False
    s.until(is_chain("", "alpha", "back"))
    seen = s.until(ended(job))
    assert not [x for x in seen if x[1] == "chain"]
    assert ("job", "queued", job) in [
        (k, d.get("state"), d.get("job")) for _, k, d in seen]
    streams = [h for h in proxy.heads if h.startswith("GET /v1/events")]
    assert "Last-Event-ID" not in streams[0]
    assert "Last-Event-ID: " in streams[-1]
    assert "X-Overlord-Lease-Ms: " in streams[-1]


def test_a_child_that_began_anew_has_to_be_read(proxied, listen):
    main, alpha, proxy = proxied
    s = ready(listen(main, "?subtree=1"), ("", "alpha"))
    job = alpha.up("web")
    s.until(ended(job))
    alpha.kill()
    s.until(is_chain("", "alpha", "lost"))
    alpha.start()
    proxy.target = alpha.address()
    s.until(is_chain("", "alpha", "reset"))
    job = alpha.up("db")
    assert s.until(ended(job))[-1][2]["chain"] == "alpha"


def test_servers_that_list_each_other(make_node, listen):
    a = make_node(name="a").start()
    b = make_node({"chains": {"a": chain_to(a)}}, name="b").start()
    a.configure({"chains": {"b": chain_to(b)}})
    a.signal(a.process.pid, signal.SIGHUP)
    wait_for("b to be known", lambda: a.get("/v1/chains").json["chains"])
    links = [(listen(x, "?type=chain").greeted(), y)
             for x, y in ((a, "b"), (b, "a"))]
    sa = listen(a, "?subtree=1").greeted()
    sb = listen(b, "?subtree=1").greeted()
    for link, name in links:
        link.until(lambda k, d, name=name: (d["name"], d["state"]) == (
            name, "reset"))
    job = a.up("web")
    seen = sa.until(ended(job))
    assert {d["chain"] for _, k, d in seen if k == "job"} == {""}
    seen = sb.until(ended(job))
    assert {d["chain"] for _, k, d in seen if k == "job"} == {"a"}
    # Nothing of it comes back later, either.
    job = b.up("db")
    own = {("", "web"), ("b", "db")}
    seen = {(d["chain"], d["project"]) for _, k, d in sa.until(ended(job))
            if k in ("job", "project", "step")}
    assert ("b", "db") in seen and seen <= own
    seen = {(d["chain"], d["project"]) for _, k, d in sb.until(ended(job))
            if k in ("job", "project", "step")}
    assert ("", "db") in seen and seen <= {("a", "web"), ("", "db")}


def test_a_server_that_lists_itself(make_node, listen):
    a = make_node(name="a").start()
    a.configure({"chains": {"me": chain_to(a)}})
    a.signal(a.process.pid, signal.SIGHUP)
    wait_for("it to be known", lambda: a.get("/v1/chains").json["chains"])
    s = listen(a, "?subtree=1").greeted()
    s.until(is_chain("", "me", "lost"))
    job = a.up("web")
    assert {d["chain"] for _, _, d in s.until(ended(job))} == {""}


@pytest.mark.parametrize("data", [
    b"{", b"[]", b"{}", b'{"chain":"","via":1}', b'{"chain":"a..b","via":[]}',
    b'{"chain":1,"via":[]}', b'{"chain":"","via":[1]}',
    b'{"chain":"","via":[]' + b',"x":"' + b"y" * 100000 + b'"}',
    b'{"chain":"' + b".".join([b"a"] * 16) + b'","via":[]}',
    b'{"chain":"","via":' + b"[" * 100 + b"]" * 100 + b"}",
    b'{"chain":"","via":[],"project":"' + b"p" * 300 + b'"}'])
def test_a_child_that_lies(make_node, child, listen, data):
    text = (b"id: x-1\nevent: unknown\ndata: {}\n\n"
            b'event: job\ndata: {"chain":"","via":[],"job":7,"project":'
            b'"p","chain2":"x"}\n\nevent: job\ndata: ' + data + b"\n\n")

    def lie(c):
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                  b"\r\n" + text)
        # Until it is hung up on.
        c.recv(1)
    liar = child(lambda request: lie)
    node = make_node({"chains": {"liar": liar.chain()}}).start()
    s = listen(node, "?subtree=1")
    seen = s.until(is_chain("", "liar", "lost"))
    assert [d["chain"] for _, k, d in seen if k == "job"] == ["liar"]
    job = node.up("web")
    s.until(ended(job))
    assert len(liar.requests) < 20


def test_a_child_that_breaks_off_is_called_less_and_less(
        make_node, child, listen):
    """Also when its stream begins well each time."""
    def end(request):
        times.append(time.monotonic())
        return (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                b"Content-Length: 0\r\n\r\n")
    times = []
    node = make_node({"chains": {"brief": child(end).chain()}}).start()
    listen(node, "?subtree=1")
    wait_for("five calls", lambda: len(times) >= 5)
    # 250 ms * 2^4, at least half of it; a machine's load makes it more.
    assert times[4] - times[3] > 1.9


def test_an_original_is_polled_once(make_node, child, listen):
    """Whoever comes when the time of the first reader is over."""
    let_go = threading.Event()
    in_time = []

    def answer(request):
        if "/v1/events" in request:
            # Longer than the lease.
            time.sleep(0.5)
            return http(404, {"status_code": 404, "message": "Not Found"})
        if in_time or first.is_set():
            in_time.append(let_go.wait(4))
            return None
        first.set()
        return lambda c: (c.recv(1), let_go.set())
    first = threading.Event()
    node = make_node({"chains": {"old": child(answer).chain()}}).start()
    open_stream(node, "/v1/events?subtree=1",
                headers={"X-Overlord-Lease-Ms": "100"})
    assert first.wait(DEADLINE)
    listen(node, "?subtree=1")
    wait_for("it to be asked again", lambda: in_time)
    assert in_time == [True]


def test_originals_are_polled(make_node, child, listen):
    projects = {"web": {"up": {"operation": "COMPLETED", "job_id": 3,
                               "last_update": 5.5}}}

    def answer(request):
        words = path_of(request).strip("/").split("/")
        if words == ["v1", "projects"]:
            return http(200, {"status_code": 200, "projects": sorted(projects)})
        if words[:3] == ["v1", "project", "info"] and words[3] in projects:
            return http(200, {"status_code": 200,
                              "info": projects[words[3]]})
        return http(404, {"status_code": 404, "message": "Not Found"})

    old = child(answer)
    node = make_node({"chains": {"old": old.chain()},
                      "polling": {"heartbeat": 1}}).start()
    s = ready(listen(node, "?subtree=1"), ("", "old"))
    projects["web"] = {"up": {"operation": "RUNNING", "job_id": 4,
                              "last_update": 0.5}}
    seen = s.until(lambda k, d: k == "project")
    d = seen[-1][2]
    assert (d["chain"], d["project"], d["record"], d["operation"]) == (
        "old", "web", "up", "RUNNING")
    # One that is new, and one that goes.
    projects["db"] = {"down": {"operation": "COMPLETED", "job_id": "x"}}
    d = s.until(lambda k, d: k == "project")[-1][2]
    assert (d["project"], d["record"]) == ("db", "down")
    del projects["web"]
    wait_for("web to be asked for no more", lambda: not [
        r for r in old.requests[-4:] if path_of(r).endswith("web")])


def test_breakers_tell(make_node, listen):
    node = make_node({
        "chains": {"dead": dead_chain(retry={"total": 0})},
        "autodisable": {"failures": 1, "interval": 1}}).start()
    s = listen(node, "?type=breaker,chain").greeted()
    assert node.get("/v1/chain/dead/ping").status == 503
    _, kind, d = s.read()
    assert (kind, d["name"], d["state"], d["failures"]) == (
        "breaker", "dead", "open", 1)
    # Chains come and go with the configuration.
    node.options["chains"] = {}
    node.configure({})
    node.signal(node.process.pid, signal.SIGHUP)
    s.until(is_chain_of_ours("dead", "removed"))


def test_a_child_that_answers_is_healthy_again(make_node, child, listen):
    """Also when it was no ping that it answered."""
    def answer(request):
        if path_of(request) == "/v1/ping":
            return http(503, {"status_code": 503, "message": "no"})
        return http(200, {"status_code": 200, "labels": ["x"]})
    node = make_node({"chains": {"below": child(answer).chain()},
                      "polling": {"heartbeat": 0, "skew": [0, 0]}}).start()
    s = listen(node, "?type=chain")
    s.until(is_chain_of_ours("below", "sick"))
    # It is refused only as the last of a path.
    assert node.get("/v1/chain/below.next/labels").status == 200
    s.until(is_chain_of_ours("below", "healthy"))
