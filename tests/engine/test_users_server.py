"""ENGARDE_POSTGRES_URL: `make up` on a server of the user's, where nothing of theirs is touched."""

from collections.abc import Iterator

import pytest

from devtools.server import HOST, Server
from tests.engine import database as databases
from tests.engine.admins import BACKEND, only_superuser
from tests.engine.clone import Clone, clone, said_by
from tests.engine.database import NAME, Database

# Its tests share a clone and a server.
pytestmark = [pytest.mark.xdist_group("users-server"), only_superuser]

LOGIN, LOGIN_PASSWORD = "owner", "UsersPasswordInTests"
CATALOG = """
    SELECT 'role', rolname::text, '' FROM pg_roles
    UNION ALL SELECT 'schema', nspname::text, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_'
    UNION ALL SELECT 'database', datname::text, datacl::text FROM pg_database
    ORDER BY 1, 2
"""


@pytest.fixture(scope="module")
def users(template: Server) -> Iterator[Database]:
    """A server of the user's, whose superuser has a name of their own."""
    with databases.copied(template) as database:
        database.run(f"CREATE ROLE {LOGIN} SUPERUSER LOGIN PASSWORD '{LOGIN_PASSWORD}'")
        yield database


@pytest.fixture(scope="module")
def checkout() -> Iterator[Clone]:
    with clone() as made:
        yield made


@pytest.fixture(scope="module")
def brought_up(checkout: Clone, users: Database) -> Clone:
    before = users.rows(CATALOG)
    refused = checkout.target("up", ENGARDE_POSTGRES_URL=url(users))
    said = f"engarde:shutOut: [{BACKEND}]"
    assert refused.returncode != 0
    assert said in refused.stdout + refused.stderr
    assert users.rows(CATALOG) == before
    text = checkout.stack_file.read_text()
    checkout.stack_file.write_text(text.replace("config:\n", f"config:\n  {said}\n", 1))
    assert LOGIN_PASSWORD not in checkout.up(ENGARDE_POSTGRES_URL=url(users))
    return checkout


def url(users: Database, password: str = LOGIN_PASSWORD, database: str = NAME) -> str:
    return f"postgresql://{LOGIN}:{password}@{HOST}:{users.server.port}/{database}"


def test_a_server_that_does_not_let_us_in_teaches_nothing(checkout: Clone, users: Database) -> None:
    done = checkout.target("up", ENGARDE_POSTGRES_URL=url(users, password="WrongInTests"))
    assert done.returncode == 3
    assert "cannot connect to" in done.stderr
    assert "WrongInTests" not in done.stderr
    assert not checkout.stack_file.exists()


def test_no_demo_without_a_stack(checkout: Clone, users: Database) -> None:
    done = checkout.target("demo")
    assert done.returncode == 2
    assert "stack local does not exist yet: run `make up` first" in done.stderr


def test_a_role_that_exists_is_not_touched(checkout: Clone, users: Database) -> None:
    users.run("CREATE ROLE onside_user NOLOGIN")
    before = users.rows(CATALOG)
    done = checkout.target("up", ENGARDE_POSTGRES_URL=url(users))
    assert done.returncode == 2
    assert "onside_user" in done.stderr
    assert "adopt: true" in done.stderr
    assert "sankore_user" not in done.stderr
    assert users.rows(CATALOG) == before
    users.run("DROP ROLE onside_user")


def test_the_stack_comes_up_there_and_stays_there(brought_up: Clone, users: Database) -> None:
    assert not (brought_up.root / ".engarde/postgres.json").exists()
    for role, password in brought_up.passwords().items():
        users.session(role, password).close()
    # The admin's own tables are what analytics sees in `public`.
    with users.session(LOGIN, LOGIN_PASSWORD) as session:
        session.execute("CREATE TABLE public.later ()")
    with users.session("analytics_readonly", brought_up.passwords()["analytics_readonly"]) as session:
        session.execute("TABLE public.later")
    assert "nothing had to change" in brought_up.up()
    assert said_by(brought_up.run("bin/engarde", "psql", "admin", "-Atc", "SELECT current_user")) == f"{LOGIN}\n"


def test_no_demo_where_there_is_no_backend(brought_up: Clone, users: Database) -> None:
    before = brought_up.stack_file.read_text()
    users.run("ALTER TABLE public.brands RENAME TO away")
    try:
        done = brought_up.target("demo")
    finally:
        users.run("ALTER TABLE public.away RENAME TO brands")
    assert done.returncode == 2
    assert "this server has no tables of a production backend" in done.stderr
    assert brought_up.stack_file.read_text() == before


def test_it_does_not_wander_while_the_state_holds_resources(brought_up: Clone, users: Database) -> None:
    before = brought_up.stack_file.read_text()
    done = brought_up.target("up", ENGARDE_POSTGRES_URL=url(users, database="postgres"))
    assert done.returncode == 2
    assert "bin/pulumi destroy" in done.stderr
    assert brought_up.stack_file.read_text() == before


def test_clean_waits_until_nothing_of_ours_is_left_there(brought_up: Clone, users: Database) -> None:
    refused = brought_up.target("clean")
    assert refused.returncode == 2
    assert "bin/pulumi destroy --stack local" in refused.stderr
    assert brought_up.state_file.exists()
    brought_up.pulumi("destroy", "--yes", "--skip-preview")
    roles = {name for kind, name, _ in users.rows(CATALOG) if kind == "role"}
    assert not {role for role in roles if role.endswith("_user")}
    said_by(brought_up.target("clean"))
    assert not (brought_up.root / ".engarde").exists()
    users.session(LOGIN, LOGIN_PASSWORD).close()
