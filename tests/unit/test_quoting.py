"""Statements and commands to copy hide nothing, and mean what they meant."""

from __future__ import annotations

import re
import subprocess
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from engarde.doctor import remedies
from engarde.output.findings import Remedy
from engarde.util.quoting import literal, printable, quoted, statement, word
from engarde.util.terminal import BREAKS, visible
from tests.unit.hostile import NAMES, hidden, names

patient = settings(deadline=None)


def named(identifier: str) -> str:
    """The name that PostgreSQL reads in an identifier."""
    unicode, body = re.fullmatch(r'(U&)?"((?:[^"]|"")*)"', identifier, re.DOTALL).groups()  # type: ignore[union-attr]
    body = body.replace('""', '"')
    if not unicode:
        return str(body)
    return re.sub(r"\\(?:(\\)|\+(.{6})|(.{4}))", lambda each: each[1] or chr(int(each[2] or each[3], 16)), body)


def text_of(constant: str) -> str:
    """The text that PostgreSQL reads in a constant."""
    escaped, body = re.fullmatch(r" ?(E?)'(.*)'", constant, re.DOTALL).groups()  # type: ignore[union-attr]
    body = body.replace("''", "'")
    if not escaped:
        return str(body)
    codes = r"\\(?:(\\)|U(.{8})|u(.{4}))"
    return re.sub(codes, lambda each: each[1] or chr(int(each[2] or each[3], 16)), body)


@patient
@given(names)
def test_a_name_is_the_same_name(name: str) -> None:
    shown = printable(quoted(name))
    assert named(shown) == name
    assert not hidden(shown)
    # What prints it afterwards finds nothing to change.
    assert visible(shown) == shown == printable(shown)


@patient
@given(names, st.sampled_from(["", "\n\t"]))
def test_a_text_is_the_same_text(text: str, keep: str) -> None:
    shown = printable(literal(text), keep)
    assert text_of(shown) == text
    assert not hidden(shown, keep)
    assert printable(shown, keep) == shown


@patient
@given(names, names)
def test_a_statement_is_one_line(name: str, other: str) -> None:
    shown = statement("ALTER TABLE {}.{} OWNER TO x", name, other)
    assert not hidden(shown)
    match = re.fullmatch(r'ALTER TABLE ((?:U&)?"(?:[^"]|"")*")\.((?:U&)?"(?:[^"]|"")*") OWNER TO x;', shown)
    assert match and (named(match[1]), named(match[2])) == (name, other)


def test_what_is_plain_stays_as_it_was() -> None:
    for name in ("plain", 'quo"te', "back\\slash", "Zürich"):
        assert printable(quoted("s", name)) == quoted("s", name)
        assert printable(literal(name)) == literal(name)


SCRIPTS = {
    'SELECT "a\x1b"\nFROM "b\\\x07";': 'SELECT U&"a\\001B"\nFROM U&"b\\\\\\0007";',
    "SELECT 'a\x1bb', 'it''s\n\u202e'": "SELECT E'a\\u001Bb', E'it''s\n\\u202E'",
    "SELECT E'\\'\x1b', 1": "SELECT E'\\'\\u001B', 1",
    "SELECT U&'\\0041\u202e', u&\"\\0041\u202e\"": "SELECT U&'\\0041\\202E', u&\"\\0041\\202E\"",
    "DO $$ it's\t\x1b\\ $$; DO $f$ plain $$ \n $f$": "DO E' it''s\t\\u001B\\\\ '; DO $f$ plain $$ \n $f$",
    "-- it's \x1b\nSELECT '\x1b' /* don't \u202e */": "-- it's \\x1b\nSELECT E'\\u001B' /* don't \\u202e */",
    "SELECT name'x\x1b', a$b$c, '\U000e0041'": "SELECT name E'x\\u001B', a$b$c, E'\\U000E0041'",
    'SELECT 1 AS"\x1b"': 'SELECT 1 AS U&"\\001B"',
    "\x1bSELECT 1": "\\x1bSELECT 1",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts(script: str) -> None:
    assert printable(script, keep=BREAKS) == SCRIPTS[script]


def test_remedies_of_sql_are_printable_whoever_quoted_the_name() -> None:
    assert Remedy("sql", 'DROP VIEW "\x1b[2J";\nDROP VIEW "a\nb";').text == (
        'DROP VIEW U&"\\001B[2J";\nDROP VIEW U&"a\\000Ab";'
    )


@pytest.mark.parametrize("shell", ["bash"])
@settings(deadline=None, max_examples=30)
@given(st.lists(names, min_size=1, max_size=20))
def test_a_shell_reads_the_word_as_it_was(shell: str, texts: list[str]) -> None:
    words = " ".join(map(word, texts))
    assert not hidden(words)
    done = subprocess.run([shell, "-c", f"printf '%s\\0' {words}"], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == texts


@pytest.mark.parametrize("name", NAMES)
def test_yaml_reads_what_the_stack_file_is_given(name: str) -> None:
    line = remedies.scalar(name)
    assert not hidden(visible(line))
    assert visible(line) == line
    assert YAML(typ="safe").load(StringIO(f"key: {line}")) == {"key": name}
