"""Runs an env.py in the service's own interpreter without a database, and reads what it told Alembic.

The service's own command for Alembic runs as `migrate` runs it, but with a configuration whose env.py loads the text
in place of the project's. So it does not matter where the interpreter is, and the code sees everything as usual,
except its database: its URLs lead nowhere, and SQLAlchemy cannot connect.
"""

import ast
import json
import os
import secrets
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_IROTH
from threading import Thread
from typing import IO, Any, TypeVar, get_args

from engarde.alembic import template
from engarde.alembic.context import (
    Configure,
    Context,
    Early,
    Environment,
    Mode,
    Named,
    SetPath,
    Sink,
    Table,
    Way,
)
from engarde.alembic.environment import spelled, stated
from engarde.alembic.programs import Programs, environment
from engarde.alembic.project import INI, URL, Project, command, words_of
from engarde.alembic.source import UNKNOWN, Value
from engarde.declaration.address import UNSTATED, Address
from engarde.declaration.declared import UrlFormat
from engarde.declaration.loader import FOLDER
from engarde.declaration.model import Service
from engarde.errors import Refused
from engarde.server.credentials import url
from engarde.server.libpq import given_environment
from engarde.util import timeouts
from engarde.util.files import read_text
from engarde.util.masking import masked
from engarde.util.quoting import word

LARGEST = 10_000_000
"""How much of a run's output is read [bytes]."""

LINGERING = 2.0
"""How long the output is read after the run has ended [seconds]."""

LAST = 3
"""How many lines of the output a message has if the run failed."""

MODES: tuple[Mode, ...] = ("online", "offline")

NOWHERE = Address(host="no-database.invalid")
"""The address in every URL that the code gets."""


Said = Mapping[str, Any]
"""The report of a run. The service's code may have written it, so it may be anything."""

Read = TypeVar("Read")


class _NotRun(Exception):
    """Why a text could not be run, or made no report."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs texts as the env.py of one project; the other fields are parts of the message if it cannot."""

    project: Project
    service: Service
    refused: str = "env.py could not be run"
    late: str = "env.py"
    otherwise: str = ""
    in_stack_file: bool = True
    """the stack file has the command of Alembic; without a stack file it is the `alembic` in PATH"""

    def run(self, runs: Sequence[Mapping[str, object]], read: Callable[[Said, Said], Read]) -> Read:
        """Runs both at the same time, each in a process of its own.

        :param runs: what the program in `templates/run.py.txt` is told, besides the project's folders.
        :param read: evaluates their reports.
        :raises Refused: one of them could not be run, or made no report.
        """
        called = command(words_of(self.service))
        programs, done = Programs(), list[Said]()
        try:
            if not called.alembics:
                raise _NotRun(f"`{' '.join(map(word, called.words))}` does not run Alembic's own program")
            with ThreadPoolExecutor(max_workers=2) as pool, programs.ending_with_this():
                done.extend(pool.map(lambda told: self._said(called.words, told, programs), runs))
            return read(*done)
        except _NotRun as error:
            why = str(error)
        except (ValueError, KeyError, TypeError, AttributeError):
            why = "its report cannot be read"
        if self.in_stack_file:
            migrations = f"migrations: {{path: {os.path.relpath(self.project.folder, FOLDER)}, command: [...]}}"
            remedy = f"State its command in the stack file (`{migrations}`, docs/migrate.md)"
        else:
            remedy = "Install it in a folder of PATH, with the packages that the project needs"
        raise Refused(f"{self.refused} with the service's own Alembic: {why}. {remedy}{self.otherwise}")

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
                # The command may change to another OS user. Everybody may read env.py already, so nothing is secret.
                folder.chmod(0o755)
            (folder / INI).write_text(f"[alembic]\nscript_location = {made.replace('%', '%%')}\n")
            (folder / "env.py").write_text(template.text("run.py"))
            (folder / "told.json").write_text(json.dumps(whole))
            name = f"{self.service.name} ({told['kind']}, {told['mode']})"
            printed = self._printed(name, (*words, "-c", str(folder / INI), "current"), programs)
        answer = next((line.removeprefix(token) for line in reversed(printed) if line.startswith(token)), None)
        if answer is None:
            last = "; ".join(line.strip() for line in printed[-LAST:] if line.strip())
            raise _NotRun(masked(last) or "it printed nothing")
        said: Said = json.loads(answer)
        return said

    def _printed(self, run: str, words: Sequence[str], programs: Programs) -> list[str]:
        """Its output, in lines."""
        declared = self.service.migrations
        given = environment(given_environment(), declared.environment if declared else ())
        for name, form in _forms(self.service).items():
            # With a % in the password.
            given[name] = url(form, NOWHERE, databases(self.service)[name], self.service.role, "no%ne")
        printed, limit = bytearray(), timeouts.seconds("alembic")
        with programs.running(run, words, self.project.folder, given, errors=subprocess.STDOUT) as process:
            assert process.stdout
            reader = Thread(target=_read_into, args=(printed, process.stdout), daemon=True)
            reader.start()
            try:
                process.wait(limit)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise Refused(f"{self.late} did not end within {limit:.0f} seconds") from None
        # A process that it has left running may keep its output open for ever.
        reader.join(LINGERING)
        return printed.decode("utf-8", "replace").splitlines()


def _read_into(printed: bytearray, stream: IO[bytes]) -> None:
    with stream:
        while len(printed) < LARGEST and (piece := stream.read(65536)):
            printed += piece


