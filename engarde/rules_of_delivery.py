"""Rules over what goes to Railway: nothing without an address, no variable twice."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from engarde.address import Address
from engarde.delivery import UNSTATED
from engarde.faults import Fault, join, key
from engarde.model import Analytics, Service
from engarde.rules import UNVERIFYING, verifies


def rules(
    stated: Collection[str],
    service_address: Address | None,
    unpooled: Address | None,
    logins: dict[str, Service | Analytics],
) -> Iterator[Fault]:
    """Every fault of the deliveries; `stated` names sections, those at fault included, and `logins` go by path."""
    taken: dict[tuple[str, str], str] = {}
    for path, login in logins.items():
        where = join(path, "railway")
        declared = login.railway or UNSTATED
        if login.railway and "railway" not in stated:
            yield Fault(where, "needs engarde:railway, which names the project and the environment")
        if login.railway and login.railway.service is None and isinstance(login, Analytics):
            yield Fault(join(where, "service"), "missing; analytics goes to no Railway service by itself")
        for name, spec in declared.variables.items():
            at = join(where, "variables", name)
            if spec.unpooled and "unpooledAddress" not in stated:
                yield Fault(join(at, "unpooled"), "needs engarde:unpooledAddress")
            address = unpooled if spec.unpooled else service_address
            if spec.url_format == UNVERIFYING and verifies(address):
                yield Fault(join(at, "urlFormat"), "its URL can carry no sslmode, and pg8000 verifies no certificate")
        # Names that are alike but for their case are no fault where nothing is delivered.
        for service in login.on_railway if login.railway or "railway" in stated else ():
            for name in declared.variables:
                first = taken.setdefault((service.casefold(), name), where)
                if first != where:
                    yield Fault(where, f"{key(name)} of the same Railway service is set by {first} already")
