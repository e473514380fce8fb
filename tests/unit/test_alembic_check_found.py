"""Projects in the forms in which they are found: all that is wrong in each, and nothing that is not."""

from pathlib import Path

import pytest

from tests.parts import sampled
from tests.unit.alembic_found import FORMS, RIGHT, Form

ALL = {**FORMS, **RIGHT}
TOLD = [name for name, form in ALL.items() if form.text is None and not form.fails]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_is_wrong(tmp_path: Path, form: Form) -> None:
    found = form.put(tmp_path).found(form.env)
    assert sorted(each.check for each in found) == sorted(form.checks if form.text is None else form.text)
    assert all(each.remedy.text for each in found)


@pytest.mark.parametrize("form", RIGHT.values(), ids=RIGHT)
def test_what_is_right(tmp_path: Path, form: Form) -> None:
    found = form.put(tmp_path).found(form.env)
    assert [each.check for each in found] == [*(form.text or ())]


@pytest.mark.parametrize("name", sampled(ALL, *({*ALL} - {*TOLD}), *TOLD[::8]))
def test_what_is_wrong_once_it_is_run(tmp_path: Path, name: str) -> None:
    """The same as its text tells, and what that does not."""
    form = ALL[name]
    found = form.put(tmp_path).found(form.env, run=True)
    assert sorted(each.check for each in found) == sorted((*form.checks, *["not judged"] * form.fails))
