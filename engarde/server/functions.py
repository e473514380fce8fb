"""The functions that a stack names, as the server has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engarde.declaration.grants import Execute
from engarde.declaration.model import DatabaseStack, Service
from engarde.errors import NotAnswered
from engarde.server.session import Session
from engarde.util.quoting import quoted


@dataclass(frozen=True, slots=True)
class Function:
    """A function, procedure or aggregate that exists."""

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
        """Its name, bare, and the types."""
        return f"{self.name}({self.types})"


Functions = Mapping[Execute, Function]


def find(asked: Session, executes: Iterable[Execute]) -> Functions:
    """Those of these functions that exist, in whatever words their types are declared."""
    found: dict[Execute, Function] = {}
    for each in dict.fromkeys(executes):
        name = f"{quoted(each.schema_, each.function)}({each.types})"
        try:
            rows = asked.answered("function_declared", Function, function=name)
        except NotAnswered:
            # What the server cannot read for types is no function's; releases before 16 refuse to say so.
            continue
        for row in rows:
            found[each] = row
    return found


def of_stack(asked: Session, stack: DatabaseStack) -> Functions:
    """Those that the stack's services are declared to call."""
    return find(asked, (each for service in stack.services for each in service.executes))


def spelled(service: Service, found: Functions) -> Service:
    """The service with each function in the server's words, once, however it was declared."""
    executes = [
        each.model_copy(update={"types": found[each].types}) if each in found else each for each in service.executes
    ]
    return service.model_copy(update={"executes": tuple(dict.fromkeys(executes))})


def spelled_in(stack: DatabaseStack, found: Functions) -> DatabaseStack:
    """The same of all services of the stack."""
    return replace(stack, services=tuple(spelled(each, found) for each in stack.services))
