"""A service's schema with something of everything in it, made as the service and with its own search_path."""

from collections.abc import Sequence

from tests.engine.database import Session

EXTENSIONS = ("citext", "pg_trgm")
"""What it needs in `public`."""

STATEMENTS = (
    """CREATE TYPE "Mood" AS ENUM ('sad', 'so-so', 'it''s "fine"')""",
    "CREATE TYPE pair AS (x int, y text)",
    "CREATE TYPE span AS RANGE (subtype = int)",
    "CREATE DOMAIN email AS public.citext CHECK (VALUE ~ '@')",
    "CREATE SEQUENCE tickets START 100 INCREMENT 5",
    "CREATE SEQUENCE untouched START 7",
    "SELECT nextval('tickets'), nextval('tickets')",
    """CREATE FUNCTION twice(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT n * 2'""",
    """CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         NEW.touched := coalesce(NEW.touched, 0) + 1;
         RETURN NEW;
       END $$""",
    # A body that looks like a dump: whoever reads scripts line by line would stumble.
    """CREATE FUNCTION "looks like a dump"() RETURNS text LANGUAGE sql AS $$
SELECT '
--
-- Name: evil; Type: TABLE; Schema: -; Owner: -
--
COPY evil FROM stdin;
\\.
SET transaction_timeout = 0;
'::text $$""",
    # Names without a schema, which are found by the service's search_path alone.
    "CREATE FUNCTION checked(n int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN twice(n) < 2000; END'",
    "CREATE TABLE numbers (n int CHECK (checked(n)))",
    "INSERT INTO numbers SELECT n FROM generate_series(1, 10) n",
    "CREATE PROCEDURE tidy() LANGUAGE plpgsql AS 'BEGIN DELETE FROM word WHERE id < 0; END'",
    "CREATE AGGREGATE total (int) (sfunc = int4pl, stype = int, initcond = '0')",
    """CREATE TABLE "Mixed Case" (
         "Id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         "the ""Name" varchar(20) NOT NULL CHECK ("the ""Name" IN ('a', 'b', 'c''s')),
         mood "Mood" DEFAULT 'so-so',
         mail email UNIQUE,
         at pair,
         during span,
         width int, area int GENERATED ALWAYS AS (twice(width)) STORED,
         made timestamptz DEFAULT now(), touched int,
         price numeric(12, 4), ratio float8, half real, raw bytea, doc jsonb, tags text[], many "Mood"[],
         waited interval, cash money, gone text)""",
    """ALTER TABLE "Mixed Case" DROP COLUMN gone""",
    """CREATE TRIGGER "touch it" BEFORE INSERT OR UPDATE ON "Mixed Case" FOR EACH ROW EXECUTE FUNCTION touch()""",
    """INSERT INTO "Mixed Case" ("the ""Name", mood, mail, at, during, width, price, ratio, half, raw, doc, tags, many,
                                 waited, cash)
       SELECT (ARRAY['a', 'b', 'c''s'])[1 + n % 3], (ARRAY['sad', NULL, 'it''s "fine"'])[1 + n % 3]::"Mood",
              'P' || n || '@example.com', ROW(n, E'tab\\tnew\\nline \\\\ back')::pair, span(n, n + 3), n, n / 7.0,
              n / 7.0::float8, 1 / (n::real + 1), decode(md5(n::text), 'hex'),
              jsonb_build_object('n', n, 'ü', '\\u20ac'::text),
              ARRAY['x', NULL, 'a "b", {c}', n::text], ARRAY['sad']::"Mood"[], make_interval(hours => n),
              n::numeric::money
       FROM generate_series(1, 500) n""",
    """UPDATE "Mixed Case" SET ratio = 'NaN', half = '-Infinity', mail = NULL,
       made = '0044-03-15 12:00 BC' WHERE "Id" = 7""",
    """DELETE FROM "Mixed Case" WHERE "Id" % 50 = 0""",
    "CREATE TABLE word (id serial PRIMARY KEY, word public.citext, upper text DEFAULT 'it''s', empty text DEFAULT '')",
    "INSERT INTO word (word) SELECT 'w' || n FROM generate_series(1, 100) n",
    "CREATE INDEX word_search ON word USING gin ((word::text) public.gin_trgm_ops)",
    "CREATE INDEX word_some ON word (upper DESC NULLS LAST, id) WHERE id > 10",
    "CREATE STATISTICS word_both (dependencies) ON word, upper FROM word",
    """CREATE TABLE linked (
         id int PRIMARY KEY, "Id" bigint REFERENCES "Mixed Case" ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
         word int, self int REFERENCES linked, EXCLUDE USING gist (int4range(id, id + 1) WITH &&))""",
    """INSERT INTO linked SELECT n, n, n, n FROM generate_series(1, 40) n""",
    "ALTER TABLE linked ADD CONSTRAINT to_word FOREIGN KEY (word) REFERENCES word NOT VALID",
    "CREATE TABLE by_day (day date NOT NULL, n int, note text, PRIMARY KEY (day, n)) PARTITION BY RANGE (day)",
    "CREATE TABLE by_day_1 PARTITION OF by_day FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
    """CREATE TABLE by_day_2 PARTITION OF by_day FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')
       PARTITION BY LIST (n)""",
    "CREATE TABLE by_day_2_odd PARTITION OF by_day_2 FOR VALUES IN (1, 3)",
    "CREATE TABLE by_day_rest PARTITION OF by_day DEFAULT",
    "INSERT INTO by_day SELECT date '2026-01-01' + n, 1, 'day ' || n FROM generate_series(0, 70) n",
    "CREATE INDEX by_day_note ON by_day (note)",
    """CREATE TABLE by_mood (mood "Mood", n int) PARTITION BY HASH (mood)""",
    "CREATE TABLE by_mood_0 PARTITION OF by_mood FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
    "CREATE TABLE by_mood_1 PARTITION OF by_mood FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
    """INSERT INTO by_mood SELECT (ARRAY['sad', 'so-so', 'it''s "fine"'])[1 + n % 3]::"Mood", n
       FROM generate_series(1, 90) n""",
    "CREATE TABLE parent (a int, b text)",
    "CREATE TABLE child (own int) INHERITS (parent)",
    "ALTER TABLE parent ADD COLUMN later text DEFAULT 'l'",
    "INSERT INTO parent (a) VALUES (1), (2)",
    "INSERT INTO child (a, own, later) VALUES (3, 4, E'x\\r\\ny')",
    "CREATE UNLOGGED TABLE cache (key text PRIMARY KEY, value text)",
    "INSERT INTO cache VALUES ('k', 'v'), ('', NULL)",
    'CREATE TABLE "two\nlines" ("a\n--\nb" int PRIMARY KEY, c text)',
    """INSERT INTO "two\nlines" VALUES (1, E'\\\\.'), (2, E'x\\n\\\\.\\ny')""",
    # Names that look like the end of the statement, and like rows with their own.
    'CREATE TABLE "x FROM stdin;\ny" ("z"" FROM stdin;\n" int, "-- ""\nCOPY" text)',
    """INSERT INTO "x FROM stdin;\ny" VALUES (1, 'a'), (2, 'b')""",
    'CREATE TABLE "COPY z FROM stdin;\n1\n\\.\n" (n int)',
    'INSERT INTO "COPY z FROM stdin;\n1\n\\.\n" VALUES (3)',
    """CREATE TABLE "100% {odd} \\ ü 'q'" ("sel%s" int, "{1}" text DEFAULT '%')""",
    """INSERT INTO "100% {odd} \\ ü 'q'" VALUES (1, '{}%s'), (2, DEFAULT)""",
    "CREATE TABLE nothing_in_it ()",
    "INSERT INTO nothing_in_it DEFAULT VALUES",
    "CREATE TABLE guarded (id int, whose text)",
    "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY own_rows ON guarded USING (whose = current_user)",
    # Readers get every row by it.
    "CREATE POLICY all_rows ON guarded FOR SELECT USING (true)",
    "INSERT INTO guarded VALUES (1, 'somebody else'), (2, NULL)",
    """CREATE VIEW "A View" WITH (security_barrier) AS
       SELECT "Id", twice(width) AS double FROM "Mixed Case" WHERE width > 3""",
    """CREATE VIEW on_view AS SELECT v.*, w.word FROM "A View" v JOIN word w ON w.id = v."Id" """,
    "CREATE MATERIALIZED VIEW counted AS SELECT mood, count(*) AS how_many FROM by_mood GROUP BY mood",
    "CREATE UNIQUE INDEX counted_mood ON counted (mood)",
    "CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS one WITH NO DATA",
    "CREATE RULE quiet AS ON DELETE TO cache WHERE OLD.key = '' DO INSTEAD NOTHING",
    "CREATE FUNCTION same(pair, pair) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1.x = $2.x'",
    "CREATE OPERATOR === (LEFTARG = pair, RIGHTARG = pair, FUNCTION = same)",
    "CREATE TEXT SEARCH CONFIGURATION words (COPY = pg_catalog.simple)",
    """CREATE COLLATION "C-like" FROM "C" """,
    "COMMENT ON TABLE word IS E'it''s\\n-- Name: x; Type: TABLE'",
    "COMMENT ON COLUMN word.word IS 'w'",
    "COMMENT ON FUNCTION twice(int) IS 'two times'",
    "CREATE TABLE files (name text, content oid)",
    """INSERT INTO files VALUES ('small', lo_from_bytea(0, 'small')), ('none', lo_from_bytea(0, '')),
       ('large', lo_from_bytea(0, decode(repeat('00ff5c0a', 600000), 'hex')))""",
    """DO $$ BEGIN
         EXECUTE format('COMMENT ON LARGE OBJECT %s IS %L', (SELECT content FROM files WHERE name = 'small'), 'it''s');
       END $$""",
)

BY_MAJOR = {
    14: (
        "CREATE FUNCTION added(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a + b; END",
        "ALTER TABLE word ALTER COLUMN upper SET COMPRESSION pglz",
    ),
    15: ("CREATE TABLE once (x int, UNIQUE NULLS NOT DISTINCT (x))",),
    17: ("CREATE TABLE parts_with_identity (id int GENERATED BY DEFAULT AS IDENTITY, k int) PARTITION BY LIST (k)",),
    18: (
        "CREATE TABLE virtually (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL)",
        "INSERT INTO virtually VALUES (1), (NULL)",
    ),
}


def statements(major: int) -> Sequence[str]:
    """What makes it on a server of this major."""
    return (*STATEMENTS, *(each for least, more in BY_MAJOR.items() if major >= least for each in more))


def make(session: Session, major: int) -> None:
    """Makes it, as whoever the session is of."""
    for statement in statements(major):
        session.execute(statement.encode())
