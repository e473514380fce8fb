"""What can go wrong with isolation, one thing at a time, and what verify has to call it."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Damage:
    """What a superuser does by hand, and the finding that has to name it."""

    check: str
    subject: str
    by_hand: tuple[str, ...]
    undo: tuple[str, ...] = ()
    """what the healed database still has of it"""
    since: int = 13
    """the first major in which it can be done"""
    rounds: int = 1
    """how often one has to do what is printed: what is made anew may lack something that could not be missed before"""


def damage(
    check: str, subject: str, *by_hand: str, undo: tuple[str, ...] = (), since: int = 13, rounds: int = 1
) -> Damage:
    return Damage(check, subject, by_hand, undo, since, rounds)


DAMAGES = {
    # Access lists, of everything that has one.
    "table to another service": damage(
        "undeclared grant", "sankore_user on table madansara.things", "GRANT SELECT ON madansara.things TO sankore_user"
    ),
    "all on all tables": damage(
        "undeclared grant",
        "sankore_user on table madansara.counted, madansara.parts, madansara.parts_2026 and 2 more",
        "GRANT ALL ON ALL TABLES IN SCHEMA madansara TO sankore_user",
    ),
    "table to PUBLIC": damage(
        "undeclared grant", "PUBLIC on table onside.things", "GRANT INSERT ON onside.things TO PUBLIC"
    ),
    "view": damage(
        "undeclared grant", "madansara_user on table onside.seen", "GRANT SELECT ON onside.seen TO madansara_user"
    ),
    "materialized view": damage(
        "undeclared grant", "madansara_user on table onside.counted", "GRANT SELECT ON onside.counted TO madansara_user"
    ),
    "partitioned table": damage(
        "undeclared grant", "madansara_user on table onside.parts", "GRANT UPDATE ON onside.parts TO madansara_user"
    ),
    "partition": damage(
        "undeclared grant",
        "madansara_user on table onside.parts_2026",
        "GRANT SELECT ON onside.parts_2026 TO madansara_user",
    ),
    "foreign table": damage(
        "undeclared grant",
        "sankore_user on table madansara.far",
        "CREATE FOREIGN DATA WRAPPER none",
        "CREATE SERVER far FOREIGN DATA WRAPPER none",
        "CREATE FOREIGN TABLE madansara.far (id int) SERVER far",
        "ALTER FOREIGN TABLE madansara.far OWNER TO madansara_user",
        "GRANT SELECT ON madansara.far TO analytics_readonly",
        "GRANT SELECT ON madansara.far TO sankore_user",
        undo=("DROP FOREIGN DATA WRAPPER none CASCADE",),
    ),
    "column": damage(
        "undeclared grant",
        "onside_user on table madansara.things",
        "GRANT SELECT (word), UPDATE (word) ON madansara.things TO onside_user",
    ),
    "another column of a declared read": damage(
        "undeclared grant",
        "madansara_user on table public.brands",
        "GRANT SELECT (name) ON public.brands TO madansara_user",
    ),
    "write on a declared read": damage(
        "undeclared grant", "madansara_user on table public.users", "GRANT UPDATE ON public.users TO madansara_user"
    ),
    "undeclared table of public": damage(
        "undeclared grant",
        "onside_user on table public.brand_users",
        "GRANT SELECT ON public.brand_users TO onside_user",
    ),
    "table of public to PUBLIC": damage(
        "undeclared grant", "PUBLIC on table public.brand_users", "GRANT SELECT ON public.brand_users TO PUBLIC"
    ),
    "write of analytics": damage(
        "undeclared grant",
        "analytics_readonly on table onside.things",
        "GRANT DELETE ON onside.things TO analytics_readonly",
    ),
    "sequence": damage(
        "undeclared grant",
        "analytics_readonly on sequence onside.things_id_seq",
        "GRANT USAGE ON SEQUENCE onside.things_id_seq TO analytics_readonly",
    ),
    "function to PUBLIC": damage(
        "undeclared grant",
        "PUBLIC on function onside.one(number integer)",
        "GRANT EXECUTE ON FUNCTION onside.one TO PUBLIC",
    ),
    "procedure": damage(
        "undeclared grant",
        "sankore_user on function onside.done()",
        "GRANT EXECUTE ON PROCEDURE onside.done TO sankore_user",
    ),
    "aggregate": damage(
        "undeclared grant",
        "sankore_user on function onside.total(integer)",
        "GRANT EXECUTE ON FUNCTION onside.total(integer) TO sankore_user",
    ),
    "type": damage(
        "undeclared grant", "sankore_user on type onside.mood", "GRANT USAGE ON TYPE onside.mood TO sankore_user"
    ),
    "domain": damage(
        "undeclared grant", "sankore_user on type onside.short", "GRANT USAGE ON DOMAIN onside.short TO sankore_user"
    ),
    "large object": damage(
        "undeclared grant",
        "sankore_user on large object 4242",
        "SELECT lo_create(4242)",
        "GRANT SELECT ON LARGE OBJECT 4242 TO sankore_user",
        undo=("SELECT lo_unlink(4242)",),
    ),
    "schema": damage(
        "undeclared grant", "onside_user on schema madansara", "GRANT USAGE ON SCHEMA madansara TO onside_user"
    ),
    "schema with an odd name": damage(
        "undeclared grant", f"onside_user on schema {FIELD}", f"GRANT CREATE ON SCHEMA {FIELD} TO onside_user"
    ),
    "table in a schema with an odd name": damage(
        "undeclared grant",
        f"onside_user on table {FIELD}.things",
        f"GRANT SELECT ON {FIELD}.things TO onside_user",
    ),
    "create in public": damage(
        "undeclared grant", "PUBLIC on schema public", "GRANT CREATE ON SCHEMA public TO PUBLIC"
    ),
    "an undeclared schema": damage(
        "undeclared grant",
        "PUBLIC on schema attic",
        "CREATE SCHEMA attic",
        "GRANT USAGE ON SCHEMA attic TO PUBLIC",
        undo=("DROP SCHEMA attic",),
    ),
    "grant to an undeclared role": damage(
        "undeclared grant",
        "snoop on table madansara.things",
        "CREATE ROLE snoop LOGIN",
        "GRANT SELECT ON madansara.things TO snoop",
        undo=("DROP ROLE snoop",),
    ),
    "connect for an undeclared role": damage(
        "undeclared grant",
        "snoop on database railway",
        "CREATE ROLE snoop LOGIN",
        "GRANT CONNECT ON DATABASE railway TO snoop",
        undo=("DROP ROLE snoop",),
    ),
    "connect for PUBLIC": damage(
        "undeclared grant", "PUBLIC on database railway", "GRANT CONNECT ON DATABASE railway TO PUBLIC"
    ),
    "create on the database": damage(
        "undeclared grant", "onside_user on database railway", "GRANT CREATE ON DATABASE railway TO onside_user"
    ),
    "another database": damage(
        "undeclared grant", "onside_user on database postgres", "GRANT CREATE ON DATABASE postgres TO onside_user"
    ),
    "temporary tables of analytics": damage(
        "undeclared grant",
        "analytics_readonly on database railway",
        "GRANT TEMPORARY ON DATABASE railway TO analytics_readonly",
    ),
    "more for an outside role": damage(
        "undeclared grant", f"{BACKEND} on database railway", f"GRANT CREATE ON DATABASE railway TO {BACKEND}"
    ),
    "a catalog of the system's": damage(
        "undeclared grant", "onside_user on table pg_catalog.pg_authid", "GRANT SELECT ON pg_authid TO onside_user"
    ),
    "a function of the system's": damage(
        "undeclared grant",
        "PUBLIC on function pg_catalog.pg_read_file(text)",
        "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO PUBLIC",
    ),
    "language": damage(
        "undeclared grant",
        "onside_user on language plpgsql",
        "GRANT USAGE ON LANGUAGE plpgsql TO onside_user",
    ),
    "foreign server": damage(
        "undeclared grant",
        "onside_user on foreign server far",
        "CREATE FOREIGN DATA WRAPPER none",
        "CREATE SERVER far FOREIGN DATA WRAPPER none",
        "GRANT USAGE ON FOREIGN SERVER far TO onside_user",
        undo=("DROP FOREIGN DATA WRAPPER none CASCADE",),
    ),
    "parameter": damage(
        "undeclared grant",
        "onside_user on parameter log_statement",
        "GRANT SET ON PARAMETER log_statement TO onside_user",
        since=15,
    ),
    "grant option": damage(
        "grant option",
        "analytics_readonly on table onside.things",
        "GRANT SELECT ON onside.things TO analytics_readonly WITH GRANT OPTION",
    ),
    "grant by one who may grant on": damage(
        "undeclared grant",
        "madansara_user on table onside.things",
        "GRANT SELECT ON onside.things TO analytics_readonly WITH GRANT OPTION",
        "SET ROLE analytics_readonly",
        "GRANT SELECT ON onside.things TO madansara_user",
        "RESET ROLE",
    ),
    # What is declared and taken away.
    "connect of a service": damage(
        "grant", "madansara_user on database railway", "REVOKE CONNECT ON DATABASE railway FROM madansara_user"
    ),
    "usage of analytics": damage(
        "grant", "analytics_readonly on schema onside", "REVOKE USAGE ON SCHEMA onside FROM analytics_readonly"
    ),
    "usage of a reader": damage(
        "grant", "sankore_user on schema onside", "REVOKE USAGE ON SCHEMA onside FROM sankore_user"
    ),
    "usage of PUBLIC": damage("grant", "PUBLIC on schema public", "REVOKE USAGE ON SCHEMA public FROM PUBLIC"),
    "declared read": damage(
        "grant", "madansara_user on table public.users", "REVOKE SELECT ON public.users FROM madansara_user"
    ),
    "declared column": damage(
        "grant", "madansara_user on table public.brands", "REVOKE SELECT (id) ON public.brands FROM madansara_user"
    ),
    "table of analytics": damage(
        "grant", "analytics_readonly on table onside.things", "REVOKE SELECT ON onside.things FROM analytics_readonly"
    ),
    "sequence of analytics": damage(
        "grant",
        "analytics_readonly on sequence onside.things_id_seq",
        "REVOKE SELECT ON onside.things_id_seq FROM analytics_readonly",
    ),
    "outside role": damage("grant", f"{BACKEND} on schema public", f"REVOKE CREATE ON SCHEMA public FROM {BACKEND}"),
    "owner's own table": damage(
        "owner's right", "onside_user on table onside.things", "REVOKE INSERT ON onside.things FROM onside_user"
    ),
    "owner's own schema": damage(
        "owner's right", "onside_user on schema onside", "REVOKE CREATE ON SCHEMA onside FROM onside_user"
    ),
    # What is made later.
    "future tables of analytics": damage(
        "default privileges",
        "analytics_readonly on tables that onside_user makes in onside",
        "ALTER DEFAULT PRIVILEGES FOR ROLE onside_user IN SCHEMA onside"
        " REVOKE SELECT ON TABLES FROM analytics_readonly",
    ),
    "future sequences of analytics": damage(
        "default privileges",
        f"analytics_readonly on sequences that {BACKEND} makes in public",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {BACKEND} IN SCHEMA public"
        " REVOKE SELECT ON SEQUENCES FROM analytics_readonly",
    ),
    "future functions": damage(
        "default privileges",
        "PUBLIC on functions that onside_user makes",
        "ALTER DEFAULT PRIVILEGES FOR ROLE onside_user GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
    ),
    "future functions in the schema": damage(
        "undeclared default privileges",
        "PUBLIC on functions that onside_user makes in onside",
        "ALTER DEFAULT PRIVILEGES FOR ROLE onside_user IN SCHEMA onside GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
    ),
    "future tables of another": damage(
        "undeclared default privileges",
        "sankore_user on tables that madansara_user makes in madansara",
        "ALTER DEFAULT PRIVILEGES FOR ROLE madansara_user IN SCHEMA madansara GRANT SELECT ON TABLES TO sankore_user",
    ),
    "future tables of the backend": damage(
        "undeclared default privileges",
        f"PUBLIC on tables that {BACKEND} makes",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {BACKEND} GRANT SELECT ON TABLES TO PUBLIC",
    ),
    "own future tables": damage(
        "default privileges",
        "onside_user on tables that it makes itself",
        "ALTER DEFAULT PRIVILEGES FOR ROLE onside_user REVOKE INSERT ON TABLES FROM onside_user",
    ),
    "a creator nobody declared": damage(
        "default privileges",
        "newcomer in public",
        "CREATE ROLE newcomer",
        "GRANT CREATE, USAGE ON SCHEMA public TO newcomer",
        undo=("REVOKE ALL ON SCHEMA public FROM newcomer", "DROP OWNED BY newcomer", "DROP ROLE newcomer"),
    ),
    # Memberships, and who reaches the schemas.
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
    # Roles.
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
    # Owners.
    "schema's owner": damage("owner", "schema sankore", "ALTER SCHEMA sankore OWNER TO postgres"),
    "dropped schema": damage("schema", "schema langflow", "DROP SCHEMA langflow"),
    "table's owner": damage("owner", "table onside.things", "ALTER TABLE onside.things OWNER TO postgres"),
    "partition's owner": damage(
        "owner", "table onside.parts_2026", "ALTER TABLE onside.parts_2026 OWNER TO sankore_user"
    ),
    "view's owner": damage("owner", "view onside.seen", "ALTER VIEW onside.seen OWNER TO postgres"),
    "materialized view's owner": damage(
        "owner", "materialized view onside.counted", "ALTER MATERIALIZED VIEW onside.counted OWNER TO postgres"
    ),
    "function's owner": damage(
        "owner", "routine onside.one(number integer)", "ALTER FUNCTION onside.one OWNER TO postgres"
    ),
    "aggregate's owner": damage(
        "owner", "routine onside.total(integer)", "ALTER AGGREGATE onside.total(integer) OWNER TO postgres"
    ),
    "type's owner": damage("owner", "type onside.mood", "ALTER TYPE onside.mood OWNER TO postgres"),
    "domain's owner": damage("owner", "domain onside.short", "ALTER DOMAIN onside.short OWNER TO postgres"),
    "statistics made by another": damage(
        "owner",
        "statistics onside.pair",
        "CREATE STATISTICS onside.pair ON id, word FROM onside.things",
        undo=("DROP STATISTICS onside.pair",),
    ),
    "operator made by another": damage(
        "owner",
        "operator onside.=== (integer, integer)",
        "CREATE OPERATOR onside.=== (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer)",
        undo=("DROP OPERATOR onside.=== (integer, integer)",),
    ),
    "text search made by another": damage(
        "owner",
        "text search configuration onside.words",
        "CREATE TEXT SEARCH CONFIGURATION onside.words (COPY = simple)",
        undo=("DROP TEXT SEARCH CONFIGURATION onside.words",),
    ),
    "collation made by another": damage(
        "owner",
        "collation onside.plain",
        'CREATE COLLATION onside.plain FROM "C"',
        undo=("DROP COLLATION onside.plain",),
    ),
    "a service's table in public": damage(
        "owner", "table public.brand_users", "ALTER TABLE public.brand_users OWNER TO onside_user"
    ),
    "a service's schema": damage(
        "owner", "schema attic", "CREATE SCHEMA attic AUTHORIZATION onside_user", undo=("DROP SCHEMA attic",)
    ),
    "a service's database": damage(
        "owner", "database attic", "CREATE DATABASE attic OWNER onside_user", undo=("DROP DATABASE attic",)
    ),
    # Ways around.
    "security definer": damage(
        "security definer",
        "PUBLIC on function public.peek()",
        "CREATE FUNCTION public.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
        " AS 'SELECT count(*) FROM madansara.things'",
        undo=("DROP FUNCTION public.peek()",),
    ),
    "view over another's table": damage(
        "undeclared grant",
        "onside_user on table public.peek",
        "CREATE VIEW public.peek AS SELECT * FROM madansara.things",
        "GRANT SELECT ON public.peek TO analytics_readonly, onside_user",
        undo=("DROP VIEW public.peek",),
    ),
    "large object to PUBLIC": damage(
        "undeclared grant",
        "PUBLIC on large object 4242",
        "SELECT lo_create(4242)",
        "GRANT SELECT ON LARGE OBJECT 4242 TO PUBLIC",
        undo=("SELECT lo_unlink(4242)",),
    ),
    "foreign-data wrapper to PUBLIC": damage(
        "undeclared grant",
        'PUBLIC on foreign-data wrapper "none"',
        "CREATE FOREIGN DATA WRAPPER none",
        "GRANT USAGE ON FOREIGN DATA WRAPPER none TO PUBLIC",
        undo=("DROP FOREIGN DATA WRAPPER none",),
    ),
    "the whole of a table of which columns are declared": damage(
        "undeclared grant", "madansara_user on table public.brands", "GRANT SELECT ON public.brands TO madansara_user"
    ),
    "files for an undeclared role": damage(
        "undeclared grant",
        "snoop on function pg_catalog.pg_read_file(text)",
        "CREATE ROLE snoop LOGIN",
        "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO snoop",
        undo=("DROP ROLE snoop",),
    ),
    "a function that an extension kept to itself": damage(
        "undeclared grant",
        "PUBLIC on function public.pg_stat_statements_reset(userid oid, dbid oid, queryid bigint)",
        "CREATE EXTENSION pg_stat_statements SCHEMA public VERSION '1.8'",
        "GRANT EXECUTE ON FUNCTION public.pg_stat_statements_reset(oid, oid, bigint) TO PUBLIC",
        undo=("DROP EXTENSION pg_stat_statements",),
    ),
    "owner's own type": damage(
        "owner's right", "onside_user on type onside.mood", "REVOKE USAGE ON TYPE onside.mood FROM onside_user"
    ),
    "grant option on what is made later": damage(
        "grant option",
        "analytics_readonly on tables that onside_user makes in onside",
        "ALTER DEFAULT PRIVILEGES FOR ROLE onside_user IN SCHEMA onside"
        " GRANT SELECT ON TABLES TO analytics_readonly WITH GRANT OPTION",
    ),
    "a creator through a membership": damage(
        "default privileges",
        "newcomer in public",
        "CREATE ROLE newcomer LOGIN",
        f"GRANT {BACKEND} TO newcomer",
        undo=("DROP ROLE newcomer",),
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
    "schema under another name": damage("schema", "schema onside", "ALTER SCHEMA onside RENAME TO onside_old"),
    "public in another's hands": damage(
        "owner",
        "schema public",
        "CREATE ROLE snoop",
        "ALTER SCHEMA public OWNER TO snoop",
        undo=("ALTER SCHEMA public OWNER TO {owner}", "DROP OWNED BY snoop", "DROP ROLE snoop"),
        rounds=2,
    ),
    "a server of a service's": damage(
        "owner",
        "server far",
        "CREATE FOREIGN DATA WRAPPER none",
        "CREATE SERVER far FOREIGN DATA WRAPPER none",
        "GRANT USAGE ON FOREIGN DATA WRAPPER none TO onside_user",
        "ALTER SERVER far OWNER TO onside_user",
        "REVOKE USAGE ON FOREIGN DATA WRAPPER none FROM onside_user",
        undo=("DROP FOREIGN DATA WRAPPER none CASCADE",),
    ),
    "a partition in another schema": damage(
        "inheritance",
        "table sankore.parts_2026_old",
        "ALTER TABLE onside.parts_2026 SET SCHEMA langflow",
        "ALTER TABLE langflow.parts_2026 RENAME TO parts_2026_old",
        "ALTER TABLE langflow.parts_2026_old SET SCHEMA sankore",
        undo=("ALTER TABLE onside.parts_2026_old RENAME TO parts_2026",),
    ),
    "a partition of another's": damage(
        "inheritance",
        "table sankore.parts_2030",
        "CREATE TABLE sankore.parts_2030 PARTITION OF madansara.parts FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')",
        "ALTER TABLE sankore.parts_2030 OWNER TO sankore_user",
        "GRANT SELECT ON sankore.parts_2030 TO analytics_readonly",
        undo=("DROP TABLE sankore.parts_2030",),
    ),
    "a trigger's security definer": damage(
        "security definer",
        "PUBLIC on function public.peek()",
        "CREATE FUNCTION public.peek() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
        " AS 'BEGIN PERFORM FROM madansara.things; RETURN NEW; END'",
        undo=("DROP FUNCTION public.peek()",),
    ),
    "a security definer among the system's": damage(
        "security definer",
        "PUBLIC on function pg_catalog.peek()",
        "SET allow_system_table_mods = on",
        "CREATE FUNCTION pg_catalog.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
        " AS 'SELECT count(*) FROM madansara.things'",
        undo=("SET allow_system_table_mods = on", "DROP FUNCTION pg_catalog.peek()"),
    ),
}
