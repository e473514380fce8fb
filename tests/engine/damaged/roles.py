"""Damages of roles: memberships, attributes, limits, passwords and settings."""

from tests.engine.damaged.damage import damage

ROLES = {
    "member of a service": damage(
        "membership",
        "helper in madansara_user",
        "CREATE ROLE helper",
        "GRANT madansara_user TO helper",
        undo=("DROP ROLE helper",),
    ),
    "service in a service": damage(
        "membership", "sankore_user in madansara_user", "GRANT madansara_user TO sankore_user"
    ),
    "service in a role of PostgreSQL's": damage(
        "membership", "onside_user in pg_monitor", "GRANT pg_monitor TO onside_user"
    ),
    "chain of members": damage(
        "reach",
        "far on the schemas of services",
        "CREATE ROLE near",
        "CREATE ROLE far LOGIN",
        "GRANT madansara_user TO near",
        "GRANT near TO far",
        undo=("DROP ROLE near, far",),
    ),
    "all data": damage(
        "reach",
        "snoop on the schemas of services",
        "CREATE ROLE snoop LOGIN",
        "GRANT pg_read_all_data TO snoop",
        undo=("DROP ROLE snoop",),
        since=14,
    ),
    "files of the server": damage(
        "reach",
        "snoop on the schemas of services",
        "CREATE ROLE snoop LOGIN",
        "GRANT pg_read_server_files TO snoop",
        undo=("DROP ROLE snoop",),
    ),
    "another superuser": damage(
        "reach", "snoop on the schemas of services", "CREATE ROLE snoop LOGIN SUPERUSER", undo=("DROP ROLE snoop",)
    ),
    "replication": damage(
        "reach", "snoop on the schemas of services", "CREATE ROLE snoop LOGIN REPLICATION", undo=("DROP ROLE snoop",)
    ),
    "superuser": damage("attributes", "onside_user", "ALTER ROLE onside_user SUPERUSER"),
    "createrole": damage("attributes", "onside_user", "ALTER ROLE onside_user CREATEROLE CREATEDB"),
    "bypassrls": damage("attributes", "analytics_readonly", "ALTER ROLE analytics_readonly BYPASSRLS"),
    "no login": damage("attributes", "onside_user", "ALTER ROLE onside_user NOLOGIN"),
    "no inherit": damage("attributes", "onside_user", "ALTER ROLE onside_user NOINHERIT"),
    "expired": damage("attributes", "onside_user", "ALTER ROLE onside_user VALID UNTIL '2020-01-01'"),
    "limit": damage("connection limit", "field-notes_user", 'ALTER ROLE "field-notes_user" CONNECTION LIMIT 99'),
    "no limit": damage("connection limit", "analytics_readonly", "ALTER ROLE analytics_readonly CONNECTION LIMIT -1"),
    "password": damage("password", "login of onside_user", "ALTER ROLE onside_user PASSWORD 'by hand'"),
    "no password": damage("password", "login of onside_user", "ALTER ROLE onside_user PASSWORD NULL"),
    "search_path": damage(
        "setting", "search_path of field-notes_user", 'ALTER ROLE "field-notes_user" SET search_path = public'
    ),
    "search_path in the database": damage(
        "setting", "search_path of onside_user", "ALTER ROLE onside_user IN DATABASE railway SET search_path = public"
    ),
    "timeout": damage(
        "setting", "statement_timeout of madansara_user", "ALTER ROLE madansara_user SET statement_timeout = '1min'"
    ),
    "timeout of everybody": damage(
        "setting", "statement_timeout of onside_user", "ALTER ROLE ALL SET statement_timeout = '7s'"
    ),
    "timeout of the database": damage(
        "setting", "statement_timeout of onside_user", "ALTER DATABASE railway SET statement_timeout = '7s'"
    ),
    "another role at login": damage(
        "setting",
        "role of onside_user",
        "GRANT sankore_user TO onside_user",
        "ALTER ROLE onside_user SET role = sankore_user",
    ),
    "an undeclared setting": damage(
        "setting", "work_mem of onside_user", "ALTER ROLE onside_user SET work_mem = '64MB'"
    ),
    "dropped role": damage(
        "role", "langflow_user", "DROP OWNED BY langflow_user CASCADE", "DROP ROLE langflow_user", rounds=2
    ),
    "an intruder in a service's role, which may create in public": damage(
        "membership",
        "temp_dev in sankore_user",
        "CREATE ROLE temp_dev LOGIN",
        "GRANT sankore_user TO temp_dev",
        "GRANT CREATE ON SCHEMA public TO sankore_user",
        undo=("DROP ROLE temp_dev",),
    ),
    "an admin nobody declared": damage(
        "reach",
        "snoop on the schemas of services",
        "CREATE ROLE snoop LOGIN",
        "GRANT {admin} TO snoop",
        undo=("DROP ROLE snoop",),
    ),
    "large objects for everybody": damage(
        "setting",
        "lo_compat_privileges of database railway",
        "ALTER DATABASE railway SET lo_compat_privileges = on",
    ),
    "nothing written any more": damage(
        "setting",
        "default_transaction_read_only of every role",
        "ALTER ROLE ALL SET default_transaction_read_only = on",
    ),
    "another role for every session": damage(
        "setting", "role of database railway", "ALTER DATABASE railway SET role = madansara_user"
    ),
    "a setting of a superuser's": damage(
        "setting", "log_statement of onside_user", "ALTER ROLE onside_user SET log_statement = 'none'"
    ),
    "a setting of the encoding": damage(
        "setting", "client_encoding of onside_user", "ALTER ROLE onside_user SET client_encoding = 'SQL_ASCII'"
    ),
    "the database's limit": damage(
        "connection limit", "database railway", "ALTER DATABASE railway CONNECTION LIMIT 20"
    ),
}
