# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The Overlord in C authors
"""Templates: the contract's vectors, without an exception; random templates
against Mako; the places of faults; includes and where they may lead."""

import json
import os

import pytest

from template_kit import (DATA, REPO, differences, generate, ours,
                          write_files)

# Of what Mako makes of templates that compare with "is".
pytestmark = pytest.mark.filterwarnings("ignore::SyntaxWarning")

VECTORS = json.loads((REPO / "test" / "vectors" / "mako.json").read_text())
COUNT = int(os.environ.get("OVERLORD_TEMPLATES", "500"))
# What Mako leaves to Python has Python's class there.
SAME = {"SyntaxError": "SyntaxException"}


def render(text, data=None, *directories):
    return ours([(text, data or {})], *directories)[0]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    directory = write_files(tmp_path_factory.mktemp("mako"), VECTORS["files"])
    cases = [(v["template"], v.get("data", VECTORS["default_data"]))
             for v in VECTORS["vectors"]]
    return ours(cases, directory)


@pytest.mark.parametrize("i", range(len(VECTORS["vectors"])))
def test_vector(answers, i):
    vector, answer = VECTORS["vectors"][i], answers[i]
    if vector["ours"] == "reject-or-match" and \
            answer.get("class") == "UnsupportedTemplate":
        assert " at line: " in answer["message"]
        return
    if "output" in vector:
        assert answer.get("output") == vector["output"], answer
        return
    want = vector["error"]["class"]
    assert answer.get("class") == SAME.get(want, want), answer
    if "char: " in vector["error"]["message"] or answer["line"]:
        assert answer["message"].endswith(
            f" at line: {answer['line']} char: {answer['char']}") or \
            " (a shell variable? " in answer["message"], answer


def test_like_mako(tmp_path):
    pytest.importorskip("mako")
    # The same each time, so that who changes something else is not stopped;
    # template_kit.py takes others.
    seed = 1
    found = list(differences(range(seed, seed + COUNT), write_files(tmp_path)))
    for n, text, mine, theirs in found[:3]:
        print(f"--- seed {n}\n{text}\n--- ours\n{mine}\n--- Mako\n{theirs}")
    assert not found


def test_generator_is_sound(tmp_path):
    """What is generated is mostly what renders, or it would show little."""
    files = write_files(tmp_path)
    got = ours([(generate(seed), DATA) for seed in range(100)], files)
    assert sum("output" in g for g in got) > 60


@pytest.mark.parametrize("text,message", [
    ("a\n${HOSTNAME}", "Undefined: 'HOSTNAME' at line: 2 char: 3 (a shell "
     "variable? write <%text>${HOSTNAME}</%text> or $HOSTNAME)"),
    ("é ${nope}", "Undefined: 'nope' at line: 1 char: 5"),
    ("% if x:\n<%inherit file='x'/>\n% endif",
     "tag <%inherit> is not supported at line: 2 char: 1"),
    ("<%ns:f/>", "tag <%ns:f> is not supported at line: 1 char: 1"),
    ("% with x:\n% endwith",
     "'with' statement is not supported at line: 1 char: 1"),
    ("<%def name='f()'><%def name='g()'></%def></%def>",
     "tag <%def> within <%def> is not supported at line: 1 char: 18"),
    ("<%def name='f()' cached='True'></%def>",
     "attribute 'cached' of tag <%def> is not supported at line: 1 char: 1"),
    ("<%! x = y %>", "what is not an assignment of constants in <%! %> is "
     "not supported at line: 1 char: 1"),
    ("\n<% import os %>",
     "'import' statement is not supported at line: 2 char: 4"),
    ("<% break %>", "'break' or 'continue' outside of a loop at line: 1 "
     "char: 1"),
    ("<%def name='f()'>\n% if x:\n</%def>\n% endif",
     "Unterminated control keyword: 'if' at line: 2 char: 1"),
    ("% for loop in x:\n% endfor", "Reserved words declared in template: loop "
     "at line: 1 char: 7"),
    ("<%def name='f(*a)'>x</%def>",
     "'*' among parameters is not supported at line: 1 char: 15"),
    ("<%block>${f(}</%block>", "Expected: \\|,}; unterminated tag or "
     "expression beginning at line: 1 char: 9"),
    ("% for i in range(1000001):\n% endfor", None),
    ("<% i = 0 %>\n% while True:\n% endwhile", None),
    ("<%def name='f()'>${f()}</%def>${f()}", None),
    ("${'x' * 20000000}", None),
    ("% for i in range(20):\n${'x' * 1000000}\n% endfor", None),
    ("% if x:\n" * 101 + "% endif\n" * 101, None),
])
def test_faults(text, message):
    answer = render(text)
    assert "output" not in answer
    if message is None:
        assert answer["class"] in ("LimitError", "RecursionError"), answer
    else:
        assert answer["message"] == message


