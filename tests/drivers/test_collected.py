"""What this machine has nothing to run with: left out and named, and in CI a failure."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.paths import PROJECT
from tests.drivers import pgbouncer
from tests.drivers.collected import PGBOUNCER, absent
from tests.drivers.runtimes import GO, JAVA, NODE, PYTHON

ELSEWHERE = {"node-postgres", "Sequelize", "TypeORM", "Drizzle", "knex", "Prisma", "postgres.js", "pgjdbc", "pgx"}
"""The drivers of other languages."""


@pytest.fixture
def collected(request: pytest.FixtureRequest) -> str:
    """What pytest says of these tests on a machine with Python only."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests/drivers"],
        cwd=PROJECT,
        env={**os.environ, "PATH": "", "CI": request.param},
        capture_output=True,
        text=True,
        timeout=pgbouncer.LIMIT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("collected", [""], indirect=True)
def test_what_has_no_runtime_is_left_out_and_one_line_names_it(collected: str) -> None:
    tests = [line for line in collected.splitlines() if "::" in line]
    [named] = [line for line in collected.splitlines() if "no runtime" in line]
    assert any("TLS-psycopg-plain" in test for test in tests)
    assert not [test for test in tests if any(name in test for name in ELSEWHERE)]
    assert all(f"{name}: no " in named for name in ELSEWHERE)
    assert "pgjdbc: no java and no javac and no mvn on PATH" in named
    assert any("test_pgbouncer" in test for test in tests) == (PGBOUNCER not in named)


@pytest.mark.parametrize("collected", ["true"], indirect=True)
def test_in_ci_all_is_collected(collected: str) -> None:
    assert all(f"[TLS-{name}" in collected for name in ELSEWHERE)
    assert "test_pgbouncer" in collected
    assert "no runtime" not in collected


def test_what_was_collected_and_has_no_runtime_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", "true")
    assert absent() == {}
    for runtime in (NODE, GO, JAVA):
        with pytest.raises(AssertionError, match=f"no {runtime.needs[0]}"):
            runtime.command("any")
    assert PYTHON.absent is None


def test_a_pgbouncer_that_cannot_be_had_is_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(pgbouncer, "_installed", lambda: None)
    pgbouncer._can_be_downloaded.cache_clear()
    assert str(pgbouncer.absent()).startswith("no pgbouncer on PATH")
    pgbouncer._can_be_downloaded.cache_clear()


def test_apt_is_asked_once_and_not_for_what_is_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[object] = []

    def run(words: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
        asked.append(words)
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(pgbouncer, "_installed", lambda: None)
    monkeypatch.setattr(shutil, "which", str)
    monkeypatch.setattr(subprocess, "run", run)
    pgbouncer._can_be_downloaded.cache_clear()
    assert (pgbouncer.absent(), pgbouncer.absent(), len(asked)) == (None, None, 1)
    pgbouncer._can_be_downloaded.cache_clear()
    (tmp_path / "engarde/pgbouncer").mkdir(parents=True)
    assert (pgbouncer.absent(), len(asked)) == (None, 1)
