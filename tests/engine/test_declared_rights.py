"""What a service may be let do with others' things beside reading them: granted, proved, explained, taken back."""

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import pytest

from engarde.declaration.grants import Execute
from engarde.doctor.causes import functions, relations
from engarde.pulumi_cli.stacks import read
from engarde.server.credentials import Access
from engarde.server.functions import find as functions_of_server
from engarde.server.session import session
from tests.engine.admins import BACKEND, PASSWORD
from tests.engine.conftest import Projects
from tests.engine.denied import denied
from tests.engine.diagnosing import diagnosed, said
from tests.engine.explained import Asked
from tests.engine.ills import confirmed_first
from tests.engine.in_process import tool_here
from tests.engine.program import STACK, STACK_FILE, THE_ADMIN, Project
from tests.engine.verifying import heal, told, verified

pytestmark = pytest.mark.xdist_group("declared rights")

WHOLE = {"table": "public.users", "references": True}
OF_COLUMNS = {"table": "public.brands", "columns": ["id"], "references": True}
KEYS = (
    "CREATE TABLE seen (id int REFERENCES public.users (id), brand int)",
    "ALTER TABLE seen ADD FOREIGN KEY (brand) REFERENCES public.brands (id)",
)


NONE: Mapping[str, object] = MappingProxyType({})
CALLS = (
    "public.f(int)",
    'public."Odd.Name"(timestamptz, varchar[], public."Odd, Type")',
    "public.p(integer)",
    "public.middle(integer)",
)
MADE = (
    """CREATE TYPE public."Odd, Type" AS ENUM ('a')""",
    "CREATE FUNCTION public.f(n integer) RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT n'",
    "CREATE FUNCTION public.f(word text) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT word'",
    """CREATE FUNCTION public."Odd.Name"(timestamptz, varchar[], public."Odd, Type") RETURNS integer
    LANGUAGE sql AS 'SELECT 1'""",
    "CREATE PROCEDURE public.p(n integer) LANGUAGE sql AS 'SELECT 1'",
    "CREATE AGGREGATE public.middle(ORDER BY integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0')",
    "REVOKE EXECUTE ON ROUTINE public.f(integer), public.f(text), public.p(integer) FROM PUBLIC",
    "REVOKE EXECUTE ON ROUTINE public.middle(integer) FROM PUBLIC",
    """REVOKE EXECUTE ON ROUTINE public."Odd.Name"(timestamptz, varchar[], public."Odd, Type") FROM PUBLIC""",
)


def declare(
    project: Project,
    *reads: object,
    calls: Sequence[str] = CALLS,
    outside: Mapping[str, object] = NONE,
    **sections: object,
) -> None:
    project.declare(
        services={
            "madansara": {"reads": list(reads), "executes": list(calls)},
            "sankore": {"reads": ["public.users"]},
        },
        existingSchemas={"public": {"creators": [THE_ADMIN, BACKEND]}},
        outsideRoles={BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}, **outside},
        analytics={},
        **sections,
    )


@pytest.fixture(scope="module")
def stack(projects: Projects) -> Iterator[Project]:
    with projects() as project:
        project.database.run(
            "ALTER TABLE public.users ADD UNIQUE (id)", "ALTER TABLE public.brands ADD UNIQUE (id), ADD UNIQUE (name)"
        )
        project.database.run_as(project.database.admin, *MADE)
        declare(project, WHOLE, OF_COLUMNS)
        project.succeeds(project.up())
        yield project


def as_declared(project: Project) -> None:
    report = verified(project)
    assert told(report) == []


def test_a_foreign_key_points_where_that_is_declared(stack: Project) -> None:
    as_declared(stack)
    with stack.connect("madansara") as session:
        for key in KEYS:
            session.execute(key.encode())
        denied(session, "ALTER TABLE seen ADD word text REFERENCES public.brands (name)")
        denied(session, "DELETE FROM public.users")
        session.execute("DROP TABLE seen")
    asked = Asked(stack)
    assert "declared: its reads" in "\n".join(map(str, [asked.line("madansara", "public.users", "REFERENCES")]))
    assert stack.succeeds(stack.preview("--refresh", "--expect-no-changes")).ops == {}


@pytest.mark.parametrize(
    ("on", "resource"),
    [
        ("REFERENCES ON public.users", "madansara-reads-public.users"),
        ("REFERENCES (id) ON public.brands", "madansara-references-public.brands"),
    ],
    ids=["table", "columns"],
)
def test_what_was_taken_away_is_found_and_given_back(stack: Project, on: str, resource: str) -> None:
    stack.database.run(f"REVOKE {on} FROM madansara_user")
    report = verified(stack)
    assert {each.check for each in report.findings} == {"grant", "behaviour"}
    assert list(stack.preview("--refresh").ops) == [resource]
    [finding] = [each for each in report.findings if each.check == "grant"]
    heal(stack, finding)
    as_declared(stack)


