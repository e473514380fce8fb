"""The history of an Alembic project, read from its version files without running these."""

import ast
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from engarde.alembic.project import Project
from engarde.alembic.source import assigned, parsed
from engarde.errors import ConfigError

_LEGACY = re.compile(r"([a-f0-9]+)\.py")
_COUNTED = re.compile(r"(?!\.\#|__init__).*\.py")


@dataclass(frozen=True, slots=True)
class Revision:
    id: str
    down: tuple[str, ...]
    """the revisions that it follows; several if it merges, none if it begins a history"""
    labels: tuple[str, ...]
    depends_on: tuple[str, ...]
    """other revisions that it needs, by id or label"""
    title: str
    """the first line of its docstring"""
    file: Path
    line: int
    """the line of `down_revision`"""


@dataclass(frozen=True, slots=True)
class Graph:
    """Every revision of a project, and what follows what."""

    revisions: Mapping[str, Revision]
    labels: Mapping[str, str]
    """branch label -> its revision"""

    @property
    def heads(self) -> tuple[str, ...]:
        """The revisions that no other one follows, as `alembic heads` lists them."""
        followed = {down for revision in self.revisions.values() for down in revision.down}
        return tuple(id_ for id_ in self.revisions if id_ not in followed)

    @property
    def target(self) -> str:
        """What `alembic upgrade` goes to: `heads` if these end separate labelled branches."""
        branches = [self._reached([head], lambda revision: revision.down) for head in self.heads]
        labelled = all(any(self.revisions[id_].labels for id_ in branch) for branch in branches)
        apart = len(set().union(*branches)) == sum(map(len, branches))
        return "heads" if len(branches) > 1 and labelled and apart else "head"

    def _reached(self, ids: Iterable[str], follow: Callable[[Revision], Iterable[str]]) -> set[str]:
        """These, what they follow, and so on."""
        found: set[str] = set()
        waiting = [*ids]
        while waiting:
            id_ = waiting.pop()
            if id_ not in found:
                found.add(id_)
                waiting += follow(self.revisions[id_])
        return found

    def pending(self, current: Collection[str]) -> tuple[Revision, ...]:
        """What `alembic upgrade heads` would run if the version table holds these, in a possible order.

        :raises ConfigError: the project has no such revision.
        """
        if unknown := sorted(id_ for id_ in current if id_ not in self.revisions):
            raise ConfigError(f"the project has no revision {', '.join(unknown)}")
        applied = self._reached(current, self.needs)
        return tuple(self.revisions[id_] for id_ in self.sorter().static_order() if id_ not in applied)

    def needs(self, revision: Revision) -> tuple[str, ...]:
        """The revisions that have to run before it, by id."""
        return (*revision.down, *(self.labels.get(name, name) for name in revision.depends_on))

    def sorter(self) -> TopologicalSorter[str]:
        """Sorts them so that each comes after those that it needs."""
        return TopologicalSorter({id_: self.needs(revision) for id_, revision in self.revisions.items()})


def graph(project: Project) -> Graph:
    """The history of a project.

    :raises ConfigError: a version file that cannot be read, or a history that Alembic would refuse.
    """
    revisions: dict[str, Revision] = {}
    labels: dict[str, str] = {}
    for file in _files(project):
        found = revision(file)
        if (other := revisions.get(found.id)) is not None:
            raise ConfigError(f"{file}:{found.line}: revision {found.id} is also in {other.file}")
        revisions[found.id] = found
    for found in revisions.values():
        for label in found.labels:
            if label in labels or label in revisions:
                raise ConfigError(f"{found.file}:{found.line}: another revision already has branch label {label}")
            labels[label] = found.id
    whole = Graph(revisions, labels)
    for found in revisions.values():
        if missing := [name for name in whole.needs(found) if name not in revisions]:
            raise ConfigError(
                f"{found.file}:{found.line}: revision {found.id} follows {missing[0]}, which the project does not have"
            )
    try:
        whole.sorter().prepare()
    except CycleError as error:
        circle = sorted({*error.args[1]})
        first = revisions[circle[0]]
        raise ConfigError(
            f"{first.file}:{first.line}: revisions follow each other in a circle: {', '.join(circle)}"
        ) from None
    return whole


def _files(project: Project) -> Iterator[Path]:
    seen: set[Path] = set()
    for location in project.versions:
        for folder, folders, names in os.walk(location):
            if not folder.endswith("__pycache__"):
                for file in (Path(folder, name).resolve() for name in sorted(names)):
                    if _COUNTED.fullmatch(file.name) and file not in seen:
                        seen.add(file)
                        yield file
            if not project.recursive:
                break
            folders.sort()


def revision(file: Path) -> Revision:
    """The revision in a version file.

    :raises ConfigError: the file does not parse, or cannot be read without running it.
    """
    tree = parsed(file)
    said = {name: value for node in tree.body for name, value in assigned(node)}
    legacy = _LEGACY.fullmatch(file.name)
    ids = _texts(file, said, "revision") if "revision" in said else ((legacy[1],) if legacy else ())
    if len(ids) != 1:
        raise ConfigError(f"{file}:1: `revision` is missing")
    line = said["down_revision"].lineno if "down_revision" in said else 1
    down, labels, depends_on = (_texts(file, said, name) for name in ("down_revision", "branch_labels", "depends_on"))
    title = (ast.get_docstring(tree) or "").partition("\n")[0].strip()
    return Revision(ids[0], down, labels, depends_on, title, file, line)


def _texts(file: Path, said: Mapping[str, ast.expr], name: str) -> tuple[str, ...]:
    """The strings that a name has; it may be assigned from another name of the module."""
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
    if isinstance(texts, tuple | list | set | frozenset) and all(isinstance(text, str) for text in texts):
        return tuple(sorted(texts)) if isinstance(texts, set | frozenset) else tuple(texts)
    raise ConfigError(f"{file}:{node.lineno}: `{name}` must be a string, a tuple of strings or None, written out")


@dataclass(frozen=True, slots=True)
class Wanting:
    """A function that Alembic calls with the arguments that env.py passes to `context.run_migrations`."""

    file: Path
    line: int
    name: str
    arguments: tuple[str, ...]
    """those that it needs"""


def wanting(project: Project, given: Collection[str] = ()) -> tuple[Wanting, ...]:
    """The first function of each name, in the order of the files, that needs more arguments than it gets.

    :raises ConfigError: the history cannot be read.
    """
    found: dict[str, Wanting] = {}
    for file in sorted(revision.file for revision in graph(project).revisions.values()):
        for node in parsed(file).body:
            if isinstance(node, ast.FunctionDef) and node.name in ("upgrade", "downgrade"):
                by_place = [*node.args.posonlyargs, *node.args.args]
                needed = by_place[: len(by_place) - len(node.args.defaults)]
                pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
                needed += [word for word, default in pairs if default is None]
                names = tuple(word.arg for word in needed)
                if not {*names} <= {*given}:
                    found.setdefault(node.name, Wanting(file, node.lineno, node.name, names))
    return tuple(found.values())
