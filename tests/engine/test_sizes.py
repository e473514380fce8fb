"""The smallest stacks; fifty services have a test of their own, and 200 are the benchmark's."""

from itertools import product
from typing import Any

import pytest

from tests.engine.conftest import Projects
from tests.engine.denied import denied
from tests.parts import sampled

SERVICES: dict[str, dict[str, Any]] = {"none": {}, "bare": {"services": {}}, "one": {"services": {"only": None}}}
ANALYTICS: dict[str, dict[str, Any]] = {"no analytics": {}, "analytics": {"analytics": {}}}
SIZES = sampled(product(SERVICES, ANALYTICS), ("none", "no analytics"), ("one", "analytics"))


@pytest.mark.parametrize("size", SIZES, ids="-".join)
def test_it_comes_up_stays_and_goes(projects: Projects, size: tuple[str, str]) -> None:
    services, analytics = SERVICES[size[0]], ANALYTICS[size[1]]
    with projects(**services, **analytics) as project:
        before = project.database.rows("SELECT rolname FROM pg_roles ORDER BY 1")
        project.succeeds(project.up())
        assert project.succeeds(project.up("--refresh", "--expect-no-changes")).ops == {}
        outputs = project.outputs()
        names = list(services.get("services", ()))
        assert list(outputs["database_urls"]) == list(outputs["services"]) == names
        assert len(outputs["passwords"]) == len(names) + len(analytics)
        assert (outputs.get("analytics_url") is not None) == bool(analytics)
        for who in [*names, *analytics]:
            with project.connect(who) as session:
                denied(session, "CREATE TABLE public.mine (id int)")
        project.succeeds(project.destroy())
        assert project.database.rows("SELECT rolname FROM pg_roles ORDER BY 1") == before
