"""Recorded texts of servers, drivers and tools, and which error each of them is matched as."""

import pytest

from engarde.doctor.matching import match
from engarde.doctor.symptoms import SYMPTOMS
from engarde.util.masking import masked

CONN = 'connection to server at "h" (10.0.0.1), port 5432 failed: '
RECORDED = {
    "permission denied for schema sankore": "denied-schema",
    "2026-01-01 ERROR:  permission denied for schema sankore at character 15": "denied-schema",
    "org.postgresql.util.PSQLException: ERROR: permission denied for table users\n  Position: 15": "denied-relation",
    "ERROR: permission denied for sequence users_id_seq (SQLSTATE 42501)": "denied-relation",
    "ERROR:  permission denied for relation users": "denied-relation",
    "ERROR:  permission denied for materialized view totals": "denied-relation",
    "permission denied for function f": "denied-function",
    f'{CONN}FATAL:  permission denied for database "railway"\nDETAIL:  User does not have CONNECT': "denied-connect",
    "permission denied for database railway": "denied-database",
    'permission denied to create temporary tables in database "railway"': "denied-temporary",
    'relation "users" does not exist': "undefined-relation",
    "FEHLER: relation »users« does not exist": "undefined-relation",
    'ProgrammingError: (psycopg2.errors.UndefinedTable) relation "a.b" does not exist': "undefined-relation",
    'schema "madansara" does not exist': "undefined-schema",
    'database "Railway" does not exist': "undefined-database",
    "no schema has been selected to create in": "no-schema-selected",
    f'{CONN}FATAL:  password authentication failed for user "madansara_user"': "login",
    'asyncpg.exceptions.InvalidPasswordError: password authentication failed for user "a"': "login",
    'FATAL:  role "a" is not permitted to log in': "login",
    'no pg_hba.conf entry for host "10.0.0.1", user "a", database "b", no encryption': "no-entrance-rule",
    'no pg_hba.conf entry for host "10.0.0.1", user "a", database "b", SSL off': "no-entrance-rule",
    'too many connections for role "a"': "role-limit",
    "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute": "server-full",
    "FATAL:  remaining connection slots are reserved for non-replication superuser connections": "server-full",
    "FATAL:  sorry, too many clients already": "server-full",
    "alembic.util.exc.CommandError: Can't locate revision identified by 'abc123'": "revision",
    'extra key/value separator "=" in URI query parameter: "options"': "url-options",
    "ModuleNotFoundError: No module named 'psycopg'": "no-driver",
    "The asyncio extension requires an async driver. The loaded 'psycopg2' is not async.": "driver-not-async",
    "sqlalchemy.exc.MissingGreenlet: greenlet_spawn has not been called; can't call await_only() here.": "driver-async",
    "The SQLAlchemy asyncio module requires that the Python 'greenlet' library is installed.": "no-greenlet",
    "ValueError: the greenlet library is required to use this function. No module named 'greenlet'": "no-greenlet",
    "FATAL:  unsupported startup parameter: options": "startup-options",
    "FATAL:  unsupported startup parameter in options: search_path": "startup-options",
    'prepared statement "__asyncpg_stmt_1__" already exists': "prepared-statement",
    'ERROR: prepared statement "S_1" does not exist': "prepared-statement",
    "pq: tuple concurrently updated": "at-once",
    'duplicate key value violates unique constraint "pg_db_role_setting_databaseid_rol_index"': "at-once",
    'duplicate key value violates unique constraint "pg_default_acl_role_nsp_obj_index"': "at-once",
    'pq: role "madansara_user" already exists': "exists",
    "  role a_user already exists but is not managed by this stack: set `adopt: true` to take it over": "exists",
    'must be member of role "a"': "denied-admin",
    'ERROR:  must be able to SET ROLE "a"': "denied-admin",
    "permission denied to create role": "denied-admin",
    'Migration 1.js failed: Original error: permission denied to create extension "uuid-ossp"': "denied-extension",
    "ERROR: permission denied to create database": "denied-new-database",
    "permission denied to create event trigger": "denied-event-trigger",
    'new row violates row-level security policy for table "t", code: "42501"': "denied-row",
    'must have admin option on role "a"': "denied-admin",
    "must be owner of table things": "denied-admin",
    "ERROR:  must be owner of schema madansara": "denied-admin",
    "cannot drop schema a because other objects depend on it": "drop",
    'role "a" cannot be dropped because some objects depend on it': "drop",
    "server does not support SSL, but SSL was required": "no-tls",
    "Error: The server does not support SSL connections": "no-tls",
    'PostgreSQL server at "h:5432" rejected SSL upgrade': "no-tls",
    "SSL error: certificate verify failed": "certificate",
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate": "certificate",
    "Error: self signed certificate in certificate chain": "certificate",
    "code: 'DEPTH_ZERO_SELF_SIGNED_CERT'": "certificate",
    'root certificate file "/root/.postgresql/root.crt" does not exist': "certificate",
    "SSL connection has been closed unexpectedly": "cut",
    "canceling statement due to statement timeout": "statement-timeout",
    "terminating connection due to idle-in-transaction timeout": "idle-timeout",
    "ERROR:  out of shared memory\nHINT:  You might need to increase max_locks_per_transaction.": "lock-table-full",
    'HINT:  You might need to increase "max_locks_per_transaction".': "lock-table-full",
    "canceling statement due to lock timeout": "lock-timeout",
    f"{CONN}Connection refused": "refused",
    "Error: connect ECONNREFUSED 127.0.0.1:5432": "refused",
    'could not translate host name "postgres.railway.internal" to address: Name or service not known': "host",
    "getaddrinfo ENOTFOUND postgres.railway.internal": "host",
    "could not parse ${{Postgres.DATABASE_URL}}": "host",
    "ValueError: invalid interpolation syntax in 'postgresql://a:b@h/d?options=-c%20x' at position 40": "percent",
    "error: the stack is currently locked by 1 lock(s).": "locked",
    "error: failed to load checkpoint: EOF": "unread-state",
    "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE": "passphrase",
    "error reading statement_timeout: 30s is no number of milliseconds": "unread-timeout",
    "mysql://scheduler:x@h/d": "mysql",
    "(1045, \"Access denied for user 'x'@'10.0.0.1' (using password: YES)\")": "mysql",
    "(2006, 'MySQL server has gone away')": "mysql",
    "42501": "denied-schema",
    "sqlstate 42P01": "undefined-relation",
    "28P01": "login",
    "28000": "login",
    "53300": "role-limit",
    "3F000": "no-schema-selected",
    "3D000": "undefined-database",
    "42710": "exists",
    "2BP01": "drop",
    "57014": "statement-timeout",
    "25P03": "idle-timeout",
    "53200": "lock-table-full",
    "ERROR:  temporary file size exceeds temp_file_limit (1024kB)": "temporary-files",
    "53400": "temporary-files",
    "55P03": "lock-timeout",
    "XX000": "at-once",
    "42P05": "prepared-statement",
    "26000": "prepared-statement",
    "08P01": "startup-options",
    '{"level":"error","error":{"code":"42P01","message":"nichts gefunden"}}': "undefined-relation",
    "FEHLER: keine Berechtigung für Schema sankore (SQLSTATE 42501)": "denied-schema",
}


