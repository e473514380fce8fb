"""What the stack's admin may do by itself, so that a remedy says when it needs a superuser."""

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
        """Whether it may do what needs the privileges of these owners: without them a REVOKE only warns."""
        return self.superuser or self.acts_as.issuperset(owners)

    def granting(self, statements: Sequence[str], owner: str, grantor: str | None) -> list[str]:
        """GRANTs and REVOKEs, run as the role whose grants they are.

        When a superuser runs them, PostgreSQL takes the owner as grantor, which does not revoke what others granted.
        For any other role PostgreSQL takes the first of its roles that may grant it.
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
        """Statements to run in this order; they need the privileges of the roles `of`, or a superuser.

        `safe` is whether they lose no data and remove nobody's access.
        """
        may = self.may(*of) and (self.superuser or not superusers)
        return Remedy("sql", script(statements), not may, safe and may, verb, placed, thing)


def admin_capabilities(stack: DatabaseStack, catalog: Catalog) -> AdminCapabilities:
    """The capabilities of the stack's admin."""
    name = stack.server.user
    # A pooler may know the admin by another name than the server; then its role is not in the catalogs.
    known = catalog.roles.get(name)
    return AdminCapabilities(name, known is not None and known.superuser, closure(stack, catalog).acts_as(name))
