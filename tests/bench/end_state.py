"""What stands in the catalogs after a run, as text that can be compared; no password, no verifier."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from engarde.server.role_settings import READ_ONLY, TEMPORARY_FILES
from tests.conformance.database import CATALOG
from tests.engine.database import Database

EndState = frozenset[str]

CREDENTIALS = """
select rolname, coalesce(substring(rolpassword from '^SCRAM-SHA-256\\$4096:'), 'none') from pg_authid
 where rolcanlogin
"""
COLUMNS = """
select attrelid::regclass::text, attname, unnest(attacl::text[]) from pg_attribute where attrelid >= 16384
"""


def end_state(database: Database) -> EndState:
    """A line for each fact of each role, schema and relation, and for each entry of an access list."""
    lines = [
        *(line for (entry,) in database.rows(CATALOG) for line in facts(entry)),
        *(f"credentials {role}: {kind}" for role, kind in database.rows(CREDENTIALS)),
        *(f"column {table}.{column}: acl {json.dumps(each)}" for table, column, each in database.rows(COLUMNS)),
    ]
    return frozenset(lines)


def facts(entry: Mapping[str, Any]) -> Iterator[str]:
    """An entry of the catalogs; its lists item by item, because they say the same in any order."""
    known = entry["facts"] if isinstance(entry["facts"], dict) else {"acl": entry["facts"]}
    for name, value in known.items():
        for each in value if isinstance(value, list) and value else [value]:
            yield f"{entry['kind']} {entry['name']}: {name} {json.dumps(each)}"


def without_settings(state: EndState) -> EndState:
    """Without what the program sets itself, since the provider's `Role` cannot carry it."""
    return frozenset(line for line in state if not any(f'"{name}=' in line for name in (READ_ONLY, TEMPORARY_FILES)))


def differences(who: str, found: EndState, floor: EndState) -> tuple[str, ...]:
    """What only one of two end states holds."""
    return (
        *(f"{who}: not in the floor's end state: {line}" for line in sorted(found - floor)),
        *(f"{who}: only in the floor's end state: {line}" for line in sorted(floor - found)),
    )
