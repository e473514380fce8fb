"""Every way in which a role comes to a right, made and taken away by hand."""

from dataclasses import dataclass

BASE = (
    "CREATE ROLE o",
    "CREATE ROLE r LOGIN",
    "CREATE ROLE mid",
    "CREATE ROLE top",
    "CREATE ROLE deep",
    "CREATE SCHEMA s AUTHORIZATION o",
    "GRANT USAGE ON SCHEMA s TO PUBLIC",
    "CREATE TABLE s.t (id int, word text)",
    "INSERT INTO s.t VALUES (1, 'one'), (2, 'two')",
    "ALTER TABLE s.t OWNER TO o",
    "CREATE SEQUENCE s.q",
    "ALTER SEQUENCE s.q OWNER TO o",
    "GRANT SELECT, UPDATE ON s.t TO deep",
    "CREATE FUNCTION s.f(integer, text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER FUNCTION s.f OWNER TO o",
    "REVOKE EXECUTE ON FUNCTION s.f FROM PUBLIC",
)
READ = "SELECT id FROM s.t"


@dataclass(frozen=True, slots=True)
class ByHand:
    """A way, what an explanation says of it, and what the role does by it."""

    give: tuple[str, ...]
    take: tuple[str, ...]
    says: str
    state: str = "yes"
    what: str = "s.t"
    right: str = "SELECT"
    does: tuple[str, ...] = (READ,)
    """what is denied without the way and done with it"""
    since: int = 13
    until: int = 18
    after: str = "no"
    """the answer when it is taken away"""


