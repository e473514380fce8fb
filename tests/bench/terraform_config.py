"""The program's resources as a Terraform configuration, written as one writes it by hand: references, no order."""

from collections.abc import Collection, Mapping
from typing import Any

from components.database import CONNECT_TIMEOUT
from components.grants import FUTURE, OBJECT_TYPES
from components.login import PASSWORD_LENGTH
from engarde.declaration.model import Analytics, Service, Stack, Table
from engarde.declaration.names import PUBLIC
from engarde.declaration.privileges import Privilege
from tests.bench.floor import granted

POSTGRESQL, RANDOM = "postgresql", "random"
SOURCES = {POSTGRESQL: "cyrilgdn/postgresql", RANDOM: "hashicorp/random"}
Block = dict[str, Any]


def configuration(stack: Stack, tables: Collection[Table], verifiers: Mapping[str, str]) -> Block:
    """What stands in `main.tf.json`; a role that no verifier is given for has a password of Terraform's making."""
    server = stack.server
    roles = {login.role: f"role_{place}" for place, login in enumerate(stack.logins)}
    schemas = {service.schema_: f"schema_{place}" for place, service in enumerate(stack.services)}
    made = {login.role for login in stack.logins} - verifiers.keys()
    used = [POSTGRESQL, RANDOM] if made else [POSTGRESQL]
    resources: dict[str, Block] = {
        "random_password": {roles[role]: {"length": PASSWORD_LENGTH, "special": False} for role in sorted(made)},
        "postgresql_role": {roles[login.role]: _role(login, roles, verifiers) for login in stack.logins},
        "postgresql_schema": {
            schemas[service.schema_]: {
                "name": _text(service.schema_),
                "database": _text(server.database),
                "owner": _name("role", roles, service.role),
            }
            for service in stack.services
        },
        "postgresql_grant": {},
        "postgresql_default_privileges": {},
    }
    for place, row in enumerate(granted(stack, tables)):
        kind = "postgresql_default_privileges" if row.on in FUTURE else "postgresql_grant"
        resources[kind][f"row_{place}"] = _privilege(row, roles, schemas)
    return {
        "terraform": {"required_providers": {name: {"source": SOURCES[name]} for name in used}},
        "provider": {
            POSTGRESQL: {
                "host": server.host,
                "port": server.port,
                "database": _text(server.database),
                "username": _text(server.user),
                "sslmode": server.sslmode or "prefer",
                "superuser": server.superuser,
                "connect_timeout": CONNECT_TIMEOUT,
            }
        },
        "resource": {kind: blocks for kind, blocks in resources.items() if blocks},
    }


def _role(login: Service | Analytics, roles: Mapping[str, str], verifiers: Mapping[str, str]) -> Block:
    given = verifiers.get(login.role)
    path = [_text(login.schema_), PUBLIC] if isinstance(login, Service) else None
    return _declared(
        name=_text(login.role),
        login=True,
        password=_text(given) if given else f"${{random_password.{roles[login.role]}.result}}",
        connection_limit=login.connection_limit,
        search_path=path,
        statement_timeout=login.statement_timeout,
        idle_in_transaction_session_timeout=login.idle_in_transaction_session_timeout,
    )


def _privilege(row: Privilege, roles: Mapping[str, str], schemas: Mapping[str, str]) -> Block:
    return _declared(
        role=_name("role", roles, row.grantee),
        database=_text(row.database),
        schema=_name("schema", schemas, row.schema) if row.schema else None,
        owner=_name("role", roles, row.creator) if row.creator else None,
        object_type=OBJECT_TYPES[row.on],
        objects=[_text(row.table)] if row.table else None,
        columns=[_text(column) for column in row.columns] or None,
        privileges=list(row.rights),
    )


def _name(kind: str, blocks: Mapping[str, str], name: str) -> str:
    """A reference to what the configuration makes, the name of what is there already."""
    return f"${{postgresql_{kind}.{blocks[name]}.name}}" if name in blocks else _text(name)


def _text(text: str) -> str:
    """Terraform reads every string as a template."""
    return text.replace("${", "$${").replace("%{", "%%{")


def _declared(**arguments: object) -> Block:
    return {name: value for name, value in arguments.items() if value is not None}
