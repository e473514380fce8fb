"""The remedies of one run as a set, and as a script."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from engarde.checks.admin_capabilities import admin_capabilities
from engarde.checks.placement import place
from engarde.checks.remedies import ordered, script, transactions
from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import PASSWORD_KEY, parse
from engarde.output.findings import Finding, Remedy, Verb
from engarde.output.show import Findings, console
from engarde.server.catalog import Catalog, Database, Entry, Owned, Relation, Role, Schema
from tests.unit.observed import found as asked

SERVER = {"host": "127.0.0.1", "database": "railway"}
SERVICES = {"a": {"reads": ["b.t"]}, "b": None}
STACK = parse("local", {"server": SERVER, "services": SERVICES}, {PASSWORD_KEY})
DATABASE = restrict_to(STACK, None)
ROLES = {"postgres": True, "a_user": False, "b_user": False, "other": False}
ALL = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


def table(schema: str, name: str, owner: str) -> Relation:
    return Relation("table", schema, name, f"{schema}.{name}", owner, True, False, False, ["id"], None)


def entry(of: Relation, grantee: str, right: str, *, grantor: str | None = None, grantable: bool = False) -> Entry:
    return Entry(
        *("table", of.schema, of.name, of.identity, None, of.owner, grantee, grantor or of.owner, right),
        grantable=grantable,
        guarded=False,
    )


def catalog(*relations: Relation, entries: tuple[Entry, ...] = (), strangers: tuple[Owned, ...] = ()) -> Catalog:
    more: dict[str, Any] = dict.fromkeys(
        ("memberships", "settings", "lost", "defaults", "views", "inherits", "definers"), ()
    )
    return Catalog(
        major=17,
        roles={
            name: Role(name, superuser, False, superuser, True, False, False, True, False, False, -1, False, False)
            for name, superuser in ROLES.items()
        },
        databases={"railway": Database("railway", "railway", "postgres", -1)},
        schemas={each: Schema(each, each, f"{each}_user", False) for each in ("a", "b", "public")},
        relations=relations,
        entries=entries,
        strangers=strangers,
        **more,
    )


RIGHTS = ("grant", "undeclared grant", "grant option", "owner's right")


def printed(found: Catalog) -> list[str]:
    """The statements on tables, in order: of owners first, then of grants as they are then."""
    placing = asked(DATABASE, found, "owner")
    findings = [*placing, *asked(DATABASE, found, *RIGHTS, placed=placing)]
    return [transaction.statements for transaction in transactions(findings) if "TABLE" in transaction.statements]


def placed(
    kind: str, schema: str, owner: str, *, definer: bool = False, taken: bool = False, of_another: bool = False
) -> str:
    """What is printed for one thing."""
    owned = Owned(kind, schema, "f", f"{schema}.f", owner, definer, of_another, taken)
    return place(DATABASE, catalog(), admin_capabilities(DATABASE, catalog()), owned).remedy.text


def test_what_another_wrote_gets_no_rights_with_its_new_owner() -> None:
    give = 'ALTER ROUTINE a.f OWNER TO "a_user";'
    assert placed("routine", "a", "b_user", definer=True) == f"ALTER ROUTINE a.f SECURITY INVOKER;\n{give}"
    assert placed("routine", "a", "b_user") == placed("routine", "a", "postgres", definer=True) == give


def test_a_view_goes_to_who_wrote_it_and_never_to_whose_schema_it_is_in() -> None:
    assert placed("view", "public", "b_user") == 'ALTER VIEW public.f SET SCHEMA "b";'
    assert placed("view", "a", "b_user").split("\n")[1] == 'ALTER VIEW a.f SET SCHEMA "b";'
    assert all("OWNER TO" not in placed("view", "a", owner) for owner in ("other", "b_user"))
    assert placed("view", "a", "postgres") == 'ALTER VIEW a.f OWNER TO "a_user";'


def test_a_table_of_a_service_goes_home_from_where_nobody_declared_it() -> None:
    assert placed("table", "public", "b_user") == 'ALTER TABLE public.f SET SCHEMA "b";'
    assert placed("table", "a", "b_user") == 'ALTER TABLE a.f OWNER TO "a_user";'
    assert placed("table", "public", "b_user", of_another=True) == 'ALTER TABLE public.f OWNER TO "postgres";'
    assert "already has f" in placed("table", "public", "b_user", taken=True)


def test_what_others_live_by_is_handed_over_by_people_alone() -> None:
    def given(kind: str, *, definer: bool = False) -> Remedy:
        owned = Owned(kind, "a", "f", "a.f", "postgres", definer)
        return place(DATABASE, catalog(), admin_capabilities(DATABASE, catalog()), owned).remedy

    assert [kind for kind in ("table", "sequence", "domain", "type", "view", "routine") if given(kind).safe] == [
        "table",
        "sequence",
    ]
    with_rules = given("table", definer=True)
    assert (with_rules.kind, with_rules.safe) == ("sql", False)
    assert "OWNER TO" not in placed("table", "a", "b_user", definer=True)
    assert placed("table", "public", "b_user", definer=True) == 'ALTER TABLE public.f SET SCHEMA "b";'


def test_nothing_is_taken_from_who_is_about_to_own() -> None:
    of_admin = table("b", "t", "postgres")
    found = catalog(
        of_admin,
        entries=(*(entry(of_admin, "b_user", right) for right in ALL), entry(of_admin, "other", "SELECT")),
        strangers=(Owned("table", "b", "t", "b.t", "postgres", False),),
    )
    give = 'ALTER TABLE b.t OWNER TO "b_user";\nGRANT SELECT ON TABLE b.t TO "a_user";'
    assert printed(found) == [give, 'REVOKE SELECT ON TABLE b.t FROM "other";']


def test_who_owned_and_may_still_read_is_granted_that_in_the_same_transaction() -> None:
    of_a = table("b", "t", "a_user")
    found = catalog(of_a, strangers=(Owned("table", "b", "t", "b.t", "a_user", False),))
    assert printed(found) == ['ALTER TABLE b.t OWNER TO "b_user";\nGRANT SELECT ON TABLE b.t TO "a_user";']


def test_what_goes_by_cascade_and_is_declared_is_granted_before() -> None:
    own = table("b", "t", "b_user")
    by_other = (entry(own, "a_user", "SELECT", grantor="other"), entry(own, "postgres", "SELECT", grantor="other"))
    found = catalog(own, entries=(entry(own, "other", "SELECT", grantable=True), *by_other))
    assert printed(found) == [
        'GRANT SELECT ON TABLE b.t TO "a_user";',
        'REVOKE SELECT ON TABLE b.t FROM "other" CASCADE;',
    ]


@pytest.mark.parametrize(("writers", "kind"), [(("b_user",), "decision"), (("b_user", "other"), "sql")])
def test_what_a_service_alone_writes_may_be_its_own(writers: tuple[str, ...], kind: str) -> None:
    stack = parse(
        "local", {"server": SERVER, "services": SERVICES, "existingSchemas": {"public": None}}, {PASSWORD_KEY}
    )
    shared = table("public", "leads", "postgres")
    found = catalog(shared, entries=tuple(entry(shared, who, right) for who in writers for right in ALL))
    undue = next(
        each for each in asked(restrict_to(stack, None), found, *RIGHTS) if each.subject.startswith("b_user on table")
    )
    assert undue.remedy.kind == kind
    assert ('ALTER TABLE public.leads SET SCHEMA "b";' in undue.remedy.text) == (kind == "decision")


def finding(subject: str, text: str, verb: Verb, *, thing: str = "", superuser: bool = False) -> Finding:
    remedy = Remedy("sql", text, by_superuser=superuser, safe=not superuser, verb=verb, thing=thing)
    return Finding("check", subject, "expected", "actual", remedy)


def test_one_transaction_for_each_and_for_all_that_belongs_together() -> None:
    revoke, own = finding("1", "REVOKE;", Verb.REVOKE), finding("2", "OWN;", Verb.PLACE, thing="a.t")
    grant = finding("3", "GRANT;", Verb.GRANT, thing="a.t", superuser=True)
    drop = finding("4", "DROP;", Verb.END)
    found = [drop, revoke, grant, own, finding("5", "REVOKE;", Verb.REVOKE)]
    together, taken = transactions(found)
    assert (together.statements, together.by_superuser, together.safe) == ("OWN;\nGRANT;", True, False)
    assert (taken.statements, taken.by_superuser, taken.safe) == ("REVOKE;", False, True)
    assert [each.subject for each in ordered(found)] == ["2", "3", "1", "5", "4"]


def test_a_name_ends_no_comment_and_begins_no_command() -> None:
    name = "x\n\\! touch pwned\n*/ ' \u202e"
    found = [finding(name, f'REVOKE "{name}";', Verb.REVOKE, superuser=True), finding(name, "DROP;", Verb.END)]
    lines = script(STACK, found).split("\n")
    commands = [line for line in lines if line.startswith("\\")]
    assert [command.split()[0] for command in commands] == [
        *("\\set", "\\connect", "\\encoding", "\\if", "\\else", "\\warn", "\\endif")
    ]
    assert not [line for line in lines if "touch" in line and not line.startswith(("--", "REVOKE U&", "\\warn '"))]
    assert not any("\u202e" in line for line in lines)


def test_nothing_else_is_made_before_a_superuser_has_disarmed_what_it_would_run() -> None:
    disarm = finding("1", "DISARM;", Verb.DISARM, superuser=True)
    found = [finding("2", "GRANT;", Verb.GRANT), disarm, finding("3", "DROP;", Verb.REVOKE, superuser=True)]
    depth, within = 0, {}
    for line in script(STACK, found).split("\n"):
        depth += {"\\if": 1, "\\endif": -1}.get(line.split(" ")[0], 0)
        within[line] = depth
    assert [within[each] for each in ("DISARM;", "GRANT;", "DROP;")] == [1, 1, 2]
    [warning] = [each for each in within if "skipped 2 transactions" in each]
    assert within[warning] == 1
    assert "\\if" not in script(STACK, [finding("1", "DISARM;", Verb.DISARM), finding("2", "GRANT;", Verb.GRANT)])


def test_each_database_is_entered_where_it_is() -> None:
    stack = parse(
        "local",
        {
            "server": SERVER,
            "services": {"a": None, "b": {"database": "own"}, "c": {"database": "far"}},
            "adminPasswords": {"far": {"secure": "v1:AAAA"}},
            "databases": {"far": {"host": "h", "port": 5433, "user": "adm"}},
        },
        {PASSWORD_KEY},
    )
    found = [replace(finding("1", "GRANT;", Verb.GRANT), database=name) for name in ("own", "railway", "far")]
    lines = script(stack, found).split("\n")
    assert [line for line in lines if line.startswith("\\connect")] == [
        "\\connect -reuse-previous=on \"dbname='railway'\"",
        "\\connect -reuse-previous=on \"dbname='far' host='h' port='5433' user='adm'\"",
        "\\connect -reuse-previous=on \"dbname='own'\"",
    ]
    # psql asks the environment again at each.
    assert all(then == "\\encoding UTF8" for each, then in pairwise(lines) if each.startswith("\\connect"))


def test_what_a_superuser_runs_before_an_edit_is_a_remedy_of_its_own() -> None:
    edit = Remedy("edit", "engarde:services.a.adopt: true", first=Remedy("sql", "GRANT b TO c;", by_superuser=True))
    result = Findings([Finding("default privileges", "b in public", "declared", "not declared", edit)], "")
    printed = console()
    with printed.capture() as caught:
        printed.print(result.text())
    told = caught.get()
    superuser, statement, line = (
        told.index(part) for part in ("as a superuser", "  GRANT b TO c;", "  engarde:services")
    )
    assert superuser < statement < line
    [finding] = result.data()["findings"]
    assert finding["remedy"]["first"]["bySuperuser"]
    assert "--     first as a superuser: GRANT b TO c;" in script(STACK, result.found)
