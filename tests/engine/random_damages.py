"""Damages drawn at random, and a plain model of who may do what: the server's own answers about effective rights."""

import random

import psycopg

from tests.engine.database import Database

SERVICES = ("madansara_user", "sankore_user", "onside_user", "field-notes_user", "langflow_user")
READER, STRANGER = "analytics_readonly", "snoop"
WHO = (*SERVICES, READER, STRANGER)
SCHEMAS = ("madansara", "sankore", "onside", "\"Field 'Notes'\"", "public")
OF_SERVICES = SCHEMAS[:4]
TABLES = ("things", "parts", "parts_2026", "seen", "counted")
TABLE_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "ALL")


def draw(source: random.Random) -> str:
    """One statement that may let somebody do more or less."""
    return source.choice(KINDS)(source)


def _quoted(role: str) -> str:
    return "PUBLIC" if role == "PUBLIC" else f'"{role}"'


def _grantee(source: random.Random) -> str:
    return _quoted(source.choice((*WHO, "PUBLIC")))


def _table(source: random.Random) -> str:
    schema = source.choice(SCHEMAS)
    return f"{schema}.{source.choice(('users', 'brands', 'brand_users') if schema == 'public' else TABLES)}"


def _way(source: random.Random, rights: str, on: str) -> str:
    # What others may do in `public` is the backend's to say.
    strangers = () if "public" in on else (STRANGER,)
    who = _quoted(source.choice((*SERVICES, READER, *strangers, "PUBLIC")))
    if source.random() < 0.65:
        option = " WITH GRANT OPTION" if source.random() < 0.2 and who != "PUBLIC" else ""
        return f"GRANT {rights} ON {on} TO {who}{option}"
    return f"REVOKE {rights} ON {on} FROM {who} CASCADE"


def table(source: random.Random) -> str:
    return _way(source, source.choice(TABLE_RIGHTS), f"TABLE {_table(source)}")


def column(source: random.Random) -> str:
    right = source.choice(("SELECT", "INSERT", "UPDATE", "REFERENCES"))
    return _way(source, f"{right} (id)", f"TABLE {source.choice(OF_SERVICES)}.things")


def sequence(source: random.Random) -> str:
    right = source.choice(("SELECT", "USAGE", "UPDATE", "ALL"))
    return _way(source, right, f"SEQUENCE {source.choice(OF_SERVICES)}.things_id_seq")


def function(source: random.Random) -> str:
    return _way(source, "EXECUTE", f"ROUTINE {source.choice(OF_SERVICES)}.{source.choice(('one', 'done'))}")


def type_(source: random.Random) -> str:
    who = _quoted(source.choice(WHO))
    return f"GRANT USAGE ON TYPE {source.choice(OF_SERVICES)}.{source.choice(('mood', 'short'))} TO {who}"


def schema(source: random.Random) -> str:
    return _way(source, source.choice(("USAGE", "CREATE", "ALL")), f"SCHEMA {source.choice(SCHEMAS)}")


def database(source: random.Random) -> str:
    return _way(source, source.choice(("CONNECT", "TEMPORARY", "CREATE", "ALL")), "DATABASE railway")


def membership(source: random.Random) -> str:
    role, member = source.sample(WHO, 2)
    option = " WITH ADMIN OPTION" if source.random() < 0.3 else ""
    return f"GRANT {_quoted(role)} TO {_quoted(member)}{option}"


def predefined(source: random.Random) -> str:
    return f"GRANT pg_monitor TO {_quoted(source.choice((*SERVICES, READER)))}"


def attribute(source: random.Random) -> str:
    word = source.choice(("SUPERUSER", "CREATEROLE", "CREATEDB", "BYPASSRLS", "REPLICATION", "NOLOGIN", "NOINHERIT"))
    return f"ALTER ROLE {_quoted(source.choice((*SERVICES, READER)))} {word}"


def owner(source: random.Random) -> str:
    schema = source.choice(OF_SERVICES)
    kind, name = source.choice(
        (
            ("TABLE", "things"),
            ("TABLE", "parts"),
            ("VIEW", "seen"),
            ("ROUTINE", "one"),
            ("TYPE", "mood"),
            ("SCHEMA", ""),
        )
    )
    whole = f"{schema}.{name}" if name else schema
    return f"ALTER {kind} {whole} OWNER TO {_quoted(source.choice((*WHO, 'postgres')))}"


def later(source: random.Random) -> str:
    creator = _quoted(source.choice(SERVICES))
    inside = f" IN SCHEMA {source.choice(OF_SERVICES)}" if source.random() < 0.6 else ""
    right, objects = source.choice(
        (("SELECT", "TABLES"), ("INSERT", "TABLES"), ("USAGE", "SEQUENCES"), ("EXECUTE", "FUNCTIONS"))
    )
    who = _grantee(source)
    change = (
        f"GRANT {right} ON {objects} TO {who}" if source.random() < 0.7 else f"REVOKE {right} ON {objects} FROM {who}"
    )
    return f"ALTER DEFAULT PRIVILEGES FOR ROLE {creator}{inside} {change}"


