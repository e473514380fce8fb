"""What the rules read, and how they report their findings."""

import ast
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Literal

from engarde.alembic.project import Project
from engarde.alembic.scripts import Graph
from engarde.alembic.source import UNKNOWN, Source, Value
from engarde.declaration.address import UNSTATED, Variable
from engarde.declaration.model import Service, Stack
from engarde.declaration.names import PUBLIC, VERSION_TABLE
from engarde.output.findings import Finding, Remedy
from engarde.util.quoting import quoted, word

Mode = Literal["online", "offline"]
Way = Literal["statement", "options", "server_settings"]

UNJUDGED = "not judged"
"""The kind of finding for what the text does not show."""

ANY = "any_table"
"""Stands for a table of any name."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as autogenerate shows it to the filters."""

    schema: str | None
    """None for the login's first schema"""
    name: str = ANY
    declared: bool = False
    """the models have it"""
    exists: bool = True
    """the database has it"""
    modelled: str | None = None
    """its schema in the models"""


Answers = Mapping[Table, bool | None]
"""Whether autogenerate compares a table; None if that is not known."""


@dataclass(frozen=True, slots=True)
class Configure:
    """One call of `context.configure`, for one of its two modes."""

    mode: Mode
    line: int
    options: Mapping[str, ast.expr] = field(repr=False)
    opaque: bool = False
    """it has more options, which only running it would show"""
    within: object = field(default=None, repr=False)
    """the function that it is in, or the mode in which it was run"""
    answers: Answers | None = field(default=None, repr=False)
    """what its filters answered, if they were run"""


@dataclass(frozen=True, slots=True)
class Sink:
    """A place where the program states its URL."""

    line: int
    value: Value
    of: Literal["option", "engine", "offline"]
    """`option`: configparser reads it, to which % has a meaning; `offline`: `context.configure` only reads from it that
    the database is PostgreSQL, and needs no driver"""
    driver: str | None = None
    """the engine's driver, if it was run; empty for an option"""


@dataclass(frozen=True, slots=True)
class SetPath:
    line: int
    schemas: tuple[str, ...] | None
    """None if only running it would show them"""
    way: Way
    within: object = field(repr=False)
    """as in a Configure"""
    written: bool = False
    """Alembic itself executes it, and so writes it into a script in offline mode"""


@dataclass(frozen=True, slots=True)
class Early:
    """A statement before `context.configure` whose transaction is still open there."""

    line: int
    texts: tuple[str, ...]
    """the strings in it"""
    sure: bool
    """False: only running it would show"""


@dataclass(frozen=True, slots=True)
class Named:
    """One place that names a schema of the models' tables."""

    file: Path
    line: int
    schema: object
    """UNKNOWN if the text does not show it"""
    of_metadata: bool
    """it is the default of all tables, not that of one table"""
    keys: bool
    """the tables that it applies to have foreign keys"""


@dataclass(frozen=True, slots=True)
class Environment:
    """One env.py."""

    source: Source
    ours: frozenset[str]
    """its functions that do what those of `init` do"""
    configures: tuple[Configure, ...]
    sinks: tuple[Sink, ...]
    engines: tuple[ast.Call, ...] = field(repr=False)
    paths: tuple[SetPath, ...]
    early: tuple[Early, ...]
    schemas_made: tuple[int, ...] = ()
    """the lines that created a schema, if it was run"""
    asynchronous: bool = False
    """its engine is asynchronous"""

    def of(self, mode: Mode) -> tuple[Configure, ...]:
        return tuple(configure for configure in self.configures if configure.mode == mode)

    @property
    def of_several(self) -> tuple[Configure, ...]:
        """The calls that tell Alembic of several databases, as Alembic's own template does."""
        tokens = {"upgrade_token", "downgrade_token"}
        return tuple(configure for configure in self.configures if tokens & configure.options.keys())


