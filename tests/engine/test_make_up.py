"""`make up`, again, `make down`, `make clean`: the whole way, through `make` itself."""

import re
import shlex
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from devtools.server import HOST
from tests.engine.clone import Clone, clone, said_by

# Its tests share a clone.
pytestmark = pytest.mark.xdist_group("make-up")

ROLES = {"analytics_readonly", "langflow_user", "madansara_user", "onside_user", "sankore_user"}
CHANGING = re.compile(r"statement: .*\b(CREATE|ALTER|DROP|GRANT|REVOKE|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
MISLEADING = {
    "PULUMI_BACKEND_URL": "https://backend.example.org",
    "PULUMI_ACCESS_TOKEN": "not-a-token",
    "PULUMI_STACK": "prod",
    "PULUMI_CONFIG_PASSPHRASE": "another",
    "PULUMI_PARALLEL": "none",
    "PGHOST": "db.example.org",
    "PGHOSTADDR": "192.0.2.1",
    "PGPASSWORD": "another",
    "PGOPTIONS": "-c search_path=elsewhere",
    "PGSERVICE": "elsewhere",
    "PYTHONPATH": "/nonexistent",
}


@pytest.fixture(scope="module")
def first_words() -> dict[str, str]:
    """What the first `make up` said."""
    return {}


@pytest.fixture(scope="module")
def checkout(first_words: dict[str, str]) -> Iterator[Clone]:
    """A clean checkout, brought up."""
    with clone() as made:
        said_by(made.run("git", "init", "--quiet"))
        # Here it is a link to the one of these tests; ignored as a folder alone.
        (made.root / ".git/info/exclude").write_text(".venv\n")
        for words in ("add --all", "commit --quiet --message all"):
            said_by(made.run("git", "-c", "user.name=test", "-c", "user.email=test@example.org", *words.split()))
        first_words["up"] = said_by(made.run("make", "up"))
        yield made


def git_status(checkout: Clone) -> str:
    return said_by(checkout.run("git", "status", "--porcelain"))


def test_it_ends_with_the_services_and_how_to_connect_as_one(checkout: Clone, first_words: dict[str, str]) -> None:
    said = first_words["up"]
    assert re.search(r"madansara +madansara +madansara_user +10 +public.users, public.brand_users", said)
    command = re.search(r"^Connect as (\w+): `(bin/engarde psql \1)`$", said, re.MULTILINE)
    assert command
    shown = said_by(checkout.run(*command[2].split(), "-Atc", "SELECT current_user, current_schema"))
    assert f"{command[1]}_user|{command[1]}\n" in shown
    # The backend's tables are there to be read.
    reads = ("bin/engarde", "psql", "madansara", "-Atc", "SELECT count(*) FROM public.users")
    assert said_by(checkout.run(*reads)).endswith("0\n")
    # And it is as declared from the first minute.
    proof = re.search(r"^Prove .*: `(bin/engarde verify)`$", said, re.MULTILINE)
    assert proof
    assert "stack local is as declared (5 logins, " in said_by(checkout.run(*proof[1].split()))


@pytest.mark.parametrize("who", ["madansara", "analytics", "admin"])
def test_one_url_is_printed_for_scripts_and_logs_in(checkout: Clone, who: str) -> None:
    done = checkout.run("bin/engarde", "url", who, "--stack", "local")
    assert said_by(done).startswith(done.stdout)
    [url] = done.stdout.splitlines()
    with psycopg.connect(url) as session:
        [user] = session.execute("SELECT current_user").fetchone() or ()
    assert user == {"madansara": "madansara_user", "analytics": "analytics_readonly", "admin": "postgres"}[who]
    for_service = said_by(checkout.run("bin/engarde", "url", who, "--from", "service"))
    assert for_service.partition("?")[0].strip() == url.partition("?")[0]


def test_the_tool_says_what_is_wrong_and_nothing_else(checkout: Clone) -> None:
    for words, code, message in (
        (("url", "nobody"), 2, "stack local has no login nobody; it has langflow, madansara"),
        (("psql", "madansara", "--stack", "elsewhere"), 2, "has no file Pulumi.elsewhere.yaml; it has Pulumi."),
    ):
        done = checkout.run("bin/engarde", *words)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.startswith("engarde: ")
        assert message in done.stderr
        assert "Traceback" not in done.stderr


def test_every_step_says_how_long_it_took(checkout: Clone, first_words: dict[str, str]) -> None:
    said = first_words["up"]
    assert "Making the data folder of PostgreSQL" in said
    assert len(re.findall(r"\d\.\d s$", said, re.MULTILINE)) >= 4


def test_every_role_logs_in_with_the_password_that_the_state_knows(checkout: Clone) -> None:
    assert checkout.roles_that_log_in() == ROLES


def test_no_secret_is_said_and_those_kept_are_the_owners_alone(checkout: Clone, first_words: dict[str, str]) -> None:
    secrets = [*checkout.passwords().values(), checkout.known("postgres")["password"]]
    private = checkout.root / ".engarde"
    secrets.append((private / "passphrase").read_text())
    assert not [secret for secret in secrets if secret in first_words["up"]]
    for kept in ("passphrase", "postgres.json", "server.json"):
        assert (private / kept).stat().st_mode & 0o777 == 0o600
    assert not [secret for secret in secrets if secret in checkout.stack_file.read_text()]


def test_nothing_in_the_state_can_be_left_half_written(checkout: Clone) -> None:
    # The engine writes its state aside and renames it; side files it writes in place.
    state = checkout.root / ".engarde/state"
    assert list(state.rglob("local.json"))
    assert not list(state.rglob("*.attrs"))


def test_the_server_is_as_railways_and_its_data_lie_in_the_project(checkout: Clone) -> None:
    assert (checkout.root / ".engarde/postgres/data").is_dir()
    with checkout.admin() as session:
        rows = session.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(EXPECTED)])
        assert dict(rows.fetchall()) == EXPECTED


