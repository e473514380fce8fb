"""The facts about an error: from the stack file, the server and Pulumi, each asked once and only if needed."""

import re
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property

from engarde.checks import registry
from engarde.checks.observed import Observed, Once
from engarde.declaration.grants import Read
from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.declaration.names import PUBLIC
from engarde.declaration.parameters import split_path
from engarde.declaration.privileges import CREATE, USAGE, readers
from engarde.declaration.resource_names import ADMIN
from engarde.doctor import error_text
from engarde.doctor.error_text import ErrorText
from engarde.errors import LoginRefused, Unreachable
from engarde.output.findings import Finding
from engarde.pulumi_cli.logins import login_of_admin
from engarde.server.catalog import Catalog, in_force
from engarde.server.session import Session, session

_END = re.compile(r"""["'`,;:)\]} ]""")
_DOT = re.compile(r"(?<=.)\.(?=.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, view or sequence with the name in the error, ignoring case."""

    kind: str
    """as ALTER has it"""
    schema: str
    name: str
    identity: str
    """as SQL names it"""
    owner: str

    @property
    def place(self) -> str:
        """Schema and name, for a sentence."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class RelationRight:
    """What a role may do to a table, view or sequence."""

    role: str
    held: list[str]
    """its privileges in effect, from any grant: `SELECT`, `SELECT (column)`, ..."""

    @property
    def reads(self) -> bool:
        """Whether it may read every column."""
        return "SELECT" in self.held

    @property
    def some(self) -> bool:
        """Whether it may read at least one column."""
        return any(right.startswith("SELECT") for right in self.held)

    @property
    def writes(self) -> bool:
        """Whether it may change rows; of a sequence, whether it may use it."""
        return {"INSERT", "UPDATE", "DELETE"} <= {*self.held} or "USAGE" in self.held

    @property
    def refers(self) -> bool:
        """Whether it may point a foreign key at at least one column."""
        return any(right.startswith("REFERENCES") for right in self.held)


@dataclass(frozen=True, slots=True)
class Client:
    """A session of somebody else."""

    pid: int
    role: str
    database: str
    application: str
    state: str | None
    """None if the admin may not see it"""
    seconds: int
    """how long it has been in that state"""

    @property
    def in_transaction(self) -> bool:
        """Whether it is idle in a transaction."""
        return (self.state or "").startswith("idle in transaction")

    def __str__(self) -> str:
        by = f" ({self.application})" if self.application else ""
        return f"{self.role}{by}, process {self.pid}, {self.state or 'state unknown'} for {self.seconds} s"


class Facts(ExitStack):
    """What can be known about one error: each question is asked once, and all in one session, which this closes.

    Everything that asks the server or Pulumi raises `Unreachable` if they cannot be asked.
    """

    def __init__(self, stack: DatabaseStack, error: ErrorText, lost: Unreachable | None = None) -> None:
        super().__init__()
        self.stack = stack
        self.error = error
        self.named = error.named
        self.observed = Observed(stack, lambda: self.session)
        self.unreachable: Unreachable | None = None
        """why the database could not be asked, if that was tried"""
        self._lost = lost

    @Once
    def session(self) -> Session:
        """The admin's."""
        try:
            if self._lost:
                raise self._lost
            return self.enter_context(session(login_of_admin(self.stack)))
        except Unreachable as error:
            self.unreachable = error
            raise

    @property
    def refusal(self) -> LoginRefused | None:
        """Why the admin's login was refused; None if it was not."""
        try:
            _ = self.session
        except LoginRefused as refusal:
            return refusal
        return None

    @property
    def passwords(self) -> Mapping[str, str]:
        """Role -> password in the state."""
        return self.observed.recorded.outputs.passwords

    @property
    def catalog(self) -> Catalog:
        """Roles, settings, schemas and access lists."""
        return self.observed.catalog

    def found(self, *questions: str) -> list[Finding]:
        """The findings of the checks of these names."""
        return registry.findings(self.stack, self.observed, *questions)

    def is_suspected(self, finding: Finding) -> bool:
        """Whether a finding is about a login that the error may be about."""
        return any(is_of(login, finding) for login in self.suspects)

    @cached_property
    def entrants(self) -> dict[str, bool]:
        """Every role that may log in to the database -> whether it is a superuser."""
        return dict(self.session.tuples("entrants"))

    @cached_property
    def clients(self) -> list[Client]:
        """All other sessions of the server."""
        return self.session.query("clients", Client)

    def search_path(self, role: str) -> tuple[str, ...]:
        """The schemas in a role's search_path, in order."""
        found = in_force(self.catalog.settings, "search_path", role)
        value = found.value if found else '"$user", public'
        return tuple(role if name == "$user" else name for name in split_path(value))

    @cached_property
    def relations(self) -> list[Relation]:
        """The relations with the name in the error, ignoring case; in any schema, if the error names none."""
        return self.relations_called(self.guesses)

    @property
    def exact(self) -> list[Relation]:
        """Those of them with exactly this name."""
        return [relation for relation in self.relations if relation.name in self.guesses]

    def relations_called(self, names: Collection[str]) -> list[Relation]:
        """Tables, views and sequences of one of these names, with or without a schema, ignoring case."""
        bare = {name for name in names if name} | {name[dot.end() :] for name in names for dot in _DOT.finditer(name)}
        lowered = {name.lower() for name in names}
        found = self.session.query("relations_called", Relation, names=sorted(bare))
        return [relation for relation in found if {relation.name.lower(), relation.place.lower()} & lowered]

    def rights_on(self, relation: Relation, roles: Collection[str]) -> dict[str, RelationRight]:
        """Role -> what it may do to the relation."""
        place = {"schema": relation.schema, "name": relation.name}
        found = self.session.query("relation_rights", RelationRight, roles=[*roles], **place)
        return {right.role: right for right in found}

    @cached_property
    def _schema_rights(self) -> frozenset[tuple[str, str, str]]:
        return frozenset(self.session.tuples("schema_rights", roles=[login.role for login in self.stack.logins]))

    def may_use(self, role: str, schema: str) -> bool:
        """Whether a role of the stack has USAGE on a schema; False if the schema does not exist."""
        return (role, schema, USAGE) in self._schema_rights

    def may_create(self, role: str, schema: str) -> bool:
        """Whether a role of the stack may create objects in a schema."""
        return (role, schema, CREATE) in self._schema_rights

    @cached_property
    def database_rights(self) -> frozenset[tuple[str, str]]:
        """The roles with CONNECT or TEMPORARY on the database in effect, each with the privilege."""
        return frozenset(self.session.tuples("database_rights"))

    @property
    def guesses(self) -> list[str]:
        """Possible names of the object in the error: up to the end of the line, or of a word."""
        if not (said := self.named.object):
            return []
        shorter = [said[: match.start()] for match in _END.finditer(said) if match.start()]
        return list(dict.fromkeys([said, said.rstrip("\"'`)]},;. "), *reversed(shorter)]))

    def known_as(self, names: Collection[str]) -> str | None:
        """The longest of these names that the object in the error can have; None if it has none of them."""
        return next((guess for guess in self.guesses if guess in names), None)

    @cached_property
    def role(self) -> str | None:
        """The role that the text names; None if it names none."""
        return error_text.role(self.stack, self.error)

    @property
    def is_admin(self) -> bool:
        """Whether the text names the admin, by its role or by the word `admin`."""
        return self.role in (self.stack.server.user, ADMIN)

    @property
    def login(self) -> Service | Analytics | None:
        """The login of the stack that the text names."""
        return next((login for login in self.stack.logins if login.role == self.role), None)

    @property
    def suspects(self) -> tuple[Service | Analytics, ...]:
        """The logins of the stack that the error may be about: the one that the text names, or else all.

        Empty if the text names a role that is not the stack's.
        """
        if self.role:
            return (self.login,) if self.login else ()
        return self.stack.logins

    @property
    def services(self) -> list[Service]:
        """The suspects that are services."""
        return [login for login in self.suspects if isinstance(login, Service)]

    @property
    def service(self) -> Service | None:
        """The one service that the error may be about; None if there are several, or none."""
        return self.services[0] if len(self.services) == 1 else None

    @property
    def declared_roles(self) -> set[str]:
        """The stack's own roles and outside roles, without the admin."""
        return {login.role for login in self.stack.logins} | {outsider.name for outsider in self.stack.outside_roles}

    def service_of(self, schema: str | None) -> Service | None:
        """The service that declares the schema."""
        return next((service for service in self.stack.services if service.schema_ == schema), None)

    def enters(self, login: Service | Analytics, schema: str) -> bool:
        """Whether the stack gives the login USAGE on a schema that is not its own."""
        return schema == PUBLIC or login.role in readers(self.stack, schema)

    def sees(self, login: Service | Analytics, schema: str, table: str) -> bool:
        """Whether the stack lets the login read at least a column of the table."""
        if isinstance(login, Analytics):
            return schema in self.stack.analytics_schemas
        return read_of(login, schema, table) is not None


def owns(login: Service | Analytics, schema: str) -> bool:
    """Whether the schema is the login's own."""
    return isinstance(login, Service) and login.schema_ == schema


def is_of(login: Service | Analytics, finding: Finding) -> bool:
    """Whether a finding is about this login, or about what PUBLIC has.

    The subject tells, and not what the finding concerns: a role may have the name of a schema.
    """
    return f"{finding.subject} on ".startswith((f"{login.role} on ", "PUBLIC on "))


def read_of(login: Service | Analytics, schema: str, table: str) -> Read | None:
    """The declared read of a table by a service."""
    reads = login.reads if isinstance(login, Service) else ()
    return next((read for read in reads if (read.schema_, read.table) == (schema, table)), None)
