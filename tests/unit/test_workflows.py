"""What the workflows promise: whose code meets which secret, what may wait for what, and what runs is pinned."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ruamel.yaml import YAML

from devtools.ci.github import UP
from launcher.paths import PROJECT
from tests.parts import PARTS, USUAL
from tests.servers import DEFAULT

WORKFLOWS = {path.stem: path for path in sorted(PROJECT.glob(".github/workflows/*.yml"))}
ACTIONS = sorted(PROJECT.glob(".github/actions/*/action.yml"))
OF_SERVICES = [PROJECT / ".github/actions/alembic-check/action.yml"]
"""What services' own repositories use, which needs no action of anybody else."""
TEXT = "".join(path.read_text() for path in [*WORKFLOWS.values(), *ACTIONS])
ON_PROD = ("preview", "drift", "up")

PINNED = re.compile(r"([\w.-]+/[\w.-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+")
SECRET = re.compile(r"\bsecrets\.(\w+)")
ENGINE = {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
RAILWAY = {"RAILWAY_TOKEN"}
MANIFESTS = {
    "pip": "requirements*.txt",
    "github-actions": "action.yml",
    "gomod": "go.mod",
    "npm": "package.json",
    "maven": "pom.xml",
}
FORKS = "github.event.pull_request.head.repo.full_name"


def loaded(workflow: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(WORKFLOWS[workflow])
    return found


@dataclass(frozen=True)
class Step:
    """A step, and where it stands."""

    workflow: str
    job: str
    environment: str | None
    said: dict[str, Any]

    @property
    def secrets(self) -> set[str]:
        return set(SECRET.findall(str(self.said)))

    @property
    def what(self) -> str:
        """The command of ours or the action with its command."""
        action = self.said.get("with", {}).get("command") if "pulumi/actions" in self.said.get("uses", "") else None
        found = re.search(r"bin/engarde \w+( push)?|pulumi \w+", self.said.get("run", ""))
        return f"pulumi {action}" if action else found[0] if found else ""


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for workflow in WORKFLOWS:
        for name, job in loaded(workflow)["jobs"].items():
            yield workflow, name, job


def steps() -> list[Step]:
    return [
        Step(workflow, name, job.get("environment"), said) for workflow, name, job in jobs() for said in job["steps"]
    ]


def test_there_are_these() -> None:
    assert set(WORKFLOWS) == {"test", *ON_PROD}
    assert WORKFLOWS["up"] == PROJECT / UP


def test_nothing_but_pull_requests_pushes_clocks_and_persons_starts_them() -> None:
    started = {name: set(loaded(name)["on"]) for name in WORKFLOWS}
    assert started == {
        "test": {"push", "pull_request", "schedule", "workflow_dispatch"},
        "preview": {"pull_request"},
        "drift": {"schedule", "workflow_dispatch"},
        "up": {"push", "workflow_dispatch"},
    }
    assert loaded("up")["on"]["push"] == {"branches": ["main"]}


@pytest.mark.parametrize("path", [*WORKFLOWS.values(), *ACTIONS], ids=lambda path: str(path.relative_to(PROJECT)))
def test_each_action_is_pinned_by_a_commit_and_names_its_version(path: Any) -> None:
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used or path in OF_SERVICES
    ours = {f"./{action.parent.relative_to(PROJECT)}" for action in ACTIONS}
    assert [each for each in used if not PINNED.fullmatch(each) and each not in ours] == []


def test_an_action_is_pinned_to_one_commit_everywhere() -> None:
    assert len({found[0] for found in PINNED.finditer(TEXT)}) == len({found[1] for found in PINNED.finditer(TEXT)})


def test_the_engine_is_the_one_that_the_sdk_is_of() -> None:
    sdk = re.search(r"^pulumi==(.*)", (PROJECT / "requirements.txt").read_text(), re.MULTILINE)
    assert sdk
    assert set(re.findall(r"pulumi-version: (.*)", TEXT)) == {sdk[1]}
    assert TEXT.count("pulumi-version:") == TEXT.count("uses: pulumi/actions@")
    assert f"require github.com/pulumi/pulumi/pkg/v3 v{sdk[1]}\n" in (PROJECT / "launcher/gomodule/go.mod").read_text()


def test_a_job_may_do_no_more_than_it_has_to() -> None:
    assert [name for name in WORKFLOWS if loaded(name)["permissions"] != {}] == []
    written = [
        (workflow, name, what)
        for workflow, name, job in jobs()
        for what, how in job["permissions"].items()
        if how != "read"
    ]
    assert written == [("drift", "report", "issues"), ("preview", "preview", "pull-requests")]


def test_no_job_runs_without_end() -> None:
    assert [(workflow, name) for workflow, name, job in jobs() if not job.get("timeout-minutes")] == []


def test_no_checkout_leaves_its_token_behind() -> None:
    checkouts = [step for step in steps() if "actions/checkout" in step.said.get("uses", "")]
    assert len(checkouts) == 8
    assert {str(checkout.said["with"]) for checkout in checkouts} == {"{'persist-credentials': False}"}


@pytest.mark.parametrize("workflow", ON_PROD)
def test_what_runs_the_engine_is_never_cancelled_by_another(workflow: str) -> None:
    assert loaded(workflow)["concurrency"]["cancel-in-progress"] is False
    assert not [name for at, name, job in jobs() if at == workflow and "concurrency" in job]


def test_every_push_has_its_up_and_nothing_takes_its_place() -> None:
    assert loaded("up")["concurrency"] == {"group": "up-prod", "cancel-in-progress": False, "queue": "max"}
    assert len({loaded(workflow)["concurrency"]["group"] for workflow in WORKFLOWS}) == len(WORKFLOWS)


def test_a_look_waits_for_an_up_that_is_at_work() -> None:
    for job in ("preview", "drift"):
        told = [step.what or step.said.get("run", "") for step in steps() if step.workflow == step.job == job]
        looks = [place for place, what in enumerate(told) if what.startswith(("pulumi", "bin/"))]
        assert looks and "devtools.ci.github wait" in told[looks[0] - 1]


def test_forks_get_no_preview_and_are_told_so() -> None:
    told = loaded("preview")["jobs"]
    assert told["preview"]["if"] == f"{FORKS} == github.repository"
    assert told["fork"]["if"] == f"{FORKS} != github.repository"
    assert not [step for step in steps() if step.job == "fork" and step.secrets]


def test_nothing_of_an_event_gets_into_a_script() -> None:
    actions = [step for path in ACTIONS for step in YAML(typ="safe").load(path)["runs"]["steps"]]
    scripts = [each["run"] for each in [*actions, *(each.said for each in steps())] if "run" in each]
    assert len(scripts) > 8
    assert [script for script in scripts if "${{" in script] == []


def test_secrets_stand_in_the_environment_of_steps_and_nowhere_else() -> None:
    given = [pair for step in steps() for pair in step.said.get("env", {}).items() if "secrets" in pair[1]]
    assert [(name, value) for name, value in given if value != f"${{{{ secrets.{name} }}}}"] == []
    assert len(given) == len(re.findall(r"\$\{\{[^}]*\bsecrets\b", TEXT))


def test_each_secret_goes_where_it_is_needed_and_comes_from_an_environment() -> None:
    given = [(step.environment, step.what, step.secrets) for step in steps() if step.secrets]
    assert given == [
        ("watch", "pulumi preview", ENGINE),
        ("watch", "bin/engarde verify", ENGINE),
        ("preview", "pulumi preview", ENGINE),
        ("watch", "pulumi preview", ENGINE),
        ("production", "pulumi up", ENGINE),
        ("production", "bin/engarde railway push", ENGINE | RAILWAY),
        ("production", "bin/engarde verify", ENGINE),
    ]


def test_each_step_that_runs_the_engine_says_what_the_providers_sessions_start_with() -> None:
    runs = [each.said for each in steps() if each.what.startswith("pulumi ")]
    assert len(runs) == 4
    assert {run["env"]["PGOPTIONS"] for run in runs} == {"${{ steps.engine.outputs.pgoptions }}"}
    [action] = [YAML(typ="safe").load(path) for path in ACTIONS if path.parent.name == "engine"]
    assert action["outputs"]["pgoptions"]["value"] == "${{ steps.sessions.outputs.pgoptions }}"
    [says] = [step["run"] for step in action["runs"]["steps"] if step.get("id") == "sessions"]
    assert says == 'echo "pgoptions=$(.venv/bin/python -m engarde.util.provider_sessions)" >> "$GITHUB_OUTPUT"'


def test_only_main_meets_the_secrets_that_need_no_pull_request() -> None:
    for workflow, name in (("drift", "drift"), ("up", "preview")):
        assert loaded(workflow)["jobs"][name]["if"] == "github.ref == 'refs/heads/main'"
    assert loaded("up")["jobs"]["up"]["needs"] == "preview"


def test_no_step_comes_after_the_action_that_hands_on_the_outputs() -> None:
    for workflow, name, job in jobs():
        looks = [step for step in job["steps"] if "pulumi/actions" in step.get("uses", "")]
        assert looks in ([], job["steps"][-1:]), (workflow, name)
        assert all(step["with"]["suppress-outputs"] is True for step in looks)


def test_drift_looks_at_the_server_and_wants_nothing_to_change() -> None:
    [look] = [step.said for step in steps() if step.job == "drift" and step.what == "pulumi preview"]
    assert "--refresh --expect-no-changes" in look["run"]
    assert not any("continue-on-error" in step.said for step in steps())


def test_the_report_has_no_secret_and_comes_even_where_the_look_ran_out_of_time() -> None:
    report = loaded("drift")["jobs"]["report"]
    assert "environment" not in report and "secrets" not in str(report)
    assert report["if"].startswith("${{ !cancelled() && needs.drift.result != 'success'")


def test_what_has_to_be_set_is_in_the_documentation() -> None:
    names = set(re.findall(r"\b(?:secrets|vars)\.(\w+)", TEXT)) | set(re.findall(r"\n +environment: (\w+)", TEXT))
    page = (PROJECT / "docs/production.md").read_text()
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_every_night_and_by_hand_all_parts_of_the_tests_are_run() -> None:
    told = loaded("test")["jobs"]
    # On the default major they are `make test` and the two parts that are named for themselves.
    assert {*told["test-all"]["strategy"]["matrix"]["part"]} == {*PARTS} - {USUAL, f"pg{DEFAULT}"}
    assert told["test-all"]["if"] == "github.event_name == 'schedule' || github.event_name == 'workflow_dispatch'"
    assert "if" not in told["test"] and told["test"]["steps"][-1] == {"run": ".ci/run"}


def test_each_version_of_python_that_is_supported_runs_the_tests() -> None:
    told = loaded("test")["jobs"]["test"]
    versions = told["strategy"]["matrix"]["python"]
    assert told["steps"][-2]["with"] == {"python": "${{ matrix.python }}"}
    # Those that make looks for.
    [named] = re.findall(r"for python in .* python3((?: python3\.\d+)+);", (PROJECT / "Makefile").read_text())
    assert versions == sorted(name.removeprefix("python") for name in named.split())
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={versions[0]}"
    # Production has the oldest.
    assert set(re.findall(r'python-version: "(.*)"', TEXT)) == {versions[0]}


def test_production_installs_what_the_lock_names_by_its_hashes() -> None:
    page = (PROJECT / "docs/first-production-run.md").read_text()
    for text in (TEXT, page):
        installs = re.findall(r"pip install.* -r (?:.*)", text)
        assert installs and all("--require-hashes -r requirements.lock" in install for install in installs)


def test_every_manifest_has_newer_releases_proposed() -> None:
    proposed = [
        (MANIFESTS[update["package-ecosystem"]], folder.strip("/"))
        for update in YAML(typ="safe").load(PROJECT / ".github/dependabot.yml")["updates"]
        for folder in update.get("directories") or [update["directory"]]
    ]
    assert {name for name, _ in proposed} == {*MANIFESTS.values()}
    watched = {file for name, folder in proposed for file in PROJECT.glob(f"{folder}/{name}".lstrip("/"))}
    # Not what make makes.
    places = ("", ".github/**/", "[!.]*/**/")
    assert watched == {file for name in MANIFESTS.values() for place in places for file in PROJECT.glob(place + name)}
