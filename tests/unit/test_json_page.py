"""docs/json.md has each key that a command prints, with its type, and no other; its examples are of that form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import click
import pytest

from engarde.cli import main
from engarde.output.show import VERSION, document
from launcher.paths import PROJECT
from tests.unit.results import RESULTS, names

_, *PARTS = re.split(r"^#{2,3} (.+)$", (PROJECT / "docs/json.md").read_text(), flags=re.MULTILINE)
SECTIONS = dict(zip(PARTS[::2], PARTS[1::2], strict=True))
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| .*\|$", re.MULTILINE)
LINK = re.compile(r"\[(.+)\]\(#.+\)")
EXAMPLE = re.compile(r"```json\n(.*?)```", re.DOTALL)
TYPES = {"string": str, "boolean": bool, "number": int | float, "object": dict}
COMMANDS = RESULTS.keys() - {"verify SERVICE"}
PRINT_THE_SAME = {"migrate run": "migrate", "split back": "split run"}


def documented(title: str) -> dict[str, str]:
    """Key -> type, of the objects that it refers to, too."""
    found: dict[str, str] = {}
    for key, kind in ROW.findall(SECTIONS[title]):
        found[key] = LINK.sub("object", kind)
        # A remedy may hold another one, which holds none.
        if (link := LINK.search(kind)) and link[1] != title.lower():
            joined = f"{key}[]" if kind.startswith("list") else key
            inner = documented(next(name for name in SECTIONS if name.lower() == link[1].lower()))
            found |= {f"{joined}.{name}": type_ for name, type_ in inner.items() if name != "version"}
    return found


def printed(value: Any, known: dict[str, str], path: str = "") -> Iterator[tuple[str, Any]]:
    """Each key with its value; names that are keys are `*`."""
    if isinstance(value, dict):
        for name, inner in value.items():
            key = f"{path}.*" if f"{path}.*" in known else f"{path}.{name}".removeprefix(".")
            yield key, inner
            yield from printed(inner, known, key)
    for inner in value if isinstance(value, list) else ():
        yield from printed(inner, known, f"{path}[]")


def fits(value: Any, kind: str) -> bool:
    if value is None:
        return kind.endswith(" or null")
    kind = kind.removesuffix(" or null")
    if kind.startswith("list of "):
        return isinstance(value, list) and all(fits(item, kind.removeprefix("list of ")) for item in value)
    return isinstance(value, TYPES[kind]) and isinstance(value, bool) == (kind == "boolean")


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_each_key_stands_there_with_its_type_and_no_other(command: str) -> None:
    known = documented(command)
    found = [*printed(json.loads(document(**RESULTS[command](names(4, "short")).data())), known)]
    assert {key for key, _ in found} == known.keys()
    assert [(key, value) for key, value in found if not fits(value, known[key])] == []


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_each_example_is_of_that_form(command: str) -> None:
    known = documented(command)
    [example] = map(json.loads, EXAMPLE.findall(SECTIONS[command]))
    assert example["version"] == VERSION
    found = [*printed(example, known)]
    assert {key for key, _ in found} <= known.keys()
    assert example.keys() == {key for key in known if "." not in key}
    assert [(key, value) for key, value in found if not fits(value, known[key])] == []


def test_each_command_that_prints_json_stands_there() -> None:
    found = {PRINT_THE_SAME.get(name, name) for name in with_json(main, "")}
    assert found == {re.sub(r" (TEXT|--all)$", "", command) for command in COMMANDS}


def with_json(command: click.Command, name: str) -> Iterator[str]:
    if isinstance(command, click.Group):
        for inner, member in command.commands.items():
            yield from with_json(member, f"{name} {inner}".strip())
    elif any(option.name == "output" for option in command.params):
        yield name
