"""How migrations are reported: for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType

from engarde.migrate.run import Migrated
from engarde.migrate.status import Status
from engarde.output.show import Text, lines, table

STYLES = {"migrated": "green", "up to date": "dim", "failed": "red"}


def revision(found: Sequence[str] | None) -> str:
    """Where a service is, in a cell."""
    return "(not read)" if found is None else ", ".join(found) or "(none)"


def migrated(done: Sequence[Migrated]) -> RenderableType:
    """A row for each service."""
    shown = table("service", "before", "after", "seconds", "state")
    for each in done:
        state: list[RenderableType] = [Text(each.state, style=STYLES[each.state])]
        if each.said:
            state.append(lines(each.said))
        shown.add_row(each.service, revision(each.before), revision(each.after), f"{each.seconds:.1f}", Group(*state))
    return shown


def looked_at(found: Sequence[Status]) -> RenderableType:
    """A row for each service, and below it a line for each revision that is pending."""
    shown = table("service", "revision", "heads", "state")
    for each in found:
        state: list[RenderableType] = [Text(each.where, style="green" if each.where == "up to date" else "red")]
        if each.said:
            state.append(lines(each.said))
        state += [Text(f"{one.id}  {one.title}".rstrip()) for one in each.pending]
        shown.add_row(each.service, revision(each.now), revision(each.heads), Group(*state))
    return shown


def looked_at_data(found: Sequence[Status]) -> dict[str, object]:
    """The same as JSON."""
    return dict(
        services=[
            {
                "service": each.service,
                "state": each.where,
                "revisions": each.now,
                "heads": list(each.heads),
                "pending": [{"revision": one.id, "title": one.title} for one in each.pending],
                "said": each.said or None,
            }
            for each in found
        ]
    )


def migrated_data(done: Sequence[Migrated]) -> dict[str, object]:
    """The same as JSON."""
    return dict(
        services=[
            {
                "service": each.service,
                "state": each.state,
                "before": each.before,
                "after": each.after,
                "seconds": round(each.seconds, 1),
                "said": each.said or None,
            }
            for each in done
        ]
    )