def test_lines_of_the_output():
    text = "## c\na\n% for i in 'xy':\n- ${i}\n% endfor\n\n${m}z\n<%text>\nq" \
        "</%text>"
    got = render(text, {"m": "1\n2\n"})
    assert got["output"] == "a\n- x\n- y\n\n1\n2\nz\n\nq"
    assert got["lines"] == [2, 4, 4, 6, 7, 7, 7, 8, 9]


# Names and functions; Mako says the same to each.
SCOPES = [
    "<% x = 1 %><%block>${x}<% y = x + 1 %>${y}</%block>${x}",
    "% for i in range(2):\n<%block>${i}${loop.index}</%block>\n\n% endfor",
    "<%block name='b'>${cpu}</%block>${b()}",
    "<% cpu2 = 5 %><%block name='b'>${cpu2 or 'none'}</%block>${b()}",
    "<%def name='f(a, b=2)'>${a}${b}${q or '-'}</%def>${f(1)}<% q = 7 %>"
    "${f(1, b=3)}",
    "<%def name='f()'>a<% return %>b</%def>[${f()}]",
    "<%def name='f()' filter='trim'>a<% return 'z' %>b</%def>[${f()}]",
    "<%def name='f()' buffered='True' filter='h'> <b> </%def>${f() + 'x'}",
    "<%def name='f()'>x</%def>${f() + 'y'}${f() | h}",
    "<%def name='g(x)'>(${x})</%def>${cpu | g}|${'a' | h, g}",
    "<%def name='f()'><%include file='local.mako'/></%def><% z = 1 %>${f()}",
    "<%def name='f()'>\n% for i in 'ab':\n${loop.index}${g(i)}\n% endfor\n"
    "</%def><%def name='g(x)'>${x}</%def>${f()}",
    "% try:\na${1/0}\n% except ZeroDivisionError as e:\n${e}\n% endtry\n${e}",
    "% try:\n${5|n}\n% except:\nbad\n% endtry",
    "% for i in 'ab':\n% for j in 'c':\n<%include file='inc.mako'/>"
    "${loop.parent.index}\n% endfor\n${loop.index}\n% endfor",
    "<%page args='cpu, y=3'/>${cpu}${y}<%def name='f()'>${y}</%def>${f()}",
    "<%page args='nope'/>",
    "<%! a = 1; b = [2, 'x'] %>${a}${b}<%def name='f()'>${a}</%def>${f()}",
    "<%! cpu = 9 %>${cpu}",
    "<%def name='cpu()'>def</%def>${cpu()}",
    "${html|h,h}${html|h,trim,h}${html|h,str,h}${html|x,h}",
    "<%page expression_filter='h'/>${html}${html|n}${html|h}",
    "<%include file='args.mako' args='x=1, z=2'/>",
    "<%include file='args.mako' args='x=1, x=2'/>",
    "<%include file='inc${cpu}.mako'/>", "<%include file='${5}'/>",
    "<%include file='sub/../inc.mako'/>", "<%include file='sub/nope.mako'/>",
    "<%block filter='n'>a</%block>", "<%text filter='h,u'><&></%text>",
    "<%block>\n<%block>in</%block>\n<% k = 1 %>${k}</%block>",
    "<%block>\n% for i in '12':\n${loop.last}\n% endfor\n</%block>",
    "<%page args='a=1'/>\n${a}<% a = 2 %>${a}",
    "% for i in range(4):\n<% if i == 2: break %>${i}\n% else:\nno\n% endfor",
    "% for i in '':\n.\n% else:\n${loop.index if False else 'e'}\n% endfor",
    "<% x = [] %>\\\n% for i in '123':\n<% x.append(i) %>\\\n% endfor\n${x}",
    "<%doc></%doc>a</%>b", "x\n \t% if 1:\\\n\n% endif", "%\n",
    "</% block>", "<%block>a</% block >b", "a<%\n%>b", "<%include />",
    "<%block name='a b'>x</%block>",
    "<%def name='f(x=nope)'>${x}</%def>${f()}",
    "<%def name='3()'>x</%def>",
    "<%block name='b'></%block><%def name='b()'></%def>",
    "<%def name='b()'>1</%def><%def name='b()'>2</%def>${b()}",
    "<%def name='f()'><%block name='c'></%block></%def>",
    "${cpu | h,}", "${cpu | ,}", "${cpu|}", "${cpu | h n}", "${cpu|1}",
    "${cpu | cpu}", "${cpu | nope.x}", "${nope | trim}", "${5|n,trim}",
    "${5|n,u}", "${5|n,x}", "${5|n,h}", "${5|n,entity}", "${None|n}",
    "% if(cpu):\n% endif", "% if cpu :\ny\n% endif :", "% if :\n% endif",
    "% for x:\n% endfor", "% try:\n% endtry",
    "% while x:\n% else:\n% endwhile",
    "% try x:\n% except:\n% endtry", "% else x:\n", "% if cpu: # a: b\nx\n"
    "% endif", "% endfoo", "% end", "% ending", "% if 1:\n% else:\n% else:\n"
    "% endif", "% except:\n", "% if x:\n% except:\n% endif",
]


