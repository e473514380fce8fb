"""Whose a version table is: equal revisions prove nothing where each service has its own table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from engarde.checks import registry
from engarde.checks.admin_capabilities import AdminCapabilities
from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import PASSWORD_KEY, parse
from engarde.output.findings import Finding
from engarde.server.catalog import VersionTable
from engarde.server.version_tables import Histories
from tests.unit.observed import observed

SERVER = {"host": "127.0.0.1", "database": "railway"}
SERVICES = ("madansara", "onside", "sankore")


def history(*ids: str) -> dict[str, Path]:
    return {each: Path(f"{each}.py") for each in ids}


def table(schema: str, owner: str, *revisions: str, **more: Any) -> VersionTable:
    made = VersionTable(
        schema, f"{schema}.alembic_version", owner, [], trusted=False, disarming=[], revisions=tuple(revisions)
    )
    return replace(made, **more)


def found(*tables: VersionTable, histories: dict[str, dict[str, Path]]) -> list[Finding]:
    stack = restrict_to(parse("local", {"server": SERVER, "services": dict.fromkeys(SERVICES)}, {PASSWORD_KEY}), None)
    seen = observed(
        stack,
        version_tables=tables,
        histories=Histories(stack, histories),
        admin=AdminCapabilities("postgres", True, frozenset()),
        catalog=SimpleNamespace(relations=[]),
    )
    return registry.findings(stack, seen, "version table")


ALIKE = dict.fromkeys(SERVICES, history("0001", "0002"))


def test_equal_revisions_in_tables_of_ones_own_are_nobody_elses() -> None:
    own = [table(name, f"{name}_user", "0002", writers=[f"{name}_user"]) for name in SERVICES]
    assert found(*own, histories=ALIKE) == []


def test_they_prove_nothing_where_the_history_of_the_home_is_not_here() -> None:
    histories = {name: each for name, each in ALIKE.items() if name != "onside"}
    assert found(table("onside", "onside_user", "0002"), histories=histories) == []


def test_nor_in_public_where_several_know_them() -> None:
    assert found(table("public", "postgres", "0002", trusted=True), histories=ALIKE) == []


def test_what_the_home_does_not_know_and_one_other_does_is_the_others() -> None:
    histories = {"sankore": history("s1"), "madansara": history("m1"), "onside": history("s1")}
    [finding] = found(table("sankore", "sankore_user", "s1", "m1"), histories=histories)
    assert "shared by sankore, madansara;" not in finding.actual and "shared by sankore, madansara," in finding.actual
    assert "m1 is madansara's, by m1.py" in finding.actual and "s1 is" not in finding.actual
    assert "'s1'" not in finding.remedy.text
    # It is sankore's word: a service that has no tables is not to skip a migration for it.
    assert "AS rows WHERE EXISTS" in finding.remedy.text
    # A trigger of the owner's would run with the rights of whoever deletes.
    deleting = [line for line in finding.remedy.text.splitlines() if "DELETE" in line]
    assert deleting == [
        "-- as sankore_user (bin/engarde psql sankore):"
        " DELETE FROM sankore.alembic_version WHERE version_num IN ('m1');"
    ]


def test_a_table_of_somebody_elses_becomes_no_services() -> None:
    histories = {"madansara": history("m1"), "sankore": history("s1")}
    [own] = found(table("public", "madansara_user", "m1"), histories=histories)
    assert own.remedy.safe and "SET SCHEMA" in own.remedy.text
    [by_admin] = found(table("public", "postgres", "m1", trusted=True), histories=histories)
    assert by_admin.remedy.safe and "OWNER TO" in by_admin.remedy.text
    [anothers] = found(table("public", "sankore_user", "m1"), histories=histories)
    assert not anothers.remedy.safe
    assert 'CREATE TABLE "madansara"."alembic_version" (version_num' in anothers.remedy.text
    assert 'INSERT INTO "madansara"."alembic_version" VALUES (\'m1\');' in anothers.remedy.text
    assert "SELECT" not in anothers.remedy.text and "LIKE" not in anothers.remedy.text
    # What --fix does is in a transaction already.
    assert all("COMMIT" not in each.remedy.text for each in (own, by_admin))


def test_what_fires_on_the_admins_table_is_neither_run_by_the_admin_nor_handed_over() -> None:
    histories = {"madansara": history("m1"), "sankore": history("s1")}
    trigger = "DROP TRIGGER trap ON public.alembic_version;"
    armed = table("public", "postgres", "m1", trusted=True, disarming=[trigger])
    [finding] = found(armed, histories=histories)
    assert not finding.remedy.safe and "SET SCHEMA" not in finding.remedy.text
    steps = finding.remedy.text.splitlines()
    assert steps.index(trigger) < steps.index("DELETE FROM public.alembic_version WHERE version_num IN ('m1');")


BACKENDS = {"madansara": history("m1", "m2"), "sankore": history("s1")}


def test_what_may_be_the_backends_is_neither_dropped_nor_deleted() -> None:
    """Beside madansara's own table, or without one; whoever owns it, and whether or not it was read."""
    own = table("madansara", "madansara_user", "m2")
    held: list[tuple[str, ...] | None] = [("b042",), ("b042", "m1"), ("b042", "m1", "s1"), ("0001",), None]
    owners = {"postgres": True, "madansara_user": False, "sankore_user": False, "backend": False}
    numbered = {name: history(*each, "0001") for name, each in BACKENDS.items()}
    for histories in (BACKENDS, {"madansara": BACKENDS["madansara"]}, {}, numbered):
        for revisions in held:
            for owner, trusted in owners.items():
                anywhere = table("public", owner, trusted=trusted, writers=["madansara_user", "sankore_user"])
                for more in ([], [own], [replace(own, revisions=())]):
                    for each in found(replace(anywhere, revisions=revisions), *more, histories=histories):
                        text = each.remedy.text
                        assert "DROP TABLE" not in text
                        deleting = [line for line in text.splitlines() if "DELETE" in line]
                        assert not any("b042" in line or "0001" in line for line in deleting)
                        if owner.removesuffix("_user") in histories and "b042" in (revisions or ()):
                            assert "SET SCHEMA" not in text


