"""Fifty services: delivered within the limits of Railway's smallest plan, and looked at with few requests."""

import json

import pytest

from tests.engine.admins import only_superuser
from tests.engine.conftest import Projects
from tests.engine.delivered import PRODUCTION, SECTION
from tests.engine.neighbours import neighbours
from tests.railway.fake import Fake

COUNT = 50
IN_A_SECOND, IN_AN_HOUR = 10, 1000


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
@only_superuser
def test_fifty_services_within_the_limits(projects: Projects) -> None:
    declared = neighbours(COUNT)
    with projects(**declared, railway=SECTION) as stack, Fake(per_second=IN_A_SECOND) as fake:
        stack.succeeds(stack.up())
        there = fake.project("engarde", PRODUCTION)
        services = [there.service(name, deployed=True) for name in declared["services"]]
        environment = fake.environment(there.token(PRODUCTION))
        done = stack.tool("railway", "push", "--output", "json", **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        assert {load["message"] for load in json.loads(done.stdout)["railwayServices"]} == {"deployed"}
        assert "retrying" not in done.stderr
        assert [len(service.deployments(PRODUCTION)) for service in services] == [2] * COUNT
        assert fake.most_in_a_second <= IN_A_SECOND
        assert fake.total < IN_AN_HOUR / 3
        fake.forget()
        assert stack.tool("railway", "plan", **environment).returncode == 0
        assert fake.total < COUNT + 20