@dataclass(frozen=True, slots=True)
class Context:
    """One service's Alembic project, and the service in the stack file."""

    stack: Stack | None
    """None if there is no stack file, and the service is known only by its names"""
    service: Service
    project: Project
    graph: Graph
    env: Environment
    models: tuple[Named, ...]
    run: bool = False
    """its env.py was run"""
    failures: tuple[tuple[Mode, int, str], ...] = ()
    """the modes in which it failed then, with the line and the error"""

    @property
    def schema(self) -> str:
        """The service's own schema."""
        return self.service.schema_

    @property
    def literal(self) -> str:
        """The schema's name as a Python string."""
        return json.dumps(self.schema, ensure_ascii=False)

    @property
    def set_path(self) -> str:
        """The statement that makes the own schema the whole search_path, as a Python string."""
        statement = f"SET search_path TO {quoted(self.schema)}"
        return f"'{statement}'" if "'" not in statement else json.dumps(statement, ensure_ascii=False)

    @property
    def known_schemas(self) -> tuple[str, ...]:
        """The schemas that the stack file declares, and `public`."""
        return (*(self.stack.schemas if self.stack else ()), PUBLIC)

    @property
    def others(self) -> tuple[str, ...]:
        """Schemas that are not the service's, including one that is declared later."""
        declared = [name for name in self.known_schemas if name != self.schema]
        return (*dict.fromkeys(declared), "of_a_later_service")

    @property
    def autogenerates(self) -> bool:
        """Whether it passes its models to Alembic."""
        given = [configure.options.get("target_metadata") for configure in self.env.of("online")]
        return any(node is not None and self.env.source.value(node).constant is not None for node in given)

    @property
    def variables(self) -> dict[str, Variable]:
        """The variables that hold its URLs where it runs."""
        return (self.service.railway or UNSTATED).variables

    def sees(self, configure: Configure, table: Table) -> bool | None:
        """Whether autogenerate compares a table; None if that is not known.

        Of filters that were not run, only the one that findings recommend is known.
        """
        if configure.answers is not None:
            return configure.answers.get(table)
        if configure.opaque:
            return None
        source, options, none = self.env.source, configure.options, ast.Constant(None)
        schemas = source.value(options.get("include_schemas", none)).constant
        names, objects = options.get("include_name", none), options.get("include_object", none)
        elsewhere, told = table.schema is not None, table.exists and source.value(names).constant is not None
        if table.exists and elsewhere and not schemas:
            return False
        right = isinstance(names, ast.Name) and (names.id in self.env.ours or _is_right(source, names.id, self.schema))
        if told and right and (table.schema not in (None, self.schema) or table.name == VERSION_TABLE):
            return False
        told_more = source.value(objects).constant is not None
        return None if (told and not right) or told_more or (elsewhere and schemas is UNKNOWN) else True

    def own_is_seen(self, configure: Configure) -> bool | None:
        """Whether autogenerate compares the service's own tables, including those that do not exist yet."""
        if configure.answers is not None:
            schemas: list[object] = [table.modelled for table in configure.answers if table.declared]
        else:
            schemas = [named.schema for named in self.models if named.of_metadata] or [None]
            schemas += [named.schema for named in self.models if named.schema == self.schema]
        known = [schema for schema in schemas if schema is None or isinstance(schema, str)] or [None, self.schema]
        answers: set[bool | None] = set()
        for schema in known:
            tables = [Table(None, ANY, declared=True, exists=exists, modelled=schema) for exists in (True, False)]
            both = [self.sees(configure, table) for table in tables]
            answers.add(False if False in both else None if None in both else True)
        return True if True in answers else None if None in answers else False

    def finding(
        self, check: str, line: int, expected: str, actual: str, *code: str, file: Path | None = None
    ) -> Finding:
        """A finding that a change of the service's code fixes, by default in env.py."""
        return self.healed(check, line, expected, actual, Remedy("code", "\n".join(code)), file)

    def healed(
        self, check: str, line: int, expected: str, actual: str, remedy: Remedy, file: Path | None = None
    ) -> Finding:
        place = (file or self.project.env).resolve()
        folder = self.project.folder.resolve()
        shown = place.relative_to(folder) if place.is_relative_to(folder) else place
        concerns = frozenset({self.service.role, self.schema})
        return Finding(check, f"{shown}:{line}", expected, actual, remedy, concerns)

    def unjudged(self, line: int, expected: str, actual: str, file: Path | None = None) -> Finding:
        """Reports what only running env.py can show, with the commands that help."""
        ways = [] if self.run else [f"{self._command('check')} --run  # runs env.py, without a database"]
        where = "" if self.stack else "in the folder of the stack file: "
        ways.append(f"{self._command('init')}  # {where}writes an env.py that can be judged")
        remedy = Remedy("command", "\n".join(ways))
        return self.healed(UNJUDGED, line, expected, f"cannot be judged: {actual}", remedy, file)

    def _command(self, name: str) -> str:
        words = ["bin/engarde", "alembic", name, self.service.name, str(self.project.folder)]
        if self.stack:
            words += ["--stack", self.stack.name]
        elif name == "check":
            words[0] = "engarde"
            words += ["--no-stack", "--schema", self.schema, "--role", self.service.role]
        return " ".join(map(word, words))


def by_name(schema: str) -> tuple[str, ...]:
    """The right filter, for a schema's name as a Python string."""
    return (
        "def include_name(name, type_, parent_names):",
        '    if type_ == "schema":',
        f"        return name in (None, {schema})  # None: the login's first schema, which is this one",
        f'    return not (type_ == "table" and name == "{VERSION_TABLE}")',
    )


def _is_right(source: Source, name: str, own: str) -> bool:
    """Whether a function is the right filter, its constants written out or by name."""
    there = (source, name) if name in source.functions else source.imported(name)
    function = there[0].functions.get(there[1] or "") if there else None
    if there is None or function is None:
        return False
    taken = [argument.arg for argument in function.args.args]
    right = ast.parse(dedent("\n".join(by_name(repr(own))[1:])))
    plain = _Constants(there[0], taken).visit(ast.parse("\n".join(map(ast.unparse, function.body))))
    return taken[:2] == ["name", "type_"] and ast.unparse(plain) == ast.unparse(right)


class _Constants(ast.NodeTransformer):
    """Replaces a module's names by their values."""

    def __init__(self, source: Source, but: Collection[str]) -> None:
        self.source, self.but = source, but

    def visit_Name(self, node: ast.Name) -> ast.expr:
        constant = UNKNOWN if node.id in self.but else self.source.value(node).constant
        return node if constant is UNKNOWN else ast.parse(repr(constant), mode="eval").body
