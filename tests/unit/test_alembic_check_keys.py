"""Foreign keys of models and migrations that point at other schemas."""

from pathlib import Path
from typing import Any

import pytest

from engarde.output.findings import Finding
from tests.unit.alembic_projects import MODELS, REVISION, SYNC, changed, line, made

DECLARED = {"table": "public.brands", "references": True}
OF_MODELS = {
    "foreign key": 'ForeignKey("public.brands.id")',
    "constraint": 'ForeignKeyConstraint(["thing_id"], ["public.brands.id"])',
    "constraint by name": 'ForeignKeyConstraint(columns=["thing_id"], refcolumns=("public.brands.id",))',
    "SQLModel's": 'Field(foreign_key="public.brands.id")',
}
OF_MIGRATIONS = {
    "column": 'op.add_column("parts", sa.Column("brand_id", sa.ForeignKey("public.brands.id")))',
    "operation": 'op.create_foreign_key("k", "parts", "brands", ["brand_id"], ["id"], referent_schema="public")',
    "operation by name": 'op.create_foreign_key(None, "parts", referent_table="brands", local_cols=["brand_id"],'
    ' remote_cols=["id"], referent_schema="public")',
    "of a batch": 'batch.create_foreign_key("k", "brands", ["brand_id"], ["id"], referent_schema="public")',
}


def found(folder: Path, models: str = MODELS, revision: str = REVISION, *reads: Any) -> list[Finding]:
    project = made(folder, {"reads": list(reads)})
    project.write("app/models.py", models)
    project.write("migrations/versions/a1.py", revision)
    return [each for each in project.found(SYNC) if each.check == "foreign key"]


def in_models(key: str) -> str:
    return changed(MODELS, 'ForeignKey("things.id")', key)


@pytest.mark.parametrize("key", OF_MODELS.values(), ids=OF_MODELS)
def test_one_of_a_model(tmp_path: Path, key: str) -> None:
    models = in_models(key)
    [finding] = found(tmp_path, models)
    assert finding.subject == f"app/models.py:{line(models, key)}"
    assert finding.actual == "public.brands (id)"
    assert finding.remedy.text.splitlines() == [
        "engarde:services:",
        "  madansara:",
        "    reads:",
        "    - {table: public.brands, references: true}",
    ]
    assert found(tmp_path, models, REVISION, DECLARED) == []
    assert found(tmp_path, models, REVISION, {**DECLARED, "columns": ["id"]}) == []


@pytest.mark.parametrize("key", OF_MIGRATIONS.values(), ids=OF_MIGRATIONS)
def test_one_of_a_migration(tmp_path: Path, key: str) -> None:
    revision = f"{REVISION}    {key}\n"
    [finding] = found(tmp_path, MODELS, revision)
    assert finding.subject == f"migrations/versions/a1.py:{line(revision, key)}"
    assert finding.actual == "public.brands (id)"
    assert found(tmp_path, MODELS, revision, DECLARED) == []


def test_a_read_alone_is_not_enough_and_is_completed(tmp_path: Path) -> None:
    models = in_models('ForeignKey("public.brands.id")')
    [finding] = found(tmp_path, models, REVISION, "public.brands")
    assert "- {table: public.brands, references: true}  # in place of its entry" in finding.remedy.text
    [finding] = found(tmp_path, models, REVISION, {**DECLARED, "columns": ["name"]})
    assert "columns: [name, id]" in finding.remedy.text


@pytest.mark.parametrize(
    "key", ['ForeignKey("madansara.things.id")', 'ForeignKey("things.id")', "ForeignKey(target)", "ForeignKey()"]
)
def test_its_own_and_what_is_not_written_out_are_left_alone(tmp_path: Path, key: str) -> None:
    assert found(tmp_path, in_models(key)) == []
