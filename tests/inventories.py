"""Two inventories as wholes: also whose everything is and who may do what, which a restore leaves to the stack."""

from collections.abc import Iterable

from engarde.backup.inspect import inspect
from engarde.backup.inventory import Difference, Inventory, contents, differ
from engarde.server.credentials import Access
from engarde.server.session import session
from engarde.util.terminal import Say


def inventory(access: Access, schema: str, say: Say) -> Inventory:
    """All that is in a schema now, as its owner sees it."""
    with session(access) as asked:
        return inspect(asked, schema, say)


def compare(wanted: Inventory, found: Inventory) -> tuple[Difference, ...]:
    """Everything of a schema that should be the same in both: also whose it is and who may do what."""
    return (
        *contents(wanted, found),
        *differ("owner of", _owners(wanted), _owners(found)),
        *differ("grants on", _grants(wanted), _grants(found)),
    )


def _owners(of: Inventory) -> dict[str, str]:
    sequences = {f"sequence {sequence.name}": sequence.owner for sequence in of.sequences}
    objects = {f"{each.kind} {each.name}": each.owner for each in of.owned}
    return {f"schema {of.schema}": of.owner, **sequences, **objects}


def _grants(of: Inventory) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for grant in of.grants:
        option = " with grant option" if grant.grantable else ""
        found.setdefault(f"{grant.on} to {grant.grantee}", []).append(f"{grant.right}{option}")
    return {name: _joined(rights) for name, rights in found.items()}


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(sorted(texts))
