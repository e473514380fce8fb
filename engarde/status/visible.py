"""What the role that asks could not see of what there was to see."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import LiteralString

from engarde.quoting import quoted, statement
from engarde.status.look import Look
from engarde.status.storage import Stored
from engarde.status.unseen import Unseen

READ_ALL_DATA = 14
"""The major that brought the role pg_read_all_data."""

FILES = "GRANT EXECUTE ON FUNCTION pg_ls_dir(text), pg_stat_file(text, boolean) TO {};"
AGAIN = "-- nothing but to look again, once it is unlocked"
NAMED = 3


def unseen(found: Look, stored: Sequence[Stored], schemas: Collection[str]) -> Iterator[Unseen]:
    """Each kind of figures that is left out of what was asked of these schemas, with what lets this role see it."""
    role, activity = found.server.role, found.activity
    if unmeasured := [name for each in stored for name in each.unmeasured]:
        # Whoever sees the files needs no lock.
        heal = FILES.replace("{}", quoted(role))
        yield Unseen(f"the size of {_some(unmeasured)}", "something of it is locked now", heal)
    if hidden := sorted({each.role for each in activity.sessions if not each.visible}):
        yield Unseen(f"what the sessions of {_some(hidden)} do", f"{role} may not see it", _stats(role))
    if found.statements.unseen:
        yield found.statements.unseen
    if any(not each.visible for each in found.statements.counted or ()):
        yield Unseen("the texts of other roles' statements", f"{role} may not see them", _stats(role))
    if unread := {
        each.schema: each.unread for each in found.storage.sequences if each.unread and each.schema in schemas
    }:
        what = f"how far {sum(filter(None, unread.values()))} sequences of {_some(sorted(unread))} got"
        heal = _reading(found, sorted(unread), "GRANT SELECT ON ALL SEQUENCES IN SCHEMA {} TO {}")
        yield Unseen(what, f"locked now, or not {role}'s to read", heal)
    if versions := _versions(found, schemas):
        heal = _reading(found, versions, "GRANT SELECT ON {}.alembic_version TO {}")
        yield Unseen(f"the revision in {_some(versions)}", f"locked now, or not {role}'s to read", heal)
    if activity.settings["shared_preload_libraries"].value is None:
        heal = statement("GRANT pg_read_all_settings TO {}", role)
        yield Unseen("the setting shared_preload_libraries", f"{role} may not see it", heal)


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _stats(role: str) -> str:
    return statement("GRANT pg_read_all_stats TO {}", role)


def _versions(found: Look, schemas: Collection[str]) -> list[str]:
    """The schemas whose version tables were not read."""
    versions = found.activity.versions
    if versions is None:
        return sorted(schemas)
    return sorted(each.schema for each in versions if each.revisions is None and each.schema in schemas)


def _reading(found: Look, schemas: Sequence[str], grant: LiteralString) -> str:
    role = found.server.role
    if found.server.superuser:
        return AGAIN
    if int(found.server.version.split(".")[0]) >= READ_ALL_DATA:
        return statement("GRANT pg_read_all_data TO {}", role) + " -- which reads every row, too"
    usage = [statement("GRANT USAGE ON SCHEMA {} TO {}", schema, role) for schema in schemas]
    return "\n".join([*usage, *(statement(grant, schema, role) for schema in schemas)])
