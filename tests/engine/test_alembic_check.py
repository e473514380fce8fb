"""`bin/engarde alembic check` beside real Alembic on a real PostgreSQL: what it says is so, and what is so it says."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import Templates
from tests.engine import database as databases
from tests.engine.admins import SUPERUSER
from tests.engine.alembic_truth import Truth, among_others, said
from tests.engine.database import Database
from tests.parts import sampled
from tests.unit.alembic_found import FORMS, RIGHT, Form

pytestmark = pytest.mark.xdist_group("alembic")


ODD = "O'Neil-1 100%"
ALL = {**FORMS, **RIGHT}
USUAL = list(ALL)[::3]
"""The unit tests see what is said of all; the part exhaustive, that Alembic does it with all."""


@pytest.fixture(scope="module")
def database(templates: Templates) -> Iterator[Database]:
    with databases.copied(templates(SUPERUSER)) as database:
        among_others(database, "madansara", ODD)
        yield database


@pytest.mark.parametrize("name", sampled(ALL, *USUAL))
def test_what_is_said_is_what_it_does(tmp_path: Path, database: Database, name: str) -> None:
    form = ALL[name]
    project = form.put(tmp_path)
    scheme = form.service.get("urlFormat", "postgresql").replace("sqlalchemy", "postgresql")
    truth = Truth(database, "madansara").does(tmp_path, scheme)
    assert said(project.found(form.env, run=True)) == truth
    told = project.found(form.env)
    assert said(told) == truth if form.text is None else said(told) <= truth
    assert ("not judged" in {each.check for each in told}) == (form.text is not None)


@pytest.mark.exhaustive
@pytest.mark.parametrize("form", RIGHT.values(), ids=RIGHT)
def test_a_schema_of_any_name(tmp_path: Path, database: Database, form: Form) -> None:
    project = replace(form.put(tmp_path), service={"schema": ODD})
    env = form.env.replace("'SET search_path TO \"madansara\"'", repr(f'SET search_path TO "{ODD}"'))
    env = env.replace('"madansara"', repr(ODD)).replace('"madansara_user"', repr(f"{ODD}_user"))
    project.write("migrations/env.py", env)
    assert said(project.found(env)) == said(project.found(env, run=True)) == set()
    assert Truth(database, ODD).does(tmp_path, "postgresql") == set()
