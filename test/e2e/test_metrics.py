# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""/v1/metrics: the format is Prometheus', and the figures are true."""

import shutil
import subprocess

import pytest

from node import chain_to, wait_for


def read(node):
    """{"name{labels}": value}"""
    r = node.get("/v1/metrics")
    assert r.status == 200, r
    assert r.headers["Content-Type"] == \
        "text/plain; version=0.0.4; charset=utf-8"
    samples = {}
    for line in r.text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            assert name not in samples, line
            samples[name] = float(value)
    return samples


def requests(samples, route, status, method="GET"):
    return samples.get("overlord_http_requests_total{" +
                       f'method="{method}",route="{route}",'
                       f'status="{status}"}}', 0)


def test_requests_by_route_and_status(node):
    for _ in range(3):
        node.get("/v1/ping")
    node.get("/v1/ping", token="x")
    node.get("/v1/project/info/web")
    node.get("/v1/chain/nobody/ping")
    node.get("/v1/what/a/client/sends")
    node.post("/v1/ping")
    m = read(node)
    assert requests(m, "/v1/ping", 200) == 3
    assert requests(m, "/v1/ping", 401) == 1
    assert requests(m, "/v1/project/info/{project}", 404) == 1
    assert requests(m, "/v1/chain/{chain}/ping", 404) == 1
    assert requests(m, "other", 404, method="") == 1
    assert requests(m, "other", 405, method="") == 1
    # Nothing of what was sent is in a label.
    assert not any("client" in k or "nobody" in k for k in m)
    prefix = "overlord_http_request_duration_seconds"
    labels = 'method="GET",route="/v1/ping"'
    assert m[prefix + "_count{" + labels + "}"] == 4
    buckets = [v for k, v in m.items()
               if k.startswith(prefix + "_bucket{" + labels)]
    assert buckets == sorted(buckets) and buckets[-1] == 4
    assert requests(read(node), "/v1/metrics", 200) == 1


def test_jobs_commands_and_the_store(node):
    node.behave("slow", "hang")
    node.wait_job(node.up("web"))
    slow = node.up("slow")
    node.wait_call("appjail-director", "up", "slow")
    m = read(node)
    assert m['overlord_jobs{state="running"}'] == 1
    assert m['overlord_jobs{state="queued"}'] == 0
    assert m['overlord_jobs_ended_total{state="completed"}'] == 1
    assert m["overlord_job_queue_wait_seconds_count"] == 2
    assert m["overlord_commands_running"] >= 1
    prefix = "overlord_store_commit_batches"
    assert 0 < m["overlord_store_commits_total"] == m[prefix + "_count"] == \
        m[prefix + '_bucket{le="+Inf"}'] <= m[prefix + "_sum"] <= \
        m["overlord_store_batches_total"]
    assert m[prefix + '_bucket{le="1"}'] <= m[prefix + '_bucket{le="1024"}']
    assert 0 < m["overlord_store_used_bytes"] < m["overlord_store_map_bytes"]
    assert m["overlord_store_read_only"] == 0
    assert m["process_resident_memory_bytes"] > 1 << 20
    assert m["overlord_http_connections"] >= 1
    assert m["overlord_loop_callback_seconds_count"] > 0
    assert m["overlord_loop_turns_total"] > 0
    node.wait_job(node.cancel("slow"))
    node.wait_job(slow)
    assert read(node)['overlord_jobs{state="running"}'] == 0


def test_breakers(make_node):
    below = make_node(name="below").start()
    node = make_node({"chains": {
        "up": chain_to(below), "gone": {
            "entrypoint": "http://127.0.0.1:1", "access_token": "x",
            "retry": {"total": 0}}}}).start()
    assert node.get("/v1/chain/up/ping").status == 200

    def is_open():
        node.get("/v1/chain/gone/ping")
        return read(node)[
            'overlord_breaker_state{chain="gone",state="open"}'] == 1
    wait_for("the breaker to open", is_open)
    m = read(node)
    assert m['overlord_breaker_state{chain="up",state="closed"}'] == 1
    assert m['overlord_breaker_state{chain="gone",state="closed"}'] == 0
    assert m['overlord_chain_calls_total{chain="up"}'] == 1
    assert m['overlord_chain_failures_total{chain="gone"}'] >= 1


def test_there_is_no_twin(node):
    assert node.get("/v1/chain/x/metrics").status == 404


@pytest.mark.skipif(shutil.which("promtool") is None,
                    reason="no promtool(1), of Debian's prometheus, here")
def test_promtool_is_quiet(make_node):
    below = make_node(name="below").start()
    node = make_node({"chains": {"below": chain_to(below)}}).start()
    node.wait_job(node.up("web"))
    node.get("/v1/chain/below/ping")
    text = node.get("/v1/metrics").text
    r = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (r.returncode, r.stdout) == (0, ""), r.stdout
