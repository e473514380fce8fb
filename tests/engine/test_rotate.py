"""`bin/engarde rotate`: new passwords, one login at a time, with all that it refuses and all that it leaves alone."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.engine.admins import PASSWORD
from tests.engine.conftest import Projects
from tests.engine.program import STACK_FILE, Project
from tests.engine.rotating import (
    JOURNAL,
    arguments_seen,
    by_hand,
    counters,
    known,
    remember,
    rotate,
    rotated,
    strangers,
)
from tests.engine.unheard import unheard

pytestmark = pytest.mark.xdist_group("rotate")

ODD = "100% 數據 ::x"
DECLARED = f"""\
  # One each.
  engarde:services:
    sankore: # JDBC people
      urlFormat: jdbc
    madansara:
      # as many as it has workers
      connectionLimit: 2
    "{ODD}": {{}} # odd
  engarde:analytics: {{}} # bare
"""


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects() as project:
        by_hand(project, DECLARED)
        project.succeeds(project.up())
        yield project


def file(project: Project) -> str:
    return (project.folder / STACK_FILE).read_text()


def without_counters(text: str) -> list[str]:
    """The lines as they were meant, whatever the engine does to spaces and to bare keys."""
    lines = [each for each in text.splitlines() if "rotation:" not in each or "#" in each]
    meant = (line.replace("null", "").replace("{rotation: 2}", "{}") for line in lines)
    return ["".join(each.split()) for each in meant]


def refused(project: Project, role: str, password: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        project.database.session(role, password)


def test_a_new_password_and_nothing_else(project: Project) -> None:
    before, old = file(project), project.outputs()["passwords"]
    with project.connect("madansara") as living, project.connect("madansara"):
        mark = project.database.mark()
        # Both connections of the role are taken: a login still tells whether the password is right.
        done = rotate(project, "madansara")
        assert done.returncode == 0, done.stderr
        changes = project.database.changes(mark)
        said = project.database.server.log.read_text(errors="replace")[mark:]
        assert said.count('password authentication failed for user "madansara_user"') == 1
        assert living.execute("SELECT 1").fetchone() == (1,)
    assert changes and all(change.startswith('ALTER ROLE "madansara_user" ') for change in changes)
    new = project.outputs()["passwords"]
    assert {role for role in new if new[role] != old[role]} == {"madansara_user"}
    refused(project, "madansara_user", old["madansara_user"])
    with project.connect("madansara"):
        pass
    assert counters(project)["madansara"] == 2
    assert "rotation: 2" in file(project)
    assert without_counters(file(project)) == without_counters(before)
    assert "Open sessions stay open" in done.stderr
    assert done.stderr.index("stay open") < done.stderr.index("Updating")
    assert "counter 1 -> 2" in done.stdout
    assert "bin/engarde url madansara --stack local --from service" in " ".join(done.stdout.split())
    assert done.stdout.splitlines()[-1].strip() == f"commit {STACK_FILE}"
    assert not (project.folder / JOURNAL).exists()
    assert project.succeeds(project.preview("--expect-no-changes")).ops == {}


def test_a_dry_run_changes_nothing(project: Project) -> None:
    before, state, mark = file(project), project.resources(), project.database.mark()
    done = rotate(project, "sankore", "analytics", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "sankore (sankore_user): counter 1 -> 2" in done.stdout
    assert "analytics (analytics_readonly): counter 1 -> 2" in done.stdout
    assert "commit" not in done.stdout
    assert file(project) == before
    assert project.resources() == state
    assert project.database.changes(mark) == []
    assert not list((project.folder / ".engarde").rglob("*.y*ml"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give services or"),
        (("--all", "sankore"), "either names or --all"),
        (("nobody", "sankore", "admin"), "stack local has no login admin or nobody; it has"),
        (("sankore", "madansara", "sankore"), "named twice: sankore"),
        (("--reapply",), "give services or"),
        (("--reapply", "nobody"), "stack local has no login nobody"),
    ],
)
def test_what_is_no_list_of_logins(project: Project, words: tuple[str, ...], said: str) -> None:
    done = project.tool("rotate", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


EDITS = (
    ("urlFormat: jdbc", "connectionLimit: 3", "update sankore-role (connectionLimit"),
    ("  engarde:analytics:", "    later:\n  engarde:analytics:", "create later-role, a Role"),
    ("{} # odd", "{rotation: 2} # odd", f"replace {ODD}-password (keepers), a RandomPassword"),
)


def test_a_preview_with_more_in_it(project: Project) -> None:
    before, state = file(project), project.resources()
    edited = before
    for written, instead, _ in EDITS:
        assert edited.count(written) == 1
        edited = edited.replace(written, instead)
    (project.folder / STACK_FILE).write_text(edited)
    mark = project.database.mark()
    try:
        for name in ("sankore", "madansara"):
            done = rotate(project, name)
            assert done.returncode == 2, done.stderr
            assert not [more for _, _, more in EDITS if more not in done.stderr], done.stderr
            assert file(project) == edited
    finally:
        (project.folder / STACK_FILE).write_text(before)
    assert project.resources() == state
    assert project.database.changes(mark) == []


def test_a_login_that_was_not_brought_up(project: Project) -> None:
    before = file(project)
    (project.folder / STACK_FILE).write_text(before.replace("  engarde:analytics", "    later:\n  engarde:analytics"))
    done = rotate(project, "later")
    (project.folder / STACK_FILE).write_text(before)
    assert done.returncode == 2
    assert "later was not created yet. Nothing was changed. Run `bin/pulumi up --stack local` first" in done.stderr


DELIVERING = """
import sys
sys.path.insert(0, sys.argv[1])
from engarde.errors import EngardeError, Unreachable
from engarde.rotate.delivery import Deliverer
from engarde.rotate.rotate_login import RotationOptions
from engarde.rotate.run import rotate
from engarde.output.show import document
fault = sys.argv[2]
def check(login):
    if fault == "check":
        raise Unreachable(f"no token for {login.role}")
