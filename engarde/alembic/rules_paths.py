"""Which schemas unqualified names reach while migrations run, and in whose transaction they do."""

import ast
import re
from collections.abc import Iterator

from engarde.alembic.context import Context, Early, SetPath, Table
from engarde.alembic.rules_urls import driver
from engarde.alembic.source import name_of
from engarde.declaration.names import PUBLIC
from engarde.output.findings import Finding

_CREATES = re.compile(r"\s*CREATE\s+SCHEMA\b", re.I)
_SYSTEM = ("pg_catalog", "pg_temp")
_WITH_IT = re.compile(r"\s*SET\s+LOCAL\b|pg_(?:try_)?advisory_xact_lock|set_config\([^)]*\btrue\s*\)", re.I)
"""What ends with its transaction, so that a commit would undo it."""


def set_rightly(context: Context) -> Iterator[Finding]:
    """Each search_path that env.py sets: the own schema first, nobody else's after it."""
    allowed = {context.schema, PUBLIC, *_SYSTEM, *(extension.schema_ for extension in context.stack.extensions)}
    for path in context.env.paths:
        if path.schemas is None:
            yield context.unjudged(path.line, f"a search_path of {context.schema}", "the path is not written out")
        elif path.schemas[:1] != (context.schema,) or not allowed.issuperset(path.schemas):
            names = [f'"{name}"' if "," in name else name for name in path.schemas]
            actual, expected = f"search_path: {', '.join(names)}", f"{context.schema} first, no other's"
            yield context.finding("search_path", path.line, expected, actual, *_lines(context))
        yield from _way(context, path)


def _way(context: Context, path: SetPath) -> Iterator[Finding]:
    """A driver's own setting, in the words of another driver."""
    value = context.set_path[1:-1].split(" TO ")[1]
    if path.way == "options" and driver(context) == "asyncpg":
        code = f'connect_args={{"server_settings": {{"search_path": {value!r}}}}}'
        expected, actual = "server_settings, asyncpg's word", "options: a TypeError"
    elif path.way == "server_settings" and driver(context) != "asyncpg":
        code = f"connect_args={{\"options\": '-c search_path={value}'}}"
        expected, actual = "options, the driver's word", "server_settings: asyncpg's"
    else:
        return
    yield context.finding("search_path", path.line, expected, actual, code)


def shows_no_others(context: Context) -> Iterator[Finding]:
    """Autogenerate takes whatever the search_path shows for the login's own: of `public`, too."""
    # One that is not written out is said so of, and may be narrow.
    paths = context.env.paths
    if not context.autogenerates or any(path.schemas is None or _narrow(context, path) for path in paths):
        return
    for configure in context.env.of("online"):
        if not context.sees(configure, Table(None)):
            continue
        line = next((path.line for path in paths if PUBLIC in (path.schemas or ())), configure.line)
        actual = f"{context.schema}, {PUBLIC}: autogenerate proposes to drop the tables of {PUBLIC} that it shows"
        expected = f"only {context.schema} while migrations run"
        yield context.finding("search_path", line, expected, actual, *_lines(context))


def _narrow(context: Context, path: SetPath) -> bool:
    """Whether it sets, and not only offline, a path in which `public` is not."""
    of_modes = [any(configure.within == path.within for configure in context.env.of(m)) for m in ("online", "offline")]
    return of_modes != [False, True] and PUBLIC not in (path.schemas or ())


def offline(context: Context) -> Iterator[Finding]:
    """A script for somebody else to run says where it belongs."""
    env, expected = context.env, "a script that begins with its search_path"
    begins = (
        "with context.begin_transaction():",
        f"    context.execute({context.set_path})",
        "    context.run_migrations()",
    )
    for configure in env.of("offline"):
        if not any(path.within == configure.within for path in env.paths):
            actual = "none: run as any other role, it makes its tables elsewhere"
            yield context.finding("offline search_path", configure.line, expected, actual, *begins)
    # What asks for the mode and configures nothing for it refuses it.
    thought_of = env.of("offline") or any(env.source.calls("is_offline_mode"))
    if env.configures and not thought_of and not any(path.written for path in env.paths):
        actual = "no offline mode: `alembic upgrade --sql` logs in, and writes no search_path"
        code = (
            "if context.is_offline_mode():",
            "    context.configure(",
            '        dialect_name="postgresql", dialect_opts={"paramstyle": "named"}, literal_binds=True,',
            f"        version_table_schema={context.literal},",
            "    )",
            *(f"    {line}" for line in begins),
        )
        yield context.finding("offline search_path", env.configures[0].line, expected, actual, *code)


def makes_no_schema(context: Context) -> Iterator[Finding]:
    """Schemas are the stack's to make."""
    source = context.env.source
    made = set(context.env.schemas_made)
    for node in source.nodes:
        match node:
            case ast.Constant(value=str() as text) if _CREATES.match(text):
                if not isinstance(source.parents[node], ast.Expr):
                    made.add(node.lineno)
            case ast.Call(func=func) if name_of(func) == "CreateSchema":
                made.add(node.lineno)
    for line in sorted(made):
        actual = "CREATE SCHEMA: the role may make none, and is refused even where it exists"
        code = f"leave it out: `pulumi up` has made {context.schema}"
        yield context.finding("schema", line, f"{context.schema} made by the stack", actual, code)


def commits(context: Context) -> Iterator[Finding]:
    """No statement before Alembic's transaction that begins one which nobody commits."""
    for early in dict.fromkeys(context.env.early):
        if early.sure:
            actual = "it begins a transaction that the migrations join, and that is rolled back at the end"
            yield context.finding("transaction", early.line, *_of_its_own(context, early, actual))
        else:
            reason = "where it is reached, it begins a transaction that nobody commits"
            yield context.unjudged(early.line, "no statement before context.configure, or a commit", reason)


def _of_its_own(context: Context, early: Early, actual: str) -> tuple[str, str, str]:
    """What is expected of such a statement, what it does, and the code that heals it."""
    if any(map(_WITH_IT.search, early.texts)):
        code = "with context.begin_transaction():\n    ...  # here, and then context.run_migrations()"
        return "it in the migrations' own transaction, with which it ends", actual, code
    source = context.env.source
    awaited = any(isinstance(node, ast.Await) and node.lineno == early.line for node in source.nodes)
    code = f"{'await ' if awaited else ''}connection.commit()  # right after it"
    return "a commit before the migrations", actual, code


def _lines(context: Context) -> tuple[str, ...]:
    return (
        f"connection.execute(text({context.set_path}))",
        "connection.commit()  # or the migrations join this transaction, and nobody commits it",
    )
