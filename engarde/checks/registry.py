"""Every question about a stack and its servers, once: what it compares, what it has to know, and what heals it.

A check is a function of a module of this package, registered where it is defined; whatever is asked elsewhere
(`verify`, `doctor`, the causes of an error, what a command has to be sure of) is a choice of these.
"""

import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib import import_module
from typing import Literal

import engarde.checks
from engarde.checks.observed import Observed, Recorded, no_session
from engarde.declaration.databases import databases
from engarde.declaration.model import DatabaseStack, Stack
from engarde.output.findings import Finding, Kind, Notice

Group = Literal["isolation", "logins", "server", "admin", "roles", "objects", "migrations", "runs", "rotations"]
GROUPS: dict[Group, str] = {
    "isolation": "`verify`: the database is exactly as declared",
    "logins": "`verify`, by logging in as every role and trying; not with `--no-logins`",
    "server": "`doctor`: the server",
    "admin": "`doctor`: the admin",
    "roles": "`doctor`: logins and connections",
    "objects": "`doctor`: where things are",
    "migrations": "`doctor`: version tables",
    "runs": "`doctor`: runs",
    "rotations": "`rotate`: before a login gets a password",
}
VERIFIED: tuple[Group, ...] = ("isolation", "logins")
"""What `verify` asks, and what a stack file may accept."""
EXAMINED: tuple[Group, ...] = ("server", "admin", "roles", "objects", "migrations", "runs")
"""What `doctor` asks when it is given no text."""

Need = Literal["catalogs", "state", "sessions", "the admin's session", "services' logins"]
Scope = Literal["database", "server", "stack"]


class Stage(IntEnum):
    """When it is asked: what one finds is healed before what a later one finds, which may rest on that."""

    FIRST = 0
    """what a session has to ask before it has locked more"""
    SERVER = 1
    ADMIN = 2
    PLACING = 3
    """whose things are and where: up to `PRIVILEGES` all that follow are asked of the catalogs as they are then"""
    ROLES = 4
    PRIVILEGES = 5
    STATE = 6
    CODE = 7
    OBJECTS = 8
    LOGINS = 9
    RUNS = 10
    UP = 11
    """what the next run makes, once nothing is in its way"""


@dataclass(frozen=True, slots=True)
class Question:
    """What one kind of finding is about, for people."""

    id: str
    """the findings' `check`; a stack file names it, so that it is never called otherwise"""
    says: str
    """what it checks, one sentence in Markdown"""
    kind: Kind
    """of its usual remedy"""
    remedy: str
    """that remedy, one sentence in Markdown"""
    safe: bool = False
    """whether some of it loses no data and takes nothing from anybody, so that the tool may run it"""


Finder = Callable[[DatabaseStack, Observed], Iterable[Finding | Notice]]
"""Says where what is declared and what is observed differ, and what else is worth a look."""


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of what is declared with what is observed, by which one or more questions are answered."""

    module: str
    questions: tuple[Question, ...]
    group: Group
    needs: tuple[Need, ...]
    scope: Scope
    stage: Stage
    find: Finder

    def findings(self, stack: DatabaseStack, observed: Observed) -> tuple[Finding, ...]:
        """Where the two differ; asked once of what was observed.

        :raises Unreachable: something that it needs could not be asked.
        """
        return tuple(said for said in self._said(stack, observed) if isinstance(said, Finding))

    def notices(self, stack: DatabaseStack, observed: Observed) -> tuple[Notice, ...]:
        """What is worth a look, and no finding.

        :raises Unreachable: as of `findings`.
        """
        return tuple(said for said in self._said(stack, observed) if isinstance(said, Notice))

    def _said(self, stack: DatabaseStack, observed: Observed) -> tuple[Finding | Notice, ...]:
        if self.find not in observed.answers:
            observed.answers[self.find] = tuple(self.find(stack, observed))
        return observed.answers[self.find]


_REGISTERED: list[Check] = []


def check(
    *questions: Question, group: Group, stage: Stage, needs: tuple[Need, ...] = ("catalogs",), scope: Scope = "database"
) -> Callable[[Finder], Finder]:
    """Registers a comparison as the answer to these questions."""

    def register(find: Finder) -> Finder:
        module = find.__module__.rpartition(".")[2]
        _REGISTERED.append(Check(module, questions, group, needs, scope, stage, find))
        return find

    return register


@cache
def _all() -> tuple[Check, ...]:
    for module in pkgutil.iter_modules(engarde.checks.__path__):
        import_module(f"{engarde.checks.__name__}.{module.name}")
    return tuple(sorted(_REGISTERED, key=lambda check: (check.stage, check.module)))


def checks(*groups: Group, scope: Scope | None = None) -> tuple[Check, ...]:
    """Those of these groups, or all, in the order in which they are asked."""
    return tuple(check for check in _all() if check.group in (groups or GROUPS) and scope in (None, check.scope))


def answering(question: str) -> tuple[Check, ...]:
    """The checks whose findings bear this name; of several groups that print it in their words, those of the first."""
    found = [check for check in _all() if question in ids([check])]
    first = min((check.group for check in found), key=[*GROUPS].index)
    return tuple(check for check in found if check.group == first)


def ids(checks: Iterable[Check]) -> list[str]:
    """What their findings are called."""
    return sorted({question.id for check in checks for question in check.questions})


def findings(stack: DatabaseStack, observed: Observed, *questions: str) -> list[Finding]:
    """What is found of these questions alone.

    :raises Unreachable: something that they need could not be asked.
    """
    asked = dict.fromkeys(check for question in questions for check in answering(question))
    return [found for check in asked for found in check.findings(stack, observed) if found.check in questions]


def stack_findings(stack: Stack, recorded: Recorded, *questions: str) -> list[Finding]:
    """The same of the stack as a whole, for which no server is asked.

    :raises Unreachable: Pulumi could not be asked.
    """
    database = databases(stack)[0]
    observed = Observed(database, no_session, recorded)
    asked = [check for check in checks(scope="stack") if {*questions} & {*ids([check])}]
    return [found for check in asked for found in check.findings(database, observed) if found.check in questions]


def document() -> str:
    """All checks as Markdown: `docs/checks.md`."""
    return "\n".join(["# Checks", "", _INTRODUCTION, *_sections(), ""])


_INTRODUCTION = """\
Every question that the tool asks about a stack, its databases and its servers. `verify` asks the first two groups,
`doctor` without a text the others; the causes of an error, and what other commands have to be sure of, are some of the
same questions. This page is made of what `engarde/checks/` registers (`engarde.checks.registry.document`)."""


def _sections() -> Iterator[str]:
    for group, title in GROUPS.items():
        yield from ("", f"## {title}", "", "| check | what it asks | of | needs | remedy | `--fix` |")
        yield "| --- | --- | --- | --- | --- | --- |"
        for check in checks(group):
            for question in check.questions:
                needs, fix = ", ".join(check.needs) or "this machine", "some" if question.safe else "no"
                remedy = f"{question.kind}: {question.remedy}"
                yield f"| `{question.id}` | {question.says} | {check.scope} | {needs} | {remedy} | {fix} |"
