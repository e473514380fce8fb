import random
import warnings
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from engarde.alembic.project import Project, project
from engarde.alembic.scripts import Graph, graph
from engarde.errors import ConfigError

INI = "[alembic]\nscript_location = %(here)s/migrations\n"

History = dict[str, dict[str, object]]
"""revision: what its file says besides"""

LINEAR: History = {"a1": {"down_revision": None}, "b2": {"down_revision": "a1"}, "c3": {"down_revision": "b2"}}
BRANCHES: History = {**LINEAR, "d4": {"down_revision": "a1"}, "e5": {"down_revision": "d4"}}
MERGE: History = {**BRANCHES, "f6": {"down_revision": ("c3", "e5")}, "g7": {"down_revision": "f6"}}
TWO_BASES: History = {**LINEAR, "x1": {"down_revision": None}, "x2": {"down_revision": "x1"}}
DEPENDS: History = {**LINEAR, "x1": {"down_revision": None}, "x2": {"down_revision": "x1", "depends_on": "b2"}}
DEPENDS_ON_A_LABEL: History = {
    "a1": {"down_revision": None, "branch_labels": ("core",)},
    "x1": {"down_revision": None, "branch_labels": ["extra", "more"], "depends_on": ("core",)},
    "x2": {"down_revision": "x1"},
}
DEPENDS_ON_A_HEAD: History = {**LINEAR, "x1": {"down_revision": None, "depends_on": ["c3"]}}
HISTORIES = {
    "linear": LINEAR,
    "branches": BRANCHES,
    "merge": MERGE,
    "two bases": TWO_BASES,
    "depends": DEPENDS,
    "depends on a label": DEPENDS_ON_A_LABEL,
    "depends on a head": DEPENDS_ON_A_HEAD,
    "none": {},
}


def made(folder: Path, history: History, ini: str = INI, versions: str = "migrations/versions") -> Project:
    """A project in which each revision has a file."""
    (folder / "migrations/versions").mkdir(parents=True, exist_ok=True)
    (folder / versions).mkdir(parents=True, exist_ok=True)
    (folder / "alembic.ini").write_text(ini)
    for id_, said in history.items():
        lines = [f'"""what {id_} does', "", f"Revision ID: {id_}", '"""', f"revision = {id_!r}"]
        lines += [f"{name} = {value!r}" for name, value in said.items()]
        (folder / versions / f"{id_}_a_change.py").write_text("\n".join(lines) + "\n")
    return project(folder)


def alembics(folder: Path) -> ScriptDirectory:
    """What Alembic makes of the same project."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = ScriptDirectory.from_config(Config(folder / "alembic.ini", toml_file=folder / "pyproject.toml"))
        script.get_heads()
    return script


def upgrade_of_alembic(folder: Path, current: tuple[str, ...]) -> list[str]:
    """The revisions that Alembic's own upgrade would run, in its order."""
    steps = alembics(folder).iterate_revisions("heads", current, implicit_base=True)
    return [step.revision for step in reversed(list(steps))]


def agrees(folder: Path, found: Graph, current: tuple[str, ...] = ()) -> None:
    """Heads, and what is pending; where histories stand side by side any order is right that keeps what each needs."""
    assert found.heads == tuple(alembics(folder).get_heads())
    pending = [each.id for each in found.pending(current)]
    assert sorted(pending) == sorted(upgrade_of_alembic(folder, current))
    for place, id_ in enumerate(pending):
        assert not set(found.needs(found.revisions[id_])) & set(pending[place:])


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
def test_it_agrees_with_alembic_from_every_place(tmp_path: Path, history: History) -> None:
    found = graph(made(tmp_path, history))
    assert set(found.revisions) == set(history)
    for current in [(), *((id_,) for id_ in history)]:
        agrees(tmp_path, found, current)


