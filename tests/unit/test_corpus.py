"""The corpus of error texts is whole: each file is in its format, and no text holds a secret."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_address
from typing import Any

import pytest
from pydantic import ValidationError

from tests.corpus.entries import HELD_OUT, Entry, read

FILES = sorted(HELD_OUT.glob("*.yaml"))
LEAST = 140
AREAS = {"connections", "dumps", "limits", "migrations", "not_ours", "platform", "privileges"}

MASKED = {"*" * count for count in range(2, 9)}
PASSWORDS = re.compile(r"://[^\s:/@]*:([^\s@/]+)@|PASSWORD\s+'([^']*)'", re.IGNORECASE)
MAILS = re.compile(r"[\w.+-]+@[\w.-]+\.[a-z]{2,}\b")
ADDRESSES = re.compile(r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
TOKENS = re.compile(r"\b(?=\w*[a-z])(?=\w*[A-Z])(?=\w*\d)\w{24,}\b")

ENTRY: dict[str, Any] = {
    "id": "some-id",
    "text": "ERROR:  permission denied for table users",
    "source": "provoked",
    "service": None,
    "cause": "A read is not declared.",
    "ours": True,
    "fix": {"kind": "stack-file", "says": ["reads"], "never": []},
    "confident": False,
}


@cache
def areas() -> dict[str, list[Entry]]:
    return {file.stem: read(file) for file in FILES}


def entries() -> list[Entry]:
    return [entry for found in areas().values() for entry in found]


def test_each_area_has_its_file() -> None:
    assert areas().keys() == AREAS
    assert {path.name for path in HELD_OUT.iterdir()} == {file.name for file in FILES}


def test_there_are_enough_and_each_has_its_own_id_and_text() -> None:
    found = entries()
    assert len(found) >= LEAST
    for key in ("id", "text"):
        counts = Counter(getattr(entry, key) for entry in found)
        assert [value for value, count in counts.items() if count > 1] == []


def test_no_expression_fits_everything_or_is_both_wanted_and_refused() -> None:
    for entry in entries():
        says, never = ({expression.pattern for expression in found} for found in (entry.fix.says, entry.fix.never))
        assert not [expression for expression in (*entry.fix.says, *entry.fix.never) if expression.search("")], entry.id
        assert not says & never, entry.id


def test_what_is_not_ours_is_in_its_own_file() -> None:
    assert {area for area, found in areas().items() for entry in found if not entry.ours} == {"not_ours"}


def test_no_text_holds_a_secret() -> None:
    assert [(entry.id, secret) for entry in entries() for secret in secrets(entry.text)] == []


def secrets(text: str) -> Iterator[str]:
    """Passwords, mail addresses, addresses in the Internet and random tokens."""
    yield from (word for found in PASSWORDS.findall(text) for word in found if word and word not in MASKED)
    yield from (address for address in MAILS.findall(text) if not address.endswith(".internal"))
    yield from (address for address in ADDRESSES.findall(text) if ip_address(address).is_global)
    yield from TOKENS.findall(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("postgresql://onside_user:hunter2@db:5432/railway", ["hunter2"]),
        ("postgresql://onside_user:***@postgres.railway.internal/railway", []),
        ("ALTER ROLE a PASSWORD 'hunter2'", ["hunter2"]),
        ("from somebody@mail.example.com", ["somebody@mail.example.com"]),
        ("postgresql://onside_user@postgres.railway.internal/railway", []),
        ("host 8.8.8.8, 10.0.0.7, 203.0.113.14", ["8.8.8.8"]),
        ("token aB3dE5fG7hI9jK1lM3nO5pQ7", ["aB3dE5fG7hI9jK1lM3nO5pQ7"]),
    ],
)
def test_secrets_are_seen(text: str, found: list[str]) -> None:
    assert [*secrets(text)] == found


def test_an_entry_is_read() -> None:
    entry = Entry.model_validate(ENTRY)
    assert entry.fix.says[0].search("add `Reads:` to the stack file")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "Some id"}, "id"),
        ({"text": ""}, "text"),
        ({"source": "a forum"}, "source"),
        ({"service": "scheduler"}, "service"),
        ({"cause": None}, "either one cause or several"),
        ({"causes": ["One.", "Another."]}, "either one cause or several"),
        ({"cause": None, "causes": ["One."]}, "either one cause or several"),
        ({"cause": None, "causes": ["One.", "Another."], "confident": True}, "nobody can be sure"),
        ({"ours": "yes"}, "ours"),
        ({"ours": False}, "none otherwise"),
        ({"fix": {"kind": "none", "says": [], "never": []}}, "has a fix if it is ours"),
        ({"fix": {"kind": "sql", "says": [], "never": []}}, "has a fix if it is ours"),
        ({"fix": {"kind": "guess", "says": ["a"], "never": []}}, "kind"),
        ({"fix": {"kind": "sql", "says": ["a"]}}, "never"),
        ({"comment": "new"}, "comment"),
    ],
)
def test_a_fault_of_an_entry_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Entry.model_validate({**ENTRY, **changes})


def test_an_expression_that_is_none_is_refused() -> None:
    with pytest.raises(re.error):
        Entry.model_validate({**ENTRY, "fix": {"kind": "sql", "says": ["(open"], "never": []}})
