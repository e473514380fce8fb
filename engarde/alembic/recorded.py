"""What an env.py does, as it has been seen to do when it was run: judged by the same rules as what its text tells."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

from engarde.alembic.context import (
    Answers,
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
from engarde.alembic.project import URL
from engarde.alembic.running import Runner, Said, databases
from engarde.alembic.source import UNKNOWN, Value
from engarde.declaration.model import Service
from engarde.util.files import read_text
from engarde.util.masking import masked

MODES: tuple[Mode, ...] = ("online", "offline")


def recorded(context: Context) -> Context:
    """The same project, with what has come of running its env.py in both modes in the place of what its text tells.

    For a mode in which it fails, what its text tells stands.

    :raises Refused: it could not be run.
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
    return Runner(project, service).run(runs, lambda online, offline: _with(context, online, offline))


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
        # One that refuses to be run offline has nothing to be judged there.
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
        # Offline it may be handed a connection, and then has no offline mode of its own.
        if one["online"] != (mode == "online"):
            continue
        line = int(one["line"])
        told = next((configure.options for configure in env.configures if configure.line == line), {})
        options = {}
        for name, value in one["options"].items():
            node = ast.Constant(value[0]) if value else ast.Call(ast.Name(name, ast.Load()), [], [])
            node.lineno = told[name].lineno if name in told else line
            options[name] = node
        yield Configure(mode, line, options, within=mode, answers=_answers(one["answers"]))


def _answers(found: list[list[Any]]) -> Answers:
    return {
        Table(schema, name, declared, exists, modelled): answer
        for schema, name, declared, exists, modelled, answer in found
    }


def _paths(env: Environment, said: Said, mode: Mode) -> Iterator[SetPath]:
    """Those of statements, and of what engines hand to their drivers; what sets none is none."""
    ways: dict[str, Way] = {way: way for way in get_args(Way)}
    for number, name, text in said["paths"]:
        way = ways[name]
        # Where an option is written out says its text; what is run says only where the engine is made.
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
    """The places that name a schema, and for those whose text does not tell it the schemas that nothing else names."""
    if said["failed"]:
        yield from context.models
        return
    known = {named.schema for named in context.models}
    found = {schema: False for schema, _ in said["schemas"]}
    for schema, keys in said["schemas"]:
        found[schema] |= bool(keys)
    left = {schema: keys for schema, keys in found.items() if schema is not None and schema not in known}
    unknown = [named for named in context.models if named.schema is UNKNOWN]
    yield from (named for named in context.models if named.schema is not UNKNOWN)
    lines = [int(one["line"]) for one in said["configures"]] or [1]
    places = unknown or [Named(context.project.env, lines[0], None, of_metadata=True, keys=False)]
    for named in places:
        yield from (replace(named, schema=schema, keys=keys) for schema, keys in left.items())
