# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""The table of test/bench: what an aim means, and its forms."""

import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
import table  # noqa: E402

FAST = table.compare("pings", [90, 10, 80], ("nginx", [100, 99, 101]),
                     ("a loop", [160]), [table.at_least("peer", 0.8)])
CURVE = table.Curve("scale: things", ("things", "ms"), [[1, 0.5], [10, None]],
                    "What they are.")


@pytest.mark.parametrize("aim, ours, text, verdict", [
    (table.at_least("peer", 0.8), 80, ">=0.8 peer", "ok"),
    (table.at_least("peer", 0.8), 79, ">=0.8 peer", "short"),
    (table.at_most("limit", 1.5), 300, "<=1.5 limit", "ok"),
    (table.at_most("limit", 1.5), 301, "<=1.5 limit", "short"),
    (table.over("limit", 15, "ms"), 215, "limit +15 ms", "ok"),
    (table.over("limit", 15, "ms"), 216, "limit +15 ms", "short"),
    (table.below(5, "ms"), 4.9, "<5 ms", "ok"),
    (table.below(5, "ms"), 5, "<5 ms", "short"),
    (table.below(1), 0, "<1", "ok"),
])
def test_aims(aim, ours, text, verdict):
    row = table.compare("f", [ours], ("p", [100]), ("l", [200]), [aim])
    assert (aim.text(), row.verdict()) == (text, verdict)


def test_all_aims_count():
    aims = [table.at_least("peer", 0.5), table.at_least("limit", 0.5)]
    assert table.compare("f", [60], ("p", [100]), ("l", [200]),
                         aims).verdict() == "short"


def test_a_row():
    assert FAST.fields() == (
        "pings", "80", "100", "0.80", "160", "0.50", ">=0.8 peer", "ok",
        "peer: nginx; limit: a loop")
    assert table.machine_row("flush", "fdatasync(2)", [3, 1, 2]).fields() == (
        "flush", "-", "-", "-", "2", "-", "-", "-", "limit: fdatasync(2)")
    assert table.compare("f", [3], ("p", [0])).ratio("peer") == "-"


def test_columns_line_up():
    head = table.padded(table.COLUMNS, table.WIDTHS)
    assert head.index("beside what") == table.aligned_row(FAST).index("peer: n")
    lines = table.aligned_curve(CURVE).splitlines()
    assert lines[1:] == ["scale: things", "  things   ms", "       1  0.5",
                         "      10    -", "  What they are."]


def test_markdown_goes_into_a_page():
    page = f"before\n{table.BEGIN}old\n{table.END}after\n"
    text = table.markdown({"memory": "1 GiB"}, [FAST, CURVE])
    new = table.put_into(page, text)
    assert new.startswith("before\n") and new.endswith("after\n")
    assert "old" not in new and "- memory: 1 GiB\n" in new
    assert ("| pings | 80 | 100 (nginx) | 0.80 | 160 (a loop) | 0.50 |"
            " >=0.8 peer | ok |") in new
    assert "### Scale: things" in new and "| 10 | - |" in new
    assert table.put_into(new, text) == new


def test_json():
    found = json.loads(table.as_json({"memory": "1 GiB"}, [FAST, CURVE]))
    assert found["machine"] == {"memory": "1 GiB"}
    assert found["figures"] == [{
        "figure": "pings", "ours": 80, "aims": [">=0.8 peer"],
        "peer": {"name": "nginx", "value": 100},
        "limit": {"name": "a loop", "value": 160}, "verdict": "ok"}]
    assert found["curves"][0]["lines"] == [[1, 0.5], [10, None]]
