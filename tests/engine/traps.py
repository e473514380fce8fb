"""Code of a service's, and of a creator's in `public`, in every place where somebody else's session could run it.

Each piece says in the server's log as whom it ran, whatever becomes of the transaction. A command that runs one of them
as another role than the one that made it has given that role what the command's own may do.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg import sql

from devtools import server as servers
from engarde.server import session as tool
from tests.engine.database import Database, Session

SPRUNG = re.compile(r"trap of <([^%>]*)> ran as <([^%>]*)> for <([^%>]*)> of <([^%>]*)> in <([^%>]*)>")
"""In the log; what makes a trap stands there, too, with % in place of names."""

TRAP = """
CREATE FUNCTION {schema}.sprung(place text) RETURNS void LANGUAGE plpgsql VOLATILE AS $$ BEGIN
    RAISE LOG 'trap of <{owner}> ran as <%> for <%> of <%> in <%>',
        current_user, session_user, pg_catalog.current_setting('application_name'), place;
END $$;
CREATE FUNCTION {schema}.trap(place text, given anyelement) RETURNS anyelement LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    PERFORM {schema}.sprung(place); RETURN given;
END $$;
CREATE FUNCTION {schema}.trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM {schema}.sprung('trigger'); RETURN coalesce(new, old);
END $$;
CREATE FUNCTION {schema}.diff(a float8, b float8) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    PERFORM {schema}.sprung('diff'); RETURN a - b;
END $$;
CREATE TYPE {schema}.span AS RANGE (subtype = float8, subtype_diff = {schema}.diff);
CREATE DOMAIN {schema}.short AS text CHECK ({schema}.trap('domain', value) IS NOT NULL)
"""

TABLE = """
CREATE TABLE IF NOT EXISTS {table} (version_num varchar(32));
ALTER TABLE {table}
    ADD COLUMN checked {schema}.short,
    ADD COLUMN during {schema}.span,
    ADD COLUMN given text DEFAULT {schema}.trap('default', 'x'::text),
    ADD COLUMN made text GENERATED ALWAYS AS ({schema}.trap('generated', version_num::text)) STORED,
    ADD CHECK ({schema}.trap('check', 1) = 1);
CREATE INDEX ON {table} ({schema}.trap('index', version_num::text));
CREATE INDEX ON {table} (({schema}.trap('constant', 1)));
CREATE INDEX ON {table} (version_num) WHERE {schema}.trap('predicate', 1) = 1;
CREATE TRIGGER trap BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} EXECUTE FUNCTION {schema}.trigger();
CREATE TRIGGER trap_row BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {schema}.trigger();
CREATE POLICY trap ON {table} USING ({schema}.trap('policy', 1) = 1);
INSERT INTO {table} (version_num, checked, during) VALUES ('m1', 'a', '[1,2]')
"""

SECURED = "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
RULED = "CREATE RULE trap AS ON INSERT TO {table} DO ALSO SELECT {schema}.trap('rule', 1)"
STATISTICS = "CREATE STATISTICS {schema}.{name} ON ({schema}.trap('statistics', version_num::text)) FROM {table}"
REST = """
CREATE VIEW {schema}.looking AS SELECT {schema}.trap('view', 1) AS id;
CREATE TABLE {schema}.parts (id int) PARTITION BY LIST ({schema}.trap('partition', id));
CREATE TABLE {schema}.part PARTITION OF {schema}.parts FOR VALUES IN (1);
CREATE MATERIALIZED VIEW {schema}.seen AS SELECT {schema}.trap('materialized', 1) AS id;
CREATE SEQUENCE {schema}.number;
CREATE SEQUENCE {schema}.swapped
"""
"""What is in a schema beside tables."""


def tell_sessions_apart(database: Database) -> None:
    """Has the log say before each line which session's it is, and what that calls itself."""
    settings = {**database.server.settings, "log_line_prefix": "[%p|%a] "}
    servers.stop(database.server)
    servers.start(replace(database.server, settings=settings))


@dataclass(frozen=True, slots=True)
class Sprung:
    """One run of a trap."""

    owner: str
    current: str
    session: str
    application: str
    place: str


def lay(session: Session, schema: str, major: int, *more: str) -> None:
    """Makes every kind of trap in a schema, and in these tables of it beside its version table."""
    with session.cursor() as cursor:
        [owner] = cursor.execute("SELECT current_user::text").fetchone() or [""]
    place = sql.Identifier(schema).as_string(None)

    def run(text: str, **words: str) -> None:
        session.execute(text.format(schema=place, owner=owner, **words).encode())

    run(TRAP)
    for name in ("alembic_version", "ruled", "secured", *more):
        table = f"{place}.{name}"
        run(TABLE, table=table)
        if name == "ruled":
            run(RULED, table=table)
        if name == "secured":
            run(SECURED, table=table)
        if major >= 14:
            run(STATISTICS, table=table, name=f"{name}_statistics")
    run(REST)