@pytest.mark.parametrize("i", range(len(SCOPES)))
def test_names_like_mako(tmp_path, i):
    pytest.importorskip("mako")
    from template_kit import mako
    files = write_files(tmp_path, {**VECTORS["files"], "inc2.mako": "two"})
    text = SCOPES[i]
    theirs, mine = mako(text, DATA, files), render(text, DATA, files)
    assert mine.get("output") == theirs.get("output"), (mine, theirs)
    if "class" in theirs and theirs["class"] != "SyntaxError" and \
            mine["class"] != "UnsupportedTemplate":
        same = {"TopLevelLookupException": "TemplateLookupException"}
        assert mine["class"] == same.get(theirs["class"], theirs["class"]), \
            (mine, theirs)


def test_includes(tmp_path):
    top = tmp_path / "top"
    other = tmp_path / "other"
    write_files(top, {"a.mako": "A<%include file='b.mako'/>", "l/x.mako": "X",
                      "bad.mako": "\n${nope}", "syntax.mako": "\n% if x:\n",
                      "latin.mako": "", "bom.mako": "\ufeffB",
                      "loop.mako": "<%include file='loop.mako'/>"})
    write_files(other, {"b.mako": "B", "a.mako": "no"})
    (tmp_path / "secret").write_text("secret")
    (top / "latin.mako").write_bytes(b"\xe9")
    (top / "out").symlink_to(tmp_path / "secret")
    (top / "abs").symlink_to("/etc/passwd")
    (top / "up").symlink_to("..")
    (top / "in").symlink_to("l/../l/x.mako")
    (top / "dir").symlink_to("l")
    (top / "self").symlink_to("self")
    os.mkfifo(top / "fifo")

    def include(name):
        return render(f"<%include file='{name}'/>", {}, str(top), str(other),
                      str(tmp_path / "none"))
    assert include("a.mako")["output"] == "AB"
    assert include("/a.mako")["output"] == "AB"
    assert include("in")["output"] == "X"
    assert include("dir/x.mako")["output"] == "X"
    assert include("l/./../dir//x.mako")["output"] == "X"
    assert include("bom.mako")["output"] == "B"
    for name in ("out", "abs", "up/secret", "self"):
        got = include(name)
        assert got["class"] == "TemplateLookupException", got
        assert "symbolic link" in got["message"], got
    for name in ("../secret", "l/../../secret", "/../secret", "l", "fifo",
                 "none", ".", "/", "..", "a" * 300, "a/" * 1000):
        got = include(name)
        assert got["class"] == "TemplateLookupException", got
        assert got["message"].endswith(" at line: 1 char: 1"), got
        assert got["file"] is None
    got = include("bad.mako")
    assert got["message"] == \
        "bad.mako: Undefined: 'nope' at line: 2 char: 3", got
    assert got["file"] == "bad.mako"
    assert include("syntax.mako")["message"] == "syntax.mako: Unterminated " \
        "control keyword: 'if' at line: 2 char: 1"
    assert include("latin.mako")["class"] == "CompileException"
    assert include("loop.mako")["class"] == "RecursionError"
    assert "output" not in render("<%include file='a.mako'/>")
