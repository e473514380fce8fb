"""Runs an env.py in the service's own interpreter, with a database of nobody's, and reads what it has told Alembic.

The service's own command for Alembic is run as `migrate` runs it, but with a configuration of its own, whose env.py
loads the text in place of the project's. So nobody has to know where the interpreter is, and the code sees what it
would see, but for its database: its URLs lead nowhere, and SQLAlchemy is kept from connecting.
"""

import json
import os
import secrets
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from stat import S_IROTH
from threading import Thread
from typing import IO, Any, TypeVar

from engarde.alembic import template
from engarde.alembic.programs import Programs, environment
from engarde.alembic.project import INI, Project, command, words_of
from engarde.alembic.statements import bound
from engarde.declaration.address import UNSTATED, Address
from engarde.declaration.loader import FOLDER
from engarde.declaration.model import Service
from engarde.errors import Refused
from engarde.server.credentials import url
from engarde.server.libpq import given_environment
from engarde.util import timeouts
from engarde.util.masking import masked
from engarde.util.quoting import word
from engarde.util.terminal import first_few

LARGEST = 10_000_000
"""Of what it prints [bytes]."""

LINGERING = 2.0
"""How long its output is read after its end [seconds]."""

LAST = 3
"""Lines of what it prints that are told where it is not run to its end."""

NOWHERE = Address(host="no-database.invalid")
"""Where every URL leads that the code is given."""


Said = Mapping[str, Any]
"""What a run has said of itself. The service's code may have written it: it may be anything."""

Read = TypeVar("Read")


class _NotRun(Exception):
    """It could not be run, or has said nothing of itself, for this reason."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs texts as the env.py of one project, and says in these words why it could not."""

    project: Project
    service: Service
    refused: str = "env.py could not be run"
    late: str = "env.py"
    otherwise: str = ""

    def run(self, runs: Sequence[Mapping[str, object]], read: Callable[[Said, Said], Read]) -> Read:
        """Runs both at the same time, each in a process of its own.

        :param runs: what the program in `templates/run.py.txt` is told beside the project's places.
        :param read: makes something of what they have said of themselves.
        :raises Refused: one of them could not be run to its end.
        """
        called = command(words_of(self.service))
        programs, done = Programs(), list[Said]()
        try:
            if not called.alembics:
                raise _NotRun(f"`{' '.join(map(word, called.words))}` does not end with Alembic's own name")
            with ThreadPoolExecutor(max_workers=2) as pool, programs.ending_with_this():
                done.extend(pool.map(lambda told: self._said(called.words, told, programs), runs))
            return read(*done)
        except _NotRun as error:
            why = str(error)
        except (ValueError, KeyError, TypeError, AttributeError):
            why = "its answer is none"
        path = os.path.relpath(self.project.folder, FOLDER)
        raise Refused(
            f"{self.refused} with the service's own Alembic: {why}; say in the stack file how that is run"
            f" (`migrations: {{path: {path}, command: [...]}}`, docs/migrate.md){self.otherwise}"
        )

    def _said(self, words: Sequence[str], told: Mapping[str, object], programs: Programs) -> Said:
        token, settings = secrets.token_hex(16), self.project.settings
        whole = {
            "token": token,
            "env": str(self.project.env),
            "folder": str(self.project.folder.resolve()),
            "ini": str(settings.ini or settings.folder / INI),
            "toml": str(settings.pyproject) if settings.in_pyproject else None,
            "section": settings.section,
            **told,
        }
        with tempfile.TemporaryDirectory(prefix="engarde-") as made:
            folder = Path(made)
            if self.project.env.stat().st_mode & S_IROTH:
                # Its command may change to another OS user; what everybody may read there is no secret here.
                folder.chmod(0o755)
            (folder / INI).write_text(f"[alembic]\nscript_location = {made.replace('%', '%%')}\n")
            (folder / "env.py").write_text(template.text("run.py"))
            (folder / "told.json").write_text(json.dumps(whole))
            name = f"{self.service.name} ({told['kind']}, {told['mode']})"
            printed = self._printed(name, (*words, "-c", str(folder / INI), "current"), programs)
        answer = next((line.removeprefix(token) for line in reversed(printed) if line.startswith(token)), None)
        if answer is None:
            last = "; ".join(line.strip() for line in printed[-LAST:] if line.strip())
            raise _NotRun(masked(last) or "it ended without a word")
        said: Said = json.loads(answer)
        return said

    def _printed(self, name: str, words: Sequence[str], programs: Programs) -> list[str]:
        """What it prints, in lines."""
        declared = self.service.migrations
        given = environment(given_environment(), declared.environment if declared else ()) | _urls(self.service)
        printed, limit = bytearray(), timeouts.seconds("alembic")
        with programs.running(name, words, self.project.folder, given, errors=subprocess.STDOUT) as process:
            assert process.stdout
            reader = Thread(target=_read_into, args=(printed, process.stdout), daemon=True)
            reader.start()
            try:
                process.wait(limit)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise Refused(f"{self.late} has not ended within {limit:.0f} seconds") from None
        # What it has left running elsewhere may hold its output open for ever.
        reader.join(LINGERING)
        return printed.decode("utf-8", "replace").splitlines()


