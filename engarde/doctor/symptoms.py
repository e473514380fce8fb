"""The errors that the doctor knows, each with its causes in order; of several in a text the first counts."""

import re

from engarde.doctor import remedies
from engarde.doctor.causes import (
    admin,
    connection_limits,
    databases,
    functions,
    logins,
    migrations,
    missing_relations,
    relations,
    runs,
    schemas,
    timeouts,
    tls,
    urls,
)
from engarde.doctor.model import Symptom

HOST = r'connection to server at "(?P<host>[^"]+)"(?: \([^()]*\))?, port (?P<port>\d+) failed: '
"""How libpq names the address, before the server's message."""
_CAPITALS = re.compile(r"(\\.|\(\?P<\w+>)|([A-Z]+)")


def words(*patterns: str) -> tuple[re.Pattern[str], ...]:
    """Patterns for a line in small letters; groups are fields of `Named`.

    Each takes time in proportion to the line: a part that can start anywhere in it has a limited length. re.IGNORECASE
    would try each of them at each place of a long line.
    """
    small = (_CAPITALS.sub(lambda found: found[1] or found[2].lower(), pattern) for pattern in patterns)
    return tuple(re.compile(pattern, re.MULTILINE) for pattern in small)


_DENIED = r"permission denied for "
_ADDRESS = (urls.REFERENCE, urls.PRIVATE_HOST, urls.NO_URL, urls.OTHER)

