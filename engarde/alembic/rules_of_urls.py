"""Where the URL comes from, and that no password stands in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from engarde.alembic.environment import Sink
from engarde.alembic.seen import Seen
from engarde.alembic.settings import URL
from engarde.alembic.source import name_of
from engarde.alembic.values import UNKNOWN
from engarde.edits import lines
from engarde.findings import Finding, Remedy

_ADDRESS = re.compile(r"(?:postgres(?:ql)?|mysql|mariadb|mssql|oracle|cockroachdb)(?:\+\w+)?://[^\s{]\S*")
_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@\s]*@")
_MAKERS = ("create_engine", "create_async_engine", "create", "connect", "set")


def written_out(seen: Seen) -> Iterator[Finding]:
    """An address or a password in env.py or alembic.ini."""
    source = seen.env.source
    for node in source.nodes:
        match node:
            case ast.Constant(value=str() as text) if _ADDRESS.match(text):
                if not isinstance(source.parents.get(node), ast.Expr | ast.JoinedStr):
                    yield _written_out(seen, node.lineno, text)
            case ast.Call(func=func, keywords=keywords) if name_of(func) in _MAKERS:
                for each in keywords:
                    if each.arg == "password" and isinstance(each.value, ast.Constant) and each.value.value:
                        actual = "a password in the code"
                        yield seen.finding("url", each.value.lineno, _expected(seen), actual, *_from(seen))
    written = seen.project.settings.in_ini.get(URL, "")
    if _ADDRESS.match(written) and seen.project.settings.ini:
        line = seen.project.settings.line(URL)
        actual = f"{URL} = {_masked(written)}"
        code = (f"# {URL} is set by env.py",)
        yield seen.finding("url", line, _expected(seen), actual, *code, file=seen.project.settings.ini)


def _written_out(seen: Seen, line: int, text: str) -> Finding:
    return seen.finding("url", line, _expected(seen), f"{_masked(text)} in the code", *_from(seen))


def _masked(text: str) -> str:
    return _PASSWORD.sub(r"\1***@", text)


def from_environment(seen: Seen) -> Iterator[Finding]:
    """A URL that the environment gives, and not alembic.ini."""
    if seen.env.engines and all(each.value.from_settings for each in seen.env.sinks):
        line = seen.env.engines[0].lineno
        yield seen.finding("url", line, _expected(seen), f"{URL} of {seen.project.ini.name}", *_from(seen))


def doubled(seen: Seen) -> Iterator[Finding]:
    """A % written twice where configparser reads it: one in a password ends as an error that prints the whole URL."""
    for sink in seen.env.sinks:
        if sink.interpolated and not sink.value.doubled and _may_hold(sink):
            code = f'config.set_main_option("{URL}", url.replace("%", "%%"))'
            yield seen.finding("percent", sink.line, "each % of the URL written twice", "written as it is", code)


def _may_hold(sink: Sink) -> bool:
    if sink.value.constant is UNKNOWN:
        return not sink.value.from_settings
    return sink.value.text is not None and "%" in sink.value.text.replace("%%", "")


def variable(seen: Seen) -> Iterator[Finding]:
    """A variable that somebody sets, and past a pooler where there is one."""
    migrations = seen.service.migrations
    delivered = {*seen.variables, *({migrations.variable} if migrations else ())}
    for sink in seen.env.sinks:
        if sink.value.variables and not sink.value.variables & delivered and _is_url(sink):
            actual = ", ".join(sorted(sink.value.variables))
            yield seen.finding("variable", sink.line, _expected(seen), f"{actual}, which nobody sets", *_from(seen))
        elif seen.stack.unpooled_address is not None:
            yield from _pooled(seen, sink)


def _is_url(sink: Sink) -> bool:
    """One variable that is the whole URL; a host and a password by themselves are the service's own affair."""
    return len(sink.value.variables) == 1 and not any(old is None for old, _ in sink.value.replaced)


def _pooled(seen: Seen, sink: Sink) -> Iterator[Finding]:
    direct = {name for name, each in seen.variables.items() if each.unpooled}
    read = sink.value.variables & seen.variables.keys()
    if not read or read & direct:
        return
    expected = "the server's own address: a pooler keeps neither locks nor settings of a session"
    actual = f"{', '.join(sorted(read))}, which leads to the pooler"
    if direct:
        yield seen.finding("pooler", sink.line, expected, actual, f'os.environ["{min(direct)}"]')
    else:
        content = {seen.service.name: {"railway": {"variables": {"DIRECT_DATABASE_URL": {"unpooled": True}}}}}
        yield seen.healed("pooler", sink.line, expected, actual, Remedy("edit", lines("services", content)))


def _name(seen: Seen) -> str:
    """The variable that it should read."""
    direct = [name for name, each in seen.variables.items() if each.unpooled]
    migrations = seen.service.migrations
    return migrations.variable if migrations and not direct else min(direct or seen.variables)


def _expected(seen: Seen) -> str:
    return f"a URL from the environment, in {_name(seen)}"


def _from(seen: Seen) -> tuple[str, ...]:
    return (f'config.set_main_option("{URL}", os.environ["{_name(seen)}"].replace("%", "%%"))',)
