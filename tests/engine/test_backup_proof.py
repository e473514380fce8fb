"""A backup's definitions are loaded to see whether they can be; where they cannot, it is said, and nothing stays."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.admins import only_superuser
from tests.engine.backups import SERVICE, tool
from tests.engine.database import NAME
from tests.engine.program import Project

pytestmark = pytest.mark.xdist_group("backup")

PROOFS = "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'engarde\\_proof\\_%'"
SCHEMAS = "SELECT array_agg(nspname::text ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'"


@pytest.fixture
def keyed(kept_stack: Project) -> Iterator[Project]:
    """A table of sankore's with a foreign key into `public` that its owner could not make."""
    admin = kept_stack.database.admin
    kept_stack.database.run(
        "CREATE TABLE public.houses (id int PRIMARY KEY)",
        "CREATE TABLE sankore.journeys (id int, house_id int)",
        'ALTER TABLE sankore.journeys ADD CONSTRAINT "x REFERENCES public.users(" FOREIGN KEY (house_id)'
        " REFERENCES public.houses",
        "ALTER TABLE sankore.journeys OWNER TO sankore_user",
        f'ALTER TABLE public.houses OWNER TO "{admin.user}"',
    )
    yield kept_stack
    kept_stack.database.run("DROP TABLE sankore.journeys, public.houses")


def test_a_foreign_key_that_its_owner_could_not_make(keyed: Project, tmp_path: Path) -> None:
    folder = str(tmp_path / "kept")
    schemas = keyed.database.value(SCHEMAS)
    done = tool(keyed, "backup", "sankore", "--to", folder, "--output", "json", code=4)
    said = " ".join(done.stderr.split())
    assert f"{folder} is complete and was kept, but it cannot be restored now:" in said
    assert "42501: permission denied for table houses ALTER TABLE ONLY sankore.journeys ADD CONSTRAINT" in said
    assert "sankore_user lacks REFERENCES on table public.houses: set `references: true`" in said
    assert said.count("lacks") == 1
    [fault] = json.loads(done.stdout)["errors"]
    assert "permission denied for table houses" in fault
    refused = tool(keyed, "restore", "sankore", "--from", folder, "--yes-replace-data", "--dry-run", code=4).stderr
    assert "cannot be restored now. Nothing was changed" in refused
    assert "lacks REFERENCES on table public.houses" in refused
    real = tool(keyed, "restore", "sankore", "--from", folder, "--yes-replace-data", code=4).stderr
    assert "permission denied for table houses" in real
    assert "ADD CONSTRAINT" in real
    keyed.database.run("GRANT REFERENCES ON public.houses TO sankore_user")
    found = json.loads(tool(keyed, "backup", "sankore", "--to", str(tmp_path / "x"), "--output", "json").stdout)
    assert (found["errors"], found["notProven"]) == ([], [])
    assert keyed.database.value(PROOFS) == 0
    assert keyed.database.value(SCHEMAS) == schemas


@only_superuser
def test_a_server_of_a_cluster_of_citus(kept_stack: Project, kept: Path, tmp_path: Path) -> None:
    """No such extension is to be had here: the catalog says so of another one for as long as the test lasts."""
    database = kept_stack.database
    rename = "SET allow_system_table_mods = on; UPDATE pg_extension SET extname = '{}' WHERE extname = '{}'"
    database.run("CREATE EXTENSION isn", rename.format("citus", "isn"))
    try:
        for words in (
            ("backup", "sankore", "--to", str(tmp_path / "x")),
            ("restore", SERVICE, "--from", str(kept), "--yes-replace-data"),
            ("split", "plan", "sankore", "--to", "own"),
        ):
            assert (
                "the database has the extension citus: its rows are on other" in tool(kept_stack, *words, code=2).stderr
            )
        assert not list(tmp_path.iterdir())
        warnings = json.loads(tool(kept_stack, "verify", "sankore", "--output", "json").stdout)["warnings"]
        assert (
            "the database has the extension citus: its rows are on other servers, which this tool does not read"
            in warnings
        )
    finally:
        database.run(rename.format("isn", "citus"), "DROP EXTENSION isn")


@only_superuser
def test_its_login_is_no_finding_while_it_lasts(kept_stack: Project) -> None:
    """Another's look at the stack meanwhile says what it is, and prints nothing that would take its rights away."""
    name, database = "engarde_proof_0123", kept_stack.database

    def verify() -> tuple[int, str, str]:
        done = kept_stack.tool("verify", "--output", "json", "--no-logins")
        return (
            done.returncode,
            json.dumps(json.loads(done.stdout)["findings"]),
            " ".join(json.loads(done.stdout)["warnings"]),
        )

    assert verify()[0] == 0
    database.run(
        f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 2",
        f"GRANT sankore_user TO {name}",
        f"GRANT CREATE ON DATABASE {NAME} TO {name}",
        f"DO $$ BEGIN EXECUTE format('ALTER ROLE {name} VALID UNTIL %L', now() + interval '50 minutes'); END $$",
    )
    try:
        code, findings, warnings = verify()
        assert (code, findings) == (0, "[]")
        assert f"role {name} has a service's privileges for at most an hour" in warnings
        assert name not in kept_stack.preview().output
        for until in ("2099-01-01", "infinity", "2001-01-01"):
            database.run(f"ALTER ROLE {name} VALID UNTIL '{until}'")
            code, findings, warnings = verify()
            assert (code, name in findings, name in warnings) == (1, True, False)
    finally:
        database.run(f"DROP OWNED BY {name}", f"DROP ROLE {name}")