EXPECTED = {
    "fsync": "on",
    "listen_addresses": HOST,
    "password_encryption": "scram-sha-256",
    "shared_preload_libraries": "pg_stat_statements",
    "unix_socket_directories": "",
}


def test_again_it_changes_nothing_and_says_so_whatever_the_users_environment_says(checkout: Clone) -> None:
    with checkout.admin() as session:
        session.execute("ALTER SYSTEM SET log_statement = 'all'")
        session.execute("SELECT pg_reload_conf()")
    log = checkout.root / ".engarde/postgres/server.log"
    mark, stack_file = log.stat().st_size, checkout.stack_file.read_bytes()
    said = said_by(checkout.run("make", "up", **MISLEADING))
    took = re.search(r"nothing had to change; (\d+\.\d) s in total", said)
    assert took
    assert float(took[1]) < 10
    statements = log.read_bytes()[mark:].decode()
    assert "pg_roles" in statements
    assert not CHANGING.findall(statements)
    assert checkout.stack_file.read_bytes() == stack_file
    assert git_status(checkout) == ""


def test_down_keeps_the_data_and_up_brings_all_back(checkout: Clone) -> None:
    passwords, before = checkout.passwords(), checkout.stack_file.read_text()
    port = checkout.known("postgres")["port"]
    with checkout.session("sankore_user", passwords["sankore_user"]) as session:
        session.execute("CREATE TABLE kept AS SELECT 1 AS one")
    assert "PostgreSQL stopped" in said_by(checkout.run("make", "down"))
    assert "not running" in said_by(checkout.run("make", "down"))
    # Another program takes the port meanwhile: the server has to go elsewhere.
    with socket.create_server((HOST, port)):
        assert "changed" in said_by(checkout.run("make", "up"))
    moved = checkout.known("postgres")["port"]
    assert moved != port
    # The engine spells a bare key out, we do not: both mean the same.
    assert checkout.stack_file.read_text() == before.replace(str(port), str(moved)).replace(": null\n", ":\n")
    assert checkout.passwords() == passwords
    assert checkout.roles_that_log_in() == ROLES
    with checkout.session("sankore_user", passwords["sankore_user"]) as session:
        assert session.execute("SELECT one FROM kept").fetchone() == (1,)
    assert git_status(checkout) == ""


def test_a_lost_private_folder_is_no_end(checkout: Clone) -> None:
    said_by(checkout.run("make", "down"))
    (checkout.root / ".engarde").rename(checkout.root.parent / "lost")
    said_by(checkout.run("make", "up"))
    assert checkout.roles_that_log_in() == ROLES


def test_the_demo_and_again(checkout: Clone) -> None:
    said = said_by(checkout.run("make", "demo"))
    for name in ("langflow", "madansara", "onside", "sankore"):
        assert re.search(rf"^{name} +\(none\) +0002 +\d+\.\d +migrated", said, re.MULTILINE)
    # Three users of the backend, read by madansara, and what it made of them, read by analytics.
    assert re.search(r"^madansara +owners +3$", said, re.MULTILINE)
    assert "stack local is as declared (5 logins, " in said
    # Their histories have the same revisions, and each has its own table.
    assert "nothing is wrong with stack local" in said
    stack_file = checkout.stack_file.read_text()
    said = said_by(checkout.run("make", "demo"))
    assert said.count("up to date") >= 4
    assert checkout.stack_file.read_text() == stack_file
    assert not [password for password in checkout.passwords().values() if password in said]
    assert git_status(checkout) == ""
    status = said_by(checkout.run("bin/engarde", "migrate", "status"))
    assert status.count("up to date") == 4


def test_clean_removes_what_was_made_and_nothing_else(checkout: Clone) -> None:
    (checkout.root / "Pulumi.mine.yaml").write_text("config: {}\n")
    server = int(Path(checkout.root / ".engarde/postgres/data/postmaster.pid").read_text().split()[0])
    said_by(checkout.run("make", "clean"))
    assert not Path(f"/proc/{server}/cmdline").exists() or not Path(f"/proc/{server}/cmdline").read_text()
    assert said_by(checkout.run("git", "status", "--porcelain", "--ignored")) == "?? Pulumi.mine.yaml\n"
    said_by(checkout.run("make", "clean"))


@pytest.mark.exhaustive
def test_it_comes_to_its_end_where_nobody_reads() -> None:
    with clone() as made:
        piped = f"{shlex.join(made.command('up'))} 2>&1 | head -1; exit ${{PIPESTATUS[0]}}"
        done = made.run("bash", "-c", piped)
        assert (done.returncode, done.stdout.count("\n")) == (74, 1)
        assert made.roles_that_log_in() == ROLES
        assert "nothing had to change" in made.up()
