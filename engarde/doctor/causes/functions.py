"""Causes of `permission denied for function`."""

from __future__ import annotations

from engarde.catalog.rows import Owned
from engarde.doctor import remedies
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, confirmed, ruled_out
from engarde.doctor.rows import Function
from engarde.findings import Remedy
from engarde.quoting import script


def _called(facts: Facts) -> list[Function]:
    roles = [login.role for login in facts.suspects]
    return facts.asked.rows("functions_called", Function, names=facts.guesses, roles=roles)


def _another_owns_it(facts: Facts) -> Answer:
    for each in _called(facts):
        service = facts.service_of(each.schema)
        if service and service.role in each.refused and each.owner != service.role:
            owned = Owned("routine", each.schema, each.name, each.identity, each.owner, each.definer)
            sql = script(owned.given_to(service.role, facts.catalog.trusted(facts.stack.server.user)))
            return confirmed(
                f"{each.identity} is {each.owner}'s, not {service.role}'s", remedies.sql(facts, sql, ours=each.ours)
            )
    return ruled_out("what has this name in a service's schema is its own")


def _is_anothers(facts: Facts) -> Answer:
    for each in _called(facts):
        if each.refused:
            return confirmed(f"{', '.join(each.refused)} may not call {each.identity}, which is {each.owner}'s")
    return ruled_out("everybody whom it may be about may call it")


def _call_its_service(facts: Facts) -> Remedy:
    return remedies.code("call the service that owns the function, through its API: a stack gives others no EXECUTE")


OWNER = Cause("a function in the service's own schema belongs to somebody else", _another_owns_it, remedies.up)
ANOTHERS = Cause("the function is another service's, which alone may call it", _is_anothers, _call_its_service)
