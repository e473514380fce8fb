"""How an explanation is printed: for people and for machines."""

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
    shown += [Text(f"THE SERVER DISAGREES: {disagreement}", style="bold red") for disagreement in given.disagreements]
    shown += [Text(note, style="yellow") for note in given.notes]
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("right", "answer", "why"):
        grid.add_column(heading, overflow="fold", ratio=1 if heading == "why" else None)
    for line in given.lines:
        answer = Text(words.answer(line), style=_STYLES.get(line.state, "yellow"))
        grid.add_row(words.what(line), answer, _why(given, line))
    shown.append(grid)
    if given.rows:
        shown.append(_section("rows", [Text(policy) for policy in words.policies(given.rows)]))
    if given.bases:
        shown.append(_section("what it reads", [Text(words.base(base, given.role)) for base in given.bases]))
    if given.passages:
        lines = [part for passage in given.passages for part in _passage(passage)]
        shown.append(_section(f"past {given.target.identity}'s own access list", lines))
    return Group(*shown)


def _why(given: Explanation, line: Line) -> RenderableType:
    return Group(*map(Text, words.reasons(line, given.role)), *_declared(line.declared, line.undeclared))


def _declared(said: str, undeclared: bool, indent: str = "") -> list[Text]:
    return [Text(indent + said, style="bold red" if undeclared else "dim")] if said else []


def _passage(passage: Passage) -> list[Text]:
    reasons = [Text(f"  {reason}") for reason in words.passage_reasons(passage)]
    return [Text(words.passage(passage)), *reasons, *_declared(passage.declared, passage.undeclared, "  ")]


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
                "ways": [_way(found_way, line.right) for found_way in line.ways],
                "remarks": list(line.remarks),
                "declared": line.declared,
                "undeclared": line.undeclared,
            }
            for line in given.lines
        ],
        "rows": words.policies(given.rows) if given.rows else [],
        "reads": [
            {"object": _thing(base.thing), "as": base.acting, "allowed": base.allowed, "own": base.own}
            for base in given.bases
        ],
        "through": [
            {
                "object": _thing(passage.through.thing),
                "path": [_thing(thing) for thing in passage.through.path],
                "rights": list(passage.through.rights),
                "as": passage.through.acting,
                "setRole": passage.through.set_role,
                "certain": passage.through.certain,
                "why": words.passage_reasons(passage),
                "declared": passage.declared,
                "undeclared": passage.undeclared,
            }
            for passage in given.passages
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
        "grantsItself": [step.role for step in given.granted],
    }
