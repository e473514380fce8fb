"""Which stack a command line is about decides which backend and which secrets it gets."""

import pytest

from launcher.command import parse


@pytest.mark.parametrize(
    ("words", "stack"),
    [
        ("up --stack local", "local"),
        ("--stack local up", "local"),
        ("up --stack=local --yes", "local"),
        ("up -s local", "local"),
        ("up -slocal", "local"),
        ("up -s=local", "local"),
        ("up -ys local", "local"),
        ("-C elsewhere up -s prod", "prod"),
        ("preview --stack prod --stack local", "local"),
        ("stack output --json --show-secrets -s local", "local"),
        ("config set --stack local key value", "local"),
        ("cancel local --yes", "local"),
        ("cancel --yes local", "local"),
        ("stack init local", "local"),
        ("stack init --secrets-provider passphrase local", "local"),
        ("stack --color never select local", "local"),
        ("stack rm -yf local", "local"),
        ("stack select organization/engarde/local", "organization/engarde/local"),
        ("up", None),
        ("stack ls", None),
        ("stack output database_urls", None),
        ("config set local value", None),
        ("up --message --stack", None),
        ("import type name id -- --stack local", None),
        ("up --stack", None),
        ("", None),
    ],
)
def test_stack(words: str, stack: str | None) -> None:
    assert parse(words.split()).stack == stack


@pytest.mark.parametrize("words", ["up", "preview --stack prod", "-s prod destroy --yes", "--color never refresh"])
def test_operations_start_plugins(words: str) -> None:
    assert parse(words.split()).operation


@pytest.mark.parametrize("words", ["", "stack ls", "config set up yes", "version", "stack output", "cancel prod"])
def test_other_commands_do_not(words: str) -> None:
    assert not parse(words.split()).operation


@pytest.mark.parametrize("words", ["-C there up", "up --cwd there", "up --cwd=there", "-Cthere up"])
def test_folder(words: str) -> None:
    assert parse(words.split()).folder == "there"


@pytest.mark.parametrize(
    ("words", "selects"),
    [
        ("stack select prod", True),
        ("stack select -s prod", True),
        ("stack init prod", True),
        ("stack init prod --no-select", False),
        ("stack rm prod", False),
        ("stack", False),
        ("up -s prod", False),
    ],
)
def test_what_selects_a_stack(words: str, selects: bool) -> None:
    assert parse(words.split()).selects == selects
