"""With what a migration of several services ends."""

import pytest

from engarde.migrate.report import Migrated, State, Upgraded


def one(state: State, code: int = 0) -> Migrated:
    return Migrated("a", state, None, None, 0.0, "", code)


@pytest.mark.parametrize(
    ("done", "code"),
    [
        ([one("migrated"), one("up to date")], 0),
        ([one("up to date"), one("failed", 3)], 3),
        ([one("failed", 2), one("failed", 3)], 3),
        ([one("failed", 3), one("failed", 4)], 4),
        # Something was changed, so that it is begun and not finished.
        ([one("migrated"), one("failed", 3)], 4),
        ([one("migrated"), one("failed", 2)], 4),
    ],
)
def test_the_worst_counts(done: list[Migrated], code: int) -> None:
    assert Upgraded(done).exit_code == code
