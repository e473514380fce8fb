"""Where an env.py sets a search_path, and to what."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from engarde.alembic.environment import Environment
from engarde.alembic.source import Function

Way = Literal["statement", "options", "server_settings"]

_SET = re.compile(r"search_path\s*(?:=|\bto\b)\s*(.*)", re.I | re.S)
_CALLED = re.compile(r"set_config\(\s*'search_path'\s*,\s*'((?:[^']|'')*)'", re.I)
_PART = re.compile(r'\s*(?:"((?:[^"]|"")*)"|\'((?:[^\']|\'\')*)\'|([^\s,;"\']+))\s*(,|$|;)')


@dataclass(frozen=True, slots=True)
class SetPath:
    """One place that sets it."""

    line: int
    schemas: tuple[str, ...] | None
    """None where only running it would tell"""
    way: Way
    within: Function | None


def paths(env: Environment) -> Iterator[SetPath]:
    """All places, in the order of the text."""
    for node in env.source.nodes:
        if not isinstance(node, ast.expr) or not _is_whole(env, node):
            continue
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "search_path":
                    text = env.value(value).likely
                    listed = spelled(text) if isinstance(text, str) else None
                    yield SetPath(value.lineno, listed, "server_settings", env.source.function(node))
        elif isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp) and _mentions(node):
            text = env.value(node).likely
            way: Way = "options" if _is_option(node) else "statement"
            listed = _stated(text, way) if isinstance(text, str) else None
            if listed != ():
                yield SetPath(node.lineno, listed, way, env.source.function(node))


def spelled(text: str) -> tuple[str, ...]:
    """The schemas of a search_path as PostgreSQL reads it; none where it is no such list."""
    found: list[str] = []
    place = 0
    while match := _PART.match(text, place):
        quoted, literal, bare, end = match.groups()
        # What stands in single quotes is one name, commas and all.
        found.append(
            quoted.replace('""', '"') if quoted is not None else literal if literal is not None else bare.lower()
        )
        place = match.end()
        if end != ",":
            break
    return tuple(found)


def _stated(text: str, way: Way) -> tuple[str, ...]:
    if called := _CALLED.search(text):
        return spelled(called[1].replace("''", "'"))
    match = _SET.search(text)
    if match is None:
        return ()
    if way == "options":
        # libpq takes words apart at spaces, unless a backslash guards them.
        return spelled(re.sub(r"\\(.)", r"\1", re.split(r"(?<!\\)\s", match[1])[0]))
    # So SQLAlchemy's `text` is told that a colon begins no parameter.
    return spelled(match[1].replace("\\:", ":"))


def _mentions(node: ast.expr) -> bool:
    parts = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    whole = "".join(parts).lower()
    return "search_path" in whole and (len(whole) > len("search_path") + 1)


def _is_option(node: ast.expr) -> bool:
    first = next((each.value for each in ast.walk(node) if isinstance(each, ast.Constant)), "")
    return isinstance(first, str) and first.lstrip().startswith("-")


def _is_whole(env: Environment, node: ast.expr) -> bool:
    """Neither a piece of a larger text nor a comment in the form of one."""
    parent = env.source.parents.get(node)
    return not isinstance(parent, ast.JoinedStr | ast.FormattedValue | ast.BinOp | ast.Expr | ast.Compare)