def deliver(login):
    if fault == "deliver":
        raise Unreachable("the deployment crashed")
    return f"pushed {login.role}"
report = rotate("local", ["sankore"], Deliverer(check, deliver), RotationOptions())
print(document(**report.data()))
sys.exit(report.exit_code)
"""


def delivering(project: Project, fault: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", DELIVERING, str(project.folder), fault],
        cwd=project.folder,
        env=project._environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    project.printed += done.stdout + done.stderr
    remember(project)
    return done.returncode, json.loads(done.stdout)


def test_delivery_is_asked_before_and_gone_on_with_after_it_failed(project: Project) -> None:
    before, text = counters(project), file(project)
    code, report = delivering(project, "check")
    assert (code, report["failed"]) == (3, {"login": "sankore", "reason": "no token for sankore_user"})
    assert report["fileToCommit"] is None
    assert (counters(project), file(project)) == (before, text)

    code, report = delivering(project, "deliver")
    assert (code, report["rotated"], report["fileToCommit"]) == (4, [], STACK_FILE)
    assert report["failed"]["reason"].endswith(
        "did not finish: the new password is set, but its delivery failed: the deployment crashed\n"
        "Run the command again to resume"
    )
    assert counters(project) == {**before, "sankore": before["sankore"] + 1}

    code, report = delivering(project, "nothing")
    [done] = report["rotated"]
    assert (code, done["delivery"], done["resumed"]) == (0, "pushed sankore_user", True)
    assert counters(project) == {**before, "sankore": before["sankore"] + 1}
    assert not (project.folder / JOURNAL).exists()


def test_all_stops_at_the_first_failure_and_goes_on_from_there(project: Project) -> None:
    before, old = counters(project), project.outputs()["passwords"]
    project.database.run('ALTER ROLE "madansara_user" NOLOGIN')
    with arguments_seen() as seen:
        done = rotate(project, "--all", "--output", "json")
    assert any("config\0set\0--path" in each for each in seen)
    assert not [each for each in seen if any(password in each for password in project.passwords - {PASSWORD})]
    assert done.returncode == 4, done.stderr
    stopped = json.loads(done.stdout)
    assert [each["login"] for each in stopped["rotated"]] == [ODD]
    assert stopped["failed"]["login"] == "madansara"
    assert "not permitted to log in" in done.stderr
    assert stopped["notStarted"] == ["sankore", "analytics"]
    assert stopped["fileToCommit"] == STACK_FILE

    # By now the engine has seen that the role may not log in: drift, which is for `up`.
    again = rotate(project, "--all")
    assert again.returncode == 2
    assert "resuming an earlier run that was stopped; logins left: madansara, sankore, analytics" in again.stderr
    assert "update madansara-role (login), a Role" in again.stderr
    project.succeeds(project.up())
    report = rotated(project, "--all")
    assert [(each["login"], each["resumed"]) for each in report["rotated"]] == [
        ("madansara", True),
        ("sankore", False),
        ("analytics", False),
    ]
    assert report["fileToCommit"] == STACK_FILE and report["notStarted"] == [] and report["failed"] is None
    for who, role in (("analytics", "analytics_readonly"), (ODD, f"{ODD}_user")):
        refused(project, role, old[role])
        project.connect(who).close()
    assert "# odd" in file(project) and "# bare" in file(project)
    assert counters(project) == {name: counter + 1 for name, counter in before.items()}
    assert strangers(project) == set()
    assert not (project.folder / JOURNAL).exists()
    assert project.succeeds(project.preview("--expect-no-changes")).ops == {}


def test_a_counter_lower_than_the_states(project: Project) -> None:
    rotated(project, "madansara", "analytics")
    before, passwords, mark, now = file(project), known(project), project.database.mark(), counters(project)
    older = re.sub(r"rotation: (\d+)", lambda found: f"rotation: {max(int(found[1]) - 1, 1)}", before)
    (project.folder / STACK_FILE).write_text(older)
    lower = "{}.rotation: {} in the stack file, {} in the state"
    said = lower.format("engarde:services.madansara", now["madansara"] - 1, now["madansara"])
    try:
        for run in (project.up(), project.preview()):
            assert run.exit != 0
            assert said in run.output
            assert lower.format("engarde:analytics", now["analytics"] - 1, now["analytics"]) in run.output
        for name in ("madansara", "sankore"):
            done = rotate(project, name)
            assert done.returncode == 2
            assert said in done.stderr
    finally:
        (project.folder / STACK_FILE).write_text(before)
    assert known(project) == passwords
    assert project.database.changes(mark) == []


def test_it_goes_on_where_nobody_reads(project: Project) -> None:
    before, old = counters(project)["sankore"], project.outputs()["passwords"]["sankore_user"]
    assert unheard(project, "unread", "rotate", "sankore") == 74
    remember(project)
    assert counters(project)["sankore"] == before + 1
    assert f"rotation: {before + 1}" in file(project)
    assert not (project.folder / JOURNAL).exists()
    refused(project, "sankore_user", old)
    project.connect("sankore").close()
