"""Version files whose functions want to be given something, such as the name of one of several databases."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from engarde.alembic.project import Project
from engarde.alembic.scripts import graph
from engarde.alembic.source import parsed


@dataclass(frozen=True, slots=True)
class Wanting:
    """A function that `alembic` calls with what env.py gives `context.run_migrations`."""

    file: Path
    line: int
    name: str
    arguments: tuple[str, ...]
    """that it does not do without"""


def wanting(project: Project) -> tuple[Wanting, ...]:
    """All of them, in the order of their files.

    :raises ConfigError: the history cannot be read.
    """
    found = []
    for file in sorted(each.file for each in graph(project).revisions.values()):
        for node in parsed(file).body:
            if isinstance(node, ast.FunctionDef) and node.name in ("upgrade", "downgrade"):
                by_place = [*node.args.posonlyargs, *node.args.args]
                needed = by_place[: len(by_place) - len(node.args.defaults)]
                pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
                names = [each.arg for each in (*needed, *(each for each, default in pairs if default is None))]
                if names:
                    found.append(Wanting(file, node.lineno, node.name, tuple(names)))
    return tuple(found)
