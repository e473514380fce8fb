"""One run's remedies as a whole: `verify --fix` disturbs nobody; `verify --sql` and the decisions heal all."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engarde.server.libpq import binaries
from tests.brownfield.clients import Clients
from tests.brownfield.day_zero import DayZero
from tests.brownfield.services import DECLARED
from tests.engine.admins import PASSWORD, SUPERUSER
from tests.engine.conftest import Brownfields
from tests.engine.program import Project
from tests.engine.verifying import told, verified

pytestmark = pytest.mark.xdist_group("remedies")

DECISIONS = (
    "ALTER TABLE public.leads SET SCHEMA onside",
    "ALTER TABLE onside.leads OWNER TO onside_user",
    "ALTER TABLE public.lead_notes SET SCHEMA onside",
    "ALTER TABLE onside.lead_notes OWNER TO onside_user",
    "SET ROLE onside_user",
    "CREATE TABLE onside.alembic_version (version_num varchar(32) PRIMARY KEY)",
    "INSERT INTO onside.alembic_version VALUES ('o007')",
    "RESET ROLE",
    "DELETE FROM public.alembic_version WHERE version_num = 'o007'",
    "REVOKE ALL ON public.alembic_version FROM onside_user",
)
"""What only people know: onside's tables are its own, and which row is its revision."""

OWNERS = "SELECT count(*) FROM pg_tables WHERE schemaname = 'madansara' AND tableowner = 'madansara_user'"


@pytest.fixture(scope="module")
def there(brownfields: Brownfields) -> Iterator[tuple[DayZero, Project]]:
    with brownfields(**DECLARED) as (zero, project):
        # The provider reads a number of milliseconds.
        zero.database.run("ALTER ROLE sankore_user SET statement_timeout = 30000")
        if (run := project.up()).exit:
            # It says itself what an admin lacks that is no superuser.
            zero.database.run(*re.findall(r"^ +((?:GRANT|ALTER) .+?;)(?:  --.*)?$", run.output, re.MULTILINE))
            project.succeeds(project.up())
        # What only a superuser may take back.
        zero.database.run("ALTER ROLE langflow_user BYPASSRLS")
        # Each service has the URL that is in force now.
        yield replace(zero, passwords={**zero.passwords, **project.outputs()["passwords"]}), project


def psql(project: Project, script: Path, *, superuser: bool) -> subprocess.CompletedProcess[str]:
    """Runs a script as the stack's admin or as a superuser does it."""
    if not superuser:
        return project.tool("psql", "admin", "-X", "-f", str(script))
    server = project.database.server
    address = f"host=127.0.0.1 port={server.port} dbname=postgres user={SUPERUSER.user}"
    command = [str(binaries() / "psql"), "-X", "-f", str(script), address]
    return subprocess.run(command, env={"PGPASSWORD": PASSWORD}, capture_output=True, text=True, check=False)


def remedies(project: Project, command: str) -> set[tuple[str, str]]:
    """What a command prints for things that are another's or elsewhere."""
    findings = json.loads(project.tool(command, "--output", "json").stdout)["findings"]
    return {
        (finding["subject"], finding["remedy"]["text"])
        for finding in findings
        if finding["check"] in ("owner", "place")
    }


def test_an_old_database_is_healed_and_nobody_misses_anything_meanwhile(
    there: tuple[DayZero, Project], tmp_path: Path
) -> None:
    zero, project = there
    with Clients(zero) as clients:
        shown = project.tool("verify", "--fix", "--dry-run")
        assert shown.returncode == 1
        assert 'ALTER TABLE madansara.journeys OWNER TO "madansara_user";' in shown.stderr
        assert "REVOKE" not in shown.stderr
        assert project.database.value(OWNERS) == 0
        asked = project.tool("verify", "--fix")
        assert (asked.returncode, asked.stdout) == (2, "")
        assert project.database.value(OWNERS) == 0
        with project.database.session() as session, session.transaction():
            session.execute("SELECT FROM madansara.journeys")
            partly = project.tool("verify", "--fix", "--yes")
        assert partly.returncode == 4
        assert "1 of 2 transactions were applied" in partly.stderr
        assert "55P03" in partly.stderr
        assert project.database.value(OWNERS) == 1
        fixed = project.tool("verify", "--fix", "--yes")
        assert fixed.returncode == 1, fixed.stderr
        assert project.database.value(OWNERS) == 2
        again = project.tool("verify", "--fix", "--yes").stderr.splitlines()
        assert all(each.startswith("not fixed: ") for each in again), again
        reason = "it may remove somebody's access" if zero.database.admin.superuser else "it needs a superuser"
        assert f"not fixed: attributes: langflow_user: {reason}" in again
        assert "not fixed: owner: table billing.charges: it may remove somebody's access" in again
    assert clients.refused == []
    assert clients.lost() == {}
    assert remedies(project, "verify") >= remedies(project, "doctor")
    printed = project.tool("verify", "--sql")
    assert (printed.returncode, printed.stderr) == (1, "")
    script = tmp_path / "heal.sql"
    script.write_text(printed.stdout)
    done = psql(project, script, superuser=False)
    assert done.returncode == 0, done.stderr
    assert ("skipped, because it needs a superuser" in done.stderr) == (not project.database.admin.superuser)
    if not project.database.admin.superuser:
        script.write_text(project.tool("verify", "--sql").stdout)
        done = psql(project, script, superuser=True)
        assert done.returncode == 0, done.stderr
    project.database.run(*DECISIONS)
    assert told(verified(project)) == []