@contextmanager
def swapping(session: Session, schema: str) -> Iterator[None]:
    """As long as the block lasts, the schema's sequence is a view now and then."""
    place, over = sql.Identifier(schema).as_string(None), threading.Event()
    rounds = [0]

    def swap() -> None:
        while not over.is_set():
            for there, then, body in (
                ("SEQUENCE", "VIEW", f" AS SELECT {place}.trap('swapped', 1::bigint) AS last_value, true AS is_called"),
                ("VIEW", "SEQUENCE", ""),
            ):
                with suppress(psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                    session.execute(f"DROP {there} {place}.swapped; CREATE {then} {place}.swapped{body}".encode())
            rounds[0] += 1

    thread = threading.Thread(target=swap)
    session.execute("SET lock_timeout = '2s'")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert rounds[0]


def called() -> tuple[list[str], list[str]]:
    """The names of functions, and the operators, in all of the tool's SQL, and some that its Python writes."""
    texts = [file.read_text() for file in Path(tool.__file__).with_name("sql").glob("*.sql")]
    code = "\n".join(re.sub(r"--.*|'[^']*'", " ", text) for text in texts)
    functions = set(re.findall(r"\b([a-z_][a-z_0-9]*)\s*\(", code)) | {"set_config", "pg_backend_pid"}
    operators = set(re.findall(r"(?<![\w:{}])([-+*/<>=~!@#%^&|`?]{1,4})(?=[\s(])", code.replace("%%", "%")))
    return sorted(functions), sorted(operators | {"~~", "!~~"})


SHADOWS = """
DO $shadows$
DECLARE
    one record;
    made int := 0;
BEGIN
    FOR one IN
        SELECT DISTINCT p.proname, p.proretset, format_type(p.prorettype, NULL) AS returns, given
        FROM pg_proc p, LATERAL (
            SELECT string_agg(format_type(a, NULL), ', ' ORDER BY n) AS given
            FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS args (a, n)
            UNION
            SELECT string_agg(CASE WHEN a = 'text'::regtype THEN 'name' WHEN a = 'bigint'::regtype THEN 'integer'
                                   ELSE format_type(a, NULL) END, ', ' ORDER BY n)
            FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS args (a, n)
        ) AS types
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY ('{functions}') AND p.prokind <> 'p'
    LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s%s LANGUAGE plpgsql AS '
                           '$f$ BEGIN PERFORM public.sprung(%L); %s; END $f$',
                           one.proname, one.given, CASE WHEN one.proretset THEN 'SETOF ' ELSE '' END, one.returns,
                           'function ' || one.proname,
                           CASE WHEN one.proretset OR one.returns = 'void' THEN 'RETURN' ELSE 'RETURN NULL' END);
            made := made + 1;
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    FOR one IN
        SELECT DISTINCT o.oprname, format_type(l, NULL) AS l, format_type(r, NULL) AS r,
               format_type(o.oprresult, NULL) AS returns
        FROM pg_operator o, LATERAL (VALUES (oprleft, oprright), ('name'::regtype, 'name'::regtype),
                                            ('name'::regtype, 'text'::regtype), ('oid'::regtype, 'regclass'::regtype))
             AS types (l, r)
        WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprname = ANY ('{operators}') AND l <> 0
    LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION public.operator_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS '
                           '$f$ BEGIN PERFORM public.sprung(%L); RETURN NULL; END $f$',
                           made, one.l, one.r, one.returns, 'operator ' || one.oprname);
            EXECUTE format('CREATE OPERATOR public.%s (FUNCTION = public.operator_%s, LEFTARG = %s, RIGHTARG = %s)',
                           one.oprname, made, one.l, one.r);
            made := made + 1;
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    ASSERT made > 300, made;
END
$shadows$
"""


def shadow(session: Session) -> None:
    """Makes whatever the tool's SQL calls anew in `public`, with the same arguments and with some that fit better."""
    functions, operators = called()
    assert {"quote_ident", "has_table_privilege", "pg_get_userbyid", "format"} <= {*functions}
    assert {"=", "||", "->>", "<>"} <= {*operators}
    words = {
        "functions": "{" + ",".join(functions) + "}",
        "operators": "{" + ",".join(f'"{o}"' for o in operators) + "}",
    }
    text = SHADOWS
    for name, listed in words.items():
        text = text.replace("{" + name + "}", listed)
    # What makes them is not to meet them.
    session.execute("SET search_path = pg_catalog")
    session.execute(text.encode())


def sprung(database: Database, since: int) -> list[Sprung]:
    """The traps that have run since a mark in the log."""
    with database.server.log.open("rb") as log:
        log.seek(since)
        text = log.read().decode(errors="replace")
    return [Sprung(*found) for found in SPRUNG.findall(text)]
