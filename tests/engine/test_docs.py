"""The commands of the pages, run as they stand: each page's in a copy of a stack like that of `make demo`."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import psycopg
import pytest
from ruamel.yaml import YAML

from devtools.local.demo import COMMAND, EXTENSIONS, SERVICES, USERS
from launcher.engine import Engine
from launcher.paths import PROJECT
from tests.engine.admins import BACKEND, PASSWORD, only_superuser
from tests.engine.conftest import Projects, Stacks
from tests.engine.delivered import AT_ONCE, PRODUCTION, SECTION
from tests.engine.program import LIMIT, Project
from tests.markdown import PLACEHOLDERS, SHELL, Block, Located, Page, calls, filled, none, pages, variants
from tests.railway import Fake
from tests.warm.processes import python

pytestmark = pytest.mark.xdist_group("docs")

Done = subprocess.CompletedProcess[str]

NOT_HERE = {
    ".venv/bin/python -m pytest": "starts these tests",
    "ENGARDE_TEST_PG=": "starts these tests",
    "bin/engarde split finish": "the pages have `back` before it; tests/engine/test_split.py runs it after `run`",
    "make ": "tests/engine/test_make_up.py runs `up`, `demo`, `down` and `clean`; the others take minutes or hours",
    "STATUS_URL=": "tests/engine/test_status_command.py asks as such a role",
    "railway config": "is Railway's own, and needs an account there",
}
"""Commands that begin so are not run, for this reason."""

FOLLOWED = {*re.findall(r'"([\w-]+\.md)"', (PROJECT / "tests/engine/test_how_tos.py").read_text())}
"""Pages whose steps need more than a stack: a database in use, and what has happened to it."""

PAGES = [page for page in pages() if page.path.name not in FOLLOWED]

LAST = re.compile(r"\b(split|retire|destroy)\b")
"""What is gone after it, commands of other sections of a page need: blocks with it are run after the others."""

ASKS = re.compile(r"--yes[\w-]*")
LOG = "ERROR: permission denied for schema sankore"
"""Of a service, as `railway logs` shows it."""


def sections() -> dict[str, Any]:
    """Production's, with what `make demo` adds, and a service in a database of its own."""
    config = YAML(typ="safe").load(PROJECT / "Pulumi.prod.yaml")["config"]
    found = {key.removeprefix("engarde:"): config[key] for key in config}
    for name in ("server", "serviceAddress"):
        del found[name]
    for name in found["services"]:
        migrations = {"migrations": {"path": f"examples/services/{name}", "command": list(COMMAND)}}
        found["services"][name] = (found["services"][name] or {}) | migrations
    found["services"]["learning"] = {"database": "learning"}
    found["existingSchemas"]["public"]["creators"].append(BACKEND)
    outside = {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}}
    return {**found, "extensions": dict.fromkeys(EXTENSIONS), "outsideRoles": outside, "railway": SECTION}


def demo(project: Project) -> None:
    """Brings the stack up, with the services of the demo at their heads."""
    shutil.copytree(SERVICES, project.folder / "examples/services", ignore=shutil.ignore_patterns("__pycache__"))
    project.database.run(USERS, "CREATE DATABASE learning")
    project.succeeds(project.up())
    for service in (project.folder / "examples/services").glob("*/"):
        upgrade = f"cd {service} && alembic upgrade head"
        done = project.tool("run", service.name, "--", "sh", "-c", upgrade)
        assert done.returncode == 0, done.stdout + done.stderr
    done = project.tool("backup", PLACEHOLDERS["SERVICE"], "--to", PLACEHOLDERS["DIR"])
    assert done.returncode == 0, done.stdout + done.stderr
    with project.connect("onside") as session:
        session.execute("CREATE TABLE leads (id int PRIMARY KEY)")


