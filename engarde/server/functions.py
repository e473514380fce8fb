"""Functions that a stack names, functions of event triggers, and the extension Citus, which keeps rows elsewhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engarde.declaration.grants import Execute
from engarde.declaration.model import DatabaseStack, Service
from engarde.errors import NotAnswered, Refused
from engarde.server.session import Session
from engarde.util.quoting import quoted
from engarde.util.terminal import indented


@dataclass(frozen=True, slots=True)
class Function:
    oid: int
    schema: str
    name: str
    types: str
    """of its arguments, as the server spells them where only pg_catalog needs no schema"""
    identity: str
    """as SQL names it"""
    owner: str
    grantable: bool
    """the connected role may grant EXECUTE on it"""

    @property
    def signature(self) -> str:
        return f"{self.name}({self.types})"


Functions = Mapping[Execute, Function]


def find(asked: Session, executes: Iterable[Execute]) -> Functions:
    """Those of these functions that exist, however their types are spelled."""
    found: dict[Execute, Function] = {}
    for execute in dict.fromkeys(executes):
        name = f"{quoted(execute.schema_, execute.function)}({execute.types})"
        try:
            rows = asked.try_query("function_declared", Function, function=name)
        except NotAnswered:
            # If the server does not know the types, no function has them; releases before 16 raise an error.
            continue
        for row in rows:
            found[execute] = row
    return found


def of_stack(asked: Session, stack: DatabaseStack) -> Functions:
    """Those that the stack's services are declared to call."""
    return find(asked, (execute for service in stack.services for execute in service.executes))


def spelled(service: Service, found: Functions) -> Service:
    """The service with each function in the server's words, once, however it was declared."""
    executes = [
        execute.model_copy(update={"types": found[execute].types}) if execute in found else execute
        for execute in service.executes
    ]
    return service.model_copy(update={"executes": tuple(dict.fromkeys(executes))})


def spelled_in(stack: DatabaseStack, found: Functions) -> DatabaseStack:
    """The same of all services of the stack."""
    return replace(stack, services=tuple(spelled(service, found) for service in stack.services))


@dataclass(frozen=True, slots=True)
class EventTrigger:
    """A function that runs with the privileges of any role that makes, changes or drops something."""

    name: str
    """as SQL names it"""
    event: str
    code: str
    schema: str
    """of the function"""
    definer: bool
    owner: str
    """of the function"""
    changers: list[str]
    """roles that may change the function, apart from the admin and superusers"""

    @property
    def disable(self) -> str:
        """Stops it, and can be undone."""
        return f"ALTER EVENT TRIGGER {self.name} DISABLE"


def event_triggers(asked: Session, *trusted: str) -> list[EventTrigger]:
    """Those that fire, with the roles that may change their functions, apart from superusers and these."""
    return asked.query("event_triggers", EventTrigger, trusted=list(trusted))


def refuse_event_triggers(asked: Session, whose: str, *trusted: str) -> None:
    """Must pass before anything is made, changed or dropped in the session's database with the privileges of a role.

    :raises Refused: a role that is neither a superuser, nor this role, nor `trusted` could choose what runs.
    """
    if foreign := [trigger for trigger in event_triggers(asked, whose, *trusted) if trigger.changers]:
        lines = indented(
            f"{trigger.disable};  -- runs {trigger.code}, which {', '.join(trigger.changers)} may change"
            for trigger in foreign
        )
        raise Refused(
            f"event triggers of the database would run, as {whose}, functions that other roles may change. Nothing was"
            f" changed. Disable them as a superuser:\n{lines}"
        )


CITUS = "citus"
CITUS_UNKNOWN = "the database has the extension citus: its rows are on other servers, which this tool does not read"


@dataclass(frozen=True, slots=True)
class Extension:
    name: str
    schema: str
    version: str


def has_citus(asked: Session) -> bool:
    """Whether the session's database is part of a Citus cluster."""
    return any(extension.name == CITUS for extension in asked.query("backup_extensions", Extension))


def refuse_citus(asked: Session) -> None:
    """Several servers have no common snapshot, and cannot load a dump's definitions.

    :raises Refused: the database has the extension.
    """
    if has_citus(asked):
        raise Refused(f"{CITUS_UNKNOWN}, so a copy would not be consistent. Nothing was changed.")
