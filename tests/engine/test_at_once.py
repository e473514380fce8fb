"""Two runs of one stack at the same moment: one does it all, the other is told so or waits, and nothing is damaged."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.engine.clone import clone
from tests.engine.conftest import Projects
from tests.engine.program import Project

SERVICES = {f"s{number}": {"reads": ["public.users"]} for number in range(12)}


def assert_whole(project: Project) -> None:
    assert project.succeeds(project.preview("--expect-no-changes")).ops == {}
    for service in SERVICES:
        with project.connect(service) as session:
            session.execute("SELECT * FROM public.users")


def test_the_second_up_is_refused_with_the_engines_clear_message(projects: Projects) -> None:
    with projects(services=SERVICES, existingSchemas={"public": None}, analytics={}) as project:
        with ThreadPoolExecutor(2) as pool:
            pair = list(pool.map(lambda _: project.pulumi("up", "--yes", "--skip-preview"), range(2)))
        project.printed += "".join(run.stdout for run in pair)
        refused = [run for run in pair if run.returncode]
        # Both may be refused when each has seen the other's lock; never do both run.
        assert refused
        for run in refused:
            assert "the stack is currently locked by 1 lock(s)" in run.stdout
            assert "pulumi cancel" in run.stdout
            assert "Traceback" not in run.stdout
        if len(refused) == len(pair):
            project.succeeds(project.up())
        assert_whole(project)


@pytest.mark.xdist_group("make-up")
def test_the_second_make_up_waits_for_the_first() -> None:
    with clone() as made:
        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(lambda _: made.up(), range(2)))
        waited = [each for each in said if "Waiting for another make target of this project" in each]
        assert len(waited) == 1
        assert "nothing had to change" in waited[0]
        assert sum("changed as shown above" in each for each in said) == 1
        assert made.roles_that_log_in()
