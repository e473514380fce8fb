"""The how-to pages, followed on a database in use: each works as written, and refuses only whom it says."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from ruamel.yaml import YAML

from devtools.server import HOST
from engarde.declaration.declared import NOTHING
from engarde.server.credentials import scram_verifier
from launcher.paths import PROJECT
from tests.brownfield import railway
from tests.brownfield.clients import CONNECT, Clients, Refused
from tests.brownfield.day_zero import DayZero
from tests.conftest import Projects
from tests.drivers import certificate
from tests.engine import program
from tests.engine.admins import BACKEND, PASSWORD, only_superuser
from tests.engine.conftest import Brownfields
from tests.engine.delivered import PRODUCTION, Delivery
from tests.engine.following import HowTo, following
from tests.engine.forgotten import forget
from tests.engine.program import STACK_FILE, STATE, Project
from tests.railway import Fake

pytestmark = [pytest.mark.xdist_group("how-tos"), only_superuser]
in_use = pytest.mark.exhaustive
"""Of a test on the database that is already there, with all its clients at work."""

SERVICES = {"madansara", "sankore", "onside", "langflow"}
WORDS = {"2027-03-31": str(date.today() + timedelta(days=90))}


@dataclass(slots=True)
class World:
    """Day zero, its stack and the fake Railway on which its services run."""

    zero: DayZero
    project: Project
    there: Delivery

    @contextmanager
    def at_work(self) -> Iterator[Clients]:
        """All clients, each with the URL that its service runs with; not one row of theirs may be lost."""
        with Clients(self.zero, railway.urls(self.zero, self.there)) as clients:
            yield clients
        assert clients.lost() == {}

    @contextmanager
    def follow(self, page: str, heading: str, words: Mapping[str, str] = NOTHING, **more: str) -> Iterator[HowTo]:
        environment = self.there.fake.environment(self.there.token)
        with following(self.project, page, heading, {**WORDS, **words}, **environment, **more) as howto:
            yield howto

    def edit(self) -> AbstractContextManager[dict[str, Any]]:
        """The stack file's sections, to be changed."""
        return edited(self.project.folder / STACK_FILE)


def only(refused: list[Refused], begun: float, ended: float, *clients: str) -> None:
    """Nobody else was refused anything, nor these anything but new connections between these moments."""
    others = [each for each in refused if each.client not in clients]
    assert not others, others
    late = [each for each in refused if not begun <= each.when <= ended + 1]
    assert not late, (begun, ended, late)
    assert {(each.what, each.sqlstate) for each in refused} <= {(CONNECT, "28P01")}, refused


@contextmanager
def edited(file: Path) -> Iterator[dict[str, Any]]:
    yaml = YAML()
    yaml.width = 1000
    document = yaml.load(file)
    yield document["config"]
    yaml.dump(document, file)


@pytest.fixture(scope="module")
def world(brownfields: Brownfields) -> Iterator[World]:
    """Day zero, taken over all at once, as the page says."""
    with brownfields() as (zero, project), railway.delivery(zero, project) as there:
        made = World(zero, project, there)
        with made.at_work() as clients, made.follow("adopting.md", "All at once") as page:
            page.step("engarde:services")
            page.step("engarde doctor", code=1)
            page.step("preview", code=1)
            page.step("ALTER ROLE")
            page.step("preview")
            begun = time.monotonic()
            page.step("railway push")
            ended = time.monotonic()
            page.step("verify", code=1)
            page.step("--fix", code=1)
            page.step("engarde:accepted")
            page.step("--sql", code=1)
            page.step("cleanup.sql")
            page.step("ALTER TABLE public.leads")
            page.step("verify")
            page.step("git commit")
            time.sleep(1)
        only(clients.refused, begun, ended, *SERVICES)
        assert {each.client for each in clients.refused} == SERVICES
        with made.edit() as sections:
            for login in (*sections["engarde:services"].values(), sections["engarde:analytics"]):
                del login["adopt"]
        project.succeeds(project.preview("--expect-no-changes"))
        # It works again in all that follows.
        with made.edit() as sections:
            sections["engarde:outsideRoles"]["old_contractor"] = None
            del sections["engarde:shutOut"]
        project.succeeds(project.up())
        yield made


