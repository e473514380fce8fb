"""Projects that are laid out for several databases, or that another program configures."""

from __future__ import annotations

from collections.abc import Iterator

from engarde.alembic.arguments import wanting
from engarde.alembic.rules_of_configure import by_name
from engarde.alembic.seen import UNJUDGED, Seen
from engarde.output.findings import Finding, Remedy
from engarde.util.quoting import quoted


def of_flask(seen: Seen) -> Iterator[Finding]:
    """Flask-Migrate, which hands Alembic what the application's code says."""
    options = f'"connect_args": {{"options": \'-c search_path={quoted(seen.schema)}\'}}'
    code = (
        *by_name(seen)[:-1],
        f"Migrate(app, db, version_table_schema={seen.literal}, include_schemas=True, include_name=include_name)",
        f'app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {{{options}}}  # before SQLAlchemy(app), while migrations run',
    )
    expected = f"version_table_schema={seen.literal}, a filter, and a search_path of {seen.schema}"
    actual = "cannot be judged: Flask-Migrate tells Alembic what the application's code says"
    yield seen.healed(UNJUDGED, 1, expected, actual, Remedy("code", "\n".join(code)))


def several(seen: Seen) -> Iterator[Finding]:
    """An env.py that migrates several databases one after another."""
    told = seen.env.of_several
    if told or "engine_name" in (_given(seen) or ()):
        line = told[0].line if told else next(seen.env.source.calls("run_migrations")).lineno
        actual = "cannot be judged: it migrates several databases, and does not tell which of them is this one"
        code = f"a project for {seen.service.name}'s database alone, with `def upgrade() -> None:` in its version files"
        yield seen.healed(UNJUDGED, line, "a project for one database", actual, Remedy("code", code))


def arguments(seen: Seen) -> Iterator[Finding]:
    """Version files whose functions are given what they want."""
    given = _given(seen)
    if given is None:
        return
    missing = [each for each in wanting(seen.project) if not set(each.arguments) <= given]
    for name in dict.fromkeys(each.name for each in missing):
        first = next(each for each in missing if each.name == name)
        call = f"{name}({', '.join(first.arguments)})"
        actual = f"{call}, and env.py gives run_migrations no such thing: a TypeError"
        yield seen.finding("arguments", first.line, f"{name}()", actual, f"def {name}() -> None:", file=first.file)


def _given(seen: Seen) -> set[str] | None:
    """What env.py hands to the version files by name; None where that is not written out in it."""
    calls = list(seen.env.source.calls("run_migrations"))
    words = [each for call in calls for each in call.keywords]
    opaque = not calls or any(each.arg is None for each in words)
    return None if opaque else {each.arg for each in words if each.arg}
