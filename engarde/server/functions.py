"""Functions that a stack names, those that event triggers run, and the extension that keeps rows elsewhere."""

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
    """Those of these functions that exist, in whatever words their types are declared."""
    found: dict[Execute, Function] = {}
    for execute in dict.fromkeys(executes):
        name = f"{quoted(execute.schema_, execute.function)}({execute.types})"
        try:
            rows = asked.try_query("function_declared", Function, function=name)
        except NotAnswered:
            # What the server cannot read for types is no function's; releases before 16 refuse to say so.
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
    """A function that runs as whoever makes, changes or drops anything."""

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
        """What ends it and can be taken back."""
        return f"ALTER EVENT TRIGGER {self.name} DISABLE"


def event_triggers(asked: Session, *trusted: str) -> list[EventTrigger]:
    """Those that fire, with the roles that may change their functions, apart from superusers and these."""
    return asked.query("event_triggers", EventTrigger, trusted=list(trusted))


def refuse_event_triggers(asked: Session, whose: str, *trusted: str) -> None:
    """Has to hold before anything is made, changed or dropped in the session's database with the rights of a role.

    :raises Refused: another role than superusers, it and those that are `trusted` chooses what would run then.
    """
    if foreign := [trigger for trigger in event_triggers(asked, whose, *trusted) if trigger.changers]:
        lines = indented(
            f"{trigger.disable};  -- runs {trigger.code}, which {', '.join(trigger.changers)} may change"
            for trigger in foreign
        )
        raise Refused(
            "event triggers of the database would run functions that other roles may change, with the rights of"
            f" {whose}; nothing was changed. A superuser disables them with:\n{lines}"
        )


CITUS = "citus"
CITUS_UNKNOWN = "the database has the extension citus: its rows are on other servers, which are not looked at"


@dataclass(frozen=True, slots=True)
class Extension:
    name: str
    schema: str
    version: str


def has_citus(asked: Session) -> bool:
    """Whether the session's database is a part of a cluster of Citus's."""
    return any(extension.name == CITUS for extension in asked.query("backup_extensions", Extension))


def refuse_citus(asked: Session) -> None:
    """Several servers have no snapshot in common, and do not take a dump's definitions.

    :raises Refused: the database has the extension.
    """
    if has_citus(asked):
        raise Refused(f"{CITUS_UNKNOWN}, so that no copy of them would be of one moment; nothing was done")
