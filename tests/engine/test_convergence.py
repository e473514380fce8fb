"""Any declared stack after any other: brought up, a second preview is empty, and everybody can do what is declared."""

import os
import random
from typing import Any

import pytest

from engarde.declaration.names import split_table
from tests.engine.conftest import Projects
from tests.engine.denied import denied
from tests.engine.program import Project
from tests.engine.random_stacks import EXISTING, World, prepare, schema_of, sql
from tests.parts import sampled

SEED = int(os.environ.get("ENGARDE_TEST_SEED", "20260214"))
STACKS = int(os.environ.get("ENGARDE_TEST_STACKS", "7"))
"""For each kind of admin; more of them for a longer run."""


@pytest.mark.timeout(120 + 60 * STACKS)
@pytest.mark.parametrize("stacks", sampled((2, STACKS), 2))
def test_stacks_by_chance_converge(projects: Projects, stacks: int) -> None:
    world = World(random.Random(SEED))
    with projects() as project:
        prepare(project)
        for number in range(stacks):
            declared = world.stack()
            if number:
                world.live_on(project, declared)
            try:
                converges(project, declared)
                does_what_is_declared(project, world, declared)
            except BaseException as error:
                error.add_note(f"stack {number + 1} of ENGARDE_TEST_SEED={SEED}: {declared}")
                raise
        world.live_on(project, {"services": {}})
        project.succeeds(project.destroy())


def converges(project: Project, declared: dict[str, Any]) -> None:
    project.declare(**declared)
    up = project.succeeds(project.up())
    if "no longer exists" in up.output:
        # A grant on a table that is gone is let go of in two steps.
        project.succeeds(project.up())
    assert project.succeeds(project.preview("--diff", "--expect-no-changes")).ops == {}


def does_what_is_declared(project: Project, world: World, declared: dict[str, Any]) -> None:
    outputs = project.outputs()
    assert len(outputs["passwords"]) == len(declared["services"]) + ("analytics" in declared)
    for role, password in outputs["passwords"].items():
        project.database.session(role, password).close()
    for service, entry in declared["services"].items():
        with project.connect(service) as session:
            found = session.execute("SELECT current_schemas(false)").fetchone()
            assert found == ([schema_of(service), "public"],)
            readable = {}
            for read in entry["reads"]:
                schema, table = split_table(read["table"]) or ("", "")
                if world.exists(schema, table):
                    readable[schema, table] = ", ".join(read.get("columns", ["*"]))
                    session.execute(f"SELECT {readable[schema, table]} FROM {sql(schema, table)}".encode())
            for schema, tables in EXISTING.items():
                for table in tables:
                    if readable.get((schema, table)) != "*":
                        denied(session, f"SELECT * FROM {sql(schema, table)}")
    if "analytics" in declared:
        reads = declared["analytics"].get("schemas", [*map(schema_of, declared["services"]), *EXISTING])
        own = {schema_of(name): tuple(world.tables.get(name, ())) for name in declared["services"]}
        with project.connect("analytics") as session:
            for schema, tables in {**EXISTING, **own}.items():
                for table in tables:
                    statement = f"SELECT * FROM {sql(schema, table)}"
                    if schema in reads:
                        session.execute(statement.encode())
                    else:
                        denied(session, statement)
