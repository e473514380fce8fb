"""Causes of `permission denied for function`."""

from collections.abc import Iterator
from dataclasses import dataclass

from engarde.declaration.model import Service
from engarde.declaration.names import spelled
from engarde.doctor import failed_statement, remedies
from engarde.doctor.facts import Facts, is_of
from engarde.doctor.model import Answer, Cause, as_found, confirmed, ruled_out
from engarde.output.findings import Finding, Remedy
from engarde.server.functions import spelled as as_the_server

FUNCTION = "SCHEMA.FUNCTION(TYPES)"
"""In place of a function, if the text does not tell it from others of its name."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function with the name in the error."""

    schema: str
    name: str
    identity: str
    owner: str
    types: str
    """of its arguments"""
    refused: list[str]
    """roles that may not call it"""


_AS_ITS_OWNER = (
    "its owner has to make it SECURITY DEFINER SET search_path = pg_catalog, pg_temp,"
    " or skip this statement for other roles"
)


def _called(facts: Facts) -> list[Function]:
    roles = [login.role for login in facts.suspects]
    return facts.session.query("functions_called", Function, names=facts.guesses, roles=roles)


def _undeclared(facts: Facts) -> Iterator[tuple[Function, Service]]:
    """A function of others, and a service that may not call it and has no declared call of it."""
    for function in _called(facts):
        signature = f"{function.name}({function.types})"
        for service in facts.services:
            if service.role in function.refused and service.schema_ != function.schema:
                declared = as_the_server(service, facts.catalog.functions).executes
                if (function.schema, signature) not in {(call.schema_, call.signature) for call in declared}:
                    yield function, service


def _refused_to_its_service(facts: Facts) -> set[str]:
    return {
        function.identity
        for function in _called(facts)
        if (service := facts.service_of(function.schema)) and service.role in function.refused
    }


def _is_refused(facts: Facts, finding: Finding) -> bool:
    """Whether a service lacks, in effect, the EXECUTE that a finding misses."""
    return any(
        is_of(service, finding) and function.identity in finding.things and service.role in function.refused
        for function in _called(facts)
        for service in facts.services
    )


def _not_declared(facts: Facts) -> Answer:
    if found := list(_undeclared(facts)):
        it = found[0][0]
        lacking = [service for function, service in found if function == it]
        because = f"the stack file declares no call of {it.identity} (owner {it.owner}) by {remedies.named(lacking)}"
        return confirmed(because, _declaring(lacking, f"{spelled(it.schema, it.name)}({it.types})"))
    return ruled_out("every service in question may call it")


def _declaring(services: list[Service], function: str) -> Remedy:
    return remedies.edit("engarde:services", remedies.only(services), "executes", value=(function,))


def _is_anothers(facts: Facts) -> Answer:
    for function in _called(facts):
        if refused := sorted({*function.refused} - {service.role for service in facts.stack.services}):
            return confirmed(f"{', '.join(refused)} may not call {function.identity} (owner {function.owner})")
    return ruled_out("every other role in question may call it")


def _within_another(facts: Facts) -> Answer:
    if (found := failed_statement.function_within(facts.error.lines)) is None:
        return ruled_out("the text does not name a function that ran the statement")
    schema, function = found
    if schema in {service.schema_ for service in facts.services}:
        return ruled_out(f"{function} is in the service's own schema")
    because = f"{function} runs the statement with the privileges of its caller"
    return confirmed(because, remedies.code(f"{function}: {_AS_ITS_OWNER}"))


OWNER = Cause.of_check(
    "a function in the service's own schema belongs to another role",
    "owner",
    because="{what} is {actual}",
    otherwise="every function of this name in a service's schema belongs to the service",
    so=lambda facts, finding: bool(finding.things & _refused_to_its_service(facts)),
    heal=as_found,
)
NOT_GRANTED = Cause.of_check(
    "the call is declared but not granted, or the function was created again",
    "grant",
    because="{who} may not call {what}, although it is declared",
    otherwise="every declared call of it is granted",
    so=_is_refused,
    heal=as_found,
)
NOT_DECLARED = Cause(
    "the stack file does not declare this call", _not_declared, lambda facts: _declaring(facts.services, FUNCTION)
)
ANOTHERS = Cause(
    "analytics only reads and may not call functions of services",
    _is_anothers,
    remedies.code("let the service that owns the function call it: no stack file gives analytics EXECUTE"),
)
WITHIN = Cause(
    "a function of another role runs the statement, for example a trigger",
    _within_another,
    remedies.code(f"the function: {_AS_ITS_OWNER}"),
)
