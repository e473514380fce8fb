"""Where a role's unqualified names lead, and what decided that."""

from collections.abc import Callable, Sequence

from engarde.declaration.model import Analytics, Service
from engarde.declaration.parameters import split_path
from engarde.doctor import remedies
from engarde.doctor.facts import Facts
from engarde.doctor.model import Cause
from engarde.output.findings import Finding, Remedy
from engarde.server.catalog import in_force
from engarde.util.quoting import statement

SEARCH_PATH = "search_path"


def path(facts: Facts, role: str) -> tuple[str, ...]:
    """The schemas in which a session of a role looks, in order."""
    found = in_force(facts.catalog.settings, SEARCH_PATH, role)
    value = found.value if found else '"$user", public'
    return tuple(role if name == "$user" else name for name in split_path(value))


def changed(says: str, whose: Callable[[Facts], Sequence[Service | Analytics]]) -> Cause:
    """The cause that a search_path is another one than the stack sets on its role."""
    return Cause.of_check(
        says,
        "setting",
        because="{what} starts with search_path {actual}, not {expected}",
        otherwise="every search_path is as declared",
        when=lambda facts: bool(whose(facts)),
        so=lambda facts, finding: finding.subject in {f"{SEARCH_PATH} of {login.role}" for login in whose(facts)},
        heal=_in_this_database,
    )


def _in_this_database(facts: Facts, finding: Finding) -> Remedy | None:
    """What no `up` would undo: it is set for the role in this database alone."""
    found = in_force(facts.catalog.settings, SEARCH_PATH, finding.subject.removeprefix(f"{SEARCH_PATH} of "))
    if not (found and found.role and found.database):
        return None
    undone = statement("ALTER ROLE {} IN DATABASE {} RESET search_path", found.role, found.database)
    return remedies.sql(facts, undone, safe=True)