def test_rows_that_are_all_ones_own_leave_a_table_to_drop() -> None:
    own = table("madansara", "madansara_user", "m2")
    [finding] = found(table("public", "postgres", "m1", trusted=True), own, histories=BACKENDS)
    assert finding.remedy.text.startswith("DROP TABLE public.alembic_version;")
    [finding] = found(table("public", "postgres", "b042", "m1", trusted=True), own, histories=BACKENDS)
    assert finding.remedy.text.startswith("DELETE FROM public.alembic_version WHERE version_num IN ('m1');")


def test_one_that_would_begin_at_base_gets_its_revisions_first() -> None:
    empty = table("madansara", "madansara_user")
    [finding] = found(table("public", "postgres", "b042", "m1", trusted=True), empty, histories=BACKENDS)
    _, first, delete, _ = finding.remedy.text.splitlines()
    assert first.startswith("-- first of all, as madansara_user (bin/engarde psql madansara): INSERT INTO madansara.")
    assert "('m1')" in first and delete.startswith("DELETE")


def test_a_number_is_no_proof() -> None:
    """The backend, whose scripts are not here, counts too."""
    histories = {"madansara": history("0041", "0042"), "sankore": history("s1")}
    counted = table("public", "postgres", "0042", trusted=True)
    [finding] = found(counted, histories=histories)
    assert "0042 is in the history of madansara, which may be chance" in finding.actual
    assert not finding.remedy.safe
    made, filled = finding.remedy.text.splitlines()[1:3]
    assert made == 'CREATE TABLE "madansara"."alembic_version" (version_num varchar(32) PRIMARY KEY);'
    # A service that has no tables is at base, whatever counts elsewhere.
    assert filled.startswith(
        'INSERT INTO "madansara"."alembic_version" SELECT * FROM (VALUES (\'0042\')) AS rows WHERE '
    )
    assert "EXISTS" in filled and "nspname = 'madansara'" in filled
    assert "DELETE" not in finding.remedy.text
    # With one of its own it needs no other.
    assert found(counted, table("madansara", "madansara_user"), histories=histories) == []


def test_what_its_owner_may_not_keep_goes_to_the_admin() -> None:
    own = table("madansara", "madansara_user", "0002")
    histories = {"madansara": history("0001", "0002"), "sankore": history("s1")}
    [finding] = found(table("public", "madansara_user", "0001"), own, histories=histories)
    assert finding.remedy.text.startswith('ALTER TABLE public.alembic_version OWNER TO "postgres";')
    assert found(table("public", "postgres", "0001", trusted=True), own, histories=histories) == []
