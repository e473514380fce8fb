"""The plugin process."""

from toolchain.standins.package import Package
from toolchain.standins.postgresql import default_privileges, extension, grant, grant_role, role, schema
from toolchain.standins.postgresql.connection import SETTINGS, Server
from toolchain.standins.server import main

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