def _read_into(printed: bytearray, stream: IO[bytes]) -> None:
    with stream:
        while len(printed) < LARGEST and (piece := stream.read(65536)):
            printed += piece


def databases(service: Service) -> dict[str, str]:
    """The variables in which it looks for URLs, each leading to a database of another name."""
    own = (service.migrations.variable,) if service.migrations else ()
    names = dict.fromkeys((*(service.railway or UNSTATED).variables, *own))
    return {name: f"none{place or ''}" for place, name in enumerate(names)}


def _urls(service: Service) -> dict[str, str]:
    """These variables, leading nowhere, with a % in the password."""
    delivered, migrations = (service.railway or UNSTATED).variables, service.migrations
    forms = {name: variable.url_format for name, variable in delivered.items()}
    if migrations:
        forms[migrations.variable] = migrations.url_format
    return {
        name: url(forms[name] or service.url_format, NOWHERE, database, service.role, "no%ne")
        for name, database in databases(service).items()
    }


def refuse_broken(project: Project, service: Service, before: str, after: str) -> None:
    """Lets an env.py pass that can take the place of another.

    :raises Refused: it fails, its metadata has fewer tables, its filters hide them all, or it could not be tried.
    """
    above = bound(after.partition(template.BEGIN)[0])
    imports = {name: value[1:] for name, value in above.items() if isinstance(value, tuple)}
    told = {"mode": "offline", "imports": imports}

    def read(new: Said, old: Said) -> tuple[str, bool, list[str]]:
        kept = {*map(str, new["tables"] or ())}
        lost = [table for table in map(str, old["tables"] or ()) if table not in kept]
        return masked(str(new["failed"] or "")), bool(new["hidden"]), lost

    trial = Runner(
        project,
        service,
        refused="nothing was written: it could not be tried",
        late="nothing was written: its trial",
        otherwise=", or write it untried with --untried",
    )
    runs = [{**told, "kind": "new", "text": after}, {**told, "kind": "old", "text": before}]
    failed, hidden, lost = trial.run(runs, read)
    if failed:
        raise Refused(f"nothing was written: what would be written fails there: {failed}")
    if hidden:
        raise Refused(
            "nothing was written: the filters that it would keep show autogenerate none of the models' tables, because"
            " to Alembic the login's first schema is None, not its name; the new env.py leaves out all other schemas"
            " itself, so take the filter of schemas out of the old one"
        )
    if lost:
        raise Refused(
            f"nothing was written: the metadata of what would be written has no {first_few(lost, 5)}, and autogenerate"
            f" would drop what is missing there; import what fills it at the top of {project.env}, before"
            " target_metadata"
        )
