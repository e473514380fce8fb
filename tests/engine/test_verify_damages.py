"""Each damage is named by verify, with the right subject, and what it prints heals it."""

from collections.abc import Iterator

import pytest

from tests.conftest import Projects
from tests.engine.program import STACK_FILE, Project
from tests.engine.verify_damages import CONTENT, DAMAGES, STACK
from tests.engine.verifying import heal, told, verified

pytestmark = pytest.mark.xdist_group("verify-damages")


@pytest.fixture(scope="module")
def proved(projects: Projects) -> Iterator[Project]:
    """A stack with something of everything in it, as declared."""
    with projects(**STACK) as project:
        project.succeeds(project.up())
        for service in ("madansara", "sankore", "onside", "field-notes"):
            schema = STACK["services"][service]["schema"] if service == "field-notes" else service
            with project.connect(service) as session:
                for statement in CONTENT:
                    session.execute(statement.format(schema=f'"{schema}"').encode())
        project.succeeds(project.up())
        assert told(verified(project)) == []
        yield project


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_is_named_and_what_is_printed_heals_it(proved: Project, name: str) -> None:
    damage = DAMAGES[name]
    if proved.database.major < damage.since:
        pytest.skip(f"PostgreSQL {damage.since} brought it")
    stack_file = (proved.folder / STACK_FILE).read_text()
    proved.database.run(*damage.by_hand)
    try:
        found = verified(proved)
        assert (damage.check, damage.subject) in {(each.check, each.subject) for each in found.findings}, told(found)
        for _ in range(damage.rounds):
            for finding in verified(proved).findings:
                heal(proved, finding)
        assert told(verified(proved)) == []
    finally:
        if (proved.folder / STACK_FILE).read_text() != stack_file:
            proved.declare(**STACK)
            proved.succeeds(proved.up())
        proved.database.run(*damage.undo)
