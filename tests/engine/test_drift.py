"""What somebody changed by hand: refresh finds it, the next run repairs it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psycopg
import pytest

from tests.engine.admins import only_superuser
from tests.engine.conftest import Projects
from tests.engine.damages import BY_ANYBODY, BY_SUPERUSER, DAMAGES, STACK
from tests.engine.program import Project

pytestmark = pytest.mark.xdist_group("drift")


@dataclass(frozen=True, slots=True)
class Healing:
    """Which of the questions were answered with true at each stage, and what the refresh has found."""

    before: dict[str, bool]
    damaged: dict[str, bool]
    found: dict[str, str]
    repaired: dict[str, bool]


@pytest.fixture(scope="module")
def healing(projects: Projects) -> Iterator[Healing]:
    """Everything is damaged at once."""
    with projects(**STACK) as project:
        project.succeeds(project.up())
        with project.connect("onside") as session:
            session.execute("CREATE TABLE things (id serial)")
        project.succeeds(project.up())
        [(verifier,)] = project.database.rows("SELECT rolpassword FROM pg_authid WHERE rolname = 'onside_user'")
        before = answers(project, verifier)
        superuser = project.database.admin.superuser
        project.database.run(*(damage.by_hand for damage in DAMAGES.values() if superuser or not damage.for_superuser))
        damaged = answers(project, verifier)
        found = project.succeeds(project.refresh()).ops
        project.succeeds(project.up())
        yield Healing(before, damaged, found, answers(project, verifier))
        assert project.succeeds(project.up("--refresh")).ops == {}


def answers(project: Project, verifier: str) -> dict[str, bool]:
    found = dict.fromkeys(DAMAGES, False)
    for name, damage in DAMAGES.items():
        with suppress(psycopg.errors.InvalidSchemaName):
            found[name] = bool(project.database.value(damage.holds.replace("{verifier}", verifier)))
    return found


@only_superuser
@pytest.mark.parametrize("damage", BY_SUPERUSER)
def test_a_superusers_refresh_finds_more(healing: Healing, damage: str) -> None:
    found_and_repaired(healing, damage)


@pytest.mark.parametrize("damage", BY_ANYBODY)
def test_refresh_finds_damage_and_the_next_run_repairs_it(healing: Healing, damage: str) -> None:
    found_and_repaired(healing, damage)


def found_and_repaired(healing: Healing, damage: str) -> None:
    assert healing.before[damage]
    assert not healing.damaged[damage], "the damage does not show"
    assert healing.found.get(DAMAGES[damage].seen_in) in ("update", "delete")
    assert healing.repaired[damage]
