"""The registry of checks: each question once, documented as it is registered, and knowing of nothing that asks it."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from engarde.checks import registry

HERE = Path(__file__).parents[2]
COMMANDS = (
    "verify",
    "doctor",
    "explain",
    "status",
    "alembic",
    "migrate",
    "railway",
    "rotate",
    "backup",
    "split",
    "cli",
)


def test_the_documentation_says_what_is_registered() -> None:
    written = (HERE / "docs/checks.md").read_text()
    again = "from engarde.checks import registry; open('docs/checks.md', 'w').write(registry.document())"
    assert written == registry.document(), f"python -c {again!r}"


def test_a_question_has_one_answer_in_each_module() -> None:
    named = Counter(
        (check.module, check.scope, question.id) for check in registry.checks() for question in check.questions
    )
    assert not [name for name, times in named.items() if times > 1]


def test_every_group_and_every_question_is_answered() -> None:
    for group in registry.GROUPS:
        assert registry.checks(group)
    for question in registry.ids(registry.checks()):
        assert registry.answering(question)


def test_what_is_asked_knows_of_no_command_that_asks_it() -> None:
    for file in (HERE / "engarde/checks").glob("*.py"):
        nodes = ast.parse(file.read_text()).body
        modules = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        modules |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        above = {module for module in modules if module.split(".")[1:2] and module.split(".")[1] in COMMANDS}
        assert not above, file.name


def test_what_a_check_finds_is_called_as_it_is_registered() -> None:
    for check in registry.checks():
        tree = ast.parse((HERE / f"engarde/checks/{check.module}.py").read_text())
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding"]
        named = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
        of_module = [other for other in registry.checks() if other.module == check.module]
        assert named <= set(registry.ids(of_module)), check.module
