"""What the benchmark counts as an error, and what it shows of one."""

import pytest

from tests.bench.__main__ import exit_code
from tests.bench.end_state import differences, facts
from tests.bench.process import Done, errors
from tests.bench.tool import Measured

FAILED_UP = """\
Updating (local):
 +  postgresql:index:Grant s00-connect creating (0s) error: pq: tuple concurrently updated
Diagnostics:
  postgresql:index:Grant (s00-connect):
    error: postgresql:index/grant:Grant resource 's00-connect' has a problem:
    pq: tuple concurrently updated

  pulumi:pulumi:Stack (engarde-local):
    error: update failed
"""
TERRAFORM = """\
postgresql_role.role_0: Creating...

Error: could not execute revoke query: pq: tuple concurrently updated (XX000)

  with postgresql_grant.row_7,
"""


def test_a_process_that_went_well_has_none() -> None:
    assert errors("up", Done(1.0, 0, "warning: the error: word inside a line is none"), []) == ()


def test_the_exit_code_and_each_diagnostic_count() -> None:
    assert errors("up", Done(1.0, 255, FAILED_UP), []) == (
        "up: exit code 255",
        "up: error: postgresql:index/grant:Grant resource 's00-connect' has a problem:\npq: tuple concurrently updated",
        "up: error: update failed",
    )


def test_a_diagnostic_counts_also_where_the_exit_code_is_0() -> None:
    assert errors("up", Done(1.0, 0, "error: lost\n"), []) == ("up: error: lost",)


def test_an_exit_without_a_diagnostic_shows_what_was_said_last() -> None:
    assert errors("plan", Done(1.0, 2, "\nPlan: 1 to add\n"), []) == ("plan: exit code 2: Plan: 1 to add",)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (TERRAFORM, "Error: could not execute revoke query: pq: tuple concurrently updated (XX000)"),
        ('psql:<stdin>:3: ERROR:  role "s00_user" already exists\n', 'ERROR:  role "s00_user" already exists'),
        ("psql: error: connection to server failed\n", "psql: error: connection to server failed"),
    ],
)
def test_other_tools_errors_are_known(output: str, said: str) -> None:
    [found] = errors("up", Done(1.0, 0, output), [])
    assert found.endswith(said)


def test_neither_a_password_nor_a_verifier_is_shown() -> None:
    output = "error: PASSWORD 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy' of postgres://postgres:hush@h\n"
    [found] = errors("up", Done(1.0, 0, output), ["hush"])
    assert found == "up: error: PASSWORD '[verifier]' of postgres://postgres:[secret]@h"


def test_an_access_list_is_compared_entry_by_entry() -> None:
    assert list(facts({"kind": "schema", "name": "a", "facts": {"owner": "o", "acl": ["o=UC/o", "r=U/o"]}})) == [
        *('schema a: owner "o"', 'schema a: acl "o=UC/o"', 'schema a: acl "r=U/o"'),
    ]
    assert list(facts({"kind": "default_acl", "name": "o/a/r", "facts": ["r=r/o"]})) == [
        'default_acl o/a/r: acl "r=r/o"'
    ]


def test_no_access_list_and_an_empty_one_are_not_the_same() -> None:
    assert list(facts({"kind": "schema", "name": "a", "facts": {"acl": None}})) == ["schema a: acl null"]
    assert list(facts({"kind": "schema", "name": "a", "facts": {"acl": []}})) == ["schema a: acl []"]


def test_each_side_of_a_difference_is_an_error_of_its_own() -> None:
    assert differences("pulumi", frozenset({"same", "mine"}), frozenset({"same", "yours"})) == (
        "pulumi: not in the floor's end state: mine",
        "pulumi: only in the floor's end state: yours",
    )


def test_any_error_fails_the_benchmark_but_another_tools_own() -> None:
    fine, failed = Measured("pulumi", 4, 57, {}), Measured("pulumi", 4, 57, {}, ("error: one",))
    rivals = Measured("terraform", 4, 51, {}, ("Error: one",), ours=False)
    assert exit_code([fine, rivals]) == 0
    assert exit_code([fine, failed, rivals]) == 1
