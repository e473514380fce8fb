"""The plugin process."""

from devtools.provider_stubs.postgresql import contents, default_privileges, grant, role
from devtools.provider_stubs.postgresql.connection import SETTINGS, Server
from devtools.provider_stubs.resource import Package
from devtools.provider_stubs.server import main

RESOURCES = (role.TYPE, role.MEMBERSHIP, contents.SCHEMA, contents.EXTENSION, grant.TYPE, default_privileges.TYPE)

main(Package(name="postgresql", connect=Server, settings=SETTINGS, resources=RESOURCES))