WAYS = {
    "owner": ByHand(
        ("ALTER TABLE s.t OWNER TO r",),
        ("ALTER TABLE s.t OWNER TO o",),
        "r -> owner",
        right="owner",
        does=("ALTER TABLE s.t ADD COLUMN more int",),
    ),
    "owner's rights": ByHand(("ALTER TABLE s.t OWNER TO r",), ("ALTER TABLE s.t OWNER TO o",), "r -> owner"),
    "member of the owner": ByHand(
        ("GRANT o TO r",),
        ("REVOKE o FROM r",),
        "r -> (member, inherits) -> o -> owner",
        right="owner",
        does=("ALTER TABLE s.t ADD COLUMN more int",),
    ),
    "grant": ByHand(("GRANT SELECT ON s.t TO r",), ("REVOKE SELECT ON s.t FROM r",), "r -> GRANT SELECT by o"),
    "grant by another": ByHand(
        ("GRANT SELECT ON s.t TO mid WITH GRANT OPTION", "SET ROLE mid", "GRANT SELECT ON s.t TO r", "RESET ROLE"),
        ("REVOKE SELECT ON s.t FROM mid CASCADE",),
        "r -> GRANT SELECT by mid",
    ),
    "PUBLIC": ByHand(
        ("GRANT SELECT ON s.t TO PUBLIC",), ("REVOKE SELECT ON s.t FROM PUBLIC",), "PUBLIC -> GRANT SELECT by o"
    ),
    "membership": ByHand(
        ("GRANT deep TO r",),
        ("REVOKE deep FROM r",),
        "r -> (member, inherits) -> deep -> GRANT SELECT by o",
    ),
    "NOINHERIT": ByHand(
        ("ALTER ROLE r NOINHERIT", "GRANT deep TO r"),
        ("REVOKE deep FROM r", "ALTER ROLE r INHERIT"),
        "after SET ROLE deep: r -> (member, by SET ROLE) -> deep -> GRANT SELECT by o",
        "after SET ROLE",
        does=("SET ROLE deep", READ),
    ),
    "chain of three": ByHand(
        ("GRANT deep TO top", "GRANT top TO mid", "GRANT mid TO r"),
        ("REVOKE top FROM mid", "REVOKE deep FROM top", "REVOKE mid FROM r"),
        "r -> (member, inherits) -> mid -> (member, inherits) -> top -> (member, inherits) -> deep -> GRANT SELECT",
    ),
    "SET ROLE in a chain": ByHand(
        ("GRANT deep TO top", "ALTER ROLE mid NOINHERIT", "GRANT top TO mid", "GRANT mid TO r"),
        ("REVOKE top FROM mid", "REVOKE deep FROM top", "REVOKE mid FROM r", "ALTER ROLE mid INHERIT"),
        "after SET ROLE top: r -> (member, inherits) -> mid -> (member, by SET ROLE) -> top -> (member, inherits) -> ",
        "after SET ROLE",
        does=("SET ROLE top", READ),
    ),
    "neither inherit nor set": ByHand(
        ("GRANT deep TO r WITH INHERIT FALSE, SET FALSE, ADMIN TRUE",),
        ("REVOKE deep FROM r CASCADE",),
        "after GRANT deep TO r (allowed by ADMIN option): deep -> GRANT SELECT by o",
        "can grant itself",
        does=("GRANT deep TO r WITH INHERIT TRUE", READ),
        since=16,
    ),
    "ADMIN option of another": ByHand(
        ("GRANT deep TO mid WITH INHERIT FALSE, SET FALSE, ADMIN TRUE", "GRANT mid TO r WITH INHERIT FALSE, SET TRUE"),
        ("REVOKE mid FROM r", "REVOKE deep FROM mid CASCADE"),
        "after SET ROLE mid, GRANT deep TO r (allowed by ADMIN option of mid): deep -> GRANT SELECT by o",
        "can grant itself",
        does=("SET ROLE mid", "GRANT deep TO r WITH INHERIT TRUE", "RESET ROLE", READ),
        since=16,
    ),
    "inherit without set": ByHand(
        ("GRANT deep TO r WITH INHERIT TRUE, SET FALSE",),
        ("REVOKE deep FROM r",),
        "r -> (member, inherits) -> deep -> GRANT SELECT by o",
        since=16,
    ),
    "CREATEROLE": ByHand(
        ("ALTER ROLE r CREATEROLE",),
        ("ALTER ROLE r NOCREATEROLE",),
        "after GRANT deep TO r (allowed by CREATEROLE): deep -> GRANT SELECT by o",
        "can grant itself",
        does=("GRANT deep TO r", READ),
        until=15,
    ),
    "pg_read_all_data": ByHand(
        ("GRANT pg_read_all_data TO r",),
        ("REVOKE pg_read_all_data FROM r",),
        "r -> (member, inherits) -> pg_read_all_data -> reads everything",
        since=14,
    ),
    "pg_write_all_data": ByHand(
        ("GRANT pg_write_all_data TO r",),
        ("REVOKE pg_write_all_data FROM r",),
        "r -> (member, inherits) -> pg_write_all_data -> writes everything",
        right="INSERT",
        does=("INSERT INTO s.t VALUES (3)",),
        since=14,
    ),
    "pg_maintain": ByHand(
        ("GRANT pg_maintain TO r",),
        ("REVOKE pg_maintain FROM r",),
        "r -> (member, inherits) -> pg_maintain -> maintains everything",
        right="MAINTAIN",
        does=("LOCK TABLE s.t IN ACCESS EXCLUSIVE MODE",),
        since=17,
    ),
    "columns": ByHand(
        ("GRANT SELECT (id) ON s.t TO r",),
        ("REVOKE SELECT (id) ON s.t FROM r",),
        "r -> GRANT SELECT (id) by o",
        "columns",
    ),
    "superuser": ByHand(("ALTER ROLE r SUPERUSER",), ("ALTER ROLE r NOSUPERUSER",), "r -> superuser"),
    "SET ROLE to a superuser": ByHand(
        ("GRANT postgres TO r",),
        ("REVOKE postgres FROM r",),
        "after SET ROLE postgres: r -> (member, inherits) -> postgres -> superuser",
        "after SET ROLE",
        does=("SET ROLE postgres", READ),
    ),
    "the database's owner": ByHand(
        ("GRANT SELECT ON s.t TO pg_database_owner", "ALTER DATABASE railway OWNER TO r"),
        ("ALTER DATABASE railway OWNER TO {admin}", "REVOKE SELECT ON s.t FROM pg_database_owner"),
        "r -> (the database's owner) -> pg_database_owner -> GRANT SELECT by o",
        since=14,
    ),
    "an owner that took it from itself": ByHand(
        ("ALTER TABLE s.t OWNER TO r", "REVOKE SELECT ON s.t FROM r"),
        ("ALTER TABLE s.t OWNER TO o", "GRANT SELECT ON s.t TO o"),
        "has the owner's privileges, so it may grant this to itself",
        "no",
        does=("GRANT SELECT ON s.t TO r", READ),
    ),
    "no USAGE": ByHand(
        ("GRANT SELECT ON s.t TO r", "REVOKE USAGE ON SCHEMA s FROM PUBLIC"),
        ("GRANT USAGE ON SCHEMA s TO PUBLIC", "REVOKE SELECT ON s.t FROM r"),
        "has SELECT, but no USAGE on schema s: denied with 42501",
        does=(),
    ),
    "the schema's owner": ByHand(
        ("ALTER SCHEMA s OWNER TO r",),
        ("ALTER SCHEMA s OWNER TO o",),
        "may DROP it, as the owner of schema s",
        "no",
        right="owner",
        does=("DROP TABLE s.t CASCADE",),
    ),
    "sequence": ByHand(
        ("GRANT USAGE ON SEQUENCE s.q TO r",),
        ("REVOKE USAGE ON SEQUENCE s.q FROM r",),
        "r -> GRANT USAGE by o",
        what="s.q",
        right="USAGE",
        does=("SELECT nextval('s.q')",),
    ),
    "function": ByHand(
        ("GRANT EXECUTE ON FUNCTION s.f TO r",),
        ("REVOKE EXECUTE ON FUNCTION s.f FROM r",),
        "r -> GRANT EXECUTE by o",
        what="s.f(int, text)",
        right="EXECUTE",
        does=("SELECT s.f(1, '')",),
    ),
    "schema": ByHand(
        ("GRANT CREATE ON SCHEMA s TO r",),
        ("REVOKE CREATE ON SCHEMA s FROM r",),
        "r -> GRANT CREATE by o",
        what="s",
        right="CREATE",
        does=("CREATE TABLE s.other (id int)",),
    ),
    "database": ByHand(
        ("GRANT CREATE ON DATABASE railway TO r",),
        ("REVOKE CREATE ON DATABASE railway FROM r",),
        "r -> GRANT CREATE by ",
        what="railway",
        right="CREATE",
        does=("CREATE SCHEMA other",),
    ),
}


