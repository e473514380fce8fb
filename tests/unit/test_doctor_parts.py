"""The doctor's smaller parts: statements, search paths, timeouts, and the lines it prints for stack files."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import parse
from engarde.declaration.model import Stack
from engarde.declaration.names import spelled, split_table
from engarde.declaration.parameters import milliseconds, split_path
from engarde.doctor import Diagnosis, diagnose, failed_statement, remedies
from engarde.doctor.diagnosis import accepted
from engarde.doctor.error_text import role
from engarde.doctor.facts import Facts
from engarde.doctor.matching import match
from engarde.doctor.symptoms import SYMPTOMS
from engarde.errors import LoginRefused, Unreachable
from engarde.output.show import console, document


def stack(**sections: Any) -> Stack:
    declared = {"server": {"host": "h", "database": "d"}, "services": {"madansara": None, "sankore": None}, **sections}
    return parse("prod", declared, {"adminPassword"})


def test_what_a_statement_is_about() -> None:
    text = 'LINE 1: SELECT * FROM sankore.things JOIN "Field Notes"."a.b" ON true\nINSERT INTO Users VALUES (1)'
    assert failed_statement.verb([text]) == "SELECT"
    assert failed_statement.tables([text]) == [
        ("sankore", "things"),
        ("Field Notes", "a.b"),
        (None, "true"),
        (None, "users"),
    ]
    assert failed_statement.verb(["[SQL: DELETE FROM x]"]) == "DELETE"
    assert failed_statement.verb(["nothing"]) is None


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE sankore.courses SET title = 1", "UPDATE"),
        ("INSERT INTO sankore.courses (title) VALUES (1)", "INSERT INTO"),
        ("SELECT 1 FROM sankore.courses FOR NO KEY UPDATE OF courses", "FOR NO KEY UPDATE"),
        ("LOCK TABLE ONLY courses", "LOCK TABLE"),
        ('ANALYZE "sankore"."courses"', "ANALYZE"),
        ("WITH x AS (DELETE FROM sankore.courses RETURNING 1) SELECT * FROM x", "DELETE FROM"),
        ("COPY sankore.courses (title) FROM STDIN", "COPY"),
        ("COPY sankore.courses (title) TO STDOUT", None),
        ("SELECT 1 FROM sankore.courses", None),
        ("INSERT INTO own SELECT 1 FROM sankore.courses", None),
        ("INSERT INTO own SELECT 1 FROM sankore.courses ON CONFLICT DO UPDATE SET a = 1", None),
        ("SELECT 1 FROM own FOR UPDATE", None),
    ],
)
def test_what_a_statement_does_to_a_table_beyond_reading_it(statement: str, said: str | None) -> None:
    assert failed_statement.more_than_reading((f"[SQL: {statement}]",), "sankore", "courses") == said
    if " courses" not in statement:
        assert failed_statement.more_than_reading((f"[SQL: {statement}]",), "sankore") == said


def test_a_statement_whose_quotes_end_with_the_logs() -> None:
    """As Go's %q and logfmt write it, taken out of its backslashes."""
    written = 'level=error msg="permission denied for table courses" query="DELETE FROM "sankore"."courses""'
    assert failed_statement.more_than_reading((written,), "sankore", "courses") == "DELETE FROM"
    assert failed_statement.tables((written,)) == [(None, "courses"), ("sankore", "courses")]


def test_the_function_around_a_statement() -> None:
    context = ("permission denied", 'CONTEXT:  PL/pgSQL function "R i".on_ddl(text) line 3 at SQL statement')
    assert failed_statement.function_within(context) == ("R i", '"R i".on_ddl(text)')
    assert failed_statement.function_within(("PL/pgSQL function noted() line 3",)) is None


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("madansara, public", ["madansara", "public"]),
        ('"Field Notes", public', ["Field Notes", "public"]),
        ('"a, b""c",D', ['a, b"c', "d"]),
        ('"$user", public', ["$user", "public"]),
        ("", []),
        ('""', []),
        ('"torn', ["torn"]),
    ],
)
def test_a_search_path(value: str, names: list[str]) -> None:
    assert list(split_path(value)) == names


def test_a_timeout() -> None:
    assert [milliseconds(each) for each in ("5000", "30s", "100ms", "1min", "0", "1.5s")] == [
        5000,
        30_000,
        100,
        60_000,
        0,
        1500,
    ]