def test_a_linear_history_is_in_alembics_own_order(tmp_path: Path) -> None:
    found = graph(made(tmp_path, LINEAR))
    assert found.heads == ("c3",)
    assert [each.id for each in found.pending(())] == ["a1", "b2", "c3"] == upgrade_of_alembic(tmp_path, ())
    assert [each.id for each in found.pending(["b2"])] == ["c3"]
    assert found.pending(["c3"]) == ()


def test_it_agrees_with_alembic_on_any_history(tmp_path: Path) -> None:
    chance = random.Random(7)
    for number in range(25):
        history: History = {}
        for name in (f"r{place:02}" for place in range(chance.randrange(1, 14))):
            below = chance.sample(sorted(history), min(len(history), chance.choice([0, 1, 1, 1, 2])))
            others = sorted(set(history) - set(below))
            depends = chance.sample(others, 1) if others and chance.random() < 0.2 else None
            history[name] = {"down_revision": tuple(below) or None, "depends_on": depends}
        folder = tmp_path / str(number)
        found = graph(made(folder, history))
        agrees(folder, found)
        for id_ in history:
            agrees(folder, found, (id_,))


def test_a_long_history_is_no_trouble(tmp_path: Path) -> None:
    history: History = {
        f"r{place:04}": {"down_revision": f"r{place - 1:04}" if place else None} for place in range(1500)
    }
    assert [each.id for each in graph(made(tmp_path, history)).pending(())] == list(history)


def test_what_a_revision_says(tmp_path: Path) -> None:
    found = graph(made(tmp_path, MERGE))
    assert found.revisions["f6"].down == ("c3", "e5")
    assert found.revisions["f6"].title == "what f6 does"
    assert found.revisions["f6"].file.name == "f6_a_change.py"
    assert found.revisions["f6"].line == 6
    assert "a1" in found.revisions
    assert "zz" not in found.revisions


def test_annotated_and_named_values(tmp_path: Path) -> None:
    made(tmp_path, {"a1": {"down_revision": None}})
    (tmp_path / "migrations/versions/b2.py").write_text(
        "from typing import Union\nimport nothing_that_is_here\nNAME = 'b2'\nrevision: str = NAME\n"
        "down_revision: Union[str, None] = 'a1'\nbranch_labels: Union[str, None] = None\n"
        "depends_on: Union[str, None] = None\n\n\ndef upgrade() -> None:\n    revision = 1\n"
    )
    found = graph(project(tmp_path))
    assert found.revisions["b2"].down == ("a1",)
    assert found.heads == ("b2",)


@pytest.mark.parametrize(
    "text",
    [
        "revision, down_revision = 'b2', 'a1'\n",
        "(revision, down_revision), depends_on = ['b2', 'a1'], None\n",
        "revision = name = 'b2'\ndown_revision, branch_labels, depends_on = ('a1',), None, None\n",
        "revision: str = 'b2'\n[down_revision, _] = ('a1', 1)\n",
    ],
)
def test_several_values_at_once(tmp_path: Path, text: str) -> None:
    one = made(tmp_path, {"a1": {"down_revision": None}})
    (tmp_path / "migrations/versions/b2.py").write_text(text)
    found = graph(one)
    assert (found.heads, found.revisions["b2"].down) == (("b2",), ("a1",))
    agrees(tmp_path, found)


def test_files_that_are_no_revisions(tmp_path: Path) -> None:
    one = made(tmp_path, LINEAR)
    for name in ("__init__.py", ".#a1.py", "README", "notes.txt"):
        (tmp_path / "migrations/versions" / name).write_text("not Python at all")
    (tmp_path / "migrations/versions/__pycache__").mkdir()
    (tmp_path / "migrations/versions/__pycache__/z.py").write_text("nor this")
    agrees(tmp_path, graph(one))


