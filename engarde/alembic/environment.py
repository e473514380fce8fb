"""What an env.py does: how it configures Alembic, and where its URL and its engine come from."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from engarde.alembic.options import by_position, given, is_rest
from engarde.alembic.reader import Reader
from engarde.alembic.settings import URL
from engarde.alembic.source import Function, Source, dotted, name_of
from engarde.alembic.values import Value

Mode = Literal["online", "offline"]

SYNC_ENGINES = ("engine_from_config", "create_engine")
ASYNC_ENGINES = ("async_engine_from_config", "create_async_engine", "AsyncEngine")
OPTIONS = ("set_main_option", "set_section_option")
"""What changes what alembic.ini says, as its text."""


@dataclass(frozen=True, slots=True)
class Configure:
    """One call of `context.configure`, for one of its two modes."""

    mode: Mode
    line: int
    options: Mapping[str, ast.expr] = field(repr=False)
    opaque: bool
    """it has options besides that only running it would tell"""
    within: tuple[Function, ...] = field(repr=False)
    """the function it is in, and the one that calls this with options of its own"""


@dataclass(frozen=True, slots=True)
class Sink:
    """A place where the program says which URL it takes."""

    line: int
    value: Value
    interpolated: bool
    """it goes through configparser, to which % means something"""
    offline: bool
    """`context.configure` takes no more from it than that it is PostgreSQL's; no driver is needed"""


@dataclass(frozen=True, slots=True)
class Environment:
    """One env.py."""

    source: Source
    reader: Reader = field(repr=False)
    configures: tuple[Configure, ...]
    sinks: tuple[Sink, ...]
    engines: tuple[ast.Call, ...] = field(repr=False)

    def of(self, mode: Mode) -> tuple[Configure, ...]:
        """The calls for one mode."""
        return tuple(each for each in self.configures if each.mode == mode)

    def value(self, node: ast.expr) -> Value:
        """What an expression of it is worth."""
        return self.reader.value(self.source, node)

    @property
    def of_several(self) -> tuple[Configure, ...]:
        """The calls in which it tells Alembic that there are several databases, as Alembic's own template does."""
        return tuple(each for each in self.configures if {"upgrade_token", "downgrade_token"} & each.options.keys())

    @property
    def asynchronous(self) -> bool:
        """Whether its engine is an asynchronous one."""
        return any(name_of(each.func) in ASYNC_ENGINES for each in self.engines)


def environment(source: Source, reader: Reader) -> Environment:
    """Reads an env.py."""
    calls = [
        call
        for call in source.calls("configure")
        if dotted(call.func).endswith("context.configure") or isinstance(call.func, ast.Name)
    ]
    wrappers = {name_of(call.func) for call in calls} & source.functions.keys()
    configures = [
        each
        for call in calls
        if name_of(call.func) not in wrappers or _is_alembics(call)
        for each in _made(source, call)
    ]
    return Environment(
        source,
        reader,
        tuple(configures),
        tuple(_sinks(source, reader)),
        tuple(source.calls(*SYNC_ENGINES, *ASYNC_ENGINES)),
    )


def _is_alembics(call: ast.Call) -> bool:
    return dotted(call.func).endswith("context.configure")


def _made(source: Source, call: ast.Call) -> Iterator[Configure]:
    """The call by itself, or once for each place that hands the rest of its options to the function around it."""
    around = source.function(call)
    options, opaque = given(source, call)
    if around is None:
        yield from _modes(call, options, opaque, ())
        return
    passed = any(each.arg is None and is_rest(each.value, around) for each in call.keywords)
    shared = options.keys() >= {"connection", "url"}
    callers = list(source.calls(around.name)) if passed or shared else []
    for caller in callers:
        named, unknown = given(source, caller)
        handed = {**by_position(around, caller), **named}
        own = {name: node for name, node in options.items() if not (shared and name in ("connection", "url"))}
        wanted = handed if passed else {name: node for name, node in handed.items() if name in options}
        also = source.function(caller)
        yield from _modes(call, own | wanted, opaque or unknown, (around, *((also,) if also else ())))
    if not callers:
        yield from _modes(call, options, opaque, (around,))


def _modes(
    call: ast.Call, options: Mapping[str, ast.expr], opaque: bool, within: tuple[Function, ...]
) -> Iterator[Configure]:
    modes: list[Mode] = []
    if "connection" in options:
        modes.append("online")
    elif "url" in options or "dialect_name" in options or any("offline" in each.name for each in within):
        modes.append("offline")
    for mode in modes or ["online"]:
        yield Configure(mode, call.lineno, options, opaque, within)


def _sinks(source: Source, reader: Reader) -> Iterator[Sink]:
    for node in source.nodes:
        for value in _urls(node):
            called = name_of(node.func) if isinstance(node, ast.Call) else None
            yield Sink(value.lineno, reader.value(source, value), called in OPTIONS, called == "configure")


def _urls(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.Call(func=func, args=[*_, ast.Constant(value=text), value]) if name_of(func) in OPTIONS:
            if text == URL:
                yield value
        case ast.Call(func=func, args=arguments, keywords=keywords):
            name = name_of(func)
            if name in ("create_engine", "create_async_engine"):
                yield from arguments[:1]
            if name in ("configure", *SYNC_ENGINES, *ASYNC_ENGINES):
                yield from (each.value for each in keywords if each.arg in ("url", "sqlalchemy_url"))
        case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=key))], value=value) if key == URL:
            yield value
        case ast.Dict(keys=keys, values=values):
            for each, value in zip(keys, values, strict=True):
                if isinstance(each, ast.Constant) and each.value in (URL, "url"):
                    yield value
