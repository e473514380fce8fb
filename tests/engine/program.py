"""The project's own program in a folder of its own, run by the real engine as an operator runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg
from psycopg.conninfo import make_conninfo
from ruamel.yaml import YAML

from devtools.server import HOST
from engarde.declaration.loader import PASSWORD_KEY
from engarde.util.provider_sessions import pgoptions
from engarde.util.workspaces import file_backend
from launcher.command import quick
from launcher.engine import Engine
from tests.engine import state as states
from tests.engine.admins import BACKEND, PASSWORD
from tests.engine.database import NAME, Database, Session
from tests.warm.processes import python

STACK = "local"
STACK_FILE = f"Pulumi.{STACK}.yaml"
STATE = "state"
STACK_TYPE = "pulumi:pulumi:Stack"
PASSPHRASE = "of a stack that lives as long as its test"
BLANK = "blank.json"
"""A stack file that declares nothing and knows the admin's password."""

THE_ADMIN = "<the admin>"
"""Stands in a test's sections for the role that the stack is brought up with."""

LIMIT = 240.0
"""Of one command (seconds)."""


@dataclass(frozen=True, slots=True)
class Step:
    """What the engine did to one resource, or has found done to it."""

    op: str
    diffs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """What the engine reports of one command."""

    exit: int
    output: str
    steps: Mapping[str, Step]
    """by resource, without those that stayed as they were and without what belongs to the engine itself"""

    @property
    def ops(self) -> dict[str, str]:
        """What was done to each resource that did not stay as it was."""
        return {name: step.op for name, step in self.steps.items()}