SYMPTOMS = (
    Symptom(
        "mysql",
        "This is an error of MySQL. This project manages PostgreSQL only.",
        (urls.MYSQL,),
        words(
            r"mysql(?:\+\w+)?://",
            r"\(\d{4}, ?[\"']Access denied for user",
            r"MySQL server has gone away|Lost connection to MySQL server|Can't connect to (?:local )?MySQL server",
            r"\bpymysql\b|\bMySQLdb\b|\bmysql\.connector\b|SQLSTATE\[HY000\] \[(?:2002|1045)\]",
        ),
    ),
    # Logins
    Symptom(
        "no-entrance-rule",
        "pg_hba.conf does not allow this role to log in from this address (SQLSTATE 28000).",
        (tls.WANTS_TLS, tls.NO_RULE, logins.STRANGER),
        words(
            r'(?:no pg_hba\.conf entry|pg_hba\.conf rejects connection) for host "(?P<host>[^"]*)", '
            r'user "(?P<role>[^"]*)", database "(?P<database>[^"]*)"(?:, (?P<detail>[\w ]+))?',
            r"no pg_hba\.conf entry",
        ),
    ),
    Symptom(
        "login",
        "The server refused the role's login (SQLSTATE 28P01, 28000).",
        (
            logins.OPEN,
            logins.NO_SUCH_ROLE,
            logins.STRANGER,
            logins.NOLOGIN,
            logins.EXPIRED,
            logins.ADMINS,
            logins.SERVICE_AS_ADMIN,
            logins.CHANGED,
            logins.OLD_URL,
        ),
        words(
            HOST + r'(?:FATAL:\s+)?password authentication failed for user "(?P<role>[^"]+)"',
            r'(?:FATAL:\s+)?password authentication failed for user "(?P<role>[^"]+)"',
            r"password authentication failed(?: for user '(?P<role>[^']+)')?",
            r'role "(?P<role>[^"]+)" is not permitted to log in',
            r'FATAL:\s+role "(?P<role>[^"]+)" does not exist',
            r"no password supplied|SASL authentication failed|client password must be a string",
        ),
        ("28P01", "28000"),
    ),
    # Privileges
    Symptom(
        "denied-schema",
        "The role lacks USAGE on this schema, or CREATE to create objects in it (SQLSTATE 42501).",
        (
            logins.WRONG_ROLE,
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
        ("42501",),
    ),
    Symptom(
        "denied-relation",
        "A privilege on this table is missing (SQLSTATE 42501).",
        (
            logins.WRONG_ROLE,
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
        ("42501",),
    ),
    Symptom(
        "denied-function",
        "The role may not call this function (SQLSTATE 42501).",
        (logins.WRONG_ROLE, functions.OWNER, functions.NOT_GRANTED, functions.NOT_DECLARED, functions.ANOTHERS),
        words(_DENIED + r"(?P<kind>function|procedure|routine|aggregate) (?P<object>.+)"),
    ),
    Symptom(
        "denied-temporary",
        "The role may not create temporary tables (SQLSTATE 42501).",
        (databases.READER, databases.TEMPORARY_LOST, databases.STRANGER),
        words(r'permission denied to create temporary tables in database "(?P<database>[^"]+)"'),
    ),
    Symptom(
        "read-only",
        "The transaction is read-only (SQLSTATE 25006).",
        (databases.READER_WRITES,),
        words(r"cannot execute (?P<detail>[A-Z ]{1,40}) in a read-only transaction"),
        ("25006",),
    ),
    Symptom(
        "denied-connect",
        "The role may not connect to the database (SQLSTATE 42501).",
        (databases.STRANGER, logins.OPEN, databases.MOVED, databases.CONNECT_LOST),
        words(_DENIED + r'database "(?P<database>[^"]+)"', r"User does not have CONNECT privilege"),
        ("42501",),
    ),
    Symptom(
        "denied-database",
        "The role may not create schemas in the database (SQLSTATE 42501).",
        (databases.SCHEMAS,),
        words(_DENIED + r"database (?P<database>.+)"),
    ),
    Symptom(
        "denied-extension",
        "Only the admin may create extensions (SQLSTATE 42501).",
        (admin.EXTENSION, admin.LACKING),
        words(r'permission denied to create extension "(?P<object>[^"]+)"'),
    ),
    Symptom(
        "denied-new-database",
        "The role may not create databases (SQLSTATE 42501).",
        (admin.CALLED_SUPERUSER, admin.LACKING, admin.DATABASE),
        words(r"permission denied to create database"),
    ),
    Symptom(
        "denied-event-trigger",
        "The role may not create event triggers (SQLSTATE 42501).",
        (admin.EVENT_TRIGGER,),
        words(r"permission denied to create event trigger"),
    ),
    Symptom(
        "denied-row",
        "Row-level security does not allow the role to write this row (SQLSTATE 42501).",
        (admin.POLICY,),
        words(r"new row violates row-level security policy"),
    ),
    Symptom(
        "denied-admin",
        "This needs ownership, a membership or an admin's privilege that the role does not have (SQLSTATE 42501).",
        (admin.STRANGER_OWNS, admin.CALLED_SUPERUSER, admin.LACKING, admin.SERVICE),
        words(
            r"must be owner of (?:(?P<kind>[\w ]{1,40}) )?(?P<object>\S{1,256})$",
            r"must be (?:a )?member of role|must be able to SET ROLE|must have admin option on role|must be superuser",
            r"permission denied to (?:create|alter|drop|grant|rename|set|reassign|revoke)\b",
            r"is not a superuser and lacks privileges that this stack needs|is not a superuser\. Nothing was changed",
        ),
        ("42501",),
    ),
    # Names
    Symptom(
        "undefined-relation",
        "The role finds no table of this name (SQLSTATE 42P01).",
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
        ("42P01",),
    ),
    Symptom(
        "no-schema-selected",
        "The role's search_path begins with a schema that does not exist or is closed to the role (SQLSTATE 3F000).",
        (missing_relations.GONE, schemas.SEARCH_PATH, schemas.OWNER, schemas.OWNER_LOST, missing_relations.OTHER_ROLE),
        words(r"no schema has been selected to create in"),
        ("3F000",),
    ),
    Symptom(
        "undefined-schema",
        "The database has no schema of this name (SQLSTATE 3F000).",
        (missing_relations.SCHEMA_CASE, missing_relations.UNDECLARED, missing_relations.GONE),
        words(r'(?P<kind>schema) "(?P<object>.{1,256})" does not exist'),
        ("3F000",),
    ),
    Symptom(
        "undefined-database",
        "The URL names a database that the server does not have (SQLSTATE 3D000).",
        (databases.NOT_MADE, databases.MISSPELT),
        words(r'database "(?P<object>[^"]+)" does not exist'),
        ("3D000",),
    ),
    # Connections and limits
    Symptom(
        "role-limit",
        "The role has reached its connection limit (SQLSTATE 53300).",
        (connection_limits.LIMIT, connection_limits.LEAK, connection_limits.POOL),
        words(r'too many connections for role "(?P<role>[^"]+)"'),
        ("53300",),
    ),
    Symptom(
        "server-full",
        "The server has no free connection for services (SQLSTATE 53300).",
        (connection_limits.FULL, connection_limits.PROMISED),
        words(
            r"remaining connection slots are reserved",
            r"sorry, too many clients already",
            r'too many connections for database "(?P<database>[^"]+)"',
        ),
        ("53300",),
    ),
    Symptom(
        "lock-table-full",
        "The server's lock table is full. One role can fill it for all others (SQLSTATE 53200).",
        (connection_limits.LOCKS,),
        words(r"out of shared memory", r"You might need to increase \"?max_locks_per_transaction"),
        ("53200",),
    ),
    Symptom(
        "statement-timeout",
        "The statement took longer than the role's statement_timeout allows (SQLSTATE 57014).",
        (timeouts.STATEMENT_CHANGED, timeouts.LOCKED, timeouts.TOO_SLOW),
        words(r"canceling statement due to statement timeout"),
        ("57014",),
    ),
    Symptom(
        "temporary-files",
        "The statement wrote more temporary files than the role's temp_file_limit allows (SQLSTATE 53400).",
        (timeouts.TOO_LARGE,),
        words(r"temporary file size exceeds [\"']?temp_file_limit(?:[\"']? \((?P<detail>\d+)kB\))?"),
        ("53400",),
    ),
    Symptom(
        "idle-timeout",
        "The session was idle in a transaction for too long (SQLSTATE 25P03).",
        (timeouts.IDLE_CHANGED, timeouts.LEFT_OPEN),
        words(r"terminating connection due to idle-in-transaction timeout"),
        ("25P03",),
        again=timeouts.LEFT_OPEN.fix,
    ),
    Symptom(
        "lock-timeout",
        "The statement did not get a lock in time (SQLSTATE 55P03).",
        (timeouts.LOCKED,),
        words(
            r"canceling statement due to lock timeout",
            r'could not obtain lock on \w+(?: in relation)? "(?P<object>[^"]+)"',
        ),
        ("55P03",),
        again=timeouts.LOCKED.fix,
    ),
    # Migrations
    Symptom(
        "revision",
        "The database is at a revision that these migration scripts do not have.",
        (migrations.IN_PUBLIC, migrations.SHARED, migrations.OLDER, migrations.UNREADABLE),
        words(r"Can't locate revision identified by '(?P<revision>[^']+)'"),
    ),
    Symptom(
        "percent",
        "Alembic's configuration interprets the % in the URL.",
        (urls.DECLARED_OPTIONS, urls.PERCENT),
        words(r"invalid interpolation syntax|'%' must be followed by '%' or '\('"),
    ),
    # URLs, drivers and poolers
    Symptom(
        "url-options",
        "The URL has the setup guide's form, which libpq cannot read.",
        (urls.GUIDES,),
        words(r'extra key/value separator "=" in URI query parameter'),
    ),
    Symptom(
        "startup-options",
        "A pooler refuses a parameter of the URL (SQLSTATE 08P01).",
        (urls.DECLARED_OPTIONS, urls.PRISMA_AND_POOLER, urls.OLD_OPTIONS),
        words(r"unsupported startup parameter"),
        ("08P01",),
    ),
    Symptom(
        "no-driver",
        "The driver that SQLAlchemy loads is not installed.",
        (urls.DEFAULT_DRIVER, urls.NO_DRIVER, urls.OTHER_DRIVER),
        words(r"No module named '(?P<object>psycopg2?|asyncpg|pg8000)'"),
    ),
    Symptom(
        "driver-not-async",
        "An asynchronous engine has a synchronous driver.",
        (urls.SYNCHRONOUS, urls.OTHER_DRIVER),
        words(r"loaded '(?P<object>\w+)' is not async"),
    ),
    Symptom(
        "driver-async",
        "A synchronous engine has an asynchronous driver, or an asynchronous session reads without `await`.",
        (urls.IN_SYNCHRONOUS_ENGINE, urls.LAZY),
        words(r"greenlet_spawn has not been called"),
    ),
    Symptom(
        "no-greenlet",
        "An asynchronous engine needs greenlet, which is not installed.",
        (urls.NO_GREENLET,),
        words(r"'greenlet' library is installed|greenlet library is required|No module named 'greenlet'"),
    ),
    Symptom(
        "prepared-statement",
        "A prepared statement belongs to another session, because of a pooler (SQLSTATE 42P05, 26000).",
        (urls.POOLER,),
        words(r'prepared statement "(?P<object>[^"]*)" (?:already exists|does not exist)'),
        ("42P05", "26000"),
    ),
    # Runs of Pulumi
    Symptom(
        "at-once",
        "Two sessions changed the same role or access list at the same time (SQLSTATE XX000, 23505).",
        (runs.ANOTHER_RUN,),
        words(
            r"tuple concurrently (?:updated|deleted)",
            r'violates unique constraint "(?P<object>pg_(?:db_role_setting|default_acl|auth_members)\w*)"',
        ),
        ("XX000", "23505"),
        again=remedies.up_again,
    ),
    Symptom(
        "exists",
        "The role or schema that the stack creates exists already (SQLSTATE 42710).",
        (runs.LEFT_OVER, runs.SCHEMA),
        words(
            r'(?P<kind>role|schema) "(?P<object>[^"]+)" already exists',
            r"(?P<kind>role|schema) (?P<object>.{1,63}?) already exists but ",
        ),
        ("42710", "42P06"),
        again=remedies.up_again,
    ),
    Symptom(
        "unread-timeout",
        "The provider reads timeouts in milliseconds only, and one was set by hand with a unit.",
        (timeouts.STATEMENT_CHANGED, timeouts.IDLE_CHANGED),
        words(r"error reading (?:statement_timeout|idle_in_transaction_session_timeout)"),
        again=remedies.up_again,
    ),
    Symptom(
        "locked",
        "A Pulumi run holds the lock of the stack's state.",
        (runs.WORKS, runs.KILLED),
        words(r"the stack is currently locked by"),
        again=remedies.up_again,
    ),
    Symptom(
        "unread-state",
        "Pulumi cannot read its state.",
        (runs.TORN,),
        words(r"failed to load checkpoint"),
        again=remedies.up_again,
    ),
    Symptom(
        "passphrase",
        "Pulumi cannot decrypt the stack's secrets.",
        (runs.PASSPHRASE,),
        words(r"passphrase must be set", r"incorrect passphrase"),
    ),
    Symptom(
        "no-stack",
        "Pulumi's backend has no stack of this name.",
        (runs.NO_STACK,),
        words(r"no stack named '(?P<object>[^']+)' found"),
        again=remedies.up_again,
    ),
    Symptom(
        "drop",
        "Other objects depend on the schema or role that is to be dropped (SQLSTATE 2BP01).",
        (runs.DATA, runs.ROLE),
        words(
            r"cannot drop (?P<kind>schema) (?P<object>.{1,63}?) because other objects depend on it",
            r'(?P<kind>role) "(?P<object>[^"]+)" cannot be dropped because some objects depend on it',
        ),
        ("2BP01",),
    ),
    # TLS, and connections that end
    Symptom(
        "no-tls",
        "The client asked for TLS, but the server does not offer it.",
        (tls.STRICT, tls.OFF, tls.OWN),
        words(r"server does not support SSL", r"rejected SSL upgrade"),
    ),
    Symptom(
        "certificate",
        "The client does not trust the server's certificate.",
        (tls.VERIFY, tls.NODE_PLAIN, tls.OWN),
        words(
            r"certificate[_ ]verify[_ ]failed",
            r"self[- _]signed[_ ]cert",
            r'root certificate file "[^"]*" does not exist',
            r"unable to verify the first certificate|UNABLE_TO_VERIFY_LEAF_SIGNATURE|PKIX path building failed",
            r"weak sslmode .{1,40} may not be used with sslrootcert=system",
            r"x509: certificate signed by unknown authority",
        ),
    ),
    Symptom(
        "cut",
        "The connection was closed unexpectedly.",
        (timeouts.RESTARTED, timeouts.LEFT_OPEN, timeouts.CUT),
        words(
            r"SSL connection has been closed unexpectedly",
            r"server closed the connection unexpectedly",
            r"terminating connection due to administrator command",
            r"SSL SYSCALL error|Connection terminated unexpectedly",
        ),
        ("57P01", "08006", "08003"),
        weak=True,
    ),
    # Addresses
    Symptom(
        "host",
        "The URL's host name cannot be resolved.",
        (*_ADDRESS, urls.UNRESOLVED),
        words(
            r'could not translate host name "(?P<host>[^"]*)"',
            r"failed to resolve host '(?P<host>[^']*)'",
            r"getaddrinfo (?:ENOTFOUND|EAI_AGAIN) (?P<host>\S+)",
            r"\[Errno -[235]\]|nodename nor servname provided",
            r"Temporary failure in name resolution|Name or service not known",
            r"\$\{\{[\w .-]+\}\}",
        ),
        weak=True,
    ),
    Symptom(
        "refused",
        "No server answers at this address.",
        (*_ADDRESS, urls.DOWN),
        words(
            HOST + r"(?:could not connect to server: )?(?:could not receive data from server: )?Connection refused",
            r"Connection refused",
            r"connect ECONNREFUSED (?P<host>[^\s:]+):(?P<port>\d+)",
            r"Connect call failed \('(?P<host>[^']+)', (?P<port>\d+)",
            r"Connection to (?P<host>[^\s:]+):(?P<port>\d+) refused",
            r"connection timed out|timeout expired|ECONNREFUSED|ETIMEDOUT",
        ),
        ("08001",),
        weak=True,
    ),
)