@in_use
def test_one_service_at_a_time(brownfields: Brownfields) -> None:
    with brownfields() as (zero, project), railway.delivery(zero, project) as there:
        made = World(zero, project, there)
        with made.at_work() as clients, made.follow("adopting.md", "One service at a time") as page:
            page.step("madansara:\n    adopt: true")
            page.step("preview")
            first = time.monotonic()
            page.step("railway push madansara")
            time.sleep(1)
            page.step("langflow:\n    adopt: true", whole=True)
            second = time.monotonic()
            page.step("railway push langflow")
            ended = time.monotonic()
            time.sleep(1)
        only(clients.by("madansara"), first, second, "madansara")
        only(clients.by("langflow"), second, ended, "langflow")
        assert {each.client for each in clients.refused} == {"madansara", "langflow"}


@in_use
def test_the_superusers_password_is_reset(world: World) -> None:
    new, backend, there = "TheResetPasswordInTests", railway.BACKEND, world.there
    with world.at_work() as clients, reset(world, new):
        begun = time.monotonic()
        for words in (["preview"], ["up", "--yes", "--skip-preview"]):
            refused = world.project.pulumi(*words)
            assert refused.returncode != 0
            assert "password" in refused.stdout
        assert world.project.tool("verify").returncode == 3
        there.services[backend].deploy(PRODUCTION)
        deployed = time.monotonic()
        with world.follow("superuser-password.md", "When the superuser's password is reset on Railway") as page:
            page.step("adminPassword", given=new)
            page.step("up")
            page.step("verify")
            page.step("git commit")
        time.sleep(1)
        meanwhile = [*clients.refused]
    only(meanwhile, begun, deployed, backend)
    assert meanwhile


@contextmanager
def reset(world: World, new: str) -> Iterator[None]:
    """The superuser has another password in the block, on Railway too, and then again the one that the tests know."""
    world.project.passwords.add(new)
    database, url = world.zero.database, world.zero.url(railway.BACKEND)
    before = database.value("SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'")
    with database.session() as session:
        session.execute(f"ALTER ROLE postgres PASSWORD '{scram_verifier(new, b'of a reset password')}'".encode())
        world.there.postgres.set(PRODUCTION, DATABASE_URL=url.replace(PASSWORD, new))
        try:
            yield
        finally:
            session.execute(f"ALTER ROLE postgres PASSWORD '{before}'".encode())
            world.there.postgres.set(PRODUCTION, DATABASE_URL=url)
            world.there.services[railway.BACKEND].deploy(PRODUCTION)
            world.project.pulumi("config", "set", "--secret", "adminPassword", given=PASSWORD)
            world.project.up()


@in_use
def test_the_state_comes_back_from_its_history(world: World) -> None:
    """With a stand-in for the command that reads and writes a bucket, which here is a folder."""
    folder = world.project.folder / "bin"
    (folder / "aws").write_text(
        "#!/bin/sh\nshift\nverb=$1\nshift\n"
        f"exec $verb $(printf '%s\\n' \"$@\" | sed 's|^s3://BUCKET|{world.project.folder / STATE}|')\n"
    )
    (folder / "aws").chmod(0o755)
    world.project.succeeds(world.project.up())
    state = world.project.state_file
    known = world.project.outputs()
    with world.at_work() as clients:
        state.unlink()
        history = sorted((world.project.folder / STATE / ".pulumi/history/engarde/local").glob("*.checkpoint.json"))
        with world.follow("lost-state.md", "Bring the state back", {"FILE": history[-1].name}) as page:
            assert history[-1].name == page.step("aws s3 ls").split()[-1]
            page.step("aws s3 cp")
            page.step("up --refresh")
        assert world.project.outputs() == known
    assert clients.refused == []


@in_use
def test_the_state_is_lost(world: World) -> None:
    world.project.state_file.unlink()
    with world.at_work() as clients, world.follow("lost-state.md", "Make the state anew") as page:
        page.step("stack init")
        anew(page, clients)


