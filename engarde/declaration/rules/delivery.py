"""Rules over what goes to Railway: nothing without an address, no variable twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from engarde.declaration.address import Address
from engarde.declaration.delivery import UNSTATED
from engarde.declaration.model import Analytics, Service
from engarde.declaration.rules.databases import UNVERIFYING, verifies
from engarde.declaration.validation import Fault, join, key


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where URLs of one server lead."""

    place: str
    """of the keys, with what comes before them"""
    service: Address | None
    unpooled: Address | None
    has_unpooled: bool
    """stated, even if it is at fault"""


def rules(
    stated: Collection[str],
    addresses: Mapping[str | None, Addresses],
    logins: dict[str, Service | Analytics],
) -> Iterator[Fault]:
    """Every fault of the deliveries.

    `stated` names sections, those at fault included; `addresses` go by database, `logins` by path.
    """
    taken: dict[tuple[str, str], str] = {}
    services = [each for each in logins.values() if isinstance(each, Service)]
    for path, login in logins.items():
        where = join(path, "railway")
        declared = login.railway or UNSTATED
        if login.railway and "railway" not in stated:
            yield Fault(where, "needs engarde:railway, which names the project and the environment")
        if login.railway and login.railway.service is None and isinstance(login, Analytics):
            yield Fault(join(where, "service"), "missing; analytics goes to no Railway service by itself")
        for name, spec in declared.variables.items():
            at = join(where, "variables", name)
            # A database of the shared server has no addresses of its own.
            known = addresses.get(login.database if isinstance(login, Service) else spec.database) or addresses[None]
            if spec.database and (isinstance(login, Service) or spec.database not in _readable(login, services)):
                yield Fault(join(at, "database"), "only for analytics: a service's own database that it reads")
            if spec.unpooled and not known.has_unpooled:
                yield Fault(join(at, "unpooled"), f"needs {known.place}unpooledAddress")
            address = known.unpooled if spec.unpooled else known.service
            if spec.url_format == UNVERIFYING and verifies(address):
                yield Fault(join(at, "urlFormat"), "its URL can carry no sslmode, and pg8000 verifies no certificate")
        # Names that are alike but for their case are no fault where nothing is delivered.
        for service in login.on_railway if login.railway or "railway" in stated else ():
            for name in declared.variables:
                first = taken.setdefault((service.casefold(), name), where)
                if first != where:
                    yield Fault(where, f"{key(name)} of the same Railway service is set by {first} already")


def _readable(analytics: Analytics, services: Iterable[Service]) -> set[str | None]:
    """The databases of services that analytics reads."""
    return {each.database for each in services if analytics.schemas is None or each.schema_ in analytics.schemas}
