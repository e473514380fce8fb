"""How an explanation is printed: for people and for machines."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table

from engarde.explain import words
from engarde.explain.access_paths import Way
from engarde.explain.explanation import Explanation, Passage
from engarde.explain.facts import Thing
from engarde.explain.lines import Line
from engarde.output.show import Text

_STYLES = {"yes": "green", "no": "dim"}
"""Of an answer; all others are neither."""


def table(given: Explanation) -> RenderableType:
    """The answers one under another, a line for each way."""
    shown: list[RenderableType] = [Text(words.heading(given), style="bold")]
    shown += [Text(f"THE SERVER DISAGREES: {each}", style="bold red") for each in given.disagreements]
    shown += [Text(each, style="yellow") for each in given.notes]
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("right", "answer", "why"):
        grid.add_column(heading, overflow="fold", ratio=1 if heading == "why" else None)
    for line in given.lines:
        answer = Text(words.answer(line), style=_STYLES.get(line.state, "yellow"))
        grid.add_row(words.what(line), answer, _why(given, line))
    shown.append(grid)
    if given.rows:
        shown.append(_section("rows", [Text(each) for each in words.policies(given.rows)]))
    if given.bases:
        shown.append(_section("what it reads", [Text(words.base(each, given.role)) for each in given.bases]))
    if given.passages:
        lines = [part for each in given.passages for part in _passage(each)]
        shown.append(_section(f"past {given.target.identity}'s own access list", lines))
    return Group(*shown)


def _why(given: Explanation, line: Line) -> RenderableType:
    return Group(*map(Text, words.reasons(line, given.role)), *_declared(line.declared, line.undeclared))


def _declared(said: str, undeclared: bool, indent: str = "") -> list[Text]:
    return [Text(indent + said, style="bold red" if undeclared else "dim")] if said else []


def _passage(each: Passage) -> list[Text]:
    reasons = [Text(f"  {reason}") for reason in words.passage_reasons(each)]
    return [Text(words.passage(each)), *reasons, *_declared(each.declared, each.undeclared, "  ")]


def _section(title: str, lines: list[Text]) -> RenderableType:
    return Group(Text(), Text(title, style="bold"), *lines)


def data(given: Explanation) -> dict[str, object]:
    """An explanation as JSON has it."""
    return {
        "role": words.subject(given.role),
        "object": _thing(given.target),
        "asDeclared": given.as_declared,
        "rights": [
            {
                "on": _thing(line.thing),
                "right": line.right,
                "answer": line.state,
                "columns": list(line.columns),
                "ways": [_way(each, line.right) for each in line.ways],
                "remarks": list(line.remarks),
                "declared": line.declared,
                "undeclared": line.undeclared,
            }
            for line in given.lines
        ],
        "rows": words.policies(given.rows) if given.rows else [],
        "reads": [
            {"object": _thing(each.thing), "as": each.acting, "allowed": each.allowed, "own": each.own}
            for each in given.bases
        ],
        "through": [
            {
                "object": _thing(each.through.thing),
                "path": [_thing(thing) for thing in each.through.path],
                "rights": list(each.through.rights),
                "as": each.through.acting,
                "setRole": each.through.set_role,
                "certain": each.through.certain,
                "why": words.passage_reasons(each),
                "declared": each.declared,
                "undeclared": each.undeclared,
            }
            for each in given.passages
        ],
        "notes": list(given.notes),
        "disagreements": list(given.disagreements),
    }


def _thing(given: Thing) -> dict[str, object]:
    return {"kind": given.kind, "name": given.identity, "owner": given.owner}


def _way(given: Way, right: str) -> dict[str, object]:
    return {
        "text": words.way(given, right),
        "why": given.source.why,
        "from": words.subject(given.source.holder),
        "chain": [step.role for step in given.chain],
        "setRole": given.set_role,
        "grantsItself": [each.role for each in given.granted],
    }
