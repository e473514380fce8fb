"""An explanation in words: a line for each way, with the whole chain in it."""

from engarde.checks.closure import Chain
from engarde.declaration.names import PUBLIC
from engarde.explain.access_paths import Granted, Way
from engarde.explain.explanation import Explanation, Passage
from engarde.explain.facts import Policy
from engarde.explain.indirect import Base
from engarde.explain.lines import Line
from engarde.explain.rows import Rows
from engarde.util.quoting import printable

_PREDEFINED = {
    "pg_read_all_data": "reads everything",
    "pg_write_all_data": "writes everything",
    "pg_maintain": "maintains everything",
}


def subject(role: str) -> str:
    """A role as people name it."""
    return "PUBLIC" if role == PUBLIC else role


def way(given: Way, right: str) -> str:
    """`a -> (member, inherits) -> b -> GRANT SELECT by c`, after what it takes first."""
    first = [_granting(step, given.role) for step in given.granted]
    if given.set_role:
        first.append(f"SET ROLE {given.set_role}")
    before = f"after {', then '.join(first)}: " if first else ""
    return f"{before}{_chain(given)} -> {_source(given, right)}"


def _granting(granted: Granted, role: str) -> str:
    acting = f"SET ROLE {granted.set_role}, " if granted.set_role else ""
    whose = f"{granted.by} of {granted.actor}" if granted.actor != role else granted.by
    return f"{acting}GRANT {granted.role} TO {role} (it may: {whose})"


def _chain(given: Way) -> str:
    if given.source.holder == PUBLIC:
        return "PUBLIC"
    start = given.granted[-1].role if given.granted else given.role
    return " -> ".join([start, *_steps(given.chain)])


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


def answer(line: Line) -> str:
    """Yes or no, and how far."""
    return f"only {', '.join(line.columns)}" if line.state == "columns" else line.state


def what(line: Line) -> str:
    """The right, and on what where that is not the object."""
    return line.right if line.on == "object" else f"{line.right} on {line.thing.called}"


def reasons(line: Line, role: str) -> list[str]:
    """Every way, or that there is none; then what comes in between."""
    ways = list(dict.fromkeys(way(found_way, line.right) for found_way in line.ways))
    if not ways and line.right == "owner":
        ways = [f"{line.thing.owner}'s"]
    nothing = f"no grant to {'PUBLIC' if role == PUBLIC else f'{role}, to a role that it is in, or to PUBLIC'}"
    return [*(ways or [nothing]), *line.remarks]


def passage(given: Passage) -> str:
    """What else leads to the object, and what it takes."""
    through = given.through
    path = "".join(f" -> {thing.identity}" for thing in through.path)
    first = f"after SET ROLE {through.set_role}: " if through.set_role else ""
    if through.thing.group == "function":
        return (
            f"{first}{through.thing.called} does what its owner {through.acting} may: {', '.join(through.rights)};"
            " a possible way, its body is not analysed"
        )
    surely = "" if through.certain else ", if this is what it writes to"
    kinds = {passed.kind for passed in (through.thing, *through.path)}
    stale = ", as of its last REFRESH" if "materialized view" in kinds else ""
    return f"{first}{through.thing.called}{path}: {', '.join(through.rights)} as {through.acting}{stale}{surely}"


def passage_reasons(given: Passage) -> list[str]:
    """Why the role may use it."""
    return list(dict.fromkeys(way(found_way, given.through.needed[0]) for found_way in given.ways))


def base(given: Base, role: str) -> str:
    """What a view reads, and as whom."""
    may = "" if given.allowed else ", who may not: denied with 42501"
    own = "" if given.acting == role else f"; {subject(role)} itself {'may' if given.own else 'may not'} read it"
    return f"reads {given.thing.called} as {given.acting}{may}{own}"


def policies(given: Rows) -> list[str]:
    """What row level security leaves of the table."""
    if given.exempt:
        return [f"row level security is on, and not for it: {given.exempt}"]
    found = [_policy(policy) for policy in given.policies]
    if given.none:
        found.append(f"no row for {', '.join(given.none)}: no policy of this table is for it there")
    return ["row level security is on", *found, *(f"every row after SET ROLE {role}" for role in given.exempt_after)]


def _policy(given: Policy) -> str:
    kind = "lets through" if given.permissive else "restricts"
    using = f" USING ({_on_one_line(given.using)})" if given.using else ""
    checked = f" WITH CHECK ({_on_one_line(given.checked)})" if given.checked else ""
    return f"policy {given.name} {kind} {given.command} for {subject(given.role)}:{using}{checked}"


def _on_one_line(sql: str) -> str:
    return " ".join(printable(sql).split("\n"))


def heading(given: Explanation) -> str:
    """Who and what it is about."""
    return f"{subject(given.role)} on {given.target.called}, owned by {given.target.owner}"
