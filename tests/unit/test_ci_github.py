"""What the workflows ask GitHub for, and tell it, at a GitHub of ours on this machine."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from devtools.ci import github as ci

TOKEN = "token-of-the-run"
UP = {"path": ".github/workflows/up.yml@main", "html_url": "https://github.example/up/1"}
TEST = {"path": ".github/workflows/test.yml", "html_url": "https://github.example/test/1"}


@dataclass
class GitHub:
    """What it will answer, by path, and what it was told."""

    answers: dict[str, list[Any]] = field(default_factory=dict)
    told: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    known = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            waiting = known.answers[self.path.removeprefix("/repos/owner/repo/")]
            self._answer(waiting.pop(0) if len(waiting) > 1 else waiting[0])

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known.told.append((self.path.removeprefix("/repos/owner/repo/"), body))
            self._answer({"html_url": "https://github.example/issues/7"})

        def _answer(self, said: Any) -> None:
            refused = said is None or self.headers["Authorization"] != f"Bearer {TOKEN}"
            self.send_response(502 if refused else 200)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        for name, value in {
            "GITHUB_API_URL": f"http://127.0.0.1:{server.server_port}",
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": "owner/repo",
            "GITHUB_RUN_ID": "42",
            "GITHUB_TOKEN": TOKEN,
            "no_proxy": "127.0.0.1",
            "STACK": "prod",
            "PREVIEW": "7",
            "VERIFY": "1",
        }.items():
            monkeypatch.setenv(name, value)
        yield known
        server.shutdown()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ci, "PAUSE", 0.01)
    monkeypatch.setattr(ci, "PATIENCE", 0.2)


def runs(*found: dict[str, str]) -> dict[str, Any]:
    return {"workflow_runs": list(found)}


def issues(*titles: str, **more: Any) -> list[dict[str, Any]]:
    return [{"title": title, "number": number, **more} for number, title in enumerate(titles, start=1)]


def test_other_workflows_are_nothing_to_wait_for(github: GitHub, capsys: pytest.CaptureFixture[str]) -> None:
    github.answers[ci.AT_WORK] = [runs(TEST)]
    assert ci.wait() == 0
    assert capsys.readouterr().err == ""


def test_it_waits_until_the_up_has_ended(github: GitHub, capsys: pytest.CaptureFixture[str]) -> None:
    github.answers[ci.AT_WORK] = [runs(TEST, UP), None, runs(UP), runs()]
    assert ci.wait() == 0
    said = capsys.readouterr().err.splitlines()
    assert [UP["html_url"] in line for line in said] == [True, False, True]
    assert "502" in said[1]


@pytest.mark.parametrize("answer", [runs(UP), None])
def test_it_gives_up(github: GitHub, answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    github.answers[ci.AT_WORK] = [answer]
    assert ci.wait() == 1
    assert "\nerror: " in capsys.readouterr().err


def test_the_first_finding_opens_an_issue(github: GitHub) -> None:
    github.answers["issues?state=open&per_page=100&page=1"] = [issues("Drift: stack staging", "else")]
    ci.report()
    [(path, said)] = github.told
    assert path == "issues"
    assert said["title"] == "Drift: stack prod"
    assert "| **something to change** |" in said["body"] and "| **findings** |" in said["body"]
    assert "https://github.example/owner/repo/actions/runs/42" in said["body"]


def test_the_next_is_added_to_it(github: GitHub) -> None:
    github.answers["issues?state=open&per_page=100&page=1"] = [issues(*["else"] * 100)]
    github.answers["issues?state=open&per_page=100&page=2"] = [issues("else", "Drift: stack prod")]
    ci.report()
    assert [path for path, _ in github.told] == ["issues/2/comments"]


def test_a_pull_request_of_that_title_is_not_it(github: GitHub) -> None:
    github.answers["issues?state=open&per_page=100&page=1"] = [issues("Drift: stack prod", pull_request={})]
    ci.report()
    assert [path for path, _ in github.told] == ["issues"]


@pytest.mark.parametrize(
    ("preview", "verify", "told"),
    [
        ("", "", ["did not run to its end", "did not run to its end"]),
        ("0", "3", ["nothing to change", "nothing could be learnt"]),
        ("1", "2", ["failed with exit code 1", "a fault in the stack file or the command"]),
        ("7", "130", ["**something to change**", "failed with exit code 130"]),
    ],
)
def test_what_could_not_be_seen_is_told_apart_from_findings(
    github: GitHub, monkeypatch: pytest.MonkeyPatch, preview: str, verify: str, told: list[str]
) -> None:
    monkeypatch.setenv("PREVIEW", preview)
    monkeypatch.setenv("VERIFY", verify)
    github.answers["issues?state=open&per_page=100&page=1"] = [[]]
    ci.report()
    [(_, said)] = github.told
    assert [line.split("|")[2].strip() for line in said["body"].splitlines()[2:4]] == told


def test_a_github_that_refuses_is_no_silence(github: GitHub) -> None:
    github.answers["issues?state=open&per_page=100&page=1"] = [None]
    with pytest.raises(OSError):
        ci.report()