@pytest.mark.parametrize("name", ["sankore", "Field Notes", "on", "null", "a.b", 'quo"te', "1", "x-y", "数據"])
def test_a_line_of_the_stack_file_says_what_it_means(name: str) -> None:
    text = remedies.edit("engarde:services", name, "reads", value=(spelled(name, name),)).text
    read = YAML(typ="safe", pure=True).load(text)
    [item] = read["engarde:services"][name]["reads"]
    assert split_table(item) == (name, name)


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("madansara: permission denied for schema x", "madansara_user"),
        ("permission denied for schema madansara", None),
        ("service=sankore permission denied for schema x", "sankore_user"),
        ("[sankore] permission denied for schema x", "sankore_user"),
        ("postgresql://other:x@h permission denied for schema x", "other"),
        ("user=postgres permission denied for schema x", "postgres"),
        ("2026 [33] madansara_user@d ERROR:  permission denied for schema x", "madansara_user"),
    ],
)
def test_whom_a_text_is_about(text: str, who: str | None) -> None:
    error = match(text, SYMPTOMS)
    assert error
    assert role(stack(), error) == who


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    def access(*_: object) -> None:
        raise LoginRefused("h:5432", "connection refused")

    def outputs(*_: object) -> None:
        raise Unreachable("no engine")

    monkeypatch.setattr("engarde.doctor.facts.login_of_admin", access)
    for asked in ("outputs", "state", "backend"):
        monkeypatch.setattr(f"engarde.checks.observed.{asked}", outputs)
    for module in ("logins", "runs"):
        monkeypatch.setattr(f"engarde.doctor.causes.{module}.admin_password", outputs)


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize(
    "declared", [stack(), stack(analytics={}, services={}), stack(serviceAddress={"host": "${{P.H}}"})]
)
@pytest.mark.parametrize("symptom", [each.name for each in SYMPTOMS])
def test_every_cause_has_a_fix_where_nothing_can_be_asked(declared: Stack, symptom: str) -> None:
    known = next(each for each in SYMPTOMS if each.name == symptom)
    for text in ('role "madansara_user"', "nothing"):
        error = match(f"permission denied for schema madansara {text}", SYMPTOMS)
        assert error
        with Facts(restrict_to(declared, None), error) as asked:
            for cause in known.causes:
                assert cause.fix(asked).text
                try:
                    cause.answer(asked)
                except Unreachable as why:
                    assert str(why)


def diagnosis(text: str) -> Diagnosis:
    found = diagnose(stack(), text)
    assert found
    return found


@pytest.mark.usefixtures("closed")
def test_a_server_that_cannot_be_asked() -> None:
    found = diagnosis("madansara: permission denied for schema sankore\nLINE 1: SELECT * FROM sankore.t")
    assert found.exit_code == 3
    assert found.fix and found.fix.text == "engarde:services:\n  madansara:\n    reads:\n      - sankore.t"
    assert not found.sure
    assert '"version": 2' in document(**found.data())
    printed = console()
    with printed.capture() as caught:
        printed.print(found.shown("prod"))
    assert "Likeliest fix, not verified (edit Pulumi.prod.yaml, then run `bin/pulumi up " in caught.get()
    assert "      - sankore.t\n" in caught.get()


@pytest.mark.usefixtures("closed")
def test_what_needs_no_server() -> None:
    assert diagnosis("mysql://u:x@h/d").exit_code == 1
    assert diagnosis('extra key/value separator "=" in URI query parameter: "options"').exit_code == 1
    found = diagnosis('could not translate host name "x.railway.internal" to address')
    assert found.fix and found.fix.text == "bin/engarde url SERVICE --stack prod --from operator"
    certificate = diagnose(stack(serviceAddress={"host": "h", "sslmode": "verify-full"}), "certificate verify failed")
    assert certificate and certificate.fix and certificate.fix.text.endswith("sslmode: require")
    node = diagnose(
        stack(serviceAddress={"host": "h", "sslmode": "require"}), "sankore: Error: self-signed certificate"
    )
    assert node and node.fix and node.fix.text == "engarde:services:\n  sankore:\n    urlFormat: node-postgres"
    options = diagnose(stack(services={"a": {"urlFormat": "options"}}), "unsupported startup parameter: options")
    assert options and options.fix and options.fix.text.endswith("urlFormat: plain")
    prisma = diagnose(stack(services={"a": {"urlFormat": "prisma"}}), "unsupported startup parameter: search_path")
    assert prisma and not prisma.sure and prisma.fix and "&pgbouncer=true" in prisma.fix.text
    lazy = diagnosis("madansara: greenlet_spawn has not been called; can't call await_only() here")
    assert lazy and not lazy.sure and lazy.fix and "selectinload" in lazy.fix.text
    several = diagnosis("No module named 'psycopg'")
    assert several.fix and several.fix.text == "engarde:services:\n  SERVICE:\n    urlFormat: sqlalchemy+psycopg2"


def test_names_are_each_of_one_symptom() -> None:
    names = [symptom.name for symptom in SYMPTOMS]
    assert len(set(names)) == len(names)


def test_a_line_that_the_stack_file_refuses_is_not_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engarde.doctor.diagnosis.FOLDER", tmp_path)
    services = "madansara: {reads: [{table: public.brands, columns: [id]}]}, sankore:"
    server = "{host: h, database: d}"
    (tmp_path / "Pulumi.prod.yaml").write_text(
        f"config:\n  engarde:server: {server}\n  engarde:services: {{{services}}}\n"
        "  engarde:existingSchemas: {public: {}}\n  engarde:adminPassword: {secure: x}\n"
    )
    whole = remedies.edit("engarde:services", "madansara", "reads", value=("public.brands",))
    assert accepted("prod", whole) == whole
    nowhere = remedies.edit("engarde:services", "madansara", "reads", value=("log.t",))
    refused = accepted("prod", nowhere)
    assert (refused.kind, "its schema is not declared" in refused.text) == ("code", True), refused.text
    anybody = remedies.edit("engarde:services", remedies.SERVICE, "reads", value=("log.t",))
    assert accepted("prod", anybody) == anybody
