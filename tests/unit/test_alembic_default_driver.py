"""Which driver SQLAlchemy takes for a URL that names none, by what the files of a project say of its version."""

from pathlib import Path

import pytest

from engarde.alembic.default_driver import default_drivers

OLD, NEW, EITHER = {"psycopg2"}, {"psycopg"}, {"psycopg", "psycopg2"}


@pytest.mark.parametrize(
    ("stated", "drivers"),
    [
        ("==2.0.58", OLD),
        ("~=2.0.58", OLD),
        ("==2.0.*", OLD),
        (">=2.0,<2.1", OLD),
        (">=1.4, <2", OLD),
        ("<2.1", OLD),
        ("==2.1.9", NEW),
        (">=2.1", NEW),
        ("~=2.1", NEW),
        ("", EITHER),
        (">=2.0", EITHER),
        ("~=2.0", EITHER),
        (">2.0.40,!=2.0.41", EITHER),
        (" = '^2.0'", EITHER),
        ("==2.1.0b1", NEW),
    ],
)
def test_a_requirement(tmp_path: Path, stated: str, drivers: set[str]) -> None:
    (tmp_path / "requirements.txt").write_text(f"alembic==1.20.1\nSQLAlchemy[asyncio]{stated}  # pinned\n")
    assert default_drivers(tmp_path) == drivers


def test_a_lock_file_says_more_than_a_requirement(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = [\n    "sqlalchemy>=2.0",\n]\n')
    assert default_drivers(tmp_path) == EITHER
    (tmp_path / "uv.lock").write_text('[[package]]\nname = "sqlalchemy"\nversion = "2.0.58"\n')
    assert default_drivers(tmp_path) == OLD


def test_a_folder_above(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("sqlalchemy==2.1.9\n")
    folder = tmp_path / "service/migrations"
    folder.mkdir(parents=True)
    assert default_drivers(folder) == NEW
    (folder / "requirements.txt").write_text("sqlalchemy==2.0.58\n")
    assert default_drivers(folder) == OLD
