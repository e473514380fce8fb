"""The env.py that keeps a service's migrations in its own schema, as text."""

import ast
import hashlib
import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from string import Template
from typing import Literal, get_args

from engarde.alembic.source import Function, name_of
from engarde.alembic.statements import bound_by, bound_in, is_others_import, is_text
from engarde.declaration.address import UNSTATED
from engarde.declaration.model import Service
from engarde.util.quoting import literal, quoted

Driver = Literal["psycopg", "psycopg2", "asyncpg"]

BEGIN, END = "# --- yours ---", "# --- end of yours ---"
"""The lines between them belong to the service, and stay."""

DIGEST = "# digest of all but yours: "
"""Begins the last line, which shows whether somebody has changed the rest."""

FILTERING = ("include_name", "shown", "migrate")
"""The functions of a file of ours that decide what autogenerate sees, and which options Alembic gets."""

SPEAKING = ("CommandError", "info")
"""The calls in a file of ours whose arguments are messages."""

FOLDER = Path(__file__).with_name("templates")


def variable(service: Service) -> str:
    """The environment variable with the URL for a service's migrations, past any pooler."""
    delivered = (service.railway or UNSTATED).variables
    direct = [name for name, variable in delivered.items() if variable.unpooled]
    return service.migrations.variable if service.migrations and not direct else min(direct or delivered)


def text(name: str) -> str:
    """A template, or a part of one."""
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def env(service: Service, driver: Driver, yours: str) -> str:
    asynchronous = driver == "asyncpg"
    written = Template(text("env.py")).substitute(
        asyncio="import asyncio\n" if asynchronous else "",
        unique="import uuid\n" if asynchronous else "",
        sync_engine="" if asynchronous else "create_engine, ",
        async_engine="from sqlalchemy.ext.asyncio import create_async_engine\n" if asynchronous else "",
        yours=yours.strip("\n"),
        schema=_python(service.schema_),
        role=_python(service.role),
        variable=_python(variable(service)),
        driver=_python(f"postgresql+{driver}"),
        set_path=_python(_statement(f"SET search_path TO {quoted(service.schema_)}")),
        tls="ssl" if asynchronous else "sslmode",
        process="get_server_pid()" if asynchronous else "info.backend_pid",
        online=text("online_async.py" if asynchronous else "online_sync.py").strip("\n"),
        guard=_python(_statement(f"DO $$ BEGIN IF current_user <> {literal(service.role)}")),
        run="asyncio.run(run_online())" if asynchronous else "run_online()",
    )
    return f"{written}\n{DIGEST}{_digest(written)}\n"


def functions(service: Service) -> frozenset[str]:
    """The functions of the file, for each driver, as `deeds` shows them."""
    trees = [ast.parse(env(service, driver, "")) for driver in get_args(Driver)]
    return frozenset(deeds(node) for tree in trees for node in tree.body if isinstance(node, Function))


def deeds(statement: ast.stmt) -> str:
    """What a statement does, without its docstrings and messages: other releases word these in another way."""
    bare = deepcopy(statement)
    for node in ast.walk(bare):
        if isinstance(node, Function):
            node.body = [inner for inner in node.body if not is_text(inner)]
        elif isinstance(node, ast.Call) and name_of(node.func) in SPEAKING:
            node.args = []
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = node.value.partition(" RAISE EXCEPTION ")[0]
    return ast.dump(bare)


def is_untouched(written: str) -> bool:
    """Whether a file is as `init` has written it, except the service's own lines."""
    whole, found, digest = written.rpartition(f"\n{DIGEST}")
    return bool(found) and yours(written) is not None and digest.strip() == _digest(whole)


def yours(written: str) -> str | None:
    """The service's own lines in a file of ours; None in any other file."""
    lines = written.splitlines()
    if lines.count(BEGIN) != 1 or lines.count(END) != 1 or lines.index(BEGIN) > lines.index(END):
        return None
    return "\n".join(lines[lines.index(BEGIN) + 1 : lines.index(END)])


def edited(before: str, service: Service) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The changes in a file of ours outside of the service's own lines, which the new file does not have.

    :returns: the changes that neither fill nor filter the metadata, then those that may.
    """
    written = [env(service, driver, "") for driver in get_args(Driver)]
    ours = {deeds(statement) for text in written for statement in _rest(text)}
    names = bound_in(statement for text in written for statement in ast.parse(text).body)
    left, refused = [], []
    for statement in _rest(before):
        if deeds(statement) in ours or is_others_import(statement):
            continue
        own = bound_by(statement).keys()
        line = f"line {statement.lineno}: {ast.unparse(statement).partition(chr(10))[0]}"
        if own and own <= names and not own & {*FILTERING}:
            left.append(line)
        else:
            refused.append(f"{line}: move the change between the lines {BEGIN!r} and {END!r}")
    return tuple(left), tuple(refused)


def _rest(text: str) -> Iterator[ast.stmt]:
    """The statements of a file of ours that are not the service's own."""
    lines = text.splitlines()
    first, last = lines.index(BEGIN) + 1, lines.index(END) + 1
    for statement in ast.parse(text).body:
        if not is_text(statement) and not first < statement.lineno < last:
            yield statement


def _digest(written: str) -> str:
    before, _, rest = written.partition(BEGIN)
    return hashlib.sha256((before + rest.partition(END)[2]).encode()).hexdigest()[:16]


def _python(value: str) -> str:
    """A Python string, in the quotes that need the fewest escapes."""
    return repr(value) if '"' in value else json.dumps(value, ensure_ascii=False)


def _statement(sql: str) -> str:
    """SQL for SQLAlchemy's `text`, in which a colon may begin a parameter."""
    return sql.replace(":", "\\:")
