"""One revision of a history, and the file that makes it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from engarde.alembic.source import named, parsed
from engarde.errors import ConfigError

FIELDS = ("revision", "down_revision", "branch_labels", "depends_on")

_LEGACY = re.compile(r"([a-f0-9]+)\.py")
_COUNTED = re.compile(r"(?!\.\#|__init__).*\.py")


@dataclass(frozen=True, slots=True)
class Revision:
    """One migration."""

    id: str
    down: tuple[str, ...]
    """what it follows; more than one where it merges, none where a history begins"""
    labels: tuple[str, ...]
    depends_on: tuple[str, ...]
    """what has to be there besides, by id or label"""
    title: str
    """the first line of its docstring"""
    file: Path
    line: int
    """where `down_revision` stands"""


def counts(file: Path) -> bool:
    """Whether Alembic takes a file for a revision, by its name."""
    return _COUNTED.fullmatch(file.name) is not None


def revision(file: Path) -> Revision:
    """What a version file says of itself.

    :raises ConfigError: it does not parse, or says it in a way that cannot be read without running it.
    """
    tree = parsed(file)
    said = _assigned(tree)
    legacy = _LEGACY.fullmatch(file.name)
    ids = _texts(file, said, "revision") if "revision" in said else ((legacy[1],) if legacy else ())
    if len(ids) != 1:
        raise ConfigError(f"{file}:1: no `revision`")
    line = said["down_revision"].lineno if "down_revision" in said else 1
    down, labels, depends_on = (_texts(file, said, name) for name in FIELDS[1:])
    title = (ast.get_docstring(tree) or "").partition("\n")[0].strip()
    return Revision(ids[0], down, labels, depends_on, title, file, line)


def _assigned(tree: ast.Module) -> dict[str, ast.expr]:
    """The values of a module's own names, the last one of each."""
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    found |= dict(named(target, value))
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                found |= dict(named(target, value))
    return found


def _texts(file: Path, said: dict[str, ast.expr], name: str) -> tuple[str, ...]:
    """A text, several, or None; another name of the same module stands for its value."""
    node = said.get(name)
    seen: set[str] = set()
    while isinstance(node, ast.Name) and node.id in said and node.id not in seen:
        seen.add(node.id)
        node = said[node.id]
    if node is None:
        return ()
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError):
        value = ...
    if not value and value is not ...:
        return ()
    texts = (value,) if isinstance(value, str) else value
    if isinstance(texts, tuple | list | set | frozenset) and all(isinstance(each, str) for each in texts):
        return tuple(sorted(texts)) if isinstance(texts, set | frozenset) else tuple(texts)
    raise ConfigError(f"{file}:{node.lineno}: `{name}` is not a text, a tuple of texts or None, written out")
