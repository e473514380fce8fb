"""Rules on Alembic's options, on the tables that autogenerate sees, and on the schemas that unqualified names reach."""

import ast
import re
from collections.abc import Iterator

from engarde.alembic.context import UNJUDGED, Configure, Context, SetPath, Table, by_name
from engarde.alembic.rules_urls import has_asyncpg
from engarde.alembic.scripts import wanting
from engarde.alembic.source import UNKNOWN, name_of
from engarde.declaration.names import PUBLIC, VERSION_TABLE
from engarde.output.findings import Finding, Remedy
from engarde.util.quoting import quoted

_CREATES = re.compile(r"\s*CREATE\s+SCHEMA\b", re.I)
_SYSTEM = ("pg_catalog", "pg_temp")
_WITH_IT = re.compile(r"\s*SET\s+LOCAL\b|pg_(?:try_)?advisory_xact_lock|set_config\([^)]*\btrue\s*\)", re.I)
"""Statements whose effect ends with their transaction, so a commit would undo it."""


def ran(context: Context) -> Iterator[Finding]:
    """An env.py that failed when it was run; its text is judged all the same."""
    for mode, line, message in context.failures:
        yield context.unjudged(line, f"an env.py that runs without a database ({mode})", message)


def configured(context: Context) -> Iterator[Finding]:
    """An env.py without a `context.configure` that can be read."""
    if not context.env.of("online"):
        expected = "context.configure(connection=..., ...) in env.py itself"
        yield context.unjudged(1, expected, "env.py has no such call")


def version_table(context: Context) -> Iterator[Finding]:
    """The service's own `alembic_version` in its own schema, in both modes."""
    for configure in context.env.configures:
        expected = f"version_table_schema={context.literal} ({configure.mode})"
        code = f"version_table_schema={context.literal},"
        node = configure.options.get("version_table_schema")
        paths = context.env.paths if configure.answers is None else ()
        unknown = next((path.line for path in paths if path.schemas is None), None)
        if node is None and configure.opaque:
            yield context.unjudged(configure.line, expected, "some options are not written out")
        elif node is None and unknown:
            reason = f"it depends on the search_path of line {unknown}"
            yield context.unjudged(configure.line, expected, reason)
        elif node is None:
            reason = "none: Alembic would use the version table in public"
            yield context.finding("version table", configure.line, expected, reason, code)
        elif (found := context.env.source.value(node).likely) is UNKNOWN:
            yield context.unjudged(node.lineno, expected, "the schema is not written out in the project")
        elif found != context.schema:
            actual = f"version_table_schema={found!r}"
            yield context.finding("version table", node.lineno, expected, actual, code)
        yield from _name(context, configure)


def _name(context: Context, configure: Configure) -> Iterator[Finding]:
    node = configure.options.get("version_table")
    name = VERSION_TABLE if node is None else context.env.source.value(node).likely
    if node is None or name == VERSION_TABLE:
        return
    expected = f"the name {VERSION_TABLE}, which migrate and doctor look for"
    if name is UNKNOWN:
        yield context.unjudged(node.lineno, expected, "the name is not written out in the project")
        return
    before = f"ALTER TABLE {quoted(context.schema, str(name))} RENAME TO {VERSION_TABLE}"
    code = (
        "remove version_table: version_table_schema already separates the services",
        f"# if it has migrated already, run first: {before}",
    )
    yield context.finding("version table", node.lineno, expected, f"version_table={name!r}", *code)


