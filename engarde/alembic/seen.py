"""All that the rules look at, and how they say what they find."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from engarde.alembic import template
from engarde.alembic.environment import Environment
from engarde.alembic.models import Models
from engarde.alembic.paths import SetPath
from engarde.alembic.project import Project
from engarde.alembic.scripts import Graph
from engarde.declaration.delivery import UNSTATED, Variable
from engarde.declaration.model import Service, Stack
from engarde.declaration.names import PUBLIC
from engarde.output.findings import Finding, Remedy
from engarde.util.files import read_text
from engarde.util.quoting import quoted, word

UNJUDGED = "not judged"
"""The kind of finding that says no more than that the text does not tell."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One service's Alembic project, and what the stack file says of the service."""

    stack: Stack
    service: Service
    project: Project
    graph: Graph
    env: Environment
    models: Models
    paths: tuple[SetPath, ...]

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
            (node := each.options.get("target_metadata")) is not None and self.env.value(node).constant is not None
            for each in self.env.of("online")
        )

    @property
    def ours(self) -> bool:
        """Whether `init` has written it: what filters it has of its own only hide more of what is the service's."""
        return template.yours(read_text(self.project.env)) is not None

    @property
    def variables(self) -> dict[str, Variable]:
        """Those that hold its URLs where it runs."""
        return (self.service.railway or UNSTATED).variables

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
        """Says that something can only be told by running it, and what writes it so that it can be read."""
        return self.healed(UNJUDGED, line, expected, f"cannot be judged: {actual}", self.init, file)

    @property
    def init(self) -> Remedy:
        """Writes an env.py in which everything is right."""
        words = ("bin/engarde", "alembic", "init", str(self.project.folder), "--service", self.service.name)
        return Remedy("command", f"{' '.join(map(word, words))} --stack {self.stack.name}")
