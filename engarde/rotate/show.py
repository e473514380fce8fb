"""How a rotation is reported: for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType

from engarde.output.show import Text
from engarde.rotate.report import Report, Rotated
from engarde.util.quoting import word


def as_json(report: Report) -> dict[str, object]:
    """The report for machines."""
    failed = report.failed
    return dict(
        stack=report.stack,
        dryRun=report.dry_run,
        reapplied=report.reapplied,
        rotated=[_data(each) for each in report.rotated],
        failed={"login": failed.name, "reason": failed.reason} if failed else None,
        left=list(report.left),
        commit=report.to_commit,
    )


def _data(rotated: Rotated) -> dict[str, object]:
    return {
        "login": rotated.name,
        "role": rotated.role,
        "from": rotated.before,
        "to": rotated.after,
        "continued": rotated.continued,
        "seconds": round(rotated.seconds, 1),
        "delivered": rotated.delivered,
        "warnings": list(rotated.warnings),
    }


def as_text(report: Report) -> RenderableType:
    """The report for people."""
    return Group(*(Text(line) for line in _lines(report)))


def _lines(report: Report) -> Iterator[str]:
    for each in report.rotated:
        yield from _about(report, each)
    if not report.rotated and not report.failed:
        yield f"the state's passwords are in force in stack {report.stack}; there is nothing to put back"
    if report.failed:
        yield f"{report.failed.name}: stopped here, as standard error says"
    if report.left:
        yield f"not begun: {', '.join(report.left)}"
    if report.to_commit:
        yield f"commit {report.to_commit}"


OPEN = "sessions that are open would live on"


def _about(report: Report, each: Rotated) -> Iterator[str]:
    who = f"{each.name} ({each.role})"
    if report.reapplied:
        yield f"{who}: the state's password " + ("would be put" if report.dry_run else "is") + " in force again"
    elif report.dry_run:
        sessions = "the login would be taken away and its sessions ended first" if report.shut else OPEN
        yield (
            f"{who}: counter {each.before} -> {each.after}, then `up` of its password and its role, and delivery;"
            f" {sessions}, and new connections with the old password fail from the end of"
            " `up` until the new URL is deployed"
        )
    else:
        begun = ", begun by an earlier run" if each.continued else ""
        yield f"{who}: counter {each.before} -> {each.after} in {each.seconds:.0f} s{begun}; {_delivery(report, each)}"
    yield from (f"  warning: {warning}" for warning in each.warnings)


def _delivery(report: Report, each: Rotated) -> str:
    if each.delivered:
        return each.delivered
    why = "the stack file names no service for it" if report.declares_places else "no engarde:railway in the stack file"
    command = f"bin/engarde url {word(each.name)} --stack {report.stack} --from service"
    return f"not delivered: {why}. Where it runs it has to get what `{command}` prints"
