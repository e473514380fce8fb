"""What `context.configure` is told: the version table, and which tables autogenerate sees."""

from __future__ import annotations

from collections.abc import Iterator

from engarde.alembic.autogenerate import Filters, filters
from engarde.alembic.environment import Configure
from engarde.alembic.judge import Table
from engarde.alembic.seen import Seen
from engarde.alembic.values import UNKNOWN
from engarde.declaration.names import PUBLIC, VERSION_TABLE
from engarde.output.findings import Finding
from engarde.util.quoting import quoted

ANY = "any_table"
"""Stands for a table of whatever name."""


def configured(seen: Seen) -> Iterator[Finding]:
    """An env.py in which nothing configures Alembic that can be read."""
    if not seen.env.of("online"):
        expected = "context.configure(connection=..., ...) in env.py itself"
        yield seen.unjudged(1, expected, "it is somewhere else, or not there at all")


def version_table(seen: Seen) -> Iterator[Finding]:
    """The service's own `alembic_version` in its own schema, in both modes."""
    for each in seen.env.configures:
        expected = f"version_table_schema={seen.literal} ({each.mode})"
        node = each.options.get("version_table_schema")
        if node is None and each.opaque:
            yield seen.unjudged(each.line, expected, "there are options that are not written out")
        elif node is None and (unknown := next((path.line for path in seen.paths if path.schemas is None), None)):
            yield seen.unjudged(each.line, expected, f"the path of line {unknown} says which table it takes")
        elif node is None:
            reason = "none: without a table of its own it would take, and write, the one in public"
            yield seen.finding("version table", each.line, expected, reason, f"version_table_schema={seen.literal},")
        else:
            found = seen.env.value(node).likely
            if found is UNKNOWN:
                yield seen.unjudged(node.lineno, expected, "the schema is not written out in the project")
            elif found != seen.schema:
                actual = f"version_table_schema={found!r}"
                code = f"version_table_schema={seen.literal},"
                yield seen.finding("version table", node.lineno, expected, actual, code)
        yield from _name(seen, each)


def _name(seen: Seen, configure: Configure) -> Iterator[Finding]:
    node = configure.options.get("version_table")
    if node is not None and seen.env.value(node).constant not in (VERSION_TABLE, UNKNOWN):
        expected = f"the name {VERSION_TABLE}, by which migrate and doctor find it"
        actual = f"version_table={seen.env.value(node).constant!r}"
        name = str(seen.env.value(node).constant)
        yield seen.finding(
            "version table",
            node.lineno,
            expected,
            actual,
            "leave version_table out; version_table_schema already keeps services apart",
            f"# before that, where it has migrated: ALTER TABLE {quoted(seen.schema, name)} RENAME TO {VERSION_TABLE}",
        )


def filtered(seen: Seen) -> Iterator[Finding]:
    """What autogenerate sees: every table of the service, and nothing else."""
    if seen.autogenerates:
        for each in seen.env.of("online"):
            yield from _filtered(seen, each, filters(seen.env, each))


def _filtered(seen: Seen, configure: Configure, found: Filters) -> Iterator[Finding]:
    line = _line(configure)
    own = own_is_seen(seen, found)
    others = {schema: found.sees(Table(schema, ANY, declared=False)) for schema in seen.others}
    if configure.opaque or found.opaque or None in others.values() or (own is None and not seen.ours):
        yield seen.unjudged(line, f"a filter that lets only {seen.schema} through", "the filter is not of a usual form")
        return
    if shown := [schema for schema, sees in others.items() if sees]:
        what = ", ".join(schema for schema in shown if schema in (*seen.stack.schemas, PUBLIC)) or "any other schema"
        actual = f"autogenerate sees, and proposes to drop, the tables of {what}"
        yield seen.finding("filter", line, f"only tables of {seen.schema}", actual, *by_name(seen))
    if own is False:
        actual = "autogenerate does not see them: to it, the login's first schema is None"
        yield seen.finding("filter", line, f"the tables of {seen.schema}", actual, *by_name(seen))
    if "version_table_schema" in configure.options and found.sees(Table(None, VERSION_TABLE, declared=False)):
        # Alembic leaves out the version table of the schema it was told, but meets the login's first schema as None.
        actual = f"autogenerate proposes to drop {seen.schema}.{VERSION_TABLE}"
        yield seen.finding("filter", line, f"{VERSION_TABLE} left out", actual, *by_name(seen))


def own_is_seen(seen: Seen, found: Filters) -> bool | None:
    """Whether it compares the service's own tables, those that are still to be made among them."""
    named = [each.schema for each in seen.models.of_tables if each.of_metadata] or [None]
    named += [each.schema for each in seen.models.of_tables if each.schema == seen.schema]
    known = [schema for schema in named if schema is None or isinstance(schema, str)] or [None, seen.schema]
    answers: set[bool | None] = set()
    for schema in known:
        there = found.sees(Table(None, ANY, declared=True, modelled=schema))
        new = found.sees(Table(None, ANY, declared=True, exists=False, modelled=schema))
        answers.add(False if False in (there, new) else None if None in (there, new) else True)
    return True if True in answers else None if None in answers else False


def _line(configure: Configure) -> int:
    names = ("include_name", "include_object", "include_schemas")
    return next((configure.options[name].lineno for name in names if name in configure.options), configure.line)


def by_name(seen: Seen) -> tuple[str, ...]:
    """The filter that is right."""
    return (
        "def include_name(name, type_, parent_names):",
        '    if type_ == "schema":',
        f"        return name in (None, {seen.literal})  # None: the login's first schema, which is the same",
        f'    return not (type_ == "table" and name == "{VERSION_TABLE}")',
        "",
        "context.configure(..., include_schemas=True, include_name=include_name)",
    )
