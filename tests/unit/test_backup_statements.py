"""Where a statement of a dump ends, which table a foreign key leads to, and which options a column is given."""

from __future__ import annotations

import pytest

from engarde.backup.archive import options, referenced, split, without

BODY = """CREATE FUNCTION s.f(a integer) RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT CASE WHEN (a > 1) THEN 2 ELSE 3 END AS c;
 SELECT (a + 1);
END"""
STATEMENTS = [
    "SET row_security = off",
    BODY,
    "CREATE FUNCTION s.\"x; --\"() RETURNS text LANGUAGE sql AS $_$\n--\n-- Name: y\nSELECT '; $$ \\';\n$_$",
    "CREATE RULE r AS ON DELETE TO s.t DO ALSO ( INSERT INTO s.a VALUES (1); DELETE FROM s.b; )",
    "CREATE TABLE s.t (begin s.atomic, x text DEFAULT 'it''s; \\', y text DEFAULT E'a\\'; b'::text)",
    'CREATE INDEX "$a$;" ON s."U&;" USING btree (a$b, c$d)',
    "COMMENT ON TABLE s.t IS 'BEGIN ATOMIC (;'",
]


def test_each_statement_to_its_end() -> None:
    script = "--\n-- Name: a; Type: b (\n--\n\n" + ";\n\n--\n-- it's \"\n--\n\n".join(STATEMENTS) + ";\n\n"
    assert list(split(script)) == STATEMENTS
    assert list(split("-- nothing;\n")) == []


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        (
            "ALTER TABLE ONLY s.t\n    ADD CONSTRAINT c FOREIGN KEY (a, b) REFERENCES public.u(a, b) NOT VALID",
            "public.u",
        ),
        ('ALTER TABLE s.t\n    ADD CONSTRAINT " REFERENCES p.q(" FOREIGN KEY ("(") REFERENCES "P".u(a)', '"P".u'),
        ("ALTER TABLE ONLY s.t ADD CONSTRAINT c CHECK ((x <> ' FOREIGN KEY (a) REFERENCES p.q('::text))", None),
        ("ALTER TABLE ONLY s.t ADD CONSTRAINT c FOREIGN KEY (a, PERIOD b) REFERENCES p.q(a, PERIOD b)", "p.q"),
    ],
)
def test_where_a_foreign_key_leads(statement: str, table: str | None) -> None:
    assert referenced(statement) == table


def test_options_of_a_column() -> None:
    given = "ALTER TABLE ONLY s.\"a.b (x=1)\" ALTER COLUMN c SET (n_distinct=-0.5, pg_attver='1, a=2', later=x)"
    assert options(given) == {"n_distinct", "pg_attver", "later"}
    start = 'ALTER TABLE ONLY s."a.b (x=1)" ALTER COLUMN c SET'
    assert without(given, {"pg_attver"}) == f"{start} (n_distinct=-0.5, later=x)"
    assert without(given, options(given)) == ""
    for other in ("ALTER TABLE ONLY s.t ALTER COLUMN c SET DEFAULT f(1)", "SET a = '(x=1)'", STATEMENTS[-1]):
        assert options(other) == frozenset()
        assert without(other, {"x"}) == other
