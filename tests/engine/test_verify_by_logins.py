"""What logging in and trying finds by itself, with the catalogs left unread."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from engarde.checks import registry
from engarde.checks.registry import Stage
from tests.conftest import Stacks
from tests.engine.program import Project
from tests.engine.verified_stack import proved
from tests.engine.verifying import told, verified

pytestmark = pytest.mark.xdist_group("verify")

FIELD = "\"Field 'Notes'\""
# check, subject, what it says among others; what is done by hand; what undoes it
FOUND = {
    "reading": (
        (
            "behaviour",
            "sankore_user in schema madansara",
            "LOCK TABLE ONLY madansara.parts IN ACCESS SHARE MODE NOWAIT: allowed",
        ),
        ("GRANT USAGE ON SCHEMA madansara TO sankore_user", "GRANT SELECT ON madansara.parts TO sankore_user"),
        ("REVOKE ALL ON madansara.parts FROM sankore_user", "REVOKE ALL ON SCHEMA madansara FROM sankore_user"),
    ),
    "not refused for the right reason": (
        ("behaviour", f"sankore_user in schema {FIELD[1:-1]}", "LOCK TABLE ONLY"),
        (
            f"GRANT USAGE ON SCHEMA {FIELD} TO sankore_user",
            f"GRANT ALL ON ALL TABLES IN SCHEMA {FIELD} TO sankore_user",
        ),
        (
            f"REVOKE ALL ON ALL TABLES IN SCHEMA {FIELD} FROM sankore_user",
            f"REVOKE ALL ON SCHEMA {FIELD} FROM sankore_user",
        ),
    ),
    "writing where it reads": (
        (
            "behaviour",
            "sankore_user in schema onside",
            "LOCK TABLE ONLY onside.things IN ROW EXCLUSIVE MODE NOWAIT: allowed",
        ),
        ("GRANT INSERT ON onside.things TO sankore_user",),
        ("REVOKE INSERT ON onside.things FROM sankore_user",),
    ),
    "emptying where it reads": (
        (
            "behaviour",
            "sankore_user in schema onside",
            "LOCK TABLE ONLY onside.things IN ROW EXCLUSIVE MODE NOWAIT: allowed",
        ),
        ("GRANT TRUNCATE ON onside.things TO sankore_user",),
        ("REVOKE TRUNCATE ON onside.things FROM sankore_user",),
    ),
    "a column that it does not read": (
        (
            "behaviour",
            "madansara_user in schema public",
            "LOCK TABLE ONLY public.brands IN ACCESS SHARE MODE NOWAIT: allowed",
        ),
        ("GRANT SELECT ON public.brands TO madansara_user",),
        ("REVOKE SELECT ON public.brands FROM madansara_user", "GRANT SELECT (id) ON public.brands TO madansara_user"),
    ),
    "changing what it reads": (
        (
            "behaviour",
            "sankore_user in schema onside",
            "LOCK TABLE ONLY onside.things IN ROW EXCLUSIVE MODE NOWAIT: allo",
        ),
        ("GRANT UPDATE ON onside.things TO sankore_user",),
        ("REVOKE UPDATE ON onside.things FROM sankore_user",),
    ),
    "deleting what it reads": (
        (
            "behaviour",
            "sankore_user in schema onside",
            "LOCK TABLE ONLY onside.things IN ROW EXCLUSIVE MODE NOWAIT: allo",
        ),
        ("GRANT DELETE ON onside.things TO sankore_user",),
        ("REVOKE DELETE ON onside.things FROM sankore_user",),
    ),
    "changing a column of what it reads": (
        ("behaviour", "sankore_user in schema onside", "UPDATE on onside.things: allowed, by catalog"),
        ("GRANT UPDATE (word) ON onside.things TO sankore_user",),
        ("REVOKE UPDATE (word) ON onside.things FROM sankore_user",),
    ),
    "what is made later": (
        ("behaviour", "sankore_user in schema onside", ": allowed"),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE onside_user IN SCHEMA onside GRANT SELECT ON TABLES TO sankore_user",),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE onside_user IN SCHEMA onside REVOKE SELECT ON TABLES FROM sankore_user",),
    ),
    "another column": (
        (
            "behaviour",
            "madansara_user in schema public",
            'SELECT on column "name" of public.brands: allowed, by catalog',
        ),
        ("GRANT SELECT (name) ON public.brands TO madansara_user",),
        ("REVOKE SELECT (name) ON public.brands FROM madansara_user",),
    ),
    "not its column": (
        ("behaviour", "madansara_user in schema public", 'SELECT on column "id" of public.brands: missing, by catalog'),
        ("REVOKE SELECT (id) ON public.brands FROM madansara_user",),
        ("GRANT SELECT (id) ON public.brands TO madansara_user",),
    ),
    "sequences that analytics may not see": (
        ("behaviour", "analytics_readonly in schema onside", "42501 permission denied for sequence things_id_seq"),
        ("REVOKE SELECT ON SEQUENCE onside.things_id_seq FROM analytics_readonly",),
        ("GRANT SELECT ON SEQUENCE onside.things_id_seq TO analytics_readonly",),
    ),
    "sequences that analytics may set": (
        ("behaviour", "analytics_readonly in schema onside", "25006 cannot execute setval()"),
        ("GRANT UPDATE ON SEQUENCE onside.things_id_seq TO analytics_readonly",),
        ("REVOKE UPDATE ON SEQUENCE onside.things_id_seq FROM analytics_readonly",),
    ),
    "a declared read that is refused": (
        ("behaviour", "madansara_user in schema public", "42501 permission denied for table users"),
        ("REVOKE SELECT ON public.users FROM madansara_user",),
        ("GRANT SELECT ON public.users TO madansara_user",),
    ),
    "making tables elsewhere": (
        ("behaviour", "onside_user in schema public", "CREATE TABLE"),
        ("GRANT CREATE ON SCHEMA public TO onside_user",),
        ("REVOKE CREATE ON SCHEMA public FROM onside_user",),
    ),
    "an undeclared schema": (
        ("behaviour", "onside_user in schema attic", "42P01"),
        ("CREATE SCHEMA attic", "GRANT USAGE ON SCHEMA attic TO PUBLIC"),
        ("DROP SCHEMA attic",),
    ),
    "becoming another role": (
        ("behaviour", "onside_user in database railway", 'SET LOCAL ROLE "sankore_user": allowed'),
        ("GRANT sankore_user TO onside_user",),
        ("REVOKE sankore_user FROM onside_user",),
    ),
    "temporary tables of analytics": (
        ("behaviour", "analytics_readonly in database railway", "CREATE TEMPORARY TABLE"),
        ("GRANT TEMPORARY ON DATABASE railway TO analytics_readonly",),
        ("REVOKE TEMPORARY ON DATABASE railway FROM analytics_readonly",),
    ),
    "sequences that analytics may move": (
        ("behaviour", "analytics_readonly in schema onside", "25006 cannot execute nextval()"),
        ("GRANT USAGE ON SEQUENCE onside.things_id_seq TO analytics_readonly",),
        ("REVOKE USAGE ON SEQUENCE onside.things_id_seq FROM analytics_readonly",),
    ),
    "new tables that analytics does not see": (
        ("behaviour", "analytics_readonly in schema onside", "42501 permission denied for table engarde_probe"),
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE onside_user IN SCHEMA onside"
            " REVOKE SELECT ON TABLES FROM analytics_readonly",
        ),
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE onside_user IN SCHEMA onside"
            " GRANT SELECT ON TABLES TO analytics_readonly",
        ),
    ),
    "new functions that analytics may call": (
        ("behaviour", "analytics_readonly in schema onside", 'SELECT "onside".engarde_probe'),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE onside_user GRANT EXECUTE ON FUNCTIONS TO PUBLIC",),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE onside_user REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",),
    ),
    "no table in its own schema": (
        ("behaviour", "onside_user in schema onside", "42501 permission denied for schema"),
        ("REVOKE CREATE ON SCHEMA onside FROM onside_user",),
        ("GRANT CREATE ON SCHEMA onside TO onside_user",),
    ),
    "names that lead elsewhere": (
        ("session", "search_path of onside_user", "public"),
        ("ALTER ROLE onside_user SET search_path = public",),
        ("ALTER ROLE onside_user SET search_path = onside, public",),
    ),
    "another role from the start": (
        ("session", "role of onside_user", "sankore_user"),
        ("GRANT sankore_user TO onside_user", "ALTER ROLE onside_user SET role = sankore_user"),
        ("ALTER ROLE onside_user RESET role", "REVOKE sankore_user FROM onside_user"),
    ),
    "another timeout": (
        ("session", "statement_timeout of madansara_user", "60000"),
        ("ALTER ROLE madansara_user SET statement_timeout = '1min'",),
        ("ALTER ROLE madansara_user SET statement_timeout = 9000",),
    ),
    "no way in": (
        ("login", "onside_user", "not permitted to log in"),
        ("ALTER ROLE onside_user NOLOGIN",),
        ("ALTER ROLE onside_user LOGIN",),
    ),
}


LOGINS = registry.checks("logins")


@pytest.fixture(scope="module")
def stack(stacks: Stacks) -> Iterator[Project]:
    with proved(stacks) as project:
        yield project


@pytest.mark.parametrize("name", FOUND)
def test_logins_alone_find_it(stack: Project, name: str) -> None:
    (check, subject, said), by_hand, undo = FOUND[name]
    asked = [check for check in registry.checks("isolation") if check.stage not in (Stage.ROLES, Stage.PRIVILEGES)]
    with patch("engarde.verify.run.registry.checks", lambda group: asked if group == "isolation" else LOGINS):
        assert told(verified(stack)) == []
        stack.database.run(*by_hand)
        try:
            found = verified(stack).findings
        finally:
            stack.database.run(*undo)
        subject = subject.format(admin=stack.database.admin.user)
        actual = [each.actual for each in found if (each.check, each.subject) == (check, subject)]
        assert any(said in each for each in actual), [(each.subject, each.actual) for each in found]
        assert told(verified(stack)) == []
