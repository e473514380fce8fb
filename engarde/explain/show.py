"""Prints an explanation: for people, with one line for each way and its whole chain; and as JSON."""

from collections.abc import Iterable

from rich.console import Group, RenderableType

from engarde.checks.closure import Chain
from engarde.declaration.names import PUBLIC
from engarde.explain.access_paths import Granted, Way
from engarde.explain.explanation import Explanation, Line, Passage, Rows
from engarde.explain.facts import Policy, Thing
from engarde.explain.indirect import Base
from engarde.output.layout import Table, Text
from engarde.util.quoting import printable

_STYLES = {"yes": "green", "no": "dim"}
"""Of these answers; all others are yellow."""
_PREDEFINED = {
    "pg_read_all_data": "reads everything",
    "pg_write_all_data": "writes everything",
    "pg_maintain": "maintains everything",
}


def subject(role: str) -> str:
    """A role's name for people."""
    return "PUBLIC" if role == PUBLIC else role


def way(given: Way, right: str) -> str:
    """`a -> (member, inherits) -> b -> GRANT SELECT by c`, with the steps that it needs first."""
    first = [_granting(step, given.role) for step in given.granted]
    if given.set_role:
        first.append(f"SET ROLE {given.set_role}")
    before = f"after {', then '.join(first)}: " if first else ""
    start = given.granted[-1].role if given.granted else given.role
    chain = "PUBLIC" if given.source.holder == PUBLIC else " -> ".join([start, *_steps(given.chain)])
    return f"{before}{chain} -> {_source(given, right)}"


def _granting(granted: Granted, role: str) -> str:
    acting = f"SET ROLE {granted.set_role}, " if granted.set_role else ""
    whose = f"{granted.by} of {granted.actor}" if granted.actor != role else granted.by
    return f"{acting}GRANT {granted.role} TO {role} (allowed by {whose})"


def _steps(chain: Chain) -> list[str]:
    found = []
    for step in chain:
        if step.implied:
            kind = "the database's owner" + ("" if step.inherits else ", SET ROLE")
        else:
            kind = "member, inherits" if step.inherits else "member, by SET ROLE"
        found += [f"({kind})", step.role]
    return found


def _source(given: Way, right: str) -> str:
    source = given.source
    if source.why == "superuser":
        return "superuser"
    if source.why == "owner":
        return "owner"
    if source.why == "predefined":
        return _PREDEFINED[source.holder]
    if source.grantor is None:
        return f"{right}, built in"
    columns = f" ({', '.join(source.columns)})" if source.columns else ""
    return f"GRANT {right}{columns} by {source.grantor}"


def reasons(line: Line, role: str) -> list[str]:
    """Every way, or that there is none; then the remarks."""
    ways = list(dict.fromkeys(way(found_way, line.right) for found_way in line.ways))
    if not ways and line.right == "owner":
        ways = [f"owned by {line.thing.owner}"]
    nothing = f"no grant to {'PUBLIC' if role == PUBLIC else f'{role}, to a role that it is a member of, or to PUBLIC'}"
    return [*(ways or [nothing]), *line.remarks]


def passage(given: Passage) -> str:
    """An indirect access to the object, and what it needs."""
    through = given.through
    path = "".join(f" -> {thing.identity}" for thing in through.path)
    first = f"after SET ROLE {through.set_role}: " if through.set_role else ""
    if through.thing.group == "function":
        return (
            f"{first}{through.thing.called} runs as its owner {through.acting}: {', '.join(through.rights)};"
            " possible access only, because its body is not analysed"
        )
    surely = "" if through.certain else ", if the view writes to it"
    kinds = {passed.kind for passed in (through.thing, *through.path)}
    stale = ", as of its last REFRESH" if "materialized view" in kinds else ""
    return f"{first}{through.thing.called}{path}: {', '.join(through.rights)} as {through.acting}{stale}{surely}"


def passage_reasons(given: Passage) -> list[str]:
    """Why the role may use it."""
    return list(dict.fromkeys(way(found_way, given.through.needed[0]) for found_way in given.ways))


