"""Where a role's unqualified names lead, and what decided that."""

from __future__ import annotations

from dataclasses import dataclass

from engarde.declaration.model import Analytics, Service
from engarde.declaration.names import PUBLIC
from engarde.declaration.parameters import split_path
from engarde.doctor import remedies
from engarde.doctor.facts import Facts
from engarde.output.findings import Remedy
from engarde.server.catalog.rows import Setting, in_force
from engarde.util.quoting import statement

SEARCH_PATH = "search_path"


@dataclass(frozen=True, slots=True)
class Path:
    """The schemas in which a session of a role looks, in order."""

    schemas: tuple[str, ...]
    setting: Setting | None
    """what says so; None where it is PostgreSQL's own"""


def path(facts: Facts, role: str) -> Path:
    """Where a role of the stack looks."""
    found = in_force(facts.catalog.settings, SEARCH_PATH, role)
    value = found.value if found else '"$user", public'
    return Path(tuple(role if name == "$user" else name for name in split_path(value)), found)


def declared(login: Service | Analytics) -> tuple[str, ...]:
    """Where the stack lets it look."""
    return (login.schema_, PUBLIC) if isinstance(login, Service) else ()


def overridden(facts: Facts, login: Service | Analytics) -> tuple[str, Remedy] | None:
    """What is done to a service's search_path, and what undoes it; None where it is as declared."""
    found = path(facts, login.role)
    if not isinstance(login, Service) or found.schemas == declared(login):
        return None
    setting = found.setting
    value = setting.value if setting else "PostgreSQL's default"
    says = f"{login.role} starts with search_path {value}, not {', '.join(declared(login))}"
    if setting and setting.role and setting.database:
        undone = statement("ALTER ROLE {} IN DATABASE {} RESET search_path", setting.role, setting.database)
        return f"{says}: it is set for the role in this database", remedies.sql(facts, undone, safe=True)
    where = "role itself" if setting and setting.role else "database" if setting and setting.database else "server"
    return f"{says}: that of the {where} counts", remedies.up(facts)
