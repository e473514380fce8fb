"""`bin/engarde railway`: plans and pushes against a fake Railway, from what a real engine has made."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.admins import only_superuser
from tests.engine.conftest import Stacks
from tests.engine.delivered import NAMES, PRODUCTION, STACK, Delivery, delivery, urls
from tests.engine.program import Project
from tests.engine.unheard import How, unheard

pytestmark = [pytest.mark.xdist_group("railway"), only_superuser]

ALL = set(NAMES.values())
BOTH = {"DATABASE_URL": "set", "DATABASE_UNPOOLED_URL": "set"}
SAME = dict.fromkeys(BOTH, "same")


@pytest.fixture(scope="module")
def stack(stacks: Stacks) -> Iterator[Project]:
    with stacks(**STACK) as project:
        yield project


@pytest.fixture
def there(stack: Project) -> Iterator[Delivery]:
    """Also sees to it that nothing secret is printed."""
    with delivery(stack) as made:
        yield made
        for text in made.printed:
            assert not [password for password in stack.passwords if password in text], text


def test_from_nothing_to_everything_and_then_nothing_more(there: Delivery) -> None:
    own = urls(there.stack)
    assert there.plan() == {
        "madansara": ({"DATABASE_URL": "set"}, "deploy"),
        "Sankore-API": (BOTH, "deploy"),
        "sankore-worker": (BOTH, "deploy"),
        "metabase": ({"ANALYTICS_URL": "set"}, "deploy"),
    }
    assert there.tool("plan").returncode == 1
    assert there.fake.writes == []
    assert there.states() == dict.fromkeys(ALL, "deployed")
    host = "db.internal"
    expected = {key: url.replace("${{Postgres.RAILWAY_PRIVATE_DOMAIN}}", host) for key, url in own.items()}
    both = {"DATABASE_URL": expected["sankore"], "DATABASE_UNPOOLED_URL": own["unpooled"]}
    assert there.running("madansara") == {"OWN": "x", "DATABASE_URL": expected["madansara"]}
    assert there.running("sankore") == there.running("worker") == {"OWN": "x", **both}
    assert there.running("analytics") == {"OWN": "x", "ANALYTICS_URL": expected["analytics"]}
    # Unrendered, so that the address follows a renamed database.
    assert there.services["madansara"].variables(PRODUCTION)["DATABASE_URL"] == own["madansara"]
    for service in there.services.values():
        assert len(service.deployments(PRODUCTION)) == 2
        assert service.variables("staging") == {"OWN": "x"}
    inputs = [write.variables["input"] for write in there.fake.writes if "input" in write.variables]
    assert len(inputs) == 4
    assert all(each["serviceId"] and each["skipDeploys"] and not each["replace"] for each in inputs)

    there.fake.forget()
    assert there.states() == dict.fromkeys(ALL, "as declared")
    # As an operator runs it.
    assert there.stack.tool("railway", "plan", **there.fake.environment(there.token)).returncode == 0
    assert there.fake.writes == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("how", ["unread", "full", "terminal"])
def test_everything_is_delivered_where_nobody_hears_of_it(there: Delivery, how: How) -> None:
    token = there.fake.environment(there.token)
    assert unheard(there.stack, how, "railway", "push", after="deploying", **token) == 74
    assert there.states() == dict.fromkeys(ALL, "as declared")
    assert there.running("madansara").keys() == {"OWN", "DATABASE_URL"}


def test_what_a_person_sees(there: Delivery) -> None:
    there.quick()
    planned = there.tool("plan").stdout
    assert "DATABASE_UNPOOLED_URL: set" in planned
    pushed = there.tool("push")
    assert "deployed" in pushed.stdout
    assert "madansara: writing DATABASE_URL" in pushed.stderr
    assert "madansara: SUCCESS" in pushed.stderr


def test_only_what_has_changed(there: Delivery) -> None:
    there.quick()
    there.states()
    there.services["madansara"].set(PRODUCTION, DATABASE_URL="postgresql://somebody:else@h/d")
    there.services["madansara"].deploy(PRODUCTION)
    there.fake.forget()
    there.quick()
    assert there.plan()["madansara"] == ({"DATABASE_URL": "change"}, "deploy")
    assert there.states()["madansara"] == "deployed"
    assert {name for write in there.fake.writes for name in write.services} == {"madansara"}
    assert len(there.fake.writes) == 2
    # A rollback brings back the variables of its time.
    there.services["madansara"].roll_back(PRODUCTION)
    assert there.plan()["madansara"] == ({"DATABASE_URL": "change"}, "deploy")


def test_what_railways_own_configuration_does_to_a_variable_is_seen_and_undone(there: Delivery) -> None:
    there.quick()
    there.states()
    there.services["madansara"].unset(PRODUCTION, "DATABASE_URL")
    there.services["sankore"].set(PRODUCTION, DATABASE_URL="${{Postgres.DATABASE_URL}}")
    assert there.plan() == {
        "madansara": ({"DATABASE_URL": "set"}, "deploy"),
        "Sankore-API": ({**SAME, "DATABASE_URL": "change"}, "deploy"),
        "sankore-worker": (SAME, "none"),
        "metabase": ({"ANALYTICS_URL": "same"}, "none"),
    }
    assert there.tool("plan").returncode == 1
    there.quick()
    assert {*there.states().values()} == {"deployed", "as declared"}
    assert there.tool("plan").returncode == 0


def test_only_one_service(there: Delivery) -> None:
    there.quick()
    assert there.states("sankore") == dict.fromkeys(["Sankore-API", "sankore-worker"], "deployed")
    assert "DATABASE_URL" not in there.services["madansara"].variables(PRODUCTION)
    assert set(there.plan("analytics", "madansara")) == {"madansara", "metabase"}


def test_written_and_not_deployed_is_deployed_by_the_next(there: Delivery) -> None:
    assert set(there.states("--no-deploy").values()) == {
        "written; the running service has the old value until it is deployed"
    }
    assert "deploy" not in "".join(there.fake.fields).lower().replace("latestdeployment", "")
    assert there.plan()["madansara"] == ({"DATABASE_URL": "same"}, "deploy")
    there.fake.forget()
    assert set(there.states("--no-wait").values()) == {"its deployment was started"}
    assert "variableCollectionUpsert" not in there.fake.fields
    assert there.plan()["madansara"] == ({"DATABASE_URL": "same"}, "wait")
    assert set(there.states().values()) == {"deployed"}
    assert there.fake.fields.count("serviceInstanceDeployV2") == len(NAMES)
    assert there.tool("plan").returncode == 0


def test_a_sealed_variable(there: Delivery) -> None:
    there.quick()
    there.states()
    there.services["madansara"].seal(PRODUCTION, "DATABASE_URL", "postgresql://nobody@knows/it")
    there.services["madansara"].deploy(PRODUCTION)
    there.fake.forget()
    assert there.plan()["madansara"] == ({"DATABASE_URL": "unknown"}, "none")
    assert "unknown (sealed)" in there.tool("plan").stdout
    assert "is sealed" in there.states(code=4)["madansara"]
    assert there.fake.writes == []
    there.quick()
    assert there.states("--write-sealed")["madansara"] == "deployed"
    assert there.running("madansara")["DATABASE_URL"].startswith("postgresql://madansara_user:")


def test_with_an_accounts_token_and_a_projects_id(there: Delivery) -> None:
    there.token = there.fake.account_token
    assert len(there.plan()) == 4
    sections = {**STACK, "railway": {"project": there.there.id, "environment": PRODUCTION}}
    there.stack.declare(**sections)
    try:
        assert len(there.plan()) == 4
    finally:
        there.stack.declare(**STACK)


def test_a_stack_file_that_was_edited_since(there: Delivery) -> None:
    there.stack.declare(**{**STACK, "serviceAddress": {"host": "elsewhere"}})
    try:
        done = there.tool("push")
    finally:
        there.stack.declare(**STACK)
    assert done.returncode == 2
    assert "was edited in the stack file after the last `up`. Nothing was delivered." in done.stderr
    assert "Run `bin/pulumi up --stack local` first" in done.stderr
    assert there.fake.requests == []


def older(service: str, host: str) -> str:
    """A service's URL of before its last rotation, as somebody has written it there."""
    return f"postgresql://{service}_user:of-last-year@{host}/railway"


