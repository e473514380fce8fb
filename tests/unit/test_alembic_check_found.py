"""Projects in the forms in which they are found: all that is wrong in each, and nothing that is not."""

from pathlib import Path

import pytest

from tests.unit.alembic_found import FORMS, RIGHT, Form


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_is_wrong(tmp_path: Path, form: Form) -> None:
    found = form.put(tmp_path).found(form.env)
    assert sorted(each.check for each in found) == sorted(form.checks)
    assert all(each.remedy.text for each in found)


@pytest.mark.parametrize("form", RIGHT.values(), ids=RIGHT)
def test_what_is_right(tmp_path: Path, form: Form) -> None:
    assert form.put(tmp_path).kinds(form.env) == []
