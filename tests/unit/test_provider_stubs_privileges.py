"""The statements of resources that give privileges, for cases that no recording holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from psycopg.sql import Composable

from devtools.provider_stubs.postgresql import catalog, grant
from devtools.provider_stubs.postgresql.catalog import member_of
from devtools.provider_stubs.postgresql.connection import Server, Transaction
from devtools.provider_stubs.values import Failure, Plain, Properties

COLUMNS: dict[str, Plain] = {
    "role": "reader",
    "database": "db",
    "schema": "public",
    "objectType": "column",
    "objects": ["users"],
    "columns": ["email", "id"],
    "privileges": ["SELECT"],
}
TABLES = COLUMNS | {"objectType": "table", "columns": None}


class Recorder:
    """A server that keeps the statements; its catalog answers by query and parameters."""

    major = 17

    def __init__(self, **answers: Any) -> None:
        self.answers = {"SELECT current_user": "admin", catalog.SCHEMA_OWNER: "admin", catalog.SUPERUSER: True}
        self.answers |= answers
        self.statements: list[str] = []

    @contextmanager
    def transaction(self, _database: str = "") -> Iterator["Recorder"]:
        yield self

    def change(self, statement: Composable, _task: str = "") -> None:
        if not (text := statement.as_string()).startswith("SET "):
            self.statements.append(text)

    def rows(self, _query: str, *_parameters: str) -> list[Any]:
        return []

    def value(self, query: str, *parameters: str) -> Any:
        return self.answers.get(" ".join((query, *parameters)), self.answers.get(query))


def granted(prior: dict[str, Plain], planned: dict[str, Plain]) -> list[str]:
    recorder = Recorder()
    grant.update(cast(Server, recorder), Properties(prior), Properties(planned))
    return recorder.statements


def test_a_grant_on_columns_names_them_in_the_order_of_their_hashes() -> None:
    assert granted(COLUMNS, COLUMNS) == [
        'REVOKE SELECT ("id","email") ON TABLE "public"."users" FROM "reader"',
        'GRANT SELECT ("id","email") ON TABLE "public"."users" TO "reader"',
    ]


def test_a_grant_of_which_no_column_is_left_takes_nothing_away() -> None:
    recorder = Recorder()
    grant.delete(cast(Server, recorder), Properties(COLUMNS | {"columns": []}))
    assert recorder.statements == []


def test_a_changed_grant_takes_away_what_is_recorded() -> None:
    assert granted(TABLES | {"privileges": ["INSERT", "SELECT"]}, TABLES | {"withGrantOption": True}) == [
        'REVOKE SELECT,INSERT ON TABLE "public"."users" FROM "reader"',
        'GRANT SELECT ON TABLE "public"."users" TO "reader" WITH GRANT OPTION',
    ]


def test_a_grant_on_all_tables_takes_everything_away_first() -> None:
    assert granted(TABLES, TABLES | {"objects": None, "privileges": ["ALL"]}) == [
        'REVOKE ALL PRIVILEGES ON ALL TABLES IN SCHEMA "public" FROM "reader"',
        'GRANT ALL ON ALL TABLES IN SCHEMA "public" TO "reader"',
    ]


@pytest.mark.parametrize(
    "fault",
    [
        {"privileges": ["USAGE"]},
        {"privileges": ["SELECT; DROP TABLE users"]},
        {"schema": None},
        {"columns": ["id"]},
        {"objectType": "column"},
        {"objectType": "schema", "privileges": ["USAGE"]},
    ],
)
def test_a_grant_that_cannot_be_is_refused_before_anything_is_done(fault: dict[str, Plain]) -> None:
    recorder = Recorder()
    with pytest.raises(Failure):
        grant.update(cast(Server, recorder), Properties(TABLES), Properties(TABLES | fault))
    assert recorder.statements == []


def test_an_admin_that_is_no_superuser_is_a_member_of_owners_for_a_moment() -> None:
    recorder = Recorder(**{catalog.SUPERUSER: False})
    with member_of(cast(Transaction, recorder), ["owner", "admin"]):
        recorder.statements.append("between")
    assert recorder.statements == ['GRANT "owner" TO "admin"', "between", 'REVOKE "owner" FROM "admin"']


def test_a_superuser_among_the_owners_is_left_alone() -> None:
    recorder = Recorder(**{f"{catalog.SUPERUSER} admin": False, f"{catalog.SUPERUSER} owner": True})
    with member_of(cast(Transaction, recorder), ["owner"]):
        recorder.statements.append("between")
    assert recorder.statements == ["between"]


def test_an_owner_that_is_a_member_of_the_admin_is_none_meanwhile() -> None:
    membership = f"{catalog.MEMBERSHIP} AND set_option admin owner"
    recorder = Recorder(**{catalog.SUPERUSER: False, membership: True, catalog.ROLE_ID: True})
    with member_of(cast(Transaction, recorder), ["owner"]):
        recorder.statements.append("between")
    assert recorder.statements == [
        'REVOKE "admin" FROM "owner"',
        'GRANT "owner" TO "admin"',
        "between",
        'REVOKE "owner" FROM "admin"',
        'GRANT "admin" TO "owner"',
    ]