@dataclass(slots=True)
class Project:
    """A stack of the program, with its file backend and its passphrase, on a server of its own."""

    engine: Engine
    folder: Path
    database: Database
    printed: str = field(default="", repr=False)
    """all that the engine has printed so far, but for secrets it was asked for"""

    pgoptions: str | None = pgoptions()["PGOPTIONS"]
    """what the provider's sessions start with, as under `bin/pulumi`; None as under plain `pulumi`"""

    passwords: set[str] = field(default_factory=lambda: {PASSWORD}, repr=False)
    """every password that this stack is known to have had, the admin's included"""

    _in_clear: tuple[bytes, dict[str, Any]] = field(default=(b"", {}), repr=False)

    def declare(self, **sections: Any) -> None:
        """Makes these the sections of the stack file, on the project's server unless they name one."""
        admin = self.database.admin
        address = {"host": HOST, "port": self.database.server.port, "database": NAME}
        server = {**address, "user": admin.user, "superuser": admin.superuser, **sections.pop("server", {})}
        document = json.loads((self.folder / BLANK).read_text())
        # The backend's role is on every test's server; where a test says nothing of it, it is shut out.
        shut_out = {} if BACKEND in sections.get("outsideRoles", {}) else {"shutOut": [BACKEND]}
        given = {"server": server, **shut_out, **sections}
        document["config"] |= {f"engarde:{section}": value for section, value in given.items()}
        # JSON is YAML.
        text = json.dumps(document, indent=2).replace(json.dumps(THE_ADMIN), json.dumps(admin.user))
        (self.folder / STACK_FILE).write_text(text)

    def preview(self, *options: str) -> Run:
        return self._run("preview", *options)

    def up(self, *options: str) -> Run:
        """Brings the stack up without a preview before it."""
        return self._run("up", "--yes", "--skip-preview", *options)

    def refresh(self, *options: str) -> Run:
        return self._run("refresh", "--yes", "--skip-preview", *options)

    def destroy(self, *options: str) -> Run:
        return self._run("destroy", "--yes", *options)

    def succeeds(self, run: Run) -> Run:
        """The run, which has to have ended well."""
        assert run.exit == 0, run.output
        return run

    def outputs(self) -> dict[str, Any]:
        """The outputs of the last run with their secrets in clear."""
        found: dict[str, Any] = {}
        for each in self.in_clear().get("resources") or ():
            if each["type"] == STACK_TYPE:
                found = each.get("outputs", {})
        self.passwords.update(found.get("passwords", {}).values())
        return found

    def in_clear(self) -> dict[str, Any]:
        """The latest deployment that the state holds, with its secrets in clear."""
        text = self.state_file.read_bytes()
        if self._in_clear[0] != text:
            self._in_clear = (text, states.in_clear(json.loads(text), PASSPHRASE))
        return self._in_clear[1]

    def connect(self, who: str) -> Session:
        """A session of a service's or of `analytics`, by its exported URL."""
        outputs = self.outputs()
        url = outputs["analytics_url"] if who == "analytics" else outputs["database_urls"][who]
        return psycopg.connect(conninfo(url), autocommit=True)

    def state(self) -> str:
        """All that the backend holds: the state, its history and its backups."""
        files = [each for each in (self.folder / STATE).rglob("*") if each.is_file()]
        return "\n".join(file.read_text(errors="replace") for file in files)

    @property
    def state_file(self) -> Path:
        """What the backend holds of the state as it is now."""
        return self.folder / STATE / ".pulumi/stacks/engarde" / f"{STACK}.json"

    def deployment(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The latest deployment that the state holds, its secrets encrypted or as Pulumi shows them."""
        state = json.loads(self.state_file.read_text())
        latest: dict[str, Any] = state["checkpoint"].get("latest") or {}
        return states.shown(state, PASSPHRASE) if show_secrets else latest

    def resources(self) -> dict[str, Any]:
        """Its resources by name."""
        return {each["urn"].split("::", 3)[3]: each for each in self.deployment().get("resources") or ()}

    def admin_password(self) -> str:
        """What the stack file has of it, in clear."""
        document = YAML(typ="safe").load(self.folder / STACK_FILE)
        secret = document["config"][f"engarde:{PASSWORD_KEY}"]["secure"]
        return states.cipher(PASSPHRASE, document["encryptionsalt"]).opened(secret)

    def _run(self, command: str, *options: str) -> Run:
        events = self.folder / "events"
        events.unlink(missing_ok=True)
        done = self.pulumi(command, *options, "--event-log", str(events))
        self.printed += done.stdout
        told = [json.loads(line) for line in events.read_text().splitlines()] if events.exists() else []
        return Run(done.returncode, done.stdout, _steps(told))

    def pulumi(self, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        """One command of the engine, both of its streams in one."""
        return subprocess.run(
            [self.engine.binary, *words, "--stack", STACK, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env=self._environment() | ({"PGOPTIONS": self.pgoptions} if self.pgoptions else {}),
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LIMIT,
        )

    def tool(self, *words: str, given: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
        """Runs `bin/engarde` on this stack, in a process of its own that has its libraries from another."""
        return subprocess.run(
            [python(), *self.tool_command(*words)[1:]],
            cwd=self.folder,
            env=self._environment() | environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )

    def tool_command(self, *words: str) -> list[str]:
        """What `bin/engarde` runs, with this folder as the project."""
        start = (
            "import sys; sys.path.insert(0, sys.argv.pop(1)); from engarde.cli import main; main(prog_name='engarde')"
        )
        return [sys.executable, "-P", "-c", start, str(self.folder), *words]

    def _environment(self) -> dict[str, str]:
        return {
            **environment(self.engine),
            **quick(),
            "PULUMI_BACKEND_URL": file_backend(self.folder / STATE),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # else the engine has no --event-log
        }


def environment(engine: Engine) -> dict[str, str]:
    """The caller's, with this engine, and without what leads the caller's own to a backend or an account of his."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "PULUMI_HOME" or not name.startswith(("PULUMI_", "PG"))
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return {**kept, "PATH": path, **engine.environment}


def conninfo(url: str) -> str:
    """What libpq takes for an exported URL of any form, the parameters in it included."""
    scheme, _, rest = url.rpartition("://")
    if scheme != "jdbc:postgresql":
        return f"postgresql://{rest}"
    parts = urlsplit(f"//{rest}")
    return make_conninfo(
        host=parts.hostname,
        port=parts.port,
        dbname=unquote(parts.path.removeprefix("/")),
        **dict(parse_qsl(parts.query)),
    )


def _steps(events: list[Any]) -> dict[str, Step]:
    # At a step's end: a refresh says only then what it has found.
    told = [event["resOutputsEvent"]["metadata"] for event in events if "resOutputsEvent" in event]
    return {
        each["urn"].split("::", 3)[3]: Step(each["op"], tuple(sorted(each.get("diffs") or ())))
        for each in told
        if each["op"] not in ("same", "refresh") and not each["type"].startswith("pulumi:")
    }