class Shell:
    """Where a reader of the pages types: in the project's folder, with the project of a service beside it."""

    def __init__(self, project: Project, fake: Fake) -> None:
        self.project = project
        there = fake.project(SECTION["project"], PRODUCTION)
        for name in (*sections()["services"], "analytics"):
            there.service(name, deployed=True).next_deployments(PRODUCTION, *[AT_ONCE] * 9)
        shutil.copytree(project.folder / "examples/services/madansara", project.folder.parent / "madansara")
        programs = project.folder.parent / "programs"
        programs.mkdir()
        pulumi = "exec " + shlex.quote(str(project.engine.binary))
        tool = f'exec {shlex.join([python(), *project.tool_command()[1:]])} "$@"'
        for path, script in {
            project.folder / "bin/engarde": tool,
            programs / "engarde": tool,
            programs / "pulumi": f'{pulumi} "$@"',
            programs / "railway": f"echo {shlex.quote(LOG)}",
        }.items():
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
        before = project._environment()
        self.environment = {
            **before,
            **fake.environment(there.token(PRODUCTION)),
            "DATABASE_URL": project.outputs()["database_urls"]["madansara"],
            "PATH": f"{programs}:{project.database.server.bin_dir}:{before['PATH']}",
            "PGOPTIONS": project.pgoptions or "",
            "PULUMI_SKIP_CONFIRMATIONS": "true",
        }

    def run(self, text: str, *before: str) -> Done:
        """One command, after those that say where it is run."""
        done = self._run("\n".join([*before, text]))
        # Nobody is there to be asked, and it says what to add then.
        if done.returncode == 2 and (flag := ASKS.search(done.stderr)):
            done = self._run("\n".join([*before, f"{text} {flag[0]}"]))
        return done

    def _run(self, script: str) -> Done:
        return subprocess.run(
            ["bash", "-c", script],
            cwd=self.project.folder,
            env=self.environment,
            input=PASSWORD if "--secret" in script else "",
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )


@pytest.fixture
def shell(stacks: Stacks) -> Iterator[Shell]:
    with stacks(demo, **sections()) as project, Fake() as fake:
        yield Shell(project, fake)


def blocks(page: Page) -> list[Block]:
    """What is typed from a page, in the order in which it can be."""
    found = [block for block in page.blocks() if block.language in SHELL]
    return sorted(found, key=lambda block: bool(LAST.search(block.text)))


def typed(command: Located) -> str:
    """A command as it is typed for a stack that is called otherwise; a synopsis without all that may be left out."""
    shortest = variants(re.sub(r"\s+#\s.*", "", command.text))[0]
    return re.sub(r"\bprod\b", "local", filled(shortest))


def is_run(command: Located) -> bool:
    return not command.text.startswith(tuple(NOT_HERE))


@only_superuser
@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(map(is_run, page.commands()))], ids=lambda page: page.name
)
def test_the_commands_of(page: Page, shell: Shell) -> None:
    faults = []
    for block in blocks(page):
        before: list[str] = []
        for command in filter(is_run, block.commands()):
            text = typed(command).replace("…/", f"{shell.project.folder}/")
            if text.startswith(("cd ", "export ")):
                before.append(text)
                continue
            done = shell.run(text, *before)
            if done.returncode not in {0, *ends_with_1(text)}:
                faults.append(f"{command}\n$ {text}\n{done.stdout}{done.stderr}exit code {done.returncode}\n")
    none(faults)


def ends_with_1(text: str) -> set[int]:
    """Whether that is no failure, by the page of exit codes."""
    words = next(calls(text, "engarde"), [])
    return {1} if any(words[: len(name)] == name for name in looking()) else set()


@cache
def looking() -> list[list[str]]:
    """The commands that end with 1 if there is something to do."""
    lines = (PROJECT / "docs/exit-codes.md").read_text().splitlines()
    rows = [line.split("|")[1:] for line in lines if line.startswith("| `")]
    return [name.split() for names, _, one, *_ in rows if one.strip() for name in re.findall("`([a-z ]+)`", names)]


def test_what_is_not_run_stands_in_the_pages() -> None:
    texts = [command.text for page in pages() for command in page.commands()]
    assert [start for start in NOT_HERE if not any(text.startswith(start) for text in texts)] == []


def test_pulumi_takes_each_command_line(engine: Engine) -> None:
    """In blocks and in the text; with --help, it reads its options and does nothing else."""
    refused = []
    lines = [line for page in pages() for line in (*page.commands(), *page.named_commands())]
    called = {tuple(words): line for line in lines for words in calls(filled(line.text), "pulumi")}
    for words, line in called.items():
        done = subprocess.run([engine.binary, *words, "--help"], capture_output=True, text=True, check=False)
        # What is no command of a group, it takes for nothing at all.
        group = re.search(r"^  pulumi (.*)\[command\]$", done.stdout, re.MULTILINE)
        beyond = words[len(group[1].split()) :] if group else ()
        if done.returncode or (beyond and not beyond[0].startswith("-")):
            refused.append(f"{line}\n{done.stderr}")
    none(refused)


@only_superuser
def test_the_server_takes_the_statements(projects: Projects) -> None:
    with projects() as project, project.database.session() as session:
        for block in [block for page in PAGES for block in page.blocks() if block.language == "sql"]:
            with session.transaction(force_rollback=True):
                try:
                    session.execute(block.text.encode())
                except psycopg.Error as refusal:
                    pytest.fail(f"{block}\n{refusal}")
