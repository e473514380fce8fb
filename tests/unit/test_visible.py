"""Whatever is printed, a terminal neither obeys it nor hides any of it."""

from __future__ import annotations

import io
import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from engarde.output.findings import Finding, Remedy
from engarde.output.layout import Table, Text, lines
from engarde.output.show import Console, as_data, document, listed
from engarde.status.exports import told
from engarde.util import terminal
from engarde.util.terminal import BREAKS, visible
from tests.unit.hostile import NAMES, hidden, names

patient = settings(deadline=None)
ANYTHING = st.text(st.characters(exclude_categories=()))
SPELLED = re.compile(r"\\(?:U([0-9a-f]{8})|u([0-9a-f]{4})|x([0-9a-f]{2})|([nrt]))")
SHORT = {"n": "\n", "r": "\r", "t": "\t"}


def meant(text: str) -> str:
    """What was spelled out, as it was."""

    def character(found: re.Match[str]) -> str:
        return SHORT[found[4]] if found[4] else chr(int(found[1] or found[2] or found[3], 16))

    return SPELLED.sub(character, text)


@patient
@given(ANYTHING)
def test_nothing_hidden_is_left_and_nothing_is_lost(text: str) -> None:
    text = text.replace("\\", "/")
    shown = visible(text)
    assert not hidden(shown)
    assert meant(shown) == text
    assert visible(shown) == shown


@patient
@given(ANYTHING)
def test_line_ends_stay_where_they_are_kept(text: str) -> None:
    shown = visible(text, keep=BREAKS)
    assert not hidden(shown, keep=BREAKS)
    assert [shown.count(each) for each in BREAKS] == [text.count(each) for each in BREAKS]


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "Zürich €",
        "數據",
        "नमस्ते",
        "שָׁלוֹם",
        "e\u0301",
        "Tie\u0302\u0301ng",
        "emoji 🐘",
        "≥ … │",
        "a  b",
        "\\x1b",
        "",
    ],
)
def test_what_people_write_stays(text: str) -> None:
    assert visible(text) == text


def test_marks_stand_on_a_letter_and_are_no_pile() -> None:
    assert visible("a\u0301\u0302\u0303") == "a\u0301\u0302\u0303"
    assert visible("a\u0301\u0302\u0303\u0304\u0305b") == "a\u0301\u0302\u0303\\u0304\\u0305b"
    assert visible('"\u0301x') == '"\\u0301x'
    assert visible("\x1b\u0301") == "\\x1b\\u0301"


@patient
@given(names, names)
def test_findings_are_printed_whole(name: str, other: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    remedy = Remedy("sql", f"REVOKE ALL ON {quoted} FROM x;")
    finding = Finding("grant", f"table {quoted}", other, name, remedy, database="d")
    out = io.StringIO()
    Console(file=out, width=10_000).print(listed([finding]))
    assert not hidden(out.getvalue(), keep="\n")
    # A blank line, heading, two rows, what the remedy is, and the remedy: a line end in a name makes no line.
    assert out.getvalue().count("\n") == 6
    for each in (visible(other), visible(name), visible(f"table {quoted}"), remedy.text):
        assert each.rstrip() in out.getvalue()


@patient
@given(names)
def test_cells_headings_and_titles_are_seen(name: str) -> None:
    table = Table([name])
    table.add_row(name)
    table.add_row(Text(name))
    table.add_row([Text(name), Text(name)])
    out = io.StringIO()
    Console(file=out, width=10_000).print(table, lines(name), name)
    assert not hidden(out.getvalue(), keep="\n")
    assert out.getvalue().count(visible(name).strip()) >= 5


@patient
@given(ANYTHING)
def test_json_has_the_same_value(text: str) -> None:
    written = document(found=[text, {text: text}])
    assert not hidden(written, keep="\n")
    # Of two halves of one character, a reader of JSON makes that character.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert json.loads(written) == {"version": 2, "found": [whole, {whole: whole}]}


def test_json_of_a_finding_is_ascii_where_it_would_be_hidden() -> None:
    finding = Finding("c", "\x9b\u202e\x7f\U000e0041é", "", "", Remedy("code", "\x07"))
    assert '"subject": "\\u009b\\u202e\\u007f\\udb40\\udc41é"' in document(findings=[as_data(finding)])


@patient
@given(names, names)
@example("\x1b", "\\x1b")
@example("\\\x1b", "\\\\x1b")
def test_labels_are_seen_and_no_two_names_are_one(one: str, other: str) -> None:
    family = GaugeMetricFamily("size", "Of a table.", labels=["table"])
    for name in {one, other}:
        family.add_metric([name], 1)
    text = told([family])
    assert not hidden(text, keep="\n")
    [read] = text_string_to_metric_families(text)
    assert len({sample.labels["table"] for sample in read.samples}) == len({one, other})


@pytest.mark.parametrize("name", NAMES)
def test_streams(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say(f"copying table {name}")
    terminal.complain(f"first\nsecond {name}")
    terminal.put(f"{name}\n")
    printed = capsys.readouterr()
    assert not hidden(printed.out + printed.err, keep=BREAKS)
    assert printed.err.startswith(f"copying table {visible(name, keep=chr(9))}\nengarde: first\nsecond ")


def test_what_is_copied_is_on_one_line_however_long() -> None:
    remedy = Remedy("sql", 'DROP TABLE "' + "\x01" * 63 + '";')
    out = io.StringIO()
    Console(file=out, width=40).print(listed([Finding("owner", "x", "", "", remedy)]))
    assert f"\n  {remedy.text}\n" in out.getvalue()