def test_what_is_declared_of_one_is_a_finding_of_another(stack: Project) -> None:
    stack.database.run("GRANT REFERENCES ON public.users TO sankore_user")
    report = verified(stack)
    [finding] = [each for each in report.findings if each.check == "undeclared grant"]
    assert finding.actual == "REFERENCES"
    heal(stack, finding)
    as_declared(stack)


def test_doctor_names_the_declaration_that_is_missing(stack: Project) -> None:
    key = "CREATE TABLE seen (id int REFERENCES public.users (id))"
    with stack.connect("sankore") as session:
        words = said(lambda: session.execute(key.encode()))
    assert "permission denied for table users" in words
    code, found = diagnosed(stack, f"sankore_user: {words}\n[SQL: {key}]")
    confirmed_first(code, found, relations.FOREIGN_KEY)
    assert found["remedy"]["text"].splitlines()[-1].strip().startswith("- {table: public.users, references: true}")


def test_it_comes_with_the_columns_and_goes_with_the_word(stack: Project) -> None:
    declare(stack, {**WHOLE, "columns": ["id"]}, {**OF_COLUMNS, "columns": ["id", "name"]})
    stack.succeeds(stack.up())
    as_declared(stack)
    with stack.connect("madansara") as session:
        denied(session, "CREATE TABLE seen (id text REFERENCES public.users (email))")
    declare(stack, "public.users", {"table": "public.brands", "columns": ["id"]})
    stack.succeeds(stack.up())
    as_declared(stack)
    with stack.connect("madansara") as session:
        denied(session, "CREATE TABLE seen (id int REFERENCES public.users (id))")
        denied(session, "CREATE TABLE seen (id int REFERENCES public.brands (id))")
    declare(stack, WHOLE, OF_COLUMNS)
    stack.succeeds(stack.up())
    as_declared(stack)


def test_exactly_the_declared_functions_are_called(stack: Project) -> None:
    as_declared(stack)
    with stack.connect("madansara") as session:
        assert session.execute("SELECT public.f(1)").fetchall() == [(1,)]
        assert session.execute("""SELECT public."Odd.Name"(now(), '{}', 'a')""").fetchall() == [(1,)]
        session.execute("CALL public.p(1)")
        denied(session, "SELECT public.f('a'::text)")
    with stack.connect("sankore") as session:
        denied(session, "SELECT public.f(1)")
    asked = Asked(stack)
    assert "declared: its calls" in str(asked.line("madansara", "public.f(integer)", "EXECUTE"))
    assert """executes: ["public.f(text)"]""" in str(asked.line("madansara", "public.f(text)", "EXECUTE"))
    assert stack.succeeds(stack.preview("--refresh", "--expect-no-changes")).ops == {}


@pytest.mark.parametrize(
    ("call", "identity"),
    [
        ("public.f(int4)", "public.f(n integer)"),
        ("public.F(int4)", None),
        ("public.p(int)", "public.p"),
        ("public.f(bigint)", None),
        ("public.f(no_such_type)", None),
        ("public.f(no.such)", None),
        ("public.f(words without sense)", None),
        ("public.f(x.y.z)", None),
    ],
)
def test_types_are_what_the_server_takes_them_for(stack: Project, call: str, identity: str | None) -> None:
    declared = read(stack.folder, STACK)
    named, _, types = call.partition("(")
    execute = Execute(schema="public", function=named.removeprefix("public."), types=types.removesuffix(")"))
    with session(Access(declared.server, declared.server.database, declared.server.user, PASSWORD)) as asked:
        found = [each.identity for each in functions_of_server(asked, [execute]).values()]
    assert found == [] if identity is None else found[0].startswith(identity)


def test_a_call_that_was_taken_away_is_found_and_given_back(stack: Project) -> None:
    stack.database.run("REVOKE EXECUTE ON FUNCTION public.f(integer) FROM madansara_user")
    [finding] = verified(stack).findings
    assert (finding.check, finding.subject) == ("grant", "madansara_user on function public.f(n integer)")
    with stack.connect("madansara") as session:
        words = said(lambda: session.execute("SELECT public.f(1)"))
    code, found = diagnosed(stack, f"madansara_user: {words}")
    confirmed_first(code, found, functions.NOT_GRANTED)
    heal(stack, finding)
    as_declared(stack)


def test_a_call_that_is_not_declared_is_named(stack: Project) -> None:
    stack.database.run("GRANT EXECUTE ON FUNCTION public.f(text) TO sankore_user")
    [finding] = verified(stack).findings
    assert (finding.check, finding.subject) == ("undeclared grant", "sankore_user on function public.f(word text)")
    heal(stack, finding)
    with stack.connect("sankore") as session:
        words = said(lambda: session.execute("SELECT public.f('a'::text)"))
    code, found = diagnosed(stack, f"sankore_user: {words}")
    confirmed_first(code, found, functions.NOT_DECLARED)
    assert "executes:" in found["remedy"]["text"]


