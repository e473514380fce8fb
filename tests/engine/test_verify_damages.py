"""Each damage is named by verify, with the right subject, and what it prints heals it."""

from collections.abc import Iterator

import pytest

from tests.conftest import Stacks
from tests.engine.damaged import DAMAGES
from tests.engine.damaged.stack import STACK
from tests.engine.program import STACK_FILE, Project
from tests.engine.verified_stack import proved
from tests.engine.verifying import heal, told, verified
from tests.parts import sampled
from tests.servers import major

pytestmark = pytest.mark.xdist_group("verify")


@pytest.fixture(scope="module")
def stack(stacks: Stacks) -> Iterator[Project]:
    with proved(stacks) as project:
        assert told(verified(project)) == []
        yield project


THERE = [name for name, damage in DAMAGES.items() if damage.since <= major()]


def first_of_each_kind() -> Iterator[str]:
    """Of all that are reported by the same check on the same kind of thing."""
    kinds = set()
    for name in THERE:
        kind = DAMAGES[name].check, DAMAGES[name].subject.split()[0]
        if kind not in kinds:
            yield name
        kinds.add(kind)


@pytest.mark.parametrize("name", sampled(THERE, *first_of_each_kind()))
def test_a_damage_is_named_and_what_is_printed_heals_it(stack: Project, name: str) -> None:
    damage = DAMAGES[name]
    stack_file = (stack.folder / STACK_FILE).read_text()
    owner = stack.database.value("SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'public'")
    names = {"{admin}": stack.database.admin.user, "{owner}": owner}
    stack.database.run(*(named(each, names) for each in damage.by_hand))
    try:
        found = verified(stack)
        assert (damage.check, damage.subject) in {(each.check, each.subject) for each in found.findings}, told(found)
        for _ in range(damage.rounds):
            for finding in found.findings:
                heal(stack, finding)
            found = verified(stack)
        assert told(found) == []
    finally:
        if (stack.folder / STACK_FILE).read_text() != stack_file:
            stack.declare(**STACK)
            stack.succeeds(stack.up())
        stack.database.run(*(named(each, names) for each in damage.undo))


@pytest.mark.exhaustive
@pytest.mark.parametrize("choice", [0, 1])
def test_each_choice_of_a_decision_heals_by_itself(stack: Project, choice: int) -> None:
    damage = DAMAGES["an event trigger that refuses"]
    stack.database.run(*damage.by_hand)
    try:
        (found,) = (finding for finding in verified(stack).findings if finding.check == damage.check)
        heal(stack, found, choice)
        assert told(verified(stack)) == []
    finally:
        stack.database.run(*damage.undo)


def test_whom_a_right_was_granted_on_to_is_named(stack: Project) -> None:
    damage = DAMAGES["grant by one who may grant on"]
    stack.database.run(*damage.by_hand)
    try:
        (found,) = verified(stack, service="madansara").findings
        assert found.actual == "SELECT, with grant option, granted on to madansara_user"
    finally:
        heal(stack, found)


def named(statement: str, names: dict[str, str]) -> str:
    for each, name in names.items():
        statement = statement.replace(each, name)
    return statement
