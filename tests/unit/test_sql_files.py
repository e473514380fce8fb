"""Of what the tool's SQL reads: catalogs alone, but for what is asked of the owner's own login."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engarde.server import session

FILES = sorted(Path(session.__file__).with_name("sql").glob("*.sql"))

READ_BY_THEIR_OWNERS = {
    "backup_checksum": "the rows of a table, in a session of the service's role",
    "backup_sequence": "where a sequence is, in the same",
    "version_table_revisions": "by the owner's login; by the admin's where version_tables.sql trusts it",
    "own_sequences_read": "by the owner's login; by the admin's what none but a superuser or the admin can change",
}
"""Which files read a relation that is no catalog's, and who asks them."""

CHANGED_BY_THEIR_OWNERS = {"backup_set_sequences", "backup_put_large_object", "backup_unlink"}
"""Which write what is a service's, as the service."""

EXTENSIONS = {"status_statements": "pg_stat_statements(true), a function in C of the extension's, found by its oid"}

RUNS_STATEMENTS = {
    "probe": "statements that the tool writes, in the session of the role that tries them",
    "own_sequences_read": "as above",
}

SYSTEMS = re.compile(r"(?:pg_catalog\.|information_schema\.)?pg_[a-z_]+")
FUNCTIONS_OF_ROWS = {
    *("unnest", "aclexplode", "generate_series", "jsonb_to_recordset", "jsonb_array_elements"),
    *("jsonb_array_elements_text", "regexp_matches", "pg_catalog.regexp_matches", "format", "has_table_privilege"),
}
RUNNERS = re.compile(
    r"\b(query_to_xml\w*|table_to_xml\w*|cursor_to_xml\w*|schema_to_xml\w*|database_to_xml\w*|nextval|ts_stat|ts_rewrite"
    r"|dblink\w*|crosstab\w*|lo_export|lo_import|pg_sequence_last_value|pg_get_sequence_data)\s*\(",
    re.I,
)
"""What runs a text as a query, or reads a relation by its name or its oid."""


def code(file: Path) -> str:
    """Without comments and texts, for what stands in them is no name."""
    return re.sub(r"'(?:[^']|'')*'|--.*", lambda found: "''" if found[0][0] == "'" else "", file.read_text())


ENDS = {"WHERE", "GROUP", "ORDER", "HAVING", "WINDOW", "UNION", "SELECT", "LIMIT", "OFFSET", "LOOP", "EXCEPT", ";"}
"""Words after which no more sources come."""


def sources(text: str) -> set[str]:
    """What stands where rows come from, without what the statement itself has named."""
    words = re.findall(r"[{}\w.]+|[^\s\w]", text)
    named = {words[at - 1] for at in range(1, len(words)) if words[at].upper() == "AS" and _opens(words, at + 1)}
    named |= {
        words[at]
        for at in range(len(words))
        if at and words[at - 1].upper() in ("WITH", "RECURSIVE", ",") and _listed(words, at)
    }
    found, within, expected = set(), [False], False
    for at, word in enumerate(words):
        upper, before = word.upper(), words[at - 1].upper() if at else ""
        if upper == "JOIN" or (upper == "FROM" and before not in ("EPOCH", "DISTINCT")):
            within[-1] = expected = True
        elif word == "(":
            within.append(False)
            expected = False
        elif word == ")":
            within.pop()
        elif upper in ENDS:
            within[-1] = expected = False
        elif word == ",":
            expected = within[-1]
        elif expected and upper not in ("LATERAL", "ONLY"):
            found.add(word)
            expected = False
    return found - named


def _opens(words: list[str], at: int) -> bool:
    """Whether a query of its own begins here."""
    return at < len(words) and (words[at] == "(" or words[at].upper() == "MATERIALIZED")


def _listed(words: list[str], at: int) -> bool:
    """Whether it is the name of such a query, with its columns after it."""
    if at + 1 >= len(words) or words[at + 1] != "(" or ")" not in words[at:]:
        return False
    end = words.index(")", at)
    return end + 1 < len(words) and words[end + 1].upper() == "AS" and _opens(words, end + 2)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_reads_nothing_but_catalogs(file: Path) -> None:
    text = code(file)
    others = {
        source for source in sources(text) if not SYSTEMS.fullmatch(source) and source.lower() not in FUNCTIONS_OF_ROWS
    }
    if file.stem in READ_BY_THEIR_OWNERS:
        return
    if file.stem in EXTENSIONS:
        assert others == {"{schema}.pg_stat_statements"}
        return
    assert others == set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_runs_no_text_and_changes_nothing_of_anybodys(file: Path) -> None:
    text = code(file)
    assert not RUNNERS.search(text)
    assert bool(re.search(r"\bEXECUTE\b(?! ON\b)", text)) == (file.stem in RUNS_STATEMENTS)
    changes = re.search(r"\b(setval|lo_create|lo_put|lo_unlink|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b", text, re.I)
    assert bool(changes) == (file.stem in CHANGED_BY_THEIR_OWNERS)


def test_what_is_let_through_is_there() -> None:
    stems = {file.stem for file in FILES}
    assert {*READ_BY_THEIR_OWNERS, *CHANGED_BY_THEIR_OWNERS, *EXTENSIONS, *RUNS_STATEMENTS} <= stems


def test_the_reader_of_these_tests_reads() -> None:
    text = (
        "WITH a AS (SELECT 1 FROM pg_class c, evil), b (x) AS (SELECT 1) SELECT * FROM a, b JOIN ONLY s.t ON true"
        " LEFT JOIN LATERAL f(1, 2) g ON EXISTS (SELECT FROM (VALUES (1)) v, {table}) WHERE x IS DISTINCT FROM y"
    )
    assert sources(text) == {"pg_class", "evil", "s.t", "f", "{table}"}
