"""What the role that asks could not see of what there was to see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from engarde.status.look import Look
from engarde.status.owned import ANOTHER_LOGIN
from engarde.status.storage import Stored
from engarde.status.unseen import Unseen
from engarde.util.quoting import quoted, statement

FILES = "GRANT EXECUTE ON FUNCTION pg_ls_dir(text), pg_stat_file(text, boolean) TO {};"
AGAIN = "-- nothing on the server: once the reason is gone, look again"
WITHOUT_LOGIN = "-- nothing on the server: look without --login, as the admin"
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
    yield from _not_read(found, schemas)
    if activity.settings["shared_preload_libraries"].value is None:
        heal = statement("GRANT pg_read_all_settings TO {}", role)
        yield Unseen("the setting shared_preload_libraries", f"{role} may not see it", heal)


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _stats(role: str) -> str:
    return statement("GRANT pg_read_all_stats TO {}", role)


def _not_read(found: Look, schemas: Collection[str]) -> Iterator[Unseen]:
    """What nobody but its owner is asked for, by the reason why it was not read."""
    sequences, versions = defaultdict[str, dict[str, int]](dict), defaultdict[str, list[str]](list)
    for each in found.owned.sequences:
        if each.unread and each.schema in schemas:
            sequences[found.owned.unread[each.schema]][each.schema] = each.unread
    for table in found.owned.versions:
        if table.unread and table.schema in schemas:
            versions[table.unread].append(table.schema)
    for why, unread in sequences.items():
        yield Unseen(f"how far {sum(unread.values())} sequences of {_some(sorted(unread))} got", why, _again(why))
    for why, of in versions.items():
        yield Unseen(f"the revision in {_some(sorted(of))}", why, _again(why))


def _again(why: str) -> str:
    return WITHOUT_LOGIN if why == ANOTHER_LOGIN else AGAIN
