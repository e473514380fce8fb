"""The history of an Alembic project, read from its version files without running them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engarde.alembic.project import Project, project
from engarde.alembic.revisions import Revision, counts, revision
from engarde.errors import ConfigError

__all__ = ["Graph", "Project", "Revision", "graph", "project"]


@dataclass(frozen=True, slots=True)
class Graph:
    """Every revision of a project, and what follows what."""

    revisions: Mapping[str, Revision]
    labels: Mapping[str, str]
    """branch label: the revision that bears it"""

    @property
    def heads(self) -> tuple[str, ...]:
        """Those that nothing follows, as `alembic heads` lists them."""
        followed = {down for each in self.revisions.values() for down in each.down}
        return tuple(id_ for id_ in self.revisions if id_ not in followed)

    @property
    def target(self) -> str:
        """What `alembic upgrade` is told: `heads` where several end labelled branches that stand by themselves."""
        branches = [self._branch(each) for each in self.heads]
        labelled = all(any(self.revisions[id_].labels for id_ in branch) for branch in branches)
        apart = len(set().union(*branches)) == sum(map(len, branches))
        return "heads" if len(branches) > 1 and labelled and apart else "head"

    def _branch(self, head: str) -> set[str]:
        """A head and all that it follows."""
        found: set[str] = set()
        waiting = [head]
        while waiting:
            id_ = waiting.pop()
            if id_ not in found:
                found.add(id_)
                waiting += self.revisions[id_].down
        return found

    def knows(self, revision: str) -> bool:
        """Whether a version table's revision is one of this project."""
        return revision in self.revisions

    def pending(self, current: Collection[str]) -> tuple[Revision, ...]:
        """What `alembic upgrade heads` would run on a version table that holds these, in an order that it may take.

        :raises ConfigError: a revision that is none of this project.
        """
        if unknown := sorted(each for each in current if not self.knows(each)):
            raise ConfigError(f"no revision of this project: {', '.join(unknown)}")
        applied: set[str] = set()
        for _ in self._with_ancestors(current, applied):
            pass
        return tuple(self._with_ancestors(self.heads, applied))

    def needs(self, each: Revision) -> tuple[str, ...]:
        """What has to be there before it, by id."""
        return (*each.down, *(self.labels.get(name, name) for name in each.depends_on))

    def _with_ancestors(self, ids: Collection[str], done: set[str]) -> Iterator[Revision]:
        """These and all that they need, except what is done, each after what it needs."""
        # A stack of its own: a history may be longer than Python lets calls nest.
        waiting = [(id_, False) for id_ in reversed(list(ids))]
        while waiting:
            id_, ready = waiting.pop()
            if id_ in done:
                continue
            if ready:
                done.add(id_)
                yield self.revisions[id_]
            else:
                waiting.append((id_, True))
                waiting += [(need, False) for need in reversed(self.needs(self.revisions[id_]))]


def graph(project: Project) -> Graph:
    """The history of a project.

    :raises ConfigError: a version file that cannot be read, or a history that Alembic would refuse.
    """
    revisions: dict[str, Revision] = {}
    labels: dict[str, str] = {}
    for file in _files(project):
        each = revision(file)
        if (other := revisions.get(each.id)) is not None:
            raise ConfigError(f"{file}:{each.line}: revision {each.id} is also in {other.file}")
        revisions[each.id] = each
    for each in revisions.values():
        for label in each.labels:
            if label in labels or label in revisions:
                raise ConfigError(f"{each.file}:{each.line}: branch label {label} is also another's")
            labels[label] = each.id
    found = Graph(revisions, labels)
    for each in revisions.values():
        if missing := [name for name in found.needs(each) if name not in revisions]:
            raise ConfigError(f"{each.file}:{each.line}: revision {each.id} follows {missing[0]}, which is nowhere")
    _refuse_circle(found)
    return found


def _files(project: Project) -> Iterator[Path]:
    seen: set[Path] = set()
    for location in project.versions:
        for folder, folders, names in os.walk(location):
            if not folder.endswith("__pycache__"):
                for file in (Path(folder, name).resolve() for name in sorted(names)):
                    if counts(file) and file not in seen:
                        seen.add(file)
                        yield file
            if not project.recursive:
                break
            folders.sort()


def _refuse_circle(found: Graph) -> None:
    left = {id_: set(found.needs(each)) for id_, each in found.revisions.items()}
    followers: dict[str, list[str]] = {}
    for id_, needs in left.items():
        for need in needs:
            followers.setdefault(need, []).append(id_)
    free = [id_ for id_, needs in left.items() if not needs]
    while free:
        gone = free.pop()
        del left[gone]
        for follower in followers.get(gone, ()):
            left[follower].discard(gone)
            if not left[follower]:
                free.append(follower)
    if left:
        first = found.revisions[next(iter(left))]
        raise ConfigError(f"{first.file}:{first.line}: revisions that follow one another: {', '.join(sorted(left))}")
