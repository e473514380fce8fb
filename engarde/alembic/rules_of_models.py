"""The schemas of models, and the heads of the history."""

from __future__ import annotations

from collections.abc import Iterator

from engarde.alembic.autogenerate import filters
from engarde.alembic.judge import Table
from engarde.alembic.models import Named
from engarde.alembic.rules_of_configure import own_is_seen
from engarde.alembic.seen import Seen
from engarde.alembic.values import UNKNOWN
from engarde.output.findings import Finding, Remedy
from engarde.util.quoting import word

EXPECTED = "no schema"


def schemas(seen: Seen) -> Iterator[Finding]:
    """Models without a schema, or with one that autogenerate compares rightly or leaves alone."""
    if not seen.autogenerates:
        return
    for each in seen.models.of_tables:
        file = each.source.file
        if each.schema is UNKNOWN:
            yield seen.unjudged(each.line, EXPECTED, "the schema is not written out", file)
        elif wrong := _wrong(seen, each):
            code = "leave schema out: the role's search_path puts the tables where they belong"
            yield seen.finding("metadata schema", each.line, EXPECTED, f"{each.schema}: {wrong}", code, file=file)


def _wrong(seen: Seen, named: Named) -> str | None:
    """What autogenerate makes of it."""
    if named.schema == seen.schema and named.keys and _seen(seen):
        # PostgreSQL names no schema of the search_path where it tells what a foreign key refers to.
        return "autogenerate proposes to drop and make anew every foreign key, each time"
    if named.schema not in (None, seen.schema) and not _left_alone(seen, str(named.schema)):
        return "autogenerate proposes to make its tables there"
    return None


def _seen(seen: Seen) -> bool:
    return any(own_is_seen(seen, filters(seen.env, each)) is not False for each in seen.env.of("online"))


def _left_alone(seen: Seen, schema: str) -> bool:
    """A table that it declares to read elsewhere, and that its filter keeps out."""
    if schema not in {read.schema_ for read in seen.service.reads}:
        return False
    table = Table(schema, "any_table", declared=True, exists=False, modelled=schema)
    return all(filters(seen.env, each).sees(table) is False for each in seen.env.of("online"))


def heads(seen: Seen) -> Iterator[Finding]:
    """One head, which is what `alembic upgrade head` goes to, or labelled branches, each with its own."""
    if seen.graph.target == "heads":
        return
    found = [seen.graph.revisions[id_] for id_ in seen.graph.heads]
    if len(found) < 2:
        return
    program = seen.service.migrations.command if seen.service.migrations else ("alembic",)
    words = " ".join(map(word, (*program, "merge", "heads", "-m", "one head")))
    remedy = Remedy("command", f"cd {word(str(seen.project.folder))} && {words}")
    actual = ", ".join(each.id for each in found)
    yield seen.healed("heads", found[-1].line, "one head", actual, remedy, found[-1].file)