@dataclass(frozen=True, slots=True)
class Past:
    """Something that leads past the access list of `s.t`."""

    give: tuple[str, ...]
    take: tuple[str, ...]
    says: str
    does: tuple[str, ...]
    clean: tuple[str, ...]
    since: int = 13


VIEW = ("CREATE VIEW s.v AS SELECT * FROM s.t", "ALTER VIEW s.v OWNER TO o")
PASSAGES = {
    "view": Past(
        (*VIEW, "GRANT SELECT ON s.v TO r"),
        ("REVOKE SELECT ON s.v FROM r",),
        "view s.v: SELECT as o",
        ("SELECT id FROM s.v",),
        ("DROP VIEW s.v",),
    ),
    "view that becomes its asker's": Past(
        (*VIEW, "GRANT SELECT ON s.v TO r"),
        ("ALTER VIEW s.v SET (security_invoker = yes)",),
        "view s.v: SELECT as o",
        ("SELECT id FROM s.v",),
        ("DROP VIEW s.v",),
        since=15,
    ),
    "view whose owner may no longer": Past(
        ("CREATE VIEW s.v AS SELECT id FROM s.t", "ALTER VIEW s.v OWNER TO deep", "GRANT SELECT ON s.v TO r"),
        ("REVOKE SELECT ON s.t FROM deep",),
        "view s.v: SELECT as deep",
        ("SELECT id FROM s.v",),
        ("DROP VIEW s.v", "GRANT SELECT ON s.t TO deep"),
    ),
    "view of a view": Past(
        (
            *VIEW,
            "CREATE VIEW s.w AS SELECT * FROM s.v",
            "ALTER VIEW s.w OWNER TO mid",
            "GRANT SELECT ON s.v TO mid",
            "GRANT SELECT ON s.w TO r",
        ),
        ("REVOKE SELECT ON s.v FROM mid",),
        "view s.w -> s.v: SELECT as o",
        ("SELECT id FROM s.w",),
        ("DROP VIEW s.v CASCADE",),
    ),
    "view written to": Past(
        (*VIEW, "GRANT INSERT ON s.v TO PUBLIC"),
        ("REVOKE INSERT ON s.v FROM PUBLIC",),
        "view s.v: INSERT as o",
        ("INSERT INTO s.v VALUES (3, 'three')",),
        ("DROP VIEW s.v",),
    ),
    "view by SET ROLE": Past(
        (*VIEW, "GRANT SELECT ON s.v TO mid", "ALTER ROLE r NOINHERIT", "GRANT mid TO r"),
        ("REVOKE mid FROM r",),
        "after SET ROLE mid: view s.v: SELECT as o",
        ("SET ROLE mid", "SELECT id FROM s.v"),
        ("DROP VIEW s.v", "ALTER ROLE r INHERIT"),
    ),
    "materialized view": Past(
        (
            "CREATE MATERIALIZED VIEW s.m AS SELECT * FROM s.t",
            "ALTER MATERIALIZED VIEW s.m OWNER TO o",
            "GRANT SELECT ON s.m TO r",
        ),
        ("REVOKE SELECT ON s.m FROM r",),
        "materialized view s.m: SELECT as o, as of its last REFRESH",
        ("SELECT id FROM s.m",),
        ("DROP MATERIALIZED VIEW s.m",),
    ),
    "parent": Past(
        (
            "CREATE TABLE s.all_of_them (id int, word text) PARTITION BY LIST (id)",
            "ALTER TABLE s.all_of_them OWNER TO o",
            "ALTER TABLE s.all_of_them ATTACH PARTITION s.t DEFAULT",
            "GRANT SELECT, INSERT, TRUNCATE ON s.all_of_them TO r",
        ),
        ("REVOKE SELECT, INSERT, TRUNCATE ON s.all_of_them FROM r",),
        "partitioned table s.all_of_them: SELECT, INSERT, TRUNCATE as r",
        ("SELECT * FROM s.all_of_them", "INSERT INTO s.all_of_them VALUES (9)", "TRUNCATE s.all_of_them"),
        ("ALTER TABLE s.all_of_them DETACH PARTITION s.t", "DROP TABLE s.all_of_them"),
    ),
    "definer": Past(
        (
            "CREATE FUNCTION s.g(n int) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) + n FROM s.t'",
            "ALTER FUNCTION s.g OWNER TO deep",
        ),
        ("REVOKE EXECUTE ON FUNCTION s.g FROM PUBLIC",),
        "function s.g(n integer) runs as its owner deep: SELECT, UPDATE",
        ("SELECT s.g(1)",),
        ("DROP FUNCTION s.g",),
    ),
    "definer whose owner may no longer": Past(
        (
            "CREATE FUNCTION s.g() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(id) FROM s.t'",
            "ALTER FUNCTION s.g OWNER TO deep",
        ),
        ("REVOKE SELECT, UPDATE ON s.t FROM deep",),
        "function s.g() runs as its owner deep: SELECT",
        ("SELECT s.g()",),
        ("DROP FUNCTION s.g", "GRANT SELECT, UPDATE ON s.t TO deep"),
    ),
    "asker's view past a missing USAGE": Past(
        (
            "CREATE SCHEMA aside",
            "CREATE VIEW aside.v WITH (security_invoker) AS SELECT * FROM s.t",
            "ALTER VIEW aside.v OWNER TO mid",
            "GRANT USAGE ON SCHEMA aside TO r",
            "GRANT SELECT ON aside.v, s.t TO r",
            "REVOKE USAGE ON SCHEMA s FROM PUBLIC",
        ),
        ("REVOKE SELECT ON s.t FROM r",),
        "view aside.v: SELECT as r",
        ("SELECT id FROM aside.v",),
        ("DROP SCHEMA aside CASCADE", "GRANT USAGE ON SCHEMA s TO PUBLIC"),
        since=15,
    ),
}
