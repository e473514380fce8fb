"""What is made once per user appears whole or not at all."""

import multiprocessing
from pathlib import Path

import pytest

from launcher import paths


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "engarde"


def fill(folder: Path) -> None:
    (folder / "file").write_text("whole")


def break_off(folder: Path) -> None:
    (folder / "file").write_text("half")
    raise KeyboardInterrupt


def refuse(_: Path) -> None:
    raise AssertionError("made twice")


def test_made_once(home: Path) -> None:
    assert paths.kept("thing", fill) == home / "thing"
    assert (paths.kept("thing", refuse) / "file").read_text() == "whole"


def test_interrupted_leaves_nothing(home: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        paths.kept("thing", break_off)
    assert [each.name for each in home.iterdir()] == [".thing.lock"]
    assert (paths.kept("thing", fill) / "file").read_text() == "whole"


def test_what_a_killed_run_left_behind_goes(home: Path) -> None:
    (home / ".thing-killed").mkdir(parents=True)
    (home / ".other-at-work").mkdir()
    paths.kept("thing", fill)
    assert sorted(each.name for each in home.iterdir()) == [".other-at-work", ".thing.lock", "thing"]


def test_one_thing_may_be_made_for_another(home: Path) -> None:
    paths.kept("engine", lambda folder: fill(paths.kept("compiler", fill, within=folder)))
    assert (home / "engine/compiler/file").read_text() == "whole"


def _note_and_fill(folder: Path) -> None:
    with (folder.parent / "makers").open("a") as makers:
        makers.write("one\n")
    fill(folder)


def _make(_: int) -> str:
    return (paths.kept("thing", _note_and_fill) / "file").read_text()


def test_two_at_once_make_it_once(home: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(_make, range(4), chunksize=1) == ["whole"] * 4
    assert (home / "makers").read_text() == "one\n"