def base(given: Base, role: str) -> str:
    """A relation that a view reads, and as which role."""
    may = "" if given.allowed else ", which lacks SELECT: denied with 42501"
    own = "" if given.acting == role else f"; {subject(role)} itself {'may' if given.own else 'may not'} read it"
    return f"reads {given.thing.called} as {given.acting}{may}{own}"


def policies(given: Rows) -> list[str]:
    """How row-level security limits the role."""
    if given.exempt:
        return [f"row-level security is on, but does not apply to this role: {given.exempt}"]
    found = [_policy(policy) for policy in given.policies]
    if given.none:
        found.append(f"no row for {', '.join(given.none)}: no policy of this table allows it to this role")
    return ["row-level security is on", *found, *(f"every row after SET ROLE {role}" for role in given.exempt_after)]


def _policy(given: Policy) -> str:
    kind = "allows" if given.permissive else "restricts"
    said = f"policy {given.name} {kind} {given.command} for {subject(given.role)}:"
    for clause, sql in (("USING", given.using), ("WITH CHECK", given.checked)):
        if sql:
            on_one_line = printable(sql).replace("\n", " ")
            said += f" {clause} ({on_one_line})"
    return said


def table(given: Explanation) -> RenderableType:
    """The answers one below the other, with a line for each way."""
    target = given.target
    heading = f"{subject(given.role)} on {target.called}, owned by {target.owner}"
    shown: list[RenderableType] = [Text(heading, style="bold")]
    shown += [Text(f"THE SERVER DISAGREES: {disagreement}", style="bold red") for disagreement in given.disagreements]
    shown += [Text(note, style="yellow") for note in given.notes]
    rights = Table(["privilege", "answer", "why"])
    for line in given.lines:
        what = line.right if line.on == "object" else f"{line.right} on {line.thing.called}"
        answer = f"only {', '.join(line.columns)}" if line.state == "columns" else line.state
        why = [*map(Text, reasons(line, given.role)), *_declared(line.declared, line.undeclared)]
        rights.add_row(what, Text(answer, style=_STYLES.get(line.state, "yellow")), why)
    shown.append(rights)
    if given.rows:
        shown.append(_section("rows", map(Text, policies(given.rows))))
    if given.bases:
        shown.append(_section("what it reads", [Text(base(read, given.role)) for read in given.bases]))
    if given.passages:
        parts = [part for led in given.passages for part in _passage(led)]
        shown.append(_section(f"indirect access to {target.identity}", parts))
    return Group(*shown)


def _declared(said: str, undeclared: bool, indent: str = "") -> list[Text]:
    return [Text(indent + said, style="bold red" if undeclared else "dim")] if said else []


def _passage(given: Passage) -> list[Text]:
    why = [Text(f"  {reason}") for reason in passage_reasons(given)]
    return [Text(passage(given)), *why, *_declared(given.declared, given.undeclared, "  ")]


def _section(title: str, lines: Iterable[Text]) -> RenderableType:
    return Group(Text(), Text(title, style="bold"), *lines)


def data(given: Explanation) -> dict[str, object]:
    """An explanation as JSON."""
    return {
        "role": subject(given.role),
        "object": _thing(given.target),
        "asDeclared": given.as_declared,
        "privileges": [
            {
                "object": _thing(line.thing),
                "privilege": line.right,
                "answer": line.state,
                "columns": list(line.columns),
                "accessPaths": [_way(found_way, line.right) for found_way in line.ways],
                "remarks": list(line.remarks),
                "declared": line.declared,
                "undeclared": line.undeclared,
            }
            for line in given.lines
        ],
        "rowSecurity": policies(given.rows) if given.rows else [],
        "reads": [
            {"object": _thing(base.thing), "role": base.acting, "allowed": base.allowed, "allowedItself": base.own}
            for base in given.bases
        ],
        "indirectAccess": [
            {
                "object": _thing(passage.through.thing),
                "path": [_thing(thing) for thing in passage.through.path],
                "privileges": list(passage.through.rights),
                "role": passage.through.acting,
                "setRole": passage.through.set_role,
                "certain": passage.through.certain,
                "reasons": passage_reasons(passage),
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
        "text": way(given, right),
        "source": given.source.why,
        "holder": subject(given.source.holder),
        "memberships": [step.role for step in given.chain],
        "setRole": given.set_role,
        "selfGrants": [step.role for step in given.granted],
    }