def anew(page: HowTo, clients: Clients) -> None:
    """What both ways of `lost-state.md` have in common."""
    page.step("adopt: true")
    page.step("preview")
    begun = time.monotonic()
    page.step("railway push")
    ended = time.monotonic()
    page.step("verify")
    page.step("git commit")
    time.sleep(1)
    only(clients.refused, begun, ended, *SERVICES)
    assert {each.client for each in clients.refused} == SERVICES


@in_use
def test_an_edit_was_never_committed(world: World) -> None:
    """It is brought back from the state, wherever the file was lost; and with the file as it was, nothing is done."""
    file = world.project.folder / STACK_FILE
    before = file.read_text()
    with world.edit() as sections:
        sections["engarde:services"]["langflow"]["connectionLimit"] = 22
        sections["engarde:services"]["sankore"]["rotation"] = 2
    world.project.succeeds(world.project.up())
    assert world.there.tool("push").returncode == 0
    file.write_text(before)
    assert "rotation" in refused(world.project)
    with world.at_work() as clients, world.follow("lost-stack-file.md", "Bring the file back") as page:
        file.unlink()
        page.step("git restore")
        page.step("config refresh")
        assert "connectionLimit: 22" in page.step("git diff")
        page.step("--expect-no-changes")
        page.step("git commit")
    assert clients.refused == []


def refused(project: Project) -> str:
    """What a run says that may not begin."""
    run = project.preview()
    assert (run.exit != 0, run.ops) == (True, {}), run.output
    return run.output


@in_use
def test_an_old_file_was_brought_up(world: World) -> None:
    world.project.succeeds(world.project.up())
    with world.edit() as sections:
        del sections["engarde:services"]["sankore"]["reads"]
    with world.at_work() as clients:
        time.sleep(1)
        begun = time.monotonic()
        world.project.succeeds(world.project.up())
        time.sleep(1)
        with world.follow("lost-stack-file.md", "After an `up` with an old file") as page:
            page.step("stack history")
            assert "public.brands" in page.step("jq")
            page.step("set-all")
            page.step("preview")
            page.step("up")
            ended = time.monotonic()
            page.step("verify")
        time.sleep(1)
    assert {(each.client, each.sqlstate) for each in clients.refused} == {("sankore", "42501")}
    assert all(begun <= each.when <= ended for each in clients.refused)


