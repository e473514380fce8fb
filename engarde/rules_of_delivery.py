"""Rules over what goes to Railway: nothing without an address, no variable twice."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from engarde.address import Address
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
        if login.railway is None:
            continue
        where = join(path, "railway")
        if "railway" not in stated:
            yield Fault(where, "needs engarde:railway, which names the project and the environment")
        if isinstance(login, Analytics) and login.railway.service is None:
            yield Fault(join(where, "service"), "missing; analytics goes to no Railway service by itself")
        for name, spec in login.railway.variables.items():
            at = join(where, "variables", name)
            if spec.unpooled and "unpooledAddress" not in stated:
                yield Fault(join(at, "unpooled"), "needs engarde:unpooledAddress")
            address = unpooled if spec.unpooled else service_address
            if spec.url_format == UNVERIFYING and verifies(address):
                yield Fault(join(at, "urlFormat"), "its URL can carry no sslmode, and pg8000 verifies no certificate")
        own = login.railway.service
        names = own if own is not None else ((login.name,) if isinstance(login, Service) else ())
        for name in names:
            for variable in login.railway.variables:
                first = taken.setdefault((name.casefold(), variable), where)
                if first != where:
                    yield Fault(where, f"{key(variable)} of the same Railway service is set by {first} already")
