# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Special labels against the real thing: a cluster of etcd whose members come
and go, CoreDNS asked by dig, HAProxy asked by curl. For the Data Plane API of
HAProxy there is a stand-in (test/e2e/dataplane.py)."""

import pytest

from components import ZONE, DataPlaneStandIn, Program, Replica, \
    certificates, free_port, run
from labels import director_file, serverid, steps, up
from node import wait_for


def dns_labels(address, group="web", **more):
    return {"skydns": "1", "skydns.group": group, "skydns.interface": "lo",
            "skydns.interface.address": address, **more}


SRV = {"skydns.srv": "1", "skydns.srv.port": "8080", "skydns.srv.proto": "tcp",
       "skydns.srv.service": "http"}


def make_nodes(make_node, options, n=3):
    return [make_node(options, name=f"node{i}").start() for i in range(n)]


def deploy(nodes, labels, project="web"):
    """The same project on all of them, each with its own labels."""
    for node, of in zip(nodes, labels):
        job = up(node, project, web=of)
        info = node.info(project)["up"]
        assert job["state"] == "completed", info
        assert steps(job) == [("up", 0), ("labels", 0)]


def destroy(nodes, project="web"):
    for node in nodes:
        job = node.wait_job(node.down(project))
        assert job["state"] == "completed", node.info(project)["down"]


def test_names_of_three_nodes(make_node, cluster, dns, addresses):
    """A in changing order, PTR and SRV; what is destroyed is not known any
    more."""
    nodes = make_nodes(make_node, cluster.options())
    deploy(nodes, [dns_labels(a, **{"skydns.ptr": "1"}, **SRV)
                   for a in addresses])
    assert dns.ask(f"web.{ZONE}", "A") == sorted(addresses)
    orders = {dns.dig("+short", f"web.{ZONE}", "A") for _ in range(40)}
    assert len(orders) > 1
    for address in addresses:
        assert dns.reverse(address) == [f"web.{ZONE}."]
    ids = [serverid(n) for n in nodes]
    assert dns.ask(f"_http._tcp.web.{ZONE}", "SRV") == sorted(
        f"10 33 8080 {i}.web.{ZONE}." for i in ids)
    for ident, address in zip(ids, addresses):
        assert dns.ask(f"{ident}.web.{ZONE}", "A") == [address]

    destroy(nodes[:1])
    assert dns.ask(f"web.{ZONE}", "A") == sorted(addresses[1:])
    assert dns.reverse(addresses[0]) == []
    destroy(nodes[1:])
    assert "NXDOMAIN" in dns.dig(f"web.{ZONE}", "A")
    assert cluster.keys() == []


def test_names_of_addresses_of_ipv6(make_node, cluster, dns, addresses6):
    nodes = make_nodes(make_node, cluster.options())
    deploy(nodes, [dns_labels(a, **{"skydns.ptr": "1", "skydns.ttl": "7"})
                   for a in addresses6])
    assert dns.ask(f"web.{ZONE}", "AAAA") == sorted(addresses6)
    assert dns.ask(f"web.{ZONE}", "A") == []
    assert dns.reverse(addresses6[1]) == [f"web.{ZONE}."]
    answer = [line.split() for line in dns.dig(
        f"web.{ZONE}", "AAAA").splitlines() if line.startswith("web.")]
    assert {row[1] for row in answer} == {"7"}
    destroy(nodes)
    assert cluster.keys() == []


def test_members_of_etcd_may_be_down_in_turn(make_node, cluster):
    node = make_nodes(make_node, cluster.options(), 1)[0]
    labels = dns_labels("127.0.0.0/8")
    for member in cluster.members:
        member.stop()
        wait_for("the others to agree", lambda: all(
            m.healthy() for m in cluster.members if m is not member))
        deploy([node], [labels], f"p{member.name}")
        assert len(cluster.keys()) == 1
        destroy([node], f"p{member.name}")
        assert cluster.keys() == []
        cluster.start(member)
    assert "has failed, the next one is asked" in node.log_text()


def test_a_cluster_that_is_gone_comes_back(make_node, cluster):
    node = make_nodes(make_node, cluster.options(), 1)[0]
    labels = dns_labels("127.0.0.0/8")
    deploy([node], [labels])
    cluster.stop()
    said = {"error": True, "message": "Exception EtcdException: All etcd "
            "instances do not seem to work correctly."}
    assert up(node, "web", web=labels)["state"] == "incomplete"
    assert node.info("web")["up"]["labels"]["skydns"]["web"] == said
    assert node.wait_job(node.down("web"))["state"] == "incomplete"
    assert node.info("web")["down"]["labels"]["skydns"]["web"] == said
    assert len(node.deployed()) == 1
    cluster.start()
    destroy([node])
    assert cluster.keys() == []


def test_one_member_of_three_is_no_cluster(make_node, cluster):
    """It answers, but with an error: there is no leader."""
    node = make_nodes(make_node, cluster.options(), 1)[0]
    for member in cluster.members[1:]:
        member.stop()
    job = node.wait_job(node.up("web", director_file=director_file(
        web=dns_labels("127.0.0.0/8"))))
    assert job["state"] == "incomplete"
    cluster.start(*cluster.members[1:])
    deploy([node], [dns_labels("127.0.0.0/8")])
    assert len(cluster.keys()) == 1


def test_etcd_that_wants_to_know_its_clients(make_node, tmp_path, running,
                                             cluster):
    """TLS both ways: cert_key is one file with certificate and key."""
    pems = certificates(tmp_path / "pems")
    port, peer = free_port(), free_port()
    secure = running(Program(tmp_path / "secure"))
    url = f"https://127.0.0.1:{port}"
    peers = f"http://127.0.0.1:{peer}"
    secure.spawn("etcd", "--data-dir", "data", "--log-outputs", "stderr",
                 "--listen-client-urls", url, "--advertise-client-urls", url,
                 "--listen-peer-urls", peers,
                 "--initial-advertise-peer-urls", peers,
                 "--initial-cluster", f"default={peers}",
                 "--client-cert-auth", "--trusted-ca-file", pems / "ca.pem",
                 "--cert-file", pems / "server.crt",
                 "--key-file", pems / "server.key")
    wait_for("etcd to be well", lambda: secure.alive() and run(
        "curl", "-sf", "--cacert", pems / "ca.pem", "--cert",
        pems / "client.pem", url + "/health").returncode == 0)
    host = {"port": port, "protocol": "https", "timeout": 5}
    labels = dns_labels("127.0.0.0/8")
    for settings, state in (
            ({"ca_cert": str(pems / "ca.pem"),
              "cert_key": str(pems / "client.pem")}, "completed"),
            ({"ca_cert": str(pems / "ca.pem")}, "incomplete"),
            ({"cert_key": str(pems / "client.pem")}, "incomplete")):
        node = make_node({"etcd": {"127.0.0.1": {**host, **settings}},
                          "skydns": {"zone": ZONE}},
                         name=f"node{len(settings)}{state}"
                         f"{'ca_cert' in settings}").start()
        assert up(node, "web", web=labels)["state"] == state


def lb_labels(address, port):
    return {"load-balancer": "1", "load-balancer.backend": "web",
            "load-balancer.interface": "lo",
            "load-balancer.interface.address": address,
            "load-balancer.interface.port": str(port),
            "load-balancer.set.check": '"enabled"'}


@pytest.fixture
def api(servers, haproxy):
    return servers(DataPlaneStandIn(haproxy))


def test_requests_reach_the_replicas(make_node, running, haproxy, api,
                                     addresses):
    port = free_port("0.0.0.0")
    nodes = make_nodes(make_node, api.settings())
    for i, address in enumerate(addresses):
        running(Replica(address, port, f"node{i}"))
    assert haproxy.reached() == {(503, haproxy.get()[1])}
    deploy(nodes, [lb_labels(a, port) for a in addresses])
    everybody = {(200, f"node{i}") for i in range(3)}
    wait_for("all replicas to be reached",
             lambda: haproxy.reached() == everybody)
    destroy(nodes[:1])
    wait_for("the others to be left", lambda: haproxy.reached() ==
             everybody - {(200, "node0")})
    deploy(nodes[:1], [lb_labels(addresses[0], port)])
    wait_for("all replicas to be reached again",
             lambda: haproxy.reached() == everybody)
    destroy(nodes)
    wait_for("nobody to be left", lambda: haproxy.get()[0] == 503)


def test_names_and_servers_of_one_project(make_node, running, cluster, dns,
                                          haproxy, api, addresses):
    """The whole story: three replicas, found by name and by the proxy."""
    port = free_port("0.0.0.0")
    options = {**cluster.options(), **api.settings()}
    nodes = make_nodes(make_node, options)
    for i, address in enumerate(addresses):
        running(Replica(address, port, f"node{i}"))
    deploy(nodes, [{**lb_labels(a, port), **dns_labels(a)}
                   for a in addresses])
    assert dns.ask(f"web.{ZONE}", "A") == sorted(addresses)
    for address in dns.ask(f"web.{ZONE}", "A"):
        r = run("curl", "-s", "-m", "5", f"http://{address}:{port}/")
        assert r.stdout == f"node{addresses.index(address)}"
    wait_for("all replicas to be reached", lambda: haproxy.reached() ==
             {(200, f"node{i}") for i in range(3)})
    destroy(nodes)
    assert cluster.keys() == [] and api.backends == {"web": {}}


def test_nodes_that_change_one_haproxy_at_the_same_time(make_node, haproxy,
                                                        api):
    """Each finds the version that another one has just made."""
    nodes = make_nodes(make_node, api.settings(), 4)
    labels = lb_labels("127.0.0.0/8", 8080)
    jobs = [n.up("web", director_file=director_file(web=labels))
            for n in nodes]
    for node, job in zip(nodes, jobs):
        assert node.wait_job(job)["state"] == "completed", node.info("web")
    assert sorted(api.backends["web"]) == sorted(serverid(n) for n in nodes)
    assert haproxy.alive()
