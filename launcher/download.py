"""Whether the vendor's downloads can be had from here."""

import functools
import threading
import urllib.request

from engarde.util.progress import say

VENDOR = "https://get.pulumi.com/latest-version"
GITHUB = "https://api.github.com/zen"
PATIENCE = 4
"""How long a refusal may take (seconds), a name server that never answers included."""


@functools.cache
def reachable() -> frozenset[str]:
    """Which of the sources answer; both are asked at once, and once in a run."""
    answers: set[str] = set()
    asking = [threading.Thread(target=_ask, args=(url, answers), daemon=True) for url in (VENDOR, GITHUB)]
    for each in asking:
        each.start()
    for each in asking:
        each.join(PATIENCE)
    if not answers:
        say("the vendor's downloads cannot be had from here")
    return frozenset(answers)


def _ask(url: str, answers: set[str]) -> None:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PATIENCE):
            answers.add(url)
    except OSError:
        return
