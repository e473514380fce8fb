"""What is damaged: a stack with odd names, and something of everything in each schema."""

from typing import Any

from tests.engine.admins import BACKEND
from tests.engine.program import THE_ADMIN

STACK: dict[str, Any] = {
    "services": {
        "madansara": {
            "statementTimeout": 9000,
            "reads": ["public.users", {"table": "public.brands", "columns": ["id"]}],
        },
        "sankore": {"reads": ["onside.things"]},
        "onside": None,
        "field-notes": {"schema": "Field 'Notes'", "connectionLimit": 7},
        "langflow": None,
    },
    "existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}},
    "analytics": {},
    "outsideRoles": {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}},
}
FIELD = "\"Field 'Notes'\""
CONTENT = (
    "CREATE TABLE {schema}.things (id serial PRIMARY KEY, word text)",
    "CREATE TABLE {schema}.parts (id int, at date) PARTITION BY RANGE (at)",
    "CREATE TABLE {schema}.parts_2026 PARTITION OF {schema}.parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "CREATE VIEW {schema}.seen AS SELECT id FROM {schema}.things",
    "CREATE MATERIALIZED VIEW {schema}.counted AS SELECT count(*) FROM {schema}.things",
    "CREATE TYPE {schema}.mood AS ENUM ('good', 'bad')",
    "CREATE DOMAIN {schema}.short AS text CHECK (length(value) < 9)",
    "CREATE FUNCTION {schema}.one(number integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE PROCEDURE {schema}.done() LANGUAGE sql AS 'SELECT 1'",
    "CREATE AGGREGATE {schema}.total(integer) (SFUNC = int4pl, STYPE = integer)",
    "INSERT INTO {schema}.things (word) VALUES ('a')",
)
"""What each service but langflow makes in its schema."""
