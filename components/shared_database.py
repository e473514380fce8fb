"""The database that services share, with the roles from outside of the stack that work in it."""

from __future__ import annotations

import pulumi

from components.database import Database
from components.renames import Renames
from components.resource_names import outsiders
from engarde.declaration.model import DatabaseStack
from engarde.declaration.privileges import outside, outside_reads
from engarde.preflight.server_facts import Found


class SharedDatabase(Database):
    """The shared database, on the server on which every role is made that no other server needs."""

    def __init__(
        self,
        stack: DatabaseStack,
        admin_password: pulumi.Output[str],
        found: Found,
        renames: Renames,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("SharedDatabase", stack, admin_password, found, renames, {}, opts)
        for role in stack.outside_roles:
            for row in outside(stack, role):
                # Kept when the stack is destroyed: these roles worked before it and go on after it.
                self.grant(outsiders(role), row, self, grantee=role.name, retain=True)

    def grant_outside_reads(self) -> None:
        """What these roles read, once every schema of the stack has its owner; kept, as the rest of what they have."""
        for role in self.stack.outside_roles:
            for row in outside_reads(self.stack, role):
                if row.table is None or (row.schema, row.table) in self.found.tables:
                    self.grant(outsiders(role), row, self, grantee=role.name, retain=True)
                else:
                    pulumi.log.warn(
                        f"{role.name}: the declared read {row.schema}.{row.table} does not exist; the next `pulumi up`"
                        " after it does grants it",
                        resource=self,
                    )
