"""The plugin process."""

from devtools.provider_stubs.postgresql import default_privileges, extension, grant, grant_role, role, schema
from devtools.provider_stubs.postgresql.connection import SETTINGS, Server
from devtools.provider_stubs.resource import Package
from devtools.provider_stubs.server import main

main(
    Package(
        name="postgresql",
        connect=Server,
        settings=SETTINGS,
        resources=(
            role.TYPE,
            schema.TYPE,
            grant.TYPE,
            default_privileges.TYPE,
            grant_role.TYPE,
            extension.TYPE,
        ),
    )
)