@pytest.mark.exhaustive
def test_functions_come_and_go_and_no_run_breaks(stack: Project) -> None:
    declare(stack, WHOLE, OF_COLUMNS, calls=[*CALLS, "public.later(bigint)"])
    first = stack.succeeds(stack.up())
    assert "the declared call public.later(bigint) does not exist yet" in first.output
    assert any("public.later(bigint)" in warning for warning in verified(stack).warnings)
    make = "CREATE FUNCTION public.later(bigint) RETURNS integer LANGUAGE sql AS 'SELECT 1'"
    revoke = "REVOKE EXECUTE ON FUNCTION public.later(bigint) FROM PUBLIC"
    admin = stack.database.admin
    stack.database.run_as(admin, make, revoke)
    assert stack.succeeds(stack.up()).ops == {"madansara-executes-public.later(bigint)": "create"}
    as_declared(stack)

    # Made anew between two runs, and so without its grants.
    stack.database.run_as(admin, "DROP FUNCTION public.later(bigint)", make, revoke)
    stack.succeeds(stack.up())
    as_declared(stack)

    stack.database.run_as(admin, "DROP FUNCTION public.later(bigint)")
    gone = stack.succeeds(stack.up())
    assert "the declared call public.later(bigint) no longer exists" in gone.output
    stack.succeeds(stack.up("--refresh"))
    stack.database.run_as(admin, make, revoke)
    stack.succeeds(stack.up())
    as_declared(stack)

    stack.database.run_as(admin, "DROP FUNCTION public.later(bigint)")
    declare(stack, WHOLE, OF_COLUMNS, calls=CALLS[1:])
    stack.succeeds(stack.up())
    assert not [name for name in stack.succeeds(stack.up()).ops if "executes" not in name]
    as_declared(stack)
    with stack.connect("madansara") as session:
        denied(session, "SELECT public.f(1)")
    declare(stack, WHOLE, OF_COLUMNS)
    stack.succeeds(stack.up())
    as_declared(stack)


def test_a_finding_is_accepted_for_a_reason_and_up_to_a_day(stack: Project) -> None:
    stack.database.run("GRANT TRIGGER ON public.users TO sankore_user")
    [finding] = verified(stack).findings
    entry = {"check": finding.check, "subject": finding.subject, "reason": "its old report", "until": "2999-12-31"}
    idle = {**entry, "subject": "nobody on table public.users"}
    declare(stack, WHOLE, OF_COLUMNS, accepted=[entry, idle])
    # As a person writes it: to YAML this is a date and no text.
    file = stack.folder / STACK_FILE
    file.write_text(file.read_text().replace('"2999-12-31"', "2999-12-31"))
    assert stack.succeeds(stack.preview("--expect-no-changes")).ops == {}
    done = tool_here(stack, "verify")
    assert done.returncode == 0, done.stdout
    assert f"accepted until 2999-12-31: {finding.check}: {finding.subject}: its old report" in done.stdout
    assert f"{finding.check}: nobody on table public.users is not found any more" in done.stdout
    said = json.loads(tool_here(stack, "verify", "--output", "json").stdout)
    assert (said["asDeclared"], said["findings"]) == (True, [])
    assert [(each["subject"], each["reason"]) for each in said["accepted"]] == [(finding.subject, "its old report")]

    declare(stack, WHOLE, OF_COLUMNS, accepted=[{**entry, "until": "2020-01-31"}])
    [again] = verified(stack).findings
    assert again.actual == f"{finding.actual} (accepted until 2020-01-31: its old report)"
    assert tool_here(stack, "verify", "--no-logins").returncode == 1
    heal(stack, again)
    declare(stack, WHOLE, OF_COLUMNS)
    as_declared(stack)


@pytest.mark.parametrize("service", [None, "madansara"], ids=["accepted", "not asked for"])
def test_what_this_run_does_not_place_is_healed_where_it_is(stack: Project, service: str | None) -> None:
    stack.database.run(
        "CREATE TABLE public.lost (id int)",
        "ALTER TABLE public.lost OWNER TO sankore_user",
        "GRANT SELECT ON public.lost TO madansara_user, analytics_readonly",
    )
    stays = {"check": "owner", "subject": "table public.lost", "reason": "a report reads it", "until": "2999-12-31"}
    declare(stack, WHOLE, OF_COLUMNS, accepted=[] if service else [stays])
    [finding] = [each for each in verified(stack, service=service).findings if each.check == "undeclared grant"]
    assert finding.subject == "madansara_user on table public.lost"
    heal(stack, finding)
    assert told(verified(stack, service=service, logins=False)) == []
    stack.database.run("DROP TABLE public.lost")
    declare(stack, WHOLE, OF_COLUMNS)


