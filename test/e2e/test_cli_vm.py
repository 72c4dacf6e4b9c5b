# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""VMs from the client's side, on a real node: apply and wait, what get-info,
jobs and logs show, a restart, destroy."""

import subprocess

import pytest

from cli_support import OVERLORD, clean_env, document, overlord, write
from node import wait_for
from test_vm_jobs import Host

FILE = """\
kind: vmJail
datacenters:
  main:
    entrypoint: '{url}'
    access_token: '{token}'
deployIn:
  labels: [all]
vmName: db1
makejail: gh+x/vm
template: {{cpu: '2', memory: 1G}}
diskLayout:
  driver: nvme
  size: 1M
  from: {{type: img}}
"""


@pytest.fixture
def host(make_node, tmp_path):
    host = Host(make_node())
    write(tmp_path / "vm.yml", FILE.format(url=host.node.url(),
                                           token=host.node.token()))
    return host


def test_a_vm_is_made_shown_restarted_and_destroyed(host, tmp_path):
    r = overlord(tmp_path, "apply", "-f", "vm.yml", "--wait")
    assert r.rc == 0, r
    assert host.mark.exists()
    r = overlord(tmp_path, "get-info", "-f", "vm.yml", "-t", "vm",
                 "--filter-per-project")
    assert r.rc == 0 and "db1" in r.out and "COMPLETED" in r.out, r
    assert "and err" in r.out
    doc, _ = document(tmp_path, "jobs", "-f", "vm.yml")
    assert [(j["type"], j["name"], j["state"]) for j in doc["nodes"][0]["jobs"]] == [
        ("vm", "db1", "completed")]
    r = overlord(tmp_path, "jobs", "-f", "vm.yml", "show", "main", "1")
    assert r.rc == 0 and "output\n  | out of vm-start.sh\n  | and err" in r.out
    r = overlord(tmp_path, "apply", "-f", "vm.yml", "--wait")
    assert r.rc == 0, r
    r = overlord(tmp_path, "apply", "-f", "vm.yml", "--restart", "--wait")
    assert r.rc == 0, r
    assert host.up()["restarted"] is True
    r = overlord(tmp_path, "destroy", "-f", "vm.yml", "--wait")
    assert r.rc == 0, r
    assert host.node.get("/v1/projects").json["projects"] == []


def test_a_failure_is_told_with_what_was_printed(host, tmp_path):
    host.script_rc(1, "vm-start.sh")
    r = overlord(tmp_path, "apply", "-f", "vm.yml", "--wait")
    assert r.rc != 0, r
    assert "'start' ended with 1" in r.err and "and err" in r.err, r
    for args in (["-f", "vm.yml"], ["-f", "vm.yml", "--all"]):
        doc, _ = document(tmp_path, "status", *args)
        row, = doc["projects"]
        assert (row["state"], row["operation"]) == ("FAILED", "FAILED"), row
        assert row["jails"] == {"up": 1, "total": 1}


def test_what_a_script_prints_can_be_followed(host, tmp_path):
    (host.standin / "hang").touch()
    job_id = host.post({"makejail": "x", "template": {}, "diskLayout": {
        "driver": "nvme", "size": "1M", "from": {"type": "img"}}})
    wait_for("the script", lambda: (host.standin / "scripts").exists())
    p = subprocess.Popen(
        [OVERLORD, "logs", "-f", "--file", "vm.yml", "--until-done"],
        cwd=tmp_path, env=clean_env(), stdout=subprocess.PIPE, text=True)
    with p:
        seen = [p.stdout.readline() for _ in range(2)]
        # Its jail runs by now, and it is not ready.
        row, = document(tmp_path, "status", "-f", "vm.yml")[0]["projects"]
        host.node.request("DELETE", f"/v1/jobs/{job_id}")
    assert (row["state"], row["job"]) == ("DEPLOYING", job_id), row
    assert "out of vm-start.sh" in seen[0] and "and err" in seen[1]
