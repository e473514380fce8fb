"""The statements that change something, as the server's log tells them."""

import re
from collections.abc import Iterator
from pathlib import Path

ENTRY = re.compile(r"^(?P<transaction>\d*/?\d*) (?P<severity>[A-Z]+):  (?P<text>.*)$")
STATEMENT = re.compile(r"^(?:statement|execute [^:]*): (?P<statement>.*)$", re.DOTALL)
PASSWORD = re.compile(r"PASSWORD '(?:[^']|'')*'")
HARMLESS = re.compile(
    r"(?:--.*\n)*(?:select|show|set|begin|start|commit|rollback|deallocate|discard|;|$"
    r"|with\b(?!(?s:.*)\b(?:insert\s+into|update\s+\S+\s+set|delete\s+from|merge\s+into)\b))",
    re.IGNORECASE,
)
LOCK = "pg_advisory_xact_lock("


def transactions(log: Path, offset: int) -> tuple[tuple[str, ...], ...]:
    """What the log holds from an offset (bytes) on, transaction by transaction."""
    with log.open("rb") as file:
        file.seek(offset)
        text = file.read().decode(errors="replace")
    found: dict[str, list[str]] = {}
    for transaction, statement in _statements(text):
        if LOCK in statement or not HARMLESS.match(statement):
            found.setdefault(transaction, []).append(PASSWORD.sub("PASSWORD '<secret>'", statement))
    return tuple(tuple(each) for each in found.values())


def _statements(text: str) -> Iterator[tuple[str, str]]:
    transaction, entry = "", ""
    for line in [*text.splitlines(), "/ END:  "]:
        if not (match := ENTRY.match(line)):
            entry += "\n" + line.removeprefix("\t")
            continue
        if statement := STATEMENT.match(entry):
            yield transaction, statement["statement"].strip()
        transaction = match["transaction"]
        entry = match["text"] if match["severity"] == "LOG" else ""