def filtered(context: Context) -> Iterator[Finding]:
    """What autogenerate sees: every table of the service, and nothing else."""
    for configure in context.env.of("online") if context.autogenerates else ():
        names = ("include_name", "include_object", "include_schemas")
        nodes = [configure.options[name] for name in names if name in configure.options]
        line = nodes[0].lineno if nodes else configure.line
        ours = any(isinstance(node, ast.Name) and node.id in context.env.ours for node in nodes)
        own = context.own_is_seen(configure)
        others = {schema: context.sees(configure, Table(schema)) for schema in context.others}
        # The filter of `init` shows nothing else; more filters can only hide more of the service's own tables.
        if None in others.values() or (own is None and not ours):
            expected = f"a filter that shows only {context.schema}"
            yield context.unjudged(line, expected, "the filter has an unusual form")
            continue
        if shown := [schema for schema, sees in others.items() if sees]:
            what = ", ".join(schema for schema in shown if schema in context.known_schemas) or "any other schema"
            actual = f"autogenerate also compares the tables of {what}, and proposes to drop them"
            yield context.finding("filter", line, f"only tables of {context.schema}", actual, *filter_code(context))
        if own is False:
            actual = "the filter hides them: to autogenerate, the login's first schema is None, not its name"
            yield context.finding("filter", line, f"the tables of {context.schema}", actual, *filter_code(context))
        if "version_table_schema" in configure.options and context.sees(configure, Table(None, VERSION_TABLE)):
            # Alembic skips the version table of the schema that it was told, but sees the login's first schema as None.
            actual = f"autogenerate proposes to drop {context.schema}.{VERSION_TABLE}"
            yield context.finding("filter", line, f"no {VERSION_TABLE}", actual, *filter_code(context))


def filter_code(context: Context) -> tuple[str, ...]:
    """The right filter, and how to pass it."""
    told = "context.configure(..., include_schemas=True, include_name=include_name)"
    return (*by_name(context.literal), "", told)


def of_flask(context: Context) -> Iterator[Finding]:
    """Flask-Migrate, which takes Alembic's options from the application's code."""
    options = f'"connect_args": {{"options": \'-c search_path={quoted(context.schema)}\'}}'
    text = (
        *filter_code(context)[:-1],
        f"Migrate(app, db, version_table_schema={context.literal}, include_schemas=True, include_name=include_name)",
        f'app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {{{options}}}  # before SQLAlchemy(app), while migrations run',
    )
    expected = f"version_table_schema={context.literal}, a filter, and a search_path of {context.schema}"
    actual = "cannot be judged: Flask-Migrate takes Alembic's options from the application's code"
    yield context.healed(UNJUDGED, 1, expected, actual, Remedy("code", "\n".join(text)))


def several(context: Context) -> Iterator[Finding]:
    """An env.py that migrates several databases one after another."""
    told = context.env.of_several
    if told or "engine_name" in (_given(context) or ()):
        line = told[0].line if told else next(context.env.source.calls("run_migrations")).lineno
        actual = "cannot be judged: it migrates several databases, and does not say which one is this service's"
        wanted = f"a project for {context.service.name}'s database alone"
        text = f"{wanted}, with `def upgrade() -> None:` in its version files"
        yield context.healed(UNJUDGED, line, "a project for one database", actual, Remedy("code", text))


def arguments(context: Context) -> Iterator[Finding]:
    """Version files whose functions get the arguments that they need."""
    given = _given(context)
    if given is None:
        return
    for function in wanting(context.project, given):
        name, call = function.name, f"{function.name}({', '.join(function.arguments)})"
        actual = f"{call}, but env.py does not pass these arguments to run_migrations: a TypeError"
        heals = f"def {name}() -> None:"
        yield context.finding("arguments", function.line, f"{name}()", actual, heals, file=function.file)


def _given(context: Context) -> set[str] | None:
    """The names of the arguments that env.py passes to the version files; None if they are not written out in it."""
    calls = list(context.env.source.calls("run_migrations"))
    words = [keyword.arg for call in calls for keyword in call.keywords]
    return None if not calls or None in words else {word for word in words if word}


# ---- Which schemas unqualified names reach, and in whose transaction.


def set_rightly(context: Context) -> Iterator[Finding]:
    """Each search_path that env.py sets: the own schema first, and no other service's after it."""
    extensions = context.stack.extensions if context.stack else ()
    allowed = {context.schema, PUBLIC, *_SYSTEM, *(extension.schema_ for extension in extensions)}
    for path in context.env.paths:
        if path.schemas is None:
            yield context.unjudged(path.line, f"a search_path of {context.schema}", "the path is not written out")
        elif path.schemas[:1] != (context.schema,) or (context.stack and not allowed.issuperset(path.schemas)):
            names = [f'"{name}"' if "," in name else name for name in path.schemas]
            actual, expected = f"search_path: {', '.join(names)}", f"{context.schema} first, no other service's schema"
            yield context.finding("search_path", path.line, expected, actual, *_lines(context))
        yield from _way(context, path)