def _forms(service: Service) -> dict[str, UrlFormat]:
    """The variables that may hold its URLs, and the forms of these."""
    stated = {name: variable.url_format for name, variable in (service.railway or UNSTATED).variables.items()}
    if service.migrations:
        stated[service.migrations.variable] = service.migrations.url_format
    return {name: form or service.url_format for name, form in stated.items()}


def databases(service: Service) -> dict[str, str]:
    """For each of these variables, the name of the database in its URL."""
    return {name: f"none{place or ''}" for place, name in enumerate(_forms(service))}


# ---- What a run has shown, for the same rules that judge the text.


def recorded(context: Context) -> Context:
    """The same project, with what running its env.py in both modes has shown in place of what its text shows.

    For a mode in which it fails, the text still counts.

    :raises Refused: env.py could not be run.
    """
    project, service, settings = context.project, context.service, context.project.settings
    told = {
        "kind": "record",
        "text": read_text(project.env),
        "role": service.role,
        "schema": service.schema_,
        "database": next(iter(databases(service).values())),
        "schemas": sorted({*context.others, *(read.schema_ for read in service.reads)} - {service.schema_}),
        "url": str(settings.in_ini.get(URL) or settings.in_pyproject.get(URL) or "").replace("%%", "%"),
    }
    runs = [{**told, "mode": mode} for mode in MODES]
    return Runner(project, service, in_stack_file=context.stack is not None).run(
        runs, lambda online, offline: _with(context, online, offline)
    )


def _with(context: Context, online: Said, offline: Said) -> Context:
    env = context.env
    configures: list[Configure] = []
    paths: list[SetPath] = []
    failures: list[tuple[Mode, int, str]] = []
    offline_only = [configure.within for configure in env.of("offline")]
    for mode, said in zip(MODES, (online, offline), strict=True):
        if not said["failed"]:
            configures += _configures(env, said, mode)
            paths += _paths(env, said, mode)
            continue
        configures += env.of(mode)
        paths += [path for path in env.paths if (path.within in offline_only) is (mode == "offline")]
        # If env.py refuses the offline mode, there is nothing to judge in it.
        if env.of(mode) or mode == "online":
            failures.append((mode, int(said["line"]), masked(str(said["failed"]))))
    sinks, engines, failed = tuple(_sinks(context.service, online)), online["engines"], bool(online["failed"])
    early = tuple(Early(int(line), (str(sql),), sure=True) for line, sql in online["early"])
    found = replace(
        env,
        configures=tuple(configures),
        sinks=(*env.sinks, *sinks) if failed else sinks,
        paths=tuple(dict.fromkeys(paths)),
        early=env.early if failed else early,
        schemas_made=tuple(map(int, online["made"])),
        asynchronous=any(engine["asynchronous"] for engine in engines) if engines else env.asynchronous,
    )
    models = tuple(_models(context, online))
    return replace(context, env=found, models=models, run=True, failures=tuple(failures))


def _configures(env: Environment, said: Said, mode: Mode) -> Iterator[Configure]:
    for one in said["configures"]:
        # If `configure` gets a connection in offline mode, env.py has no offline mode of its own.
        if one["online"] != (mode == "online"):
            continue
        line = int(one["line"])
        told = next((configure.options for configure in env.configures if configure.line == line), {})
        options = {}
        for name, value in one["options"].items():
            node = ast.Constant(value[0]) if value else ast.Call(ast.Name(name, ast.Load()), [], [])
            node.lineno = told[name].lineno if name in told else line
            options[name] = node
        answers = {Table(*table): answer for *table, answer in one["answers"]}
        yield Configure(mode, line, options, within=mode, answers=answers)


def _paths(env: Environment, said: Said, mode: Mode) -> Iterator[SetPath]:
    """The search_paths that statements set, and those that engines pass to their drivers."""
    ways: dict[str, Way] = {way: way for way in get_args(Way)}
    for number, name, text in said["paths"]:
        way = ways[name]
        # The text shows the line of an option; a run shows only the line that makes the engine.
        line = next((path.line for path in env.paths if path.way == way != "statement"), int(number))
        if schemas := spelled(str(text)) if way == "server_settings" else stated(str(text), way):
            yield SetPath(line, schemas, way, mode, written=mode == "offline")


def _sinks(service: Service, said: Said) -> Iterator[Sink]:
    by_database = {database: name for name, database in databases(service).items()}

    def read(name: str | None) -> frozenset[str]:
        return frozenset({by_database[name]}) if name in by_database else frozenset()

    for line, name, doubled in said["options"]:
        yield Sink(int(line), Value(variables=read(name), replaced=(("%", "%%"),) if doubled else ()), "option", "")
    for engine in said["engines"]:
        value = Value(variables=read(engine["database"]), from_settings=bool(engine["ini"]))
        yield Sink(int(engine["line"]), value, "engine", str(engine["driver"]))


def _models(context: Context, said: Said) -> Iterator[Named]:
    """The places that name a schema; those whose text does not show it get the schemas that no other place names."""
    if said["failed"]:
        yield from context.models
        return
    known = {named.schema for named in context.models}
    with_keys = {schema for schema, keys in said["schemas"] if keys}
    left = [schema for schema in dict(said["schemas"]) if schema is not None and schema not in known]
    unknown = [named for named in context.models if named.schema is UNKNOWN]
    yield from (named for named in context.models if named.schema is not UNKNOWN)
    lines = [int(one["line"]) for one in said["configures"]] or [1]
    places = unknown or [Named(context.project.env, lines[0], None, of_metadata=True, keys=False)]
    for named in places:
        yield from (replace(named, schema=schema, keys=schema in with_keys) for schema in left)
