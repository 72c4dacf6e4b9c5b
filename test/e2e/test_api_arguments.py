# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Arguments in bodies: rest-api.md 1.9 and 3.3, annex D 3."""

import pytest

from node import DIRECTOR_FILE

UP = "/v1/project/up/web"
DOWN = "/v1/project/down/web"
VALUES = {"string": "text", "number": 5, "boolean": True, "object": {},
          "array": []}
FIELDS = (
    (UP, "director_file", "string", {}),
    (UP, "environment", "object", {"director_file": DIRECTOR_FILE}),
    (UP, "restart", "boolean", {"director_file": DIRECTOR_FILE}),
    (UP, "reserve_port", "object", {"director_file": DIRECTOR_FILE}),
    (DOWN, "environment", "object", {}),
    (DOWN, "force", "boolean", {}),
)


def said(r):
    assert r.status == 400, r
    assert r.json == {"status_code": 400, "message": r.json["message"]}
    return r.json["message"]


@pytest.mark.parametrize("path,field,wanted,others", FIELDS)
def test_types(shared, path, field, wanted, others):
    for given, value in VALUES.items():
        if given != wanted:
            r = shared.post(path, {**others, field: value})
            assert said(r) == (
                f"'{field}' has an unexpected value type: expected {wanted}, "
                f"given {given}.")
    # What the original would have converted.
    for value in ("", "false", "  ", 0, 1.5, [["A", "b"]], ["ab"], "abc"):
        if {"string": str, "object": dict, "boolean": bool}[wanted] \
                is not type(value):
            assert shared.post(path, {**others, field: value}).status == 400


@pytest.mark.parametrize("path,field,wanted,others", FIELDS)
def test_null_is_absent(node, path, field, wanted, others):
    r = node.post(path, {**others, field: None})
    if field == "director_file":
        assert said(r) == (
            "`director_file` is required but hasn't been specified.")
    else:
        assert r.status == 200 and r.json["job_id"] > 0


def test_what_is_required(shared):
    for body in (None, {}, {"director_file": None}, {"x": 1}):
        assert said(shared.post(UP, body)) == (
            "`director_file` is required but hasn't been specified.")


@pytest.mark.parametrize("value,shown", (
    (8080, "8080"), (True, "True"), (None, "None"), (1.5, "1.5")))
@pytest.mark.parametrize("path", (UP, DOWN))
def test_environment_holds_strings(shared, path, value, shown):
    r = shared.post(path, {"director_file": "x",
                           "environment": {"A": "1", "PORT": value}})
    text = said(r)
    assert text.startswith("Invalid environment name (PORT) or value (")
    if shown in ("8080", "1.5"):
        assert text == (
            f"Invalid environment name (PORT) or value ({shown}).")


@pytest.mark.parametrize("value", ([], {}, ["x"], {"a": "b"}))
def test_environment_holds_no_lists(shared, value):
    r = shared.post(UP, {"director_file": "x", "environment": {"PORT": value}})
    assert said(r).startswith("Invalid environment name (PORT) or value (")


@pytest.mark.parametrize("name", ("", "=", "A=B", "=A", "A="))
@pytest.mark.parametrize("path", (UP, DOWN))
def test_names_that_no_environment_can_have(shared, path, name):
    r = shared.post(path, {"director_file": "x", "environment": {name: "1"}})
    assert "nvironment" in said(r) and name in said(r)


def test_names_that_an_environment_can_have(node):
    env = {"a.b": "1", "-": "2", "é": "3", "A B": "4", "1": "", "\n": "\n"}
    job = node.wait_job(node.up("web", environment=env))
    assert job["state"] == "completed"


@pytest.mark.parametrize("value,shown", ((5, "5"), (1.5, "1.5")))
def test_networks_of_reserve_port(shared, value, shown):
    r = shared.post(UP, {"director_file": "x",
                         "reserve_port": {"em0": value}})
    assert said(r) == f"Invalid network address ({shown})."
    for value in (True, [], {}):
        r = shared.post(UP, {"director_file": "x",
                             "reserve_port": {"em0": value}})
        assert said(r).startswith("Invalid network address (")


def test_a_fault_names_the_field_among_many(shared):
    r = shared.post(UP, {"director_file": "x", "restart": "yes",
                         "environment": {"A": "b"}})
    assert "'restart'" in said(r)


def test_unknown_members_are_ignored(node):
    job = node.wait_job(node.up("web", unknown=1, vm=[], job_id=7, name="x"))
    assert job["state"] == "completed" and job["name"] == "web"


def test_the_director_file_is_taken_as_it_is(node):
    text = "\n\n  \nservices:\r\n  web:\n    makejail: 'x'\n# é\u2028\n\n"
    job = node.wait_job(node.up("web", director_file=text))
    assert job["id"] > 0
    stored = (node.standin / "director" / "projects" / "web" /
              "appjail-director.yml")
    assert stored.read_bytes() == text.encode()


def test_a_large_director_file_and_environment(node):
    text = DIRECTOR_FILE + "#" + "x" * 3000000 + "\n"
    env = {"BIG": "y" * 100000, **{f"N{i}": str(i) for i in range(1000)}}
    job = node.wait_job(node.up("web", director_file=text, environment=env))
    assert job["state"] == "completed", job
