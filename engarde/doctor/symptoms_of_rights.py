"""Errors of what somebody may not do: SQLSTATE 42501, and 25006."""

from __future__ import annotations

from engarde.doctor.causes import admin, databases, functions, logins, relations, schemas, wrong_role
from engarde.doctor.model import Symptom
from engarde.doctor.patterns import codes, words

_DENIED = r"permission denied for "

RIGHTS = (
    Symptom(
        "denied-schema",
        "The role may not enter that schema, or not make anything in it (SQLSTATE 42501).",
        (
            wrong_role.WRONG_ROLE,
            functions.WITHIN,
            schemas.OWNER,
            schemas.OWNER_LOST,
            schemas.SEARCH_PATH,
            schemas.WRITES,
            schemas.NOT_GRANTED,
            schemas.NOT_DECLARED,
            schemas.EXTENSION,
            schemas.CREATES,
        ),
        words(_DENIED + r"(?P<kind>schema) (?P<object>.+)"),
        codes("42501"),
    ),
    Symptom(
        "denied-relation",
        "The role may not do that to this table (SQLSTATE 42501).",
        (
            wrong_role.WRONG_ROLE,
            functions.WITHIN,
            relations.OWNER,
            relations.OWNER_LOST,
            relations.WRITES,
            relations.CREATORS,
            relations.NOT_GRANTED,
            relations.FOREIGN_KEY,
            relations.VIEW,
            relations.NOT_DECLARED,
            relations.OTHER_COLUMNS,
        ),
        words(
            _DENIED + r"(?P<kind>table|relation|sequence|(?:materialized )?view|foreign table|column) (?P<object>.+)"
        ),
        codes("42501"),
    ),
    Symptom(
        "denied-function",
        "The role may not call this function (SQLSTATE 42501).",
        (wrong_role.WRONG_ROLE, functions.OWNER, functions.NOT_GRANTED, functions.NOT_DECLARED, functions.ANOTHERS),
        words(_DENIED + r"(?P<kind>function|procedure|routine|aggregate) (?P<object>.+)"),
    ),
    Symptom(
        "denied-temporary",
        "The role may not make temporary tables (SQLSTATE 42501).",
        (databases.READER, databases.TEMPORARY_LOST, databases.STRANGER),
        words(r'permission denied to create temporary tables in database "(?P<database>[^"]+)"'),
    ),
    Symptom(
        "read-only",
        "The transaction is read-only (SQLSTATE 25006).",
        (databases.READER_WRITES,),
        words(r"cannot execute (?P<detail>[A-Z ]{1,40}) in a read-only transaction"),
        codes("25006"),
    ),
    Symptom(
        "denied-connect",
        "The role may not connect to the database (SQLSTATE 42501).",
        (databases.STRANGER, logins.OPEN, databases.MOVED, databases.CONNECT_LOST),
        words(
            _DENIED + r'database "(?P<database>[^"]+)"',
            r"User does not have CONNECT privilege",
        ),
        codes("42501"),
    ),
    Symptom(
        "denied-database",
        "The role may make no schema in the database (SQLSTATE 42501).",
        (databases.SCHEMAS,),
        words(_DENIED + r"database (?P<database>.+)"),
    ),
    Symptom(
        "denied-extension",
        "Only the admin makes extensions (SQLSTATE 42501).",
        (admin.EXTENSION, admin.LACKING),
        words(r'permission denied to create extension "(?P<object>[^"]+)"'),
    ),
    Symptom(
        "denied-new-database",
        "The role may make no database (SQLSTATE 42501).",
        (admin.CALLED_SUPERUSER, admin.LACKING, admin.DATABASE),
        words(r"permission denied to create database"),
    ),
    Symptom(
        "denied-event-trigger",
        "The role may make no event trigger (SQLSTATE 42501).",
        (admin.EVENT_TRIGGER,),
        words(r"permission denied to create event trigger"),
    ),
    Symptom(
        "denied-row",
        "Row security does not let the role write this row (SQLSTATE 42501).",
        (admin.POLICY,),
        words(r"new row violates row-level security policy"),
    ),
    Symptom(
        "denied-admin",
        "Whoever ran this is not admin, owner or member enough (SQLSTATE 42501).",
        (admin.STRANGER_OWNS, admin.CALLED_SUPERUSER, admin.LACKING, admin.SERVICE),
        words(
            r"must be owner of (?:(?P<kind>[\w ]{1,40}) )?(?P<object>\S{1,256})$",
            r"must be (?:a )?member of role|must be able to SET ROLE|must have admin option on role|must be superuser",
            r"permission denied to (?:create|alter|drop|grant|rename|set|reassign|revoke)\b",
            r"is no superuser and lacks rights that this stack needs|is no superuser; set it to false",
        ),
        codes("42501"),
    ),
)
