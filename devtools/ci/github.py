"""GitHub's API, as far as the workflows ask it, with what every Python brings along."""

import json
import os
import urllib.request
from typing import Any

PATIENCE = 30
"""How long one answer may take (seconds)."""


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
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)
