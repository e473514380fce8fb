"""Errors of runs of the engine and of migrations."""

from __future__ import annotations

from engarde.doctor import remedies
from engarde.doctor.causes import dropping, migrations, runs, timeouts, urls
from engarde.doctor.model import Symptom
from engarde.doctor.patterns import codes, words

MIGRATIONS = (
    Symptom(
        "revision",
        "The database is at a revision of which the migrations at hand know nothing.",
        (migrations.IN_PUBLIC, migrations.SHARED, migrations.OLDER, migrations.UNREADABLE),
        words(r"Can't locate revision identified by '(?P<revision>[^']+)'"),
    ),
    Symptom(
        "percent",
        "Alembic's configuration takes a % in a URL for a reference.",
        (urls.DECLARED_OPTIONS, urls.PERCENT),
        words(r"invalid interpolation syntax|'%' must be followed by '%' or '\('"),
    ),
)

RUNS = (
    Symptom(
        "at-once",
        "Two sessions changed the same role or access list at once (SQLSTATE XX000, 23505).",
        (runs.ANOTHER_RUN,),
        words(
            r"tuple concurrently (?:updated|deleted)",
            r'violates unique constraint "(?P<object>pg_(?:db_role_setting|default_acl|auth_members)\w*)"',
        ),
        codes("XX000", "23505"),
        again=remedies.up_again,
    ),
    Symptom(
        "exists",
        "What the stack wants to make is there already (SQLSTATE 42710).",
        (runs.LEFT_OVER, runs.SCHEMA),
        words(
            r'(?P<kind>role|schema) "(?P<object>[^"]+)" already exists',
            r"(?P<kind>role|schema) (?P<object>.{1,63}?) exists already and is ",
        ),
        codes("42710", "42P06"),
        again=remedies.up_again,
    ),
    Symptom(
        "unread-timeout",
        "The plugin reads timeouts in milliseconds only, and one was set by hand in other words.",
        (timeouts.STATEMENT_CHANGED, timeouts.IDLE_CHANGED),
        words(r"error reading (?:statement_timeout|idle_in_transaction_session_timeout)"),
        again=remedies.up_again,
    ),
    Symptom(
        "locked",
        "The state is locked by a run.",
        (runs.WORKS, runs.KILLED),
        words(r"the stack is currently locked by"),
        again=remedies.up_again,
    ),
    Symptom(
        "unread-state",
        "The engine cannot read its state.",
        (runs.TORN,),
        words(r"failed to load checkpoint"),
        again=remedies.up_again,
    ),
    Symptom(
        "passphrase",
        "The engine cannot read the stack's secrets.",
        (runs.PASSPHRASE,),
        words(r"passphrase must be set", r"incorrect passphrase"),
    ),
    Symptom(
        "no-stack",
        "The backend of the engine has no stack of this name.",
        (runs.NO_STACK,),
        words(r"no stack named '(?P<object>[^']+)' found"),
        again=remedies.up_again,
    ),
    Symptom(
        "drop",
        "Something depends on what is to be dropped (SQLSTATE 2BP01).",
        (dropping.DATA, dropping.ROLE),
        words(
            r"cannot drop (?P<kind>schema) (?P<object>.{1,63}?) because other objects depend on it",
            r'(?P<kind>role) "(?P<object>[^"]+)" cannot be dropped because some objects depend on it',
        ),
        codes("2BP01"),
    ),
)
