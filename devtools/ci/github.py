"""What the workflows ask GitHub, and tell it, with what every Python brings along.

`wait` waits until no `up` is at work: a look at a stack that is half up shows what is not so. `report` opens the issue
about a stack that is not as declared, or adds to the open one. It says which check found something, and never what: of
the checks it is given their exit codes alone.
"""

import itertools
import json
import os
import sys
import time
import urllib.error
import urllib.request
from typing import Any

from engarde.util.terminal import tell

ANSWER = 30
"""How long one answer may take (seconds)."""

UP = ".github/workflows/up.yml"
# One that waits for its approval has the status `waiting`, and is nothing to wait for: it may do so for days.
AT_WORK = "actions/runs?status=in_progress&per_page=100"

PAUSE = 20.0
PATIENCE = 1800.0
"""How long it waits (seconds)."""

UNFINISHED = "did not run to its end"
PREVIEW = {"": UNFINISHED, "0": "nothing to change", "7": "**something to change**"}
VERIFY = {
    "": UNFINISHED,
    "0": "as declared",
    "1": "**findings**",
    "2": "a fault in the stack file or the command",
    "3": "nothing could be learnt",
}
FULL = 100
"""How many issues GitHub gives at once."""

BODY = """\
| check | outcome |
| --- | --- |
| `pulumi preview --refresh --expect-no-changes` | {preview} |
| `bin/engarde verify` | {verify} |

What they printed is in the log of [this run]({run}). To look again, from a clone of the project:

    pulumi preview --refresh --diff --stack {stack}
    bin/engarde verify --stack {stack}
    bin/engarde doctor --stack {stack}

Close this issue when the stack is as declared again; the next finding opens another one.
"""


def wait() -> int:
    """Returns 1 if it gave up."""
    deadline = time.monotonic() + PATIENCE
    while reason := _reason_to_wait():
        if time.monotonic() > deadline:
            tell(f"error: {reason}; gave up after {PATIENCE:.0f} s")
            return 1
        tell(reason)
        time.sleep(PAUSE)
    return 0


def _reason_to_wait() -> str | None:
    try:
        runs = call(AT_WORK)["workflow_runs"]
    except OSError as fault:
        return f"cannot read from GitHub whether an `up` is running: {fault}"
    # The path may be followed by the branch: up.yml@main.
    at_work = [run["html_url"] for run in runs if run["path"].partition("@")[0] == UP]
    return f"an `up` is running: {at_work[0]}" if at_work else None


def report() -> None:
    stack, preview, verify = os.environ["STACK"], os.environ.get("PREVIEW", ""), os.environ.get("VERIFY", "")
    title = f"Drift: stack {stack}"
    body = BODY.format(
        stack=stack,
        preview=PREVIEW.get(preview, f"failed with exit code {preview}"),
        verify=VERIFY.get(verify, f"failed with exit code {verify}"),
        run="{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}".format_map(os.environ),
    )
    if number := _open_issue(title):
        said = call(f"issues/{number}/comments", {"body": body})
    else:
        said = call("issues", {"title": title, "body": body})
    tell(said["html_url"])


def _open_issue(title: str) -> int | None:
    for page in itertools.count(1):
        found: list[dict[str, Any]] = call(f"issues?state=open&per_page={FULL}&page={page}")
        for issue in found:
            # Pull requests are issues, too.
            if issue["title"] == title and "pull_request" not in issue:
                return int(issue["number"])
        if len(found) < FULL:
            break
    return None


def call(path: str, body: dict[str, str] | None = None) -> Any:
    """What the repository's API says to a GET, or with a body to a POST.

    :raises OSError: where it cannot be reached, or refuses.
    """
    request = urllib.request.Request(
        f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/{path}",
        data=json.dumps(body).encode() if body else None,
        headers={
            "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "engarde",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        # It holds the connection; from Python 3.14 on, one that is left to be collected is a warning.
        refusal.close()
        raise


if __name__ == "__main__":
    if sys.argv[1] == "wait":
        sys.exit(wait())
    report()