def test_other_variables_that_hold_an_older_login(there: Delivery) -> None:
    there.quick()
    old = older("madansara", "db.internal:5432")
    helper = there.there.service("helper", deployed=True, variables={"URL": "${{madansara.APP_DATABASE_URL}}"})
    there.there.share(PRODUCTION, EVERYBODYS=older("sankore", "postgres.railway.internal:6543"))
    there.services["madansara"].set(
        PRODUCTION,
        APP_DATABASE_URL=old,
        DATABASE_URL=old,
        ALIAS="${{DATABASE_URL}}",
        ALIAS_OF_ALIAS="${{ madansara.ALIAS }}",
        REFERS=older("madansara", "${{Postgres.RAILWAY_PRIVATE_DOMAIN}}"),
        ELSEWHERE=older("madansara", "other.internal"),
        OTHER_PORT=older("madansara", "db.internal:6000"),
        NOBODYS=older("nobody", "db.internal"),
        RIGHT=urls(there.stack)["madansara"],
    )
    there.services["worker"].set(
        PRODUCTION,
        DB_USER="sankore_user",
        DB_PASSWORD="of-last-year",
        DB_HOST="db.internal",
        PGUSER="sankore_user",
        PGPASSWORD="of-last-year",
        PGHOST="other.internal",
        JDBC="jdbc:postgresql://db.internal:5432/railway?user=sankore_user&password=of-last-year",
        DSN="host=db.internal user=sankore_user password='of-last-year' dbname=railway",
    )
    done = there.tool("plan", "--output", "json")
    found = {(load["railwayService"], load["variable"], load["role"]) for load in json.loads(done.stdout)["oldLogins"]}
    assert found == {
        ("(shared)", "EVERYBODYS", "sankore_user"),
        ("helper", "URL", "madansara_user"),
        ("madansara", "APP_DATABASE_URL", "madansara_user"),
        ("madansara", "REFERS", "madansara_user"),
        ("sankore-worker", "DB_USER, DB_PASSWORD", "sankore_user"),
        ("sankore-worker", "JDBC", "sankore_user"),
        ("sankore-worker", "DSN", "sankore_user"),
    }
    shown = " ".join(there.tool("plan", "madansara").stdout.split())
    assert "madansara: APP_DATABASE_URL holds an old login of madansara_user, which no longer works: declare" in shown
    assert "declare helper and URL in `railway` under engarde:services, madansara" in shown
    assert "sankore" not in shown
    refused = there.tool("push")
    assert refused.returncode == 2
    assert "Nothing was changed. Fix them, or run the command with `--despite-old-logins`" in refused.stderr
    assert "declare APP_DATABASE_URL in `railway.variables` under engarde:services, madansara" in refused.stderr
    assert there.fake.writes == []
    audit = json.loads(there.tool("audit", "--output", "json").stdout)["findings"]
    assert {each["subject"] for each in audit} >= {f"{service}: {name}" for service, name, _ in found}
    assert "of-last-year" not in "".join(there.printed)

    there.services["madansara"].unset(PRODUCTION, "REFERS")
    helper.unset(PRODUCTION, "URL")
    declared: dict[str, Any] = {"railway": {"variables": {"DATABASE_URL": {}, "APP_DATABASE_URL": {}}}}
    services = {**STACK["services"], "madansara": declared}
    there.stack.declare(**{**STACK, "services": services})
    try:
        assert there.states("madansara") == {"madansara": "deployed"}
        assert there.tool("plan", "madansara").returncode == 0
    finally:
        there.stack.declare(**STACK)
    running = there.running("madansara")
    assert {running[each] for each in ("APP_DATABASE_URL", "ALIAS", "ALIAS_OF_ALIAS")} == {running["DATABASE_URL"]}
    there.quick()
    assert set(there.states("--despite-old-logins", "sankore").values()) == {"deployed"}
