"""The parts of the tests: what is left out is counted, and what is misspelt fails."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from launcher.paths import PROJECT
from tests.parts import MAJORS, PARTS, USUAL, sampled, within

ALL_EXHAUSTIVE = "tests/engine/test_fifty_services.py"


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120)


def test_what_is_left_out_is_counted() -> None:
    done = run("--collect-only", "--part=usual", "tests/engine/test_verify_random.py")
    assert [line.partition("[")[2] for line in done.stdout.splitlines() if "::" in line] == ["superuser-0]"]
    assert "5 tests were left to `make test-all`: PART=admins has 1, PART=exhaustive has 4" in done.stdout


def test_what_workers_leave_out_is_counted() -> None:
    done = run("-n", "2", "--part=usual", ALL_EXHAUSTIVE)
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "2 tests were left to `make test-all`: PART=exhaustive has 2" in done.stdout


def item(folder: str, *markers: str) -> Any:
    path = PROJECT / "tests" / folder / "test_it.py"
    return SimpleNamespace(path=path, get_closest_marker=lambda name: name if name in markers else None)


@pytest.mark.parametrize(
    ("test", "parts"),
    [
        (item("unit"), {"usual"}),
        (item("unit", "exhaustive"), {"exhaustive"}),
        (item("drivers"), {"usual", *MAJORS}),
        (item("engine", "admins"), {"admins", *MAJORS}),
        (item("engine", "admins", "exhaustive"), {"exhaustive", *MAJORS}),
    ],
)
def test_a_test_is_in_one_part_and_in_those_of_all_majors_that_it_depends_on(test: Any, parts: set[str]) -> None:
    assert {part for part in PARTS if within(part, test)} == parts


def test_a_misspelt_part_fails() -> None:
    done = run("--part=exhautsive", ALL_EXHAUSTIVE)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "invalid choice: 'exhautsive' (choose from" in done.stderr


def test_a_misspelt_marker_fails(tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    test.write_text("import pytest\n\n@pytest.mark.exhautsive\ndef test_it() -> None: ...\n")
    done = run("-c", "pyproject.toml", str(test))
    assert done.returncode == pytest.ExitCode.INTERRUPTED
    assert "'exhautsive' not found in `markers` configuration option" in done.stdout


def test_a_value_to_try_usually_is_one_of_all() -> None:
    assert sampled("ab", "a")[0] == "a"
    with pytest.raises(AssertionError):
        sampled("ab", "c")


@pytest.mark.parametrize("page", ["Makefile", "docs/tests.md"])
def test_every_part_is_documented(page: str) -> None:
    text = (PROJECT / page).read_text()
    assert [part for part in PARTS if part != USUAL and part not in text] == []
