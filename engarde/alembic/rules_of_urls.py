"""Where the URL comes from, and that no password stands in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from engarde.alembic import template
from engarde.alembic.environment import Sink
from engarde.alembic.seen import Seen
from engarde.alembic.settings import URL
from engarde.alembic.source import name_of
from engarde.alembic.values import UNKNOWN
from engarde.declaration.stack_file_edits import lines
from engarde.output.findings import Finding, Remedy
from engarde.util.masking import masked

_ADDRESS = re.compile(r"(?:postgres(?:ql)?|mysql|mariadb|mssql|oracle|cockroachdb)(?:\+\w+)?://[^\s{]\S*")
_PASSWORD = re.compile(r"://[^:/@\s]*:[^@\s]+@")
DIRECT = "DIRECT_DATABASE_URL"
_MAKERS = ("create_engine", "create_async_engine", "create", "connect", "set")


def written_out(seen: Seen) -> Iterator[Finding]:
    """An address or a password in env.py or alembic.ini."""
    source = seen.env.source
    for node in source.nodes:
        match node:
            case ast.Constant(value=str() as text) if _ADDRESS.match(text):
                parent = source.parents[node]
                # What an f-string puts together is the environment's, but for a password between its braces.
                if _PASSWORD.search(text) if isinstance(parent, ast.JoinedStr) else not isinstance(parent, ast.Expr):
                    actual = f"{masked(text)} in the code"
                    yield seen.finding("url", node.lineno, _expected(seen), actual, *_from(seen))
            case ast.Call(func=func, keywords=keywords) if name_of(func) in _MAKERS:
                for each in keywords:
                    if each.arg == "password" and isinstance(each.value, ast.Constant) and each.value.value:
                        actual = "a password in the code"
                        yield seen.finding("url", each.value.lineno, _expected(seen), actual, *_from(seen))
    written = seen.project.settings.in_ini.get(URL, "")
    if _ADDRESS.match(written) and seen.project.settings.ini:
        line = seen.project.settings.line(URL)
        actual = f"{URL} = {masked(written)}"
        code = (f"# {URL} is set by env.py",)
        yield seen.finding("url", line, _expected(seen), actual, *code, file=seen.project.settings.ini)


def from_environment(seen: Seen) -> Iterator[Finding]:
    """A URL that the environment gives, and not alembic.ini."""
    if any(not each.value.from_settings for each in seen.env.sinks):
        return
    for each in seen.env.engines:
        if each.args and seen.env.value(each.args[0]).from_settings:
            actual = f"{URL} of {seen.project.ini.name}"
            yield seen.finding("url", each.lineno, _expected(seen), actual, *_from(seen))


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
    """A variable that somebody sets, `bin/engarde migrate` among them."""
    migrations = seen.service.migrations
    read = {name for sink in seen.env.sinks for name in sink.value.variables}
    delivered = {*seen.variables, *({migrations.variable} if migrations else ())}
    for sink in seen.env.sinks:
        actual = ", ".join(sorted(sink.value.variables))
        if not actual or not _is_url(sink):
            continue
        if not sink.value.variables & delivered:
            yield seen.finding("variable", sink.line, _expected(seen), f"{actual}, which nobody sets", *_from(seen))
        elif migrations and migrations.variable not in read:
            expected = f"{migrations.variable}, in which bin/engarde migrate hands it the URL"
            content = {seen.service.name: {"migrations": {"path": migrations.path, "variable": actual}}}
            yield seen.healed("variable", sink.line, expected, actual, Remedy("edit", lines("services", content)))


def _is_url(sink: Sink) -> bool:
    """One variable that is the whole URL; a host and a password by themselves are the service's own affair."""
    return len(sink.value.variables) == 1 and not any(old is None for old, _ in sink.value.replaced)


def direct(seen: Seen) -> Iterator[Finding]:
    """A URL that leads past the pooler, where there is one."""
    if seen.stack.unpooled_address is None:
        return
    expected = "the server's own address: a pooler keeps neither locks nor settings of a session"
    told = [sink for sink in seen.env.sinks if sink.value.variables]
    unknown = [sink for sink in seen.env.sinks if _says_nothing(sink)]
    if not told and (unknown or not seen.env.engines):
        line = unknown[0].line if unknown else seen.env.configures[0].line if seen.env.configures else 1
        yield seen.unjudged(line, expected, "where its URL comes from is not told")
    past = {name for name, each in seen.variables.items() if each.unpooled}
    for sink in told:
        read = sink.value.variables & seen.variables.keys()
        if read and not read & past:
            actual = f"{', '.join(sorted(read))}, which leads to the pooler"
            yield seen.healed("pooler", sink.line, expected, actual, _past(seen, past))


def _says_nothing(sink: Sink) -> bool:
    return sink.value.constant is UNKNOWN and not sink.value.from_settings


def _past(seen: Seen, variables: set[str]) -> Remedy:
    """The variable that leads past it, or the lines of the stack file that make one."""
    if variables:
        return Remedy("code", f'os.environ["{min(variables)}"]')
    if seen.stack.railway:
        kept = {name: each.model_dump(by_alias=True, exclude_defaults=True) for name, each in seen.variables.items()}
        content: object = {"railway": {"variables": {**kept, DIRECT: {"unpooled": True}}}}
    else:
        # Nothing is delivered, so it is bin/engarde migrate that sets one, and always at the server's own address.
        migrations = seen.service.migrations
        path = migrations.path if migrations else str(seen.project.folder)
        content = {"migrations": {"path": path, "variable": DIRECT}}
    return Remedy("edit", lines("services", {seen.service.name: content}))


def _expected(seen: Seen) -> str:
    return f"a URL from the environment, in {template.variable(seen.service)}"


def _from(seen: Seen) -> tuple[str, ...]:
    return (f'config.set_main_option("{URL}", os.environ["{template.variable(seen.service)}"].replace("%", "%%"))',)
