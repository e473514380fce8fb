"""The circumstances of an error: what the stack file says, and what server and engine answer when first asked."""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property

from engarde.checks import registry
from engarde.checks.observed import Observed
from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.doctor.attribution import role, suspects
from engarde.doctor.model import MatchedError
from engarde.doctor.rows import Client, Entrant, Relation, RelationRight, SchemaRight
from engarde.errors import LoginRefused, Unreachable
from engarde.output.findings import Finding
from engarde.pulumi_cli.logins import login_of_admin
from engarde.server.catalog import Catalog
from engarde.server.credentials import Access
from engarde.server.session import Session, session

_END = re.compile(r"""["'`,;:)\]} ]""")


class Facts:
    """What can be known about one error; each question is asked once, and all of them in one session.

    Whatever asks server or engine raises `Unreachable` where those cannot be asked.
    """

    def __init__(
        self, stack: DatabaseStack, error: MatchedError, closing: ExitStack, lost: Unreachable | None = None
    ) -> None:
        self.stack = stack
        self.error = error
        self.named = error.named
        self.observed = Observed(stack, lambda: self.session)
        self._closing = closing
        self._lost = lost

    @cached_property
    def _entered(self) -> Session | Unreachable:
        if self._lost:
            return self._lost
        try:
            return self._closing.enter_context(session(login_of_admin(self.stack)))
        except Unreachable as error:
            return error

    @property
    def session(self) -> Session:
        """The admin's."""
        if isinstance(self._entered, Unreachable):
            raise self._entered
        return self._entered

    @property
    def unreachable(self) -> Unreachable | None:
        """Why the database could not be asked, if it was tried."""
        tried = self.__dict__.get("_entered")
        return tried if isinstance(tried, Unreachable) else None

    @property
    def refusal(self) -> LoginRefused | None:
        """Why the admin was not let in; None when it was."""
        if isinstance(self._entered, Unreachable) and not isinstance(self._entered, LoginRefused):
            raise self._entered
        return self._entered if isinstance(self._entered, LoginRefused) else None

    @property
    def passwords(self) -> Mapping[str, str]:
        """Role -> password, as the last run left them in the state."""
        return self.observed.recorded.outputs.passwords

    def refuses(self, role: str, password: str) -> LoginRefused | None:
        """Why the server does not let the role in with this password; None when it does."""
        server = self.stack.server
        try:
            with session(Access(server, server.database, role, password)):
                return None
        except LoginRefused as error:
            return error

    @property
    def catalog(self) -> Catalog:
        """Roles, settings, schemas and access lists."""
        return self.observed.catalog

    def found(self, *questions: str) -> list[Finding]:
        """What the checks of these names find."""
        return registry.findings(self.stack, self.observed, *questions)

    def is_suspected(self, finding: Finding) -> bool:
        """Whether a finding is about a login that the error may be about."""
        return any(login.role in finding.concerns for login in self.suspects)

    @cached_property
    def entrants(self) -> dict[str, Entrant]:
        """Every role that may log in."""
        return {entrant.name: entrant for entrant in self.session.query("entrants", Entrant)}

    @cached_property
    def clients(self) -> list[Client]:
        """Everybody else who is connected to the server."""
        return self.session.query("clients", Client)

    @cached_property
    def relations(self) -> list[Relation]:
        """Whatever has the name in the error, in some case and some schema; the schema in the error decides alone."""
        return self.relations_called(self.guesses)

    def relations_called(self, names: Collection[str]) -> list[Relation]:
        """Tables, views and sequences of one of these names, bare or after a schema, in some case."""
        bare = {name for name in names if name} | {part for name in names for _, part in _parted(name)}
        found = self.session.query("relations_called", Relation, names=sorted(bare))
        lowered = {name.lower() for name in names}
        return [
            relation
            for relation in found
            if {relation.name.lower(), f"{relation.schema}.{relation.name}".lower()} & lowered
        ]

    def rights_on(self, relation: Relation, roles: Collection[str]) -> dict[str, RelationRight]:
        """Role -> what it may do to the relation."""
        place = {"schema": relation.schema, "name": relation.name}
        return {
            right.role: right for right in self.session.query("relation_rights", RelationRight, roles=[*roles], **place)
        }

    @cached_property
    def _schema_rights(self) -> dict[tuple[str, str], SchemaRight]:
        roles = [login.role for login in self.stack.logins]
        return {
            (right.role, right.schema): right for right in self.session.query("schema_rights", SchemaRight, roles=roles)
        }

    def may_use(self, role: str, schema: str) -> bool:
        """Whether a role of the stack has USAGE on a schema; not on one that does not exist."""
        found = self._schema_rights.get((role, schema))
        return found is not None and found.usage

    def may_create(self, role: str, schema: str) -> bool:
        """Whether a role of the stack may make something in a schema."""
        found = self._schema_rights.get((role, schema))
        return found is not None and found.create

    @property
    def guesses(self) -> list[str]:
        """What the object in the error may be called: to the end of the line, or of the word."""
        if not (said := self.named.object):
            return []
        shorter = [said[: match.start()] for match in _END.finditer(said) if match.start()]
        return list(dict.fromkeys([said, said.rstrip("\"'`)]},;. "), *reversed(shorter)]))

    def known_as(self, names: Collection[str]) -> str | None:
        """The longest of these names that the object in the error can be; None when it is none of them."""
        return next((guess for guess in self.guesses if guess in names), None)

    @cached_property
    def role(self) -> str | None:
        """The role that the text says it was; None when it does not say."""
        return role(self.stack, self.error)

    @cached_property
    def suspects(self) -> tuple[Service | Analytics, ...]:
        """The logins of the stack that the error may be about: the one that the text names, or all."""
        return suspects(self.stack, self.error)

    def service_of(self, schema: str) -> Service | None:
        """Whose schema it is declared to be."""
        return next((service for service in self.stack.services if service.schema_ == schema), None)


def _parted(name: str) -> Iterator[tuple[str, str]]:
    for at, character in enumerate(name):
        if character == "." and 0 < at < len(name) - 1:
            yield name[:at], name[at + 1 :]


@contextmanager
def facts(stack: DatabaseStack, error: MatchedError, lost: Unreachable | None = None) -> Iterator[Facts]:
    """The circumstances of an error, as long as the block lasts.

    :raises Unreachable: the session was lost in the middle.
    """
    with ExitStack() as closing:
        yield Facts(stack, error, closing, lost)