def test_an_outside_role_reads_what_is_declared(stack: Project) -> None:
    password = "OfAReportInTests"
    stack.database.run(f"CREATE ROLE old_report LOGIN PASSWORD '{password}'")
    reads = ["sankore.things", {"table": "public.users", "columns": ["id"]}, "sankore.later"]
    outside = {"old_report": {"database": ["CONNECT"], "reads": reads}}
    owner = stack.database.value("SELECT relowner::regrole FROM pg_class WHERE oid = 'public.users'::regclass")
    with stack.connect("sankore") as session:
        session.execute("CREATE TABLE things (id int)")
    declare(stack, WHOLE, OF_COLUMNS, outside=outside)
    up = stack.succeeds(stack.up())
    assert "old_report: the declared read sankore.later does not exist" in up.output
    as_declared(stack)
    with stack.database.session("old_report", password) as session:
        session.execute("SELECT id FROM sankore.things")
        session.execute("SELECT id FROM public.users")
        denied(session, "SELECT email FROM public.users")
        denied(session, "INSERT INTO sankore.things VALUES (1)")
    assert "declared: its reads" in str(Asked(stack).line("old_report", "sankore.things", "SELECT"))
    assert stack.succeeds(stack.preview("--refresh", "--expect-no-changes")).ops == {}

    stack.database.run("REVOKE SELECT ON sankore.things FROM old_report", "GRANT INSERT ON public.users TO old_report")
    found = {finding.check: finding for finding in verified(stack).findings}
    assert set(found) == {"grant", "undeclared grant"}
    assert list(stack.preview("--refresh").ops) == ["outside-old_report-reads-sankore.things"]
    for each in found.values():
        heal(stack, each)
    as_declared(stack)

    # Of what is its own, a grant would end in taking from it what an owner has.
    stack.database.run("ALTER TABLE public.users OWNER TO old_report")
    refused = stack.preview()
    assert refused.exit != 0
    assert "own what they are declared to read" in refused.output
    assert "old_report: public.users" in refused.output
    stack.database.run(f"ALTER TABLE public.users OWNER TO {owner}")

    # Undeclared, it keeps what it has, as an outside role does; in a service's schema that is a finding.
    declare(stack, WHOLE, OF_COLUMNS, outside={"old_report": {"database": ["CONNECT"]}})
    before = stack.database.mark()
    assert set(stack.succeeds(stack.up()).ops.values()) == {"delete"}
    assert [change for change in stack.database.changes(before) if "SAVEPOINT" not in change] == []
    left = verified(stack).findings
    assert {each.check for each in left} == {"undeclared grant"}
    for each in left:
        heal(stack, each)
    as_declared(stack)


def test_what_has_no_room_in_its_schema_is_left_to_people(stack: Project) -> None:
    made = (
        "CREATE FUNCTION {}.g(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "ALTER FUNCTION {}.g(integer) OWNER TO sankore_user",
        "CREATE TYPE {}.kind AS ENUM ()",
        "ALTER TYPE {}.kind OWNER TO sankore_user",
    )
    stack.database.run(*(each.format(schema) for schema in ("public", "sankore") for each in made))
    stack.database.run(
        "CREATE TABLE public.lost (id int PRIMARY KEY)",
        "ALTER TABLE public.lost OWNER TO sankore_user",
        "CREATE TABLE sankore.kept (id int CONSTRAINT lost_pkey PRIMARY KEY)",
        "ALTER TABLE sankore.kept OWNER TO sankore_user",
    )
    owners = [finding for finding in verified(stack, logins=False).findings if finding.check == "owner"]
    assert [owner.subject for owner in owners] == ["routine public.g(integer)", "table public.lost", "type public.kind"]
    assert {owner.remedy.kind for owner in owners} == {"code"}
    stack.database.run(
        "DROP TABLE public.lost, sankore.kept",
        "DROP FUNCTION public.g(integer), sankore.g(integer)",
        "DROP TYPE public.kind, sankore.kind",
    )


def test_what_is_accepted_hides_nothing_that_follows_from_it(stack: Project) -> None:
    stays = {"check": "attributes", "subject": "sankore_user", "reason": "it makes databases", "until": "2999-12-31"}
    declare(stack, WHOLE, OF_COLUMNS, accepted=[stays])
    stack.database.run("ALTER ROLE sankore_user CREATEDB NOLOGIN")
    assert ("login", "sankore_user") in {(finding.check, finding.subject) for finding in verified(stack).findings}
    stack.database.run("ALTER ROLE sankore_user NOCREATEDB LOGIN")
    declare(stack, WHOLE, OF_COLUMNS)
