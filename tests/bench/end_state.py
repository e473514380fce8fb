"""What stands in the catalogs after a run, as text that can be compared; no password, no verifier."""

import json
from typing import Any

from tests.conformance.database import CATALOG
from tests.engine.database import Database

EndState = frozenset[str]

CREDENTIALS = """
select rolname, coalesce(substring(rolpassword from '^SCRAM-SHA-256\\$4096:'), 'none') from pg_authid
 where rolcanlogin
"""
COLUMNS = """
select attrelid::regclass::text, attname, attacl::text[] from pg_attribute where attacl is not null
   and attrelid >= 16384
"""


def end_state(database: Database) -> EndState:
    """Each role, schema, relation, access list and default access list of the database."""
    lines = [
        *(json.dumps(_sorted(entry), sort_keys=True) for (entry,) in database.rows(CATALOG)),
        *(f"credentials {role}: {kind}" for role, kind in database.rows(CREDENTIALS)),
        *(f"column {table}.{column}: {sorted(acl)}" for table, column, acl in database.rows(COLUMNS)),
    ]
    return frozenset(lines)


def differences(who: str, found: EndState, floor: EndState) -> tuple[str, ...]:
    """What only one of two end states holds."""
    return (
        *(f"{who}: not in the floor's end state: {line}" for line in sorted(found - floor)),
        *(f"{who}: only in the floor's end state: {line}" for line in sorted(floor - found)),
    )


def _sorted(value: Any) -> Any:
    """An access list or a list of settings says the same in any order."""
    if isinstance(value, dict):
        return {key: _sorted(each) for key, each in value.items()}
    return sorted(value) if isinstance(value, list) else value