@pytest.mark.parametrize("text", RECORDED)
def test_it_is_heard_as_what_it_is(text: str) -> None:
    error = match(text, SYMPTOMS)
    assert error
    assert error.symptom.name == RECORDED[text]
    assert error.symptom.causes


@pytest.mark.parametrize(
    "text", ["", "all is well", "ERROR: division by zero", "99999", "hello 42501x", "\x00", "{" * 2000]
)
def test_what_is_no_error_of_ours(text: str) -> None:
    assert match(text, SYMPTOMS) is None


def test_the_first_error_counts_and_a_faint_one_only_alone() -> None:
    chained = """Traceback (most recent call last):
      File "app.py", line 1, in <module>
    psycopg.errors.InsufficientPrivilege: permission denied for schema sankore
    The above exception was the direct cause of the following exception:
    sqlalchemy.exc.ProgrammingError: relation "x" does not exist"""
    error = match(chained, SYMPTOMS)
    assert error and error.symptom.name == "denied-schema"
    both = f'{CONN}Connection refused\n{CONN}FATAL:  password authentication failed for user "a"'
    error = match(both, SYMPTOMS)
    assert error and (error.symptom.name, error.named.role) == ("login", "a")


def test_names_are_found_in_json_escapes_and_quotes_of_other_languages() -> None:
    for text, name in {
        '{"err": "permission denied for schema Field Notes"}': "Field Notes",
        "b'permission denied for schema sankore\\nLINE 1: SELECT'": "sankore",
        "relation «things» does not exist": "things",
        "relation \u201ethings\u201c does not exist": "things",
        'app | {"msg":"relation \\"Big Things\\" does not exist"}': "Big Things",
        "\x1b[31mERROR\x1b[0m: permission denied for table a.b": "a.b",
    }.items():
        error = match(text, SYMPTOMS)
        assert error and error.named.object == name, text


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:S3cret@h/d",
        "postgresql+psycopg://u:S3cret@/@h/d",
        "could not connect to jdbc:postgresql://h/d?user=u&password=S3cret&ssl=true",
        "PGPASSWORD=S3cret psql",
        "host=h user=u password='S3cret with blanks' dbname=d",
        '{"password": "S3cret"}',
        "{'DB_PASSWORD': 'S3cret'}",
        "passwd: S3cret, next",
        "api_key = S3cret",
        "invalid interpolation syntax in 'postgresql://u:S3cret%40@h/d'",
    ],
)
def test_no_password_is_printed_again(text: str) -> None:
    assert "S3cret" not in masked(text)
    error = match(f"permission denied for schema x with {text}", SYMPTOMS)
    assert error and "S3cret" not in error.line
    assert masked('password authentication failed for user "a"') == 'password authentication failed for user "a"'
