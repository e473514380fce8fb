"""A stack with something of everything in it, for verify to look at."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import Projects
from tests.engine.damaged.stack import CONTENT, STACK
from tests.engine.program import Project


@contextmanager
def proved(projects: Projects) -> Iterator[Project]:
    """Brought up, every service but langflow at work in it, and what each made granted to who reads it."""
    with projects(**STACK) as project:
        project.succeeds(project.up())
        for service in ("madansara", "sankore", "onside", "field-notes"):
            schema = STACK["services"][service]["schema"] if service == "field-notes" else service
            with project.connect(service) as session:
                for statement in CONTENT:
                    session.execute(statement.format(schema=f'"{schema}"').encode())
        project.succeeds(project.up())
        yield project
