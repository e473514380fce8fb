"""A backup says of itself what it is, and everything that is not so is seen before anything is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from engarde.backup import manifest
from engarde.backup.inventory import (
    Edge,
    Grant,
    Inventory,
    LargeObject,
    Owned,
    Sequence,
    Server,
    Table,
    Thing,
    contents,
)
from engarde.backup.manifest import BACKUPS, Manifest, default, draft
from engarde.errors import Refused, Unfinished
from engarde.server.functions import Extension
from tests.inventories import compare

HELD = Inventory(
    server=Server("17.10", 17, "UTF8", "railway"),
    schema='Odd "ü"',
    owner="odd_user",
    tables=(Table("t", "replica identity d", ("a integer",), 2, "1:-2"), Table("p", "partitioned", (), None, None)),
    sequences=(Sequence("s", "odd_user", "bigint", 2**63 - 1, True),),
    things=(Thing("index", "i", "on t"), Thing("function", "f()", "sql")),
    owned=(Owned("table", "t", "odd_user"),),
    grants=(Grant("table t", "analytics_readonly", "SELECT", False), Grant("schema x", "public", "USAGE", False)),
    large_objects=(LargeObject(7, 3, "abc", None),),
    extensions=(Extension("citext", "public", "1.6"),),
    needs=(Edge("table", "public.users"),),
    needed_by=(),
)


def written(folder: Path) -> Manifest:
    (folder / "dump").mkdir(parents=True)
    (folder / "dump/toc.dat").write_bytes(b"toc")
    (folder / "dump/1.dat.gz").write_bytes(b"rows of a table")
    made = Manifest(1, "2026-01-01T00:00:00+00:00", "prod", "odd", "17.10", HELD.roles, HELD, manifest.files(folder))
    manifest.write(folder, made)
    return made


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = written(tmp_path)
    assert manifest.whole(tmp_path) == made
    assert [file.path for file in made.files] == ["dump/1.dat.gz", "dump/toc.dat"]
    assert made.roles == ("analytics_readonly", "odd_user")


def flip(folder: Path) -> None:
    (folder / "dump/1.dat.gz").write_bytes(b"rows of a tablf")


def edit(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def edited(folder: Path) -> None:
        found = json.loads((folder / manifest.NAME).read_text())
        change(found)
        (folder / manifest.NAME).write_text(json.dumps(found))

    return edited


def cut(folder: Path) -> None:
    text = (folder / manifest.NAME).read_text()
    (folder / manifest.NAME).write_text(text[: len(text) // 2])


def newer(found: dict[str, Any]) -> None:
    found["manifest"]["version"] = 2
    found["sha256"] = manifest._digest(found["manifest"])


def incomplete(found: dict[str, Any]) -> None:
    del found["manifest"]["inventory"]["sequences"]
    found["sha256"] = manifest._digest(found["manifest"])


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (flip, "dump/1.dat.gz: its content has changed (sha256)"),
        (lambda folder: (folder / "dump/toc.dat").write_bytes(b"to"), "dump/toc.dat: 2 bytes instead of 3"),
        (lambda folder: (folder / "dump/toc.dat").unlink(), "dump/toc.dat: missing"),
        (lambda folder: (folder / "dump/2.dat.gz").touch(), "dump/2.dat.gz: not part of the backup"),
        (cut, "cut off, or is not a manifest"),
        (lambda folder: (folder / manifest.NAME).write_text("[]"), "cut off, or is not a manifest"),
        (lambda folder: (folder / manifest.NAME).write_bytes(b"\xff"), "cut off, or is not a manifest"),
        (lambda folder: (folder / manifest.NAME).unlink(), "is not a backup"),
        (edit(lambda found: found["manifest"]["inventory"]["tables"][0].update(rows=3)), "it was changed after"),
        (edit(lambda found: found["manifest"].update(service="other")), "it was changed after"),
        (edit(newer), "its format is version 2, but this release only reads 1"),
        (edit(incomplete), "cut off, or is not a manifest"),
    ],
)
def test_damage_is_seen(tmp_path: Path, damage: Callable[[Path], object], says: str) -> None:
    written(tmp_path)
    damage(tmp_path)
    with pytest.raises(Refused) as refused:
        manifest.whole(tmp_path)
    assert says in str(refused.value)


def test_what_has_not_come_to_its_end_is_none(tmp_path: Path) -> None:
    written(tmp_path / "x.partial")
    with pytest.raises(Refused, match="a backup that did not finish"):
        manifest.whole(tmp_path / "x.partial")


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"tables": (replace(HELD.tables[0], rows=3), HELD.tables[1])}, "rows of table t"),
    ({"tables": (replace(HELD.tables[0], checksum="0:0"), HELD.tables[1])}, "rows of table t"),
    ({"tables": (replace(HELD.tables[0], columns=()), HELD.tables[1])}, "table t"),
    ({"tables": HELD.tables[:1]}, "table p"),
    ({"sequences": (replace(HELD.sequences[0], called=False),)}, "sequence s"),
    ({"sequences": ()}, "sequence s"),
    ({"things": HELD.things[:1]}, "function f()"),
    ({"things": (*HELD.things, Thing("trigger", "x", ""))}, "trigger x"),
    ({"owned": ()}, "object table t"),
    ({"large_objects": (replace(HELD.large_objects[0], checksum="abd"),)}, "large object 7"),
]


@pytest.mark.parametrize(("change", "what"), CHANGES)
def test_every_difference_is_found(change: dict[str, Any], what: str) -> None:
    assert contents(HELD, HELD) == compare(HELD, HELD) == ()
    found = contents(HELD, replace(HELD, **change))
    assert [f"{each.kind} {each.name}" for each in found] == [what]
    assert set(found) <= set(compare(HELD, replace(HELD, **change)))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"owner": "other"}, "owner of schema"),
        ({"owned": (Owned("table", "t", "other"),)}, "owner of table t"),
        ({"sequences": (replace(HELD.sequences[0], owner="other"),)}, "owner of sequence s"),
        ({"grants": HELD.grants[1:]}, "grants on table t to analytics_readonly"),
        ({"grants": (replace(HELD.grants[0], grantable=True), HELD.grants[1])}, "grants on table t"),
    ],
)
def test_who_owns_and_who_may_is_no_part_of_the_contents(change: dict[str, Any], what: str) -> None:
    assert contents(HELD, replace(HELD, **change)) == ()
    [difference] = compare(HELD, replace(HELD, **change))
    assert f"{difference.kind} {difference.name}".startswith(what)


def test_where_backups_go() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    assert default("prod", "madansara", now) == BACKUPS / "prod/madansara/2026-01-02T02-04-05Z"
    for odd in ("a/b", "..", ".", 'quo"te \\', "數據"):
        folder = default("prod", odd, datetime.now(UTC))
        assert folder.parent.parent == BACKUPS / "prod"
        assert folder.parent.name not in (".", "..")


def test_a_draft_gets_its_name_at_its_end_or_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new/x"
    with draft(folder) as partial:
        (partial / "a").touch()
        assert not folder.exists()
    assert [each.name for each in folder.iterdir()] == ["a"]
    assert (folder / "a").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == folder.parent.stat().st_mode & 0o777 == 0o700
    with pytest.raises(Refused, match="exists already"), draft(folder):
        raise AssertionError
    for fault in (OSError(28, "No space left on device"), KeyboardInterrupt()):
        with pytest.raises((Unfinished, KeyboardInterrupt)), draft(tmp_path / "new/y"):
            raise fault
    assert [each.name for each in folder.parent.iterdir()] == ["x"]


def test_what_dead_backups_have_left_goes_and_living_ones_stay(tmp_path: Path) -> None:
    dead, foreign = tmp_path / "dead.partial", tmp_path / "foreign.partial"
    (dead / "dump").mkdir(parents=True)
    foreign.mkdir()
    (foreign / "a film").touch()
    with draft(tmp_path / "living") as living:
        assert not dead.exists()
        with pytest.raises(Refused, match="another `backup` is writing it"), draft(tmp_path / "living"):
            raise AssertionError
        with draft(tmp_path / "other"):
            assert living.exists()
    assert {each.name for each in tmp_path.iterdir()} == {"living", "other", "foreign.partial"}