@pytest.mark.parametrize(
    ("separator", "between"),
    [
        ("path_separator = os", ":"),
        ("version_path_separator = :", ":"),
        ("path_separator = newline", "\n  "),
        ("", " "),
    ],
)
def test_several_version_locations(tmp_path: Path, separator: str, between: str) -> None:
    places = ["%(here)s/migrations/versions", "%(here)s/app/more"]
    ini = f"{INI}version_locations = {between.join(places)}\n{separator}\n"
    made(tmp_path, LINEAR, ini)
    one = made(tmp_path, {"x1": {"down_revision": None, "depends_on": "b2"}}, ini, "app/more")
    assert one.versions == (tmp_path / "migrations/versions", tmp_path / "app/more")
    found = graph(one)
    assert set(found.revisions) == {*LINEAR, "x1"}
    agrees(tmp_path, found)


def test_folders_below_count_where_it_says_so(tmp_path: Path) -> None:
    made(tmp_path, LINEAR)
    below: History = {"d4": {"down_revision": "c3"}}
    assert graph(made(tmp_path, below, INI, "migrations/versions/2026")).heads == ("c3",)
    one = made(tmp_path, {}, INI + "recursive_version_locations = true\n")
    assert graph(one).heads == ("d4",)
    agrees(tmp_path, graph(one))


def test_pyproject_alone(tmp_path: Path) -> None:
    made(tmp_path, LINEAR)
    made(tmp_path, {"x1": {"down_revision": None}}, versions="more")
    (tmp_path / "alembic.ini").unlink()
    (tmp_path / "pyproject.toml").write_text(
        '[tool.alembic]\nscript_location = "%(here)s/migrations"\nprepend_sys_path = ["."]\n'
        'version_locations = ["%(here)s/migrations/versions", "%(here)s/more"]\n'
    )
    one = project(tmp_path)
    assert one.ini == tmp_path / "pyproject.toml"
    agrees(tmp_path, graph(one))
    assert project(tmp_path / "pyproject.toml") == one


def test_alembic_ini_goes_before_pyproject(tmp_path: Path) -> None:
    made(tmp_path, LINEAR)
    (tmp_path / "pyproject.toml").write_text('[tool.alembic]\nscript_location = "elsewhere"\n')
    assert project(tmp_path).script_location == tmp_path / "migrations"
    (tmp_path / "alembic.ini").write_text("[alembic]\nsqlalchemy.url = x\n[loggers]\nkeys = root\n")
    (tmp_path / "pyproject.toml").write_text('[tool.alembic]\nscript_location = "%(here)s/migrations"\n')
    agrees(tmp_path, graph(project(tmp_path)))


def test_a_package_and_its_folder(tmp_path: Path) -> None:
    made(tmp_path, {})
    (tmp_path / "src/app/db/migrations/versions").mkdir(parents=True)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = app.db:migrations\n")
    assert project(tmp_path).script_location == tmp_path / "src/app/db/migrations"


def refused(folder: Path) -> str:
    """Why the project in this folder is refused."""
    with pytest.raises(ConfigError) as caught:
        graph(project(folder))
    return str(caught.value).replace(f"{folder}/", "")


def test_two_files_with_one_revision(tmp_path: Path) -> None:
    made(tmp_path, LINEAR)
    (tmp_path / "migrations/versions/z.py").write_text("revision = 'b2'\ndown_revision = 'a1'\n")
    assert refused(tmp_path) == "migrations/versions/z.py:2: revision b2 is also in migrations/versions/b2_a_change.py"


@pytest.mark.parametrize("name", ["down_revision", "depends_on"])
def test_what_is_nowhere(tmp_path: Path, name: str) -> None:
    made(tmp_path, {"a1": {"down_revision": None}, "b2": {"down_revision": "a1", name: "gone"}})
    assert (
        refused(tmp_path)
        == "migrations/versions/b2_a_change.py:6: revision b2 follows gone, which the project does not have"
    )


