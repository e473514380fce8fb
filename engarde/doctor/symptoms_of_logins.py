"""Errors of logins, of connections that are too many, and of what the server ends."""

from __future__ import annotations

from engarde.doctor.causes import connection_limits, logins, timeouts, tls
from engarde.doctor.model import Symptom
from engarde.doctor.patterns import HOST, codes, words

_LOGIN = (
    logins.OPEN,
    logins.NO_SUCH_ROLE,
    logins.STRANGER,
    logins.NOLOGIN,
    logins.EXPIRED,
    logins.ADMINS,
    logins.SERVICE_AS_ADMIN,
    logins.CHANGED,
    logins.OLD_URL,
)

LOGINS = (
    Symptom(
        "no-entrance-rule",
        "pg_hba.conf has no line that lets this role in from there (SQLSTATE 28000).",
        (tls.WANTS_TLS, tls.NO_RULE, logins.STRANGER),
        words(
            r'(?:no pg_hba\.conf entry|pg_hba\.conf rejects connection) for host "(?P<host>[^"]*)", '
            r'user "(?P<role>[^"]*)", database "(?P<database>[^"]*)"(?:, (?P<detail>[\w ]+))?',
            r"no pg_hba\.conf entry",
        ),
    ),
    Symptom(
        "login",
        "The server does not let the role in (SQLSTATE 28P01, 28000).",
        _LOGIN,
        words(
            HOST + r'(?:FATAL:\s+)?password authentication failed for user "(?P<role>[^"]+)"',
            r'(?:FATAL:\s+)?password authentication failed for user "(?P<role>[^"]+)"',
            r"password authentication failed(?: for user '(?P<role>[^']+)')?",
            r'role "(?P<role>[^"]+)" is not permitted to log in',
            r'FATAL:\s+role "(?P<role>[^"]+)" does not exist',
            r"no password supplied|SASL authentication failed|client password must be a string",
        ),
        codes("28P01", "28000"),
    ),
)

CONNECTIONS = (
    Symptom(
        "role-limit",
        "The role has as many connections as it may have (SQLSTATE 53300).",
        (connection_limits.LIMIT, connection_limits.LEAK, connection_limits.POOL),
        words(r'too many connections for role "(?P<role>[^"]+)"'),
        codes("53300"),
    ),
    Symptom(
        "server-full",
        "The server has no connection left for services (SQLSTATE 53300).",
        (connection_limits.FULL, connection_limits.PROMISED),
        words(
            r"remaining connection slots are reserved",
            r"sorry, too many clients already",
            r'too many connections for database "(?P<database>[^"]+)"',
        ),
        codes("53300"),
    ),
    Symptom(
        "lock-table-full",
        "The server has no room for another lock: one role can use it up for all (SQLSTATE 53200).",
        (connection_limits.LOCKS,),
        words(r"out of shared memory", r"You might need to increase \"?max_locks_per_transaction"),
        codes("53200"),
    ),
    Symptom(
        "statement-timeout",
        "The statement took longer than the role's statement_timeout allows (SQLSTATE 57014).",
        (timeouts.STATEMENT_CHANGED, timeouts.LOCKED, timeouts.TOO_SLOW),
        words(r"canceling statement due to statement timeout"),
        codes("57014"),
    ),
    Symptom(
        "temporary-files",
        "The statement wrote more temporary files than the role's temp_file_limit allows (SQLSTATE 53400).",
        (timeouts.TOO_LARGE,),
        words(r"temporary file size exceeds [\"']?temp_file_limit(?:[\"']? \((?P<detail>\d+)kB\))?"),
        codes("53400"),
    ),
    Symptom(
        "idle-timeout",
        "The session stayed in a transaction without doing anything (SQLSTATE 25P03).",
        (timeouts.IDLE_CHANGED, timeouts.LEFT_OPEN),
        words(r"terminating connection due to idle-in-transaction timeout"),
        codes("25P03"),
        again=timeouts.LEFT_OPEN.remedy,
    ),
    Symptom(
        "lock-timeout",
        "The statement waited for a lock, longer than it wanted to (SQLSTATE 55P03).",
        (timeouts.LOCKED,),
        words(
            r"canceling statement due to lock timeout",
            r'could not obtain lock on \w+(?: in relation)? "(?P<object>[^"]+)"',
        ),
        codes("55P03"),
        again=timeouts.LOCKED.remedy,
    ),
)
