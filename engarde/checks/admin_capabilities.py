"""What the stack's admin may do by itself, so that a remedy says when it takes a superuser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engarde.declaration.model import DatabaseStack
from engarde.output.findings import Placed, Remedy, Verb
from engarde.server.catalog import Catalog
from engarde.util.quoting import quoted, script


@dataclass(frozen=True, slots=True)
class Hands:
    """The admin, by the roles that it may act as."""

    name: str
    superuser: bool
    acts_as: frozenset[str]

    def may(self, *owners: str) -> bool:
        """Whether it may do what takes these owners: without them a REVOKE only warns, and takes nothing away."""
        return self.superuser or self.acts_as.issuperset(owners)

    def granting(self, statements: Sequence[str], owner: str, grantor: str | None) -> list[str]:
        """GRANTs and REVOKEs as the one whose grants they are.

        A superuser's is the owner's, who takes away nothing that another has granted. Anybody else's is that of some
        role among its own that may grant it on, whichever comes first.
        """
        implied = self.superuser or owner in (self.name, "pg_database_owner")
        who = grantor or (None if implied else owner)
        return [f"SET ROLE {quoted(who)}", *statements, "RESET ROLE"] if who else [*statements]

    def sql(
        self,
        verb: Verb,
        *statements: str,
        of: tuple[str, ...] = (),
        superusers: bool = False,
        safe: bool = False,
        placed: Placed | None = None,
        thing: str = "",
    ) -> Remedy:
        """Statements to be run in this order, which take the rights of these roles, or are superusers' alone.

        `safe` is whether they lose no data and take nothing from anybody.
        """
        may = self.may(*of) and (self.superuser or not superusers)
        return Remedy("sql", script(statements), not may, safe and may, verb, placed, thing)


def hands(stack: DatabaseStack, catalog: Catalog) -> Hands:
    """Those of the stack's admin."""
    admin = catalog.roles[stack.server.user]
    return Hands(admin.name, admin.superuser, frozenset(acting_as(admin.name, stack, catalog)))


def acting_as(name: str, stack: DatabaseStack, catalog: Catalog) -> set[str]:
    """The role with all that it is a member of, at any distance, whether by itself or by SET ROLE."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            # The maker of a role has a membership that gives nothing but the right to grant it.
            links = (link for link in catalog.memberships if link.member == each)
            waiting += [link.role for link in links if link.inherit or link.may_set]
    database = catalog.databases.get(stack.server.database)
    return found | ({"pg_database_owner"} if database and database.owner in found else set())
