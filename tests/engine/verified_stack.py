"""A stack with something of everything in it, for verify to look at."""

from contextlib import AbstractContextManager

from tests.conftest import Stacks
from tests.engine.damaged.stack import CONTENT, STACK
from tests.engine.program import Project


def proved(stacks: Stacks) -> AbstractContextManager[Project]:
    """Brought up, every service but langflow at work in it, and what each made granted to who reads it."""
    return stacks(_at_work, **STACK)


def _at_work(project: Project) -> None:
    project.succeeds(project.up())
    for service in ("madansara", "sankore", "onside", "field-notes"):
        schema = STACK["services"][service]["schema"] if service == "field-notes" else service
        with project.connect(service) as session:
            for statement in CONTENT:
                session.execute(statement.format(schema=f'"{schema}"').encode())
    project.succeeds(project.up())
