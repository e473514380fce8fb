"""What the stack's admin may do by itself, so that a remedy says when it takes a superuser."""

from collections.abc import Sequence
from dataclasses import dataclass

from engarde.checks.closure import closure
from engarde.declaration.model import DatabaseStack
from engarde.output.findings import Placed, Remedy, Verb
from engarde.server.catalog import Catalog
from engarde.util.quoting import quoted, script


@dataclass(frozen=True, slots=True)
class AdminCapabilities:
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


def admin_capabilities(stack: DatabaseStack, catalog: Catalog) -> AdminCapabilities:
    """Those of the stack's admin."""
    name = stack.server.user
    # Where a pooler knows the admin by another name than the server, nothing is known of it.
    known = catalog.roles.get(name)
    return AdminCapabilities(name, known is not None and known.superuser, closure(stack, catalog).acts_as(name))