@in_use
def test_a_run_is_killed(world: World) -> None:
    """After it has made a role, which the state does not know yet, and has replaced another one's password."""
    database = world.zero.database
    with world.edit() as sections:
        sections["engarde:services"]["notes"] = {"railway": {"service": []}}
        sections["engarde:services"]["onside"]["rotation"] = 2
    stored = "SELECT rolpassword FROM pg_authid WHERE rolname = 'onside_user'"
    before = database.value(stored)
    with world.at_work() as clients:
        begun = time.monotonic()
        run = subprocess.Popen(
            [world.project.engine.binary, "up", "--yes", "--skip-preview", "--stack", "local", "--non-interactive"],
            cwd=world.project.folder,
            env=world.project._environment() | {"PGOPTIONS": world.project.pgoptions or ""},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        made = "SELECT count(*) FROM pg_roles WHERE rolname = 'notes_user'"
        while run.poll() is None and (database.value(stored) == before or not database.value(made)):
            time.sleep(0.01)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        if "notes-role" in world.project.resources():
            forget(world.project.state_file, "notes")
        with world.follow("killed-runs.md", "When a run was killed", {"sankore": "notes"}) as page:
            page.step("up", code=None)
            page.step("cancel")
            page.step("doctor", code=1)
            page.step("refresh")
            page.step("adopt: true")
            page.step("railway push")
            ended = time.monotonic()
            page.step("verify")
        time.sleep(1)
    only(clients.refused, begun, ended, "onside")
    assert clients.by("onside")
    with world.edit() as sections:
        del sections["engarde:services"]["notes"]
    world.project.succeeds(world.project.up())


@in_use
def test_a_killed_run_has_left_an_empty_file(world: World) -> None:
    side_file = world.project.state_file.with_name(f"{world.project.state_file.name}.attrs")
    side_file.touch()
    backend = f"file://{world.project.folder / STATE}"
    with world.follow("killed-runs.md", "`failed to load checkpoint: EOF`", PULUMI_BACKEND_URL=backend) as page:
        page.step("doctor", code=1)
    side_file.unlink()


@in_use
def test_the_passphrase_is_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last one: the state is another passphrase's from here on."""
    world.project.outputs()
    monkeypatch.setattr(program, "PASSPHRASE", "of somebody who has lost the other one")
    refused = world.project.preview()
    assert "incorrect passphrase" in refused.output
    told = world.project.tool("doctor", "-", given=refused.output)
    assert "docs/lost-state.md" in told.stdout, told.stdout + told.stderr
    with world.at_work() as clients:
        with world.follow("lost-state.md", "When the passphrase is lost") as page:
            page.step("config rm adminPassword")
            page.step("stack rm")
            page.step("stack init")
            page.step("adminPassword", given=PASSWORD)
        with world.follow("lost-state.md", "Make the state anew") as page:
            page.skip("stack init")
            anew(page, clients)


def test_a_service_is_retired(projects: Projects) -> None:
    with projects(services={"madansara": {"protect": True}, "sankore": None}, analytics={}) as project:
        project.succeeds(project.up())
        with project.connect("madansara") as session:
            session.execute("CREATE TABLE things (word text)")
            session.execute("INSERT INTO things VALUES ('kept')")
        with following(project, "retire.md", "Step by step") as page:
            page.step("--dry-run")
            page.step("--yes-drop-data")
            page.step("verify")
            page.step("git commit")
            page.step("madansara:")
            page.step("up")
            page.step("restore")
        with project.connect("madansara") as session:
            assert session.execute("SELECT word FROM things").fetchall() == [("kept",)]


def test_the_first_production_run(projects: Projects) -> None:
    """On a server where no role is but the superuser."""
    with projects() as project, Fake() as fake:
        certificate.switch_on(project.database)
        shutil.rmtree(project.folder / STATE / ".pulumi")
        shutil.copy(PROJECT / "Pulumi.prod.yaml", project.folder / STACK_FILE)
        project.database.run(f"DROP OWNED BY {BACKEND}", f"DROP ROLE {BACKEND}")
        there = fake.project("engarde", PRODUCTION)
        services = {name: there.service(name, deployed=True) for name in SERVICES}
        words = {
            "NAME.proxy.rlwy.net": "127.0.0.1",
            "12345": str(project.database.server.port),
            "postgres.railway.internal": "127.0.0.1",
        }
        environment = fake.environment(there.token(PRODUCTION))
        with following(
            project, "first-production-run.md", "The first production run, on Railway", words, **environment
        ) as page:
            page.skip("python3 -m venv")
            page.skip("export")
            page.step("stack init")
            page.step("server.host")
            with edited(project.folder / STACK_FILE) as sections:
                sections["engarde:serviceAddress"]["port"] = project.database.server.port
            page.step("adminPassword", given=PASSWORD)
            page.step("preview")
            page.step("up")
            page.step("verify")
            page.step("git commit")
            page.step("engarde:railway")
            page.step("plan", code=1)
            page.step("push")
            page.step("audit")
            page.step("git commit")
        for service in services.values():
            with psycopg.connect((service.running(PRODUCTION) or {})["DATABASE_URL"]) as session:
                session.execute("CREATE TABLE mine (id int)")


def test_two_stacks_on_one_server(projects: Projects) -> None:
    words = {"NAME.proxy.rlwy.net": HOST}
    title, more = "Two stacks on one server", {"file": "Pulumi.staging.yaml", "ENGARDE_ALLOW_STAND_INS": "1"}
    with projects(services={"madansara": None, "sankore": None}, analytics={}) as project:
        project.succeeds(project.up())
        words |= {"12345": str(project.database.server.port)}
        with project.connect("madansara") as session, following(project, "two-stacks.md", title, words, **more) as page:
            for step in ("CREATE DATABASE", "stack init", "adminPassword", "staging_madansara", "up", "verify"):
                page.step(step, given=PASSWORD)
                # Whoever is there stays, and others come.
                session.execute("SELECT 1")
                project.connect("madansara").close()
        role, password = "madansara_user", project.outputs()["passwords"]["madansara_user"]
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            project.database.session(role, password, "staging")
        project.succeeds(project.preview("--expect-no-changes"))