def test_a_circle(tmp_path: Path) -> None:
    made(tmp_path, {"a1": {"down_revision": "b2"}, "b2": {"down_revision": "a1"}, "c3": {"down_revision": None}})
    assert refused(tmp_path).endswith("revisions follow each other in a circle: a1, b2")


def test_a_label_twice(tmp_path: Path) -> None:
    said: dict[str, object] = {"down_revision": None, "branch_labels": "core"}
    made(tmp_path, {"a1": said, "b2": said})
    assert refused(tmp_path) == "migrations/versions/b2_a_change.py:6: another revision already has branch label core"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("revision = 'z'\ndown_revision = (\n", "2: not Python: '(' was never closed"),
        ("\n\ndown_revision = None\n", "1: `revision` is missing"),
        ("revision = make()\n", "1: `revision` must be a string, a tuple of strings or None, written out"),
        (
            "revision = 'z'\ndown_revision = 5\n",
            "2: `down_revision` must be a string, a tuple of strings or None, written out",
        ),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, text: str, reason: str) -> None:
    made(tmp_path, LINEAR)
    (tmp_path / "migrations/versions/zz_x.py").write_text(text)
    assert refused(tmp_path) == f"migrations/versions/zz_x.py:{reason}"


@pytest.mark.parametrize(
    ("ini", "reason"),
    [
        ("[alembic]\n", "alembic.ini: script_location is missing"),
        ("[alembic]\n\nscript_location = gone\n", "alembic.ini:3: no such folder: gone"),
        ("[alembic]\nscript_location = ..\n", "alembic.ini:2: script_location is a folder outside of the project"),
        (
            "[alembic]\nscript_location = /tmp\n",
            "alembic.ini:2: script_location is a folder outside of",
        ),
        ("[alembic]\nscript_location = a:migrations\n", "alembic.ini:2: no such folder: a/migrations"),
        (
            "[alembic]\nscript_location = %(there)s/x\n",
            "alembic.ini:2: script_location: a % that does not refer",
        ),
        ("[alembic]\nscript_location", "alembic.ini:2: not an ini file"),
        ("script_location = x\n", "alembic.ini:1: not an ini file"),
        (f"{INI}version_locations = a:b\npath_separator = comma\n", "alembic.ini: path_separator must be one of space"),
        (f"{INI}version_locations = ../other\n", "alembic.ini:3: version_locations is a folder outside of the project"),
    ],
)
def test_a_project_that_does_not_say_where_it_is(tmp_path: Path, ini: str, reason: str) -> None:
    made(tmp_path, LINEAR)
    (tmp_path / "alembic.ini").write_text(ini)
    assert refused(tmp_path).startswith(reason)


def test_files_in_another_encoding(tmp_path: Path) -> None:
    made(tmp_path, LINEAR)
    (tmp_path / "alembic.ini").write_bytes(INI.encode() + b"# \xe9\n")
    assert refused(tmp_path) == "alembic.ini: not UTF-8"


def test_a_pyproject_that_does_not_say_where_it_is(tmp_path: Path) -> None:
    made(tmp_path, LINEAR)
    (tmp_path / "alembic.ini").unlink()
    (tmp_path / "pyproject.toml").write_text('[tool.alembic]\n\nscript_location = "%(there)s/migrations"\n')
    assert refused(tmp_path) == "pyproject.toml:3: script_location is not a string that Alembic can read"


def test_no_project(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no Alembic project: neither alembic\.ini"):
        project(tmp_path)
    with pytest.raises(ConfigError, match="no such folder"):
        project(tmp_path / "gone")


def test_a_revision_of_another_project(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the project has no revision zz"):
        graph(made(tmp_path, LINEAR)).pending(["a1", "zz"])


def test_a_password_in_a_broken_file_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text("[alembic]\npostgresql//u\n secret-x@h\n")
    with pytest.raises(ConfigError) as caught:
        project(tmp_path)
    assert "secret-x" not in str(caught.value)
