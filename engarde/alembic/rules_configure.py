"""What Alembic is told: by whom, the version table, and which tables autogenerate sees."""

import ast
from collections.abc import Iterator

from engarde.alembic.context import UNJUDGED, Configure, Context, Table, by_name
from engarde.alembic.scripts import wanting
from engarde.alembic.source import UNKNOWN
from engarde.declaration.names import PUBLIC, VERSION_TABLE
from engarde.output.findings import Finding, Remedy
from engarde.util.quoting import quoted


def ran(context: Context) -> Iterator[Finding]:
    """An env.py that did not come to its end when it was run; what its text tells is judged all the same."""
    for mode, line, message in context.failures:
        yield context.unjudged(line, f"an env.py that comes to its end without a database ({mode})", message)


def configured(context: Context) -> Iterator[Finding]:
    """An env.py in which nothing configures Alembic that can be read."""
    if not context.env.of("online"):
        expected = "context.configure(connection=..., ...) in env.py itself"
        yield context.unjudged(1, expected, "it is somewhere else, or not there at all")


def version_table(context: Context) -> Iterator[Finding]:
    """The service's own `alembic_version` in its own schema, in both modes."""
    for configure in context.env.configures:
        expected = f"version_table_schema={context.literal} ({configure.mode})"
        code = f"version_table_schema={context.literal},"
        node = configure.options.get("version_table_schema")
        paths = context.env.paths if configure.answers is None else ()
        unknown = next((path.line for path in paths if path.schemas is None), None)
        if node is None and configure.opaque:
            yield context.unjudged(configure.line, expected, "there are options that are not written out")
        elif node is None and unknown:
            reason = f"the path of line {unknown} says which table it takes"
            yield context.unjudged(configure.line, expected, reason)
        elif node is None:
            reason = "none: without a table of its own it would take, and write, the one in public"
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
    expected = f"the name {VERSION_TABLE}, by which migrate and doctor find it"
    if name is UNKNOWN:
        yield context.unjudged(node.lineno, expected, "the name is not written out in the project")
        return
    before = f"ALTER TABLE {quoted(context.schema, str(name))} RENAME TO {VERSION_TABLE}"
    code = (
        "leave version_table out; version_table_schema already keeps services apart",
        f"# before that, where it has migrated: {before}",
    )
    yield context.finding("version table", node.lineno, expected, f"version_table={name!r}", *code)


def filtered(context: Context) -> Iterator[Finding]:
    """What autogenerate sees: every table of the service, and nothing else."""
    if context.autogenerates:
        for configure in context.env.of("online"):
            yield from _filtered(context, configure)


def _filtered(context: Context, configure: Configure) -> Iterator[Finding]:
    names = ("include_name", "include_object", "include_schemas")
    nodes = [configure.options[name] for name in names if name in configure.options]
    line = nodes[0].lineno if nodes else configure.line
    ours = any(isinstance(node, ast.Name) and node.id in context.env.ours for node in nodes)
    own = context.own_is_seen(configure)
    others = {schema: context.sees(configure, Table(schema)) for schema in context.others}
    # What `init` has written shows nothing else; what filters it has besides only hide more of what is the service's.
    if None in others.values() or (own is None and not ours):
        expected = f"a filter that lets only {context.schema} through"
        yield context.unjudged(line, expected, "the filter is not of a usual form")
        return
    if shown := [schema for schema, sees in others.items() if sees]:
        what = ", ".join(schema for schema in shown if schema in (*context.stack.schemas, PUBLIC)) or "any other schema"
        actual = f"autogenerate sees, and proposes to drop, the tables of {what}"
        yield context.finding("filter", line, f"only tables of {context.schema}", actual, *filter_code(context))
    if own is False:
        actual = "autogenerate does not see them: to it, the login's first schema is None"
        yield context.finding("filter", line, f"the tables of {context.schema}", actual, *filter_code(context))
    if "version_table_schema" in configure.options and context.sees(configure, Table(None, VERSION_TABLE)):
        # Alembic leaves out the version table of the schema it was told, but meets the login's first schema as None.
        actual = f"autogenerate proposes to drop {context.schema}.{VERSION_TABLE}"
        yield context.finding("filter", line, f"{VERSION_TABLE} left out", actual, *filter_code(context))


def filter_code(context: Context) -> tuple[str, ...]:
    """The filter that is right, and how it is told."""
    told = "context.configure(..., include_schemas=True, include_name=include_name)"
    return (*by_name(context.literal), "", told)


def of_flask(context: Context) -> Iterator[Finding]:
    """Flask-Migrate, which hands Alembic what the application's code says."""
    options = f'"connect_args": {{"options": \'-c search_path={quoted(context.schema)}\'}}'
    text = (
        *filter_code(context)[:-1],
        f"Migrate(app, db, version_table_schema={context.literal}, include_schemas=True, include_name=include_name)",
        f'app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {{{options}}}  # before SQLAlchemy(app), while migrations run',
    )
    expected = f"version_table_schema={context.literal}, a filter, and a search_path of {context.schema}"
    actual = "cannot be judged: Flask-Migrate tells Alembic what the application's code says"
    yield context.healed(UNJUDGED, 1, expected, actual, Remedy("code", "\n".join(text)))


def several(context: Context) -> Iterator[Finding]:
    """An env.py that migrates several databases one after another."""
    told = context.env.of_several
    if told or "engine_name" in (_given(context) or ()):
        line = told[0].line if told else next(context.env.source.calls("run_migrations")).lineno
        actual = "cannot be judged: it migrates several databases, and does not tell which of them is this one"
        wanted = f"a project for {context.service.name}'s database alone"
        text = f"{wanted}, with `def upgrade() -> None:` in its version files"
        yield context.healed(UNJUDGED, line, "a project for one database", actual, Remedy("code", text))


def arguments(context: Context) -> Iterator[Finding]:
    """Version files whose functions are given what they want."""
    given = _given(context)
    if given is None:
        return
    missing = [function for function in wanting(context.project) if not set(function.arguments) <= given]
    for name in dict.fromkeys(function.name for function in missing):
        function = next(function for function in missing if function.name == name)
        call = f"{name}({', '.join(function.arguments)})"
        actual = f"{call}, and env.py gives run_migrations no such thing: a TypeError"
        heals = f"def {name}() -> None:"
        yield context.finding("arguments", function.line, f"{name}()", actual, heals, file=function.file)


def _given(context: Context) -> set[str] | None:
    """What env.py hands to the version files by name; None where that is not written out in it."""
    calls = list(context.env.source.calls("run_migrations"))
    words = [keyword.arg for call in calls for keyword in call.keywords]
    return None if not calls or None in words else {word for word in words if word}
