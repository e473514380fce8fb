"""A database that services have of their own: another one on the shared server, or one on another server."""

from __future__ import annotations

import pulumi

from components.database import Database
from components.renames import Renames
from components.shared_database import SharedDatabase
from engarde.declaration.model import DatabaseStack
from engarde.preflight.server_facts import Found


class OwnDatabase(Database):
    """A database beside the shared one, whose server's admin and roles it has where they are on the same server."""

    def __init__(
        self,
        stack: DatabaseStack,
        shared: SharedDatabase,
        admin_password: pulumi.Output[str] | None,
        found: Found,
        renames: Renames,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        roles = shared.roles if admin_password is None else {}
        super().__init__("OwnDatabase", stack, admin_password or shared.provider, found, renames, roles, opts)
