"""Every recorded scenario, run on the real engine and a real server of its major."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher.engine import Engine
from tests.conformance.comparison import differences
from tests.conformance.conftest import Template
from tests.conformance.database import Database, database
from tests.conformance.engine import Project
from tests.conformance.programs import programs
from tests.conformance.recording import Outcome, Phase, Scenario, read
from tests.conformance.statements import transactions
from tests.parts import sampled
from tests.servers import DEFAULT

HERE = Path(__file__).parent
RECORDINGS = sampled(sorted(HERE.glob("*/*.json")), *HERE.glob(f"{DEFAULT}/*.json"))
"""Usually those with a superuser, on the server that `make up` takes."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: str(path.relative_to(HERE).with_suffix("")))
def test_conformance(recording: Path, engine: Engine, template_of: Template, tmp_path: Path) -> None:
    scenario = read(recording)
    project = Project.make(engine, tmp_path / "project")
    with database(template_of(scenario), superuser=scenario.superuser) as server:
        for number, (phase, observed, output) in enumerate(played(scenario, project, server)):
            found = differences(phase.outcome, observed)
            if found:
                what = phase.do or "; ".join(phase.sql)
                told = [output] if observed.exit != phase.outcome.exit else []
                pytest.fail("\n\n".join([f"phase {number}: {what}", *found, *told]), pytrace=False)


def played(scenario: Scenario, project: Project, database: Database) -> Iterator[tuple[Phase, Outcome, str]]:
    """Plays a scenario's phases one by one: each with what it did and what the engine printed."""
    for phase, program in zip(scenario.phases, programs(scenario), strict=True):
        if not phase.do:
            database.run(phase.sql)
            yield phase, Outcome(database.catalog()), ""
            continue
        if program is not None:
            project.write(database.provider(), program)
        offset = database.log.stat().st_size
        run = project.run(phase.do)
        done = transactions(database.log, offset)
        observed = Outcome(database.catalog(), run.exit, run.steps, run.errors, project.state(), done)
        yield phase, observed, run.output
