"""Errors of names that lead to nothing: SQLSTATE 42P01, 3F000, 3D000."""

from __future__ import annotations

from engarde.doctor.causes import databases, missing_relations, schemas
from engarde.doctor.model import Symptom
from engarde.doctor.patterns import codes, words

NAMES = (
    Symptom(
        "undefined-relation",
        "The name leads to no table that the role sees (SQLSTATE 42P01).",
        (
            missing_relations.OTHER_ROLE,
            missing_relations.SEARCH_PATH,
            schemas.OWNER,
            schemas.OWNER_LOST,
            missing_relations.OTHER_CASE,
            missing_relations.ELSEWHERE,
            missing_relations.NOT_MIGRATED,
        ),
        words(
            r'(?P<kind>relation|table|view|sequence) "(?P<object>.{1,256})" does not exist',
            r"no such table: (?P<object>\S+)",
        ),
        codes("42P01"),
    ),
    Symptom(
        "no-schema-selected",
        "The first schema that the role looks in is not there, or it may not make anything there (SQLSTATE 3F000).",
        (missing_relations.GONE, schemas.SEARCH_PATH, schemas.OWNER, schemas.OWNER_LOST, missing_relations.OTHER_ROLE),
        words(r"no schema has been selected to create in"),
        codes("3F000"),
    ),
    Symptom(
        "undefined-schema",
        "The name is no schema's (SQLSTATE 3F000).",
        (missing_relations.SCHEMA_CASE, missing_relations.UNDECLARED, missing_relations.GONE),
        words(r'(?P<kind>schema) "(?P<object>.{1,256})" does not exist'),
        codes("3F000"),
    ),
    Symptom(
        "undefined-database",
        "The URL names a database that the server does not have (SQLSTATE 3D000).",
        (databases.NOT_MADE, databases.MISSPELT),
        words(r'database "(?P<object>[^"]+)" does not exist'),
        codes("3D000"),
    ),
)