KINDS = (
    table,
    table,
    table,
    column,
    sequence,
    function,
    type_,
    schema,
    schema,
    database,
    membership,
    predefined,
    attribute,
    owner,
    later,
    later,
)

EFFECTIVE = """
WITH who AS (SELECT rolname::text AS role, oid FROM pg_roles WHERE rolname = ANY (%(who)s)),
     asked AS (SELECT role FROM who UNION ALL SELECT 'public')
SELECT role, 'database', right_ FROM asked, unnest(ARRAY['CONNECT', 'TEMPORARY', 'CREATE']) right_
WHERE has_database_privilege(role, 'railway', right_)
UNION ALL
SELECT role, n.nspname, right_ FROM asked, pg_namespace n, unnest(ARRAY['USAGE', 'CREATE']) right_
WHERE nspname NOT LIKE 'pg\\_%%' AND nspname <> 'information_schema' AND has_schema_privilege(role, n.oid, right_)
UNION ALL
SELECT role, c.oid::regclass::text, right_
FROM asked, pg_class c,
     unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) right_
WHERE relnamespace = ANY (%(schemas)s::regnamespace[]) AND relkind IN ('r', 'p', 'v', 'm', 'f')
  AND has_table_privilege(role, c.oid, right_)
UNION ALL
SELECT role, c.oid::regclass::text || '.' || attname, right_
FROM asked, pg_class c JOIN pg_attribute ON attrelid = c.oid,
     unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) right_
WHERE relnamespace = ANY (%(schemas)s::regnamespace[]) AND relkind IN ('r', 'p', 'v', 'm', 'f') AND attnum > 0
  AND NOT attisdropped AND has_column_privilege(role, c.oid, attnum, right_)
UNION ALL
SELECT role, c.oid::regclass::text, right_ FROM asked, pg_class c, unnest(ARRAY['SELECT', 'USAGE', 'UPDATE']) right_
WHERE relnamespace = ANY (%(schemas)s::regnamespace[]) AND relkind = 'S' AND has_sequence_privilege(role, c.oid, right_)
UNION ALL
SELECT role, p.oid::regprocedure::text, 'EXECUTE' FROM asked, pg_proc p
WHERE pronamespace = ANY (%(schemas)s::regnamespace[]) AND has_function_privilege(role, p.oid, 'EXECUTE')
UNION ALL
SELECT role, other.rolname, 'MEMBER' FROM who, pg_roles other
WHERE other.oid <> who.oid AND pg_has_role(who.oid, other.oid, 'MEMBER')
UNION ALL
SELECT rolname, 'attributes',
       row(rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication, rolcanlogin, rolinherit)::text
FROM pg_roles WHERE rolname = ANY (%(who)s)
"""
"""role, on what, what: as the server itself answers, whatever it comes from."""


def effective(admin: Database) -> frozenset[tuple[str, str, str]]:
    """All that these roles and PUBLIC may do now."""
    with admin.session() as session:
        found = session.execute(EFFECTIVE.encode(), {"who": list(WHO), "schemas": list(SCHEMAS)}).fetchall()
        return frozenset(found)


def later_effective(admin: Database) -> frozenset[tuple[str, str, str]]:
    """What they may do to what each service makes next, made and taken back."""
    found: set[tuple[str, str, str]] = set()
    with admin.session() as session:
        session.autocommit = False
        for role, schema_ in zip(SERVICES, OF_SERVICES, strict=False):
            session.execute(f'SET LOCAL ROLE "{role}"'.encode())
            try:
                session.execute(f"CREATE TABLE {schema_}.next (id serial)".encode())
                session.execute(f"CREATE FUNCTION {schema_}.next() RETURNS int LANGUAGE sql AS 'SELECT 1'".encode())
            except psycopg.Error:
                found.add((role, schema_, "cannot create"))
            else:
                session.execute(b"RESET ROLE")
                found |= {
                    (who, f"{schema_}.next", right)
                    for who, right in session.execute(
                        NEXT.encode(),
                        {
                            "who": [*WHO, "public"],
                            "table": f"{schema_}.next",
                            "sequence": f"{schema_}.next_id_seq",
                            "function": f"{schema_}.next()",
                        },
                    )
                }
            session.rollback()
    return frozenset(found)


NEXT = """
SELECT who, right_ FROM unnest(%(who)s::text[]) who, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) right_
WHERE has_table_privilege(who, %(table)s, right_)
UNION ALL
SELECT who, 'sequence ' || right_ FROM unnest(%(who)s::text[]) who, unnest(ARRAY['SELECT', 'USAGE', 'UPDATE']) right_
WHERE has_sequence_privilege(who, %(sequence)s, right_)
UNION ALL
SELECT who, 'EXECUTE' FROM unnest(%(who)s::text[]) who WHERE has_function_privilege(who, %(function)s, 'EXECUTE')
"""
