"""Stack files of every kind of fault, at the real engine and server: one message, and no statement."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.conftest import Projects
from tests.engine.program import STACK_FILE, Project
from tests.engine.test_faults import one_message

pytestmark = pytest.mark.xdist_group("faulty-files")

SECRET = "PlantedInAStackFile1"


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects() as project:
        yield project
        assert {resource["type"] for resource in project.resources().values()} <= {"pulumi:pulumi:Stack"}


def deep(levels: int) -> Any:
    return {"a": deep(levels - 1)} if levels else SECRET


FAULTY: dict[str, dict[str, Any]] = {
    "an address for a name": {"services": {f"postgresql://u:{SECRET}@h/d": None}},
    "mysql": {"services": {"scheduler": {"url": f"mysql://u:{SECRET}@h/d"}}},
    "a secret for a name": {"services": {SECRET: {"colour": 1}}},
    "the same role twice": {"services": {name: {"role": SECRET} for name in "ab"}},
    "the same schema twice": {"services": {"a": {"schema": SECRET}, "b": {"schema": SECRET}}},
    "an unknown schema": {"services": {"a": {"reads": [f"{SECRET}.t"]}}},
    "too deep": {"services": deep(60)},
    "a number for a map": {"server": 10**30},
    "a creator twice": {"existingSchemas": {"public": {"creators": [SECRET, SECRET]}}},
    "nothing right": {"services": [SECRET], "analytics": SECRET, "surprise": {SECRET: SECRET}},
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_faulty_file_is_one_message_and_no_statement(project: Project, fault: str) -> None:
    declared = FAULTY[fault]
    project.declare(**{section: value for section, value in declared.items() if section != "server"})
    if "server" in declared:
        file = project.folder / STACK_FILE
        document = json.loads(file.read_text())
        document["config"]["engarde:server"] = declared["server"]
        file.write_text(json.dumps(document))
    before = project.database.mark()
    run = project.up()
    assert one_message(run).startswith("error: Pulumi.local.yaml has faults. Nothing was changed.")
    assert SECRET not in run.output
    assert run.ops == {}
    assert project.database.changes(before) == []
