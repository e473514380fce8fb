"""The history of an Alembic project, read from its version files without running them."""

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
    """what it follows; more than one where it merges, none where a history begins"""
    labels: tuple[str, ...]
    depends_on: tuple[str, ...]
    """what has to be there besides, by id or label"""
    title: str
    """the first line of its docstring"""
    file: Path
    line: int
    """where `down_revision` stands"""


@dataclass(frozen=True, slots=True)
class Graph:
    """Every revision of a project, and what follows what."""

    revisions: Mapping[str, Revision]
    labels: Mapping[str, str]
    """branch label: the revision that bears it"""

    @property
    def heads(self) -> tuple[str, ...]:
        """Those that nothing follows, as `alembic heads` lists them."""
        followed = {down for revision in self.revisions.values() for down in revision.down}
        return tuple(id_ for id_ in self.revisions if id_ not in followed)

    @property
    def target(self) -> str:
        """What `alembic upgrade` is told: `heads` where several end labelled branches that stand by themselves."""
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
        """What `alembic upgrade heads` would run on a version table that holds these, in an order that it may take.

        :raises ConfigError: a revision that is none of this project.
        """
        if unknown := sorted(id_ for id_ in current if id_ not in self.revisions):
            raise ConfigError(f"no revision of this project: {', '.join(unknown)}")
        applied = self._reached(current, self.needs)
        return tuple(self.revisions[id_] for id_ in self.sorter().static_order() if id_ not in applied)

    def needs(self, revision: Revision) -> tuple[str, ...]:
        """What has to be there before it, by id."""
        return (*revision.down, *(self.labels.get(name, name) for name in revision.depends_on))

    def sorter(self) -> TopologicalSorter[str]:
        """Puts them into an order in which each comes after what it needs."""
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
                raise ConfigError(f"{found.file}:{found.line}: branch label {label} is also another's")
            labels[label] = found.id
    whole = Graph(revisions, labels)
    for found in revisions.values():
        if missing := [name for name in whole.needs(found) if name not in revisions]:
            raise ConfigError(f"{found.file}:{found.line}: revision {found.id} follows {missing[0]}, which is nowhere")
    try:
        whole.sorter().prepare()
    except CycleError as error:
        circle = sorted({*error.args[1]})
        first = revisions[circle[0]]
        raise ConfigError(
            f"{first.file}:{first.line}: revisions that follow one another: {', '.join(circle)}"
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
    """What a version file says of itself.

    :raises ConfigError: it does not parse, or says it in a way that cannot be read without running it.
    """
    tree = parsed(file)
    said = {name: value for node in tree.body for name, value in assigned(node)}
    legacy = _LEGACY.fullmatch(file.name)
    ids = _texts(file, said, "revision") if "revision" in said else ((legacy[1],) if legacy else ())
    if len(ids) != 1:
        raise ConfigError(f"{file}:1: no `revision`")
    line = said["down_revision"].lineno if "down_revision" in said else 1
    down, labels, depends_on = (_texts(file, said, name) for name in ("down_revision", "branch_labels", "depends_on"))
    title = (ast.get_docstring(tree) or "").partition("\n")[0].strip()
    return Revision(ids[0], down, labels, depends_on, title, file, line)


def _texts(file: Path, said: Mapping[str, ast.expr], name: str) -> tuple[str, ...]:
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
    if isinstance(texts, tuple | list | set | frozenset) and all(isinstance(text, str) for text in texts):
        return tuple(sorted(texts)) if isinstance(texts, set | frozenset) else tuple(texts)
    raise ConfigError(f"{file}:{node.lineno}: `{name}` is not a text, a tuple of texts or None, written out")


@dataclass(frozen=True, slots=True)
class Wanting:
    """A function that `alembic` calls with what env.py gives `context.run_migrations`."""

    file: Path
    line: int
    name: str
    arguments: tuple[str, ...]
    """that it does not do without"""


def wanting(project: Project, given: Collection[str] = ()) -> tuple[Wanting, ...]:
    """The first of each name, in the order of their files, that wants more than it is given.

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
