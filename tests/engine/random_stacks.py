"""Stacks by chance, declared one after the other on one server, and what services do between them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.engine.admins import BACKEND
from tests.engine.program import THE_ADMIN, Project

SERVICES: dict[str, dict[str, str]] = {
    "plain": {},
    "Dash-ed": {},
    "O'Brien": {},
    'quo"te.d': {"schema": "quote.d"},
    "數據": {},
    "a.b": {"role": "select"},
    "$1 %s": {"schema": "true"},
    "x" * 58: {},
    "back\\slash": {"schema": "100%", "role": "Role\\connect"},
}
"""With what never changes about each: a role keeps its name, and a schema is renamed by hand."""

LEGACY, OUTSIDER = "le-ga.cy", "Out-side"
EXISTING = {"public": ("users", "brands"), LEGACY: ("things",)}
READER = ("connectionLimit", "statementTimeout", "idleInTransactionSessionTimeout")


def schema_of(service: str) -> str:
    return SERVICES[service].get("schema", service)


def sql(*names: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def prepare(project: Project) -> None:
    """What the stacks find: a schema beside `public`, and a second role outside of them."""
    database = project.database
    database.run(f"CREATE ROLE {sql(OUTSIDER)}")
    database.run_as(
        database.admin, f"CREATE SCHEMA {sql(LEGACY)}", f"CREATE TABLE {sql(LEGACY, 'things')} (id serial, word text)"
    )


@dataclass
class World:
    """The tables that services have made, and the chance that decides what comes next."""

    chance: Random
    tables: dict[str, list[str]] = field(default_factory=dict)
    made: int = 0
    rotations: Counter[str] = field(default_factory=Counter)
    """how often each login has got a new password"""

    def stack(self) -> dict[str, Any]:
        """The sections of the next stack file."""
        chance = self.chance
        names = sorted(chance.sample(sorted(SERVICES), chance.randint(0, 4)))
        schemas = [*(schema_of(name) for name in names), *EXISTING]
        analytics = self._settings("analytics")
        if chance.random() < 0.5:
            analytics["schemas"] = sorted(chance.sample(schemas, chance.randint(1, len(schemas))))
        rights = {schema: ["USAGE", *chance.sample(["CREATE"], chance.randint(0, 1))] for schema in EXISTING}
        outside = {name: {"schemas": rights} for name in (BACKEND, OUTSIDER) if chance.random() < 0.6}
        return {
            "services": {name: self._service(name, names) for name in names},
            "existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}, LEGACY: None},
            "outsideRoles": outside,
            **({"analytics": analytics} if chance.random() < 0.7 else {}),
            **({"extensions": {"hstore": None}} if chance.random() < 0.4 else {}),
        }

    def _settings(self, login: str) -> dict[str, Any]:
        # Not fewer: a session that was closed is still there for a moment when the next one begins.
        choices = {"connectionLimit": (3, 5, 20)}
        chosen = {
            key: self.chance.choice(choices.get(key, (0, 1000, 30_000))) for key in READER if self.chance.random() < 0.5
        }
        # Never back: a lower counter than the state's is refused.
        self.rotations[login] += self.chance.choice((0, 0, 1, 2))
        return chosen | {"rotation": self.rotations[login] + 1}

    def _service(self, name: str, names: list[str]) -> dict[str, Any]:
        others = [(schema_of(other), table) for other in names for table in [*self.tables.get(other, []), "not yet"]]
        found = [(schema, table) for schema, tables in EXISTING.items() for table in tables]
        candidates = [each for each in [*others, *found] if each[0] != schema_of(name)]
        tables = self.chance.sample(candidates, min(len(candidates), self.chance.randint(0, 3)))
        reads = [
            {"table": sql(*table), **({"columns": ["id"]} if self.chance.random() < 0.4 else {})} for table in tables
        ]
        return {**SERVICES[name], **self._settings(name), "reads": reads}

    def live_on(self, project: Project, following: dict[str, Any]) -> None:
        """Services make and drop tables, and those that are about to go empty their schemas."""
        for service in project.outputs()["services"]:
            tables = self.tables.setdefault(service, [])
            with project.connect(service) as session:
                leaves = service not in following["services"]
                for table in list(tables):
                    if leaves or self.chance.random() < 0.2:
                        session.execute(f"DROP TABLE {sql(table)}".encode())
                        tables.remove(table)
                if not leaves and self.chance.random() < 0.6:
                    # Never a name again: a table that was dropped and made anew is granted by a refresh alone.
                    self.made += 1
                    tables.append(f"T-{self.made}")
                    session.execute(f"CREATE TABLE {sql(tables[-1])} (id serial PRIMARY KEY, word text)".encode())

    def exists(self, schema: str, table: str) -> bool:
        """Whether there is such a table now."""
        own = {schema_of(service): tables for service, tables in self.tables.items()}
        return table in EXISTING.get(schema, own.get(schema, ()))
