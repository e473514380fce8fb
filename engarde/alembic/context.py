"""All that the rules look at, and how they say what they find."""

import json
from dataclasses import dataclass
from pathlib import Path

from engarde.alembic.environment import Configure, Environment, Mode, Named
from engarde.alembic.filters import ANY, Table
from engarde.alembic.project import Project
from engarde.alembic.scripts import Graph
from engarde.declaration.address import UNSTATED, Variable
from engarde.declaration.model import Service, Stack
from engarde.declaration.names import PUBLIC
from engarde.output.findings import Finding, Remedy
from engarde.util.quoting import quoted, word

UNJUDGED = "not judged"
"""The kind of finding that says no more than that the text does not tell."""


@dataclass(frozen=True, slots=True)
class Context:
    """One service's Alembic project, and what the stack file says of the service."""

    stack: Stack
    service: Service
    project: Project
    graph: Graph
    env: Environment
    models: tuple[Named, ...]
    run: bool = False
    """its env.py was run, too"""
    failures: tuple[tuple[Mode, int, str], ...] = ()
    """the modes in which it then did not come to its end, with the line and the error"""

    @property
    def schema(self) -> str:
        """The service's own."""
        return self.service.schema_

    @property
    def literal(self) -> str:
        """Its name as Python spells it."""
        return json.dumps(self.schema, ensure_ascii=False)

    @property
    def set_path(self) -> str:
        """The statement that leaves nothing but the own schema in the search_path, as Python spells it."""
        statement = f"SET search_path TO {quoted(self.schema)}"
        return f"'{statement}'" if "'" not in statement else json.dumps(statement, ensure_ascii=False)

    @property
    def others(self) -> tuple[str, ...]:
        """Schemas that are none of its business, one that comes later among them."""
        declared = [name for name in (*self.stack.schemas, PUBLIC) if name != self.schema]
        return (*dict.fromkeys(declared), "of_a_later_service")

    @property
    def autogenerates(self) -> bool:
        """Whether it hands its models to Alembic at all."""
        return any(
            (node := configure.options.get("target_metadata")) is not None
            and self.env.source.value(node).constant is not None
            for configure in self.env.of("online")
        )

    @property
    def variables(self) -> dict[str, Variable]:
        """Those that hold its URLs where it runs."""
        return (self.service.railway or UNSTATED).variables

    def own_is_seen(self, configure: Configure) -> bool | None:
        """Whether autogenerate compares the service's own tables, those that are still to be made among them."""
        if configure.answers is not None:
            schemas: list[object] = [table.modelled for table in configure.answers if table.declared]
        else:
            schemas = [named.schema for named in self.models if named.of_metadata] or [None]
            schemas += [named.schema for named in self.models if named.schema == self.schema]
        known = [schema for schema in schemas if schema is None or isinstance(schema, str)] or [None, self.schema]
        answers: set[bool | None] = set()
        for schema in known:
            tables = [Table(None, ANY, declared=True, exists=exists, modelled=schema) for exists in (True, False)]
            both = [self.env.sees(configure, table) for table in tables]
            answers.add(False if False in both else None if None in both else True)
        return True if True in answers else None if None in answers else False

    def finding(
        self, check: str, line: int, expected: str, actual: str, *code: str, file: Path | None = None
    ) -> Finding:
        """One that the service's own code heals, in env.py unless it is another file."""
        return self.healed(check, line, expected, actual, Remedy("code", "\n".join(code)), file)

    def healed(
        self, check: str, line: int, expected: str, actual: str, remedy: Remedy, file: Path | None = None
    ) -> Finding:
        """One with any remedy."""
        place = (file or self.project.env).resolve()
        folder = self.project.folder.resolve()
        shown = place.relative_to(folder) if place.is_relative_to(folder) else place
        concerns = frozenset({self.service.role, self.schema})
        return Finding(check, f"{shown}:{line}", expected, actual, remedy, concerns)

    def unjudged(self, line: int, expected: str, actual: str, file: Path | None = None) -> Finding:
        """Says that something can only be told by running it, and the two ways to have it told."""
        ways = [] if self.run else [f"{self._command('check')} --run  # runs env.py, without a database"]
        ways.append(f"{self._command('init')}  # writes an env.py that can be read")
        remedy = Remedy("command", "\n".join(ways))
        return self.healed(UNJUDGED, line, expected, f"cannot be judged: {actual}", remedy, file)

    def _command(self, name: str) -> str:
        words = ("bin/engarde", "alembic", name, str(self.project.folder), "--service", self.service.name)
        return f"{' '.join(map(word, words))} --stack {self.stack.name}"
