"""Random damages: whatever changes what somebody may do is found, and one run's remedies heal all of it.

Whoever runs them transaction by transaction, in their order, takes from nobody what is declared, not for a moment.
"""

import random
from collections.abc import Iterator

import psycopg
import pytest

from tests.conftest import Stacks
from tests.engine.program import Project
from tests.engine.random_damages import STRANGER, draw, effective, later_effective
from tests.engine.remedies import decide, run
from tests.engine.verified_stack import proved
from tests.engine.verifying import told, verified
from tests.parts import sampled

ROUNDS = 12
"""Of one seed."""

pytestmark = pytest.mark.xdist_group("verify")


@pytest.fixture(scope="module")
def stack(stacks: Stacks) -> Iterator[Project]:
    with proved(stacks) as project:
        project.database.run(f"CREATE ROLE {STRANGER}")
        yield project


@pytest.mark.parametrize("seed", sampled(range(3), 0))
def test_verify_finds_what_the_server_itself_says_has_changed(stack: Project, seed: int) -> None:
    source = random.Random(seed)
    before, before_later = effective(stack.database), later_effective(stack.database)
    for _ in range(ROUNDS):
        statements = [draw(source) for _ in range(source.randint(1, 3))]
        done = [statement for statement in statements if succeeds(stack, statement)]
        changed = effective(stack.database) ^ before | later_effective(stack.database) ^ before_later
        report = verified(stack)
        assert bool(report.findings) or not changed, (done, sorted(changed))
        named = {name for finding in report.findings for name in finding.concerns}
        # What comes through PUBLIC or a membership is found as that, and not for each who has it by it.
        own = {role for role, _, what in changed if what == "MEMBER"} or {role for role, *_ in changed}
        assert named & own or "public" in named or not changed, (done, sorted(changed), told(report))
        run(stack, report.findings, before)
        decide(stack, report.findings)
        assert told(verified(stack)) == [], done
        assert effective(stack.database) == before, done
        assert later_effective(stack.database) == before_later, done


def succeeds(stack: Project, statement: str) -> bool:
    """Whether the server does it at all: two roles cannot be members of each other."""
    try:
        stack.database.run(statement)
    except psycopg.Error:
        return False
    return True
