"""Words for one change: what a stack file may say of places that it leaves, and when it has said it long enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engarde.checks import journals
from engarde.checks.journals import MoveJournal, Step
from engarde.declaration.databases import databases
from engarde.declaration.loader import parse
from engarde.declaration.model import Stack
from engarde.errors import ConfigError
from engarde.preflight.abandoned_rows import Leaving, Left, Moved, idle_words
from engarde.server.credentials import Access

SERVER = {"host": "db.example", "database": "railway"}
WAY = (None, "its own")


def stack(server: dict[str, Any] | None = None, **service: Any) -> Stack:
    return parse("prod", {"server": {**SERVER, **(server or {})}, "services": {"a": service}}, {"adminPassword"})


def fault(server: dict[str, Any] | None = None, **service: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        stack(server, **service)
    return str(raised.value).splitlines()[1].strip()


def test_a_place_is_named_exactly() -> None:
    assert stack(leaves=["railway.a", '"a.b".c'], database="own").services[0].leaves == ("railway.a", '"a.b".c')
    assert "not of the form database.schema" in fault(leaves=["railway"])
    assert "not of the allowed form" in fault({"leaves": ["db.example"]})


def test_no_word_stands_where_the_service_or_the_server_is() -> None:
    assert fault(leaves=["railway.b", "railway.a"]).startswith("engarde:services.a.leaves[1]: is its current place")
    assert fault(leaves=["own.a"], database="own").startswith("engarde:services.a.leaves[0]: is its current place")
    assert fault({"leaves": ["db.example:5432/railway"]}).startswith("engarde:server.leaves[0]: is its current place")


def test_what_was_done_is_to_be_taken_out() -> None:
    declared = stack({"leaves": ["old:5432/railway", "new:1/railway"]}, leaves=["own.a", "older.a"])
    left = [Left("a", "a", "own", "railway"), Left("b", "a", "older", "railway")]
    was = declared.server.model_copy(update={"host": "old"})
    moved = Moved(Access(was, "railway", "postgres", ""), ())
    [database] = databases(declared)
    assert [
        idle_word.split(":")[0:2] for idle_word in idle_words(declared, [Leaving(database, tuple(left), moved)])
    ] == [
        ["engarde", "services.a.leaves"],
        ["engarde", "server.leaves"],
    ]
    assert list(idle_words(stack(), [Leaving(databases(stack())[0], (), None)])) == []


@pytest.mark.parametrize(
    ("step", "returning", "way", "run"),
    [
        (Step.BEGUN, False, WAY, "preview"),
        (Step.LEFT, False, WAY, "preview"),
        (Step.SWITCHED, False, WAY, "up"),
        (Step.DELIVERED, False, WAY, "up"),
        (Step.DONE, False, WAY, "none"),
        (Step.SWITCHED, False, WAY[::-1], "none"),
        (Step.SWITCHED, True, WAY, "none"),
        (Step.SWITCHED, True, WAY[::-1], "up"),
        (Step.SWITCHED, False, (None, "another"), "none"),
    ],
)
def test_an_open_move_names_its_own_step_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: Step,
    returning: bool,
    way: tuple[str | None, str | None],
    run: str,
) -> None:
    monkeypatch.setattr(journals, "PRIVATE", tmp_path)
    assert not journals.move_takes("prod", "a", way, preview=True)
    assert list(tmp_path.iterdir()) == [], "whoever looks makes nothing"
    journals.write_move("prod", MoveJournal("a", *WAY[:1], "its own", returning, step))
    assert journals.move_takes("prod", "a", way, preview=True) == (run in ("preview", "up"))
    assert journals.move_takes("prod", "a", way, preview=False) == (run == "up")