def _way(context: Context, path: SetPath) -> Iterator[Finding]:
    """A driver's setting under another driver's name; the URL may say which driver an asynchronous engine has."""
    if context.stack is None and context.env.asynchronous:
        return
    value = context.set_path[1:-1].split(" TO ")[1]
    if path.way == "options" and has_asyncpg(context):
        code = f'connect_args={{"server_settings": {{"search_path": {value!r}}}}}'
        expected, actual = "server_settings, for asyncpg", "options, which asyncpg does not take: a TypeError"
    elif path.way == "server_settings" and not has_asyncpg(context):
        code = f"connect_args={{\"options\": '-c search_path={value}'}}"
        expected, actual = "options, for this driver", "server_settings, which only asyncpg takes"
    else:
        return
    yield context.finding("search_path", path.line, expected, actual, code)


def shows_no_others(context: Context) -> Iterator[Finding]:
    """Autogenerate compares all tables that the search_path shows, also those of `public`."""
    # A path that is not written out has a finding of its own, and may be narrow.
    paths = context.env.paths
    if not context.autogenerates or any(path.schemas is None or _narrow(context, path) for path in paths):
        return
    for configure in context.env.of("online"):
        if not context.sees(configure, Table(None)):
            continue
        line = next((path.line for path in paths if PUBLIC in (path.schemas or ())), configure.line)
        actual = f"{context.schema}, {PUBLIC}: autogenerate proposes to drop the tables of {PUBLIC}"
        expected = f"only {context.schema} while migrations run"
        yield context.finding("search_path", line, expected, actual, *_lines(context))


def _narrow(context: Context, path: SetPath) -> bool:
    """Whether it sets a path without `public`, and not only offline."""
    modes = {configure.mode for configure in context.env.configures if configure.within == path.within}
    return modes != {"offline"} and PUBLIC not in (path.schemas or ())


def offline(context: Context) -> Iterator[Finding]:
    """A script of offline mode sets its search_path."""
    env, expected = context.env, "a script that sets its search_path first"
    begins = (
        "with context.begin_transaction():",
        f"    context.execute({context.set_path})",
        "    context.run_migrations()",
    )
    for configure in env.of("offline"):
        if not any(path.within == configure.within for path in env.paths):
            actual = "none: if another role runs the script, it creates the tables in another schema"
            yield context.finding("offline search_path", configure.line, expected, actual, *begins)
    # An env.py that asks for the mode and configures nothing for it refuses it.
    thought_of = env.of("offline") or any(env.source.calls("is_offline_mode"))
    if env.configures and not thought_of and not any(path.written for path in env.paths):
        actual = "no offline mode: `alembic upgrade --sql` logs in, and writes no search_path into the script"
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
    """Only the stack creates schemas."""
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
        actual = "CREATE SCHEMA: the role may not create schemas, and this fails even if the schema exists"
        code = f"remove it: `pulumi up` has created {context.schema}"
        yield context.finding("schema", line, f"{context.schema}, created by the stack", actual, code)


def commits(context: Context) -> Iterator[Finding]:
    """No statement before Alembic's transaction that begins one which nobody commits."""
    for early in dict.fromkeys(context.env.early):
        if early.sure:
            actual = "it begins a transaction that the migrations join and that nobody commits: all is rolled back"
            if any(map(_WITH_IT.search, early.texts)):
                expected = "inside the migrations' own transaction, because its effect ends with its transaction"
                code = "with context.begin_transaction():\n    ...  # here, then context.run_migrations()"
            else:
                expected = "a commit before the migrations"
                nodes = context.env.source.nodes
                awaited = any(isinstance(node, ast.Await) and node.lineno == early.line for node in nodes)
                code = f"{'await ' if awaited else ''}connection.commit()  # right after this statement"
            yield context.finding("transaction", early.line, expected, actual, code)
        else:
            reason = "if it runs, it begins a transaction that nobody commits"
            yield context.unjudged(early.line, "no statement before context.configure, or a commit", reason)


def _lines(context: Context) -> tuple[str, ...]:
    return (
        f"connection.execute(text({context.set_path}))",
        "connection.commit()  # otherwise the migrations join this transaction, which nobody commits",
    )
