# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Project jobs when something goes wrong beneath them: whatever happens, a job
has one end and its project's next job gets its turn."""


def fake_director(node, script):
    """Any program may be Director."""
    fake = node.root / "fake"
    fake.write_text("#!/bin/sh\n" + script)
    fake.chmod(0o755)
    node.configure({"director": {"command": str(fake)}})


def test_a_job_ends_when_its_record_is_full_of_attempts(make_node):
    """Shutdowns are no attempts that count, but a record has 256 steps."""
    node = make_node()
    fake_director(node, """
        test -e once && exit 66
        kill $PPID
        exec sleep 60
    """)
    node.start()
    job = node.wait_job(node.up("web"))
    assert job["state"] == "failed"
    assert 250 < len(job["steps"]) <= 256
    assert node.info("web")["up"]["exception"]["type"] == "Interrupted"
    assert str(len(job["steps"])) in job["message"]
    (node.root / "once").touch()
    assert node.wait_job(node.up("web"))["state"] == "incomplete"
