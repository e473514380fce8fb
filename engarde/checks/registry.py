"""All checks of a stack and its servers: what each one compares, what it needs, and how its findings are fixed.

A check is a function of a module of this package, registered where it is defined. `verify`, `doctor`, the causes of
errors and the preconditions of commands select from these checks.
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
    "logins": "`verify`: each role logs in and tries what it may and may not do; not with `--no-logins`",
    "server": "`doctor`: the server",
    "admin": "`doctor`: the admin",
    "roles": "`doctor`: logins and connections",
    "objects": "`doctor`: misplaced objects",
    "migrations": "`doctor`: version tables",
    "runs": "`doctor`: unfinished runs and commands",
    "rotations": "`rotate`: before a login gets a new password",
}
VERIFIED: tuple[Group, ...] = ("isolation", "logins")
"""What `verify` asks, and what a stack file may accept."""
EXAMINED: tuple[Group, ...] = ("server", "admin", "roles", "objects", "migrations", "runs")
"""What `doctor` asks when it is given no text."""

Need = Literal["catalogs", "state", "sessions", "the admin's session", "services' logins"]
Scope = Literal["database", "server", "stack"]


class Stage(IntEnum):
    """The order of checks: findings of an earlier stage are fixed first, because later ones may depend on them."""

    FIRST = 0
    """queries that a session must run before it takes more locks"""
    SERVER = 1
    ADMIN = 2
    PLACING = 3
    """owners and schemas; the stages after it, up to `PRIVILEGES`, read the catalogs as they will be once these are
    fixed"""
    ROLES = 4
    PRIVILEGES = 5
    STATE = 6
    CODE = 7
    OBJECTS = 8
    LOGINS = 9
    RUNS = 10
    UP = 11
    """what the next run creates, once nothing stops it"""


@dataclass(frozen=True, slots=True)
class Question:
    """One kind of finding, described for people."""

    id: str
    """the findings' `check`; never renamed, because stack files name it"""
    says: str
    """what it finds, in Markdown"""
    kind: Kind
    """of its usual remedy"""
    remedy: str
    """that remedy, in Markdown"""
    safe: bool = False
    """whether some of its remedies lose no data and remove nobody's access, so that the tool may run them"""


Finder = Callable[[DatabaseStack, Observed], Iterable[Finding | Notice]]
"""Yields findings where the declared and the observed state differ, and notices."""


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of the declared with the observed state; it answers one or more questions."""

    module: str
    questions: tuple[Question, ...]
    group: Group
    needs: tuple[Need, ...]
    scope: Scope
    stage: Stage
    find: Finder

    def findings(self, stack: DatabaseStack, observed: Observed) -> tuple[Finding, ...]:
        """Where the two differ; computed once for each observed state.

        :raises Unreachable: something that it needs could not be read.
        """
        return tuple(said for said in self._said(stack, observed) if isinstance(said, Finding))

    def notices(self, stack: DatabaseStack, observed: Observed) -> tuple[Notice, ...]:
        """What should be looked at but is no finding.

        :raises Unreachable: as in `findings`.
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
    """The checks of these groups (default: all), in the order in which they run."""
    return tuple(check for check in _all() if check.group in (groups or GROUPS) and scope in (None, check.scope))


def answering(question: str) -> tuple[Check, ...]:
    """The checks whose findings have this id; if several groups have it, those of the first group."""
    found = [check for check in _all() if question in ids([check])]
    first = min((check.group for check in found), key=[*GROUPS].index)
    return tuple(check for check in found if check.group == first)


def ids(checks: Iterable[Check]) -> list[str]:
    """The ids of their findings."""
    return sorted({question.id for check in checks for question in check.questions})


def findings(stack: DatabaseStack, observed: Observed, *questions: str) -> list[Finding]:
    """The findings with these ids.

    :raises Unreachable: something that the checks need could not be read.
    """
    asked = dict.fromkeys(check for question in questions for check in answering(question))
    return [found for check in asked for found in check.findings(stack, observed) if found.check in questions]


def stack_findings(stack: Stack, recorded: Recorded, *questions: str) -> list[Finding]:
    """The same for checks of the whole stack, which ask no server.

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
All checks of a stack, its databases and its servers. `verify` runs the first two groups, and `doctor` without an error
text the groups named after it. `doctor` uses the same checks to find the cause of an error, and other commands as
preconditions. This page is generated from `engarde/checks/` (`engarde.checks.registry.document`)."""


def _sections() -> Iterator[str]:
    for group, title in GROUPS.items():
        yield from ("", f"## {title}", "", "| check | what it finds | scope | reads | remedy | `--fix` |")
        yield "| --- | --- | --- | --- | --- | --- |"
        for check in checks(group):
            for question in check.questions:
                needs, fix = ", ".join(check.needs) or "journals", "some" if question.safe else "no"
                remedy = f"{question.kind}: {question.remedy}"
                yield f"| `{question.id}` | {question.says} | {check.scope} | {needs} | {remedy} | {fix} |"
