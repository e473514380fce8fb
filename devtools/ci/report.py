"""Opens the issue about a stack that is not as declared, or adds to the open one.

It says which check found something, and never what: of the checks it is given their exit codes alone.
"""

import itertools
import os
from typing import Any

from devtools.ci.github import call
from engarde.util.terminal import tell

PREVIEW = {"0": "nothing to change", "7": "**something to change**"}
VERIFY = {
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


def main() -> None:
    stack = os.environ["STACK"]
    title = f"Drift: stack {stack}"
    body = BODY.format(
        stack=stack,
        preview=_outcome(PREVIEW, os.environ.get("PREVIEW", "")),
        verify=_outcome(VERIFY, os.environ.get("VERIFY", "")),
        run="{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}".format_map(os.environ),
    )
    number = _open_issue(title)
    if number:
        said = call(f"issues/{number}/comments", {"body": body})
    else:
        said = call("issues", {"title": title, "body": body})
    tell(said["html_url"])


def _outcome(meanings: dict[str, str], code: str) -> str:
    if not code:
        return "did not run to its end"
    return meanings.get(code, f"failed with exit code {code}")


def _open_issue(title: str) -> int | None:
    for page in itertools.count(1):
        found: list[dict[str, Any]] = call(f"issues?state=open&per_page={FULL}&page={page}")
        for each in found:
            # Pull requests are issues, too.
            if each["title"] == title and "pull_request" not in each:
                return int(each["number"])
        if len(found) < FULL:
            break
    return None


if __name__ == "__main__":
    main()
